//! The first look of a user agent at a request: may it be processed at all (RFC 3261 section 8.2)?

use crate::header::{HeaderName, MediaType, NameAddr};
use crate::message::RawMessage;
use crate::method::Method;
use crate::status::StatusCode;
use crate::uri::Uri;

/// What a user agent can do with requests.
#[derive(Clone, Copy, Debug)]
pub struct Abilities<'a> {
    /// Methods it handles.
    pub methods: &'a [Method<'a>],
    /// Option tags of extensions it may be required to use, such as `replaces`, `timer`, `100rel`.
    pub extensions: &'a [&'a str],
    /// Types of bodies it reads in INVITE and UPDATE, such as `application/sdp`. A body of another type is refused,
    /// unless its Content-Disposition says that it may be ignored.
    pub bodies: &'a [&'a str],
}

/// Why a request is not processed, and the answer it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The Request-URI is no URI, or carries headers, which it must not: 400.
    MalformedUri,
    /// A Contact is no address: 400. Without one there is no dialog.
    MalformedContact,
    /// The method is not even known: 501.
    UnknownMethod,
    /// The method is known and not handled: 405, with Allow.
    MethodNotAllowed,
    /// The scheme of the Request-URI is neither `sip`, `sips` nor `tel`: 416.
    UnsupportedScheme,
    /// Require names extensions beyond [`Abilities::extensions`]: 420, with these as Unsupported.
    UnsupportedExtensions(Vec<u8>),
    /// Accept allows no body that we could answer an INVITE with: 406.
    NothingAcceptable,
    /// The body has a type that is not read: 415, with Accept.
    UnsupportedBody,
    /// The body is encoded: 415, with an Accept-Encoding that says `identity`.
    EncodedBody,
}

impl Refusal {
    /// The status to answer with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MalformedUri | Self::MalformedContact => StatusCode::BAD_REQUEST,
            Self::NothingAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::UnknownMethod => StatusCode::NOT_IMPLEMENTED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedScheme => StatusCode::UNSUPPORTED_URI_SCHEME,
            Self::UnsupportedExtensions(_) => StatusCode::BAD_EXTENSION,
            Self::UnsupportedBody | Self::EncodedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// The header that the answer must carry beside the usual ones.
    pub fn header(&self, abilities: &Abilities<'_>) -> Option<(HeaderName<'static>, Vec<u8>)> {
        let list = |names: Vec<&[u8]>| names.join(&b", "[..]);
        match self {
            Self::MethodNotAllowed => {
                Some((HeaderName::Allow, list(abilities.methods.iter().map(Method::as_bytes).collect())))
            }
            Self::UnsupportedExtensions(options) => Some((HeaderName::Unsupported, options.clone())),
            Self::UnsupportedBody => Some((
                HeaderName::Accept,
                list(abilities.bodies.iter().map(|name| name.as_bytes()).collect()),
            )),
            Self::EncodedBody => Some((HeaderName::AcceptEncoding, b"identity".to_vec())),
            Self::MalformedUri
            | Self::MalformedContact
            | Self::NothingAcceptable
            | Self::UnknownMethod
            | Self::UnsupportedScheme => None,
        }
    }
}

/// Looks at a request in the order of RFC 3261 section 8.2; `None` if it may be processed.
///
/// ACK is never refused, since it is never answered; CANCEL is not searched for extensions (section 8.2.2.3).
pub fn screen(request: &RawMessage, abilities: &Abilities<'_>) -> Option<Refusal> {
    let (method, uri) = request.request_method().zip(request.request_uri())?;
    if method == Method::Ack {
        return None;
    }
    if !abilities.methods.contains(&method) {
        let unknown = matches!(method, Method::Other(_));
        return Some(if unknown { Refusal::UnknownMethod } else { Refusal::MethodNotAllowed });
    }
    match Uri::parse(uri) {
        Ok(Uri::Sip(uri)) if !uri.headers.is_empty() => return Some(Refusal::MalformedUri),
        Ok(Uri::Sip(_) | Uri::Tel(_)) => {}
        Ok(Uri::Other { .. }) => return Some(Refusal::UnsupportedScheme),
        Err(_) => return Some(Refusal::MalformedUri),
    }
    if method == Method::Cancel {
        return None;
    }
    if request.list(HeaderName::Contact).any(|entry| entry != b"*" && NameAddr::parse(entry).is_err()) {
        return Some(Refusal::MalformedContact);
    }
    let unknown: Vec<_> = request.required().filter(|option| !knows(abilities, option)).collect();
    if !unknown.is_empty() {
        return Some(Refusal::UnsupportedExtensions(unknown.join(&b", "[..])));
    }
    match method {
        Method::Invite | Method::Update if !accepts(request, abilities) => Some(Refusal::NothingAcceptable),
        Method::Invite | Method::Update => body(request, abilities),
        // A body that nobody reads does no harm: a BYE must end its call whatever comes with it.
        _ => None,
    }
}

fn knows(abilities: &Abilities<'_>, option: &[u8]) -> bool {
    abilities.extensions.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(option))
}

/// Whether Accept, if there is a usable one, leaves room for a body of ours.
fn accepts(request: &RawMessage, abilities: &Abilities<'_>) -> bool {
    let mut ranges = request.list(HeaderName::Accept).peekable();
    if ranges.peek().is_none() {
        return true;
    }
    ranges.any(|range| match MediaType::parse(range) {
        Ok(range) => abilities.bodies.iter().any(|ours| {
            let kind = ours.split('/').next().unwrap_or_default();
            let whole_kind = range.subtype == b"*"
                && (range.kind == b"*" || range.kind.eq_ignore_ascii_case(kind.as_bytes()));
            whole_kind || range.is(ours)
        }),
        Err(_) => true,
    })
}

