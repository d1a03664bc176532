//! The first start: a code on the console that lets one person in, who makes all others.

use std::time::Duration;

use crate::moment::UnixMillis;
use crate::secret::{Secret, SecretHash};

/// Whether the installation waits for its first operator.
///
/// It belongs to one run of the program and is never kept: another start, another code. Whoever can read the console owns
/// the machine, and that is all the code proves.
#[derive(Debug)]
pub enum Setup {
    /// Somebody is in charge, or the code was used: there is nothing to set up.
    Closed,
    /// Nobody is in charge yet.
    Open {
        /// What is known of the code.
        hash: SecretHash,
        /// Until when it is good.
        until: UnixMillis,
    },
}

impl Setup {
    /// Draws a code, to be shown on the console and nowhere else.
    pub fn open(now: UnixMillis, random: &[u8; Setup::RANDOM_BYTES]) -> (Setup, Secret) {
        let letters = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        let mut code = String::with_capacity(Setup::RANDOM_BYTES + 4);
        for (index, letter) in letters.enumerate() {
            if index > 0 && index % GROUP_CHARS == 0 {
                code.push('-');
            }
            code.push(letter);
        }
        (Setup::Open { hash: SecretHash::of(&plain(&code)), until: now + Setup::GOOD_FOR }, Secret::new(code))
    }

    /// Whether a code would be looked at.
    pub fn is_open(&self, now: UnixMillis) -> bool {
        matches!(self, Setup::Open { until, .. } if now < *until)
    }

    /// Uses the code: the caller may make one person, who is administrator and operator. It is good once. Letter case,
    /// hyphens and blanks do not matter, and `O`, `I` and `L` are read as the digits they look like.
    ///
    /// # Errors
    ///
    /// See [`SetupFault`]. When its time is over it closes: the program must be started again.
    pub fn redeem(&mut self, now: UnixMillis, code: &str) -> Result<(), SetupFault> {
        self.check(now, code)?;
        *self = Setup::Closed;
        Ok(())
    }

    /// Looks whether the code is right, before anything else is looked at for somebody who may have none: it stays good.
    ///
    /// # Errors
    ///
    /// As [`Setup::redeem`]. A wrong one changes nothing: with 100 bits guessing is no danger, and whoever could close the setup
    /// by it would keep its owner out.
    pub fn check(&mut self, now: UnixMillis, code: &str) -> Result<(), SetupFault> {
        let Setup::Open { hash, until } = self else { return Err(SetupFault::Closed) };
        if *until <= now {
            *self = Setup::Closed;
            return Err(SetupFault::Expired);
        }
        if code.len() <= CODE_BYTES_MAX && SecretHash::of(&plain(code)) == *hash {
            return Ok(());
        }
        Err(SetupFault::Wrong)
    }

    /// Somebody is in charge: no code is good any more.
    pub fn close(&mut self) {
        *self = Setup::Closed;
    }

    /// How long a code is good.
    pub const GOOD_FOR: Duration = Duration::from_secs(30 * 60);
    /// Random bytes that a code takes: one for each letter, five bits of each are used.
    pub const RANDOM_BYTES: usize = 20;
}

/// Why a code lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupFault {
    /// There is nothing to set up, or the code was used.
    #[error("there is no setup under way; to begin one, start the program without an operator")]
    Closed,
    /// Its time is over.
    #[error("the code has expired; start the program again for another")]
    Expired,
    /// It is not the code.
    #[error("this is not the code")]
    Wrong,
}

impl SetupFault {
    /// The stable word for the page and for programs.
    pub const fn code(self) -> &'static str {
        match self {
            SetupFault::Closed => "setup_closed",
            SetupFault::Expired => "setup_expired",
            SetupFault::Wrong => "setup_wrong",
        }
    }
}

/// The code as it was drawn, however it was typed.
fn plain(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase());
    letters
        .map(|letter| match letter {
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        })
        .collect()
}

/// Crockford's base 32: nothing in it is taken for something else.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters between hyphens.
const GROUP_CHARS: usize = 5;
/// What is longer is not looked at.
const CODE_BYTES_MAX: usize = 128;
