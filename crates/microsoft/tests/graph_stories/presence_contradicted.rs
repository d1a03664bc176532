//! Graph says two things, says them late or twice; or somebody else says them.

use crate::world::*;
use serde_json::json;
use tandem_microsoft::graph::notification::{Delivery, Distrust};
use tandem_microsoft::graph::sealed::SealFault;
use tandem_microsoft::graph::watch::{LATE, Output, Source};

fn subscribed(people: u32) -> World {
    let mut world = World::notifying();
    world.employ(1);
    world.watch(people);
    world.run(s(20));
    world
}

#[test]
fn a_subscription_that_says_nothing_is_found_out_by_the_check_and_doubted() {
    let mut world = subscribed(100);
    world.graph.set(person(1), "Busy", "Busy");
    let changed_at = world.clock();
    world.run(s(62));
    let found = world.told_at(changed_at, person(1), "Busy").unwrap();
    assert!(found - changed_at <= s(61));
    world.run(LATE);
    let health = world.watcher.health(world.moment());
    assert_eq!(health.counts.subscriptions_late, 1);
    assert_eq!((health.subscriptions_active, health.subscriptions_doubted), (0, 1));
    // From now on it is polled in full, and the next change is found as if there were no subscription.
    let since = world.clock();
    world.graph.set(person(2), "Busy", "Busy");
    world.run(s(7));
    assert!(world.told_at(since, person(2), "Busy").is_some());
}

#[test]
fn trust_comes_back_when_nothing_contradicts_for_a_while() {
    let mut world = subscribed(100);
    world.graph.set(person(1), "Busy", "Busy");
    world.run(s(62) + LATE);
    assert_eq!(world.watcher.health(world.moment()).subscriptions_doubted, 1);
    world.run(s(200));
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
    let since = world.clock();
    world.run(s(120));
    assert!(world.polls_since(since) <= 3);
}

#[test]
fn a_notification_that_takes_some_seconds_is_not_late() {
    let mut world = subscribed(100);
    for round in 0..10 {
        let (number, state) = (round % 5, if round < 5 { "Busy" } else { "Away" });
        world.graph.set(person(number), state, state);
        // Perhaps the check finds it first.
        world.run(s(7));
        world.tell(person(number), state, state);
        world.run(s(14));
    }
    let health = world.watcher.health(world.moment());
    assert_eq!((health.subscriptions_active, health.counts.subscriptions_late), (1, 0));
    let by_poll = world
        .told
        .iter()
        .filter(|(at, output)| *at > s(20) && matches!(output, Output::Changed { source: Source::Poll, .. }));
    assert!(by_poll.count() >= 1, "or the story tells nothing");
}

#[test]
fn a_poll_that_was_on_its_way_does_not_undo_a_notification() {
    let mut world = World::notifying();
    world.employ(1);
    world.watch(10);
    world.run(s(20));
    world.graph.latency = s(3);
    let moment = world.moment();
    world.watcher.look(moment, [person(1)]);
    world.run(s(1));
    // The poll has been asked and has seen the person available; it arrives after this.
    world.graph.set(person(1), "Busy", "InACall");
    world.tell(person(1), "Busy", "InACall");
    let since = world.clock();
    world.run(s(3));
    assert_eq!(world.told_at(since, person(1), "Available"), None);
    assert_eq!(world.believed()[&person(1)], "Busy");
}

#[test]
fn two_notifications_in_the_wrong_order_are_settled_by_asking() {
    let mut world = subscribed(100);
    world.graph.set(person(1), "Available", "Available");
    world.graph.set(person(1), "Busy", "InACall");
    world.tell(person(1), "Busy", "InACall");
    let before = world.clock();
    world.run(s(1));
    assert_eq!(world.polls_since(before), 0, "one alone is believed");
    world.tell(person(1), "Away", "Away");
    let since = world.clock();
    world.run(ms(200));
    assert!(world.told_at(since, person(1), "Busy").is_some());
}

#[test]
fn a_notification_that_comes_late_is_believed_for_seconds_only() {
    let mut world = subscribed(100);
    // The call is over, as a check has found; now comes the notification of its beginning, which was tried again.
    world.run(s(70));
    let late = world.clock();
    world.tell(person(1), "Busy", "InACall");
    assert_eq!(world.believed()[&person(1)], "Busy", "it may be news");
    world.run(s(10));
    assert_eq!(world.polls_since(late), 0, "what polls say of a change may take as long");
    world.run(s(6));
    let settled = world.told_at(late, person(1), "Available").unwrap();
    assert!(settled - late <= s(16), "{:?}", settled - late);
}

#[test]
fn a_notification_that_is_true_is_confirmed_once() {
    let mut world = subscribed(100);
    world.run(s(70));
    let since = world.clock();
    for number in 0..20 {
        world.graph.set(person(number), "Busy", "InACall");
        world.tell(person(number), "Busy", "InACall");
        world.run(ms(200));
    }
    world.run(s(16));
    assert_eq!(world.polls_since(since), 1, "of many who change together, one request");
    let confirmed = world.watcher.known(person(1), world.now).unwrap().polled_at.unwrap();
    assert!(confirmed >= world.start + since + s(10));
    assert!((0..20).all(|number| world.believed()[&person(number)] == "Busy"));
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
}

