//! Passkeys: made, used, and refused at every step at which something is wrong.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_people::id::PersonId;
use tandem_people::moment::UnixMillis;
use tandem_people::passkey::{
    Algorithm, AuthenticationResponse, Ceremonies, ForWhom, Passkey, PasskeyFault, RegistrationResponse,
    RelyingParty,
};
use tandem_people::role::Role;

use crate::staff::{north, person};

const NOW: UnixMillis = UnixMillis::from_millis(1_700_000_000_000);
/// Where most of them ask from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
const ORIGIN: &str = "https://contact.example.com";
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const MADE: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

fn site() -> RelyingParty {
    RelyingParty::new("contact.example.com", "Tandem", [ORIGIN]).unwrap()
}

fn anna() -> PersonId {
    PersonId::from_random([1; 16])
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn registration(json: &Value) -> RegistrationResponse {
    RegistrationResponse::read(json.to_string().as_bytes()).unwrap()
}

fn authentication(json: &Value) -> AuthenticationResponse {
    AuthenticationResponse::read(json.to_string().as_bytes()).unwrap()
}

/// A device with one passkey, whose every word can be turned.
#[derive(Clone)]
struct Device {
    seed: [u8; 32],
    id: Vec<u8>,
    count: u32,
    flags: u8,
    domain: String,
    origin: String,
    cross_origin: bool,
    handle: Option<String>,
    behind: Vec<u8>,
}

impl Device {
    fn new() -> Device {
        Device {
            seed: [42; 32],
            id: b"the first passkey".to_vec(),
            count: 0,
            flags: PRESENT | VERIFIED,
            domain: "contact.example.com".to_owned(),
            origin: ORIGIN.to_owned(),
            cross_origin: false,
            handle: Some(base64(anna().as_str())),
            behind: Vec::new(),
        }
    }

    fn key(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&self.seed).unwrap()
    }

    fn client_data(&self, kind: &str, challenge: &[u8]) -> Vec<u8> {
        let challenge = base64(challenge);
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.cross_origin})
            .to_string()
            .into_bytes()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, self.domain.as_bytes()).as_ref().to_vec();
        data.push(self.flags | flags);
        data.extend(self.count.to_be_bytes());
        data
    }

    fn make(&self, challenge: &[u8]) -> Value {
        let mut data = self.data(MADE);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        // {1: 1, 3: -8, -1: 6, -2: x}
        data.extend([0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20]);
        data.extend(self.key().public_key().as_ref());
        data.extend(&self.behind);
        self.wrap(challenge, b"none", &[0xa0], &data)
    }

    fn wrap(&self, challenge: &[u8], format: &[u8], statement: &[u8], data: &[u8]) -> Value {
        let mut object = b"\xa3\x63fmt".to_vec();
        object.push(0x60 | u8::try_from(format.len()).unwrap());
        object.extend(format);
        object.extend(b"\x67attStmt");
        object.extend(statement);
        object.extend(b"\x68authData\x59");
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(data);
        json!({
            "id": base64(&self.id), "rawId": base64(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": base64(self.client_data("webauthn.create", challenge)),
                "attestationObject": base64(object),
                "transports": ["internal", "<script>"],
            },
        })
    }

    fn sign(&self, challenge: &[u8]) -> Value {
        let client_data = self.client_data("webauthn.get", challenge);
        let mut data = self.data(0);
        data.extend(&self.behind);
        let signed = [&data, digest(&SHA256, &client_data).as_ref()].concat();
        json!({
            "id": base64(&self.id), "rawId": base64(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": base64(client_data),
                "authenticatorData": base64(data),
                "signature": base64(self.key().sign(&signed)),
                "userHandle": self.handle,
            },
        })
    }
}

/// Makes the passkey of a device for Anna.
fn make(device: &Device) -> Result<Passkey, PasskeyFault> {
    let mut ceremonies = Ceremonies::new();
    let person = person(1, north(), &[Role::Agent]);
    ceremonies.begin_registration(NOW, HERE, &site(), &person, "anna", &[], &[7; 32]);
    ceremonies.finish_registration(NOW, &site(), &anna(), &registration(&device.make(&[7; 32])))
}

