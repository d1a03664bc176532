//! Anything at all is sent to Entra: it is answered, and nothing is given away.

use std::cell::RefCell;

use axum::body::Bytes;
use axum::http::{Request, StatusCode};
use proptest::prelude::*;

use crate::entra_room::Room;
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP, TANDEM_SECRET};
use tandem_sandbox::entra::jwt::{self, Parts};

/// Where requests go to.
const PATHS: [&str; 8] = [
    "/common/v2.0/.well-known/openid-configuration",
    "/contoso.example/discovery/v2.0/keys",
    "/common/oauth2/v2.0/token",
    "/organizations/oauth2/v2.0/authorize",
    "/common/v2.0/adminconsent",
    "/common/oauth2/deviceauth",
    "/common/oauth2/v2.0/logout",
    "/oidc/userinfo",
];

/// Names that mean something, with values that may.
fn form() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "grant_type",
        "scope",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "assertion",
        "requested_token_use",
        "device_code",
        "user",
        "password",
        "consent",
        "state",
        "response_type",
        "response_mode",
        "prompt",
        "login_hint",
        "claims",
        "otc",
        "step",
    ]);
    let value = prop_oneof![
        Just(TANDEM_APP.to_owned()),
        Just("authorization_code".to_owned()),
        Just("urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
        Just("urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()),
        Just("on_behalf_of".to_owned()),
        Just("https://graph.microsoft.com/.default".to_owned()),
        Just("http://localhost:8080/auth/entra/callback".to_owned()),
        Just("e30.e30.e30".to_owned()),
        Just("code".to_owned()),
        "\\PC{0,40}",
    ];
    prop::collection::vec((name, value), 0..12).prop_map(|pairs| {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        tandem_sandbox::entra::params::encoded(&pairs)
    })
}

#[test]
fn without_a_proof_nobody_gets_a_token() {
    let room = RefCell::new(Room::new());
    let mut runner = proptest::test_runner::TestRunner::default();
    let strategy = (prop::sample::select(PATHS.to_vec()), form(), form(), any::<bool>());
    runner
        .run(&strategy, |(path, query, body, post)| {
            let builder = if post {
                Request::post(format!("{path}?{query}"))
            } else {
                Request::get(format!("{path}?{query}"))
            };
            let request = builder
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Bytes::from(body))
                .unwrap();
            let response = room.borrow_mut().send(request);
            let text = String::from_utf8(response.body().to_vec()).unwrap();
            prop_assert!(!text.contains("access_token\":") && !text.contains(TANDEM_SECRET), "{}", text);
            prop_assert!(response.status() != StatusCode::INTERNAL_SERVER_ERROR);
            if let Some(location) = response.headers().get("location") {
                let location = location.to_str().unwrap();
                prop_assert!(
                    location.starts_with("http://localhost:8080/auth/entra/callback"),
                    "{}",
                    location
                );
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_bytes_in_a_form_are_refused_by_number() {
    let room = RefCell::new(Room::new());
    let mut runner = proptest::test_runner::TestRunner::default();
    runner
        .run(&prop::collection::vec(any::<u8>(), 0..300), |body| {
            let request = Request::post(format!("/{CONTOSO}/oauth2/v2.0/token"))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Bytes::from(body))
                .unwrap();
            let response = room.borrow_mut().send(request);
            prop_assert!(response.status().is_client_error());
            let answer: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            prop_assert!(answer["error_codes"][0].is_number(), "{}", answer);
            Ok(())
        })
        .unwrap();
    let json = Request::post(format!("/{CONTOSO}/oauth2/v2.0/token"))
        .header("content-type", "application/json")
        .body(Bytes::from("{}"))
        .unwrap();
    assert_eq!(room.borrow_mut().send(json).status(), 400, "a form is wanted");
}

#[test]
fn a_token_with_any_octet_changed_opens_nothing() {
    let mut room = Room::new();
    let token = room.entra.graph_app_token(
        &room.directory,
        room.now,
        &crate::entra_room::contoso(),
        &crate::entra_room::tandem(),
    );
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    let letters: Vec<char> = letters.chars().collect();
    let mut runner = proptest::test_runner::TestRunner::default();
    // The last letter of a part holds bits that mean nothing: there a change may be none.
    let strategy = (0..token.len() - 1, prop::sample::select(letters));
    runner
        .run(&strategy, |(place, letter)| {
            let mut changed: Vec<char> = token.chars().collect();
            changed[place] = letter;
            let changed: String = changed.into_iter().collect();
            prop_assume!(changed != token);
            prop_assert!(room.entra.graph_caller(room.now, &changed).is_err());
            Ok(())
        })
        .unwrap();
}

proptest! {
    #[test]
    fn any_text_is_a_token_or_none(text in "\\PC{0,200}") {
        if let Some(parts) = Parts::read(&text) {
            prop_assert!(parts.claims.is_object() && parts.header.is_object());
        }
    }

    #[test]
    fn what_is_written_is_read(name in "[a-z]{1,8}", value in "\\PC{0,40}", signature in prop::collection::vec(any::<u8>(), 0..64)) {
        let claims = serde_json::json!({ name.as_str(): value });
        let token = jwt::write(&serde_json::json!({ "alg": "RS256" }), &claims, |_| signature.clone());
        let parts = Parts::read(&token).unwrap();
        prop_assert_eq!(parts.text(&name), Some(value.as_str()));
        prop_assert_eq!(parts.signature, signature);
    }
}
