//! Ceremonies: a challenge that goes out, and the one answer to it (sections 7.1 and 7.2).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use tandem_strangers::Waiting;

use super::authenticator_data::{AuthenticatorData, read_attestation};
use super::message::{
    AuthenticationResponse, ClientData, CreationOptions, RegistrationResponse, RequestOptions, decode,
    user_handle,
};
use super::{Passkey, PasskeyFault, RelyingParty};
use crate::id::PersonId;
use crate::moment::UnixMillis;
use crate::person::Person;

/// The challenges that wait for their answers.
///
/// Each is answered once, within [`Ceremonies::ANSWER_WITHIN`], whatever came of it; a restart of the program forgets
/// them, and people begin again.
#[derive(Debug)]
pub struct Ceremonies {
    /// What each was drawn for.
    pending: Waiting<Challenge, Pending, UnixMillis>,
}

impl Ceremonies {
    /// None yet.
    pub fn new() -> Ceremonies {
        Ceremonies { pending: Waiting::new(Ceremonies::PENDING_MAX) }
    }

    /// Asks the browser at this address to make a passkey for a person who has signed in. `user_name` is how the device lists
    /// it; `known` are the passkeys the person has: no device makes a second.
    #[expect(clippy::too_many_arguments, reason = "a ceremony begins with all of them")]
    pub fn begin_registration(
        &mut self,
        now: UnixMillis,
        from: IpAddr,
        site: &RelyingParty,
        person: &Person,
        user_name: &str,
        known: &[&Passkey],
        random: &[u8; Ceremonies::RANDOM_BYTES],
    ) -> CreationOptions {
        self.remember(now, from, *random, Pending::Registration(person.id.clone()));
        let known = known.get(..known.len().min(Ceremonies::LISTED_MAX)).unwrap_or_default();
        CreationOptions::new(site, &person.id, user_name, &person.name, known, random)
    }

    /// Takes the passkey that the browser made for this person. That no other person has it is the store's to refuse.
    ///
    /// # Errors
    ///
    /// Says at which step of section 7.1 it failed. The challenge is used up all the same.
    pub fn finish_registration(
        &mut self,
        now: UnixMillis,
        site: &RelyingParty,
        person: &PersonId,
        response: &RegistrationResponse,
    ) -> Result<Passkey, PasskeyFault> {
        let client_data = decode(&response.response.client_data, "clientDataJSON")?;
        let pending = self.redeem(now, site, &client_data, "webauthn.create")?;
        if pending != Pending::Registration(person.clone()) {
            return Err(PasskeyFault::Ceremony);
        }
        let attestation = decode(&response.response.attestation_object, "attestationObject")?;
        let data = AuthenticatorData::read(read_attestation(&attestation)?, site)?;
        let made = data.made.ok_or(PasskeyFault::Malformed { part: "attestedCredentialData" })?;
        if made.id != response.id {
            return Err(PasskeyFault::Malformed { part: "id" });
        }
        Ok(Passkey {
            id: made.id,
            person: person.clone(),
            key: made.key,
            sign_count: data.sign_count,
            backup_eligible: data.backup_eligible,
            backed_up: data.backed_up,
            model: made.model,
            transports: known_transports(&response.response.transports),
            created: now,
            used: None,
        })
    }

    /// Asks the browser at this address for a passkey: of anybody, or of one person whose passkeys these are.
    pub fn begin_authentication(
        &mut self,
        now: UnixMillis,
        from: IpAddr,
        site: &RelyingParty,
        whom: ForWhom<'_>,
        random: &[u8; Ceremonies::RANDOM_BYTES],
    ) -> RequestOptions {
        let (person, known) = match whom {
            ForWhom::Anybody => (None, &[][..]),
            ForWhom::Person { person, known } => (Some(person.clone()), known),
        };
        self.remember(now, from, *random, Pending::Authentication(person));
        let known = known.get(..known.len().min(Ceremonies::LISTED_MAX)).unwrap_or_default();
        RequestOptions::new(site, known, random)
    }