/// Signs in with the passkey of a device, as anybody.
fn sign_in(device: &Device, known: Option<&Passkey>) -> Result<Passkey, PasskeyFault> {
    let mut ceremonies = Ceremonies::new();
    ceremonies.begin_authentication(NOW, HERE, &site(), ForWhom::Anybody, &[8; 32]);
    let answer = authentication(&device.sign(&[8; 32]));
    ceremonies.finish_authentication(NOW, &site(), &answer, known).map(|known| known.passkey)
}

#[test]
fn a_real_browser_makes_passkeys_of_every_kind_and_signs_in() {
    let captured: Value =
        serde_json::from_str(include_str!("../fixtures/passkeys_of_chromium.json")).unwrap();
    let site = RelyingParty::new("localhost", "Tandem", [captured["origin"].as_str().unwrap()]).unwrap();
    for (name, algorithm) in
        [("es256", Algorithm::Es256), ("rs256", Algorithm::Rs256), ("ed_dsa", Algorithm::EdDsa)]
    {
        let case = &captured["cases"][name];
        let mut ceremonies = Ceremonies::new();
        let person = person(1, north(), &[Role::Agent]);
        ceremonies.begin_registration(NOW, HERE, &site, &person, "anna", &[], &[7; 32]);
        let made = ceremonies.finish_registration(NOW, &site, &anna(), &registration(&case["made"])).unwrap();
        assert_eq!(made.key.algorithm(), algorithm);
        assert_eq!(made.sign_count, 1);
        assert_eq!(made.model.as_str(), "01020304-0506-0708-0102-030405060708");
        assert_eq!(made.transports, ["internal".into()]);

        let kept = serde_json::to_string(&made).unwrap();
        let made: Passkey = serde_json::from_str(&kept).unwrap();
        ceremonies.begin_authentication(NOW, HERE, &site, ForWhom::Anybody, &[8; 32]);
        let answer = authentication(&case["got"]);
        assert_eq!(*answer.id(), made.id);
        let known = ceremonies.finish_authentication(NOW, &site, &answer, Some(&made)).unwrap().passkey;
        assert_eq!(known, Passkey { sign_count: 2, used: Some(NOW), ..made });
        assert!(ceremonies.is_empty());
    }
}

#[test]
fn the_browser_is_asked_for_a_passkey_that_needs_no_name_and_knows_its_user() {
    let person = person(1, north(), &[Role::Agent]);
    let known = make(&Device::new()).unwrap();
    let options =
        Ceremonies::new().begin_registration(NOW, HERE, &site(), &person, "anna", &[&known], &[7; 32]);
    assert_eq!(
        serde_json::to_value(&options).unwrap(),
        json!({
            "rp": {"id": "contact.example.com", "name": "Tandem"},
            "user": {"id": base64(anna().as_str()), "name": "anna", "displayName": "Somebody"},
            "challenge": base64([7; 32]),
            "pubKeyCredParams": [
                {"type": "public-key", "alg": -8},
                {"type": "public-key", "alg": -7},
                {"type": "public-key", "alg": -257},
            ],
            "timeout": 300_000,
            "excludeCredentials":
                [{"type": "public-key", "id": base64("the first passkey"), "transports": ["internal"]}],
            "authenticatorSelection":
                {"residentKey": "required", "requireResidentKey": true, "userVerification": "required"},
            "attestation": "none",
        })
    );
    let whom = ForWhom::Person { person: &anna(), known: &[&known] };
    let options = Ceremonies::new().begin_authentication(NOW, HERE, &site(), whom, &[8; 32]);
    assert_eq!(
        serde_json::to_value(&options).unwrap(),
        json!({
            "challenge": base64([8; 32]),
            "timeout": 300_000,
            "rpId": "contact.example.com",
            "allowCredentials":
                [{"type": "public-key", "id": base64("the first passkey"), "transports": ["internal"]}],
            "userVerification": "required",
        })
    );
}

