//! Who of the directory knows is suggested to whoever has the call, with what Teams says of them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

async fn id_of(world: &World, name: &str) -> String {
    for _ in 0..400 {
        let (status, found) = world.shop.get(&format!("/api/v1/directory?q={name}")).await;
        assert_eq!(status, StatusCode::OK, "{found}");
        if let Some(id) = found["people"][0]["id"].as_str() {
            return id.to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{name} is not found");
}

#[tokio::test]
async fn people_of_the_directory_with_the_skill_are_suggested_the_free_ones_first() {
    let world = World::open().await;
    world.becomes("sofia", "available").await;
    world.becomes("emre", "in_a_meeting").await;
    for (name, level) in [("sofia", 2), ("emre", 5)] {
        let id = id_of(&world, name).await;
        let skills = json!({"skills": [{"name": "French", "level": level}]}).to_string();
        let (status, told) = world.shop.put(&format!("/api/v1/directory/{id}/skills"), &skills).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{told}");
    }
    world.shop.call(1).await;
    let call = world.shop.get("/api/v1/calls").await.1["calls"][0]["id"].as_u64().unwrap();
    // Whoever enters the queue for sales must speak French at level 5 of 10: 3 of 5 in the directory.
    let (status, told) = world.shop.post(&format!("/api/v1/calls/{call}/move"), r#"{"queue":"sales"}"#).await;
    assert!(status.is_success(), "{told}");
    let suggested = async || world.shop.get(&format!("/api/v1/calls/{call}/experts")).await.1;
    let named = |found: &Value, name: &str| -> Option<Value> {
        let people = found["experts"].as_array().unwrap();
        people.iter().find(|one| one["name"].as_str().unwrap().contains(name)).cloned()
    };
    let mut found = suggested().await;
    // A Graph that is slow is not waited for long: then there is no presence beside the name.
    for _ in 0..600 {
        if named(&found, "Emre").is_some_and(|emre| emre["presence"] == "in_meeting") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        found = suggested().await;
    }
    assert_eq!(named(&found, "Sofia"), None, "she does not speak it well enough: {found}");
    let emre = named(&found, "Emre").unwrap_or_else(|| panic!("{found}"));
    assert_eq!(
        (&emre["reasons"][0], &emre["standing"], &emre["presence"]),
        (&json!({"kind": "skill", "skill": "French", "level": 5}), &"busy".into(), &"in_meeting".into())
    );
    assert!(emre["id"].is_string() && emre["presence_age_ms"].as_u64().unwrap() < 60_000, "{emre}");
    let bert = named(&found, "Béla").or_else(|| named(&found, "Bert")).unwrap_or_else(|| panic!("{found}"));
    assert_eq!(
        (&bert["agent"], bert["id"].is_string()),
        (&"bert".into(), true),
        "an agent, and in the directory"
    );
    assert_eq!(bert["reasons"].as_array().unwrap().len(), 1, "he is found once, by his skill here: {bert}");
}
