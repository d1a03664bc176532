//! Restart: from the facts of the journal to a center that takes new calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::agent::{Activity, AgentState};
use crate::call::CauseKind;
use crate::center::Center;
use crate::config::{AgentProfile, Config, Document};
use crate::fact::{EndWhy, EndedBy, Fact, FactKind, OfferOutcome, Outcome, QueueExit, WrapUpEnd};
use crate::id::{AgentId, InteractionId, QueueId};
use crate::interaction::{Caller, Interaction, Stage};
use crate::journal::{Journal, Output};
use crate::timer::Timestamp;
use crate::view::{AgentView, InteractionView, Live, StageView, View};

impl Center {
    /// A center that goes on where the facts end. See [`Center::resume`].
    pub fn restore(config: Arc<Config>, now: Timestamp, facts: impl IntoIterator<Item = Fact>) -> Center {
        let mut view = View::default();
        for fact in facts {
            view.apply(&Arc::new(fact));
        }
        Center::resume(config, now, &view)
    }

    /// A center that goes on from the view of all facts so far, after the program was stopped or killed.
    ///
    /// Calls do not live through a restart: every interaction whose call was live is closed as lost, its agent is
    /// free. Agents stay what they were; a wrap-up or rest goes on to its end. What that takes is facts, which wait
    /// to be fetched, with that of the configuration if it differs from the last.
    pub fn resume(config: Arc<Config>, now: Timestamp, view: &View) -> Center {
        let Some(document) = &view.document else { return Center::new(config, now) };
        let mut aftermath = Aftermath::of(view, document, now);
        aftermath.close_lost();
        aftermath.end_wrap_ups_of_others_than(config.agents());
        let Aftermath { live, journal, .. } = aftermath;
        let mut center = Center::empty(config.clone(), journal);
        center.configuration = live.configuration;
        if document != config.document() {
            center.record_configuration();
        }
        center.configure_queues(&config);
        for profile in config.agents() {
            if let Some(agent) = live.agents.get(&profile.id) {
                center.reinstate(profile, agent);
            }
        }
        for (id, interaction) in &live.interactions {
            center.take_up(*id, interaction);
        }
        center.configure_agents(&config);
        center
    }

    fn reinstate(&mut self, profile: &Arc<AgentProfile>, agent: &AgentView) {
        let activity = match &agent.state {
            AgentState::Available { idle_since } => Activity::Idle { since: *idle_since },
            AgentState::Resting { after, until } => Activity::Resting { after: *after, until: *until },
            AgentState::WrapUp { interaction, until } => {
                Activity::WrapUp { interaction: *interaction, until: *until }
            }
            AgentState::Offline
            | AgentState::Break { .. }
            | AgentState::Offered { .. }
            | AgentState::InConversation { .. }
            | AgentState::Gone => Activity::Idle { since: agent.since },
        };
        self.install(profile.clone(), agent.chosen.clone(), activity, agent.since);
    }

    /// Takes up an interaction of which only a wrap-up goes on.
    fn take_up(&mut self, id: InteractionId, view: &InteractionView) {
        let StageView::WrapUp { outcome } = view.stage else { return };
        let Some(agent) = view.wrapping_up.as_ref().and_then(|agent| self.agents.index(agent)) else {
            return;
        };
        let caller = Caller {
            line: view.line.clone(),
            from: view.from.clone(),
            from_name: view.from_name.clone(),
            to: view.to.clone(),
            flow: view.flow.clone(),
        };
        let mut interaction = Interaction::begun(id, view.call, caller, view.arrived_at);
        interaction.answered = view.answered;
        interaction.caller_held_since = view.caller_held_since;
        interaction.stage = Stage::WrapUp { outcome };
        interaction.wrapping_up = Some(agent);
        self.settle(Box::new(interaction));
    }
}

/// What a stopped center left behind, while it is being put in order.
struct Aftermath<'a> {
    live: Live,
    journal: Journal,
    /// The agents of the configuration that was in force; others were only to finish what they did.
    employed: BTreeSet<&'a AgentId>,
}