#[test]
fn a_challenge_is_answered_once_and_in_time() {
    let device = Device::new();
    let known = make(&device).unwrap();
    let answer = authentication(&device.sign(&[8; 32]));
    let mut ceremonies = Ceremonies::new();
    let finish = |ceremonies: &mut Ceremonies, now| {
        ceremonies.finish_authentication(now, &site(), &answer, Some(&known)).map(|_| ())
    };
    assert_eq!(finish(&mut ceremonies, NOW), Err(PasskeyFault::Challenge), "it was never drawn");
    ceremonies.begin_authentication(NOW, HERE, &site(), ForWhom::Anybody, &[8; 32]);
    assert_eq!(finish(&mut ceremonies, NOW + Duration::from_secs(299)), Ok(()));
    assert_eq!(finish(&mut ceremonies, NOW + Duration::from_secs(299)), Err(PasskeyFault::Challenge));
    ceremonies.begin_authentication(NOW, HERE, &site(), ForWhom::Anybody, &[8; 32]);
    assert_eq!(finish(&mut ceremonies, NOW + Ceremonies::ANSWER_WITHIN), Err(PasskeyFault::Challenge));
    assert!(ceremonies.is_empty());
}

#[test]
fn a_wrong_answer_uses_the_challenge_up() {
    let device = Device::new();
    let known = make(&device).unwrap();
    let mut ceremonies = Ceremonies::new();
    ceremonies.begin_authentication(NOW, HERE, &site(), ForWhom::Anybody, &[8; 32]);
    let elsewhere = Device { origin: "https://contact.example.org".to_owned(), ..device.clone() };
    let mut answer = |device: &Device| {
        let answer = authentication(&device.sign(&[8; 32]));
        ceremonies.finish_authentication(NOW, &site(), &answer, Some(&known)).unwrap_err()
    };
    assert_eq!(answer(&elsewhere), PasskeyFault::Origin { origin: "https://contact.example.org".into() });
    assert_eq!(answer(&device), PasskeyFault::Challenge);
}

#[test]
fn an_answer_belongs_to_what_was_begun() {
    let device = Device::new();
    let known = make(&device).unwrap();
    let (ben, scope) = (person(2, north(), &[Role::Agent]), site());
    let mut ceremonies = Ceremonies::new();

    ceremonies.begin_registration(NOW, HERE, &scope, &ben, "ben", &[], &[7; 32]);
    let made = registration(&device.make(&[7; 32]));
    let fault = ceremonies.finish_registration(NOW, &scope, &anna(), &made).unwrap_err();
    assert_eq!(fault, PasskeyFault::Ceremony, "the challenge was drawn for somebody else");

    ceremonies.begin_registration(NOW, HERE, &scope, &ben, "ben", &[], &[8; 32]);
    let answer = authentication(&device.sign(&[8; 32]));
    let fault = ceremonies.finish_authentication(NOW, &scope, &answer, Some(&known)).unwrap_err();
    assert_eq!(fault, PasskeyFault::Ceremony, "a sign-in answers no request for a passkey");

    ceremonies.begin_authentication(NOW, HERE, &scope, ForWhom::Anybody, &[7; 32]);
    let fault = ceremonies.finish_registration(NOW, &scope, &anna(), &made).unwrap_err();
    assert_eq!(fault, PasskeyFault::Ceremony, "a new passkey is no sign-in");
}

#[test]
fn what_is_wrong_with_a_new_passkey_is_said() {
    let device = Device::new();
    let wrong = |device: Device| make(&device).unwrap_err();
    assert_eq!(wrong(Device { cross_origin: true, ..device.clone() }), PasskeyFault::CrossOrigin);
    assert_eq!(
        wrong(Device { domain: "example.com".to_owned(), ..device.clone() }),
        PasskeyFault::RelyingParty
    );
    assert_eq!(wrong(Device { flags: PRESENT, ..device.clone() }), PasskeyFault::NotVerified);
    assert_eq!(wrong(Device { flags: VERIFIED, ..device.clone() }), PasskeyFault::NotVerified);
    assert_eq!(
        wrong(Device { flags: PRESENT | VERIFIED | BACKED_UP, ..device.clone() }),
        PasskeyFault::Backup
    );
    let malformed = PasskeyFault::Malformed { part: "authenticatorData" };
    assert_eq!(wrong(Device { behind: vec![0], ..device.clone() }), malformed);
    let extended = PRESENT | VERIFIED | EXTENSIONS;
    assert_eq!(wrong(Device { flags: extended, behind: vec![0x01], ..device.clone() }), malformed);
    assert!(make(&Device { flags: extended, behind: vec![0xa1, 0x61, b'x', 0xf5], ..device }).is_ok());
}

