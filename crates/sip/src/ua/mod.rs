//! A SIP user agent as a value: messages, commands and time in; messages and events out.
//!
//! [`UserAgent`] holds the legs: INVITEs sent and taken with all their early dialogs, and the dialogs that became of
//! them. It answers by itself what has only one right answer (100, 481, 487, PRACK, copies, session refreshes) and
//! tells the rest as [`Event`]s. It knows *when* an offer or answer is due; *what* is in one is for its user.
//!
//! It opens no connection and resolves no name: requests go to a [`Hop`](crate::flow::Hop), responses back on the
//! [`Flow`] of their request. The end of a connection ends no dialog: dialogs are found by Call-ID and tags.

mod acknowledging;
mod compose;
mod ending;
mod engine;
mod established;
mod incoming;
mod leg;
mod outgoing;
mod persona;
mod requests;
mod responses;
mod transfer;
mod turn;
mod unacknowledged;
mod vocabulary;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use self::compose::{Reply, Request};
use self::engine::{Engine, Errand, LegTimer, UaTimer};
use self::leg::{Leg, Next, Stage};
use self::outgoing::Outgoing;
use self::persona::Persona;
use self::turn::{Asked, Turn};
use crate::digest::DigestClient;
use crate::fault::ParseError;
use crate::flow::{Destination, Flow};
use crate::message::Message;
use crate::method::Method;
use crate::random::hex;
use crate::transaction::Fired;

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
        let stage = Outgoing::start(&mut turn, invite).map_or(Stage::Over, Stage::Outgoing);
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
                Stage::Incoming(incoming) => incoming.on_identity(turn, &identity).map(Stage::from),
                _ => None,
            }
        });
    }

    /// Whether a leg that the peer began still waits for its final answer: it was not refused for what it demands, nor
    /// cancelled.
    pub fn awaits_answer(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|leg| matches!(leg.stage, Stage::Incoming(_)))
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
            Stage::Incoming(incoming) => incoming.accept(turn, answer).map(Stage::from),
            _ => None,
        });
    }

    /// Sends a final response from 300 to 699. Told with `Ended`; its ACK is looked after silently.
    pub fn reject(&mut self, now: Instant, leg: LegId, answer: Answer) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| match stage {
            Stage::Incoming(incoming) => incoming.reject(turn, answer).map(Stage::from),
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
            Stage::Outgoing(outgoing) => {
                outgoing.hang_up(turn, headers);
                None
            }
            Stage::Incoming(incoming) => {
                let answer = Answer { status: 480, headers, ..Answer::default() };
                incoming.reject(turn, answer).map(Stage::from)
            }
            Stage::Established(established) => established.hang_up(turn, headers).map(Stage::from),
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
            Stage::Established(established) => established.reanswer(turn, answer).map(Stage::from),
            Stage::Outgoing(outgoing) => {
                outgoing.reanswer(turn, answer);
                None
            }
            Stage::Incoming(incoming) => {
                incoming.reanswer(turn, answer);
                None
            }
            Stage::Ending(_) | Stage::Over => None,
        });
    }

    /// Refuses the offer of `Reoffer` with that status, such as 488; media stay as they are.
    pub fn refuse_reoffer(&mut self, now: Instant, leg: LegId, status: u16) {
        let now = self.engine.tick(now);
        self.step(now, leg, |stage, turn| match stage {
            Stage::Established(established) => established.refuse_reoffer(turn, status).map(Stage::from),
            Stage::Outgoing(outgoing) => {
                outgoing.refuse_reoffer(turn, status);
                None
            }
            Stage::Incoming(incoming) => {
                incoming.refuse_reoffer(turn, status);
                None
            }
            Stage::Ending(_) | Stage::Over => None,
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

/// Legs.
impl UserAgent {
    fn on_leg_timer(&mut self, now: Instant, leg: LegId, timer: LegTimer) {
        self.step(now, leg, |stage, turn| match stage {
            Stage::Outgoing(outgoing) => {
                outgoing.on_timer(turn, timer);
                None
            }
            Stage::Incoming(incoming) => incoming.on_timer(turn, timer).map(Stage::from),
            Stage::Established(established) => established.on_timer(turn, timer).map(Stage::from),
            Stage::Ending(ending) => ending.on_timer(turn, timer).map(Stage::from),
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
