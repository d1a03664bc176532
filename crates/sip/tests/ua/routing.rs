//! Where the requests of a dialog go and what they are addressed to (RFC 3261 section 12.2).

use tandem_sip::flow::ConnectionId;
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::ua::{EndedBy, Event};

use crate::harness::{answer_with, header};
use crate::solo::{OFFER, Solo, request, tag_of};

/// As Microsoft's proxy writes it: port 443 is no SIP port, the parameters are opaque.
const TEAMS_CONTACT: &str = "CONTACT: <sip:api-du-a-usea.pstnhub.microsoft.com:443;\
    x-i=b712d12c-77e8-4017-b50d-6d321507aa28;x-c=64ce308b/d/8/4b30E7%3D>";
const TEAMS_ROUTE: &str = "RECORD-ROUTE: <sip:sip-du-a-us.pstnhub.microsoft.com:5061;transport=tls;lr>";
const TEAMS_TARGET: &[u8] = b"sip:api-du-a-usea.pstnhub.microsoft.com:443;\
    x-i=b712d12c-77e8-4017-b50d-6d321507aa28;x-c=64ce308b/d/8/4b30E7%3D";

fn routes(message: &Message) -> Vec<String> {
    message.list(HeaderName::Route).map(|route| String::from_utf8_lossy(route).into_owned()).collect()
}

#[test]
fn teams_is_reached_by_its_record_route_and_gets_its_contact_back_byte_for_byte() {
    let mut solo = Solo::tls();
    let (leg, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 200, "teams", &[TEAMS_CONTACT, TEAMS_ROUTE], Some("answer"));
    let (ack, to) = solo.next_transmit();
    assert_eq!(Solo::hop(&to), "tls sip-du-a-us.pstnhub.microsoft.com:5061");
    assert_eq!(ack.request_uri(), Some(TEAMS_TARGET));
    solo.ua.hang_up(solo.now, leg, Vec::new());
    let (bye, to) = solo.next_transmit();
    assert_eq!(Solo::hop(&to), "tls sip-du-a-us.pstnhub.microsoft.com:5061");
    assert_eq!(bye.request_uri(), Some(TEAMS_TARGET));
    assert_eq!(routes(&bye), ["<sip:sip-du-a-us.pstnhub.microsoft.com:5061;transport=tls;lr>"]);
}

#[test]
fn requests_never_go_out_on_the_connection_of_the_peer() {
    let mut solo = Solo::tls();
    let invite = request("INVITE", 1, "first", "", &[OFFER, TEAMS_CONTACT, TEAMS_ROUTE], "offer");
    let (leg, _) = solo.invited(&invite);
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let (success, back) = solo.next_transmit();
    // The response goes back on the very connection.
    let tandem_sip::flow::Destination::Flow(flow) = back else { panic!("a response without its flow") };
    assert_eq!(flow.connection, Some(ConnectionId(1)));
    solo.receive(&request("ACK", 1, "ack", &tag_of(&success), &[], ""));
    solo.ua.hang_up(solo.now, leg, Vec::new());
    let (bye, to) = solo.next_transmit();
    assert_eq!(Solo::hop(&to), "tls sip-du-a-us.pstnhub.microsoft.com:5061");
    assert_eq!(bye.request_uri(), Some(TEAMS_TARGET));
    assert_eq!(bye.header(HeaderName::From), success.header(HeaderName::To));
    assert_eq!(header(&bye, HeaderName::To), "\"Peer\" <sip:peer@example.org>;tag=peer");
}

#[test]
fn each_request_of_the_peer_may_come_on_a_connection_of_its_own_from_another_address() {
    let mut solo = Solo::tls();
    let (_, tag) = solo.answered();
    solo.flow.connection = Some(ConnectionId(99));
    solo.flow.remote = "203.0.113.77:50123".parse().expect("an address");
    solo.receive(&request("BYE", 2, "bye", &tag, &[], ""));
    let (success, back) = solo.next_transmit();
    assert_eq!(success.status().map(|status| status.code()), Some(200));
    let tandem_sip::flow::Destination::Flow(flow) = back else { panic!("a response without its flow") };
    assert_eq!(flow.connection, Some(ConnectionId(99)));
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::Bye { .. }, .. }));
}

#[test]
fn the_route_set_of_the_caller_is_reversed_and_that_of_the_callee_is_not() {
    let both = "Record-Route: <sip:p2.example.com;lr>, <sip:p1.example.com:5070;lr>";
    let mut solo = Solo::udp();
    let (leg, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 200, "peer", &["Contact: <sip:peer@198.51.100.9>", both], Some("answer"));
    let (ack, to) = solo.next_transmit();
    assert_eq!(routes(&ack), ["<sip:p1.example.com:5070;lr>", "<sip:p2.example.com;lr>"]);
    assert_eq!(Solo::hop(&to), "udp p1.example.com:5070");
    solo.ua.hang_up(solo.now, leg, Vec::new());
    assert_eq!(routes(&solo.next_sent()), ["<sip:p1.example.com:5070;lr>", "<sip:p2.example.com;lr>"]);

    let mut solo = Solo::udp();
    let (leg, _) = solo.invited(&request("INVITE", 1, "first", "", &[OFFER, both], "offer"));
    solo.ua.accept(solo.now, leg, answer_with(200, "answer"));
    let success = solo.next_sent();
    assert_eq!(header(&success, HeaderName::RecordRoute), &both["Record-Route: ".len()..]);
    solo.receive(&request("ACK", 1, "ack", &tag_of(&success), &[], ""));
    solo.ua.hang_up(solo.now, leg, Vec::new());
    let (bye, to) = solo.next_transmit();
    assert_eq!(routes(&bye), ["<sip:p2.example.com;lr>", "<sip:p1.example.com:5070;lr>"]);
    assert_eq!(Solo::hop(&to), "udp p2.example.com");
}