#[test]
fn a_passkey_without_a_key_is_none() {
    let device = Device::new();
    let mut ceremonies = Ceremonies::new();
    let mut make = |format: &[u8], statement: &[u8], data: &[u8]| {
        let person = person(1, north(), &[Role::Agent]);
        ceremonies.begin_registration(NOW, HERE, &site(), &person, "anna", &[], &[7; 32]);
        let answer = registration(&device.wrap(&[7; 32], format, statement, data));
        ceremonies.finish_registration(NOW, &site(), &anna(), &answer).unwrap_err()
    };
    let malformed = |part| PasskeyFault::Malformed { part };
    assert_eq!(make(b"none", &[0xa0], &device.data(0)), malformed("attestedCredentialData"));
    assert_eq!(make(b"none", &[0xa0], &device.data(MADE)), malformed("attestedCredentialData"));
    assert_eq!(make(b"none", &[0xa1, 1, 2], &device.data(0)), malformed("attestationObject"));
    assert_eq!(make(b"none", &[0x80], &device.data(0)), malformed("attestationObject"));
    // What an authenticator says of its maker is passed over.
    assert_eq!(
        make(b"packed", &[0xa1, 0x63, b's', b'i', b'g', 0x41, 0], &device.data(0)),
        malformed("attestedCredentialData")
    );
}

#[test]
fn what_is_wrong_with_a_sign_in_is_said() {
    let device = Device::new();
    let known = make(&device).unwrap();
    let wrong = |device: Device| sign_in(&device, Some(&known)).unwrap_err();
    assert_eq!(wrong(Device { cross_origin: true, ..device.clone() }), PasskeyFault::CrossOrigin);
    assert_eq!(
        wrong(Device { domain: "example.com".to_owned(), ..device.clone() }),
        PasskeyFault::RelyingParty
    );
    assert_eq!(wrong(Device { flags: PRESENT, ..device.clone() }), PasskeyFault::NotVerified);
    assert_eq!(
        wrong(Device { flags: PRESENT | VERIFIED | ELIGIBLE, ..device.clone() }),
        PasskeyFault::Backup
    );
    assert_eq!(wrong(Device { seed: [43; 32], ..device.clone() }), PasskeyFault::Signature);
    assert_eq!(wrong(Device { handle: None, ..device.clone() }), PasskeyFault::Person);
    let bens = Some(base64(PersonId::from_random([2; 16]).as_str()));
    assert_eq!(wrong(Device { handle: bens, ..device.clone() }), PasskeyFault::Person);
    assert_eq!(wrong(Device { id: b"another".to_vec(), ..device.clone() }), PasskeyFault::Unknown);
    assert_eq!(sign_in(&device, None).unwrap_err(), PasskeyFault::Unknown);
    assert!(sign_in(&device, Some(&known)).is_ok());
}

#[test]
fn somebody_who_is_named_proves_it_themselves() {
    let device = Device { handle: None, ..Device::new() };
    let known = make(&device).unwrap();
    let (mut ceremonies, site) = (Ceremonies::new(), site());
    let mut prove = |whom: PersonId| {
        let whom = ForWhom::Person { person: &whom, known: &[&known] };
        ceremonies.begin_authentication(NOW, HERE, &site, whom, &[8; 32]);
        let answer = authentication(&device.sign(&[8; 32]));
        ceremonies.finish_authentication(NOW, &site, &answer, Some(&known)).map(|known| known.passkey.person)
    };
    assert_eq!(prove(anna()), Ok(anna()), "the authenticator need not name whom we named");
    assert_eq!(prove(PersonId::from_random([2; 16])), Err(PasskeyFault::Person));
}

