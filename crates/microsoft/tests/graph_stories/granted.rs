//! What a tenant has granted, against what is needed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_microsoft::entra::permission::{NEEDED, compare};
use tandem_microsoft::graph::call::{Answer, Target};
use tandem_microsoft::graph::fault::FaultKind;
use tandem_microsoft::graph::members::Progress;
use tandem_microsoft::graph::permissions::{GRAPH, GrantsReading, in_token};
use tandem_microsoft::http::Response;
use tandem_microsoft::id::{ClientId, Guid};
use tandem_microsoft::secret::Secret;

use crate::world::person;

const US: ClientId = ClientId(Guid::from_octets([0xcc; 16]));
const PRESENCE: &str = "a70e0c2d-e793-494c-94c4-118fa0a67f42";

fn ok(body: &Value) -> Answer {
    Ok(Response { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() })
}

fn token(claims: &Value) -> Secret {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    Secret::new(format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(&claims.to_string())))
}

#[test]
fn a_token_of_ours_says_what_was_granted() {
    let granted = in_token(&token(&json!({"roles": ["Presence.Read.All", "User.Read.All"]})));
    let lacking: Vec<_> =
        compare(&granted, NEEDED).into_iter().filter(|c| c.is_lacking()).map(|c| c.permission.name).collect();
    assert!(!lacking.contains(&"Presence.Read.All") && !lacking.contains(&"User.Read.All"), "{lacking:?}");
    let delegated = in_token(&token(&json!({"scp": "openid Presence.Read.All"}))).delegated;
    assert!(delegated.contains("Presence.Read.All") && delegated.len() == 2);
    for unreadable in ["", "a.b.c", "opaque", "a.e30.c"] {
        assert!(in_token(&Secret::new(unreadable)).application.is_empty());
    }
}

#[test]
fn the_directory_says_it_exactly() {
    let mut reading = GrantsReading::new(US);
    let us = ok(&json!({"value": [{"id": person(1), "appId": US}, {"id": person(5), "appId": GRAPH}]}));
    assert_eq!(reading.handle_answer(&us), Ok(Progress::More));
    let graph = ok(&json!({"value": [{
        "id": person(2), "appId": GRAPH,
        "appRoles": [{"id": PRESENCE, "value": "Presence.Read.All"}, {"id": "x", "value": "Strange"}, {"id": PRESENCE}]
    }]}));
    assert_eq!(reading.handle_answer(&graph), Ok(Progress::More));
    let path = format!("/servicePrincipals/{}/appRoleAssignments", person(1));
    assert_eq!(reading.call().target, Target::Path(path));
    let first = ok(&json!({
        "value": [{"resourceId": person(2), "appRoleId": PRESENCE}],
        "@odata.nextLink": "https://g/2"
    }));
    assert_eq!(reading.handle_answer(&first), Ok(Progress::More));
    assert_eq!(reading.call().target, Target::Link("https://g/2".into()));
    // A role of another application, and one without a name.
    let second = ok(&json!({"value": [
        {"resourceId": person(3), "appRoleId": PRESENCE},
        {"resourceId": person(2), "appRoleId": person(4)}
    ]}));
    assert_eq!(reading.handle_answer(&second), Ok(Progress::More));
    let scopes = ok(&json!({"value": [
        {"resourceId": person(2), "consentType": "AllPrincipals", "scope": " User.Read  offline_access"},
        {"resourceId": person(2), "consentType": "Principal", "scope": "Mail.Read"},
        {"resourceId": person(3), "consentType": "AllPrincipals", "scope": "Files.Read"}
    ]}));
    let Ok(Progress::Done(granted)) = reading.handle_answer(&scopes) else { panic!("done") };
    assert_eq!(granted.application, ["Presence.Read.All".to_owned()].into());
    assert_eq!(granted.delegated, ["User.Read".to_owned(), "offline_access".to_owned()].into());
}

#[test]
fn an_application_that_is_not_in_the_tenant_is_not_found() {
    let mut reading = GrantsReading::new(US);
    let fault = reading.handle_answer(&ok(&json!({"value": []}))).unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
}

proptest! {
    #[test]
    fn any_answer_and_any_token_are_read_or_refused(body: Vec<u8>, text in "\\PC{0,200}") {
        let _ = GrantsReading::new(US).handle_answer(&Ok(Response { status: 200, headers: Vec::new(), body }));
        let _ = in_token(&Secret::new(text));
    }
}
