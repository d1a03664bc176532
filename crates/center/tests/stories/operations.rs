//! Any list of operations, sensible or not, leaves a center that is true to its facts and lets everybody go in the end.

use std::time::Duration;

use proptest::prelude::*;

use crate::harness::{SUPPORT, Story, arrival, config, customer};
use tandem_center::agent::{AgentAct, AgentCommand, ChosenState, Presence, PresenceReport, Who};
use tandem_center::call::{
    Address, Arrival, CallEvent, CallId, CauseKind, CollectEnd, CollectId, Digit, PartyId, PlayId,
    PlayOutcome, Quality, RecordEnd, RecordingId, TransferId, TransferOutcome,
};
use tandem_center::callback::ScheduledCallback;
use tandem_center::erase::{ErasedBy, Erasure};
use tandem_center::fact::FactKind;
use tandem_center::id::InteractionId;
use tandem_center::supervise::{WorkAct, WorkCommand};
use tandem_center::view::StageView;
use tandem_center::{Input, Timestamp};

#[derive(Clone, Debug)]
enum Operation {
    Event(Event, u64, u16, u32),
    /// Somebody calls from a number of their own or one that calls often.
    Dial(u64),
    /// Of the interactions that are open, which; and which of the things that can happen in its call.
    Happens(usize, usize),
    Command(usize, Act),
    /// Of the interactions that are open, which; the agent, queue or priority.
    Work(usize, Work, usize),
    Presence(usize, Presence, bool, u64),
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
    Forwarded,
    Recorded(u64),
    Ended(CauseKind),
}

#[derive(Clone, Copy, Debug)]
enum Work {
    Move,
    Prioritise(bool),
    Assign,
    CancelCallback,
    Schedule(u64),
    Switch(bool),
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Available,
    Break,
    Offline,
    EndWrapUp,
    Coded,
    ExtendWrapUp,
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
        1 => Just(Event::Forwarded),
        2 => (0..3u64).prop_map(Event::Recorded),
        2 => cause.prop_map(Event::Ended),
    ];
    let act = prop_oneof![
        3 => Just(Act::Available),
        1 => Just(Act::Break),
        1 => Just(Act::Offline),
        1 => Just(Act::EndWrapUp),
        1 => Just(Act::Coded),
        1 => Just(Act::ExtendWrapUp),
    ];
    let work = prop_oneof![
        2 => Just(Work::Move),
        1 => any::<bool>().prop_map(Work::Prioritise),
        1 => Just(Work::Assign),
        1 => Just(Work::CancelCallback),
        1 => (0..100u64).prop_map(Work::Schedule),
        1 => any::<bool>().prop_map(Work::Switch),
    ];
    let presence = prop_oneof![
        Just(Presence::Available),
        Just(Presence::InCall),
        Just(Presence::Busy),
        Just(Presence::DoNotDisturb)
    ];
    prop_oneof![
        10 => (event, 1..8u64, 0..4u16, 0..6u32).prop_map(|(event, call, party, n)| {
            Operation::Event(event, call, party, n)
        }),
        6 => (0..4u64).prop_map(Operation::Dial),
        20 => (0..6usize, 0..12usize).prop_map(|(which, what)| Operation::Happens(which, what)),
        4 => (0..4usize, act).prop_map(|(agent, act)| Operation::Command(agent, act)),
        3 => (0..6usize, work, 0..6usize).prop_map(|(which, work, what)| Operation::Work(which, work, what)),
        1 => (0..3usize, presence, any::<bool>(), 0..400u64)
            .prop_map(|(agent, presence, manual, age)| Operation::Presence(agent, presence, manual, age)),
        1 => (0..6usize).prop_map(Operation::Configure),
        4 => (0..50u64).prop_map(Operation::Pass),
        1 => (0..1000u64).prop_map(Operation::SetClockBack),
        1 => any::<bool>().prop_map(Operation::DoorObeys),
        1 => Just(Operation::Crash),
        1 => (0..60u64).prop_map(Operation::Erase),
    ]
}

