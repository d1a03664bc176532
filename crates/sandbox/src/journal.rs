//! What the sandbox keeps for those who watch: events, violations, messages.

use std::time::Instant;

use crate::event::{Events, What};
use crate::trace::{Direction, Trace};
use crate::violation::{Rule, Violations};

/// The three lists, under one clock.
#[derive(Debug)]
pub struct Journal {
    started: Instant,
    /// What happened.
    pub events: Events,
    /// What was wrong.
    pub violations: Violations,
    /// What was said.
    pub trace: Trace,
}

impl Journal {
    /// Empty lists whose clock begins now.
    pub fn new(now: Instant) -> Self {
        Self {
            started: now,
            events: Events::default(),
            violations: Violations::default(),
            trace: Trace::default(),
        }
    }

    /// Milliseconds since the sandbox started.
    pub fn at_ms(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }

    /// Something happened.
    pub fn happened(&mut self, now: Instant, what: What) {
        self.events.add(self.at_ms(now), what);
    }

    /// Something was wrong.
    pub fn wrong(&mut self, now: Instant, rule: Rule, seen: impl Into<String>, call_id: Option<&[u8]>) {
        self.violations.add(self.at_ms(now), rule, seen, call_id);
    }

    /// A message passed.
    pub fn said(
        &mut self,
        now: Instant,
        direction: Direction,
        here: &str,
        there: String,
        connection: String,
        bytes: &[u8],
    ) {
        self.trace.add(self.at_ms(now), direction, here, there, connection, bytes);
    }
}
