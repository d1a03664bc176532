//! Requests of the border controller inside a call's dialog.

use std::time::{Duration, Instant};

use tandem_media::dtmf::Digit;
use tandem_media::sdp::Direction as Way;
use tandem_media::srtp::SrtpKey;
use tandem_sip::header::{HeaderName, NameAddr};
use tandem_sip::message::Message;
use tandem_sip::method::Method;

use super::arrival::{is_taken, session_of_reoffer, template_for};
use super::call::{CallId, Ending, Phase};
use super::connection::ConnectionId;
use super::description::Theirs;
use super::refusal::Refusal;
use super::request::inner;
use super::trunk::first_line;
use super::wire::Response;
use super::{Output, Teams, Timer};
use crate::event::{By, What};
use crate::habits::HoldDirection;
use crate::media::PortCommand;
use crate::violation::Rule;

impl Teams {
    /// ACK: our 200 has arrived.
    pub(super) fn handle_ack(&mut self, now: Instant, ack: &Message) {
        // An ACK for a refusal belongs to no call any more and says nothing new.
        let Some(id) = self.call_by_id(ack.call_id()) else { return };
        let Some(call) = self.calls.get(&id) else { return };
        if ack.to().tag() != Some(call.dialog.local_tag.as_bytes()) {
            return;
        }
        self.check_routing(now, id, ack);
        let Some(call) = self.calls.get_mut(&id) else { return };
        if !matches!(call.phase, Phase::Accepted(_)) {
            return;
        }
        call.phase = Phase::Connected;
        self.connected(now, id);
    }

    /// A request with a To tag: it needs a call that has it.
    pub(super) fn handle_within(&mut self, now: Instant, connection: ConnectionId, request: Message) {
        let Some(id) = self.dialog_with(&request) else {
            let call_id = String::from_utf8_lossy(request.call_id());
            // A request that crossed the end of its call is nobody's fault.
            if !self.past.iter().any(|past| past.call_id == call_id) {
                self.journal.wrong(now, Rule::DialogUnknown, first_line(&request), Some(request.call_id()));
            }
            let refusal = Refusal::new(481, 127, "Call does not exist.");
            return self.refuse(now, connection, &request, &refusal);
        };
        debug_assert!(is_taken(request.method()));
        self.check_routing(now, id, &request);
        let cseq = request.cseq().number;
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.dialog.remote_cseq.is_some_and(|last| cseq <= last) {
            let seen = format!("{cseq} after {:?}", call.dialog.remote_cseq.unwrap_or_default());
            self.journal.wrong(now, Rule::CSeqOrder, seen, Some(request.call_id()));
            let refusal = Refusal::new(500, 41, "CSeq out of order.");
            return self.refuse(now, connection, &request, &refusal);
        }
        call.dialog.remote_cseq = Some(cseq);
        match request.method() {
            Method::Bye => {
                self.answer(now, connection, &request, 200, None);
                let ending = Ending::by(By::Border).with_reason_of(&request);
                self.finish(now, id, ending);
            }
            Method::Invite => self.reinvited(now, connection, id, &request),
            Method::Notify => self.notified(now, connection, id, &request),
            _ => self.answer(now, connection, &request, 200, None),
        }
    }

    fn dialog_with(&self, request: &Message) -> Option<CallId> {
        let id = self.call_by_id(request.call_id())?;
        let dialog = &self.calls.get(&id)?.dialog;
        let ours = request.to().tag() == Some(dialog.local_tag.as_bytes());
        let theirs = request.from().tag() == dialog.remote_tag.as_deref();
        (ours && theirs).then_some(id)
    }

    /// The Request-URI must be our Contact, byte for byte, and the Route our Record-Route.
    fn check_routing(&mut self, now: Instant, id: CallId, request: &Message) {
        let Some(call) = self.calls.get(&id) else { return };
        let uri = request.request_uri().unwrap_or_default();
        let contacts = [call.dialog.contact(), call.dialog.refer_contact()];
        let to_contact = contacts.iter().any(|contact| inner(contact.as_bytes()) == uri);
        let route = call.dialog.record_route(self.port);
        let routed = request.list(HeaderName::Route).next().is_some_and(|value| {
            NameAddr::parse(value).is_ok_and(|address| address.uri == inner(route.as_bytes()))
        });
        if !to_contact || !routed {
            let route = request.header(HeaderName::Route).map(String::from_utf8_lossy).unwrap_or_default();
            let seen = format!("{} with Route: {route}", first_line(request));
            self.journal.wrong(now, Rule::DialogRouting, seen, Some(request.call_id()));
        }
    }

