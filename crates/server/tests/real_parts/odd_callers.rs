//! Callers who do it differently, and callers who cannot be served.

use crate::parts::lab::{AGENT, CALLER, TANDEM, THIRD};
use crate::parts::wire::{Datagrams, PLAIN, header};
use crate::parts::{Lab, Sipp, Tandem, config, tone};

#[test]
fn a_caller_without_an_offer_is_offered_sound() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let agent = Sipp::new(&lab, "agent", AGENT).pauses_ms(100).says(tone::AGENT, 3.0).answers();
    let caller = Sipp::new(&lab, "caller-delayed-offer", CALLER).once().pauses_ms(5000);
    let mut caller = caller.says(tone::CALLER, 4.5).presses("1:1").calls(&lab.sip(TANDEM));
    caller.ends_well();
    tandem.wait_closed(1).tells(&["menu_chosen 1", "connected ada", "closed handled"]);
    caller.ear().heard().has(tone::AGENT);
    agent.ear().heard().has(tone::CALLER);
}

#[test]
fn an_agent_who_demands_that_provisional_answers_are_acknowledged_is_served() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let agent = Sipp::new(&lab, "agent-100rel", AGENT).pauses_ms(100).says(tone::AGENT, 3.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(5000);
    let mut caller = caller.says(tone::CALLER, 4.5).presses("1:1").calls(&lab.sip(TANDEM));
    caller.ends_well();
    tandem.wait_closed(1).tells(&["connected ada", "closed handled"]);
    assert!(agent.messages().contains("RAck: "), "the agent's 183 got its PRACK: {}", agent.messages());
    caller.ear().heard().has(tone::AGENT);
    agent.ear().heard().has(tone::CALLER);
}

/// The program answers at once and needs no provisional answer, so that there is nothing to acknowledge.
#[test]
fn a_caller_who_requires_reliable_provisional_answers_is_not_refused() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let caller = Datagrams::at(&lab, CALLER);
    let invite = caller.invite("reliable", "application/sdp", &caller.sdp(PLAIN));
    caller.send(invite.replace("Max-Forwards: 70\r\n", "Max-Forwards: 70\r\nRequire: 100rel\r\n"));
    let answer = caller.final_response();
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    for method in ["ACK", "BYE"] {
        caller.send(caller.request_to(method, "reliable", header(&answer, "To").unwrap()));
    }
    tandem.wait_closed(1).tells(&["arrived", "answered", "closed abandoned_in_flow"]);
}

#[test]
fn a_caller_who_cancels_too_late_is_answered_and_can_hang_up() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let caller = Datagrams::at(&lab, CALLER);
    // The program answers at once; CANCEL meets a transaction that has its final answer (RFC 3261 section 9.2).
    caller.send(caller.invite("late", "application/sdp", &caller.sdp(PLAIN)));
    caller.send(caller.request("CANCEL", "late"));
    let mut to = String::new();
    let (mut answered, mut cancelled) = (false, false);
    while !(answered && cancelled) {
        let message = caller.final_response();
        assert!(message.starts_with("SIP/2.0 200 "), "{message}");
        match header(&message, "CSeq").unwrap() {
            "1 INVITE" => {
                answered = true;
                to = header(&message, "To").unwrap().to_owned();
            }
            "1 CANCEL" => cancelled = true,
            other => panic!("{other}"),
        }
    }
    for method in ["ACK", "BYE"] {
        caller.send(caller.request_to(method, "late", &to));
    }
    tandem.wait_closed(1).tells(&["arrived", "answered", "closed abandoned_in_flow"]);
}

#[test]
fn a_flow_that_only_hangs_up_refuses_the_call_without_answering() {
    let lab = Lab::new();
    let flow = "[[numbers]]\ndialled = \"+15550777\"\nflow = \"closed\"\n\
                [flows.closed]\nstart = \"bye\"\n[flows.closed.steps.bye]\nhang_up = true\n";
    let tandem = Tandem::start(&lab, config::usual(&lab).and(flow));
    let caller = Sipp::new(&lab, "caller-refused", CALLER).once().args(&["-s", "+15550777"]);
    let mut caller = caller.calls(&lab.sip(TANDEM));
    caller.ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["arrived", "step_begun", "closed flow_ended"]);
    assert!(story.of("answered").is_empty(), "{}", story.text());
}

