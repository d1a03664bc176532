//! The door itself: inputs in, outputs out, and who is told what.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tandem_center::call::{
    Address, Arrival, CallCommand, CallEvent, CallId, Cause, CauseKind, Collect, CollectEnd, CollectId,
    Digit, PartyId, PlayId, PlayOutcome, PromptName, Quality, Rejection, Removal,
};
use tandem_media::codec::Codec;
use tandem_media::leg::{self, LegCommand, LegEvent, MediaPort, Ports, PortsExhausted};
use tandem_media::negotiate::{LegSettings, LocalLeg, Negotiated};
use tandem_media::prompt::Prompt;
use tandem_media::quality::QualityReport;
use tandem_media::sdp::{Direction, Sdp};
use tandem_media::srtp::SrtpKey;
use tandem_sip::fault::ParseError;
use tandem_sip::flow::Flow;
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::ua::{
    Answer, Body, EndedBy, Event, ExtraHeader, Identity, LegId, NoResponse, RequestId, Transmit,
    TransmitToken, UserAgent,
};
use tandem_sip::uri::Uri;

use crate::address;
use crate::body::{sdp, sdp_of};
use crate::call::{Call, Media, Party, PartyState, Target, TransferState};
use crate::cause;
use crate::collect::{Collection, TypeAhead};
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
    by_media: BTreeMap<leg::LegId, CallId>,
    pub(crate) timers: Timers,
    random: StdRng,
    next_media_leg: u64,
    out: VecDeque<Output>,
    open: bool,
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
    /// Requests from no trunk.
    pub unknown_peers: u64,
    /// Offers that could not be agreed to.
    pub offers_refused: u64,
    /// Calls and parties for which no media port was free.
    pub ports_exhausted: u64,
    /// Calls refused because as many as allowed were there.
    pub calls_over_limit: u64,
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
            if self.setup.unknown_peers == UnknownPeers::Drop {
                return;
            }
        }
        self.ua.handle_message(now, flow, message);
        self.drain(now, ports);
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
    fn trunk_for(&self, flow: &Flow, request: &Message) -> Option<usize> {
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

    // --- what SIP tells

    fn on_event(&mut self, now: Instant, event: Event, ports: &mut dyn Ports) {
        match event {
            Event::Invite { leg, request, flow, offer, replaces } => {
                self.on_invite(now, leg, &request, &flow, offer, replaces, ports);
            }
            Event::Progress { leg, status, .. } => self.on_progress(now, leg, status),
            Event::Accepted { leg, answer, .. } => self.on_accepted(now, leg, answer),
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

    #[expect(clippy::too_many_arguments, reason = "the parts of one event")]
    fn on_invite(
        &mut self,
        now: Instant,
        leg: LegId,
        request: &Message,
        flow: &Flow,
        offer: Option<Body>,
        replaces: Option<LegId>,
        ports: &mut dyn Ports,
    ) {
        let Some(index) = self.trunk_for(flow, request) else {
            self.ua.reject(now, leg, Answer { status: 403, ..Answer::default() });
            return;
        };
        let (Some(trunk), Some(identity)) = (self.setup.trunks.get(index), self.identities.get(index)) else {
            return;
        };
        let called = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
        let to = called.as_ref().map_or(Address::Anonymous, address::of_uri);
        let from_header = request.from();
        let from = from_header.parse_uri().map_or(Address::Anonymous, |uri| address::of_uri(&uri));
        let from_name = address::display_name(&from_header);
        let line = trunk.name.clone();
        let first_provisional = trunk.profile.first_provisional;
        let contact = address::contact(trunk, &to);
        self.ua.set_identity(leg, identity.clone(), contact);
        if let Some(replaced) = replaces {
            self.replace(now, leg, index, replaced, offer, ports);
            return;
        }
        if !self.open || self.calls.len() >= self.setup.limits.calls {
            self.counters.calls_over_limit += 1;
            self.ua.reject(now, leg, cause::answer_to(Rejection::Overloaded));
            return;
        }
        let codecs = trunk.profile.codecs.clone();
        let prepared = match self.prepare(now, leg, index, offer, codecs, ports) {
            Ok(prepared) => prepared,
            Err(answer) => {
                self.ua.reject(now, leg, answer);
                return;
            }
        };
        let call = CallId(self.random.random());
        let party = prepared.into_party(PartyId::FIRST, index, leg);
        self.by_leg.insert(leg, call);
        self.by_media.insert(party.media.leg, call);
        let mut record = Call::new(from.clone(), from_name.clone());
        record.parties.push(party);
        self.calls.insert(call, record);
        self.counters.calls_arrived += 1;
        self.timers.set(Timer::FirstProvisional(call), now + first_provisional);
        self.tell(CallEvent::Arrived(Arrival { call, line, from, from_name, to }));
    }

    /// A port, and our answer to an offer (or our offer, where none came).
    fn prepare(
        &mut self,
        now: Instant,
        leg: LegId,
        trunk: usize,
        offer: Option<Body>,
        codecs: Vec<Codec>,
        ports: &mut dyn Ports,
    ) -> Result<Prepared, Answer> {
        let _ = (now, leg);
        let description = match &offer {
            None => None,
            Some(body) => {
                let text = sdp_of(body).ok_or_else(|| refusal(415, "no_sdp"))?;
                Some(Sdp::parse(text).map_err(|error| {
                    self.counters.offers_refused += 1;
                    refusal(488, &error.to_string())
                })?)
            }
        };
        let mut media =
            self.reserve(trunk, codecs, ports).map_err(|_| cause::answer_to(Rejection::Overloaded))?;
        match description {
            None => {
                let body = sdp(media.local.offer(Direction::SendRecv));
                Ok(Prepared { media, body, agreed: None })
            }
            Some(description) => {
                // A network may call with a codec that we only pass through; what it offers first is then ours too.
                let (text, agreed) = match media.local.answer(&description, Direction::SendRecv) {
                    Ok(answer) => answer,
                    Err(reason) => {
                        self.counters.offers_refused += 1;
                        ports.release(media.port);
                        return Err(refusal(reason.status(), reason.code()));
                    }
                };
                Ok(Prepared { media, body: sdp(text), agreed: Some(agreed) })
            }
        }
    }

    /// A leg's media on a port that is bound.
    pub(crate) fn reserve(
        &mut self,
        trunk: usize,
        codecs: Vec<Codec>,
        ports: &mut dyn Ports,
    ) -> Result<Media, PortsExhausted> {
        let Some(settings) = self
            .setup
            .trunks
            .get(trunk)
            .map(|trunk| (trunk.media, trunk.media_address, trunk.profile.srtp, trunk.profile.rtcp_mux))
        else {
            return Err(PortsExhausted { interface: leg::InterfaceId(0) });
        };
        let (interface, address, srtp, rtcp_mux) = settings;
        let port = ports.reserve(interface).inspect_err(|_| self.counters.ports_exhausted += 1)?;
        let local = LocalLeg::new(LegSettings {
            address,
            rtp_port: port.rtp,
            codecs,
            srtp,
            key: SrtpKey::new(self.random.random()),
            telephone_event: Some(101),
            comfort_noise: true,
            rtcp_mux,
            ptime_ms: 20,
            // RFC 8866: a number; 31 bits are understood everywhere.
            session_id: u64::from(self.random.random::<u32>() >> 1),
        });
        let id = leg::LegId(self.next_media_leg);
        self.next_media_leg += 1;
        Ok(Media { leg: id, port, local, open: false, agreed: None })
    }

    pub(crate) fn index_media(&mut self, media: leg::LegId, call: CallId) {
        self.by_media.insert(media, call);
    }

    /// Tells the relay what was agreed, opening the leg the first time.
    pub(crate) fn configure(&mut self, call: CallId, party: PartyId, agreed: Negotiated) {
        let seed: u64 = self.random.random();
        let Some(party) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let latch = self.setup.trunks.get(party.trunk).is_some_and(|trunk| trunk.profile.latch);
        let leg = party.media.leg;
        let negotiated = Arc::new(agreed);
        party.media.agreed = Some(negotiated.clone());
        if !party.media.open {
            party.media.open = true;
            let port = party.media.port;
            self.out.push_back(Output::Media(LegCommand::Open { leg, port, affinity: call.0, seed }));
        }
        self.out.push_back(Output::Media(LegCommand::Configure { leg, negotiated, latch }));
    }

    fn on_acknowledged(&mut self, now: Instant, leg: LegId, answer: Option<Body>) {
        let Some((call, party)) = self.find(leg) else { return };
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if let Some(body) = answer {
            // Our 200 carried the offer.
            let agreed = sdp_of(&body)
                .and_then(|text| Sdp::parse(text).ok())
                .and_then(|answer| record.media.local.accept_answer(&answer).ok());
            match agreed {
                Some(agreed) => self.configure(call, party, agreed),
                None => {
                    self.counters.offers_refused += 1;
                    self.drop_party(now, call, party, CauseKind::NotAcceptable.into(), Vec::new());
                    return;
                }
            }
        }
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if matches!(record.state, PartyState::Answering) {
            record.state = PartyState::Joined;
            self.tell(CallEvent::Answered { call });
            self.bridge(call);
        }
    }

    fn on_reoffer(&mut self, now: Instant, leg: LegId, offer: Option<Body>) {
        let Some((call, party)) = self.find(leg) else {
            self.ua.refuse_reoffer(now, leg, 481);
            return;
        };
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let Some(body) = offer else {
            let direction = Direction::SendRecv;
            let body = sdp(record.media.local.offer(direction));
            self.ua.reanswer(now, leg, Answer { status: 200, body: Some(body), ..Answer::default() });
            return;
        };
        let Some(description) = sdp_of(&body).and_then(|text| Sdp::parse(text).ok()) else {
            self.counters.offers_refused += 1;
            self.ua.refuse_reoffer(now, leg, 488);
            return;
        };
        match record.media.local.answer(&description, Direction::SendRecv) {
            Err(reason) => {
                self.counters.offers_refused += 1;
                self.ua.refuse_reoffer(now, leg, reason.status());
            }
            Ok((text, agreed)) => {
                let answer = Answer { status: 200, body: Some(sdp(text)), ..Answer::default() };
                self.ua.reanswer(now, leg, answer);
                self.take_up(now, call, party, agreed);
            }
        }
    }

    fn on_reanswered(&mut self, now: Instant, leg: LegId, answer: Option<Body>) {
        let Some((call, party)) = self.find(leg) else { return };
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let agreed = answer
            .as_ref()
            .and_then(sdp_of)
            .and_then(|text| Sdp::parse(text).ok())
            .and_then(|answer| record.media.local.accept_answer(&answer).ok());
        if let Some(agreed) = agreed {
            self.take_up(now, call, party, agreed);
        }
    }

    /// Takes up a renegotiation in the middle of a call, and tells a hold that came or went with it.
    fn take_up(&mut self, now: Instant, call: CallId, party: PartyId, agreed: Negotiated) {
        let (holds, silent) = (agreed.remote_hold, !agreed.direction.receives());
        self.configure(call, party, agreed);
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if record.holds != holds {
            record.holds = holds;
            self.pass_hold_on(now, call, party, holds && silent);
            self.tell(match holds {
                true => CallEvent::Held { call, party, silent },
                false => CallEvent::Resumed { call, party },
            });
        }
    }

    /// Tells a hold without music, or its end, to the other parties whose network wants to know.
    fn pass_hold_on(&mut self, now: Instant, call: CallId, by: PartyId, silent: bool) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        for other in record.parties.iter_mut().filter(|other| other.id != by) {
            let tells = self.setup.trunks.get(other.trunk).is_some_and(|trunk| trunk.profile.tells_hold);
            if tells && matches!(other.state, PartyState::Joined) && other.told_hold != silent {
                other.told_hold = silent;
                let direction = if silent { Direction::Inactive } else { Direction::SendRecv };
                let offer = sdp(other.media.local.offer(direction));
                self.ua.reoffer(now, other.leg, offer);
            }
        }
    }

    fn on_info(&mut self, now: Instant, leg: LegId, body: Option<Body>) {
        let Some((call, party)) = self.find(leg) else { return };
        let Some(body) = body else { return };
        if !body.content_type.trim().eq_ignore_ascii_case("application/dtmf-relay") {
            return;
        }
        let text = String::from_utf8_lossy(&body.bytes);
        let digit = text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim().chars().next())?
        });
        if let Some(digit) = digit.and_then(Digit::new) {
            self.pressed(now, call, party, digit);
        }
    }

    fn on_ended(&mut self, now: Instant, leg: LegId, why: EndedBy) {
        let Some((call, party)) = self.find(leg) else { return };
        let cause = match why {
            EndedBy::Bye { request } => {
                cause::of_hang_up(CauseKind::HungUp, request.header(HeaderName::Reason))
            }
            EndedBy::Cancelled { request } => {
                cause::of_hang_up(CauseKind::Cancelled, request.header(HeaderName::Reason))
            }
            EndedBy::Refused { status, response } => {
                if self.try_next_proxy(now, call, party, Some(status)) {
                    return;
                }
                cause::of_status(status, response.header(HeaderName::Reason))
            }
            EndedBy::NoResponse(why) => {
                if self.try_next_proxy(now, call, party, None) {
                    return;
                }
                match why {
                    NoResponse::TimedOut | NoResponse::Unreachable => CauseKind::Unreachable.into(),
                }
            }
            EndedBy::OurSide => CauseKind::Removed.into(),
            EndedBy::SessionExpired | EndedBy::PeerLost | EndedBy::NeverAcknowledged => {
                CauseKind::Lost.into()
            }
        };
        self.by_leg.remove(&leg);
        self.party_gone(now, call, party, cause);
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

    // --- what the center wants

    fn on_command(&mut self, now: Instant, command: CallCommand, ports: &mut dyn Ports) {
        match command {
            CallCommand::Answer { call } => self.answer(now, call),
            CallCommand::Reject { call, reason } => self.reject(now, call, reason),
            CallCommand::Play { call, party, play, prompts, repeat } => {
                self.play(call, party, play, &prompts, repeat);
            }
            CallCommand::StopPlay { call, party } => self.stop_play(call, party),
            CallCommand::Collect { call, party, collect, spec } => {
                self.collect(now, call, party, collect, spec);
            }
            CallCommand::StopCollect { call, party } => {
                if let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) {
                    record.collecting = None;
                    self.timers.clear(Timer::Collect(call, party));
                }
            }
            CallCommand::AddParty { call, party, to } => self.add_party(now, call, party, to, ports),
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

    fn answer(&mut self, now: Instant, call: CallId) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(PartyId::FIRST)) else { return };
        if !matches!(record.state, PartyState::Arrived { .. }) {
            return;
        }
        let PartyState::Arrived { body, agreed } =
            std::mem::replace(&mut record.state, PartyState::Answering)
        else {
            return;
        };
        let leg = record.leg;
        self.timers.clear(Timer::FirstProvisional(call));
        // First packets matter: the leg is ready before the caller knows.
        match agreed {
            Some(agreed) => self.configure(call, PartyId::FIRST, agreed),
            None => self.open(call, PartyId::FIRST),
        }
        self.ua.accept(now, leg, Answer { status: 200, body: Some(body), ..Answer::default() });
    }

    /// Opens a leg of which nothing is agreed yet.
    pub(crate) fn open(&mut self, call: CallId, party: PartyId) {
        let seed: u64 = self.random.random();
        let Some(party) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if !party.media.open {
            party.media.open = true;
            let (leg, port) = (party.media.leg, party.media.port);
            self.out.push_back(Output::Media(LegCommand::Open { leg, port, affinity: call.0, seed }));
        }
    }

    fn reject(&mut self, now: Instant, call: CallId, reason: Rejection) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(PartyId::FIRST)) else { return };
        if !matches!(record.state, PartyState::Arrived { .. }) {
            return;
        }
        let leg = record.leg;
        self.by_leg.remove(&leg);
        self.ua.reject(now, leg, cause::answer_to(reason));
        self.party_gone(now, call, PartyId::FIRST, CauseKind::Rejected.into());
    }

    fn play(&mut self, call: CallId, party: PartyId, play: PlayId, prompts: &[PromptName], repeat: bool) {
        let found: Option<Vec<Arc<Prompt>>> =
            prompts.iter().map(|name| self.setup.prompts.get(name).cloned()).collect();
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let Some(prompts) = found.filter(|_| record.media.open) else {
            self.tell(CallEvent::Played { call, party, play, outcome: PlayOutcome::Failed });
            return;
        };
        record.playing = Some(play);
        let leg = record.media.leg;
        let play = leg::PlayId(u64::from(play.0));
        self.out.push_back(Output::Media(LegCommand::Play { leg, play, prompts, repeat }));
    }

    fn stop_play(&mut self, call: CallId, party: PartyId) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if record.playing.is_some() {
            let leg = record.media.leg;
            self.out.push_back(Output::Media(LegCommand::StopPlay { leg }));
        }
    }

    fn collect(&mut self, now: Instant, call: CallId, party: PartyId, id: CollectId, spec: Collect) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let collection = Collection::begin(now, id, spec, record.playing.is_some());
        let ahead: Vec<Digit> =
            if collection.takes_type_ahead() { record.ahead.take(now).collect() } else { Vec::new() };
        let deadline = collection.deadline();
        record.collecting = Some(collection);
        self.timers.set_or_clear(Timer::Collect(call, party), deadline);
        for digit in ahead {
            self.pressed(now, call, party, digit);
        }
    }

    // --- media

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
                self.played(now, call, party, play, outcome);
            }
            LegEvent::Closed { leg, report } => self.reported(leg, &report),
            LegEvent::Refused { leg, reason } => {
                let Some((call, party)) = self.find_media(leg) else { return };
                tracing::warn!(call.id = %call, party.id = party.0, %reason, "media leg refused");
            }
            LegEvent::FirstPacket { .. }
            | LegEvent::Latched { .. }
            | LegEvent::Silent { .. }
            | LegEvent::Heard { .. }
            | LegEvent::Quality { .. } => {}
        }
    }

    fn played(
        &mut self,
        now: Instant,
        call: CallId,
        party: PartyId,
        play: PlayId,
        outcome: leg::PlayOutcome,
    ) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if record.playing == Some(play) {
            record.playing = None;
            if let Some(collection) = &mut record.collecting {
                collection.prompt_ended(now);
                let deadline = collection.deadline();
                self.timers.set_or_clear(Timer::Collect(call, party), deadline);
            }
        }
        let outcome = match outcome {
            leg::PlayOutcome::Finished => PlayOutcome::Completed,
            leg::PlayOutcome::Stopped => PlayOutcome::Stopped,
            leg::PlayOutcome::Unplayable => PlayOutcome::Failed,
        };
        self.tell(CallEvent::Played { call, party, play, outcome });
    }

    fn pressed(&mut self, now: Instant, call: CallId, party: PartyId, digit: Digit) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let Some(collection) = &mut record.collecting else {
            record.ahead.push(now, digit);
            return;
        };
        let end = collection.press(now, digit);
        let deadline = collection.deadline();
        if collection.barges_in() && record.playing.is_some() {
            let leg = record.media.leg;
            self.out.push_back(Output::Media(LegCommand::StopPlay { leg }));
        }
        match end {
            Some(end) => self.collected(call, party, end),
            None => self.timers.set_or_clear(Timer::Collect(call, party), deadline),
        }
    }

    fn collected(&mut self, call: CallId, party: PartyId, end: CollectEnd) {
        self.timers.clear(Timer::Collect(call, party));
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let Some(collection) = record.collecting.take() else { return };
        let collect = collection.id;
        let digits = collection.into_digits();
        self.tell(CallEvent::Collected { call, party, collect, digits, end });
    }

    /// Lets the joined parties hear each other: two of them are bridged.
    pub(crate) fn bridge(&mut self, call: CallId) {
        let Some(record) = self.calls.get(&call) else { return };
        let mut joined =
            record.parties.iter().filter(|p| matches!(p.state, PartyState::Joined)).map(|p| p.media.leg);
        let (Some(a), Some(b)) = (joined.next(), joined.next_back()) else { return };
        self.out.push_back(Output::Media(LegCommand::Bridge { a, b }));
    }

    fn reported(&mut self, leg: leg::LegId, report: &QualityReport) {
        let Some(call) = self.by_media.remove(&leg) else { return };
        let Some(record) = self.calls.get_mut(&call) else { return };
        let Some(place) = record.reports_due.iter().position(|(due, _)| *due == leg) else { return };
        let (_, party) = record.reports_due.swap_remove(place);
        self.tell(CallEvent::Quality { call, party, quality: quality(report) });
        self.finish_if_over(call);
    }

    // --- the end of parties and calls

    /// Takes a party out by our own will.
    pub(crate) fn drop_party(
        &mut self,
        now: Instant,
        call: CallId,
        party: PartyId,
        cause: Cause,
        headers: Vec<ExtraHeader>,
    ) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let leg = record.leg;
        self.by_leg.remove(&leg);
        self.ua.hang_up(now, leg, headers);
        self.party_gone(now, call, party, cause);
    }

    /// A party is gone; its leg is over or winding down by itself.
    pub(crate) fn party_gone(&mut self, now: Instant, call: CallId, party: PartyId, cause: Cause) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        let Some(place) = record.parties.iter().position(|p| p.id == party) else { return };
        let gone = record.parties.remove(place);
        self.timers.clear(Timer::Collect(call, party));
        self.timers.clear(Timer::ProxyPatience(call, party));
        if party == PartyId::FIRST {
            self.timers.clear(Timer::FirstProvisional(call));
        }
        let leg = gone.media.leg;
        if gone.media.open {
            record.reports_due.push((leg, party));
            self.out.push_back(Output::Media(LegCommand::Close { leg }));
        } else {
            self.by_media.remove(&leg);
            self.out.push_back(Output::ReleasePort(gone.media.port));
        }
        self.transfer_party_gone(now, call, party, &cause);
        self.tell(CallEvent::Left { call, party, cause: cause.clone() });
        let Some(record) = self.calls.get_mut(&call) else { return };
        if record.parties.is_empty() {
            record.over = Some(cause);
            self.timers.set(Timer::Reports(call), now + REPORTS_PATIENCE);
            self.finish_if_over(call);
        } else {
            self.bridge(call);
        }
    }

    fn finish_if_over(&mut self, call: CallId) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        if !record.reports_due.is_empty() {
            return;
        }
        let Some(cause) = record.over.take() else { return };
        self.forget(call, cause);
    }

    fn forget(&mut self, call: CallId, cause: Cause) {
        if let Some(record) = self.calls.remove(&call) {
            for (leg, _) in record.reports_due {
                self.by_media.remove(&leg);
            }
        }
        for timer in [
            Timer::FirstProvisional(call),
            Timer::TransferDecision(call),
            Timer::TransferorBye(call),
            Timer::Reports(call),
        ] {
            self.timers.clear(timer);
        }
        self.tell(CallEvent::Ended { call, cause });
    }

    fn end(&mut self, now: Instant, call: CallId) {
        let Some(record) = self.calls.get(&call) else { return };
        let parties: Vec<PartyId> = record.parties.iter().map(|p| p.id).collect();
        for party in parties {
            let headers = vec![("Reason".into(), cause::q850(16, "Normal call clearing"))];
            self.drop_party(now, call, party, CauseKind::Removed.into(), headers);
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
            Timer::Reports(call) => {
                if let Some(cause) = self.calls.get_mut(&call).and_then(|c| c.over.take()) {
                    self.forget(call, cause);
                }
            }
            Timer::KeepAlive { trunk, proxy } => self.probe(now, trunk, proxy),
        }
        let _ = ports;
    }

    /// An INVITE that takes the place of one of our legs (RFC 3891): a transfer by Teams that it keeps to itself.
    fn replace(
        &mut self,
        now: Instant,
        leg: LegId,
        trunk: usize,
        replaced: LegId,
        offer: Option<Body>,
        ports: &mut dyn Ports,
    ) {
        let found = self.find(replaced).filter(|(call, party)| {
            self.calls
                .get(call)
                .and_then(|c| c.parties.iter().find(|p| p.id == *party))
                .is_some_and(|p| matches!(p.state, PartyState::Joined))
        });
        let Some((call, party)) = found else {
            self.ua.reject(now, leg, Answer { status: 481, ..Answer::default() });
            return;
        };
        let codecs = self.codecs_for(call, trunk);
        let prepared = match self.prepare(now, leg, trunk, offer, codecs, ports) {
            Ok(prepared) => prepared,
            Err(answer) => {
                self.ua.reject(now, leg, answer);
                return;
            }
        };
        let Prepared { media, body, agreed } = prepared;
        let new_media = media.leg;
        self.index_media(new_media, call);
        let Some(record) = self.calls.get_mut(&call) else { return };
        let Some(place) = record.parties.iter().position(|p| p.id == party) else { return };
        let Some(old) = record.parties.get_mut(place) else { return };
        let old_leg = std::mem::replace(&mut old.leg, leg);
        let old_media = std::mem::replace(&mut old.media, media);
        old.trunk = trunk;
        old.holds = false;
        old.playing = None;
        self.by_leg.remove(&old_leg);
        self.by_leg.insert(leg, call);
        self.by_media.remove(&old_media.leg);
        self.out.push_back(Output::Media(LegCommand::Close { leg: old_media.leg }));
        match agreed {
            Some(agreed) => self.configure(call, party, agreed),
            None => self.open(call, party),
        }
        self.ua.accept(now, leg, Answer { status: 200, body: Some(body), ..Answer::default() });
        self.ua.hang_up(now, old_leg, Vec::new());
        self.bridge(call);
    }

    // --- finding

    pub(crate) fn find(&self, leg: LegId) -> Option<(CallId, PartyId)> {
        let call = *self.by_leg.get(&leg)?;
        let record = self.calls.get(&call)?;
        record.parties.iter().find(|party| party.leg == leg).map(|party| (call, party.id))
    }

    fn find_media(&self, leg: leg::LegId) -> Option<(CallId, PartyId)> {
        let call = *self.by_media.get(&leg)?;
        let record = self.calls.get(&call)?;
        record.parties.iter().find(|party| party.media.leg == leg).map(|party| (call, party.id))
    }
}

