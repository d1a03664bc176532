//! How a caller enters a queue, waits in it, and leaves it without an agent.

use std::sync::Arc;

use crate::call::{CallCommand, PartyId};
use crate::center::Center;
use crate::config::QueueRules;
use crate::fact::{FactKind, QueueExit, QueueRefusal};
use crate::flow::compile::{Flow, StepIndex};
use crate::id::QueueId;
use crate::interaction::{Interaction, Stage};
use crate::queue::Visit;

impl Center {
    /// Lets the caller wait for an agent. If the queue is full or gone, nothing happens but a fact, and the answer
    /// is `false`.
    pub(crate) fn enter_queue(
        &mut self,
        interaction: &mut Interaction,
        id: &QueueId,
        flow: Arc<Flow>,
        otherwise: Option<StepIndex>,
    ) -> bool {
        let found = self.queues.index(id).and_then(|index| Some((index, self.queues.get_mut(index)?)));
        let Some((index, queue)) = found.filter(|(_, queue)| queue.open) else {
            self.refuse_queue(interaction, id, QueueRefusal::Gone);
            return false;
        };
        let ahead = queue.waiting.len() + queue.offered;
        if ahead >= queue.rules.max_waiting {
            self.refuse_queue(interaction, id, QueueRefusal::Full);
            return false;
        }
        let entered_at = self.journal.now();
        let rules = queue.rules.clone();
        queue.waiting.insert((entered_at, interaction.id));
        self.journal.record(FactKind::QueueEntered {
            interaction: interaction.id,
            queue: rules.id.clone(),
            queue_name: rules.name.clone(),
            ahead: u32::try_from(ahead).unwrap_or(u32::MAX),
        });
        self.entertain(interaction, &rules);
        let visit = Visit { queue: index, rules, entered_at, flow, otherwise };
        interaction.deadline = Some(visit.deadline());
        interaction.stage = Stage::Waiting(visit);
        self.matching.wake_queue(index);
        true
    }

    /// Puts a caller whose offer came to nothing back to the old place; if the queue is gone meanwhile, the flow
    /// goes on.
    pub(crate) fn requeue(&mut self, interaction: &mut Interaction, visit: Visit) {
        let Some(queue) = self.queues.get_mut(visit.queue) else { return };
        queue.offered = queue.offered.saturating_sub(1);
        queue.waiting.insert(visit.place(interaction.id));
        let open = queue.open;
        interaction.deadline = Some(visit.deadline());
        interaction.stage = Stage::Waiting(visit.clone());
        if !open {
            self.flow_out(interaction, &visit, QueueExit::QueueGone);
        } else if interaction.parties >= PARTIES_MAX {
            self.flow_out(interaction, &visit, QueueExit::WaitedTooLong);
        } else {
            self.matching.wake_queue(visit.queue);
        }
    }

    /// Takes a caller who waits and is not being offered out of the queue.
    pub(crate) fn leave_queue(&mut self, interaction: &Interaction, visit: &Visit, reason: QueueExit) {
        if let Some(queue) = self.queues.get_mut(visit.queue) {
            queue.waiting.remove(&visit.place(interaction.id));
        }
        self.record_exit(interaction, visit, reason);
        self.queues.forget_if_gone(visit.queue);
    }

    /// Takes a caller who is being offered out of the queue.
    pub(crate) fn leave_queue_offered(
        &mut self,
        interaction: &Interaction,
        visit: &Visit,
        reason: QueueExit,
    ) {
        self.offer_is_over(visit);
        self.record_exit(interaction, visit, reason);
    }

    /// One offer less; the caller does not come back.
    pub(crate) fn offer_is_over(&mut self, visit: &Visit) {
        if let Some(queue) = self.queues.get_mut(visit.queue) {
            queue.offered = queue.offered.saturating_sub(1);
        }
        self.queues.forget_if_gone(visit.queue);
    }

    /// The caller has waited long enough, or the queue is gone: the flow goes on where the document says.
    pub(crate) fn flow_out(&mut self, interaction: &mut Interaction, visit: &Visit, reason: QueueExit) {
        self.leave_queue(interaction, visit, reason);
        interaction.stage = Stage::BetweenSteps;
        self.run_flow(interaction, visit.flow.clone(), visit.otherwise);
    }

    /// What was being played to a waiting caller ended: the music begins.
    pub(crate) fn announcement_ended(&mut self, interaction: &mut Interaction, visit: &Visit) {
        if let Some(music) = visit.rules.music.clone() {
            self.play(interaction, music, true);
        }
    }

    fn entertain(&mut self, interaction: &mut Interaction, rules: &QueueRules) {
        if let Some(announce) = &rules.announce {
            self.play(interaction, announce.clone(), false);
        } else if let Some(music) = &rules.music {
            self.play(interaction, music.clone(), true);
        } else {
            self.hush(interaction);
        }
    }

    /// Stops what the caller hears from us.
    pub(crate) fn hush(&mut self, interaction: &mut Interaction) {
        if interaction.playing.take().is_some() {
            self.journal.command(CallCommand::StopPlay { call: interaction.call, party: PartyId::FIRST });
        }
    }

    fn refuse_queue(&mut self, interaction: &Interaction, queue: &QueueId, reason: QueueRefusal) {
        let interaction = interaction.id;
        self.journal.record(FactKind::QueueRefused { interaction, queue: queue.clone(), reason });
    }

    fn record_exit(&mut self, interaction: &Interaction, visit: &Visit, reason: QueueExit) {
        self.journal.record(FactKind::QueueLeft {
            interaction: interaction.id,
            queue: visit.rules.id.clone(),
            queue_name: visit.rules.name.clone(),
            reason,
            waited_us: self.journal.now().micros_since(visit.entered_at),
        });
    }
}

/// How many parties a call may have had before its caller is offered to nobody any more and flows out: the numbers of
/// parties are never used twice.
const PARTIES_MAX: u16 = u16::MAX - 10;
