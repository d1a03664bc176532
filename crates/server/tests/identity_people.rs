//! People, their roles, keys and logins: what is changed counts from the next request on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use axum::http::StatusCode;
use common::{ROOT, Street};
use serde_json::Value;
use tandem::identity::{self, EntraUser, IdentityFault};
use tandem_people::login::SignIn;
use tandem_people::role::{EffectiveRole, Origin, Role};
use tandem_store::register::EntraTenantRow;

const TID: &str = "11111111-2222-4333-8444-555555555555";
const OID: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

/// Adds a person to north; answers with the id.
async fn add(street: &Street, by: &str, body: &str) -> String {
    let (status, person) = street.ask(by, "POST", "/api/v1/people", body).await;
    assert_eq!(status, StatusCode::CREATED, "{person}");
    person["id"].as_str().unwrap().to_owned()
}

fn signed_in(street: &Street, user_name: &str) -> String {
    street.token(user_name)
}

fn user<'a>(tenant: &'a tandem_store::Tenant, roles: &[Role]) -> EntraUser<'a> {
    let told = roles.iter().map(|role| EffectiveRole { role: *role, origin: Origin::EntraAppRole });
    EntraUser {
        tenant: Some(tenant),
        tid: TID.parse().unwrap(),
        oid: OID.parse().unwrap(),
        principal_name: Some("nina@north.example"),
        name: "Nina",
        told: told.collect(),
    }
}

