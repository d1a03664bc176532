//! A journal of an early release, with everything that could happen then.

use tandem_center::channel::Channel;
use tandem_center::fact::Fact;
use tandem_center::view::View;
use tandem_metrics::interval::{Calendar, Interval, Length};
use tandem_metrics::report::{Attribution, Query, Report, Settings};
use tandem_metrics::service_level::Thresholds;

const JOURNAL: &str = include_str!("../../../center/tests/fixtures/journal-0.1.jsonl");

#[test]
fn it_is_counted_as_the_center_counts_it() {
    let mut report = Report::new(Settings::new(
        Calendar::new("Europe/Berlin", Length::QuarterHour).unwrap(),
        Thresholds::default(),
    ));
    let mut view = View::default();
    for line in JOURNAL.lines() {
        let fact: Fact = serde_json::from_str(line).unwrap();
        report.apply(&fact);
        view.apply(&fact.into());
    }
    assert_eq!(report.visits().strays(), 0);
    assert!(!view.totals.is_empty());
    for (queue, totals) in &view.totals {
        let tally = report.queue_total(queue, Channel::Call).unwrap().tally;
        assert_eq!(tally.entered, totals.entered);
        assert_eq!(tally.answered.visits, totals.answered);
        assert_eq!(tally.abandoned.visits, totals.abandoned);
        assert_eq!(tally.flowed_out.visits, totals.flowed_out);
        assert_eq!(tally.lost.visits, totals.lost);
        assert_eq!(tally.refused.values().sum::<u64>(), totals.refused);
    }
    let stretch = Interval { start: view.at, end: view.at };
    let day = Interval { start: Default::default(), ..stretch };
    for attribution in [Attribution::Arrival, Attribution::Event] {
        let reading = report.read(&Query { stretch: day, attribution, now: view.at });
        assert!(reading.queues.iter().all(|queue| queue.conservation.holds()));
        assert!(!reading.agents.is_empty());
    }
}
