//! SIP, SIPS and tel URIs as views on bytes.
//!
//! Nothing is decoded or reordered: what is opaque to us (Teams' `x-m`, `x-t`, `x-tt` and the like) goes back byte
//! for byte. Bytes that the grammar wants escaped but that are in use, such as a bare `#` in the user part
//! ("Direct Routing: protocols, RFC standards"), are taken as they are.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use memchr::{memchr, memchr2};

use crate::grammar::number;

/// An address of somebody or something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uri<'a> {
    /// `sip:` or `sips:` (RFC 3261 section 19.1).
    Sip(SipUri<'a>),
    /// `tel:`, a telephone number (RFC 3966).
    Tel(TelUri<'a>),
    /// Any other scheme; a request to it is answered 416.
    Other {
        /// What stands before the colon.
        scheme: &'a [u8],
        /// What stands behind it.
        rest: &'a [u8],
    },
}

/// Why some bytes are no URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// No scheme with a colon at the beginning.
    #[error("the URI has no scheme")]
    NoScheme,
    /// White space, a control character, or one of `<>"`.
    #[error("the URI holds a character that no URI may hold")]
    ForbiddenByte,
    /// A user part of no characters before the `@`.
    #[error("the URI has an empty user part")]
    EmptyUser,
    /// No host, or bytes that are neither a name nor an address.
    #[error("the host of the URI is neither a name nor an address")]
    BadHost,
    /// No number from 0 to 65535 behind the host's colon.
    #[error("the port of the URI is not a number up to 65535")]
    BadPort,
    /// Something other than `;` or `?` behind host and port.
    #[error("the URI goes on strangely behind its host")]
    BadTail,
    /// A tel URI without a number.
    #[error("the tel URI has no number")]
    NoNumber,
}

impl<'a> Uri<'a> {
    /// Reads a URI, without any brackets around it.
    pub fn parse(text: &'a [u8]) -> Result<Self, UriError> {
        let colon = memchr(b':', text).ok_or(UriError::NoScheme)?;
        let (scheme, rest) = (&text[..colon], &text[colon + 1..]);
        if !is_scheme(scheme) {
            return Err(UriError::NoScheme);
        }
        if text.iter().any(|&b| b <= b' ' || b == 0x7f || matches!(b, b'<' | b'>' | b'"')) {
            return Err(UriError::ForbiddenByte);
        }
        if scheme.eq_ignore_ascii_case(b"sip") {
            SipUri::parse(text, false, rest).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case(b"sips") {
            SipUri::parse(text, true, rest).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case(b"tel") {
            TelUri::parse(text, rest).map(Self::Tel)
        } else {
            Ok(Self::Other { scheme, rest })
        }
    }

    /// The SIP or SIPS URI, if it is one.
    pub fn as_sip(&self) -> Option<&SipUri<'a>> {
        match self {
            Self::Sip(uri) => Some(uri),
            _ => None,
        }
    }

    /// The user part of a SIP URI or the number of a tel URI, as written; `None` if there is none.
    pub fn user(&self) -> Option<&'a [u8]> {
        match self {
            Self::Sip(uri) => uri.user,
            Self::Tel(uri) => Some(uri.number),
            Self::Other { .. } => None,
        }
    }

    /// The host of a SIP URI.
    pub fn host(&self) -> Option<Host<'a>> {
        self.as_sip().map(|uri| uri.host)
    }

    /// The port a SIP URI names.
    pub fn port(&self) -> Option<u16> {
        self.as_sip().and_then(|uri| uri.port)
    }

    /// The parameters of a SIP or tel URI.
    pub fn params(&self) -> UriParams<'a> {
        match self {
            Self::Sip(uri) => uri.params,
            Self::Tel(uri) => uri.params,
            Self::Other { .. } => UriParams::default(),
        }
    }

    /// Whether both lead to the same place by RFC 3261 section 19.1.4, RFC 3966 section 5, or byte for byte.
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        match (self, other) {
            (Self::Sip(a), Uri::Sip(b)) => a.equivalent(b),
            (Self::Tel(a), Uri::Tel(b)) => a.equivalent(b),
            (Self::Other { scheme: s, rest: a }, Uri::Other { scheme: t, rest: b }) => {
                s.eq_ignore_ascii_case(t) && a == b
            }
            _ => false,
        }
    }
}

/// Whether the bytes begin like a URI: a scheme and a colon.
pub(crate) fn has_scheme(text: &[u8]) -> bool {
    memchr(b':', text).is_some_and(|colon| is_scheme(&text[..colon]))
}

