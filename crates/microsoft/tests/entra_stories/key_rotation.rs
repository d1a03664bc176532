//! Keys change in the middle of the day, and sometimes cannot be reached.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_microsoft::entra::keys::{KEYS_MAX, KeyRules, KeySet, KeysFault};
use tandem_microsoft::entra::token::TokenFault;
use tandem_microsoft::time::UnixTime;

use crate::world::*;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn check(keys: &KeySet, token: &str) -> Result<(), TokenFault> {
    rules().check(token, keys, |_| true, NOW).map(|_| ())
}

fn set(entries: &[Value]) -> tandem_microsoft::http::Response {
    answered(200, &json!({"keys": entries}))
}

fn rolled() -> (Value, String) {
    let token = Signer::stranger().sign(&json!({"alg": "RS256", "kid": "second-key"}), &asa(json!({})));
    (Signer::stranger().entry("second-key", ANY_TENANT), token)
}

#[test]
fn a_new_key_is_fetched_when_a_token_names_it() {
    let mut keys = keys();
    let (entry, token) = rolled();
    let old = Signer::entra().token(&asa(json!({})));
    assert_eq!(check(&keys, &token), Err(TokenFault::UnknownKey));
    keys.missed();
    let later = NOW.after(10 * MINUTE);
    let request = keys.poll_request(later).unwrap();
    assert_eq!(request.url, "https://login.microsoftonline.com/organizations/discovery/v2.0/keys");
    assert_eq!(keys.poll_request(later), None, "one fetch at a time");
    keys.handle_response(later, Some(&set(&[Signer::entra().entry(FIRST_KEY, ANY_TENANT), entry]))).unwrap();
    assert_eq!(check(&keys, &token), Ok(()));
    assert_eq!(check(&keys, &old), Ok(()), "both keys are in use");
    assert_eq!(keys.poll_request(later.after(10 * MINUTE)), None);
}

#[test]
fn a_withdrawn_key_is_gone_with_the_next_fetch() {
    let mut keys = keys();
    let later = NOW.after(DAY);
    assert_eq!(keys.poll_request(later.before(Duration::from_secs(1))), None);
    assert_eq!(keys.poll_timeout(), Some(later));
    keys.poll_request(later).unwrap();
    keys.handle_response(later, Some(&set(&[rolled().0]))).unwrap();
    assert_eq!(check(&keys, &Signer::entra().token(&asa(json!({})))), Err(TokenFault::UnknownKey));
}

#[test]
fn made_up_keys_cause_one_fetch_a_minute() {
    let mut keys = keys();
    let mut fetches = 0;
    for second in 0..600 {
        let now = NOW.after(Duration::from_secs(second));
        keys.missed();
        if keys.poll_request(now).is_some() {
            fetches += 1;
            keys.handle_response(now, Some(&set(&[Signer::entra().entry(FIRST_KEY, ANY_TENANT)]))).unwrap();
        }
    }
    assert_eq!(fetches, 9);
}

#[test]
fn old_keys_serve_while_entra_cannot_be_reached() {
    let mut keys = keys();
    let token = Signer::entra().token(&asa(json!({})));
    let mut now = NOW.after(DAY);
    for (response, fault) in [
        (None, KeysFault::Unreachable),
        (Some(answered(503, &json!({}))), KeysFault::Status(503)),
        (Some(answered(200, &json!("sign in to the proxy"))), KeysFault::Malformed),
        (Some(set(&[])), KeysFault::Empty),
        (Some(set(&[json!({"kty": "EC", "kid": "k", "crv": "P-256"})])), KeysFault::Empty),
        (Some(set(&vec![json!({}); KEYS_MAX + 1])), KeysFault::Malformed),
    ] {
        keys.poll_request(now).unwrap();
        assert_eq!(keys.handle_response(now, response.as_ref()), Err(fault));
        assert_eq!(keys.last_fault(), Some(fault));
        assert_eq!(check(&keys, &token), Ok(()));
        now = now.after(MINUTE);
    }
    assert_eq!(keys.age(now), Some(DAY + 6 * MINUTE));
}

#[test]
fn without_any_key_it_is_tried_again_soon() {
    let mut keys = KeySet::new("https://login.example/keys", KeyRules::default());
    assert_eq!(keys.poll_timeout(), Some(UnixTime(0)));
    assert_eq!((keys.is_empty(), keys.age(NOW)), (true, None));
    keys.poll_request(NOW).unwrap();
    assert_eq!(keys.poll_timeout(), Some(NOW.after(Duration::from_secs(30))), "an answer may be lost");
    keys.handle_response(NOW, None).unwrap_err();
    assert_eq!(keys.poll_timeout(), Some(NOW.after(Duration::from_secs(5))));
    assert!(keys.poll_request(NOW.after(Duration::from_secs(5))).is_some());
}

#[test]
fn a_key_that_cannot_be_used_does_not_cost_the_others() {
    let good = Signer::entra().entry(FIRST_KEY, ANY_TENANT);
    let mut short = good.clone();
    short["n"] = json!("AQAB");
    let mut for_encryption = good.clone();
    for_encryption["use"] = json!("enc");
    let mut for_hmac = good.clone();
    for_hmac["alg"] = json!("HS256");
    let keys = keys_of(&[json!(7), json!({"kty": "oct", "kid": "k", "k": "c2VjcmV0"}), short, good.clone()]);
    assert_eq!(check(&keys, &Signer::entra().token(&asa(json!({})))), Ok(()));
    for bad in [for_encryption, for_hmac] {
        let keys = keys_of(&[bad, rolled().0]);
        assert_eq!(check(&keys, &Signer::entra().token(&asa(json!({})))), Err(TokenFault::UnknownKey));
    }
}
