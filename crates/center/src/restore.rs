//! Restart: from the facts of the journal to a center that takes new calls.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::acquaintance::Directory;
use crate::agent::{AgentState, Doing, Rest, Work, WrapUp};
use crate::call::CauseKind;
use crate::center::Center;
use crate::channel::Channel;
use crate::config::{AgentProfile, Config, Document};
use crate::duty::Standing;
use crate::fact::{EndWhy, EndedBy, Fact, FactKind, OfferOutcome, Outcome, QueueExit, WrapUpEnd};
use crate::id::{AgentId, InteractionId, QueueId};
use crate::interaction::{Caller, Interaction, Message, Promise, Stage, Ticket};
use crate::journal::{Journal, Output};
use crate::timer::Timestamp;
use crate::view::{
    AgentView, ConversationView, DoingView, InteractionView, Live, OfferView, StageView, TicketView, View,
};

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
    /// Calls do not live through a restart: every interaction whose customer was in a call is closed as lost, its agent
    /// is free. Who was promised to be called back, and messages, wait on in their places. Agents stay what they were; a wrap-up or rest goes on to its end. What that takes is facts, which wait
    /// to be fetched, with that of the configuration if it differs from the last.
    pub fn resume(config: Arc<Config>, now: Timestamp, view: &View) -> Center {
        let Some(document) = &view.document else { return Center::new(config, now) };
        let mut aftermath = Aftermath::of(view, document, now);
        aftermath.close_lost();
        aftermath.end_orphaned_wrap_ups(&config);
        let Aftermath { live, journal, .. } = aftermath;
        let mut center = Center::empty(config.clone(), journal);
        center.configuration = live.configuration;
        if document != config.document() {
            center.record_configuration();
        }
        center.configure_queues(&config);
        center.acquaintances = Directory::of(view.acquaintances.clone());
        for (id, view) in &live.queues {
            let queue = center.queues.index(id).and_then(|index| center.queues.get_mut(index));
            if let Some(queue) = queue {
                // A switch that somebody has turned is not turned back by a restart.
                if view.configured_closed == queue.rules.closed {
                    queue.closed = view.closed;
                }
                queue.pace = view.pace;
                queue.turn = view.turn;
            }
        }
        for profile in config.agents() {
            if let Some(agent) = live.agents.get(&profile.id) {
                center.reinstate(profile, agent, &live);
            }
        }
        // Who enters a queue now comes after those who are in it.
        let waits =
            |(_, view): &(&InteractionId, &InteractionView)| matches!(view.stage, StageView::Waiting(_));
        let (waiting, others): (Vec<_>, Vec<_>) = live.interactions.iter().partition(waits);
        for (id, interaction) in waiting.into_iter().chain(others) {
            center.take_up(*id, interaction);
        }
        center.configure_agents(&config);
        center.expire_due();
        center.match_waiting();
        center
    }

    fn reinstate(&mut self, profile: &Arc<AgentProfile>, agent: &AgentView, live: &Live) {
        let rest = agent.rest.or(agent.state.rest());
        let idle_since = match agent.state {
            AgentState::Available { idle_since } => idle_since,
            _ => agent.since,
        };
        let work = agent.work.iter().filter_map(|work| {
            let DoingView::WrapUp { since, until, queue } = &work.doing else { return None };
            let rules = self.rules_of(queue)?;
            let channel = live.interactions.get(&work.interaction).map_or(Channel::Call, |view| view.channel);
            let wrap_up = WrapUp { rules, since: *since, until: *until, extensions: 0 };
            Some(Work { interaction: work.interaction, channel, doing: Doing::WrapUp(wrap_up) })
        });
        let standing = Standing {
            chosen: agent.chosen.clone(),
            idle_since,
            rest,
            presence: agent.presence.clone(),
            work: work.collect(),
            since: agent.since,
            record: agent.record.clone(),
        };
        self.install(profile.clone(), standing);
    }

    /// The rules of a queue.
    fn rules_of(&self, queue: &QueueId) -> Option<Arc<crate::config::QueueRules>> {
        let index = self.queues.index(queue)?;
        Some(self.queues.get(index)?.rules.clone())
    }

    /// Takes up an interaction that goes on without a call: a wrap-up, a promise, a message.
    fn take_up(&mut self, id: InteractionId, view: &InteractionView) {
        let caller = Caller {
            line: view.line.clone(),
            from: view.from.clone(),
            from_name: view.from_name.clone(),
            to: view.to.clone(),
            flow: view.flow.clone(),
        };
        let mut interaction = Box::new(Interaction::begun(id, caller, view.arrived_at));
        interaction.channel = view.channel;
        interaction.last_call = view.call;
        interaction.answered = view.answered;
        interaction.handled = view.handled;
        interaction.attributes = view.attributes.clone();
        interaction.waited = Duration::from_micros(view.waited_us);
        interaction.placed_calls = view.call_began_at.is_some();
        interaction.call_began_at = view.call_began_at.unwrap_or(view.arrived_at);
        interaction.wrapping_up =
            view.wrapping_up.iter().filter_map(|agent| self.agents.index(agent)).collect();
        interaction.callback = view.callback.as_ref().map(|promise| Promise {
            line: promise.line.clone(),
            to: promise.to.clone(),
            attempts: promise.attempts,
        });
        interaction.message = view.message.as_ref().map(|message| Message {
            queue: message.queue.clone(),
            recording: message.recording,
            length: Duration::from_micros(message.length_us),
        });
        if let (Some(promise), Some(queue)) = (&interaction.callback, view.stage.promised_in()) {
            self.promises.given(&promise.to, queue, id);
        }
        match &view.stage {
            StageView::WrapUp { outcome } => interaction.stage = Stage::WrapUp { outcome: *outcome },
            StageView::Waiting(stay) => self.take_up_place(&mut interaction, stay),
            StageView::Parked(ticket) => self.stand_in_line(&mut interaction, Ticket::of(ticket)),
            StageView::Scheduled { at, ticket } => {
                interaction.deadline = Some(*at);
                interaction.stage = Stage::Scheduled(Ticket::of(ticket));
            }
            _ => return,
        }
        self.settle(interaction);
    }
}

