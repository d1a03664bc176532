//! Who is served when, and by whom: skills, rings, priority, the last agent, several queues, capacity, misses, presence,
//! wrap-up and signing in by telephone, each as an operator configures it.

use serde_json::json;

use crate::parts::lab::{AGENT, CALLER, CALLERS, SECOND_AGENT, TANDEM, THIRD};
use crate::parts::story::Story;
use crate::parts::{Config, Lab, Running, Sipp, Tandem, they_talk};

/// Agents answer at once and hang up after this.
const TALK_MS: u32 = 500;

fn answers(lab: &Lab, host: u8) -> Running {
    Sipp::new(lab, "agent-hangs-up", host).pauses_ms(TALK_MS).answers()
}

/// The usual center without wrap-up, with this about the queue.
fn center(lab: &Lab, queue: &str) -> Config {
    Config::plain(lab).with_queue(15, 0).queue(queue)
}

/// Somebody calls the queue and waits until the other side hangs up.
fn calls(lab: &Lab, host: u8) -> Running {
    Sipp::direct(lab, host).calls(&lab.sip(TANDEM))
}

/// The numbers of the callers in the order in which they got to talk.
fn served(stories: &[Story]) -> Vec<usize> {
    let connected = |story: &Story| story.of("connected")[0]["number"].as_u64().unwrap();
    let mut order: Vec<usize> = (0..stories.len()).collect();
    order.sort_by_key(|caller| connected(&stories[*caller]));
    order
}

fn waited_ms(story: &Story) -> u64 {
    story.of("offered")[0]["waited_us"].as_u64().unwrap() / 1000
}

#[test]
fn less_is_asked_for_the_longer_a_caller_waits() {
    let lab = Lab::new();
    let config = center(
        &lab,
        "skills = { french = 5 }\nrelax = [{ after_s = 1, skills = { french = 3 } }, { after_s = 2 }]",
    );
    let config = config.with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT).with_agent("cyd", THIRD);
    let config = config.agent("ben", "skills = { french = 4 }").agent("cyd", "skills = { french = 7 }");
    let tandem = Tandem::start(&lab, config);
    let _telephones = [AGENT, SECOND_AGENT, THIRD].map(|host| answers(&lab, host));
    // Ada speaks no French, Ben a little: neither is rung at once.
    for (count, (host, then_has_a_break)) in (1..).zip(CALLERS.into_iter().zip(["cyd", "ben", "ada"])) {
        calls(&lab, host).ends_well();
        tandem.wait_closed(count);
        tandem.set_agent(then_has_a_break, "break");
    }

    let stories = tandem.wait_all_closed(3);
    let connected: Vec<_> = stories.iter().map(|story| story.agents("connected")[0]).collect();
    assert_eq!(connected, ["cyd", "ben", "ada"]);
    for (story, steps) in stories.iter().zip([0, 1, 2]) {
        assert_eq!(story.of("widened").len(), steps, "{}", story.text());
        assert!(waited_ms(story) >= u64::try_from(steps).unwrap() * 1000, "{}", story.text());
    }
}

#[test]
fn more_agents_may_be_rung_the_longer_a_caller_waits() {
    let lab = Lab::new();
    let config = center(&lab, "rings = [{ agents = [\"ada\"] }, { after_s = 1, agents = [\"ben\"] }]");
    let tandem = Tandem::start(&lab, config.with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT));
    let _telephones = [AGENT, SECOND_AGENT].map(|host| answers(&lab, host));
    tandem.have_been_free_longest(&["ben", "ada"]);
    calls(&lab, CALLERS[0]).ends_well();
    assert_eq!(tandem.wait_closed(1).agents("offered"), ["ada"], "the first ring comes first");
    tandem.set_agent("ada", "break");
    calls(&lab, CALLERS[1]).ends_well();
    let story = tandem.wait_closed(2);
    story.tells(&["queue_entered", "widened", "offered ben", "connected ben"]);
    assert!(waited_ms(&story) >= 1000, "{}", story.text());
}

