//! The guide for administrators names every permission that Tandem asks for, and why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use tandem_microsoft::entra::permission::{NEEDED, PermissionKind};

const GUIDE: &str = include_str!("../../../docs/microsoft.md");

#[test]
fn every_permission_stands_in_the_guide_with_its_reason_and_no_other() {
    let row = |permission: &tandem_microsoft::entra::permission::Permission| {
        let kind = match permission.kind {
            PermissionKind::Application => "application",
            PermissionKind::Delegated => "delegated",
        };
        let without = permission.without.unwrap_or("Tandem does not work for the customer.");
        format!("| `{}` | {kind} | {} | {without} |", permission.name, permission.why)
    };
    let (_, table) = GUIDE.split_once("| permission | kind |").unwrap();
    let shown: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let needed: Vec<String> = NEEDED.iter().map(row).collect();
    assert_eq!(shown, needed);
}
