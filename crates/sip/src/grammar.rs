//! The few rules of RFC 3261 section 25 that all headers share: white space, tokens, quoted strings, lists,
//! parameters.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

/// The parameters behind a header value: `;tag=x;other="a;b"`.
///
/// Names compare without case, values are raw (a quoted value with its quotes). White space around `;` and `=`
/// is no part of either. Empty parameters (`;;`) are passed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a [u8]);

impl<'a> Params<'a> {
    /// The parameters in `text`, which is empty or begins with `;`.
    pub fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The text of all of them, with the leading `;`.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The first parameter of that name: `Some(None)` for one without a value.
    pub fn get(&self, name: &str) -> Option<Option<&'a [u8]>> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// The value of the first parameter of that name; `None` too where it has no value.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.get(name).flatten()
    }

    /// Whether a parameter of that name is there, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names and raw values in order.
    pub fn iter(&self) -> ParamIter<'a> {
        ParamIter(self.0)
    }
}

impl<'a> IntoIterator for Params<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);
    type IntoIter = ParamIter<'a>;

    fn into_iter(self) -> ParamIter<'a> {
        self.iter()
    }
}

/// Names and raw values of [`Params`] in order.
#[derive(Clone, Debug)]
pub struct ParamIter<'a>(&'a [u8]);

impl<'a> Iterator for ParamIter<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let text = self.0.strip_prefix(b";").unwrap_or(self.0);
            let end = end_of_param(text);
            let (param, rest) = text.split_at(end);
            self.0 = rest;
            let param = trim(param);
            if !param.is_empty() {
                return Some(split_param(param));
            }
        }
        None
    }
}

/// Where the next `;` outside quotes stands, or the end.
fn end_of_param(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr2(b';', b'"', &text[at..]) {
        at += found;
        if text[at] == b';' {
            return at;
        }
        match end_of_quoted(&text[at..]) {
            Some(len) => at += len,
            None => return text.len(),
        }
    }
    text.len()
}

fn split_param(param: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr(b'=', param) {
        Some(at) => (trim(&param[..at]), Some(trim(&param[at + 1..]))),
        None => (param, None),
    }
}

/// The values of a list, cut at each comma that is neither quoted nor inside `<>`; empty ones are passed over.
#[derive(Clone, Debug)]
pub struct List<'a>(&'a [u8]);

impl<'a> List<'a> {
    /// The list written in one header value.
    pub fn new(value: &'a [u8]) -> Self {
        Self(value)
    }
}

impl<'a> Iterator for List<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.0.is_empty() {
            let end = end_of_item(self.0);
            let (item, rest) = self.0.split_at(end);
            self.0 = rest.get(1..).unwrap_or_default();
            let item = trim(item);
            if !item.is_empty() {
                return Some(item);
            }
        }
        None
    }
}

fn end_of_item(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr3(b',', b'"', b'<', &text[at..]) {
        at += found;
        let skipped = match text[at] {
            b',' => return at,
            b'"' => end_of_quoted(&text[at..]),
            _ => memchr(b'>', &text[at..]).map(|close| close + 1),
        };
        match skipped {
            Some(len) => at += len,
            None => return text.len(),
        }
    }
    text.len()
}

/// The length of the quoted string that `text` begins with, quotes included; `None` if it never ends.
pub(crate) fn end_of_quoted(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// What a quoted string says, or the text itself if it is not quoted.
pub fn unquote(text: &[u8]) -> Cow<'_, [u8]> {
    match text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) {
        Some(inner) => unquote_inner(inner),
        None => Cow::Borrowed(text),
    }
}

/// What stands between the quotes of a quoted string, without the backslashes.
pub(crate) fn unquote_inner(inner: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'\\' {
            plain.extend(bytes.next());
        } else {
            plain.push(byte);
        }
    }
    Cow::Owned(plain)
}

/// Without the white space around it. Folded lines have become spaces before anybody looks.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

pub(crate) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// Whether all bytes, and at least one, are of a token.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&b| TOKEN[usize::from(b)])
}

/// A value and the text of its parameters, the value trimmed.
pub(crate) fn split_at_params(text: &[u8]) -> (&[u8], &[u8]) {
    let (value, params) = text.split_at(memchr(b';', text).unwrap_or(text.len()));
    (trim(value), params)
}

/// A decimal number without sign; `None` for anything else, also for one above `u64::MAX`.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, &digit| {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// A decimal number that fits the type asked for.
pub(crate) fn number<N: TryFrom<u64>>(text: &[u8]) -> Option<N> {
    decimal(text).and_then(|n| N::try_from(n).ok())
}

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"-.!%*_+`'~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_separators_do_not_separate() {
        let params = Params::new(b" ; a = 1 ;b=\"x;\\\";y\";; c");
        let all: Vec<_> = params.iter().collect();
        assert_eq!(
            all,
            [(b"a".as_slice(), Some(b"1".as_slice())), (b"b", Some(b"\"x;\\\";y\"")), (b"c", None)]
        );
        assert_eq!(params.get("C"), Some(None));
        assert_eq!(&*unquote(params.value("b").unwrap()), b"x;\";y");
        assert_eq!(&*unquote(b"\"Al\" Reyes"), b"\"Al\" Reyes");
    }

    #[test]
    fn a_list_is_cut_at_bare_commas_only() {
        let list: Vec<_> = List::new(b"\"a, b\" <sip:x,y@z>;p=\"1,2\" ,, <sip:q>").collect();
        assert_eq!(list, [b"\"a, b\" <sip:x,y@z>;p=\"1,2\"".as_slice(), b"<sip:q>"]);
        assert_eq!(List::new(b"").count(), 0);
        assert_eq!(List::new(b"\"never closed, at all").count(), 1);
    }

    #[test]
    fn numbers_do_not_overflow() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"18446744073709551616"), None);
        assert_eq!(decimal(b"-1"), None);
        assert_eq!(decimal(b""), None);
        assert_eq!(number::<u8>(b"256"), None);
    }
}
