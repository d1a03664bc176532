//! How somebody enters a queue, waits in it, and leaves it without an agent.

use std::sync::Arc;
use std::time::Duration;

use crate::call::{CallCommand, PromptName};
use crate::center::Center;
use crate::channel::Channel;
use crate::class::Place;
use crate::config::{Action, Asks, QueueRules};
use crate::fact::{FactKind, OfferOutcome, Outcome, QueueExit, QueueRefusal};
use crate::flow::compile::{Flow, StepIndex};
use crate::id::{AgentId, InteractionId, QueueId, QueueIndex};
use crate::interaction::{Interaction, Offer, Stage, Ticket};
use crate::offer::offer_deadline;
use crate::queue::{Queue, Visit};
use crate::terms::{Person, Terms};
use crate::timer::Timestamp;
use crate::view::QueueStay;

/// Where somebody goes on for whom a queue does nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Onward {
    pub(crate) flow: Option<Arc<Flow>>,
    /// The step; none: hang up.
    pub(crate) otherwise: Option<StepIndex>,
}

/// Where somebody stands in a queue.
struct Standpoint {
    entered_at: Timestamp,
    stands_since: Timestamp,
    step: u8,
}

impl Center {
    /// Lets a caller wait for an agent, or does what the queue does with callers whom it does not let in.
    pub(crate) fn enqueue(
        &mut self,
        interaction: &mut Interaction,
        id: &QueueId,
        asks: &Asks,
        waiting_since: Option<Timestamp>,
        onward: Onward,
    ) {
        let now = self.journal.now();
        let found = self.queues.index(id).and_then(|index| Some((index, self.queues.get(index)?)));
        let Some((index, queue)) = found.filter(|(_, queue)| queue.open) else {
            self.refuse_queue(interaction, id, QueueRefusal::Gone);
            return self.go_on(interaction, onward);
        };
        let rules = queue.rules.clone();
        let ticket = Ticket {
            queue: id.clone(),
            // A caller who waited elsewhere does not begin anew.
            waiting_since: waiting_since.unwrap_or_else(|| now.before(interaction.waited)),
            priority: asks.priority.unwrap_or(rules.priority),
            vip: asks.vip.unwrap_or(false),
            terms: self.terms(interaction, index, &rules, asks),
        };
        let refusal = self.queues.get(index).and_then(Queue::refusal);
        // Who was promised a call has a place already.
        let has_place =
            |reason: &QueueRefusal| *reason == QueueRefusal::Full && self.is_promised(interaction, id);
        let Some(reason) = refusal.filter(|reason| !has_place(reason)) else {
            return self.let_in(interaction, index, ticket, onward);
        };
        let action = match (reason, &rules.when_no_agents) {
            (QueueRefusal::Closed, _) => rules.when_closed.clone(),
            (QueueRefusal::NoAgents, Some(action)) => action.clone(),
            (QueueRefusal::Full, _) => rules.when_full.clone(),
            (QueueRefusal::NoAgents, None) | (QueueRefusal::Gone, _) => Action::Otherwise,
        };
        self.refuse_queue(interaction, id, reason);
        self.follow(interaction, &rules, ticket, &action, onward);
    }

    /// Lets somebody wait in a queue: who was promised a call there takes the place that was kept.
    pub(crate) fn let_in(
        &mut self,
        interaction: &mut Interaction,
        index: QueueIndex,
        mut ticket: Ticket,
        onward: Onward,
    ) {
        if let Some(kept) = self.called_again(interaction, &ticket.queue) {
            ticket.waiting_since = ticket.waiting_since.min(kept);
        }
        self.take_place(interaction, index, ticket, onward);
    }

    /// Whether a queue would let somebody in now.
    pub(crate) fn lets_in(&self, id: &QueueId) -> bool {
        let queue = self.queues.index(id).and_then(|index| self.queues.get(index));
        queue.is_some_and(|queue| queue.open && queue.refusal().is_none())
    }

    /// What a caller asks of an agent of this queue.
    pub(crate) fn terms(
        &self,
        interaction: &Interaction,
        queue: QueueIndex,
        rules: &QueueRules,
        asks: &Asks,
    ) -> Terms {
        let person = match &asks.agent {
            Some(agent) => Person::Only(agent.clone()),
            None => {
                let patience = asks.last_agent.unwrap_or(rules.last_agent);
                let last = if patience.is_zero() { None } else { self.last_agent(interaction, queue) };
                last.map_or(Person::Anybody, |agent| Person::First(agent, patience))
            }
        };
        Terms::merge(&rules.rings, asks.skills.as_ref().unwrap_or(&rules.skills), &person)
    }

