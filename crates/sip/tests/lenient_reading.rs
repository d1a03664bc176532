//! What the field writes is read, any byte of it, and nothing of it is lost.

use tandem_sip::fault::{Cause, ParseError};
use tandem_sip::header::{HeaderName, Transport};
use tandem_sip::message::{Message, StartLine};
use tandem_sip::method::Method;

fn datagram(text: &[u8]) -> Result<Message, ParseError> {
    Message::parse_datagram(text.to_vec())
}

const INVITE: &[u8] = b"INVITE sip:+14255550142@sbc1.contoso.com:5061;user=phone SIP/2.0\r\n\
    VIA: SIP/2.0/TLS 52.114.148.10:5061;branch=z9hG4bK58735f38\r\n\
    FROM: J\xf6rg<sip:+14255550100@sip.pstnhub.microsoft.com:5061;user=phone>;tag=240c\r\n\
    To : <sip:+14255550142@sbc1.contoso.com:5061;user=phone>\r\n\
    i:64ce308b\r\n\
    CSEQ: 1 INVITE\r\n\
    MAX-FORWARDS: 70\r\n\
    Subject: first\r\n\tsecond\r\n\
    x-strange: \xff\xfe, \"\xe9\"\r\n\
    CONTENT-LENGTH: 4\r\n\
    \r\n\
    body";

#[test]
fn values_are_bytes_and_names_have_many_spellings() {
    let message = datagram(INVITE).unwrap();
    assert_eq!(message.from().display, b"J\xf6rg");
    assert_eq!(message.from().tag(), Some(&b"240c"[..]));
    assert_eq!(message.to().tag(), None);
    assert_eq!(message.call_id(), b"64ce308b");
    assert_eq!((message.cseq().number, message.method()), (1, Method::Invite));
    assert_eq!(message.max_forwards(), Some(70));
    assert_eq!(message.via().transport, Transport::Tls);
    assert_eq!(message.via().branch(), Some(&b"z9hG4bK58735f38"[..]));
    assert_eq!(message.body(), b"body");
    assert_eq!(message.header(HeaderName::Subject), Some(&b"first  \tsecond"[..]));
    assert_eq!(message.header(HeaderName::Other(b"X-STRANGE")), Some(&b"\xff\xfe, \"\xe9\""[..]));
}

#[test]
fn order_and_raw_text_of_all_headers_are_kept() {
    let message = datagram(INVITE).unwrap();
    let names: Vec<_> = message.raw_headers().map(|(name, _)| name).collect();
    let expected: [&[u8]; 9] =
        [b"VIA", b"FROM", b"To", b"i", b"CSEQ", b"MAX-FORWARDS", b"Subject", b"x-strange", b"CONTENT-LENGTH"];
    assert_eq!(names, expected);
    let folded = message.raw_headers().find(|(name, _)| *name == b"Subject").unwrap();
    assert_eq!(folded.1, b"first\r\n\tsecond");
    assert_eq!(message.as_bytes(), INVITE);
}

#[test]
fn methods_are_case_sensitive_and_unknown_ones_are_data() {
    let text = INVITE.to_vec().replace(b"INVITE", b"FooBar");
    let message = datagram(&text).unwrap();
    assert!(matches!(message.start_line(), StartLine::Request { method: Method::Other(b"FooBar"), .. }));
    assert_eq!(message.method(), Method::Other(b"FooBar"));
}

#[test]
fn a_datagram_without_content_length_has_the_rest_as_body() {
    let text = INVITE.to_vec().replace(b"CONTENT-LENGTH: 4\r\n", b"");
    assert_eq!(datagram(&text).unwrap().body(), b"body");
}

#[test]
fn a_body_shorter_than_the_datagram_ends_where_it_says() {
    let text = INVITE.to_vec().replace(b"CONTENT-LENGTH: 4", b"CONTENT-LENGTH: 2");
    assert_eq!(datagram(&text).unwrap().body(), b"bo");
}

#[test]
fn a_body_longer_than_the_datagram_is_answered_400() {
    for length in ["5", "18446744073709551615", "18446744073709551616", "-1", "four", ""] {
        let text =
            INVITE.to_vec().replace(b"CONTENT-LENGTH: 4", format!("CONTENT-LENGTH: {length}").as_bytes());
        match datagram(&text) {
            Err(ParseError::Fault(fault)) => assert_eq!(fault.status, 400, "{length}"),
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn a_faulty_request_is_answered_and_a_faulty_response_or_ack_is_not() {
    let text = INVITE.to_vec().replace(b"CSEQ: 1 INVITE", b"CSEQ: 1 BYE");
    match datagram(&text) {
        Err(ParseError::Fault(fault)) => {
            assert_eq!((fault.status.code(), fault.cause), (400, Cause::MethodMismatch));
            assert_eq!(fault.message.header(HeaderName::CallId), Some(&b"64ce308b"[..]));
        }
        other => panic!("{other:?}"),
    }
    let ack = text.replace(b"INVITE", b"ACK");
    assert!(matches!(datagram(&ack), Err(ParseError::Unanswerable(Cause::MethodMismatch))));
    let anonymous = text.replace(b"VIA:", b"X:");
    assert!(matches!(datagram(&anonymous), Err(ParseError::Unanswerable(Cause::MethodMismatch))));
}

trait Replace {
    fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8>;
}

impl Replace for Vec<u8> {
    fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = &self[..];
        while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(to);
            rest = &rest[at + from.len()..];
        }
        out.extend_from_slice(rest);
        out
    }
}
