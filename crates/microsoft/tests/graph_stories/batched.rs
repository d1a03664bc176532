//! Several calls in one request: each is answered as if it had been asked alone.

use std::time::Instant;

use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_microsoft::graph::batch::{Batch, CALLS_MAX, NotBatched};
use tandem_microsoft::graph::call::{Answer, Call, Caller, NoAnswer, Operation, Target};
use tandem_microsoft::graph::photo::{self, Photo};
use tandem_microsoft::graph::throttle::{Family, Limits, Rate, Throttle};
use tandem_microsoft::graph::{members, profile};
use tandem_microsoft::http::{Method, Response};

use crate::world::{account, person, s, start};

fn ok(body: &Value) -> Answer {
    Ok(Response { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() })
}

#[test]
fn twenty_calls_of_one_caller_go_in_one_request() {
    let mut batch = Batch::new();
    for number in 0..20 {
        batch.push(profile::read(person(number))).unwrap();
    }
    assert!(matches!(batch.push(profile::read(person(20))), Err(NotBatched::Full(_))));
    assert_eq!((batch.len(), batch.is_empty()), (CALLS_MAX, false));
    let mut other = Batch::new();
    other.push(photo::read(person(1), photo::Size::Px48, Some("\"e\""))).unwrap();
    other.push(members::check(person(1), &[person(2)])).unwrap();
    let of_account = Call::get(Operation::ReadUsers, Caller::Account(account(1)), "/me");
    assert!(matches!(other.push(of_account), Err(NotBatched::DoesNotFit(_))));
    let link = Target::Link("https://g/2".into());
    let paged = Call::new(Operation::ReadUsers, Caller::Application, Method::Get, link);
    assert!(matches!(other.push(paged), Err(NotBatched::DoesNotFit(_))));
    let body: Value = serde_json::from_slice(&other.call().body).unwrap();
    assert_eq!(
        body,
        json!({"requests": [
            {"id": "0", "method": "GET", "url": format!("/users/{}/photos/48x48/$value", person(1)),
             "headers": {"If-None-Match": "\"e\""}},
            {"id": "1", "method": "POST", "url": format!("/users/{}/checkMemberGroups", person(1)),
             "headers": {"Content-Type": "application/json"}, "body": {"groupIds": [person(2)]}},
        ]})
    );
}

#[test]
fn answers_in_any_order_belong_to_their_calls_and_the_hasty_ones_are_asked_again_alone() {
    let mut batch = Batch::new();
    for number in 0..4 {
        batch.push(profile::read(person(number))).unwrap();
    }
    let answer = ok(&json!({"responses": [
        {"id": "2", "status": 429, "headers": {"Retry-After": "9"}, "body": {"error": {"code": "TooManyRequests"}}},
        {"id": "0", "status": 200, "body": {"skills": ["a"]}},
        {"id": "3", "status": 404, "body": {"error": {"code": "Request_ResourceNotFound"}}},
        {"id": "0", "status": 200, "body": {"skills": ["again"]}},
        {"id": "77", "status": 200}
    ]}));
    let answered = batch.answers(&answer).unwrap();
    assert_eq!(profile::skills(&answered[0].answer).unwrap(), ["a".into()]);
    assert_eq!(answered[1].answer, Err(NoAnswer::TooSlow), "left out");
    assert_eq!(answered[2].answer.as_ref().unwrap().retry_after_seconds(), Some(9));
    assert!(profile::skills(&answered[3].answer).is_err());
    let (again, done) = Batch::again(answered);
    let again = again.unwrap();
    assert_eq!((again.batch.len(), again.pause, done.len()), (1, Some(s(9)), 3));
    assert!(Batch::again(done).0.is_none());
    assert_eq!(again.batch.call().body, {
        let mut alone = Batch::new();
        alone.push(profile::read(person(2))).unwrap();
        alone.call().body
    });
}

#[test]
fn what_is_refused_for_haste_inside_a_batch_slows_what_is_asked_alone_too() {
    let start = start();
    let mut throttle = Throttle::new(&Limits::default(), 7);
    let asked = |throttle: &mut Throttle, at: Instant, body: &Value| {
        let mut batch = Batch::new();
        for number in 0..2 {
            batch.push(profile::read(person(number))).unwrap();
        }
        throttle.admit_batch(at, Family::Directory, 2).unwrap();
        throttle.heard_batch(at, at, batch.answers(&ok(body)).as_deref());
    };
    let done = json!({"responses": [{"id": "0", "status": 200, "body": {}}, {"id": "1", "status": 503}]});
    asked(&mut throttle, start, &done);
    assert_eq!(throttle.troubled_since(Family::Directory), None, "trouble with somebody is no haste");

    let hasty = json!({"responses": [
        {"id": "0", "status": 200, "body": {}},
        {"id": "1", "status": 429, "headers": {"Retry-After": "9"}, "body": {"error": {"code": "TooManyRequests"}}},
    ]});
    asked(&mut throttle, start, &hasty);
    let until = throttle.admit(start, Family::Directory).unwrap_err();
    assert!(until >= start + s(9));
    throttle.admit(start, Family::Presence).unwrap();

    asked(&mut throttle, until, &done);
    assert_eq!(throttle.troubled_since(Family::Directory), None);

    let fault = Batch::new().answers(&Err(NoAnswer::Unreachable)).unwrap_err();
    throttle.heard_batch(until, until, Err(&fault));
    assert!(throttle.admit(until, Family::Directory).is_err(), "and so does a batch that is not done at all");
}

#[test]
fn each_call_of_a_batch_counts() {
    let start = start();
    let rate = Rate { requests: 100, per: s(10) };
    let limits = Limits { directory: rate, share_percent: 100, ..Limits::default() };
    let mut throttle = Throttle::new(&limits, 7);
    let (mut calls, mut now) = (0, start);
    while now < start + s(100) {
        match throttle.admit_batch(now, Family::Directory, 20) {
            Ok(()) => calls += 20,
            Err(later) => now = later,
        }
    }
    assert!((800..=1_040).contains(&calls), "{calls} calls where 1,000 are allowed");
}

#[test]
fn a_photo_in_a_batch_is_a_photo() {
    let mut batch = Batch::new();
    batch.push(photo::read(person(1), photo::Size::Px48, None)).unwrap();
    let answer = ok(&json!({"responses": [
        {"id": "0", "status": 200, "headers": {"Content-Type": "image/jpeg", "ETag": "\"v\""}, "body": "/9j/4AAQ"}
    ]}));
    let answered = batch.answers(&answer).unwrap();
    assert!(matches!(photo::answered(&answered[0].answer), Ok(Photo::Picture { .. })));
}

proptest! {
    #[test]
    fn any_answer_is_read_or_refused(body: Vec<u8>, count in 0u32..20) {
        let mut batch = Batch::new();
        for number in 0..count {
            batch.push(profile::read(person(number))).unwrap();
        }
        let answered = batch.answers(&Ok(Response { status: 200, headers: Vec::new(), body }));
        if let Ok(answered) = answered {
            prop_assert_eq!(answered.len(), count as usize);
        }
    }
}