impl<'a> Aftermath<'a> {
    fn of(view: &View, document: &'a Document, now: Timestamp) -> Aftermath<'a> {
        let live = view.live.clone();
        let mut journal = Journal::new(live.number, view.at);
        journal.advance(now);
        let employed = document.agents.iter().map(|agent| &agent.id).collect();
        Aftermath { live, journal, employed }
    }

    fn close_lost(&mut self) {
        for (id, interaction) in self.live.interactions.clone() {
            let outcome = match interaction.stage {
                StageView::WrapUp { outcome } => outcome,
                _ => self.end_call(id, &interaction),
            };
            if self.live.interactions.get(&id).is_some_and(|after| after.wrapping_up.is_none()) {
                self.record(FactKind::Closed { interaction: id, outcome });
            }
        }
    }

    fn end_call(&mut self, id: InteractionId, view: &InteractionView) -> Outcome {
        let outcome = match view.stage {
            StageView::Ending { outcome, .. } => outcome,
            _ => {
                let (why, cause) = (EndWhy::Lost, Some(CauseKind::Restarted.into()));
                self.record(FactKind::Ending { interaction: id, why, cause, outcome: Outcome::Lost });
                Outcome::Lost
            }
        };
        self.release(id);
        self.record(FactKind::CallEnded {
            interaction: id,
            call: view.call,
            cause: CauseKind::Restarted.into(),
            lasted_us: self.journal.now().micros_since(view.arrived_at),
        });
        outcome
    }

    /// Lets go of everything that the end of a call has to let go of.
    fn release(&mut self, id: InteractionId) {
        let Some(interaction) = self.live.interactions.get(&id) else { return };
        let StageView::Ending { stay, offer, conversation, .. } = interaction.stage.clone() else { return };
        let now = self.journal.now();
        if let Some(stay) = stay {
            self.record(FactKind::QueueLeft {
                interaction: id,
                queue_name: self.queue_name(&stay.queue),
                queue: stay.queue,
                reason: QueueExit::Lost,
                waited_us: now.micros_since(stay.entered_at),
            });
        }
        if let Some(ringing) = offer {
            let offer = ringing.offer;
            self.record(FactKind::OfferEnded {
                interaction: id,
                queue: ringing.queue,
                agent_name: self.agent_name(&offer.agent),
                outcome: OfferOutcome::Lost,
                cause: Some(CauseKind::Restarted.into()),
                rang_us: now.micros_since(offer.offered_at),
                then: self.idle_state(&offer.agent),
                agent: offer.agent,
            });
        }
        if let Some(talk) = conversation {
            let held_us = talk.held_us + talk.held_since.map_or(0, |since| now.micros_since(since));
            self.record(FactKind::ConversationEnded {
                interaction: id,
                queue: talk.queue,
                agent_name: self.agent_name(&talk.agent),
                by: EndedBy::Lost,
                cause: CauseKind::Restarted.into(),
                talked_us: now.micros_since(talk.connected_at).saturating_sub(held_us),
                held_us,
                then: self.idle_state(&talk.agent),
                agent: talk.agent,
            });
        }
    }

    fn end_wrap_ups_of_others_than(&mut self, known: &[Arc<AgentProfile>]) {
        for (agent, view) in self.live.agents.clone() {
            let AgentState::WrapUp { interaction, .. } = view.state else { continue };
            if known.iter().any(|profile| profile.id == agent) {
                continue;
            }
            self.record(FactKind::WrapUpEnded {
                interaction,
                agent,
                agent_name: view.name,
                by: WrapUpEnd::AgentGone,
                wrapped_us: self.journal.now().micros_since(view.since),
                then: AgentState::Gone,
            });
            let stage = self.live.interactions.get(&interaction).map(|interaction| interaction.stage.clone());
            if let Some(StageView::WrapUp { outcome }) = stage {
                self.record(FactKind::Closed { interaction, outcome });
            }
        }
    }

    fn record(&mut self, kind: FactKind) {
        let fact = self.journal.next(kind);
        self.live.apply(&fact);
        self.journal.output(Output::Fact(fact));
    }

    fn idle_state(&self, agent: &AgentId) -> AgentState {
        let now = self.journal.now();
        match self.live.agents.get(agent) {
            Some(view) if self.employed.contains(agent) => view.chosen.when_idle(now),
            _ => AgentState::Gone,
        }
    }

    fn agent_name(&self, agent: &AgentId) -> Arc<str> {
        self.live.agents.get(agent).map_or_else(|| agent.as_str().into(), |agent| agent.name.clone())
    }

    fn queue_name(&self, queue: &QueueId) -> Arc<str> {
        self.live.queues.get(queue).map_or_else(|| queue.as_str().into(), |queue| queue.name.clone())
    }
}