    /// A re-INVITE: hold, resume, refresh. Media keeps going to its first target whatever it says.
    fn reinvited(&mut self, now: Instant, connection: ConnectionId, id: CallId, invite: &Message) {
        self.answer(now, connection, invite, 100, None);
        let Some(call) = self.calls.get(&id) else { return };
        let glare = call.reoffer.as_ref().is_some_and(|reoffer| reoffer.branch.is_some());
        if glare || !call.is_connected() {
            let refusal = Refusal::new(491, 41, "Request is pending.");
            return self.refuse(now, connection, invite, &refusal);
        }
        let offer = match self.read_offer(now, invite) {
            Ok(offer) => offer,
            Err(refusal) => return self.refuse(now, connection, invite, &refusal),
        };
        let way = self.way_of(now, id, &offer, invite);
        self.compare(now, id, &offer);
        let key = SrtpKey::new(self.chance.octets());
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(address) = call.media.address else { return };
        let repeated = call.media.theirs.as_ref().is_some_and(|before| before.content == offer.content);
        let ours = match &call.media.sent {
            Some(sent) if repeated => sent.clone(),
            _ => call.media.describe(key, address, template_for(&offer, way)),
        };
        let sdp = ours.to_string();
        call.media.sent = Some(ours);
        call.media.theirs = Some(offer);
        let held = way == Way::Inactive && !call.held_by_user;
        let before = std::mem::replace(&mut call.held_by_border, held);
        let mut headers = Vec::new();
        if let Some((session, value)) = session_of_reoffer(invite, self.habits.session_expires_s) {
            call.dialog.session = Some(session);
            headers.push((HeaderName::Supported, b"timer".to_vec()));
            headers.push((HeaderName::SessionExpires, value.into_bytes()));
        }
        if let Some(contact) = invite.list(HeaderName::Contact).next().and_then(|c| NameAddr::parse(c).ok()) {
            call.dialog.target = contact.uri.to_vec();
        }
        let contact = call.dialog.contact();
        let response = Response {
            status: 200,
            contact: Some(&contact),
            headers,
            product: &self.habits.product,
            sdp: Some(&sdp),
            ..Response::default()
        };
        let bytes = response.to_bytes(invite);
        self.set_sending(id);
        self.send(now, connection, bytes);
        self.restart_session(now, id);
        let what = match (before, held) {
            (false, true) => What::CallHeld { call: id.0, by: By::Border },
            (true, false) => What::CallResumed { call: id.0, by: By::Border },
            _ => What::MediaChanged { call: id.0, by: By::Border },
        };
        self.journal.happened(now, what);
    }

    /// Who may speak after a re-INVITE. `sendonly` and `recvonly` are not understood: they count as `sendrecv`.
    fn way_of(&mut self, now: Instant, id: CallId, offer: &Theirs, invite: &Message) -> Way {
        if matches!(offer.direction, Way::SendOnly | Way::RecvOnly) {
            let seen = format!("a={}", offer.direction.name());
            self.journal.wrong(now, Rule::HoldNotInactive, seen, Some(invite.call_id()));
        }
        let held = self.calls.get(&id).is_some_and(|call| call.held_by_user);
        match (offer.direction, held) {
            (Way::Inactive, _) => Way::Inactive,
            (_, true) => self.hold_way(),
            (_, false) => Way::SendRecv,
        }
    }

    pub(super) fn hold_way(&self) -> Way {
        match self.habits.hold_direction {
            HoldDirection::Inactive => Way::Inactive,
            HoldDirection::SendOnly => Way::SendOnly,
            HoldDirection::SendRecv => Way::SendRecv,
        }
    }

    /// What must not change from one description of the border controller to the next.
    pub(super) fn compare(&mut self, now: Instant, id: CallId, next: &Theirs) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(before) = &call.media.theirs else { return };
        let call_id = Some(call.dialog.call_id.as_slice());
        if before.address != next.address {
            let seen = format!("{} instead of {}", next.address, before.address);
            self.journal.wrong(now, Rule::MediaMoved, seen, call_id);
        }
        let changed = before.content != next.content;
        let counted = before.origin.1 != next.origin.1;
        if changed != counted || before.origin.0 != next.origin.0 {
            let seen = format!(
                "o= {} {} after {} {}, content {}",
                next.origin.0,
                next.origin.1,
                before.origin.0,
                before.origin.1,
                if changed { "changed" } else { "unchanged" }
            );
            self.journal.wrong(now, Rule::SdpVersion, seen, call_id);
        }
    }

    /// The call is set up: what the user does next, and the session timer.
    pub(super) fn connected(&mut self, now: Instant, id: CallId) {
        self.timers.stop(&Timer::Resend(id));
        let Some(call) = self.calls.get(&id) else { return };
        if let Some(after_ms) = call.behaviour.hang_up_after_ms {
            self.timers.set(Timer::HangUp(id), now + Duration::from_millis(after_ms.into()));
        }
        if !call.voicemail {
            for (place, press) in call.behaviour.presses.iter().enumerate() {
                let at = now + Duration::from_millis(press.at_ms.into());
                self.timers.set(Timer::Press(id, place), at);
            }
        }
        self.restart_session(now, id);
        self.journal.happened(now, What::CallConnected { call: id.0 });
    }

    /// The user presses keys; those that no telephone has are left out.
    pub(super) fn press_next(&mut self, id: CallId, place: usize) {
        let Some(call) = self.calls.get(&id).filter(|call| call.is_connected()) else { return };
        let Some(press) = call.behaviour.presses.get(place) else { return };
        let (port, digits) = (call.media.port, press.digits.chars().filter_map(Digit::from_char).collect());
        self.outputs.push_back(Output::Port(PortCommand::Digits { port, digits }));
    }

    /// Begins the session timer anew: half of it if we refresh, else a little less than all (RFC 4028 section 10).
    pub(super) fn restart_session(&mut self, now: Instant, id: CallId) {
        let Some(session) = self.calls.get(&id).and_then(|call| call.dialog.session) else { return };
        let expires = Duration::from_secs(session.expires_s.into());
        let wait =
            if session.ours { expires / 2 } else { expires - (expires / 3).min(Duration::from_secs(32)) };
        self.timers.set(Timer::Session(id), now + wait);
    }
}
