//! Either side puts the call on hold and takes it back, and both hear each other again.

use crate::parts::lab::{AGENT, CALLER, TANDEM};
use crate::parts::{Lab, Sipp, Tandem, config, tone};

#[test]
fn a_caller_holds_and_resumes() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let agent = Sipp::new(&lab, "agent", AGENT).says(tone::AGENT, 9.0).pauses_ms(100).answers();
    // Talks, holds and talks again, three seconds each.
    let caller = Sipp::new(&lab, "caller-holds", CALLER).once().pauses_ms(3000).args(&["-s", "+15550199"]);
    let mut caller = caller.says(tone::CALLER, 8.5).calls(&lab.sip(TANDEM));
    caller.ends_well();

    let story = tandem.wait_closed(1);
    story.tells(&[
        "connected ada",
        "held caller",
        "resumed caller",
        "conversation_ended caller",
        "closed handled",
    ]);
    let held_us = story.of("resumed")[0]["held_us"].as_u64().unwrap();
    assert!(held_us > 1_000_000, "held for {held_us} us");
    // A caller who holds with sendonly is heard on, and hears nothing meanwhile.
    agent.ear().heard().has(tone::CALLER);
    caller.ear().heard().has(tone::AGENT);
    let heard = caller.ear().heard().tenths(tone::AGENT);
    assert!(
        (30..70).contains(&heard),
        "of nine seconds, three of them held, {heard} tenths of a second were heard"
    );
    let silence_ms = caller.ear().report()["silence_ms_max"].as_u64().unwrap();
    assert!(
        silence_ms > 2000,
        "nothing is sent to a telephone that only sends: longest silence {silence_ms} ms"
    );
}

#[test]
fn an_agent_holds_as_teams_does_and_the_caller_hears_the_music_meanwhile() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, config::usual(&lab));
    let agent = Sipp::new(&lab, "agent-holds", AGENT).says(tone::AGENT, 12.0).pauses_ms(3000).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(9500).args(&["-s", "+15550199"]);
    let mut caller = caller.says(tone::CALLER, 9.0).calls(&lab.sip(TANDEM));
    caller.ends_well();

    let story = tandem.wait_closed(1);
    story.tells(&[
        "connected ada",
        "held agent",
        "resumed agent",
        "conversation_ended caller",
        "closed handled",
    ]);
    let ended = story.of("conversation_ended")[0].clone();
    let (held_us, talked_us) = (ended["held_us"].as_u64().unwrap(), ended["talked_us"].as_u64().unwrap());
    assert!(held_us > 1_000_000 && talked_us > 1_000_000, "held {held_us} us, talked {talked_us} us");
    caller.ear().heard().has_in_order(&[tone::AGENT, tone::MUSIC, tone::AGENT]);
    agent.ear().heard().has(tone::CALLER);
}
