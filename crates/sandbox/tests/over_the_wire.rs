//! The whole of Teams over real sockets: TLS both ways, OPTIONS, a call, SRTP with tones both ways.

use std::net::SocketAddr;
use std::time::SystemTime;

use serde_json::json;
use tandem_sandbox::Running;
use tandem_sandbox::authority::{Authority, CertificateRequest, KeyKind, Usages};
use tokio::net::{TcpListener, UdpSocket};

use crate::border::{Door, Line, Voice, certificate, connect, connect_with};
use crate::common::{assert_clean, config, event, folder, hears_tone, http, shows, start};
use crate::room::{ALLOW, Invite, SBC, description, options, within};

const OUR_KEY: &str = "LNVzguyf80CS1oivSv3A2GQYnbG8VAuYhZ0N035L";

/// A sandbox whose trunk is us, active.
async fn active(name: &str) -> (Running, Door, Line) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(name);
    config.trunks[0].signalling_port = listener.local_addr().unwrap().port();
    config.tenants[0].users[0].behaviour.reaction =
        tandem_sandbox::user::Reaction::Answer { after_ms: 10, spread_ms: 0 };
    let sandbox = start(config).await;
    let door = Door::open(listener, sandbox.addresses());
    let mut ours = connect(sandbox.addresses(), 0, Some(certificate(sandbox.addresses()))).await.unwrap();
    ours.say(&options()).await;
    ours.hear("SIP/2.0 200").await;
    let mut theirs = door.accept().await;
    let ping = theirs.hear("OPTIONS").await;
    answer(&mut theirs, &ping, &[&format!("Contact: <sip:{SBC}:5067;transport=tls>"), ALLOW], "").await;
    event(sandbox.addresses().control, |event| event["event"] == "trunk_active").await;
    (sandbox, door, ours)
}

async fn answer(line: &mut Line, request: &crate::room::Heard, headers: &[&str], body: &str) {
    let mut text = "SIP/2.0 200 OK\n".to_owned();
    for name in ["VIA", "RECORD-ROUTE", "FROM", "TO", "CALL-ID", "CSEQ"] {
        let Some(value) = request.header(name) else { continue };
        let tag = if name == "TO" && !value.contains(";tag=") { ";tag=sbc-77" } else { "" };
        text += &format!("{name}: {value}{tag}\n");
    }
    for header in headers {
        text += &format!("{header}\n");
    }
    text += "X-MS-SBC: Example/ExampleSBC/1.0.0\n";
    line.say(&format!("{text}\n{body}")).await;
}

#[tokio::test]
async fn a_call_with_tones_both_ways_and_a_bye_from_a_new_connection() {
    let (sandbox, door, mut ours) = active("wire-call").await;
    let control = sandbox.addresses().control;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut invite = Invite::to("+14255550101");
    invite.sdp = description("1", "127.0.0.1", port, "0 101", "sendrecv");
    invite.contact = format!("Contact: <sip:+14255550142@{SBC}:{};transport=tls>\n", door.port());
    ours.say(&invite.text()).await;
    ours.hear("SIP/2.0 180").await;
    let answered = ours.hear("SIP/2.0 200").await;
    ours.say(&within(&answered, "ACK", 1, "", "")).await;
    let mut voice = Voice::new(socket, OUR_KEY, answered.body());
    voice.speak(700.0).await;
    event(control, |event| event["user"] == "alice" && hears_tone(event, "call_hears", 700)).await;
    assert!(voice.tone().await.abs_diff(440) <= 4);
    shows(sandbox.addresses().http, "alice", "InACall").await;

    let (status, _) = http(control, "POST", "/users/alice/hangup", None).await;
    assert_eq!(status, 204);
    let mut new = door.accept().await;
    let bye = new.hear("BYE").await;
    answer(&mut new, &bye, &[], "").await;
    event(control, |event| event["event"] == "call_ended").await;
    let (_, calls) = http(control, "GET", "/calls", None).await;
    assert_eq!((&calls[0]["state"], &calls[0]["user"]), (&json!("ended"), &json!("alice")));
    assert_eq!(calls[0]["heard"]["received"], 50);
    shows(sandbox.addresses().http, "alice", "Available").await;
    assert_clean(control).await;
}

#[tokio::test]
async fn a_call_of_a_user_over_http() {
    let (sandbox, door, _ours) = active("wire-place").await;
    let control = sandbox.addresses().control;
    let body = json!({"number": "+14255550142"});
    let (status, placed) = http(control, "POST", "/users/alice/call", Some(body)).await;
    assert_eq!((status, &placed["call"]), (201, &json!(1)));
    let mut theirs = door.accept().await;
    let invite = theirs.hear("INVITE").await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let answered = description("1", "127.0.0.1", socket.local_addr().unwrap().port(), "0 101", "sendrecv");
    let contact = format!("Contact: <sip:+14255550142@{SBC}:{};transport=tls>", door.port());
    answer(&mut theirs, &invite, &[&contact, ALLOW], &answered).await;
    theirs.hear("ACK").await;
    let mut voice = Voice::new(socket, OUR_KEY, invite.body());
    assert!(voice.tone().await.abs_diff(440) <= 4);
    assert_clean(control).await;
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let mut config = config("wire-versions");
    config.keys = KeyKind::Rsa;
    let sandbox = start(config).await;
    let at = sandbox.addresses();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut line = connect_with(at, 0, Some(certificate(at)), &[version]).await.unwrap();
        line.say(&options()).await;
        line.hear("SIP/2.0 200").await;
    }
}

