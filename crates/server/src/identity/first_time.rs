//! Coming in for the first time: by the code of the first start, or by an invitation. Whoever does says with what they sign in
//! from now on, a password or a passkey.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use tandem_people::audit::Entry;
use tandem_people::caller::{Caller, Who};
use tandem_people::id::PersonId;
use tandem_people::login::{Ending, SignIn};
use tandem_people::moment::UnixMillis;
use tandem_people::passkey::{CreationOptions, Passkey, RelyingParty};
use tandem_people::password::GoodPassword;
use tandem_people::permission::Grants;
use tandem_people::person::{Identity as Known, Person, UserName};
use tandem_people::role::Role;
use tandem_people::scope::Scope;
use tandem_people::secret::{Secret, SecretHash};
use tandem_people::setup::SetupFault;

use super::Identity;
use super::credentials::local_name;
use super::entrance::Tokens;
use super::fault::IdentityFault;

/// Who is the first one, by the code on the console.
#[derive(Clone, Debug)]
pub struct FirstPerson {
    /// The code.
    pub code: Secret,
    /// The name to sign in with; that of an operator of the configuration, or a new one.
    pub user_name: UserName,
    /// The name as it is shown.
    pub name: String,
}

/// With what somebody will sign in from now on.
#[derive(Debug)]
pub enum FirstCredential {
    /// A password.
    Password(Secret),
    /// A passkey that the browser has just made.
    Passkey {
        /// The site that the browser showed.
        site: RelyingParty,
        /// `RegistrationResponseJSON`.
        answer: Vec<u8>,
        /// What its owner calls it.
        label: String,
    },
}

/// A credential that is good, and not kept yet.
enum Good {
    Password(GoodPassword),
    Passkey(Passkey, String),
}

