//! Where Microsoft is: the public cloud, a national one, or a sandbox on this machine.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::id::EntraTenantId;

/// One Microsoft cloud: its hosts, and the names under which it issues tokens.
///
/// Every value is configuration. The public cloud is the default; GCC (but not GCC High) is a part of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cloud {
    /// Where Entra ID listens, such as `https://login.microsoftonline.com`.
    pub login: BaseUrl,
    /// Who issues tokens of version 2: an address with `{tenantid}` in it.
    pub issuer: IssuerTemplate,
    /// Who issues tokens of version 1: an address with `{tenantid}` in it.
    pub issuer_v1: IssuerTemplate,
    /// Where Microsoft Graph listens, such as `https://graph.microsoft.com`, without a version.
    pub graph: BaseUrl,
}

/// For whom Entra ID is asked: the part of its addresses after the host.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Authority {
    /// Whoever has a work or school account; which tenant it is, the token tells.
    Organizations,
    /// One tenant only.
    Tenant(EntraTenantId),
}

/// The addresses of Entra ID for one [`Authority`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoints {
    /// Where a person's browser is sent to sign in.
    pub authorize: String,
    /// Where tokens are asked for.
    pub token: String,
    /// Where the keys are that sign tokens.
    pub keys: String,
    /// Where a person's browser is sent to sign out; not every cloud names it.
    pub logout: Option<String>,
}

/// The start of addresses: `https` and a host; plain `http` is accepted only if the host is this machine.
///
/// Without a slash at its end, so that a path is put behind it as it is.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(String);

/// The `iss` of the tokens of a cloud, with `{tenantid}` where the tenant's id stands.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct IssuerTemplate {
    before: String,
    after: String,
}

/// Why an address of the configuration is not used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadAddress {
    /// It is no address.
    #[error("not an absolute URL")]
    NotAUrl,
    /// Tokens and secrets would be sent for everyone to read.
    #[error("https is needed; http is accepted only for a loopback address or localhost")]
    NotHttps,
    /// It holds a user name, a query or a fragment.
    #[error("a user name, a query or a fragment has no place here")]
    TooMuch,
    /// An issuer without the place of the tenant would fit every tenant.
    #[error("an issuer needs {{tenantid}} exactly once")]
    NoTenant,
}

impl Cloud {
    /// The public cloud, and GCC.
    #[must_use]
    pub fn public() -> Self {
        Self::known(
            "https://login.microsoftonline.com",
            "https://sts.windows.net",
            "https://graph.microsoft.com",
        )
    }

    /// US Government GCC High (L4).
    #[must_use]
    pub fn us_gov() -> Self {
        Self::known(
            "https://login.microsoftonline.us",
            "https://sts.windows.net",
            "https://graph.microsoft.us",
        )
    }

    /// US Government DoD (L5).
    #[must_use]
    pub fn us_dod() -> Self {
        Self::known(
            "https://login.microsoftonline.us",
            "https://sts.windows.net",
            "https://dod-graph.microsoft.us",
        )
    }

    /// China, run by 21Vianet.
    #[must_use]
    pub fn china() -> Self {
        Self::known(
            "https://login.partner.microsoftonline.cn",
            "https://sts.chinacloudapi.cn",
            "https://microsoftgraph.chinacloudapi.cn",
        )
    }

    /// The cloud of this name in a configuration: `public`, `us_gov`, `us_dod` or `china`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "public" => Some(Self::public()),
            "us_gov" => Some(Self::us_gov()),
            "us_dod" => Some(Self::us_dod()),
            "china" => Some(Self::china()),
            _ => None,
        }
    }

    /// The addresses as every Microsoft cloud lays them out, for when discovery has not been read.
    #[must_use]
    pub fn endpoints(&self, authority: Authority) -> Endpoints {
        let base = format!("{}/{authority}", self.login);
        Endpoints {
            authorize: format!("{base}/oauth2/v2.0/authorize"),
            token: self.token_endpoint(authority),
            keys: format!("{base}/discovery/v2.0/keys"),
            logout: Some(format!("{base}/oauth2/v2.0/logout")),
        }
    }

    /// Where tokens are asked for.
    #[must_use]
    pub fn token_endpoint(&self, authority: Authority) -> String {
        format!("{}/{authority}/oauth2/v2.0/token", self.login)
    }

    /// The scope that stands for every application permission of Microsoft Graph which was consented to.
    #[must_use]
    pub fn graph_default_scope(&self) -> String {
        format!("{}/.default", self.graph)
    }

    fn known(login: &str, sts: &str, graph: &str) -> Self {
        Self {
            login: BaseUrl(login.to_owned()),
            issuer: IssuerTemplate { before: format!("{login}/"), after: "/v2.0".to_owned() },
            issuer_v1: IssuerTemplate { before: format!("{sts}/"), after: "/".to_owned() },
            graph: BaseUrl(graph.to_owned()),
        }
    }
}

impl Default for Cloud {
    fn default() -> Self {
        Self::public()
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organizations => f.write_str("organizations"),
            Self::Tenant(tenant) => tenant.fmt(f),
        }
    }
}

impl IssuerTemplate {
    /// The issuer of this tenant's tokens.
    #[must_use]
    pub fn of(&self, tenant: EntraTenantId) -> String {
        format!("{}{tenant}{}", self.before, self.after)
    }

