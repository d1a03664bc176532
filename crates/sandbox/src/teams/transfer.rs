//! Transfers that a Teams user asks for: REFER to the border controller, its NOTIFYs, and its new INVITE, which
//! must carry back what is opaque to it byte for byte.

use std::time::{Duration, Instant};

use base64::Engine;
use tandem_sip::header::{HeaderName, Substate};
use tandem_sip::message::Message;
use tandem_sip::method::Method;

use super::call::{CallId, Purpose};
use super::connection::ConnectionId;
use super::refusal::Refusal;
use super::request::{About, Outcome, Within, inner};
use super::trunk::first_line;
use super::{CommandRefusal, Teams, Timer};
use crate::event::What;
use crate::violation::Rule;

/// A transfer that was asked for.
#[derive(Debug)]
pub struct Transfer {
    /// Refer-To, with brackets.
    pub refer_to: Vec<u8>,
    /// Referred-By, with brackets.
    pub referred_by: Vec<u8>,
    /// REFER was accepted.
    pub accepted: bool,
    /// Statuses that NOTIFY told, in order.
    pub statuses: Vec<u16>,
    /// The INVITE has come.
    pub invited: bool,
    /// A final status was told, or given up on.
    pub over: bool,
}

/// Where a transfer leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A Teams user, by identity (`x-m`).
    User(String),
    /// A number.
    Number(String),
    /// The other end of another call of the same user: a consultative transfer with Replaces in Refer-To. No sample
    /// is published.
    Call(CallId),
}

impl Teams {
    /// Transfers a call, after a hold unless told otherwise.
    pub(super) fn transfer(
        &mut self,
        now: Instant,
        id: CallId,
        target: Target,
        hold_first: bool,
    ) -> Result<(), CommandRefusal> {
        let call = self.calls.get(&id).ok_or(CommandRefusal::NoCall)?;
        if !self.trunks.get(&call.trunk).is_some_and(|trunk| trunk.takes_refer) {
            return Err(CommandRefusal::ReferNotAllowed);
        }
        if !call.is_connected() {
            return Err(CommandRefusal::NotConnected);
        }
        if call.transfer.as_ref().is_some_and(|transfer| !transfer.over) {
            return Err(CommandRefusal::Busy);
        }
        match &target {
            Target::User(user) if !self.users.contains_key(user) => return Err(CommandRefusal::NoUser),
            Target::Call(other) if !self.calls.contains_key(other) => return Err(CommandRefusal::NoCall),
            _ => {}
        }
        if hold_first && !call.held_by_user {
            return self.begin_reoffer(now, id, Purpose::Hold, Some(target));
        }
        self.send_refer(now, id, target);
        Ok(())
    }

