//! What holds for every journal, whatever happens in it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tandem_center::Timestamp;
use tandem_center::channel::Channel;
use tandem_center::id::QueueId;
use tandem_metrics::agent_time::StateTimes;
use tandem_metrics::interval::Interval;
use tandem_metrics::metric::Quotient;
use tandem_metrics::report::{Attribution, Query, QueueReading, Report};
use tandem_metrics::series::Sum;
use tandem_metrics::service_level::ServiceLevel;
use tandem_metrics::tally::Tally;

use crate::journal::{BEGIN_US, fold};
use crate::world::{AGENTS, Act, Counted, QUEUES, World};

/// Some hours in which a lot happens.
fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(
        (prop_oneof![4 => 0u32..20_000, 1 => 0u32..600_000], any::<u8>(), any::<u8>()),
        0..400,
    )
}

/// Some weeks in which a lot happens: more intervals than are kept one by one.
fn acts_of_weeks() -> impl Strategy<Value = Vec<Act>> {
    let millis = prop_oneof![8 => 0u32..20_000, 2 => 0u32..600_000, 1 => 0u32..100_000_000];
    prop::collection::vec((millis, any::<u8>(), any::<u8>()), 0..300)
}

const CHANNELS: [Channel; 2] = [Channel::Call, Channel::Callback];

/// What is asked about all intervals, when the last fact has happened.
fn everything(report: &Report, attribution: Attribution) -> Query {
    let end = Timestamp::from_micros(BEGIN_US + 1_000_000 * 86_400 * 1_000);
    Query { stretch: Interval { start: Timestamp::default(), end }, attribution, now: report.at() }
}

fn quarter(reading: &QueueReading) -> u64 {
    (reading.interval.unwrap().start.as_micros() - BEGIN_US) / 900_000_000
}

/// By queue and interval, all channels together.
fn tallies(report: &Report, attribution: Attribution) -> BTreeMap<(QueueId, u64), Tally> {
    let mut tallies: BTreeMap<(QueueId, u64), Tally> = BTreeMap::new();
    for reading in report.read(&everything(report, attribution)).queues {
        tallies.entry((reading.queue.clone(), quarter(&reading))).or_default().merge(&reading.tally);
    }
    tallies
}

