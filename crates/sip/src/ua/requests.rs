//! Requests that come from peers: which leg they belong to, and those that come to nothing.

use std::sync::Arc;
use std::time::Instant;

use super::compose::{self, OwnHeader, Reply};
use super::engine::{REQUEST_ANSWERED_WITHIN, UaTimer};
use super::incoming::Incoming;
use super::leg::{Leg, Stage};
use super::persona::Persona;
use super::turn::{Asked, Turn};
use super::{Event, LegId, UserAgent};
use crate::dialog::Dialog;
use crate::flow::Flow;
use crate::header::HeaderName;
use crate::message::Message;
use crate::method::Method;
use crate::random::{from_hex, hex};
use crate::screening::{Abilities, screen};
use crate::transaction::{Received, ServerId};

impl UserAgent {
    /// The leg that a request names by the tag that we gave its dialog, or that a CANCEL is for; whether the request
    /// is good inside that dialog is not looked at. `None` for a request that begins something, and for responses.
    pub fn leg_of(&mut self, request: &Message) -> Option<LegId> {
        if request.request_method()? == Method::Cancel {
            let invite = self.engine.transactions.invite_of_cancel(request)?;
            return self.engine.invites.get(&invite).copied();
        }
        let tag = from_hex(request.to().tag()?)?;
        self.engine.tags.get(&tag).copied()
    }

    /// Answers a request with this status and lets it do nothing: no transaction, dialog or leg hears of it. An ACK,
    /// which nobody answers, is dropped.
    pub fn turn_away(&mut self, now: Instant, flow: &Flow, request: &Message, status: u16) {
        self.engine.tick(now);
        self.refuse_without_state(flow, request, status);
    }

    pub(super) fn handle_request(&mut self, now: Instant, flow: &Flow, request: Message) {
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
            Stage::Incoming(incoming) => incoming.on_cancel(turn, request).map(Stage::from),
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
                outgoing.on_request(turn, asked);
                None
            }
            Stage::Incoming(incoming) => incoming.on_request(turn, asked).map(Stage::from),
            Stage::Established(established) => established.on_request(turn, asked).map(Stage::from),
            Stage::Ending(ending) => ending.on_request(turn, &asked).map(Stage::from),
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
                Stage::Ending(ending) => ending.on_ack(turn, ack).map(Stage::from),
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
