//! Which passwords are good enough.

use crate::person::UserName;
use crate::secret::Secret;

/// A password that is good enough to be kept.
#[derive(Clone, Debug)]
pub struct GoodPassword(Secret);

impl GoodPassword {
    /// Takes a password that somebody chose for themselves, who signs in with this name.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it; people can do something about each.
    pub fn new(chosen: Secret, user: &UserName) -> Result<GoodPassword, PasswordFault> {
        let text = chosen.expose();
        let chars = text.chars().count();
        if chars < GoodPassword::CHARS_MIN {
            return Err(PasswordFault::TooShort { chars });
        }
        if chars > GoodPassword::CHARS_MAX {
            return Err(PasswordFault::TooLong { chars });
        }
        if text.chars().any(char::is_control) {
            return Err(PasswordFault::ControlCharacter);
        }
        let plain = text.to_lowercase();
        if contains_name(&plain, user) {
            return Err(PasswordFault::ContainsUserName);
        }
        if is_monotonous(&plain) || is_sequence(&plain) {
            return Err(PasswordFault::Monotonous);
        }
        if is_common(&plain) {
            return Err(PasswordFault::Common);
        }
        Ok(GoodPassword(chosen))
    }

    /// The password that was right a moment ago, to be hashed again: what was good enough then need not be so now.
    pub fn known(right: Secret) -> GoodPassword {
        GoodPassword(right)
    }

    /// The password.
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Fewest characters.
    pub const CHARS_MIN: usize = 12;
    /// Most characters. Beyond, a password is no better, and hashing it only longer.
    pub const CHARS_MAX: usize = 128;
}

/// What is wrong with a password that somebody chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// It has too few characters.
    #[error(
        "a password has at least {} characters, this one has {chars}; four words that do not belong together are good",
        GoodPassword::CHARS_MIN
    )]
    TooShort {
        /// How many.
        chars: usize,
    },
    /// It has too many characters.
    #[error("a password has at most {} characters, this one has {chars}", GoodPassword::CHARS_MAX)]
    TooLong {
        /// How many.
        chars: usize,
    },
    /// There is a character in it that not every keyboard can write.
    #[error("there is a control character in the password")]
    ControlCharacter,
    /// The user name is in it.
    #[error("the user name is in the password")]
    ContainsUserName,
    /// It is a few characters again and again, or a row of the keyboard.
    #[error("the password is a repetition or a row of keys")]
    Monotonous,
    /// Many have chosen it, and everybody who guesses begins with it.
    #[error("this password is one of the first that are guessed")]
    Common,
}

impl PasswordFault {
    /// The stable word for the page and for programs.
    pub const fn code(self) -> &'static str {
        match self {
            PasswordFault::TooShort { .. } => "too_short",
            PasswordFault::TooLong { .. } => "too_long",
            PasswordFault::ControlCharacter => "control_character",
            PasswordFault::ContainsUserName => "contains_user_name",
            PasswordFault::Monotonous => "monotonous",
            PasswordFault::Common => "common",
        }
    }
}

/// The whole user name, or what stands before its `@`, if that is long enough not to be there by chance.
fn contains_name(plain: &str, user: &UserName) -> bool {
    let name = user.as_str();
    let before_at = name.split('@').next().unwrap_or(name);
    [name, before_at].iter().any(|name| name.len() >= NAME_CHARS_MIN && plain.contains(name))
}

/// Few different characters, or a short piece again and again.
fn is_monotonous(plain: &str) -> bool {
    let chars: Vec<char> = plain.chars().collect();
    let mut distinct = chars.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let repeats = |piece: usize| chars.iter().zip(chars.iter().skip(piece)).all(|(a, b)| a == b);
    distinct.len() < DISTINCT_CHARS_MIN || (1..=PIECE_CHARS_MAX.min(chars.len() / 2)).any(repeats)
}

/// A row of the keyboard or of the alphabet, forwards or backwards, and nothing else.
fn is_sequence(plain: &str) -> bool {
    let backwards: String = plain.chars().rev().collect();
    ROWS.iter().any(|row| {
        let twice = row.repeat(PASSWORD_BYTES_MAX / row.len() + 1);
        twice.contains(plain) || twice.contains(&backwards)
    })
}

/// Common words, one after the other, with digits and signs before, between and behind, and little else.
fn is_common(plain: &str) -> bool {
    let letters: String = plain.chars().filter_map(undisguise).collect();
    let mut rest = letters.as_str();
    let (mut words, mut other) = (0, 0);
    while let Some(first) = rest.chars().next() {
        // The longest word first: the list has words that begin with others.
        let word =
            COMMON.split_whitespace().filter(|word| rest.starts_with(word)).max_by_key(|word| word.len());
        let step = word.map_or(first.len_utf8(), |word| word.len());
        words += usize::from(word.is_some());
        other += usize::from(word.is_none());
        rest = rest.get(step..).unwrap_or_default();
    }
    words > 0 && other < OWN_LETTERS_MIN && digits_are_few(plain)
}

