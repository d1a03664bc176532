//! Who asks, and for whose contact center: what every handler takes first.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use tandem_store::Tenant;

use super::Api;
use super::error::ApiError;
use crate::desk::Desk;

/// Whose contact center a request is about. A handler that has none reaches no tenant.
pub(crate) struct Scope {
    pub(super) api: Api,
    pub(super) desk: Desk,
}

impl FromRequestParts<Api> for Scope {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Scope, ApiError> {
        let desk = match parts.headers.get(TENANT) {
            None => api.desks.only().ok_or_else(|| {
                let remedy = "send the header Tandem-Tenant with the id of a tenant";
                ApiError::bad_request("tenant_needed", "there are several tenants", remedy).field(TENANT)
            })?,
            Some(value) => {
                let tenant = value.to_str().ok().and_then(|text| text.parse::<Tenant>().ok());
                tenant.and_then(|tenant| api.desks.desk(&tenant)).ok_or_else(|| {
                    let remedy = "look at /api/v1/tenants for the tenants that you may see";
                    ApiError::new(StatusCode::NOT_FOUND, "unknown_tenant", "there is no such tenant", remedy)
                        .field(TENANT)
                })?
            }
        };
        Ok(Scope { api: api.clone(), desk: desk.clone() })
    }
}

/// The header with which those who see several tenants say whose contact center they mean.
pub(super) const TENANT: &str = "Tandem-Tenant";
