//! Any list of operations, sensible or not, leaves a center that is true to its facts and lets everybody go in the end.

use std::time::Duration;

use proptest::prelude::*;

use crate::harness::{SUPPORT, Story, arrival, config};
use tandem_center::agent::{AgentAct, AgentCommand, ChosenState, Who};
use tandem_center::call::{
    CallEvent, CallId, CauseKind, CollectEnd, CollectId, Digit, PartyId, PlayId, PlayOutcome, Quality,
    TransferId, TransferOutcome,
};
use tandem_center::erase::{ErasedBy, Erasure};
use tandem_center::fact::FactKind;
use tandem_center::id::InteractionId;
use tandem_center::{Input, Timestamp};

#[derive(Clone, Debug)]
enum Operation {
    Event(Event, u64, u16, u32),
    Command(usize, Act),
    Configure(usize),
    Pass(u64),
    SetClockBack(u64),
    DoorObeys(bool),
    Crash,
    Erase(u64),
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrived,
    Answered,
    Ringing,
    Joined,
    Left(CauseKind),
    Played,
    Collected(char),
    Held,
    Resumed,
    TransferAsked,
    TransferEnded(TransferOutcome),
    Quality,
    Ended(CauseKind),
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Available,
    Break,
    Offline,
    EndWrapUp,
}

fn operation() -> impl Strategy<Value = Operation> {
    let cause = prop_oneof![
        Just(CauseKind::HungUp),
        Just(CauseKind::Declined),
        Just(CauseKind::NotAnswered),
        Just(CauseKind::Lost),
        Just(CauseKind::Transferred)
    ];
    let outcome = prop_oneof![Just(TransferOutcome::Done), Just(TransferOutcome::Failed)];
    let event = prop_oneof![
        4 => Just(Event::Arrived),
        4 => Just(Event::Answered),
        1 => Just(Event::Ringing),
        4 => Just(Event::Joined),
        4 => cause.clone().prop_map(Event::Left),
        2 => Just(Event::Played),
        3 => prop_oneof![Just('1'), Just('9')].prop_map(Event::Collected),
        1 => Just(Event::Held),
        1 => Just(Event::Resumed),
        2 => Just(Event::TransferAsked),
        2 => outcome.prop_map(Event::TransferEnded),
        1 => Just(Event::Quality),
        2 => cause.prop_map(Event::Ended),
    ];
    let act = prop_oneof![Just(Act::Available), Just(Act::Break), Just(Act::Offline), Just(Act::EndWrapUp)];
    prop_oneof![
        20 => (event, 1..4u64, 0..4u16, 0..4u32).prop_map(|(event, call, party, n)| {
            Operation::Event(event, call, party, n)
        }),
        4 => (0..4usize, act).prop_map(|(agent, act)| Operation::Command(agent, act)),
        1 => (0..4usize).prop_map(Operation::Configure),
        4 => (0..50u64).prop_map(Operation::Pass),
        1 => (0..1000u64).prop_map(Operation::SetClockBack),
        1 => any::<bool>().prop_map(Operation::DoorObeys),
        1 => Just(Operation::Crash),
        1 => (0..60u64).prop_map(Operation::Erase),
    ]
}

fn configurations() -> [String; 4] {
    let menu = SUPPORT.replace("start = \"support\"", "start = \"menu\"")
        + "[flows.main.steps.menu]\nmenu = { digits = { \"1\" = \"support\" }, retries = 1 }\n";
    [
        menu,
        SUPPORT.to_owned(),
        SUPPORT.replace("adele", "carla").replace("wrap_up_s = 30", "wrap_up_s = 0\nmax_waiting = 1"),
        "numbers = [{ dialled = \"*\", flow = \"f\" }]\nflows.f = { start = \"s\", steps.s.play = [\"menu\"] }".to_owned(),
    ]
}

