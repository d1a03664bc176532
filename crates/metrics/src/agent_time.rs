//! Agent time: what agents did with the time in which they were logged in.
//!
//! At each moment an agent is in exactly one state, so that the times of the states add up to the time logged
//! in. Somebody who works for several contacts at once is in the state of the one that needs most, and the
//! time counts once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;
use tandem_center::agent::AgentState;
use tandem_center::config::Document;
use tandem_center::fact::{Fact, FactKind, Side};
use tandem_center::id::{AgentId, InteractionId};

use crate::metric::{Measured, Metric, Quotient};
use crate::series::Sum;
use crate::visit::wraps_up;

/// What an agent is doing, as far as time is concerned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeState {
    /// Free for the next contact.
    Available,
    /// The telephone rings.
    Offered,
    /// In conversation.
    Talk,
    /// Has a contact on hold.
    Hold,
    /// Has taken a callback, and hears the customer's telephone ring.
    Dial,
    /// Asks somebody about a contact that waits meanwhile.
    Consult,
    /// Finishes the work after a conversation.
    AfterCall,
    /// Logged in and not for contacts, with the reason: a break, a training. [`TimeState::BREAK`] if none was
    /// given.
    Aux(Arc<str>),
    /// Wants contacts and gets none for a while: did not answer, or the telephone cannot be reached.
    NotReachable,
    /// Not at work.
    LoggedOut,
}

/// A stretch of time in one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// The state.
    pub state: TimeState,
}

/// Times by state, in microseconds. Together they are the time logged in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateTimes {
    /// Free for the next contact.
    pub available_us: u64,
    /// The telephone rang.
    pub offered_us: u64,
    /// In conversation.
    pub talk_us: u64,
    /// A contact on hold.
    pub hold_us: u64,
    /// Waited for the customers of callbacks to answer.
    pub dial_us: u64,
    /// In a consultation.
    pub consult_us: u64,
    /// After-call work.
    pub after_call_us: u64,
    /// Logged in and not for contacts, by reason; at most [`StateTimes::REASONS_MAX`].
    pub aux_us: BTreeMap<Arc<str>, u64>,
    /// Wanted contacts and got none.
    pub not_reachable_us: u64,
}

/// Which share of the time for contacts was work: handle / (handle + available + offered).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occupancy {
    /// Ringing is not work.
    RingIdle,
    /// Ringing is work.
    RingWork,
}

/// Other shares of the time logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeShare {
    /// Handle time over time logged in.
    Utilization,
    /// Time not available for contacts over time logged in.
    Shrinkage,
}

impl TimeState {
    /// The reason of a break for which none was given.
    pub const BREAK: &'static str = "break";
    /// What reasons count as when there are too many different ones.
    pub const OTHER: &'static str = "other";
}

impl TimeState {
    /// Whether it is time logged in.
    pub fn is_logged_in(&self) -> bool {
        *self != TimeState::LoggedOut
    }
}

impl Segment {
    /// How long it is, in microseconds.
    pub fn length_us(&self) -> u64 {
        self.until.micros_since(self.from)
    }
}

impl StateTimes {
    /// How many reasons are told apart in one sum: reasons are free text. At the limit further ones count as
    /// [`TimeState::OTHER`].
    pub const REASONS_MAX: usize = 50;

    /// Adds time in a state. Time logged out is not counted.
    pub fn add(&mut self, state: &TimeState, us: u64) {
        let time = match state {
            TimeState::Available => &mut self.available_us,
            TimeState::Offered => &mut self.offered_us,
            TimeState::Talk => &mut self.talk_us,
            TimeState::Hold => &mut self.hold_us,
            TimeState::Dial => &mut self.dial_us,
            TimeState::Consult => &mut self.consult_us,
            TimeState::AfterCall => &mut self.after_call_us,
            TimeState::Aux(reason) => return self.add_aux(reason, us),
            TimeState::NotReachable => &mut self.not_reachable_us,
            TimeState::LoggedOut => return,
        };
        *time = time.saturating_add(us);
    }

    fn add_aux(&mut self, reason: &Arc<str>, us: u64) {
        if us == 0 {
            return;
        }
        let known = self.aux_us.contains_key(reason) || self.aux_us.len() + 1 < StateTimes::REASONS_MAX;
        let reason = if known { reason.clone() } else { TimeState::OTHER.into() };
        let time = self.aux_us.entry(reason).or_default();
        *time = time.saturating_add(us);
    }

