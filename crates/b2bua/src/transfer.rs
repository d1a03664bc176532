//! Transfers that Teams hands to us as REFER.
//!
//! The center decides; we carry out. The target and Referred-By carry parameters that only Microsoft understands and
//! that go back byte for byte. The new INVITE goes to where Refer-To points, over a connection of ours, never with
//! Replaces, and is never repeated after a failure ("Direct Routing: SIP protocol", transfer; error 540500).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_center::call::{
    Address, CallEvent, CallId, Cause, CauseKind, PartyId, TransferDecision, TransferId, TransferOutcome,
};
use tandem_media::leg::Ports;
use tandem_sip::header::{HeaderName, NameAddr};
use tandem_sip::message::Message;
use tandem_sip::ua::{LegId, ReferId};
use tandem_sip::uri::Uri;

use crate::address;
use crate::b2bua::B2bua;
use crate::call::{PartyState, Target, Transfer, TransferState};
use crate::dial::Wanted;
use crate::timer::Timer;

/// A wish that nobody decided is refused after this time.
const DECISION_PATIENCE: Duration = Duration::from_secs(30);
/// The transferred-away party is expected to hang up by itself within this time; then we do it.
const BYE_PATIENCE: Duration = Duration::from_secs(4);
/// Transfers of one call beyond this many are refused: two systems may hand a call to and fro for ever.
const TRANSFERS_MAX: u32 = 50;

impl B2bua {
    /// A party asks for a transfer.
    pub(crate) fn on_refer(&mut self, now: Instant, leg: LegId, refer: ReferId, request: &Message) {
        let Some((call, party)) = self.find(leg) else {
            self.ua.refuse_refer(now, leg, refer, 481);
            return;
        };
        let target = request
            .header(HeaderName::ReferTo)
            .and_then(|value| NameAddr::parse(value).ok())
            .and_then(|to| {
                let uri = match to.parse_uri().ok()? {
                    Uri::Sip(sip) => sip.without_headers().to_vec(),
                    _ => return None,
                };
                let referred_by = request.header(HeaderName::ReferredBy).map(Box::from);
                Some(Target::Referred { uri: Arc::from(uri), referred_by })
            });
        let Some(record) = self.calls.get_mut(&call) else { return };
        let joined = record.party(party).is_some_and(|party| matches!(party.state, PartyState::Joined));
        let Some(target) = target else {
            self.ua.refuse_refer(now, leg, refer, 400);
            return;
        };
        if !joined || record.transfer.is_some() || record.transfers >= TRANSFERS_MAX {
            self.ua.refuse_refer(now, leg, refer, 603);
            return;
        }
        record.transfers += 1;
        let id = TransferId(record.transfers);
        let shown = shown_target(&target);
        record.transfer = Some(Transfer { id, by: party, leg, refer, target, state: TransferState::Asked });
        self.timers.set(Timer::TransferDecision(call), now + DECISION_PATIENCE);
        self.tell(CallEvent::TransferAsked { call, party, transfer: id, target: shown });
    }

    /// The center decided.
    pub(crate) fn decide_transfer(
        &mut self,
        now: Instant,
        call: CallId,
        id: TransferId,
        decision: TransferDecision,
        ports: &mut dyn Ports,
    ) {
        let Some(transfer) = self.calls.get_mut(&call).and_then(|c| c.transfer.as_mut()) else { return };
        if transfer.id != id || transfer.state != TransferState::Asked {
            return;
        }
        let TransferDecision::Allow { party } = decision else {
            self.refuse_transfer(now, call);
            return;
        };
        self.timers.clear(Timer::TransferDecision(call));
        transfer.state = TransferState::Ringing(party);
        let (leg, refer, by, target) = (transfer.leg, transfer.refer, transfer.by, transfer.target.clone());
        let trunk = self.calls.get_mut(&call).and_then(|c| c.party(by)).map(|p| p.trunk);
        let Some(trunk) = trunk else { return };
        self.ua.accept_refer(now, leg, refer);
        let hop = match &target {
            Target::Referred { uri, .. } => self.hop_of_refer(trunk, uri),
            Target::Address(_) => None,
        };
        match hop {
            Some(hop) => {
                let Some(shown) = self.calls.get(&call).map(|call| call.shown.clone()) else { return };
                let apart = false;
                self.ring(now, call, party, Wanted { trunk, target, shown, apart, hops: vec![hop] }, ports);
            }
            None => {
                self.tell(CallEvent::Left { call, party, cause: CauseKind::NotFound.into() });
            }
        }
        let rings = self.calls.get_mut(&call).and_then(|c| c.party(party)).is_some();
        if !rings {
            // No port, no way there: as if the target had refused.
            self.transfer_failed(now, call, 503, "Service Unavailable");
        }
    }

