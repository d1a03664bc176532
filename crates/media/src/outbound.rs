//! The one stream that a leg sends, whatever it is made of.
//!
//! Music, a bridged party, digits: the far end sees one stream number, sequence numbers without a break and
//! timestamps that go with the time. Gaps and the order of a bridged stream are passed on as they came, so that
//! the far end's jitter buffer sees what happened.

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::leg::LegId;
use crate::rtp::{HEADER_OCTETS, Header};
use crate::srtp::{ReplayWindow, SrtpKey, SrtpSender, nearest_index};

pub(crate) struct Outbound {
    pub(crate) ssrc: u32,
    /// What went out, by number; `None` before the first packet.
    sent: Option<Sent>,
    /// The number and timestamp of the first packet.
    first: (u16, u32),
    source: Source,
    srtp: Option<SrtpSender>,
    pub(crate) packets: u64,
    pub(crate) octets: u64,
}

struct Sent {
    window: ReplayWindow,
    /// The latest timestamp, and when the first packet with it left.
    timestamp: u32,
    at: Instant,
}

/// Where the packets come from at present.
#[derive(Clone, Copy)]
enum Source {
    Nobody,
    /// Our own sound or digits.
    Own,
    /// A bridged stream, and what is added to its numbers.
    Bridged {
        from: LegId,
        ssrc: u32,
        sequence_offset: u16,
        timestamp_offset: u32,
        astray: Option<u16>,
    },
}

/// A packet of a bridged stream: who it is from and what its head says.
pub(crate) struct Bridged<'a> {
    pub(crate) from: LegId,
    pub(crate) header: &'a Header,
    /// Where its payload is in the buffer.
    pub(crate) payload: Range<usize>,
}

impl Outbound {
    /// A stream whose numbers come from `ssrc` and `first`; the sequence number begins in the lower half, so that
    /// a far end that misses the start cannot miss a rollover (RFC 3711 section 3.3.1).
    pub(crate) fn new(ssrc: u32, first_sequence: u16, first_timestamp: u32) -> Self {
        Self {
            ssrc,
            sent: None,
            first: (first_sequence & 0x7fff, first_timestamp),
            source: Source::Nobody,
            srtp: None,
            packets: 0,
            octets: 0,
        }
    }

    pub(crate) fn configure(&mut self, key: Option<&SrtpKey>) {
        match (key, &mut self.srtp) {
            (Some(key), Some(srtp)) => srtp.rekey(key),
            (Some(key), none) => *none = Some(SrtpSender::new(key)),
            (None, srtp) => *srtp = None,
        }
    }

    /// Forgets where packets came from: whatever comes next continues the numbers, without a gap.
    pub(crate) fn interrupt(&mut self) {
        self.source = Source::Nobody;
    }

    /// Sends a bridged packet on under `payload_type`; answers where in `buffer` it is.
    pub(crate) fn relay(
        &mut self,
        now: Instant,
        clock_hz: u32,
        payload_type: u8,
        packet: &Bridged<'_>,
        buffer: &mut [u8],
    ) -> Option<Range<usize>> {
        let Header { ssrc, sequence, timestamp, marker, .. } = *packet.header;
        let Bridged { from, ref payload, .. } = *packet;
        let (index, timestamp, switched) = match self.follow(from, ssrc, sequence, timestamp) {
            Follow::Next { index, timestamp } => (index, timestamp, false),
            Follow::Drop => return None,
            Follow::Switch => {
                let index = self.next_index();
                let own = self.next_timestamp(now, clock_hz, clock_hz / 50);
                self.source = Source::Bridged {
                    from,
                    ssrc,
                    sequence_offset: (index as u16).wrapping_sub(sequence),
                    timestamp_offset: own.wrapping_sub(timestamp),
                    astray: None,
                };
                (index, own, true)
            }
        };
        self.note(now, index, timestamp);
        let mut header = Header::plain(payload_type, index as u16, timestamp, self.ssrc);
        header.marker = marker || switched;
        let start = payload.start.checked_sub(HEADER_OCTETS)?;
        self.finish(&header, start..payload.end, buffer)
    }

    /// Leaves a bridged packet out without a gap in the numbers.
    pub(crate) fn skip(&mut self, packet: &Bridged<'_>) {
        let highest = self.sent.as_ref().map_or(0, |s| s.window.highest);
        if let Source::Bridged { from, ssrc, sequence_offset, .. } = &mut self.source
            && (*from, *ssrc) == (packet.from, packet.header.ssrc)
            && packet.header.sequence.wrapping_add(*sequence_offset) == (highest as u16).wrapping_add(1)
        {
            *sequence_offset = sequence_offset.wrapping_sub(1);
        }
    }

    /// Sends a frame of our own sound, which lies at octet 12 of `buffer`; `units` is its length on the clock.
    pub(crate) fn sound(
        &mut self,
        now: Instant,
        clock_hz: u32,
        payload_type: u8,
        octets: usize,
        units: u32,
        buffer: &mut [u8],
    ) -> Option<Range<usize>> {
        let continues = matches!(self.source, Source::Own);
        let timestamp = match &self.sent {
            Some(sent) if continues => sent.timestamp.wrapping_add(units),
            _ => self.next_timestamp(now, clock_hz, units),
        };
        self.own(now, payload_type, timestamp, !continues, octets, buffer)
    }

