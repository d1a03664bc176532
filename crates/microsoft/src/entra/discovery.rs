//! The document in which Entra ID names its own addresses (OpenID Connect Discovery 1.0 section 3).

use serde::Deserialize;

use super::cloud::{Authority, BadAddress, Cloud, Endpoints, TENANT_PLACE, safe_url};
use crate::http::{Request, Response};

/// Why a discovery document is not used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DiscoveryFault {
    /// Entra ID is not reachable or not well: the answer had this status. Ask again later.
    #[error("answered with status {0}")]
    Status(u16),
    /// What came is no discovery document.
    #[error("not a discovery document")]
    Malformed,
    /// The document speaks for another issuer than the configuration: one of them is wrong.
    #[error("names another issuer than the configuration")]
    Issuer,
    /// It names an address to which no secret may be sent.
    #[error("names an address that cannot be used: {0}")]
    Address(#[from] BadAddress),
}

impl DiscoveryFault {
    /// A name for logs and for the API that never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Status(_) => "discovery_unavailable",
            Self::Malformed => "discovery_malformed",
            Self::Issuer => "discovery_wrong_issuer",
            Self::Address(_) => "discovery_bad_address",
        }
    }

    /// What an administrator can do.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Status(_) => "Check that the host of Entra ID can be reached; it is asked again by itself.",
            Self::Malformed => {
                "Check that the configured address is Entra ID's, and that no proxy answers instead."
            }
            Self::Issuer => {
                "Set the issuer of the configured cloud to the one that its discovery document names."
            }
            Self::Address(_) => {
                "Check that the configured address is Entra ID's; it names addresses without https."
            }
        }
    }
}

/// Asks for the document of an authority.
#[must_use]
pub fn request(cloud: &Cloud, authority: Authority) -> Request {
    Request::get(format!("{}/{authority}/v2.0/.well-known/openid-configuration", cloud.login))
        .header("Accept", "application/json")
}

/// Reads the document, and checks that it speaks for this cloud and authority.
///
/// For `organizations`, the document's issuer is the template itself, `{tenantid}` and all; for a tenant it is that
/// tenant's.
///
/// # Errors
/// See [`DiscoveryFault`].
pub fn answer(cloud: &Cloud, authority: Authority, response: &Response) -> Result<Endpoints, DiscoveryFault> {
    if !response.is_success() {
        return Err(DiscoveryFault::Status(response.status));
    }
    let document: Document = serde_json::from_slice(&response.body).map_err(|_| DiscoveryFault::Malformed)?;
    let is_expected = match authority {
        Authority::Organizations => {
            document.issuer.contains(TENANT_PLACE) && document.issuer == cloud.issuer.to_string()
        }
        Authority::Tenant(tenant) => cloud.issuer.is(&document.issuer, tenant),
    };
    if !is_expected {
        return Err(DiscoveryFault::Issuer);
    }
    Ok(Endpoints {
        authorize: usable(&document.authorization_endpoint)?,
        token: usable(&document.token_endpoint)?,
        keys: usable(&document.jwks_uri)?,
        logout: document.end_session_endpoint.as_deref().map(usable).transpose()?,
    })
}

fn usable(address: &str) -> Result<String, DiscoveryFault> {
    Ok(safe_url(address)?.into())
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::EntraTenantId;

    fn document(issuer: &str, token: &str) -> Response {
        let body = serde_json::json!({
            "issuer": issuer,
            "authorization_endpoint": "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize",
            "token_endpoint": token,
            "jwks_uri": "https://login.microsoftonline.com/organizations/discovery/v2.0/keys",
            "end_session_endpoint": "https://login.microsoftonline.com/organizations/oauth2/v2.0/logout",
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        Response { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    const TOKEN: &str = "https://login.microsoftonline.com/organizations/oauth2/v2.0/token";
    const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

    #[test]
    fn the_template_is_the_issuer_of_organizations() {
        let cloud = Cloud::public();
        let found = answer(&cloud, Authority::Organizations, &document(TEMPLATE, TOKEN)).unwrap();
        assert_eq!(found, cloud.endpoints(Authority::Organizations));
        assert_eq!(
            request(&cloud, Authority::Organizations).url,
            "https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration"
        );
    }

    #[test]
    fn a_tenant_s_document_names_that_tenant() {
        let cloud = Cloud::public();
        let tenant: EntraTenantId = "0a3f1c52-6d4b-4a8e-9b21-7c5d3e2f1a00".parse().unwrap();
        let fits = document(&cloud.issuer.of(tenant), TOKEN);
        assert!(answer(&cloud, Authority::Tenant(tenant), &fits).is_ok());
        assert_eq!(answer(&cloud, Authority::Organizations, &fits), Err(DiscoveryFault::Issuer));
        assert_eq!(
            answer(&cloud, Authority::Tenant(tenant), &document(TEMPLATE, TOKEN)),
            Err(DiscoveryFault::Issuer)
        );
    }

    #[test]
    fn what_cannot_be_trusted_is_refused() {
        let cloud = Cloud::public();
        let read = |response: &Response| answer(&cloud, Authority::Organizations, response);
        assert_eq!(
            read(&document("https://login.evil.example/{tenantid}/v2.0", TOKEN)),
            Err(DiscoveryFault::Issuer)
        );
        assert_eq!(
            read(&document(TEMPLATE, "http://login.microsoftonline.com/token")),
            Err(DiscoveryFault::Address(BadAddress::NotHttps))
        );
        let page =
            Response { status: 200, headers: Vec::new(), body: b"<html>Sign in to the proxy".to_vec() };
        assert_eq!(read(&page), Err(DiscoveryFault::Malformed));
        let gone = Response { status: 503, headers: Vec::new(), body: Vec::new() };
        assert_eq!(read(&gone), Err(DiscoveryFault::Status(503)));
    }
}
