//! Where an interaction stands, and where facts take it.

use crate::call::{PartyId, RecordingId, TransferId, TransferOutcome};
use crate::config::QueueDocument;
use crate::fact::{Fact, FactKind, Missing, OfferOutcome, Outcome, QueueExit, Side};
use crate::id::{AgentId, QueueId, StepId};
use crate::terms::Terms;
use crate::timer::Timestamp;
use serde::{Deserialize, Serialize};

/// The right to a place in a queue that somebody has who is not in it just now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketView {
    /// The queue.
    pub queue: QueueId,
    /// Since when the customer would have waited if all waits had been one.
    pub waiting_since: Timestamp,
    /// From 1, first, to 5.
    pub priority: u8,
    /// Before everybody who is not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub vip: bool,
    /// What is asked of an agent.
    #[serde(default, skip_serializing_if = "Terms::ask_nothing")]
    pub terms: Terms,
}

/// Where an interaction stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum StageView {
    /// In a flow.
    InFlow {
        /// The step; none before the first one begins.
        step: Option<StepId>,
    },
    /// In a queue.
    Waiting(QueueStay),
    /// In a queue, agents are being rung.
    Offered {
        /// The queue.
        #[serde(flatten)]
        stay: QueueStay,
        /// The agents.
        offers: Vec<OfferView>,
    },
    /// An agent has taken a callback, the customer is being rung.
    CallingBack {
        /// The queue.
        #[serde(flatten)]
        stay: QueueStay,
        /// The agent.
        offer: OfferView,
        /// The customer's party.
        customer: PartyId,
    },
    /// Has what is wanted for now: the call is about to end, and the matter then waits in a queue without one.
    Parked(TicketView),
    /// Is to be called back at a time.
    Scheduled {
        /// When.
        at: Timestamp,
        /// The place in the queue.
        #[serde(flatten)]
        ticket: TicketView,
    },
    /// Is leaving a message.
    LeavingMessage {
        /// The recording.
        recording: RecordingId,
        /// The place in the queue.
        #[serde(flatten)]
        ticket: TicketView,
    },
    /// Is being handed over to a telephone that is no agent's.
    Redirecting {
        /// Whose party it will be.
        party: PartyId,
    },
    /// Talks to an agent.
    Connected {
        /// With whom.
        conversation: ConversationView,
    },
    /// Handed over to somebody else.
    Transferred {
        /// The conversation with the agent who handed over and has not left yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leaving: Option<ConversationView>,
        /// The hand-over that goes on although the agent has left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pending: Option<PendingTransfer>,
    },
    /// The call is being ended.
    Ending {
        /// How it will be counted.
        outcome: Outcome,
        /// The queue that the caller has still to leave.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stay: Option<QueueStay>,
        /// The agent who is still connected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation: Option<ConversationView>,
    },
    /// The call is over; an agent's wrap-up may go on.
    WrapUp {
        /// How it will be counted.
        outcome: Outcome,
    },
}

/// A stay in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueStay {
    /// The queue.
    pub queue: QueueId,
    /// Since when.
    pub entered_at: Timestamp,
    /// Since when the customer would have waited if all waits had been one, if that is not since the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_since: Option<Timestamp>,
    /// The moment by which the customer stands among all others of the queue, if it is not the wait alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_since: Option<Timestamp>,
    /// From 1, first, to 5.
    #[serde(default = "normal_priority", skip_serializing_if = "is_normal")]
    pub priority: u8,
    /// Before everybody who is not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub vip: bool,
    /// What is asked of an agent.
    #[serde(default, skip_serializing_if = "Terms::ask_nothing")]
    pub terms: Terms,
    /// Which step of the terms holds, counted from 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub step: u8,
}

impl QueueStay {
    /// Since when the customer has waited, all waits counted as one.
    pub fn waiting_since(&self) -> Timestamp {
        self.waiting_since.unwrap_or(self.entered_at)
    }

    /// The right to come back to this place.
    fn ticket(self) -> TicketView {
        let waiting_since = self.waiting_since();
        let QueueStay { queue, priority, vip, terms, .. } = self;
        TicketView { queue, waiting_since, priority, vip, terms }
    }

    /// The moment by which the customer stands among all others of the queue.
    pub fn stands_since(&self) -> Timestamp {
        self.stands_since.unwrap_or(self.waiting_since())
    }
}

