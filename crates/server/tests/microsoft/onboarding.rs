//! A customer's Entra tenant is connected by its administrator, and by nobody else.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tandem::identity::{self, Tokens};
use tandem_microsoft::http::Method;
use tandem_people::login::SignIn;
use tandem_people::person::Identity as KnownAs;
use tandem_sandbox::config::app::{CONTOSO, FABRIKAM, TANDEM_APP};

use crate::world::{World, cookies, location, text};

pub async fn link(world: &World) -> String {
    let (status, link) = world.shop.post("/api/v1/tenants/default/onboarding", "").await;
    assert_eq!(status, StatusCode::OK, "{link}");
    let url = link["url"].as_str().unwrap().to_owned();
    format!("/{}", url.split_once("://").unwrap().1.split_once('/').unwrap().1)
}

/// Somebody opens the link, consents, and somebody signs in; gives the last page.
pub async fn onboards(world: &World, link: &str, consents: &str, signs_in: &str) -> (StatusCode, String) {
    let away = world.browse(link, &[]).await;
    let back = world.at_entra(&location(&away), &[("user", consents), ("consent", "accept")]).await;
    assert!(back.starts_with("/auth/consent/callback?"), "{back}");
    let proving = world.browse(&back, &cookies(&away)).await;
    if proving.status() != StatusCode::FOUND {
        return (proving.status(), text(proving).await);
    }
    let back = world.at_entra(&location(&proving), &[("user", signs_in), ("consent", "accept")]).await;
    let done = world.browse(&back, &cookies(&proving)).await;
    (done.status(), text(done).await)
}

fn connected(shown: &Value) -> Vec<&str> {
    shown["connections"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_administrator_consents_and_signs_in_and_the_tenant_is_connected() {
    let world = World::open_with("").await;
    let (_, before) = world.shop.get("/api/v1/microsoft").await;
    assert_eq!(connected(&before), Vec::<&str>::new());
    let link = link(&world).await;
    let (status, page) = onboards(&world, &link, "karin", "karin").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let (_, after) = world.shop.get("/api/v1/microsoft").await;
    assert_eq!(connected(&after), [FABRIKAM]);
    assert_eq!(after["connections"][0]["name"], "Fabrikam");
    let again = world.browse(&link, &[]).await;
    assert_eq!(again.status(), StatusCode::FORBIDDEN, "a link is good once");

    let (_, trail) = world.shop.get("/api/v1/audit").await;
    let acts: Vec<&str> =
        trail["acts"].as_array().unwrap().iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["entra_tenant.connect", "tenant.onboard"], "in the customer's own trail: {trail}");

    let (status, _) = world.shop.delete(&format!("/api/v1/microsoft/{FABRIKAM}"), "").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, after) = world.shop.get("/api/v1/microsoft").await;
    assert_eq!(connected(&after), Vec::<&str>::new());
}

#[tokio::test]
async fn a_link_with_which_two_have_begun_connects_the_tenant_of_whoever_ends_first() {
    let world = World::open_with("").await;
    let link = link(&world).await;
    let administrators = ["karin", "ravi"];
    let mut begun = Vec::new();
    for _ in administrators {
        begun.push(world.browse(&link, &[]).await);
    }
    let mut proving = Vec::new();
    for (away, administrator) in begun.iter().zip(administrators) {
        let back = world.at_entra(&location(away), &[("user", administrator), ("consent", "accept")]).await;
        proving.push(world.browse(&back, &cookies(away)).await);
    }
    let mut ended = Vec::new();
    for (away, administrator) in proving.iter().zip(administrators) {
        let back = world.at_entra(&location(away), &[("user", administrator), ("consent", "accept")]).await;
        let done = world.browse(&back, &cookies(away)).await;
        ended.push((done.status(), text(done).await));
    }
    let [(first, page), (second, refusal)] = ended.as_slice() else { panic!("{ended:?}") };
    assert_eq!(*first, StatusCode::OK, "{page}");
    assert_eq!(*second, StatusCode::FORBIDDEN, "{refusal}");
    assert!(refusal.contains("onboarding_link"), "{refusal}");
    let (_, shown) = world.shop.get("/api/v1/microsoft").await;
    assert_eq!(connected(&shown), [FABRIKAM]);
}

