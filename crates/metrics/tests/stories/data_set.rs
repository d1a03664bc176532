//! Nineteen visits in a quarter of an hour, and every figure that follows from them.

use std::collections::BTreeMap;

use tandem_center::channel::Channel;
use tandem_center::fact::Fact;
use tandem_center::id::InteractionId;
use tandem_center::id::QueueId;
use tandem_metrics::erlang::{Load, Target, mean_patience_us, staff_patient, staff_waiting};
use tandem_metrics::handling::PerContact;
use tandem_metrics::interval::{Calendar, Length};
use tandem_metrics::metric::Quotient;
use tandem_metrics::report::{Attribution, Query, QueueReading, Report, Settings};
use tandem_metrics::service_level::{ServiceLevel, Thresholds};
use tandem_metrics::tally::Tally;
use tandem_metrics::waiting::{Abandonment, AverageWait, SpeedOfAnswer};

use crate::digits::assert_digits;
use crate::journal::{
    Journal, Talk, arrived, available, closed, connected, entered, fold, fold_with, held, left, offered,
    resumed, second, talked, until, wrap_up, wrapped_up,
};

const MILLION: u64 = 1_000_000;

/// When, how long, how, and if answered: talk, hold and after-call work.
const VISITS: [(u64, u64, &str, [u64; 3]); 19] = [
    (0, 0, "answered", [100, 0, 30]),
    (10, 4, "answered", [200, 20, 40]),
    (30, 9, "answered", [150, 0, 20]),
    (100, 3, "abandoned", [0; 3]),
    (150, 15, "answered", [90, 10, 30]),
    (200, 20, "answered", [240, 0, 60]),
    (260, 5, "abandoned", [0; 3]),
    (300, 21, "answered", [180, 0, 0]),
    (350, 35, "answered", [60, 0, 15]),
    (400, 11, "abandoned", [0; 3]),
    (450, 48, "answered", [300, 60, 45]),
    (500, 12, "answered", [120, 0, 30]),
    (520, 20, "abandoned", [0; 3]),
    (600, 60, "waited_too_long", [0; 3]),
    (650, 18, "answered", [210, 0, 30]),
    (700, 40, "abandoned", [0; 3]),
    (750, 45, "call_limit", [0; 3]),
    (800, 90, "queue_gone", [0; 3]),
    (870, 64, "answered", [130, 0, 20]),
];

/// What happens to whom: the visit and the fact, for which its interaction is still to be filled in.
type Act = Box<dyn Fn(InteractionId) -> serde_json::Value>;

/// The facts of the visits, in the order in which they happened. Each visit has an agent of its own.
pub(crate) fn facts() -> Vec<Fact> {
    let mut acts: Vec<(u64, usize, Act)> = Vec::new();
    for (visit, (entered_at, wait, how, [talk, hold, after_call])) in VISITS.into_iter().enumerate() {
        let agent = format!("agent-{visit}");
        let mut then = |at: u64, act: Act| acts.push((at, visit, act));
        then(entered_at, Box::new(|_| arrived()));
        then(entered_at, Box::new(|id| entered(id, "support")));
        let until = entered_at + wait;
        if how != "answered" {
            then(until, Box::new(move |id| left(id, "support", how)));
            let outcome = if how == "abandoned" { "abandoned_in_queue" } else { "flow_ended" };
            then(until, Box::new(move |id| closed(id, outcome)));
            continue;
        }
        let who = agent.clone();
        then(until.saturating_sub(3).max(entered_at), Box::new(move |id| offered(id, "support", &who)));
        let who = agent.clone();
        then(until, Box::new(move |id| connected(id, "support", &who)));
        if hold > 0 {
            then(until + 5, Box::new(held));
            then(until + 5 + hold, Box::new(move |id| resumed(id, hold * MILLION)));
        }
        let over = until + talk + hold;
        let who = agent.clone();
        then(
            over,
            Box::new(move |id| {
                let (talked_us, held_us) = (talk * MILLION, hold * MILLION);
                let talk = Talk { queue: "support", agent: &who, by: "caller", talked_us, held_us };
                talked(id, &talk, if after_call > 0 { wrap_up(id) } else { available() })
            }),
        );
        if after_call > 0 {
            let who = agent.clone();
            then(
                over + after_call,
                Box::new(move |id| wrapped_up(id, &who, after_call * MILLION, available())),
            );
        }
        then(over + after_call, Box::new(|id| closed(id, "handled")));
    }
    acts.sort_by_key(|(at, visit, _)| (*at, *visit));
    let mut journal = Journal::default();
    let mut ids: BTreeMap<usize, InteractionId> = BTreeMap::new();
    for (at, visit, act) in acts {
        let next = InteractionId(journal.facts.len() as u64 + 1);
        let id = *ids.entry(visit).or_insert(next);
        journal.write(at, act(id));
    }
    journal.facts
}

