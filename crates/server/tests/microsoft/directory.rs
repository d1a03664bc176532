//! The people of the customer's directory are found, with their presence.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tandem_microsoft::http::Method;
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};

use crate::world::World;

async fn found(world: &World, query: &str) -> Value {
    found_until(world, query, |_| true).await
}

/// Waits until something is so of the first who is found.
async fn found_until(world: &World, query: &str, fits: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1_200 {
        let (status, found) = world.shop.get(&format!("/api/v1/directory?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{found}");
        if found["people"].as_array().and_then(|people| people.first()).is_some_and(&fits) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody like that is found by {query}");
}

#[tokio::test]
async fn people_are_found_without_accents_and_with_errors_and_shown_with_presence() {
    let world = World::open().await;
    world.becomes("emre", "in_a_meeting").await;
    // A Graph that is slow is not waited for long: then there is no presence beside the name.
    let found_emre = found_until(&world, "q=emre%20yildis", |emre| emre["activity"] == "InAMeeting").await;
    let emre = &found_emre["people"][0];
    assert_eq!((emre["name"].as_str(), emre["activity"].as_str()), (Some("Emre Yıldız"), Some("InAMeeting")));
    assert_eq!(emre["department"], "Customer Support");
    assert!(emre["presence_age_ms"].as_u64().unwrap() < 10_000);
    found_until(&world, "q=alice", |alice| alice["agent"] == "anna").await;
    let (_, others) = world.shop.get("/api/v1/directory?q=peter%20hale").await;
    assert!(!others.to_string().contains("Peter Hale"), "who may not sign in is not found: {others}");
}

#[tokio::test]
async fn skills_that_are_given_here_are_found() {
    let world = World::open().await;
    let found_bela = found(&world, "q=bela").await;
    let id = found_bela["people"][0]["id"].as_str().unwrap();
    let skills = json!({"skills": [{"name": "Beekeeping", "level": 4}]}).to_string();
    let (status, told) = world.shop.put(&format!("/api/v1/directory/{id}/skills"), &skills).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{told}");
    assert_eq!(found(&world, "skill=beekeeping").await["people"][0]["name"], "Béla Varga");
    let bad = json!({"skills": [{"name": "", "level": 9}]}).to_string();
    let (status, _) = world.shop.put(&format!("/api/v1/directory/{id}/skills"), &bad).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let unknown = "/api/v1/directory/00000000-0000-4000-8000-000000000000/skills";
    assert_eq!(world.shop.put(unknown, &skills).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn skills_of_the_profile_are_found() {
    let world = World::open().await;
    let found_noor = found(&world, "skill=firewalls").await;
    assert_eq!(found_noor["people"][0]["name"], "Noor Aziz");
    let skills = found_noor["people"][0]["skills"].as_array().unwrap();
    let names: Vec<_> = skills.iter().filter_map(|skill| skill["name"].as_str()).collect();
    assert_eq!(names, ["Firewalls", "VPN", "Networks"]);
    assert!(skills.iter().all(|skill| skill["source"] == "profile"), "{skills:?}");
}

#[tokio::test]
async fn photos_are_handed_on() {
    let world = World::open().await;
    let found_sofia = found(&world, "q=sofia").await;
    let id = found_sofia["people"][0]["id"].as_str().unwrap();
    let request =
        crate::common::request("GET", &format!("/api/v1/directory/{id}/photo"), axum::body::Body::empty());
    let response = tower::ServiceExt::oneshot(world.shop.router.clone(), request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("image/"));
}

#[tokio::test]
async fn a_directory_that_may_not_be_read_goes_on_when_it_may_again() {
    let keys = format!("entra = [\"{CONTOSO}\"]");
    let world = World::open_tuned(&keys, |settings| settings.directory_every = Duration::from_secs(10)).await;
    found(&world, "q=emre%20yildiz").await;
    let app = format!("/sandbox/tenants/{CONTOSO}/apps/{TANDEM_APP}");
    world.play(Method::Delete, &format!("{app}/permissions/User.Read.All"), &json!({})).await;
    // The token of before is good for an hour; Graph wants another, and that one does not permit it.
    let expired = json!({"troubles": [{"path": "users/delta", "times": 1, "what": "expired"}]});
    world.play(Method::Put, "/sandbox/graph/switches", &expired).await;
    let forbidden = |shown: &Value| {
        let faults = shown["connections"][0]["faults"].as_array();
        let of_users =
            |fault: &Value| fault["message"].as_str().is_some_and(|message| message.contains("users"));
        faults.is_some_and(|all| all.iter().any(|one| one["code"] == "graph_forbidden" && of_users(one)))
    };
    world.microsoft_until(forbidden).await;

    world.play(Method::Patch, "/sandbox/people/emre", &json!({"name": "Emre Aksoy"})).await;
    world.play(Method::Put, &app, &json!({})).await;
    found(&world, "q=aksoy").await;
    world.microsoft_until(|shown| !forbidden(shown)).await;
}

#[tokio::test]
async fn somebody_who_is_disabled_and_enabled_again_is_found_as_before() {
    let keys = format!("entra = [\"{CONTOSO}\"]");
    let world = World::open_tuned(&keys, |settings| settings.directory_every = Duration::from_secs(10)).await;
    let before = found(&world, "q=emre%20yildiz").await;
    let change = async |change: Value| world.play(Method::Patch, "/sandbox/people/emre", &change).await;
    let is_gone = async || {
        for _ in 0..1_200 {
            let (_, all) = world.shop.get("/api/v1/directory?q=emre%20yildiz").await;
            if !all.to_string().contains("Emre") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("he is found still");
    };
    change(json!({"enabled": false})).await;
    is_gone().await;
    // Who comes after him in the same round tells that this was heard; he stays hidden.
    change(json!({"job_title": "Beekeeper"})).await;
    world.play(Method::Patch, "/sandbox/people/noor", &json!({"name": "Noor Aksoy"})).await;
    found(&world, "q=aksoy").await;
    is_gone().await;

    change(json!({"enabled": true})).await;
    let again = found(&world, "q=emre%20yildiz").await;
    for (what, is) in
        [("name", &before["people"][0]["name"]), ("department", &before["people"][0]["department"])]
    {
        assert_eq!(again["people"][0][what], *is, "{again}");
    }
    assert_eq!(again["people"][0]["job_title"], "Beekeeper", "{again}");
}
