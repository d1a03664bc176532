//! What a caller hears and presses before a queue.

use crate::harness::Story;
use tandem_center::call::{CallCommand, CallId, PromptName, Rejection};
use tandem_center::fact::{FactKind, MenuMiss, Outcome};

const MENU: &str = r#"
queues = [{ id = "sales", name = "Sales" }, { id = "support", name = "Support", announce = ["please-wait"] }]
numbers = [{ dialled = "*", flow = "main" }]
[flows.main]
start = "welcome"
[flows.main.steps.welcome]
play = ["welcome"]
then = "menu"
[flows.main.steps.menu]
menu = { prompts = ["menu"], digits = { "1" = "sales", "2" = "support", "*" = "bye" }, timeout_s = 4, retries = 2, invalid = ["sorry"], otherwise = "support" }
[flows.main.steps.sales]
enqueue = "sales"
[flows.main.steps.support]
enqueue = "support"
[flows.main.steps.bye]
play = ["goodbye"]
"#;

/// The prompts of the last play.
fn heard(center: &mut Story) -> Vec<String> {
    let plays = center.commands().into_iter().filter_map(|command| match command {
        CallCommand::Play { prompts, .. } => Some(prompts),
        _ => None,
    });
    plays.last().expect("something plays").iter().map(PromptName::to_string).collect()
}

fn at_the_menu() -> (Story, CallId) {
    let mut center = Story::new(MENU);
    let call = center.dial();
    assert_eq!(heard(&mut center), ["welcome"]);
    center.prompts_end(call);
    assert_eq!(heard(&mut center), ["menu"]);
    (center, call)
}

#[test]
fn a_key_leads_to_its_step() {
    let (mut center, call) = at_the_menu();
    center.press(call, "1");
    assert_eq!(center.waiting("sales"), [call]);
    assert!(matches!(center.last_fact("menu_chosen"), FactKind::MenuChosen { key: '1', .. }));
}

#[test]
fn a_wrong_key_brings_an_apology_and_the_menu_again_and_is_not_kept() {
    let (mut center, call) = at_the_menu();
    center.press(call, "7");
    assert_eq!(heard(&mut center), ["sorry", "menu"]);
    let missed = center.last_fact("menu_missed");
    assert!(matches!(missed, FactKind::MenuMissed { reason: MenuMiss::WrongKey, tries_left: 2, .. }));
    assert!(!serde_json::to_string(missed).expect("json").contains('7'));
    center.press(call, "2");
    assert_eq!(center.waiting("support"), [call]);
    assert_eq!(heard(&mut center), ["please-wait"]);
}

#[test]
fn a_caller_who_never_presses_a_key_goes_where_the_menu_says_after_all_tries() {
    let (mut center, call) = at_the_menu();
    center.press_nothing(call);
    center.press_nothing(call);
    assert!(center.waiting("support").is_empty());
    center.press_nothing(call);
    assert_eq!(center.waiting("support"), [call]);
    assert!(matches!(
        center.last_fact("menu_missed"),
        FactKind::MenuMissed { reason: MenuMiss::NoKey, tries_left: 0, .. }
    ));
}

#[test]
fn the_menu_is_collected_as_the_document_says() {
    let (mut center, call) = at_the_menu();
    center.press_nothing(call);
    let spec = center.commands().into_iter().find_map(|command| match command {
        CallCommand::Collect { spec, .. } => Some(spec),
        _ => None,
    });
    let spec = spec.expect("digits are collected");
    assert_eq!((spec.max_digits, spec.first_timeout.as_secs()), (1, 4));
    assert!(spec.barge_in && spec.type_ahead && spec.terminator.is_none());
}

#[test]
fn the_end_of_the_last_step_hangs_up() {
    let (mut center, call) = at_the_menu();
    center.press(call, "*");
    assert_eq!(heard(&mut center), ["goodbye"]);
    center.prompts_end(call);
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
}

#[test]
fn a_caller_who_hangs_up_in_the_menu_abandoned_the_flow_and_no_queue() {
    let (mut center, call) = at_the_menu();
    center.caller_hangs_up(call);
    assert_eq!(center.outcome(call), Outcome::AbandonedInFlow);
    assert!(center.view.totals.is_empty());
}

#[test]
fn a_flow_that_only_hangs_up_refuses_the_call_without_answering_it() {
    let mut center = Story::new(
        r#"
        numbers = [{ dialled = "*", flow = "closed" }]
        flows.closed = { start = "bye", steps.bye = { hang_up = true } }
        "#,
    );
    let call = center.dial();
    assert_eq!(center.commands(), [CallCommand::Reject { call, reason: Rejection::Declined }]);
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
}
