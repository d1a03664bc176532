//! Erasing what is known about people, as the law of many countries lets them ask for.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use serde::{Deserialize, Serialize};
use tandem_center::call::Address;
use tandem_center::erase::ErasedBy;
use tandem_center::id::InteractionId;
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, ErrorBody};
use super::scope::Scope;

/// Why something is erased.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Why {
    /// For the record, which keeps it: at most 128 bytes, and it must name nobody.
    pub reason: Option<String>,
}

/// Personal data of an interaction is erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erased {
    /// The number of the fact that says so, or of the last fact if it was erased before.
    pub number: u64,
    /// The interaction.
    pub interaction: u64,
}

/// Whose data is to be erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The number or SIP address from which the person called or was called back, as calls show it: `+14255550123`,
    /// `sip:ada@example.com`.
    pub from: String,
    /// For the record, which keeps it: at most 128 bytes, and it must name nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where to go on: `next` of the answer before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
}

/// What was found of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erasures {
    /// The interactions that are erased, and calls that were refused at the door, by the number of their fact.
    pub erased: Vec<u64>,
    /// The interactions that are not over yet, and are not erased: ask again when they are.
    pub open: Vec<u64>,
    /// Not everything was looked through: ask again with this as `cursor`. Missing when all is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Erases what is known about the people of an interaction that is over: numbers, names, notes and recordings, here, on
/// all screens and in the journal. The facts stay, and with them every count. It cannot be undone.
#[utoipa::path(
    delete, path = "/api/v1/interactions/{id}/personal-data", tag = "erasures", operation_id = "personal_data_erase",
    params(
        ("id" = u64, Path, description = "The interaction's id, as calls have it; of a call that was refused at the \
            door, the number of its fact."),
        Why,
    ),
    responses(
        (status = 200, description = "It is erased, and that is written.", body = Erased),
        (status = 400, description = "The id is no number, or the reason is too long.", body = ErrorBody),
        (status = 404, description = "There is no such interaction.", body = ErrorBody),
        (status = 409, description = "The interaction is not over yet.", body = ErrorBody),
        (status = 503, description = "Overloaded, or the journal cannot be read or written.", body = ErrorBody),
    )
)]
pub(super) async fn erase(
    scope: Scope,
    id: Result<Path<u64>, PathRejection>,
    why: Result<Query<Why>, QueryRejection>,
) -> Result<Json<Erased>, ApiError> {
    let (Path(id), Query(why)) = (id?, why?);
    let number = scope.desk.erase(InteractionId(id), ErasedBy::Request, reason(why.reason)).await?;
    Ok(Json(Erased { number, interaction: id }))
}

/// Erases what is known about a person in all interactions that are over. A long journal is looked through in parts: ask
/// again for as long as the answer has `next`.
#[utoipa::path(
    post, path = "/api/v1/erasures", tag = "erasures", operation_id = "person_erase",
    request_body = Person,
    responses(
        (status = 200, description = "What was found in this part is erased, and that is written.", body = Erasures),
        (status = 400, description = "The body is wrong.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorBody),
        (status = 503, description = "Overloaded, or the journal cannot be read or written.", body = ErrorBody),
    )
)]
pub(super) async fn erase_person(
    scope: Scope,
    person: Result<Json<Person>, JsonRejection>,
) -> Result<Json<Erasures>, ApiError> {
    let Json(Person { from, reason: why, cursor }) = person?;
    let search = scope.desk.erase_person(address(&from)?, cursor.unwrap_or_default(), reason(why)).await?;
    let ids = |ids: Vec<InteractionId>| ids.into_iter().map(|id| id.0).collect();
    Ok(Json(Erasures { erased: ids(search.erased), open: ids(search.open), next: search.next }))
}

/// A withheld number is nobody's.
fn address(text: &str) -> Result<Address, ApiError> {
    match text.trim() {
        "" | "anonymous" => {
            let message = "from names nobody";
            let remedy = "send a number or a SIP address as calls show it";
            Err(ApiError::bad_request("bad_from", message, remedy).field("from"))
        }
        sip if sip.starts_with("sip:") || sip.starts_with("sips:") => Ok(Address::Sip(sip.into())),
        phone => Ok(Address::Phone(phone.into())),
    }
}

fn reason(text: Option<String>) -> Option<Arc<str>> {
    text.filter(|text| !text.is_empty()).map(Into::into)
}
