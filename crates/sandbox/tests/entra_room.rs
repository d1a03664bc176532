//! A room for stories about Entra: the value itself, a directory, a clock that stands still until it is moved, and a
//! browser that remembers its cookie.

use crate::common::entra_keys;
use axum::body::Bytes;
use axum::http::{Request, Response, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tandem_sandbox::chance::Chance;
use tandem_sandbox::config::SandboxConfig;
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP, TANDEM_SECRET};
use tandem_sandbox::directory::{AppId, Directory, EntraTenantId, ObjectId};
use tandem_sandbox::entra::params::encoded;
use tandem_sandbox::entra::{Entra, Origin};

/// Entra with everything around it.
pub(crate) struct Room {
    pub(crate) entra: Entra,
    pub(crate) directory: Directory,
    pub(crate) now: Timestamp,
    origin: Origin,
    cookie: Option<String>,
}

/// Where the story's application has people sent back to.
pub(crate) const CALLBACK: &str = "http://localhost:8080/auth/entra/callback";
/// A verifier and its challenge (RFC 7636 appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

impl Room {
    pub(crate) fn new() -> Self {
        Self::with(SandboxConfig::default())
    }

    pub(crate) fn with(config: SandboxConfig) -> Self {
        Self {
            entra: Entra::with_keys(config.web.issuer.clone(), entra_keys(), Chance::new(1)),
            directory: Directory::new(&config),
            now: "2026-11-22T08:00:00Z".parse().unwrap(),
            origin: Origin {
                asked: "https://localhost:8443".to_owned(),
                browser: "http://localhost:8091".to_owned(),
            },
            cookie: None,
        }
    }

    pub(crate) fn passes(&mut self, time: SignedDuration) {
        self.now += time;
    }

    pub(crate) fn send(&mut self, request: Request<Bytes>) -> Response<Bytes> {
        self.entra.handle(&mut self.directory, self.now, &self.origin, &request).response
    }

    /// A document.
    pub(crate) fn get(&mut self, path: &str) -> (u16, Value) {
        let response = self.send(Request::get(path).body(Bytes::new()).unwrap());
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    /// A request to the token endpoint of a tenant.
    pub(crate) fn token(&mut self, tenant: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let request = Request::post(format!("/{tenant}/oauth2/v2.0/token"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(encoded(form)));
        let response = self.send(request.unwrap());
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    /// The same by Tandem with its secret.
    pub(crate) fn tandem_token(&mut self, tenant: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let mut whole = vec![("client_id", TANDEM_APP), ("client_secret", TANDEM_SECRET)];
        whole.extend(form);
        self.token(tenant, &whole)
    }

    /// What a browser sees: the first look at a page, or an answer to its form.
    pub(crate) fn visit(&mut self, address: &str, form: Option<&[(&str, &str)]>) -> Seen {
        let builder = match form {
            Some(_) => {
                Request::post(address).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            }
            None => Request::get(address),
        };
        let builder = match &self.cookie {
            Some(cookie) => builder.header(header::COOKIE, cookie),
            None => builder,
        };
        let response = self.send(builder.body(Bytes::from(encoded(form.unwrap_or_default()))).unwrap());
        let text = |name: header::HeaderName| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        if let Some(cookie) = text(header::SET_COOKIE) {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        Seen {
            status: response.status().as_u16(),
            location: text(header::LOCATION),
            html: String::from_utf8(response.body().to_vec()).unwrap(),
        }
    }

    /// Another browser.
    pub(crate) fn forget_browser(&mut self) {
        self.cookie = None;
    }

    /// The address of a sign-in to Tandem at a tenant, with these parameters more.
    pub(crate) fn authorise(tenant: &str, more: &[(&str, &str)]) -> String {
        let given = |name: &str| more.iter().any(|(known, _)| *known == name);
        let scope = format!("openid profile offline_access api://localhost/{TANDEM_APP}/access_as_user");
        let usual = [
            ("client_id", TANDEM_APP),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", &scope),
            ("state", "the-state"),
            ("nonce", "the-nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let pairs: Vec<(&str, &str)> =
            usual.into_iter().filter(|(name, _)| !given(name)).chain(more.iter().copied()).collect();
        format!("/{tenant}/oauth2/v2.0/authorize?{}", encoded(&pairs))
    }

    /// Somebody signs in at once; gives the code.
    pub(crate) fn code_of(&mut self, tenant: &str, user: &str, more: &[(&str, &str)]) -> String {
        let seen = self.visit(&Self::authorise(tenant, more), Some(&[("user", user), ("consent", "accept")]));
        seen.answer("code").unwrap_or_else(|| panic!("{seen:?}"))
    }

    /// Redeems a code of that sign-in.
    pub(crate) fn redeem(&mut self, tenant: &str, code: &str) -> (u16, Value) {
        self.tandem_token(
            tenant,
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER),
            ],
        )
    }

    /// Somebody signs in; gives the tokens.
    pub(crate) fn signed_in(&mut self, user: &str) -> Value {
        let code = self.code_of(CONTOSO, user, &[]);
        let (status, tokens) = self.redeem(CONTOSO, &code);
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    pub(crate) fn object_id(&self, user: &str) -> ObjectId {
        self.directory.user_named(user).unwrap().object_id.clone()
    }
}

/// What a browser has got.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) html: String,
}

impl Seen {
    /// What the application is told in the address.
    pub(crate) fn answer(&self, name: &str) -> Option<String> {
        let (_, query) = self.location.as_ref()?.split_once(['?', '#'])?;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The value of a hidden field of the form.
    pub(crate) fn hidden(&self, name: &str) -> Option<String> {
        let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
        let (_, rest) = self.html.split_once(&start)?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    }
}

/// The claims of a token; its signature is not looked at.
pub(crate) fn claims(token: &Value) -> Value {
    part(token, 1)
}

/// The header of a token.
pub(crate) fn head(token: &Value) -> Value {
    part(token, 0)
}

fn part(token: &Value, place: usize) -> Value {
    let text = token.as_str().unwrap_or_else(|| panic!("no token: {token}"));
    let part = text.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Whether a token is signed with one of the keys of a document.
pub(crate) fn is_signed_by(token: &Value, keys: &Value) -> bool {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
    let (signed, signature) = token.as_str().unwrap().rsplit_once('.').unwrap();
    let kid = head(token)["kid"].clone();
    let Some(key) = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid) else {
        return false;
    };
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let public = RsaPublicKeyComponents { n: number("n"), e: number("e") };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).is_ok()
}

/// Fails unless Entra said no with this number.
#[track_caller]
pub(crate) fn assert_refused(answer: &(u16, Value), status: u16, error: &str, code: u32) {
    let (got, body) = answer;
    assert_eq!(body["error_codes"], serde_json::json!([code]), "{body}");
    assert_eq!((*got, body["error"].as_str()), (status, Some(error)), "{body}");
    let text = body["error_description"].as_str().unwrap();
    assert!(text.starts_with(&format!("AADSTS{code}: ")) && text.contains(" Trace ID: "), "{text}");
    for field in ["timestamp", "trace_id", "correlation_id"] {
        assert!(body[field].is_string(), "{body}");
    }
}

pub(crate) fn tandem() -> AppId {
    AppId::new(TANDEM_APP)
}

pub(crate) fn contoso() -> EntraTenantId {
    EntraTenantId::new(CONTOSO)
}
