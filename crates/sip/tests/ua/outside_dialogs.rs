//! OPTIONS in both directions, and what cannot be sent.

use tandem_sip::header::HeaderName;
use tandem_sip::method::Method;
use tandem_sip::ua::{EndedBy, Event, NoResponse, OutgoingRequest, RequestId};

use crate::harness::{answer, header, sdp};
use crate::solo::{Solo, request, tag_of};

fn ping(solo: &mut Solo) -> RequestId {
    let like = solo.outgoing(None);
    let id = solo.ua.new_request();
    let request = OutgoingRequest {
        identity: like.identity,
        hop: like.hop,
        method: Method::Options,
        request_uri: like.request_uri,
        from: like.from,
        to: like.to,
        contact: Some(like.contact),
        headers: Vec::new(),
        credentials: None,
    };
    solo.ua.request(solo.now, id, request);
    id
}

#[test]
fn our_options_say_who_we_are_and_their_answer_is_told() {
    let mut solo = Solo::tls();
    let id = ping(&mut solo);
    let (options, to) = solo.next_transmit();
    assert_eq!(Solo::hop(&to), "tls proxy.example.com:5061");
    assert_eq!(header(&options, HeaderName::Contact), "<sip:192.0.2.1:5060>");
    assert!(header(&options, HeaderName::Allow).contains("REFER"));
    assert_eq!(header(&options, HeaderName::Supported), "timer, replaces");
    assert_eq!(header(&options, HeaderName::UserAgent), "Tandem/test");
    assert_eq!(header(&options, HeaderName::XMsSbc), "Tandem/Test/1");
    assert_eq!(header(&options, HeaderName::MaxForwards), "70");
    // Teams answers without a To tag.
    solo.respond(&options, 200, "", &["ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY"], None);
    assert!(matches!(solo.next_event(), Event::Response { id: told, .. } if told == id));
    solo.assert_all_gone();
}

#[test]
fn options_without_answer_fail_after_32_seconds_and_at_once_if_they_cannot_be_sent() {
    let mut solo = Solo::tls();
    let id = ping(&mut solo);
    solo.pass_s(32);
    assert!(matches!(
        solo.next_event(),
        Event::RequestFailed { id: told, why: NoResponse::TimedOut } if told == id
    ));
    solo.sent.clear();
    let id = ping(&mut solo);
    solo.drain();
    let token = solo.sent.pop_front().and_then(|transmit| transmit.token).expect("a token");
    solo.ua.handle_send_failed(solo.now, token);
    assert!(matches!(
        solo.next_event(),
        Event::RequestFailed { id: told, why: NoResponse::Unreachable } if told == id
    ));
    // Told once.
    solo.ua.handle_send_failed(solo.now, token);
    solo.assert_quiet();
    solo.assert_all_gone();
}

#[test]
fn their_options_are_told_and_answered_by_the_user() {
    for mut solo in [Solo::udp(), Solo::tls()] {
        let options = request("OPTIONS", 1, "ping", "", &[], "");
        solo.receive(&options);
        let Event::Request { id, .. } = solo.next_event() else { panic!("nothing was told") };
        let identity = solo.identity.clone();
        let contact = std::sync::Arc::from(&b"<sip:sbc1.contoso.com:5061;transport=tls>"[..]);
        solo.ua.respond(solo.now, id, &identity, answer(200), Some(contact));
        let response = solo.next_sent();
        assert_eq!(header(&response, HeaderName::Contact), "<sip:sbc1.contoso.com:5061;transport=tls>");
        assert!(header(&response, HeaderName::Allow).contains("REFER"));
        assert_eq!(header(&response, HeaderName::Server), "Tandem/test");
        assert_eq!(header(&response, HeaderName::XMsSbc), "Tandem/Test/1");
        assert!(!tag_of(&response).is_empty());
        solo.ua.respond(solo.now, id, &identity, answer(200), None);
        solo.assert_quiet();
        solo.assert_all_gone();
    }
}

