//! Reports on how packets travel (RTCP, RFC 3550 section 6).

use std::time::{Duration, Instant};

/// Reads the packets of a compound in their order, up to the first that is broken.
pub fn packets(compound: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut rest = compound;
    std::iter::from_fn(move || {
        let head = rest.first_chunk::<4>()?;
        if head[0] >> 6 != 2 {
            return None;
        }
        let octets = 4 + usize::from(u16::from_be_bytes([head[2], head[3]])) * 4;
        let (packet, next) = rest.split_at_checked(octets)?;
        rest = next;
        Some(Packet::read(packet.get(4..)?, head[1], usize::from(head[0] & 0x1f)))
    })
}

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// From one who sends sound.
    SenderReport {
        /// The sender's stream.
        ssrc: u32,
        /// What it sent, and when that was.
        sent: SenderInfo,
        /// What it received.
        blocks: ReportBlocks<'a>,
    },
    /// From one who only listens.
    ReceiverReport {
        /// The reporter's stream.
        ssrc: u32,
        /// What it received.
        blocks: ReportBlocks<'a>,
    },
    /// A stream ends.
    Goodbye {
        /// The stream.
        ssrc: u32,
    },
    /// A description, feedback, or something broken: passed over.
    Other,
}

impl<'a> Packet<'a> {
    fn read(body: &'a [u8], kind: u8, count: usize) -> Self {
        Self::read_known(body, kind, count).unwrap_or(Self::Other)
    }

    fn read_known(body: &'a [u8], kind: u8, count: usize) -> Option<Self> {
        let mut words = Words(body);
        let ssrc = words.next()?;
        match kind {
            SENDER_REPORT => {
                let sent = SenderInfo {
                    ntp: u64::from(words.next()?) << 32 | u64::from(words.next()?),
                    timestamp: words.next()?,
                    packets: words.next()?,
                    octets: words.next()?,
                };
                Some(Self::SenderReport { ssrc, sent, blocks: ReportBlocks { rest: words, count } })
            }
            RECEIVER_REPORT => {
                Some(Self::ReceiverReport { ssrc, blocks: ReportBlocks { rest: words, count } })
            }
            GOODBYE if count > 0 => Some(Self::Goodbye { ssrc }),
            _ => None,
        }
    }
}

/// What a sender says of its own stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// The time of the report: seconds since 1900 in the upper half, 2^-32 seconds in the lower.
    pub ntp: u64,
    /// The same moment on the stream's clock.
    pub timestamp: u32,
    /// Packets sent since the stream began, modulo 2^32.
    pub packets: u32,
    /// Octets of payload in them.
    pub octets: u32,
}

/// The blocks of a report, one for each stream its sender hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlocks<'a> {
    rest: Words<'a>,
    count: usize,
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        self.count = self.count.checked_sub(1)?;
        let words = &mut self.rest;
        let ssrc = words.next()?;
        let [fraction_lost, l0, l1, l2] = words.next()?.to_be_bytes();
        // A signed number of 24 bits: duplicates make it negative.
        let lost = i32::from_be_bytes([l0, l1, l2, 0]) >> 8;
        Some(ReportBlock {
            ssrc,
            fraction_lost,
            lost,
            highest_sequence: words.next()?,
            jitter: words.next()?,
            last_report: words.next()?,
            delay: words.next()?,
        })
    }
}

/// What one side says of a stream it hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream it hears.
    pub ssrc: u32,
    /// Loss since its last report in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the stream began, -2^23 to 2^23 - 1.
    pub lost: i32,
    /// The highest sequence number it had, rounds counted in the upper half.
    pub highest_sequence: u32,
    /// Jitter in units of the stream's clock.
    pub jitter: u32,
    /// The middle 32 bits of the NTP time of the last sender report it had, 0 if none.
    pub last_report: u32,
    /// How long ago that came, in 1/65536 seconds.
    pub delay: u32,
}

/// What we say of ourselves in a report.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Our stream.
    pub ssrc: u32,
    /// What we sent, when we send.
    pub sent: Option<SenderInfo>,
    /// What we hear, when we hear something.
    pub heard: Option<ReportBlock>,
    /// Our name over all streams: random, at most 255 octets, the same for the life of a leg.
    pub name: &'a str,
    /// Whether the stream ends with this report.
    pub goodbye: bool,
}

impl Report<'_> {
    /// Writes a compound of report, name and perhaps goodbye, and answers its length; `None` without room for
    /// it: [`REPORT_OCTETS_MAX`] are always enough.
    pub fn write(&self, buffer: &mut [u8]) -> Option<usize> {
        let mut out = Writer { buffer, at: 0 };
        let (kind, info_words) = if self.sent.is_some() { (SENDER_REPORT, 5) } else { (RECEIVER_REPORT, 0) };
        let (count, block_words) = if self.heard.is_some() { (1, 6) } else { (0, 0) };
        out.head(kind, count, 1 + info_words + block_words)?;
        out.word(self.ssrc)?;
        if let Some(sent) = &self.sent {
            out.word((sent.ntp >> 32) as u32)?;
            out.word(sent.ntp as u32)?;
            out.word(sent.timestamp)?;
            out.word(sent.packets)?;
            out.word(sent.octets)?;
        }
        if let Some(block) = &self.heard {
            let [_, l0, l1, l2] = block.lost.clamp(-0x80_0000, 0x7f_ffff).to_be_bytes();
            out.word(block.ssrc)?;
            out.word(u32::from_be_bytes([block.fraction_lost, l0, l1, l2]))?;
            out.word(block.highest_sequence)?;
            out.word(block.jitter)?;
            out.word(block.last_report)?;
            out.word(block.delay)?;
        }
        let name = self.name.as_bytes();
        let length = u8::try_from(name.len()).ok()?;
        // Type, length and text, then at least one zero up to the next word.
        let padding = 4 - (2 + name.len()) % 4;
        out.head(SOURCE_DESCRIPTION, 1, u16::try_from(1 + (2 + name.len() + padding) / 4).ok()?)?;
        out.word(self.ssrc)?;
        out.octets(&[CANONICAL_NAME, length])?;
        out.octets(name)?;
        out.octets([0; 4].get(..padding)?)?;
        if self.goodbye {
            out.head(GOODBYE, 1, 1)?;
            out.word(self.ssrc)?;
        }
        Some(out.at)
    }
}

