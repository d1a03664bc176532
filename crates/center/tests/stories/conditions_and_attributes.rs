//! What is known of a caller decides what the caller asks for.

use crate::harness::{Story, arrival, customer, house};
use tandem_center::call::{Address, Arrival, CallId};
use tandem_center::view::StageView;

/// A center whose callers are of priority 1 if the condition holds.
fn center(when: &str) -> Story {
    let step = format!("enqueue = \"support\"\ncases = [{{ when = {when}, asks = {{ priority = 1 }} }}]");
    Story::new(&house(&[], "", "").replace("enqueue = \"support\"", &step))
}

fn priority(center: &Story, call: CallId) -> u8 {
    match &center.interaction(call).expect("a caller").1.stage {
        StageView::Waiting(stay) => stay.priority,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_number_of_the_caller_is_looked_at() {
    let mut center = center("{ field = \"from\", starts_with = \"+33\" }");
    let french = center.dial_from(Address::Phone("+33140000000".into()));
    let american = center.dial_from(customer(1));
    let anonymous = center.dial_from(Address::Anonymous);
    assert_eq!([french, american, anonymous].map(|call| priority(&center, call)), [1, 3, 3]);
}

#[test]
fn an_anonymous_caller_has_an_empty_number() {
    let mut center = center("{ field = \"from\", is = \"\" }");
    let anonymous = center.dial_from(Address::Anonymous);
    let american = center.dial_from(customer(1));
    assert_eq!([anonymous, american].map(|call| priority(&center, call)), [1, 3]);
}

#[test]
fn the_name_the_number_dialled_and_the_line_are_looked_at() {
    for (when, expected) in [
        ("{ field = \"from_name\", is = \"Ada\" }", 1),
        ("{ field = \"from_name\", is = \"ada\" }", 3),
        ("{ field = \"to\", one_of = [\"+14255550198\", \"+14255550199\"] }", 1),
        ("{ field = \"to\", one_of = [\"+14255550198\"] }", 3),
        ("{ field = \"line\", is = \"carrier\" }", 1),
        ("{ field = \"line\", is = \"lab\" }", 3),
    ] {
        let mut center = center(when);
        let call =
            center.arrives(Arrival { from: customer(1), ..arrival(CallId(0), "carrier", "+14255550199") });
        assert_eq!(priority(&center, call), expected, "{when}");
    }
}

#[test]
fn conditions_are_joined_with_all_any_and_not() {
    let ada = "{ field = \"from_name\", is = \"Ada\" }";
    let french = "{ field = \"from\", starts_with = \"+33\" }";
    for (when, expected) in [
        (format!("{{ all = [{ada}, {french}] }}"), 3),
        (format!("{{ any = [{ada}, {french}] }}"), 1),
        (format!("{{ not = {ada} }}"), 3),
        (format!("{{ not = {{ all = [{ada}, {french}] }} }}"), 1),
    ] {
        let mut center = center(&when);
        let call = center.dial();
        assert_eq!(priority(&center, call), expected, "{when}");
    }
}

/// A menu in which 1 is French; then a queue that asks for French and, of those from France, for more.
const LANGUAGES: &str = r#"
start = "language"
[flows.main.steps.language]
menu = { digits = { "1" = "french", "2" = "support" } }
[flows.main.steps.french]
set = { language = "fr", tone = "formal" }
then = "support"
"#;

const CASES: &str = r#"enqueue = "support"
asks = { priority = 4, vip = false }
cases = [
    { when = { field = "attribute.language", is = "fr" }, asks = { skills = { french = 5 }, priority = 2 } },
    { when = { field = "from", starts_with = "+33" }, asks = { priority = 1 } },
]"#;

fn languages() -> Story {
    let agents = [("adele", ""), ("bianca", "skills = { french = 6 }")];
    let config = house(&agents, "", "")
        .replace("enqueue = \"support\"", CASES)
        .replace("start = \"support\"\n", LANGUAGES);
    Story::new(&config)
}

#[test]
fn what_a_step_sets_is_kept_and_decides_who_is_rung() {
    let mut center = languages();
    let [french, english] = center.callers();
    center.press(french, "1");
    center.press(english, "2");
    assert_eq!(center.rung_for(french).as_deref(), Some("bianca"));
    assert_eq!(center.rung_for(english).as_deref(), Some("adele"));
    let attributes = &center.interaction(french).expect("a caller").1.attributes;
    assert_eq!(attributes.get("language").map(|value| &**value), Some("fr"));
    assert_eq!(attributes.get("tone").map(|value| &**value), Some("formal"));
}

#[test]
fn all_cases_that_hold_count_and_later_ones_win() {
    let mut center = languages();
    let waiting = |center: &Story, call| match &center.interaction(call).expect("a caller").1.stage {
        StageView::Waiting(stay) | StageView::Offered { stay, .. } => {
            (stay.priority, stay.terms.requirement(0).skills.len())
        }
        other => panic!("{other:?}"),
    };
    let paris = center.dial_from(Address::Phone("+33140000000".into()));
    center.press(paris, "1");
    assert_eq!(waiting(&center, paris), (1, 1), "the priority of the second, the skills of the first");
    let lyon = center.dial_from(Address::Phone("+33400000000".into()));
    center.press(lyon, "2");
    assert_eq!(waiting(&center, lyon), (1, 0));
    let [here] = center.callers();
    center.press(here, "2");
    assert_eq!(waiting(&center, here), (4, 0), "none holds: what the step asks of all");
}

#[test]
fn a_step_may_set_something_before_the_call_is_answered() {
    let config = house(&[], "", "").replace("start = \"support\"", "start = \"known\"")
        + "[flows.main.steps.known]\nset = { language = \"fr\" }\nthen = \"support\"\n";
    let mut center = Story::new(&config);
    center.door_obeys = false;
    let [call] = center.callers();
    assert!(matches!(
        center.stage(center.id(call)),
        Some(StageView::InFlow { step: Some(step) }) if step.as_str() == "known"
    ));
}
