//! Signing in and staying in: passwords, invitations, the first start, refresh, and the end of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use common::{Shop, Street, request};
use serde_json::Value;
use tandem::identity::{self, FirstCredential, FirstPerson};
use tandem_people::login::SignIn;
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
        let (credential, address) = (FirstCredential::Password(password), [127, 0, 0, 1].into());
        tokio::spawn(
            async move { identity.accept_invitation(code, credential, address, String::new()).await },
        )
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

/// A person of the shop with a password, and the token with which they came in.
async fn nils(shop: &Shop, roles: &str) -> (String, String) {
    // Somebody stays in charge, whatever becomes of Nils.
    let other = r#"{"name":"Nora","user_name":"nora","roles":["administrator"]}"#;
    assert_eq!(shop.post("/api/v1/people", other).await.0, StatusCode::CREATED);
    let wish = format!(r#"{{"name":"Nils","user_name":"nils","roles":{roles}}}"#);
    let (status, nils) = shop.post("/api/v1/people", &wish).await;
    assert_eq!(status, StatusCode::CREATED, "{nils}");
    let id = nils["id"].as_str().unwrap().to_owned();
    let token = invited(shop, &id, PASSWORD).await;
    (id, token)
}

/// Invites somebody, who takes the invitation with this password. Answers with the access token.
async fn invited(shop: &Shop, id: &str, password: &str) -> String {
    let (_, link) = shop.post(&format!("/api/v1/people/{id}/invitation"), "").await;
    let body = format!(r#"{{"code":"{}","password":"{password}"}}"#, link["code"].as_str().unwrap());
    let (status, answer, _) = post(shop, "/auth/invitation", "", &body).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn by_password(shop: &Shop, password: &str) -> (StatusCode, Value) {
    let body = format!(r#"{{"user_name":"nils","password":"{password}"}}"#);
    let (status, answer, _) = post(shop, "/auth/password", "", &body).await;
    (status, answer["code"].clone())
}

#[tokio::test]
async fn who_is_disabled_while_signing_in_is_not_let_in_and_the_trail_says_so() {
    let shop = Shop::open().await;
    let (id, _) = nils(&shop, r#"["administrator"]"#).await;
    let known = tandem_people::person::Identity::Local { user_name: "nils".parse().unwrap() };
    let before = shop.identity.person_known_as(&known).unwrap().unwrap();
    let (status, _) = shop
        .send(request("PATCH", &format!("/api/v1/people/{id}"), Body::from(r#"{"enabled":false}"#)))
        .await;
    assert_eq!(status, StatusCode::OK);
    // The password was found right a moment before.
    let late = shop.identity.sign_in(&before, SignIn::Password, "Firefox", identity::now());
    assert_eq!(late.unwrap_err().to_string(), "this person may not sign in");
    assert!(shop.identity.logins(&before.id).is_empty());
    assert_eq!(by_password(&shop, PASSWORD).await, (StatusCode::FORBIDDEN, "disabled".into()));
    shop.identity.settle();
    let (_, trail) = shop.get("/api/v1/audit?act=login.open&outcome=refused").await;
    let codes: Vec<_> = trail["acts"].as_array().unwrap().iter().map(|act| &act["code"]).collect();
    assert_eq!(codes, ["disabled", "disabled"]);
}

#[tokio::test]
async fn who_is_demoted_while_signing_in_has_the_rights_of_now() {
    let shop = Shop::open().await;
    let (id, _) = nils(&shop, r#"["administrator"]"#).await;
    let known = tandem_people::person::Identity::Local { user_name: "nils".parse().unwrap() };
    let before = shop.identity.person_known_as(&known).unwrap().unwrap();
    let patch = r#"{"roles":["agent"]}"#;
    let changed =
        shop.send(request("PATCH", &format!("/api/v1/people/{id}"), Body::from(patch.to_owned()))).await;
    assert_eq!(changed.0, StatusCode::OK, "{}", changed.1);
    let tokens = shop.identity.sign_in(&before, SignIn::Password, "Firefox", identity::now()).unwrap();
    let (_, me) = me(&shop, tokens.access.expose()).await;
    assert_eq!(me["roles"][0]["role"], "agent");
    assert_eq!(me["roles"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_takes_an_invitation_is_the_only_one_who_gets_in() {
    let shop = Shop::open().await;
    let (id, first) = nils(&shop, r#"["agent"]"#).await;
    assert_eq!(by_password(&shop, PASSWORD).await.0, StatusCode::OK);
    let again = invited(&shop, &id, "yellow kettle under the bridge").await;
    assert_eq!(me(&shop, &first).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&shop, &again).await.0, StatusCode::OK);
    assert_eq!(by_password(&shop, PASSWORD).await.0, StatusCode::UNAUTHORIZED);
    let (_, trail) = shop.get("/api/v1/audit?act=invitation.accept").await;
    assert_eq!(trail["acts"].as_array().unwrap().len(), 2, "{trail}");
}

#[tokio::test]
async fn wrong_codes_of_the_first_start_make_whoever_guesses_wait() {
    let shop = Shop::open().await;
    let code = shop.identity.open_setup(identity::now());
    let body = |code: &str| {
        format!(r#"{{"code":"{code}","user_name":"olga","name":"Olga","password":"{PASSWORD}"}}"#)
    };
    let mut wrong = 0;
    loop {
        match post(&shop, "/auth/setup", "", &body("AAAAA-AAAAA")).await.0 {
            StatusCode::FORBIDDEN => wrong += 1,
            status => break assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
        }
        assert!(wrong < 50, "whoever guesses waits");
    }
    let first = FirstPerson { code, user_name: "olga".parse().unwrap(), name: "Olga".into() };
    let password = FirstCredential::Password(tandem_people::secret::Secret::new(PASSWORD.to_owned()));
    let elsewhere = [198, 51, 100, 7].into();
    assert!(shop.identity.set_up(first, password, elsewhere, String::new()).await.is_ok());
    let (_, trail) = shop.get("/api/v1/installation/audit?act=setup.redeem&outcome=refused").await;
    assert_eq!(trail["acts"].as_array().unwrap().len(), wrong, "who waits is not looked at: {trail}");
}

#[tokio::test]
async fn a_login_that_was_ended_while_the_disk_failed_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let settings = tandem::identity::IdentitySettings::default();
        tandem::identity::Identity::open(folder.path(), None, settings, identity::now()).unwrap()
    };
    let identity = open();
    let wish = tandem::identity::NewPerson {
        name: "Nils".into(),
        user_name: Some("nils".parse().unwrap()),
        roles: [tandem_people::role::Role::Agent].into(),
        ..tandem::identity::NewPerson::default()
    };
    let (console, scope) =
        (tandem_people::caller::Caller::console(), tandem_people::scope::Scope::tenant("default"));
    let nils = identity.person_create(&console, &scope, wish, identity::now()).unwrap();
    let signed_in = || identity.sign_in(&nils, SignIn::Password, "Firefox", identity::now()).unwrap();
    let tokens = [signed_in(), signed_in()];
    let file = rusqlite::Connection::open(folder.path().join("people.db")).unwrap();
    let full = "CREATE TRIGGER full BEFORE UPDATE ON logins BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    file.execute_batch(full).unwrap();
    let why = tandem_people::login::Ending::Revoked;
    assert!(identity.logins_revoke(&nils.id, None, why, identity::now()).is_err());
    let is_known = |token: &tandem::identity::Tokens| {
        identity.authenticate(token.access.expose().as_bytes(), identity::now())
    };
    assert!(tokens.iter().all(|token| is_known(token).is_err()), "they have ended all the same");
    file.execute_batch("DROP TRIGGER full").unwrap();
    let written = async {
        let ended = || -> i64 {
            let all = "SELECT count(*) FROM logins WHERE revoked_ms IS NOT NULL";
            file.query_row(all, [], |row| row.get(0)).unwrap()
        };
        while ended() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = identity.tend() => {}
        written = tokio::time::timeout(std::time::Duration::from_secs(30), written) => written.unwrap(),
    }
    drop(identity);
    assert!(open().logins(&nils.id).is_empty());
}
