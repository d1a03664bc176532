//! A trunk: a line to another telephone network, and the profile that says how that network is spoken to.
//!
//! Quirks of a network are values of its [`Profile`] with the reason beside each, not branches in the code.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tandem_center::call::LineName;
use tandem_media::codec::Codec;
use tandem_media::leg;
use tandem_media::negotiate::SrtpPolicy;
use tandem_sip::flow::{Flow, Hop, InterfaceId, Transport};
use tandem_sip::ua::{Credentials, SessionTimer};

/// A line to another telephone network.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// Its name in the configuration; the center knows it as a line.
    pub name: LineName,
    /// How the network is spoken to.
    pub profile: Profile,
    /// The signalling interface on which the trunk lives.
    pub interface: InterfaceId,
    /// How SIP travels on it.
    pub transport: Transport,
    /// Host of our Contact, From and Via: for Direct Routing the trunk's FQDN, never an address.
    pub host: Arc<str>,
    /// Port beside `host`.
    pub port: u16,
    /// The media interface of its legs.
    pub media: leg::InterfaceId,
    /// The address in our SDP, as the other network reaches it.
    pub media_address: IpAddr,
    /// Where calls go, in order of preference. Empty: straight to the host in the address that is called.
    pub proxies: Vec<Proxy>,
    /// From where requests are taken.
    pub peers: Vec<AddressRange>,
    /// On TLS, names of which one must be in the peer's verified certificate. Empty: any verified certificate.
    pub peer_names: Vec<Box<str>>,
    /// For networks that challenge us.
    pub credentials: Option<Credentials>,
}

/// Where calls of a trunk go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// A DNS name or an address.
    pub host: Arc<str>,
    /// The port; `None`: by SRV, else the default of the transport.
    pub port: Option<u16>,
}

impl Trunk {
    /// Whether a message on this flow comes from this trunk's network: the right interface, a listed address and,
    /// where names are asked for, a certificate that carries one of them.
    ///
    /// Microsoft's requests come from anywhere in its published ranges, so the range and the certificate identify
    /// it, never the addresses that its three names resolve to ("Plan Direct Routing").
    pub fn admits(&self, flow: &Flow) -> bool {
        self.interface == flow.interface
            && self.peers.iter().any(|range| range.contains(flow.remote.ip()))
            && (self.peer_names.is_empty()
                || flow
                    .peer
                    .certificate_names
                    .iter()
                    .any(|name| self.peer_names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))))
    }

    /// The hop to one of the trunk's proxies.
    pub fn hop(&self, proxy: &Proxy) -> Hop {
        Hop {
            interface: self.interface,
            transport: self.transport,
            host: proxy.host.clone(),
            port: proxy.port,
        }
    }

    /// The hop to a host that no proxy stands before.
    pub fn hop_to(&self, host: &str, port: Option<u16>) -> Hop {
        Hop { interface: self.interface, transport: self.transport, host: Arc::from(host), port }
    }
}

/// How a kind of network is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Encryption of media.
    pub srtp: SrtpPolicy,
    /// Codecs we offer and take, in order of preference. Others are passed through when both ends share them.
    pub codecs: Vec<Codec>,
    /// RTP and RTCP on one port (RFC 5761) when the peer agrees.
    pub rtcp_mux: bool,
    /// Learn the media address from the first packets when it differs from the SDP (a phone behind NAT). Off
    /// where the network's addresses are public: latching lets a stranger who guesses a port take the audio.
    pub latch: bool,
    /// A hold by the other side of a call that sends no music is passed on to this network, as `a=inactive` with our
    /// real address: the only form that Teams understands ("Direct Routing: protocols"). Off: the leg stays as it is
    /// and hears silence, or what the center plays.
    pub tells_hold: bool,
    /// The Allow header. Listing REFER makes Teams hand its transfers to us.
    pub allow: &'static str,
    /// The Supported header.
    pub supported: &'static str,
    /// P-Asserted-Identity with the number that the center shows, and Privacy where none is shown (RFC 3325): many
    /// carriers believe nothing else, and those that do not read it lose nothing. Off for Teams, which takes the caller from From.
    pub asserts_identity: bool,
    /// `user=phone` and `transport` in our URIs.
    pub phone_uris: bool,
    /// An X-MS-SBC header names the product on every message.
    pub names_sbc: bool,
    /// Take part in reliable provisional responses.
    pub reliable_provisional: bool,
    /// Session timers.
    pub session_timer: Option<SessionTimer>,
    /// Our own OPTIONS to each proxy, this often. `None`: never.
    pub keep_alive: Option<Duration>,
    /// An INVITE from this network gets 180 after this time if the center has not decided by then.
    pub first_provisional: Duration,
    /// The next proxy is tried when one has not answered an INVITE with anything for this long.
    pub proxy_patience: Duration,
    /// Final statuses after which the next proxy is tried. Any other ends the attempt.
    pub failover: &'static [u16],
}

