//! What a report answers: values by queue, agent and interval, with everything that is needed to judge them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tandem_center::Timestamp;
use tandem_center::id::{AgentId, QueueId};

use super::{AgentTally, Attribution, Carried, Entrance, QueueSums, Report};
use crate::interval::{Interval, Length};
use crate::metric::{Measured, Metric};
use crate::series::kept_from;
use crate::tally::{Conservation, Tally};

/// What a report says about one queue and interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueReading {
    /// The queue.
    pub queue: QueueId,
    /// Its name.
    pub name: Arc<str>,
    /// The interval; none for the sum of all that are no longer kept one by one.
    pub interval: Option<Interval>,
    /// How it is attributed.
    pub attribution: Attribution,
    /// Whether nothing can be added any more: the interval is over, and, by arrival, so are all visits that began in it
    /// with their handling.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// What was counted.
    pub tally: Tally,
    /// Where the visits went.
    pub conservation: Conservation,
    /// All metrics.
    pub metrics: Vec<Measured>,
}

/// Who waits in a queue now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueNow {
    /// The queue.
    pub queue: QueueId,
    /// Its name.
    pub name: Arc<str>,
    /// How many wait, those included for whom an agent is being rung.
    pub waiting: u64,
    /// How long the one has waited who waits longest.
    pub longest_current_wait: Measured,
}

/// What a report says about one agent and interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentReading {
    /// The agent.
    pub agent: AgentId,
    /// The agent's name.
    pub name: Arc<str>,
    /// The interval; none for the sum of all that are no longer kept one by one.
    pub interval: Option<Interval>,
    /// What was counted.
    pub tally: AgentTally,
    /// All metrics.
    pub metrics: Vec<Measured>,
}

/// What a report says about the entrance in one interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntranceReading {
    /// The interval; none for the sum of all that are no longer kept one by one.
    pub interval: Option<Interval>,
    /// What was counted.
    pub entrance: Entrance,
}

/// A whole report over a stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// When it was read.
    pub at: Timestamp,
    /// The number of the last fact in it.
    pub number: u64,
    /// The time zone of agents and entrance.
    pub zone: String,
    /// The length of their intervals.
    pub length: Length,
    /// The queues, by id and time.
    pub queues: Vec<QueueReading>,
    /// Who waits now.
    pub now: Vec<QueueNow>,
    /// The agents, by id and time.
    pub agents: Vec<AgentReading>,
    /// The entrance, by time.
    pub entrance: Vec<EntranceReading>,
    /// How many facts did not fit what was known and were left out; zero if the facts are complete.
    pub strays: u64,
}

impl Report {
    /// Everything about the intervals that touch the stretch of time, read at `now`.
    pub fn read(
        &self,
        from: Timestamp,
        until: Timestamp,
        attribution: Attribution,
        now: Timestamp,
    ) -> Reading {
        let now = now.max(self.at);
        let queues = self.queues.keys().flat_map(|id| self.queue(id, from, until, attribution, now));
        let agents = self.agents.keys().flat_map(|id| self.agent(id, from, until, now));
        Reading {
            at: now,
            number: self.number(),
            zone: self.settings.calendar.zone().to_owned(),
            length: self.settings.calendar.length(),
            queues: queues.collect(),
            now: self.now(now),
            agents: agents.collect(),
            entrance: self.entrance(from, until),
            strays: self.visits.strays(),
        }
    }

    /// A queue's intervals that touch the stretch of time, oldest first. Those in which nothing happened are left out.
    pub fn queue(
        &self,
        id: &QueueId,
        from: Timestamp,
        until: Timestamp,
        attribution: Attribution,
        now: Timestamp,
    ) -> Vec<QueueReading> {
        let Some(sums) = self.queues.get(id) else { return Vec::new() };
        let now = now.max(self.at);
        let stretch = Interval { start: from, end: until };
        let pending = Pending::of(self, id, now);
        let reading = |interval: Interval, tally: &Tally, carried: Carried| {
            let carried = carried.and(pending.carried(interval, attribution));
            QueueReading {
                queue: id.clone(),
                name: sums.name.clone(),
                interval: Some(interval),
                attribution,
                is_final: pending.is_final(interval, attribution),
                tally: tally.clone(),
                conservation: tally.conservation(carried.inwards, carried.outwards),
                metrics: tally.measure(),
            }
        };
        match attribution {
            Attribution::Arrival => {
                let kept = sums.by_arrival.iter().filter(|(interval, _)| interval.touches(stretch));
                kept.map(|(interval, tally)| reading(interval, tally, Carried::default())).collect()
            }
            Attribution::Event => {
                let kept = sums.by_event.iter().filter(|(interval, _)| interval.touches(stretch));
                kept.map(|(interval, sum)| reading(interval, &sum.tally, sum.carried)).collect()
            }
        }
    }

    /// The sum over all visits of a queue, those whose intervals are no longer kept included; `None` if the queue is
    /// not known.
    pub fn queue_total(&self, id: &QueueId) -> Option<QueueReading> {
        let sums = self.queues.get(id)?;
        let tally = sums.by_arrival.total();
        let waiting = self.visits.waiting().filter(|(_, queue, _)| *queue == id).count() as u64;
        Some(QueueReading {
            queue: id.clone(),
            name: sums.name.clone(),
            interval: None,
            attribution: Attribution::Arrival,
            is_final: false,
            conservation: tally.conservation(0, waiting),
            metrics: tally.measure(),
            tally,
        })
    }

