//! What a transaction's machine can do: send and set its timers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::key::{TransactionId, TransmitToken};
use super::letter::Letter;
use crate::flow::{Destination, Transport};
use crate::timer::Timers;

/// Bytes to be sent.
#[derive(Clone, Debug)]
pub struct Transmit {
    /// Where they go.
    pub to: Destination,
    /// To be handed back with [`UserAgent::handle_send_failed`](crate::ua::UserAgent::handle_send_failed) if they
    /// cannot be sent; `None` where nobody waits for an answer.
    pub token: Option<TransmitToken>,
    /// The message.
    pub bytes: Bytes,
}

/// The outside of one transaction, borrowed while its machine moves.
pub(super) struct Wire<'a> {
    pub(super) now: Instant,
    pub(super) id: TransactionId,
    pub(super) to: &'a Destination,
    pub(super) timers: &'a mut Timers<(TransactionId, Letter)>,
    pub(super) transmits: &'a mut VecDeque<Transmit>,
}

impl Wire<'_> {
    /// Whether the transport itself delivers or tells.
    pub(super) fn reliable(&self) -> bool {
        transport(self.to).is_reliable()
    }

    pub(super) fn send(&mut self, bytes: &Bytes) {
        let token = match self.id {
            TransactionId::Client(key) => Some(TransmitToken(key)),
            TransactionId::Server(_) => None,
        };
        self.transmits.push_back(Transmit { to: self.to.clone(), token, bytes: bytes.clone() });
    }

    pub(super) fn set(&mut self, letter: Letter, after: Duration) {
        self.timers.set((self.id, letter), self.now + after);
    }

    pub(super) fn stop(&mut self, letter: Letter) {
        self.timers.stop((self.id, letter));
    }
}

fn transport(to: &Destination) -> Transport {
    match to {
        Destination::Flow(flow) => flow.transport,
        Destination::Hop(hop) => hop.transport,
    }
}

/// A wire whose time a test moves and whose messages it reads.
#[cfg(test)]
pub(super) struct Bench {
    start: Instant,
    now: Instant,
    to: Destination,
    timers: Timers<(TransactionId, Letter)>,
    transmits: VecDeque<Transmit>,
}

#[cfg(test)]
impl Bench {
    pub(super) fn udp() -> Self {
        Self::over(Transport::Udp)
    }

    pub(super) fn tls() -> Self {
        Self::over(Transport::Tls)
    }

    fn over(transport: Transport) -> Self {
        let start = crate::timer::start_of_test();
        let interface = crate::flow::InterfaceId(0);
        let hop = crate::flow::Hop { interface, transport, host: "192.0.2.1".into(), port: None };
        Self {
            start,
            now: start,
            to: Destination::Hop(hop),
            timers: Timers::new(),
            transmits: VecDeque::new(),
        }
    }

    pub(super) fn wire(&mut self) -> Wire<'_> {
        let id = TransactionId::Server(super::key::ServerId(0));
        let Self { now, to, timers, transmits, .. } = self;
        Wire { now: *now, id, to, timers, transmits }
    }

    /// Moves time to the next timer.
    pub(super) fn advance(&mut self) -> Option<Letter> {
        self.now = self.timers.next()?;
        self.timers.pop_due(self.now).map(|(_, letter)| letter)
    }

    pub(super) fn elapsed_ms(&self) -> u128 {
        (self.now - self.start).as_millis()
    }

    pub(super) fn sent(&self) -> Vec<&str> {
        self.transmits.iter().map(|t| std::str::from_utf8(&t.bytes).unwrap()).collect()
    }
}
