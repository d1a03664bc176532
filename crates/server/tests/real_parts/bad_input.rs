//! Nonsense on every socket while a call is in progress: the call goes on undisturbed.

use std::net::UdpSocket;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::parts::lab::{AGENT, CALLER, TANDEM, THIRD};
use crate::parts::sipp::Running;
use crate::parts::wire::{Datagrams, pour_over_tcp};
use crate::parts::{Lab, Sipp, Tandem, config, tone, until};

/// A caller talks to an agent for eight seconds.
fn a_call(lab: &Lab, tandem: &Tandem) -> (Running, Running) {
    let agent = Sipp::new(lab, "agent", AGENT).pauses_ms(100).says(tone::AGENT, 7.0).answers();
    let caller = Sipp::new(lab, "caller", CALLER).once().pauses_ms(8000).args(&["-s", "+15550199"]);
    let caller = caller.says(tone::CALLER, 7.5).calls(&lab.sip(TANDEM));
    tandem.wait_stage("connected");
    (caller, agent)
}

fn went_on(tandem: &mut Tandem, (mut caller, agent): (Running, Running)) {
    caller.ends_well();
    tandem.lives();
    until("the call is closed", || {
        let closed = tandem.get("/api/v1/calls?state=closed&limit=200")["calls"].as_array().unwrap().clone();
        closed.into_iter().find(|call| call["to"] == "+15550199" && call["outcome"] == "handled")
    });
    let heard = caller.ear().heard();
    heard.has(tone::AGENT);
    heard.has_not(tone::THIRD);
    assert!(
        heard.tenths(tone::AGENT) >= 60,
        "the agent was heard for {} tenths of a second",
        heard.tenths(tone::AGENT)
    );
    let heard = agent.ear().heard();
    heard.has(tone::CALLER);
    heard.has_not(tone::THIRD);
    assert!(
        heard.tenths(tone::CALLER) >= 60,
        "the caller was heard for {} tenths of a second",
        heard.tenths(tone::CALLER)
    );
}

/// The torture messages of RFC 4475 and RFC 5118, and Teams' messages, each whole, cut, and with its bytes changed.
fn torture() -> Vec<Vec<u8>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../sip/tests/torture"));
    let mut files = Vec::new();
    for part in ["rfc4475", "rfc5118", "teams"] {
        let mut names: Vec<_> =
            std::fs::read_dir(folder.join(part)).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        files.extend(names.into_iter().map(|path| std::fs::read(path).unwrap()));
    }
    assert!(files.len() > 60, "the fixtures are there: {}", files.len());
    let mut all = Vec::new();
    for whole in files {
        all.push(whole[..whole.len() / 2].to_vec());
        all.push(whole[..whole.len() - 1].to_vec());
        let shifted: Vec<u8> =
            whole.iter().enumerate().map(|(i, byte)| byte ^ u8::from(i % 13 == 0)).collect();
        all.push(shifted);
        all.push(whole);
    }
    all
}

/// Messages that are too large for anything.
fn oversized() -> Vec<Vec<u8>> {
    let start = "INVITE sip:+15550123@tandem.example SIP/2.0\r\n";
    let header = format!("X-Long: {}\r\n", "x".repeat(60_000));
    let many = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKmany\r\n".repeat(1100);
    let body = format!("{start}Content-Length: 60000\r\n\r\n{}", "v".repeat(60_000));
    let promise = format!("{start}Content-Length: 4294967295\r\n\r\nv=0");
    let negative = format!("{start}Content-Length: -1\r\n\r\nv=0");
    [
        start.repeat(1200),
        format!("{start}{header}\r\n"),
        format!("{start}{many}\r\n"),
        body,
        promise,
        negative,
    ]
    .map(String::into_bytes)
    .to_vec()
}

#[test]
fn malformed_truncated_and_oversized_messages_disturb_no_call() {
    let lab = Lab::new();
    let mut tandem = Tandem::start(&lab, config::usual(&lab));
    let call = a_call(&lab, &tandem);
    let stranger = Datagrams::at(&lab, THIRD);
    let bad: Vec<Vec<u8>> = torture().into_iter().chain(oversized()).collect();
    for bytes in &bad {
        stranger.send(&bytes[..bytes.len().min(65_000)]);
        while stranger.received().is_some() {}
    }
    for bytes in &bad {
        pour_over_tcp(&lab, bytes);
    }
    // A megabyte of one header, over a stream that never ends a message.
    pour_over_tcp(&lab, &[b"INVITE sip:a@b SIP/2.0\r\nX-Long: ".to_vec(), vec![b'x'; 1 << 20]].concat());
    assert!(tandem.figure("tandem_sip_faulty_messages_total") > 100);
    went_on(&mut tandem, call);
}

#[test]
fn a_flood_of_packets_from_a_stranger_is_not_heard() {
    let lab = Lab::new();
    let mut tandem = Tandem::start(&lab, config::usual(&lab));
    let call = a_call(&lab, &tandem);
    // The port stands in the answer to the caller; a stranger would have to guess it.
    let caller_port = port_in(&call.0);
    let agent_port = port_in(&call.1);
    let stranger = UdpSocket::bind(format!("{}:0", lab.ip(THIRD))).unwrap();
    let mut sent = 0_u32;
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        for _ in 0..4 {
            for port in [caller_port, agent_port] {
                for packet in [sound(sent), nonsense(sent)] {
                    // A full buffer is a lost packet.
                    let _ = stranger.send_to(&packet, format!("{}:{port}", lab.ip(TANDEM)));
                    let _ = stranger.send_to(&packet, format!("{}:{}", lab.ip(TANDEM), port + 1));
                }
            }
            sent += 1;
        }
        // A hundred times what a call has, and time for the call itself on a small machine.
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(sent > 1000, "{sent} packets are no flood");
    went_on(&mut tandem, call);
}

/// The media port that the program has told a telephone.
fn port_in(telephone: &Running) -> u16 {
    until("the program's description", || {
        let messages = telephone.messages();
        // SIPp's own description has port 7000.
        let mut ports = messages
            .lines()
            .filter_map(|line| line.strip_prefix("m=audio ")?.split(' ').next()?.parse().ok());
        ports.find(|port: &u16| *port != 7000)
    })
}

/// A packet that would be a tone if it were heard.
fn sound(number: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(u16::try_from(number & 0xffff).unwrap().to_be_bytes());
    packet.extend((number * 160).to_be_bytes());
    packet.extend(0x5715_5715_u32.to_be_bytes());
    packet.extend((0..160).map(|i| {
        let phase = std::f64::consts::TAU * f64::from(tone::THIRD) * f64::from(number * 160 + i) / 8000.0;
        // G.711 A-law, its loudest code of either sign.
        if phase.sin() < 0.0 { 0x2a } else { 0xaa }
    }));
    packet
}

/// A packet that is nothing at all.
fn nonsense(number: u32) -> Vec<u8> {
    (0..number % 200).map(|i| u8::try_from((i * 7 + number) % 256).unwrap()).collect()
}
