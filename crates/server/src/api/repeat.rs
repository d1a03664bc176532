//! Commands that are sent twice are carried out once: the memory of idempotency keys.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};

use super::error::ApiError;

/// What was asked under which key, and what was answered.
#[derive(Default)]
pub struct Repeats {
    state: Mutex<State>,
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
    /// What was asked: method, path and body.
    request: Vec<u8>,
    answer: Option<(StatusCode, Bytes)>,
}

impl Repeats {
    /// Looks a key up, and remembers it if it is new. `now` moves the memory on.
    pub fn begin(&self, now: Instant, key: &str, request: &[u8]) -> Result<Turn, ApiError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget(now);
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
    pub fn answered(&self, key: &str, status: StatusCode, body: Bytes) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = state.entries.get_mut(key) {
            entry.answer = Some((status, body));
        }
    }

    /// Forgets a command that was not carried out: it may be tried again.
    pub fn failed(&self, key: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.entries.remove(key);
        state.order.retain(|(_, known)| known != key);
    }
}

impl State {
    fn remember(&mut self, now: Instant, key: &str, request: &[u8]) {
        if self.order.len() >= KEYS_MAX
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        self.order.push_back((now, key.to_owned()));
        self.entries.insert(key.to_owned(), Entry { request: request.to_owned(), answer: None });
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

/// The key of a request, if it has one.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=KEY_BYTES_MAX).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => {
            let message = format!("an idempotency key is 1 to {KEY_BYTES_MAX} visible ASCII characters");
            Err(ApiError::bad_request("bad_key", message, "send a UUID, for example").field(HEADER))
        }
    }
}

/// The header that carries the key.
pub const HEADER: &str = "Idempotency-Key";

/// Longest key.
const KEY_BYTES_MAX: usize = 128;

/// How long a key is remembered.
const KEPT: Duration = Duration::from_secs(600);

/// How many keys are remembered; beyond it the oldest is forgotten early.
const KEYS_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_first(turn: Result<Turn, ApiError>) -> bool {
        matches!(turn, Ok(Turn::First))
    }

    #[test]
    fn a_repeated_command_gets_the_answer_of_the_first() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!(is_first(repeats.begin(now, "k", b"PUT /a")));
        assert!(repeats.begin(now, "k", b"PUT /a").is_err(), "it is still being carried out");
        repeats.answered("k", StatusCode::OK, Bytes::from_static(b"done"));
        let again = repeats.begin(now, "k", b"PUT /a").unwrap();
        assert!(matches!(again, Turn::Again(StatusCode::OK, body) if body == "done"));
        assert!(repeats.begin(now, "k", b"PUT /b").is_err(), "another command under the same key");
    }

    #[test]
    fn a_failed_command_may_be_tried_again() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!(is_first(repeats.begin(now, "k", b"x")));
        repeats.failed("k");
        assert!(is_first(repeats.begin(now, "k", b"x")));
    }

    #[test]
    fn keys_are_forgotten_after_a_while_and_when_there_are_too_many() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!(is_first(repeats.begin(now, "old", b"x")));
        repeats.answered("old", StatusCode::OK, Bytes::new());
        assert!(is_first(repeats.begin(now + KEPT, "old", b"x")));
        for number in 0..KEYS_MAX {
            assert!(is_first(repeats.begin(now + KEPT, &number.to_string(), b"x")));
        }
        assert!(is_first(repeats.begin(now + KEPT, "old", b"x")));
    }
}
