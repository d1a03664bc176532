//! Logins: that a person has signed in, somewhere, and is known until they leave or are sent away.
//!
//! A login carries two secrets. The **access token** goes with every request and lives for minutes; it is known by its
//! hash, in memory only, so that a request costs one look-up. The **refresh secret** buys the next access token, and
//! with it a new refresh secret: each is good once. When one comes back that was replaced, two hold it, one of them a
//! thief, and the login ends for both (RFC 9700 section 4.14.2).

mod refresh;
mod table;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use refresh::RefreshHashes;
use refresh::{read_refresh, refresh_text};
use table::HashTable;

use crate::caller::Caller;
use crate::id::{LoginId, PersonId};
use crate::moment::UnixMillis;
use crate::person::Person;
use crate::scope::Scope;
use crate::secret::{BASE62_CHARS, Secret, SecretHash, base62};

/// For how long logins are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginTerms {
    /// How long an access token is good. A right that is taken counts at once all the same: tokens are known here.
    pub access: Duration,
    /// After how long without a request a login ends.
    pub idle: Duration,
    /// After how long a login ends, used or not.
    pub absolute: Duration,
    /// How long a replaced refresh secret still buys an access token, and nothing else: two tabs of a browser renew in
    /// the same moment, and only one of them can be first.
    pub grace: Duration,
}

impl Default for LoginTerms {
    /// 15 minutes, 12 hours, 14 days, 30 seconds.
    fn default() -> LoginTerms {
        LoginTerms {
            access: Duration::from_secs(15 * 60),
            idle: Duration::from_secs(12 * 3600),
            absolute: Duration::from_secs(14 * 86_400),
            grace: Duration::from_secs(30),
        }
    }
}

/// Everybody who has signed in.
///
/// What must outlive the program is told as a [`Change`]; the shell keeps it **before** it hands the secrets out, and
/// gives the rows back with [`Logins::restore`] at the next start. Access tokens are not kept: after a restart everybody
/// renews once.
pub struct Logins {
    terms: LoginTerms,
    held: BTreeMap<LoginId, Held>,
    of_person: BTreeMap<PersonId, BTreeSet<LoginId>>,
    of_family: HashTable<LoginId>,
    access: HashTable<Access>,
    /// When to look at a login again: it may be idle, over, or have a token that is.
    deadlines: BTreeSet<(UnixMillis, LoginId)>,
    changes: VecDeque<Change>,
}

impl Logins {
    /// Nobody yet.
    pub fn new(terms: LoginTerms) -> Logins {
        Logins {
            terms,
            held: BTreeMap::new(),
            of_person: BTreeMap::new(),
            of_family: HashTable::default(),
            access: HashTable::default(),
            deadlines: BTreeSet::new(),
            changes: VecDeque::new(),
        }
    }

    /// Takes back a login that was kept. One that is over, or whose person may not sign in, is ended instead.
    pub fn restore(&mut self, now: UnixMillis, row: LoginRow, person: &Person) {
        let over = self.idle_ends(&row) <= now;
        let caller = person.caller(Some(row.id.clone())).filter(|_| row.person == person.id);
        match caller {
            Some(caller) if !over => self.hold(row, Arc::new(caller)),
            Some(_) => self.changes.push_back(Change::Ended { id: row.id, at: now, why: Ending::Over }),
            None => self.changes.push_back(Change::Ended { id: row.id, at: now, why: Ending::Disabled }),
        }
    }

