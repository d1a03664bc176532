//! What becomes of callers whom nobody can take: full, closed, nobody signed in, too long a wait and the ladder of
//! overflow, with every action that an operator can name for them.

use serde_json::{Value, json};

use crate::parts::lab::{AGENT, CALLER, CALLERS, CUSTOMER, SECOND_AGENT, TANDEM, THIRD};
use crate::parts::sound::wav;
use crate::parts::{Config, Lab, Running, Sipp, Tandem, tone};

/// The usual center, with this about the queue. Its agent Ada has a break.
fn center(lab: &Lab, queue: &str) -> Config {
    let config = Config::plain(lab).with_queue(60, 0).queue(queue).with_agent("ada", AGENT);
    config.replacing("starts = \"available\"", "starts = \"break\"")
}

/// The same with a queue "night" and its agent Nia, who is at work.
fn with_night(lab: &Lab, queue: &str) -> Config {
    center(lab, queue).with_other_queue("night", "+15550177", "").with_agent_of(&["night"], "nia", THIRD)
}

/// Somebody calls the queue and waits until the other side hangs up.
fn calls(lab: &Lab, host: u8) -> Running {
    Sipp::direct(lab, host).calls(&lab.sip(TANDEM))
}

/// A telephone that answers at once and is put down half a second later.
fn answers(lab: &Lab, host: u8) -> Running {
    Sipp::new(lab, "agent-hangs-up", host).pauses_ms(500).answers()
}

fn text<'a>(fact: &'a Value, field: &str) -> &'a str {
    fact[field].as_str().unwrap_or_default()
}

#[test]
fn full_and_message() {
    let lab = Lab::new();
    lab.write("news.wav", wav(tone::THIRD, 5));
    let config = center(&lab, "max_waiting = 1\nwhen_full = { message = [\"news\"] }");
    let tandem = Tandem::start(&lab, config.replacing("song = ", "news = \"news.wav\", song = "));
    let waits = Sipp::new(&lab, "caller", CALLERS[0]).once().dials("+15550199").pauses_ms(30_000);
    let _waits = waits.calls(&lab.sip(TANDEM));
    tandem.wait_stage("waiting");
    let mut caller = Sipp::direct(&lab, CALLERS[1]).says(tone::CALLER, 5.5).calls(&lab.sip(TANDEM));
    caller.ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["queue_refused full", "ending flow_ended", "closed flow_ended"]);
    assert!(story.of("queue_entered").is_empty(), "{}", story.text());
    caller.ear().heard().has(tone::THIRD);
}

#[test]
fn full_and_otherwise() {
    let lab = Lab::new();
    let config =
        center(&lab, "max_waiting = 0\nwhen_full = { otherwise = true }").step("otherwise = \"bye\"");
    let tandem = Tandem::start(&lab, config.and("[flows.direct.steps.bye]\nplay = [\"beep\"]\n"));
    calls(&lab, CALLER).ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["step_begun support", "queue_refused full", "step_begun bye", "closed flow_ended"]);
}

#[test]
fn closed_and_number_until_a_supervisor_opens() {
    let lab = Lab::new();
    let closed = "closed = true\nwhen_closed = { number = { line = \"carrier\", phone = \"+15550777\" } }";
    let tandem = Tandem::start(&lab, center(&lab, closed).with_carrier());
    tandem.set_agent("ada", "available");
    let _ada = answers(&lab, AGENT);
    let elsewhere = Sipp::new(&lab, "agent-hangs-up", CUSTOMER).pauses_ms(3500).says(tone::THIRD, 4.0);
    let elsewhere = elsewhere.once().answers();
    let mut caller = Sipp::direct(&lab, CALLER).says(tone::CALLER, 4.0).calls(&lab.sip(TANDEM));
    caller.ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["queue_refused closed", "redirect_begun", "redirect_ended done", "closed transferred"]);
    assert!(story.of("offered").is_empty(), "{}", story.text());
    assert!(elsewhere.messages().contains("INVITE sip:+15550777@"), "{}", elsewhere.messages());
    caller.ear().heard().has(tone::THIRD);

    let open = json!({ "closed": false, "reason": "we are back" });
    let answer = tandem.command("PUT", "/api/v1/queues/support/switch", open.clone());
    assert_eq!(answer["queue"]["closed"], false);
    assert_eq!(tandem.refused("PUT", "/api/v1/queues/support/switch", open), "already_so");
    calls(&lab, CALLERS[0]).ends_well();
    tandem.wait_closed(2).tells(&["queue_entered", "connected ada", "closed handled"]);
}

