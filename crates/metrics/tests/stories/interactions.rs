//! Interactions that do more than wait once and talk once.

use tandem_center::channel::Channel;
use tandem_center::fact::{Fact, Outcome};
use tandem_center::id::QueueId;
use tandem_metrics::handling::Offers;
use tandem_metrics::metric::Quotient;
use tandem_metrics::report::{Attribution, Query, Report};
use tandem_metrics::tally::Tally;
use tandem_metrics::visit::Refused;
use tandem_metrics::waiting::SpeedOfAnswer;

use crate::journal::{
    Journal, Talk, available, closed, connected, entered, fold, left, offer_ended, offered, refused,
    rejected, resting, second, talked, transferred, until, wrap_up, wrapped_up,
};

fn tally_of(report: &Report, queue: &str) -> Tally {
    let queue: QueueId = queue.into();
    let readings = report.queue(&queue, Channel::Call, &until(900, Attribution::Arrival));
    assert!(readings.iter().all(|reading| reading.conservation.holds()));
    readings.into_iter().next().map(|reading| reading.tally).unwrap_or_default()
}

fn talk<'a>(queue: &'a str, agent: &'a str, by: &'a str, talked_us: u64) -> Talk<'a> {
    Talk { queue, agent, by, talked_us, held_us: 0 }
}

#[test]
fn an_offer_that_comes_to_nothing_does_not_begin_the_wait_anew() {
    let mut journal = Journal::default();
    let id = journal.enter(0, "support");
    journal.write(10, offered(id, "support", "adele"));
    journal.write(25, offer_ended(id, "support", "adele", "missed", resting()));
    journal.write(25, offered(id, "support", "bianca"));
    journal.write(30, connected(id, "support", "bianca"));
    let tally = tally_of(&fold(&journal.facts), "support");
    assert_eq!(SpeedOfAnswer::All.of(&tally), Quotient::new(30_000_000, 1));
    let offers = Offers { made: 2, answered: 1, missed: 1, ring_us: 20_000_000, ..Offers::default() };
    assert_eq!(tally.offers, offers);
    assert_eq!(tally.offers.ring_no_answer(), Quotient::new(1, 2));
}

#[test]
fn hanging_up_while_a_telephone_rings_is_an_abandon_and_no_fault_of_the_agent() {
    let mut journal = Journal::default();
    let id = journal.enter(0, "support");
    journal.write(10, offered(id, "support", "adele"));
    journal.write(12, left(id, "support", "abandoned"));
    journal.write(13, offer_ended(id, "support", "adele", "caller_gone", available()));
    journal.write(13, closed(id, "abandoned_in_queue"));
    let report = fold(&journal.facts);
    let tally = tally_of(&report, "support");
    assert_eq!((tally.abandoned.visits, tally.abandoned_while_offered), (1, 1));
    assert_eq!((tally.offers.caller_gone, tally.offers.missed), (1, 0));
    assert_eq!(report.visits().strays(), 0);
}

#[test]
fn several_telephones_ring_for_one_caller_and_one_answers() {
    let mut journal = Journal::default();
    let id = journal.enter(0, "support");
    for agent in ["adele", "bianca", "clara"] {
        journal.write(1, offered(id, "support", agent));
    }
    journal.write(5, connected(id, "support", "bianca"));
    for agent in ["adele", "clara"] {
        journal.write(5, offer_ended(id, "support", agent, "agent_left", available()));
    }
    let tally = tally_of(&fold(&journal.facts), "support");
    assert_eq!((tally.offers.made, tally.offers.answered, tally.offers.withdrawn), (3, 1, 2));
    assert_eq!(tally.answered.visits, 1);
}

/// First in one queue, then handed over to another, where a second agent takes it.
fn handed_over() -> Vec<Fact> {
    let mut journal = Journal::default();
    let id = journal.enter(0, "support");
    journal.write(10, offered(id, "support", "adele"));
    journal.write(12, connected(id, "support", "adele"));
    journal.write(50, transferred(id, "adele"));
    journal.write(50, transferred(id, "adele"));
    journal.write(52, talked(id, &talk("support", "adele", "transfer", 40_000_000), wrap_up(id)));
    journal.write(52, entered(id, "billing"));
    journal.write(60, wrapped_up(id, "adele", 8_000_000, available()));
    journal.write(60, offered(id, "billing", "bianca"));
    journal.write(70, connected(id, "billing", "bianca"));
    journal.write(100, talked(id, &talk("billing", "bianca", "caller", 30_000_000), available()));
    journal.write(100, closed(id, "handled"));
    journal.facts
}

#[test]
fn the_work_of_each_agent_is_that_agents_and_the_wrap_up_survives_a_hand_over() {
    let report = fold(&handed_over());
    let support = tally_of(&report, "support").handled;
    assert_eq!((support.contacts, support.talk_us, support.after_call_us), (1, 40_000_000, 8_000_000));
    let billing = tally_of(&report, "billing").handled;
    assert_eq!((billing.contacts, billing.talk_us, billing.after_call_us), (1, 30_000_000, 0));
    let adele = &report
        .agent(&"adele".into(), &Query { now: second(100), ..until(900, Attribution::Arrival) })[0]
        .tally;
    assert_eq!(adele.work[&Channel::Call].handled.handle_time(), Quotient::new(48_000_000, 1));
    assert_eq!(report.visits().strays(), 0);
}

