//! The ways in: Entra, passwords, the one click of a demo; and staying in. The first time is in `first_time`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tandem_people::audit::Entry;
use tandem_people::caller::{Caller, Who};
use tandem_people::id::{LoginId, PersonId};
use tandem_people::login::{Ending, OpenFault, RenewFault, SignIn};
use tandem_people::moment::UnixMillis;
use tandem_people::password::{self, GoodPassword, Verdict};
use tandem_people::permission::Grants;
use tandem_people::person::{GroupRoles, Guid, Identity as Known, Person, UserName};
use tandem_people::role::EffectiveRole;
use tandem_people::scope::Scope;
use tandem_people::secret::{Secret, SecretHash};
use tandem_store::Tenant;
use tandem_store::register::CredentialRow;

use super::credentials::CredentialKind;
use super::fault::IdentityFault;
use super::rows::{self, people_scope};
use super::{Identity, of};

/// What somebody who signed in holds.
#[derive(Debug)]
pub struct Tokens {
    /// Who it is.
    pub caller: Arc<Caller>,
    /// The login.
    pub login: LoginId,
    /// Goes with each request.
    pub access: Secret,
    /// For how long it is good.
    pub access_for: Duration,
    /// Buys the next access token; `None` if another tab was first and has it.
    pub refresh: Option<Secret>,
    /// For how long the login can last.
    pub refresh_for: Duration,
}

/// Somebody whom Entra told.
#[derive(Clone, Debug)]
pub struct EntraUser<'a> {
    /// The tenant to which the Entra tenant belongs; `None` if it is not connected, then only operators are let in.
    pub tenant: Option<&'a Tenant>,
    /// The claim `tid`.
    pub tid: Guid,
    /// The claim `oid`.
    pub oid: Guid,
    /// The claim `preferred_username` or `upn`: only to find somebody whom the configuration names so.
    pub principal_name: Option<&'a str>,
    /// The claim `name`.
    pub name: &'a str,
    /// What app roles and groups make of them: [`Identity::group_roles`].
    pub told: BTreeSet<EffectiveRole>,
}

/// A way in that works once.
#[derive(Debug)]
pub struct Invitation {
    /// What stands in the link.
    pub code: Secret,
    /// Until when it is good.
    pub until: UnixMillis,
}

impl Identity {
    /// Which groups of Entra make which roles in a tenant.
    pub fn group_roles(&self, tenant: &Tenant) -> Option<GroupRoles> {
        self.in_force().settings.tenants.get(tenant).map(|configured| configured.groups.clone())
    }

    /// Finds the person whom Entra told, or makes one, if some role says what they are here.
    ///
    /// # Errors
    ///
    /// [`IdentityFault::NoRole`], [`IdentityFault::NotOnboarded`], [`IdentityFault::OfAnotherTenant`]; the register
    /// failed.
    pub fn provision(&self, user: &EntraUser<'_>, now: UnixMillis) -> Result<Person, IdentityFault> {
        let _order = self.order();
        let known = Known::Entra { tenant: user.tid.clone(), user: user.oid.clone() };
        let found = match self.person_known_as(&known)? {
            Some(person) => Some(person),
            None => self.named_in_configuration(user, &known)?,
        };
        let scope = user.tenant.map(|tenant| Scope::tenant(tenant.as_str()));
        let person = match found {
            Some(person) if person.scope == Scope::Installation || Some(&person.scope) == scope.as_ref() => {
                person
            }
            Some(_) => return Err(IdentityFault::OfAnotherTenant),
            None => Person {
                id: PersonId::from_random(self.random()),
                scope: scope.ok_or_else(|| IdentityFault::NotOnboarded { tid: user.tid.to_string() })?,
                name: "".into(),
                identities: vec![known],
                assigned: BTreeSet::new(),
                told: BTreeSet::new(),
                guest: BTreeMap::new(),
                agent: None,
                enabled: true,
                created: now,
            },
        };
        self.told(person, user, now)
    }

