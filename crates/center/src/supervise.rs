//! Supervision: what people who lead a center want of its queues and of what waits in them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agent::{AgentAct, ChosenState};
use crate::call::{CallCommand, Removal};
use crate::callback::{CALLBACKS_MAX, ScheduledCallback};
use crate::center::Center;
use crate::channel::Channel;
use crate::config::Asks;
use crate::fact::{CallbackEnd, EndedBy, FactKind, QueueExit};
use crate::id::{AgentId, InteractionId, QueueId};
use crate::interaction::{Interaction, Stage, Ticket};
use crate::journal::Output;
use crate::terms::{Person, Terms};
use crate::timer::Timestamp;
use crate::waiting::Onward;

/// Something that is wanted of a queue, or of what waits in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkCommand {
    /// What.
    pub act: WorkAct,
    /// Why, in the words of whoever wants it; at most [`ChosenState::REASON_BYTES_MAX`].
    pub why: Option<Arc<str>>,
}

/// What can be wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkAct {
    /// Let a waiting customer wait in another queue, with the whole wait; or take a customer from the agent of a
    /// conversation and let the customer wait there. A queue that lets nobody in lets in who is moved.
    Move {
        /// Whom.
        interaction: InteractionId,
        /// Where to.
        queue: QueueId,
    },
    /// Give a waiting customer another priority.
    Prioritise {
        /// Whom.
        interaction: InteractionId,
        /// From 1, first, to 5.
        priority: u8,
        /// Before everybody who is not.
        vip: bool,
    },
    /// Let a waiting customer wait for one agent only.
    Assign {
        /// Whom.
        interaction: InteractionId,
        /// For whom: an agent of the customer's queue.
        agent: AgentId,
    },
    /// Not call a customer back after all.
    CancelCallback {
        /// Whom.
        interaction: InteractionId,
    },
    /// Call a customer at a time. Refused if the customer is to be called back from this queue already.
    ScheduleCallback(ScheduledCallback),
    /// Close a queue or open it again: a closed one lets nobody in.
    Switch {
        /// Which.
        queue: QueueId,
        /// Whether it is to be closed.
        closed: bool,
    },
}

/// A command that was not obeyed. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{subject}: {reason}")]
pub struct Refusal {
    /// What the command was about.
    pub subject: Subject,
    /// Why not.
    pub reason: RefusalReason,
}

/// What a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An agent.
    Agent(AgentId),
    /// An interaction.
    Interaction(InteractionId),
    /// A queue.
    Queue(QueueId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Agent(id) => write!(f, "agent {id}"),
            Subject::Interaction(id) => write!(f, "interaction {id}"),
            Subject::Queue(id) => write!(f, "queue {id}"),
        }
    }
}

/// Why a command was not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The configuration has no such agent.
    #[error("there is no such agent")]
    UnknownAgent,
    /// The agent is not in a wrap-up.
    #[error("the agent is not in a wrap-up")]
    NotInWrapUp,
    /// The reason is too long.
    #[error("the reason is longer than {} bytes", ChosenState::REASON_BYTES_MAX)]
    ReasonTooLong,
    /// The note is too long.
    #[error("the note is longer than {} bytes", AgentAct::NOTE_BYTES_MAX)]
    NoteTooLong,
    /// The queue has no such code.
    #[error("the queue has no such code")]
    UnknownCode,
    /// The queue wants to know what the conversation was about.
    #[error("the queue asks for a code before the wrap-up ends")]
    CodeRequired,
    /// The wrap-up cannot be made longer.
    #[error("the queue gives no more time for this wrap-up")]
    NoMoreTime,
    /// There is no such interaction, or it is over.
    #[error("there is no such interaction, or it is over")]
    UnknownInteraction,
    /// The customer does not wait in a queue.
    #[error("the customer does not wait in a queue")]
    NotWaiting,
    /// An agent has taken the callback already.
    #[error("an agent has already taken it and the customer is being called")]
    BeingServed,
    /// The configuration has no such queue.
    #[error("there is no such queue")]
    UnknownQueue,
    /// The customer waits there already.
    #[error("the customer waits in this queue already")]
    SameQueue,
    /// The agent does not serve the customer's queue.
    #[error("the agent does not serve this queue")]
    NotTheirQueue,
    /// A priority is from 1 to 5.
    #[error("a priority is from 1 to 5")]
    NoSuchPriority,
    /// It is no callback, or it can no longer be cancelled.
    #[error("it is no callback, or the customer is being called already")]
    NoCallback,
    /// So many callbacks are still to be made that no further one is taken.
    #[error("there are {CALLBACKS_MAX} callbacks still to be made, as many as there may be")]
    TooManyCallbacks,
    /// It is so already.
    #[error("it is so already")]
    AlreadySo,
    /// The interaction is not over yet.
    #[error("the interaction is not over yet, and still needs it")]
    StillOpen,
}

