//! An agent needs help, and is told whom to ask and why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_people::directory::{
    Directory, Entry, EntryId, Experts, Reason, Seen, Skill, Solved, Solver, Standing, Suggestion, Topic,
    WantedSkill,
};
use tandem_people::moment::UnixMillis;

const DAY: u64 = 24 * 60 * 60 * 1_000;
const NOW: UnixMillis = UnixMillis::from_millis(20_000 * DAY);

struct Floor {
    directory: Directory,
    solved: Solved,
    seen: BTreeMap<&'static str, Seen>,
}

impl Floor {
    fn new() -> Floor {
        Floor { directory: Directory::new(), solved: Solved::default(), seen: BTreeMap::new() }
    }

    fn with(mut self, name: &'static str, standing: Standing, skills: &[(&str, Option<u8>)]) -> Floor {
        let mut entry = Entry::new(name, name);
        entry.skills = skills.iter().map(|(name, level)| Skill::told(name, *level)).collect();
        entry.agent = Some(format!("agent-{name}").into());
        entry.department = Some(if name < "m" { "Support" } else { "Finance" }.into());
        self.directory.upsert(entry).unwrap();
        self.seen.insert(name, Seen { standing, age: Duration::from_secs(3) });
        self
    }

    fn solved(mut self, topic: &Topic, name: &str, days_ago: u64) -> Floor {
        let at = UnixMillis::from_millis(NOW.as_millis() - days_ago * DAY);
        self.solved.told(topic.clone(), Solver::Agent(format!("agent-{name}").into()), at);
        self
    }

    fn suggest(&self, wanted: &Experts) -> Vec<Suggestion> {
        let seen = |id: &EntryId| self.seen.get(id.as_str()).copied();
        self.directory.suggest(wanted, &self.solved, NOW, seen, 10)
    }

    fn ids(&self, wanted: &Experts) -> Vec<String> {
        self.suggest(wanted).into_iter().map(|suggestion| suggestion.id.as_str().to_owned()).collect()
    }
}

fn skill(name: &str, least: u8) -> Experts {
    Experts { skills: vec![WantedSkill { name: name.into(), least }], ..Experts::default() }
}

fn refund() -> Topic {
    Topic::WrapUpCode("refund".into())
}

#[test]
fn free_people_come_first_then_those_who_soon_are_then_the_others() {
    let soon = |seconds| Standing::SoonFree { within: Duration::from_secs(seconds) };
    let floor = Floor::new()
        .with("offline", Standing::Offline, &[("Tax", Some(5))])
        .with("quiet", Standing::DoNotDisturb, &[("Tax", Some(5))])
        .with("away", Standing::Away, &[("Tax", Some(5))])
        .with("busy", Standing::Busy, &[("Tax", Some(5))])
        .with("unknown", Standing::Unknown, &[("Tax", Some(5))])
        .with("later", soon(60), &[("Tax", Some(5))])
        .with("sooner", soon(10), &[("Tax", Some(1))])
        .with("free", Standing::Free, &[("tax", None)]);
    let order = ["free", "sooner", "later", "unknown", "busy", "away", "quiet", "offline"];
    assert_eq!(floor.ids(&skill("TAX", 0)), order);
}

#[test]
fn what_was_seen_long_ago_counts_as_unknown_and_is_shown_with_its_age() {
    let mut floor = Floor::new()
        .with("stale", Standing::Free, &[("Tax", Some(5))])
        .with("soon", Standing::SoonFree { within: Duration::from_secs(60) }, &[("Tax", Some(1))])
        .with("busy", Standing::Busy, &[("Tax", Some(5))]);
    let stale = Seen { standing: Standing::Free, age: Seen::STALE_AFTER + Duration::from_secs(1) };
    floor.seen.insert("stale", stale);
    assert_eq!(floor.ids(&skill("tax", 0)), ["soon", "stale", "busy"]);
    assert_eq!(floor.suggest(&skill("tax", 0))[1].seen, Some(stale));
    floor.seen.remove("busy");
    assert_eq!(floor.ids(&skill("tax", 0)), ["soon", "busy", "stale"], "who was never seen is unknown, too");
}

