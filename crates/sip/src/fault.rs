//! What is wrong with a message, and whether that can be answered.

use crate::header::HeaderName;
use crate::message::RawMessage;
use crate::status::StatusCode;

/// Why some bytes are no [`Message`](crate::message::Message).
#[derive(Clone, Debug, thiserror::Error)]
pub enum ParseError {
    /// A faulty request that names its sender: it is owed an answer.
    #[error("{}", .0.cause)]
    Fault(Box<Fault>),
    /// A response, an ACK, no SIP at all, or a request that does not say whom to answer: to be dropped.
    #[error("{0}")]
    Unanswerable(Cause),
}

impl ParseError {
    /// What is wrong.
    pub fn cause(&self) -> Cause {
        match self {
            Self::Fault(fault) => fault.cause,
            Self::Unanswerable(cause) => *cause,
        }
    }
}

/// A faulty request with the answer it is owed.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The request. Its top Via says where the answer goes; other headers may be missing or wrong.
    pub message: RawMessage,
    /// The status to answer with.
    pub status: StatusCode,
    /// What is wrong; its text may serve as reason phrase.
    pub cause: Cause,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The first line is neither a SIP request line nor a SIP status line.
    #[error("Not a SIP Message")]
    NotSip,
    /// More bytes than any message may have.
    #[error("Message Too Large")]
    TooLong,
    /// The first line names a version of SIP other than 2.0.
    #[error("Version Not Supported")]
    Version,
    /// The request line holds too many spaces, brackets, or no URI.
    #[error("Malformed Request-Line")]
    RequestLine,
    /// A status code outside 100 to 699.
    #[error("Malformed Status-Line")]
    StatusLine,
    /// No empty line ends the head.
    #[error("Unfinished Message Head")]
    HeadUnfinished,
    /// A header line without a name or a colon, or with a carriage return inside.
    #[error("Malformed Header Line")]
    HeaderLine,
    /// More header lines than [`HEADER_LINES_MAX`](crate::message::HEADER_LINES_MAX).
    #[error("Too Many Headers")]
    TooManyHeaders,
    /// A header that every message needs is not there.
    #[error("Missing {0}")]
    Missing(HeaderName<'static>),
    /// A header that may stand once stands twice.
    #[error("Repeated {0}")]
    Repeated(HeaderName<'static>),
    /// A header does not follow its grammar or is out of range.
    #[error("Malformed {0}")]
    Malformed(HeaderName<'static>),
    /// CSeq names another method than the request line.
    #[error("CSeq Method Mismatch")]
    MethodMismatch,
    /// Content-Length promises more than came.
    #[error("Content-Length Exceeds Message")]
    BodyTruncated,
    /// The body is above the limit of the stream it came on and was passed over.
    #[error("Request Entity Too Large")]
    BodyTooLarge,
}

impl Cause {
    /// The status a request with this fault is answered with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Version => StatusCode::VERSION_NOT_SUPPORTED,
            Self::BodyTooLarge => StatusCode::REQUEST_ENTITY_TOO_LARGE,
            Self::TooLong => StatusCode::MESSAGE_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
