//! Offers and answers of ordinary calls.
#![cfg(test)]

mod common;

use common::{
    TEAMS_KEY, carrier_leg, carrier_settings, parse, phone_offer, teams_leg, teams_offer, teams_settings,
};
use tandem_media::codec::Codec;
use tandem_media::negotiate::{LegSettings, LocalLeg, PayloadTypes, Refusal, SrtpPolicy};
use tandem_media::sdp::{Direction, Sdp, SdpError};
use tandem_media::srtp::SrtpKey;

#[test]
fn a_teams_offer_is_answered_with_one_codec_and_our_key() {
    let (text, agreed) = teams_leg().answer(&parse(&teams_offer()), Direction::SendRecv).unwrap();
    let expected = format!(
        "v=0\r\no=- 3920022 0 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n\
         m=audio 20020 RTP/SAVP 0 101 13\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-16\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\na=sendrecv\r\na=rtcp:20020\r\na=rtcp-mux\r\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}|2^31\r\n",
        SrtpKey::new([7; 30]).to_inline()
    );
    assert_eq!(text, expected);
    assert_eq!(agreed.remote, "52.114.60.21:51400".parse().unwrap());
    assert!(agreed.rtcp_mux && agreed.send && agreed.receive && !agreed.remote_hold);
    assert_eq!(agreed.codec.name, "PCMU");
    assert_eq!(agreed.telephone_event, Some(PayloadTypes { send: 101, receive: 101 }));
    assert_eq!(agreed.comfort_noise, Some(PayloadTypes { send: 13, receive: 13 }));
    let keys = agreed.srtp.unwrap();
    assert_eq!(keys.remote, SrtpKey::from_inline(TEAMS_KEY).unwrap());
    assert_eq!(keys.local, SrtpKey::new([7; 30]));
}

#[test]
fn two_of_our_legs_agree_with_each_other() {
    let (mut caller, mut callee) = (teams_leg(), teams_leg());
    let offer = caller.offer(Direction::SendRecv);
    let (answer, heard) = callee.answer(&parse(&offer), Direction::SendRecv).unwrap();
    let said = caller.accept_answer(&parse(&answer)).unwrap();
    assert_eq!(said.codec, heard.codec);
    assert_eq!(said.telephone_event, heard.telephone_event);
    assert_eq!(said.srtp.unwrap().remote, heard.srtp.unwrap().local);
    assert_eq!(said.also, vec![Codec::pcma()], "both were offered, so either may arrive");
}

#[test]
fn a_phone_keeps_its_own_payload_numbers_over_the_whole_call() {
    let mut leg = carrier_leg();
    let (_, agreed) = leg.answer(&parse(&phone_offer()), Direction::SendRecv).unwrap();
    assert_eq!(agreed.telephone_event, Some(PayloadTypes { send: 96, receive: 96 }));
    assert_eq!(agreed.remote_rtcp, "198.51.100.7:4001".parse().unwrap());
    assert!(agreed.srtp.is_none());
    let again = leg.offer(Direction::SendRecv);
    assert!(again.contains("m=audio 30000 RTP/AVP 8 96\r\n"), "{again}");
}

#[test]
fn port_key_and_session_stay_and_the_version_grows_only_with_a_change() {
    let mut leg = teams_leg();
    let offer = parse(&teams_offer());
    let (first, _) = leg.answer(&offer, Direction::SendRecv).unwrap();
    let (refreshed, _) = leg.answer(&offer, Direction::SendRecv).unwrap();
    assert_eq!(first, refreshed, "a session refresh changes nothing");
    let hold = leg.offer(Direction::Inactive);
    assert!(hold.contains("o=- 3920022 1 IN") && hold.contains("a=inactive"), "{hold}");
    assert_eq!(hold, leg.offer(Direction::Inactive));
    let resume = leg.offer(Direction::SendRecv);
    assert!(
        resume.contains("o=- 3920022 2 IN") && resume.contains("m=audio 20020 RTP/SAVP 0 101 13"),
        "{resume}"
    );
}

#[test]
fn every_other_medium_is_refused_with_port_zero_in_its_place() {
    let offer = teams_offer().replace(
        "m=audio",
        "m=video 50000 RTP/SAVP 122 34\r\na=rtpmap:122 X-H264UC/90000\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nm=audio",
    );
    let (text, agreed) = teams_leg().answer(&parse(&offer), Direction::SendRecv).unwrap();
    let lines: Vec<&str> = text.lines().filter(|l| l.starts_with("m=")).collect();
    assert_eq!(
        lines,
        [
            "m=video 0 RTP/SAVP 122 34",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
            "m=audio 20020 RTP/SAVP 0 101 13"
        ]
    );
    assert_eq!(agreed.remote.port(), 51400);
}

#[test]
fn a_codec_we_do_not_know_passes_when_we_are_told_to_offer_it() {
    let mut leg = carrier_leg();
    leg.set_codecs(vec![Codec::named("G722", 8000, 9), Codec::named("SILK", 16000, 104)]);
    let offer = leg.offer(Direction::SendRecv);
    assert!(offer.contains("m=audio 30000 RTP/AVP 9 104 101\r\n"), "{offer}");
    let answer = phone_offer()
        .replace("8 0 96", "111 96")
        .replace("a=rtpmap:96", "a=rtpmap:111 silk/16000\r\na=rtpmap:96");
    let agreed = leg.accept_answer(&parse(&answer)).unwrap();
    assert_eq!(agreed.codec.name, "SILK");
    assert_eq!(agreed.payload, PayloadTypes { send: 111, receive: 104 });
    assert_eq!(agreed.telephone_event, Some(PayloadTypes { send: 96, receive: 101 }));
}