    /// Opens a login for a person who proved who they are. `label` is how they will know it again, such as the
    /// browser's name; it is cut at [`LoginRow::LABEL_BYTES_MAX`].
    ///
    /// A person who has [`Logins::OF_PERSON_MAX`] logins loses the one that was not used for longest.
    ///
    /// # Errors
    ///
    /// [`OpenFault::Disabled`] if the person may not sign in, [`OpenFault::Full`] at [`Logins::LOGINS_MAX`].
    pub fn open(
        &mut self,
        now: UnixMillis,
        person: &Person,
        how: SignIn,
        label: &str,
        random: &[u8; Logins::OPEN_RANDOM_BYTES],
    ) -> Result<Opened, OpenFault> {
        let draw = OpenDraw::new(random);
        let id = LoginId::from_random(draw.id);
        let caller = Arc::new(person.caller(Some(id.clone())).ok_or(OpenFault::Disabled)?);
        if self.held.len() >= Logins::LOGINS_MAX {
            return Err(OpenFault::Full);
        }
        self.make_room(now, &person.id);
        let (family, secret) = (base62(draw.family), base62(draw.secret));
        let row = LoginRow {
            id: id.clone(),
            person: person.id.clone(),
            scope: person.scope.clone(),
            how,
            label: Arc::from(cut(label, LoginRow::LABEL_BYTES_MAX)),
            refresh: RefreshHashes {
                family: SecretHash::of(&family),
                secret: SecretHash::of(&secret),
                previous: None,
                renewed: now,
            },
            created: now,
            used: now,
            expires: now + self.terms.absolute,
        };
        self.changes.push_back(Change::Opened(Box::new(row.clone())));
        self.hold(row, caller.clone());
        let (access, access_until) = self.give_access(now, &id, &draw.access);
        let refresh = refresh_text(&family, &secret);
        Ok(Opened { id, caller, access, access_until, refresh, refresh_until: now + self.terms.absolute })
    }

