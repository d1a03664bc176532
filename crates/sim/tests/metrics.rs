//! Journals of simulated centers in which everything happens that can: what the metrics count is what the center's own
//! view counts, and not one fact is left over.

#![cfg(test)]

use std::sync::Arc;

use tandem_center::channel::Channel;
use tandem_center::fact::Fact;
use tandem_center::view::View;
use tandem_metrics::interval::{Calendar, Interval, Length};
use tandem_metrics::report::{Attribution, Query, Report, Settings};
use tandem_metrics::series::Sum;
use tandem_metrics::service_level::Thresholds;
use tandem_metrics::tally::Tally;

const SEEDS: u64 = 60;

#[test]
fn the_metrics_of_simulated_centers_are_what_the_centers_count() {
    let mut facts_seen = 0;
    for seed in 0..SEEDS {
        let plan = tandem_sim::Plan::draw(seed).unwrap();
        let mut facts: Vec<Fact> = Vec::new();
        // Whether the center is right is the auditor's matter; its facts are counted in any case.
        drop(tandem_sim::run::run_and_show(&plan, |fact| facts.push(fact.clone())));
        facts_seen += facts.len();
        let mut report =
            Report::new(Settings::new(Calendar::utc(Length::QuarterHour), Thresholds::default()));
        facts.iter().for_each(|fact| report.apply(fact));
        let mut view = View::default();
        facts.into_iter().for_each(|fact| view.apply(&Arc::new(fact)));
        assert_eq!(report.visits().strays(), 0, "seed {seed}");
        assert_eq!(report.visits().open(), view.live.interactions.len(), "seed {seed}");
        for (queue, totals) in &view.totals {
            let mut tally = Tally::default();
            for channel in [Channel::Call, Channel::Callback, Channel::Voicemail] {
                if let Some(total) = report.queue_total(queue, channel) {
                    assert!(total.conservation.holds(), "seed {seed}: {total:?}");
                    tally.merge(&total.tally);
                }
            }
            assert_eq!(tally.entered, totals.entered, "seed {seed}");
            assert_eq!(tally.answered.visits, totals.answered, "seed {seed}");
            assert_eq!(tally.abandoned.visits, totals.abandoned, "seed {seed}");
            assert_eq!(tally.flowed_out.visits, totals.flowed_out, "seed {seed}");
            assert_eq!(tally.lost.visits, totals.lost, "seed {seed}");
        }
        let stretch = Interval { start: Default::default(), end: view.at };
        for attribution in [Attribution::Arrival, Attribution::Event] {
            let reading = report.read(&Query { stretch, attribution, now: view.at });
            assert!(reading.queues.iter().all(|queue| queue.conservation.holds()), "seed {seed}");
            for agent in &reading.agents {
                let interval = agent.interval.unwrap();
                assert!(agent.tally.time.logged_in_us() <= interval.length_us(), "seed {seed}");
            }
        }
    }
    assert!(facts_seen > 5_000, "{facts_seen} facts say nothing");
}
