//! A door with callers and telephones behind it, as true to `tandem_center::call` as a real one, and no truer.
//!
//! What happens behind the door (a person answers, hangs up, presses a key) is a [`Deed`] at its time. What the
//! center hears of it is an event that may be on its way for a while: long enough that a command can cross it.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_center::Timestamp;
use tandem_center::call::{
    Address, Arrival, CallCommand, CallEvent, CallId, Cause, CauseKind, CollectEnd, CollectId, Digit,
    Endpoint, PartyId, PlayId, PlayOutcome, Quality, Record, RecordEnd, RecordingId, TransferDecision,
    TransferId, TransferOutcome,
};

use crate::dice::Dice;
use crate::plan::{CallerIs, CallerPlan, Chaos, agent_phone, customer_phone};

/// The door and everybody behind it.
#[derive(Debug)]
pub struct Door {
    seed: u64,
    chaos: Chaos,
    calls: BTreeMap<CallId, Call>,
    /// Which telephones ring or talk.
    telephones: BTreeMap<Endpoint, (CallId, PartyId)>,
    next_call: u64,
    /// Deeds that were planned since they were last taken.
    planned: Vec<(Timestamp, Deed)>,
    /// Events that were sent since they were last taken, with the moment at which they arrive.
    sent: Vec<(Timestamp, CallEvent)>,
}

/// Something that somebody does behind the door.
#[derive(Clone, Debug)]
pub struct Deed {
    call: CallId,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Answered,
    PlayEnds(PartyId, PlayId, PlayOutcome),
    Press(PartyId, CollectId, Option<Digit>),
    /// Nobody speaks any more, or a key was pressed, or the tape is full.
    RecordingEnds(PartyId, RecordingId, RecordEnd),
    Rings(PartyId),
    /// The telephone's network sends the call on.
    Forwards(PartyId),
    Answers(PartyId),
    Leaves(PartyId, CauseKind),
    /// The caller hangs up, unless somebody talks with them.
    LosesPatience,
    Holds(PartyId),
    Resumes(PartyId),
    AsksTransfer(PartyId, TransferId),
    TransferEnds(TransferId, PartyId, TransferOutcome),
    EndsForAll(CauseKind),
}

#[derive(Debug)]
struct Call {
    dice: Dice,
    keys: Dice,
    answered: bool,
    /// It was the center that began it.
    placed: bool,
    /// The parties that have not left.
    parties: BTreeMap<PartyId, Party>,
    transfer: Option<(PartyId, TransferId)>,
    transfers: u32,
    ending: bool,
    /// No later event of this call arrives before this.
    arrives_after: Timestamp,
}

/// A party that has not left.
#[derive(Debug, Default)]
struct Party {
    joined: bool,
    /// It hears nobody, and nobody hears it.
    apart: bool,
    /// The telephone that was rung for it.
    endpoint: Option<Endpoint>,
    play: Option<PlayId>,
    collect: Option<CollectId>,
    /// What is being recorded, and since when.
    recording: Option<(RecordingId, Timestamp)>,
}

impl Call {
    fn begun(now: Timestamp, dice: Dice, keys: Dice, placed: bool) -> Call {
        Call {
            dice,
            keys,
            answered: false,
            placed,
            parties: BTreeMap::new(),
            transfer: None,
            transfers: 0,
            ending: false,
            arrives_after: now,
        }
    }

    fn has_joined(&self, party: PartyId) -> bool {
        self.parties.get(&party).is_some_and(|party| party.joined)
    }
}