/// A party's media and what our answer will say, before there is a party.
struct Prepared {
    media: Media,
    body: Body,
    agreed: Option<Negotiated>,
}

impl Prepared {
    fn into_party(self, id: PartyId, trunk: usize, leg: LegId) -> Party {
        Party {
            id,
            trunk,
            leg,
            media: self.media,
            state: PartyState::Arrived { body: self.body, agreed: self.agreed },
            playing: None,
            collecting: None,
            ahead: TypeAhead::default(),
            holds: false,
            told_hold: false,
        }
    }
}

/// How long the end of a call waits for the last figures of its media.
const REPORTS_PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// A refusal with a text for the other side's record.
fn refusal(status: u16, code: &str) -> Answer {
    let text: String = code.chars().filter(|c| !c.is_control() && *c != '"').take(120).collect();
    let headers: Vec<ExtraHeader> =
        vec![("Warning".into(), format!("399 tandem \"{text}\"").into_bytes().into_boxed_slice())];
    Answer { status, headers, ..Answer::default() }
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

fn quality(report: &QualityReport) -> Quality {
    let expected = report.packets_received + report.packets_lost;
    let lost_x10000 = (report.packets_lost * 10_000).checked_div(expected).unwrap_or(0);
    Quality {
        mos_x100: report.mos.map(|mos| whole(mos * 100.0)),
        packets_received: report.packets_received,
        lost_x10000: u16::try_from(lost_x10000).unwrap_or(10_000),
        jitter_ms: whole(report.jitter_ms),
        round_trip_ms: report.rtt_ms.map(whole),
    }
}

/// The nearest whole number that fits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u16")]
fn whole(figure: f32) -> u16 {
    figure.round().clamp(0.0, f32::from(u16::MAX)) as u16
}

/// What dialling needs of the target, kept here for the transfer of it.
pub(crate) fn shown_target(target: &Target) -> Option<Address> {
    match target {
        Target::Address(address) => Some(address.clone()),
        Target::Referred { uri, .. } => {
            Uri::parse(uri).ok().filter(|uri| uri.user().is_some()).map(|uri| address::of_uri(&uri))
        }
    }
}

/// Kept beside the state it names.
pub(crate) fn is_asked(state: TransferState) -> bool {
    state == TransferState::Asked
}
