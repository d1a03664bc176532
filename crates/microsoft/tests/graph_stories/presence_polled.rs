//! Presence with application permissions alone: nobody subscribes, everybody is asked for.

use crate::world::*;
use tandem_microsoft::graph::call::{Operation, Target};
use tandem_microsoft::graph::watch::{Output, Source};

#[test]
fn everybody_is_known_a_moment_after_being_watched() {
    let mut world = World::polling();
    world.watch(10_000);
    world.run(s(1));
    assert_eq!(world.believed().len(), 10_000);
    let health = world.watcher.health(world.moment());
    assert_eq!((health.watched, health.known, health.stale), (10_000, 10_000, 0));
    assert_eq!(health.groups, 16);
}

#[test]
fn a_change_is_found_within_the_interval_and_its_age_is_told() {
    let mut world = World::polling();
    world.watch(2_000);
    world.run(s(30));
    let changed_at = world.clock();
    world.graph.set(person(1234), "Busy", "InACall");
    world.run(s(10));
    let found = world.told_at(changed_at, person(1234), "Busy").unwrap();
    assert!(found - changed_at <= s(6) + ms(100), "{:?}", found - changed_at);
    let age = world.told.iter().find_map(|(at, output)| match output {
        Output::Changed { age, source: Source::Poll, .. } if *at == found => Some(*age),
        _ => None,
    });
    assert_eq!(age, Some(world.graph.latency), "since the poll was asked");
}

#[test]
fn ten_thousand_people_cost_as_many_requests_as_planned_spread_evenly() {
    let mut world = World::polling();
    world.watch(10_000);
    world.run(s(10));
    let since = world.clock();
    world.run(s(24));
    // 16 groups, each every 6 s.
    let polls = world.polls_since(since);
    assert!((60..=68).contains(&polls), "{polls}");
    for second in 10..34 {
        let within = world
            .sent
            .iter()
            .filter(|(at, call)| at.as_secs() == second && call.operation == Operation::ReadPresences)
            .count();
        assert!(within <= 5, "{within} requests in second {second}");
    }
    let health = world.watcher.health(world.moment());
    assert!(health.age_p50 <= s(4) && health.age_p99 <= s(7) && health.age_max <= s(7), "{health:?}");
}

#[test]
fn nothing_is_told_twice() {
    let mut world = World::polling();
    world.watch(100);
    world.run(s(120));
    assert_eq!(world.told.len(), 100);
}

#[test]
fn who_is_no_longer_watched_is_no_longer_asked_for_nor_told_of() {
    let mut world = World::polling();
    world.watch(1_400);
    world.run(s(10));
    let moment = world.moment();
    world.watcher.unwatch(moment, (0..1_395).map(person));
    let since = world.clock();
    for number in 0..1_400 {
        world.graph.set(person(number), "Away", "Away");
    }
    world.run(s(30));
    let told: Vec<_> = world.told.iter().filter(|(at, _)| *at > since).collect();
    assert_eq!(told.len(), 5);
    assert_eq!(world.watcher.health(world.moment()).groups, 1, "small groups are put together");
    assert!(world.polls_since(since) <= 6);
}

#[test]
fn who_is_watched_again_is_asked_for_at_once() {
    let mut world = World::polling();
    world.watch(10);
    world.run(s(10));
    let moment = world.moment();
    world.watcher.unwatch(moment, [person(3)]);
    world.watcher.watch(moment, [person(3)]);
    let since = world.clock();
    world.run(ms(200));
    assert!(world.told_at(since, person(3), "Available").is_some());
}

#[test]
fn a_person_whom_graph_leaves_out_is_told_once_and_becomes_stale() {
    let mut world = World::polling();
    world.watch(3);
    world.graph.states.remove(&person(1));
    world.run(s(60));
    let omitted = world.told.iter().filter(|(_, o)| *o == Output::Omitted { person: person(1) }).count();
    assert_eq!(omitted, 1);
    assert_eq!(world.stale(), [person(1)].into());
    world.graph.set(person(1), "Busy", "Busy");
    world.run(s(10));
    assert_eq!(world.believed()[&person(1)], "Busy");
    assert!(world.stale().is_empty());
}

#[test]
fn only_so_many_people_are_watched_and_the_rest_is_told() {
    let mut world = World::polling();
    let moment = world.moment();
    world.watcher.watch(moment, (0..100_002).map(person));
    world.settle();
    let refused = world.told.iter().filter(|(_, o)| matches!(o, Output::NotWatched { .. })).count();
    assert_eq!(refused, 2);
}

#[test]
fn without_accounts_nobody_subscribes() {
    let mut world = World::notifying();
    world.watch(100);
    world.run(s(60));
    assert!(
        world
            .sent
            .iter()
            .all(|(_, call)| { call.target == Target::Path("/communications/getPresencesByUserId".into()) })
    );
}