fn is_scheme(text: &[u8]) -> bool {
    matches!(text, [first, rest @ ..] if first.is_ascii_alphabetic()
        && rest.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')))
}

/// A SIP or SIPS URI in its parts, each as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SipUri<'a> {
    /// The whole URI.
    pub raw: &'a [u8],
    /// `sips:`: every hop over TLS.
    pub secure: bool,
    /// What stands before `@` (and before `:` of a password), with its escapes.
    pub user: Option<&'a [u8]>,
    /// What stands between `:` and `@`; deprecated by RFC 3261.
    pub password: Option<&'a [u8]>,
    /// Where.
    pub host: Host<'a>,
    /// The port, if one is named.
    pub port: Option<u16>,
    /// `;transport=tls;user=phone` and the like.
    pub params: UriParams<'a>,
    /// `Replaces=...&Subject=...`: headers for the request to be formed, without the leading `?`.
    pub headers: &'a [u8],
}

impl<'a> SipUri<'a> {
    fn parse(raw: &'a [u8], secure: bool, rest: &'a [u8]) -> Result<Self, UriError> {
        let (userinfo, place) = match memchr(b'@', rest) {
            Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
            None => (None, rest),
        };
        let (user, password) = match userinfo {
            None => (None, None),
            Some(info) => match memchr(b':', info) {
                Some(colon) => (Some(&info[..colon]), Some(&info[colon + 1..])),
                None => (Some(info), None),
            },
        };
        if user.is_some_and(<[u8]>::is_empty) {
            return Err(UriError::EmptyUser);
        }
        let (host, port, tail) = host_and_port(place)?;
        let (params, headers) = match memchr(b'?', tail) {
            Some(at) => (&tail[..at], &tail[at + 1..]),
            None => (tail, &[][..]),
        };
        if !params.is_empty() && params.first() != Some(&b';') {
            return Err(UriError::BadTail);
        }
        Ok(Self { raw, secure, user, password, host, port, params: UriParams(params), headers })
    }

    /// The `transport` parameter: what to connect over.
    pub fn transport(&self) -> Option<&'a [u8]> {
        self.params.value("transport")
    }

    /// Whether `user=phone` says that the user part is a telephone number.
    pub fn is_phone(&self) -> bool {
        self.params.value("user").is_some_and(|v| v.eq_ignore_ascii_case(b"phone"))
    }

    /// Whether the URI is a loose router's (`lr`).
    pub fn is_loose_router(&self) -> bool {
        self.params.has("lr")
    }

    /// The headers behind `?`, name and value still escaped.
    pub fn header_fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.headers.split(|&b| b == b'&').filter(|field| !field.is_empty()).map(|field| {
            match memchr(b'=', field) {
                Some(at) => (&field[..at], &field[at + 1..]),
                None => (field, &[][..]),
            }
        })
    }

    /// The value of the first header of that name behind `?`, without its escapes.
    pub fn header_field(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.header_fields()
            .find(|(n, _)| unescape(n).eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| unescape(value))
    }

    /// The URI without the headers behind `?`, ready for a request line.
    pub fn without_headers(&self) -> &'a [u8] {
        match self.headers.len() {
            0 => self.raw.strip_suffix(b"?").unwrap_or(self.raw),
            len => &self.raw[..self.raw.len().saturating_sub(len + 1)],
        }
    }

    /// Whether both lead to the same place (RFC 3261 section 19.1.4).
    ///
    /// Escapes of characters that need none are the characters; hosts and parameters compare without case,
    /// user and password with it; a port named is not a port left out; `user`, `ttl`, `method`, `maddr` and
    /// `transport` count even where only one side has them.
    ///
    /// URIs with more than [`COMPARED_MAX`] parameters or headers are equivalent only if they are equal.
    pub fn equivalent(&self, other: &SipUri<'_>) -> bool {
        if self.raw == other.raw {
            return true;
        }
        let few = |uri: &SipUri<'_>| {
            uri.params.iter().count() <= COMPARED_MAX && uri.header_fields().count() <= COMPARED_MAX
        };
        few(self)
            && few(other)
            && self.secure == other.secure
            && same_option(self.user, other.user)
            && same_option(self.password, other.password)
            && self.host.equivalent(&other.host)
            && self.port == other.port
            && self.params.equivalent(&other.params)
            && same_headers(self, other)
    }
}

/// Parameters, and headers, of a URI that are compared with those of another: each with each, so there is a limit.
pub const COMPARED_MAX: usize = 64;

fn same_option(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same_text(a, b, false),
        (None, None) => true,
        _ => false,
    }
}

