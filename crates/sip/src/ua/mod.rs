//! A SIP user agent as a value: messages, commands and time in; messages and events out.
//!
//! [`UserAgent`] holds the legs: INVITEs sent and taken with all their early dialogs, and the dialogs that became of
//! them. It answers by itself what has only one right answer (100, 481, 487, PRACK, copies, session refreshes) and
//! tells the rest as [`Event`]s. It knows *when* an offer or answer is due; *what* is in one is for its user.
//!
//! It opens no connection and resolves no name: requests go to a [`Hop`](crate::flow::Hop), responses back on the
//! [`Flow`] of their request. The end of a connection ends no dialog: dialogs are found by Call-ID and tags.

mod compose;
mod engine;
mod established;
mod incoming;
mod leg;
mod outgoing;
mod persona;
mod transfer;
mod vocabulary;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use self::compose::{OwnHeader, Reply, Request};
use self::engine::{Engine, Errand, LegTimer, REQUEST_ANSWERED_WITHIN, UaTimer};
use self::incoming::Incoming;
use self::leg::{Asked, Leg, Next, Stage, Turn};
use self::outgoing::Outgoing;
use self::persona::Persona;
use crate::dialog::Dialog;
use crate::digest::DigestClient;
use crate::fault::ParseError;
use crate::flow::{Destination, Flow};
use crate::header::HeaderName;
use crate::message::Message;
use crate::method::Method;
use crate::random::{from_hex, hex};
use crate::screening::{Abilities, screen};
use crate::transaction::{Fired, Received, ServerId, Told};

pub use self::vocabulary::*;
pub use crate::transaction::{Transmit, TransmitToken};

/// What a user agent puts out.
#[derive(Clone, Debug)]
pub enum Output {
    /// A message to be sent.
    Transmit(Transmit),
    /// Something to be known.
    Event(Event),
}

/// How much a user agent takes on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Legs, in both directions. A further INVITE of a peer is answered 503; one of the user's own is not limited,
    /// because the user counts its calls.
    pub legs: usize,
    /// Requests of peers whose copies are still awaited. A further one that belongs to no call of ours is answered
    /// 503 without keeping anything of it. Twice as many are the limit for everything but ACK.
    pub requests: usize,
}

impl Default for Limits {
    /// 20,000 legs are 10,000 calls; 100,000 requests are what 32 s of 500 calls per second over UDP leave behind.
    fn default() -> Self {
        Self { legs: 20_000, requests: 100_000 }
    }
}

/// A SIP user agent: all legs, transactions and dialogs of one program, without any IO.
///
/// Feed it with `handle_*`, then drain [`poll_output`](Self::poll_output) until `None` and call
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) says. Commands return nothing;
/// what became of them comes back as an event. A command for a leg that is over, or that does not fit its state, does
/// nothing: the event that says why is already on its way.
#[derive(Debug)]
pub struct UserAgent {
    engine: Engine,
    legs: BTreeMap<LegId, Leg>,
    /// Requests of ours outside of dialogs that may have to prove themselves.
    asked: BTreeMap<RequestId, Box<DigestClient>>,
    /// Requests of theirs outside of dialogs that the user is to answer.
    asking: BTreeMap<RequestId, Asked>,
    limits: Limits,
}

impl UserAgent {
    /// A user agent without legs. Equal seeds and inputs give equal outputs; the seed must be secret, because tags
    /// and branches are made of it.
    pub fn new(seed: u64) -> Self {
        Self::with_limits(seed, Limits::default())
    }

    /// The same with other limits.
    pub fn with_limits(seed: u64, limits: Limits) -> Self {
        Self {
            engine: Engine::new(seed),
            legs: BTreeMap::new(),
            asked: BTreeMap::new(),
            asking: BTreeMap::new(),
            limits,
        }
    }

    /// An id for a leg that the user is about to begin with [`invite`](Self::invite).
    pub fn new_leg(&mut self) -> LegId {
        LegId(self.engine.next_id())
    }

