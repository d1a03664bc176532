//! What facts say of those who wait, beside what follows.

use tandem_center::Timestamp;
use tandem_center::agent::ChosenState;
use tandem_center::channel::Channel;
use tandem_center::config::{ActionDocument, QueueDocument};
use tandem_center::fact::{CallbackEnd, FactKind, OfferOutcome, Outcome, QueueExit, QueueRefusal};
use tandem_center::id::{AgentId, InteractionId, QueueId};
use tandem_center::terms::Terms;

use super::world::{Promise, Ring, RingingOut, Stage, Stay};
use super::{Auditor, Owner, Wrong, figure, same, seconds};

impl Auditor {
    pub(super) fn entered(&mut self, id: InteractionId, kind: &FactKind) -> Result<(), Wrong> {
        let FactKind::QueueEntered {
            queue,
            ahead,
            channel,
            waiting_since,
            stands_since,
            priority,
            vip,
            terms,
            ..
        } = kind
        else {
            return Err(Wrong::CannotBe(id));
        };
        let at = self.at;
        let rules = self.rules(queue).ok_or(Wrong::CannotBe(id))?.clone();
        let waiting = self.stays(queue).count();
        figure(u64::from(*ahead), u64::try_from(waiting).unwrap_or(u64::MAX))?;
        let interaction = self.interaction(id)?;
        same(*channel == interaction.channel, Wrong::CannotBe(id))?;
        if *channel == Channel::Call {
            same(interaction.call.is_some(), Wrong::CannotBe(id))?;
            let kept = self.kept.as_ref().is_some_and(|kept| {
                interaction.customer.as_ref() == Some(&kept.0)
                    && kept.1 == *queue
                    && kept.2 + 6 >= self.number
            });
            let promised = || {
                self.interactions.values().any(|other| {
                    // Somebody may have moved the promise to this queue.
                    other.customer == interaction.customer && other.promise.is_some()
                })
            };
            let let_in = self.refuses(&rules).is_none() || interaction.moved || kept || promised();
            same(let_in, Wrong::NotAdmitted(id, queue.clone()))?;
            self.promise_is_void(id, queue)?;
        } else {
            same(interaction.call.is_none(), Wrong::CannotBe(id))?;
        }
        let from = match interaction.stage {
            Stage::Scheduled(due) => due <= at,
            Stage::InFlow => true,
            Stage::Parked => *channel != Channel::Call,
            _ => false,
        };
        same(from, Wrong::CannotBe(id))?;
        let waiting_since = waiting_since.unwrap_or(at);
        // No wait that was had is ever forgotten, and a promise keeps its place and no better one.
        let waited = interaction.waited_us <= at.micros_since(waiting_since);
        same(waited, Wrong::WaitForgotten(id))?;
        if let Some(promise) = &interaction.promise
            && *channel == Channel::Callback
        {
            same(promise.waiting_since == waiting_since, Wrong::WaitForgotten(id))?;
        }
        let stands = stands_of(&rules, waiting_since, *priority);
        figure(stands_since.unwrap_or(waiting_since).as_micros(), stands.as_micros())?;
        let (terms, vip, queue) = (terms.clone(), *vip, queue.clone());
        self.counts.entry(queue.clone()).or_default().entered += 1;
        let interaction = self.touch(id)?;
        let moved = std::mem::take(&mut interaction.moved);
        if let Some(promise) = &mut interaction.promise {
            promise.queue = queue.clone();
        }
        interaction.stage = Stage::Waiting(Stay {
            moved,
            queue,
            entered_at: at,
            waiting_since,
            stands_since: stands,
            vip,
            terms,
            step: 0,
            told_end: None,
            next_told_at: rules.tell.as_ref().map(|tell| at + seconds(tell.every_s)),
            ladder_changed: false,
            rules: Box::new(rules),
        });
        Ok(())
    }

