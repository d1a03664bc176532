//! A call of the border controller to a Teams user: what is refused, how it rings, how it is answered.

use std::time::{Duration, Instant};

use tandem_media::sdp::Direction as Way;
use tandem_media::srtp::SrtpKey;
use tandem_sip::header::{HeaderName, NameAddr, Refresher};
use tandem_sip::message::Message;
use tandem_sip::method::Method;
use tandem_sip::uri::{Host, Uri};

use super::call::{
    Accepted, Call, CallId, CallMedia, Dialog, Direction, Ending, Phase, Ringing, Session, Template,
};
use super::connection::ConnectionId;
use super::description::{Theirs, Unusable, answered_formats};
use super::proxy::{ProxyId, is_microsoft};
use super::refusal::Refusal;
use super::trunk::{Sender, first_line};
use super::wire::Response;
use super::{Output, Refused, Teams, Timer};
use crate::event::{By, What};
use crate::media::{PortCommand, Sending};
use crate::user::Reaction;
use crate::violation::Rule;

/// For whom a call is.
struct Callee {
    user: String,
    /// It shall go to the voicemail at once.
    voicemail: bool,
    /// It is the INVITE of a transfer of this call.
    transferred_from: Option<CallId>,
}

impl Teams {
    /// An INVITE outside of dialogs.
    pub(super) fn handle_invite(&mut self, now: Instant, connection: ConnectionId, invite: Message) {
        let Some(proxy) = self.connections.get(connection).map(|connection| connection.proxy) else { return };
        self.answer(now, connection, &invite, 100, None);
        match self.examine(now, connection, proxy, &invite) {
            Ok((sender, offer, callee)) => self.arrive(now, connection, proxy, invite, sender, offer, callee),
            Err(refusal) => {
                self.note_refused(now, proxy, &invite, refusal.status);
                self.refuse(now, connection, &invite, &refusal);
            }
        }
    }

    /// Everything for which Teams refuses an INVITE, in Microsoft's order: certificate and name, tenant, number, then
    /// what the message holds.
    fn examine(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        proxy: ProxyId,
        invite: &Message,
    ) -> Result<(Sender, Theirs, Callee), Refusal> {
        let call_id = Some(invite.call_id());
        let sender = self.recognise(now, connection, invite)?;
        if let Some(refusal) = self.drained(now, &sender.trunk, proxy, invite) {
            return Err(refusal);
        }
        if !self.trunks.get(&sender.trunk).is_some_and(|trunk| trunk.active) {
            self.journal.wrong(now, Rule::CallBeforeOptions, first_line(invite), call_id);
            return Err(Refusal::forbidden("Trunk is not active.").with_sub_code(510_532));
        }
        if self.call_by_id(invite.call_id()).is_some() {
            self.journal.wrong(now, Rule::DuplicateInvite, first_line(invite), call_id);
            return Err(Refusal::new(500, 41, "Duplicate INVITE.").with_sub_code(540_500));
        }
        self.look_for_retry(now, proxy, invite);
        if invite.header(HeaderName::Replaces).is_some() {
            self.journal.wrong(now, Rule::ReplacesSent, first_line(invite), call_id);
            return Err(Refusal::bad_request("Replaces is not supported."));
        }
        if Self::requires(invite, b"100rel") {
            self.journal.wrong(now, Rule::ReliableProvisional, first_line(invite), call_id);
            return Err(
                Refusal::new(420, 79, "Bad extension.").with_header(HeaderName::Unsupported, *b"100rel")
            );
        }
        self.check_numbers(now, &sender, invite);
        let callee = self.callee(now, &sender, invite)?;
        self.check_session(now, invite)?;
        if self.calls.len() >= CALLS_MAX {
            return Err(Refusal::new(503, 42, "Too many calls."));
        }
        let offer = self.read_offer(now, invite)?;
        if !offer.direction.sends() || !offer.direction.receives() {
            let seen = format!("a={} in {}", offer.direction.name(), first_line(invite));
            if offer.direction != Way::Inactive {
                self.journal.wrong(now, Rule::HoldNotInactive, seen, call_id);
            }
        }
        Ok((sender, offer, callee))
    }

