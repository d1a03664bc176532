//! Who may ask: no page of somebody else's, nobody without the token, and no address that others can reach unprotected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode};
use common::{Shop, request};
use tandem::api::access::{Access, Peer, Token};
use tandem::api::proxies::Proxies;
use tandem::page::Policy;
use tower::ServiceExt;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A request with the root key.
fn get(path: &str, headers: &[(&'static str, &str)]) -> Request<Body> {
    with(request("GET", path, Body::empty()), headers)
}

/// A request of somebody unknown.
fn stranger(path: &str, headers: &[(&'static str, &str)]) -> Request<Body> {
    let mut request = request("GET", path, Body::empty());
    request.headers_mut().remove("Authorization");
    with(request, headers)
}

fn with(mut request: Request<Body>, headers: &[(&'static str, &str)]) -> Request<Body> {
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    request
}

async fn remote() -> Shop {
    let access =
        Access::new("0.0.0.0:8443".parse().unwrap(), true, Some(Token::parse(TOKEN).unwrap())).unwrap();
    Shop::open_with(tempfile::tempdir().unwrap(), access).await
}

#[tokio::test]
async fn on_loopback_the_host_must_be_loopback() {
    let shop = Shop::open().await;
    for host in ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080"] {
        assert_eq!(shop.send(get("/api/v1/queues", &[("Host", host)])).await.0, StatusCode::OK, "{host}");
    }
    // A name of somebody else's that points at 127.0.0.1 (DNS rebinding).
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "10.0.0.1"] {
        let (status, error) = shop.send(get("/api/v1/queues", &[("Host", host)])).await;
        assert_eq!((status, &error["code"]), (StatusCode::FORBIDDEN, &"foreign_host".into()), "{host}");
    }
    let mut without = request("GET", "/api/v1/queues", Body::empty());
    without.headers_mut().remove("Host");
    assert_eq!(shop.send(without).await.1["code"], "bad_host");
}

#[tokio::test]
async fn a_page_of_another_origin_gets_nothing_done() {
    let shop = Shop::open().await;
    for path in ["/api/v1/queues", "/live", "/metrics", "/"] {
        for origin in ["https://evil.example", "http://localhost:3000", "null", "http://127.0.0.1:8080"] {
            let (status, error) = shop.send(get(path, &[("Origin", origin)])).await;
            assert_eq!(
                (status, &error["code"]),
                (StatusCode::FORBIDDEN, &"foreign_origin".into()),
                "{path} {origin}"
            );
        }
    }
    let mut put = request("PUT", "/api/v1/agents/anna/state", Body::from(r#"{"state":"available"}"#));
    put.headers_mut().insert("Origin", HeaderValue::from_static("https://evil.example"));
    assert_eq!(shop.send(put).await.0, StatusCode::FORBIDDEN);
    assert_eq!(shop.get("/api/v1/agents/anna").await.1["state"], "offline", "nothing was changed");
    let (status, _) = shop.send(get("/api/v1/queues", &[("Origin", "http://localhost:8080")])).await;
    assert_eq!(status, StatusCode::OK, "our own page may");
}

#[tokio::test]
async fn everything_but_the_page_and_health_demands_to_know_who_asks() {
    for shop in [Shop::open().await, remote().await] {
        demands_to_know(&shop).await;
    }
}

async fn demands_to_know(shop: &Shop) {
    for path in
        ["/api/v1/queues", "/api/v1/agents", "/api/v1/calls", "/api/v1/calls/1", "/api/v1/trunks", "/metrics"]
    {
        for wrong in [&[][..], &[("Authorization", "Bearer wrong")], &[("Authorization", TOKEN)]] {
            let (status, error) = shop.send(stranger(path, wrong)).await;
            assert_eq!(
                (status, &error["code"]),
                (StatusCode::UNAUTHORIZED, &"unauthorized".into()),
                "{path}"
            );
        }
        let bearer = format!("Bearer {TOKEN}");
        let (status, _) = shop.send(get(path, &[("Authorization", &bearer), ("Host", "localhost")])).await;
        assert_ne!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/healthz", "/readyz", "/", "/api/openapi.json"] {
        assert_eq!(shop.send(stranger(path, &[])).await.0, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn answers_tell_browsers_to_keep_nothing_and_guess_nothing() {
    use tower::ServiceExt;
    let shop = Shop::open().await;
    for path in ["/api/v1/queues", "/api/v1/nothing", "/"] {
        let response = shop.router.clone().oneshot(get(path, &[])).await.unwrap();
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(response.headers()["referrer-policy"], "no-referrer", "{path}");
        let kept = if path == "/" { "no-cache" } else { "no-store" };
        assert_eq!(response.headers()["cache-control"], kept, "{path}");
    }
}

#[tokio::test]
async fn behind_a_proxy_the_trail_has_the_address_of_who_asked_and_forged_headers_move_nobody() {
    let proxies = Proxies::new(&["10.0.0.0/8".to_owned()]).unwrap();
    let shop = Shop::open_with(tempfile::tempdir().unwrap(), common::loopback().behind(proxies)).await;
    let wrong = |peer: &str, forwarded: &'static str| {
        let body = Body::from(r#"{"user_name":"nobody","password":"wrong"}"#);
        let mut request = with(request("POST", "/auth/password", body), &[("X-Forwarded-For", forwarded)]);
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        request
    };
    for (peer, forwarded, seen) in [
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "127.0.0.1, 203.0.113.8", "203.0.113.8"),
        ("198.51.100.1", "203.0.113.7", "198.51.100.1"),
    ] {
        assert_eq!(shop.send(wrong(peer, forwarded)).await.0, StatusCode::UNAUTHORIZED);
        let (_, trail) = shop.get("/api/v1/installation/audit?limit=1").await;
        assert_eq!(trail["acts"][0]["detail"]["address"], seen, "{trail}");
    }
}

#[tokio::test]
async fn the_page_may_be_shown_by_whom_the_configuration_names() {
    let policy = Policy::new(&["https://teams.microsoft.us".to_owned()]).unwrap();
    let shop = Shop::open_with(tempfile::tempdir().unwrap(), common::loopback().shown_under(policy)).await;
    let response = shop.router.clone().oneshot(get("/", &[])).await.unwrap();
    let said = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(said.ends_with("frame-ancestors 'self' https://teams.microsoft.us"), "{said}");
}