/// Three callers wait, and then the only agent becomes free: the order in which they are served. Each caller comes from a
/// number of its own, +1555010 and 1, 2 or 3, a second after the one before.
fn order_of_service(queue: &str, step: &str) -> Vec<usize> {
    let lab = Lab::new();
    let config = center(&lab, queue).step(step).with_agent("ada", AGENT);
    let tandem = Tandem::start(&lab, config.replacing("starts = \"available\"", "starts = \"break\""));
    let _ada = answers(&lab, AGENT);
    let mut callers = Vec::new();
    for (count, host) in (1..=3).zip(CALLERS) {
        let caller = Sipp::direct(&lab, host).from(&format!("+1555010{count}"));
        callers.push(caller.calls(&lab.sip(TANDEM)));
        tandem.wait_many(count, "waiting");
        they_talk(1);
    }
    tandem.set_agent("ada", "available");
    callers.iter_mut().for_each(Running::ends_well);
    served(&tandem.wait_all_closed(3))
}

const SECOND_FIRST_THIRD_VIP: &str = "cases = [\
    { when = { field = \"from\", is = \"+15550102\" }, asks = { priority = 1 } }, \
    { when = { field = \"from\", is = \"+15550103\" }, asks = { priority = 5, vip = true } }]";

#[test]
fn very_important_callers_come_first_and_then_those_of_priority() {
    assert_eq!(order_of_service("", ""), [0, 1, 2]);
    assert_eq!(order_of_service("", SECOND_FIRST_THIRD_VIP), [2, 1, 0]);
}

#[test]
fn a_long_wait_is_worth_more_than_a_step_of_priority() {
    let last = "cases = [{ when = { field = \"from\", is = \"+15550101\" }, asks = { priority = 4 } }]";
    // The first caller came about two seconds before the third.
    assert_eq!(order_of_service("priority_worth_s = 1", last)[2], 2);
    assert_eq!(order_of_service("priority_worth_s = 60", last)[2], 0);
}

#[test]
fn a_caller_waits_for_the_last_agent_with_patience() {
    let lab = Lab::new();
    let config = center(&lab, "last_agent_s = 1");
    let tandem = Tandem::start(&lab, config.with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT));
    let _telephones = [AGENT, SECOND_AGENT].map(|host| answers(&lab, host));
    tandem.have_been_free_longest(&["ben", "ada"]);
    let call = |number: usize, user: &str| {
        let caller = Sipp::direct(&lab, CALLER).named(&format!("caller-{number}")).from(user);
        caller.calls(&lab.sip(TANDEM)).ends_well();
        tandem.wait_closed(number)
    };
    assert_eq!(call(1, "+15550101").agents("offered"), ["ben"]);
    tandem.have_been_free_longest(&["ada", "ben"]);
    assert_eq!(call(2, "+15550101").agents("offered"), ["ben"], "whom the customer knows");
    assert_eq!(call(3, "+15550102").agents("offered"), ["ada"], "a stranger gets who has been free longest");
    tandem.set_agent("ben", "break");
    let story = call(4, "+15550101");
    story.tells(&["queue_entered", "widened", "offered ada"]);
    assert!(waited_ms(&story) >= 1000, "{}", story.text());
    tandem.set_agent("ben", "offline");
    let story = call(5, "+15550103");
    assert!(story.of("widened").is_empty(), "who is not signed in is not waited for: {}", story.text());
}

/// Everything that a condition can look at, and every way to look.
const CASES: &str = r#"cases = [
    { when = { field = "from", starts_with = "+33" }, asks = { agent = "ben" } },
    { when = { all = [{ field = "attribute.contract", is = "gold" }, { not = { field = "line", one_of = ["x", "y"] } }] }, asks = { agent = "cyd" } },
    { when = { any = [{ field = "from_name", is = "Nobody" }, { field = "to", is = "+15550166" }] }, asks = { agent = "ben" } },
]"#;

