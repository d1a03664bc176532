//! Whatever is done to the octets of tokens, callbacks and answers, what must hold holds.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::fuzz;
use crate::world::*;

/// What is done to the octets: some are changed, put in, taken out or repeated, and the end is cut off.
#[derive(Clone, Debug)]
enum Mutation {
    Set(usize, u8),
    Insert(usize, u8),
    Remove(usize, usize),
    Repeat(usize, usize),
    Cut(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = 0..4096_usize;
    let octet = prop_oneof![any::<u8>(), b'!'..=b'~', Just(b'.'), Just(b'"'), Just(b'&'), Just(b'=')];
    prop_oneof![
        4 => (place.clone(), octet.clone()).prop_map(|(p, o)| Mutation::Set(p, o)),
        2 => (place.clone(), octet).prop_map(|(p, o)| Mutation::Insert(p, o)),
        1 => (place.clone(), 1..40_usize).prop_map(|(p, n)| Mutation::Remove(p, n)),
        1 => (place.clone(), 1..40_usize).prop_map(|(p, n)| Mutation::Repeat(p, n)),
        1 => place.prop_map(Mutation::Cut),
    ]
}

fn mutated(text: &str, mutations: &[Mutation]) -> Vec<u8> {
    let mut octets = text.as_bytes().to_vec();
    for mutation in mutations {
        let length = octets.len().max(1);
        match *mutation {
            Mutation::Set(place, octet) => {
                if let Some(old) = octets.get_mut(place % length) {
                    *old = octet;
                }
            }
            Mutation::Insert(place, octet) => octets.insert(place % (octets.len() + 1), octet),
            Mutation::Remove(place, count) => {
                let start = (place % length).min(octets.len());
                octets.drain(start..(start + count).min(octets.len()));
            }
            Mutation::Repeat(place, count) => {
                let start = (place % length).min(octets.len());
                let piece = octets[start..(start + count).min(octets.len())].to_vec();
                octets.splice(start..start, piece);
            }
            Mutation::Cut(place) => octets.truncate(place % length),
        }
    }
    octets
}

fn discovery() -> String {
    json!({
        "issuer": ANY_TENANT,
        "authorization_endpoint": "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
        "token_endpoint": "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
        "jwks_uri": "https://login.microsoftonline.com/organizations/discovery/v2.0/keys",
    })
    .to_string()
}

fn granted() -> String {
    json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": "opaque",
           "refresh_token": "0.Ab", "scope": "openid User.Read"})
    .to_string()
}

fn refused() -> String {
    json!({
        "error": "interaction_required", "error_description": "AADSTS50076: Due to a change… Trace ID: 7",
        "error_codes": [50_076], "trace_id": "7", "suberror": "basic_action", "claims": "{\"access_token\":{}}",
    })
    .to_string()
}

const CALLBACKS: [&str; 4] = [
    "code=0.AX0A&state=7Ff2&session_state=9a",
    "error=access_denied&error_description=AADSTS65004%3A+declined.%0D%0ATrace+ID%3A+1&state=7Ff2",
    "admin_consent=True&tenant=c0a7050f-0000-4000-8000-000000000001&scope=.default&state=7Ff2",
    "error=server_error&error_description=&state=7Ff2",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_token_is_never_believed(mutations in vec(mutation(), 0..4)) {
        fuzz::token(&mutated(fuzz::GOOD.trim_end(), &mutations));
    }

    #[test]
    fn any_octets_are_no_token(octets: Vec<u8>) {
        fuzz::token(&octets);
    }

    #[test]
    fn callbacks(text in prop::sample::select(CALLBACKS.to_vec()), mutations in vec(mutation(), 0..6)) {
        fuzz::callback(&mutated(text, &mutations));
    }

    #[test]
    fn answers(
        text in prop::sample::select(vec![discovery(), fuzz::KEYS.to_owned(), granted(), refused()]),
        status: u8,
        mutations in vec(mutation(), 0..6),
    ) {
        let mut octets = vec![status];
        octets.extend(mutated(&text, &mutations));
        fuzz::answer(&octets);
    }
}
