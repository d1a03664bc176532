//! Names that Microsoft gives: GUIDs, each kind a type of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that should be a GUID is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a GUID (8-4-4-4-12 hexadecimal digits)")]
pub struct NotAGuid;

/// A GUID (RFC 9562) without regard to case; written in lower case, as Entra ID writes it.
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Guid([u8; 16]);

impl Guid {
    /// From its 16 octets, in the order they are written.
    #[must_use]
    pub const fn from_octets(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// A random one (version 4).
    pub fn random(random: &mut (impl rand::RngCore + ?Sized)) -> Self {
        let mut octets = [0; 16];
        random.fill_bytes(&mut octets);
        octets[6] = octets[6] & 0x0f | 0x40;
        octets[8] = octets[8] & 0x3f | 0x80;
        Self(octets)
    }

    /// Reads a GUID that is known when the program is written.
    ///
    /// # Panics
    /// The text is none; in a constant, the program does not compile then.
    #[must_use]
    pub const fn literal(text: &str) -> Self {
        match parse(text.as_bytes()) {
            Some(octets) => Self(octets),
            #[expect(clippy::panic, reason = "used in constants only, where it stops the compiler")]
            None => panic!("not a GUID"),
        }
    }
}

impl FromStr for Guid {
    type Err = NotAGuid;

    fn from_str(text: &str) -> Result<Self, NotAGuid> {
        parse(text.as_bytes()).map(Self).ok_or(NotAGuid)
    }
}

impl TryFrom<String> for Guid {
    type Error = NotAGuid;

    fn try_from(text: String) -> Result<Self, NotAGuid> {
        text.parse()
    }
}

impl From<Guid> for String {
    fn from(guid: Guid) -> Self {
        guid.to_string()
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, octet) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub Guid);

        impl FromStr for $name {
            type Err = NotAGuid;

            fn from_str(text: &str) -> Result<Self, NotAGuid> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// An application registered in Entra ID: its client id, the same in every tenant.
    ClientId
    /// One Microsoft 365 organisation. Several of them may be one customer.
    EntraTenantId
    /// A user, a group or a service principal of one Entra tenant.
    ObjectId
}

/// The octets, if the text has 8-4-4-4-12 hexadecimal digits.
const fn parse(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut octets = [0; 16];
    let (mut place, mut count) = (0, 0);
    while place < text.len() {
        if matches!(place, 8 | 13 | 18 | 23) {
            if text[place] != b'-' {
                return None;
            }
            place += 1;
            continue;
        }
        let (Some(high), Some(low)) = (digit(text[place]), digit(text[place + 1])) else { return None };
        octets[count] = high << 4 | low;
        count += 1;
        place += 2;
    }
    Some(octets)
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_is_no_matter() {
        let upper: EntraTenantId = "5E3CE6C0-2B1F-4285-8D4B-75EE78787346".parse().unwrap();
        assert_eq!(upper.to_string(), "5e3ce6c0-2b1f-4285-8d4b-75ee78787346");
        assert_eq!(upper, "5e3ce6c0-2b1f-4285-8d4b-75ee78787346".parse().unwrap());
    }

    #[test]
    fn what_is_no_guid_is_none() {
        for text in [
            "",
            "5e3ce6c02b1f42858d4b75ee78787346",
            "{5e3ce6c0-2b1f-4285-8d4b-75ee78787346}",
            "5e3ce6c0-2b1f-4285-8d4b-75ee7878734g",
            "5e3ce6c0-2b1f-4285-8d4b-75ee787873",
            "5e3ce6c0+2b1f-4285-8d4b-75ee78787346",
            "é3ce6c0-2b1f-4285-8d4b-75ee78787346",
        ] {
            assert_eq!(text.parse::<Guid>(), Err(NotAGuid), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(octets: [u8; 16]) {
            let guid = Guid::from_octets(octets);
            prop_assert_eq!(guid.to_string().parse(), Ok(guid));
            let json = serde_json::to_string(&guid).unwrap();
            prop_assert_eq!(serde_json::from_str::<Guid>(&json).unwrap(), guid);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            if let Ok(guid) = text.parse::<Guid>() {
                prop_assert_eq!(guid.to_string(), text.to_ascii_lowercase());
            }
        }
    }
}
