//! Making texts alike that differ only in accents, case and marks, and taking them apart into words.
//!
//! Compatibility decomposition (Unicode Standard Annex 15), then no marks, then lower case; letters that Unicode does
//! not decompose (ß, ø, æ, ł) as people write them who do not have them on their keyboard.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// How letters with marks are written without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Without the mark: Muller for Müller.
    Plain,
    /// With the letter that stands for the mark in German and the Nordic languages: Mueller for Müller.
    Long,
}

/// A word in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// The word, folded; at most [`WORD_CHARS_MAX`] characters.
    pub(super) text: String,
    /// Where each of its characters stands in the text: from which byte up to which.
    pub(super) spans: Vec<(usize, usize)>,
    /// It is the part of a word after an apostrophe (the Brien of O'Brien), which is found as a whole, too.
    pub(super) is_part: bool,
}

impl Spelling {
    /// The spellings in which a text has different words.
    pub(super) fn of(text: &str) -> &'static [Spelling] {
        if text.is_ascii() { &[Spelling::Plain] } else { &[Spelling::Plain, Spelling::Long] }
    }
}

/// The words of a text, at most [`WORDS_MAX`].
pub(super) fn words(text: &str, spelling: Spelling) -> impl Iterator<Item = Word> {
    let mut words = Vec::new();
    let mut open = Open::default();
    fold(text, spelling, |letter, start, end| {
        if letter.is_alphanumeric() || is_combining_mark(letter) || (is_sign(letter) && open.any()) {
            open.push(letter, start, end);
        } else if is_apostrophe(letter) && open.any() {
            open.part = Some(open.whole.text.len());
            open.part_spans = open.whole.spans.len();
        } else {
            open.close(&mut words);
        }
    });
    open.close(&mut words);
    words.truncate(WORDS_MAX);
    words.into_iter()
}

/// A text as it is compared and sorted by: its words with one blank between them.
pub(super) fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for word in words(text, Spelling::Plain).filter(|word| !word.is_part) {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(&word.text);
    }
    key
}

/// A word that is being read.
struct Open {
    whole: Word,
    /// Where its part after the last apostrophe begins.
    part: Option<usize>,
    part_spans: usize,
}

impl Default for Open {
    fn default() -> Open {
        let whole = Word { text: String::new(), spans: Vec::new(), is_part: false };
        Open { whole, part: None, part_spans: 0 }
    }
}

impl Open {
    fn any(&self) -> bool {
        !self.whole.text.is_empty()
    }

    /// What is beyond the longest word is cut off.
    fn push(&mut self, letter: char, start: usize, end: usize) {
        if self.whole.spans.len() < WORD_CHARS_MAX {
            self.whole.text.push(letter);
            self.whole.spans.push((start, end));
        }
    }

    fn close(&mut self, words: &mut Vec<Word>) {
        let Open { whole, part, part_spans } = std::mem::take(self);
        if whole.text.is_empty() {
            return;
        }
        if let Some(part) = part
            && let Some(text) = whole.text.get(part..).filter(|text| !text.is_empty())
        {
            let spans = whole.spans.get(part_spans..).unwrap_or_default().to_vec();
            words.push(Word { text: text.to_owned(), spans, is_part: true });
        }
        words.push(whole);
    }
}

/// Tells each folded letter of a text, and from which byte up to which it stands there.
fn fold(text: &str, spelling: Spelling, mut told: impl FnMut(char, usize, usize)) {
    let mut last = ' ';
    for (start, source) in text.char_indices() {
        let end = start + source.len_utf8();
        let mut tell = |letter: char| {
            told(letter, start, end);
            last = letter;
        };
        if source.is_ascii() {
            tell(source.to_ascii_lowercase());
            continue;
        }
        for decomposed in std::iter::once(source).nfkd() {
            if let Some(letter) = spelled(spelling, last, decomposed) {
                told(letter, start, end);
                last = ' ';
            }
            if is_dropped(decomposed) {
                continue;
            }
            for letter in decomposed.to_lowercase().filter(|letter| !is_dropped(*letter)) {
                match written(letter, spelling) {
                    Some(letters) => letters.chars().for_each(|letter| {
                        told(letter, start, end);
                        last = letter;
                    }),
                    None => {
                        told(letter, start, end);
                        last = letter;
                    }
                }
            }
        }
    }
}

/// The letter that stands for a mark after another letter.
fn spelled(spelling: Spelling, before: char, mark: char) -> Option<char> {
    match (spelling, before, mark) {
        (Spelling::Long, 'a' | 'o' | 'u', DIAERESIS) => Some('e'),
        (Spelling::Long, 'a', RING) => Some('a'),
        _ => None,
    }
}

