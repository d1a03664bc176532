//! Presence that Graph tells by itself: subscriptions created, renewed, reauthorised, replaced, lost and refused.

use crate::world::*;
use tandem_microsoft::graph::call::{ANSWER_AFTER_MAX, Caller, Operation};
use tandem_microsoft::graph::watch::{Lost, Output, SETTLE, Source};
use tandem_microsoft::id::ObjectId;

fn subscribed(people: u32, accounts: u8) -> World {
    let mut world = World::notifying();
    world.employ(accounts);
    world.watch(people);
    world.run(s(10));
    world
}

fn was_refused(world: &World) -> bool {
    world.was_told(s(0), |output| matches!(output, Output::SubscriptionRefused { .. }))
}

#[test]
fn a_subscription_names_its_people_and_lets_polls_rest() {
    let mut world = subscribed(600, 1);
    let told = |output: &Output| matches!(output, Output::Subscribed { people: 600, .. });
    assert!(world.was_told(s(0), told));
    assert_eq!(world.graph.subscriptions.len(), 1);
    assert_eq!(world.graph.subscriptions[0].people.len(), 600);
    assert_eq!(world.graph.subscriptions[0].account, Caller::Account(account(1)));
    let since = world.clock();
    world.run(s(300));
    let polls = world.polls_since(since);
    assert!((4..=6).contains(&polls), "a check each minute: {polls}");
    assert!(world.stale().is_empty());
}

#[test]
fn what_changed_before_it_stood_is_not_held_against_it() {
    let mut world = World::notifying();
    world.watch(600);
    world.run(s(20));
    world.graph.latency = s(2);
    world.employ(1);
    world.run(s(2));
    // Created at Graph, and not yet answered: whoever changes now is found by the poll that follows.
    world.graph.set(person(5), "Away", "Away");
    world.run(s(10));
    assert_eq!(world.believed()[&person(5)], "Away");
    let health = world.watcher.health(world.moment());
    assert_eq!((health.subscriptions_active, health.counts.subscriptions_late), (1, 0));
}

#[test]
fn a_notification_is_told_at_once() {
    let mut world = subscribed(600, 1);
    world.run(s(7));
    let since = world.clock();
    world.graph.set(person(5), "Busy", "InACall");
    world.tell(person(5), "Busy", "InACall");
    let (at, output) = world.told.last().unwrap();
    assert_eq!(*at, since);
    assert!(matches!(
        output,
        Output::Changed { person: p, source: Source::Notification, .. } if *p == person(5)
    ));
}

#[test]
fn each_account_holds_one_and_the_rest_is_polled() {
    let world = subscribed(2_000, 2);
    assert_eq!(world.graph.subscriptions.len(), 2);
    let covered: usize = world.graph.subscriptions.iter().map(|held| held.people.len()).sum();
    assert_eq!(covered, 1_300);
    let health = world.watcher.health(world.moment());
    assert_eq!((health.groups, health.subscriptions_active), (4, 2));
}

#[test]
fn it_is_renewed_at_half_of_its_life_for_ever() {
    let mut world = subscribed(50, 1);
    let first = world.graph.subscriptions[0].clone();
    world.run(s(6 * 3600));
    let held = &world.graph.subscriptions[0];
    assert_eq!(held.id, first.id, "the same one for six hours");
    assert!((12..=15).contains(&held.renewed), "{}", held.renewed);
    assert_eq!(world.sent_since(s(0), Operation::SubscribePresence), 1);
}

#[test]
fn a_new_certificate_is_taken_over_at_the_renewal() {
    let mut world = subscribed(50, 1);
    let moment = world.moment();
    world.watcher.set_notify(moment, Some(notify("c2")));
    world.run(s(1800));
    assert_eq!(world.graph.subscriptions[0].certificate_id.as_deref(), Some("c2"));
    assert_eq!(world.sent_since(s(0), Operation::SubscribePresence), 1);
}

