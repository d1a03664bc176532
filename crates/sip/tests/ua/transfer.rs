//! Transfers that the peer asks for (RFC 3515).

use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::ua::{EndedBy, Event, LegId, ReferId};

use crate::harness::header;
use crate::solo::{Solo, request};

const REFER_TO: &str =
    "REFER-TO: <sip:sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:dfcba638-4ecd>";
const REFERRED_BY: &str =
    "REFERRED-BY: <sip:sip.pstnhub.microsoft.com:5061;x-m=8:orgid:fa27;x-tt=aHR0cHM6Ly9h%3D>";

fn referred(headers: &[&str]) -> (Solo, LegId, ReferId, String) {
    let mut solo = Solo::tls();
    let (leg, tag) = solo.answered();
    let headers = [&[REFER_TO, REFERRED_BY], headers].concat();
    solo.receive(&request("REFER", 2, "refer", &tag, &headers, ""));
    let Event::Refer { leg: asked, refer, request } = solo.next_event() else {
        panic!("no transfer was told")
    };
    assert_eq!(asked, leg);
    assert_eq!(header(&request, HeaderName::ReferTo), &REFER_TO["REFER-TO: ".len()..]);
    assert_eq!(header(&request, HeaderName::ReferredBy), &REFERRED_BY["REFERRED-BY: ".len()..]);
    (solo, leg, refer, tag)
}

fn notify(solo: &mut Solo) -> Message {
    let notify = solo.next_sent();
    assert_eq!(notify.method().as_bytes(), b"NOTIFY");
    assert_eq!(header(&notify, HeaderName::ContentType), "message/sipfrag;version=2.0");
    assert!(!header(&notify, HeaderName::Contact).is_empty());
    notify
}

fn state(notify: &Message) -> String {
    header(notify, HeaderName::SubscriptionState)
}

#[test]
fn a_transfer_is_reported_from_100_to_its_end() {
    let (mut solo, leg, refer, _) = referred(&[]);
    solo.ua.accept_refer(solo.now, leg, refer);
    let accepted = solo.next_sent();
    assert_eq!(accepted.status().map(|status| status.code()), Some(202));
    assert!(!header(&accepted, HeaderName::Contact).is_empty());
    let first = notify(&mut solo);
    assert_eq!(first.body(), b"SIP/2.0 100 Trying");
    assert_eq!(header(&first, HeaderName::Event), "refer");
    assert_eq!(state(&first), "active;expires=180");
    // The next one goes when this one is answered: none overtakes another.
    solo.ua.notify_refer(solo.now, leg, refer, 180, "", false);
    solo.ua.notify_refer(solo.now, leg, refer, 200, "OK", true);
    solo.assert_quiet();
    solo.respond(&first, 200, "", &[], None);
    let second = notify(&mut solo);
    assert_eq!(second.body(), b"SIP/2.0 180 Ringing");
    solo.respond(&second, 200, "", &[], None);
    let last = notify(&mut solo);
    assert_eq!(last.body(), b"SIP/2.0 200 OK");
    assert_eq!(state(&last), "terminated;reason=noresource");
    assert_eq!(last.cseq().number, first.cseq().number + 2);
    solo.respond(&last, 200, "", &[], None);
    // It is over: nothing more is reported.
    solo.ua.notify_refer(solo.now, leg, refer, 200, "OK", true);
    solo.pass_s(300);
    solo.assert_quiet();
}

#[test]
fn a_transfer_that_fails_leaves_the_dialog() {
    let (mut solo, leg, refer, tag) = referred(&[]);
    solo.ua.accept_refer(solo.now, leg, refer);
    solo.names();
    solo.ua.notify_refer(solo.now, leg, refer, 486, "Busy Here", true);
    solo.receive(&request("OPTIONS", 3, "options", &tag, &[], ""));
    assert_eq!(solo.names(), ["200 OPTIONS"]);
    assert!(solo.events.is_empty());
}

