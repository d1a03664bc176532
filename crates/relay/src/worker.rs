//! A thread that moves packets.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use tandem_media::leg::{LegCommand, LegEvent, LegId, LegRefusal, MediaPort};
use tandem_media::path::{Arrival, Path, PathClock, Socket, Sound, Transmit};
use tandem_media::rtp;

use crate::EventSink;
use crate::pool::PortPool;
use crate::socket::{Received, SocketPair, receive};

/// What a thread is told.
pub(crate) enum Order {
    Open {
        leg: LegId,
        port: MediaPort,
        sockets: SocketPair,
        seed: u64,
    },
    Command(LegCommand),
    /// A leg comes from another thread; what is told after this waits for it.
    Expect(Receiver<Option<Box<Leg>>>),
    /// A leg goes to another thread.
    Give {
        leg: LegId,
        to: SyncSender<Option<Box<Leg>>>,
        wake: Arc<Waker>,
    },
    Stop,
}

/// The other end of a thread.
pub(crate) struct WorkerHandle {
    orders: SyncSender<Order>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
    /// Legs that were given to it.
    pub(crate) legs: usize,
}

impl WorkerHandle {
    pub(crate) fn order(&self, order: Order) {
        // Fails only if the thread is gone, and then so are its legs.
        let _ = self.orders.send(order);
        self.waker.wake();
    }