    pub(super) fn send_refer(&mut self, now: Instant, id: CallId, target: Target) {
        let Some(refer_to) = self.refer_to(&target) else { return };
        let referred_by = self.referred_by(id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.transfer = Some(Transfer {
            refer_to: refer_to.clone(),
            referred_by: referred_by.clone(),
            accepted: false,
            statuses: Vec::new(),
            invited: false,
            over: false,
        });
        let contact = call.dialog.refer_contact();
        let within = Within {
            method: Method::Refer,
            about: About::Refer(id),
            contact: Some(contact),
            record_route: false,
            headers: vec![(HeaderName::ReferTo, refer_to), (HeaderName::ReferredBy, referred_by)],
            sdp: None,
        };
        self.send_within(now, id, within);
        let patience = Duration::from_millis(self.habits.transfer_max_ms.into());
        self.timers.set(Timer::Transfer(id), now + patience);
    }

    fn refer_to(&self, target: &Target) -> Option<Vec<u8>> {
        let proxy = format!("sip.pstnhub.microsoft.com:{}", self.port);
        let uri = match target {
            Target::User(user) => {
                let identity = &self.users.get(user)?.object_id;
                format!("<sip:{proxy};transport=tls;x-m=8:orgid:{identity}>")
            }
            Target::Number(number) => format!("<sip:{number}@{proxy};transport=tls;user=phone>"),
            Target::Call(other) => {
                let call = self.calls.get(other)?;
                let id = String::from_utf8_lossy(&call.dialog.call_id).replace('@', "%40");
                let theirs = String::from_utf8_lossy(call.dialog.remote_tag.as_deref()?).into_owned();
                let (party, ours) = (&call.party, &call.dialog.local_tag);
                let replaces = format!("{id}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{ours}");
                format!("<sip:{party}@{proxy};transport=tls;user=phone?Replaces={replaces}>")
            }
        };
        Some(uri.into_bytes())
    }

    fn referred_by(&mut self, id: CallId) -> Vec<u8> {
        let note = format!(
            "https://api-du-a-usea.pstnhub.microsoft.com/v1/ngc/callnotification?dci={}",
            self.chance.hex32()
        );
        let x_tt = base64::engine::general_purpose::STANDARD.encode(note).replace('=', "%3D");
        let call = self.calls.get(&id);
        let user = call.and_then(|call| self.users.get(&call.user));
        let tenant =
            user.and_then(|user| self.tenants.iter().find(|t| t.users.iter().any(|u| u.id == user.id)));
        let x_m = user.map_or("", |user| &user.object_id);
        let x_t = tenant.map_or("", |tenant| &tenant.id);
        let x_ti = call.map_or("", |call| &call.dialog.instance);
        let port = self.port;
        format!("<sip:sip.pstnhub.microsoft.com:{port};x-m=8:orgid:{x_m};x-t={x_t};x-ti={x_ti};x-tt={x_tt}>")
            .into_bytes()
    }

    pub(super) fn refer_answered(&mut self, now: Instant, id: CallId, outcome: &Outcome<'_>) {
        let status = match outcome {
            Outcome::Answer(answer) => answer.status().map_or(0, |status| status.code()),
            Outcome::TimedOut | Outcome::Unsent(_) => 408,
        };
        if status < 200 {
            return;
        }
        self.journal.happened(now, What::TransferAnswered { call: id.0, status });
        let Some(transfer) = self.calls.get_mut(&id).and_then(|call| call.transfer.as_mut()) else { return };
        if status == 202 {
            transfer.accepted = true;
            return;
        }
        let call_id = self.calls.get(&id).map(|call| call.dialog.call_id.clone());
        self.journal.wrong(
            now,
            Rule::ReferRefused,
            format!("REFER was answered {status}"),
            call_id.as_deref(),
        );
        self.transfer_over(now, id, status);
    }

    /// NOTIFY: how the transfer stands.
    pub(super) fn notified(&mut self, now: Instant, connection: ConnectionId, id: CallId, notify: &Message) {
        let call_id = Some(notify.call_id());
        let about_refer = matches!(notify.event(), Ok(Some(event)) if event.package == b"refer");
        let fragment = matches!(notify.content_type(), Ok(Some(kind)) if kind.is("message/sipfrag"));
        let status = fragment_status(notify.body());
        let known = self.calls.get(&id).is_some_and(|call| call.transfer.is_some());
        let Some(status) = status.filter(|_| about_refer && fragment && known) else {
            self.journal.wrong(now, Rule::TransferNotReported, first_line(notify), call_id);
            let refusal = Refusal::new(481, 127, "Subscription does not exist.");
            return self.refuse(now, connection, notify, &refusal);
        };
        let over =
            matches!(notify.subscription_state(), Ok(Some(state)) if state.state == Substate::Terminated);
        if over != (status >= 200) {
            let seen =
                format!("{status} in a subscription that {}", if over { "is over" } else { "goes on" });
            self.journal.wrong(now, Rule::TransferNotReported, seen, call_id);
        }
        self.answer(now, connection, notify, 200, None);
        if let Some(transfer) = self.calls.get_mut(&id).and_then(|call| call.transfer.as_mut()) {
            transfer.statuses.push(status);
        }
        self.journal.happened(now, What::TransferProgress { call: id.0, status });
        if status >= 200 {
            self.transfer_over(now, id, status);
        }
    }

    pub(super) fn transfer_timed_out(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        if call.transfer.as_ref().is_some_and(|transfer| transfer.over) {
            // The time is that of the BYE after a transfer that was done.
            self.hang_up(now, id);
            return;
        }
        let call_id = call.dialog.call_id.clone();
        let seen = "no final NOTIFY".to_owned();
        self.journal.wrong(now, Rule::TransferNotReported, seen, Some(&call_id));
        self.transfer_over(now, id, 408);
    }

    /// Done: Teams ends the old dialog, if that is its habit. Failed: the user takes the call back.
    fn transfer_over(&mut self, now: Instant, id: CallId, status: u16) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(transfer) = &mut call.transfer else { return };
        transfer.over = true;
        let held = call.held_by_user;
        self.timers.stop(&Timer::Transfer(id));
        self.journal.happened(now, What::TransferEnded { call: id.0, status });
        if status < 300 {
            if let Some(after_ms) = self.habits.bye_after_transfer_ms {
                self.timers.set(Timer::Transfer(id), now + Duration::from_millis(after_ms.into()));
            }
        } else if held {
            // A refusal here means that the call is ending: then there is nothing to take back.
            let _ = self.begin_reoffer(now, id, Purpose::Resume, None);
        }
    }

