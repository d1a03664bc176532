//! From where the API may be asked: only from this machine, or over TLS; and never by a page of somebody else's.
//!
//! A browser lets any page on the web send requests to `localhost` and open web sockets there, and a name that its
//! owner points at 127.0.0.1 (DNS rebinding) makes such a page "the same origin". So on loopback the Host header
//! must name loopback, and wherever an Origin header comes, it must be our own.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;
use tandem_people::caller::{Caller, Who};
use tandem_people::permission::{Grants, Permission};
use tandem_people::scope::Scope;

use super::Api;
use super::connections::Connections;
use super::error::ApiError;
use super::listen::CONNECTIONS_MAX;
use super::proxies::{Proxies, ProxiesFault};
use crate::identity::{self, Known, Stranger};
use crate::page::{Policy, PolicyFault};

/// From where the API is asked, and who holds its root key.
#[derive(Debug)]
pub struct Access {
    /// Only whoever is on this machine reaches it.
    loopback: bool,
    /// The name under which others reach it, through a proxy.
    public: Option<Box<str>>,
    /// Browsers reach it over TLS, if only as far as a proxy.
    secure: bool,
    /// The root key, if there is one.
    root: Option<Token>,
    /// Who is believed to say where a request came from.
    proxies: Proxies,
    /// Who is connected.
    connections: Arc<Connections>,
    /// What the page may do, and who may show it.
    policy: Policy,
}

/// The secret that requests carry as `Authorization: Bearer`.
pub struct Token(Box<[u8]>);

/// The HTTP API may not be opened like this.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessFault {
    /// Not loopback, and no TLS.
    #[error(
        "http.listen is {0}, which others can reach, and there is no TLS; set http.certificate and http.key, or listen on 127.0.0.1"
    )]
    NoTls(SocketAddr),
    /// The token is too short, too long, or has characters that a header cannot carry.
    #[error(
        "http.token_file must hold {} to {} letters, digits or signs of `-._~+/=` on one line; make one with `openssl rand -hex 32`",
        TOKEN_BYTES_MIN,
        TOKEN_BYTES_MAX
    )]
    BadToken,
    /// The reverse proxies cannot be so.
    #[error("http.trusted_proxies: {0}")]
    Proxies(#[from] ProxiesFault),
    /// Those who may show the page cannot be so.
    #[error("http.frame_ancestors: {0}")]
    Policy(#[from] PolicyFault),
}

impl Access {
    /// Decides how an address may be asked.
    ///
    /// # Errors
    ///
    /// An address that is not loopback has no TLS: see [`AccessFault`].
    pub fn new(listen: SocketAddr, tls: bool, root: Option<Token>) -> Result<Access, AccessFault> {
        let loopback = listen.ip().is_loopback();
        if loopback || tls {
            let (proxies, policy) = (Proxies::default(), Policy::default());
            let connections = Arc::new(Connections::new(proxies.clone(), CONNECTIONS_MAX));
            Ok(Access {
                loopback,
                public: None,
                secure: !loopback || tls,
                root,
                proxies,
                connections,
                policy,
            })
        } else {
            Err(AccessFault::NoTls(listen))
        }
    }

    /// Lets requests come under the name of this address too, which stands in the configuration (`http.public_url`).
    #[must_use]
    pub fn reached_as(mut self, public_url: Option<&str>) -> Access {
        let host = public_url.and_then(|url| url.split_once("://"));
        self.public = host.map(|(_, host)| host.trim_end_matches('/').into());
        self.secure |= host.is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"));
        self
    }

    /// Believes these proxies where a request came from.
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Access {
        let connections = Arc::new(Connections::new(proxies.clone(), CONNECTIONS_MAX));
        Access { proxies, connections, ..self }
    }

    /// Shows the page under this policy.
    #[must_use]
    pub fn shown_under(self, policy: Policy) -> Access {
        Access { policy, ..self }
    }

    /// What the page may do, and who may show it.
    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Who is connected.
    pub(super) fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Whether only whoever is on this machine reaches the API.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// What a cookie has to say besides: it is never sent in the clear where browsers come over TLS.
    pub(crate) fn of_cookies(&self) -> &'static str {
        if self.secure { "; Secure" } else { "" }
    }

    /// The holder of the root key, if that is what was given.
    fn root(&self, given: &[u8]) -> Option<Caller> {
        let is_root: bool = self.root.as_ref()?.0.ct_eq(given).into();
        let everything = Grants::over_all(Permission::ALL.iter().copied().collect());
        is_root.then(|| Caller::new(Scope::Installation, Who::Console, everything))
    }
}

impl Token {
    /// Reads the content of a token file.
    ///
    /// # Errors
    ///
    /// [`AccessFault::BadToken`].
    pub fn parse(text: &str) -> Result<Token, AccessFault> {
        let text = text.trim();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if (TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Token(text.as_bytes().into()))
        } else {
            Err(AccessFault::BadToken)
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(*)")
    }
}

