//! SIP messages, streams of them, and URIs: nothing panics, nothing is lost, and what is written is read back.

use tandem_sip::build::Writer;
use tandem_sip::digest::DigestClient;
use tandem_sip::fault::ParseError;
use tandem_sip::framing::{Event, Framer};
use tandem_sip::header::HeaderName;
use tandem_sip::message::{HEADER_LINES_MAX, Message, RawMessage, StartLine};
use tandem_sip::method::Method;
use tandem_sip::screening::{Abilities, screen};
use tandem_sip::status::StatusCode;
use tandem_sip::uri::{Place, Uri, escape_into, unescape};

/// A datagram: read, looked at from all sides, answered, and written anew.
pub fn message(data: &[u8]) {
    match Message::parse_datagram(data.to_vec()) {
        Ok(message) => {
            look_at(&message);
            is_read_back(&message);
            if message.is_request() {
                is_answered(&message, true);
            }
        }
        Err(ParseError::Fault(fault)) => {
            look_at_raw(&fault.message);
            assert!(fault.message.is_request() && fault.status.is_failure());
            is_answered(&fault.message, false);
        }
        Err(ParseError::Unanswerable(_)) => {}
    }
}

/// A stream: gives the same messages in one piece and in pieces, whose sizes the first bytes choose.
pub fn stream(data: &[u8]) {
    let sizes = data.get(..4).unwrap_or_default();
    let bytes = data.get(4..).unwrap_or_default();
    let whole = frames(std::iter::once(bytes));
    let mut rest = bytes;
    let mut sizes = sizes.iter().cycle();
    let pieces = frames(std::iter::from_fn(|| {
        let size = sizes.next().map_or(1, |size| usize::from(*size).max(1)).min(rest.len());
        let (piece, others) = rest.split_at(size);
        rest = others;
        (size > 0).then_some(piece)
    }));
    assert_eq!(whole, pieces);
}

/// A URI: its parts are parts of it, it is equivalent to itself, and escapes come undone.
pub fn uri(data: &[u8]) {
    if let Ok(uri) = Uri::parse(data) {
        assert!(uri.equivalent(&uri), "{uri:?}");
        assert!(data.ends_with(b"?") || uri.params().as_bytes().len() < data.len());
        if let Uri::Sip(sip) = uri {
            assert_eq!(sip.raw, data);
            assert!(data.starts_with(sip.without_headers()));
            let _ = (sip.transport(), sip.is_phone(), sip.is_loose_router(), sip.host.to_string());
            let _ = sip.header_field("Replaces");
            assert!(sip.header_fields().count() <= data.len());
        }
    }
    for place in [Place::User, Place::Param, Place::Header] {
        let mut escaped = Vec::new();
        escape_into(&mut escaped, data, place);
        assert_eq!(&*unescape(&escaped), data);
    }
}

fn look_at(message: &Message) {
    look_at_raw(message);
    let (from, to, via, cseq) = (message.from(), message.to(), message.via(), message.cseq());
    for address in [from, to] {
        assert!(address.uri.contains(&b':'));
        let _ = (address.tag(), address.display_name());
        uri(address.uri);
    }
    let _ = (via.branch(), via.received(), via.rport(), via.maddr(), via.host.to_string());
    assert!(!message.call_id().is_empty());
    assert_eq!(cseq.method, message.method());
    assert!(message.vias().all(|via| via.is_ok()));
    assert_eq!(message.vias().next(), Some(Ok(via)));
    assert_eq!(message.request_method().unwrap_or(cseq.method), cseq.method);
}

fn look_at_raw(message: &RawMessage) {
    assert!(message.raw_headers().count() <= HEADER_LINES_MAX);
    assert_eq!(message.raw_headers().count(), message.named_headers().count());
    for (name, value) in message.named_headers() {
        assert!(!value.iter().any(|b| matches!(b, b'\r' | b'\n')));
        assert!(message.headers(name).any(|other| other == value));
        assert!(message.list(name).count() <= value.len() + message.as_bytes().len());
    }
    let _ = (message.content_type(), message.event(), message.expires(), message.min_se(), message.rack());
    let _ = (message.rseq(), message.refer_to(), message.referred_by(), message.replaces());
    let _ = (message.retry_after(), message.session_expires(), message.subscription_state());
    for address in message.contacts().chain(message.routes()).chain(message.record_routes()).flatten() {
        uri(address.uri);
    }
    for reason in message.reasons().flatten() {
        let _ = reason.text();
    }
    let _ = (message.privacy().count(), message.supports("timer"), message.allows(Method::Refer));
    let mut client = DigestClient::new(b"user", b"password", None);
    if client.challenged(message, 1).is_ok() {
        assert!(!client.authorizations(Method::Invite, b"sip:example.com").is_empty());
    }
    let abilities =
        Abilities { methods: &[Method::Invite], extensions: &["timer"], bodies: &["application/sdp"] };
    if let Some(refusal) = screen(message, &abilities) {
        let _ = (refusal.status(), refusal.header(&abilities));
    }
    let _ = format!("{message:?}");
}

/// An answer can always be written; to a good request it is good itself.
fn is_answered(request: &RawMessage, good: bool) {
    for status in [StatusCode::TRYING, StatusCode::OK, StatusCode::BAD_REQUEST] {
        let mut out = Vec::new();
        let mut answer = Writer::response(&mut out, status, b"");
        answer.reply_to(request, status, Some(b"tag"), "192.0.2.1:5060".parse().ok());
        assert_eq!(answer.finish(), Ok(()));
        match Message::parse_datagram(out) {
            Ok(answer) => {
                assert_eq!(answer.status(), Some(status));
                assert_eq!(request.list(HeaderName::Via).count(), answer.vias().count());
                assert_eq!(request.header(HeaderName::CallId), Some(answer.call_id()));
            }
            Err(error) => assert!(!good, "{error}"),
        }
    }
}

/// A message written anew from what was read is the same message.
fn is_read_back(message: &Message) {
    let mut out = Vec::new();
    let mut writer = match message.start_line() {
        StartLine::Request { method, uri } => Writer::request(&mut out, method, uri),
        StartLine::Response { status, reason } => Writer::response(&mut out, status, reason),
    };
    for (name, value) in message.named_headers().filter(|(name, _)| *name != HeaderName::ContentLength) {
        writer.header(name, value);
    }
    assert_eq!(writer.finish_with_body(b"", message.body()), Ok(()));
    let again = match Message::parse_framed(out) {
        Ok(again) => again,
        Err(error) => unreachable!("{error}"),
    };
    let essence = |m: &Message| (m.call_id().to_vec(), m.cseq().number, m.max_forwards(), m.body().to_vec());
    assert_eq!(essence(message), essence(&again));
    assert_eq!((message.from(), message.to()), (again.from(), again.to()));
    assert_eq!((message.via(), message.method()), (again.via(), again.method()));
}

/// The messages of a stream, and whether it broke.
fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, bool) {
    let mut framer = Framer::default();
    let mut messages = Vec::new();
    let mut broken = false;
    for piece in pieces {
        framer.push(piece);
        while let Some(event) = framer.poll() {
            assert!(!broken, "nothing comes after the end");
            match event {
                Event::Message(message) => messages.push(message.as_bytes().to_vec()),
                Event::Faulty(error) => messages.push(error.to_string().into_bytes()),
                Event::Ping | Event::Pong => {}
                Event::Broken(_) => broken = true,
            }
        }
    }
    (messages, broken)
}