    /// The call whose transfer an INVITE carries out, if it is such an INVITE.
    pub(super) fn transfer_of(&mut self, now: Instant, invite: &Message) -> Result<Option<CallId>, Refusal> {
        let uri = invite.request_uri().unwrap_or_default();
        let by = invite.header(HeaderName::ReferredBy);
        let is_opaque = |text: &[u8]| text.windows(5).any(|w| w.eq_ignore_ascii_case(b";x-m="));
        if !is_opaque(uri) && !by.is_some_and(is_opaque) {
            return Ok(None);
        }
        let candidate = self.calls.iter().find_map(|(id, call)| {
            let transfer = call.transfer.as_ref()?;
            let same_by = by == Some(transfer.referred_by.as_slice());
            let same_to = uri == inner(&transfer.refer_to);
            (same_by || same_to).then_some((*id, same_by && same_to, transfer.invited, transfer.over))
        });
        let call_id = Some(invite.call_id());
        let to_is_same = invite.to().uri == uri;
        match candidate {
            Some((id, true, false, false)) if to_is_same => Ok(Some(id)),
            Some((_, true, _, _)) if to_is_same => {
                self.journal.wrong(now, Rule::TransferRepeated, first_line(invite), call_id);
                let refusal = Refusal::new(500, 41, "Transfer call without draft call data");
                Err(refusal.with_sub_code(540_500))
            }
            _ => {
                let by = by.map(String::from_utf8_lossy).unwrap_or_default();
                let to = String::from_utf8_lossy(invite.to().uri).into_owned();
                let seen = format!("{}, To: {to}, Referred-By: {by}", first_line(invite));
                self.journal.wrong(now, Rule::TransferChanged, seen, call_id);
                let status = self.habits.changed_transfer_status;
                Err(Refusal::new(status, 111, "Invalid transfer data.").with_sub_code(540_400))
            }
        }
    }

    pub(super) fn transfer_arrived(&mut self, now: Instant, id: CallId, new: CallId) {
        if let Some(transfer) = self.calls.get_mut(&id).and_then(|call| call.transfer.as_mut()) {
            transfer.invited = true;
        }
        self.journal.happened(now, What::TransferArrived { call: id.0, transferred: new.0 });
    }
}

/// The status in the first line of a `message/sipfrag` body.
fn fragment_status(body: &[u8]) -> Option<u16> {
    let line = body.strip_prefix(b"SIP/2.0 ")?;
    std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()
}
