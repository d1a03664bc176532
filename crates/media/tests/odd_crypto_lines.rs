//! The forms in which Microsoft's samples write keys and media lines.
#![cfg(test)]

mod common;

use common::{TEAMS_KEY, parse, teams_leg, teams_offer_with};
use tandem_media::negotiate::{Negotiated, Refusal};
use tandem_media::sdp::Direction;
use tandem_media::srtp::SrtpKey;

fn answer(crypto: &str) -> Result<(String, Negotiated), Refusal> {
    teams_leg().answer(&parse(&teams_offer_with(crypto, "sendrecv")), Direction::SendRecv)
}

fn takes(crypto: &str, tag: u32, mki_octets: u8) {
    let (text, agreed) = answer(crypto).unwrap();
    assert!(text.contains(&format!("a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:")), "{crypto}: {text}");
    assert_eq!(text.matches("a=crypto").count(), 1);
    let keys = agreed.srtp.unwrap();
    assert_eq!(keys.remote, SrtpKey::from_inline(TEAMS_KEY).unwrap(), "{crypto}");
    assert_eq!(keys.remote_mki_octets, mki_octets, "{crypto}");
}

#[test]
fn the_offered_tag_is_answered_even_when_it_is_zero() {
    takes(&format!("a=crypto:0 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}|2^31"), 0, 0);
}

#[test]
fn the_suite_is_chosen_by_name_wherever_it_stands() {
    let other = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
    takes(
        &format!(
            "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{other}|2^31\r\n\
             a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}|2^31\r\n\
             a=crypto:3 AEAD_AES_256_GCM inline:HGAPy4Cedy/qumbZvpuCZSVT7rNDk8vG4TdUXp5hkyWqJCqiLRGab0KJy1g="
        ),
        2,
        0,
    );
}

#[test]
fn a_key_identifier_and_a_lifetime_are_understood() {
    takes(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}|2^31|1:1"), 1, 1);
    takes(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}|1:4"), 1, 4);
    takes(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}"), 1, 0);
    takes(&format!("a=crypto:1 aes_cm_128_hmac_sha1_80 inline:{TEAMS_KEY}|2^31 WSH=128"), 1, 0);
}

#[test]
fn of_two_lines_with_the_same_suite_the_first_that_can_be_read_is_taken() {
    takes(
        &format!(
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:tooshort|2^31\r\n\
             a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}|2^31\r\n\
             a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^31"
        ),
        2,
        0,
    );
}

#[test]
fn two_lines_in_an_answer_are_read_by_the_tag_of_our_offer() {
    let mut leg = teams_leg();
    let _ = leg.offer(Direction::SendRecv);
    let answer = teams_offer_with(
        &format!(
            "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^31\r\n\
             a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}|2^31"
        ),
        "sendrecv",
    );
    let keys = leg.accept_answer(&parse(&answer)).unwrap().srtp.unwrap();
    assert_eq!(keys.remote, SrtpKey::from_inline(TEAMS_KEY).unwrap());
}

#[test]
fn lines_that_ask_for_what_we_lack_are_not_taken() {
    for line in [
        "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR".to_owned(),
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY} UNENCRYPTED_SRTP"),
        format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY} KDR=1"),
        format!("a=crypto:one AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}"),
        "a=fingerprint:sha-256 4A:AD:B9:B1\r\na=setup:actpass".to_owned(),
    ] {
        assert_eq!(answer(&line).unwrap_err(), Refusal::NoCommonSuite, "{line}");
    }
}

#[test]
fn the_transport_with_tls_in_its_name_and_a_stray_word_are_survived() {
    let crypto = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}|2^31");
    let offer = teams_offer_with(&crypto, "sendrecv");
    let tls = offer.replace("RTP/SAVP", "UDP/TLS/RTP/SAVP");
    let (text, _) = teams_leg().answer(&parse(&tls), Direction::SendRecv).unwrap();
    assert!(text.contains("m=audio 20020 UDP/TLS/RTP/SAVP 0 101 13"), "{text}");
    for odd in ["stray RTP/SAVP", "RTP/SAVP stray"] {
        let (text, agreed) =
            teams_leg().answer(&parse(&offer.replace("RTP/SAVP", odd)), Direction::SendRecv).unwrap();
        assert!(text.contains("m=audio 20020 RTP/SAVP 0 101 13"), "{text}");
        assert_eq!(agreed.codec.name, "PCMU");
    }
}

#[test]
fn ice_lines_labels_and_candidates_do_no_harm() {
    let crypto = format!(
        "a=ice-ufrag:Xk2P\r\na=ice-pwd:7mQf0sY2wTt5uLrN1cVb9dEa\r\na=candidate:1 1 UDP 2130706431 198.51.100.77 50012 typ host\r\n\
         a=x-candidate-ipv4-reg:3 1 TCP-ACT 123 1.2.3.4 5 typ host\r\na=remote-candidates:1 203.0.113.10 20010\r\n\
         a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{TEAMS_KEY}|2^31"
    );
    assert!(answer(&crypto).is_ok());
}
