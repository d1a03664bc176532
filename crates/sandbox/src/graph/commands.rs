//! The commands under `/sandbox`: who plays the people of the tenants, or Microsoft's trouble, does it here.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::presence::{Activity, Availability, Client, PresenceFault, Status, StatusMessage, Told, View};
use super::switches::{Switches, TROUBLES_MAX};
use super::throttle::Limits;
use crate::web::{Cloud, CloudState};

/// The commands.
pub fn commands() -> Router<Cloud> {
    Router::new()
        .route("/sandbox/people", get(people))
        .route("/sandbox/people/{user}/presence", get(presence).put(set_presence))
        .route("/sandbox/people/{user}/contradiction", put(contradict).delete(agree))
        .route("/sandbox/graph/switches", get(switches).put(set_switches))
        .route("/sandbox/graph/limits", get(limits).put(set_limits))
        .route("/sandbox/graph/delta/forget", post(forget_delta))
}

/// What a person does, seen from outside.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Play {
    /// One of the choices of a Teams client, or what its calendar and calls do.
    choice: Option<Choice>,
    /// The words under the name; empty words take them away.
    message: Option<String>,
    /// Out of office with these words; empty words: back again.
    out_of_office: Option<String>,
}

/// What somebody can choose in a Teams client, or be put into by what he does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    /// Available, and nothing preferred.
    Available,
    /// Preferred: busy.
    Busy,
    /// Preferred: do not disturb.
    DoNotDisturb,
    /// Preferred: be right back.
    BeRightBack,
    /// Preferred: appear away.
    Away,
    /// Preferred: appear offline.
    AppearOffline,
    /// The client is in a call.
    InACall,
    /// The client is in a call of several.
    InAConferenceCall,
    /// The calendar has a meeting.
    InAMeeting,
    /// The client shares its screen.
    Presenting,
    /// The calendar has focus time.
    Focusing,
    /// The person has not touched the computer for a while.
    Inactive,
    /// All clients are signed out.
    SignedOut,
}

impl Choice {
    /// What the person prefers to be seen as, if this is such a choice.
    fn preferred(self) -> Option<Status> {
        use Activity as Act;
        use Availability as Is;
        Some(match self {
            Self::Busy => Status::new(Is::Busy, Act::Busy),
            Self::DoNotDisturb => Status::new(Is::DoNotDisturb, Act::DoNotDisturb),
            Self::BeRightBack => Status::new(Is::BeRightBack, Act::BeRightBack),
            Self::Away => Status::new(Is::Away, Act::Away),
            Self::AppearOffline => Status::new(Is::Offline, Act::OffWork),
            _ => return None,
        })
    }

    /// What the client reports; `None`: there is none.
    fn reported(self) -> Option<Status> {
        use Activity as Act;
        use Availability as Is;
        Some(match self {
            Self::SignedOut => return None,
            Self::InACall => Status::IN_A_CALL,
            Self::InAConferenceCall => Status::new(Is::Busy, Act::InAConferenceCall),
            Self::InAMeeting => Status::new(Is::Busy, Act::InAMeeting),
            Self::Presenting => Status::new(Is::DoNotDisturb, Act::Presenting),
            Self::Focusing => Status::new(Is::DoNotDisturb, Act::Focusing),
            Self::Inactive => Status::new(Is::AvailableIdle, Act::Inactive),
            _ => Status::AVAILABLE,
        })
    }
}

/// `PUT /sandbox/people/{user}/presence`.
async fn set_presence(
    State(cloud): State<Cloud>,
    Path(user): Path<String>,
    Json(play): Json<Play>,
) -> Response {
    let done = cloud.with(|now, state| {
        let id = known(state, now, &user)?;
        let presences = &mut state.graph.presences;
        if let Some(choice) = play.choice {
            match choice.reported() {
                None => presences.sign_out(now, &id)?,
                Some(status) => presences.set_client(now, &id, Client::Desktop, Some(status))?,
            }
            match choice.preferred() {
                None => presences.prefer_nothing(now, &id)?,
                Some(status) => presences.prefer(now, &id, status, None)?,
            }
        }
        if let Some(content) = play.message {
            let message =
                StatusMessage { content, content_type: "text".to_owned(), published: now, expires: None };
            presences.set_message(now, &id, Some(message))?;
        }
        if let Some(message) = play.out_of_office {
            presences.set_out_of_office(now, &id, Some(message).filter(|message| !message.is_empty()))?;
        }
        state.graph.stir();
        Ok(())
    });
    done.map_or_else(refuse, |()| StatusCode::NO_CONTENT.into_response())
}

/// `GET /sandbox/people/{user}/presence`: what it is put together of.
async fn presence(State(cloud): State<Cloud>, Path(user): Path<String>) -> Response {
    let found = cloud.with(|now, state| {
        let id = known(state, now, &user)?;
        state.graph.presences.view(&id).ok_or(PresenceFault::NoPerson)
    });
    found.map_or_else(refuse, |view: View| Json(view).into_response())
}

/// `PUT /sandbox/people/{user}/contradiction` with two words: Graph answers so when asked, while notifications go on
/// telling the truth.
async fn contradict(
    State(cloud): State<Cloud>,
    Path(user): Path<String>,
    Json(told): Json<Told>,
) -> Response {
    set_contradiction(&cloud, &user, Some(told))
}

