//! The throttle of guesses: whoever fails to sign in waits longer each time.
//!
//! It is counted twice: for the account that is tried, and for the address that tries. An account is held up for at most a
//! minute, so that a stranger's guesses do not keep its owner out; an address for up to a quarter of an hour.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tandem_strangers::Source;

use crate::moment::UnixMillis;

/// The attempts that failed lately.
///
/// Before a secret is checked: [`Attempts::may_try`]. After it was wrong: [`Attempts::failed`]. After it was right:
/// [`Attempts::succeeded`].
#[derive(Default)]
pub struct Attempts {
    failures: BTreeMap<Tried, Failures>,
    /// The same by the moment of the latest failure: the first is forgotten first.
    by_time: BTreeSet<(UnixMillis, Tried)>,
}

impl Attempts {
    /// None yet.
    pub fn new() -> Attempts {
        Attempts::default()
    }

    /// Whether this account may be tried from this address now. The account is what was typed, known or not: that a name is
    /// held up does not tell that it exists.
    ///
    /// # Errors
    ///
    /// [`Wait`], and for how long.
    pub fn may_try(&self, now: UnixMillis, account: &str, address: IpAddr) -> Result<(), Wait> {
        let wait = |tried: Tried| {
            let failures = self.failures.get(&tried)?;
            let until = failures.latest + tried.pause(failures.count);
            (until > now).then(|| until.since(now))
        };
        match wait(Tried::account(account)).max(wait(Tried::Address(address.into()))) {
            Some(time) => Err(Wait { time }),
            None => Ok(()),
        }
    }

    /// It was wrong.
    pub fn failed(&mut self, now: UnixMillis, account: &str, address: IpAddr) {
        for tried in [Tried::account(account), Tried::Address(address.into())] {
            self.count(now, tried);
        }
    }

    /// It was right: the account's failures are forgotten. Those of the address are not, or whoever knows one password
    /// could guess at others for ever.
    pub fn succeeded(&mut self, account: &str) {
        self.forget(&Tried::account(account));
    }

    /// How many accounts and addresses are counted.
    pub fn len(&self) -> usize {
        self.failures.len()
    }

    /// Whether nobody failed lately.
    pub fn is_empty(&self) -> bool {
        self.failures.is_empty()
    }

    fn count(&mut self, now: UnixMillis, tried: Tried) {
        self.forget_old(now);
        let before = self.forget(&tried).map_or(0, |failures| failures.count);
        if self.failures.len() >= Attempts::COUNTED_MAX
            && let Some((_, oldest)) = self.by_time.pop_first()
        {
            self.failures.remove(&oldest);
        }
        let failures = Failures { count: before.saturating_add(1), latest: now };
        self.failures.insert(tried.clone(), failures);
        self.by_time.insert((now, tried));
    }

    fn forget(&mut self, tried: &Tried) -> Option<Failures> {
        let failures = self.failures.remove(tried)?;
        self.by_time.remove(&(failures.latest, tried.clone()));
        Some(failures)
    }

    fn forget_old(&mut self, now: UnixMillis) {
        while let Some((latest, _)) = self.by_time.first()
            && now.since(*latest) >= Attempts::REMEMBERED
            && let Some((_, tried)) = self.by_time.pop_first()
        {
            self.failures.remove(&tried);
        }
    }

    /// Failures after which an account pauses: people mistype.
    pub const ACCOUNT_FREE: u32 = 5;
    /// The longest pause of an account.
    pub const ACCOUNT_PAUSE_MAX: Duration = Duration::from_secs(60);
    /// Failures after which an address pauses: a whole site may sit behind one.
    pub const ADDRESS_FREE: u32 = 20;
    /// The longest pause of an address.
    pub const ADDRESS_PAUSE_MAX: Duration = Duration::from_secs(15 * 60);
    /// After how long without another a failure is forgotten.
    pub const REMEMBERED: Duration = Duration::from_secs(3600);
    /// Most accounts and addresses that are counted, some 20 MB. At the limit the one that failed longest ago is forgotten:
    /// to be forgotten early, an attacker needs that many addresses, and then needs no forgetting.
    pub const COUNTED_MAX: usize = 100_000;
}

/// It is too early to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts failed; try again in {} seconds", time.as_millis().div_ceil(1000))]
pub struct Wait {
    /// For how long.
    pub time: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    latest: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tried {
    Account(Arc<str>),
    Address(Source),
}

impl Tried {
    fn account(text: &str) -> Tried {
        // A name that is too long is nobody's; its beginning stands for it.
        let plain: String = text.chars().take(ACCOUNT_CHARS_MAX).flat_map(char::to_lowercase).collect();
        Tried::Account(Arc::from(plain))
    }

    /// How long to wait after so many failures: a second, and twice as long each time.
    fn pause(&self, count: u32) -> Duration {
        let (free, longest) = match self {
            Tried::Account(_) => (Attempts::ACCOUNT_FREE, Attempts::ACCOUNT_PAUSE_MAX),
            Tried::Address(_) => (Attempts::ADDRESS_FREE, Attempts::ADDRESS_PAUSE_MAX),
        };
        match count.checked_sub(free) {
            None => Duration::ZERO,
            Some(over) => Duration::from_secs(1 << over.min(PAUSE_DOUBLINGS_MAX)).min(longest),
        }
    }
}

/// Characters of an account that are looked at.
const ACCOUNT_CHARS_MAX: usize = 64;
/// More doublings pass every longest pause.
const PAUSE_DOUBLINGS_MAX: u32 = 20;