/// Octets that any report of ours fits in.
pub const REPORT_OCTETS_MAX: usize = 52 + 268 + 8;

/// The clock of reports: NTP time for moments that are handed in.
#[derive(Clone, Copy, Debug)]
pub struct NtpClock {
    base: Instant,
    ntp_at_base: u64,
}

impl NtpClock {
    /// A clock by which `base` was `since_unix` after the beginning of 1970 (UTC).
    pub fn new(base: Instant, since_unix: Duration) -> Self {
        Self { base, ntp_at_base: ntp(since_unix).wrapping_add(SECONDS_1900_TO_1970 << 32) }
    }

    /// Seconds since 1900 in the upper half, 2^-32 seconds in the lower.
    pub fn at(&self, now: Instant) -> u64 {
        self.ntp_at_base.wrapping_add(ntp(now.saturating_duration_since(self.base)))
    }
}

/// The middle of an NTP time, as report blocks carry it: 1/65536 seconds, modulo 18 hours.
pub const fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// A span as report blocks carry it: 1/65536 seconds.
pub fn short(span: Duration) -> u32 {
    (ntp(span) >> 16) as u32
}

/// The round trip that a report block about our stream tells, `now` being the middle of the NTP time at which it
/// came (RFC 3550 section 6.4.1). None if no report of ours had come there, or if the block is absurd.
pub fn round_trip(block: &ReportBlock, now: u32) -> Option<Duration> {
    if block.last_report == 0 {
        return None;
    }
    let span = now.wrapping_sub(block.last_report).wrapping_sub(block.delay);
    let span = Duration::from_nanos((u64::from(span) * 1_000_000_000) >> 16);
    (span <= ROUND_TRIP_MAX).then_some(span)
}

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CANONICAL_NAME: u8 = 1;
const SECONDS_1900_TO_1970: u64 = 2_208_988_800;
/// A longer round trip is an error of the far end's clock and not believed.
const ROUND_TRIP_MAX: Duration = Duration::from_secs(10);

fn ntp(span: Duration) -> u64 {
    (span.as_secs() << 32) | ((u64::from(span.subsec_nanos()) << 32) / 1_000_000_000)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*word))
    }
}

struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn head(&mut self, kind: u8, count: u8, words: u16) -> Option<()> {
        let [w0, w1] = words.to_be_bytes();
        self.octets(&[0x80 | count, kind, w0, w1])
    }

    fn word(&mut self, word: u32) -> Option<()> {
        self.octets(&word.to_be_bytes())
    }

    fn octets(&mut self, octets: &[u8]) -> Option<()> {
        let end = self.at.checked_add(octets.len())?;
        self.buffer.get_mut(self.at..end)?.copy_from_slice(octets);
        self.at = end;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: SenderInfo =
        SenderInfo { ntp: 0xe000_0000_8000_0000, timestamp: 160, packets: 9, octets: 1440 };

    #[test]
    fn a_report_is_read_as_it_is_written() {
        let heard = ReportBlock { ssrc: 5, fraction_lost: 25, lost: -3, jitter: 8, ..Default::default() };
        for name in ["", "a", "ab", "abc", "abcd"] {
            let mut buffer = [0xff; REPORT_OCTETS_MAX];
            let report = Report { ssrc: 7, sent: Some(SENT), heard: Some(heard), name, goodbye: true };
            let octets = report.write(&mut buffer).unwrap();
            assert_eq!(octets % 4, 0);
            let read: Vec<_> = packets(&buffer[..octets]).collect();
            let Packet::SenderReport { ssrc: 7, sent: SENT, mut blocks } = read[0] else {
                panic!("{read:?}");
            };
            assert_eq!(blocks.next(), Some(heard));
            assert_eq!(blocks.next(), None);
            assert_eq!(read[1..], [Packet::Other, Packet::Goodbye { ssrc: 7 }]);
        }
    }

    #[test]
    fn the_longest_report_has_room() {
        let name = "x".repeat(255);
        let report = Report {
            ssrc: 7,
            sent: Some(SENT),
            heard: Some(ReportBlock::default()),
            name: &name,
            goodbye: true,
        };
        assert!(report.write(&mut [0; REPORT_OCTETS_MAX]).is_some());
        assert_eq!(report.write(&mut [0; 100]), None);
    }

    #[test]
    fn a_round_trip_is_what_is_left_without_the_delay_at_the_far_end() {
        #[expect(clippy::disallowed_methods, reason = "a test needs some moment to begin at")]
        let base = Instant::now();
        let clock = NtpClock::new(base, Duration::from_secs(1_700_000_000));
        let sent = middle(clock.at(base));
        let back = middle(clock.at(base + Duration::from_millis(5040)));
        let block =
            ReportBlock { last_report: sent, delay: short(Duration::from_secs(5)), ..Default::default() };
        let trip = round_trip(&block, back).unwrap();
        assert!((39..=41).contains(&trip.as_millis()), "{trip:?}");
        assert_eq!(round_trip(&ReportBlock::default(), back), None);
        let late = ReportBlock { delay: short(Duration::from_secs(6)), ..block };
        assert_eq!(round_trip(&late, back), None, "a delay longer than the whole way");
    }
}
