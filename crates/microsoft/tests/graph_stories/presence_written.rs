//! What people do in Tandem is shown in Teams, kept while it lasts, and taken back.

use std::time::{Duration, Instant};

use serde_json::json;
use tandem_microsoft::graph::call::{Answer, Call, NoAnswer, Operation, Target};
use tandem_microsoft::graph::throttle::{Limits, Throttle};
use tandem_microsoft::graph::watch::CallId;
use tandem_microsoft::graph::write::{Output, PresenceWriter, Settings, Shown};
use tandem_microsoft::http::Response;
use tandem_microsoft::id::{ClientId, Guid};

use crate::world::{Mood, ms, person, s, start};

struct Desk {
    start: Instant,
    now: Instant,
    writer: PresenceWriter,
    throttle: Throttle,
    mood: Mood,
    /// People whose presence cannot be set, whatever the mood.
    guests: Vec<u32>,
    sent: Vec<(Duration, Call)>,
    told: Vec<Output>,
    on_the_way: Vec<(Instant, CallId, Call)>,
}

impl Desk {
    fn new() -> Desk {
        let start = start();
        let application = ClientId(Guid::from_octets([0xcc; 16]));
        Desk {
            start,
            now: start,
            writer: PresenceWriter::new(Settings { application, lasts: s(600) }, 5),
            throttle: Throttle::new(&Limits::default(), 5),
            mood: Mood::Fine,
            guests: Vec::new(),
            sent: Vec::new(),
            told: Vec::new(),
            on_the_way: Vec::new(),
        }
    }

    fn show(&mut self, number: u32, shown: Option<Shown>) {
        self.writer.show(self.now, person(number), shown);
    }

    fn run(&mut self, length: Duration) {
        let end = self.now + length;
        loop {
            while let Some(output) = self.writer.poll_output() {
                match output {
                    Output::Call { id, call } => {
                        self.sent.push((self.now - self.start, call.clone()));
                        self.on_the_way.push((self.now + ms(100), id, call));
                    }
                    told => self.told.push(told),
                }
            }
            let arrival = self.on_the_way.iter().map(|(at, ..)| *at).min();
            let due = self.writer.poll_timeout().into_iter().chain(arrival).min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            self.now = self.now.max(due);
            if arrival.is_some_and(|at| at <= self.now) {
                let (_, id, call) = self.on_the_way.remove(0);
                let answer = match &self.mood {
                    Mood::Fine if call.operation == Operation::SetPresence && self.is_of_guest(&call) => {
                        refusal(403, "Forbidden", None)
                    }
                    Mood::Fine => Ok(Response { status: 200, headers: Vec::new(), body: Vec::new() }),
                    Mood::Refusing(status, code, pause) => refusal(*status, code, *pause),
                    Mood::Silent => Err(NoAnswer::TooSlow),
                    _ => Err(NoAnswer::Unreachable),
                };
                self.writer.handle_answer(self.now, id, &answer, &mut self.throttle);
            }
            self.writer.handle_timeout(self.now, &mut self.throttle);
        }
        self.now = end;
    }

    fn is_of_guest(&self, call: &Call) -> bool {
        self.guests.iter().any(|number| is_of(call, *number))
    }

    /// What was sent of a person, and when.
    fn sent_of(&self, number: u32) -> Vec<(Duration, Operation)> {
        let of_person = self.sent.iter().filter(|(_, call)| is_of(call, number));
        of_person.map(|(at, call)| (*at, call.operation)).collect()
    }

    fn last_body(&self) -> serde_json::Value {
        serde_json::from_slice(&self.sent.last().unwrap().1.body).unwrap()
    }
}

fn is_of(call: &Call, number: u32) -> bool {
    matches!(&call.target, Target::Path(path) if path.contains(&person(number).to_string()))
}

fn refusal(status: u16, code: &str, pause: Option<u32>) -> Answer {
    Ok(Response {
        status,
        headers: pause.map(|pause| ("Retry-After".to_owned(), pause.to_string())).into_iter().collect(),
        body: json!({"error": {"code": code}}).to_string().into_bytes(),
    })
}

