//! Presence over Graph: reading and writing.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Outcome;
use super::exchange::Answer;
use super::fault::Fault;
use super::filter::Filter;
use super::permission::Operation;
use super::presence::{PresenceFault, Status, StatusMessage};
use super::query::options;
use super::visit::Visit;
use crate::directory::ObjectId;

impl Visit<'_> {
    /// `GET /users/{id}/presence` and `/communications/presences/{id}`.
    pub(super) fn presence(&mut self, key: &str) -> Result<Outcome, Fault> {
        self.need(Operation::PresenceRead, Some(&ObjectId::new(key)))?;
        let user = self.somebody(key).map_err(|_| Fault::NotFound("There is no such user."))?;
        let mut resource = self.presence_of(user.object_id.as_str());
        if let Some(resource) = resource.as_object_mut() {
            let context = format!("{}/$metadata#communications/presences/$entity", self.request.base);
            resource.insert("@odata.context".to_owned(), Value::String(context));
        }
        Ok(Outcome::Answer(Answer::json(200, resource)))
    }

    /// `GET /communications/presences?$filter=id in ('…', …)`.
    pub(super) fn presences(&mut self) -> Result<Outcome, Fault> {
        let filter = options(self.request).into_iter().find(|(name, _)| name == "$filter");
        let ids = filter.as_ref().and_then(|(_, filter)| Filter::ids(filter));
        let ids = ids.ok_or_else(|| Fault::Bad("The request needs $filter=id in ('…').".to_owned()))?;
        self.presences_of(ids)
    }

    /// `POST /communications/getPresencesByUserId`.
    pub(super) fn presences_by_id(&mut self) -> Result<Outcome, Fault> {
        let Ids { ids } = self.request.json()?;
        self.presences_of(ids)
    }

    fn presences_of(&mut self, ids: Vec<String>) -> Result<Outcome, Fault> {
        let own = match ids.as_slice() {
            [one] => Some(ObjectId::new(one)),
            _ => None,
        };
        let operation = if own.is_some() { Operation::PresenceRead } else { Operation::PresencesRead };
        self.need(operation, own.as_ref())?;
        if ids.is_empty() || ids.len() > IDS_MAX {
            return Err(Fault::Bad(format!(
                "The request must hold 1 to {IDS_MAX} ids, and holds {}.",
                ids.len()
            )));
        }
        let unknown = self.graph.switches.unknown_as_presence_unknown;
        let mut told = Vec::with_capacity(ids.len());
        for id in ids {
            let id = ObjectId::new(&id);
            if self.tenant.users.contains_key(&id) {
                told.push(self.presence_of(id.as_str()));
            } else if unknown {
                told.push(unknown_presence(id.as_str()));
            }
        }
        Ok(self.whole("Collection(microsoft.graph.presence)", told))
    }

    /// `POST …/setPresence`, `clearPresence`, `setUserPreferredPresence`, `clearUserPreferredPresence` and
    /// `setStatusMessage`.
    pub(super) fn presence_act(&mut self, key: &str, act: &str) -> Result<Outcome, Fault> {
        self.need(Operation::PresenceWrite, Some(&ObjectId::new(key)))?;
        let user = self.somebody(key).map_err(|_| Fault::NotFound("There is no such user."))?;
        let (id, now) = (user.object_id.as_str(), self.now);
        let app = self.caller.app.as_str();
        let request = self.request;
        let presences = &mut self.graph.presences;
        let done = match act {
            "setPresence" => {
                let asked: SetPresence = request.json()?;
                if !asked.session_id.as_deref().unwrap_or_default().eq_ignore_ascii_case(app) {
                    return Err(wrong_session());
                }
                let status = status(&asked.availability, &asked.activity)?;
                presences.set_session(now, id, app, status, duration(asked.expiration_duration.as_deref())?)
            }
            "clearPresence" => {
                let asked: ClearPresence = request.json()?;
                if !asked.session_id.eq_ignore_ascii_case(app) {
                    return Err(wrong_session());
                }
                presences.clear_session(now, id, app)
            }
            "setUserPreferredPresence" => {
                let asked: SetPreferred = request.json()?;
                let status = status(&asked.availability, &asked.activity)?;
                presences.prefer(now, id, status, duration(asked.expiration_duration.as_deref())?)
            }
            "clearUserPreferredPresence" => presences.prefer_nothing(now, id),
            "setStatusMessage" => {
                let asked: SetStatusMessage = request.json()?;
                let message =
                    asked.status_message.and_then(|message| message.read(now).transpose()).transpose()?;
                presences.set_message(now, id, message)
            }
            _ => return Err(Fault::NoSegment(act.to_owned())),
        };
        done.map_err(|fault| match fault {
            PresenceFault::NoPerson => Fault::NotFound("There is no such user."),
            PresenceFault::NoLicence => Fault::Forbidden(fault.to_string()),
            PresenceFault::Pair | PresenceFault::Duration | PresenceFault::Message => {
                Fault::Bad(fault.to_string())
            }
        })?;
        Ok(Outcome::Answer(Answer::empty(200)))
    }

    fn presence_of(&self, id: &str) -> Value {
        self.graph.presences.resource(id).unwrap_or_else(|| unknown_presence(id))
    }
}

