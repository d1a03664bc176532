//! What Entra ID says when it gives no token, and what can be done about it.

use std::time::Duration;

use serde::Deserialize;

use crate::http::Response;

/// Whose fault something is: who can do something about it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Blame {
    /// Whoever sent it, and it may be an attack. Nothing here is wrong.
    Sender,
    /// The person who signs in.
    Person,
    /// An administrator, of the customer or of this installation.
    Administrator,
    /// Microsoft, or the way there. Trying again helps.
    Microsoft,
}

/// What a request for a token was refused with.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{} ({error}, AADSTS{number}, trace {trace_id})", reason.code())]
pub struct Refusal {
    /// What it means.
    pub reason: Reason,
    /// The number behind `AADSTS`; 0 if there was none.
    pub number: u32,
    /// The OAuth 2.0 error, such as `invalid_grant`, as it came; empty if there was none.
    pub error: String,
    /// Entra ID's first sentence, for the administrator. It may name a person or an application.
    pub description: String,
    /// By which Microsoft's support finds the event; empty if there was none.
    pub trace_id: String,
}

/// What a refusal means, by who can do something about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The application is not in the tenant: nobody there has consented, or the consent was withdrawn.
    NotConsented,
    /// The tenant or the person has not consented to what is asked for.
    ConsentMissing,
    /// An administrator was asked to consent and declined.
    ConsentDeclined,
    /// No such tenant.
    NoTenant,
    /// The client secret is wrong.
    SecretWrong,
    /// The client secret is over.
    SecretExpired,
    /// The assertion's signature, certificate or times are wrong.
    AssertionWrong,
    /// The address to return to is not registered.
    RedirectUnknown,
    /// What is asked for does not exist or was asked for in a wrong way.
    RequestWrong,
    /// The person must do something: a second factor, a new password, consent. With the claims to sign in with.
    Interaction {
        /// The `claims` parameter for the next sign-in, as Entra ID gave it.
        claims: Option<String>,
    },
    /// The tenant's rules (conditional access) forbid it, here and now.
    Forbidden {
        /// The `claims` parameter for the next sign-in, as Entra ID gave it.
        claims: Option<String>,
    },
    /// The person is not known, locked or disabled.
    NoPerson,
    /// The person is not assigned to the application, and the tenant demands it.
    NotAssigned,
    /// Name or password were wrong.
    PasswordWrong,
    /// The person went away from the sign-in.
    Cancelled,
    /// The code, the refresh token or the token to exchange is used, revoked, over or for another application.
    GrantWorthless,
    /// Too many requests.
    Throttled {
        /// How long to wait at least; `None` if it was not said.
        retry_after: Option<Duration>,
    },
    /// Entra ID is not well.
    Unavailable {
        /// How long to wait at least; `None` if it was not said.
        retry_after: Option<Duration>,
    },
    /// No answer came, or one that cannot be read.
    Unreachable,
    /// Something that is not in the table.
    Other,
}

impl Refusal {
    /// Reads an answer that gives no token.
    #[must_use]
    pub fn parse(response: &Response) -> Self {
        let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
        let retry_after =
            response.retry_after_seconds().map(|seconds| Duration::from_secs(u64::from(seconds)));
        let told = Self::told(
            body.error.unwrap_or_default(),
            body.error_description.unwrap_or_default(),
            body.error_codes.unwrap_or_default().first().copied(),
            body.suberror.as_deref(),
            body.claims,
        );
        let reason = match response.status {
            429 => Reason::Throttled { retry_after },
            500.. => Reason::Unavailable { retry_after },
            _ if told.error.is_empty() => Reason::Unreachable,
            _ => told.reason,
        };
        Self { reason, trace_id: shortened(body.trace_id.unwrap_or_default()), ..told }
    }

    /// No answer came.
    #[must_use]
    pub fn unreachable() -> Self {
        Self {
            reason: Reason::Unreachable,
            number: 0,
            error: String::new(),
            description: String::new(),
            trace_id: String::new(),
        }
    }

