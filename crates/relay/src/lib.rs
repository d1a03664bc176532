//! Packet sockets and the threads that serve them.
//!
//! The relay decides nothing: it is told by [`LegCommand`]s and answers with [`LegEvent`]s. What becomes of a
//! packet is known by [`tandem_media::path`]; here are only ports, sockets, wake-ups and clocks.
//!
//! Legs of one call live on one thread, so that a packet crosses no lock, channel or allocation on its way. A
//! thread that serves many packets wakes at most about once in 0.6 ms and then serves every socket that has
//! something; one without packets sleeps until a timer is due; one without legs sleeps until it is told something.

mod pool;
mod socket;
mod worker;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tandem_media::leg::{LegCommand, LegEvent, LegId, LegRefusal, MediaPort};
use tandem_media::path::PathClock;
use tandem_media::rtcp::NtpClock;

pub use pool::PortPool;
use worker::{Order, Worker, WorkerHandle};

/// All media of a process: a pool of ports and a few threads.
///
/// Dropping it closes every leg and ends the threads.
pub struct Relay {
    workers: Vec<WorkerHandle>,
    pool: PortPool,
    /// Which thread serves a leg, and with which others the leg belongs together.
    places: BTreeMap<LegId, Place>,
    /// Where legs that belong together are, and how many they are.
    groups: BTreeMap<u64, (usize, usize)>,
    events: EventSink,
    legs_before_next_worker: usize,
}

/// Where events go: called on the relay's threads, so it must be quick and never wait.
pub type EventSink = Arc<dyn Fn(LegEvent) + Send + Sync>;

/// How a relay is set up.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// Our media addresses; [`InterfaceId`](tandem_media::leg::InterfaceId) counts them from 0.
    pub interfaces: Vec<Interface>,
    /// Threads that move packets, 1 to [`WORKERS_MAX`]; `None` takes two, or one on a machine with one core.
    pub workers: Option<usize>,
    /// Legs of one thread before another one gets new legs. Few threads with many packets wake less often than
    /// many with few, so a thread is filled before the next is used; above that all get alike. The default of 1000
    /// is, with a packet each 20 ms, about a quarter of a core.
    pub legs_before_next_worker: usize,
}

impl RelayConfig {
    /// The defaults on these interfaces.
    pub fn new(interfaces: Vec<Interface>) -> Self {
        Self { interfaces, workers: None, legs_before_next_worker: 1000 }
    }
}

/// An address media is received on.
#[derive(Clone, Debug)]
pub struct Interface {
    /// The address to bind, unspecified for all.
    pub bind: IpAddr,
    /// The ports to use: RTP on the even, RTCP on the odd above it. Two are needed for each party of a call.
    pub ports: RangeInclusive<u16>,
}

impl Interface {
    /// How many parties have their ports at once.
    pub fn parties(&self) -> usize {
        self.pairs().count()
    }

    /// The even ports that have an odd one above them.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = u16> {
        let last = *self.ports.end();
        self.ports.clone().filter(move |port| port % 2 == 0 && *port < last && *port > 0)
    }
}

/// Why a relay cannot start.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The list of interfaces is empty.
    #[error("no media interface is configured")]
    NoInterface,
    /// A range holds no even port with an odd one above it.
    #[error("the port range {first} to {last} holds no pair of an even and an odd port")]
    NoPorts {
        /// The first port of the range.
        first: u16,
        /// The last port of the range.
        last: u16,
    },
    /// Too many or no threads are asked for.
    #[error("{asked} media threads are asked for: 1 to {WORKERS_MAX} are possible")]
    Workers {
        /// What is asked for.
        asked: usize,
    },
    /// The system refused a thread or a descriptor.
    #[error("the system refused a thread or a descriptor for media")]
    System(#[from] std::io::Error),
}

/// Threads of a relay: more than cores of any machine we know of would only wait for each other.
pub const WORKERS_MAX: usize = 64;

impl Relay {
    /// Starts the threads. They sleep until the first leg opens.
    pub fn start(config: &RelayConfig, events: EventSink) -> Result<Self, RelayError> {
        let count = config.workers.unwrap_or_else(default_workers);
        if !(1..=WORKERS_MAX).contains(&count) {
            return Err(RelayError::Workers { asked: count });
        }
        let pool = PortPool::new(&config.interfaces)?;
        let base = Instant::now();
        let since_unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let clock = PathClock { base, ntp: NtpClock::new(base, since_unix) };
        let spawn = |number| Worker::spawn(number, clock, pool.clone(), events.clone());
        let workers = (0..count).map(spawn).collect::<Result<_, _>>()?;
        Ok(Self {
            workers,
            pool,
            places: BTreeMap::new(),
            groups: BTreeMap::new(),
            events,
            legs_before_next_worker: config.legs_before_next_worker,
        })
    }

