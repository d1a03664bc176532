//! Session timers (RFC 4028).

use tandem_sip::flow::Transport;
use tandem_sip::header::HeaderName;
use tandem_sip::ua::Event;

use crate::harness::{Pair, answer_with, header, identity, with_timer};

fn timed_pair() -> Pair {
    let a = with_timer(identity("192.0.2.1"), 1800, 90);
    let b = with_timer(identity("192.0.2.2"), 1800, 90);
    Pair::new(Transport::Tls, a, b)
}

#[test]
fn the_caller_asks_for_a_timer_and_refreshes_at_half_time() {
    let mut pair = timed_pair();
    pair.invite(Some("offer"));
    pair.drive();
    let Some(Event::Invite { request, .. }) = pair.b.events.front() else { panic!("no INVITE") };
    assert_eq!(header(request, HeaderName::SessionExpires), "1800");
    assert_eq!(header(request, HeaderName::MinSe), "90");
    let b = pair.take_invite();
    pair.b.ua.accept(pair.now, b, answer_with(200, "answer"));
    pair.drive();
    let Some(Event::Accepted { response, .. }) = pair.a.events.pop_front() else { panic!("no answer") };
    assert_eq!(header(&response, HeaderName::SessionExpires), "1800;refresher=uac");
    assert_eq!(header(&response, HeaderName::Require), "timer");
    pair.log.clear();
    pair.pass_s(899);
    assert_eq!(pair.log, [""; 0]);
    pair.pass_s(2);
    // B can do UPDATE: nothing needs to be said about media.
    assert_eq!(pair.log, ["A UPDATE", "B 200 UPDATE"]);
}
