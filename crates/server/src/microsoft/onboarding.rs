//! A customer's Entra tenant is connected: its administrator consents, and proves to be one.
//!
//! An operator asks for a link and sends it to the administrator. Whoever opens it is sent to Entra ID to consent, and then to
//! sign in; only when a token of our own for the tenant was given and an administrator of the same tenant signed in, the
//! tenant is the customer's.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tandem_microsoft::entra::consent::{ConsentCallback, ConsentFault, ConsentRequest, Stage};
use tandem_microsoft::entra::refusal::Refusal;
use tandem_microsoft::entra::token::UserToken;
use tandem_microsoft::graph::call::{Call, Caller, Operation};
use tandem_microsoft::graph::fault::Fault;
use tandem_microsoft::id::{EntraTenantId, Guid, ObjectId};
use tandem_microsoft::secret::Secret;
use tandem_people::audit::Entry;
use tandem_people::caller::{Caller as Person, Who};
use tandem_people::permission::Grants;
use tandem_people::scope::Scope;
use tandem_people::secret::SecretHash;
use tandem_store::Tenant;
use tandem_store::register::{Failure, Register, Secret as KeptSecret};

use super::Microsoft;
use super::connection::{self, Connection, Origin};
use super::entra::unix_now;
use super::graph::lock;
use super::sign_in::{Begun, Purpose, Remembered};
use super::watch::Message;
use crate::identity;

/// A link that was given to an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// For whose contact center.
    pub tenant: Tenant,
    /// What it is good for.
    pub what: Permit,
    /// What stands in the link.
    code: String,
}

/// What a link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Permit {
    /// To connect an Entra tenant.
    Onboarding,
    /// To connect the account that watches presence in an Entra tenant.
    Presence {
        /// The Entra tenant.
        tid: EntraTenantId,
    },
}

/// How far an onboarding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Entra ID gave us a token of the tenant; its administrator has to sign in.
    AdministratorNeeded {
        /// The Entra tenant.
        tid: EntraTenantId,
    },
    /// The Entra tenant is the customer's.
    Connected {
        /// The Entra tenant.
        tid: EntraTenantId,
    },
}