    /// An id for a request that the user is about to send with [`request`](Self::request).
    pub fn new_request(&mut self) -> RequestId {
        RequestId(self.engine.next_id())
    }

    /// The next message to send or event to know. Messages come first.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(transmit) = self.engine.transactions.poll_transmit() {
            return Some(Output::Transmit(transmit));
        }
        self.engine.events.pop_front().map(Output::Event)
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next; `None` when nothing waits.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let times = [self.engine.transactions.poll_timeout(), self.engine.timers.next()];
        times.into_iter().flatten().min()
    }

    /// What the user agent holds at this moment, for metrics and for tests that nothing is left over.
    pub fn load(&self) -> Load {
        Load {
            legs: self.legs.len(),
            sent_requests: self.engine.transactions.clients(),
            taken_requests: self.engine.transactions.servers(),
            timers: self.engine.transactions.timers() + self.engine.timers.len(),
            names: self.engine.tags.len()
                + self.engine.invites.len()
                + self.engine.answered.len()
                + self.asked.len()
                + self.asking.len(),
        }
    }
}

/// What a user agent holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Legs, those included whose end has been told while their BYE is on its way.
    pub legs: usize,
    /// Requests of ours that wait for a response or for copies of it.
    pub sent_requests: usize,
    /// Requests of theirs that wait for our response or for copies of themselves.
    pub taken_requests: usize,
    /// Timers that run.
    pub timers: usize,
    /// Entries under which the above are found.
    pub names: usize,
}

/// Inputs: what came over the network, what could not be sent, time.
impl UserAgent {
    /// A message came on that flow.
    pub fn handle_message(&mut self, now: Instant, flow: &Flow, message: Message) {
        let now = self.engine.tick(now);
        if message.is_request() {
            self.handle_request(now, flow, message);
        } else {
            self.handle_response(now, message);
        }
    }

    /// Something came on that flow that is no good message: it is answered if it can be.
    pub fn handle_faulty(&mut self, now: Instant, flow: &Flow, error: &ParseError) {
        self.engine.tick(now);
        let answered = match error {
            ParseError::Fault(fault) => {
                let tag = hex(self.engine.random.word());
                let reason = fault.cause.to_string();
                let status = fault.status.code();
                let reply = Reply { status, reason: &reason, tag: Some(&tag), ..Reply::default() };
                let bytes = reply.write(&fault.message, flow.remote);
                self.engine.transactions.send(compose::reply_to(&fault.message, flow), bytes);
                Some(status)
            }
            ParseError::Unanswerable(_) => None,
        };
        self.engine.events.push_back(Event::Faulty { flow: flow.clone(), answered });
    }

    /// What was to be sent with this token cannot be: its name does not resolve, no connection opens, TLS fails.
    pub fn handle_send_failed(&mut self, now: Instant, token: TransmitToken) {
        let now = self.engine.tick(now);
        if let Some(errand) = self.engine.transactions.handle_send_failed(token) {
            self.on_no_response(now, errand, NoResponse::Unreachable);
        }
    }

    /// Time has come to the moment that [`poll_timeout`](Self::poll_timeout) named, or to any other.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.engine.tick(now);
        while let Some(fired) = self.engine.transactions.handle_timeout(now) {
            match fired {
                Fired::Quietly => {}
                Fired::Closed(key) => {
                    self.engine.answered.remove(&key);
                }
                Fired::TimedOut(errand) => self.on_no_response(now, errand, NoResponse::TimedOut),
            }
        }
        while let Some(timer) = self.engine.timers.pop_due(now) {
            match timer {
                UaTimer::Leg(leg, timer) => self.on_leg_timer(now, leg, timer),
                UaTimer::Request(id) => {
                    if let Some(asked) = self.asking.remove(&id) {
                        self.engine.transactions.forget(asked.server);
                    }
                }
            }
        }
    }
}

