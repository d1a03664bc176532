//! The INVITE that we took: RFC 3261 section 17.2.1 with RFC 6026.

use std::time::Duration;

use bytes::Bytes;

use super::letter::Letter;
use super::wire::Wire;
use crate::timer::{T1, T1_64, T2, T4};

/// The machine of an INVITE that we took.
#[derive(Debug)]
pub(super) enum InviteServer {
    /// No final response yet. A copy of the INVITE brings the latest provisional response again.
    Proceeding {
        /// The latest response, if one was sent.
        latest: Option<Bytes>,
    },
    /// Answered with 300 to 699 and not acknowledged yet: the response is sent again where it may have been lost.
    Completed {
        /// The response.
        response: Bytes,
        /// What Timer G waits next.
        resend_after: Duration,
    },
    /// The ACK came; copies of it are absorbed.
    Confirmed,
    /// Answered with 2xx. Copies of the INVITE are absorbed; the user sends the 2xx again until its ACK comes.
    Accepted,
    /// Nothing more can come.
    Terminated,
}

impl InviteServer {
    pub(super) fn start() -> Self {
        Self::Proceeding { latest: None }
    }

    /// A copy of the INVITE came.
    pub(super) fn on_copy(&mut self, wire: &mut Wire<'_>) {
        match self {
            Self::Proceeding { latest: Some(response) } | Self::Completed { response, .. } => {
                wire.send(response);
            }
            Self::Proceeding { latest: None } | Self::Confirmed | Self::Accepted | Self::Terminated => {}
        }
    }

    /// `true`: the ACK belongs to a 2xx, and the user is told.
    pub(super) fn on_ack(&mut self, wire: &mut Wire<'_>) -> bool {
        match self {
            Self::Completed { .. } => {
                wire.stop(Letter::G);
                wire.stop(Letter::H);
                if wire.reliable() {
                    *self = Self::Terminated;
                } else {
                    wire.set(Letter::I, T4);
                    *self = Self::Confirmed;
                }
                false
            }
            Self::Accepted => true,
            Self::Proceeding { .. } | Self::Confirmed | Self::Terminated => false,
        }
    }

    /// Sends a response. After a final one nothing is sent any more.
    pub(super) fn respond(&mut self, status: u16, response: Bytes, wire: &mut Wire<'_>) {
        let Self::Proceeding { latest } = self else { return };
        wire.send(&response);
        match status {
            0..=199 => *latest = Some(response),
            200..=299 => {
                wire.set(Letter::L, T1_64);
                *self = Self::Accepted;
            }
            _ => {
                if !wire.reliable() {
                    wire.set(Letter::G, T1);
                }
                wire.set(Letter::H, T1_64);
                *self = Self::Completed { response, resend_after: T1 * 2 };
            }
        }
    }

    pub(super) fn on_timer(&mut self, letter: Letter, wire: &mut Wire<'_>) {
        match (&mut *self, letter) {
            (Self::Completed { response, resend_after }, Letter::G) => {
                wire.send(response);
                wire.set(Letter::G, *resend_after);
                *resend_after = (*resend_after * 2).min(T2);
            }
            (Self::Completed { .. }, Letter::H) => {
                wire.stop(Letter::G);
                *self = Self::Terminated;
            }
            (Self::Confirmed, Letter::I) | (Self::Accepted, Letter::L) => *self = Self::Terminated,
            _ => {}
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
    fn a_copy_of_the_invite_brings_the_latest_response_again() {
        let mut bench = Bench::udp();
        let mut machine = InviteServer::start();
        machine.on_copy(&mut bench.wire());
        assert!(bench.sent().is_empty());
        machine.respond(100, Bytes::from_static(b"100"), &mut bench.wire());
        machine.on_copy(&mut bench.wire());
        machine.respond(180, Bytes::from_static(b"180"), &mut bench.wire());
        machine.on_copy(&mut bench.wire());
        assert_eq!(bench.sent(), ["100", "100", "180", "180"]);
        assert_eq!(bench.advance(), None);
    }

    #[test]
    fn a_failure_is_sent_again_until_its_ack_comes() {
        let mut bench = Bench::udp();
        let mut machine = InviteServer::start();
        machine.respond(486, Bytes::from_static(b"486"), &mut bench.wire());
        assert_eq!(bench.advance(), Some(Letter::G));
        machine.on_timer(Letter::G, &mut bench.wire());
        machine.on_copy(&mut bench.wire());
        assert_eq!(bench.sent(), ["486", "486", "486"]);
        assert!(!machine.on_ack(&mut bench.wire()));
        assert!(!machine.on_ack(&mut bench.wire()));
        assert_eq!(bench.advance(), Some(Letter::I));
        machine.on_timer(Letter::I, &mut bench.wire());
        assert!(machine.is_over());
        assert_eq!(bench.elapsed_ms(), 5_500);
    }

    #[test]
    fn a_failure_that_nobody_acknowledges_is_given_up_after_32_seconds() {
        let mut bench = Bench::udp();
        let mut machine = InviteServer::start();
        machine.respond(486, Bytes::from_static(b"486"), &mut bench.wire());
        while let Some(letter) = bench.advance() {
            machine.on_timer(letter, &mut bench.wire());
        }
        assert!(machine.is_over());
        assert_eq!(bench.sent().len(), 11);
        assert_eq!(bench.elapsed_ms(), 32_000);
    }

    #[test]
    fn over_tls_a_failure_is_sent_once_and_its_ack_ends_the_transaction() {
        let mut bench = Bench::tls();
        let mut machine = InviteServer::start();
        machine.respond(486, Bytes::from_static(b"486"), &mut bench.wire());
        assert!(!machine.on_ack(&mut bench.wire()));
        assert!(machine.is_over());
        assert_eq!(bench.sent(), ["486"]);
        assert_eq!(bench.advance(), None);
    }

    #[test]
    fn after_a_2xx_copies_of_the_invite_are_absorbed_and_its_ack_is_told() {
        let mut bench = Bench::tls();
        let mut machine = InviteServer::start();
        machine.respond(200, Bytes::from_static(b"200"), &mut bench.wire());
        machine.on_copy(&mut bench.wire());
        machine.respond(486, Bytes::from_static(b"486"), &mut bench.wire());
        assert_eq!(bench.sent(), ["200"]);
        assert!(machine.on_ack(&mut bench.wire()));
        assert_eq!(bench.advance(), Some(Letter::L));
        machine.on_timer(Letter::L, &mut bench.wire());
        assert!(machine.is_over());
    }
}
