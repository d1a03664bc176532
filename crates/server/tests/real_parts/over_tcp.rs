//! The same call over TCP on both sides, and over TCP on one and UDP on the other.

use crate::parts::lab::{AGENT, CALLER, TANDEM};
use crate::parts::{Config, Lab, Sipp, Tandem, tone};

#[test]
fn a_caller_over_tcp_reaches_an_agent_over_tcp() {
    let lab = Lab::new();
    let ada = format!("sip:ada@{}", lab.sip(AGENT));
    let config = Config::plain(&lab).with_queue(15, 1).with_agent_at("ada", "lab-tcp", &ada);
    let tandem = Tandem::start(&lab, config);
    let agent = Sipp::new(&lab, "agent", AGENT).tcp().pauses_ms(200).says(tone::AGENT, 3.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).tcp().once().pauses_ms(5000);
    let mut caller = caller.says(tone::CALLER, 4.5).presses("1:1").calls(&lab.sip(TANDEM));
    caller.ends_well();
    tandem.wait_closed(1).tells(&[
        "arrived lab-tcp",
        "connected ada",
        "conversation_ended caller",
        "closed handled",
    ]);
    caller.ear().heard().has(tone::AGENT);
    agent.ear().heard().has(tone::CALLER);
    // Both sides of the wire were TCP: what SIPp wrote into Via, and what came to it.
    assert!(agent.messages().contains("Via: SIP/2.0/TCP"), "{}", agent.messages());
    assert!(!agent.messages().contains("SIP/2.0/UDP"), "{}", agent.messages());
}

#[test]
fn a_caller_over_tcp_is_hung_up_on_by_an_agent_over_udp() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, Config::plain(&lab).with_queue(15, 1).with_agent("ada", AGENT));
    let agent = Sipp::new(&lab, "agent-hangs-up", AGENT).pauses_ms(2500).says(tone::AGENT, 2.0).answers();
    let caller = Sipp::new(&lab, "caller-hears-bye", CALLER).tcp().once();
    let mut caller = caller.says(tone::CALLER, 4.0).presses("0.5:1").calls(&lab.sip(TANDEM));
    caller.ends_well();
    tandem.wait_closed(1).tells(&[
        "arrived lab-tcp",
        "connected ada",
        "conversation_ended agent",
        "closed handled",
    ]);
    caller.ear().heard().has(tone::AGENT);
    agent.ear().heard().has(tone::CALLER);
}