    /// The agent with whom the caller talked last, if that agent is signed in and serves the queue.
    fn last_agent(&self, interaction: &Interaction, queue: QueueIndex) -> Option<AgentId> {
        let agent = self.acquaintances.agent_of(interaction.caller.from.reveal()?)?;
        self.is_waited_for(agent, queue).then(|| agent.clone())
    }

    /// Whether it makes sense to wait for an agent in a queue.
    fn is_waited_for(&self, agent: &AgentId, queue: QueueIndex) -> bool {
        let found = self.agents.index(agent).and_then(|index| self.agents.get(index));
        found.is_some_and(|agent| agent.is_signed_in() && agent.queues.contains(&queue))
    }

    /// Lets somebody stand in a queue, with the place that the ticket gives.
    pub(crate) fn take_place(
        &mut self,
        interaction: &mut Interaction,
        index: QueueIndex,
        ticket: Ticket,
        onward: Onward,
    ) {
        let now = self.journal.now();
        let Some(queue) = self.queues.get(index) else { return };
        let rules = queue.rules.clone();
        let ahead = queue.line.len();
        let stands_since = Visit::stands_since(&rules, ticket.waiting_since, ticket.priority);
        let channel = interaction.channel;
        self.journal.record(FactKind::QueueEntered {
            interaction: interaction.id,
            queue: rules.id.clone(),
            queue_name: rules.name.clone(),
            ahead: u32::try_from(ahead).unwrap_or(u32::MAX),
            channel,
            waiting_since: (ticket.waiting_since != now).then_some(ticket.waiting_since),
            stands_since: (stands_since != ticket.waiting_since).then_some(stands_since),
            priority: ticket.priority,
            vip: ticket.vip,
            terms: ticket.terms.clone(),
        });
        if channel == Channel::Call {
            self.entertain(interaction, &rules);
        }
        self.stand_at(
            interaction,
            index,
            Standpoint { entered_at: now, stands_since, step: 0 },
            ticket,
            onward,
        );
    }

    /// Lets something that waited before a restart wait on.
    pub(crate) fn take_up_place(&mut self, interaction: &mut Interaction, stay: &QueueStay) {
        let Some(index) = self.queues.index(&stay.queue) else {
            self.lose_place(interaction, stay);
            return self.close_unserved(interaction, Outcome::Expired);
        };
        let ticket = Ticket {
            queue: stay.queue.clone(),
            waiting_since: stay.waiting_since(),
            priority: stay.priority,
            vip: stay.vip,
            terms: stay.terms.clone(),
        };
        let at =
            Standpoint { entered_at: stay.entered_at, stands_since: stay.stands_since(), step: stay.step };
        self.stand_at(interaction, index, at, ticket, Onward::default());
    }

    /// The queue is gone in which something waited.
    fn lose_place(&mut self, interaction: &mut Interaction, stay: &QueueStay) {
        let waited_us = self.journal.now().micros_since(stay.entered_at);
        interaction.waited += Duration::from_micros(waited_us);
        self.journal.record(FactKind::QueueLeft {
            interaction: interaction.id,
            queue: stay.queue.clone(),
            queue_name: stay.queue.as_str().into(),
            reason: QueueExit::QueueGone,
            waited_us,
            why: None,
        });
    }

    fn stand_at(
        &mut self,
        interaction: &mut Interaction,
        index: QueueIndex,
        at: Standpoint,
        ticket: Ticket,
        onward: Onward,
    ) {
        let Standpoint { entered_at, stands_since, step } = at;
        let channel = interaction.channel;
        let is_call = channel == Channel::Call;
        let Some(queue) = self.queues.get_mut(index) else { return };
        let rules = queue.rules.clone();
        let place = Place::new(ticket.vip, stands_since, interaction.id);
        queue.line.insert(place);
        let visit = Visit {
            queue: index,
            entered_at,
            waiting_since: ticket.waiting_since,
            priority: ticket.priority,
            vip: ticket.vip,
            place,
            until: entered_at + if is_call { rules.max_wait } else { WORK_WAIT },
            terms: ticket.terms,
            step,
            channel,
            rung: 0,
            rung_at: rules.overflow.first().filter(|_| is_call).map(|rung| entered_at + rung.after),
            tell_at: rules.tell.as_ref().filter(|_| is_call).map(|tell| entered_at + tell.every),
            told: None,
            asking: None,
            flow: onward.flow,
            otherwise: onward.otherwise,
            rules,
        };
        interaction.deadline = Some(visit.deadline());
        interaction.step = None;
        interaction.importance = Some((visit.priority, visit.vip));
        self.stand(&visit);
        interaction.stage = Stage::Waiting(visit);
    }