#[tokio::test]
async fn a_role_that_is_given_or_taken_counts_from_the_next_request_on() {
    let street = Street::open().await;
    let ada = street.token("ada");
    let id = add(&street, &ada, r#"{"name":"Nils","user_name":"nils","roles":["agent"]}"#).await;
    let nils = signed_in(&street, "nils");
    assert_eq!(street.ask(&nils, "GET", "/api/v1/reports/queues", "").await.0, StatusCode::FORBIDDEN);
    let person = format!("/api/v1/people/{id}");
    let (status, after) = street.ask(&ada, "PATCH", &person, r#"{"roles":["supervisor"]}"#).await;
    assert_eq!((status, &after["roles"][0]["origin"]), (StatusCode::OK, &"assigned".into()), "{after}");
    assert_eq!(street.ask(&nils, "GET", "/api/v1/reports/queues", "").await.0, StatusCode::OK);
    street.ask(&ada, "PATCH", &person, r#"{"enabled":false}"#).await;
    assert_eq!(street.ask(&nils, "GET", "/api/v1/me", "").await.0, StatusCode::UNAUTHORIZED);

    let (_, trail) = street.ask(&ada, "GET", "/api/v1/audit?act=person.", "").await;
    let acts: Vec<&Value> = trail["acts"].as_array().unwrap().iter().collect();
    assert_eq!(acts.len(), 3, "{trail}");
    assert_eq!(
        (&acts[1]["act"], &acts[1]["object"]),
        (&"person.change".into(), &format!("person/{id}").into())
    );
    assert_eq!(acts[1]["detail"]["roles_before"], "agent");
    assert_eq!(acts[1]["detail"]["roles"], "supervisor");
    assert_eq!(acts[1]["id"], street.person("ada").id.as_str());
}

#[tokio::test]
async fn logins_and_keys_that_are_revoked_are_worthless_at_once() {
    let street = Street::open().await;
    let ada = street.token("ada");
    let anna = [street.token("anna"), street.token("anna")];
    let id = street.person("anna").id;
    let (_, logins) = street.ask(&anna[0], "GET", "/api/v1/me/logins", "").await;
    assert_eq!(logins["logins"].as_array().unwrap().len(), 2);
    let (_, ended) = street.ask(&anna[0], "DELETE", "/api/v1/me/logins", "").await;
    assert_eq!(ended["ended"], 1);
    assert_eq!(street.ask(&anna[1], "GET", "/api/v1/me", "").await.0, StatusCode::UNAUTHORIZED);
    let (_, ended) = street.ask(&ada, "DELETE", &format!("/api/v1/people/{id}/logins"), "").await;
    assert_eq!(ended["ended"], 1);
    assert_eq!(street.ask(&anna[0], "GET", "/api/v1/me", "").await.0, StatusCode::UNAUTHORIZED);

    let wish = r#"{"name":"wallboard","scopes":["queues:read","live:read"]}"#;
    let (_, key) = street.ask(&ada, "POST", "/api/v1/keys", wish).await;
    let (secret, id) = (key["secret"].as_str().unwrap(), key["key"]["id"].as_str().unwrap());
    assert_eq!(street.ask(secret, "GET", "/api/v1/queues", "").await.0, StatusCode::OK);
    let (_, list) = street.ask(&ada, "GET", "/api/v1/keys", "").await;
    assert!(!list.to_string().contains(secret), "it is not shown again");
    let street = reopened(street).await;
    assert_eq!(street.ask(secret, "GET", "/api/v1/queues", "").await.0, StatusCode::OK, "over a restart");
    let ada = street.token("ada");
    assert_eq!(street.ask(&ada, "DELETE", &format!("/api/v1/keys/{id}"), "").await.0, StatusCode::OK);
    assert_eq!(street.ask(secret, "GET", "/api/v1/queues", "").await.0, StatusCode::UNAUTHORIZED);
    let street = reopened(street).await;
    assert_eq!(street.ask(secret, "GET", "/api/v1/queues", "").await.0, StatusCode::UNAUTHORIZED);
}

/// The same installation, started again.
async fn reopened(street: Street) -> Street {
    street.settle().await;
    street.north.live().close().unwrap();
    let Street { directory, router, identity, north, south, .. } = street;
    drop((router, identity, north, south));
    Street::open_in(directory).await
}

#[tokio::test]
async fn nobody_makes_a_key_or_a_role_with_more_than_they_have() {
    let street = Street::open().await;
    let (ada, olga) = (street.token("ada"), street.token("olga"));
    let wish = r#"{"name":"x","scopes":["tenants:read"]}"#;
    let (status, answer) = street.ask(&ada, "POST", "/api/v1/keys", wish).await;
    assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &"beyond_own".into()));
    // An operator sees no customer of a tenant, and makes no key that does.
    let wish = r#"{"name":"x","scopes":["calls:read"]}"#;
    let (status, answer) = street.ask_in(&olga, Some("north"), "POST", "/api/v1/keys", wish).await;
    assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &"beyond_own".into()));
    let (status, answer) = street
        .ask(&ada, "POST", "/api/v1/people", r#"{"name":"X","user_name":"x","roles":["operator"]}"#)
        .await;
    assert!(status.is_client_error(), "{answer}");
    let (status, _) = street.ask_in(&olga, Some("north"), "GET", "/api/v1/calls", "").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_last_administrator_stays_and_who_stands_in_the_configuration_is_changed_there() {
    let street = Street::open().await;
    let ada = street.token("ada");
    let id = street.person("anna").id;
    for (method, body) in [("PATCH", r#"{"roles":["supervisor"]}"#), ("DELETE", "")] {
        let (status, answer) = street.ask(&ada, method, &format!("/api/v1/people/{id}"), body).await;
        assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &"of_configuration".into()));
    }
    // In an installation whose configuration names nobody.
    let shop = common::Shop::open().await;
    let wish = r#"{"name":"Alma","user_name":"alma","roles":["administrator"]}"#;
    let (_, alma) = shop.post("/api/v1/people", wish).await;
    let path = format!("/api/v1/people/{}", alma["id"].as_str().unwrap());
    for (method, body) in [("PATCH", r#"{"enabled":false}"#), ("PATCH", r#"{"roles":[]}"#), ("DELETE", "")] {
        let request = common::request(method, &path, axum::body::Body::from(body));
        let (status, answer) = shop.send(request).await;
        assert_eq!(
            (status, &answer["code"]),
            (StatusCode::CONFLICT, &"last_administrator".into()),
            "{method}"
        );
    }
    let (status, _) =
        shop.post("/api/v1/people", &wish.replace("alma", "amir").replace("Alma", "Amir")).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(shop.delete(&path, "").await.0, StatusCode::OK, "now there is another");
}

#[tokio::test]
async fn somebody_from_entra_is_let_in_by_a_role_and_by_nothing_else() {
    let street = Street::open().await;
    let north = "north".parse().unwrap();
    let fault = street.identity.provision(&user(&north, &[]), identity::now()).unwrap_err();
    assert!(matches!(fault, IdentityFault::NoRole { .. }), "{fault}");
    // What customers give in Entra makes nobody an operator.
    let fault = street.identity.provision(&user(&north, &[Role::Operator]), identity::now()).unwrap_err();
    assert!(matches!(fault, IdentityFault::NoRole { .. }), "{fault}");
    let nina = street.identity.provision(&user(&north, &[Role::Supervisor]), identity::now()).unwrap();
    let tokens = street.identity.sign_in(&nina, SignIn::Entra, "Firefox", identity::now()).unwrap();
    let token = tokens.access.expose();
    assert_eq!(street.ask(token, "GET", "/api/v1/reports/queues", "").await.0, StatusCode::OK);
    let (_, me) = street.ask(token, "GET", "/api/v1/me", "").await;
    assert_eq!((&me["name"], &me["roles"][0]["origin"]), (&"Nina".into(), &"entra_app_role".into()));

    // At the next sign-in the role is gone, and with it what it allowed, wherever she is signed in.
    let fault = street.identity.provision(&user(&north, &[]), identity::now()).unwrap_err();
    assert!(matches!(fault, IdentityFault::NoRole { .. }), "{fault}");
    assert_eq!(street.ask(token, "GET", "/api/v1/reports/queues", "").await.0, StatusCode::FORBIDDEN);
    let south = "south".parse().unwrap();
    let fault = street.identity.provision(&user(&south, &[Role::Agent]), identity::now()).unwrap_err();
    assert!(matches!(fault, IdentityFault::OfAnotherTenant), "{fault}");
}

#[tokio::test]
async fn a_user_of_an_entra_tenant_that_is_not_connected_here_is_nobodys_to_claim() {
    let street = Street::open().await;
    let ada = street.token("ada");
    let wish = format!(r#"{{"name":"Nina","entra":{{"tenant":"{TID}","user":"{OID}"}},"roles":["agent"]}}"#);
    let connect = |tenant: &str| {
        let row = EntraTenantRow { tid: TID.into(), name: "x".into(), state: "{}".into(), changed_ms: 0 };
        street.identity.register().entra_tenant_put(&tenant.parse().unwrap(), &row).unwrap();
    };
    assert_eq!(street.ask(&ada, "POST", "/api/v1/people", &wish).await.1["code"], "not_onboarded");
    connect("south");
    assert_eq!(street.ask(&ada, "POST", "/api/v1/people", &wish).await.1["code"], "not_onboarded");
    let zita = street.token("zita");
    assert_eq!(street.ask(&zita, "POST", "/api/v1/people", &wish).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn an_operator_is_a_guest_where_a_role_was_given() {
    let street = Street::open().await;
    let wish =
        r#"{"name":"Otto","user_name":"otto","roles":["operator"],"tenants":{"north":["supervisor"]}}"#;
    let (status, otto) = street.ask(ROOT, "POST", "/api/v1/installation/people", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{otto}");
    let token = signed_in(&street, "otto");
    assert_eq!(street.ask_in(&token, Some("north"), "GET", "/api/v1/calls", "").await.0, StatusCode::OK);
    let (status, answer) = street.ask_in(&token, Some("south"), "GET", "/api/v1/calls", "").await;
    assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &"not_permitted".into()));
    let refused = street.refused("south").await;
    assert_eq!(refused, [("call.list".into(), "calls".into(), "not_permitted".into())]);
}

#[tokio::test]
async fn a_command_that_is_sent_twice_makes_one_person() {
    let street = Street::open().await;
    let ada = street.token("ada");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let body = r#"{"name":"Nils","user_name":"nils","roles":["agent"]}"#;
        let mut request = common::request("POST", "/api/v1/people", axum::body::Body::from(body));
        request.headers_mut().insert("Authorization", format!("Bearer {ada}").parse().unwrap());
        request.headers_mut().insert("Idempotency-Key", "once".parse().unwrap());
        let response = tower::ServiceExt::oneshot(street.router.clone(), request).await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        ids.push(serde_json::from_slice::<Value>(&bytes).unwrap()["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn the_trail_says_who_people_are_and_is_read_by_time() {
    let street = Street::open().await;
    let ada = street.token("ada");
    let wish = r#"{"name":"Nia Voss","user_name":"nia","roles":["agent"]}"#;
    let (status, nia) = street.ask(&ada, "POST", "/api/v1/people", wish).await;
    assert_eq!(status, 201, "{nia}");
    let trail = async |query: &str| {
        street.ask(&ada, "GET", &format!("/api/v1/audit?act=person.&{query}"), "").await.1
    };
    let acts = trail("").await;
    let made = &acts["acts"][0];
    assert_eq!(made["name"], street.person("ada").name.as_ref(), "{acts}");
    assert_eq!(made["object_name"], "Nia Voss");

    let at = made["at"].as_u64().unwrap();
    assert_eq!(trail(&format!("from={at}")).await["acts"][0]["number"], made["number"]);
    assert_eq!(trail(&format!("to={}", at + 1)).await["acts"][0]["number"], made["number"]);
    assert_eq!(trail(&format!("to={at}")).await["acts"].as_array().unwrap().len(), 0);
    assert_eq!(trail(&format!("from={}", at + 1_000)).await["acts"].as_array().unwrap().len(), 0);

    let path = format!("/api/v1/people/{}", nia["id"].as_str().unwrap());
    street.ask(&ada, "DELETE", &path, "").await;
    let acts = trail("").await;
    assert!(acts["acts"][1]["object_name"].is_null(), "who was removed has no name any more: {acts}");

    let switch = "/api/v1/queues/support/switch";
    let (status, answer) = street.ask(&ada, "PUT", switch, r#"{"closed":true}"#).await;
    assert_eq!(status, 200, "{answer}");
    street.ask(&ada, "GET", "/api/v1/agents/zoe", "").await;
    let (_, acts) = street.ask(&ada, "GET", "/api/v1/audit?limit=2", "").await;
    let (tried, switched) = (&acts["acts"][0], &acts["acts"][1]);
    assert_eq!((&switched["act"], &switched["object_name"]), (&"queue.switch".into(), &"Support".into()));
    assert_eq!((&tried["object"], &tried["object_name"]), (&"agents/zoe".into(), &Value::Null), "not theirs");
}
