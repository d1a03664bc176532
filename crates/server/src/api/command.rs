//! Commands: carried out once, answered when what came of them is written.

use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tandem_center::Input;
use tandem_center::id::{AgentId, InteractionId, QueueId};
use tandem_people::caller::Caller;
use tandem_people::scope::Scope as Owner;
use utoipa::{IntoResponses, ToSchema};

use super::Api;
use super::agents::Agent;
use super::calls::Call;
use super::error::{ApiError, ErrorBody};
use super::queues::Queue;
use super::repeat::{Key, Turn};
use super::scope::Scope;
use super::trail::Noted;
use crate::engine::Carried;

/// A command was carried out, and is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// The number of the last fact that came of it. Whoever follows `/live` and has this number has seen it.
    pub number: u64,
    /// The agent afterwards, if the command was about one; missing if no longer in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// The call afterwards, if the command was about one; missing if it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
    /// The queue afterwards, if the command was about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
}

/// What a command can be answered with other than 200.
#[derive(IntoResponses)]
pub enum CommandFaults {
    /// The body, the path or a header is wrong.
    #[response(status = 400)]
    Bad(ErrorBody),
    /// There is no such thing.
    #[response(status = 404)]
    Unknown(ErrorBody),
    /// It cannot be done as things are, or the command with this key is being carried out.
    #[response(status = 409)]
    Conflict(ErrorBody),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The body is not declared as JSON.
    #[response(status = 415)]
    NotJson(ErrorBody),
    /// The key was used for another command.
    #[response(status = 422)]
    KeyReused(ErrorBody),
    /// Overloaded, or the journal cannot be written.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// What the answer of a command shows.
pub(super) enum Shown {
    /// An agent.
    Agent(AgentId),
    /// A call.
    Call(InteractionId),
    /// The call that began with the command.
    NewCall,
    /// A queue.
    Queue(QueueId),
}

/// Has a command carried out. With an idempotency key, a repeated one gets the first answer; `asked` says what was asked.
pub(super) async fn carry_out(
    scope: &Scope,
    headers: &HeaderMap,
    asked: &str,
    command: Input,
    shown: Shown,
) -> Result<Response, ApiError> {
    // A key means something only to the tenant for whom it was drawn.
    let Some(key) = Key::of(headers, Owner::tenant(scope.desk.tenant().as_str()), "")? else {
        let carried = scope.desk.command(command).await?;
        return Ok(Json(Done::of(scope, carried, shown)).into_response());
    };
    if let Turn::Again(status, body) = scope.api.repeats.begin(Instant::now(), &key, asked.as_bytes())? {
        return Ok(json(status, body));
    }
    // Forgets the key also when whether it was carried out is not known.
    let trial = Trial { api: &scope.api, key: &key, settled: false };
    let carried = scope.desk.command(command).await?;
    let body = serde_json::to_vec(&Done::of(scope, carried, shown)).unwrap_or_default();
    Ok(json(StatusCode::OK, trial.succeeded(StatusCode::OK, body.into())))
}

/// Has something done that is no command to the contact center. With an idempotency key, a repeated one gets the first
/// answer; a key is its caller's, `asked` says what was asked. What is noted for the audit trail is noted once.
pub(super) async fn once<T: Serialize>(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    asked: &str,
    status: StatusCode,
    work: impl Future<Output = Result<(T, Noted), ApiError>>,
) -> Result<Response, ApiError> {
    let key = Key::of(headers, caller.scope().clone(), &format!("{:?}", caller.who()))?;
    if let Some(key) = &key
        && let Turn::Again(status, body) = api.repeats.begin(Instant::now(), key, asked.as_bytes())?
    {
        return Ok(json(status, body));
    }
    let trial = key.as_ref().map(|key| Trial { api, key, settled: false });
    let (done, noted) = work.await?;
    let body = Bytes::from(serde_json::to_vec(&done).unwrap_or_default());
    let body = match trial {
        Some(trial) => trial.succeeded(status, body),
        None => body,
    };
    let mut response = json(status, body);
    response.extensions_mut().insert(noted);
    Ok(response)
}

/// Reads a body that may be left out.
pub(super) fn optional<T: DeserializeOwned + Default>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, ApiError> {
    let body = body?;
    if body.is_empty() {
        return Ok(T::default());
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/json") {
        return Err(ApiError::not_json());
    }
    let read: Result<Json<T>, JsonRejection> = Json::from_bytes(&body);
    Ok(read?.0)
}

impl Done {
    fn of(scope: &Scope, carried: Carried, shown: Shown) -> Done {
        let view = scope.desk.live().view();
        let mut done = Done { number: carried.last, agent: None, call: None, queue: None };
        match shown {
            Shown::Agent(id) => done.agent = Agent::find(&view, &id),
            Shown::Call(id) => done.call = Call::find(&view, id),
            // A call that begins with a command begins with the first fact of it.
            Shown::NewCall => done.call = Call::find(&view, InteractionId(carried.before + 1)),
            Shown::Queue(id) => done.queue = Queue::find(&view, &id),
        }
        done
    }
}

struct Trial<'a> {
    api: &'a Api,
    key: &'a Key,
    settled: bool,
}

impl Trial<'_> {
    fn succeeded(mut self, status: StatusCode, body: Bytes) -> Bytes {
        self.api.repeats.answered(self.key, status, body.clone());
        self.settled = true;
        body
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.api.repeats.failed(self.key);
        }
    }
}

fn json(status: StatusCode, body: Bytes) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(CONTENT_TYPE, kind)], body).into_response()
}
