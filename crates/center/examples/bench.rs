//! How many inputs a center takes in a second, on one core, with its facts encoded.
//!
//! An input is one event of complete queued calls: arrival, answer, welcome, menu, queue, ringing, conversation with
//! a hold now and then, hang-up, quality, wrap-up. There are as many callers waiting as agents talking, so that each
//! agent who becomes free is offered the next caller at once. Time is virtual: nothing waits.
//!
//! Prints one JSON line for each size: the median of several rounds.

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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for agents in [100, 1000] {
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            rates.push(measure(agents)?);
        }
        rates.sort_by(f64::total_cmp);
        let median = rates.get(ROUNDS / 2).copied().unwrap_or_default();
        println!("{{\"name\":\"center.{agents}\",\"value\":{median:.0},\"unit\":\"per_second\"}}");
    }
    Ok(())
}

fn measure(agents: usize) -> Result<f64, Box<dyn std::error::Error>> {
    let mut load = Load::new(agents)?;
    load.run(INPUTS / 10)?;
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let begun = Instant::now();
    let before = load.inputs;
    load.run(INPUTS)?;
    let inputs = u32::try_from(load.inputs - before)?;
    let rate = f64::from(inputs) / begun.elapsed().as_secs_f64();
    if load.calls_ended < u64::from(inputs) / 20 {
        return Err(
            format!("only {} calls came to an end: the load is not what it says", load.calls_ended).into()
        );
    }
    Ok(rate)
}

/// What people and a door do, and the center they do it to.
struct Load {
    center: Center,
    now: Timestamp,
    agenda: BinaryHeap<Reverse<(Timestamp, u64, CallId, Deed)>>,
    deeds: u64,
    /// Numbers of the calls' present play, collection and agent's party, by the place of the call.
    places: Vec<Place>,
    line: Arc<str>,
    encoded: Vec<u8>,
    inputs: u64,
    calls_ended: u64,
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
    fn new(agents: usize) -> Result<Load, Box<dyn std::error::Error>> {
        let now = Timestamp::from_micros(1_780_000_000_000_000);
        let mut load = Load {
            center: Center::new(Arc::new(config(agents)?), now),
            now,
            agenda: BinaryHeap::new(),
            deeds: 0,
            places: vec![Place::default(); 2 * agents],
            line: "carrier".into(),
            encoded: Vec::with_capacity(1 << 20),
            inputs: 0,
            calls_ended: 0,
        };
        load.outputs()?;
        for place in 0..load.places.len() {
            let number = u64::try_from(place)?;
            load.plan(Duration::from_millis(number), CallId(number), Deed::Arrive);
        }
        Ok(load)
    }

    fn run(&mut self, inputs: u64) -> Result<(), Box<dyn std::error::Error>> {
        let until = self.inputs + inputs;
        while self.inputs < until {
            let next = self.agenda.peek().map(|Reverse((at, ..))| *at);
            match (next, self.center.poll_timeout()) {
                (Some(at), Some(due)) if due < at => self.time_out(due),
                (None, Some(due)) => self.time_out(due),
                (Some(_), _) => self.next_deed(),
                (None, None) => return Err("nothing is left to happen".into()),
            }
            self.inputs += 1;
            self.outputs()?;
        }
        Ok(())
    }

    fn time_out(&mut self, due: Timestamp) {
        self.now = due;
        self.center.handle_timeout(due);
    }

    fn next_deed(&mut self) {
        let Some(Reverse((at, _, call, deed))) = self.agenda.pop() else { return };
        self.now = at;
        let event = self.event(call, deed);
        self.center.handle_input(at, Input::Call(event));
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
                from: Address::Phone("+14255550123".into()),
                from_name: "Ada Lovelace".into(),
                to: Address::Phone("+14255550199".into()),
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

    fn outputs(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        self.encoded.clear();
        while let Some(output) = self.center.poll_output() {
            match output {
                Output::Call(command) => self.obey(&command),
                Output::Fact(fact) => {
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

fn config(agents: usize) -> Result<Config, Box<dyn std::error::Error>> {
    let mut text = String::from(
        r#"
        queues = [{ id = "support", name = "Support", music = "music", wrap_up_s = 15, max_waiting = 100000, max_wait_s = 86400 }]
        numbers = [{ dialled = "+14255550199", flow = "main" }]
        [flows.main]
        start = "welcome"
        [flows.main.steps.welcome]
        play = ["welcome"]
        then = "menu"
        [flows.main.steps.menu]
        menu = { prompts = ["menu"], digits = { "1" = "support" } }
        [flows.main.steps.support]
        enqueue = "support"
        "#,
    );
    for agent in 0..agents {
        write!(
            text,
            "[[agents]]\nid = \"agent-{agent:05}\"\nname = \"Agent Number {agent:05}\"\nqueues = [\"support\"]\n\
             starts = \"available\"\nring = {{ line = \"teams\", phone = \"+1425{agent:07}\" }}\n"
        )?;
    }
    let document: Document = toml::from_str(&text)?;
    let known = Known {
        prompts: ["welcome", "menu", "music"].map(Arc::from).into(),
        lines: ["teams", "carrier"].map(Arc::from).into(),
    };
    Ok(Config::new(document, &known)?)
}

const ROUNDS: usize = 5;
/// Inputs measured in each round.
const INPUTS: u64 = 1_000_000;
