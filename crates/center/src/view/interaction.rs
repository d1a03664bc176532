//! An open interaction, and how facts change it.

use super::live::wrap_up_until;
use super::stage::{QueueStay, RingingOut, StageView, TicketView};
use crate::call::{Address, CallId, LineName, RecordingId};
use crate::channel::Channel;
use crate::condition::Attributes;
use crate::config::QueueDocument;
use crate::fact::{EndedBy, Fact, FactKind, OfferOutcome, Outcome, QueueExit, Side};
use crate::id::{AgentId, FlowId, QueueId};
use crate::personal::Personal;
use crate::terms::Terms;
use crate::timer::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An open interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionView {
    /// Its call, or the last one if none stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Whether the call stands.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub in_call: bool,
    /// How it reaches an agent.
    #[serde(default, skip_serializing_if = "Channel::is_call")]
    pub channel: Channel,
    /// The line over which it came.
    pub line: LineName,
    /// Who calls.
    pub from: Personal<Address>,
    /// The caller's name as their network gives it; may be empty.
    pub from_name: Personal<Arc<str>>,
    /// What was dialled.
    pub to: Address,
    /// The flow that the caller entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowId>,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// When its call began, if that is not when it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_began_at: Option<Timestamp>,
    /// Whether the caller hears and is heard.
    pub answered: bool,
    /// Whether somebody has talked to an agent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub handled: bool,
    /// What was found out about it.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The waits of the queues that were left.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waited_us: u64,
    /// Since when the caller has put us on hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_held_since: Option<Timestamp>,
    /// Where it stands.
    #[serde(flatten)]
    pub stage: StageView,
    /// The agents who are still being rung although nothing can come of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ringing_out: Vec<RingingOut>,
    /// The agents whose wrap-up of it goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrapping_up: Vec<AgentId>,
    /// The promise to call back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<PromiseView>,
    /// The message that was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageView>,
}

/// The promise to call a customer back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseView {
    /// Over which line.
    pub line: LineName,
    /// Whom to call.
    pub to: Personal<Address>,
    /// How often the customer was tried.
    pub attempts: u32,
}

/// A message that was left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// Where it waits.
    pub queue: QueueId,
    /// The recording.
    pub recording: RecordingId,
    /// How long it is.
    pub length_us: u64,
}

impl InteractionView {
    pub(super) fn begun(
        line: &LineName,
        from: &Personal<Address>,
        from_name: &Personal<Arc<str>>,
        to: &Address,
        at: Timestamp,
    ) -> InteractionView {
        InteractionView {
            call: None,
            in_call: false,
            channel: Channel::Call,
            line: line.clone(),
            from: from.clone(),
            from_name: from_name.clone(),
            to: to.clone(),
            flow: None,
            arrived_at: at,
            call_began_at: None,
            answered: false,
            handled: false,
            attributes: Attributes::new(),
            waited_us: 0,
            caller_held_since: None,
            stage: StageView::InFlow { step: None },
            ringing_out: Vec::new(),
            wrapping_up: Vec::new(),
            callback: None,
            message: None,
        }
    }

