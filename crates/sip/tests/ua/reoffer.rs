//! New media in a call that goes on: re-INVITE and UPDATE.

use tandem_sip::ua::Event;

use crate::harness::{Pair, answer_with, sdp, text};

#[test]
fn either_side_may_offer_new_media() {
    for mut pair in [Pair::udp(), Pair::tls()] {
        let (a, b) = pair.connected();
        pair.a.ua.reoffer(pair.now, a, sdp("hold"));
        pair.drive();
        assert!(matches!(
            pair.b.events.pop_front(),
            Some(Event::Reoffer { leg, offer, .. }) if leg == b && text(&offer) == Some("hold")
        ));
        pair.b.ua.reanswer(pair.now, b, answer_with(200, "held"));
        pair.drive();
        assert!(matches!(
            pair.a.events.pop_front(),
            Some(Event::Reanswered { leg, answer }) if leg == a && text(&answer) == Some("held")
        ));
        assert!(
            matches!(pair.b.events.pop_front(), Some(Event::Acknowledged { leg, answer: None }) if leg == b)
        );
        pair.b.ua.reoffer(pair.now, b, sdp("resume"));
        pair.drive();
        assert!(matches!(pair.a.events.pop_front(), Some(Event::Reoffer { leg, .. }) if leg == a));
        pair.a.ua.reanswer(pair.now, a, answer_with(200, "resumed"));
        pair.drive();
        assert!(matches!(pair.b.events.pop_front(), Some(Event::Reanswered { leg, .. }) if leg == b));
        let once = ["A INVITE", "B 100 INVITE", "B 200 INVITE", "A ACK"];
        let back = ["B INVITE", "A 100 INVITE", "A 200 INVITE", "B ACK"];
        assert_eq!(pair.log, [once, back].concat());
    }
}