    pub(crate) fn waker(&self) -> Arc<Waker> {
        self.waker.clone()
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.order(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Wakes a thread from its sleep; once until it has looked.
pub(crate) struct Waker {
    event: OwnedFd,
    woken: AtomicBool,
}

impl Waker {
    fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
        }
    }

    fn clear(&self) {
        let _ = rustix::io::read(&self.event, &mut [0; 8]);
        self.woken.store(false, Ordering::Release);
    }
}

/// A thread's own: its legs by place, its timers, its one buffer.
pub(crate) struct Worker {
    epoll: OwnedFd,
    waker: Arc<Waker>,
    orders: Receiver<Order>,
    /// What is told while a leg is expected.
    held_back: VecDeque<Order>,
    expected: Option<Receiver<Option<Box<Leg>>>>,
    legs: Vec<Option<Box<Leg>>>,
    free_places: Vec<usize>,
    places: BTreeMap<LegId, usize>,
    /// When a leg is due; entries that are no longer true are passed over.
    timers: BinaryHeap<Reverse<(Instant, usize)>>,
    clock: PathClock,
    pool: PortPool,
    events: EventSink,
    pace: Pace,
    buffer: Box<[u8; BUFFER_OCTETS]>,
}

/// A leg with its sockets.
pub(crate) struct Leg {
    path: Path,
    sockets: SocketPair,
    port: MediaPort,
    peer: Option<usize>,
    /// The timer that is true.
    due: Instant,
}

impl Worker {
    pub(crate) fn spawn(
        number: usize,
        clock: PathClock,
        pool: PortPool,
        events: EventSink,
    ) -> io::Result<WorkerHandle> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &event, EventData::new_u64(WAKE), EventFlags::IN)?;
        let waker = Arc::new(Waker { event, woken: AtomicBool::new(false) });
        let (sender, orders) = sync_channel(ORDERS_MAX);
        let worker = Self {
            epoll,
            waker: waker.clone(),
            orders,
            held_back: VecDeque::new(),
            expected: None,
            legs: Vec::new(),
            free_places: Vec::new(),
            places: BTreeMap::new(),
            timers: BinaryHeap::new(),
            clock,
            pool,
            events,
            pace: Pace::new(clock.base),
            buffer: Box::new([0; BUFFER_OCTETS]),
        };
        let thread =
            std::thread::Builder::new().name(format!("tandem-relay-{number}")).spawn(move || worker.run())?;
        Ok(WorkerHandle { orders: sender, waker, thread: Some(thread), legs: 0 })
    }

    fn run(mut self) {
        // Ticks of less than a millisecond need better than the 50 us by which Linux may be late.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(TIMER_SLACK_NS));
        let mut ready = Vec::with_capacity(READY_MAX);
        loop {
            let now = Instant::now();
            self.fire_timers(now);
            if let Some(rest) = self.pace.rest(now) {
                std::thread::sleep(rest);
            }
            ready.clear();
            let timeout = self.timeout();
            let spare = rustix::buffer::spare_capacity(&mut ready);
            if epoll::wait(&self.epoll, spare, timeout.as_ref()).is_err() {
                continue;
            }
            let now = Instant::now();
            let mut told = false;
            let mut packets = 0;
            for event in &ready {
                let data = event.data.u64();
                if data == WAKE {
                    told = true;
                } else {
                    self.handle_ready(now, data);
                    packets += 1;
                }
            }
            self.pace.note(now, packets);
            if told && !self.handle_orders() {
                return;
            }
        }
    }

    /// How long to sleep: until the next timer; for ever without one.
    fn timeout(&self) -> Option<Timespec> {
        let Reverse((due, _)) = self.timers.peek()?;
        let span = due.saturating_duration_since(Instant::now());
        Some(Timespec { tv_sec: span.as_secs() as i64, tv_nsec: i64::from(span.subsec_nanos()) })
    }

    /// One packet from a socket that has some; more only as long as they are strangers', so that a flood is
    /// emptied out and the party's own packets are reached.
    fn handle_ready(&mut self, now: Instant, data: u64) {
        let (place, is_rtcp) = ((data >> 1) as usize, data & 1 == 1);
        for _ in 0..STRANGERS_PER_WAKE {
            let Some(Some(leg)) = self.legs.get_mut(place) else { return };
            let socket = if is_rtcp { &leg.sockets.rtcp } else { &leg.sockets.rtp };
            let (octets, source) = match receive(socket, &mut self.buffer[..]) {
                Received::Packet(octets, source) => (octets, source),
                Received::Junk => {
                    leg.path.count_foreign();
                    continue;
                }
                Received::Nothing => return,
            };
            let Some(packet) = self.buffer.get_mut(..octets) else { return };
            if is_rtcp || rtp::is_rtcp(packet) {
                if leg.path.handle_rtcp(now, source, packet) {
                    return;
                }
                continue;
            }
            let arrival = leg.path.handle_rtp(now, source, packet);
            let peer = leg.peer;
            tell(&self.events, &mut leg.path);
            match arrival {
                Arrival::Stranger => {}
                Arrival::Taken => return,
                Arrival::Sound(sound) => return self.pass_on(now, &sound, peer),
            }
        }
    }

    fn pass_on(&mut self, now: Instant, sound: &Sound, peer: Option<usize>) {
        let Some(Some(listener)) = peer.and_then(|p| self.legs.get_mut(p)) else { return };
        if let Some(transmit) = listener.path.forward(now, sound, &mut self.buffer[..]) {
            listener.transmit(&transmit, &self.buffer[..]);
        }
    }

    fn fire_timers(&mut self, now: Instant) {
        while let Some(Reverse((due, place))) = self.timers.peek().copied() {
            if due > now {
                return;
            }
            self.timers.pop();
            let Some(Some(leg)) = self.legs.get_mut(place) else { continue };
            if leg.due != due {
                continue;
            }
            while let Some(transmit) = leg.path.poll_transmit(now, &mut self.buffer[..]) {
                leg.transmit(&transmit, &self.buffer[..]);
            }
            tell(&self.events, &mut leg.path);
            leg.sockets.connect(leg.path.settled(now));
            leg.due = leg.path.poll_timeout();
            self.timers.push(Reverse((leg.due, place)));
        }
    }

    /// Does what was told; `false` when told to stop.
    fn handle_orders(&mut self) -> bool {
        self.waker.clear();
        loop {
            if let Some(expected) = &self.expected {
                match expected.try_recv() {
                    Ok(leg) => {
                        self.expected = None;
                        if let Some(leg) = leg {
                            self.admit(leg);
                        }
                    }
                    Err(TryRecvError::Disconnected) => self.expected = None,
                    Err(TryRecvError::Empty) => {
                        self.held_back.extend(self.orders.try_iter());
                        return true;
                    }
                }
            }
            let Some(order) = self.held_back.pop_front().or_else(|| self.orders.try_recv().ok()) else {
                return true;
            };
            match order {
                Order::Open { leg, port, sockets, seed } => {
                    let now = Instant::now();
                    let path = Path::new(leg, seed, self.clock, now);
                    self.admit(Box::new(Leg { path, sockets, port, peer: None, due: now }));
                }
                Order::Command(command) => self.handle_command(command),
                Order::Expect(from) => self.expected = Some(from),
                Order::Give { leg, to, wake } => {
                    // The receiver is gone only when the relay is being dropped.
                    let _ = to.send(self.dismiss(leg));
                    wake.wake();
                }
                Order::Stop => return false,
            }
        }
    }

    fn handle_command(&mut self, command: LegCommand) {
        let now = Instant::now();
        match command {
            LegCommand::Configure { leg, negotiated, latch } => {
                if let Some(place) = self.place(leg) {
                    self.act(place, |leg| {
                        leg.path.configure(now, negotiated, latch);
                        leg.sockets.connect(leg.path.settled(now));
                    });
                    let peer = self.legs.get(place).and_then(|l| l.as_ref()?.peer);
                    self.introduce(place, peer);
                }
            }
            LegCommand::Bridge { a, b } => {
                if let (Some(a), Some(b)) = (self.place(a), self.place(b)) {
                    self.unbridge(a);
                    self.unbridge(b);
                    self.set_peer(a, Some(b));
                    self.set_peer(b, Some(a));
                    self.introduce(a, Some(b));
                }
            }
            LegCommand::Unbridge { leg } => {
                if let Some(place) = self.place(leg) {
                    self.unbridge(place);
                }
            }
            LegCommand::Play { leg, play, prompts, repeat } => {
                if let Some(place) = self.place(leg) {
                    self.act(place, |leg| leg.path.play(now, play, prompts, repeat));
                }
            }
            LegCommand::StopPlay { leg } => {
                if let Some(place) = self.place(leg) {
                    self.act(place, |leg| leg.path.stop_play());
                }
            }
            LegCommand::Record { leg, recording, max, silence } => {
                if let Some(place) = self.place(leg) {
                    self.act(place, |leg| leg.path.record(now, recording, max, silence));
                }
            }
            LegCommand::StopRecord { leg } => {
                if let Some(place) = self.place(leg) {
                    self.act(place, |leg| leg.path.stop_record(now));
                }
            }
            LegCommand::SendDigits { leg, digits } => {
                if let Some(place) = self.place(leg) {
                    self.act(place, |leg| leg.path.send_digits(now, &digits));
                }
            }
            LegCommand::Close { leg } => self.close(leg),
            // The relay opens legs itself: it has the sockets.
            LegCommand::Open { leg, .. } => self.refuse(leg, LegRefusal::AlreadyOpen),
        }
    }

    fn close(&mut self, leg: LegId) {
        let Some(mut closing) = self.dismiss(leg) else {
            return self.refuse(leg, LegRefusal::UnknownLeg);
        };
        if let Some(transmit) = closing.path.close(Instant::now(), &mut self.buffer[..]) {
            closing.transmit(&transmit, &self.buffer[..]);
        }
        tell(&self.events, &mut closing.path);
        let report = Box::new(closing.path.quality());
        let port = closing.port;
        drop(closing);
        self.pool.give_back(port);
        (self.events)(LegEvent::Closed { leg, report });
    }

    /// Gives a leg a place and begins to watch its sockets.
    fn admit(&mut self, mut leg: Box<Leg>) {
        let id = leg.path.leg();
        let place = self.free_places.pop().unwrap_or(self.legs.len());
        let data = (place as u64) << 1;
        let watch =
            |fd: &OwnedFd, data| epoll::add(&self.epoll, fd, EventData::new_u64(data), EventFlags::IN);
        if watch(&leg.sockets.rtp, data).and_then(|()| watch(&leg.sockets.rtcp, data | 1)).is_err() {
            self.free_places.push(place);
            let port = leg.port;
            drop(leg);
            self.pool.give_back(port);
            return self.refuse(id, LegRefusal::SocketRefused);
        }
        leg.due = leg.path.poll_timeout();
        self.timers.push(Reverse((leg.due, place)));
        self.places.insert(id, place);
        match self.legs.get_mut(place) {
            Some(empty) => *empty = Some(leg),
            None => self.legs.push(Some(leg)),
        }
    }

    /// Takes a leg out of its place: nothing watches its sockets any more.
    fn dismiss(&mut self, leg: LegId) -> Option<Box<Leg>> {
        let place = self.places.get(&leg).copied()?;
        self.unbridge(place);
        self.places.remove(&leg);
        let leg = self.legs.get_mut(place)?.take()?;
        let _ = epoll::delete(&self.epoll, &leg.sockets.rtp);
        let _ = epoll::delete(&self.epoll, &leg.sockets.rtcp);
        self.free_places.push(place);
        Some(leg)
    }

    fn place(&self, leg: LegId) -> Option<usize> {
        let place = self.places.get(&leg).copied();
        if place.is_none() {
            self.refuse(leg, LegRefusal::UnknownLeg);
        }
        place
    }

    /// Does something to a leg, tells what came of it, and sets its timer.
    fn act(&mut self, place: usize, work: impl FnOnce(&mut Leg)) {
        let Some(Some(leg)) = self.legs.get_mut(place) else { return };
        work(leg);
        tell(&self.events, &mut leg.path);
        let due = leg.path.poll_timeout();
        if due != leg.due {
            leg.due = due;
            self.timers.push(Reverse((due, place)));
        }
    }

    fn unbridge(&mut self, place: usize) {
        let peer = self.set_peer(place, None);
        if let Some(peer) = peer {
            self.set_peer(peer, None);
        }
    }

    /// Sets whom a leg is bridged to and answers whom it was; it hears nobody until introduced.
    fn set_peer(&mut self, place: usize, peer: Option<usize>) -> Option<usize> {
        let leg = self.legs.get_mut(place)?.as_mut()?;
        leg.path.hear(None);
        std::mem::replace(&mut leg.peer, peer)
    }

    /// Tells both legs of a bridge what the other's packets are.
    fn introduce(&mut self, place: usize, peer: Option<usize>) {
        let Some(peer) = peer else { return };
        if let Ok([Some(a), Some(b)]) = self.legs.get_disjoint_mut([place, peer]) {
            a.path.hear(b.path.negotiated().map(|n| (b.path.leg(), n)));
            b.path.hear(a.path.negotiated().map(|n| (a.path.leg(), n)));
        }
    }

    fn refuse(&self, leg: LegId, reason: LegRefusal) {
        (self.events)(LegEvent::Refused { leg, reason });
    }
}