#[test]
fn a_call_is_shown_in_the_session_of_the_application() {
    let mut desk = Desk::new();
    desk.show(1, Some(Shown::InACall));
    desk.run(s(1));
    assert_eq!(
        desk.last_body(),
        json!({
            "sessionId": "cccccccc-cccc-cccc-cccc-cccccccccccc", "availability": "Busy",
            "activity": "InACall", "expirationDuration": "PT10M"
        })
    );
    let path = format!("/users/{}/presence/setPresence", person(1));
    assert_eq!(desk.sent[0].1.target, Target::Path(path));
}

#[test]
fn it_is_renewed_while_it_lasts_and_cleared_at_its_end() {
    let mut desk = Desk::new();
    desk.show(1, Some(Shown::InACall));
    desk.run(s(1499));
    assert_eq!(desk.sent.len(), 5, "at once, and each five minutes");
    desk.show(1, None);
    desk.run(s(1500));
    assert_eq!(desk.sent.len(), 6);
    assert_eq!(desk.sent[5].1.operation, Operation::ClearPresence);
    assert!(desk.writer.is_idle());
    assert_eq!(desk.writer.poll_timeout(), None);
}

#[test]
fn available_is_renewed_before_it_turns_idle() {
    let mut desk = Desk::new();
    desk.show(1, Some(Shown::Available));
    desk.run(s(1199));
    assert_eq!(desk.sent.len(), 5, "each four minutes");
}

#[test]
fn only_the_last_wish_counts_and_what_is_the_same_is_not_repeated() {
    let mut desk = Desk::new();
    desk.show(1, Some(Shown::InACall));
    desk.run(ms(50));
    // The first is on its way.
    desk.show(1, Some(Shown::Presenting));
    desk.show(1, Some(Shown::Away));
    desk.show(1, Some(Shown::Presenting));
    desk.show(1, Some(Shown::Presenting));
    desk.run(s(5));
    assert_eq!(desk.sent.len(), 2);
    assert_eq!(desk.last_body()["activity"], "Presenting");
    desk.show(2, Some(Shown::InACall));
    desk.show(2, None);
    desk.run(s(5));
    assert_eq!(desk.sent.len(), 2, "what was taken back before it was asked is never asked");
}

#[test]
fn while_graph_is_down_it_is_tried_ever_less_and_the_last_wish_gets_through() {
    let mut desk = Desk::new();
    desk.mood = Mood::Unreachable;
    for number in 0..50 {
        desk.show(number, Some(Shown::InACall));
    }
    desk.run(s(600));
    assert!(desk.sent.len() < 100, "{}", desk.sent.len());
    desk.show(7, Some(Shown::Away));
    desk.mood = Mood::Fine;
    let before = desk.sent.len();
    desk.run(s(61));
    let shown =
        desk.sent[before..].iter().filter(|(_, call)| call.operation == Operation::SetPresence).count();
    assert!(shown >= 50, "{shown}");
}

#[test]
fn a_refusal_is_told_once_and_holds_everything_back() {
    let mut desk = Desk::new();
    desk.mood = Mood::Refusing(403, "Forbidden", None);
    for number in 0..50 {
        desk.show(number, Some(Shown::InACall));
    }
    desk.run(s(3600));
    let refusals = desk.told.iter().filter(|told| matches!(told, Output::Refused { .. })).count();
    assert_eq!(refusals, 1);
    // Fifty that were on their way together, then one after a minute, two, four, eight, and each quarter of an hour.
    assert!(desk.sent.len() <= 58, "{}", desk.sent.len());
    desk.mood = Mood::Fine;
    desk.run(s(1000));
    assert!(desk.told.contains(&Output::Restored));
    assert!(desk.sent.len() >= 100);
}

#[test]
fn consent_that_is_given_again_is_used_at_once_by_who_is_told_of_it() {
    let mut desk = Desk::new();
    desk.mood = Mood::Refusing(403, "Forbidden", None);
    for number in 0..3 {
        desk.show(number, Some(Shown::InACall));
    }
    desk.run(s(20));
    desk.mood = Mood::Fine;
    desk.run(s(20));
    assert_eq!(desk.sent.len(), 3, "nobody has said so");
    desk.writer.resume(desk.now);
    desk.run(s(1));
    assert_eq!(desk.sent.len(), 6);
    assert_eq!(desk.told.last(), Some(&Output::Restored));
    // A writer that was not refused goes on as it is.
    desk.writer.resume(desk.now);
    desk.run(s(30));
    assert_eq!(desk.sent.len(), 6);
}

