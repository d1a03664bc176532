//! G.711: a sample of 16 bits as one byte, in two laws, and from one law to the other.

use crate::codec::Law;

/// One sample as a byte of the given law.
pub const fn encode(law: Law, sample: i16) -> u8 {
    match law {
        Law::Mu => encode_mu(sample),
        Law::A => encode_a(sample),
    }
}

/// The sample that a byte of the given law stands for.
pub fn decode(law: Law, byte: u8) -> i16 {
    let table = match law {
        Law::Mu => &MU_TO_LINEAR,
        Law::A => &A_TO_LINEAR,
    };
    table.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Turns sound of one law into the other, in place.
pub fn transcode(from: Law, to: Law, sound: &mut [u8]) {
    let table = match (from, to) {
        (Law::Mu, Law::A) => &MU_TO_A,
        (Law::A, Law::Mu) => &A_TO_MU,
        (Law::Mu, Law::Mu) | (Law::A, Law::A) => return,
    };
    for byte in sound {
        *byte = table.get(usize::from(*byte)).copied().unwrap_or_default();
    }
}

/// The byte of silence in the given law.
pub const fn silence(law: Law) -> u8 {
    match law {
        Law::Mu => 0xff,
        Law::A => 0xd5,
    }
}

const fn encode_mu(sample: i16) -> u8 {
    let (sign, magnitude) = if sample < 0 { (0x80, !sample) } else { (0, sample) };
    // 14 bits of magnitude above a bias of 33 (in units of the 14-bit scale: 132 in ours).
    let mut magnitude = magnitude as i32 + 132;
    if magnitude > 32767 {
        magnitude = 32767;
    }
    let segment = 24 - (magnitude as u32).leading_zeros();
    let step = (magnitude >> (segment + 3)) & 0x0f;
    !(sign | ((segment << 4) as u8) | step as u8)
}

const fn decode_mu(byte: u8) -> i16 {
    let byte = !byte;
    let segment = (byte >> 4) & 7;
    let magnitude = ((((byte & 0x0f) as i32) << 3) + 132) << segment;
    let magnitude = magnitude - 132;
    (if byte & 0x80 == 0 { magnitude } else { -magnitude }) as i16
}

const fn encode_a(sample: i16) -> u8 {
    let (sign, magnitude) = if sample < 0 { (0, !sample) } else { (0x80, sample) };
    let magnitude = magnitude as u32 >> 4;
    let code = if magnitude < 32 {
        magnitude
    } else {
        let segment = 28 - magnitude.leading_zeros();
        (segment << 4) | ((magnitude >> (segment - 1)) & 0x0f)
    };
    (sign | code as u8) ^ 0x55
}

const fn decode_a(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let segment = (byte >> 4) & 7;
    let step = (byte & 0x0f) as i32;
    let magnitude = if segment == 0 { (step << 4) + 8 } else { ((step << 4) + 264) << (segment - 1) };
    (if byte & 0x80 == 0 { -magnitude } else { magnitude }) as i16
}

const MU_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = decode_mu(byte as u8);
        byte += 1;
    }
    table
};

const A_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = decode_a(byte as u8);
        byte += 1;
    }
    table
};

const MU_TO_A: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = encode_a(decode_mu(byte as u8));
        byte += 1;
    }
    table
};

const A_TO_MU: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = encode_mu(decode_a(byte as u8));
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values_of_the_standard() {
        // ITU-T G.711 tables 1a and 2a: zero, the decision ends, and full scale.
        assert_eq!(encode(Law::Mu, 0), 0xff);
        assert_eq!(encode(Law::A, 0), 0xd5);
        assert_eq!(decode(Law::Mu, 0x00), -32124);
        assert_eq!(decode(Law::Mu, 0x80), 32124);
        assert_eq!(decode(Law::A, 0x2a), -32256);
        assert_eq!(decode(Law::A, 0xaa), 32256);
        assert_eq!(decode(Law::A, 0xd5), 8);
    }

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255_u8 {
            // mu-law has two zeros; both mean silence.
            if byte != 0x7f {
                assert_eq!(encode(Law::Mu, decode(Law::Mu, byte)), byte);
            }
            assert_eq!(encode(Law::A, decode(Law::A, byte)), byte);
        }
    }

    #[test]
    fn no_sample_is_far_from_what_it_becomes() {
        for law in [Law::Mu, Law::A] {
            for sample in i16::MIN..=i16::MAX {
                let back = i32::from(decode(law, encode(law, sample)));
                let error = (back - i32::from(sample)).abs();
                let clipped = (i32::from(sample).abs() - 32256).max(0);
                let allowed = (i32::from(sample).abs() / 32).max(8) + 8 + clipped;
                assert!(error <= allowed, "{law:?} {sample} {back}");
            }
        }
    }

    #[test]
    fn transcoding_there_and_back_keeps_loud_sound() {
        for byte in 0..=255_u8 {
            let mut sound = [byte];
            transcode(Law::A, Law::Mu, &mut sound);
            let there = decode(Law::Mu, sound[0]);
            let here = decode(Law::A, byte);
            let error = (i32::from(there) - i32::from(here)).abs();
            assert!(error <= (i32::from(here).abs() / 16).max(16), "{byte}: {here} {there}");
        }
    }
}