    /// Opens a login for somebody who proved who they are. `label` is how they will know it again.
    ///
    /// What they may do is read again here: what was read before they proved it may be over.
    ///
    /// # Errors
    ///
    /// The person may not sign in, or is gone; there are too many logins; the disk failed.
    pub fn sign_in(
        &self,
        person: &Person,
        how: SignIn,
        label: &str,
        now: UnixMillis,
    ) -> Result<Tokens, IdentityFault> {
        self.sign_in_if(person, how, label, now, || Ok(()))
    }

    /// The same, if what they proved it by still holds when nothing can change any more before the login is open.
    ///
    /// # Errors
    ///
    /// As [`Identity::sign_in`]; what `holds` answers with.
    pub fn sign_in_if(
        &self,
        person: &Person,
        how: SignIn,
        label: &str,
        now: UnixMillis,
        holds: impl FnOnce() -> Result<(), IdentityFault>,
    ) -> Result<Tokens, IdentityFault> {
        let _order = self.order();
        holds()?;
        self.open_login(person, how, label, now)
    }

    /// Opens the login; `order` is held.
    pub(super) fn open_login(
        &self,
        person: &Person,
        how: SignIn,
        label: &str,
        now: UnixMillis,
    ) -> Result<Tokens, IdentityFault> {
        let person = self.person(&person.scope, &person.id)?.ok_or(IdentityFault::WrongCredential)?;
        self.put_if_configured(&person, now)?;
        let random = self.random();
        let opened = self.in_state(|state| state.logins.open(now, &person, how, label, &random));
        let opened = opened.inspect_err(|fault| {
            if *fault == OpenFault::Disabled {
                self.audit(login_entry(now, &person, None, how, "login.open").refused("disabled"));
            }
        })?;
        let mut written = self.write_changes();
        if matches!(written, Err(IdentityFault::Full(_))) {
            // Logins that ended are kept to be seen; they keep nobody out.
            self.shared.register.logins_prune(rows::millis(now))?;
            written = self.write_login(&opened.id);
        }
        if let Err(fault) = written {
            self.in_state(|state| state.logins.revoke(now, &opened.id, Ending::Revoked));
            self.write_later();
            return Err(fault);
        }
        self.audit(login_entry(now, &person, Some(&opened.id), how, "login.open"));
        Ok(Tokens {
            caller: opened.caller,
            login: opened.id,
            access: opened.access,
            access_for: opened.access_until.since(now),
            refresh: Some(opened.refresh),
            refresh_for: opened.refresh_until.since(now),
        })
    }

    /// Lets somebody in by name and password. A few at a time: each check takes memory.
    ///
    /// # Errors
    ///
    /// [`IdentityFault::WrongCredential`], whatever was wrong; [`IdentityFault::Wait`] after too many of them.
    pub async fn sign_in_by_password(
        &self,
        user_name: String,
        password: Secret,
        address: IpAddr,
        label: String,
    ) -> Result<Tokens, IdentityFault> {
        // Whoever has to wait does so without a place in the queue of those who may try.
        self.state().attempts.may_try(super::now(), &user_name, address)?;
        let _turn = self.shared.hashing.acquire().await.map_err(|_| IdentityFault::Ending)?;
        self.change(move |identity| {
            identity.check_password(&user_name, &password, address, &label, super::now())
        })
        .await
    }

    /// Makes a link with which a person sets a password or a passkey. One that was made before is worthless then.
    ///
    /// # Errors
    ///
    /// There is no such person, or one without a user name; the caller could not give their roles; the disk failed.
    pub fn invite(
        &self,
        caller: &Caller,
        scope: &Scope,
        id: &PersonId,
        now: UnixMillis,
    ) -> Result<Invitation, IdentityFault> {
        let person = self.person(scope, id)?.ok_or(IdentityFault::Unknown("person"))?;
        // Whoever has the link has the person's rights, everywhere: it is as if the roles were given.
        for held in person.effective() {
            caller.may_assign(held.role, scope, id)?;
        }
        for (tenant, roles) in &person.guest {
            for role in roles {
                caller.may_assign(*role, &Scope::Tenant(tenant.clone()), id)?;
            }
        }
        super::credentials::local_name(&person).ok_or(IdentityFault::NoUserName)?;
        if !self.in_force().settings.local {
            return Err(IdentityFault::LocalOff);
        }
        self.put_if_configured(&person, now)?;
        self.forget_invitations(&person)?;
        let bytes: [u8; 32] = self.random();
        let code = Secret::new(hex(&bytes));
        let until = now + INVITATION_GOOD_FOR;
        let row = CredentialRow {
            kind: CredentialKind::Invitation.as_str().to_owned(),
            id: hex(SecretHash::of(code.expose()).as_bytes()),
            data: until.as_millis().to_be_bytes().to_vec(),
            label: String::new(),
            created_ms: rows::millis(now),
            used_ms: None,
        };
        self.shared.register.credential_put(of(scope)?, id.as_str(), &row)?;
        for tenant in person.guest.keys() {
            let object = format!("person/{id}");
            let entry = Entry::new(now, caller, Scope::Tenant(tenant.clone()), "guest.invite", &object);
            self.audit(entry.with("name", &person.name));
        }
        Ok(Invitation { code, until })
    }

