//! What people and a door do: complete queued calls on virtual time.
//!
//! An input is one event of a call: arrival, answer, welcome, menu, queue, ringing, conversation with a hold now and
//! then, hang-up, quality, wrap-up. There are as many callers as agents talk to and as wait besides. Every third
//! caller asks for a skill and relaxes, every seventh has another priority; each agent serves three queues.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_center::call::{
    Address, Arrival, CallCommand, CallEvent, CallId, Cause, CauseKind, CollectEnd, CollectId, Digit, Digits,
    PartyId, PlayId, PlayOutcome, Quality,
};
use tandem_center::config::{Config, Document, Known};
use tandem_center::{Center, Input, Output, Timestamp};

pub(crate) type Failure = Box<dyn std::error::Error>;

/// How large a center is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) agents: usize,
    pub(crate) queues: usize,
    /// How many wait besides those who talk.
    pub(crate) waiting: usize,
}

/// What people and a door do, and the center they do it to.
pub(crate) struct Load {
    pub(crate) center: Center,
    pub(crate) now: Timestamp,
    agenda: BinaryHeap<Reverse<(Timestamp, u64, CallId, Deed)>>,
    deeds: u64,
    /// Numbers of the calls' present play, collection and agent's party, by the place of the call.
    places: Vec<Place>,
    line: Arc<str>,
    queues: usize,
    /// The facts of the last input as JSON lines, or of all inputs if they are kept.
    pub(crate) encoded: Vec<u8>,
    pub(crate) keep: bool,
    pub(crate) facts: u64,
    pub(crate) inputs: u64,
    pub(crate) calls_ended: u64,
    /// How long single inputs took, if wanted.
    pub(crate) took: Option<Vec<Duration>>,
}

#[derive(Clone, Copy, Default)]
struct Place {
    play: Option<PlayId>,
    collect: u32,
    agent: u16,
}

/// What happens next to a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Arrive,
    Answered,
    PlayEnds,
    Press,
    Ring,
    Join,
    Hold,
    Resume,
    AgentLeaves,
    CallerLeaves,
    HeardAgent,
    HeardCaller,
    End,
}

impl Load {
    pub(crate) fn new(size: Size) -> Result<Load, Failure> {
        let now = Timestamp::from_micros(1_780_000_000_000_000);
        let mut load = Load {
            center: Center::new(Arc::new(config(size)?), now),
            now,
            agenda: BinaryHeap::new(),
            deeds: 0,
            places: vec![Place::default(); size.agents + size.waiting.max(size.agents / 10)],
            line: "carrier".into(),
            queues: size.queues,
            encoded: Vec::with_capacity(1 << 20),
            keep: false,
            facts: 0,
            inputs: 0,
            calls_ended: 0,
            took: None,
        };
        load.outputs()?;
        for place in 0..load.places.len() {
            let number = u64::try_from(place)?;
            load.plan(Duration::from_micros(number * 150), CallId(number), Deed::Arrive);
        }
        Ok(load)
    }

    /// Lets so many inputs happen.
    pub(crate) fn run(&mut self, inputs: u64) -> Result<(), Failure> {
        let until = self.inputs + inputs;
        while self.inputs < until {
            self.step()?;
        }
        Ok(())
    }