/// Commands for legs.
impl UserAgent {
    /// Sends an INVITE. Told with `Progress`, then `Accepted` or `Ended`.
    pub fn invite(&mut self, now: Instant, leg: LegId, invite: OutgoingInvite) {
        let now = self.engine.tick(now);
        if self.legs.contains_key(&leg) {
            return;
        }
        let mut persona = Persona {
            leg,
            identity: Some(invite.identity.clone()),
            contact: invite.contact.clone(),
            transport: invite.hop.transport,
            digest: invite.credentials.as_ref().map(digest_of),
            tag: self.engine.new_tag(leg),
        };
        let mut turn = Turn { engine: &mut self.engine, persona: &mut persona, now };
        let stage = Outgoing::start(&mut turn, invite);
        self.legs.insert(leg, Leg { persona, stage });
        self.forget_if_over(leg);
    }

    /// Says who we are on a leg that the peer began, before it is answered. What the INVITE demands is judged now:
    /// it may be refused (420, 422) with the event `Ended`.
    ///
    /// `contact` has its angle brackets. A leg can be rejected without; accepting it without answers 500.
    pub fn set_identity(&mut self, leg: LegId, identity: Arc<Identity>, contact: Arc<[u8]>) {
        let Some(now) = self.engine.latest() else { return };
        self.step(now, leg, |stage, turn| {
            turn.persona.contact = contact;
            turn.persona.identity = Some(identity.clone());
            match stage {
                Stage::Incoming(incoming) => incoming.on_identity(turn, &identity),
                _ => None,
            }
        });
    }

    /// Sends a provisional response, 101 to 199. It is reliable if the peer demands that, or can do it and there is a
    /// body, and our identity takes part.
    pub fn progress(&mut self, now: Instant, leg: LegId, answer: Answer) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| {
            if let Stage::Incoming(incoming) = stage {
                incoming.progress(turn, answer);
            }
            None
        });
    }

    /// Sends the 2xx. It waits by itself for the PRACK of what was sent before, and is sent again until its ACK comes.
    pub fn accept(&mut self, now: Instant, leg: LegId, answer: Answer) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| match stage {
            Stage::Incoming(incoming) => incoming.accept(turn, answer),
            _ => None,
        });
    }

    /// Sends a final response from 300 to 699. Told with `Ended`; its ACK is looked after silently.
    pub fn reject(&mut self, now: Instant, leg: LegId, answer: Answer) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| match stage {
            Stage::Incoming(incoming) => incoming.reject(turn, answer),
            _ => None,
        });
    }

    /// Ends the leg in whatever state it is: CANCEL (as soon as a provisional response permits it), BYE (after the ACK
    /// where that is due), or 480 for an INVITE of the peer that is not answered. `headers` go on that message, such
    /// as Reason. A 2xx that crosses is acknowledged and its dialog ended.
    ///
    /// Told with `Ended` when all of it is done or given up.
    pub fn hang_up(&mut self, now: Instant, leg: LegId, headers: Vec<ExtraHeader>) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| match stage {
            Stage::Outgoing(outgoing) => outgoing.hang_up(turn, headers),
            Stage::Incoming(incoming) => {
                incoming.reject(turn, Answer { status: 480, headers, ..Answer::default() })
            }
            Stage::Established(established) => established.hang_up(turn, headers),
            Stage::Ending(_) | Stage::Over => None,
        });
    }

    /// Offers new media in a re-INVITE, as soon as nothing else is being negotiated. An offer that still waits is
    /// replaced by a newer one. Told with `Reanswered` or `ReofferRefused`.
    pub fn reoffer(&mut self, now: Instant, leg: LegId, offer: Body) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| {
            if let Stage::Established(established) = stage {
                established.reoffer(turn, offer);
            }
            None
        });
    }

    /// Answers the offer of `Reoffer`, or, where that had none, makes ours. Also answers the offer that came in
    /// `Accepted` to an INVITE without offer; the ACK carries it.
    ///
    /// The status is 200 where the answer says 0.
    pub fn reanswer(&mut self, now: Instant, leg: LegId, answer: Answer) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| match stage {
            Stage::Established(established) => established.reanswer(turn, answer),
            _ => None,
        });
    }

    /// Refuses the offer of `Reoffer` with that status, such as 488; media stay as they are.
    pub fn refuse_reoffer(&mut self, now: Instant, leg: LegId, status: u16) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| match stage {
            Stage::Established(established) => established.refuse_reoffer(turn, status),
            _ => None,
        });
    }

    /// Takes on a transfer: 202, and the first NOTIFY (100) at once.
    pub fn accept_refer(&mut self, now: Instant, leg: LegId, refer: ReferId) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| {
            if let Stage::Established(established) = stage {
                established.transfers.accept(turn, &mut established.dialog, refer);
            }
            None
        });
    }

    /// Refuses a transfer with a status from 300 to 699.
    pub fn refuse_refer(&mut self, now: Instant, leg: LegId, refer: ReferId, status: u16) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| {
            if let Stage::Established(established) = stage {
                established.transfers.refuse(turn, refer, status);
            }
            None
        });
    }

    /// Tells the peer how far its transfer is: the status line of the new call. `last` ends the subscription.
    pub fn notify_refer(
        &mut self,
        now: Instant,
        leg: LegId,
        refer: ReferId,
        status: u16,
        reason: &str,
        last: bool,
    ) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| {
            if let Stage::Established(established) = stage {
                established.transfers.report(turn, &mut established.dialog, refer, status, reason, last);
            }
            None
        });
    }

    /// Sends INFO in the dialog.
    pub fn info(&mut self, now: Instant, leg: LegId, body: Body) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| {
            if let Stage::Established(established) = stage {
                established.info(turn, &body);
            }
            None
        });
    }
}

