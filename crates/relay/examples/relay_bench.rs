//! The relay alone, for measuring: calls from a file, packets from outside, no signalling.
//!
//! `relay_bench CALLS SECONDS [WORKERS]`, where each line of the file CALLS is a call:
//! `OUR_PORT_A PORT_A OUR_PORT_B PORT_B KEY_FROM_A KEY_TO_A`, ports on 127.0.0.1, ours even, keys in base64 or `-`.
//! A load generator sends PCMA to our ports and counts what comes back; this program's processor time is the result.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tandem_media::codec::Codec;
use tandem_media::leg::{InterfaceId, LegCommand, LegId, Ports as _};
use tandem_media::negotiate::{Negotiated, PayloadTypes, SrtpPair};
use tandem_media::sdp::Direction;
use tandem_media::srtp::SrtpKey;
use tandem_relay::{Interface, Relay, RelayConfig};

/// One line of the file.
struct Call {
    our_ports: [u16; 2],
    far_ports: [u16; 2],
    /// Keys of side A: what it encrypts with, and what we encrypt with towards it.
    keys: Option<(SrtpKey, SrtpKey)>,
}

impl Call {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let mut port = || words.next()?.parse().ok();
        let (our_a, far_a, our_b, far_b) = (port()?, port()?, port()?, port()?);
        let keys = match (words.next()?, words.next()?) {
            ("-", _) | (_, "-") => None,
            (from, to) => Some((SrtpKey::from_inline(from)?, SrtpKey::from_inline(to)?)),
        };
        Some(Self { our_ports: [our_a, our_b], far_ports: [far_a, far_b], keys })
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let seconds = arguments.get(2).and_then(|s| s.parse().ok()).filter(|s| *s <= 300);
    let (Some(file), Some(seconds)) = (arguments.get(1), seconds) else {
        eprintln!("usage: relay_bench CALLS SECONDS(at most 300) [WORKERS]");
        return ExitCode::from(2);
    };
    let calls: Option<Vec<Call>> =
        std::fs::read_to_string(file).ok().and_then(|text| text.lines().map(Call::parse).collect());
    let Some(calls) = calls else {
        eprintln!("{file}: not a readable list of calls");
        return ExitCode::from(2);
    };
    match run(&calls, arguments.get(3).and_then(|w| w.parse().ok()), Duration::from_secs(seconds)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(calls: &[Call], workers: Option<usize>, time: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let ports = calls.iter().flat_map(|c| c.our_ports);
    // One interface for each port: the file says which port a leg is to have.
    let interfaces = ports.map(|p| Interface { bind: here, ports: p..=p + 1 }).collect();
    let mut relay = Relay::start(&RelayConfig { workers, ..RelayConfig::new(interfaces) }, Arc::new(|_| {}))?;
    let mut pool = relay.ports();
    for (number, call) in calls.iter().enumerate() {
        let legs = [number * 2, number * 2 + 1];
        for (side, leg) in legs.into_iter().enumerate() {
            let port = pool.reserve(InterfaceId(u16::try_from(leg)?))?;
            let leg = LegId(leg as u64);
            relay.command(LegCommand::Open { leg, port, affinity: number as u64, seed: leg.0 });
            let far = call.far_ports.get(side).copied().unwrap_or_default();
            let keys = call.keys.as_ref().filter(|_| side == 0);
            let negotiated = Arc::new(agreed(SocketAddr::new(here, far), keys));
            relay.command(LegCommand::Configure { leg, negotiated, latch: false });
        }
        let [a, b] = legs.map(|leg| LegId(leg as u64));
        relay.command(LegCommand::Bridge { a, b });
    }
    std::thread::sleep(time);
    Ok(())
}

fn agreed(remote: SocketAddr, keys: Option<&(SrtpKey, SrtpKey)>) -> Negotiated {
    let codec = Codec::pcma();
    let both = PayloadTypes { send: codec.payload_type, receive: codec.payload_type };
    Negotiated {
        remote,
        remote_rtcp: remote,
        rtcp_mux: true,
        codec,
        payload: both,
        also: Vec::new(),
        telephone_event: None,
        comfort_noise: None,
        srtp: keys.map(|(remote, local)| SrtpPair {
            local: local.clone(),
            remote: remote.clone(),
            remote_mki_octets: 0,
        }),
        direction: Direction::SendRecv,
        send: true,
        receive: true,
        ptime_ms: 20,
        remote_hold: false,
    }
}
