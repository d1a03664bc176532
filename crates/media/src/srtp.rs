//! SRTP with the suite of Direct Routing, AES_CM_128_HMAC_SHA1_80 (RFC 3711, RFC 4568).
//!
//! Packets are turned in place. What belongs to one key is a context: when a far end changes its key in a
//! negotiation, the old context serves until the first packet authenticates under the new one.

use aes::Aes128Enc;
use aes::cipher::{Block, BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use crate::rtp;

/// What one side encrypts with: a master key of 16 octets and a master salt of 14 octets.
///
/// Never printed: `Debug` shows a placeholder. Compared in constant time.
#[derive(Clone)]
pub struct SrtpKey([u8; Self::OCTETS]);

impl SrtpKey {
    /// Octets of key and salt together.
    pub const OCTETS: usize = 30;

    /// A key from 30 random octets, handed in by whoever owns the generator.
    pub const fn new(octets: [u8; Self::OCTETS]) -> Self {
        Self(octets)
    }

    /// Reads the base64 form of an `a=crypto` line: 40 characters. Padding is neither needed nor harmful.
    pub fn from_inline(text: &str) -> Option<Self> {
        let octets = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        octets.try_into().ok().map(Self)
    }

    /// The base64 form for an `a=crypto` line. This is the key itself: it belongs into the description only.
    pub fn to_inline(&self) -> String {
        STANDARD.encode(self.0)
    }

    fn parts(&self) -> ([u8; 16], [u8; 14]) {
        let (mut key, mut salt) = ([0; 16], [0; 14]);
        let (front, back) = self.0.split_at(key.len());
        key.copy_from_slice(front);
        salt.copy_from_slice(back);
        (key, salt)
    }
}

impl PartialEq for SrtpKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SrtpKey {}

impl std::fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SrtpKey(secret)")
    }
}

/// Encrypts what we send. One stream number for its whole life.
pub struct SrtpSender {
    key: SrtpKey,
    keys: SessionKeys,
    /// The highest packet index sent: rollover counter and sequence number.
    highest: Option<u64>,
    rtcp_index: u32,
}

impl SrtpSender {
    /// A sender that has sent nothing.
    pub fn new(key: &SrtpKey) -> Self {
        Self { key: key.clone(), keys: SessionKeys::derive(key), highest: None, rtcp_index: 0 }
    }

    /// Goes over to another key; with the same key nothing changes.
    pub fn rekey(&mut self, key: &SrtpKey) {
        if *key != self.key {
            *self = Self::new(key);
        }
    }

    /// Encrypts an RTP packet of `octets` at the start of `buffer` and appends its tag.
    ///
    /// Answers the new length, or `None` if the buffer has no room for [`TAG_OCTETS`] more or holds no RTP.
    /// Sequence numbers may come out of order within 2^15, but the caller never sends two different packets
    /// under one number: they would be encrypted with the same key stream.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], octets: usize) -> Option<usize> {
        let header = rtp::Header::parse(buffer.get(..octets)?)?;
        let end = octets.checked_add(TAG_OCTETS)?;
        if end > buffer.len() {
            return None;
        }
        let index = self.highest.map_or(u64::from(header.sequence), |h| nearest_index(h, header.sequence));
        self.highest = Some(self.highest.map_or(index, |h| h.max(index)));
        let keys = &self.keys.rtp;
        keys.apply_keystream(header.ssrc, index, buffer.get_mut(header.octets..octets)?);
        let (packet, rest) = buffer.split_at_mut_checked(octets)?;
        let tag = keys.tag(packet, rollover(index));
        rest.get_mut(..TAG_OCTETS)?.copy_from_slice(tag.get(..TAG_OCTETS)?);
        Some(end)
    }

    /// Encrypts an RTCP packet in the same way; needs [`RTCP_EXTRA_OCTETS`] more.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], octets: usize) -> Option<usize> {
        let ssrc = rtcp_ssrc(buffer.get(..octets)?)?;
        if octets.checked_add(RTCP_EXTRA_OCTETS)? > buffer.len() {
            return None;
        }
        // 31 bits; after 2^31 reports (one each 5 s: 340 years) numbers begin again.
        self.rtcp_index = self.rtcp_index.wrapping_add(1) & INDEX_MASK;
        let keys = &self.keys.rtcp;
        keys.apply_keystream(ssrc, u64::from(self.rtcp_index), buffer.get_mut(RTCP_CLEAR_OCTETS..octets)?);
        let (packet, rest) = buffer.split_at_mut_checked(octets)?;
        let trailer = (self.rtcp_index | ENCRYPTED).to_be_bytes();
        let tag = keys.tag(packet, trailer);
        let (index, rest) = rest.split_at_mut_checked(trailer.len())?;
        index.copy_from_slice(&trailer);
        rest.get_mut(..TAG_OCTETS)?.copy_from_slice(tag.get(..TAG_OCTETS)?);
        Some(octets + RTCP_EXTRA_OCTETS)
    }
}

