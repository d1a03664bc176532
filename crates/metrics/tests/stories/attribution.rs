//! To which interval something belongs, in whose time zone, and how intervals add up.

use std::collections::BTreeSet;

use tandem_center::channel::Channel;
use tandem_center::fact::Fact;
use tandem_center::id::QueueId;
use tandem_metrics::interval::{Calendar, Length};
use tandem_metrics::report::{Attribution, QueueSettings, Report, Settings};
use tandem_metrics::series::Sum;
use tandem_metrics::service_level::{ServiceLevel, Thresholds};
use tandem_metrics::tally::Tally;

use crate::data_set::facts;
use crate::journal::{Journal, closed, fold, fold_with, left, settings, until};

fn support() -> QueueId {
    "support".into()
}

fn readings(report: &Report, attribution: Attribution) -> Vec<tandem_metrics::report::QueueReading> {
    report.queue(&support(), Channel::Call, &until(86_400, attribution))
}

#[test]
fn a_visit_over_many_intervals_waits_over_all_their_borders() {
    let mut journal = Journal::default();
    let id = journal.enter(100, "support");
    let other = journal.enter(1000, "support");
    journal.write(1100, left(other, "support", "abandoned"));
    journal.write(1100, closed(other, "abandoned_in_queue"));
    journal.write(3000, left(id, "support", "abandoned"));
    journal.write(3000, closed(id, "abandoned_in_queue"));
    let by_event = readings(&fold(&journal.facts), Attribution::Event);
    let waiting: Vec<(u64, u64)> = by_event
        .iter()
        .map(|reading| (reading.conservation.waiting_at_start, reading.conservation.waiting_at_end))
        .collect();
    assert_eq!(waiting, [(0, 1), (1, 1), (1, 1), (1, 0)]);
    assert!(by_event.iter().all(|reading| reading.conservation.holds()));
    let by_arrival = readings(&fold(&journal.facts), Attribution::Arrival);
    assert_eq!(by_arrival.iter().map(|reading| reading.tally.abandoned.visits).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn adding_quarters_gives_the_hour() {
    let facts = facts();
    let hour = Settings { calendar: Calendar::utc(Length::Hour), ..settings() };
    for attribution in [Attribution::Arrival, Attribution::Event] {
        let mut sum = Tally::default();
        for reading in readings(&fold(&facts), attribution) {
            sum.merge(&reading.tally);
        }
        assert_eq!(
            vec![sum],
            readings(&fold_with(hour.clone(), &facts), attribution)
                .into_iter()
                .map(|reading| reading.tally)
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_queue_has_its_own_time_zone_and_thresholds() {
    let kathmandu = Calendar::new("Asia/Kathmandu", Length::Hour).unwrap();
    let thresholds = Thresholds { answer_within_us: 60_000_000, short_abandon_us: 3_000_000 };
    let own = QueueSettings { calendar: kathmandu, thresholds: [(Channel::Call, thresholds)].into() };
    let settings = Settings { queues: [(support(), own)].into(), ..settings() };
    let report = fold_with(settings, &facts());
    let readings = readings(&report, Attribution::Arrival);
    let starts: Vec<u64> = readings
        .iter()
        .map(|reading| reading.interval.unwrap().start.as_micros() % 3_600_000_000 / 60_000_000)
        .collect();
    assert_eq!(starts, [15]);
    let tally = &readings[0].tally;
    assert_eq!(tally.abandoned_short, 1);
    assert_eq!(tally.answered_within, 10);
    assert_eq!(tally.thresholds, [thresholds].into());
}

#[test]
fn sums_of_different_thresholds_name_them_all() {
    let of = |answer_within_us| {
        let thresholds = Thresholds { answer_within_us, ..Thresholds::default() };
        let report = fold_with(Settings::new(settings().calendar, thresholds), &facts());
        readings(&report, Attribution::Arrival).remove(0).tally
    };
    let (mut sum, strict) = (of(20_000_000), of(10_000_000));
    let parts = ServiceLevel::Sl2.of(&sum).and(ServiceLevel::Sl2.of(&strict));
    sum.merge(&strict);
    assert_eq!(ServiceLevel::Sl2.of(&sum), parts);
    let json = serde_json::to_value(ServiceLevel::Sl2.measure(&sum)).unwrap();
    assert_eq!(json["thresholds"].as_array().unwrap().len(), 2);
}

#[test]
fn a_service_level_never_falls_with_a_longer_threshold() {
    let facts: Vec<Fact> = facts();
    for variant in ServiceLevel::ALL {
        let mut before = 0.0;
        for seconds in (0..120).step_by(5) {
            let thresholds = Thresholds { answer_within_us: seconds * 1_000_000, ..Thresholds::default() };
            let report = fold_with(Settings::new(settings().calendar, thresholds), &facts);
            let level = variant.of(&readings(&report, Attribution::Arrival)[0].tally).value().unwrap();
            assert!(level >= before, "{variant:?} at {seconds} s");
            before = level;
        }
    }
}

#[test]
fn a_reading_says_everything_as_json() {
    let report = fold(&facts());
    let reading = report.read(&until(3600, Attribution::Arrival));
    let json = serde_json::to_value(&reading).unwrap();
    assert_eq!(json["zone"], "UTC");
    assert_eq!(json["length"], "quarter_hour");
    assert_eq!(json["queues"][0]["final"], true);
    assert_eq!(json["queues"][0]["tally"]["entered"], 19);
    assert_eq!(json["queues"][0]["tally"].get("waits"), None);
    let metrics = json["queues"][0]["metrics"].as_array().unwrap();
    let sl5 = metrics.iter().find(|metric| metric["variant"] == "sl5").unwrap();
    assert_eq!((&sl5["numerator"], &sl5["denominator"], &sl5["value"]), (&7.into(), &14.into(), &0.5.into()));
    let agents: BTreeSet<&str> =
        json["agents"].as_array().unwrap().iter().map(|agent| agent["agent"].as_str().unwrap()).collect();
    assert_eq!(agents.len(), 11);
    assert_eq!(json["strays"], 0);
}