    /// Knows the caller by an access token. It changes nothing, so that many can be asked at once.
    ///
    /// # Errors
    ///
    /// [`AccessFault::Unknown`] for a token that is not ours, was replaced or belonged to a login that ended;
    /// [`AccessFault::Expired`] for one whose time is over: it is time to renew.
    pub fn authorise(&self, now: UnixMillis, token: &str) -> Result<Authorised<'_>, AccessFault> {
        if !token.starts_with(ACCESS_PREFIX) || token.len() != ACCESS_CHARS {
            return Err(AccessFault::Unknown);
        }
        let access = self.access.get(SecretHash::of(token)).ok_or(AccessFault::Unknown)?;
        let row = &self.held.get(&access.login).ok_or(AccessFault::Unknown)?.row;
        if access.until <= now || self.idle_ends(row) <= now {
            return Err(AccessFault::Expired);
        }
        Ok(Authorised {
            caller: &access.caller,
            login: row,
            until: access.until,
            touch: now.since(row.used) >= Logins::TOUCH_EVERY,
        })
    }

    /// Notes that a login is in use, so that it does not become idle. It is asked for by [`Authorised::touch`]; more
    /// often than [`Logins::TOUCH_EVERY`] it does nothing.
    pub fn touch(&mut self, now: UnixMillis, id: &LoginId) {
        if let Some(held) =
            self.held.get_mut(id).filter(|held| now.since(held.row.used) >= Logins::TOUCH_EVERY)
        {
            held.row.used = now;
            self.changes.push_back(Change::Used { id: id.clone(), at: now });
            self.schedule(id);
        }
    }

    /// Gives the next access token, and the next refresh secret, for a refresh secret.
    ///
    /// Only one at a time: within [`LoginTerms::grace`] the secret that was just replaced buys an access token and no
    /// secret, after that it ends the login.
    ///
    /// # Errors
    ///
    /// See [`RenewFault`].
    pub fn renew(
        &mut self,
        now: UnixMillis,
        refresh: &str,
        random: &[u8; Logins::RENEW_RANDOM_BYTES],
    ) -> Result<Renewed, RenewFault> {
        let (family, secret) = read_refresh(refresh).ok_or(RenewFault::Unknown)?;
        let id = self.of_family.get(SecretHash::of(family)).cloned().ok_or(RenewFault::Unknown)?;
        let held = self.held.get(&id).ok_or(RenewFault::Unknown)?;
        if self.idle_ends(&held.row) <= now {
            self.end(now, &id, Ending::Over);
            return Err(RenewFault::Over);
        }
        let hash = SecretHash::of(secret);
        let hashes = held.row.refresh;
        let is_current = hash == hashes.secret;
        let in_grace = hashes.previous == Some(hash) && now.since(hashes.renewed) < self.terms.grace;
        if !is_current && !in_grace {
            self.end(now, &id, Ending::Stolen);
            return Err(RenewFault::Stolen { login: id });
        }
        let (next, access) = halves(random);
        let next = is_current.then(|| base62(next));
        let caller = held.caller.clone();
        if let Some(held) = self.held.get_mut(&id) {
            held.row.used = held.row.used.max(now);
            if let Some(next) = &next {
                held.row.refresh = RefreshHashes {
                    secret: SecretHash::of(next),
                    previous: Some(hashes.secret),
                    renewed: now,
                    ..hashes
                };
            }
            let refresh = held.row.refresh;
            self.changes.push_back(Change::Renewed { id: id.clone(), at: now, refresh });
        }
        let (access, access_until) = self.give_access(now, &id, &access);
        let refresh = next.map(|next| refresh_text(family, &next));
        Ok(Renewed { id, caller, access, access_until, refresh })
    }

    /// Ends a login, if it is there.
    pub fn revoke(&mut self, now: UnixMillis, id: &LoginId, why: Ending) {
        self.end(now, id, why);
    }

    /// Ends all logins of a person, but for the one that asks for it, if it is one of them.
    pub fn revoke_all(&mut self, now: UnixMillis, person: &PersonId, but: Option<&LoginId>, why: Ending) {
        let ids = self.of_person.get(person).cloned().unwrap_or_default();
        for id in ids.iter().filter(|id| Some(*id) != but) {
            self.end(now, id, why);
        }
    }

    /// What the person may do has changed: it counts from the next request on. A person who may no longer sign in
    /// loses their logins.
    pub fn person_changed(&mut self, now: UnixMillis, person: &Person) {
        for id in self.of_person.get(&person.id).cloned().unwrap_or_default() {
            let Some(caller) = person.caller(Some(id.clone())).map(Arc::new) else {
                self.end(now, &id, Ending::Disabled);
                continue;
            };
            if let Some(held) = self.held.get_mut(&id) {
                for (hash, _) in &held.tokens {
                    if let Some(access) = self.access.get_mut(*hash) {
                        access.caller = caller.clone();
                    }
                }
                held.caller = caller;
            }
        }
    }

    /// A login that is there.
    pub fn login(&self, id: &LoginId) -> Option<&LoginRow> {
        self.held.get(id).map(|held| &held.row)
    }

    /// The logins of a person, as they or their administrator see them.
    pub fn of_person(&self, person: &PersonId) -> impl Iterator<Item = &LoginRow> {
        let ids = self.of_person.get(person).into_iter().flatten();
        ids.filter_map(|id| self.login(id))
    }

    /// How many logins there are.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether nobody is signed in.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Ends what is over, forgets tokens whose time has come.
    pub fn handle_timeout(&mut self, now: UnixMillis) {
        while let Some((due, id)) = self.deadlines.first().cloned().filter(|(due, _)| *due <= now) {
            self.deadlines.remove(&(due, id.clone()));
            let over = self.held.get(&id).is_some_and(|held| self.idle_ends(&held.row) <= now);
            if over {
                self.end(now, &id, Ending::Over);
                continue;
            }
            if let Some(held) = self.held.get_mut(&id) {
                held.due = None;
                held.tokens.retain(|(hash, until)| {
                    let good = *until > now;
                    if !good {
                        self.access.remove(*hash);
                    }
                    good
                });
            }
            self.schedule(&id);
        }
    }

    /// When [`Logins::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<UnixMillis> {
        self.deadlines.first().map(|(due, _)| *due)
    }

    /// What must be kept, in order. Draining it late is harmless, but for the secrets that are handed out meanwhile.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    fn hold(&mut self, row: LoginRow, caller: Arc<Caller>) {
        let id = row.id.clone();
        self.of_person.entry(row.person.clone()).or_default().insert(id.clone());
        self.of_family.insert(row.refresh.family, id.clone());
        self.held.insert(id.clone(), Held { row, caller, tokens: VecDeque::new(), due: None });
        self.schedule(&id);
    }

    fn give_access(&mut self, now: UnixMillis, id: &LoginId, random: &[u8; 32]) -> (Secret, UnixMillis) {
        let text = format!("{ACCESS_PREFIX}{}", base62(*random));
        let (hash, until) = (SecretHash::of(&text), now + self.terms.access);
        if let Some(held) = self.held.get_mut(id) {
            held.tokens.push_back((hash, until));
            if held.tokens.len() > Logins::ACCESS_OF_LOGIN_MAX
                && let Some((oldest, _)) = held.tokens.pop_front()
            {
                self.access.remove(oldest);
            }
            let access = Access { login: id.clone(), caller: held.caller.clone(), until };
            self.access.insert(hash, access);
        }
        self.schedule(id);
        (Secret::new(text), until)
    }

    /// Ends the logins of the person that were not used for longest, until there is room for one more.
    fn make_room(&mut self, now: UnixMillis, person: &PersonId) {
        while self.of_person.get(person).is_some_and(|ids| ids.len() >= Logins::OF_PERSON_MAX) {
            let oldest = self.of_person(person).min_by_key(|row| (row.used, row.id.clone()));
            let Some(oldest) = oldest.map(|row| row.id.clone()) else { return };
            self.end(now, &oldest, Ending::TooMany);
        }
    }

    fn end(&mut self, now: UnixMillis, id: &LoginId, why: Ending) {
        let Some(held) = self.held.remove(id) else { return };
        if let Some(due) = held.due {
            self.deadlines.remove(&(due, id.clone()));
        }
        for (hash, _) in &held.tokens {
            self.access.remove(*hash);
        }
        self.of_family.remove(held.row.refresh.family);
        if let Some(ids) = self.of_person.get_mut(&held.row.person) {
            ids.remove(id);
            if ids.is_empty() {
                self.of_person.remove(&held.row.person);
            }
        }
        self.changes.push_back(Change::Ended { id: id.clone(), at: now, why });
    }

    /// When the login ends if nobody uses it any more.
    fn idle_ends(&self, row: &LoginRow) -> UnixMillis {
        (row.used + self.terms.idle).min(row.expires)
    }

    fn schedule(&mut self, id: &LoginId) {
        let Some(held) = self.held.get(id) else { return };
        let idle = self.idle_ends(&held.row);
        let due = held.tokens.front().map_or(idle, |(_, until)| idle.min(*until));
        if let Some(held) = self.held.get_mut(id)
            && held.due != Some(due)
        {
            if let Some(before) = held.due.replace(due) {
                self.deadlines.remove(&(before, id.clone()));
            }
            self.deadlines.insert((due, id.clone()));
        }
    }
}

