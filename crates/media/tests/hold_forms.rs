//! Every way in which a far end holds us, and the one way in which we hold Teams.
#![cfg(test)]

mod common;

use common::{TEAMS_KEY, carrier_leg, parse, phone_offer, teams_leg, teams_offer_with};
use tandem_media::sdp::Direction;

fn teams_offer(direction: &str) -> String {
    teams_offer_with(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}"), direction)
}

#[test]
fn each_direction_is_answered_with_its_complement() {
    let cases = [
        ("sendrecv", "a=sendrecv", true, false),
        ("sendonly", "a=recvonly", false, true),
        ("recvonly", "a=sendonly", true, false),
        ("inactive", "a=inactive", false, true),
    ];
    for (offered, answered, we_send, held) in cases {
        let (text, agreed) = teams_leg().answer(&parse(&teams_offer(offered)), Direction::SendRecv).unwrap();
        assert!(text.contains(answered), "{offered}: {text}");
        assert_eq!((agreed.send, agreed.remote_hold), (we_send, held), "{offered}");
        assert!(agreed.receive, "{offered}: the music of Teams is to be heard");
        assert!(text.contains("c=IN IP4 203.0.113.10"), "never 0.0.0.0");
    }
}

#[test]
fn the_address_zero_is_a_hold_of_the_old_kind() {
    let offer = phone_offer().replace("IP4 198.51.100.7\r\nt", "IP4 0.0.0.0\r\nt");
    let mut leg = carrier_leg();
    let (text, agreed) = leg.answer(&parse(&offer), Direction::SendRecv).unwrap();
    assert!(agreed.remote_hold && !agreed.send, "nothing may be sent to 0.0.0.0");
    assert!(text.contains("a=recvonly") && !text.contains("0.0.0.0"), "{text}");
    let (_, agreed) = leg.answer(&parse(&phone_offer()), Direction::SendRecv).unwrap();
    assert!(agreed.send && !agreed.remote_hold);
}

#[test]
fn while_we_hold_the_other_side_an_offer_of_theirs_does_not_end_it() {
    let (text, agreed) = teams_leg().answer(&parse(&teams_offer("sendrecv")), Direction::Inactive).unwrap();
    assert!(text.contains("a=inactive"), "{text}");
    assert!(!agreed.send && !agreed.receive && !agreed.remote_hold);
}

#[test]
fn a_hold_of_ours_is_inactive_with_port_address_and_key_as_before() {
    let mut leg = teams_leg();
    let (first, _) = leg.answer(&parse(&teams_offer("sendrecv")), Direction::SendRecv).unwrap();
    let hold = leg.offer(Direction::Inactive);
    let differing: Vec<_> = hold.lines().filter(|l| !first.lines().any(|f| f == *l)).collect();
    assert_eq!(differing, ["o=- 3920022 1 IN IP4 203.0.113.10", "a=inactive"]);
    let agreed = leg.accept_answer(&parse(&teams_offer("inactive"))).unwrap();
    assert!(!agreed.send && !agreed.receive && !agreed.remote_hold);
    let _ = leg.offer(Direction::SendRecv);
    let agreed = leg.accept_answer(&parse(&teams_offer("sendrecv"))).unwrap();
    assert!(agreed.send && agreed.receive);
}

#[test]
fn an_answer_that_will_not_listen_is_a_hold() {
    let mut leg = teams_leg();
    let _ = leg.offer(Direction::SendRecv);
    let agreed = leg.accept_answer(&parse(&teams_offer("sendonly"))).unwrap();
    assert!(agreed.remote_hold && !agreed.send && agreed.receive);
}
