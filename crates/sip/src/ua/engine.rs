//! What all legs of a user agent share: transactions, timers, events, names.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::compose::{self, Reply};
use super::vocabulary::{Event, Identity, LegId, ReferId, RequestId};
use crate::digest::DigestClient;
use crate::flow::{Destination, Transport};
use crate::message::Message;
use crate::method::Method;
use crate::random::{Random, hex};
use crate::timer::{T1_64, Timers};
use crate::transaction::{Branch, ClientKey, ServerId, Told, Transactions};

/// What a request of ours was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// The INVITE that began a leg.
    Invite(LegId),
    /// An INVITE inside a leg's dialog.
    Reinvite(LegId),
    /// UPDATE, to refresh the session timer.
    Update(LegId),
    /// The BYE of a leg.
    Bye(LegId),
    /// PRACK for a reliable provisional response.
    Prack(LegId),
    /// NOTIFY about a transfer.
    Notify(LegId, ReferId),
    /// INFO.
    Info(LegId),
    /// A request outside of dialogs.
    Request(RequestId),
    /// Nobody waits: CANCEL, the BYE of a fork that lost.
    Nothing,
}

/// What time does to a user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UaTimer {
    /// To a leg.
    Leg(LegId, LegTimer),
    /// To a request of theirs outside of dialogs: nobody answered it.
    Request(RequestId),
}

/// What time does to a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LegTimer {
    /// An INVITE rang too long, in either direction.
    Unanswered,
    /// A caller is reminded that we still ring.
    StillRinging,
    /// A reliable provisional response is sent again.
    ReliableAgain,
    /// A reliable provisional response had no PRACK.
    ReliableGivesUp,
    /// Our 2xx is sent again.
    SuccessAgain,
    /// Our 2xx had no ACK.
    SuccessGivesUp,
    /// A re-INVITE that met another is tried again.
    Glare,
    /// The session was not refreshed. Before `Refresh`: at the same moment it is too late for that.
    SessionExpiry,
    /// The session is refreshed.
    Refresh,
    /// A transfer is no longer reported on.
    Refer(ReferId),
}

/// The INVITE of ours that was answered 2xx, for as long as further 2xx may come for it.
#[derive(Debug)]
pub(super) struct Answered {
    /// How the ACK, and the BYE of a fork that lost, are written.
    pub(super) identity: Arc<Identity>,
    pub(super) transport: Transport,
    /// From with our tag.
    pub(super) local: Arc<[u8]>,
    /// The ACK by To tag; `None` while the user owes the answer that it carries.
    pub(super) acks: Vec<(Box<[u8]>, Option<Sent>)>,
}

/// A message and where it went, to be sent again.
pub(super) type Sent = (Destination, Bytes);

/// What all legs share.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) transactions: Transactions<Errand>,
    pub(super) timers: Timers<UaTimer>,
    pub(super) events: VecDeque<Event>,
    pub(super) random: Random,
    /// Legs by our tag.
    pub(super) tags: BTreeMap<u64, LegId>,
    /// INVITEs of theirs without a final response.
    pub(super) invites: BTreeMap<ServerId, LegId>,
    /// INVITEs of ours with a 2xx, until Timer M.
    pub(super) answered: BTreeMap<ClientKey, Answered>,
    latest: Option<Instant>,
    next_id: u64,
}

impl Engine {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            transactions: Transactions::new(),
            timers: Timers::new(),
            events: VecDeque::new(),
            random: Random::new(seed),
            tags: BTreeMap::new(),
            invites: BTreeMap::new(),
            answered: BTreeMap::new(),
            latest: None,
            next_id: 0,
        }
    }

    /// Time never goes back: what is earlier is read as the latest seen.
    pub(super) fn tick(&mut self, now: Instant) -> Instant {
        let now = self.latest.map_or(now, |latest| latest.max(now));
        self.latest = Some(now);
        now
    }

    /// The latest time seen.
    pub(super) fn latest(&self) -> Option<Instant> {
        self.latest
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// A new tag of ours for this leg.
    pub(super) fn new_tag(&mut self, leg: LegId) -> Tag {
        let tag = Tag(self.random.word());
        self.tags.insert(tag.0, leg);
        tag
    }

    pub(super) fn new_key(&mut self) -> ClientKey {
        ClientKey::new(Branch::new(&mut self.random))
    }

    /// A Call-ID: 128 bits that nobody can guess.
    pub(super) fn new_call_id(&mut self) -> Arc<[u8]> {
        [hex(self.random.word()), hex(self.random.word())].concat().into()
    }

    /// Answers a request of theirs; gives what was sent and where.
    pub(super) fn reply(
        &mut self,
        now: Instant,
        server: ServerId,
        request: &Message,
        reply: &Reply<'_>,
    ) -> Option<Sent> {
        let to = self.transactions.reply_to(server)?.clone();
        let Destination::Flow(flow) = &to else { return None };
        let bytes = reply.write(request, flow.remote);
        if reply.status >= 200 {
            self.invites.remove(&server);
        }
        self.transactions.respond(now, server, reply.status, bytes.clone());
        Some((to, bytes))
    }

    /// Sends a request under its key.
    pub(super) fn send(
        &mut self,
        now: Instant,
        key: ClientKey,
        method: Method<'static>,
        to: Destination,
        bytes: Bytes,
        errand: Errand,
    ) {
        if method == Method::Invite {
            self.transactions.start_invite(now, key, to, bytes, errand);
        } else {
            self.transactions.start(now, key, to, bytes, errand);
        }
    }

    /// Sends a request again with the proof that its 401 or 407 asks for (RFC 3261 section 22.2), under a new branch
    /// and the next CSeq; `None`: there is no proof.
    pub(super) fn ask_again(
        &mut self,
        now: Instant,
        challenge: &Message,
        told: &Told<Errand>,
        digest: &mut DigestClient,
        cseq: u32,
    ) -> Option<ClientKey> {
        digest.challenged(challenge, self.random.word()).ok()?;
        let request = Message::parse_datagram(told.request.clone()).ok()?;
        let method = request.method().known()?;
        let proof = digest.authorizations(method, request.request_uri()?);
        let key = self.new_key();
        let bytes = compose::again(&request, &key.branch.text(), cseq, &proof)?;
        self.send(now, key, method, told.to.clone()?, bytes, told.errand);
        Some(key)
    }

    /// Stops all timers of a leg.
    pub(super) fn stop_leg_timers(&mut self, leg: LegId) {
        let first = UaTimer::Leg(leg, LegTimer::Unanswered);
        let last = UaTimer::Leg(leg, LegTimer::Refer(ReferId(u64::MAX)));
        self.timers.stop_range(first, last);
    }

    pub(super) fn set(&mut self, leg: LegId, timer: LegTimer, at: Instant) {
        self.timers.set(UaTimer::Leg(leg, timer), at);
    }

    pub(super) fn stop(&mut self, leg: LegId, timer: LegTimer) {
        self.timers.stop(UaTimer::Leg(leg, timer));
    }
}

/// Our tag in a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(pub(super) u64);

impl Tag {
    pub(super) fn text(self) -> [u8; 16] {
        hex(self.0)
    }
}

/// How long the user may take to answer a request outside of dialogs; then it is forgotten, because its sender has
/// given it up (Timer F).
pub(super) const REQUEST_ANSWERED_WITHIN: std::time::Duration = T1_64;
