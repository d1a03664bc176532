//! Microsoft Graph v1.0 over the sandbox's directory.

use axum::Router;

use crate::web::Cloud;

/// What Graph knows beside the directory.
#[derive(Debug, Default)]
pub struct Graph {}

/// The routes under `/v1.0`.
pub fn routes() -> Router<Cloud> {
    Router::new()
}

/// The commands under `/sandbox/graph`.
pub fn commands() -> Router<Cloud> {
    Router::new()
}