fn same_headers(a: &SipUri<'_>, b: &SipUri<'_>) -> bool {
    let within = |a: &SipUri<'_>, b: &SipUri<'_>| {
        a.header_fields().all(|(name, value)| {
            b.header_fields().any(|(n, v)| same_text(name, n, true) && same_text(value, v, false))
        })
    };
    within(a, b) && within(b, a)
}

/// A telephone number as a URI (RFC 3966).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelUri<'a> {
    /// The whole URI.
    pub raw: &'a [u8],
    /// The number as written, with `+` and visual separators if there are any.
    pub number: &'a [u8],
    /// `;ext=`, `;phone-context=` and the like.
    pub params: UriParams<'a>,
}

impl<'a> TelUri<'a> {
    fn parse(raw: &'a [u8], rest: &'a [u8]) -> Result<Self, UriError> {
        let end = memchr(b';', rest).unwrap_or(rest.len());
        let (number, params) = rest.split_at(end);
        if number.is_empty() {
            return Err(UriError::NoNumber);
        }
        Ok(Self { raw, number, params: UriParams(params) })
    }

    /// Whether both are the same number: visual separators are no part of it.
    pub fn equivalent(&self, other: &TelUri<'_>) -> bool {
        let digits = |uri: &TelUri<'_>| {
            uri.number
                .iter()
                .filter(|b| !matches!(b, b'-' | b'.' | b'(' | b')'))
                .map(u8::to_ascii_lowercase)
                .collect::<Vec<_>>()
        };
        let within = |a: &UriParams<'_>, b: &UriParams<'_>| {
            a.iter().all(|(name, value)| b.iter().any(|(n, v)| same_param((name, value), (n, v))))
        };
        let few = |uri: &TelUri<'_>| uri.params.iter().count() <= COMPARED_MAX;
        self.raw == other.raw
            || digits(self) == digits(other)
                && few(self)
                && few(other)
                && within(&self.params, &other.params)
                && within(&other.params, &self.params)
    }
}

/// The parameters of a URI: `;user=phone;x-m=8:orgid:...`, in order and as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UriParams<'a>(&'a [u8]);

impl<'a> UriParams<'a> {
    /// The text of all of them, with the leading `;`.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Names and values in order, with their escapes.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        self.0.split(|&b| b == b';').filter(|param| !param.is_empty()).map(|param| {
            match memchr(b'=', param) {
                Some(at) => (&param[..at], Some(&param[at + 1..])),
                None => (param, None),
            }
        })
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

    fn equivalent(&self, other: &UriParams<'_>) -> bool {
        let agree = |a: &UriParams<'_>, b: &UriParams<'_>| {
            a.iter().all(|(name, value)| {
                let mut same_name = b.iter().filter(|(n, _)| same_text(name, n, true)).peekable();
                match same_name.peek() {
                    Some(_) => same_name.any(|theirs| same_param((name, value), theirs)),
                    None => !ALWAYS_COMPARED.iter().any(|always| name.eq_ignore_ascii_case(always)),
                }
            })
        };
        agree(self, other) && agree(other, self)
    }
}

/// Parameters that make a difference even where only one of two URIs has them (RFC 3261 section 19.1.4).
const ALWAYS_COMPARED: [&[u8]; 5] = [b"user", b"ttl", b"method", b"maddr", b"transport"];

type Param<'a> = (&'a [u8], Option<&'a [u8]>);

fn same_param(a: Param<'_>, b: Param<'_>) -> bool {
    same_text(a.0, b.0, true)
        && match (a.1, b.1) {
            (Some(a), Some(b)) => same_text(a, b, true),
            (None, None) => true,
            _ => false,
        }
}

/// Where something is: a name or an address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// A domain name as written.
    Name(&'a [u8]),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, written in brackets.
    V6(Ipv6Addr),
}

impl<'a> Host<'a> {
    /// Reads a host; `None` for what is neither a name nor an address, such as an IPv6 address without brackets.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (first, last) = (text.first()?, text.last()?);
        if *first == b'[' {
            let inner = text.strip_prefix(b"[")?.strip_suffix(b"]")?;
            return ipv6(std::str::from_utf8(inner).ok()?).map(Self::V6);
        }
        if first.is_ascii_digit()
            && last.is_ascii_digit()
            && text.iter().all(|b| matches!(b, b'0'..=b'9' | b'.'))
        {
            return std::str::from_utf8(text).ok()?.parse().ok().map(Self::V4);
        }
        let is_name = text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        is_name.then_some(Self::Name(text))
    }

    /// The address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match *self {
            Self::Name(_) => None,
            Self::V4(ip) => Some(IpAddr::V4(ip)),
            Self::V6(ip) => Some(IpAddr::V6(ip)),
        }
    }

    /// The name, if the host is one.
    pub fn name(&self) -> Option<&'a [u8]> {
        match *self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Whether both are the same name, without case and a final dot, or the same address. No DNS is asked.
    pub fn equivalent(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Self::Name(a), Host::Name(b)) => {
                let plain = |name: &'_ [u8]| name.strip_suffix(b".").unwrap_or(name).len();
                a[..plain(a)].eq_ignore_ascii_case(&b[..plain(b)])
            }
            (a, b) => a.ip().is_some() && a.ip() == b.ip(),
        }
    }
}