/// Requests outside of dialogs.
impl UserAgent {
    /// Sends a request outside of dialogs. Told with `Response` or `RequestFailed`.
    pub fn request(&mut self, now: Instant, id: RequestId, request: OutgoingRequest) {
        let now = self.engine.tick(now);
        let tag = hex(self.engine.random.word());
        let key = self.engine.new_key();
        let written = Request {
            method: request.method,
            uri: &request.request_uri,
            identity: &request.identity,
            transport: request.hop.transport,
            branch: &key.branch.text(),
            routes: &[],
            last_route: None,
            from: &compose::tagged(&request.from, &tag),
            to: &request.to,
            call_id: &self.engine.new_call_id(),
            cseq: 1,
            contact: request.contact.as_deref(),
            own: &[],
            extra: &request.headers,
            body: None,
        };
        let is_free = !matches!(request.method, Method::Invite | Method::Ack | Method::Cancel);
        let Some(bytes) = written.write().filter(|_| is_free) else {
            self.engine.events.push_back(Event::RequestFailed { id, why: NoResponse::Unreachable });
            return;
        };
        if let Some(credentials) = &request.credentials {
            self.asked.insert(id, digest_of(credentials));
        }
        let to = Destination::Hop(request.hop);
        self.engine.send(now, key, request.method, to, bytes, Errand::Request(id));
    }

    /// Answers the request of `Event::Request` with a final status.
    pub fn respond(
        &mut self,
        now: Instant,
        id: RequestId,
        identity: &Arc<Identity>,
        answer: Answer,
        contact: Option<Arc<[u8]>>,
    ) {
        let now = self.engine.tick(now);
        if !matches!(answer.status, 200..=699) {
            return;
        }
        let Some(Asked { server, request }) = self.asking.remove(&id) else { return };
        self.engine.timers.stop(UaTimer::Request(id));
        let tag = hex(self.engine.random.word());
        let reply = Reply {
            status: answer.status,
            reason: &answer.reason,
            tag: Some(&tag),
            identity: Some(identity),
            contact: contact.as_deref(),
            own: &[],
            extra: &answer.headers,
            body: answer.body.as_ref(),
        };
        self.engine.reply(now, server, &request, &reply);
    }
}