#[test]
fn who_calls_what_was_dialled_and_what_is_known_decide_what_is_asked_for() {
    let lab = Lab::new();
    let config = center(&lab, "").with_agent("ada", AGENT);
    let config = config.with_agent("ben", SECOND_AGENT).with_agent("cyd", THIRD).and(&format!(
        r#"
[[numbers]]
dialled = "+15550155"
flow = "gold"

[[numbers]]
dialled = "+15550166"
flow = "cases"

[[numbers]]
dialled = "+15550177"
flow = "cases"

[flows.cases]
start = "support"

[flows.cases.steps.support]
enqueue = "support"
{CASES}

[flows.gold]
start = "mark"

[flows.gold.steps.mark]
set = {{ contract = "gold" }}
then = "support"

[flows.gold.steps.support]
enqueue = "support"
{CASES}
"#
    ));
    let tandem = Tandem::start(&lab, config);
    let _telephones = [AGENT, SECOND_AGENT, THIRD].map(|host| answers(&lab, host));
    let mut count = 0;
    let mut rung = |from: &str, to: &str| {
        tandem.have_been_free_longest(&["ada", "ben", "cyd"]);
        count += 1;
        let caller = Sipp::direct(&lab, CALLER).named(&format!("caller-{count}")).from(from).dials(to);
        caller.calls(&lab.sip(TANDEM)).ends_well();
        tandem.wait_closed(count).agents("offered").join(", ")
    };
    assert_eq!(rung("+15550101", "+15550177"), "ada");
    assert_eq!(rung("+33155501", "+15550177"), "ben");
    assert_eq!(rung("+15550101", "+15550166"), "ben");
    assert_eq!(rung("+15550101", "+15550155"), "cyd");
    assert_eq!(rung("+33155501", "+15550155"), "cyd", "of two that hold the later counts");
}

/// A caller waits in the usual queue for two seconds and one in another queue for one, then the agent of both becomes
/// free: who is served first.
fn first_of_two_queues(weight: u32) -> usize {
    let lab = Lab::new();
    let config = center(&lab, "").with_other_queue("urgent", "+15550177", &format!("weight = {weight}"));
    let config = config.with_agent_of(&["support", "urgent"], "ada", AGENT);
    let tandem = Tandem::start(&lab, config.replacing("starts = \"available\"", "starts = \"break\""));
    let _ada = answers(&lab, AGENT);
    let mut usual = calls(&lab, CALLERS[0]);
    tandem.wait_many(1, "waiting");
    they_talk(1);
    let mut urgent = Sipp::direct(&lab, CALLERS[1]).dials("+15550177").calls(&lab.sip(TANDEM));
    tandem.wait_many(2, "waiting");
    they_talk(1);
    tandem.set_agent("ada", "available");
    usual.ends_well();
    urgent.ends_well();
    served(&tandem.wait_all_closed(2))[0]
}

#[test]
fn an_agent_of_two_queues_takes_the_longest_wait_times_the_weight() {
    assert_eq!(first_of_two_queues(100), 0);
    assert_eq!(first_of_two_queues(2000), 1);
}

#[test]
fn an_agent_with_the_capacity_for_it_takes_a_second_call_during_the_first() {
    let lab = Lab::new();
    let config = center(&lab, "").with_agent("ada", AGENT).agent("ada", "capacity = 200");
    let tandem = Tandem::start(&lab, config);
    let _ada = Sipp::new(&lab, "agent-hangs-up", AGENT).pauses_ms(5000).answers();
    let mut callers = Vec::new();
    for (count, host) in (1..=2).zip(CALLERS) {
        callers.push(calls(&lab, host));
        tandem.wait_many(count, "connected");
    }
    callers.push(calls(&lab, CALLERS[2]));
    tandem.wait_stage("waiting");
    callers.iter_mut().for_each(Running::ends_well);
    let stories = tandem.wait_all_closed(3);
    let number = |story: &Story, kind| story.of(kind)[0]["number"].as_u64().unwrap();
    let (first_ends, third_begins) =
        (number(&stories[0], "conversation_ended"), number(&stories[2], "offered"));
    assert!(number(&stories[1], "connected") < first_ends);
    assert!(first_ends < third_begins, "there is no room for three");
}

