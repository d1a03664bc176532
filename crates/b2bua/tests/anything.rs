//! Any commands, answers and sounds in any order: whatever was begun comes to an end, once, and nothing is left.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tandem_center::call::{
    Address, CallCommand, CallEvent, CallId, Collect, CollectId, Digit, Endpoint, PartyId, PlayId, Record,
    RecordingId, Rejection, Removal, TransferDecision, TransferId,
};
use tandem_media::leg::{self, LegCommand, LegEvent, LegId, RecordingEnd};
use tandem_media::prompt::Prompt;
use world::*;

const SEEDS: u64 = 300;
const ACTS: usize = 80;

#[test]
fn everything_ends_once_and_nothing_is_left() {
    let mut told = BTreeMap::new();
    for seed in 0..SEEDS {
        let mut tale = Tale::new(seed);
        for _ in 0..ACTS {
            tale.act();
        }
        tale.ends(&mut told);
    }
    for what in [
        "Answered",
        "Collected",
        "Ended",
        "Forwarded",
        "Joined",
        "Left",
        "Played",
        "Quality",
        "Recorded",
        "Ringing",
    ] {
        assert!(told.contains_key(what), "{what} never happened: the acts prove too little; {told:?}");
    }
}

struct Tale {
    seed: u64,
    dice: StdRng,
    world: World,
    calls: Vec<CallId>,
    parties: u16,
    names: u32,
    invites: Vec<Sent>,
    open: Vec<LegId>,
    closed: Vec<LegId>,
    ports_closed: usize,
    playing: Vec<(LegId, leg::PlayId)>,
    recording: Vec<(LegId, leg::RecordingId)>,
    added: BTreeSet<(CallId, PartyId)>,
    recorded: BTreeSet<RecordingId>,
    events: Vec<CallEvent>,
}

impl Tale {
    fn new(seed: u64) -> Tale {
        Tale {
            seed,
            dice: StdRng::seed_from_u64(seed),
            world: World::new(),
            calls: Vec::new(),
            parties: 0,
            names: 0,
            invites: Vec::new(),
            open: Vec::new(),
            closed: Vec::new(),
            ports_closed: 0,
            playing: Vec::new(),
            recording: Vec::new(),
            added: BTreeSet::new(),
            recorded: BTreeSet::new(),
            events: Vec::new(),
        }
    }

    fn one_of<T: Clone>(&mut self, things: &[T]) -> Option<T> {
        (!things.is_empty()).then(|| things[self.dice.random_range(0..things.len())].clone())
    }

    fn name(&mut self) -> u32 {
        self.names += 1;
        self.names
    }

    fn act(&mut self) {
        match self.dice.random_range(0..10) {
            0 => self.somebody_calls(),
            1..=4 => self.command(),
            5..=6 => self.a_network_answers(),
            7..=8 => self.a_leg_tells(),
            _ => {
                let ms = self.dice.random_range(0..6000);
                self.world.pass(Duration::from_millis(ms));
            }
        }
        self.look();
    }

    fn somebody_calls(&mut self) {
        let id = format!("call-{}", self.name());
        let invite = carrier_invite("sendrecv")
            .replace("carrier-call-1", &id)
            .replace("z9hG4bKcar1", &format!("z9hG4bK{id}"));
        self.world.receive(&carrier_flow(), &invite);
        if self.dice.random_ratio(1, 4) {
            let cancel = invite.split("Content-Type").next().unwrap().replace("INVITE", "CANCEL");
            self.world.receive(&carrier_flow(), &format!("{cancel}Content-Length: 0\r\n\r\n"));
        }
    }

