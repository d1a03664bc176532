//! A caller over UDP gets to an agent by the menu and the queue, and both hear each other until one hangs up.

use crate::parts::lab::{AGENT, CALLER, TANDEM};
use crate::parts::{Lab, Sipp, Tandem, config, tone};

#[test]
fn a_caller_reaches_an_agent_and_hangs_up() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let agent = Sipp::new(&lab, "agent", AGENT).pauses_ms(1500).says(tone::AGENT, 4.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(6500);
    let mut caller = caller.says(tone::CALLER, 6.0).presses("1:1").calls(&lab.sip(TANDEM));
    caller.ends_well();

    let story = tandem.wait_closed(1);
    let told = [
        "arrived",
        "answered",
        "step_begun",
        "menu_chosen",
        "step_begun",
        "queue_entered",
        "offered",
        "ringing",
        "connected",
        "ending",
        "conversation_ended",
        "quality",
        "quality",
        "call_ended",
        "wrap_up_ended",
        "closed",
    ];
    assert_eq!(story.kinds(), told, "{}", story.text());
    story.tells(&["menu_chosen 1", "offered ada", "conversation_ended caller", "closed handled"]);
    assert_eq!(story.call("from"), "+15550100");
    assert_eq!(story.call("to"), "+15550123");

    caller.ear().heard().has_in_order(&[tone::MUSIC, tone::AGENT]);
    agent.ear().heard().has(tone::CALLER);
    tandem.wait_agent("ada", "available");
    assert_eq!(tandem.stop(), Some(0));
}

#[test]
fn an_agent_hangs_up_wraps_up_and_is_free_for_the_next_caller() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let agent = Sipp::new(&lab, "agent-hangs-up", AGENT).pauses_ms(2500).says(tone::AGENT, 2.0).answers();
    for call in 1..=2 {
        let caller = Sipp::new(&lab, "caller-hears-bye", CALLER).named(&format!("caller-{call}")).once();
        let mut caller = caller.says(tone::CALLER, 4.0).presses("0.5:1").calls(&lab.sip(TANDEM));
        caller.ends_well();
        let story = tandem.wait_closed(call);
        story.tells(&["connected ada", "conversation_ended agent", "wrap_up_ended timer", "closed handled"]);
        caller.ear().heard().has(tone::AGENT);
        tandem.wait_agent("ada", "available");
    }
    agent.ear().heard().has(tone::CALLER);
}
