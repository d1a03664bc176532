//! Whom to ask about a call.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use serde::{Deserialize, Serialize};
use tandem_center::id::{AgentId, InteractionId, QueueId};
use tandem_center::view::View;
use tandem_people::directory::{self as people, Standing, Topic};
use tandem_people::permission::Permission;
use utoipa::{IntoParams, ToSchema};

use super::agents::PresenceName;
use super::authorisation;
use super::error::{ApiError, ErrorBody};
use super::scope::Scope;
use crate::experts::{About, Expert, suggest};

/// Whom to ask about a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Experts {
    /// Free people first, then those who soon are, then the others; among those the best reasons first.
    pub experts: Vec<SuggestedExpert>,
}

/// Somebody who may be able to help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuggestedExpert {
    /// The object id in Entra; missing for an agent who is not in the customer's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The agent that the person is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The name.
    pub name: String,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The address for mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// A telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Why, the best reason first.
    pub reasons: Vec<WhySuggested>,
    /// Whether the person can be asked now.
    pub standing: StandingName,
    /// In how many milliseconds the person will be free, if `soon_free`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_in_ms: Option<u64>,
    /// What another system says of the person; missing if it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<PresenceName>,
    /// How old that is, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_age_ms: Option<u64>,
}

/// Why somebody is suggested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WhySuggested {
    /// Has a skill that the call asks for.
    Skill {
        /// The skill.
        skill: String,
        /// How well, 1 to 5, if anybody said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<u8>,
    },
    /// Solved the like before.
    SolvedBefore {
        /// What it had in common: the queue, a skill that was asked for, or the code that was chosen in the end.
        common: CommonName,
        /// Which, by its id.
        id: String,
        /// Which, as people call it.
        name: String,
        /// How often.
        times: u32,
        /// When last, in milliseconds since 1970 UTC.
        last_ms: u64,
    },
    /// Is of the department of who asks.
    SameDepartment {
        /// Which.
        department: String,
    },
}

/// What two calls have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommonName {
    /// The queue.
    Queue,
    /// A skill that was asked for.
    Skill,
    /// The code that was chosen in the end.
    Code,
}

/// Whether somebody can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandingName {
    /// Free.
    Free,
    /// Not free, but soon.
    SoonFree,
    /// Not free.
    Busy,
    /// Not there for the moment.
    Away,
    /// Wants not to be disturbed.
    DoNotDisturb,
    /// Not there.
    Offline,
    /// Nobody knows.
    Unknown,
}

/// How many are wanted.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HowMany {
    /// People at most, 1 to 20. Default 5.
    pub limit: Option<usize>,
}

/// Suggests whom to ask about a call: people with the skills that it asks for, and those who solved the like before.
#[utoipa::path(
    get, path = "/api/v1/calls/{id}/experts", tag = "calls", operation_id = "call_experts",
    params(("id" = u64, Path, description = "The interaction's id."), HowMany),
    responses(
        (status = 200, description = "The people; nobody, if nobody is known who could help.", body = Experts),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 404, description = "There is no such call.", body = ErrorBody),
        (status = 503, description = "The journal cannot be read.", body = ErrorBody),
    )
)]
pub(super) async fn of_call(
    scope: Scope,
    id: Result<Path<u64>, PathRejection>,
    many: Result<Query<HowMany>, QueryRejection>,
) -> Result<Json<Experts>, ApiError> {
    let (Path(id), Query(many)) = (id?, many?);
    // Who they are and whether they are free is told to nobody who may not look people up.
    authorisation::may_too(&scope, Permission::DirectoryRead)?;
    let story = scope.desk.story(InteractionId(id)).await?;
    let story = story.ok_or_else(|| ApiError::not_found("call", &id.to_string()))?;
    let mut about = About::default();
    for fact in &story.facts {
        about.apply(fact);
    }
    let asker = scope.caller.agent().map(AgentId::new);
    let limit = many.limit.unwrap_or(SUGGESTED).clamp(1, SUGGESTED_MAX);
    let found = suggest(&scope.desk, scope.api.microsoft.as_ref(), about, asker, limit).await?;
    let view = scope.desk.live().view();
    Ok(Json(Experts {
        experts: found.into_iter().map(|expert| SuggestedExpert::of(expert, &view)).collect(),
    }))
}

impl SuggestedExpert {
    fn of(expert: Expert, view: &View) -> SuggestedExpert {
        let Expert { entry, listed, suggestion, presence } = expert;
        let (standing, free_in) = match suggestion.seen.map(|seen| seen.standing) {
            Some(Standing::Free) => (StandingName::Free, None),
            Some(Standing::SoonFree { within }) => (StandingName::SoonFree, Some(within)),
            Some(Standing::Busy) => (StandingName::Busy, None),
            Some(Standing::Away) => (StandingName::Away, None),
            Some(Standing::DoNotDisturb) => (StandingName::DoNotDisturb, None),
            Some(Standing::Offline) => (StandingName::Offline, None),
            Some(Standing::Unknown) | None => (StandingName::Unknown, None),
        };
        let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        SuggestedExpert {
            id: listed.then(|| entry.id.to_string()),
            agent: entry.agent.as_deref().map(str::to_owned),
            name: entry.name,
            user_name: entry.user_name,
            mail: entry.mail,
            phone: entry.phone,
            department: entry.department,
            job_title: entry.job_title,
            reasons: suggestion.reasons.into_iter().map(|reason| WhySuggested::of(reason, view)).collect(),
            standing,
            free_in_ms: free_in.map(millis),
            presence: presence.map(|(told, _)| told.into()),
            presence_age_ms: presence.map(|(_, age)| millis(age)),
        }
    }
}

impl WhySuggested {
    fn of(reason: people::Reason, view: &View) -> WhySuggested {
        match reason {
            people::Reason::Skill { name, level } => WhySuggested::Skill { skill: name, level },
            people::Reason::SolvedBefore { topic, times, last } => {
                let (common, id) = match topic {
                    Topic::Queue(id) => (CommonName::Queue, id),
                    Topic::Skill(id) => (CommonName::Skill, id),
                    Topic::WrapUpCode(id) => (CommonName::Code, id),
                };
                let name = match common {
                    CommonName::Queue => {
                        view.live.queues.get(&QueueId::new(id.clone())).map(|queue| queue.name.clone())
                    }
                    CommonName::Code => code_name(view, &id),
                    CommonName::Skill => None,
                };
                let (name, last_ms) = (name.unwrap_or_else(|| id.clone()).to_string(), last.as_millis());
                WhySuggested::SolvedBefore { common, id: id.to_string(), name, times, last_ms }
            }
            people::Reason::SameDepartment { department } => WhySuggested::SameDepartment { department },
        }
    }
}

/// What a code is called in the first queue that has it.
fn code_name(view: &View, id: &str) -> Option<Arc<str>> {
    let mut queues = view.document.iter().flat_map(|document| &document.queues);
    queues.find_map(|queue| {
        queue.wrap_up.codes.iter().find(|code| code.id.as_str() == id).map(|code| code.name.clone())
    })
}

/// People in one answer unless more are wished.
const SUGGESTED: usize = 5;
/// People in one answer at most.
const SUGGESTED_MAX: usize = 20;
