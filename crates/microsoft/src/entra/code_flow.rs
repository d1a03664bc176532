//! A person signs in with a browser: the authorization code flow with PKCE (OpenID Connect Core 1.0 section 3.1,
//! RFC 7636).
//!
//! We send the browser to Entra ID with secrets of this sign-in ([`SignIn::begin`]); it comes back with a code
//! ([`Callback`]); whoever began this sign-in, and nobody else, may redeem it, once and within ten minutes
//! ([`PendingSignIn::redeem`]). The tokens are then asked for ([`super::client::Client::redeem`]) and the id token checked
//! ([`super::token::TokenRules::check_sign_in`]).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tandem_strangers::Waiting;
use url::form_urlencoded;

use super::cloud::Endpoints;
use super::refusal::{Blame, Refusal};
use crate::id::ClientId;
use crate::secret::Secret;
use crate::time::UnixTime;

/// What a sign-in is asked for.
#[derive(Clone, Debug)]
pub struct SignIn<'a> {
    /// Where Entra ID is.
    pub endpoints: &'a Endpoints,
    /// Our application.
    pub client: ClientId,
    /// Where the browser is to come back to; registered, letter by letter.
    pub redirect_uri: &'a str,
    /// What is asked for, such as `openid profile`.
    pub scopes: &'a [&'a str],
    /// How the browser brings the code.
    pub response_mode: ResponseMode,
    /// What the person is to do, though it may not be needed.
    pub prompt: Option<Prompt>,
    /// Who is expected to sign in, to spare typing the name.
    pub login_hint: Option<&'a str>,
    /// The domain of whoever is expected to sign in.
    pub domain_hint: Option<&'a str>,
    /// What Entra ID demanded when it refused a token ([`super::refusal::Reason::claims`]).
    pub claims: Option<&'a str>,
}

/// How the browser brings the code back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResponseMode {
    /// In the query of the address.
    Query,
    /// In a form that the browser posts; the code is then in no log and no history.
    FormPost,
}

/// What the person is to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Prompt {
    /// Give name and password again.
    Login,
    /// Choose among the accounts that the browser knows.
    SelectAccount,
    /// Agree again to what the application may do.
    Consent,
    /// Nothing: Entra ID answers at once, if need be that it could not.
    None,
}

/// A sign-in that has begun: what must fit when the browser comes back.
///
/// It is used once, by taking it; it is over after [`SIGN_IN_WAIT`]. It must also be the *same* browser: the shell puts
/// [`PendingSignIn::state`] into a cookie and hands in no callback without it, or a person could be signed in to a
/// stranger's account unawares (RFC 6749 section 10.12).
#[derive(Debug, Eq, PartialEq)]
pub struct PendingSignIn {
    state: Secret,
    nonce: Secret,
    verifier: Secret,
    redirect_uri: String,
    token_endpoint: String,
    scope: String,
    expires: UnixTime,
}

/// What the browser brought back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Callback {
    /// Which sign-in it is about, as we named it when we began it.
    pub state: Secret,
    /// The code, or why there is none.
    pub outcome: Result<Secret, Refusal>,
}

/// A code with everything that is needed to get tokens for it.
#[derive(Debug, Eq, PartialEq)]
pub struct Redemption {
    /// What the id token must repeat.
    pub nonce: Secret,
    pub(crate) code: Secret,
    pub(crate) verifier: Secret,
    pub(crate) redirect_uri: String,
    pub(crate) token_endpoint: String,
    pub(crate) scope: String,
}

/// Why a browser that comes back is not signed in.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CallbackFault {
    /// Something is missing, given twice, or longer than [`CALLBACK_OCTETS_MAX`].
    #[error("the answer to the sign-in cannot be read")]
    Malformed,
    /// Nobody began this sign-in here, or it was used already.
    #[error("no sign-in of this name is open")]
    UnknownState,
    /// It took longer than [`SIGN_IN_WAIT`].
    #[error("the sign-in took too long")]
    Late,
    /// Entra ID did not let the person in.
    #[error("Entra ID refused: {0}")]
    Refused(Refusal),
}