impl Logins {
    /// Most logins in all. At the limit nobody new signs in, and those who did go on.
    pub const LOGINS_MAX: usize = 200_000;
    /// Most logins of one person; the next one ends the one that was not used for longest.
    pub const OF_PERSON_MAX: usize = 20;
    /// Most access tokens of one login that are good at once; the next one makes the oldest worthless, and its tab renews.
    pub const ACCESS_OF_LOGIN_MAX: usize = 8;
    /// How often it is noted that a login is in use. What is shown and kept may lag by that much.
    pub const TOUCH_EVERY: Duration = Duration::from_secs(60);
    /// Random bytes that a new login takes.
    pub const OPEN_RANDOM_BYTES: usize = 16 + 3 * 32;
    /// Random bytes that a renewal takes.
    pub const RENEW_RANDOM_BYTES: usize = 2 * 32;
}

/// A login as it is kept and shown. No secret can be read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRow {
    /// The login.
    pub id: LoginId,
    /// Whose it is.
    pub person: PersonId,
    /// Whose the person is.
    #[serde(rename = "tenant")]
    pub scope: Scope,
    /// How the person proved who they are.
    pub how: SignIn,
    /// How the person knows it again, such as the browser's name.
    pub label: Arc<str>,
    /// What is known of its refresh secret. Not for people's eyes.
    #[serde(skip)]
    pub refresh: RefreshHashes,
    /// Since when it is there.
    pub created: UnixMillis,
    /// When it was last used, within [`Logins::TOUCH_EVERY`].
    pub used: UnixMillis,
    /// When it ends, used or not.
    pub expires: UnixMillis,
}

impl LoginRow {
    /// Longest label, in bytes; what is longer is cut. Browsers name themselves at length.
    pub const LABEL_BYTES_MAX: usize = 128;
}

/// How a person proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignIn {
    /// Signed in at Entra, in a browser.
    Entra,
    /// The token of the tab in Teams.
    Teams,
    /// A passkey.
    Passkey,
    /// A password.
    Password,
    /// The code of the first start.
    Setup,
    /// One click, in the demo.
    Demo,
}

/// What a new login gives to the person.
#[derive(Debug)]
pub struct Opened {
    /// The login.
    pub id: LoginId,
    /// The person as somebody who asks.
    pub caller: Arc<Caller>,
    /// Goes with each request.
    pub access: Secret,
    /// Until when the access token is good.
    pub access_until: UnixMillis,
    /// Buys the next access token.
    pub refresh: Secret,
    /// Until when the login can last.
    pub refresh_until: UnixMillis,
}