#[tokio::test]
async fn who_came_in_by_an_entra_tenant_that_is_taken_off_is_out_at_once() {
    let world = World::open_with("").await;
    onboards(&world, &link(&world).await, "karin", "karin").await;
    let wish = json!({
        "name": "Ines", "user_name": "ines", "roles": ["agent"],
        "entra": { "tenant": FABRIKAM, "user": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee" },
    });
    let (status, ines) = world.shop.post("/api/v1/people", &wish.to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{ines}");
    let known = KnownAs::Local { user_name: "ines".parse().unwrap() };
    let person = world.shop.identity.person_known_as(&known).unwrap().unwrap();
    let signs_in = |how| world.shop.identity.sign_in(&person, how, "a test", identity::now()).unwrap();
    let (by_entra, by_teams, by_password) =
        (signs_in(SignIn::Entra), signs_in(SignIn::Teams), signs_in(SignIn::Password));
    let is_in = |tokens: &Tokens| {
        world.shop.identity.authenticate(tokens.access.expose().as_bytes(), identity::now()).is_ok()
    };
    assert!(is_in(&by_entra) && is_in(&by_teams) && is_in(&by_password));
    world.shop.delete(&format!("/api/v1/microsoft/{FABRIKAM}"), "").await;
    assert!(!is_in(&by_entra) && !is_in(&by_teams));
    assert!(is_in(&by_password), "who came in by a password is no concern of Entra's");
    let refresh = by_entra.refresh.unwrap();
    assert!(world.shop.identity.refresh(&refresh, identity::now()).is_err());
}

#[tokio::test]
async fn somebody_who_does_not_administer_the_tenant_proves_nothing() {
    let world = World::open_with("").await;
    let link = link(&world).await;
    let (status, page) = onboards(&world, &link, "karin", "ines").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(page.contains("consent_not_administrator"), "{page}");
    let (_, after) = world.shop.get("/api/v1/microsoft").await;
    assert_eq!(connected(&after), Vec::<&str>::new());
}

#[tokio::test]
async fn a_tenant_that_is_only_claimed_is_not_believed() {
    let world = World::open_with("").await;
    let away = world.browse(&link(&world).await, &[]).await;
    let address = location(&away);
    let state = address.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let claimed = format!("/auth/consent/callback?admin_consent=True&tenant={FABRIKAM}&state={state}");
    let refused = world.browse(&claimed, &cookies(&away)).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let page = text(refused).await;
    assert!(page.contains("entra_not_consented"), "nobody there has consented: {page}");
}

#[tokio::test]
async fn a_connection_of_the_configuration_is_called_by_its_name_and_shows_what_was_granted() {
    let world = World::open().await;
    let shown = world.microsoft_until(|shown| shown["connections"][0]["name"] == "Contoso").await;
    let standings = |shown: &Value, kind: &str| -> Vec<String> {
        let all = shown["connections"][0]["permissions"].as_array().unwrap().iter();
        let of_kind = all.filter(|one| one["kind"] == kind);
        of_kind.map(|one| one["standing"].as_str().unwrap().to_owned()).collect()
    };
    for kind in ["application", "delegated"] {
        let standings = standings(&shown, kind);
        assert!(standings.iter().all(|standing| standing == "granted"), "{kind}: {shown}");
    }

    // Who may not read what was granted believes the token, which tells nothing of what people permit.
    let app = format!("/sandbox/tenants/{CONTOSO}/apps/{TANDEM_APP}");
    world.play(Method::Delete, &format!("{app}/permissions/Application.Read.All"), &json!({})).await;
    let expired = json!({"troubles": [{"path": "getPresencesByUserId", "times": 1, "what": "expired"}]});
    world.play(Method::Put, "/sandbox/graph/switches", &expired).await;
    let is_unknown =
        |shown: &Value| standings(shown, "delegated").iter().all(|standing| standing == "unknown");
    let shown = world.microsoft_until(is_unknown).await;
    assert!(standings(&shown, "application").contains(&"missing".to_owned()), "{shown}");
}

#[tokio::test]
async fn a_made_up_link_opens_nothing() {
    let world = World::open_with("").await;
    for path in
        ["/auth/consent/start?ticket=default.AAAA", "/auth/consent/start", "/auth/consent/start?ticket=%00"]
    {
        let refused = world.browse(path, &[]).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
    }
    world.shop.identity.settle();
    let (_, trail) = world.shop.get("/api/v1/installation/audit?act=entra_tenant.connect").await;
    let acts: Vec<_> = trail["acts"].as_array().unwrap().iter().map(|act| &act["outcome"]).collect();
    assert_eq!(acts, ["refused"; 3], "{trail}");
    let (status, told) = world.shop.post("/api/v1/tenants/nobody/onboarding", &json!({}).to_string()).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{told}");
}
