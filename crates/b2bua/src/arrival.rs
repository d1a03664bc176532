//! A call that arrives: whose it is, what its offer allows, and what the center makes of it.

use std::time::Instant;

use rand::Rng;
use tandem_center::call::{Address, Arrival, CallEvent, CallId, CauseKind, PartyId, Rejection};
use tandem_media::codec::Codec;
use tandem_media::leg::{LegCommand, Ports};
use tandem_media::negotiate::Negotiated;
use tandem_media::sdp::{Direction, Sdp};
use tandem_sip::flow::Flow;
use tandem_sip::message::Message;
use tandem_sip::ua::{Answer, Body, ExtraHeader, LegId};
use tandem_sip::uri::Uri;

use crate::address;
use crate::b2bua::{B2bua, Output};
use crate::body::{sdp, sdp_of};
use crate::call::{Call, Media, Party, PartyState, Shown};
use crate::cause;
use crate::collect::TypeAhead;
use crate::timer::Timer;

impl B2bua {
    #[expect(clippy::too_many_arguments, reason = "the parts of one event")]
    pub(crate) fn on_invite(
        &mut self,
        now: Instant,
        leg: LegId,
        request: &Message,
        flow: &Flow,
        offer: Option<Body>,
        replaces: Option<LegId>,
        ports: &mut dyn Ports,
    ) {
        let Some(index) = self.trunk_for(flow, request) else {
            self.ua.reject(now, leg, Answer { status: 403, ..Answer::default() });
            return;
        };
        let (Some(trunk), Some(identity)) = (self.setup.trunks.get(index), self.identities.get(index)) else {
            return;
        };
        let called = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
        let to = called.as_ref().map_or(Address::Anonymous, address::of_uri);
        let from_header = request.from();
        let from = from_header.parse_uri().map_or(Address::Anonymous, |uri| address::of_uri(&uri));
        let from_name = address::display_name(&from_header);
        let line = trunk.name.clone();
        let first_provisional = trunk.profile.first_provisional;
        let contact = address::contact(trunk, &to);
        self.ua.set_identity(leg, identity.clone(), contact);
        if !self.ua.awaits_answer(leg) {
            // It demands what its trunk does not do, such as 100rel of Teams, and was refused with that.
            return;
        }
        if let Some(replaced) = replaces {
            self.replace(now, leg, index, replaced, offer, ports);
            return;
        }
        if !self.open || self.calls.len() >= self.setup.limits.calls {
            self.counters.calls_over_limit += 1;
            self.ua.reject(now, leg, cause::answer_to(Rejection::Overloaded));
            return;
        }
        let codecs = trunk.profile.codecs.clone();
        let prepared = match self.prepare(index, offer, codecs, ports) {
            Ok(prepared) => prepared,
            Err(answer) => {
                self.ua.reject(now, leg, answer);
                return;
            }
        };
        let call = CallId(self.random.random());
        let party = prepared.into_party(PartyId::FIRST, index, leg);
        self.by_leg.insert(leg, call);
        self.by_media.insert(party.media.leg, call);
        let mut record = Call::new(Shown { address: from.clone(), name: from_name.clone(), chosen: false });
        record.parties.push(party);
        self.calls.insert(call, record);
        self.counters.calls_arrived += 1;
        self.timers.set(Timer::FirstProvisional(call), now + first_provisional);
        self.tell(CallEvent::Arrived(Arrival { call, line, from, from_name, to }));
    }

    /// A port, and our answer to an offer (or our offer, where none came).
    fn prepare(
        &mut self,
        trunk: usize,
        offer: Option<Body>,
        codecs: Vec<Codec>,
        ports: &mut dyn Ports,
    ) -> Result<Prepared, Answer> {
        let description = match &offer {
            None => None,
            Some(body) => {
                let text = sdp_of(body).ok_or_else(|| refusal(415, "no_sdp"))?;
                Some(Sdp::parse(text).map_err(|error| {
                    self.counters.offers_refused += 1;
                    refusal(488, &error.to_string())
                })?)
            }
        };
        let mut media =
            self.reserve(trunk, codecs, ports).map_err(|_| cause::answer_to(Rejection::Overloaded))?;
        match description {
            None => {
                let body = sdp(media.local.offer(Direction::SendRecv));
                Ok(Prepared { media, body, agreed: None })
            }
            Some(description) => {
                // A network may call with a codec that we only pass through; what it offers first is then ours too.
                let (text, agreed) = match media.local.answer(&description, Direction::SendRecv) {
                    Ok(answer) => answer,
                    Err(reason) => {
                        self.counters.offers_refused += 1;
                        ports.release(media.port);
                        return Err(refusal(reason.status(), reason.code()));
                    }
                };
                Ok(Prepared { media, body: sdp(text), agreed: Some(agreed) })
            }
        }
    }

