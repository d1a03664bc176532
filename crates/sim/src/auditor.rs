//! Rebuilds the world from the facts alone, and complains about everything that must not be.
//!
//! It shares no code with the center's own fold: what the two must agree on is written down twice. It knows the
//! rules only from the configuration that the facts bring.

mod agents;
mod complaint;
mod expiry;
mod fit;
mod talks;
mod waits;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tandem_center::Timestamp;
use tandem_center::agent::AgentState;
use tandem_center::call::{Address, CauseKind};
use tandem_center::config::{AgentDocument, Document, QueueDocument};
use tandem_center::fact::{Fact, FactKind};
use tandem_center::id::{AgentId, InteractionId, QueueId};

pub use complaint::{Complaint, Owner, Wrong};
use world::{Agent, Call, Counts, Interaction, Stage};

/// The world as the facts tell it.
#[derive(Clone, Debug, Default)]
pub struct Auditor {
    number: u64,
    at: Timestamp,
    document: Arc<Document>,
    configuration: u64,
    /// The program was started again, and has not said all that follows from it.
    restarted: bool,
    closed_queues: BTreeMap<QueueId, bool>,
    turns: BTreeMap<QueueId, u64>,
    /// The place that a customer who called again has kept, and when that was said: another way into a full queue.
    kept: Option<(Address, QueueId, u64)>,
    agents: BTreeMap<AgentId, Agent>,
    interactions: BTreeMap<InteractionId, Interaction>,
    counts: BTreeMap<QueueId, Counts>,
    repairs: u64,
    closed: u64,
}

impl Auditor {
    /// Takes in the next fact.
    pub fn fact(&mut self, fact: &Fact) -> Result<(), Complaint> {
        if fact.number != self.number + 1 || fact.at < self.at {
            return Err(self.complaint(Wrong::OutOfSequence));
        }
        self.number = fact.number;
        self.at = fact.at;
        self.take(fact.number, &fact.kind).map_err(|wrong| self.complaint(wrong))
    }

    /// Looks at the whole world after an input at `now`.
    pub fn after_input(&mut self, now: Timestamp) -> Result<(), Complaint> {
        self.renew_rules();
        self.nobody_is_left_waiting()
            .and_then(|()| self.nothing_outlived(now))
            .and_then(|()| self.nobody_stays_against_the_rules(now))
            .and_then(|()| self.nobody_served_is_called_back())
            .and_then(|()| self.nobody_is_rung_against_their_will())
            .and_then(|()| self.everybody_is_where_the_other_says())
            .and_then(|()| self.everything_conserved())
            .map_err(|wrong| self.complaint(wrong))
    }

    /// Looks whether everything has come to its end.
    pub fn drained(&self) -> Result<(), Complaint> {
        let free = |agent: &Agent| matches!(agent.state, AgentState::Available { .. });
        if self.interactions.is_empty() && self.agents.values().all(free) {
            Ok(())
        } else {
            Err(self.complaint(Wrong::NotDrained))
        }
    }

    /// The agents whom the facts know.
    pub fn agents(&self) -> impl Iterator<Item = &AgentId> {
        self.agents.keys()
    }

    /// The interactions that are open.
    pub fn interactions(&self) -> impl Iterator<Item = InteractionId> {
        self.interactions.keys().copied()
    }

    /// How many interactions were closed.
    pub fn closed(&self) -> u64 {
        self.closed
    }

    /// How many repairs there were.
    pub fn repairs(&self) -> u64 {
        self.repairs
    }

    fn complaint(&self, wrong: Wrong) -> Complaint {
        Complaint { fact: self.number, wrong }
    }

