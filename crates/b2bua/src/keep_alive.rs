//! Our OPTIONS: to every proxy of a trunk, once an interval, with Contact and Allow.
//!
//! Microsoft starts pinging, and calling, only once it has seen ours, and learns from the Allow header whether its
//! transfers come to us as REFER ("Direct Routing: SIP protocol", OPTIONS; "Monitor and troubleshoot").

use std::time::{Duration, Instant};

use tandem_center::call::Address;
use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::method::Method;
use tandem_sip::ua::{OutgoingRequest, RequestId};

use crate::address;
use crate::b2bua::{B2bua, Output, ProxyHealth};
use crate::health::Probe;
use crate::timer::Timer;

/// The probes of a trunk start this far from each other, so that a start is no burst.
const SPREAD: Duration = Duration::from_millis(20);

impl B2bua {
    /// Sets up a probe for each proxy of the trunks that have none yet.
    pub(crate) fn begin_probes(&mut self, now: Instant) {
        let mut first = now;
        for (index, trunk) in self.setup.trunks.iter().enumerate().skip(self.probes.len()) {
            let mut probes = Vec::with_capacity(trunk.proxies.len());
            for proxy in 0..trunk.proxies.len() {
                let due = trunk.profile.keep_alive.map(|_| first);
                if let Some(due) = due {
                    self.timers.set(Timer::KeepAlive { trunk: index, proxy }, due);
                    first += SPREAD;
                }
                probes.push(Probe::new(due));
            }
            self.probes.push(probes);
        }
    }

    /// A probe is due.
    pub(crate) fn probe(&mut self, now: Instant, index: usize, proxy: usize) {
        let (Some(trunk), Some(identity)) = (self.setup.trunks.get(index), self.identities.get(index)) else {
            return;
        };
        let (Some(interval), Some(target)) = (trunk.profile.keep_alive, trunk.proxies.get(proxy)) else {
            return;
        };
        let host = address::bracketed(&target.host);
        let port = target.port.map(|port| format!(":{port}")).unwrap_or_default();
        let own = address::bracketed(&trunk.host);
        let request = OutgoingRequest {
            identity: identity.clone(),
            hop: trunk.hop(target),
            method: Method::Options,
            request_uri: bytes(format!("sip:{host}{port};transport={}", trunk.transport.uri_name())),
            from: bytes(format!("<sip:{own}:{}>", trunk.port)),
            to: bytes(format!("<sip:{host}{port}>")),
            contact: Some(address::contact(trunk, &Address::Anonymous)),
            headers: Vec::new(),
            credentials: trunk.credentials.clone(),
        };
        let id = self.ua.new_request();
        self.probing.insert(id, (index, proxy));
        if let Some(probe) = self.probes.get_mut(index).and_then(|probes| probes.get_mut(proxy)) {
            probe.sent(now, interval);
        }
        self.timers.set(Timer::KeepAlive { trunk: index, proxy }, now + interval);
        self.ua.request(now, id, request);
    }

    /// A probe was answered.
    pub(crate) fn on_probe_answered(&mut self, now: Instant, id: RequestId, response: &Message) {
        let Some((trunk, proxy)) = self.probing.remove(&id) else { return };
        let status = response.status().map_or(0, u16::from);
        let retry_after = response
            .header(HeaderName::RetryAfter)
            .and_then(|value| std::str::from_utf8(value).ok())
            .and_then(|value| value.split([';', ' ', '(']).next()?.trim().parse().ok())
            .map(Duration::from_secs);
        let Some(probe) = self.probes.get_mut(trunk).and_then(|probes| probes.get_mut(proxy)) else { return };
        let changed = probe.answered(now, status, retry_after);
        if let Some(next) = probe.next() {
            self.timers.set(Timer::KeepAlive { trunk, proxy }, next);
        }
        self.tell_health(trunk, proxy, changed);
    }

    /// A probe was not answered.
    pub(crate) fn on_probe_failed(&mut self, now: Instant, id: RequestId) {
        if let Some((trunk, proxy)) = self.probing.remove(&id) {
            self.proxy_failed(now, trunk, proxy);
        }
    }

    /// A proxy did not answer, neither a probe nor a call.
    pub(crate) fn proxy_failed(&mut self, now: Instant, trunk: usize, proxy: usize) {
        let Some(probe) = self.probes.get_mut(trunk).and_then(|probes| probes.get_mut(proxy)) else { return };
        let changed = probe.failed(now);
        self.tell_health(trunk, proxy, changed);
    }

    fn tell_health(&mut self, trunk: usize, proxy: usize, changed: bool) {
        if !changed {
            return;
        }
        let health = self.probes.get(trunk).and_then(|probes| probes.get(proxy)).map(Probe::health);
        let names = self
            .setup
            .trunks
            .get(trunk)
            .and_then(|trunk| Some((trunk.name.clone(), trunk.proxies.get(proxy)?.host.clone())));
        if let (Some(health), Some((trunk, proxy))) = (health, names) {
            self.push(Output::Proxy(ProxyHealth { trunk, proxy, health }));
        }
    }
}

fn bytes(text: String) -> std::sync::Arc<[u8]> {
    text.into_bytes().into()
}