    /// Work for contacts: talk, hold, dialling, consultation and after-call work, in microseconds.
    pub fn handle_us(&self) -> u64 {
        self.talk_us + self.hold_us + self.dial_us + self.consult_us + self.after_call_us
    }

    /// Logged in and not available for contacts, in microseconds.
    pub fn away_us(&self) -> u64 {
        self.aux_us.values().sum::<u64>() + self.not_reachable_us
    }

    /// The time logged in: the sum of all states, in microseconds.
    pub fn logged_in_us(&self) -> u64 {
        self.handle_us() + self.available_us + self.offered_us + self.away_us()
    }

    /// All shares.
    pub fn measure(&self) -> Vec<Measured> {
        let mut all: Vec<Measured> = [Occupancy::RingIdle, Occupancy::RingWork]
            .map(|variant| Measured::share(Metric::Occupancy { variant }, variant.of(self)))
            .into();
        let shares = [TimeShare::Utilization, TimeShare::Shrinkage];
        all.extend(shares.map(|variant| Measured::share(Metric::TimeShare { variant }, variant.of(self))));
        all
    }
}

impl Sum for StateTimes {
    fn merge(&mut self, other: &StateTimes) {
        self.available_us += other.available_us;
        self.offered_us += other.offered_us;
        self.talk_us += other.talk_us;
        self.hold_us += other.hold_us;
        self.dial_us += other.dial_us;
        self.consult_us += other.consult_us;
        self.after_call_us += other.after_call_us;
        self.not_reachable_us += other.not_reachable_us;
        for (reason, us) in &other.aux_us {
            self.add_aux(reason, *us);
        }
    }
}

impl Occupancy {
    /// The share of these times, in microseconds.
    pub fn of(self, times: &StateTimes) -> Quotient {
        let handle = times.handle_us();
        let work = match self {
            Occupancy::RingIdle => handle,
            Occupancy::RingWork => handle + times.offered_us,
        };
        Quotient::new(work, handle + times.available_us + times.offered_us)
    }
}

impl TimeShare {
    /// The share of these times, in microseconds.
    pub fn of(self, times: &StateTimes) -> Quotient {
        let part = match self {
            TimeShare::Utilization => times.handle_us(),
            TimeShare::Shrinkage => times.away_us(),
        };
        Quotient::new(part, times.logged_in_us())
    }
}

/// The time lines of all agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeLines {
    agents: BTreeMap<AgentId, TimeLine>,
    /// Who talks in which interaction, in the order of connection.
    talking: BTreeMap<InteractionId, Vec<AgentId>>,
}

impl TimeLines {
    /// Takes in a fact and tells each stretch of time that ended with it.
    ///
    /// Facts about one agent come in their order, each once.
    pub fn apply(&mut self, fact: &Fact, tell: &mut impl FnMut(&AgentId, &Segment)) {
        let at = fact.at;
        if let FactKind::Configured { configuration } = &fact.kind {
            return self.dismiss_others_than(configuration, at, tell);
        }
        let holds = |by: &Side| *by == Side::Agent;
        match &fact.kind {
            FactKind::Offered { agent, interaction, .. } => {
                self.turn(agent, at, tell, |line| line.begin(*interaction, Phase::Offered));
            }
            FactKind::OfferEnded { agent, interaction, then, .. } => {
                self.turn(agent, at, tell, |line| {
                    line.end(*interaction, Phase::Dial, then);
                    line.end(*interaction, Phase::Offered, then);
                });
            }
            FactKind::Connected { agent, interaction, .. } => {
                self.talking.entry(*interaction).or_default().push(agent.clone());
                self.turn(agent, at, tell, |line| {
                    line.work.remove(&(Phase::Dial, *interaction));
                    line.shift(*interaction, Phase::Offered, Phase::Talk);
                });
            }
            FactKind::CallbackDialled { agent, interaction, .. } => {
                self.turn(agent, at, tell, |line| line.shift(*interaction, Phase::Offered, Phase::Dial));
            }
            FactKind::Held { interaction, by } if holds(by) => {
                self.turn_talking(*interaction, at, tell, Phase::Talk, Phase::Hold);
            }
            FactKind::Resumed { interaction, by, .. } if holds(by) => {
                self.turn_talking(*interaction, at, tell, Phase::Hold, Phase::Talk);
            }
            FactKind::ConversationEnded { agent, interaction, then, .. } => {
                self.stop_talking(*interaction, agent);
                self.turn(agent, at, tell, |line| {
                    line.end(*interaction, Phase::Talk, then);
                    line.end(*interaction, Phase::Hold, then);
                    if wraps_up(&fact.kind) {
                        line.begin(*interaction, Phase::AfterCall);
                    }
                });
            }
            FactKind::WrapUpEnded { agent, interaction, then, .. } => {
                self.turn(agent, at, tell, |line| line.end(*interaction, Phase::AfterCall, then));
            }
            FactKind::AgentChose { agent, then, .. }
            | FactKind::RestEnded { agent, then, .. }
            | FactKind::PresenceTold { agent, then, .. }
            | FactKind::PresenceForgotten { agent, then, .. } => {
                self.turn(agent, at, tell, |line| line.rest_in(then));
            }
            _ => {}
        }
    }