    /// Where media ports are reserved. Clones share one pool.
    pub fn ports(&self) -> PortPool {
        self.pool.clone()
    }

    /// Tells a leg something. What became of it comes as an event.
    pub fn command(&mut self, command: LegCommand) {
        match command {
            LegCommand::Open { leg, port, affinity, seed } => self.open(leg, port, affinity, seed),
            LegCommand::Bridge { a, b } => self.bridge(a, b),
            LegCommand::Configure { leg, .. }
            | LegCommand::Unbridge { leg }
            | LegCommand::Play { leg, .. }
            | LegCommand::StopPlay { leg }
            | LegCommand::Record { leg, .. }
            | LegCommand::StopRecord { leg }
            | LegCommand::SendDigits { leg, .. } => self.pass(leg, command),
            LegCommand::Close { leg } => {
                self.pass(leg, command);
                self.forget(leg);
            }
        }
    }

    /// Legs that are open.
    pub fn legs(&self) -> usize {
        self.places.len()
    }

    fn open(&mut self, leg: LegId, port: MediaPort, affinity: u64, seed: u64) {
        if self.places.contains_key(&leg) {
            return self.refuse(leg, LegRefusal::AlreadyOpen);
        }
        let Some(sockets) = self.pool.take(port) else {
            return self.refuse(leg, LegRefusal::PortNotReserved);
        };
        let worker = self.choose(affinity);
        self.groups.entry(affinity).or_insert((worker, 0)).1 += 1;
        self.places.insert(leg, Place { worker, affinity });
        if let Some(handle) = self.workers.get_mut(worker) {
            handle.legs += 1;
        }
        self.order(worker, Order::Open { leg, port, sockets, seed });
    }

    /// The thread of a new leg: that of the legs it belongs to, else the first that is not well loaded. Few
    /// threads with many packets wake less often than many with few.
    fn choose(&self, affinity: u64) -> usize {
        if let Some((worker, _)) = self.groups.get(&affinity) {
            return *worker;
        }
        let loads = || self.workers.iter().map(|w| w.legs).enumerate();
        let first = loads().find(|(_, legs)| *legs < self.legs_before_next_worker);
        first.or_else(|| loads().min_by_key(|(_, legs)| *legs)).map_or(0, |(place, _)| place)
    }

    fn forget(&mut self, leg: LegId) {
        let Some(Place { worker, affinity }) = self.places.remove(&leg) else { return };
        if let Some(handle) = self.workers.get_mut(worker) {
            handle.legs -= 1;
        }
        if let Some((_, legs)) = self.groups.get_mut(&affinity) {
            *legs -= 1;
            if *legs == 0 {
                self.groups.remove(&affinity);
            }
        }
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        let worker = |leg| self.places.get(leg).map(|p: &Place| p.worker);
        let (Some(here), Some(there)) = (worker(&a), worker(&b)) else {
            let unknown = if self.places.contains_key(&a) { b } else { a };
            return self.refuse(unknown, LegRefusal::UnknownLeg);
        };
        if a == b {
            return self.refuse(a, LegRefusal::BridgeToSelf);
        }
        if here != there {
            self.move_leg(b, there, here);
        }
        self.order(here, Order::Command(LegCommand::Bridge { a, b }));
    }

    /// Brings a leg to another thread. That one holds back what it is told until the leg has come; orders are
    /// given by one hand, so two threads never wait for each other.
    fn move_leg(&mut self, leg: LegId, from: usize, to: usize) {
        let (give, expect) = std::sync::mpsc::sync_channel(1);
        self.order(to, Order::Expect(expect));
        if let Some(wake) = self.workers.get(to).map(WorkerHandle::waker) {
            self.order(from, Order::Give { leg, to: give, wake });
        }
        if let Some(place) = self.places.get_mut(&leg) {
            place.worker = to;
        }
        for (worker, change) in [(from, -1), (to, 1)] {
            if let Some(handle) = self.workers.get_mut(worker) {
                handle.legs = handle.legs.saturating_add_signed(change);
            }
        }
    }

    fn pass(&mut self, leg: LegId, command: LegCommand) {
        match self.places.get(&leg) {
            Some(place) => self.order(place.worker, Order::Command(command)),
            None => self.refuse(leg, LegRefusal::UnknownLeg),
        }
    }

    fn order(&self, worker: usize, order: Order) {
        if let Some(handle) = self.workers.get(worker) {
            handle.order(order);
        }
    }

    fn refuse(&self, leg: LegId, reason: LegRefusal) {
        (self.events)(LegEvent::Refused { leg, reason });
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("workers", &self.workers.len()).field("legs", &self.legs()).finish()
    }
}

/// Where a leg is served.
#[derive(Clone, Copy)]
struct Place {
    worker: usize,
    affinity: u64,
}

/// Two threads serve several thousand calls; the rest of a machine belongs to signalling.
fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(2))
}