impl Ticket {
    fn of(view: &TicketView) -> Ticket {
        Ticket {
            queue: view.queue.clone(),
            waiting_since: view.waiting_since,
            priority: view.priority,
            vip: view.vip,
            terms: view.terms.clone(),
        }
    }
}

impl StageView {
    fn promised_in(&self) -> Option<&QueueId> {
        match self {
            StageView::Parked(ticket) | StageView::Scheduled { ticket, .. } => Some(&ticket.queue),
            _ => self.stay().map(|stay| &stay.queue),
        }
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
            if interaction.goes_on_without_a_call() {
                self.let_wait(id, &interaction);
                continue;
            }
            let outcome = match interaction.stage {
                StageView::WrapUp { outcome } => outcome,
                _ => self.end_call(id, &interaction),
            };
            let ringing_out = self.live.interactions.get(&id).map(|after| after.ringing_out.clone());
            for ringing in ringing_out.unwrap_or_default() {
                self.lose_offer(id, &ringing.queue, ringing.offer, ringing.outcome);
            }
            if self.live.interactions.get(&id).is_some_and(|after| after.wrapping_up.is_empty()) {
                self.record(FactKind::Closed { interaction: id, outcome });
            }
        }
    }

    /// Lets something wait on that needs no call to wait: only what was being done about it is over.
    fn let_wait(&mut self, id: InteractionId, view: &InteractionView) {
        match &view.stage {
            StageView::Offered { stay, offers } => {
                for offer in offers.clone() {
                    self.lose_offer(id, &stay.queue, offer, OfferOutcome::Lost);
                }
            }
            StageView::CallingBack { stay, offer, .. } => {
                self.lose_offer(id, &stay.queue, offer.clone(), OfferOutcome::Lost);
            }
            StageView::Parked(_) if view.in_call => self.record_call_end(id, view),
            StageView::Connected { conversation } => {
                self.lose_conversation(id, conversation.clone());
                self.record_call_end(id, view);
            }
            _ => {}
        }
        for ringing in view.ringing_out.clone() {
            self.lose_offer(id, &ringing.queue, ringing.offer, ringing.outcome);
        }
    }

    fn end_call(&mut self, id: InteractionId, view: &InteractionView) -> Outcome {
        let outcome = match view.stage {
            StageView::Ending { outcome, .. } => outcome,
            _ => {
                let (why, cause) = (EndWhy::Lost, Some(CauseKind::Restarted.into()));
                // Who has talked to an agent before and is in no conversation now was served.
                let talking =
                    matches!(view.stage, StageView::Connected { .. } | StageView::Transferred { .. });
                let outcome = if view.handled && !talking { Outcome::Handled } else { Outcome::Lost };
                self.record(FactKind::Ending { interaction: id, why, cause, outcome });
                outcome
            }
        };
        self.release(id);
        self.record_call_end(id, view);
        outcome
    }

    fn record_call_end(&mut self, id: InteractionId, view: &InteractionView) {
        let Some(call) = view.call else { return };
        let began_at = view.call_began_at.unwrap_or(view.arrived_at);
        self.record(FactKind::CallEnded {
            interaction: id,
            call,
            cause: CauseKind::Restarted.into(),
            lasted_us: self.journal.now().micros_since(began_at),
        });
    }

    /// Lets go of everything that the end of a call has to let go of.
    fn release(&mut self, id: InteractionId) {
        let Some(interaction) = self.live.interactions.get(&id) else { return };
        let StageView::Ending { stay, conversation, .. } = interaction.stage.clone() else { return };
        let now = self.journal.now();
        if let Some(stay) = stay {
            self.record(FactKind::QueueLeft {
                interaction: id,
                queue_name: self.queue_name(&stay.queue),
                queue: stay.queue,
                reason: QueueExit::Lost,
                waited_us: now.micros_since(stay.entered_at),
                why: None,
            });
        }
        if let Some(talk) = conversation {
            self.lose_conversation(id, talk);
        }
    }

    fn lose_conversation(&mut self, id: InteractionId, talk: ConversationView) {
        let now = self.journal.now();
        let held_us = talk.held_us + talk.held_since.map_or(0, |since| now.micros_since(since));
        self.record(FactKind::ConversationEnded {
            interaction: id,
            queue: talk.queue,
            agent_name: self.agent_name(&talk.agent),
            by: EndedBy::Lost,
            cause: CauseKind::Restarted.into(),
            talked_us: now.micros_since(talk.connected_at).saturating_sub(held_us),
            held_us,
            wrap_up_until: None,
            then: self.state_without(&talk.agent, id),
            agent: talk.agent,
        });
    }

    fn lose_offer(&mut self, id: InteractionId, queue: &QueueId, offer: OfferView, outcome: OfferOutcome) {
        let misses = self.live.agents.get(&offer.agent).map_or(0, |agent| agent.record.misses);
        self.record(FactKind::OfferEnded {
            interaction: id,
            queue: queue.clone(),
            agent_name: self.agent_name(&offer.agent),
            outcome,
            cause: Some(CauseKind::Restarted.into()),
            rang_us: self.journal.now().micros_since(offer.offered_at),
            misses,
            rest: None,
            then: self.state_without(&offer.agent, id),
            agent: offer.agent,
        });
    }

    /// Wrap-ups end of agents and queues that are not there any more.
    fn end_orphaned_wrap_ups(&mut self, config: &Config) {
        for (agent, view) in self.live.agents.clone() {
            let employed = config.agents().iter().any(|profile| profile.id == agent);
            for work in view.work {
                let DoingView::WrapUp { since, queue, .. } = work.doing else { continue };
                let by = match config.queues().iter().any(|rules| rules.id == queue) {
                    true if employed => continue,
                    _ if !employed => WrapUpEnd::AgentGone,
                    _ => WrapUpEnd::QueueGone,
                };
                let interaction = work.interaction;
                self.record(FactKind::WrapUpEnded {
                    interaction,
                    agent: agent.clone(),
                    agent_name: view.name.clone(),
                    queue: Some(queue),
                    by,
                    wrapped_us: self.journal.now().micros_since(since),
                    code: None,
                    note: None,
                    then: self.state_without(&agent, interaction),
                });
                let Some(view) = self.live.interactions.get(&interaction) else { continue };
                if let (StageView::WrapUp { outcome }, true) = (&view.stage, view.wrapping_up.is_empty()) {
                    let outcome = *outcome;
                    self.record(FactKind::Closed { interaction, outcome });
                }
            }
        }
    }

    fn record(&mut self, kind: FactKind) {
        let fact = self.journal.next(kind);
        self.live.apply(&fact);
        self.journal.output(Output::Fact(fact));
    }

    /// What an agent is who no longer does anything in this interaction.
    fn state_without(&self, agent: &AgentId, id: InteractionId) -> AgentState {
        let now = self.journal.now();
        let Some(view) = self.live.agents.get(agent) else { return AgentState::Gone };
        let rest: Vec<_> = view.work.iter().filter(|work| work.interaction != id).collect();
        let first = |is: fn(&DoingView) -> bool| rest.iter().find(|work| is(&work.doing));
        if let Some(work) = first(|doing| matches!(doing, DoingView::Talking)) {
            return AgentState::InConversation { interaction: work.interaction };
        }
        if let Some(work) = first(|doing| matches!(doing, DoingView::Offered)) {
            return AgentState::Offered { interaction: work.interaction };
        }
        if let Some(work) = rest.first()
            && let DoingView::WrapUp { until, .. } = work.doing
        {
            return AgentState::WrapUp { interaction: work.interaction, until };
        }
        if !self.employed.contains(agent) {
            return AgentState::Gone;
        }
        if let Some(Rest { after, until }) = view.rest {
            return AgentState::Resting { after, until };
        }
        view.chosen.when_idle(now, view.presence.as_ref())
    }

    fn agent_name(&self, agent: &AgentId) -> Arc<str> {
        self.live.agents.get(agent).map_or_else(|| agent.as_str().into(), |agent| agent.name.clone())
    }

    fn queue_name(&self, queue: &QueueId) -> Arc<str> {
        self.live.queues.get(queue).map_or_else(|| queue.as_str().into(), |queue| queue.name.clone())
    }
}

impl InteractionView {
    /// Whether it waits for an agent, or for its time, without the customer being in a call.
    fn goes_on_without_a_call(&self) -> bool {
        self.channel != Channel::Call
            && matches!(
                self.stage,
                StageView::Waiting(_)
                    | StageView::Offered { .. }
                    | StageView::CallingBack { .. }
                    | StageView::Parked(_)
                    | StageView::Scheduled { .. }
            )
            || self.message.is_some() && matches!(self.stage, StageView::Connected { .. })
    }
}