/// Requests of theirs.
impl UserAgent {
    fn handle_request(&mut self, now: Instant, flow: &Flow, request: Message) {
        match self.engine.transactions.handle_request(now, &request) {
            Received::Absorbed => {}
            Received::Ack => self.on_ack(now, &request),
            Received::Merged => self.refuse_without_state(flow, &request, 482),
            Received::New => self.on_new_request(now, flow, request),
        }
    }

    fn on_new_request(&mut self, now: Instant, flow: &Flow, request: Message) {
        let open = self.engine.transactions.servers();
        if open >= self.limits.requests && (open >= 2 * self.limits.requests || !self.is_known(&request)) {
            self.refuse_without_state(flow, &request, 503);
            return;
        }
        let server = self.engine.transactions.open(&request, compose::reply_to(&request, flow));
        if let Some(refusal) = screen(&request, &ABILITIES) {
            let own: Vec<OwnHeader> = refusal.header(&ABILITIES).into_iter().collect();
            self.refuse(now, server, &request, refusal.status().code(), &own);
            return;
        }
        let request = Arc::new(request);
        match (request.method(), request.to().tag()) {
            (Method::Cancel, _) => self.on_cancel(now, server, request),
            (_, Some(tag)) => {
                let leg = from_hex(tag).and_then(|tag| self.engine.tags.get(&tag)).copied();
                self.on_request_in_dialog(now, leg, Asked { server, request });
            }
            (Method::Invite, None) => self.on_invite(now, flow, server, request),
            (Method::Options, None) => self.on_options(now, flow, server, request),
            // What only makes sense inside a dialog.
            (Method::Bye | Method::Prack | Method::Update | Method::Info | Method::Notify, None) => {
                self.refuse(now, server, &request, 481, &[]);
            }
            // A transfer without a call.
            (_, None) => {
                let own = [(HeaderName::Allow, ALLOWED_OUTSIDE.to_vec())];
                self.refuse(now, server, &request, 405, &own);
            }
        }
    }

    /// Whether a request belongs to a call of ours.
    fn is_known(&mut self, request: &Message) -> bool {
        match request.to().tag() {
            _ if request.method() == Method::Cancel => {
                self.engine.transactions.invite_of_cancel(request).is_some()
            }
            Some(tag) => from_hex(tag).is_some_and(|tag| self.engine.tags.contains_key(&tag)),
            None => false,
        }
    }

    fn on_invite(&mut self, now: Instant, flow: &Flow, server: ServerId, request: Arc<Message>) {
        if request.max_forwards() == Some(0) {
            // Whoever takes calls to pass them on is a hop (RFC 7332).
            return self.refuse(now, server, &request, 483, &[]);
        }
        if self.legs.len() >= self.limits.legs {
            let own = [(HeaderName::RetryAfter, RETRY_AFTER_OVERLOAD.to_vec())];
            return self.refuse(now, server, &request, 503, &own);
        }
        let replaces = match self.replaced(&request) {
            Ok(replaces) => replaces,
            Err(status) => return self.refuse(now, server, &request, status, &[]),
        };
        let leg = self.new_leg();
        let tag = self.engine.new_tag(leg);
        let to = request.header(HeaderName::To).unwrap_or_default();
        let Some(dialog) = Dialog::of_request(&request, compose::tagged(to, &tag.text()).into()) else {
            self.engine.tags.remove(&tag.0);
            return self.refuse(now, server, &request, 400, &[]);
        };
        let mut persona = Persona {
            leg,
            identity: None,
            contact: Arc::new([]),
            transport: flow.transport,
            digest: None,
            tag,
        };
        self.engine.invites.insert(server, leg);
        let mut turn = Turn { engine: &mut self.engine, persona: &mut persona, now };
        turn.reply_status(server, &request, 100);
        let incoming = Incoming::new(&mut turn, dialog, server, request.clone());
        self.legs.insert(leg, Leg { persona, stage: Stage::Incoming(Box::new(incoming)) });
        let offer = compose::session(&request);
        self.engine.events.push_back(Event::Invite { leg, request, flow: flow.clone(), offer, replaces });
    }