/// Letters that Unicode does not decompose.
fn written(letter: char, spelling: Spelling) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => match spelling {
            Spelling::Plain => "o",
            Spelling::Long => "oe",
        },
        'ł' => "l",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ħ' => "h",
        'ı' => "i",
        'ŋ' => "n",
        'ŧ' => "t",
        'ς' => "σ",
        _ => return None,
    })
}

/// Marks over, under and in letters, and what nobody sees.
fn is_dropped(letter: char) -> bool {
    matches!(u32::from(letter),
        0x00ad                          // soft hyphen
        | 0x0300..=0x036f | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f // marks
        | 0x0591..=0x05bd | 0x05bf | 0x05c1..=0x05c2 | 0x05c4..=0x05c5 | 0x05c7 // Hebrew points
        | 0x0610..=0x061a | 0x064b..=0x065f | 0x0670 | 0x0640 // Arabic vowels, and the stroke that lengthens
        | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff // joiners, directions
        | 0xfe00..=0xfe0f // variation selectors
    )
}

/// Part of a word after its first letter: C++, C#.
fn is_sign(letter: char) -> bool {
    matches!(letter, '+' | '#')
}

/// What is left out in a word.
fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '’' | '‘' | 'ʼ' | 'ʹ' | '´' | '`')
}

const DIAERESIS: char = '\u{308}';
const RING: char = '\u{30a}';

/// Letters of a word at most; the rest is cut off.
pub(super) const WORD_CHARS_MAX: usize = 40;

/// Words of one text at most; the others are not found.
const WORDS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str) -> Vec<String> {
        words(text, Spelling::Plain).map(|word| word.text).collect()
    }

    fn long(text: &str) -> Vec<String> {
        words(text, Spelling::Long).map(|word| word.text).collect()
    }

    #[test]
    fn accents_case_and_marks_do_not_matter() {
        for (written, folded) in [
            ("Zoë Lækre-Ødegård", "zoe laekre odegard"),
            ("ŁUKASZ Straße", "lukasz strasse"),
            ("Þórður Ðað", "thordur dad"),
            ("François DUPRÉ", "francois dupre"),
            ("Nguyễn Thị Ánh", "nguyen thi anh"),
            ("İstanbul ısı", "istanbul isi"),
            ("Οδυσσέας ΟΔΥΣΣΕΑΣ", "οδυσσεασ οδυσσεασ"),
            ("Ａｄａ", "ada"),
            ("ﬁne", "fine"),
            ("Wal\u{ad}ter", "walter"),
            ("Chloe\u{301}", "chloe"),
        ] {
            assert_eq!(plain(written).join(" "), folded);
        }
    }

    #[test]
    fn german_and_nordic_letters_have_a_long_spelling() {
        assert_eq!(long("Müller"), ["mueller"]);
        assert_eq!(long("Mu\u{308}ller"), ["mueller"], "decomposed, too");
        assert_eq!(long("Ægir Ås Jørgen Görög"), ["aegir", "aas", "joergen", "goeroeg"]);
        assert_eq!(long("Zoë"), ["zoe"]);
    }

    #[test]
    fn a_word_with_an_apostrophe_is_one_and_its_part_is_another() {
        assert_eq!(plain("Seán O’Brien"), ["sean", "brien", "obrien"]);
        assert_eq!(plain("'quoted' x'"), ["quoted", "x"]);
        assert_eq!(key("Seán O’Brien"), "sean obrien");
    }

    #[test]
    fn languages_of_computers_keep_their_signs() {
        assert_eq!(plain("C++, C# & .NET + R&D"), ["c++", "c#", "net", "r", "d"]);
    }

    #[test]
    fn it_is_known_where_each_letter_stands() {
        let text = "Zoë Straße";
        let words: Vec<Word> = words(text, Spelling::Plain).collect();
        let written =
            |word: &Word, from: usize, to: usize| text[word.spans[from].0..word.spans[to].1].to_owned();
        assert_eq!(written(&words[0], 0, 2), "Zoë");
        assert_eq!((words[1].text.as_str(), written(&words[1], 4, 5)), ("strasse", "ß".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_can_be_folded_and_folding_twice_changes_nothing(text in "\\PC{0,60}") {
            let once = key(&text);
            prop_assert_eq!(key(&once), once.clone());
            for spelling in [Spelling::Plain, Spelling::Long] {
                for word in words(&text, spelling) {
                    prop_assert!(!word.text.is_empty());
                    prop_assert_eq!(word.text.chars().count(), word.spans.len());
                    for (start, end) in word.spans {
                        prop_assert!(text.get(start..end).is_some_and(|letters| !letters.is_empty()));
                    }
                }
            }
        }
    }
}
