//! Trunks: how Teams recognises a border controller, and whether it trusts its health.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde::Serialize;
use tandem_sip::header::{HeaderName, NameAddr};
use tandem_sip::message::Message;
use tandem_sip::method::Method;
use tandem_sip::uri::Host;

use super::Teams;
use super::connection::ConnectionId;
use super::proxy::ProxyId;
use super::refusal::Refusal;
use crate::authority::covers;
use crate::config::TrunkConfig;
use crate::violation::Rule;

/// A paired border controller as Teams sees it.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// How the tenant set it up.
    pub config: TrunkConfig,
    /// Its pings, per proxy.
    pub pings: [Pings; 3],
    /// Its Allow has REFER: transfers are handed to it.
    pub takes_refer: bool,
    /// OPTIONS have got 200 both ways at least once.
    pub active: bool,
}

/// OPTIONS between a trunk and one proxy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pings {
    /// When the border controller's last came.
    pub seen: Option<Instant>,
    /// When the one before that came.
    pub seen_before: Option<Instant>,
    /// When ours was last answered 200.
    pub answered: Option<Instant>,
    /// Ours are being sent.
    pub pinging: bool,
    /// The proxy answered 503: it should be left alone until then.
    pub leave_until: Option<Instant>,
}

impl Trunk {
    /// A trunk that has not been heard of.
    pub fn new(config: TrunkConfig) -> Self {
        Self { config, pings: [Pings::default(); 3], takes_refer: false, active: false }
    }

    /// Whether both directions of OPTIONS are fresh at one proxy at least.
    pub fn is_healthy(&self, now: Instant, health: Duration) -> bool {
        let fresh = |at: Option<Instant>| at.is_some_and(|at| now.saturating_duration_since(at) <= health);
        self.pings.iter().any(|p| fresh(p.seen) && (fresh(p.answered) || !self.config.send_sip_options))
    }

    /// For the control.
    pub fn view(&self, now: Instant, health: Duration) -> TrunkView {
        let ago = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at).as_millis() as u64);
        TrunkView {
            config: self.config.clone(),
            active: self.active,
            healthy: self.is_healthy(now, health),
            takes_refer: self.takes_refer,
            seen_ms_ago: self.pings.map(|p| ago(p.seen)),
            answered_ms_ago: self.pings.map(|p| ago(p.answered)),
        }
    }
}

/// A trunk for people to read.
#[derive(Clone, Debug, Serialize)]
pub struct TrunkView {
    /// How the tenant set it up.
    #[serde(flatten)]
    pub config: TrunkConfig,
    /// OPTIONS have got 200 both ways at least once: calls are taken.
    pub active: bool,
    /// OPTIONS got 200 both ways in the last three intervals.
    pub healthy: bool,
    /// Its Allow has REFER.
    pub takes_refer: bool,
    /// When its last OPTIONS came to sip, sip2 and sip3.
    pub seen_ms_ago: [Option<u64>; 3],
    /// When those of sip, sip2 and sip3 were last answered.
    pub answered_ms_ago: [Option<u64>; 3],
}

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The FQDN in Contact: of the trunk, or of a customer below it.
    pub host: String,
    /// The trunk.
    pub trunk: String,
    /// The place of the tenant in the configuration.
    pub tenant: usize,
}

impl Teams {
    /// Finds out who sent a request, as Teams does: by the FQDN of Record-Route or Contact, which the certificate
    /// must cover, and the tenant who has that name or the name without its first label among his domains.
    pub(super) fn recognise(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: &Message,
    ) -> Result<Sender, Refusal> {
        let call_id = Some(request.call_id());
        let contact = request.list(HeaderName::Contact).next().map(<[u8]>::to_vec);
        let route = request.list(HeaderName::RecordRoute).next().map(<[u8]>::to_vec);
        if contact.is_none() {
            self.journal.wrong(now, Rule::ContactMissing, request.method().to_string(), call_id);
        }
        let Some(named) = route.as_ref().or(contact.as_ref()) else {
            return Err(Refusal::forbidden("Contact header and Record-Route header are missing."));
        };
        let contact = contact.as_deref().unwrap_or(named);
        let host = self.fqdn_of(now, named, call_id)?;
        if route.is_some() {
            // The one in Contact is not what decides, but an address there breaks OPTIONS and later requests.
            self.fqdn_of(now, contact, call_id)?;
        }
        let names = self.connections.get(connection).map(|c| c.names.as_slice()).unwrap_or_default();
        if !covers(names, &host) {
            self.journal.wrong(
                now,
                Rule::ContactUnknown,
                format!("{host} is not in the certificate"),
                call_id,
            );
            return Err(Refusal::forbidden(
                "Contact header host is not an FQDN known for the presented certificate.",
            ));
        }
        self.sender_named(&host).ok_or_else(|| {
            self.journal.wrong(now, Rule::ContactUnknown, format!("{host} is not paired"), call_id);
            Refusal::forbidden("No trunk config was found.").with_sub_code(510_532)
        })
    }