#[test]
fn a_strict_router_gets_the_request_addressed_to_itself() {
    let mut solo = Solo::udp();
    let routes_set = "Record-Route: <sip:last.example.com;lr>, <sip:strict.example.com>";
    let (_, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 200, "peer", &["Contact: <sip:peer@198.51.100.9;x=Y>", routes_set], Some("answer"));
    let (ack, to) = solo.next_transmit();
    assert_eq!(ack.request_uri(), Some(&b"sip:strict.example.com"[..]));
    assert_eq!(routes(&ack), ["<sip:last.example.com;lr>", "<sip:peer@198.51.100.9;x=Y>"]);
    assert_eq!(Solo::hop(&to), "udp strict.example.com");
}

#[test]
fn transport_of_the_uri_wins_over_that_of_the_leg() {
    for (contact, hop) in [
        ("<sip:peer@host.example.com;transport=TCP>", "tcp host.example.com"),
        ("<sips:peer@host.example.com:5071>", "tls host.example.com:5071"),
        ("<sip:peer@[2001:db8::9]:5062>", "udp 2001:db8::9:5062"),
        ("<sip:peer@host.example.com>;transport=tls", "udp host.example.com"),
    ] {
        let mut solo = Solo::udp();
        let (_, invite) = solo.invite(Some("offer"));
        solo.respond(&invite, 200, "peer", &[&format!("Contact: {contact}")], Some("answer"));
        assert_eq!(Solo::hop(&solo.next_transmit().1), hop);
    }
}

#[test]
fn the_remote_target_follows_the_latest_contact() {
    let mut solo = Solo::tls();
    let (leg, tag) = solo.answered();
    let moved = "Contact: <sip:moved@198.51.100.20;x=1>";
    solo.receive(&request("INVITE", 2, "second", &tag, &[OFFER, moved], "offer 2"));
    solo.ua.reanswer(solo.now, leg, answer_with(200, "answer 2"));
    assert_eq!(solo.names(), ["100 INVITE", "200 INVITE"]);
    solo.receive(&request("ACK", 2, "ack-2", &tag, &[], ""));
    solo.ua.hang_up(solo.now, leg, Vec::new());
    let (bye, to) = solo.next_transmit();
    assert_eq!(bye.request_uri(), Some(&b"sip:moved@198.51.100.20;x=1"[..]));
    assert_eq!(Solo::hop(&to), "tls 198.51.100.20");
}

#[test]
fn cseq_of_the_peer_may_skip_but_not_go_back() {
    let mut solo = Solo::tls();
    let (_, tag) = solo.answered();
    solo.receive(&request("OPTIONS", 4711, "skip", &tag, &[], ""));
    assert_eq!(solo.names(), ["200 OPTIONS"]);
    solo.receive(&request("OPTIONS", 4710, "back", &tag, &[], ""));
    assert_eq!(solo.names(), ["500 OPTIONS"]);
    solo.receive(&request("BYE", 4712, "bye", &tag, &[], ""));
    assert_eq!(solo.names(), ["200 BYE"]);
}

#[test]
fn a_dialog_is_its_call_id_and_both_tags() {
    let mut solo = Solo::tls();
    let (_, tag) = solo.answered();
    let bye = request("BYE", 2, "bye", &tag, &[], "");
    for stranger in [
        bye.replace("call-1", "call-2").replace("bye", "bye-1"),
        bye.replace("tag=peer", "tag=foe").replace("bye", "bye-2"),
        bye.replace(&tag, "0123456789abcdef").replace("bye", "bye-3"),
        bye.replace(&tag, "not-ours").replace("bye", "bye-4"),
    ] {
        solo.receive(&stranger.replace("bye-", "z-"));
        assert_eq!(solo.names(), ["481 BYE"]);
    }
    assert!(solo.events.is_empty());
    solo.receive(&bye);
    assert_eq!(solo.names(), ["200 BYE"]);
}

#[test]
fn the_cseq_of_our_requests_goes_up_by_one() {
    let mut solo = Solo::tls();
    let (leg, invite) = solo.called(&[]);
    solo.ua.info(solo.now, leg, crate::harness::sdp("x"));
    let info = solo.next_sent();
    solo.ua.hang_up(solo.now, leg, Vec::new());
    let bye = solo.next_sent();
    let numbers = [&invite, &info, &bye].map(|message| message.cseq().number);
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn a_response_that_went_astray_is_dropped() {
    let mut solo = Solo::udp();
    let (_, invite) = solo.invite(Some("offer"));
    solo.respond(&invite, 180, "peer", &["Via: SIP/2.0/UDP elsewhere.example.com;branch=z9hG4bK1"], None);
    solo.assert_quiet();
    // So is one to a request that nobody sent.
    solo.receive(
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK0123456789abcdef\nFrom: <sip:a@b>;tag=1\n\
         To: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: 1 INVITE\nContent-Length: 0\n\n",
    );
    solo.assert_quiet();
}
