//! A 2xx of ours that waits for its ACK.

use std::time::Duration;

use bytes::Bytes;

use super::engine::{LegTimer, Sent};
use super::turn::Turn;
use crate::flow::Destination;
use crate::message::Message;
use crate::timer::{T1, T1_64, T2};

/// A 2xx of ours that waits for its ACK (RFC 3261 section 13.3.1.4).
///
/// It is sent again until then, over reliable transports too: a proxy on the way may have lost it.
#[derive(Debug)]
pub(super) struct Unacknowledged {
    cseq: u32,
    to: Destination,
    response: Bytes,
    again_after: Duration,
    /// Whether it carries our offer, so that the ACK brings the answer.
    pub(super) wants_answer: bool,
}

impl Unacknowledged {
    /// The 2xx has just been sent, to the INVITE of that CSeq.
    pub(super) fn begin(turn: &mut Turn<'_>, cseq: u32, (to, response): Sent, wants_answer: bool) -> Self {
        turn.set(LegTimer::SuccessAgain, T1);
        turn.set(LegTimer::SuccessGivesUp, T1_64);
        Self { cseq, to, response, again_after: T1 * 2, wants_answer }
    }

    /// Goes on after the timers of the leg were stopped.
    pub(super) fn go_on(&self, turn: &mut Turn<'_>) {
        turn.set(LegTimer::SuccessAgain, self.again_after);
        turn.set(LegTimer::SuccessGivesUp, T1_64);
    }

    /// Sends the 2xx again.
    pub(super) fn again(&mut self, turn: &mut Turn<'_>) {
        turn.engine.transactions.send(self.to.clone(), self.response.clone());
        turn.set(LegTimer::SuccessAgain, self.again_after);
        self.again_after = (self.again_after * 2).min(T2);
    }

    /// Whether this is its ACK.
    pub(super) fn is_acknowledged_by(&self, ack: &Message) -> bool {
        self.cseq == ack.cseq().number
    }
}
