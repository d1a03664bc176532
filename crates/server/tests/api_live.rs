//! The live web socket: the state at a number, then every fact after it, and nothing missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use common::{Shop, Street};
use futures_util::{SinkExt, StreamExt};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tandem::api::access::{Access, Token};
use tandem_people::scope::Scope;
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const PATIENCE: Duration = Duration::from_secs(60);
/// How often both ends of a handshake take a turn: more than it has messages.
const ROUNDS: usize = 16;

/// A browser window, connected without a socket of the system.
struct Window(WebSocketStream<DuplexStream>);

impl Window {
    async fn open(router: &Router, headers: &[(&'static str, &str)]) -> Result<Window, Error> {
        let (near, far) = tokio::io::duplex(4 * 1024);
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(far), service).with_upgrades());
        let mut request = "ws://localhost:8080/live".into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (stream, _) = tokio_tungstenite::client_async(request, near).await?;
        Ok(Window(stream))
    }

    /// A window of somebody who may follow.
    async fn follow(router: &Router) -> Result<Window, Error> {
        Window::open(router, &[("Authorization", &format!("Bearer {TOKEN}"))]).await
    }

    async fn message(&mut self) -> Message {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("it comes in time");
            match message.expect("the connection stands").unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    async fn json(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            message => panic!("unexpected {message:?}"),
        }
    }

    /// Reads to the end, however it comes. Answers with the code of the close, if one came.
    async fn end(&mut self) -> Option<CloseCode> {
        let end = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, end).await.expect("it ends")
    }

    /// Reads facts until this number, checks that none is missing, and returns their kinds.
    async fn facts(&mut self, after: u64, until: u64) -> Vec<String> {
        let (mut number, mut kinds) = (after, Vec::new());
        while number < until {
            let message = self.json().await;
            assert_eq!(message["type"], "facts");
            for fact in message["facts"].as_array().unwrap() {
                number += 1;
                assert_eq!(fact["number"], number, "no fact is missing");
                kinds.push(fact["kind"].as_str().unwrap().to_owned());
            }
        }
        kinds
    }
}

