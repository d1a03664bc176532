//! Headers: their names, and their values as typed views on the message's bytes.

mod challenge;
mod event;
mod media_type;
pub(crate) mod name;
mod name_addr;
mod reason;
mod reliable;
mod replaces;
mod timer;
mod typed;
mod via;

pub use challenge::AuthValue;
pub use event::{Event, SubscriptionState, Substate};
pub use media_type::MediaType;
pub use name::HeaderName;
pub use name_addr::NameAddr;
pub use reason::Reason;
pub use reliable::RAck;
pub use replaces::Replaces;
pub use timer::{Refresher, SessionExpires};
pub use via::{DEFAULT_PORT, DEFAULT_TLS_PORT, MAGIC_COOKIE, Rport, Transport, Via};

use crate::grammar::{is_token, number, trim};
use crate::method::Method;

/// Why a header has no typed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It does not follow its grammar, or a number in it is out of range.
    #[error("the header is malformed")]
    Malformed,
    /// It may stand once and stands more often.
    #[error("the header is repeated")]
    Repeated,
}

/// CSeq: the number of a request within its dialog and its method (RFC 3261 section 20.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2^31.
    pub number: u32,
    /// The method of the request.
    pub method: Method<'a>,
}

impl<'a> CSeq<'a> {
    /// Reads `4711 INVITE`.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let method = Self::method_part(value);
        let digits = trim(&value[..value.len() - method.len()]);
        match number::<u32>(digits) {
            Some(number) if number <= CSEQ_MAX && is_token(method) => {
                Ok(Self { number, method: Method::from_bytes(method) })
            }
            _ => Err(HeaderError::Malformed),
        }
    }

    /// What stands behind the last white space.
    pub(crate) fn method_part(value: &[u8]) -> &[u8] {
        let at = value.iter().rposition(|b| matches!(b, b' ' | b'\t')).map_or(value.len(), |at| at + 1);
        &value[at..]
    }
}

/// The greatest number a CSeq may have (RFC 3261 section 8.1.1.5).
pub const CSEQ_MAX: u32 = (1 << 31) - 1;
