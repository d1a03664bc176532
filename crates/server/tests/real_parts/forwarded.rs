//! An agent's telephone sends the call on: whoever would answer there is not the agent.

use crate::parts::lab::{AGENT, CALLER, SECOND_AGENT, TANDEM};
use crate::parts::{Config, Lab, Sipp, Tandem, tone};

#[test]
fn the_call_is_taken_back_and_the_next_agent_rings() {
    let lab = Lab::new();
    let config =
        Config::plain(&lab).with_queue(15, 1).with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT);
    let tandem = Tandem::start(&lab, config);
    tandem.have_been_free_longest(&["ada", "ben"]);
    let ada = Sipp::new(&lab, "agent-forwards", AGENT).pauses_ms(800).answers();
    let ben = Sipp::new(&lab, "agent", SECOND_AGENT).pauses_ms(100).says(tone::SECOND_AGENT, 3.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(5500);
    let mut caller = caller.says(tone::CALLER, 5.0).presses("0.5:1").calls(&lab.sip(TANDEM));
    caller.ends_well();

    tandem.wait_closed(1).tells(&[
        "offered ada",
        "ringing ada",
        "offer_ended ada forwarded",
        "offered ben",
        "connected ben",
        "closed handled",
    ]);
    ada.wait_message("CANCEL sip:");
    caller.ear().heard().has(tone::SECOND_AGENT);
    ben.ear().heard().has(tone::CALLER);
}
