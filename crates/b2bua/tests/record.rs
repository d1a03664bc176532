//! Recordings: what begins and ends them, and how they are played back.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use tandem_center::call::{
    CallCommand, CallEvent, CallId, Collect, CollectId, Digit, PartyId, PlayId, PlayOutcome, Record,
    RecordEnd, RecordingId,
};
use tandem_media::leg::{self, LegCommand, LegEvent, RecordingEnd};
use tandem_media::prompt::Prompt;
use world::*;

const ID: RecordingId = RecordingId(0xfeed);
const CALLER: PartyId = PartyId::FIRST;

fn record(call: CallId, recording: RecordingId) -> CallCommand {
    let spec = Record {
        max: Duration::from_secs(180),
        silence: Some(Duration::from_secs(5)),
        terminator: Digit::new('#'),
    };
    CallCommand::Record { call, party: CALLER, recording, spec }
}

/// The shell keeps the recording.
fn kept(world: &mut World, recording: RecordingId, end: RecordingEnd, samples: u64) {
    let (leg, recording) = (world.media_leg(0), leg::RecordingId(recording.0));
    world.hear(LegEvent::RecordingEnded { leg, recording, end, samples });
}

fn recorded(world: &mut World, of: RecordingId) -> (RecordEnd, Duration) {
    world.take_event("the end of the recording", |event| match event {
        CallEvent::Recorded { party: CALLER, recording, end, length, .. } => {
            (*recording == of).then_some((*end, *length))
        }
        _ => None,
    })
}

fn is_told(world: &World, what: fn(&CallEvent) -> bool) -> bool {
    world.events.iter().any(what)
}

fn stops(world: &World) -> usize {
    world.media.iter().filter(|command| matches!(command, LegCommand::StopRecord { .. })).count()
}

#[test]
fn the_callers_leg_is_recorded_as_long_as_was_said() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(record(call, ID));
    let found = world.media.iter().find_map(|command| match command {
        LegCommand::Record { leg, recording, max, silence } => Some((*leg, recording.0, *max, *silence)),
        _ => None,
    });
    let (max, silence) = (Duration::from_secs(180), Some(Duration::from_secs(5)));
    assert_eq!(found, Some((world.media_leg(0), ID.0, max, silence)));
    kept(&mut world, ID, RecordingEnd::Silence, 80_000);
    assert_eq!(recorded(&mut world, ID), (RecordEnd::Silence, Duration::from_secs(10)));
}

#[test]
fn no_recording_is_longer_than_ten_minutes() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let spec = Record { max: Duration::from_secs(86_400), silence: None, terminator: None };
    world.say(CallCommand::Record { call, party: CALLER, recording: ID, spec });
    let longest = world.media.iter().find_map(|command| match command {
        LegCommand::Record { max, .. } => Some(*max),
        _ => None,
    });
    assert_eq!(longest, Some(Record::MAX));
    kept(&mut world, ID, RecordingEnd::Limit, 8000);
    assert_eq!(recorded(&mut world, ID), (RecordEnd::Limit, Duration::from_secs(1)));
}

#[test]
fn the_terminator_ends_it_and_is_not_collected() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let spec = Collect {
        max_digits: 2,
        terminator: None,
        first_timeout: Duration::from_secs(60),
        next_timeout: Duration::from_secs(60),
        barge_in: false,
        type_ahead: false,
    };
    world.say(CallCommand::Collect { call, party: CALLER, collect: CollectId(1), spec });
    world.say(record(call, ID));
    for key in ['4', '#', '2'] {
        world.press(world.media_leg(0), key);
    }
    assert_eq!(stops(&world), 1);
    world.take_event("the keys besides", |event| match event {
        CallEvent::Collected { digits, .. } => (digits.as_str() == "42").then_some(()),
        _ => None,
    });
    assert!(!is_told(&world, |event| matches!(event, CallEvent::Recorded { .. })), "it is not kept yet");
    kept(&mut world, ID, RecordingEnd::Stopped, 8000);
    assert_eq!(recorded(&mut world, ID), (RecordEnd::Complete, Duration::from_secs(1)));
}

#[test]
fn the_center_stops_it() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(CallCommand::StopRecord { call, party: CALLER });
    assert_eq!(stops(&world), 0, "nothing is recorded");
    world.say(record(call, ID));
    world.say(CallCommand::StopRecord { call, party: CALLER });
    world.say(CallCommand::StopRecord { call, party: CALLER });
    assert_eq!(stops(&world), 1);
    kept(&mut world, ID, RecordingEnd::Stopped, 16_000);
    assert_eq!(recorded(&mut world, ID), (RecordEnd::Stopped, Duration::from_secs(2)));
}

#[test]
fn another_one_stops_the_one_before() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let other = RecordingId(2);
    world.say(record(call, ID));
    world.say(record(call, other));
    kept(&mut world, ID, RecordingEnd::Stopped, 16_000);
    kept(&mut world, other, RecordingEnd::Silence, 8000);
    assert_eq!(recorded(&mut world, ID).0, RecordEnd::Stopped);
    assert_eq!(recorded(&mut world, other).0, RecordEnd::Silence);
}

