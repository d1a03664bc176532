//! Provisional responses that must arrive (RFC 3262).

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::header::RAck;
use crate::method::Method;
use crate::timer::T1;

/// The reliable provisional responses to one INVITE that we took.
///
/// One at a time: the next goes out when the PRACK for the one before has come (RFC 3262 section 3).
#[derive(Debug)]
pub(crate) struct Reliable<T> {
    next_rseq: u32,
    outstanding: Option<Outstanding>,
    /// What goes out after the next PRACK, in order.
    waiting: VecDeque<T>,
}

#[derive(Debug)]
struct Outstanding {
    rseq: u32,
    response: Bytes,
    again_after: Duration,
}

impl<T> Reliable<T> {
    /// `first` is the first RSeq, from 1 to 2^31 - 1 (RFC 3262 section 3).
    pub(crate) fn new(first: u32) -> Self {
        Self { next_rseq: first.clamp(1, RSEQ_FIRST_MAX), outstanding: None, waiting: VecDeque::new() }
    }

    /// The RSeq of the response to be sent now.
    pub(crate) fn take_rseq(&mut self) -> u32 {
        let rseq = self.next_rseq;
        self.next_rseq = self.next_rseq.wrapping_add(1);
        rseq
    }

    /// The response with that RSeq was sent; gives how long to wait for its PRACK before sending it again.
    pub(crate) fn sent(&mut self, rseq: u32, response: Bytes) -> Duration {
        self.outstanding = Some(Outstanding { rseq, response, again_after: T1 * 2 });
        T1
    }

    /// The response to be sent again, and how long to wait then.
    pub(crate) fn again(&mut self) -> Option<(Bytes, Duration)> {
        let outstanding = self.outstanding.as_mut()?;
        let after = outstanding.again_after;
        outstanding.again_after *= 2;
        Some((outstanding.response.clone(), after))
    }

    /// Whether a response waits for its PRACK.
    pub(crate) fn is_waiting(&self) -> bool {
        self.outstanding.is_some()
    }

    /// Whether the PRACK acknowledges what is outstanding of the INVITE with that CSeq.
    pub(crate) fn acknowledge(&mut self, rack: RAck<'_>, invite_cseq: u32) -> bool {
        let names = rack.cseq.number == invite_cseq && rack.cseq.method == Method::Invite;
        let hit = names && self.outstanding.as_ref().is_some_and(|outstanding| outstanding.rseq == rack.rseq);
        if hit {
            self.outstanding = None;
        }
        hit
    }

    /// Keeps something for after the PRACK. At the limit the oldest that waits gives way.
    pub(crate) fn wait(&mut self, next: T) {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(next);
    }

    pub(crate) fn next_waiting(&mut self) -> Option<T> {
        self.waiting.pop_front()
    }
}

/// What a reliable provisional response is to the side that called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The next one: to be acknowledged and told.
    Next,
    /// A copy, or one that overtook another: no PRACK (RFC 3262 section 4).
    NotNext,
}

impl Arrival {
    /// `latest` is the RSeq of the latest one of the same early dialog.
    pub(crate) fn of(rseq: u32, latest: Option<u32>) -> Self {
        match latest {
            Some(latest) if latest.wrapping_add(1) != rseq => Self::NotNext,
            _ => Self::Next,
        }
    }
}

/// The greatest RSeq to begin with.
const RSEQ_FIRST_MAX: u32 = (1 << 31) - 1;

/// Responses that wait for a PRACK. A user that rings on in the meantime loses the oldest of them, never the last.
const WAITING_MAX: usize = 4;
