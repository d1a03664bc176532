//! Who waits, in which order, what they hear, and how the wait ends without an agent.

use crate::harness::{SUPPORT, Story, on_break};
use tandem_center::agent::ChosenState;
use tandem_center::call::{CallCommand, CauseKind, PartyId, PromptName};
use tandem_center::fact::{FactKind, Outcome, QueueExit, QueueRefusal};
use tandem_center::view::QueueTotals;

const SMALL: &str = r#"
numbers = [{ dialled = "*", flow = "main" }]
queues = [{ id = "support", name = "Support", music = "music", announce = ["please-wait"], max_waiting = 2, max_wait_s = 60 }]
[flows.main]
start = "support"
[flows.main.steps.support]
enqueue = "support"
otherwise = "sorry"
[flows.main.steps.sorry]
play = ["sorry"]
"#;

fn plays(center: &mut Story) -> Vec<(Vec<String>, bool)> {
    let plays = center.commands().into_iter().filter_map(|command| match command {
        CallCommand::Play { prompts, repeat, .. } => Some((prompts, repeat)),
        _ => None,
    });
    plays.map(|(prompts, repeat)| (prompts.iter().map(PromptName::to_string).collect(), repeat)).collect()
}

fn totals(center: &Story) -> QueueTotals {
    center.view.totals.get(&"support".into()).copied().unwrap_or_default()
}

#[test]
fn callers_are_served_in_the_order_in_which_they_came() {
    let mut center = Story::new(SUPPORT);
    center.chooses("adele", on_break());
    let first = center.dial();
    center.pass(3);
    let second = center.dial();
    let third = center.dial();
    assert_eq!(center.waiting("support"), [first, second, third]);
    center.chooses("adele", ChosenState::Available);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(center.rung_for(first).as_deref(), Some("adele"));
    assert_eq!(center.rung_for(second).as_deref(), Some("bianca"));
    assert_eq!(center.rung_for(third), None);
}

#[test]
fn an_announcement_is_followed_by_music_until_the_agent_answers() {
    let mut center = Story::new(SMALL);
    let call = center.dial();
    assert_eq!(plays(&mut center), [(vec!["please-wait".into()], false)]);
    center.prompts_end(call);
    assert_eq!(plays(&mut center), [(vec!["music".into()], true)]);
}

#[test]
fn music_that_cannot_be_played_is_not_tried_for_ever() {
    let mut center = Story::new(SMALL);
    let call = center.dial();
    center.prompts_end(call);
    plays(&mut center);
    center.prompts_end(call);
    assert!(plays(&mut center).is_empty());
    assert_eq!(center.waiting("support"), [call]);
}

#[test]
fn the_music_stops_when_the_agent_answers() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    assert_eq!(plays(&mut center), [(vec!["music".into()], true)]);
    center.agent_answers("adele");
    let admit = CallCommand::Admit { call, party: PartyId(1) };
    assert_eq!(center.commands(), [CallCommand::StopPlay { call, party: PartyId::FIRST }, admit]);
}

#[test]
fn a_caller_who_finds_the_queue_full_never_entered_it() {
    let mut center = Story::new(SMALL);
    let waiting = [center.dial(), center.dial()];
    plays(&mut center);
    let third = center.dial();
    assert_eq!(center.waiting("support"), waiting);
    assert_eq!(plays(&mut center), [(vec!["sorry".into()], false)]);
    assert!(matches!(
        center.last_fact("queue_refused"),
        FactKind::QueueRefused { reason: QueueRefusal::Full, .. }
    ));
    center.prompts_end(third);
    assert_eq!(center.outcome(third), Outcome::FlowEnded);
    assert_eq!(totals(&center), QueueTotals { entered: 2, refused: 1, ..QueueTotals::default() });
}

#[test]
fn a_caller_who_waited_long_enough_flows_out_where_the_step_says() {
    let mut center = Story::new(SMALL);
    let call = center.dial();
    plays(&mut center);
    center.pass(59);
    assert_eq!(center.waiting("support"), [call]);
    center.pass(1);
    assert_eq!(plays(&mut center), [(vec!["sorry".into()], false)]);
    assert!(matches!(
        center.last_fact("queue_left"),
        FactKind::QueueLeft { reason: QueueExit::WaitedTooLong, waited_us: 60_000_000, .. }
    ));
    assert_eq!(totals(&center).flowed_out, 1);
}

#[test]
fn the_wait_ends_on_time_also_while_an_offer_rings() {
    let config = SUPPORT.replace("ring_timeout_s = 15", "ring_timeout_s = 15\nmax_wait_s = 10");
    let mut center = Story::new(&config);
    let call = center.dial();
    center.pass(9);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.pass(1);
    assert_eq!(center.outcome(call), Outcome::FlowEnded);
    assert!(center.is_available("adele"), "the agent has missed nothing");
    assert_eq!(totals(&center).flowed_out, 1);
}

#[test]
fn a_caller_who_hangs_up_while_waiting_abandoned() {
    let mut center = Story::new(SMALL);
    let call = center.dial();
    center.pass(20);
    center.caller_hangs_up(call);
    assert_eq!(center.outcome(call), Outcome::AbandonedInQueue);
    assert_eq!(totals(&center), QueueTotals { entered: 1, abandoned: 1, ..QueueTotals::default() });
    assert!(matches!(
        center.last_fact("queue_left"),
        FactKind::QueueLeft { reason: QueueExit::Abandoned, waited_us: 20_000_000, .. }
    ));
}

#[test]
fn a_caller_whose_line_broke_while_waiting_is_lost_and_did_not_abandon() {
    let mut center = Story::new(SMALL);
    let call = center.dial();
    center.leave(call, PartyId::FIRST, CauseKind::Lost);
    assert_eq!(center.outcome(call), Outcome::Lost);
    assert_eq!(totals(&center), QueueTotals { entered: 1, lost: 1, ..QueueTotals::default() });
}
