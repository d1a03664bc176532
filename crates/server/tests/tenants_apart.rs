//! Two customers side by side: what one does, or does too much of, the other does not notice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::VecDeque;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use axum::http::StatusCode;
use common::{ROOT, START_US, Street};
use serde_json::Value;
use tandem::centers::{self, Centers, Said};
use tandem::config::Settings;
use tandem::desk::{Desk, Desks, Terms};
use tandem::{erase, restore};
use tandem_center::call::{
    Address, Arrival, CallCommand, CallEvent, CallId, PartyId, PlayOutcome, RecordEnd, RecordingId, Rejection,
};
use tandem_center::{Center, Timestamp};
use tandem_metrics::interval::{Calendar, Length};
use tandem_metrics::report::{Report, Settings as Wanted};
use tandem_metrics::service_level::Thresholds;
use tandem_people::role::Role;
use tandem_store::Tenant;
use tempfile::TempDir;

/// What a trail says of acts that begin so, as act, object and detail, the latest first.
async fn trail(street: &Street, tenant: &str, act: &str) -> Vec<(String, String, Value)> {
    let path = format!("/api/v1/audit?act={act}&limit=200");
    let (status, page) = street.ask_in(ROOT, Some(tenant), "GET", &path, "").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let text = |act: &Value, name: &str| act[name].as_str().unwrap_or_default().to_owned();
    let acts = page["acts"].as_array().unwrap().iter();
    acts.map(|act| (text(act, "act"), text(act, "object"), act["detail"].clone())).collect()
}

#[tokio::test]
async fn each_keeps_what_it_knows_of_callers_for_as_long_as_it_says() {
    let street = Street::open().await;
    street.call_north(1).await;
    street.hang_up_north(1).await;
    street.call_south(1).await;
    street.hang_up_south(1).await;
    let from = async |tenant: &str| {
        let (_, page) = street.ask_in(ROOT, Some(tenant), "GET", "/api/v1/calls?state=closed", "").await;
        page["calls"][0]["from"].clone()
    };
    assert_eq!((from("north").await, from("south").await), ("+4917012345".into(), "+4917012345".into()));
    let keep = |desk: &Desk, keep_days| desk.set_terms(Terms { keep_days, ..desk.terms() });
    let (north, south) = (&street.north, &street.south);
    keep(north, 30);
    keep(south, 90);
    let desks = Desks::new([north.clone(), south.clone()]);
    let days = |days: u64| Duration::from_micros(START_US) + Duration::from_secs(days * 86_400);
    erase::retain_now(&desks, days(29)).await;
    assert_eq!((from("north").await, from("south").await), ("+4917012345".into(), "+4917012345".into()));
    erase::retain_now(&desks, days(31)).await;
    assert_eq!((from("north").await, from("south").await), (Value::Null, "+4917012345".into()));
    keep(south, 0);
    let for_ever = Desks::new([south.clone()]);
    erase::retain_now(&for_ever, days(40_000)).await;
    assert_eq!(from("south").await, "+4917012345");
    // What is said while the program runs counts the next time.
    keep(south, 90);
    erase::retain_now(&desks, days(91)).await;
    assert_eq!(from("south").await, Value::Null);
}

