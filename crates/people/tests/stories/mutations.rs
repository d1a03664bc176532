//! Whatever is done to what strangers send, what must hold holds.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::fuzz;

/// What is done to a text: octets are changed, put in or taken out, and the end is cut off.
#[derive(Clone, Debug)]
enum Mutation {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, octet)| Mutation::Set(at, octet)),
        2 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, octet)| Mutation::Insert(at, octet)),
        2 => any::<prop::sample::Index>().prop_map(Mutation::Remove),
        1 => any::<prop::sample::Index>().prop_map(Mutation::Cut),
    ]
}

fn mutated(text: &str, mutations: &[Mutation]) -> Vec<u8> {
    let mut octets = text.as_bytes().to_vec();
    for mutation in mutations {
        match mutation {
            _ if octets.is_empty() => break,
            Mutation::Set(at, octet) => *at.get_mut(&mut octets) = *octet,
            Mutation::Insert(at, octet) => octets.insert(at.index(octets.len()), *octet),
            Mutation::Remove(at) => drop(octets.remove(at.index(octets.len()))),
            Mutation::Cut(at) => octets.truncate(at.index(octets.len())),
        }
    }
    octets
}

/// Forms of what the text readers read.
const TEXTS: &[&str] = &[
    "tdk_abcdefghij12_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG000000",
    "tda_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
    "tdr_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
    "33333-33333-33333-33333",
    "anna.berg@example.com",
    "6f1d0f4e-4b0a-4e5c-9d43-0a4f6f2f7a10",
    "$argon2id$v=19$m=8192,t=1,p=1$YW4gb2xkZXIgc2FsdCEhIQ$aty9BvQmzgj4vDYKaxyDVISrxO0pPOcEQL6R2RDz18w",
    r#"{"id":"01010101-0101-4101-8101-010101010101","tenant":"north","name":"Anna","identities":[{"kind":"local","user_name":"anna"}],"assigned":["agent"],"agent":"anna","enabled":true,"created":0}"#,
];

#[test]
fn what_was_not_changed_is_what_it_is() {
    let signed: Vec<serde_json::Value> = serde_json::from_str(fuzz::SIGNED).unwrap();
    fuzz::passkey(signed[1].to_string().as_bytes());
    for text in TEXTS {
        fuzz::text(text.as_bytes());
    }
}

proptest! {
    #[test]
    fn nobody_is_known_by_a_changed_answer(mutations in vec(mutation(), 0..4)) {
        let signed: Vec<serde_json::Value> = serde_json::from_str(fuzz::SIGNED).unwrap();
        fuzz::passkey(&mutated(&signed[1].to_string(), &mutations));
    }

    #[test]
    fn nobody_is_known_by_a_changed_text(
        text in prop::sample::select(TEXTS.to_vec()),
        mutations in vec(mutation(), 0..6),
    ) {
        fuzz::text(&mutated(text, &mutations));
    }

    #[test]
    fn nobody_is_known_by_any_octets(octets: Vec<u8>) {
        fuzz::passkey(&octets);
        fuzz::text(&octets);
    }
}
