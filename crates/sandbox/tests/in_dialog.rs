//! What Teams watches in the requests of a border controller inside a call.

use tandem_sandbox::violation::Rule;

use crate::room::{connected, request_within, within};

#[test]
fn the_contact_of_teams_must_come_back_byte_for_byte() {
    let (mut room, ours, answer) = connected();
    let bye = within(&answer, "BYE", 2, "", "");
    room.say(ours, &bye.replace(";x-i=", ";X-I="));
    room.hear("SIP/2.0 200");
    assert_eq!(room.rules(), [Rule::DialogRouting]);
}

#[test]
fn the_route_of_teams_must_be_there() {
    let (mut room, ours, answer) = connected();
    let bye = within(&answer, "BYE", 2, "", "");
    let without: String =
        bye.lines().filter(|line| !line.starts_with("Route:")).fold(String::new(), |t, l| t + l + "\n");
    room.say(ours, &without);
    room.hear("SIP/2.0 200");
    assert_eq!(room.rules(), [Rule::DialogRouting]);
}

#[test]
fn a_lower_cseq_is_refused() {
    let (mut room, ours, answer) = connected();
    room.say(ours, &within(&answer, "OPTIONS", 7, "", ""));
    room.hear("SIP/2.0 200");
    room.say(ours, &within(&answer, "OPTIONS", 6, "", ""));
    room.hear("SIP/2.0 500");
    assert_eq!(room.rules(), [Rule::CSeqOrder]);
}

#[test]
fn a_dialog_that_is_not_there() {
    let (mut room, ours, answer) = connected();
    let (from, to) = (answer.header("FROM").unwrap(), "<sip:x@y>;tag=other");
    let route = answer.header("RECORD-ROUTE").unwrap();
    room.say(ours, &request_within(answer.contact(), route, from, to, &answer, "BYE", 2, "", ""));
    room.hear("SIP/2.0 481");
    assert_eq!(room.rules(), [Rule::DialogUnknown]);
}

#[test]
fn a_bye_that_crosses_ours_is_nobodys_fault() {
    let (mut room, ours, answer) = connected();
    room.act(tandem_sandbox::teams::command::Act::HangUp);
    let bye = room.hear("BYE");
    room.say(ours, &within(&answer, "BYE", 2, "", ""));
    room.hear("SIP/2.0 200");
    room.reply(&bye, 481, &[], "");
    room.say(ours, &within(&answer, "BYE", 3, "", ""));
    room.hear("SIP/2.0 481");
    room.assert_clean();
}

#[test]
fn keys_never_get_into_the_trace() {
    let (room, _, _) = connected();
    let trace: Vec<String> = room.teams.journal.trace.after(0).map(|entry| entry.text.clone()).collect();
    assert!(trace.iter().any(|text| text.contains("inline:(removed)")));
    assert!(!trace.iter().any(|text| text.contains("LNVzguyf80CS")));
}