impl From<IpAddr> for Host<'_> {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => Self::V6(ip),
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{}", name.escape_ascii()),
            Self::V4(ip) => write!(f, "{ip}"),
            Self::V6(ip) => write!(f, "[{ip}]"),
        }
    }
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads an IPv6 address. `:::` before an IPv4 part means `::`, since the grammar of RFC 3261 once allowed it
/// (RFC 5118 section 4.10).
fn ipv6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok().or_else(|| {
        let (left, right) = text.split_once(":::")?;
        right.parse::<Ipv4Addr>().ok()?;
        format!("{left}::{right}").parse().ok()
    })
}

/// Splits `host[:port]` from what follows it (parameters, headers).
fn host_and_port(text: &[u8]) -> Result<(Host<'_>, Option<u16>, &[u8]), UriError> {
    let host_end = if text.first() == Some(&b'[') {
        memchr(b']', text).ok_or(UriError::BadHost)? + 1
    } else {
        text.iter().position(|b| matches!(b, b':' | b';' | b'?')).unwrap_or(text.len())
    };
    let (host, rest) = text.split_at(host_end);
    let host = Host::parse(host).ok_or(UriError::BadHost)?;
    let Some(behind_colon) = rest.strip_prefix(b":") else {
        return match rest.first() {
            None | Some(b';' | b'?') => Ok((host, None, rest)),
            Some(_) => Err(UriError::BadTail),
        };
    };
    let port_end = memchr2(b';', b'?', behind_colon).unwrap_or(behind_colon.len());
    let (port, tail) = behind_colon.split_at(port_end);
    Ok((host, Some(number(port).ok_or(UriError::BadPort)?), tail))
}

/// Which characters an escaped text may hold bare (RFC 3261 section 25.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The user part of a SIP URI.
    User,
    /// The name or value of a URI parameter.
    Param,
    /// The name or value of a header behind `?`.
    Header,
}

impl Place {
    fn bare(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || b"-_.!~*'()".contains(&byte)
            || match self {
                Self::User => b"&=+$,;?/",
                Self::Param => b"[]/:&+$".as_slice(),
                Self::Header => b"[]/?:+$",
            }
            .contains(&byte)
    }
}

/// Appends `text` to `out`, with `%HH` for each byte that may not stand bare at that place.
pub fn escape_into(out: &mut Vec<u8>, text: &[u8], place: Place) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        if place.bare(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

/// `text` with each `%HH` replaced by its byte. A `%` without two hexadecimal digits stays as it is.
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'%', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, _, len)) = next_char(rest) {
        plain.push(byte);
        rest = &rest[len..];
    }
    Cow::Owned(plain)
}

/// The next byte, whether it was escaped, and how many bytes it took.
fn next_char(text: &[u8]) -> Option<(u8, bool, usize)> {
    let hex = |b: u8| (b as char).to_digit(16);
    match *text {
        [b'%', high, low, ..] => match (hex(high), hex(low)) {
            (Some(high), Some(low)) => Some(((high * 16 + low) as u8, true, 3)),
            _ => Some((b'%', false, 1)),
        },
        [byte, ..] => Some((byte, false, 1)),
        [] => None,
    }
}

