//! An INVITE that we sent, up to its final answer: early dialogs, CANCEL, trying again.

use std::sync::Arc;
use std::time::Duration;

use super::compose::{self, OwnHeader, Request};
use super::ending::{Ending, Remains};
use super::engine::{Errand, LegTimer};
use super::established::{Became, Established};
use super::persona::Content;
use super::turn::{Asked, Turn};
use super::vocabulary::{Answer, Body, EndedBy, Event, ExtraHeader, NoResponse, OutgoingInvite};
use crate::dialog::Dialog;
use crate::flow::Destination;
use crate::header::HeaderName;
use crate::message::Message;
use crate::method::Method;
use crate::reliable::Arrival;
use crate::session_timer::{self, Agreed, RefreshBy};
use crate::timer::T1_64;
use crate::transaction::ClientKey;

/// An INVITE that we sent and that has no 2xx yet.
#[derive(Debug)]
pub(super) struct Outgoing {
    invite: OutgoingInvite,
    call_id: Arc<[u8]>,
    /// From with our tag.
    local: Arc<[u8]>,
    cseq: u32,
    key: ClientKey,
    forks: Vec<Fork>,
    forks_seen: u16,
    /// Whether any response came: before, CANCEL must wait (RFC 3261 section 9.1).
    heard: bool,
    parting: Parting,
    /// An UPDATE of the peer whose offer the user has not answered.
    theirs: Option<Asked>,
    /// Min-SE of the 422 that refused us, in seconds.
    min_se: u32,
    /// How often a longer session was asked for.
    longer: u8,
}

/// One early dialog.
#[derive(Debug)]
struct Fork {
    number: u16,
    dialog: Dialog,
    latest_rseq: Option<u32>,
    /// The latest session description of this fork.
    answer: Option<Body>,
}

impl Fork {
    /// Whether our offer has its final answer already.
    fn is_settled(&self) -> bool {
        self.latest_rseq.is_some() && self.answer.is_some()
    }
}

/// Whether we want to be rid of the INVITE.
#[derive(Debug)]
enum Parting {
    No,
    /// As soon as a provisional response permits CANCEL.
    Wanted(Vec<ExtraHeader>, EndedBy),
    /// CANCEL is out. A 2xx that crosses it gets the same headers with its BYE.
    Cancelled(Vec<ExtraHeader>, EndedBy),
}

impl Outgoing {
    /// Sends the INVITE; `None`: it cannot be, and its end has been told.
    pub(super) fn start(turn: &mut Turn<'_>, invite: OutgoingInvite) -> Option<Box<Self>> {
        let call_id = turn.engine.new_call_id();
        let local = compose::tagged(&invite.from, &turn.persona.tag.text()).into();
        let key = turn.engine.new_key();
        let mut outgoing = Self {
            invite,
            call_id,
            local,
            cseq: 0,
            key,
            forks: Vec::new(),
            forks_seen: 0,
            heard: false,
            parting: Parting::No,
            theirs: None,
            min_se: 0,
            longer: 0,
        };
        if outgoing.send(turn).is_none() {
            let leg = turn.leg();
            turn.tell(Event::Ended { leg, why: EndedBy::NoResponse(NoResponse::Unreachable) });
            return None;
        }
        Some(Box::new(outgoing))
    }

    /// Sends the INVITE under a new branch and CSeq; `None` if it cannot be written.
    fn send(&mut self, turn: &mut Turn<'_>) -> Option<()> {
        self.cseq += 1;
        self.key = turn.engine.new_key();
        let mut own: Vec<OwnHeader> = match &mut turn.persona.digest {
            Some(digest) => digest.authorizations(Method::Invite, &self.invite.request_uri),
            None => Vec::new(),
        };
        if let Some(timer) = self.invite.identity.session_timer {
            let (expires, min) = session_timer::in_request(timer, None, self.min_se);
            own.push((HeaderName::SessionExpires, expires.into_bytes()));
            own.push((HeaderName::MinSe, min.into_bytes()));
        }
        let request = Request {
            method: Method::Invite,
            uri: &self.invite.request_uri,
            identity: &self.invite.identity,
            transport: self.invite.hop.transport,
            branch: &self.key.branch.text(),
            routes: &[],
            last_route: None,
            from: &self.local,
            to: &self.invite.to,
            call_id: &self.call_id,
            cseq: self.cseq,
            contact: Some(&self.invite.contact),
            own: &own,
            extra: &self.invite.headers,
            body: self.invite.offer.as_ref(),
        };
        let bytes = request.write()?;
        let to = Destination::Hop(self.invite.hop.clone());
        let errand = Errand::Invite(turn.leg());
        turn.engine.send(turn.now, self.key, Method::Invite, to, bytes, errand);
        Some(())
    }