fn support() -> QueueId {
    "support".into()
}

fn quarters(report: &Report, attribution: Attribution) -> Vec<QueueReading> {
    report.queue(&support(), Channel::Call, &until(3600, attribution))
}

fn the_quarter() -> QueueReading {
    let quarters = quarters(&fold(&facts()), Attribution::Arrival);
    assert_eq!(quarters.len(), 1);
    quarters.into_iter().next().unwrap()
}

fn percent(of: Quotient, printed: &str) {
    assert_digits(of.value().unwrap() * 100.0, printed);
}

fn seconds(of: Quotient, printed: &str) {
    assert_digits(of.value().unwrap() / 1e6, printed);
}

#[test]
fn the_counts() {
    let QueueReading { tally, is_final, conservation, .. } = the_quarter();
    assert_eq!(tally.entered, 19);
    assert_eq!((tally.answered.visits, tally.abandoned.visits, tally.flowed_out.visits), (11, 5, 3));
    assert_eq!((tally.answered_within, tally.abandoned_within, tally.abandoned_short), (7, 4, 2));
    assert_eq!(tally.flow_outs.values().sum::<u64>(), 3);
    assert!(is_final);
    assert!(conservation.holds());
    assert_eq!((conservation.waiting_at_start, conservation.waiting_at_end), (0, 0));
}

#[test]
fn every_service_level() {
    let tally = the_quarter().tally;
    let expected = [
        (ServiceLevel::Sl1, Quotient::new(7, 11), "63.6364"),
        (ServiceLevel::Sl2, Quotient::new(7, 16), "43.7500"),
        (ServiceLevel::Sl3, Quotient::new(7, 12), "58.3333"),
        (ServiceLevel::Sl4, Quotient::new(11, 16), "68.7500"),
        (ServiceLevel::Sl5, Quotient::new(7, 14), "50.0000"),
        (ServiceLevel::Sl6, Quotient::new(9, 16), "56.2500"),
        (ServiceLevel::Sl7, Quotient::new(7, 19), "36.8421"),
        (ServiceLevel::Sl8, Quotient::new(7, 17), "41.1765"),
    ];
    for (variant, of, printed) in expected {
        assert_eq!(variant.of(&tally), of, "{variant:?}");
        percent(of, printed);
    }
}

#[test]
fn thresholds_are_inclusive_and_one_call_at_the_border_moves_them() {
    let strictly = Thresholds { answer_within_us: 20 * MILLION - 1, short_abandon_us: 5 * MILLION - 1 };
    let report = fold_with(Settings::new(Calendar::utc(Length::QuarterHour), strictly), &facts());
    let tally = &quarters(&report, Attribution::Arrival)[0].tally;
    assert_eq!((tally.answered_within, tally.abandoned_within, tally.abandoned_short), (6, 3, 1));
    percent(ServiceLevel::Sl2.of(tally), "37.5");
}

#[test]
fn waits() {
    let tally = the_quarter().tally;
    assert_eq!(SpeedOfAnswer::All.of(&tally), Quotient::new(246 * MILLION, 11));
    seconds(SpeedOfAnswer::All.of(&tally), "22.363636");
    assert_eq!(SpeedOfAnswer::Delayed.of(&tally), Quotient::new(246 * MILLION, 10));
    seconds(SpeedOfAnswer::Delayed.of(&tally), "24.6");
    assert_eq!(SpeedOfAnswer::OverAllVisits.of(&tally), Quotient::new(246 * MILLION, 11));
    assert_eq!(tally.abandoned.mean(), Quotient::new(79 * MILLION, 5));
    seconds(tally.abandoned.mean(), "15.8");
    seconds(AverageWait::AnsweredAndAbandoned.of(&tally), "20.3125");
    assert_eq!(AverageWait::AnsweredAndAbandoned.of(&tally), Quotient::new(325 * MILLION, 16));
    seconds(AverageWait::AllLeaving.of(&tally), "27.368421");
    assert_eq!(AverageWait::AllLeaving.of(&tally), Quotient::new(520 * MILLION, 19));
    let percentiles = [50, 80, 90, 95].map(|percent| tally.waits.percentile(percent).unwrap() / MILLION);
    assert_eq!(percentiles, [18, 35, 48, 64]);
    assert_eq!(tally.longest_wait_us(), Some(90 * MILLION));
}