    pub(super) fn refused(
        &mut self,
        id: InteractionId,
        queue: &QueueId,
        reason: QueueRefusal,
    ) -> Result<(), Wrong> {
        let expected = match self.rules(queue) {
            None => Some(QueueRefusal::Gone),
            Some(rules) => self.refuses(rules),
        };
        same(expected == Some(reason), Wrong::NotAdmitted(id, queue.clone()))?;
        self.in_flow(id)
    }

    /// Why a queue lets nobody in who calls, if it does not.
    fn refuses(&self, rules: &QueueDocument) -> Option<QueueRefusal> {
        let waiting = self.stays(&rules.id).count();
        if self.closed_queues.get(&rules.id).copied().unwrap_or_default() {
            Some(QueueRefusal::Closed)
        } else if rules.when_no_agents.is_some() && !self.somebody_signed_in(&rules.id) {
            Some(QueueRefusal::NoAgents)
        } else if waiting >= usize::try_from(rules.max_waiting).unwrap_or(usize::MAX) {
            Some(QueueRefusal::Full)
        } else {
            None
        }
    }

    pub(super) fn somebody_signed_in(&self, queue: &QueueId) -> bool {
        self.document.agents.iter().filter(|agent| agent.queues.contains(queue)).any(|agent| {
            let agent = self.agents.get(&agent.id);
            agent.is_some_and(|agent| agent.chosen != tandem_center::agent::ChosenState::Offline)
        })
    }

    pub(super) fn left(
        &mut self,
        id: InteractionId,
        queue: &QueueId,
        reason: QueueExit,
        waited_us: u64,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let line = self.stays(queue).count();
        let interaction = self.touch(id)?;
        let (stay, rings) = match std::mem::replace(&mut interaction.stage, Stage::InFlow) {
            Stage::Waiting(stay) => (stay, Vec::new()),
            Stage::Offered(stay, rings) => (stay, rings),
            Stage::CallingBack(stay, ring, _) => (stay, vec![ring]),
            Stage::Ending { outcome, since, stay: Some(stay), talk } => {
                interaction.stage = Stage::Ending { outcome, since, stay: None, talk };
                (stay, Vec::new())
            }
            _ => return Err(Wrong::CannotBe(id)),
        };
        let outcome = match reason {
            QueueExit::Abandoned | QueueExit::Lost | QueueExit::CallLimit => OfferOutcome::CallerGone,
            _ => OfferOutcome::CallerMoved,
        };
        ring_out(&mut interaction.ringing_out, rings, outcome, at);
        interaction.waited_us += waited_us;
        interaction.moved = reason == QueueExit::Moved;
        if interaction.channel != Channel::Call
            && matches!(reason, QueueExit::WaitedTooLong | QueueExit::QueueGone)
        {
            interaction.unserved = Some(Outcome::Expired);
        }
        same(stay.queue == *queue, Wrong::CannotBe(id))?;
        figure(waited_us, at.micros_since(stay.entered_at))?;
        let is_call = interaction.channel == Channel::Call;
        let allowed = match reason {
            QueueExit::Overflowed => is_call && overflows(&stay, at, line),
            QueueExit::WaitedTooLong => !is_call || stay.entered_at + seconds(stay.rules.max_wait_s) <= at,
            QueueExit::NoAgents => {
                is_call && stay_has_no_agents(self.rules(queue)) && !self.somebody_signed_in(queue)
            }
            QueueExit::QueueGone => self.rules(queue).is_none() || self.restarted,
            _ => true,
        };
        same(allowed, Wrong::SentOn(id, queue.clone()))?;
        let counts = self.counts.entry(queue.clone()).or_default();
        match reason {
            QueueExit::Abandoned => counts.abandoned += 1,
            QueueExit::Lost => counts.lost += 1,
            QueueExit::WaitedTooLong
            | QueueExit::CallLimit
            | QueueExit::QueueGone
            | QueueExit::Overflowed
            | QueueExit::NoAgents
            | QueueExit::CallbackPromised
            | QueueExit::CustomerNotReached
            | QueueExit::Cancelled
            | QueueExit::Moved => counts.flowed_out += 1,
        }
        Ok(())
    }

