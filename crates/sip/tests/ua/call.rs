//! A call from INVITE to BYE.

use tandem_sip::ua::{EndedBy, Event};

use crate::harness::{Pair, answer, answer_with, text};

#[test]
fn a_call_rings_is_answered_and_ends() {
    for mut pair in [Pair::udp(), Pair::tls()] {
        let a = pair.invite(Some("offer"));
        pair.drive();
        assert!(matches!(&pair.b.events[0], Event::Invite { offer, .. } if text(offer) == Some("offer")));
        let b = pair.take_invite();
        pair.b.ua.progress(pair.now, b, answer(180));
        pair.drive();
        assert!(matches!(
            pair.a.events.pop_front(),
            Some(Event::Progress { leg, status: 180, fork: 0, body: None, .. }) if leg == a
        ));
        pair.b.ua.accept(pair.now, b, answer_with(200, "answer"));
        pair.drive();
        assert!(matches!(
            pair.a.events.pop_front(),
            Some(Event::Accepted { leg, fork: 0, answer, .. }) if leg == a && text(&answer) == Some("answer")
        ));
        assert!(matches!(
            pair.b.events.pop_front(),
            Some(Event::Acknowledged { leg, answer: None }) if leg == b
        ));
        pair.a.ua.hang_up(pair.now, a, Vec::new());
        pair.drive();
        assert!(matches!(
            pair.b.events.pop_front(),
            Some(Event::Ended { leg, why: EndedBy::Bye { .. } }) if leg == b
        ));
        assert!(matches!(
            pair.a.events.pop_front(),
            Some(Event::Ended { leg, why: EndedBy::OurSide }) if leg == a
        ));
        assert_eq!(
            pair.log,
            ["A INVITE", "B 100 INVITE", "B 180 INVITE", "B 200 INVITE", "A ACK", "A BYE", "B 200 BYE"]
        );
        pair.assert_all_gone();
    }
}
