//! Keys pressed, as telephone events in RTP (RFC 4733).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A key of a telephone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digit(u8);

impl Digit {
    /// The key with this event number: 0 to 9, 10 is `*`, 11 is `#`, 12 to 15 are `A` to `D`.
    pub const fn from_event(event: u8) -> Option<Self> {
        if event < 16 { Some(Self(event)) } else { None }
    }

    /// The key with this sign: `0` to `9`, `*`, `#`, `A` to `D` in either case.
    pub const fn from_char(sign: char) -> Option<Self> {
        match sign {
            '0'..='9' => Some(Self(sign as u8 - b'0')),
            '*' => Some(Self(10)),
            '#' => Some(Self(11)),
            'A'..='D' => Some(Self(sign as u8 - b'A' + 12)),
            'a'..='d' => Some(Self(sign as u8 - b'a' + 12)),
            _ => None,
        }
    }

    /// The event number, 0 to 15.
    pub const fn event(self) -> u8 {
        self.0
    }

    /// The key's sign.
    pub const fn as_char(self) -> char {
        match self.0 {
            0..=9 => (b'0' + self.0) as char,
            10 => '*',
            11 => '#',
            _ => (b'A' + (self.0 & 15) - 12) as char,
        }
    }
}

impl std::fmt::Display for Digit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.as_char())
    }
}

/// Makes one digit of the many packets of a key press.
///
/// A press is told when its end comes, or when nothing more of it comes: all three end packets may be lost.
#[derive(Clone, Copy, Debug, Default)]
pub struct DigitReceiver {
    press: Option<Press>,
}

impl DigitReceiver {
    /// Takes an event packet: its timestamp, its payload and the clock it counts in. Answers the digits that are
    /// told now, at most two: one whose end was lost, and this one.
    pub fn handle(
        &mut self,
        now: Instant,
        timestamp: u32,
        payload: &[u8],
        clock_hz: u32,
    ) -> [Option<(Digit, u32)>; 2] {
        let Some([event, flags, d0, d1]) = payload.first_chunk::<4>().copied() else { return [None; 2] };
        let duration = u32::from(u16::from_be_bytes([d0, d1]));
        let ends = flags & 0x80 != 0;
        let mut lost = None;
        let press = match &mut self.press {
            Some(press) if timestamp == press.latest => press,
            // Segments of one long press follow each other without a gap (RFC 4733 section 2.5.1.3).
            Some(press) if !press.told && press.event == event && press.ends_at() == timestamp => {
                press.before += press.duration;
                press.duration = 0;
                press.latest = timestamp;
                press
            }
            // A packet of an earlier press that was overtaken.
            Some(press) if (timestamp.wrapping_sub(press.latest) as i32) < 0 => return [None; 2],
            other => {
                lost = other.as_mut().and_then(Press::tell);
                other.insert(Press {
                    event,
                    latest: timestamp,
                    before: 0,
                    duration: 0,
                    clock_hz: clock_hz.max(1),
                    last_seen: now,
                    told: false,
                })
            }
        };
        press.duration = press.duration.max(duration);
        press.last_seen = now;
        [lost, if ends { press.tell() } else { None }]
    }

    /// Whether a key is being pressed: what is heard besides is its tone.
    pub(crate) fn is_pressed(&self) -> bool {
        self.press.is_some_and(|press| !press.told)
    }

    /// The digit of a press of which no more packets come.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<(Digit, u32)> {
        let press = self.press.as_mut().filter(|p| !p.told)?;
        if now < press.last_seen + LOST_END { None } else { press.tell() }
    }
}

/// Makes the packets of key presses: 20 ms apart, 100 ms each, the end told three times, then a pause.
#[derive(Clone, Debug, Default)]
pub struct DigitSender {
    waiting: VecDeque<Digit>,
    /// Packets of the first waiting digit that went out.
    step: u8,
}

/// One step of a key press: what is sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigitStep {
    /// An event packet.
    Send {
        /// The payload.
        payload: [u8; 4],
        /// Whether it is the first of its press and marked.
        first: bool,
    },
    /// Nothing: the pause between two presses.
    Pause,
}

impl DigitSender {
    /// Appends digits; those above `limit` waiting ones are dropped.
    pub fn push(&mut self, digits: &[Digit], limit: usize) {
        let room = limit.saturating_sub(self.waiting.len());
        self.waiting.extend(digits.iter().take(room));
    }

    /// Whether nothing is left to send.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next 20 ms; `None` when nothing is left. `clock_hz` is that of the events, mostly 8000.
    pub fn step(&mut self, clock_hz: u32) -> Option<DigitStep> {
        let digit = *self.waiting.front()?;
        let step = self.step;
        self.step += 1;
        if self.step == PRESS_STEPS + PAUSE_STEPS {
            self.step = 0;
            self.waiting.pop_front();
        }
        if step >= PRESS_STEPS {
            return Some(DigitStep::Pause);
        }
        let sounding = u32::from(step + 1).min(SOUND_STEPS);
        let [d0, d1] = u16::try_from(clock_hz / 50 * sounding).unwrap_or(u16::MAX).to_be_bytes();
        let end = if sounding == SOUND_STEPS { 0x80 } else { 0 };
        Some(DigitStep::Send { payload: [digit.event(), end | VOLUME, d0, d1], first: step == 0 })
    }
}

/// A key press as far as it has come.
#[derive(Clone, Copy, Debug)]
struct Press {
    event: u8,
    /// The timestamp of its latest segment.
    latest: u32,
    /// Duration of the segments before, in units of the clock.
    before: u32,
    /// Duration of the latest segment.
    duration: u32,
    clock_hz: u32,
    last_seen: Instant,
    told: bool,
}

impl Press {
    fn ends_at(&self) -> u32 {
        self.latest.wrapping_add(self.duration)
    }

    fn tell(&mut self) -> Option<(Digit, u32)> {
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        let ms = u64::from(self.before.saturating_add(self.duration)) * 1000 / u64::from(self.clock_hz);
        Some((Digit::from_event(self.event)?, ms as u32))
    }
}

/// How long after its last packet a press without an end is over: seven packets.
const LOST_END: Duration = Duration::from_millis(150);
/// Steps of 20 ms in which a digit sounds.
const SOUND_STEPS: u32 = 5;
/// Steps with a packet: the end is sent three times.
const PRESS_STEPS: u8 = 7;
/// Steps without one.
const PAUSE_STEPS: u8 = 3;
/// -10 dBm0, as is usual.
const VOLUME: u8 = 10;
