//! Against mathematics: a queue with Poisson arrivals and exponential times, run through the center itself, waits as
//! Erlang's formulas say, without patience (C) and with it (A). The expected values are computed with 60 digits.

#![cfg(test)]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tandem_center::call::{Address, Arrival, CallCommand, CallEvent, CallId, CauseKind, PartyId};
use tandem_center::config::{Config, Document, Known};
use tandem_center::fact::{FactKind, QueueExit};
use tandem_center::id::InteractionId;
use tandem_center::{Center, Input, Output, Timestamp};

/// How busy a center is.
struct Load {
    agents: usize,
    /// Mean seconds between two callers.
    between: f64,
    /// Mean seconds of a conversation.
    talk: f64,
    /// Mean seconds until a caller gives up; none: never.
    patience: Option<f64>,
}

/// What came of it.
#[derive(Debug, Default)]
struct Seen {
    callers: u32,
    answered: u32,
    /// Callers for whom nobody was free.
    delayed: u32,
    abandoned: u32,
    within_20_s: u32,
    waited: Duration,
}

impl Seen {
    fn share(&self, part: u32) -> f64 {
        f64::from(part) / f64::from(self.callers)
    }

    fn mean_wait(&self) -> f64 {
        self.waited.as_secs_f64() / f64::from(self.callers)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    AgentHangsUp(PartyId),
    GivesUp,
    Calls,
}

struct Day {
    load: Load,
    center: Center,
    agenda: BinaryHeap<Reverse<(Timestamp, CallId, Deed)>>,
    events: Vec<CallEvent>,
    interactions: BTreeMap<InteractionId, CallId>,
    random: u64,
    seen: Seen,
    warm: bool,
}

impl Day {
    fn new(load: Load, seed: u64) -> Day {
        let start = Timestamp::from_micros(1_780_000_000_000_000);
        let center = Center::new(Arc::new(config(load.agents)), start);
        let mut day = Day {
            load,
            center,
            agenda: BinaryHeap::new(),
            events: Vec::new(),
            interactions: BTreeMap::new(),
            random: seed,
            seen: Seen::default(),
            warm: false,
        };
        day.outputs(start);
        day.agenda.push(Reverse((start, CallId(1), Deed::Calls)));
        day
    }

    fn run(mut self, callers: u32) -> Seen {
        while self.seen.callers < callers {
            // The first callers find an empty center: they are not counted.
            if !self.warm && self.seen.callers >= callers / 20 {
                (self.warm, self.seen) = (true, Seen::default());
            }
            let Some(Reverse((at, call, deed))) = self.agenda.pop() else { break };
            while let Some(due) = self.center.poll_timeout().filter(|due| *due < at) {
                self.center.handle_timeout(due);
                self.outputs(due);
            }
            self.perform(at, call, deed);
        }
        self.seen
    }

    fn perform(&mut self, at: Timestamp, call: CallId, deed: Deed) {
        let event = match deed {
            Deed::Calls => {
                let next = at + self.exponential(self.load.between);
                self.agenda.push(Reverse((next, CallId(call.0 + 1), Deed::Calls)));
                if let Some(patience) = self.load.patience {
                    let gives_up = at + self.exponential(patience);
                    self.agenda.push(Reverse((gives_up, call, Deed::GivesUp)));
                }
                self.seen.callers += 1;
                CallEvent::Arrived(Arrival {
                    call,
                    line: "carrier".into(),
                    from: Address::Phone("+14255550123".into()),
                    from_name: "".into(),
                    to: Address::Phone("+14255550199".into()),
                })
            }
            Deed::GivesUp if !self.waits(call) => return,
            Deed::GivesUp => CallEvent::Left { call, party: PartyId::FIRST, cause: CauseKind::HungUp.into() },
            Deed::AgentHangsUp(party) => CallEvent::Left { call, party, cause: CauseKind::HungUp.into() },
        };
        self.events.push(event);
        while let Some(event) = (!self.events.is_empty()).then(|| self.events.remove(0)) {
            self.center.handle_input(at, Input::Call(event));
            self.outputs(at);
        }
    }

    fn waits(&self, call: CallId) -> bool {
        self.interactions.values().any(|waiting| *waiting == call)
    }

