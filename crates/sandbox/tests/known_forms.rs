//! Messages of Teams have the form that public captures and Microsoft's samples show, byte for byte but for numbers
//! and names. `*` stands for what differs from call to call.

use tandem_sandbox::config::SandboxConfig;
use tandem_sandbox::teams::call::Placing;
use tandem_sandbox::teams::command::Act;
use tandem_sandbox::teams::transfer::Target;
use tandem_sandbox::teams::{Command, Done};

use crate::room::{ALLOW, Invite, Room, SBC, connected, description, options, within};

#[test]
fn the_answer_to_options_has_no_to_tag() {
    let mut room = Room::new();
    let ours = room.connect(0);
    room.say(ours, &options());
    room.expect(ours, "SIP/2.0 200").assert_like(
        "SIP/2.0 200 OK
        FROM: <sip:sbc1.contoso.example:5067>;tag=6b1f0e9a
        TO: <sip:sip.pstnhub.microsoft.com:5061>
        CSEQ: 184 OPTIONS
        CALL-ID: opt-000184-1@sbc1.contoso.example
        VIA: SIP/2.0/TLS sbc1.contoso.example:5067;branch=z9hG4bKopt7f31c2
        ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY
        SERVER: Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3
        CONTENT-LENGTH: 0",
    );
}

#[test]
fn options_of_teams() {
    let mut room = Room::new();
    let ours = room.connect(0);
    room.say(ours, &options());
    room.hear("OPTIONS").assert_like(
        "OPTIONS sip:sbc1.contoso.example:5067;transport=tls SIP/2.0
        FROM: <sip:sip-du-a-us.pstnhub.microsoft.com:5061>;tag=*
        TO: <sip:sbc1.contoso.example:5067>
        CSEQ: 1 OPTIONS
        CALL-ID: *
        MAX-FORWARDS: 70
        VIA: SIP/2.0/TLS 127.0.0.2:5061;branch=z9hG4bK*
        CONTACT: <sip:sip-du-a-us.pstnhub.microsoft.com:5061;transport=tls>
        USER-AGENT: Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3
        ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY
        CONTENT-LENGTH: 0",
    );
}

