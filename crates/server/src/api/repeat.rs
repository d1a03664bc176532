//! Commands that are sent twice are carried out once: the memory of idempotency keys.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{self, SHA256_OUTPUT_LEN};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};

use tandem_people::scope::Scope as Owner;

use super::error::ApiError;

/// What was asked under which key, and what was answered. Each tenant has a memory of its own.
#[derive(Default)]
pub struct Repeats {
    of: Mutex<BTreeMap<Owner, State>>,
}

/// An idempotency key, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    owner: Owner,
    /// With what tells it from the same key of others of that owner.
    text: String,
}

/// What to do with a command.
pub enum Turn {
    /// It is new: carry it out, then [`Repeats::answered`] or [`Repeats::failed`].
    First,
    /// It was carried out before, with this answer.
    Again(StatusCode, Bytes),
}

#[derive(Default)]
struct State {
    entries: BTreeMap<String, Entry>,
    /// Keys by age, oldest first.
    order: VecDeque<(Instant, String)>,
}

struct Entry {
    /// The hash of what was asked: method, path and body.
    request: [u8; SHA256_OUTPUT_LEN],
    answer: Option<(StatusCode, Bytes)>,
}

impl Repeats {
    /// Looks a key up, and remembers it if it is new. `now` moves the memory on.
    pub fn begin(&self, now: Instant, key: &Key, request: &[u8]) -> Result<Turn, ApiError> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, key) = (of.entry(key.owner.clone()).or_default(), key.text.as_str());
        state.forget(now);
        let request = hash(request);
        match state.entries.get(key) {
            None => {
                state.remember(now, key, request);
                Ok(Turn::First)
            }
            Some(entry) if entry.request != request => Err(ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "key_reused",
                "this idempotency key was used for another command",
                "draw a new key for each command",
            )
            .field(HEADER)),
            Some(Entry { answer: Some((status, body)), .. }) => Ok(Turn::Again(*status, body.clone())),
            Some(Entry { answer: None, .. }) => Err(ApiError::new(
                StatusCode::CONFLICT,
                "in_progress",
                "the command with this idempotency key is being carried out",
                "try again in a second",
            )
            .field(HEADER)),
        }
    }

    /// Remembers the answer: a repeated command gets it again.
    pub fn answered(&self, key: &Key, status: StatusCode, body: Bytes) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let state = of.entry(key.owner.clone()).or_default();
        if let Some(entry) = state.entries.get_mut(&key.text) {
            entry.answer = Some((status, body));
        }
    }

    /// Forgets a command that was not carried out: it may be tried again.
    pub fn failed(&self, key: &Key) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let state = of.entry(key.owner.clone()).or_default();
        state.entries.remove(&key.text);
        state.order.retain(|(_, known)| *known != key.text);
    }
}

impl State {
    fn remember(&mut self, now: Instant, key: &str, request: [u8; SHA256_OUTPUT_LEN]) {
        if self.order.len() >= KEYS_MAX
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        self.order.push_back((now, key.to_owned()));
        self.entries.insert(key.to_owned(), Entry { request, answer: None });
    }

    fn forget(&mut self, now: Instant) {
        while let Some((since, _)) = self.order.front()
            && now.saturating_duration_since(*since) >= KEPT
            && let Some((_, key)) = self.order.pop_front()
        {
            self.entries.remove(&key);
        }
    }
}

impl Key {
    /// The key of a request, if it has one. It takes room of the owner's; whose it is among them, `among` says: every
    /// caller's, if nothing is said.
    pub fn of(headers: &HeaderMap, owner: Owner, among: &str) -> Result<Option<Key>, ApiError> {
        Ok(text(headers)?.map(|text| Key { owner, text: format!("{among} {text}") }))
    }
}

fn text(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=KEY_BYTES_MAX).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => {
            let message = format!("an idempotency key is 1 to {KEY_BYTES_MAX} visible ASCII characters");
            Err(ApiError::bad_request("bad_key", message, "send a UUID, for example").field(HEADER))
        }
    }
}

fn hash(request: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut hash = [0; SHA256_OUTPUT_LEN];
    hash.copy_from_slice(digest::digest(&digest::SHA256, request).as_ref());
    hash
}

/// The header that carries the key.
pub const HEADER: &str = "Idempotency-Key";

/// Longest key.
const KEY_BYTES_MAX: usize = 128;

/// How long a key is remembered.
const KEPT: Duration = Duration::from_secs(600);

/// How many keys of one owner are remembered; beyond it the oldest is forgotten early.
const KEYS_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_first(turn: Result<Turn, ApiError>) -> bool {
        matches!(turn, Ok(Turn::First))
    }

    fn key(text: &str) -> Key {
        Key { owner: Owner::tenant("north"), text: text.to_owned() }
    }

    #[test]
    fn a_repeated_command_gets_the_answer_of_the_first() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!(is_first(repeats.begin(now, &key("k"), b"PUT /a")));
        assert!(repeats.begin(now, &key("k"), b"PUT /a").is_err(), "it is still being carried out");
        repeats.answered(&key("k"), StatusCode::OK, Bytes::from_static(b"done"));
        let again = repeats.begin(now, &key("k"), b"PUT /a").unwrap();
        assert!(matches!(again, Turn::Again(StatusCode::OK, body) if body == "done"));
        assert!(repeats.begin(now, &key("k"), b"PUT /b").is_err(), "another command under the same key");
    }

    #[test]
    fn a_failed_command_may_be_tried_again() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!(is_first(repeats.begin(now, &key("k"), b"x")));
        repeats.failed(&key("k"));
        assert!(is_first(repeats.begin(now, &key("k"), b"x")));
    }

    #[test]
    fn keys_are_forgotten_after_a_while_and_when_there_are_too_many() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!(is_first(repeats.begin(now, &key("old"), b"x")));
        repeats.answered(&key("old"), StatusCode::OK, Bytes::new());
        assert!(is_first(repeats.begin(now + KEPT, &key("old"), b"x")));
        for number in 0..KEYS_MAX {
            assert!(is_first(repeats.begin(now + KEPT, &key(&number.to_string()), b"x")));
        }
        assert!(is_first(repeats.begin(now + KEPT, &key("old"), b"x")));
    }

    #[test]
    fn many_commands_of_one_tenant_push_none_of_another_out() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        let of_south = Key { owner: Owner::tenant("south"), ..key("k") };
        assert!(is_first(repeats.begin(now, &of_south, b"x")));
        repeats.answered(&of_south, StatusCode::OK, Bytes::new());
        for number in 0..2 * KEYS_MAX {
            assert!(is_first(repeats.begin(now, &key(&number.to_string()), b"x")));
        }
        assert!(is_first(repeats.begin(now, &key("k"), b"x")), "the same key is another's there");
        assert!(matches!(repeats.begin(now, &of_south, b"x"), Ok(Turn::Again(..))));
    }
}
