//! Asking Graph for presence: each group in its turn, and some people at once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::graph::call::{Answer, Caller, Moment};
use crate::graph::fault::{Fault, FaultKind};
use crate::graph::presence::{self, IDS_MAX, Presences};
use crate::graph::throttle::{Family, Throttle, back_off};
use crate::graph::watch::group::GroupId;
use crate::graph::watch::{Output, Question, Source, Watcher};
use crate::id::ObjectId;

/// Whether and as whom presence may be read.
#[derive(Debug, Default)]
pub(super) struct Polling {
    /// As whom: the application, or an account if the application may not.
    as_account: Option<ObjectId>,
    hold: Option<Hold>,
    /// Graph's limits allow no poll before; to be asked again when something was heard.
    gate: Option<Instant>,
}

/// Reading presence is refused.
#[derive(Debug)]
struct Hold {
    /// What was asked before says nothing about it.
    since: Instant,
    /// One request is sent then, to see.
    again: Instant,
    faults: u32,
    /// Whether it was told that a permission is missing.
    told: bool,
}

impl Polling {
    /// The later of this and when a poll may be sent.
    pub(super) fn not_before(&self, at: Instant) -> Instant {
        let hold = self.hold.as_ref().map(|hold| hold.again);
        hold.into_iter().chain(self.gate).fold(at, Instant::max)
    }

    /// Asks as no account but these.
    pub(super) fn keep_to(&mut self, accounts: &BTreeSet<ObjectId>) {
        self.as_account = self.as_account.filter(|account| accounts.contains(account));
    }

    pub(super) fn is_held(&self) -> bool {
        self.hold.is_some()
    }

    fn caller(&self) -> Caller {
        self.as_account.map_or(Caller::Application, Caller::Account)
    }
}

impl Watcher {
    /// Has these people asked for in a moment, together with others who come in it.
    pub(super) fn ask_soon(&mut self, now: Instant, people: impl IntoIterator<Item = ObjectId>) {
        self.urgent.extend(people.into_iter().filter(|person| self.people.contains_key(person)));
        if !self.urgent.is_empty() {
            let soon = now + GATHER;
            self.urgent_at = Some(self.urgent_at.map_or(soon, |at| at.min(soon)));
        }
    }

    /// Asks for those who are to be asked for at once.
    pub(super) fn poll_urgent(&mut self, now: Instant, throttle: &mut Throttle) {
        while let Some(at) = self.urgent_at
            && at <= now
        {
            if self.urgent.is_empty() {
                self.urgent_at = None;
                return;
            }
            if !self.may_poll(now, throttle) {
                return;
            }
            let people: Vec<_> = self.urgent.iter().copied().take(IDS_MAX).collect();
            for person in &people {
                self.urgent.remove(person);
            }
            if self.urgent.is_empty() {
                self.urgent_at = None;
            }
            self.counts.polls += 1;
            let call = presence::read(self.polling.caller(), &people);
            self.send(now, call, Question::Presence { people, group: None });
        }
    }

    /// Asks for a group if its turn has come.
    pub(super) fn poll_group(&mut self, now: Instant, id: GroupId, throttle: &mut Throttle) {
        let due = |group: &super::Group| group.polling.is_none() && group.next_poll <= now;
        if !self.groups.get(&id).is_some_and(due) {
            return;
        }
        if !self.may_poll(now, throttle) {
            return;
        }
        let Some(group) = self.groups.get_mut(&id) else { return };
        let every = if group.is_told(now) { self.settings.check_every } else { self.settings.poll_every };
        // In step with the other groups, however late; never twice to catch up.
        group.next_poll += every;
        if group.next_poll <= now {
            let turns = (now - group.next_poll).as_nanos() / every.as_nanos().max(1);
            group.next_poll += every.saturating_mul(u32::try_from(turns + 1).unwrap_or(1));
        }
        let people: Vec<_> = group.members.iter().copied().collect();
        self.counts.polls += 1;
        let call = presence::read(self.polling.caller(), &people);
        let call = self.send(now, call, Question::Presence { people, group: Some(id) });
        if let Some(group) = self.groups.get_mut(&id) {
            group.polling = Some(call);
        }
    }