    /// The leg that an INVITE wants to replace, or the status it is refused with (RFC 3891 section 3).
    fn replaced(&mut self, request: &Message) -> Result<Option<LegId>, u16> {
        let Some(replaces) = request.replaces().map_err(|_| 400_u16)? else { return Ok(None) };
        let named = from_hex(replaces.to_tag).and_then(|tag| self.engine.tags.get(&tag)).copied();
        let leg = named.ok_or(481_u16)?;
        let stage = &mut self.legs.get_mut(&leg).ok_or(481_u16)?.stage;
        if stage.dialog_mut(replaces.call_id, replaces.from_tag).is_none() {
            return Err(481);
        }
        match stage {
            Stage::Established(_) if replaces.early_only => Err(486),
            Stage::Established(_) | Stage::Outgoing(_) => Ok(Some(leg)),
            // An early dialog that the peer began may not be replaced.
            Stage::Incoming(_) => Err(481),
            Stage::Ending(_) | Stage::Over => Err(603),
        }
    }

    fn on_options(&mut self, now: Instant, flow: &Flow, server: ServerId, request: Arc<Message>) {
        let id = self.new_request();
        self.asking.insert(id, Asked { server, request: request.clone() });
        self.engine.timers.set(UaTimer::Request(id), now + REQUEST_ANSWERED_WITHIN);
        self.engine.events.push_back(Event::Request { id, request, flow: flow.clone() });
    }

    fn on_cancel(&mut self, now: Instant, server: ServerId, request: Arc<Message>) {
        let Some(invite) = self.engine.transactions.invite_of_cancel(&request) else {
            return self.refuse(now, server, &request, 481, &[]);
        };
        let leg = self.engine.invites.get(&invite).copied();
        let tag = leg.and_then(|leg| self.legs.get(&leg)).map(|leg| leg.persona.tag.text());
        let tag = tag.unwrap_or_else(|| hex(self.engine.random.word()));
        self.engine.reply(now, server, &request, &Reply { tag: Some(&tag), ..Reply::status(200) });
        let Some(leg) = leg else { return };
        self.step(now, leg, |stage, turn| match stage {
            Stage::Incoming(incoming) => incoming.on_cancel(turn, request),
            Stage::Established(established) => {
                established.on_cancel(turn, invite);
                None
            }
            _ => None,
        });
    }

    fn on_request_in_dialog(&mut self, now: Instant, leg: Option<LegId>, asked: Asked) {
        let Asked { server, request } = &asked;
        let Some((id, known)) = leg.and_then(|id| Some((id, self.legs.get_mut(&id)?))) else {
            return self.refuse(now, *server, request, 481, &[]);
        };
        let from_tag = request.from().tag().unwrap_or_default();
        let Some(dialog) = known.stage.dialog_mut(request.call_id(), from_tag) else {
            return self.refuse(now, *server, request, 481, &[]);
        };
        if !dialog.take_cseq(request.cseq().number) {
            return self.refuse(now, *server, request, 500, &[]);
        }
        if !known.persona.allows(request.method()) {
            known.step(&mut self.engine, now, |_, turn| {
                turn.reply_status(*server, request, 405);
                None
            });
            return;
        }
        self.step(now, id, |stage, turn| match stage {
            Stage::Outgoing(outgoing) => {
                outgoing.on_request(turn, &asked);
                None
            }
            Stage::Incoming(incoming) => incoming.on_request(turn, &asked),
            Stage::Established(established) => established.on_request(turn, asked),
            Stage::Ending(ending) => ending.on_request(turn, &asked),
            Stage::Over => None,
        });
    }

    /// An ACK for a 2xx. One that belongs to nothing is dropped: nobody answers an ACK.
    fn on_ack(&mut self, now: Instant, ack: &Message) {
        let tag = ack.to().tag().and_then(from_hex);
        let Some(leg) = tag.and_then(|tag| self.engine.tags.get(&tag)).copied() else { return };
        self.step(now, leg, |stage, turn| {
            stage.dialog_mut(ack.call_id(), ack.from().tag().unwrap_or_default())?;
            match stage {
                Stage::Established(established) => {
                    established.on_ack(turn, ack);
                    None
                }
                Stage::Ending(ending) => ending.on_ack(turn, ack),
                _ => None,
            }
        });
    }