/// Who asks with this token: an access token, an API key, the root key.
pub(super) fn known(api: &Api, given: Option<&[u8]>) -> Result<Known, Stranger> {
    let given = given.ok_or(Stranger::Missing)?;
    let stranger = match api.identity.authenticate(given, identity::now()) {
        Ok(known) => return Ok(known),
        Err(stranger) => stranger,
    };
    let root = api.access.root(given).ok_or(stranger)?;
    Ok(Known { caller: Arc::new(root), until: None })
}

/// From where a request came.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// The peer of a request; loopback for one that came over no socket.
    pub(super) fn of(extensions: &Extensions) -> Peer {
        extensions.get::<Peer>().copied().unwrap_or(Peer::local())
    }

    /// The address of a request's peer, as a handler has it.
    pub(super) fn address(noted: Option<Extension<Peer>>) -> IpAddr {
        noted.map_or_else(Peer::local, |Extension(peer)| peer).0
    }

    /// This machine.
    pub(super) const fn local() -> Peer {
        Peer(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }
}

/// Refuses what no honest client sends, and notes where the request came from. For every request.
pub(super) async fn only_our_own(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let Peer(peer) = Peer::of(request.extensions());
    let client = api.access.proxies.client(peer, request.headers());
    request.extensions_mut().insert(Peer(client));
    match check_origin(&api.access, request.headers(), request.uri().authority()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The token that a request carries.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

/// Nobody is known. An access token that has only expired has a code of its own: it is time to renew.
pub(super) fn unauthorized(stranger: &Stranger) -> ApiError {
    let remedy = match stranger {
        Stranger::Expired => "ask POST /auth/refresh for another, or sign in again",
        Stranger::KeyExpired(_) => "make another key",
        Stranger::Missing | Stranger::NotAKey | Stranger::Unknown => {
            "sign in, or send the header Authorization: Bearer with an API key"
        }
    };
    ApiError::new(StatusCode::UNAUTHORIZED, stranger.code(), stranger.to_string(), remedy)
        .field("Authorization")
}

fn check_origin(access: &Access, headers: &HeaderMap, target: Option<&Authority>) -> Result<(), ApiError> {
    let host = match headers.get(HOST) {
        Some(host) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
        None => target.cloned(),
    };
    let Some(host) = host else {
        let remedy = "send a Host header with the address of the API";
        return Err(
            ApiError::bad_request("bad_host", "the Host header is missing or no host", remedy).field("Host")
        );
    };
    let is_public = access.public.as_deref().is_some_and(|public| host.as_str().eq_ignore_ascii_case(public));
    if access.loopback && !is_public && !names_loopback(host.host()) {
        let remedy = "ask http://localhost, or listen on another address with TLS";
        return Err(ApiError::forbidden("foreign_host", "the Host header names another machine", remedy)
            .field("Host"));
    }
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let own = origin.to_str().ok().and_then(|origin| origin.split_once("://")).is_some_and(
        |(scheme, authority)| {
            matches!(scheme, "http" | "https") && authority.eq_ignore_ascii_case(host.as_str())
        },
    );
    if own {
        return Ok(());
    }
    let remedy = "use the page that Tandem itself serves; programs send no Origin header";
    Err(ApiError::forbidden("foreign_origin", "the request comes from a page of another origin", remedy)
        .field("Origin"))
}

fn names_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A shorter token could be guessed.
const TOKEN_BYTES_MIN: usize = 32;

/// A longer token does not fit into a header that all proxies carry.
const TOKEN_BYTES_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_others_can_reach_needs_tls() {
        let (inside, outside) = ("127.0.0.1:8080".parse().unwrap(), "0.0.0.0:8080".parse().unwrap());
        let token = || Token::parse(&"t".repeat(32)).ok();
        assert!(Access::new(inside, false, None).is_ok());
        assert!(Access::new("[::1]:80".parse().unwrap(), false, None).is_ok());
        assert_eq!(Access::new(outside, false, token()).unwrap_err(), AccessFault::NoTls(outside));
        assert!(Access::new(outside, true, None).is_ok());
    }

    #[test]
    fn a_token_is_long_enough_and_fits_a_header() {
        assert!(Token::parse(&format!("{}\n", "a1-_".repeat(8))).is_ok());
        for wrong in ["short", &"x".repeat(513), &"ä".repeat(40), &"a b".repeat(20)] {
            assert_eq!(Token::parse(wrong).unwrap_err(), AccessFault::BadToken);
        }
        assert_eq!(format!("{:?}", Token::parse(&"s".repeat(32)).unwrap()), "Token(*)");
    }

    #[test]
    fn cookies_are_for_tls_only_wherever_browsers_come_over_it() {
        let inside = "127.0.0.1:8080".parse().unwrap();
        let access = || Access::new(inside, false, None).unwrap();
        assert_eq!(access().of_cookies(), "");
        assert_eq!(access().reached_as(Some("http://localhost:8080")).of_cookies(), "");
        assert_eq!(access().reached_as(Some("https://tandem.example")).of_cookies(), "; Secure");
        let outside = Access::new("0.0.0.0:443".parse().unwrap(), true, None).unwrap();
        assert_eq!(outside.of_cookies(), "; Secure");
    }
}
