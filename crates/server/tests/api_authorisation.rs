//! Every route of the API stands in the table of permissions, or is open on purpose.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;

use tandem::api::authorisation::RULES;

/// Routes that ask nobody who they are: health, the document, signing in, and the live socket, which asks in its first
/// message.
const OPEN: &[&str] = &[
    "GET /healthz",
    "GET /readyz",
    "GET /api/openapi.json",
    "GET /live",
    "GET /auth/methods",
    "POST /auth/password",
    "POST /auth/refresh",
    "POST /auth/setup",
    "POST /auth/invitation",
    "POST /auth/demo",
];

fn documented() -> BTreeSet<String> {
    let document: serde_json::Value = serde_json::from_str(&tandem::api::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let routes = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    routes.collect()
}

#[test]
fn every_route_has_a_rule_or_is_open_on_purpose() {
    let ruled: BTreeSet<String> = RULES.iter().map(|rule| format!("{} {}", rule.method, rule.path)).collect();
    assert_eq!(ruled.len(), RULES.len(), "no route stands twice in the table");
    let open: BTreeSet<String> = OPEN.iter().map(ToString::to_string).collect();
    let documented = documented();
    let missing: Vec<_> =
        documented.iter().filter(|route| !ruled.contains(*route) && !open.contains(*route)).collect();
    assert!(missing.is_empty(), "without a rule: {missing:?}");
    let gone: Vec<_> = ruled.union(&open).filter(|route| !documented.contains(*route)).collect();
    assert!(gone.is_empty(), "rules for routes that there are not: {gone:?}");
}
