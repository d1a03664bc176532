//! What people do in Tandem is shown in Teams, kept while it lasts, and taken back.

use std::time::{Duration, Instant};

use serde_json::json;
use tandem_microsoft::graph::call::{Call, NoAnswer, Operation, Target};
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
                let (_, id, _) = self.on_the_way.remove(0);
                let answer = match &self.mood {
                    Mood::Fine => Ok(Response { status: 200, headers: Vec::new(), body: Vec::new() }),
                    Mood::Refusing(status, code, pause) => Ok(Response {
                        status: *status,
                        headers: pause
                            .map(|p| ("Retry-After".to_owned(), p.to_string()))
                            .into_iter()
                            .collect(),
                        body: json!({"error": {"code": code}}).to_string().into_bytes(),
                    }),
                    _ => Err(NoAnswer::Unreachable),
                };
                self.writer.handle_answer(self.now, id, &answer, &mut self.throttle);
            }
            self.writer.handle_timeout(self.now, &mut self.throttle);
        }
        self.now = end;
    }

    fn last_body(&self) -> serde_json::Value {
        serde_json::from_slice(&self.sent.last().unwrap().1.body).unwrap()
    }
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
    // Fifty that were on their way together, then one each quarter of an hour.
    assert!(desk.sent.len() <= 56, "{}", desk.sent.len());
    desk.mood = Mood::Fine;
    desk.run(s(1000));
    assert!(desk.told.contains(&Output::Restored));
    assert!(desk.sent.len() >= 100);
}

#[test]
fn consent_that_is_given_again_is_used_at_once_by_who_is_told_of_it() {
    let mut desk = Desk::new();
    desk.mood = Mood::Refusing(403, "Forbidden", None);
    desk.show(1, Some(Shown::InACall));
    desk.run(s(30));
    desk.mood = Mood::Fine;
    desk.run(s(30));
    assert_eq!(desk.sent.len(), 1, "nobody has said so");
    desk.writer.resume(desk.now);
    desk.run(s(1));
    assert_eq!(desk.sent.len(), 2);
    assert_eq!(desk.told.last(), Some(&Output::Restored));
    // A writer that was not refused goes on as it is.
    desk.writer.resume(desk.now);
    desk.run(s(30));
    assert_eq!(desk.sent.len(), 2);
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
    desk.writer.close(desk.now);
    desk.run(s(10));
    assert!(desk.writer.is_idle());
    assert_eq!(desk.sent.len(), 40);
}
