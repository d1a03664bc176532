//! What Microsoft's documents leave open: every guess of the sandbox stands here, and nowhere else.
//!
//! Most are read from public captures or are ordinary SIP practice. Whoever learns better from a real tenant
//! changes a default here. Documented behaviour is not configurable and stands where it is used.

use serde::{Deserialize, Serialize};

/// The guesses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Habits {
    /// The version that Teams' proxies name in User-Agent and Server.
    pub product: String,
    /// How often each proxy pings a trunk once it has been pinged itself, in milliseconds.
    pub ping_interval_ms: u32,
    /// Three pings of a trunk to one proxy in this time, in milliseconds, count as too often. "Connect your Session
    /// Border Controller" asks for not more than one a minute; some slack for timers and for a start anew.
    pub pinged_interval_min_ms: u32,
    /// How long a proxy that has both been pinged and been answered counts as healthy, in milliseconds: the last
    /// three intervals of one minute.
    pub health_ms: u32,
    /// Connections without a transaction for so long are closed, in milliseconds. Documented as two minutes.
    pub connection_idle_ms: u32,
    /// How often Teams sends CRLF on its own connections, in milliseconds (RFC 5626).
    pub keep_alive_ms: u32,
    /// Between an INVITE and the first ringing, in milliseconds.
    pub ring_after_ms: u32,
    /// A call that rings so long, in milliseconds, is given up by Teams with 480.
    pub ring_max_ms: u32,
    /// What a drained proxy says in Retry-After, in seconds.
    pub retry_after_s: u32,
    /// The direction of Teams' re-INVITE that puts a call on hold.
    pub hold_direction: HoldDirection,
    /// Music is played to the held party, as with "music on hold" in the calling policy.
    pub hold_music: bool,
    /// Who ends the old dialog after a transfer that the border controller reported as done: Teams after so many
    /// milliseconds, or never.
    pub bye_after_transfer_ms: Option<u32>,
    /// How long Teams waits for the final NOTIFY of a transfer, in milliseconds.
    pub transfer_max_ms: u32,
    /// What is answered to an INVITE of a transfer whose Refer-To or Referred-By was changed.
    pub changed_transfer_status: u16,
    /// Requests inside a dialog come from the next proxy in turn and not from the one that set up the call.
    pub in_dialog_from_next_proxy: bool,
    /// Session-Expires below this is refused with 422, in seconds.
    pub session_expires_min_s: u32,
    /// Session-Expires that Teams asks for, in seconds.
    pub session_expires_s: u32,
    /// The caller's missing X-MS-SBC header is noted. Asked of certified gateways, not on the Direct Routing pages.
    pub expect_x_ms_sbc: bool,
    /// A call longer than this without any RTCP from the border controller is noted, in milliseconds.
    pub rtcp_expected_ms: u32,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            product: "Microsoft.PSTNHub.SIPProxy v.2025.1.20.1 i.USEA.3".to_owned(),
            ping_interval_ms: 60_000,
            pinged_interval_min_ms: 50_000,
            health_ms: 180_000,
            connection_idle_ms: 120_000,
            keep_alive_ms: 30_000,
            ring_after_ms: 150,
            ring_max_ms: 60_000,
            retry_after_s: 1,
            hold_direction: HoldDirection::SendOnly,
            hold_music: true,
            bye_after_transfer_ms: Some(500),
            transfer_max_ms: 60_000,
            changed_transfer_status: 400,
            in_dialog_from_next_proxy: true,
            session_expires_min_s: 300,
            session_expires_s: 3600,
            expect_x_ms_sbc: true,
            rtcp_expected_ms: 15_000,
        }
    }
}

/// How Teams says that it holds a call; not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldDirection {
    /// Nothing flows.
    Inactive,
    /// Teams sends music and takes nothing.
    SendOnly,
    /// As if not held: only the sound changes.
    SendRecv,
}
