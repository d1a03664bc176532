//! The door itself: inputs in, outputs out, and who is told what.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tandem_center::call::{
    Address, CallCommand, CallEvent, CallId, CauseKind, CollectEnd, Digit, PartyId, PlayId, PlayOutcome,
    PromptName, RecordEnd, RecordingId, Removal,
};
use tandem_media::leg;
use tandem_media::leg::{LegCommand, LegEvent, MediaPort, Ports};
use tandem_media::prompt::Prompt;
use tandem_sip::fault::ParseError;
use tandem_sip::flow::Flow;
use tandem_sip::message::Message;
use tandem_sip::ua::{
    Answer, Event, ExtraHeader, Identity, LegId, RequestId, Transmit, TransmitToken, UserAgent,
};
use tandem_sip::uri::Uri;

use crate::address;
use crate::call::{Call, PartyState, Shown};
use crate::cause;
use crate::health::{Health, Probe};
use crate::timer::{Timer, Timers};
use crate::trunk::Trunk;

/// The door of SIP.
///
/// Drive it like every core: hand inputs in, then drain [`B2bua::poll_output`], and come back at
/// [`B2bua::poll_timeout`]. Media ports are handed in too, bound before they are written into a description.
pub struct B2bua {
    pub(crate) setup: Setup,
    pub(crate) identities: Vec<Arc<Identity>>,
    pub(crate) probes: Vec<Vec<Probe>>,
    pub(crate) probing: BTreeMap<RequestId, (usize, usize)>,
    pub(crate) ua: UserAgent,
    pub(crate) calls: BTreeMap<CallId, Call>,
    pub(crate) by_leg: BTreeMap<LegId, CallId>,
    pub(crate) by_media: BTreeMap<leg::LegId, CallId>,
    /// The recordings that are being made, and in which call.
    pub(crate) recordings: BTreeMap<RecordingId, CallId>,
    /// The recordings that were asked for, and the calls in which they are to be played.
    pub(crate) fetching: BTreeMap<RecordingId, Vec<CallId>>,
    pub(crate) timers: Timers,
    pub(crate) random: StdRng,
    pub(crate) next_media_leg: u64,
    pub(crate) out: VecDeque<Output>,
    pub(crate) open: bool,
    pub(crate) counters: Counters,
}

/// What the door is made of; all of it configuration.
#[derive(Debug)]
pub struct Setup {
    /// The trunks.
    pub trunks: Vec<Trunk>,
    /// What can be played, by name.
    pub prompts: BTreeMap<PromptName, Arc<Prompt>>,
    /// Product and version as other networks see them: `Tandem/1.2.3`.
    pub product: Arc<str>,
    /// What a stranger is told.
    pub unknown_peers: UnknownPeers,
    /// How much is taken on.
    pub limits: Limits,
}

/// What happens to a request that comes from no trunk. It is never routed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownPeers {
    /// No answer at all: scanners learn nothing.
    Drop,
    /// 403.
    Refuse,
}

/// How much the door takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls at once; one more is answered 503 with Retry-After. Microsoft does not enforce its own limit.
    pub calls: usize,
    /// Recordings at once; one more is told as failed.
    pub recordings: usize,
}

/// What the door wants done, in order.
#[derive(Debug)]
pub enum Output {
    /// Send a SIP message.
    Transmit(Transmit),
    /// Tell the relay.
    Media(LegCommand),
    /// Give back a reserved media port on which no leg was opened.
    ReleasePort(MediaPort),
    /// Fetch a recording, to be played; answer with [`B2bua::handle_recording`].
    Fetch(RecordingId),
    /// Tell the center.
    Event(CallEvent),
    /// A proxy went up or down.
    Proxy(ProxyHealth),
}

/// A proxy's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyHealth {
    /// The trunk's name.
    pub trunk: Arc<str>,
    /// The proxy's host.
    pub proxy: Arc<str>,
    /// Its health.
    pub health: Health,
}

