//! The names of people, keys and logins: typed, so that a person's id is never taken for a login's.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: a UUID in lower case is expected, such as 6f1d0f4e-4b0a-4e5c-9d43-0a4f6f2f7a10")]
pub struct NotAnId;

macro_rules! drawn_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        ///
        /// A random UUID (RFC 9562, version 4) in lower case. Cloning is cheap: the text is shared.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id made of these bytes, which must come from a good generator.
            pub fn from_random(bytes: [u8; 16]) -> $name {
                $name(Arc::from(uuid_text(version_4(bytes))))
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<$name, NotAnId> {
                if is_uuid(text) { Ok($name(Arc::from(text))) } else { Err(NotAnId) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<$name, NotAnId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )*};
}

drawn_ids! {
    /// One login of a person: a browser, a Teams tab.
    LoginId,
    /// Somebody who may sign in.
    PersonId,
}

fn version_4(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    bytes
}

/// The text of a UUID (RFC 9562 section 4).
pub(crate) fn uuid_text(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_4() {
        let id = PersonId::from_random([0xff; 16]);
        assert_eq!(id.as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(id.as_str().parse(), Ok(id));
    }

    #[test]
    fn what_is_not_an_id_is_not_read_as_one() {
        for text in ["", "x", "FFFFFFFF-ffff-4fff-bfff-ffffffffffff", "ffffffff-ffff-4fff-bfff-ffffffffffff "]
        {
            assert_eq!(text.parse::<PersonId>(), Err(NotAnId), "{text}");
        }
        assert!(serde_json::from_str::<LoginId>("\"../../etc\"").is_err());
    }

    proptest! {
        #[test]
        fn every_drawn_id_reads_back(bytes: [u8; 16]) {
            let id = LoginId::from_random(bytes);
            prop_assert_eq!(id.as_str().parse::<LoginId>(), Ok(id.clone()));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<LoginId>(&json).unwrap(), id);
        }

        #[test]
        fn no_text_brings_the_reader_down(text in "\\PC{0,50}") {
            let _ = text.parse::<PersonId>();
        }
    }
}
