//! Several calls in one request, at most twenty (JSON batching).
//!
//! Graph limits each of them alone: what it refuses for haste inside a batch is repeated alone, the rest is done.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::call::{Answer, Call, Caller, NoAnswer, Operation, Target};
use crate::graph::fault::{Fault, RETRY_AFTER_MAX};
use crate::http::Response;

/// Calls of one caller that go in one request.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    calls: Vec<Call>,
}

/// A call does not go into the batch; it is handed back.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotBatched {
    /// There are twenty already.
    #[error("the batch is full")]
    Full(Call),
    /// It is of another caller, or goes to a link rather than to a path.
    #[error("the call does not go with the others")]
    DoesNotFit(Call),
}

/// One call of a batch, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// What was asked.
    pub call: Call,
    /// What was answered, as if it had been asked alone; a body that is not JSON comes as its octets.
    pub answer: Answer,
}

impl Batch {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a call in.
    ///
    /// # Errors
    /// It does not go in; it is handed back.
    pub fn push(&mut self, call: Call) -> Result<(), NotBatched> {
        if self.calls.len() >= CALLS_MAX {
            return Err(NotBatched::Full(call));
        }
        let fits = matches!(call.target, Target::Path(_))
            && self.calls.first().is_none_or(|first| first.caller == call.caller);
        if !fits {
            return Err(NotBatched::DoesNotFit(call));
        }
        self.calls.push(call);
        Ok(())
    }

    /// How many calls are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether no call is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The one request for all of them.
    #[must_use]
    pub fn call(&self) -> Call {
        let caller = self.calls.first().map_or(Caller::Application, |call| call.caller);
        let requests: Vec<_> = self.calls.iter().enumerate().map(|(place, call)| part(place, call)).collect();
        Call::post(Operation::Batch, caller, "/$batch").json(&Parts { requests })
    }

    /// Reads the answer: one for each call, in the order they were put in.
    ///
    /// A call that Graph left out of its answer has none ([`NoAnswer::TooSlow`]). What it refused for haste has a fault with
    /// its own pause; [`Batch::again`] makes a batch of those alone.
    ///
    /// # Errors
    /// The request as a whole was not done, or its answer cannot be read.
    pub fn answers(self, answer: &Answer) -> Result<Vec<Answered>, Fault> {
        let answers: WireAnswers =
            Fault::read(Operation::Batch, answer, |response| serde_json::from_slice(&response.body).ok())?;
        let mut by_id: BTreeMap<String, WireAnswer> = BTreeMap::new();
        for answer in answers.responses.into_iter().take(CALLS_MAX) {
            by_id.entry(answer.id.clone()).or_insert(answer);
        }
        let answered = |(place, call): (usize, Call)| {
            let answer = by_id.remove(&place.to_string()).map(WireAnswer::response).ok_or(NoAnswer::TooSlow);
            Answered { call, answer }
        };
        Ok(self.calls.into_iter().enumerate().map(answered).collect())
    }

    /// What Graph refused for haste, to be asked again alone; the others are handed back.
    #[must_use]
    pub fn again(answered: Vec<Answered>) -> (Option<Again>, Vec<Answered>) {
        let hasty = |answered: &Answered| matches!(&answered.answer, Ok(response) if response.status == 429);
        let (hasty, done): (Vec<_>, Vec<_>) = answered.into_iter().partition(hasty);
        let pause = hasty.iter().filter_map(Answered::pause).max();
        let batch = Self { calls: hasty.into_iter().map(|answered| answered.call).collect() };
        ((!batch.is_empty()).then_some(Again { batch, pause }), done)
    }
}

/// Calls of a batch that Graph refused for haste.
#[derive(Clone, Debug)]
pub struct Again {
    /// Those calls, and no others.
    pub batch: Batch,
    /// The longest pause that Graph asked for with one of them, if with any.
    pub pause: Option<Duration>,
}

impl Answered {
    /// The pause that Graph asks for with this answer.
    fn pause(&self) -> Option<Duration> {
        let seconds = self.answer.as_ref().ok()?.retry_after_seconds()?;
        Some(Duration::from_secs(u64::from(seconds)).min(RETRY_AFTER_MAX))
    }
}

/// Calls in one batch.
pub const CALLS_MAX: usize = 20;

fn part(place: usize, call: &Call) -> Part<'_> {
    let url = match &call.target {
        Target::Path(path) | Target::Link(path) => path,
    };
    let mut headers: BTreeMap<&str, &str> =
        call.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body: Option<Value> = serde_json::from_slice(&call.body).ok();
    if body.is_some() {
        headers.insert("Content-Type", "application/json");
    }
    Part {
        id: place.to_string(),
        method: call.method.as_str(),
        url,
        headers: (!headers.is_empty()).then_some(headers),
        body,
    }
}

#[derive(Serialize)]
struct Parts<'a> {
    requests: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    id: String,
    method: &'static str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<&'a str, &'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

#[derive(Deserialize)]
struct WireAnswers {
    responses: Vec<WireAnswer>,
}

#[derive(Deserialize)]
struct WireAnswer {
    id: String,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
}

impl WireAnswer {
    /// As if it had come alone.
    fn response(self) -> Response {
        use base64::Engine as _;
        let body = match &self.body {
            Value::Null => Vec::new(),
            // What is not JSON comes in base64; a text that is none is taken as it is.
            Value::String(text) => base64::engine::general_purpose::STANDARD
                .decode(text)
                .unwrap_or_else(|_| text.clone().into_bytes()),
            json => serde_json::to_vec(json).unwrap_or_default(),
        };
        Response { status: self.status, headers: self.headers.into_iter().collect(), body }
    }
}