#[test]
fn the_longest_current_wait() {
    let now = second(655);
    let until_now: Vec<Fact> = facts().into_iter().filter(|fact| fact.at <= now).collect();
    let report = fold(&until_now);
    let queue = &report.now(now)[0];
    assert_eq!(queue.waiting, 2);
    let json = serde_json::to_value(&queue.longest_current_wait).unwrap();
    assert_eq!(json["metric"], "longest_current_wait");
    assert_eq!(json["value"], 55 * MILLION);
}

#[test]
fn abandonment() {
    let tally = the_quarter().tally;
    let expected = [
        (Abandonment::OfEntered, Quotient::new(5, 19), "26.3158"),
        (Abandonment::OfAnsweredAndAbandoned, Quotient::new(5, 16), "31.2500"),
        (Abandonment::OfEnteredWithoutShort, Quotient::new(3, 17), "17.6471"),
        (Abandonment::WithoutShort, Quotient::new(3, 14), "21.4286"),
    ];
    for (variant, of, printed) in expected {
        assert_eq!(variant.of(&tally), of, "{variant:?}");
        percent(of, printed);
    }
}

#[test]
fn handling() {
    let handled = the_quarter().tally.handled;
    let (all, with_it) = (PerContact::Handled, PerContact::WithIt);
    assert_eq!(handled.talk(), Quotient::new(1780 * MILLION, 11));
    seconds(handled.talk(), "161.818182");
    assert_eq!(handled.hold(all), Quotient::new(90 * MILLION, 11));
    seconds(handled.hold(all), "8.181818");
    assert_eq!(handled.hold(with_it), Quotient::new(90 * MILLION, 3));
    assert_eq!(handled.after_call(all), Quotient::new(320 * MILLION, 11));
    seconds(handled.after_call(all), "29.090909");
    assert_eq!(handled.after_call(with_it), Quotient::new(320 * MILLION, 10));
    assert_eq!(handled.handle_time(), Quotient::new(2190 * MILLION, 11));
    seconds(handled.handle_time(), "199.090909");
}

#[test]
fn by_event_the_last_call_counts_in_the_next_quarter() {
    let quarters = quarters(&fold(&facts()), Attribution::Event);
    assert_eq!(quarters.len(), 2);
    let counts = |reading: &QueueReading| {
        let tally = &reading.tally;
        (tally.answered.visits, tally.abandoned.visits, tally.flowed_out.visits)
    };
    assert_eq!(counts(&quarters[0]), (10, 5, 3));
    assert_eq!(quarters[0].conservation.waiting_at_end, 1);
    assert_eq!(counts(&quarters[1]), (1, 0, 0));
    assert_eq!(quarters[1].conservation.waiting_at_start, 1);
    assert_eq!(ServiceLevel::Sl2.of(&quarters[1].tally), Quotient::new(0, 1));
    assert!(quarters.iter().all(|quarter| quarter.conservation.holds()));
}

#[test]
fn an_interval_is_final_when_its_last_visit_has_ended() {
    let facts = facts();
    let at = |second_of: u64| {
        let now = second(second_of);
        let so_far: Vec<Fact> = facts.iter().filter(|fact| fact.at <= now).cloned().collect();
        fold(&so_far)
            .queue(&support(), Channel::Call, &Query { now, ..until(900, Attribution::Arrival) })
            .remove(0)
    };
    assert!(!at(899).is_final);
    // Visit 19 waits until 934 and is wrapped up at 1084.
    assert!(!at(933).is_final);
    assert_eq!(at(933).conservation.waiting_at_end, 1);
    assert!(at(933).conservation.holds());
    assert!(!at(1083).is_final);
    assert!(at(1084).is_final);
}

#[test]
fn patience_counts_also_those_who_were_answered() {
    let patience = mean_patience_us(&the_quarter().tally);
    assert_eq!(patience, Quotient::new(520 * MILLION, 5));
    seconds(patience, "104");
}

#[test]
fn the_agents_that_such_a_quarter_needs() {
    let QueueReading { tally, interval, .. } = the_quarter();
    let load = Load::measured(&tally, interval.unwrap().length_us()).unwrap();
    // 19 callers of 199.09 seconds each in 900 seconds.
    assert_digits(load.erlangs(), "4.2030303");
    let patience_s = mean_patience_us(&tally).value().unwrap() / 1e6;
    let target = Target { service_level: Some((0.8, 20.0)), ..Target::default() };
    let needed = staff_patient(load, patience_s, &target).unwrap().unwrap();
    let endless = staff_waiting(load, &target).unwrap().unwrap();
    assert!(needed.queue.answered_within >= 0.8);
    assert!(needed.agents < endless.agents, "{needed:?} {endless:?}");
    assert_eq!(Load::measured(&Tally::default(), 900 * MILLION), None);
}
