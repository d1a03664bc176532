//! What Graph answers when it does not do what was asked ("Microsoft Graph error responses and resource types").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::throttle::SentAway;

/// A refusal, named by whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No token, or none that is good.
    #[error("{0}")]
    Token(String),
    /// The token was good, but something has changed since: another is demanded, with claims.
    #[error(
        "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: \
         TokenIssuedBeforeRevocationTimestamp"
    )]
    Challenged,
    /// The token is good, but its application is in the tenant no more.
    #[error("The identity of the calling application could not be established.")]
    Identity,
    /// The token is good, but its application or person may not do this.
    #[error("Insufficient privileges to complete the operation.")]
    Denied,
    /// The service says no for a reason of its own.
    #[error("{0}")]
    Forbidden(String),
    /// The directory has no such object, or not in this tenant.
    #[error(
        "Resource '{0}' does not exist or one of its queried reference-property objects are not present."
    )]
    NoResource(String),
    /// Another service has no such thing.
    #[error("{0}")]
    NotFound(&'static str),
    /// The person has no photo.
    #[error("The photo wasn't found.")]
    NoPhoto,
    /// There is no such path.
    #[error("Resource not found for the segment '{0}'.")]
    NoSegment(String),
    /// The path is there, but not with this method.
    #[error("Specified HTTP method is not allowed for the request target.")]
    Method,
    /// The request cannot be understood.
    #[error("{0}")]
    Bad(String),
    /// The query asks for something that the directory does not do, or only with `ConsistencyLevel: eventual`.
    #[error("{0}")]
    UnsupportedQuery(String),
    /// The content type is not JSON.
    #[error("A Content-Type header of application/json is required.")]
    ContentType,
    /// The body is too long.
    #[error("The request is too large.")]
    TooLarge,
    /// It is there already.
    #[error("{0}")]
    Conflict(&'static str),
    /// The change log does not reach back that far.
    #[error("The provided delta token is not found or has expired. Start again without a token.")]
    SyncStateNotFound {
        /// Where to start again.
        start: String,
    },
    /// A request of a batch on which this one depends has failed.
    #[error("A request that this request depends on has failed.")]
    FailedDependency,
    /// Too many requests.
    #[error("Too many requests: the limit is {}.", .0.limit)]
    TooMany(SentAway),
    /// Too many requests, on command.
    #[error("Too many requests.")]
    SentAway {
        /// Seconds to wait, if the service says so.
        retry_after_s: Option<u32>,
    },
    /// The notification endpoint does not answer the handshake as it must.
    #[error("Subscription validation request failed. {0}")]
    Validation(String),
    /// The service is down.
    #[error("The service is temporarily unavailable.")]
    Unavailable {
        /// Seconds to wait, if the service says so.
        retry_after_s: Option<u32>,
    },
    /// The service is broken.
    #[error("An internal server error occurred.")]
    Internal,
}

impl Fault {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Bad(_) | Self::UnsupportedQuery(_) | Self::Validation(_) | Self::NoSegment(_) => 400,
            Self::Token(_) | Self::Challenged | Self::Identity => 401,
            Self::Denied | Self::Forbidden(_) => 403,
            Self::NoResource(_) | Self::NotFound(_) | Self::NoPhoto => 404,
            Self::Method => 405,
            Self::Conflict(_) => 409,
            Self::SyncStateNotFound { .. } => 410,
            Self::TooLarge => 413,
            Self::ContentType => 415,
            Self::FailedDependency => 424,
            Self::TooMany(_) | Self::SentAway { .. } => 429,
            Self::Internal => 500,
            Self::Unavailable { .. } => 503,
        }
    }

    /// The code in the body.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bad(_) | Self::NoSegment(_) | Self::Method => "BadRequest",
            Self::UnsupportedQuery(_) => "Request_UnsupportedQuery",
            Self::Validation(_) => "ValidationError",
            Self::Token(_) | Self::Challenged => "InvalidAuthenticationToken",
            Self::Identity => "Authorization_IdentityNotFound",
            Self::Denied => "Authorization_RequestDenied",
            Self::Forbidden(_) => "Forbidden",
            Self::NoResource(_) => "Request_ResourceNotFound",
            Self::NotFound(_) => "NotFound",
            Self::NoPhoto => "ImageNotFound",
            Self::Conflict(_) => "Conflict",
            Self::SyncStateNotFound { .. } => "syncStateNotFound",
            Self::TooLarge => "RequestEntityTooLarge",
            Self::ContentType => "UnsupportedMediaType",
            Self::FailedDependency => "FailedDependency",
            Self::TooMany(_) | Self::SentAway { .. } => "TooManyRequests",
            Self::Internal => "InternalServerError",
            Self::Unavailable { .. } => "ServiceUnavailable",
        }
    }

    /// Headers that go with it.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Token(_) => vec![("www-authenticate", REALM.to_owned())],
            Self::Challenged => {
                let claims = STANDARD.encode(CLAIMS);
                let challenge = format!("{REALM}, error=\"insufficient_claims\", claims=\"{claims}\"");
                vec![("www-authenticate", challenge)]
            }
            Self::TooMany(away) => vec![("retry-after", away.retry_after_s.to_string())],
            Self::Unavailable { retry_after_s: Some(seconds) }
            | Self::SentAway { retry_after_s: Some(seconds) } => {
                vec![("retry-after", seconds.to_string())]
            }
            Self::SyncStateNotFound { start } => vec![("location", start.clone())],
            _ => Vec::new(),
        }
    }

    /// The body.
    pub fn body(&self, now: Timestamp, request_id: &str, client_request_id: &str) -> Value {
        json!({
            "error": {
                "code": self.code(),
                "message": self.to_string(),
                "innerError": {
                    "date": now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                    "request-id": request_id,
                    "client-request-id": client_request_id,
                },
            },
        })
    }
}

/// Who asks is told so where tokens come from.
const REALM: &str = "Bearer realm=\"\", \
                     authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
                     client_id=\"00000003-0000-0000-c000-000000000000\"";

/// What is demanded: a token that was issued after something happened.
const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
