//! Passkeys: made by somebody who has signed in, good for signing in, and gone when removed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::body::Body;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Shop, Street, request};
use serde_json::{Value, json};
use tandem::api::access::Peer;
use tandem::identity;
use tandem_people::passkey::Ceremonies;
use tower::ServiceExt;

/// A device with one passkey for `http://localhost:8080`, which counts its uses.
struct Device {
    key: Ed25519KeyPair,
    handle: String,
    count: u32,
}

const ID: &[u8] = b"the passkey of a test";
const PRESENT_AND_VERIFIED: u8 = 0x05;
const MADE: u8 = 0x40;

impl Device {
    /// Makes the passkey that is asked for, as a browser would.
    fn make(options: &Value) -> (Device, Value) {
        let key = Ed25519KeyPair::from_seed_unchecked(&[42; 32]).unwrap();
        let device = Device { key, handle: options["user"]["id"].as_str().unwrap().to_owned(), count: 0 };
        let mut data = device.data(MADE);
        data.extend([0; 16]);
        data.extend(u16::try_from(ID.len()).unwrap().to_be_bytes());
        data.extend(ID);
        // {1: 1, 3: -8, -1: 6, -2: x}
        data.extend([0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20]);
        data.extend(device.key.public_key().as_ref());
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(&data);
        let response = json!({
            "clientDataJSON": base64(client_data("webauthn.create", options)),
            "attestationObject": base64(object),
        });
        let made = json!({"id": base64(ID), "rawId": base64(ID), "type": "public-key", "response": response});
        (device, made)
    }

    fn sign(&mut self, options: &Value) -> Value {
        self.count += 1;
        let client_data = client_data("webauthn.get", options);
        let data = self.data(0);
        let signed = [&data, digest(&SHA256, client_data.as_bytes()).as_ref()].concat();
        let response = json!({
            "clientDataJSON": base64(client_data),
            "authenticatorData": base64(data),
            "signature": base64(self.key.sign(&signed)),
            "userHandle": self.handle,
        });
        json!({"id": base64(ID), "rawId": base64(ID), "type": "public-key", "response": response})
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, b"localhost").as_ref().to_vec();
        data.push(PRESENT_AND_VERIFIED | flags);
        data.extend(self.count.to_be_bytes());
        data
    }
}

