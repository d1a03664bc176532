//! The live state of a center as a value: what a fold over its facts must give.

use crate::acquaintance::Acquaintances;
use crate::agent::{Agent, Doing as AgentDoing};
use crate::center::Center;
use crate::fact::OfferOutcome;
use crate::interaction::{Conversation, Doing, Interaction, Offer, RingingOut, Stage, Ticket};
use crate::queue::{Queue, Visit};
use crate::view::{
    AgentView, ConversationView, DoingView, InteractionView, Live, MessageView, OfferView, PendingTransfer,
    PromiseView, QueueStay, QueueView, RingingOut as RingingOutView, StageView, TicketView, WorkView,
};

impl Center {
    /// What is live now, read from the center itself.
    ///
    /// It equals what [`View::apply`](crate::view::View::apply) makes of all facts so far.
    pub fn live(&self) -> Live {
        let open = self.queues.iter().filter(|queue| queue.open);
        Live {
            number: self.journal.number(),
            configuration: self.configuration,
            queues: open.map(|queue| (queue.rules.id.clone(), queue_view(queue))).collect(),
            agents: self
                .agents
                .iter()
                .map(|(_, agent)| (agent.profile.id.clone(), agent_view(agent)))
                .collect(),
            interactions: self
                .interactions
                .iter()
                .filter_map(|interaction| Some((interaction.id, self.interaction_view(interaction)?)))
                .collect(),
        }
    }

    /// With which agents customers talked last. It equals what the view of all facts so far has.
    pub fn acquaintances(&self) -> &Acquaintances {
        self.acquaintances.acquaintances()
    }

    fn interaction_view(&self, interaction: &Interaction) -> Option<InteractionView> {
        let caller = &interaction.caller;
        let began_at = interaction.call_began_at;
        let ids = |agents: &[crate::id::AgentIndex]| -> Option<Vec<_>> {
            agents.iter().map(|agent| Some(self.agents.get(*agent)?.profile.id.clone())).collect()
        };
        Some(InteractionView {
            call: interaction.last_call,
            in_call: interaction.call.is_some(),
            channel: interaction.channel,
            line: caller.line.clone(),
            from: caller.from.clone(),
            from_name: caller.from_name.clone(),
            to: caller.to.clone(),
            flow: caller.flow.clone(),
            arrived_at: interaction.arrived_at,
            call_began_at: interaction.placed_calls.then_some(began_at),
            answered: interaction.answered,
            handled: interaction.handled,
            attributes: interaction.attributes.clone(),
            waited_us: u64::try_from(interaction.waited.as_micros()).unwrap_or(u64::MAX),
            caller_held_since: interaction.caller_held_since,
            stage: self.stage_view(interaction)?,
            ringing_out: interaction
                .ringing_out
                .iter()
                .map(|ringing| self.ringing_out_view(ringing))
                .collect::<Option<_>>()?,
            wrapping_up: ids(&interaction.wrapping_up)?,
            callback: interaction.callback.as_ref().map(|promise| PromiseView {
                line: promise.line.clone(),
                to: promise.to.clone(),
                attempts: promise.attempts,
            }),
            message: interaction.message.as_ref().map(|message| MessageView {
                queue: message.queue.clone(),
                recording: message.recording,
                length_us: u64::try_from(message.length.as_micros()).unwrap_or(u64::MAX),
            }),
        })
    }

