//! The commands under `/sandbox`: who plays the people of the tenants, or Microsoft's trouble, does it here.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::forgery::{Forgery, ForgeryFault};
use super::page::{self, Everybody};
use super::presence::{Activity, Availability, Client, PresenceFault, Status, StatusMessage, Told, View};
use super::subscription::{Resource, SILENT_AFTER, Standing, Subscription};
use super::switches::{Switches, TROUBLES_MAX};
use super::telling::Lifecycle;
use super::throttle::Limits;
use crate::web::{Cloud, CloudState};

/// The commands.
pub fn commands() -> Router<Cloud> {
    Router::new()
        .route("/", get(page::html))
        .route("/sandbox/page/people.css", get(page::css))
        .route("/sandbox/page/people.js", get(page::js))
        .route("/sandbox/people", get(people))
        .route("/sandbox/people/{user}/presence", get(presence).put(set_presence))
        .route("/sandbox/people/{user}/contradiction", put(contradict).delete(agree))
        .route("/sandbox/graph/switches", get(switches).put(set_switches))
        .route("/sandbox/graph/limits", get(limits).put(set_limits))
        .route("/sandbox/graph/delta/forget", post(forget_delta))
        .route("/sandbox/graph/forgeries", post(forge))
        .route("/sandbox/graph/subscriptions", get(subscriptions))
        .route("/sandbox/graph/subscriptions/{id}", delete(remove_subscription))
        .route("/sandbox/graph/subscriptions/{id}/lifecycle", post(tell_lifecycle))
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
pub(super) enum Choice {
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
    /// What the person has chosen last, as far as the presence tells.
    pub(super) fn of(view: &View) -> Option<Self> {
        let desktop = view.clients.iter().find(|client| client.client == Client::Desktop);
        match (view.preferred, desktop) {
            (_, None) if view.clients.is_empty() && view.licensed => Some(Self::SignedOut),
            (Some(preferred), _) => {
                Self::ALL.into_iter().find(|choice| choice.preferred() == Some(preferred))
            }
            (None, Some(desktop)) => Self::ALL
                .into_iter()
                .find(|choice| choice.preferred().is_none() && choice.reported() == Some(desktop.status)),
            (None, None) => None,
        }
    }

    const ALL: [Self; 13] = [
        Self::Available,
        Self::Busy,
        Self::DoNotDisturb,
        Self::BeRightBack,
        Self::Away,
        Self::AppearOffline,
        Self::InACall,
        Self::InAConferenceCall,
        Self::InAMeeting,
        Self::Presenting,
        Self::Focusing,
        Self::Inactive,
        Self::SignedOut,
    ];

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

/// `GET /sandbox/people?version=N&wait_ms=M`: everybody; waits up to M ms for something newer than N.
async fn people(State(cloud): State<Cloud>, Query(since): Query<Since>) -> Response {
    let patience = std::time::Duration::from_millis(since.wait_ms).min(WAIT_MAX);
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        let (stirred, everybody) = cloud.with(|now, state| {
            let waiting = state.graph.stirred();
            state.graph.follow(now, &state.directory);
            let newer = since.version != Some(state.graph.version(&state.directory));
            (waiting, newer.then(|| Everybody::of(state)))
        });
        if let Some(everybody) = everybody {
            return Json(everybody).into_response();
        }
        if tokio::time::timeout_at(deadline, stirred).await.is_err() {
            return StatusCode::NO_CONTENT.into_response();
        }
    }
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

/// A subscription as the page shows it. The client's secret is not told.
#[derive(Serialize)]
pub(super) struct SubscriptionView {
    id: String,
    app: String,
    tenant: String,
    creator: Option<String>,
    resource: String,
    rich: bool,
    expires: String,
    notification_url: String,
    lifecycle_url: Option<String>,
    standing: &'static str,
}

pub(super) fn subscription_views(state: &CloudState) -> Vec<SubscriptionView> {
    let view = |one: &Subscription| SubscriptionView {
        id: one.id.clone(),
        app: one.app.to_string(),
        tenant: one.tenant.to_string(),
        creator: one.creator.as_ref().map(ToString::to_string),
        resource: match &one.resource {
            Resource::Presence(people) => format!("presence of {}", people.len()),
            Resource::Users(_) => "users".to_owned(),
            Resource::Groups(_) => "groups".to_owned(),
        },
        rich: one.recipient.is_some(),
        expires: one.expires.to_string(),
        notification_url: one.notification_url.clone(),
        lifecycle_url: one.lifecycle_url.clone(),
        standing: match one.standing {
            Standing::Good { .. } => "good",
            Standing::Warned { .. } => "warned",
            Standing::Silent => "silent",
        },
    };
    state.graph.subscriptions.iter().map(view).collect()
}

/// `GET /sandbox/graph/subscriptions`: all of them, of all applications.
async fn subscriptions(State(cloud): State<Cloud>) -> Response {
    let all = cloud.with(|now, state| {
        state.graph.follow(now, &state.directory);
        serde_json::json!({
            "subscriptions": subscription_views(state),
            "waiting": state.graph.deliveries.len(),
            "dropped": state.graph.deliveries.dropped(),
        })
    });
    Json(all).into_response()
}

/// `DELETE /sandbox/graph/subscriptions/{id}`: Microsoft ends it and says so (`subscriptionRemoved`).
async fn remove_subscription(State(cloud): State<Cloud>, Path(id): Path<String>) -> StatusCode {
    let ended = cloud.with(|now, state| {
        let ended = state.graph.end(&id);
        if let Some(subscription) = &ended {
            state.graph.tell_lifecycle(now, subscription, Lifecycle::SubscriptionRemoved);
        }
        state.graph.stir();
        ended.is_some()
    });
    if ended { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LifecycleBody {
    event: Lifecycle,
}

/// `POST /sandbox/graph/subscriptions/{id}/lifecycle` with `{"event": "reauthorizationRequired"}`: its lifecycle
/// endpoint is told. Told that it has to be authorised again, it falls silent after a quarter of an hour.
async fn tell_lifecycle(
    State(cloud): State<Cloud>,
    Path(id): Path<String>,
    Json(body): Json<LifecycleBody>,
) -> StatusCode {
    let told = cloud.with(|now, state| {
        let subscription = state.graph.subscriptions.get_mut(&id).map(|subscription| {
            if body.event == Lifecycle::ReauthorizationRequired {
                subscription.standing = Standing::Warned { silent_at: now + SILENT_AFTER };
            }
            subscription.clone()
        });
        if let Some(subscription) = &subscription {
            state.graph.tell_lifecycle(now, subscription, body.event);
        }
        state.graph.stir();
        subscription.is_some()
    });
    if told { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForgeryBody {
    user: String,
    what: Forgery,
    #[serde(default = "available")]
    availability: Availability,
    #[serde(default = "active")]
    activity: Activity,
}

fn available() -> Availability {
    Availability::Available
}

fn active() -> Activity {
    Activity::Available
}

/// `POST /sandbox/graph/forgeries` with `{"user": "alice", "what": "foreign_key"}`: who watches that user's presence
/// is sent a notification with that one thing wrong, which claims a presence, Available unless it says another.
async fn forge(State(cloud): State<Cloud>, Json(body): Json<ForgeryBody>) -> Response {
    let done = cloud.with(|now, state| {
        state.graph.follow(now, &state.directory);
        let user = state.directory.user_named(&body.user).ok_or(ForgeryFault::NoSubscription)?;
        let claimed = Status::new(body.availability, body.activity);
        state.graph.forge(now, &mut state.entra, &user.object_id, claimed, body.what)
    });
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(fault) => {
            (StatusCode::CONFLICT, Json(serde_json::json!({ "error": fault.to_string() }))).into_response()
        }
    }
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