/// Decrypts what arrives, of any stream number.
pub struct SrtpReceiver {
    current: Context,
    /// The context before a change of key, until a packet authenticates under the new key.
    previous: Option<Box<Context>>,
}

impl SrtpReceiver {
    /// A receiver to which nothing has come. `mki_octets` is the length of the key identifier that the far end's
    /// description announces; packets with and without it are taken.
    pub fn new(key: &SrtpKey, mki_octets: u8) -> Self {
        Self { current: Context::new(key, mki_octets), previous: None }
    }

    /// Goes over to another key; with the same key nothing changes.
    pub fn rekey(&mut self, key: &SrtpKey, mki_octets: u8) {
        if *key == self.current.key {
            self.current.mki_octets = usize::from(mki_octets);
            return;
        }
        let next = match self.previous.take() {
            // Back to the key before, while packets under it still came: its numbers go on.
            Some(previous) if previous.key == *key => *previous,
            _ => Context::new(key, mki_octets),
        };
        self.previous = Some(Box::new(std::mem::replace(&mut self.current, next)));
    }

    /// Checks and decrypts an RTP packet in place and answers its length in the clear.
    ///
    /// A packet that is refused is left as it was.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let outcome = self.current.unprotect_rtp(packet);
        if self.previous.is_none() {
            return outcome;
        }
        self.with_previous(outcome, packet, Context::unprotect_rtp)
    }

    /// Checks and decrypts an RTCP packet in place and answers its length in the clear.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let outcome = self.current.unprotect_rtcp(packet);
        if self.previous.is_none() {
            return outcome;
        }
        self.with_previous(outcome, packet, Context::unprotect_rtcp)
    }

    #[cold]
    fn with_previous(
        &mut self,
        outcome: Result<usize, SrtpError>,
        packet: &mut [u8],
        unprotect: fn(&mut Context, &mut [u8]) -> Result<usize, SrtpError>,
    ) -> Result<usize, SrtpError> {
        match (outcome, &mut self.previous) {
            (Ok(octets), previous) => {
                *previous = None;
                Ok(octets)
            }
            (Err(SrtpError::NotAuthentic), Some(previous)) => unprotect(previous, packet),
            (Err(error), _) => Err(error),
        }
    }
}

/// Why a packet is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SrtpError {
    /// Too short, or no packet of this kind at all.
    #[error("not an SRTP packet")]
    Malformed,
    /// Another key, or changed on the way.
    #[error("the packet does not authenticate")]
    NotAuthentic,
    /// Came before, or is older than the replay window.
    #[error("the packet came before")]
    Replayed,
}

/// Octets that encryption adds to an RTP packet.
pub const TAG_OCTETS: usize = 10;
/// Octets that encryption adds to an RTCP packet.
pub const RTCP_EXTRA_OCTETS: usize = 4 + TAG_OCTETS;

/// One key of the far end, and what came under it.
struct Context {
    key: SrtpKey,
    keys: SessionKeys,
    mki_octets: usize,
    rtp: Streams,
    rtcp: Streams,
}

impl Context {
    fn new(key: &SrtpKey, mki_octets: u8) -> Self {
        Self {
            key: key.clone(),
            keys: SessionKeys::derive(key),
            mki_octets: usize::from(mki_octets),
            rtp: Streams::default(),
            rtcp: Streams::default(),
        }
    }

    fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let header = rtp::Header::parse(packet).ok_or(SrtpError::Malformed)?;
        let index = self.rtp.nearest_index(header.ssrc, header.sequence);
        if self.rtp.is_replay(header.ssrc, index) {
            return Err(SrtpError::Replayed);
        }
        let (index, octets) = self.authenticate_rtp(&header, index, packet)?;
        let payload = packet.get_mut(header.octets..octets).ok_or(SrtpError::Malformed)?;
        self.keys.rtp.apply_keystream(header.ssrc, index, payload);
        self.rtp.note(header.ssrc, index);
        Ok(octets)
    }

    /// The packet's index and its length in the clear. The first packet of a stream that we see may have been sent
    /// after its first rollover, when those before it came too early for us: then the next round is tried.
    fn authenticate_rtp(
        &self,
        header: &rtp::Header,
        index: u64,
        packet: &[u8],
    ) -> Result<(u64, usize), SrtpError> {
        let at = |index| {
            let octets = self.authenticate(&self.keys.rtp, packet, 0, |_| Some(rollover(index)))?;
            Ok((index, octets))
        };
        let outcome = at(index);
        let may_be_later = index < 0x8000 && self.rtp.find(header.ssrc).is_none();
        if outcome.is_err() && may_be_later { at(index + 0x1_0000) } else { outcome }
    }

    fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let ssrc = rtcp_ssrc(packet).ok_or(SrtpError::Malformed)?;
        let trailer_at = |end: usize, packet: &[u8]| packet.get(end..)?.first_chunk::<4>().copied();
        let octets = self.authenticate(&self.keys.rtcp, packet, 4, |end| trailer_at(end, packet))?;
        let trailer = u32::from_be_bytes(trailer_at(octets, packet).ok_or(SrtpError::Malformed)?);
        let index = u64::from(trailer & INDEX_MASK);
        if self.rtcp.is_replay(ssrc, index) {
            return Err(SrtpError::Replayed);
        }
        if trailer & ENCRYPTED != 0 {
            let body = packet.get_mut(RTCP_CLEAR_OCTETS..octets).ok_or(SrtpError::Malformed)?;
            self.keys.rtcp.apply_keystream(ssrc, index, body);
        }
        self.rtcp.note(ssrc, index);
        Ok(octets)
    }

    /// The length of the packet without its tag, key identifier and trailer, if the tag is right; with the key
    /// identifier where one was announced, and without.
    fn authenticate(
        &self,
        keys: &Keys,
        packet: &[u8],
        trailer_octets: usize,
        trailer: impl Fn(usize) -> Option<[u8; 4]>,
    ) -> Result<usize, SrtpError> {
        let tag_at = packet.len().checked_sub(TAG_OCTETS).ok_or(SrtpError::Malformed)?;
        let tag = packet.get(tag_at..).ok_or(SrtpError::Malformed)?;
        let is_right = |mki_octets: usize| {
            let end = tag_at.checked_sub(mki_octets + trailer_octets)?;
            let expected = keys.tag(packet.get(..end)?, trailer(end)?);
            bool::from(expected.get(..TAG_OCTETS)?.ct_eq(tag)).then_some(end)
        };
        let with_mki = if self.mki_octets > 0 { is_right(self.mki_octets) } else { None };
        with_mki.or_else(|| is_right(0)).ok_or(SrtpError::NotAuthentic)
    }
}

/// The streams that came under one key, the latest first.
///
/// At the limit of [`STREAMS_MAX`] the one that was silent longest is forgotten: a Teams leg shows a new one at
/// each change of its media server.
#[derive(Default)]
struct Streams([Option<Stream>; STREAMS_MAX]);

impl Streams {
    fn find(&self, ssrc: u32) -> Option<&Stream> {
        self.0.iter().flatten().find(|s| s.ssrc == ssrc)
    }

    fn nearest_index(&self, ssrc: u32, sequence: u16) -> u64 {
        self.find(ssrc).map_or(u64::from(sequence), |s| nearest_index(s.window.highest, sequence))
    }

    fn is_replay(&self, ssrc: u32, index: u64) -> bool {
        self.find(ssrc).is_some_and(|s| s.window.is_replay(index))
    }

    fn note(&mut self, ssrc: u32, index: u64) {
        let place = self.0.iter().position(|s| s.as_ref().is_some_and(|s| s.ssrc == ssrc));
        match place {
            Some(0) => {}
            Some(place) => {
                if let Some(front) = self.0.get_mut(..=place) {
                    front.rotate_right(1);
                }
            }
            None => {
                self.0.rotate_right(1);
                if let Some(front) = self.0.first_mut() {
                    *front = Some(Stream { ssrc, window: ReplayWindow::starting_at(index) });
                }
            }
        }
        if let Some(Some(stream)) = self.0.first_mut() {
            stream.window.note(index);
        }
    }
}

struct Stream {
    ssrc: u32,
    window: ReplayWindow,
}

