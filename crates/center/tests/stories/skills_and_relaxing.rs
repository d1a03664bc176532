//! Who may take a caller by what they can, and how that relaxes with the wait.

use crate::harness::{Story, house};
use tandem_center::agent::ChosenState;
use tandem_center::fact::FactKind;

const AGENTS: [(&str, &str); 2] =
    [("adele", "skills = { french = 8 }"), ("bianca", "skills = { french = 3 }")];

const RELAXING: &str =
    "skills = { french = 9 }\nrelax = [{ after_s = 20, skills = { french = 5 } }, { after_s = 60 }]";

#[test]
fn nobody_is_rung_who_lacks_a_skill_or_has_too_little_of_it() {
    let agents = [("adele", "skills = { french = 4, billing = 9 }"), ("bianca", "skills = { billing = 9 }")];
    let mut center = Story::new(&house(&agents, "skills = { french = 5 }", ""));
    let [call] = center.callers();
    center.pass(100);
    assert_eq!(center.rung_for(call), None);
    assert_eq!(center.waiting("support"), [call]);
}

#[test]
fn the_level_that_is_asked_for_is_enough() {
    let mut center = Story::new(&house(&AGENTS, "skills = { french = 8 }", ""));
    let [call] = center.callers();
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn what_is_asked_for_relaxes_with_the_wait_step_by_step() {
    let mut center = Story::new(&house(&AGENTS, RELAXING, ""));
    let [first, second] = center.callers();
    center.pass(19);
    assert_eq!(center.rung_for(first), None);
    center.pass(1);
    assert_eq!(center.rung_for(first).as_deref(), Some("adele"));
    assert!(matches!(center.last_fact("offered"), FactKind::Offered { waited_us: 20_000_000, .. }));
    center.agent_answers("adele");
    center.pass(39);
    assert_eq!(center.rung_for(second), None);
    center.pass(1);
    assert_eq!(center.rung_for(second).as_deref(), Some("bianca"));
    assert_eq!(center.count("widened"), 3, "the first once, the second twice");
}

#[test]
fn what_is_asked_for_relaxes_also_while_an_offer_rings() {
    let mut center = Story::new(&house(&AGENTS, &RELAXING.replace("french = 9", "french = 8"), ""));
    let [call] = center.callers();
    center.pass(15);
    assert_eq!(center.rung_for(call), None, "adele has missed the call and rests");
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.pass(14);
    assert_eq!(center.all_rung_for(center.id(call)), ["adele"]);
    assert_eq!(center.count("widened"), 1, "at 20 seconds, while the telephone rang");
    center.pass(60);
    assert_eq!(center.offered(), ["adele", "adele", "bianca"]);
}

#[test]
fn a_step_that_queues_asks_in_place_of_the_queue() {
    let config = house(&AGENTS, RELAXING, "").replace(
        "enqueue = \"support\"",
        "enqueue = \"support\"\nasks = { skills = { french = 3 }, relax = [] }",
    );
    let mut center = Story::new(&config);
    let [first, second] = center.callers();
    assert_eq!(center.rung_for(first).as_deref(), Some("adele"));
    assert_eq!(center.rung_for(second).as_deref(), Some("bianca"));
}

#[test]
fn a_caller_for_whom_nobody_is_free_does_not_hold_up_those_behind() {
    let cases = "enqueue = \"support\"\ncases = [{ when = { field = \"from\", is = \"+12065550001\" }, \
                 asks = { skills = { french = 8 } } }]";
    let config = house(&AGENTS, "", "").replace("enqueue = \"support\"", cases);
    let mut center = Story::new(&config);
    center.chooses("adele", ChosenState::Offline);
    let [french, any] = center.callers();
    assert_eq!(center.rung_for(french), None);
    assert_eq!(center.rung_for(any).as_deref(), Some("bianca"));
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(french).as_deref(), Some("adele"));
}

#[test]
fn a_new_configuration_gives_an_agent_a_skill_and_the_caller_is_offered_at_once() {
    let mut center = Story::new(&house(&AGENTS, "skills = { french = 8 }", ""));
    center.chooses("adele", ChosenState::Offline);
    let [call] = center.callers();
    let taught = [AGENTS[0], ("bianca", "skills = { french = 8 }")];
    center.configure(&house(&taught, "skills = { french = 8 }", ""));
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}
