//! What happens at the limits.

use tandem_center::id::QueueId;
use tandem_metrics::report::Attribution;
use tandem_metrics::series::Series;
use tandem_metrics::tally::Tally;

use crate::journal::{Journal, closed, fold, left, second};

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
    let end = second(quarters * 900);
    let kept = report.queue(&queue, second(0), end, Attribution::Arrival, end);
    assert_eq!(kept.len() as u64, Series::<Tally>::INTERVALS_MAX + 1);
    let total = report.queue_total(&queue).unwrap();
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
        let kept = report.queue(&queue, second(0), second(1_000_000), attribution, second(1_000_000));
        assert!(kept.iter().all(|reading| reading.conservation.holds()));
    }
    assert_eq!(report.queue_total(&queue).unwrap().tally.abandoned.longest_us, 900_000_000_000);
}
