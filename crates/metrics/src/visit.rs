//! Queue visits: a caller's stays in queues, the offers made meanwhile, and the handling that follows.
//!
//! One matter of one customer can visit several queues and talk to several agents; it can be offered to
//! several at once. [`Visits`] follows all that are open and tells, fact by fact, what is to be counted. Each
//! [`Happening`] names the moment it happened and the moment its visit began, so that a reader can attribute
//! it to either: *arrival attribution* gives all that becomes of a visit to the interval in which it began,
//! *event attribution* each thing to the interval in which it happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;
use tandem_center::agent::AgentState;
use tandem_center::call::TransferOutcome;
use tandem_center::channel::Channel;
use tandem_center::fact::{EndedBy, Fact, FactKind, Outcome, QueueExit, QueueRefusal};
use tandem_center::id::{AgentId, InteractionId, QueueId};

use crate::expected_wait::Happened;
use crate::handling::{Handling, OfferEnd};

/// Something that is to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// To a visit of a queue.
    AtQueue {
        /// The visit.
        visit: Visit,
        /// When it happened.
        at: Timestamp,
        /// What.
        what: VisitEvent,
    },
    /// To a caller as such.
    AtEntrance {
        /// When the caller arrived.
        arrived_at: Timestamp,
        /// When it happened.
        at: Timestamp,
        /// What.
        what: EntranceEvent,
    },
}

/// A stay in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The queue.
    pub queue: QueueId,
    /// What waits: a caller, a callback, a message. They wait in different ways and are counted apart.
    pub channel: Channel,
    /// When it began.
    pub entered_at: Timestamp,
}

/// What can happen to a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VisitEvent {
    /// The caller could not enter. There is no visit.
    Refused(Refused),
    /// It began.
    Entered,
    /// An agent was rung.
    Offered {
        /// Who.
        agent: AgentId,
    },
    /// An agent is rung no longer.
    OfferEnded {
        /// Who.
        agent: AgentId,
        /// Since when the agent was rung.
        offered_at: Timestamp,
        /// How it ended.
        how: OfferEnd,
        /// How long the agent was rung, in microseconds.
        rang_us: u64,
    },
    /// It ended.
    Ended(VisitEnd),
    /// It is known how good a wait was that had been announced.
    Scored {
        /// What was announced, in microseconds.
        announced_us: u64,
        /// What became of it.
        happened: Happened,
    },
    /// An agent's part is over, the wrap-up included.
    Handled {
        /// Who.
        agent: AgentId,
        /// Since when the agent talked.
        connected_at: Timestamp,
        /// The work.
        handling: Handling,
    },
}

/// What can happen to a caller outside queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntranceEvent {
    /// The call was refused at the door.
    Rejected,
    /// The caller came in.
    Arrived,
    /// A customer is to be called back at a time.
    Scheduled,
    /// It is over.
    Closed {
        /// How it is counted.
        outcome: Outcome,
        /// Whether the caller ever entered a queue.
        visited: bool,
    },
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitEnd {
    /// An agent and the caller hear each other.
    Answered {
        /// The wait of this visit, in microseconds. Offers that came to nothing do not begin it anew.
        wait_us: u64,
        /// The waits of all visits of this interaction so far, in microseconds.
        total_wait_us: u64,
    },
    /// The caller hung up.
    Abandoned {
        /// The wait of this visit, in microseconds.
        wait_us: u64,
        /// An agent was being rung.
        while_offered: bool,
    },
    /// A rule sent the caller on.
    FlowedOut {
        /// The wait of this visit, in microseconds.
        wait_us: u64,
        /// Where to, or why.
        to: FlowOut,
    },
    /// The call broke off, or the program was restarted.
    Lost {
        /// The wait of this visit, in microseconds.
        wait_us: u64,
    },
}

