//! Content that Graph encrypts for us: opened as documented, and only if nothing about it was changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tandem_microsoft::graph::certificate::{KeyPair, KeyPairs, OLD_KEPT};
use tandem_microsoft::graph::notification::{Delivery, What};
use tandem_microsoft::graph::presence;
use tandem_microsoft::graph::sealed::{PrivateKey, SealFault, Sealed};
use tandem_microsoft::time::UnixTime;

/// Vectors made by another implementation (the Python package cryptography).
fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/graph_sealed.json")).unwrap()
}

/// The first of our key pairs.
fn first() -> KeyPair {
    let certificate = include_bytes!("../vectors/graph_1.cert.der").to_vec();
    KeyPair::new("tandem-1", certificate, include_bytes!("../vectors/graph_1.key.der")).unwrap()
}

/// The one that replaces it.
fn second() -> KeyPair {
    let certificate = include_bytes!("../vectors/graph_2.cert.der").to_vec();
    KeyPair::new("tandem-2", certificate, include_bytes!("../vectors/graph_2.key.der")).unwrap()
}

/// Sealed content as it comes in a delivery.
fn sealed(content: &Value) -> Sealed {
    let body =
        json!({"value": [{"subscriptionId": "s", "changeType": "updated", "encryptedContent": content}]});
    let delivery = Delivery::parse(body.to_string().as_bytes()).unwrap();
    match &delivery.items[0].what {
        What::Changed { content: Some(sealed), .. } => sealed.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_implementations_vectors_are_opened_or_refused_for_the_right_reason() {
    let vectors = vectors();
    let keys = KeyPairs::new(first());
    for vector in vectors["vectors"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let opened = keys.open(&sealed(&vector["encryptedContent"]));
        match vector["plaintext"].as_str() {
            Some(plain) => assert_eq!(opened.unwrap().as_slice(), plain.as_bytes(), "{name}"),
            None => {
                assert_eq!(format!("{:?}", opened.unwrap_err()), vector["fault"].as_str().unwrap(), "{name}");
            }
        }
    }
}

#[test]
fn what_is_opened_is_a_presence() {
    let vectors = vectors();
    let keys = KeyPairs::new(first());
    let opened = keys.open(&sealed(&vectors["vectors"][0]["encryptedContent"])).unwrap();
    let (person, presence) = presence::from_resource(&opened).unwrap();
    assert_eq!(person.to_string(), "0b0e0c7a-1d7c-4b0c-9d53-3d5b5f1c2a10");
    assert_eq!((&*presence.availability, &*presence.activity), ("Busy", "InACall"));
}

#[test]
fn each_changed_octet_is_noticed() {
    let vectors = vectors();
    let keys = KeyPairs::new(first());
    let good = sealed(&vectors["vectors"][0]["encryptedContent"]);
    assert!(keys.open(&good).is_ok());
    for place in 0..good.data.len() {
        let mut changed = good.clone();
        changed.data[place] ^= 1;
        assert_eq!(keys.open(&changed), Err(SealFault::Signature));
    }
    for place in 0..good.signature.len() {
        let mut changed = good.clone();
        changed.signature[place] ^= 0x80;
        assert_eq!(keys.open(&changed), Err(SealFault::Signature));
    }
    for place in [0, 1, 100, 255] {
        let mut changed = good.clone();
        changed.data_key[place] ^= 1;
        assert!(keys.open(&changed).is_err());
    }
    for length in [0, 1, 16, 31] {
        let mut cut = good.clone();
        cut.signature.truncate(length);
        assert_eq!(keys.open(&cut), Err(SealFault::Signature), "a part of a signature is none");
    }
}

#[test]
fn a_replaced_certificate_opens_what_is_on_its_way_for_a_day() {
    let vectors = vectors();
    let on_its_way = sealed(&vectors["vectors"][0]["encryptedContent"]);
    let mut keys = KeyPairs::new(first());
    let day_one = UnixTime(1_800_000_000);
    keys.rotate(day_one, second());
    assert_eq!(&*keys.current().encrypt_for().certificate_id, "tandem-2");
    assert!(keys.open(&on_its_way).is_ok());
    keys.rotate(day_one.after(OLD_KEPT), second());
    assert_eq!(keys.open(&on_its_way), Err(SealFault::UnknownCertificate));
}

#[test]
fn what_graph_is_given_is_the_certificate_alone_and_nothing_secret_is_printed() {
    let pair = first();
    let given = pair.encrypt_for();
    let certificate = STANDARD.decode(given.certificate.as_bytes()).unwrap();
    assert_eq!(certificate, include_bytes!("../vectors/graph_1.cert.der"));
    assert!(format!("{pair:?}").contains("key: PrivateKey"));
}

#[test]
fn what_is_no_private_key_is_refused() {
    assert!(PrivateKey::from_pkcs8(b"").is_err());
    assert!(PrivateKey::from_pkcs8(&[0x30; 1200]).is_err());
}
