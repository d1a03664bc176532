//! Subscriptions: the handshake, what is refused, how they age, and what is told.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};
use tandem_sandbox::directory::{AppId, EntraTenantId, ObjectId};
use tandem_sandbox::graph::Outcome;
use tandem_sandbox::graph::delivery::Ended;
use tandem_sandbox::graph::exchange::Tags;
use tandem_sandbox::graph::forgery::{Forgery, ForgeryFault};
use tandem_sandbox::graph::presence::Status;

use crate::graph_desk::{Desk, code, parts};

const HERE: &str = "https://tandem.contoso.example/graph/notifications";
const LIFE: &str = "https://tandem.contoso.example/graph/lifecycle";

fn asked(desk: &Desk, resource: &str, minutes: i64) -> Value {
    json!({
        "changeType": "updated",
        "notificationUrl": HERE,
        "lifecycleNotificationUrl": LIFE,
        "resource": resource,
        "expirationDateTime": (desk.now + SignedDuration::from_mins(minutes)).to_string(),
        "clientState": "a secret",
    })
}

fn presence_of(desk: &Desk, users: &[&str]) -> String {
    let ids: Vec<String> = users.iter().map(|user| format!("'{}'", desk.id(user))).collect();
    format!("/communications/presences?$filter=id in ({})", ids.join(", "))
}

/// Asks for a subscription; both endpoints answer as they must, or not.
fn subscribe(desk: &mut Desk, body: Value, answered: Result<(), String>) -> (u16, Value) {
    match desk.outcome("POST", "/subscriptions", &[], Some(body)) {
        Outcome::Answer(answer) => parts(answer),
        Outcome::Handshake(handshake) => {
            assert_eq!(handshake.asked.len(), 2, "both URLs are asked");
            let tags = Tags { request: "r".to_owned(), client: "c".to_owned() };
            parts(desk.graph.shaken(desk.now, &tags, *handshake, answered))
        }
        Outcome::HangUp => panic!("nobody said so"),
    }
}

fn watching(users: &[&str]) -> (Desk, String) {
    let mut desk = Desk::alice(&["Presence.Read.All"]);
    let body = asked(&desk, &presence_of(&desk, users), 60);
    let (status, made) = subscribe(&mut desk, body, Ok(()));
    assert_eq!(status, 201, "{made}");
    (desk, made["id"].as_str().unwrap().to_owned())
}

/// All bodies that are due, each acknowledged.
fn posted(desk: &mut Desk) -> Vec<(String, Value)> {
    desk.wait(SignedDuration::from_secs(1));
    desk.graph.handle_timeout(desk.now, &desk.directory);
    desk.wait(SignedDuration::from_secs(1));
    let mut all = Vec::new();
    while let Some(post) = desk.graph.poll_post(desk.now, &mut desk.entra) {
        let took = SignedDuration::from_millis(20);
        desk.graph.posted(desk.now, post.id, Ended { status: Some(202), took });
        all.push((post.url, post.body));
    }
    all
}

fn call(desk: &mut Desk, user: &str) {
    let token = std::mem::take(&mut desk.token);
    desk.token = desk.user_token(user, &["Presence.ReadWrite"]);
    let body = json!({ "availability": "Busy", "activity": "Busy" });
    assert_eq!(desk.post("/me/presence/setUserPreferredPresence", body).0, 200);
    desk.token = token;
}

#[test]
fn who_shakes_hands_gets_a_subscription_and_its_secret_once() {
    let (mut desk, id) = watching(&["bela"]);
    let (status, found) = desk.get(&format!("/subscriptions/{id}"));
    assert_eq!(status, 200);
    assert_eq!(found["applicationId"], TANDEM_APP);
    assert!(found["clientState"].is_null(), "hidden from now on");
    assert_eq!(desk.get("/subscriptions").1["value"].as_array().unwrap().len(), 1);
    assert_eq!(desk.send("DELETE", &format!("/subscriptions/{id}"), &[], None).status, 204);
    assert_eq!(desk.get(&format!("/subscriptions/{id}")).0, 404);
}

#[test]
fn an_endpoint_that_does_not_answer_gets_none() {
    let mut desk = Desk::alice(&["Presence.Read.All"]);
    let body = asked(&desk, &presence_of(&desk, &["bela"]), 60);
    let (status, told) = subscribe(&mut desk, body, Err("Request timed out.".to_owned()));
    assert_eq!((status, code(&told)), (400, "ValidationError"));
    assert!(told["error"]["message"].as_str().unwrap().contains("Request timed out."));
    assert_eq!(desk.get("/subscriptions").1["value"], json!([]));
}

