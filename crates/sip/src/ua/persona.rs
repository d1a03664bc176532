//! How we present ourselves on one leg, and the requests that are written that way.

use std::sync::Arc;
use std::time::Instant;

use super::compose::{OwnHeader, Reply, Request};
use super::engine::{Engine, Errand, Sent, Tag};
use super::vocabulary::{Answer, Body, ExtraHeader, Identity, LegId};
use crate::dialog::Dialog;
use crate::digest::DigestClient;
use crate::flow::{Destination, Transport};
use crate::message::Message;
use crate::method::Method;
use crate::transaction::{ClientKey, ServerId};

/// How we present ourselves on one leg.
#[derive(Debug)]
pub(super) struct Persona {
    pub(super) leg: LegId,
    /// Known from the start for a leg that we begin; set by the user for one that the peer begins.
    pub(super) identity: Option<Arc<Identity>>,
    /// With its brackets.
    pub(super) contact: Arc<[u8]>,
    pub(super) transport: Transport,
    /// For 401 and 407.
    pub(super) digest: Option<Box<DigestClient>>,
    pub(super) tag: Tag,
}

impl Persona {
    /// Sends a request inside a dialog. `None`: it could not be written, or there is no way to the peer.
    pub(super) fn request(
        &mut self,
        engine: &mut Engine,
        now: Instant,
        dialog: &mut Dialog,
        method: Method<'static>,
        errand: Errand,
        content: Content<'_>,
    ) -> Option<ClientKey> {
        let way = Way { identity: self.identity.as_deref()?, transport: self.transport };
        let contact = matches!(method, Method::Invite | Method::Update | Method::Notify | Method::Info)
            .then_some(&*self.contact);
        let mut own = content.own.to_vec();
        if let Some(digest) = &mut self.digest {
            own.extend(digest.authorizations(method, dialog.route().request_uri));
        }
        way.request(engine, now, dialog, method, errand, contact, Content { own: &own, ..content })
    }

    /// Whether the peer may send this method inside the dialog: if our Allow lists it, or the call needs it.
    pub(super) fn allows(&self, method: Method<'_>) -> bool {
        let Some(identity) = &self.identity else { return true };
        match method {
            Method::Invite | Method::Bye => true,
            Method::Prack if identity.reliable_provisional => true,
            _ => {
                let mut allowed = identity.allow.split(',').map(str::trim);
                allowed.any(|allowed| allowed.as_bytes() == method.as_bytes())
            }
        }
    }

    /// Answers a request of the peer as ourselves.
    pub(super) fn reply(
        &self,
        engine: &mut Engine,
        now: Instant,
        server: ServerId,
        request: &Message,
        answer: &Answer,
        own: &[OwnHeader],
    ) -> Option<Sent> {
        let tag = self.tag.text();
        let reply = Reply {
            status: answer.status,
            reason: &answer.reason,
            tag: Some(&tag),
            identity: self.identity.as_deref(),
            contact: (!self.contact.is_empty()).then_some(&self.contact),
            own,
            extra: &answer.headers,
            body: answer.body.as_ref(),
        };
        engine.reply(now, server, request, &reply)
    }
}

/// What a request inside a dialog carries besides what every one does.
#[derive(Clone, Copy, Default)]
pub(super) struct Content<'a> {
    pub(super) own: &'a [OwnHeader],
    pub(super) extra: &'a [ExtraHeader],
    pub(super) body: Option<&'a Body>,
}

/// The least that one must know to send a request inside a dialog.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) identity: &'a Identity,
    pub(super) transport: Transport,
}

impl Way<'_> {
    #[expect(clippy::too_many_arguments, reason = "each is one thing that a request consists of")]
    pub(super) fn request(
        &self,
        engine: &mut Engine,
        now: Instant,
        dialog: &mut Dialog,
        method: Method<'static>,
        errand: Errand,
        contact: Option<&[u8]>,
        content: Content<'_>,
    ) -> Option<ClientKey> {
        let cseq = dialog.next_cseq();
        let key = engine.new_key();
        let (to, bytes) = self.write(dialog, method, cseq, key, contact, content)?;
        engine.send(now, key, method, to, bytes, errand);
        Some(key)
    }

    /// The ACK for a 2xx (RFC 3261 section 13.2.2.4), to be sent again for each copy of it.
    pub(super) fn ack(
        &self,
        engine: &mut Engine,
        dialog: &Dialog,
        cseq: u32,
        body: Option<&Body>,
    ) -> Option<Sent> {
        let key = engine.new_key();
        self.write(dialog, Method::Ack, cseq, key, None, Content { body, ..Content::default() })
    }

    /// Ends a dialog that nobody wants.
    pub(super) fn bye(&self, engine: &mut Engine, now: Instant, dialog: &mut Dialog) {
        self.request(engine, now, dialog, Method::Bye, Errand::Nothing, None, Content::default());
    }

    fn write(
        &self,
        dialog: &Dialog,
        method: Method<'static>,
        cseq: u32,
        key: ClientKey,
        contact: Option<&[u8]>,
        content: Content<'_>,
    ) -> Option<Sent> {
        let route = dialog.route();
        let hop = route.hop(self.identity.interface, self.transport)?;
        let request = Request {
            method,
            uri: route.request_uri,
            identity: self.identity,
            transport: hop.transport,
            branch: &key.branch.text(),
            routes: &route.routes,
            last_route: route.last,
            from: &dialog.local,
            to: &dialog.remote,
            call_id: &dialog.call_id,
            cseq,
            contact,
            own: content.own,
            extra: content.extra,
            body: content.body,
        };
        Some((Destination::Hop(hop), request.write()?))
    }
}
