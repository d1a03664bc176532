//! Calls that a Teams user makes to the border controller.

use tandem_sandbox::event::{By, What};
use tandem_sandbox::media::Sending;
use tandem_sandbox::teams::call::Placing;
use tandem_sandbox::teams::command::Act;
use tandem_sandbox::teams::{Command, CommandRefusal};
use tandem_sandbox::violation::Rule;

use crate::room::{ALLOW, Heard, Room, SBC, description};

fn calling() -> (Room, Heard) {
    let (mut room, _) = Room::active();
    let placing = Placing { number: "+14255550142".to_owned(), ..Placing::default() };
    room.command(Command::Place { user: "alice".to_owned(), placing }).unwrap();
    let invite = room.hear("INVITE");
    (room, invite)
}

fn contact() -> String {
    format!("Contact: <sip:+14255550142@{SBC}:5067;transport=tls>")
}

fn answer() -> String {
    description("1", "127.0.0.1", 20020, "0 101 13", "sendrecv")
}

#[test]
fn early_media_then_the_same_answer() {
    let (mut room, invite) = calling();
    room.reply(&invite, 100, &[], "");
    room.reply(&invite, 183, &[&contact(), ALLOW], &answer());
    assert_eq!(room.stream().sending, Sending::Silence);
    room.reply(&invite, 200, &[&contact(), ALLOW], &answer());
    room.hear("ACK sip:+14255550142@sbc1.contoso.example:5067;transport=tls");
    assert_eq!(room.stream().sending, Sending::Tone(440));
    room.act(Act::HangUp);
    let bye = room.hear("BYE");
    room.reply(&bye, 200, &[], "");
    room.assert_clean();
}

#[test]
fn another_answer_in_200_than_in_183_is_noted() {
    let (mut room, invite) = calling();
    room.reply(&invite, 183, &[&contact()], &answer());
    let other = description("1", "127.0.0.1", 20024, "0 101 13", "sendrecv");
    room.reply(&invite, 200, &[&contact()], &other);
    assert_eq!(room.rules(), [Rule::AnswerChanged]);
}

#[test]
fn a_200_without_answer_or_with_plain_rtp_ends_the_call() {
    for (body, rule) in [
        (String::new(), Rule::AnswerMissing),
        (answer().replace("RTP/SAVP", "RTP/AVP"), Rule::SrtpMissing),
        (answer().replace("m=audio 20020", "m=audio 0"), Rule::AnswerNotOfOffer),
    ] {
        let (mut room, invite) = calling();
        room.reply(&invite, 200, &[&contact()], &body);
        room.hear("ACK");
        room.hear("BYE");
        assert_eq!(room.rules(), [rule]);
    }
}

#[test]
fn an_address_in_the_contact_of_200_ends_the_call() {
    let (mut room, invite) = calling();
    room.reply(&invite, 200, &["Contact: <sip:+14255550142@127.0.0.1:5067;transport=tls>"], &answer());
    room.hear("ACK");
    room.hear("BYE");
    assert_eq!(room.rules(), [Rule::ContactIsAddress]);
}

#[test]
fn a_refusal_is_told_with_the_sub_code_of_the_border_controller() {
    let (mut room, invite) = calling();
    room.reply(&invite, 486, &["Reason: Q.850;cause=17"], "");
    let ack = room.hear("ACK");
    assert_eq!(ack.header("VIA"), invite.header("VIA"), "the ACK of a refusal is part of its transaction");
    assert!(room.has(|what| matches!(what, What::CallEnded { by: By::Border, status: Some(486),
        sub_code: Some(560_486), reason: Some(reason), .. } if reason == "Q.850;cause=17")));
    room.assert_clean();
}

#[test]
fn nothing_but_100_within_ten_seconds_is_too_late() {
    let (mut room, invite) = calling();
    room.reply(&invite, 100, &[], "");
    room.pass(9000);
    room.assert_silent();
    room.pass(2000);
    let cancel = room.hear("CANCEL");
    assert_eq!(cancel.header("VIA"), invite.header("VIA"));
    room.reply(&cancel, 200, &[], "");
    room.reply(&invite, 487, &[], "");
    room.hear("ACK");
    assert_eq!(room.rules(), [Rule::AnswerTooLate]);
    assert!(room.teams.calls().all(|call| call.state == "ended"));
}

#[test]
fn any_ringing_stops_the_clock() {
    let (mut room, invite) = calling();
    room.pass(9000);
    room.reply(&invite, 180, &[&contact()], "");
    room.pass(30_000);
    room.assert_silent();
    room.assert_clean();
}

#[test]
fn a_user_who_hangs_up_while_it_rings_cancels_and_a_200_that_crosses_is_ended() {
    let (mut room, invite) = calling();
    room.reply(&invite, 180, &[&contact()], "");
    room.act(Act::HangUp);
    room.hear("CANCEL");
    room.reply(&invite, 200, &[&contact()], &answer());
    room.hear("ACK");
    let bye = room.hear("BYE");
    room.reply(&bye, 200, &[], "");
    assert!(room.teams.calls().all(|call| call.state == "ended"));
    room.assert_clean();
}

#[test]
fn a_200_that_comes_again_is_acknowledged_again() {
    let (mut room, invite) = calling();
    room.reply(&invite, 200, &[&contact()], &answer());
    room.hear("ACK");
    room.reply(&invite, 200, &[&contact()], &answer());
    room.hear("ACK");
    room.assert_clean();
}

#[test]
fn the_route_of_a_border_controller_wins_over_its_contact() {
    let (mut room, invite) = calling();
    let route = format!("Record-Route: <sip:{SBC}:5069;transport=tls;lr>");
    room.reply(&invite, 200, &[&contact(), &route], &answer());
    let ack = room.hear("ACK");
    assert_eq!(ack.header("ROUTE"), Some(format!("<sip:{SBC}:5069;transport=tls;lr>").as_str()));
    assert!(room.opened.iter().any(|(_, _, host, port)| host == SBC && *port == 5069));
}

#[test]
fn what_is_no_number_is_not_dialled() {
    let (mut room, _) = Room::active();
    for number in ["", "alice", "+1 425"] {
        let placing = Placing { number: number.to_owned(), ..Placing::default() };
        let done = room.command(Command::Place { user: "alice".to_owned(), placing });
        assert_eq!(done, Err(CommandRefusal::NotANumber));
    }
}

#[test]
fn a_customers_user_calls_under_the_customers_name() {
    let (mut room, _) = Room::active();
    let placing = Placing { number: "+14255550142".to_owned(), ..Placing::default() };
    room.command(Command::Place { user: "ines".to_owned(), placing }).unwrap();
    let invite = room.hear("INVITE sip:+14255550142@fabrikam.sbc1.contoso.example:5067;");
    assert_eq!(invite.header("TO"), Some("<sip:+14255550142@fabrikam.sbc1.contoso.example:5067;user=phone>"));
}