    pub(super) fn ringing(&mut self, id: InteractionId, agent: &AgentId) -> Result<(), Wrong> {
        match &self.touch(id)?.stage {
            Stage::Offered(_, rings) if rings.iter().any(|ring| ring.agent == *agent) => Ok(()),
            _ => Err(Wrong::CannotBe(id)),
        }
    }

    pub(super) fn offer_ended(&mut self, id: InteractionId, kind: &FactKind) -> Result<(), Wrong> {
        let FactKind::OfferEnded { agent, outcome, cause, rang_us, misses, then, .. } = kind else {
            return Err(Wrong::CannotBe(id));
        };
        let at = self.at;
        let restarted =
            cause.as_ref().is_some_and(|cause| cause.kind == tandem_center::call::CauseKind::Restarted);
        let interaction = self.touch(id)?;
        let rings_out = interaction.ringing_out.iter().position(|ringing| ringing.ring.agent == *agent);
        let ring = if let Some(place) = rings_out {
            let RingingOut { ring, outcome: promised, .. } = interaction.ringing_out.remove(place);
            same(promised == *outcome || restarted, Wrong::CannotBe(id))?;
            ring
        } else {
            match std::mem::replace(&mut interaction.stage, Stage::InFlow) {
                Stage::Offered(stay, mut rings) => {
                    let place = rings.iter().position(|ring| ring.agent == *agent);
                    let ring = rings.remove(place.ok_or(Wrong::CannotBe(id))?);
                    interaction.stage =
                        if rings.is_empty() { Stage::Waiting(stay) } else { Stage::Offered(stay, rings) };
                    ring
                }
                Stage::CallingBack(stay, ring, _) if ring.agent == *agent => {
                    // What the customer did not hear of is no try.
                    if *outcome != OfferOutcome::CustomerNotReached
                        && let Some(promise) = &mut interaction.promise
                    {
                        promise.attempts = promise.attempts.saturating_sub(1);
                    }
                    interaction.stage = Stage::Waiting(stay);
                    ring
                }
                _ => return Err(Wrong::CannotBe(id)),
            }
        };
        // The call was the agent's alone.
        if interaction.channel != Channel::Call
            && matches!(interaction.stage, Stage::Waiting(_) | Stage::InFlow)
        {
            interaction.call = None;
        }
        figure(*rang_us, at.micros_since(ring.at))?;
        self.let_go(agent, id, *outcome, *misses, restarted, then)
    }

    pub(super) fn widened(&mut self, id: InteractionId, step: u8) -> Result<(), Wrong> {
        let at = self.at;
        let stay = self.touch(id)?.stay_mut().ok_or(Wrong::CannotBe(id))?;
        stay.step += 1;
        figure(step.into(), u64::try_from(stay.step).unwrap_or(u64::MAX))?;
        let (before, next) = (stay.terms.steps().get(stay.step - 1), stay.terms.steps().get(stay.step));
        let begins = next.ok_or(Wrong::CannotBe(id))?.after_us;
        let named = before.and_then(|before| before.requirement.agent.clone());
        let (waited, queue) = (at.micros_since(stay.entered_at), stay.queue.clone());
        // Nobody is waited for who cannot come.
        let in_vain = named.is_some_and(|named| {
            let serves = self.employee(&named).is_some_and(|employee| employee.queues.contains(&queue));
            let signed_in = self.agents.get(&named).is_some_and(|agent| agent.chosen != ChosenState::Offline);
            !(serves && signed_in)
        });
        same(begins <= waited || in_vain, Wrong::CannotBe(id))
    }