    /// Answers a request by ourselves.
    fn refuse(&mut self, now: Instant, server: ServerId, request: &Message, status: u16, own: &[OwnHeader]) {
        let tag = hex(self.engine.random.word());
        self.engine.reply(now, server, request, &Reply { tag: Some(&tag), own, ..Reply::status(status) });
    }

    /// Answers a request and keeps nothing of it.
    fn refuse_without_state(&mut self, flow: &Flow, request: &Message, status: u16) {
        if request.method() == Method::Ack {
            return;
        }
        let tag = hex(self.engine.random.word());
        let retry = [(HeaderName::RetryAfter, RETRY_AFTER_OVERLOAD.to_vec())];
        let own = if status == 503 { &retry[..] } else { &[] };
        let bytes = Reply { tag: Some(&tag), own, ..Reply::status(status) }.write(request, flow.remote);
        self.engine.transactions.send(compose::reply_to(request, flow), bytes);
    }
}

/// Responses to requests of ours.
impl UserAgent {
    fn handle_response(&mut self, now: Instant, response: Message) {
        let make_ack = |invite: &Bytes| compose::ack_of_failure(invite, &response);
        let Some(told) = self.engine.transactions.handle_response(now, &response, make_ack) else { return };
        if response.status().is_some_and(|status| status.is_success())
            && self.engine.acknowledge_again(now, told.key, &response)
        {
            return;
        }
        self.on_response(now, told, Arc::new(response));
    }

    fn on_response(&mut self, now: Instant, told: Told<Errand>, response: Arc<Message>) {
        let Some(status) = response.status().map(|status| status.code()) else { return };
        if status >= 200 && self.proves_itself(now, &told, &response) {
            return;
        }
        let Told { key, errand, .. } = told;
        match errand {
            Errand::Invite(leg) => self.step(now, leg, |stage, turn| match stage {
                Stage::Outgoing(outgoing) => outgoing.on_response(turn, response),
                _ => None,
            }),
            Errand::Reinvite(leg) | Errand::Update(leg) => self.step(now, leg, |stage, turn| match stage {
                Stage::Established(established) => established.on_response(turn, key, &response),
                _ => None,
            }),
            Errand::Bye(leg) => self.on_bye_done(now, leg),
            Errand::Info(leg) => self.step(now, leg, |stage, turn| match stage {
                Stage::Established(established) => established.on_info_response(turn, status),
                _ => None,
            }),
            Errand::Notify(leg, refer) => self.on_notified(now, leg, refer, status >= 300),
            Errand::Request(id) => {
                self.asked.remove(&id);
                self.engine.events.push_back(Event::Response { id, response });
            }
            Errand::Prack(_) | Errand::Nothing => {}
        }
    }

    /// Sends a request again with the proof that a 401 or 407 asks for; `false`: the response counts as it is.
    fn proves_itself(&mut self, now: Instant, told: &Told<Errand>, response: &Message) -> bool {
        let challenged = response.status().is_some_and(|status| matches!(status.code(), 401 | 407));
        let leg = match told.errand {
            Errand::Request(id) => {
                let Some(digest) = self.asked.get_mut(&id).filter(|_| challenged) else { return false };
                let cseq = response.cseq().number + 1;
                return self.engine.ask_again(now, response, told, digest, cseq).is_some();
            }
            Errand::Invite(leg)
            | Errand::Reinvite(leg)
            | Errand::Update(leg)
            | Errand::Bye(leg)
            | Errand::Prack(leg)
            | Errand::Notify(leg, _)
            | Errand::Info(leg) => leg,
            Errand::Nothing => return false,
        };
        let Some(Leg { persona, stage }) = self.legs.get_mut(&leg) else { return false };
        let Some(digest) = &mut persona.digest else { return false };
        if !challenged {
            digest.passed();
            return false;
        }
        stage.ask_again(&mut self.engine, now, response, told, digest)
    }