    /// From the parameters with which a browser comes back.
    #[must_use]
    pub(crate) fn returned(error: String, description: String) -> Self {
        Self::told(error, description, None, None, None)
    }

    fn told(
        error: String,
        description: String,
        number: Option<u32>,
        suberror: Option<&str>,
        claims: Option<String>,
    ) -> Self {
        let number = number.or_else(|| number_in(&description)).unwrap_or(0);
        let reason =
            reason(number, &error, suberror, claims.filter(|claims| claims.len() <= CLAIMS_OCTETS_MAX));
        let first = description.split(['\r', '\n']).next().unwrap_or_default();
        let first = first.split(" Trace ID:").next().unwrap_or_default();
        Self {
            reason,
            number,
            error: shortened(error),
            description: shortened(first.to_owned()),
            trace_id: String::new(),
        }
    }
}

impl Reason {
    /// A name for logs, the audit trail and the API that never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.row().0
    }

    /// Who can do something about it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        self.row().1
    }

    /// What that one can do.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.row().2
    }

    /// How long to wait at least, where Microsoft said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Unavailable { retry_after } => *retry_after,
            _ => None,
        }
    }

    /// The claims to sign in with, where Entra ID demands some.
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        match self {
            Self::Interaction { claims } | Self::Forbidden { claims } => claims.as_deref(),
            _ => None,
        }
    }

    fn row(&self) -> (&'static str, Blame, &'static str) {
        match self {
            Self::NotConsented => (
                "entra_not_consented",
                Blame::Administrator,
                "Have an administrator of the customer's tenant consent to this application.",
            ),
            Self::ConsentMissing => (
                "entra_consent_missing",
                Blame::Administrator,
                "Have an administrator of the customer's tenant consent again: permissions are missing.",
            ),
            Self::ConsentDeclined => (
                "entra_consent_declined",
                Blame::Administrator,
                "The administrator declined. Explain the permissions, and ask for consent again.",
            ),
            Self::NoTenant => (
                "entra_no_tenant",
                Blame::Administrator,
                "Check the tenant's id and the configured cloud: Entra ID does not know the tenant.",
            ),
            Self::SecretWrong => (
                "entra_secret_wrong",
                Blame::Administrator,
                "Put the value of a client secret (not its id) of the app registration into the configuration.",
            ),
            Self::SecretExpired => (
                "entra_secret_expired",
                Blame::Administrator,
                "Create a new client secret or, better, use a certificate; then remove the expired one.",
            ),
            Self::AssertionWrong => (
                "entra_assertion_wrong",
                Blame::Administrator,
                "Upload the configured certificate to the app registration, and set the clock of this machine.",
            ),
            Self::RedirectUnknown => (
                "entra_redirect_unknown",
                Blame::Administrator,
                "Add this installation's address to the redirect URIs of the app registration, letter by letter.",
            ),
            Self::RequestWrong => (
                "entra_request_wrong",
                Blame::Administrator,
                "Check client id, Application ID URI and scopes of the app registration against the configuration.",
            ),
            Self::Interaction { .. } => (
                "entra_interaction",
                Blame::Person,
                "Sign in again: the tenant asks for more, such as a second factor.",
            ),
            Self::Forbidden { .. } => (
                "entra_forbidden",
                Blame::Administrator,
                "The tenant's conditional access forbids it: see the sign-in log there for the policy.",
            ),
            Self::NoPerson => (
                "entra_no_person",
                Blame::Person,
                "Sign in with an account of the right tenant which is not disabled.",
            ),
            Self::NotAssigned => (
                "entra_not_assigned",
                Blame::Administrator,
                "Assign the person, or a group, to the enterprise application.",
            ),
            Self::PasswordWrong => ("entra_password_wrong", Blame::Person, "Sign in again."),
            Self::Cancelled => ("entra_cancelled", Blame::Person, "Sign in again."),
            Self::GrantWorthless => (
                "entra_grant_worthless",
                Blame::Person,
                "Sign in again: the earlier sign-in is used up, revoked or over.",
            ),
            Self::Throttled { .. } => {
                ("entra_throttled", Blame::Microsoft, "Wait: it is tried again by itself.")
            }
            Self::Unavailable { .. } => {
                ("entra_unavailable", Blame::Microsoft, "Wait: it is tried again by itself.")
            }
            Self::Unreachable => (
                "entra_unreachable",
                Blame::Microsoft,
                "Check that the host of Entra ID can be reached; it is tried again by itself.",
            ),
            Self::Other => (
                "entra_other",
                Blame::Administrator,
                "Look up the AADSTS number in Microsoft's documentation of Entra ID's error codes.",
            ),
        }
    }
}

