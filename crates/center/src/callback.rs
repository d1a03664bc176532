//! Callbacks: the customer hangs up and keeps the place; an agent is rung first, then the customer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{
    Address, CallCommand, Cause, Collect, CollectId, Digits, Endpoint, LineName, PartyId, Removal,
};
use crate::center::Center;
use crate::channel::Channel;
use crate::config::QueueRules;
use crate::fact::{CallbackEnd, FactKind, Missing, OfferOutcome, Outcome, QueueExit};
use crate::id::{InteractionId, QueueId};
use crate::interaction::{Asking, Caller, CallingBack, Interaction, Offer, Promise, Stage, Ticket};
use crate::personal::Personal;
use crate::queue::Visit;
use crate::supervise::RefusalReason;
use crate::terms::{Person, Terms};
use crate::timer::Timestamp;
use crate::waiting::Onward;

/// The promises that are still to be kept, by whom they were given to: a customer has at most one in a queue.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    by_customer: BTreeMap<(Address, QueueId), InteractionId>,
}

impl Promises {
    fn len(&self) -> usize {
        self.by_customer.len()
    }

    fn of(&self, customer: &Address, queue: &QueueId) -> Option<InteractionId> {
        self.by_customer.get(&(customer.clone(), queue.clone())).copied()
    }

    fn all_of(&self, customer: &Address) -> Vec<InteractionId> {
        let first = (customer.clone(), QueueId::from(""));
        self.by_customer.range(first..).take_while(|((of, _), _)| of == customer).map(|(_, id)| *id).collect()
    }

    pub(crate) fn given(&mut self, customer: &Personal<Address>, queue: &QueueId, id: InteractionId) {
        if let Some(customer) = customer.reveal() {
            self.by_customer.insert((customer.clone(), queue.clone()), id);
        }
    }

    fn kept(&mut self, customer: &Personal<Address>, id: InteractionId) {
        if let Some(customer) = customer.reveal() {
            let customer = customer.clone();
            let kept: Vec<_> = self
                .by_customer
                .range((customer.clone(), QueueId::from(""))..)
                .take_while(|((of, _), _)| *of == customer)
                .filter(|(_, of)| **of == id)
                .map(|(key, _)| key.clone())
                .collect();
            for key in kept {
                self.by_customer.remove(&key);
            }
        }
    }
}

/// Callbacks that are still to be made: at so many no further one is scheduled, so that a program that schedules without
/// end takes no room from callers. What callers are promised themselves is not refused.
pub const CALLBACKS_MAX: usize = 50_000;

/// A call to a customer that somebody wants at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledCallback {
    /// The line over which the customer is called.
    pub line: LineName,
    /// Whom to call.
    pub to: Address,
    /// The customer's name; may be empty, at most 128 bytes.
    pub name: Arc<str>,
    /// The queue whose agents call.
    pub queue: QueueId,
    /// When it enters the queue; a moment that is over: now.
    pub due_at: Timestamp,
    /// From 1, first, to 5; none: as the queue says.
    pub priority: Option<u8>,
    /// Why, in the words of whoever wants it.
    pub why: Option<Arc<str>>,
}

impl Center {
    /// Asks somebody who waits whether to be called back instead; the wait goes on meanwhile.
    pub(crate) fn ask_in_queue(&mut self, interaction: &mut Interaction) {
        let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &interaction.stage else { return };
        let rules = visit.rules.clone();
        if !can_be_called(interaction) {
            return;
        }
        let Some(collect) = self.ask(interaction, &rules) else { return };
        if let Stage::Waiting(visit) | Stage::Offered(visit, _) = &mut interaction.stage {
            visit.asking = Some(collect);
        }
    }

    /// Asks somebody who cannot wait whether to be called back.
    pub(crate) fn ask_for_callback(
        &mut self,
        interaction: &mut Interaction,
        rules: &Arc<QueueRules>,
        ticket: Ticket,
        onward: Onward,
    ) {
        if !can_be_called(interaction) {
            return self.go_on(interaction, onward);
        }
        let Some(collect) = self.ask(interaction, rules) else { return self.go_on(interaction, onward) };
        interaction.deadline = Some(self.journal.now() + ASK_WAIT);
        interaction.stage = Stage::Asking(Asking { ticket, rules: rules.clone(), collect, onward });
    }