/// An agent is being rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    /// The agent.
    pub agent: AgentId,
    /// The agent's party in the call.
    pub party: PartyId,
    /// Since when.
    pub offered_at: Timestamp,
    /// Until then at most.
    pub rings_until: Timestamp,
    /// Whether the telephone has said that it rings.
    pub ringing: bool,
}

/// An agent is still being rung although the caller is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingingOut {
    /// The queue from which the offer came.
    pub queue: QueueId,
    /// What the offer came to.
    pub outcome: OfferOutcome,
    /// The offer.
    #[serde(flatten)]
    pub offer: OfferView,
}

/// Caller and agent talk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationView {
    /// The queue from which the caller came.
    pub queue: QueueId,
    /// The agent.
    pub agent: AgentId,
    /// Since when.
    pub connected_at: Timestamp,
    /// Since when the agent has put the call on hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_since: Option<Timestamp>,
    /// How long the agent's earlier holds lasted.
    pub held_us: u64,
    /// The transfer that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferId>,
}

/// A hand-over that goes on although the agent has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingTransfer {
    /// The agent who asked.
    pub agent: AgentId,
    /// The wish.
    pub transfer: TransferId,
}

impl StageView {
    /// The queue in which it is.
    pub fn stay(&self) -> Option<&QueueStay> {
        match self {
            StageView::Waiting(stay)
            | StageView::Offered { stay, .. }
            | StageView::CallingBack { stay, .. } => Some(stay),
            _ => None,
        }
    }

    /// Whether the call that stands is that of an agent who is being offered something without a call.
    pub(super) fn is_of_agents_call(&self) -> bool {
        matches!(self, StageView::Offered { .. } | StageView::CallingBack { .. })
    }

    pub(super) fn after(self, fact: &Fact) -> StageView {
        match (self, &fact.kind) {
            // The place is kept for the next try, if there is to be one.
            (
                StageView::Waiting(stay) | StageView::CallingBack { stay, .. },
                FactKind::QueueLeft { reason: QueueExit::CustomerNotReached, .. },
            ) => StageView::Parked(stay.ticket()),
            (StageView::Parked(ticket), FactKind::CallbackMissed { again_at: Some(at), .. }) => {
                StageView::Scheduled { at: *at, ticket }
            }
            (
                StageView::Waiting(_) | StageView::Offered { .. } | StageView::CallingBack { .. },
                FactKind::QueueLeft { .. },
            ) => StageView::InFlow { step: None },
            (StageView::Waiting(stay), FactKind::Offered { .. }) => {
                StageView::Offered { stay, offers: OfferView::of(fact).into_iter().collect() }
            }
            (StageView::Offered { stay, mut offers }, FactKind::Offered { .. }) => {
                offers.extend(OfferView::of(fact));
                StageView::Offered { stay, offers }
            }
            (StageView::Offered { stay, mut offers }, FactKind::Ringing { agent, .. }) => {
                offers
                    .iter_mut()
                    .filter(|offer| offer.agent == *agent)
                    .for_each(|offer| offer.ringing = true);
                StageView::Offered { stay, offers }
            }
            (StageView::Offered { stay, mut offers }, FactKind::OfferEnded { agent, .. }) => {
                offers.retain(|offer| offer.agent != *agent);
                if offers.is_empty() { StageView::Waiting(stay) } else { StageView::Offered { stay, offers } }
            }
            (StageView::CallingBack { stay, .. }, FactKind::OfferEnded { .. }) => StageView::Waiting(stay),
            (StageView::Scheduled { .. } | StageView::Parked(_), FactKind::CallbackCancelled { .. }) => {
                StageView::WrapUp { outcome: Outcome::Cancelled }
            }
            (StageView::Parked(_), FactKind::CallbackMissed { again_at: None, .. }) => {
                StageView::WrapUp { outcome: Outcome::NotReached }
            }
            (StageView::Offered { stay, offers }, FactKind::CallbackDialled { agent, party, .. }) => {
                match offers.into_iter().find(|offer| offer.agent == *agent) {
                    Some(offer) => StageView::CallingBack { stay, offer, customer: *party },
                    None => StageView::Waiting(stay),
                }
            }
            (
                StageView::Offered { .. } | StageView::CallingBack { .. },
                FactKind::Connected { agent, queue, .. },
            ) => StageView::Connected { conversation: ConversationView::begun(queue, agent, fact.at) },
            (StageView::Connected { conversation }, kind) => conversation.after(kind, fact.at),
            (StageView::LeavingMessage { ticket, .. }, FactKind::MessageLeft { .. }) => {
                StageView::Parked(ticket)
            }
            (_, FactKind::MessageBegun { queue, recording, waiting_since, priority, vip, .. }) => {
                StageView::LeavingMessage {
                    recording: *recording,
                    ticket: TicketView {
                        queue: queue.clone(),
                        waiting_since: *waiting_since,
                        priority: *priority,
                        vip: *vip,
                        terms: Terms::default(),
                    },
                }
            }
            (_, FactKind::RedirectBegun { party, .. }) => StageView::Redirecting { party: *party },
            (StageView::Redirecting { .. }, FactKind::RedirectEnded { outcome, .. }) => match outcome {
                TransferOutcome::Done => StageView::Transferred { leaving: None, pending: None },
                TransferOutcome::Failed => StageView::InFlow { step: None },
            },
            (
                StageView::Transferred { leaving, .. },
                FactKind::TransferEnded { .. } | FactKind::Repaired { missing: Missing::TransferEnd, .. },
            ) => StageView::Transferred { leaving, pending: None },
            (StageView::Transferred { pending, .. }, FactKind::ConversationEnded { .. }) => {
                StageView::Transferred { leaving: None, pending }
            }
            (StageView::Ending { outcome, conversation, .. }, FactKind::QueueLeft { .. }) => {
                StageView::Ending { outcome, stay: None, conversation }
            }
            (StageView::Ending { outcome, stay, .. }, FactKind::ConversationEnded { .. }) => {
                StageView::Ending { outcome, stay, conversation: None }
            }
            (StageView::Ending { outcome, .. }, FactKind::CallEnded { .. }) => StageView::WrapUp { outcome },
            (stage, FactKind::Ending { outcome, .. }) => stage.ending(*outcome),
            (stage, _) => stage,
        }
    }