    /// Who waits now, by queue.
    pub fn now(&self, now: Timestamp) -> Vec<QueueNow> {
        let now = now.max(self.at);
        let mut waiting: BTreeMap<&QueueId, (u64, u64)> = BTreeMap::new();
        for (_, queue, entered_at) in self.visits.waiting() {
            let (count, longest) = waiting.entry(queue).or_default();
            *count += 1;
            *longest = now.micros_since(entered_at).max(*longest);
        }
        let queue_now = |(id, sums): (&QueueId, &QueueSums)| {
            let found = waiting.get(id);
            QueueNow {
                queue: id.clone(),
                name: sums.name.clone(),
                waiting: found.map_or(0, |(count, _)| *count),
                longest_current_wait: Measured::duration(
                    Metric::LongestCurrentWait,
                    found.map(|(_, longest)| *longest),
                ),
            }
        };
        self.queues.iter().map(queue_now).collect()
    }

    /// An agent's intervals that touch the stretch of time, oldest first, with what goes on counted up to `now`.
    pub fn agent(
        &self,
        id: &AgentId,
        from: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> Vec<AgentReading> {
        let Some(sums) = self.agents.get(id) else { return Vec::new() };
        let now = now.max(self.at);
        let stretch = Interval { start: from, end: until };
        let mut kept: BTreeMap<Interval, AgentTally> = sums
            .series
            .iter()
            .filter(|(interval, _)| interval.touches(stretch))
            .map(|(interval, tally)| (interval, tally.clone()))
            .collect();
        if let Some(present) = self.time_lines.present_of(id, now) {
            let calendar = &self.settings.calendar;
            let begin = present.from.max(from).max(kept_from(calendar, now));
            for interval in calendar.intervals(begin, present.until.min(until)) {
                let us = interval.overlap_us(present.from, present.until);
                if present.state.is_logged_in() {
                    kept.entry(interval).or_default().time.add(&present.state, us);
                }
            }
        }
        let reading = |(interval, tally): (Interval, AgentTally)| AgentReading {
            agent: id.clone(),
            name: sums.name.clone(),
            interval: Some(interval),
            metrics: tally.measure(),
            tally,
        };
        kept.into_iter().map(reading).collect()
    }

    /// The sum over all that an agent did, intervals that are no longer kept included; without what goes on. `None` if the agent
    /// is not known.
    pub fn agent_total(&self, id: &AgentId) -> Option<AgentReading> {
        let sums = self.agents.get(id)?;
        let tally = sums.series.total();
        let (agent, name) = (id.clone(), sums.name.clone());
        Some(AgentReading { agent, name, interval: None, metrics: tally.measure(), tally })
    }

    /// The intervals of the entrance that touch the stretch of time, oldest first.
    pub fn entrance(&self, from: Timestamp, until: Timestamp) -> Vec<EntranceReading> {
        let stretch = Interval { start: from, end: until };
        let kept = self.entrance.iter().filter(|(interval, _)| interval.touches(stretch));
        kept.map(|(interval, entrance)| EntranceReading {
            interval: Some(interval),
            entrance: entrance.clone(),
        })
        .collect()
    }
}

/// What is not over in a queue.
struct Pending {
    now: Timestamp,
    /// Since when callers wait who wait now.
    waiting: Vec<Timestamp>,
    /// When the visits began of which not all is told.
    unfinished: Vec<Timestamp>,
}

impl Pending {
    fn of(report: &Report, id: &QueueId, now: Timestamp) -> Pending {
        let of_queue = |(queue, entered_at): (&QueueId, Timestamp)| (queue == id).then_some(entered_at);
        let waiting = report.visits.waiting().map(|(_, queue, entered_at)| (queue, entered_at));
        Pending {
            now,
            waiting: waiting.filter_map(of_queue).collect(),
            unfinished: report.visits.unfinished().filter_map(of_queue).collect(),
        }
    }

    /// Who waits now and belongs to the interval, or waited over its borders.
    fn carried(&self, interval: Interval, attribution: Attribution) -> Carried {
        let mut carried = Carried::default();
        for entered_at in &self.waiting {
            match attribution {
                Attribution::Arrival => carried.outwards += u64::from(interval.contains(*entered_at)),
                Attribution::Event if interval.start > self.now => {}
                Attribution::Event => {
                    carried.inwards += u64::from(*entered_at < interval.start);
                    carried.outwards += u64::from(*entered_at < interval.end);
                }
            }
        }
        carried
    }

    fn is_final(&self, interval: Interval, attribution: Attribution) -> bool {
        let open = match attribution {
            Attribution::Arrival => self.unfinished.iter().any(|entered_at| interval.contains(*entered_at)),
            Attribution::Event => false,
        };
        interval.end <= self.now && !open
    }
}

impl AgentTally {
    /// All metrics of one agent.
    pub fn measure(&self) -> Vec<Measured> {
        let mut all = self.time.measure();
        all.push(self.offers.measure());
        all.extend(self.handled.measure());
        all
    }
}