    fn ask(&mut self, interaction: &mut Interaction, rules: &QueueRules) -> Option<CollectId> {
        let callback = rules.callback.as_ref()?;
        let (call, party) = (interaction.call?, interaction.customer?);
        self.play(interaction, callback.offer.clone(), false);
        let collect = interaction.next_collection();
        let spec = Collect {
            max_digits: 1,
            terminator: None,
            first_timeout: KEY_WAIT,
            next_timeout: KEY_WAIT,
            barge_in: true,
            type_ahead: false,
        };
        self.journal.command(CallCommand::Collect { call, party, collect, spec });
        Some(collect)
    }

    /// Somebody who was asked pressed a key, or none.
    pub(crate) fn answered_whether_to_call_back(
        &mut self,
        interaction: &mut Interaction,
        collect: CollectId,
        digits: &Digits,
    ) {
        let key = digits.as_str().chars().next();
        let agrees = |rules: &QueueRules| {
            rules.callback.as_ref().is_some_and(|callback| Some(callback.key.as_char()) == key)
        };
        match &mut interaction.stage {
            Stage::Waiting(visit) | Stage::Offered(visit, _) if visit.asking == Some(collect) => {
                visit.asking = None;
                if !agrees(&visit.rules) {
                    return;
                }
                if let Some(visit) = self.leave_queue(interaction, QueueExit::CallbackPromised) {
                    self.promise(interaction, &visit.rules.clone(), visit.ticket());
                }
            }
            Stage::Asking(asking) if asking.collect == collect => {
                let agreed = agrees(&asking.rules);
                let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
                let Stage::Asking(asking) = stage else { return };
                if agreed {
                    self.promise(interaction, &asking.rules, asking.ticket);
                } else {
                    self.go_on(interaction, asking.onward);
                }
            }
            _ => {}
        }
    }

    /// Nobody answered whether to be called back, not even the door.
    pub(crate) fn asking_expired(&mut self, interaction: &mut Interaction) {
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let Stage::Asking(asking) = stage else { return };
        self.repaired(interaction, Missing::CollectEnd);
        self.go_on(interaction, asking.onward);
    }

    /// Promises to call back: the place is kept, and is stood in when the call is over.
    fn promise(&mut self, interaction: &mut Interaction, rules: &QueueRules, ticket: Ticket) {
        let Some(callback) = &rules.callback else { return self.hang_up(interaction) };
        let line = callback.line.clone().unwrap_or_else(|| interaction.caller.line.clone());
        let to = interaction.caller.from.clone();
        // A promise that was given before is kept by keeping this one, at the better place.
        let waiting_since = self
            .called_again(interaction, &ticket.queue)
            .map_or(ticket.waiting_since, |kept| kept.min(ticket.waiting_since));
        let ticket = Ticket { waiting_since, ..ticket };
        self.journal.record(FactKind::CallbackPromised {
            interaction: interaction.id,
            queue: ticket.queue.clone(),
            queue_name: rules.name.clone(),
            line: line.clone(),
            to: to.clone(),
            waiting_since: ticket.waiting_since,
            priority: ticket.priority,
            vip: ticket.vip,
            terms: ticket.terms.clone(),
        });
        self.promises.given(&to, &ticket.queue, interaction.id);
        interaction.channel = Channel::Callback;
        interaction.callback = Some(Promise { line, to, attempts: 0 });
        interaction.stage = Stage::Parked(ticket);
        match callback.confirm.clone() {
            Some(confirm) => {
                self.play(interaction, confirm, false);
                interaction.deadline = Some(self.journal.now() + CONFIRM_WAIT);
            }
            None => self.end_parked_call(interaction),
        }
    }

    /// Ends the call of a customer who has what is wanted for now.
    pub(crate) fn end_parked_call(&mut self, interaction: &mut Interaction) {
        if let Some(call) = interaction.call {
            interaction.playing = None;
            interaction.deadline = Some(self.journal.now() + PARKED_END_WAIT);
            self.journal.command(CallCommand::End { call });
        }
    }

    /// The call of a parked customer did not end, or what is played to the customer did not.
    pub(crate) fn parked_expired(&mut self, interaction: &mut Interaction) {
        self.repaired(interaction, Missing::CallEnd);
        self.end_parked_call(interaction);
        self.parked_call_ended(interaction, crate::call::CauseKind::Lost.into());
    }

