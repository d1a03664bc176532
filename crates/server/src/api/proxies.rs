//! The reverse proxies before this program: where a request really came from.
//!
//! Anybody can write into a header that a request came from elsewhere. So each hop is believed only by whom it is told: the
//! peer of the connection if it is a proxy of the configuration, and then each address that such a proxy names, from the last
//! hop to the first, until one is none of ours. That one is where the request came from.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::FORWARDED;
use tandem_b2bua::trunk::AddressRange;

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Box<[AddressRange]>);

/// The proxies of the configuration cannot be so.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxiesFault {
    /// It is no address and no range.
    #[error("{0:?} is no address and no range; write 10.0.0.5 or 10.0.0.0/8")]
    NoRange(String),
    /// It would believe anybody.
    #[error("{0:?} is everybody: then anybody could say to come from anywhere; name the proxies")]
    Everybody(String),
    /// There are too many of them.
    #[error("there are more than {RANGES_MAX} ranges; name fewer")]
    TooMany,
}

impl Proxies {
    /// Reads addresses and ranges.
    ///
    /// # Errors
    ///
    /// See [`ProxiesFault`].
    pub fn new(texts: &[String]) -> Result<Proxies, ProxiesFault> {
        if texts.len() > RANGES_MAX {
            return Err(ProxiesFault::TooMany);
        }
        let ranges = texts.iter().map(|text| {
            if text.ends_with("/0") {
                return Err(ProxiesFault::Everybody(text.clone()));
            }
            text.parse().map_err(|_| ProxiesFault::NoRange(text.clone()))
        });
        Ok(Proxies(ranges.collect::<Result<_, _>>()?))
    }

    /// Where a request came from that arrived from `peer`: the last address on its way that is no proxy of ours.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.has(peer) {
            return peer;
        }
        let mut client = peer;
        for hop in hops(headers).iter().rev().take(HOPS_MAX) {
            // Who hides the address, or writes nonsense, leaves us with the one before.
            let Some(address) = address_in(hop) else { break };
            client = address;
            if !self.has(address) {
                break;
            }
        }
        client
    }

    /// Whether this is one of them.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }
}

/// The hops that the headers tell, the first one first. `Forwarded` (RFC 7239) counts where it is: who writes it knows the
/// other header to be older.
fn hops(headers: &HeaderMap) -> Vec<&str> {
    let list = |name: &str| -> Vec<&str> {
        let all = headers.get_all(name).iter();
        all.flat_map(|value| value.to_str().unwrap_or("unknown").split(',')).map(str::trim).collect()
    };
    let forwarded = list(FORWARDED.as_str());
    if forwarded.is_empty() {
        return list("x-forwarded-for");
    }
    forwarded.into_iter().map(|hop| for_in(hop).unwrap_or("unknown")).collect()
}

/// The parameter `for` of an element of `Forwarded`.
fn for_in(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
    })
}

/// An address, as both headers write it: with a port or without, IPv6 in brackets or not.
fn address_in(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let bare = match hop.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(address, _)| address)?,
        None if hop.matches(':').count() == 1 => hop.split_once(':').map(|(address, _)| address)?,
        None => hop,
    };
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// More ranges than this are refused: each request is held against all of them.
const RANGES_MAX: usize = 32;

/// Hops that are looked at; a longer way is cut, and counts as one from the last hop looked at.
const HOPS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::HeaderName;
    use proptest::prelude::*;

    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let proxies = Proxies::new(&["10.0.0.0/8".to_owned(), "fd00::/8".to_owned()]).unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value);
        }
        proxies.client(peer.parse().unwrap(), &all).to_string()
    }

    #[test]
    fn what_strangers_say_is_ignored() {
        assert_eq!(client("203.0.113.9", &[("x-forwarded-for", "198.51.100.1")]), "203.0.113.9");
        assert_eq!(client("203.0.113.9", &[("forwarded", "for=10.0.0.1")]), "203.0.113.9");
        // The stranger before the proxy wrote the first address, the proxy the second.
        assert_eq!(client("10.0.0.5", &[("x-forwarded-for", "198.51.100.1, 203.0.113.9")]), "203.0.113.9");
        let two = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(client("10.0.0.5", &two), "203.0.113.9", "the lines are one list");
    }

    #[test]
    fn a_chain_of_proxies_leads_to_who_asked() {
        assert_eq!(
            client("10.0.0.5", &[("x-forwarded-for", "203.0.113.9, 10.1.1.1, 10.2.2.2")]),
            "203.0.113.9"
        );
        assert_eq!(
            client("10.0.0.5", &[("forwarded", "for=203.0.113.9;proto=https, for=10.1.1.1")]),
            "203.0.113.9"
        );
        assert_eq!(
            client("10.0.0.5", &[("forwarded", "proto=https;For=\"[2001:db8::7]:4711\"")]),
            "2001:db8::7"
        );
        assert_eq!(client("fd00::1", &[("x-forwarded-for", "203.0.113.9:4711")]), "203.0.113.9");
        assert_eq!(client("::ffff:10.0.0.5", &[("x-forwarded-for", "2001:db8::7")]), "2001:db8::7");
        assert_eq!(client("10.0.0.5", &[]), "10.0.0.5", "a proxy that says nothing is where it came from");
        assert_eq!(client("10.0.0.5", &[("x-forwarded-for", "198.51.100.1, unknown")]), "10.0.0.5");
        assert_eq!(client("10.0.0.5", &[("forwarded", "for=_hidden, for=10.1.1.1")]), "10.1.1.1");
    }

    #[test]
    fn proxies_are_named_and_not_everybody() {
        let fault = |text: &str| Proxies::new(&[text.to_owned()]).unwrap_err();
        assert_eq!(fault("0.0.0.0/0"), ProxiesFault::Everybody("0.0.0.0/0".to_owned()));
        assert_eq!(fault("proxy.example"), ProxiesFault::NoRange("proxy.example".to_owned()));
        assert_eq!(Proxies::new(&vec!["10.0.0.1".to_owned(); 33]).unwrap_err(), ProxiesFault::TooMany);
    }

    proptest! {
        #[test]
        fn nothing_in_a_header_moves_a_stranger(value in "[ -~]{0,60}") {
            prop_assert_eq!(client("203.0.113.9", &[("x-forwarded-for", &value), ("forwarded", &value)]), "203.0.113.9");
            client("10.0.0.5", &[("x-forwarded-for", &value)]);
            client("10.0.0.5", &[("forwarded", &value)]);
        }
    }
}
