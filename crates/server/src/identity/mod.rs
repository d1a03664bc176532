//! Who asks: people who signed in, programs with keys, and what is known of both.
//!
//! The rules stand in `tandem_people`; here they meet the register, the clock and a good generator. To know a caller is
//! one look-up in memory. What changes who may do what is on the disk before it is answered.

mod configured;
mod credentials;
mod entrance;
mod fault;
mod first_time;
mod keys;
mod passkeys;
mod people;
mod rows;
mod trail;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::{OsRng, StdRng};
use rand::{RngCore, SeedableRng};
use tandem_people::api_key::{self, KeyChange, KeyFault, Keys};
use tandem_people::audit::Entry;
use tandem_people::caller::Caller;
use tandem_people::id::PersonId;
use tandem_people::login::{AccessFault, Change, Ending, Logins};
use tandem_people::moment::UnixMillis;
use tandem_people::passkey::Ceremonies;

use tandem_people::role::Role;
use tandem_people::scope::Scope;
use tandem_people::secret::Secret;
use tandem_people::setup::Setup;
use tandem_people::throttle::Attempts;
use tandem_store::Tenant;
use tandem_store::register::{self, Register};
use tokio::sync::{Semaphore, broadcast, watch};

use configured::Roster;
pub use configured::{Configured, ConfiguredPerson, EntraName, IdentitySettings, OneClick};
pub use credentials::{Credential, CredentialKind, local_name};
pub use entrance::{EntraUser, Invitation, Tokens};
pub use fault::{IdentityFault, OpenFault, Stranger};
pub use first_time::{FirstCredential, FirstPerson};
pub use people::{NewPerson, PersonChange};
pub(crate) use rows::kept_person;
pub use rows::store_scope;
use trail::{Job, Trail};

/// Everybody who may ask for something, in one handle; clones are the same.
///
/// What reads is quick. What changes something writes to the disk before it returns, some milliseconds: requests call it
/// through [`Identity::change`].
#[derive(Clone)]
pub struct Identity {
    shared: Arc<Shared>,
}

struct Shared {
    register: Register,
    in_force: RwLock<Arc<InForce>>,
    state: RwLock<State>,
    /// Held from a change in memory until it is written, so that the disk sees changes in their order.
    writing: Mutex<()>,
    trail: Trail,
    /// Ends of logins and keys that the disk did not take when they happened.
    owed: Mutex<Vec<Job>>,
    /// Counts what takes rights away: whoever keeps something open looks again whether they still may.
    changes: watch::Sender<u64>,
    /// Names the scope in which somebody was made, changed or removed.
    people: broadcast::Sender<Scope>,
    /// Passwords are checked a few at a time: each takes 19 MiB for a moment.
    hashing: Semaphore,
}

/// What the configuration says. It is replaced as a whole.
struct InForce {
    settings: Arc<IdentitySettings>,
    roster: Roster,
}

struct State {
    logins: Logins,
    keys: Keys,
    attempts: Attempts,
    setup: Setup,
    ceremonies: Ceremonies,
    random: StdRng,
}

/// Somebody who is known.
#[derive(Clone, Debug)]
pub struct Known {
    /// Who.
    pub caller: Arc<Caller>,
    /// Until when the token is good, if it ends by itself.
    pub until: Option<UnixMillis>,
}

impl Identity {
    /// Opens the register of people in a folder, and takes back who is signed in.
    ///
    /// # Errors
    ///
    /// The file cannot be used, or somebody of the configuration is somebody else's there.
    pub fn open(
        folder: &Path,
        keys: Option<&Path>,
        settings: IdentitySettings,
        now: UnixMillis,
    ) -> Result<Identity, OpenFault> {
        let keys = keys.map_or_else(|| folder.join(KEYS_FILE), Path::to_path_buf);
        let register = Register::open(folder.join(REGISTER_FILE), &keys)?;
        let random = StdRng::try_from_rng(&mut OsRng).map_err(OpenFault::Randomness)?;
        let state = State {
            logins: Logins::new(settings.terms),
            keys: Keys::new(),
            attempts: Attempts::new(),
            setup: Setup::Closed,
            ceremonies: Ceremonies::new(),
            random,
        };
        let identity = Identity {
            shared: Arc::new(Shared {
                trail: Trail::open(register.clone())?,
                in_force: RwLock::new(Arc::new(InForce::of(&register, settings)?)),
                register,
                state: RwLock::new(state),
                writing: Mutex::new(()),
                changes: watch::Sender::new(0),
                people: broadcast::Sender::new(PEOPLE_CHANGES_KEPT),
                owed: Mutex::default(),
                hashing: Semaphore::new(HASHED_AT_ONCE),
            }),
        };
        let in_force = identity.in_force();
        in_force.sweep(&identity.shared.register)?;
        identity.restore_keys(|scope| in_force.has(scope))?;
        identity.restore_logins(now, |scope| in_force.has(scope))?;
        Ok(identity)
    }