#[test]
fn of_a_guest_it_is_refused_and_everybody_else_is_shown() {
    let mut desk = Desk::new();
    desk.guests = vec![0];
    for number in 0..20 {
        desk.show(number, Some(Shown::InACall));
        desk.run(s(5));
    }
    assert!((1..20).all(|number| desk.sent_of(number).len() == 1), "{:?}", desk.sent);
    assert!(matches!(desk.told[..], [Output::NotWritten { .. }]), "{:?}", desk.told);
    // The guest's next calls cost nothing, until it is time to see whether it is so still.
    for _ in 0..4 {
        desk.show(0, None);
        desk.run(s(60));
        desk.show(0, Some(Shown::InACall));
        desk.run(s(60));
    }
    assert_eq!(desk.sent_of(0).len(), 1);
    desk.run(s(600));
    assert_eq!(desk.sent_of(0).len(), 2, "{:?}", desk.sent_of(0));
}

#[test]
fn guests_who_are_refused_in_a_row_hold_back_the_others_for_a_minute_only() {
    let mut desk = Desk::new();
    desk.guests = vec![0, 1, 2];
    for number in 0..3 {
        desk.show(number, Some(Shown::InACall));
        desk.run(s(1));
    }
    for number in 3..10 {
        desk.show(number, Some(Shown::InACall));
    }
    desk.run(s(70));
    assert!((3..10).all(|number| desk.sent_of(number).len() == 1), "{:?}", desk.sent);
    // They are in their calls still, and never again hold back anybody for longer.
    desk.run(s(3 * 3600));
    for number in 3..10 {
        let sent = desk.sent_of(number);
        let longest = sent.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
        assert!(longest <= s(5 * 60 + 70), "{sent:?}");
    }
}

#[test]
fn who_may_not_be_shown_keeps_nobody_from_being_free_again() {
    let mut desk = Desk::new();
    for number in 3..10 {
        desk.show(number, Some(Shown::InACall));
    }
    desk.run(s(1));
    desk.guests = vec![0, 1, 2];
    for number in 0..3 {
        desk.show(number, Some(Shown::InACall));
    }
    desk.run(s(1));
    let before = desk.sent.len();
    for number in 0..10 {
        desk.show(number, None);
    }
    desk.run(s(2));
    let after: Vec<_> = desk.sent[before..].iter().map(|(_, call)| call.operation).collect();
    assert_eq!(after, [Operation::ClearPresence; 7], "and nothing of those who were refused");
    assert!(desk.writer.is_idle());
}

#[test]
fn what_may_have_been_written_is_ended_too() {
    for mood in [Mood::Silent, Mood::Unreachable, Mood::Refusing(503, "ServiceUnavailable", None)] {
        let mut desk = Desk::new();
        desk.mood = mood;
        desk.show(1, Some(Shown::InACall));
        desk.run(ms(150));
        // The call is over before it is tried again.
        desk.mood = Mood::Fine;
        desk.show(1, None);
        desk.run(s(5));
        assert_eq!(desk.sent.len(), 2);
        assert_eq!(desk.sent[1].1.operation, Operation::ClearPresence);
        assert!(desk.writer.is_idle());
    }
}

#[test]
fn what_was_surely_not_written_needs_no_end() {
    let pauses = [(400, None), (401, None), (403, None), (429, Some(2))];
    for (status, pause) in pauses {
        let mut desk = Desk::new();
        desk.mood = Mood::Refusing(status, "Refused", pause);
        desk.show(1, Some(Shown::InACall));
        desk.run(ms(150));
        desk.mood = Mood::Fine;
        desk.show(1, None);
        desk.run(s(60));
        assert_eq!(desk.sent.len(), 1, "{status}");
        assert!(desk.writer.is_idle());
    }
}

#[test]
fn an_end_that_may_have_been_taken_is_not_taken_for_a_call_that_is_shown() {
    let mut desk = Desk::new();
    desk.show(1, Some(Shown::InACall));
    desk.run(s(1));
    desk.mood = Mood::Silent;
    desk.show(1, None);
    desk.run(ms(150));
    desk.mood = Mood::Fine;
    desk.show(1, Some(Shown::InACall));
    desk.run(s(5));
    let acts: Vec<_> = desk.sent_of(1).into_iter().map(|(_, act)| act).collect();
    assert_eq!(acts, [Operation::SetPresence, Operation::ClearPresence, Operation::SetPresence]);
}

