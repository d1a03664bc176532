//! Writing messages.

use std::fmt;
use std::io::Write as _;
use std::net::SocketAddr;

use memchr::memchr2;

use crate::grammar::{List, is_token};
use crate::header::{HeaderName, Rport, Via};
use crate::message::RawMessage;
use crate::method::Method;
use crate::status::StatusCode;
use crate::uri::Host;

/// Writes one message to the end of a buffer: first line, headers in the order given, body.
///
/// Content-Length is written by [`finish`](Self::finish) and [`finish_with_body`](Self::finish_with_body), never by
/// the caller. A value that would break its line is refused: the first such fault is reported at the end, and the
/// buffer is left as it was.
///
/// ```
/// use tandem_sip::build::Writer;
/// use tandem_sip::header::HeaderName;
/// use tandem_sip::method::Method;
///
/// let mut out = Vec::new();
/// let mut options = Writer::request(&mut out, Method::Options, b"sip:example.com");
/// options.header(HeaderName::CallId, b"1@here").header_parts(HeaderName::CSeq, &[b"1", b" OPTIONS"]);
/// options.finish().unwrap();
/// assert_eq!(out, b"OPTIONS sip:example.com SIP/2.0\r\nCall-ID: 1@here\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
/// ```
#[derive(Debug)]
#[must_use = "a message is complete only when it is finished"]
pub struct Writer<'o> {
    out: &'o mut Vec<u8>,
    begin: usize,
    case: HeaderCase,
    fault: Option<BuildError>,
}

/// How header names are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeaderCase {
    /// `Call-ID`, as RFCs write them.
    #[default]
    Mixed,
    /// `CALL-ID`, as Microsoft's SIP proxy writes them.
    Capitals,
}

/// Why a message could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A value holds a carriage return or line feed: it would begin a header of its own.
    #[error("a value holds a line break")]
    LineBreak,
    /// A method or header name is no token.
    #[error("a method or header name is no token")]
    NotAToken,
    /// The Request-URI is empty or holds white space.
    #[error("the Request-URI is empty or holds white space")]
    RequestUri,
}

