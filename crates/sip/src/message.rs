//! One SIP message: its bytes, an index of its lines, and views of its parts.
//!
//! At entry only the first line and the headers that every message needs are checked: Via, From, To, Call-ID, CSeq,
//! Content-Length, Max-Forwards. Everything else is read when somebody asks for it, and kept byte for byte.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use crate::fault::ParseError;
use crate::grammar::{List, Params};
use crate::header::name::{HeaderId, OTHER};
use crate::header::{CSeq, HeaderName, NameAddr, Transport, Via};
use crate::method::Method;
use crate::parse;
use crate::status::StatusCode;
use crate::uri::Host;

/// Header lines a message may have. One with more is faulty (400). A call through 30 proxies has about 90.
pub const HEADER_LINES_MAX: usize = 512;

/// Bytes a message may have, head and body. A longer one is dropped; framing keeps to lower limits.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A request or response that passed the check at entry.
///
/// Dereferences to [`RawMessage`] for everything that needs no such check. Cloning shares the bytes.
#[derive(Clone)]
pub struct Message {
    raw: RawMessage,
    core: Core,
}

impl Message {
    /// Reads a datagram: without Content-Length the body is all the rest, with one that is longer than the
    /// datagram the message is faulty (RFC 3261 section 18.3).
    pub fn parse_datagram(datagram: impl Into<Bytes>) -> Result<Self, ParseError> {
        parse::datagram(datagram.into())
    }

    /// Reads a message cut out of a stream, head and body in one; what follows the head is the body.
    pub fn parse_framed(frame: impl Into<Bytes>) -> Result<Self, ParseError> {
        parse::framed(frame.into())
    }

    pub(crate) fn new(raw: RawMessage, core: Core) -> Self {
        Self { raw, core }
    }

    /// From: who sent the request, with the tag of that side.
    pub fn from(&self) -> NameAddr<'_> {
        self.core.from.view(&self.raw)
    }

    /// To: who the request was meant for, with the tag of that side if there is one yet.
    pub fn to(&self) -> NameAddr<'_> {
        self.core.to.view(&self.raw)
    }

    /// The topmost Via: where the request was sent from last, or, in a response, our own.
    pub fn via(&self) -> Via<'_> {
        self.core.via.view(&self.raw)
    }

    /// Call-ID, as bytes to be compared exactly.
    pub fn call_id(&self) -> &[u8] {
        self.raw.text(self.core.call_id)
    }

    /// CSeq: the number of the request in its dialog, and the method.
    pub fn cseq(&self) -> CSeq<'_> {
        CSeq { number: self.core.cseq, method: Method::from_bytes(self.raw.text(self.core.cseq_method)) }
    }

    /// Max-Forwards: hops left; `None` where a (pre-RFC 3261) request has none.
    pub fn max_forwards(&self) -> Option<u8> {
        self.core.max_forwards
    }

    /// The method of the request, or of the request that this response answers.
    pub fn method(&self) -> Method<'_> {
        self.cseq().method
    }
}

impl Deref for Message {
    type Target = RawMessage;

    fn deref(&self) -> &RawMessage {
        &self.raw
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.raw, f)
    }
}

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// The line of a request.
    Request {
        /// What is asked for.
        method: Method<'a>,
        /// Whom, as written.
        uri: &'a [u8],
    },
    /// The line of a response.
    Response {
        /// How the request fared.
        status: StatusCode,
        /// The phrase beside it; any bytes, possibly none.
        reason: &'a [u8],
    },
}

/// The bytes of a message with an index of its lines; nothing beyond the first line is checked.
///
/// `Debug` shows the first line only: bodies hold keys, headers hold numbers of people.
#[derive(Clone)]
pub struct RawMessage {
    bytes: Bytes,
    /// The head with each line fold written as spaces, at the same offsets. Most messages fold nothing.
    unfolded: Option<Box<[u8]>>,
    start: Start,
    lines: Vec<Line>,
    body: Span,
}

impl RawMessage {
    pub(crate) fn new(
        bytes: Bytes,
        unfolded: Option<Box<[u8]>>,
        start: Start,
        lines: Vec<Line>,
        body: Span,
    ) -> Self {
        Self { bytes, unfolded, start, lines, body }
    }

