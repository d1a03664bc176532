//! Transfers that the peer asks for: REFER, and the subscription that tells it how it went (RFC 3515).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::engine::{Errand, LegTimer};
use super::persona::Content;
use super::turn::{Asked, Turn};
use super::vocabulary::{Answer, Body, Event, ReferId};
use crate::dialog::Dialog;
use crate::header::HeaderName;
use crate::message::Message;
use crate::method::Method;
use crate::status::StatusCode;
use crate::transaction::ServerId;

/// The transfers that the peer of one leg has asked for.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    open: Vec<Transfer>,
    /// Whether a REFER came before in this dialog: only then Event needs an id (RFC 3515 section 2.4.6).
    seen: bool,
    /// NOTIFYs go one after the other, so that none overtakes another.
    notifying: Option<ReferId>,
    queue: VecDeque<Notify>,
}

/// One REFER.
#[derive(Debug)]
struct Transfer {
    id: ReferId,
    /// The Event header of its NOTIFYs.
    event: Vec<u8>,
    /// Whether the peer wants no NOTIFY (`Refer-Sub: false`, RFC 4488).
    silent: bool,
    /// The REFER until it is answered.
    asked: Option<(ServerId, Arc<Message>)>,
    /// The latest that was told, to be repeated when the subscription runs out.
    latest: (u16, Box<str>),
}

#[derive(Debug)]
struct Notify {
    refer: ReferId,
    event: Vec<u8>,
    status: u16,
    reason: Box<str>,
    last: Option<&'static str>,
}

impl Transfers {
    pub(super) fn on_refer(&mut self, turn: &mut Turn<'_>, asked: Asked) {
        let Asked { server, request } = asked;
        if request.headers(HeaderName::ReferTo).count() != 1 {
            // RFC 3515 section 2.4.2.
            turn.reply_status(server, &request, 400);
            return;
        }
        if self.open.len() >= OPEN_MAX {
            turn.reply_status(server, &request, 503);
            return;
        }
        let id = ReferId(turn.engine.next_id());
        let event = match self.seen {
            false => b"refer".to_vec(),
            true => format!("refer;id={}", request.cseq().number).into_bytes(),
        };
        self.seen = true;
        let silent =
            request.header(HeaderName::ReferSub).is_some_and(|value| value.eq_ignore_ascii_case(b"false"));
        let latest = (100, Box::<str>::from("Trying"));
        self.open.push(Transfer { id, event, silent, asked: Some((server, request.clone())), latest });
        turn.set(LegTimer::Refer(id), SUBSCRIPTION_LASTS);
        turn.tell(Event::Refer { leg: turn.leg(), refer: id, request });
    }

    pub(super) fn accept(&mut self, turn: &mut Turn<'_>, dialog: &mut Dialog, refer: ReferId) {
        let Some(transfer) = self.open.iter_mut().find(|transfer| transfer.id == refer) else { return };
        let Some((server, request)) = transfer.asked.take() else { return };
        let refer_sub = [(HeaderName::ReferSub, b"false".to_vec())];
        let own = if transfer.silent { &refer_sub[..] } else { &[] };
        turn.reply(server, &request, &Answer { status: 202, ..Answer::default() }, own);
        // RFC 3515 section 2.4.4: the first NOTIFY goes at once.
        self.notify(turn, dialog, refer, 100, "Trying", None);
    }

    pub(super) fn refuse(&mut self, turn: &mut Turn<'_>, refer: ReferId, status: u16) {
        let Some(at) = self.open.iter().position(|transfer| transfer.id == refer) else { return };
        let Some((server, request)) = self.open.get_mut(at).and_then(|transfer| transfer.asked.take()) else {
            return;
        };
        self.close(turn, refer);
        let status = if matches!(status, 300..=699) { status } else { 603 };
        turn.reply_status(server, &request, status);
    }

    /// Tells the peer how far the transfer is.
    pub(super) fn report(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: &mut Dialog,
        refer: ReferId,
        status: u16,
        reason: &str,
        last: bool,
    ) {
        if self.open.iter().any(|transfer| transfer.id == refer && transfer.asked.is_none()) {
            self.notify(turn, dialog, refer, status, reason, last.then_some("noresource"));
        }
    }