impl Identity {
    /// Asks the browser of the first person to make a passkey. The code stays good.
    ///
    /// # Errors
    ///
    /// The code is wrong, or the wish does not fit.
    pub fn set_up_passkey(
        &self,
        first: &FirstPerson,
        site: &RelyingParty,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<CreationOptions, IdentityFault> {
        let person = self.first_person(first, address, now)?;
        self.passkey_begin_for(&person, site, address, now)
    }

    /// Lets the first person in by the code that stands on the console: an operator, and administrator of a tenant who is
    /// alone. A user name of the configuration gets its credential.
    ///
    /// # Errors
    ///
    /// The code, the wish or the credential does not fit.
    pub async fn set_up(
        &self,
        first: FirstPerson,
        credential: FirstCredential,
        address: IpAddr,
        label: String,
    ) -> Result<Tokens, IdentityFault> {
        let _turn = self.shared.hashing.acquire().await.map_err(|_| IdentityFault::Ending)?;
        self.change(move |identity| identity.set_up_now(&first, credential, address, &label, super::now()))
            .await
    }

    /// Asks the browser of somebody who was invited to make a passkey. The invitation stays good.
    ///
    /// # Errors
    ///
    /// As [`Identity::invited`]; there is no local sign-in here.
    pub fn invitation_passkey(
        &self,
        code: &str,
        site: &RelyingParty,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<CreationOptions, IdentityFault> {
        let person = self.invited_from(code, address, now)?;
        self.passkey_begin_for(&person, site, address, now)
    }

    /// Takes an invitation: keeps the credential and opens a login. All other logins of the person end, and whatever they signed
    /// in with here before is worthless: somebody who lost it may have asked for the invitation.
    ///
    /// # Errors
    ///
    /// As [`Identity::invited`]; the credential is not good.
    pub async fn accept_invitation(
        &self,
        code: String,
        credential: FirstCredential,
        address: IpAddr,
        label: String,
    ) -> Result<Tokens, IdentityFault> {
        let _turn = self.shared.hashing.acquire().await.map_err(|_| IdentityFault::Ending)?;
        self.change(move |identity| {
            let now = super::now();
            let person = identity.invited_from(&code, address, now)?;
            let user_name = local_name(&person).ok_or(IdentityFault::NoUserName)?;
            let good = identity.good(&person, &user_name, credential, now)?;
            let how = good.how();
            identity.invitation_take(&person, &code)?;
            identity.forget_credentials(&person)?;
            identity.keep_first(&person, good, now)?;
            let who = Who::Person { person: person.id.clone(), login: None };
            let caller = Caller::new(person.scope.clone(), who, Grants::NONE);
            let object = format!("person/{}", person.id);
            identity.audit(Entry::new(now, &caller, person.scope.clone(), "invitation.accept", &object));
            identity.logins_revoke(&person.id, None, Ending::CredentialChanged, now)?;
            identity.sign_in(&person, how, &label, now)
        })
        .await
    }

    /// Who was invited; that somebody came with a link that is not good stands in the trail.
    fn invited_from(&self, code: &str, address: IpAddr, now: UnixMillis) -> Result<Person, IdentityFault> {
        self.invited(code, now).inspect_err(|fault| {
            if matches!(fault, IdentityFault::WrongCredential) {
                self.audit_stranger(now, "invitation.accept", "", "wrong_credential", &address.to_string());
            }
        })
    }

    fn set_up_now(
        &self,
        first: &FirstPerson,
        credential: FirstCredential,
        address: IpAddr,
        label: &str,
        now: UnixMillis,
    ) -> Result<Tokens, IdentityFault> {
        let person = self.first_person(first, address, now)?;
        let good = self.good(&person, &first.user_name, credential, now)?;
        // Only now: the code is good once, and whoever mistyped something else is to try again.
        self.in_state(|state| state.setup.redeem(now, first.code.expose()))?;
        {
            let _order = self.order();
            self.put(&person, now)?;
        }
        self.keep_first(&person, good, now)?;
        let object = format!("person/{}", person.id);
        self.audit(Entry::new(now, &Caller::console(), person.scope.clone(), "setup.redeem", &object));
        self.sign_in(&person, SignIn::Setup, label, now)
    }

    /// Who the first one will be.
    fn first_person(
        &self,
        first: &FirstPerson,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<Person, IdentityFault> {
        // Counted for the address alone: strangers elsewhere hold nobody up.
        let account = format!("setup from {address}");
        self.state().attempts.may_try(now, &account, address)?;
        // First of all: without it nobody learns which names there are.
        let right = self.in_state(|state| state.setup.check(now, first.code.expose()));
        if let Err(fault) = right {
            if fault == SetupFault::Wrong {
                self.in_state(|state| state.attempts.failed(now, &account, address));
            }
            self.audit_stranger(now, "setup.redeem", "", fault.code(), &address.to_string());
            return Err(fault.into());
        }
        let known = Known::Local { user_name: first.user_name.clone() };
        let found = self.person_known_as(&known)?;
        if found.as_ref().is_some_and(|person| !self.is_configured(&person.scope, &person.id)) {
            return Err(IdentityFault::Taken("user name"));
        }
        let person = found.unwrap_or_else(|| Person {
            id: first.id(),
            scope: Scope::Installation,
            name: first.name.as_str().into(),
            identities: vec![known],
            assigned: BTreeSet::from([Role::Operator]),
            told: BTreeSet::new(),
            guest: self.administrator_of_the_only(),
            agent: None,
            enabled: true,
            created: now,
        });
        person.check()?;
        Ok(person)
    }

    fn good(
        &self,
        person: &Person,
        user_name: &UserName,
        credential: FirstCredential,
        now: UnixMillis,
    ) -> Result<Good, IdentityFault> {
        match credential {
            FirstCredential::Password(password) => {
                Ok(Good::Password(GoodPassword::new(password, user_name)?))
            }
            FirstCredential::Passkey { site, answer, label } => {
                Ok(Good::Passkey(self.passkey_made_by(person, &site, &answer, now)?, label))
            }
        }
    }

    fn keep_first(&self, person: &Person, good: Good, now: UnixMillis) -> Result<(), IdentityFault> {
        match good {
            Good::Password(password) => self.password_keep(person, &password, now),
            Good::Passkey(passkey, label) => {
                self.put_if_configured(person, now)?;
                self.passkey_keep(person, &passkey, &label)
            }
        }
    }

    fn administrator_of_the_only(&self) -> BTreeMap<Arc<str>, BTreeSet<Role>> {
        let in_force = self.in_force();
        let mut tenants = in_force.settings.tenants.keys();
        match (tenants.next(), tenants.next()) {
            (Some(only), None) => {
                BTreeMap::from([(Arc::from(only.as_str()), BTreeSet::from([Role::Administrator]))])
            }
            _ => BTreeMap::new(),
        }
    }
}

impl FirstPerson {
    /// The id that a new person gets. It follows from the code, which nobody else has and which is good once: so a passkey can
    /// be made for somebody who is not kept yet.
    fn id(&self) -> PersonId {
        let hash = SecretHash::of(&format!("{}/{}", self.code.expose(), self.user_name));
        let mut bytes = [0; 16];
        for (byte, from) in bytes.iter_mut().zip(hash.as_bytes()) {
            *byte = *from;
        }
        PersonId::from_random(bytes)
    }
}

impl Good {
    fn how(&self) -> SignIn {
        match self {
            Good::Password(_) => SignIn::Password,
            Good::Passkey(..) => SignIn::Passkey,
        }
    }
}
