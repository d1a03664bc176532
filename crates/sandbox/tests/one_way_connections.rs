//! Connections are one-way for requests, and do not live as long as calls.

use tandem_sandbox::config::SandboxConfig;
use tandem_sandbox::teams::command::Act;
use tandem_sandbox::violation::Rule;

use crate::room::{Invite, Room, connected, options, within};

#[test]
fn a_request_on_a_connection_of_teams_is_refused() {
    let (mut room, _) = Room::active();
    let theirs = room.opened[0].0;
    room.say(theirs, &Invite::to("+14255550101").text());
    room.expect(theirs, "SIP/2.0 403");
    assert_eq!(room.rules(), [Rule::RequestOnTeamsConnection]);
}

#[test]
fn an_answer_on_another_connection_is_noted() {
    let (mut room, ours, _) = connected();
    room.act(Act::HangUp);
    let bye = room.hear("BYE");
    room.reply_on(ours, &bye, 200, &[], "");
    assert_eq!(room.rules(), [Rule::ResponseElsewhere]);
}

#[test]
fn bye_comes_from_a_new_connection_of_another_proxy() {
    let (mut room, ours, _) = connected();
    let before = room.opened.clone();
    room.act(Act::HangUp);
    let bye = room.hear("BYE");
    assert!(bye.on != ours && before.iter().all(|(id, ..)| *id != bye.on));
    assert!(bye.header("VIA").unwrap().starts_with("SIP/2.0/TLS 127.0.0.3:5061"));
    room.reply(&bye, 200, &[], "");
    room.assert_clean();
}

#[test]
fn at_most_two_connections_are_opened_to_one_target_by_one_proxy() {
    let (mut room, _, _) = connected();
    for _ in 0..12 {
        room.act(Act::Hold);
        let invite = room.hear("INVITE");
        room.reply(&invite, 488, &[], "");
        room.hear("ACK");
    }
    for proxy in 0..3 {
        let count = room.opened.iter().filter(|(_, from, ..)| from.index() == proxy).count();
        assert!(count <= 2, "{count} from {proxy}");
    }
}

#[test]
fn idle_connections_are_closed_after_two_minutes_and_crlf_of_the_border_controller_keeps_them() {
    let mut room = Room::new();
    let (idle, kept) = (room.connect(0), room.connect(1));
    for _ in 0..10 {
        room.pass(29_000);
        room.say_bytes(kept, b"\r\n\r\n");
    }
    assert_eq!(room.closed, [idle]);
}

#[test]
fn crlf_of_teams_does_not_keep_its_own_connections() {
    let mut config = SandboxConfig::default();
    config.habits.ping_interval_ms = 600_000;
    let (mut room, ours) = Room::active_with(config);
    let theirs = room.opened[0].0;
    room.pass(125_000);
    assert_eq!(room.closed, [ours, theirs]);
}

#[test]
fn a_call_outlives_its_connection() {
    let (mut room, ours, answer) = connected();
    room.teams.handle_closed(room.now, ours, None);
    let other = room.connect(2);
    room.say(other, &within(&answer, "BYE", 2, "", ""));
    room.expect(other, "SIP/2.0 200");
    room.assert_clean();
}

#[test]
fn pings_of_crlf_are_answered() {
    let mut room = Room::new();
    let ours = room.connect(0);
    room.say_bytes(ours, b"\r\n\r\n");
    room.say(ours, &options());
    room.expect(ours, "SIP/2.0 200");
    room.assert_clean();
}
