//! What of a request goes into the audit trail: each act that changes something for others, or may have, and each that was
//! refused.
//!
//! It is decided here, once, for all routes: who asked, what the route is called, what it named, and what was answered.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use tandem_center::call::RecordingId;
use tandem_people::audit::Entry;
use tandem_people::caller::Caller;
use tandem_people::id::{LoginId, PersonId};
use tandem_people::moment::UnixMillis;
use tandem_people::permission::Permission;
use tandem_people::scope::Scope as Owner;

use super::Api;
use super::access::Peer;
use super::authorisation::{self, Over, Rule};
use super::error::{ApiError, ErrorCode};
use crate::identity::{self, CredentialKind, Identity, IdentityFault, Stranger};
use crate::recordings::Recordings;

/// What a handler has to add to the entry about its request.
#[derive(Clone, Debug, Default)]
pub(super) struct Noted {
    /// What the act made or changed, if the address does not say it: `noun/id`.
    pub(super) object: Option<String>,
    /// Before and after, and what else is worth knowing. No secret, no customer.
    pub(super) detail: Vec<(&'static str, String)>,
}

/// What was answered, as far as the trail cares.
pub(super) struct Answer {
    status: StatusCode,
    code: String,
    noted: Noted,
}

impl Answer {
    pub(super) fn of(response: &Response) -> Answer {
        let (status, beside) = (response.status(), response.extensions());
        let code = beside.get::<ErrorCode>().map(|code| code.0.clone()).unwrap_or_default();
        Answer { status, code, noted: beside.get::<Noted>().cloned().unwrap_or_default() }
    }
}

/// What became of an act, with the code of the answer.
enum Became<'a> {
    Done,
    Refused(&'a str),
    Unknown(&'a str),
}

/// What was asked, as the trail says it.
pub(super) struct Asked {
    at: UnixMillis,
    act: Arc<str>,
    /// The address, from the noun on: `people/6f1d.../logins`.
    object: String,
    id: String,
    changes: bool,
    peer: Peer,
}

impl Asked {
    pub(super) fn of(api: &Api, request: &Request, path: &str, id: &str) -> Asked {
        let method = request.method();
        let named = if *method == Method::HEAD { Method::GET.as_str() } else { method.as_str() };
        let act = api.acts.get(&(named.to_owned(), path.to_owned())).cloned();
        let target = request.uri().path();
        Asked {
            at: identity::now(),
            act: act.unwrap_or_else(|| path.into()),
            object: target.strip_prefix("/api/v1/").unwrap_or(target).trim_start_matches('/').to_owned(),
            id: id.to_owned(),
            changes: !method.is_safe(),
            peer: Peer::of(request.extensions()),
        }
    }

    /// Whether it may change something.
    pub(super) fn changes(&self) -> bool {
        self.changes
    }

    /// Nobody is known by the token. Who sent none has not signed in yet, and tried nothing.
    pub(super) fn by_stranger(&self, api: &Api, stranger: &Stranger) {
        if *stranger != Stranger::Missing {
            let address = self.peer.0.to_string();
            api.identity.audit_stranger(self.at, &self.act, &self.object, stranger.code(), &address);
        }
    }

    /// Writes what became of it, if that belongs into the trail.
    pub(super) async fn answered(
        self,
        api: &Api,
        rule: &Rule,
        caller: &Arc<Caller>,
        headers: &HeaderMap,
        answer: Answer,
    ) {
        let Answer { status, code, noted } = answer;
        let code = code.as_str();
        let administrative = self.changes && is_administrative(rule);
        let own = caller.scope().clone();
        let whose = || scope_of(api, rule, caller, headers, &self.id);
        let (scope, became) = match status {
            status if status.is_success() && administrative => (whose(), Became::Done),
            StatusCode::FORBIDDEN => (whose(), Became::Refused(code)),
            // An own password that is wrong is refused so.
            StatusCode::UNAUTHORIZED => (own, Became::Refused(code)),
            StatusCode::NOT_FOUND if self.is_not_theirs(api, caller, code).await => {
                (own, Became::Refused(NOT_YOURS))
            }
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY if administrative => {
                (whose(), Became::Refused(code))
            }
            // The disk or the engine did not answer in time: it may have been done all the same.
            status if status.is_server_error() && administrative => (whose(), Became::Unknown(code)),
            _ => return,
        };
        let object = noted.object.unwrap_or(self.object);
        let entry = Entry::new(self.at, caller, scope, &self.act, &object);
        let entry = match became {
            Became::Done => entry,
            Became::Refused(code) => entry.refused(code),
            Became::Unknown(code) => entry.unknown(code),
        };
        let entry = entry.with("address", &self.peer.0.to_string());
        let entry = noted.detail.iter().fold(entry, |entry, (name, value)| entry.with(name, value));
        add(api, entry).await;
    }

    /// Whether what was not found is there for others.
    async fn is_not_theirs(&self, api: &Api, caller: &Arc<Caller>, code: &str) -> bool {
        let Some(own) = caller.scope().tenant_name().map(str::to_owned) else { return false };
        if code == "unknown_tenant" {
            return true;
        }
        if code != "not_found" || self.id.is_empty() {
            return false;
        }
        let noun = self.object.split('/').next().unwrap_or_default().to_owned();
        let all = api.desks.all();
        let mut others = all.values().filter(|desk| desk.tenant().as_str() != own);
        let id = self.id.clone();
        match noun.as_str() {
            "queues" => {
                others.any(|desk| desk.live().view().live.queues.keys().any(|known| known.as_str() == id))
            }
            "recordings" => {
                let Ok(recording) = id.parse::<RecordingId>() else { return false };
                let folders: Vec<Recordings> = others.map(|desk| desk.recordings().clone()).collect();
                let found = api.identity.change(move |_| {
                    Ok(folders.iter().any(|folder| matches!(folder.open(recording), Ok(Some(_)))))
                });
                found.await.unwrap_or_default()
            }
            "agents" => {
                others.any(|desk| desk.live().view().live.agents.keys().any(|known| known.as_str() == id))
            }
            _ => {
                let found = api.identity.change(move |identity| is_kept(identity, &noun, &id, &own));
                found.await.unwrap_or_default()
            }
        }
    }
}

/// Somebody who is known may not follow a tenant: `named`, if there is one and the caller may know of it.
pub(super) async fn not_followed(
    api: &Api,
    caller: &Arc<Caller>,
    named: Option<Owner>,
    peer: Peer,
    refused: &ApiError,
) {
    let code = match refused.code() {
        "unknown_tenant" => NOT_YOURS,
        code => code,
    };
    let scope = named.unwrap_or_else(|| caller.scope().clone());
    let entry = Entry::new(identity::now(), caller, scope, FOLLOW, "live").refused(code);
    add(api, entry.with("address", &peer.0.to_string())).await;
}

/// Nobody is known by the token with which somebody wants to follow.
pub(super) fn stranger_follows(api: &Api, stranger: &Stranger, peer: Peer) {
    if *stranger != Stranger::Missing {
        let address = peer.0.to_string();
        api.identity.audit_stranger(identity::now(), FOLLOW, "live", stranger.code(), &address);
    }
}

/// The thread of the trail may be far behind; then this waits for the disk, and not on the thread of all requests.
async fn add(api: &Api, entry: Entry) {
    let act = entry.act.clone();
    let added = api.identity.change(move |identity| {
        identity.audit(entry);
        Ok(())
    });
    if added.await.is_err() {
        tracing::error!(act = %act, "the program ends before the audit trail is written");
    }
}

/// Whether the register has this of somebody else.
fn is_kept(identity: &Identity, noun: &str, id: &str, own: &str) -> Result<bool, IdentityFault> {
    let register = identity.register();
    match noun {
        "people" => {
            let Ok(person) = id.parse::<PersonId>() else { return Ok(false) };
            Ok(identity.whose_person(&person)?.is_some_and(|scope| scope.tenant_name() != Some(own)))
        }
        "keys" => {
            let found = register.key_by_id(id)?;
            Ok(found.is_some_and(|(scope, _)| scope.tenant().is_none_or(|tenant| tenant.as_str() != own)))
        }
        // One's own logins and passkeys; somebody else's are not theirs, whoever they are.
        "me" => {
            let of_login = id.parse::<LoginId>().is_ok() && register.login_by_id(id)?.is_some();
            let passkey = CredentialKind::Passkey.as_str();
            Ok(of_login || register.credential_by_id(passkey, id)?.is_some())
        }
        "microsoft" => {
            let mapped = register.tenant_by_entra(&id.to_ascii_lowercase())?;
            Ok(mapped.is_some_and(|tenant| tenant.as_str() != own))
        }
        "webhooks" => Ok(register.whose_webhook(id)?.is_some_and(|tenant| tenant.as_str() != own)),
        _ => Ok(false),
    }
}

/// Whether changes by this route are told. Those that agents make in the course of their work are not: there are thousands
/// a day, and the facts tell them.
fn is_administrative(rule: &Rule) -> bool {
    match rule.permission {
        Some(Permission::AgentsWrite | Permission::PresenceWrite) => rule.over != Over::Agent,
        Some(_) | None => true,
    }
}

/// In whose trail it stands: that of the tenant whose thing it was; of who tried, if there is none.
fn scope_of(api: &Api, rule: &Rule, caller: &Caller, headers: &HeaderMap, id: &str) -> Owner {
    if rule.path.starts_with(OF_A_TENANT) && caller.scope().tenant_name().is_none() {
        let named = id.parse().ok().and_then(|tenant| api.desks.desk(&tenant));
        return named.map_or(Owner::Installation, |desk| Owner::tenant(desk.tenant().as_str()));
    }
    if matches!(rule.over, Over::Installation | Over::Myself) {
        return caller.scope().clone();
    }
    match authorisation::desk(api, caller, headers) {
        Ok(desk) => Owner::tenant(desk.tenant().as_str()),
        Err(_) => caller.scope().clone(),
    }
}

/// Routes of the installation that are about one tenant.
const OF_A_TENANT: &str = "/api/v1/tenants/{id}/";

/// What following is called, as in the document.
const FOLLOW: &str = "live";

/// What a thing of others is refused with, to be found in the trail. The answer itself does not say that it is there.
pub(super) const NOT_YOURS: &str = "not_yours";
