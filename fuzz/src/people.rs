//! What strangers send in order to be somebody: nothing panics, and nobody is who did not prove it.

use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;
use tandem_people::api_key::{KeyFault, Keys};
use tandem_people::id::PersonId;
use tandem_people::login::{LoginTerms, Logins};
use tandem_people::moment::UnixMillis;
use tandem_people::passkey::{
    AuthenticationResponse, Ceremonies, ForWhom, Passkey, PasskeyFault, RegistrationResponse, RelyingParty,
};
use tandem_people::password::KeptPassword;
use tandem_people::person::{Guid, Person, UserName};
use tandem_people::setup::Setup;

/// Where browsers ask from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A passkey that a browser made, and an answer that it signed: `[passkey, answer]`.
pub const SIGNED: &str = include_str!("../../crates/people/tests/fixtures/passkey_and_answer.json");

/// What a browser answers: it is read or refused, and of all answers to this challenge one is right.
pub fn passkey(data: &[u8]) {
    let Ok(site) = RelyingParty::new("localhost", "Tandem", ["http://localhost:34565"]) else { return };
    let (known, right): (Passkey, Answer) = serde_json::from_str(SIGNED).expect("the fixture");
    let mut ceremonies = Ceremonies::new();
    if let Ok(answer) = RegistrationResponse::read(data) {
        let person = known.person.clone();
        assert!(ceremonies.finish_registration(NOW, &site, &person, &answer).is_err(), "nobody asked");
    }
    if let Ok(answer) = AuthenticationResponse::read(data) {
        ceremonies.begin_authentication(NOW, HERE, &site, ForWhom::Anybody, &[8; 32]);
        if ceremonies.finish_authentication(NOW, &site, &answer, Some(&known)).is_ok() {
            let given: Answer = serde_json::from_slice(data).expect("it was read");
            assert_eq!(given, right);
        }
        let again = ceremonies.finish_authentication(NOW, &site, &answer, Some(&known));
        assert!(matches!(again, Err(PasskeyFault::Challenge | PasskeyFault::Malformed { .. })));
    }
}

/// What a right answer cannot do without. The rest of it is passed over, so that anything may be in its place.
#[derive(Debug, PartialEq, Deserialize)]
struct Answer {
    response: Asserted,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asserted {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    user_handle: String,
}

/// Keys, tokens, codes, names and rows that nobody was given.
pub fn text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let fault = Keys::new().authorise(NOW, text).expect_err("there is no key");
    assert!(matches!(fault, KeyFault::NotAKey | KeyFault::Unknown));
    let mut logins = Logins::new(LoginTerms::default());
    assert!(logins.authorise(NOW, text).is_err());
    assert!(logins.renew(NOW, text, &[1; Logins::RENEW_RANDOM_BYTES]).is_err());
    let (mut setup, code) = Setup::open(NOW, &[3; Setup::RANDOM_BYTES]);
    let opened = setup.redeem(NOW, text).is_ok();
    let typed: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    assert!(!opened || typed == code.expose().replace('-', ""));
    if let Ok(name) = text.parse::<UserName>() {
        assert_eq!(name.as_str().parse(), Ok(name));
    }
    if let Ok(guid) = text.parse::<Guid>() {
        assert_eq!(guid.as_str().parse(), Ok(guid));
    }
    if let Ok(id) = text.parse::<PersonId>() {
        assert_eq!(id.as_str(), text);
    }
    if let Ok(kept) = KeptPassword::read(text) {
        assert_eq!(kept.as_str(), text);
    }
    if let Ok(person) = serde_json::from_str::<Person>(text) {
        let _ = (person.check(), person.effective(), person.caller(None));
    }
}

const NOW: UnixMillis = UnixMillis::from_millis(1_700_000_000_000);
