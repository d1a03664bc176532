//! What comes from Entra ID, and from whoever pretends to be it: nothing panics, and no changed token is believed.

use tandem_microsoft::entra::cloud::{Authority, Cloud};
use tandem_microsoft::entra::code_flow::Callback;
use tandem_microsoft::entra::consent::ConsentCallback;
use tandem_microsoft::entra::keys::{KeyRules, KeySet};
use tandem_microsoft::entra::refusal::{CLAIMS_OCTETS_MAX, Refusal, TEXT_OCTETS_MAX};
use tandem_microsoft::entra::token::{ApiToken, TokenRules};
use tandem_microsoft::entra::{client::TokenGrant, discovery};
use tandem_microsoft::graph::permissions::in_token;
use tandem_microsoft::http::Response;
use tandem_microsoft::secret::Secret;
use tandem_microsoft::time::UnixTime;

/// A person's token that is good at [`GOOD_AT`], signed by the key in [`KEYS`].
pub const GOOD: &str = include_str!("../../crates/microsoft/tests/vectors/user_token.txt");

/// The set of keys that [`GOOD`] is signed by.
pub const KEYS: &str = include_str!("../../crates/microsoft/tests/vectors/keys.json");

/// When [`GOOD`] is good.
pub const GOOD_AT: UnixTime = UnixTime(1_795_300_600);

/// A token: the one that is good is believed, and nothing else is.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut keys = KeySet::new("https://login.microsoftonline.com/keys", KeyRules::default());
    let fetched = answered(200, KEYS.as_bytes());
    assert_eq!(keys.handle_response(GOOD_AT, Some(&fetched)), Ok(()));
    let client = "7a9de300-0000-4000-8000-0000000000aa".parse().expect("a GUID");
    let rules = TokenRules { accepts_v1: true, ..TokenRules::new(Cloud::public(), client) };
    match rules.check(text, &keys, |_| true, GOOD_AT) {
        Ok(ApiToken::User(_)) => assert_eq!(text, GOOD.trim_end()),
        Ok(ApiToken::App(app)) => panic!("{app:?} was never signed"),
        Err(fault) => {
            assert_ne!(text, GOOD.trim_end());
            assert!(!fault.code().is_empty() && !fault.remedy().is_empty());
        }
    }
    assert!(rules.check_sign_in(text, &keys, &Secret::new("nonce"), GOOD_AT).is_err());
    assert!(rules.check_notification(text, &keys, GOOD_AT).is_err());
    let _ = in_token(&Secret::new(text));
}

/// What a browser brings back: it has a state, and either what was asked for or a reason.
pub fn callback(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(callback) = Callback::parse(text) {
        assert!(!callback.state.expose().is_empty());
        match callback.outcome {
            Ok(code) => assert!(!code.expose().is_empty()),
            Err(refusal) => is_bounded(&refusal),
        }
    }
    if let Ok(callback) = ConsentCallback::parse(text) {
        assert!(!callback.state.expose().is_empty());
        if let Err(refusal) = callback.outcome {
            is_bounded(&refusal);
        }
    }
}

/// What Entra ID's addresses answer: discovery, keys, tokens, refusals. The first octet chooses the status.
pub fn answer(data: &[u8]) {
    let status = match data.first().map_or(0, |octet| octet % 4) {
        0 => 200,
        1 => 400,
        2 => 429,
        _ => 503,
    };
    let response = answered(status, data.get(1..).unwrap_or_default());
    let cloud = Cloud::public();
    if let Ok(found) = discovery::answer(&cloud, Authority::Organizations, &response) {
        assert!([found.authorize, found.token, found.keys].iter().all(|address| address.starts_with("http")));
    }
    let mut keys = KeySet::new("https://login.microsoftonline.com/keys", KeyRules::default());
    let is_used = keys.handle_response(GOOD_AT, Some(&response)).is_ok();
    assert_eq!(is_used, !keys.is_empty());
    match TokenGrant::parse(Some(&response)) {
        Ok(grant) => assert!(status == 200 && !grant.access_token.expose().is_empty()),
        Err(refusal) => is_bounded(&refusal),
    }
}

fn is_bounded(refusal: &Refusal) {
    assert!(refusal.error.len() <= TEXT_OCTETS_MAX && refusal.description.len() <= TEXT_OCTETS_MAX);
    assert!(refusal.trace_id.len() <= TEXT_OCTETS_MAX);
    assert!(refusal.reason.claims().is_none_or(|claims| claims.len() <= CLAIMS_OCTETS_MAX));
    assert!(!refusal.reason.code().is_empty() && !refusal.reason.remedy().is_empty());
}

fn answered(status: u16, body: &[u8]) -> Response {
    Response { status, headers: Vec::new(), body: body.to_vec() }
}
