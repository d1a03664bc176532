//! Callers, callbacks and messages wait in the same queue and are counted apart; what was announced is
//! scored.

use serde_json::json;
use tandem_center::channel::Channel;
use tandem_center::id::{InteractionId, QueueId};
use tandem_metrics::agent_time::{Occupancy, TimeState};
use tandem_metrics::expected_wait::Announcements;
use tandem_metrics::metric::Quotient;
use tandem_metrics::report::{Attribution, Report};
use tandem_metrics::service_level::ServiceLevel;
use tandem_metrics::tally::Tally;
use tandem_metrics::visit::{FlowOut, Refused};
use tandem_metrics::waiting::SpeedOfAnswer;

use crate::journal::{
    BEGIN_US, Journal, Talk, available, chose, closed, connected, entered, fold, left, offer_ended, offered,
    refused, second, talked, until, wrapped_up,
};

const MILLION: u64 = 1_000_000;

fn support() -> QueueId {
    "support".into()
}

fn tally(report: &Report, channel: Channel) -> Tally {
    let readings = report.queue(&support(), channel, &until(7200, Attribution::Arrival));
    assert!(readings.iter().all(|reading| reading.conservation.holds()));
    let mut sum = Tally::default();
    for reading in readings {
        tandem_metrics::series::Sum::merge(&mut sum, &reading.tally);
    }
    sum
}

fn dialled(id: InteractionId, agent: &str) -> serde_json::Value {
    json!({
        "kind": "callback_dialled", "interaction": id, "agent": agent, "agent_name": agent, "party": 2, "attempt": 1,
    })
}

fn announced(id: InteractionId, expected_us: u64) -> serde_json::Value {
    json!({ "kind": "announced", "interaction": id, "queue": "support", "expected_us": expected_us })
}

fn as_callback(id: InteractionId, waiting_since: u64) -> serde_json::Value {
    let mut fact = entered(id, "support");
    fact["channel"] = "callback".into();
    fact["waiting_since"] = (BEGIN_US + waiting_since * MILLION).into();
    fact
}

/// A caller waits a minute, is promised a call, and is called back a quarter of an hour later.
fn a_callback() -> Journal {
    let mut journal = Journal::default();
    journal.write(0, chose("adele", available()));
    let id = journal.enter(100, "support");
    journal.write(160, left(id, "support", "callback_promised"));
    journal.write(170, as_callback(id, 100));
    journal.write(1000, offered(id, "support", "adele"));
    journal.write(1005, dialled(id, "adele"));
    journal.write(1020, connected(id, "support", "adele"));
    let talk = Talk { queue: "support", agent: "adele", by: "caller", talked_us: 100 * MILLION, held_us: 0 };
    let mut fact = talked(id, &talk, json!({ "state": "in_conversation", "interaction": id }));
    fact["wrap_up_until"] = (BEGIN_US + 1200 * MILLION).into();
    journal.write(1120, fact);
    journal.write(1150, wrapped_up(id, "adele", 30 * MILLION, available()));
    journal.write(1150, closed(id, "handled"));
    journal
}

#[test]
fn a_callback_leaves_the_callers_and_is_served_among_the_callbacks() {
    let report = fold(&a_callback().facts);
    let calls = tally(&report, Channel::Call);
    assert_eq!(calls.flow_outs.get(&FlowOut::CallbackPromised), Some(&1));
    assert_eq!(ServiceLevel::Sl7.of(&calls), Quotient::new(0, 1));
    let callbacks = tally(&report, Channel::Callback);
    assert_eq!(SpeedOfAnswer::All.of(&callbacks), Quotient::new(850 * MILLION, 1));
    assert_eq!(SpeedOfAnswer::OverAllVisits.of(&callbacks), Quotient::new(920 * MILLION, 1));
    // An hour is given to call back.
    assert_eq!(ServiceLevel::Sl2.of(&callbacks), Quotient::new(1, 1));
    assert_eq!(callbacks.handled.after_call_us, 30 * MILLION);
    assert_eq!(report.visits().strays(), 0);
}