    /// Reads the offer of an INVITE or re-INVITE, or says why Teams does not take it.
    pub(super) fn read_offer(&mut self, now: Instant, invite: &Message) -> Result<Theirs, Refusal> {
        let call_id = Some(invite.call_id());
        if invite.body().is_empty() {
            self.journal.wrong(now, Rule::DelayedOffer, first_line(invite), call_id);
            return Err(Refusal::bad_request("INVITE without SDP is not supported."));
        }
        let offer = Theirs::read(invite.body()).map_err(|unusable| {
            let (rule, refusal) = refusal_of(&unusable);
            self.journal.wrong(now, rule, format!("{unusable:?}"), call_id);
            refusal
        })?;
        if offer.telephone_event().is_none() {
            self.journal.wrong(now, Rule::TelephoneEventMissing, first_line(invite), call_id);
        }
        Ok(offer)
    }

    fn check_session(&mut self, now: Instant, invite: &Message) -> Result<(), Refusal> {
        let least = self.habits.session_expires_min_s;
        match invite.session_expires() {
            Ok(Some(session)) if session.seconds < least => {
                let seen = format!("Session-Expires: {}", session.seconds);
                self.journal.wrong(now, Rule::SessionExpiresTooSmall, seen, Some(invite.call_id()));
                let refusal = Refusal::new(422, 31, "Session interval too small.");
                Err(refusal.with_header(HeaderName::MinSe, least.to_string()))
            }
            _ => Ok(()),
        }
    }

    fn check_numbers(&mut self, now: Instant, sender: &Sender, invite: &Message) {
        let call_id = Some(invite.call_id());
        let from = invite.from();
        let from_uri = from.parse_uri().ok();
        let host = from_uri.and_then(|uri| uri.host());
        let host_matches = match host {
            Some(Host::Name(name)) => name.eq_ignore_ascii_case(sender.host.as_bytes()),
            _ => false,
        };
        let anonymous = matches!(host, Some(Host::Name(b"anonymous.invalid")));
        if !host_matches && !anonymous {
            let seen = String::from_utf8_lossy(from.uri).into_owned();
            self.journal.wrong(now, Rule::FromHost, seen, call_id);
        }
        let uri = invite.request_uri().unwrap_or_default();
        let parsed = Uri::parse(uri).ok();
        let user = parsed.and_then(|uri| uri.user());
        let is_number = |user: &[u8]| user.first() == Some(&b'+');
        let phone = parsed.and_then(|uri| uri.as_sip().map(|uri| uri.is_phone())).unwrap_or(false);
        if user.is_some_and(|user| !is_number(user) || !phone) {
            let seen = String::from_utf8_lossy(uri).into_owned();
            self.journal.wrong(now, Rule::NumberForm, seen, call_id);
        }
        let caller = from_uri.and_then(|uri| uri.user());
        if !anonymous && caller.is_some_and(|user| !is_number(user) && user.iter().all(u8::is_ascii_digit)) {
            let seen = String::from_utf8_lossy(from.uri).into_owned();
            self.journal.wrong(now, Rule::NumberForm, seen, call_id);
        }
    }

    fn callee(&mut self, now: Instant, sender: &Sender, invite: &Message) -> Result<Callee, Refusal> {
        let uri = invite.request_uri().unwrap_or_default().to_vec();
        let parsed = Uri::parse(&uri).map_err(|_| Refusal::bad_request("Invalid Request-URI."))?;
        let transferred_from = self.transfer_of(now, invite)?;
        let voicemail = parsed.params().value("opaque") == Some(b"app:voicemail");
        let Some(tenant) = self.tenants.get(sender.tenant) else {
            return Err(Refusal::forbidden("No tenant was found."));
        };
        let found = match (parsed.user(), parsed.params().value("x-m")) {
            (Some(number), _) => {
                let extension = parsed.params().value("ext").map(|ext| [number, b";ext=", ext].concat());
                let is = |n: &str| Some(n.as_bytes()) == extension.as_deref() || n.as_bytes() == number;
                tenant.users.iter().find(|user| is(&user.number))
            }
            (None, Some(identity)) => {
                let is = |id: &str| identity.strip_prefix(b"8:orgid:").is_some_and(|i| i == id.as_bytes());
                tenant.users.iter().find(|user| is(&user.object_id))
            }
            (None, None) => None,
        };
        let user = found.ok_or_else(|| Refusal::new(404, 1, "Number is not assigned."))?.id.clone();
        Ok(Callee { user, voicemail, transferred_from })
    }

