//! What a report answers: values by queue, agent and interval, with everything that is needed to judge them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use tandem_center::Timestamp;
use tandem_center::channel::Channel;
use tandem_center::id::{AgentId, QueueId};

use super::{AgentSums, AgentTally, AgentWork, Attribution, Carried, ChannelSums, Entrance, Query, Report};
use crate::interval::{Interval, Length};
use crate::metric::{Measured, Metric};
use crate::series::kept_from;
use crate::tally::{Conservation, Tally};
use crate::visit::Visit;
use crate::waiting::Waits;

/// What a report says about one queue and interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueReading {
    /// The queue.
    pub queue: QueueId,
    /// Its name.
    pub name: Arc<str>,
    /// What waited.
    pub channel: Channel,
    /// The interval; none for the sum of everything.
    pub interval: Option<Interval>,
    /// How it is attributed.
    pub attribution: Attribution,
    /// Whether nothing can be added any more: the interval is over, and, by arrival, so are all visits that
    /// began in it with their handling.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// What was counted. The single waits are not written out with it; percentiles stand among the metrics.
    #[serde(serialize_with = "without_waits")]
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
    /// What waits.
    pub channel: Channel,
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
    /// The interval; none for the sum of everything.
    pub interval: Option<Interval>,
    /// What was counted.
    pub tally: AgentTally,
    /// The metrics of the agent's time.
    pub metrics: Vec<Measured>,
    /// The metrics of the agent's work, by what it was.
    pub work: BTreeMap<Channel, Vec<Measured>>,
}

