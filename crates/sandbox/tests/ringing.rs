//! What a user does when called.

use tandem_sandbox::event::What;
use tandem_sandbox::media::Sending;
use tandem_sandbox::teams::Command;
use tandem_sandbox::teams::command::Act;
use tandem_sandbox::user::{Behaviour, Reaction};
use tandem_sandbox::violation::Rule;

use crate::room::{Invite, Room, SBC, framed, within};

fn call(behaviour: Behaviour) -> (Room, tandem_sandbox::teams::connection::ConnectionId) {
    let (mut room, ours) = Room::active();
    room.command(Command::Behave { user: "alice".to_owned(), behaviour }).unwrap();
    room.say(ours, &Invite::to("+14255550101").text());
    room.expect(ours, "SIP/2.0 100");
    (room, ours)
}

fn reacting(reaction: Reaction) -> Behaviour {
    Behaviour { reaction, ..Behaviour::default() }
}

#[test]
fn each_client_rings_with_a_tag_of_its_own_and_the_answer_has_another() {
    let answer = Reaction::Answer { after_ms: 3000, spread_ms: 0 };
    let (mut room, ours) = call(Behaviour { clients: 3, reaction: answer, ..Behaviour::default() });
    room.pass(1000);
    let mut tags: Vec<String> =
        (0..3).map(|_| room.expect(ours, "SIP/2.0 180").tag("TO").to_owned()).collect();
    room.assert_silent();
    room.pass(3000);
    tags.push(room.expect(ours, "SIP/2.0 200").tag("TO").to_owned());
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4);
    room.assert_clean();
}

#[test]
fn early_media_is_silent_and_the_answer_has_a_new_key() {
    let (mut room, _) = call(Behaviour { early_media: true, ..Behaviour::default() });
    let early = room.hear("SIP/2.0 183");
    assert_eq!(room.stream().sending, Sending::Silence);
    let answer = room.hear("SIP/2.0 200");
    assert_eq!(room.stream().sending, Sending::Tone(440));
    let line =
        |text: &str, begin: &str| text.lines().find(|line| line.starts_with(begin)).unwrap().to_owned();
    assert_ne!(line(early.body(), "a=crypto"), line(answer.body(), "a=crypto"));
    assert_eq!(line(early.body(), "m="), line(answer.body(), "m="), "the port stays");
    let (one, two) = (line(early.body(), "o="), line(answer.body(), "o="));
    assert_eq!(one.replace(" 0 IN", " 1 IN"), two, "the version counts");
}

#[test]
fn decline_is_603_busy_486_and_signed_out_480() {
    for (reaction, line, reason) in [
        (Reaction::Decline { after_ms: 500 }, "SIP/2.0 603 Decline", "Q.850;cause=21;"),
        (Reaction::Busy, "SIP/2.0 486 Busy Here", "Q.850;cause=17;"),
        (Reaction::SignedOut, "SIP/2.0 480 Temporarily Unavailable", "Q.850;cause=31;"),
        (Reaction::Refuse { status: 503 }, "SIP/2.0 503 Service Unavailable", "Q.850;"),
    ] {
        let (mut room, ours) = call(reacting(reaction));
        room.pass(400);
        if line.contains("603") {
            room.expect(ours, "SIP/2.0 180");
        }
        room.pass(1000);
        let refusal = room.expect(ours, line);
        assert!(refusal.header("REASON").unwrap().starts_with(reason));
        assert_eq!(room.teams.calls().next().unwrap().state, "ended");
        assert!(room.open_ports.is_empty(), "the media port is given back");
        room.assert_clean();
    }
}

#[test]
fn the_480_of_nobody_signed_in_says_so() {
    let (mut room, _) = call(reacting(Reaction::SignedOut));
    let refusal = room.hear("SIP/2.0 480");
    refusal.assert_like(
        "SIP/2.0 480 Temporarily Unavailable
        FROM: \"Ada Client\" <sip:+14255550142@sbc1.contoso.example;user=phone>;tag=in5d2f
        TO: <sip:+14255550101@sip.pstnhub.microsoft.com;user=phone>;tag=*
        CSEQ: 1 INVITE
        CALL-ID: 3f0c6a77-8d1e@sbc1.contoso.example
        VIA: SIP/2.0/TLS sbc1.contoso.example:5067;branch=z9hG4bKin0001
        REASON: Q.850;cause=31;text=\"*-*-*-*-*;No callee endpoints were found.\"
        ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY
        SERVER: Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3
        CONTENT-LENGTH: 0",
    );
}

#[test]
fn nobody_answers_until_the_caller_gives_up() {
    let (mut room, ours) = call(reacting(Reaction::NoAnswer));
    room.pass(15_000);
    room.expect(ours, "SIP/2.0 180");
    room.assert_silent();
    let cancel = format!(
        "CANCEL sip:+14255550101@sip.pstnhub.microsoft.com:5061;user=phone;transport=tls SIP/2.0\n\
         Via: SIP/2.0/TLS {SBC}:5067;branch=z9hG4bKin0001\n\
         Max-Forwards: 69\n\
         From: \"Ada Client\" <sip:+14255550142@{SBC};user=phone>;tag=in5d2f\n\
         To: <sip:+14255550101@sip.pstnhub.microsoft.com;user=phone>\n\
         Call-ID: 3f0c6a77-8d1e@{SBC}\n\
         CSeq: 1 CANCEL\n\
         Reason: SIP;cause=200;text=\"Call completed elsewhere\"\n"
    );
    room.say(ours, &cancel);
    assert_eq!(room.expect(ours, "SIP/2.0 200").header("CSEQ"), Some("1 CANCEL"));
    assert_eq!(room.expect(ours, "SIP/2.0 487").header("CSEQ"), Some("1 INVITE"));
    assert!(room.has(|what| matches!(what, What::CallEnded { status: Some(487), sub_code: Some(540_200),
        reason: Some(reason), .. } if reason.contains("elsewhere"))));
    room.assert_clean();
}

