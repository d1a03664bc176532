//! Sound files become prompts of the same pitch, whatever they were sampled at.
#![cfg(test)]

use std::io::Cursor;
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};
use tandem_media::codec::Law;
use tandem_media::g711;
use tandem_media::prompt::{Prompt, PromptError};
use tandem_media::tone;

/// A second of a tone on each channel.
fn file(spec: WavSpec, tones: &[f32]) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut file, spec).unwrap();
    for n in 0..spec.sample_rate {
        for hz in tones {
            let sample = (std::f32::consts::TAU * hz * n as f32 / spec.sample_rate as f32).sin() * 0.5;
            match spec.sample_format {
                SampleFormat::Float => writer.write_sample(sample).unwrap(),
                SampleFormat::Int => {
                    let full = (1_i64 << (spec.bits_per_sample - 1)) as f32;
                    writer.write_sample((sample * full) as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
    file.into_inner()
}

fn spec(sample_rate: u32) -> WavSpec {
    WavSpec { channels: 1, sample_rate, bits_per_sample: 16, sample_format: SampleFormat::Int }
}

fn samples(prompt: &Prompt, law: Law) -> Vec<i16> {
    prompt.sound(law).iter().map(|b| g711::decode(law, *b)).collect()
}

/// The loudness of sound against full scale, in decibels.
fn level(samples: &[i16]) -> f32 {
    let power = samples.iter().map(|s| (f32::from(*s) / 32768.0).powi(2)).sum::<f32>() / samples.len() as f32;
    10.0 * power.max(1e-12).log10()
}

#[test]
fn every_rate_keeps_pitch_length_and_loudness() {
    for rate in [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] {
        let prompt = Prompt::from_wav(&file(spec(rate), &[1000.0])).unwrap();
        let off = prompt.duration().abs_diff(Duration::from_secs(1));
        assert!(off <= Duration::from_millis(1), "{rate}: {:?}", prompt.duration());
        for law in [Law::Mu, Law::A] {
            let sound = samples(&prompt, law);
            assert!(tone::share(&sound[400..7600], 1000.0) > 0.98, "{rate}");
            assert!((level(&sound[400..7600]) + 9.03).abs() < 0.2, "{rate}: {}", level(&sound[400..7600]));
        }
    }
}

#[test]
fn what_a_telephone_cannot_carry_does_not_fold_back() {
    for rate in [16_000, 44_100, 48_000] {
        for hz in [5000.0, 6000.0, 7000.0] {
            let prompt = Prompt::from_wav(&file(spec(rate), &[hz])).unwrap();
            let sound = samples(&prompt, Law::A);
            assert!(level(&sound[400..7600]) < -50.0, "{rate} {hz}: {}", level(&sound[400..7600]));
        }
    }
}

#[test]
fn channels_are_mixed() {
    let stereo = WavSpec { channels: 2, ..spec(16_000) };
    let sound = samples(&Prompt::from_wav(&file(stereo, &[500.0, 1500.0])).unwrap(), Law::A);
    for hz in [500.0, 1500.0] {
        let share = tone::share(&sound[400..7600], hz);
        assert!((0.45..0.55).contains(&share), "{hz}: {share}");
    }
}

#[test]
fn every_kind_of_sample_is_read() {
    for (bits_per_sample, sample_format) in [
        (8, SampleFormat::Int),
        (16, SampleFormat::Int),
        (24, SampleFormat::Int),
        (32, SampleFormat::Int),
        (32, SampleFormat::Float),
    ] {
        let spec = WavSpec { channels: 1, sample_rate: 8000, bits_per_sample, sample_format };
        let sound = samples(&Prompt::from_wav(&file(spec, &[1000.0])).unwrap(), Law::Mu);
        assert!(tone::share(&sound, 1000.0) > 0.98, "{bits_per_sample} {sample_format:?}");
    }
}

#[test]
fn what_is_no_prompt_is_refused_with_the_reason() {
    let good = file(spec(8000), &[1000.0]);
    assert_eq!(Prompt::from_wav(b"ID3\x04 this is an MP3"), Err(PromptError::NotWav));
    assert_eq!(Prompt::from_wav(b""), Err(PromptError::NotWav));
    assert_eq!(Prompt::from_wav(&good[..good.len() - 100]), Err(PromptError::CutOff));
    assert_eq!(
        Prompt::from_wav(&file(spec(96_000), &[1000.0])),
        Err(PromptError::SampleRate { hertz: 96_000 })
    );
    let many = WavSpec { channels: 9, ..spec(8000) };
    assert_eq!(Prompt::from_wav(&file(many, &[1.0; 9])), Err(PromptError::Channels { channels: 9 }));
    assert_eq!(Prompt::from_wav(&file(spec(8000), &[])), Err(PromptError::Empty));
    // A file whose head says mu-law.
    let mut compressed = good.clone();
    compressed[20] = 7;
    assert_eq!(Prompt::from_wav(&compressed), Err(PromptError::Unsupported));
    // A head that promises far more than there is.
    let mut boasting = good;
    boasting[40..44].copy_from_slice(&0x7fff_fff0_u32.to_le_bytes());
    assert!(matches!(
        Prompt::from_wav(&boasting),
        Err(PromptError::TooLong | PromptError::CutOff | PromptError::NotWav)
    ));
}
