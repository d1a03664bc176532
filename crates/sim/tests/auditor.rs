//! The auditor complains: facts of a good run are doctored, each in one way, and each way is found.

#![cfg(test)]

use std::time::Duration;

use tandem_center::agent::AgentState;
use tandem_center::fact::{Fact, FactKind};
use tandem_center::id::{AgentId, InteractionId};
use tandem_center::{Output, Timestamp};
use tandem_sim::auditor::Owner;
use tandem_sim::{Auditor, Wrong};

mod harness {
    use super::*;
    use std::sync::Arc;
    use tandem_center::agent::{AgentAct, AgentCommand, ChosenState, Who};
    use tandem_center::call::{Address, Arrival, CallCommand, CallEvent, CallId, CauseKind, PartyId};
    use tandem_center::config::document::RingDocument;
    use tandem_center::config::{
        AgentDocument, Config, Document, Known, NumberDocument, QueueDocument, Starts,
    };
    use tandem_center::flow::document::{FlowDocument, StepDocument};
    use tandem_center::{Center, Input};

    pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_780_000_000_000_000);

    /// The facts of a small day: two agents, three callers, one missed offer, one conversation each.
    pub(crate) fn small_day() -> Vec<Fact> {
        let mut center = Center::new(config(), NOON);
        let mut facts = Vec::new();
        let mut now = NOON;
        let mut told = |center: &mut Center, now: Timestamp, input: Option<Input>| {
            match input {
                Some(input) => center.handle_input(now, input),
                None => center.handle_timeout(now),
            }
            let mut commands = Vec::new();
            while let Some(output) = center.poll_output() {
                match output {
                    Output::Fact(fact) => facts.push(fact),
                    Output::Call(command) => commands.push(command),
                    Output::Refused(refusal) => panic!("{refusal}"),
                }
            }
            commands
        };
        let command = |agent: &str, chosen| {
            let (agent, act, by) = (agent.into(), AgentAct::Choose(chosen), Who::Agent);
            Some(Input::Agent(AgentCommand { agent, act, by, why: None }))
        };
        for number in 1..=3 {
            now = now + Duration::from_secs(1);
            let call = CallId(number);
            told(&mut center, now, Some(Input::Call(CallEvent::Arrived(arrival(call)))));
            told(&mut center, now, Some(Input::Call(CallEvent::Answered { call })));
        }
        now = now + Duration::from_secs(1);
        told(&mut center, now, command("adele", ChosenState::Available));
        now = now + Duration::from_secs(1);
        told(&mut center, now, command("bianca", ChosenState::Available));
        // Adele answers the first, Bianca misses the second.
        now = now + Duration::from_secs(5);
        told(&mut center, now, Some(Input::Call(CallEvent::Joined { call: CallId(1), party: PartyId(1) })));
        now = now + Duration::from_secs(20);
        told(&mut center, now, None);
        now = now + Duration::from_secs(10);
        let (call, cause) = (CallId(1), || CauseKind::HungUp.into());
        told(
            &mut center,
            now,
            Some(Input::Call(CallEvent::Left { call, party: PartyId::FIRST, cause: cause() })),
        );
        told(
            &mut center,
            now,
            Some(Input::Call(CallEvent::Left { call, party: PartyId(1), cause: cause() })),
        );
        told(&mut center, now, Some(Input::Call(CallEvent::Ended { call, cause: cause() })));
        now = now + Duration::from_secs(30);
        let commands = told(&mut center, now, None);
        assert!(commands.iter().any(|command| matches!(command, CallCommand::AddParty { .. })));
        facts
    }

    fn arrival(call: CallId) -> Arrival {
        let (from, to) = (Address::Anonymous, Address::Phone("+14255550199".into()));
        Arrival { call, line: "carrier".into(), from, from_name: "".into(), to }
    }

    fn config() -> Arc<Config> {
        let agent = |id: &str| AgentDocument {
            id: id.into(),
            name: id.into(),
            ring: RingDocument { line: "teams".into(), phone: Some("+14255550101".into()), sip: None },
            queues: vec!["support".into()],
            starts: Starts::Offline,
            skills: Default::default(),
            confirm: false,
            capacity: None,
        };
        let queue = |id: &str| -> QueueDocument {
            let text = format!(r#"{{"id":"{id}","name":"{id}","max_waiting":10,"max_wait_s":600}}"#);
            serde_json::from_str(&text).expect("a queue")
        };
        let step = StepDocument { enqueue: Some("support".into()), ..StepDocument::default() };
        let flow = FlowDocument { file: None, start: Some("s".into()), steps: [("s".into(), step)].into() };
        let document = Document {
            agents: vec![agent("adele"), agent("bianca"), agent("carla")],
            queues: vec![queue("support"), queue("sales")],
            numbers: vec![NumberDocument { dialled: "*".into(), line: None, flow: "main".into() }],
            flows: [("main".into(), flow)].into(),
            ..Document::default()
        };
        let known = Known { lines: ["teams", "carrier"].map(Arc::from).into(), ..Known::default() };
        Arc::new(Config::new(document, &known).expect("a good configuration"))
    }
}

