//! What stands in the journal is found again: in order, by interaction, by time of closing, after a restart.

mod common;

use common::{Desk, fact, fact_of, facts, tenant};
use tandem_store::{FactNumber, InteractionKey, Mark, PAGE_MAX, STORY_MAX};

#[test]
fn facts_are_read_in_pages_and_survive_a_restart() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    desk.journal.append(&contoso, facts(1..=25)).unwrap();
    let desk = desk.restart();
    assert_eq!(desk.journal.last_number(&contoso).unwrap(), FactNumber(25));
    assert_eq!(desk.journal.facts(&contoso, FactNumber(0), 10).unwrap(), facts(1..=10));
    assert_eq!(desk.journal.facts(&contoso, FactNumber(10), 10).unwrap(), facts(11..=20));
    assert_eq!(desk.journal.facts(&contoso, FactNumber(20), 10).unwrap(), facts(21..=25));
    assert_eq!(desk.journal.facts(&contoso, FactNumber(25), 10).unwrap(), []);
    desk.journal.append(&contoso, facts(26..=26)).unwrap();
    desk.settle();
    assert_eq!(desk.journal.facts(&contoso, FactNumber(25), 10).unwrap(), [fact(26)]);
}

#[test]
fn one_tenant_never_reads_another() {
    let desk = Desk::new();
    let (contoso, fabrikam) = (tenant("contoso"), tenant("fabrikam"));
    desk.journal.append(&contoso, vec![fact_of(1, 7, Mark::Closes)]).unwrap();
    desk.journal.put_snapshot(&contoso, FactNumber(1), 1, b"state".to_vec());
    desk.settle();
    assert_eq!(desk.journal.last_number(&fabrikam).unwrap(), FactNumber(0));
    assert_eq!(desk.journal.facts(&fabrikam, FactNumber(0), 10).unwrap(), []);
    assert_eq!(desk.journal.story(&fabrikam, InteractionKey(7)).unwrap().records, []);
    assert_eq!(desk.journal.closed(&fabrikam, None, 10).unwrap(), []);
    assert_eq!(desk.journal.snapshot(&fabrikam, 1).unwrap(), None);
}

#[test]
fn the_story_of_an_interaction_is_its_facts_in_order() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    // Two stories woven into each other, with ids from both ends of the range.
    let (one, two) = (u64::MAX, 3);
    let woven = vec![
        fact_of(1, one, Mark::Opens),
        fact_of(2, two, Mark::Opens),
        fact(3),
        fact_of(4, one, Mark::Plain),
        fact_of(5, two, Mark::Closes),
        fact_of(6, one, Mark::Closes),
    ];
    desk.journal.append(&contoso, woven.clone()).unwrap();
    desk.settle();
    let story = desk.journal.story(&contoso, InteractionKey(one)).unwrap();
    assert_eq!(story.records, [woven[0].clone(), woven[3].clone(), woven[5].clone()]);
    assert!(!story.cut);
    assert_eq!(desk.journal.story(&contoso, InteractionKey(99)).unwrap().records, []);
}

#[test]
fn the_last_closed_interactions_come_latest_first_and_in_pages() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    let pairs = (1..=20).map(|number| {
        let mark = if number % 2 == 0 { Mark::Closes } else { Mark::Opens };
        fact_of(number, number.div_ceil(2), mark)
    });
    desk.journal.append(&contoso, pairs.collect()).unwrap();
    desk.settle();
    let page = desk.journal.closed(&contoso, None, 4).unwrap();
    let keys: Vec<u64> = page.iter().map(|closed| closed.interaction.0).collect();
    assert_eq!(keys, [10, 9, 8, 7]);
    assert_eq!(page[0].at_ms, 20_000);
    let next = desk.journal.closed(&contoso, Some(page[3].number), 4).unwrap();
    let keys: Vec<u64> = next.iter().map(|closed| closed.interaction.0).collect();
    assert_eq!(keys, [6, 5, 4, 3]);
}

#[test]
fn a_wish_for_too_much_is_cut() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    let many = u64::try_from(STORY_MAX.max(PAGE_MAX)).unwrap() + 5;
    desk.journal
        .append(&contoso, (1..=many).map(|number| fact_of(number, 1, Mark::Plain)).collect())
        .unwrap();
    desk.settle();
    assert_eq!(desk.journal.facts(&contoso, FactNumber(0), usize::MAX).unwrap().len(), PAGE_MAX);
    let story = desk.journal.story(&contoso, InteractionKey(1)).unwrap();
    assert_eq!(story.records.len(), STORY_MAX);
    assert!(story.cut);
}

#[test]
fn the_latest_snapshot_is_kept_and_only_in_its_format() {
    let desk = Desk::new();
    let contoso = tenant("contoso");
    desk.journal.append(&contoso, facts(1..=9)).unwrap();
    desk.journal.put_snapshot(&contoso, FactNumber(5), 3, b"five".to_vec());
    desk.journal.put_snapshot(&contoso, FactNumber(9), 3, b"nine".to_vec());
    desk.journal.put_snapshot(&contoso, FactNumber(7), 3, b"late and old".to_vec());
    let desk = desk.restart();
    let snapshot = desk.journal.snapshot(&contoso, 3).unwrap().unwrap();
    assert_eq!((snapshot.number, snapshot.state), (FactNumber(9), b"nine".to_vec()));
    assert_eq!(desk.journal.snapshot(&contoso, 4).unwrap(), None, "another format is not understood");
}
