//! The center itself: inputs go in, outputs come out.

use std::sync::Arc;

use crate::acquaintance::Directory;
use crate::agent::{AgentAct, AgentCommand, Agents, Doing, PresenceReport};
use crate::call::{CallEvent, CallId, Cause, CauseKind, PartyId};
use crate::callback::Promises;
use crate::config::Config;
use crate::erase::Erasure;
use crate::fact::{FactKind, Missing};
use crate::id::{AgentIndex, InteractionId};
use crate::interaction::{Interaction, Interactions, Stage};
use crate::journal::{Journal, Output};
use crate::matching::Matching;
use crate::queue::Queues;
use crate::supervise::{Refusal, Subject, WorkCommand};
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
    pub(crate) acquaintances: Directory,
    pub(crate) promises: Promises,
}

/// Something that happened, or that somebody wants.
#[derive(Clone, Debug)]
pub enum Input {
    /// A door reports about a call.
    Call(CallEvent),
    /// Somebody wants something of an agent. A command that cannot be obeyed brings [`Output::Refused`].
    Agent(AgentCommand),
    /// Somebody wants something of a queue or of what waits in it. One that cannot be obeyed brings
    /// [`Output::Refused`].
    Work(WorkCommand),
    /// Another system tells the presence of an agent.
    Presence(PresenceReport),
    /// Personal data of an interaction is to be erased. What cannot be brings [`Output::Refused`].
    Erase(Erasure),
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
            Input::Work(command) => self.handle_work_command(command),
            Input::Presence(report) => self.presence_told(report),
            Input::Erase(erasure) => self.erase(erasure),
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
            acquaintances: Directory::default(),
            promises: Promises::default(),
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
            Stage::Closed => {
                self.forget_promise(&interaction);
                self.interactions.remove(&interaction);
            }
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
            CallEvent::Forwarded { party, .. } => self.forwarded(interaction, party),
            CallEvent::Joined { party, .. } => self.joined(interaction, party),
            CallEvent::Left { party, cause, .. } => self.left(interaction, party, cause),
            CallEvent::Played { party, play, outcome, .. } => {
                if Some(party) == interaction.customer {
                    self.played(interaction, play);
                } else {
                    self.played_to_agent(interaction, play, outcome);
                }
            }
            CallEvent::Collected { party, collect, digits, .. } => {
                if Some(party) == interaction.customer {
                    self.collected(interaction, collect, &digits);
                } else if interaction.offer_mut(party).is_some_and(|offer| offer.confirming == Some(collect))
                {
                    self.confirmed(interaction, party, &digits);
                }
            }
            CallEvent::Recorded { recording, end, length, .. } => {
                self.recorded(interaction, recording, end, length);
            }
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

    fn left(&mut self, interaction: &mut Interaction, party: PartyId, cause: Cause) {
        if self.rang_out(interaction, party) {
            return;
        }
        if Some(party) == interaction.customer {
            self.caller_left(interaction, cause);
        } else {
            self.party_left(interaction, party, cause);
        }
    }

    fn handle_command(&mut self, command: AgentCommand) {
        let AgentCommand { agent, act, by, why } = command;
        let done = match act {
            AgentAct::Choose(chosen) => self.choose(&agent, chosen, by, why),
            AgentAct::EndWrapUp { code, note } => self.end_wrap_up(&agent, code, note),
            AgentAct::ExtendWrapUp => self.extend_wrap_up(&agent),
        };
        if let Err(reason) = done {
            self.journal.output(Output::Refused(Refusal { subject: Subject::Agent(agent), reason }));
        }
    }

