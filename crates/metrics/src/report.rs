//! The report: what a server asks for queues, intervals and agents, folded from the facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;
use tandem_center::channel::Channel;
use tandem_center::fact::{Fact, FactKind, Outcome};
use tandem_center::id::{AgentId, QueueId};

use crate::agent_time::{Segment, StateTimes, TimeLines};
use crate::handling::{Handled, Offers};
use crate::interval::{Calendar, Interval};
use crate::series::{Series, Sum};
use crate::service_level::Thresholds;
use crate::taken::Taken;
use crate::tally::Tally;
use crate::visit::{EntranceEvent, Happening, Visit, VisitEvent, Visits};

mod reading;

pub use reading::{AgentReading, EntranceReading, QueueNow, QueueReading, Reading};

/// How a report divides time and judges waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The intervals of agents, of the entrance, and of queues that have none of their own.
    pub calendar: Calendar,
    /// The thresholds of queues that have none of their own, by what waits. Where none are given,
    /// [`Thresholds::of_channel`].
    #[serde(default)]
    pub thresholds: BTreeMap<Channel, Thresholds>,
    /// What is different for single queues.
    #[serde(default)]
    pub queues: BTreeMap<QueueId, QueueSettings>,
}

/// What is different for one queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueSettings {
    /// Its intervals: the queue's own time zone.
    pub calendar: Calendar,
    /// Its thresholds, by what waits.
    #[serde(default)]
    pub thresholds: BTreeMap<Channel, Thresholds>,
}

/// What is asked of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The intervals that touch this stretch of time are answered.
    pub stretch: Interval,
    /// How visits are attributed to them.
    pub attribution: Attribution,
    /// When it is asked. What goes on counts up to here; never earlier than the last fact.
    pub now: Timestamp,
}

/// To which interval something belongs that became of a visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// To the one in which the visit began: what became of those who called at that time. For reports.
    #[default]
    Arrival,
    /// To the one in which it happened: what was done at that time. For live screens. The two differ by
    /// design.
    Event,
}

/// All metrics of one center, folded from its facts.
///
/// Facts are taken in by number: one that comes twice changes nothing, and facts that have nothing to do with
/// each other may come in any order. The whole serialises, and the same facts give the same report.
///
/// Its memory is bounded: sums are kept for [`Series::INTERVALS_MAX`] intervals and then added to one, single
/// waits for percentiles up to [`Waits::RAW_MAX`](crate::waiting::Waits::RAW_MAX) in each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    settings: Settings,
    taken: Taken,
    at: Timestamp,
    visits: Visits,
    time_lines: TimeLines,
    queues: BTreeMap<QueueId, QueueSums>,
    agents: BTreeMap<AgentId, AgentSums>,
    entrance: Series<Entrance>,
}

/// What was counted of callers as such, whatever queue they came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrance {
    /// Calls that were refused at the door: nobody is to be reached by the number, or too many calls stand.
    pub rejected: u64,
    /// Callers who came in.
    pub arrived: u64,
    /// Customers who are to be called back at a time, without having called.
    pub scheduled: u64,
    /// Callers who hung up in the flow before they ever were in a queue (IVR abandonment). It is no
    /// abandonment of a queue.
    pub abandoned_in_menu: u64,
    /// How interactions ended.
    pub outcomes: BTreeMap<Outcome, u64>,
}

/// What was counted of one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentTally {
    /// The time logged in, by state, split at the borders of intervals.
    pub time: StateTimes,
    /// Offers and contacts, by what they were.
    pub work: BTreeMap<Channel, AgentWork>,
}

/// An agent's work of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentWork {
    /// Offers to the agent; they belong to the interval in which the offer was made.
    pub offers: Offers,
    /// Contacts that the agent handled; they belong to the interval in which the agent answered. Their times
    /// are added up over contacts, also where contacts overlap.
    pub handled: Handled,
}

