//! What can go wrong with a call to Graph, by whose fault, and what helps.

use std::time::Duration;

use serde::Deserialize;

use crate::graph::call::{Answer, NoAnswer, Operation};
use crate::http::Response;

/// A call to Graph that did not do what was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}: {kind} (status {status}, code {code})", operation.name())]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// What was asked.
    pub operation: Operation,
    /// The status of the answer; 0 if none came.
    pub status: u16,
    /// Graph's own code, such as `Authorization_RequestDenied`; empty if none came. At most 128 octets.
    pub code: Box<str>,
    /// Graph's id of the request, for Microsoft's support; empty if none came.
    pub request_id: Box<str>,
}

/// What went wrong with a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FaultKind {
    /// Graph asks us to be slower (429, 509).
    #[error("Graph limits the rate of requests")]
    Throttled {
        /// How long it asks to wait, if it says so.
        retry_after: Option<Duration>,
    },
    /// Graph has trouble of its own (5xx).
    #[error("Graph has a fault of its own")]
    Unavailable {
        /// How long it asks to wait, if it says so.
        retry_after: Option<Duration>,
    },
    /// No answer: the network, a proxy, a name.
    #[error("Graph cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("Graph did not answer in time")]
    TooSlow,
    /// The shell has no token for the caller.
    #[error("there is no token for the caller")]
    NoToken,
    /// The token is not accepted, or no longer (401).
    #[error("the token is not accepted")]
    Unauthorised,
    /// The caller may not (403): a permission is missing or was withdrawn, or a quota is full.
    #[error("the caller may not do this")]
    Forbidden,
    /// It is not there (404): it never was, no longer is, or is not yet, right after it was created.
    #[error("there is no such object")]
    NotFound,
    /// Where a round of changes began is forgotten (410): all must be read again.
    #[error("the state of the synchronisation is forgotten")]
    Gone,
    /// It is there already, or is being changed by somebody else (409, 412, 423).
    #[error("it is there already, or just being changed")]
    Conflict,
    /// Graph does not accept what we wrote (400 and the other 4xx).
    #[error("Graph does not accept the request")]
    Rejected,
    /// What Graph answered cannot be read.
    #[error("the answer cannot be read")]
    Unreadable,
}

/// Who can do something about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Whose {
    /// An administrator of the customer's tenant: consent, permission, policy.
    Administrator,
    /// Whoever runs the network between here and Graph.
    Network,
    /// Microsoft; it passes.
    Microsoft,
    /// This program; it should be reported.
    Ours,
}

impl Fault {
    /// Reads an answer: the response if the call was done, else what went wrong.
    ///
    /// # Errors
    /// There is no answer, or its status says that the call was not done.
    pub fn check(operation: Operation, answer: &Answer) -> Result<&Response, Self> {
        let response = match answer {
            Ok(response) if response.is_success() => return Ok(response),
            Ok(response) => response,
            Err(none) => {
                let kind = match none {
                    NoAnswer::Unreachable => FaultKind::Unreachable,
                    NoAnswer::TooSlow => FaultKind::TooSlow,
                    NoAnswer::NoToken => FaultKind::NoToken,
                };
                return Err(Self {
                    kind,
                    operation,
                    status: 0,
                    code: Box::default(),
                    request_id: Box::default(),
                });
            }
        };
        Err(Self::of(operation, response))
    }

    /// Reads an answer with a body.
    ///
    /// # Errors
    /// As [`Fault::check`], or the body cannot be read.
    pub fn read<T>(
        operation: Operation,
        answer: &Answer,
        read: impl FnOnce(&Response) -> Option<T>,
    ) -> Result<T, Self> {
        let response = Self::check(operation, answer)?;
        read(response).ok_or_else(|| Self::unreadable(operation, response))
    }

    /// The answer says that it was done, but cannot be read.
    pub(crate) fn unreadable(operation: Operation, response: &Response) -> Self {
        Self {
            kind: FaultKind::Unreadable,
            operation,
            status: response.status,
            code: Box::default(),
            request_id: short(response.header("request-id").unwrap_or_default()),
        }
    }

