//! The center itself: inputs go in, outputs come out.

use std::sync::Arc;

use crate::agent::{AgentAct, AgentCommand, Agents, Refusal};
use crate::call::{CallEvent, PartyId};
use crate::config::Config;
use crate::fact::Missing;
use crate::id::{AgentIndex, InteractionId};
use crate::interaction::{Interaction, Interactions, Stage};
use crate::journal::{Journal, Output};
use crate::matching::Matching;
use crate::queue::Queues;
use crate::timer::{Owner, Timers, Timestamp};

/// The contact center of one tenant.
///
/// It owns no clock, socket or thread: the shell hands in what happens and when, and fetches what is to be done.
/// After every [`handle_input`](Center::handle_input) and [`handle_timeout`](Center::handle_timeout) call
/// [`poll_output`](Center::poll_output) until it is empty, and [`poll_timeout`](Center::poll_timeout) to learn when
/// to come again. What an input makes possible, an agent freed for a caller who waits, is decided within that call.
///
/// A seed is not needed: nothing here is drawn by lot.
#[derive(Debug)]
pub struct Center {
    pub(crate) config: Arc<Config>,
    /// The number of the fact that brought the configuration.
    pub(crate) configuration: u64,
    pub(crate) agents: Agents,
    pub(crate) queues: Queues,
    pub(crate) interactions: Interactions,
    pub(crate) matching: Matching,
    pub(crate) timers: Timers,
    pub(crate) journal: Journal,
}

/// Something that happened, or that somebody wants.
#[derive(Clone, Debug)]
pub enum Input {
    /// A door reports about a call.
    Call(CallEvent),
    /// Somebody wants something of an agent. A command that cannot be obeyed brings [`Output::Refused`].
    Agent(AgentCommand),
    /// A new configuration comes into force. Calls go on; what the new one no longer has lets go of its callers
    /// and agents when they are free.
    Configure(Arc<Config>),
}

impl Center {
    /// A center with nothing behind it: the first start of a tenant.
    ///
    /// The configuration and the states in which its agents start are facts, and wait to be fetched.
    pub fn new(config: Arc<Config>, now: Timestamp) -> Center {
        let mut center = Center::empty(config.clone(), Journal::new(0, now));
        center.configure(config, true);
        center
    }

    /// Takes in something that happened at `now`.
    ///
    /// A moment before the latest that was seen is read as the latest. Events about calls that are unknown, over,
    /// or already further are ignored.
    pub fn handle_input(&mut self, now: Timestamp, input: Input) {
        self.journal.advance(now);
        match input {
            Input::Call(event) => self.handle_call(event),
            Input::Agent(command) => self.handle_command(command),
            Input::Configure(config) => self.configure(config, false),
        }
        self.expire_due();
        self.match_waiting();
    }