    fn notify(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: &mut Dialog,
        refer: ReferId,
        status: u16,
        reason: &str,
        last: Option<&'static str>,
    ) {
        let Some(transfer) = self.open.iter_mut().find(|transfer| transfer.id == refer) else { return };
        transfer.latest = (status, reason.into());
        let (silent, event) = (transfer.silent, transfer.event.clone());
        if last.is_some() {
            self.close(turn, refer);
        }
        if silent {
            return;
        }
        if self.queue.len() >= QUEUE_MAX {
            self.queue.pop_front();
        }
        self.queue.push_back(Notify { refer, event, status, reason: reason.into(), last });
        self.go_on(turn, dialog);
    }

    /// Sends the next NOTIFY, if none is on its way.
    fn go_on(&mut self, turn: &mut Turn<'_>, dialog: &mut Dialog) {
        while self.notifying.is_none()
            && let Some(notify) = self.queue.pop_front()
        {
            let errand = Errand::Notify(turn.leg(), notify.refer);
            if notify.send(turn, dialog, errand) {
                self.notifying = Some(notify.refer);
            }
        }
    }

    /// A NOTIFY was answered, or not at all: `lost` says that the peer knows nothing of the subscription. The dialog
    /// goes on (RFC 5057 section 5.2).
    pub(super) fn on_notified(
        &mut self,
        turn: &mut Turn<'_>,
        dialog: &mut Dialog,
        refer: ReferId,
        lost: bool,
    ) {
        self.notifying.take_if(|notifying| *notifying == refer);
        if lost {
            self.queue.retain(|notify| notify.refer != refer);
            self.close(turn, refer);
        }
        self.go_on(turn, dialog);
    }

    /// The subscription has lasted long enough.
    pub(super) fn on_expiry(&mut self, turn: &mut Turn<'_>, dialog: &mut Dialog, refer: ReferId) {
        let Some(transfer) = self.open.iter_mut().find(|transfer| transfer.id == refer) else { return };
        match transfer.asked.take() {
            Some((server, request)) => {
                self.close(turn, refer);
                turn.reply_status(server, &request, 500);
            }
            None => {
                let (status, reason) = transfer.latest.clone();
                self.notify(turn, dialog, refer, status, &reason, Some("timeout"));
            }
        }
    }

    /// The dialog ends: what the user has not answered is answered now.
    pub(super) fn end(&mut self, turn: &mut Turn<'_>) {
        for transfer in self.open.drain(..) {
            if let Some((server, request)) = transfer.asked {
                turn.reply_status(server, &request, 487);
            }
        }
    }

    fn close(&mut self, turn: &mut Turn<'_>, refer: ReferId) {
        self.open.retain(|transfer| transfer.id != refer);
        turn.stop(LegTimer::Refer(refer));
    }
}

impl Notify {
    /// `false`: it could not be written.
    fn send(&self, turn: &mut Turn<'_>, dialog: &mut Dialog, errand: Errand) -> bool {
        let state = match self.last {
            None => format!("active;expires={}", SUBSCRIPTION_LASTS.as_secs()),
            Some(reason) => format!("terminated;reason={reason}"),
        };
        let usual = StatusCode::new(self.status).map_or("", StatusCode::phrase);
        let reason = if self.reason.is_empty() { usual } else { &self.reason };
        let reason = reason.replace(['\r', '\n'], " ");
        let body = Body {
            content_type: "message/sipfrag;version=2.0".into(),
            bytes: format!("SIP/2.0 {} {reason}", self.status).into_bytes().into(),
        };
        let own =
            [(HeaderName::Event, self.event.clone()), (HeaderName::SubscriptionState, state.into_bytes())];
        let content = Content { own: &own, extra: &[], body: Some(&body) };
        turn.request(dialog, Method::Notify, errand, content).is_some()
    }
}

/// Transfers that may be open in one dialog; a further REFER is answered 503.
const OPEN_MAX: usize = 4;

/// NOTIFYs that may wait in one dialog; the oldest gives way, never the last.
const QUEUE_MAX: usize = 16;

/// How long a transfer is reported on; then the subscription ends with what was told last.
const SUBSCRIPTION_LASTS: Duration = Duration::from_secs(180);
