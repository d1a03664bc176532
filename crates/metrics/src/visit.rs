//! Queue visits: a caller's stays in queues, the offers made meanwhile, and the handling that follows.
//!
//! One matter of one customer can visit several queues and talk to several agents; it can be offered to several at
//! once. [`Visits`] follows all that are open and tells, fact by fact, what is to be counted. Each
//! [`Happening`] names the moment it happened and the moment its visit began, so that a reader can attribute it to either:
//! *arrival attribution* gives all that becomes of a visit to the interval in which it began, *event attribution* each thing to the
//! interval in which it happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;
use tandem_center::agent::AgentState;
use tandem_center::call::TransferOutcome;
use tandem_center::fact::{EndedBy, Fact, FactKind, Outcome, QueueExit, QueueRefusal};
use tandem_center::id::{AgentId, InteractionId, QueueId};

use crate::handling::{Handling, OfferEnd};

/// Something that is to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// To a visit of a queue.
    AtQueue {
        /// The queue.
        queue: QueueId,
        /// When the visit began.
        entered_at: Timestamp,
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

/// How a rule sent a caller on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowOut {
    /// The wait was as long as waits may be.
    WaitedTooLong,
    /// The call had lasted as long as calls may.
    CallLimit,
    /// Otherwise.
    Elsewhere,
}

/// Why a caller could not enter a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// As many waited as may.
    Full,
    /// Otherwise.
    NotOpen,
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
            _ => ExitClass::FlowedOut(FlowOut::Elsewhere),
        }
    }
}

