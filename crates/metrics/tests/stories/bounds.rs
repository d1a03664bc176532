//! What happens at the limits.

use tandem_center::channel::Channel;
use tandem_center::id::QueueId;
use tandem_metrics::report::Attribution;
use tandem_metrics::series::Series;
use tandem_metrics::tally::Tally;

use crate::journal::{Journal, available, chose, closed, fold, left, offline, until};

#[test]
fn visits_whose_intervals_are_no_longer_kept_stay_in_the_total() {
    let quarters = 1_000;
    let mut journal = Journal::default();
    for quarter in 0..quarters {
        let id = journal.enter(quarter * 900, "support");
        journal.write(quarter * 900 + 10, left(id, "support", "abandoned"));
        journal.write(quarter * 900 + 10, closed(id, "abandoned_in_queue"));
    }
    let report = fold(&journal.facts);
    let queue: QueueId = "support".into();
    let kept = report.queue(&queue, Channel::Call, &until(quarters * 900, Attribution::Arrival));
    assert_eq!(kept.len() as u64, Series::<Tally>::INTERVALS_MAX + 1);
    let total = report.queue_total(&queue, Channel::Call).unwrap();
    assert_eq!((total.tally.entered, total.tally.abandoned.visits), (quarters, quarters));
    assert!(total.conservation.holds());
}

#[test]
fn a_visit_that_began_before_what_is_kept_still_ends() {
    let mut journal = Journal::default();
    let old = journal.enter(0, "support");
    for quarter in 0..1_000 {
        let id = journal.enter(quarter * 900, "support");
        journal.write(quarter * 900 + 10, left(id, "support", "abandoned"));
        journal.write(quarter * 900 + 10, closed(id, "abandoned_in_queue"));
    }
    journal.write(900_000, left(old, "support", "abandoned"));
    journal.write(900_000, closed(old, "abandoned_in_queue"));
    let report = fold(&journal.facts);
    let queue: QueueId = "support".into();
    for attribution in [Attribution::Arrival, Attribution::Event] {
        let kept = report.queue(&queue, Channel::Call, &until(1_000_000, attribution));
        assert!(kept.iter().all(|reading| reading.conservation.holds()));
    }
    assert_eq!(
        report.queue_total(&queue, Channel::Call).unwrap().tally.abandoned.longest_us,
        900_000_000_000
    );
}

#[test]
fn a_clock_that_jumps_by_centuries_is_survived() {
    let mut journal = Journal::default();
    for agent in ["adele", "bianca", "clara"] {
        journal.write(0, chose(agent, available()));
    }
    let id = journal.enter(0, "support");
    let centuries = 3_000 * 365 * 86_400;
    journal.write(centuries, left(id, "support", "abandoned"));
    journal.write(centuries, closed(id, "abandoned_in_queue"));
    for agent in ["adele", "bianca", "clara"] {
        journal.write(centuries, chose(agent, offline()));
    }
    let report = fold(&journal.facts);
    let queue: QueueId = "support".into();
    for attribution in [Attribution::Arrival, Attribution::Event] {
        let kept = report.queue(&queue, Channel::Call, &until(centuries + 900, attribution));
        assert!(kept.iter().all(|reading| reading.conservation.holds()));
    }
    let kept = report.agent(&"adele".into(), &until(centuries, Attribution::Arrival));
    assert_eq!(kept.len() as u64, Series::<Tally>::INTERVALS_MAX + 1);
    assert!(kept.iter().all(|reading| reading.tally.time.available_us == 900_000_000));
    let total = report.agent_total(&"adele".into()).unwrap().tally;
    assert_eq!(total.time.available_us, centuries * 1_000_000);
}

#[test]
fn what_went_on_for_very_long_is_shown_as_far_back_as_intervals_are_kept() {
    let mut journal = Journal::default();
    journal.write(0, chose("adele", available()));
    let report = fold(&journal.facts);
    let shown = report.agent(&"adele".into(), &until(3_000 * 365 * 86_400, Attribution::Arrival));
    assert_eq!(shown.len() as u64, Series::<Tally>::INTERVALS_MAX);
}