/// Whether two texts are the same but for escapes that change nothing: a reserved character and its escape differ.
fn same_text(mut a: &[u8], mut b: &[u8], ignore_case: bool) -> bool {
    loop {
        match (next_char(a), next_char(b)) {
            (None, None) => return true,
            (Some((x, x_escaped, x_len)), Some((y, y_escaped, y_len))) => {
                let same = if ignore_case { x.eq_ignore_ascii_case(&y) } else { x == y };
                let both_or_harmless = x_escaped == y_escaped || !b";/?:@&=+$,".contains(&x);
                if !same || !both_or_harmless {
                    return false;
                }
                (a, b) = (&a[x_len..], &b[y_len..]);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sip(text: &str) -> SipUri<'_> {
        match Uri::parse(text.as_bytes()) {
            Ok(Uri::Sip(uri)) => uri,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_uri_has_parts() {
        let uri = sip("sips:bob:secret@[2001:db8::10]:5070;transport=tls;lr?Subject=a%20b&Priority=urgent");
        assert!(uri.secure && uri.is_loose_router());
        assert_eq!((uri.user, uri.password), (Some(&b"bob"[..]), Some(&b"secret"[..])));
        assert_eq!((uri.host.to_string(), uri.port), ("[2001:db8::10]".into(), Some(5070)));
        assert_eq!(uri.transport(), Some(&b"tls"[..]));
        assert_eq!(uri.header_field("subject").as_deref(), Some(&b"a b"[..]));
        assert_eq!(uri.without_headers(), b"sips:bob:secret@[2001:db8::10]:5070;transport=tls;lr");
    }

    #[test]
    fn opaque_parameters_of_teams_keep_every_byte() {
        let text =
            "sip:sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:dfcba638;x-tt=aHR0cHM6Ly9hcGk%3D";
        let uri = sip(text);
        assert_eq!(uri.user, None);
        assert_eq!(uri.params.value("x-m"), Some(&b"8:orgid:dfcba638"[..]));
        assert_eq!(uri.params.value("X-TT"), Some(&b"aHR0cHM6Ly9hcGk%3D"[..]));
        assert_eq!(uri.raw, text.as_bytes());
    }

    #[test]
    fn odd_characters_in_the_user_part_are_taken() {
        assert_eq!(sip("sip:#31#+14255550100@sbc.contoso.com").user, Some(&b"#31#+14255550100"[..]));
        assert_eq!(
            sip("sip:user;par=u%40example.net@example.com").user,
            Some(&b"user;par=u%40example.net"[..])
        );
        assert_eq!(sip("sip:null-%00-null@example.com").user, Some(&b"null-%00-null"[..]));
    }

    #[test]
    fn faults_have_names() {
        for (text, fault) in [
            ("bob@example.com", UriError::NoScheme),
            ("sip:bob@exam ple.com", UriError::ForbiddenByte),
            ("sip:@example.com", UriError::EmptyUser),
            ("sip:2001:db8::10", UriError::BadHost),
            ("sip:[2001:db8::10", UriError::BadHost),
            ("sip:[fe80::1%25eth0]", UriError::BadHost),
            ("sip:1.2.3.999", UriError::BadHost),
            ("sip:[2001:db8:::10]", UriError::BadHost),
            ("sip:", UriError::BadHost),
            ("sip:a.b:65536", UriError::BadPort),
            ("sip:[::1]x", UriError::BadTail),
            ("tel:;ext=3", UriError::NoNumber),
        ] {
            assert_eq!(Uri::parse(text.as_bytes()), Err(fault), "{text}");
        }
    }

    /// The pairs of RFC 3261 section 19.1.4.
    #[test]
    fn comparison_follows_the_rfc() {
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
        ] {
            assert!(sip(a).equivalent(&sip(b)), "{a} {b}");
        }
        for (a, b) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a%3Bb@example.com", "sip:a;b@example.com"),
        ] {
            assert!(!sip(a).equivalent(&sip(b)), "{a} {b}");
        }
    }

    #[test]
    fn a_flood_of_parameters_is_not_compared_each_with_each() {
        let flood = |last: &str| format!("sip:h{}{last}", ";a".repeat(100_000));
        assert!(sip(&flood("")).equivalent(&sip(&flood(""))));
        assert!(!sip(&flood(";b")).equivalent(&sip(&flood(";c"))));
    }

    #[test]
    fn tel_numbers_compare_without_separators() {
        let tel = |text: &'static str| Uri::parse(text.as_bytes()).unwrap();
        assert!(tel("tel:+1-201-555-0123").equivalent(&tel("tel:+1(201)5550123")));
        assert!(!tel("tel:7042;phone-context=example.com").equivalent(&tel("tel:7042")));
        assert_eq!(tel("tel:+14255550100;ext=7").params().value("ext"), Some(&b"7"[..]));
    }

    #[test]
    fn escapes_go_both_ways() {
        let mut out = Vec::new();
        escape_into(&mut out, b"id@host;to-tag=a;from-tag=b", Place::Header);
        assert_eq!(out, b"id%40host%3Bto-tag%3Da%3Bfrom-tag%3Db");
        assert_eq!(&*unescape(&out), b"id@host;to-tag=a;from-tag=b");
        assert_eq!(&*unescape(b"100%-sure%4"), b"100%-sure%4");
    }
}
