//! Supervision: moving, prioritising and assigning who waits, and calling customers back.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tandem_center::call::{Address, LineName};
use tandem_center::callback::ScheduledCallback;
use tandem_center::id::{AgentId, InteractionId, QueueId};
use tandem_center::supervise::{WorkAct, WorkCommand};
use tandem_center::{Input, Timestamp};
use utoipa::ToSchema;

use super::command::{CommandFaults, Done, Shown, carry_out, optional};
use super::error::ApiError;
use super::scope::Scope;

/// Where a customer is to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveTo {
    /// The queue.
    pub queue: String,
    /// Why, in the words of whoever wants it; at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How important a customer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Importance {
    /// From 1, first, to 5, last.
    #[schema(minimum = 1, maximum = 5)]
    pub priority: u8,
    /// Before everybody who is not. Default: no.
    #[serde(default)]
    pub vip: bool,
    /// Why, in the words of whoever wants it; at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// For whom a customer is to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The agent: one of the customer's queue.
    pub agent: String,
    /// Why, in the words of whoever wants it; at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why something is done; may be left out, with the whole body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// In the words of whoever wants it; at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A call to a customer that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedCallback {
    /// The line (trunk) over which the customer is called.
    pub line: String,
    /// The customer's number: `+` and 4 to 15 digits, or a short code of 2 to 15 digits.
    pub phone: String,
    /// The customer's name; at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The queue whose agents call.
    pub queue: String,
    /// When it enters the queue, in microseconds since 1970 UTC; at most a year ahead. Default: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// From 1, first, to 5, last. Default: as the queue says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 5)]
    pub priority: Option<u8>,
    /// Why, in the words of whoever wants it; at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Lets a customer who waits wait in another queue, with the whole wait so far; or takes a customer from the agent of a
/// conversation and lets the customer wait there.
#[utoipa::path(
    post, path = "/api/v1/calls/{id}/move", tag = "calls", operation_id = "call_move",
    params(
        ("id" = u64, Path, description = "The interaction's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    request_body = MoveTo,
    responses((status = 200, description = "The customer waits there, and that is written.", body = Done), CommandFaults)
)]
pub(super) async fn move_to(
    scope: Scope,
    id: Result<Path<u64>, PathRejection>,
    headers: HeaderMap,
    to: Result<Json<MoveTo>, JsonRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), Json(to)) = (id?, to?);
    let asked = format!("POST {id}/move {to:?}");
    let act = WorkAct::Move { interaction: InteractionId(id), queue: QueueId::new(to.queue) };
    command(&scope, &headers, &asked, act, to.reason, Shown::Call(InteractionId(id))).await
}

/// Gives a customer who waits another priority.
#[utoipa::path(
    post, path = "/api/v1/calls/{id}/priority", tag = "calls", operation_id = "call_prioritise",
    params(
        ("id" = u64, Path, description = "The interaction's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    request_body = Importance,
    responses((status = 200, description = "It holds, and is written.", body = Done), CommandFaults)
)]
pub(super) async fn prioritise(
    scope: Scope,
    id: Result<Path<u64>, PathRejection>,
    headers: HeaderMap,
    importance: Result<Json<Importance>, JsonRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), Json(importance)) = (id?, importance?);
    let asked = format!("POST {id}/priority {importance:?}");
    let Importance { priority, vip, reason } = importance;
    let act = WorkAct::Prioritise { interaction: InteractionId(id), priority, vip };
    command(&scope, &headers, &asked, act, reason, Shown::Call(InteractionId(id))).await
}

/// Lets a customer who waits wait for one agent only.
#[utoipa::path(
    post, path = "/api/v1/calls/{id}/assignment", tag = "calls", operation_id = "call_assign",
    params(
        ("id" = u64, Path, description = "The interaction's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    request_body = Assignment,
    responses((status = 200, description = "It holds, and is written.", body = Done), CommandFaults)
)]
pub(super) async fn assign(
    scope: Scope,
    id: Result<Path<u64>, PathRejection>,
    headers: HeaderMap,
    assignment: Result<Json<Assignment>, JsonRejection>,
) -> Result<Response, ApiError> {
    let (Path(id), Json(assignment)) = (id?, assignment?);
    let asked = format!("POST {id}/assignment {assignment:?}");
    let act = WorkAct::Assign { interaction: InteractionId(id), agent: AgentId::new(assignment.agent) };
    command(&scope, &headers, &asked, act, assignment.reason, Shown::Call(InteractionId(id))).await
}