/// Six digits in a row are a date; more than that, and they are what makes the password.
fn digits_are_few(plain: &str) -> bool {
    plain.chars().filter(char::is_ascii_digit).count() <= DIGITS_FEW
}

/// The letter that is meant by a character; `None` for what decorates.
fn undisguise(character: char) -> Option<char> {
    match character {
        '@' | '4' => Some('a'),
        '3' => Some('e'),
        '0' => Some('o'),
        '$' | '5' => Some('s'),
        '1' | '!' => None,
        letter if letter.is_alphabetic() => Some(letter),
        _ => None,
    }
}

/// Most bytes of a password that are looked at: [`GoodPassword::CHARS_MAX`] characters of four bytes. What is longer is wrong.
pub(super) const PASSWORD_BYTES_MAX: usize = GoodPassword::CHARS_MAX * 4;
/// A shorter user name may stand in a password: it is there by chance.
const NAME_CHARS_MIN: usize = 4;
/// With fewer different characters a password is a repetition. By taste.
const DISTINCT_CHARS_MIN: usize = 5;
/// Longest piece whose repetition makes a password monotonous.
const PIECE_CHARS_MAX: usize = 6;
/// Fewer letters of one's own beside common words are not enough. By taste.
const OWN_LETTERS_MIN: usize = 4;
/// Up to so many digits beside common words are decoration. By taste.
const DIGITS_FEW: usize = 8;
/// What fingers run along.
const ROWS: &[&str] = &[
    "1234567890",
    "!@#$%^&*()_+",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujm",
];
/// Words that make up the passwords that are guessed first. Together and in a row they make the twelve characters that
/// are asked for; alone they could not.
const COMMON: &str = "\
    abc admin administrator agent asdf august autumn azerty baseball batman bonjour call center centre \
    change changeme charlie company computer contact daniel default dragon fall football geheim guest \
    hallo hello hunter iloveyou installation internet is january jordan july june kennwort letmein \
    liverpool login love master me michael microsoft monday monkey motdepasse mustang my nimda ninja \
    office operator pass passphrase passw password passwort please princess qwer qwerty qwertz root \
    secret secure security server service shadow soleil sommer spring starwars summer sunshine superman \
    supervisor support system tandem teams telefon telephone temp temporary test tester testing the this \
    trustno user welcome willkommen winter word xsw you your zaq";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chosen(text: &str) -> Result<(), PasswordFault> {
        GoodPassword::new(Secret::new(text.to_owned()), &"anna.berg@example.com".parse().unwrap()).map(|_| ())
    }

    #[test]
    fn good_passwords_are_taken() {
        for text in [
            "correct horse battery staple",
            "Zug fährt ab um 9",
            "kf8#mQ2!vLw0xR",
            "лодка плывёт домой",
            "81920573648210957",
            "purple-teapot-admin-42",
            "^*#&%)(+?;:,",
        ] {
            assert_eq!(chosen(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn bad_passwords_are_refused_with_the_reason() {
        assert_eq!(chosen("kf8#mQ2!vLw"), Err(PasswordFault::TooShort { chars: 11 }));
        assert_eq!(chosen(&"correct horse ".repeat(10)), Err(PasswordFault::TooLong { chars: 140 }));
        assert_eq!(chosen("correct\u{0}horse battery"), Err(PasswordFault::ControlCharacter));
        assert_eq!(chosen("xx-Anna.Berg-77-yy"), Err(PasswordFault::ContainsUserName));
        for text in [
            "aaaaaaaaaaaa",
            "abababababab",
            "Xy7!Xy7!Xy7!",
            "123456789012",
            "qwertyuiopasdf",
            "zyxwvutsrqponm",
            "!@#$%^&*()_+",
        ] {
            assert_eq!(chosen(text), Err(PasswordFault::Monotonous), "{text}");
        }
        for text in [
            "Password1234",
            "P@ssw0rd2024!",
            "passwordpassword",
            "Welcome2026!!",
            "Summer2026!!!",
            "admin-admin-1",
            "tandem-tandem",
            "LetMeIn12345!",
            "ThisIsMyPassword",
            "changeme-12345",
            "Qwerty-Qwerty1",
        ] {
            assert_eq!(chosen(text), Err(PasswordFault::Common), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_brings_the_rules_down(text in "\\PC{0,140}", user in "[a-z0-9][a-z0-9.@]{0,20}") {
            let _ = GoodPassword::new(Secret::new(text), &user.parse().unwrap());
        }
    }
}