    fn stage_view(&self, interaction: &Interaction) -> Option<StageView> {
        Some(match &interaction.stage {
            Stage::BetweenSteps => StageView::InFlow { step: None },
            Stage::InFlow(run) => StageView::InFlow {
                step: match run.doing {
                    Doing::Answering => interaction.step.clone(),
                    Doing::Playing { .. } | Doing::Choosing { .. } => {
                        Some(run.flow.step(run.step)?.id.clone())
                    }
                },
            },
            Stage::Asking(_) | Stage::Parting(_) => interaction.last_step(),
            Stage::Waiting(visit) => StageView::Waiting(stay(visit)),
            Stage::Offered(visit, offers) => StageView::Offered {
                stay: stay(visit),
                offers: offers.iter().map(|offer| self.offer_view(offer)).collect::<Option<_>>()?,
            },
            Stage::CallingBack(visit, offer, calling) => StageView::CallingBack {
                stay: stay(visit),
                offer: self.offer_view(offer)?,
                customer: calling.customer,
            },
            Stage::Parked(ticket) => StageView::Parked(ticket_view(ticket)),
            Stage::Scheduled(ticket) => {
                StageView::Scheduled { at: interaction.deadline?, ticket: ticket_view(ticket) }
            }
            Stage::LeavingMessage(leaving) => StageView::LeavingMessage {
                recording: leaving.recording,
                ticket: ticket_view(&leaving.ticket),
            },
            Stage::Redirecting(redirecting) => StageView::Redirecting { party: redirecting.party },
            Stage::Connected(conversation) => {
                StageView::Connected { conversation: self.conversation_view(conversation)? }
            }
            Stage::Transferred(handed_over) => StageView::Transferred {
                leaving: match &handed_over.leaving {
                    Some(conversation) => Some(self.conversation_view(conversation)?),
                    None => None,
                },
                pending: handed_over.pending.as_ref().map(|(transfer, agent)| PendingTransfer {
                    agent: agent.id.clone(),
                    transfer: transfer.id,
                }),
            },
            Stage::Ending { outcome, unreleased } => StageView::Ending {
                outcome: *outcome,
                stay: None,
                conversation: match unreleased {
                    Some(unreleased) => Some(self.conversation_view(&unreleased.conversation)?),
                    None => None,
                },
            },
            Stage::WrapUp { outcome } => StageView::WrapUp { outcome: *outcome },
            Stage::Closed => return None,
        })
    }

    fn offer_view(&self, offer: &Offer) -> Option<OfferView> {
        Some(OfferView {
            agent: self.agents.get(offer.agent)?.profile.id.clone(),
            party: offer.party,
            offered_at: offer.offered_at,
            rings_until: offer.rings_until,
            ringing: offer.ringing,
        })
    }

    fn ringing_out_view(&self, ringing: &RingingOut) -> Option<RingingOutView> {
        let outcome: OfferOutcome = ringing.outcome;
        let queue = ringing.queue.clone();
        Some(RingingOutView { queue, outcome, offer: self.offer_view(&ringing.offer)? })
    }

    fn conversation_view(&self, conversation: &Conversation) -> Option<ConversationView> {
        Some(ConversationView {
            queue: conversation.rules.id.clone(),
            agent: self.agents.get(conversation.agent)?.profile.id.clone(),
            connected_at: conversation.connected_at,
            held_since: conversation.held_since,
            held_us: u64::try_from(conversation.held.as_micros()).unwrap_or(u64::MAX),
            transfer: conversation.transfer.map(|transfer| transfer.id),
        })
    }
}

fn queue_view(queue: &Queue) -> QueueView {
    QueueView {
        name: queue.rules.name.clone(),
        closed: queue.closed,
        configured_closed: queue.rules.closed,
        pace: queue.pace,
        turn: queue.turn,
    }
}

fn agent_view(agent: &Agent) -> AgentView {
    let work = |work: &crate::agent::Work| WorkView {
        interaction: work.interaction,
        doing: match &work.doing {
            AgentDoing::Offered => DoingView::Offered,
            AgentDoing::Talking => DoingView::Talking,
            AgentDoing::WrapUp(wrap_up) => DoingView::WrapUp {
                since: wrap_up.since,
                until: wrap_up.until,
                queue: wrap_up.rules.id.clone(),
            },
        },
    };
    AgentView {
        name: agent.profile.name.clone(),
        chosen: agent.chosen.clone(),
        state: agent.state(),
        since: agent.since,
        work: agent.work.iter().map(work).collect(),
        presence: agent.presence.clone(),
        rest: agent.rest,
        record: agent.record.clone(),
    }
}

fn stay(visit: &Visit) -> QueueStay {
    let (waiting_since, stands_since) = (visit.waiting_since, visit.place.since);
    QueueStay {
        queue: visit.rules.id.clone(),
        entered_at: visit.entered_at,
        waiting_since: (waiting_since != visit.entered_at).then_some(waiting_since),
        stands_since: (stands_since != waiting_since).then_some(stands_since),
        priority: visit.priority,
        vip: visit.vip,
        terms: visit.terms.clone(),
        step: visit.step,
    }
}

fn ticket_view(ticket: &Ticket) -> TicketView {
    TicketView {
        queue: ticket.queue.clone(),
        waiting_since: ticket.waiting_since,
        priority: ticket.priority,
        vip: ticket.vip,
        terms: ticket.terms.clone(),
    }
}