impl Leg {
    fn transmit(&self, transmit: &Transmit, buffer: &[u8]) {
        let Some(packet) = buffer.get(transmit.range.clone()) else { return };
        match transmit.socket {
            Socket::Rtp => self.sockets.send_rtp(packet, transmit.to),
            Socket::Rtcp => self.sockets.send_rtcp(packet, transmit.to),
        }
    }
}

fn tell(events: &EventSink, path: &mut Path) {
    while let Some(event) = path.poll_event() {
        events(event);
    }
}

/// Whether to wait a little before looking again, so that one wake-up serves many packets.
struct Pace {
    /// When the last wake-up was.
    woken_at: Instant,
    /// Packets counted since `since`.
    packets: u32,
    since: Instant,
    busy: bool,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { woken_at: now, packets: 0, since: now, busy: false }
    }

    /// A wake-up at `now` found so many packets.
    fn note(&mut self, now: Instant, packets: u32) {
        self.woken_at = now;
        self.packets += packets;
        let span = now.saturating_duration_since(self.since);
        if span >= PACE_WINDOW {
            let per_tick = f64::from(self.packets) * TICK.as_secs_f64() / span.as_secs_f64();
            self.busy = per_tick >= BUSY_PACKETS_PER_TICK;
            self.packets = 0;
            self.since = now;
        }
    }

    /// How long to rest before the next look; `None` when there is too little to wait for.
    fn rest(&self, now: Instant) -> Option<Duration> {
        if !self.busy {
            return None;
        }
        TICK.checked_sub(now.saturating_duration_since(self.woken_at)).filter(|rest| !rest.is_zero())
    }
}

/// The data of the event that is no socket.
const WAKE: u64 = u64::MAX;
/// Orders that wait for a thread; at the limit the giver waits, at most for a tick.
const ORDERS_MAX: usize = 4096;
/// Sockets served in one wake-up; the rest are served in the next, at once.
const READY_MAX: usize = 1024;
/// Packets of strangers that are thrown away from one socket in one wake-up. With some 1,600 wake-ups a second
/// that is more than the system would keep for us.
const STRANGERS_PER_WAKE: usize = 256;
/// Octets of the buffer: more than any packet that is not cut on the way.
const BUFFER_OCTETS: usize = 2048;
/// The time between two wake-ups under load: what a packet may wait, less than a millisecond with all else.
const TICK: Duration = Duration::from_micros(600);
/// How late the system may end a rest.
const TIMER_SLACK_NS: u64 = 1000;
/// Packets that a tick must bring on average for a rest to be worth its delay.
const BUSY_PACKETS_PER_TICK: f64 = 2.0;
/// The span over which packets are counted for that.
const PACE_WINDOW: Duration = Duration::from_millis(50);
