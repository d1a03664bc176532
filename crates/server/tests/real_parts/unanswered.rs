//! An agent who does not take a call is left alone, and the next one is rung, while the caller hears the music.

use crate::parts::lab::{AGENT, CALLER, SECOND_AGENT, TANDEM, THIRD};
use crate::parts::{Config, Lab, Sipp, Tandem, tone};

/// Rings for this many seconds: the shortest time that can be configured.
const RING_S: u32 = 5;

#[test]
fn the_next_agent_is_rung_when_one_does_not_answer() {
    let lab = Lab::new();
    let config =
        Config::plain(&lab).with_queue(RING_S, 1).with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT);
    let tandem = Tandem::start(&lab, config);
    tandem.have_been_free_longest(&["ada", "ben"]);
    let ada = Sipp::new(&lab, "agent-silent", AGENT).answers();
    let ben = Sipp::new(&lab, "agent", SECOND_AGENT).pauses_ms(200).says(tone::SECOND_AGENT, 3.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(10_000);
    let mut caller = caller.says(tone::CALLER, 9.5).presses("0.5:1").calls(&lab.sip(TANDEM));
    caller.ends_well();

    let story = tandem.wait_closed(1);
    story.tells(&[
        "offered ada",
        "ringing ada",
        "offer_ended ada missed",
        "offered ben",
        "connected ben",
        "closed",
    ]);
    assert_eq!(story.of("offered").len(), 2, "{}", story.text());
    assert_eq!(tandem.agent("ada"), "resting");
    assert!(ada.messages().contains("CANCEL sip:"), "the telephone rings on: {}", ada.messages());

    let heard = caller.ear().heard();
    heard.has_in_order(&[tone::MUSIC, tone::SECOND_AGENT]);
    let music = heard.tenths(tone::MUSIC);
    assert!(music >= 40, "the music played for {music} tenths of a second of {RING_S} s of ringing");
    ben.ear().heard().has(tone::CALLER);
}

#[test]
fn busy_and_declining_agents_are_passed_over() {
    let lab = Lab::new();
    let config = Config::plain(&lab).with_queue(RING_S, 1);
    let config = config.with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT).with_agent("cyd", THIRD);
    let tandem = Tandem::start(&lab, config);
    tandem.have_been_free_longest(&["ada", "ben", "cyd"]);
    let _ada = Sipp::new(&lab, "agent-busy", AGENT).pauses_ms(100).answers();
    let _ben = Sipp::new(&lab, "agent-declines", SECOND_AGENT).pauses_ms(100).answers();
    let cyd = Sipp::new(&lab, "agent", THIRD).pauses_ms(100).says(tone::THIRD, 3.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(5500);
    let mut caller = caller.says(tone::CALLER, 5.0).presses("0.5:1").calls(&lab.sip(TANDEM));
    caller.ends_well();

    tandem.wait_closed(1).tells(&[
        "offered ada",
        "offer_ended ada busy",
        "offered ben",
        "offer_ended ben declined",
        "offered cyd",
        "connected cyd",
        "closed handled",
    ]);
    let resting = |agent: &str| tandem.get(&format!("/api/v1/agents/{agent}"))["rest_cause"].clone();
    assert_eq!((resting("ada"), resting("ben")), ("busy".into(), "declined".into()));
    caller.ear().heard().has(tone::THIRD);
    cyd.ear().heard().has(tone::CALLER);
}

#[test]
fn a_telephone_that_is_not_there_is_passed_over() {
    let lab = Lab::new();
    let ada = format!("sip:ada@{}", lab.sip(AGENT));
    let config = Config::plain(&lab).with_queue(RING_S, 1);
    let config = config.with_agent_at("ada", "lab-tcp", &ada).with_agent("ben", SECOND_AGENT);
    let tandem = Tandem::start(&lab, config);
    tandem.have_been_free_longest(&["ada", "ben"]);
    let _ben = Sipp::new(&lab, "agent", SECOND_AGENT).pauses_ms(100).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(3000);
    let mut caller = caller.says(tone::CALLER, 2.5).presses("0.5:1").calls(&lab.sip(TANDEM));
    caller.ends_well();
    tandem.wait_closed(1).tells(&[
        "offered ada",
        "offer_ended ada unreachable",
        "offered ben",
        "connected ben",
        "closed",
    ]);
}
