//! An INVITE that we took, up to its final answer: provisional responses, reliable or not, and CANCEL.

use std::sync::Arc;
use std::time::Duration;

use super::compose::{self, OwnHeader};
use super::ending::Remains;
use super::engine::LegTimer;
use super::established::{Became, Established};
use super::turn::{Asked, Turn};
use super::vocabulary::{Answer, Body, EndedBy, Event, Identity};
use crate::dialog::Dialog;
use crate::header::HeaderName;
use crate::message::Message;
use crate::method::Method;
use crate::reliable::Reliable;
use crate::session_timer::{RefreshBy, Verdict};
use crate::timer::T1_64;
use crate::transaction::ServerId;

/// An INVITE that we took and that has no final answer yet.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) dialog: Dialog,
    pub(super) server: ServerId,
    request: Arc<Message>,
    /// Whether it carries an offer.
    offered: bool,
    reliable: Reliable<Answer>,
    /// Our session description, once a reliable response has carried it: it is not sent again.
    settled: Option<Body>,
    /// Whether that description is an offer without an answer yet.
    awaits_answer: bool,
    /// The status of the latest provisional response.
    latest: Option<u16>,
    /// A 2xx that waits for the PRACK of what was sent before it.
    accepting: Option<Answer>,
    /// An UPDATE of the peer whose offer the user has not answered.
    theirs: Option<Asked>,
}

impl Incoming {
    pub(super) fn new(turn: &mut Turn<'_>, dialog: Dialog, server: ServerId, request: Arc<Message>) -> Self {
        turn.set(LegTimer::Unanswered, UNANSWERED_MAX);
        turn.set(LegTimer::StillRinging, REMIND_AFTER);
        Self {
            dialog,
            server,
            offered: compose::session(&request).is_some(),
            request,
            reliable: Reliable::new(turn.engine.random.word() as u32),
            settled: None,
            awaits_answer: false,
            latest: None,
            accepting: None,
            theirs: None,
        }
    }

    /// The user says who we are: now the INVITE's demands can be judged.
    pub(super) fn on_identity(&mut self, turn: &mut Turn<'_>, identity: &Identity) -> Option<Became> {
        let wants = |option: &str, can: bool| !can && self.request.requires(option);
        let missing = if wants("100rel", identity.reliable_provisional) {
            Some("100rel")
        } else if wants("timer", identity.session_timer.is_some()) {
            Some("timer")
        } else {
            None
        };
        if let Some(option) = missing {
            return self.refuse(turn, 420, &[(HeaderName::Unsupported, option.into())]);
        }
        match Verdict::of(&self.request, identity.session_timer, None) {
            Verdict::TooSmall(least) => {
                self.refuse(turn, 422, &[(HeaderName::MinSe, least.to_string().into_bytes())])
            }
            Verdict::NoTimer | Verdict::Timer(_) => None,
        }
    }

    fn refuse(&mut self, turn: &mut Turn<'_>, status: u16, own: &[OwnHeader]) -> Option<Became> {
        let answer = Answer { status, ..Answer::default() };
        self.finish(turn, &answer, own, EndedBy::OurSide)
    }

    /// Sends the final answer of an INVITE that comes to nothing.
    fn finish(
        &mut self,
        turn: &mut Turn<'_>,
        answer: &Answer,
        own: &[OwnHeader],
        why: EndedBy,
    ) -> Option<Became> {
        turn.engine.stop_leg_timers(turn.leg());
        turn.terminate(self.theirs.take());
        turn.reply(self.server, &self.request, answer, own);
        turn.ended(why, Remains::Over.into())
    }

    pub(super) fn progress(&mut self, turn: &mut Turn<'_>, mut answer: Answer) {
        if !matches!(answer.status, 101..=199) || self.accepting.is_some() {
            return;
        }
        let willing = turn.persona.identity.as_ref().is_some_and(|identity| identity.reliable_provisional);
        let reliable = willing
            && (self.request.requires("100rel")
                || (answer.body.is_some() && self.request.supports("100rel")));
        if reliable && self.reliable.is_waiting() {
            self.reliable.wait(answer);
        } else if reliable {
            self.send_reliably(turn, answer);
        } else {
            if !self.offered {
                // An offer needs a reliable response (RFC 3261 section 13.2.1).
                answer.body = None;
            }
            self.latest = Some(answer.status);
            turn.set(LegTimer::StillRinging, REMIND_AFTER);
            turn.reply(self.server, &self.request, &answer, &[]);
        }
    }