    fn take(&mut self, number: u64, kind: &FactKind) -> Result<(), Wrong> {
        match kind {
            FactKind::Configured { configuration } => {
                self.configured(number, configuration);
                Ok(())
            }
            FactKind::AgentChose { agent, chosen, then, .. } => self.chose(agent, chosen, then),
            FactKind::RestEnded { agent, then, .. } => self.rest_ended(agent, then),
            FactKind::PresenceTold { agent, told, then, .. } => self.presence_told(agent, told, then),
            FactKind::PresenceForgotten { agent, then, .. } => self.presence_forgotten(agent, then),
            FactKind::QueueSwitched { queue, closed, .. } => {
                self.closed_queues.insert(queue.clone(), *closed);
                Ok(())
            }
            FactKind::CallRejected { .. } | FactKind::Erased { .. } => Ok(()),
            FactKind::Arrived { call, from, .. } => {
                if self.calls() >= self.calls_max() {
                    return Err(Wrong::TooManyCalls(InteractionId(number)));
                }
                let mut begun = Interaction::begun(self.at, from.reveal().cloned());
                let ends_at = self.at + seconds(self.document.limits.call_s);
                begun.call = Some(Call { id: *call, began_at: self.at, ends_at });
                self.interactions.insert(InteractionId(number), begun);
                Ok(())
            }
            FactKind::Answered { interaction }
            | FactKind::StepBegun { interaction, .. }
            | FactKind::MenuChosen { interaction, .. }
            | FactKind::MenuMissed { interaction, .. }
            | FactKind::AttributesSet { interaction, .. } => self.in_flow(*interaction),
            FactKind::QueueRefused { interaction, queue, reason } => {
                self.refused(*interaction, queue, *reason)
            }
            FactKind::QueueEntered { interaction, .. } => self.entered(*interaction, kind),
            FactKind::QueueLeft { interaction, queue, reason, waited_us, .. } => {
                self.left(*interaction, queue, *reason, *waited_us)
            }
            FactKind::Widened { interaction, step, .. } => self.widened(*interaction, *step),
            FactKind::Announced { interaction, position, expected_us, .. } => {
                self.announced(*interaction, *position, *expected_us)
            }
            FactKind::Prioritised { interaction, priority, vip, stands_since, .. } => {
                self.prioritised(*interaction, *priority, *vip, *stands_since)
            }
            FactKind::TermsChanged { interaction, terms, .. } => self.terms_changed(*interaction, terms),
            FactKind::CallPlaced { interaction, call, .. } => self.call_placed(*interaction, *call),
            FactKind::RedirectBegun { interaction, .. } => self.redirect_begun(*interaction),
            FactKind::RedirectEnded { interaction, outcome, .. } => {
                self.redirect_ended(*interaction, *outcome)
            }
            FactKind::CallbackScheduled { to, queue, due_at, .. } => {
                self.scheduled(number, to.reveal().cloned(), queue, *due_at)
            }
            FactKind::CallbackPromised { interaction, queue, waiting_since, .. } => {
                self.promised(number, *interaction, queue, *waiting_since)
            }
            FactKind::CallbackDialled { interaction, agent, attempt, .. } => {
                self.dialled(*interaction, agent, *attempt)
            }
            FactKind::CallbackMissed { interaction, attempt, again_at, .. } => {
                self.callback_missed(*interaction, *attempt, *again_at)
            }
            FactKind::CallbackCancelled { interaction, reason, .. } => self.cancelled(*interaction, *reason),
            FactKind::MessageBegun { interaction, recording, .. } => {
                self.message_begun(*interaction, *recording)
            }
            FactKind::MessageLeft { interaction, recording, .. } => {
                self.message_left(*interaction, *recording)
            }
            FactKind::MessageMissed { interaction, recording } => {
                self.message_missed(*interaction, *recording)
            }
            FactKind::Heard { interaction, recording } => self.heard(*interaction, *recording),
            FactKind::Offered { interaction, .. } => self.offered(number, *interaction, kind),
            FactKind::Ringing { interaction, agent } => self.ringing(*interaction, agent),
            FactKind::OfferEnded { interaction, .. } => self.offer_ended(*interaction, kind),
            FactKind::Connected { interaction, .. } => self.connected(number, *interaction, kind),
            FactKind::Held { interaction, by } => self.held(*interaction, *by),
            FactKind::Resumed { interaction, by, held_us } => self.resumed(*interaction, *by, *held_us),
            FactKind::TransferAsked { interaction, agent, allowed, .. } => {
                self.transfer_asked(*interaction, agent, *allowed)
            }
            FactKind::TransferEnded { interaction, outcome, .. } => {
                self.transfer_ended(*interaction, *outcome)
            }
            FactKind::ConversationEnded { interaction, .. } => self.conversation_ended(*interaction, kind),
            FactKind::WrapUpExtended { interaction, agent, until, then, .. } => {
                self.wrap_up_extended(*interaction, agent, *until, then)
            }
            FactKind::WrapUpEnded { interaction, .. } => self.wrap_up_ended(*interaction, kind),
            FactKind::Quality { interaction, .. } => self.touch(*interaction).map(|_| ()),
            FactKind::Ending { interaction, why, cause, outcome } => {
                let restarted = cause.as_ref().is_some_and(|cause| cause.kind == CauseKind::Restarted);
                self.ending(*interaction, *why, restarted, *outcome)
            }
            FactKind::CallEnded { interaction, call, lasted_us, .. } => {
                self.call_ended(*interaction, *call, *lasted_us)
            }
            FactKind::Repaired { interaction, missing } => self.repaired(*interaction, *missing),
            FactKind::Closed { interaction, outcome } => self.close(*interaction, *outcome),
        }
    }

    fn in_flow(&mut self, id: InteractionId) -> Result<(), Wrong> {
        match self.touch(id)?.stage {
            Stage::InFlow => Ok(()),
            _ => Err(Wrong::CannotBe(id)),
        }
    }

    fn everything_conserved(&self) -> Result<(), Wrong> {
        for (queue, counts) in &self.counts {
            let waiting = u64::try_from(self.stays(queue).count()).unwrap_or(u64::MAX);
            let gone = counts.answered + counts.abandoned + counts.flowed_out + counts.lost;
            same(counts.entered == gone + waiting, Wrong::NotConserved(queue.clone()))?;
        }
        Ok(())
    }

    fn employee(&self, id: &AgentId) -> Option<&AgentDocument> {
        self.document.agents.iter().find(|agent| agent.id == *id)
    }

    fn rules(&self, queue: &QueueId) -> Option<&QueueDocument> {
        self.document.queues.iter().find(|document| document.id == *queue)
    }

    fn agent(&self, id: &AgentId) -> Result<&Agent, Wrong> {
        self.agents.get(id).ok_or_else(|| Wrong::NoSuchAgent(id.clone()))
    }

    fn agent_mut(&mut self, id: &AgentId) -> Result<&mut Agent, Wrong> {
        self.agents.get_mut(id).ok_or_else(|| Wrong::NoSuchAgent(id.clone()))
    }

    fn interaction(&self, id: InteractionId) -> Result<&Interaction, Wrong> {
        self.interactions.get(&id).ok_or(Wrong::NoSuchInteraction(id))
    }

    fn touch(&mut self, id: InteractionId) -> Result<&mut Interaction, Wrong> {
        let at = self.at;
        let interaction = self.interactions.get_mut(&id).ok_or(Wrong::NoSuchInteraction(id))?;
        interaction.touched_at = at;
        Ok(interaction)
    }
}

fn same(holds: bool, wrong: Wrong) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(wrong) }
}

fn figure(said: u64, expected: u64) -> Result<(), Wrong> {
    same(said == expected, Wrong::WrongFigure { said, expected })
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}