use harness::{NOON, small_day};

/// What the auditor says of these facts, looking round after each moment.
fn audit(facts: &[Fact]) -> Option<Wrong> {
    let mut auditor = Auditor::default();
    for (index, fact) in facts.iter().enumerate() {
        if let Err(complaint) = auditor.fact(fact) {
            return Some(complaint.wrong);
        }
        let last_of_moment = facts.get(index + 1).is_none_or(|next| next.at > fact.at);
        if last_of_moment && let Err(complaint) = auditor.after_input(fact.at) {
            return Some(complaint.wrong);
        }
    }
    None
}

/// The small day with one kind of fact changed, at its first occurrence.
fn doctored(kind: &str, change: impl FnOnce(&mut Fact)) -> Option<Wrong> {
    let mut facts = small_day();
    change(&mut facts[position(kind)]);
    audit(&facts)
}

/// The small day without the first fact of a kind.
fn without(kind: &str) -> Option<Wrong> {
    let mut facts = small_day();
    facts.remove(position(kind));
    for (fact, number) in facts.iter_mut().zip(1..) {
        fact.number = number;
    }
    audit(&facts)
}

fn position(kind: &str) -> usize {
    small_day().iter().position(|fact| name(fact) == kind).expect("such a fact")
}

fn name(fact: &Fact) -> String {
    serde_json::to_value(fact).expect("json")["kind"].as_str().expect("a kind").to_owned()
}

fn interaction(nth: usize) -> InteractionId {
    let arrivals: Vec<u64> =
        small_day().iter().filter(|fact| name(fact) == "arrived").map(|fact| fact.number).collect();
    InteractionId(arrivals[nth])
}

#[test]
fn the_small_day_is_in_order() {
    assert_eq!(audit(&small_day()), None);
}

#[test]
fn a_gap_a_repetition_and_time_running_backwards_are_found() {
    let sequence = Some(Wrong::OutOfSequence);
    assert_eq!(doctored("answered", |fact| fact.number += 1), sequence);
    assert_eq!(doctored("answered", |fact| fact.at = Timestamp::from_micros(0)), sequence);
    let mut facts = small_day();
    facts.insert(3, facts[2].clone());
    assert_eq!(audit(&facts), sequence);
}

#[test]
fn an_agent_who_is_not_free_or_not_of_the_queue_is_found() {
    let busy = doctored("offered", |fact| {
        if let FactKind::Offered { agent, .. } = &mut fact.kind {
            *agent = "carla".into();
        }
    });
    assert_eq!(busy, Some(Wrong::NotFree("carla".into())));
    let stranger = doctored("offered", |fact| {
        if let FactKind::Offered { agent, .. } = &mut fact.kind {
            *agent = "nobody".into();
        }
    });
    assert_eq!(stranger, Some(Wrong::NotTheirQueue("nobody".into(), "support".into())));
}

