//! Graph is down, slow, in a hurry, or does not want: values age and are told as stale, and nothing is hammered.

use crate::world::*;
use tandem_microsoft::graph::call::Caller;
use tandem_microsoft::graph::fault::FaultKind;
use tandem_microsoft::graph::watch::Output;

#[test]
fn while_graph_is_down_values_become_stale_and_it_is_asked_ever_less() {
    let mut world = World::polling();
    world.watch(2_000);
    world.run(s(20));
    world.graph.reads = Mood::Unreachable;
    let down_at = world.clock();
    world.run(s(25));
    assert!(world.stale().is_empty(), "not yet");
    world.run(s(15));
    assert_eq!(world.stale().len(), 2_000);
    world.run(s(560));
    // Doubling pauses up to a minute: some 6 in the first minute, then at most two in each.
    let polls = world.polls_since(down_at);
    assert!(polls <= 30, "{polls} requests in ten minutes");
    let health = world.watcher.health(world.moment());
    assert_eq!(health.stale, 2_000);
    assert!(health.age_p50 > s(590));

    world.graph.reads = Mood::Fine;
    world.graph.set(person(7), "Away", "Away");
    let up_at = world.clock();
    world.run(s(75));
    assert!(world.stale().is_empty());
    assert_eq!(world.believed()[&person(7)], "Away");
    let fresh = world.told.iter().filter(|(at, o)| *at > up_at && matches!(o, Output::Fresh { .. })).count();
    assert_eq!(fresh, 1_999, "those who did not change are only fresh again");
}

#[test]
fn a_pause_that_graph_asks_for_is_kept_by_all_groups() {
    let mut world = World::polling();
    world.watch(5_000);
    world.run(s(10));
    world.graph.reads = Mood::Refusing(429, "TooManyRequests", Some(20));
    world.run(s(2));
    let paused_at = world.clock();
    world.graph.reads = Mood::Fine;
    world.run(s(17));
    assert_eq!(world.polls_since(paused_at), 0, "silence to the end of the pause");
    world.run(s(10));
    assert!(world.stale().is_empty());
    let health = world.watcher.health(world.moment());
    assert!(health.counts.throttled >= 1);
    assert!(health.age_max <= s(8), "{:?}", health.age_max);
}

#[test]
fn a_graph_that_limits_all_the_time_is_asked_once_for_each_pause() {
    let mut world = World::polling();
    world.watch(5_000);
    world.run(s(10));
    world.graph.reads = Mood::Refusing(429, "TooManyRequests", Some(10));
    world.run(s(5));
    let since = world.clock();
    world.run(s(300));
    let polls = world.polls_since(since);
    assert!((20..=31).contains(&polls), "{polls}");
    assert_eq!(world.stale().len(), 5_000);
}

#[test]
fn slow_answers_are_told_with_their_age() {
    let mut world = World::polling();
    world.graph.latency = s(12);
    world.watch(100);
    world.run(s(60));
    assert_eq!(world.believed().len(), 100);
    assert!(world.stale().is_empty());
    let ages = world.told.iter().filter_map(|(_, output)| match output {
        Output::Changed { age, .. } => Some(*age),
        _ => None,
    });
    assert!(ages.clone().all(|age| age == s(12)), "{:?}", ages.collect::<Vec<_>>());
}

#[test]
fn a_call_without_answer_is_given_up_and_asked_again() {
    let mut world = World::polling();
    world.graph.reads = Mood::Silent;
    world.watch(5);
    world.run(s(20));
    world.graph.reads = Mood::Fine;
    world.run(s(20));
    assert_eq!(world.believed().len(), 5);
}

#[test]
fn consent_withdrawn_is_told_once_and_noticed_when_it_is_given_again() {
    let mut world = World::polling();
    world.watch(1_000);
    world.run(s(10));
    world.graph.reads = Mood::Refusing(403, "Forbidden", None);
    let withdrawn_at = world.clock();
    world.run(s(300));
    let refusals: Vec<_> = world
        .told
        .iter()
        .filter_map(|(_, output)| match output {
            Output::PollingRefused { caller, fault } => Some((*caller, fault.kind)),
            _ => None,
        })
        .collect();
    assert_eq!(refusals, [(Caller::Application, FaultKind::Forbidden)]);
    let polls = world.polls_since(withdrawn_at);
    assert!((4..=9).contains(&polls), "about one each minute: {polls}");
    assert_eq!(world.stale().len(), 1_000);
    world.graph.reads = Mood::Fine;
    let given_at = world.clock();
    world.run(s(61));
    assert!(world.was_told(given_at, |output| *output == Output::PollingRestored));
    assert!(world.stale().is_empty());
}

#[test]
fn where_the_application_may_not_read_an_account_does() {
    let mut world = World::polling();
    world.employ(1);
    world.graph.reads = Mood::Refusing(403, "Forbidden", None);
    world.watch(10);
    world.run(ms(100));
    world.settle();
    world.graph.reads = Mood::Fine;
    world.run(s(10));
    assert_eq!(world.believed().len(), 10);
    let last = world.sent.last().unwrap();
    assert_eq!(last.1.caller, Caller::Account(account(1)));
}

#[test]
fn a_token_that_is_refused_is_told_and_the_next_one_tried_soon() {
    let mut world = World::polling();
    world.watch(10);
    world.run(s(10));
    world.graph.reads = Mood::Refusing(401, "InvalidAuthenticationToken", None);
    world.run(s(7));
    let told = |output: &Output| *output == Output::TokenRefused { caller: Caller::Application };
    assert!(world.was_told(s(0), told));
    world.graph.reads = Mood::Fine;
    let since = world.clock();
    world.run(s(10));
    assert!(world.polls_since(since) >= 1);
    assert!(world.stale().is_empty());
    assert!(!world.was_told(s(0), |output| matches!(output, Output::PollingRefused { .. })));
}

#[test]
fn nonsense_from_graph_is_a_fault_and_changes_nothing() {
    let mut world = World::polling();
    world.watch(10);
    world.run(s(10));
    let before = world.told.len();
    world.graph.reads = Mood::Refusing(200, "html", None);
    world.run(s(20));
    assert_eq!(world.told.len(), before);
    assert!(world.watcher.health(world.moment()).counts.polls_failed > 0);
}

#[test]
fn an_account_that_is_taken_away_no_longer_reads_for_the_application() {
    let mut world = World::polling();
    world.employ(1);
    world.graph.reads = Mood::Refusing(403, "Forbidden", None);
    world.watch(10);
    world.run(ms(100));
    world.graph.reads = Mood::Fine;
    world.run(s(10));
    let moment = world.moment();
    world.watcher.set_accounts(moment, []);
    let since = world.clock();
    world.run(s(10));
    assert!(world.polls_since(since) >= 1);
    assert!(
        world.sent.iter().filter(|(at, _)| *at > since).all(|(_, call)| call.caller == Caller::Application)
    );
}
