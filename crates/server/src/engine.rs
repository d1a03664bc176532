//! The engine: one thread that runs the door of SIP and the center, and turns the crank between them.
//!
//! From an INVITE to a decision there is no lock and no hop between threads: a message is parsed where it is
//! received, the door makes an event of it, the center decides in the same turn, and what it decides is on the wire
//! before the next message is looked at. Facts are handed to the journal at the end of each turn and commit in groups
//! while calls go on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rand::TryRngCore;
use rand::rngs::OsRng;
use tandem_b2bua::trunk::Trunk;
use tandem_b2bua::{B2bua, Counters, Limits, Output as DoorOutput, ProxyHealth, Setup};
use tandem_center::call::{CallCommand, PromptName, RecordingId};
use tandem_center::config::Config;
use tandem_center::supervise::Refusal;
use tandem_center::{Center, Input, Timestamp};
use tandem_media::leg::LegEvent;
use tandem_media::prompt::Prompt;
use tandem_relay::{PortPool, Relay, RelayConfig, RelayError};
use tandem_sip::flow::InterfaceId;
use tandem_store::Tenant;
use tokio::sync::{mpsc, oneshot, watch};

use crate::centers::{Centers, Said, prompt_of};
use crate::config::settings::{Interface, Media};
use crate::config::{Routes, Settings, TenantSettings};
use crate::live::{Live, Recorder, Writing};
use crate::recordings::{RECORDINGS_MAX, Recordings, Told};
use crate::transport::resolve::Resolver;
use crate::transport::{Connections, Parcel, Received, listen};

/// What came from the sockets and waits for the engine; streams wait when it is full, datagrams in the system's buffer.
const INBOX_MAX: usize = 8192;
/// Media events that wait for the engine. One more is left out: a digit is lost, or the end of a call waits for its
/// last figures in vain for a second.
const MEDIA_EVENTS_MAX: usize = 65_536;
/// Inputs taken before timers are looked at again.
const BATCH_MAX: usize = 256;
/// What people and programs want, waiting for the engine; the API answers 503 when it is full.
pub const ORDERS_MAX: usize = 1024;

/// Inputs that are told in one order; more take several, so that calls come between.
pub const TOLD_MAX: usize = 256;

/// Something that people or programs want of the engine.
#[derive(Debug)]
pub enum Order {
    /// A command for the center of a tenant. Answered with what came of it.
    Center {
        /// Whose.
        tenant: Tenant,
        /// The command.
        command: Input,
        /// Takes the answer.
        reply: oneshot::Sender<Result<Carried, Refusal>>,
    },
    /// What happened elsewhere, for the center of a tenant. Nobody waits for an answer: what came of it are facts.
    Told {
        /// Whose.
        tenant: Tenant,
        /// What; at most [`TOLD_MAX`] at once.
        inputs: Vec<Input>,
    },
    /// What the door sees of the other networks.
    Status {
        /// Takes the answer.
        reply: oneshot::Sender<Status>,
    },
    /// A changed configuration comes into force, all of it in one turn. Calls go on.
    Configure {
        /// What changed.
        change: Box<Reconfiguration>,
        /// Takes the number of the last fact of each tenant whose contact center is new or changed.
        reply: oneshot::Sender<Vec<(Tenant, u64)>>,
    },
}

/// A changed configuration, as far as calls are concerned.
pub struct Reconfiguration {
    /// The interfaces, in the same order and the same but for their certificates.
    pub interfaces: Vec<Interface>,
    /// Further trunks, behind those that are there.
    pub trunks: Vec<Trunk>,
    /// All that can be played.
    pub prompts: BTreeMap<PromptName, Arc<Prompt>>,
    /// How many calls are taken at once.
    pub calls: usize,
    /// Whose a call is that comes in.
    pub routes: Routes,
    /// Contact centers that changed.
    pub changed: Vec<(Tenant, Arc<Config>)>,
    /// Further tenants.
    pub added: Vec<Newcomer>,
}

/// A tenant who was not here before, or not since the start.
pub struct Newcomer {
    /// Who.
    pub tenant: Tenant,
    /// The contact center.
    pub config: Arc<Config>,
    /// What is known of it.
    pub live: Arc<Live>,
    /// Where its facts go.
    pub recorder: Recorder,
}

impl fmt::Debug for Reconfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed: Vec<&Tenant> = self.changed.iter().map(|(tenant, _)| tenant).collect();
        let added: Vec<&Tenant> = self.added.iter().map(|newcomer| &newcomer.tenant).collect();
        f.debug_struct("Reconfiguration")
            .field("changed", &changed)
            .field("added", &added)
            .finish_non_exhaustive()
    }
}

