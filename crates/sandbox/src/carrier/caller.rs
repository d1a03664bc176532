//! One caller: the call, and how it looks to those who watch.

use std::net::SocketAddr;
use std::time::Instant;

use serde::Serialize;
use tandem_media::codec::Codec;
use tandem_media::sdp::Direction;
use tandem_sip::ua::LegId;

use super::description::{Ours, Theirs};
use super::script::Script;
use crate::event::By;
use crate::media::PortId;
use crate::user::Reaction;

/// One caller, or one who is called from the border controller, numbered in the order of coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerId(pub u64);

/// A caller for people to read.
#[derive(Clone, Debug, Serialize)]
pub struct CallerView {
    /// The number in the order of coming.
    pub id: u64,
    /// What the caller does.
    pub script: Script,
    /// The border controller called, not the caller.
    pub called: bool,
    /// `calling`, `talking` or `ended`.
    pub state: &'static str,
    /// A person was heard.
    pub person: bool,
    /// The border controller holds the caller.
    pub held: bool,
    /// When it began, in milliseconds since the sandbox started.
    pub began_ms: u64,
    /// When it was answered.
    pub answered_ms: Option<u64>,
    /// When it ended.
    pub ended_ms: Option<u64>,
    /// Who ended it.
    pub ended_by: Option<By>,
    /// The status of a call that was never answered.
    pub status: Option<u16>,
    /// The media port, under which the counts are found.
    #[serde(skip)]
    pub port: PortId,
}

/// A caller, or somebody called, whose call lives.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) script: Script,
    pub(super) leg: LegId,
    pub(super) called: bool,
    pub(super) port: PortId,
    pub(super) address: Option<SocketAddr>,
    pub(super) session: u64,
    pub(super) version: u32,
    /// What the border controller described last.
    pub(super) theirs: Option<Theirs>,
    /// An INVITE of the border controller that waits for our port.
    pub(super) offer: Option<Theirs>,
    /// What the telephone of somebody called does.
    pub(super) reaction: Reaction,
    pub(super) began: Instant,
    pub(super) answered: Option<Instant>,
    /// A person's tone was heard, since when.
    pub(super) person: Option<Instant>,
    pub(super) ending: bool,
}

impl Caller {
    /// A call that begins.
    pub(super) fn new(
        script: Script,
        leg: LegId,
        called: bool,
        port: PortId,
        session: u64,
        now: Instant,
    ) -> Self {
        Self {
            script,
            leg,
            called,
            port,
            address: None,
            session,
            version: 0,
            theirs: None,
            offer: None,
            reaction: Reaction::Answer { after_ms: 0, spread_ms: 0 },
            began: now,
            answered: None,
            person: None,
            ending: false,
        }
    }

    /// Our next description.
    pub(super) fn describe(
        &mut self,
        address: SocketAddr,
        formats: Vec<Codec>,
        direction: Direction,
    ) -> Ours {
        self.version += 1;
        Ours { session: self.session, version: self.version, address, formats, direction }
    }

    /// For those who watch; times count from `started`.
    pub(super) fn view(&self, id: CallerId, started: Instant) -> CallerView {
        CallerView {
            id: id.0,
            script: self.script.clone(),
            called: self.called,
            state: if self.answered.is_some() { "talking" } else { "calling" },
            person: self.person.is_some(),
            held: self.theirs.as_ref().is_some_and(|theirs| !theirs.direction.receives()),
            began_ms: ms_since(started, self.began),
            answered_ms: self.answered.map(|at| ms_since(started, at)),
            ended_ms: None,
            ended_by: None,
            status: None,
            port: self.port,
        }
    }
}

/// Milliseconds from one moment to a later one.
pub(super) fn ms_since(started: Instant, at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(started).as_millis()).unwrap_or(u64::MAX)
}
