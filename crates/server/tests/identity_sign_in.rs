//! Signing in and staying in: passwords, invitations, the first start, refresh, and the end of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use common::{Shop, Street, request};
use serde_json::Value;
use tandem::identity::{self, FirstCredential};
use tower::ServiceExt;

const PASSWORD: &str = "purple teapot on the roof";

/// Asks with a cookie, or without; answers with the cookie that came back.
async fn post(shop: &Shop, path: &str, cookie: &str, body: &str) -> (StatusCode, Value, HeaderMap) {
    let mut request = request("POST", path, Body::from(body.to_owned()));
    request.headers_mut().remove("Authorization");
    if !cookie.is_empty() {
        request.headers_mut().insert("Cookie", cookie.parse().unwrap());
    }
    let response = shop.router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default(), headers)
}

/// The first operator, by the code on the console. Answers with the cookie and the access token.
async fn set_up(shop: &Shop) -> (String, String) {
    let code = shop.identity.open_setup(identity::now());
    let body = format!(
        r#"{{"code":"{}","user_name":"Olga","name":"Olga","password":"{PASSWORD}"}}"#,
        code.expose().to_lowercase()
    );
    let (status, answer, headers) = post(shop, "/auth/setup", "", &body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, again, _) = post(shop, "/auth/setup", "", &body.replace("Olga", "oskar")).await;
    assert_eq!((status, &again["code"]), (StatusCode::FORBIDDEN, &"setup_closed".into()), "it is good once");
    (cookie(&headers), answer["access_token"].as_str().unwrap().to_owned())
}

fn cookie(headers: &HeaderMap) -> String {
    let all = headers["set-cookie"].to_str().unwrap();
    all.split(';').next().unwrap().to_owned()
}

async fn me(shop: &Shop, token: &str) -> (StatusCode, Value) {
    let mut request = request("GET", "/api/v1/me", Body::empty());
    request.headers_mut().insert("Authorization", format!("Bearer {token}").parse().unwrap());
    shop.send(request).await
}

