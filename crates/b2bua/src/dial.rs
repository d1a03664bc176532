//! Reaching a party: which proxy first, which one next, and what becomes of its answer.

use std::sync::Arc;
use std::time::Instant;

use tandem_center::call::{Address, CallCommand, CallEvent, CallId, CauseKind, Endpoint, PartyId};
use tandem_media::codec::{Codec, Law};
use tandem_media::leg::Ports;
use tandem_media::sdp::{Direction, Sdp};
use tandem_sip::flow::Hop;
use tandem_sip::message::Message;
use tandem_sip::ua::{Body, ExtraHeader, LegId, OutgoingInvite};
use tandem_sip::uri::Uri;

use crate::address;
use crate::b2bua::B2bua;
use crate::body::{sdp, sdp_of};
use crate::call::{Call, Dialing, Party, PartyState, Shown, Target};
use crate::collect::TypeAhead;
use crate::health;
use crate::sending_on::says_sent_on;
use crate::timer::Timer;

/// Whom to ring and how.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Over which trunk, by its place in the list.
    pub trunk: usize,
    /// What is dialled.
    pub target: Target,
    /// Whom the telephone shows.
    pub shown: Shown,
    /// Whoever answers is alone at first.
    pub apart: bool,
    /// The ways there, the next one last, each with its place among the trunk's proxies.
    pub hops: Vec<(Option<usize>, Hop)>,
}

impl B2bua {
    /// Begins a call by ringing somebody.
    pub(crate) fn place(
        &mut self,
        now: Instant,
        call: CallId,
        to: Endpoint,
        shown: Shown,
        ports: &mut dyn Ports,
    ) {
        if self.calls.contains_key(&call) {
            return;
        }
        if !self.open || self.calls.len() >= self.setup.limits.calls {
            self.counters.calls_over_limit += 1;
            self.tell(CallEvent::Left { call, party: PartyId::FIRST, cause: CauseKind::Limit.into() });
            self.tell(CallEvent::Ended { call, cause: CauseKind::Limit.into() });
            return;
        }
        self.calls.insert(call, Call::new(shown.clone()));
        self.counters.calls_placed += 1;
        self.add_party(now, call, PartyId::FIRST, to, Some(shown), false, ports);
    }

    /// Rings somebody.
    #[expect(clippy::too_many_arguments, reason = "the parts of one command")]
    pub(crate) fn add_party(
        &mut self,
        now: Instant,
        call: CallId,
        party: PartyId,
        to: Endpoint,
        shown: Option<Shown>,
        apart: bool,
        ports: &mut dyn Ports,
    ) {
        let Some(record) = self.calls.get(&call).filter(|call| call.over.is_none()) else {
            self.tell(CallEvent::Left { call, party, cause: CauseKind::Lost.into() });
            return;
        };
        if record.parties.iter().any(|known| known.id == party) {
            return;
        }
        let shown = shown.unwrap_or_else(|| record.shown.clone());
        let Some(trunk) = self.setup.trunks.iter().position(|trunk| trunk.name == to.line) else {
            return self.not_rung(call, party, CauseKind::Unreachable);
        };
        let hops = self.hops_to(trunk, &to.address);
        let wanted = Wanted { trunk, target: Target::Address(to.address), shown, apart, hops };
        self.ring(now, call, party, wanted, ports);
    }

    /// Rings a target over a trunk.
    pub(crate) fn ring(
        &mut self,
        now: Instant,
        call: CallId,
        party: PartyId,
        wanted: Wanted,
        ports: &mut dyn Ports,
    ) {
        let Wanted { trunk, target, shown, apart, hops } = wanted;
        let Some(record) = self.calls.get(&call) else { return };
        if record.ringing() >= CallCommand::MAX_RINGING {
            return self.not_rung(call, party, CauseKind::Limit);
        }
        if hops.is_empty() {
            return self.not_rung(call, party, CauseKind::NotFound);
        }
        let codecs = self.codecs_for(call, trunk);
        let Ok(media) = self.reserve(trunk, codecs, ports) else {
            return self.not_rung(call, party, CauseKind::Limit);
        };
        let media_leg = media.leg;
        let leg = self.ua.new_leg();
        let Some(record) = self.calls.get_mut(&call) else { return };
        record.parties.push(Party {
            id: party,
            trunk,
            leg,
            media,
            state: PartyState::Dialing(Dialing {
                target,
                shown,
                hops,
                proxy: None,
                ringing: false,
                sent_on: false,
            }),
            playing: None,
            waiting: None,
            collecting: None,
            ahead: TypeAhead::default(),
            apart,
            holds: false,
            told_hold: false,
        });
        self.index_media(media_leg, call);
        self.dial(now, call, party, leg);
    }

