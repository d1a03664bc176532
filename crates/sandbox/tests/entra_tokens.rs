//! What stands in tokens, and tokens that are wrong on purpose.

use serde_json::{Value, json};

use crate::entra_room::{Room, claims, contoso, head, is_signed_by, tandem};
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};
use tandem_sandbox::config::{AppConfig, GroupClaims, SandboxConfig};
use tandem_sandbox::entra::CHANGE_TRACKING;
use tandem_sandbox::entra::forge::TabTokenFault;

fn forged(room: &mut Room, wish: Value) -> Value {
    let forgery = serde_json::from_value(wish).unwrap();
    Value::from(room.entra.forge(&room.directory, room.now, &forgery).unwrap())
}

#[test]
fn tokens_of_version_1_are_shaped_otherwise() {
    let mut room = Room::new();
    let token = forged(&mut room, json!({ "user": "alice", "version": 1 }));
    let seen = claims(&token);
    assert_eq!(seen["iss"], format!("https://sts.windows.net/{CONTOSO}/"));
    assert_eq!(seen["aud"], format!("api://localhost/{TANDEM_APP}"));
    assert_eq!((&seen["ver"], &seen["upn"]), (&json!("1.0"), &json!("alice@contoso.example")));
    assert!(seen["appid"].is_string() && seen.get("azp").is_none());
}

#[test]
fn guests_administrators_and_groups_are_told() {
    let app = AppConfig { group_claims: GroupClaims::All, ..AppConfig::tandem() };
    let mut room = Room::with(SandboxConfig { apps: vec![app], ..SandboxConfig::default() });
    assert_eq!(claims(&forged(&mut room, json!({ "user": "lena" })))["acct"], 1);
    let ravi = claims(&forged(&mut room, json!({ "user": "ravi" })));
    let everybody = "b79fbf4d-3ef9-4689-8143-76b194e85509";
    assert_eq!(ravi["wids"], json!(["62e90394-69f5-4237-9190-012177145e10", everybody]));
    let alice = claims(&forged(&mut room, json!({ "user": "alice" })));
    assert_eq!(alice["groups"].as_array().unwrap().len(), 2);
    assert_eq!(alice["wids"], json!([everybody]));
    room.entra.policy_mut().group_overage = true;
    let many = claims(&forged(&mut room, json!({ "user": "alice" })));
    assert_eq!(many.get("groups"), None);
    assert_eq!(many["_claim_names"], json!({ "groups": "src1" }));
    assert!(many["_claim_sources"]["src1"]["endpoint"].as_str().unwrap().ends_with("/getMemberObjects"));
}

#[test]
fn a_program_has_an_object_and_no_scope() {
    let mut room = Room::new();
    let token = claims(&forged(&mut room, json!({ "roles": ["Operator"] })));
    assert_eq!((&token["idtyp"], &token["sub"]), (&json!("app"), &token["oid"]));
    assert_eq!((token.get("scp"), &token["roles"]), (None, &json!(["Operator"])));
}

#[test]
fn each_forgery_is_wrong_in_its_own_way_only() {
    let mut room = Room::new();
    let keys = room.get("/common/discovery/v2.0/keys").1;
    let good = forged(&mut room, json!({ "user": "alice" }));
    assert!(is_signed_by(&good, &keys));
    let known = head(&good)["kid"].clone();
    for (wish, algorithm) in [
        (json!({ "user": "alice", "foreign_key": true }), "RS256"),
        (json!({ "user": "alice", "broken_signature": true }), "RS256"),
        (json!({ "user": "alice", "algorithm": "none" }), "none"),
        (json!({ "user": "alice", "algorithm": "HS256" }), "HS256"),
    ] {
        let token = forged(&mut room, wish);
        assert_eq!((&head(&token)["kid"], &head(&token)["alg"]), (&known, &json!(algorithm)));
        assert!(!is_signed_by(&token, &keys));
        assert_eq!(claims(&token)["aud"], TANDEM_APP);
    }
    let unknown = forged(&mut room, json!({ "user": "alice", "unknown_key": true }));
    assert_ne!(head(&unknown)["kid"], known);
    let at = room.now.as_second();
    let expired = forged(&mut room, json!({ "user": "alice", "expired": true }));
    assert!(is_signed_by(&expired, &keys) && claims(&expired)["exp"].as_i64().unwrap() < at);
    let other = forged(&mut room, json!({ "user": "alice", "claims": { "tid": "elsewhere", "scp": null } }));
    assert_eq!((&claims(&other)["tid"], claims(&other).get("scp")), (&json!("elsewhere"), None));
    assert!(is_signed_by(&other, &keys));
    let id = claims(&forged(&mut room, json!({ "user": "alice", "id_token": true, "nonce": "n" })));
    assert_eq!((&id["nonce"], id.get("scp")), (&json!("n"), None));
}

