//! Session timers (RFC 4028): the headers that keep a call from lasting for ever unnoticed.

use super::HeaderError;
use crate::grammar::{Params, number, split_at_params};

/// Session-Expires: after how long without refresh a call counts as dead, and who refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionExpires {
    /// Seconds from the last refresh.
    pub seconds: u32,
    /// Who refreshes; a request may leave it open.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Reads `3600;refresher=uac`. A refresher of another name counts as none.
    pub fn parse(value: &[u8]) -> Result<Self, HeaderError> {
        let (seconds, params) = split_at_params(value);
        let refresher = Params::new(params).value("refresher").and_then(|name| {
            [Refresher::Uac, Refresher::Uas]
                .into_iter()
                .find(|known| known.as_str().as_bytes().eq_ignore_ascii_case(name))
        });
        Ok(Self { seconds: number(seconds).ok_or(HeaderError::Malformed)?, refresher })
    }
}

/// Who refreshes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// Who sent the request that carries, or is answered with, the header.
    Uac,
    /// Who answers it.
    Uas,
}

impl Refresher {
    /// The value of the `refresher` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

/// The number of seconds in Min-SE; parameters are ignored.
pub(crate) fn min_se(value: &[u8]) -> Result<u32, HeaderError> {
    number(split_at_params(value).0).ok_or(HeaderError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_refresher_are_read() {
        let parse = |text: &'static str| SessionExpires::parse(text.as_bytes());
        assert_eq!(parse("3600"), Ok(SessionExpires { seconds: 3600, refresher: None }));
        assert_eq!(
            parse("90 ; Refresher = UAS"),
            Ok(SessionExpires { seconds: 90, refresher: Some(Refresher::Uas) })
        );
        assert_eq!(parse("90;refresher=proxy"), Ok(SessionExpires { seconds: 90, refresher: None }));
        assert_eq!(parse("soon"), Err(HeaderError::Malformed));
        assert_eq!(parse("99999999999"), Err(HeaderError::Malformed));
        assert_eq!(min_se(b"300;x=y"), Ok(300));
    }
}
