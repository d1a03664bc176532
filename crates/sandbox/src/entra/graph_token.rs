//! Access tokens for Microsoft Graph. Nobody but Graph can check them: the nonce in the header that is sent is not the
//! one that was signed, but what that one is the hash of.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::directory::{AppId, EntraTenantId, ObjectId};
use crate::entra::SKEW_S;
use crate::entra::jwt::{Parts, signed_part};
use crate::entra::keys::{KeyRing, SigningKey};

/// Who calls Graph, by an access token that was issued here and is still good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphCaller {
    /// The application.
    pub app: AppId,
    /// The tenant.
    pub tenant: EntraTenantId,
    /// The person in whose name it calls; `None`: in its own.
    pub user: Option<ObjectId>,
    /// Its application permissions, when it calls in its own name.
    pub roles: Vec<String>,
    /// Its delegated permissions, when it calls in somebody's.
    pub scopes: Vec<String>,
}

/// Why a token does not open Graph. All of them are a 401 `InvalidAuthenticationToken`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphTokenFault {
    /// There is none.
    #[error("Access token is empty.")]
    Missing,
    /// What came is no token.
    #[error("CompactToken parsing failed with error code: 80049217")]
    Malformed,
    /// Not signed by a key of Entra's.
    #[error("Access token validation failure. Invalid signature.")]
    Signature,
    /// For another API.
    #[error("Access token validation failure. Invalid audience.")]
    Audience,
    /// Too late or too early.
    #[error("Lifetime validation failed, the token is expired.")]
    Expired,
    /// Revoked: the person may not sign in any more, or logins were ended.
    #[error("Continuous access evaluation resulted in claims challenge with result: InteractionRequired")]
    Revoked,
}

/// Signs a token for Graph.
pub(crate) fn write(key: &SigningKey, nonce: &str, claims: &Value) -> String {
    let signature = key.sign(signed_part(&header(&key.kid, &hashed(nonce)), claims).as_bytes());
    format!("{}.{}", signed_part(&header(&key.kid, nonce), claims), URL_SAFE_NO_PAD.encode(signature))
}

/// Reads a token as Graph does.
///
/// `revoked` tells when logins of people were ended, in seconds of Unix time. It is heeded for clients that understand
/// challenges, as at Microsoft; for others a token is good until it ends ("Continuous access evaluation").
pub(crate) fn read(
    keys: &KeyRing,
    revoked: &BTreeMap<ObjectId, i64>,
    now: Timestamp,
    bearer: &str,
) -> Result<GraphCaller, GraphTokenFault> {
    if bearer.is_empty() {
        return Err(GraphTokenFault::Missing);
    }
    let parts = Parts::read(bearer).ok_or(GraphTokenFault::Malformed)?;
    let key = parts.header_text("kid").and_then(|kid| keys.get(kid)).ok_or(GraphTokenFault::Signature)?;
    // A token that was issued here names its nonce; any other has its own audience to fail by.
    let signed = match parts.header_text("nonce") {
        Some(nonce) => {
            let mut header = parts.header.clone();
            header["nonce"] = hashed(nonce).into();
            let claims = parts.signed.split_once('.').map_or("", |(_, claims)| claims);
            format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header.to_string()))
        }
        None => parts.signed.to_owned(),
    };
    if parts.header_text("alg") != Some("RS256") || !key.verifies(signed.as_bytes(), &parts.signature) {
        return Err(GraphTokenFault::Signature);
    }
    if !parts.text("aud").is_some_and(|aud| GRAPH_AUDIENCES.contains(&aud)) {
        return Err(GraphTokenFault::Audience);
    }
    let (Some(from), Some(until)) = (parts.seconds("nbf"), parts.seconds("exp")) else {
        return Err(GraphTokenFault::Malformed);
    };
    if now.as_second() < from.saturating_sub(SKEW_S) || now.as_second() >= until {
        return Err(GraphTokenFault::Expired);
    }
    let (Some(app), Some(tenant)) = (parts.text("appid"), parts.text("tid")) else {
        return Err(GraphTokenFault::Malformed);
    };
    let user = parts.text("oid").map(ObjectId::new);
    let understands = parts.claims.get("xms_cc").is_some();
    let ended = user.as_ref().and_then(|user| revoked.get(user));
    if understands && ended.is_some_and(|at| parts.seconds("iat").is_none_or(|iat| iat < *at)) {
        return Err(GraphTokenFault::Revoked);
    }
    let is_app = parts.text("idtyp") == Some("app");
    let roles = parts.claims.get("roles").and_then(Value::as_array);
    Ok(GraphCaller {
        app: AppId::new(app),
        tenant: EntraTenantId::new(tenant),
        user: user.filter(|_| !is_app),
        roles: roles.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        scopes: parts.text("scp").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
    })
}

fn header(kid: &str, nonce: &str) -> Value {
    json!({ "typ": "JWT", "nonce": nonce, "alg": "RS256", "x5t": kid, "kid": kid })
}

fn hashed(nonce: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, nonce.as_bytes()))
}

/// What tokens for Graph are for: its address, or its client id.
const GRAPH_AUDIENCES: [&str; 2] = ["https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"];