    /// Puts somebody whose offer came to nothing back to the old place; if the queue is gone meanwhile, the flow
    /// goes on.
    pub(crate) fn requeue(&mut self, interaction: &mut Interaction, visit: Visit, offers: Vec<Offer>) {
        let open = self.queues.get(visit.queue).is_some_and(|queue| queue.open);
        if offers.is_empty() || self.rings_all(interaction, &visit, offers.len()) {
            self.stand(&visit);
        }
        interaction.deadline = Some(visit.deadline());
        if !offers.is_empty() {
            interaction.stage = Stage::Offered(visit, offers);
            interaction.deadline = offer_deadline(interaction);
            return;
        }
        interaction.stage = Stage::Waiting(visit);
        if !open {
            self.leave_and_follow(interaction, QueueExit::QueueGone, &Action::Otherwise);
        } else if interaction.parties >= PARTIES_MAX {
            self.leave_and_follow(interaction, QueueExit::WaitedTooLong, &Action::Otherwise);
        }
    }

    /// Takes somebody out of the queue, whatever telephones ring; the stage is to be set by the caller.
    pub(crate) fn leave_queue(&mut self, interaction: &mut Interaction, reason: QueueExit) -> Option<Visit> {
        self.leave_queue_because(interaction, reason, None)
    }

    /// The same, with the reason in somebody's words.
    pub(crate) fn leave_queue_because(
        &mut self,
        interaction: &mut Interaction,
        reason: QueueExit,
        why: Option<Arc<str>>,
    ) -> Option<Visit> {
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let (visit, offers) = match stage {
            Stage::Waiting(visit) => (visit, Vec::new()),
            Stage::Offered(visit, offers) => (visit, offers),
            other => {
                interaction.stage = other;
                return None;
            }
        };
        self.stand_back(&visit);
        self.forget_place(interaction, &visit);
        if visit.asking.is_some()
            && let (Some(call), Some(party)) = (interaction.call, interaction.customer)
        {
            self.journal.command(CallCommand::StopCollect { call, party });
        }
        let outcome = match reason {
            QueueExit::Abandoned => OfferOutcome::CallerGone,
            QueueExit::Lost | QueueExit::CallLimit => OfferOutcome::CallerGone,
            _ => OfferOutcome::CallerMoved,
        };
        self.record_exit_because(interaction, &visit, reason, why);
        self.ring_out(interaction, &visit.rules.id.clone(), offers, outcome);
        Some(visit)
    }

    /// Takes somebody out of the line of a queue and counts the wait.
    pub(crate) fn forget_place(&mut self, interaction: &mut Interaction, visit: &Visit) {
        interaction.waited += self.journal.now().since(visit.entered_at);
        if let Some(queue) = self.queues.get_mut(visit.queue) {
            queue.line.remove(&visit.place);
        }
        self.queues.forget_if_gone(visit.queue);
    }

    /// Takes somebody out of the queue and does what is to be done then.
    pub(crate) fn leave_and_follow(
        &mut self,
        interaction: &mut Interaction,
        reason: QueueExit,
        action: &Action,
    ) {
        let Some(visit) = self.leave_queue(interaction, reason) else { return };
        let (rules, ticket) = (visit.rules.clone(), visit.ticket());
        let onward = Onward { flow: visit.flow, otherwise: visit.otherwise };
        self.follow(interaction, &rules, ticket, action, onward);
    }