/// Octets of a text of Entra ID's that is kept; the rest is cut off.
pub const TEXT_OCTETS_MAX: usize = 500;

/// Octets of demanded claims that are handed on; longer ones are dropped, and the sign-in goes without.
pub const CLAIMS_OCTETS_MAX: usize = 4096;

#[derive(Default, Deserialize)]
struct Body {
    error: Option<String>,
    error_description: Option<String>,
    error_codes: Option<Vec<u32>>,
    suberror: Option<String>,
    claims: Option<String>,
    trace_id: Option<String>,
}

/// "Microsoft Entra authentication and authorization error codes".
fn reason(number: u32, error: &str, suberror: Option<&str>, claims: Option<String>) -> Reason {
    match number {
        700_016 | 7_000_112 | 500_011 | 650_052 | 650_057 => Reason::NotConsented,
        65_001 | 90_094 | 90_095 => Reason::ConsentMissing,
        65_004 => Reason::ConsentDeclined,
        90_002 | 900_023 | 900_021 => Reason::NoTenant,
        7_000_215 => Reason::SecretWrong,
        7_000_222 => Reason::SecretExpired,
        700_027 | 700_024 | 700_021 | 700_023 | 7_000_227 | 700_211..=700_213 => Reason::AssertionWrong,
        50_011 => Reason::RedirectUnknown,
        70_011 | 90_014 | 900_144 | 7_000_216 | 7_000_218 | 9_002_313 | 501_461 => Reason::RequestWrong,
        50_055 | 50_058 | 50_072 | 50_074 | 50_076 | 50_079 | 50_078 | 50_144 | 50_158 | 16_000 => {
            Reason::Interaction { claims }
        }
        53_000..=53_011 | 530_002..=530_036 => Reason::Forbidden { claims },
        50_034 | 50_053 | 50_057 | 50_020 | 90_072 | 500_212 | 500_208 | 51_004 => Reason::NoPerson,
        50_105 => Reason::NotAssigned,
        50_126 | 50_056 => Reason::PasswordWrong,
        50_013 | 500_131 | 500_133 | 54_005 | 70_000 | 70_008 | 700_082 | 700_084 | 50_173 | 50_089
        | 501_481 => Reason::GrantWorthless,
        90_033 | 90_020 | 50_196 => Reason::Unavailable { retry_after: None },
        _ => by_name(error, suberror, claims),
    }
}

/// Without a number that is known, OAuth's own names (RFC 6749 sections 4.1.2.1 and 5.2) still tell something.
fn by_name(error: &str, suberror: Option<&str>, claims: Option<String>) -> Reason {
    match (error, suberror) {
        (_, Some("consent_required")) | ("consent_required", _) => Reason::ConsentMissing,
        ("interaction_required" | "login_required" | "account_selection_required", _) => {
            Reason::Interaction { claims }
        }
        ("access_denied", _) => Reason::Cancelled,
        ("invalid_grant", _) => Reason::GrantWorthless,
        ("temporarily_unavailable" | "server_error", _) => Reason::Unavailable { retry_after: None },
        ("invalid_request" | "invalid_scope" | "unsupported_grant_type" | "unsupported_response_type", _) => {
            Reason::RequestWrong
        }
        _ => Reason::Other,
    }
}

