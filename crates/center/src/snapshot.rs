//! The live state of a center as a value: what a fold over its facts must give.

use crate::center::Center;
use crate::interaction::{Conversation, Doing, Interaction, Offer, Stage, Unreleased};
use crate::queue::Visit;
use crate::view::{
    AgentView, ConversationView, InteractionView, Live, OfferView, PendingTransfer, QueueStay, QueueView,
    RingingOut, StageView,
};

impl Center {
    /// What is live now, read from the center itself.
    ///
    /// It equals what [`View::apply`](crate::view::View::apply) makes of all facts so far.
    pub fn live(&self) -> Live {
        let queue =
            |queue: &crate::config::QueueDocument| (queue.id.clone(), QueueView { name: queue.name.clone() });
        Live {
            number: self.journal.number(),
            configuration: self.configuration,
            queues: self.config.document().queues.iter().map(queue).collect(),
            agents: self
                .agents
                .iter()
                .map(|(_, agent)| {
                    let view = AgentView {
                        name: agent.profile.name.clone(),
                        chosen: agent.chosen.clone(),
                        state: agent.state(),
                        since: agent.since,
                    };
                    (agent.profile.id.clone(), view)
                })
                .collect(),
            interactions: self
                .interactions
                .iter()
                .filter_map(|interaction| Some((interaction.id, self.interaction_view(interaction)?)))
                .collect(),
        }
    }

    fn interaction_view(&self, interaction: &Interaction) -> Option<InteractionView> {
        let caller = &interaction.caller;
        Some(InteractionView {
            call: interaction.call,
            line: caller.line.clone(),
            from: caller.from.clone(),
            from_name: caller.from_name.clone(),
            to: caller.to.clone(),
            flow: caller.flow.clone(),
            arrived_at: interaction.arrived_at,
            answered: interaction.answered,
            caller_held_since: interaction.caller_held_since,
            stage: self.stage_view(&interaction.stage)?,
            wrapping_up: match interaction.wrapping_up {
                Some(agent) => Some(self.agents.get(agent)?.profile.id.clone()),
                None => None,
            },
        })
    }

    fn stage_view(&self, stage: &Stage) -> Option<StageView> {
        Some(match stage {
            Stage::BetweenSteps => StageView::InFlow { step: None },
            Stage::InFlow(run) => StageView::InFlow {
                step: match run.doing {
                    Doing::Answering => None,
                    Doing::Playing { .. } | Doing::Choosing { .. } => {
                        Some(run.flow.step(run.step)?.id.clone())
                    }
                },
            },
            Stage::Waiting(visit) => StageView::Waiting(stay(visit)),
            Stage::Offered(visit, offer) => {
                StageView::Offered { stay: stay(visit), offer: self.offer_view(offer)? }
            }
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
            Stage::Ending { outcome, unreleased } => {
                let (offer, conversation) = match unreleased {
                    Some(Unreleased::Offer(visit, offer)) => {
                        let (queue, offer) = (visit.rules.id.clone(), self.offer_view(offer)?);
                        (Some(RingingOut { queue, offer }), None)
                    }
                    Some(Unreleased::Conversation { conversation, .. }) => {
                        (None, Some(self.conversation_view(conversation)?))
                    }
                    None => (None, None),
                };
                StageView::Ending { outcome: *outcome, stay: None, offer, conversation }
            }
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

fn stay(visit: &Visit) -> QueueStay {
    QueueStay { queue: visit.rules.id.clone(), entered_at: visit.entered_at }
}
