//! Somebody of another customer, or with less than they need, tries every trick of addresses, methods and headers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use common::{Street, request};
use serde_json::Value;
use tower::ServiceExt;

/// Sends a request with these headers more; a token that is empty is none.
async fn send(
    street: &Street,
    token: &str,
    method: &str,
    path: &str,
    body: &str,
    headers: &[(&'static str, &str)],
) -> (StatusCode, HeaderMap, Value) {
    let mut request = request(method, path, Body::from(body.to_owned()));
    request.headers_mut().remove("Authorization");
    if !token.is_empty() {
        request.headers_mut().insert("Authorization", format!("Bearer {token}").parse().unwrap());
    }
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let (parts, body) = street.router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (parts.status, parts.headers, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn get(street: &Street, token: &str, path: &str) -> (StatusCode, Value) {
    let (status, _, answer) = send(street, token, "GET", path, "", &[]).await;
    (status, answer)
}

#[tokio::test]
async fn however_an_address_is_written_it_leads_to_ones_own_or_nowhere() {
    let street = Street::open().await;
    let (ada, zita, anna) = (street.token("ada"), street.token("zita"), street.token("anna"));
    // Written otherwise, it is the same object, for whom it is there.
    let (status, answer) = get(&street, &ada, "/api/v1/agents/%61nna").await;
    assert_eq!((status, &answer["id"]), (StatusCode::OK, &"anna".into()));
    assert_eq!(get(&street, &zita, "/api/v1/agents/%61nna").await.0, StatusCode::NOT_FOUND);
    // An agent reaches another by no way around.
    for path in [
        "/api/v1/agents/anna%2F..%2Fbert",
        "/api/v1/agents/%2e%2e%2fagents%2fbert",
        "/api/v1/agents/anna/../bert",
        "/api/v1/agents/./bert",
        "/api/v1/agents//bert",
        "/api/v1/agents/bert/",
        "/api/v1/agents/bert%00",
        "/api/v1/agents/BERT",
        "/api/v1/agents/%62ert",
        "//api/v1/agents/bert",
        "/API/v1/agents/bert",
        "/api/v1/agents/bert;anna",
        "/api/v1/agents/bert%FF",
        "/api/v1/agents/bert?id=anna",
    ] {
        for token in [&anna, &zita, ""] {
            let (status, answer) = get(&street, token, path).await;
            let page = answer.as_str().is_some_and(|text| text.contains("<html") || text.is_empty());
            assert!(status.is_client_error() || page, "{path}: {status} {answer}");
        }
        let state = format!("{path}/state");
        let (status, _, answer) = send(&street, &anna, "PUT", &state, r#"{"state":"break"}"#, &[]).await;
        assert!(status.is_client_error(), "{state}: {status} {answer}");
    }
    assert_eq!(get(&street, &ada, "/api/v1/agents/bert").await.1["state"], "offline", "nothing has changed");
}

#[tokio::test]
async fn another_method_needs_the_same_right_and_opens_nothing_for_other_pages() {
    let street = Street::open().await;
    let (anna, ada) = (street.token("anna"), street.token("ada"));
    let head = async |token: &str| send(&street, token, "HEAD", "/api/v1/reports/queues", "", &[]).await;
    assert_eq!(head("").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(head(&anna).await.0, StatusCode::FORBIDDEN);
    assert_eq!(head(&ada).await.0, StatusCode::OK);
    let bert = format!("/api/v1/people/{}", street.person("bert").id);
    for (method, path) in [("OPTIONS", "/api/v1/people"), ("TRACE", "/api/v1/people"), ("OPTIONS", &*bert)] {
        let asks = [("Access-Control-Request-Method", "DELETE")];
        let (status, headers, _) = send(&street, "", method, path, "", &asks).await;
        assert!(status.is_client_error(), "{method} {path}: {status}");
        assert!(!headers.keys().any(|name| name.as_str().starts_with("access-control")), "{headers:?}");
    }
    for header in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let (status, ..) = send(&street, &ada, "POST", &bert, "", &[(header, "DELETE")]).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{header}");
    }
    assert_eq!(get(&street, &ada, &bert).await.0, StatusCode::OK);
}

#[tokio::test]
async fn no_header_makes_somebody_of_another_tenant() {
    let street = Street::open().await;
    let zita = street.token("zita");
    for headers in [
        &[("Tandem-Tenant", "north")][..],
        &[("Tandem-Tenant", "north"), ("Tandem-Tenant", "south")],
        &[("Tandem-Tenant", "NORTH")],
        &[("Tandem-Tenant", " north")],
        &[("Tandem-Tenant", "north,south")],
        &[("Tandem-Tenant", "")],
    ] {
        let (status, _, answer) = send(&street, &zita, "GET", "/api/v1/queues", "", headers).await;
        assert_eq!(
            (status, &answer["code"]),
            (StatusCode::NOT_FOUND, &"unknown_tenant".into()),
            "{headers:?}"
        );
    }
    // The second of two is not looked at: it is still one's own.
    let twice = [("Tandem-Tenant", "south"), ("Tandem-Tenant", "north")];
    let (status, _, answer) = send(&street, &zita, "GET", "/api/v1/queues", "", &twice).await;
    assert_eq!((status, &answer["queues"][0]["id"]), (StatusCode::OK, &"outlet".into()), "{answer}");
    // Nor two tokens: the first one counts, and alone.
    let olga = format!("Bearer {}", street.token("olga"));
    let (status, ..) = send(&street, &zita, "GET", "/metrics", "", &[("Authorization", &olga)]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_cookie_that_renews_a_login_serves_no_page_of_somebody_else_s() {
    let street = Street::open().await;
    let refresh = street.tokens("ada").refresh.unwrap();
    let cookie = format!("tandem_refresh={}", refresh.expose());
    for origin in ["https://evil.example", "http://localhost:3000", "null", "http://localhost"] {
        let headers = [("Cookie", &*cookie), ("Origin", origin)];
        let (status, _, answer) = send(&street, "", "POST", "/auth/refresh", "", &headers).await;
        assert_eq!((status, &answer["code"]), (StatusCode::FORBIDDEN, &"foreign_origin".into()), "{origin}");
    }
    // It is good for nothing but renewing.
    let (status, ..) = send(&street, "", "GET", "/api/v1/me", "", &[("Cookie", &cookie)]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let own = [("Cookie", &*cookie), ("Origin", "http://localhost:8080")];
    let (status, headers, _) = send(&street, "", "POST", "/auth/refresh", "", &own).await;
    assert_eq!(status, StatusCode::OK, "and none of those tries has used it up");
    let set = headers["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/auth"] {
        assert!(set.contains(part), "{set}");
    }
}

#[tokio::test]
async fn a_repeated_command_is_answered_to_whose_it_is() {
    let street = Street::open().await;
    let (ada, zita) = (street.token("ada"), street.token("zita"));
    let key = [("Idempotency-Key", "one and the same")];
    let wish = r#"{"name":"wallboard","scopes":["queues:read"]}"#;
    let make = async |token: &str| send(&street, token, "POST", "/api/v1/keys", wish, &key).await.2;
    let (of_north, of_south) = (make(&ada).await, make(&zita).await);
    assert_ne!(of_north["secret"], of_south["secret"], "nobody is told another's secret");
    assert_eq!(make(&ada).await["secret"], of_north["secret"]);
    // Another administrator of north sends the same, and gets one of their own.
    let nora = r#"{"name":"Nora","user_name":"nora","roles":["administrator"]}"#;
    assert_eq!(street.ask(&ada, "POST", "/api/v1/people", nora).await.0, StatusCode::CREATED);
    assert_ne!(make(&street.token("nora")).await["secret"], of_north["secret"]);
    // Who lost the right is not answered from memory.
    let anna = street.token("anna");
    assert_eq!(send(&street, &anna, "POST", "/api/v1/keys", wish, &key).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_recording_of_another_tenant_is_not_there_and_the_attempt_is_in_the_trail() {
    let street = Street::open().await;
    let folder = street.directory.path().join("recordings/north");
    std::fs::create_dir_all(&folder).unwrap();
    let sound = folder.join("00000000000000ab.wav");
    std::fs::write(&sound, b"sound").unwrap();
    let zita = street.token("zita");
    for method in ["GET", "DELETE"] {
        let path = "/api/v1/recordings/00000000000000ab";
        let (status, _, answer) = send(&street, &zita, method, path, "", &[]).await;
        assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &"not_found".into()), "{answer}");
        for around in ["..%2Fnorth%2F00000000000000ab", "../north/00000000000000ab", "%2e%2e"] {
            let path = format!("/api/v1/recordings/{around}");
            assert!(send(&street, &zita, method, &path, "", &[]).await.0.is_client_error(), "{around}");
        }
    }
    assert!(sound.exists());
    let refused = street.refused("south").await;
    let tries = refused
        .iter()
        .filter(|(_, object, code)| object == "recordings/00000000000000ab" && code == "not_yours");
    assert_eq!(tries.count(), 2, "{refused:?}");
    let nowhere = "/api/v1/recordings/00000000000000cd";
    assert_eq!(get(&street, &zita, nowhere).await.0, StatusCode::NOT_FOUND);
    assert!(!street.refused("south").await.iter().any(|(_, object, _)| object.ends_with("cd")));
}