#[test]
fn a_number_that_does_not_answer_leads_back_into_the_flow() {
    let lab = Lab::new();
    let closed = "closed = true\nwhen_closed = { number = { line = \"carrier\", phone = \"+15550777\" } }";
    let config = center(&lab, closed).with_carrier().step("otherwise = \"bye\"");
    let tandem = Tandem::start(&lab, config.and("[flows.direct.steps.bye]\nplay = [\"beep\"]\n"));
    let _busy = Sipp::new(&lab, "agent-busy", CUSTOMER).pauses_ms(100).answers();
    calls(&lab, CALLER).ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["redirect_begun", "redirect_ended failed", "step_begun bye", "closed flow_ended"]);
}

#[test]
fn closed_and_callback_for_who_agrees() {
    let lab = Lab::new();
    let closed = "closed = true\nwhen_closed = { callback = true }\n\
        callback = { offer = [\"beep\"], key = \"5\", line = \"carrier\", number = \"+15550199\" }";
    let config = center(&lab, closed).with_carrier().step("otherwise = \"bye\"");
    let tandem = Tandem::start(&lab, config.and("[flows.direct.steps.bye]\nplay = [\"beep\"]\n"));
    let declines = Sipp::direct(&lab, CALLERS[0]).says(tone::CALLER, 4.0).presses("1:1");
    declines.calls(&lab.sip(TANDEM)).ends_well();
    tandem.wait_closed(1).tells(&["queue_refused closed", "step_begun bye", "closed flow_ended"]);

    let agrees = Sipp::direct(&lab, CALLERS[1]).says(tone::CALLER, 4.0).presses("1:5");
    agrees.calls(&lab.sip(TANDEM)).ends_well();
    tandem.wait_stage("waiting");
    let _ada = Sipp::new(&lab, "agent", AGENT).answers();
    let _customer = Sipp::new(&lab, "customer-hangs-up", CUSTOMER).pauses_ms(300).answers();
    tandem.set_agent("ada", "available");
    tandem.wait_closed(2).tells(&[
        "queue_refused closed",
        "callback_promised",
        "queue_entered callback",
        "connected ada",
        "closed handled",
    ]);
}

#[test]
fn nobody_signed_in_and_another_queue_which_keeps_the_wait() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, with_night(&lab, "when_no_agents = { queue = \"night\" }"));
    let _nia = answers(&lab, THIRD);
    let mut caller = calls(&lab, CALLER);
    tandem.wait_stage("waiting");
    tandem.set_agent("ada", "offline");
    caller.ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["queue_entered support", "queue_left no_agents", "queue_entered night", "connected nia"]);
    let [first, second] = story.of("queue_entered")[..] else { panic!("{}", story.text()) };
    assert_eq!(second["waiting_since"], first["at"], "nobody begins anew: {}", story.text());

    // Who comes now does not even enter.
    Sipp::direct(&lab, CALLER).named("second").calls(&lab.sip(TANDEM)).ends_well();
    tandem.wait_closed(2).tells(&["queue_refused no_agents", "queue_entered night", "connected nia"]);
}

#[test]
fn too_long_a_wait_and_a_person_whatever_that_agent_does() {
    let lab = Lab::new();
    let config = center(&lab, "max_wait_s = 10\nwhen_waited = { person = \"ben\" }");
    let tandem = Tandem::start(&lab, config.with_agent("ben", SECOND_AGENT));
    tandem.set_agent("ben", "offline");
    let ada = Sipp::new(&lab, "agent-silent", AGENT).answers();
    let _ben = answers(&lab, SECOND_AGENT);
    tandem.set_agent("ada", "available");
    calls(&lab, CALLER).ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&[
        "offered ada",
        "queue_left waited_too_long",
        "redirect_begun",
        "redirect_ended done",
        "closed transferred",
    ]);
    ada.wait_message("CANCEL sip:");
    assert_eq!(text(story.of("offer_ended")[0], "outcome"), "caller_moved");
    assert_eq!(tandem.agent("ben"), "offline");
}