    /// What an agent has done lately: at most [`TimeLines::SEGMENTS_MAX`] stretches of time, oldest first,
    /// the last one up to `now`. Empty if the agent is not known.
    pub fn segments(&self, agent: &AgentId, now: Timestamp) -> Vec<Segment> {
        let Some(line) = self.agents.get(agent) else { return Vec::new() };
        line.past.iter().cloned().chain(line.present(now)).collect()
    }

    /// The stretch of time that goes on at `now`; `None` if the agent is not known or it has no length yet.
    pub fn present_of(&self, agent: &AgentId, now: Timestamp) -> Option<Segment> {
        self.agents.get(agent)?.present(now)
    }

    /// How many agents are followed; far more than a center has. At the limit new ones are left out.
    pub const AGENTS_MAX: usize = 100_000;

    /// How many past stretches of time are kept for each agent: more than a day's. At the limit the oldest is
    /// forgotten; its time stays counted.
    pub const SEGMENTS_MAX: usize = 2_000;

    fn turn(
        &mut self,
        agent: &AgentId,
        at: Timestamp,
        tell: &mut impl FnMut(&AgentId, &Segment),
        change: impl FnOnce(&mut TimeLine),
    ) {
        if self.agents.len() >= TimeLines::AGENTS_MAX && !self.agents.contains_key(agent) {
            return;
        }
        let line = self.agents.entry(agent.clone()).or_insert_with(|| TimeLine::new(at));
        if let Some(segment) = line.turn(at, change) {
            tell(agent, &segment);
        }
    }

    /// The agent who connected last puts the call on hold or takes it back: facts name the side only.
    fn turn_talking(
        &mut self,
        interaction: InteractionId,
        at: Timestamp,
        tell: &mut impl FnMut(&AgentId, &Segment),
        from: Phase,
        to: Phase,
    ) {
        let Some(agent) = self.talking.get(&interaction).and_then(|agents| agents.last()).cloned() else {
            return;
        };
        self.turn(&agent, at, tell, |line| line.shift(interaction, from, to));
    }

    fn stop_talking(&mut self, interaction: InteractionId, agent: &AgentId) {
        let Some(agents) = self.talking.get_mut(&interaction) else { return };
        if let Some(place) = agents.iter().position(|talking| talking == agent) {
            agents.remove(place);
        }
        if agents.is_empty() {
            self.talking.remove(&interaction);
        }
    }

    /// Agents whom a configuration no longer names are gone, once they are free.
    fn dismiss_others_than(
        &mut self,
        document: &Document,
        at: Timestamp,
        tell: &mut impl FnMut(&AgentId, &Segment),
    ) {
        let known: BTreeSet<&AgentId> = document.agents.iter().map(|agent| &agent.id).collect();
        for (id, line) in &mut self.agents {
            if known.contains(id) || !line.work.is_empty() {
                continue;
            }
            if let Some(segment) = line.turn(at, |line| line.idle = TimeState::LoggedOut) {
                tell(id, &segment);
            }
        }
    }
}

/// One agent's time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TimeLine {
    since: Timestamp,
    /// What the agent is when there is nothing to do.
    idle: TimeState,
    /// For whom the agent works.
    work: BTreeSet<(Phase, InteractionId)>,
    past: VecDeque<Segment>,
}

