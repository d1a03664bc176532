//! What is in SDP, RTP, RTCP and SRTP; codecs, digits and prompts; and the path of a packet through a call.
//!
//! This crate moves no packet and keeps no time: sockets and threads are the relay's, the moment is handed in.
//! It knows no SIP: when an offer or answer is due is told by those who use [`negotiate`].

pub mod codec;
pub mod dtmf;
pub mod g711;
pub mod leg;
pub mod negotiate;
mod outbound;
pub mod path;
mod player;
pub mod prompt;
pub mod quality;
mod reception;
mod route;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod srtp;
mod tape;
pub mod tone;
