//! A door with callers and telephones behind it, as true to `tandem_center::call` as a real one, and no truer.
//!
//! What happens behind the door (a person answers, hangs up, presses a key) is a [`Deed`] at its time. What the
//! center hears of it is an event that may be on its way for a while: long enough that a command can cross it.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_center::Timestamp;
use tandem_center::call::{
    Address, Arrival, CallCommand, CallEvent, CallId, Cause, CauseKind, CollectEnd, CollectId, Digit,
    Endpoint, PartyId, PlayId, PlayOutcome, Quality, TransferDecision, TransferId, TransferOutcome,
};

use crate::dice::Dice;
use crate::plan::{CallerPlan, Chaos};

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
    PlayEnds(PlayId, PlayOutcome),
    Press(CollectId, Option<Digit>),
    Rings(PartyId),
    Answers(PartyId),
    Leaves(PartyId, CauseKind),
    /// The caller hangs up, unless an agent has answered.
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
    /// The parties that have not left; `true`: joined.
    parties: BTreeMap<PartyId, bool>,
    endpoints: BTreeMap<PartyId, Endpoint>,
    play: Option<PlayId>,
    collect: Option<CollectId>,
    transfer: Option<(PartyId, TransferId)>,
    transfers: u32,
    ending: bool,
    /// No later event of this call arrives before this.
    arrives_after: Timestamp,
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
    pub fn calm_down(&mut self) {
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
        self.calls.insert(
            call,
            Call {
                dice: Dice::of(self.seed, "call", caller.number),
                keys: Dice::of(self.seed, "keys", caller.number),
                answered: false,
                parties: [(PartyId::FIRST, true)].into(),
                endpoints: BTreeMap::new(),
                play: None,
                collect: None,
                transfer: None,
                transfers: 0,
                ending: false,
                arrives_after: now,
            },
        );
        self.send(
            now,
            CallEvent::Arrived(Arrival {
                call,
                line: "carrier".into(),
                from: Address::Phone(format!("+1425555{:04}", caller.number).into()),
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
            CallCommand::Play { play, repeat, .. } => {
                let stopped = call.play.replace(play);
                let fails = call.dice.percent(3);
                let ends = now + call.dice.millis(200, 6000);
                let never = call.dice.percent(deaf);
                self.stopped_playing(now, id, stopped);
                if fails {
                    self.plan(now, id, What::PlayEnds(play, PlayOutcome::Failed));
                } else if !repeat && !never {
                    self.plan(ends, id, What::PlayEnds(play, PlayOutcome::Completed));
                }
            }
            CallCommand::StopPlay { .. } => {
                let stopped = call.play.take();
                self.stopped_playing(now, id, stopped);
            }
            CallCommand::Collect { collect, spec, .. } => {
                call.collect = Some(collect);
                let key = match call.keys.below(10) {
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
                    self.plan(at, id, What::Press(collect, key));
                }
            }
            CallCommand::StopCollect { .. } => call.collect = None,
            CallCommand::AddParty { party, to, .. } => self.ring(now, id, party, to, calm),
            CallCommand::RemoveParty { party, .. } => {
                let at = soon(call);
                self.plan(at, id, What::Leaves(party, CauseKind::Removed));
            }
            CallCommand::DecideTransfer { transfer, decision, .. } => {
                self.decide_transfer(now, id, transfer, &decision);
            }
            CallCommand::Place { .. }
            | CallCommand::Admit { .. }
            | CallCommand::Record { .. }
            | CallCommand::StopRecord { .. } => {}
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
            What::PlayEnds(play, outcome) => {
                if call.play.take_if(|playing| *playing == play).is_some() {
                    self.send(now, CallEvent::Played { call: id, party: PartyId::FIRST, play, outcome });
                }
            }
            What::Press(collect, key) => {
                if call.collect.take_if(|collecting| *collecting == collect).is_some() {
                    let stopped = call.play.take();
                    let end = if key.is_some() { CollectEnd::Complete } else { CollectEnd::TimedOut };
                    let digits = key.into_iter().collect();
                    self.stopped_playing(now, id, stopped);
                    self.send(
                        now,
                        CallEvent::Collected { call: id, party: PartyId::FIRST, collect, digits, end },
                    );
                }
            }
            What::Rings(party) => {
                if call.parties.contains_key(&party) {
                    self.send(now, CallEvent::Ringing { call: id, party });
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
                let talks = call.parties.iter().any(|(party, joined)| *party != PartyId::FIRST && *joined);
                let cause = if call.answered { CauseKind::HungUp } else { CauseKind::Cancelled };
                let cause = if call.dice.percent(5) { CauseKind::Lost } else { cause };
                if !talks {
                    self.perform(now, Deed { call: id, what: What::Leaves(PartyId::FIRST, cause) });
                }
            }
            What::Holds(party) => {
                let silent = call.dice.percent(50);
                let resumes = now + call.dice.seconds(1, 40);
                if call.parties.get(&party) == Some(&true) {
                    self.send(now, CallEvent::Held { call: id, party, silent });
                    self.plan(resumes, id, What::Resumes(party));
                }
            }
            What::Resumes(party) => {
                if call.parties.get(&party) == Some(&true) {
                    self.send(now, CallEvent::Resumed { call: id, party });
                }
            }
            What::AsksTransfer(party, transfer) => {
                if call.parties.get(&party) == Some(&true) && call.transfer.is_none() {
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

    fn ring(&mut self, now: Timestamp, id: CallId, party: PartyId, to: Endpoint, calm: bool) {
        let busy = self.telephones.contains_key(&to);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.parties.insert(party, false);
        if busy {
            return self.plan(now, id, What::Leaves(party, CauseKind::Busy));
        }
        call.endpoints.insert(party, to.clone());
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
            _ => (now + Duration::from_secs(3600), What::Leaves(party, CauseKind::NotAnswered)),
        };
        self.plan(rings, id, What::Rings(party));
        self.plan(at, id, what);
    }

    fn answers(&mut self, now: Timestamp, id: CallId, party: PartyId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(joined) = call.parties.get_mut(&party) else { return };
        *joined = true;
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
                call.parties.insert(*party, false);
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
            call.parties.insert(party, true);
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

    fn leaves(&mut self, now: Timestamp, id: CallId, party: PartyId, cause: CauseKind) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(joined) = call.parties.remove(&party) else { return };
        if let Some(endpoint) = call.endpoints.remove(&party) {
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

    fn stopped_playing(&mut self, now: Timestamp, call: CallId, stopped: Option<PlayId>) {
        if let Some(play) = stopped {
            let outcome = PlayOutcome::Stopped;
            self.send(now, CallEvent::Played { call, party: PartyId::FIRST, play, outcome });
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
