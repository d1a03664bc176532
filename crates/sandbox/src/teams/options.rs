//! OPTIONS both ways: how a trunk becomes active and stays healthy.

use std::time::{Duration, Instant};

use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::method::Method;

use super::connection::ConnectionId;
use super::proxy::{ProxyId, ProxyState};
use super::refusal::Refusal;
use super::request::{About, Outcome};
use super::trunk::first_line;
use super::wire::{Request, Response};
use super::{Teams, Timer};
use crate::event::What;
use crate::violation::Rule;

impl Teams {
    /// OPTIONS of a border controller. Teams begins its own only when it has seen them.
    pub(super) fn handle_options(&mut self, now: Instant, id: ConnectionId, request: &Message) {
        let Some(proxy) = self.connections.get(id).map(|connection| connection.proxy) else { return };
        let sender = match self.recognise(now, id, request) {
            Ok(sender) => sender,
            Err(refusal) => return self.refuse(now, id, request, &refusal),
        };
        if let Some(refusal) = self.drained(now, &sender.trunk, proxy, request) {
            return self.refuse(now, id, request, &refusal);
        }
        self.learn_allow(now, &sender.trunk, request);
        let too_often = Duration::from_millis(self.habits.pinged_interval_min_ms.into());
        let Some(pings) = self.pings_mut(&sender.trunk, proxy) else { return };
        let last = pings.seen.replace(now);
        let before = std::mem::replace(&mut pings.seen_before, last);
        let begin = !pings.pinging;
        // Two may come soon after each other when a border controller has been started again; three may not.
        if before.is_some_and(|before| now.saturating_duration_since(before) < too_often) {
            let seen = format!("{} at {}", sender.host, proxy.name());
            self.journal.wrong(now, Rule::OptionsTooOften, seen, Some(request.call_id()));
        }
        // No To tag: that is how Teams answers.
        let response = Response { status: 200, product: &self.habits.product, ..Response::default() };
        let bytes = response.to_bytes(request);
        self.send(now, id, bytes);
        let what = What::Pinged { trunk: sender.trunk.clone(), proxy: proxy.short_name().to_owned() };
        self.journal.happened(now, what);
        let sends = self.trunks.get(&sender.trunk).is_some_and(|trunk| trunk.config.send_sip_options);
        if !sends {
            self.activate(now, &sender.trunk);
        } else if begin {
            if let Some(pings) = self.pings_mut(&sender.trunk, proxy) {
                pings.pinging = true;
            }
            self.timers.set(Timer::Ping { trunk: sender.trunk, proxy }, now);
        }
    }

    /// Sends OPTIONS to a trunk, at the FQDN of its Contact.
    pub(super) fn ping(&mut self, now: Instant, trunk: &str, proxy: ProxyId) {
        let forgotten = 2 * self.health();
        let working = self.proxy(proxy).state != ProxyState::Down;
        let Some(found) = self.trunks.get_mut(trunk) else { return };
        let (fqdn, port) = (found.config.fqdn.clone(), found.config.signalling_port);
        let Some(pings) = found.pings.get_mut(proxy.index()) else { return };
        if pings.seen.is_none_or(|seen| now.saturating_duration_since(seen) > forgotten) {
            pings.pinging = false;
            return;
        }
        let again = now + Duration::from_millis(self.habits.ping_interval_ms.into());
        self.timers.set(Timer::Ping { trunk: trunk.to_owned(), proxy }, again);
        if !working {
            return;
        }
        let branch = self.branch();
        let via = self.via(proxy, &branch);
        let (tag, call_id) = (format!("{:08x}", self.chance.word() >> 32), self.chance.hex32());
        let (region, ours) = (proxy.region(), self.port);
        let uri = format!("sip:{fqdn}:{port};transport=tls");
        let from = format!("<sip:{region}:{ours}>;tag={tag}");
        let to = format!("<sip:{fqdn}:{port}>");
        let contact = format!("<sip:{region}:{ours};transport=tls>");
        let product = self.habits.product.clone();
        let request = Request {
            method: Method::Options,
            uri: uri.as_bytes(),
            from: from.as_bytes(),
            to: to.as_bytes(),
            cseq: 1,
            call_id: call_id.as_bytes(),
            via: &via,
            routes: &[],
            record_route: None,
            contact: Some(&contact),
            headers: Vec::new(),
            product: &product,
            sdp: None,
        };
        let about = About::Ping { trunk: trunk.to_owned(), proxy };
        self.send_request(now, proxy, &(fqdn, port), false, &branch, about, &request);
    }

    pub(super) fn ping_answered(&mut self, now: Instant, trunk: &str, proxy: ProxyId, outcome: &Outcome<'_>) {
        let (name, at) = (trunk.to_owned(), proxy.short_name().to_owned());
        let failed =
            |why: &str| What::PingFailed { trunk: name.clone(), proxy: at.clone(), why: why.to_owned() };
        match outcome {
            Outcome::Unsent(error) => self.journal.happened(now, failed(error)),
            Outcome::TimedOut => self.journal.happened(now, failed("no answer")),
            Outcome::Answer(answer) => {
                let status = answer.status().map_or(0, |status| status.code());
                if status < 200 {
                    return;
                }
                self.journal.happened(now, What::PingAnswered { trunk: name.clone(), proxy: at, status });
                if status != 200 {
                    return;
                }
                if answer.header(HeaderName::Contact).is_none() {
                    self.journal.wrong(now, Rule::ContactMissing, first_line(answer), Some(answer.call_id()));
                }
                self.learn_allow(now, trunk, answer);
                if let Some(pings) = self.pings_mut(trunk, proxy) {
                    pings.answered = Some(now);
                }
                self.activate(now, trunk);
            }
        }
    }

    /// What a draining proxy says to new calls and OPTIONS.
    pub(super) fn drained(
        &mut self,
        now: Instant,
        trunk: &str,
        proxy: ProxyId,
        request: &Message,
    ) -> Option<Refusal> {
        if self.proxy(proxy).state != ProxyState::Draining {
            return None;
        }
        let retry_after_s = self.habits.retry_after_s;
        let pings = self.pings_mut(trunk, proxy)?;
        let before = pings.leave_until.replace(now + Duration::from_secs(retry_after_s.into()));
        if before.is_some_and(|until| now < until) {
            let seen = format!("{} at {}", first_line(request), proxy.short_name());
            self.journal.wrong(now, Rule::RetryTooEarly, seen, Some(request.call_id()));
        }
        let refusal = Refusal::new(503, 41, "Proxy is draining.").with_sub_code(540_998);
        Some(refusal.with_header(HeaderName::RetryAfter, retry_after_s.to_string()))
    }

    fn activate(&mut self, now: Instant, name: &str) {
        let Some(trunk) = self.trunks.get_mut(name).filter(|trunk| !trunk.active) else { return };
        trunk.active = true;
        self.journal.happened(now, What::TrunkActive { trunk: name.to_owned() });
    }
}