#[test]
fn two_offers_to_one_agent_at_once_are_found() {
    let mut facts = small_day();
    let offers: Vec<usize> = (0..facts.len()).filter(|place| name(&facts[*place]) == "offered").collect();
    if let FactKind::Offered { agent, .. } = &mut facts[offers[1]].kind {
        *agent = "adele".into();
    }
    assert_eq!(audit(&facts), Some(Wrong::NotFree("adele".into())));
}

#[test]
fn an_interaction_offered_twice_at_once_is_found() {
    let mut facts = small_day();
    let offers: Vec<usize> = (0..facts.len()).filter(|place| name(&facts[*place]) == "offered").collect();
    let first = interaction(0);
    if let FactKind::Offered { interaction, .. } = &mut facts[offers[1]].kind {
        *interaction = first;
    }
    assert_eq!(audit(&facts), Some(Wrong::CannotBe(first)));
}

#[test]
fn a_call_more_than_there_may_be_is_found() {
    let wrong = doctored("configured", |fact| {
        if let FactKind::Configured { configuration } = &mut fact.kind {
            std::sync::Arc::make_mut(configuration).limits.calls = 2;
        }
    });
    assert_eq!(wrong, Some(Wrong::TooManyCalls(interaction(2))));
}

#[test]
fn a_caller_who_is_overtaken_is_found() {
    let later = interaction(2);
    let wrong = doctored("offered", |fact| {
        if let FactKind::Offered { interaction, .. } = &mut fact.kind {
            *interaction = later;
        }
    });
    assert_eq!(wrong, Some(Wrong::Overtaken { first: interaction(0), offered: later }));
}

#[test]
fn a_shorter_idle_agent_is_found() {
    // All three agents are free when the first caller comes; the one idle shortest is rung.
    let mut facts = small_day();
    let chose: Vec<usize> = (0..facts.len()).filter(|place| name(&facts[*place]) == "agent_chose").collect();
    for (place, agent, idle_since) in
        [(chose[0], "adele", 5), (chose[1], "bianca", 3), (chose[2], "carla", 5)]
    {
        if let FactKind::AgentChose { agent: chooses, chosen, then, .. } = &mut facts[place].kind {
            assert_eq!(*chooses, AgentId::from(agent));
            *chosen = tandem_center::agent::ChosenState::Available;
            *then =
                AgentState::Available { idle_since: Timestamp::from_micros(NOON.as_micros() + idle_since) };
        }
        facts[place].at = Timestamp::from_micros(NOON.as_micros() + idle_since);
    }
    facts.sort_by_key(|fact| fact.at);
    for (fact, number) in facts.iter_mut().zip(1..) {
        fact.number = number;
    }
    facts.retain(|fact| !matches!(name(fact).as_str(), "step_begun" | "answered"));
    let found = audit_from_offer(facts);
    assert_eq!(found, Some(Wrong::NotFirst { first: "bianca".into(), rung: "adele".into() }));
}

/// Three free agents, one caller, and an offer to Adele.
fn audit_from_offer(facts: Vec<Fact>) -> Option<Wrong> {
    let mut kept: Vec<Fact> = Vec::new();
    let mut arrived = None;
    for mut fact in facts {
        let wanted = match &mut fact.kind {
            FactKind::Configured { .. } => true,
            FactKind::AgentChose { .. } => kept.len() < 4,
            FactKind::Arrived { .. } => arrived.is_none(),
            FactKind::QueueEntered { interaction, .. } | FactKind::Offered { interaction, .. } => {
                *interaction = arrived.unwrap_or(*interaction);
                !kept.iter().any(|kept| name(kept) == "offered")
            }
            _ => false,
        };
        if wanted
            && !(name(&fact) == "queue_entered" && kept.iter().any(|kept| name(kept) == "queue_entered"))
        {
            fact.number = kept.len() as u64 + 1;
            if name(&fact) == "arrived" {
                arrived = Some(InteractionId(fact.number));
            }
            kept.push(fact);
        }
    }
    let mut auditor = Auditor::default();
    kept.iter().find_map(|fact| auditor.fact(fact).err()).map(|complaint| complaint.wrong)
}