    pub(super) fn dialog_mut(&mut self, call_id: &[u8], remote_tag: &[u8]) -> Option<&mut Dialog> {
        self.forks.iter_mut().map(|fork| &mut fork.dialog).find(|dialog| dialog.matches(call_id, remote_tag))
    }

    /// A response to the INVITE.
    pub(super) fn on_response(&mut self, turn: &mut Turn<'_>, response: Arc<Message>) -> Option<Became> {
        let status = response.status()?.code();
        match status {
            100..=199 => {
                self.on_provisional(turn, status, response);
                None
            }
            200..=299 => self.on_success(turn, response),
            _ => self.on_failure(turn, status, response),
        }
    }

    fn on_provisional(&mut self, turn: &mut Turn<'_>, status: u16, response: Arc<Message>) {
        self.heard = true;
        if let Parting::Wanted(..) = self.parting {
            self.cancel(turn);
            return;
        }
        if let Parting::Cancelled(..) = self.parting {
            return;
        }
        turn.set(LegTimer::Unanswered, UNANSWERED_MAX);
        if status == 100 {
            return;
        }
        let Some(at) = self.fork(&response) else { return };
        let body = compose::session(&response);
        if !self.acknowledge_reliably(turn, at, &response) {
            return;
        }
        let Some(fork) = self.forks.get_mut(at) else { return };
        if body.is_some() {
            fork.answer.clone_from(&body);
        }
        let fork_number = fork.number;
        if status == EARLY_DIALOG_TERMINATED {
            self.forks.remove(at);
        }
        turn.tell(Event::Progress { leg: turn.leg(), status, fork: fork_number, response, body });
    }

    /// The early dialog of that response, new if it was never seen; `None` at the limit.
    fn fork(&mut self, response: &Message) -> Option<usize> {
        let tag = response.to().tag().unwrap_or_default();
        if let Some(at) = self.forks.iter().position(|fork| *fork.dialog.remote_tag == *tag) {
            return Some(at);
        }
        if self.forks.len() >= FORKS_MAX {
            return None;
        }
        let dialog = self.dialog_of(response);
        self.forks.push(Fork { number: self.forks_seen, dialog, latest_rseq: None, answer: None });
        self.forks_seen = self.forks_seen.saturating_add(1);
        Some(self.forks.len() - 1)
    }

    fn dialog_of(&self, response: &Message) -> Dialog {
        Dialog::of_response(response, self.call_id.clone(), self.local.clone(), &self.invite.request_uri)
    }

    /// Sends PRACK if the response wants one. `false`: it is a copy or came out of order, and counts for nothing.
    fn acknowledge_reliably(&mut self, turn: &mut Turn<'_>, at: usize, response: &Message) -> bool {
        if !self.invite.identity.reliable_provisional || !response.requires("100rel") {
            return true;
        }
        let Ok(Some(rseq)) = response.rseq() else { return true };
        let Some(fork) = self.forks.get_mut(at) else { return false };
        if Arrival::of(rseq, fork.latest_rseq) == Arrival::NotNext {
            return false;
        }
        fork.latest_rseq = Some(rseq);
        // The proxies on the way of this response may differ from those of an unreliable one before it.
        let mut dialog =
            Dialog::of_response(response, self.call_id.clone(), self.local.clone(), &self.invite.request_uri);
        dialog.local_cseq = fork.dialog.local_cseq;
        dialog.remote_cseq = fork.dialog.remote_cseq;
        fork.dialog = dialog;
        let rack = format!("{rseq} {} INVITE", response.cseq().number).into_bytes();
        let own = [(HeaderName::RAck, rack)];
        let content = Content { own: &own, ..Content::default() };
        let errand = Errand::Prack(turn.leg());
        turn.request(&mut fork.dialog, Method::Prack, errand, content);
        true
    }