#[test]
fn a_renewal_that_fails_is_tried_again_until_it_is_done() {
    let mut world = subscribed(50, 1);
    world.graph.cares = Mood::Refusing(503, "ServiceUnavailable", None);
    world.run(s(40 * 60));
    assert!(world.sent_since(s(0), Operation::RenewSubscription) > 3);
    world.graph.cares = Mood::Fine;
    world.run(s(5 * 60));
    assert_eq!(world.graph.subscriptions[0].renewed, 1);
    assert!(!world.was_told(s(0), |output| matches!(output, Output::SubscriptionLost { .. })));
}

#[test]
fn one_that_cannot_be_renewed_expires_is_polled_and_created_again() {
    let mut world = subscribed(50, 1);
    world.graph.cares = Mood::Unreachable;
    world.run(s(54 * 60));
    let before = world.clock();
    world.run(s(5 * 60));
    let lost = Output::SubscriptionLost { account: account(1), why: Lost::Expired };
    assert!(world.was_told(before, |output| *output == lost));
    assert!(world.was_told(before, |output| matches!(output, Output::Subscribed { .. })));
    assert!(world.stale().is_empty());
}

#[test]
fn reauthorisation_is_given_when_it_is_asked_for() {
    let mut world = subscribed(50, 1);
    world.lifecycle(person(1), "reauthorizationRequired");
    world.run(s(2));
    assert_eq!(world.graph.subscriptions[0].reauthorised, 1);
    world.run(s(3600));
    assert!(world.graph.subscriptions[0].renewed >= 1, "and it is renewed all the same");
}

#[test]
fn one_that_graph_removed_is_created_again_and_everybody_asked_for() {
    let mut world = subscribed(50, 1);
    world.lifecycle(person(1), "subscriptionRemoved");
    world.graph.subscriptions.clear();
    world.graph.set(person(9), "Away", "Away");
    let since = world.clock();
    world.run(s(3));
    assert!(world.told_at(since, person(9), "Away").unwrap() - since < s(1));
    assert_eq!(world.graph.subscriptions.len(), 1);
}

#[test]
fn one_that_graph_forgot_is_noticed_at_the_renewal() {
    let mut world = subscribed(50, 1);
    world.graph.subscriptions.clear();
    world.run(s(1800));
    let lost = Output::SubscriptionLost { account: account(1), why: Lost::Forgotten };
    assert!(world.was_told(s(0), |output| *output == lost));
    assert_eq!(world.graph.subscriptions.len(), 1);
}

#[test]
fn where_it_is_refused_everybody_is_polled_and_told_why_and_it_is_tried_again() {
    let mut world = World::notifying();
    world.graph.subscribes = Mood::Refusing(403, "Forbidden", None);
    world.employ(1);
    world.watch(50);
    world.run(s(60));
    let refusals = world.told.iter().filter(|(_, o)| matches!(o, Output::SubscriptionRefused { .. })).count();
    assert_eq!(refusals, 1);
    assert_eq!(world.sent_since(s(0), Operation::ListSubscriptions), 1, "there might have been a leftover");
    assert_eq!(world.watcher.health(world.moment()).subscriptions_refused, 1);
    assert!(world.polls_since(s(30)) >= 4, "polled in full");
    world.graph.subscribes = Mood::Fine;
    world.run(s(16 * 60));
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
}

#[test]
fn a_leftover_of_an_earlier_life_is_ended_first() {
    let mut before = subscribed(50, 1);
    let leftover = before.graph.subscriptions.remove(0);
    let mut world = World::notifying();
    world.graph.subscriptions.push(leftover.clone());
    world.employ(1);
    world.watch(50);
    world.run(s(20));
    assert_eq!(world.graph.subscriptions.len(), 1);
    assert_ne!(world.graph.subscriptions[0].client_state, leftover.client_state);
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
}

#[test]
fn a_leftover_with_other_people_is_ended_first() {
    let mut before = subscribed(50, 1);
    let leftover = before.graph.subscriptions.remove(0);
    let mut world = World::notifying();
    world.graph.subscriptions.push(leftover);
    world.employ(1);
    world.watch(60);
    world.run(s(20));
    assert_eq!(world.graph.subscriptions.len(), 1);
    assert_eq!(world.graph.subscriptions[0].people.len(), 60);
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
    assert!(!was_refused(&world), "nobody is sent to grant a permission that is granted");
}

