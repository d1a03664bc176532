//! The one shape of everything that goes wrong.

use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_center::supervise::{Refusal, RefusalReason};
use tandem_people::api_key::KeyWishFault;
use tandem_people::login::OpenFault;
use tandem_people::person::PersonFault;
use utoipa::ToSchema;

use crate::desk::{ExplainFault, OrderFault, ReadFault};
use crate::erase::EraseFault;
use crate::identity::IdentityFault;

/// What went wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong, as one word for programs. It does not change between releases.
    pub code: String,
    /// What went wrong, for people.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// The parameter, header or member of the body that is wrong, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// An answer that is not what was asked for.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    body: ErrorBody,
    retry_after_s: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>, remedy: &str) -> ApiError {
        let (code, message, remedy) = (code.to_owned(), message.into(), remedy.to_owned());
        ApiError { status, body: ErrorBody { code, message, remedy, field: None }, retry_after_s: None }
    }

    pub(crate) fn field(mut self, field: &str) -> ApiError {
        self.body.field = Some(field.to_owned());
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn code(&self) -> &str {
        &self.body.code
    }

    /// When it makes sense to ask again.
    pub(crate) fn retry_after(mut self, seconds: u64) -> ApiError {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Something that was named does not exist.
    pub(crate) fn not_found(what: &str, id: &str) -> ApiError {
        let message = format!("there is no {what} {id:?}");
        ApiError::new(StatusCode::NOT_FOUND, "not_found", message, "look at the list for those that exist")
    }

    pub(crate) fn bad_request(code: &str, message: impl Into<String>, remedy: &str) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, code, message, remedy)
    }

    /// The body is there, and not declared as JSON.
    pub(crate) fn not_json() -> ApiError {
        ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            "the body is not declared as JSON",
            "send the header Content-Type: application/json",
        )
        .field("Content-Type")
    }

    pub(crate) fn unavailable(code: &str, message: impl Into<String>, remedy: &str) -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, message, remedy)
    }

    pub(crate) fn forbidden(code: &str, message: &str, remedy: &str) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, code, message, remedy)
    }
}

