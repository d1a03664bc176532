//! Administrators and people consent, or do not.

use crate::entra_room::{CALLBACK, Room, claims, contoso, tandem};
use tandem_sandbox::config::app::{CONTOSO, FABRIKAM, TANDEM_APP};
use tandem_sandbox::directory::EntraTenantId;
use tandem_sandbox::entra::params::encoded;

fn admin_consent(tenant: &str, scope: &str) -> String {
    let uri = "http://localhost:8080/auth/consent/callback";
    let pairs = [("client_id", TANDEM_APP), ("scope", scope), ("redirect_uri", uri), ("state", "s")];
    format!("/{tenant}/v2.0/adminconsent?{}", encoded(&pairs))
}

fn granted(room: &Room) -> Vec<String> {
    let tenant = room.directory.tenant(&EntraTenantId::new(FABRIKAM)).unwrap();
    let principal = tenant.principals.get(&tandem());
    principal.map(|principal| principal.permissions.iter().cloned().collect()).unwrap_or_default()
}

#[test]
fn an_administrator_brings_the_application_into_his_tenant() {
    let mut room = Room::new();
    let address = admin_consent("organizations", "https://graph.microsoft.com/.default");
    let page = room.visit(&address, Some(&[("user", "karin")]));
    assert_eq!(page.status, 200);
    assert!(page.html.contains("Permissions requested") && page.html.contains("<li>Presence.Read.All</li>"));
    assert!(page.html.contains("Fabrikam"));
    let step = page.hidden("step").unwrap();
    assert!(granted(&room).is_empty());
    let back = room.visit(&address, Some(&[("user", "karin"), ("step", &step), ("consent", "accept")]));
    assert_eq!(back.answer("admin_consent").as_deref(), Some("True"));
    assert_eq!(back.answer("tenant").as_deref(), Some(FABRIKAM));
    assert_eq!(back.answer("state").as_deref(), Some("s"));
    assert!(granted(&room).contains(&"Presence.Read.All".to_owned()));
    let code = room.code_of(FABRIKAM, "nadia", &[("prompt", "login")]);
    let (_, tokens) = room.redeem(FABRIKAM, &code);
    assert_eq!(claims(&tokens["access_token"])["roles"], serde_json::json!(["Agent", "Supervisor"]));
}

#[test]
fn single_scopes_leave_the_application_permissions_out() {
    let mut room = Room::new();
    let address = admin_consent(FABRIKAM, "https://graph.microsoft.com/User.Read");
    room.visit(&address, Some(&[("user", "karin"), ("consent", "accept")]));
    let tenant = room.directory.tenant(&EntraTenantId::new(FABRIKAM)).unwrap();
    assert!(tenant.principals.contains_key(&tandem()));
    assert!(granted(&room).is_empty());
}

#[test]
fn an_administrator_may_decline_and_others_cannot_accept() {
    let mut room = Room::new();
    let address = admin_consent(FABRIKAM, "https://graph.microsoft.com/.default");
    let declined = room.visit(&address, Some(&[("user", "karin"), ("consent", "decline")]));
    assert_eq!(declined.answer("error").as_deref(), Some("access_denied"));
    assert!(declined.answer("error_description").unwrap().starts_with("AADSTS65004"));
    let not_allowed = room.visit(&address, Some(&[("user", "ines"), ("consent", "accept")]));
    assert!(not_allowed.status == 400 && not_allowed.html.contains("AADSTS90094"));
    let other_tenant = room.visit(&address, Some(&[("user", "ravi"), ("consent", "accept")]));
    assert!(other_tenant.html.contains("AADSTS50020"));
    assert!(granted(&room).is_empty());
}

#[test]
fn a_person_consents_for_himself_to_what_needs_no_administrator() {
    let mut room = Room::new();
    let scope = ("scope", "openid User.Read Calendars.Read");
    let address = Room::authorise(CONTOSO, &[scope]);
    let page = room.visit(&address, Some(&[("user", "alice")]));
    assert!(page.html.contains("<li>Calendars.Read</li>") && !page.html.contains("<li>User.Read</li>"));
    let declined = room.visit(&address, Some(&[("user", "alice"), ("consent", "decline")]));
    assert_eq!(declined.answer("error").as_deref(), Some("access_denied"));
    let code = room.code_of(CONTOSO, "alice", &[scope]);
    let (status, tokens) = room.redeem(CONTOSO, &code);
    assert_eq!(status, 200, "{tokens}");
    let caller = room.entra.graph_caller(room.now, tokens["access_token"].as_str().unwrap()).unwrap();
    assert!(caller.scopes.contains(&"Calendars.Read".to_owned()));

    room.forget_browser();
    let again = room.visit(&address, Some(&[("user", "alice")]));
    assert!(again.answer("code").is_some(), "asked once");
    room.forget_browser();
    let other = room.visit(&address, Some(&[("user", "bela")]));
    assert!(other.html.contains("Permissions requested"), "for himself only");
}

#[test]
fn what_needs_an_administrator_is_not_for_a_person_to_grant() {
    let mut room = Room::new();
    let address = Room::authorise(CONTOSO, &[("scope", "openid Directory.Read.All")]);
    let refused = room.visit(&address, Some(&[("user", "alice"), ("consent", "accept")]));
    assert!(refused.status == 400 && refused.html.contains("AADSTS90094"));
    let everyone =
        room.visit(&address, Some(&[("user", "ravi"), ("consent", "accept"), ("everyone", "yes")]));
    assert!(everyone.answer("code").is_some());
    room.forget_browser();
    assert!(room.visit(&address, Some(&[("user", "alice")])).answer("code").is_some());
}

#[test]
fn the_first_sign_in_from_a_new_tenant_asks_for_consent() {
    let mut room = Room::new();
    let address = Room::authorise("organizations", &[("scope", "openid User.Read")]);
    let page = room.visit(&address, Some(&[("user", "ines")]));
    assert!(page.html.contains("Permissions requested"), "{}", page.html);
    let silent = Room::authorise(CONTOSO, &[("prompt", "none"), ("scope", "openid Calendars.Read")]);
    room.code_of(CONTOSO, "alice", &[]);
    let refused = room.visit(&silent, None);
    assert_eq!(refused.answer("error").as_deref(), Some("consent_required"));
    assert!(refused.location.unwrap().starts_with(CALLBACK));
    room.directory.withdraw_consent(&contoso(), &tandem()).unwrap();
    assert_eq!(
        room.visit(&Room::authorise(CONTOSO, &[("prompt", "none")]), None).answer("error").as_deref(),
        Some("consent_required")
    );
}