    /// Does with somebody who is in no queue now what an action says.
    pub(crate) fn follow(
        &mut self,
        interaction: &mut Interaction,
        rules: &Arc<QueueRules>,
        ticket: Ticket,
        action: &Action,
        onward: Onward,
    ) {
        // Queues that send callers to each other send them in a circle only so often.
        if interaction.steps_left == 0 {
            return self.flow_goes_round(interaction);
        }
        interaction.steps_left -= 1;
        if interaction.channel != Channel::Call && !matches!(action, Action::Queue(_)) {
            return self.close_unserved(interaction, Outcome::Expired);
        }
        match action {
            Action::Otherwise => self.go_on(interaction, onward),
            Action::Queue(queue) => {
                // What the caller asked for belongs to the queue that was left; importance belongs to the caller.
                let (priority, vip) = (Some(ticket.priority), Some(ticket.vip));
                let asks = Asks { priority, vip, ..Asks::default() };
                self.enqueue(interaction, queue, &asks, Some(ticket.waiting_since), onward);
            }
            Action::Voicemail => self.take_message(interaction, rules, ticket, onward),
            Action::Callback => self.ask_for_callback(interaction, rules, ticket, onward),
            Action::Redirect(endpoint) => self.redirect(interaction, endpoint, onward),
            Action::Message(prompts) => {
                let play = self.play(interaction, prompts.clone(), false);
                interaction.deadline = Some(self.journal.now() + PARTING_WAIT);
                interaction.stage = Stage::Parting(play);
            }
            Action::HangUp => self.hang_up(interaction),
        }
    }

    /// Goes on in the flow, or hangs up.
    pub(crate) fn go_on(&mut self, interaction: &mut Interaction, onward: Onward) {
        interaction.stage = Stage::BetweenSteps;
        match onward.flow {
            Some(flow) => self.run_flow(interaction, flow, onward.otherwise),
            None if interaction.call.is_none() => self.close_unserved(interaction, Outcome::Expired),
            None => self.hang_up(interaction),
        }
    }

    /// Does what the time asks of somebody who waits, or is being offered.
    pub(crate) fn wait_goes_on(&mut self, interaction: &mut Interaction) {
        let now = self.journal.now();
        loop {
            let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &mut interaction.stage else { return };
            if visit.until <= now {
                let action = visit.rules.when_waited.clone();
                return self.leave_and_follow(interaction, QueueExit::WaitedTooLong, &action);
            }
            let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
            if due(visit.terms.next_after(visit.step).map(|after| visit.entered_at + after)) {
                self.widen(interaction);
            } else if due(visit.rung_at) {
                if self.climb(interaction) {
                    return;
                }
            } else if due(visit.tell_at) {
                self.tell(interaction);
            } else {
                break;
            }
        }
        self.set_wait_deadline(interaction);
    }

    fn set_wait_deadline(&self, interaction: &mut Interaction) {
        interaction.deadline = match &interaction.stage {
            Stage::Waiting(visit) => Some(visit.deadline()),
            Stage::Offered(..) => offer_deadline(interaction),
            _ => interaction.deadline,
        };
    }

    /// The next step of the terms.
    fn widen(&mut self, interaction: &mut Interaction) {
        let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &mut interaction.stage else { return };
        let (queue, step) = (visit.rules.id.clone(), visit.step.saturating_add(1));
        self.journal.record(FactKind::Widened { interaction: interaction.id, queue, step });
        self.with_place(interaction, |visit| visit.step = step);
    }

    /// Changes what somebody who waits asks, or the place, and lets them stand where that says.
    pub(crate) fn with_place(&mut self, interaction: &mut Interaction, change: impl FnOnce(&mut Visit)) {
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let (mut visit, offers) = match stage {
            Stage::Waiting(visit) => (visit, Vec::new()),
            Stage::Offered(visit, offers) => (visit, offers),
            other => {
                interaction.stage = other;
                return;
            }
        };
        self.stand_back(&visit);
        if let Some(queue) = self.queues.get_mut(visit.queue) {
            queue.line.remove(&visit.place);
            let before = (visit.priority, visit.vip);
            change(&mut visit);
            if before != (visit.priority, visit.vip) {
                let since = Visit::stands_since(&visit.rules, visit.waiting_since, visit.priority);
                visit.place = Place::new(visit.vip, since, interaction.id);
            }
            queue.line.insert(visit.place);
        }
        if offers.is_empty() {
            self.stand(&visit);
            interaction.stage = Stage::Waiting(visit);
        } else {
            if self.rings_all(interaction, &visit, offers.len()) {
                self.stand(&visit);
            }
            interaction.stage = Stage::Offered(visit, offers);
        }
        self.set_wait_deadline(interaction);
    }

    /// The rules of today hold for everybody who waits, also for who came in under older ones.
    pub(crate) fn renew_rules_of(&mut self, index: QueueIndex) {
        // What becomes of callers whom nobody can serve may be new.
        self.matching.may_be_deserted(index);
        let Some(queue) = self.queues.get(index) else { return };
        let (rules, now) = (queue.rules.clone(), self.journal.now());
        let waiting: Vec<InteractionId> = queue.line.iter().map(|place| place.interaction).collect();
        for id in waiting {
            self.with_interaction(id, |center, interaction| {
                center.with_place(interaction, |visit| visit.renew_rules(rules.clone(), now));
            });
        }
    }

