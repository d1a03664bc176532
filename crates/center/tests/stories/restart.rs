//! The program is killed in the middle of calls and started again.

use crate::harness::{SUPPORT, Story, config, on_break};
use tandem_center::agent::{AgentState, ChosenState};
use tandem_center::call::CauseKind;
use tandem_center::fact::{EndedBy, FactKind, Outcome};
use tandem_center::{Center, Timestamp};

fn assert_new_calls_work(center: &mut Story) {
    let call = center.dial();
    let agent = center.rung_for(call).expect("an agent is rung");
    center.agent_answers(&agent);
    center.agent_hangs_up(&agent);
    center.pass(30);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn calls_in_every_stage_are_closed_as_lost_and_their_agents_are_free() {
    let mut center = Story::new(
        &SUPPORT.replace("queues = [\"support\"]\n\n", "queues = [\"support\"]\nstarts = \"available\"\n\n"),
    );
    let talking = center.dial();
    center.agent_answers("adele");
    let ringing = center.dial();
    assert_eq!(center.rung_for(ringing).as_deref(), Some("bianca"));
    let waiting = center.dial();
    center.door_obeys = false;
    let unanswered = center.dial();
    center.pass(3);
    let mut center = center.crash(SUPPORT);
    for call in [talking, ringing, waiting, unanswered] {
        assert_eq!(center.outcome(call), Outcome::Lost);
    }
    assert!(matches!(
        center.last_fact("conversation_ended"),
        FactKind::ConversationEnded { by: EndedBy::Lost, talked_us: 3_000_000, cause, .. }
            if cause.kind == CauseKind::Restarted
    ));
    let totals = center.view.totals[&"support".into()];
    assert_eq!((totals.entered, totals.answered, totals.lost), (3, 1, 2));
    assert!(center.is_available("adele") && center.is_available("bianca"));
    assert_new_calls_work(&mut center);
}

#[test]
fn a_wrap_up_goes_on_to_its_end() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    center.agent_hangs_up("adele");
    center.pass(10);
    let mut center = center.crash(SUPPORT);
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    center.pass(19);
    assert!(matches!(center.agent("adele"), AgentState::WrapUp { .. }));
    center.pass(1);
    assert_eq!(center.outcome(call), Outcome::Handled);
    assert_new_calls_work(&mut center);
}

#[test]
fn agents_stay_what_they_chose_and_rests_go_on() {
    let mut center = Story::new(SUPPORT);
    center.chooses("bianca", on_break());
    let call = center.dial();
    center.pass(15);
    center.caller_hangs_up(call);
    let mut center = center.crash(SUPPORT);
    assert_eq!(center.agent("bianca"), AgentState::Break { reason: Some("lunch".into()) });
    assert!(matches!(center.agent("adele"), AgentState::Resting { .. }));
    center.pass(60);
    assert!(center.is_available("adele"));
}

#[test]
fn who_went_offline_in_the_conversation_is_offline_after_the_crash() {
    let mut center = Story::new(SUPPORT);
    center.dial();
    center.agent_answers("adele");
    center.chooses("adele", ChosenState::Offline);
    let center = center.crash(SUPPORT);
    assert_eq!(center.agent("adele"), AgentState::Offline);
}

#[test]
fn an_idle_center_starts_again_without_a_word() {
    let mut center = Story::new(SUPPORT);
    center.pass(5);
    let before = center.facts.len();
    let center = center.crash(SUPPORT);
    assert_eq!(center.facts.len(), before);
    assert!(center.is_available("adele"));
}

#[test]
fn a_configuration_that_changed_in_between_is_a_fact_and_in_force() {
    let mut center = Story::new(SUPPORT);
    center.dial();
    center.agent_answers("adele");
    center.agent_hangs_up("adele");
    let (head, tail) = SUPPORT.split_once("[[agents]]\nid = \"bianca\"").expect("bianca");
    let (_, queues) = tail.split_once("[[queues]]").expect("queues");
    let only_bianca = format!(
        "{}[[queues]]{queues}",
        head.replace("adele", "bianca").replace("Adele Vance", "Bianca Pisani")
    );
    let mut center = center.crash(&only_bianca);
    assert_eq!(center.agent("adele"), AgentState::Gone);
    assert_eq!(center.count("configured"), 2);
    assert!(center.view.live.interactions.is_empty());
    center.chooses("bianca", ChosenState::Available);
    assert_new_calls_work(&mut center);
}

#[test]
fn two_crashes_in_a_row_close_nothing_twice() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    let center = center.crash(SUPPORT);
    let mut center = center.crash(SUPPORT);
    assert_eq!(center.count("closed"), 1);
    assert_eq!(center.outcome(call), Outcome::Lost);
    assert_new_calls_work(&mut center);
}

#[test]
fn a_journal_cut_off_after_any_fact_gives_a_center_that_works() {
    let mut center = Story::new(SUPPORT);
    let first = center.dial();
    let second = center.dial();
    center.agent_answers("adele");
    center.pass(1);
    center.caller_hangs_up(first);
    center.caller_hangs_up(second);
    center.pass(30);
    let third = center.dial();
    center.caller_hangs_up(third);
    for cut in 0..=center.facts.len() {
        let facts: Vec<_> = center.facts.iter().take(cut).map(|fact| (**fact).clone()).collect();
        let restored = Center::restore(config(SUPPORT), center.now, facts.iter().cloned());
        let mut story = Story::restored(restored, facts);
        assert!(
            story.view.live.interactions.values().all(|view| !view.wrapping_up.is_empty()),
            "cut at {cut}"
        );
        story.pass(100);
        assert!(story.view.live.interactions.is_empty(), "cut at {cut}");
        let closed: Vec<_> = story
            .facts
            .iter()
            .filter_map(|fact| match fact.kind {
                FactKind::Closed { interaction, .. } => Some(interaction),
                _ => None,
            })
            .collect();
        let mut once = closed.clone();
        once.sort();
        once.dedup();
        assert_eq!(
            (once.len(), closed.len()),
            (story.count("arrived"), story.count("arrived")),
            "cut at {cut}"
        );
        assert_new_calls_work(&mut story);
    }
}

#[test]
fn a_clock_that_was_set_back_before_the_restart_is_read_as_the_latest_fact() {
    let mut center = Story::new(SUPPORT);
    center.pass(100);
    center.dial();
    let latest = center.now;
    center.now = Timestamp::from_micros(1);
    let center = center.crash(SUPPORT);
    assert_eq!(center.view.at, latest);
}
