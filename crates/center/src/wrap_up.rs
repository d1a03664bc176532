//! Wrap-up: the time an agent has after a conversation to finish the work.

use crate::agent::{Activity, RefusalReason};
use crate::center::Center;
use crate::fact::{FactKind, WrapUpEnd};
use crate::id::{AgentId, AgentIndex, InteractionId};
use crate::interaction::{Conversation, Interaction};
use crate::timer::Timestamp;

impl Center {
    /// What an agent does after this conversation.
    pub(crate) fn after_conversation(
        &mut self,
        interaction: &mut Interaction,
        conversation: &Conversation,
    ) -> Activity {
        let now = self.journal.now();
        if conversation.rules.wrap_up.is_zero() {
            return Activity::Idle { since: now };
        }
        interaction.wrapping_up = Some(conversation.agent);
        Activity::WrapUp { interaction: interaction.id, until: now + conversation.rules.wrap_up }
    }

    /// The agent, or somebody for the agent, ends the wrap-up.
    pub(crate) fn end_wrap_up(&mut self, agent: &AgentId) -> Result<(), RefusalReason> {
        let index = self.agents.index(agent).ok_or(RefusalReason::UnknownAgent)?;
        let Some(Activity::WrapUp { .. }) = self.agents.get(index).map(|agent| agent.activity) else {
            return Err(RefusalReason::NotInWrapUp);
        };
        self.wrap_up_is_over(index, WrapUpEnd::Command);
        Ok(())
    }

    /// The time for the wrap-up is over.
    pub(crate) fn wrap_up_expired(&mut self, index: AgentIndex) {
        self.wrap_up_is_over(index, WrapUpEnd::Timer);
    }

    pub(crate) fn wrap_up_is_over(&mut self, index: AgentIndex, by: WrapUpEnd) {
        let Some(agent) = self.agents.get(index) else { return };
        let Activity::WrapUp { interaction, .. } = agent.activity else { return };
        self.record_end(index, interaction, agent.since, by);
        self.with_interaction(interaction, |center, interaction| {
            interaction.wrapping_up = None;
            center.close_if_done(interaction);
        });
    }

    fn record_end(&mut self, index: AgentIndex, interaction: InteractionId, since: Timestamp, by: WrapUpEnd) {
        let now = self.journal.now();
        let Some(agent) = self.agents.get(index) else { return };
        let profile = agent.profile.clone();
        let then = self.free_agent(index, Activity::Idle { since: now });
        self.journal.record(FactKind::WrapUpEnded {
            interaction,
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            by,
            wrapped_us: now.micros_since(since),
            then,
        });
    }
}