#[test]
fn a_leftover_that_cannot_be_ended_is_told_as_a_refusal_after_some_tries() {
    let mut before = subscribed(50, 1);
    let leftover = before.graph.subscriptions.remove(0);
    let mut world = World::notifying();
    world.graph.subscriptions.push(leftover);
    world.graph.deletes = Mood::Refusing(503, "ServiceUnavailable", None);
    world.employ(1);
    world.watch(60);
    world.run(s(5 * 60));
    assert!(was_refused(&world));
    assert_eq!(world.sent_since(s(0), Operation::DeleteSubscription), 3);
    world.graph.deletes = Mood::Fine;
    world.run(s(16 * 60));
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
}

#[test]
fn a_creation_that_was_done_without_an_answer_is_undone_for_one_that_names_all() {
    let mut world = World::notifying();
    world.employ(1);
    world.watch(50);
    world.run(ms(400));
    world.graph.latency = ANSWER_AFTER_MAX * 2;
    world.run(ms(200));
    assert_eq!(world.graph.subscriptions.len(), 1, "created at Graph, but not yet answered");
    world.graph.latency = ms(80);
    world.graph.set(person(777), "Available", "Available");
    let moment = world.moment();
    world.watcher.watch(moment, [person(777)]);
    world.run(ANSWER_AFTER_MAX + s(15));
    assert_eq!(world.graph.subscriptions.len(), 1);
    assert!(world.graph.subscriptions[0].people.contains(&person(777)));
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
    assert!(!was_refused(&world));
}

#[test]
fn one_for_fewer_people_that_is_not_ended_at_once_is_ended_later() {
    let mut world = subscribed(50, 1);
    world.graph.deletes = Mood::Unreachable;
    world.graph.set(person(777), "Available", "Available");
    let moment = world.moment();
    world.watcher.watch(moment, [person(777)]);
    world.run(SETTLE + s(1));
    assert!(world.sent_since(s(0), Operation::DeleteSubscription) >= 1);
    world.graph.deletes = Mood::Fine;
    world.run(s(20));
    assert_eq!(world.graph.subscriptions.len(), 1);
    assert!(world.graph.subscriptions[0].people.contains(&person(777)));
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
    assert!(!was_refused(&world));
}

#[test]
fn who_comes_later_is_polled_and_soon_in_the_subscription_too() {
    let mut world = subscribed(50, 1);
    world.graph.set(person(777), "Available", "Available");
    let moment = world.moment();
    world.watcher.watch(moment, [person(777)]);
    let since = world.clock();
    world.run(s(20));
    assert!(world.polls_since(since) >= 3, "polled in full meanwhile");
    assert!(world.stale().is_empty());
    world.run(s(20));
    assert_eq!(world.graph.subscriptions.len(), 1);
    assert!(world.graph.subscriptions[0].people.contains(&person(777)));
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
}

#[test]
fn who_comes_while_it_is_created_is_polled_and_soon_in_it_too() {
    let mut world = World::notifying();
    world.graph.latency = s(2);
    world.employ(1);
    world.watch(50);
    world.run(s(1));
    assert_eq!(world.graph.subscriptions.len(), 1, "created at Graph, but not yet answered");
    world.graph.set(person(777), "Available", "Available");
    let moment = world.moment();
    world.watcher.watch(moment, [person(777)]);
    world.run(s(5));
    assert!(world.was_told(s(0), |output| matches!(output, Output::Subscribed { people: 50, .. })));
    assert_not_relied_upon_until_it_names(&mut world, person(777));
}