    fn command(&mut self) {
        let name = self.name();
        let lines = ["carrier", "teams", "nowhere"];
        let line = self.one_of(&lines).unwrap();
        let to = Endpoint { line: line.into(), address: Address::Phone("+14255550142".into()) };
        let Some(call) = self.one_of(&self.calls.clone()).filter(|_| !self.dice.random_ratio(1, 8)) else {
            let call = CallId(u64::from(name));
            self.added.insert((call, PartyId::FIRST));
            self.calls.push(call);
            return self.world.say(CallCommand::Place { call, to, presented: None, presented_name: None });
        };
        let party =
            PartyId(if self.dice.random_bool(0.5) { 0 } else { self.dice.random_range(0..=self.parties) });
        let recording = RecordingId(u64::from(name));
        let command = match self.dice.random_range(0..16) {
            0 => CallCommand::Answer { call },
            1 if self.dice.random_ratio(1, 3) => CallCommand::Reject { call, reason: Rejection::Busy },
            2..=4 => {
                self.parties += 1;
                let party = PartyId(self.parties);
                self.added.insert((call, party));
                let apart = self.dice.random_bool(0.5);
                CallCommand::AddParty { call, party, to, presented: None, presented_name: None, apart }
            }
            5 => CallCommand::Admit { call, party },
            6 => CallCommand::RemoveParty { call, party, reason: Removal::NoLongerNeeded },
            7..=9 => {
                let prompts = [Arc::from("welcome"), RecordingId(1).prompt(), Arc::from("nothing")];
                let prompts = [self.one_of(&prompts).unwrap()].into();
                let repeat = self.dice.random_bool(0.3);
                CallCommand::Play { call, party, play: PlayId(name), prompts, repeat }
            }
            10 => CallCommand::StopPlay { call, party },
            11 => {
                let spec = Collect {
                    max_digits: 1,
                    terminator: None,
                    first_timeout: Duration::from_secs(4),
                    next_timeout: Duration::from_secs(2),
                    barge_in: true,
                    type_ahead: true,
                };
                CallCommand::Collect { call, party, collect: CollectId(name), spec }
            }
            12 => CallCommand::StopCollect { call, party },
            13 | 14 => {
                self.recorded.insert(recording);
                let spec = Record { max: Duration::from_secs(9), silence: None, terminator: Digit::new('#') };
                CallCommand::Record { call, party, recording, spec }
            }
            15 if self.dice.random_ratio(1, 3) => CallCommand::End { call },
            15 => CallCommand::DecideTransfer {
                call,
                transfer: TransferId(1),
                decision: TransferDecision::Refuse,
            },
            _ => CallCommand::StopRecord { call, party },
        };
        self.world.say(command);
    }

    fn a_network_answers(&mut self) {
        let Some(sent) = self.one_of(&self.invites.clone()) else { return };
        let status = self.one_of(&[180, 181, 183, 200, 200, 200, 486, 603, 302, 503, 404]).unwrap();
        if sent.first_line().contains("198.51.100.7") {
            let body = if status == 200 { carrier_sdp("sendrecv") } else { String::new() };
            self.world.receive(&carrier_flow(), &carrier_answer(&sent, status, &body));
        } else if self.dice.random_ratio(1, 5) {
            let bye = teams_request(&sent, "tag", "BYE", 1, "", "");
            self.world.receive(&own_teams_flow(), &bye);
        } else {
            let body = if status == 200 { teams_sdp("sendrecv") } else { String::new() };
            self.world.receive(&own_teams_flow(), &teams_answer(&sent, status, "tag", &body));
        }
    }

    fn a_leg_tells(&mut self) {
        let event = match self.dice.random_range(0..6) {
            0 | 1 => self.one_of(&self.open.clone()).map(|leg| {
                let digit =
                    tandem_media::dtmf::Digit::from_char(if self.dice.random_bool(0.5) { '#' } else { '1' });
                LegEvent::Digit { leg, digit: digit.unwrap(), duration_ms: 80 }
            }),
            2 => self.playing.pop().map(|(leg, play)| LegEvent::Played {
                leg,
                play,
                outcome: leg::PlayOutcome::Finished,
            }),
            3 => self.recording.pop().map(|(leg, recording)| LegEvent::RecordingEnded {
                leg,
                recording,
                end: RecordingEnd::Stopped,
                samples: 4000,
            }),
            4 => self.closed.pop().map(|leg| LegEvent::Closed { leg, report: Box::default() }),
            _ => {
                if let Some(recording) = self.world.fetched.pop() {
                    let prompt = Arc::new(Prompt::from_samples(&[9; 80]));
                    let found = self.dice.random_bool(0.7).then_some(&prompt);
                    self.world.bring(recording, found);
                }
                None
            }
        };
        if let Some(event) = event {
            self.world.hear(event);
        }
    }