/// The sign-ins that have begun, each with what the shell wants to remember of it.
///
/// At most [`PENDING_MAX`]: anybody can begin one. An address has a share of them; at its limit the oldest of its own is
/// forgotten, and that person has to begin again.
#[derive(Debug)]
pub struct PendingSignIns<T> {
    by_state: Waiting<String, (PendingSignIn, T), UnixTime>,
}

impl SignIn<'_> {
    /// The address to send the browser to, and what to keep until it comes back.
    #[must_use]
    pub fn begin(&self, now: UnixTime, random: &mut dyn rand::RngCore) -> (String, PendingSignIn) {
        let pending = PendingSignIn {
            state: unguessable(random),
            nonce: unguessable(random),
            verifier: unguessable(random),
            redirect_uri: self.redirect_uri.to_owned(),
            token_endpoint: self.endpoints.token.clone(),
            scope: self.scopes.join(" "),
            expires: now.after(SIGN_IN_WAIT),
        };
        (self.address(&pending), pending)
    }

    fn address(&self, pending: &PendingSignIn) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, pending.verifier.expose().as_bytes()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("client_id", &self.client.to_string())
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("response_mode", self.response_mode.as_str())
            .append_pair("scope", &pending.scope)
            .append_pair("state", pending.state.expose())
            .append_pair("nonce", pending.nonce.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let prompt = self.prompt.map(Prompt::as_str);
        let hints = [
            ("prompt", prompt),
            ("login_hint", self.login_hint),
            ("domain_hint", self.domain_hint),
            ("claims", self.claims),
        ];
        for (name, value) in hints {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        with_query(&self.endpoints.authorize, &query.finish())
    }
}

/// The address to send a browser to so that Entra ID forgets who signed in there, and brings it back to `back_to`
/// (OpenID Connect RP-Initiated Logout 1.0); `None` where the cloud names none. What we hold ourselves is ours to end.
#[must_use]
pub fn sign_out_address(endpoints: &Endpoints, back_to: &str) -> Option<String> {
    let address = endpoints.logout.as_ref()?;
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("post_logout_redirect_uri", back_to)
        .finish();
    Some(with_query(address, &query))
}

impl PendingSignIn {
    /// The name of this sign-in, which comes back in the [`Callback`].
    #[must_use]
    pub fn state(&self) -> &Secret {
        &self.state
    }

    /// From then on it is worth nothing.
    #[must_use]
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// Ends the sign-in with what the browser brought back.
    ///
    /// # Errors
    /// See [`CallbackFault`].
    pub fn redeem(self, callback: Callback, now: UnixTime) -> Result<Redemption, CallbackFault> {
        if callback.state != self.state {
            return Err(CallbackFault::UnknownState);
        }
        if now >= self.expires {
            return Err(CallbackFault::Late);
        }
        Ok(Redemption {
            code: callback.outcome.map_err(CallbackFault::Refused)?,
            nonce: self.nonce,
            verifier: self.verifier,
            redirect_uri: self.redirect_uri,
            token_endpoint: self.token_endpoint,
            scope: self.scope,
        })
    }
}

impl Callback {
    /// Reads the query of the address, or the body of the form, with which the browser came back.
    ///
    /// # Errors
    /// [`CallbackFault::Malformed`].
    pub fn parse(text: &str) -> Result<Self, CallbackFault> {
        let mut parameters = Parameters::parse(text, &["state", "code", "error", "error_description"])
            .ok_or(CallbackFault::Malformed)?;
        let state =
            parameters.take("state").filter(|state| !state.is_empty()).ok_or(CallbackFault::Malformed)?;
        let outcome = match (parameters.take("code"), parameters.take("error")) {
            (Some(code), None) if !code.is_empty() => Ok(Secret::new(code)),
            (None, Some(error)) => {
                Err(Refusal::returned(error, parameters.take("error_description").unwrap_or_default()))
            }
            _ => return Err(CallbackFault::Malformed),
        };
        Ok(Self { state: Secret::new(state), outcome })
    }
}