    fn on_no_response(&mut self, now: Instant, errand: Errand, why: NoResponse) {
        match errand {
            Errand::Invite(leg) => self.step(now, leg, |stage, turn| match stage {
                Stage::Outgoing(outgoing) => outgoing.on_no_response(turn, why),
                _ => None,
            }),
            Errand::Reinvite(leg) | Errand::Update(leg) | Errand::Info(leg) => {
                self.step(now, leg, |stage, turn| match stage {
                    Stage::Established(established) => established.on_no_response(turn),
                    _ => None,
                });
            }
            Errand::Bye(leg) => self.on_bye_done(now, leg),
            Errand::Notify(leg, refer) => self.on_notified(now, leg, refer, true),
            Errand::Request(id) => {
                self.asked.remove(&id);
                self.engine.events.push_back(Event::RequestFailed { id, why });
            }
            Errand::Prack(_) | Errand::Nothing => {}
        }
    }

    fn on_bye_done(&mut self, now: Instant, leg: LegId) {
        self.step(now, leg, |stage, turn| match stage {
            Stage::Ending(ending) => ending.on_bye_done(turn),
            _ => None,
        });
    }

    fn on_notified(&mut self, now: Instant, leg: LegId, refer: ReferId, lost: bool) {
        self.step(now, leg, |stage, turn| {
            if let Stage::Established(established) = stage {
                established.transfers.on_notified(turn, &mut established.dialog, refer, lost);
            }
            None
        });
    }
}

/// Legs.
impl UserAgent {
    fn on_leg_timer(&mut self, now: Instant, leg: LegId, timer: LegTimer) {
        self.step(now, leg, |stage, turn| match stage {
            Stage::Outgoing(outgoing) => outgoing.on_timer(turn, timer),
            Stage::Incoming(incoming) => incoming.on_timer(turn, timer),
            Stage::Established(established) => established.on_timer(turn, timer),
            Stage::Ending(ending) => ending.on_timer(turn, timer),
            Stage::Over => None,
        });
    }

    /// Lets a leg make a step; forgets it when it is over.
    fn step(&mut self, now: Instant, leg: LegId, act: impl FnOnce(&mut Stage, &mut Turn<'_>) -> Next) {
        let Some(known) = self.legs.get_mut(&leg) else { return };
        known.step(&mut self.engine, now, act);
        self.forget_if_over(leg);
    }

    fn forget_if_over(&mut self, leg: LegId) {
        if self.legs.get(&leg).is_some_and(Leg::is_over)
            && let Some(Leg { persona, .. }) = self.legs.remove(&leg)
        {
            self.engine.tags.remove(&persona.tag.0);
            self.engine.stop_leg_timers(leg);
        }
    }
}

fn digest_of(credentials: &Credentials) -> Box<DigestClient> {
    let realm = credentials.realm.as_deref().map(str::as_bytes);
    Box::new(DigestClient::new(credentials.user.as_bytes(), credentials.password.as_bytes(), realm))
}

/// What this crate can do with requests; what a leg may do of it is for its [`Identity`] to say.
const ABILITIES: Abilities<'static> = Abilities {
    methods: &[
        Method::Invite,
        Method::Ack,
        Method::Bye,
        Method::Cancel,
        Method::Options,
        Method::Prack,
        Method::Update,
        Method::Info,
        Method::Notify,
        Method::Refer,
    ],
    extensions: &["100rel", "norefersub", "replaces", "timer"],
    bodies: &["application/sdp", "multipart/mixed", "multipart/alternative", "multipart/related"],
};

/// Allow where a request has no dialog.
const ALLOWED_OUTSIDE: &[u8] = b"INVITE, ACK, CANCEL, OPTIONS";

/// Retry-After of a 503 at a limit, in seconds: about as long as a short call leaves early.
const RETRY_AFTER_OVERLOAD: &[u8] = b"5";