impl Center {
    pub(crate) fn handle_work_command(&mut self, command: WorkCommand) {
        let WorkCommand { act, why } = command;
        let subject = match &act {
            WorkAct::Move { interaction, .. }
            | WorkAct::Prioritise { interaction, .. }
            | WorkAct::Assign { interaction, .. }
            | WorkAct::CancelCallback { interaction } => Subject::Interaction(*interaction),
            WorkAct::ScheduleCallback(wanted) => Subject::Queue(wanted.queue.clone()),
            WorkAct::Switch { queue, .. } => Subject::Queue(queue.clone()),
        };
        if let Err(reason) = self.obey(act, why) {
            self.journal.output(Output::Refused(Refusal { subject, reason }));
        }
    }

    fn obey(&mut self, act: WorkAct, why: Option<Arc<str>>) -> Result<(), RefusalReason> {
        if why.as_ref().is_some_and(|why| why.len() > ChosenState::REASON_BYTES_MAX) {
            return Err(RefusalReason::ReasonTooLong);
        }
        match act {
            WorkAct::Move { interaction, queue } => {
                let open = self.queues.index(&queue).is_some_and(|index| self.open_queue(index).is_some());
                if !open {
                    return Err(RefusalReason::UnknownQueue);
                }
                self.on(interaction, |center, interaction| center.move_to(interaction, &queue, why))
            }
            WorkAct::Prioritise { interaction, priority, vip } => {
                if !(1..=5).contains(&priority) {
                    return Err(RefusalReason::NoSuchPriority);
                }
                self.on(interaction, |center, interaction| center.prioritise(interaction, priority, vip, why))
            }
            WorkAct::Assign { interaction, agent } => {
                self.on(interaction, |center, interaction| center.assign(interaction, agent, why))
            }
            WorkAct::CancelCallback { interaction } => self.on(interaction, |center, interaction| {
                let cancelled = center.cancel_callback(interaction, CallbackEnd::Command, why);
                if cancelled { Ok(()) } else { Err(RefusalReason::NoCallback) }
            }),
            WorkAct::ScheduleCallback(wanted) => {
                if wanted.priority.is_some_and(|priority| !(1..=5).contains(&priority)) {
                    return Err(RefusalReason::NoSuchPriority);
                }
                let wanted = ScheduledCallback { why, ..wanted };
                self.schedule_callback(wanted)
            }
            WorkAct::Switch { queue, closed } => self.switch(&queue, closed, why),
        }
    }

    fn on(
        &mut self,
        id: InteractionId,
        act: impl FnOnce(&mut Center, &mut Interaction) -> Result<(), RefusalReason>,
    ) -> Result<(), RefusalReason> {
        let mut done = Err(RefusalReason::UnknownInteraction);
        self.with_interaction(id, |center, interaction| done = act(center, interaction));
        done
    }

    fn move_to(
        &mut self,
        interaction: &mut Interaction,
        queue: &QueueId,
        why: Option<Arc<str>>,
    ) -> Result<(), RefusalReason> {
        let elsewhere = |at: &QueueId| if at == queue { Err(RefusalReason::SameQueue) } else { Ok(()) };
        match &interaction.stage {
            Stage::Waiting(visit) | Stage::Offered(visit, _) => elsewhere(&visit.rules.id)?,
            Stage::CallingBack(..) => return Err(RefusalReason::BeingServed),
            Stage::Connected(conversation) if conversation.transfer.is_none() => {
                return self.take_from_agent(interaction, queue);
            }
            _ => return Err(RefusalReason::NotWaiting),
        }
        // Nobody is called back twice from one queue.
        if interaction.channel == Channel::Callback && self.is_promised(interaction, queue) {
            return Err(RefusalReason::AlreadySo);
        }
        let Some(visit) = self.leave_queue_because(interaction, QueueExit::Moved, why) else {
            return Err(RefusalReason::NotWaiting);
        };
        let onward = Onward { flow: visit.flow.clone(), otherwise: visit.otherwise };
        if interaction.channel == Channel::Call {
            let ticket = visit.ticket();
            self.move_into(
                interaction,
                queue,
                Some((ticket.priority, ticket.vip)),
                ticket.waiting_since,
                onward,
            );
        } else {
            let mut ticket = visit.ticket();
            ticket.queue = queue.clone();
            ticket.terms = Terms::default();
            // The promise is this queue's from now on, and no longer that of the one before.
            self.forget_promise(interaction);
            if let Some(promise) = &interaction.callback {
                self.promises.given(&promise.to, queue, interaction.id);
            }
            self.stand_in_line(interaction, ticket);
        }
        Ok(())
    }