/// What is counted, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls that arrived and were told to the center.
    pub calls_arrived: u64,
    /// Calls that the center began.
    pub calls_placed: u64,
    /// Requests from no trunk.
    pub unknown_peers: u64,
    /// Requests inside a call that came from another trunk's network than the call's party is in.
    pub foreign_requests: u64,
    /// Offers that could not be agreed to.
    pub offers_refused: u64,
    /// Calls and parties for which no media port was free.
    pub ports_exhausted: u64,
    /// Calls refused because as many as allowed were there.
    pub calls_over_limit: u64,
    /// Recordings that were not begun because as many as allowed were being made.
    pub recordings_refused: u64,
    /// Parties tried at a further proxy.
    pub failovers: u64,
    /// Messages that could not be understood.
    pub faulty_messages: u64,
}

impl B2bua {
    /// A door without calls. The seed must be drawn from the system's randomness: keys come from it.
    pub fn new(now: Instant, setup: Setup, seed: [u8; 32]) -> B2bua {
        let mut random = StdRng::from_seed(seed);
        let identities = setup.trunks.iter().map(|trunk| Arc::new(identity(trunk, &setup.product))).collect();
        let ua = UserAgent::new(random.random());
        let mut b2bua = B2bua {
            identities,
            probes: Vec::new(),
            probing: BTreeMap::new(),
            ua,
            calls: BTreeMap::new(),
            by_leg: BTreeMap::new(),
            by_media: BTreeMap::new(),
            recordings: BTreeMap::new(),
            fetching: BTreeMap::new(),
            timers: Timers::default(),
            random,
            next_media_leg: 1,
            out: VecDeque::new(),
            open: true,
            counters: Counters::default(),
            setup,
        };
        b2bua.begin_probes(now);
        b2bua
    }

    /// A SIP message came.
    pub fn handle_message(&mut self, now: Instant, flow: &Flow, message: Message, ports: &mut dyn Ports) {
        if message.is_request() && self.trunk_of(flow).is_none() {
            self.counters.unknown_peers += 1;
            tracing::debug!(net.peer = %flow.remote, method = ?message.method(), "request from no trunk");
            if self.setup.unknown_peers == UnknownPeers::Drop {
                return;
            }
        }
        if !self.is_from_its_dialog(flow, &message) {
            self.counters.foreign_requests += 1;
            tracing::warn!(net.peer = %flow.remote, method = ?message.method(), "request from another trunk than its call's");
            if self.setup.unknown_peers == UnknownPeers::Refuse {
                self.ua.turn_away(now, flow, &message, 403);
                self.drain(now, ports);
            }
            return;
        }
        self.ua.handle_message(now, flow, message);
        self.drain(now, ports);
    }

    /// Whether a request inside a dialog comes from the network with which we have that dialog: who has seen its
    /// numbers elsewhere may not hang up or transfer the call. Any other message is as good as its transaction.
    fn is_from_its_dialog(&mut self, flow: &Flow, message: &Message) -> bool {
        let Some((call, party)) = self.ua.leg_of(message).and_then(|leg| self.find(leg)) else { return true };
        let trunk = self.calls.get_mut(&call).and_then(|call| call.party(party)).map(|party| party.trunk);
        trunk.and_then(|trunk| self.setup.trunks.get(trunk)).is_none_or(|trunk| trunk.admits(flow))
    }

    /// A message came that is framed well and cannot be understood. A stranger's is dropped like any other.
    pub fn handle_faulty(&mut self, now: Instant, flow: &Flow, fault: &ParseError, ports: &mut dyn Ports) {
        self.counters.faulty_messages += 1;
        if self.trunk_of(flow).is_none() && self.setup.unknown_peers == UnknownPeers::Drop {
            return;
        }
        self.ua.handle_faulty(now, flow, fault);
        self.drain(now, ports);
    }

    /// A message could not be sent: no address, no connection, no TLS.
    pub fn handle_send_failed(&mut self, now: Instant, token: TransmitToken, ports: &mut dyn Ports) {
        self.ua.handle_send_failed(now, token);
        self.drain(now, ports);
    }

    /// Something happened to a leg's media.
    pub fn handle_media(&mut self, now: Instant, event: LegEvent, ports: &mut dyn Ports) {
        self.on_media(now, event);
        self.drain(now, ports);
    }

    /// A recording was fetched; `None`: there is none, or it cannot be read.
    pub fn handle_recording(
        &mut self,
        now: Instant,
        recording: RecordingId,
        prompt: Option<&Arc<Prompt>>,
        ports: &mut dyn Ports,
    ) {
        self.fetched(now, recording, prompt);
        self.drain(now, ports);
    }

