//! All agents ring at once; one answers, and the others do not even miss a call.

use crate::parts::lab::{AGENT, CALLER, SECOND_AGENT, TANDEM, THIRD};
use crate::parts::{Config, Lab, Sipp, Tandem, tone};

#[test]
fn who_answers_first_has_the_caller_and_the_others_stop_ringing() {
    let lab = Lab::new();
    let config = Config::plain(&lab).with_queue(15, 1).queue("strategy = \"ring_all\"");
    let config = config.with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT).with_agent("cyd", THIRD);
    let tandem = Tandem::start(&lab, config);
    let ada = Sipp::new(&lab, "agent-silent", AGENT).answers();
    let ben = Sipp::new(&lab, "agent", SECOND_AGENT).pauses_ms(1500).says(tone::SECOND_AGENT, 4.0).answers();
    let cyd = Sipp::new(&lab, "agent-silent", THIRD).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(6500);
    let mut caller = caller.says(tone::CALLER, 6.0).presses("0.5:1").calls(&lab.sip(TANDEM));
    caller.ends_well();

    let story = tandem.wait_closed(1);
    assert_eq!(story.of("offered").len(), 3, "{}", story.text());
    story.tells(&["offered ada", "connected ben", "closed handled"]);
    for (agent, telephone) in [("ada", &ada), ("cyd", &cyd)] {
        story.tells(&[&format!("offer_ended {agent} answered_elsewhere")]);
        telephone.wait_message("CANCEL sip:");
        let messages = telephone.messages();
        assert!(messages.contains("Reason: SIP;cause=200"), "no missed call is shown: {messages}");
        assert_eq!(tandem.agent(agent), "available", "nobody rests who missed nothing");
    }
    let heard = caller.ear().heard();
    heard.has_in_order(&[tone::MUSIC, tone::SECOND_AGENT]);
    ben.ear().heard().has(tone::CALLER);
}

#[test]
fn of_two_who_answer_at_the_same_moment_one_is_heard() {
    let lab = Lab::new();
    let config = Config::plain(&lab).with_queue(15, 1).queue("strategy = \"ring_all\"");
    let tandem = Tandem::start(&lab, config.with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT));
    let ada = Sipp::new(&lab, "agent", AGENT).pauses_ms(1000).says(tone::AGENT, 4.0).answers();
    let ben = Sipp::new(&lab, "agent", SECOND_AGENT).pauses_ms(1000).says(tone::SECOND_AGENT, 4.0).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(5500);
    let mut caller = caller.says(tone::CALLER, 5.0).presses("0.5:1").calls(&lab.sip(TANDEM));
    caller.ends_well();

    let story = tandem.wait_closed(1);
    assert_eq!(story.of("connected").len(), 1, "{}", story.text());
    let ada_won = story.of("connected")[0]["agent"] == "ada";
    let (winner, loser) = if ada_won { (&ada, &ben) } else { (&ben, &ada) };
    let (heard, unheard) =
        if ada_won { (tone::AGENT, tone::SECOND_AGENT) } else { (tone::SECOND_AGENT, tone::AGENT) };
    caller.ear().heard().has(heard);
    caller.ear().heard().has_not(unheard);
    winner.ear().heard().has(tone::CALLER);
    let messages = loser.messages();
    assert!(messages.contains("BYE sip:") || messages.contains("CANCEL sip:"), "{messages}");
    if messages.contains("BYE sip:") {
        loser.ear().heard().has_not(tone::CALLER);
    }
}
