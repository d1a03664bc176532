//! Reports and explanations over the API: what the facts say about service, and why things went as they did.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::Shop;
use serde_json::{Value, json};

fn metric<'a>(row: &'a Value, metric: &str, variant: &str) -> &'a Value {
    let metrics = row["metrics"].as_array().unwrap();
    let found = metrics
        .iter()
        .find(|one| one["metric"] == metric && (variant.is_empty() || one["variant"] == variant));
    found.unwrap_or_else(|| panic!("{metric} {variant} is missing in {row}"))
}

/// One caller is answered at once and one gives up after 30 seconds.
async fn a_short_day() -> Shop {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    shop.call(1).await;
    shop.call(2).await;
    shop.pass(30).await;
    shop.hang_up(2).await;
    shop.pass(30).await;
    shop.hang_up(1).await;
    shop
}

#[tokio::test]
async fn a_report_gives_service_levels_with_their_parts_and_parameters() {
    let shop = a_short_day().await;
    let path = "/api/v1/reports/queues?from=1800000000000000&interval=1d&threshold_s=20&short_s=5";
    let (_, report) = shop.get(path).await;
    let rows = report["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["queue"], &rows[0]["channel"]), (1, &"support".into(), &"call".into()));
    let level = metric(&rows[0], "service_level", "sl5");
    assert_eq!(
        (&level["numerator"], &level["denominator"], &level["value"]),
        (&1.into(), &2.into(), &json!(0.5))
    );
    assert_eq!(level["thresholds"][0]["answer_within_us"], 20_000_000);
    // Who gave up within 40 seconds is a short abandon there, and does not count.
    let (_, lenient) = shop.get(&format!("{}0", path.replace("short_s=5", "short_s=4"))).await;
    assert_eq!(metric(&lenient["rows"][0], "service_level", "sl5")["denominator"], 1);
    assert_eq!(report["strays"], 0);
}

#[tokio::test]
async fn a_report_that_is_asked_for_again_goes_on_from_where_it_was() {
    let shop = a_short_day().await;
    let path = "/api/v1/reports/queues?from=1800000000000000&interval=1d";
    let entered = |report: &Value| metric(&report["rows"][0], "service_level", "sl2")["denominator"].clone();
    assert_eq!(entered(&shop.get(path).await.1), 2);
    shop.call(3).await;
    shop.pass(10).await;
    shop.hang_up(3).await;
    let (_, again) = shop.get(path).await;
    assert_eq!((entered(&again), &again["number"]), (3.into(), &shop.live.view().live.number.into()));
    let shop = shop.restart().await;
    assert_eq!(shop.get(path).await.1["rows"], again["rows"], "a report folded anew is the same");
}

#[tokio::test]
async fn agents_are_reported_with_their_time_and_their_work() {
    let shop = a_short_day().await;
    let (_, report) = shop.get("/api/v1/reports/agents?from=1800000000000000&interval=1d&id=anna").await;
    let anna = &report["rows"][0];
    assert_eq!((&anna["agent"], &anna["name"]), (&"anna".into(), &"Anna Adler".into()));
    let occupancy = metric(anna, "occupancy", "");
    assert!(occupancy["value"].as_f64().is_some_and(|value| value > 0.5), "{occupancy}");
    assert!(anna["work"]["call"].as_array().is_some_and(|work| !work.is_empty()), "{anna}");
}

#[tokio::test]
async fn staffing_finds_the_fewest_agents_that_reach_the_aim() {
    let shop = Shop::open().await;
    // 100 calls in half an hour of three minutes each are 10 erlangs.
    let (_, patient) =
        shop.get("/api/v1/staffing?calls=100&aht_s=180&target=0.8&within_s=20&shrinkage=0.3").await;
    assert_eq!(
        (&patient["model"], &patient["erlangs"], &patient["agents"]),
        (&"erlang_c".into(), &json!(10.0), &14.into())
    );
    assert_eq!(patient["scheduled"], 20);
    let table = patient["table"].as_array().unwrap();
    assert_eq!(table.len(), 7);
    let level = |agents: u64| {
        let row = table.iter().find(|row| row["agents"] == agents).unwrap();
        row["service_level"].as_f64().unwrap()
    };
    assert!(level(13) < 0.8 && level(14) >= 0.8);
    let (_, impatient) = shop.get("/api/v1/staffing?calls=100&aht_s=180&patience_s=120").await;
    assert_eq!(impatient["model"], "erlang_a");
    assert!(impatient["agents"].as_u64() <= patient["agents"].as_u64(), "who gives up need not be answered");
    let (_, few) = shop.get("/api/v1/staffing?calls=10&aht_s=180&within_s=3600&target=0.01").await;
    assert_eq!(few["agents"], 2, "one agent is enough for no load of one erlang");
    assert_eq!(few["table"][0], json!({"agents": 1, "unstable": true}));
    for wrong in [
        "calls=x&aht_s=1",
        "calls=1&aht_s=0",
        "calls=1&aht_s=1&target=1",
        "calls=1e9&aht_s=9",
        "calls=NaN&aht_s=1",
    ] {
        let (status, error) = shop.get(&format!("/api/v1/staffing?{wrong}")).await;
        assert_eq!(status, 400, "{wrong}: {error}");
    }
}

#[tokio::test]
async fn who_waits_is_told_why_nobody_is_rung() {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"break","reason":"lunch"}"#).await;
    shop.call(1).await;
    shop.pass(20).await;
    let id = shop.get("/api/v1/calls").await.1["calls"][0]["id"].clone();
    let (_, explanation) = shop.get(&format!("/api/v1/calls/{id}/explanation")).await;
    assert_eq!((explanation.get("offer"), &explanation["eligible"]), (None, &json!([])));
    let excluded = explanation["excluded"].as_array().unwrap();
    assert_eq!(
        excluded.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["Anna Adler", "Bert Braun"]
    );
    assert!(
        excluded[0]["reasons"][0].as_str().unwrap().starts_with("on a break (lunch) for "),
        "{excluded:?}"
    );
    let told = explanation["sentences"].to_string();
    assert!(told.contains("Nobody who fits is free."), "{told}");
    let text =
        tandem::explain::tell(shop.path(), None, &tandem_store::Tenant::only(), id.as_u64().unwrap(), None)
            .unwrap();
    assert!(text.contains("the last in the journal") && text.contains("on a break (lunch)"), "{text}");
    let missing = tandem::explain::tell(shop.path(), None, &tandem_store::Tenant::only(), 4711, None)
        .unwrap_err()
        .to_string();
    assert!(missing.contains("there is no interaction 4711"), "{missing}");
}

