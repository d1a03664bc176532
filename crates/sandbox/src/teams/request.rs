//! Requests that Teams sends, and what becomes of them.

use std::time::{Duration, Instant};

use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::method::Method;

use super::call::{CallId, Phase};
use super::connection::{CONNECTIONS_PER_TARGET_MAX, Connection, ConnectionId, Opened};
use super::proxy::{ProxyId, ProxyState};
use super::trunk::{first_line, hop_of};
use super::wire::Request;
use super::{Output, Teams, Timer};
use crate::violation::Rule;

/// A request without a final answer.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// Where it was sent, and where its answer must come.
    pub(super) connection: ConnectionId,
    /// What it is about.
    pub(super) about: About,
    /// Its first line, for people to read.
    pub(super) line: String,
    /// Call-ID.
    pub(super) call_id: Vec<u8>,
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// OPTIONS to a trunk.
    Ping { trunk: String, proxy: ProxyId },
    /// The INVITE of a user's call.
    Invite(CallId),
    /// A re-INVITE.
    Reoffer(CallId),
    /// REFER.
    Refer(CallId),
    /// BYE.
    Bye(CallId),
    /// CANCEL; its answer is of no interest.
    Cancel,
}

/// What became of a request.
pub(super) enum Outcome<'m> {
    /// A provisional or final answer.
    Answer(&'m Message),
    /// None came in time.
    TimedOut,
    /// It could not be sent.
    Unsent(&'m str),
}

/// A request inside a dialog.
pub(super) struct Within<'a> {
    pub(super) method: Method<'a>,
    pub(super) about: About,
    pub(super) contact: Option<String>,
    pub(super) record_route: bool,
    pub(super) headers: Vec<(HeaderName<'static>, Vec<u8>)>,
    pub(super) sdp: Option<String>,
}

impl Teams {
    /// A new branch.
    pub(super) fn branch(&mut self) -> String {
        format!("z9hG4bK{:016x}", self.chance.word())
    }

    /// What stands in Via behind the transport.
    pub(super) fn via(&self, proxy: ProxyId, branch: &str) -> String {
        let address = std::net::SocketAddr::new(self.proxy(proxy).address, self.port);
        format!("{address};branch={branch}")
    }

    /// Sends a request on a connection of Teams' own: a new one if there is none, or if it shall be `fresh` and
    /// there are not too many.
    #[expect(clippy::too_many_arguments, reason = "each is a word of one sentence")]
    pub(super) fn send_request(
        &mut self,
        now: Instant,
        proxy: ProxyId,
        hop: &(String, u16),
        fresh: bool,
        branch: &str,
        about: About,
        request: &Request<'_>,
    ) {
        let connection = self.connection_to(now, proxy, hop, fresh);
        let bytes = request.to_bytes();
        if about != About::Cancel || request.method == Method::Cancel {
            let pending = Pending {
                connection,
                about,
                line: format!("{} {}", request.method, String::from_utf8_lossy(request.uri)),
                call_id: request.call_id.to_vec(),
            };
            // CANCEL has the branch of the INVITE (RFC 3261 section 9.1): the INVITE stays pending.
            if request.method != Method::Cancel {
                self.pending.insert(branch.to_owned(), pending);
            }
            if !matches!(request.method, Method::Invite | Method::Cancel) {
                self.timers.set(Timer::Request(branch.to_owned()), now + TIMER_F);
            }
        }
        self.send(now, connection, bytes);
    }

    /// Sends a request inside a call's dialog, from the next proxy in turn, and gives its branch.
    pub(super) fn send_within(&mut self, now: Instant, id: CallId, within: Within<'_>) -> Option<String> {
        let branch = self.branch();
        let next = self.habits.in_dialog_from_next_proxy;
        let working = |proxy: &ProxyId| self.proxy(*proxy).state != ProxyState::Down;
        let dialog = &self.calls.get(&id)?.dialog;
        let first = if next { dialog.sends_from.next() } else { dialog.sends_from };
        let proxy = [first, first.next(), first.next().next()].into_iter().find(working)?;
        let via = self.via(proxy, &branch);
        let port = self.port;
        let product = self.habits.product.clone();
        let dialog = &mut self.calls.get_mut(&id)?.dialog;
        dialog.sends_from = proxy;
        dialog.local_cseq += 1;
        let route = dialog.record_route(port);
        let (uri, routes) = (dialog.target.clone(), dialog.routes.clone());
        let (local, remote, call_id) = (dialog.local.clone(), dialog.remote.clone(), dialog.call_id.clone());
        let cseq = dialog.local_cseq;
        let hop = hop_of(routes.first().map_or(&uri, |route| inner(route)))?;
        let request = Request {
            method: within.method,
            uri: &uri,
            from: &local,
            to: &remote,
            cseq,
            call_id: &call_id,
            via: &via,
            routes: &routes,
            record_route: within.record_route.then_some(route.as_str()),
            contact: within.contact.as_deref(),
            headers: within.headers,
            product: &product,
            sdp: within.sdp.as_deref(),
        };
        self.send_request(now, proxy, &hop, true, &branch, within.about, &request);
        Some(branch)
    }

    /// Acknowledges a final answer to an INVITE of ours. For a 2xx ACK is a request of its own inside the dialog;
    /// for others it has the branch of the INVITE and goes where that went.
    pub(super) fn send_ack(
        &mut self,
        now: Instant,
        id: CallId,
        answer: &Message,
        pending: Option<(&str, &Pending)>,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let success = answer.status().is_some_and(|status| status.is_success());
        let dialog = &call.dialog;
        let proxy = dialog.sends_from;
        let (uri, routes) = (dialog.target.clone(), dialog.routes.clone());
        let (local, call_id) = (dialog.local.clone(), dialog.call_id.clone());
        let to = answer.headers(HeaderName::To).next().unwrap_or_default().to_vec();
        let Some(hop) = hop_of(routes.first().map_or(&uri, |route| inner(route))) else { return };
        let branch = match (success, pending) {
            (false, Some((branch, _))) => branch.to_owned(),
            _ => self.branch(),
        };
        let via = self.via(proxy, &branch);
        let product = self.habits.product.clone();
        let request = Request {
            method: Method::Ack,
            uri: &uri,
            from: &local,
            to: &to,
            cseq: answer.cseq().number,
            call_id: &call_id,
            via: &via,
            routes: if success { &routes } else { &[] },
            record_route: None,
            contact: None,
            headers: Vec::new(),
            product: &product,
            sdp: None,
        };
        let bytes = request.to_bytes();
        let connection = match pending {
            Some((_, pending)) if !success => pending.connection,
            _ => self.connection_to(now, proxy, &hop, false),
        };
        self.send(now, connection, bytes);
    }

    /// A response came.
    pub(super) fn handle_response(&mut self, now: Instant, id: ConnectionId, message: &Message) {
        let branch =
            message.via().branch().map(|b| String::from_utf8_lossy(b).into_owned()).unwrap_or_default();
        let Some(pending) = self.pending.get(&branch).cloned() else {
            self.answer_again(now, message);
            return;
        };
        if message.method() == Method::Cancel {
            return;
        }
        if pending.connection != id {
            self.journal.wrong(now, Rule::ResponseElsewhere, first_line(message), Some(message.call_id()));
        }
        if !message.status().is_some_and(|status| status.is_provisional()) {
            self.pending.remove(&branch);
            self.timers.stop(&Timer::Request(branch.clone()));
            if matches!(pending.about, About::Invite(_) | About::Reoffer(_))
                && !message.status().is_some_and(|status| status.is_success())
                && let About::Invite(call) | About::Reoffer(call) = pending.about
            {
                self.send_ack(now, call, message, Some((&branch, &pending)));
            }
        }
        self.tell(now, &pending, &Outcome::Answer(message));
    }

    pub(super) fn request_timed_out(&mut self, now: Instant, branch: &str) {
        let Some(pending) = self.pending.remove(branch) else { return };
        self.journal.wrong(now, Rule::NotAnswered, pending.line.clone(), Some(&pending.call_id));
        self.tell(now, &pending, &Outcome::TimedOut);
    }

    /// The connection of these requests could not be opened, or is gone: no answer will come.
    pub(super) fn requests_unsent(&mut self, now: Instant, id: ConnectionId, error: &str) {
        let waited = self.pending.iter().filter(|(_, pending)| pending.connection == id);
        let waited: Vec<String> = waited.map(|(branch, _)| branch.clone()).collect();
        for branch in waited {
            self.timers.stop(&Timer::Request(branch.clone()));
            if let Some(pending) = self.pending.remove(&branch) {
                self.tell(now, &pending, &Outcome::Unsent(error));
            }
        }
    }

    fn tell(&mut self, now: Instant, pending: &Pending, outcome: &Outcome<'_>) {
        match &pending.about {
            About::Ping { trunk, proxy } => self.ping_answered(now, trunk, *proxy, outcome),
            About::Invite(call) => self.invite_answered(now, *call, outcome),
            About::Reoffer(call) => self.reoffer_answered(now, *call, outcome),
            About::Refer(call) => self.refer_answered(now, *call, outcome),
            About::Bye(call) => self.bye_answered(now, *call, outcome),
            About::Cancel => {}
        }
    }

    /// A 200 to an INVITE that was acknowledged before came again: the ACK is sent again.
    fn answer_again(&mut self, now: Instant, message: &Message) {
        let success = message.status().is_some_and(|status| status.is_success());
        if message.method() != Method::Invite || !success {
            return;
        }
        if let Some(id) = self.call_by_id(message.call_id())
            && self.calls.get(&id).is_some_and(|call| matches!(call.phase, Phase::Connected | Phase::Ending))
        {
            self.send_ack(now, id, message, None);
        }
    }

    fn connection_to(
        &mut self,
        now: Instant,
        proxy: ProxyId,
        hop: &(String, u16),
        fresh: bool,
    ) -> ConnectionId {
        let known: Vec<ConnectionId> = self.connections.ours(proxy, (&hop.0, hop.1)).collect();
        match known.last() {
            Some(last) if !fresh || known.len() >= CONNECTIONS_PER_TARGET_MAX => *last,
            _ => {
                let (host, port) = hop.clone();
                let opened = Opened::ByTeams { host: host.clone(), port, waiting: Vec::new() };
                let connection = self.connections.insert(Connection {
                    proxy,
                    opened,
                    remote: None,
                    names: Vec::new(),
                    used: now,
                    framer: tandem_sip::framing::Framer::default(),
                });
                self.outputs.push_back(Output::Connect { connection, proxy, host, port });
                connection
            }
        }
    }
}

/// What stands between the brackets of a route.
pub(super) fn inner(route: &[u8]) -> &[u8] {
    let from = route.iter().position(|b| *b == b'<').map_or(0, |at| at + 1);
    let to = route.iter().position(|b| *b == b'>').unwrap_or(route.len());
    route.get(from..to).unwrap_or_default()
}

/// How long a request other than INVITE waits for its final answer: 64 times T1 (RFC 3261 section 17.1.2.2).
pub(super) const TIMER_F: Duration = Duration::from_secs(32);