/// How a rule, or somebody, sent a caller on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowOut {
    /// The wait was as long as waits may be.
    WaitedTooLong,
    /// The call had lasted as long as calls may.
    CallLimit,
    /// A rung of the ladder of overflow.
    Overflowed,
    /// No agent was signed in any more.
    NoAgents,
    /// Was promised to be called back. The callback waits as a visit of its own, on its own channel.
    CallbackPromised,
    /// The customer of a callback did not answer. Another try is another visit.
    CustomerNotReached,
    /// A callback that was no longer needed.
    Cancelled,
    /// Somebody moved the caller elsewhere.
    Moved,
    /// Otherwise: the queue is gone.
    Elsewhere,
}

/// Why a caller could not enter a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// As many waited as may.
    Full,
    /// It was closed.
    Closed,
    /// No agent was signed in.
    NoAgents,
    /// Otherwise: the queue is gone.
    Gone,
}

/// How an exit from a queue is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitClass {
    /// The caller's own wish.
    Abandoned,
    /// A rule's doing.
    FlowedOut(FlowOut),
    /// Nobody's wish.
    Lost,
}

impl ExitClass {
    /// The one place where reasons become classes.
    pub fn of(reason: QueueExit) -> ExitClass {
        match reason {
            QueueExit::Abandoned => ExitClass::Abandoned,
            QueueExit::Lost => ExitClass::Lost,
            QueueExit::WaitedTooLong => ExitClass::FlowedOut(FlowOut::WaitedTooLong),
            QueueExit::CallLimit => ExitClass::FlowedOut(FlowOut::CallLimit),
            QueueExit::Overflowed => ExitClass::FlowedOut(FlowOut::Overflowed),
            QueueExit::NoAgents => ExitClass::FlowedOut(FlowOut::NoAgents),
            QueueExit::CallbackPromised => ExitClass::FlowedOut(FlowOut::CallbackPromised),
            QueueExit::CustomerNotReached => ExitClass::FlowedOut(FlowOut::CustomerNotReached),
            QueueExit::Cancelled => ExitClass::FlowedOut(FlowOut::Cancelled),
            QueueExit::Moved => ExitClass::FlowedOut(FlowOut::Moved),
            _ => ExitClass::FlowedOut(FlowOut::Elsewhere),
        }
    }
}

impl Refused {
    /// The one place where reasons become classes.
    pub fn of(reason: QueueRefusal) -> Refused {
        match reason {
            QueueRefusal::Full => Refused::Full,
            QueueRefusal::Closed => Refused::Closed,
            QueueRefusal::NoAgents => Refused::NoAgents,
            _ => Refused::Gone,
        }
    }
}

/// All interactions that are open, as far as metrics care.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visits {
    open: BTreeMap<InteractionId, Open>,
    strays: u64,
}

impl Visits {
    /// How many interactions are followed at once: far more than a center holds. At the limit new ones are
    /// not followed and not counted; their facts are [`Visits::strays`].
    pub const OPEN_MAX: usize = 1_000_000;

    /// Takes in a fact and tells what is to be counted.
    ///
    /// Facts of one interaction come in their order, each once; those of different ones may be mixed in any
    /// way.
    pub fn apply(&mut self, fact: &Fact, tell: &mut impl FnMut(Happening)) {
        let at = fact.at;
        match &fact.kind {
            FactKind::CallRejected { .. } => {
                tell(Happening::AtEntrance { arrived_at: at, at, what: EntranceEvent::Rejected });
            }
            FactKind::Arrived { .. } => self.begin(fact, EntranceEvent::Arrived, tell),
            FactKind::CallbackScheduled { .. } => self.begin(fact, EntranceEvent::Scheduled, tell),
            FactKind::Closed { interaction, outcome } => match self.open.remove(interaction) {
                Some(open) => open.close(at, *outcome, tell),
                None => self.strays += 1,
            },
            kind => {
                let Some(id) = fact.interaction() else { return };
                let known = self.open.get_mut(&id).is_some_and(|open| open.apply(kind, at, tell));
                self.strays += u64::from(!known);
            }
        }
    }

