//! People sign in with Microsoft 365, and nobody else does.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tandem_microsoft::http::Method;
use tower::ServiceExt;

use crate::world::{World, cookies, location, text};

/// Somebody signs in in a browser; gives what the callback is answered with.
async fn signs_in(world: &World, user: &str) -> axum::http::Response<Body> {
    let away = world.browse("/auth/entra/start?return=/queues", &[]).await;
    assert_eq!(away.status(), StatusCode::FOUND);
    let back = world.at_entra(&location(&away), &[("user", user), ("consent", "accept")]).await;
    assert!(back.starts_with("/auth/entra/callback?"), "{back}");
    world.browse(&back, &cookies(&away)).await
}

/// Asks as whoever holds this access token.
async fn me(world: &World, access: &str) -> (StatusCode, Value) {
    let request = Request::builder()
        .uri("/api/v1/me")
        .header(header::HOST, "localhost:8080")
        .header(header::AUTHORIZATION, format!("Bearer {access}"))
        .body(Body::empty())
        .unwrap();
    world.shop.send(request).await
}

async fn by_tab(world: &World, token: &str) -> (StatusCode, Value) {
    let request = Request::builder()
        .method("POST")
        .uri("/auth/teams")
        .header(header::HOST, "localhost:8080")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({ "token": token }).to_string()))
        .unwrap();
    world.shop.send(request).await
}

#[tokio::test]
async fn a_person_of_the_directory_signs_in_in_a_browser() {
    let world = World::open().await;
    let response = signs_in(&world, "sofia").await;
    assert_eq!(response.status(), StatusCode::FOUND, "{}", text(response).await);
    assert_eq!(location(&response), "/queues");
    let cookies = cookies(&response);
    assert_eq!(cookies.len(), 1, "only what buys access tokens stays: {cookies:?}");

    let request = Request::builder()
        .method("POST")
        .uri("/auth/refresh")
        .header(header::HOST, "localhost:8080")
        .header(header::COOKIE, &cookies[0])
        .body(Body::empty())
        .unwrap();
    let (status, signed_in) = world.shop.send(request).await;
    assert_eq!(status, StatusCode::OK, "{signed_in}");
    let (status, shown) = me(&world, signed_in["access_token"].as_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    assert!(shown.to_string().contains("Sofia Conti"), "{shown}");
    assert!(shown.to_string().contains("supervisor"), "by the app role of the directory: {shown}");
}

#[tokio::test]
async fn somebody_without_a_role_is_told_whom_to_ask() {
    let world = World::open().await;
    world.play(Method::Delete, &role_of("noor"), &json!({})).await;
    let response = signs_in(&world, "noor").await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(cookies(&response).is_empty());
    let page = text(response).await;
    assert!(page.contains("no_role") && page.contains("Ask an administrator"), "{page}");
}

fn role_of(user: &str) -> String {
    use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};
    format!("/sandbox/tenants/{CONTOSO}/apps/{TANDEM_APP}/roles/Expert/{user}")
}

#[tokio::test]
async fn a_sign_in_belongs_to_the_browser_that_began_it_and_is_used_once() {
    let world = World::open().await;
    let away = world.browse("/auth/entra/start", &[]).await;
    let back = world.at_entra(&location(&away), &[("user", "sofia"), ("consent", "accept")]).await;
    let other = world.browse(&back, &[]).await;
    assert_eq!(other.status(), StatusCode::FORBIDDEN);
    assert!(text(other).await.contains("sign_in_other_browser"));
    let mine = world.browse(&back, &cookies(&away)).await;
    assert_eq!(mine.status(), StatusCode::FOUND);
    let again = world.browse(&back, &cookies(&away)).await;
    assert!(text(again).await.contains("sign_in_unknown"));
}

#[tokio::test]
async fn a_person_who_declines_is_told_so() {
    let world = World::open().await;
    let away = world.browse("/auth/entra/start", &[]).await;
    let back = world.at_entra(&location(&away), &[("cancel", "1")]).await;
    let response = world.browse(&back, &cookies(&away)).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let page = text(response).await;
    assert!(page.contains("entra_") && page.contains("You are not signed in"), "{page}");

    let away = world.browse("/auth/entra/start", &[]).await;
    let back = world.at_entra(&location(&away), &[("cancel", "1")]).await;
    let page = text(world.browse_in("fr-FR, en;q=0.5", &back, &cookies(&away)).await).await;
    assert!(page.contains("lang=\"fr\"") && page.contains("Expliquez-lui"), "{page}");
}

