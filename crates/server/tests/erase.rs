//! Personal data: not to be read on the disk, erased when somebody asks or it was kept long enough, and every count stays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use common::{START_US, Shop, request};
use serde_json::Value;
use tandem::desk::{Desk, Terms};
use tandem::engine::{Carried, Order};
use tandem::live::{Recorder, wait_committed};
use tandem::recordings::Recordings;
use tandem::restore;
use tandem_center::call::{Address, Arrival, CallEvent, CallId, RecordingId};
use tandem_center::erase::{ErasedBy, Erasure};
use tandem_center::fact::{Fact, FactKind, Outcome};
use tandem_center::id::InteractionId;
use tandem_center::personal::Personal;
use tandem_center::{Input, Timestamp};
use tandem_store::Tenant;
use tokio::sync::mpsc;

const DAY_MS: i64 = 86_400_000;
const START_MS: i64 = (START_US / 1_000).cast_signed();

async fn call_from(shop: &Shop, call: u64, from: &str, to: &str) {
    shop.event(CallEvent::Arrived(Arrival {
        call: CallId(call),
        line: "carrier".into(),
        from: Address::Phone(from.into()),
        from_name: "Erika Musterfrau".into(),
        to: Address::Phone(to.into()),
    }))
    .await;
}

/// A call that is over, by its id.
async fn closed(shop: &Shop, call: u64, from: &str) -> u64 {
    call_from(shop, call, from, "+4930111").await;
    let (_, calls) = shop.get("/api/v1/calls").await;
    let id = calls["calls"].as_array().unwrap().last().unwrap()["id"].as_u64().unwrap();
    shop.hang_up(call).await;
    shop.pass(60).await;
    id
}

async fn erase(shop: &Shop, id: u64) -> (StatusCode, Value) {
    let path = format!("/api/v1/interactions/{id}/personal-data?reason=letter");
    shop.send(request("DELETE", &path, Body::empty())).await
}

async fn erase_person(shop: &Shop, body: &str) -> (StatusCode, Value) {
    shop.send(request("POST", "/api/v1/erasures", Body::from(body.to_owned()))).await
}

/// Whether anybody is named in a file of the journal, the keys left out.
fn on_disk(folder: &Path, what: &str) -> bool {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).any(
        |path| {
            let bytes = std::fs::read(&path).unwrap();
            bytes.windows(what.len()).any(|window| window == what.as_bytes())
        },
    )
}

/// What the API counts, in a form to compare.
async fn counts(shop: &Shop) -> (Value, Vec<String>) {
    let (_, queues) = shop.get("/api/v1/queues").await;
    let (_, figures) = shop.get("/metrics").await;
    let counted = figures.as_str().unwrap().lines().filter(|line| line.contains("_total"));
    // The erasure is one more fact.
    let counted = counted.filter(|line| !line.starts_with("tandem_facts_committed_total"));
    (queues["queues"].clone(), counted.map(ToOwned::to_owned).collect())
}

#[tokio::test]
async fn nobody_is_named_on_the_disk_while_the_screens_name_everybody() {
    let shop = Shop::open().await;
    let id = closed(&shop, 1, "+4917099999").await;
    shop.live.close().unwrap();
    for what in ["+4917099999", "Musterfrau"] {
        assert!(!on_disk(shop.path(), what), "{what}");
    }
    assert!(on_disk(shop.path(), "\"arrived\""), "the rest is there to be seen");
    let (_, story) = shop.get(&format!("/api/v1/calls/{id}")).await;
    assert_eq!(
        (&story["call"]["from"], &story["call"]["from_name"]),
        (&"+4917099999".into(), &"Erika Musterfrau".into())
    );
    assert!(serde_json::to_string(&*shop.live.view()).unwrap().contains("Musterfrau"));
}