#[tokio::test]
async fn an_agent_is_one_person() {
    let street = Street::open().await;
    let (ada, zita) = (street.token("ada"), street.token("zita"));
    let wish = |name: &str, agent: &str| {
        format!(r#"{{"name":"{name}","user_name":"{name}","roles":["agent"],"agent":"{agent}"}}"#)
    };
    // Of the configuration, or added: whoever came first has the agent.
    let (status, answer) = street.ask(&ada, "POST", "/api/v1/people", &wish("nils", "anna")).await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &"agent_taken".into()), "{answer}");
    assert!(answer["remedy"].as_str().unwrap().contains("another agent"), "{answer}");
    let (_, yann) = street.ask(&zita, "POST", "/api/v1/people", &wish("yann", "yan")).await;
    let (status, _) = street.ask(&zita, "POST", "/api/v1/people", &wish("yves", "yan")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let free = r#"{"name":"yves","user_name":"yves","roles":["agent"]}"#;
    let (_, yves) = street.ask(&zita, "POST", "/api/v1/people", free).await;
    let path = |person: &Value| format!("/api/v1/people/{}", person["id"].as_str().unwrap());
    let link = r#"{"agent":"yan"}"#;
    let (status, answer) = street.ask(&zita, "PATCH", &path(&yves), link).await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &"agent_taken".into()), "{answer}");
    // Who is the agent may be changed otherwise, and may give the agent up.
    let (status, _) = street.ask(&zita, "PATCH", &path(&yann), r#"{"name":"Yann","agent":"yan"}"#).await;
    assert_eq!(status, StatusCode::OK);
    street.ask(&zita, "PATCH", &path(&yann), r#"{"agent":null}"#).await;
    let (status, answer) = street.ask(&zita, "PATCH", &path(&yves), link).await;
    assert_eq!((status, &answer["agent"]), (StatusCode::OK, &"yan".into()));
}

#[tokio::test]
async fn a_tenant_sees_in_its_trail_whom_the_installation_gave_roles_there() {
    let street = Street::open().await;
    let olga = street.token("olga");
    let wish =
        r#"{"name":"Otto","user_name":"otto","roles":["operator"],"tenants":{"north":["supervisor"]}}"#;
    let (status, otto) = street.ask(&olga, "POST", "/api/v1/installation/people", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{otto}");
    let path = format!("/api/v1/installation/people/{}", otto["id"].as_str().unwrap());
    let both = r#"{"tenants":{"north":["supervisor"],"south":["administrator"]}}"#;
    assert_eq!(street.ask(&olga, "PATCH", &path, both).await.0, StatusCode::OK);
    assert_eq!(street.ask(&olga, "DELETE", &path, "").await.0, StatusCode::OK);
    let said = async |tenant: &str| {
        let told = trail(&street, tenant, "guest.").await;
        let text = |detail: &Value, name: &str| detail[name].as_str().unwrap().to_owned();
        told.iter().map(|(_, _, of)| (text(of, "roles_before"), text(of, "roles"))).collect::<Vec<_>>()
    };
    let pair = |before: &str, after: &str| (before.to_owned(), after.to_owned());
    assert_eq!(said("north").await, [pair("supervisor", ""), pair("", "supervisor")]);
    assert_eq!(said("south").await, [pair("administrator", ""), pair("", "administrator")]);
}

#[tokio::test]
async fn an_operator_makes_an_administrator_where_there_is_none_and_the_tenant_sees_it() {
    let street = Street::open().await;
    let olga = street.token("olga");
    let wish = r#"{"name":"Nora","user_name":"nora","roles":["administrator"]}"#;
    let (status, nora) = street.ask_in(&olga, Some("north"), "POST", "/api/v1/people", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{nora}");
    let path = format!("/api/v1/people/{}/invitation", nora["id"].as_str().unwrap());
    let (status, _) = street.ask_in(&olga, Some("north"), "POST", &path, "").await;
    assert_eq!(status, StatusCode::CREATED);
    assert!(street.person("nora").holds(Role::Administrator));
    let told = trail(&street, "north", "person.").await;
    let object = format!("person/{}", nora["id"].as_str().unwrap());
    let acts: Vec<_> = told.iter().map(|(act, of, _)| (act.as_str(), of == &object)).collect();
    assert_eq!(acts, [("person.invite", true), ("person.create", true)]);
    assert!(trail(&street, "south", "person.").await.is_empty());
}

#[tokio::test]
async fn a_key_invites_nobody_who_may_more_anywhere_and_the_tenant_sees_who_does() {
    let street = Street::open().await;
    let olga = street.token("olga");
    let wish = r#"{"name":"Otto","user_name":"otto","tenants":{"north":["administrator"]}}"#;
    let (status, otto) = street.ask(&olga, "POST", "/api/v1/installation/people", wish).await;
    assert_eq!(status, StatusCode::CREATED, "{otto}");
    let path = format!("/api/v1/installation/people/{}/invitation", otto["id"].as_str().unwrap());
    let key = r#"{"name":"Provisioning","scopes":["people:write"]}"#;
    let (status, key) = street.ask(&olga, "POST", "/api/v1/installation/keys", key).await;
    assert_eq!(status, StatusCode::CREATED, "{key}");
    let (status, refused) = street.ask(key["secret"].as_str().unwrap(), "POST", &path, "").await;
    assert_eq!((status, &refused["code"]), (StatusCode::FORBIDDEN, &"beyond_own".into()), "{refused}");
    assert!(trail(&street, "north", "guest.invite").await.is_empty());
    assert_eq!(street.ask(&olga, "POST", &path, "").await.0, StatusCode::CREATED);
    assert_eq!(trail(&street, "north", "guest.invite").await.len(), 1);
    assert!(trail(&street, "south", "guest.invite").await.is_empty());
}

#[tokio::test]
async fn wrong_passwords_for_one_name_and_address_keep_nobody_else_out() {
    let street = Street::open().await;
    let sign_in = async |user_name: &str, address: [u8; 4]| {
        let password = tandem_people::secret::Secret::new("a password of nobody's".to_owned());
        let signing = street.identity.sign_in_by_password(
            user_name.to_owned(),
            password,
            address.into(),
            String::new(),
        );
        signing.await.unwrap_err().to_string()
    };
    for _ in 0..6 {
        sign_in("anna", [192, 0, 2, 1]).await;
    }
    assert!(sign_in("anna", [192, 0, 2, 1]).await.contains("too many attempts"));
    assert!(!sign_in("zoe", [192, 0, 2, 1]).await.contains("too many"), "one address has many people");
    assert!(!sign_in("zita", [198, 51, 100, 1]).await.contains("too many"));
}

#[tokio::test]
async fn without_the_code_of_the_first_start_nobody_learns_who_there_is() {
    let street = Street::open().await;
    let known = r#"{"name":"Nils","user_name":"nils","roles":["agent"]}"#;
    assert_eq!(
        street.ask(&street.token("ada"), "POST", "/api/v1/people", known).await.0,
        StatusCode::CREATED
    );
    let try_as = async |user_name: &str| {
        let body = format!(
            r#"{{"code":"AAAAA-AAAAA","user_name":"{user_name}","name":"X","password":"correct horse battery"}}"#
        );
        let (status, answer) = street.ask("", "POST", "/auth/setup", &body).await;
        (status, answer["code"].clone())
    };
    assert_eq!(try_as("nils").await, (StatusCode::FORBIDDEN, "setup_closed".into()));
    assert_eq!(try_as("nils").await, try_as("nobody").await);
    street.identity.open_setup(tandem::identity::now());
    assert_eq!(try_as("nils").await, (StatusCode::FORBIDDEN, "setup_wrong".into()));
    assert_eq!(try_as("nils").await, try_as("nobody").await);
}

/// Two customers on one trunk, each with a queue without agents: north takes one call at once, of at most a minute.
fn two_customers() -> (TempDir, Settings) {
    two_customers_with("limits = { calls = 1, call_s = 60 }", "")
}

fn two_customers_with(limits: &str, queue: &str) -> (TempDir, Settings) {
    let place = tempfile::tempdir().unwrap();
    let customer = |number: &str, limits: &str| {
        format!(
            r#"{limits}
            queues = [{{ id = "support", name = "Support" {queue} }}]
            numbers = [{{ dialled = "{number}", flow = "main" }}]
            [flows.main]
            start = "wait"
            steps.wait = {{ enqueue = "support" }}"#
        )
    };
    std::fs::write(place.path().join("north.toml"), customer("+15550101", limits)).unwrap();
    std::fs::write(place.path().join("south.toml"), customer("+15550202", "")).unwrap();
    let tenants = "[tenants.north]\nname = \"North\"\nfile = \"north.toml\"\n\
                   [tenants.south]\nname = \"South\"\nfile = \"south.toml\"\n";
    let settings = Settings::parse(&format!("{SHARED}{tenants}"), place.path()).unwrap();
    (place, settings)
}

const SHARED: &str = r#"
interfaces = [{ name = "local", transport = "udp", bind = "127.0.0.1:5060" }]
media = [{ name = "local", bind = "127.0.0.1", ports = [20000, 29999] }]
trunks = [{ name = "carrier", profile = "carrier", interface = "local", media = "local", peers = ["127.0.0.1"] }]
"#;

/// The centers of both, with a journal of their own.
fn centers_of(place: &TempDir, settings: &Settings) -> (restore::Library, Centers) {
    let library = restore::open_library(&place.path().join("data"), None).unwrap();
    let all = settings.tenants.iter().map(|of| {
        let (live, recorder) = library.restore(&of.tenant).unwrap();
        (of.tenant.clone(), Center::resume(of.center.clone(), start(), &live.view()), recorder)
    });
    let centers = Centers::new(all.collect::<Vec<_>>(), settings.routes.clone());
    (library, centers)
}

fn start() -> Timestamp {
    Timestamp::from_micros(START_US)
}

fn arrival(call: u64, number: &str) -> CallEvent {
    CallEvent::Arrived(Arrival {
        call: CallId(call),
        line: "carrier".into(),
        from: Address::Phone("+4917012345".into()),
        from_name: "Erika".into(),
        to: Address::Phone(number.into()),
    })
}

#[test]
fn a_customer_who_is_full_takes_no_call_of_another_and_each_ends_calls_after_its_own_time() {
    let (place, settings) = two_customers();
    let (_library, mut centers) = centers_of(&place, &settings);
    /// What becomes of calls from now on: who is told to refuse or to end which.
    fn told(centers: &mut Centers) -> Vec<(String, CallCommand)> {
        let mut told = Vec::new();
        while let Some(said) = centers.poll_output() {
            if let Said::Call(tenant, command @ (CallCommand::Reject { .. } | CallCommand::End { .. })) = said
            {
                told.push((tenant.to_string(), command));
            }
        }
        told
    }
    let arrives = |centers: &mut Centers, call: u64, number: &str| {
        centers.handle_event(start(), arrival(call, number));
        let told = told(centers);
        centers.handle_event(start(), CallEvent::Answered { call: CallId(call) });
        told
    };
    assert_eq!(arrives(&mut centers, 1, "+15550101"), []);
    let overloaded = CallCommand::Reject { call: CallId(2), reason: Rejection::Overloaded };
    assert_eq!(arrives(&mut centers, 2, "+15550101"), [("north".to_owned(), overloaded)]);
    for call in 3..20 {
        assert_eq!(arrives(&mut centers, call, "+15550202"), [], "south has room of its own");
    }
    let nobodys = CallCommand::Reject { call: CallId(30), reason: Rejection::UnknownNumber };
    assert_eq!(arrives(&mut centers, 30, "+15550303")[0].1, nobodys);
    told(&mut centers);
    centers.handle_timeout(start() + Duration::from_secs(61));
    let ended = told(&mut centers);
    assert_eq!(ended, [("north".to_owned(), CallCommand::End { call: CallId(1) })]);
    centers.settle();
}

#[test]
fn messages_that_one_customer_records_leave_room_for_those_of_another() {
    let queue =
        r#", when_no_agents = { voicemail = true }, voicemail = { greeting = ["beep"], silence_s = 3 }"#;
    let (place, settings) = two_customers_with("", queue);
    let (_library, mut centers) = centers_of(&place, &settings);
    let mut recorded: Vec<(String, CallId, PartyId, RecordingId)> = Vec::new();
    let mut calls = 0;
    // A door that answers, plays and records at once; the caller speaks for ever.
    let mut leaves_a_message = |centers: &mut Centers, number: &str| {
        calls += 1;
        let before = recorded.len();
        let mut events = VecDeque::from([arrival(calls, number)]);
        while let Some(event) = events.pop_front() {
            centers.handle_event(start(), event);
            while let Some(said) = centers.poll_output() {
                match said {
                    Said::Call(_, CallCommand::Answer { call }) => {
                        events.push_back(CallEvent::Answered { call });
                    }
                    Said::Call(_, CallCommand::Play { call, party, play, repeat: false, .. }) => {
                        let outcome = PlayOutcome::Completed;
                        events.push_back(CallEvent::Played { call, party, play, outcome });
                    }
                    Said::Call(tenant, CallCommand::Record { call, party, recording, .. }) => {
                        recorded.push((tenant.to_string(), call, party, recording));
                    }
                    _ => {}
                }
            }
        }
        recorded.get(before).cloned()
    };
    let first = leaves_a_message(&mut centers, "+15550101").unwrap();
    for _ in 1..centers::OF_TENANT_MAX {
        assert!(leaves_a_message(&mut centers, "+15550101").is_some());
    }
    assert!(leaves_a_message(&mut centers, "+15550101").is_none(), "north records as much as it may");
    assert_eq!(leaves_a_message(&mut centers, "+15550202").unwrap().0, "south");
    let (_, call, party, recording) = first;
    let (end, length) = (RecordEnd::Silence, Duration::from_secs(5));
    centers.handle_event(start(), CallEvent::Recorded { call, party, recording, end, length });
    assert_eq!(leaves_a_message(&mut centers, "+15550101").unwrap().0, "north", "one has ended");
    centers.settle();
}

#[tokio::test]
async fn a_customer_who_has_left_is_destroyed_and_the_other_is_as_before() {
    let street = Street::open().await;
    let keys = r#"{"name":"wallboard","scopes":["queues:read"]}"#;
    for (who, tenant) in [("ada", "north"), ("zita", "south")] {
        let (status, _) = street.ask(&street.token(who), "POST", "/api/v1/keys", keys).await;
        assert_eq!(status, StatusCode::CREATED);
        let folder = street.directory.path().join("recordings").join(tenant);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("0000000000000001.wav"), b"sound").unwrap();
    }
    street.call_north(1).await;
    street.call_south(1).await;
    let north = street.north.live().view();
    street.north.live().close().unwrap();
    let Street { directory, router, identity, north: one, south: other, .. } = street;
    drop((router, identity, one, other));

    let (place, mut settings) = two_customers();
    settings.data = directory.path().to_owned();
    let south: Tenant = "south".parse().unwrap();
    let told = erase::tenant::remove(&settings, &south).unwrap_err().to_string();
    assert!(told.contains("stands in the configuration"), "{told}");
    settings.tenants.retain(|known| known.tenant != south);
    settings.identity.tenants.remove(&south);
    assert!(erase::tenant::remove(&settings, &south).unwrap());
    assert!(!erase::tenant::remove(&settings, &south).unwrap(), "there is nothing left");
    drop(place);

    let library = restore::open_library(directory.path(), None).unwrap();
    assert_eq!(library.journal.last_number(&south).unwrap().0, 0);
    assert_eq!(*library.restore(&"north".parse().unwrap()).unwrap().0.view(), *north);
    assert!(directory.path().join("recordings/north/0000000000000001.wav").exists());
    assert!(!directory.path().join("recordings/south").exists());
    library.books.close(library.journal).unwrap();
    // Its id can be given to another customer, who finds nothing of it.
    let street = Street::open_in(directory).await;
    let closed = async |tenant: &str| {
        let (_, page) = street.ask_in(ROOT, Some(tenant), "GET", "/api/v1/calls?state=closed", "").await;
        page["calls"].as_array().unwrap().len()
    };
    assert_eq!((closed("north").await, closed("south").await), (1, 0));
    assert_eq!(trail(&street, "south", "").await, []);
    let (_, keys) = street.ask(&street.token("zita"), "GET", "/api/v1/keys", "").await;
    assert_eq!(keys["keys"], serde_json::json!([]));
    let (_, keys) = street.ask(&street.token("ada"), "GET", "/api/v1/keys", "").await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    let (_, acts) = street.ask(ROOT, "GET", "/api/v1/installation/audit?act=tenant.", "").await;
    assert_eq!(acts["acts"][0]["object"], "tenant/south", "{acts}");
}

#[tokio::test]
async fn reports_that_are_asked_for_without_end_keep_no_other_customer_waiting() {
    let street = Street::open().await;
    let (held, opened) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    // A report of north that takes as long as it likes, and many more behind it that nobody waits for any more.
    let settings = || Wanted::new(Calendar::utc(Length::Hour), Thresholds::default());
    let (slowly, at, on) = (settings(), held.clone(), opened.clone());
    let north = street.north.clone();
    let slow = tokio::spawn(async move {
        let read = move |_: &Report, _| {
            at.wait();
            on.wait();
        };
        north.report(slowly, read).await.unwrap();
    });
    tokio::task::spawn_blocking(move || held.wait()).await.unwrap();
    for _ in 0..600 {
        let asked = street.north.report(settings(), |_, _| ());
        assert!(tokio::time::timeout(Duration::ZERO, asked).await.is_err());
    }
    street.south.report(settings(), |_, _| ()).await.unwrap();
    tokio::task::spawn_blocking(move || opened.wait()).await.unwrap();
    slow.await.unwrap();
    street.north.report(settings(), |_, _| ()).await.unwrap();
}
