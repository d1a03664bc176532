//! OPTIONS both ways: when a trunk is active and healthy, and how proxies are drained and stopped.

use tandem_sandbox::config::SandboxConfig;
use tandem_sandbox::event::What;
use tandem_sandbox::teams::call::Placing;
use tandem_sandbox::teams::proxy::{ProxyId, ProxyState};
use tandem_sandbox::teams::trunk::TrunkView;
use tandem_sandbox::teams::{Command, CommandRefusal};
use tandem_sandbox::violation::Rule;

use crate::room::{ALLOW, Heard, Invite, Room, SBC, options};

fn trunk(room: &Room) -> TrunkView {
    room.teams.trunks(room.now).next().unwrap()
}

fn answer_ping(room: &mut Room, ping: &Heard) {
    room.reply(ping, 200, &[&format!("Contact: <sip:{SBC}:5067;transport=tls>"), ALLOW], "");
}

fn place(room: &mut Room) -> Result<tandem_sandbox::teams::Done, CommandRefusal> {
    let placing = Placing { number: "+14255550142".to_owned(), ..Placing::default() };
    room.command(Command::Place { user: "alice".to_owned(), placing })
}

#[test]
fn teams_is_silent_until_it_has_seen_options() {
    let mut room = Room::new();
    room.pass(600_000);
    room.assert_silent();
    assert!(room.opened.is_empty());
    assert_eq!(place(&mut room), Err(CommandRefusal::NoTrunk));
}

#[test]
fn each_proxy_pings_once_it_was_pinged_and_a_trunk_is_active_when_both_ways_got_200() {
    let mut room = Room::new();
    for proxy in 0..3 {
        let ours = room.connect(proxy);
        room.say(ours, &options());
        room.expect(ours, "SIP/2.0 200");
        let ping = room.hear("OPTIONS");
        assert_eq!(room.opened[proxy].1, ProxyId::ALL[proxy]);
        assert!(!trunk(&room).active || proxy > 0);
        answer_ping(&mut room, &ping);
        assert!(trunk(&room).active && trunk(&room).healthy && trunk(&room).takes_refer);
    }
    room.assert_clean();
}

#[test]
fn a_trunk_whose_options_stop_is_no_longer_healthy_and_is_left_alone() {
    let (mut room, _) = Room::active();
    room.pass(59_000);
    let ping = room.hear("OPTIONS");
    answer_ping(&mut room, &ping);
    assert!(trunk(&room).healthy);
    room.pass(400_000);
    assert!(trunk(&room).active && !trunk(&room).healthy);
    let before = room.teams.journal.trace.after(0).count();
    room.pass(600_000);
    assert_eq!(room.teams.journal.trace.after(0).count(), before, "no more OPTIONS of Teams");
}

#[test]
fn options_too_often_are_noted() {
    let (mut room, ours) = Room::active();
    room.pass(20_000);
    room.say(ours, &options());
    room.expect(ours, "SIP/2.0 200");
    room.assert_clean();
    room.pass(20_000);
    room.say(ours, &options());
    room.expect(ours, "SIP/2.0 200");
    assert_eq!(room.rules(), [Rule::OptionsTooOften]);
}

#[test]
fn an_answer_without_contact_or_none_at_all_is_noted() {
    let mut room = Room::new();
    let ours = room.connect(0);
    room.say(ours, &options());
    let ping = room.hear("OPTIONS");
    room.reply(&ping, 200, &[ALLOW], "");
    assert_eq!(room.rules(), [Rule::ContactMissing]);
    room.hear("OPTIONS");
    room.pass(33_000);
    assert_eq!(room.rules(), [Rule::ContactMissing, Rule::NotAnswered]);
}

#[test]
fn allow_without_notify_is_noted() {
    let mut room = Room::new();
    let ours = room.connect(0);
    room.say(ours, &options().replace(ALLOW, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS"));
    assert_eq!(room.rules(), [Rule::AllowWithoutNotify]);
}

#[test]
fn without_send_sip_options_one_way_is_enough() {
    let mut config = SandboxConfig::default();
    config.trunks[0].send_sip_options = false;
    let mut room = Room::with(config);
    let ours = room.connect(0);
    room.say(ours, &options());
    room.expect(ours, "SIP/2.0 200");
    room.pass(100_000);
    room.assert_silent();
    assert!(trunk(&room).active);
}

#[test]
fn a_border_controller_that_cannot_be_reached_is_told_as_a_failed_ping() {
    let mut room = Room::new();
    room.reachable = false;
    let ours = room.connect(0);
    room.say(ours, &options());
    room.pass(1000);
    assert!(room.has(|what| matches!(what, What::PingFailed { why, .. } if why == "connection refused")));
    assert!(!trunk(&room).active);
}

#[test]
fn a_draining_proxy_says_503_to_new_calls_and_options() {
    let (mut room, ours) = Room::active();
    room.command(Command::SetProxy { proxy: ProxyId::ALL[0], state: ProxyState::Draining }).unwrap();
    room.pass(60_000);
    room.say(ours, &options());
    let refusal = room.hear("SIP/2.0 503");
    assert_eq!(refusal.header("RETRY-AFTER"), Some("1"));
    room.pass(2000);
    room.say(ours, &Invite::to("+14255550101").text());
    room.hear("SIP/2.0 503 Service Unavailable");
    room.assert_clean();
    let mut again = Invite::to("+14255550101");
    again.call_id = "again@here".to_owned();
    again.branch = "z9hG4bKagain".to_owned();
    room.say(ours, &again.text());
    assert_eq!(room.rules(), [Rule::RetryTooEarly]);
}

#[test]
fn the_next_proxy_takes_the_call_that_a_drained_one_refused() {
    let (mut room, ours) = Room::active();
    room.command(Command::SetProxy { proxy: ProxyId::ALL[0], state: ProxyState::Draining }).unwrap();
    room.say(ours, &Invite::to("+14255550101").text());
    room.hear("SIP/2.0 503");
    let second = room.connect(1);
    room.say(second, &Invite::to("+14255550101").text());
    let ringing = room.hear("SIP/2.0 180");
    assert_eq!(ringing.on, second);
    assert!(ringing.header("RECORD-ROUTE").unwrap().contains("sip-du-a-eu"));
    room.assert_clean();
}

#[test]
fn a_stopped_proxy_closes_its_connections() {
    let (mut room, ours) = Room::active();
    room.command(Command::SetProxy { proxy: ProxyId::ALL[0], state: ProxyState::Down }).unwrap();
    assert!(room.closed.contains(&ours));
    assert_eq!(room.closed.len(), 2, "its own connection to the trunk too");
    let refused = room.connect(0);
    assert!(room.closed.contains(&refused));
}

#[test]
fn calls_of_users_come_from_another_proxy_when_one_is_down() {
    let (mut room, _) = Room::active();
    for proxy in [0, 1] {
        room.command(Command::SetProxy { proxy: ProxyId::ALL[proxy], state: ProxyState::Down }).unwrap();
    }
    for _ in 0..3 {
        place(&mut room).unwrap();
        let invite = room.hear("INVITE");
        assert!(invite.header("VIA").unwrap().starts_with("SIP/2.0/TLS 127.0.0.4:5061"));
    }
}
