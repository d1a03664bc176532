//! Whatever is done to the octets of descriptions, packets and sound files, what must hold holds.
#![cfg(test)]

mod common;
#[path = "../../../fuzz/src/media.rs"]
#[expect(unreachable_pub, reason = "public where the fuzz targets use it")]
mod fuzz;

use std::io::Cursor;

use common::{phone_offer, teams_offer};
use hound::{SampleFormat, WavSpec, WavWriter};
use proptest::collection::vec;
use proptest::prelude::*;
use tandem_media::rtcp::{REPORT_OCTETS_MAX, Report, ReportBlock, SenderInfo};
use tandem_media::rtp::Header;
use tandem_media::srtp::{SrtpKey, SrtpSender};
use tandem_media::tone::Tone;

/// What is done to the octets: some are changed, some put in, some taken out, and the end is cut off.
#[derive(Clone, Debug)]
enum Mutation {
    Set(usize, u8),
    Insert(usize, u8),
    Remove(usize, usize),
    Repeat(usize, usize),
    Cut(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = 0..4096_usize;
    prop_oneof![
        4 => (place.clone(), any::<u8>()).prop_map(|(p, o)| Mutation::Set(p, o)),
        2 => (place.clone(), any::<u8>()).prop_map(|(p, o)| Mutation::Insert(p, o)),
        1 => (place.clone(), 1..40_usize).prop_map(|(p, n)| Mutation::Remove(p, n)),
        1 => (place.clone(), 1..40_usize).prop_map(|(p, n)| Mutation::Repeat(p, n)),
        1 => place.prop_map(Mutation::Cut),
    ]
}

fn mutated(mut octets: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let length = octets.len().max(1);
        match *mutation {
            Mutation::Set(place, octet) => {
                if let Some(old) = octets.get_mut(place % length) {
                    *old = octet;
                }
            }
            Mutation::Insert(place, octet) => octets.insert(place % length % (octets.len() + 1), octet),
            Mutation::Remove(place, count) => {
                let start = place % length;
                octets.drain(start.min(octets.len())..(start + count).min(octets.len()));
            }
            Mutation::Repeat(place, count) => {
                let start = (place % length).min(octets.len());
                let piece = octets[start..(start + count).min(octets.len())].to_vec();
                octets.splice(start..start, piece);
            }
            Mutation::Cut(place) => octets.truncate(place % length),
        }
    }
    octets
}

fn packet(payload_type: u8) -> Vec<u8> {
    let mut packet = vec![0x55; 172];
    Header::plain(payload_type, 9, 9, 9).write(&mut packet);
    packet
}

fn report() -> Vec<u8> {
    let sent = SenderInfo { ntp: 1 << 40, timestamp: 1, packets: 2, octets: 3 };
    let report = Report {
        ssrc: 1,
        sent: Some(sent),
        heard: Some(ReportBlock::default()),
        name: "name",
        goodbye: true,
    };
    let mut buffer = vec![0; REPORT_OCTETS_MAX];
    let octets = report.write(&mut buffer).unwrap();
    buffer.truncate(octets);
    buffer
}

fn encrypted() -> Vec<u8> {
    let mut packet = packet(8);
    packet.resize(200, 0);
    let octets = SrtpSender::new(&SrtpKey::new([9; 30])).protect_rtp(&mut packet, 172).unwrap();
    packet.truncate(octets);
    packet
}

fn wav(sample_rate: u32, channels: u16, bits_per_sample: u16) -> Vec<u8> {
    let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format: SampleFormat::Int };
    let mut file = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut file, spec).unwrap();
    for sample in Tone::new(440.0).samples(400) {
        writer.write_sample(i32::from(sample) >> (16 - bits_per_sample.min(16))).unwrap();
    }
    writer.finalize().unwrap();
    file.into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn descriptions(teams in any::<bool>(), mutations in vec(mutation(), 0..8)) {
        let text = if teams { teams_offer() } else { phone_offer() };
        fuzz::sdp(&mutated(text.into_bytes(), &mutations));
    }

    #[test]
    fn sound_packets(payload_type in prop_oneof![Just(8_u8), Just(101), Just(13), any::<u8>()], mutations in vec(mutation(), 0..6)) {
        fuzz::rtp(&mutated(packet(payload_type), &mutations));
    }

    #[test]
    fn reports(mutations in vec(mutation(), 0..6)) {
        fuzz::rtcp(&mutated(report(), &mutations));
    }

    #[test]
    fn encrypted_packets(mutations in vec(mutation(), 0..6)) {
        fuzz::srtp(&mutated(encrypted(), &mutations));
    }

    #[test]
    fn sound_files(
        rate in prop_oneof![Just(8000_u32), Just(16_000), Just(44_100), Just(48_000)],
        channels in 1..3_u16,
        bits in prop_oneof![Just(8_u16), Just(16), Just(24)],
        mutations in vec(mutation(), 0..6),
    ) {
        fuzz::wav(&mutated(wav(rate, channels, bits), &mutations));
    }

    #[test]
    fn anything_at_all(octets in vec(any::<u8>(), 0..600)) {
        fuzz::sdp(&octets);
        fuzz::rtp(&octets);
        fuzz::rtcp(&octets);
        fuzz::srtp(&octets);
        fuzz::wav(&octets);
    }
}