    /// From now on the configuration says this. Whoever left it is signed out, and what others may do counts from their next
    /// request on. Answers with how many of its people came, left or changed.
    ///
    /// # Errors
    ///
    /// Somebody of the configuration is somebody else in the register, or the register cannot be read or written. People and
    /// what they may do are then as before; only who would have left may have to sign in again.
    pub fn configure(&self, settings: IdentitySettings, now: UnixMillis) -> Result<usize, IdentityFault> {
        let _order = self.order();
        let before = self.in_force();
        let is_new = |tenant: &Tenant| !before.settings.tenants.contains_key(tenant);
        let after = Arc::new(InForce::of(&self.shared.register, settings)?);
        let changed = before.roster.differences(&after.roster);
        let added: BTreeSet<Scope> =
            after.settings.tenants.keys().filter(|tenant| is_new(tenant)).map(scope_of).collect();
        self.put_in_force(Arc::clone(&after));
        if let Err(fault) = self.take_over(&added, &changed, now) {
            self.put_in_force(before);
            // Whoever lost a login meanwhile signs in again; nobody may do more than before.
            if let Err(again) = self.tell_logins(&changed, now) {
                tracing::error!(%again, "people may have lost their logins to a configuration that is not in force");
            }
            self.tell_change();
            return Err(fault);
        }
        if let Err(fault) = after.sweep(&self.shared.register) {
            tracing::error!(%fault, "credentials of people who left the configuration are kept until the next start");
        }
        self.tell_change();
        let count = changed.len();
        for scope in added.into_iter().chain(changed.into_iter().map(|(scope, _)| scope)) {
            // Nobody may be following.
            let _ = self.shared.people.send(scope);
        }
        Ok(count)
    }

    /// Lets logins and keys be those of what is in force: of further tenants, and of people who changed.
    fn take_over(
        &self,
        added: &BTreeSet<Scope>,
        changed: &[(Scope, PersonId)],
        now: UnixMillis,
    ) -> Result<(), IdentityFault> {
        // What is kept of a tenant who was here before, and was not taken back at the start.
        self.restore_keys(|scope| added.contains(scope))?;
        self.restore_logins(now, |scope| added.contains(scope))?;
        self.tell_logins(changed, now)?;
        self.write_changes()
    }

    fn tell_logins(&self, changed: &[(Scope, PersonId)], now: UnixMillis) -> Result<(), IdentityFault> {
        for (scope, id) in changed {
            match self.person(scope, id)? {
                Some(person) => self.in_state(|state| state.logins.person_changed(now, &person)),
                None => self.in_state(|state| state.logins.revoke_all(now, id, None, Ending::Disabled)),
            }
        }
        Ok(())
    }

    /// Knows a caller by an access token or an API key.
    ///
    /// # Errors
    ///
    /// [`Stranger`]: nobody is known by it.
    pub fn authenticate(&self, bearer: &[u8], now: UnixMillis) -> Result<Known, Stranger> {
        let text = std::str::from_utf8(bearer).map_err(|_| Stranger::Unknown)?;
        let state = self.state();
        if api_key::is_meant_as_key(text) {
            let known = state.keys.authorise(now, text).map_err(|fault| match fault {
                KeyFault::NotAKey => Stranger::NotAKey,
                KeyFault::Unknown => Stranger::Unknown,
                KeyFault::Expired { key } => Stranger::KeyExpired(key),
            })?;
            let known_as = Known { caller: known.caller.clone(), until: known.key.expires };
            let touched = known.touch.then(|| known.key.id.clone());
            drop(state);
            if let Some(id) = touched {
                self.in_state(|state| state.keys.touch(now, &id));
                self.write_later();
            }
            return Ok(known_as);
        }
        let known = state.logins.authorise(now, text).map_err(|fault| match fault {
            AccessFault::Unknown => Stranger::Unknown,
            AccessFault::Expired => Stranger::Expired,
        })?;
        let known_as = Known { caller: known.caller.clone(), until: Some(known.until) };
        let touched = known.touch.then(|| known.login.id.clone());
        drop(state);
        if let Some(id) = touched {
            self.in_state(|state| state.logins.touch(now, &id));
            self.write_later();
        }
        Ok(known_as)
    }

