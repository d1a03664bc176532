//! Calls over SIP: the door of Direct Routing and of carriers, and the only place where signalling and media meet.
//!
//! A [`B2bua`] is a value. SIP messages, media events and the center's commands go in; messages to send, media
//! commands and call events come out. It knows trunks and their profiles, keeps every leg of a call in its own
//! dialog, and keeps what is opaque on this side of the seam: dialogs, REFERs, keys, ports.
//!
//! It decides nothing about people or queues, moves no packet, owns no socket and reads no clock.

mod address;
mod arrival;
mod b2bua;
mod body;
mod call;
mod cause;
mod collect;
mod dial;
mod health;
mod keep_alive;
mod leaving;
mod playing;
mod recording;
mod renegotiation;
mod sending_on;
mod sound;
mod timer;
mod transfer;
pub mod trunk;

pub use b2bua::{B2bua, Counters, Limits, Output, ProxyHealth, Setup, UnknownPeers};
pub use health::Health;
