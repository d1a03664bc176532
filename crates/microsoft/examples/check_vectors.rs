//! Opens the encrypted notifications of a file of vectors, and says whether each comes out as the file says.
//!
//! `cargo run -p tandem-microsoft --example check_vectors -- <folder>`: the folder holds
//! `encrypted-notification.vectors.json`, with an RSA key as numbers and vectors whose `plaintext` is null if they must be
//! refused before anything is decrypted. Ends with a failure if one does not come out so, or there are none.

#![expect(clippy::disallowed_methods, reason = "a program of its own, which reads a file")]

use std::path::Path;
use std::process::ExitCode;

use num_bigint::BigUint;
use serde_json::{Value, json};
use tandem_microsoft::graph::notification::{Delivery, What};
use tandem_microsoft::graph::sealed::{PrivateKey, SealFault, Sealed};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failure> {
    let folder = std::env::args().nth(1).ok_or("usage: check_vectors <folder>")?;
    let text = std::fs::read_to_string(Path::new(&folder).join("encrypted-notification.vectors.json"))?;
    let file: Value = serde_json::from_str(&text)?;
    let key = PrivateKey::from_pkcs8(&pkcs8(&file["rsa"])?)?;
    let vectors = file["vectors"].as_array().filter(|v| !v.is_empty()).ok_or("no vectors")?;
    let mut wrong = 0;
    for vector in vectors {
        let name = vector["name"].as_str().unwrap_or("?");
        let opened = sealed(&vector["encryptedContent"])?.open(&key);
        let right = match (vector["plaintext"].as_str(), &opened) {
            (Some(plain), Ok(opened)) => opened.as_slice() == plain.as_bytes(),
            (None, Err(fault)) => *fault == SealFault::Signature,
            _ => false,
        };
        println!("{} {name}: {}", if right { "ok" } else { "WRONG" }, outcome(&opened));
        wrong += u32::from(!right);
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn outcome<T>(opened: &Result<T, SealFault>) -> String {
    opened.as_ref().map_or_else(ToString::to_string, |_| "opened".to_owned())
}

/// The content as it is read from a delivery.
fn sealed(content: &Value) -> Result<Sealed, Failure> {
    let item = json!({"subscriptionId": "vector", "changeType": "updated", "encryptedContent": content});
    let mut delivery = Delivery::parse(json!({"value": [item]}).to_string().as_bytes())?;
    match delivery.items.pop().map(|item| item.what) {
        Some(What::Changed { content: Some(sealed), .. }) => Ok(sealed),
        _ => Err("no encrypted content".into()),
    }
}

/// An RSA key, given as hexadecimal numbers, as PKCS#8 (RFC 5958, RFC 8017 appendix A.1.2).
fn pkcs8(rsa: &Value) -> Result<Vec<u8>, Failure> {
    let number = |name: &str| {
        let digits = rsa[name].as_str().unwrap_or_default();
        BigUint::parse_bytes(digits.as_bytes(), 16).ok_or_else(|| format!("no number {name}"))
    };
    let (n, e, d, p, q) = (number("n")?, number("e")?, number("d")?, number("p")?, number("q")?);
    let one = BigUint::from(1u8);
    let (dp, dq) = (&d % (&p - &one), &d % (&q - &one));
    // By Fermat's theorem, for p is prime.
    let q_inverse = q.modpow(&(&p - BigUint::from(2u8)), &p);
    let version = BigUint::ZERO;
    let numbers = [&version, &n, &e, &d, &p, &q, &dp, &dq, &q_inverse].map(integer).concat();
    let key = der(SEQUENCE, &numbers);
    let algorithm = der(SEQUENCE, &[OID_RSA_ENCRYPTION, &[0x05, 0x00]].concat());
    Ok(der(SEQUENCE, &[integer(&version), algorithm, der(OCTET_STRING, &key)].concat()))
}

fn integer(number: &BigUint) -> Vec<u8> {
    let mut octets = number.to_bytes_be();
    // Its first bit is the sign.
    if octets.first().is_some_and(|first| first & 0x80 != 0) {
        octets.insert(0, 0);
    }
    der(INTEGER, &octets)
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut encoded = vec![tag];
    if length < 128 {
        encoded.push(length.to_le_bytes()[0]);
    } else {
        let octets: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
        encoded.push(0x80 | octets.len().to_le_bytes()[0]);
        encoded.extend(octets);
    }
    encoded.extend_from_slice(content);
    encoded
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;

/// 1.2.840.113549.1.1.1
const OID_RSA_ENCRYPTION: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
