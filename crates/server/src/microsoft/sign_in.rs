//! People sign in with their Microsoft 365 account: in a browser, or by the token of the tab in Teams.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Deserialize;
use tandem_microsoft::entra::cloud::Authority;
use tandem_microsoft::entra::code_flow::{
    Callback, CallbackFault, Prompt, Redemption, ResponseMode, SignIn as AskSignIn,
};
use tandem_microsoft::entra::refusal::{Blame, Refusal};
use tandem_microsoft::entra::tab::claims_demanded;
use tandem_microsoft::entra::token::{ApiToken, Groups, TokenFault, UserToken};
use tandem_microsoft::graph::call::{Call, Caller, Operation};
use tandem_microsoft::graph::fault::Fault;
use tandem_microsoft::id::{EntraTenantId, ObjectId};
use tandem_microsoft::secret::Secret;
use tandem_people::login::SignIn;
use tandem_people::person::Guid;
use tandem_people::role::AppRoles;
use tandem_store::Tenant;

use super::Microsoft;
use super::entra::unix_now;
use super::graph::lock;
use super::onboarding::{OnboardingFault, Progress};
use crate::identity::{self, EntraUser, IdentityFault, Tokens};

/// What is remembered while a person is at Entra ID.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// What the sign-in is for.
    pub purpose: Purpose,
    /// The path to go to afterwards.
    pub back: String,
}

/// What a sign-in is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody wants to come in.
    SignIn,
    /// An administrator connects the account that watches presence in this Entra tenant.
    Presence(EntraTenantId),
    /// An administrator shows that the Entra tenant which consented is theirs; the name of the consent.
    Consent(String),
}

/// A sign-in that has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where the browser is sent.
    pub location: String,
    /// What the browser must bring back in a cookie, to show that it is the same.
    pub state: Secret,
}

/// A sign-in that came to its end.
#[derive(Debug)]
pub enum Finished {
    /// Somebody is in.
    SignedIn {
        /// What they hold.
        tokens: Box<Tokens>,
        /// Where they want to go.
        back: String,
    },
    /// The account watches presence from now on.
    PresenceConnected {
        /// Where the administrator wants to go.
        back: String,
    },
    /// A consent went on.
    Consented {
        /// How far it is.
        progress: Progress,
        /// Where the administrator wants to go.
        back: String,
    },
}

