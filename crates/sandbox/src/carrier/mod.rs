//! The carrier, as a value: callers on a plain SIP trunk over UDP, and whoever they call from there.
//!
//! It is an ordinary SIP end, so it uses the user agent of [`tandem_sip`]; foreign callers check that one.

pub mod caller;
mod description;
pub mod phone;
pub mod script;
mod stream;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_media::dtmf::Digit;
use tandem_media::sdp::Direction;
use tandem_sip::flow::{Destination, Flow, Hop, InterfaceId, PeerIdentity, Transport};
use tandem_sip::message::Message;
use tandem_sip::ua::{
    Answer, Body, EndedBy, Event, Identity, LegId, OutgoingInvite, Output as Told, UserAgent,
};

use self::caller::{Caller, ms_since};
pub use self::caller::{CallerId, CallerView};
use self::description::{Ours, Theirs, offered};
use self::script::Script;
use self::stream::Stream;
use crate::chance::Chance;
use crate::config::{CarrierConfig, StreamConfig};
use crate::event::{By, Sound, What};
use crate::media::{PortCommand, PortEvent, PortId, Sending, Stream as PortStream};
use crate::timers::Timers;
use crate::user::{Reaction, Voice};

/// The carrier with its callers.
#[derive(Debug)]
pub struct Carrier {
    config: CarrierConfig,
    agent: UserAgent,
    identity: Arc<Identity>,
    callers: BTreeMap<CallerId, Caller>,
    past: VecDeque<CallerView>,
    count: u64,
    stream: Option<Stream>,
    /// The tones of persons.
    persons_hz: Vec<u16>,
    chance: Chance,
    started: Instant,
    timers: Timers<Timer>,
    outputs: VecDeque<Output>,
}

/// What the carrier wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send a datagram.
    Send {
        /// Where to.
        to: SocketAddr,
        /// The message.
        bytes: bytes::Bytes,
    },
    /// For a media port.
    Port(PortCommand),
    /// For those who watch.
    Happened(What),
}

/// Why something is not done for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallerRefusal {
    /// There is no such caller, or the call is over.
    #[error("there is no such caller, or the call is over")]
    NoCaller,
    /// Keys that no telephone has.
    #[error("digits are 0 to 9, *, #, A to D")]
    NotDigits,
    /// Not a number that can be dialled.
    #[error("not a number that can be dialled")]
    NotANumber,
    /// There are as many callers as there may be.
    #[error("there are {CALLERS_MAX} callers already")]
    TooMany,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The next caller of the stream.
    Stream,
    /// Nobody answers.
    GiveUp(CallerId),
    /// The next keys.
    Press(CallerId, usize),
    /// The time of the script is over.
    HangUp(CallerId),
    /// No person was heard.
    Patience(CallerId),
    /// A person has been heard long enough to be one.
    Person(CallerId),
    /// All is said.
    Talked(CallerId),
    /// Somebody who is called answers.
    Answer(CallerId),
    /// The telephone of somebody who is called sends the call on.
    SendOn(CallerId),
    /// Somebody who is called refuses, with this status.
    Refuse(CallerId, u16),
    /// The message is spoken.
    Spoken(CallerId),
}

impl Carrier {
    /// A carrier without callers. `persons_hz` are the tones of persons.
    pub fn new(config: CarrierConfig, persons_hz: Vec<u16>, mut chance: Chance, now: Instant) -> Self {
        let identity = Identity {
            interface: InterfaceId(0),
            sent_by: config.address.to_string().into(),
            allow: "INVITE, ACK, BYE, CANCEL, OPTIONS".into(),
            supported: "".into(),
            product: "ExampleCarrier/1.0".into(),
            headers: Arc::from([]),
            session_timer: None,
            reliable_provisional: false,
        };
        let stream = config.stream.clone().map(|stream| Stream::new(stream, chance.branch(), now));
        let mut carrier = Self {
            agent: UserAgent::new(chance.word()),
            config,
            identity: Arc::new(identity),
            callers: BTreeMap::new(),
            past: VecDeque::new(),
            count: 0,
            stream,
            persons_hz,
            chance,
            started: now,
            timers: Timers::new(),
            outputs: VecDeque::new(),
        };
        carrier.await_next();
        carrier
    }