    /// The whole message as received, without what may have stood before and after it.
    pub fn as_bytes(&self) -> &[u8] {
        let from = match self.start {
            Start::Request { method, .. } => method.from,
            Start::Response { line, .. } => line.from,
        };
        self.bytes.get(from as usize..self.body.to as usize).unwrap_or_default()
    }

    /// The first line.
    pub fn start_line(&self) -> StartLine<'_> {
        match self.start {
            Start::Request { method, uri } => {
                StartLine::Request { method: Method::from_bytes(self.text(method)), uri: self.text(uri) }
            }
            Start::Response { status, reason, .. } => {
                StartLine::Response { status, reason: self.text(reason) }
            }
        }
    }

    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The status code of a response.
    pub fn status(&self) -> Option<StatusCode> {
        match self.start {
            Start::Response { status, .. } => Some(status),
            Start::Request { .. } => None,
        }
    }

    /// The method of a request.
    pub fn request_method(&self) -> Option<Method<'_>> {
        match self.start {
            Start::Request { method, .. } => Some(Method::from_bytes(self.text(method))),
            Start::Response { .. } => None,
        }
    }

    /// The Request-URI of a request, as written.
    pub fn request_uri(&self) -> Option<&[u8]> {
        match self.start {
            Start::Request { uri, .. } => Some(self.text(uri)),
            Start::Response { .. } => None,
        }
    }

    /// The value of the first header of that name: trimmed, folds replaced by spaces, else as received.
    pub fn header(&self, name: HeaderName<'_>) -> Option<&[u8]> {
        self.headers(name).next()
    }

    /// The values of all headers of that name in order, one per line of the message, lists not split.
    pub fn headers<'m, 'n>(
        &'m self,
        name: HeaderName<'n>,
    ) -> impl Iterator<Item = &'m [u8]> + Clone + use<'m, 'n> {
        let name = HeaderName::from_bytes(name.as_bytes());
        let id = name.id();
        self.lines.iter().filter_map(move |line| {
            let same = line.id == id
                && (id != OTHER || self.text(line.name()).eq_ignore_ascii_case(name.as_bytes()));
            same.then(|| self.text(line.value))
        })
    }

    /// The entries of all headers of that name, lists split at their commas, empty entries passed over.
    pub fn list<'m, 'n>(
        &'m self,
        name: HeaderName<'n>,
    ) -> impl Iterator<Item = &'m [u8]> + Clone + use<'m, 'n> {
        self.headers(name).flat_map(List::new)
    }

    /// Names and values of all headers in order, byte for byte; a folded value with its folds.
    pub fn raw_headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.lines.iter().map(|line| (self.raw_text(line.name()), self.raw_text(line.value)))
    }

    /// Names and values of all headers in order; folds replaced by spaces.
    pub fn named_headers(&self) -> impl Iterator<Item = (HeaderName<'_>, &[u8])> + Clone {
        self.lines.iter().map(|line| (HeaderName::from_bytes(self.text(line.name())), self.text(line.value)))
    }

    /// The body; empty if there is none.
    pub fn body(&self) -> &[u8] {
        self.raw_text(self.body)
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(crate) fn body_span(&self) -> Span {
        self.body
    }

    pub(crate) fn truncate_body(&mut self, len: u32) {
        self.body.to = self.body.to.min(self.body.from.saturating_add(len));
    }

    /// A part of the head with folds replaced by spaces.
    pub(crate) fn text(&self, span: Span) -> &[u8] {
        span.of(self.unfolded.as_deref().unwrap_or(&self.bytes))
    }

    /// Where a part of the head that [`Self::text`] gave stands.
    pub(crate) fn span_of(&self, part: &[u8]) -> Span {
        Span::within(self.unfolded.as_deref().unwrap_or(&self.bytes), part)
    }

    fn raw_text(&self, span: Span) -> &[u8] {
        span.of(&self.bytes)
    }
}

