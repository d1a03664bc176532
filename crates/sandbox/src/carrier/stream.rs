//! Callers who come by themselves: endless, drawn from a seed, as various as callers are.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::phone::Phone;
use super::script::{Press, Script};
use crate::chance::Chance;
use crate::config::StreamConfig;
use crate::user::{Reaction, Voice};

/// A stream of callers.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) config: StreamConfig,
    chance: Chance,
    pub(super) next: Instant,
}

impl Stream {
    /// A stream whose first caller comes within a few seconds.
    pub(super) fn new(config: StreamConfig, mut chance: Chance, now: Instant) -> Self {
        let next = now + Duration::from_millis(500 + chance.below(2500));
        Self { config, chance, next }
    }

    /// The next caller, who calls now; sets the time of the one after.
    pub(super) fn caller(&mut self, now: Instant) -> Script {
        let mean = Duration::from_secs(3600) / self.config.per_hour.max(1);
        self.next = now + self.chance.gap(mean);
        let name = self.chance.pick(NAMES).copied().unwrap_or("Somebody");
        let from = format!("{NUMBERS}{:04}", 1000 + self.chance.below(9000));
        let number = weighted(&mut self.chance, &self.config.numbers).cloned();
        let number = number.unwrap_or_else(|| self.config.number.clone());
        let digit = weighted(&mut self.chance, &self.config.digits).copied();
        // People differ more in patience than in how long they talk.
        let patience = f64::from(self.config.patience_s) * (0.3 + 1.4 * self.chance.unit());
        let talk = f64::from(self.config.talk_s) * (0.5 + self.chance.unit());
        let presses = digit.map(|digit| Press {
            digits: digit.to_string(),
            at_ms: self.config.digit_after_ms + self.chance.below(2500) as u32,
        });
        let message = f64::from(self.config.message_s) * (0.5 + self.chance.unit());
        let wants_callback = self.chance.below(100) < u64::from(self.config.callback_percent);
        let callback = wants_callback.then(|| Press {
            digits: self.config.callback_digit.to_string(),
            at_ms: self.config.callback_after_ms + self.chance.below(5000) as u32,
        });
        Script {
            number,
            from,
            name: name.to_owned(),
            presses: presses.into_iter().chain(callback).collect(),
            voice: Voice::Speech,
            tone_hz: 300 + 10 * self.chance.below(12) as u16,
            give_up_after_ms: Some(30_000),
            hang_up_after_ms: None,
            patience_ms: Some((patience * 1000.0) as u32),
            talk_ms: Some((talk * 1000.0) as u32),
            message_ms: Some((message * 1000.0) as u32),
            message_ends: None,
        }
    }

    /// What the telephone of a caller does when called back; `None` if it is the telephone of somebody else.
    pub(super) fn called(&mut self, number: &str) -> Option<Phone> {
        number.strip_prefix(NUMBERS)?;
        let reaction = match self.chance.below(100).checked_sub(self.config.reached_percent.into()) {
            None => Reaction::Answer { after_ms: 2000, spread_ms: 6000 },
            Some(rest) if rest % 2 == 0 => Reaction::Busy,
            Some(_) => Reaction::NoAnswer,
        };
        let talk = f64::from(self.config.talk_s) * (0.5 + self.chance.unit());
        Some(Phone {
            reaction,
            voice: Voice::Speech,
            tone_hz: 300 + 10 * self.chance.below(12) as u16,
            presses: Vec::new(),
            hang_up_after_ms: None,
            patience_ms: Some(30_000),
            talk_ms: Some((talk * 1000.0) as u32),
        })
    }
}

/// One of them, as often as its weight says; none of none.
fn weighted<'a, T>(chance: &mut Chance, among: &'a BTreeMap<T, u32>) -> Option<&'a T> {
    if among.is_empty() {
        return None;
    }
    let sum: u64 = among.values().map(|weight| u64::from(*weight)).sum();
    let mut at = chance.below(sum);
    for (one, weight) in among {
        match at.checked_sub((*weight).into()) {
            Some(rest) => at = rest,
            None => return Some(one),
        }
    }
    None
}

/// With what the callers' own numbers begin.
const NUMBERS: &str = "+1206555";
const NAMES: &[&str] = &[
    "Ada Client",
    "Amara Nwosu",
    "Anton Berg",
    "Bianca Rossi",
    "Carlos Medina",
    "Chloé Martin",
    "Dmitri Volkov",
    "Ebba Lindqvist",
    "Elif Demir",
    "Farid Rahimi",
    "Grace Kimani",
    "Hanna Kowalska",
    "Hiro Tanaka",
    "Ines Moreau",
    "Jamal Carter",
    "Jana Nováková",
    "Jonas Weber",
    "Kavya Iyer",
    "Lars Holm",
    "Leila Haddad",
    "Liam O'Connor",
    "Linh Tran",
    "Luca Ferrari",
    "Maja Horvat",
    "Mateo Silva",
    "Mei Chen",
    "Nadia Petrova",
    "Noah Fischer",
    "Olu Adeyemi",
    "Priya Sharma",
    "Rosa Delgado",
    "Samuel Osei",
    "Sofia Papadaki",
    "Tarek Mansour",
    "Theo Janssen",
    "Uma Krishnan",
    "Viktor Nagy",
    "Wanda Zielinska",
    "Yara Costa",
    "Zoe Adler",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_callers_at_the_asked_rate() {
        let start = Instant::now();
        let callers = |seed| {
            let mut stream = Stream::new(StreamConfig::default(), Chance::new(seed), start);
            let scripts: Vec<Script> = (0..500).map(|_| stream.caller(stream.next)).collect();
            (scripts, stream.next)
        };
        let (scripts, end) = callers(5);
        assert_eq!(scripts, callers(5).0);
        assert_ne!(scripts, callers(6).0);
        let mean_ms = (end - start).as_millis() / 500;
        assert!((13_000..17_000).contains(&mean_ms), "240 an hour are one each 15 s: {mean_ms}");
        let ones = scripts.iter().filter(|script| script.presses[0].digits == "1").count();
        assert!((230..320).contains(&ones), "5 of 9 press 1: {ones}");
    }

    #[test]
    fn without_digits_nobody_presses() {
        let config = StreamConfig { digits: [].into(), ..StreamConfig::default() };
        let now = Instant::now();
        assert!(Stream::new(config, Chance::new(1), now).caller(now).presses.is_empty());
    }
}
