//! Reliable provisional responses (RFC 3262): which one a PRACK acknowledges.

use super::{CSeq, HeaderError};
use crate::grammar::{number, trim_start};

/// RAck: the provisional response that a PRACK acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RAck<'a> {
    /// RSeq of the response.
    pub rseq: u32,
    /// CSeq of the response.
    pub cseq: CSeq<'a>,
}

impl<'a> RAck<'a> {
    /// Reads `776656 1 INVITE`.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
        let (rseq, rest) = value.split_at(digits);
        let cseq = trim_start(rest);
        if cseq.len() == rest.len() {
            return Err(HeaderError::Malformed);
        }
        Ok(Self { rseq: number(rseq).ok_or(HeaderError::Malformed)?, cseq: CSeq::parse(cseq)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;

    #[test]
    fn a_rack_names_response_and_request() {
        let rack = RAck::parse(b"776656 1  INVITE").unwrap();
        assert_eq!((rack.rseq, rack.cseq), (776_656, CSeq { number: 1, method: Method::Invite }));
        for broken in ["", "1", "1 INVITE", "1 2", "x 1 INVITE", "99999999999 1 INVITE", "1x 1 INVITE"] {
            assert_eq!(RAck::parse(broken.as_bytes()), Err(HeaderError::Malformed), "{broken}");
        }
    }
}