    #[expect(clippy::too_many_arguments, reason = "each is a word of one sentence")]
    fn arrive(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        proxy: ProxyId,
        invite: Message,
        sender: Sender,
        offer: Theirs,
        callee: Callee,
    ) {
        self.calls_begun += 1;
        let id = CallId(self.calls_begun);
        let Some(user) = self.users.get(&callee.user).cloned() else { return };
        let mut reaction = user.behaviour.reaction.clone();
        if callee.voicemail {
            reaction = Reaction::Voicemail { after_ms: 0 };
        }
        let from = invite.from();
        let caller = from.parse_uri().ok().and_then(|uri| uri.user()).unwrap_or_default();
        let party = String::from_utf8_lossy(caller).into_owned();
        let port = self.next_port();
        let dialog = self.dialog_of(&invite, proxy);
        let call = Call {
            user: user.id.clone(),
            trunk: sender.trunk,
            direction: Direction::ToUser,
            party: party.clone(),
            behaviour: user.behaviour.clone(),
            voicemail: false,
            phase: Phase::Ringing(Box::new(Ringing { invite, connection, offer, reaction, early: None })),
            dialog,
            media: CallMedia {
                port,
                address: None,
                moving: None,
                session: 100_000 + self.chance.below(900_000) as u32,
                version: 0,
                sent: None,
                theirs: None,
                target: None,
                sending: Sending::Nothing,
            },
            held_by_user: false,
            held_by_border: false,
            reoffer: None,
            transfer: None,
            transferred_from: callee.transferred_from,
            began: now,
            answered: None,
        };
        self.calls.insert(id, call);
        self.journal.happened(now, What::CallArrived { call: id.0, user: user.id, from: party });
        if let Some(from) = callee.transferred_from {
            self.transfer_arrived(now, from, id);
        }
        let address = self.proxy(proxy).address;
        self.outputs.push_back(Output::Port(PortCommand::Open { port, address }));
        self.timers.set(Timer::Ring(id), now + Duration::from_millis(self.habits.ring_after_ms.into()));
        self.timers.set(Timer::GiveUp(id), now + Duration::from_millis(self.habits.ring_max_ms.into()));
    }

    fn dialog_of(&mut self, invite: &Message, proxy: ProxyId) -> Dialog {
        let header = |name| invite.headers(name).next().unwrap_or_default().to_vec();
        let contact = invite.list(HeaderName::Contact).next().and_then(|value| NameAddr::parse(value).ok());
        let routes = invite.list(HeaderName::RecordRoute).map(<[u8]>::to_vec).collect();
        Dialog {
            call_id: invite.call_id().to_vec(),
            local: header(HeaderName::To),
            local_tag: String::new(),
            remote: header(HeaderName::From),
            remote_tag: invite.from().tag().map(<[u8]>::to_vec),
            target: contact.map(|contact| contact.uri.to_vec()).unwrap_or_default(),
            routes,
            local_cseq: 0,
            remote_cseq: Some(invite.cseq().number),
            proxy,
            sends_from: proxy,
            instance: self.chance.guid(),
            conversation: self.chance.hex32(),
            endpoint: self.chance.hex32(),
            session: None,
        }
    }

    /// The first ringing: one 180 per client, each with a To tag of its own, and early media if there shall be.
    pub(super) fn ring(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let Phase::Ringing(ringing) = &call.phase else { return };
        if call.media.address.is_none() {
            self.timers.set(Timer::Ring(id), now + PORT_WAIT);
            return;
        }
        let (clients, early_media) = (call.behaviour.clients, call.behaviour.early_media);
        let rings =
            !matches!(ringing.reaction, Reaction::Busy | Reaction::SignedOut | Reaction::Refuse { .. });
        let after_ms = match ringing.reaction {
            Reaction::Answer { after_ms, spread_ms } => {
                u64::from(after_ms) + self.chance.below(u64::from(spread_ms) + 1)
            }
            Reaction::Decline { after_ms } | Reaction::Voicemail { after_ms } => after_ms.into(),
            Reaction::Forward { after_ms, answered_after_ms } => {
                self.timers.set(Timer::SendOn(id), now + Duration::from_millis(after_ms.into()));
                let never = u64::from(self.habits.ring_max_ms) * 2;
                answered_after_ms.map_or(never, |more| u64::from(after_ms) + u64::from(more))
            }
            Reaction::Busy | Reaction::SignedOut | Reaction::Refuse { .. } => 0,
            Reaction::NoAnswer => u64::from(self.habits.ring_max_ms) * 2,
            Reaction::Nothing => return self.timers.stop(&Timer::GiveUp(id)),
        };
        if rings {
            for _ in 0..clients {
                self.progress(now, id, 180, None);
            }
            if early_media {
                self.early_media(now, id);
            }
        }
        self.timers.set(Timer::React(id), now + Duration::from_millis(after_ms));
    }