/// Which of the last 128 packets came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplayWindow {
    pub(crate) highest: u64,
    /// Bit `n` says that `highest - n` came.
    seen: u128,
}

impl ReplayWindow {
    pub(crate) const fn starting_at(index: u64) -> Self {
        Self { highest: index, seen: 0 }
    }

    pub(crate) fn is_replay(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => false,
            Some(age) => age >= 128 || self.seen >> age & 1 == 1,
        }
    }

    pub(crate) fn note(&mut self, index: u64) {
        if let Some(age) = self.highest.checked_sub(index) {
            if age < 128 {
                self.seen |= 1 << age;
            }
        } else {
            let step = index - self.highest;
            self.seen = if step < 128 { self.seen << step | 1 } else { 1 };
            self.highest = index;
        }
    }
}

/// The index (rollover counter and sequence number) nearest to the highest one seen (RFC 3711 section 3.3.1).
pub(crate) fn nearest_index(highest: u64, sequence: u16) -> u64 {
    let ahead = sequence.wrapping_sub(highest as u16) as i16;
    // Before the first rollover there is nothing behind: the number is then read as ahead.
    highest.checked_add_signed(i64::from(ahead)).unwrap_or(highest + u64::from(ahead as u16))
}

/// The keys of RTP and of RTCP under one master key.
struct SessionKeys {
    rtp: Keys,
    rtcp: Keys,
}

impl SessionKeys {
    fn derive(key: &SrtpKey) -> Self {
        Self { rtp: Keys::derive(key, 0), rtcp: Keys::derive(key, 3) }
    }
}

/// Session keys (RFC 3711 section 4.3); the tag's key is scheduled once and copied for each packet.
struct Keys {
    cipher: Aes128Enc,
    salt: u128,
    mac: Hmac<Sha1>,
}

impl Keys {
    /// `label` is that of the cipher's key: 0 for RTP, 3 for RTCP; the others follow it.
    fn derive(key: &SrtpKey, label: u8) -> Self {
        let (master, salt) = key.parts();
        let derivation = Aes128Enc::new(&master.into());
        let mut wide_salt = [0; 16];
        wide_salt[..14].copy_from_slice(&salt);
        let master_salt = u128::from_be_bytes(wide_salt);
        let derive = |label: u8, out: &mut [u8]| {
            // The label stands in front of an index of 48 bits that is 0: no derivation rate is in use.
            keystream(&derivation, master_salt ^ u128::from(label) << 64, out);
        };
        let (mut cipher, mut mac, mut session_salt) = ([0; 16], [0; 20], [0; 16]);
        derive(label, &mut cipher);
        derive(label + 1, &mut mac);
        derive(label + 2, &mut session_salt[..14]);
        let mut block = Block::<Sha1>::default();
        block[..mac.len()].copy_from_slice(&mac);
        Self {
            cipher: Aes128Enc::new(&cipher.into()),
            salt: u128::from_be_bytes(session_salt),
            mac: Hmac::new(&block),
        }
    }

    fn apply_keystream(&self, ssrc: u32, index: u64, data: &mut [u8]) {
        keystream(&self.cipher, self.salt ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16, data);
    }

    fn tag(&self, packet: &[u8], trailer: [u8; 4]) -> [u8; 20] {
        let mut mac = self.mac.clone();
        mac.update(packet);
        mac.update(&trailer);
        mac.finalize().into_bytes().into()
    }
}

/// AES in counter mode over `data`, beginning at `counter` (whose last 16 bits are 0).
fn keystream(cipher: &Aes128Enc, counter: u128, data: &mut [u8]) {
    let mut counter = counter;
    for chunk in data.chunks_mut(BATCH * 16) {
        let mut blocks = [Block::<Aes128Enc>::default(); BATCH];
        let used = chunk.len().div_ceil(16).min(BATCH);
        let (blocks, _) = blocks.split_at_mut(used);
        for block in blocks.iter_mut() {
            *block = counter.to_be_bytes().into();
            counter = counter.wrapping_add(1);
        }
        cipher.encrypt_blocks(blocks);
        for (sixteen, block) in chunk.chunks_mut(16).zip(blocks.iter()) {
            for (octet, key) in sixteen.iter_mut().zip(block.iter()) {
                *octet ^= key;
            }
        }
    }
}

