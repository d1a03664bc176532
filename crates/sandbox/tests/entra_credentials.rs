//! Programs that ask in their own name.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::entra_room::{Room, assert_refused, claims, head, is_signed_by};
use tandem_sandbox::config::app::{CONTOSO, FABRIKAM, TANDEM_APP, TANDEM_EXPIRED_SECRET};
use tandem_sandbox::config::{AppConfig, SandboxConfig};
use tandem_sandbox::entra::GraphTokenFault;
use tandem_sandbox::entra::jwt;

const GRAPH: &str = "https://graph.microsoft.com/.default";

fn daemon(room: &mut Room, tenant: &str) -> (u16, Value) {
    room.tandem_token(tenant, &[("grant_type", "client_credentials"), ("scope", GRAPH)])
}

#[test]
fn a_secret_gets_a_token_for_graph_with_the_permissions_of_the_tenant() {
    let mut room = Room::new();
    let (status, answer) = daemon(&mut room, CONTOSO);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["token_type"], "Bearer");
    let lifetime_s = answer["expires_in"].as_i64().unwrap();
    assert!((3599..5400).contains(&lifetime_s), "60 to 90 minutes: {lifetime_s}");
    assert_eq!(answer["ext_expires_in"], answer["expires_in"]);
    assert_eq!(answer.get("refresh_token"), None);

    let token = claims(&answer["access_token"]);
    assert_eq!(token["iss"], format!("https://sts.windows.net/{CONTOSO}/"), "shaped like version 1");
    assert_eq!((&token["aud"], &token["appid"]), (&json!("https://graph.microsoft.com"), &json!(TANDEM_APP)));
    assert_eq!((&token["idtyp"], &token["oid"]), (&json!("app"), &token["sub"]));
    let roles = ["GroupMember.Read.All", "Presence.Read.All", "Presence.ReadWrite.All"];
    assert!(roles.iter().all(|role| token["roles"].as_array().unwrap().contains(&json!(role))));

    let keys = room.get("/common/discovery/v2.0/keys").1;
    assert!(head(&answer["access_token"])["nonce"].is_string());
    assert!(!is_signed_by(&answer["access_token"], &keys), "nobody but Graph can check it");
    let bearer = answer["access_token"].as_str().unwrap();
    let caller = room.entra.graph_caller(room.now, bearer).unwrap();
    assert_eq!((caller.app.as_str(), caller.tenant.as_str(), &caller.user), (TANDEM_APP, CONTOSO, &None));
    assert!(caller.roles.contains(&"Presence.Read.All".to_owned()));

    room.passes(jiff::SignedDuration::from_mins(91));
    assert_eq!(room.entra.graph_caller(room.now, bearer), Err(GraphTokenFault::Expired));
    assert_eq!(room.entra.graph_caller(room.now, ""), Err(GraphTokenFault::Missing));
    assert_eq!(room.entra.graph_caller(room.now, "a.b.c"), Err(GraphTokenFault::Malformed));
}

#[test]
fn a_tenant_that_has_not_consented_does_not_know_the_application() {
    let mut room = Room::new();
    assert_refused(&daemon(&mut room, FABRIKAM), 400, "unauthorized_client", 700_016);
    let (fabrikam, app) = (FABRIKAM, crate::entra_room::tandem());
    room.directory.consent(&tandem_sandbox::directory::EntraTenantId::new(fabrikam), &app).unwrap();
    let (status, answer) = daemon(&mut room, FABRIKAM);
    assert_eq!(status, 200);
    assert_eq!(claims(&answer["access_token"])["tid"], FABRIKAM);
    room.directory.withdraw_consent(&tandem_sandbox::directory::EntraTenantId::new(fabrikam), &app).unwrap();
    assert_refused(&daemon(&mut room, FABRIKAM), 400, "unauthorized_client", 700_016);
}

#[test]
fn each_wrong_request_has_its_number() {
    let mut room = Room::new();
    let grant = ("grant_type", "client_credentials");
    let id = ("client_id", TANDEM_APP);
    let wrong = room.token(CONTOSO, &[grant, id, ("scope", GRAPH), ("client_secret", "guessed")]);
    assert_refused(&wrong, 401, "invalid_client", 7_000_215);
    let old = room.token(CONTOSO, &[grant, id, ("scope", GRAPH), ("client_secret", TANDEM_EXPIRED_SECRET)]);
    assert_refused(&old, 401, "invalid_client", 7_000_222);
    let none = room.token(CONTOSO, &[grant, id, ("scope", GRAPH)]);
    assert_refused(&none, 401, "invalid_client", 7_000_218);
    let stranger = room.token(
        CONTOSO,
        &[
            grant,
            ("client_id", "99999999-0000-4000-8000-000000000000"),
            ("scope", GRAPH),
            ("client_secret", "x"),
        ],
    );
    assert_refused(&stranger, 400, "unauthorized_client", 700_016);
    let nowhere = daemon(&mut room, "00000000-0000-0000-0000-00000000dead");
    assert_refused(&nowhere, 400, "invalid_request", 90_002);
    let single = room.tandem_token(CONTOSO, &[grant, ("scope", "https://graph.microsoft.com/User.Read.All")]);
    assert_refused(&single, 400, "invalid_scope", 1_002_012);
    let nothing = room.tandem_token(CONTOSO, &[grant, ("scope", "api://nowhere/.default")]);
    assert_refused(&nothing, 400, "invalid_resource", 500_011);
    let no_scope = room.tandem_token(CONTOSO, &[grant]);
    assert_refused(&no_scope, 400, "invalid_request", 90_014);
    let no_grant = room.tandem_token(CONTOSO, &[("scope", GRAPH)]);
    assert_refused(&no_grant, 400, "invalid_request", 900_144);
    let password = room.tandem_token(CONTOSO, &[("grant_type", "password"), ("scope", GRAPH)]);
    assert_refused(&password, 400, "unsupported_grant_type", 70_003);
    let twice = room.tandem_token(CONTOSO, &[grant, grant]);
    assert_refused(&twice, 400, "invalid_request", 9_002_313);
}

