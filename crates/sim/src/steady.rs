//! A queue in the long run, through the real center and in virtual time: callers come by chance, agents answer at once
//! and need a time by chance for each, and some callers give up. What comes of it is known to mathematics.

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use tandem_center::call::{Address, Arrival, CallCommand, CallEvent, CallId, CauseKind, PartyId};
use tandem_center::config::{Config, Document, Faults, Known};
use tandem_center::fact::FactKind;
use tandem_center::{Center, Input, Output, Timestamp};

use crate::dice::Dice;

/// What there is to serve, and who serves.
#[derive(Clone, Copy, Debug)]
pub struct Steady {
    /// Draws all times.
    pub seed: u64,
    /// How many callers come.
    pub callers: u32,
    /// The mean time from one caller to the next; exponential.
    pub between_s: f64,
    /// The mean time that an agent needs for one; exponential.
    pub handle_s: f64,
    /// The mean time after which a caller who waits gives up, exponential; none: never.
    pub patience_s: Option<f64>,
    /// How many agents there are.
    pub agents: u32,
}

/// What became of one caller.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// How long the caller waited, until an agent answered or the caller gave up.
    pub waited_s: f64,
    /// Whether an agent answered.
    pub answered: bool,
}

/// What a caller was told, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// The wait that was still to be expected.
    pub expected_s: f64,
    /// The wait that still was; of a caller who was answered.
    pub waited_s: f64,
}

/// What came of all.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The callers, in the order in which they came.
    pub callers: Vec<Served>,
    /// What those who were answered were told meanwhile.
    pub told: Vec<Told>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Arrives(u64),
    GivesUp(u64),
    Leaves(u64),
}

struct Run {
    steady: Steady,
    center: Center,
    now: Timestamp,
    /// The earliest is the greatest.
    agenda: BinaryHeap<std::cmp::Reverse<(Timestamp, Next)>>,
    arrived: BTreeMap<u64, Timestamp>,
    told: BTreeMap<u64, Vec<(Timestamp, u64)>>,
    calls: BTreeMap<tandem_center::id::InteractionId, u64>,
    served: BTreeMap<u64, Served>,
    outcome: Outcome,
    handling: Dice,
}

impl Steady {
    /// Serves all callers.
    ///
    /// # Errors
    ///
    /// The configuration cannot be, for there are more agents than an agent's telephone number has room for.
    pub fn run(self) -> Result<Outcome, Faults> {
        let center = Center::new(Arc::new(self.config()?), START);
        let mut run = Run {
            steady: self,
            center,
            now: START,
            agenda: BinaryHeap::new(),
            arrived: BTreeMap::new(),
            told: BTreeMap::new(),
            calls: BTreeMap::new(),
            served: BTreeMap::new(),
            outcome: Outcome::default(),
            handling: Dice::of(self.seed, "handling", 0),
        };
        run.obey();
        let mut coming = Dice::of(self.seed, "coming", 0);
        let mut patience = Dice::of(self.seed, "patience", 0);
        let mut at = START;
        for number in 1..=u64::from(self.callers) {
            at = at + exponential(&mut coming, self.between_s);
            run.enter(at, Next::Arrives(number));
            if let Some(mean) = self.patience_s {
                run.enter(at + exponential(&mut patience, mean), Next::GivesUp(number));
            }
        }
        while run.step() {}
        run.outcome.callers = run.served.into_values().collect();
        Ok(run.outcome)
    }

    fn config(self) -> Result<Config, Faults> {
        let agents: Vec<_> = (0..self.agents)
            .map(|place| {
                serde_json::json!({
                    "id": format!("agent-{place}"), "name": format!("Agent {place}"), "queues": ["queue"],
                    "ring": { "line": "teams", "phone": format!("+1425555{place:04}") }, "starts": "available",
                })
            })
            .collect();
        let document = serde_json::json!({
            "agents": agents,
            "queues": [{
                "id": "queue", "name": "Queue", "wrap_up_s": 0, "max_waiting": 100_000, "max_wait_s": 86_400,
                "tell": { "every_s": 10, "wait": ["wait"] },
            }],
            "numbers": [{ "dialled": "*", "flow": "main" }],
            "flows": { "main": { "start": "queue", "steps": { "queue": { "enqueue": "queue" } } } },
            "limits": { "calls": 100_000 },
        });
        let document: Document = serde_json::from_value(document).unwrap_or_default();
        let numbers = (1..=100).map(|number| Arc::from(format!("number.{number}")));
        let known = Known {
            prompts: numbers.chain(["wait".into()]).collect(),
            lines: ["carrier", "teams"].map(Arc::from).into(),
        };
        Config::new(document, &known)
    }
}

