//! A call of a Teams user to the border controller.

use std::time::{Duration, Instant};

use tandem_media::sdp::Direction as Way;
use tandem_media::srtp::SrtpKey;
use tandem_sip::header::{HeaderName, NameAddr, Refresher};
use tandem_sip::message::Message;
use tandem_sip::method::Method;
use tandem_sip::uri::Host;

use super::arrival::is_ours;
use super::call::{Call, CallId, CallMedia, Dialog, Direction, Ending, Phase, Placing, Session, Template};
use super::description::{Theirs, offered_formats};
use super::proxy::{ProxyId, ProxyState};
use super::request::{About, Outcome};
use super::trunk::first_line;
use super::wire::Request;
use super::{CommandRefusal, Output, Teams, Timer};
use crate::event::{By, What};
use crate::media::{PortCommand, Sending};
use crate::violation::Rule;

impl Teams {
    /// Begins a user's call.
    pub(super) fn place(
        &mut self,
        now: Instant,
        user: &str,
        placing: Placing,
    ) -> Result<CallId, CommandRefusal> {
        let user = self.users.get(user).cloned().ok_or(CommandRefusal::NoUser)?;
        let (trunk, host) = self.trunk_of(&user.id).ok_or(CommandRefusal::NoTrunk)?;
        let number = placing.number.clone();
        if !number.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '*' | '#')) || number.is_empty() {
            return Err(CommandRefusal::NotANumber);
        }
        let proxy = self.working_proxy().ok_or(CommandRefusal::NoProxy)?;
        self.calls_begun += 1;
        let id = CallId(self.calls_begun);
        let port = self.next_port();
        let dialog = self.dialog_to(&user, &placing, &host, &trunk, proxy);
        let call = Call {
            user: user.id.clone(),
            trunk,
            direction: Direction::FromUser,
            party: number.clone(),
            behaviour: user.behaviour.clone(),
            voicemail: false,
            phase: Phase::Preparing(Box::new(placing)),
            dialog,
            media: CallMedia {
                port,
                address: None,
                moving: None,
                session: 10_000 + self.chance.below(90_000) as u32,
                version: 0,
                sent: None,
                theirs: None,
                target: None,
                sending: Sending::Nothing,
            },
            held_by_user: false,
            held_by_border: false,
            reoffer: None,
            transfer: None,
            transferred_from: None,
            began: now,
            answered: None,
        };
        self.calls.insert(id, call);
        self.journal.happened(now, What::CallPlaced { call: id.0, user: user.id, to: number });
        let address = self.proxy(proxy).address;
        self.outputs.push_back(Output::Port(PortCommand::Open { port, address }));
        Ok(id)
    }

    fn dialog_to(
        &mut self,
        user: &crate::config::UserConfig,
        placing: &Placing,
        host: &str,
        trunk: &str,
        proxy: ProxyId,
    ) -> Dialog {
        let tag = self.chance.hex32();
        let call_id = self.chance.hex32();
        let hides = placing.anonymous && self.trunks.get(trunk).is_some_and(|trunk| trunk.config.forward_pai);
        let local = if hides {
            format!("\"Anonymous\"<sip:anonymous@anonymous.invalid>;tag={tag}")
        } else {
            let (name, number, port) = (&user.name, &user.number, self.port);
            format!("{name}<sip:{number}@sip.pstnhub.microsoft.com:{port};user=phone>;tag={tag}")
        };
        let port = self.trunks.get(trunk).map_or(5061, |trunk| trunk.config.signalling_port);
        let number = &placing.number;
        let cause = if placing.forwarded_by.is_some() { ";cause=302" } else { "" };
        Dialog {
            local: local.into_bytes(),
            local_tag: tag,
            remote: format!("<sip:{number}@{host}:{port};user=phone>").into_bytes(),
            remote_tag: None,
            target: format!("sip:{number}@{host}:{port};user=phone;transport=tls{cause}").into_bytes(),
            routes: Vec::new(),
            local_cseq: 0,
            remote_cseq: None,
            proxy,
            sends_from: proxy,
            instance: self.chance.guid(),
            conversation: call_id.clone(),
            endpoint: self.chance.hex32(),
            session: None,
            call_id: call_id.into_bytes(),
        }
    }

    /// The port is open: the INVITE goes out.
    pub(super) fn dial(&mut self, now: Instant, id: CallId) {
        let key = SrtpKey::new(self.chance.octets());
        let branch = self.branch();
        let port = self.port;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (Phase::Preparing(placing), Some(address)) = (&call.phase, call.media.address) else { return };
        let placing = placing.as_ref().clone();
        let formats = offered_formats();
        let template = Template {
            formats,
            crypto_tag: 1,
            direction: Way::SendRecv,
            rtcp_mux: true,
            refused: Vec::new(),
        };
        let ours = call.media.describe(key, address, template);
        let sdp = ours.to_string();
        call.media.sent = Some(ours);
        call.phase = Phase::Calling { branch: branch.clone(), progress: false };
        call.dialog.local_cseq = 1;
        let dialog = &call.dialog;
        let (proxy, contact, route) = (dialog.proxy, dialog.contact(), dialog.record_route(port));
        let (uri, local, remote) = (dialog.target.clone(), dialog.local.clone(), dialog.remote.clone());
        let (call_id, trunk, user) = (dialog.call_id.clone(), call.trunk.clone(), call.user.clone());
        let headers = self.invite_headers(&user, &trunk, &placing);
        let via = self.via(proxy, &branch);
        let product = self.habits.product.clone();
        let Some(hop) = super::trunk::hop_of(&uri) else { return };
        let request = Request {
            method: Method::Invite,
            uri: &uri,
            from: &local,
            to: &remote,
            cseq: 1,
            call_id: &call_id,
            via: &via,
            routes: &[],
            record_route: Some(&route),
            contact: Some(&contact),
            headers,
            product: &product,
            sdp: Some(&sdp),
        };
        self.send_request(now, proxy, &hop, false, &branch, About::Invite(id), &request);
        let failover_s = self.trunks.get(&trunk).map_or(10, |trunk| trunk.config.failover_time_s);
        self.timers.set(Timer::Failover(id), now + Duration::from_secs(failover_s.into()));
    }

    fn invite_headers(
        &self,
        user: &str,
        trunk: &str,
        placing: &Placing,
    ) -> Vec<(HeaderName<'static>, Vec<u8>)> {
        let config = self.trunks.get(trunk).map(|trunk| &trunk.config);
        let (port, habits) = (self.port, &self.habits);
        let mut headers = vec![
            (HeaderName::MinSe, habits.session_expires_min_s.to_string().into_bytes()),
            (HeaderName::Supported, b"timer".to_vec()),
            (HeaderName::SessionExpires, habits.session_expires_s.to_string().into_bytes()),
        ];
        let phone = |number: &str| format!("sip:{number}@sip.pstnhub.microsoft.com:{port};user=phone");
        if let Some(user) = self.users.get(user)
            && config.is_some_and(|config| config.forward_pai)
        {
            let identity = format!("<tel:{}>,<sip:{}@contoso.example>", user.number, user.id);
            headers.push((HeaderName::PAssertedIdentity, identity.into_bytes()));
            if placing.anonymous {
                headers.push((HeaderName::Privacy, b"id".to_vec()));
            }
        }
        let forwarder = placing.forwarded_by.as_ref().and_then(|user| self.users.get(user));
        if let Some(forwarder) = forwarder
            && config.is_some_and(|config| config.forward_call_history)
        {
            let (first, then) = (phone(&forwarder.number), phone(&placing.number));
            let reason = "Reason=SIP%3Bcause%3D302%3Btext%3D%22Moved%20Temporarily%22";
            let history = format!("<{first}?{reason}>;index=1,<{then}>;index=1.1");
            headers.push((HeaderName::HistoryInfo, history.into_bytes()));
            headers.push((HeaderName::ReferredBy, format!("<{first}>").into_bytes()));
        }
        if let Some(call) = placing.replaces.and_then(|id| self.calls.get(&id)) {
            let id = String::from_utf8_lossy(&call.dialog.call_id).into_owned();
            let theirs = call.dialog.remote_tag.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            let replaces = format!("{id};to-tag={theirs};from-tag={}", call.dialog.local_tag);
            headers.push((HeaderName::Require, b"replaces".to_vec()));
            headers.push((HeaderName::Replaces, replaces.into_bytes()));
            let user = self.users.get(user).map_or("", |user| &user.number);
            headers.push((HeaderName::ReferredBy, format!("<{}>", phone(user)).into_bytes()));
        }
        headers
    }

    pub(super) fn invite_answered(&mut self, now: Instant, id: CallId, outcome: &Outcome<'_>) {
        let answer = match outcome {
            Outcome::Answer(answer) => *answer,
            Outcome::TimedOut => return self.finish(now, id, Ending::refused(By::Teams, 408, Some(500_001))),
            Outcome::Unsent(_) => {
                return self.finish(now, id, Ending::refused(By::Teams, 504, Some(569_002)));
            }
        };
        let status = answer.status().map_or(0, |status| status.code());
        match status {
            0..=100 => {}
            101..=199 => self.trunk_rings(now, id, status, answer),
            200..=299 => self.trunk_answered(now, id, answer),
            _ => {
                let replaces = answer.header(HeaderName::Unsupported).is_some_and(|u| u == b"replaces");
                if status == 420 || replaces {
                    let call_id = Some(answer.call_id());
                    self.journal.wrong(now, Rule::ReplacesRefused, first_line(answer), call_id);
                }
                let sub_code = Some(560_000 + u32::from(status));
                let ending = Ending::refused(By::Border, status, sub_code).with_reason_of(answer);
                self.finish(now, id, ending);
            }
        }
    }

    fn trunk_rings(&mut self, now: Instant, id: CallId, status: u16, answer: &Message) {
        if Self::requires(answer, b"100rel") {
            self.journal.wrong(now, Rule::ReliableProvisional, first_line(answer), Some(answer.call_id()));
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Phase::Calling { progress, .. } = &mut call.phase {
            *progress = true;
        }
        self.timers.stop(&Timer::Failover(id));
        self.journal.happened(now, What::CallProgress { call: id.0, status });
        let Some(ours) = self.calls.get(&id).and_then(|call| call.media.sent.clone()) else { return };
        // Early media: its answer counts until another comes.
        if !answer.body().is_empty() && self.take_answer(now, id, &ours, answer, false) {
            if let Some(call) = self.calls.get_mut(&id) {
                call.media.sending = Sending::Silence;
            }
            self.configure(id);
        }
    }

    fn trunk_answered(&mut self, now: Instant, id: CallId, answer: &Message) {
        self.timers.stop(&Timer::Failover(id));
        let Some(call) = self.calls.get_mut(&id) else { return };
        let cancelled = matches!(call.phase, Phase::Ending);
        call.dialog.remote = answer.headers(HeaderName::To).next().unwrap_or_default().to_vec();
        call.dialog.remote_tag = answer.to().tag().map(<[u8]>::to_vec);
        let contact = answer.list(HeaderName::Contact).next().and_then(|value| NameAddr::parse(value).ok());
        let host = contact.and_then(|contact| contact.parse_uri().ok()).and_then(|uri| uri.host());
        if let Some(contact) = contact {
            call.dialog.target = contact.uri.to_vec();
        }
        let mut routes: Vec<Vec<u8>> = answer.list(HeaderName::RecordRoute).map(<[u8]>::to_vec).collect();
        routes.retain(|route| !is_ours(route));
        routes.reverse();
        call.dialog.routes = routes;
        if answer.requires("timer")
            && let Ok(Some(session)) = answer.session_expires()
        {
            let ours = session.refresher != Some(Refresher::Uas);
            call.dialog.session = Some(Session { expires_s: session.seconds, ours });
        }
        call.answered = Some(now);
        call.phase = Phase::Connected;
        let early = call.media.theirs.as_ref().map(|theirs| theirs.content.clone());
        let ours = call.media.sent.clone();
        let usable = self.check_contact(now, host, answer);
        self.send_ack(now, id, answer, None);
        let taken = ours.is_some_and(|ours| self.take_final(now, id, &ours, answer, early));
        if cancelled || !usable || !taken {
            self.hang_up(now, id);
            return;
        }
        self.set_sending(id);
        self.journal.happened(now, What::CallAnswered { call: id.0 });
        self.connected(now, id);
    }

    fn take_final(
        &mut self,
        now: Instant,
        id: CallId,
        ours: &super::description::Ours,
        answer: &Message,
        early: Option<String>,
    ) -> bool {
        // The answer may have come with a provisional response; then 200 repeats it, or has none.
        if answer.body().is_empty() && early.is_some() {
            return true;
        }
        let changed =
            Theirs::read(answer.body()).is_ok_and(|theirs| early.is_some_and(|e| e != theirs.content));
        if changed {
            self.journal.wrong(now, Rule::AnswerChanged, first_line(answer), Some(answer.call_id()));
            if let Some(call) = self.calls.get_mut(&id) {
                call.media.theirs = None;
            }
        }
        self.take_answer(now, id, ours, answer, false)
    }

    fn check_contact(&mut self, now: Instant, host: Option<Host<'_>>, answer: &Message) -> bool {
        let call_id = Some(answer.call_id());
        match host {
            Some(Host::Name(name)) => {
                let name = String::from_utf8_lossy(name).to_ascii_lowercase();
                let parent = name.split_once('.').map_or("", |(_, parent)| parent);
                let known = self.trunks.contains_key(&name) || self.trunks.contains_key(parent);
                if !known {
                    self.journal.wrong(now, Rule::ContactUnknown, name, call_id);
                }
                known
            }
            Some(_) => {
                self.journal.wrong(now, Rule::ContactIsAddress, first_line(answer), call_id);
                false
            }
            None => {
                self.journal.wrong(now, Rule::ContactMissing, first_line(answer), call_id);
                false
            }
        }
    }

    /// FailoverTimeSeconds is over without anything but 100.
    pub(super) fn answer_too_late(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let Phase::Calling { progress: false, .. } = &call.phase else { return };
        let call_id = call.dialog.call_id.clone();
        let seen = "nothing but 100 came".to_owned();
        self.journal.wrong(now, Rule::AnswerTooLate, seen, Some(&call_id));
        self.cancel(now, id);
    }

    /// Takes back an INVITE of a user; its final answer ends the call.
    pub(super) fn cancel(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Phase::Calling { branch, .. } = &call.phase else { return };
        let branch = branch.clone();
        call.phase = Phase::Ending;
        let dialog = &call.dialog;
        let (uri, local, remote) = (dialog.target.clone(), dialog.local.clone(), dialog.remote.clone());
        let (call_id, proxy) = (dialog.call_id.clone(), dialog.proxy);
        let via = self.via(proxy, &branch);
        let product = self.habits.product.clone();
        let Some(hop) = super::trunk::hop_of(&uri) else { return };
        let request = Request {
            method: Method::Cancel,
            uri: &uri,
            from: &local,
            to: &remote,
            cseq: 1,
            call_id: &call_id,
            via: &via,
            routes: &[],
            record_route: None,
            contact: None,
            headers: Vec::new(),
            product: &product,
            sdp: None,
        };
        self.send_request(now, proxy, &hop, false, &branch, About::Cancel, &request);
        self.timers.set(Timer::Request(branch), now + super::request::TIMER_F);
    }

    /// The trunk of a user, and the name under which it is addressed: a customer's own below the carrier's.
    fn trunk_of(&self, user: &str) -> Option<(String, String)> {
        let tenant = self.tenants.iter().find(|tenant| tenant.users.iter().any(|u| u.id == user))?;
        let usable = |trunk: &str| {
            let trunk = self.trunks.get(trunk)?;
            let known = trunk.active || !trunk.config.send_sip_options;
            (trunk.config.enabled && known).then(|| trunk.config.fqdn.clone())
        };
        tenant.domains.iter().find_map(|domain| {
            let below = domain.split_once('.').and_then(|(_, parent)| usable(parent));
            if let Some(trunk) = below {
                return Some((trunk, domain.clone()));
            }
            let has =
                |fqdn: &String| fqdn == domain || fqdn.split_once('.').is_some_and(|(_, p)| p == domain);
            let fqdn = self.trunks.keys().find(|fqdn| has(fqdn) && usable(fqdn).is_some())?;
            Some((fqdn.clone(), fqdn.clone()))
        })
    }

    fn working_proxy(&self) -> Option<ProxyId> {
        let first = ProxyId::ALL.get(self.calls_begun as usize % 3).copied()?;
        let up = |proxy: &ProxyId| self.proxy(*proxy).state == ProxyState::Up;
        [first, first.next(), first.next().next()].into_iter().find(up)
    }
}
