//! A dialog that a 2xx confirmed: offers in both directions, session timer, transfers, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use super::compose::{self, OwnHeader};
use super::ending::{Ending, Remains};
use super::engine::{Errand, LegTimer, Sent};
use super::persona::Content;
use super::transfer::Transfers;
use super::turn::{Asked, RETRY_AFTER_SECONDS_END, Turn};
use super::unacknowledged::Unacknowledged;
use super::vocabulary::{Answer, Body, EndedBy, Event, ExtraHeader};
use crate::dialog::Dialog;
use crate::header::HeaderName;
use crate::message::Message;
use crate::method::Method;
use crate::session_timer::{self, Agreed, RefreshBy, Verdict};
use crate::timer::{T1, T1_64};
use crate::transaction::{ClientKey, ServerId};

/// What became of an INVITE.
#[derive(Debug)]
pub(super) enum Became {
    /// A dialog.
    Established(Box<Established>),
    /// What remains of one that nobody wanted, or of none.
    Remains(Remains),
}

impl From<Remains> for Became {
    fn from(remains: Remains) -> Self {
        Self::Remains(remains)
    }
}

/// A dialog with a 2xx, sent or received.
#[derive(Debug)]
pub(super) struct Established {
    pub(super) dialog: Dialog,
    /// Whether the Call-ID is ours: it decides who waits longer after glare.
    began: bool,
    session: Option<Agreed>,
    refresh_by: RefreshBy,
    /// Our latest session description, for refreshes.
    pub(super) sent: Option<Body>,
    ours: Option<Ours>,
    theirs: Option<Theirs>,
    /// An offer of the user for which it is not yet time.
    waiting: Option<Body>,
    /// Our 2xx, until its ACK comes.
    unacknowledged: Option<Unacknowledged>,
    pub(super) transfers: Transfers,
}

/// A re-INVITE or UPDATE of ours.
#[derive(Debug)]
struct Ours {
    progress: Progress,
    /// What it offers.
    body: Option<Body>,
    /// Whether the user asked for it; a refresh is not told.
    told: bool,
    /// Min-SE of a 422.
    min_se: u32,
    glares: u8,
}

#[derive(Debug, PartialEq, Eq)]
enum Progress {
    /// It is on its way.
    Sent(ClientKey),
    /// It met a request of the peer (491) and waits for its next try.
    BackingOff,
}

/// An offer of theirs that the user has not answered.
#[derive(Debug)]
enum Theirs {
    /// In a re-INVITE or UPDATE; a re-INVITE without offer asks for ours.
    Request { server: ServerId, request: Arc<Message>, verdict: Verdict, offered: bool },
    /// In the 2xx to our INVITE without offer: the ACK carries the answer.
    Success { key: ClientKey, cseq: u32 },
}

impl Established {
    pub(super) fn new(
        dialog: Dialog,
        began: bool,
        session: Option<Agreed>,
        refresh_by: RefreshBy,
        sent: Option<Body>,
    ) -> Self {
        Self {
            dialog,
            began,
            session,
            refresh_by,
            sent,
            ours: None,
            theirs: None,
            waiting: None,
            unacknowledged: None,
            transfers: Transfers::default(),
        }
    }

    /// Our 2xx to the INVITE of that CSeq was sent.
    pub(super) fn await_ack(&mut self, turn: &mut Turn<'_>, cseq: u32, success: Sent, wants_answer: bool) {
        self.unacknowledged = Some(Unacknowledged::begin(turn, cseq, success, wants_answer));
    }

    /// The 2xx to our INVITE carries their offer: the ACK waits for the user's answer.
    pub(super) fn owe_ack(&mut self, turn: &mut Turn<'_>, key: ClientKey, cseq: u32) {
        turn.engine.keep_ack(key, turn.persona, &self.dialog, None);
        self.theirs = Some(Theirs::Success { key, cseq });
        turn.set(LegTimer::SuccessGivesUp, T1_64);
    }

    /// Goes on with an UPDATE whose offer came in the early dialog.
    pub(super) fn take_over(&mut self, turn: &mut Turn<'_>, theirs: Option<Asked>) {
        let is_ours = |asked: &Asked| {
            let tag = asked.request.from().tag().unwrap_or_default();
            self.theirs.is_none() && self.dialog.matches(asked.request.call_id(), tag)
        };
        match theirs {
            Some(asked) if is_ours(&asked) => {
                let Asked { server, request } = asked;
                let verdict = self.session.map_or(Verdict::NoTimer, Verdict::Timer);
                self.theirs = Some(Theirs::Request { server, request, verdict, offered: true });
            }
            other => turn.terminate(other),
        }
    }