fn body(request: &RawMessage, abilities: &Abilities<'_>) -> Option<Refusal> {
    if request.body().is_empty() || is_optional(request) {
        return None;
    }
    if request.list(HeaderName::ContentEncoding).any(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
        return Some(Refusal::EncodedBody);
    }
    let is_read = |media: MediaType<'_>| abilities.bodies.iter().any(|known| media.is(known));
    match request.content_type() {
        Ok(Some(media)) if is_read(media) => None,
        _ => Some(Refusal::UnsupportedBody),
    }
}

/// Whether Content-Disposition says that the body may be ignored (RFC 3261 section 20.11).
fn is_optional(request: &RawMessage) -> bool {
    request.header(HeaderName::ContentDisposition).is_some_and(|value| {
        let (_, params) = crate::grammar::split_at_params(value);
        let handling = crate::grammar::Params::new(params).value("handling");
        handling.is_some_and(|handling| handling.eq_ignore_ascii_case(b"optional"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Writer;
    use crate::message::Message;

    const ABILITIES: Abilities<'static> = Abilities {
        methods: &[Method::Invite, Method::Ack, Method::Bye, Method::Cancel],
        extensions: &["replaces", "timer"],
        bodies: &["application/sdp", "multipart/mixed"],
    };

    fn request(method: Method<'_>, uri: &str, headers: &[(HeaderName<'_>, &str)], body: &str) -> Message {
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, method, uri.as_bytes());
        writer
            .header(HeaderName::Via, b"SIP/2.0/UDP h;branch=z9hG4bK1")
            .header(HeaderName::From, b"<sip:a@h>;tag=1")
            .header(HeaderName::To, b"<sip:b@h>")
            .header(HeaderName::CallId, b"1")
            .header_parts(HeaderName::CSeq, &[b"1 ", method.as_bytes()]);
        for (name, value) in headers {
            writer.header(*name, value.as_bytes());
        }
        writer.finish_with_body(b"", body.as_bytes()).expect("a good request");
        Message::parse_datagram(out).expect("a good request")
    }

    fn answer(
        method: Method<'_>,
        uri: &str,
        headers: &[(HeaderName<'_>, &str)],
        body: &str,
    ) -> Option<(u16, String)> {
        let refusal = screen(&request(method, uri, headers, body), &ABILITIES)?;
        let header =
            refusal.header(&ABILITIES).map(|(name, value)| format!("{name}: {}", value.escape_ascii()));
        Some((refusal.status().code(), header.unwrap_or_default()))
    }

    #[test]
    fn what_may_be_processed_is() {
        let sdp = [(HeaderName::ContentType, "application/sdp"), (HeaderName::Require, "timer, Replaces")];
        assert_eq!(answer(Method::Invite, "sip:b@h", &sdp, "v=0"), None);
        assert_eq!(answer(Method::Ack, "http://h", &[(HeaderName::Require, "magic")], ""), None);
        assert_eq!(answer(Method::Cancel, "sip:b@h", &[(HeaderName::Require, "magic")], ""), None);
        assert_eq!(answer(Method::Bye, "tel:+1", &[(HeaderName::ContentType, "text/odd")], "x"), None);
        let optional =
            [(HeaderName::ContentType, "text/odd"), (HeaderName::ContentDisposition, "x;handling=Optional")];
        assert_eq!(answer(Method::Invite, "sip:b@h", &optional, "x"), None);
    }

    #[test]
    fn what_may_not_be_processed_gets_its_answer() {
        let invite = |uri, headers: &[_], body| answer(Method::Invite, uri, headers, body);
        let text = |status, header: &str| Some((status, header.to_owned()));
        assert_eq!(answer(Method::Other(b"JUMP"), "sip:b@h", &[], ""), text(501, ""));
        assert_eq!(answer(Method::Refer, "sip:b@h", &[], ""), text(405, "Allow: INVITE, ACK, BYE, CANCEL"));
        assert_eq!(invite("sip:b@h?Route=x", &[], ""), text(400, ""));
        assert_eq!(invite("sip:b@h", &[(HeaderName::Contact, "sip:a@h?x=y")], ""), text(400, ""));
        let only_text = [(HeaderName::Accept, "text/plain;q=0.5, text/html"), (HeaderName::Accept, "text/*")];
        assert_eq!(invite("sip:b@h", &only_text, ""), text(406, ""));
        assert_eq!(invite("soap.beep://h:9", &[], ""), text(416, ""));
        assert_eq!(invite("sip:2001:db8::1", &[], ""), text(400, ""));
        let extensions = [(HeaderName::Require, "timer, foo"), (HeaderName::Require, "bar")];
        assert_eq!(invite("sip:b@h", &extensions, ""), text(420, "Unsupported: foo, bar"));
        let odd = [(HeaderName::ContentType, "application/odd")];
        assert_eq!(invite("sip:b@h", &odd, "x"), text(415, "Accept: application/sdp, multipart/mixed"));
        assert_eq!(invite("sip:b@h", &[], "x").map(|(status, _)| status), Some(415), "a body of no type");
        let gzip = [(HeaderName::ContentType, "application/sdp"), (HeaderName::ContentEncoding, "gzip")];
        assert_eq!(invite("sip:b@h", &gzip, "x"), text(415, "Accept-Encoding: identity"));
    }
}