/// The rollover counter of an index as it goes into the tag.
fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// The sender of an RTCP packet, if it can be one.
fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    if !rtp::is_rtcp(packet) {
        return None;
    }
    packet.get(4..RTCP_CLEAR_OCTETS)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// Streams remembered under one key; see [`Streams`].
const STREAMS_MAX: usize = 4;
/// Blocks encrypted together: 160 octets of sound are ten.
const BATCH: usize = 12;
/// Octets of an RTCP packet that are never encrypted.
const RTCP_CLEAR_OCTETS: usize = 8;
/// The bit of the RTCP trailer that says the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;
/// The bits of the RTCP trailer that count.
const INDEX_MASK: u32 = ENCRYPTED - 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap()).collect()
    }

    fn rfc_key() -> SrtpKey {
        let octets = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
        SrtpKey::new(octets.try_into().unwrap())
    }

    /// RFC 3711 appendix B.2.
    #[test]
    fn the_key_stream_of_the_standard() {
        let cipher =
            Aes128Enc::new(&<[u8; 16]>::try_from(hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap().into());
        let salt = u128::from_be_bytes(hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000").try_into().unwrap());
        let mut stream = vec![0; 16 * 0xff03];
        keystream(&cipher, salt, &mut stream);
        let block = |n: usize| stream[n * 16..(n + 1) * 16].to_vec();
        assert_eq!(block(0), hex("E03EAD0935C95E80E166B16DD92B4EB4"));
        assert_eq!(block(1), hex("D23513162B02D0F72A43A2FE4A5F97AB"));
        assert_eq!(block(2), hex("41E95B3BB0A2E8DD477901E4FCA894C0"));
        assert_eq!(block(0xfeff), hex("EC8CDF7398607CB0F2D21675EA9EA1E4"));
        assert_eq!(block(0xff00), hex("362B7C3C6773516318A077D7FC5073AE"));
        assert_eq!(block(0xff01), hex("6A2CC3787889374FBEB4C81B17BA6C44"));
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn the_key_derivation_of_the_standard() {
        let (master, salt) = rfc_key().parts();
        let derivation = Aes128Enc::new(&master.into());
        let mut wide = [0; 16];
        wide[..14].copy_from_slice(&salt);
        let derive = |label: u128, octets: usize| {
            let mut out = vec![0; octets];
            keystream(&derivation, u128::from_be_bytes(wide) ^ label << 64, &mut out);
            out
        };
        assert_eq!(derive(0, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derive(2, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(
            derive(1, 94),
            hex("CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
                 E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
                 6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2")
        );
        let keys = Keys::derive(&rfc_key(), 0);
        assert_eq!(keys.salt.to_be_bytes()[..14], hex("30CBBC08863D8C85D49DB34A9AE1"));
    }

    /// A packet as libsrtp's own test driver encrypts it under the key of RFC 3711 appendix B.3.
    #[test]
    fn a_packet_of_another_implementation() {
        let plain = hex("800f1234decafbadcafebabe abababababababababababababababab");
        let secret = hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
        let mut packet = plain.clone();
        packet.resize(plain.len() + TAG_OCTETS, 0);
        let octets = SrtpSender::new(&rfc_key()).protect_rtp(&mut packet, plain.len()).unwrap();
        assert_eq!(packet[..octets], secret);
        let octets = SrtpReceiver::new(&rfc_key(), 0).unprotect_rtp(&mut packet).unwrap();
        assert_eq!(packet[..octets], plain);
    }

    #[test]
    fn the_nearest_index_follows_the_rollover_both_ways() {
        assert_eq!(nearest_index(0xffff, 0), 0x1_0000);
        assert_eq!(nearest_index(0x1_0000, 0xffff), 0xffff);
        assert_eq!(nearest_index(0x1_0005, 3), 0x1_0003);
        assert_eq!(nearest_index(5, 9), 9);
        assert_eq!(nearest_index(5, 0xfffe), 0xfffe, "nothing is before the first round");
    }

    #[test]
    fn the_window_knows_its_last_128() {
        let mut window = ReplayWindow::starting_at(1000);
        assert!(!window.is_replay(1000));
        window.note(1000);
        assert!(window.is_replay(1000) && !window.is_replay(999) && !window.is_replay(1001));
        window.note(1100);
        assert!(!window.is_replay(973) && window.is_replay(972) && window.is_replay(1000));
        window.note(5000);
        assert!(window.is_replay(5000) && window.is_replay(1100) && !window.is_replay(4999));
    }
}
