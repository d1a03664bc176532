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

/// The commands of a guide that ask the API, with the lines on which they go on.
fn commands(text: &str) -> Vec<String> {
    let mut lines = text.lines();
    let mut commands = Vec::new();
    while let Some(line) = lines.next() {
        if !line.starts_with("curl ") {
            continue;
        }
        let mut command = line.to_owned();
        while command.ends_with('\\') {
            command.push_str(lines.next().unwrap());
        }
        commands.push(command);
    }
    commands
}

#[test]
fn every_command_of_the_guides_says_who_asks_and_survives_the_shell() {
    let guides = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs")).unwrap();
    let guides = guides.map(|guide| guide.unwrap().path());
    let mut seen = 0;
    for guide in guides.filter(|guide| guide.extension().is_some_and(|kind| kind == "md")) {
        for command in commands(&std::fs::read_to_string(&guide).unwrap()) {
            assert!(command.contains("Authorization: Bearer $KEY"), "{}: {command}", guide.display());
            let bare = command.split(' ').find(|word| word.starts_with("http") && word.contains(['?', '&']));
            assert_eq!(bare, None, "{}: a shell may look for files of that name: {command}", guide.display());
            seen += 1;
        }
    }
    assert!(seen >= 9, "only {seen} commands were found");
}

#[test]
fn the_way_of_the_example_makes_the_key_that_the_example_names() {
    let example = include_str!("../../../docs/tandem.example.toml");
    let way = include_str!("../../../docs/try-it.md");
    let example: toml::Table = example.parse().unwrap();
    let token = example["http"]["token_file"].as_str().unwrap();
    let made = way.find(&format!("> docs/{token}")).unwrap();
    let used = way.find("tandem serve --config docs/tandem.example.toml").unwrap();
    assert!(made < used);
    assert!(way.contains(&format!("KEY=$(cat docs/{token})")));
}