    /// Sends a packet of a key press, which lies at octet 12 of `buffer`. All packets of a press have the
    /// timestamp of the first.
    pub(crate) fn event(
        &mut self,
        now: Instant,
        clock_hz: u32,
        payload_type: u8,
        first: bool,
        octets: usize,
        buffer: &mut [u8],
    ) -> Option<Range<usize>> {
        let timestamp = match &self.sent {
            Some(sent) if !first => sent.timestamp,
            _ => self.next_timestamp(now, clock_hz, 1),
        };
        let range = self.own(now, payload_type, timestamp, first, octets, buffer);
        // Sound after it takes its timestamp from the time that has passed.
        self.source = Source::Nobody;
        range
    }

    /// Encrypts an RTCP packet if the leg does so; answers its length.
    pub(crate) fn protect_rtcp(&mut self, buffer: &mut [u8], octets: usize) -> Option<usize> {
        match &mut self.srtp {
            Some(srtp) => srtp.protect_rtcp(buffer, octets),
            None => Some(octets),
        }
    }

    /// The timestamp of this moment; `None` before the first packet.
    pub(crate) fn timestamp_at(&self, now: Instant, clock_hz: u32) -> Option<u32> {
        let sent = self.sent.as_ref()?;
        Some(sent.timestamp.wrapping_add(units(now.saturating_duration_since(sent.at), clock_hz)))
    }

    fn own(
        &mut self,
        now: Instant,
        payload_type: u8,
        timestamp: u32,
        marker: bool,
        octets: usize,
        buffer: &mut [u8],
    ) -> Option<Range<usize>> {
        let index = self.next_index();
        self.source = Source::Own;
        self.note(now, index, timestamp);
        let mut header = Header::plain(payload_type, index as u16, timestamp, self.ssrc);
        header.marker = marker;
        self.finish(&header, 0..HEADER_OCTETS + octets, buffer)
    }

    fn follow(&mut self, from: LegId, ssrc: u32, sequence: u16, timestamp: u32) -> Follow {
        let (Source::Bridged { from: f, ssrc: s, sequence_offset, timestamp_offset, astray }, Some(sent)) =
            (&mut self.source, &self.sent)
        else {
            return Follow::Switch;
        };
        if (*f, *s) != (from, ssrc) {
            return Follow::Switch;
        }
        let highest = sent.window.highest;
        let index = nearest_index(highest, sequence.wrapping_add(*sequence_offset));
        if index > highest + JUMP || highest > index + JUMP {
            if *astray == Some(sequence) {
                return Follow::Switch;
            }
            *astray = Some(sequence.wrapping_add(1));
            return Follow::Drop;
        }
        // A number is never used twice: under SRTP two packets would share a key stream.
        if sent.window.is_replay(index) {
            return Follow::Drop;
        }
        Follow::Next { index, timestamp: timestamp.wrapping_add(*timestamp_offset) }
    }

    fn next_index(&self) -> u64 {
        self.sent.as_ref().map_or(u64::from(self.first.0), |s| s.window.highest + 1)
    }

    /// As far after the last packet as time has passed, and at least `least`.
    fn next_timestamp(&self, now: Instant, clock_hz: u32, least: u32) -> u32 {
        match &self.sent {
            None => self.first.1,
            Some(sent) => {
                let passed = units(now.saturating_duration_since(sent.at), clock_hz);
                sent.timestamp.wrapping_add(passed.max(least))
            }
        }
    }

    fn note(&mut self, now: Instant, index: u64, timestamp: u32) {
        match &mut self.sent {
            Some(sent) => {
                // Packets of one event share their timestamp, which is that of the first.
                if index > sent.window.highest && sent.timestamp != timestamp {
                    sent.timestamp = timestamp;
                    sent.at = now;
                }
                sent.window.note(index);
            }
            None => {
                let mut window = ReplayWindow::starting_at(index);
                window.note(index);
                self.sent = Some(Sent { window, timestamp, at: now });
            }
        }
    }

    fn finish(&mut self, header: &Header, packet: Range<usize>, buffer: &mut [u8]) -> Option<Range<usize>> {
        let start = packet.start;
        let octets = packet.len();
        let room = buffer.get_mut(start..)?;
        header.write(room.get_mut(..octets)?);
        self.packets += 1;
        self.octets += (octets - HEADER_OCTETS) as u64;
        let octets = match &mut self.srtp {
            Some(srtp) => srtp.protect_rtp(room, octets)?,
            None => octets,
        };
        Some(start..start + octets)
    }
}

enum Follow {
    Next { index: u64, timestamp: u32 },
    Switch,
    Drop,
}

/// A number further away than this is a source that counts anew; followed when the next number confirms it.
const JUMP: u64 = 3000;

fn units(span: Duration, clock_hz: u32) -> u32 {
    (span.as_micros() as u64).wrapping_mul(u64::from(clock_hz)).wrapping_div(1_000_000) as u32
}