    /// Changes whenever rights were taken or given: whoever keeps something open for a caller asks again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Names the scope whenever somebody in it was made, changed or removed. Whoever falls behind looks at everybody.
    pub fn people_changes(&self) -> broadcast::Receiver<Scope> {
        self.shared.people.subscribe()
    }

    /// Adds to the audit trail. It is written by a thread of its own; when that is far behind, the caller waits for the
    /// disk: no entry of a known caller is lost.
    pub fn audit(&self, entry: Entry) {
        self.shared.trail.add(entry);
    }

    /// Adds what a stranger tried to the trail of the installation. Beyond a number in a minute they are counted, and the
    /// count is written.
    pub fn audit_stranger(&self, now: UnixMillis, act: &str, object: &str, code: &str, address: &str) {
        self.shared.trail.stranger(now, act, object, code, address);
    }

    /// Waits until everything that was told is in the audit trail.
    pub fn settle(&self) {
        self.shared.trail.settle();
    }

    /// The register in which people are kept, for what else is kept there.
    pub fn register(&self) -> &Register {
        &self.shared.register
    }

    /// What the configuration says of people and of signing in, as it is in force now. With many customers it is large; it is
    /// not copied.
    pub fn settings(&self) -> Arc<IdentitySettings> {
        Arc::clone(&self.in_force().settings)
    }