    /// The center wants something.
    pub fn handle_command(&mut self, now: Instant, command: CallCommand, ports: &mut dyn Ports) {
        self.on_command(now, command, ports);
        self.drain(now, ports);
    }

    /// The time asked for has come.
    pub fn handle_timeout(&mut self, now: Instant, ports: &mut dyn Ports) {
        self.ua.handle_timeout(now);
        self.drain(now, ports);
        while let Some(timer) = self.timers.pop_due(now) {
            self.on_timer(now, timer, ports);
            self.drain(now, ports);
        }
    }

    /// What is to be done next; drain until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// When to call [`B2bua::handle_timeout`] again.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (self.timers.next(), self.ua.poll_timeout()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// How many calls there are.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// What was counted.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What SIP holds at this moment: legs, transactions, timers.
    pub fn load(&self) -> tandem_sip::ua::Load {
        self.ua.load()
    }

    /// The health of every proxy of every trunk.
    pub fn health(&self) -> Vec<ProxyHealth> {
        let trunks = self.setup.trunks.iter().zip(&self.probes);
        trunks
            .flat_map(|(trunk, probes)| {
                trunk.proxies.iter().zip(probes).map(|(proxy, probe)| ProxyHealth {
                    trunk: trunk.name.clone(),
                    proxy: proxy.host.clone(),
                    health: probe.health(),
                })
            })
            .collect()
    }

    /// Closes the door to new calls (503), or opens it again. Calls in progress go on.
    pub fn set_open(&mut self, open: bool) {
        self.open = open;
    }

    /// Replaces what can be played. Plays that run go on.
    pub fn set_prompts(&mut self, prompts: BTreeMap<PromptName, Arc<Prompt>>) {
        self.setup.prompts = prompts;
    }

    /// Adds a trunk behind those that are there. Its proxies are asked at once how they are.
    pub fn add_trunk(&mut self, now: Instant, trunk: Trunk) {
        self.identities.push(Arc::new(identity(&trunk, &self.setup.product)));
        self.setup.trunks.push(trunk);
        self.begin_probes(now);
    }

    /// Changes how many calls are taken at once. Calls in progress go on, however many they are.
    pub fn set_calls_max(&mut self, calls: usize) {
        self.setup.limits.calls = calls;
    }

    fn drain(&mut self, now: Instant, ports: &mut dyn Ports) {
        while let Some(output) = self.ua.poll_output() {
            match output {
                tandem_sip::ua::Output::Transmit(transmit) => self.out.push_back(Output::Transmit(transmit)),
                tandem_sip::ua::Output::Event(event) => self.on_event(now, event, ports),
            }
        }
    }

    /// The trunk whose network sends on this flow.
    pub(crate) fn trunk_of(&self, flow: &Flow) -> Option<usize> {
        self.setup.trunks.iter().position(|trunk| trunk.admits(flow))
    }

    /// The trunk for which a request is: of those whose network sends on this flow, the one whose name stands in the
    /// Request-URI. Microsoft names the customer there ("Configure a Session Border Controller for multiple tenants").
    pub(crate) fn trunk_for(&self, flow: &Flow, request: &Message) -> Option<usize> {
        let host = request
            .request_uri()
            .and_then(|uri| Uri::parse(uri).ok())
            .and_then(|uri| uri.host().map(|host| host.to_string()));
        let named = |trunk: &Trunk| host.as_ref().is_some_and(|host| trunk.host.eq_ignore_ascii_case(host));
        let trunks = &self.setup.trunks;
        trunks.iter().position(|trunk| trunk.admits(flow) && named(trunk)).or_else(|| self.trunk_of(flow))
    }

    pub(crate) fn trunk(&self, index: usize) -> Option<&Trunk> {
        self.setup.trunks.get(index)
    }

    pub(crate) fn tell(&mut self, event: CallEvent) {
        self.out.push_back(Output::Event(event));
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.out.push_back(output);
    }

