//! Who asks, and for whose contact center: what every handler takes first.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tandem_people::caller::Caller;
use tandem_people::permission::Reach;

use super::error::ApiError;
use super::{Api, authorisation};
use crate::desk::Desk;

/// Whose contact center a request is about, and who asks. A handler that has none reaches no tenant.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(super) api: Api,
    /// The tenant's.
    pub(super) desk: Desk,
    pub(super) caller: Arc<Caller>,
    /// How far the route's permission reaches: a list shows all, or one's own.
    pub(super) reach: Reach,
}

/// Who asks for something of the installation.
#[derive(Clone)]
pub(crate) struct OfInstallation {
    pub(super) api: Api,
    pub(super) caller: Arc<Caller>,
}

/// Who asks for something of their own.
#[derive(Clone)]
pub(crate) struct OfMyself {
    pub(super) api: Api,
    pub(super) caller: Arc<Caller>,
}

impl FromRequestParts<Api> for Scope {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Scope, ApiError> {
        parts.extensions.get::<Scope>().cloned().ok_or_else(authorisation::no_rule)
    }
}

impl FromRequestParts<Api> for OfInstallation {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<OfInstallation, ApiError> {
        parts.extensions.get::<OfInstallation>().cloned().ok_or_else(authorisation::no_rule)
    }
}

impl FromRequestParts<Api> for OfMyself {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<OfMyself, ApiError> {
        parts.extensions.get::<OfMyself>().cloned().ok_or_else(authorisation::no_rule)
    }
}

/// The header with which those who see several tenants say whose contact center they mean.
pub(super) const TENANT: &str = "Tandem-Tenant";
