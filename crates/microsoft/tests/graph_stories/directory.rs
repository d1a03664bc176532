//! Users are read once and then followed: page by page, with holes, pauses, and links that Graph forgets.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_microsoft::graph::call::{Answer, Call, NoAnswer, Target};
use tandem_microsoft::graph::directory::{DeltaLink, Field, Output, Settings, UserSync};
use tandem_microsoft::graph::throttle::{Limits, Throttle};
use tandem_microsoft::graph::watch::CallId;
use tandem_microsoft::http::Response;

use crate::world::{ms, person, s, start};

struct Office {
    now: Instant,
    sync: UserSync,
    throttle: Throttle,
    told: Vec<Output>,
}

fn ok(body: &Value) -> Answer {
    Ok(Response { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() })
}

fn refuse(status: u16, code: &str) -> Answer {
    let body = json!({"error": {"code": code}}).to_string().into_bytes();
    Ok(Response { status, headers: Vec::new(), body })
}

fn page(users: &[u32], link: &str, to: &str) -> Answer {
    let value: Vec<_> =
        users.iter().map(|n| json!({"id": person(*n), "displayName": format!("Person {n}")})).collect();
    ok(&json!({"value": value, link: to}))
}

const NEXT: &str = "@odata.nextLink";
const DELTA: &str = "@odata.deltaLink";

impl Office {
    fn new(resume: Option<&str>) -> Office {
        let now = start();
        Office {
            now,
            sync: UserSync::new(now, Settings::default(), resume.and_then(DeltaLink::new), 3),
            throttle: Throttle::new(&Limits::default(), 3),
            told: Vec::new(),
        }
    }

    /// Waits until something is asked, at most so long.
    fn asked(&mut self, within: Duration) -> Option<(CallId, Call)> {
        let end = self.now + within;
        loop {
            while let Some(output) = self.sync.poll_output() {
                match output {
                    Output::Call { id, call } => return Some((id, call)),
                    told => self.told.push(told),
                }
            }
            let due = self.sync.poll_timeout().max(self.now);
            if due > end {
                self.now = end;
                return None;
            }
            self.now = due;
            self.sync.handle_timeout(self.now, &mut self.throttle);
        }
    }

    /// Waits for the next page to be asked for, answers it, and says what was asked.
    fn answer(&mut self, answer: &Answer) -> Target {
        let (id, call) = self.asked(s(3600)).expect("something is asked");
        self.now += ms(50);
        self.sync.handle_answer(self.now, id, answer, &mut self.throttle);
        while let Some(output) = self.sync.poll_output() {
            self.told.push(output);
        }
        call.target
    }

    fn users(&self) -> usize {
        self.told.iter().filter(|told| matches!(told, Output::User(_))).count()
    }
}

fn link(text: &str) -> Target {
    Target::Link(text.to_owned())
}

#[test]
fn all_users_are_read_page_by_page_and_then_what_changed() {
    let mut office = Office::new(None);
    let Target::Path(path) = office.answer(&page(&[1, 2], NEXT, "https://g/2")) else { panic!("a path") };
    assert!(path.starts_with("/users/delta?$select=id,displayName"), "{path}");
    // An empty page may have a next one.
    assert_eq!(office.answer(&page(&[], NEXT, "https://g/3")), link("https://g/2"));
    assert_eq!(office.answer(&page(&[3], DELTA, "https://g/d1")), link("https://g/3"));
    assert_eq!(office.users(), 3);
    assert_eq!(office.told[0], Output::RoundBegins { full: true });
    let next = DeltaLink::new("https://g/d1").unwrap();
    assert_eq!(office.told.last(), Some(&Output::RoundEnds { full: true, next }));
    assert!(office.asked(s(4 * 60)).is_none(), "five minutes, a little less");
    assert_eq!(office.answer(&page(&[], DELTA, "https://g/d2")), link("https://g/d1"));
    assert_eq!(
        office.told.last(),
        Some(&Output::RoundEnds { full: false, next: DeltaLink::new("https://g/d2").unwrap() })
    );
}

#[test]
fn a_change_says_what_changed_what_was_cleared_and_nothing_of_the_rest() {
    let mut office = Office::new(Some("https://g/d1"));
    office.answer(&ok(&json!({
        "value": [
            {"id": person(1), "department": "Sales", "mail": null, "accountEnabled": false,
             "userType": "Guest", "businessPhones": ["+41 1", 7, "+41 2"], "jobTitle": 9},
            {"id": person(2), "@removed": {"reason": "deleted"}},
            {"id": person(3), "@removed": {"reason": "changed"}},
            {"id": "no guid"}, {"displayName": "nobody"}, 7
        ],
        DELTA: "https://g/d2"
    })));
    let Some(Output::User(change)) = office.told.iter().find(|told| matches!(told, Output::User(_))) else {
        panic!("a change")
    };
    assert_eq!(change.user, person(1));
    assert_eq!(change.department, Field::Said("Sales".into()));
    assert_eq!(change.mail, Field::Cleared);
    assert_eq!(change.display_name, Field::Unsaid);
    assert_eq!(change.job_title, Field::Unsaid, "of a kind that it should not have");
    assert_eq!(change.enabled, Field::Said(false));
    assert_eq!(change.guest, Field::Said(true));
    assert_eq!(change.phones, Field::Said(vec!["+41 1".into(), "+41 2".into()]));
    assert!(office.told.contains(&Output::Removed { user: person(2), for_good: true }));
    assert!(office.told.contains(&Output::Removed { user: person(3), for_good: false }));
    assert_eq!(office.users(), 1);
}

