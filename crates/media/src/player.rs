//! Prompts on their way to a leg, frame by frame.

use std::sync::Arc;

use crate::codec::Law;
use crate::g711;
use crate::leg::PlayId;
use crate::prompt::Prompt;

/// A list of prompts, with some sound in it, and how far it has come.
pub(crate) struct Player {
    pub(crate) play: PlayId,
    prompts: Vec<Arc<Prompt>>,
    repeat: bool,
    /// The prompt that sounds, and the octet in it.
    at: (usize, usize),
}

impl Player {
    pub(crate) fn new(play: PlayId, prompts: Vec<Arc<Prompt>>, repeat: bool) -> Self {
        Self { play, prompts, repeat, at: (0, 0) }
    }

    /// Fills a frame with the sound that comes next, and with silence behind the end. Answers whether that was
    /// the end.
    pub(crate) fn fill(&mut self, law: Law, frame: &mut [u8]) -> bool {
        let mut rest = frame;
        loop {
            let Some(prompt) = self.prompts.get(self.at.0) else {
                rest.fill(g711::silence(law));
                return true;
            };
            let sound = prompt.sound(law).get(self.at.1..).unwrap_or_default();
            let octets = sound.len().min(rest.len());
            let (now, later) = std::mem::take(&mut rest).split_at_mut(octets);
            now.copy_from_slice(sound.get(..octets).unwrap_or_default());
            rest = later;
            self.at.1 += octets;
            if octets == sound.len() {
                self.at = (self.at.0 + 1, 0);
                if self.at.0 == self.prompts.len() && self.repeat {
                    self.at = (0, 0);
                }
            }
            if rest.is_empty() {
                return self.at.0 == self.prompts.len();
            }
        }
    }
}
