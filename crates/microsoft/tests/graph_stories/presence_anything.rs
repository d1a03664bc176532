//! Anything may happen to a watcher, in any order; once Graph is well again, everything is as Graph says.

use proptest::prelude::*;
use tandem_microsoft::graph::call::Operation;

use crate::world::*;

#[derive(Clone, Debug)]
enum Act {
    Watch(u32),
    Unwatch(u32),
    Employ(u8),
    Change(u32, usize),
    /// Graph tells what is, or what is not.
    Tell(u32, usize),
    Lifecycle(usize),
    Forget,
    Unknown(u32),
    Reads(usize),
    Subscribes(usize),
    Cares(usize),
    Latency(u64),
    Notify(bool),
    Look(u32),
    Run(u64),
}

const PEOPLE: u32 = 900;
const STATES: [&str; 4] = ["Available", "Busy", "Away", "DoNotDisturb"];

fn mood(number: usize) -> Mood {
    match number {
        0 | 1 => Mood::Fine,
        2 => Mood::Unreachable,
        3 => Mood::Silent,
        4 => Mood::Refusing(429, "TooManyRequests", Some(7)),
        5 => Mood::Refusing(503, "ServiceUnavailable", None),
        6 => Mood::Refusing(401, "InvalidAuthenticationToken", None),
        7 => Mood::Refusing(403, "Forbidden", None),
        8 => Mood::Refusing(404, "ResourceNotFound", None),
        _ => Mood::Refusing(200, "html", None),
    }
}

fn act() -> impl Strategy<Value = Act> {
    // Few people, so that the acts meet; a range of many, so that groups come and go.
    let person = || prop_oneof![0..6u32, 0..PEOPLE];
    prop_oneof![
        2 => person().prop_map(Act::Watch),
        2 => person().prop_map(Act::Unwatch),
        1 => (0u8..4).prop_map(Act::Employ),
        4 => (0..6u32, 0..4usize).prop_map(|(who, state)| Act::Change(who, state)),
        4 => (0..6u32, 0..4usize).prop_map(|(who, state)| Act::Tell(who, state)),
        1 => (0..4usize).prop_map(Act::Lifecycle),
        1 => Just(Act::Forget),
        1 => (0..6u32).prop_map(Act::Unknown),
        2 => (0..10usize).prop_map(Act::Reads),
        1 => (0..10usize).prop_map(Act::Subscribes),
        1 => (0..10usize).prop_map(Act::Cares),
        1 => (1u64..8000).prop_map(Act::Latency),
        1 => any::<bool>().prop_map(Act::Notify),
        1 => person().prop_map(Act::Look),
        6 => prop_oneof![1u64..5_000, 5_000u64..100_000, 100_000u64..600_000].prop_map(Act::Run),
    ]
}

fn perform(world: &mut World, act: &Act) {
    let moment = world.moment();
    let subscribed =
        |world: &World, who| world.graph.subscriptions.iter().any(|h| h.people.contains(&person(who)));
    match *act {
        // From a few up to many.
        Act::Watch(count) => world.watcher.watch(moment, (0..count).map(person)),
        Act::Unwatch(from) => world.watcher.unwatch(moment, (from..from + 400).map(person)),
        Act::Employ(accounts) => world.employ(accounts),
        Act::Change(who, state) => world.graph.set(person(who), STATES[state], STATES[state]),
        Act::Tell(who, state) if subscribed(world, who) => {
            world.tell(person(who), STATES[state], STATES[state]);
        }
        Act::Lifecycle(event) => {
            let events = ["reauthorizationRequired", "subscriptionRemoved", "missed", "other"];
            if let Some(who) = (0..6).find(|who| subscribed(world, *who)) {
                world.lifecycle(person(who), events[event]);
            }
        }
        Act::Forget => world.graph.subscriptions.clear(),
        Act::Unknown(who) => drop(world.graph.states.remove(&person(who))),
        Act::Reads(number) => world.graph.reads = mood(number),
        Act::Subscribes(number) => world.graph.subscribes = mood(number),
        Act::Cares(number) => world.graph.cares = mood(number),
        Act::Latency(milliseconds) => world.graph.latency = ms(milliseconds),
        Act::Notify(on) => world.watcher.set_notify(moment, on.then(|| notify("c1"))),
        Act::Look(who) => world.watcher.look(moment, [person(who)]),
        Act::Run(milliseconds) => world.run(ms(milliseconds)),
        Act::Tell(..) => {}
    }
}

/// No 30 s have more requests than the share of the limit that is used.
fn assert_paced(world: &World) {
    let polls: Vec<_> = world
        .sent
        .iter()
        .filter(|(_, call)| call.operation == Operation::ReadPresences)
        .map(|(at, _)| *at)
        .collect();
    for (place, first) in polls.iter().enumerate() {
        assert!(polls.get(place + 1050).is_none_or(|last| *last - *first >= s(30)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn everything_is_as_graph_says_in_the_end(acts in proptest::collection::vec(act(), 1..40)) {
        let mut world = World::notifying();
        for number in 0..PEOPLE {
            world.graph.set(person(number), "Available", "Available");
        }
        for act in &acts {
            perform(&mut world, act);
        }
        world.graph.reads = Mood::Fine;
        world.graph.subscribes = Mood::Fine;
        world.graph.cares = Mood::Fine;
        world.graph.latency = ms(80);
        // The longest pause is a minute, the rarest check another.
        world.run(s(260));
        assert_paced(&world);
        let (believed, stale) = (world.believed(), world.stale());
        for number in 0..PEOPLE {
            let who = person(number);
            if !world.watcher.watches(who) {
                continue;
            }
            match world.graph.states.get(&who) {
                Some((state, ..)) => {
                    prop_assert_eq!(believed.get(&who), Some(state), "person {}", number);
                    prop_assert!(!stale.contains(&who), "person {}", number);
                }
                None => prop_assert!(stale.contains(&who), "person {} is not known to Graph", number),
            }
        }
        let health = world.watcher.health(world.moment());
        prop_assert!(health.groups <= 5, "{} groups", health.groups);
        let moment = world.moment();
        world.watcher.close(moment);
        world.run(s(60));
        prop_assert_eq!(world.watcher.poll_timeout(), None);
    }
}
