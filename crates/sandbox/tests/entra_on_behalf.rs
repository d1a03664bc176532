//! Tokens for tokens: refreshing, and going on to Graph in somebody's name.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::entra_room::{Room, assert_refused, claims, contoso, tandem};
use tandem_sandbox::config::app::{CONTOSO, FABRIKAM, TANDEM_APP, TEAMS_CLIENTS};
use tandem_sandbox::directory::EntraTenantId;

fn tab_token(room: &mut Room, user: &str) -> String {
    let request = serde_json::from_value(json!({ "user": user })).unwrap();
    room.entra.tab_token(&room.directory, room.now, &request).unwrap()
}

fn on_behalf(room: &mut Room, tenant: &str, assertion: &str, scope: &str) -> (u16, Value) {
    room.tandem_token(
        tenant,
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion),
            ("scope", scope),
            ("requested_token_use", "on_behalf_of"),
        ],
    )
}

fn forged(room: &mut Room, wish: Value) -> String {
    let forgery = serde_json::from_value(wish).unwrap();
    room.entra.forge(&room.directory, room.now, &forgery).unwrap()
}

#[test]
fn the_token_of_a_tab_becomes_one_for_graph() {
    let mut room = Room::new();
    let token = tab_token(&mut room, "alice");
    let seen = claims(&json!(token));
    assert_eq!(
        (&seen["aud"], &seen["scp"], &seen["ver"]),
        (&json!(TANDEM_APP), &json!("access_as_user"), &json!("2.0"))
    );
    assert_eq!((&seen["azp"], &seen["azpacr"]), (&json!(TEAMS_CLIENTS[0].1), &json!("0")));

    let (status, answer) =
        on_behalf(&mut room, CONTOSO, &token, "https://graph.microsoft.com/.default offline_access");
    assert_eq!(status, 200, "{answer}");
    assert!(answer["scope"].as_str().unwrap().contains("Presence.Read.All"));
    assert!(answer["refresh_token"].is_string());
    let caller = room.entra.graph_caller(room.now, answer["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(caller.user, Some(room.object_id("alice")));
    assert!(caller.scopes.contains(&"User.Read".to_owned()) && caller.roles.is_empty());
    let plain = on_behalf(&mut room, CONTOSO, &token, "https://graph.microsoft.com/User.Read").1;
    assert_eq!(plain.get("refresh_token"), None, "nobody asked for one");
}

#[test]
fn what_cannot_be_exchanged_is_refused_by_number() {
    let mut room = Room::new();
    let graph = "https://graph.microsoft.com/.default";
    for (wish, status, error, code) in [
        (json!({ "user": "alice", "foreign_key": true }), 400, "invalid_grant", 50_013),
        (json!({ "user": "alice", "broken_signature": true }), 400, "invalid_grant", 50_013),
        (json!({ "user": "alice", "algorithm": "none" }), 400, "invalid_grant", 50_013),
        (json!({ "user": "alice", "algorithm": "HS256" }), 400, "invalid_grant", 50_013),
        (json!({ "user": "alice", "claims": { "aud": "somebody-else" } }), 400, "invalid_grant", 500_131),
        (json!({ "user": "alice", "expired": true }), 400, "invalid_grant", 500_133),
        (json!({ "user": "alice", "not_yet": true }), 400, "invalid_grant", 500_133),
        (json!({}), 400, "unauthorized_client", 7_000_114),
    ] {
        let token = forged(&mut room, wish);
        assert_refused(&on_behalf(&mut room, CONTOSO, &token, graph), status, error, code);
    }
    assert_refused(&on_behalf(&mut room, CONTOSO, "rubbish", graph), 400, "invalid_grant", 50_013);
}

#[test]
fn without_consent_somebody_has_to_be_asked() {
    let mut room = Room::new();
    let token = tab_token(&mut room, "alice");
    let more = on_behalf(&mut room, CONTOSO, &token, "https://graph.microsoft.com/Chat.Read");
    assert_refused(&more, 400, "invalid_grant", 65_001);
    assert_eq!(more.1["suberror"], "consent_required");
    room.directory.withdraw_consent(&contoso(), &tandem()).unwrap();
    let gone = on_behalf(&mut room, CONTOSO, &token, "https://graph.microsoft.com/.default");
    assert_refused(&gone, 400, "invalid_grant", 65_001);
}

#[test]
fn the_exchange_happens_at_the_tenant_of_the_token() {
    let mut room = Room::new();
    room.directory.consent(&EntraTenantId::new(FABRIKAM), &tandem()).unwrap();
    let token = tab_token(&mut room, "alice");
    let elsewhere = on_behalf(&mut room, FABRIKAM, &token, "https://graph.microsoft.com/.default");
    assert_refused(&elsewhere, 400, "invalid_grant", 50_034);
}

#[test]
fn a_demand_of_conditional_access_comes_with_its_claims() {
    let mut room = Room::new();
    let token = tab_token(&mut room, "alice");
    room.entra.policy_mut().mfa.insert("alice".to_owned());
    let demanded = on_behalf(&mut room, CONTOSO, &token, "https://graph.microsoft.com/.default");
    assert_refused(&demanded, 400, "interaction_required", 50_076);
    let demand = demanded.1["claims"].as_str().unwrap().to_owned();
    assert!(demand.contains("capolids"));

    // The page asks for more, and what comes of it is good enough.
    let address = Room::authorise(CONTOSO, &[("claims", &demand)]);
    let page = room.visit(&address, Some(&[("user", "alice")]));
    assert!(page.status == 200 && page.html.contains("Approve sign-in request"), "{}", page.html);
    let step = page.hidden("step").unwrap();
    let back = room.visit(&address, Some(&[("user", "alice"), ("step", &step), ("mfa", "approved")]));
    let (_, tokens) = room.redeem(CONTOSO, &back.answer("code").unwrap());
    let strong = tokens["access_token"].as_str().unwrap().to_owned();
    assert_eq!(on_behalf(&mut room, CONTOSO, &strong, "https://graph.microsoft.com/.default").0, 200);

    room.entra.policy_mut().blocked.insert(CONTOSO.to_owned());
    let blocked = on_behalf(&mut room, CONTOSO, &strong, "https://graph.microsoft.com/.default");
    assert_refused(&blocked, 400, "invalid_grant", 53_003);
    let page = room.visit(&Room::authorise(CONTOSO, &[]), Some(&[("user", "bela")]));
    assert!(page.html.contains("AADSTS53003"));
}

#[test]
fn a_refresh_token_is_followed_by_another_and_ends_with_the_login() {
    let mut room = Room::new();
    let tokens = room.signed_in("alice");
    let refresh = |room: &mut Room, token: &Value| {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())];
        room.tandem_token(CONTOSO, &pairs)
    };
    room.passes(SignedDuration::from_hours(24 * 89));
    let (status, second) = refresh(&mut room, &tokens["refresh_token"]);
    assert_eq!(status, 200, "{second}");
    assert_ne!(second["refresh_token"], tokens["refresh_token"]);
    assert_ne!(claims(&second["access_token"])["uti"], claims(&tokens["access_token"])["uti"]);
    room.passes(SignedDuration::from_hours(24 * 89));
    assert_refused(&refresh(&mut room, &tokens["refresh_token"]), 400, "invalid_grant", 70_008);
    let (status, third) = refresh(&mut room, &second["refresh_token"]);
    assert_eq!(status, 200);

    let alice = room.object_id("alice");
    room.entra.revoke(room.now, &alice);
    assert_refused(&refresh(&mut room, &third["refresh_token"]), 400, "invalid_grant", 50_173);
    let silent = room.visit(&Room::authorise(CONTOSO, &[("prompt", "none")]), None);
    assert_eq!(silent.answer("error").as_deref(), Some("login_required"));
}