    fn on_event(&mut self, now: Instant, event: Event, ports: &mut dyn Ports) {
        match event {
            Event::Invite { leg, request, flow, offer, replaces } => {
                self.on_invite(now, leg, &request, &flow, offer, replaces, ports);
            }
            Event::Progress { leg, status, response, .. } => self.on_progress(now, leg, status, &response),
            Event::Accepted { leg, answer, response, .. } => self.on_accepted(now, leg, answer, &response),
            Event::Acknowledged { leg, answer } => self.on_acknowledged(now, leg, answer),
            Event::Reoffer { leg, offer, .. } => self.on_reoffer(now, leg, offer),
            Event::Reanswered { leg, answer } => self.on_reanswered(now, leg, answer),
            Event::ReofferRefused { .. } => {}
            Event::Refer { leg, refer, request } => self.on_refer(now, leg, refer, &request),
            Event::Info { leg, body } => self.on_info(now, leg, body),
            Event::Ended { leg, why } => self.on_ended(now, leg, why),
            Event::Request { id, request, flow } => self.on_request(now, id, &request, &flow),
            Event::Response { id, response } => self.on_probe_answered(now, id, &response),
            Event::RequestFailed { id, .. } => self.on_probe_failed(now, id),
            Event::Faulty { .. } => self.counters.faulty_messages += 1,
        }
    }

    fn on_request(&mut self, now: Instant, id: RequestId, request: &Message, flow: &Flow) {
        let Some(index) = self.trunk_of(flow) else {
            if let Some(identity) = self.identities.first() {
                self.ua.respond(now, id, identity, Answer { status: 403, ..Answer::default() }, None);
            }
            return;
        };
        let (Some(trunk), Some(identity)) = (self.setup.trunks.get(index), self.identities.get(index)) else {
            return;
        };
        let contact = address::contact(trunk, &Address::Anonymous);
        let answer = if request.method() == tandem_sip::method::Method::Options {
            let headers: Vec<ExtraHeader> = vec![("Accept".into(), Box::from(b"application/sdp".as_slice()))];
            Answer { status: 200, headers, ..Answer::default() }
        } else {
            Answer { status: 405, ..Answer::default() }
        };
        self.ua.respond(now, id, identity, answer, Some(contact));
    }