#[test]
fn overflow_comes_in_time_although_a_telephone_rings_and_nobody_has_missed_anything() {
    let lab = Lab::new();
    let overflow = "overflow = [{ after_s = 1, then = { queue = \"night\" } }]";
    let tandem = Tandem::start(&lab, with_night(&lab, overflow));
    let ada = Sipp::new(&lab, "agent-silent", AGENT).answers();
    let _nia = answers(&lab, THIRD);
    tandem.set_agent("ada", "available");
    calls(&lab, CALLER).ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&[
        "offered ada",
        "ringing ada",
        "queue_left overflowed",
        "queue_entered night",
        "connected nia",
    ]);
    story.tells(&["offer_ended ada caller_moved"]);
    ada.wait_message("CANCEL sip:");
    ada.wait_message("Reason: SIP;cause=200;text=\"Call completed elsewhere\"");
    let ada = tandem.get("/api/v1/agents/ada");
    assert_eq!((&ada["state"], &ada["misses"]), (&"available".into(), &0.into()));
}

#[test]
fn overflow_if_many_wait_and_hang_up() {
    let lab = Lab::new();
    let overflow = "overflow = [{ after_s = 1, if_waiting = 2, then = { hang_up = true } }]";
    let tandem = Tandem::start(&lab, center(&lab, overflow));
    // Whose rung comes while both wait has to go; who is then alone may wait on.
    let mut callers = [CALLERS[0], CALLERS[1]].map(|host| calls(&lab, host));
    tandem.wait_closed(1).tells(&["queue_entered", "queue_left overflowed", "closed flow_ended"]);
    let _ada = answers(&lab, AGENT);
    tandem.set_agent("ada", "available");
    callers.iter_mut().for_each(Running::ends_well);
    tandem.wait_closed(2).tells(&["queue_entered", "connected ada", "closed handled"]);
}

#[test]
fn overflow_if_the_wait_will_be_long_and_voicemail_for_another_queue() {
    let lab = Lab::new();
    let queue = "overflow = [{ after_s = 1, if_expected_s = 1, then = { voicemail = true } }]\n\
        voicemail = { greeting = [\"beep\"], silence_s = 2, queue = \"night\" }";
    let of_night = "name = \"Queue night\"\n";
    let intro = "voicemail = { greeting = [\"beep\"], intro = [\"song\"] }";
    let config = with_night(&lab, queue).replacing(of_night, &format!("{of_night}{intro}\n"));
    let tandem = Tandem::start(&lab, config);
    tandem.set_agent("nia", "break");
    // The first conversation tells how long one takes; the second goes on while somebody else waits.
    let _ada = Sipp::new(&lab, "agent", AGENT).answers();
    tandem.set_agent("ada", "available");
    let talks = |name: &str, ms| {
        let caller = Sipp::new(&lab, "caller", CALLERS[0]).named(name).once().dials("+15550199");
        caller.pauses_ms(ms).calls(&lab.sip(TANDEM))
    };
    talks("first", 2000).ends_well();
    tandem.wait_closed(1);
    let mut second = talks("second", 8000);
    tandem.wait_stage("connected");
    let speaker = Sipp::new(&lab, "caller", CALLERS[1]).once().dials("+15550199").pauses_ms(5000);
    speaker.says(tone::CALLER, 4.5).calls(&lab.sip(TANDEM)).ends_well();
    second.ends_well();

    let nia = Sipp::new(&lab, "agent", THIRD).pauses_ms(1500).says(tone::THIRD, 9.0).answers();
    tandem.set_agent("nia", "available");
    let story = tandem.wait_closed(3);
    story.tells(&[
        "queue_entered support",
        "queue_left overflowed",
        "message_left",
        "queue_entered night",
        "connected nia",
        "heard",
        "closed",
    ]);
    let [first, second] = story.of("queue_entered")[..] else { panic!("{}", story.text()) };
    assert_eq!(second["waiting_since"], first["at"], "nobody begins anew: {}", story.text());
    nia.ear().heard().has_in_order(&[tone::MUSIC, tone::CALLER]);
}
