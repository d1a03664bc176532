//! Passkeys: made by whoever has signed in or comes in for the first time, and used to sign in.

use std::net::IpAddr;

use tandem_people::caller::{Caller, Who};
use tandem_people::id::PersonId;
use tandem_people::login::{Ending, SignIn};
use tandem_people::moment::UnixMillis;
use tandem_people::passkey::{
    AuthenticationResponse, CreationOptions, ForWhom, Passkey, PasskeyFault, RegistrationResponse,
    RelyingParty, RequestOptions,
};
use tandem_people::person::Person;
use tandem_people::scope::Scope;
use tandem_store::register::CredentialRow;

use super::credentials::{CredentialKind, local_name};
use super::entrance::Tokens;
use super::fault::IdentityFault;
use super::rows::{self, people_scope};
use super::{Identity, of};

impl Identity {
    /// Asks a browser at this address for a passkey, whosever it is.
    ///
    /// # Errors
    ///
    /// There is no local sign-in here.
    pub fn passkey_ask(
        &self,
        site: &RelyingParty,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<RequestOptions, IdentityFault> {
        self.local_is_on()?;
        let random = self.random();
        Ok(self.in_state(|state| {
            state.ceremonies.begin_authentication(now, address, site, ForWhom::Anybody, &random)
        }))
    }

    /// Lets somebody in by what the browser answered.
    ///
    /// # Errors
    ///
    /// [`IdentityFault::Passkey`]; the person may not sign in; the disk failed.
    pub fn sign_in_by_passkey(
        &self,
        site: &RelyingParty,
        answer: &[u8],
        address: IpAddr,
        label: &str,
        now: UnixMillis,
    ) -> Result<Tokens, IdentityFault> {
        self.local_is_on()?;
        let response = AuthenticationResponse::read(answer)?;
        // Until the login is open nobody removes the passkey, and no other answer of it is counted.
        let _order = self.order();
        let id = response.id().to_string();
        let found = self.shared.register.credential_by_id(CredentialKind::Passkey.as_str(), &id)?;
        let known = found.as_ref().and_then(|(_, _, row)| serde_json::from_slice::<Passkey>(&row.data).ok());
        let finished = self
            .in_state(|state| state.ceremonies.finish_authentication(now, site, &response, known.as_ref()));
        let used = match finished {
            Ok(authenticated) => authenticated.passkey,
            Err(fault) => {
                let address = address.to_string();
                self.audit_stranger(now, "login.open", "", fault.code(), &address);
                return Err(fault.into());
            }
        };
        let (scope, _, row) = found.ok_or(PasskeyFault::Unknown)?;
        let person = self.person(&people_scope(&scope), &used.person)?.ok_or(PasskeyFault::Unknown)?;
        self.passkey_keep(&person, &used, &row.label)?;
        self.open_login(&person, SignIn::Passkey, label, now)
    }

    /// Removes a passkey of the caller. All other logins of theirs end: whoever had it is out.
    ///
    /// # Errors
    ///
    /// The caller is no person, or has no such passkey; the disk failed.
    pub fn passkey_remove(&self, caller: &Caller, id: &str, now: UnixMillis) -> Result<(), IdentityFault> {
        let Who::Person { person, login } = caller.who() else { return Err(IdentityFault::NoPerson) };
        {
            let _order = self.order();
            self.credential_remove(caller.scope(), person, CredentialKind::Passkey, id)?;
        }
        self.logins_revoke(person, login.as_ref(), Ending::CredentialChanged, now).map(drop)
    }

    /// Asks the browser of somebody who has signed in to make a passkey.
    ///
    /// # Errors
    ///
    /// The caller is no person; there is no local sign-in here.
    pub fn passkey_begin(
        &self,
        caller: &Caller,
        site: &RelyingParty,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<CreationOptions, IdentityFault> {
        let person = self.own(caller)?;
        self.passkey_begin_for(&person, site, address, now)
    }

    /// Keeps the passkey that the browser made, under the name that its owner gives it.
    ///
    /// # Errors
    ///
    /// [`IdentityFault::Passkey`]; the person has as many as may be; the disk failed.
    pub fn passkey_finish(
        &self,
        caller: &Caller,
        site: &RelyingParty,
        answer: &[u8],
        label: &str,
        now: UnixMillis,
    ) -> Result<Passkey, IdentityFault> {
        let person = self.own(caller)?;
        let made = self.passkey_made_by(&person, site, answer, now)?;
        self.put_if_configured(&person, now)?;
        self.passkey_keep(&person, &made, label)?;
        Ok(made)
    }

    /// Asks a browser to make a passkey for a person, who need not be kept yet.
    pub(super) fn passkey_begin_for(
        &self,
        person: &Person,
        site: &RelyingParty,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<CreationOptions, IdentityFault> {
        self.local_is_on()?;
        let known = self.passkeys(&person.scope, &person.id)?;
        let known: Vec<&Passkey> = known.iter().collect();
        let name = local_name(person).map_or_else(|| person.name.to_string(), |name| name.to_string());
        let random = self.random();
        Ok(self.in_state(|state| {
            state.ceremonies.begin_registration(now, address, site, person, &name, &known, &random)
        }))
    }

    /// The passkey that a browser made for a person, if all is well with it. It is not kept yet.
    pub(super) fn passkey_made_by(
        &self,
        person: &Person,
        site: &RelyingParty,
        answer: &[u8],
        now: UnixMillis,
    ) -> Result<Passkey, IdentityFault> {
        self.local_is_on()?;
        let response = RegistrationResponse::read(answer)?;
        let made =
            self.in_state(|state| state.ceremonies.finish_registration(now, site, &person.id, &response))?;
        Ok(made)
    }

    pub(super) fn passkey_keep(
        &self,
        person: &Person,
        passkey: &Passkey,
        label: &str,
    ) -> Result<(), IdentityFault> {
        let row = CredentialRow {
            kind: CredentialKind::Passkey.as_str().to_owned(),
            id: passkey.id.to_string(),
            data: serde_json::to_vec(passkey).unwrap_or_default(),
            label: label.chars().take(LABEL_CHARS_MAX).collect(),
            created_ms: rows::millis(passkey.created),
            used_ms: passkey.used.map(rows::millis),
        };
        Ok(self.shared.register.credential_put(of(&person.scope)?, person.id.as_str(), &row)?)
    }

    fn passkeys(&self, scope: &Scope, person: &PersonId) -> Result<Vec<Passkey>, IdentityFault> {
        let rows = self.shared.register.credentials(of(scope)?, person.as_str())?;
        let passkeys = rows.iter().filter(|row| row.kind == CredentialKind::Passkey.as_str());
        Ok(passkeys.filter_map(|row| serde_json::from_slice(&row.data).ok()).collect())
    }

    fn own(&self, caller: &Caller) -> Result<Person, IdentityFault> {
        let Who::Person { person, .. } = caller.who() else { return Err(IdentityFault::NoPerson) };
        self.person(caller.scope(), person)?.ok_or(IdentityFault::Unknown("person"))
    }

    fn local_is_on(&self) -> Result<(), IdentityFault> {
        if self.in_force().settings.local { Ok(()) } else { Err(IdentityFault::LocalOff) }
    }
}

/// Longest name that a person gives a passkey; what is longer is cut.
const LABEL_CHARS_MAX: usize = 64;