impl Refused {
    /// The one place where reasons become classes.
    pub fn of(reason: QueueRefusal) -> Refused {
        match reason {
            QueueRefusal::Full => Refused::Full,
            _ => Refused::NotOpen,
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
    /// How many interactions are followed at once: far more than a center holds. At the limit new ones are not
    /// followed and not counted; their facts are [`Visits::strays`].
    pub const OPEN_MAX: usize = 1_000_000;

    /// Takes in a fact and tells what is to be counted.
    ///
    /// Facts of one interaction come in their order, each once; those of different ones may be mixed in any way.
    pub fn apply(&mut self, fact: &Fact, tell: &mut impl FnMut(Happening)) {
        let at = fact.at;
        match &fact.kind {
            FactKind::CallRejected { .. } => {
                tell(Happening::AtEntrance { arrived_at: at, at, what: EntranceEvent::Rejected });
            }
            FactKind::Arrived { .. } => {
                if self.open.len() < Visits::OPEN_MAX {
                    self.open.insert(InteractionId(fact.number), Open::new(at));
                    tell(Happening::AtEntrance { arrived_at: at, at, what: EntranceEvent::Arrived });
                } else {
                    self.strays += 1;
                }
            }
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

    /// The visits that go on: the queue and since when.
    pub fn waiting(&self) -> impl Iterator<Item = (InteractionId, &QueueId, Timestamp)> {
        self.open
            .iter()
            .flat_map(|(id, open)| open.visits.iter().map(|visit| (*id, &visit.queue, visit.entered_at)))
    }

    /// The visits of which not all is told yet: they go on, ring, or are being handled. With the queue and the moment
    /// they began; a visit can come several times.
    pub fn unfinished(&self) -> impl Iterator<Item = (&QueueId, Timestamp)> {
        self.open.values().flat_map(|open| {
            let visits = open.visits.iter().map(|visit| (&visit.queue, visit.entered_at));
            let offers = open.offers.iter().map(|offer| (&offer.queue, offer.entered_at));
            let handlings = open.handlings.iter().filter(|handling| handling.stage != HandlingStage::Over);
            visits.chain(offers).chain(handlings.map(|handling| (&handling.queue, handling.entered_at)))
        })
    }

    /// How many interactions are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// How many facts did not fit what was known, and were left out: about interactions whose beginning was never told, or
    /// ends of what had not begun. Zero if the facts are complete.
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
    queue: QueueId,
    entered_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OpenOffer {
    agent: AgentId,
    queue: QueueId,
    entered_at: Timestamp,
    offered_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OpenHandling {
    agent: AgentId,
    queue: QueueId,
    entered_at: Timestamp,
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
            FactKind::QueueEntered { queue, .. } => self.enter(queue, at, tell),
            FactKind::QueueRefused { queue, reason, .. } => {
                let what = VisitEvent::Refused(Refused::of(*reason));
                tell(Happening::AtQueue { queue: queue.clone(), entered_at: at, at, what });
                true
            }
            FactKind::QueueLeft { queue, reason, .. } => self.leave(queue, *reason, at, tell),
            FactKind::Offered { queue, agent, .. } => self.offer(queue, agent, at, tell),
            FactKind::OfferEnded { agent, outcome, .. } => {
                self.end_offer(agent, OfferEnd::of(*outcome), at, tell)
            }
            FactKind::Connected { queue, agent, .. } => self.connect(queue, agent, at, tell),
            FactKind::ConversationEnded { agent, by, talked_us, held_us, then, .. } => {
                let Some(handling) = self.handling(agent, HandlingStage::Conversation) else { return false };
                handling.handling.talk_us = *talked_us;
                handling.handling.hold_us = *held_us;
                handling.handling.transferred |= *by == EndedBy::Transfer;
                if let AgentState::WrapUp { .. } = then {
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

    fn enter(&mut self, queue: &QueueId, at: Timestamp, tell: &mut impl FnMut(Happening)) -> bool {
        if self.visits.iter().any(|visit| visit.queue == *queue) {
            return false;
        }
        self.visited = true;
        self.visits.push(OpenVisit { queue: queue.clone(), entered_at: at });
        tell(Happening::AtQueue { queue: queue.clone(), entered_at: at, at, what: VisitEvent::Entered });
        true
    }

    fn leave(
        &mut self,
        queue: &QueueId,
        reason: QueueExit,
        at: Timestamp,
        tell: &mut impl FnMut(Happening),
    ) -> bool {
        let Some(visit) = self.take_visit(queue) else { return false };
        let wait_us = at.micros_since(visit.entered_at);
        let end = match ExitClass::of(reason) {
            ExitClass::Abandoned => {
                let while_offered = self.offers.iter().any(|offer| offer.queue == *queue);
                VisitEnd::Abandoned { wait_us, while_offered }
            }
            ExitClass::FlowedOut(to) => VisitEnd::FlowedOut { wait_us, to },
            ExitClass::Lost => VisitEnd::Lost { wait_us },
        };
        self.waited_us = self.waited_us.saturating_add(wait_us);
        tell(visit.says(at, VisitEvent::Ended(end)));
        true
    }

    fn offer(
        &mut self,
        queue: &QueueId,
        agent: &AgentId,
        at: Timestamp,
        tell: &mut impl FnMut(Happening),
    ) -> bool {
        let Some(visit) = self.visits.iter().find(|visit| visit.queue == *queue) else { return false };
        if self.offers.iter().any(|offer| offer.agent == *agent) {
            return false;
        }
        tell(visit.says(at, VisitEvent::Offered { agent: agent.clone() }));
        self.offers.push(OpenOffer {
            agent: agent.clone(),
            queue: queue.clone(),
            entered_at: visit.entered_at,
            offered_at: at,
        });
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
        let Some(visit) = self.take_visit(queue) else { return false };
        self.end_offer(agent, OfferEnd::Answered, at, tell);
        let wait_us = at.micros_since(visit.entered_at);
        self.waited_us = self.waited_us.saturating_add(wait_us);
        let end = VisitEnd::Answered { wait_us, total_wait_us: self.waited_us };
        tell(visit.says(at, VisitEvent::Ended(end)));
        self.handlings.push(OpenHandling {
            agent: agent.clone(),
            queue: visit.queue,
            entered_at: visit.entered_at,
            connected_at: at,
            handling: Handling::default(),
            stage: HandlingStage::Conversation,
        });
        true
    }

    /// The interaction is over. What the facts left open ends here, so that nobody waits or works for ever.
    fn close(mut self, at: Timestamp, outcome: Outcome, tell: &mut impl FnMut(Happening)) {
        for visit in std::mem::take(&mut self.visits) {
            let wait_us = at.micros_since(visit.entered_at);
            tell(visit.says(at, VisitEvent::Ended(VisitEnd::Lost { wait_us })));
        }
        for offer in std::mem::take(&mut self.offers) {
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
        let place = self.visits.iter().position(|visit| visit.queue == *queue)?;
        Some(self.visits.remove(place))
    }

    fn handling(&mut self, agent: &AgentId, stage: HandlingStage) -> Option<&mut OpenHandling> {
        self.handlings.iter_mut().find(|handling| handling.agent == *agent && handling.stage == stage)
    }
}

impl OpenVisit {
    fn says(&self, at: Timestamp, what: VisitEvent) -> Happening {
        Happening::AtQueue { queue: self.queue.clone(), entered_at: self.entered_at, at, what }
    }
}

impl OpenOffer {
    fn end(self, how: OfferEnd, at: Timestamp, tell: &mut impl FnMut(Happening)) {
        let OpenOffer { agent, offered_at, .. } = self;
        let what = VisitEvent::OfferEnded { agent, offered_at, how, rang_us: at.micros_since(offered_at) };
        tell(Happening::AtQueue { queue: self.queue, entered_at: self.entered_at, at, what });
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
        tell(Happening::AtQueue { queue: self.queue.clone(), entered_at: self.entered_at, at, what });
    }
}
