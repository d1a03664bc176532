//! One step of a leg: what the stages of a leg may touch and do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::compose::OwnHeader;
use super::engine::{Engine, Errand, LegTimer, Sent};
use super::persona::{Content, Persona, Way};
use super::vocabulary::{Answer, Body, EndedBy, Event, ExtraHeader, LegId};
use crate::dialog::Dialog;
use crate::header::HeaderName;
use crate::message::Message;
use crate::method::Method;
use crate::transaction::{ClientKey, ServerId};

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

    /// Tells the end; `then` follows.
    pub(super) fn ended<T>(&mut self, why: EndedBy, then: T) -> Option<T> {
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

    /// The peer offers new media in an early dialog.
    pub(super) fn reoffered(&mut self, asked: Asked, offer: Option<Body>) -> Asked {
        let leg = self.leg();
        self.tell(Event::Reoffer { leg, offer, request: asked.request.clone() });
        asked
    }

    /// Answers, or refuses, such an offer; gives our session description if it was answered.
    pub(super) fn reanswer(&mut self, asked: &Asked, answer: Answer) -> Option<Body> {
        let status = match answer.status {
            0 => 200,
            status @ 200..=699 => status,
            _ => 488,
        };
        let answer = Answer { status, ..answer };
        self.reply(asked.server, &asked.request, &answer, &[]);
        answer.body.filter(|_| status < 300)
    }

    /// Answers what the dialog's end leaves open.
    pub(super) fn terminate(&mut self, asked: Option<Asked>) {
        if let Some(Asked { server, request }) = asked {
            self.reply_status(server, &request, 487);
        }
    }

    /// Answers 500 with Retry-After: an offer that comes while another is open (RFC 3261 section 14.2).
    pub(super) fn ask_later(&mut self, asked: &Asked) {
        let seconds = self.engine.random.below(RETRY_AFTER_SECONDS_END);
        let own = [(HeaderName::RetryAfter, seconds.to_string().into_bytes())];
        let answer = Answer { status: 500, ..Answer::default() };
        self.reply(asked.server, &asked.request, &answer, &own);
    }
}

/// A request of the peer inside a dialog, past the checks that are the same for all.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) server: ServerId,
    pub(super) request: Arc<Message>,
}

/// Seconds in the Retry-After of a peer that has an offer open are below this (RFC 3261 section 14.2).
pub(super) const RETRY_AFTER_SECONDS_END: u64 = 11;
