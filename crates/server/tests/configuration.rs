//! The configuration file: the documented example is whole, parts may stand in files of their own, and each fault names
//! its key and the remedy.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

use std::path::Path;

use tandem::check::{self, Report};
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
        ("ports = [20000, 39999]", "ports = [80, 90]", "media.local.ports", "above 1023"),
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

#[test]
fn ports_that_carry_fewer_calls_than_the_limits_allow_are_warned_about() {
    let checked = |text: &str| {
        let settings =
            Settings::parse(text, Path::new("/nonexistent")).unwrap_or_else(|faults| panic!("{faults}"));
        let mut report = Report::default();
        check::media_ports(&settings, &mut report);
        assert!(report.passes(), "it is no fault");
        report.to_string()
    };
    assert_eq!(checked(WHOLE), "0 faults, 0 warnings", "20,000 ports carry the 5,000 calls of the default");
    // An odd port at the edge has no partner.
    let narrow = WHOLE.replace("[20000, 39999]", "[20001, 20408]");
    let short = checked(&narrow);
    for part in ["warn  media", "carry 101 calls", "allow 5000", "to 20000 in all", "[limits]", "1 warnings"]
    {
        assert!(short.contains(part), "{part} is not in {short}");
    }
    assert_eq!(checked(&format!("{narrow}\n[limits]\ncalls = 101\n")), "0 faults, 0 warnings");
    let another = "\n[[media]]\nname = \"more\"\nbind = \"127.0.0.2\"\nports = [20000, 20003]\n";
    assert_eq!(checked(&format!("{narrow}\n[limits]\ncalls = 102\n{another}")), "0 faults, 0 warnings");
}
