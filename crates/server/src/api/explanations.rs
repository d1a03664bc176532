//! Explained routing over the API: why somebody waits, and why an agent was rung.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;
use tandem_center::explain::{self, explain};
use tandem_center::fact::FactKind;
use tandem_center::id::InteractionId;
use utoipa::{IntoParams, ToSchema};

use super::agents::{ConfidenceName, PresenceName};
use super::error::{ApiError, ErrorBody};
use super::scope::Scope;

/// Why somebody waits, or why an agent was rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// The number of the fact of the offer that is explained; missing if it is explained why the customer waits now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<u64>,
    /// Of what moment, in microseconds since 1970 UTC.
    pub at: u64,
    /// All of it in words, as English sentences.
    pub sentences: Vec<String>,
    /// The agents of the queue who could have been rung, the one first who comes first.
    pub eligible: Vec<EligibleAgent>,
    /// The agents of the queue who could not, by name.
    pub excluded: Vec<ExcludedAgent>,
    /// Everything that the rules looked at, for programs: place, wait, priority, what is asked for, the agents with the
    /// rule and the age of what it looked at.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}

/// An agent who was free and fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EligibleAgent {
    /// The agent's id.
    pub agent: String,
    /// The agent's name.
    pub name: String,
    /// How long without work, in microseconds.
    pub idle_us: u64,
    /// What another system said of the agent, if it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<SeenPresence>,
}

/// What another system said of an agent when something was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeenPresence {
    /// Which system.
    pub source: String,
    /// What it said.
    pub presence: PresenceName,
    /// How old that was, in microseconds.
    pub age_us: u64,
    /// How far it could be relied on.
    pub confidence: ConfidenceName,
}

/// An agent who could not be rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExcludedAgent {
    /// The agent's id.
    pub agent: String,
    /// The agent's name.
    pub name: String,
    /// Why not, in English words that go with the name; each alone would have been enough.
    pub reasons: Vec<String>,
}

/// What is to be explained.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct What {
    /// The number of the fact of an offer. Default: why the customer waits now, or, for somebody who does not wait, the
    /// last offer.
    pub offer: Option<u64>,
}

/// Why a customer waits now, or why an agent was rung: who could have been, who could not and by which rule.
#[utoipa::path(
    get, path = "/api/v1/calls/{id}/explanation", tag = "calls", operation_id = "call_explain",
    params(("id" = u64, Path, description = "The interaction's id."), What),
    responses(
        (status = 200, description = "The explanation.", body = Explanation),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 404, description = "There is no such call or offer, or it was never offered.", body = ErrorBody),
        (status = 410, description = "The offer is too far back to be explained while the program runs.",
            body = ErrorBody),
        (status = 503, description = "The journal cannot be read, or another past offer is being explained.",
            body = ErrorBody),
    )
)]
pub(super) async fn view(
    scope: Scope,
    id: Result<Path<u64>, PathRejection>,
    what: Result<Query<What>, QueryRejection>,
) -> Result<Json<Explanation>, ApiError> {
    let (Path(id), Query(what)) = (id?, what?);
    let interaction = InteractionId(id);
    let offer = match what.offer {
        Some(offer) => offer,
        None => {
            let view = scope.desk.live().view();
            let now = Timestamp::from_micros(super::now_us()).max(view.at);
            if let Some(explanation) = explain(&view, now, interaction) {
                return Ok(Json(Explanation::of(None, &explanation)));
            }
            last_offer(&scope, interaction).await?
        }
    };
    let missing =
        || ApiError::not_found("offer of this call with the number", &offer.to_string()).field("offer");
    let explanation = scope.desk.explained(interaction, offer).await?.ok_or_else(missing)?;
    Ok(Json(Explanation::of(Some(offer), &explanation)))
}

async fn last_offer(scope: &Scope, interaction: InteractionId) -> Result<u64, ApiError> {
    let missing = || ApiError::not_found("call", &interaction.to_string());
    let story = scope.desk.story(interaction).await?.ok_or_else(missing)?;
    let offer = story.facts.iter().rev().find(|fact| matches!(fact.kind, FactKind::Offered { .. }));
    offer
        .map(|fact| fact.number)
        .ok_or_else(|| ApiError::not_found("offer of the call", &interaction.to_string()))
}

impl Explanation {
    fn of(offer: Option<u64>, explanation: &explain::Explanation) -> Explanation {
        let eligible = |agent: &explain::Eligible| EligibleAgent {
            agent: agent.agent.to_string(),
            name: agent.name.to_string(),
            idle_us: agent.idle_us,
            presence: agent.presence.as_ref().map(|seen| SeenPresence {
                source: seen.source.to_string(),
                presence: seen.presence.into(),
                age_us: seen.age_us,
                confidence: seen.confidence.into(),
            }),
        };
        let excluded = |agent: &explain::Excluded| ExcludedAgent {
            agent: agent.agent.to_string(),
            name: agent.name.to_string(),
            reasons: agent.reasons.iter().map(explain::Reason::words).collect(),
        };
        Explanation {
            offer,
            at: explanation.at.as_micros(),
            sentences: explanation.sentences(),
            eligible: explanation.eligible.iter().map(eligible).collect(),
            excluded: explanation.excluded.iter().map(excluded).collect(),
            details: serde_json::to_value(explanation).unwrap_or_default(),
        }
    }
}