fn total(report: &Report) -> Tally {
    let mut total = Tally::default();
    for queue in report.queues() {
        for found in CHANNELS.iter().filter_map(|channel| report.queue_total(queue, *channel)) {
            total.merge(&found.tally);
        }
    }
    total
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_counted_is_what_happened(acts in acts()) {
        let world = World::run(&acts);
        let report = fold(&world.journal.facts);
        prop_assert_eq!(report.visits().strays(), 0);
        let found = tallies(&report, Attribution::Arrival);
        for ((queue, quarter), counted) in &world.counted {
            let tally = &found[&((*queue).into(), *quarter)];
            let again = Counted {
                entered: tally.entered,
                answered: tally.answered.visits,
                answered_wait_us: tally.answered.wait_us,
                abandoned: tally.abandoned.visits,
                flowed_out: tally.flowed_out.visits,
                lost: tally.lost.visits,
                waiting: tally.entered - tally.left(),
                offers: tally.offers.made,
                handled: tally.handled.contacts,
                handle_us: tally.handled.handle_time().numerator,
            };
            prop_assert_eq!(again, *counted);
        }
        let entered: u64 = found.values().map(|tally| tally.entered).sum();
        prop_assert_eq!(entered, world.counted.values().map(|counted| counted.entered).sum::<u64>());
    }

    #[test]
    fn what_came_in_is_what_came_out(acts in prop_oneof![acts(), acts_of_weeks()], part in 0.0..=1.0) {
        let world = World::run(&acts);
        let facts = &world.journal.facts;
        let so_far = &facts[..(facts.len() as f64 * part) as usize];
        let report = fold(so_far);
        for attribution in [Attribution::Arrival, Attribution::Event] {
            for reading in report.read(&everything(&report, attribution)).queues {
                let conservation = reading.conservation;
                prop_assert!(conservation.holds(), "{attribution:?} {conservation:?}");
                if reading.is_final && attribution == Attribution::Arrival {
                    prop_assert_eq!((conservation.waiting_at_start, conservation.waiting_at_end), (0, 0));
                }
            }
        }
        for queue in QUEUES {
            for total in CHANNELS.iter().filter_map(|channel| report.queue_total(&queue.into(), *channel)) {
                prop_assert!(total.conservation.holds());
            }
        }
    }

    #[test]
    fn a_final_interval_never_changes(acts in acts(), part in 0.0..=1.0) {
        let world = World::run(&acts);
        let facts = &world.journal.facts;
        let before = fold(&facts[..(facts.len() as f64 * part) as usize]);
        for attribution in [Attribution::Arrival, Attribution::Event] {
            let whole = fold(facts);
            let after = whole.read(&everything(&whole, attribution)).queues;
            let before = before.read(&everything(&before, attribution)).queues;
            for reading in before.into_iter().filter(|reading| reading.is_final) {
                prop_assert!(after.contains(&reading), "{reading:?}");
            }
        }
    }

    #[test]
    fn any_causal_order_and_any_repetition_give_the_same(
        acts in prop_oneof![acts(), acts_of_weeks()],
        seed in any::<u64>(),
    ) {
        let world = World::run(&acts);
        let report = fold(&world.journal.facts);
        let mut shuffled = world.shuffled(seed);
        prop_assert_eq!(&fold(&shuffled), &report);
        let again: Vec<_> = shuffled.iter().step_by(3).cloned().collect();
        shuffled.extend(again);
        shuffled.extend(world.journal.facts.iter().cloned());
        prop_assert_eq!(&fold(&shuffled), &report);
    }

    #[test]
    fn a_report_that_was_written_and_read_back_goes_on(acts in acts(), part in 0.0..=1.0) {
        let world = World::run(&acts);
        let facts = &world.journal.facts;
        let (before, after) = facts.split_at((facts.len() as f64 * part) as usize);
        let text = serde_json::to_string(&fold(before)).unwrap();
        let mut report: Report = serde_json::from_str(&text).unwrap();
        after.iter().for_each(|fact| report.apply(fact));
        prop_assert_eq!(report, fold(facts));
    }

    #[test]
    fn parts_add_up_to_the_whole(acts in prop_oneof![acts(), acts_of_weeks()], seed in any::<u64>()) {
        let world = World::run(&acts);
        let whole = fold(&world.journal.facts);
        let (mut some, mut others) = (fold(&[]), fold(&[]));
        for fact in &world.journal.facts {
            let to_some = fact.interaction().is_some_and(|id| (id.0 ^ seed) % 3 == 0);
            if to_some { some.apply(fact) } else { others.apply(fact) }
        }
        let mut merged = total(&some);
        merged.merge(&total(&others));
        prop_assert_eq!(&merged, &total(&whole));
        for variant in ServiceLevel::ALL {
            let parts = variant.of(&total(&some)).and(variant.of(&total(&others)));
            prop_assert_eq!(variant.of(&merged), parts);
        }
        let kept_all = world.now_us < 100 * 900_000_000;
        let by_interval = tallies(&whole, Attribution::Event).into_values().filter(|_| kept_all).fold(
            Tally::default(),
            |mut sum, tally| {
                sum.merge(&tally);
                sum
            },
        );
        prop_assert_eq!(by_interval, if kept_all { total(&whole) } else { Tally::default() });
    }

    #[test]
    fn variants_of_the_service_level_keep_their_order(acts in acts()) {
        let report = fold(&World::run(&acts).journal.facts);
        for tally in tallies(&report, Attribution::Arrival).values() {
            use ServiceLevel::{Sl1, Sl2, Sl3, Sl4, Sl5, Sl6, Sl7, Sl8};
            let chains: [&[ServiceLevel]; 5] =
                [&[Sl2, Sl5, Sl3, Sl1], &[Sl2, Sl6, Sl4], &[Sl3, Sl4], &[Sl7, Sl2], &[Sl7, Sl8]];
            for chain in chains {
                for pair in chain.windows(2) {
                    let (lower, higher) = (pair[0].of(tally), pair[1].of(tally));
                    if let (Some(lower), Some(higher)) = (lower.value(), higher.value()) {
                        prop_assert!(lower <= higher, "{pair:?} {tally:?}");
                    }
                }
            }
            if tally.left() == 0 {
                prop_assert!(ServiceLevel::ALL.iter().all(|variant| variant.of(tally) == Quotient::default()));
            }
        }
    }

    #[test]
    fn each_moment_of_an_agent_is_counted_once(acts in acts()) {
        let world = World::run(&acts);
        let report = fold(&world.journal.facts);
        let now = Timestamp::from_micros(BEGIN_US + world.now_us + 5_000_000);
        for agent in AGENTS {
            let agent = agent.into();
            let segments = report.time_lines().segments(&agent, now);
            let mut expected = Timestamp::from_micros(BEGIN_US);
            for segment in &segments {
                prop_assert_eq!(segment.from, expected);
                prop_assert!(segment.from < segment.until);
                expected = segment.until;
            }
            prop_assert_eq!(expected, now);
            let mut by_segment = StateTimes::default();
            segments.iter().for_each(|segment| by_segment.add(&segment.state, segment.length_us()));
            let mut by_interval = StateTimes::default();
            for reading in report.agent(&agent, &Query { now, ..everything(&report, Attribution::Arrival) }) {
                let time = &reading.tally.time;
                let length_us = reading.interval.unwrap().length_us();
                prop_assert!(time.logged_in_us() <= length_us, "{time:?}");
                by_interval.merge(time);
            }
            prop_assert_eq!(by_interval, by_segment);
        }
    }

    #[test]
    fn no_time_of_an_agent_is_lost_when_intervals_are_no_longer_kept(acts in acts_of_weeks()) {
        let world = World::run(&acts);
        let report = fold(&world.journal.facts);
        let now = Timestamp::from_micros(BEGIN_US + world.now_us);
        for agent in AGENTS {
            let agent = agent.into();
            let mut by_segment = StateTimes::default();
            let mut segments = report.time_lines().segments(&agent, now);
            let present = report.time_lines().present_of(&agent, now);
            segments.truncate(segments.len() - usize::from(present.is_some()));
            segments.iter().for_each(|segment| by_segment.add(&segment.state, segment.length_us()));
            let total = report.agent_total(&agent).map(|total| total.tally.time).unwrap_or_default();
            prop_assert_eq!(total, by_segment);
        }
    }

    #[test]
    fn facts_in_an_order_that_cannot_be_do_no_harm(acts in acts(), order in any::<prop::sample::Index>()) {
        let mut facts = World::run(&acts).journal.facts;
        let middle = order.index(facts.len());
        facts.rotate_left(middle);
        facts[middle..].reverse();
        let report = fold(&facts);
        for attribution in [Attribution::Arrival, Attribution::Event] {
            for reading in report.read(&everything(&report, attribution)).queues {
                let tally = reading.tally;
                prop_assert!(tally.abandoned_short <= tally.abandoned.visits);
                prop_assert!(tally.answered_within <= tally.answered.visits);
                prop_assert_eq!(tally.waits.count(), tally.answered.visits);
            }
        }
    }
}