impl Report {
    /// How many queues are counted: far more than a center has. At the limit new ones are left out, with all
    /// visits to them.
    pub const QUEUES_MAX: usize = 20_000;

    /// A report of no facts yet.
    pub fn new(settings: Settings) -> Report {
        let entrance = Series::new(settings.calendar.length());
        Report {
            settings,
            taken: Taken::default(),
            at: Timestamp::default(),
            visits: Visits::default(),
            time_lines: TimeLines::default(),
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            entrance,
        }
    }

    /// Takes in a fact. One that was taken in already changes nothing.
    pub fn apply(&mut self, fact: &Fact) {
        if !self.taken.take(fact.number) {
            return;
        }
        self.at = self.at.max(fact.at);
        self.learn_names(fact);
        let Report { settings, visits, time_lines, queues, agents, entrance, .. } = self;
        visits.apply(fact, &mut |happening| match happening {
            Happening::AtEntrance { arrived_at, what, .. } => {
                entrance.at(settings.calendar.interval_of(arrived_at)).count(what);
            }
            Happening::AtQueue { visit, at, what } => {
                count_agent(agents, settings, visit.channel, at, &what);
                if queues.len() < Report::QUEUES_MAX || queues.contains_key(&visit.queue) {
                    let sums =
                        queues.entry(visit.queue.clone()).or_insert_with(|| QueueSums::new(&visit.queue));
                    sums.count(settings, &visit, at, &what);
                }
            }
        });
        time_lines.apply(fact, &mut |agent, segment| {
            if let Some(sums) = sums_of(agents, agent, settings) {
                add_time(&mut sums.series, &settings.calendar, segment);
            }
        });
    }

    /// How it divides time and judges waits.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The number of the last fact that was taken in.
    pub fn number(&self) -> u64 {
        self.taken.last()
    }

    /// When the last fact happened.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The queues of which something was counted.
    pub fn queues(&self) -> impl Iterator<Item = &QueueId> {
        self.queues.keys()
    }

    /// The agents of whom something was counted.
    pub fn agents(&self) -> impl Iterator<Item = &AgentId> {
        self.agents.keys()
    }

    /// The visits that go on.
    pub fn visits(&self) -> &Visits {
        &self.visits
    }

    /// What agents have done lately.
    pub fn time_lines(&self) -> &TimeLines {
        &self.time_lines
    }

    fn learn_names(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::QueueEntered { queue, queue_name, .. } => {
                let known = self.queues.contains_key(queue);
                if known || self.queues.len() < Report::QUEUES_MAX {
                    let sums = self.queues.entry(queue.clone()).or_insert_with(|| QueueSums::new(queue));
                    sums.name.learn(queue_name, fact.number);
                }
            }
            FactKind::AgentChose { agent, agent_name, .. } | FactKind::Offered { agent, agent_name, .. } => {
                if let Some(sums) = sums_of(&mut self.agents, agent, &self.settings) {
                    sums.name.learn(agent_name, fact.number);
                }
            }
            _ => {}
        }
    }
}

impl Settings {
    /// The same calendar and thresholds for the calls of all queues.
    pub fn new(calendar: Calendar, thresholds: Thresholds) -> Settings {
        Settings { calendar, thresholds: [(Channel::Call, thresholds)].into(), queues: BTreeMap::new() }
    }

    /// The intervals of a queue.
    pub fn calendar_of(&self, queue: &QueueId) -> &Calendar {
        self.queues.get(queue).map_or(&self.calendar, |own| &own.calendar)
    }

    /// With what the waits of a queue are compared.
    pub fn thresholds_of(&self, queue: &QueueId, channel: Channel) -> Thresholds {
        let own = self.queues.get(queue).and_then(|own| own.thresholds.get(&channel));
        let found = own.or_else(|| self.thresholds.get(&channel));
        found.copied().unwrap_or_else(|| Thresholds::of_channel(channel))
    }
}

