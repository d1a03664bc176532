//! What another system says about an agent.

use std::time::Duration;

use crate::harness::{Story, house, on_break};
use tandem_center::Input;
use tandem_center::agent::{AgentState, ChosenState, Confidence, Presence, PresenceReport};
use tandem_center::fact::{FactKind, OfferOutcome};
use tandem_center::supervise::RefusalReason;

fn config() -> String {
    house(&[("adele", "")], "", "[presence]\nbelieved_s = 300\n")
}

fn report(center: &mut Story, presence: Presence, manual: bool, age_s: u64) {
    let (agent, source) = ("adele".into(), "teams".into());
    let age = Duration::from_secs(age_s);
    center.input(Input::Presence(PresenceReport {
        agent,
        source,
        presence,
        manual,
        age,
        confidence: Default::default(),
    }));
}

fn told(center: &mut Story, presence: Presence) {
    report(center, presence, false, 0);
}

fn is_reachable(center: &Story) -> bool {
    !matches!(center.agent("adele"), AgentState::NotReachable { .. })
}

#[test]
fn some_values_keep_offers_away_and_others_do_not() {
    for (presence, by_itself, chosen) in [
        (Presence::Available, true, true),
        (Presence::Busy, false, false),
        (Presence::InCall, false, false),
        (Presence::InMeeting, false, false),
        (Presence::Presenting, false, false),
        (Presence::DoNotDisturb, false, false),
        (Presence::BeRightBack, false, false),
        (Presence::Away, true, false),
        (Presence::Offline, false, false),
        (Presence::OutOfOffice, false, false),
        (Presence::Unknown, false, false),
    ] {
        for (manual, reachable) in [(false, by_itself), (true, chosen)] {
            let mut center = Story::new(&config());
            report(&mut center, presence, manual, 0);
            let [call] = center.callers();
            assert_eq!(is_reachable(&center), reachable, "{presence:?} {manual}");
            assert_eq!(center.rung_for(call).is_some(), reachable, "{presence:?} {manual}");
        }
    }
}

#[test]
fn the_same_told_again_is_written_now_and_then_and_its_age_is_known_all_the_same() {
    let mut center = Story::new(&config());
    told(&mut center, Presence::Available);
    let before = center.facts.len();
    for _ in 0..9 {
        center.pass(10);
        told(&mut center, Presence::Available);
    }
    assert_eq!(center.facts.len(), before, "nothing has changed");
    center.pass(4);
    let [_] = center.callers();
    let seen = center.facts.iter().rev().find_map(|fact| match &fact.kind {
        FactKind::Offered { presence, .. } => presence.clone(),
        _ => None,
    });
    let seen = seen.unwrap();
    assert_eq!((seen.presence, seen.age_us), (Presence::Available, 4_000_000));
    // After a third of the time for which it is believed it is a fact again, so that a restart knows it.
    for _ in 0..2 {
        center.pass(10);
        told(&mut center, Presence::Available);
    }
    let again = center.facts.iter().skip(before);
    assert_eq!(again.filter(|fact| matches!(fact.kind, FactKind::PresenceTold { .. })).count(), 1);
}

#[test]
fn another_confidence_in_the_same_value_is_told() {
    let mut center = Story::new(&config());
    told(&mut center, Presence::Available);
    let report = PresenceReport {
        agent: "adele".into(),
        source: "teams".into(),
        presence: Presence::Available,
        manual: false,
        age: Duration::ZERO,
        confidence: Confidence::Doubtful,
    };
    center.input(Input::Presence(report));
    let last = center.facts.last().cloned().unwrap();
    let FactKind::PresenceTold { told, .. } = &last.kind else { panic!("{last:?}") };
    assert_eq!(told.confidence, Confidence::Doubtful);
}