    /// Where the carrier speaks SIP.
    pub fn address(&self) -> SocketAddr {
        self.config.address
    }

    /// A datagram came.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let flow = Flow {
            interface: InterfaceId(0),
            transport: Transport::Udp,
            remote: from,
            connection: None,
            peer: Arc::new(PeerIdentity::default()),
        };
        match Message::parse_datagram(datagram.to_vec()) {
            Ok(message) => self.agent.handle_message(now, &flow, message),
            Err(error) => self.agent.handle_faulty(now, &flow, &error),
        }
        self.drain(now);
    }

    /// A media port told something.
    pub fn handle_port(&mut self, now: Instant, event: PortEvent) {
        let by_port =
            |carrier: &Self, port| carrier.callers.iter().find(|(_, c)| c.port == port).map(|(id, _)| *id);
        match event {
            PortEvent::Opened { port, address } => match by_port(self, port) {
                Some(id) => self.opened(now, id, address),
                None => self.outputs.push_back(Output::Port(PortCommand::Close { port })),
            },
            PortEvent::Failed { port, error } => {
                tracing::error!(%error, "no media port for a caller");
                if let Some(id) = by_port(self, port) {
                    self.hang_up(now, id);
                    self.finish(now, id, By::Caller, None);
                }
            }
            PortEvent::Digit { port, digit } => {
                if let Some(id) = by_port(self, port) {
                    self.happened(What::CallerDigit { caller: id.0, digit: digit.as_char() });
                }
            }
            PortEvent::Hears { port, sound } => {
                if let Some(id) = by_port(self, port) {
                    self.happened(What::CallerHears { caller: id.0, sound });
                    self.listen(now, id, sound);
                }
            }
            PortEvent::Closed { .. } => {}
        }
        self.drain(now);
    }

    /// The time that [`Carrier::poll_timeout`] named has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        self.drain(now);
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Stream => self.next_of_stream(now),
                Timer::GiveUp(id) | Timer::HangUp(id) | Timer::Patience(id) | Timer::Talked(id) => {
                    self.hang_up(now, id);
                }
                Timer::Press(id, place) => self.press_next(now, id, place),
                Timer::Person(id) => self.person_heard(now, id),
                Timer::Answer(id) => self.answer(now, id),
                Timer::SendOn(id) => self.send_on(now, id),
                Timer::Refuse(id, status) => self.refuse_call(now, id, status),
                Timer::Spoken(id) => self.spoken(now, id),
            }
            self.drain(now);
        }
    }

    /// When [`Carrier::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.agent.poll_timeout(), self.timers.next()].into_iter().flatten().min()
    }

    /// The next thing to do; drain until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Somebody calls.
    pub fn call(&mut self, now: Instant, script: Script) -> Result<CallerId, CallerRefusal> {
        let dialled = |c: char| c.is_ascii_digit() || matches!(c, '+' | '*');
        let usable = |number: &str| !number.is_empty() && number.chars().all(dialled);
        if !usable(&script.number) || !usable(&script.from) {
            return Err(CallerRefusal::NotANumber);
        }
        let ends = script.message_ends.as_ref();
        let keys = script.presses.iter().map(|press| &press.digits).chain(ends);
        if keys.into_iter().any(|digits| digits_of(digits).is_none()) {
            return Err(CallerRefusal::NotDigits);
        }
        if self.callers.len() >= CALLERS_MAX {
            return Err(CallerRefusal::TooMany);
        }
        let leg = self.agent.new_leg();
        let number = script.number.clone();
        let id = self.take_in(now, script, leg, false);
        self.happened(What::CallerPlaced { caller: id.0, to: number });
        Ok(id)
    }

    /// A caller presses keys now.
    pub fn press(&mut self, id: CallerId, digits: &str) -> Result<(), CallerRefusal> {
        let pressed = digits_of(digits).ok_or(CallerRefusal::NotDigits)?;
        let caller = self.callers.get(&id).filter(|c| c.answered.is_some()).ok_or(CallerRefusal::NoCaller)?;
        let port = caller.port;
        self.outputs.push_back(Output::Port(PortCommand::Digits { port, digits: pressed }));
        self.happened(What::CallerPressed { caller: id.0, digits: digits.to_owned() });
        Ok(())
    }

    /// A caller speaks otherwise.
    pub fn speak(&mut self, id: CallerId, voice: Voice) -> Result<(), CallerRefusal> {
        let caller = self.callers.get_mut(&id).ok_or(CallerRefusal::NoCaller)?;
        caller.script.voice = voice;
        self.configure(id);
        Ok(())
    }

    /// A caller hangs up now.
    pub fn leave(&mut self, now: Instant, id: CallerId) -> Result<(), CallerRefusal> {
        if !self.callers.contains_key(&id) {
            return Err(CallerRefusal::NoCaller);
        }
        self.hang_up(now, id);
        self.drain(now);
        Ok(())
    }

    /// Begins, changes or ends the stream of callers who come by themselves.
    pub fn set_stream(&mut self, now: Instant, config: Option<StreamConfig>) {
        let chance = self.chance.branch();
        self.stream = config.map(|config| Stream::new(config, chance, now));
        self.await_next();
    }

    /// The stream, if there is one.
    pub fn stream(&self) -> Option<&StreamConfig> {
        self.stream.as_ref().map(|stream| &stream.config)
    }

    /// All callers, those who have left first.
    pub fn callers(&self) -> impl Iterator<Item = CallerView> {
        self.past
            .iter()
            .cloned()
            .chain(self.callers.iter().map(|(id, caller)| caller.view(*id, self.started)))
    }

    fn take_in(&mut self, now: Instant, script: Script, leg: LegId, called: bool) -> CallerId {
        self.count += 1;
        let id = CallerId(self.count);
        let port = PortId::Carrier(self.count);
        let session = self.chance.below(1 << 32);
        let give_up = script.give_up_after_ms;
        self.callers.insert(id, Caller::new(script, leg, called, port, session, now));
        if let Some(after_ms) = give_up {
            self.timers.set(Timer::GiveUp(id), now + Duration::from_millis(after_ms.into()));
        }
        let address = self.config.address.ip();
        self.outputs.push_back(Output::Port(PortCommand::Open { port, address }));
        id
    }

    /// The port is open: the INVITE goes out, or the phone of somebody called rings.
    fn opened(&mut self, now: Instant, id: CallerId, address: SocketAddr) {
        let Some(caller) = self.callers.get_mut(&id) else { return };
        caller.address = Some(address);
        let leg = caller.leg;
        if caller.called {
            return self.ring_phone(now, id);
        }
        let offer = body_of(&caller.describe(address, offered(), Direction::SendRecv));
        let (own, border) = (self.config.address, self.config.border);
        let Script { number, from, name, .. } = &caller.script;
        let invite = OutgoingInvite {
            identity: self.identity.clone(),
            hop: Hop {
                interface: InterfaceId(0),
                transport: Transport::Udp,
                host: border.ip().to_string().into(),
                port: Some(border.port()),
            },
            request_uri: bytes_of(&format!("sip:{number}@{border};user=phone")),
            from: bytes_of(&format!("\"{}\" <sip:{from}@{own};user=phone>", name.replace(['"', '\\'], ""))),
            to: bytes_of(&format!("<sip:{number}@{border};user=phone>")),
            contact: bytes_of(&format!("<sip:{from}@{own}>")),
            headers: Vec::new(),
            offer: Some(offer),
            credentials: None,
        };
        self.agent.invite(now, leg, invite);
    }

    fn drain(&mut self, now: Instant) {
        while let Some(told) = self.agent.poll_output() {
            match told {
                Told::Transmit(transmit) => {
                    let to = match transmit.to {
                        Destination::Flow(flow) => Some(flow.remote),
                        Destination::Hop(hop) => {
                            let ip = hop.host.parse().ok();
                            ip.map(|ip| SocketAddr::new(ip, hop.port.unwrap_or(5060)))
                        }
                    };
                    match (to, transmit.token) {
                        (Some(to), _) => self.outputs.push_back(Output::Send { to, bytes: transmit.bytes }),
                        (None, Some(token)) => self.agent.handle_send_failed(now, token),
                        (None, None) => {}
                    }
                }
                Told::Event(event) => self.handle_event(now, event),
            }
        }
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        let by_leg =
            |carrier: &Self, leg| carrier.callers.iter().find(|(_, c)| c.leg == leg).map(|(id, _)| *id);
        match event {
            Event::Invite { leg, request, offer, .. } => self.called(now, leg, &request, offer),
            Event::Progress { leg, status, body, .. } => {
                if let Some(id) = by_leg(self, leg) {
                    self.happened(What::CallerProgress { caller: id.0, status });
                    self.take_answer(id, body.as_ref());
                }
            }
            Event::Accepted { leg, answer, .. } => {
                if let Some(id) = by_leg(self, leg) {
                    self.take_answer(id, answer.as_ref());
                    self.accepted(now, id);
                }
            }
            Event::Reoffer { leg, offer, .. } => {
                if let Some(id) = by_leg(self, leg) {
                    self.reoffered(now, id, offer.as_ref());
                }
            }
            Event::Reanswered { leg, answer } | Event::Acknowledged { leg, answer } => {
                if let Some(id) = by_leg(self, leg) {
                    self.take_answer(id, answer.as_ref());
                }
            }
            Event::Refer { leg, refer, .. } => self.agent.refuse_refer(now, leg, refer, 405),
            Event::Request { id, request, .. } => {
                let options = request.method() == tandem_sip::method::Method::Options;
                let status = if options { 200 } else { 405 };
                let answer = Answer { status, ..Answer::default() };
                self.agent.respond(now, id, &self.identity, answer, None);
            }
            Event::Ended { leg, why } => {
                if let Some(id) = by_leg(self, leg) {
                    let (by, status) = match &why {
                        EndedBy::Refused { status, .. } => (By::Border, Some(*status)),
                        EndedBy::NoResponse(_) => (By::Border, Some(408)),
                        EndedBy::OurSide => (By::Caller, None),
                        _ => (By::Border, None),
                    };
                    self.finish(now, id, by, status);
                }
            }
            Event::ReofferRefused { .. }
            | Event::Info { .. }
            | Event::Response { .. }
            | Event::RequestFailed { .. }
            | Event::Faulty { .. } => {}
        }
    }

    fn take_answer(&mut self, id: CallerId, answer: Option<&Body>) {
        let Some(theirs) = answer.and_then(|answer| Theirs::read(&answer.bytes)) else { return };
        let Some(caller) = self.callers.get_mut(&id) else { return };
        caller.theirs = Some(theirs);
        self.configure(id);
    }

    fn accepted(&mut self, now: Instant, id: CallerId) {
        let Some(caller) = self.callers.get_mut(&id) else { return };
        caller.answered = Some(now);
        let script = caller.script.clone();
        self.timers.stop(&Timer::GiveUp(id));
        let later = |ms: u32| now + Duration::from_millis(ms.into());
        if let Some(press) = script.presses.first() {
            self.timers.set(Timer::Press(id, 0), later(press.at_ms));
        }
        if let Some(after_ms) = script.hang_up_after_ms {
            self.timers.set(Timer::HangUp(id), later(after_ms));
        }
        if let Some(patience_ms) = script.patience_ms {
            self.timers.set(Timer::Patience(id), later(patience_ms));
        }
        self.configure(id);
        self.happened(What::CallerAnswered { caller: id.0 });
    }

    /// Hold, resume, or a new offer: answered with the complement.
    fn reoffered(&mut self, now: Instant, id: CallerId, offer: Option<&Body>) {
        let Some(caller) = self.callers.get_mut(&id) else { return };
        let (leg, Some(address)) = (caller.leg, caller.address) else { return };
        let body = match offer.map(|offer| Theirs::read(&offer.bytes)) {
            Some(Some(offer)) => {
                let ours = caller.describe(address, offer.common.clone(), offer.direction.reversed());
                caller.theirs = Some(offer);
                body_of(&ours)
            }
            Some(None) => return self.agent.refuse_reoffer(now, leg, 488),
            None => body_of(&caller.describe(address, offered(), Direction::SendRecv)),
        };
        self.agent.reanswer(now, leg, Answer { status: 200, body: Some(body), ..Answer::default() });
        self.configure(id);
    }

    fn configure(&mut self, id: CallerId) {
        let Some(caller) = self.callers.get(&id) else { return };
        let Some(theirs) = &caller.theirs else { return };
        let speaks = caller.answered.is_some() && theirs.direction.receives();
        let sending = match caller.script.voice {
            _ if !speaks => Sending::Nothing,
            _ if matches!(caller.reaction, Reaction::Voicemail { .. }) => Sending::Greeting,
            Voice::Tone => Sending::Tone(caller.script.tone_hz),
            Voice::Speech => Sending::Speech(caller.script.tone_hz),
            Voice::Silence => Sending::Silence,
            Voice::Nothing => Sending::Nothing,
        };
        let stream = PortStream {
            target: theirs.address,
            reports: theirs.reports,
            expected: theirs.address,
            sound: theirs.sound,
            telephone_event: theirs.telephone_event,
            keys: None,
            mki_octets: 0,
            sending,
        };
        let port = caller.port;
        self.outputs.push_back(Output::Port(PortCommand::Configure { port, stream: Box::new(stream) }));
    }

    fn press_next(&mut self, now: Instant, id: CallerId, place: usize) {
        let Some(caller) = self.callers.get(&id) else { return };
        let Some(press) = caller.script.presses.get(place).cloned() else { return };
        let next = caller.script.presses.get(place + 1);
        if let Some((next, answered)) = next.zip(caller.answered) {
            let at = answered + Duration::from_millis(next.at_ms.into());
            self.timers.set(Timer::Press(id, place + 1), at.max(now));
        }
        // Digits were checked when the call was placed.
        let _ = self.press(id, &press.digits);
    }

    /// A tone of a person that lasts is a person.
    fn listen(&mut self, now: Instant, id: CallerId, sound: Sound) {
        let known = |hz: u16| self.persons_hz.iter().any(|person| person.abs_diff(hz) <= TONE_SPREAD_HZ);
        let person = matches!(sound, Sound::Tone(hz) if known(hz));
        let met = self.callers.get(&id).is_some_and(|caller| caller.person.is_some());
        match person {
            true if !met => self.timers.set(Timer::Person(id), now + PERSON_LASTS),
            _ => self.timers.stop(&Timer::Person(id)),
        }
        if matches!(sound, Sound::Tone(hz) if hz.abs_diff(BEEP_HZ) <= TONE_SPREAD_HZ) {
            self.beeped(now, id);
        }
    }

    /// Who hears a beep and has something to say says it now.
    fn beeped(&mut self, now: Instant, id: CallerId) {
        let Some(caller) = self.callers.get_mut(&id).filter(|caller| caller.person.is_none()) else { return };
        let Some(message_ms) = caller.script.message_ms else { return };
        caller.script.voice = Voice::Speech;
        self.timers.stop(&Timer::Patience(id));
        self.timers.set(Timer::Spoken(id), now + Duration::from_millis(message_ms.into()));
        self.configure(id);
    }

    /// All is said: the keys that end a message, or the end of the call.
    fn spoken(&mut self, now: Instant, id: CallerId) {
        let Some(caller) = self.callers.get_mut(&id) else { return };
        caller.script.voice = Voice::Silence;
        let ends = caller.script.message_ends.clone();
        self.configure(id);
        self.happened(What::CallerSpoke { caller: id.0 });
        match ends {
            // The keys were checked when the call was placed.
            Some(digits) => drop(self.press(id, &digits)),
            None => self.hang_up(now, id),
        }
    }

    fn person_heard(&mut self, now: Instant, id: CallerId) {
        let Some(caller) = self.callers.get_mut(&id) else { return };
        caller.person = Some(now);
        let talk_ms = caller.script.talk_ms;
        self.timers.stop(&Timer::Patience(id));
        if let Some(talk_ms) = talk_ms {
            self.timers.set(Timer::Talked(id), now + Duration::from_millis(talk_ms.into()));
        }
    }

    fn hang_up(&mut self, now: Instant, id: CallerId) {
        let Some(caller) = self.callers.get_mut(&id).filter(|caller| !caller.ending) else { return };
        caller.ending = true;
        let (leg, placed) = (caller.leg, caller.address.is_some());
        if placed {
            self.agent.hang_up(now, leg, Vec::new());
        } else {
            self.finish(now, id, By::Caller, None);
        }
    }

    fn finish(&mut self, now: Instant, id: CallerId, by: By, status: Option<u16>) {
        let Some(caller) = self.callers.remove(&id) else { return };
        let timers = [
            Timer::GiveUp(id),
            Timer::HangUp(id),
            Timer::Patience(id),
            Timer::Person(id),
            Timer::Talked(id),
            Timer::Answer(id),
            Timer::SendOn(id),
            Timer::Refuse(id, 480),
            Timer::Refuse(id, 603),
            Timer::Spoken(id),
        ];
        let presses = (0..caller.script.presses.len()).map(|place| Timer::Press(id, place));
        for timer in timers.into_iter().chain(presses) {
            self.timers.stop(&timer);
        }
        self.outputs.push_back(Output::Port(PortCommand::Close { port: caller.port }));
        let mut view = caller.view(id, self.started);
        view.state = "ended";
        view.ended_ms = Some(ms_since(self.started, now));
        view.ended_by = Some(by);
        view.status = status;
        if self.past.len() == PAST_MAX {
            self.past.pop_front();
        }
        self.past.push_back(view);
        self.happened(What::CallerEnded { caller: id.0, by, status });
    }

    fn next_of_stream(&mut self, now: Instant) {
        let Some(stream) = &mut self.stream else { return };
        let script = stream.caller(now);
        let room = self.callers.len() < stream.config.at_once_max as usize;
        self.await_next();
        // With too many at once this one does not come; a number that cannot be dialled is the configuration's.
        if room && let Err(refusal) = self.call(now, script) {
            tracing::warn!(%refusal, "a caller of the stream could not call");
        }
    }

    fn await_next(&mut self) {
        match &self.stream {
            Some(stream) => self.timers.set(Timer::Stream, stream.next),
            None => self.timers.stop(&Timer::Stream),
        }
    }

    fn happened(&mut self, what: What) {
        self.outputs.push_back(Output::Happened(what));
    }
}

fn digits_of(text: &str) -> Option<Vec<Digit>> {
    let digits: Option<Vec<Digit>> = text.chars().map(Digit::from_char).collect();
    digits.filter(|digits| !digits.is_empty())
}

fn bytes_of(text: &str) -> Arc<[u8]> {
    Arc::from(text.as_bytes())
}

fn body_of(description: &Ours) -> Body {
    Body { content_type: "application/sdp".into(), bytes: bytes_of(&description.to_string()) }
}

/// Callers at once; a further one is refused.
const CALLERS_MAX: usize = 2000;
/// Callers who have left and can still be looked at; older ones are forgotten.
const PAST_MAX: usize = 1000;
/// The pitch of somebody called.
const CALLED_HZ: u16 = 1650;
/// A tone so near to a person's is that person's.
const TONE_SPREAD_HZ: u16 = 8;
/// The tone after which a message is spoken.
const BEEP_HZ: u16 = 1000;
/// A person's tone that lasts so long is a person, not a note of music.
const PERSON_LASTS: Duration = Duration::from_millis(1000);