    fn send_reliably(&mut self, turn: &mut Turn<'_>, mut answer: Answer) {
        if self.settled.is_some() {
            answer.body = None;
        } else if !self.offered && answer.body.is_none() {
            // The first reliable response must carry the offer (RFC 3262 section 5): this one says nothing.
            return;
        }
        let rseq = self.reliable.take_rseq();
        let own =
            [(HeaderName::Require, b"100rel".to_vec()), (HeaderName::RSeq, rseq.to_string().into_bytes())];
        self.latest = Some(answer.status);
        turn.set(LegTimer::StillRinging, REMIND_AFTER);
        let Some((_, bytes)) = turn.reply(self.server, &self.request, &answer, &own) else { return };
        let again_after = self.reliable.sent(rseq, bytes);
        turn.set(LegTimer::ReliableAgain, again_after);
        turn.set(LegTimer::ReliableGivesUp, T1_64);
        if answer.body.is_some() {
            self.settled = answer.body;
            self.awaits_answer = !self.offered;
        }
    }

    pub(super) fn accept(&mut self, turn: &mut Turn<'_>, answer: Answer) -> Option<Became> {
        if !matches!(answer.status, 200..=299) || self.accepting.is_some() {
            return None;
        }
        if turn.persona.identity.is_none() {
            // Without an identity there is no Contact, and without a Contact no dialog.
            return self.refuse(turn, 500, &[]);
        }
        if self.reliable.is_waiting() {
            // RFC 3262 section 3: no 2xx before the PRACK for the answer.
            self.accepting = Some(answer);
            return None;
        }
        Some(self.establish(turn, answer))
    }

    fn establish(&mut self, turn: &mut Turn<'_>, mut answer: Answer) -> Became {
        turn.engine.stop_leg_timers(turn.leg());
        let ours = turn.persona.identity.as_ref().and_then(|identity| identity.session_timer);
        let verdict = Verdict::of(&self.request, ours, None);
        let own = compose::session_headers(verdict);
        if self.settled.is_some() {
            answer.body = None;
        }
        let wants_answer = !self.offered && answer.body.is_some();
        let sent = self.settled.take().or_else(|| answer.body.clone());
        let reply = turn.reply(self.server, &self.request, &answer, &own);
        let refresh_by = RefreshBy::of_peer(&self.request);
        let mut established =
            Established::new(self.dialog.clone(), false, verdict.agreed(), refresh_by, sent);
        if let Some(success) = reply {
            established.await_ack(turn, self.request.cseq().number, success, wants_answer);
        }
        established.restart_session_timers(turn);
        established.take_over(turn, self.theirs.take());
        Became::Established(Box::new(established))
    }

    pub(super) fn reject(&mut self, turn: &mut Turn<'_>, answer: Answer) -> Option<Became> {
        if !matches!(answer.status, 300..=699) {
            return None;
        }
        self.finish(turn, &answer, &[], EndedBy::OurSide)
    }

    /// The caller withdrew the INVITE; the CANCEL itself has been answered.
    pub(super) fn on_cancel(&mut self, turn: &mut Turn<'_>, cancel: Arc<Message>) -> Option<Became> {
        let answer = Answer { status: 487, ..Answer::default() };
        self.finish(turn, &answer, &[], EndedBy::Cancelled { request: cancel })
    }

    /// A request of the caller in the early dialog.
    pub(super) fn on_request(&mut self, turn: &mut Turn<'_>, asked: Asked) -> Option<Became> {
        let request = &asked.request;
        match request.method() {
            Method::Prack => return self.on_prack(turn, &asked),
            Method::Bye => {
                turn.reply_status(asked.server, request, 200);
                let answer = Answer { status: 487, ..Answer::default() };
                return self.finish(turn, &answer, &[], EndedBy::Bye { request: request.clone() });
            }
            Method::Info => {
                turn.reply_status(asked.server, request, 200);
                turn.tell(Event::Info { leg: turn.leg(), body: compose::body(request) });
            }
            Method::Options => turn.reply_status(asked.server, request, 200),
            // A second INVITE while the first has no final answer (RFC 3261 section 14.2).
            Method::Invite => turn.ask_later(&asked),
            Method::Update => self.on_update(turn, asked),
            Method::Refer => turn.reply_status(asked.server, request, 403),
            _ => turn.reply_status(asked.server, request, 481),
        }
        None
    }

