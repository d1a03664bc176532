//! Sound that is made: tones that stand for voices, music for somebody on hold, the greeting of a voicemail.

use tandem_media::tone::Tone;

use crate::media::Sending;

/// Makes sound, 20 ms at a time.
#[derive(Debug)]
pub struct Maker {
    sending: Sending,
    tone: Tone,
    /// Frames made since it began to send this.
    frames: u64,
}

impl Maker {
    /// Makes what is to be sent.
    pub fn new(sending: Sending) -> Self {
        Self { sending, tone: Tone::new(f32::from(pitch(sending, 0).unwrap_or(1000))), frames: 0 }
    }

    /// What it makes.
    pub fn sending(&self) -> Sending {
        self.sending
    }

    /// The next 20 ms, 160 samples; `None`: no packet is sent.
    pub fn frame(&mut self) -> Option<Vec<i16>> {
        let frame = self.frames;
        self.frames += 1;
        if self.sending == Sending::Nothing {
            return None;
        }
        let before = frame.checked_sub(1).and_then(|before| pitch(self.sending, before));
        let Some(hz) = pitch(self.sending, frame) else { return Some(vec![0; FRAME_SAMPLES]) };
        if before != Some(hz) {
            self.tone = Tone::new(f32::from(hz));
        }
        Some(self.tone.samples(FRAME_SAMPLES))
    }
}

/// The pitch in a frame, in hertz; `None` is silence.
fn pitch(sending: Sending, frame: u64) -> Option<u16> {
    match sending {
        Sending::Nothing | Sending::Silence => None,
        Sending::Tone(hz) => Some(hz),
        Sending::Speech(hz) => {
            // Words of 0.3 to 0.6 s with short pauses, a longer one after each fourth.
            const WORDS: [(u64, u64); 4] = [(20, 6), (30, 8), (16, 6), (26, 38)];
            let mut at = frame % WORDS.iter().map(|(word, pause)| word + pause).sum::<u64>();
            for (word, pause) in WORDS {
                if at < word {
                    return Some(hz);
                }
                at = at.checked_sub(word + pause)?;
            }
            None
        }
        Sending::Music => {
            let note = (frame / 15) as usize % MELODY_HZ.len();
            MELODY_HZ.get(note).copied()
        }
        Sending::Greeting => (frame < GREETING_FRAMES).then_some(GREETING_HZ),
    }
}

/// Samples of 20 ms at 8 kHz.
pub const FRAME_SAMPLES: usize = 160;
/// The tone of a voicemail's greeting; no user has it.
pub const GREETING_HZ: u16 = 1950;
const GREETING_FRAMES: u64 = 150;
/// The notes of the music on hold, 0.3 s each; no user's tone is among them.
const MELODY_HZ: [u16; 8] = [523, 587, 659, 698, 784, 698, 659, 587];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_has_words_and_pauses() {
        let mut maker = Maker::new(Sending::Speech(600));
        let silent = (0..150).filter(|_| maker.frame().unwrap().iter().all(|s| *s == 0)).count();
        assert!((40..80).contains(&silent), "{silent}");
    }

    #[test]
    fn silence_is_packets_and_nothing_is_none() {
        assert_eq!(Maker::new(Sending::Silence).frame(), Some(vec![0; 160]));
        assert_eq!(Maker::new(Sending::Nothing).frame(), None);
    }

    #[test]
    fn a_greeting_ends() {
        let mut maker = Maker::new(Sending::Greeting);
        let frames: Vec<_> = (0..GREETING_FRAMES + 1).map(|_| maker.frame().unwrap()).collect();
        assert!(frames[0].iter().any(|s| *s != 0));
        assert!(frames[GREETING_FRAMES as usize].iter().all(|s| *s == 0));
    }
}
