//! Typing errors: how many lie between what was typed and what was meant.
//!
//! A letter too many, too few or wrong is one error, and so are two letters in the wrong order, none of them touched twice
//! (optimal string alignment).

use super::fold::WORD_CHARS_MAX;

/// A word that was typed, made ready to be compared with many.
///
/// A column of the table of errors is two words of bits: where it grows from row to row, and where it falls (Myers 1999;
/// with letters in the wrong order, Hyyrö 2003). So each letter of the other word costs a handful of instructions.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    length: u32,
    errors_max: u8,
    /// At which places each letter stands.
    ascii: Box<[u64; 128]>,
    others: Vec<(char, u64)>,
}

/// How far what was typed is from a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Distance {
    /// From the whole word, if that is near enough.
    pub(super) whole: Option<u8>,
    /// From the nearest beginning of the word, with its letters, if that is near enough; of two equally near the
    /// longer.
    pub(super) beginning: Option<(u8, usize)>,
}

impl Typed {
    /// Reads a word; letters beyond the longest word are not looked at.
    pub(super) fn new(word: &str) -> Typed {
        let mut typed = Typed { length: 0, errors_max: 0, ascii: Box::new([0; 128]), others: Vec::new() };
        for letter in word.chars().take(WORD_CHARS_MAX) {
            let bit = 1 << typed.length;
            typed.length += 1;
            if let Some(places) = typed.ascii.get_mut(letter as usize) {
                *places |= bit;
            } else if let Some((_, places)) = typed.others.iter_mut().find(|(other, _)| *other == letter) {
                *places |= bit;
            } else {
                typed.others.push((letter, bit));
            }
        }
        typed.errors_max = forgiven(typed.length);
        typed
    }

    /// Typing errors that are forgiven.
    pub(super) fn errors_max(&self) -> u8 {
        self.errors_max
    }

    /// Letters of the shortest word that can be near.
    pub(super) fn length_min(&self) -> u32 {
        self.length.saturating_sub(u32::from(self.errors_max))
    }

    /// How far it is from a word.
    #[inline]
    pub(super) fn distance(&self, word: impl Iterator<Item = char>) -> Distance {
        let Some(last) = self.length.checked_sub(1).map(|place| 1 << place) else {
            // Nothing was typed: all words begin so.
            let whole = word.take(1).count().eq(&0).then_some(0);
            return Distance { whole, beginning: Some((0, 0)) };
        };
        let mut errors = self.length;
        let mut found = Distance { whole: None, beginning: self.near(errors).map(|errors| (errors, 0)) };
        let (mut grows, mut falls, mut equal, mut before) = (u64::MAX, 0u64, 0u64, 0u64);
        let mut letters = 0;
        for letter in word {
            letters += 1;
            if letters > self.length + u32::from(self.errors_max) {
                // Beginnings that are longer are not near, nor is the whole.
                return found;
            }
            let places = self.places(letter);
            let swapped = ((!equal & places) << 1) & before;
            equal = (((places & grows).wrapping_add(grows)) ^ grows) | places | falls | swapped;
            let right = falls | !(equal | grows);
            let left = equal & grows;
            errors = errors + u32::from(right & last != 0) - u32::from(left & last != 0);
            let right = (right << 1) | 1;
            grows = (left << 1) | !(equal | right);
            falls = right & equal;
            before = places;
            if let Some(near) = self.near(errors)
                && found.beginning.is_none_or(|(known, _)| near <= known)
            {
                found.beginning = Some((near, letters as usize));
            }
        }
        found.whole = self.near(errors);
        found
    }

    fn near(&self, errors: u32) -> Option<u8> {
        u8::try_from(errors).ok().filter(|errors| *errors <= self.errors_max)
    }

    fn places(&self, letter: char) -> u64 {
        match self.ascii.get(letter as usize) {
            Some(places) => *places,
            None => self.others.iter().find(|(other, _)| *other == letter).map_or(0, |(_, places)| *places),
        }
    }
}

/// Typing errors that are forgiven in a word of so many letters.
fn forgiven(letters: u32) -> u8 {
    match letters {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// Every place has a bit.
const _: () = assert!(WORD_CHARS_MAX < 64);

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, word for word: slow, and plain to see.
    pub(in super::super) fn errors_by_definition(typed: &[char], word: &[char]) -> usize {
        let (n, m) = (typed.len(), word.len());
        let mut table = vec![vec![0; m + 1]; n + 1];
        for i in 0..=n {
            for j in 0..=m {
                table[i][j] = match (i, j) {
                    (0, j) => j,
                    (i, 0) => i,
                    _ => {
                        let wrong = usize::from(typed[i - 1] != word[j - 1]);
                        let mut least =
                            (table[i - 1][j - 1] + wrong).min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                        if i > 1 && j > 1 && typed[i - 1] == word[j - 2] && typed[i - 2] == word[j - 1] {
                            least = least.min(table[i - 2][j - 2] + 1);
                        }
                        least
                    }
                };
            }
        }
        table[n][m]
    }

    fn letters(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    fn of(typed: &str, word: &str) -> Distance {
        Typed::new(typed).distance(word.chars())
    }

    #[test]
    fn each_kind_of_error_counts_one() {
        for typed in ["lovelac", "lovelacex", "lxvelace", "olvelace"] {
            assert_eq!(of(typed, "lovelace").whole, Some(1), "{typed}");
        }
        assert_eq!(of("lvoelaec", "lovelace").whole, Some(2));
        assert_eq!(of("xlvoelaec", "lovelace").whole, None);
        assert_eq!(of("lvoelae", "lovelac").whole, None, "one error in seven letters");
        assert_eq!(of("adb", "ada").whole, None, "none in three");
    }

    #[test]
    fn a_beginning_is_near_before_the_word_is_complete() {
        assert_eq!(of("lovle", "lovelace"), Distance { whole: None, beginning: Some((1, 5)) });
        assert_eq!(of("love", "lovelace").beginning, Some((0, 4)));
        assert_eq!(of("", "ada"), Distance { whole: None, beginning: Some((0, 0)) });
    }

    proptest! {
        #[test]
        fn it_is_what_the_definition_says(typed in "[abcé]{0,14}", word in "[abcé]{0,16}") {
            let (letters_typed, letters_of) = (letters(&typed), letters(&word));
            let most = match letters_typed.len() {
                0..=3 => 0,
                4..=7 => 1,
                _ => 2,
            };
            let near = |errors: usize| u8::try_from(errors).ok().filter(|errors| *errors <= most);
            let of_beginning = |length: usize| near(errors_by_definition(&letters_typed, &letters_of[..length]));
            let least = (0..=letters_of.len()).filter_map(of_beginning).min();
            let found = of(&typed, &word);
            prop_assert_eq!(found.whole, of_beginning(letters_of.len()));
            prop_assert_eq!(found.beginning.map(|(errors, _)| errors), least);
            if let Some((errors, length)) = found.beginning {
                prop_assert_eq!(of_beginning(length), Some(errors));
            }
        }

        #[test]
        fn no_words_are_too_long_for_it(typed in "\\PC{0,80}", word in "\\PC{0,80}") {
            let _ = of(&typed, &word);
        }
    }
}
