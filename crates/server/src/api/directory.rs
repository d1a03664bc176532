//! The people of the customer's directory: found by name, department and skill, with their presence.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_microsoft::graph::photo::{self, Photo, Size};
use tandem_microsoft::id::ObjectId;
use tandem_people::directory::{self as people, Directory, Entry, EntryId, Filters, Hit, SkillSource};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::microsoft::of;
use super::scope::Scope;

/// People who were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// The best first.
    pub people: Vec<FoundPerson>,
}

/// Somebody who was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundPerson {
    /// The object id in Entra.
    pub id: String,
    /// The name.
    pub name: String,
    /// The account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The address for mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// The department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// The office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    /// A telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What the person can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<PersonSkill>,
    /// Languages, as tags such as `de`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// The agent that the person is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What of it was meant, to be shown in bold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Matched>,
    /// What Teams says, such as `Available`; missing if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<String>,
    /// What the person does there, such as `InAMeeting`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
    /// How old that is, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_age_ms: Option<u64>,
}

/// Something that a person can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonSkill {
    /// What.
    pub name: String,
    /// How well, 1 to 5, if anybody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Who says so: `profile` or `tandem`.
    pub source: String,
}

/// Letters that were meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Matched {
    /// In which text: `name`, `account`, `skill`, `job_title`, `department` or `office`.
    pub field: String,
    /// The number of the skill, counted from 0; else 0.
    pub number: u64,
    /// From which byte of the text.
    pub start: u64,
    /// Up to before which byte.
    pub end: u64,
}

/// What somebody can do, in addition to the profile.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Skills {
    /// The skills; they replace those given here before. At most 64.
    pub skills: Vec<GivenSkill>,
}

/// A skill that is given to somebody.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenSkill {
    /// What, 1 to 64 bytes.
    pub name: String,
    /// How well, 1 to 5.
    #[serde(default)]
    pub level: Option<u8>,
}

/// Who is looked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
    department: Option<String>,
    skill: Option<String>,
    limit: Option<usize>,
}

/// Finds people by name, account, skill, title, department or office, while somebody types. Accents and typing errors are
/// forgiven.
#[utoipa::path(
    get, path = "/api/v1/directory", tag = "directory", operation_id = "directory_search",
    params(
        ("q" = Option<String>, Query, description = "What was typed; empty finds everybody. At most 64 characters are read."),
        ("department" = Option<String>, Query, description = "Only people of this department."),
        ("skill" = Option<String>, Query, description = "Only people with this skill."),
        ("limit" = Option<usize>, Query, description = "People at most, 1 to 50. Default 20."),
    ),
    responses(
        (status = 200, description = "The people.", body = Found),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 404, description = "Microsoft is not configured.", body = ErrorBody),
    )
)]
pub(super) async fn search(
    scope: Scope,
    search: Result<Query<Search>, QueryRejection>,
) -> Result<Json<Found>, ApiError> {
    let microsoft = of(&scope.api)?;
    let Query(search) = search?;
    let tenant = scope.desk.tenant();
    let Some(people) = microsoft.people(tenant) else { return Ok(Json(Found { people: Vec::new() })) };
    let limit = search.limit.unwrap_or(20).clamp(1, FOUND_MAX);
    let mut found: Vec<FoundPerson> = people.with(|directory: &Directory| {
        let filters = Filters { department: search.department.as_deref(), skill: search.skill.as_deref() };
        let hits = directory.search(&search.q, filters, limit);
        hits.iter().filter_map(|hit| Some(FoundPerson::of(directory.get(&hit.id)?, hit))).collect()
    });
    for connection in microsoft.connections_of(tenant) {
        let here = |person: &&mut FoundPerson| people.home(&EntryId::new(&person.id)) == Some(connection.tid);
        let users: Vec<ObjectId> =
            found.iter_mut().filter(here).filter_map(|person| person.id.parse().ok()).collect();
        if users.is_empty() {
            continue;
        }
        let said = people.presence(&connection.graph, &users).await;
        for person in found.iter_mut() {
            let Some((presence, age)) = person.id.parse().ok().and_then(|user: ObjectId| said.get(&user))
            else {
                continue;
            };
            person.availability = Some(presence.availability.to_string());
            person.activity = Some(presence.activity.to_string());
            person.presence_age_ms = u64::try_from(age.as_millis()).ok();
        }
    }
    Ok(Json(Found { people: found }))
}

