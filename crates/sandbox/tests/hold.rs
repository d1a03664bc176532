//! Hold and resume from either side, and media that stays where it was first.

use tandem_sandbox::event::{By, What};
use tandem_sandbox::media::Sending;
use tandem_sandbox::teams::command::Act;
use tandem_sandbox::violation::Rule;

use crate::room::{ALLOW, SBC, connected, description, within};

const FORMATS: &str = "9 0 8 101 13";

fn contact() -> String {
    format!("Contact: <sip:+14255550142@{SBC}:5067;transport=tls>")
}

#[test]
fn inactive_holds_and_sendrecv_resumes() {
    let (mut room, ours, answer) = connected();
    let hold = description("2", "127.0.0.1", 20010, FORMATS, "inactive");
    room.say(ours, &within(&answer, "INVITE", 2, ALLOW, &hold));
    room.expect(ours, "SIP/2.0 100");
    let held = room.expect(ours, "SIP/2.0 200");
    assert!(held.body().contains("a=inactive\n"));
    assert_eq!(held.header("RECORD-ROUTE"), None);
    room.say(ours, &within(&answer, "ACK", 2, "", ""));
    assert_eq!(room.stream().sending, Sending::Nothing);
    assert!(room.has(|what| matches!(what, What::CallHeld { by: By::Border, .. })));
    let resume = description("3", "127.0.0.1", 20010, FORMATS, "sendrecv");
    room.say(ours, &within(&answer, "INVITE", 3, ALLOW, &resume));
    assert!(room.hear("SIP/2.0 200").body().contains("a=sendrecv\n"));
    assert_eq!(room.stream().sending, Sending::Tone(440));
    room.assert_clean();
}

#[test]
fn sendonly_and_recvonly_are_not_understood() {
    for direction in ["sendonly", "recvonly"] {
        let (mut room, ours, answer) = connected();
        let hold = description("2", "127.0.0.1", 20010, FORMATS, direction);
        room.say(ours, &within(&answer, "INVITE", 2, ALLOW, &hold));
        assert!(room.hear("SIP/2.0 200").body().contains("a=sendrecv\n"));
        assert_eq!(room.stream().sending, Sending::Tone(440));
        assert_eq!(room.rules(), [Rule::HoldNotInactive]);
    }
}

#[test]
fn a_hold_by_0_0_0_0_is_refused_and_the_call_goes_on() {
    let (mut room, ours, answer) = connected();
    let hold = description("2", "0.0.0.0", 20010, FORMATS, "sendrecv");
    room.say(ours, &within(&answer, "INVITE", 2, ALLOW, &hold));
    room.hear("SIP/2.0 488");
    room.say(ours, &within(&answer, "BYE", 3, "", ""));
    room.hear("SIP/2.0 200");
    assert_eq!(room.rules(), [Rule::ConnectionAddressZero]);
}

#[test]
fn media_keeps_going_to_the_first_address_when_it_is_moved() {
    let (mut room, ours, answer) = connected();
    let first = room.stream().target;
    let moved = description("2", "127.0.0.1", 20444, FORMATS, "sendrecv");
    room.say(ours, &within(&answer, "INVITE", 2, ALLOW, &moved));
    room.hear("SIP/2.0 200");
    assert_eq!(room.stream().target, first);
    assert_eq!(room.stream().expected.port(), 20444);
    assert_eq!(room.rules(), [Rule::MediaMoved]);
}

#[test]
fn a_changed_description_with_the_same_version_is_noted() {
    let (mut room, ours, answer) = connected();
    let hold = description("1", "127.0.0.1", 20010, FORMATS, "inactive");
    room.say(ours, &within(&answer, "INVITE", 2, ALLOW, &hold));
    room.hear("SIP/2.0 200");
    assert_eq!(room.rules(), [Rule::SdpVersion]);
}

#[test]
fn a_refresh_of_the_border_controller_gets_the_description_it_had() {
    let (mut room, ours, answer) = connected();
    let same = description("1", "127.0.0.1", 20010, FORMATS, "sendrecv");
    room.say(ours, &within(&answer, "INVITE", 2, ALLOW, &same));
    assert_eq!(room.hear("SIP/2.0 200").body(), answer.body());
    room.assert_clean();
}

