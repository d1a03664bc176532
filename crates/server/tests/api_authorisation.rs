//! Every route of the API stands in the table of permissions, or is open on purpose; and it does what the table says, for
//! every role, in one's own tenant and in another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use common::Street;
use tandem::api::authorisation::{Over, RULES, Rule};
use tandem::api::listen;
use tandem::config::file::HttpFile;
use tandem_people::permission::{Permission, Reach, grants};
use tandem_people::role::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::Notify;

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
    "POST /auth/passkey/begin",
    "POST /auth/passkey/finish",
    "POST /auth/setup/passkey",
    "POST /auth/invitation/passkey",
    "GET /auth/entra/start",
    "GET /auth/entra/callback",
    "POST /auth/teams",
    "GET /auth/consent/start",
    "GET /auth/consent/callback",
    // What comes there is proved before it is believed.
    "POST /notifications/graph",
    "POST /notifications/graph/lifecycle",
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

/// Somebody who asks, and what their role permits.
struct Asker {
    user_name: &'static str,
    role: Option<Role>,
    /// The agent that they are.
    agent: Option<&'static str>,
}

const fn asker(user_name: &'static str, role: Role, agent: Option<&'static str>) -> Asker {
    Asker { user_name, role: Some(role), agent }
}

/// One of each role of north, who runs the installation, and a program with one scope.
const ASKERS: [Asker; 6] = [
    asker("anna", Role::Agent, Some("anna")),
    asker("eva", Role::Expert, None),
    asker("sam", Role::Supervisor, None),
    asker("ada", Role::Administrator, None),
    asker("olga", Role::Operator, None),
    Asker { user_name: "a key", role: None, agent: None },
];

impl Asker {
    fn reach(&self, permission: Permission) -> Option<Reach> {
        match self.role {
            None => (permission == Permission::QueuesRead).then_some(Reach::All),
            Some(role) => grants(role).iter().find(|(held, _)| *held == permission).map(|(_, reach)| *reach),
        }
    }

    fn is_of_installation(&self) -> bool {
        self.role == Some(Role::Operator)
    }

    /// Whether the table lets them do that; `own` says whether the object is theirs.
    fn may(&self, rule: &Rule, own: bool) -> bool {
        let Some(permission) = rule.permission else { return true };
        let reach = self.reach(permission);
        match rule.over {
            Over::Myself => true,
            Over::Installation => self.is_of_installation() && reach == Some(Reach::All),
            Over::Tenant => reach == Some(Reach::All),
            Over::List => reach.is_some(),
            Over::Agent | Over::Call | Over::Person => {
                reach == Some(Reach::All) || (reach == Some(Reach::Own) && own)
            }
        }
    }
}

/// What stands for the id in a path: each object that is tried, and whether it is the asker's own.
fn objects(rule: &Rule, asker: &Asker, calls: [u64; 2], person: &str, other: &str) -> Vec<(String, bool)> {
    match rule.over {
        Over::Agent => vec![("anna".into(), asker.agent == Some("anna")), ("bert".into(), false)],
        Over::Call => {
            vec![(calls[0].to_string(), asker.agent == Some("anna")), (calls[1].to_string(), false)]
        }
        Over::Person => vec![(person.to_owned(), asker.role.is_some()), (other.to_owned(), false)],
        _ => vec![("1".to_owned(), false)],
    }
}