#[test]
fn a_call_to_a_user() {
    let (mut room, ours) = Room::active();
    room.say(ours, &Invite::to("+14255550101").text());
    room.hear("SIP/2.0 100").assert_like(
        "SIP/2.0 100 Trying
        FROM: \"Ada Client\" <sip:+14255550142@sbc1.contoso.example;user=phone>;tag=in5d2f
        TO: <sip:+14255550101@sip.pstnhub.microsoft.com;user=phone>
        CSEQ: 1 INVITE
        CALL-ID: 3f0c6a77-8d1e@sbc1.contoso.example
        VIA: SIP/2.0/TLS sbc1.contoso.example:5067;branch=z9hG4bKin0001
        ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY
        SERVER: Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3
        CONTENT-LENGTH: 0",
    );
    let ringing = room.hear("SIP/2.0 180");
    ringing.assert_like(
        "SIP/2.0 180 Ringing
        FROM: \"Ada Client\" <sip:+14255550142@sbc1.contoso.example;user=phone>;tag=in5d2f
        TO: <sip:+14255550101@sip.pstnhub.microsoft.com;user=phone>;tag=*
        CSEQ: 1 INVITE
        CALL-ID: 3f0c6a77-8d1e@sbc1.contoso.example
        VIA: SIP/2.0/TLS sbc1.contoso.example:5067;branch=z9hG4bKin0001
        RECORD-ROUTE: <sip:sip-du-a-us.pstnhub.microsoft.com:5061;transport=tls;lr>
        CONTACT: <sip:api-du-a-usea.pstnhub.microsoft.com:443;x-i=*-*-*-*-*;x-c=*/d/8/*>
        ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY
        SERVER: Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3
        CONTENT-LENGTH: 0",
    );
    let answer = room.hear("SIP/2.0 200");
    answer.assert_like(
        "SIP/2.0 200 OK
        FROM: \"Ada Client\" <sip:+14255550142@sbc1.contoso.example;user=phone>;tag=in5d2f
        TO: <sip:+14255550101@sip.pstnhub.microsoft.com;user=phone>;tag=*
        CSEQ: 1 INVITE
        CALL-ID: 3f0c6a77-8d1e@sbc1.contoso.example
        VIA: SIP/2.0/TLS sbc1.contoso.example:5067;branch=z9hG4bKin0001
        RECORD-ROUTE: <sip:sip-du-a-us.pstnhub.microsoft.com:5061;transport=tls;lr>
        CONTACT: <sip:api-du-a-usea.pstnhub.microsoft.com:443;x-i=*-*-*-*-*;x-c=*/d/8/*>
        SUPPORTED: timer
        SESSION-EXPIRES: 3600;refresher=uac
        REQUIRE: timer
        ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY
        SERVER: Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3
        CONTENT-TYPE: application/sdp
        CONTENT-LENGTH: 444

        v=0
        o=- * 0 IN IP4 127.0.0.1
        s=session
        c=IN IP4 127.0.0.2
        b=CT:10000000
        t=0 0
        m=audio 50000 RTP/SAVP 9 0 8 101 13
        c=IN IP4 127.0.0.2
        a=rtcp:50000
        a=rtcp-mux
        a=label:main-audio
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:*|2^31
        a=sendrecv
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=rtpmap:13 CN/8000
        a=ptime:20",
    );
    assert_ne!(ringing.tag("TO"), answer.tag("TO"), "the answer has a tag that no ringing had");
    room.say(ours, &within(&answer, "ACK", 1, "", ""));
    room.assert_clean();
}

#[test]
fn a_call_of_a_user() {
    let (mut room, _) = Room::active();
    let placing = Placing { number: "+14255550142".to_owned(), ..Placing::default() };
    let done = room.command(Command::Place { user: "alice".to_owned(), placing });
    assert!(matches!(done, Ok(Done::Call(_))));
    room.hear("INVITE").assert_like(
        "INVITE sip:+14255550142@sbc1.contoso.example:5067;user=phone;transport=tls SIP/2.0
        FROM: Alice Reyes<sip:+14255550101@sip.pstnhub.microsoft.com:5061;user=phone>;tag=*
        TO: <sip:+14255550142@sbc1.contoso.example:5067;user=phone>
        CSEQ: 1 INVITE
        CALL-ID: *
        MAX-FORWARDS: 70
        VIA: SIP/2.0/TLS 127.0.0.*:5061;branch=z9hG4bK*
        RECORD-ROUTE: <sip:sip-du-a-*.pstnhub.microsoft.com:5061;transport=tls;lr>
        CONTACT: <sip:api-du-a-*.pstnhub.microsoft.com:443;x-i=*-*-*-*-*;x-c=*/d/8/*>
        MIN-SE: 300
        SUPPORTED: timer
        SESSION-EXPIRES: 3600
        USER-AGENT: Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3
        ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY
        CONTENT-TYPE: application/sdp
        CONTENT-LENGTH: 574

        v=0
        o=- * 0 IN IP4 127.0.0.1
        s=session
        c=IN IP4 127.0.0.*
        b=CT:10000000
        t=0 0
        m=audio 50000 RTP/SAVP 104 9 103 18 0 8 101 13 118
        c=IN IP4 127.0.0.*
        a=rtcp:50000
        a=rtcp-mux
        a=label:main-audio
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:*|2^31
        a=sendrecv
        a=rtpmap:104 SILK/16000
        a=rtpmap:9 G722/8000
        a=rtpmap:103 SILK/8000
        a=rtpmap:18 G729/8000
        a=fmtp:18 annexb=no
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=rtpmap:13 CN/8000
        a=rtpmap:118 CN/16000
        a=ptime:20",
    );
}

#[test]
fn a_withheld_number_is_in_p_asserted_identity() {
    let mut config = SandboxConfig::default();
    config.trunks[0].forward_pai = true;
    let (mut room, _) = Room::active_with(config);
    let placing = Placing { number: "+14255550142".to_owned(), anonymous: true, ..Placing::default() };
    room.command(Command::Place { user: "alice".to_owned(), placing }).unwrap();
    let invite = room.hear("INVITE");
    assert!(
        invite.header("FROM").unwrap().starts_with("\"Anonymous\"<sip:anonymous@anonymous.invalid>;tag=")
    );
    let identity = invite.header("P-ASSERTED-IDENTITY");
    assert_eq!(identity, Some("<tel:+14255550101>,<sip:alice@contoso.example>"));
    assert_eq!(invite.header("PRIVACY"), Some("id"));
}

#[test]
fn a_forwarded_call_tells_its_history() {
    let mut config = SandboxConfig::default();
    config.trunks[0].forward_call_history = true;
    let (mut room, _) = Room::active_with(config);
    let placing = Placing {
        number: "+14255550199".to_owned(),
        forwarded_by: Some("alice".to_owned()),
        ..Placing::default()
    };
    room.command(Command::Place { user: "bela".to_owned(), placing }).unwrap();
    let invite =
        room.hear("INVITE sip:+14255550199@sbc1.contoso.example:5067;user=phone;transport=tls;cause=302");
    assert_eq!(
        invite.header("HISTORY-INFO").unwrap(),
        "<sip:+14255550101@sip.pstnhub.microsoft.com:5061;user=phone?Reason=SIP%3Bcause%3D302%3Btext%3D%22Moved%20Temporarily%22>;index=1,<sip:+14255550199@sip.pstnhub.microsoft.com:5061;user=phone>;index=1.1"
    );
    assert_eq!(
        invite.header("REFERRED-BY").unwrap(),
        "<sip:+14255550101@sip.pstnhub.microsoft.com:5061;user=phone>"
    );
}

#[test]
fn a_transfer_to_a_user() {
    let (mut room, _, _) = connected();
    room.act(Act::Transfer { to: Target::User("bela".to_owned()), hold_first: false });
    room.hear("REFER").assert_like(
        "REFER sip:+14255550142@sbc1.contoso.example:5067;transport=tls SIP/2.0
        FROM: <sip:+14255550101@sip.pstnhub.microsoft.com;user=phone>;tag=*
        TO: \"Ada Client\" <sip:+14255550142@sbc1.contoso.example;user=phone>;tag=in5d2f
        CSEQ: 1 REFER
        CALL-ID: 3f0c6a77-8d1e@sbc1.contoso.example
        MAX-FORWARDS: 70
        VIA: SIP/2.0/TLS 127.0.0.3:5061;branch=z9hG4bK*
        CONTACT: <sip:api-du-a-usea.pstnhub.microsoft.com:443;x-i=*-*-*-*-*;x-c=*/s/1/*>
        REFER-TO: <sip:sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:fa273707-89ea-4085-9903-ddf4ab236301>
        REFERRED-BY: <sip:sip.pstnhub.microsoft.com:5061;x-m=8:orgid:fa273707-89ea-4085-9903-ddf4ab236300;x-t=4dcafc31-d434-426b-a0bb-c376fb36061a;x-ti=*-*-*-*-*;x-tt=aHR0cHM6Ly9hcGktZHUtYS11c2VhLnBzdG5odWIubWljcm9zb2Z0LmNvbS92MS9uZ2MvY2FsbG5vdGlmaWNhdGlvbj9kY2k9*%3D>
        USER-AGENT: Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3
        ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY
        CONTENT-LENGTH: 0",
    );
}

#[test]
fn a_session_refresh_repeats_the_description() {
    let (mut room, ours) = Room::active();
    let placing = Placing { number: "+14255550142".to_owned(), ..Placing::default() };
    room.command(Command::Place { user: "alice".to_owned(), placing }).unwrap();
    let invite = room.hear("INVITE");
    let contact = format!("Contact: <sip:+14255550142@{SBC}:5067;transport=tls>");
    let answer = description("1", "127.0.0.1", 20020, "0 101 13", "sendrecv");
    room.reply(
        &invite,
        200,
        &[&contact, ALLOW, "Require: timer", "Session-Expires: 3600;refresher=uac"],
        &answer,
    );
    room.hear("ACK").assert_like(
        "ACK sip:+14255550142@sbc1.contoso.example:5067;transport=tls SIP/2.0
        FROM: Alice Reyes<sip:+14255550101@sip.pstnhub.microsoft.com:5061;user=phone>;tag=*
        TO: <sip:+14255550142@sbc1.contoso.example:5067;user=phone>;tag=sbc-77
        CSEQ: 1 ACK
        CALL-ID: *
        MAX-FORWARDS: 70
        VIA: SIP/2.0/TLS 127.0.0.*:5061;branch=z9hG4bK*
        CONTENT-LENGTH: 0",
    );
    let refresh = room.hear("INVITE");
    assert_eq!(refresh.body(), invite.body());
    assert_eq!(refresh.header("SESSION-EXPIRES"), Some("3600;refresher=uac"));
    assert!(
        refresh.text.starts_with("INVITE sip:+14255550142@sbc1.contoso.example:5067;transport=tls SIP/2.0\n")
    );
    room.reply(&refresh, 200, &[&contact, ALLOW], &answer);
    room.hear("ACK");
    let _ = ours;
    room.assert_clean();
}
