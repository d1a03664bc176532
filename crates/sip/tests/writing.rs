//! What is written is what was given, responses carry what they must, and no value can break its line.

use tandem_sip::build::{BuildError, HeaderCase, Writer};
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::method::Method;
use tandem_sip::status::StatusCode;

const REQUEST: &[u8] = b"INVITE sip:b@example.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bK1,SIP/2.0/TCP x.example.com;branch=z9hG4bK0\r\n\
    v: SIP/2.0/TLS y.example.com\r\n\
    Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n\
    Record-Route: <sip:p3;lr>\r\n\
    From: \"A\xe9\" <sip:a@example.com>;tag=1\r\n\
    To: <sip:b@example.com>\r\n\
    Call-ID: 1\r\n\
    CSeq: 7 INVITE\r\n\
    Timestamp: 54\r\n\
    \r\n";

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|b| *b as char).collect()
}

#[test]
fn a_response_carries_what_the_request_brought() {
    let request = Message::parse_datagram(REQUEST).unwrap();
    let mut out = Vec::new();
    let mut ok = Writer::response(&mut out, StatusCode::OK, b"");
    ok.reply_to(&request, StatusCode::OK, Some(b"22"), Some("198.51.100.7:9".parse().unwrap()));
    ok.header(HeaderName::Contact, b"<sip:b@192.0.2.4>");
    ok.finish_with_body(b"application/sdp", b"v=0\r\n").unwrap();
    assert_eq!(
        text(&out),
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1;received=198.51.100.7;rport=9, SIP/2.0/TCP x.example.com;branch=z9hG4bK0\r\n\
         Via: SIP/2.0/TLS y.example.com\r\n\
         Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n\
         Record-Route: <sip:p3;lr>\r\n\
         From: \"A\u{e9}\" <sip:a@example.com>;tag=1\r\n\
         To: <sip:b@example.com>;tag=22\r\n\
         Call-ID: 1\r\n\
         CSeq: 7 INVITE\r\n\
         Contact: <sip:b@192.0.2.4>\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: 5\r\n\
         \r\n\
         v=0\r\n"
    );
}

#[test]
fn trying_carries_timestamp_and_no_route_and_no_tag() {
    let request = Message::parse_datagram(REQUEST).unwrap();
    let mut out = Vec::new();
    let mut trying = Writer::response(&mut out, StatusCode::TRYING, b"");
    trying.case(HeaderCase::Capitals).reply_to(&request, StatusCode::TRYING, None, None);
    trying.finish().unwrap();
    assert_eq!(
        text(&out),
        "SIP/2.0 100 Trying\r\n\
         VIA: SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bK1,SIP/2.0/TCP x.example.com;branch=z9hG4bK0\r\n\
         VIA: SIP/2.0/TLS y.example.com\r\n\
         FROM: \"A\u{e9}\" <sip:a@example.com>;tag=1\r\n\
         TO: <sip:b@example.com>\r\n\
         CALL-ID: 1\r\n\
         CSEQ: 7 INVITE\r\n\
         TIMESTAMP: 54\r\n\
         CONTENT-LENGTH: 0\r\n\
         \r\n"
    );
}