fn path_of(rule: &Rule, id: &str) -> String {
    let parts = rule.path.split('/').map(|part| match part {
        "{id}" => id,
        part if part.starts_with('{') => "1",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_does_for_every_role_what_the_table_says() {
    let street = Street::open().await;
    let supervisor = street.token("sam");
    let available = r#"{"state":"available"}"#;
    street.ask(&supervisor, "PUT", "/api/v1/agents/anna/state", available).await;
    street.call_north(1).await;
    street.call_north(2).await;
    let (_, calls) = street.ask(&supervisor, "GET", "/api/v1/calls", "").await;
    let ids = calls["calls"].as_array().unwrap().iter().map(|call| call["id"].as_u64().unwrap());
    let ids: BTreeSet<u64> = ids.collect();
    // Anna has the first, the second waits.
    let calls: [u64; 2] = ids.into_iter().collect::<Vec<_>>().try_into().unwrap();
    let bert = street.person("bert").id.to_string();
    let mut tried = 0;
    for asker in &ASKERS {
        let key = r#"{"name":"one scope","scopes":["queues:read"]}"#;
        let (status, key) = street.ask(&street.token("ada"), "POST", "/api/v1/keys", key).await;
        assert_eq!(status, StatusCode::CREATED, "{key}");
        let key = key["secret"].as_str().unwrap();
        for rule in RULES {
            let person = match asker.role {
                Some(_) => street.person(asker.user_name).id.to_string(),
                None => bert.clone(),
            };
            for (id, own) in objects(rule, asker, calls, &person, &bert) {
                // A login of their own for each: some of the routes end it.
                let token = if asker.role.is_some() { street.token(asker.user_name) } else { key.to_owned() };
                // Who belongs to the installation is no person of north.
                let own = own && !(asker.is_of_installation() && rule.over == Over::Person);
                let path = path_of(rule, &id);
                let named = asker.is_of_installation().then_some("north");
                let said = format!("{} {} {path}", asker.user_name, rule.method);
                let (status, answer) = street.ask_in(&token, named, rule.method, &path, "").await;
                assert_ne!(status, StatusCode::UNAUTHORIZED, "{said}: {answer}");
                let forbidden = status == StatusCode::FORBIDDEN && answer["code"] == "not_permitted";
                assert_eq!(!forbidden, asker.may(rule, own), "{said}: {status} {answer}");

                // The same in the other tenant, which is not there for those of this one.
                let token = if asker.role.is_some() { street.token(asker.user_name) } else { key.to_owned() };
                let (status, answer) = street.ask_in(&token, Some("south"), rule.method, &path, "").await;
                let is_there =
                    asker.is_of_installation() || matches!(rule.over, Over::Installation | Over::Myself);
                if !is_there {
                    assert_eq!(status, StatusCode::NOT_FOUND, "{said} in south: {answer}");
                    assert_eq!(answer["code"], "unknown_tenant", "{said} in south");
                }

                let (status, answer) = street.ask_in("", named, rule.method, &path, "").await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "nobody {said}: {answer}");
                tried += 1;
            }
        }
    }
    assert!(tried >= RULES.len() * ASKERS.len());
}

#[tokio::test]
async fn what_belongs_to_another_tenant_is_not_there_and_the_attempt_is_in_the_trail() {
    let street = Street::open().await;
    let (ada, zita) = (street.token("ada"), street.token("zita"));
    let key = r#"{"name":"of south","scopes":["queues:read"]}"#;
    let (_, key) = street.ask(&zita, "POST", "/api/v1/keys", key).await;
    let login = street.tokens("zoe").login;
    let hook = r#"{"url":"https://crm.example.com/hook","types":["interaction.closed"]}"#;
    let (status, hook) = street.ask(&zita, "POST", "/api/v1/webhooks", hook).await;
    assert!(status.is_success(), "{hook}");
    let paths = [
        ("GET", "agents/zoe".to_owned()),
        ("PUT", "agents/zoe/state".to_owned()),
        ("GET", "queues/returns".to_owned()),
        ("GET", format!("people/{}", street.person("zoe").id)),
        ("PATCH", format!("people/{}", street.person("zita").id)),
        ("DELETE", format!("people/{}", street.person("olga").id)),
        ("DELETE", format!("keys/{}", key["key"]["id"].as_str().unwrap())),
        ("DELETE", format!("me/logins/{login}")),
        ("GET", format!("webhooks/{}", hook["webhook"]["id"].as_str().unwrap())),
    ];
    for (method, path) in &paths {
        let body = if path.ends_with("state") { r#"{"state":"break"}"# } else { "{}" };
        let (status, answer) = street.ask(&ada, method, &format!("/api/v1/{path}"), body).await;
        assert_eq!(
            (status, &answer["code"]),
            (StatusCode::NOT_FOUND, &"not_found".into()),
            "{path}: {answer}"
        );
    }
    // What is nowhere is answered alike, and nobody's attempt.
    let (status, answer) = street.ask(&ada, "GET", "/api/v1/queues/nowhere", "").await;
    assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &"not_found".into()));
    street.ask_in(&ada, Some("south"), "GET", "/api/v1/queues", "").await;

    let refused = street.refused("north").await;
    for (_, path) in &paths {
        assert!(
            refused.iter().any(|(_, object, code)| object == path && code == "not_yours"),
            "{path}: {refused:?}"
        );
    }
    assert!(!refused.iter().any(|(_, object, _)| object == "queues/nowhere"), "{refused:?}");
    assert!(
        refused
            .iter()
            .any(|(act, object, code)| act == "queue.list" && object == "queues" && code == "not_yours")
    );
    assert_eq!(street.refused("south").await, [], "the attempt stands with who tried");
    // South is as it was.
    assert_eq!(street.ask(&zita, "GET", "/api/v1/agents/zoe", "").await.1["state"], "offline");
    let secret = key["secret"].as_str().unwrap();
    assert_eq!(street.ask(secret, "GET", "/api/v1/queues", "").await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_is_forbidden_and_what_strangers_try_is_in_the_trail() {
    let street = Street::open().await;
    let anna = street.token("anna");
    let (status, _) = street.ask(&anna, "POST", "/api/v1/keys", "{}").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let refused = street.refused("north").await;
    assert_eq!(refused, [("key.create".into(), "keys".into(), "not_permitted".into())]);

    let jwt = "eyJhbGciOiJub25lIn0.eyJ0aWQiOiJ4In0.";
    for token in [jwt, "tda_wrong", "tdk_AAAAAAAAAAAA_x"] {
        let (status, answer) = street.ask(token, "GET", "/api/v1/queues", "").await;
        assert_eq!((status, &answer["code"]), (StatusCode::UNAUTHORIZED, &"unauthorized".into()), "{token}");
    }
    for _ in 0..100 {
        street.ask("tda_wrong", "GET", "/api/v1/queues", "").await;
    }
    let (_, page) =
        street.ask(common::ROOT, "GET", "/api/v1/installation/audit?outcome=refused&limit=200", "").await;
    let of_strangers = page["acts"].as_array().unwrap().iter().filter(|act| act["who"] == "unknown").count();
    assert_eq!(of_strangers, 60, "beyond that they are counted");
}

/// A program with one thread for the disk, so that one who takes it keeps all others waiting.
fn with_one_disk(story: impl Future<Output = ()>) {
    let runtime = runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    runtime.unwrap().block_on(story);
}

/// The disk does nothing else until the answer is dropped.
fn disk_is_busy() -> mpsc::Sender<()> {
    let (free, wait) = mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || wait.recv());
    free
}

/// Waits until the trail of north tells of somebody that an act with this outcome was done to them.
async fn told_of_north(street: &Street, outcome: &str, act: &str, object: &str) {
    let is_told = async {
        while !street.told("north", outcome).await.iter().any(|(did, to, _)| did == act && to == object) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let within = tokio::time::timeout(PATIENCE, is_told).await;
    assert!(within.is_ok(), "{act} {object} does not stand in the trail");
}

/// Somebody of north whom administrators may change.
async fn newcomer(street: &Street, ada: &str) -> String {
    let body = r#"{"name":"Nora","user_name":"nora","roles":["supervisor"]}"#;
    let (status, made) = street.ask(ada, "POST", "/api/v1/people", body).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn who_hangs_up_in_the_middle_of_an_act_stands_in_the_trail_all_the_same() {
    with_one_disk(async {
        let street = Street::open().await;
        let ada = street.token("ada");
        let nora = newcomer(&street, &ada).await;
        let http = HttpFile { listen: "127.0.0.1:0".parse().unwrap(), ..HttpFile::default() };
        let (listening, _) = listen::open(&http).await.unwrap();
        let address = listening.address();
        let begun = std::sync::Arc::new(Notify::new());
        let tells = begun.clone();
        let router = street.router.clone().layer(middleware::from_fn(move |request: Request, next: Next| {
            let tells = tells.clone();
            async move {
                let mut answer = pin!(next.run(request));
                // The request has no body: as soon as it waits for anything, it waits for the disk.
                poll_fn(|context| {
                    let polled = answer.as_mut().poll(context);
                    tells.notify_one();
                    polled
                })
                .await
            }
        }));
        tokio::spawn(listening.serve(router, std::future::pending()));

        let free = disk_is_busy();
        let mut client = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "DELETE /api/v1/people/{nora} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ada}\r\n\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        begun.notified().await;
        client.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert!(answer.is_empty(), "nobody is answered");
        drop(free);

        told_of_north(&street, "done", "person.remove", &format!("person/{nora}")).await;
        let (status, _) = street.ask(&ada, "GET", &format!("/api/v1/people/{nora}"), "").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "she is removed");
    });
}

#[test]
fn an_act_that_takes_longer_than_its_request_may_stands_in_the_trail_when_it_is_done() {
    with_one_disk(async {
        let street = Street::open().await;
        let ada = street.token("ada");
        let nora = newcomer(&street, &ada).await;
        let free = disk_is_busy();
        let body = r#"{"name":"Nora North"}"#;
        let (status, answer) = street.ask(&ada, "PATCH", &format!("/api/v1/people/{nora}"), body).await;
        assert_eq!((status, &answer["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"too_slow".into()));
        drop(free);
        told_of_north(&street, "done", "person.change", &format!("person/{nora}")).await;
        let (_, shown) = street.ask(&ada, "GET", &format!("/api/v1/people/{nora}"), "").await;
        assert_eq!(shown["name"], "Nora North");
    });
}

#[tokio::test]
async fn an_act_of_which_nobody_knows_whether_it_was_done_stands_so_in_the_trail() {
    let street = Street::open().await;
    let sam = street.token("sam");
    street.north_is_silent();
    let body = r#"{"closed":true,"reason":"fire drill"}"#;
    let (status, answer) = street.ask(&sam, "PUT", "/api/v1/queues/support/switch", body).await;
    assert_eq!((status, &answer["code"]), (StatusCode::SERVICE_UNAVAILABLE, &"engine_silent".into()));
    let unknown = street.told("north", "unknown").await;
    assert_eq!(unknown, [("queue.switch".into(), "queues/support/switch".into(), "engine_silent".into())]);
    assert!(street.told("north", "done").await.iter().all(|(act, _, _)| act != "queue.switch"));
    street.settle().await;
    let (_, queue) = street.ask(&sam, "GET", "/api/v1/queues/support", "").await;
    assert_eq!(queue["queue"]["closed"], true, "it was done: {queue}");
}

/// How long something that must come is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
