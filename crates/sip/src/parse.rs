//! From bytes to a message: one pass over the head, then the check at entry.

use bytes::Bytes;
use memchr::{memchr, memrchr};

use crate::fault::{Cause, Fault, ParseError};
use crate::grammar::{List, decimal, is_token, number, trim, trim_end};
use crate::header::name::{HeaderId, id_of};
use crate::header::{CSeq, HeaderName, NameAddr, Via};
use crate::message::{
    AddrSpans, Core, HEADER_LINES_MAX, Line, MESSAGE_BYTES_MAX, Message, RawMessage, Span, Start, ViaSpans,
};
use crate::method::Method;
use crate::status::StatusCode;
use crate::uri::has_scheme;

/// Reads a message from a datagram.
pub(crate) fn datagram(bytes: Bytes) -> Result<Message, ParseError> {
    let (mut raw, mut fault) = index(bytes)?;
    let length = content_length(&raw);
    let available = u64::from(raw.body_span().to - raw.body_span().from);
    match length {
        Ok(None) => {}
        Ok(Some(length)) if length <= available => raw.truncate_body(length as u32),
        Ok(Some(_)) => {
            fault.get_or_insert(Cause::BodyTruncated);
        }
        Err(cause) => {
            fault.get_or_insert(cause);
        }
    }
    check(raw, fault)
}

/// Reads a message whose body a framer has measured.
pub(crate) fn framed(bytes: Bytes) -> Result<Message, ParseError> {
    let (raw, mut fault) = index(bytes)?;
    if let Err(cause) = content_length(&raw) {
        fault.get_or_insert(cause);
    }
    check(raw, fault)
}

/// A request in a frame whose body was above the framer's limit: the head alone, as a fault.
pub(crate) fn beheaded(head: Bytes) -> ParseError {
    match index(head) {
        Ok((raw, _)) => refuse(raw, Cause::BodyTooLarge),
        Err(error) => error,
    }
}

/// The Content-Length in the head of a message on a stream; equal repetitions count as one here.
pub(crate) fn body_length(head: &[u8]) -> Result<Option<u64>, Cause> {
    const CONTENT_LENGTH: HeaderId = HeaderName::ContentLength.id();
    let malformed = || Cause::Malformed(HeaderName::ContentLength);
    let mut length = None;
    let mut lines = Lines { bytes: head, at: 0 };
    while let Some((from, to)) = lines.next() {
        let line = head.get(from..to).unwrap_or_default();
        // `Content-Length` and its compact form `l`: all other lines are not worth a closer look.
        if !matches!(line.first(), Some(b'c' | b'C' | b'l' | b'L')) {
            continue;
        }
        let Some(mut line) = header_line(line, from).filter(|line| line.id == CONTENT_LENGTH) else {
            continue;
        };
        while matches!(head.get(lines.at), Some(b' ' | b'\t')) {
            let Some((from, to)) = lines.next() else { break };
            extend(&mut line, head, from, to);
        }
        let value = head.get(line.value.from as usize..line.value.to as usize).unwrap_or_default();
        let value = decimal(value).ok_or_else(malformed)?;
        if length.is_some_and(|earlier| earlier != value) {
            return Err(malformed());
        }
        length = Some(value);
    }
    Ok(length)
}

/// Finds the lines. The fault, if any, is the first one met; the rest of the head is indexed all the same, so
/// that it can be answered.
fn index(bytes: Bytes) -> Result<(RawMessage, Option<Cause>), ParseError> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(ParseError::Unanswerable(Cause::TooLong));
    }
    let begin = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    let mut head = Lines { bytes: &bytes, at: begin };
    let Some((from, to)) = head.next() else { return Err(ParseError::Unanswerable(Cause::NotSip)) };
    let (start, mut fault) = start_line(&bytes, from, to)?;
    let mut lines = Vec::with_capacity(LINES_USUAL);
    let mut folded = false;
    loop {
        let Some((from, to)) = head.next() else {
            fault.get_or_insert(Cause::HeadUnfinished);
            break;
        };
        let line = &bytes[from..to];
        let Some(&first) = line.first() else { break };
        if memchr(b'\r', line).is_some() {
            fault.get_or_insert(Cause::HeaderLine);
            continue;
        }
        if matches!(first, b' ' | b'\t') {
            match lines.last_mut() {
                Some(line) => {
                    folded = true;
                    extend(line, &bytes, from, to);
                }
                None => {
                    fault.get_or_insert(Cause::HeaderLine);
                }
            }
            continue;
        }
        if lines.len() == HEADER_LINES_MAX {
            fault.get_or_insert(Cause::TooManyHeaders);
            continue;
        }
        match header_line(line, from) {
            Some(line) => lines.push(line),
            None => {
                fault.get_or_insert(Cause::HeaderLine);
            }
        }
    }
    let body = Span::new(head.at, bytes.len());
    let unfolded = folded.then(|| unfold(&bytes[..head.at], &lines));
    Ok((RawMessage::new(bytes, unfolded, start, lines, body), fault))
}

