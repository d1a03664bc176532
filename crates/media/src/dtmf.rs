//! Keys pressed, as telephone events in RTP (RFC 4733).

/// A key of a telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

impl Digit {
    /// The key with this event number: 0 to 9, 10 is `*`, 11 is `#`, 12 to 15 are `A` to `D`.
    pub const fn from_event(event: u8) -> Option<Self> {
        if event < 16 { Some(Self(event)) } else { None }
    }

    /// The key with this sign: `0` to `9`, `*`, `#`, `A` to `D` in either case.
    pub const fn from_char(sign: char) -> Option<Self> {
        match sign {
            '0'..='9' => Some(Self(sign as u8 - b'0')),
            '*' => Some(Self(10)),
            '#' => Some(Self(11)),
            'A'..='D' => Some(Self(sign as u8 - b'A' + 12)),
            'a'..='d' => Some(Self(sign as u8 - b'a' + 12)),
            _ => None,
        }
    }

    /// The event number, 0 to 15.
    pub const fn event(self) -> u8 {
        self.0
    }

    /// The key's sign.
    pub const fn as_char(self) -> char {
        match self.0 {
            0..=9 => (b'0' + self.0) as char,
            10 => '*',
            11 => '#',
            _ => (b'A' + (self.0 & 15) - 12) as char,
        }
    }
}

impl std::fmt::Display for Digit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.as_char())
    }
}