    /// Begins a call of the center's own for an interaction: draws its id and records it.
    pub(crate) fn place_call(&mut self, interaction: &mut Interaction, to: &crate::call::Endpoint) -> CallId {
        let now = self.journal.now();
        // A number and a moment that are used once give an id that is used once.
        let unique = now.as_micros().rotate_left(20) ^ (self.journal.number() + 1);
        let call = CallId(mix(unique ^ mix(self.config.salt())));
        self.journal.record(FactKind::CallPlaced { interaction: interaction.id, call, endpoint: to.clone() });
        interaction.call = Some(call);
        interaction.last_call = Some(call);
        interaction.customer = None;
        interaction.call_began_at = now;
        interaction.placed_calls = true;
        interaction.call_ends_at = Some(now + self.config.limits().call);
        interaction.parties = 0;
        self.interactions.know_call(call, interaction.id);
        call
    }

    /// The call of an interaction is over, or nobody's concern any more.
    pub(crate) fn forget_call(&mut self, interaction: &mut Interaction) {
        if let Some(call) = interaction.call.take() {
            self.interactions.forget_call(call);
        }
        interaction.customer = None;
        interaction.call_ends_at = None;
        interaction.playing = None;
        interaction.caller_held_since = None;
    }

    /// Everything that time can do.
    pub(crate) fn expire_due(&mut self) {
        let now = self.journal.now();
        while let Some(owner) = self.timers.due(now) {
            match owner {
                Owner::Agent(agent) => self.agent_expired(agent),
                Owner::Interaction(id) => self.with_interaction(id, Center::interaction_expired),
            }
        }
    }

    fn agent_expired(&mut self, index: AgentIndex) {
        let now = self.journal.now();
        let Some(agent) = self.agents.get(index) else { return };
        let due = |work: &crate::agent::Work| match &work.doing {
            Doing::WrapUp(wrap_up) if wrap_up.until <= now => Some(work.interaction),
            _ => None,
        };
        if let Some(interaction) = agent.work.iter().find_map(due) {
            self.wrap_up_expired(index, interaction);
        } else if agent.rest.is_some_and(|rest| rest.until.is_some_and(|until| until <= now)) {
            self.rest_ended(index);
        } else if agent.presence.as_ref().is_some_and(|told| told.until <= now) {
            self.presence_forgotten(index);
        }
    }

    fn interaction_expired(&mut self, interaction: &mut Interaction) {
        let now = self.journal.now();
        if interaction.ringing_out.iter().any(|ringing| ringing.until <= now) {
            self.ringing_out_expired(interaction);
        }
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let call_is_over = matches!(interaction.stage, Stage::Ending { .. } | Stage::Parked(_));
        if !call_is_over && due(interaction.call_ends_at) {
            interaction.deadline = None;
            return self.call_lasted_too_long(interaction);
        }
        if !due(interaction.deadline) {
            return;
        }
        interaction.deadline = None;
        match &interaction.stage {
            Stage::InFlow(_) => self.flow_expired(interaction),
            Stage::Waiting(_) => self.wait_goes_on(interaction),
            Stage::Offered(..) => {
                // Who must leave the queue leaves it before the next telephone rings.
                self.wait_goes_on(interaction);
                self.offers_lapse(interaction);
            }
            Stage::CallingBack(..) => self.calling_back_expired(interaction),
            Stage::Asking(_) => self.asking_expired(interaction),
            Stage::Parting(_) => {
                self.repaired(interaction, Missing::PlayEnd);
                self.hang_up(interaction);
            }
            Stage::Parked(_) => self.parked_expired(interaction),
            Stage::Scheduled(_) => self.scheduled_is_due(interaction),
            Stage::LeavingMessage(_) => self.message_expired(interaction),
            Stage::Redirecting(_) => self.redirect_expired(interaction),
            Stage::Connected(_) => self.transfer_expired(interaction),
            Stage::Transferred(_) => self.hand_over_expired(interaction),
            Stage::Ending { .. } => {
                self.repaired(interaction, Missing::CallEnd);
                self.call_ended(interaction, CauseKind::Lost.into());
            }
            Stage::BetweenSteps | Stage::WrapUp { .. } | Stage::Closed => {}
        }
    }
}

/// Spreads a number over all numbers, each to another and zero to zero (splitmix64's finalizer).
pub(crate) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