    /// Nobody answers, and the call goes on to somebody else ("Direct Routing: SIP protocol", 181).
    pub(super) fn send_on(&mut self, now: Instant, id: CallId) {
        self.progress(now, id, 181, None);
    }

    fn early_media(&mut self, now: Instant, id: CallId) {
        let key = SrtpKey::new(self.chance.octets());
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Phase::Ringing(ringing), Some(address)) = (&mut call.phase, call.media.address) else { return };
        let template = template_for(&ringing.offer, Way::SendRecv);
        let ours = call.media.describe(key, address, template);
        let (sdp, offer) = (ours.to_string(), ringing.offer.clone());
        ringing.early = Some(ours.clone());
        call.media.sent = Some(ours);
        call.media.theirs = Some(offer);
        call.media.sending = Sending::Silence;
        self.configure(id);
        self.progress(now, id, 183, Some(&sdp));
    }

    fn progress(&mut self, now: Instant, id: CallId, status: u16, sdp: Option<&str>) {
        let tag = self.chance.hex32();
        let Some(call) = self.calls.get(&id) else { return };
        let Phase::Ringing(ringing) = &call.phase else { return };
        let (route, contact) = (call.dialog.record_route(self.port), call.dialog.contact());
        let response = Response {
            status,
            to_tag: Some(&tag),
            record_route: Some(&route),
            contact: Some(&contact),
            product: &self.habits.product,
            sdp,
            ..Response::default()
        };
        let (bytes, connection) = (response.to_bytes(&ringing.invite), ringing.connection);
        self.send(now, connection, bytes);
        self.journal.happened(now, What::CallProgress { call: id.0, status });
    }

    /// The user does what the user does.
    pub(super) fn react(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let Phase::Ringing(ringing) = &call.phase else { return };
        match ringing.reaction {
            Reaction::Answer { .. } | Reaction::Forward { .. } => self.accept(now, id, false),
            Reaction::Voicemail { .. } => self.accept(now, id, true),
            Reaction::Decline { .. } => self.abandon(now, id, Refusal::new(603, 21, "Call was declined.")),
            Reaction::Busy => self.abandon(now, id, Refusal::new(486, 17, "User is busy.")),
            Reaction::SignedOut => {
                let refusal = Refusal::new(480, 31, "No callee endpoints were found.").with_sub_code(10_037);
                self.abandon(now, id, refusal);
            }
            Reaction::Refuse { status } => self.abandon(now, id, Refusal::new(status, 41, "Refused.")),
            Reaction::NoAnswer | Reaction::Nothing => {}
        }
    }

    /// Answers with 200 under a To tag that no ringing had, and with a key that no early media had.
    pub(super) fn accept(&mut self, now: Instant, id: CallId, voicemail: bool) {
        let (tag, key) = (self.chance.hex32(), SrtpKey::new(self.chance.octets()));
        let port = self.port;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Phase::Ringing(ringing), Some(address)) = (&call.phase, call.media.address) else {
            self.timers.set(Timer::React(id), now + PORT_WAIT);
            return;
        };
        let (invite, connection, offer) = (ringing.invite.clone(), ringing.connection, ringing.offer.clone());
        let way = if offer.direction == Way::Inactive { Way::Inactive } else { Way::SendRecv };
        let ours = call.media.describe(key, address, template_for(&offer, way));
        let sdp = ours.to_string();
        call.media.sent = Some(ours);
        call.media.theirs = Some(offer);
        call.voicemail = voicemail;
        call.held_by_border = way == Way::Inactive;
        call.dialog.local_tag.clone_from(&tag);
        call.dialog.local.extend_from_slice(format!(";tag={tag}").as_bytes());
        let mut headers = Vec::new();
        if let Some((session, value)) = session_for(&invite, self.habits.session_expires_s) {
            call.dialog.session = Some(session);
            headers.push((HeaderName::Supported, b"timer".to_vec()));
            headers.push((HeaderName::SessionExpires, value.into_bytes()));
            headers.push((HeaderName::Require, b"timer".to_vec()));
        }
        let (route, contact) = (call.dialog.record_route(port), call.dialog.contact());
        let response = Response {
            status: 200,
            to_tag: Some(&tag),
            record_route: Some(&route),
            contact: Some(&contact),
            headers,
            product: &self.habits.product,
            sdp: Some(&sdp),
            ..Response::default()
        };
        let bytes = response.to_bytes(&invite);
        let accepted =
            Accepted { connection, bytes: bytes.clone(), interval_ms: T1_MS, until: now + ACK_WAIT_MAX };
        call.phase = Phase::Accepted(accepted);
        call.answered = Some(now);
        self.stop_ringing(id);
        self.set_sending(id);
        self.timers.set(Timer::Resend(id), now + Duration::from_millis(T1_MS));
        self.send(now, connection, bytes);
        self.journal.happened(now, What::CallAnswered { call: id.0 });
    }

    /// Sends the 200 again until ACK comes (RFC 3261 section 13.3.1.4), and gives up at last.
    pub(super) fn resend(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Phase::Accepted(accepted) = &mut call.phase else { return };
        if now >= accepted.until {
            let seen = format!("no ACK in {} s", ACK_WAIT_MAX.as_secs());
            self.journal.wrong(now, Rule::AckMissing, seen, Some(&call.dialog.call_id));
            self.hang_up(now, id);
            return;
        }
        accepted.interval_ms = (accepted.interval_ms * 2).min(T2_MS);
        let (connection, bytes) = (accepted.connection, accepted.bytes.clone());
        self.timers.set(Timer::Resend(id), now + Duration::from_millis(accepted.interval_ms));
        self.send(now, connection, bytes);
    }

    pub(super) fn handle_cancel(&mut self, now: Instant, connection: ConnectionId, cancel: &Message) {
        let Some(id) = self.call_by_id(cancel.call_id()) else {
            return self.refuse(now, connection, cancel, &Refusal::new(481, 127, "Call does not exist."));
        };
        self.answer(now, connection, cancel, 200, None);
        let Some(call) = self.calls.get(&id) else { return };
        let Phase::Ringing(ringing) = &call.phase else { return };
        let (invite, connection) = (ringing.invite.clone(), ringing.connection);
        let refusal = Refusal::new(487, 31, "Request was cancelled.").with_sub_code(540_200);
        self.refuse(now, connection, &invite, &refusal);
        let ending = Ending::refused(By::Border, 487, Some(540_200)).with_reason_of(cancel);
        self.finish(now, id, ending);
    }

    /// Refuses a call that is not set up, or ends one that is.
    pub(super) fn abandon(&mut self, now: Instant, id: CallId, refusal: Refusal) {
        let Some(call) = self.calls.get(&id) else { return };
        let Phase::Ringing(ringing) = &call.phase else {
            return self.hang_up(now, id);
        };
        let (invite, connection, proxy) = (ringing.invite.clone(), ringing.connection, call.dialog.proxy);
        self.note_refused(now, proxy, &invite, refusal.status);
        self.refuse(now, connection, &invite, &refusal);
        self.finish(now, id, Ending::refused(By::Teams, refusal.status, refusal.sub_code));
    }

    pub(super) fn stop_ringing(&mut self, id: CallId) {
        for timer in [Timer::Ring(id), Timer::React(id), Timer::SendOn(id), Timer::GiveUp(id)] {
            self.timers.stop(&timer);
        }
    }

    fn note_refused(&mut self, now: Instant, proxy: ProxyId, invite: &Message, status: u16) {
        if self.refused.len() == REFUSED_MAX {
            self.refused.pop_front();
        }
        let from = invite.from().uri.to_vec();
        let uri = invite.request_uri().unwrap_or_default().to_vec();
        self.refused.push_back(Refused { at: now, proxy, from, uri, status });
    }

    /// A call that was refused for good is not to be tried at the next proxy.
    fn look_for_retry(&mut self, now: Instant, proxy: ProxyId, invite: &Message) {
        let (from, uri) = (invite.from().uri, invite.request_uri().unwrap_or_default());
        let same = |r: &&Refused| {
            r.proxy != proxy
                && !matches!(r.status, 408 | 422 | 503)
                && user_of(&r.uri) == user_of(uri)
                && r.from == from
                && now.saturating_duration_since(r.at) < RETRY_SUSPECT
        };
        if let Some(before) = self.refused.iter().find(same) {
            let seen = format!("{} after {}", first_line(invite), before.status);
            self.journal.wrong(now, Rule::RetryAfterRefusal, seen, Some(invite.call_id()));
        }
    }
}