fn configurations() -> [String; 6] {
    let menu = SUPPORT.replace("start = \"support\"", "start = \"menu\"")
        + "[flows.main.steps.menu]\nmenu = { digits = { \"1\" = \"support\" }, retries = 1 }\n";
    [
        menu,
        SUPPORT.to_owned(),
        SUPPORT.replace("adele", "carla").replace("wrap_up_s = 30", "wrap_up_s = 0\nmax_waiting = 1"),
        "numbers = [{ dialled = \"*\", flow = \"f\" }]\nflows.f = { start = \"s\", steps.s.play = [\"menu\"] }".to_owned(),
        everything("longest_idle", "confirm = true"),
        everything("ring_all", "starts = \"available\"\nskills = { french = 3 }"),
    ]
}

/// A center that uses everything that there is, with callers who are asked soon and agents who do two things at once.
fn everything(strategy: &str, bianca: &str) -> String {
    let queue = format!(
        r#"strategy = "{strategy}"
        rings = [{{ agents = ["adele", "carla"] }}, {{ after_s = 10, agents = ["bianca"] }}]
        relax = [{{ after_s = 5, skills = {{ french = 1 }} }}, {{ after_s = 30 }}]
        last_agent_s = 20
        tell = {{ every_s = 10, place = ["your-place"], wait = ["your-wait"] }}
        announce = ["please-wait"]
        max_waiting = 4
        max_wait_s = 60
        when_full = {{ voicemail = true }}
        when_waited = {{ callback = true }}
        when_closed = {{ callback = true }}
        when_no_agents = {{ voicemail = true }}
        overflow = [{{ after_s = 7, then = {{ callback = true }} }}, {{ after_s = 40, if_waiting = 3, then = {{ queue = "sales" }} }}]
        voicemail = {{ greeting = ["after-the-tone"], queue = "sales", intro = ["a-message"] }}
        callback = {{ offer = ["call-you-back"], confirm = ["promised"], intro = ["customer-follows"], attempts = 2, retry_s = 20 }}
        wrap_up = {{ extend_s = 20, extensions = 1, code_required = true, codes = [{{ id = "sold", name = "Sold" }}] }}
        [[queues]]
        id = "sales"
        name = "Sales"
        strategy = "weighted"
        max_wait_s = 30
        when_waited = {{ person = "adele" }}
        [offers]
        misses = 2
        [capacity]
        call = 50
        voicemail = 50
        "#
    );
    SUPPORT
        .replace("queues = [\"support\"]", "queues = [\"support\", \"sales\"]")
        .replace("starts = \"available\"", "starts = \"available\"\nskills = { french = 7 }\nconfirm = true")
        .replace("id = \"bianca\"\n", &format!("id = \"bianca\"\n{bianca}\n"))
        .replace("[\"adele\", \"carla\"]", "[\"adele\"]")
        .replace("wrap_up_s = 30", &format!("wrap_up_s = 30\n{}", queue.replace(", \"carla\"", "")))
}

