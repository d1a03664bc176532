//! What Teams refuses, with which status, and the rule that is then on the list.

use tandem_sandbox::config::SandboxConfig;
use tandem_sandbox::violation::Rule;

use crate::room::{Invite, Room, SBC, connected, description, offer, options_with, set_up, within};

/// Sends an INVITE that differs from a faultless one and gives the first line of the refusal, its Reason, and the
/// rules that were broken.
fn refused(change: impl FnOnce(&mut Invite)) -> (String, String, Vec<Rule>) {
    let (mut room, ours) = Room::active();
    let mut invite = Invite::to("+14255550101");
    change(&mut invite);
    room.say(ours, &invite.text());
    room.expect(ours, "SIP/2.0 100");
    let refusal = room.expect(ours, "SIP/2.0 ");
    let status = refusal.text.lines().next().unwrap().to_owned();
    (status, refusal.header("REASON").unwrap().to_owned(), room.rules())
}

fn assert_refused(change: impl FnOnce(&mut Invite), status: &str, text: &str, rule: Rule) {
    let (line, reason, rules) = refused(change);
    assert!(line.starts_with(&format!("SIP/2.0 {status}")), "{line}");
    assert!(reason.starts_with("Q.850;cause=") && reason.ends_with(&format!(";{text}\"")), "{reason}");
    assert_eq!(rules, [rule]);
}

#[test]
fn an_address_in_contact() {
    assert_refused(
        |invite| {
            invite.contact = "Contact: <sip:+14255550142@203.0.113.10:5067;transport=tls>\n".to_owned();
        },
        "403 Forbidden",
        "Contact header host is not an FQDN known for the presented certificate.",
        Rule::ContactIsAddress,
    );
}

#[test]
fn a_name_in_contact_that_the_certificate_does_not_cover() {
    assert_refused(
        |invite| {
            invite.contact = "Contact: <sip:+14255550142@sbc2.contoso.example;transport=tls>\n".to_owned();
        },
        "403",
        "Contact header host is not an FQDN known for the presented certificate.",
        Rule::ContactUnknown,
    );
}

#[test]
fn a_name_in_contact_that_no_tenant_has() {
    assert_refused(
        |invite| {
            invite.contact = "Contact: <sip:+1@nobody.sbc1.contoso.example;transport=tls>\n".to_owned();
            invite.from = "\"Ada\" <sip:+14255550142@nobody.sbc1.contoso.example>".to_owned();
        },
        "403",
        "No trunk config was found.",
        Rule::ContactUnknown,
    );
}

#[test]
fn no_contact() {
    assert_refused(
        |invite| invite.contact.clear(),
        "403",
        "Contact header and Record-Route header are missing.",
        Rule::ContactMissing,
    );
}

#[test]
fn options_without_contact_never_make_a_trunk_active() {
    let mut room = Room::new();
    let ours = room.connect(0);
    room.say(ours, &options_with(""));
    room.expect(ours, "SIP/2.0 403").assert_like(
        "SIP/2.0 403 Forbidden
        FROM: <sip:sbc1.contoso.example:5067>;tag=6b1f0e9a
        TO: <sip:sip.pstnhub.microsoft.com:5061>;tag=*
        CSEQ: 184 OPTIONS
        CALL-ID: opt-000184-1@sbc1.contoso.example
        VIA: SIP/2.0/TLS sbc1.contoso.example:5067;branch=z9hG4bKopt7f31c2
        REASON: Q.850;cause=63;text=\"*-*-*-*-*;Contact header and Record-Route header are missing.\"
        SERVER: Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3
        CONTENT-LENGTH: 0",
    );
    room.pass(200_000);
    room.assert_silent();
    assert_eq!(room.rules(), [Rule::ContactMissing]);
}

#[test]
fn an_empty_user_in_contact() {
    let mut room = Room::new();
    let ours = room.connect(0);
    room.say(ours, &options_with(&format!("Contact: <sip:@{SBC}:5067;transport=tls>\n")));
    room.expect(ours, "SIP/2.0 400");
    assert_eq!(room.rules(), [Rule::ContactUserEmpty]);
}

#[test]
fn transport_outside_the_brackets_is_only_noted() {
    let mut room = Room::new();
    let ours = room.connect(0);
    room.say(ours, &options_with(&format!("Contact: <sip:{SBC}:5067>;transport=tls\n")));
    room.expect(ours, "SIP/2.0 200");
    assert_eq!(room.rules(), [Rule::ContactTransportOutside]);
}

#[test]
fn a_call_before_options() {
    let mut room = Room::new();
    let ours = room.connect(0);
    room.say(ours, &Invite::to("+14255550101").text());
    room.expect(ours, "SIP/2.0 100");
    room.expect(ours, "SIP/2.0 403");
    assert_eq!(room.rules(), [Rule::CallBeforeOptions]);
}

#[test]
fn an_invite_without_offer() {
    assert_refused(
        |invite| invite.sdp.clear(),
        "400",
        "INVITE without SDP is not supported.",
        Rule::DelayedOffer,
    );
}

#[test]
fn plain_rtp() {
    assert_refused(
        |invite| {
            invite.sdp = offer().replace("RTP/SAVP", "RTP/AVP").replace("a=crypto", "a=x");
        },
        "488",
        "SrtpEncryptionRequired",
        Rule::SrtpMissing,
    );
}

#[test]
fn the_short_suite_alone() {
    assert_refused(
        |invite| {
            invite.sdp = offer().replace("SHA1_80", "SHA1_32");
        },
        "488",
        "SrtpEncryptionRequired",
        Rule::SrtpMissing,
    );
}