impl Sum for AgentTally {
    fn merge(&mut self, other: &AgentTally) {
        self.time.merge(&other.time);
        for (channel, work) in &other.work {
            let sum = self.work.entry(*channel).or_default();
            sum.offers.merge(&work.offers);
            sum.handled.merge(&work.handled);
        }
    }
}

impl Entrance {
    fn count(&mut self, what: EntranceEvent) {
        match what {
            EntranceEvent::Rejected => self.rejected += 1,
            EntranceEvent::Arrived => self.arrived += 1,
            EntranceEvent::Scheduled => self.scheduled += 1,
            EntranceEvent::Closed { outcome, visited } => {
                *self.outcomes.entry(outcome).or_default() += 1;
                self.abandoned_in_menu += u64::from(outcome == Outcome::AbandonedInFlow && !visited);
            }
        }
    }
}

impl Sum for Entrance {
    fn merge(&mut self, other: &Entrance) {
        self.rejected += other.rejected;
        self.arrived += other.arrived;
        self.scheduled += other.scheduled;
        self.abandoned_in_menu += other.abandoned_in_menu;
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(*outcome).or_default() += count;
        }
    }
}

/// A name, as the latest fact tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Name {
    text: Arc<str>,
    told_by: u64,
}

/// The sums of one queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct QueueSums {
    name: Name,
    channels: BTreeMap<Channel, ChannelSums>,
}

/// The sums of what waits in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChannelSums {
    by_arrival: Series<Tally>,
    by_event: Series<EventSum>,
}

/// What happened in an interval, and who waited over its borders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct EventSum {
    tally: Tally,
    carried: Carried,
}

/// Visits over the borders of an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Carried {
    inwards: u64,
    outwards: u64,
}

/// The sums of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AgentSums {
    name: Name,
    series: Series<AgentTally>,
}

impl Name {
    /// The id, until a name is told.
    fn unknown(id: &str) -> Name {
        Name { text: id.into(), told_by: 0 }
    }

    fn learn(&mut self, text: &Arc<str>, number: u64) {
        if number >= self.told_by {
            *self = Name { text: text.clone(), told_by: number };
        }
    }
}

impl Carried {
    fn and(self, other: Carried) -> Carried {
        Carried { inwards: self.inwards + other.inwards, outwards: self.outwards + other.outwards }
    }

    /// Of a sum of intervals only its own borders count: who went out of one and into the next went over none
    /// of them.
    fn settle(&mut self) {
        let within = self.inwards.min(self.outwards);
        self.inwards -= within;
        self.outwards -= within;
    }
}

impl Sum for EventSum {
    fn merge(&mut self, other: &EventSum) {
        self.tally.merge(&other.tally);
        self.carried = self.carried.and(other.carried);
        self.carried.settle();
    }
}

impl QueueSums {
    fn new(queue: &QueueId) -> QueueSums {
        QueueSums { name: Name::unknown(queue.as_str()), channels: BTreeMap::new() }
    }

    fn count(&mut self, settings: &Settings, visit: &Visit, at: Timestamp, what: &VisitEvent) {
        let calendar = settings.calendar_of(&visit.queue);
        let thresholds = settings.thresholds_of(&visit.queue, visit.channel);
        let sums = self.channels.entry(visit.channel).or_insert_with(|| ChannelSums::new(calendar));
        count_visit(sums.by_arrival.at(calendar.interval_of(visit.entered_at)), thresholds, what);
        let interval = calendar.interval_of(at);
        count_visit(&mut sums.by_event.at(interval).tally, thresholds, what);
        if let VisitEvent::Ended(_) = what {
            sums.carry(calendar, visit.entered_at, interval);
        }
    }
}

impl ChannelSums {
    fn new(calendar: &Calendar) -> ChannelSums {
        let length = calendar.length();
        ChannelSums { by_arrival: Series::new(length), by_event: Series::new(length) }
    }