    /// Knows somebody by a passkey. `known` is the passkey with the id of the answer
    /// ([`AuthenticationResponse::id`]), if there is one.
    ///
    /// # Errors
    ///
    /// Says at which step of section 7.2 it failed. The challenge is used up all the same.
    pub fn finish_authentication(
        &mut self,
        now: UnixMillis,
        site: &RelyingParty,
        response: &AuthenticationResponse,
        known: Option<&Passkey>,
    ) -> Result<Authenticated, PasskeyFault> {
        let client_data = decode(&response.response.client_data, "clientDataJSON")?;
        let Pending::Authentication(expected) = self.redeem(now, site, &client_data, "webauthn.get")? else {
            return Err(PasskeyFault::Ceremony);
        };
        let passkey = known.filter(|known| known.id == *response.id()).ok_or(PasskeyFault::Unknown)?;
        // Whoever was not named by us must be named by the authenticator.
        let handle_fits = match &response.response.user_handle {
            Some(handle) => *handle == user_handle(&passkey.person),
            None => expected.is_some(),
        };
        if !handle_fits || expected.is_some_and(|expected| expected != passkey.person) {
            return Err(PasskeyFault::Person);
        }
        let data_bytes = decode(&response.response.authenticator_data, "authenticatorData")?;
        let data = AuthenticatorData::read(&data_bytes, site)?;
        if data.backup_eligible != passkey.backup_eligible {
            return Err(PasskeyFault::Backup);
        }
        let signature = decode(&response.response.signature, "signature")?;
        let client_data_hash = digest::digest(&digest::SHA256, &client_data);
        passkey.key.verify(&[&data_bytes, client_data_hash.as_ref()].concat(), &signature)?;
        let (kept, came) = (passkey.sign_count, data.sign_count);
        if (kept, came) != (0, 0) && came <= kept {
            return Err(PasskeyFault::Copied { kept, came });
        }
        let passkey =
            Passkey { sign_count: came, backed_up: data.backed_up, used: Some(now), ..passkey.clone() };
        Ok(Authenticated { passkey })
    }

    /// How many challenges wait.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    fn remember(&mut self, now: UnixMillis, from: IpAddr, challenge: Challenge, pending: Pending) {
        self.pending.forget_old(now);
        self.pending.insert(from.into(), challenge, pending, now + Ceremonies::ANSWER_WITHIN, now);
    }

    /// Takes the challenge out, and checks what the browser says of it.
    fn redeem(
        &mut self,
        now: UnixMillis,
        site: &RelyingParty,
        client_data: &[u8],
        kind: &str,
    ) -> Result<Pending, PasskeyFault> {
        self.pending.forget_old(now);
        let client_data = ClientData::read(client_data)?;
        let challenge = decode(&client_data.challenge, "challenge")?;
        let challenge = Challenge::try_from(challenge).map_err(|_| PasskeyFault::Challenge)?;
        let pending = self.pending.take(&challenge).ok_or(PasskeyFault::Challenge)?;
        if client_data.kind != kind {
            return Err(PasskeyFault::Ceremony);
        }
        client_data.check_site(site)?;
        Ok(pending)
    }

    /// How long a challenge waits for its answer.
    pub const ANSWER_WITHIN: Duration = Duration::from_secs(300);
    /// Random bytes that a challenge takes: it is them.
    pub const RANDOM_BYTES: usize = 32;
    /// Most challenges that wait, some 4 MB. An address may have as many as are free besides ([`tandem_strangers::Room`]):
    /// 5,000 if it is alone, which is more than an office of some thousand people begins within [`Ceremonies::ANSWER_WITHIN`]
    /// and does not answer. At its limit its next one makes the oldest of its own worthless, and that person begins again.
    pub const PENDING_MAX: usize = 10_000;
    /// Most passkeys that are listed to a browser; the rest is left out.
    pub const LISTED_MAX: usize = 32;
}

impl Default for Ceremonies {
    fn default() -> Ceremonies {
        Ceremonies::new()
    }
}

/// For whom a passkey is asked.
#[derive(Clone, Copy, Debug)]
pub enum ForWhom<'a> {
    /// Whoever has one for this site: the device shows which there are.
    Anybody,
    /// One person, who is to prove once more who they are.
    Person {
        /// Who.
        person: &'a PersonId,
        /// Their passkeys.
        known: &'a [&'a Passkey],
    },
}

/// Somebody who is known by a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The passkey as it is to be kept from now on: with its new count.
    pub passkey: Passkey,
}

/// What a challenge was drawn for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pending {
    /// A new passkey of this person.
    Registration(PersonId),
    /// A sign-in, of this person if one is named.
    Authentication(Option<PersonId>),
}

type Challenge = [u8; Ceremonies::RANDOM_BYTES];

/// The transports that a browser may be told again: short words, and not many.
fn known_transports(told: &[Arc<str>]) -> Vec<Arc<str>> {
    let is_word = |word: &&Arc<str>| {
        (1..=TRANSPORT_BYTES_MAX).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    told.iter().filter(is_word).take(TRANSPORTS_MAX).cloned().collect()
}

/// Most transports that are kept; the rest is left out. Level 3 has six.
const TRANSPORTS_MAX: usize = 8;
/// Longest word for a transport; a longer one is left out.
const TRANSPORT_BYTES_MAX: usize = 16;