#[test]
fn who_becomes_reachable_is_offered_the_caller_who_waits() {
    let mut center = Story::new(&config());
    told(&mut center, Presence::DoNotDisturb);
    let [call] = center.callers();
    center.pass(20);
    told(&mut center, Presence::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    assert!(matches!(center.last_fact("offered"), FactKind::Offered { idle_us: 0, .. }), "idle since now");
}

#[test]
fn a_value_that_is_not_told_again_is_forgotten() {
    let mut center = Story::new(&config());
    told(&mut center, Presence::Offline);
    let [call] = center.callers();
    center.pass(200);
    told(&mut center, Presence::Offline);
    center.pass(299);
    assert_eq!(center.rung_for(call), None);
    center.pass(1);
    assert_eq!(center.count("presence_forgotten"), 1);
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
}

#[test]
fn a_value_is_believed_from_when_it_was_so_and_one_too_old_is_not() {
    let mut center = Story::new(&config());
    report(&mut center, Presence::Busy, false, 300);
    assert_eq!(center.count("presence_told"), 0);
    report(&mut center, Presence::Busy, false, 290);
    assert!(!is_reachable(&center));
    center.pass(10);
    assert!(is_reachable(&center));
}

#[test]
fn an_older_value_that_comes_later_changes_nothing() {
    let mut center = Story::new(&config());
    center.pass(60);
    report(&mut center, Presence::Available, false, 5);
    report(&mut center, Presence::DoNotDisturb, false, 20);
    assert!(is_reachable(&center));
    assert_eq!(center.count("presence_told"), 1);
    report(&mut center, Presence::DoNotDisturb, false, 5);
    assert!(!is_reachable(&center), "of two of the same moment the one that comes later");
}

#[test]
fn what_is_said_about_a_call_of_ours_stops_nothing() {
    let config = house(&[("adele", "")], "", "[capacity]\ncall = 50\n");
    let mut center = Story::new(&config);
    let [_, second] = center.callers();
    told(&mut center, Presence::InCall);
    assert_eq!(center.offered(), ["adele"], "our own ringing is no reason to stop it");
    center.agent_answers("adele");
    assert_eq!(center.rung_for(second).as_deref(), Some("adele"), "our own conversation keeps nothing away");
    told(&mut center, Presence::Busy);
    assert_eq!(center.rung_for(second).as_deref(), Some("adele"));
    center.agent_leaves("adele", tandem_center::call::CauseKind::Declined);
    center.chooses("adele", ChosenState::Available);
    told(&mut center, Presence::DoNotDisturb);
    let [third] = center.callers();
    assert_eq!(center.rung_for(third), None, "but what the agent wants does");
}

#[test]
fn an_offer_that_rings_is_taken_back_and_the_agent_has_missed_nothing() {
    let mut center = Story::new(&config());
    let [call] = center.callers();
    told(&mut center, Presence::DoNotDisturb);
    assert_eq!(center.rung_for(call), None);
    assert!(matches!(
        center.last_fact("offer_ended"),
        FactKind::OfferEnded { outcome: OfferOutcome::AgentLeft, misses: 0, .. }
    ));
    assert!(matches!(center.agent("adele"), AgentState::NotReachable { told: Presence::DoNotDisturb, .. }));
}

#[test]
fn who_is_on_a_break_stays_on_it_and_finds_the_value_afterwards() {
    let mut center = Story::new(&config());
    center.chooses("adele", on_break());
    told(&mut center, Presence::Offline);
    assert!(matches!(center.agent("adele"), AgentState::Break { .. }));
    center.chooses("adele", ChosenState::Available);
    assert!(!is_reachable(&center), "saying available here does not make a telephone ring that is off");
}

#[test]
fn nothing_is_known_of_strangers() {
    let mut center = Story::new(&config());
    let source = "teams".into();
    let (presence, age) = (Presence::Away, Duration::ZERO);
    let agent = "nobody".into();
    center.input(Input::Presence(PresenceReport {
        agent,
        source,
        presence,
        manual: false,
        age,
        confidence: Default::default(),
    }));
    assert_eq!(center.refused[0].reason, RefusalReason::UnknownAgent);
}

#[test]
fn which_values_stop_is_configured() {
    let config = house(&[("adele", "")], "", "[presence]\nstops = [\"away\"]\nstops_manual = []\n");
    let mut center = Story::new(&config);
    told(&mut center, Presence::DoNotDisturb);
    assert!(is_reachable(&center));
    told(&mut center, Presence::Away);
    assert!(!is_reachable(&center));
    report(&mut center, Presence::Away, true, 0);
    assert!(is_reachable(&center));
}

#[test]
fn a_restart_remembers_what_was_told_and_forgets_it_in_time() {
    let mut center = Story::new(&config());
    told(&mut center, Presence::Offline);
    center.pass(100);
    let mut center = center.crash(&config());
    assert!(!is_reachable(&center));
    center.pass(199);
    assert!(!is_reachable(&center));
    center.pass(1);
    assert!(is_reachable(&center));
}
