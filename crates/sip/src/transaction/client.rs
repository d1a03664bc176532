//! Any request but INVITE that we sent: RFC 3261 section 17.1.2.

use std::time::Duration;

use bytes::Bytes;

use super::invite_client::Heard;
use super::letter::Letter;
use super::wire::Wire;
use crate::timer::{T1, T1_64, T2, T4};

/// The machine of a request other than INVITE that we sent.
#[derive(Debug)]
pub(super) enum Client {
    /// Nothing came back yet; the request is sent again where the transport may lose it.
    Trying {
        /// The request.
        request: Bytes,
        /// What Timer E waits next.
        resend_after: Duration,
    },
    /// A provisional response came; the request is sent again each T2 where the transport may lose it.
    Proceeding {
        /// The request.
        request: Bytes,
    },
    /// The final response came; copies of it are absorbed.
    Completed,
    /// Nothing more can come.
    Terminated,
}

impl Client {
    pub(super) fn start(request: Bytes, wire: &mut Wire<'_>) -> Self {
        wire.send(&request);
        if !wire.reliable() {
            wire.set(Letter::E, T1);
        }
        wire.set(Letter::F, T1_64);
        Self::Trying { request, resend_after: T1 * 2 }
    }

    pub(super) fn on_provisional(&mut self, wire: &mut Wire<'_>) -> Heard {
        if let Self::Trying { request, .. } = self {
            let request = std::mem::take(request);
            if !wire.reliable() {
                wire.set(Letter::E, T2);
            }
            *self = Self::Proceeding { request };
        }
        // Nobody waits for a provisional response to anything but INVITE (RFC 4320 forbids most of them).
        Heard::Absorbed
    }

    pub(super) fn on_final(&mut self, wire: &mut Wire<'_>) -> Heard {
        match self {
            Self::Trying { request, .. } | Self::Proceeding { request } => {
                let request = std::mem::take(request);
                wire.stop(Letter::E);
                wire.stop(Letter::F);
                if wire.reliable() {
                    *self = Self::Terminated;
                } else {
                    wire.set(Letter::K, T4);
                    *self = Self::Completed;
                }
                Heard::Told(request)
            }
            Self::Completed | Self::Terminated => Heard::Absorbed,
        }
    }

    /// `true`: the user is told that no response came.
    pub(super) fn on_timer(&mut self, letter: Letter, wire: &mut Wire<'_>) -> bool {
        match (&mut *self, letter) {
            (Self::Trying { request, resend_after }, Letter::E) => {
                wire.send(request);
                wire.set(Letter::E, *resend_after);
                *resend_after = (*resend_after * 2).min(T2);
                false
            }
            (Self::Proceeding { request }, Letter::E) => {
                wire.send(request);
                wire.set(Letter::E, T2);
                false
            }
            (Self::Trying { .. } | Self::Proceeding { .. }, Letter::F) => {
                wire.stop(Letter::E);
                *self = Self::Terminated;
                true
            }
            (Self::Completed, Letter::K) => {
                *self = Self::Terminated;
                false
            }
            _ => false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Terminated)
    }

    /// Whether a final response is still awaited.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self, Self::Trying { .. } | Self::Proceeding { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::wire::Bench;

    #[test]
    fn over_udp_a_request_is_sent_eleven_times_and_given_up_after_32_seconds() {
        let mut bench = Bench::udp();
        let mut machine = Client::start(Bytes::from_static(b"BYE"), &mut bench.wire());
        let mut gave_up = false;
        while let Some(letter) = bench.advance() {
            gave_up |= machine.on_timer(letter, &mut bench.wire());
        }
        assert!(gave_up && machine.is_over());
        assert_eq!(bench.sent().len(), 11);
        assert_eq!(bench.elapsed_ms(), 32_000);
    }

    #[test]
    fn a_provisional_response_slows_the_sending_to_once_in_4_seconds() {
        let mut bench = Bench::udp();
        let mut machine = Client::start(Bytes::from_static(b"BYE"), &mut bench.wire());
        assert_eq!(machine.on_provisional(&mut bench.wire()), Heard::Absorbed);
        while let Some(letter) = bench.advance() {
            machine.on_timer(letter, &mut bench.wire());
        }
        // At 0, 4, 8, ... 32 s; then it is given up.
        assert_eq!(bench.sent().len(), 9);
    }

    #[test]
    fn a_copy_of_the_final_response_is_absorbed_for_5_seconds_over_udp() {
        let mut bench = Bench::udp();
        let mut machine = Client::start(Bytes::from_static(b"BYE"), &mut bench.wire());
        assert_eq!(machine.on_final(&mut bench.wire()), Heard::Told(Bytes::from_static(b"BYE")));
        assert_eq!(machine.on_final(&mut bench.wire()), Heard::Absorbed);
        assert_eq!(bench.advance(), Some(Letter::K));
        assert!(!machine.on_timer(Letter::K, &mut bench.wire()));
        assert!(machine.is_over());
        assert_eq!(bench.elapsed_ms(), 5_000);
    }

    #[test]
    fn over_tls_the_final_response_ends_the_transaction_at_once() {
        let mut bench = Bench::tls();
        let mut machine = Client::start(Bytes::from_static(b"BYE"), &mut bench.wire());
        machine.on_final(&mut bench.wire());
        assert!(machine.is_over());
        assert_eq!(bench.advance(), None);
    }
}