#[test]
fn a_caller_left_waiting_beside_a_free_agent_is_found() {
    let mut facts = small_day();
    facts.truncate(position("offered"));
    assert_eq!(
        audit(&facts),
        Some(Wrong::LeftWaiting { interaction: interaction(0), agent: "adele".into() })
    );
}

#[test]
fn an_interaction_that_ends_twice_or_goes_on_after_its_end_is_found() {
    let mut facts = small_day();
    let closed = facts[position("closed")].clone();
    let again = Fact { number: facts.len() as u64 + 1, at: facts[facts.len() - 1].at, ..closed };
    facts.push(again);
    assert_eq!(audit(&facts), Some(Wrong::NoSuchInteraction(interaction(0))));
}

#[test]
fn an_interaction_that_does_not_end_is_found() {
    // The wrap-up was the last of it; without its end it would stay for ever.
    assert_eq!(without("closed"), Some(Wrong::Outlived(Owner::Interaction(interaction(0)))));
}

#[test]
fn what_is_left_out_is_found() {
    for kind in [
        "arrived",
        "queue_entered",
        "connected",
        "ending",
        "conversation_ended",
        "call_ended",
        "wrap_up_ended",
    ] {
        assert!(without(kind).is_some(), "{kind}");
    }
}

#[test]
fn a_wrong_state_of_an_agent_is_found() {
    let wrong = doctored("conversation_ended", |fact| {
        if let FactKind::ConversationEnded { then, .. } = &mut fact.kind {
            *then = AgentState::Offline;
        }
    });
    assert!(matches!(wrong, Some(Wrong::WrongState { said: AgentState::Offline, .. })), "{wrong:?}");
}

#[test]
fn wrong_figures_are_found() {
    let figure = |wrong: Option<Wrong>| matches!(wrong, Some(Wrong::WrongFigure { .. }));
    assert!(figure(doctored("offered", |fact| {
        if let FactKind::Offered { waited_us, .. } = &mut fact.kind {
            *waited_us += 1;
        }
    })));
    assert!(figure(doctored("conversation_ended", |fact| {
        if let FactKind::ConversationEnded { talked_us, .. } = &mut fact.kind {
            *talked_us += 1;
        }
    })));
    assert!(figure(doctored("queue_entered", |fact| {
        if let FactKind::QueueEntered { ahead, .. } = &mut fact.kind {
            *ahead += 1;
        }
    })));
}

#[test]
fn states_that_outlive_their_time_are_found() {
    let facts = small_day();
    for (kind, after) in
        [("offered", 15), ("queue_entered", 600), ("step_begun", 3600), ("conversation_ended", 30)]
    {
        let mut auditor = Auditor::default();
        let until = position(kind);
        facts[..=until].iter().for_each(|fact| auditor.fact(fact).expect("in order"));
        let late = facts[until].at + Duration::from_secs(after);
        let wrong = auditor.after_input(late).map_err(|complaint| complaint.wrong);
        assert!(matches!(wrong, Err(Wrong::Outlived(_))), "{kind}: {wrong:?}");
    }
}

#[test]
fn a_caller_counted_out_twice_is_found() {
    let mut facts = small_day();
    facts.truncate(position("offered"));
    let (number, at) = (facts.len() as u64 + 1, facts[facts.len() - 1].at);
    let exit = |number| Fact {
        number,
        at,
        version: Fact::VERSION,
        kind: FactKind::QueueLeft {
            interaction: interaction(0),
            queue: "support".into(),
            queue_name: "support".into(),
            reason: tandem_center::fact::QueueExit::Moved,
            waited_us: at.micros_since(NOON + Duration::from_secs(1)),
            why: None,
        },
    };
    facts.push(exit(number));
    facts.push(exit(number + 1));
    assert_eq!(audit(&facts), Some(Wrong::CannotBe(interaction(0))));
}

#[test]
fn what_is_left_when_everybody_has_returned_is_found() {
    let mut auditor = Auditor::default();
    small_day().iter().for_each(|fact| auditor.fact(fact).expect("in order"));
    assert_eq!(auditor.drained().map_err(|complaint| complaint.wrong), Err(Wrong::NotDrained));
}