#[tokio::test]
async fn what_is_erased_is_gone_from_every_answer_and_every_count_is_as_before() {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    let id = closed(&shop, 1, "+4917099999").await;
    assert_eq!(shop.get(&format!("/api/v1/calls/{id}")).await.1["call"]["outcome"], "handled");
    let other = closed(&shop, 2, "+4917088888").await;
    let before = counts(&shop).await;
    let (status, erased) = erase(&shop, id).await;
    assert_eq!(status, StatusCode::OK, "{erased}");
    assert_eq!(erased["interaction"], id);
    let (_, story) = shop.get(&format!("/api/v1/calls/{id}")).await;
    assert_eq!(story["call"].get("from"), None);
    assert_eq!(story["call"]["stage"], "closed");
    let last = story["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!(last["kind"], "erased");
    assert!(last["text"].as_str().unwrap().contains("letter"));
    let (_, calls) = shop.get("/api/v1/calls?state=closed").await;
    let view = serde_json::to_string(&*shop.live.view()).unwrap();
    for text in [story.to_string(), calls.to_string(), view] {
        assert!(!text.contains("+4917099999"), "{text}");
    }
    assert!(calls.to_string().contains("+4917088888"));
    assert_eq!(counts(&shop).await, before);

    // So it is after a restart, with the snapshot that came after it and without.
    let view = shop.live.view();
    let shop = shop.restart().await;
    assert_eq!(*shop.live.view(), *view);
    shop.live.close().unwrap();
    let file = rusqlite::Connection::open(shop.path().join("journal.db")).unwrap();
    assert_eq!(file.execute("DELETE FROM snapshots", []).unwrap(), 1);
    drop(file);
    let shop = shop.restart().await;
    assert_eq!(*shop.live.view(), *view);
    assert_eq!(shop.get(&format!("/api/v1/calls/{other}")).await.1["call"]["from"], "+4917088888");
}

#[tokio::test]
async fn what_is_open_is_refused_what_never_was_is_not_found_and_twice_is_once() {
    let shop = Shop::open().await;
    let id = closed(&shop, 1, "+4917099999").await;
    call_from(&shop, 2, "+4917099999", "+4930111").await;
    let open = shop.get("/api/v1/calls").await.1["calls"][0]["id"].as_u64().unwrap();
    let (status, error) = erase(&shop, open).await;
    assert_eq!((status, &error["code"]), (StatusCode::CONFLICT, &"still_open".into()));
    for id in [0, 1, id + 1, 1_000_000] {
        let (status, error) = erase(&shop, id).await;
        assert_eq!((status, &error["code"]), (StatusCode::NOT_FOUND, &"not_found".into()), "{id}");
    }
    let long = format!("/api/v1/interactions/{id}/personal-data?reason={}", "x".repeat(200));
    let (status, error) = shop.send(request("DELETE", &long, Body::empty())).await;
    assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &"reason_too_long".into()));
    assert_eq!(shop.get(&format!("/api/v1/calls/{id}")).await.1["call"]["from"], "+4917099999");

    assert_eq!(erase(&shop, id).await.0, StatusCode::OK);
    let number = shop.live.view().live.number;
    assert_eq!(erase(&shop, id).await.0, StatusCode::OK);
    assert_eq!(shop.live.view().live.number, number, "nothing more was to be erased");
}