#[tokio::test]
async fn first_the_state_then_every_fact_after_it() {
    let shop = Shop::open().await;
    shop.put("/api/v1/agents/anna/state", r#"{"state":"available"}"#).await;
    let mut window = Window::follow(&shop.router).await.unwrap();
    let state = window.json().await;
    assert_eq!(state["type"], "state");
    assert!(state["now"].as_u64().is_some());
    let number = state["number"].as_u64().unwrap();
    assert_eq!(number, shop.live.view().live.number);
    assert_eq!(state["state"]["live"]["agents"]["anna"]["state"], "available");

    shop.call(1).await;
    let kinds = window.facts(number, shop.live.view().live.number).await;
    assert_eq!(kinds.first().unwrap(), "arrived");
    assert!(kinds.contains(&"connected".to_owned()), "{kinds:?}");
}

#[tokio::test]
async fn two_windows_that_join_at_different_times_end_with_the_same_state() {
    use std::sync::Arc;
    use tandem_center::fact::Fact;
    let shop = Shop::open().await;
    let mut early = Window::follow(&shop.router).await.unwrap();
    let begun = early.json().await["number"].as_u64().unwrap();
    let mut view = (*shop.live.view()).clone();
    assert_eq!(view.live.number, begun);
    for call in 1..=20 {
        shop.call(call).await;
        if call % 3 == 0 {
            shop.hang_up(call).await;
        }
    }
    let end = shop.live.view().live.number;
    let mut number = begun;
    while number < end {
        for fact in early.json().await["facts"].as_array().unwrap() {
            let fact: Fact = serde_json::from_value(fact.clone()).unwrap();
            number = fact.number;
            view.apply(&Arc::new(fact));
        }
    }
    let mut late = Window::follow(&shop.router).await.unwrap();
    let state = late.json().await;
    assert_eq!(state["number"], end);
    assert_eq!(state["state"], serde_json::to_value(&view).unwrap(), "state and facts make state");
}

#[tokio::test]
async fn a_window_that_falls_too_far_behind_is_told_to_start_again() {
    let shop = Shop::open().await;
    let mut window = Window::follow(&shop.router).await.unwrap();
    window.json().await;
    // Nobody reads the window while more groups are committed than are kept.
    for round in 0..(tandem::live::GROUPS_KEPT + 100) {
        let state = if round % 2 == 0 { "available" } else { "offline" };
        let (status, _) = shop.put("/api/v1/agents/anna/state", &format!(r#"{{"state":"{state}"}}"#)).await;
        assert!(status.is_success());
    }
    // On a machine so slow that the window did not move for ten seconds, it was cut off instead.
    let end = window.end().await;
    assert!(matches!(end, Some(CloseCode::Library(4408)) | None), "{end:?}");
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_open_it() {
    let shop = Shop::open().await;
    for (header, value) in [("Origin", "https://evil.example"), ("Host", "evil.example")] {
        let error = Window::open(&shop.router, &[(header, value)]).await.err().unwrap();
        assert!(matches!(error, Error::Http(response) if response.status() == 403));
    }
    assert!(Window::open(&shop.router, &[("Origin", "http://localhost:8080")]).await.is_ok());
}

#[tokio::test]
async fn where_a_token_is_demanded_it_comes_as_a_header_or_as_the_first_message() {
    let access =
        Access::new("0.0.0.0:8443".parse().unwrap(), true, Some(Token::parse(TOKEN).unwrap())).unwrap();
    let shop = Shop::open_with(tempfile::tempdir().unwrap(), access).await;

    let mut program =
        Window::open(&shop.router, &[("Authorization", &format!("Bearer {TOKEN}"))]).await.unwrap();
    assert_eq!(program.json().await["type"], "state");
    let error = Window::open(&shop.router, &[("Authorization", "Bearer wrong")]).await.err().unwrap();
    assert!(matches!(error, Error::Http(response) if response.status() == 401));

    let mut browser = Window::open(&shop.router, &[]).await.unwrap();
    browser.0.send(Message::text(format!(r#"{{"token":"{TOKEN}"}}"#))).await.unwrap();
    assert_eq!(browser.json().await["type"], "state");

    for wrong in [r#"{"token":"wrong"}"#, "hello"] {
        let mut stranger = Window::open(&shop.router, &[]).await.unwrap();
        stranger.0.send(Message::text(wrong)).await.unwrap();
        let Message::Close(Some(close)) = stranger.message().await else { panic!("a stranger sees nothing") };
        assert_eq!(close.code, CloseCode::Library(4401));
    }
}

#[tokio::test]
async fn a_window_closes_when_its_login_ends_or_its_role_is_taken() {
    let street = Street::open().await;
    let tokens = street.tokens("sam");
    let greeting = |token: &str| Message::text(format!(r#"{{"token":"{token}","tenant":"north"}}"#));
    let mut window = Window::open(&street.router, &[]).await.unwrap();
    window.0.send(greeting(tokens.access.expose())).await.unwrap();
    assert_eq!(window.json().await["type"], "state");
    // Another login of the same person ends, and this window stays; then its own does.
    let other = street.tokens("sam");
    let revoke = |login: &tandem_people::id::LoginId| {
        let ending = tandem_people::login::Ending::Revoked;
        let now = tandem::identity::now();
        street.identity.login_revoke(&street.person("sam").id, login, ending, now).unwrap();
    };
    revoke(&other.login);
    let mut fresh = Window::open(&street.router, &[]).await.unwrap();
    fresh.0.send(greeting(tokens.access.expose())).await.unwrap();
    assert_eq!(fresh.json().await["type"], "state");
    // A window that was brought a token of another login in time outlives the one it began with.
    let next = street.tokens("sam");
    fresh.0.send(greeting(next.access.expose())).await.unwrap();
    fresh.0.send(Message::Ping(Vec::new().into())).await.unwrap();
    while !matches!(fresh.0.next().await, Some(Ok(Message::Pong(_)))) {}
    revoke(&tokens.login);
    assert_eq!(window.end().await, Some(CloseCode::Library(4401)));
    street.ask(&street.token("ada"), "PUT", "/api/v1/agents/anna/state", r#"{"state":"break"}"#).await;
    assert_eq!(fresh.json().await["type"], "facts");
    revoke(&next.login);
    assert_eq!(fresh.end().await, Some(CloseCode::Library(4401)));
}

#[tokio::test]
async fn a_key_that_is_revoked_while_its_window_opens_shows_nothing() {
    let street = Street::open().await;
    let wish = r#"{"name":"a wallboard","scopes":["live:read"]}"#;
    let (_, key) = street.ask(&street.token("ada"), "POST", "/api/v1/keys", wish).await;
    let (near, far) = tokio::io::duplex(4 * 1024);
    let service = TowerToHyperService::new(street.router.clone());
    let mut serving =
        pin!(http1::Builder::new().serve_connection(TokioIo::new(far), service).with_upgrades());
    let mut request = "ws://localhost:8080/live".into_client_request().unwrap();
    let token = format!("Bearer {}", key["secret"].as_str().unwrap());
    request.headers_mut().insert("Authorization", token.parse().unwrap());
    let mut opening = pin!(tokio_tungstenite::client_async(request, near));
    let mut is_served = false;
    // In one breath, so that what follows the handshake has not begun yet.
    let opened = poll_fn(|context| {
        for _ in 0..ROUNDS {
            if let Poll::Ready(opened) = opening.as_mut().poll(context) {
                return Poll::Ready(opened);
            }
            is_served = is_served || serving.as_mut().poll(context).is_ready();
        }
        Poll::Pending
    });
    let mut window = Window(opened.await.unwrap().0);
    let (north, id) = (Scope::tenant("north"), key["key"]["id"].as_str().unwrap().parse().unwrap());
    street.identity.key_revoke(&north, &id, tandem::identity::now()).unwrap();
    assert!(
        matches!(window.message().await, Message::Close(Some(close)) if close.code == CloseCode::Library(4401))
    );
}

#[tokio::test]
async fn nobody_follows_another_tenant_or_without_the_permission() {
    let street = Street::open().await;
    for (who, tenant) in [("anna", "north"), ("sam", "south"), ("olga", "north")] {
        let mut window = Window::open(&street.router, &[]).await.unwrap();
        let text = format!(r#"{{"token":"{}","tenant":"{tenant}"}}"#, street.token(who));
        window.0.send(Message::text(text)).await.unwrap();
        assert_eq!(window.end().await, Some(CloseCode::Library(4403)), "{who} in {tenant}");
    }
}

#[tokio::test]
async fn who_may_not_follow_is_in_the_trail_of_who_tried_or_of_whom_they_tried_it_with() {
    let street = Street::open().await;
    let (anna, ada, olga) = (street.token("anna"), street.token("ada"), street.token("olga"));
    let greeting = |token: &str, tenant: &str| format!(r#"{{"token":"{token}","tenant":"{tenant}"}}"#);
    // By the header as a program, and by the first message as a page.
    for (token, tenant) in [(&anna, "north"), (&ada, "south"), (&olga, "south")] {
        let headers = [("Authorization", format!("Bearer {token}")), ("Tandem-Tenant", tenant.to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert!(Window::open(&street.router, &headers).await.is_err());
        let mut window = Window::open(&street.router, &[]).await.unwrap();
        window.0.send(Message::text(greeting(token, tenant))).await.unwrap();
        assert_eq!(window.end().await, Some(CloseCode::from(4403)));
    }
    let twice = |code: &str| {
        [("live".into(), "live".into(), code.to_owned()), ("live".into(), "live".into(), code.to_owned())]
    };
    assert_eq!(street.refused("south").await, twice("not_permitted"), "an operator's attempt");
    let north = street.refused("north").await;
    assert_eq!(north[..2], twice("not_yours"), "ada's, with another tenant");
    assert_eq!(north[2..], twice("not_permitted"), "anna's, who is an agent");
    // A stranger's stands in the trail of the installation.
    let mut window = Window::open(&street.router, &[]).await.unwrap();
    window.0.send(Message::text(greeting("tda_wrong", "north"))).await.unwrap();
    assert_eq!(window.end().await, Some(CloseCode::from(4401)));
    let path = "/api/v1/installation/audit?outcome=refused";
    let (_, page) = street.ask(common::ROOT, "GET", path, "").await;
    assert_eq!(page["acts"][0]["act"], "live", "{page}");
}