#[test]
fn two_that_contradict_each_other_are_settled_again_when_polls_have_caught_up() {
    let mut world = subscribed(100);
    world.run(s(70));
    let since = world.clock();
    // The change is true, but has not come round to whoever answers polls.
    world.tell(person(1), "Away", "Away");
    world.run(s(1));
    world.tell(person(1), "Busy", "InACall");
    world.run(s(1));
    assert_eq!(world.believed()[&person(1)], "Available", "as the poll says that was asked at once");
    world.graph.set(person(1), "Busy", "InACall");
    world.run(s(16));
    assert_eq!(world.believed()[&person(1)], "Busy");
    assert!(world.clock() - since < s(20));
}

#[test]
fn a_poll_with_the_number_of_before_waits_for_ten_seconds() {
    let mut world = World::notifying();
    world.employ(1);
    world.watch(10);
    world.graph.set_numbered(person(1), "Available", 5);
    world.run(s(20));
    world.tell(person(1), "Busy", "Busy");
    let told_at = world.clock();
    let moment = world.moment();
    world.watcher.look(moment, [person(1)]);
    world.run(s(5));
    assert_eq!(world.believed()[&person(1)], "Busy", "perhaps it has not come round yet");
    assert!(world.watcher.health(world.moment()).counts.contradictions >= 1);
    world.run(s(15));
    let settled = world.told_at(told_at, person(1), "Available").unwrap();
    assert!(settled - told_at <= s(17), "then the poll is believed: {:?}", settled - told_at);
}

#[test]
fn an_older_number_never_wins() {
    let mut world = World::polling();
    world.watch(10);
    world.graph.set_numbered(person(1), "Busy", 10);
    world.run(s(10));
    world.graph.set_numbered(person(1), "Available", 9);
    let since = world.clock();
    world.run(s(10));
    assert_eq!(world.told_at(since, person(1), "Available"), None);
    assert!(world.watcher.health(world.moment()).counts.contradictions >= 1);
}

#[test]
fn a_copy_of_a_notification_is_no_news() {
    let mut world = subscribed(10);
    let item = world.item(person(1));
    world.tell_as(&item, person(1), "Available", "Available");
    world.tell(person(1), "Busy", "InACall");
    // Somebody who overheard it, or Graph itself, sends the first one again.
    world.tell_as(&item, person(1), "Available", "Available");
    assert_eq!(world.believed()[&person(1)], "Busy");
    assert_eq!(world.watcher.health(world.moment()).counts.notifications_repeated, 1);
}

#[test]
fn what_is_forged_changes_nothing_and_is_counted() {
    let mut world = subscribed(10);
    let held = world.graph.subscriptions[0].clone();
    let more = || json!({"changeType": "updated", "resourceData": {"id": person(1)}});
    let mut other_tenant = world.item_of(&held.id, &held.client_state, more());
    other_tenant.tenant = Some("11111111-1111-1111-1111-111111111111".parse().unwrap());
    let mut without_state = world.item_of(&held.id, &held.client_state, more());
    without_state.client_state = None;
    let forged = [
        (world.item_of(&held.id, "guessed", more()), Distrust::WrongState),
        (without_state, Distrust::WrongState),
        (other_tenant, Distrust::WrongTenant),
        (world.item_of("sub-99", "guessed", more()), Distrust::UnknownSubscription),
        (world.item_of("sub-99", &held.client_state, more()), Distrust::UnknownSubscription),
    ];
    let since = world.clock();
    for (item, why) in &forged {
        assert_eq!(world.watcher.admits(item), Err(*why));
        world.tell_as(item, person(1), "Offline", "Offline");
    }
    world.run(s(1));
    assert_eq!(world.told_at(since, person(1), "Offline"), None);
    assert_eq!(world.polls_since(since), 0, "not even a question");
    assert_eq!(world.watcher.health(world.moment()).counts.notifications_distrusted, 5);
}

#[test]
fn a_notification_that_cannot_be_opened_or_brings_no_content_makes_us_ask() {
    let mut world = subscribed(10);
    world.graph.set(person(1), "Busy", "Busy");
    let item = world.item(person(1));
    let moment = world.moment();
    world.watcher.handle_notification(moment, &item, Some(Err(SealFault::UnknownCertificate)));
    let since = world.clock();
    world.run(ms(200));
    assert!(world.told_at(since, person(1), "Busy").is_some());

    world.graph.set(person(2), "Away", "Away");
    let held = world.graph.subscriptions[0].clone();
    let basic = json!({"changeType": "updated", "resource": "x", "resourceData": {"id": person(2)}});
    let item = world.item_of(&held.id, &held.client_state, basic);
    let moment = world.moment();
    world.watcher.handle_notification(moment, &item, None);
    let since = world.clock();
    world.run(ms(200));
    assert!(world.told_at(since, person(2), "Away").is_some());
}

#[test]
fn presence_of_somebody_who_is_not_watched_is_not_taken() {
    let mut world = subscribed(10);
    let item = world.item(person(1));
    world.tell_as(&item, person(5_000), "Busy", "Busy");
    assert!(!world.believed().contains_key(&person(5_000)));
    assert_eq!(world.watcher.health(world.moment()).counts.strange, 1);
}

#[test]
fn missed_notifications_make_us_ask_for_the_whole_group() {
    let mut world = subscribed(10);
    world.graph.set(person(4), "Away", "Away");
    world.lifecycle(person(1), "missed");
    let since = world.clock();
    world.run(ms(200));
    assert!(world.told_at(since, person(4), "Away").is_some());
}

#[test]
fn a_lifecycle_word_that_nobody_knows_does_nothing() {
    let mut world = subscribed(10);
    let before = world.told.len();
    world.lifecycle(person(1), "somethingNew");
    world.run(s(1));
    assert_eq!(world.told.len(), before);
    assert!(Delivery::parse(b"{}").is_err());
}