#[test]
fn a_secret_may_come_in_the_header() {
    let mut room = Room::new();
    let pair = format!("{TANDEM_APP}:sandbox%7Esecret.of-tandem");
    let basic = base64::engine::general_purpose::STANDARD.encode(pair);
    let request = axum::http::Request::post(format!("/{CONTOSO}/oauth2/v2.0/token"))
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .header("authorization", format!("Basic {basic}"))
        .header("client-request-id", "the-request")
        .header("return-client-request-id", "true")
        .body("grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default".into());
    let response = room.send(request.unwrap());
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["client-request-id"], "the-request");
    assert!(response.headers().contains_key("x-ms-request-id"));
    assert_eq!(response.headers()["cache-control"], "no-store, no-cache");
}

/// A certificate of a story, with its key.
struct Certificate {
    pem: String,
    der: Vec<u8>,
    key: KeyPair,
}

impl Certificate {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let params = rcgen::CertificateParams::new(vec!["tandem.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            key: KeyPair::from_pkcs8(&key.serialize_der()).unwrap(),
        }
    }

    fn assertion(&self, room: &Room, algorithm: &str, change: &Value) -> String {
        let at = room.now.as_second();
        let mut claims = json!({
            "aud": format!("https://login.microsoftonline.com/{CONTOSO}/oauth2/v2.0/token"),
            "iss": TANDEM_APP, "sub": TANDEM_APP, "jti": "first", "nbf": at, "iat": at, "exp": at + 600,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.der));
        let header = json!({ "typ": "JWT", "alg": algorithm, "x5t#S256": thumbprint });
        let encoding: &dyn RsaEncoding =
            if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        jwt::write(&header, &claims, |signed| {
            let mut signature = vec![0; self.key.public_modulus_len()];
            self.key.sign(encoding, &SystemRandom::new(), signed, &mut signature).unwrap();
            signature
        })
    }
}

fn ask_with(room: &mut Room, assertion: &str) -> (u16, Value) {
    room.token(
        CONTOSO,
        &[
            ("grant_type", "client_credentials"),
            ("client_id", TANDEM_APP),
            ("scope", GRAPH),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ],
    )
}

#[test]
fn a_certificate_proves_it_as_well_and_each_fault_of_an_assertion_has_its_number() {
    let certificate = Certificate::new();
    let app = AppConfig { certificates: vec![certificate.pem.clone()], ..AppConfig::tandem() };
    let mut room = Room::with(SandboxConfig { apps: vec![app], ..SandboxConfig::default() });
    for (algorithm, jti) in [("PS256", "a"), ("RS256", "b")] {
        let assertion = certificate.assertion(&room, algorithm, &json!({ "jti": jti }));
        let (status, answer) = ask_with(&mut room, &assertion);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(claims(&answer["access_token"])["appidacr"], "2");
        let again = ask_with(&mut room, &assertion);
        assert_refused(&again, 401, "invalid_client", 50_012);
    }
    let at = room.now.as_second();
    for (change, code) in [
        (json!({ "exp": at - 600, "nbf": at - 1200 }), 700_024),
        (json!({ "exp": at + 100_000 }), 700_024),
        (json!({ "nbf": at + 3600 }), 700_024),
        (json!({ "aud": "https://graph.microsoft.com" }), 700_023),
        (json!({ "iss": "somebody" }), 50_012),
        (json!({ "jti": "" }), 50_012),
    ] {
        let mut fresh = json!({ "jti": change.to_string() });
        for (name, value) in change.as_object().unwrap() {
            fresh[name] = value.clone();
        }
        let assertion = certificate.assertion(&room, "PS256", &fresh);
        let refused = ask_with(&mut room, &assertion);
        assert_refused(&refused, 401, "invalid_client", code);
    }
    let other = Certificate::new();
    let strange = other.assertion(&room, "PS256", &json!({}));
    let refused = ask_with(&mut room, &strange);
    assert_refused(&refused, 401, "invalid_client", 700_027);
    let unsigned = certificate.assertion(&room, "none", &json!({}));
    let (signed, _) = unsigned.rsplit_once('.').unwrap();
    let refused = ask_with(&mut room, &format!("{signed}."));
    assert_refused(&refused, 401, "invalid_client", 700_027);
}
