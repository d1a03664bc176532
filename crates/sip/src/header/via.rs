//! Via: the way a request came and its answer goes.

use std::fmt;
use std::net::IpAddr;

use super::HeaderError;
use crate::grammar::{Params, is_token, number, trim, trim_start};
use crate::uri::Host;

/// The port of SIP over UDP and TCP where none is named.
pub const DEFAULT_PORT: u16 = 5060;
/// The port of SIP over TLS where none is named.
pub const DEFAULT_TLS_PORT: u16 = 5061;

/// One hop of a request: who sent it, over what, under which branch (RFC 3261 section 20.42).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// What it was sent over.
    pub transport: Transport<'a>,
    /// Host of the sender, by its own account.
    pub host: Host<'a>,
    /// Port of the sender, by its own account.
    pub port: Option<u16>,
    /// `branch`, `received`, `rport` and others.
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one value, not a list. White space around slashes and colons is allowed.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let (protocol, rest) = word(value, b'/').ok_or(HeaderError::Malformed)?;
        let (version, rest) = word(rest, b'/').ok_or(HeaderError::Malformed)?;
        // The version is not looked at: a request of another one is answered 505, along this Via.
        if !protocol.eq_ignore_ascii_case(b"SIP") || !is_token(version) {
            return Err(HeaderError::Malformed);
        }
        let rest = trim_start(rest);
        let end = rest.iter().position(|b| matches!(b, b' ' | b'\t')).ok_or(HeaderError::Malformed)?;
        let (transport, rest) = rest.split_at(end);
        if !is_token(transport) {
            return Err(HeaderError::Malformed);
        }
        let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let (sent_by, params) = rest.split_at(end);
        let (host, port) = sent_by_parts(trim(sent_by)).ok_or(HeaderError::Malformed)?;
        Ok(Self { transport: Transport::from_bytes(transport), host, port, params: Params::new(params) })
    }

    /// The transaction's name, chosen by the sender; with [`MAGIC_COOKIE`] in front since RFC 3261.
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params.value("branch")
    }

    /// The address the request really came from, as noted by who received it; brackets around IPv6 are optional
    /// (RFC 5118 section 4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let value = self.params.value("received")?;
        let inner = value.strip_prefix(b"[").and_then(|v| v.strip_suffix(b"]")).unwrap_or(value);
        std::str::from_utf8(inner).ok()?.parse().ok()
    }

    /// The `rport` parameter (RFC 3581): asked for by the sender, or filled with the real source port.
    pub fn rport(&self) -> Rport {
        match self.params.get("rport") {
            None => Rport::Absent,
            Some(None) => Rport::Requested,
            Some(Some(value)) => number(value).map_or(Rport::Requested, Rport::Filled),
        }
    }

    /// The `maddr` parameter: a multicast or other address to answer to.
    pub fn maddr(&self) -> Option<Host<'a>> {
        self.params.value("maddr").and_then(Host::parse)
    }
}

/// What a branch begins with if its sender follows RFC 3261.
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

/// The `rport` parameter of a Via.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rport {
    /// Not there: answer to the port of sent-by.
    Absent,
    /// There without a number: the sender asks for an answer to the port the request came from.
    Requested,
    /// Filled in by who received the request.
    Filled(u16),
}

/// What a message travels over, as Via names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport<'a> {
    /// Datagrams.
    Udp,
    /// A stream in clear.
    Tcp,
    /// A stream under TLS.
    Tls,
    /// A web socket.
    Ws,
    /// A web socket under TLS.
    Wss,
    /// Any other token, as received.
    Other(&'a [u8]),
}

impl<'a> Transport<'a> {
    /// Reads a name in any case.
    pub fn from_bytes(name: &'a [u8]) -> Self {
        for known in [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss] {
            if known.as_bytes().eq_ignore_ascii_case(name) {
                return known;
            }
        }
        Self::Other(name)
    }

    /// The name as written in a Via.
    pub fn as_bytes(&self) -> &'a [u8] {
        match *self {
            Self::Udp => b"UDP",
            Self::Tcp => b"TCP",
            Self::Tls => b"TLS",
            Self::Ws => b"WS",
            Self::Wss => b"WSS",
            Self::Other(name) => name,
        }
    }

    /// The port that sent-by means where it names none.
    pub fn default_port(&self) -> u16 {
        match self {
            Self::Tls | Self::Wss => DEFAULT_TLS_PORT,
            _ => DEFAULT_PORT,
        }
    }
}

impl fmt::Display for Transport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for Transport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The trimmed text up to a separator, and what follows it.
fn word(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(separator, text)?;
    Some((trim(&text[..at]), &text[at + 1..]))
}

fn sent_by_parts(text: &[u8]) -> Option<(Host<'_>, Option<u16>)> {
    let behind_host = if text.first() == Some(&b'[') { memchr::memchr(b']', text)? } else { 0 };
    match memchr::memchr(b':', &text[behind_host..]) {
        Some(colon) => {
            let colon = behind_host + colon;
            Some((Host::parse(trim(&text[..colon]))?, Some(number(trim(&text[colon + 1..]))?)))
        }
        None => Some((Host::parse(text)?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_the_parts_is_no_part() {
        let via =
            Via::parse(b"SIP  / 2.0  / TCP     spindle.example.com : 4000  ;  branch  =   z9hG4bK9ikj8")
                .unwrap();
        assert_eq!((via.transport, via.port), (Transport::Tcp, Some(4000)));
        assert_eq!(via.host, Host::Name(b"spindle.example.com"));
        assert_eq!(via.branch(), Some(&b"z9hG4bK9ikj8"[..]));
    }

    #[test]
    fn received_and_rport_are_read() {
        let via =
            Via::parse(b"SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];rport;branch=x").unwrap();
        assert_eq!(via.received(), Some("2001:db8::9:255".parse().unwrap()));
        assert_eq!(via.rport(), Rport::Requested);
        let via = Via::parse(b"SIP/2.0/UDP [2001:db8::9:1]:5070;received=2001:db8::9:255;rport=9").unwrap();
        assert_eq!(via.received(), Some("2001:db8::9:255".parse().unwrap()));
        assert_eq!((via.rport(), via.port), (Rport::Filled(9), Some(5070)));
    }

    #[test]
    fn broken_ones_are_refused() {
        for text in [
            "",
            ";",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ;branch=x",
            "HTTP/2.0/UDP h",
            "SIP/2.0/UDP h:99999",
            "SIP/2.0/UDP [::1",
            "SIP/2.0/UDP a b;branch=x",
            "SIP/2.0/ h",
            "SIP/2.0/UDP 2001:db8::9:1",
        ] {
            assert_eq!(Via::parse(text.as_bytes()), Err(HeaderError::Malformed), "{text}");
        }
    }
}
