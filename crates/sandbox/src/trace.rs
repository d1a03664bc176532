//! The messages that passed, for people to read. SDES keys are taken out before anything is kept.

use std::collections::VecDeque;

use serde::Serialize;

/// The last messages.
#[derive(Debug, Default)]
pub struct Trace {
    entries: VecDeque<Entry>,
    count: u64,
}

/// One message.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Counts from 1.
    pub number: u64,
    /// Milliseconds since the sandbox started.
    pub at_ms: u64,
    /// Which way it went.
    pub direction: Direction,
    /// Our end: a proxy's name, or `carrier`.
    pub here: String,
    /// The other end.
    pub there: String,
    /// The connection, which tells who opened it: `teams-4`, `sbc-5`, or `udp`.
    pub connection: String,
    /// The message without keys.
    pub text: String,
}

/// Seen from the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It came.
    In,
    /// It went.
    Out,
}

impl Trace {
    /// Keeps a message, and lets go of the oldest beyond `ENTRIES_MAX`.
    pub fn add(
        &mut self,
        at_ms: u64,
        direction: Direction,
        here: &str,
        there: String,
        connection: String,
        bytes: &[u8],
    ) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.count += 1;
        self.entries.push_back(Entry {
            number: self.count,
            at_ms,
            direction,
            here: here.to_owned(),
            there,
            connection,
            text: without_keys(&String::from_utf8_lossy(bytes)),
        });
    }

    /// The entries after `number`, the oldest first.
    pub fn after(&self, number: u64) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.number > number)
    }
}

/// The text with everything behind `inline:` replaced (RFC 4568: the key stands there up to `|` or a space).
pub fn without_keys(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("inline:") {
        let end = after.find(|c: char| matches!(c, '|' | ';') || c.is_whitespace()).unwrap_or(after.len());
        kept.push_str(before);
        kept.push_str("inline:(removed)");
        rest = after.get(end..).unwrap_or_default();
    }
    kept + rest
}

/// Older messages are let go.
const ENTRIES_MAX: usize = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_out_and_nothing_else() {
        let line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:Lh/9ZRufAVxlgo72p8Tikr4V3KlskiEk+OQXVXOO|2^31\r\na=crypto:2 X inline:abc\r\n";
        let cleaned = without_keys(line);
        assert_eq!(
            cleaned,
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(removed)|2^31\r\na=crypto:2 X inline:(removed)\r\n"
        );
    }

    #[test]
    fn the_oldest_go_first() {
        let mut trace = Trace::default();
        for _ in 0..ENTRIES_MAX + 2 {
            trace.add(0, Direction::In, "sip", String::new(), String::new(), b"x");
        }
        assert_eq!(trace.after(0).next().unwrap().number, 3);
    }
}
