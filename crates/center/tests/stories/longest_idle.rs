//! Of all agents who could take a caller, the one who has been idle longest is rung.

use crate::harness::{SUPPORT, Story, on_break};
use tandem_center::agent::{AgentAct, AgentState, ChosenState};
use tandem_center::fact::FactKind;

fn both_available() -> Story {
    let mut center = Story::new(SUPPORT);
    center.pass(10);
    center.chooses("bianca", ChosenState::Available);
    center.pass(10);
    center
}

#[test]
fn whoever_has_been_idle_longest_is_rung_first() {
    let mut center = both_available();
    let first = center.dial();
    let second = center.dial();
    assert_eq!(center.rung_for(first).as_deref(), Some("adele"));
    assert_eq!(center.rung_for(second).as_deref(), Some("bianca"));
    assert!(matches!(center.last_fact("offered"), FactKind::Offered { idle_us: 10_000_000, .. }));
}

#[test]
fn a_conversation_and_its_wrap_up_begin_the_idle_time_anew() {
    let mut center = both_available();
    let call = center.dial();
    center.agent_answers("adele");
    center.pass(1);
    center.caller_hangs_up(call);
    center.command("adele", AgentAct::END_WRAP_UP);
    center.pass(1);
    let next = center.dial();
    assert_eq!(center.rung_for(next).as_deref(), Some("bianca"));
}

#[test]
fn a_break_begins_the_idle_time_anew() {
    let mut center = both_available();
    center.chooses("adele", on_break());
    center.chooses("adele", ChosenState::Available);
    let call = center.dial();
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}

#[test]
fn choosing_available_once_more_changes_nothing() {
    let mut center = both_available();
    let before = center.facts.len();
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.facts.len(), before);
    let call = center.dial();
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn an_agent_of_several_queues_takes_who_waits_longest_in_any_of_them() {
    let config = SUPPORT
        .replace("queues = [\"support\"]\nstarts = \"available\"", "queues = [\"sales\", \"support\"]")
        .replace("[[queues]]", "[[queues]]\nid = \"sales\"\nname = \"Sales\"\n[[queues]]")
        + r#"
        [[numbers]]
        dialled = "+14255550198"
        flow = "sales"
        [flows.sales]
        start = "sales"
        [flows.sales.steps.sales]
        enqueue = "sales"
        "#;
    let mut center = Story::new(&config);
    let support = center.dial();
    center.pass(1);
    let sales = center.dial_to("+14255550198");
    center.pass(1);
    let later = center.dial();
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(support).as_deref(), Some("adele"));
    center.agent_answers("adele");
    center.agent_hangs_up("adele");
    center.pass(30);
    assert_eq!(center.rung_for(sales).as_deref(), Some("adele"));
    assert_eq!(center.rung_for(later), None);
}

#[test]
fn the_next_caller_is_offered_in_the_very_act_that_frees_the_agent() {
    let mut center = Story::new(SUPPORT);
    let talking = center.dial();
    center.agent_answers("adele");
    let waiting = center.dial();
    center.agent_hangs_up("adele");
    center.commands();
    let number = center.center.fact_number();
    center.command("adele", AgentAct::END_WRAP_UP);
    assert_eq!(center.kinds_since(number), ["wrap_up_ended", "closed", "offered"]);
    assert_eq!(center.rung_for(waiting).as_deref(), Some("adele"));
    assert!(matches!(center.agent("adele"), AgentState::Offered { .. }));
    assert!(center.interaction(talking).is_none());
}
