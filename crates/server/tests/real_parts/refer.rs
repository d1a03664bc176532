//! An agent hands the caller over with REFER: the target is rung, the agent is told, the caller talks to the target.

use crate::parts::authority::Authority;
use crate::parts::edge::{AGENTS_FACE, CALLERS_FACE, Edge};
use crate::parts::lab::{AGENT, CALLER, TANDEM, THIRD};
use crate::parts::sipp::Running;
use crate::parts::{Config, Lab, Sipp, Tandem, config, tone};

/// A center whose agent is behind a proxy that is spoken to as Teams is: TLS, and the name of the trunk in Contact.
struct World {
    lab: Lab,
    tandem: Tandem,
    _edge: Edge,
}

impl World {
    fn new() -> World {
        let lab = Lab::new();
        let authority = Authority::new(&lab);
        authority.writes("tandem", &["sbc1.contoso.example"]);
        authority.writes("edge", &["sip.proxy.example", &lab.ip(CALLERS_FACE), &lab.ip(AGENTS_FACE)]);
        let edge = Edge::start(&lab, &format!("sip:{}:5061;transport=tls", lab.ip(TANDEM)));
        let teams = format!(
            r#"
[[interfaces]]
name = "tls"
transport = "tls"
bind = "NET.1:5061"
certificates = [{{ certificate = "tandem.pem", key = "tandem.key" }}]
trust = "ca.pem"

[[trunks]]
name = "teams"
profile = "direct_routing"
interface = "tls"
media = "sound"
fqdn = "sbc1.contoso.example"
proxies = ["NET.{AGENTS_FACE}:5061"]
peers = ["NET.{AGENTS_FACE}", "NET.{CALLERS_FACE}"]
peer_names = ["sip.proxy.example"]
srtp = "forbidden"

[[agents]]
id = "ada"
name = "Agent ada"
ring = {{ line = "teams", phone = "+14255550101" }}
queues = ["support"]
starts = "available"
"#
        );
        let tandem = Tandem::start(&lab, Config::plain(&lab).with_queue(15, 1).and(&teams));
        World { lab, tandem, _edge: edge }
    }

    /// The agent, who refers the caller to a telephone behind the edge's other face.
    fn agent(&self) -> Sipp {
        let to = format!("sip:carol@{}:5061;transport=tls", self.lab.ip(CALLERS_FACE));
        let agent = Sipp::new(&self.lab, "agent-refers", AGENT).pauses_ms(2000).key("refer_to", &to);
        agent.says(tone::AGENT, 6.0)
    }

    /// A telephone behind the edge's other face.
    fn target(&self, scenario: &str) -> Sipp {
        Sipp::new(&self.lab, scenario, CALLER).pauses_ms(200)
    }

    /// A caller who talks for seven seconds.
    fn caller(&self) -> Running {
        let caller = Sipp::new(&self.lab, "caller", THIRD).once().pauses_ms(7000).args(&["-s", "+15550199"]);
        caller.says(tone::CALLER, 6.5).calls(&self.lab.sip(TANDEM))
    }
}

#[test]
fn an_agent_hands_the_caller_over() {
    let world = World::new();
    let target = world.target("agent").says(tone::THIRD, 3.0).answers();
    let mut agent = world.agent().once().answers();
    let mut caller = world.caller();
    agent.ends_well();
    world.tandem.wait_stage("transferred");
    caller.ends_well();

    let story = world.tandem.wait_closed(1);
    story.tells(&["connected ada", "transfer_asked ada", "transfer_ended done", "closed transferred"]);
    caller.ear().heard().has_in_order(&[tone::AGENT, tone::THIRD]);
    target.ear().heard().has(tone::CALLER);
    // What belongs to the other network came through unchanged, and the agent was told step by step.
    assert!(target.messages().contains("x-m=8:orgid:0001;x-tt=a%3Db"), "{}", target.messages());
    let told = agent.messages();
    let notified: Vec<&str> = told.split("NOTIFY sip:").skip(1).collect();
    assert!(
        notified.iter().all(|notify| notify.contains("Event: refer") && notify.contains("message/sipfrag")),
        "{told}"
    );
    let says =
        |notify: &&str, status| notify.split("\r\n\r\n").nth(1).is_some_and(|body| body.starts_with(status));
    for status in ["SIP/2.0 180 ", "SIP/2.0 200 "] {
        assert!(notified.iter().any(|notify| says(notify, status)), "no NOTIFY with {status:?}: {told}");
    }
    assert!(told.contains("@sbc1.contoso.example:5061"), "the trunk's name is in Contact: {told}");
    assert!(told.contains("X-MS-SBC: "), "{told}");
    let trunks = world.tandem.get("/api/v1/trunks").to_string();
    assert!(trunks.contains("\"up\""), "our OPTIONS are answered: {trunks}");
    world.tandem.wait_agent("ada", "available");
}

#[test]
fn a_target_that_declines_leaves_the_caller_with_the_agent() {
    let world = World::new();
    let _target = world.target("agent-declines").answers();
    // The scenario wants a NOTIFY with 200, and is given up on by the caller's BYE.
    let agent = world.agent().answers();
    let mut caller = world.caller();
    agent.wait_message("SIP/2.0 603 ");
    caller.ends_well();

    let story = world.tandem.wait_closed(1);
    story.tells(&[
        "transfer_asked ada",
        "transfer_ended failed",
        "conversation_ended caller",
        "closed handled",
    ]);
    let heard = caller.ear().heard().tenths(tone::AGENT);
    assert!(heard >= 40, "the conversation went on: {heard} tenths of a second were heard");
}

#[test]
fn a_telephone_of_a_carrier_hands_the_caller_over() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let target = Sipp::new(&lab, "agent", THIRD).pauses_ms(200).says(tone::THIRD, 3.0).answers();
    let to = format!("sip:carol@{}", lab.sip(THIRD));
    let agent = Sipp::new(&lab, "agent-refers", AGENT).once().pauses_ms(2000).key("refer_to", &to);
    let mut agent = agent.says(tone::AGENT, 4.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(6500).args(&["-s", "+15550199"]);
    let mut caller = caller.says(tone::CALLER, 6.0).calls(&lab.sip(TANDEM));
    agent.ends_well();
    caller.ends_well();

    let story = tandem.wait_closed(1);
    story.tells(&["connected ada", "transfer_asked ada", "transfer_ended done", "closed transferred"]);
    caller.ear().heard().has_in_order(&[tone::AGENT, tone::THIRD]);
    target.ear().heard().has(tone::CALLER);
}