    fn on_update(&mut self, turn: &mut Turn<'_>, asked: Asked) {
        let offer = compose::session(&asked.request);
        let is_settled = self.settled.is_some() && !self.awaits_answer && !self.reliable.is_waiting();
        self.dialog.refresh_target(&asked.request);
        match offer {
            None => turn.reply_status(asked.server, &asked.request, 200),
            // Another offer may come once a reliable response has answered the first (RFC 3311 section 5.2).
            Some(_) if is_settled && self.theirs.is_none() => {
                self.theirs = Some(turn.reoffered(asked, offer));
            }
            Some(_) => turn.ask_later(&asked),
        }
    }

    /// The user answers the offer of an UPDATE.
    pub(super) fn reanswer(&mut self, turn: &mut Turn<'_>, answer: Answer) {
        let Some(asked) = self.theirs.take() else { return };
        if let Some(ours) = turn.reanswer(&asked, answer) {
            self.settled = Some(ours);
        }
    }

    pub(super) fn refuse_reoffer(&mut self, turn: &mut Turn<'_>, status: u16) {
        let status = if matches!(status, 300..=699) { status } else { 488 };
        self.reanswer(turn, Answer { status, ..Answer::default() });
    }

    fn on_prack(&mut self, turn: &mut Turn<'_>, asked: &Asked) -> Option<Became> {
        let request = &asked.request;
        let cseq = self.request.cseq().number;
        let hit = matches!(request.rack(), Ok(Some(rack)) if self.reliable.acknowledge(rack, cseq));
        if !hit {
            turn.reply_status(asked.server, request, 481);
            return None;
        }
        turn.stop(LegTimer::ReliableAgain);
        turn.stop(LegTimer::ReliableGivesUp);
        let body = compose::session(request);
        if body.is_some() && !self.awaits_answer {
            // A new offer this early: the call goes on with what was agreed.
            turn.reply_status(asked.server, request, 488);
        } else {
            turn.reply_status(asked.server, request, 200);
        }
        if std::mem::take(&mut self.awaits_answer) {
            turn.tell(Event::Reanswered { leg: turn.leg(), answer: body });
        }
        if self.accepting.is_none()
            && let Some(next) = self.reliable.next_waiting()
        {
            self.send_reliably(turn, next);
        }
        if self.reliable.is_waiting() {
            return None;
        }
        let answer = self.accepting.take()?;
        Some(self.establish(turn, answer))
    }

    pub(super) fn on_timer(&mut self, turn: &mut Turn<'_>, timer: LegTimer) -> Option<Became> {
        match timer {
            LegTimer::Unanswered => self.refuse(turn, 480, &[]),
            LegTimer::StillRinging => {
                // RFC 3261 section 13.3.1.1: once a minute, so that proxies do not give up.
                turn.set(LegTimer::StillRinging, REMIND_AFTER);
                if let Some(status) = self.latest {
                    self.progress(turn, Answer { status, ..Answer::default() });
                }
                None
            }
            LegTimer::ReliableAgain => {
                let (bytes, after) = self.reliable.again()?;
                let to = turn.engine.transactions.reply_to(self.server)?.clone();
                turn.engine.transactions.send(to, bytes);
                turn.set(LegTimer::ReliableAgain, after);
                None
            }
            LegTimer::ReliableGivesUp => {
                let answer = Answer { status: 504, ..Answer::default() };
                self.finish(turn, &answer, &[], EndedBy::NeverAcknowledged)
            }
            _ => None,
        }
    }
}

/// How long an INVITE of theirs may stay unanswered by us; then it is answered 480. Whoever lets callers wait
/// answers them first or has a shorter limit; by taste.
const UNANSWERED_MAX: Duration = Duration::from_secs(60 * 60);

/// How often a caller is reminded that we still ring (RFC 3261 section 13.3.1.1).
const REMIND_AFTER: Duration = Duration::from_secs(60);
