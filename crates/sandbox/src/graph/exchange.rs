//! One request to Graph and its answer, apart from any socket.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::Fault;

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// Scheme, host and version as the client named them, such as `https://graph.microsoft.com/v1.0`; links in
    /// answers begin so.
    pub base: String,
    /// The path behind the version, as it came, percent-encoded.
    pub path: String,
    /// The query, as it came.
    pub query: String,
    /// The headers, by names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The token in the `Authorization` header, if it is a bearer token.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// The segments of the path, decoded. Keys in parentheses become segments of their own, so that
    /// `users('x')/photo` and `users/x/photo` are one, and a namespace before an action goes away.
    pub fn segments(&self) -> Vec<String> {
        let mut segments = Vec::new();
        for raw in self.path.split('/').filter(|segment| !segment.is_empty()).take(SEGMENTS_MAX) {
            let segment = decode(raw);
            let segment = segment.strip_prefix("microsoft.graph.").unwrap_or(&segment);
            match segment.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
                Some((name, "")) => segments.push(name.to_owned()),
                Some((name, key)) => {
                    segments.push(name.to_owned());
                    segments.push(unquote(key));
                }
                None => segments.push(segment.to_owned()),
            }
        }
        segments
    }

    /// Reads the JSON body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let kind = self.header("content-type").unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            return Err(Fault::ContentType);
        }
        serde_json::from_slice(&self.body)
            .map_err(|_| Fault::Bad("Unable to read JSON request payload.".to_owned()))
    }

    /// Whether the client has agreed to read the index of the directory that lags behind.
    pub fn is_eventual(&self) -> bool {
        self.header("consistencylevel").is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers, but for those of every answer.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// A picture.
    Jpeg(Bytes),
}

impl Answer {
    /// An answer with JSON.
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(body) }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }

    /// A refusal. `tags` are those of the exchange.
    pub fn fault(fault: &Fault, now: Timestamp, tags: &Tags) -> Self {
        Self {
            status: fault.status(),
            headers: fault.headers(),
            body: Body::Json(fault.body(now, &tags.request, &tags.client)),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// By what an exchange is found again in logs of both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// Graph's own id of the request.
    pub request: String,
    /// The client's, or Graph's if the client gave none.
    pub client: String,
}

/// Percent-decodes; what is no UTF-8 gets replacement characters.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let hex = (*first == b'%').then(|| tail.split_at_checked(2)).flatten();
        let value = hex.and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            let valid = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            Some((valid.then(|| u8::from_str_radix(digits, 16).ok()).flatten()?, after))
        });
        match value {
            Some((value, after)) => {
                bytes.push(value);
                rest = after;
            }
            None => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes what may not stand in the value of a query.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~$'(),:/@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn unquote(key: &str) -> String {
    match key.split_once('=') {
        Some((name, value)) => format!("{name}={}", value.trim_matches('\'')),
        None => key.trim_matches('\'').replace("''", "'"),
    }
}

/// More segments than any path of Graph that is served here; further ones are not looked at.
const SEGMENTS_MAX: usize = 12;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segments(path: &str) -> Vec<String> {
        Request { path: path.to_owned(), ..Default::default() }.segments()
    }

    #[test]
    fn a_key_in_parentheses_is_a_segment() {
        assert_eq!(
            segments("/users('a%40b.example')/photo/$value"),
            ["users", "a@b.example", "photo", "$value"]
        );
        assert_eq!(
            segments("/servicePrincipals(appId='1')/appRoleAssignments"),
            ["servicePrincipals", "appId=1", "appRoleAssignments"]
        );
        assert_eq!(segments("users/delta()"), ["users", "delta"]);
        assert_eq!(segments("/users/1/microsoft.graph.getMemberGroups"), ["users", "1", "getMemberGroups"]);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in ".{0,40}") {
            prop_assert_eq!(decode(&encode(&text)), text);
        }

        #[test]
        fn any_path_has_segments(path in ".{0,60}") {
            prop_assert!(segments(&path).len() <= 2 * SEGMENTS_MAX);
        }
    }
}
