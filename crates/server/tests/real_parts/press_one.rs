//! Agents at telephones outside: only who presses 1 has taken the call; a voicemail never has.

use crate::parts::lab::{AGENT, CALLER, SECOND_AGENT, TANDEM};
use crate::parts::{Config, Lab, Sipp, Tandem, tone};

#[test]
fn a_telephone_that_answers_and_presses_nothing_never_gets_the_caller() {
    let lab = Lab::new();
    let config =
        Config::plain(&lab).with_queue(15, 1).with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT);
    let config = config.replacing("queues = [", "confirm = true\nqueues = [");
    let tandem = Tandem::start(&lab, config.and("[offers]\nconfirm = [\"song\"]\n"));
    tandem.have_been_free_longest(&["ada", "ben"]);
    let ada = Sipp::new(&lab, "agent", AGENT).pauses_ms(100).says(tone::AGENT, 9.0).answers();
    let ben = Sipp::new(&lab, "agent", SECOND_AGENT).pauses_ms(100).says(tone::SECOND_AGENT, 6.0);
    let ben = ben.presses("1.5:1").answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(18_000);
    let mut caller = caller.says(tone::CALLER, 17.5).presses("0.5:1").calls(&lab.sip(TANDEM));
    caller.ends_well();

    let story = tandem.wait_closed(1);
    story.tells(&[
        "offered ada",
        "offer_ended ada not_confirmed",
        "offered ben",
        "connected ben",
        "closed handled",
    ]);
    let heard = caller.ear().heard();
    heard.has_in_order(&[tone::MUSIC, tone::SECOND_AGENT]);
    heard.has_not(tone::AGENT);
    let ada = ada.ear().heard();
    ada.has(tone::MUSIC);
    ada.has_not(tone::CALLER);
    let ben = ben.ear().heard();
    ben.has_in_order(&[tone::MUSIC, tone::CALLER]);
}