#[tokio::test]
async fn a_person_is_erased_everywhere_but_where_it_is_not_over() {
    let shop = Shop::open().await;
    let first = closed(&shop, 1, "+4917099999").await;
    let other = closed(&shop, 2, "+4917088888").await;
    let second = closed(&shop, 3, "+4917099999").await;
    call_from(&shop, 4, "+4917099999", "+4930999").await;
    let refused = shop.live.view().live.number;
    call_from(&shop, 5, "+4917099999", "+4930111").await;
    let open = shop.get("/api/v1/calls").await.1["calls"][0]["id"].as_u64().unwrap();

    let (status, found) = erase_person(&shop, r#"{"from":"+4917099999","reason":"letter"}"#).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    assert_eq!(found, serde_json::json!({ "erased": [first, second, refused], "open": [open] }));
    assert_eq!(shop.get(&format!("/api/v1/calls/{other}")).await.1["call"]["from"], "+4917088888");
    let (_, again) = erase_person(&shop, r#"{"from":"+4917099999"}"#).await;
    assert_eq!(again, serde_json::json!({ "erased": [], "open": [open] }));
    shop.hang_up(5).await;
    shop.pass(60).await;
    let (_, last) = erase_person(&shop, r#"{"from":"+4917099999"}"#).await;
    assert_eq!(last, serde_json::json!({ "erased": [open], "open": [] }));
    for wrong in [r#"{"from":""}"#, r#"{"from":"anonymous"}"#] {
        assert_eq!(erase_person(&shop, wrong).await.1["code"], "bad_from");
    }
}

#[tokio::test]
async fn what_was_kept_long_enough_is_erased_and_the_rest_is_kept() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for day in 0..4 {
        ids.push(closed(&shop, day + 1, "+4917099999").await);
        shop.pass(86_400).await;
    }
    call_from(&shop, 9, "+4917099999", "+4930111").await;
    assert_eq!(shop.desk.erase_expired(START_MS).await.unwrap(), (0, false));
    assert_eq!(shop.desk.erase_expired(START_MS + DAY_MS * 3 / 2).await.unwrap(), (2, false));
    assert_eq!(shop.desk.erase_expired(START_MS + DAY_MS * 3 / 2).await.unwrap(), (0, false));
    let mut known = Vec::new();
    for id in &ids {
        let (_, story) = shop.get(&format!("/api/v1/calls/{id}")).await;
        known.push(story["call"].get("from").is_some());
        let by = &story["timeline"].as_array().unwrap().last().unwrap()["fact"]["by"];
        assert_eq!(by == "retention", story["call"].get("from").is_none());
    }
    assert_eq!(known, [false, false, true, true]);
    assert_eq!(shop.desk.erase_expired(i64::MAX).await.unwrap(), (2, false), "all but the one that is open");
}

/// An engine that does one thing: it records what is erased.
async fn eraser(mut recorder: Recorder, mut number: u64, mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        let Order::Center { command: Input::Erase(erasure), reply, .. } = order else { panic!("{order:?}") };
        number += 1;
        let Erasure { interaction, by, why } = erasure;
        recorder.record(vec![fact(number, FactKind::Erased { interaction, by, why })]);
        reply.send(Ok(Carried { before: number - 1, last: number })).unwrap();
    }
}

fn fact(number: u64, kind: FactKind) -> Fact {
    Fact { number, at: Timestamp::from_micros(START_US), version: Fact::VERSION, kind }
}

#[tokio::test]
async fn the_recordings_of_an_interaction_go_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut restored = restore::open(folder.path(), None, Tenant::only()).unwrap();
    let (interaction, recording) = (InteractionId(1), RecordingId(7));
    let arrived = FactKind::Arrived {
        call: CallId(1),
        line: "carrier".into(),
        from: Personal::new(Address::Phone("+4917099999".into())),
        from_name: Personal::new("Erika".into()),
        to: Address::Phone("+4930111".into()),
        flow: "main".into(),
    };
    let begun = FactKind::MessageBegun {
        interaction,
        queue: "support".into(),
        recording,
        waiting_since: Timestamp::from_micros(START_US),
        priority: 3,
        vip: false,
    };
    let closed = FactKind::Closed { interaction, outcome: Outcome::Handled };
    restored.recorder.record(vec![fact(1, arrived), fact(2, begun), fact(3, closed)]);
    assert!(wait_committed(&restored.live, 3, Duration::from_secs(60)).await);
    let (recordings, _) = Recordings::open_folder(folder.path()).unwrap();
    for kept in [recording, RecordingId(8)] {
        std::fs::write(folder.path().join(format!("recordings/{kept}.wav")), b"voice").unwrap();
    }
    let (orders, waiting) = mpsc::channel(16);
    tokio::spawn(eraser(restored.recorder, 3, waiting));
    let terms = Terms { name: "".into(), lines: Arc::default(), keep_days: 0 };
    let desk = Desk::new(restored.live, terms, restored.journal, orders, recordings.clone());
    assert_eq!(desk.erase(interaction, ErasedBy::Request, None).await.unwrap(), 4);
    assert!(recordings.open(recording).unwrap().is_none());
    assert!(recordings.open(RecordingId(8)).unwrap().is_some());
}