/// Header lines that most messages stay below: room for them is made at once.
const LINES_USUAL: usize = 24;

/// Walks lines that end in CRLF or in a bare LF; positions are without the line end.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let from = self.at;
        let rest = self.bytes.get(from..)?;
        let Some(len) = memchr(b'\n', rest) else {
            self.at = self.bytes.len();
            return None;
        };
        self.at = from + len + 1;
        let to = if len > 0 && rest[len - 1] == b'\r' { from + len - 1 } else { from + len };
        Some((from, to))
    }
}

/// Reads `name : value`; `None` if there is no name that is a token.
fn header_line(line: &[u8], from: usize) -> Option<Line> {
    let colon = memchr(b':', line)?;
    let name = trim_end(&line[..colon]);
    if !is_token(name) {
        return None;
    }
    let name_len = u16::try_from(name.len()).ok()?;
    let value = value_span(line, colon + 1, from);
    Some(Line { id: id_of(name), name_len, name_from: from as u32, value })
}

/// The trimmed value behind the colon.
fn value_span(line: &[u8], value_at: usize, from: usize) -> Span {
    let value = &line[value_at..];
    let trimmed = trim(value);
    let leading = if trimmed.is_empty() { 0 } else { value.len() - crate::grammar::trim_start(value).len() };
    let begin = from + value_at + leading;
    Span::new(begin, begin + trimmed.len())
}

/// Adds a continuation line to the value before it.
fn extend(line: &mut Line, bytes: &[u8], from: usize, to: usize) {
    let text = &bytes[from..to];
    let end = from + trim_end(text).len();
    let more = trim(text);
    if more.is_empty() {
        return;
    }
    if line.value.from == line.value.to {
        // Nothing on the first line: the value begins here.
        line.value.from = (end - more.len()) as u32;
    }
    line.value.to = end as u32;
}

/// A copy of the head in which the line ends inside values are spaces.
fn unfold(head: &[u8], lines: &[Line]) -> Box<[u8]> {
    let mut copy: Box<[u8]> = head.into();
    for line in lines {
        if let Some(value) = copy.get_mut(line.value.from as usize..line.value.to as usize) {
            for byte in value.iter_mut().filter(|b| matches!(b, b'\r' | b'\n')) {
                *byte = b' ';
            }
        }
    }
    copy
}

fn start_line(bytes: &[u8], from: usize, to: usize) -> Result<(Start, Option<Cause>), ParseError> {
    let line = trim_end(&bytes[from..to]);
    match line.get(..4) {
        Some(begin) if begin.eq_ignore_ascii_case(b"SIP/") => status_line(line, from),
        _ => request_line(line, from),
    }
}

fn status_line(line: &[u8], from: usize) -> Result<(Start, Option<Cause>), ParseError> {
    let version_end = memchr(b' ', line).unwrap_or(line.len());
    let (version, rest) = line.split_at(version_end);
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(ParseError::Unanswerable(Cause::Version));
    }
    let rest = rest.get(1..).unwrap_or_default();
    let code_end = memchr(b' ', rest).unwrap_or(rest.len());
    let (code, reason) = rest.split_at(code_end);
    let status = if code.len() == 3 { number(code).and_then(StatusCode::new) } else { None };
    let status = status.filter(|_| memchr(b'\r', reason).is_none());
    let status = status.ok_or(ParseError::Unanswerable(Cause::StatusLine))?;
    let end = from + line.len();
    let reason = Span::new(end - reason.len().saturating_sub(1), end);
    Ok((Start::Response { line: Span::new(from, end), status, reason }, None))
}

/// Method up to the first space, version behind the last one, the URI between them.
fn request_line(line: &[u8], from: usize) -> Result<(Start, Option<Cause>), ParseError> {
    let not_sip = || ParseError::Unanswerable(Cause::NotSip);
    let (first, last) = memchr(b' ', line).zip(memrchr(b' ', line)).ok_or_else(not_sip)?;
    let (method, version) = (&line[..first], &line[last + 1..]);
    if !version.get(..4).is_some_and(|v| v.eq_ignore_ascii_case(b"SIP/")) || !is_token(method) {
        return Err(not_sip());
    }
    let uri = line.get(first + 1..last).unwrap_or_default();
    let fault = if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        Some(Cause::Version)
    } else if !has_scheme(uri) || uri.iter().any(|b| matches!(b, b' ' | b'\t' | b'<' | b'>' | b'"' | b'\r')) {
        Some(Cause::RequestLine)
    } else {
        None
    };
    let uri_from = from + first + 1;
    let start = Start::Request {
        method: Span::new(from, from + first),
        uri: Span::new(uri_from, uri_from + uri.len()),
    };
    Ok((start, fault))
}

/// The one Content-Length, if there is one. A number too large for its type is as wrong as no number.
fn content_length(raw: &RawMessage) -> Result<Option<u64>, Cause> {
    let mut values = raw.headers(HeaderName::ContentLength);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Cause::Repeated(HeaderName::ContentLength));
    }
    decimal(value).map(Some).ok_or(Cause::Malformed(HeaderName::ContentLength))
}

