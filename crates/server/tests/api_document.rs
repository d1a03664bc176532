//! The OpenAPI document: checked in, up to date, and true for every route.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use common::{Shop, request};
use serde_json::Value;

/// To write it anew after a change of the API: `TANDEM_WRITE_OPENAPI=1 cargo test -p tandem --test api_document`.
#[test]
fn the_document_in_the_repository_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let now = tandem::api::document() + "\n";
    if std::env::var_os("TANDEM_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let then = std::fs::read_to_string(&path).unwrap();
    assert!(
        then == now,
        "docs/openapi.json differs from the routes; write it anew with TANDEM_WRITE_OPENAPI=1"
    );
}

/// One request and what the document must say about its answer.
struct Case {
    request: Request<Body>,
    /// The path as the document has it.
    template: &'static str,
    status: u16,
}

fn case(method: &str, path: &str, template: &'static str, body: &str, status: u16) -> Case {
    Case { request: request(method, path, Body::from(body.to_owned())), template, status }
}

#[tokio::test]
async fn every_route_answers_as_the_document_says() {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    shop.call(1).await;
    shop.call(2).await;
    shop.call(3).await;
    let recordings = shop.path().join("recordings");
    std::fs::write(recordings.join("0000000000000007.wav"), "RIFF").unwrap();
    let first = shop.get("/api/v1/calls").await.1["calls"][0]["id"].as_u64().unwrap();
    let (_, document) = shop.get("/api/openapi.json").await;
    let data = "/api/v1/interactions/{id}/personal-data";
    let all = shop.get("/api/v1/calls").await.1;
    let second = all["calls"][1]["id"].as_u64().unwrap();
    let (move_to, priority, assignment) =
        ("/api/v1/calls/{id}/move", "/api/v1/calls/{id}/priority", "/api/v1/calls/{id}/assignment");
    let of = |what: &str| format!("/api/v1/calls/{second}/{what}");
    let wanted = r#"{"line":"carrier","phone":"+4930999","queue":"sales"}"#;
    let nobody = r#"{"line":"carrier","phone":"x","queue":"sales"}"#;
    let (switch, recording) = ("/api/v1/queues/{id}/switch", "/api/v1/recordings/{id}");
    let (presence, extension) = ("/api/v1/agents/{id}/presence", "/api/v1/agents/{id}/wrap-up/extension");
    let set = "/api/v1/agents/{id}/state";
    let huge = format!(r#"{{"state":"break","reason":"{}"}}"#, "x".repeat(70_000));
    let cases = [
        case("GET", "/healthz", "/healthz", "", 200),
        case("GET", "/readyz", "/readyz", "", 200),
        case("GET", "/metrics", "/metrics", "", 200),
        case("GET", "/api/openapi.json", "/api/openapi.json", "", 200),
        case("GET", "/api/v1/queues", "/api/v1/queues", "", 200),
        case("GET", "/api/v1/agents", "/api/v1/agents", "", 200),
        case("GET", "/api/v1/agents/anna", "/api/v1/agents/{id}", "", 200),
        case("GET", "/api/v1/agents/nobody", "/api/v1/agents/{id}", "", 404),
        case("PUT", "/api/v1/agents/bert/state", set, r#"{"state":"break"}"#, 200),
        case("PUT", "/api/v1/agents/bert/state", set, "{", 400),
        case("PUT", "/api/v1/agents/nobody/state", set, r#"{"state":"break"}"#, 404),
        case("PUT", "/api/v1/agents/bert/state", set, &huge, 413),
        case("DELETE", "/api/v1/agents/bert/wrap-up", "/api/v1/agents/{id}/wrap-up", "", 409),
        case("DELETE", "/api/v1/agents/nobody/wrap-up", "/api/v1/agents/{id}/wrap-up", "", 404),
        case("GET", "/api/v1/calls", "/api/v1/calls", "", 200),
        case("GET", "/api/v1/calls?state=closed", "/api/v1/calls", "", 200),
        case("GET", "/api/v1/calls?limit=0", "/api/v1/calls", "", 400),
        case("GET", &format!("/api/v1/calls/{first}"), "/api/v1/calls/{id}", "", 200),
        case("GET", "/api/v1/calls/x", "/api/v1/calls/{id}", "", 400),
        case("GET", "/api/v1/calls/99", "/api/v1/calls/{id}", "", 404),
        case("POST", &of("priority"), priority, r#"{"priority":1,"vip":true}"#, 200),
        case("POST", &of("priority"), priority, r#"{"priority":9}"#, 400),
        case("POST", &of("priority"), priority, r#"{"priority":1,"vip":true}"#, 409),
        case("POST", &of("assignment"), assignment, r#"{"agent":"bert"}"#, 200),
        case("POST", &of("assignment"), assignment, r#"{"agent":"nobody"}"#, 404),
        case("POST", &of("move"), move_to, r#"{"queue":"sales","reason":"wrong queue"}"#, 200),
        case("POST", &of("move"), move_to, r#"{"queue":"sales"}"#, 409),
        case("DELETE", &of("callback"), "/api/v1/calls/{id}/callback", "", 409),
        case("POST", "/api/v1/callbacks", "/api/v1/callbacks", wanted, 200),
        case("POST", "/api/v1/callbacks", "/api/v1/callbacks", nobody, 400),
        case("GET", "/api/v1/queues/sales", "/api/v1/queues/{id}", "", 200),
        case("GET", "/api/v1/queues/none", "/api/v1/queues/{id}", "", 404),
        case("PUT", "/api/v1/queues/sales/switch", switch, r#"{"closed":true}"#, 200),
        case("PUT", "/api/v1/queues/sales/switch", switch, r#"{"closed":true}"#, 409),
        case("PUT", "/api/v1/queues/none/switch", switch, r#"{"closed":true}"#, 404),
        case("PUT", "/api/v1/agents/bert/presence", presence, r#"{"source":"teams","presence":"busy"}"#, 200),
        case("PUT", "/api/v1/agents/bert/presence", presence, r#"{"source":"","presence":"busy"}"#, 400),
        case("PUT", "/api/v1/agents/none/presence", presence, r#"{"source":"teams","presence":"busy"}"#, 404),
        case("POST", "/api/v1/agents/bert/wrap-up/extension", extension, "", 409),
        case("GET", "/api/v1/recordings/0000000000000007", recording, "", 200),
        case("GET", "/api/v1/recordings/7", recording, "", 400),
        case("DELETE", "/api/v1/recordings/0000000000000007", recording, "", 204),
        case("DELETE", "/api/v1/recordings/0000000000000007", recording, "", 404),
        case("GET", &format!("/api/v1/calls/{first}/explanation"), "/api/v1/calls/{id}/explanation", "", 200),
        case("GET", "/api/v1/calls/99/explanation", "/api/v1/calls/{id}/explanation", "", 404),
        case("GET", "/api/v1/calls/99/explanation?oops=1", "/api/v1/calls/{id}/explanation", "", 400),
        case("GET", &format!("/api/v1/calls/{first}/experts"), "/api/v1/calls/{id}/experts", "", 200),
        case("GET", "/api/v1/calls/99/experts", "/api/v1/calls/{id}/experts", "", 404),
        case("GET", "/api/v1/reports/queues?interval=15m", "/api/v1/reports/queues", "", 200),
        case("GET", "/api/v1/reports/queues?zone=nowhere", "/api/v1/reports/queues", "", 400),
        case("GET", "/api/v1/reports/agents", "/api/v1/reports/agents", "", 200),
        case("GET", "/api/v1/reports/agents?threshold_s=4000", "/api/v1/reports/agents", "", 400),
        case("GET", "/api/v1/staffing?calls=100&aht_s=180", "/api/v1/staffing", "", 200),
        case("GET", "/api/v1/staffing?calls=0&aht_s=180", "/api/v1/staffing", "", 400),
        case("GET", "/api/v1/tenants", "/api/v1/tenants", "", 200),
        // Nothing was read from a file here; what a file does is shown with the whole program.
        case("POST", "/api/v1/configuration/reload", "/api/v1/configuration/reload", "", 409),
        case("GET", "/api/v1/trunks", "/api/v1/trunks", "", 200),
        case("POST", "/api/v1/erasures", "/api/v1/erasures", r#"{"from":"+4917012345"}"#, 200),
        case("POST", "/api/v1/erasures", "/api/v1/erasures", "{}", 400),
        case("DELETE", "/api/v1/interactions/x/personal-data", data, "", 400),
        case("DELETE", "/api/v1/interactions/99/personal-data", data, "", 404),
        case("DELETE", &format!("/api/v1/interactions/{first}/personal-data"), data, "", 409),
        case("GET", "/live", "/live", "", 400),
    ];
    let cases = cases.into_iter().chain(about_people(&shop).await).chain(about_microsoft());
    let mut visited = BTreeSet::new();
    for Case { request, template, status } in cases.chain(of_webhooks(&shop).await) {
        let method = request.method().as_str().to_lowercase();
        let asked = format!("{method} {}", request.uri());
        visited.insert((template.to_owned(), method.clone()));
        let (found, body) = shop.send(request).await;
        assert_eq!(found.as_u16(), status, "{asked}: {body}");
        let response = &document["paths"][template][&method]["responses"][status.to_string()];
        assert!(response.is_object(), "{asked}: the document does not know {status}");
        let Some(content) = response["content"].as_object() else {
            assert_eq!(body, "", "{asked}: the document knows no body");
            continue;
        };
        let schema = &content.values().next().unwrap()["schema"];
        check(&document, schema, &body, &asked);
    }
    let paths = document["paths"].as_object().unwrap();
    let documented: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(|method| (path.clone(), method.clone()))
        })
        .collect();
    assert_eq!(visited, documented, "every documented route is tried");
}

/// Requests about Microsoft, which is not configured here; tests/microsoft has it.
fn about_microsoft() -> Vec<Case> {
    let (onboarding, account) =
        ("/api/v1/tenants/{id}/onboarding", "/api/v1/microsoft/{id}/presence-account");
    let accounts = "/api/v1/microsoft/{id}/presence-account/{account}";
    let skills = "/api/v1/directory/{id}/skills";
    vec![
        case("GET", "/auth/entra/start", "/auth/entra/start", "", 404),
        case("GET", "/auth/entra/callback", "/auth/entra/callback", "", 404),
        case("POST", "/auth/teams", "/auth/teams", r#"{"token":"x"}"#, 404),
        case("GET", "/auth/consent/start?ticket=x", "/auth/consent/start", "", 404),
        case("GET", "/auth/consent/callback", "/auth/consent/callback", "", 404),
        case("POST", "/notifications/graph", "/notifications/graph", "{}", 404),
        case("POST", "/notifications/graph/lifecycle", "/notifications/graph/lifecycle", "{}", 404),
        case("POST", "/api/v1/tenants/default/onboarding", onboarding, "", 404),
        case("GET", "/api/v1/microsoft", "/api/v1/microsoft", "", 404),
        case("DELETE", "/api/v1/microsoft/x", "/api/v1/microsoft/{id}", "", 404),
        case("POST", "/api/v1/microsoft/x/presence-account", account, "", 404),
        case("DELETE", "/api/v1/microsoft/x/presence-account/y", accounts, "", 404),
        case("GET", "/api/v1/directory", "/api/v1/directory", "", 404),
        case("PUT", "/api/v1/directory/x/skills", skills, r#"{"skills":[]}"#, 404),
        case("GET", "/api/v1/directory/x/photo", "/api/v1/directory/{id}/photo", "", 404),
    ]
}

/// Requests about signing in, people, keys and the audit trail.
async fn about_people(shop: &Shop) -> Vec<Case> {
    let code = shop.identity.open_setup(tandem::identity::now());
    let set_up = format!(
        r#"{{"code":"{}","user_name":"olga","name":"Olga","password":"purple teapot on the roof"}}"#,
        code.expose()
    );
    let olga = shop.post("/auth/setup", &set_up).await.1;
    let (olga_id, token) =
        (olga["person"].as_str().unwrap().to_owned(), olga["access_token"].as_str().unwrap());
    let (_, anna) =
        shop.post("/api/v1/people", r#"{"name":"Anna","user_name":"anna","roles":["agent"]}"#).await;
    let wish = r#"{"name":"Otto","user_name":"otto","roles":["operator"]}"#;
    let (_, otto) = shop.post("/api/v1/installation/people", wish).await;
    let (anna, otto) = (anna["id"].as_str().unwrap(), otto["id"].as_str().unwrap());
    let (_, invitation) = shop.post(&format!("/api/v1/people/{anna}/invitation"), "").await;
    let accept =
        format!(r#"{{"code":"{}","password":"four words in a row"}}"#, invitation["code"].as_str().unwrap());
    let key = r#"{"name":"wallboard","scopes":["queues:read"]}"#;
    let (_, of_tenant) = shop.post("/api/v1/keys", key).await;
    let (_, of_installation) = shop.post("/api/v1/installation/keys", key).await;
    let key_of = |made: &Value, place: &str| format!("{place}/{}", made["key"]["id"].as_str().unwrap());
    let (keys, more_keys) =
        (key_of(&of_tenant, "/api/v1/keys"), key_of(&of_installation, "/api/v1/installation/keys"));
    let person = format!("/api/v1/people/{anna}");
    let operator = format!("/api/v1/installation/people/{otto}");
    let wrong = r#"{"user_name":"olga","password":"wrong"}"#;
    let right = r#"{"user_name":"olga","password":"purple teapot on the roof"}"#;
    let changed = r#"{"current":"purple teapot on the roof","password":"green teapot in the cellar"}"#;
    let (people, of_people) = ("/api/v1/people", "/api/v1/people/{id}");
    let (operators, of_operators) = ("/api/v1/installation/people", "/api/v1/installation/people/{id}");
    let by_olga = |mut case: Case| {
        let bearer = format!("Bearer {token}").parse().unwrap();
        case.request.headers_mut().insert("Authorization", bearer);
        case
    };
    let passkeys = "/api/v1/me/passkeys";
    let none = "/api/v1/me/logins/6f1d0f4e-4b0a-4e5c-9d43-0a4f6f2f7a10";
    vec![
        case("GET", "/auth/methods", "/auth/methods", "", 200),
        case("POST", "/auth/setup", "/auth/setup", &set_up.replace("olga", "oskar"), 403),
        case("POST", "/auth/password", "/auth/password", wrong, 401),
        case("POST", "/auth/password", "/auth/password", right, 200),
        case("POST", "/auth/refresh", "/auth/refresh", "", 401),
        case(
            "POST",
            "/auth/setup/passkey",
            "/auth/setup/passkey",
            r#"{"code":"x","user_name":"o","name":"O"}"#,
            403,
        ),
        case("POST", "/auth/invitation/passkey", "/auth/invitation/passkey", r#"{"code":"x"}"#, 401),
        case("POST", "/auth/invitation", "/auth/invitation", r#"{"code":"x","password":"y"}"#, 401),
        case("POST", "/auth/invitation", "/auth/invitation", &accept, 200),
        case("POST", "/auth/demo", "/auth/demo", r#"{"user_name":"olga"}"#, 401),
        case("POST", "/auth/sign-out", "/auth/sign-out", "", 404),
        case("GET", "/api/v1/me", "/api/v1/me", "", 200),
        by_olga(case("GET", "/api/v1/me", "/api/v1/me", "", 200)),
        case("GET", "/api/v1/me/credentials", "/api/v1/me/credentials", "", 403),
        by_olga(case("GET", "/api/v1/me/credentials", "/api/v1/me/credentials", "", 200)),
        by_olga(case("GET", "/api/v1/me/logins", "/api/v1/me/logins", "", 200)),
        by_olga(case("DELETE", none, "/api/v1/me/logins/{id}", "", 404)),
        by_olga(case("DELETE", "/api/v1/me/logins", "/api/v1/me/logins", "", 200)),
        by_olga(case("PUT", "/api/v1/me/password", "/api/v1/me/password", r#"{"password":"short"}"#, 401)),
        by_olga(case("PUT", "/api/v1/me/password", "/api/v1/me/password", changed, 204)),
        case("POST", "/auth/passkey/begin", "/auth/passkey/begin", "", 200),
        case("POST", "/auth/passkey/finish", "/auth/passkey/finish", "{}", 401),
        by_olga(case("POST", "/api/v1/me/passkeys/begin", "/api/v1/me/passkeys/begin", "", 200)),
        by_olga(case("POST", passkeys, passkeys, r#"{"label":"x","response":{}}"#, 401)),
        by_olga(case("DELETE", "/api/v1/me/passkeys/x", "/api/v1/me/passkeys/{id}", "", 404)),
        by_olga(case("POST", "/auth/sign-out", "/auth/sign-out", "", 204)),
        case("GET", people, people, "", 200),
        case("GET", "/api/v1/people?limit=0", people, "", 400),
        case("POST", people, people, r#"{"name":"Bert","user_name":"bert","roles":["expert"]}"#, 201),
        case("POST", people, people, r#"{"name":"Bert","user_name":"bert"}"#, 409),
        case("POST", people, people, r#"{"name":"Bert","roles":["operator"]}"#, 400),
        case("GET", &person, of_people, "", 200),
        case("GET", &format!("/api/v1/people/{olga_id}"), of_people, "", 404),
        case("PATCH", &person, of_people, r#"{"roles":["agent","supervisor"],"agent":"anna"}"#, 200),
        case("PATCH", &person, of_people, r#"{"agent":"nobody"}"#, 400),
        case("GET", &format!("{person}/logins"), "/api/v1/people/{id}/logins", "", 200),
        case("DELETE", &format!("{person}/logins"), "/api/v1/people/{id}/logins", "", 200),
        case("POST", &format!("{person}/invitation"), "/api/v1/people/{id}/invitation", "", 201),
        case("DELETE", &person, of_people, "", 200),
        case("DELETE", &person, of_people, "", 404),
        case("GET", operators, operators, "", 200),
        case("POST", operators, operators, r#"{"name":"Ole","user_name":"ole","roles":["operator"]}"#, 201),
        case("GET", &operator, of_operators, "", 200),
        case("PATCH", &operator, of_operators, r#"{"tenants":{"default":["supervisor"]}}"#, 200),
        case("DELETE", &format!("{operator}/logins"), "/api/v1/installation/people/{id}/logins", "", 200),
        case(
            "POST",
            &format!("{operator}/invitation"),
            "/api/v1/installation/people/{id}/invitation",
            "",
            201,
        ),
        case("DELETE", &operator, of_operators, "", 200),
        case("GET", "/api/v1/keys", "/api/v1/keys", "", 200),
        case("POST", "/api/v1/keys", "/api/v1/keys", key, 201),
        case("POST", "/api/v1/keys", "/api/v1/keys", r#"{"name":"x","scopes":["x"]}"#, 400),
        case("DELETE", &keys, "/api/v1/keys/{id}", "", 200),
        case("DELETE", &keys, "/api/v1/keys/{id}", "", 404),
        case("GET", "/api/v1/installation/keys", "/api/v1/installation/keys", "", 200),
        case("POST", "/api/v1/installation/keys", "/api/v1/installation/keys", key, 201),
        case("DELETE", &more_keys, "/api/v1/installation/keys/{id}", "", 200),
        case("GET", "/api/v1/audit", "/api/v1/audit", "", 200),
        case("GET", "/api/v1/audit?outcome=refused&limit=1", "/api/v1/audit", "", 200),
        case("GET", "/api/v1/installation/audit", "/api/v1/installation/audit", "", 200),
    ]
}

/// The same for webhooks.
async fn of_webhooks(shop: &Shop) -> Vec<Case> {
    let all = "/api/v1/webhooks";
    // Nobody is there: what is sent is answered with the fault.
    let wanted = r#"{"url":"http://127.0.0.1:1/hook","types":["call.arrived"],"paused":true}"#;
    let (_, created) = shop.post(all, wanted).await;
    let id = created["webhook"]["id"].as_str().unwrap();
    let (_, events) = shop.get("/api/v1/events?types=call.arrived").await;
    let number = &events["events"][0]["number"];
    let (one, nobody) = (format!("{all}/{id}"), format!("{all}/nobody"));
    let of = |what: &str| format!("{all}/{id}/{what}");
    let (resend, again) = (of("resend"), format!(r#"{{"number":{number}}}"#));
    let (view, secret) = ("/api/v1/webhooks/{id}", "/api/v1/webhooks/{id}/secret");
    let (log, replay) = ("/api/v1/webhooks/{id}/deliveries", "/api/v1/webhooks/{id}/replay");
    let (resent, test) = ("/api/v1/webhooks/{id}/resend", "/api/v1/webhooks/{id}/test");
    vec![
        case("GET", all, all, "", 200),
        case("POST", all, all, wanted, 201),
        case("POST", all, all, r#"{"url":"http://10.0.0.1/"}"#, 400),
        case("POST", all, all, r#"{"url":"https://a.test","more":1}"#, 400),
        case("GET", &one, view, "", 200),
        case("GET", &nobody, view, "", 404),
        case("PUT", &one, view, wanted, 200),
        case("PUT", &one, view, "{}", 400),
        case("PUT", &nobody, view, wanted, 404),
        case("POST", &of("secret"), secret, "", 200),
        case("POST", &of("secret"), secret, r#"{"overlap_s":9999999}"#, 400),
        case("POST", &format!("{nobody}/secret"), secret, "", 404),
        case("POST", &of("test"), test, "", 200),
        case("POST", &format!("{nobody}/test"), test, "", 404),
        case("POST", &resend, resent, &again, 200),
        case("POST", &resend, resent, r#"{"number":0}"#, 404),
        case("POST", &resend, resent, "{}", 400),
        case("POST", &of("replay"), replay, r#"{"after":1}"#, 200),
        case("POST", &of("replay"), replay, "{}", 400),
        case("GET", &of("deliveries"), log, "", 200),
        case("GET", &of("deliveries?limit=0"), log, "", 400),
        case("GET", &format!("{nobody}/deliveries"), log, "", 404),
        case("GET", "/api/v1/events", "/api/v1/events", "", 200),
        case("GET", "/api/v1/events?types=x", "/api/v1/events", "", 400),
        case("DELETE", &one, view, "", 204),
        case("DELETE", &one, view, "", 404),
    ]
}

/// Checks a value against a schema, as far as the document uses them: no member may be missing, of another type, or
/// unknown.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        let schema = &document["components"]["schemas"][name];
        assert!(schema.is_object(), "{place}: {reference} is not in the document");
        return check(document, schema, value, place);
    }
    if let Some(all) = schema["allOf"].as_array() {
        return all.iter().for_each(|schema| check(document, schema, value, place));
    }
    if let Some(any) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        if let Some(values) = any.iter().map(|one| one["enum"].as_array()).collect::<Option<Vec<_>>>() {
            assert!(values.into_iter().flatten().any(|one| one == value), "{place}: {value} is no such word");
            return;
        }
        let some = any.iter().find(|one| one["type"] != "null");
        if !value.is_null() {
            check(document, some.unwrap(), value, place);
        }
        return;
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{place}: {value} is no such word");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&found), "{place}: {value} is {found}, not {types:?}");
    if let Value::Array(items) = value {
        items.iter().for_each(|item| check(document, &schema["items"], item, place));
    }
    if let (Value::Object(members), Some(properties)) = (value, schema["properties"].as_object()) {
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(members.contains_key(required.as_str().unwrap()), "{place}: {required} is missing");
        }
        for (name, member) in members {
            let known =
                properties.get(name).unwrap_or_else(|| panic!("{place}: {name} is not in the document"));
            check(document, known, member, &format!("{place} {name}"));
        }
    }
}
