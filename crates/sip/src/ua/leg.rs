//! One leg and its stages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::compose::OwnHeader;
use super::engine::{Engine, Errand, LegTimer, Sent};
use super::established::{Ending, Established};
use super::incoming::Incoming;
use super::outgoing::Outgoing;
use super::persona::{Content, Persona, Way};
use super::vocabulary::{Answer, Body, EndedBy, Event, ExtraHeader, LegId};
use crate::dialog::Dialog;
use crate::digest::DigestClient;
use crate::message::Message;
use crate::method::Method;
use crate::transaction::{ClientKey, ServerId, Told};

/// One leg: how we present ourselves on it and how far it is.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) persona: Persona,
    pub(super) stage: Stage,
}

/// How far a leg is.
#[derive(Debug)]
pub(super) enum Stage {
    /// Our INVITE has no 2xx yet.
    Outgoing(Box<Outgoing>),
    /// Their INVITE has no final answer yet.
    Incoming(Box<Incoming>),
    /// A 2xx was sent or received.
    Established(Box<Established>),
    /// It ends: BYE is sent, or will be.
    Ending(Box<Ending>),
    /// Nothing is left of it.
    Over,
}

/// What a step leads to: another stage, or `None` to stay.
pub(super) type Next = Option<Stage>;

impl Leg {
    /// Lets the leg make a step.
    pub(super) fn step(
        &mut self,
        engine: &mut Engine,
        now: Instant,
        act: impl FnOnce(&mut Stage, &mut Turn<'_>) -> Next,
    ) {
        let mut turn = Turn { engine, persona: &mut self.persona, now };
        if let Some(next) = act(&mut self.stage, &mut turn) {
            self.stage = next;
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }
}

impl Stage {
    /// The dialog that a message of the peer belongs to.
    pub(super) fn dialog_mut(&mut self, call_id: &[u8], remote_tag: &[u8]) -> Option<&mut Dialog> {
        let dialog = match self {
            Self::Outgoing(outgoing) => return outgoing.dialog_mut(call_id, remote_tag),
            Self::Incoming(incoming) => &mut incoming.dialog,
            Self::Established(established) => &mut established.dialog,
            Self::Ending(ending) => &mut ending.dialog,
            Self::Over => return None,
        };
        dialog.matches(call_id, remote_tag).then_some(dialog)
    }

    /// Sends a request again with the proof that its challenge asks for; `false`: it cannot.
    pub(super) fn ask_again(
        &mut self,
        engine: &mut Engine,
        now: Instant,
        challenge: &Message,
        told: &Told<Errand>,
        digest: &mut DigestClient,
    ) -> bool {
        if let Self::Outgoing(outgoing) = self
            && let Errand::Invite(_) = told.errand
        {
            let Some((cseq, key)) = outgoing.challenged() else { return false };
            let Some(sent) = engine.ask_again(now, challenge, told, digest, *cseq + 1) else { return false };
            (*cseq, *key) = (*cseq + 1, sent);
            return true;
        }
        let tag = challenge.to().tag().unwrap_or_default();
        let Some(dialog) = self.dialog_mut(challenge.call_id(), tag) else { return false };
        let cseq = dialog.next_cseq();
        let Some(sent) = engine.ask_again(now, challenge, told, digest, cseq) else { return false };
        if let Self::Established(established) = self {
            established.sent_again(told.key, sent);
        }
        true
    }
}

/// One step of a leg: what it may touch.
pub(super) struct Turn<'a> {
    pub(super) engine: &'a mut Engine,
    pub(super) persona: &'a mut Persona,
    pub(super) now: Instant,
}

impl Turn<'_> {
    pub(super) fn leg(&self) -> LegId {
        self.persona.leg
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.engine.events.push_back(event);
    }

    /// Tells the end; the stage to follow is `then`.
    pub(super) fn ended(&mut self, why: EndedBy, then: Stage) -> Next {
        let leg = self.leg();
        self.tell(Event::Ended { leg, why });
        Some(then)
    }

    pub(super) fn set(&mut self, timer: LegTimer, after: Duration) {
        self.engine.set(self.persona.leg, timer, self.now + after);
    }

    pub(super) fn stop(&mut self, timer: LegTimer) {
        self.engine.stop(self.persona.leg, timer);
    }

    /// Sends a request inside a dialog.
    pub(super) fn request(
        &mut self,
        dialog: &mut Dialog,
        method: Method<'static>,
        errand: Errand,
        content: Content<'_>,
    ) -> Option<ClientKey> {
        self.persona.request(self.engine, self.now, dialog, method, errand, content)
    }

    /// Sends the ACK for a 2xx and keeps it for copies of that 2xx.
    pub(super) fn acknowledge(&mut self, dialog: &Dialog, key: ClientKey, cseq: u32, body: Option<&Body>) {
        let Some(identity) = self.persona.identity.as_deref() else { return };
        let way = Way { identity, transport: self.persona.transport };
        let ack = way.ack(self.engine, dialog, cseq, body);
        if let Some((to, bytes)) = ack.clone() {
            self.engine.transactions.send(to, bytes);
        }
        self.engine.keep_ack(key, self.persona, dialog, ack);
    }

    /// Sends BYE.
    pub(super) fn bye(&mut self, dialog: &mut Dialog, extra: &[ExtraHeader]) -> Option<ClientKey> {
        let errand = Errand::Bye(self.leg());
        let content = Content { extra, ..Content::default() };
        self.request(dialog, Method::Bye, errand, content)
            .or_else(|| self.request(dialog, Method::Bye, errand, Content::default()))
    }

    /// Answers a request of the peer; gives what was sent and where.
    pub(super) fn reply(
        &mut self,
        server: ServerId,
        request: &Message,
        answer: &Answer,
        own: &[OwnHeader],
    ) -> Option<Sent> {
        self.persona.reply(self.engine, self.now, server, request, answer, own)
    }

    /// Answers with a status and nothing else.
    pub(super) fn reply_status(&mut self, server: ServerId, request: &Message, status: u16) {
        let answer = Answer { status, ..Answer::default() };
        self.reply(server, request, &answer, &[]);
    }
}

/// A request of the peer inside a dialog, past the checks that are the same for all.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) server: ServerId,
    pub(super) request: Arc<Message>,
}
