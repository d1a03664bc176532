//! The configuration file: the documented example is whole, parts may stand in files of their own, and each fault names
//! its key and the remedy.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

use std::path::Path;

use tandem::config::Settings;

/// A file without faults, to be broken in one place at a time.
const WHOLE: &str = include_str!("../../../docs/tandem.example.toml");

fn faults(text: &str) -> String {
    match Settings::parse(text, Path::new("/nonexistent")) {
        Ok(_) => panic!("no fault was found"),
        Err(faults) => faults.to_string(),
    }
}

#[test]
fn the_documented_example_is_whole() {
    let settings =
        Settings::parse(WHOLE, Path::new("/nonexistent")).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((settings.interfaces.len(), settings.trunks.len(), settings.media.len()), (1, 1, 1));
}

#[test]
fn a_flow_may_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.toml"), "start = \"s\"\n[steps.s]\nenqueue = \"support\"\n")
        .unwrap();
    let (head, _) = WHOLE.split_once("[flows.main]").unwrap();
    let text = format!("{head}[flows.main]\nfile = \"main.toml\"\n");
    Settings::parse(&text, folder.path()).unwrap_or_else(|faults| panic!("{faults}"));

    let text = text.replace("main.toml", "gone.toml");
    let Err(found) = Settings::parse(&text, folder.path()) else { panic!("a missing file is a fault") };
    assert!(
        found.to_string().contains("flows.main.file") && found.to_string().contains("gone.toml"),
        "{found}"
    );
}

#[test]
fn each_fault_names_its_key_and_the_remedy() {
    let broken = [
        ("transport = \"udp\"", "transport = \"carrier pigeon\"", "line 14", "udp"),
        ("transport = \"udp\"", "transport = \"tls\"", "interfaces.local.certificates", "certificate ="),
        (
            "bind = \"127.0.0.1:5060\"",
            "bind = \"0.0.0.0:5060\"",
            "interfaces.local.advertised",
            "address others reach",
        ),
        ("ports = [20000, 29999]", "ports = [80, 90]", "media.local.ports", "above 1023"),
        ("interface = \"local\"", "interface = \"locl\"", "trunks.lab.interface", "[[interfaces]]"),
        ("media = \"local\"", "media = \"elsewhere\"", "trunks.lab.media", "[[media]]"),
        ("profile = \"carrier\"", "profile = \"direct_routing\"", "trunks.lab.fqdn", "403"),
        ("peers = [\"127.0.0.1\"]", "peers = [\"everybody\"]", "trunks.lab.peers", "52.112.0.0/14"),
        ("peers = [\"127.0.0.1\"]", "", "trunks.lab.peers", "addresses from which"),
        ("line = \"lab\"", "line = \"labb\"", "agents.ada.ring.line", "lab"),
        ("queues = [\"support\"]", "queues = [\"suport\"]", "agents.ada.queues", "support"),
        ("enqueue = \"support\"", "enqueue = \"sales\"", "flows.main.steps.support", "sales"),
        ("flow = \"main\"", "flow = \"mane\"", "numbers.*.flow", "main"),
        ("prompts = [\"beep\"]", "prompts = [\"bleep\"]", "flows.main.steps.menu", "bleep"),
        ("listen = \"127.0.0.1:8080\"", "listen = \"0.0.0.0:8080\"", "http.certificate", "127.0.0.1"),
        ("wrap_up_s = 5", "wrap_up_s = 99999", "queues.support.wrap_up_s", "3600"),
        ("wrap_up_s = 5", "wrapup_s = 5", "line", "wrapup_s"),
    ];
    for (good, bad, key, remedy) in broken {
        assert!(WHOLE.contains(good), "the example no longer has {good}");
        let told = faults(&WHOLE.replacen(good, bad, 1));
        assert!(told.contains(key), "{bad}: {key} is not named in\n{told}");
        assert!(told.contains(remedy), "{bad}: {remedy} is not named in\n{told}");
    }
}