#[test]
fn after_a_restart_it_goes_on_where_it_was() {
    let mut office = Office::new(Some("https://g/d7"));
    assert_eq!(office.answer(&page(&[1], DELTA, "https://g/d8")), link("https://g/d7"));
    assert_eq!(office.told[0], Output::RoundBegins { full: false });
}

#[test]
fn a_forgotten_link_begins_a_full_round_at_once() {
    for forgotten in [refuse(410, "Gone"), refuse(400, "syncStateNotFound"), refuse(404, "resyncRequired")] {
        let mut office = Office::new(Some("https://g/d7"));
        office.answer(&forgotten);
        let (_, call) = office.asked(s(1)).expect("at once");
        assert!(matches!(call.target, Target::Path(_)));
        assert!(office.told.contains(&Output::RoundBegins { full: true }));
    }
}

#[test]
fn a_graph_that_forgets_every_link_is_not_hammered() {
    let mut office = Office::new(None);
    let mut pages = 0;
    let end = office.now + s(3600);
    while office.now < end {
        let answer = if pages % 2 == 0 { page(&[1], NEXT, "https://g/2") } else { refuse(410, "Gone") };
        office.answer(&answer);
        pages += 1;
    }
    assert!(pages < 60, "{pages}");
}

#[test]
fn a_page_that_leads_to_itself_is_left() {
    let mut office = Office::new(Some("https://g/d1"));
    office.answer(&page(&[], NEXT, "https://g/d1"));
    let (_, call) = office.asked(s(1)).unwrap();
    assert!(matches!(call.target, Target::Path(_)), "all is read again");
}

#[test]
fn the_same_page_is_asked_for_again_after_a_passing_fault() {
    let mut office = Office::new(None);
    office.answer(&page(&[1], NEXT, "https://g/2"));
    for fault in [
        Err(NoAnswer::Unreachable),
        refuse(503, "x"),
        refuse(429, "x"),
        ok(&json!({"value": []})),
        ok(&json!([])),
    ] {
        assert_eq!(office.answer(&fault), link("https://g/2"));
    }
    assert_eq!(office.answer(&page(&[2], DELTA, "https://g/d")), link("https://g/2"));
    assert_eq!(office.users(), 2);
}

#[test]
fn no_answer_at_all_is_given_up_and_asked_again() {
    let mut office = Office::new(None);
    let (first, _) = office.asked(s(1)).unwrap();
    let (second, _) = office.asked(s(120)).expect("asked again");
    assert_ne!(first, second);
    office.sync.handle_answer(office.now, first, &page(&[1], DELTA, "https://g/d"), &mut office.throttle);
    assert!(office.sync.poll_output().is_none(), "an answer to a question that was given up");
}

#[test]
fn a_refusal_is_told_once_and_tried_each_quarter_of_an_hour() {
    let mut office = Office::new(None);
    for _ in 0..4 {
        office.answer(&refuse(403, "Authorization_RequestDenied"));
    }
    let refusals = office.told.iter().filter(|told| matches!(told, Output::Refused { .. })).count();
    assert_eq!(refusals, 1);
    office.answer(&refuse(401, "InvalidAuthenticationToken"));
    assert_eq!(office.told.last(), Some(&Output::TokenRefused));
}

proptest! {
    #[test]
    fn any_answer_is_taken_without_harm(status in prop_oneof![Just(200u16), 100u16..600], body: Vec<u8>) {
        let mut office = Office::new(None);
        office.answer(&Ok(Response { status, headers: Vec::new(), body }));
        prop_assert!(office.asked(s(3600)).is_some(), "it goes on");
    }
}

#[test]
fn users_that_may_not_be_read_are_asked_for_at_once_when_they_may_again() {
    let mut office = Office::new(Some("https://g/d1"));
    office.answer(&refuse(403, "Authorization_RequestDenied"));
    assert!(office.sync.is_refused());
    assert!(office.asked(s(10 * 60)).is_none(), "a quarter of an hour");
    office.sync.resume(office.now);
    assert_eq!(office.answer(&page(&[1], DELTA, "https://g/d2")), link("https://g/d1"));
    assert!(!office.sync.is_refused());
    assert_eq!(office.users(), 1);
}