#[test]
fn nobody_answers_and_teams_gives_up() {
    let (mut room, _) = call(reacting(Reaction::NoAnswer));
    room.hear("SIP/2.0 480");
    room.assert_clean();
}

#[test]
fn nothing_is_answered_but_100() {
    let (mut room, _) = call(reacting(Reaction::Nothing));
    room.pass(50_000);
    room.assert_silent();
    assert_eq!(room.teams.calls().next().unwrap().state, "ringing");
}

#[test]
fn the_voicemail_answers_after_a_while() {
    let (mut room, ours) = call(reacting(Reaction::Voicemail { after_ms: 20_000 }));
    room.pass(20_000);
    room.expect(ours, "SIP/2.0 180");
    room.assert_silent();
    room.pass(1000);
    room.expect(ours, "SIP/2.0 200");
    assert_eq!(room.stream().sending, Sending::Greeting);
    assert!(room.teams.calls().next().unwrap().voicemail);
}

#[test]
fn the_voicemail_can_be_called_itself() {
    let (mut room, ours) = Room::active();
    let mut invite = Invite::to("+14255550101");
    invite.uri += ";opaque=app:voicemail";
    room.say(ours, &invite.text());
    room.hear("SIP/2.0 200");
    assert!(room.teams.calls().next().unwrap().voicemail);
}

#[test]
fn whoever_plays_teams_answers_and_declines_by_hand() {
    let (mut room, _) = call(reacting(Reaction::NoAnswer));
    room.pass(1000);
    room.act(Act::Answer);
    room.hear("SIP/2.0 200");
    let (mut room, _) = call(reacting(Reaction::NoAnswer));
    room.pass(1000);
    room.act(Act::Decline);
    room.hear("SIP/2.0 603");
}

#[test]
fn a_200_is_sent_again_until_ack_and_at_last_given_up() {
    let (mut room, ours) = call(Behaviour::default());
    let answer = room.hear("SIP/2.0 200");
    room.pass(1600);
    room.expect(ours, "SIP/2.0 200");
    room.expect(ours, "SIP/2.0 200");
    room.assert_silent();
    room.hear("BYE");
    assert_eq!(room.rules(), [Rule::AckMissing]);

    let (mut room, ours) = call(Behaviour::default());
    room.hear("SIP/2.0 200");
    room.say(ours, &within(&answer, "ACK", 1, "", ""));
    room.pass(10_000);
    assert!(room.has(|what| matches!(what, What::CallConnected { .. })));
}

#[test]
fn a_user_hangs_up_after_a_while() {
    let behaviour = Behaviour { hang_up_after_ms: Some(5000), ..Behaviour::default() };
    let (mut room, ours) = call(behaviour);
    let answer = room.hear("SIP/2.0 200");
    room.say(ours, &within(&answer, "ACK", 1, "", ""));
    let bye = room.hear("BYE sip:+14255550142@sbc1.contoso.example:5067;transport=tls");
    assert_ne!(bye.on, ours, "requests of Teams go over its own connections");
    room.reply(&bye, 200, &[], "");
    assert_eq!(room.teams.calls().next().unwrap().state, "ended");
    assert!(room.open_ports.is_empty());
    room.assert_clean();
}

#[test]
fn fragments_of_messages_are_put_together() {
    let (mut room, ours) = Room::active();
    for byte in framed(&Invite::to("+14255550101").text()) {
        room.say_bytes(ours, &[byte]);
    }
    room.hear("SIP/2.0 180");
    room.assert_clean();
}

#[test]
fn a_call_that_is_forwarded_says_so_and_is_answered_by_somebody_else() {
    let forward = Reaction::Forward { after_ms: 2000, answered_after_ms: Some(3000) };
    let (mut room, ours) = call(reacting(forward));
    room.pass(1900);
    room.expect(ours, "SIP/2.0 180");
    room.assert_silent();
    room.pass(500);
    room.expect(ours, "SIP/2.0 181 Call Is Being Forwarded");
    room.pass(2500);
    room.assert_silent();
    room.pass(500);
    room.expect(ours, "SIP/2.0 200");
    room.assert_clean();
}

#[test]
fn a_call_that_is_forwarded_in_vain_is_given_up_by_teams() {
    let forward = Reaction::Forward { after_ms: 2000, answered_after_ms: None };
    let (mut room, ours) = call(reacting(forward));
    room.pass(59_000);
    room.expect(ours, "SIP/2.0 180");
    room.expect(ours, "SIP/2.0 181");
    room.assert_silent();
    room.hear("SIP/2.0 480");
}

#[test]
fn whoever_takes_a_call_back_before_it_is_forwarded_hears_nothing_of_it() {
    let forward = Reaction::Forward { after_ms: 20_000, answered_after_ms: None };
    let (mut room, ours) = call(reacting(forward));
    room.pass(1000);
    room.expect(ours, "SIP/2.0 180");
    room.command(Command::Act { call: tandem_sandbox::teams::CallId(1), act: Act::Decline }).unwrap();
    room.expect(ours, "SIP/2.0 603");
    room.pass(30_000);
    assert!(!room.has(|what| matches!(what, What::CallProgress { status: 181, .. })));
}
