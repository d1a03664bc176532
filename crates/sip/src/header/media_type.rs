//! Content-Type: what a body is.

use super::HeaderError;
use crate::grammar::{Params, is_token, split_at_params, trim};

/// The type of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    /// `application` in `application/sdp`.
    pub kind: &'a [u8],
    /// `sdp` in `application/sdp`.
    pub subtype: &'a [u8],
    /// `boundary`, `charset` and others.
    pub params: Params<'a>,
}

impl<'a> MediaType<'a> {
    /// Reads `application/sdp;charset=utf-8`, with white space around the slash or not.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let (name, params) = split_at_params(value);
        let slash = memchr::memchr(b'/', name).ok_or(HeaderError::Malformed)?;
        let (kind, subtype) = (trim(&name[..slash]), trim(&name[slash + 1..]));
        if !is_token(kind) || !is_token(subtype) {
            return Err(HeaderError::Malformed);
        }
        Ok(Self { kind, subtype, params: Params::new(params) })
    }

    /// Whether it is that type, in any case, whatever its parameters.
    pub fn is(&self, name: &str) -> bool {
        let Some((kind, subtype)) = name.split_once('/') else { return false };
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
            && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_compare_without_case_and_parameters() {
        let sdp = MediaType::parse(b"Application / SDP ; charset=utf-8").unwrap();
        assert!(sdp.is("application/sdp") && !sdp.is("application/sd"));
        let mixed = MediaType::parse(b"multipart/mixed;boundary=\"a;b\"").unwrap();
        assert_eq!(mixed.params.value("boundary"), Some(&b"\"a;b\""[..]));
        assert_eq!(MediaType::parse(b"sdp"), Err(HeaderError::Malformed));
    }
}