    /// Somebody could not be rung at all; a call that was placed for them is over with that.
    fn not_rung(&mut self, call: CallId, party: PartyId, cause: CauseKind) {
        self.tell(CallEvent::Left { call, party, cause: cause.into() });
        if self.calls.get(&call).is_some_and(|call| call.parties.is_empty() && call.over.is_none()) {
            self.forget(call, cause.into());
        }
    }

    /// Sends an INVITE to the next hop, under a leg of its own.
    fn dial(&mut self, now: Instant, call: CallId, party: PartyId, leg: LegId) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let index = record.trunk;
        let PartyState::Dialing(dialing) = &mut record.state else { return };
        let Some((proxy, hop)) = dialing.hops.pop() else { return };
        dialing.proxy = proxy;
        let more = !dialing.hops.is_empty();
        let (target, shown) = (dialing.target.clone(), dialing.shown.clone());
        let offer = sdp(record.media.local.offer(Direction::SendRecv));
        record.leg = leg;
        let (Some(trunk), Some(identity)) = (self.setup.trunks.get(index), self.identities.get(index)) else {
            return;
        };
        let (request_uri, to, mut headers) = match target {
            Target::Address(address) => (
                address::request_uri(trunk, &address, &hop.host, hop.port),
                address::to(trunk, &address, &hop.host),
                Vec::new(),
            ),
            Target::Referred { uri, referred_by } => {
                let to: Arc<[u8]> = [b"<", uri.as_ref(), b">"].concat().into();
                let headers: Vec<ExtraHeader> =
                    referred_by.map(|value| ("Referred-By".into(), value)).into_iter().collect();
                (uri, to, headers)
            }
        };
        headers.extend(address::assertion(trunk, &shown));
        let invite = OutgoingInvite {
            identity: identity.clone(),
            hop,
            request_uri,
            from: address::from(trunk, &shown.address, &shown.name),
            to,
            contact: address::contact(trunk, &shown.address),
            headers,
            offer: Some(offer),
            credentials: trunk.credentials.clone(),
        };
        let patience = more.then(|| now + trunk.profile.proxy_patience);
        self.timers.set_or_clear(Timer::ProxyPatience(call, party), patience);
        self.by_leg.insert(leg, call);
        self.ua.invite(now, leg, invite);
    }

    /// Something other than 100 came: the telephone rings, or an announcement plays.
    pub(crate) fn on_progress(&mut self, now: Instant, leg: LegId, status: u16, response: &Message) {
        let Some((call, party)) = self.find(leg) else { return };
        self.timers.clear(Timer::ProxyPatience(call, party));
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let PartyState::Dialing(dialing) = &mut record.state else { return };
        let begins = !std::mem::replace(&mut dialing.ringing, true);
        let sent_on = says_sent_on(response) && !std::mem::replace(&mut dialing.sent_on, true);
        if begins {
            self.tell(CallEvent::Ringing { call, party });
        }
        if sent_on {
            self.tell(CallEvent::Forwarded { call, party });
        }
        self.report_progress_of_transfer(now, call, party, status);
    }

    /// Our INVITE was answered.
    pub(crate) fn on_accepted(&mut self, now: Instant, leg: LegId, answer: Option<Body>, response: &Message) {
        let Some((call, party)) = self.find(leg) else { return };
        self.timers.clear(Timer::ProxyPatience(call, party));
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let PartyState::Dialing(dialing) = &record.state else { return };
        let sent_on = says_sent_on(response) && !dialing.sent_on;
        let agreed = answer
            .as_ref()
            .and_then(sdp_of)
            .and_then(|text| Sdp::parse(text).ok())
            .and_then(|answer| record.media.local.accept_answer(&answer).ok());
        let Some(agreed) = agreed else {
            self.counters.offers_refused += 1;
            self.drop_party(now, call, party, CauseKind::NotAcceptable.into(), Vec::new());
            return;
        };
        record.state = PartyState::Joined;
        self.configure(call, party, agreed);
        if sent_on {
            self.tell(CallEvent::Forwarded { call, party });
        }
        if !self.transfer_joined(now, call, party) {
            self.bridge(call);
            self.tell(CallEvent::Joined { call, party });
        }
    }

    /// After a failed attempt: dials the next proxy if there is one and the failure is of the kind that moves on.
    /// `status` is `None` when there was no response at all.
    pub(crate) fn try_next_proxy(
        &mut self,
        now: Instant,
        call: CallId,
        party: PartyId,
        status: Option<u16>,
    ) -> bool {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return false };
        let (trunk, leg) = (record.trunk, record.leg);
        let PartyState::Dialing(dialing) = &record.state else { return false };
        let (proxy, ringing, more) = (dialing.proxy, dialing.ringing, !dialing.hops.is_empty());
        if status.is_none()
            && let Some(proxy) = proxy
        {
            self.proxy_failed(now, trunk, proxy);
        }
        let moves_on = status.is_none_or(|status| {
            self.trunk(trunk).is_some_and(|trunk| trunk.profile.failover.contains(&status))
        });
        if !moves_on || ringing || !more {
            return false;
        }
        self.counters.failovers += 1;
        self.by_leg.remove(&leg);
        let next = self.ua.new_leg();
        self.dial(now, call, party, next);
        true
    }

    /// A proxy has said nothing at all for too long.
    pub(crate) fn proxy_is_silent(&mut self, now: Instant, call: CallId, party: PartyId) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let leg = record.leg;
        if self.try_next_proxy(now, call, party, None) {
            self.ua.hang_up(now, leg, Vec::new());
        }
    }

    /// What we offer to a party: what the others use, so that little or nothing is turned into something else.
    pub(crate) fn codecs_for(&self, call: CallId, trunk: usize) -> Vec<Codec> {
        let own = self.trunk(trunk).map(|trunk| trunk.profile.codecs.clone()).unwrap_or_default();
        let Some(used) = self.calls.get(&call).and_then(|call| call.codec_in_use()) else { return own };
        match used.law() {
            None => vec![used.clone()],
            Some(law) => {
                let (first, second) = match law {
                    Law::A => (Codec::pcma(), Codec::pcmu()),
                    Law::Mu => (Codec::pcmu(), Codec::pcma()),
                };
                [first, second].into_iter().filter(|c| own.iter().any(|o| o.same_encoding(c))).collect()
            }
        }
    }

    /// The ways to an address: the trunk's proxies, the best last; without proxies, the host in the address.
    fn hops_to(&self, trunk: usize, address: &Address) -> Vec<(Option<usize>, Hop)> {
        let Some(trunk_data) = self.trunk(trunk) else { return Vec::new() };
        if trunk_data.proxies.is_empty() {
            let Address::Sip(uri) = address else { return Vec::new() };
            let Some((host, port)) = address::host_and_port(uri) else { return Vec::new() };
            return vec![(None, trunk_data.hop_to(&host, port))];
        }
        let order = self.probes.get(trunk).map(|probes| health::order(probes)).unwrap_or_default();
        let ways = order.into_iter().rev().filter_map(|index| {
            trunk_data.proxies.get(index).map(|proxy| (Some(index), trunk_data.hop(proxy)))
        });
        ways.collect()
    }

    /// The way to the host that a REFER names, over our own connection.
    pub(crate) fn hop_of_refer(&self, trunk: usize, uri: &[u8]) -> Option<(Option<usize>, Hop)> {
        let parsed = Uri::parse(uri).ok()?;
        let host = parsed.host()?.to_string();
        let host = host.trim_matches(['[', ']']);
        let trunk = self.trunk(trunk)?;
        let known = trunk.proxies.iter().position(|proxy| proxy.host.eq_ignore_ascii_case(host));
        Some((known, trunk.hop_to(host, parsed.port())))
    }
}