impl<'o> Writer<'o> {
    /// Begins a request.
    pub fn request(out: &'o mut Vec<u8>, method: Method<'_>, uri: &[u8]) -> Self {
        let mut writer = Self::begin(out);
        writer.check(is_token(method.as_bytes()), BuildError::NotAToken);
        let uri_is_one_word =
            !uri.is_empty() && !uri.iter().any(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
        writer.check(uri_is_one_word, BuildError::RequestUri);
        for part in [method.as_bytes(), b" ", uri, b" SIP/2.0\r\n"] {
            writer.out.extend_from_slice(part);
        }
        writer
    }

    /// Begins a response. An empty reason stands for the usual phrase of the status.
    pub fn response(out: &'o mut Vec<u8>, status: StatusCode, reason: &[u8]) -> Self {
        let mut writer = Self::begin(out);
        let reason = if reason.is_empty() { status.phrase().as_bytes() } else { reason };
        writer.check_line(reason);
        writer.out.extend_from_slice(b"SIP/2.0 ");
        push_decimal(writer.out, u64::from(status.code()));
        for part in [b" ", reason, b"\r\n"] {
            writer.out.extend_from_slice(part);
        }
        writer
    }

    fn begin(out: &'o mut Vec<u8>) -> Self {
        out.reserve(MESSAGE_BYTES_USUAL);
        let begin = out.len();
        Self { out, begin, case: HeaderCase::Mixed, fault: None }
    }

    /// Chooses how the names of the headers that follow are written.
    pub fn case(&mut self, case: HeaderCase) -> &mut Self {
        self.case = case;
        self
    }

    /// Copies from a request what every response to it carries (RFC 3261 sections 8.2.6.2 and 12.1.1): each Via,
    /// From, To, Call-ID, CSeq, and Record-Route in provisional (not 100) and 2xx responses; Timestamp in 100.
    /// What the request lacks is left out, so that a faulty one can be answered too.
    ///
    /// `to_tag` is added to To if the request has none there; give it for every response but 100. `source` is
    /// where the request came from: it goes into the top Via as `received` and `rport` (RFC 3261 section 18.2.1,
    /// RFC 3581 section 4). Everything else is copied byte for byte, folds as spaces.
    pub fn reply_to(
        &mut self,
        request: &RawMessage,
        status: StatusCode,
        to_tag: Option<&[u8]>,
        source: Option<SocketAddr>,
    ) -> &mut Self {
        self.copy_vias(request, source);
        if status != StatusCode::TRYING && (status.is_provisional() || status.is_success()) {
            self.copy(request, HeaderName::RecordRoute);
        }
        self.copy(request, HeaderName::From);
        self.copy_to(request, to_tag);
        self.copy(request, HeaderName::CallId);
        self.copy(request, HeaderName::CSeq);
        if status == StatusCode::TRYING {
            self.copy(request, HeaderName::Timestamp);
        }
        self
    }

    /// Writes a header.
    pub fn header(&mut self, name: HeaderName<'_>, value: &[u8]) -> &mut Self {
        self.header_parts(name, &[value])
    }

    /// Writes a header whose value comes in pieces.
    pub fn header_parts(&mut self, name: HeaderName<'_>, parts: &[&[u8]]) -> &mut Self {
        self.name(name);
        for part in parts {
            self.check_line(part);
            self.out.extend_from_slice(part);
        }
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Writes a header from `format_args!`.
    pub fn header_fmt(&mut self, name: HeaderName<'_>, value: fmt::Arguments<'_>) -> &mut Self {
        self.name(name);
        let value_at = self.out.len();
        // Writing to a vector does not fail; a Display that fails leaves the value short.
        let _ = self.out.write_fmt(value);
        let breaks = self.out.get(value_at..).is_some_and(|text| memchr2(b'\r', b'\n', text).is_some());
        self.check(!breaks, BuildError::LineBreak);
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Writes a header whose value is a number.
    pub fn header_number(&mut self, name: HeaderName<'_>, value: u64) -> &mut Self {
        self.name(name);
        push_decimal(self.out, value);
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Copies all headers of that name from another message, in order.
    pub fn copy(&mut self, from: &RawMessage, name: HeaderName<'_>) -> &mut Self {
        for value in from.headers(name) {
            self.header(name, value);
        }
        self
    }

    /// Ends a message without body.
    pub fn finish(mut self) -> Result<(), BuildError> {
        self.header_number(HeaderName::ContentLength, 0);
        self.end(&[])
    }

    /// Ends a message with a body of that type. An empty content type is for bodies whose Content-Type has
    /// been written already.
    pub fn finish_with_body(mut self, content_type: &[u8], body: &[u8]) -> Result<(), BuildError> {
        if !content_type.is_empty() {
            self.header(HeaderName::ContentType, content_type);
        }
        self.header_number(HeaderName::ContentLength, body.len() as u64);
        self.end(body)
    }

    fn end(self, body: &[u8]) -> Result<(), BuildError> {
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(body);
        match self.fault {
            None => Ok(()),
            Some(fault) => {
                self.out.truncate(self.begin);
                Err(fault)
            }
        }
    }

    fn name(&mut self, name: HeaderName<'_>) {
        let bytes = name.as_bytes();
        if let HeaderName::Other(other) = name {
            self.check(is_token(other), BuildError::NotAToken);
        }
        match self.case {
            HeaderCase::Mixed => self.out.extend_from_slice(bytes),
            HeaderCase::Capitals => self.out.extend(bytes.iter().map(u8::to_ascii_uppercase)),
        }
        self.out.extend_from_slice(b": ");
    }

    fn copy_to(&mut self, request: &RawMessage, to_tag: Option<&[u8]>) {
        for value in request.headers(HeaderName::To) {
            let has_tag = crate::header::NameAddr::parse(value).is_ok_and(|to| to.tag().is_some());
            match to_tag {
                Some(tag) if !has_tag => self.header_parts(HeaderName::To, &[value, b";tag=", tag]),
                _ => self.header(HeaderName::To, value),
            };
        }
    }

    fn copy_vias(&mut self, request: &RawMessage, source: Option<SocketAddr>) {
        let mut vias = request.headers(HeaderName::Via);
        if let Some((source, value)) = source.zip(vias.clone().next()) {
            vias.next();
            self.top_via(value, source);
        }
        for value in vias {
            self.header(HeaderName::Via, value);
        }
    }

    /// The line of the top Via with what we know about its sender added.
    fn top_via(&mut self, value: &[u8], source: SocketAddr) {
        let mut entries = List::new(value);
        let Some((text, via)) = entries.next().and_then(|text| Some((text, Via::parse(text).ok()?))) else {
            self.header(HeaderName::Via, value);
            return;
        };
        self.check_line(value);
        self.name(HeaderName::Via);
        let bare = text.len() - via.params.as_bytes().len();
        self.out.extend_from_slice(text.get(..bare).unwrap_or_default());
        for (name, param) in via.params {
            if name.eq_ignore_ascii_case(b"received") || name.eq_ignore_ascii_case(b"rport") {
                continue;
            }
            self.out.push(b';');
            self.out.extend_from_slice(name);
            if let Some(param) = param {
                self.out.push(b'=');
                self.out.extend_from_slice(param);
            }
        }
        let asked = via.rport() != Rport::Absent;
        // A socket for both families shows IPv4 peers as mapped IPv6 addresses, which they do not know themselves.
        let ip = source.ip().to_canonical();
        if asked || via.host.ip() != Some(ip) {
            let _ = write!(self.out, ";received={ip}");
        }
        if asked {
            let _ = write!(self.out, ";rport={}", source.port());
        }
        for other in entries {
            self.out.extend_from_slice(b", ");
            self.out.extend_from_slice(other);
        }
        self.out.extend_from_slice(b"\r\n");
    }

    fn check_line(&mut self, text: &[u8]) {
        self.check(memchr2(b'\r', b'\n', text).is_none(), BuildError::LineBreak);
    }

    fn check(&mut self, holds: bool, otherwise: BuildError) {
        if !holds {
            self.fault.get_or_insert(otherwise);
        }
    }
}

/// Room made at once for a message: an INVITE with its SDP.
const MESSAGE_BYTES_USUAL: usize = 2048;

/// Appends a number in decimal digits.
pub(crate) fn push_decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a host as it stands in a URI or Via.
pub fn push_host(out: &mut Vec<u8>, host: Host<'_>) {
    match host {
        Host::Name(name) => out.extend_from_slice(name),
        address => {
            let _ = write!(out, "{address}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_whole() {
        for number in [0, 9, 10, 4711, u64::MAX] {
            let mut out = Vec::new();
            push_decimal(&mut out, number);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }
}
