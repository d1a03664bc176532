//! How calls end.

use std::time::Instant;

use tandem_sip::method::Method;

use super::call::{Call, CallId, CallView, Ending, Phase, Purpose};
use super::refusal::Refusal;
use super::request::{About, Outcome, Within};
use super::{Output, Teams, Timer};
use crate::event::{By, What};
use crate::media::{Counts, PortCommand, PortId, Sending};
use crate::violation::Rule;

impl Teams {
    /// The user's end of a call is ended, however it stands: BYE, CANCEL or a refusal.
    pub(super) fn hang_up(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match call.phase {
            Phase::Ringing(_) => self.abandon(now, id, Refusal::new(603, 21, "Call was declined.")),
            Phase::Preparing(_) => self.finish(now, id, Ending::by(By::Teams)),
            Phase::Calling { .. } => self.cancel(now, id),
            Phase::Ending => {}
            Phase::Accepted(_) | Phase::Connected => {
                call.phase = Phase::Ending;
                call.media.sending = Sending::Nothing;
                self.configure(id);
                let within = Within {
                    method: Method::Bye,
                    about: About::Bye(id),
                    contact: None,
                    record_route: false,
                    headers: Vec::new(),
                    sdp: None,
                };
                if self.send_within(now, id, within).is_none() {
                    self.finish(now, id, Ending::by(By::Teams));
                }
            }
        }
    }

    pub(super) fn bye_answered(&mut self, now: Instant, id: CallId, outcome: &Outcome<'_>) {
        if let Outcome::Answer(answer) = outcome {
            let status = answer.status().map_or(0, |status| status.code());
            if status < 200 {
                return;
            }
            let lives = self.calls.contains_key(&id);
            if status == 481 && lives {
                let seen = "BYE was answered 481".to_owned();
                self.journal.wrong(now, Rule::NotAnswered, seen, Some(answer.call_id()));
            }
        }
        self.finish(now, id, Ending::by(By::Teams));
    }

    /// The call is over: everything of it is given back, and it is kept for those who watch.
    pub(super) fn finish(&mut self, now: Instant, id: CallId, ending: Ending) {
        let Some(call) = self.calls.remove(&id) else { return };
        self.stop_ringing(id);
        let timers = [
            Timer::Resend(id),
            Timer::Failover(id),
            Timer::HangUp(id),
            Timer::Session(id),
            Timer::Reoffer(id),
            Timer::Transfer(id),
        ];
        let presses = (0..call.behaviour.presses.len()).map(|place| Timer::Press(id, place));
        for timer in timers.into_iter().chain(presses) {
            self.timers.stop(&timer);
        }
        let ports = [Some(call.media.port), call.media.moving.map(|(port, _)| port)];
        for port in ports.into_iter().flatten() {
            self.outputs.push_back(Output::Port(PortCommand::Close { port }));
        }
        let mut view = self.view(id, &call);
        view.state = "ended";
        view.ended = Some(Ending { at_ms: self.journal.at_ms(now), ..ending.clone() });
        if self.past.len() == PAST_MAX {
            self.past.pop_front();
        }
        self.past.push_back(view);
        let Ending { by, status, sub_code, reason, .. } = ending;
        self.journal.happened(now, What::CallEnded { call: id.0, by, status, sub_code, reason });
    }

    /// What a port counted over its life shows whether media was as it must be.
    pub(super) fn port_closed(&mut self, now: Instant, port: PortId, counts: &Counts) {
        let past = self.past.iter().rev().find(|past| past.port == port);
        let call_id = past.map(|past| past.call_id.clone());
        let call_id = call_id.as_ref().map(String::as_bytes);
        if counts.not_authentic > 0 {
            let seen = format!("{} packets", counts.not_authentic);
            self.journal.wrong(now, Rule::MediaNotAuthentic, seen, call_id);
        }
        if counts.from_elsewhere > 0 {
            let seen = format!("{} packets", counts.from_elsewhere);
            self.journal.wrong(now, Rule::MediaFromElsewhere, seen, call_id);
        }
        if counts.reports == 0 && counts.heard_ms >= self.habits.rtcp_expected_ms.into() {
            let seen = format!("none in {} ms", counts.heard_ms);
            self.journal.wrong(now, Rule::RtcpMissing, seen, call_id);
        }
    }

    /// The session timer: we refresh, or the other end has not.
    pub(super) fn session_timer(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        match call.dialog.session {
            // A re-INVITE that is under way refreshes too.
            Some(session) if session.ours => {
                let _ = self.begin_reoffer(now, id, Purpose::Refresh, None);
                self.restart_session(now, id);
            }
            Some(_) => self.hang_up(now, id),
            None => {}
        }
    }

    pub(super) fn view(&self, id: CallId, call: &Call) -> CallView {
        let codec = call.media.theirs.as_ref().and_then(|theirs| theirs.law());
        CallView {
            id: id.0,
            user: call.user.clone(),
            trunk: call.trunk.clone(),
            direction: call.direction,
            party: call.party.clone(),
            state: call.state(),
            call_id: String::from_utf8_lossy(&call.dialog.call_id).into_owned(),
            voicemail: call.voicemail,
            held_by_user: call.held_by_user,
            held_by_border: call.held_by_border,
            media: call.media.address,
            media_target: call.media.target,
            codec: codec.map(|(_, law)| match law {
                tandem_media::codec::Law::Mu => "PCMU".to_owned(),
                tandem_media::codec::Law::A => "PCMA".to_owned(),
            }),
            sending: call.media.sending,
            transferred_from: call.transferred_from.map(|from| from.0),
            transfer: call.transfer.as_ref().map(|transfer| transfer.statuses.clone()),
            began_ms: self.journal.at_ms(call.began),
            answered_ms: call.answered.map(|at| self.journal.at_ms(at)),
            ended: None,
            port: call.media.port,
        }
    }
}

/// Calls that are over and can still be looked at; older ones are forgotten.
const PAST_MAX: usize = 1000;