    /// Takes the answer to a poll.
    #[expect(clippy::too_many_arguments, reason = "what was asked, what came, and when, each with its name")]
    pub(super) fn on_presences(
        &mut self,
        now: Moment,
        asked_at: Instant,
        caller: Caller,
        people: Vec<ObjectId>,
        group: Option<GroupId>,
        answer: &Answer,
        throttle: &mut Throttle,
    ) {
        if let Some(group) = group.and_then(|id| self.groups.get_mut(&id)) {
            group.polling = None;
        }
        self.polling.gate = None;
        let presences = Presences::from_answer(&people, answer);
        let result = presences.as_ref().map(|_| ());
        self.note(now.at, asked_at, caller, result, Family::Presence, throttle);
        match presences {
            Ok(presences) => {
                self.on_polling_works(now.at, asked_at);
                self.counts.strange += presences.strange as u64;
                for (person, presence) in presences.said {
                    // Who is no longer watched was when it was asked.
                    if self.watches(person) {
                        self.hear(now.at, Source::Poll, asked_at, person, presence);
                    }
                }
                for person in presences.omitted {
                    self.on_omitted(person);
                }
            }
            Err(fault) => {
                self.counts.polls_failed += 1;
                self.on_poll_failed(now.at, asked_at, caller, &fault);
                if group.is_none() {
                    self.ask_soon(now.at, people);
                }
            }
        }
    }

    /// Sends the one request that shows whether presence may be read again, if it was refused.
    pub(super) fn resume_polling(&mut self, now: Instant) {
        let Some(hold) = &mut self.polling.hold else { return };
        hold.again = hold.again.min(now);
        let first: Vec<_> = self.people.keys().copied().take(IDS_MAX).collect();
        self.ask_soon(now, first);
    }

    fn on_omitted(&mut self, person: ObjectId) {
        if let Some(watched) = self.people.get_mut(&person)
            && !watched.omitted
        {
            watched.omitted = true;
            self.outputs.push_back(Output::Omitted { person });
        }
    }

    fn on_polling_works(&mut self, now: Instant, asked_at: Instant) {
        let Some(hold) = self.polling.hold.take_if(|hold| asked_at >= hold.since) else { return };
        if hold.told {
            self.outputs.push_back(Output::PollingRestored);
        }
        self.ask_soon(now, self.people.keys().copied().collect::<Vec<_>>());
    }

    /// Passing faults are the throttle's matter; what the caller may not do is held back here.
    fn on_poll_failed(&mut self, now: Instant, asked_at: Instant, caller: Caller, fault: &Fault) {
        if self.polling.hold.as_ref().is_some_and(|hold| asked_at < hold.since) {
            return;
        }
        let faults = self.polling.hold.as_ref().map_or(0, |hold| hold.faults).saturating_add(1);
        let told = self.polling.hold.as_ref().is_some_and(|hold| hold.told);
        let hold = match fault.kind {
            FaultKind::Unauthorised | FaultKind::NoToken => {
                Hold { since: now, again: now + back_off(faults, &mut self.random), faults, told }
            }
            FaultKind::Forbidden | FaultKind::Rejected | FaultKind::NotFound => {
                if !told {
                    self.outputs.push_back(Output::PollingRefused { caller, fault: fault.clone() });
                }
                let first = caller == Caller::Application && faults == 1;
                let again = now + if first && !self.accounts.is_empty() { GATHER } else { REFUSED_AGAIN };
                Hold { since: now, again, faults, told: true }
            }
            _ => return,
        };
        // Perhaps an account may what the application may not, or the other way round.
        self.polling.as_account = match (caller, fault.kind) {
            (Caller::Application, FaultKind::Forbidden) => self.accounts.first().copied(),
            _ => None,
        };
        self.polling.hold = Some(hold);
    }

    /// Whether a poll may be sent now; it counts as sent then.
    fn may_poll(&mut self, now: Instant, throttle: &mut Throttle) -> bool {
        if self.polling.not_before(now) > now {
            return false;
        }
        if let Err(later) = throttle.admit(now, Family::Presence) {
            self.polling.gate = Some(later);
            return false;
        }
        self.polling.gate = None;
        // One request to see; the next when it was done, or after another minute.
        if let Some(hold) = &mut self.polling.hold {
            hold.again = now + REFUSED_AGAIN;
        }
        true
    }
}

/// How long those who are to be asked for at once are gathered, so that a hundred are one request.
pub(super) const GATHER: Duration = Duration::from_millis(50);

/// How long after a refusal it is tried again.
const REFUSED_AGAIN: Duration = Duration::from_secs(60);