    fn of(operation: Operation, response: &Response) -> Self {
        let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
        let inner = body.error.inner.unwrap_or_default();
        let code = if body.error.code.is_empty() { inner.code } else { body.error.code };
        let request_id = match response.header("request-id") {
            Some(id) => id,
            None => &inner.request_id,
        };
        Self {
            kind: kind(response, &code),
            operation,
            status: response.status,
            code: short(&code),
            request_id: short(request_id),
        }
    }

    /// Who can do something about it.
    #[must_use]
    pub fn whose(&self) -> Whose {
        match self.kind {
            FaultKind::Unauthorised | FaultKind::Forbidden | FaultKind::NoToken => Whose::Administrator,
            FaultKind::Unreachable | FaultKind::TooSlow => Whose::Network,
            FaultKind::Throttled { .. }
            | FaultKind::Unavailable { .. }
            | FaultKind::NotFound
            | FaultKind::Gone
            | FaultKind::Unreadable => Whose::Microsoft,
            FaultKind::Rejected | FaultKind::Conflict => Whose::Ours,
        }
    }

    /// Whether the same call may well be done later, without anybody doing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self.kind,
            FaultKind::Throttled { .. }
                | FaultKind::Unavailable { .. }
                | FaultKind::Unreachable
                | FaultKind::TooSlow
                | FaultKind::Unreadable
        )
    }

    /// A name that never changes, for the API, the log and the manual.
    #[must_use]
    pub fn stable_code(&self) -> &'static str {
        match self.kind {
            FaultKind::Throttled { .. } => "graph_throttled",
            FaultKind::Unavailable { .. } => "graph_unavailable",
            FaultKind::Unreachable => "graph_unreachable",
            FaultKind::TooSlow => "graph_too_slow",
            FaultKind::NoToken => "graph_no_token",
            FaultKind::Unauthorised => "graph_token_refused",
            FaultKind::Forbidden => "graph_forbidden",
            FaultKind::NotFound => "graph_not_found",
            FaultKind::Gone => "graph_sync_state_gone",
            FaultKind::Conflict => "graph_conflict",
            FaultKind::Rejected => "graph_request_rejected",
            FaultKind::Unreadable => "graph_answer_unreadable",
        }
    }

    /// What an administrator can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self.kind {
            FaultKind::Throttled { .. } | FaultKind::Unavailable { .. } => {
                "Nothing: the request is repeated when Microsoft allows it."
            }
            FaultKind::Unreachable | FaultKind::TooSlow => {
                "Check that this machine reaches Microsoft Graph: name resolution, firewall, proxy."
            }
            FaultKind::NoToken | FaultKind::Unauthorised => {
                "Check the application's secret or certificate, and that the service account can sign in."
            }
            FaultKind::Forbidden => {
                "Grant the missing permission: give admin consent for this tenant again, or check the quota."
            }
            FaultKind::NotFound => "Check that the user or group still exists in the customer's tenant.",
            FaultKind::Gone => "Nothing: the directory is read again from the start.",
            FaultKind::Conflict | FaultKind::Rejected | FaultKind::Unreadable => {
                "Report this with Microsoft's request id: this program and Graph do not understand each other."
            }
        }
    }
}

/// Octets of a code or an id that are kept of an answer.
const TEXT_OCTETS_MAX: usize = 128;

/// What a pause may be that Graph asks for; a longer one is taken for this.
///
/// Directory and presence limits are counted in minutes at most: an hour is a mistake somewhere, and one request in
/// an hour prolongs nothing.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// An error as Graph writes it. Both spellings of its inner part occur.
#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    error: Main,
}

#[derive(Default, Deserialize)]
struct Main {
    #[serde(default)]
    code: String,
    #[serde(default, rename = "innerError", alias = "innererror")]
    inner: Option<Inner>,
}

#[derive(Default, Deserialize)]
struct Inner {
    #[serde(default)]
    code: String,
    #[serde(default, rename = "request-id")]
    request_id: String,
}

