//! The head of an RTP packet (RFC 3550 section 5.1).

use std::ops::Range;

/// The fields of a head that matter to us, and where the payload begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The mark: the first packet after silence, or the first of an event.
    pub marker: bool,
    /// What the payload is, 0 to 127.
    pub payload_type: u8,
    /// Grows by one with each packet, modulo 2^16.
    pub sequence: u16,
    /// When the payload was sampled, in units of the codec's clock, modulo 2^32.
    pub timestamp: u32,
    /// The number of the stream.
    pub ssrc: u32,
    /// Octets of the head, its extension and contributors included.
    pub octets: usize,
    /// Whether the last octet of the payload counts padding.
    padded: bool,
}

impl Header {
    /// A head without contributors, extension or padding: what we send.
    pub const fn plain(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32) -> Self {
        Self { marker: false, payload_type, sequence, timestamp, ssrc, octets: HEADER_OCTETS, padded: false }
    }

    /// Reads the head of a packet; `None` if it is no RTP of version 2 or ends inside its head.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let (head, rest) = packet.split_first_chunk::<HEADER_OCTETS>()?;
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *head;
        if first >> 6 != 2 {
            return None;
        }
        let contributors = usize::from(first & 0x0f) * 4;
        let mut octets = HEADER_OCTETS + contributors;
        if first & 0x10 != 0 {
            let extension = rest.get(contributors..)?.first_chunk::<4>()?;
            octets += 4 + usize::from(u16::from_be_bytes([extension[2], extension[3]])) * 4;
        }
        if octets > packet.len() {
            return None;
        }
        Some(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            octets,
            padded: first & 0x20 != 0,
        })
    }

    /// Where the payload is in a packet in the clear, padding left out; `None` if the padding is a lie.
    pub fn payload(&self, packet: &[u8]) -> Option<Range<usize>> {
        let mut end = packet.len();
        if self.padded {
            let padding = usize::from(*packet.last()?);
            if padding == 0 {
                return None;
            }
            end = end.checked_sub(padding)?;
        }
        (self.octets <= end).then_some(self.octets..end)
    }

    /// Writes a plain head (12 octets, whatever was parsed) to the start of `packet`.
    ///
    /// A packet shorter than that is left as it is.
    pub fn write(&self, packet: &mut [u8]) {
        let Some(head) = packet.first_chunk_mut::<HEADER_OCTETS>() else { return };
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [c0, c1, c2, c3] = self.ssrc.to_be_bytes();
        let second = self.payload_type & 0x7f | if self.marker { 0x80 } else { 0 };
        *head = [0x80, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3];
    }
}

/// Whether a packet on a shared port is RTCP and not RTP (RFC 5761 section 4).
pub fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet, [first, 192..=223, ..] if first >> 6 == 2)
}

/// Octets of a head without contributors and extension.
pub const HEADER_OCTETS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let mut packet = [0; 20];
        let header = Header { marker: true, ..Header::plain(101, 65535, 0xdead_beef, 7) };
        header.write(&mut packet);
        assert_eq!(Header::parse(&packet), Some(header));
        assert_eq!(header.payload(&packet), Some(12..20));
    }

    #[test]
    fn contributors_extension_and_padding_are_not_payload() {
        let mut packet = vec![0xb1, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend([9; 4]); // one contributor
        packet.extend([0xbe, 0xde, 0, 1, 5, 5, 5, 5]); // an extension of one word
        packet.extend([1, 2, 3, 0, 0, 3]); // three octets of sound, three of padding
        let header = Header::parse(&packet).unwrap();
        assert_eq!(header.octets, 24);
        assert_eq!(header.payload(&packet), Some(24..27));
    }

    #[test]
    fn what_is_no_rtp_is_not_read() {
        assert_eq!(Header::parse(&[0x80; 11]), None);
        assert_eq!(Header::parse(&[0x40; 12]), None);
        assert_eq!(Header::parse(&[0x8f; 12]), None, "contributors beyond the end");
        assert_eq!(Header::parse(&[0x90; 14]), None, "an extension beyond the end");
        let mut packet = [0xa0; 13];
        let header = Header::parse(&packet).unwrap();
        packet[12] = 2;
        assert_eq!(header.payload(&packet), None, "more padding than payload");
        packet[12] = 0;
        assert_eq!(header.payload(&packet), None, "padding of nothing");
    }

    #[test]
    fn reports_are_told_from_sound() {
        assert!(is_rtcp(&[0x80, 200, 0, 0]));
        assert!(!is_rtcp(&[0x80, 0x80 | 8, 0, 0]));
        assert!(!is_rtcp(&[0x80]));
    }
}