    fn begin(&mut self, fact: &Fact, what: EntranceEvent, tell: &mut impl FnMut(Happening)) {
        if self.open.len() >= Visits::OPEN_MAX {
            self.strays += 1;
            return;
        }
        self.open.insert(InteractionId(fact.number), Open::new(fact.at));
        tell(Happening::AtEntrance { arrived_at: fact.at, at: fact.at, what });
    }

    /// The visits that go on.
    pub fn waiting(&self) -> impl Iterator<Item = (InteractionId, &Visit)> {
        self.open.iter().flat_map(|(id, open)| open.visits.iter().map(|open| (*id, &open.visit)))
    }

    /// The visits of which not all is told yet: they go on, ring, or are being handled. One can come several
    /// times.
    pub fn unfinished(&self) -> impl Iterator<Item = &Visit> {
        self.open.values().flat_map(|open| {
            let visits = open.visits.iter().map(|open| &open.visit);
            let offers = open.offers.iter().map(|offer| &offer.visit);
            let handlings = open.handlings.iter().filter(|handling| handling.stage != HandlingStage::Over);
            visits.chain(offers).chain(handlings.map(|handling| &handling.visit))
        })
    }

    /// How many interactions are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// How many facts did not fit what was known, and were left out: about interactions whose beginning was
    /// never told, or ends of what had not begun. Zero if the facts are complete.
    pub fn strays(&self) -> u64 {
        self.strays
    }
}

