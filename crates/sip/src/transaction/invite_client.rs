//! The INVITE that we sent: RFC 3261 section 17.1.1 with RFC 6026.

use std::time::Duration;

use bytes::Bytes;

use super::letter::Letter;
use super::wire::Wire;
use crate::timer::{T1, T1_64};

/// The machine of an INVITE that we sent.
#[derive(Debug)]
pub(super) enum InviteClient {
    /// Nothing came back yet; the INVITE is sent again where the transport may lose it.
    Calling {
        /// The INVITE.
        request: Bytes,
        /// What Timer A waits next.
        resend_after: Duration,
        /// Whether Timer B goes on after a provisional response.
        limited: bool,
    },
    /// A provisional response came. Only a final response ends this state, or Timer B if the user sets it again.
    Proceeding {
        /// The INVITE: CANCEL and ACK are made from it.
        request: Bytes,
    },
    /// A final response other than 2xx came and was acknowledged; copies of it are acknowledged again.
    Completed {
        /// The ACK.
        ack: Bytes,
    },
    /// A 2xx came. Its copies, and 2xx of other forks, go to the user, who acknowledges them.
    Accepted,
    /// Nothing more can come.
    Terminated,
}

/// What becomes of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The user is told. With a final response it gets its request back, to ask again if it must.
    Told(Bytes),
    /// It was a copy or came too late.
    Absorbed,
}

impl InviteClient {
    pub(super) fn start(request: Bytes, wire: &mut Wire<'_>) -> Self {
        wire.send(&request);
        if !wire.reliable() {
            wire.set(Letter::A, T1);
        }
        wire.set(Letter::B, T1_64);
        Self::Calling { request, resend_after: T1 * 2, limited: false }
    }

    /// The INVITE, while it has no final response.
    pub(super) fn request(&self) -> Option<&Bytes> {
        match self {
            Self::Calling { request, .. } | Self::Proceeding { request } => Some(request),
            Self::Completed { .. } | Self::Accepted | Self::Terminated => None,
        }
    }

    pub(super) fn on_provisional(&mut self, wire: &mut Wire<'_>) -> Heard {
        match std::mem::replace(self, Self::Terminated) {
            Self::Calling { request, limited, .. } => {
                wire.stop(Letter::A);
                if !limited {
                    wire.stop(Letter::B);
                }
                *self = Self::Proceeding { request };
                Heard::Told(Bytes::new())
            }
            Self::Proceeding { request } => {
                *self = Self::Proceeding { request };
                Heard::Told(Bytes::new())
            }
            late => {
                *self = late;
                Heard::Absorbed
            }
        }
    }

    pub(super) fn on_success(&mut self, wire: &mut Wire<'_>) -> Heard {
        match self {
            Self::Calling { request, .. } | Self::Proceeding { request } => {
                let request = std::mem::take(request);
                wire.stop(Letter::A);
                wire.stop(Letter::B);
                wire.set(Letter::M, T1_64);
                *self = Self::Accepted;
                Heard::Told(request)
            }
            Self::Accepted => Heard::Told(Bytes::new()),
            Self::Completed { .. } | Self::Terminated => Heard::Absorbed,
        }
    }

    /// A response from 300 on. `make_ack` gets the INVITE and makes its ACK.
    pub(super) fn on_failure(
        &mut self,
        wire: &mut Wire<'_>,
        make_ack: impl FnOnce(&Bytes) -> Bytes,
    ) -> Heard {
        match self {
            Self::Calling { request, .. } | Self::Proceeding { request } => {
                let request = std::mem::take(request);
                let ack = make_ack(&request);
                wire.stop(Letter::A);
                wire.stop(Letter::B);
                wire.send(&ack);
                if wire.reliable() {
                    *self = Self::Terminated;
                } else {
                    wire.set(Letter::D, T1_64);
                    *self = Self::Completed { ack };
                }
                Heard::Told(request)
            }
            Self::Completed { ack } => {
                wire.send(ack);
                Heard::Absorbed
            }
            Self::Accepted | Self::Terminated => Heard::Absorbed,
        }
    }

    /// The user waits no longer than this for the final response, and no longer than Timer B if there was none yet.
    pub(super) fn limit(&mut self, wire: &mut Wire<'_>, after: Duration) {
        match self {
            Self::Calling { limited, .. } => *limited = true,
            Self::Proceeding { .. } => wire.set(Letter::B, after),
            Self::Completed { .. } | Self::Accepted | Self::Terminated => {}
        }
    }

