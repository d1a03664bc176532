//! What several tests share: descriptions and keys.
#![allow(dead_code, reason = "each test file uses its own part of this module")]

pub(crate) mod wire;

use tandem_media::codec::Codec;
use tandem_media::negotiate::{LegSettings, LocalLeg, SrtpPolicy};
use tandem_media::sdp::Sdp;
use tandem_media::srtp::SrtpKey;

/// The key that Teams uses in these tests, as its descriptions write it.
pub(crate) const TEAMS_KEY: &str = "mx8TxQ9vB3vIgUTG3dz0zRnPj7FOq3vJIr0XyOuZ";

/// Our settings for a Direct Routing trunk.
pub(crate) fn teams_settings() -> LegSettings {
    LegSettings {
        address: "203.0.113.10".parse().unwrap(),
        rtp_port: 20020,
        codecs: vec![Codec::pcmu(), Codec::pcma()],
        srtp: SrtpPolicy::Required,
        key: SrtpKey::new([7; 30]),
        telephone_event: Some(101),
        comfort_noise: true,
        rtcp_mux: true,
        ptime_ms: 20,
        session_id: 3_920_022,
    }
}

/// Our settings for a plain carrier trunk.
pub(crate) fn carrier_settings() -> LegSettings {
    LegSettings {
        rtp_port: 30000,
        codecs: vec![Codec::pcma(), Codec::pcmu()],
        srtp: SrtpPolicy::Forbidden,
        rtcp_mux: false,
        comfort_noise: false,
        session_id: 17,
        ..teams_settings()
    }
}

pub(crate) fn teams_leg() -> LocalLeg {
    LocalLeg::new(teams_settings())
}

pub(crate) fn carrier_leg() -> LocalLeg {
    LocalLeg::new(carrier_settings())
}

/// An offer as Teams makes it, with these lines of keys and this direction.
pub(crate) fn teams_offer_with(crypto: &str, direction: &str) -> String {
    format!(
        "v=0\r\no=- 91700 0 IN IP4 127.0.0.1\r\ns=session\r\nc=IN IP4 52.114.60.21\r\nb=CT:10000000\r\nt=0 0\r\n\
         m=audio 51400 RTP/SAVP 104 9 103 18 0 8 101 13 118\r\nc=IN IP4 52.114.60.21\r\na=rtcp:51400\r\n\
         a=rtcp-mux\r\na=label:main-audio\r\n{crypto}\r\na={direction}\r\na=rtpmap:104 SILK/16000\r\n\
         a=rtpmap:9 G722/8000\r\na=rtpmap:103 SILK/8000\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-16\r\na=rtpmap:13 CN/8000\r\na=rtpmap:118 CN/16000\r\na=ptime:20\r\n"
    )
}

/// An offer as Teams makes it.
pub(crate) fn teams_offer() -> String {
    teams_offer_with(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}|2^31"), "sendrecv")
}

/// An offer of an ordinary phone.
pub(crate) fn phone_offer() -> String {
    "v=0\r\no=alice 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
     m=audio 4000 RTP/AVP 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n"
        .to_owned()
}

pub(crate) fn parse(text: &str) -> Sdp {
    Sdp::parse(text.as_bytes()).unwrap()
}