#[test]
fn an_agent_may_miss_as_many_offers_as_is_configured() {
    let lab = Lab::new();
    let config =
        Config::plain(&lab).with_queue(5, 0).with_agent("ada", AGENT).with_agent("ben", SECOND_AGENT);
    let tandem = Tandem::start(&lab, config.and("[offers]\nmisses = 2\n"));
    let _ada = Sipp::new(&lab, "agent-silent", AGENT).answers();
    let _ben = answers(&lab, SECOND_AGENT);
    tandem.have_been_free_longest(&["ada", "ben"]);
    for (number, then) in [(1, "available"), (2, "resting")] {
        Sipp::direct(&lab, CALLER).named(&format!("caller-{number}")).calls(&lab.sip(TANDEM)).ends_well();
        let story = tandem.wait_closed(number);
        story.tells(&["offered ada", "offer_ended ada missed", "offered ben", "connected ben"]);
        assert_eq!(story.of("offer_ended")[0]["then"]["state"], then, "{}", story.text());
    }
    assert_eq!(tandem.get("/api/v1/agents/ada")["rest_cause"], "missed");
}

fn tells_presence(tandem: &Tandem, presence: &str, manual: bool) {
    let told = json!({ "source": "teams", "presence": presence, "manual": manual });
    tandem.command("PUT", "/api/v1/agents/ada/presence", told);
}

#[test]
fn presence_that_another_system_tells_stops_offers_by_the_rule() {
    let lab = Lab::new();
    let presence = "[presence]\nstops = [\"busy\"]\nstops_manual = [\"away\"]\n";
    let config = center(&lab, "").with_agent("ada", AGENT).and(presence);
    let tandem = Tandem::start(&lab, config);
    let _ada = answers(&lab, AGENT);
    tells_presence(&tandem, "busy", false);
    assert_eq!(tandem.agent("ada"), "not_reachable");
    let mut caller = calls(&lab, CALLER);
    tandem.wait_stage("waiting");
    tells_presence(&tandem, "away", true);
    assert_eq!(tandem.agent("ada"), "not_reachable");
    // What the other system found out by itself does not stop by this rule.
    tells_presence(&tandem, "away", false);
    caller.ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["queue_entered", "offered ada", "connected ada"]);
    assert_eq!(story.of("offered").len(), 1, "{}", story.text());
}

#[test]
fn an_offer_is_taken_back_from_who_is_told_to_be_busy() {
    let lab = Lab::new();
    let tandem = Tandem::start(&lab, center(&lab, "").with_agent("ada", AGENT));
    let ada = Sipp::new(&lab, "agent-silent", AGENT).answers();
    let caller = Sipp::new(&lab, "caller", CALLER).once().dials("+15550199").pauses_ms(5000);
    let mut caller = caller.calls(&lab.sip(TANDEM));
    ada.wait_message("180 Ringing");
    tells_presence(&tandem, "do_not_disturb", false);
    ada.wait_message("CANCEL sip:");
    caller.ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&["offered ada", "offer_ended ada agent_left", "closed abandoned_in_queue"]);
    assert_eq!(story.of("offered").len(), 1, "{}", story.text());
}

const WRAP_UP: &str = "wrap_up = { extend_s = 60, extensions = 1, code_required = true, \
    codes = [{ id = \"order\", name = \"Order\" }, { id = \"complaint\", name = \"Complaint\" }] }";

