//! Typing errors: how many lie between what was typed and what was meant.
//!
//! A letter too many, too few or wrong is one error, and so are two letters in the wrong order, none of them touched twice
//! (optimal string alignment).

use super::fold::WORD_CHARS_MAX;

/// How far what was typed is from a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Distance {
    /// From the whole word, if that is near enough.
    pub(super) whole: Option<u8>,
    /// From the nearest beginning of the word, with its letters, if that is near enough; of two equally near the
    /// longer.
    pub(super) beginning: Option<(u8, usize)>,
}

/// Typing errors that are forgiven in a word of so many letters.
pub(super) fn forgiven(letters: usize) -> u8 {
    match letters {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// How far what was typed is from a word, if there are no more errors than this. Both are words, so neither is longer
/// than words are; what would be is not near.
pub(super) fn distance(typed: &[char], word: &[char], errors_max: u8) -> Distance {
    let most = usize::from(errors_max);
    if typed.len() > WORD_CHARS_MAX || word.len() > WORD_CHARS_MAX || word.len() + most < typed.len() {
        return Distance::default();
    }
    // Beginnings that are longer are not near.
    let width = word.len().min(typed.len() + most);
    // Errors between the first letters of both; a row for each letter typed, and two rows before it.
    let mut before = [FAR; WORD_CHARS_MAX + 1];
    let mut above = [FAR; WORD_CHARS_MAX + 1];
    let mut row = [FAR; WORD_CHARS_MAX + 1];
    for (place, errors) in (0u8..).zip(above.iter_mut().take(width + 1)) {
        *errors = place;
    }
    for (down, letter) in typed.iter().enumerate() {
        row[0] = u8::try_from(down + 1).unwrap_or(FAR);
        let mut least = row[0];
        for across in 0..width {
            let same = word[across] == *letter;
            let mut errors = above[across].saturating_add(u8::from(!same));
            errors = errors.min(above[across + 1].saturating_add(1)).min(row[across].saturating_add(1));
            if down > 0 && across > 0 && word[across - 1] == *letter && word[across] == typed[down - 1] {
                errors = errors.min(before[across - 1].saturating_add(1));
            }
            row[across + 1] = errors;
            least = least.min(errors);
        }
        // Two letters in the wrong order look back over one row.
        if least > errors_max.saturating_add(1) {
            return Distance::default();
        }
        (before, above, row) = (above, row, before);
    }
    let near = |errors: u8| (errors <= errors_max).then_some(errors);
    let whole = (width == word.len()).then(|| above[width]).and_then(near);
    let beginning = (0..=width)
        .filter_map(|letters| near(above[letters]).map(|errors| (errors, letters)))
        .min_by_key(|(errors, letters)| (*errors, std::cmp::Reverse(*letters)));
    Distance { whole, beginning }
}

/// More errors than anybody forgives.
const FAR: u8 = u8::MAX / 2;

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
        distance(&letters(typed), &letters(word), 2)
    }

    #[test]
    fn each_kind_of_error_counts_one() {
        for typed in ["lovelac", "lovelaceX", "lXvelace", "olvelace"] {
            assert_eq!(of(&typed.to_lowercase(), "lovelace").whole, Some(1), "{typed}");
        }
        assert_eq!(of("lvoelaec", "lovelace").whole, Some(2));
        assert_eq!(of("byron", "lovelace").whole, None);
    }

    #[test]
    fn a_beginning_is_near_before_the_word_is_complete() {
        assert_eq!(of("lovle", "lovelace"), Distance { whole: None, beginning: Some((1, 5)) });
        assert_eq!(of("love", "lovelace").beginning, Some((0, 4)));
    }

    proptest! {
        #[test]
        fn it_is_what_the_definition_says(typed in "[abc]{0,12}", word in "[abc]{0,12}", most in 0u8..3) {
            let (typed, word) = (letters(&typed), letters(&word));
            let near = |errors: usize| u8::try_from(errors).ok().filter(|errors| *errors <= most);
            let expected = (0..=word.len())
                .filter_map(|length| near(errors_by_definition(&typed, &word[..length])))
                .min();
            let found = distance(&typed, &word, most);
            prop_assert_eq!(found.whole, near(errors_by_definition(&typed, &word)));
            prop_assert_eq!(found.beginning.map(|(errors, _)| errors), expected);
            if let Some((errors, length)) = found.beginning {
                prop_assert_eq!(near(errors_by_definition(&typed, &word[..length])), Some(errors));
            }
        }

        #[test]
        fn no_words_are_too_long_for_it(typed in "\\PC{0,60}", word in "\\PC{0,60}") {
            let _ = distance(&letters(&typed), &letters(&word), 2);
        }
    }
}
