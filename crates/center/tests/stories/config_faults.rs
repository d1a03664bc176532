//! Whatever is wrong with a configuration is said with its key and its remedy.

use crate::harness::{SUPPORT, config, try_config};
use tandem_center::config::{Config, Document, Known};

/// What is said about the good configuration after one replacement.
fn fault(from: &str, to: &str) -> String {
    assert!(SUPPORT.contains(from), "{from}");
    try_config(&SUPPORT.replacen(from, to, 1)).expect_err(to).to_string()
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

/// What is said about each of these, put into the good configuration in place of one of its keys.
fn told(changes: &[(&str, &str)]) -> String {
    let told: Vec<String> = changes
        .iter()
        .map(|(from, to)| {
            format!("{}\n    {}", to.replace('\n', " | "), fault(from, to).replace('\n', "\n    "))
        })
        .collect();
    told.join("\n")
}

#[test]
fn every_wrong_value_of_an_agent_is_named_with_its_remedy() {
    let agent = |more: &'static str| ("starts = \"available\"", more);
    insta::assert_snapshot!(told(&[
        agent("skills = { french = 0 }"),
        agent("skills = { french = 11 }"),
        agent("skills = { \"français\" = 5 }"),
        agent("capacity = 0"),
        agent("capacity = 1001"),
        ("[[agents]]", "[capacity]\ntotal = 0\ncall = 1001\ncallback = 0\nvoicemail = 5000\n[[agents]]"),
        ("[[agents]]", "[presence]\nbelieved_s = 9\n[[agents]]"),
        ("[[agents]]", "[offers]\nmisses = 0\nconfirm = [\"press-two\"]\n[[agents]]"),
        ("[[agents]]", "[offers]\nmisses = 21\n[[agents]]"),
    ]));
}

#[test]
fn every_wrong_value_of_a_queue_is_named_with_its_remedy() {
    let queue = |more: &'static str| ("wrap_up_s = 30", more);
    insta::assert_snapshot!(told(&[
        queue("order = [\"adele\"]"),
        queue("strategy = \"serial\"\norder = [\"adele\", \"adela\", \"adele\"]"),
        queue("shares = { adele = 2 }"),
        queue("strategy = \"weighted\"\nshares = { adele = 101, nobody = 0 }"),
        queue("rings = [{ after_s = 5, agents = [\"adele\"] }]"),
        queue("rings = [{ agents = [\"adele\"] }, { after_s = 20, agents = [\"adele\", \"zoe\"] }]"),
        queue("rings = [{ agents = [] }, { after_s = 20, agents = [] }, { after_s = 10, agents = [] }]"),
        queue("skills = { french = 5 }"),
        queue("relax = [{ after_s = 0 }]"),
        queue("relax = [{ after_s = 20 }, { after_s = 10 }]"),
        queue("priority = 0"),
        queue("priority = 6"),
        queue("priority_worth_s = 3601"),
        queue("weight = 0"),
        queue("weight = 10001"),
        queue("last_agent_s = 3601"),
        queue("tell = { every_s = 9, prompts = [\"patients\"] }"),
        queue("tell = { place = [\"your-place\"], numbers = \"n.\" }"),
        queue("wrap_up = { extend_s = 3601, extensions = 21 }"),
        queue("wrap_up = { code_required = true }"),
        queue(
            "wrap_up = { codes = [{ id = \"a b\", name = \"\" }, { id = \"c\", name = \"C\" }, { id = \"c\", name = \"C\" }] }"
        ),
        queue("voicemail = { greeting = [] }"),
        queue(
            "voicemail = { greeting = [\"welcome\"], max_s = 4, silence_s = 61, queue = \"sales\", intro = [\"x\"] }"
        ),
        queue("callback = { offer = [] }"),
        queue(
            "callback = { offer = [\"welcome\"], key = \"11\", confirm = [\"x\"], intro = [\"y\"], line = \"team\", number = \"us\" }"
        ),
        queue("callback = { offer = [\"welcome\"], attempts = 0, retry_s = 9, ring_s = 121 }"),
    ]));
}

#[test]
fn every_wrong_action_and_rung_is_named_with_its_remedy() {
    let queue = |more: &'static str| ("wrap_up_s = 30", more);
    insta::assert_snapshot!(told(&[
        queue("when_full = {}"),
        queue("when_full = { hang_up = true, otherwise = true }"),
        queue("when_full = { hang_up = false }"),
        queue("when_waited = { queue = \"suport\" }"),
        queue("when_closed = { voicemail = true }"),
        queue("when_no_agents = { callback = true }"),
        queue("when_closed = { person = \"adela\" }"),
        queue("when_closed = { number = { line = \"carier\", phone = \"+14255550188\" } }"),
        queue("when_closed = { number = { line = \"carrier\", phone = \"us\" } }"),
        queue("when_closed = { number = { line = \"carrier\" } }"),
        queue("when_closed = { message = [] }"),
        queue("when_closed = { message = [\"goodby\"] }"),
        queue(
            "overflow = [{ after_s = 86401, if_waiting = 0, if_expected_s = 0, then = { hang_up = true } }]"
        ),
        queue("overflow = [{ after_s = 20, then = { hang_up = true } }, { after_s = 10, then = {} }]"),
    ]));
}

#[test]
fn every_wrong_value_of_a_step_is_named_with_its_remedy() {
    let step = |more: &'static str| ("enqueue = \"support\"", more);
    insta::assert_snapshot!(told(&[
        step("enqueue = \"support\"\nasks = { priority = 9, agent = \"nobody\", last_agent_s = 3601 }"),
        step("enqueue = \"support\"\nasks = { skills = { french = 3 } }"),
        step("enqueue = \"support\"\nasks = { relax = [{ after_s = 10 }] }"),
        step("hang_up = true\nasks = { vip = true }"),
        step("hang_up = true\ncases = [{ when = { field = \"from\", is = \"\" }, asks = {} }]"),
        step("enqueue = \"support\"\ncases = [{ when = {}, asks = {} }]"),
        step("enqueue = \"support\"\ncases = [{ when = { field = \"colour\", is = \"red\" }, asks = {} }]"),
        step(
            "enqueue = \"support\"\ncases = [{ when = { field = \"attribute.\", is = \"red\" }, asks = {} }]"
        ),
        step("enqueue = \"support\"\ncases = [{ when = { field = \"from\" }, asks = {} }]"),
        step(
            "enqueue = \"support\"\ncases = [{ when = { field = \"from\", is = \"a\", starts_with = \"b\" }, asks = {} }]"
        ),
        step(
            "enqueue = \"support\"\ncases = [{ when = { not = { field = \"from\", is = \"a\" }, is = \"b\" }, asks = {} }]"
        ),
        step(
            "enqueue = \"support\"\ncases = [{ when = { any = [{ all = [{ not = {} }] }] }, asks = { priority = 0 } }]"
        ),
        step("set = { \"a b\" = \"c\" }"),
        step("set = { a = \"b\" }\nenqueue = \"support\""),
        step("set = { a = \"b\" }\nthen = \"support\""),
        step("agent_state = \"toggle\"\nthen = \"suport\"\notherwise = \"support\""),
        step("agent_state = \"toggle\"\notherwise = \"support\""),
    ]));
}

#[test]
fn conditions_stand_in_each_other_only_so_deep_and_lists_have_an_end() {
    let deep = (0..12)
        .fold("{ field = \"from\", is = \"a\" }".to_owned(), |inner, _| format!("{{ not = {inner} }}"));
    let step = format!("enqueue = \"support\"\ncases = [{{ when = {deep}, asks = {{}} }}]");
    let told = fault("enqueue = \"support\"", &step);
    assert!(told.ends_with("there are too many; keep at most 8"), "{told}");
    let rung = "{ after_s = 10, then = { hang_up = true } },".repeat(21);
    let told = fault("wrap_up_s = 30", &format!("overflow = [{rung}]"));
    assert_eq!(told, "queues.support.overflow: there are too many; keep at most 20");
    let codes: String = (0..501).map(|code| format!("{{ id = \"c{code}\", name = \"C\" }},")).collect();
    let told = fault("wrap_up_s = 30", &format!("wrap_up = {{ codes = [{codes}] }}"));
    assert_eq!(told, "queues.support.wrap_up.codes: there are too many; keep at most 500");
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

#[test]
fn a_tenant_of_as_many_agents_as_are_allowed_is_published_and_one_of_endless_texts_is_not() {
    let agents = |name: &str, count: usize| -> String {
        let agent = |n| {
            format!(
                "[[agents]]\nid = \"a{n}\"\nname = \"{name}\"\nring = {{ line = \"teams\", sip = \"sip:a{n}@lab\" }}\n"
            )
        };
        (0..count).map(agent).collect()
    };
    config(&agents("Adele Vance", 20_000));
    let faults = try_config(&agents(&"a".repeat(20 * 1024 * 1024), 2)).expect_err("too large").to_string();
    assert!(faults.contains("at most 33554432 bytes"), "{}", &faults[faults.len().saturating_sub(300)..]);
}