    /// The call of a parked customer is over: the matter waits in the queue.
    pub(crate) fn parked_call_ended(&mut self, interaction: &mut Interaction, cause: Cause) {
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let Stage::Parked(ticket) = stage else { return };
        self.record_call_end(interaction, cause);
        self.all_rang_out(interaction);
        self.forget_call(interaction);
        self.stand_in_line(interaction, ticket);
    }

    /// Lets something without a call wait in its queue; if the queue is gone, it is over.
    pub(crate) fn stand_in_line(&mut self, interaction: &mut Interaction, ticket: Ticket) {
        let index = self.queues.index(&ticket.queue);
        match index.filter(|index| self.queues.get(*index).is_some_and(|queue| queue.open)) {
            Some(index) => self.take_place(interaction, index, ticket, Onward::default()),
            None => self.close_unserved(interaction, Outcome::Expired),
        }
    }

    /// The time of a callback has come.
    pub(crate) fn scheduled_is_due(&mut self, interaction: &mut Interaction) {
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        if let Stage::Scheduled(ticket) = stage {
            interaction.deadline = None;
            self.stand_in_line(interaction, ticket);
        }
    }

    /// An agent has taken a callback: the customer is rung.
    pub(crate) fn call_back(&mut self, interaction: &mut Interaction, visit: Visit, offer: Offer) {
        let now = self.journal.now();
        let rules = visit.rules.clone();
        let to = interaction.callback.as_ref().and_then(|promise| {
            Some(Endpoint { line: promise.line.clone(), address: promise.to.reveal()?.clone() })
        });
        let (Some(call), Some(to)) = (interaction.call, to) else {
            // Who was to be called has been erased: there is nobody to call.
            interaction.stage = Stage::Offered(visit, vec![offer]);
            return self.give_up_callback(interaction);
        };
        let party = interaction.next_party();
        let attempt = interaction.callback.as_mut().map_or(1, |promise| {
            promise.attempts = promise.attempts.saturating_add(1);
            promise.attempts
        });
        let callback = rules.callback.as_ref();
        let dialled = Some(interaction.caller.to.clone()).filter(|to| *to != Address::Anonymous);
        let presented = callback.and_then(|callback| callback.number.clone()).or(dialled);
        if let Some(intro) = callback.and_then(|callback| callback.intro.clone()) {
            let play = interaction.next_play();
            let party = PartyId::FIRST;
            self.journal.command(CallCommand::Play { call, party, play, prompts: intro, repeat: false });
        }
        self.journal.command(CallCommand::AddParty {
            call,
            party,
            to,
            presented,
            presented_name: None,
            apart: false,
        });
        let Some(agent) = self.agents.get(offer.agent) else { return };
        self.journal.record(FactKind::CallbackDialled {
            interaction: interaction.id,
            agent: agent.profile.id.clone(),
            agent_name: agent.profile.name.clone(),
            party,
            attempt,
        });
        let until = now + callback.map_or(RING_WAIT, |callback| callback.ring);
        interaction.deadline = Some(until);
        interaction.stage = Stage::CallingBack(visit, offer, CallingBack { customer: party });
    }

    /// The customer of a callback answered.
    pub(crate) fn called_back(&mut self, interaction: &mut Interaction) {
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let Stage::CallingBack(visit, offer, calling) = stage else { return };
        interaction.customer = Some(calling.customer);
        // The customer does not wait for the end of what the agent hears.
        if let (Some(call), true) = (interaction.call, has_intro(&visit)) {
            self.journal.command(CallCommand::StopPlay { call, party: offer.party });
        }
        self.connect(interaction, visit, &offer, Vec::new());
    }

    /// The customer of a callback did not answer.
    pub(crate) fn customer_not_reached(&mut self, interaction: &mut Interaction) {
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let Stage::CallingBack(visit, offer, _) = stage else { return };
        let now = self.journal.now();
        let attempt = interaction.callback.as_ref().map_or(1, |promise| promise.attempts);
        let callback = visit.rules.callback.as_ref();
        let most = callback.map_or(1, |callback| callback.attempts);
        let retry = callback.map_or(Duration::ZERO, |callback| callback.retry);
        let again_at = (attempt < most).then(|| now + retry);
        self.end_agents_call(interaction);
        self.end_offer(interaction, &visit.rules.id, &offer, OfferOutcome::CustomerNotReached, None);
        self.forget_place(interaction, &visit);
        self.record_exit(interaction, &visit, QueueExit::CustomerNotReached);
        self.journal.record(FactKind::CallbackMissed {
            interaction: interaction.id,
            queue: visit.rules.id.clone(),
            attempt,
            again_at,
        });
        match again_at {
            Some(at) => {
                interaction.deadline = Some(at);
                interaction.stage = Stage::Scheduled(visit.ticket());
            }
            None => self.close_unserved(interaction, Outcome::NotReached),
        }
    }

