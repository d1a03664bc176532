//! Somebody signs in in a browser.

use jiff::SignedDuration;
use serde_json::json;

use crate::entra_room::{CALLBACK, CHALLENGE, Room, VERIFIER, assert_refused, claims, is_signed_by, tandem};
use tandem_sandbox::config::app::{CONTOSO, FABRIKAM, TANDEM_APP};
use tandem_sandbox::config::{AppConfig, SandboxConfig, UserConfig};
use tandem_sandbox::directory::EntraTenantId;

#[test]
fn a_person_chooses_an_account_and_the_application_gets_tokens() {
    let mut room = Room::new();
    let address = Room::authorise(CONTOSO, &[]);
    let page = room.visit(&address, None);
    assert_eq!(page.status, 200);
    assert!(page.html.contains("Pick an account") && page.html.contains("alice@contoso.example"));
    assert!(!page.html.contains("Duarte"), "people of other tenants are not shown");
    let back = room.visit(&address, Some(&[("user", "alice")]));
    assert_eq!(back.status, 302);
    assert!(back.location.as_ref().unwrap().starts_with("http://localhost:8080/auth/entra/callback?code="));
    assert_eq!(back.answer("state").unwrap(), "the-state");

    let (status, tokens) = room.redeem(CONTOSO, &back.answer("code").unwrap());
    assert_eq!(status, 200, "{tokens}");
    let keys = room.get("/common/discovery/v2.0/keys").1;
    assert!(is_signed_by(&tokens["id_token"], &keys) && is_signed_by(&tokens["access_token"], &keys));
    assert_eq!(tokens["scope"], format!("api://localhost/{TANDEM_APP}/access_as_user"));

    let id = claims(&tokens["id_token"]);
    let issuer = format!("https://login.microsoftonline.com/{CONTOSO}/v2.0");
    assert_eq!(
        (&id["iss"], &id["aud"], &id["nonce"]),
        (&json!(issuer), &json!(TANDEM_APP), &json!("the-nonce"))
    );
    assert_eq!((&id["tid"], &id["ver"]), (&json!(CONTOSO), &json!("2.0")));
    assert_eq!(id["oid"], room.object_id("alice").as_str());
    assert_eq!(
        (&id["preferred_username"], &id["name"]),
        (&json!("alice@contoso.example"), &json!("Alice Reyes"))
    );
    assert_eq!(id["roles"], json!(["Agent"]));

    let access = claims(&tokens["access_token"]);
    assert_eq!(
        (&access["aud"], &access["azp"], &access["azpacr"]),
        (&json!(TANDEM_APP), &json!(TANDEM_APP), &json!("1"))
    );
    assert_eq!(
        (&access["scp"], &access["acct"], &access["idtyp"]),
        (&json!("access_as_user"), &json!(0), &json!("user"))
    );
    assert_eq!(
        access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap() - 1,
        tokens["expires_in"].as_i64().unwrap()
    );
    assert_ne!(id["sub"], id["oid"], "pairwise");
}

#[test]
fn a_code_is_good_once_for_ten_minutes_and_for_its_own_request_only() {
    let mut room = Room::new();
    let code = room.code_of(CONTOSO, "alice", &[]);
    let with = |room: &mut Room, code: &str, uri: &str, verifier: &str| {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", uri),
            ("code_verifier", verifier),
        ];
        room.tandem_token(CONTOSO, &pairs)
    };
    let wrong_uri = with(&mut room, &code, "http://localhost:8080/auth/consent/callback", VERIFIER);
    assert_refused(&wrong_uri, 400, "invalid_request", 50_011);
    let wrong_verifier = with(&mut room, &code, CALLBACK, "guessed");
    assert_refused(&wrong_verifier, 400, "invalid_grant", 501_481);
    let no_verifier = with(&mut room, &code, CALLBACK, "");
    assert_refused(&no_verifier, 400, "invalid_grant", 50_148);
    let unknown = with(&mut room, "1.unknown", CALLBACK, VERIFIER);
    assert_refused(&unknown, 400, "invalid_grant", 70_000);
    let without_secret = room.token(
        CONTOSO,
        &[
            ("grant_type", "authorization_code"),
            ("client_id", TANDEM_APP),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ],
    );
    assert_refused(&without_secret, 401, "invalid_client", 7_000_218);
    assert_eq!(with(&mut room, &code, CALLBACK, VERIFIER).0, 200);
    assert_refused(&with(&mut room, &code, CALLBACK, VERIFIER), 400, "invalid_grant", 54_005);

    room.forget_browser();
    let late = room.code_of(CONTOSO, "alice", &[]);
    room.passes(SignedDuration::from_mins(10));
    assert_refused(&with(&mut room, &late, CALLBACK, VERIFIER), 400, "invalid_grant", 70_008);
}