#[tokio::test]
async fn the_token_of_the_tab_lets_a_person_in_without_a_cookie() {
    let world = World::open().await;
    let token = world.play(Method::Post, "/sandbox/tab-token", &json!({"user": "sofia"})).await;
    let (status, signed_in) = by_tab(&world, token["token"].as_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{signed_in}");
    let (status, _) = me(&world, signed_in["access_token"].as_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn wrong_tokens_let_nobody_in() {
    let world = World::open().await;
    for (forgery, code) in [
        (json!({"user": "sofia", "algorithm": "none"}), "token_algorithm"),
        (json!({"user": "sofia", "expired": true}), "token_expired"),
        (json!({"user": "sofia", "not_yet": true}), "token_not_yet"),
        (json!({"user": "sofia", "broken_signature": true}), "token_signature"),
        (json!({"user": "sofia", "foreign_key": true}), "token_signature"),
        (json!({"user": "sofia", "unknown_key": true}), "token_unknown_key"),
        (json!({"user": "sofia", "version": 1}), "token_version"),
        (json!({"user": "sofia", "scopes": ["something_else"]}), "token_scope"),
        (json!({"user": "ines"}), "token_tenant"),
        (json!({"roles": ["Supervisor"]}), "sign_in_not_a_person"),
    ] {
        let token = world.token(&forgery).await;
        let (status, refused) = by_tab(&world, &token).await;
        assert_eq!((status, refused["code"].as_str()), (StatusCode::UNAUTHORIZED, Some(code)), "{forgery}");
        assert!(!refused["remedy"].as_str().unwrap().is_empty());
    }
    let (status, refused) = by_tab(&world, "not a token").await;
    assert_eq!((status, refused["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("token_unreadable")));
}

/// The roles of whoever holds this access token.
async fn roles(world: &World, signed_in: &Value) -> String {
    let (status, shown) = me(world, signed_in["access_token"].as_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    shown.to_string()
}

/// What a tab gets for the token of a person, with the claims that are demanded of the person.
async fn at_tab(world: &World, token: &str) -> (StatusCode, Value, Option<String>) {
    let request = Request::builder()
        .method("POST")
        .uri("/auth/teams")
        .header(header::HOST, "localhost:8080")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({ "token": token }).to_string()))
        .unwrap();
    let response = world.shop.router.clone().oneshot(request).await.unwrap();
    let challenge = response.headers().get(header::WWW_AUTHENTICATE);
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    (status, serde_json::from_str(&text(response).await).unwrap(), challenge)
}

async fn tab_token(world: &World, user: &str) -> String {
    let token = world.play(Method::Post, "/sandbox/tab-token", &json!({"user": user})).await;
    token["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn groups_make_roles_also_where_they_are_too_many_for_a_token() {
    let world = World::open().await;
    for overage in [false, true] {
        let policy = json!({"group_overage": overage});
        world.play(Method::Put, "/sandbox/entra/policy", &policy).await;
        let (status, signed_in) = by_tab(&world, &tab_token(&world, "dana").await).await;
        assert_eq!(status, StatusCode::OK, "{signed_in}");
        let by_group = roles(&world, &signed_in).await;
        assert!(by_group.contains("supervisor"), "too many: {overage}: {by_group}");
        let (_, signed_in) = by_tab(&world, &tab_token(&world, "hana").await).await;
        let nobody = roles(&world, &signed_in).await;
        assert!(!nobody.contains("supervisor"), "too many: {overage}: {nobody}");
    }
    let response = signs_in(&world, "dana").await;
    assert_eq!(response.status(), StatusCode::FOUND, "in a browser too");
}

#[tokio::test]
async fn what_is_demanded_of_a_person_is_handed_to_the_tab() {
    let world = World::open().await;
    let token = tab_token(&world, "dana").await;
    let policy = json!({"group_overage": true, "mfa": ["dana"]});
    world.play(Method::Put, "/sandbox/entra/policy", &json!({"group_overage": true})).await;
    let overage = tab_token(&world, "dana").await;
    world.play(Method::Put, "/sandbox/entra/policy", &policy).await;
    let (status, refused, challenge) = at_tab(&world, &overage).await;
    assert_eq!((status, refused["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("entra_interaction")));
    assert!(challenge.unwrap().contains("insufficient_claims"));
    assert_eq!(by_tab(&world, &token).await.0, StatusCode::OK, "whose groups are listed needs no more");
}

#[tokio::test]
async fn a_token_that_graph_takes_no_longer_is_answered_with_what_it_demands() {
    let world = World::open().await;
    world.play(Method::Put, "/sandbox/entra/policy", &json!({"group_overage": true})).await;
    let token = tab_token(&world, "dana").await;
    let once = json!({"troubles": [{"path": "getMemberObjects", "times": 1, "what": "challenged"}]});
    world.play(Method::Put, "/sandbox/graph/switches", &once).await;
    let (status, refused, challenge) = at_tab(&world, &token).await;
    assert_eq!((status, refused["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("sign_in_again")));
    assert!(challenge.unwrap().contains("insufficient_claims"), "{refused}");
    let (status, signed_in) = by_tab(&world, &token).await;
    assert_eq!(status, StatusCode::OK, "the refused one is not used again: {signed_in}");
}

#[tokio::test]
async fn keys_that_roll_keep_nobody_out() {
    let world = World::open().await;
    let before = world.token(&json!({"user": "sofia"})).await;
    assert_eq!(by_tab(&world, &before).await.0, StatusCode::OK);
    world.play(Method::Post, "/sandbox/entra/keys/replace", &json!({})).await;
    let after = world.token(&json!({"user": "sofia"})).await;
    // The keys were fetched a moment ago; a stranger's key must not have them fetched each time.
    let (status, told) = by_tab(&world, &after).await;
    assert_eq!((status, told["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("token_unknown_key")));
    assert_eq!(by_tab(&world, &before).await.0, StatusCode::OK, "the old keys are kept meanwhile");
}

#[tokio::test]
async fn without_microsoft_nobody_is_sent_there() {
    let shop = crate::common::Shop::open().await;
    let request = Request::builder()
        .uri("/auth/entra/start")
        .header(header::HOST, "localhost:8080")
        .body(Body::empty())
        .unwrap();
    let response = shop.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(text(response).await.contains("no_microsoft"));
}