/// An interaction that is not closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    arrived_at: Timestamp,
    visited: bool,
    /// The waits of the visits that ended, in microseconds.
    waited_us: u64,
    visits: Vec<OpenVisit>,
    offers: Vec<OpenOffer>,
    handlings: Vec<OpenHandling>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OpenVisit {
    visit: Visit,
    /// The wait before this visit, in microseconds.
    waited_before_us: u64,
    /// Waits that were announced: when, and how long in microseconds.
    announced: Vec<(Timestamp, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OpenOffer {
    visit: Visit,
    agent: AgentId,
    offered_at: Timestamp,
    /// The agent answered, and the customer of a callback is being rung: the offer's end is told already.
    taken: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OpenHandling {
    visit: Visit,
    agent: AgentId,
    connected_at: Timestamp,
    handling: Handling,
    stage: HandlingStage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HandlingStage {
    Conversation,
    WrapUp,
    /// Told already; kept until the interaction closes, because it can still turn out to be a transfer.
    Over,
}

impl Open {
    fn new(arrived_at: Timestamp) -> Open {
        let (visits, offers, handlings) = (Vec::new(), Vec::new(), Vec::new());
        Open { arrived_at, visited: false, waited_us: 0, visits, offers, handlings }
    }

    /// Takes in a fact; `false` if it does not fit.
    fn apply(&mut self, kind: &FactKind, at: Timestamp, tell: &mut impl FnMut(Happening)) -> bool {
        match kind {
            FactKind::QueueEntered { queue, channel, waiting_since, .. } => {
                // Facts of the first release do not say since when; what was waited here is known in any
                // case.
                let before_us = waiting_since.map_or(self.waited_us, |since| at.micros_since(since));
                let visit = Visit { queue: queue.clone(), channel: *channel, entered_at: at };
                self.enter(visit, before_us, tell)
            }
            FactKind::QueueRefused { queue, reason, .. } => {
                let visit = Visit { queue: queue.clone(), channel: Channel::Call, entered_at: at };
                tell(visit.says(at, VisitEvent::Refused(Refused::of(*reason))));
                true
            }
            FactKind::Announced { queue, expected_us: Some(expected_us), .. } => {
                let Some(open) = self.visits.iter_mut().find(|open| open.visit.queue == *queue) else {
                    return false;
                };
                if open.announced.len() < ANNOUNCEMENTS_MAX {
                    open.announced.push((at, *expected_us));
                }
                true
            }
            FactKind::CallbackDialled { agent, .. } => {
                let Some(offer) = self.offers.iter_mut().find(|offer| offer.agent == *agent) else {
                    return false;
                };
                offer.end(OfferEnd::Answered, at, tell);
                true
            }
            FactKind::QueueLeft { queue, reason, .. } => self.leave(queue, *reason, at, tell),
            FactKind::Offered { queue, agent, .. } => self.offer(queue, agent, at, tell),
            FactKind::OfferEnded { agent, outcome, .. } => {
                self.end_offer(agent, OfferEnd::of(*outcome), at, tell)
            }
            FactKind::Connected { queue, agent, .. } => self.connect(queue, agent, at, tell),
            FactKind::ConversationEnded { agent, by, talked_us, held_us, .. } => {
                let Some(handling) = self.handling(agent, HandlingStage::Conversation) else { return false };
                handling.handling.talk_us = *talked_us;
                handling.handling.hold_us = *held_us;
                handling.handling.transferred |= *by == EndedBy::Transfer;
                if wraps_up(kind) {
                    handling.stage = HandlingStage::WrapUp;
                } else {
                    handling.finish(at, tell);
                }
                true
            }
            FactKind::WrapUpEnded { agent, wrapped_us, .. } => {
                let Some(handling) = self.handling(agent, HandlingStage::WrapUp) else { return false };
                handling.handling.after_call_us = *wrapped_us;
                handling.finish(at, tell);
                true
            }
            FactKind::TransferEnded { agent, outcome: TransferOutcome::Done, .. } => {
                if let Some(handling) = self.handling(agent, HandlingStage::Conversation) {
                    handling.handling.transferred = true;
                }
                true
            }
            _ => true,
        }
    }

    fn enter(&mut self, visit: Visit, waited_before_us: u64, tell: &mut impl FnMut(Happening)) -> bool {
        if self.visits.iter().any(|open| open.visit.queue == visit.queue) {
            return false;
        }
        self.visited = true;
        tell(visit.says(visit.entered_at, VisitEvent::Entered));
        self.visits.push(OpenVisit { visit, waited_before_us, announced: Vec::new() });
        true
    }

    fn leave(
        &mut self,
        queue: &QueueId,
        reason: QueueExit,
        at: Timestamp,
        tell: &mut impl FnMut(Happening),
    ) -> bool {
        let Some(open) = self.take_visit(queue) else { return false };
        let wait_us = at.micros_since(open.visit.entered_at);
        let end = match ExitClass::of(reason) {
            ExitClass::Abandoned => {
                let while_offered = self.offers.iter().any(|offer| offer.visit.queue == *queue);
                VisitEnd::Abandoned { wait_us, while_offered }
            }
            ExitClass::FlowedOut(to) => VisitEnd::FlowedOut { wait_us, to },
            ExitClass::Lost => VisitEnd::Lost { wait_us },
        };
        self.waited_us = self.waited_us.saturating_add(wait_us);
        open.end(end, at, tell);
        true
    }

    fn offer(
        &mut self,
        queue: &QueueId,
        agent: &AgentId,
        at: Timestamp,
        tell: &mut impl FnMut(Happening),
    ) -> bool {
        let Some(OpenVisit { visit, .. }) = self.visits.iter().find(|open| open.visit.queue == *queue) else {
            return false;
        };
        if self.offers.iter().any(|offer| offer.agent == *agent) {
            return false;
        }
        tell(visit.says(at, VisitEvent::Offered { agent: agent.clone() }));
        let (visit, agent) = (visit.clone(), agent.clone());
        self.offers.push(OpenOffer { visit, agent, offered_at: at, taken: false });
        true
    }

    fn end_offer(
        &mut self,
        agent: &AgentId,
        how: OfferEnd,
        at: Timestamp,
        tell: &mut impl FnMut(Happening),
    ) -> bool {
        let Some(place) = self.offers.iter().position(|offer| offer.agent == *agent) else { return false };
        self.offers.remove(place).end(how, at, tell);
        true
    }

    fn connect(
        &mut self,
        queue: &QueueId,
        agent: &AgentId,
        at: Timestamp,
        tell: &mut impl FnMut(Happening),
    ) -> bool {
        let Some(open) = self.take_visit(queue) else { return false };
        self.end_offer(agent, OfferEnd::Answered, at, tell);
        let wait_us = at.micros_since(open.visit.entered_at);
        self.waited_us = self.waited_us.saturating_add(wait_us);
        let total_wait_us = open.waited_before_us.saturating_add(wait_us);
        open.end(VisitEnd::Answered { wait_us, total_wait_us }, at, tell);
        self.handlings.push(OpenHandling {
            visit: open.visit,
            agent: agent.clone(),
            connected_at: at,
            handling: Handling::default(),
            stage: HandlingStage::Conversation,
        });
        true
    }

    /// The interaction is over. What the facts left open ends here, so that nobody waits or works for ever.
    fn close(mut self, at: Timestamp, outcome: Outcome, tell: &mut impl FnMut(Happening)) {
        for open in std::mem::take(&mut self.visits) {
            let wait_us = at.micros_since(open.visit.entered_at);
            open.end(VisitEnd::Lost { wait_us }, at, tell);
        }
        for mut offer in std::mem::take(&mut self.offers) {
            offer.end(OfferEnd::Withdrawn, at, tell);
        }
        for mut handling in std::mem::take(&mut self.handlings) {
            if handling.stage != HandlingStage::Over {
                handling.finish(at, tell);
            }
        }
        let what = EntranceEvent::Closed { outcome, visited: self.visited };
        tell(Happening::AtEntrance { arrived_at: self.arrived_at, at, what });
    }

    fn take_visit(&mut self, queue: &QueueId) -> Option<OpenVisit> {
        let place = self.visits.iter().position(|open| open.visit.queue == *queue)?;
        Some(self.visits.remove(place))
    }

    fn handling(&mut self, agent: &AgentId, stage: HandlingStage) -> Option<&mut OpenHandling> {
        self.handlings.iter_mut().find(|handling| handling.agent == *agent && handling.stage == stage)
    }
}

impl Visit {
    fn says(&self, at: Timestamp, what: VisitEvent) -> Happening {
        Happening::AtQueue { visit: self.clone(), at, what }
    }
}

impl OpenVisit {
    fn end(&self, end: VisitEnd, at: Timestamp, tell: &mut impl FnMut(Happening)) {
        for (announced_at, announced_us) in &self.announced {
            let after_us = at.micros_since(*announced_at);
            let happened = match end {
                VisitEnd::Answered { .. } => Happened::Answered(after_us),
                _ => Happened::Left(after_us),
            };
            tell(self.visit.says(at, VisitEvent::Scored { announced_us: *announced_us, happened }));
        }
        tell(self.visit.says(at, VisitEvent::Ended(end)));
    }
}

impl OpenOffer {
    /// Tells how it ended, once.
    fn end(&mut self, how: OfferEnd, at: Timestamp, tell: &mut impl FnMut(Happening)) {
        if std::mem::replace(&mut self.taken, true) {
            return;
        }
        let (agent, offered_at) = (self.agent.clone(), self.offered_at);
        let what = VisitEvent::OfferEnded { agent, offered_at, how, rang_us: at.micros_since(offered_at) };
        tell(self.visit.says(at, what));
    }
}

impl OpenHandling {
    fn finish(&mut self, at: Timestamp, tell: &mut impl FnMut(Happening)) {
        self.stage = HandlingStage::Over;
        let what = VisitEvent::Handled {
            agent: self.agent.clone(),
            connected_at: self.connected_at,
            handling: self.handling,
        };
        tell(self.visit.says(at, what));
    }
}

/// Whether a wrap-up begins with this end of a conversation. The first release told it by the agent's state
/// alone.
pub(crate) fn wraps_up(kind: &FactKind) -> bool {
    match kind {
        FactKind::ConversationEnded { wrap_up_until: Some(_), .. } => true,
        FactKind::ConversationEnded {
            interaction, then: AgentState::WrapUp { interaction: of, .. }, ..
        } => of == interaction,
        _ => false,
    }
}

/// How many announced waits of one visit are compared with what happened. Later ones are not.
const ANNOUNCEMENTS_MAX: usize = 100;