    fn on_success(&mut self, turn: &mut Turn<'_>, response: Arc<Message>) -> Option<Became> {
        turn.engine.stop_leg_timers(turn.leg());
        let theirs = self.theirs.take();
        let mut dialog = self.dialog_of(&response);
        let tag = &dialog.remote_tag;
        let early = self.forks.iter().find(|fork| fork.dialog.remote_tag == *tag);
        if let Some(early) = early {
            dialog.local_cseq = dialog.local_cseq.max(early.dialog.local_cseq);
            dialog.remote_cseq = early.dialog.remote_cseq;
        }
        let fork = early.map_or(self.forks_seen, |fork| fork.number);
        // A reliable answer is final; the description in an unreliable response was a preview of that in the 2xx.
        let settled = early.filter(|fork| fork.is_settled()).and_then(|fork| fork.answer.clone());
        let preview = early.and_then(|fork| fork.answer.clone());
        let answer = settled.or_else(|| compose::session(&response)).or(preview);
        let cseq = response.cseq().number;
        match std::mem::replace(&mut self.parting, Parting::No) {
            Parting::No => {}
            Parting::Wanted(headers, why) | Parting::Cancelled(headers, why) => {
                // The 2xx crossed our CANCEL, or came before it could be sent.
                turn.terminate(theirs);
                turn.acknowledge(&dialog, self.key, cseq, None);
                return Some(Ending::begin(turn, dialog, headers, Some(why)).into());
            }
        }
        let session = self.invite.identity.session_timer.and_then(|_| Agreed::by_response(&response));
        let refresh_by = RefreshBy::of_peer(&response);
        let mut established = Established::new(dialog, true, session, refresh_by, self.invite.offer.take());
        if established.sent.is_some() || answer.is_none() {
            turn.acknowledge(&established.dialog, self.key, cseq, None);
        } else {
            // Theirs is the offer: the ACK waits for our answer.
            established.owe_ack(turn, self.key, cseq);
        }
        established.restart_session_timers(turn);
        established.take_over(turn, theirs);
        turn.tell(Event::Accepted { leg: turn.leg(), fork, response, answer });
        Some(Became::Established(Box::new(established)))
    }

    fn on_failure(&mut self, turn: &mut Turn<'_>, status: u16, response: Arc<Message>) -> Option<Became> {
        let why = match std::mem::replace(&mut self.parting, Parting::No) {
            Parting::No if status == 422 && self.asks_for_longer_session(turn, &response) => return None,
            Parting::No => EndedBy::Refused { status, response },
            Parting::Wanted(_, why) | Parting::Cancelled(_, why) => why,
        };
        turn.terminate(self.theirs.take());
        turn.ended(why, Remains::Over.into())
    }

    /// Tries again with the Min-SE of a 422 (RFC 4028 section 7.4).
    fn asks_for_longer_session(&mut self, turn: &mut Turn<'_>, response: &Message) -> bool {
        let Ok(Some(least)) = response.min_se() else { return false };
        if self.invite.identity.session_timer.is_none() || least <= self.min_se || self.longer >= LONGER_MAX {
            return false;
        }
        self.min_se = least;
        self.longer += 1;
        turn.engine.stop_leg_timers(turn.leg());
        self.begin_again();
        self.send(turn).is_some()
    }

    /// What came for the INVITE before counts no more.
    fn begin_again(&mut self) {
        self.forks.clear();
        self.heard = false;
    }

    /// The INVITE was challenged and can be sent again, unless nobody wants it any more: the CSeq and key to do so.
    pub(super) fn challenged(&mut self) -> Option<(&mut u32, &mut ClientKey)> {
        if !matches!(self.parting, Parting::No) {
            return None;
        }
        self.begin_again();
        Some((&mut self.cseq, &mut self.key))
    }

    /// The INVITE had no final response.
    pub(super) fn on_no_response(&mut self, turn: &mut Turn<'_>, why: NoResponse) -> Option<Became> {
        let why = match std::mem::replace(&mut self.parting, Parting::No) {
            Parting::No => EndedBy::NoResponse(why),
            Parting::Wanted(_, why) | Parting::Cancelled(_, why) => why,
        };
        turn.terminate(self.theirs.take());
        turn.ended(why, Remains::Over.into())
    }

