//! A caller hangs up before an agent has answered.

use crate::parts::lab::{AGENT, CALLER, TANDEM};
use crate::parts::{Lab, Sipp, Tandem, config, tone};

#[test]
fn a_caller_hangs_up_while_waiting_and_nobody_is_rung() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    tandem.set_agent("ada", "break");
    let agent = Sipp::new(&lab, "agent", AGENT).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(3000).args(&["-s", "+15550199"]);
    let mut caller = caller.says(tone::CALLER, 2.5).calls(&lab.sip(TANDEM));
    tandem.wait_stage("waiting");
    caller.ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["queue_entered", "queue_left abandoned", "closed abandoned_in_queue"]);
    assert!(story.of("offered").is_empty(), "{}", story.text());
    caller.ear().heard().has(tone::MUSIC);
    // Whoever is free now is not rung for somebody who has gone.
    tandem.set_agent("ada", "available");
    assert_eq!(tandem.agent("ada"), "available");
    assert_eq!(agent.messages(), "");
}

#[test]
fn a_caller_hangs_up_while_an_agent_is_rung_and_the_telephone_shows_no_missed_call() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let agent = Sipp::new(&lab, "agent-silent", AGENT).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(5000).args(&["-s", "+15550199"]);
    let mut caller = caller.calls(&lab.sip(TANDEM));
    tandem.wait_stage("offered");
    caller.ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["offered ada", "offer_ended ada caller_gone", "closed abandoned_in_queue"]);
    agent.wait_message("CANCEL sip:");
    agent.wait_message("Reason: SIP;cause=200;text=\"Call completed elsewhere\"");
    // Not the agent's fault: no rest.
    assert_eq!(tandem.agent("ada"), "available");
}

#[test]
fn a_caller_hangs_up_in_the_menu() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let mut caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(500).calls(&lab.sip(TANDEM));
    caller.ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["arrived", "answered", "step_begun", "closed abandoned_in_flow"]);
    assert!(story.of("queue_entered").is_empty(), "{}", story.text());
}