#[test]
fn a_reinvite_without_offer_is_refused() {
    let (mut room, ours, answer) = connected();
    room.say(ours, &within(&answer, "INVITE", 2, ALLOW, ""));
    room.hear("SIP/2.0 400");
    assert_eq!(room.rules(), [Rule::DelayedOffer]);
}

#[test]
fn a_user_holds_with_music_and_resumes() {
    let (mut room, _, answer) = connected();
    room.act(Act::Hold);
    let invite = room.hear("INVITE");
    assert!(invite.body().contains("a=sendonly\n"));
    assert_ne!(invite.body(), answer.body());
    let held = description("2", "127.0.0.1", 20010, "0 101 13", "recvonly");
    room.reply(&invite, 200, &[&contact(), ALLOW], &held);
    room.hear("ACK");
    assert_eq!(room.stream().sending, Sending::Music);
    room.act(Act::Resume);
    let invite = room.hear("INVITE");
    assert!(invite.body().contains("a=sendrecv\n"));
    let resumed = description("3", "127.0.0.1", 20010, "0 101 13", "sendrecv");
    room.reply(&invite, 200, &[&contact(), ALLOW], &resumed);
    assert_eq!(room.stream().sending, Sending::Tone(440));
    room.assert_clean();
}

#[test]
fn an_answer_that_does_not_fit_its_offer_is_noted() {
    let (mut room, _, _) = connected();
    room.act(Act::Hold);
    let invite = room.hear("INVITE");
    let answer = description("2", "127.0.0.1", 20010, "0 101 13", "sendrecv").replace("crypto:1", "crypto:2");
    room.reply(&invite, 200, &[&contact(), ALLOW], &answer);
    assert_eq!(room.rules(), [Rule::CryptoTagChanged, Rule::AnswerNotOfOffer]);
}

#[test]
fn two_reinvites_that_meet_are_both_refused_and_ours_is_tried_again() {
    let (mut room, ours, answer) = connected();
    room.act(Act::Hold);
    let invite = room.hear("INVITE");
    let hold = description("2", "127.0.0.1", 20010, FORMATS, "inactive");
    room.say(ours, &within(&answer, "INVITE", 2, ALLOW, &hold));
    room.hear("SIP/2.0 491");
    room.reply(&invite, 491, &[&contact()], "");
    room.hear("ACK");
    let again = room.hear("INVITE");
    assert_eq!(again.body(), invite.body());
    assert_eq!(again.header("CSEQ"), Some("2 INVITE"));
    room.assert_clean();
}

#[test]
fn teams_moves_its_own_media_and_still_sends_to_the_first_address() {
    let (mut room, _, _) = connected();
    let (first, port) = (room.stream().target, room.streams.last().unwrap().0);
    room.act(Act::Move);
    let invite = room.hear("INVITE");
    assert!(invite.body().contains("c=IN IP4 127.0.0.3\n"), "{}", invite.body());
    let answer = description("2", "127.0.0.1", 20010, "0 101 13", "sendrecv");
    room.reply(&invite, 200, &[&contact(), ALLOW], &answer);
    room.hear("ACK");
    let (now, stream) = room.streams.last().unwrap();
    assert_ne!(*now, port);
    assert_eq!(stream.target, first);
    room.pass(3000);
    assert_eq!(room.open_ports.len(), 1, "the port that was left is closed");
    room.assert_clean();
}

#[test]
fn a_refresh_that_is_answered_otherwise_is_noted() {
    let (mut room, _, _) = connected();
    room.act(Act::Refresh);
    let invite = room.hear("INVITE");
    let answer = description("2", "127.0.0.1", 20010, "0 101 13", "sendrecv");
    room.reply(&invite, 200, &[&contact(), ALLOW], &answer);
    assert_eq!(room.rules(), [Rule::RefreshChanged]);
}

#[test]
fn the_border_controller_that_forgets_the_call_loses_it() {
    let (mut room, _, _) = connected();
    room.act(Act::Hold);
    let invite = room.hear("INVITE");
    room.reply(&invite, 481, &[], "");
    room.hear("BYE");
}

#[test]
fn a_session_that_is_not_refreshed_ends() {
    let (mut room, _, answer) = connected();
    assert_eq!(answer.header("SESSION-EXPIRES"), Some("3600;refresher=uac"));
    room.pass(3_560_000);
    assert_eq!(room.teams.calls().next().unwrap().state, "connected");
    room.pass(10_000);
    room.hear("BYE");
}