    /// Looks at the rung of the ladder whose time has come; `true` if it has taken the caller out of the queue.
    fn climb(&mut self, interaction: &mut Interaction) -> bool {
        let now = self.journal.now();
        let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &interaction.stage else { return false };
        let rung = visit.rules.overflow.get(usize::from(visit.rung)).cloned();
        let holds = rung.as_ref().is_some_and(|rung| {
            let waiting = self.queues.get(visit.queue).map_or(0, |queue| queue.line.len());
            let expected = || self.expected_wait(visit);
            let leads_on = match &rung.then {
                // Nobody gives up a place for a queue that lets nobody in.
                Action::Queue(queue) => self.lets_in(queue),
                _ => true,
            };
            leads_on
                && rung.if_waiting.is_none_or(|least| waiting >= least)
                && rung.if_expected.is_none_or(|least| expected().is_some_and(|wait| wait >= least))
        });
        let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &mut interaction.stage else { return false };
        let Some(rung) = rung else {
            visit.rung_at = None;
            return false;
        };
        if !holds {
            visit.rung_at = Some(now + LADDER_INTERVAL);
            return false;
        }
        visit.rung = visit.rung.saturating_add(1);
        let next = visit.rules.overflow.get(usize::from(visit.rung));
        visit.rung_at = next.map(|next| (visit.entered_at + next.after).max(now));
        match rung.then {
            // Who is asked goes on waiting meanwhile.
            Action::Callback => {
                self.ask_in_queue(interaction);
                false
            }
            action => {
                self.leave_and_follow(interaction, QueueExit::Overflowed, &action);
                true
            }
        }
    }

    /// Tells the caller something about the wait.
    fn tell(&mut self, interaction: &mut Interaction) {
        let now = self.journal.now();
        let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &interaction.stage else { return };
        let rules = visit.rules.clone();
        let Some(tell) = &rules.tell else { return };
        let position = self.position(visit);
        let expected = self.expected_wait(visit).map(|expected| {
            // Who was told an end of the wait is not told a later one.
            visit.told.map_or(expected, |told| expected.min(told.since(now)))
        });
        let asking = visit.asking.is_some();
        let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &mut interaction.stage else { return };
        visit.tell_at = Some(now + tell.every);
        // Nobody is interrupted who is just being asked something.
        if asking && interaction.playing.is_some_and(|playing| !playing.repeat) {
            return;
        }
        let mut prompts: Vec<PromptName> = tell.prompts.clone();
        let mut say = |before: &[PromptName], number: Option<u32>| {
            let number = number.and_then(|number| tell.numbers.get(&number)).filter(|_| !before.is_empty());
            prompts.extend(number.iter().flat_map(|_| before.iter().cloned()));
            prompts.extend(number.cloned());
            number.is_some()
        };
        let told_place = say(&tell.place, position);
        let minutes = expected.map(minutes);
        let told_wait = say(&tell.wait, minutes);
        if told_wait {
            visit.told = minutes.map(|minutes| now + Duration::from_secs(60) * minutes);
        }
        if prompts.is_empty() {
            return;
        }
        self.journal.record(FactKind::Announced {
            interaction: interaction.id,
            queue: rules.id.clone(),
            position: position.filter(|_| told_place),
            expected_us: expected
                .filter(|_| told_wait)
                .map(|expected| u64::try_from(expected.as_micros()).unwrap_or(u64::MAX)),
        });
        self.play(interaction, prompts.into(), false);
    }

    /// The place of somebody in the queue, from 1; none beyond what is counted.
    pub(crate) fn position(&self, visit: &Visit) -> Option<u32> {
        let queue = self.queues.get(visit.queue)?;
        let ahead = queue.line.range(..visit.place).take(POSITION_MAX).count();
        (ahead < POSITION_MAX).then(|| u32::try_from(ahead + 1).unwrap_or(u32::MAX))
    }