/// What a report says about the entrance in one interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntranceReading {
    /// The interval.
    pub interval: Interval,
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
    /// Everything about the intervals that touch the stretch of time.
    pub fn read(&self, query: &Query) -> Reading {
        let queues = self.queues.iter().flat_map(|(id, sums)| {
            sums.channels.keys().flat_map(move |channel| self.queue(id, *channel, query))
        });
        Reading {
            at: query.now.max(self.at),
            number: self.number(),
            zone: self.settings.calendar.zone().to_owned(),
            length: self.settings.calendar.length(),
            queues: queues.collect(),
            now: self.now(query.now),
            agents: self.agents.keys().flat_map(|id| self.agent(id, query)).collect(),
            entrance: self.entrance(query.stretch),
            strays: self.visits.strays(),
        }
    }

    /// A queue's intervals that touch the stretch of time, oldest first. Those in which nothing happened are
    /// left out.
    pub fn queue(&self, id: &QueueId, channel: Channel, query: &Query) -> Vec<QueueReading> {
        let Some((name, sums)) = self.sums_of(id, channel) else { return Vec::new() };
        let Query { stretch, attribution, now } = *query;
        let pending = Pending::of(self, id, channel, now.max(self.at));
        let reading = |interval: Interval, tally: &Tally, carried: Carried| {
            let carried = carried.and(pending.carried(interval, attribution));
            QueueReading {
                queue: id.clone(),
                name: name.clone(),
                channel,
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

    /// The sum over all visits of a queue, those whose intervals are no longer kept included; `None` if there
    /// were none.
    pub fn queue_total(&self, id: &QueueId, channel: Channel) -> Option<QueueReading> {
        let (name, sums) = self.sums_of(id, channel)?;
        let tally = sums.by_arrival.total();
        let waiting = Pending::of(self, id, channel, self.at).waiting.len() as u64;
        Some(QueueReading {
            queue: id.clone(),
            name: name.clone(),
            channel,
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
        let mut waiting: BTreeMap<(&QueueId, Channel), (u64, u64)> = BTreeMap::new();
        for (_, visit) in self.visits.waiting() {
            let (count, longest) = waiting.entry((&visit.queue, visit.channel)).or_default();
            *count += 1;
            *longest = now.micros_since(visit.entered_at).max(*longest);
        }
        let mut all = Vec::new();
        for (id, sums) in &self.queues {
            for channel in sums.channels.keys() {
                let found = waiting.get(&(id, *channel));
                let longest = found.map(|(_, longest)| *longest);
                all.push(QueueNow {
                    queue: id.clone(),
                    name: sums.name.text.clone(),
                    channel: *channel,
                    waiting: found.map_or(0, |(count, _)| *count),
                    longest_current_wait: Measured::duration(Metric::LongestCurrentWait, longest),
                });
            }
        }
        all
    }

    /// An agent's intervals that touch the stretch of time, oldest first, with what goes on counted up to
    /// now.
    pub fn agent(&self, id: &AgentId, query: &Query) -> Vec<AgentReading> {
        let Some(sums) = self.agents.get(id) else { return Vec::new() };
        let stretch = query.stretch;
        let now = query.now.max(self.at);
        let mut kept: BTreeMap<Interval, AgentTally> = sums
            .series
            .iter()
            .filter(|(interval, _)| interval.touches(stretch))
            .map(|(interval, tally)| (interval, tally.clone()))
            .collect();
        let present = self.time_lines.present_of(id, now).filter(|present| present.state.is_logged_in());
        if let Some(present) = present {
            let calendar = &self.settings.calendar;
            let begin = present.from.max(stretch.start).max(kept_from(calendar, now));
            for interval in calendar.intervals(begin, present.until.min(stretch.end)) {
                let us = interval.overlap_us(present.from, present.until);
                kept.entry(interval).or_default().time.add(&present.state, us);
            }
        }
        kept.into_iter().map(|(interval, tally)| sums.reading(id, Some(interval), tally)).collect()
    }

    /// The sum over all that an agent did, intervals that are no longer kept included; without what goes on.
    /// `None` if the agent is not known.
    pub fn agent_total(&self, id: &AgentId) -> Option<AgentReading> {
        let sums = self.agents.get(id)?;
        Some(sums.reading(id, None, sums.series.total()))
    }

    /// The intervals of the entrance that touch the stretch of time, oldest first.
    pub fn entrance(&self, stretch: Interval) -> Vec<EntranceReading> {
        let kept = self.entrance.iter().filter(|(interval, _)| interval.touches(stretch));
        let reading = |(interval, entrance): (Interval, &Entrance)| EntranceReading {
            interval,
            entrance: entrance.clone(),
        };
        kept.map(reading).collect()
    }

    fn sums_of(&self, id: &QueueId, channel: Channel) -> Option<(&Arc<str>, &ChannelSums)> {
        let queue = self.queues.get(id)?;
        Some((&queue.name.text, queue.channels.get(&channel)?))
    }
}

impl AgentSums {
    fn reading(&self, id: &AgentId, interval: Option<Interval>, tally: AgentTally) -> AgentReading {
        AgentReading {
            agent: id.clone(),
            name: self.name.text.clone(),
            interval,
            metrics: tally.time.measure(),
            work: tally.work.iter().map(|(channel, work)| (*channel, work.measure())).collect(),
            tally,
        }
    }
}

fn without_waits<S: Serializer>(tally: &Tally, serializer: S) -> Result<S::Ok, S::Error> {
    Tally { waits: Waits::default(), ..tally.clone() }.serialize(serializer)
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
    fn of(report: &Report, id: &QueueId, channel: Channel, now: Timestamp) -> Pending {
        let began =
            |visit: &Visit| (visit.queue == *id && visit.channel == channel).then_some(visit.entered_at);
        Pending {
            now,
            waiting: report.visits.waiting().filter_map(|(_, visit)| began(visit)).collect(),
            unfinished: report.visits.unfinished().filter_map(began).collect(),
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

impl AgentWork {
    /// All metrics of an agent's work of one kind.
    pub fn measure(&self) -> Vec<Measured> {
        let mut all = vec![self.offers.measure()];
        all.extend(self.handled.measure());
        all
    }
}