#[tokio::test]
async fn while_nobody_is_in_charge_the_code_on_the_console_lets_the_first_person_in() {
    let shop = Shop::open().await;
    assert!(shop.identity.nobody_is_in_charge().unwrap());
    // Without the code nothing else is looked at; with it, whoever mistypes tries again.
    let wish = |code: &str| format!(r#"{{"code":"{code}","user_name":"a","name":"A","password":"x"}}"#);
    assert_eq!(post(&shop, "/auth/setup", "", &wish("x")).await.0, StatusCode::FORBIDDEN);
    let code = shop.identity.open_setup(tandem::identity::now());
    assert_eq!(post(&shop, "/auth/setup", "", &wish(code.expose())).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(post(&shop, "/auth/setup", "", &wish("x")).await.0, StatusCode::FORBIDDEN);
    assert!(shop.identity.is_setting_up(tandem::identity::now()));
    let (_, token) = set_up(&shop).await;
    let (_, olga) = me(&shop, &token).await;
    assert_eq!(olga["roles"][0]["role"], "operator");
    assert_eq!(olga["tenants"][0]["tenant"], "default", "administrator of the only tenant, too: {olga}");
    assert!(!shop.identity.nobody_is_in_charge().unwrap());
}

#[tokio::test]
async fn a_password_lets_in_and_guesses_have_to_wait() {
    let shop = Shop::open().await;
    set_up(&shop).await;
    let right = format!(r#"{{"user_name":"OLGA","password":"{PASSWORD}"}}"#);
    let (status, _, headers) = post(&shop, "/auth/password", "", &right).await;
    assert_eq!(status, StatusCode::OK);
    let all = headers["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/auth"] {
        assert!(all.contains(part), "{all}");
    }
    let nobody = r#"{"user_name":"nobody","password":"purple teapot on the roof"}"#;
    let (_, unknown, _) = post(&shop, "/auth/password", "", nobody).await;
    let wrong = right.replace("teapot", "kettle");
    // Each failure makes the pause twice as long: however slow this machine is, some guess comes within it.
    let mut guesses = 1;
    let (answer, headers) = loop {
        let (status, answer, headers) = post(&shop, "/auth/password", "", &wrong).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            break (answer, headers);
        }
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer, unknown, "whether there is such a person is not told");
        guesses += 1;
    };
    assert!(guesses >= 6, "people mistype");
    assert_eq!(answer["code"], "too_many_attempts");
    assert!(headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    let (_, trail) =
        shop.get("/api/v1/installation/audit?act=login.open&outcome=refused.wrong_credential").await;
    assert_eq!(trail["acts"].as_array().unwrap().len(), guesses, "each guess is in the trail: {trail}");
}

#[tokio::test]
async fn the_cookie_buys_the_next_token_once_and_one_that_comes_back_later_ends_the_login() {
    let shop = Shop::open().await;
    let (first, token) = set_up(&shop).await;
    let (status, answer, headers) = post(&shop, "/auth/refresh", &first, "").await;
    assert_eq!(status, StatusCode::OK);
    let next = answer["access_token"].as_str().unwrap().to_owned();
    let second = cookie(&headers);
    assert_ne!(first, second);
    for token in [&token, &next] {
        assert_eq!(me(&shop, token).await.0, StatusCode::OK, "both are good until they expire");
    }
    let (status, _, headers) = post(&shop, "/auth/refresh", &first, "").await;
    assert_eq!(status, StatusCode::OK, "two tabs renew in the same moment");
    assert!(!headers.contains_key("set-cookie"), "and only one of them gets the cookie");

    // A minute later it is a thief, or the thief was the other one.
    let stolen = tandem_people::secret::Secret::new(first.split_once('=').unwrap().1.to_owned());
    let later = identity::now() + std::time::Duration::from_secs(60);
    assert!(shop.identity.refresh(&stolen, later).is_err());
    for token in [&token, &next] {
        assert_eq!(me(&shop, token).await.0, StatusCode::UNAUTHORIZED, "the login is over for both");
    }
    assert_eq!(post(&shop, "/auth/refresh", &second, "").await.0, StatusCode::UNAUTHORIZED);
    let (_, trail) = shop.get("/api/v1/installation/audit?outcome=refused.stolen").await;
    assert_eq!(trail["acts"][0]["act"], "login.refresh", "{trail}");
}

#[tokio::test]
async fn who_signed_in_stays_signed_in_over_a_restart_and_who_signed_out_does_not() {
    let shop = Shop::open().await;
    let (stays, _) = set_up(&shop).await;
    let right = format!(r#"{{"user_name":"olga","password":"{PASSWORD}"}}"#);
    let (_, answer, headers) = post(&shop, "/auth/password", "", &right).await;
    let leaves = cookie(&headers);
    let token = answer["access_token"].as_str().unwrap();
    let mut out = request("POST", "/auth/sign-out", Body::empty());
    out.headers_mut().insert("Authorization", format!("Bearer {token}").parse().unwrap());
    assert_eq!(shop.send(out).await.0, StatusCode::NO_CONTENT);
    assert_eq!(me(&shop, token).await.0, StatusCode::UNAUTHORIZED);

    let shop = shop.restart().await;
    assert_eq!(post(&shop, "/auth/refresh", &leaves, "").await.0, StatusCode::UNAUTHORIZED);
    let (status, answer, _) = post(&shop, "/auth/refresh", &stays, "").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(me(&shop, answer["access_token"].as_str().unwrap()).await.1["user_name"], "olga");
}

#[tokio::test]
async fn an_invitation_sets_a_password_once() {
    let street = Street::open().await;
    let ada = street.token("ada");
    let anna = street.person("anna").id;
    let (status, link) = street.ask(&ada, "POST", &format!("/api/v1/people/{anna}/invitation"), "").await;
    assert_eq!(status, StatusCode::CREATED, "{link}");
    let body = format!(r#"{{"code":"{}","password":"{PASSWORD}"}}"#, link["code"].as_str().unwrap());
    let weak = body.replace(PASSWORD, "password1234");
    assert_eq!(street.ask("", "POST", "/auth/invitation", &weak).await.1["code"], "common");
    let (status, answer) = street.ask("", "POST", "/auth/invitation", &body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (_, me) = street.ask(answer["access_token"].as_str().unwrap(), "GET", "/api/v1/me", "").await;
    assert_eq!((&me["agent"], &me["tenant"]), (&"anna".into(), &"north".into()));
    assert_eq!(me["roles"][0]["origin"], "configuration");
    assert_eq!(street.ask("", "POST", "/auth/invitation", &body).await.0, StatusCode::UNAUTHORIZED);
    let (status, refused) = street.ask("", "POST", "/auth/demo", r#"{"user_name":"anna"}"#).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "nobody signs in with one click here: {refused}");
}

#[tokio::test]
async fn a_token_that_has_expired_says_so() {
    let street = Street::open().await;
    let token = street.token("anna");
    let later = identity::now() + std::time::Duration::from_secs(16 * 60);
    let fault = street.identity.authenticate(token.as_bytes(), later).unwrap_err();
    assert_eq!(fault, identity::Stranger::Expired);
    assert!(street.identity.authenticate(token.as_bytes(), identity::now()).is_ok());
}

#[tokio::test]
async fn an_invitation_is_good_once_also_for_those_who_come_at_the_same_time() {
    let shop = Shop::open().await;
    let wish = r#"{"name":"Nils","user_name":"nils","roles":["agent"]}"#;
    let (_, nils) = shop.post("/api/v1/people", wish).await;
    let path = format!("/api/v1/people/{}/invitation", nils["id"].as_str().unwrap());
    let (_, link) = shop.post(&path, "").await;
    let code = link["code"].as_str().unwrap();
    // A password that is not good enough uses nothing up.
    let accept = |password: &str| {
        let password = tandem_people::secret::Secret::new(password.to_owned());
        let (identity, code) = (shop.identity.clone(), code.to_owned());
        tokio::spawn(async move {
            identity.accept_invitation(code, FirstCredential::Password(password), String::new()).await
        })
    };
    assert!(accept("short").await.unwrap().is_err());
    let tries = [PASSWORD, "yellow kettle under the bridge", PASSWORD, PASSWORD].map(accept);
    let mut let_in = 0;
    for one in tries {
        match one.await.unwrap() {
            Ok(_) => let_in += 1,
            Err(fault) => assert_eq!(fault.to_string(), "this does not let anybody in"),
        }
    }
    assert_eq!(let_in, 1);
}
