//! Entra in trouble, and people who sign in elsewhere.

use jiff::SignedDuration;
use serde_json::json;

use crate::entra_room::{Room, assert_refused, claims, tandem};
use tandem_sandbox::config::app::{CONTOSO, FABRIKAM, TANDEM_APP};
use tandem_sandbox::config::{AppConfig, Audience, SandboxConfig};
use tandem_sandbox::directory::EntraTenantId;

#[test]
fn trouble_comes_where_and_as_often_as_it_is_told_to() {
    let mut room = Room::new();
    let troubles = json!([
        { "at": "token", "status": 429, "retry_after_s": 7, "times": 1 },
        { "at": "keys", "status": 503 },
    ]);
    room.entra.troubles_mut().set(serde_json::from_value(troubles).unwrap());
    let request = || {
        axum::http::Request::post(format!("/{CONTOSO}/oauth2/v2.0/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Bytes::new())
            .unwrap()
    };
    let met = room.send(request());
    assert_eq!((met.status().as_u16(), &met.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    assert_eq!(room.send(request()).status(), 400, "once only");
    assert_eq!(room.get("/common/discovery/v2.0/keys").0, 503);
    assert_eq!(room.get("/common/discovery/v2.0/keys").0, 503);
    assert_eq!(room.get("/common/v2.0/.well-known/openid-configuration").0, 200);
    let kept = room.entra.log().map(|answered| answered.status).collect::<Vec<_>>();
    assert_eq!(kept, [429, 400, 503, 503, 200]);
}

#[test]
fn a_device_waits_for_somebody_elsewhere() {
    let mut room = Room::new();
    let scope = format!("openid offline_access {TANDEM_APP}/access_as_user");
    let request = axum::http::Request::post(format!("/{CONTOSO}/oauth2/v2.0/devicecode"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(tandem_sandbox::entra::params::encoded(&[("client_id", TANDEM_APP), ("scope", &scope)]).into());
    let response = room.send(request.unwrap());
    let device: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(device["verification_uri"], "http://localhost:8091/common/oauth2/deviceauth");
    let code = device["device_code"].as_str().unwrap().to_owned();
    let poll = |room: &mut Room, code: &str| {
        let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
        room.tandem_token(CONTOSO, &[grant, ("device_code", code)])
    };
    assert_refused(&poll(&mut room, &code), 400, "authorization_pending", 70_016);
    assert_refused(&poll(&mut room, "none"), 400, "bad_verification_code", 70_018);

    let page = "/common/oauth2/deviceauth";
    assert!(room.visit(page, None).html.contains("Enter code"));
    assert!(room.visit(page, Some(&[("otc", "XXXXXXXXX")])).html.contains("AADSTS70018"));
    let typed = device["user_code"].as_str().unwrap();
    let choose = room.visit(page, Some(&[("otc", typed)]));
    assert_eq!(choose.hidden("otc").as_deref(), Some(typed));
    let done = room.visit(page, Some(&[("otc", typed), ("user", "alice")]));
    assert!(done.html.contains("You are signed in on your device"), "{}", done.html);
    let (status, tokens) = poll(&mut room, &code);
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(claims(&tokens["id_token"])["oid"], room.object_id("alice").as_str());

    room.passes(SignedDuration::from_mins(15));
    assert_refused(&poll(&mut room, &code), 400, "expired_token", 70_020);
}

#[test]
fn who_declines_on_the_page_leaves_the_device_alone() {
    let mut room = Room::new();
    let request = axum::http::Request::post(format!("/{CONTOSO}/oauth2/v2.0/devicecode"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(
            tandem_sandbox::entra::params::encoded(&[("client_id", TANDEM_APP), ("scope", "openid")]).into(),
        );
    let device: serde_json::Value = serde_json::from_slice(room.send(request.unwrap()).body()).unwrap();
    let typed = device["user_code"].as_str().unwrap();
    let done = room.visit("/common/oauth2/deviceauth", Some(&[("otc", typed), ("cancel", "yes")]));
    assert!(done.html.contains("You have declined to sign in"));
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    let polled =
        room.tandem_token(CONTOSO, &[grant, ("device_code", device["device_code"].as_str().unwrap())]);
    assert_refused(&polled, 400, "access_denied", 65_004);
}

#[test]
fn an_application_of_one_tenant_is_asked_for_there_only() {
    let app = AppConfig { audience: Audience::AzureADMyOrg, ..AppConfig::tandem() };
    let mut room = Room::with(SandboxConfig { apps: vec![app], ..SandboxConfig::default() });
    let page = room.visit(&Room::authorise("common", &[]), None);
    assert!(page.status == 400 && page.html.contains("AADSTS50194"));
    let page = room.visit(&Room::authorise(FABRIKAM, &[]), None);
    assert!(page.status == 400 && page.html.contains("AADSTS700016"));
    let tokens = room.signed_in("alice");
    let token = tokens["refresh_token"].as_str().unwrap();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", token)];
    assert_refused(&room.tandem_token("organizations", &refresh), 400, "invalid_request", 50_194);
}

#[test]
fn what_was_given_at_one_tenant_is_worth_nothing_at_another() {
    let mut room = Room::new();
    room.directory.consent(&EntraTenantId::new(FABRIKAM), &tandem()).unwrap();
    let tokens = room.signed_in("alice");
    let code = room.code_of(CONTOSO, "alice", &[]);
    assert_refused(&room.redeem(FABRIKAM, &code), 400, "invalid_grant", 700_005);
    let token = tokens["refresh_token"].as_str().unwrap();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", token)];
    assert_refused(&room.tandem_token(FABRIKAM, &refresh), 400, "invalid_request", 50_020);
}

#[test]
fn pages_speak_french_to_who_does() {
    let mut room = Room::new();
    let page = room.visit(&Room::authorise(CONTOSO, &[("ui_locales", "fr-CA")]), None);
    assert!(page.html.contains("<html lang=\"fr\">") && page.html.contains("Choisir un compte"));
}
