//! Entra's part of the web: requests become values, and values answers.

use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Request, header};
use axum::response::IntoResponse;
use axum::routing::any;

use crate::entra::{Origin, SLOW_MAX};
use crate::web::{Cloud, Listener};

/// The routes of Entra.
pub fn routes() -> Router<Cloud> {
    let paths = [
        "/{tenant}/v2.0/.well-known/openid-configuration",
        "/{tenant}/.well-known/openid-configuration",
        "/{tenant}/discovery/v2.0/keys",
        "/{tenant}/discovery/keys",
        "/{tenant}/discovery/instance",
        "/{tenant}/oauth2/v2.0/token",
        "/{tenant}/oauth2/v2.0/devicecode",
        "/{tenant}/oauth2/v2.0/authorize",
        "/{tenant}/oauth2/v2.0/logout",
        "/{tenant}/v2.0/adminconsent",
        "/{tenant}/oauth2/deviceauth",
        "/oidc/userinfo",
    ];
    paths.into_iter().fold(Router::new(), |router, path| router.route(path, any(answer)))
}

async fn answer(
    State(cloud): State<Cloud>,
    Extension(listener): Extension<Listener>,
    request: Request<axum::body::Body>,
) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_OCTETS_MAX).await else {
        return axum::http::StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let http = cloud.places().http;
    let browser = if http.ip().to_string() == "127.0.0.1" {
        format!("http://localhost:{}", http.port())
    } else {
        format!("http://{http}")
    };
    let origin = Origin { asked: format!("{}://{host}", listener.scheme()), browser };
    let request: Request<Bytes> = Request::from_parts(parts, body);
    let answer = cloud.with(|now, state| state.entra.handle(&mut state.directory, now, &origin, &request));
    if answer.slow_ms > 0 {
        let slow = Duration::from_millis(answer.slow_ms.into());
        tokio::time::sleep(slow.min(SLOW_MAX.unsigned_abs())).await;
    }
    answer.response.map(axum::body::Body::from)
}

/// Longer bodies are refused.
const BODY_OCTETS_MAX: usize = 256 * 1024;
