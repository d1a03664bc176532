//! The web page, carried inside the program.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};

/// Answers a request for a file of the page. `None` if the page has no such file.
///
/// A path that names no file and has no dot in its last part is one of the page's own addresses, and gets the
/// page itself.
pub fn answer(uri: &Uri, headers: &HeaderMap) -> Option<Response<Body>> {
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
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Some(response)
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
/// there. It may be shown inside of itself and of the Teams client (Microsoft Teams: tab requirements); therefore there is
/// no `X-Frame-Options`, which could not say so.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                      media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'self' https://teams.microsoft.com https://*.teams.microsoft.com \
                      https://*.cloud.microsoft";

include!(concat!(env!("OUT_DIR"), "/page.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &'static str) -> Option<Response<Body>> {
        answer(&Uri::from_static(path), &HeaderMap::new())
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
    }

    #[test]
    fn a_page_that_the_browser_has_is_not_sent_again() {
        let tag = get("/").unwrap().headers()[ETAG].clone();
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, tag)]);
        let response = answer(&Uri::from_static("/"), &headers).unwrap();
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    }
}