impl Door {
    /// A door behind which nobody is yet.
    pub fn new(seed: u64, chaos: Chaos) -> Door {
        Door {
            seed,
            chaos,
            calls: BTreeMap::new(),
            telephones: BTreeMap::new(),
            next_call: 0,
            planned: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// The chaos is over: everything arrives once, at once, and everybody answers.
    pub fn calm_down(&mut self, now: Timestamp) {
        // A door with a fault has been started again: no telephone is busy for ever.
        if self.chaos.never > 0 {
            let calls: Vec<CallId> = self.calls.keys().copied().collect();
            for call in calls {
                self.plan(now, call, What::EndsForAll(CauseKind::Lost));
            }
        }
        self.chaos = Chaos { ends_by_itself: self.chaos.ends_by_itself, ..Chaos::default() };
    }

    /// The program was killed: all calls are gone, and everything that was on its way.
    pub fn crash(&mut self) {
        self.calls.clear();
        self.telephones.clear();
        self.planned.clear();
        self.sent.clear();
    }

    /// Takes the deeds that were planned.
    pub fn planned(&mut self) -> Vec<(Timestamp, Deed)> {
        std::mem::take(&mut self.planned)
    }

    /// Takes the events that were sent.
    pub fn sent(&mut self) -> Vec<(Timestamp, CallEvent)> {
        std::mem::take(&mut self.sent)
    }

    /// Whether nobody is behind the door any more.
    pub fn is_quiet(&self) -> bool {
        self.calls.is_empty()
    }

    /// Somebody calls.
    pub fn call(&mut self, now: Timestamp, caller: &CallerPlan) {
        self.next_call += 1;
        let call = CallId(self.next_call);
        let (line, from) = match caller.who {
            CallerIs::Customer(number) => ("carrier", Address::Phone(customer_phone(number).into())),
            CallerIs::Anonymous => ("carrier", Address::Anonymous),
            CallerIs::Agent(place) => ("teams", Address::Phone(agent_phone(place).into())),
        };
        let dice = Dice::of(self.seed, "call", caller.number);
        let keys = Dice::of(self.seed, "keys", caller.number);
        let mut begun = Call::begun(now, dice, keys, false);
        begun.parties.insert(PartyId::FIRST, Party { joined: true, ..Party::default() });
        self.calls.insert(call, begun);
        self.send(
            now,
            CallEvent::Arrived(Arrival {
                call,
                line: line.into(),
                from,
                from_name: format!("Caller {}", caller.number).into(),
                to: Address::Phone(caller.dialled.into()),
            }),
        );
        self.plan(now + caller.patience, call, What::LosesPatience);
    }

    /// Does what the center wants.
    pub fn obey(&mut self, now: Timestamp, command: CallCommand) {
        let id = command.call();
        let deaf = self.chaos.never;
        let calm = self.chaos.delay_ms == 0 && deaf == 0;
        if let CallCommand::Place { to, .. } = command {
            return self.place(now, id, to, calm);
        }
        let Some(call) = self.calls.get_mut(&id).filter(|call| !call.ending) else { return };
        let soon = |call: &mut Call| now + call.dice.millis(0, 300);
        match command {
            CallCommand::Answer { .. } => {
                let (at, never) = (soon(call), call.dice.percent(deaf));
                if !never {
                    self.plan(at, id, What::Answered);
                }
            }
            CallCommand::Reject { .. } => {
                call.ending = true;
                let at = soon(call);
                self.plan(at, id, What::EndsForAll(CauseKind::Rejected));
            }
            CallCommand::Play { party, play, repeat, .. } => {
                let Some(who) = call.parties.get_mut(&party) else { return };
                if !who.joined {
                    let outcome = PlayOutcome::Failed;
                    return self.send(now, CallEvent::Played { call: id, party, play, outcome });
                }
                let stopped = who.play.replace(play);
                let fails = call.dice.percent(3);
                let ends = now + call.dice.millis(200, 6000);
                let never = call.dice.percent(deaf);
                self.stopped_playing(now, id, party, stopped);
                if fails {
                    self.plan(now, id, What::PlayEnds(party, play, PlayOutcome::Failed));
                } else if !repeat && !never {
                    self.plan(ends, id, What::PlayEnds(party, play, PlayOutcome::Completed));
                }
            }
            CallCommand::StopPlay { party, .. } => {
                let stopped = call.parties.get_mut(&party).and_then(|who| who.play.take());
                self.stopped_playing(now, id, party, stopped);
            }
            CallCommand::Collect { party, collect, spec, .. } => {
                let Some(who) = call.parties.get_mut(&party) else { return };
                who.collect = Some(collect);
                let key = match call.keys.below(10) {
                    0..=5 if party != PartyId::FIRST => Digit::new('1'),
                    0..=5 => Digit::new('0'),
                    6 => Digit::new('1'),
                    7 => Digit::new('9'),
                    8 => Digit::new('5'),
                    _ => None,
                };
                let at =
                    if key.is_some() { now + call.dice.millis(100, 3000) } else { now + spec.first_timeout };
                let never = call.dice.percent(deaf);
                if !never {
                    self.plan(at, id, What::Press(party, collect, key));
                }
            }
            CallCommand::StopCollect { party, .. } => {
                if let Some(who) = call.parties.get_mut(&party) {
                    who.collect = None;
                }
            }
            CallCommand::AddParty { party, to, apart, .. } => {
                if !call.parties.contains_key(&party) {
                    self.ring(now, id, party, to, apart, calm);
                }
            }
            CallCommand::Admit { party, .. } => {
                if let Some(who) = call.parties.get_mut(&party) {
                    who.apart = false;
                }
            }
            CallCommand::Record { party, recording, spec, .. } => {
                self.record(now, id, party, recording, &spec);
            }
            CallCommand::StopRecord { party, .. } => {
                self.recording_ends(now, id, party, None, RecordEnd::Stopped);
            }
            CallCommand::RemoveParty { party, .. } => {
                let at = soon(call);
                self.plan(at, id, What::Leaves(party, CauseKind::Removed));
            }
            CallCommand::DecideTransfer { transfer, decision, .. } => {
                self.decide_transfer(now, id, transfer, &decision);
            }
            CallCommand::Place { .. } => {}
            CallCommand::End { .. } => {
                let never = call.dice.percent(deaf);
                call.ending = !never;
                let at = soon(call);
                if !never {
                    self.plan(at, id, What::EndsForAll(CauseKind::Removed));
                }
            }
        }
    }

    /// Somebody does something.
    pub fn perform(&mut self, now: Timestamp, deed: Deed) {
        let Deed { call: id, what } = deed;
        let chaos = self.chaos;
        let Some(call) = self.calls.get_mut(&id) else { return };
        match what {
            What::Answered => {
                call.answered = true;
                self.send(now, CallEvent::Answered { call: id });
            }
            What::PlayEnds(party, play, outcome) => {
                let plays = |who: &mut Party| who.play.take_if(|playing| *playing == play);
                if call.parties.get_mut(&party).and_then(plays).is_some() {
                    self.send(now, CallEvent::Played { call: id, party, play, outcome });
                }
            }
            What::Press(party, collect, key) => {
                let Some(who) = call.parties.get_mut(&party) else { return };
                if who.collect.take_if(|collecting| *collecting == collect).is_some() {
                    let stopped = who.play.take();
                    let end = if key.is_some() { CollectEnd::Complete } else { CollectEnd::TimedOut };
                    let digits = key.into_iter().collect();
                    self.stopped_playing(now, id, party, stopped);
                    self.send(now, CallEvent::Collected { call: id, party, collect, digits, end });
                }
            }
            What::RecordingEnds(party, recording, end) => {
                self.recording_ends(now, id, party, Some(recording), end);
            }
            What::Rings(party) => {
                if call.parties.contains_key(&party) {
                    self.send(now, CallEvent::Ringing { call: id, party });
                }
            }
            What::Forwards(party) => {
                if call.parties.get(&party).is_some_and(|who| !who.joined) {
                    self.send(now, CallEvent::Forwarded { call: id, party });
                }
            }
            What::Answers(party) => self.answers(now, id, party),
            What::Leaves(party, cause) => {
                self.leaves(now, id, party, cause);
                if party == PartyId::FIRST && chaos.ends_by_itself {
                    self.ends_for_all(now, id, cause);
                }
            }
            What::LosesPatience => {
                let others = call.parties.iter().filter(|(party, _)| **party != PartyId::FIRST);
                let talks = others.into_iter().any(|(_, who)| who.joined && !who.apart);
                let cause = if call.answered { CauseKind::HungUp } else { CauseKind::Cancelled };
                let cause = if call.dice.percent(5) { CauseKind::Lost } else { cause };
                if !talks {
                    self.perform(now, Deed { call: id, what: What::Leaves(PartyId::FIRST, cause) });
                }
            }
            What::Holds(party) => {
                let silent = call.dice.percent(50);
                let resumes = now + call.dice.seconds(1, 40);
                if call.has_joined(party) {
                    self.send(now, CallEvent::Held { call: id, party, silent });
                    self.plan(resumes, id, What::Resumes(party));
                }
            }
            What::Resumes(party) => {
                if call.has_joined(party) {
                    self.send(now, CallEvent::Resumed { call: id, party });
                }
            }
            What::AsksTransfer(party, transfer) => {
                if call.has_joined(party) && call.transfer.is_none() {
                    call.transfer = Some((party, transfer));
                    let target = Some(Address::Phone("+14255550177".into()));
                    self.send(now, CallEvent::TransferAsked { call: id, party, transfer, target });
                }
            }
            What::TransferEnds(transfer, party, outcome) => {
                self.transfer_ends(now, id, transfer, party, outcome);
            }
            What::EndsForAll(cause) => self.ends_for_all(now, id, cause),
        }
    }

    fn place(&mut self, now: Timestamp, id: CallId, to: Endpoint, calm: bool) {
        if self.calls.contains_key(&id) {
            return;
        }
        let dice = Dice::of(self.seed, "placed call", id.0);
        let keys = Dice::of(self.seed, "keys of a placed call", id.0);
        self.calls.insert(id, Call::begun(now, dice, keys, true));
        self.ring(now, id, PartyId::FIRST, to, false, calm);
    }

    fn ring(&mut self, now: Timestamp, id: CallId, party: PartyId, to: Endpoint, apart: bool, calm: bool) {
        let busy = self.telephones.contains_key(&to);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let ringing = call.parties.values().filter(|party| !party.joined).count();
        let endpoint = (!busy).then(|| to.clone());
        call.parties.insert(party, Party { apart, endpoint, ..Party::default() });
        if ringing >= CallCommand::MAX_RINGING {
            return self.plan(now, id, What::Leaves(party, CauseKind::Limit));
        }
        if busy {
            return self.plan(now, id, What::Leaves(party, CauseKind::Busy));
        }
        let rings = now + call.dice.millis(50, 1500);
        let later = rings + call.dice.millis(100, 20_000);
        let luck = call.dice.below(100);
        self.telephones.insert(to, (id, party));
        let (at, what) = match luck {
            _ if calm => (rings, What::Answers(party)),
            0..=54 => (later, What::Answers(party)),
            55..=62 => (later, What::Leaves(party, CauseKind::Declined)),
            63..=66 => (rings, What::Leaves(party, CauseKind::Busy)),
            67..=70 => (rings, What::Leaves(party, CauseKind::Unavailable)),
            71..=74 => (rings, What::Leaves(party, CauseKind::Unreachable)),
            // Gives up on its own, later than most ring times.
            75..=79 => (later + Duration::from_secs(10), What::Leaves(party, CauseKind::NotAnswered)),
            // Answers at the very moment at which many offers lapse.
            80..=84 => (now + Duration::from_secs(10), What::Answers(party)),
            // A voicemail answers, not who was rung.
            85..=88 => {
                self.plan(rings, id, What::Forwards(party));
                (later, What::Answers(party))
            }
            _ => (now + Duration::from_secs(3600), What::Leaves(party, CauseKind::NotAnswered)),
        };
        self.plan(rings, id, What::Rings(party));
        self.plan(at, id, what);
    }

    fn answers(&mut self, now: Timestamp, id: CallId, party: PartyId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(who) = call.parties.get_mut(&party) else { return };
        who.joined = true;
        if party == PartyId::FIRST {
            call.answered = true;
            let patience = call.dice.seconds(5, 200);
            self.send(now, CallEvent::Joined { call: id, party });
            return self.plan(now + patience, id, What::LosesPatience);
        }
        let talk = call.dice.millis(500, 120_000);
        let leaver = if call.dice.percent(50) { party } else { PartyId::FIRST };
        let cause = if call.dice.percent(5) { CauseKind::Lost } else { CauseKind::HungUp };
        let holds = call.dice.percent(20).then(|| call.dice.millis(100, 60_000));
        let transfers = call.dice.percent(25).then(|| call.dice.millis(100, 30_000));
        call.transfers += 1;
        let transfer = TransferId(call.transfers);
        self.send(now, CallEvent::Joined { call: id, party });
        self.plan(now + talk, id, What::Leaves(leaver, cause));
        if let Some(after) = holds {
            self.plan(now + after, id, What::Holds(party));
        }
        if let Some(after) = transfers {
            self.plan(now + after, id, What::AsksTransfer(party, transfer));
        }
    }

    fn decide_transfer(
        &mut self,
        now: Timestamp,
        id: CallId,
        transfer: TransferId,
        decision: &TransferDecision,
    ) {
        let deaf = self.chaos.never;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((_, asked)) = call.transfer.filter(|(_, asked)| *asked == transfer) else { return };
        match decision {
            TransferDecision::Refuse => call.transfer = None,
            TransferDecision::Allow { party } => {
                call.parties.insert(*party, Party::default());
                let outcome =
                    if call.dice.percent(60) { TransferOutcome::Done } else { TransferOutcome::Failed };
                let (ends, never) = (now + call.dice.millis(200, 30_000), call.dice.percent(deaf));
                if !never {
                    self.plan(ends, id, What::TransferEnds(asked, *party, outcome));
                }
            }
        }
    }

    fn transfer_ends(
        &mut self,
        now: Timestamp,
        id: CallId,
        transfer: TransferId,
        party: PartyId,
        outcome: TransferOutcome,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some((asked_by, _)) = call.transfer.take_if(|(_, going)| *going == transfer) else { return };
        let talk = call.dice.millis(500, 60_000);
        let leaves = now + call.dice.millis(0, 500);
        if outcome == TransferOutcome::Done {
            call.parties.insert(party, Party { joined: true, ..Party::default() });
            self.send(now, CallEvent::Joined { call: id, party });
        } else {
            call.parties.remove(&party);
            self.send(now, CallEvent::Left { call: id, party, cause: CauseKind::NotAnswered.into() });
        }
        self.send(now, CallEvent::TransferEnded { call: id, transfer, outcome });
        if outcome == TransferOutcome::Done {
            self.plan(leaves, id, What::Leaves(asked_by, CauseKind::Transferred));
            self.plan(now + talk, id, What::Leaves(party, CauseKind::HungUp));
        }
    }

    fn record(&mut self, now: Timestamp, id: CallId, party: PartyId, recording: RecordingId, spec: &Record) {
        let deaf = self.chaos.never;
        self.recording_ends(now, id, party, None, RecordEnd::Stopped);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(who) = call.parties.get_mut(&party).filter(|who| who.joined) else {
            let (end, length) = (RecordEnd::Failed, Duration::ZERO);
            return self.send(now, CallEvent::Recorded { call: id, party, recording, end, length });
        };
        who.recording = Some((recording, now));
        let speaks = call.dice.millis(500, 60_000);
        let (at, end) = match call.dice.below(10) {
            0 => (now, RecordEnd::Failed),
            1..=3 => (now + speaks, RecordEnd::Complete),
            _ if spec.silence.is_some() => (now + speaks, RecordEnd::Silence),
            _ => (now + spec.max, RecordEnd::Limit),
        };
        let (at, end) = if at > now + spec.max { (now + spec.max, RecordEnd::Limit) } else { (at, end) };
        let never = call.dice.percent(deaf);
        if !never {
            self.plan(at, id, What::RecordingEnds(party, recording, end));
        }
    }

    /// A recording ends; the one that runs, if none is named.
    fn recording_ends(
        &mut self,
        now: Timestamp,
        call: CallId,
        party: PartyId,
        named: Option<RecordingId>,
        end: RecordEnd,
    ) {
        let Some(who) = self.calls.get_mut(&call).and_then(|call| call.parties.get_mut(&party)) else {
            return;
        };
        let ends = |running: &mut (RecordingId, Timestamp)| named.is_none_or(|named| named == running.0);
        let Some((recording, since)) = who.recording.take_if(ends) else { return };
        self.recorded(now, call, party, recording, since, end);
    }

    fn recorded(
        &mut self,
        now: Timestamp,
        call: CallId,
        party: PartyId,
        recording: RecordingId,
        since: Timestamp,
        end: RecordEnd,
    ) {
        let spoke = Duration::from_micros(now.micros_since(since));
        let length = if end == RecordEnd::Failed { Duration::ZERO } else { spoke };
        self.send(now, CallEvent::Recorded { call, party, recording, end, length });
    }

    fn leaves(&mut self, now: Timestamp, id: CallId, party: PartyId, cause: CauseKind) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(Party { joined, endpoint, recording, .. }) = call.parties.remove(&party) else { return };
        let over = call.placed && call.parties.is_empty();
        if let Some(endpoint) = endpoint {
            self.telephones.remove(&endpoint);
        }
        self.send(
            now,
            CallEvent::Left { call: id, party, cause: Cause { kind: cause, code: 480, detail: None } },
        );
        if joined {
            let quality = Quality { mos_x100: Some(420), packets_received: 100, ..Quality::default() };
            self.send(now, CallEvent::Quality { call: id, party, quality });
        }
        if let Some((recording, since)) = recording {
            self.recorded(now, id, party, recording, since, RecordEnd::PartyLeft);
        }
        if over {
            self.plan(now, id, What::EndsForAll(cause));
        }
    }

    fn ends_for_all(&mut self, now: Timestamp, id: CallId, cause: CauseKind) {
        let Some(call) = self.calls.get(&id) else { return };
        let left: Vec<PartyId> = call.parties.keys().copied().collect();
        for party in left {
            self.leaves(now, id, party, cause);
        }
        self.send(now, CallEvent::Ended { call: id, cause: cause.into() });
        self.calls.remove(&id);
    }

    fn stopped_playing(&mut self, now: Timestamp, call: CallId, party: PartyId, stopped: Option<PlayId>) {
        if let Some(play) = stopped {
            let outcome = PlayOutcome::Stopped;
            self.send(now, CallEvent::Played { call, party, play, outcome });
        }
    }

    fn plan(&mut self, at: Timestamp, call: CallId, what: What) {
        self.planned.push((at, Deed { call, what }));
    }

    /// Sends an event on its way: in the order of the call, or only in that of the party if events may overtake.
    fn send(&mut self, now: Timestamp, event: CallEvent) {
        let chaos = self.chaos;
        let Some(call) = self.calls.get_mut(&event.call()) else { return };
        let last = matches!(event, CallEvent::Ended { .. });
        let may_overtake = chaos.overtaking
            && matches!(
                event,
                CallEvent::Ringing { .. } | CallEvent::Played { .. } | CallEvent::Quality { .. }
            );
        let mut at = now + call.dice.millis(0, chaos.delay_ms);
        if !may_overtake || last {
            at = at.max(call.arrives_after);
            call.arrives_after = at;
        }
        let never = call.dice.percent(chaos.never / 4) && !matches!(event, CallEvent::Arrived(_));
        let twice = call.dice.percent(chaos.twice) && !matches!(event, CallEvent::Arrived(_));
        let again = at + call.dice.millis(0, 3000);
        if twice {
            self.sent.push((again, event.clone()));
        }
        if !never {
            self.sent.push((at, event));
        }
    }
}
