//! Media ports against calls: whether all that the limits allow can be heard at once.

use std::fmt;

use crate::config::Settings;
use crate::config::settings::Media;

/// The media ports carry fewer calls than the limits of all customers allow together.
///
/// That is no fault: customers seldom have all their calls at once. When it happens, whoever calls last is refused as overloaded,
/// whatever is left of their own limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortsShort {
    /// Calls that the limits allow together.
    pub calls: usize,
    /// Calls that the ports carry together, of two parties each.
    pub carried: usize,
}

impl Settings {
    /// Whether the media ports of all interfaces are too few for the calls of all limits.
    pub fn ports_short(&self) -> Option<PortsShort> {
        let parties: usize = self.media.iter().map(|media| media.of_relay().parties()).sum();
        let carried = parties / PARTIES_OF_CALL;
        (self.calls > carried).then_some(PortsShort { calls: self.calls, carried })
    }
}

impl Media {
    /// As the relay knows it.
    pub(crate) fn of_relay(&self) -> tandem_relay::Interface {
        tandem_relay::Interface { bind: self.bind, ports: self.ports.0..=self.ports.1 }
    }
}

impl fmt::Display for PortsShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PortsShort { calls, carried } = self;
        let needed = calls.saturating_mul(PARTIES_OF_CALL * PORTS_OF_PARTY);
        write!(
            f,
            "media: the ports carry {carried} calls at once, and the limits allow {calls}; widen `ports` of [[media]] to {needed} \
             in all (two for each of the two parties of a call), add a [[media]] with another address, or lower `calls` of [limits]"
        )
    }
}

/// A customer and an agent. While several telephones ring for one caller there are more, for seconds.
const PARTIES_OF_CALL: usize = 2;

/// RTP and RTCP (RFC 3550 section 11).
const PORTS_OF_PARTY: usize = 2;