fn user_of(uri: &[u8]) -> Option<&[u8]> {
    Uri::parse(uri).ok()?.user()
}

/// The answer to an offer, as far as it depends on the offer.
pub(super) fn template_for(offer: &Theirs, direction: Way) -> Template {
    Template {
        formats: answered_formats(&offer.codecs),
        crypto_tag: offer.crypto.tag,
        direction,
        rtcp_mux: offer.rtcp_mux,
        refused: offer.others.clone(),
    }
}

/// The session timer of an answer: who refreshes is whom the request names, else the border controller.
fn session_for(request: &Message, expires_s: u32) -> Option<(Session, String)> {
    if !request.supports("timer") {
        return None;
    }
    let asked = request.session_expires().ok().flatten();
    let expires_s = asked.map_or(expires_s, |asked| asked.seconds);
    let ours = asked.and_then(|asked| asked.refresher) == Some(Refresher::Uas);
    let refresher = if ours { "uas" } else { "uac" };
    Some((Session { expires_s, ours }, format!("{expires_s};refresher={refresher}")))
}

/// The session timer in the answer to a re-INVITE.
pub(super) fn session_of_reoffer(request: &Message, expires_s: u32) -> Option<(Session, String)> {
    session_for(request, expires_s)
}

fn refusal_of(unusable: &Unusable) -> (Rule, Refusal) {
    match unusable {
        Unusable::Unreadable(_) => (Rule::SdpUnreadable, Refusal::bad_request("Invalid SDP.")),
        Unusable::NoAudio | Unusable::NoCommonCodec => {
            (Rule::NoCommonCodec, Refusal::not_acceptable(531_000, "CannotSupportAnyMedia"))
        }
        Unusable::AddressZero => (
            Rule::ConnectionAddressZero,
            Refusal::not_acceptable(531_052, "Connection address 0.0.0.0 is not supported."),
        ),
        Unusable::NoSrtp => (Rule::SrtpMissing, Refusal::not_acceptable(531_000, "SrtpEncryptionRequired")),
        Unusable::PayloadNumberTwice(_) => {
            (Rule::PayloadNumberTwice, Refusal::not_acceptable(531_000, "Conflicting payload types."))
        }
    }
}