    /// A request of the peer in one of our early dialogs.
    pub(super) fn on_request(&mut self, turn: &mut Turn<'_>, asked: Asked) {
        let request = &asked.request;
        match request.method() {
            Method::Info => {
                turn.reply_status(asked.server, request, 200);
                turn.tell(Event::Info { leg: turn.leg(), body: compose::body(request) });
            }
            Method::Options => turn.reply_status(asked.server, request, 200),
            Method::Update => self.on_update(turn, asked),
            Method::Refer => turn.reply_status(asked.server, request, 403),
            _ => turn.reply_status(asked.server, request, 481),
        }
    }

    fn on_update(&mut self, turn: &mut Turn<'_>, asked: Asked) {
        let offer = compose::session(&asked.request);
        let is_free = matches!(self.parting, Parting::No) && self.theirs.is_none();
        let Some(fork) = self.fork_of(&asked.request) else { return };
        fork.dialog.refresh_target(&asked.request);
        match offer {
            None => turn.reply_status(asked.server, &asked.request, 200),
            // Another offer may come once a reliable response has answered the first (RFC 3311 section 5.2).
            Some(_) if is_free && fork.is_settled() => self.theirs = Some(turn.reoffered(asked, offer)),
            Some(_) => turn.ask_later(&asked),
        }
    }

    fn fork_of(&mut self, request: &Message) -> Option<&mut Fork> {
        let tag = request.from().tag().unwrap_or_default();
        self.forks.iter_mut().find(|fork| *fork.dialog.remote_tag == *tag)
    }

    /// The user answers the offer of an UPDATE.
    pub(super) fn reanswer(&mut self, turn: &mut Turn<'_>, answer: Answer) {
        let Some(asked) = self.theirs.take() else { return };
        if let Some(ours) = turn.reanswer(&asked, answer) {
            if let Some(fork) = self.fork_of(&asked.request) {
                fork.answer = compose::session(&asked.request);
            }
            self.invite.offer = Some(ours);
        }
    }

    pub(super) fn refuse_reoffer(&mut self, turn: &mut Turn<'_>, status: u16) {
        let status = if matches!(status, 300..=699) { status } else { 488 };
        self.reanswer(turn, Answer { status, ..Answer::default() });
    }

    /// The user wants no more of it.
    pub(super) fn hang_up(&mut self, turn: &mut Turn<'_>, headers: Vec<ExtraHeader>) {
        if let Parting::No = self.parting {
            self.part(turn, headers, EndedBy::OurSide);
        }
    }

    fn part(&mut self, turn: &mut Turn<'_>, headers: Vec<ExtraHeader>, why: EndedBy) {
        self.parting = Parting::Wanted(headers, why);
        if self.heard {
            self.cancel(turn);
        }
    }

    fn cancel(&mut self, turn: &mut Turn<'_>) {
        let Parting::Wanted(headers, why) = std::mem::replace(&mut self.parting, Parting::No) else { return };
        turn.stop(LegTimer::Unanswered);
        // RFC 3261 section 9.1: what is not answered by then counts as cancelled.
        turn.engine.transactions.limit_invite(turn.now, self.key, T1_64);
        let pending = turn.engine.transactions.pending_invite(self.key);
        let cancel = pending.and_then(|(invite, to)| Some((compose::cancel(invite, &headers)?, to.clone())));
        if let Some((cancel, to)) = cancel {
            turn.engine.send(turn.now, self.key.cancel(), Method::Cancel, to, cancel, Errand::Nothing);
        }
        self.parting = Parting::Cancelled(headers, why);
    }

    pub(super) fn on_timer(&mut self, turn: &mut Turn<'_>, timer: LegTimer) {
        if timer == LegTimer::Unanswered {
            self.part(turn, Vec::new(), EndedBy::NoResponse(NoResponse::TimedOut));
        }
    }
}

/// Early Dialog Terminated (RFC 6228).
const EARLY_DIALOG_TERMINATED: u16 = 199;

/// Early dialogs of one INVITE: one for each ringing client of a Teams user and more. Responses of further ones are
/// not told; their 2xx counts all the same.
const FORKS_MAX: usize = 32;

/// How long an INVITE of ours may ring after its latest provisional response. Then it is cancelled and counts as not
/// answered. Whoever offers calls to people has a shorter limit of their own; by taste.
const UNANSWERED_MAX: Duration = Duration::from_secs(15 * 60);

/// How often an INVITE is sent again with the longer session that its 422 asks for.
const LONGER_MAX: u8 = 3;
