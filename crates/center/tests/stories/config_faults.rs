//! Whatever is wrong with a configuration is said with its key and its remedy.

use crate::harness::{SUPPORT, config, try_config};
use tandem_center::config::{Config, Document, Known};

/// What is said about the good configuration after one replacement.
fn fault(from: &str, to: &str) -> String {
    assert!(SUPPORT.contains(from), "{from}");
    try_config(&SUPPORT.replacen(from, to, 1)).expect_err("a fault").to_string()
}

#[test]
fn every_wrong_value_is_named_with_its_remedy() {
    let told: Vec<String> = [
        ("id = \"adele\"", "id = \"a dele\""),
        ("id = \"bianca\"", "id = \"adele\""),
        ("name = \"Adele Vance\"", "name = \" \""),
        ("line = \"teams\"", "line = \"team\""),
        ("phone = \"+14255550101\"", "phone = \"adele\""),
        ("phone = \"+14255550101\"", "sip = \"adele@lab\""),
        (", phone = \"+14255550101\"", ""),
        ("phone = \"+14255550101\"", "phone = \"+14255550101\", sip = \"sip:a@b\""),
        ("queues = [\"support\"]", "queues = [\"suport\"]"),
        ("queues = [\"support\"]", "queues = [\"support\", \"support\"]"),
        ("music = \"music\"", "music = \"jazz\""),
        ("ring_timeout_s = 15", "ring_timeout_s = 4"),
        ("wrap_up_s = 30", "wrap_up_s = 3601"),
        ("wrap_up_s = 30", "max_waiting = 100001"),
        ("wrap_up_s = 30", "max_wait_s = 9"),
        ("wrap_up_s = 30", "announce = [\"wellcome\"]"),
        ("dialled = \"+14255550199\"", "dialled = \"main\""),
        ("flow = \"main\"", "flow = \"mein\""),
        ("flow = \"main\"", "flow = \"main\"\nline = \"carier\""),
        ("[[numbers]]", "[[numbers]]\ndialled = \"+14255550199\"\nflow = \"main\"\n[[numbers]]"),
        (
            "[[agents]]",
            "[offers]\nmissed_rest_s = 86401\ndeclined_rest_s = 0\nunreachable_rest_s = 0\n[[agents]]",
        ),
        ("[[agents]]", "[limits]\ncalls = 0\ncall_s = 59\n[[agents]]"),
        ("start = \"support\"", ""),
        ("start = \"support\"", "start = \"suppport\""),
        ("start = \"support\"", "start = \"support\"\nfile = \"main.toml\""),
        ("enqueue = \"support\"", "enqueue = \"sales\""),
        ("enqueue = \"support\"", "enqueue = \"support\"\nplay = [\"welcome\"]"),
        ("enqueue = \"support\"", "enqueue = \"support\"\nthen = \"support\""),
        ("enqueue = \"support\"", "enqueue = \"support\"\notherwise = \"support\""),
        ("enqueue = \"support\"", "hang_up = false"),
        ("enqueue = \"support\"", "hang_up = true\notherwise = \"support\""),
        ("enqueue = \"support\"", "play = []"),
        ("enqueue = \"support\"", "play = [\"welcome\"]\n[flows.main.steps.spare]\nhang_up = true"),
        ("enqueue = \"support\"", "menu = { digits = {} }"),
        ("enqueue = \"support\"", "menu = { digits = { \"11\" = \"support\" } }"),
        ("enqueue = \"support\"", "menu = { digits = { \"1\" = \"sales\" }, timeout_s = 0, retries = 11 }"),
        (
            "enqueue = \"support\"",
            "menu = { digits = { \"1\" = \"support\" }, prompts = [\"x\"], invalid = [\"y\"] }",
        ),
    ]
    .iter()
    .map(|(from, to)| format!("{}\n    {}", to.replace('\n', " | "), fault(from, to).replace('\n', "\n    ")))
    .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_flow_whose_file_was_not_read_is_refused() {
    let told = try_config("flows.main = { file = \"main.toml\" }").expect_err("a fault").to_string();
    assert_eq!(
        told,
        "flows.main.file: the flow stands in \"main.toml\"; read the file in before the configuration is used"
    );
}

#[test]
fn a_flow_may_stand_in_a_file_of_its_own() {
    let mut document: Document = toml::from_str("flows.main = { file = \"main.toml\" }").expect("a document");
    assert_eq!(document.flow_files(), [("main".into(), "main.toml".into())]);
    let main = "main".into();
    let error = document.read_flow(&main, "begin = \"bye\"").expect_err("no such key").to_string();
    assert!(error.contains("begin") && error.contains("line 1"), "{error}");
    document.read_flow(&main, "start = \"bye\"\n[steps.bye]\nhang_up = true").expect("a flow");
    assert!(document.flow_files().is_empty());
    assert!(Config::new(document, &Known::default()).is_ok());
}

#[test]
fn a_loop_of_full_queues_is_refused_and_a_loop_that_waits_is_not() {
    let flow = |b: &str| {
        format!(
            r#"
            queues = [{{ id = "a", name = "A" }}, {{ id = "b", name = "B" }}]
            [flows.main]
            start = "a"
            [flows.main.steps.a]
            enqueue = "a"
            otherwise = "b"
            [flows.main.steps.b]
            {b}
            "#
        )
    };
    let told = try_config(&flow("enqueue = \"b\"\notherwise = \"a\"")).expect_err("a fault").to_string();
    assert_eq!(
        told,
        "flows.main.steps: the steps a, b can go round for ever without waiting; let one of them play something, \
         offer a menu or hang up"
    );
    config(&flow("play = [\"sorry\"]\nthen = \"a\""));
}

#[test]
fn unknown_keys_are_refused_with_their_place() {
    for (from, to, name) in [
        ("wrap_up_s = 30", "wrapup_s = 30", "wrapup_s"),
        ("starts = \"available\"", "starts = \"awake\"", "awake"),
        ("[[numbers]]", "[[number]]", "number"),
        ("phone = \"+14255550101\"", "fone = \"+14255550101\"", "fone"),
    ] {
        let error =
            toml::from_str::<Document>(&SUPPORT.replacen(from, to, 1)).expect_err("a fault").to_string();
        assert!(error.contains(name) && error.contains("line"), "{error}");
    }
}

#[test]
fn the_documented_example_of_a_flow_compiles() {
    config(
        r#"
        queues = [{ id = "support", name = "Support" }]
        [flows.main]
        start = "welcome"
        [flows.main.steps.welcome]
        play = ["welcome"]
        then = "menu"
        [flows.main.steps.menu]
        menu = { prompts = ["menu"], digits = { "1" = "support" }, otherwise = "support" }
        [flows.main.steps.support]
        enqueue = "support"
        otherwise = "bye"
        [flows.main.steps.bye]
        hang_up = true
        "#,
    );
}
