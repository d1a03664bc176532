//! Every example of the guide to routing is a configuration that works.

use tandem_center::config::{Config, Document, Known};

const GUIDE: &str = include_str!("../../../../docs/routing.md");

/// What the examples take for granted.
const AROUND: &str = r#"
[[agents]]
id = "adele"
name = "Adele Vance"
ring = { line = "teams", phone = "+14255550101" }
skills = { french = 8 }

[[agents]]
id = "bianca"
name = "Bianca Pisani"
ring = { line = "teams", phone = "+14255550102" }

[[agents]]
id = "chris"
name = "Chris Naidoo"
ring = { line = "teams", phone = "+14255550103" }

"#;

fn examples() -> impl Iterator<Item = &'static str> {
    GUIDE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().expect("an end"))
}

#[test]
fn every_example_of_the_guide_compiles() {
    let known = Known {
        prompts: ["welcome", "menu", "sorry", "goodbye", "music", "please-wait"].map(Into::into).into(),
        lines: ["carrier", "teams"].map(Into::into).into(),
    };
    for example in examples() {
        let text = format!("{AROUND}{example}");
        let document: Document = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{example}"));
        if let Err(faults) = Config::new(document, &known) {
            panic!("{faults}\n{example}");
        }
    }
    assert!(examples().count() >= 10, "the guide has lost its examples");
}

#[test]
fn every_strategy_and_every_action_is_in_the_guide() {
    let words = [
        "longest_idle",
        "round_robin",
        "ring_all",
        "serial",
        "least_occupied",
        "fewest_conversations",
        "most_skilled",
        "least_skilled",
        "weighted",
        "voicemail = true",
        "callback = true",
        "person =",
        "number =",
        "message =",
        "hang_up = true",
        "otherwise = true",
        "queue =",
    ];
    for word in words {
        assert!(GUIDE.contains(word), "{word}");
    }
}