    /// Notes over which borders a visit waited that ended in this interval.
    fn carry(&mut self, calendar: &Calendar, entered_at: Timestamp, last: Interval) {
        let (kept_from, earlier) = self.by_event.before(calendar, last);
        if entered_at < kept_from && kept_from <= last.start {
            earlier.carried.outwards += 1;
            earlier.carried.settle();
        }
        for interval in calendar.intervals(entered_at.max(kept_from), last.start) {
            self.by_event.at(interval).carried.outwards += 1;
            if !interval.contains(entered_at) {
                self.by_event.at(interval).carried.inwards += 1;
            }
        }
        if !last.contains(entered_at) && kept_from <= last.start {
            self.by_event.at(last).carried.inwards += 1;
        }
    }
}

fn count_visit(tally: &mut Tally, thresholds: Thresholds, what: &VisitEvent) {
    match what {
        VisitEvent::Refused(why) => *tally.refused.entry(*why).or_default() += 1,
        VisitEvent::Entered => tally.enter(thresholds),
        VisitEvent::Offered { .. } => tally.offers.made += 1,
        VisitEvent::OfferEnded { how, rang_us, .. } => tally.offers.end(*how, *rang_us),
        VisitEvent::Ended(end) => tally.end(end, thresholds),
        VisitEvent::Scored { announced_us, happened } => tally.announcements.score(*announced_us, *happened),
        VisitEvent::Handled { handling, .. } => tally.handled.add(handling),
    }
}

/// Counts for an agent what happened to a visit.
fn count_agent(
    agents: &mut BTreeMap<AgentId, AgentSums>,
    settings: &Settings,
    channel: Channel,
    at: Timestamp,
    what: &VisitEvent,
) {
    let mut work = |agent: &AgentId, at: Timestamp, count: &dyn Fn(&mut AgentWork)| {
        if let Some(sums) = sums_of(agents, agent, settings) {
            let tally = sums.series.at(settings.calendar.interval_of(at));
            count(tally.work.entry(channel).or_default());
        }
    };
    match what {
        VisitEvent::Offered { agent } => work(agent, at, &|work| work.offers.made += 1),
        VisitEvent::OfferEnded { agent, offered_at, how, rang_us } => {
            work(agent, *offered_at, &|work| work.offers.end(*how, *rang_us));
        }
        VisitEvent::Handled { agent, connected_at, handling } => {
            work(agent, *connected_at, &|work| work.handled.add(handling));
        }
        VisitEvent::Refused(_) | VisitEvent::Entered | VisitEvent::Ended(_) | VisitEvent::Scored { .. } => {}
    }
}

/// The sums of an agent; `None` if there are too many agents.
fn sums_of<'a>(
    agents: &'a mut BTreeMap<AgentId, AgentSums>,
    agent: &AgentId,
    settings: &Settings,
) -> Option<&'a mut AgentSums> {
    if agents.len() >= TimeLines::AGENTS_MAX && !agents.contains_key(agent) {
        return None;
    }
    let fresh = || {
        let series = Series::new(settings.calendar.length());
        AgentSums { name: Name::unknown(agent.as_str()), series }
    };
    Some(agents.entry(agent.clone()).or_insert_with(fresh))
}

/// Adds a stretch of time to the intervals over which it goes.
fn add_time(series: &mut Series<AgentTally>, calendar: &Calendar, segment: &Segment) {
    let Segment { from, until, state } = segment;
    if !state.is_logged_in() || from >= until {
        return;
    }
    let last = Timestamp::from_micros(until.as_micros() - 1);
    let (kept_from, earlier) = series.before(calendar, calendar.interval_of(last));
    earlier.time.add(state, kept_from.min(*until).micros_since(*from));
    for interval in calendar.intervals(kept_from.max(*from), *until) {
        series.at(interval).time.add(state, interval.overlap_us(*from, *until));
    }
}