#[test]
fn no_two_codecs_of_an_offer_share_a_number() {
    let mut leg = carrier_leg();
    leg.set_codecs(vec![Codec::named("SILK", 16000, 101), Codec::named("opus", 48000, 101), Codec::pcma()]);
    let offer = leg.offer(Direction::SendRecv);
    assert!(offer.contains("RTP/AVP 96 97 8 101\r\n"), "{offer}");
}

#[test]
fn a_number_mapped_twice_means_its_first_mapping() {
    let offer =
        phone_offer().replace("8 0 96", "96 96 8").replace("a=fmtp", "a=rtpmap:96 iLBC/8000\r\na=fmtp");
    let codecs = parse(&offer).audio().unwrap().1.codecs();
    assert_eq!(codecs.len(), 2);
    assert!(codecs[0].is_telephone_event());
}

#[test]
fn several_answers_to_one_offer_are_each_accepted() {
    let mut leg = carrier_leg();
    let _ = leg.offer(Direction::SendRecv);
    let early = leg.accept_answer(&parse(&phone_offer())).unwrap();
    let late = leg.accept_answer(&parse(&phone_offer().replace("4000", "4444"))).unwrap();
    assert_eq!((early.remote.port(), late.remote.port()), (4000, 4444));
}

#[test]
fn what_cannot_be_agreed_is_refused_by_name() {
    let refusal = |settings: LegSettings, offer: &str| {
        LocalLeg::new(settings).answer(&parse(offer), Direction::SendRecv).unwrap_err()
    };
    let plain = phone_offer();
    let teams = teams_offer();
    assert_eq!(refusal(teams_settings(), &plain), Refusal::SrtpRequired);
    assert_eq!(refusal(carrier_settings(), &teams), Refusal::SrtpForbidden);
    assert_eq!(refusal(carrier_settings(), &plain.replace("8 0 96", "18 4")), Refusal::NoCommonCodec);
    assert_eq!(refusal(carrier_settings(), &plain.replace("audio", "video")), Refusal::NoAudio);
    assert_eq!(refusal(carrier_settings(), &plain.replace("audio 4000", "audio 0")), Refusal::AudioRefused);
    assert_eq!(
        refusal(carrier_settings(), &plain.replace("c=IN IP4 198.51.100.7\r\n", "")),
        Refusal::NoAddress
    );
    assert_eq!(
        refusal(carrier_settings(), &plain.replace("RTP/AVP", "TCP/RTP/AVP")),
        Refusal::UnknownTransport
    );
    assert_eq!(teams_leg().accept_answer(&parse(&teams)).unwrap_err(), Refusal::NothingOffered);
    assert_eq!(Refusal::SrtpRequired.status(), 488);
}

#[test]
fn a_trunk_that_accepts_srtp_answers_in_kind() {
    let settings = || LegSettings { srtp: SrtpPolicy::Accepted, ..carrier_settings() };
    let (text, agreed) =
        LocalLeg::new(settings()).answer(&parse(&teams_offer()), Direction::SendRecv).unwrap();
    assert!(text.contains("RTP/SAVP") && agreed.srtp.is_some());
    let (text, agreed) =
        LocalLeg::new(settings()).answer(&parse(&phone_offer()), Direction::SendRecv).unwrap();
    assert!(text.contains("RTP/AVP") && agreed.srtp.is_none());
    assert!(LocalLeg::new(settings()).offer(Direction::SendRecv).contains("RTP/AVP"));
}

#[test]
fn a_broken_description_is_refused_with_the_line() {
    let error = |text: &str| Sdp::parse(text.as_bytes()).unwrap_err();
    let good = phone_offer();
    assert_eq!(error(&good.replace("s=-", "sss")), SdpError::NoEquals { line: 3 });
    assert_eq!(
        error(&good.replace("198.51.100.7\r\nt", "198.51.100.777\r\nt")),
        SdpError::Connection { line: 4 }
    );
    assert_eq!(error(&good.replace("4000", "70000")), SdpError::Media { line: 6 });
    assert_eq!(error(&good.replace("v=0", "v=1")), SdpError::Version { line: 1 });
    assert_eq!(error("s=-\r\n"), SdpError::MissingVersion);
    assert_eq!(error("v=0\r\n"), SdpError::MissingOrigin);
    assert_eq!(Sdp::parse(&[0xff, 0xfe]).unwrap_err(), SdpError::NotText);
    assert_eq!(Sdp::parse(&vec![b'a'; 40_000]).unwrap_err(), SdpError::TooLarge);
}

#[test]
fn keys_are_in_no_debug_output() {
    let offer = parse(&teams_offer());
    let (_, agreed) = teams_leg().answer(&offer, Direction::SendRecv).unwrap();
    let shown = format!("{offer:?} {agreed:?} {:?}", teams_settings());
    assert!(!shown.contains("mx8TxQ9v") && !shown.contains("7, 7, 7"), "{shown}");
}

#[test]
fn ipv6_addresses_are_spoken_and_understood() {
    let settings = LegSettings { address: "2001:db8::10".parse().unwrap(), ..carrier_settings() };
    let mut leg = LocalLeg::new(settings);
    let offer = phone_offer().replace("IN IP4 198.51.100.7", "IN IP6 2001:db8::7");
    let (text, agreed) = leg.answer(&parse(&offer), Direction::SendRecv).unwrap();
    assert!(text.contains("c=IN IP6 2001:db8::10\r\n"), "{text}");
    assert_eq!(agreed.remote, "[2001:db8::7]:4000".parse().unwrap());
}
