//! The end of parties and of calls, and the figures that come with it.

use std::time::Instant;

use tandem_center::call::{CallEvent, CallId, Cause, CauseKind, PartyId, Quality};
use tandem_media::leg;
use tandem_media::leg::LegCommand;
use tandem_media::quality::QualityReport;
use tandem_sip::header::HeaderName;
use tandem_sip::ua::{EndedBy, ExtraHeader, LegId, NoResponse};

use crate::b2bua::{B2bua, Output};
use crate::cause;
use crate::timer::Timer;

impl B2bua {
    pub(crate) fn on_ended(&mut self, now: Instant, leg: LegId, why: EndedBy) {
        let Some((call, party)) = self.find(leg) else { return };
        let cause = match why {
            EndedBy::Bye { request } => {
                cause::of_hang_up(CauseKind::HungUp, request.header(HeaderName::Reason))
            }
            EndedBy::Cancelled { request } => {
                cause::of_hang_up(CauseKind::Cancelled, request.header(HeaderName::Reason))
            }
            EndedBy::Refused { status, response } => {
                if self.try_next_proxy(now, call, party, Some(status)) {
                    return;
                }
                if (300..400).contains(&status) {
                    // To where is theirs to say and the center's to decide; nobody is rung behind its back.
                    self.tell(CallEvent::Forwarded { call, party });
                }
                cause::of_status(status, response.header(HeaderName::Reason))
            }
            EndedBy::NoResponse(why) => {
                if self.try_next_proxy(now, call, party, None) {
                    return;
                }
                match why {
                    NoResponse::TimedOut | NoResponse::Unreachable => CauseKind::Unreachable.into(),
                }
            }
            EndedBy::OurSide => CauseKind::Removed.into(),
            EndedBy::SessionExpired | EndedBy::PeerLost | EndedBy::NeverAcknowledged => {
                CauseKind::Lost.into()
            }
        };
        self.by_leg.remove(&leg);
        self.party_gone(now, call, party, cause);
    }

    /// Takes a party out by our own will.
    pub(crate) fn drop_party(
        &mut self,
        now: Instant,
        call: CallId,
        party: PartyId,
        cause: Cause,
        headers: Vec<ExtraHeader>,
    ) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let leg = record.leg;
        self.by_leg.remove(&leg);
        self.ua.hang_up(now, leg, headers);
        self.party_gone(now, call, party, cause);
    }

    /// A party is gone; its leg is over or winding down by itself.
    pub(crate) fn party_gone(&mut self, now: Instant, call: CallId, party: PartyId, cause: Cause) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        let Some(place) = record.parties.iter().position(|p| p.id == party) else { return };
        record.recording_left(party);
        let gone = record.parties.remove(place);
        self.timers.clear(Timer::Collect(call, party));
        self.timers.clear(Timer::ProxyPatience(call, party));
        if party == PartyId::FIRST {
            self.timers.clear(Timer::FirstProvisional(call));
        }
        let leg = gone.media.leg;
        if gone.media.open {
            record.reports_due.push((leg, party));
            self.out.push_back(Output::Media(LegCommand::Close { leg }));
        } else {
            self.by_media.remove(&leg);
            self.out.push_back(Output::ReleasePort(gone.media.port));
        }
        self.transfer_party_gone(now, call, party, &cause);
        self.tell(CallEvent::Left { call, party, cause: cause.clone() });
        let Some(record) = self.calls.get_mut(&call) else { return };
        if record.parties.is_empty() {
            record.over = Some(cause);
            record.over_since = Some(now);
            self.timers.set(Timer::Reports(call), now + REPORTS_PATIENCE);
            self.finish_if_over(call);
        } else {
            self.bridge(call);
        }
    }

    pub(crate) fn finish_if_over(&mut self, call: CallId) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        if !record.reports_due.is_empty() || !record.recordings.is_empty() {
            return;
        }
        let Some(cause) = record.over.take() else { return };
        self.forget(call, cause);
    }

    /// The end of a call has waited long enough for its last figures, or even for its recordings.
    pub(crate) fn reports_overdue(&mut self, now: Instant, call: CallId) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        let overdue = std::mem::take(&mut record.reports_due);
        let until = record.over_since.map_or(now, |since| since + RECORDINGS_PATIENCE);
        let may_wait = now < until && !record.recordings.is_empty();
        for (leg, _) in overdue {
            self.by_media.remove(&leg);
        }
        if may_wait {
            self.timers.set(Timer::Reports(call), until);
            return;
        }
        self.give_up_recordings(call);
        self.finish_if_over(call);
    }

    pub(crate) fn forget(&mut self, call: CallId, cause: Cause) {
        if let Some(record) = self.calls.remove(&call) {
            for (leg, _) in record.reports_due {
                self.by_media.remove(&leg);
            }
        }
        for timer in [
            Timer::FirstProvisional(call),
            Timer::TransferDecision(call),
            Timer::TransferorBye(call),
            Timer::Reports(call),
        ] {
            self.timers.clear(timer);
        }
        self.tell(CallEvent::Ended { call, cause });
    }

    pub(crate) fn end(&mut self, now: Instant, call: CallId) {
        let Some(record) = self.calls.get(&call) else { return };
        let parties: Vec<PartyId> = record.parties.iter().map(|p| p.id).collect();
        for party in parties {
            let headers = vec![("Reason".into(), cause::q850(16, "Normal call clearing"))];
            self.drop_party(now, call, party, CauseKind::Removed.into(), headers);
        }
    }

    pub(crate) fn reported(&mut self, leg: leg::LegId, report: &QualityReport) {
        let Some(call) = self.by_media.remove(&leg) else { return };
        let Some(record) = self.calls.get_mut(&call) else { return };
        let Some(place) = record.reports_due.iter().position(|(due, _)| *due == leg) else { return };
        let (_, party) = record.reports_due.swap_remove(place);
        self.tell(CallEvent::Quality { call, party, quality: quality(report) });
        self.finish_if_over(call);
    }
}

/// How long the end of a call waits for the last figures of its media.
const REPORTS_PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// How long the end of a call waits until its last recording is kept: a disk may be slow, and it is all that is left
/// of what was said.
const RECORDINGS_PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

fn quality(report: &QualityReport) -> Quality {
    let expected = report.packets_received + report.packets_lost;
    let lost_x10000 = (report.packets_lost * 10_000).checked_div(expected).unwrap_or(0);
    Quality {
        mos_x100: report.mos.map(|mos| whole(mos * 100.0)),
        packets_received: report.packets_received,
        lost_x10000: u16::try_from(lost_x10000).unwrap_or(10_000),
        jitter_ms: whole(report.jitter_ms),
        round_trip_ms: report.rtt_ms.map(whole),
    }
}

/// The nearest whole number that fits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u16")]
fn whole(figure: f32) -> u16 {
    figure.round().clamp(0.0, f32::from(u16::MAX)) as u16
}