    /// A 2xx was sent or received: the session is fresh.
    pub(super) fn restart_session_timers(&mut self, turn: &mut Turn<'_>) {
        turn.stop(LegTimer::Refresh);
        turn.stop(LegTimer::SessionExpiry);
        let Some(agreed) = self.session else { return };
        turn.set(LegTimer::SessionExpiry, agreed.expires_after());
        if let Some(after) = agreed.refresh_after() {
            turn.set(LegTimer::Refresh, after);
        }
    }

    /// A request of the peer in the dialog.
    pub(super) fn on_request(&mut self, turn: &mut Turn<'_>, asked: Asked) -> Option<Remains> {
        let request = &asked.request;
        match request.method() {
            Method::Invite | Method::Update => self.on_offer(turn, asked),
            Method::Bye => {
                turn.reply_status(asked.server, request, 200);
                self.leave_nothing_open(turn);
                return turn.ended(EndedBy::Bye { request: request.clone() }, Remains::Over);
            }
            Method::Info => {
                turn.reply_status(asked.server, request, 200);
                turn.tell(Event::Info { leg: turn.leg(), body: compose::body(request) });
            }
            Method::Options => turn.reply_status(asked.server, request, 200),
            Method::Refer => self.transfers.on_refer(turn, asked),
            // No PRACK waits and we have no subscription (RFC 6665 section 4.1.3).
            _ => turn.reply_status(asked.server, request, 481),
        }
        None
    }

    fn on_offer(&mut self, turn: &mut Turn<'_>, asked: Asked) {
        let Asked { server, request } = asked;
        let is_invite = request.method() == Method::Invite;
        let offer = compose::session(&request);
        let asks_media = is_invite || offer.is_some();
        if asks_media && matches!(&self.ours, Some(Ours { progress: Progress::Sent(_), body: Some(_), .. })) {
            turn.reply_status(server, &request, 491);
            return;
        }
        let awaits_answer = self.unacknowledged.as_ref().is_some_and(|success| success.wants_answer);
        if asks_media && (self.theirs.is_some() || awaits_answer) {
            turn.ask_later(&Asked { server, request });
            return;
        }
        let timer = turn.persona.identity.as_ref().and_then(|identity| identity.session_timer);
        let verdict = Verdict::of(&request, timer, self.session);
        if let Verdict::TooSmall(least) = verdict {
            let own = [(HeaderName::MinSe, least.to_string().into_bytes())];
            turn.reply(server, &request, &status(422), &own);
            return;
        }
        self.dialog.refresh_target(&request);
        self.refresh_by = RefreshBy::of_peer(&request);
        if !asks_media {
            turn.reply(server, &request, &status(200), &compose::session_headers(verdict));
            self.session = verdict.agreed();
            self.restart_session_timers(turn);
            return;
        }
        if is_invite {
            if self.unacknowledged.is_some() {
                // They go on, so our 2xx arrived, although its ACK did not.
                self.acknowledged(turn, None);
            }
            turn.engine.invites.insert(server, turn.leg());
            turn.reply_status(server, &request, 100);
        }
        let offered = offer.is_some();
        self.theirs = Some(Theirs::Request { server, request: request.clone(), verdict, offered });
        turn.tell(Event::Reoffer { leg: turn.leg(), offer, request });
    }

    /// The user answers their offer, or makes the one that they asked for.
    pub(super) fn reanswer(&mut self, turn: &mut Turn<'_>, answer: Answer) -> Option<Remains> {
        if answer.status != 0 && !matches!(answer.status, 200..=299) {
            return self.refuse_reoffer(turn, answer.status);
        }
        let answer = if answer.status == 0 { Answer { status: 200, ..answer } } else { answer };
        match self.theirs.take()? {
            Theirs::Request { server, request, verdict, offered } => {
                let reply = turn.reply(server, &request, &answer, &compose::session_headers(verdict));
                self.session = verdict.agreed();
                self.restart_session_timers(turn);
                if request.method() == Method::Invite
                    && let Some(success) = reply
                {
                    self.await_ack(turn, request.cseq().number, success, !offered);
                }
            }
            Theirs::Success { key, cseq } => {
                turn.stop(LegTimer::SuccessGivesUp);
                turn.acknowledge(&self.dialog, key, cseq, answer.body.as_ref());
            }
        }
        if answer.body.is_some() {
            self.sent = answer.body;
        }
        self.go_on(turn);
        None
    }

