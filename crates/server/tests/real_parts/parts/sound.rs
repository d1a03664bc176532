//! What was heard: tones in a recording (the Goertzel algorithm).

use std::path::Path;

/// The tones of the parts, in hertz. None is a multiple of another, and none is in a built-in sound.
pub(crate) mod tone {
    /// Said by callers.
    pub(crate) const CALLER: u32 = 850;
    /// Said by the first agent.
    pub(crate) const AGENT: u32 = 1430;
    /// Said by the second agent.
    pub(crate) const SECOND_AGENT: u32 = 620;
    /// Said by a third party.
    pub(crate) const THIRD: u32 = 1150;
    /// The music of the queue.
    pub(crate) const MUSIC: u32 = 350;
}

/// A recording in windows of 100 ms.
pub(crate) struct Sound {
    name: String,
    windows: Vec<Vec<i16>>,
}

impl Sound {
    /// Reads a mono 16-bit WAV file of 8 kHz. The length in a header that was never closed is not believed.
    pub(crate) fn read(path: &Path) -> Sound {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let at = bytes.windows(4).position(|four| four == b"data").expect("a WAV file");
        let samples: Vec<i16> =
            bytes[at + 8..].chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
        let windows = samples.chunks_exact(WINDOW).map(<[i16]>::to_vec).collect();
        Sound { name: path.file_name().unwrap().to_string_lossy().into_owned(), windows }
    }

    /// The tone is there: it fills a second or more.
    #[track_caller]
    pub(crate) fn has(&self, hertz: u32) {
        assert!(self.tenths(hertz) >= PRESENT, "{} has no {hertz} Hz: {}", self.name, self.shape());
    }

    /// The tone is not there: not even half a second of it.
    #[track_caller]
    pub(crate) fn has_not(&self, hertz: u32) {
        assert!(self.tenths(hertz) < PRESENT / 2, "{} has {hertz} Hz: {}", self.name, self.shape());
    }

    /// The tones fill a second or more each, in this order.
    #[track_caller]
    pub(crate) fn has_in_order(&self, tones: &[u32]) {
        let mut at = 0;
        for hertz in tones {
            let mut filled = 0;
            while filled < PRESENT {
                let window = self.windows.get(at);
                let window = window
                    .unwrap_or_else(|| panic!("{} lacks {tones:?} in order: {}", self.name, self.shape()));
                filled += usize::from(share(window, *hertz) >= PRESENT_SHARE);
                at += 1;
            }
        }
    }

    /// Windows that a tone fills.
    pub(crate) fn tenths(&self, hertz: u32) -> usize {
        self.windows.iter().filter(|window| share(window, hertz) >= PRESENT_SHARE).count()
    }

    /// The tones of all windows, for a person who looks for a fault: `3 x silence, 12 x 850 Hz, ...`.
    fn shape(&self) -> String {
        let names = self.windows.iter().map(|window| {
            let loudest = KNOWN.into_iter().find(|hertz| share(window, *hertz) >= PRESENT_SHARE);
            match loudest {
                Some(hertz) => format!("{hertz} Hz"),
                None if power(window) < SILENCE => "silence".to_owned(),
                None => "other sound".to_owned(),
            }
        });
        let mut runs: Vec<(String, usize)> = Vec::new();
        for name in names {
            match runs.last_mut() {
                Some((last, count)) if *last == name => *count += 1,
                _ => runs.push((name, 1)),
            }
        }
        runs.iter().map(|(name, count)| format!("{count} x {name}")).collect::<Vec<_>>().join(", ")
    }
}

/// A mono 16-bit WAV file of 8 kHz: a tone of whole periods, so that it joins itself without a click.
pub(crate) fn wav(hertz: u32, seconds: u32) -> Vec<u8> {
    let samples = (0..RATE * seconds).flat_map(|n| {
        let phase = std::f64::consts::TAU * f64::from(hertz) * f64::from(n) / f64::from(RATE);
        ((phase.sin() * 12_000.0) as i16).to_le_bytes()
    });
    let data: Vec<u8> = samples.collect();
    let length = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((length + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

/// The part of a window's power that lies at one frequency, 0 to 1.
fn share(window: &[i16], hertz: u32) -> f64 {
    let power = power(window);
    if power < SILENCE {
        return 0.0;
    }
    let turn = 2.0 * (std::f64::consts::TAU * f64::from(hertz) / f64::from(RATE)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in window {
        (last, before) = (f64::from(*sample) + turn * last - before, last);
    }
    let length = window.len() as f64;
    let at_tone = 2.0 * (last * last + before * before - turn * last * before) / (length * length);
    at_tone / power
}

fn power(window: &[i16]) -> f64 {
    window.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / window.len() as f64
}

const RATE: u32 = 8000;
/// Samples in 100 ms.
const WINDOW: usize = 800;
/// Windows that make a second.
const PRESENT: usize = 10;
/// G.711, a lost packet or a comfort tone take far less than half of a pure tone's power.
const PRESENT_SHARE: f64 = 0.5;
/// Mean square of a window below which it holds no sound at all.
const SILENCE: f64 = 2500.0;
/// All tones, those of the program included.
const KNOWN: [u32; 6] = [tone::CALLER, tone::AGENT, tone::SECOND_AGENT, tone::THIRD, tone::MUSIC, 1000];
