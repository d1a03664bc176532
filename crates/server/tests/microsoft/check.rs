//! `tandem check` tells what Microsoft gives and what is missing, with the remedy.

use std::path::Path;

use serde_json::json;
use tandem::check::{self, Report};
use tandem::config::Settings;
use tandem_microsoft::http::Method;
use tandem_sandbox::Running;
use tandem_sandbox::config::app::{CONTOSO, FABRIKAM, TANDEM_APP, TANDEM_SECRET};
use tandem_store::Tenant;
use tandem_store::register::EntraTenantRow;

use crate::world::World;

/// What is told about the example with these keys in `[microsoft]`, beside a program that runs.
async fn checked(world: &World, keys: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let example = include_str!("../../../../docs/tandem.example.toml");
    let text = format!("{example}\n[microsoft]\n{}", section(&world.sandbox, keys, folder.path()));
    let mut settings = Settings::parse(&text, folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
    settings.data = world.shop.directory.path().to_path_buf();
    let mut report = Report::default();
    let asking = check::microsoft::here(&settings, &mut report).unwrap();
    check::microsoft::there(&asking, &settings, &mut report).await;
    (report.passes(), report.to_string())
}

/// The section `[microsoft]` for the sandbox, with these keys more. The secret is put into the folder.
fn section(sandbox: &Running, keys: &str, folder: &Path) -> String {
    std::fs::write(folder.join("secret"), TANDEM_SECRET).unwrap();
    let addresses = sandbox.addresses();
    format!(
        "client_id = \"{TANDEM_APP}\"\nsecret_file = \"secret\"\n\
         app_id_uri = \"api://localhost/{TANDEM_APP}\"\n\
         login = \"https://localhost:{port}\"\ngraph = \"https://localhost:{port}\"\n\
         trust = \"{root}\"\n{keys}\n",
        port = addresses.https.port(),
        root = addresses.root.display(),
    )
}

/// The line that has all of these in it.
fn line<'a>(text: &'a str, parts: &[&str]) -> &'a str {
    let found = text.lines().find(|line| parts.iter().all(|part| line.contains(part)));
    found.unwrap_or_else(|| panic!("no line with {parts:?} in\n{text}"))
}

#[tokio::test]
async fn a_tenant_that_has_consented_gives_all_that_is_needed() {
    let world = World::open_with("").await;
    let (passes, text) = checked(&world, &format!("entra = [\"{CONTOSO}\"]")).await;
    assert!(passes, "{text}");
    assert!(line(&text, &[CONTOSO, "gives tokens"]).starts_with("ok"), "{text}");
    for permission in ["User.Read.All (application)", "Presence.Read.All (delegated)"] {
        assert!(line(&text, &[CONTOSO, permission, "is granted"]).starts_with("ok"), "{text}");
    }
    assert!(line(&text, &["http.public_url is missing"]).starts_with("warn"), "{text}");
    assert!(line(&text, &["without a person in Entra"]).starts_with("warn"), "{text}");
}

#[tokio::test]
async fn a_permission_that_is_missing_is_told_with_its_reason() {
    let world = World::open_with("").await;
    for permission in ["User.Read.All", "GroupMember.Read.All", "Application.Read.All"] {
        let path = format!("/sandbox/tenants/{CONTOSO}/apps/{TANDEM_APP}/permissions/{permission}");
        world.play(Method::Delete, &path, &json!({})).await;
    }
    let (passes, text) = checked(&world, &format!("entra = [\"{CONTOSO}\"]")).await;
    assert!(!passes, "{text}");
    let needed = line(&text, &["User.Read.All", "is missing", "Keeps the list of people", "consent again"]);
    assert!(needed.starts_with("FAULT"), "{text}");
    let optional = line(&text, &["GroupMember.Read.All", "is missing", "groups cannot be used"]);
    assert!(optional.starts_with("warn"), "{text}");
    assert!(!text.contains("(delegated)"), "only the directory tells what is delegated: {text}");
}

#[tokio::test]
async fn a_connected_tenant_that_has_not_consented_is_told_with_the_remedy() {
    let world = World::open_with("").await;
    let (passes, text) = checked(&world, "").await;
    assert!(passes, "{text}");
    assert!(line(&text, &["no Entra tenant is connected"]).starts_with("warn"), "{text}");
    let (name, state) = ("Fabrikam".to_owned(), "{}".to_owned());
    let row = EntraTenantRow { tid: FABRIKAM.to_owned(), name, state, changed_ms: 0 };
    world.shop.identity.register().entra_tenant_put(&Tenant::only(), &row).unwrap();
    let (passes, text) = checked(&world, "").await;
    assert!(!passes, "{text}");
    let fault = line(&text, &[FABRIKAM, "AADSTS700016"]);
    assert!(fault.starts_with("FAULT") && fault.contains("onsent"), "{text}");
}

#[tokio::test]
async fn a_host_that_is_not_believed_is_told_as_such() {
    let world = World::open_with("").await;
    let stranger = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed(["stranger.example".to_owned()]).unwrap();
    let root = stranger.path().join("root.pem");
    std::fs::write(&root, certified.cert.pem()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let example = include_str!("../../../../docs/tandem.example.toml");
    let own = section(&world.sandbox, "", folder.path());
    let own: String =
        own.lines().filter(|line| !line.starts_with("trust")).map(|l| format!("{l}\n")).collect();
    let text = format!("{example}\n[microsoft]\ntrust = \"{}\"\n{own}", root.display());
    let settings = Settings::parse(&text, folder.path()).unwrap_or_else(|faults| panic!("{faults}"));
    let mut report = Report::default();
    let asking = check::microsoft::here(&settings, &mut report).unwrap();
    check::microsoft::there(&asking, &settings, &mut report).await;
    assert!(!report.passes());
    assert!(line(&report.to_string(), &["https://localhost", "microsoft.trust"]).starts_with("FAULT"));
}