    pub(super) fn announced(
        &mut self,
        id: InteractionId,
        position: Option<u32>,
        expected_us: Option<u64>,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let stay = self.interaction(id)?.stay().ok_or(Wrong::ToldWrong(id))?.clone();
        let place = |stay: &Stay, id: InteractionId| (!stay.vip, stay.stands_since, id);
        let before = self.interactions.iter().filter(|(other, waits)| {
            waits
                .stay()
                .is_some_and(|waits| waits.queue == stay.queue && place(waits, **other) < place(&stay, id))
        });
        let ahead = u64::try_from(before.count()).unwrap_or(u64::MAX);
        if let Some(position) = position {
            figure(position.into(), ahead + 1)?;
        }
        let every = stay.rules.tell.as_ref().map_or(0, |tell| tell.every_s);
        same(stay.next_told_at.is_none_or(|next| at >= next), Wrong::ToldWrong(id))?;
        let end = expected_us.map(|us| {
            let minutes = us.div_ceil(60_000_000).max(1);
            (
                Timestamp::from_micros(at.as_micros() + us),
                Timestamp::from_micros(at.as_micros() + minutes * 60_000_000),
            )
        });
        if let (Some((end, _)), Some(told)) = (end, stay.told_end) {
            same(end <= told.max(at), Wrong::ToldWrong(id))?;
        }
        if let Some(stay) = self.touch(id)?.stay_mut() {
            stay.next_told_at = Some(at + seconds(every));
            stay.told_end = end.map(|(_, told)| told).or(stay.told_end);
        }
        Ok(())
    }

    pub(super) fn prioritised(
        &mut self,
        id: InteractionId,
        priority: u8,
        vip: bool,
        since: Timestamp,
    ) -> Result<(), Wrong> {
        let stay = self.touch(id)?.stay_mut().ok_or(Wrong::CannotBe(id))?;
        stay.vip = vip;
        stay.stands_since = stands_of(&stay.rules, stay.waiting_since, priority);
        figure(since.as_micros(), stay.stands_since.as_micros())
    }

    pub(super) fn terms_changed(&mut self, id: InteractionId, terms: &Terms) -> Result<(), Wrong> {
        let stay = self.touch(id)?.stay_mut().ok_or(Wrong::CannotBe(id))?;
        stay.terms = terms.clone();
        stay.step = 0;
        Ok(())
    }

    pub(super) fn scheduled(
        &mut self,
        number: u64,
        customer: Option<tandem_center::call::Address>,
        queue: &QueueId,
        due_at: Timestamp,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let id = InteractionId(number);
        self.promised_once(id, customer.as_ref(), queue)?;
        same(due_at >= at, Wrong::CannotBe(id))?;
        let mut interaction = super::world::Interaction::begun(at, customer);
        interaction.channel = Channel::Callback;
        interaction.promise = Some(Promise {
            given: number,
            queue: queue.clone(),
            waiting_since: due_at,
            attempts: 0,
            rules: None,
        });
        interaction.stage = Stage::Scheduled(due_at);
        self.interactions.insert(id, interaction);
        Ok(())
    }

    pub(super) fn promised(
        &mut self,
        number: u64,
        id: InteractionId,
        queue: &QueueId,
        waiting_since: Timestamp,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.interaction(id)?;
        let customer = interaction.customer.clone();
        same(matches!(interaction.stage, Stage::InFlow) && customer.is_some(), Wrong::CannotBe(id))?;
        // The whole wait is kept, and nobody gets ahead by being called back.
        let waited = interaction.waited_us <= at.micros_since(waiting_since);
        same(waited, Wrong::WaitForgotten(id))?;
        self.promised_once(id, customer.as_ref(), queue)?;
        let interaction = self.touch(id)?;
        interaction.channel = Channel::Callback;
        interaction.promise =
            Some(Promise { given: number, queue: queue.clone(), waiting_since, attempts: 0, rules: None });
        interaction.stage = Stage::Parked;
        Ok(())
    }

    fn promised_once(
        &self,
        id: InteractionId,
        customer: Option<&tandem_center::call::Address>,
        queue: &QueueId,
    ) -> Result<(), Wrong> {
        match self.owed(customer, Some(queue)).find(|other| *other != id) {
            Some(first) => Err(Wrong::PromisedTwice { first, second: id }),
            None => Ok(()),
        }
    }