    fn ending(self, outcome: Outcome) -> StageView {
        let (stay, conversation) = match self {
            StageView::Waiting(stay) | StageView::Offered { stay, .. } => (Some(stay), None),
            StageView::Connected { conversation } => (None, Some(conversation)),
            StageView::Transferred { leaving, .. } => (None, leaving),
            _ => (None, None),
        };
        StageView::Ending { outcome, stay, conversation }
    }
}

impl OfferView {
    fn of(fact: &Fact) -> Option<OfferView> {
        let FactKind::Offered { agent, party, rings_until, .. } = &fact.kind else { return None };
        let (agent, party) = (agent.clone(), *party);
        Some(OfferView { agent, party, offered_at: fact.at, rings_until: *rings_until, ringing: false })
    }
}

impl ConversationView {
    fn begun(queue: &QueueId, agent: &AgentId, at: Timestamp) -> ConversationView {
        let (queue, agent) = (queue.clone(), agent.clone());
        ConversationView { queue, agent, connected_at: at, held_since: None, held_us: 0, transfer: None }
    }

    fn after(mut self, kind: &FactKind, at: Timestamp) -> StageView {
        match kind {
            FactKind::Held { by: Side::Agent, .. } => self.held_since = Some(at),
            FactKind::Resumed { by: Side::Agent, held_us, .. } => {
                self.held_since = None;
                self.held_us = self.held_us.saturating_add(*held_us);
            }
            FactKind::TransferAsked { transfer, allowed: true, .. } => self.transfer = Some(*transfer),
            FactKind::TransferEnded { outcome, .. } => {
                self.transfer = None;
                if *outcome == TransferOutcome::Done {
                    return StageView::Transferred { leaving: Some(self), pending: None };
                }
            }
            FactKind::Repaired { missing: Missing::TransferEnd, .. } => self.transfer = None,
            FactKind::ConversationEnded { agent, .. } => {
                let agent = agent.clone();
                // Without a transfer the customer is going to wait again.
                let Some(transfer) = self.transfer else { return StageView::InFlow { step: None } };
                let pending = Some(PendingTransfer { agent, transfer });
                return StageView::Transferred { leaving: None, pending };
            }
            FactKind::Ending { outcome, .. } => {
                return StageView::Connected { conversation: self }.ending(*outcome);
            }
            _ => {}
        }
        StageView::Connected { conversation: self }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_first(step: &u8) -> bool {
    *step == 0
}

fn normal_priority() -> u8 {
    QueueDocument::NORMAL_PRIORITY
}

fn is_normal(priority: &u8) -> bool {
    *priority == QueueDocument::NORMAL_PRIORITY
}
