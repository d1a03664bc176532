//! A password is proved and checked: all algorithms, both askers, stale nonces, wrong passwords.

#![expect(clippy::unwrap_used, reason = "what cannot be built here is a failed test")]

use std::time::{Duration, Instant};

use tandem_sip::build::Writer;
use tandem_sip::digest::{Algorithm, Asker, Denied, DigestClient, DigestError, DigestServer};
use tandem_sip::header::{AuthValue, HeaderName};
use tandem_sip::message::Message;
use tandem_sip::method::Method;
use tandem_sip::status::StatusCode;

type Headers = Vec<(HeaderName<'static>, Vec<u8>)>;

const URI: &[u8] = b"sip:+14255550100@carrier.example;user=phone";

fn request(headers: &Headers) -> Message {
    message(|out| Writer::request(out, Method::Invite, URI), headers)
}

fn response(status: StatusCode, headers: &Headers) -> Message {
    message(|out| Writer::response(out, status, b""), headers)
}

fn message(begin: impl Fn(&mut Vec<u8>) -> Writer<'_>, headers: &Headers) -> Message {
    let mut out = Vec::new();
    let mut writer = begin(&mut out);
    for (name, value) in [
        (HeaderName::Via, &b"SIP/2.0/UDP h;branch=z9hG4bK1"[..]),
        (HeaderName::From, b"<sip:a@h>;tag=1"),
        (HeaderName::To, b"<sip:b@h>"),
        (HeaderName::CallId, b"1"),
        (HeaderName::CSeq, b"1 INVITE"),
    ] {
        writer.header(name, value);
    }
    for (name, value) in headers {
        writer.header(*name, value);
    }
    writer.finish().unwrap();
    Message::parse_datagram(out).unwrap()
}

fn password_of(user: &[u8]) -> Option<Vec<u8>> {
    (user == b"al\"ice").then(|| b"p\\w".to_vec())
}

/// The start of all tests; no clock is read.
fn start() -> Instant {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; only differences matter")]
    *START.get_or_init(Instant::now)
}

#[test]
fn a_challenge_is_answered_with_the_strongest_algorithm() {
    for asker in [Asker::UserAgent, Asker::Proxy] {
        for (offered, chosen) in [
            (&[Algorithm::Md5][..], "MD5"),
            (&[Algorithm::Md5, Algorithm::Sha256], "SHA-256"),
            (&Algorithm::ALL, "SHA-512-256"),
        ] {
            let mut server = DigestServer::new(b"carrier.example", asker, offered);
            let mut client = DigestClient::new(b"al\"ice", b"p\\w", None);
            assert_eq!(
                server.verify(start(), &request(&Vec::new()), password_of),
                Err(Denied::NoCredentials)
            );
            let challenge = server.challenge(start(), 7, false);
            assert_eq!(challenge.len(), offered.len());
            client.challenged(&response(asker.status(), &challenge), 42).unwrap();

            let proof = client.authorizations(Method::Invite, URI);
            assert_eq!(proof.len(), 1);
            assert_eq!(proof[0].0, asker.answer_header());
            assert_eq!(AuthValue::parse(&proof[0].1).unwrap().get("algorithm"), Some(chosen.as_bytes()));
            assert_eq!(server.verify(start(), &request(&proof), password_of), Ok(b"al\"ice".to_vec()));
            assert_eq!(server.verify(start(), &request(&proof), password_of), Err(Denied::Stale), "a replay");

            let second = client.authorizations(Method::Invite, URI);
            assert_eq!(AuthValue::parse(&second[0].1).unwrap().get("nc"), Some(&b"00000002"[..]));
            assert!(server.verify(start(), &request(&second), password_of).is_ok());
        }
    }
}

#[test]
fn a_stale_nonce_is_replaced_and_a_wrong_password_is_not_tried_again() {
    let mut server = DigestServer::new(b"r", Asker::Proxy, &[Algorithm::Sha256]);
    let mut client = DigestClient::new(b"al\"ice", b"p\\w", Some(b"r"));
    let proxy = |headers: &Headers| response(StatusCode::PROXY_AUTHENTICATION_REQUIRED, headers);
    client.challenged(&proxy(&server.challenge(start(), 1, false)), 1).unwrap();
    let late = start() + Duration::from_secs(300);
    let proof = client.authorizations(Method::Invite, URI);
    assert_eq!(server.verify(late, &request(&proof), password_of), Err(Denied::Stale));
    client.challenged(&proxy(&server.challenge(late, 2, true)), 2).unwrap();
    let proof = client.authorizations(Method::Invite, URI);
    assert!(server.verify(late, &request(&proof), password_of).is_ok());
    client.passed();

    // A later challenge without `stale` is a new question; the same again is a refusal.
    client.challenged(&proxy(&server.challenge(late, 3, false)), 3).unwrap();
    assert_eq!(client.challenged(&proxy(&server.challenge(late, 4, false)), 4), Err(DigestError::Refused));

    let mut wrong = DigestClient::new(b"al\"ice", b"guess", None);
    wrong.challenged(&proxy(&server.challenge(late, 5, false)), 5).unwrap();
    let proof = wrong.authorizations(Method::Invite, URI);
    assert_eq!(server.verify(late, &request(&proof), password_of), Err(Denied::Wrong));
    let mut nobody = DigestClient::new(b"bob", b"p\\w", None);
    nobody.challenged(&proxy(&server.challenge(late, 6, false)), 6).unwrap();
    assert_eq!(
        server.verify(late, &request(&nobody.authorizations(Method::Invite, URI)), password_of),
        Err(Denied::Wrong)
    );
}

#[test]
fn endless_staleness_ends() {
    let mut server = DigestServer::new(b"r", Asker::UserAgent, &[Algorithm::Md5]);
    let mut client = DigestClient::new(b"u", b"p", None);
    let answered = (0..10)
        .take_while(|&n| {
            let challenge = server.challenge(start(), n, true);
            client.challenged(&response(StatusCode::UNAUTHORIZED, &challenge), 1).is_ok()
        })
        .count();
    assert_eq!(answered, 4);
}

#[test]
fn a_challenge_in_the_old_manner_is_answered_in_the_old_manner() {
    let mut client = DigestClient::new(b"bob", b"zanzibar", None);
    let challenge = b"Digest realm=\"biloxi.com\", nonce=\"dcd98b\", opaque=\"5ccc\"".to_vec();
    client
        .challenged(&response(StatusCode::UNAUTHORIZED, &vec![(HeaderName::WwwAuthenticate, challenge)]), 1)
        .unwrap();
    let (_, proof) = client.authorizations(Method::Register, b"sip:biloxi.com").remove(0);
    let proof = AuthValue::parse(&proof).unwrap();
    for absent in ["algorithm", "qop", "nc", "cnonce"] {
        assert_eq!(proof.get(absent), None, "{absent}");
    }
    assert_eq!(proof.get("opaque"), Some(&b"5ccc"[..]));
    assert_eq!(proof.get("response").map(<[u8]>::len), Some(32));
}

#[test]
fn what_cannot_be_answered_is_named() {
    let asks =
        |value: &str| response(StatusCode::UNAUTHORIZED, &vec![(HeaderName::WwwAuthenticate, value.into())]);
    let mut client = DigestClient::new(b"u", b"p", Some(b"ours"));
    for (challenge, error) in [
        ("Digest realm=\"theirs\", nonce=\"1\"", DigestError::NotForUs),
        ("Digest nonce=\"1\"", DigestError::NotForUs),
        ("Bearer realm=\"ours\"", DigestError::Unsupported),
        ("Digest realm=\"ours\"", DigestError::Unsupported),
        ("Digest realm=\"ours\", nonce=\"1\", algorithm=SHA3", DigestError::Unsupported),
        ("Digest realm=\"ours\", nonce=\"1\", qop=\"auth-int\"", DigestError::Unsupported),
    ] {
        assert_eq!(client.challenged(&asks(challenge), 1), Err(error), "{challenge}");
    }
    assert_eq!(
        client.challenged(&response(StatusCode::UNAUTHORIZED, &Vec::new()), 1),
        Err(DigestError::NotForUs)
    );
    assert!(client.authorizations(Method::Invite, URI).is_empty());

    let many: Headers = (0..6)
        .map(|n| (HeaderName::ProxyAuthenticate, format!("Digest realm=\"r{n}\", nonce=\"1\"").into_bytes()))
        .collect();
    let mut open = DigestClient::new(b"u", b"p", None);
    let asked = response(StatusCode::PROXY_AUTHENTICATION_REQUIRED, &many);
    assert_eq!(open.challenged(&asked, 1), Err(DigestError::TooManyRealms));
    assert_eq!(open.authorizations(Method::Invite, URI).len(), 4);
}

#[test]
fn an_answer_for_another_request_does_not_pass() {
    let mut server = DigestServer::new(b"r", Asker::UserAgent, &[Algorithm::Md5]);
    let mut client = DigestClient::new(b"al\"ice", b"p\\w", None);
    client.challenged(&response(StatusCode::UNAUTHORIZED, &server.challenge(start(), 1, false)), 1).unwrap();
    let proof = client.authorizations(Method::Bye, URI);
    assert_eq!(server.verify(start(), &request(&proof), password_of), Err(Denied::Wrong));
    let proof = client.authorizations(Method::Invite, b"sip:+1900@carrier.example");
    assert_eq!(server.verify(start(), &request(&proof), password_of), Err(Denied::Malformed));
}
