//! Any request but INVITE and ACK that we took: RFC 3261 section 17.2.2.

use bytes::Bytes;

use super::letter::Letter;
use super::wire::Wire;
use crate::timer::T1_64;

/// The machine of a request other than INVITE that we took.
#[derive(Debug)]
pub(super) enum Server {
    /// No response yet: copies of the request are absorbed.
    Trying,
    /// Answered: a copy of the request brings the response again.
    Completed {
        /// The response.
        response: Bytes,
    },
    /// Nothing more can come.
    Terminated,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::Trying
    }

    /// A copy of the request came.
    pub(super) fn on_copy(&mut self, wire: &mut Wire<'_>) {
        if let Self::Completed { response } = self {
            wire.send(response);
        }
    }

    /// Sends the final response. After it nothing is sent any more. There are no provisional ones: RFC 4320.
    pub(super) fn respond(&mut self, response: Bytes, wire: &mut Wire<'_>) {
        let Self::Trying = self else { return };
        wire.send(&response);
        if wire.reliable() {
            *self = Self::Terminated;
        } else {
            wire.set(Letter::J, T1_64);
            *self = Self::Completed { response };
        }
    }

    pub(super) fn on_timer(&mut self, letter: Letter) {
        if letter == Letter::J {
            *self = Self::Terminated;
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Terminated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::wire::Bench;

    #[test]
    fn over_udp_a_copy_of_the_request_brings_the_response_again_for_32_seconds() {
        let mut bench = Bench::udp();
        let mut machine = Server::start();
        machine.on_copy(&mut bench.wire());
        assert!(bench.sent().is_empty());
        machine.respond(Bytes::from_static(b"200"), &mut bench.wire());
        machine.respond(Bytes::from_static(b"500"), &mut bench.wire());
        machine.on_copy(&mut bench.wire());
        assert_eq!(bench.sent(), ["200", "200"]);
        assert_eq!(bench.advance(), Some(Letter::J));
        machine.on_timer(Letter::J);
        assert!(machine.is_over());
        assert_eq!(bench.elapsed_ms(), 32_000);
    }

    #[test]
    fn over_tls_the_response_ends_the_transaction_at_once() {
        let mut bench = Bench::tls();
        let mut machine = Server::start();
        machine.respond(Bytes::from_static(b"200"), &mut bench.wire());
        assert!(machine.is_over());
        assert_eq!(bench.advance(), None);
    }
}