    /// Takes note of what the door did.
    fn look(&mut self) {
        for sent in std::mem::take(&mut self.world.sent) {
            if sent.is("INVITE") && !sent.header("To").contains("tag=") {
                self.invites.push(sent);
            } else if sent.is("CANCEL") || sent.is("BYE") {
                let to = if sent.header("To").contains("+14255550142@198") {
                    carrier_flow()
                } else {
                    own_teams_flow()
                };
                self.world.receive(&to, &carrier_answer(&sent, 200, ""));
            } else if sent.answers(200) && sent.header("CSeq").ends_with("INVITE") {
                let id = sent.header("Call-ID");
                let ack = carrier_request("ACK", 1, &sent.header("To"), "").replace("carrier-call-1", &id);
                self.world.receive(&carrier_flow(), &ack);
            }
        }
        for command in std::mem::take(&mut self.world.media) {
            match command {
                LegCommand::Open { leg, .. } => self.open.push(leg),
                LegCommand::Close { leg } => {
                    let place = self.open.iter().position(|open| *open == leg);
                    // Only what is open is closed, and once.
                    self.open.remove(place.unwrap());
                    self.closed.push(leg);
                    self.ports_closed += 1;
                }
                LegCommand::Play { leg, play, .. } => self.playing.push((leg, play)),
                LegCommand::Record { leg, recording, .. } => self.recording.push((leg, recording)),
                LegCommand::Bridge { a, b } => {
                    assert!(a != b && self.open.contains(&a) && self.open.contains(&b), "seed {}", self.seed);
                }
                _ => {}
            }
        }
        for event in std::mem::take(&mut self.world.events) {
            if let CallEvent::Arrived(arrival) = &event {
                self.calls.push(arrival.call);
                self.added.insert((arrival.call, PartyId::FIRST));
            }
            self.events.push(event);
        }
    }

    fn ends(mut self, told: &mut BTreeMap<String, usize>) {
        for call in self.calls.clone() {
            self.world.say(CallCommand::End { call });
            self.look();
        }
        for _ in 0..40 {
            self.world.pass(Duration::from_secs(5));
            self.look();
        }
        let seed = self.seed;
        assert_eq!(self.world.door.calls(), 0, "seed {seed}");
        assert_eq!(self.world.ports.left + self.ports_closed, 1000, "seed {seed}: a port is lost");
        assert!(self.open.is_empty(), "seed {seed}: a leg is open");
        let (mut left, mut recorded, mut over) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for event in &self.events {
            let name = format!("{event:?}");
            *told.entry(name.split([' ', '(']).next().unwrap().to_owned()).or_default() += 1;
            // A party that could not even be looked for has its Left when its call is unknown.
            let lost = matches!(event, CallEvent::Left { cause, .. } if cause.kind == tandem_center::call::CauseKind::Lost);
            let failed =
                matches!(event, CallEvent::Recorded { end: tandem_center::call::RecordEnd::Failed, .. });
            assert!(lost || failed || !over.contains(&event.call()), "seed {seed}: {event:?} after the end");
            match event {
                CallEvent::Left { call, party, .. } => {
                    assert!(left.insert((*call, *party)), "seed {seed}: {event:?} twice");
                }
                CallEvent::Joined { call, party } | CallEvent::Ringing { call, party } => {
                    assert!(!left.contains(&(*call, *party)), "seed {seed}: {event:?} after its end");
                }
                CallEvent::Recorded { recording, .. } => {
                    assert!(recorded.insert(*recording), "seed {seed}: {event:?} twice");
                }
                CallEvent::Ended { call, .. } => {
                    assert!(over.insert(*call), "seed {seed}: {event:?} twice");
                }
                _ => {}
            }
        }
        let never: Vec<_> = self.added.difference(&left).collect();
        assert!(never.is_empty(), "seed {seed}: no Left of {never:?}");
        assert_eq!(over, self.calls.iter().copied().collect(), "seed {seed}: calls that never ended");
        assert_eq!(recorded, self.recorded, "seed {seed}: recordings that never ended");
    }
}