/// What a renewal gives to the person.
#[derive(Debug)]
pub struct Renewed {
    /// The login.
    pub id: LoginId,
    /// The person as somebody who asks.
    pub caller: Arc<Caller>,
    /// Goes with each request.
    pub access: Secret,
    /// Until when the access token is good.
    pub access_until: UnixMillis,
    /// Replaces the refresh secret that was given; `None` if another tab was first and has it.
    pub refresh: Option<Secret>,
}

/// A request with a good access token.
#[derive(Debug)]
pub struct Authorised<'a> {
    /// Who asks.
    pub caller: &'a Arc<Caller>,
    /// By which login.
    pub login: &'a LoginRow,
    /// Until when the token is good: for what stays open longer than a request.
    pub until: UnixMillis,
    /// Whether [`Logins::touch`] is due.
    pub touch: bool,
}

/// What must be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A login is new.
    Opened(Box<LoginRow>),
    /// A login was renewed, and used.
    Renewed {
        /// Which.
        id: LoginId,
        /// When.
        at: UnixMillis,
        /// What is known of its refresh secret now.
        refresh: RefreshHashes,
    },
    /// A login was used.
    Used {
        /// Which.
        id: LoginId,
        /// When.
        at: UnixMillis,
    },
    /// A login ended: whatever of it is open, is closed.
    Ended {
        /// Which.
        id: LoginId,
        /// When.
        at: UnixMillis,
        /// Why.
        why: Ending,
    },
}

/// Why a login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The person signed out.
    SignedOut,
    /// The person, or an administrator, ended it from elsewhere.
    Revoked,
    /// Its time was over, or it was not used for too long.
    Over,
    /// A refresh secret came back that had been replaced.
    Stolen,
    /// The person may no longer sign in.
    Disabled,
    /// The person has others that are newer.
    TooMany,
    /// A credential of the person was changed or taken.
    CredentialChanged,
}

/// Why no login is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenFault {
    /// The person may not sign in.
    #[error("this person may not sign in")]
    Disabled,
    /// There are [`Logins::LOGINS_MAX`] logins.
    #[error("there are too many logins; try again later")]
    Full,
}

/// Why an access token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessFault {
    /// It is not ours, or its login ended.
    #[error("the access token is not known")]
    Unknown,
    /// Its time is over.
    #[error("the access token has expired")]
    Expired,
}

/// Why a refresh secret buys nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenewFault {
    /// It is not ours, or its login ended.
    #[error("the refresh secret is not known")]
    Unknown,
    /// The login's time is over.
    #[error("the login is over")]
    Over,
    /// It had been replaced: two hold it. The login was ended.
    #[error("the refresh secret had been used before; the login was ended")]
    Stolen {
        /// The login that ended, for the audit trail.
        login: LoginId,
    },
}

struct Held {
    row: LoginRow,
    caller: Arc<Caller>,
    /// Access tokens with their ends, the oldest first.
    tokens: VecDeque<(SecretHash, UnixMillis)>,
    /// Its place in `deadlines`.
    due: Option<UnixMillis>,
}

struct Access {
    login: LoginId,
    caller: Arc<Caller>,
    until: UnixMillis,
}

struct OpenDraw {
    id: [u8; 16],
    family: [u8; 32],
    secret: [u8; 32],
    access: [u8; 32],
}

impl OpenDraw {
    fn new(random: &[u8; Logins::OPEN_RANDOM_BYTES]) -> OpenDraw {
        let mut draw = OpenDraw { id: [0; 16], family: [0; 32], secret: [0; 32], access: [0; 32] };
        let mut rest = random.iter().copied();
        let parts: [&mut [u8]; 4] = [&mut draw.id, &mut draw.family, &mut draw.secret, &mut draw.access];
        for place in parts.into_iter().flatten() {
            *place = rest.next().unwrap_or_default();
        }
        draw
    }
}

fn halves(random: &[u8; Logins::RENEW_RANDOM_BYTES]) -> ([u8; 32], [u8; 32]) {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    let (left, right) = random.split_at(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    (first, second)
}

fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// What an access token begins with, so that it is known for what it is wherever it is found.
const ACCESS_PREFIX: &str = "tda_";
/// Length of an access token.
const ACCESS_CHARS: usize = ACCESS_PREFIX.len() + BASE62_CHARS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_cut_at_a_character() {
        assert_eq!(cut("aéé", 4), "aé");
        assert_eq!(cut("aéé", 100), "aéé");
    }
}