/// Why an onboarding does not go on.
#[derive(Debug, thiserror::Error)]
pub enum OnboardingFault {
    /// The link is not known, was used, or is over.
    #[error("the link is not known, was used already, or is too old")]
    Link,
    /// The browser that comes back is not the one that was sent away.
    #[error("this browser did not begin the onboarding")]
    OtherBrowser,
    /// What Entra ID said, or did not say.
    #[error(transparent)]
    Consent(#[from] ConsentFault),
    /// Entra ID gives us no token for the tenant.
    #[error("Entra ID gives no token for the tenant: {0}")]
    Refused(#[from] Refusal),
    /// The administrator's roles cannot be read.
    #[error("the person's directory roles cannot be read: {}", .0.stable_code())]
    Roles(Fault),
    /// The Entra tenant is another customer's.
    #[error("the Entra tenant {0} belongs to another customer")]
    Taken(EntraTenantId),
    /// The connection stands in the configuration.
    #[error("the Entra tenant {0} stands in the configuration")]
    OfConfiguration(EntraTenantId),
    /// There is no such connection.
    #[error("there is no such connection")]
    Unknown,
    /// The disk.
    #[error("the register cannot be written: {0}")]
    Register(#[from] Failure),
}

/// Links of a tenant as they are kept: what stands in them is hashed.
#[derive(Default, Serialize, Deserialize)]
struct KeptTickets {
    tickets: Vec<KeptTicket>,
}

#[derive(Serialize, Deserialize)]
struct KeptTicket {
    hash: String,
    #[serde(flatten)]
    what: Permit,
    expires: u64,
}

impl Microsoft {
    /// Makes a link for an administrator. It blocks for as long as the disk takes.
    ///
    /// # Errors
    ///
    /// The register does not take it.
    pub fn make_link(&self, tenant: &Tenant, what: Permit) -> Result<String, OnboardingFault> {
        let mut bytes = [0; 32];
        self.shared.entra.with_random(|random| random.fill_bytes(&mut bytes));
        let code = format!("{tenant}.{}", URL_SAFE_NO_PAD.encode(bytes));
        let life = match what {
            Permit::Onboarding => ONBOARDING_LINK_S,
            Permit::Presence { .. } => PRESENCE_LINK_S,
        };
        let now = unix_now().0;
        let register = self.shared.identity.register();
        let _one_at_a_time = lock(&self.shared.links);
        let mut kept = tickets(register, tenant)?;
        kept.tickets.retain(|ticket| ticket.expires > now);
        if kept.tickets.len() >= TICKETS_MAX {
            kept.tickets.remove(0);
        }
        kept.tickets.push(KeptTicket { hash: hash(&code), what, expires: now + life });
        put_tickets(register, tenant, &kept)?;
        Ok(self.shared.public.at(&format!("/auth/consent/start?ticket={code}")))
    }

    /// Somebody at this address has opened a link: where to send the browser.
    ///
    /// # Errors
    ///
    /// The link is not good.
    pub async fn open_link(&self, code: &str, address: IpAddr) -> Result<Begun, OnboardingFault> {
        let ticket = self.ticket(code)?;
        match ticket.what {
            Permit::Onboarding => {
                let redirect_uri = self.shared.public.at(CONSENT_CALLBACK);
                let ask = ConsentRequest {
                    cloud: &self.shared.settings.cloud,
                    client: self.shared.settings.client,
                    redirect_uri: &redirect_uri,
                    tenant: None,
                };
                let now = unix_now();
                let (location, proof) = self.shared.entra.with_random(|random| ask.begin(now, random));
                let state = proof.state().clone();
                let (name, until) = (state.expose().to_owned(), proof.expires());
                lock(&self.shared.consents).insert(address.into(), name, (proof, ticket), until, now);
                Ok(Begun { location, state })
            }
            Permit::Presence { tid } => {
                let remembered = Remembered { purpose: Purpose::Presence(tid), back: "/".to_owned() };
                self.use_up(&ticket)?;
                Ok(self.begin_sign_in(Some(&ticket.tenant), remembered, None, address).await)
            }
        }
    }

    /// The administrator's browser came back from the consent page: proves what it claims as far as we can alone, and sends
    /// the administrator to sign in.
    ///
    /// # Errors
    ///
    /// See [`OnboardingFault`].
    pub async fn consent_returned(
        &self,
        query: &str,
        states: &[Secret],
        address: IpAddr,
    ) -> Result<Begun, OnboardingFault> {
        let callback = ConsentCallback::parse(query)?;
        if !states.contains(&callback.state) {
            return Err(OnboardingFault::OtherBrowser);
        }
        let name = callback.state.expose().to_owned();
        let (claimed, tenant) = {
            let mut consents = lock(&self.shared.consents);
            let (proof, ticket) = consents.get_mut(&name).ok_or(ConsentFault::UnknownState)?;
            (proof.returned(callback, unix_now())?, ticket.tenant.clone())
        };
        if self.owner(claimed).is_some_and(|owner| owner != tenant) {
            return Err(OnboardingFault::Taken(claimed));
        }
        // What was refused before the consent is no longer so.
        self.shared.entra.forget(claimed);
        self.shared.entra.app_token(claimed).await?;
        if let Some((proof, _)) = lock(&self.shared.consents).get_mut(&name) {
            proof.got_token(claimed, unix_now())?;
        }
        let remembered = Remembered { purpose: Purpose::Consent(name), back: "/".to_owned() };
        Ok(self.begin_sign_in(None, remembered, None, address).await)
    }

    /// Somebody signed in to show that the consent was theirs to give.
    pub(super) async fn administrator_signed_in(
        &self,
        name: &str,
        mut user: UserToken,
        token: &Secret,
    ) -> Result<Progress, OnboardingFault> {
        if user.directory_roles.is_none() {
            user.directory_roles = Some(self.directory_roles(&user, token).await?);
        }
        let (stage, ticket) = {
            let mut consents = lock(&self.shared.consents);
            let (proof, ticket) = consents.get_mut(name).ok_or(ConsentFault::UnknownState)?;
            (proof.signed_in(&user, unix_now())?, ticket.clone())
        };
        match stage {
            Stage::Proved { tenant: tid, administrator } => {
                lock(&self.shared.consents).take(name);
                self.use_up(&ticket)?;
                self.onboarded(&ticket.tenant, tid, administrator).await?;
                Ok(Progress::Connected { tid })
            }
            Stage::Returned { claimed, .. } => Ok(Progress::AdministratorNeeded { tid: claimed }),
            Stage::Asked => Err(ConsentFault::TooEarly.into()),
        }
    }

    /// Takes an Entra tenant off. What stands in the configuration stays.
    ///
    /// # Errors
    ///
    /// See [`OnboardingFault`].
    pub fn disconnect(&self, tenant: &Tenant, tid: EntraTenantId) -> Result<(), OnboardingFault> {
        let connection =
            self.connection(tid).filter(|one| one.tenant == *tenant).ok_or(OnboardingFault::Unknown)?;
        if connection.origin == Origin::Configuration {
            return Err(OnboardingFault::OfConfiguration(tid));
        }
        let register = self.shared.identity.register();
        connection.graph.set_accounts(BTreeMap::new());
        for account in connection.kept().accounts.keys() {
            register.secret_remove(tenant, &connection::account_secret(*account))?;
        }
        register.entra_tenant_remove(tenant, &tid.to_string())?;
        self.shared.connections.write().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&tid);
        self.shared.entra.forget(tid);
        Ok(())
    }

    /// Has an account watch presence from now on.
    pub(super) async fn connect_account(
        &self,
        tid: EntraTenantId,
        user: &UserToken,
        refresh: &Secret,
    ) -> Result<(), OnboardingFault> {
        let connection = self.connection(tid).ok_or(OnboardingFault::Unknown)?;
        let register = self.shared.identity.register();
        connection::keep_account(register, &connection.tenant, user.user, refresh);
        let name = user.preferred_username.clone().or_else(|| user.name.clone()).unwrap_or_default();
        connection.keep(register, |kept| {
            kept.accounts.insert(user.user, name);
        })?;
        self.shared.entra.forget_account(tid, user.user);
        connection.use_accounts(register);
        connection.tell_accounts();
        // What was refused to the account before may be granted now.
        connection.watch.tell(Message::Resume).await;
        self.tell_trail(&connection.tenant, "presence_account.connect", tid, user.user).await;
        Ok(())
    }

    /// An account watches presence no longer.
    ///
    /// # Errors
    ///
    /// See [`OnboardingFault`].
    pub fn disconnect_account(
        &self,
        connection: &Connection,
        account: ObjectId,
    ) -> Result<(), OnboardingFault> {
        let register = self.shared.identity.register();
        connection.keep(register, |kept| {
            kept.accounts.remove(&account);
        })?;
        // No longer used, its next token is not kept.
        connection.use_accounts(register);
        connection.tell_accounts();
        register.secret_remove(&connection.tenant, &connection::account_secret(account))?;
        Ok(())
    }

    async fn onboarded(
        &self,
        tenant: &Tenant,
        tid: EntraTenantId,
        administrator: ObjectId,
    ) -> Result<(), OnboardingFault> {
        let register = self.shared.identity.register().clone();
        let mut kept = self.connection(tid).map(|known| known.kept()).unwrap_or_default();
        kept.consented_by = Some(administrator);
        kept.consented_at = Some(unix_now().0);
        register.entra_tenant_put(tenant, &connection::row(tid, &kept))?;
        // Before anything else waits: the browser may hang up.
        self.tell_trail(tenant, "entra_tenant.connect", tid, administrator).await;
        self.shared.entra.forget(tid);
        match self.connection(tid) {
            Some(known) => {
                known.keep(&register, |known| *known = kept)?;
                known.graph.resume();
                known.watch.tell(Message::Resume).await;
            }
            None => {
                if let Err(fault) = self.connect(tenant, tid, Origin::Consent, kept) {
                    tracing::error!(%fault, %tid, "the directory of an Entra tenant is not followed before a restart");
                }
                self.link_soon(Some(tenant));
            }
        }
        self.learn_name(tid).await;
        Ok(())
    }

    /// What somebody did by a link stands in the tenant's trail: by a user of Entra, who need not be known here.
    async fn tell_trail(&self, tenant: &Tenant, act: &str, tid: EntraTenantId, user: ObjectId) {
        let scope = Scope::tenant(tenant.as_str());
        let nobody = Person::new(scope.clone(), Who::Unknown, Grants::NONE);
        let entry = Entry::new(identity::now(), &nobody, scope, act, &format!("microsoft/{tid}"));
        let entry = entry.with("entra_user", &user.to_string());
        let told = self.shared.identity.change(move |identity| {
            identity.audit(entry);
            Ok(())
        });
        if let Err(fault) = told.await {
            tracing::error!(%fault, act, "the audit trail is not written");
        }
    }

    /// Asks what those tenants are called of whom it is not known.
    pub(super) async fn learn_names(&self) {
        let nameless: Vec<EntraTenantId> = self
            .connections()
            .values()
            .filter(|connection| connection.kept().name.is_empty())
            .map(|connection| connection.tid)
            .collect();
        for tid in nameless {
            self.learn_name(tid).await;
        }
    }

    /// Asks what the tenant is called, to show it.
    async fn learn_name(&self, tid: EntraTenantId) {
        #[derive(Deserialize)]
        struct Organisations {
            value: Vec<Organisation>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Organisation {
            display_name: String,
        }
        let Some(connection) = self.connection(tid) else { return };
        let call =
            Call::get(Operation::ReadProfile, Caller::Application, "/organization?$select=id,displayName");
        let answer = connection.graph.ask(&call).await;
        let read = Fault::read(Operation::ReadProfile, &answer, |response| {
            serde_json::from_slice::<Organisations>(&response.body).ok()?.value.pop()
        });
        let named = match read {
            Ok(organisation) => {
                let name = organisation.display_name.chars().take(NAME_CHARACTERS_MAX).collect();
                connection.note_name(self.shared.identity.register(), name)
            }
            Err(fault) => {
                tracing::info!(%tid, fault = fault.stable_code(), "the name of an Entra tenant cannot be read");
                return;
            }
        };
        if let Err(fault) = named {
            tracing::error!(%fault, "the name of an Entra tenant is not kept");
        }
    }

    /// The template ids of the directory roles of whoever has this token.
    async fn directory_roles(&self, user: &UserToken, token: &Secret) -> Result<Vec<Guid>, OnboardingFault> {
        #[derive(Deserialize)]
        struct Page {
            value: Vec<Role>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Role {
            role_template_id: Option<String>,
        }
        let graph = match self.connection(user.tenant) {
            Some(known) => known.graph.clone(),
            None => super::graph::Graph::new(
                user.tenant,
                &self.shared.settings,
                Arc::clone(&self.shared.entra),
                self.shared.endpoint.clone(),
                self.shared.outbound.clone(),
            ),
        };
        let path = "/me/memberOf/microsoft.graph.directoryRole?$select=id,roleTemplateId";
        let call = Call::get(Operation::ReadMembers, Caller::Account(user.user), path);
        let answer = graph.send_as(&call, token).await;
        let read = Fault::read(Operation::ReadMembers, &answer, |response| {
            serde_json::from_slice::<Page>(&response.body).ok()
        });
        let roles = read.map_err(OnboardingFault::Roles)?.value;
        Ok(roles.iter().filter_map(|role| role.role_template_id.as_ref()?.parse().ok()).collect())
    }

    fn ticket(&self, code: &str) -> Result<Ticket, OnboardingFault> {
        let tenant: Tenant =
            code.split_once('.').and_then(|(tenant, _)| tenant.parse().ok()).ok_or(OnboardingFault::Link)?;
        let kept = tickets(self.shared.identity.register(), &tenant)?;
        let (hash, now) = (hash(code), unix_now().0);
        let found = kept.tickets.iter().find(|ticket| ticket.hash == hash && ticket.expires > now);
        let what = found.ok_or(OnboardingFault::Link)?.what;
        Ok(Ticket { tenant, what, code: code.to_owned() })
    }

    /// The link does its work, once: whoever began with it and comes later is refused.
    fn use_up(&self, ticket: &Ticket) -> Result<(), OnboardingFault> {
        let register = self.shared.identity.register();
        let _one_at_a_time = lock(&self.shared.links);
        let mut kept = tickets(register, &ticket.tenant)?;
        let (hash, before) = (hash(&ticket.code), kept.tickets.len());
        kept.tickets.retain(|other| other.hash != hash);
        if kept.tickets.len() == before {
            return Err(OnboardingFault::Link);
        }
        put_tickets(register, &ticket.tenant, &kept)
    }
}

impl OnboardingFault {
    /// The stable word for records and programs.
    pub fn code(&self) -> &'static str {
        match self {
            OnboardingFault::Link => "onboarding_link",
            OnboardingFault::OtherBrowser => "onboarding_other_browser",
            OnboardingFault::Consent(fault) => fault.code(),
            OnboardingFault::Refused(refusal) => refusal.reason.code(),
            OnboardingFault::Roles(_) => "onboarding_roles_unknown",
            OnboardingFault::Taken(_) => "entra_tenant_taken",
            OnboardingFault::OfConfiguration(_) => "of_configuration",
            OnboardingFault::Unknown => "not_found",
            OnboardingFault::Register(_) => "register_unwritable",
        }
    }

    /// What can be done about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            OnboardingFault::Link => "Ask whoever sent the link for a new one.",
            OnboardingFault::OtherBrowser => {
                "Open the link again, in one browser, and let it keep cookies of this site."
            }
            OnboardingFault::Consent(fault) => fault.remedy(),
            OnboardingFault::Refused(refusal) => refusal.reason.remedy(),
            OnboardingFault::Roles(fault) => fault.remedy(),
            OnboardingFault::Taken(_) => "Ask whoever runs Tandem: one Entra tenant belongs to one customer.",
            OnboardingFault::OfConfiguration(_) => {
                "Take it out of the configuration file, and start the program again."
            }
            OnboardingFault::Unknown => "Look at the list for those that there are.",
            OnboardingFault::Register(_) => "Try again; whoever runs Tandem finds the reason in the log.",
        }
    }
}

fn tickets(register: &Register, tenant: &Tenant) -> Result<KeptTickets, OnboardingFault> {
    match register.secret(tenant, TICKETS).map_err(Failure::from)? {
        Some(KeptSecret::Known(bytes)) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
        Some(KeptSecret::Gone(_)) | None => Ok(KeptTickets::default()),
    }
}

fn put_tickets(register: &Register, tenant: &Tenant, kept: &KeptTickets) -> Result<(), OnboardingFault> {
    let text = serde_json::to_vec(kept).unwrap_or_default();
    Ok(register.secret_put(tenant, TICKETS, &text, connection::now_ms())?)
}

fn hash(code: &str) -> String {
    URL_SAFE_NO_PAD.encode(SecretHash::of(code).as_bytes())
}

/// The path to which Entra ID sends browsers back after consent.
pub const CONSENT_CALLBACK: &str = "/auth/consent/callback";
/// How long a link to connect an Entra tenant is good: a week, in seconds.
pub const ONBOARDING_LINK_S: u64 = 7 * 86_400;
/// How long a link to connect an account is good, in seconds.
pub const PRESENCE_LINK_S: u64 = 10 * 60;
/// Links of one tenant at once; beyond it the oldest is worth nothing.
const TICKETS_MAX: usize = 32;
/// Administrators who are at a consent page at once. An address may have as many as are free besides
/// ([`tandem_strangers::Room`]), 500 if it is alone: more than an office has administrators. At its limit the oldest of its
/// own is worth nothing, and that administrator opens the link again.
pub(super) const CONSENTS_MAX: usize = 1_000;
/// The secret's name in the register.
const TICKETS: &str = "onboarding.links";
/// Characters of a tenant's name that are kept.
const NAME_CHARACTERS_MAX: usize = 128;