    /// Does what is due at `now`. Early and repeated calls are harmless.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.journal.advance(now);
        self.expire_due();
        self.match_waiting();
    }

    /// The next thing to be done or told; `None` when there is nothing more.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.journal.poll()
    }

    /// When [`handle_timeout`](Center::handle_timeout) is to be called if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// The latest moment that the center has seen; it takes no earlier one for true.
    pub fn now(&self) -> Timestamp {
        self.journal.now()
    }

    /// The number of the last fact.
    pub fn fact_number(&self) -> u64 {
        self.journal.number()
    }

    pub(crate) fn empty(config: Arc<Config>, journal: Journal) -> Center {
        Center {
            config,
            configuration: 0,
            agents: Agents::default(),
            queues: Queues::default(),
            interactions: Interactions::default(),
            matching: Matching::default(),
            timers: Timers::default(),
            journal,
        }
    }

    /// Works on one open interaction, and forgets it if it was closed by that.
    pub(crate) fn with_interaction(
        &mut self,
        id: InteractionId,
        act: impl FnOnce(&mut Center, &mut Interaction),
    ) {
        let Some(mut interaction) = self.interactions.take(id) else { return };
        act(self, &mut interaction);
        self.settle(interaction);
    }

    /// Puts an interaction that was worked on where it belongs.
    pub(crate) fn settle(&mut self, mut interaction: Box<Interaction>) {
        let expires_at = interaction.expires_at();
        self.timers.reset(Owner::Interaction(interaction.id), interaction.timer, expires_at);
        interaction.timer = expires_at;
        match interaction.stage {
            Stage::Closed => self.interactions.remove(&interaction),
            _ => self.interactions.put(interaction),
        }
    }

    fn handle_call(&mut self, event: CallEvent) {
        if let CallEvent::Arrived(arrival) = event {
            return self.arrive(arrival);
        }
        let Some(id) = self.interactions.of_call(event.call()) else { return };
        self.with_interaction(id, |center, interaction| center.handle_event(interaction, event));
    }

    fn handle_event(&mut self, interaction: &mut Interaction, event: CallEvent) {
        match event {
            CallEvent::Arrived(_) => {}
            CallEvent::Answered { .. } => self.answered(interaction),
            CallEvent::Ringing { party, .. } => self.ringing(interaction, party),
            CallEvent::Joined { party, .. } => self.joined(interaction, party),
            CallEvent::Left { party: PartyId::FIRST, cause, .. } => self.caller_left(interaction, cause),
            CallEvent::Left { party, cause, .. } => self.party_left(interaction, party, cause),
            CallEvent::Played { party: PartyId::FIRST, play, .. } => self.played(interaction, play),
            CallEvent::Played { .. } | CallEvent::Forwarded { .. } | CallEvent::Recorded { .. } => {}
            CallEvent::Collected { collect, digits, .. } => self.collected(interaction, collect, &digits),
            CallEvent::Held { party, silent, .. } => self.held(interaction, party, silent),
            CallEvent::Resumed { party, .. } => self.resumed(interaction, party),
            CallEvent::TransferAsked { party, transfer, target, .. } => {
                self.transfer_asked(interaction, party, transfer, target);
            }
            CallEvent::TransferEnded { transfer, outcome, .. } => {
                self.transfer_ended(interaction, transfer, outcome);
            }
            CallEvent::Quality { party, quality, .. } => self.quality(interaction, party, quality),
            CallEvent::Ended { cause, .. } => self.call_ended(interaction, cause),
        }
    }

    fn handle_command(&mut self, command: AgentCommand) {
        let AgentCommand { agent, act, by } = command;
        let done = match act {
            AgentAct::Choose(chosen) => self.choose(&agent, chosen, by),
            AgentAct::EndWrapUp => self.end_wrap_up(&agent),
        };
        if let Err(reason) = done {
            self.journal.output(Output::Refused(Refusal { agent, reason }));
        }
    }

    /// Everything that time can do.
    fn expire_due(&mut self) {
        let now = self.journal.now();
        while let Some(owner) = self.timers.due(now) {
            match owner {
                Owner::Agent(agent) => self.agent_expired(agent),
                Owner::Interaction(id) => self.with_interaction(id, Center::interaction_expired),
            }
        }
    }

    fn agent_expired(&mut self, index: AgentIndex) {
        use crate::agent::Activity;
        match self.agents.get(index).map(|agent| agent.activity) {
            Some(Activity::Resting { .. }) => self.rest_ended(index),
            Some(Activity::WrapUp { .. }) => self.wrap_up_expired(index),
            Some(Activity::Idle { .. } | Activity::Offered { .. } | Activity::Talking { .. }) | None => {}
        }
    }

    fn interaction_expired(&mut self, interaction: &mut Interaction) {
        interaction.deadline = None;
        let ending = matches!(interaction.stage, Stage::Ending { .. });
        if !ending && interaction.call_ends_at <= self.journal.now() {
            return self.call_lasted_too_long(interaction);
        }
        match &interaction.stage {
            Stage::InFlow(_) => self.flow_expired(interaction),
            Stage::Waiting(visit) => {
                let visit = visit.clone();
                self.flow_out(interaction, &visit, crate::fact::QueueExit::WaitedTooLong);
            }
            Stage::Offered(..) => self.offer_lapsed(interaction),
            Stage::Connected(_) => self.transfer_expired(interaction),
            Stage::Transferred(_) => self.hand_over_expired(interaction),
            Stage::Ending { .. } => {
                self.repaired(interaction, Missing::CallEnd);
                self.call_ended(interaction, crate::call::CauseKind::Lost.into());
            }
            Stage::BetweenSteps | Stage::WrapUp { .. } | Stage::Closed => {}
        }
    }
}
