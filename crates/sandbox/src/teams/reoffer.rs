//! Re-INVITEs of Teams: hold, resume, session refresh, the move to another media processor.

use std::time::{Duration, Instant};

use tandem_media::sdp::Direction as Way;
use tandem_media::srtp::SrtpKey;
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::method::Method;

use super::call::{CallId, Direction, Purpose, Reoffer, Template};
use super::description::{Ours, Theirs, answered_formats, offered_formats};
use super::request::{About, Outcome, Within};
use super::transfer::Target;
use super::{CommandRefusal, Output, Teams, Timer};
use crate::event::{By, What};
use crate::media::{PortCommand, PortId, Sending, Stream};
use crate::user::Voice;
use crate::violation::Rule;

impl Teams {
    /// Begins a re-INVITE. With `then` a REFER follows a hold.
    pub(super) fn begin_reoffer(
        &mut self,
        now: Instant,
        id: CallId,
        purpose: Purpose,
        then: Option<Target>,
    ) -> Result<(), CommandRefusal> {
        let call = self.calls.get_mut(&id).ok_or(CommandRefusal::NoCall)?;
        if !call.is_connected() {
            return Err(CommandRefusal::NotConnected);
        }
        if call.reoffer.is_some() {
            return Err(CommandRefusal::Busy);
        }
        call.reoffer = Some(Reoffer { purpose, ours: None, branch: None, then });
        if purpose != Purpose::Move {
            self.send_reoffer(now, id);
            return Ok(());
        }
        // The other media processor sits at the next proxy.
        let port = self.next_port();
        let Some(call) = self.calls.get_mut(&id) else { return Ok(()) };
        call.media.moving = Some((port, None));
        let address = call.media.address.map(|address| address.ip());
        let proxies = self.proxies.iter().map(|proxy| proxy.address);
        let address = proxies.clone().find(|other| Some(*other) != address).or(address);
        if let Some(address) = address {
            self.outputs.push_back(Output::Port(PortCommand::Open { port, address }));
        }
        Ok(())
    }

    /// A port is open: the user's call, or the move, can go on.
    pub(super) fn port_opened(&mut self, now: Instant, port: PortId, address: std::net::SocketAddr) {
        let Some(id) = self.call_of_port(port) else {
            // The call ended meanwhile.
            self.outputs.push_back(Output::Port(PortCommand::Close { port }));
            return;
        };
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.media.port == port {
            call.media.address = Some(address);
            self.dial(now, id);
        } else {
            call.media.moving = Some((port, Some(address)));
            self.send_reoffer(now, id);
        }
    }

    /// Sends the re-INVITE that is due, for the first time or again.
    pub(super) fn send_reoffer(&mut self, now: Instant, id: CallId) {
        let key = SrtpKey::new(self.chance.octets());
        let hold = self.hold_way();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(reoffer) = &mut call.reoffer else { return };
        let address = match (reoffer.purpose, call.media.moving) {
            (Purpose::Move, Some((_, Some(address)))) => Some(address),
            (Purpose::Move, _) => None,
            _ => call.media.address,
        };
        let Some(address) = address else { return };
        let direction = match reoffer.purpose {
            Purpose::Hold => hold,
            Purpose::Resume => Way::SendRecv,
            Purpose::Refresh | Purpose::Move if call.held_by_user => hold,
            Purpose::Refresh | Purpose::Move => Way::SendRecv,
        };
        let ours = match (reoffer.purpose, &reoffer.ours, &call.media.sent) {
            (Purpose::Refresh, _, Some(sent)) => sent.clone(),
            (_, Some(before), _) => before.clone(),
            _ => {
                let formats = offered_formats();
                let template =
                    Template { formats, crypto_tag: 1, direction, rtcp_mux: true, refused: Vec::new() };
                call.media.describe(key, address, template)
            }
        };
        let sdp = ours.to_string();
        reoffer.ours = Some(ours);
        let contact = call.dialog.contact();
        let expires = self.habits.session_expires_s;
        let headers = vec![
            (HeaderName::MinSe, self.habits.session_expires_min_s.to_string().into_bytes()),
            (HeaderName::Supported, b"timer".to_vec()),
            (HeaderName::SessionExpires, format!("{expires};refresher=uac").into_bytes()),
        ];
        let within = Within {
            method: Method::Invite,
            about: About::Reoffer(id),
            contact: Some(contact),
            record_route: true,
            headers,
            sdp: Some(sdp),
        };
        let branch = self.send_within(now, id, within);
        if let Some(branch) = &branch {
            self.timers.set(Timer::Request(branch.clone()), now + super::request::TIMER_F);
        }
        if let Some(reoffer) = self.calls.get_mut(&id).and_then(|call| call.reoffer.as_mut()) {
            reoffer.branch = branch;
        }
    }