    /// A door on which everything happens at once, and the account of what the facts say.
    fn outputs(&mut self, now: Timestamp) {
        while let Some(output) = self.center.poll_output() {
            match output {
                Output::Call(CallCommand::Answer { call }) => self.events.push(CallEvent::Answered { call }),
                Output::Call(CallCommand::AddParty { call, party, .. }) => {
                    self.events.push(CallEvent::Joined { call, party });
                    let over = now + self.exponential(self.load.talk);
                    self.agenda.push(Reverse((over, call, Deed::AgentHangsUp(party))));
                }
                Output::Call(CallCommand::End { call }) => {
                    self.events.push(CallEvent::Ended { call, cause: CauseKind::Removed.into() });
                }
                Output::Call(_) => {}
                Output::Fact(fact) => match fact.kind {
                    FactKind::Arrived { call, .. } => {
                        self.interactions.insert(InteractionId(fact.number), call);
                    }
                    FactKind::Connected { interaction, waited_us, .. } => {
                        self.interactions.remove(&interaction);
                        let waited = Duration::from_micros(waited_us);
                        self.seen.answered += 1;
                        self.seen.delayed += u32::from(!waited.is_zero());
                        self.seen.within_20_s += u32::from(waited <= Duration::from_secs(20));
                        self.seen.waited += waited;
                    }
                    FactKind::QueueLeft { interaction, reason, waited_us, .. } => {
                        assert_eq!(reason, QueueExit::Abandoned);
                        self.interactions.remove(&interaction);
                        self.seen.abandoned += 1;
                        self.seen.delayed += 1;
                        self.seen.waited += Duration::from_micros(waited_us);
                    }
                    _ => {}
                },
                Output::Refused(refusal) => panic!("{refusal}"),
            }
        }
    }

    fn exponential(&mut self, mean: f64) -> Duration {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits are left");
        let uniform = (f64::from(bits) + 0.5) / 4_294_967_296.0;
        Duration::from_secs_f64(-uniform.ln() * mean)
    }
}

fn config(agents: usize) -> Config {
    let agent = |number: usize| {
        json!({
            "id": format!("agent-{number}"),
            "name": format!("Agent {number}"),
            "queues": ["support"],
            "starts": "available",
            "ring": { "line": "teams", "phone": format!("+142555501{number:02}") },
        })
    };
    let document: Document = serde_json::from_value(json!({
        "agents": (0..agents).map(agent).collect::<Vec<_>>(),
        "queues": [{ "id": "support", "name": "Support", "wrap_up_s": 0, "max_wait_s": 86_400 }],
        "numbers": [{ "dialled": "+14255550199", "flow": "main" }],
        "flows": { "main": { "start": "support", "steps": { "support": { "enqueue": "support" } } } },
    }))
    .expect("a document");
    let lines = ["teams", "carrier"].map(Arc::from).into();
    Config::new(document, &Known { lines, ..Known::default() }).expect("a configuration")
}

#[track_caller]
fn near(what: &str, seen: f64, expected: f64, error: f64) {
    assert!((seen - expected).abs() <= error, "{what}: {seen:.5} is not within {error} of {expected:.5}");
}

#[test]
fn without_patience_callers_wait_as_erlang_c_says() {
    // 30 calls in 30 minutes of 240 s each, 6 agents.
    let load = Load { agents: 6, between: 60.0, talk: 240.0, patience: None };
    let seen = Day::new(load, 1).run(CALLERS);
    near("who waits", seen.share(seen.delayed), 0.284_760_845, 0.02);
    near("answered within 20 s", seen.share(seen.within_20_s), 0.758_955_148, 0.02);
    near("mean wait", seen.mean_wait(), 34.171_301, 4.0);
}

#[test]
fn with_patience_callers_wait_and_give_up_as_erlang_a_says() {
    // 100 calls in 30 minutes of 180 s each, 12 agents, patience of 120 s.
    let load = Load { agents: 12, between: 18.0, talk: 180.0, patience: Some(120.0) };
    let seen = Day::new(load, 2).run(CALLERS);
    near("who waits", seen.share(seen.delayed), 0.279_807_019, 0.012);
    near("who gives up", seen.share(seen.abandoned), 0.061_597_377, 0.005);
    near("answered within 20 s", seen.share(seen.within_20_s), 0.825_582_644, 0.012);
    near("mean wait", seen.mean_wait(), 7.391_685, 0.6);
}

#[test]
fn more_callers_than_agents_can_serve_give_up_as_erlang_a_says() {
    // 100 calls in 30 minutes of 180 s each, 10 agents, patience of 60 s.
    let load = Load { agents: 10, between: 18.0, talk: 180.0, patience: Some(60.0) };
    let seen = Day::new(load, 3).run(CALLERS);
    near("who waits", seen.share(seen.delayed), 0.423_417_675, 0.012);
    near("who gives up", seen.share(seen.abandoned), 0.157_526_871, 0.008);
    near("answered within 20 s", seen.share(seen.within_20_s), 0.718_010_188, 0.012);
    near("mean wait", seen.mean_wait(), 9.451_612, 0.5);
}

const CALLERS: u32 = 100_000;
