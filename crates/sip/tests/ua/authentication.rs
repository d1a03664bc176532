//! Carriers that ask for a password (RFC 8760).

use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::ua::{EndedBy, Event, LegId, OutgoingInvite, OutgoingRequest};

use crate::harness::{header, sdp};
use crate::solo::{Solo, credentials};

const CHALLENGE: &str =
    "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256";
const PROXY_CHALLENGE: &str = "Proxy-Authenticate: Digest realm=\"proxy\", nonce=\"p1\", qop=\"auth\"";
const CONTACT: &str = "Contact: <sip:peer@198.51.100.9>";

fn invite(solo: &mut Solo) -> (LegId, Message) {
    let invite = OutgoingInvite { credentials: Some(credentials()), ..solo.outgoing(Some("offer")) };
    solo.invite_with(invite)
}

fn branch(message: &Message) -> Vec<u8> {
    message.via().branch().unwrap_or_default().to_vec()
}

#[test]
fn an_invite_is_sent_again_with_proof() {
    for (status, challenge, proof) in
        [(401, CHALLENGE, HeaderName::Authorization), (407, PROXY_CHALLENGE, HeaderName::ProxyAuthorization)]
    {
        let mut solo = Solo::udp();
        let (_, first) = invite(&mut solo);
        assert_eq!(header(&first, proof), "");
        solo.respond(&first, status, "proxy", &[challenge], None);
        assert_eq!(solo.next_sent().method().as_bytes(), b"ACK");
        let again = solo.next_sent();
        assert!(header(&again, proof).starts_with("Digest username=\"ada\""), "{}", header(&again, proof));
        assert_eq!((again.call_id(), again.from().tag()), (first.call_id(), first.from().tag()));
        assert_eq!((again.to().tag(), again.cseq().number), (None, 2));
        assert_ne!(branch(&again), branch(&first));
        assert_eq!((again.body(), first.body()), (&b"offer"[..], &b"offer"[..]));
        assert!(solo.events.is_empty());
        solo.respond(&again, 200, "peer", &[CONTACT], Some("answer"));
        assert!(matches!(solo.next_event(), Event::Accepted { .. }));
        assert_eq!(solo.next_sent().cseq().number, 2);
    }
}

#[test]
fn a_wrong_password_is_tried_once_and_a_stale_nonce_again() {
    let mut solo = Solo::tls();
    let (_, first) = invite(&mut solo);
    solo.respond(&first, 401, "proxy", &[CHALLENGE], None);
    solo.next_sent();
    let second = solo.next_sent();
    solo.respond(&second, 401, "proxy", &[&CHALLENGE.replace("n1\"", "n2\", stale=true")], None);
    solo.next_sent();
    let third = solo.next_sent();
    assert!(header(&third, HeaderName::Authorization).contains("nonce=\"n2\""));
    solo.respond(&third, 401, "proxy", &[&CHALLENGE.replace("n1", "n3")], None);
    assert_eq!(solo.names(), ["ACK"]);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::Refused { status: 401, .. }, .. }));
    solo.assert_all_gone();
}

#[test]
fn without_credentials_a_challenge_is_a_refusal() {
    let mut solo = Solo::tls();
    let (_, first) = solo.invite(Some("offer"));
    solo.respond(&first, 407, "proxy", &[PROXY_CHALLENGE], None);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::Refused { status: 407, .. }, .. }));
    solo.assert_all_gone();
}

#[test]
fn requests_of_the_dialog_carry_the_proof_and_answer_new_challenges() {
    let mut solo = Solo::tls();
    let (leg, first) = invite(&mut solo);
    solo.respond(&first, 401, "proxy", &[CHALLENGE], None);
    solo.next_sent();
    let again = solo.next_sent();
    solo.respond(&again, 200, "peer", &[CONTACT], Some("answer"));
    solo.next_sent();
    solo.next_event();
    solo.ua.reoffer(solo.now, leg, sdp("hold"));
    let hold = solo.next_sent();
    assert!(header(&hold, HeaderName::Authorization).contains("nc=00000002"));
    // The nonce has aged.
    let fresh = CHALLENGE.replace("n1", "n2");
    solo.respond(&hold, 401, "", &[&fresh], None);
    assert_eq!(solo.next_sent().method().as_bytes(), b"ACK");
    let hold_again = solo.next_sent();
    assert!(header(&hold_again, HeaderName::Authorization).contains("nonce=\"n2\""));
    assert_eq!(hold_again.cseq().number, hold.cseq().number + 1);
    assert_eq!(hold_again.body(), b"hold");
    solo.respond(&hold_again, 200, "", &[], Some("held"));
    assert!(matches!(solo.next_event(), Event::Reanswered { .. }));
    solo.names();
    solo.ua.hang_up(solo.now, leg, vec![("Reason".into(), b"Q.850;cause=16".as_slice().into())]);
    let bye = solo.next_sent();
    solo.respond(&bye, 407, "", &[PROXY_CHALLENGE], None);
    let bye_again = solo.next_sent();
    assert_eq!(bye_again.method().as_bytes(), b"BYE");
    assert!(header(&bye_again, HeaderName::ProxyAuthorization).contains("realm=\"proxy\""));
    assert_eq!(header(&bye_again, HeaderName::Reason), "Q.850;cause=16");
    assert!(solo.events.is_empty());
    solo.respond(&bye_again, 200, "", &[], None);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
    solo.assert_all_gone();
}

#[test]
fn a_call_that_is_hung_up_does_not_prove_itself() {
    let mut solo = Solo::tls();
    let (leg, first) = invite(&mut solo);
    solo.respond(&first, 100, "", &[], None);
    solo.ua.hang_up(solo.now, leg, Vec::new());
    solo.names();
    solo.respond(&first, 407, "proxy", &[PROXY_CHALLENGE], None);
    assert_eq!(solo.names(), ["ACK"]);
    assert!(matches!(solo.next_event(), Event::Ended { why: EndedBy::OurSide, .. }));
}

#[test]
fn options_prove_themselves_too() {
    let mut solo = Solo::udp();
    let invite = solo.outgoing(None);
    let id = solo.ua.new_request();
    let request = OutgoingRequest {
        identity: invite.identity,
        hop: invite.hop,
        method: tandem_sip::method::Method::Options,
        request_uri: invite.request_uri,
        from: invite.from,
        to: invite.to,
        contact: Some(invite.contact),
        headers: Vec::new(),
        credentials: Some(credentials()),
    };
    solo.ua.request(solo.now, id, request);
    let options = solo.next_sent();
    solo.respond(&options, 401, "", &[CHALLENGE], None);
    let again = solo.next_sent();
    assert!(header(&again, HeaderName::Authorization).contains("uri=\"sip:bob@example.com\""));
    assert_eq!(again.cseq().number, 2);
    solo.respond(&again, 200, "", &[], None);
    assert!(matches!(solo.next_event(), Event::Response { id: told, .. } if told == id));
    solo.assert_all_gone();
}