#[test]
fn an_agent_who_takes_a_callback_works_while_the_customer_is_rung() {
    let report = fold(&a_callback().facts);
    let readings = report.agent(&"adele".into(), &until(1200, Attribution::Arrival));
    let second_quarter = &readings[1].tally;
    let time = &second_quarter.time;
    assert_eq!((time.offered_us, time.dial_us), (5 * MILLION, 15 * MILLION));
    assert_eq!((time.talk_us, time.after_call_us), (100 * MILLION, 30 * MILLION));
    assert_eq!(Occupancy::RingIdle.of(time), Quotient::new(145 * MILLION, 300 * MILLION));
    let work = second_quarter.work[&Channel::Callback];
    assert_eq!((work.offers.made, work.offers.answered, work.offers.ring_us), (1, 1, 5 * MILLION));
}

#[test]
fn a_customer_who_does_not_answer_is_no_fault_of_the_agent() {
    let mut journal = Journal::default();
    journal.write(0, chose("adele", available()));
    let id = journal.arrive(0);
    journal.write(10, as_callback(id, 0));
    journal.write(20, offered(id, "support", "adele"));
    journal.write(22, dialled(id, "adele"));
    journal.write(50, offer_ended(id, "support", "adele", "customer_not_reached", available()));
    journal.write(50, left(id, "support", "customer_not_reached"));
    journal.write(650, as_callback(id, 0));
    let report = fold(&journal.facts);
    let callbacks = tally(&report, Channel::Callback);
    assert_eq!((callbacks.offers.made, callbacks.offers.answered, callbacks.offers.missed), (1, 1, 0));
    assert_eq!(callbacks.flow_outs.get(&FlowOut::CustomerNotReached), Some(&1));
    assert_eq!((callbacks.entered, callbacks.left()), (2, 1));
    let states: Vec<TimeState> = report
        .time_lines()
        .segments(&"adele".into(), second(60))
        .into_iter()
        .map(|segment| segment.state)
        .collect();
    use TimeState::{Available, Dial, Offered};
    assert_eq!(states, [Available, Offered, Dial, Available]);
    assert_eq!(report.visits().strays(), 0);
}

#[test]
fn a_callback_that_was_scheduled_begins_without_a_call() {
    let mut journal = Journal::default();
    let id = InteractionId(journal.write(
        0,
        json!({
            "kind": "callback_scheduled", "line": "carrier", "to": { "phone": "+14255550123" }, "name": "Ada",
            "queue": "support", "due_at": BEGIN_US + 600 * MILLION, "priority": 3,
        }),
    ));
    journal.write(600, as_callback(id, 600));
    journal.write(700, left(id, "support", "cancelled"));
    journal.write(700, closed(id, "cancelled"));
    let report = fold(&journal.facts);
    let entrance = &report.entrance(until(900, Attribution::Arrival).stretch)[0].entrance;
    assert_eq!((entrance.arrived, entrance.scheduled), (0, 1));
    assert_eq!(tally(&report, Channel::Callback).flow_outs.get(&FlowOut::Cancelled), Some(&1));
    assert_eq!(report.visits().strays(), 0);
}

#[test]
fn a_message_waits_apart_from_the_callers() {
    let mut journal = Journal::default();
    let id = journal.enter(0, "support");
    journal.write(30, left(id, "support", "overflowed"));
    let mut fact = entered(id, "support");
    fact["channel"] = "voicemail".into();
    journal.write(90, fact);
    let report = fold(&journal.facts);
    assert_eq!(tally(&report, Channel::Call).flow_outs.get(&FlowOut::Overflowed), Some(&1));
    assert_eq!(tally(&report, Channel::Voicemail).entered, 1);
    let now: Vec<(Channel, u64)> =
        report.now(second(100)).into_iter().map(|queue| (queue.channel, queue.waiting)).collect();
    assert_eq!(now, [(Channel::Call, 0), (Channel::Voicemail, 1)]);
}

