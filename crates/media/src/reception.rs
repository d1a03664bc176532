//! What is known of the packets that arrive on a leg: how many are missing, how evenly they come.

use std::time::{Duration, Instant};

use crate::rtcp::{self, ReportBlock};
use crate::rtp::Header;

/// The stream that arrives, and the sums of those before it.
#[derive(Debug, Default)]
pub(crate) struct Reception {
    stream: Option<Stream>,
    /// Lost in streams that ended.
    lost_before: u64,
    pub(crate) packets: u64,
    pub(crate) octets: u64,
}

impl Reception {
    /// Counts a packet. Answers whether it is the newest so far; a late or repeated one is not.
    pub(crate) fn handle(
        &mut self,
        since_base: Duration,
        header: &Header,
        clock_hz: u32,
        octets: usize,
    ) -> bool {
        self.packets += 1;
        self.octets += octets as u64;
        if let Some(stream) = &mut self.stream
            && stream.ssrc == header.ssrc
        {
            match stream.handle(since_base, header, clock_hz) {
                Place::Newest => return true,
                Place::Late => return false,
                Place::Elsewhere => {}
            }
        }
        self.lost_before += self.stream.as_ref().map_or(0, Stream::lost);
        self.stream = Some(Stream::new(header));
        true
    }

    pub(crate) fn lost(&self) -> u64 {
        self.lost_before + self.stream.as_ref().map_or(0, Stream::lost)
    }

    pub(crate) fn jitter(&self, clock_hz: u32) -> f32 {
        self.stream.as_ref().map_or(0.0, |s| s.jitter * 1000.0 / clock_hz.max(1) as f32)
    }

    /// Notes when a sender report of the stream came.
    pub(crate) fn handle_sender_report(&mut self, now: Instant, ssrc: u32, ntp: u64) {
        if let Some(stream) = self.stream.as_mut().filter(|s| s.ssrc == ssrc) {
            stream.last_report = Some((rtcp::middle(ntp), now));
        }
    }

    /// What we report of the stream; loss is counted since the call before.
    pub(crate) fn report(&mut self, now: Instant) -> Option<ReportBlock> {
        self.stream.as_mut().map(|s| s.report(now))
    }
}

/// One stream, after RFC 3550 appendix A.
#[derive(Debug)]
struct Stream {
    ssrc: u32,
    /// The first sequence number, and the highest with rounds counted above 16 bits.
    first: u64,
    highest: u64,
    received: u64,
    /// Expected and received at the last report.
    reported: (u64, u64),
    /// In units of the clock.
    jitter: f32,
    /// Arrival less timestamp of the packet before, and that timestamp.
    transit: Option<(u32, u32)>,
    last_report: Option<(u32, Instant)>,
    /// The number that must follow if the far end has jumped for good.
    astray: Option<u16>,
}

enum Place {
    Newest,
    Late,
    /// The far end counts anew under the same stream number.
    Elsewhere,
}

impl Stream {
    fn new(header: &Header) -> Self {
        let first = ROUND + u64::from(header.sequence);
        Self {
            ssrc: header.ssrc,
            first,
            highest: first,
            received: 1,
            reported: (0, 0),
            jitter: 0.0,
            transit: None,
            last_report: None,
            astray: None,
        }
    }

    fn handle(&mut self, since_base: Duration, header: &Header, clock_hz: u32) -> Place {
        let ahead = header.sequence.wrapping_sub(self.highest as u16) as i16;
        if !(-JUMP..=JUMP).contains(&ahead) {
            if self.astray == Some(header.sequence) {
                return Place::Elsewhere;
            }
            self.astray = Some(header.sequence.wrapping_add(1));
            return Place::Late;
        }
        self.received += 1;
        if ahead <= 0 {
            return Place::Late;
        }
        self.highest += ahead as u64;
        self.count_jitter(since_base, header.timestamp, clock_hz);
        Place::Newest
    }

    fn count_jitter(&mut self, since_base: Duration, timestamp: u32, clock_hz: u32) {
        let arrival = (since_base.as_micros() as u64).wrapping_mul(u64::from(clock_hz)) / 1_000_000;
        let transit = (arrival as u32).wrapping_sub(timestamp);
        if let Some((before, stamped)) = self.transit {
            // Packets of one event share their timestamp and say nothing.
            if stamped == timestamp {
                return;
            }
            let change = (transit.wrapping_sub(before) as i32).unsigned_abs() as f32;
            // A leap is a pause or a new source of sound, no jitter.
            if change < clock_hz as f32 {
                self.jitter += (change - self.jitter) / 16.0;
            }
        }
        self.transit = Some((transit, timestamp));
    }

    fn expected(&self) -> u64 {
        self.highest - self.first + 1
    }

    fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    fn report(&mut self, now: Instant) -> ReportBlock {
        let (expected, received) = (self.expected(), self.received);
        let since = (expected - self.reported.0, received - self.reported.1);
        self.reported = (expected, received);
        let lost_since = since.0.saturating_sub(since.1);
        let fraction_lost = (lost_since * 256).checked_div(since.0).unwrap_or(0).min(255) as u8;
        let (last_report, delay) = match self.last_report {
            Some((ntp, at)) => (ntp, rtcp::short(now.saturating_duration_since(at))),
            None => (0, 0),
        };
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost,
            lost: i32::try_from(expected as i64 - received as i64).unwrap_or(i32::MAX),
            highest_sequence: (self.highest - ROUND) as u32,
            jitter: self.jitter as u32,
            last_report,
            delay,
        }
    }
}

/// Numbers begin one round up, so that packets before the first have a place.
const ROUND: u64 = 1 << 16;
/// A number further away than this is no loss but a far end that counts anew; believed when the next follows.
const JUMP: i16 = 3000;