fn call_event(event: Event, call: u64, party: u16, n: u32) -> CallEvent {
    let call = CallId(call);
    let party = PartyId(party);
    match event {
        Event::Arrived => CallEvent::Arrived(arrival(call, "carrier", "+14255550199")),
        Event::Answered => CallEvent::Answered { call },
        Event::Ringing => CallEvent::Ringing { call, party },
        Event::Joined => CallEvent::Joined { call, party },
        Event::Left(cause) => CallEvent::Left { call, party, cause: cause.into() },
        Event::Played => CallEvent::Played { call, party, play: PlayId(n), outcome: PlayOutcome::Failed },
        Event::Collected(key) => CallEvent::Collected {
            call,
            party,
            collect: CollectId(n),
            digits: Digit::new(key).into_iter().collect(),
            end: CollectEnd::Complete,
        },
        Event::Held => CallEvent::Held { call, party, silent: n.is_multiple_of(2) },
        Event::Resumed => CallEvent::Resumed { call, party },
        Event::TransferAsked => {
            CallEvent::TransferAsked { call, party, transfer: TransferId(n), target: None }
        }
        Event::TransferEnded(outcome) => CallEvent::TransferEnded { call, transfer: TransferId(n), outcome },
        Event::Quality => CallEvent::Quality { call, party, quality: Quality::default() },
        Event::Ended(cause) => CallEvent::Ended { call, cause: cause.into() },
    }
}

fn perform(mut story: Story, operation: Operation, current: &mut usize) -> Story {
    let configurations = configurations();
    match operation {
        Operation::Event(event, call, party, n) => story.event(call_event(event, call, party, n)),
        Operation::Command(agent, act) => {
            let agent = ["adele", "bianca", "carla", "nobody"][agent].into();
            let act = match act {
                Act::Available => AgentAct::Choose(ChosenState::Available),
                Act::Break => AgentAct::Choose(ChosenState::Break { reason: None }),
                Act::Offline => AgentAct::Choose(ChosenState::Offline),
                Act::EndWrapUp => AgentAct::END_WRAP_UP,
            };
            story.input(Input::Agent(AgentCommand { agent, act, by: Who::Supervisor, why: None }));
        }
        Operation::Configure(which) => {
            *current = which;
            story.input(Input::Configure(config(&configurations[which])));
        }
        Operation::Pass(seconds) => story.pass(seconds),
        Operation::SetClockBack(seconds) => {
            let back = Duration::from_secs(seconds).as_micros();
            let micros = u128::from(story.now.as_micros()).saturating_sub(back);
            story.now = Timestamp::from_micros(u64::try_from(micros).expect("it was one before"));
        }
        Operation::DoorObeys(obeys) => story.door_obeys = obeys,
        Operation::Erase(number) => {
            let interaction = InteractionId(number);
            story.input(Input::Erase(Erasure { interaction, by: ErasedBy::Request, why: None }));
        }
        Operation::Crash => story = story.crash(&configurations[*current]),
    }
    story
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_operations_leave_a_center_that_lets_everybody_go(
        operations in proptest::collection::vec(operation(), 1..80),
    ) {
        let mut current = 0;
        let mut story = Story::new(&configurations()[current]);
        for operation in operations {
            story = perform(story, operation, &mut current);
        }
        story.now = story.now.max(story.center.now());
        story.pass(3 * 86_400);
        prop_assert!(story.view.live.interactions.is_empty());
        prop_assert_eq!(story.center.poll_timeout(), None);
        let mut closed: Vec<u64> = story.facts.iter().filter_map(|fact| match fact.kind {
            FactKind::Closed { interaction, .. } => Some(interaction.0),
            _ => None,
        }).collect();
        closed.sort_unstable();
        let arrived: Vec<u64> = story.facts.iter().filter_map(|fact| match fact.kind {
            FactKind::Arrived { .. } => Some(fact.number),
            _ => None,
        }).collect();
        prop_assert_eq!(closed, arrived);
    }
}
