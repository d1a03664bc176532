//! The web page, carried inside the program.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};

/// Answers a request for a file of the page. `None` if the page has no such file.
///
/// A path that names no file and has no dot in its last part is one of the page's own addresses, and gets the
/// page itself.
pub fn answer(uri: &Uri, headers: &HeaderMap, policy: &Policy) -> Option<Response<Body>> {
    let path = uri.path().trim_start_matches('/');
    let file = find(path).or_else(|| {
        let last = path.rsplit('/').next().unwrap_or_default();
        (!last.contains('.')).then(|| find("index.html")).flatten()
    })?;
    let known = headers.get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == file.tag.as_bytes());
    let mut response = Response::new(if known { Body::empty() } else { Body::from(file.bytes) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(file.path)));
    headers.insert(ETAG, HeaderValue::from_static(file.tag));
    // The names under assets/ carry a hash of their content.
    let cache =
        if file.path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(CONTENT_SECURITY_POLICY, policy.0.clone());
    Some(response)
}

/// What the page may do, and who may show it, as its `Content-Security-Policy` says it.
#[derive(Clone, Debug)]
pub struct Policy(HeaderValue);

/// A site cannot be one that shows the page.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// It is none that a browser would understand, or it would let anybody.
    #[error("{0:?} is no site; write https://host, where *. may stand before the host, without a path")]
    NoSite(String),
    /// There are too many of them.
    #[error("there are more than {SITES_MAX} sites; name fewer")]
    TooMany,
}

impl Policy {
    /// The policy of a page that these sites may show inside of theirs, besides the page itself.
    ///
    /// # Errors
    ///
    /// See [`PolicyFault`].
    pub fn new(sites: &[String]) -> Result<Policy, PolicyFault> {
        if sites.len() > SITES_MAX {
            return Err(PolicyFault::TooMany);
        }
        let mut text = format!("{OWN}; frame-ancestors 'self'");
        for site in sites {
            if !is_site(site) {
                return Err(PolicyFault::NoSite(site.clone()));
            }
            text.push(' ');
            text.push_str(site);
        }
        // What is_site lets through are letters that a header can carry.
        HeaderValue::try_from(text).map(Policy).map_err(|_| PolicyFault::TooMany)
    }
}

impl Default for Policy {
    /// The Teams client may show the page.
    fn default() -> Policy {
        let sites = TEAMS.join(" ");
        let text = format!("{OWN}; frame-ancestors 'self' {sites}");
        Policy(HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(OWN)))
    }
}

/// Whether a text is `https://host` or `https://*.host`, with a port or without. A host has two labels at least, so that
/// nobody lets a whole top-level domain in by a slip.
fn is_site(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let host = host.strip_prefix("*.").unwrap_or(host);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= HOST_BYTES_MAX
        && host.contains('.')
        && host.split('.').all(is_label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

struct File {
    path: &'static str,
    tag: &'static str,
    bytes: &'static [u8],
}

fn find(path: &str) -> Option<&'static File> {
    let path = if path.is_empty() { "index.html" } else { path };
    FILES.iter().find(|file| file.path == path)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// What the page may do: run its own scripts, talk to the program that served it, and show and play what it got from
/// there. Who may show it is said by `frame-ancestors`; therefore there is no `X-Frame-Options`, which could not say it.
const OWN: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                   media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'";

/// The sites of the Teams client (Microsoft Teams: tab requirements).
pub const TEAMS: [&str; 3] =
    ["https://teams.microsoft.com", "https://*.teams.microsoft.com", "https://*.cloud.microsoft"];

/// More sites than this are refused: the header goes with each file of the page.
const SITES_MAX: usize = 32;

/// The longest host (RFC 1035 section 2.3.4).
const HOST_BYTES_MAX: usize = 253;

include!(concat!(env!("OUT_DIR"), "/page.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &'static str) -> Option<Response<Body>> {
        answer(&Uri::from_static(path), &HeaderMap::new(), &Policy::default())
    }

    #[test]
    fn the_page_stands_at_its_root_and_at_its_own_addresses() {
        for path in ["/", "/index.html", "/calls/17"] {
            let response = get(path).unwrap();
            assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
        }
        assert!(get("/assets/missing.js").is_none());
        assert!(get("/../Cargo.toml").is_none());
    }

    #[test]
    fn teams_may_show_the_page_and_nobody_elses_scripts_run_in_it() {
        let headers = get("/").unwrap().headers().clone();
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        let of = |name: &str| policy.split(';').map(str::trim).find_map(|part| part.strip_prefix(name));
        assert_eq!(of("script-src "), Some("'self'"));
        let ancestors = of("frame-ancestors ").unwrap();
        assert!(ancestors.split_ascii_whitespace().any(|origin| origin == "https://teams.microsoft.com"));
        assert!(!headers.contains_key("x-frame-options"));
        let teams = TEAMS.map(str::to_owned);
        assert_eq!(
            Policy::new(&teams).unwrap().0,
            Policy::default().0,
            "and that is what the configuration says"
        );
    }

    #[test]
    fn others_may_show_the_page_if_they_are_named_and_nothing_slips_into_the_policy() {
        let policy = |site: &str| Policy::new(&[site.to_owned()]);
        for site in
            ["https://teams.microsoft.us", "https://*.gov.teams.microsoft.us", "https://wiki.example:8443"]
        {
            let text = policy(site).unwrap().0;
            assert!(text.to_str().unwrap().ends_with(&format!("frame-ancestors 'self' {site}")), "{text:?}");
        }
        assert!(Policy::new(&[]).unwrap().0.to_str().unwrap().ends_with("frame-ancestors 'self'"));
        for wrong in [
            "",
            "*",
            "https:",
            "https://",
            "https://*",
            "https://*.com",
            "http://teams.microsoft.com",
            "'none'",
            "https://teams.microsoft.com/",
            "https://teams.microsoft.com https://evil.example",
            "https://a.example; script-src *",
            "https://a.example:0",
            "https://a.example:port",
            "https://-a.example",
            "https://a..example",
            "https://ä.example",
            "https://*.*.example",
            "teams.microsoft.com",
        ] {
            assert_eq!(policy(wrong).unwrap_err(), PolicyFault::NoSite(wrong.to_owned()), "{wrong}");
        }
        assert_eq!(Policy::new(&vec![TEAMS[0].to_owned(); 33]).unwrap_err(), PolicyFault::TooMany);
    }

    #[test]
    fn a_page_that_the_browser_has_is_not_sent_again() {
        let tag = get("/").unwrap().headers()[ETAG].clone();
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, tag)]);
        let response = answer(&Uri::from_static("/"), &headers, &Policy::default()).unwrap();
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    }
}
