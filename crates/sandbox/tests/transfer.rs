//! Transfers: REFER, NOTIFY, and the INVITE that must carry back what is opaque.

use tandem_sandbox::config::SandboxConfig;
use tandem_sandbox::event::What;
use tandem_sandbox::teams::call::Placing;
use tandem_sandbox::teams::command::Act;
use tandem_sandbox::teams::connection::ConnectionId;
use tandem_sandbox::teams::transfer::Target;
use tandem_sandbox::teams::{Command, CommandRefusal};
use tandem_sandbox::violation::Rule;

use crate::room::{
    ALLOW, Heard, Invite, Room, SBC, connected, connected_with, description, options, request_within, set_up,
    within,
};

struct Transferring {
    room: Room,
    ours: ConnectionId,
    answer: Heard,
    refer: Heard,
}

/// Alice has asked for a transfer to Béla, and REFER was accepted.
fn transferring() -> Transferring {
    transferring_with(SandboxConfig::default())
}

fn transferring_with(config: SandboxConfig) -> Transferring {
    let (mut room, ours, answer) = connected_with(config);
    room.act(Act::Transfer { to: Target::User("bela".to_owned()), hold_first: false });
    let refer = room.hear("REFER");
    room.reply(&refer, 202, &[&format!("Contact: <sip:+14255550142@{SBC}:5067;transport=tls>")], "");
    Transferring { room, ours, answer, refer }
}

impl Transferring {
    fn invite(&self) -> Invite {
        let refer_to = self.refer.header("REFER-TO").unwrap();
        let mut invite = Invite::to("+1");
        invite.uri = refer_to.trim_matches(['<', '>']).to_owned();
        invite.to = refer_to.to_owned();
        invite.call_id = "9c4e-xfer-01".to_owned();
        invite.branch = "z9hG4bKxfer001".to_owned();
        invite.more = format!("Referred-By: {}\n", self.refer.header("REFERRED-BY").unwrap());
        invite
    }

    fn notify(&mut self, cseq: u32, fragment: &str) {
        let over = !fragment.starts_with("SIP/2.0 1");
        let state = if over { "terminated;reason=noresource" } else { "active;expires=180" };
        let more =
            format!("Event: refer\nSubscription-State: {state}\nContent-Type: message/sipfrag;version=2.0\n");
        let text = request_within(
            self.refer.contact(),
            self.answer.header("RECORD-ROUTE").unwrap(),
            self.refer.header("TO").unwrap(),
            self.refer.header("FROM").unwrap(),
            &self.refer,
            "NOTIFY",
            cseq,
            &more,
            &format!("{fragment}\n"),
        );
        self.room.say(self.ours, &text);
        self.room.hear("SIP/2.0 200");
    }
}

#[test]
fn a_transfer_that_is_carried_out_faultlessly() {
    let mut t = transferring();
    t.notify(2, "SIP/2.0 100 Trying");
    let invite = t.invite();
    t.room.say(t.ours, &invite.text());
    let answer = t.room.hear("SIP/2.0 200");
    t.room.say(t.ours, &within(&answer, "ACK", 1, "", ""));
    t.notify(3, "SIP/2.0 180 Ringing");
    t.notify(4, "SIP/2.0 200 OK");
    let bye = t.room.hear("BYE");
    assert_eq!(bye.header("CALL-ID"), t.refer.header("CALL-ID"));
    t.room.reply(&bye, 200, &[], "");
    let live: Vec<_> = t.room.teams.calls().filter(|call| call.state == "connected").collect();
    assert_eq!((live.len(), live[0].user.as_str(), live[0].transferred_from), (1, "bela", Some(1)));
    assert!(t.room.has(|what| matches!(what, What::TransferEnded { status: 200, .. })));
    t.room.assert_clean();
}

#[test]
fn a_user_holds_before_a_transfer_and_takes_the_call_back_when_it_fails() {
    let (mut room, ours, answer) = connected();
    room.act(Act::Transfer { to: Target::Number("+14255550177".to_owned()), hold_first: true });
    let hold = room.hear("INVITE");
    let contact = format!("Contact: <sip:+14255550142@{SBC}:5067;transport=tls>");
    let held = description("2", "127.0.0.1", 20010, "0 101 13", "recvonly");
    room.reply(&hold, 200, &[&contact, ALLOW], &held);
    let refer = room.hear("REFER");
    assert_eq!(
        refer.header("REFER-TO"),
        Some("<sip:+14255550177@sip.pstnhub.microsoft.com:5061;transport=tls;user=phone>")
    );
    room.reply(&refer, 202, &[&contact], "");
    let mut t = Transferring { room, ours, answer, refer };
    t.notify(2, "SIP/2.0 486 Busy Here");
    let resume = t.room.hear("INVITE");
    assert!(resume.body().contains("a=sendrecv"));
    t.room.assert_clean();
}