#[test]
fn what_has_ended_by_itself_is_not_ended() {
    let mut desk = Desk::new();
    desk.show(1, Some(Shown::InACall));
    desk.run(s(1));
    desk.mood = Mood::Unreachable;
    desk.show(1, None);
    desk.run(s(700));
    assert!(desk.writer.is_idle());
    let before = desk.sent.len();
    desk.mood = Mood::Fine;
    desk.run(s(700));
    assert_eq!(desk.sent.len(), before);
}

#[test]
fn what_an_earlier_life_left_is_ended_but_of_whom_talks_now() {
    let mut desk = Desk::new();
    desk.show(7, Some(Shown::InACall));
    for number in 0..200 {
        desk.writer.take_over(desk.now, person(number));
    }
    desk.show(8, Some(Shown::InACall));
    desk.run(s(3));
    assert_eq!(desk.sent_of(7).len(), 1, "it takes the place of what was left");
    assert_eq!(desk.sent_of(8).len(), 1);
    assert!(desk.sent.len() < 70, "no faster than others can bear: {}", desk.sent.len());
    // A call that begins and ends is not kept waiting.
    desk.show(199, Some(Shown::InACall));
    desk.run(s(1));
    desk.show(199, None);
    desk.run(s(1));
    assert_eq!(desk.sent_of(199).len(), 2);
    desk.run(s(20));
    for number in (0..199).filter(|number| ![7, 8].contains(number)) {
        let acts: Vec<_> = desk.sent_of(number).into_iter().map(|(_, act)| act).collect();
        assert_eq!(acts, [Operation::ClearPresence], "{number}");
    }
    assert_eq!(desk.sent_of(199).len(), 2);
    desk.show(7, None);
    desk.show(8, None);
    desk.run(s(1));
    assert!(desk.writer.is_idle());
    assert_eq!(desk.writer.poll_timeout(), None);
}

#[test]
fn where_nothing_may_be_ended_what_was_left_is_given_up_when_it_has_ended_by_itself() {
    let mut desk = Desk::new();
    desk.mood = Mood::Refusing(403, "Forbidden", None);
    for number in 0..200 {
        desk.writer.take_over(desk.now, person(number));
    }
    desk.run(s(3600));
    assert!(desk.sent.len() <= 10, "{}", desk.sent.len());
    assert!(desk.writer.is_idle());
    // That says nothing of whether calls may be shown.
    desk.mood = Mood::Fine;
    desk.show(1, Some(Shown::InACall));
    desk.run(s(1));
    assert_eq!(desk.sent_of(1).last().unwrap().1, Operation::SetPresence);
}

#[test]
fn a_person_whom_graph_does_not_know_is_given_up_until_something_else_is_to_be_shown() {
    let mut desk = Desk::new();
    desk.mood = Mood::Refusing(404, "NotFound", None);
    desk.show(1, Some(Shown::InACall));
    desk.run(s(3600));
    assert_eq!(desk.sent.len(), 1);
    assert!(matches!(desk.told[..], [Output::NotWritten { .. }]));
    desk.mood = Mood::Fine;
    desk.show(1, Some(Shown::Away));
    desk.run(s(1));
    assert_eq!(desk.sent.len(), 2);
}

#[test]
fn a_session_that_is_not_there_is_cleared_already() {
    let mut desk = Desk::new();
    desk.show(1, Some(Shown::InACall));
    desk.run(s(1));
    desk.mood = Mood::Refusing(404, "NotFound", None);
    desk.show(1, None);
    desk.run(s(3600));
    assert_eq!(desk.sent.len(), 2);
    assert!(desk.writer.is_idle());
}

#[test]
fn at_the_end_everything_is_taken_back() {
    let mut desk = Desk::new();
    for number in 0..20 {
        desk.show(number, Some(Shown::InACall));
    }
    desk.run(s(10));
    // Whose turn has not come is left to the next life.
    for number in 20..40 {
        desk.writer.take_over(desk.now, person(number));
    }
    desk.writer.close(desk.now);
    desk.run(s(10));
    assert!(desk.writer.is_idle());
    assert_eq!(desk.sent.len(), 40);
}