#[test]
fn who_is_disabled_or_gone_gets_nothing_more() {
    let mut room = Room::new();
    let tokens = room.signed_in("alice");
    let (alice, token) = (room.object_id("alice"), tokens["refresh_token"].as_str().unwrap().to_owned());
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    room.directory.enable_user(&contoso(), &alice, false).unwrap();
    assert_refused(&room.tandem_token(CONTOSO, &pairs), 400, "invalid_grant", 50_057);
    room.directory.remove_user(&contoso(), &alice).unwrap();
    assert_refused(&room.tandem_token(CONTOSO, &pairs), 400, "invalid_grant", 50_034);
}

#[test]
fn roles_that_are_taken_away_are_missing_from_the_next_token() {
    use tandem_sandbox::directory::Holder;
    let mut room = Room::new();
    let tokens = room.signed_in("dana");
    assert_eq!(claims(&tokens["access_token"])["roles"], json!(["Agent", "Supervisor"]));
    let dana = room.object_id("dana");
    room.directory.set_role(&contoso(), &tandem(), Holder::User(dana), "Supervisor", false).unwrap();
    let token = tokens["refresh_token"].as_str().unwrap().to_owned();
    let (_, next) = room.tandem_token(CONTOSO, &[("grant_type", "refresh_token"), ("refresh_token", &token)]);
    assert_eq!(claims(&next["access_token"])["roles"], json!(["Agent"]));
}
