//! New offers in the middle of a call: holds, session refreshes, a media address that moves.

use std::time::Instant;

use tandem_center::call::{CallEvent, CallId, PartyId};
use tandem_media::negotiate::Negotiated;
use tandem_media::sdp::{Direction, Sdp};
use tandem_sip::ua::{Answer, Body, LegId};

use crate::b2bua::B2bua;
use crate::body::{sdp, sdp_of};
use crate::call::PartyState;

impl B2bua {
    pub(crate) fn on_reoffer(&mut self, now: Instant, leg: LegId, offer: Option<Body>) {
        let Some((call, party)) = self.find(leg) else {
            self.ua.refuse_reoffer(now, leg, 481);
            return;
        };
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let Some(body) = offer else {
            let direction = Direction::SendRecv;
            let body = sdp(record.media.local.offer(direction));
            self.ua.reanswer(now, leg, Answer { status: 200, body: Some(body), ..Answer::default() });
            return;
        };
        let Some(description) = sdp_of(&body).and_then(|text| Sdp::parse(text).ok()) else {
            self.counters.offers_refused += 1;
            self.ua.refuse_reoffer(now, leg, 488);
            return;
        };
        match record.media.local.answer(&description, Direction::SendRecv) {
            Err(reason) => {
                self.counters.offers_refused += 1;
                self.ua.refuse_reoffer(now, leg, reason.status());
            }
            Ok((text, agreed)) => {
                let answer = Answer { status: 200, body: Some(sdp(text)), ..Answer::default() };
                self.ua.reanswer(now, leg, answer);
                self.take_up(now, call, party, agreed);
            }
        }
    }

    pub(crate) fn on_reanswered(&mut self, now: Instant, leg: LegId, answer: Option<Body>) {
        let Some((call, party)) = self.find(leg) else { return };
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let agreed = answer
            .as_ref()
            .and_then(sdp_of)
            .and_then(|text| Sdp::parse(text).ok())
            .and_then(|answer| record.media.local.accept_answer(&answer).ok());
        if let Some(agreed) = agreed {
            self.take_up(now, call, party, agreed);
        }
    }

    /// Takes up a renegotiation in the middle of a call, and tells a hold that came or went with it.
    pub(crate) fn take_up(&mut self, now: Instant, call: CallId, party: PartyId, agreed: Negotiated) {
        let (holds, silent) = (agreed.remote_hold, !agreed.direction.receives());
        self.configure(call, party, agreed);
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if record.holds != holds {
            record.holds = holds;
            self.pass_hold_on(now, call, party, holds && silent);
            self.tell(match holds {
                true => CallEvent::Held { call, party, silent },
                false => CallEvent::Resumed { call, party },
            });
        }
    }

    /// Tells a hold without music, or its end, to the other parties whose network wants to know.
    pub(crate) fn pass_hold_on(&mut self, now: Instant, call: CallId, by: PartyId, silent: bool) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        if record.party(by).is_some_and(|party| party.apart) {
            return;
        }
        for other in record.parties.iter_mut().filter(|other| other.id != by && !other.apart) {
            let tells = self.setup.trunks.get(other.trunk).is_some_and(|trunk| trunk.profile.tells_hold);
            if tells && matches!(other.state, PartyState::Joined) && other.told_hold != silent {
                other.told_hold = silent;
                let direction = if silent { Direction::Inactive } else { Direction::SendRecv };
                let offer = sdp(other.media.local.offer(direction));
                self.ua.reoffer(now, other.leg, offer);
            }
        }
    }
}
