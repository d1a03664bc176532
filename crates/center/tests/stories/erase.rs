//! What facts say about people is erased: the facts stay, and with them every count.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::harness::{SUPPORT, Story, config};
use tandem_center::call::CauseKind;
use tandem_center::erase::{ErasedBy, Erasure};
use tandem_center::fact::{Fact, FactKind};
use tandem_center::id::InteractionId;
use tandem_center::supervise::{RefusalReason, Subject};
use tandem_center::view::View;
use tandem_center::{Center, Input};

fn erase(center: &mut Story, interaction: InteractionId) {
    let why = Some("letter of 3 May".into());
    center.input(Input::Erase(Erasure { interaction, by: ErasedBy::Request, why }));
}

/// A call that is over, with a transfer to a number, and its interaction.
fn over() -> (Story, InteractionId) {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    let (id, _) = center.interaction(call).expect("it arrived");
    center.agent_answers("adele");
    center.agent_asks_transfer("adele", 1);
    center.caller_hangs_up(call);
    center.agent_leaves("adele", CauseKind::HungUp);
    center.pass(60);
    assert!(center.interaction(call).is_none());
    (center, id)
}

fn names_anybody(text: &str) -> bool {
    text.contains("+14255550123") || text.contains("\"Ada\"") || text.contains("+14255550177")
}

#[test]
fn nothing_that_is_shown_names_anybody_any_more_and_it_is_told() {
    let (mut center, id) = over();
    let shown = |center: &Story| serde_json::to_string(&center.view).expect("JSON");
    assert!(names_anybody(&shown(&center)));
    let totals = center.view.totals.clone();
    erase(&mut center, id);
    assert!(center.refused.is_empty());
    assert!(!names_anybody(&shown(&center)), "{}", shown(&center));
    let closed = center.view.recent.front().expect("a call");
    assert_eq!((closed.from.reveal(), closed.from_name.reveal()), (None, None));
    let last = closed.story.0.last().expect("a fact");
    assert!(
        matches!(&last.kind, FactKind::Erased { by: ErasedBy::Request, why: Some(why), .. } if &**why == "letter of 3 May")
    );
    assert_eq!(center.view.totals, totals);
    assert!(center.view.stories.is_empty());
}

#[test]
fn an_agent_is_no_longer_known_to_have_talked_to_the_customer() {
    let (mut center, id) = over();
    assert!(center.view.acquaintances.iter().any(|(known, _)| known == id));
    erase(&mut center, id);
    assert!(center.view.acquaintances.is_empty());
}

#[test]
fn facts_whose_values_are_gone_fold_to_what_the_erasure_left() {
    let (mut center, id) = over();
    erase(&mut center, id);
    let mut view = View::default();
    for fact in &center.facts {
        let mut fact: Fact = (**fact).clone();
        fact.erase_personal();
        view.apply(&Arc::new(fact));
    }
    assert_eq!(view, center.view);
    let center = Story::restored(
        Center::resume(config(SUPPORT), center.now, &view),
        center.facts.iter().map(|fact| (**fact).clone()).collect(),
    );
    assert!(center.is_available("adele"));
}

#[test]
fn a_call_that_was_refused_at_the_door_is_named_by_its_fact() {
    let mut center = Story::new(SUPPORT);
    center.dial_to("+14255550000");
    let rejected = center.facts.last().expect("a fact").number;
    erase(&mut center, InteractionId(rejected));
    assert!(center.refused.is_empty());
    assert!(
        matches!(center.last_fact("erased"), FactKind::Erased { interaction, .. } if interaction.0 == rejected)
    );
    assert!(center.view.stories.is_empty());
}

#[test]
fn what_is_open_or_never_was_is_refused_with_the_reason() {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    let (open, _) = center.interaction(call).expect("it arrived");
    let before = center.facts.len();
    for (id, reason) in [
        (open, RefusalReason::StillOpen),
        (InteractionId(0), RefusalReason::UnknownInteraction),
        (InteractionId(1_000_000), RefusalReason::UnknownInteraction),
    ] {
        erase(&mut center, id);
        let refused = center.refused.pop().expect("a refusal");
        assert_eq!((refused.subject, refused.reason), (Subject::Interaction(id), reason));
    }
    let (by, why) = (ErasedBy::Request, Some("x".repeat(1_000).into()));
    center.input(Input::Erase(Erasure { interaction: InteractionId(1), by, why }));
    assert_eq!(center.refused.pop().expect("a refusal").reason, RefusalReason::ReasonTooLong);
    assert_eq!(center.facts.len(), before);
}

#[test]
fn it_may_be_erased_twice_and_others_are_left_alone() {
    let (mut center, id) = over();
    let call = center.dial();
    center.caller_hangs_up(call);
    erase(&mut center, id);
    erase(&mut center, id);
    assert_eq!(center.count("erased"), 2);
    let known: BTreeSet<bool> =
        center.view.recent.iter().map(|closed| closed.from.reveal().is_some()).collect();
    assert_eq!(known, BTreeSet::from([false, true]));
    assert!(center.closed(call).from.reveal().is_some());
}