#[test]
fn a_tab_gets_no_token_where_a_person_would_have_to_be_asked() {
    let mut room = Room::new();
    let ask = |room: &mut Room, wish: Value| {
        let request = serde_json::from_value(wish).unwrap();
        room.entra.tab_token(&room.directory, room.now, &request)
    };
    assert_eq!(ask(&mut room, json!({ "user": "nobody" })), Err(TabTokenFault::Unknown));
    assert_eq!(ask(&mut room, json!({ "user": "ines" })), Err(TabTokenFault::Consent));
    assert_eq!(ask(&mut room, json!({ "user": "peter" })), Err(TabTokenFault::Disabled));
    let web = ask(&mut room, json!({ "user": "alice", "client": "teams_web" })).unwrap();
    assert_eq!(claims(&json!(web))["azp"], "5e3ce6c0-2b1f-4285-8d4b-75ee78787346");
    room.entra.policy_mut().mfa.insert("alice".to_owned());
    assert_eq!(ask(&mut room, json!({ "user": "alice" })), Err(TabTokenFault::Interaction));
    room.entra.policy_mut().mfa.clear();
    room.directory.withdraw_consent(&contoso(), &tandem()).unwrap();
    assert_eq!(ask(&mut room, json!({ "user": "alice" })), Err(TabTokenFault::Consent));
}

#[test]
fn graph_believes_only_what_was_issued_for_it() {
    use tandem_sandbox::entra::GraphTokenFault::{Audience, Signature};
    let mut room = Room::new();
    let mine = forged(&mut room, json!({ "user": "alice" }));
    assert_eq!(room.entra.graph_caller(room.now, mine.as_str().unwrap()), Err(Audience));
    let forged = forged(
        &mut room,
        json!({ "user": "alice", "foreign_key": true, "claims": { "aud": "https://graph.microsoft.com" } }),
    );
    assert_eq!(room.entra.graph_caller(room.now, forged.as_str().unwrap()), Err(Signature));
    let good = room.entra.graph_app_token(&room.directory, room.now, &contoso(), &tandem());
    assert!(room.entra.graph_caller(room.now, &good).is_ok());
    let (head, rest) = good.split_once('.').unwrap();
    assert!(room.entra.graph_caller(room.now, &format!("{head}x.{rest}")).is_err());
}

#[test]
fn what_is_revoked_ends_at_once_for_a_client_that_understands_challenges() {
    let mut room = Room::new();
    let scope = [("scope", "openid User.Read")];
    let graph_token = |room: &mut Room, claims: &str| {
        let code = room.code_of(CONTOSO, "alice", &scope);
        let (_, tokens) = room.tandem_token(
            CONTOSO,
            &[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", crate::entra_room::CALLBACK),
                ("code_verifier", crate::entra_room::VERIFIER),
                ("claims", claims),
            ],
        );
        tokens["access_token"].as_str().unwrap().to_owned()
    };
    let plain = graph_token(&mut room, "");
    let capable = graph_token(&mut room, "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}");
    let alice = room.object_id("alice");
    room.passes(jiff::SignedDuration::from_secs(1));
    room.entra.revoke(room.now, &alice);
    assert!(room.entra.graph_caller(room.now, &plain).is_ok(), "good until it ends");
    assert_eq!(
        room.entra.graph_caller(room.now, &capable),
        Err(tandem_sandbox::entra::GraphTokenFault::Revoked)
    );
}

#[test]
fn the_token_of_notifications_is_from_change_tracking_to_the_application() {
    let mut room = Room::new();
    let token = Value::from(room.entra.change_tracking_token(room.now, &contoso(), &tandem()));
    assert!(is_signed_by(&token, &room.get("/common/discovery/v2.0/keys").1));
    let seen = claims(&token);
    assert_eq!(
        (&seen["aud"], &seen["azp"], &seen["tid"]),
        (&json!(TANDEM_APP), &json!(CHANGE_TRACKING), &json!(CONTOSO))
    );
}
