//! The authority: what its certificates say, and that they are used again.

use std::time::{Duration, SystemTime};

use crate::common::folder;
use tandem_sandbox::authority::{
    Authority, AuthorityError, CertificateRequest, KeyKind, Usages, covers, names_of,
};
use x509_parser::prelude::{FromDer, X509Certificate};

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn open(name: &str, now: SystemTime) -> Authority {
    Authority::open(&folder(name), KeyKind::Ecdsa, now).unwrap()
}

fn request() -> CertificateRequest {
    CertificateRequest::server_only(["sbc1.contoso.example", "*.sbc1.contoso.example"])
}

#[test]
fn a_certificate_is_for_servers_only_and_comes_with_its_issuer() {
    let authority = open("server-only", SystemTime::now());
    let identity = authority.issue(&request(), SystemTime::now()).unwrap();
    assert_eq!(identity.chain.len(), 2);
    let (_, leaf) = X509Certificate::from_der(&identity.chain[0]).unwrap();
    let (_, issuing) = X509Certificate::from_der(&identity.chain[1]).unwrap();
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth);
    assert_eq!(leaf.issuer(), issuing.subject());
    assert_eq!(leaf.subject().iter_common_name().next().unwrap().as_str().unwrap(), "sbc1.contoso.example");
    assert_eq!(names_of(&identity.chain[0]), ["sbc1.contoso.example", "*.sbc1.contoso.example"]);
}

#[test]
fn certificates_survive_a_restart() {
    let now = SystemTime::now();
    let place = folder("restart");
    let first = Authority::open(&place, KeyKind::Ecdsa, now).unwrap().keep("sbc", &request(), now).unwrap();
    let again = Authority::open(&place, KeyKind::Ecdsa, now).unwrap().keep("sbc", &request(), now).unwrap();
    assert_eq!(first.chain, again.chain);
}

#[test]
fn a_certificate_near_its_end_or_of_other_names_is_made_anew() {
    let now = SystemTime::now();
    let authority = open("renewal", now);
    let first = authority.keep("sbc", &request(), now).unwrap();
    let late = authority.keep("sbc", &request(), now + YEAR - Duration::from_secs(60)).unwrap();
    assert_ne!(first.chain[0], late.chain[0]);
    let other = CertificateRequest::server_only(["sbc2.contoso.example"]);
    assert_eq!(names_of(&authority.keep("sbc", &other, now).unwrap().chain[0]), ["sbc2.contoso.example"]);
}

#[test]
fn an_authority_near_its_end_is_founded_anew() {
    let now = SystemTime::now();
    let place = folder("old-authority");
    let root = |now| {
        let authority = Authority::open(&place, KeyKind::Ecdsa, now).unwrap();
        std::fs::read(authority.root_file()).unwrap()
    };
    let first = root(now);
    assert_eq!(first, root(now + YEAR));
    assert_ne!(first, root(now + 9 * YEAR + YEAR / 2));
}

#[test]
fn rsa_and_bad_certificates_can_be_had() {
    let now = SystemTime::now();
    let authority = Authority::open(&folder("rsa"), KeyKind::Rsa, now).unwrap();
    let expired = CertificateRequest { usages: Usages::ClientOnly, lifetime: Duration::ZERO, ..request() };
    let identity = authority.issue(&expired, now).unwrap();
    let (_, leaf) = X509Certificate::from_der(&identity.chain[0]).unwrap();
    assert!(!leaf.validity().is_valid());
    assert_eq!(leaf.public_key().parsed().unwrap().key_size(), 2048);
}

#[test]
fn what_is_no_name_is_refused() {
    let authority = open("no-name", SystemTime::now());
    let refused = authority.issue(&CertificateRequest::server_only(["sbc\u{e9}.example"]), SystemTime::now());
    assert!(matches!(refused, Err(AuthorityError::Request(_))));
}

#[cfg(unix)]
#[test]
fn keys_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let now = SystemTime::now();
    let authority = open("private", now);
    authority.keep("sbc", &request(), now).unwrap();
    let (_, key) = authority.files("sbc");
    assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_wildcard_covers_one_label() {
    let names = ["sbc1.contoso.example".to_owned(), "*.sbc1.contoso.example".to_owned()];
    for (host, covered) in [
        ("SBC1.contoso.example", true),
        ("fabrikam.sbc1.contoso.example", true),
        ("a.fabrikam.sbc1.contoso.example", false),
        (".sbc1.contoso.example", false),
        ("sbc2.contoso.example", false),
        ("contoso.example", false),
    ] {
        assert_eq!(covers(&names, host), covered, "{host}");
    }
}