#[test]
fn applications_cannot_watch_presence() {
    let mut desk = Desk::app(&["Presence.Read.All", "Presence.ReadWrite.All"]);
    let body = asked(&desk, &presence_of(&desk, &["bela"]), 60);
    let (status, told) = subscribe(&mut desk, body, Ok(()));
    assert_eq!((status, code(&told)), (403, "Forbidden"));
}

#[test]
fn what_graph_refuses_is_refused() {
    let mut desk = Desk::alice(&["Presence.Read.All", "User.Read.All"]);
    let presence = presence_of(&desk, &["bela"]);
    let good = asked(&desk, &presence, 60);
    let mut change = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        subscribe(&mut desk, body, Ok(())).0
    };
    assert_eq!(change("expirationDateTime", json!("2026-03-02T10:30:00Z")), 400, "longer than an hour");
    assert_eq!(change("expirationDateTime", json!("2026-03-02T08:30:00Z")), 400, "in the past");
    assert_eq!(change("notificationUrl", json!("http://tandem.contoso.example/")), 400, "not HTTPS");
    assert_eq!(change("changeType", json!("created,updated")), 400);
    assert_eq!(change("resource", json!("/me/dishes")), 400);
    assert_eq!(
        change("resource", json!("/communications/presences/0c1d2e3f-1111-4222-8333-944455566677")),
        404
    );
    assert_eq!(change("clientState", json!("x".repeat(129))), 400);
    assert_eq!(change("includeResourceData", json!(true)), 400, "without a certificate");
    assert_eq!(change("colour", json!("red")), 400);
    let ids: Vec<String> = (0..651).map(|n| format!("'{n}'")).collect();
    assert_eq!(
        change("resource", json!(format!("/communications/presences?$filter=id in ({})", ids.join(",")))),
        400
    );
}

#[test]
fn a_second_one_is_a_conflict_and_another_is_over_quota() {
    let (mut desk, _) = watching(&["bela"]);
    let body = asked(&desk, &presence_of(&desk, &["bela"]), 30);
    assert_eq!(subscribe(&mut desk, body, Ok(())).0, 409);
    let body = asked(&desk, &presence_of(&desk, &["chidi"]), 30);
    let (status, told) = subscribe(&mut desk, body, Ok(()));
    assert_eq!(status, 403);
    assert!(told["error"]["message"].as_str().unwrap().contains("quota"));
    desk.token = desk.user_token("dana", &["Presence.Read.All"]);
    let body = asked(&desk, &presence_of(&desk, &["chidi"]), 30);
    assert_eq!(subscribe(&mut desk, body, Ok(())).0, 201, "another account has its own");
}

#[test]
fn a_change_of_presence_is_told_with_the_secret() {
    let (mut desk, id) = watching(&["bela", "chidi"]);
    call(&mut desk, "bela");
    call(&mut desk, "dana");
    let bodies = posted(&mut desk);
    assert_eq!(bodies.len(), 1, "nobody watches Dana");
    let (url, body) = &bodies[0];
    assert_eq!(url, HERE);
    let item = &body["value"][0];
    assert_eq!(item["subscriptionId"], id.as_str());
    assert_eq!(item["clientState"], "a secret");
    assert_eq!(item["tenantId"], CONTOSO);
    assert_eq!(item["resourceData"]["id"], desk.id("bela"));
    assert!(item["resourceData"].get("availability").is_none(), "a basic item says who, not what");
}

#[test]
fn a_subscription_warns_falls_silent_and_ends() {
    let (mut desk, id) = watching(&["bela"]);
    desk.wait(SignedDuration::from_mins(45));
    let told = posted(&mut desk);
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].0.as_str(), &told[0].1["value"][0]["lifecycleEvent"]),
        (LIFE, &json!("reauthorizationRequired"))
    );
    assert_eq!(desk.post(&format!("/subscriptions/{id}/reauthorize"), json!({})).0, 200);
    desk.token = desk.user_token("alice", &["Presence.Read.All"]);
    let later = (desk.now + SignedDuration::from_mins(60)).to_string();
    let renewed = desk.send(
        "PATCH",
        &format!("/subscriptions/{id}"),
        &[],
        Some(json!({ "expirationDateTime": later })),
    );
    assert_eq!(renewed.status, 200);
    desk.wait(SignedDuration::from_mins(59));
    desk.graph.handle_timeout(desk.now, &desk.directory);
    let lifecycle = posted(&mut desk);
    assert_eq!(lifecycle.len(), 1);
    desk.wait(SignedDuration::from_mins(2));
    desk.graph.handle_timeout(desk.now, &desk.directory);
    desk.token = desk.user_token("alice", &["Presence.Read.All"]);
    assert_eq!(desk.get(&format!("/subscriptions/{id}")).0, 404, "it has ended");
}