#[test]
fn two_transfers_of_one_contact_count_once() {
    let report = fold(&handed_over());
    assert_eq!(tally_of(&report, "support").handled.transfers(), Quotient::new(1, 1));
    assert_eq!(tally_of(&report, "billing").handled.transfers(), Quotient::new(0, 1));
}

#[test]
fn a_second_queue_has_a_wait_of_its_own_and_the_total_has_both() {
    let tally = tally_of(&fold(&handed_over()), "billing");
    assert_eq!(SpeedOfAnswer::All.of(&tally), Quotient::new(18_000_000, 1));
    assert_eq!(SpeedOfAnswer::OverAllVisits.of(&tally), Quotient::new(30_000_000, 1));
}

#[test]
fn a_contact_counts_as_handled_when_its_wrap_up_is_over() {
    let facts = handed_over();
    let facts_until = |second_of: u64| -> Vec<Fact> {
        facts.iter().filter(|fact| fact.at <= second(second_of)).cloned().collect()
    };
    assert_eq!(tally_of(&fold(&facts_until(59)), "support").handled.contacts, 0);
    assert_eq!(tally_of(&fold(&facts_until(60)), "support").handled.contacts, 1);
}

#[test]
fn coming_back_to_a_queue_is_another_visit() {
    let mut journal = Journal::default();
    let id = journal.enter(0, "support");
    journal.write(60, left(id, "support", "waited_too_long"));
    journal.write(65, entered(id, "support"));
    journal.write(70, left(id, "support", "abandoned"));
    journal.write(70, closed(id, "abandoned_in_queue"));
    let tally = tally_of(&fold(&journal.facts), "support");
    assert_eq!((tally.entered, tally.flowed_out.visits, tally.abandoned.visits), (2, 1, 1));
    assert_eq!((tally.flowed_out.wait_us, tally.abandoned.wait_us), (60_000_000, 5_000_000));
    assert_eq!(tally.abandoned_short, 1);
}

#[test]
fn who_never_entered_a_queue_never_abandoned_it() {
    let mut journal = Journal::default();
    journal.write(0, rejected());
    let menu = journal.arrive(1);
    journal.write(9, closed(menu, "abandoned_in_flow"));
    let full = journal.arrive(10);
    journal.write(11, refused(full, "support"));
    journal.write(12, closed(full, "flow_ended"));
    let sent_on = journal.enter(20, "support");
    journal.write(30, left(sent_on, "support", "waited_too_long"));
    journal.write(31, closed(sent_on, "abandoned_in_flow"));
    let report = fold(&journal.facts);
    let tally = tally_of(&report, "support");
    assert_eq!((tally.entered, tally.abandoned.visits), (1, 0));
    assert_eq!(tally.refused.get(&Refused::Full), Some(&1));
    let entrance = &report.entrance(until(900, Attribution::Arrival).stretch)[0].entrance;
    assert_eq!((entrance.rejected, entrance.arrived, entrance.abandoned_in_menu), (1, 3, 1));
    assert_eq!(entrance.outcomes.get(&Outcome::AbandonedInFlow), Some(&2));
}

#[test]
fn a_call_that_breaks_off_is_neither_abandoned_nor_flowed_out() {
    let mut journal = Journal::default();
    let id = journal.enter(0, "support");
    journal.write(10, left(id, "support", "lost"));
    journal.write(10, closed(id, "lost"));
    let tally = tally_of(&fold(&journal.facts), "support");
    assert_eq!((tally.lost.visits, tally.abandoned.visits, tally.flowed_out.visits), (1, 0, 0));
    assert_eq!(tally.left(), 1);
}

#[test]
fn nobody_waits_or_works_for_ever_when_an_end_was_never_told() {
    let mut journal = Journal::default();
    let waiting = journal.enter(0, "support");
    journal.write(5, offered(waiting, "support", "adele"));
    journal.write(10, closed(waiting, "lost"));
    let talking = journal.enter(20, "support");
    journal.write(20, offered(talking, "support", "adele"));
    journal.write(21, connected(talking, "support", "adele"));
    journal.write(30, closed(talking, "handled"));
    let report = fold(&journal.facts);
    let tally = tally_of(&report, "support");
    assert_eq!((tally.lost.visits, tally.answered.visits, tally.handled.contacts), (1, 1, 1));
    assert_eq!((tally.offers.made, tally.offers.ended()), (2, 2));
    assert_eq!(report.visits().open(), 0);
}

#[test]
fn facts_about_what_was_never_told_are_left_out_and_counted() {
    let mut journal = Journal::default();
    let id = journal.arrive(0);
    journal.write(1, left(id, "support", "abandoned"));
    journal.write(2, connected(id, "support", "adele"));
    journal.write(3, closed(tandem_center::id::InteractionId(77), "lost"));
    let report = fold(&journal.facts);
    assert_eq!(report.visits().strays(), 3);
    assert_eq!(tally_of(&report, "support"), Tally::default());
}