#[test]
fn a_caller_who_hangs_up_has_left_a_message_before_the_call_is_over() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(record(call, ID));
    let to = world.carrier_to.clone();
    world.receive(&carrier_flow(), &carrier_request("BYE", 2, &to, ""));
    assert!(is_told(&world, |event| matches!(event, CallEvent::Left { .. })));
    world.report_closed();
    world.pass(Duration::from_secs(9));
    assert!(!is_told(&world, |event| matches!(event, CallEvent::Ended { .. })), "the disk is slow");
    kept(&mut world, ID, RecordingEnd::Stopped, 24_000);
    let tail: Vec<_> = world.events.iter().rev().take(2).collect();
    let length = Duration::from_secs(3);
    assert!(
        matches!(tail[..], [CallEvent::Ended { .. }, CallEvent::Recorded { end: RecordEnd::PartyLeft, length: l, .. }]
            if *l == length),
        "{tail:?}"
    );
    assert_eq!(world.door.calls(), 0);
}

#[test]
fn a_recording_of_which_nothing_is_heard_again_has_failed() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(record(call, ID));
    world.say(CallCommand::End { call });
    world.report_closed();
    world.pass(Duration::from_millis(9999));
    assert!(!is_told(&world, |event| matches!(event, CallEvent::Ended { .. })));
    world.pass(Duration::from_millis(1));
    assert_eq!(recorded(&mut world, ID), (RecordEnd::Failed, Duration::ZERO));
    assert!(matches!(world.events.last(), Some(CallEvent::Ended { .. })));
    kept(&mut world, ID, RecordingEnd::Stopped, 24_000);
    assert!(matches!(world.events.last(), Some(CallEvent::Ended { .. })), "too late");
}

#[test]
fn only_so_many_are_made_at_once() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let (second, third) = (RecordingId(2), RecordingId(3));
    world.say(record(call, ID));
    world.say(record(call, second));
    world.say(record(call, third));
    assert_eq!(recorded(&mut world, third), (RecordEnd::Failed, Duration::ZERO), "two are not kept yet");
    assert_eq!(world.door.counters().recordings_refused, 1);
    kept(&mut world, ID, RecordingEnd::Stopped, 8000);
    let fourth = RecordingId(4);
    world.say(record(call, fourth));
    assert!(!is_told(&world, |event| matches!(event, CallEvent::Recorded { recording: RecordingId(4), .. })));
}

#[test]
fn a_leg_that_the_relay_does_not_have_cannot_be_recorded() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(record(call, ID));
    world.hear(LegEvent::Refused { leg: world.media_leg(0), reason: leg::LegRefusal::UnknownLeg });
    assert_eq!(recorded(&mut world, ID), (RecordEnd::Failed, Duration::ZERO));
}

#[test]
fn a_party_without_sound_cannot_be_recorded() {
    let mut world = World::new();
    let call = world.caller_arrives("sendrecv");
    world.say(record(call, ID));
    assert_eq!(recorded(&mut world, ID), (RecordEnd::Failed, Duration::ZERO));
}

fn play(call: CallId) -> CallCommand {
    let prompts = ["welcome".into(), ID.prompt()].into();
    CallCommand::Play { call, party: CALLER, play: PlayId(9), prompts, repeat: false }
}

fn played(world: &mut World) -> PlayOutcome {
    world.take_event("the end of the play", |event| match event {
        CallEvent::Played { play: PlayId(9), outcome, .. } => Some(*outcome),
        _ => None,
    })
}

fn plays(world: &World) -> Vec<usize> {
    let plays = world.media.iter().filter_map(|command| match command {
        LegCommand::Play { prompts, .. } => Some(prompts.len()),
        _ => None,
    });
    plays.collect()
}

#[test]
fn a_recording_is_fetched_and_played_between_other_prompts() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(play(call));
    assert_eq!((world.fetched.as_slice(), plays(&world).len()), ([ID].as_slice(), 0));
    world.bring(ID, Some(&Arc::new(Prompt::from_samples(&[500; 800]))));
    assert_eq!(plays(&world), [2]);
    let (leg, play, outcome) = (world.media_leg(0), leg::PlayId(9), leg::PlayOutcome::Finished);
    world.hear(LegEvent::Played { leg, play, outcome });
    assert_eq!(played(&mut world), PlayOutcome::Completed);
}

#[test]
fn a_recording_that_is_gone_cannot_be_played() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(play(call));
    world.bring(ID, None);
    assert_eq!(played(&mut world), PlayOutcome::Failed);
    assert!(plays(&world).is_empty());
}

#[test]
fn a_play_that_is_stopped_before_it_was_fetched_does_not_begin() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(play(call));
    world.say(CallCommand::StopPlay { call, party: CALLER });
    assert_eq!(played(&mut world), PlayOutcome::Stopped);
    world.bring(ID, Some(&Arc::new(Prompt::from_samples(&[500; 800]))));
    assert!(plays(&world).is_empty());
}

#[test]
fn a_play_that_is_replaced_before_it_was_fetched_does_not_begin() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(play(call));
    let prompts = ["welcome".into()].into();
    world.say(CallCommand::Play { call, party: CALLER, play: PlayId(10), prompts, repeat: false });
    assert_eq!(played(&mut world), PlayOutcome::Stopped);
    world.bring(ID, Some(&Arc::new(Prompt::from_samples(&[500; 800]))));
    assert_eq!(plays(&world), [1]);
}

#[test]
fn a_caller_who_leaves_while_a_recording_is_fetched_is_gone() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.say(play(call));
    world.say(CallCommand::End { call });
    world.bring(ID, Some(&Arc::new(Prompt::from_samples(&[500; 800]))));
    world.report_closed();
    assert!(matches!(world.events.last(), Some(CallEvent::Ended { .. })));
    assert!(plays(&world).is_empty());
}
