//! Who is in a group that gives a role.

use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_microsoft::graph::call::{Answer, Target};
use tandem_microsoft::graph::fault::FaultKind;
use tandem_microsoft::graph::members::{CHECKED_MAX, MembersReading, Progress, check, checked};
use tandem_microsoft::http::Response;

use crate::world::person;

fn ok(body: &Value) -> Answer {
    Ok(Response { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() })
}

#[test]
fn users_are_read_page_by_page_and_nothing_else_is() {
    let mut reading = MembersReading::new(person(9));
    let path = format!("/groups/{}/transitiveMembers?$select=id&$top=999", person(9));
    assert_eq!(reading.call().target, Target::Path(path));
    let first = ok(&json!({
        "value": [
            {"@odata.type": "#microsoft.graph.user", "id": person(1)},
            {"@odata.type": "#microsoft.graph.group", "id": person(8)},
            {"@odata.type": "#microsoft.graph.device", "id": person(7)},
            {"id": "strange"}
        ],
        "@odata.nextLink": "https://g/2"
    }));
    assert_eq!(reading.handle_answer(&first), Ok(Progress::More));
    assert_eq!(reading.call().target, Target::Link("https://g/2".into()));
    let passing = Ok(Response { status: 503, headers: Vec::new(), body: Vec::new() });
    assert!(reading.handle_answer(&passing).is_err());
    assert_eq!(reading.call().target, Target::Link("https://g/2".into()), "the same page again");
    let last = ok(&json!({"value": [{"@odata.type": "#microsoft.graph.user", "id": person(2)}]}));
    assert_eq!(reading.handle_answer(&last), Ok(Progress::Done([person(1), person(2)].into())));
}

#[test]
fn a_page_that_leads_to_itself_is_a_fault() {
    let mut reading = MembersReading::new(person(9));
    let round = ok(&json!({"value": [], "@odata.nextLink": "https://g/2"}));
    assert_eq!(reading.handle_answer(&round), Ok(Progress::More));
    assert_eq!(reading.handle_answer(&round).unwrap_err().kind, FaultKind::Unreadable);
}

#[test]
fn one_person_is_checked_against_twenty_groups_at_once() {
    let groups: Vec<_> = (0..30).map(person).collect();
    let call = check(person(1), &groups);
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(body["groupIds"].as_array().unwrap().len(), CHECKED_MAX);
    let answer = ok(&json!({"@odata.context": "x", "value": [person(3), "strange"]}));
    assert_eq!(checked(&answer), Ok([person(3)].into()));
}

proptest! {
    #[test]
    fn any_answer_is_read_or_refused(body: Vec<u8>) {
        let answer = Ok(Response { status: 200, headers: Vec::new(), body });
        let _ = (MembersReading::new(person(1)).handle_answer(&answer), checked(&answer));
    }
}
