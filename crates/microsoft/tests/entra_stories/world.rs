//! Entra ID as the stories need it: keys that never change, tokens with any claims, answers.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tandem_microsoft::entra::cloud::Cloud;
use tandem_microsoft::entra::keys::{KeyRules, KeySet};
use tandem_microsoft::entra::token::TokenRules;
use tandem_microsoft::http::Response;
use tandem_microsoft::id::{ClientId, EntraTenantId, ObjectId};
use tandem_microsoft::time::UnixTime;

pub(crate) const NOW: UnixTime = UnixTime(1_795_300_600);
pub(crate) const CONTOSO: &str = "c0a7050f-0000-4000-8000-000000000001";
pub(crate) const FABRIKAM: &str = "fab00000-0000-4000-8000-000000000002";
pub(crate) const TANDEM: &str = "7a9de300-0000-4000-8000-0000000000aa";
pub(crate) const TEAMS_WEB: &str = "5e3ce6c0-2b1f-4285-8d4b-75ee78787346";
pub(crate) const ASA: &str = "0a5a0000-0000-4000-8000-000000000007";
pub(crate) const FIRST_KEY: &str = "first-key";

/// A private key of the simulated Entra ID, or of someone else.
pub(crate) struct Signer(RsaKeyPair);

impl Signer {
    pub(crate) fn entra() -> Self {
        Self::from_pem(include_bytes!("../vectors/entra.key.pem"))
    }

    pub(crate) fn stranger() -> Self {
        Self::from_pem(include_bytes!("../vectors/stranger.key.pem"))
    }

    fn from_pem(pem: &[u8]) -> Self {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).unwrap();
        Self(RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap())
    }

    /// A token with this header and these claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A token with these claims under the first key's name.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"typ": "JWT", "alg": "RS256", "kid": FIRST_KEY}), claims)
    }

    /// The public half as an entry of a set of keys.
    pub(crate) fn entry(&self, kid: &str, issuer: &str) -> Value {
        // RSAPublicKey of 2048 bits in DER: two headers and a zero, the modulus, a header, the exponent 65537.
        let der = self.0.public_key().as_ref();
        let number = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        json!({
            "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "issuer": issuer,
            "n": number(&der[9..265]),
            "e": number(&der[267..]),
        })
    }
}

pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The issuer of keys that sign for every tenant.
pub(crate) const ANY_TENANT: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

/// A set in which the first key is Entra ID's.
pub(crate) fn keys() -> KeySet {
    keys_of(&[Signer::entra().entry(FIRST_KEY, ANY_TENANT)])
}

pub(crate) fn keys_of(entries: &[Value]) -> KeySet {
    let mut keys = KeySet::new(
        "https://login.microsoftonline.com/organizations/discovery/v2.0/keys",
        KeyRules::default(),
    );
    keys.poll_request(NOW).unwrap();
    keys.handle_response(NOW, Some(&answered(200, &json!({"keys": entries})))).unwrap();
    keys
}

pub(crate) fn rules() -> TokenRules {
    TokenRules::new(Cloud::public(), client())
}

/// What a token of Åsa's from Teams in a browser says, with changes; a claim that is changed to null is left out.
pub(crate) fn asa(changes: Value) -> Value {
    changed(
        json!({
            "ver": "2.0", "iss": issuer(CONTOSO), "tid": CONTOSO, "aud": TANDEM,
            "iat": NOW.0 - 600, "nbf": NOW.0 - 600, "exp": NOW.0 + 3900,
            "oid": ASA, "sub": "pairwise-AbC", "name": "Åsa Öberg", "preferred_username": "asa@contoso.example",
            "azp": TEAMS_WEB, "azpacr": "0", "scp": "access_as_user", "roles": ["Supervisor"], "uti": "kQ7",
        }),
        changes,
    )
}

/// What a program's token says, with changes.
pub(crate) fn program(changes: Value) -> Value {
    changed(
        json!({
            "ver": "2.0", "iss": issuer(CONTOSO), "tid": CONTOSO, "aud": TANDEM,
            "iat": NOW.0 - 600, "nbf": NOW.0 - 600, "exp": NOW.0 + 3900,
            "oid": ASA, "sub": ASA, "azp": FABRIKAM, "azpacr": "2", "roles": ["Reports"], "idtyp": "app",
        }),
        changes,
    )
}

/// What Åsa's id token says when she has signed in, with changes.
pub(crate) fn signed_in(nonce: &str, changes: Value) -> Value {
    changed(asa(json!({"azp": null, "azpacr": null, "scp": null, "nonce": nonce})), changes)
}

fn changed(mut claims: Value, changes: Value) -> Value {
    let all = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    claims
}

pub(crate) fn issuer(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

pub(crate) fn client() -> ClientId {
    TANDEM.parse().unwrap()
}

pub(crate) fn tenant(id: &str) -> EntraTenantId {
    id.parse().unwrap()
}

pub(crate) fn person(id: &str) -> ObjectId {
    id.parse().unwrap()
}

pub(crate) fn answered(status: u16, body: &Value) -> Response {
    Response { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

pub(crate) fn random() -> StdRng {
    StdRng::seed_from_u64(4)
}

/// The fields of a form or query, in order.
pub(crate) fn fields(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// The value of one field.
pub(crate) fn field(fields: &[(String, String)], name: &str) -> String {
    let found: Vec<_> = fields.iter().filter(|(n, _)| n == name).collect();
    assert_eq!(found.len(), 1, "{name} in {fields:?}");
    found[0].1.clone()
}