#[test]
fn a_wrap_up_is_made_longer_and_ends_with_a_code() {
    let lab = Lab::new();
    let config = Config::plain(&lab).with_queue(15, 60).queue(WRAP_UP).with_agent("ada", AGENT);
    let tandem = Tandem::start(&lab, config);
    let _ada = answers(&lab, AGENT);
    calls(&lab, CALLER).ends_well();
    tandem.wait_agent("ada", "wrap_up");
    let ends_at = || tandem.get("/api/v1/agents/ada")["until"].as_u64().unwrap();
    let before = ends_at();
    let (end, more) = ("/api/v1/agents/ada/wrap-up", "/api/v1/agents/ada/wrap-up/extension");
    tandem.command("POST", more, json!({}));
    assert_eq!(ends_at(), before + 60_000_000);
    assert_eq!(tandem.refused("POST", more, json!({})), "no_more_time");
    assert_eq!(tandem.refused("DELETE", end, json!({})), "code_required");
    assert_eq!(tandem.refused("DELETE", end, json!({ "code": "weather" })), "unknown_code");
    tandem.command("DELETE", end, json!({ "code": "order", "note": "two of them" }));
    assert_eq!(tandem.agent("ada"), "available");
    let story = tandem.wait_closed(1);
    story.tells(&[
        "conversation_ended agent",
        "wrap_up_extended ada",
        "wrap_up_ended command order",
        "closed",
    ]);
    assert_eq!(story.call("code"), "order");
}

#[test]
fn an_unlimited_wrap_up_ends_when_the_agent_says_so() {
    let lab = Lab::new();
    let config = center(&lab, "wrap_up = { unlimited = true }").with_agent("ada", AGENT);
    let tandem = Tandem::start(&lab, config);
    let _ada = answers(&lab, AGENT);
    calls(&lab, CALLER).ends_well();
    tandem.wait_agent("ada", "wrap_up");
    let agent = tandem.get("/api/v1/agents/ada");
    let hours = (agent["until"].as_u64().unwrap() - agent["since"].as_u64().unwrap()) / 3_600_000_000;
    assert_eq!(hours, 12);
    tandem.set_agent("ada", "available");
    tandem.wait_closed(1).tells(&["conversation_ended", "wrap_up_ended command", "closed handled"]);
}

#[test]
fn agents_sign_in_and_out_by_calling_a_number() {
    let lab = Lab::new();
    let mut config = center(&lab, "").with_agent("ada", AGENT);
    for (number, state) in [
        ("+15550141", "toggle"),
        ("+15550142", "break"),
        ("+15550143", "available"),
        ("+15550144", "offline"),
    ] {
        config = config.and(&format!(
            r#"
[[numbers]]
dialled = "{number}"
flow = "{state}"

[flows.{state}]
start = "sign"

[flows.{state}.steps.sign]
agent_state = "{state}"
then = "done"
otherwise = "stranger"

[flows.{state}.steps.done]
play = ["beep"]

[flows.{state}.steps.stranger]
hang_up = true
"#
        ));
    }
    let tandem = Tandem::start(&lab, config.replacing("starts = \"available\"", "starts = \"offline\""));
    let mut count = 0;
    let mut dials = |number: &str, host: u8, user: &str| {
        count += 1;
        let caller = Sipp::direct(&lab, host).named(&format!("caller-{count}")).from(user).dials(number);
        caller.calls(&lab.sip(TANDEM)).ends_well();
        let story = tandem.wait_closed(count);
        (tandem.agent("ada"), story.of("step_begun").last().unwrap()["step"].as_str().unwrap().to_owned())
    };
    let is = |state: &str, step: &str| (state.to_owned(), step.to_owned());
    assert_eq!(dials("+15550141", AGENT, "ada"), is("available", "done"));
    assert_eq!(dials("+15550142", AGENT, "ada"), is("break", "done"));
    assert_eq!(dials("+15550143", AGENT, "ada"), is("available", "done"));
    assert_eq!(dials("+15550141", AGENT, "ada"), is("offline", "done"));
    assert_eq!(dials("+15550141", AGENT, "ada"), is("available", "done"));
    assert_eq!(dials("+15550144", AGENT, "ada"), is("offline", "done"));
    assert_eq!(
        dials("+15550141", THIRD, "ada"),
        is("offline", "stranger"),
        "only from the agent's telephone"
    );
}
