//! The program is killed in the middle of calls and started again: nothing is stuck, and calls are taken.

use crate::parts::lab::{AGENT, CALLER, SECOND_AGENT, TANDEM, THIRD};
use crate::parts::{Config, Lab, Sipp, Tandem, tone};

#[test]
fn calls_in_progress_are_closed_as_lost_and_agents_are_free_after_a_restart() {
    let lab = Lab::new();
    let config =
        Config::plain(&lab).with_queue(15, 1).with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT);
    let mut tandem = Tandem::start(&lab, config);
    tandem.set_agent("ben", "offline");
    let ada = Sipp::new(&lab, "agent", AGENT).pauses_ms(100).answers();
    let _ben = Sipp::new(&lab, "agent-silent", SECOND_AGENT).answers();

    // One talks, one rings, one waits.
    let direct =
        |name| Sipp::new(&lab, "caller-hears-bye", CALLER).named(name).once().args(&["-s", "+15550199"]);
    let talks = direct("talks").calls(&lab.sip(TANDEM));
    tandem.wait_stage("connected");
    tandem.set_agent("ben", "available");
    let other = Sipp::new(&lab, "caller-hears-bye", THIRD).args(&["-s", "+15550199", "-m", "2", "-r", "1"]);
    let others = other.calls(&lab.sip(TANDEM));
    tandem.wait_stage("offered");
    tandem.wait_stage("waiting");
    assert_eq!(tandem.live_calls().len(), 3);

    tandem.kill_and_restart();
    for lost in [talks, others, ada] {
        lost.kill();
    }
    let last = tandem.wait_closed(3);
    assert_eq!(last.call("outcome"), "lost");
    let calls = tandem.get("/api/v1/calls?state=closed")["calls"].as_array().unwrap().clone();
    for call in &calls {
        assert_eq!(call["outcome"], "lost", "{call}");
        tandem.story(call["id"].as_u64().unwrap()).tells(&["arrived", "closed lost"]);
    }
    assert_eq!(calls.len(), 3);
    assert!(tandem.live_calls().is_empty());
    tandem.wait_agent("ada", "available");
    tandem.set_agent("ben", "offline");

    let agent =
        Sipp::new(&lab, "agent", AGENT).named("again").pauses_ms(100).says(tone::AGENT, 3.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(4500);
    let mut caller = caller.says(tone::CALLER, 4.0).presses("0.5:1").calls(&lab.sip(TANDEM));
    caller.ends_well();
    tandem.wait_closed(4).tells(&["arrived", "connected ada", "closed handled"]);
    caller.ear().heard().has(tone::AGENT);
    agent.ear().heard().has(tone::CALLER);
}