/// What came of a command that was carried out: the facts after one number, up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The number of the last fact before the command.
    pub before: u64,
    /// The number of the last fact now; the same if nothing changed.
    pub last: u64,
}

/// What the door sees.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// The health of each proxy of each trunk.
    pub proxies: Vec<ProxyHealth>,
    /// What the door has counted.
    pub counters: Counters,
    /// Calls at the door.
    pub calls: usize,
    /// Open streams.
    pub connections: usize,
    /// SIP transactions, ours and theirs.
    pub transactions: usize,
    /// Media legs that are open.
    pub media_legs: usize,
}

/// The engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// An interface of SIP cannot be opened.
    #[error(transparent)]
    Listen(#[from] listen::ListenFault),
    /// The name servers cannot be used.
    #[error(transparent)]
    Resolver(#[from] crate::transport::resolve::ResolveFault),
    /// The media ports or the packet threads cannot be set up.
    #[error("media: {0}")]
    Relay(#[from] RelayError),
    /// The system gives no runtime for the engine's thread.
    #[error("the system gives no thread or descriptors: {0}")]
    Runtime(std::io::Error),
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(rand::rand_core::OsError),
}

/// The door, the center, the sockets and the packet threads around them.
pub struct Engine {
    door: B2bua,
    centers: Centers,
    connections: Connections,
    /// What holds for whoever comes to each interface.
    terms: Vec<watch::Sender<listen::Terms>>,
    relay: Relay,
    ports: PortPool,
    clock: Clock,
    inbox: mpsc::Receiver<Received>,
    media: mpsc::Receiver<LegEvent>,
    recordings: Recordings,
    recorded: mpsc::Receiver<Told>,
    writing: watch::Receiver<Writing>,
    orders: mpsc::Receiver<Order>,
    refused: Option<Refusal>,
}

impl Engine {
    /// Opens all sockets. Must be called, and the engine run, inside a `LocalSet`.
    pub async fn start(
        settings: &Settings,
        centers: Centers,
        clock: Clock,
        orders: mpsc::Receiver<Order>,
        writing: watch::Receiver<Writing>,
        (recordings, recorded): (Recordings, mpsc::Receiver<Told>),
    ) -> Result<Engine, StartFault> {
        let (inbox_in, inbox) = mpsc::channel(INBOX_MAX);
        let resolver = Resolver::new(&settings.dns.servers)?;
        let mut connections = Connections::new(settings.interfaces.clone(), resolver, inbox_in.clone());
        let mut terms = Vec::with_capacity(settings.interfaces.len());
        for (place, interface) in settings.interfaces.iter().enumerate() {
            let id = InterfaceId(u16::try_from(place).unwrap_or(u16::MAX));
            let trunks = settings.trunks.iter().filter(|trunk| trunk.interface == id);
            let peers = trunks.flat_map(|trunk| trunk.peers.iter().copied()).collect();
            let (said, holds) = watch::channel(listen::Terms { peers, tls: interface.tls.clone() });
            listen::open(id, interface, holds, &mut connections, &inbox_in).await?;
            terms.push(said);
        }
        let (media_in, media) = mpsc::channel(MEDIA_EVENTS_MAX);
        let keeper = recordings.clone();
        let sink = move |event| match event {
            LegEvent::Recorded { .. } | LegEvent::RecordingEnded { .. } => keeper.keep(event),
            event => tell(&media_in, event),
        };
        let relay = Relay::start(&relay_config(settings), Arc::new(sink))?;
        let mut seed = [0; 32];
        OsRng.try_fill_bytes(&mut seed).map_err(StartFault::Randomness)?;
        let setup = Setup {
            trunks: settings.trunks.clone(),
            prompts: prompts(&settings.tenants),
            product: Arc::from(concat!("Tandem/", env!("CARGO_PKG_VERSION"))),
            unknown_peers: settings.unknown_peers,
            limits: Limits { calls: settings.calls, recordings: RECORDINGS_MAX },
        };
        let door = B2bua::new(Instant::now(), setup, seed);
        Ok(Engine {
            door,
            centers,
            connections,
            terms,
            ports: relay.ports(),
            relay,
            clock,
            inbox,
            media,
            recordings,
            recorded,
            writing,
            orders,
            refused: None,
        })
    }

    /// Runs until `stop` resolves.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut batch = Vec::with_capacity(BATCH_MAX);
        self.settle();
        loop {
            let until = self.next_timeout().map(tokio::time::Instant::from_std);
            tokio::select! {
                () = &mut stop => break,
                received = self.inbox.recv_many(&mut batch, BATCH_MAX) => {
                    if received == 0 {
                        break;
                    }
                    for received in batch.drain(..) {
                        self.receive(received);
                        self.turn();
                    }
                }
                Some(event) = self.media.recv() => {
                    self.hear(event);
                    for _ in 1..BATCH_MAX {
                        let Ok(event) = self.media.try_recv() else { break };
                        self.hear(event);
                    }
                }
                Some(told) = self.recorded.recv() => self.learn(told),
                Some(order) = self.orders.recv() => self.obey(order),
                Ok(()) = self.writing.changed() => {
                    let writing = self.writing.borrow_and_update().clone();
                    if let Writing::Over { reason } = writing {
                        tracing::error!(reason, "the program ends");
                        break;
                    }
                    self.door.set_open(writing == Writing::Well);
                }
                () = sleep_until(until) => {}
            }
            let now = Instant::now();
            if self.door.poll_timeout().is_some_and(|at| at <= now) {
                self.door.handle_timeout(now, &mut self.ports);
            }
            let moment = self.clock.moment(now);
            self.centers.handle_timeout(moment);
            self.settle();
        }
        self.settle();
    }

    fn receive(&mut self, received: Received) {
        let now = Instant::now();
        match received {
            Received::Message { flow, message } => {
                self.door.handle_message(now, &flow, *message, &mut self.ports);
            }
            Received::Faulty { flow, fault } => self.door.handle_faulty(now, &flow, &fault, &mut self.ports),
            Received::Unsendable { token } => self.door.handle_send_failed(now, token, &mut self.ports),
            Received::Accepted { id, writer } => self.connections.accepted(id, writer),
            Received::Opened { hop, id, writer } => self.connections.opened(now, hop, id, writer),
            Received::NotOpened { hop } => self.connections.not_opened(hop),
            Received::Disconnected { id } => self.connections.gone(id),
        }
    }

    fn hear(&mut self, event: LegEvent) {
        self.door.handle_media(Instant::now(), event, &mut self.ports);
        self.turn();
    }

    fn learn(&mut self, told: Told) {
        match told {
            Told::Ended(event) => self.hear(event),
            Told::Fetched(recording, prompt) => {
                self.door.handle_recording(Instant::now(), recording, prompt.as_ref(), &mut self.ports);
                self.turn();
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Center { tenant, command, reply } => {
                self.refused = None;
                let now = self.clock.moment(Instant::now());
                let Some(before) = self.centers.handle_command(now, &tenant, command) else { return };
                self.turn();
                let answer = match self.refused.take() {
                    Some(refusal) => Err(refusal),
                    None => Ok(Carried { before, last: self.centers.fact_number(&tenant).unwrap_or(before) }),
                };
                // Whoever asked may have gone; the command holds all the same.
                let _ = reply.send(answer);
            }
            Order::Told { tenant, inputs } => {
                for input in inputs {
                    let now = self.clock.moment(Instant::now());
                    let _ = self.centers.handle_command(now, &tenant, input);
                    self.turn();
                }
                // Nobody asked, so nobody is told that something was refused.
                self.refused = None;
            }
            Order::Configure { change, reply } => {
                let told = self.configure(*change);
                // Whoever asked may have gone; the configuration holds all the same.
                let _ = reply.send(told);
            }
            Order::Status { reply } => {
                let load = self.door.load();
                let _ = reply.send(Status {
                    proxies: self.door.health(),
                    counters: self.door.counters(),
                    calls: self.door.calls(),
                    connections: self.connections.streams(),
                    transactions: load.sent_requests + load.taken_requests,
                    media_legs: self.relay.legs(),
                });
            }
        }
    }

    /// New trunks, prompts and tenants are there before anybody is configured who may need them.
    fn configure(&mut self, change: Reconfiguration) -> Vec<(Tenant, u64)> {
        let Reconfiguration { interfaces, trunks, prompts, calls, routes, changed, added } = change;
        for (interface, terms) in interfaces.iter().zip(&self.terms) {
            terms.send_modify(|terms| terms.tls.clone_from(&interface.tls));
        }
        self.connections.set_interfaces(interfaces);
        for trunk in trunks {
            if let Some(terms) = self.terms.get(usize::from(trunk.interface.0)) {
                terms.send_modify(|terms| terms.peers.extend_from_slice(&trunk.peers));
            }
            self.door.add_trunk(Instant::now(), trunk);
        }
        self.door.set_prompts(prompts);
        self.door.set_calls_max(calls);
        let mut told = Vec::with_capacity(changed.len() + added.len());
        for Newcomer { tenant, config, live, recorder } in added {
            let center = Center::resume(config, self.clock.moment(Instant::now()), &live.view());
            self.centers.add(tenant.clone(), center, recorder);
            self.turn();
            told.push(tenant);
        }
        self.centers.set_routes(routes);
        for (tenant, config) in changed {
            let now = self.clock.moment(Instant::now());
            let _ = self.centers.handle_command(now, &tenant, Input::Configure(config));
            self.turn();
            told.push(tenant);
        }
        let last = |tenant: Tenant| self.centers.fact_number(&tenant).map(|number| (tenant, number));
        told.into_iter().filter_map(last).collect()
    }

    /// Carries what the door and the center have to say to each other and to the outside, until neither has more.
    fn turn(&mut self) {
        loop {
            if let Some(output) = self.door.poll_output() {
                self.carry_out(output);
            } else if let Some(said) = self.centers.poll_output() {
                match said {
                    Said::Call(tenant, command) => {
                        self.tell_recordings(&tenant, &command);
                        self.door.handle_command(Instant::now(), command, &mut self.ports);
                    }
                    Said::Refused(refusal) => self.refused = Some(refusal),
                }
            } else {
                break;
            }
        }
    }

    /// The keeper of recordings learns whose they are before it hears of them.
    fn tell_recordings(&self, tenant: &Tenant, command: &CallCommand) {
        match command {
            CallCommand::Record { recording, .. } => self.recordings.belongs(*recording, tenant),
            CallCommand::Play { prompts, .. } => {
                for recording in prompts.iter().filter_map(|name| RecordingId::of_prompt(name)) {
                    self.recordings.belongs(recording, tenant);
                }
            }
            _ => {}
        }
    }

    fn carry_out(&mut self, output: DoorOutput) {
        match output {
            DoorOutput::Transmit(transmit) => {
                let parcel = Parcel { bytes: transmit.bytes, token: transmit.token };
                self.connections.send(Instant::now(), transmit.to, parcel);
            }
            DoorOutput::Media(command) => self.relay.command(command),
            DoorOutput::Fetch(recording) => self.recordings.fetch(recording),
            DoorOutput::ReleasePort(port) => tandem_media::leg::Ports::release(&mut self.ports, port),
            DoorOutput::Event(event) => {
                self.centers.handle_event(self.clock.moment(Instant::now()), event);
            }
            DoorOutput::Proxy(health) => {
                tracing::info!(trunk = %health.trunk, proxy = %health.proxy, health = ?health.health, "proxy");
            }
        }
    }

    /// The end of a turn: what happened goes to the journal.
    fn settle(&mut self) {
        self.turn();
        self.centers.settle();
    }

    fn next_timeout(&self) -> Option<Instant> {
        let door = self.door.poll_timeout();
        let center = self.centers.poll_timeout().map(|moment| self.clock.instant(moment));
        match (door, center) {
            (Some(door), Some(center)) => Some(door.min(center)),
            (door, center) => door.or(center),
        }
    }
}

/// The wall clock, read once: from then on it runs evenly, whatever becomes of the system's clock, and never stands
/// before the last fact of the journal.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    start_micros: u64,
}

impl Clock {
    /// Reads the clock; `not_before` is the moment of the last fact.
    pub fn read(not_before: Timestamp) -> Clock {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX);
        Clock { start: Instant::now(), start_micros: micros.max(not_before.as_micros()) }
    }

    /// The moment now.
    pub fn now(&self) -> Timestamp {
        self.moment(Instant::now())
    }

    /// The moment of an instant.
    pub fn moment(&self, at: Instant) -> Timestamp {
        let micros = u64::try_from(at.saturating_duration_since(self.start).as_micros()).unwrap_or(u64::MAX);
        Timestamp::from_micros(self.start_micros.saturating_add(micros))
    }

    /// The instant of a moment; the start for anything before.
    pub fn instant(&self, moment: Timestamp) -> Instant {
        let micros = moment.as_micros().saturating_sub(self.start_micros);
        // A microsecond more: an instant never comes before its moment.
        self.start + std::time::Duration::from_micros(micros.saturating_add(1))
    }
}

/// What can be played, under the names that the door knows.
pub fn prompts(tenants: &[TenantSettings]) -> BTreeMap<PromptName, Arc<Prompt>> {
    let of_tenant = |tenant: &TenantSettings| {
        let name =
            |(name, prompt): (&PromptName, &Arc<Prompt>)| (prompt_of(&tenant.tenant, name), prompt.clone());
        tenant.prompts.iter().map(name).collect::<Vec<_>>()
    };
    tenants.iter().flat_map(of_tenant).collect()
}

fn relay_config(settings: &Settings) -> RelayConfig {
    let interfaces = settings.media.iter().map(Media::of_relay).collect();
    RelayConfig { workers: settings.relay_threads, ..RelayConfig::new(interfaces) }
}

/// Called on the threads that move packets: never waits.
fn tell(media: &mpsc::Sender<LegEvent>, event: LegEvent) {
    if let Err(mpsc::error::TrySendError::Full(event)) = media.try_send(event) {
        tracing::warn!(?event, "the engine is behind; a media event is left out");
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
