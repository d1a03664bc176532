//! Keys of a telephone, and what was pressed on them.

use std::fmt;

/// A key of a telephone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

impl Digit {
    /// `0`-`9`, `*`, `#`, `A`-`D`; anything else is `None`.
    pub fn new(key: char) -> Option<Digit> {
        match key {
            '0'..='9' | '*' | '#' | 'A'..='D' => u8::try_from(key).ok().map(Digit),
            _ => None,
        }
    }

    /// The key as printed on the telephone.
    pub fn as_char(self) -> char {
        char::from(self.0)
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A digit may be part of a card number or a PIN.
        f.write_str("Digit(*)")
    }
}

/// Digits in the order they were pressed. `Debug` shows only how many: they may be a card number or a PIN.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digits(String);

impl Digits {
    /// More digits than this are dropped.
    pub const MAX: usize = 64;

    /// Adds a digit; beyond [`Digits::MAX`] it is dropped.
    pub fn push(&mut self, digit: Digit) {
        if self.0.len() < Self::MAX {
            self.0.push(digit.as_char());
        }
    }

    /// The digits as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was pressed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Digit> for Digits {
    fn from_iter<I: IntoIterator<Item = Digit>>(digits: I) -> Digits {
        let mut all = Digits::default();
        digits.into_iter().for_each(|digit| all.push(digit));
        all
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digits({} pressed)", self.0.len())
    }
}