impl Profile {
    /// Teams Direct Routing. Sources: "Direct Routing: SIP protocol", "media protocols", "Plan Direct Routing".
    pub fn direct_routing() -> Profile {
        Profile {
            // Plain RTP is refused with 488 (SrtpEncryptionRequired).
            srtp: SrtpPolicy::Required,
            codecs: vec![Codec::pcma(), Codec::pcmu()],
            rtcp_mux: true,
            latch: false,
            tells_hold: true,
            allow: "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER",
            // Teams sends `Require: replaces`; without the tag here its transfers end in 420.
            supported: "timer, replaces",
            asserts_identity: false,
            phone_uris: true,
            names_sbc: true,
            // Not in Teams' Allow: never offer or require it there.
            reliable_provisional: false,
            session_timer: Some(SessionTimer {
                expires: Duration::from_secs(3600),
                min: Duration::from_secs(300),
            }),
            // Once a minute to each of the three names; more often is not wanted either.
            keep_alive: Some(Duration::from_secs(60)),
            // Far inside FailoverTimeSeconds (10 s by default).
            first_provisional: Duration::from_millis(500),
            proxy_patience: Duration::from_secs(4),
            // Only 503 moves on: after 603 a second try would show the user a second missed call.
            failover: &[503],
        }
    }

    /// A telephone carrier or any SIP equipment, in the clear.
    pub fn carrier() -> Profile {
        Profile {
            srtp: SrtpPolicy::Forbidden,
            codecs: vec![Codec::pcma(), Codec::pcmu()],
            rtcp_mux: false,
            latch: false,
            tells_hold: false,
            allow: "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, PRACK, UPDATE, INFO, REFER",
            supported: "timer, replaces, 100rel",
            asserts_identity: true,
            phone_uris: false,
            names_sbc: false,
            reliable_provisional: true,
            session_timer: Some(SessionTimer {
                expires: Duration::from_secs(1800),
                min: Duration::from_secs(90),
            }),
            keep_alive: None,
            first_provisional: Duration::from_millis(500),
            proxy_patience: Duration::from_secs(6),
            failover: &[500, 502, 503, 504],
        }
    }
}

/// A range of addresses, `52.112.0.0/14` or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    first: IpAddr,
    bits: u8,
}

impl AddressRange {
    /// Whether the address lies in the range. An IPv4 address inside IPv6 (`::ffff:a.b.c.d`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                prefix(u128::from(first.to_bits()) << 96, self.bits)
                    == prefix(u128::from(address.to_bits()) << 96, self.bits)
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                prefix(first.to_bits(), self.bits) == prefix(address.to_bits(), self.bits)
            }
            _ => false,
        }
    }
}

impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> AddressRange {
        let first = address.to_canonical();
        AddressRange { first, bits: if first.is_ipv4() { 32 } else { 128 } }
    }
}

impl From<SocketAddr> for AddressRange {
    fn from(address: SocketAddr) -> AddressRange {
        address.ip().into()
    }
}

impl std::str::FromStr for AddressRange {
    type Err = NotARange;

    fn from_str(text: &str) -> Result<AddressRange, NotARange> {
        let Some((address, bits)) = text.split_once('/') else {
            return text.parse::<IpAddr>().map(AddressRange::from).map_err(|_| NotARange);
        };
        let first: IpAddr = address.parse().map_err(|_| NotARange)?;
        let bits: u8 = bits.parse().map_err(|_| NotARange)?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        if bits > most {
            return Err(NotARange);
        }
        Ok(AddressRange { first, bits })
    }
}

/// The text is neither an address nor a range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address or range: write 203.0.113.7 or 52.112.0.0/14")]
pub struct NotARange;

/// The first `bits` bits of an address that stands at the top of 128 bits.
fn prefix(address: u128, bits: u8) -> u128 {
    if bits == 0 { 0 } else { address >> (128 - u32::from(bits)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microsofts_ranges_hold_all_its_addresses() {
        let range: AddressRange = "52.112.0.0/14".parse().unwrap();
        assert!(range.contains("52.114.148.10".parse().unwrap()));
        assert!(range.contains("52.115.255.255".parse().unwrap()));
        assert!(!range.contains("52.116.0.0".parse().unwrap()));
        assert!(range.contains("::ffff:52.114.148.10".parse().unwrap()));
        assert!(!range.contains("2603::1".parse().unwrap()));
    }

    #[test]
    fn a_single_address_is_a_range_of_one() {
        let range: AddressRange = "127.0.0.1".parse().unwrap();
        assert!(range.contains("127.0.0.1".parse().unwrap()));
        assert!(!range.contains("127.0.0.2".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<AddressRange>().unwrap().contains("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn nonsense_is_no_range() {
        for text in ["", "52.112.0.0/33", "52.112/14", "sip.pstnhub.microsoft.com", "::/129"] {
            assert_eq!(text.parse::<AddressRange>(), Err(NotARange), "{text}");
        }
    }
}