    fn on_command(&mut self, now: Instant, command: CallCommand, ports: &mut dyn Ports) {
        match command {
            CallCommand::Place { call, to, presented, presented_name } => {
                let shown = shown(presented, presented_name).unwrap_or_else(nobody);
                self.place(now, call, to, shown, ports);
            }
            CallCommand::Answer { call } => self.answer(now, call),
            CallCommand::Reject { call, reason } => self.reject(now, call, reason),
            CallCommand::Play { call, party, play, prompts, repeat } => {
                self.play(call, party, play, &prompts, repeat);
            }
            CallCommand::StopPlay { call, party } => self.stop_play(now, call, party),
            CallCommand::Collect { call, party, collect, spec } => {
                self.collect(now, call, party, collect, spec);
            }
            CallCommand::StopCollect { call, party } => {
                if let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) {
                    record.collecting = None;
                    self.timers.clear(Timer::Collect(call, party));
                }
            }
            CallCommand::AddParty { call, party, to, presented, presented_name, apart } => {
                self.add_party(now, call, party, to, shown(presented, presented_name), apart, ports);
            }
            CallCommand::Admit { call, party } => self.admit(call, party),
            CallCommand::Record { call, party, recording, spec } => {
                self.record(call, party, recording, &spec);
            }
            CallCommand::StopRecord { call, party } => {
                self.stop_record(call, party, RecordEnd::Stopped);
            }
            CallCommand::RemoveParty { call, party, reason } => {
                let headers = match reason {
                    Removal::NotAnswered => Vec::new(),
                    Removal::NoLongerNeeded => vec![("Reason".into(), cause::completed_elsewhere())],
                    Removal::Finished => vec![("Reason".into(), cause::q850(16, "Normal call clearing"))],
                };
                self.drop_party(now, call, party, CauseKind::Removed.into(), headers);
            }
            CallCommand::DecideTransfer { call, transfer, decision } => {
                self.decide_transfer(now, call, transfer, decision, ports);
            }
            CallCommand::End { call } => self.end(now, call),
        }
    }

    fn on_media(&mut self, now: Instant, event: LegEvent) {
        match event {
            LegEvent::Digit { leg, digit, .. } => {
                let Some((call, party)) = self.find_media(leg) else { return };
                if let Some(digit) = Digit::new(digit.as_char()) {
                    self.pressed(now, call, party, digit);
                }
            }
            LegEvent::Played { leg, play, outcome } => {
                let Some((call, party)) = self.find_media(leg) else { return };
                let play = PlayId(u32::try_from(play.0).unwrap_or(u32::MAX));
                let outcome = match outcome {
                    leg::PlayOutcome::Finished => PlayOutcome::Completed,
                    leg::PlayOutcome::Stopped => PlayOutcome::Stopped,
                    leg::PlayOutcome::Unplayable => PlayOutcome::Failed,
                };
                self.played(now, call, party, play, outcome);
            }
            LegEvent::RecordingEnded { recording, end, samples, .. } => {
                self.recorded(recording, end, samples);
            }
            LegEvent::Closed { leg, report } => self.reported(leg, &report),
            LegEvent::Refused { leg, reason } => {
                let Some((call, party)) = self.find_media(leg) else { return };
                tracing::warn!(call.id = %call, party.id = party.0, %reason, "media leg refused");
                self.recordings_impossible(call, leg);
            }
            LegEvent::FirstPacket { .. }
            | LegEvent::Recorded { .. }
            | LegEvent::Latched { .. }
            | LegEvent::Silent { .. }
            | LegEvent::Heard { .. }
            | LegEvent::Quality { .. } => {}
        }
    }

    fn on_timer(&mut self, now: Instant, timer: Timer, ports: &mut dyn Ports) {
        match timer {
            Timer::FirstProvisional(call) => {
                let Some(party) = self.calls.get_mut(&call).and_then(|c| c.party(PartyId::FIRST)) else {
                    return;
                };
                if matches!(party.state, PartyState::Arrived { .. }) {
                    let leg = party.leg;
                    self.ua.progress(now, leg, Answer { status: 180, ..Answer::default() });
                }
            }
            Timer::ProxyPatience(call, party) => self.proxy_is_silent(now, call, party),
            Timer::Collect(call, party) => self.collected(call, party, CollectEnd::TimedOut),
            Timer::TransferDecision(call) => self.refuse_transfer(now, call),
            Timer::TransferorBye(call) => self.end_transferor(now, call),
            Timer::Reports(call) => self.reports_overdue(now, call),
            Timer::KeepAlive { trunk, proxy } => self.probe(now, trunk, proxy),
        }
        let _ = ports;
    }

    pub(crate) fn find(&self, leg: LegId) -> Option<(CallId, PartyId)> {
        let call = *self.by_leg.get(&leg)?;
        let record = self.calls.get(&call)?;
        record.parties.iter().find(|party| party.leg == leg).map(|party| (call, party.id))
    }

    pub(crate) fn find_media(&self, leg: leg::LegId) -> Option<(CallId, PartyId)> {
        let call = *self.by_media.get(&leg)?;
        let record = self.calls.get(&call)?;
        record.parties.iter().find(|party| party.media.leg == leg).map(|party| (call, party.id))
    }
}

/// Whom a command wants to be shown, if it says so.
fn shown(address: Option<Address>, name: Option<Arc<str>>) -> Option<Shown> {
    address.map(|address| Shown { address, name: name.unwrap_or_else(|| "".into()), chosen: true })
}

/// A caller who shows no number.
fn nobody() -> Shown {
    Shown { address: Address::Anonymous, name: "".into(), chosen: true }
}

fn identity(trunk: &Trunk, product: &Arc<str>) -> Identity {
    let profile = &trunk.profile;
    let headers: Vec<(Box<str>, Box<str>)> = if profile.names_sbc {
        vec![("X-MS-SBC".into(), format!("Tandem/{product}").into_boxed_str())]
    } else {
        Vec::new()
    };
    Identity {
        interface: trunk.interface,
        sent_by: format!("{}:{}", address::bracketed(&trunk.host), trunk.port).into(),
        allow: profile.allow.into(),
        supported: profile.supported.into(),
        product: product.clone(),
        headers: headers.into(),
        session_timer: profile.session_timer,
        reliable_provisional: profile.reliable_provisional,
    }
}