    /// Nobody decided, or the center said no.
    pub(crate) fn refuse_transfer(&mut self, now: Instant, call: CallId) {
        self.timers.clear(Timer::TransferDecision(call));
        let Some(record) = self.calls.get_mut(&call) else { return };
        if let Some(transfer) = record.transfer.take_if(|transfer| transfer.state == TransferState::Asked) {
            self.ua.refuse_refer(now, transfer.leg, transfer.refer, 603);
        }
    }

    /// The target's telephone rings: the asking party is told.
    pub(crate) fn report_progress_of_transfer(
        &mut self,
        now: Instant,
        call: CallId,
        party: PartyId,
        status: u16,
    ) {
        let Some(transfer) = self.calls.get(&call).and_then(|c| c.transfer.as_ref()) else { return };
        if transfer.state == TransferState::Ringing(party) {
            let (leg, refer) = (transfer.leg, transfer.refer);
            self.ua.notify_refer(now, leg, refer, status, reason_of(status), false);
        }
    }

    /// A party answered; if it is the target of the transfer, it takes the asking party's place. Returns whether it is.
    pub(crate) fn transfer_joined(&mut self, now: Instant, call: CallId, party: PartyId) -> bool {
        let Some(transfer) = self.calls.get_mut(&call).and_then(|c| c.transfer.as_mut()) else {
            return false;
        };
        if transfer.state != TransferState::Ringing(party) {
            return false;
        }
        transfer.state = TransferState::Done;
        let (id, by, leg, refer) = (transfer.id, transfer.by, transfer.leg, transfer.refer);
        self.ua.notify_refer(now, leg, refer, 200, "OK", true);
        if let Some(transferor) = self.calls.get_mut(&call).and_then(|c| c.party(by)) {
            // It hears nothing from now on; its telephone hangs up when it has read the NOTIFY.
            transferor.state = PartyState::Answering;
        }
        self.bridge(call);
        self.timers.set(Timer::TransferorBye(call), now + BYE_PATIENCE);
        self.tell(CallEvent::Joined { call, party });
        self.tell(CallEvent::TransferEnded { call, transfer: id, outcome: TransferOutcome::Done });
        true
    }

    /// A party left: the target, the asking party, or somebody else.
    pub(crate) fn transfer_party_gone(&mut self, now: Instant, call: CallId, party: PartyId, cause: &Cause) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        let Some(transfer) = &record.transfer else { return };
        match transfer.state {
            TransferState::Ringing(target) if target == party => {
                let status = if cause.code >= 300 { cause.code } else { status_of(cause.kind) };
                self.transfer_failed(now, call, status, reason_of(status));
            }
            TransferState::Asked if transfer.by == party => {
                record.transfer = None;
                self.timers.clear(Timer::TransferDecision(call));
            }
            TransferState::Done if transfer.by == party => {
                record.transfer = None;
                self.timers.clear(Timer::TransferorBye(call));
            }
            _ => {}
        }
    }

    /// The transferred-away party did not hang up by itself.
    pub(crate) fn end_transferor(&mut self, now: Instant, call: CallId) {
        let Some(transfer) = self.calls.get(&call).and_then(|c| c.transfer.as_ref()) else { return };
        if transfer.state == TransferState::Done {
            let by = transfer.by;
            self.drop_party(now, call, by, CauseKind::Transferred.into(), Vec::new());
        }
    }

    fn transfer_failed(&mut self, now: Instant, call: CallId, status: u16, reason: &str) {
        let Some(transfer) = self.calls.get_mut(&call).and_then(|c| c.transfer.take()) else { return };
        self.ua.notify_refer(now, transfer.leg, transfer.refer, status, reason, true);
        self.tell(CallEvent::TransferEnded { call, transfer: transfer.id, outcome: TransferOutcome::Failed });
    }
}

/// The status that tells a cause of ours to the asking party.
fn status_of(cause: CauseKind) -> u16 {
    match cause {
        CauseKind::Busy => 486,
        CauseKind::Declined => 603,
        CauseKind::NotFound => 404,
        CauseKind::NotAnswered => 408,
        CauseKind::Unavailable => 480,
        CauseKind::Forbidden => 403,
        CauseKind::NotAcceptable => 488,
        CauseKind::Removed => 487,
        _ => 503,
    }
}

fn reason_of(status: u16) -> &'static str {
    match status {
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        183 => "Session Progress",
        200 => "OK",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        480 => "Temporarily Unavailable",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        503 => "Service Unavailable",
        603 => "Decline",
        100..=199 => "Trying",
        _ => "Failed",
    }
}

/// The target as far as the center can read it.
fn shown_target(target: &Target) -> Option<Address> {
    match target {
        Target::Address(address) => Some(address.clone()),
        Target::Referred { uri, .. } => {
            Uri::parse(uri).ok().filter(|uri| uri.user().is_some()).map(|uri| address::of_uri(&uri))
        }
    }
}
