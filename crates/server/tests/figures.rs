//! The figures for Prometheus: right, complete, and with few labels.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::time::Instant;

use common::Shop;
use tandem::engine::Status;
use tandem_b2bua::{Counters, Health, ProxyHealth};

async fn figures(shop: &Shop) -> String {
    shop.get("/metrics").await.1.as_str().unwrap().to_owned()
}

fn value(figures: &str, name: &str) -> f64 {
    let line = figures.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is missing in\n{figures}")).parse().unwrap()
}

#[tokio::test]
async fn the_figures_follow_the_calls() {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    shop.call(1).await;
    shop.call(2).await;
    shop.call(3).await;
    shop.hang_up(3).await;
    shop.call_number(4, "+4900000").await;
    let now = figures(&shop).await;
    for (name, expected) in [
        ("tandem_calls{stage=\"connected\"}", 1.0),
        ("tandem_calls{stage=\"waiting\"}", 1.0),
        ("tandem_calls{stage=\"in_flow\"}", 0.0),
        ("tandem_agents{state=\"in_conversation\"}", 1.0),
        ("tandem_agents{state=\"offline\"}", 1.0),
        ("tandem_waiting", 1.0),
        ("tandem_queue_waiting{queue=\"support\"}", 1.0),
        ("tandem_queue_waiting_by_channel{queue=\"support\",channel=\"call\"}", 1.0),
        ("tandem_queue_waiting_by_channel{queue=\"sales\",channel=\"callback\"}", 0.0),
        ("tandem_queue_longest_wait_seconds{queue=\"sales\"}", 0.0),
        ("tandem_queue_closed{queue=\"support\"}", 0.0),
        ("tandem_queue_refusals_total{why=\"closed\"}", 0.0),
        ("tandem_callbacks_total{what=\"promised\"}", 0.0),
        ("tandem_messages_total{what=\"left\"}", 0.0),
        ("tandem_repairs_total{missing=\"call_end\"}", 0.0),
        ("tandem_queue_total{queue=\"support\",what=\"abandoned\"}", 1.0),
        ("tandem_calls_arrived_total", 3.0),
        ("tandem_calls_rejected_total", 1.0),
        ("tandem_calls_answered_total", 1.0),
        ("tandem_calls_closed_total{outcome=\"abandoned_in_queue\"}", 1.0),
        ("tandem_offers_total", 1.0),
        ("tandem_offers_ended_total{outcome=\"missed\"}", 0.0),
        ("tandem_store_waiting_facts", 0.0),
        ("tandem_store_writing", 1.0),
        ("tandem_http_connections", 0.0),
        ("tandem_http_connections_refused_total", 0.0),
    ] {
        assert!((value(&now, name) - expected).abs() < f64::EPSILON, "{name} is not {expected} in\n{now}");
    }
}

#[tokio::test]
async fn what_queues_refuse_and_callbacks_are_in_the_figures() {
    let shop = Shop::open().await;
    shop.put("/api/v1/queues/support/switch", r#"{"closed":true}"#).await;
    shop.call(1).await;
    shop.post("/api/v1/callbacks", r#"{"line":"carrier","phone":"+4930999","queue":"sales"}"#).await;
    shop.pass(1).await;
    let now = figures(&shop).await;
    for (name, expected) in [
        ("tandem_queue_closed{queue=\"support\"}", 1.0),
        ("tandem_queue_refusals_total{why=\"closed\"}", 1.0),
        ("tandem_callbacks_total{what=\"scheduled\"}", 1.0),
        ("tandem_queue_waiting_by_channel{queue=\"sales\",channel=\"callback\"}", 1.0),
    ] {
        assert!((value(&now, name) - expected).abs() < f64::EPSILON, "{name} is not {expected} in\n{now}");
    }
    assert!(
        !now.contains("tandem_queue_expected_wait_seconds{"),
        "nobody is at work: it is not known\n{now}"
    );
}

#[tokio::test]
async fn the_door_and_its_proxies_are_in_the_figures_and_in_the_list_of_trunks() {
    let shop = Shop::open().await;
    let proxy = |proxy: &str, health| ProxyHealth { trunk: "teams".into(), proxy: proxy.into(), health };
    let since = Instant::now();
    shop.door_reports(Status {
        proxies: vec![
            proxy("sip.example", Health::Up { since }),
            proxy("sip2.example", Health::Down { since, status: Some(503) }),
            proxy("sip3.example", Health::Unknown),
        ],
        counters: Counters { unknown_peers: 7, ..Counters::default() },
        calls: 3,
        connections: 2,
        transactions: 7,
        media_legs: 6,
    });
    let now = figures(&shop).await;
    for (name, expected) in [
        ("tandem_door_calls", 3.0),
        ("tandem_sip_connections", 2.0),
        ("tandem_sip_transactions", 7.0),
        ("tandem_media_legs", 6.0),
        ("tandem_sip_unknown_peers_total", 7.0),
        ("tandem_sip_proxies{health=\"up\"}", 1.0),
        ("tandem_sip_proxies{health=\"down\"}", 1.0),
    ] {
        assert!((value(&now, name) - expected).abs() < f64::EPSILON, "{name} is not {expected} in\n{now}");
    }
    let (_, trunks) = shop.get("/api/v1/trunks").await;
    let teams = &trunks["trunks"][0];
    assert_eq!((&teams["name"], teams["proxies"].as_array().unwrap().len()), (&"teams".into(), 3));
    assert_eq!(
        (&teams["proxies"][0]["health"], &teams["proxies"][0]["host"]),
        (&"up".into(), &"sip.example".into())
    );
    assert_eq!(
        (&teams["proxies"][1]["health"], &teams["proxies"][1]["status"]),
        (&"down".into(), &503.into())
    );
    assert_eq!(teams["proxies"][2].get("for_s"), None);
}

#[tokio::test]
async fn every_figure_has_its_help_and_type_before_it_and_stands_once() {
    let shop = Shop::open().await;
    let now = figures(&shop).await;
    let (mut family, mut seen) = (String::new(), std::collections::BTreeSet::new());
    for line in now.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap().to_owned();
            assert!(seen.insert(family.clone()), "{family} stands twice");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert!(kind.starts_with(&family), "{line}");
            assert_eq!(kind.ends_with(" counter"), family.ends_with("_total"), "{line}");
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(name, family, "{line}");
            assert!(!line.contains("+49"), "no number of a customer: {line}");
        }
    }
}

#[tokio::test]
async fn what_was_heard_is_counted_when_a_leg_is_over() {
    use tandem_center::call::{CallEvent, CallId, PartyId, Quality};
    let shop = Shop::open().await;
    shop.call(1).await;
    let quality = Quality { mos_x100: Some(310), packets_received: 500, ..Quality::default() };
    shop.event(CallEvent::Quality { call: CallId(1), party: PartyId::FIRST, quality }).await;
    let now = figures(&shop).await;
    for (name, expected) in [
        ("tandem_media_packets_total", 500.0),
        ("tandem_media_legs_total", 1.0),
        ("tandem_media_poor_legs_total", 1.0),
    ] {
        assert!((value(&now, name) - expected).abs() < f64::EPSILON, "{name} is not {expected} in\n{now}");
    }
}
