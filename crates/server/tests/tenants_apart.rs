//! Two customers side by side: what one does, or does too much of, the other does not notice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::time::Duration;

use axum::http::StatusCode;
use common::{ROOT, START_US, Street};
use serde_json::Value;
use tandem::desk::Desks;
use tandem::erase;
use tandem_people::role::Role;

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
    let desks = Desks::new([street.north.clone().keeping(30), street.south.clone().keeping(90)]);
    let days = |days: u64| Duration::from_micros(START_US) + Duration::from_secs(days * 86_400);
    erase::retain_now(&desks, days(29)).await;
    assert_eq!((from("north").await, from("south").await), ("+4917012345".into(), "+4917012345".into()));
    erase::retain_now(&desks, days(31)).await;
    assert_eq!((from("north").await, from("south").await), (Value::Null, "+4917012345".into()));
    let for_ever = Desks::new([street.south.clone().keeping(0)]);
    erase::retain_now(&for_ever, days(40_000)).await;
    assert_eq!(from("south").await, "+4917012345");
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