    /// Who calls again and waits is not called back as well.
    fn promise_is_void(&self, id: InteractionId, queue: &QueueId) -> Result<(), Wrong> {
        let customer = self.interaction(id)?.customer.clone();
        match self.owed(customer.as_ref(), Some(queue)).find(|other| *other != id) {
            Some(promise) => Err(Wrong::NotCancelled { promise, call: id }),
            None => Ok(()),
        }
    }

    /// The promises to call this customer back, in this queue or in any.
    pub(super) fn owed<'a>(
        &'a self,
        customer: Option<&'a tandem_center::call::Address>,
        queue: Option<&'a QueueId>,
    ) -> impl Iterator<Item = InteractionId> + 'a {
        let of = move |interaction: &super::world::Interaction| {
            let promise = interaction.promise.as_ref().filter(|_| interaction.owes_a_call());
            let at = interaction.stay().map(|stay| &stay.queue).or(promise.map(|promise| &promise.queue));
            promise.is_some()
                && customer.is_some()
                && interaction.customer.as_ref() == customer
                && queue.is_none_or(|queue| at == Some(queue))
        };
        self.interactions.iter().filter(move |(_, interaction)| of(interaction)).map(|(id, _)| *id)
    }

    pub(super) fn dialled(&mut self, id: InteractionId, agent: &AgentId, attempt: u32) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        let Stage::Offered(stay, rings) = std::mem::replace(&mut interaction.stage, Stage::InFlow) else {
            return Err(Wrong::CannotBe(id));
        };
        let [ring] = rings.as_slice() else { return Err(Wrong::CannotBe(id)) };
        same(ring.agent == *agent, Wrong::CannotBe(id))?;
        let promise = interaction.promise.as_mut().ok_or(Wrong::CannotBe(id))?;
        promise.attempts += 1;
        promise.rules = Some(stay.rules.clone());
        let most = stay.rules.callback.as_ref().map_or(1, |callback| callback.attempts);
        let in_bounds = attempt == promise.attempts && attempt <= most.max(1);
        let _ = in_bounds;
        same(attempt == promise.attempts, Wrong::WrongTry(id))?;
        interaction.stage = Stage::CallingBack(stay, ring.clone(), at);
        Ok(())
    }

    pub(super) fn callback_missed(
        &mut self,
        id: InteractionId,
        attempt: u32,
        again_at: Option<Timestamp>,
    ) -> Result<(), Wrong> {
        let at = self.at;
        let interaction = self.touch(id)?;
        let promise = interaction.promise.as_ref().ok_or(Wrong::CannotBe(id))?;
        let callback = promise.rules.as_ref().and_then(|rules| rules.callback.as_ref());
        let (most, retry) = callback.map_or((1, 0), |callback| (callback.attempts, callback.retry_s));
        let expected = (attempt < most).then(|| at + seconds(retry));
        same(attempt == promise.attempts && again_at == expected, Wrong::WrongTry(id))?;
        same(matches!(interaction.stage, Stage::InFlow), Wrong::CannotBe(id))?;
        match again_at {
            Some(at) => interaction.stage = Stage::Scheduled(at),
            None => interaction.unserved = Some(Outcome::NotReached),
        }
        Ok(())
    }

    pub(super) fn cancelled(&mut self, id: InteractionId, reason: CallbackEnd) -> Result<(), Wrong> {
        let interaction = self.touch(id)?;
        same(interaction.owes_a_call(), Wrong::CannotBe(id))?;
        interaction.unserved = Some(Outcome::Cancelled);
        let queue = interaction.stay().map(|stay| stay.queue.clone());
        let queue = queue.or(interaction.promise.as_ref().map(|promise| promise.queue.clone()));
        if let (CallbackEnd::CalledAgain, Some(customer), Some(queue)) =
            (reason, interaction.customer.clone(), queue)
        {
            self.kept = Some((customer, queue, self.number));
        }
        Ok(())
    }

    pub(super) fn nobody_is_left_waiting(&self) -> Result<(), Wrong> {
        let may_place = self.calls() < self.calls_max();
        for (id, interaction) in &self.interactions {
            let Some(stay) = self.standing(interaction) else { continue };
            // Who is in no call waits until there may be one more.
            if interaction.channel != Channel::Call && !may_place {
                continue;
            }
            if let Some(agent) = self.fit_for(interaction, stay).next() {
                return Err(Wrong::LeftWaiting { interaction: *id, agent: agent.clone() });
            }
        }
        Ok(())
    }

    /// Whom the queue's rules send on is not there any more.
    pub(super) fn nobody_stays_against_the_rules(&self, now: Timestamp) -> Result<(), Wrong> {
        for (id, interaction) in &self.interactions {
            let Some(stay) = interaction.stay() else { continue };
            if interaction.channel != Channel::Call {
                continue;
            }
            // Whether another queue lets somebody in is known only when it was asked.
            let climbs = !stay.ladder_changed && certain_rung(stay, now);
            let deserted =
                stay_has_no_agents(self.rules(&stay.queue)) && !self.somebody_signed_in(&stay.queue);
            same(!climbs && (!deserted || stay.moved), Wrong::Outlived(Owner::Interaction(*id)))?;
        }
        Ok(())
    }

    /// Who has talked to an agent since the promise is not called back any more.
    pub(super) fn nobody_served_is_called_back(&self) -> Result<(), Wrong> {
        for (call, interaction) in &self.interactions {
            let Stage::Connected(talk) = &interaction.stage else { continue };
            // Who hears a message does not talk to the customer.
            if interaction.channel == Channel::Voicemail {
                continue;
            }
            for promise in self.owed(interaction.customer.as_ref(), None) {
                let given = self.interaction(promise)?.promise.as_ref().map_or(0, |promise| promise.given);
                same(given > talk.number || promise == *call, Wrong::NotCancelled { promise, call: *call })?;
            }
        }
        Ok(())
    }

    /// Everybody who is in a queue, offered or not.
    pub(super) fn stays<'a>(&'a self, queue: &'a QueueId) -> impl Iterator<Item = &'a Stay> {
        self.interactions
            .values()
            .filter_map(|interaction| interaction.stay())
            .filter(|stay| stay.queue == *queue)
    }
}

