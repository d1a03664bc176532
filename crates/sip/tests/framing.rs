//! A well-framed faulty message costs an answer, never the connection; unrecoverable framing closes it.

use tandem_sip::fault::{Cause, ParseError};
use tandem_sip::framing::{BODY_BYTES_MAX, Event, Framer, FramingError, HEAD_BYTES_MAX};
use tandem_sip::header::HeaderName;

fn request(method: &str, more: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/TCP a.example.com;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\n\
         To: <sip:b@example.com>\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What came, in words.
fn drain(framer: &mut Framer) -> Vec<String> {
    std::iter::from_fn(|| framer.poll())
        .map(|event| match event {
            Event::Message(message) => {
                format!("{} {}", message.method(), String::from_utf8_lossy(message.body()))
            }
            Event::Faulty(ParseError::Fault(fault)) => format!("answer {}", fault.status),
            Event::Faulty(ParseError::Unanswerable(cause)) => format!("drop: {cause}"),
            Event::Ping => "ping".into(),
            Event::Pong => "pong".into(),
            Event::Broken(error) => format!("broken: {error:?}"),
        })
        .collect()
}

fn frames(stream: &[u8]) -> Vec<String> {
    let mut framer = Framer::default();
    framer.push(stream);
    drain(&mut framer)
}

#[test]
fn messages_are_cut_wherever_the_stream_is() {
    let stream = [
        request("INVITE", "", "v=0"),
        b"\r\n".to_vec(),
        request("BYE", "", ""),
        request("ACK", "", "x\r\n\r\ny"),
    ]
    .concat();
    let expected = ["INVITE v=0", "pong", "BYE ", "ACK x\r\n\r\ny"];
    assert_eq!(frames(&stream), expected);
    for chunk in [1, 2, 3, 7, 100] {
        let mut framer = Framer::default();
        let mut all = Vec::new();
        for bytes in stream.chunks(chunk) {
            framer.push(bytes);
            all.extend(drain(&mut framer));
        }
        assert_eq!(all, expected, "in pieces of {chunk}");
    }
}

#[test]
fn a_double_line_end_is_a_ping_and_a_single_one_a_pong() {
    assert_eq!(frames(b"\r\n\r\n"), ["ping"]);
    assert_eq!(frames(b"\r\n"), ["pong"]);
    assert_eq!(frames(b"\r\n\r\n\r\n\r\n"), ["ping", "ping"]);
    let mut framer = Framer::default();
    framer.push(b"\r\n");
    assert_eq!(drain(&mut framer), ["pong"]);
    framer.push(b"\r");
    assert!(drain(&mut framer).is_empty());
    framer.push(b"\n");
    assert_eq!(drain(&mut framer), ["ping"], "the other half of the ping");
}

#[test]
fn a_faulty_message_leaves_the_stream_whole() {
    let good = request("OPTIONS", "", "");
    for (faulty, outcome) in [
        (request("INVITE", "Max-Forwards: many\r\n", "v=0"), "answer 400"),
        (request("INVITE", "CSeq: 2 INVITE\r\n", "v=0"), "answer 400"),
        (request("INVITE", "no colon here\r\n", "v=0"), "answer 400"),
        (request("INVITE", "l: 3\r\n", "v=0"), "answer 400"),
        (request("ACK", "To: again\r\n", ""), "drop: Repeated To"),
        (request("JUNK=", "", ""), "drop: Not a SIP Message"),
        (b"SIP/2.0 999 What\r\nContent-Length: 2\r\n\r\nab".to_vec(), "drop: Malformed Status-Line"),
        (b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_vec(), "drop: Not a SIP Message"),
    ] {
        assert_eq!(frames(&[faulty, good.clone()].concat()), [outcome, "OPTIONS "]);
    }
}

#[test]
fn an_unknown_method_and_a_latin1_name_are_ordinary() {
    let mut strange = request("PUZZLE", "Subject: caf\u{e9}\r\n", "");
    let at = strange.iter().position(|b| *b == 0xc3).unwrap();
    strange.splice(at..at + 2, [0xe9]);
    assert_eq!(frames(&strange), ["PUZZLE "]);
}

#[test]
fn unrecoverable_framing_breaks_the_stream() {
    let good = request("OPTIONS", "", "");
    let without = String::from_utf8(good.clone()).unwrap().replace("Content-Length: 0\r\n", "");
    let with = |value: &str| {
        String::from_utf8(good.clone()).unwrap().replace("Length: 0", &format!("Length: {value}"))
    };
    for (text, error) in [
        (without, "broken: NoContentLength"),
        (with("-1"), "broken: BadContentLength"),
        (with(""), "broken: BadContentLength"),
        (with("18446744073709551615"), "broken: BadContentLength"),
        (with("18446744073709551616"), "broken: BadContentLength"),
        (with("0\r\nl: 1"), "broken: BadContentLength"),
    ] {
        assert_eq!(frames(&[text.into_bytes(), good.clone()].concat()), [error]);
    }
    let mut framer = Framer::default();
    for _ in 0..HEAD_BYTES_MAX / 8 {
        framer.push(b"X-y: 12\r\n");
    }
    assert!(matches!(framer.poll(), Some(Event::Broken(FramingError::HeadTooLong))));
    framer.push(&good);
    assert!(framer.poll().is_none(), "nothing after the end");
}

#[test]
fn a_folded_content_length_is_read() {
    let text = String::from_utf8(request("OPTIONS", "", ""))
        .unwrap()
        .replace("Content-Length: 0", "Content-Length:\r\n 2\r\n ");
    assert_eq!(frames(&[text.as_bytes(), b"hi"].concat()), ["OPTIONS hi"]);
}

#[test]
fn a_body_above_the_limit_is_passed_over_and_answered_413() {
    let large = "x".repeat(BODY_BYTES_MAX + 1);
    let stream = [request("INVITE", "", &large), request("OPTIONS", "", "")].concat();
    assert_eq!(frames(&stream), ["answer 413", "OPTIONS "]);
    let mut framer = Framer::default();
    let mut all = Vec::new();
    for bytes in stream.chunks(1000) {
        framer.push(bytes);
        all.extend(drain(&mut framer));
    }
    assert_eq!(all, ["answer 413", "OPTIONS "]);
}

#[test]
fn a_fault_names_its_cause_and_keeps_the_request() {
    let mut framer = Framer::default();
    framer.push(&request("INVITE", "Call-ID: 2\r\n", ""));
    match framer.poll() {
        Some(Event::Faulty(ParseError::Fault(fault))) => {
            assert_eq!(fault.cause, Cause::Repeated(HeaderName::CallId));
            assert_eq!(fault.message.header(HeaderName::From), Some(&b"<sip:a@example.com>;tag=1"[..]));
        }
        other => panic!("{other:?}"),
    }
}