/// The code of an answer that is an error, beside it: the audit trail says it.
#[derive(Clone)]
pub(super) struct ErrorCode(pub(super) String);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let code = ErrorCode(self.body.code.clone());
        let mut response = (self.status, Json(self.body)).into_response();
        response.extensions_mut().insert(code);
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<OrderFault> for ApiError {
    fn from(fault: OrderFault) -> ApiError {
        match fault {
            OrderFault::Refused(refusal) => refusal.into(),
            OrderFault::Overloaded => {
                let message = "as many commands wait as may; this one was not carried out";
                ApiError::unavailable("overloaded", message, "try again in a second")
            }
            OrderFault::Silent => {
                let message = "the engine does not answer; whether the command was carried out is not known";
                ApiError::unavailable("engine_silent", message, "look at the state, then try again")
            }
            OrderFault::Unwritten => {
                let message = "the command was carried out, but the journal has not written it yet";
                ApiError::unavailable(
                    "not_yet_written",
                    message,
                    "look at /readyz; the disk may be full or slow",
                )
            }
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        use RefusalReason as Why;
        let message = refusal.to_string();
        let conflict =
            |code: &str, remedy: &str| ApiError::new(StatusCode::CONFLICT, code, &*message, remedy);
        let bad = |code: &str, remedy: &str| ApiError::bad_request(code, &*message, remedy);
        match refusal.reason {
            Why::UnknownAgent | Why::UnknownInteraction | Why::UnknownQueue => {
                let remedy = "look at the list for those that exist";
                ApiError::new(StatusCode::NOT_FOUND, "not_found", message, remedy)
            }
            Why::NotInWrapUp => {
                conflict("not_in_wrap_up", "nothing is to be done: there is no wrap-up to end")
            }
            Why::ReasonTooLong => bad("reason_too_long", "send a shorter reason").field("reason"),
            Why::NoteTooLong => bad("note_too_long", "send a shorter note").field("note"),
            Why::UnknownCode => bad("unknown_code", "send one of the queue's codes").field("code"),
            Why::CodeRequired => conflict("code_required", "send one of the queue's codes").field("code"),
            Why::NoMoreTime => conflict("no_more_time", "end the wrap-up, or let it run out"),
            Why::NotWaiting => conflict("not_waiting", "look where the customer is now"),
            Why::BeingServed => conflict("being_served", "wait until the customer has answered or has not"),
            Why::SameQueue => conflict("same_queue", "name another queue").field("queue"),
            Why::NotTheirQueue => {
                conflict("not_their_queue", "name an agent of the customer's queue, or move the customer")
                    .field("agent")
            }
            Why::NoSuchPriority => bad("bad_priority", "send 1 (first) to 5 (last)").field("priority"),
            Why::NoCallback => conflict("no_callback", "look where the customer is now"),
            Why::TooManyCallbacks => {
                conflict("too_many", "wait until some have been made, or cancel some that nobody needs")
            }
            Why::AlreadySo => conflict("already_so", "nothing is to be done"),
            Why::StillOpen => conflict("still_open", "try again when the interaction is over"),
        }
    }
}

impl From<IdentityFault> for ApiError {
    fn from(fault: IdentityFault) -> ApiError {
        use IdentityFault as Why;
        let message = fault.to_string();
        let conflict =
            |code: &str, remedy: &str| ApiError::new(StatusCode::CONFLICT, code, &*message, remedy);
        let bad = |code: &str, remedy: &str| ApiError::bad_request(code, &*message, remedy);
        let stranger =
            |code: &str, remedy: &str| ApiError::new(StatusCode::UNAUTHORIZED, code, &*message, remedy);
        match &fault {
            Why::Refused(refusal) => super::authorisation::refused(refusal.clone()),
            Why::Unknown(what) => {
                let remedy = "look at the list for those that exist";
                ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"), remedy)
            }
            Why::Person(why @ (PersonFault::LastAdministrator | PersonFault::LastOperator)) => {
                conflict(why.code(), "give somebody else the role first")
            }
            Why::Person(PersonFault::Name) => bad("bad_name", "send another name").field("name"),
            Why::Person(why) => bad(why.code(), "send a person who can be so"),
            Why::UserName(_) => bad("bad_user_name", "send another user name").field("user_name"),
            Why::Password(why) => bad(why.code(), "choose another password").field("password"),
            Why::Passkey(why) => stranger(why.code(), "begin again; if it stays so, sign in in another way"),
            Why::Key(KeyWishFault::TooMany) => conflict("too_many", "revoke keys that nobody uses"),
            Why::Key(_) => bad("bad_key", "send a name, scopes, and a time that is to come"),
            Why::Login(OpenFault::Disabled) => {
                ApiError::forbidden("disabled", &message, "ask an administrator to enable this person")
            }
            Why::Login(OpenFault::Full) | Why::Hash(_) | Why::Ending => {
                ApiError::unavailable("busy", message, "try again later")
            }
            Why::Renew(_) => stranger("signed_out", "sign in again"),
            Why::Setup(why) => {
                let code = why.code();
                ApiError::forbidden(code, &message, "look at the console, or start the program again")
            }
            Why::Wait(wait) => {
                let remedy = "wait, then try again; somebody may be guessing";
                let seconds = wait.time.as_millis().div_ceil(1000);
                ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", &*message, remedy)
                    .retry_after(u64::try_from(seconds).unwrap_or(u64::MAX))
            }
            Why::WrongCredential => {
                stranger("wrong_credential", "try again, or ask an administrator for an invitation")
            }
            Why::OfConfiguration => {
                conflict("of_configuration", "change the configuration file, and bring it into force")
            }
            Why::NoRole { .. } => {
                let remedy = "ask an administrator to give you a role: an app role or a mapped group in Entra, or one here";
                ApiError::forbidden("no_role", &message, remedy)
            }
            Why::NotOnboarded { .. } => {
                let remedy = "have an administrator of that Entra tenant connect it first";
                ApiError::forbidden("not_onboarded", &message, remedy)
            }
            Why::OfAnotherTenant => {
                ApiError::forbidden("of_another_tenant", &message, "ask the operator of the installation")
            }
            Why::UnknownAgent { .. } => {
                bad("unknown_agent", "name an agent of the configuration").field("agent")
            }
            Why::AgentTaken { .. } => {
                conflict("agent_taken", "name another agent, or take the link from the other person first")
                    .field("agent")
            }
            Why::NoPerson => ApiError::forbidden("no_person", &message, "sign in as a person"),
            Why::NoUserName => conflict("no_user_name", "give the person a user name first"),
            Why::LocalOff => ApiError::forbidden("local_off", &message, "sign in with Microsoft 365"),
            Why::Taken(_) => conflict("taken", "choose another"),
            Why::Full(_) => conflict("too_many", "remove some that nobody uses"),
            Why::Register(_) | Why::Kept { .. } => {
                tracing::error!(%fault, "the register of people cannot be used");
                ApiError::unavailable("register_unusable", message, "look at the log and at the disk")
            }
        }
    }
}

impl From<EraseFault> for ApiError {
    fn from(fault: EraseFault) -> ApiError {
        match fault {
            EraseFault::Order(fault) => fault.into(),
            EraseFault::Read(fault) => fault.into(),
            EraseFault::Recording { .. } => {
                let remedy =
                    "look at the rights of the folder of recordings, then try again: nothing is erased yet";
                tracing::error!(%fault, remedy, "personal data is not erased");
                ApiError::unavailable("recording_kept", fault.to_string(), remedy)
            }
        }
    }
}

impl From<ReadFault> for ApiError {
    fn from(fault: ReadFault) -> ApiError {
        let remedy = match &fault {
            ReadFault::Journal(fault) => fault.remedy(),
            ReadFault::Fact { .. } => "start the release that wrote it",
            ReadFault::Ending => "try again when the program is running",
        };
        tracing::error!(fault = %fault, remedy, "journal cannot be read");
        ApiError::unavailable("journal_unreadable", fault.to_string(), remedy)
    }
}

impl From<ExplainFault> for ApiError {
    fn from(fault: ExplainFault) -> ApiError {
        let message = fault.to_string();
        match fault {
            ExplainFault::Read(fault) => fault.into(),
            ExplainFault::Restore(fault) => {
                tracing::error!(%fault, "journal cannot be read");
                ApiError::unavailable("journal_unreadable", message, "look at the log and at the disk")
            }
            ExplainFault::TooFarBack => {
                ApiError::new(StatusCode::GONE, "too_far_back", message, "ask for a later offer of this call")
            }
            ExplainFault::Busy => ApiError::unavailable("busy", message, "try again in a few seconds"),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> ApiError {
        match rejection {
            JsonRejection::MissingJsonContentType(_) => ApiError::not_json(),
            JsonRejection::BytesRejection(rejection) => rejection.into(),
            other => {
                let remedy = "send a body as /api/openapi.json describes it";
                ApiError::bad_request("bad_body", other.body_text(), remedy)
            }
        }
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> ApiError {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let message = format!("the body is larger than {} bytes", super::BODY_BYTES_MAX);
            return ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message, "send a smaller body");
        }
        ApiError::bad_request("bad_body", rejection.body_text(), "send the whole body")
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> ApiError {
        let remedy = "send parameters as /api/openapi.json describes them";
        ApiError::bad_request("bad_query", rejection.body_text(), remedy)
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> ApiError {
        ApiError::bad_request("bad_path", rejection.body_text(), "look at the list for the ids that exist")
    }
}
