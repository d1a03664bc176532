//! Kamailio stands between SIPp and the program: TLS with certificates checked both ways, on both sides of a call.

use crate::parts::authority::Authority;
use crate::parts::edge::{AGENTS_FACE, CALLERS_FACE, Edge};
use crate::parts::lab::{AGENT, CALLER, TANDEM};
use crate::parts::{Config, Lab, Sipp, Tandem, tone};

/// A line to callers and one to agents, both over the edge; no interface but TLS.
fn config(lab: &Lab) -> Config {
    let text = r#"
[[interfaces]]
name = "tls"
transport = "tls"
bind = "NET.1:5061"
certificates = [{ certificate = "tandem.pem", key = "tandem.key" }]
trust = "ca.pem"

[[trunks]]
name = "callers"
profile = "carrier"
interface = "tls"
media = "sound"
peers = ["NET.CALLERS"]
proxies = ["NET.CALLERS:5061"]

[[trunks]]
name = "agents"
profile = "carrier"
interface = "tls"
media = "sound"
peers = ["NET.AGENTS"]
proxies = ["NET.AGENTS:5061"]
"#;
    let text = text.replace("CALLERS", &CALLERS_FACE.to_string()).replace("AGENTS", &AGENTS_FACE.to_string());
    Config::new(lab).and(&text).with_queue(15, 1).with_agent_at("ada", "agents", "sip:ada@agents.example")
}

fn start(lab: &Lab) -> (Tandem, Edge) {
    let authority = Authority::new(lab);
    authority.writes("tandem", &[&lab.ip(TANDEM)]);
    authority.writes("edge", &[&lab.ip(CALLERS_FACE), &lab.ip(AGENTS_FACE)]);
    let edge = Edge::start(lab, &format!("sip:{}:5061;transport=tls", lab.ip(TANDEM)));
    (Tandem::start(lab, config(lab)), edge)
}

#[test]
fn a_caller_behind_the_edge_reaches_an_agent_behind_it_and_hangs_up() {
    let lab = Lab::new();
    let (tandem, _edge) = start(&lab);
    let agent = Sipp::new(&lab, "agent", AGENT).pauses_ms(200).says(tone::AGENT, 3.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(5000);
    let mut caller = caller.says(tone::CALLER, 4.5).presses("1:1").calls(&lab.sip(CALLERS_FACE));
    caller.ends_well();
    tandem.wait_closed(1).tells(&[
        "arrived callers",
        "connected ada",
        "conversation_ended caller",
        "closed handled",
    ]);
    caller.ear().heard().has(tone::AGENT);
    agent.ear().heard().has(tone::CALLER);
    assert!(agent.messages().contains("Via: SIP/2.0/TLS"), "TLS up to the edge: {}", agent.messages());
}

#[test]
fn an_agent_behind_the_edge_hangs_up() {
    let lab = Lab::new();
    let (tandem, _edge) = start(&lab);
    let agent = Sipp::new(&lab, "agent-hangs-up", AGENT).pauses_ms(2500).says(tone::AGENT, 2.0).answers();
    let caller = Sipp::new(&lab, "caller-hears-bye", CALLER).once();
    let mut caller = caller.says(tone::CALLER, 4.0).presses("0.5:1").calls(&lab.sip(CALLERS_FACE));
    caller.ends_well();
    tandem.wait_closed(1).tells(&[
        "arrived callers",
        "connected ada",
        "conversation_ended agent",
        "closed handled",
    ]);
    caller.ear().heard().has(tone::AGENT);
    agent.ear().heard().has(tone::CALLER);
}