#[test]
fn a_copied_authenticator_is_found_by_its_count() {
    let device = Device { count: 5, ..Device::new() };
    let known = make(&device).unwrap();
    assert_eq!(sign_in(&device, Some(&known)).unwrap_err(), PasskeyFault::Copied { kept: 5, came: 5 });
    let next = sign_in(&Device { count: 6, ..device.clone() }, Some(&known)).unwrap();
    assert_eq!(
        sign_in(&Device { count: 4, ..device.clone() }, Some(&next)).unwrap_err(),
        PasskeyFault::Copied { kept: 6, came: 4 }
    );
    assert_eq!(
        sign_in(&Device { count: 0, ..device }, Some(&next)).unwrap_err(),
        PasskeyFault::Copied { kept: 6, came: 0 }
    );
}

#[test]
fn a_passkey_that_is_shared_between_devices_counts_nothing_and_says_where_it_lives() {
    let device = Device { flags: PRESENT | VERIFIED | ELIGIBLE, ..Device::new() };
    let known = make(&device).unwrap();
    assert!(known.backup_eligible && !known.backed_up);
    let synced = Device { flags: device.flags | BACKED_UP, ..device };
    let known = sign_in(&synced, Some(&known)).unwrap();
    assert!(known.backed_up);
    assert_eq!(sign_in(&synced, Some(&known)), Ok(known));
}

#[test]
fn what_is_no_answer_of_a_browser_is_not_read() {
    let whole = Device::new().sign(&[8; 32]);
    let mut other_kind = whole.clone();
    other_kind["type"] = json!("password");
    let mut other_id = whole.clone();
    other_id["rawId"] = json!(base64("another"));
    let mut padded = whole.clone();
    padded["id"] = json!("dGhlIGZpcnN0IHBhc3NrZXk=");
    for (json, part) in [
        (other_kind.to_string(), "type"),
        (other_id.to_string(), "rawId"),
        (padded.to_string(), "JSON"),
        ("{}".to_owned(), "JSON"),
        (String::new(), "JSON"),
        (format!("{whole}{}", " ".repeat(AuthenticationResponse::BYTES_MAX)), "length"),
    ] {
        let fault = AuthenticationResponse::read(json.as_bytes()).unwrap_err();
        assert_eq!(fault, PasskeyFault::Malformed { part });
    }
}

#[test]
fn what_is_passed_over_may_be_anything_that_is_text() {
    let whole = Device::new().sign(&[8; 32]).to_string();
    let with = |member: &[u8]| [b"{", member, b",", &whole.as_bytes()[1..]].concat();
    for member in [r#""new":{"a":[1e999]}"#, r#""half of a pair":"\ud800""#, r#""new":1,"new":2"#] {
        assert_eq!(
            AuthenticationResponse::read(&with(member.as_bytes())),
            Ok(authentication(&Device::new().sign(&[8; 32])))
        );
    }
    for member in [b"\"\xff\":1".as_slice(), b"\"new\":\"\xed\xa0\x80\""] {
        assert_eq!(
            AuthenticationResponse::read(&with(member)),
            Err(PasskeyFault::Malformed { part: "JSON" })
        );
    }
}

#[test]
fn many_challenges_take_no_more_than_their_room() {
    let device = Device::new();
    let known = make(&device).unwrap();
    let mut ceremonies = Ceremonies::new();
    ceremonies.begin_authentication(NOW, HERE, &site(), ForWhom::Anybody, &[8; 32]);
    for number in 0..Ceremonies::PENDING_MAX {
        let from = Ipv4Addr::from_bits(u32::try_from(number).unwrap()).into();
        ceremonies.begin_authentication(NOW, from, &site(), ForWhom::Anybody, &drawn(number));
    }
    assert_eq!(ceremonies.len(), Ceremonies::PENDING_MAX);
    let answer = authentication(&device.sign(&[8; 32]));
    let fault = ceremonies.finish_authentication(NOW, &site(), &answer, Some(&known)).unwrap_err();
    assert_eq!(fault, PasskeyFault::Challenge, "there are more addresses than places: the oldest had to go");
}