    /// The customer of a conversation waits in a queue again; the agent's part is over.
    fn take_from_agent(
        &mut self,
        interaction: &mut Interaction,
        queue: &QueueId,
    ) -> Result<(), RefusalReason> {
        if interaction.channel != Channel::Call {
            return Err(RefusalReason::NotWaiting);
        }
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let Stage::Connected(conversation) = stage else { return Err(RefusalReason::NotWaiting) };
        if let Some(call) = interaction.call {
            let (party, reason) = (conversation.party, Removal::Finished);
            self.journal.command(CallCommand::RemoveParty { call, party, reason });
        }
        interaction.deadline = None;
        let cause = crate::call::CauseKind::Transferred.into();
        self.end_conversation(interaction, conversation, EndedBy::Transfer, cause);
        let waiting_since = self.journal.now().before(interaction.waited);
        // Who was important before is so in the other queue.
        let importance = interaction.importance;
        self.move_into(interaction, queue, importance, waiting_since, Onward::default());
        Ok(())
    }

    /// Lets a customer wait in a queue, whether or not it lets others in: who moves somebody knows why.
    fn move_into(
        &mut self,
        interaction: &mut Interaction,
        id: &QueueId,
        importance: Option<(u8, bool)>,
        waiting_since: Timestamp,
        onward: Onward,
    ) {
        let Some(index) = self.queues.index(id) else { return };
        let Some(rules) = self.queues.get(index).map(|queue| queue.rules.clone()) else { return };
        let (priority, vip) = importance.unwrap_or((rules.priority, false));
        let terms = self.terms(interaction, index, &rules, &Asks::default());
        let ticket = Ticket { queue: id.clone(), waiting_since, priority, vip, terms };
        self.let_in(interaction, index, ticket, onward);
    }

    fn prioritise(
        &mut self,
        interaction: &mut Interaction,
        priority: u8,
        vip: bool,
        why: Option<Arc<str>>,
    ) -> Result<(), RefusalReason> {
        let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &interaction.stage else {
            return Err(not_waiting(interaction));
        };
        if (visit.priority, visit.vip) == (priority, vip) {
            return Err(RefusalReason::AlreadySo);
        }
        self.with_place(interaction, |visit| {
            visit.priority = priority;
            visit.vip = vip;
        });
        let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &interaction.stage else { return Ok(()) };
        let stands_since = visit.place.since;
        let interaction = interaction.id;
        self.journal.record(FactKind::Prioritised { interaction, priority, vip, stands_since, why });
        Ok(())
    }

    fn assign(
        &mut self,
        interaction: &mut Interaction,
        agent: AgentId,
        why: Option<Arc<str>>,
    ) -> Result<(), RefusalReason> {
        let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &interaction.stage else {
            return Err(not_waiting(interaction));
        };
        let index = self.agents.index(&agent).ok_or(RefusalReason::UnknownAgent)?;
        let serves = self.agents.get(index).is_some_and(|agent| agent.queues.contains(&visit.queue));
        if !serves {
            return Err(RefusalReason::NotTheirQueue);
        }
        let terms = Terms::merge(&[], &crate::terms::SkillTerms::default(), &Person::Only(agent));
        if visit.terms == terms {
            return Err(RefusalReason::AlreadySo);
        }
        let id = interaction.id;
        self.journal.record(FactKind::TermsChanged { interaction: id, terms: terms.clone(), why });
        self.with_place(interaction, |visit| {
            visit.terms = terms;
            visit.step = 0;
        });
        Ok(())
    }

    fn switch(&mut self, id: &QueueId, closed: bool, why: Option<Arc<str>>) -> Result<(), RefusalReason> {
        let index = self.queues.index(id).ok_or(RefusalReason::UnknownQueue)?;
        let queue =
            self.queues.get_mut(index).filter(|queue| queue.open).ok_or(RefusalReason::UnknownQueue)?;
        if queue.closed == closed {
            return Err(RefusalReason::AlreadySo);
        }
        queue.closed = closed;
        let (queue, queue_name) = (queue.rules.id.clone(), queue.rules.name.clone());
        self.journal.record(FactKind::QueueSwitched { queue, queue_name, closed, why });
        Ok(())
    }
}

/// Why nothing can be done about the wait of somebody who is in no queue, or is being served from one.
fn not_waiting(interaction: &Interaction) -> RefusalReason {
    match interaction.stage {
        Stage::CallingBack(..) => RefusalReason::BeingServed,
        _ => RefusalReason::NotWaiting,
    }
}