    fn sender_named(&self, host: &str) -> Option<Sender> {
        let parent = host.split_once('.').map(|(_, parent)| parent);
        let has_domain = |name: &str| {
            self.tenants.iter().position(|tenant| tenant.domains.iter().any(|d| d.eq_ignore_ascii_case(name)))
        };
        let tenant = has_domain(host).or_else(|| has_domain(parent?))?;
        let is_trunk = |name: &str| self.trunks.contains_key(name).then(|| name.to_owned());
        let trunk = is_trunk(host).or_else(|| is_trunk(parent?))?;
        Some(Sender { host: host.to_owned(), trunk, tenant })
    }

    fn fqdn_of(&mut self, now: Instant, value: &[u8], call_id: Option<&[u8]>) -> Result<String, Refusal> {
        let text = String::from_utf8_lossy(value).into_owned();
        let unusable =
            || Refusal::forbidden("Contact header host is not an FQDN known for the presented certificate.");
        let Ok(address) = NameAddr::parse(value) else {
            self.journal.wrong(now, Rule::Malformed, text, call_id);
            return Err(Refusal::bad_request("Invalid Contact header."));
        };
        if address.params.has("transport") {
            self.journal.wrong(now, Rule::ContactTransportOutside, text.clone(), call_id);
        }
        if address.uri.starts_with(b"sips:") {
            self.journal.wrong(now, Rule::SipsUri, text.clone(), call_id);
        }
        let uri = match address.parse_uri() {
            Ok(uri) => uri,
            Err(tandem_sip::uri::UriError::EmptyUser) => {
                self.journal.wrong(now, Rule::ContactUserEmpty, text, call_id);
                return Err(Refusal::bad_request("Invalid Contact header."));
            }
            Err(_) => {
                self.journal.wrong(now, Rule::Malformed, text, call_id);
                return Err(Refusal::bad_request("Invalid Contact header."));
            }
        };
        match uri.host() {
            Some(Host::Name(name)) => {
                let name = String::from_utf8_lossy(name).to_ascii_lowercase();
                Ok(name.trim_end_matches('.').to_owned())
            }
            _ => {
                self.journal.wrong(now, Rule::ContactIsAddress, text, call_id);
                Err(unusable())
            }
        }
    }

    /// What every message of a border controller is looked at for.
    pub(super) fn inspect(&mut self, now: Instant, message: &Message) {
        let call_id = Some(message.call_id());
        let bare = matches!(message.method(), Method::Ack | Method::Cancel)
            || message.status().is_some_and(|status| status.code() == 100);
        if self.habits.expect_x_ms_sbc && !bare && message.header(HeaderName::XMsSbc).is_none() {
            self.journal.wrong(now, Rule::XMsSbcMissing, first_line(message), call_id);
        }
        if message.request_uri().is_some_and(|uri| uri.starts_with(b"sips:")) {
            self.journal.wrong(now, Rule::SipsUri, first_line(message), call_id);
        }
    }

    /// What the Allow header of OPTIONS, and of the answer to OPTIONS, says about a trunk.
    pub(super) fn learn_allow(&mut self, now: Instant, trunk: &str, message: &Message) {
        if !message.allows(Method::Notify) {
            self.journal.wrong(now, Rule::AllowWithoutNotify, first_line(message), Some(message.call_id()));
        }
        if let Some(trunk) = self.trunks.get_mut(trunk) {
            trunk.takes_refer = message.allows(Method::Refer);
        }
    }

    /// The trunk's pings at a proxy.
    pub(super) fn pings_mut(&mut self, trunk: &str, proxy: ProxyId) -> Option<&mut Pings> {
        self.trunks.get_mut(trunk)?.pings.get_mut(proxy.index())
    }
}

/// The first line of a message, for people to read.
pub(super) fn first_line(message: &Message) -> String {
    let line = message.as_bytes().split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}

/// The host and port to which a URI leads; 5061 without a port.
pub(super) fn hop_of(uri: &[u8]) -> Option<(String, u16)> {
    let uri = tandem_sip::uri::Uri::parse(uri).ok()?;
    let host = match uri.host()? {
        Host::Name(name) => String::from_utf8_lossy(name).to_ascii_lowercase(),
        Host::V4(address) => IpAddr::from(address).to_string(),
        Host::V6(address) => IpAddr::from(address).to_string(),
    };
    Some((host, uri.port().unwrap_or(tandem_sip::header::DEFAULT_TLS_PORT)))
}