#[test]
fn a_second_transfer_in_the_dialog_has_an_id() {
    let (mut solo, leg, first, tag) = referred(&[]);
    solo.ua.refuse_refer(solo.now, leg, first, 603);
    assert_eq!(solo.names(), ["603 REFER"]);
    solo.receive(&request("REFER", 7, "refer-2", &tag, &[REFER_TO], ""));
    let Event::Refer { refer, .. } = solo.next_event() else { panic!("no transfer was told") };
    solo.ua.accept_refer(solo.now, leg, refer);
    solo.next_sent();
    assert_eq!(header(&notify(&mut solo), HeaderName::Event), "refer;id=7");
}

#[test]
fn who_wants_no_report_gets_none() {
    let (mut solo, leg, refer, _) = referred(&["Refer-Sub: false"]);
    solo.ua.accept_refer(solo.now, leg, refer);
    let accepted = solo.next_sent();
    assert_eq!(header(&accepted, HeaderName::ReferSub), "false");
    solo.ua.notify_refer(solo.now, leg, refer, 200, "OK", true);
    solo.assert_quiet();
}

#[test]
fn a_subscription_does_not_last_for_ever() {
    let (mut solo, leg, refer, _) = referred(&[]);
    solo.ua.accept_refer(solo.now, leg, refer);
    solo.next_sent();
    let first = notify(&mut solo);
    solo.respond(&first, 200, "", &[], None);
    solo.ua.notify_refer(solo.now, leg, refer, 183, "", false);
    let second = notify(&mut solo);
    solo.respond(&second, 200, "", &[], None);
    solo.pass_s(180);
    let last = notify(&mut solo);
    assert_eq!(
        (last.body(), state(&last).as_str()),
        (&b"SIP/2.0 183 Session Progress"[..], "terminated;reason=timeout")
    );
}

#[test]
fn a_transfer_that_the_user_forgets_is_refused_in_the_end() {
    let (mut solo, leg, refer, _) = referred(&[]);
    solo.pass_s(180);
    assert_eq!(solo.names(), ["500 REFER"]);
    solo.ua.accept_refer(solo.now, leg, refer);
    solo.assert_quiet();
}

#[test]
fn a_peer_that_forgot_the_subscription_is_told_nothing_more() {
    let (mut solo, leg, refer, _) = referred(&[]);
    solo.ua.accept_refer(solo.now, leg, refer);
    solo.next_sent();
    let first = notify(&mut solo);
    solo.ua.notify_refer(solo.now, leg, refer, 180, "", false);
    solo.respond(&first, 481, "", &[], None);
    solo.ua.notify_refer(solo.now, leg, refer, 200, "OK", true);
    solo.assert_quiet();
    // The call itself goes on.
    solo.ua.hang_up(solo.now, leg, Vec::new());
    assert_eq!(solo.names(), ["BYE"]);
}

#[test]
fn a_refer_needs_one_target() {
    let mut solo = Solo::tls();
    let (_, tag) = solo.answered();
    solo.receive(&request("REFER", 2, "none", &tag, &[], ""));
    solo.receive(&request("REFER", 3, "two", &tag, &[REFER_TO, REFER_TO], ""));
    assert_eq!(solo.names(), ["400 REFER", "400 REFER"]);
}

#[test]
fn open_transfers_have_a_bound_and_end_with_the_call() {
    let mut solo = Solo::tls();
    let (_, tag) = solo.answered();
    for cseq in 2..8 {
        solo.receive(&request("REFER", cseq, &format!("refer-{cseq}"), &tag, &[REFER_TO], ""));
    }
    assert_eq!(solo.names(), ["503 REFER", "503 REFER"]);
    assert_eq!(solo.events.len(), 4);
    solo.events.clear();
    solo.receive(&request("BYE", 9, "bye", &tag, &[], ""));
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::Bye { .. }, .. }));
    assert_eq!(solo.names()[0], "200 BYE");
    solo.assert_all_gone();
}

#[test]
fn a_notify_without_subscription_is_481() {
    let mut solo = Solo::tls();
    let (_, tag) = solo.answered();
    solo.receive(&request("NOTIFY", 2, "notify", &tag, &["Event: refer", "Subscription-State: active"], ""));
    assert_eq!(solo.names(), ["481 NOTIFY"]);
}