#[test]
fn consent_that_is_withdrawn_silences() {
    let (mut desk, _) = watching(&["bela"]);
    desk.directory.withdraw_consent(&EntraTenantId::new(CONTOSO), &AppId::new(TANDEM_APP)).unwrap();
    let told = posted(&mut desk);
    assert_eq!(told[0].1["value"][0]["lifecycleEvent"], "reauthorizationRequired");
    desk.directory
        .enable_user(&EntraTenantId::new(CONTOSO), &ObjectId::new(&desk.id("bela")), false)
        .unwrap();
    assert_eq!(posted(&mut desk).len(), 0);
}

#[test]
fn users_are_watched_by_applications() {
    let mut desk = Desk::app(&["User.Read.All"]);
    let mut body = asked(&desk, "/users", 41_760);
    body["changeType"] = json!("updated,deleted");
    assert_eq!(subscribe(&mut desk, body, Ok(())).0, 201);
    let goran = ObjectId::new(&desk.id("goran"));
    desk.directory.remove_user(&EntraTenantId::new(CONTOSO), &goran).unwrap();
    let told = posted(&mut desk);
    let item = &told[0].1["value"][0];
    assert_eq!((&item["changeType"], &item["resourceData"]["id"]), (&json!("deleted"), &json!(goran)));
}

#[test]
fn rich_items_come_encrypted_with_a_token_and_forgeries_on_command() {
    let mut desk = Desk::alice(&["Presence.Read.All"]);
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["tandem".to_owned()]).unwrap().self_signed(&key).unwrap();
    let mut body = asked(&desk, &presence_of(&desk, &["bela"]), 60);
    body["includeResourceData"] = json!(true);
    body["encryptionCertificate"] = json!(STANDARD.encode(certificate.der()));
    body["encryptionCertificateId"] = json!("2026-03");
    let (status, made) = subscribe(&mut desk, body, Ok(()));
    assert_eq!(status, 201);
    assert!(made["encryptionCertificate"].is_null());
    let bela = ObjectId::new(&desk.id("bela"));
    let (now, claimed) = (desk.now, Status::AVAILABLE);
    assert_eq!(
        desk.graph.forge(now, &mut desk.entra, &bela, claimed, Forgery::Replay),
        Err(ForgeryFault::NothingToReplay)
    );
    call(&mut desk, "bela");
    let told = posted(&mut desk);
    let item = &told[0].1["value"][0];
    assert_eq!(item["encryptedContent"]["encryptionCertificateId"], "2026-03");
    let token = told[0].1["validationTokens"][0].as_str().unwrap();
    assert_eq!(token.split('.').count(), 3);
    for forgery in Forgery::ALL {
        desk.graph.forge(desk.now, &mut desk.entra, &bela, claimed, forgery).unwrap();
        let forged = posted(&mut desk);
        assert_eq!(forged.len(), 1, "{forgery:?} is sent once");
        match forgery {
            Forgery::Replay => assert_eq!(forged[0].1, told[0].1),
            Forgery::NoToken => assert!(forged[0].1.get("validationTokens").is_none()),
            _ => assert_ne!(forged[0].1, told[0].1),
        }
    }
    let nobody = ObjectId::new(&desk.id("chidi"));
    let none = desk.graph.forge(desk.now, &mut desk.entra, &nobody, claimed, Forgery::Tenant);
    assert_eq!(none, Err(ForgeryFault::NoSubscription));
}

#[test]
fn a_person_who_changes_quickly_is_told_about_at_least_once() {
    let (mut desk, _) = watching(&["bela"]);
    call(&mut desk, "bela");
    desk.graph.handle_timeout(desk.now, &desk.directory);
    let token = desk.user_token("bela", &["Presence.ReadWrite"]);
    let alice = std::mem::replace(&mut desk.token, token);
    assert_eq!(desk.post("/me/presence/clearUserPreferredPresence", json!({})).0, 200);
    desk.token = alice;
    let told = posted(&mut desk);
    let items: usize = told.iter().map(|(_, body)| body["value"].as_array().unwrap().len()).sum();
    assert_eq!(items, 2);
}