/// The table: status first; the code only where one status means two things. Never the message.
fn kind(response: &Response, code: &str) -> FaultKind {
    let retry_after =
        response.retry_after_seconds().map(|s| Duration::from_secs(u64::from(s)).min(RETRY_AFTER_MAX));
    match response.status {
        401 => FaultKind::Unauthorised,
        403 => FaultKind::Forbidden,
        404 => FaultKind::NotFound,
        410 => FaultKind::Gone,
        400 | 404..=499 if is_sync_state_code(code) => FaultKind::Gone,
        409 | 412 | 423 => FaultKind::Conflict,
        429 | 509 => FaultKind::Throttled { retry_after },
        408 | 500..=599 => FaultKind::Unavailable { retry_after },
        300..=499 => FaultKind::Rejected,
        _ => FaultKind::Unreadable,
    }
}

fn is_sync_state_code(code: &str) -> bool {
    ["syncStateNotFound", "syncStateInvalid", "resyncRequired"].iter().any(|c| c.eq_ignore_ascii_case(code))
}

/// At most so many octets, printable ones only.
fn short(text: &str) -> Box<str> {
    text.chars().filter(char::is_ascii_graphic).take(TEXT_OCTETS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Ok(Response { status, headers, body: body.as_bytes().to_vec() })
    }

    fn fault(status: u16, headers: &[(&str, &str)], body: &str) -> Fault {
        Fault::check(Operation::ReadUsers, &answer(status, headers, body)).unwrap_err()
    }

    #[test]
    fn an_error_of_graph_is_read() {
        let fault = fault(
            403,
            &[],
            r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges.",
                "innerError":{"date":"2026-01-01T00:00:00","request-id":"r-1","client-request-id":"c-1"}}}"#,
        );
        assert_eq!(fault.kind, FaultKind::Forbidden);
        assert_eq!(&*fault.code, "Authorization_RequestDenied");
        assert_eq!(&*fault.request_id, "r-1");
        assert_eq!(fault.whose(), Whose::Administrator);
    }

    #[test]
    fn the_inner_code_counts_where_there_is_no_other_and_in_both_spellings() {
        let body = r#"{"error":{"code":"","innererror":{"code":"syncStateNotFound"}}}"#;
        assert_eq!(fault(400, &[], body).kind, FaultKind::Gone);
        assert_eq!(fault(404, &[], body).kind, FaultKind::NotFound);
    }

    #[test]
    fn a_pause_is_read_and_bounded() {
        let asked = |value| fault(429, &[("retry-after", value)], "").kind;
        assert_eq!(asked("7"), FaultKind::Throttled { retry_after: Some(Duration::from_secs(7)) });
        assert_eq!(asked("4000000000"), FaultKind::Throttled { retry_after: Some(RETRY_AFTER_MAX) });
        assert_eq!(
            asked("Wed, 21 Oct 2026 07:28:00 GMT"),
            FaultKind::Throttled { retry_after: None },
            "a date is not read"
        );
    }

    #[test]
    fn every_status_has_its_kind() {
        for (status, passing) in
            [(400, false), (401, false), (404, false), (410, false), (429, true), (500, true), (503, true)]
        {
            assert_eq!(fault(status, &[], "<html>proxy</html>").is_passing(), passing, "{status}");
        }
        assert!(Fault::check(Operation::ReadUsers, &answer(204, &[], "")).is_ok());
        assert_eq!(
            Fault::check(Operation::ReadUsers, &Err(NoAnswer::NoToken)).unwrap_err().stable_code(),
            "graph_no_token"
        );
    }

    proptest! {
        #[test]
        fn any_answer_is_a_fault_or_none(status: u16, body: Vec<u8>, header in "\\PC{0,300}") {
            let answer = Ok(Response {
                status,
                headers: vec![("Retry-After".into(), header.clone()), ("request-id".into(), header)],
                body,
            });
            match Fault::check(Operation::ReadUsers, &answer) {
                Ok(response) => prop_assert!((200..300).contains(&response.status)),
                Err(fault) => {
                    prop_assert!(fault.code.len() <= TEXT_OCTETS_MAX);
                    prop_assert!(fault.request_id.len() <= TEXT_OCTETS_MAX);
                    prop_assert!(!fault.stable_code().is_empty() && !fault.remedy().is_empty());
                }
            }
        }
    }
}