    /// The agent of a callback went before the customer answered: the next agent, and the customer keeps the place.
    pub(crate) fn callback_taken_back(&mut self, interaction: &mut Interaction, outcome: OfferOutcome) {
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let Stage::CallingBack(visit, offer, _) = stage else { return };
        self.end_agents_call(interaction);
        self.end_offer(interaction, &visit.rules.id.clone(), &offer, outcome, None);
        // The customer did not hear of it.
        if let Some(promise) = &mut interaction.callback {
            promise.attempts = promise.attempts.saturating_sub(1);
        }
        self.requeue(interaction, visit, Vec::new());
    }

    /// The customer of a callback was rung long enough.
    pub(crate) fn calling_back_expired(&mut self, interaction: &mut Interaction) {
        let Stage::CallingBack(_, _, calling) = &interaction.stage else { return };
        if let Some(call) = interaction.call {
            let (party, reason) = (calling.customer, Removal::NotAnswered);
            self.journal.command(CallCommand::RemoveParty { call, party, reason });
        }
        self.customer_not_reached(interaction);
    }

    fn end_agents_call(&mut self, interaction: &mut Interaction) {
        if let Some(call) = interaction.call {
            self.journal.command(CallCommand::End { call });
        }
        self.forget_call(interaction);
    }

    /// Whether the customer was promised in another interaction to be called back from this queue.
    pub(crate) fn is_promised(&self, interaction: &Interaction, queue: &QueueId) -> bool {
        let promised =
            interaction.caller.from.reveal().and_then(|customer| self.promises.of(customer, queue));
        promised.is_some_and(|id| id != interaction.id)
    }

    /// Somebody who was promised to be called back calls, and enters the same queue: the promise is kept at once, and
    /// the place with it. Since when the customer has waited, if so.
    pub(crate) fn called_again(&mut self, interaction: &Interaction, queue: &QueueId) -> Option<Timestamp> {
        let id = self.promises.of(interaction.caller.from.reveal()?, queue)?;
        if id == interaction.id {
            return None;
        }
        let mut since = None;
        self.with_interaction(id, |center, other| {
            since = other.waiting_since();
            center.cancel_callback(other, CallbackEnd::CalledAgain, None);
        });
        since
    }

    /// A customer talks to an agent: whoever was to call back need not.
    pub(crate) fn served(&mut self, interaction: &Interaction) {
        let Some(customer) = interaction.caller.from.reveal() else { return };
        for id in self.promises.all_of(customer) {
            if id != interaction.id {
                self.with_interaction(id, |center, other| {
                    center.cancel_callback(other, CallbackEnd::Served, None);
                });
            }
        }
    }

    /// Does not call a customer back after all. Whether it could still be cancelled.
    pub(crate) fn cancel_callback(
        &mut self,
        interaction: &mut Interaction,
        reason: CallbackEnd,
        why: Option<Arc<str>>,
    ) -> bool {
        if interaction.channel != Channel::Callback {
            return false;
        }
        let id = interaction.id;
        match &interaction.stage {
            Stage::Waiting(_) | Stage::Offered(..) => {
                self.journal.record(FactKind::CallbackCancelled { interaction: id, reason, why });
                self.leave_queue(interaction, QueueExit::Cancelled);
            }
            Stage::CallingBack(..) => {
                self.journal.record(FactKind::CallbackCancelled { interaction: id, reason, why });
                let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
                if let Stage::CallingBack(visit, offer, _) = stage {
                    self.end_agents_call(interaction);
                    self.forget_place(interaction, &visit);
                    self.record_exit(interaction, &visit, QueueExit::Cancelled);
                    self.end_offer(interaction, &visit.rules.id, &offer, OfferOutcome::CallerMoved, None);
                }
            }
            Stage::Scheduled(_) => {
                self.journal.record(FactKind::CallbackCancelled { interaction: id, reason, why });
            }
            // The call in which it was promised is not over yet, for us it is.
            Stage::Parked(_) => {
                self.journal.record(FactKind::CallbackCancelled { interaction: id, reason, why });
                self.end_parked_call(interaction);
                self.record_call_end(interaction, crate::call::CauseKind::Removed.into());
                self.all_rang_out(interaction);
                self.forget_call(interaction);
            }
            _ => return false,
        }
        self.close_unserved(interaction, Outcome::Cancelled);
        true
    }