#[test]
fn whom_graph_comes_to_know_while_it_is_created_is_polled_and_soon_in_it_too() {
    let mut world = World::notifying();
    world.employ(1);
    world.watch(50);
    world.graph.states.remove(&person(7));
    world.run(ms(400));
    world.graph.latency = s(2);
    world.run(ms(200));
    assert_eq!(world.graph.subscriptions[0].people.len(), 49, "created at Graph, but not yet answered");
    world.graph.latency = ms(80);
    world.graph.set(person(7), "Available", "Available");
    let moment = world.moment();
    world.watcher.look(moment, [person(7)]);
    world.run(s(1));
    assert_eq!(world.believed()[&person(7)], "Available");
    world.run(s(2));
    assert!(world.was_told(s(0), |output| matches!(output, Output::Subscribed { people: 49, .. })));
    assert_not_relied_upon_until_it_names(&mut world, person(7));
}

/// The subscription stands without this person, who is polled as often as anybody until it is made anew.
fn assert_not_relied_upon_until_it_names(world: &mut World, who: ObjectId) {
    assert!(!world.graph.subscriptions[0].people.contains(&who));
    let health = world.watcher.health(world.moment());
    assert_eq!((health.subscriptions_active, health.subscriptions_doubted), (0, 1));
    world.graph.set(who, "Away", "Away");
    let since = world.clock();
    world.run(s(10));
    assert!(world.told_at(since, who, "Away").is_some(), "found by a poll");
    world.graph.latency = ms(80);
    world.run(SETTLE + s(10));
    assert_eq!(world.graph.subscriptions.len(), 1);
    assert!(world.graph.subscriptions[0].people.contains(&who));
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
}

#[test]
fn graph_may_tell_before_it_has_answered_the_creation() {
    let mut world = World::notifying();
    world.graph.latency = s(2);
    world.employ(1);
    world.watch(50);
    world.run(s(1));
    assert!(!world.was_told(s(0), |output| matches!(output, Output::Subscribed { .. })));
    world.tell(person(3), "Busy", "Busy");
    assert_eq!(world.believed()[&person(3)], "Busy");
}

#[test]
fn an_account_that_is_taken_away_is_no_longer_used() {
    let mut world = subscribed(50, 2);
    let moment = world.moment();
    let others: [ObjectId; 1] = [account(2)];
    world.watcher.set_accounts(moment, others);
    assert!(world.watcher.needs_account(account(1)), "its token ends what it holds");
    world.run(s(5));
    assert!(!world.watcher.needs_account(account(1)));
    assert_eq!(world.graph.subscriptions.len(), 1);
    assert_eq!(world.graph.subscriptions[0].account, Caller::Account(account(2)));
}

#[test]
fn at_the_end_all_are_ended() {
    let mut world = subscribed(1_000, 2);
    assert_eq!(world.graph.subscriptions.len(), 2);
    let moment = world.moment();
    world.watcher.close(moment);
    world.run(s(1));
    assert!(world.graph.subscriptions.is_empty());
    assert_eq!(world.watcher.poll_timeout(), None, "nothing is left to be done");
}

#[test]
fn an_answer_that_comes_after_the_account_was_changed_leaves_nothing_behind() {
    let mut world = World::notifying();
    world.graph.latency = s(5);
    world.employ(1);
    world.watch(50);
    world.run(s(2));
    assert_eq!(world.graph.subscriptions.len(), 1, "created at Graph, but not yet answered");
    let moment = world.moment();
    world.watcher.set_accounts(moment, []);
    world.watcher.set_accounts(moment, [account(1)]);
    world.graph.latency = ms(50);
    world.run(s(30));
    assert_eq!(world.graph.subscriptions.len(), 1);
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
    world.tell(person(1), "Busy", "Busy");
    assert_eq!(world.believed()[&person(1)], "Busy", "the one that stands is the one that is known");
}

#[test]
fn whom_graph_does_not_know_is_left_out_until_it_does() {
    let mut world = World::notifying();
    world.employ(1);
    world.watch(50);
    world.graph.states.remove(&person(7));
    world.run(s(10));
    assert_eq!(world.graph.subscriptions[0].people.len(), 49);
    world.graph.set(person(7), "Available", "Available");
    world.run(s(120));
    assert_eq!(world.graph.subscriptions.len(), 1);
    assert_eq!(world.graph.subscriptions[0].people.len(), 50);
    assert_eq!(world.watcher.health(world.moment()).subscriptions_active, 1);
}