    /// Lets everybody who is to wait come in: a minute and a half of the load's time.
    pub(crate) fn fill(&mut self) -> Result<(), Failure> {
        let until = self.now + Duration::from_secs(90);
        while self.now < until {
            self.step()?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Failure> {
        let next = self.agenda.peek().map(|Reverse((at, ..))| *at);
        match (next, self.center.poll_timeout()) {
            (Some(at), Some(due)) if due < at => self.time_out(due),
            (None, Some(due)) => self.time_out(due),
            (Some(_), _) => self.next_deed(),
            (None, None) => return Err("nothing is left to happen".into()),
        }
        self.inputs += 1;
        self.outputs()
    }

    fn time_out(&mut self, due: Timestamp) {
        self.now = due;
        let begun = self.took.is_some().then(now);
        self.center.handle_timeout(due);
        self.took(begun);
    }

    fn next_deed(&mut self) {
        let Some(Reverse((at, _, call, deed))) = self.agenda.pop() else { return };
        self.now = at;
        let event = self.event(call, deed);
        let begun = self.took.is_some().then(now);
        self.center.handle_input(at, Input::Call(event));
        self.took(begun);
    }

    fn took(&mut self, begun: Option<Instant>) {
        if let (Some(begun), Some(took)) = (begun, &mut self.took) {
            took.push(begun.elapsed());
        }
    }

    fn event(&mut self, call: CallId, deed: Deed) -> CallEvent {
        let place = self.place(call);
        let (caller, agent) = (PartyId::FIRST, PartyId(place.agent));
        let cause = Cause::of(CauseKind::HungUp);
        let quality = Quality {
            mos_x100: Some(441),
            packets_received: 9000,
            round_trip_ms: Some(40),
            ..Quality::default()
        };
        match deed {
            Deed::Arrive => CallEvent::Arrived(Arrival {
                call,
                line: self.line.clone(),
                from: Address::Phone(format!("+1{}425{:07}", call.0 % 21, call.0 % 10_000_000).into()),
                from_name: "Ada Lovelace".into(),
                to: Address::Phone(number(usize::try_from(call.0).unwrap_or(0) % self.queues).into()),
            }),
            Deed::Answered => CallEvent::Answered { call },
            Deed::PlayEnds => {
                let play = place.play.unwrap_or(PlayId(0));
                CallEvent::Played { call, party: caller, play, outcome: PlayOutcome::Completed }
            }
            Deed::Press => CallEvent::Collected {
                call,
                party: caller,
                collect: CollectId(place.collect),
                digits: Digit::new('1').into_iter().collect::<Digits>(),
                end: CollectEnd::Complete,
            },
            Deed::Ring => CallEvent::Ringing { call, party: agent },
            Deed::Join => {
                // One in eight is put on hold for a moment; callers and agents hang up in turn.
                if call.0.is_multiple_of(8) {
                    self.plan(Duration::from_secs(20), call, Deed::Hold);
                    self.plan(Duration::from_secs(40), call, Deed::Resume);
                }
                let first = if call.0.is_multiple_of(2) { Deed::AgentLeaves } else { Deed::CallerLeaves };
                self.plan(Duration::from_secs(120 + call.0 % 60), call, first);
                CallEvent::Joined { call, party: agent }
            }
            Deed::Hold => CallEvent::Held { call, party: agent, silent: false },
            Deed::Resume => CallEvent::Resumed { call, party: agent },
            Deed::AgentLeaves => CallEvent::Left { call, party: agent, cause },
            Deed::CallerLeaves => CallEvent::Left { call, party: caller, cause },
            Deed::HeardAgent => CallEvent::Quality { call, party: agent, quality },
            Deed::HeardCaller => CallEvent::Quality { call, party: caller, quality },
            Deed::End => {
                self.calls_ended += 1;
                // The next caller takes the place of this one.
                let places = self.places.len() as u64;
                self.plan(Duration::from_secs(1), CallId(call.0 + places), Deed::Arrive);
                CallEvent::Ended { call, cause }
            }
        }
    }

    fn outputs(&mut self) -> Result<(), Failure> {
        if !self.keep {
            self.encoded.clear();
        }
        while let Some(output) = self.center.poll_output() {
            match output {
                Output::Call(command) => self.obey(&command),
                Output::Fact(fact) => {
                    self.facts += 1;
                    serde_json::to_writer(&mut self.encoded, &fact)?;
                    self.encoded.push(b'\n');
                }
                Output::Refused(refusal) => return Err(refusal.into()),
            }
        }
        std::hint::black_box(&self.encoded);
        Ok(())
    }

    fn obey(&mut self, command: &CallCommand) {
        let call = command.call();
        let soon = Duration::from_millis(20);
        match command {
            CallCommand::Answer { .. } => self.plan(soon, call, Deed::Answered),
            CallCommand::Play { play, repeat, .. } => {
                let had = self.place_mut(call).and_then(|place| place.play.replace(*play));
                if had.is_none() && !repeat && play.0 == 1 {
                    self.plan(Duration::from_secs(5), call, Deed::PlayEnds);
                }
            }
            CallCommand::StopPlay { .. } => self.plan(soon, call, Deed::PlayEnds),
            CallCommand::Collect { collect, .. } => {
                if let Some(place) = self.place_mut(call) {
                    place.collect = collect.0;
                }
                self.plan(Duration::from_secs(3), call, Deed::Press);
            }
            CallCommand::AddParty { party, .. } => {
                if let Some(place) = self.place_mut(call) {
                    place.agent = party.0;
                }
                self.plan(Duration::from_millis(200), call, Deed::Ring);
                self.plan(Duration::from_secs(3), call, Deed::Join);
            }
            CallCommand::End { .. } => {
                if let Some(place) = self.place_mut(call) {
                    place.play = None;
                }
                let last = if call.0.is_multiple_of(2) { Deed::CallerLeaves } else { Deed::AgentLeaves };
                self.plan(soon, call, last);
                self.plan(soon, call, Deed::HeardAgent);
                self.plan(soon, call, Deed::HeardCaller);
                self.plan(soon, call, Deed::End);
            }
            _ => {}
        }
    }

    fn plan(&mut self, after: Duration, call: CallId, deed: Deed) {
        self.deeds += 1;
        self.agenda.push(Reverse((self.now + after, self.deeds, call, deed)));
    }

    fn place(&self, call: CallId) -> Place {
        self.index(call).and_then(|index| self.places.get(index)).copied().unwrap_or_default()
    }

    fn place_mut(&mut self, call: CallId) -> Option<&mut Place> {
        let index = self.index(call)?;
        self.places.get_mut(index)
    }

    fn index(&self, call: CallId) -> Option<usize> {
        usize::try_from(call.0).ok().map(|number| number % self.places.len())
    }
}

/// The number of a queue.
fn number(queue: usize) -> String {
    format!("+1425556{queue:04}")
}

/// The time that it is, for those who measure.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The configuration of a center of this size.
pub(crate) fn config(size: Size) -> Result<Config, Failure> {
    let mut text = String::from("[limits]\ncalls = 250000\n");
    for queue in 0..size.queues {
        let strategy =
            ["longest_idle", "round_robin", "least_occupied", "most_skilled"].get(queue % 4).unwrap_or(&"");
        write!(
            text,
            "[[queues]]\nid = \"queue-{queue}\"\nname = \"Queue {queue}\"\nstrategy = \"{strategy}\"\n\
             music = \"music\"\nwrap_up_s = 15\nmax_waiting = 100000\nmax_wait_s = 86400\n\
             [[numbers]]\ndialled = \"{}\"\nflow = \"flow-{queue}\"\n\
             [flows.flow-{queue}]\nstart = \"welcome\"\n\
             [flows.flow-{queue}.steps.welcome]\nplay = [\"welcome\"]\nthen = \"menu\"\n\
             [flows.flow-{queue}.steps.menu]\n\
             menu = {{ prompts = [\"menu\"], digits = {{ \"1\" = \"queue\" }} }}\n\
             [flows.flow-{queue}.steps.queue]\nenqueue = \"queue-{queue}\"\n\
             [[flows.flow-{queue}.steps.queue.cases]]\n\
             when = {{ any = [{}] }}\n\
             asks = {{ skills = {{ french = 5 }}, relax = [{{ after_s = 60, skills = {{ french = 2 }} }}, {{ after_s = 120 }}] }}\n\
             [[flows.flow-{queue}.steps.queue.cases]]\n\
             when = {{ any = [{}] }}\nasks = {{ priority = 2 }}\n",
            number(queue),
            beginnings(3),
            beginnings(7),
        )?;
    }
    for agent in 0..size.agents {
        let queues: std::collections::BTreeSet<usize> =
            [agent, agent * 7 + 1, agent * 13 + 2].map(|number| number % size.queues).into();
        let queues: Vec<String> = queues.iter().map(|queue| format!("\"queue-{queue}\"")).collect();
        write!(
            text,
            "[[agents]]\nid = \"agent-{agent:05}\"\nname = \"Agent Number {agent:05}\"\nqueues = [{}]\n\
             starts = \"available\"\nring = {{ line = \"teams\", phone = \"+1425{agent:07}\" }}\n\
             skills = {{ french = {}, billing = {} }}\n",
            queues.join(", "),
            agent % 10 + 1,
            agent % 7 + 1,
        )?;
    }
    let document: Document = toml::from_str(&text)?;
    let known = Known {
        prompts: ["welcome", "menu", "music"].map(Arc::from).into(),
        lines: ["teams", "carrier"].map(Arc::from).into(),
    };
    Ok(Config::new(document, &known)?)
}

/// Conditions that hold for every so-manieth caller: by the beginning of the caller's number.
fn beginnings(every: usize) -> String {
    let begins = |number: usize| format!("{{ field = \"from\", starts_with = \"+1{number}425\" }}");
    (0..21).step_by(every).map(begins).collect::<Vec<_>>().join(", ")
}