#[test]
fn options_that_the_user_forgets_are_forgotten() {
    let mut solo = Solo::tls();
    solo.receive(&request("OPTIONS", 1, "ping", "", &[], ""));
    let Event::Request { id, .. } = solo.next_event() else { panic!("nothing was told") };
    solo.pass_s(32);
    let identity = solo.identity.clone();
    solo.ua.respond(solo.now, id, &identity, answer(200), None);
    solo.assert_quiet();
    solo.assert_all_gone();
}

#[test]
fn an_invite_that_cannot_be_sent_ends_its_leg_and_no_other() {
    let mut solo = Solo::tls();
    let invite = solo.outgoing(Some("offer"));
    let (one, two) = (solo.ua.new_leg(), solo.ua.new_leg());
    solo.ua.invite(solo.now, one, invite.clone());
    solo.ua.invite(solo.now, two, invite);
    solo.drain();
    let tokens: Vec<_> = solo.sent.drain(..).filter_map(|transmit| transmit.token).collect();
    solo.ua.handle_send_failed(solo.now, tokens[0]);
    assert!(matches!(
        solo.next_event(),
        Event::Ended { leg, why: EndedBy::NoResponse(NoResponse::Unreachable) } if leg == one
    ));
    solo.assert_quiet();
    assert_eq!(solo.ua.load().legs, 1);
}

#[test]
fn what_cannot_be_sent_in_a_call_ends_it() {
    let mut solo = Solo::tls();
    let (leg, _) = solo.called(&[]);
    solo.ua.reoffer(solo.now, leg, sdp("hold"));
    let fails = |solo: &mut Solo| {
        solo.drain();
        let token = solo.sent.pop_front().and_then(|transmit| transmit.token).expect("a token");
        solo.ua.handle_send_failed(solo.now, token);
    };
    fails(&mut solo);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::PeerLost, .. }));
    // The BYE fails too.
    fails(&mut solo);
    solo.assert_quiet();
    solo.assert_all_gone();

    let mut solo = Solo::tls();
    let (leg, _) = solo.called(&[]);
    solo.ua.hang_up(solo.now, leg, Vec::new());
    fails(&mut solo);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
    solo.assert_all_gone();
}

#[test]
fn what_is_no_header_value_is_not_sent() {
    let mut solo = Solo::tls();
    let mut invite = solo.outgoing(Some("offer"));
    invite.headers.push(("Subject".into(), b"x\r\nRoute: <sip:evil>".as_slice().into()));
    let leg = solo.ua.new_leg();
    solo.ua.invite(solo.now, leg, invite);
    assert!(matches!(
        solo.next_event(),
        Event::Ended { why: EndedBy::NoResponse(NoResponse::Unreachable), .. }
    ));
    solo.assert_quiet();
    assert_eq!(solo.ua.load().legs, 0);
    // A call is ended even so.
    let (leg, _) = solo.called(&[]);
    solo.ua.hang_up(solo.now, leg, vec![("Reason".into(), b"x\r\ny".as_slice().into())]);
    let bye = solo.next_sent();
    assert_eq!((bye.method().as_bytes(), bye.header(HeaderName::Reason)), (&b"BYE"[..], None));
}

#[test]
fn info_is_answered_and_told_and_sent() {
    let mut solo = Solo::tls();
    let (leg, tag) = solo.answered();
    solo.receive(&request("INFO", 2, "info", &tag, &["Content-Type: application/dtmf-relay"], "Signal=5"));
    assert_eq!(solo.names(), ["200 INFO"]);
    let Event::Info { body: Some(body), .. } = solo.next_event() else { panic!("no INFO was told") };
    assert_eq!((&*body.content_type, &*body.bytes), ("application/dtmf-relay", &b"Signal=5"[..]));
    solo.ua.info(solo.now, leg, body);
    let info = solo.next_sent();
    assert_eq!(info.body(), b"Signal=5");
    solo.respond(&info, 200, "", &[], None);
    solo.assert_quiet();
}