    /// The user refuses their offer: media stay as they are.
    pub(super) fn refuse_reoffer(&mut self, turn: &mut Turn<'_>, status: u16) -> Option<Remains> {
        if let Some(Theirs::Success { .. }) = self.theirs {
            // Nothing was agreed before: without media there is no call.
            return self.end(turn, Vec::new(), Some(EndedBy::OurSide));
        }
        self.refuse_theirs(turn, if matches!(status, 300..=699) { status } else { 488 });
        self.go_on(turn);
        None
    }

    fn refuse_theirs(&mut self, turn: &mut Turn<'_>, with: u16) {
        match self.theirs.take() {
            Some(Theirs::Request { server, request, .. }) => turn.reply_status(server, &request, with),
            Some(Theirs::Success { key, cseq }) => {
                turn.stop(LegTimer::SuccessGivesUp);
                turn.acknowledge(&self.dialog, key, cseq, None);
            }
            None => {}
        }
    }

    /// The dialog ends: what the peer has asked is answered, what we asked is not waited for.
    fn leave_nothing_open(&mut self, turn: &mut Turn<'_>) {
        self.refuse_theirs(turn, 487);
        self.transfers.end(turn);
        if let Some(Ours { progress: Progress::Sent(key), .. }) = self.ours {
            turn.engine.transactions.limit_invite(turn.now, key, T1_64);
        }
        turn.engine.stop_leg_timers(turn.leg());
    }

    /// The peer withdrew its re-INVITE; the CANCEL itself has been answered.
    pub(super) fn on_cancel(&mut self, turn: &mut Turn<'_>, server: ServerId) {
        if matches!(&self.theirs, Some(Theirs::Request { server: pending, .. }) if *pending == server) {
            self.refuse_theirs(turn, 487);
            self.go_on(turn);
        }
    }

    /// The user offers new media, now or as soon as it is permitted.
    pub(super) fn reoffer(&mut self, turn: &mut Turn<'_>, offer: Body) {
        self.waiting = Some(offer);
        self.go_on(turn);
    }

    /// Sends what waited, if nothing is in its way (RFC 3261 section 14.1, RFC 6337 section 4).
    fn go_on(&mut self, turn: &mut Turn<'_>) {
        if self.ours.is_some() || self.theirs.is_some() || self.unacknowledged.is_some() {
            return;
        }
        let Some(body) = self.waiting.take() else { return };
        self.ours =
            Some(Ours { progress: Progress::BackingOff, body: Some(body), told: true, min_se: 0, glares: 0 });
        self.send_ours(turn);
    }

    /// Sends our re-INVITE or UPDATE, for the first time or again.
    fn send_ours(&mut self, turn: &mut Turn<'_>) {
        let Some(ours) = &mut self.ours else { return };
        let timer = turn.persona.identity.as_ref().and_then(|identity| identity.session_timer);
        let mut own: Vec<OwnHeader> = Vec::new();
        if let Some(timer) = timer {
            let (expires, min) = session_timer::in_request(timer, self.session, ours.min_se);
            own.push((HeaderName::SessionExpires, expires.into_bytes()));
            own.push((HeaderName::MinSe, min.into_bytes()));
        }
        let content = Content { own: &own, extra: &[], body: ours.body.as_ref() };
        let leg = turn.leg();
        let (method, errand) = match ours.body {
            Some(_) => (Method::Invite, Errand::Reinvite(leg)),
            None => (Method::Update, Errand::Update(leg)),
        };
        match turn.request(&mut self.dialog, method, errand, content) {
            Some(key) => ours.progress = Progress::Sent(key),
            None => self.ours_failed(turn, None),
        }
    }

    /// Our re-INVITE or UPDATE did not pass; the dialog goes on as before.
    fn ours_failed(&mut self, turn: &mut Turn<'_>, status: Option<u16>) {
        let Some(ours) = self.ours.take() else { return };
        if ours.told {
            turn.tell(Event::ReofferRefused { leg: turn.leg(), status });
        } else {
            turn.set(LegTimer::Refresh, REFRESH_AGAIN_AFTER);
        }
        self.go_on(turn);
    }

