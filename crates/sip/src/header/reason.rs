//! Reason (RFC 3326): why a request was sent or refused.

use std::borrow::Cow;

use super::HeaderError;
use crate::grammar::{Params, is_token, number, split_at_params, unquote};

/// One entry of a Reason header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// Whose codes these are: `SIP`, `Q.850` or another token.
    pub protocol: &'a [u8],
    /// The code.
    pub cause: Option<u16>,
    /// Text for people as written, quotes included. Teams puts a correlation id in front of it.
    pub raw_text: Option<&'a [u8]>,
}

impl<'a> Reason<'a> {
    /// Reads one entry, such as `Q.850;cause=16;text="Terminated"`. A cause that is no number counts as none.
    pub fn parse(entry: &'a [u8]) -> Result<Self, HeaderError> {
        let (protocol, params) = split_at_params(entry);
        if !is_token(protocol) {
            return Err(HeaderError::Malformed);
        }
        let params = Params::new(params);
        Ok(Self { protocol, cause: params.value("cause").and_then(number), raw_text: params.value("text") })
    }

    /// Whether the cause is a Q.850 code, that of the telephone network.
    pub fn is_q850(&self) -> bool {
        self.protocol.eq_ignore_ascii_case(b"Q.850")
    }

    /// Whether the cause is a SIP status.
    pub fn is_sip(&self) -> bool {
        self.protocol.eq_ignore_ascii_case(b"SIP")
    }

    /// The text without its quotes.
    pub fn text(&self) -> Option<Cow<'a, [u8]>> {
        self.raw_text.map(unquote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_the_text_is_text() {
        let reason = Reason::parse(b"Q.850;cause=63;text=\"5e19725b;No trunk config was found.\"").unwrap();
        assert!(reason.is_q850() && !reason.is_sip());
        assert_eq!(reason.cause, Some(63));
        assert_eq!(reason.text().as_deref(), Some(&b"5e19725b;No trunk config was found."[..]));
        assert_eq!(Reason::parse(b"SIP;cause=high").unwrap().cause, None);
        assert_eq!(Reason::parse(b";cause=1"), Err(HeaderError::Malformed));
    }
}