    /// Nobody is left to be called.
    fn give_up_callback(&mut self, interaction: &mut Interaction) {
        self.leave_queue(interaction, QueueExit::Cancelled);
        self.close_unserved(interaction, Outcome::NotReached);
    }

    /// Begins an interaction that is to call a customer at a time.
    pub(crate) fn schedule_callback(&mut self, wanted: ScheduledCallback) -> Result<(), RefusalReason> {
        let queue = self.queues.index(&wanted.queue).and_then(|index| self.queues.get(index));
        let queue = queue.filter(|queue| queue.open).ok_or(RefusalReason::UnknownQueue)?;
        if self.promises.of(&wanted.to, &wanted.queue).is_some() {
            return Err(RefusalReason::AlreadySo);
        }
        if self.promises.len() >= CALLBACKS_MAX {
            return Err(RefusalReason::TooManyCallbacks);
        }
        let rules = queue.rules.clone();
        let now = self.journal.now();
        let due_at = wanted.due_at.max(now);
        let to = Personal::new(wanted.to);
        let name = Personal::new(wanted.name);
        let priority = wanted.priority.unwrap_or(rules.priority);
        let terms = Terms::merge(&rules.rings, &rules.skills, &Person::Anybody);
        let number = self.journal.record(FactKind::CallbackScheduled {
            line: wanted.line.clone(),
            to: to.clone(),
            name: name.clone(),
            queue: wanted.queue.clone(),
            due_at,
            priority,
            terms: terms.clone(),
            why: wanted.why,
        });
        let id = InteractionId(number);
        let caller = Caller {
            line: wanted.line.clone(),
            from: to.clone(),
            from_name: name,
            to: Address::Anonymous,
            flow: None,
        };
        let mut interaction = Box::new(Interaction::begun(id, caller, now));
        interaction.channel = Channel::Callback;
        self.promises.given(&to, &wanted.queue, id);
        interaction.callback = Some(Promise { line: wanted.line, to, attempts: 0 });
        interaction.deadline = Some(due_at);
        interaction.stage = Stage::Scheduled(Ticket {
            queue: wanted.queue,
            waiting_since: due_at,
            priority,
            vip: false,
            terms,
        });
        self.settle(interaction);
        Ok(())
    }

    /// The promise given in an interaction is kept, or void.
    pub(crate) fn forget_promise(&mut self, interaction: &Interaction) {
        if let Some(promise) = &interaction.callback {
            self.promises.kept(&promise.to, interaction.id);
        }
    }
}

impl Interaction {
    /// Since when somebody has waited, or will have, counting everything.
    pub(crate) fn waiting_since(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Waiting(visit) | Stage::Offered(visit, _) | Stage::CallingBack(visit, ..) => {
                Some(visit.waiting_since)
            }
            Stage::Parked(ticket) | Stage::Scheduled(ticket) => Some(ticket.waiting_since),
            _ => None,
        }
    }
}

fn has_intro(visit: &Visit) -> bool {
    visit.rules.callback.as_ref().is_some_and(|callback| callback.intro.is_some())
}

/// Only who has shown a telephone number can be called.
fn can_be_called(interaction: &Interaction) -> bool {
    interaction.channel == Channel::Call
        && interaction.call.is_some()
        && matches!(interaction.caller.from.reveal(), Some(Address::Phone(_) | Address::Sip(_)))
}

/// How long a caller may take for the key, after the prompts.
const KEY_WAIT: Duration = Duration::from_secs(6);
/// How long all the asking may take. At the limit the caller goes on as if nobody had asked.
const ASK_WAIT: Duration = Duration::from_secs(5 * 60);
/// How long the confirmation may play. At the limit the call ends.
const CONFIRM_WAIT: Duration = Duration::from_secs(5 * 60);
/// How long a call that is being ended may take until the door says that it has. At the limit the center goes on.
const PARKED_END_WAIT: Duration = Duration::from_secs(40);
/// How long a customer's telephone rings if the queue's rules say nothing any more.
const RING_WAIT: Duration = Duration::from_secs(40);