    /// A response to our re-INVITE or UPDATE.
    pub(super) fn on_response(
        &mut self,
        turn: &mut Turn<'_>,
        key: ClientKey,
        response: &Message,
    ) -> Option<Remains> {
        let code = response.status()?.code();
        let Some(ours) = &mut self.ours else { return None };
        if ours.progress != Progress::Sent(key) {
            return None;
        }
        match code {
            0..=199 => turn.engine.transactions.limit_invite(turn.now, key, REOFFER_ANSWERED_WITHIN),
            200..=299 => {
                self.dialog.refresh_target(response);
                if response.method() == Method::Invite {
                    turn.acknowledge(&self.dialog, key, response.cseq().number, None);
                }
                self.passed(turn, response);
            }
            491 if ours.glares < GLARES_MAX => {
                ours.glares += 1;
                ours.progress = Progress::BackingOff;
                let after = back_off(turn, self.began);
                turn.set(LegTimer::Glare, after);
            }
            // The peer has an offer of its own open (RFC 3261 section 14.2).
            500 if ours.glares < GLARES_MAX && asks_later(response).is_some() => {
                ours.glares += 1;
                ours.progress = Progress::BackingOff;
                turn.set(LegTimer::Glare, asks_later(response).unwrap_or_default());
            }
            422 if matches!(response.min_se(), Ok(Some(least)) if least > ours.min_se) => {
                ours.min_se = response.min_se().ok().flatten().unwrap_or_default();
                self.send_ours(turn);
            }
            481 => {
                self.leave_nothing_open(turn);
                return turn.ended(EndedBy::PeerLost, Remains::Over);
            }
            408 => return self.lost(turn),
            _ => self.ours_failed(turn, Some(code)),
        }
        None
    }

    /// Our request was sent again under another key, with credentials.
    pub(super) fn sent_again(&mut self, before: ClientKey, now: ClientKey) {
        if let Some(ours) = &mut self.ours
            && ours.progress == Progress::Sent(before)
        {
            ours.progress = Progress::Sent(now);
        }
    }

    fn passed(&mut self, turn: &mut Turn<'_>, response: &Message) {
        let Some(ours) = self.ours.take() else { return };
        let timer = turn.persona.identity.as_ref().and_then(|identity| identity.session_timer);
        self.session = timer.and_then(|_| Agreed::by_response(response));
        self.restart_session_timers(turn);
        if ours.body.is_some() {
            self.sent = ours.body;
        }
        if ours.told {
            turn.tell(Event::Reanswered { leg: turn.leg(), answer: compose::session(response) });
        }
        self.go_on(turn);
    }

    /// A request of ours in the dialog had no response.
    pub(super) fn on_no_response(&mut self, turn: &mut Turn<'_>) -> Option<Remains> {
        self.lost(turn)
    }

    /// INFO was answered.
    pub(super) fn on_info_response(&mut self, turn: &mut Turn<'_>, status: u16) -> Option<Remains> {
        if matches!(status, 408 | 481) { self.lost(turn) } else { None }
    }

    /// The peer no longer knows the dialog, or cannot be reached: BYE, in case it can.
    fn lost(&mut self, turn: &mut Turn<'_>) -> Option<Remains> {
        let next = self.end(turn, Vec::new(), None);
        turn.ended(EndedBy::PeerLost, next.unwrap_or(Remains::Over))
    }

    /// The ACK for a 2xx of ours.
    pub(super) fn on_ack(&mut self, turn: &mut Turn<'_>, ack: &Message) {
        if self.unacknowledged.as_ref().is_some_and(|success| success.is_acknowledged_by(ack)) {
            self.acknowledged(turn, compose::session(ack));
            self.go_on(turn);
        }
    }

    fn acknowledged(&mut self, turn: &mut Turn<'_>, body: Option<Body>) {
        let Some(success) = self.unacknowledged.take() else { return };
        turn.stop(LegTimer::SuccessAgain);
        turn.stop(LegTimer::SuccessGivesUp);
        let answer = body.filter(|_| success.wants_answer);
        turn.tell(Event::Acknowledged { leg: turn.leg(), answer });
    }