fn client_data(kind: &str, options: &Value) -> String {
    let challenge = options["challenge"].as_str().unwrap();
    json!({"type": kind, "challenge": challenge, "origin": "http://localhost:8080", "crossOrigin": false})
        .to_string()
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn a_passkey_lets_its_owner_in_until_it_is_removed() {
    let street = Street::open().await;
    let anna = street.token("anna");
    let (status, options) = street.ask(&anna, "POST", "/api/v1/me/passkeys/begin", "").await;
    assert_eq!((status, &options["rp"]["id"]), (StatusCode::OK, &"localhost".into()), "{options}");
    let (mut device, made) = Device::make(&options);
    let body = json!({"label": "Anna's phone", "response": made}).to_string();
    let (status, passkey) = street.ask(&anna, "POST", "/api/v1/me/passkeys", &body).await;
    assert_eq!(status, StatusCode::CREATED, "{passkey}");
    let (status, again) = street.ask(&anna, "POST", "/api/v1/me/passkeys", &body).await;
    assert_eq!((status, &again["code"]), (StatusCode::UNAUTHORIZED, &"passkey_challenge".into()));

    let (_, options) = street.ask("", "POST", "/auth/passkey/begin", "").await;
    let answer = device.sign(&options).to_string();
    let (status, signed_in) = street.ask("", "POST", "/auth/passkey/finish", &answer).await;
    assert_eq!(status, StatusCode::OK, "{signed_in}");
    let token = signed_in["access_token"].as_str().unwrap();
    assert_eq!(street.ask(token, "GET", "/api/v1/me", "").await.1["agent"], "anna");
    let (_, credentials) = street.ask(token, "GET", "/api/v1/me/credentials", "").await;
    assert_eq!(credentials["passkeys"][0]["label"], "Anna's phone");
    assert!(credentials["passkeys"][0]["used"].as_u64().is_some(), "{credentials}");

    // The same answer is good once.
    let (status, replayed) = street.ask("", "POST", "/auth/passkey/finish", &answer).await;
    assert_eq!((status, &replayed["code"]), (StatusCode::UNAUTHORIZED, &"passkey_challenge".into()));

    // Somebody else cannot remove it, the owner can.
    let path = format!("/api/v1/me/passkeys/{}", passkey["id"].as_str().unwrap());
    assert_eq!(street.ask(&street.token("bert"), "DELETE", &path, "").await.0, StatusCode::NOT_FOUND);
    let (_, options) = street.ask("", "POST", "/auth/passkey/begin", "").await;
    let thief = device.sign(&options).to_string();
    let (_, thief) = street.ask("", "POST", "/auth/passkey/finish", &thief).await;
    let thief = thief["access_token"].as_str().unwrap();
    assert_eq!(street.ask(thief, "GET", "/api/v1/me", "").await.0, StatusCode::OK);
    assert_eq!(street.ask(token, "DELETE", &path, "").await.0, StatusCode::NO_CONTENT);
    assert_eq!(street.ask(token, "GET", "/api/v1/me", "").await.0, StatusCode::OK);
    assert_eq!(
        street.ask(thief, "GET", "/api/v1/me", "").await.0,
        StatusCode::UNAUTHORIZED,
        "whoever had it"
    );
    let (_, options) = street.ask("", "POST", "/auth/passkey/begin", "").await;
    let answer = device.sign(&options).to_string();
    let (status, unknown) = street.ask("", "POST", "/auth/passkey/finish", &answer).await;
    assert_eq!((status, &unknown["code"]), (StatusCode::UNAUTHORIZED, &"passkey_unknown".into()));
}

#[tokio::test]
async fn an_address_that_asks_without_end_keeps_nobody_from_signing_in() {
    let street = Street::open().await;
    let anna = street.token("anna");
    let (_, options) = street.ask(&anna, "POST", "/api/v1/me/passkeys/begin", "").await;
    let (mut device, made) = Device::make(&options);
    let body = json!({"label": "Anna's phone", "response": made}).to_string();
    assert_eq!(street.ask(&anna, "POST", "/api/v1/me/passkeys", &body).await.0, StatusCode::CREATED);

    let (_, options) = street.ask("", "POST", "/auth/passkey/begin", "").await;
    for host in 0..Ceremonies::PENDING_MAX {
        let mut request = request("POST", "/auth/passkey/begin", Body::empty());
        request.headers_mut().remove("Authorization");
        // A network of IPv6 is one address, and who says to come from elsewhere is not believed.
        request.headers_mut().insert("X-Forwarded-For", "127.0.0.1".parse().unwrap());
        request.extensions_mut().insert(Peer(format!("2001:db8:6:66::{:x}", host % 4096).parse().unwrap()));
        let answer = street.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
    let answer = device.sign(&options).to_string();
    let (status, signed_in) = street.ask("", "POST", "/auth/passkey/finish", &answer).await;
    assert_eq!(status, StatusCode::OK, "{signed_in}");
}

#[tokio::test]
async fn the_first_person_needs_no_password() {
    let shop = Shop::open().await;
    let code = shop.identity.open_setup(identity::now());
    let wish = |code: &str| json!({"code": code, "user_name": "olga", "name": "Olga"});
    let (status, wrong) = shop.post("/auth/setup/passkey", &wish("AAAAA-BBBBB").to_string()).await;
    assert_eq!((status, &wrong["code"]), (StatusCode::FORBIDDEN, &"setup_wrong".into()), "{wrong}");
    let mut wish = wish(code.expose());
    let (status, options) = shop.post("/auth/setup/passkey", &wish.to_string()).await;
    assert_eq!((status, &options["user"]["name"]), (StatusCode::OK, &"olga".into()), "{options}");
    let (mut device, made) = Device::make(&options);

    // A passkey that was made for somebody else is not taken, nor none at all; the code stays good.
    wish["passkey"] = json!({"label": "Key", "response": made});
    wish["user_name"] = "oskar".into();
    let (status, other) = shop.post("/auth/setup", &wish.to_string()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{other}");
    let (_, options) = {
        wish["user_name"] = "olga".into();
        let ask = json!({"code": wish["code"], "user_name": "olga", "name": "Olga"}).to_string();
        shop.post("/auth/setup/passkey", &ask).await
    };
    let (_, made) = Device::make(&options);
    wish["password"] = "purple teapot on the roof".into();
    wish["passkey"] = json!({"label": "Key", "response": made});
    let (status, both) = shop.post("/auth/setup", &wish.to_string()).await;
    assert_eq!((status, &both["code"]), (StatusCode::BAD_REQUEST, &"no_credential".into()));
    wish.as_object_mut().unwrap().remove("password");
    let (status, signed_in) = shop.post("/auth/setup", &wish.to_string()).await;
    assert_eq!(status, StatusCode::OK, "{signed_in}");

    let (_, options) = shop.post("/auth/passkey/begin", "").await;
    let (status, again) = shop.post("/auth/passkey/finish", &device.sign(&options).to_string()).await;
    assert_eq!((status, &again["person"]), (StatusCode::OK, &signed_in["person"]), "{again}");
}

#[tokio::test]
async fn an_invitation_is_taken_with_a_passkey_once() {
    let street = Street::open().await;
    let ada = street.token("ada");
    let anna = street.person("anna").id;
    let (_, link) = street.ask(&ada, "POST", &format!("/api/v1/people/{anna}/invitation"), "").await;
    let ask = json!({"code": link["code"]}).to_string();
    let (status, options) = street.ask("", "POST", "/auth/invitation/passkey", &ask).await;
    assert_eq!((status, &options["user"]["name"]), (StatusCode::OK, &"anna".into()), "{options}");
    let (mut device, made) = Device::make(&options);
    let take = json!({"code": link["code"], "passkey": {"label": "Phone", "response": made}}).to_string();
    let (status, signed_in) = street.ask("", "POST", "/auth/invitation", &take).await;
    assert_eq!((status, &signed_in["person"]), (StatusCode::OK, &anna.as_str().into()), "{signed_in}");
    assert_eq!(street.ask("", "POST", "/auth/invitation", &take).await.0, StatusCode::UNAUTHORIZED);
    let (status, _) = street.ask("", "POST", "/auth/invitation/passkey", &ask).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "the link is used");

    let (_, options) = street.ask("", "POST", "/auth/passkey/begin", "").await;
    let answer = device.sign(&options).to_string();
    assert_eq!(street.ask("", "POST", "/auth/passkey/finish", &answer).await.1["person"], anna.as_str());
}