    /// Who was invited by a link.
    ///
    /// # Errors
    ///
    /// [`IdentityFault::WrongCredential`]: it is not known, was used, or its time is over.
    pub fn invited(&self, code: &str, now: UnixMillis) -> Result<Person, IdentityFault> {
        let id = hex(SecretHash::of(code).as_bytes());
        let found = self.shared.register.credential_by_id(CredentialKind::Invitation.as_str(), &id)?;
        let (scope, person, row) = found.ok_or(IdentityFault::WrongCredential)?;
        let until = row.data.as_slice().try_into().map(u64::from_be_bytes).unwrap_or_default();
        let person: PersonId = person.parse().map_err(|_| IdentityFault::WrongCredential)?;
        if UnixMillis::from_millis(until) <= now {
            return Err(IdentityFault::WrongCredential);
        }
        self.person(&people_scope(&scope), &person)?.ok_or(IdentityFault::WrongCredential)
    }

    /// Uses an invitation up: of two who come at once with the same link, one.
    ///
    /// # Errors
    ///
    /// [`IdentityFault::WrongCredential`]: somebody else has it; the disk failed.
    pub(super) fn invitation_take(&self, person: &Person, code: &str) -> Result<(), IdentityFault> {
        let id = hex(SecretHash::of(code).as_bytes());
        let taken = self.credential_remove(&person.scope, &person.id, CredentialKind::Invitation, &id);
        taken.map_err(|fault| match fault {
            IdentityFault::Unknown(_) => IdentityFault::WrongCredential,
            fault => fault,
        })?;
        self.forget_invitations(person)
    }

    /// Lets somebody in with one click: only whom the configuration of a demo names.
    ///
    /// # Errors
    ///
    /// [`IdentityFault::WrongCredential`] for anybody else.
    pub fn sign_in_by_click(
        &self,
        user_name: &UserName,
        address: IpAddr,
        label: &str,
        now: UnixMillis,
    ) -> Result<Tokens, IdentityFault> {
        let named = self.in_force().settings.one_click.iter().any(|one| one.user_name == *user_name);
        let person = self.person_known_as(&Known::Local { user_name: user_name.clone() })?;
        let Some(person) = person.filter(|_| named) else {
            self.audit_stranger(now, "login.open", "", "wrong_credential", &address.to_string());
            return Err(IdentityFault::WrongCredential);
        };
        self.sign_in(&person, SignIn::Demo, label, now)
    }