/// The event for a call: the first three by their numbers, the others as they stand in the center.
fn call_event(story: &Story, event: Event, call: u64, party: u16, n: u32) -> CallEvent {
    let open = |which| story.view.live.interactions.values().nth(which).and_then(|view| view.call);
    let which = usize::try_from(call.saturating_sub(4)).ok().filter(|_| call > 3);
    let call = which.and_then(open).unwrap_or(CallId(call));
    let party = PartyId(party);
    match event {
        Event::Arrived => {
            let from = if n == 0 { Address::Anonymous } else { customer(u64::from(n % 3)) };
            CallEvent::Arrived(Arrival { from, ..arrival(call, "carrier", "+14255550199") })
        }
        Event::Forwarded => CallEvent::Forwarded { call, party },
        Event::Recorded(seconds) => {
            let recording = story.view.live.interactions.values().find_map(|view| match view.stage {
                StageView::LeavingMessage { recording, .. } if view.call == Some(call) => Some(recording),
                _ => None,
            });
            let recording = recording.unwrap_or(RecordingId(n.into()));
            let length = Duration::from_secs(seconds);
            CallEvent::Recorded { call, party, recording, end: RecordEnd::Silence, length }
        }
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

fn work_act(story: &Story, which: usize, work: Work, what: usize) -> WorkAct {
    let interaction = story.view.live.interactions.keys().nth(which).copied().unwrap_or(InteractionId(2));
    let queue = ["support", "sales", "garden"][what % 3].into();
    match work {
        Work::Move => WorkAct::Move { interaction, queue },
        Work::Prioritise(vip) => {
            WorkAct::Prioritise { interaction, priority: u8::try_from(what).expect("small"), vip }
        }
        Work::Assign => WorkAct::Assign { interaction, agent: AGENTS[what % 4].into() },
        Work::CancelCallback => WorkAct::CancelCallback { interaction },
        Work::Schedule(after_s) => WorkAct::ScheduleCallback(ScheduledCallback {
            line: "carrier".into(),
            to: customer(u64::try_from(what % 3).expect("small")),
            name: "".into(),
            queue,
            due_at: story.now + Duration::from_secs(after_s),
            priority: None,
            why: None,
        }),
        Work::Switch(closed) => WorkAct::Switch { queue, closed },
    }
}

fn perform(mut story: Story, operation: Operation, current: &mut usize) -> Story {
    let configurations = configurations();
    match operation {
        Operation::Event(event, call, party, n) => {
            let event = call_event(&story, event, call, party, n);
            story.event(event);
        }
        Operation::Dial(number) => drop(story.dial_from(customer(number))),
        Operation::Happens(which, what) => story.something_happens(which, what),
        Operation::Work(which, work, what) => {
            let act = work_act(&story, which, work, what);
            story.input(Input::Work(WorkCommand { act, why: None }));
        }
        Operation::Presence(agent, presence, manual, age_s) => {
            let (agent, source) = (AGENTS[agent].into(), "teams".into());
            let age = Duration::from_secs(age_s);
            story.input(Input::Presence(PresenceReport {
                agent,
                source,
                presence,
                manual,
                age,
                confidence: Default::default(),
            }));
        }
        Operation::Command(agent, act) => {
            let agent = AGENTS[agent].into();
            let act = match act {
                Act::Available => AgentAct::Choose(ChosenState::Available),
                Act::Break => AgentAct::Choose(ChosenState::Break { reason: None }),
                Act::Offline => AgentAct::Choose(ChosenState::Offline),
                Act::EndWrapUp => AgentAct::END_WRAP_UP,
                Act::Coded => AgentAct::EndWrapUp { code: Some("sold".into()), note: None },
                Act::ExtendWrapUp => AgentAct::ExtendWrapUp,
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

const AGENTS: [&str; 4] = ["adele", "bianca", "carla", "nobody"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_operations_leave_a_center_that_lets_everybody_go(
        first in 0..6usize,
        operations in proptest::collection::vec(operation(), 1..80),
    ) {
        let mut current = first;
        let mut story = Story::new(&configurations()[current]);
        for operation in operations {
            story = perform(story, operation, &mut current);
        }
        story.now = story.now.max(story.center.now());
        // Everybody goes home, and what waits without a call waits no longer than it may.
        for agent in AGENTS {
            story.chooses(agent, ChosenState::Offline);
        }
        story.pass(9 * 86_400);
        prop_assert!(story.view.live.interactions.is_empty());
        prop_assert_eq!(story.center.poll_timeout(), None);
        let mut closed: Vec<u64> = story.facts.iter().filter_map(|fact| match fact.kind {
            FactKind::Closed { interaction, .. } => Some(interaction.0),
            _ => None,
        }).collect();
        closed.sort_unstable();
        let arrived: Vec<u64> = story.facts.iter().filter_map(|fact| match fact.kind {
            FactKind::Arrived { .. } | FactKind::CallbackScheduled { .. } => Some(fact.number),
            _ => None,
        }).collect();
        prop_assert_eq!(closed, arrived);
    }
}
