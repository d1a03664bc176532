//! Digits of any party: who answers a number outside presses 1 to take the call.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use std::time::Duration;

use tandem_center::call::{CallCommand, CallEvent, CallId, Collect, CollectEnd, CollectId, PartyId, PlayId};
use tandem_media::leg::LegCommand;
use world::*;

const AGENT: PartyId = PartyId(1);

fn press_one(call: CallId) -> CallCommand {
    let spec = Collect {
        max_digits: 1,
        terminator: None,
        first_timeout: Duration::from_secs(8),
        next_timeout: Duration::from_secs(1),
        barge_in: true,
        type_ahead: true,
    };
    CallCommand::Collect { call, party: AGENT, collect: CollectId(5), spec }
}

fn collected(world: &mut World) -> (PartyId, String, CollectEnd) {
    world.take_event("the digits", |event| match event {
        CallEvent::Collected { party, collect: CollectId(5), digits, end, .. } => {
            Some((*party, digits.as_str().to_owned(), *end))
        }
        _ => None,
    })
}

fn agent_answers(world: &mut World) -> CallId {
    let call = world.caller_is_answered();
    let invite = world.ring_apart(call, 1);
    world.teams_answers(&invite, "adele");
    call
}

#[test]
fn who_answers_presses_one_and_the_prompt_stops() {
    let mut world = World::new();
    let call = agent_answers(&mut world);
    let prompts = ["welcome".into()].into();
    world.say(CallCommand::Play { call, party: AGENT, play: PlayId(1), prompts, repeat: false });
    world.say(press_one(call));
    world.press(world.media_leg(1), '1');
    assert_eq!(collected(&mut world), (AGENT, "1".into(), CollectEnd::Complete));
    let agent = world.media_leg(1);
    assert!(
        world.media.iter().any(|command| matches!(command, LegCommand::StopPlay { leg } if *leg == agent))
    );
}

#[test]
fn the_callers_keys_are_not_the_agents() {
    let mut world = World::new();
    let call = agent_answers(&mut world);
    world.say(press_one(call));
    world.press(world.media_leg(0), '1');
    assert!(!world.events.iter().any(|event| matches!(event, CallEvent::Collected { .. })));
    world.pass(Duration::from_secs(8));
    assert_eq!(collected(&mut world), (AGENT, String::new(), CollectEnd::TimedOut));
}

#[test]
fn a_voicemail_that_answers_presses_nothing() {
    let mut world = World::new();
    let call = agent_answers(&mut world);
    world.say(press_one(call));
    world.pass(Duration::from_millis(7999));
    assert!(!world.events.iter().any(|event| matches!(event, CallEvent::Collected { .. })));
    world.pass(Duration::from_millis(1));
    assert_eq!(collected(&mut world), (AGENT, String::new(), CollectEnd::TimedOut));
}

#[test]
fn a_key_pressed_a_moment_too_early_counts() {
    let mut world = World::new();
    let call = agent_answers(&mut world);
    world.press(world.media_leg(1), '1');
    world.pass(Duration::from_secs(1));
    world.say(press_one(call));
    assert_eq!(collected(&mut world), (AGENT, "1".into(), CollectEnd::Complete));
}

#[test]
fn what_is_no_longer_collected_is_not_told() {
    let mut world = World::new();
    let call = agent_answers(&mut world);
    world.say(press_one(call));
    world.say(CallCommand::StopCollect { call, party: AGENT });
    world.press(world.media_leg(1), '1');
    world.pass(Duration::from_secs(60));
    assert!(!world.events.iter().any(|event| matches!(event, CallEvent::Collected { .. })));
}

#[test]
fn caller_and_agent_press_at_the_same_time() {
    let mut world = World::new();
    let call = agent_answers(&mut world);
    let CallCommand::Collect { spec, .. } = press_one(call) else { panic!("a collection") };
    world.say(press_one(call));
    world.say(CallCommand::Collect { call, party: PartyId::FIRST, collect: CollectId(6), spec });
    world.press(world.media_leg(0), '9');
    world.press(world.media_leg(1), '1');
    assert_eq!(collected(&mut world), (AGENT, "1".into(), CollectEnd::Complete));
    world.take_event("the caller's", |event| match event {
        CallEvent::Collected { party: PartyId::FIRST, collect: CollectId(6), digits, .. } => {
            (digits.as_str() == "9").then_some(())
        }
        _ => None,
    });
}