    pub(super) fn apply(&mut self, fact: &Fact) {
        let at = fact.at;
        match &fact.kind {
            FactKind::Answered { .. } => self.answered = true,
            FactKind::AttributesSet { attributes, .. } => self.attributes.extend(attributes.clone()),
            FactKind::StepBegun { step, .. } => self.stage = StageView::InFlow { step: Some(step.clone()) },
            FactKind::CallPlaced { call, .. } => {
                self.call = Some(*call);
                self.in_call = true;
                self.call_began_at = Some(at);
            }
            FactKind::QueueEntered {
                queue,
                channel,
                waiting_since,
                stands_since,
                priority,
                vip,
                terms,
                ..
            } => {
                self.channel = *channel;
                self.stage = StageView::Waiting(QueueStay {
                    queue: queue.clone(),
                    entered_at: at,
                    waiting_since: *waiting_since,
                    stands_since: *stands_since,
                    priority: *priority,
                    vip: *vip,
                    terms: terms.clone(),
                    step: 0,
                });
            }
            FactKind::Widened { step, .. } => self.change_stay(|stay| stay.step = *step),
            FactKind::Prioritised { priority, vip, stands_since, .. } => self.change_stay(|stay| {
                stay.priority = *priority;
                stay.vip = *vip;
                stay.stands_since = Some(*stands_since).filter(|since| *since != stay.waiting_since());
            }),
            FactKind::TermsChanged { terms, .. } => self.change_stay(|stay| {
                stay.terms = terms.clone();
                stay.step = 0;
            }),
            FactKind::Held { by: Side::Caller, .. } => self.caller_held_since = Some(at),
            FactKind::Resumed { by: Side::Caller, .. } => self.caller_held_since = None,
            FactKind::CallbackDialled { attempt, .. } => {
                if let Some(callback) = &mut self.callback {
                    callback.attempts = *attempt;
                }
                self.move_on(fact);
            }
            FactKind::CallbackPromised { queue, line, to, waiting_since, priority, vip, terms, .. } => {
                self.channel = Channel::Callback;
                self.callback = Some(PromiseView { line: line.clone(), to: to.clone(), attempts: 0 });
                self.stage = StageView::Parked(TicketView {
                    queue: queue.clone(),
                    waiting_since: *waiting_since,
                    priority: *priority,
                    vip: *vip,
                    terms: terms.clone(),
                });
            }
            FactKind::MessageLeft { recording, length_us, .. } => {
                self.channel = Channel::Voicemail;
                if let StageView::LeavingMessage { ticket, .. } = &self.stage {
                    let (queue, recording) = (ticket.queue.clone(), *recording);
                    self.message = Some(MessageView { queue, recording, length_us: *length_us });
                }
                self.move_on(fact);
            }
            FactKind::QueueLeft { waited_us, reason, .. } => {
                self.waited_us = self.waited_us.saturating_add(*waited_us);
                self.move_on(fact);
                // What waited without a call and enters no other queue in the same moment is over.
                if self.channel != Channel::Call
                    && let StageView::InFlow { .. } = self.stage
                {
                    let cancelled = *reason == QueueExit::Cancelled;
                    let outcome = if cancelled { Outcome::Cancelled } else { Outcome::Expired };
                    self.stage = StageView::WrapUp { outcome };
                }
            }
            FactKind::OfferEnded { agent, outcome, .. } => {
                if let StageView::CallingBack { .. } = self.stage
                    && *outcome != OfferOutcome::CustomerNotReached
                    && let Some(callback) = &mut self.callback
                {
                    callback.attempts = callback.attempts.saturating_sub(1);
                }
                let rang_out = self.ringing_out.iter().position(|ringing| ringing.offer.agent == *agent);
                match rang_out {
                    Some(at) => {
                        drop(self.ringing_out.swap_remove(at));
                        // Somebody who waits without a call has been moved: what was ringing was a call of its own.
                        if self.channel != Channel::Call && !matches!(self.stage, StageView::Parked(_)) {
                            self.call_is_over();
                        }
                    }
                    None => {
                        if self.stage.is_of_agents_call() && self.channel != Channel::Call {
                            self.call_is_over();
                        }
                        self.move_on(fact);
                    }
                }
            }
            FactKind::Connected { agent, waited_us, .. } => {
                self.handled = true;
                self.waited_us = self.waited_us.saturating_add(*waited_us);
                self.rings_out_but(Some(agent), OfferOutcome::AnsweredElsewhere);
                self.move_on(fact);
            }
            FactKind::ConversationEnded { agent, by, .. } => {
                if wrap_up_until(&fact.kind).is_some() {
                    self.wrapping_up.push(agent.clone());
                }
                match (&self.stage, &self.message, by) {
                    // What was not heard to its end waits again.
                    (StageView::Connected { .. }, Some(message), EndedBy::Lost) => {
                        self.stage = StageView::Parked(TicketView {
                            queue: message.queue.clone(),
                            waiting_since: self.arrived_at,
                            priority: QueueDocument::NORMAL_PRIORITY,
                            vip: false,
                            terms: Terms::default(),
                        });
                    }
                    _ => self.move_on(fact),
                }
            }
            FactKind::WrapUpEnded { agent, .. } => self.wrapping_up.retain(|other| other != agent),
            FactKind::CallEnded { .. } => {
                self.move_on(fact);
                self.call_is_over();
            }
            _ => self.move_on(fact),
        }
    }

    fn call_is_over(&mut self) {
        self.in_call = false;
        self.caller_held_since = None;
    }

    fn change_stay(&mut self, change: impl FnOnce(&mut QueueStay)) {
        if let StageView::Waiting(stay) | StageView::Offered { stay, .. } = &mut self.stage {
            change(stay);
        }
    }

    /// All telephones but this agent's are to stop ringing.
    fn rings_out_but(&mut self, agent: Option<&AgentId>, outcome: OfferOutcome) {
        let StageView::Offered { stay, offers } = &mut self.stage else { return };
        for offer in std::mem::take(offers) {
            if Some(&offer.agent) == agent {
                offers.push(offer);
            } else {
                let queue = stay.queue.clone();
                self.ringing_out.push(RingingOut { queue, outcome, offer });
            }
        }
    }

    /// Takes in a fact whose meaning depends on the stage.
    fn move_on(&mut self, fact: &Fact) {
        if let FactKind::Ending { .. } | FactKind::QueueLeft { .. } = &fact.kind {
            let outcome = match &fact.kind {
                FactKind::QueueLeft {
                    reason: QueueExit::Abandoned | QueueExit::Lost | QueueExit::CallLimit,
                    ..
                }
                | FactKind::Ending { .. } => OfferOutcome::CallerGone,
                _ => OfferOutcome::CallerMoved,
            };
            self.rings_out_but(None, outcome);
        }
        let stage = std::mem::replace(&mut self.stage, StageView::InFlow { step: None });
        self.stage = stage.after(fact);
    }
}

fn yes() -> bool {
    true
}

fn is_true(value: &bool) -> bool {
    *value
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
