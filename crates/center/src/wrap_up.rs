//! Wrap-up: the time an agent has after a conversation to finish the work.

use std::sync::Arc;

use crate::agent::{AgentAct, Doing, WrapUp};
use crate::center::Center;
use crate::fact::{FactKind, WrapUpEnd};
use crate::id::{AgentId, AgentIndex, CodeId, InteractionId};
use crate::interaction::Conversation;
use crate::personal::Personal;
use crate::supervise::RefusalReason;

/// What an agent says at the end of a wrap-up.
#[derive(Debug, Default)]
struct Said {
    code: Option<CodeId>,
    note: Option<Personal<Arc<str>>>,
}

impl Center {
    /// The wrap-up that follows a conversation, if one does.
    pub(crate) fn wrap_up_after(&self, conversation: &Conversation) -> Option<WrapUp> {
        let now = self.journal.now();
        let rules = conversation.rules.clone();
        let time = rules.wrap_up.time;
        (!time.is_zero()).then(|| WrapUp { rules, since: now, until: now + time, extensions: 0 })
    }

    /// The agent, or somebody for the agent, ends the wrap-up.
    pub(crate) fn end_wrap_up(
        &mut self,
        agent: &AgentId,
        code: Option<CodeId>,
        note: Option<Personal<Arc<str>>>,
    ) -> Result<(), RefusalReason> {
        let (index, interaction, wrap_up) = self.wrap_up_of(agent)?;
        let rules = &wrap_up.rules.wrap_up;
        if let Some(code) = &code
            && !rules.codes.contains(code)
        {
            return Err(RefusalReason::UnknownCode);
        }
        if code.is_none() && rules.code_required {
            return Err(RefusalReason::CodeRequired);
        }
        let text = note.as_ref().and_then(|note| note.reveal());
        if text.is_some_and(|text| text.len() > AgentAct::NOTE_BYTES_MAX) {
            return Err(RefusalReason::NoteTooLong);
        }
        self.wrap_up_is_over(index, interaction, WrapUpEnd::Command, Said { code, note });
        Ok(())
    }

    /// The agent takes more time for the wrap-up.
    pub(crate) fn extend_wrap_up(&mut self, agent: &AgentId) -> Result<(), RefusalReason> {
        let (index, id, wrap_up) = self.wrap_up_of(agent)?;
        let rules = &wrap_up.rules.wrap_up;
        if rules.extend.is_zero() || wrap_up.extensions >= rules.extensions {
            return Err(RefusalReason::NoMoreTime);
        }
        let until = wrap_up.until + rules.extend;
        self.change_agent(index, |agent| {
            if let Some(Doing::WrapUp(wrap_up)) = agent.work_mut(id).map(|work| &mut work.doing) {
                wrap_up.until = until;
                wrap_up.extensions += 1;
            }
        });
        let Some(agent) = self.agents.get(index) else { return Ok(()) };
        let (profile, then) = (agent.profile.clone(), agent.state());
        self.journal.record(FactKind::WrapUpExtended {
            interaction: id,
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            until,
            then,
        });
        Ok(())
    }

    /// The wrap-up that has gone on longest.
    fn wrap_up_of(&self, agent: &AgentId) -> Result<(AgentIndex, InteractionId, WrapUp), RefusalReason> {
        let index = self.agents.index(agent).ok_or(RefusalReason::UnknownAgent)?;
        let agent = self.agents.get(index).ok_or(RefusalReason::UnknownAgent)?;
        let wrap_up = agent.work.iter().find_map(|work| match &work.doing {
            Doing::WrapUp(wrap_up) => Some((index, work.interaction, wrap_up.clone())),
            Doing::Offered | Doing::Talking => None,
        });
        wrap_up.ok_or(RefusalReason::NotInWrapUp)
    }

    /// The time for the wrap-up is over.
    pub(crate) fn wrap_up_expired(&mut self, index: AgentIndex, interaction: InteractionId) {
        self.wrap_up_is_over(index, interaction, WrapUpEnd::Timer, Said::default());
    }

    /// All wrap-ups of an agent are over: the agent says "available".
    pub(crate) fn end_wrap_ups(&mut self, index: AgentIndex) {
        let Some(agent) = self.agents.get(index) else { return };
        let in_wrap_up = |work: &crate::agent::Work| match &work.doing {
            // Where something has to be said about the conversation, saying "available" is not enough.
            Doing::WrapUp(wrap_up) if !wrap_up.rules.wrap_up.code_required => Some(work.interaction),
            _ => None,
        };
        let all: Vec<InteractionId> = agent.work.iter().filter_map(in_wrap_up).collect();
        for interaction in all {
            self.wrap_up_is_over(index, interaction, WrapUpEnd::Command, Said::default());
        }
    }

    /// Ends the wrap-up of an agent who is about to be rung for the same customer again; `false` if there is none.
    pub(crate) fn takes_up_again(&mut self, index: AgentIndex, id: InteractionId) -> bool {
        let Some(agent) = self.agents.get(index) else { return false };
        let wraps_up =
            agent.work.iter().any(|work| work.interaction == id && matches!(work.doing, Doing::WrapUp(_)));
        if wraps_up {
            self.wrap_up_is_over(index, id, WrapUpEnd::TakenUp, Said::default());
        }
        wraps_up
    }

    fn wrap_up_is_over(&mut self, index: AgentIndex, id: InteractionId, by: WrapUpEnd, said: Said) {
        let now = self.journal.now();
        let Some(agent) = self.agents.get_mut(index) else { return };
        let profile = agent.profile.clone();
        let Some(Doing::WrapUp(wrap_up)) = agent.work_mut(id).map(|work| work.doing.clone()) else { return };
        let wrapped_us = now.micros_since(wrap_up.since);
        let then = self.free_agent(index, id, |agent| agent.idle_since = now);
        let queue = &wrap_up.rules.id;
        if let Some(queue) = self.queues.index(queue).and_then(|index| self.queues.get_mut(index)) {
            queue.pace.wrapped_up(wrapped_us);
        }
        self.journal.record(FactKind::WrapUpEnded {
            interaction: id,
            agent: profile.id.clone(),
            agent_name: profile.name.clone(),
            queue: Some(queue.clone()),
            by,
            wrapped_us,
            code: said.code,
            note: said.note,
            then,
        });
        self.with_interaction(id, |center, interaction| {
            interaction.wrapping_up.retain(|agent| *agent != index);
            center.close_if_done(interaction);
        });
    }
}