#[test]
fn nothing_is_sent_to_an_address_that_is_not_registered() {
    let mut room = Room::new();
    for (name, value, code) in [
        ("redirect_uri", "https://evil.example/auth/entra/callback", "AADSTS50011"),
        ("redirect_uri", "http://localhost:1@evil.example/auth/entra/callback", "AADSTS50011"),
        ("client_id", "99999999-0000-4000-8000-000000000000", "AADSTS700016"),
        ("response_mode", "pigeon", "AADSTS9002313"),
    ] {
        let seen = room.visit(&Room::authorise(CONTOSO, &[(name, value)]), None);
        assert_eq!((seen.status, &seen.location), (400, &None));
        assert!(seen.html.contains(code), "{code}: {}", seen.html);
    }
}

#[test]
fn the_application_is_told_what_is_wrong_with_its_wish() {
    let mut room = Room::new();
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "api://nowhere/x", "invalid_resource"),
        ("scope", "", "invalid_request"),
        ("prompt", "none", "login_required"),
        ("code_challenge_method", "S512", "invalid_request"),
    ] {
        let seen = room.visit(&Room::authorise(CONTOSO, &[(name, value)]), None);
        assert_eq!(seen.answer("error").as_deref(), Some(error), "{name}={value}: {seen:?}");
        assert_eq!(seen.answer("state").as_deref(), Some("the-state"));
        assert!(seen.answer("error_description").unwrap().starts_with("AADSTS"));
    }
    let cancelled = room.visit(&Room::authorise(CONTOSO, &[]), Some(&[("cancel", "yes")]));
    assert_eq!(cancelled.answer("error").as_deref(), Some("access_denied"));
    assert!(cancelled.answer("error_description").unwrap().starts_with("AADSTS65004"));
}

#[test]
fn a_browser_remembers_who_is_signed_in_until_he_signs_out() {
    let mut room = Room::new();
    room.code_of(CONTOSO, "alice", &[]);
    let silent = room.visit(&Room::authorise(CONTOSO, &[("prompt", "none")]), None);
    assert!(silent.answer("code").is_some(), "{silent:?}");
    assert!(room.visit(&Room::authorise(CONTOSO, &[]), None).answer("code").is_some());
    let asked = room.visit(&Room::authorise(CONTOSO, &[("prompt", "select_account")]), None);
    assert!(asked.html.contains("Signed in"));
    let other = room.visit(
        &Room::authorise(CONTOSO, &[("prompt", "none"), ("login_hint", "bela@contoso.example")]),
        None,
    );
    assert_eq!(other.answer("error").as_deref(), Some("login_required"));

    let out = "/common/oauth2/v2.0/logout?post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Fauth%2Fentra%2Fcallback";
    assert_eq!(room.visit(out, None).location.as_deref(), Some(CALLBACK));
    let again = room.visit(&Room::authorise(CONTOSO, &[("prompt", "none")]), None);
    assert_eq!(again.answer("error").as_deref(), Some("login_required"));
    let stranger =
        room.visit("/common/oauth2/v2.0/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example", None);
    assert_eq!((stranger.status, stranger.location), (200, None));
}

#[test]
fn a_password_is_asked_of_who_has_one() {
    let mut room = Room::new();
    let alice = room.object_id("alice");
    let set = |user: &mut tandem_sandbox::directory::User| user.password = Some("correct horse".to_owned());
    room.directory.change_user(&crate::entra_room::contoso(), &alice, set).unwrap();
    let address = Room::authorise(CONTOSO, &[]);
    let page = room.visit(&address, Some(&[("user", "alice")]));
    assert!(page.status == 200 && page.html.contains("Enter password"));
    let wrong = room.visit(&address, Some(&[("user", "alice"), ("password", "battery staple")]));
    assert_eq!(wrong.status, 401);
    assert!(wrong.html.contains("AADSTS50126") && wrong.html.contains("role=\"alert\""));
    assert!(!wrong.html.contains("battery"), "what was typed is not shown");
    let right = room.visit(&address, Some(&[("user", "alice"), ("password", "correct horse")]));
    assert!(right.answer("code").is_some());
}

#[test]
fn who_is_not_there_or_not_let_in_is_told_on_the_page() {
    let mut room = Room::new();
    let address = Room::authorise(CONTOSO, &[]);
    for (user, code) in [("nobody", "AADSTS50034"), ("ines", "AADSTS50020"), ("peter", "AADSTS50057")] {
        let seen = room.visit(&address, Some(&[("user", user)]));
        assert!(seen.status == 400 && seen.html.contains(code), "{user}: {}", seen.html);
    }
}