/// The check at entry: the headers every message needs, and those that say how far and how long.
fn check(raw: RawMessage, fault: Option<Cause>) -> Result<Message, ParseError> {
    if let Some(cause) = fault {
        return Err(refuse(raw, cause));
    }
    match core(&raw) {
        Ok(core) => Ok(Message::new(raw, core)),
        Err(cause) => Err(refuse(raw, cause)),
    }
}

fn core(raw: &RawMessage) -> Result<Core, Cause> {
    let singles = Singles::find(raw)?;
    let cseq_value = singles.needed(HeaderName::CSeq, singles.cseq)?;
    let cseq = CSeq::parse(cseq_value).map_err(|_| Cause::Malformed(HeaderName::CSeq))?;
    if raw.request_method().is_some_and(|method| method != cseq.method) {
        return Err(Cause::MethodMismatch);
    }
    let call_id = singles.needed(HeaderName::CallId, singles.call_id)?;
    if call_id.is_empty() || call_id.iter().any(|b| matches!(b, b' ' | b'\t')) {
        return Err(Cause::Malformed(HeaderName::CallId));
    }
    let max_forwards = match singles.max_forwards {
        Some(value) => Some(number(value).ok_or(Cause::Malformed(HeaderName::MaxForwards))?),
        None => None,
    };
    Ok(Core {
        via: vias(raw)?,
        from: address(raw, HeaderName::From, singles.needed(HeaderName::From, singles.from)?)?,
        to: address(raw, HeaderName::To, singles.needed(HeaderName::To, singles.to)?)?,
        call_id: raw.span_of(call_id),
        cseq: cseq.number,
        cseq_method: raw.span_of(CSeq::method_part(cseq_value)),
        max_forwards,
    })
}

/// Values of the headers that may stand only once.
#[derive(Default)]
struct Singles<'m> {
    from: Option<&'m [u8]>,
    to: Option<&'m [u8]>,
    call_id: Option<&'m [u8]>,
    cseq: Option<&'m [u8]>,
    max_forwards: Option<&'m [u8]>,
}

impl<'m> Singles<'m> {
    fn find(raw: &'m RawMessage) -> Result<Self, Cause> {
        const FROM: HeaderId = HeaderName::From.id();
        const TO: HeaderId = HeaderName::To.id();
        const CALL_ID: HeaderId = HeaderName::CallId.id();
        const CSEQ: HeaderId = HeaderName::CSeq.id();
        const MAX_FORWARDS: HeaderId = HeaderName::MaxForwards.id();
        let mut singles = Self::default();
        for line in raw.lines() {
            let (place, name) = match line.id {
                FROM => (&mut singles.from, HeaderName::From),
                TO => (&mut singles.to, HeaderName::To),
                CALL_ID => (&mut singles.call_id, HeaderName::CallId),
                CSEQ => (&mut singles.cseq, HeaderName::CSeq),
                MAX_FORWARDS => (&mut singles.max_forwards, HeaderName::MaxForwards),
                _ => continue,
            };
            if place.replace(raw.text(line.value)).is_some() {
                return Err(Cause::Repeated(name));
            }
        }
        Ok(singles)
    }

    fn needed(&self, name: HeaderName<'static>, value: Option<&'m [u8]>) -> Result<&'m [u8], Cause> {
        value.ok_or(Cause::Missing(name))
    }
}

fn address(raw: &RawMessage, name: HeaderName<'static>, value: &[u8]) -> Result<AddrSpans, Cause> {
    let addr = NameAddr::parse(value).map_err(|_| Cause::Malformed(name))?;
    Ok(AddrSpans::new(raw, &addr))
}

/// Every Via must be one, since the answer carries them all; the top one is kept.
fn vias(raw: &RawMessage) -> Result<ViaSpans, Cause> {
    let mut vias = raw.list(HeaderName::Via);
    let top = vias.next().ok_or(Cause::Missing(HeaderName::Via))?;
    let top = Via::parse(top).map_err(|_| Cause::Malformed(HeaderName::Via))?;
    if vias.any(|via| Via::parse(via).is_err()) {
        return Err(Cause::Malformed(HeaderName::Via));
    }
    Ok(ViaSpans::new(raw, &top))
}

/// A request other than ACK that says in its top Via whom to answer is owed an answer.
fn refuse(raw: RawMessage, cause: Cause) -> ParseError {
    let is_answered = raw.request_method().is_some_and(|method| method != Method::Ack);
    let has_sender = raw
        .headers(HeaderName::Via)
        .next()
        .is_some_and(|value| List::new(value).next().is_some_and(|via| Via::parse(via).is_ok()));
    if is_answered && has_sender {
        ParseError::Fault(Box::new(Fault { message: raw, status: cause.status(), cause }))
    } else {
        ParseError::Unanswerable(cause)
    }
}