    pub(crate) fn answer(&mut self, now: Instant, call: CallId) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(PartyId::FIRST)) else { return };
        if !matches!(record.state, PartyState::Arrived { .. }) {
            return;
        }
        let PartyState::Arrived { body, agreed } =
            std::mem::replace(&mut record.state, PartyState::Answering)
        else {
            return;
        };
        let leg = record.leg;
        self.timers.clear(Timer::FirstProvisional(call));
        // First packets matter: the leg is ready before the caller knows.
        match agreed {
            Some(agreed) => self.configure(call, PartyId::FIRST, agreed),
            None => self.open(call, PartyId::FIRST),
        }
        self.ua.accept(now, leg, Answer { status: 200, body: Some(body), ..Answer::default() });
    }

    pub(crate) fn reject(&mut self, now: Instant, call: CallId, reason: Rejection) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(PartyId::FIRST)) else { return };
        if !matches!(record.state, PartyState::Arrived { .. }) {
            return;
        }
        let leg = record.leg;
        self.by_leg.remove(&leg);
        self.ua.reject(now, leg, cause::answer_to(reason));
        self.party_gone(now, call, PartyId::FIRST, CauseKind::Rejected.into());
    }

    pub(crate) fn on_acknowledged(&mut self, now: Instant, leg: LegId, answer: Option<Body>) {
        let Some((call, party)) = self.find(leg) else { return };
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if let Some(body) = answer {
            // Our 200 carried the offer.
            let agreed = sdp_of(&body)
                .and_then(|text| Sdp::parse(text).ok())
                .and_then(|answer| record.media.local.accept_answer(&answer).ok());
            match agreed {
                Some(agreed) => self.configure(call, party, agreed),
                None => {
                    self.counters.offers_refused += 1;
                    self.drop_party(now, call, party, CauseKind::NotAcceptable.into(), Vec::new());
                    return;
                }
            }
        }
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if matches!(record.state, PartyState::Answering) {
            record.state = PartyState::Joined;
            self.tell(CallEvent::Answered { call });
            self.bridge(call);
        }
    }

    /// An INVITE that takes the place of one of our legs (RFC 3891): a transfer by Teams that it keeps to itself.
    pub(crate) fn replace(
        &mut self,
        now: Instant,
        leg: LegId,
        trunk: usize,
        replaced: LegId,
        offer: Option<Body>,
        ports: &mut dyn Ports,
    ) {
        let found = self.find(replaced).filter(|(call, party)| {
            self.calls
                .get(call)
                .and_then(|c| c.parties.iter().find(|p| p.id == *party))
                .is_some_and(|p| matches!(p.state, PartyState::Joined))
        });
        let Some((call, party)) = found else {
            self.ua.reject(now, leg, Answer { status: 481, ..Answer::default() });
            return;
        };
        let codecs = self.codecs_for(call, trunk);
        let prepared = match self.prepare(trunk, offer, codecs, ports) {
            Ok(prepared) => prepared,
            Err(answer) => {
                self.ua.reject(now, leg, answer);
                return;
            }
        };
        let Prepared { media, body, agreed } = prepared;
        let new_media = media.leg;
        self.index_media(new_media, call);
        let Some(record) = self.calls.get_mut(&call) else { return };
        let Some(place) = record.parties.iter().position(|p| p.id == party) else { return };
        let Some(old) = record.parties.get_mut(place) else { return };
        let old_leg = std::mem::replace(&mut old.leg, leg);
        let old_media = std::mem::replace(&mut old.media, media);
        old.trunk = trunk;
        old.holds = false;
        old.playing = None;
        old.waiting = None;
        self.by_leg.remove(&old_leg);
        self.by_leg.insert(leg, call);
        self.by_media.remove(&old_media.leg);
        self.out.push_back(Output::Media(LegCommand::Close { leg: old_media.leg }));
        match agreed {
            Some(agreed) => self.configure(call, party, agreed),
            None => self.open(call, party),
        }
        self.ua.accept(now, leg, Answer { status: 200, body: Some(body), ..Answer::default() });
        self.ua.hang_up(now, old_leg, Vec::new());
        self.bridge(call);
    }
}

/// A party's media and what our answer will say, before there is a party.
struct Prepared {
    media: Media,
    body: Body,
    agreed: Option<Negotiated>,
}

impl Prepared {
    pub(crate) fn into_party(self, id: PartyId, trunk: usize, leg: LegId) -> Party {
        Party {
            id,
            trunk,
            leg,
            media: self.media,
            state: PartyState::Arrived { body: self.body, agreed: self.agreed },
            playing: None,
            waiting: None,
            collecting: None,
            ahead: TypeAhead::default(),
            apart: false,
            holds: false,
            told_hold: false,
        }
    }
}

/// A refusal with a text for the other side's record.
fn refusal(status: u16, code: &str) -> Answer {
    let text: String = code.chars().filter(|c| !c.is_control() && *c != '"').take(120).collect();
    let headers: Vec<ExtraHeader> =
        vec![("Warning".into(), format!("399 tandem \"{text}\"").into_bytes().into_boxed_slice())];
    Answer { status, headers, ..Answer::default() }
}