#[test]
fn each_announced_wait_is_compared_with_what_happened() {
    let mut journal = Journal::default();
    let answered = journal.enter(0, "support");
    journal.write(0, announced(answered, 60 * MILLION));
    journal.write(30, announced(answered, 30 * MILLION));
    journal.write(70, offered(answered, "support", "adele"));
    journal.write(80, connected(answered, "support", "adele"));
    let impatient = journal.enter(100, "support");
    journal.write(100, announced(impatient, 60 * MILLION));
    journal.write(110, left(impatient, "support", "abandoned"));
    let announcements = tally(&fold(&journal.facts), Channel::Call).announcements;
    let expected = Announcements {
        answered: 2,
        too_long_us: 0,
        too_short_us: 40 * MILLION,
        waited_longer: 2,
        waited_no_longer: 0,
        unknown: 1,
    };
    assert_eq!(announcements, expected);
    assert_eq!(announcements.mean_error_us(), Some(20.0 * MILLION as f64));
}

#[test]
fn who_cannot_enter_is_counted_by_why() {
    let mut journal = Journal::default();
    for (second, reason) in ["full", "closed", "no_agents", "gone", "closed"].into_iter().enumerate() {
        let id = journal.arrive(second as u64);
        let mut fact = refused(id, "support");
        fact["reason"] = reason.into();
        journal.write(second as u64, fact);
    }
    let refused = tally(&fold(&journal.facts), Channel::Call).refused;
    let expected = [(Refused::Full, 1), (Refused::Closed, 2), (Refused::NoAgents, 1), (Refused::Gone, 1)];
    assert_eq!(refused, expected.into());
}

#[test]
fn of_telephones_that_ring_together_one_answers_and_the_others_did_nothing_wrong() {
    let mut journal = Journal::default();
    let id = journal.enter(0, "support");
    for agent in ["adele", "bianca", "clara"] {
        journal.write(1, offered(id, "support", agent));
    }
    journal.write(4, offer_ended(id, "support", "clara", "forwarded", available()));
    journal.write(5, connected(id, "support", "bianca"));
    journal.write(5, offer_ended(id, "support", "adele", "answered_elsewhere", available()));
    let offers = tally(&fold(&journal.facts), Channel::Call).offers;
    assert_eq!((offers.made, offers.answered, offers.answered_elsewhere, offers.missed), (3, 1, 1, 1));
    assert_eq!(offers.ended(), offers.made);
}

#[test]
fn the_end_of_one_conversation_begins_no_wrap_up_of_another() {
    let mut journal = Journal::default();
    let first = journal.enter(0, "support");
    let other = journal.enter(0, "support");
    for id in [first, other] {
        journal.write(1, offered(id, "support", "adele"));
        journal.write(2, connected(id, "support", "adele"));
    }
    let talk = Talk { queue: "support", agent: "adele", by: "caller", talked_us: MILLION, held_us: 0 };
    journal.write(10, talked(first, &talk, crate::journal::wrap_up(first)));
    // The agent still wraps up the first conversation; the second one has no wrap-up.
    journal.write(12, talked(other, &talk, crate::journal::wrap_up(first)));
    journal.write(20, wrapped_up(first, "adele", 10 * MILLION, available()));
    let report = fold(&journal.facts);
    let handled = tally(&report, Channel::Call).handled;
    assert_eq!((handled.contacts, handled.with_after_call), (2, 1));
    let last = report.time_lines().segments(&"adele".into(), second(30)).pop().unwrap();
    assert_eq!((last.from, last.state), (second(20), TimeState::Available));
}

#[test]
fn somebody_whom_presence_says_is_busy_is_not_reachable() {
    let mut journal = Journal::default();
    journal.write(0, chose("adele", available()));
    journal.write(
        100,
        json!({
            "kind": "presence_told", "agent": "adele", "agent_name": "adele",
            "source": "teams", "presence": "busy", "manual": false, "stops": true, "observed_at": BEGIN_US,
            "until": BEGIN_US,
            "then": { "state": "not_reachable", "told": "busy", "until": BEGIN_US },
        }),
    );
    let report = fold(&journal.facts);
    let time = &report.agent(&"adele".into(), &until(300, Attribution::Arrival))[0].tally.time;
    assert_eq!((time.available_us, time.not_reachable_us), (100 * MILLION, 200 * MILLION));
}
