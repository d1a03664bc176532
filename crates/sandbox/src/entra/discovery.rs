//! The documents that clients read first: where everything is, and which tenant an address means.

use serde_json::{Value, json};

use crate::directory::{Directory, EntraTenantId};
use crate::entra::claims::v1_issuer;
use crate::entra::fault::Fault;

/// Where a request came to, and where people's browsers are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Scheme, host and port as the request named them, such as `https://localhost:8443`.
    pub asked: String,
    /// The same of the plain listener, such as `http://localhost:8091`.
    pub browser: String,
}

/// The tenant in an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// `common`: any account.
    Common,
    /// `organizations`: any work account.
    Organizations,
    /// One tenant, by id or by domain.
    One(EntraTenantId),
}

impl Authority {
    /// Reads the first part of a path.
    pub fn read(name: &str, directory: &Directory) -> Result<Self, Fault> {
        match name {
            "common" => return Ok(Self::Common),
            "organizations" => return Ok(Self::Organizations),
            // Personal accounts are not simulated: that tenant exists at Microsoft, and nobody is in it here.
            "consumers" => return Err(Fault::NoTenant(name.to_owned())),
            _ => {}
        }
        if let Some(tenant) = directory.tenant_named(name) {
            return Ok(Self::One(tenant.id.clone()));
        }
        let is_guid = name.len() == 36 && name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        let is_domain =
            name.contains('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        if is_guid || is_domain {
            Err(Fault::NoTenant(name.to_owned()))
        } else {
            Err(Fault::NotATenant(name.to_owned()))
        }
    }

    /// The one tenant, if it is one.
    pub fn tenant(&self) -> Option<&EntraTenantId> {
        match self {
            Self::One(tenant) => Some(tenant),
            Self::Common | Self::Organizations => None,
        }
    }

    /// How it stands in addresses.
    pub fn segment(&self) -> &str {
        match self {
            Self::Common => "common",
            Self::Organizations => "organizations",
            Self::One(tenant) => tenant.as_str(),
        }
    }

    /// What stands for the tenant in the issuer: a placeholder where it may be any.
    pub fn in_issuer(&self) -> &str {
        match self {
            Self::Common | Self::Organizations => "{tenantid}",
            Self::One(tenant) => tenant.as_str(),
        }
    }
}

/// `/{tenant}/v2.0/.well-known/openid-configuration`.
pub fn document(authority: &Authority, origin: &Origin, issuer: &str) -> Value {
    let segment = authority.segment();
    let Origin { asked, browser } = origin;
    json!({
        "token_endpoint": format!("{asked}/{segment}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{asked}/{segment}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("{issuer}/{}/v2.0", authority.in_issuer()),
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": format!("{asked}/oidc/userinfo"),
        "authorization_endpoint": format!("{browser}/{segment}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{asked}/{segment}/oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{browser}/{segment}/oauth2/v2.0/logout"),
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name",
            "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid",
            "ver", "at_hash", "c_hash", "email",
        ],
        "tenant_region_scope": authority.tenant().map(|_| "NA"),
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    })
}

/// `/{tenant}/.well-known/openid-configuration`, for tokens of version 1.
pub fn document_v1(authority: &Authority, origin: &Origin, issuer: &str) -> Value {
    let mut document = document(authority, origin, issuer);
    let segment = authority.segment();
    let issuer = v1_issuer(&EntraTenantId::new(authority.in_issuer()));
    if let Some(fields) = document.as_object_mut() {
        fields.insert("issuer".to_owned(), issuer.into());
        fields.insert("jwks_uri".to_owned(), format!("{}/{segment}/discovery/keys", origin.asked).into());
    }
    document
}

/// `/common/discovery/instance`: which hosts are one cloud. Clients ask it for hosts that they do not know.
pub fn instance(origin: &Origin, authority: &str) -> Value {
    let host = origin.asked.split_once("://").map_or(origin.asked.as_str(), |(_, host)| host);
    json!({
        "tenant_discovery_endpoint": format!("{}/{authority}/v2.0/.well-known/openid-configuration", origin.asked),
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": host,
            "preferred_cache": host,
            "aliases": [host, "login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
        }],
    })
}