#[test]
fn the_address_of_nobody() {
    assert_refused(
        |invite| {
            invite.sdp = offer().replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0");
        },
        "488",
        "Connection address 0.0.0.0 is not supported.",
        Rule::ConnectionAddressZero,
    );
}

#[test]
fn no_codec_in_common() {
    assert_refused(
        |invite| {
            invite.sdp = description("1", "127.0.0.1", 20010, "3 101", "sendrecv");
        },
        "488",
        "CannotSupportAnyMedia",
        Rule::NoCommonCodec,
    );
}

#[test]
fn one_payload_number_for_two_codecs() {
    assert_refused(
        |invite| {
            invite.sdp = offer().replace("a=ptime", "a=rtpmap:101 opus/48000/2\na=ptime");
        },
        "488",
        "Conflicting payload types.",
        Rule::PayloadNumberTwice,
    );
}

#[test]
fn replaces() {
    assert_refused(
        |invite| {
            invite.more = "Replaces: a;to-tag=b;from-tag=c\n".to_owned();
        },
        "400",
        "Replaces is not supported.",
        Rule::ReplacesSent,
    );
}

#[test]
fn reliable_provisional_responses() {
    assert_refused(
        |invite| {
            invite.more = "Require: 100rel\n".to_owned();
        },
        "420 Bad Extension",
        "Bad extension.",
        Rule::ReliableProvisional,
    );
}

#[test]
fn a_short_session() {
    let (mut room, ours) = Room::active();
    let invite = Invite::to("+14255550101").text().replace("Session-Expires: 3600", "Session-Expires: 90");
    room.say(ours, &invite);
    room.expect(ours, "SIP/2.0 100");
    assert_eq!(room.expect(ours, "SIP/2.0 422").header("MIN-SE"), Some("300"));
    assert_eq!(room.rules(), [Rule::SessionExpiresTooSmall]);
}

#[test]
fn a_number_that_nobody_has() {
    let (line, reason, rules) = refused(|invite| *invite = Invite::to("+14255559999"));
    assert_eq!(line, "SIP/2.0 404 Not Found");
    assert!(reason.ends_with(";Number is not assigned.\""));
    assert!(rules.is_empty(), "a wrong number is no fault of the border controller");
}

#[test]
fn the_same_call_twice() {
    let (mut room, ours) = Room::active();
    let mut invite = Invite::to("+14255550101");
    room.say(ours, &invite.text());
    invite.branch = "z9hG4bKother".to_owned();
    let other = room.connect(1);
    room.say(other, &invite.text());
    room.hear("SIP/2.0 500");
    assert_eq!(room.rules(), [Rule::DuplicateInvite]);
}

#[test]
fn numbers_without_a_plus_and_a_foreign_host_in_from_are_noted() {
    let (_, _, rules) = refused(|invite| {
        *invite = Invite::to("4255559999");
        invite.from = "<sip:4255550142@carrier.example>".to_owned();
    });
    assert_eq!(rules, [Rule::FromHost, Rule::NumberForm, Rule::NumberForm]);
}

#[test]
fn methods_that_are_not_in_allow() {
    let (mut room, ours, answer) = connected();
    for (cseq, method) in [(2, "UPDATE"), (3, "INFO"), (4, "REFER"), (5, "PRACK")] {
        room.say(ours, &within(&answer, method, cseq, "", ""));
        let refusal = room.hear("SIP/2.0 405 Method Not Allowed");
        assert_eq!(refusal.header("ALLOW"), Some("INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY"));
    }
    assert_eq!(room.rules(), [Rule::MethodNotAllowed; 4]);
}

#[test]
fn a_message_without_x_ms_sbc_is_noted() {
    let mut room = Room::new();
    let ours = room.connect(0);
    let contact = format!("Contact: <sip:{SBC}:5067;transport=tls>\n");
    room.say(ours, &options_with(&contact).replace("X-MS-SBC", "X-Other"));
    assert_eq!(room.rules(), [Rule::XMsSbcMissing]);
}

#[test]
fn what_is_no_sip_is_answered_and_the_connection_lives() {
    let (mut room, ours) = Room::active();
    let invite = Invite::to("+14255550101").text();
    room.say(ours, &invite.replacen(" SIP/2.0", " SIP/3.0", 1));
    room.expect(ours, "SIP/2.0 505");
    room.say(ours, &invite);
    room.hear("SIP/2.0 180");
    assert_eq!(room.rules(), [Rule::Malformed]);
}

#[test]
fn a_retry_at_the_next_proxy_after_a_refusal() {
    let (mut room, ours) = Room::active();
    let mut invite = Invite::to("+14255559999");
    room.say(ours, &invite.text());
    room.hear("SIP/2.0 404");
    invite.call_id = "another@here".to_owned();
    invite.branch = "z9hG4bKagain".to_owned();
    let second = room.connect(1);
    room.say(second, &invite.text());
    assert_eq!(room.rules(), [Rule::RetryAfterRefusal]);
}

#[test]
fn customers_are_told_apart_by_the_name_in_contact() {
    let (mut room, ours) = Room::active_with(SandboxConfig::default());
    let mut invite = Invite::to("+14255550151");
    room.say(ours, &invite.text());
    room.hear("SIP/2.0 404");
    invite.call_id = "derived@here".to_owned();
    invite.branch = "z9hG4bKderived".to_owned();
    let host = "fabrikam.sbc1.contoso.example";
    invite.contact = format!("Contact: <sip:+14255550142@{host}:5067;transport=tls>\n");
    invite.from = format!("\"Ada\" <sip:+14255550142@{host};user=phone>");
    set_up(&mut room, ours, &invite);
    assert!(room.teams.calls().any(|call| call.user == "ines"));
    room.assert_clean();
}