impl fmt::Debug for RawMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start_line() {
            StartLine::Request { method, .. } => write!(f, "{method} request"),
            StartLine::Response { status, .. } => write!(f, "{status} response"),
        }
    }
}

/// Some bytes of a message by position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

impl Span {
    /// Positions fit because no message is longer than [`MESSAGE_BYTES_MAX`].
    pub(crate) fn new(from: usize, to: usize) -> Self {
        Self { from: from as u32, to: to as u32 }
    }

    /// The position of a slice of `whole`.
    fn within(whole: &[u8], part: &[u8]) -> Self {
        let from = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        debug_assert!(part.is_empty() || from + part.len() <= whole.len());
        if part.is_empty() { Self::default() } else { Self::new(from, from + part.len()) }
    }

    fn of(self, whole: &[u8]) -> &[u8] {
        whole.get(self.from as usize..self.to as usize).unwrap_or_default()
    }
}

/// The first line by position.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    Request { method: Span, uri: Span },
    Response { line: Span, status: StatusCode, reason: Span },
}

/// One header line by position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) id: HeaderId,
    pub(crate) name_len: u16,
    pub(crate) name_from: u32,
    pub(crate) value: Span,
}

impl Line {
    fn name(&self) -> Span {
        Span { from: self.name_from, to: self.name_from + u32::from(self.name_len) }
    }
}

/// What the check at entry found, by position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Core {
    pub(crate) via: ViaSpans,
    pub(crate) from: AddrSpans,
    pub(crate) to: AddrSpans,
    pub(crate) call_id: Span,
    pub(crate) cseq: u32,
    pub(crate) cseq_method: Span,
    pub(crate) max_forwards: Option<u8>,
}

/// A [`NameAddr`] by position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddrSpans {
    display: Span,
    uri: Span,
    params: Span,
}

impl AddrSpans {
    pub(crate) fn new(raw: &RawMessage, addr: &NameAddr<'_>) -> Self {
        Self {
            display: raw.span_of(addr.display),
            uri: raw.span_of(addr.uri),
            params: raw.span_of(addr.params.as_bytes()),
        }
    }

    fn view(self, raw: &RawMessage) -> NameAddr<'_> {
        NameAddr {
            display: raw.text(self.display),
            uri: raw.text(self.uri),
            params: Params::new(raw.text(self.params)),
        }
    }
}

/// A [`Via`] by position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ViaSpans {
    transport: TransportSpan,
    host: HostSpan,
    port: Option<u16>,
    params: Span,
}

#[derive(Clone, Copy, Debug)]
enum TransportSpan {
    Known(Transport<'static>),
    Other(Span),
}

#[derive(Clone, Copy, Debug)]
enum HostSpan {
    Name(Span),
    Address(Host<'static>),
}

impl ViaSpans {
    pub(crate) fn new(raw: &RawMessage, via: &Via<'_>) -> Self {
        Self {
            transport: match via.transport {
                Transport::Udp => TransportSpan::Known(Transport::Udp),
                Transport::Tcp => TransportSpan::Known(Transport::Tcp),
                Transport::Tls => TransportSpan::Known(Transport::Tls),
                Transport::Ws => TransportSpan::Known(Transport::Ws),
                Transport::Wss => TransportSpan::Known(Transport::Wss),
                Transport::Other(name) => TransportSpan::Other(raw.span_of(name)),
            },
            host: match via.host {
                Host::Name(name) => HostSpan::Name(raw.span_of(name)),
                Host::V4(ip) => HostSpan::Address(Host::V4(ip)),
                Host::V6(ip) => HostSpan::Address(Host::V6(ip)),
            },
            port: via.port,
            params: raw.span_of(via.params.as_bytes()),
        }
    }

    fn view(self, raw: &RawMessage) -> Via<'_> {
        Via {
            transport: match self.transport {
                TransportSpan::Known(transport) => transport,
                TransportSpan::Other(name) => Transport::Other(raw.text(name)),
            },
            host: match self.host {
                HostSpan::Name(name) => Host::Name(raw.text(name)),
                HostSpan::Address(host) => host,
            },
            port: self.port,
            params: Params::new(raw.text(self.params)),
        }
    }
}