    /// Whether an `iss` is this tenant's.
    #[must_use]
    pub fn is(&self, issuer: &str, tenant: EntraTenantId) -> bool {
        issuer
            .strip_prefix(self.before.as_str())
            .and_then(|rest| rest.strip_suffix(self.after.as_str()))
            .is_some_and(|between| between == tenant.to_string())
    }
}

impl FromStr for BaseUrl {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let url = safe_url(text)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadAddress::TooMuch);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl FromStr for IssuerTemplate {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let (before, after) = text.split_once(TENANT_PLACE).ok_or(BadAddress::NoTenant)?;
        if after.contains(TENANT_PLACE) {
            return Err(BadAddress::NoTenant);
        }
        // A name, not an address: it is compared letter by letter, so it is kept as it is written.
        Url::parse(&format!("{before}tenant{after}")).map_err(|_| BadAddress::NotAUrl)?;
        Ok(Self { before: before.to_owned(), after: after.to_owned() })
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

impl TryFrom<String> for IssuerTemplate {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

impl From<BaseUrl> for String {
    fn from(base: BaseUrl) -> Self {
        base.0
    }
}

impl From<IssuerTemplate> for String {
    fn from(issuer: IssuerTemplate) -> Self {
        issuer.to_string()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for IssuerTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{TENANT_PLACE}{}", self.before, self.after)
    }
}

impl fmt::Debug for IssuerTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An address to which secrets may be sent.
///
/// # Errors
/// It is none, or the way there is open to others.
pub(crate) fn safe_url(text: &str) -> Result<Url, BadAddress> {
    let url = Url::parse(text).map_err(|_| BadAddress::NotAUrl)?;
    let is_loopback = match url.host().ok_or(BadAddress::NotAUrl)? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => IpAddr::V4(address).is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(address).is_loopback(),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadAddress::TooMuch);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback => Ok(url),
        _ => Err(BadAddress::NotHttps),
    }
}

/// Where the tenant's id stands in an issuer; Entra ID's own discovery documents write it so.
pub(crate) const TENANT_PLACE: &str = "{tenantid}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for good in
            ["https://login.example", "http://127.0.0.1:8091", "http://[::1]:8091/", "http://localhost"]
        {
            assert!(good.parse::<BaseUrl>().is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://login.microsoftonline.com", BadAddress::NotHttps),
            ("http://localhost.example", BadAddress::NotHttps),
            ("http://10.0.0.1", BadAddress::NotHttps),
            ("ftp://localhost", BadAddress::NotHttps),
            ("login.microsoftonline.com", BadAddress::NotAUrl),
            ("https://someone@login.example", BadAddress::TooMuch),
            ("https://login.example/?a=b", BadAddress::TooMuch),
            ("https://login.example/#a", BadAddress::TooMuch),
        ] {
            assert_eq!(bad.parse::<BaseUrl>(), Err(why), "{bad}");
        }
        assert_eq!("http://127.0.0.1:8091/".parse::<BaseUrl>().unwrap().to_string(), "http://127.0.0.1:8091");
    }

    #[test]
    fn an_issuer_is_one_tenant_s() {
        let cloud = Cloud::public();
        let tenant: EntraTenantId = "0a3f1c52-6d4b-4a8e-9b21-7c5d3e2f1a00".parse().unwrap();
        let other: EntraTenantId = "0a3f1c52-6d4b-4a8e-9b21-7c5d3e2f1a01".parse().unwrap();
        let issuer = cloud.issuer.of(tenant);
        assert_eq!(issuer, "https://login.microsoftonline.com/0a3f1c52-6d4b-4a8e-9b21-7c5d3e2f1a00/v2.0");
        assert!(cloud.issuer.is(&issuer, tenant));
        assert!(!cloud.issuer.is(&issuer, other));
        assert!(!cloud.issuer.is(&format!("{issuer}/"), tenant));
        assert!(!cloud.issuer_v1.is(&issuer, tenant));
        assert!(cloud.issuer_v1.is("https://sts.windows.net/0a3f1c52-6d4b-4a8e-9b21-7c5d3e2f1a00/", tenant));
    }

    #[test]
    fn an_issuer_without_a_tenant_is_refused() {
        for bad in ["https://login.example/v2.0", "https://{tenantid}.example/{tenantid}/"] {
            assert_eq!(bad.parse::<IssuerTemplate>(), Err(BadAddress::NoTenant), "{bad}");
        }
        assert_eq!("{tenantid}".parse::<IssuerTemplate>(), Err(BadAddress::NotAUrl));
    }

    #[test]
    fn a_cloud_is_configured_by_name_or_in_full() {
        for name in ["public", "us_gov", "us_dod", "china"] {
            let cloud = Cloud::named(name).unwrap();
            let json = serde_json::to_string(&cloud).unwrap();
            assert_eq!(serde_json::from_str::<Cloud>(&json).unwrap(), cloud);
        }
        let sandbox: Cloud =
            serde_json::from_str(r#"{"login":"http://127.0.0.1:8091","graph":"http://127.0.0.1:8091"}"#)
                .unwrap();
        assert_eq!(sandbox.issuer, Cloud::public().issuer);
        assert_eq!(
            sandbox.token_endpoint(Authority::Organizations),
            "http://127.0.0.1:8091/organizations/oauth2/v2.0/token"
        );
        assert!(serde_json::from_str::<Cloud>(r#"{"login":"http://login.example"}"#).is_err());
    }
}
