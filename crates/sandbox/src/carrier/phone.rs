//! Telephones on the carrier's side that the border controller calls: what they do, and what their people do.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tandem_sip::message::Message;
use tandem_sip::ua::{Answer, Body, LegId};

use super::caller::CallerId;
use super::description::Theirs;
use super::script::Script;
use super::{CALLED_HZ, CALLERS_MAX, CallerRefusal, Carrier, Timer, body_of, bytes_of};
use crate::event::{By, What};
use crate::user::{Press, Reaction, Voice};

/// A telephone, and what its person does when called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Phone {
    /// What follows the call.
    pub reaction: Reaction,
    /// What is sent as voice once it is answered.
    pub voice: Voice,
    /// The pitch of that voice, in hertz.
    pub tone_hz: u16,
    /// Keys that are pressed, such as 1 to take the call.
    pub presses: Vec<Press>,
    /// The person hangs up this long after the answer, in milliseconds.
    pub hang_up_after_ms: Option<u32>,
    /// The person hangs up when nobody else was heard this long after the answer, in milliseconds.
    pub patience_ms: Option<u32>,
    /// The person hangs up this long after somebody was heard, in milliseconds.
    pub talk_ms: Option<u32>,
}

impl Default for Phone {
    fn default() -> Self {
        Self {
            reaction: Reaction::Answer { after_ms: 1500, spread_ms: 0 },
            voice: Voice::Tone,
            tone_hz: CALLED_HZ,
            presses: Vec::new(),
            hang_up_after_ms: None,
            patience_ms: None,
            talk_ms: None,
        }
    }
}

impl Carrier {
    /// All telephones that do something else than answer after a moment, by number.
    pub fn phones(&self) -> impl Iterator<Item = (&str, &Phone)> {
        self.config.phones.iter().map(|(number, phone)| (number.as_str(), phone))
    }

    /// Says what the telephone with this number does from the next call on; `None`: it answers after a moment.
    pub fn set_phone(&mut self, number: String, phone: Option<Phone>) -> Result<(), CallerRefusal> {
        let Some(phone) = phone else {
            self.config.phones.remove(&number);
            return Ok(());
        };
        if phone.presses.iter().any(|press| super::digits_of(&press.digits).is_none()) {
            return Err(CallerRefusal::NotDigits);
        }
        if self.config.phones.len() >= PHONES_MAX && !self.config.phones.contains_key(&number) {
            return Err(CallerRefusal::TooMany);
        }
        self.config.phones.insert(number, phone);
        Ok(())
    }

    /// The border controller calls somebody on the carrier's side.
    pub(super) fn called(&mut self, now: Instant, leg: LegId, request: &Message, offer: Option<Body>) {
        let own = self.config.address;
        self.agent.set_identity(leg, self.identity.clone(), bytes_of(&format!("<sip:{own}>")));
        let offer = offer.and_then(|offer| Theirs::read(&offer.bytes));
        let Some(offer) = offer.filter(|_| self.callers.len() < CALLERS_MAX) else {
            self.agent.reject(now, leg, Answer { status: 488, ..Answer::default() });
            return;
        };
        let user_of = |uri: &[u8]| {
            let uri = tandem_sip::uri::Uri::parse(uri).ok()?;
            Some(String::from_utf8_lossy(uri.user()?).into_owned())
        };
        let number = request.request_uri().and_then(user_of).unwrap_or_default();
        let phone = match (self.config.phones.get(&number), &mut self.stream) {
            (Some(phone), _) => phone.clone(),
            (None, Some(stream)) => stream.called(&number).unwrap_or_default(),
            (None, None) => Phone::default(),
        };
        let script = Script {
            number: number.clone(),
            from: user_of(request.from().uri).unwrap_or_default(),
            name: "Called party".to_owned(),
            presses: phone.presses,
            voice: phone.voice,
            tone_hz: phone.tone_hz,
            hang_up_after_ms: phone.hang_up_after_ms,
            patience_ms: phone.patience_ms,
            talk_ms: phone.talk_ms,
            ..Script::default()
        };
        let id = self.take_in(now, script, leg, true);
        if let Some(caller) = self.callers.get_mut(&id) {
            caller.offer = Some(offer);
            caller.reaction = phone.reaction;
        }
        self.happened(What::CallerPlaced { caller: id.0, to: number });
    }

    /// The port is open: the telephone rings, or does not.
    pub(super) fn ring_phone(&mut self, now: Instant, id: CallerId) {
        let Some(caller) = self.callers.get(&id) else { return };
        let leg = caller.leg;
        let after = |ms: u32| now + Duration::from_millis(ms.into());
        let (timer, at) = match caller.reaction {
            Reaction::Busy => return self.refuse_call(now, id, 486),
            Reaction::SignedOut => return self.refuse_call(now, id, 480),
            Reaction::Refuse { status } => return self.refuse_call(now, id, status),
            Reaction::Nothing => return,
            Reaction::NoAnswer => (Timer::Refuse(id, 480), now + RING_MAX),
            Reaction::Answer { after_ms, spread_ms } => {
                let more = self.chance.below(u64::from(spread_ms) + 1);
                (Timer::Answer(id), after(after_ms) + Duration::from_millis(more))
            }
            Reaction::Voicemail { after_ms } => (Timer::Answer(id), after(after_ms)),
            Reaction::Decline { after_ms } => (Timer::Refuse(id, 603), after(after_ms)),
            Reaction::Forward { after_ms, .. } => (Timer::SendOn(id), after(after_ms)),
        };
        self.agent.progress(now, leg, Answer { status: 180, ..Answer::default() });
        self.timers.set(timer, at);
    }

    /// Nobody answers there; somebody else is tried.
    pub(super) fn send_on(&mut self, now: Instant, id: CallerId) {
        let Some(caller) = self.callers.get_mut(&id) else { return };
        let leg = caller.leg;
        caller.script.tone_hz = FORWARDED_HZ;
        let answers = match caller.reaction {
            Reaction::Forward { answered_after_ms, .. } => answered_after_ms,
            _ => None,
        };
        self.agent.progress(now, leg, Answer { status: 181, ..Answer::default() });
        match answers {
            Some(after_ms) => {
                self.timers.set(Timer::Answer(id), now + Duration::from_millis(after_ms.into()));
            }
            None => self.timers.set(Timer::Refuse(id, 480), now + RING_MAX),
        }
    }

    pub(super) fn answer(&mut self, now: Instant, id: CallerId) {
        let Some(caller) = self.callers.get_mut(&id) else { return };
        let (Some(address), Some(offer)) = (caller.address, caller.offer.take()) else { return };
        let direction = offer.direction.reversed();
        let body = body_of(&caller.describe(address, offer.common.clone(), direction));
        caller.theirs = Some(offer);
        let leg = caller.leg;
        self.agent.accept(now, leg, Answer { status: 200, body: Some(body), ..Answer::default() });
        self.accepted(now, id);
    }

    pub(super) fn refuse_call(&mut self, now: Instant, id: CallerId, status: u16) {
        let Some(caller) = self.callers.get(&id) else { return };
        let leg = caller.leg;
        self.agent.reject(now, leg, Answer { status, ..Answer::default() });
        self.finish(now, id, By::Caller, Some(status));
    }
}

/// Telephones that do something else than the others; one more is refused.
const PHONES_MAX: usize = 1000;
/// The carrier lets a telephone ring so long, and refuses then.
const RING_MAX: Duration = Duration::from_secs(60);
/// The pitch of whoever answers where a call was sent on to.
const FORWARDED_HZ: u16 = 1850;