async fn tls_violations(control: SocketAddr) -> usize {
    let (_, violations) = http(control, "GET", "/violations", None).await;
    violations.as_array().unwrap().iter().filter(|violation| violation["rule"] == "tls_refused").count()
}

#[tokio::test]
async fn certificates_that_teams_does_not_take() {
    let sandbox = start(config("wire-certificates")).await;
    let at = sandbox.addresses().clone();
    let now = SystemTime::now();
    let own = Authority::open(at.root.parent().unwrap(), KeyKind::Ecdsa, now).unwrap();
    let other = Authority::open(&folder("wire-other-authority"), KeyKind::Ecdsa, now).unwrap();
    let good = CertificateRequest::server_only([SBC]);
    let expired = CertificateRequest { lifetime: std::time::Duration::ZERO, ..good.clone() };
    let client_only = CertificateRequest { usages: Usages::ClientOnly, ..good.clone() };
    let of = |identity: tandem_sandbox::authority::Identity| Some((identity.chain, identity.key));
    let mut without_issuer = own.issue(&good, now).unwrap();
    without_issuer.chain.truncate(1);

    let refused = [
        None,
        of(other.issue(&good, now).unwrap()),
        of(own.issue(&expired, now).unwrap()),
        of(own.issue(&client_only, now).unwrap()),
        of(without_issuer),
    ];
    for (certificate, count) in refused.into_iter().zip(1..) {
        assert!(connect(&at, 1, certificate).await.is_err());
        assert_eq!(tls_violations(at.control).await, count);
    }
    let both = CertificateRequest { usages: Usages::ServerAndClient, ..good.clone() };
    for certificate in [of(own.issue(&good, now).unwrap()), of(own.issue(&both, now).unwrap())] {
        assert!(connect(&at, 2, certificate).await.is_ok());
    }
}

#[tokio::test]
async fn a_proxy_is_stopped_and_started_over_http() {
    let sandbox = start(config("wire-down")).await;
    let at = sandbox.addresses().clone();
    let line = connect(&at, 1, Some(certificate(&at))).await.unwrap();
    let (status, _) = http(at.control, "PUT", "/proxies/sip2", Some(json!({"state": "down"}))).await;
    assert_eq!(status, 204);
    assert!(line.closed().await);
    assert!(connect(&at, 1, Some(certificate(&at))).await.is_err());
    http(at.control, "PUT", "/proxies/2", Some(json!({"state": "up"}))).await;
    assert!(connect(&at, 1, Some(certificate(&at))).await.is_ok());
    let (_, proxies) = http(at.control, "GET", "/proxies", None).await;
    assert_eq!(proxies[1]["state"], "up");
}

#[tokio::test]
async fn a_trunk_without_address_or_with_another_certificate_is_told() {
    let (sandbox, door, mut ours) = active("wire-trunk-gone").await;
    let control = sandbox.addresses().control;
    drop(door);
    http(control, "DELETE", &format!("/dns/{SBC}"), None).await;
    http(control, "POST", "/users/alice/call", Some(json!({"number": "+1"}))).await;
    let ended = event(control, |event| event["event"] == "call_ended").await;
    assert_eq!((&ended["status"], &ended["sub_code"]), (&json!(504), &json!(569_002)));
    ours.say(&options()).await;
    ours.hear("SIP/2.0 200").await;
}

#[tokio::test]
async fn what_is_wrong_with_a_command_is_said() {
    let sandbox = start(config("wire-commands")).await;
    let at = sandbox.addresses().control;
    for (method, path, body, status) in [
        ("POST", "/users/nobody/hold", None, 404),
        ("PUT", "/users/nobody", Some(json!({})), 404),
        ("POST", "/users/alice/call", Some(json!({"number": "+1"})), 409),
        ("POST", "/calls/7/dance", None, 404),
        ("POST", "/calls/7/digits", Some(json!({"digits": "x"})), 422),
        ("PUT", "/users/alice", Some(json!({"reaction": {"explode": {}}})), 422),
        ("PUT", "/proxies/sip9", Some(json!({"state": "up"})), 404),
        ("POST", "/callers", Some(json!({})), 404),
    ] {
        let (answered, said) = http(at, method, path, body).await;
        assert_eq!(answered, status, "{method} {path}: {said}");
    }
    let busy = json!({"reaction": "busy", "clients": 3});
    assert_eq!(http(at, "PUT", "/users/alice", Some(busy)).await.0, 204);
    let (_, users) = http(at, "GET", "/users", None).await;
    assert_eq!((&users[0]["id"], &users[0]["behaviour"]["reaction"]), (&json!("alice"), &json!("busy")));
}
