//! What agents did with their time.

use tandem_center::channel::Channel;
use tandem_center::fact::Fact;
use tandem_center::id::AgentId;
use tandem_metrics::agent_time::{Occupancy, Segment, StateTimes, TimeState};
use tandem_metrics::interval::Interval;
use tandem_metrics::metric::Quotient;
use tandem_metrics::report::{Attribution, Query, Report};
use tandem_metrics::schedule::{Plan, Shift, adherence};

use crate::journal::{
    Journal, Talk, available, chose, configured, connected, fold, held, offer_ended, offered, offline,
    on_break, resting, resumed, second, talked, until, wrap_up, wrapped_up,
};

const MILLION: u64 = 1_000_000;

fn adele() -> AgentId {
    "adele".into()
}

fn segments(report: &Report, now: u64) -> Vec<(u64, u64, TimeState)> {
    let shown = |segment: Segment| {
        let from = segment.from.micros_since(second(0)) / MILLION;
        (from, segment.until.micros_since(second(0)) / MILLION, segment.state)
    };
    report.time_lines().segments(&adele(), second(now)).into_iter().map(shown).collect()
}

fn times(report: &Report, now: u64) -> Vec<StateTimes> {
    let readings = report.agent(&adele(), &Query { now: second(now), ..until(7200, Attribution::Arrival) });
    readings.into_iter().map(|reading| reading.tally.time).collect()
}

/// One conversation with a hold, a wrap-up, and a break after it.
fn a_morning() -> Vec<Fact> {
    let mut journal = Journal::default();
    journal.write(0, chose("adele", available()));
    let id = journal.enter(50, "support");
    journal.write(60, offered(id, "support", "adele"));
    journal.write(70, connected(id, "support", "adele"));
    journal.write(100, held(id));
    journal.write(110, resumed(id, 10 * MILLION));
    let talk = Talk {
        queue: "support",
        agent: "adele",
        by: "caller",
        talked_us: 80 * MILLION,
        held_us: 10 * MILLION,
    };
    journal.write(160, talked(id, &talk, wrap_up(id)));
    journal.write(190, wrapped_up(id, "adele", 30 * MILLION, on_break("lunch")));
    journal.write(1000, chose("adele", available()));
    journal.write(2000, chose("adele", offline()));
    journal.facts
}

#[test]
fn the_time_line_has_no_gap_and_no_overlap() {
    let expected = vec![
        (0, 60, TimeState::Available),
        (60, 70, TimeState::Offered),
        (70, 100, TimeState::Talk),
        (100, 110, TimeState::Hold),
        (110, 160, TimeState::Talk),
        (160, 190, TimeState::AfterCall),
        (190, 1000, TimeState::Aux("lunch".into())),
        (1000, 2000, TimeState::Available),
        (2000, 2500, TimeState::LoggedOut),
    ];
    assert_eq!(segments(&fold(&a_morning()), 2500), expected);
}

#[test]
fn time_is_split_at_the_borders_of_intervals() {
    let times = times(&fold(&a_morning()), 2500);
    let lunch: Vec<u64> =
        times.iter().map(|times| times.aux_us.get("lunch").copied().unwrap_or(0) / MILLION).collect();
    assert_eq!(lunch, [710, 100, 0]);
    let logged_in: Vec<u64> = times.iter().map(|times| times.logged_in_us() / MILLION).collect();
    assert_eq!(logged_in, [900, 900, 200]);
    assert_eq!(Occupancy::RingIdle.of(&times[0]), Quotient::new(120 * MILLION, 190 * MILLION));
    assert_eq!(Occupancy::RingWork.of(&times[0]), Quotient::new(130 * MILLION, 190 * MILLION));
}

#[test]
fn what_goes_on_counts_up_to_now() {
    let report = fold(&a_morning()[..1]);
    assert_eq!(times(&report, 30)[0].available_us, 30 * MILLION);
    assert_eq!(times(&report, 1000).iter().map(StateTimes::logged_in_us).sum::<u64>(), 1000 * MILLION);
}

#[test]
fn not_answering_takes_an_agent_out_of_reach() {
    let mut journal = Journal::default();
    journal.write(0, chose("adele", available()));
    let id = journal.enter(10, "support");
    journal.write(10, offered(id, "support", "adele"));
    journal.write(25, offer_ended(id, "support", "adele", "missed", resting()));
    let report = fold(&journal.facts);
    assert_eq!(segments(&report, 60).last(), Some(&(25, 60, TimeState::NotReachable)));
    let reading =
        report.agent(&adele(), &Query { now: second(60), ..until(900, Attribution::Arrival) }).remove(0);
    assert_eq!(reading.tally.work[&Channel::Call].offers.ring_no_answer(), Quotient::new(1, 1));
}

#[test]
fn somebody_who_works_for_two_contacts_at_once_works_once() {
    let mut journal = Journal::default();
    journal.write(0, chose("adele", available()));
    let first = journal.enter(0, "support");
    let other = journal.enter(0, "support");
    journal.write(0, offered(first, "support", "adele"));
    journal.write(10, connected(first, "support", "adele"));
    journal.write(10, offered(other, "support", "adele"));
    journal.write(20, connected(other, "support", "adele"));
    let talk = |talked_us| Talk { queue: "support", agent: "adele", by: "caller", talked_us, held_us: 0 };
    let working = serde_json::json!({ "state": "in_conversation", "interaction": other });
    journal.write(50, talked(first, &talk(40 * MILLION), working));
    journal.write(60, talked(other, &talk(40 * MILLION), available()));
    let report = fold(&journal.facts);
    let reading = report
        .agent(&adele(), &Query { now: second(60), ..until(900, Attribution::Arrival) })
        .remove(0)
        .tally;
    assert_eq!(reading.work[&Channel::Call].handled.talk_us, 80 * MILLION);
    assert_eq!(reading.time.talk_us, 50 * MILLION);
    assert_eq!(Occupancy::RingIdle.of(&reading.time).value(), Some(50.0 / 60.0));
}

#[test]
fn an_agent_whom_the_configuration_no_longer_names_is_not_at_work() {
    let mut journal = Journal::default();
    journal.write(0, configured(&["adele", "bianca"]));
    journal.write(0, chose("adele", available()));
    journal.write(100, configured(&["bianca"]));
    let report = fold(&journal.facts);
    assert_eq!(segments(&report, 500).last(), Some(&(100, 500, TimeState::LoggedOut)));
    assert_eq!(times(&report, 500)[0].logged_in_us(), 100 * MILLION);
}

#[test]
fn a_schedule_is_compared_with_the_time_line() {
    let report = fold(&a_morning());
    let shift =
        |from, until, plan| Shift { interval: Interval { start: second(from), end: second(until) }, plan };
    let schedule = [shift(0, 200, Plan::Work), shift(200, 900, Plan::Away), shift(900, 2000, Plan::Work)];
    let actual = report.time_lines().segments(&adele(), second(2000));
    let expected = Quotient::new((190 + 700 + 1000) * MILLION, 2000 * MILLION);
    assert_eq!(adherence(&schedule, &actual), expected);
}