impl Run {
    fn step(&mut self) -> bool {
        let next = self.agenda.peek().map(|std::cmp::Reverse((at, _))| *at);
        match (next, self.center.poll_timeout()) {
            (None, None) => return false,
            (Some(at), due) if due.is_none_or(|due| at <= due) => {
                let Some(std::cmp::Reverse((at, next))) = self.agenda.pop() else { return false };
                self.now = at;
                self.happens(next);
            }
            (_, due) => {
                self.now = due.unwrap_or(self.now).max(self.now);
                self.center.handle_timeout(self.now);
                self.obey();
            }
        }
        true
    }

    fn happens(&mut self, next: Next) {
        match next {
            Next::Arrives(number) => {
                self.arrived.insert(number, self.now);
                self.input(CallEvent::Arrived(Arrival {
                    call: CallId(number),
                    line: "carrier".into(),
                    from: Address::Anonymous,
                    from_name: "".into(),
                    to: Address::Phone("+14255550199".into()),
                }));
            }
            Next::GivesUp(number) => {
                if !self.served.contains_key(&number) {
                    self.serves(number, false);
                    self.leaves(number);
                }
            }
            Next::Leaves(number) => self.leaves(number),
        }
    }

    fn leaves(&mut self, number: u64) {
        let (call, cause) = (CallId(number), CauseKind::HungUp);
        self.input(CallEvent::Left { call, party: PartyId::FIRST, cause: cause.into() });
        self.input(CallEvent::Ended { call, cause: cause.into() });
    }

    fn serves(&mut self, number: u64, answered: bool) {
        let Some(arrived) = self.arrived.remove(&number) else { return };
        let waited_s = self.now.since(arrived).as_secs_f64();
        self.served.insert(number, Served { waited_s, answered });
        for (at, expected_us) in self.told.remove(&number).unwrap_or_default() {
            if answered {
                let expected_s = Duration::from_micros(expected_us).as_secs_f64();
                self.outcome.told.push(Told { expected_s, waited_s: self.now.since(at).as_secs_f64() });
            }
        }
    }

    fn input(&mut self, event: CallEvent) {
        self.center.handle_input(self.now, Input::Call(event));
        self.obey();
    }

    /// Does what the center wants: calls and telephones are answered at once.
    fn obey(&mut self) {
        while let Some(output) = self.center.poll_output() {
            match output {
                Output::Call(CallCommand::Answer { call }) => self.input(CallEvent::Answered { call }),
                Output::Call(CallCommand::AddParty { call, party, .. }) => {
                    self.serves(call.0, true);
                    let talks = exponential(&mut self.handling, self.steady.handle_s);
                    self.enter(self.now + talks, Next::Leaves(call.0));
                    self.input(CallEvent::Joined { call, party });
                }
                Output::Fact(fact) => match fact.kind {
                    FactKind::Arrived { call, .. } => {
                        self.calls.insert(tandem_center::id::InteractionId(fact.number), call.0);
                    }
                    FactKind::Announced { interaction, expected_us: Some(expected), .. } => {
                        if let Some(call) = self.calls.get(&interaction) {
                            self.told.entry(*call).or_default().push((fact.at, expected));
                        }
                    }
                    FactKind::Closed { interaction, .. } => drop(self.calls.remove(&interaction)),
                    _ => {}
                },
                _ => {}
            }
        }
    }

    fn enter(&mut self, at: Timestamp, next: Next) {
        self.agenda.push(std::cmp::Reverse((at, next)));
    }
}

/// A time that is as likely to end in any moment as in any other.
fn exponential(dice: &mut Dice, mean_s: f64) -> Duration {
    // Never zero, or the logarithm would have no end.
    let chance = (u32::try_from(dice.below(1 << 31)).map_or(0.0, f64::from) + 1.0) / 2_147_483_648.0;
    Duration::from_secs_f64(-chance.ln() * mean_s)
}

/// When every run begins.
const START: Timestamp = Timestamp::from_micros(1_780_000_000_000_000);