    /// The people who sign in with one click.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub fn one_click_people(&self) -> Result<Vec<(UserName, Person)>, IdentityFault> {
        let mut people = Vec::new();
        for one in &self.in_force().settings.one_click {
            let known = Known::Local { user_name: one.user_name.clone() };
            people.extend(self.person_known_as(&known)?.map(|person| (one.user_name.clone(), person)));
        }
        Ok(people)
    }

    /// Gives the next access token for a refresh secret.
    ///
    /// # Errors
    ///
    /// [`IdentityFault::Renew`]; the disk failed, and then the next try may end the login.
    pub fn refresh(&self, refresh: &Secret, now: UnixMillis) -> Result<Tokens, IdentityFault> {
        let _order = self.order();
        let random = self.random();
        let renewed = self.in_state(|state| state.logins.renew(now, refresh.expose(), &random));
        let written = self.write_changes();
        match renewed {
            Ok(renewed) => {
                written?;
                let over = self.state().logins.login(&renewed.id).map_or(now, |row| row.expires);
                Ok(Tokens {
                    caller: renewed.caller,
                    login: renewed.id,
                    access: renewed.access,
                    access_for: renewed.access_until.since(now),
                    refresh: renewed.refresh,
                    refresh_for: over.since(now),
                })
            }
            Err(RenewFault::Stolen { login }) => {
                self.audit_stolen(&login, now)?;
                Err(RenewFault::Stolen { login }.into())
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Ends the login by which a caller is known.
    ///
    /// # Errors
    ///
    /// The caller has none; the disk failed.
    pub fn sign_out(&self, caller: &Caller, now: UnixMillis) -> Result<(), IdentityFault> {
        match caller.who() {
            Who::Person { person, login: Some(login) } => {
                self.login_revoke(person, login, Ending::SignedOut, now)?;
                self.audit(Entry::new(
                    now,
                    caller,
                    caller.scope().clone(),
                    "login.close",
                    &format!("login/{login}"),
                ));
                Ok(())
            }
            _ => Err(IdentityFault::Unknown("login")),
        }
    }

    fn check_password(
        &self,
        user_name: &str,
        password: &Secret,
        address: IpAddr,
        label: &str,
        now: UnixMillis,
    ) -> Result<Tokens, IdentityFault> {
        if !self.in_force().settings.local {
            return Err(IdentityFault::LocalOff);
        }
        self.state().attempts.may_try(now, user_name, address)?;
        let person = match user_name.parse::<UserName>() {
            Ok(user_name) => self.person_known_as(&Known::Local { user_name })?,
            Err(_) => None,
        };
        let kept = match &person {
            Some(person) => self.kept_password(&person.scope, &person.id)?,
            None => None,
        };
        match (password::check(kept.as_ref(), password), person) {
            (Verdict::Right { hash_again }, Some(person)) => {
                self.in_state(|state| state.attempts.succeeded(user_name));
                self.sign_in_if(&person, SignIn::Password, label, now, || {
                    // It may have been changed while it was looked at, which takes its time.
                    if self.kept_password(&person.scope, &person.id)? != kept {
                        return Err(IdentityFault::WrongCredential);
                    }
                    match hash_again {
                        true => self.password_keep(&person, &GoodPassword::known(password.clone()), now),
                        false => Ok(()),
                    }
                })
            }
            (_, person) => {
                self.in_state(|state| state.attempts.failed(now, user_name, address));
                let address = address.to_string();
                match person {
                    Some(person) => {
                        let nobody = Caller::new(person.scope.clone(), Who::Unknown, Grants::NONE);
                        let object = format!("person/{}", person.id);
                        let entry = Entry::new(now, &nobody, person.scope, "login.open", &object);
                        self.audit(entry.refused("wrong_credential").with("address", &address));
                    }
                    None => self.audit_stranger(now, "login.open", "", "wrong_credential", &address),
                }
                Err(IdentityFault::WrongCredential)
            }
        }
    }

    /// Somebody whom the configuration knows by principal name, with the identity noted.
    fn named_in_configuration(
        &self,
        user: &EntraUser<'_>,
        known: &Known,
    ) -> Result<Option<Person>, IdentityFault> {
        let in_force = self.in_force();
        let mut all = in_force.roster.all();
        let Some((id, configured)) =
            all.find(|(_, person)| person.is_principal(&user.tid, user.principal_name))
        else {
            return Ok(None);
        };
        let mut person = self.person(&configured.scope, id)?.ok_or(IdentityFault::Unknown("person"))?;
        if person.identities.iter().any(|known| matches!(known, Known::Entra { .. })) {
            // The name belongs to another user now than the one who first came with it.
            return Ok(None);
        }
        person.identities.push(known.clone());
        Ok(Some(person))
    }

    /// Notes what Entra told now, and refuses whom nothing gives a role.
    fn told(
        &self,
        mut person: Person,
        user: &EntraUser<'_>,
        now: UnixMillis,
    ) -> Result<Person, IdentityFault> {
        let before = self.person(&person.scope, &person.id)?;
        let configured = self.is_configured(&person.scope, &person.id);
        let own = person
            .told
            .iter()
            .filter(|_| configured)
            .filter(|role| role.origin == tandem_people::role::Origin::Configuration);
        person.told = own.cloned().chain(user.told.iter().cloned()).collect();
        if !configured {
            person.name = shown_name(user).into();
        }
        let has_role = !person.effective().is_empty() || !person.guest.is_empty();
        if before.as_ref() != Some(&person) && (before.is_some() || has_role) {
            self.put(&person, now)?;
            self.audit_told(before.as_ref(), &person, now);
            self.in_state(|state| state.logins.person_changed(now, &person));
            self.write_changes()?;
            self.tell_change();
        }
        if has_role { Ok(person) } else { Err(IdentityFault::NoRole { name: shown_name(user).to_owned() }) }
    }

    /// What somebody may do changed by what Entra says, or they are here for the first time: it stands in the trail like what
    /// people change.
    fn audit_told(&self, before: Option<&Person>, after: &Person, now: UnixMillis) {
        let roles = |person: Option<&Person>| {
            let held: BTreeSet<String> =
                person.into_iter().flat_map(Person::effective).map(|held| held.role.to_string()).collect();
            held.into_iter().collect::<Vec<_>>().join(", ")
        };
        let (had, has) = (roles(before), roles(Some(after)));
        if before.is_some() && had == has {
            return;
        }
        let by = Caller::new(after.scope.clone(), Who::Tandem, Grants::NONE);
        let (act, object) = ("person.told", format!("person/{}", after.id));
        let entry = Entry::new(now, &by, after.scope.clone(), act, &object).with("name", &after.name);
        self.audit(entry.with("roles_before", &had).with("roles", &has));
    }

    fn write_login(&self, id: &LoginId) -> Result<(), IdentityFault> {
        let row = self.state().logins.login(id).cloned().ok_or(IdentityFault::Unknown("login"))?;
        let scope = of(&row.scope)?;
        Ok(self.shared.register.login_put(&scope, &rows::login_row(&row))?)
    }

    fn forget_invitations(&self, person: &Person) -> Result<(), IdentityFault> {
        for credential in self.credentials(&person.scope, &person.id)? {
            if credential.kind == CredentialKind::Invitation {
                self.credential_remove(
                    &person.scope,
                    &person.id,
                    CredentialKind::Invitation,
                    &credential.id,
                )?;
            }
        }
        Ok(())
    }

    fn audit_stolen(&self, login: &LoginId, now: UnixMillis) -> Result<(), IdentityFault> {
        if let Some((scope, row)) = self.shared.register.login_by_id(login.as_str())? {
            let scope = people_scope(&scope);
            let person = row.person.parse().map_err(|_| IdentityFault::Unknown("person"))?;
            let who = Who::Person { person, login: Some(login.clone()) };
            let caller = Caller::new(scope.clone(), who, Grants::NONE);
            let object = format!("login/{login}");
            self.audit(Entry::new(now, &caller, scope, "login.refresh", &object).refused("stolen"));
        }
        Ok(())
    }
}

fn login_entry(now: UnixMillis, person: &Person, login: Option<&LoginId>, how: SignIn, act: &str) -> Entry {
    let who = Who::Person { person: person.id.clone(), login: login.cloned() };
    let caller = Caller::new(person.scope.clone(), who, Grants::NONE);
    let object = login.map_or_else(String::new, |login| format!("login/{login}"));
    let how = serde_json::to_value(how).ok().and_then(|how| how.as_str().map(str::to_owned));
    Entry::new(now, &caller, person.scope.clone(), act, &object).with("how", &how.unwrap_or_default())
}

/// The name of a user, or what stands for one who has none.
fn shown_name<'a>(user: &EntraUser<'a>) -> &'a str {
    let cut = |text: &'a str| {
        let mut end = text.len().min(Person::NAME_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.get(..end).unwrap_or_default()
    };
    match (user.name.trim(), user.principal_name) {
        ("", Some(principal)) if !principal.trim().is_empty() => cut(principal.trim()),
        ("", _) => "?",
        (name, _) => cut(name),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How long an invitation is good.
const INVITATION_GOOD_FOR: Duration = Duration::from_secs(7 * 86_400);