    pub(super) fn info(&mut self, turn: &mut Turn<'_>, body: &Body) {
        let errand = Errand::Info(turn.leg());
        let content = Content { body: Some(body), ..Content::default() };
        turn.request(&mut self.dialog, Method::Info, errand, content);
    }

    /// The user wants no more of it.
    pub(super) fn hang_up(&mut self, turn: &mut Turn<'_>, headers: Vec<ExtraHeader>) -> Option<Remains> {
        self.end(turn, headers, Some(EndedBy::OurSide))
    }

    /// Ends the dialog: BYE now, or after the ACK that must come before it. `why` is told when that is done.
    fn end(
        &mut self,
        turn: &mut Turn<'_>,
        headers: Vec<ExtraHeader>,
        why: Option<EndedBy>,
    ) -> Option<Remains> {
        self.leave_nothing_open(turn);
        let dialog = self.dialog.clone();
        Some(match self.unacknowledged.take() {
            Some(success) => Ending::after_ack(turn, dialog, success, headers, why),
            None => Ending::begin(turn, dialog, headers, why),
        })
    }

    pub(super) fn on_timer(&mut self, turn: &mut Turn<'_>, timer: LegTimer) -> Option<Remains> {
        match timer {
            LegTimer::SuccessAgain => {
                self.unacknowledged.as_mut()?.again(turn);
                None
            }
            LegTimer::SuccessGivesUp => {
                self.unacknowledged = None;
                let next = self.end(turn, Vec::new(), None);
                turn.ended(EndedBy::NeverAcknowledged, next.unwrap_or(Remains::Over))
            }
            LegTimer::Glare => {
                if self.theirs.is_some() || self.unacknowledged.is_some() {
                    turn.set(LegTimer::Glare, T1);
                } else {
                    self.send_ours(turn);
                }
                None
            }
            LegTimer::Refresh => {
                self.refresh(turn);
                None
            }
            LegTimer::SessionExpiry => {
                let next = self.end(turn, Vec::new(), None);
                turn.ended(EndedBy::SessionExpired, next.unwrap_or(Remains::Over))
            }
            LegTimer::Refer(refer) => {
                self.transfers.on_expiry(turn, &mut self.dialog, refer);
                None
            }
            _ => None,
        }
    }

    /// Refreshes the session; what is on its way already refreshes it too.
    fn refresh(&mut self, turn: &mut Turn<'_>) {
        if self.ours.is_some() || self.theirs.is_some() || self.unacknowledged.is_some() {
            turn.set(LegTimer::Refresh, REFRESH_AGAIN_AFTER);
            return;
        }
        let body = match self.refresh_by {
            RefreshBy::Update => None,
            RefreshBy::Reinvite => self.sent.clone(),
        };
        if body.is_none() && self.refresh_by == RefreshBy::Reinvite {
            return;
        }
        self.ours = Some(Ours { progress: Progress::BackingOff, body, told: false, min_se: 0, glares: 0 });
        self.send_ours(turn);
    }
}

/// What a 500 with a short Retry-After says to wait.
fn asks_later(response: &Message) -> Option<Duration> {
    let seconds = response.retry_after().ok()??;
    (u64::from(seconds) < RETRY_AFTER_SECONDS_END).then(|| Duration::from_secs(seconds.into()))
}

/// How long to wait after glare, in steps of 10 ms: 2.1 to 4 s for the side whose Call-ID it is, 0 to 2 s for the
/// other (RFC 3261 section 14.1).
fn back_off(turn: &mut Turn<'_>, began: bool) -> Duration {
    let steps = if began { 210 + turn.engine.random.below(191) } else { turn.engine.random.below(201) };
    Duration::from_millis(10 * steps)
}

fn status(status: u16) -> Answer {
    Answer { status, ..Answer::default() }
}

/// How often our re-INVITE is tried after glare; then the refusal is told.
const GLARES_MAX: u8 = 5;

/// How long a re-INVITE may take from its latest provisional response: machines answer it. Then the peer counts as
/// lost. As long as a proxy waits at least (Timer C).
const REOFFER_ANSWERED_WITHIN: Duration = Duration::from_secs(180);

/// When a refresh that was refused, or met another request, is tried again. The session's end is not put off.
const REFRESH_AGAIN_AFTER: Duration = Duration::from_secs(10);