async fn agree(State(cloud): State<Cloud>, Path(user): Path<String>) -> Response {
    set_contradiction(&cloud, &user, None)
}

fn set_contradiction(cloud: &Cloud, user: &str, told: Option<Told>) -> Response {
    let done = cloud.with(|now, state| {
        let id = known(state, now, user)?;
        state.graph.presences.contradict(&id, told)?;
        state.graph.stir();
        Ok(())
    });
    done.map_or_else(refuse, |()| StatusCode::NO_CONTENT.into_response())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Since {
    version: Option<u64>,
    wait_ms: u64,
}

/// Everything that the page shows.
#[derive(Serialize)]
struct Everybody {
    version: u64,
    tenants: Vec<TenantView>,
}

#[derive(Serialize)]
struct TenantView {
    id: String,
    name: String,
    people: Vec<PersonView>,
}

#[derive(Serialize)]
struct PersonView {
    id: String,
    name: String,
    principal: String,
    department: String,
    job_title: String,
    roles: Vec<String>,
    guest: bool,
    enabled: bool,
    presence: Option<View>,
}

/// `GET /sandbox/people?version=N&wait_ms=M`: everybody; waits up to M ms for something newer than N.
async fn people(State(cloud): State<Cloud>, Query(since): Query<Since>) -> Response {
    let patience = std::time::Duration::from_millis(since.wait_ms).min(WAIT_MAX);
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        let (stirred, everybody) = cloud.with(|now, state| {
            let stirred = state.graph.stirred.clone();
            let waiting = stirred.notified_owned();
            let newer = since.version != Some(state.graph.version);
            (waiting, newer.then(|| everybody(now, state)))
        });
        if let Some(everybody) = everybody {
            return Json(everybody).into_response();
        }
        if tokio::time::timeout_at(deadline, stirred).await.is_err() {
            return StatusCode::NO_CONTENT.into_response();
        }
    }
}

fn everybody(now: Timestamp, state: &mut CloudState) -> Everybody {
    state.graph.follow(now, &state.directory);
    let (graph, directory) = (&state.graph, &state.directory);
    let tenants = directory.tenants().map(|tenant| TenantView {
        id: tenant.id.to_string(),
        name: tenant.name.clone(),
        people: tenant
            .users
            .values()
            .map(|user| PersonView {
                id: user.id.clone(),
                name: user.name.clone(),
                principal: user.principal.clone(),
                department: user.department.clone(),
                job_title: user.job_title.clone(),
                roles: directory.apps().flat_map(|app| tenant.roles_of(app, &user.object_id)).collect(),
                guest: user.guest,
                enabled: user.enabled,
                presence: graph.presences.view(user.object_id.as_str()),
            })
            .collect(),
    });
    Everybody { version: graph.version, tenants: tenants.collect() }
}

/// `GET /sandbox/graph/switches`.
async fn switches(State(cloud): State<Cloud>) -> Json<Switches> {
    Json(cloud.with(|_, state| state.graph.switches.clone()))
}

/// `PUT /sandbox/graph/switches`: what goes wrong from now on; what is left out goes right again.
async fn set_switches(State(cloud): State<Cloud>, Json(switches): Json<Switches>) -> Response {
    if switches.troubles.len() > TROUBLES_MAX {
        return (StatusCode::UNPROCESSABLE_ENTITY, "more troubles than the sandbox keeps").into_response();
    }
    cloud.with(|_, state| {
        state.graph.switches = switches;
        state.graph.stir();
    });
    StatusCode::NO_CONTENT.into_response()
}

/// `GET /sandbox/graph/limits`.
async fn limits(State(cloud): State<Cloud>) -> Json<Limits> {
    Json(cloud.with(|_, state| state.graph.limits.clone()))
}

/// `PUT /sandbox/graph/limits`: the limits of throttling; what is left out is as Microsoft has it.
async fn set_limits(State(cloud): State<Cloud>, Json(limits): Json<Limits>) -> StatusCode {
    cloud.with(|_, state| state.graph.limits = limits);
    StatusCode::NO_CONTENT
}

/// `POST /sandbox/graph/delta/forget`: all tokens of delta queries are gone; who comes with one gets 410.
async fn forget_delta(State(cloud): State<Cloud>) -> StatusCode {
    cloud.with(|_, state| state.graph.delta_epoch += 1);
    StatusCode::NO_CONTENT
}

/// The object id of whom the control calls so.
fn known(state: &mut CloudState, now: Timestamp, user: &str) -> Result<String, PresenceFault> {
    state.graph.follow(now, &state.directory);
    let user = state.directory.user_named(user).ok_or(PresenceFault::NoPerson)?;
    Ok(user.object_id.to_string())
}

fn refuse(fault: PresenceFault) -> Response {
    let status = match fault {
        PresenceFault::NoPerson => StatusCode::NOT_FOUND,
        PresenceFault::NoLicence => StatusCode::CONFLICT,
        PresenceFault::Pair | PresenceFault::Duration | PresenceFault::Message => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    (status, Json(serde_json::json!({ "error": fault.to_string() }))).into_response()
}

/// How long one request may wait for news.
const WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(60);