#[test]
fn an_address_that_asks_without_end_keeps_nobody_else_out() {
    let device = Device::new();
    let known = make(&device).unwrap();
    let mut ceremonies = Ceremonies::new();
    let flood = |ceremonies: &mut Ceremonies| {
        for number in 0..Ceremonies::PENDING_MAX {
            // All of a /64 is one address.
            let from = format!("2001:db8:6:66::{:x}", number % 4096).parse().unwrap();
            ceremonies.begin_authentication(NOW, from, &site(), ForWhom::Anybody, &drawn(number));
        }
    };
    flood(&mut ceremonies);
    ceremonies.begin_authentication(NOW, HERE, &site(), ForWhom::Anybody, &[8; 32]);
    flood(&mut ceremonies);
    assert!(ceremonies.len() <= Ceremonies::PENDING_MAX / 2 + 1, "{} wait", ceremonies.len());
    let answer = authentication(&device.sign(&[8; 32]));
    let finished = ceremonies.finish_authentication(NOW, &site(), &answer, Some(&known));
    assert_eq!(finished.map(|known| known.passkey.person), Ok(anna()));
}

/// A challenge of this number.
fn drawn(number: usize) -> [u8; 32] {
    let mut random = [9; 32];
    random[..8].copy_from_slice(&number.to_be_bytes());
    random
}

/// Which part of an answer is turned over.
#[derive(Clone, Copy, Debug)]
enum Part {
    ClientData,
    Data,
    Signature,
}

proptest! {
    #[test]
    fn no_bit_of_an_answer_can_be_turned(
        part in prop::sample::select(vec![Part::ClientData, Part::Data, Part::Signature]),
        at: prop::sample::Index,
        bit in 0_u8..8,
    ) {
        let device = Device::new();
        let known = make(&device).unwrap();
        let mut answer = device.sign(&[8; 32]);
        let member = match part {
            Part::ClientData => "clientDataJSON",
            Part::Data => "authenticatorData",
            Part::Signature => "signature",
        };
        let mut bytes = URL_SAFE_NO_PAD.decode(answer["response"][member].as_str().unwrap()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        answer["response"][member] = json!(base64(bytes));
        let mut ceremonies = Ceremonies::new();
        ceremonies.begin_authentication(NOW, HERE, &site(), ForWhom::Anybody, &[8; 32]);
        let came = ceremonies.finish_authentication(NOW, &site(), &authentication(&answer), Some(&known));
        prop_assert!(came.is_err());
    }

    #[test]
    fn no_bytes_bring_the_readers_down(
        json in "\\PC{0,100}",
        client_data: Vec<u8>,
        object: Vec<u8>,
        data: Vec<u8>,
    ) {
        let _ = RegistrationResponse::read(json.as_bytes());
        let _ = AuthenticationResponse::read(json.as_bytes());
        let mut ceremonies = Ceremonies::new();
        let person = person(1, north(), &[Role::Agent]);
        let device = Device::new();
        let known = make(&device).unwrap();

        let mut made = device.make(&[7; 32]);
        made["response"]["clientDataJSON"] = json!(base64(&client_data));
        prop_assert!(ceremonies.finish_registration(NOW, &site(), &anna(), &registration(&made)).is_err());
        ceremonies.begin_registration(NOW, HERE, &site(), &person, "anna", &[], &[7; 32]);
        let mut made = device.make(&[7; 32]);
        made["response"]["attestationObject"] = json!(base64(&object));
        prop_assert!(ceremonies.finish_registration(NOW, &site(), &anna(), &registration(&made)).is_err());

        ceremonies.begin_authentication(NOW, HERE, &site(), ForWhom::Anybody, &[8; 32]);
        let mut signed = device.sign(&[8; 32]);
        signed["response"]["authenticatorData"] = json!(base64(&data));
        let came = ceremonies.finish_authentication(NOW, &site(), &authentication(&signed), Some(&known));
        prop_assert!(came.is_err());
    }
}
