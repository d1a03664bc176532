//! Replaces (RFC 3891): the dialog that an INVITE wants to take the place of.

use super::HeaderError;
use crate::grammar::{Params, split_at_params};

/// A dialog by its names, as the receiver of the header knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaces<'a> {
    /// Call-ID of the dialog.
    pub call_id: &'a [u8],
    /// The receiver's own tag.
    pub to_tag: &'a [u8],
    /// The tag of the receiver's peer.
    pub from_tag: &'a [u8],
    /// Only an early dialog may be replaced.
    pub early_only: bool,
}

impl<'a> Replaces<'a> {
    /// Reads `call-id;to-tag=x;from-tag=y`. From a Refer-To the text must be unescaped first.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let (call_id, params) = split_at_params(value);
        let params = Params::new(params);
        match (params.value("to-tag"), params.value("from-tag")) {
            (Some(to_tag), Some(from_tag)) if !call_id.is_empty() => {
                Ok(Self { call_id, to_tag, from_tag, early_only: params.has("early-only") })
            }
            _ => Err(HeaderError::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_is_named_by_call_id_and_both_tags() {
        let replaces = Replaces::parse(b"98732@h ;from-tag=r33; to-tag=ff;early-only").unwrap();
        assert_eq!(
            (replaces.call_id, replaces.to_tag, replaces.from_tag),
            (&b"98732@h"[..], &b"ff"[..], &b"r33"[..])
        );
        assert!(replaces.early_only);
        for broken in ["", ";to-tag=a;from-tag=b", "x;to-tag=a", "x;to-tag;from-tag=b"] {
            assert_eq!(Replaces::parse(broken.as_bytes()), Err(HeaderError::Malformed), "{broken}");
        }
    }
}