/// What an agent does for one interaction; the first of them is what the agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Talk,
    Dial,
    Hold,
    AfterCall,
    Offered,
}

impl TimeLine {
    /// An agent of whom the facts say something for the first time. Who is offered callers is available.
    fn new(since: Timestamp) -> TimeLine {
        TimeLine { since, idle: TimeState::Available, work: BTreeSet::new(), past: VecDeque::new() }
    }

    fn state(&self) -> TimeState {
        match self.work.first() {
            Some((Phase::Talk, _)) => TimeState::Talk,
            Some((Phase::Dial, _)) => TimeState::Dial,
            Some((Phase::Hold, _)) => TimeState::Hold,
            Some((Phase::AfterCall, _)) => TimeState::AfterCall,
            Some((Phase::Offered, _)) => TimeState::Offered,
            None => self.idle.clone(),
        }
    }

    /// Changes what the agent does; the stretch of time that ended thereby.
    fn turn(&mut self, at: Timestamp, change: impl FnOnce(&mut TimeLine)) -> Option<Segment> {
        let before = self.state();
        change(self);
        if self.state() == before {
            return None;
        }
        let (from, until) = (self.since, at.max(self.since));
        self.since = until;
        if from == until {
            return None;
        }
        let segment = Segment { from, until, state: before };
        self.past.push_back(segment.clone());
        if self.past.len() > TimeLines::SEGMENTS_MAX {
            self.past.pop_front();
        }
        Some(segment)
    }

    fn present(&self, now: Timestamp) -> Option<Segment> {
        let segment = Segment { from: self.since, until: now, state: self.state() };
        (segment.from < segment.until).then_some(segment)
    }

    fn begin(&mut self, interaction: InteractionId, phase: Phase) {
        self.work.insert((phase, interaction));
    }

    fn end(&mut self, interaction: InteractionId, phase: Phase, then: &AgentState) {
        self.work.remove(&(phase, interaction));
        self.rest_in(then);
    }

    fn shift(&mut self, interaction: InteractionId, from: Phase, to: Phase) {
        self.work.remove(&(from, interaction));
        self.work.insert((to, interaction));
    }

    /// Notes what the agent is when there is nothing to do, if the facts' state says it.
    fn rest_in(&mut self, state: &AgentState) {
        self.idle = match state {
            AgentState::Available { .. } => TimeState::Available,
            AgentState::Break { reason } => {
                TimeState::Aux(reason.clone().unwrap_or_else(|| TimeState::BREAK.into()))
            }
            AgentState::Resting { .. } | AgentState::NotReachable { .. } => TimeState::NotReachable,
            AgentState::Offline | AgentState::Gone => TimeState::LoggedOut,
            _ => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hours_of_one_agent() {
        let mut times = StateTimes::default();
        for (state, seconds) in [
            (TimeState::Available, 1470),
            (TimeState::Offered, 30),
            (TimeState::Talk, 3000),
            (TimeState::Hold, 120),
            (TimeState::AfterCall, 480),
            (TimeState::Aux("break".into()), 900),
            (TimeState::Aux("training".into()), 1200),
        ] {
            times.add(&state, seconds * 1_000_000);
        }
        let percent = |of: Quotient| format!("{:.6}", of.value().unwrap() * 100.0);
        assert_eq!(times.logged_in_us(), 7_200_000_000);
        assert_eq!(Occupancy::RingIdle.of(&times), Quotient::new(3_600_000_000, 5_100_000_000));
        assert_eq!(percent(Occupancy::RingIdle.of(&times)), "70.588235");
        assert_eq!(percent(Occupancy::RingWork.of(&times)), "71.176471");
        assert_eq!(percent(TimeShare::Utilization.of(&times)), "50.000000");
        assert_eq!(percent(TimeShare::Shrinkage.of(&times)), "29.166667");
    }

    #[test]
    fn reasons_beyond_the_limit_count_as_other() {
        let mut times = StateTimes::default();
        for n in 0..1_000 {
            times.add(&TimeState::Aux(format!("reason {n}").into()), 1);
        }
        assert_eq!(times.aux_us.len(), StateTimes::REASONS_MAX);
        assert_eq!(times.logged_in_us(), 1_000);
        assert!(times.aux_us.contains_key(TimeState::OTHER));
    }
}