#[test]
fn received_is_added_only_where_sent_by_does_not_say_it() {
    let via = |sent_by: &str, source: &str| {
        let request = text(REQUEST).replace("192.0.2.1:5062;rport", sent_by);
        let request = Message::parse_datagram(request.into_bytes()).unwrap();
        let mut out = Vec::new();
        let mut busy = Writer::response(&mut out, StatusCode::BUSY_HERE, b"");
        busy.reply_to(&request, StatusCode::BUSY_HERE, None, Some(source.parse().unwrap()));
        busy.finish().unwrap();
        let busy = Message::parse_datagram(out).unwrap();
        text(busy.list(HeaderName::Via).next().unwrap())
    };
    assert_eq!(via("192.0.2.1", "[::ffff:192.0.2.1]:9"), "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
    assert_eq!(via("192.0.2.1", "192.0.2.1:999"), "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
    assert_eq!(via("host", "192.0.2.1:9"), "SIP/2.0/UDP host;branch=z9hG4bK1;received=192.0.2.1");
    assert_eq!(via("host;received=6.6.6.6", "[::1]:9"), "SIP/2.0/UDP host;branch=z9hG4bK1;received=::1");
    assert_eq!(
        via("192.0.2.1;rport=1", "192.0.2.1:2"),
        "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.1;rport=2"
    );
}

#[test]
fn a_request_is_read_back_as_written() {
    let mut out = b"kept".to_vec();
    let mut refer = Writer::request(&mut out, Method::Refer, b"sip:b@example.com;x-m=8:orgid:1");
    refer
        .header(HeaderName::Via, b"SIP/2.0/UDP h;branch=z9hG4bK2")
        .header(HeaderName::From, b"<sip:a@example.com>;tag=1")
        .header(HeaderName::To, b"<sip:b@example.com>;tag=2")
        .header(HeaderName::CallId, b"1")
        .header_fmt(HeaderName::CSeq, format_args!("{} REFER", 9))
        .header_number(HeaderName::MaxForwards, 70)
        .header_parts(HeaderName::ReferTo, &[b"<", b"sip:c@example.com;x-tt=a%3D", b">"])
        .header(HeaderName::Other(b"X-MS-SBC"), b"a/b/1");
    refer.finish().unwrap();
    assert!(out.starts_with(b"kept"));
    let refer = Message::parse_datagram(out[4..].to_vec()).unwrap();
    assert_eq!((refer.method(), refer.cseq().number, refer.max_forwards()), (Method::Refer, 9, Some(70)));
    assert_eq!(refer.header(HeaderName::ReferTo), Some(&b"<sip:c@example.com;x-tt=a%3D>"[..]));
    assert_eq!(refer.header(HeaderName::XMsSbc), Some(&b"a/b/1"[..]));
}

#[test]
fn no_value_begins_a_header_of_its_own() {
    let build = |f: &dyn Fn(&mut Writer<'_>)| {
        let mut out = b"kept".to_vec();
        let mut writer = Writer::request(&mut out, Method::Options, b"sip:h");
        f(&mut writer);
        let result = writer.finish();
        assert_eq!(result.is_err(), out == b"kept", "a refused message leaves nothing behind");
        result
    };
    let injected = b"x\r\nContact: <sip:evil>";
    assert_eq!(
        build(&|w| {
            w.header(HeaderName::Subject, injected);
        }),
        Err(BuildError::LineBreak)
    );
    assert_eq!(
        build(&|w| {
            w.header(HeaderName::Subject, b"x\ny");
        }),
        Err(BuildError::LineBreak)
    );
    assert_eq!(
        build(&|w| {
            w.header_fmt(HeaderName::Subject, format_args!("a{}", '\r'));
        }),
        Err(BuildError::LineBreak)
    );
    assert_eq!(
        build(&|w| {
            w.header(HeaderName::Other(b"A: b\r\nC"), b"x");
        }),
        Err(BuildError::NotAToken)
    );
    assert_eq!(
        build(&|w| {
            w.header(HeaderName::Subject, b"fine");
        }),
        Ok(())
    );
    let mut out = Vec::new();
    assert_eq!(
        Writer::request(&mut out, Method::Options, b"sip:h SIP/2.0\r\nX: ").finish(),
        Err(BuildError::RequestUri)
    );
    assert_eq!(
        Writer::request(&mut out, Method::Other(b"A B"), b"sip:h").finish(),
        Err(BuildError::NotAToken)
    );
    assert_eq!(Writer::response(&mut out, StatusCode::OK, b"O\nK").finish(), Err(BuildError::LineBreak));
    assert!(out.is_empty());
}

#[test]
fn a_faulty_request_is_answered_with_what_it_has() {
    let request = text(REQUEST).replace("Call-ID: 1\r\n", "");
    let error = Message::parse_datagram(request.into_bytes()).unwrap_err();
    let tandem_sip::fault::ParseError::Fault(fault) = error else { panic!("{error}") };
    let mut out = Vec::new();
    let mut bad = Writer::response(&mut out, fault.status, fault.cause.to_string().as_bytes());
    bad.reply_to(&fault.message, fault.status, Some(b"t"), None);
    bad.finish().unwrap();
    assert!(text(&out).starts_with("SIP/2.0 400 Missing Call-ID\r\nVia: SIP/2.0/UDP 192.0.2.1:5062;rport;"));
}