#[test]
fn a_better_level_comes_first_and_too_low_a_level_does_not_come() {
    let floor = Floor::new()
        .with("best", Standing::Free, &[("Tax", Some(5))])
        .with("low", Standing::Free, &[("Tax", Some(1))])
        .with("other", Standing::Free, &[("Law", Some(5))])
        .with("some", Standing::Free, &[("Tax", None)])
        .with("twice", Standing::Free, &[("Tax", None), ("TAX", Some(3))]);
    assert_eq!(floor.ids(&skill("tax", 0)), ["best", "twice", "some", "low"]);
    assert_eq!(floor.ids(&skill("tax", 3)), ["best", "twice", "some"]);
    assert_eq!(
        floor.ids(&skill("tax", 4)),
        ["best", "some", "twice"],
        "what nobody gave a level may be enough"
    );
    assert_eq!(floor.ids(&skill("taxes", 0)), Vec::<String>::new());
}

#[test]
fn who_solved_it_before_comes_and_lately_counts_more() {
    let mut floor = Floor::new()
        .with("lately", Standing::Free, &[])
        .with("long-ago", Standing::Free, &[])
        .with("never", Standing::Free, &[])
        .with("often", Standing::Free, &[]);
    for days_ago in 1..6 {
        floor = floor.solved(&refund(), "often", days_ago);
    }
    floor =
        floor.solved(&refund(), "lately", 1).solved(&refund(), "long-ago", 100).solved(&refund(), "gone", 1);
    let wanted = Experts { topics: vec![refund()], ..Experts::default() };
    assert_eq!(floor.ids(&wanted), ["often", "lately", "long-ago"]);
    let last = UnixMillis::from_millis(NOW.as_millis() - DAY);
    let reason = Reason::SolvedBefore { topic: refund(), times: 5, last };
    assert_eq!(floor.suggest(&wanted)[0].reasons, [reason]);
    // Somebody who is no agent, but was asked.
    floor.solved.told(refund(), Solver::Entry(EntryId::new("never")), NOW);
    assert!(floor.ids(&wanted).contains(&"never".to_owned()));
    let years_later = UnixMillis::from_millis(NOW.as_millis() + 3_000 * DAY);
    let found = floor.directory.suggest(&wanted, &floor.solved, years_later, |_| None, 10);
    assert_eq!(found, [], "what was so long ago says nothing");
}

#[test]
fn all_reasons_are_told_the_best_first_and_the_asker_is_not_asked() {
    let floor = Floor::new()
        .with("ada", Standing::Free, &[("Tax", Some(5))])
        .with("bob", Standing::Free, &[("Tax", Some(4))])
        .with("zoe", Standing::Free, &[("Tax", Some(4))])
        .with("colleague", Standing::Free, &[])
        .solved(&refund(), "bob", 0);
    let wanted = Experts { topics: vec![refund()], asker: Some(EntryId::new("ada")), ..skill("tax", 2) };
    let found = floor.suggest(&wanted);
    assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["bob", "zoe"]);
    let reasons = [
        Reason::Skill { name: "Tax".into(), level: Some(4) },
        Reason::SolvedBefore { topic: refund(), times: 1, last: NOW },
        Reason::SameDepartment { department: "Support".into() },
    ];
    assert_eq!(found[0].reasons, reasons);
    assert_eq!(found[0].strength, 900 + 300 + 50);
    assert_eq!(found[1].reasons, reasons[..1], "another department");
}

#[test]
fn a_suggestion_reads_as_it_is_written() {
    let floor = Floor::new()
        .with("bob", Standing::SoonFree { within: Duration::from_secs(10) }, &[("Tax", Some(4))])
        .solved(&refund(), "bob", 0);
    let wanted = Experts { topics: vec![refund()], ..skill("tax", 2) };
    let found = floor.suggest(&wanted);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Suggestion>>(&text).unwrap(), found);
    assert!(
        text.contains(r#""kind":"solved_before""#) && text.contains(r#""standing":"soon_free""#),
        "{text}"
    );
}

#[test]
fn no_more_are_suggested_than_were_wished_for_and_than_may_be() {
    const NAMES: [&str; 60] = ["x"; 60];
    let mut directory = Directory::new();
    for (number, name) in NAMES.into_iter().enumerate() {
        let mut entry = Entry::new(&format!("{number:02}"), name);
        entry.skills = vec![Skill::told("Tax", None)];
        directory.upsert(entry).unwrap();
    }
    let suggest = |limit| directory.suggest(&skill("tax", 0), &Solved::default(), NOW, |_| None, limit);
    assert_eq!(
        (suggest(0).len(), suggest(3).len(), suggest(usize::MAX).len()),
        (0, 3, Directory::SUGGESTIONS_MAX)
    );
    assert_eq!(suggest(1)[0].id, EntryId::new("00"));
}