/// Telephones are to stop.
pub(super) fn ring_out(to: &mut Vec<RingingOut>, rings: Vec<Ring>, outcome: OfferOutcome, since: Timestamp) {
    to.extend(rings.into_iter().map(|ring| RingingOut { ring, outcome, since }));
}

fn stay_has_no_agents(rules: Option<&QueueDocument>) -> bool {
    rules.is_some_and(|rules| rules.when_no_agents.is_some())
}

/// Whether some rung may have sent this caller on.
fn overflows(stay: &Stay, at: Timestamp, line: usize) -> bool {
    stay.rules.overflow.iter().any(|rung| {
        stay.entered_at + seconds(rung.after_s) <= at
            && !asks(&rung.then)
            && rung.if_waiting.is_none_or(|least| line >= usize::try_from(least).unwrap_or(usize::MAX))
    })
}

/// Whether a rung must have sent this caller on: its time has come, and there is no condition up to there.
fn certain_rung(stay: &Stay, at: Timestamp) -> bool {
    let free = |rung: &&tandem_center::config::RungDocument| {
        rung.if_waiting.is_none_or(|least| least <= 1)
            && rung.if_expected_s.is_none()
            && rung.then.queue.is_none()
    };
    stay.rules
        .overflow
        .iter()
        .take_while(free)
        .take_while(|rung| stay.entered_at + seconds(rung.after_s) <= at)
        .any(|rung| !asks(&rung.then))
}

/// Whether the action only asks, and leaves the caller in the queue.
fn asks(action: &ActionDocument) -> bool {
    action.callback == Some(true)
}

fn stands_of(rules: &QueueDocument, waiting_since: Timestamp, priority: u8) -> Timestamp {
    let worth = u64::from(rules.priority_worth_s) * 1_000_000;
    let earlier = worth * u64::from(3_u8.saturating_sub(priority));
    let later = worth * u64::from(priority.saturating_sub(3));
    Timestamp::from_micros(waiting_since.as_micros() - earlier + later)
}