    pub(super) fn reoffer_answered(&mut self, now: Instant, id: CallId, outcome: &Outcome<'_>) {
        let answer = match outcome {
            Outcome::Answer(answer) if answer.status().is_some_and(|status| status.is_provisional()) => {
                return;
            }
            Outcome::Answer(answer) => Some(*answer),
            Outcome::TimedOut | Outcome::Unsent(_) => None,
        };
        let status = answer.and_then(|answer| answer.status()).map_or(408, |status| status.code());
        match (answer, status) {
            (Some(answer), 200..=299) => self.reoffer_taken(now, id, answer),
            (_, 491) => self.reoffer_later(now, id),
            _ => {
                let Some(call) = self.calls.get_mut(&id) else { return };
                call.reoffer = None;
                if let Some((port, _)) = call.media.moving.take() {
                    self.outputs.push_back(Output::Port(PortCommand::Close { port }));
                }
                self.journal.happened(now, What::ReofferRefused { call: id.0, status });
                // The other end does not know the dialog, or is gone (RFC 3261 section 12.2.1.2).
                if matches!(status, 408 | 481) {
                    self.hang_up(now, id);
                }
            }
        }
    }

    /// Two re-INVITEs met: who made the Call-ID waits 2.1 to 4 s, the other up to 2 s (RFC 3261 section 14.1).
    fn reoffer_later(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(reoffer) = &mut call.reoffer {
            reoffer.branch = None;
        }
        let (least, spread) = match call.direction {
            Direction::FromUser => (2100, 1900),
            Direction::ToUser => (10, 1990),
        };
        let wait = Duration::from_millis(least + self.chance.below(spread));
        self.timers.set(Timer::Reoffer(id), now + wait);
    }