#[tokio::test]
async fn an_offer_is_explained_when_it_is_made_and_years_later() {
    let shop = Shop::open().await;
    for agent in ["bert", "anna"] {
        shop.put(&format!("/api/v1/agents/{agent}/state"), r#"{"state":"available"}"#).await;
        shop.pass(10).await;
    }
    shop.call(1).await;
    let id = shop.get("/api/v1/calls").await.1["calls"][0]["id"].clone();
    let path = format!("/api/v1/calls/{id}/explanation");
    let (_, fresh) = shop.get(&path).await;
    let names: Vec<&str> =
        fresh["eligible"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Bert Braun", "Anna Adler"], "the one first who was idle longest");
    let offer = fresh["offer"].as_u64().unwrap();
    let told = |offer| {
        tandem::explain::tell(shop.path(), None, &tandem_store::Tenant::only(), id.as_u64().unwrap(), offer)
    };
    let text = told(None).unwrap();
    assert!(text.starts_with(&format!("Interaction {id}, offered to Bert Braun (fact {offer})")), "{text}");
    assert!(text.contains(fresh["sentences"][0].as_str().unwrap()), "the command line says the same: {text}");
    assert!(told(Some(offer + 1)).unwrap_err().to_string().contains(&format!("its offers are {offer}")));
    let shop = shop.restart().await;
    let (_, late) = shop.get(&format!("{path}?offer={offer}")).await;
    assert_eq!(late, fresh, "read from the journal it is the same");
    for (wrong, status) in [(offer + 1, 404), (0, 404), (999_999, 404)] {
        assert_eq!(shop.get(&format!("{path}?offer={wrong}")).await.0, status, "{wrong}");
    }
}