    /// How long somebody will still wait: as many turns as there are before, each as long as an agent needs for one,
    /// shared by the agents at work. Known only if agents are at work and some conversation was had.
    pub(crate) fn expected_wait(&self, visit: &Visit) -> Option<Duration> {
        if self.ready_for(visit) > 0 {
            return Some(Duration::ZERO);
        }
        let queue = self.queues.get(visit.queue)?;
        let handling = queue.pace.handling()?;
        let position = self.position(visit)?;
        let at_work = u32::try_from(queue.at_work).ok().filter(|at_work| *at_work > 0)?;
        Some(handling.saturating_mul(position).saturating_mul(1000) / at_work)
    }

    /// Lets those go on whose queues have lost their last agent, if the queues say so.
    pub(crate) fn send_on_deserted(&mut self) {
        for index in self.deserted() {
            self.wait_for_others(index);
            let deserted = self.queues.get(index).filter(|queue| queue.open && queue.signed_in == 0);
            let Some(queue) = deserted else { continue };
            let Some(action) = queue.rules.when_no_agents.clone() else { continue };
            let waiting: Vec<InteractionId> = queue.line.iter().map(|place| place.interaction).collect();
            for id in waiting {
                self.with_interaction(id, |center, interaction| {
                    if interaction.channel == Channel::Call {
                        center.leave_and_follow(interaction, QueueExit::NoAgents, &action);
                    }
                });
            }
        }
    }

    /// Lets those wait for anybody who wait for an agent who has gone, if they were to do so later.
    fn wait_for_others(&mut self, index: QueueIndex) {
        let Some(queue) = self.queues.get(index) else { return };
        let gone = |agent: &&AgentId| !self.is_waited_for(agent, index);
        let in_vain: Vec<InteractionId> = queue
            .classes
            .iter()
            .filter(|class| class.requirement.agent.as_ref().filter(gone).is_some())
            .flat_map(|class| class.waiting.iter().map(|place| place.interaction))
            .collect();
        for id in in_vain {
            self.with_interaction(id, |center, interaction| {
                let (Stage::Waiting(visit) | Stage::Offered(visit, _)) = &interaction.stage else { return };
                if visit.terms.next_after(visit.step).is_some() {
                    center.widen(interaction);
                }
            });
        }
    }

    /// What was being played to a waiting caller ended: the music begins.
    pub(crate) fn announcement_ended(
        &mut self,
        interaction: &mut Interaction,
        music: Option<Arc<[PromptName]>>,
    ) {
        if let Some(music) = music {
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

    /// Stops what the customer hears from us.
    pub(crate) fn hush(&mut self, interaction: &mut Interaction) {
        if interaction.playing.take().is_some()
            && let (Some(call), Some(party)) = (interaction.call, interaction.customer)
        {
            self.journal.command(CallCommand::StopPlay { call, party });
        }
    }

    fn refuse_queue(&mut self, interaction: &Interaction, queue: &QueueId, reason: QueueRefusal) {
        let interaction = interaction.id;
        self.journal.record(FactKind::QueueRefused { interaction, queue: queue.clone(), reason });
    }

    pub(crate) fn record_exit(&mut self, interaction: &Interaction, visit: &Visit, reason: QueueExit) {
        self.record_exit_because(interaction, visit, reason, None);
    }

    fn record_exit_because(
        &mut self,
        interaction: &Interaction,
        visit: &Visit,
        reason: QueueExit,
        why: Option<Arc<str>>,
    ) {
        self.journal.record(FactKind::QueueLeft {
            interaction: interaction.id,
            queue: visit.rules.id.clone(),
            queue_name: visit.rules.name.clone(),
            reason,
            waited_us: self.journal.now().micros_since(visit.entered_at),
            why,
        });
    }
}

impl Visit {
    /// The right to come back to this place.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket {
            queue: self.rules.id.clone(),
            waiting_since: self.waiting_since,
            priority: self.priority,
            vip: self.vip,
            terms: self.terms.clone(),
        }
    }
}

/// Begun minutes, at least one.
fn minutes(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs().div_ceil(60)).unwrap_or(u32::MAX).max(1)
}

/// How many parties a call may have had before its caller is offered to nobody any more and flows out: the numbers of
/// parties are never used twice.
const PARTIES_MAX: u16 = u16::MAX - 10;

/// How long a message or a callback may wait for an agent. At the limit it is closed as expired.
pub(crate) const WORK_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a last message may play. At the limit the call ends.
const PARTING_WAIT: Duration = Duration::from_secs(15 * 60);

/// How often a rung is looked at whose condition does not hold.
const LADDER_INTERVAL: Duration = Duration::from_secs(5);

/// Places in a queue are counted so far. Further back nobody is told a place or a wait.
const POSITION_MAX: usize = 1000;