#[test]
fn changed_parameters_are_refused() {
    let changes: [fn(&mut Invite); 5] = [
        |invite| invite.uri = invite.uri.to_ascii_uppercase().replacen("SIP:", "sip:", 1),
        |invite| invite.more = invite.more.replace("%3D", "="),
        |invite| invite.more = invite.more.replace(";x-t=", ";x-T="),
        |invite| invite.more.clear(),
        |invite| invite.to = "<sip:+14255550102@sip.pstnhub.microsoft.com;user=phone>".to_owned(),
    ];
    for change in changes {
        let mut t = transferring();
        let mut invite = t.invite();
        change(&mut invite);
        t.room.say(t.ours, &invite.text());
        t.room.hear("SIP/2.0 400");
        assert_eq!(t.room.rules(), [Rule::TransferChanged]);
    }
}

#[test]
fn the_invite_of_a_transfer_is_not_sent_again() {
    let mut t = transferring();
    t.room
        .command(Command::Behave {
            user: "bela".to_owned(),
            behaviour: tandem_sandbox::user::Behaviour {
                reaction: tandem_sandbox::user::Reaction::Busy,
                ..Default::default()
            },
        })
        .unwrap();
    let mut invite = t.invite();
    t.room.say(t.ours, &invite.text());
    t.room.hear("SIP/2.0 486");
    invite.call_id = "9c4e-xfer-02".to_owned();
    invite.branch = "z9hG4bKxfer002".to_owned();
    t.room.say(t.ours, &invite.text());
    let refusal = t.room.hear("SIP/2.0 500");
    assert!(refusal.header("REASON").unwrap().ends_with(";Transfer call without draft call data\""));
    assert_eq!(t.room.rules(), [Rule::TransferRepeated]);
}

#[test]
fn a_transfer_that_is_never_reported_is_noted() {
    let mut t = transferring();
    t.room.pass(61_000);
    assert_eq!(t.room.rules(), [Rule::TransferNotReported]);
}

#[test]
fn refer_that_is_refused_is_noted() {
    let (mut room, _, _) = connected();
    room.act(Act::Transfer { to: Target::User("bela".to_owned()), hold_first: false });
    let refer = room.hear("REFER");
    room.reply(&refer, 405, &[], "");
    assert_eq!(room.rules(), [Rule::ReferRefused]);
}

#[test]
fn a_trunk_without_refer_in_allow_gets_none() {
    let (mut room, ours, _) = connected();
    room.pass(60_000);
    room.say(ours, &options().replace(", REFER", ""));
    let call = room.call();
    let act = Act::Transfer { to: Target::User("bela".to_owned()), hold_first: false };
    assert_eq!(room.command(Command::Act { call, act }), Err(CommandRefusal::ReferNotAllowed));
}

#[test]
fn the_bye_after_a_transfer_may_be_left_to_the_border_controller() {
    let mut config = SandboxConfig::default();
    config.habits.bye_after_transfer_ms = None;
    let mut t = transferring_with(config);
    t.notify(2, "SIP/2.0 200 OK");
    t.room.pass(20_000);
    let bye = within(&t.answer, "BYE", 9, "", "");
    t.room.say(t.ours, &bye);
    t.room.hear("SIP/2.0 200");
    t.room.assert_clean();
}

#[test]
fn a_consultative_transfer_names_the_other_call() {
    let (mut room, ours, _) = connected();
    let mut second = Invite::to("+14255550101");
    second.call_id = "second@here".to_owned();
    second.branch = "z9hG4bKsecond".to_owned();
    set_up(&mut room, ours, &second);
    let (first, second) = (tandem_sandbox::teams::CallId(1), tandem_sandbox::teams::CallId(2));
    let act = Act::Transfer { to: Target::Call(second), hold_first: false };
    room.command(Command::Act { call: first, act }).unwrap();
    let refer = room.hear("REFER");
    let to = refer.header("REFER-TO").unwrap();
    assert!(to.contains("?Replaces=second%40here%3Bto-tag%3Din5d2f%3Bfrom-tag%3D"), "{to}");
}

#[test]
fn a_call_with_replaces_takes_the_place_of_another() {
    let (mut room, _, answer) = connected();
    let replaces = Some(room.call());
    let placing = Placing { number: "+14255550142".to_owned(), replaces, ..Placing::default() };
    room.command(Command::Place { user: "alice".to_owned(), placing }).unwrap();
    let invite = room.hear("INVITE");
    let call_id = answer.header("CALL-ID").unwrap();
    let expected = format!("{call_id};to-tag=in5d2f;from-tag={}", answer.tag("TO"));
    assert_eq!(invite.header("REPLACES"), Some(expected.as_str()));
    assert_eq!(invite.header("REQUIRE"), Some("replaces"));
    room.reply(&invite, 420, &["Unsupported: replaces"], "");
    room.hear("ACK");
    assert_eq!(room.rules(), [Rule::ReplacesRefused]);
}