#[test]
fn a_number_that_nobody_has_is_refused_with_404() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let agent = Sipp::new(&lab, "agent", AGENT).answers();
    let caller = Sipp::new(&lab, "caller-refused", CALLER).once().args(&["-s", "+15550999"]);
    let mut caller = caller.calls(&lab.sip(TANDEM));
    caller.ends_well();
    assert!(caller.messages().contains("SIP/2.0 404 "), "{}", caller.messages());
    assert!(caller.messages().contains("Reason: Q.850;cause=1;"), "{}", caller.messages());
    assert_eq!(tandem.figure("tandem_calls_rejected_total"), 1);
    assert!(tandem.live_calls().is_empty());
    assert_eq!(agent.messages(), "");
}

#[test]
fn sound_that_cannot_be_agreed_on_is_refused_with_488() {
    let lab = Lab::new();
    let secure = r#"
[[interfaces]]
name = "udp-secure"
transport = "udp"
bind = "NET.6:5060"

[[trunks]]
name = "secure"
profile = "carrier"
interface = "udp-secure"
media = "sound"
peers = ["NET.0/24"]
srtp = "required"
"#;
    let mut tandem = Tandem::start(&lab, config::usual(&lab).and(secure));
    let plain = Datagrams::at(&lab, THIRD);
    let key = "AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
    let refused = [
        ("not a description", "this is not SDP".to_owned()),
        ("only video", plain.sdp("m=video 7000 RTP/AVP 31")),
        ("no codec of ours", plain.sdp("m=audio 7000 RTP/AVP 3\na=rtpmap:3 GSM/8000")),
        ("port 0", plain.sdp("m=audio 0 RTP/AVP 8")),
        ("a port beyond all ports", plain.sdp("m=audio 70000 RTP/AVP 8")),
        (
            "encryption where none is allowed",
            plain.sdp(&format!("m=audio 7000 RTP/SAVP 8\na=crypto:1 {key}")),
        ),
    ];
    for (number, (what, body)) in refused.iter().enumerate() {
        plain.send(plain.invite(&format!("plain{number}"), "application/sdp", body));
        let answer = plain.final_response();
        assert!(answer.starts_with("SIP/2.0 488 "), "{what}: {answer}");
    }
    let secure = Datagrams::between(&lab, CALLER, 6);
    let short = "AES_CM_128_HMAC_SHA1_80 inline:dG9vIHNob3J0";
    let refused = [
        ("no encryption where it is required", secure.sdp(PLAIN)),
        ("no key", secure.sdp("m=audio 7000 RTP/SAVP 8")),
        ("a key that is too short", secure.sdp(&format!("m=audio 7000 RTP/SAVP 8\na=crypto:1 {short}"))),
        (
            "an unknown cipher",
            secure.sdp(&format!("m=audio 7000 RTP/SAVP 8\na=crypto:1 {}", key.replace("AES", "ROT"))),
        ),
    ];
    for (number, (what, body)) in refused.iter().enumerate() {
        secure.send(secure.invite(&format!("secure{number}"), "application/sdp", body));
        let answer = secure.final_response();
        assert!(answer.starts_with("SIP/2.0 488 "), "{what}: {answer}");
    }
    tandem.lives();
    assert!(tandem.live_calls().is_empty());
    assert_eq!(tandem.figure("tandem_media_ports_exhausted_total"), 0);
}

/// Peers that no trunk knows: nothing is routed, and nothing is told unless that is configured.
#[test]
fn a_stranger_is_never_routed() {
    for (configured, answered) in [("drop", false), ("refuse", true)] {
        let lab = Lab::new();
        let config = config::usual(&lab).replacing(".0/24\"]", ".2/32\", \"NET.3\"]");
        let config = config.and(&format!("\n[sip]\nunknown_peers = \"{configured}\"\n"));
        let tandem = Tandem::start(&lab, config);
        let agent = Sipp::new(&lab, "agent", AGENT).answers();
        let (stranger, friend) = (Datagrams::at(&lab, THIRD), Datagrams::at(&lab, CALLER));
        stranger.send(stranger.invite("toll", "application/sdp", &stranger.sdp(PLAIN)));
        stranger.send(stranger.options("scan"));
        stranger.send("INVITE nonsense\r\n\r\n");
        // Datagrams are taken in order: when the friend has an answer, the stranger's have been looked at.
        friend.send(friend.options("friend"));
        assert!(friend.final_response().starts_with("SIP/2.0 200 "));
        if answered {
            assert!(stranger.final_response().starts_with("SIP/2.0 403 "));
        } else {
            assert_eq!(stranger.received(), None);
        }
        assert!(tandem.live_calls().is_empty());
        assert_eq!(tandem.figure("tandem_calls_arrived_total"), 0);
        assert!(tandem.figure("tandem_sip_unknown_peers_total") >= 2);
        assert_eq!(agent.messages(), "");
    }
}