fn unknown_presence(id: &str) -> Value {
    json!({
        "id": id,
        "availability": "PresenceUnknown",
        "activity": "PresenceUnknown",
        "statusMessage": null,
        "outOfOfficeSettings": { "isOutOfOffice": false, "message": null },
        "sequenceNumber": null,
        "workLocation": null,
    })
}

fn wrong_session() -> Fault {
    Fault::Bad("The sessionId must be the id of the calling application.".to_owned())
}

fn status(availability: &str, activity: &str) -> Result<Status, Fault> {
    Status::parse(availability, activity).ok_or_else(|| Fault::Bad(PresenceFault::Pair.to_string()))
}

/// An ISO 8601 duration such as `PT1H`.
fn duration(text: Option<&str>) -> Result<Option<SignedDuration>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let span: Result<Span, _> = text.parse();
    let lasts = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    lasts.map(Some).map_err(|_| Fault::Bad(PresenceFault::Duration.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ids {
    ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SetPresence {
    #[serde(default)]
    session_id: Option<String>,
    availability: String,
    activity: String,
    #[serde(default)]
    expiration_duration: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ClearPresence {
    session_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SetPreferred {
    availability: String,
    activity: String,
    #[serde(default)]
    expiration_duration: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SetStatusMessage {
    #[serde(default)]
    status_message: Option<AskedMessage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AskedMessage {
    #[serde(default)]
    message: Option<AskedBody>,
    #[serde(default)]
    expiry_date_time: Option<AskedTime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AskedBody {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    content_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AskedTime {
    date_time: String,
    #[serde(default)]
    time_zone: Option<String>,
}

impl AskedMessage {
    fn read(self, now: Timestamp) -> Result<Option<StatusMessage>, Fault> {
        let Some(body) = self.message else { return Ok(None) };
        let expires = match self.expiry_date_time {
            None => None,
            Some(at) => Some(at.read()?),
        };
        Ok(Some(StatusMessage {
            content: body.content.unwrap_or_default(),
            content_type: body.content_type.unwrap_or_else(|| "text".to_owned()),
            published: now,
            expires,
        }))
    }
}

impl AskedTime {
    fn read(&self) -> Result<Timestamp, Fault> {
        let wrong = || Fault::Bad("The expiryDateTime is not a time in a known time zone.".to_owned());
        if let Ok(at) = self.date_time.parse::<Timestamp>() {
            return Ok(at);
        }
        let civil: jiff::civil::DateTime = self.date_time.parse().map_err(|_| wrong())?;
        let zone = self.time_zone.as_deref().unwrap_or("UTC");
        civil.in_tz(zone).map(|at| at.timestamp()).map_err(|_| wrong())
    }
}

/// "cloudCommunications: getPresencesByUserId": up to 650 ids.
pub(super) const IDS_MAX: usize = 650;