/// The number behind the first `AADSTS`.
fn number_in(description: &str) -> Option<u32> {
    let rest = description.split_once("AADSTS")?.1;
    let digits = rest.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The text without control characters, cut to [`TEXT_OCTETS_MAX`].
fn shortened(text: String) -> String {
    let mut text: String = text.chars().filter(|character| !character.is_control()).collect();
    text.truncate(text.floor_char_boundary(TEXT_OCTETS_MAX));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(status: u16, headers: &[(&str, &str)], body: &str) -> Refusal {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Refusal::parse(&Response { status, headers, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn a_number_says_who_can_help() {
        for (number, code, blame) in [
            (700_016, "entra_not_consented", Blame::Administrator),
            (7_000_215, "entra_secret_wrong", Blame::Administrator),
            (7_000_222, "entra_secret_expired", Blame::Administrator),
            (700_027, "entra_assertion_wrong", Blame::Administrator),
            (90_002, "entra_no_tenant", Blame::Administrator),
            (65_001, "entra_consent_missing", Blame::Administrator),
            (65_004, "entra_consent_declined", Blame::Administrator),
            (50_076, "entra_interaction", Blame::Person),
            (50_079, "entra_interaction", Blame::Person),
            (53_003, "entra_forbidden", Blame::Administrator),
            (50_034, "entra_no_person", Blame::Person),
            (50_105, "entra_not_assigned", Blame::Administrator),
            (50_011, "entra_redirect_unknown", Blame::Administrator),
            (50_013, "entra_grant_worthless", Blame::Person),
            (500_131, "entra_grant_worthless", Blame::Person),
        ] {
            let body = format!(
                "{{\"error\":\"invalid_client\",\"error_description\":\"AADSTS{number}: It was refused. \
                 Trace ID: t Correlation ID: c Timestamp: 2026-11-22\",\"error_codes\":[{number}],\
                 \"trace_id\":\"t\",\"correlation_id\":\"c\"}}"
            );
            let refusal = refused(400, &[], &body);
            assert_eq!(
                (refusal.number, refusal.reason.code(), refusal.reason.blame()),
                (number, code, blame)
            );
            assert_eq!(refusal.description, format!("AADSTS{number}: It was refused."));
            assert!(!refusal.reason.remedy().is_empty());
        }
    }

    #[test]
    fn claims_are_kept_for_the_next_sign_in() {
        let refusal = refused(
            400,
            &[],
            r#"{"error":"interaction_required","error_description":"AADSTS50076: Due to a configuration change…",
                "error_codes":[50076],"suberror":"basic_action","claims":"{\"access_token\":{\"polids\":{}}}"}"#,
        );
        assert_eq!(refusal.reason.claims(), Some(r#"{"access_token":{"polids":{}}}"#));
    }

    #[test]
    fn waiting_is_told_by_the_status() {
        let throttled = refused(429, &[("Retry-After", "12")], "");
        assert_eq!(throttled.reason, Reason::Throttled { retry_after: Some(Duration::from_secs(12)) });
        let down = refused(503, &[], "<html>Service unavailable</html>");
        assert_eq!(down.reason, Reason::Unavailable { retry_after: None });
        assert_eq!(refused(400, &[], "<html>").reason, Reason::Unreachable);
    }

    #[test]
    fn a_number_is_found_in_the_text_too() {
        let refusal = Refusal::returned(
            "access_denied".into(),
            "AADSTS65004: User declined to consent to access the app.\r\nTrace ID: 1".into(),
        );
        assert_eq!((refusal.number, &refusal.reason), (65_004, &Reason::ConsentDeclined));
        assert_eq!(Refusal::returned("access_denied".into(), String::new()).reason, Reason::Cancelled);
        let unknown = Refusal::returned("something_new".into(), "AADSTS123: New.".into());
        assert_eq!((unknown.number, unknown.reason), (123, Reason::Other));
    }

    proptest! {
        #[test]
        fn any_answer_is_read(status: u16, body: Vec<u8>, text in "\\PC{0,900}") {
            let _ = Refusal::parse(&Response { status, headers: Vec::new(), body });
            let refusal = Refusal::returned(text.clone(), format!("AADSTS{text}"));
            prop_assert!(refusal.error.len() <= TEXT_OCTETS_MAX);
            prop_assert!(refusal.description.len() <= TEXT_OCTETS_MAX);
        }
    }
}