    /// Does something that writes to the disk, on a thread that may wait for it.
    ///
    /// # Errors
    ///
    /// What the act itself answers with; [`IdentityFault::Ending`] while the program ends.
    pub async fn change<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Identity) -> Result<T, IdentityFault> + Send + 'static,
    ) -> Result<T, IdentityFault> {
        let identity = self.clone();
        tokio::task::spawn_blocking(move || act(&identity)).await.map_err(|_| IdentityFault::Ending)?
    }

    /// Ends what is over, now and then, until the program ends.
    pub async fn tend(&self) {
        let mut every = tokio::time::interval(TEND_EVERY);
        let mut rounds: u64 = 0;
        loop {
            every.tick().await;
            let prune = rounds.is_multiple_of(PRUNE_ROUNDS);
            rounds += 1;
            let tended = self.change(move |identity| {
                identity.tend_once(now());
                if prune { identity.prune(now()) } else { Ok(()) }
            });
            if let Err(fault) = tended.await {
                tracing::error!(%fault, "old logins, keys and audit entries are not removed");
            }
        }
    }

    /// Whether nobody could sign in who may make others: then a code on the console lets somebody in.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub fn nobody_is_in_charge(&self) -> Result<bool, IdentityFault> {
        let in_force = self.in_force();
        if !in_force.settings.one_click.is_empty() {
            return Ok(false);
        }
        let in_charge = [Role::Operator, Role::Administrator];
        let by_entra = |person: &ConfiguredPerson| {
            person.entra.is_some() && person.roles.iter().any(|role| in_charge.contains(role))
        };
        if in_force.roster.all().any(|(_, person)| by_entra(person)) {
            return Ok(false);
        }
        let tenants = in_force.settings.tenants.keys().map(scope_of);
        for scope in [Scope::Installation].into_iter().chain(tenants) {
            let role = if scope == Scope::Installation { Role::Operator } else { Role::Administrator };
            for person in self.people(&scope)?.iter().filter(|person| person.holds(role)) {
                if self.can_prove(person)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether the code of the first start would be looked at.
    pub fn is_setting_up(&self, now: UnixMillis) -> bool {
        self.state().setup.is_open(now)
    }

    /// Opens the setup: the code is for the console and nowhere else.
    pub fn open_setup(&self, now: UnixMillis) -> Secret {
        self.in_state(|state| {
            let random = draw(&mut state.random);
            let (setup, code) = Setup::open(now, &random);
            state.setup = setup;
            code
        })
    }

    fn tend_once(&self, now: UnixMillis) {
        let _order = self.order();
        self.in_state(|state| state.logins.handle_timeout(now));
        self.write_later();
        self.write_owed();
        self.shared.trail.tell_strangers(now);
    }

    fn prune(&self, now: UnixMillis) -> Result<(), IdentityFault> {
        let before = |kept: Duration| {
            let kept = u64::try_from(kept.as_millis()).unwrap_or(u64::MAX);
            rows::millis(UnixMillis::from_millis(now.as_millis().saturating_sub(kept)))
        };
        let register = &self.shared.register;
        register.logins_prune(before(ENDED_KEPT))?;
        register.keys_prune(before(ENDED_KEPT))?;
        register.audit_prune(before(self.in_force().settings.audit_kept))?;
        Ok(())
    }

    /// Writes what changed in logins and keys before it returns.
    /// An end that could not be written is owed: it holds here, and must not come undone by a restart.
    fn write_changes(&self) -> Result<(), IdentityFault> {
        let mut first = Ok(());
        for job in self.drain() {
            if let Err(failure) = trail::write(&self.shared.register, &job) {
                if job.is_end() {
                    self.owe(job);
                }
                first = first.and(Err(failure.into()));
            }
        }
        first
    }

    fn owe(&self, job: Job) {
        let mut owed = self.shared.owed.lock().unwrap_or_else(PoisonError::into_inner);
        if owed.len() < OWED_MAX {
            owed.push(job);
        } else {
            tracing::error!(
                ?job,
                "an end of a login or key is not written; after a restart it is good again"
            );
        }
    }

    /// Writes what could not be written when it happened.
    fn write_owed(&self) {
        let owed = std::mem::take(&mut *self.shared.owed.lock().unwrap_or_else(PoisonError::into_inner));
        for job in owed {
            if let Err(failure) = trail::write(&self.shared.register, &job) {
                tracing::error!(%failure, "the end of a login or key could not be written; it will be tried again");
                self.owe(job);
            }
        }
    }

    /// Leaves what changed in logins and keys to the thread of the trail: it matters little if it is lost.
    fn write_later(&self) {
        for job in self.drain() {
            self.shared.trail.leave(job);
        }
    }

    fn drain(&self) -> Vec<Job> {
        let (jobs, ended) = self.in_state(|state| {
            let mut jobs = Vec::new();
            let mut ended = false;
            while let Some(change) = state.logins.poll_change() {
                ended |= matches!(change, Change::Ended { .. });
                jobs.extend(rows::login_job(&state.logins, change));
            }
            while let Some(change) = state.keys.poll_change() {
                ended |= matches!(change, KeyChange::Revoked { .. });
                jobs.extend(rows::key_job(&state.keys, change));
            }
            (jobs, ended)
        });
        if ended {
            self.tell_change();
        }
        jobs
    }

    fn tell_change(&self) {
        self.shared.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn put_in_force(&self, in_force: Arc<InForce>) {
        *self.shared.in_force.write().unwrap_or_else(PoisonError::into_inner) = in_force;
    }

    fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.shared.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn order(&self) -> MutexGuard<'_, ()> {
        self.shared.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.shared.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state: RwLockWriteGuard<'_, State> =
            self.shared.state.write().unwrap_or_else(PoisonError::into_inner);
        act(&mut state)
    }

    fn random<const BYTES: usize>(&self) -> [u8; BYTES] {
        self.in_state(|state| draw(&mut state.random))
    }
}

impl InForce {
    fn of(register: &Register, settings: IdentitySettings) -> Result<InForce, IdentityFault> {
        for tenant in settings.tenants.keys() {
            register.tenant_begin(tenant)?;
        }
        Ok(InForce { roster: Roster::adopt(register, &settings)?, settings: Arc::new(settings) })
    }

    fn sweep(&self, register: &Register) -> Result<(), IdentityFault> {
        self.roster.sweep(register, &self.settings)
    }

    fn has(&self, scope: &Scope) -> bool {
        *scope == Scope::Installation || self.settings.tenants.keys().any(|tenant| scope_of(tenant) == *scope)
    }
}

fn scope_of(tenant: &Tenant) -> Scope {
    Scope::tenant(tenant.as_str())
}

/// The wall clock.
pub fn now() -> UnixMillis {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

fn draw<const BYTES: usize>(random: &mut StdRng) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    random.fill_bytes(&mut bytes);
    bytes
}

fn of(scope: &Scope) -> Result<register::Scope, IdentityFault> {
    store_scope(scope).ok_or(IdentityFault::Unknown("tenant"))
}

/// The file of the register, beside the journal.
pub(crate) const REGISTER_FILE: &str = "people.db";
/// The file of the master keys, unless the configuration names another.
const KEYS_FILE: &str = "journal.key";
/// How often what is over is ended.
const TEND_EVERY: Duration = Duration::from_secs(30);
/// Ends of logins and keys that wait to be written because the disk failed. At the limit a further one is told in the log and
/// holds until the program ends.
const OWED_MAX: usize = 10_000;
/// After so many rounds of that, old rows are removed: once an hour.
const PRUNE_ROUNDS: u64 = 120;
/// How long logins and keys that ended are still kept, to be seen in lists.
const ENDED_KEPT: Duration = Duration::from_secs(7 * 86_400);
/// Passwords that are checked at once; further ones wait their turn, for as long as a request may take.
const HASHED_AT_ONCE: usize = 2;
/// Changes of people that wait for whoever follows them.
const PEOPLE_CHANGES_KEPT: usize = 256;