/// Says what somebody can do, in addition to what the profile in Microsoft 365 says.
#[utoipa::path(
    put, path = "/api/v1/directory/{id}/skills", tag = "directory", operation_id = "directory_skills_set",
    params(("id" = String, Path, description = "The object id in Entra.")),
    request_body = Skills,
    responses(
        (status = 204, description = "It is kept."),
        (status = 400, description = "A skill is wrong.", body = ErrorBody),
        (status = 404, description = "There is nobody of this id.", body = ErrorBody),
    )
)]
pub(super) async fn skills_set(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Skills>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let (Path(id), Json(wished)) = (id?, body?);
    let microsoft = of(&scope.api)?;
    let fits = |skill: &GivenSkill| {
        (1..=SKILL_BYTES_MAX).contains(&skill.name.trim().len())
            && skill.level.is_none_or(|level| (1..=5).contains(&level))
    };
    if wished.skills.len() > Entry::SKILLS_MAX || !wished.skills.iter().all(fits) {
        let remedy = "give at most 64 skills of 1 to 64 bytes, with a level of 1 to 5 or none";
        return Err(ApiError::bad_request("bad_skills", "a skill cannot be so", remedy).field("skills"));
    }
    let skills = wished.skills.into_iter().map(|skill| people::Skill {
        name: skill.name.trim().to_owned(),
        level: skill.level,
        source: SkillSource::Tandem,
    });
    let skills: Vec<people::Skill> = skills.collect();
    let unknown = || ApiError::not_found("person", &id);
    let people = microsoft.people(scope.desk.tenant()).ok_or_else(unknown)?;
    let entry = EntryId::new(&id.to_ascii_lowercase());
    let set = tokio::task::spawn_blocking(move || people.set_skills(&entry, skills)).await;
    match set {
        Ok(Ok(true)) => Ok(StatusCode::NO_CONTENT),
        Ok(Ok(false)) => Err(unknown()),
        Ok(Err(failure)) => Err(crate::identity::IdentityFault::from(failure).into()),
        Err(_) => Err(crate::identity::IdentityFault::Ending.into()),
    }
}

/// The photo of somebody, as Microsoft 365 has it.
#[utoipa::path(
    get, path = "/api/v1/directory/{id}/photo", tag = "directory", operation_id = "directory_photo",
    params(("id" = String, Path, description = "The object id in Entra.")),
    responses(
        (status = 200, description = "The picture.", content_type = "image/jpeg"),
        (status = 404, description = "There is no picture, or nobody of this id.", body = ErrorBody),
        (status = 503, description = "Microsoft Graph does not give it now.", body = ErrorBody),
    )
)]
pub(super) async fn photo(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let microsoft = of(&scope.api)?;
    let unknown = || ApiError::not_found("photo", &id);
    let people = microsoft.people(scope.desk.tenant()).ok_or_else(unknown)?;
    let user: ObjectId = id.parse().map_err(|_| unknown())?;
    let tid = people.home(&EntryId::new(&user.to_string())).ok_or_else(unknown)?;
    let connection = microsoft.connection(tid).ok_or_else(unknown)?;
    let answer = connection.graph.ask(&photo::read(user, Size::Px96, None)).await;
    match photo::answered(&answer) {
        Ok(Photo::Picture { bytes, kind, .. }) => {
            let mut response = Body::from(bytes).into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind.content_type()));
            // Kept by the browser of whoever may see it, and by nobody in between.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
            Ok(response)
        }
        Ok(Photo::None | Photo::Unchanged) => Err(unknown()),
        Err(fault) => Err(ApiError::unavailable(fault.stable_code(), fault.to_string(), fault.remedy())),
    }
}

impl FoundPerson {
    fn of(entry: &Entry, hit: &Hit) -> FoundPerson {
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let skill = |skill: &people::Skill| PersonSkill {
            name: skill.name.clone(),
            level: skill.level,
            source: match skill.source {
                SkillSource::Profile => "profile".to_owned(),
                SkillSource::Tandem => "tandem".to_owned(),
            },
        };
        let matched = |matched: &people::Match| Matched {
            field: match matched.field {
                people::Field::Name => "name",
                people::Field::Account => "account",
                people::Field::Skill => "skill",
                people::Field::JobTitle => "job_title",
                people::Field::Department => "department",
                people::Field::Office => "office",
            }
            .to_owned(),
            number: number(matched.number),
            start: number(matched.start),
            end: number(matched.end),
        };
        FoundPerson {
            id: entry.id.to_string(),
            name: entry.name.clone(),
            user_name: entry.user_name.clone(),
            mail: entry.mail.clone(),
            department: entry.department.clone(),
            job_title: entry.job_title.clone(),
            office: entry.office.clone(),
            phone: entry.phone.clone(),
            skills: entry.skills.iter().map(skill).collect(),
            languages: entry.languages.clone(),
            agent: entry.agent.as_deref().map(str::to_owned),
            matches: hit.matches.iter().map(matched).collect(),
            availability: None,
            activity: None,
            presence_age_ms: None,
        }
    }
}

/// People in one answer.
const FOUND_MAX: usize = 50;
/// The longest name of a skill.
const SKILL_BYTES_MAX: usize = 64;