impl<T> PendingSignIns<T> {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self { by_state: Waiting::new(PENDING_MAX) }
    }

    /// Keeps a sign-in that was begun at this address until its browser comes back, with something to remember.
    pub fn insert(&mut self, from: IpAddr, pending: PendingSignIn, remembered: T, now: UnixTime) {
        let (state, expires) = (pending.state.expose().to_owned(), pending.expires);
        self.by_state.insert(from.into(), state, (pending, remembered), expires, now);
    }

    /// Ends the sign-in that a browser came back for; it is gone afterwards, whatever came of it.
    ///
    /// # Errors
    /// See [`CallbackFault`]; with what was remembered, if the sign-in was known.
    pub fn redeem(
        &mut self,
        callback: Callback,
        now: UnixTime,
    ) -> Result<(Redemption, T), (CallbackFault, Option<T>)> {
        let Some((pending, remembered)) = self.by_state.take(callback.state.expose()) else {
            return Err((CallbackFault::UnknownState, None));
        };
        match pending.redeem(callback, now) {
            Ok(redemption) => Ok((redemption, remembered)),
            Err(fault) => Err((fault, Some(remembered))),
        }
    }

    /// How many are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_state.len()
    }

    /// Whether none is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_state.is_empty()
    }
}

impl<T> Default for PendingSignIns<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl CallbackFault {
    /// A name for logs, the audit trail and the API that never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "sign_in_malformed",
            Self::UnknownState => "sign_in_unknown",
            Self::Late => "sign_in_late",
            Self::Refused(refusal) => refusal.reason.code(),
        }
    }

    /// Who can do something about it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Malformed | Self::UnknownState => Blame::Sender,
            Self::Late => Blame::Person,
            Self::Refused(refusal) => refusal.reason.blame(),
        }
    }

    /// What that one can do.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Malformed | Self::UnknownState => {
                "Start signing in again, and let this browser keep cookies."
            }
            Self::Late => "Start signing in again, and finish within ten minutes.",
            Self::Refused(refusal) => refusal.reason.remedy(),
        }
    }
}

impl ResponseMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }
}

impl Prompt {
    fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::SelectAccount => "select_account",
            Self::Consent => "consent",
            Self::None => "none",
        }
    }
}

/// Parameters that a browser brings, each at most once.
pub(crate) struct Parameters(BTreeMap<&'static str, String>);

impl Parameters {
    /// Reads the parameters of these names, and passes over others. `None` if one of them comes twice (whoever checks
    /// one could use the other) or the text is too long.
    pub(crate) fn parse(text: &str, names: &[&'static str]) -> Option<Self> {
        if text.len() > CALLBACK_OCTETS_MAX {
            return None;
        }
        let mut found = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if let Some(name) = names.iter().find(|known| **known == name)
                && found.insert(*name, value.into_owned()).is_some()
            {
                return None;
            }
        }
        Some(Self(found))
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }
}

/// 256 random bits as text of 43 characters, which RFC 7636 section 4.1 asks of a verifier.
pub(crate) fn unguessable(random: &mut dyn rand::RngCore) -> Secret {
    let mut octets = [0; 32];
    random.fill_bytes(&mut octets);
    Secret::new(URL_SAFE_NO_PAD.encode(octets))
}

pub(crate) fn with_query(address: &str, query: &str) -> String {
    let mark = if address.contains('?') { '&' } else { '?' };
    format!("{address}{mark}{query}")
}

/// How long a person may take to sign in; Entra ID's code lives about as long.
pub const SIGN_IN_WAIT: Duration = Duration::from_secs(10 * 60);

/// Sign-ins that may be open at once; see [`PendingSignIns`]. An address may have as many as are free besides
/// ([`tandem_strangers::Room`]): 5,000 if it is alone, which is more than an office of some thousand people begins within
/// [`SIGN_IN_WAIT`] and does not end.
pub const PENDING_MAX: usize = 10_000;

/// Octets of what a browser brings back; a code has about 1,500. What is longer is refused unread.
pub const CALLBACK_OCTETS_MAX: usize = 16 * 1024;