#[test]
fn without_a_tenant_in_the_address_people_of_all_tenants_may_come() {
    let mut room = Room::new();
    room.directory.consent(&EntraTenantId::new(FABRIKAM), &tandem()).unwrap();
    let page = room.visit(&Room::authorise("organizations", &[]), None);
    assert!(page.html.contains("<h2>Contoso</h2>") && page.html.contains("<h2>Fabrikam</h2>"));
    let hinted = room.visit(&Room::authorise("common", &[("domain_hint", "contoso.example")]), None);
    assert!(!hinted.html.contains("<h2>Fabrikam</h2>"));
    let code = room.code_of("organizations", "ines", &[]);
    let (status, tokens) = room.redeem("organizations", &code);
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(claims(&tokens["id_token"])["tid"], FABRIKAM);
    assert_eq!(
        claims(&tokens["id_token"])["iss"],
        format!("https://login.microsoftonline.com/{FABRIKAM}/v2.0")
    );
}

#[test]
fn in_a_large_tenant_people_type_who_they_are() {
    let mut room = Room::new();
    let tenant = crate::entra_room::contoso();
    for n in 0..150 {
        let user = UserConfig { id: format!("a{n}"), name: format!("Aaron {n}"), ..UserConfig::default() };
        room.directory.add_user(&tenant, &user).unwrap();
    }
    let page = room.visit(&Room::authorise(CONTOSO, &[]), None);
    assert_eq!(page.html.matches("<button name=\"user\"").count(), 100);
    assert!(page.html.contains("<input id=\"typed\" name=\"user\""));
    let hinted = room.visit(&Room::authorise(CONTOSO, &[("login_hint", "hana@contoso.example")]), None);
    assert!(hinted.html.contains("value=\"hana\" autofocus"), "who is meant comes first");
    assert!(!room.code_of(CONTOSO, "HANA@contoso.example", &[]).is_empty());
}

#[test]
fn the_answer_can_come_behind_the_hash_or_as_a_form() {
    let mut room = Room::new();
    let seen =
        room.visit(&Room::authorise(CONTOSO, &[("response_mode", "fragment")]), Some(&[("user", "alice")]));
    assert!(seen.location.unwrap().starts_with(&format!("{CALLBACK}#code=")));
    let seen =
        room.visit(&Room::authorise(CONTOSO, &[("response_mode", "form_post")]), Some(&[("user", "alice")]));
    assert_eq!((seen.status, &seen.location), (200, &None));
    assert!(seen.html.contains(&format!("<form id=\"answer\" method=\"post\" action=\"{CALLBACK}\">")));
    assert!(seen.hidden("code").is_some() && seen.hidden("state").as_deref() == Some("the-state"));
}

#[test]
fn a_request_may_come_as_a_form_itself() {
    let mut room = Room::new();
    let address = Room::authorise(CONTOSO, &[]);
    let (path, query) = address.split_once('?').unwrap();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = room.visit(path, Some(&pairs));
    assert!(page.status == 200 && page.html.contains("Pick an account"));
    assert!(page.html.contains("client_id=11111111"), "the form goes on with the request");
}

#[test]
fn only_assigned_people_may_come_where_that_is_demanded() {
    let app = AppConfig { assignment_required: true, ..AppConfig::tandem() };
    let mut room = Room::with(SandboxConfig { apps: vec![app], ..SandboxConfig::default() });
    let seen = room.visit(&Room::authorise(CONTOSO, &[]), Some(&[("user", "lena")]));
    assert!(seen.status == 400 && seen.html.contains("AADSTS50105"), "{}", seen.html);
    assert!(!room.code_of(CONTOSO, "alice", &[]).is_empty());
}

#[test]
fn a_page_without_a_server_redeems_by_itself_and_needs_a_challenge() {
    let spa = "http://localhost:5173/signed-in";
    let app = AppConfig { spa_redirect_uris: vec![spa.to_owned()], ..AppConfig::tandem() };
    let mut room = Room::with(SandboxConfig { apps: vec![app], ..SandboxConfig::default() });
    let bare = Room::authorise(CONTOSO, &[("redirect_uri", spa), ("code_challenge", "")]);
    assert!(room.visit(&bare, None).answer("error_description").unwrap().starts_with("AADSTS9002325"));

    let code = room.code_of(CONTOSO, "alice", &[("redirect_uri", spa), ("code_challenge", CHALLENGE)]);
    let pairs = [
        ("grant_type", "authorization_code"),
        ("client_id", TANDEM_APP),
        ("code", code.as_str()),
        ("redirect_uri", spa),
        ("code_verifier", VERIFIER),
    ];
    assert_refused(&room.token(CONTOSO, &pairs), 400, "invalid_request", 9_002_327);
    let request = axum::http::Request::post(format!("/{CONTOSO}/oauth2/v2.0/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "http://localhost:5173")
        .body(tandem_sandbox::entra::params::encoded(&pairs).into());
    let response = room.send(request.unwrap());
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], "http://localhost:5173");
    let tokens: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(claims(&tokens["access_token"])["azpacr"], "0");
    room.passes(SignedDuration::from_hours(24));
    let old = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    assert_refused(&room.tandem_token(CONTOSO, &old), 400, "invalid_grant", 70_008);
}