/// Does not call a customer back after all.
#[utoipa::path(
    delete, path = "/api/v1/calls/{id}/callback", tag = "calls", operation_id = "callback_cancel",
    params(
        ("id" = u64, Path, description = "The interaction's id."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    request_body(content = Because, description = "May be left out."),
    responses((status = 200, description = "It is cancelled, and that is written.", body = Done), CommandFaults)
)]
pub(super) async fn cancel_callback(
    scope: Scope,
    id: Result<Path<u64>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let because: Because = optional(&headers, body)?;
    let asked = format!("DELETE {id}/callback {because:?}");
    let act = WorkAct::CancelCallback { interaction: InteractionId(id) };
    command(&scope, &headers, &asked, act, because.reason, Shown::Call(InteractionId(id))).await
}

/// Calls a customer, now or at a time: an agent of the queue is rung first, then the customer. The answer shows the new
/// interaction.
#[utoipa::path(
    post, path = "/api/v1/callbacks", tag = "calls", operation_id = "callback_schedule",
    params(
        ("Idempotency-Key" = Option<String>, Header,
            description = "Drawn anew for each command. A repeated one gets the first answer, for ten minutes."),
    ),
    request_body = WantedCallback,
    responses((status = 200, description = "The customer will be called, and that is written.", body = Done),
        CommandFaults)
)]
pub(super) async fn schedule_callback(
    scope: Scope,
    headers: HeaderMap,
    wanted: Result<Json<WantedCallback>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(wanted) = wanted?;
    let asked = format!("POST callbacks {wanted:?}");
    let reason = wanted.reason.clone();
    let act = WorkAct::ScheduleCallback(wanted.checked(&scope)?);
    command(&scope, &headers, &asked, act, reason, Shown::NewCall).await
}

/// Has something done with who waits, or with a queue.
pub(super) async fn command(
    scope: &Scope,
    headers: &HeaderMap,
    asked: &str,
    act: WorkAct,
    why: Option<String>,
    shown: Shown,
) -> Result<Response, ApiError> {
    let command = WorkCommand { act, why: why.map(Into::into) };
    carry_out(scope, headers, asked, Input::Work(command), shown).await
}

impl WantedCallback {
    fn checked(self, scope: &Scope) -> Result<ScheduledCallback, ApiError> {
        let line: LineName = self.line.as_str().into();
        let lines = scope.desk.lines();
        if !lines.contains(&line) {
            let known: Vec<&str> = lines.iter().map(|line| &**line).collect();
            let message = format!("there is no line {:?}; there are {}", self.line, known.join(", "));
            return Err(ApiError::bad_request("unknown_line", message, "name one of them").field("line"));
        }
        if !is_phone(&self.phone) {
            let message = format!("{:?} is no telephone number", self.phone);
            let remedy = "send + and 4 to 15 digits, or a short code of 2 to 15 digits";
            return Err(ApiError::bad_request("bad_phone", message, remedy).field("phone"));
        }
        let name = self.name.unwrap_or_default();
        if name.len() > NAME_BYTES_MAX {
            let message = format!("the name is longer than {NAME_BYTES_MAX} bytes");
            return Err(ApiError::bad_request("name_too_long", message, "send a shorter name").field("name"));
        }
        let at = self.at.unwrap_or_default();
        if at > super::now_us().saturating_add(AHEAD_US_MAX) {
            let (message, remedy) =
                ("the time is more than a year ahead", "send microseconds since 1970 UTC");
            return Err(ApiError::bad_request("bad_time", message, remedy).field("at"));
        }
        Ok(ScheduledCallback {
            line,
            to: Address::Phone(self.phone.into()),
            name: name.into(),
            queue: QueueId::new(self.queue),
            due_at: Timestamp::from_micros(at),
            priority: self.priority,
            why: None,
        })
    }
}

/// A number as the configuration writes it.
fn is_phone(text: &str) -> bool {
    let (digits, least) = text.strip_prefix('+').map_or((text, 2), |digits| (digits, 4));
    (least..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Bytes of a customer's name.
const NAME_BYTES_MAX: usize = 128;

/// How far ahead a callback may be: a year, so that a time in the wrong unit is noticed.
const AHEAD_US_MAX: u64 = 366 * 86_400 * 1_000_000;