    /// `true`: the user is told that no response came.
    pub(super) fn on_timer(&mut self, letter: Letter, wire: &mut Wire<'_>) -> bool {
        match (&mut *self, letter) {
            (Self::Calling { request, resend_after, .. }, Letter::A) => {
                wire.send(request);
                wire.set(Letter::A, *resend_after);
                *resend_after *= 2;
                false
            }
            (Self::Calling { .. } | Self::Proceeding { .. }, Letter::B) => {
                wire.stop(Letter::A);
                *self = Self::Terminated;
                true
            }
            (Self::Completed { .. }, Letter::D) | (Self::Accepted, Letter::M) => {
                *self = Self::Terminated;
                false
            }
            _ => false,
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

    fn ack(invite: &Bytes) -> Bytes {
        Bytes::from([b"ACK of ", &invite[..]].concat())
    }

    #[test]
    fn over_udp_an_invite_is_sent_seven_times_and_given_up_after_32_seconds() {
        let mut bench = Bench::udp();
        let mut machine = InviteClient::start(Bytes::from_static(b"INVITE"), &mut bench.wire());
        let mut gave_up = false;
        let mut sent_at = vec![0];
        while let Some(letter) = bench.advance() {
            let before = bench.sent().len();
            gave_up |= machine.on_timer(letter, &mut bench.wire());
            if bench.sent().len() > before {
                sent_at.push(bench.elapsed_ms());
            }
        }
        assert!(gave_up && machine.is_over());
        assert_eq!(sent_at, [0, 500, 1500, 3500, 7500, 15500, 31500]);
        assert_eq!(bench.elapsed_ms(), 32_000);
    }

    #[test]
    fn over_tls_an_invite_is_sent_once() {
        let mut bench = Bench::tls();
        let mut machine = InviteClient::start(Bytes::from_static(b"INVITE"), &mut bench.wire());
        assert_eq!(bench.advance(), Some(Letter::B));
        assert!(machine.on_timer(Letter::B, &mut bench.wire()));
        assert_eq!(bench.sent(), ["INVITE"]);
    }

    #[test]
    fn a_provisional_response_stops_the_sending_and_leaves_no_timer() {
        let mut bench = Bench::udp();
        let mut machine = InviteClient::start(Bytes::from_static(b"INVITE"), &mut bench.wire());
        assert_eq!(machine.on_provisional(&mut bench.wire()), Heard::Told(Bytes::new()));
        assert_eq!(machine.on_provisional(&mut bench.wire()), Heard::Told(Bytes::new()));
        assert_eq!(bench.advance(), None);
        assert!(machine.request().is_some());
    }

    #[test]
    fn the_user_may_limit_how_long_the_final_response_takes() {
        let mut bench = Bench::udp();
        let mut machine = InviteClient::start(Bytes::from_static(b"INVITE"), &mut bench.wire());
        machine.on_provisional(&mut bench.wire());
        machine.limit(&mut bench.wire(), T1_64);
        assert_eq!(bench.advance(), Some(Letter::B));
        assert!(machine.on_timer(Letter::B, &mut bench.wire()));
        assert!(machine.is_over());

        let mut bench = Bench::tls();
        let mut machine = InviteClient::start(Bytes::from_static(b"INVITE"), &mut bench.wire());
        machine.limit(&mut bench.wire(), T1_64);
        machine.on_provisional(&mut bench.wire());
        assert_eq!(bench.advance(), Some(Letter::B));
    }

    #[test]
    fn every_copy_of_a_failure_is_acknowledged_for_32_seconds_over_udp() {
        let mut bench = Bench::udp();
        let mut machine = InviteClient::start(Bytes::from_static(b"INVITE"), &mut bench.wire());
        assert_eq!(machine.on_failure(&mut bench.wire(), ack), Heard::Told(Bytes::from_static(b"INVITE")));
        assert_eq!(machine.on_failure(&mut bench.wire(), ack), Heard::Absorbed);
        assert_eq!(bench.sent(), ["INVITE", "ACK of INVITE", "ACK of INVITE"]);
        assert_eq!(machine.on_success(&mut bench.wire()), Heard::Absorbed);
        assert_eq!(bench.advance(), Some(Letter::D));
        machine.on_timer(Letter::D, &mut bench.wire());
        assert!(machine.is_over());
        assert_eq!(bench.elapsed_ms(), 32_000);
    }

    #[test]
    fn over_tls_a_failure_ends_the_transaction_at_once() {
        let mut bench = Bench::tls();
        let mut machine = InviteClient::start(Bytes::from_static(b"INVITE"), &mut bench.wire());
        machine.on_failure(&mut bench.wire(), ack);
        assert!(machine.is_over());
        assert_eq!(bench.advance(), None);
    }

    #[test]
    fn every_2xx_goes_to_the_user_for_32_seconds_on_any_transport() {
        let mut bench = Bench::tls();
        let mut machine = InviteClient::start(Bytes::from_static(b"INVITE"), &mut bench.wire());
        assert_eq!(machine.on_success(&mut bench.wire()), Heard::Told(Bytes::from_static(b"INVITE")));
        assert_eq!(machine.on_success(&mut bench.wire()), Heard::Told(Bytes::new()));
        assert_eq!(machine.on_provisional(&mut bench.wire()), Heard::Absorbed);
        assert_eq!(machine.on_failure(&mut bench.wire(), ack), Heard::Absorbed);
        assert_eq!(bench.advance(), Some(Letter::M));
        machine.on_timer(Letter::M, &mut bench.wire());
        assert!(machine.is_over());
    }
}