    fn reoffer_taken(&mut self, now: Instant, id: CallId, answer: &Message) {
        self.send_ack(now, id, answer, None);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(reoffer) = call.reoffer.take() else { return };
        let (Some(ours), purpose) = (reoffer.ours, reoffer.purpose) else { return };
        let refreshed = purpose == Purpose::Refresh;
        if !self.take_answer(now, id, &ours, answer, refreshed) {
            self.hang_up(now, id);
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let left = match (purpose, call.media.moving.take()) {
            (Purpose::Move, Some((port, Some(address)))) => {
                call.media.address = Some(address);
                Some(std::mem::replace(&mut call.media.port, port))
            }
            (_, moving) => {
                call.media.moving = moving;
                None
            }
        };
        let what = match purpose {
            Purpose::Hold => {
                call.held_by_user = true;
                What::CallHeld { call: id.0, by: By::Teams }
            }
            Purpose::Resume => {
                call.held_by_user = false;
                What::CallResumed { call: id.0, by: By::Teams }
            }
            Purpose::Refresh | Purpose::Move => What::MediaChanged { call: id.0, by: By::Teams },
        };
        // Packets on the way to the port that is left are not answered with an error.
        if let Some(port) = left {
            self.timers.set(Timer::Port(port), now + PORT_LINGER);
        }
        self.set_sending(id);
        self.restart_session(now, id);
        self.journal.happened(now, what);
        if let Some(target) = reoffer.then {
            self.send_refer(now, id, target);
        }
    }

    /// Takes an answer to an offer of ours; says no when there is none that can be used.
    pub(super) fn take_answer(
        &mut self,
        now: Instant,
        id: CallId,
        ours: &Ours,
        answer: &Message,
        refreshed: bool,
    ) -> bool {
        let call_id = Some(answer.call_id());
        if answer.body().is_empty() {
            self.journal.wrong(now, Rule::AnswerMissing, super::trunk::first_line(answer), call_id);
            return false;
        }
        let theirs = match Theirs::read(answer.body()) {
            Ok(theirs) => theirs,
            Err(unusable) => {
                let rule = match unusable {
                    super::description::Unusable::NoSrtp => Rule::SrtpMissing,
                    super::description::Unusable::AddressZero => Rule::ConnectionAddressZero,
                    super::description::Unusable::Unreadable(_) => Rule::SdpUnreadable,
                    _ => Rule::AnswerNotOfOffer,
                };
                self.journal.wrong(now, rule, format!("{unusable:?}"), call_id);
                return false;
            }
        };
        self.check_answer(now, ours, &theirs, answer);
        let before = self.calls.get(&id).and_then(|call| call.media.theirs.clone());
        if let Some(before) = before {
            if refreshed && (before.content != theirs.content || before.origin != theirs.origin) {
                let seen = "the answer to a refresh differs from the description before".to_owned();
                self.journal.wrong(now, Rule::RefreshChanged, seen, call_id);
            } else {
                self.compare(now, id, &theirs);
            }
        }
        let Some(call) = self.calls.get_mut(&id) else { return false };
        call.media.sent = Some(ours.clone());
        call.media.theirs = Some(theirs);
        true
    }

    fn check_answer(&mut self, now: Instant, ours: &Ours, theirs: &Theirs, answer: &Message) {
        let call_id = Some(answer.call_id());
        if theirs.crypto.tag != ours.crypto_tag {
            let seen = format!("{} for {}", theirs.crypto.tag, ours.crypto_tag);
            self.journal.wrong(now, Rule::CryptoTagChanged, seen, call_id);
        }
        let offered = |number: u8| ours.formats.iter().any(|format| format.payload_type == number);
        if let Some(codec) = theirs.codecs.iter().find(|codec| !offered(codec.payload_type)) {
            let seen = format!("payload number {} was not offered", codec.payload_type);
            self.journal.wrong(now, Rule::AnswerNotOfOffer, seen, call_id);
        }
        let may = ours.direction.reversed();
        let both = |a: bool, b: bool| !a || b;
        let fits =
            both(theirs.direction.sends(), may.sends()) && both(theirs.direction.receives(), may.receives());
        if !fits || !theirs.others.is_empty() {
            let seen = format!("a={} for a={}", theirs.direction.name(), ours.direction.name());
            self.journal.wrong(now, Rule::AnswerNotOfOffer, seen, call_id);
        }
    }

    /// Decides what the user's end sends as things stand, and tells the port.
    pub(super) fn set_sending(&mut self, id: CallId) {
        let music = self.habits.hold_music;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let tone_hz = self.users.get(&call.user).map_or(1000, |user| user.tone_hz);
        let way = call.media.sent.as_ref().map_or(Way::Inactive, |ours| ours.direction);
        call.media.sending = if call.held_by_user && music && way.sends() {
            Sending::Music
        } else if call.held_by_user || call.held_by_border {
            Sending::Nothing
        } else if call.voicemail {
            Sending::Greeting
        } else {
            match call.behaviour.voice {
                Voice::Tone => Sending::Tone(tone_hz),
                Voice::Speech => Sending::Speech(tone_hz),
                Voice::Silence => Sending::Silence,
                Voice::Nothing => Sending::Nothing,
            }
        };
        self.configure(id);
    }

    /// Tells the port of a call where to send what, and what to expect.
    pub(super) fn configure(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Some(ours), Some(theirs)) = (&call.media.sent, &call.media.theirs) else { return };
        // The first negotiated address, whatever came later.
        let target = *call.media.target.get_or_insert(theirs.address);
        let Some(their_key) = theirs.crypto.key.clone() else { return };
        let spoken = theirs.law().or_else(|| {
            let agreed = answered_formats(&theirs.codecs);
            tracing::debug!(?agreed, "no G.711 agreed: the sandbox stays silent");
            None
        });
        let silent = spoken.is_none();
        let stream = Stream {
            target,
            reports: target,
            expected: theirs.address,
            sound: spoken.unwrap_or((0, tandem_media::codec::Law::Mu)),
            telephone_event: theirs.telephone_event(),
            keys: Some((ours.key.clone(), their_key)),
            mki_octets: theirs.crypto.mki_octets,
            sending: if silent { Sending::Nothing } else { call.media.sending },
        };
        let port = call.media.port;
        self.outputs.push_back(Output::Port(PortCommand::Configure { port, stream: Box::new(stream) }));
    }
}

/// How long a port that a call has left stays open.
const PORT_LINGER: Duration = Duration::from_secs(2);