/// Why somebody does not come in.
#[derive(Debug, thiserror::Error)]
pub enum SignInFault {
    /// What the browser brought back is not what it was sent away with.
    #[error(transparent)]
    Callback(#[from] CallbackFault),
    /// The browser that comes back is not the one that was sent away, or has lost its cookie.
    #[error("this browser did not begin the sign-in")]
    OtherBrowser,
    /// Entra ID gives no tokens.
    #[error("Entra ID refused: {0}")]
    Refused(#[from] Refusal),
    /// The token is not believed.
    #[error(transparent)]
    Token(#[from] TokenFault),
    /// Entra ID gave no id token, or no refresh token.
    #[error("Entra ID gave no {0}")]
    Missing(&'static str),
    /// A program came where a person was expected.
    #[error("the token is a program's, not a person's")]
    NotAPerson,
    /// Graph does not tell the person's groups.
    #[error("the person's groups cannot be read: {}", .0.stable_code())]
    Groups(Fault),
    /// Graph takes the person's token no longer, and demands claims of the next.
    #[error("Microsoft Graph wants the person to sign in again")]
    Demanded {
        /// The `claims` parameter for the next sign-in.
        claims: String,
    },
    /// The account is of another Entra tenant than the one to be watched.
    #[error("the account is of another Entra tenant")]
    OtherTenant,
    /// The person may not sign in here.
    #[error(transparent)]
    Identity(#[from] IdentityFault),
    /// The onboarding does not go on.
    #[error(transparent)]
    Onboarding(#[from] OnboardingFault),
}

impl Microsoft {
    /// Begins a sign-in of a browser at this address: where to send it.
    pub async fn begin_sign_in(
        &self,
        tenant: Option<&Tenant>,
        remembered: Remembered,
        hint: Option<&str>,
        address: IpAddr,
    ) -> Begun {
        let shared = &self.shared;
        let of_tenant = match &remembered.purpose {
            Purpose::Presence(tid) => Some(*tid),
            Purpose::Consent(_) => None,
            Purpose::SignIn => match tenant.map(|tenant| self.connections_of(tenant)).as_deref() {
                Some([one]) => Some(one.tid),
                _ => None,
            },
        };
        let authority = of_tenant.map_or(Authority::Organizations, Authority::Tenant);
        let endpoints = shared.entra.endpoints(authority).await;
        let [offline, presence] = shared.entra.account_scopes();
        let user = shared.entra.graph_scope("User.Read");
        let (scopes, prompt) = match &remembered.purpose {
            Purpose::SignIn => (vec!["openid", "profile", &user], None),
            Purpose::Presence(_) => {
                (vec!["openid", "profile", &offline, &presence], Some(Prompt::SelectAccount))
            }
            Purpose::Consent(_) => (vec!["openid", "profile", &user], None),
        };
        let ask = AskSignIn {
            endpoints: &endpoints,
            client: shared.settings.client,
            redirect_uri: &self.redirect_uri(),
            scopes: &scopes,
            response_mode: ResponseMode::Query,
            prompt,
            login_hint: hint,
            domain_hint: None,
            claims: None,
        };
        let now = unix_now();
        let (location, pending) = shared.entra.with_random(|random| ask.begin(now, random));
        let state = pending.state().clone();
        lock(&shared.sign_ins).insert(address, pending, remembered, now);
        Begun { location, state }
    }

    /// Ends a sign-in with the query that the browser came back with, and the states in its cookies.
    ///
    /// # Errors
    ///
    /// See [`SignInFault`].
    pub async fn finish_sign_in(
        &self,
        query: &str,
        states: &[Secret],
        label: String,
    ) -> Result<Finished, SignInFault> {
        let callback = Callback::parse(query)?;
        if !states.contains(&callback.state) {
            return Err(SignInFault::OtherBrowser);
        }
        let redeemed = lock(&self.shared.sign_ins).redeem(callback, unix_now());
        let (redemption, Remembered { purpose, back }) = redeemed.map_err(|(fault, _)| fault)?;
        let grant = self.shared.entra.redeem(&redemption).await?;
        let user = self.signed_in(&redemption, grant.id_token.as_ref()).await?;
        match purpose {
            Purpose::SignIn => {
                let tokens = self.let_in(&user, &grant.access_token, SignIn::Entra, label).await?;
                Ok(Finished::SignedIn { tokens: Box::new(tokens), back })
            }
            Purpose::Presence(tid) => {
                if user.tenant != tid {
                    return Err(SignInFault::OtherTenant);
                }
                let refresh = grant.refresh_token.ok_or(SignInFault::Missing("refresh token"))?;
                self.connect_account(tid, &user, &refresh).await?;
                Ok(Finished::PresenceConnected { back })
            }
            Purpose::Consent(name) => {
                let progress = self.administrator_signed_in(&name, user, &grant.access_token).await?;
                Ok(Finished::Consented { progress, back })
            }
        }
    }

    /// Lets somebody in by the token that Teams gave to the tab.
    ///
    /// # Errors
    ///
    /// See [`SignInFault`]; with claims, if the person has to do more.
    pub async fn sign_in_by_tab(&self, token: &Secret, label: String) -> Result<Tokens, SignInFault> {
        let checked = self.shared.entra.check(token, |tid| self.owner(tid).is_some()).await?;
        let ApiToken::User(user) = checked else { return Err(SignInFault::NotAPerson) };
        let needs_graph = user.groups == Groups::Overage && self.maps_groups(user.tenant);
        let of_graph = match needs_graph {
            true => Some(self.shared.entra.on_behalf_of(user.tenant, user.user, token).await?),
            false => None,
        };
        let nothing = Secret::new("");
        let let_in = self.let_in(&user, of_graph.as_ref().unwrap_or(&nothing), SignIn::Teams, label).await;
        if let (Err(SignInFault::Demanded { .. } | SignInFault::Groups(_)), Some(refused)) =
            (&let_in, &of_graph)
        {
            self.shared.entra.person_token_refused(user.tenant, user.user, token, refused);
        }
        let_in
    }

    /// Where Entra ID sends browsers back to.
    pub fn redirect_uri(&self) -> String {
        self.shared.public.at(CALLBACK)
    }

    async fn signed_in(
        &self,
        redemption: &Redemption,
        id_token: Option<&Secret>,
    ) -> Result<UserToken, SignInFault> {
        let id_token = id_token.ok_or(SignInFault::Missing("id token"))?;
        Ok(self.shared.entra.check_sign_in(id_token, &redemption.nonce).await?)
    }

    fn maps_groups(&self, tid: EntraTenantId) -> bool {
        let tenant = self.owner(tid);
        tenant.is_some_and(|tenant| {
            self.shared.identity.group_roles(&tenant).is_some_and(|groups| !groups.is_empty())
        })
    }

    /// Makes a believed token a login: finds or makes the person, by what Entra says they are.
    async fn let_in(
        &self,
        user: &UserToken,
        graph_token: &Secret,
        how: SignIn,
        label: String,
    ) -> Result<Tokens, SignInFault> {
        let tenant = self.owner(user.tenant);
        let roles = AppRoles::read(user.roles.iter().map(String::as_str));
        if !roles.unknown.is_empty() {
            tracing::warn!(
                entra.tenant = %user.tenant, values = ?roles.unknown,
                "app roles of these values mean nothing here; use Agent, Expert, Supervisor, Administrator, Operator"
            );
        }
        let mapped = self.maps_groups(user.tenant);
        let groups = match &user.groups {
            Groups::Listed(groups) => groups.clone(),
            Groups::Overage if mapped => self.groups_of(user, graph_token).await?,
            Groups::None | Groups::Overage => Vec::new(),
        };
        let groups: Vec<Guid> = groups.iter().filter_map(|group| group.to_string().parse().ok()).collect();
        let (tid, oid) = (guid(user.tenant.to_string())?, guid(user.user.to_string())?);
        let (name, principal) = (user.name.clone(), user.preferred_username.clone());
        let (microsoft, entra_tenant) = (self.clone(), user.tenant);
        let signed_in = self.shared.identity.change(move |identity| {
            let mapping = tenant.as_ref().and_then(|tenant| identity.group_roles(tenant)).unwrap_or_default();
            let told = mapping.told(&roles.roles, groups);
            let user = EntraUser {
                tenant: tenant.as_ref(),
                tid,
                oid,
                principal_name: principal.as_deref(),
                name: name.as_deref().or(principal.as_deref()).unwrap_or_default(),
                told,
            };
            let now = identity::now();
            let person = identity.provision(&user, now)?;
            // Graph may have taken its time, and the Entra tenant may have been disconnected meanwhile.
            identity.sign_in_if(&person, how, &label, now, || {
                let is_owned = microsoft.owner(entra_tenant) == tenant;
                is_owned.then_some(()).ok_or(IdentityFault::NotOnboarded { tid: entra_tenant.to_string() })
            })
        });
        Ok(signed_in.await?)
    }

    /// Asks Graph in the person's own name, where there are more groups than a token holds.
    async fn groups_of(&self, user: &UserToken, token: &Secret) -> Result<Vec<ObjectId>, SignInFault> {
        #[derive(Deserialize)]
        struct Answer {
            value: Vec<String>,
        }
        let Some(connection) = self.connection(user.tenant) else { return Ok(Vec::new()) };
        let path = format!("/users/{}/getMemberObjects", user.user);
        let mut call = Call::post(Operation::ReadMembers, Caller::Account(user.user), path);
        call.body = br#"{"securityEnabledOnly":false}"#.to_vec();
        let answer = connection.graph.send_as(&call, token).await;
        if let Some(claims) = answer.as_ref().ok().and_then(claims_demanded) {
            return Err(SignInFault::Demanded { claims });
        }
        let read = Fault::read(Operation::ReadMembers, &answer, |response| {
            serde_json::from_slice::<Answer>(&response.body).ok()
        });
        let objects = read.map_err(SignInFault::Groups)?.value;
        let objects: BTreeSet<ObjectId> = objects.iter().filter_map(|id| id.parse().ok()).collect();
        Ok(objects.into_iter().take(GROUPS_MAX).collect())
    }
}

impl SignInFault {
    /// The stable word for records and programs.
    pub fn code(&self) -> &'static str {
        match self {
            SignInFault::Callback(fault) => fault.code(),
            SignInFault::OtherBrowser => "sign_in_other_browser",
            SignInFault::Refused(refusal) => refusal.reason.code(),
            SignInFault::Token(fault) => fault.code(),
            SignInFault::Missing(_) => "sign_in_incomplete",
            SignInFault::NotAPerson => "sign_in_not_a_person",
            SignInFault::Groups(_) => "sign_in_groups_unknown",
            SignInFault::Demanded { .. } => "sign_in_again",
            SignInFault::OtherTenant => "sign_in_other_tenant",
            SignInFault::Identity(fault) => match fault {
                IdentityFault::NoRole { .. } => "no_role",
                IdentityFault::NotOnboarded { .. } => "not_onboarded",
                IdentityFault::OfAnotherTenant => "of_another_tenant",
                IdentityFault::Login(_) => "may_not_sign_in",
                _ => "sign_in_failed",
            },
            SignInFault::Onboarding(fault) => fault.code(),
        }
    }

    /// What can be done about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            SignInFault::Callback(fault) => fault.remedy(),
            SignInFault::OtherBrowser => {
                "Start signing in again, in one browser, and let it keep cookies of this site."
            }
            SignInFault::Refused(refusal) => refusal.reason.remedy(),
            SignInFault::Token(fault) => fault.remedy(),
            SignInFault::Missing(_) => {
                "Sign in again; if it stays so, check that the app registration permits openid and offline_access."
            }
            SignInFault::NotAPerson => "Sign in as a person; programs use API keys.",
            SignInFault::Groups(fault) => fault.remedy(),
            SignInFault::Demanded { .. } => {
                "Sign in again: something changed since, such as the password or where you are."
            }
            SignInFault::OtherTenant => "Sign in with an account of the Entra tenant that is to be watched.",
            SignInFault::Identity(fault) => match fault {
                IdentityFault::NoRole { .. } => {
                    "Ask an administrator for a role: an app role in Entra ID, a mapped group, or one assigned in Tandem."
                }
                IdentityFault::NotOnboarded { .. } => {
                    "Ask whoever runs Tandem to connect your organisation: its administrator consents once."
                }
                IdentityFault::OfAnotherTenant => {
                    "Ask whoever runs Tandem: this account is known to another customer."
                }
                IdentityFault::Login(_) => "Ask an administrator: the person may not sign in.",
                _ => "Try again; whoever runs Tandem finds the reason in the log.",
            },
            SignInFault::Onboarding(fault) => fault.remedy(),
        }
    }

    /// The claims to sign in with again, where Entra ID demands more of the person.
    pub fn claims(&self) -> Option<&str> {
        match self {
            SignInFault::Refused(refusal) | SignInFault::Callback(CallbackFault::Refused(refusal)) => {
                refusal.reason.claims()
            }
            SignInFault::Demanded { claims } => Some(claims),
            _ => None,
        }
    }

    /// Whether it is the person's to do something, rather than a sign that somebody tries things.
    pub fn blame(&self) -> Blame {
        match self {
            SignInFault::Callback(fault) => fault.blame(),
            SignInFault::Refused(refusal) => refusal.reason.blame(),
            SignInFault::Token(fault) => fault.blame(),
            SignInFault::OtherBrowser | SignInFault::NotAPerson => Blame::Sender,
            SignInFault::Missing(_) | SignInFault::Groups(_) | SignInFault::Identity(_) => {
                Blame::Administrator
            }
            SignInFault::Demanded { .. } | SignInFault::OtherTenant | SignInFault::Onboarding(_) => {
                Blame::Person
            }
        }
    }
}

fn guid(text: String) -> Result<Guid, SignInFault> {
    text.parse().map_err(|_| SignInFault::Token(TokenFault::Claim("oid")))
}

/// The path to which Entra ID sends browsers back.
pub const CALLBACK: &str = "/auth/entra/callback";

/// Groups of a person that are looked at.
const GROUPS_MAX: usize = 10_000;