/// Whether a route is one of Microsoft's own, which a border controller copies back.
pub(super) fn is_ours(route: &[u8]) -> bool {
    let uri = NameAddr::parse(route).ok().and_then(|address| Uri::parse(address.uri).ok());
    match uri.and_then(|uri| uri.host()) {
        Some(Host::Name(name)) => is_microsoft(&String::from_utf8_lossy(name)),
        _ => false,
    }
}

/// Whether a request inside a dialog is one that Teams takes.
pub(super) fn is_taken(method: Method<'_>) -> bool {
    matches!(method, Method::Invite | Method::Bye | Method::Notify | Method::Options)
}

/// How long a port takes to open, at most, before we look again.
const PORT_WAIT: Duration = Duration::from_millis(10);
const T1_MS: u64 = 500;
const T2_MS: u64 = 4000;
/// How long Teams waits for an ACK: 64 times T1.
const ACK_WAIT_MAX: Duration = Duration::from_secs(32);
/// Calls at once; further ones are refused with 503.
const CALLS_MAX: usize = 2000;
/// Refusals that are remembered; older ones are forgotten.
const REFUSED_MAX: usize = 200;
/// The same call at another proxy within this time after a refusal is a retry, not a new call.
const RETRY_SUSPECT: Duration = Duration::from_secs(3);
