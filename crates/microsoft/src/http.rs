//! One HTTP exchange as two values: what to send, and what came back.
//!
//! Nothing here is sent: the shell does that, and hands the [`Response`] to whoever made the [`Request`].
//! Both print without what is secret or personal: no body, no query, no authorisation.

use std::fmt;

use serde::Serialize;
use url::form_urlencoded;

use crate::secret::Secret;

/// What is done to a resource.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// Read.
    Get,
    /// Create, or do.
    Post,
    /// Change in part.
    Patch,
    /// Replace.
    Put,
    /// Remove.
    Delete,
}

/// A request to be sent as it stands.
///
/// A shell adds `Host`, `Content-Length` and what the connection needs, and follows no redirect: neither Entra
/// ID's token endpoint nor Graph's JSON answers with one, and a token must not follow it to another host.
#[derive(Clone, Eq, PartialEq)]
pub struct Request {
    /// What is done.
    pub method: Method,
    /// The whole address, with its query.
    pub url: String,
    /// Header lines in the order they are sent; names as they are usually written.
    pub headers: Vec<(&'static str, String)>,
    /// The octets after the headers; empty for none.
    pub body: Vec<u8>,
}

/// What came back for a [`Request`].
#[derive(Clone, Eq, PartialEq)]
pub struct Response {
    /// The status code, such as 200.
    pub status: u16,
    /// Header lines as they came; names in any case.
    pub headers: Vec<(String, String)>,
    /// The octets after the headers. The shell bounds them by [`BODY_OCTETS_MAX`].
    pub body: Vec<u8>,
}

impl Method {
    /// As it is written on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A GET of this address.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// With one header line more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With `Authorization: Bearer` and this token.
    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        self.header(AUTHORIZATION, format!("Bearer {}", token.expose()))
    }

    /// With these fields as the body, written as a form (`application/x-www-form-urlencoded`).
    #[must_use]
    pub fn form<'a>(mut self, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.body = form.finish().into_bytes();
        self.header(CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    /// With this value as the body, written as JSON.
    ///
    /// # Errors
    /// The value has no form in JSON (a map whose keys are no strings, a number that is none).
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.body = serde_json::to_vec(body)?;
        Ok(self.header(CONTENT_TYPE, "application/json"))
    }
}

impl Response {
    /// Whether the status says that the request was done (200 to 299).
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The value of the first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Seconds that the other side asks to wait (`Retry-After`), if it gave them as a number.
    ///
    /// A date is not read: neither Entra ID nor Graph sends one, and the clocks of two machines differ.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.header("Retry-After")?.trim().parse().ok()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{} {path} ({} octets)", self.method.as_str(), self.body.len())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} octets)", self.status, self.body.len())
    }
}

/// Octets of a body that a shell accepts; what is longer is given up, as an answer that did not come.
///
/// The largest that is asked for is a page of 999 users, about 2 MB.
pub const BODY_OCTETS_MAX: usize = 8 * 1024 * 1024;

const AUTHORIZATION: &str = "Authorization";
const CONTENT_TYPE: &str = "Content-Type";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_escaped() {
        let request = Request::new(Method::Post, "https://entra.test/token")
            .form([("scope", "openid profile"), ("secret", "a&b=c+d~é")]);
        assert_eq!(request.body, b"scope=openid+profile&secret=a%26b%3Dc%2Bd%7E%C3%A9");
        assert_eq!(request.headers, [("Content-Type", "application/x-www-form-urlencoded".to_owned())]);
    }

    #[test]
    fn nothing_secret_is_printed() {
        let request = Request::get("https://graph.test/v1.0/users?$filter=mail eq 'ada@contoso.test'")
            .bearer(&Secret::new("t0ken"));
        assert_eq!(format!("{request:?}"), "GET https://graph.test/v1.0/users (0 octets)");
        let response =
            Response { status: 200, headers: Vec::new(), body: b"{\"access_token\":\"x\"}".to_vec() };
        assert_eq!(format!("{response:?}"), "200 (20 octets)");
    }

    #[test]
    fn headers_are_found_in_any_case() {
        let response =
            Response { status: 429, headers: vec![("retry-after".into(), " 17 ".into())], body: Vec::new() };
        assert_eq!(response.retry_after_seconds(), Some(17));
        assert_eq!(response.header("Retry-AFTER"), Some(" 17 "));
        assert!(!response.is_success());
    }
}
