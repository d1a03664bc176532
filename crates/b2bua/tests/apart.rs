//! Parties that are apart: they answered, and still nobody hears them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use tandem_center::call::{CallCommand, CallEvent, PartyId, PlayId, PlayOutcome};
use tandem_media::leg::{self, LegCommand, LegEvent};
use world::*;

const AGENT: PartyId = PartyId(1);

#[test]
fn who_is_apart_is_bridged_only_when_admitted() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let invite = world.ring_apart(call, 1);
    world.teams_answers(&invite, "adele");
    world.take_event("the joining", |event| {
        matches!(event, CallEvent::Joined { party: AGENT, .. }).then_some(())
    });
    assert_eq!(world.bridges(), []);
    world.say(CallCommand::Admit { call, party: AGENT });
    assert_eq!(world.bridges(), [(0, 1)]);
    world.say(CallCommand::Admit { call, party: AGENT });
    assert_eq!(world.bridges(), [(0, 1)], "twice is once");
}

#[test]
fn who_is_admitted_while_it_rings_is_bridged_at_the_answer() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let invite = world.ring_apart(call, 1);
    world.say(CallCommand::Admit { call, party: AGENT });
    assert_eq!(world.bridges(), []);
    world.teams_answers(&invite, "adele");
    assert_eq!(world.bridges(), [(0, 1)]);
}

#[test]
fn who_is_apart_hears_what_is_played_to_it_and_the_caller_hears_on() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let play = |party, play| CallCommand::Play {
        call,
        party,
        play: PlayId(play),
        prompts: ["welcome".into()].into(),
        repeat: true,
    };
    world.say(play(PartyId::FIRST, 1));
    let invite = world.ring_apart(call, 1);
    world.teams_answers(&invite, "adele");
    world.say(play(AGENT, 2));
    let heard: Vec<(leg::LegId, u64)> = world
        .media
        .iter()
        .filter_map(|command| match command {
            LegCommand::Play { leg, play, .. } => Some((*leg, play.0)),
            _ => None,
        })
        .collect();
    assert_eq!(heard, [(world.media_leg(0), 1), (world.media_leg(1), 2)]);
    assert!(!world.media.iter().any(|command| matches!(command, LegCommand::StopPlay { .. })));
    let (leg, play, outcome) = (world.media_leg(1), leg::PlayId(2), leg::PlayOutcome::Finished);
    world.hear(LegEvent::Played { leg, play, outcome });
    let told = world.take_event("the end of the play", |event| match event {
        CallEvent::Played { party: AGENT, play, outcome, .. } => Some((*play, *outcome)),
        _ => None,
    });
    assert_eq!(told, (PlayId(2), PlayOutcome::Completed));
}

#[test]
fn a_hold_of_who_is_apart_is_not_told_to_the_others() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    let (_, _) = world.adele_joins(call);
    let apart = world.ring_apart(call, 2);
    world.teams_answers(&apart, "two");
    world.sent.clear();
    let hold = teams_request(&apart, "two", "INVITE", 1, "", &teams_sdp("inactive"));
    world.receive(&own_teams_flow(), &hold);
    world.take_event("the hold", |event| {
        matches!(event, CallEvent::Held { party: PartyId(2), .. }).then_some(())
    });
    assert!(!world.sent.iter().any(|sent| sent.is("INVITE")), "nobody else is put on hold");
}

#[test]
fn who_leaves_without_having_been_admitted_leaves_the_others_as_they_were() {
    let mut world = World::new();
    let call = world.caller_is_answered();
    world.adele_joins(call);
    let apart = world.ring_apart(call, 2);
    world.teams_answers(&apart, "two");
    world.receive(&own_teams_flow(), &teams_request(&apart, "two", "BYE", 1, "", ""));
    world.take_event("the leaving", |event| {
        matches!(event, CallEvent::Left { party: PartyId(2), .. }).then_some(())
    });
    assert_eq!(world.bridges(), [(0, 1)]);
    assert!(!world.media.iter().any(|command| matches!(command, LegCommand::Unbridge { .. })));
}
