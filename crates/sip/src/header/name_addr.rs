//! The value of From, To, Contact, Route, Refer-To and their like: a name, a URI, parameters.

use std::borrow::Cow;

use memchr::memchr;

use super::HeaderError;
use crate::grammar::{Params, end_of_quoted, trim, trim_end, trim_start, unquote};
use crate::uri::{Uri, UriError, has_scheme};

/// A URI with a name for people before it and parameters behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The display name as written, quotes included; empty if there is none. Any bytes may be in it.
    pub display: &'a [u8],
    /// The URI as written, without its brackets.
    pub uri: &'a [u8],
    /// Parameters of the header, such as `tag`; those of the URI are inside the URI.
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads `"name" <uri>;params`, `name <uri>`, `<uri>` or a bare `uri;params` (RFC 3261 section 20.10).
    ///
    /// Lenient where the meaning is plain: a display name may hold any characters unquoted, spaces may stand
    /// inside the brackets.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let value = trim(value);
        let quoted = if value.first() == Some(&b'"') {
            end_of_quoted(value).ok_or(HeaderError::Malformed)?
        } else {
            0
        };
        let Some(open) = memchr(b'<', &value[quoted..]).map(|at| quoted + at) else {
            return Self::bare(value);
        };
        let (display, rest) = (&value[..open], &value[open + 1..]);
        // A bracket behind `uri;` belongs to a parameter, unless no URI stands there after all.
        if quoted == 0 && has_scheme(display) && memchr(b';', display).is_some() {
            return Self::bare(value).or_else(|_| Self::bracketed(display, rest));
        }
        Self::bracketed(display, rest)
    }

    fn bracketed(display: &'a [u8], rest: &'a [u8]) -> Result<Self, HeaderError> {
        let close = memchr(b'>', rest).ok_or(HeaderError::Malformed)?;
        let uri = trim(&rest[..close]);
        let params = trim_start(&rest[close + 1..]);
        if !has_scheme(uri) || !(params.is_empty() || params.first() == Some(&b';')) {
            return Err(HeaderError::Malformed);
        }
        Ok(Self { display: trim_end(display), uri, params: Params::new(params) })
    }

    fn bare(value: &'a [u8]) -> Result<Self, HeaderError> {
        let end = memchr(b';', value).unwrap_or(value.len());
        let (uri, params) = value.split_at(end);
        let uri = trim_end(uri);
        if !has_scheme(uri) || uri.iter().any(|b| matches!(b, b' ' | b'\t' | b'"' | b',' | b'?')) {
            return Err(HeaderError::Malformed);
        }
        Ok(Self { display: &[], uri, params: Params::new(params) })
    }

    /// The display name without quotes and backslashes; empty if there is none.
    pub fn display_name(&self) -> Cow<'a, [u8]> {
        unquote(self.display)
    }

    /// The URI in its parts.
    pub fn parse_uri(&self) -> Result<Uri<'a>, UriError> {
        Uri::parse(self.uri)
    }

    /// The `tag` parameter: this side's half of a dialog's identity.
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params.value("tag")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NameAddr<'_>, HeaderError> {
        NameAddr::parse(text.as_bytes())
    }

    #[test]
    fn names_may_be_quoted_bare_or_missing() {
        let ada = parse("\"Ada; \\\"the <first>\\\" Client\" <sip:+1@h;user=phone> ;tag = x").unwrap();
        assert_eq!(&*ada.display_name(), b"Ada; \"the <first>\" Client");
        assert_eq!(ada.uri, b"sip:+1@h;user=phone");
        assert_eq!(ada.tag(), Some(&b"x"[..]));

        let teams = parse("Alice Reyes<sip:+1@sip.pstnhub.microsoft.com:5061;user=phone>;tag=240c").unwrap();
        assert_eq!((teams.display, teams.tag()), (&b"Alice Reyes"[..], Some(&b"240c"[..])));

        for odd in ["Alice \"Al\" Reyes", "\"Al\" Reyes", "6\" Pipes, Inc.", "Dr: A; B", "A & B (x=1)"] {
            let text = format!("{odd}<sip:+1@h>;tag=1");
            let odd_name = parse(&text).unwrap();
            assert_eq!((odd_name.display, odd_name.tag()), (odd.as_bytes(), Some(&b"1"[..])));
        }

        let bare = parse("sip:vivekg@chair-dnrc.example.com;tag=19923n").unwrap();
        assert_eq!((bare.uri, bare.tag()), (&b"sip:vivekg@chair-dnrc.example.com"[..], Some(&b"19923n"[..])));

        let quoted_param = parse("sip:a@b;x=\"<\"").unwrap();
        assert_eq!(quoted_param.uri, b"sip:a@b");
    }

    #[test]
    fn any_byte_may_be_in_a_name() {
        let latin1 = NameAddr::parse(b"\"J\xf6rg M\xfcller\" <sip:j@h>;tag=1").unwrap();
        assert_eq!(&*latin1.display_name(), b"J\xf6rg M\xfcller");
        assert_eq!(NameAddr::parse(b"J\xf6rg <sip:j@h>").unwrap().display, b"J\xf6rg");
    }

    #[test]
    fn broken_ones_are_refused() {
        for text in [
            "",
            "<>",
            "\"Mr. J. User <sip:j.user@example.com>",
            "<sip:x@y",
            "<sip:x@y>junk",
            "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
            "just words",
        ] {
            assert_eq!(parse(text), Err(HeaderError::Malformed), "{text}");
        }
    }
}
