//! The installation asks for tokens of its own, and proves who it is.

use std::time::Duration;

use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tandem_microsoft::entra::client::{Client, TOKEN_LIFE_MAX, TokenGrant};
use tandem_microsoft::entra::cloud::Cloud;
use tandem_microsoft::entra::credential::{Credential, CredentialFault, SigningCertificate};
use tandem_microsoft::entra::refusal::Reason;
use tandem_microsoft::secret::Secret;
use tandem_microsoft::time::UnixTime;

use crate::world::*;

const CERTIFICATE: &[u8] = include_bytes!("../vectors/client.pem");
const KEY: &[u8] = include_bytes!("../vectors/client.key.pem");
const KEY_PKCS1: &[u8] = include_bytes!("../vectors/client.pkcs1.key.pem");
const TOKEN: &str =
    "https://login.microsoftonline.com/c0a7050f-0000-4000-8000-000000000001/oauth2/v2.0/token";

fn client_with(credential: Credential) -> Client {
    Client { cloud: Cloud::public(), id: client(), credential }
}

#[test]
fn a_secret_is_shown_in_the_customer_s_tenant() {
    let client = client_with(Credential::Secret(Secret::new("s3cret")));
    let request = client.app_token(tenant(CONTOSO), NOW, &mut random()).unwrap();
    assert_eq!(request.url, TOKEN);
    assert_eq!(
        fields(&request.body),
        [
            ("client_id", TANDEM),
            ("grant_type", "client_credentials"),
            ("scope", "https://graph.microsoft.com/.default"),
            ("client_secret", "s3cret"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert!(!format!("{request:?} {client:?}").contains("s3cret"));
}

#[test]
fn a_certificate_signs_who_asks_where_and_when() {
    for key in [KEY, KEY_PKCS1] {
        let certificate = SigningCertificate::from_pem(CERTIFICATE, key).unwrap();
        assert_eq!(certificate.expires(), UnixTime(1_830_297_600));
        let client = client_with(Credential::Certificate(certificate));
        let request = client.app_token(tenant(CONTOSO), NOW, &mut random()).unwrap();
        let form = fields(&request.body);
        assert_eq!(
            field(&form, "client_assertion_type"),
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let assertion = field(&form, "client_assertion");
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let read =
            |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
        assert_eq!(
            read(header),
            json!({"alg": "PS256", "typ": "JWT", "x5t#S256": "DrVakAa7gS6fuCqN2KK_ZYDoSyyWZe1PEzWZdnNbh4Y"})
        );
        let claims = read(claims);
        assert_eq!(
            (&claims["aud"], &claims["iss"], &claims["sub"]),
            (&json!(TOKEN), &json!(TANDEM), &json!(TANDEM))
        );
        assert_eq!(claims["exp"], json!(NOW.0 + 300));
        assert!(claims["nbf"].as_u64().unwrap() <= NOW.0);
        assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
        let own = PrivatePkcs8KeyDer::from_pem_slice(KEY).unwrap();
        let own = aws_lc_rs::rsa::KeyPair::from_pkcs8(own.secret_pkcs8_der()).unwrap();
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, own.public_key())
            .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
            .unwrap();
    }
}

#[test]
fn every_assertion_has_its_own_name() {
    let certificate = SigningCertificate::from_pem(CERTIFICATE, KEY).unwrap();
    let client = client_with(Credential::Certificate(certificate));
    let mut random = random();
    let mut name = || {
        let form = fields(&client.app_token(tenant(CONTOSO), NOW, &mut random).unwrap().body);
        let claims = field(&form, "client_assertion").split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()["jti"].clone()
    };
    assert_ne!(name(), name());
}

#[test]
fn a_certificate_that_cannot_serve_is_told_apart() {
    let entra = include_bytes!("../vectors/entra.key.pem");
    let elliptic = include_bytes!("../vectors/elliptic.key.pem");
    for (certificate, key, fault) in [
        (KEY, KEY, CredentialFault::NoCertificate),
        (b"".as_slice(), KEY, CredentialFault::NoCertificate),
        (CERTIFICATE, CERTIFICATE, CredentialFault::NoKey),
        (CERTIFICATE, entra.as_slice(), CredentialFault::Mismatch),
        (CERTIFICATE, elliptic.as_slice(), CredentialFault::NotRsa),
    ] {
        let told = SigningCertificate::from_pem(certificate, key).unwrap_err();
        assert_eq!(told, fault);
        assert!(!told.code().is_empty() && !told.remedy().is_empty());
    }
}

#[test]
fn a_token_of_a_trusted_issuer_is_handed_on() {
    let client = client_with(Credential::Federated(Secret::new("of.the.cluster")));
    let form = fields(&client.app_token(tenant(CONTOSO), NOW, &mut random()).unwrap().body);
    assert_eq!(field(&form, "client_assertion"), "of.the.cluster");
    assert!(form.iter().all(|(name, _)| name != "client_secret"));
}

#[test]
fn a_tab_s_token_is_exchanged_in_its_own_tenant() {
    let client = client_with(Credential::Secret(Secret::new("s3cret")));
    let scopes = ["https://graph.microsoft.com/User.Read", "offline_access"];
    let request =
        client.on_behalf_of(tenant(FABRIKAM), &Secret::new("tab"), &scopes, NOW, &mut random()).unwrap();
    assert!(request.url.contains(FABRIKAM));
    let form = fields(&request.body);
    assert_eq!(field(&form, "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!(field(&form, "assertion"), "tab");
    assert_eq!(field(&form, "scope"), "https://graph.microsoft.com/User.Read offline_access");
    assert_eq!(field(&form, "requested_token_use"), "on_behalf_of");
}

#[test]
fn an_account_is_kept_signed_in() {
    let client = client_with(Credential::Secret(Secret::new("s3cret")));
    let request = client
        .refresh(tenant(CONTOSO), &Secret::new("0.Ab"), &["offline_access"], NOW, &mut random())
        .unwrap();
    let form = fields(&request.body);
    assert_eq!(field(&form, "grant_type"), "refresh_token");
    assert_eq!(field(&form, "refresh_token"), "0.Ab");
}

#[test]
fn an_answer_without_a_token_is_a_refusal() {
    let parse = |status, body: Value| TokenGrant::parse(Some(&answered(status, &body)));
    let grant =
        parse(200, json!({"token_type": "Bearer", "expires_in": 9_999_999, "access_token": "t"})).unwrap();
    assert_eq!(grant.life, TOKEN_LIFE_MAX);
    for body in [
        json!("sign in to the proxy"),
        json!({"token_type": "Bearer", "expires_in": 3599, "access_token": ""}),
        json!({"token_type": "mac", "expires_in": 3599, "access_token": "t"}),
        json!({"token_type": "Bearer", "access_token": "t"}),
    ] {
        assert_eq!(parse(200, body).unwrap_err().reason, Reason::Unreachable);
    }
    assert_eq!(TokenGrant::parse(None).unwrap_err().reason, Reason::Unreachable);
    let withdrawn = json!({
        "error": "unauthorized_client",
        "error_description": "AADSTS700016: Application with identifier … was not found in the directory 'Contoso'.",
        "error_codes": [700_016], "trace_id": "7a", "correlation_id": "8b",
    });
    let refusal = parse(400, withdrawn).unwrap_err();
    assert_eq!((refusal.reason, refusal.trace_id.as_str()), (Reason::NotConsented, "7a"));
}

#[test]
fn a_throttled_answer_says_how_long() {
    let mut response = answered(429, &json!({}));
    response.headers.push(("retry-after".to_owned(), "7".to_owned()));
    let refusal = TokenGrant::parse(Some(&response)).unwrap_err();
    assert_eq!(refusal.reason.retry_after(), Some(Duration::from_secs(7)));
}
