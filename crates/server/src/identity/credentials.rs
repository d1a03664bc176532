//! With what people prove who they are, where Tandem itself asks: passwords, passkeys, invitations.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use tandem_people::caller::{Caller, Who};
use tandem_people::id::PersonId;
use tandem_people::login::Ending;
use tandem_people::moment::UnixMillis;
use tandem_people::password::{self, GoodPassword, KeptPassword, Verdict};
use tandem_people::person::{Identity as Known, Person, UserName};
use tandem_people::scope::Scope;
use tandem_people::secret::{Secret, SecretHash};
use tandem_store::register::CredentialRow;

use super::fault::IdentityFault;
use super::rows;
use super::{Identity, of};

/// Something with which a person proves who they are, as they see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// What it is.
    pub kind: CredentialKind,
    /// Its id, among those of its kind.
    pub id: String,
    /// What its owner calls it.
    pub label: String,
    /// When it was made.
    pub created: UnixMillis,
    /// When it was used last.
    pub used: Option<UnixMillis>,
}

/// What a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A password.
    Password,
    /// A passkey.
    Passkey,
    /// An invitation that was not taken yet.
    Invitation,
}

impl CredentialKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            CredentialKind::Password => "password",
            CredentialKind::Passkey => "passkey",
            CredentialKind::Invitation => "invitation",
        }
    }

    fn of(text: &str) -> Option<CredentialKind> {
        [CredentialKind::Password, CredentialKind::Passkey, CredentialKind::Invitation]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl Credential {
    /// Whether it lets somebody in by itself.
    pub(super) fn lets_in(&self) -> bool {
        self.kind != CredentialKind::Invitation
    }
}

impl Identity {
    /// What a person has to prove who they are. No secret is in it.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub fn credentials(&self, scope: &Scope, person: &PersonId) -> Result<Vec<Credential>, IdentityFault> {
        let rows = self.shared.register.credentials(of(scope)?, person.as_str())?;
        let shown = rows.into_iter().filter_map(|row| {
            Some(Credential {
                kind: CredentialKind::of(&row.kind)?,
                id: row.id,
                label: row.label,
                created: rows::moment(row.created_ms),
                used: row.used_ms.map(rows::moment),
            })
        });
        Ok(shown.collect())
    }

    /// Changes one's own password. Other logins end: whoever knew the old one is out.
    ///
    /// # Errors
    ///
    /// The present password is wrong, the new one not good enough; the person has no user name.
    pub async fn password_change(
        &self,
        caller: Arc<Caller>,
        current: Option<Secret>,
        new: Secret,
    ) -> Result<(), IdentityFault> {
        let _turn = self.shared.hashing.acquire().await.map_err(|_| IdentityFault::Ending)?;
        self.change(move |identity| {
            identity.password_change_now(&caller, current.as_ref(), new, super::now())
        })
        .await
    }

    fn password_change_now(
        &self,
        caller: &Caller,
        current: Option<&Secret>,
        new: Secret,
        now: UnixMillis,
    ) -> Result<(), IdentityFault> {
        let Who::Person { person: id, login } = caller.who() else { return Err(IdentityFault::NoPerson) };
        let person = self.person(caller.scope(), id)?.ok_or(IdentityFault::Unknown("person"))?;
        // Whoever holds somebody's access token for a moment does not guess the password with it.
        let account = format!("person {id}");
        // Counted for the person alone: no address is held up by it.
        let mut apart = [0; 16];
        apart.iter_mut().zip(SecretHash::of(&account).as_bytes()).for_each(|(byte, of)| *byte = *of);
        let address = IpAddr::V6(Ipv6Addr::from(apart));
        self.state().attempts.may_try(now, &account, address)?;
        let kept = self.kept_password(&person.scope, &person.id)?;
        if kept.is_some() {
            let right = current.is_some_and(|current| {
                matches!(password::check(kept.as_ref(), current), Verdict::Right { .. })
            });
            if !right {
                self.in_state(|state| state.attempts.failed(now, &account, address));
                return Err(IdentityFault::WrongCredential);
            }
        }
        self.password_set(&person, new, now)?;
        self.logins_revoke(&person.id, login.as_ref(), Ending::CredentialChanged, now).map(drop)
    }

    /// Removes a credential of a person.
    ///
    /// # Errors
    ///
    /// There is none of this id; the disk failed.
    pub fn credential_remove(
        &self,
        scope: &Scope,
        person: &PersonId,
        kind: CredentialKind,
        id: &str,
    ) -> Result<(), IdentityFault> {
        match self.shared.register.credential_remove(of(scope)?, person.as_str(), kind.as_str(), id)? {
            true => Ok(()),
            false => Err(IdentityFault::Unknown("credential")),
        }
    }

    /// Removes every password and passkey of a person.
    pub(super) fn forget_credentials(&self, person: &Person) -> Result<(), IdentityFault> {
        let _order = self.order();
        for credential in self.credentials(&person.scope, &person.id)? {
            self.credential_remove(&person.scope, &person.id, credential.kind, &credential.id)?;
        }
        Ok(())
    }

    pub(super) fn password_set(
        &self,
        person: &Person,
        new: Secret,
        now: UnixMillis,
    ) -> Result<(), IdentityFault> {
        let user_name = local_name(person).ok_or(IdentityFault::NoUserName)?;
        let good = GoodPassword::new(new, &user_name)?;
        self.password_keep(person, &good, now)
    }

    pub(super) fn password_keep(
        &self,
        person: &Person,
        good: &GoodPassword,
        now: UnixMillis,
    ) -> Result<(), IdentityFault> {
        let hash = KeptPassword::of(good, &self.random())?;
        self.put_if_configured(person, now)?;
        let row = CredentialRow {
            kind: CredentialKind::Password.as_str().to_owned(),
            id: person.id.to_string(),
            data: hash.as_str().as_bytes().to_vec(),
            label: String::new(),
            created_ms: rows::millis(now),
            used_ms: None,
        };
        Ok(self.shared.register.credential_put(of(&person.scope)?, person.id.as_str(), &row)?)
    }

    pub(super) fn kept_password(
        &self,
        scope: &Scope,
        person: &PersonId,
    ) -> Result<Option<KeptPassword>, IdentityFault> {
        let rows = self.shared.register.credentials(of(scope)?, person.as_str())?;
        let row = rows.into_iter().find(|row| row.kind == CredentialKind::Password.as_str());
        Ok(row.and_then(|row| KeptPassword::read(std::str::from_utf8(&row.data).ok()?).ok()))
    }
}

/// The name with which a person signs in locally.
pub fn local_name(person: &Person) -> Option<UserName> {
    person.identities.iter().find_map(|known| match known {
        Known::Local { user_name } => Some(user_name.clone()),
        Known::Entra { .. } => None,
    })
}
