//! Prints what reading and writing one INVITE of Teams costs: `cargo bench -p tandem-sip`. No test: it judges nothing.

#![expect(clippy::print_stdout, reason = "the figures are for people")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::expect_used, reason = "a bench that cannot go on must stop")]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use tandem_sip::build::Writer;
use tandem_sip::framing::{Event, Framer};
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::status::StatusCode;
use tandem_sip::uri::Uri;

const INVITE: &[u8] = include_bytes!("../tests/torture/teams/invite.sip");
const TORTUOUS: &[u8] = include_bytes!("../tests/torture/rfc4475/wsinv.sip");

/// Repetitions of one round; the best of several rounds is printed.
const REPETITIONS: u32 = 100_000;
const ROUNDS: u32 = 5;

fn main() {
    let datagram = Bytes::from_static(INVITE);
    measure("parse an INVITE at entry", || Message::parse_datagram(black_box(&datagram).clone()).is_ok());
    let tortuous = Bytes::from_static(TORTUOUS);
    measure("parse a folded INVITE", || Message::parse_datagram(black_box(&tortuous).clone()).is_ok());

    let invite = Message::parse_datagram(datagram).expect("the fixture is good");
    measure("read all that a call needs", || {
        let contact = invite.contact().ok().flatten().and_then(|contact| contact.parse_uri().ok());
        let uri = invite.request_uri().and_then(|uri| Uri::parse(uri).ok());
        contact.is_some()
            && uri.is_some()
            && invite.from().tag().is_some()
            && invite.via().branch().is_some()
            && invite.session_expires().is_ok()
            && invite.supports("timer")
            && invite.list(HeaderName::RecordRoute).count() == 1
    });

    let mut framer = Framer::default();
    measure("cut an INVITE out of a stream", || {
        framer.push(black_box(INVITE));
        matches!(framer.poll(), Some(Event::Message(_)))
    });

    let mut out = Vec::new();
    measure("write a 200 with SDP", || {
        out.clear();
        let mut ok = Writer::response(&mut out, StatusCode::OK, b"");
        ok.reply_to(&invite, StatusCode::OK, Some(b"sbc-out-91a0"), None)
            .header(HeaderName::Contact, b"<sip:+14255550142@sbc1.contoso.com:5061;transport=tls>")
            .header(HeaderName::Allow, b"INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER")
            .header(HeaderName::Supported, b"timer, replaces")
            .header(HeaderName::Server, b"Tandem/1.0");
        ok.finish_with_body(b"application/sdp", invite.body()).is_ok()
    });
}

fn measure(what: &str, mut act: impl FnMut() -> bool) {
    let best = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            for _ in 0..REPETITIONS {
                assert!(act(), "{what}");
            }
            begin.elapsed().as_nanos() / u128::from(REPETITIONS)
        })
        .min();
    println!("{what:<32} {:>6} ns", best.unwrap_or_default());
}
