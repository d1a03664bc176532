//! What Entra says when it says no: AADSTS numbers with their texts ("Microsoft Entra authentication and authorization
//! error codes").

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::directory::AppId;

/// Why Entra gives no token, or asks nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 9002313: the request cannot be read.
    Malformed,
    /// 900144: a parameter is missing.
    Missing(&'static str),
    /// 90014: a field that the grant needs is missing.
    MissingField(&'static str),
    /// 70003: a grant that there is not.
    UnsupportedGrant(String),
    /// 700054, 700051: a response type that the application may not use.
    UnsupportedResponseType(String),
    /// 900023: the tenant in the address is neither an id nor a domain.
    NotATenant(String),
    /// 90002: there is no such tenant.
    NoTenant(String),
    /// 700016: the application is not in the tenant.
    NoApp {
        /// The client id as it came.
        app: String,
        /// Where it was looked for.
        tenant: String,
    },
    /// 50011: the redirect URI is not registered.
    RedirectUri {
        /// As it came.
        uri: String,
        /// The application.
        app: AppId,
    },
    /// 7000218: a confidential client that proves nothing.
    NoCredential,
    /// 7000215: not its secret.
    WrongSecret(AppId),
    /// 7000222: a secret of yesterday.
    ExpiredSecret(AppId),
    /// 700027: the assertion is not signed with the key of a registered certificate.
    AssertionSignature(AppId),
    /// 700024: the assertion is too old, or not valid yet.
    AssertionTime,
    /// 700023: the assertion is for somebody else.
    AssertionAudience,
    /// 50012: the assertion lacks something, or was used before.
    AssertionRefused,
    /// 700025: a public client that shows a credential.
    PublicClient(AppId),
    /// 500011: there is no such resource in the tenant.
    NoResource {
        /// As it came.
        resource: String,
        /// Where.
        tenant: String,
    },
    /// 1002012: client credentials ask for `/.default` only.
    NotDefault(String),
    /// 70011: the scope cannot be asked for like that.
    Scope(String),
    /// 28000: more than one resource.
    TwoResources,
    /// 650053: the resource has no such scope.
    NoSuchScope {
        /// The scope.
        scope: String,
        /// The resource.
        resource: String,
    },
    /// 65001: nobody has consented.
    NoConsent {
        /// The application.
        app: AppId,
        /// Its name.
        name: String,
    },
    /// 65004: somebody has declined to consent.
    Declined,
    /// 90094: only an administrator may consent to that.
    AdminOnly(String),
    /// 50058: nobody is signed in, and nobody may be asked.
    NobodySignedIn,
    /// 50034: there is no such account.
    NoUser {
        /// As it came.
        user: String,
        /// Where.
        tenant: String,
    },
    /// 50126: the password is wrong.
    WrongPassword,
    /// 50057: the account is disabled.
    Disabled,
    /// 50105: the application wants an assignment, and the person has none.
    NotAssigned {
        /// Who.
        user: String,
        /// In what.
        app: AppId,
    },
    /// 50020: the account is of another tenant.
    OtherTenant {
        /// Who.
        user: String,
        /// Where to.
        tenant: String,
    },
    /// 50194: an application of one tenant was asked for without naming it.
    SingleTenant(AppId),
    /// 700005: the code was given at another tenant.
    OtherAuthority,
    /// 50076: more than a password is demanded.
    Mfa {
        /// What it is for.
        resource: String,
    },
    /// 53003: conditional access does not let it through.
    Blocked,
    /// 54005: the code was redeemed before.
    CodeUsed,
    /// 70008: the code or refresh token is too old.
    GrantExpired,
    /// 70000: the code or refresh token is none, or somebody else's.
    GrantUnknown,
    /// 50173: logins were revoked after the grant.
    GrantRevoked,
    /// 501481: the verifier does not fit the challenge.
    Verifier,
    /// 50148: there was a challenge, and there is no verifier.
    NoVerifier,
    /// 9002325: a page without a server needs a challenge.
    PkceNeeded,
    /// 9002327: a page without a server redeems its code by itself.
    NotCrossOrigin,
    /// 50013: the token that was handed on is none of Entra's.
    OboSignature,
    /// 500131: the token that was handed on is not for this application.
    OboAudience,
    /// 500133: the token that was handed on is too old.
    OboTime,
    /// 7000114: a token without a person cannot be handed on.
    OboApp(AppId),
    /// 70016: nobody has entered the code of the device yet.
    DevicePending,
    /// 70020: the code of the device is too old.
    DeviceExpired,
    /// 70018: there is no such code.
    DeviceUnknown,
    /// 90024, 90006: Entra has trouble of its own, on command.
    Trouble(u16),
}

impl Fault {
    /// The AADSTS number.
    pub fn code(&self) -> u32 {
        self.row().0
    }

    /// The `error` of OAuth 2.0.
    pub fn error(&self) -> &'static str {
        self.row().1
    }

    /// The HTTP status at the token endpoint.
    pub fn status(&self) -> u16 {
        match self {
            Self::Trouble(status) => *status,
            _ if self.error() == "invalid_client" => 401,
            _ => 400,
        }
    }

    /// What a client can branch on beside `error`.
    pub fn suberror(&self) -> Option<&'static str> {
        match self {
            Self::NoConsent { .. } => Some("consent_required"),
            Self::Mfa { .. } => Some("basic_action"),
            Self::Blocked => Some("message_only"),
            Self::GrantExpired | Self::GrantRevoked => Some("bad_token"),
            _ => None,
        }
    }

    /// The claims that the next request of the person must carry.
    pub fn claims(&self) -> Option<String> {
        let demands = matches!(self, Self::Mfa { .. } | Self::Blocked);
        let claims = json!({ "access_token": { "capolids": { "essential": true, "values": [POLICY] } } });
        demands.then(|| claims.to_string())
    }

    /// The text with its number, as it stands at the beginning of `error_description`.
    pub fn text(&self) -> String {
        let (code, _, text) = self.row();
        format!("AADSTS{code}: {text}")
    }

    /// The whole `error_description`.
    pub fn description(&self, ids: &Ids) -> String {
        let Ids { trace, correlation, at } = ids;
        format!("{} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {}", self.text(), stamp(*at))
    }

    /// The body at the token endpoint.
    pub fn body(&self, ids: &Ids) -> Value {
        let code = self.code();
        let mut body = json!({
            "error": self.error(),
            "error_description": self.description(ids),
            "error_codes": [code],
            "timestamp": stamp(ids.at),
            "trace_id": ids.trace,
            "correlation_id": ids.correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        });
        if let Some(fields) = body.as_object_mut() {
            if let Some(suberror) = self.suberror() {
                fields.insert("suberror".to_owned(), suberror.into());
            }
            if let Some(claims) = self.claims() {
                fields.insert("claims".to_owned(), claims.into());
            }
        }
        body
    }

    #[expect(clippy::too_many_lines, reason = "a table: a row for each error")]
    fn row(&self) -> (u32, &'static str, String) {
        let client = |code, text: String| (code, "invalid_client", text);
        let grant = |code, text: &str| (code, "invalid_grant", text.to_owned());
        let request = |code, text: String| (code, "invalid_request", text);
        match self {
            Self::Malformed => {
                request(9_002_313, "Invalid request. Request is malformed or invalid.".to_owned())
            }
            Self::Missing(name) => {
                request(900_144, format!("The request body must contain the following parameter: '{name}'."))
            }
            Self::MissingField(name) => {
                request(90_014, format!("The required field '{name}' is missing from the credential."))
            }
            Self::UnsupportedGrant(name) => (
                70_003,
                "unsupported_grant_type",
                format!("The app requested an unsupported grant type '{name}'."),
            ),
            Self::UnsupportedResponseType(name) => (
                700_054,
                "unsupported_response_type",
                format!("response_type '{name}' is not enabled for the application."),
            ),
            Self::NotATenant(tenant) => (
                900_023,
                "invalid_request",
                format!(
                    "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain."
                ),
            ),
            Self::NoTenant(tenant) => (
                90_002,
                "invalid_request",
                format!(
                    "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
                ),
            ),
            Self::NoApp { app, tenant } => (
                700_016,
                "unauthorized_client",
                format!(
                    "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
                ),
            ),
            Self::RedirectUri { uri, app } => request(
                50_011,
                format!(
                    "The redirect URI '{uri}' specified in the request does not match the redirect URIs configured for the application '{app}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal."
                ),
            ),
            Self::NoCredential => client(
                7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
                    .to_owned(),
            ),
            Self::WrongSecret(app) => client(
                7_000_215,
                format!(
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'."
                ),
            ),
            Self::ExpiredSecret(app) => client(
                7_000_222,
                format!(
                    "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for your app."
                ),
            ),
            Self::AssertionSignature(app) => client(
                700_027,
                format!(
                    "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Please visit the Azure Portal and check the certificates of application '{app}'.]"
                ),
            ),
            Self::AssertionTime => {
                client(700_024, "Client assertion is not within its valid time range.".to_owned())
            }
            Self::AssertionAudience => {
                client(700_023, "Client assertion audience claim does not match Realm issuer.".to_owned())
            }
            Self::AssertionRefused => client(50_012, "Authentication failed.".to_owned()),
            Self::PublicClient(app) => client(
                700_025,
                format!(
                    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented. Application: '{app}'."
                ),
            ),
            Self::NoResource { resource, tenant } => (
                500_011,
                "invalid_resource",
                format!(
                    "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
                ),
            ),
            Self::NotDefault(scope) => (
                1_002_012,
                "invalid_scope",
                format!(
                    "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
                ),
            ),
            Self::Scope(scope) => (
                70_011,
                "invalid_scope",
                format!(
                    "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
                ),
            ),
            Self::TwoResources => (
                28_000,
                "invalid_request",
                "Provided value for the input parameter scope is not valid because it contains more than one resource."
                    .to_owned(),
            ),
            Self::NoSuchScope { scope, resource } => client(
                650_053,
                format!(
                    "The application asked for scope '{scope}' that doesn't exist on the resource '{resource}'. Contact the app vendor."
                ),
            ),
            Self::NoConsent { app, name } => (
                65_001,
                "invalid_grant",
                format!(
                    "The user or administrator has not consented to use the application with ID '{app}' named '{name}'. Send an interactive authorization request for this user and resource."
                ),
            ),
            Self::Declined => (65_004, "access_denied", "User declined to consent to access the app.".to_owned()),
            Self::AdminOnly(app) => (
                90_094,
                "access_denied",
                format!(
                    "{app} needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it."
                ),
            ),
            Self::NobodySignedIn => (
                50_058,
                "login_required",
                "A silent sign-in request was sent but no user is signed in.".to_owned(),
            ),
            Self::NoUser { user, tenant } => (
                50_034,
                "invalid_grant",
                format!(
                    "The user account {user} does not exist in the {tenant} directory. To sign into this application, the account must be added to the directory."
                ),
            ),
            Self::WrongPassword => grant(50_126, "Error validating credentials due to invalid username or password."),
            Self::Disabled => grant(50_057, "The user account is disabled."),
            Self::NotAssigned { user, app } => (
                50_105,
                "invalid_grant",
                format!(
                    "Your administrator has configured the application ('{app}') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '{user}' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator. Please contact your administrator to assign access to this application."
                ),
            ),
            Self::OtherTenant { user, tenant } => request(
                50_020,
                format!(
                    "User account '{user}' from identity provider does not exist in tenant '{tenant}' and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first."
                ),
            ),
            Self::SingleTenant(app) => request(
                50_194,
                format!(
                    "Application '{app}' is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant."
                ),
            ),
            Self::OtherAuthority => {
                grant(700_005, "Provided Authorization Code is intended to use against other tenant, thus rejected.")
            }
            Self::Mfa { resource } => (
                50_076,
                "interaction_required",
                format!(
                    "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{resource}'."
                ),
            ),
            Self::Blocked => grant(
                53_003,
                "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
            ),
            Self::CodeUsed => grant(
                54_005,
                "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
            ),
            Self::GrantExpired => grant(
                70_008,
                "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
            ),
            Self::GrantUnknown => grant(
                70_000,
                "The provided value for the input parameter 'code' or 'refresh_token' is not valid.",
            ),
            Self::GrantRevoked => grant(
                50_173,
                "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.",
            ),
            Self::Verifier => grant(
                501_481,
                "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
            ),
            Self::NoVerifier => grant(
                50_148,
                "The code_verifier does not match the code_challenge supplied in the authorization request for PKCE.",
            ),
            Self::PkceNeeded => request(
                9_002_325,
                "Proof Key for Code Exchange is required for cross-origin authorization code redemption.".to_owned(),
            ),
            Self::NotCrossOrigin => request(
                9_002_327,
                "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests."
                    .to_owned(),
            ),
            Self::OboSignature => grant(
                50_013,
                "Assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value.]",
            ),
            Self::OboAudience => grant(
                500_131,
                "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion must match the client app.",
            ),
            Self::OboTime => grant(500_133, "Assertion is not within its valid time range."),
            Self::OboApp(app) => (
                7_000_114,
                "unauthorized_client",
                format!("Application '{app}' is not allowed to make application on-behalf-of calls."),
            ),
            Self::DevicePending => (
                70_016,
                "authorization_pending",
                "OAuth 2.0 device flow error. Authorization is pending. Continue polling.".to_owned(),
            ),
            Self::DeviceExpired => (70_020, "expired_token", "The provided value for the input parameter 'device_code' is not valid. This device code has expired.".to_owned()),
            Self::DeviceUnknown => (70_018, "bad_verification_code", "Invalid verification code due to User typing in wrong user code for device code flow.".to_owned()),
            Self::Trouble(429) => (
                90_006,
                "temporarily_unavailable",
                "The service has received too many requests and is temporarily throttled.".to_owned(),
            ),
            Self::Trouble(_) => (
                90_033,
                "temporarily_unavailable",
                "A transient error has occurred. Please try again.".to_owned(),
            ),
        }
    }
}

/// What stands on every answer, so that a person can name it to support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Of this answer.
    pub trace: String,
    /// Of the request, as the client named it, else made up.
    pub correlation: String,
    /// When.
    pub at: Timestamp,
}

/// `2026-11-22 20:00:00Z`.
fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The id of the conditional access policy that every demand names.
const POLICY: &str = "c1f3b9a5-6d0e-4f7e-9d3a-2b8e5c7f1a90";

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Ids {
        let at = "2026-11-22T20:04:05Z".parse().unwrap();
        Ids { trace: "t".to_owned(), correlation: "c".to_owned(), at }
    }

    #[test]
    fn the_body_has_microsofts_shape() {
        let body = Fault::WrongSecret(AppId::new("A")).body(&ids());
        assert_eq!(body["error"], "invalid_client");
        assert_eq!(body["error_codes"], json!([7_000_215]));
        assert_eq!(body["timestamp"], "2026-11-22 20:04:05Z");
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with("AADSTS7000215: Invalid client secret provided."));
        assert!(description.ends_with("Trace ID: t Correlation ID: c Timestamp: 2026-11-22 20:04:05Z"));
        assert_eq!(Fault::WrongSecret(AppId::new("a")).status(), 401);
        assert_eq!(body.get("claims"), None);
    }

    #[test]
    fn a_demand_carries_its_claims() {
        let body = Fault::Mfa { resource: "https://graph.microsoft.com".to_owned() }.body(&ids());
        assert_eq!(body["error"], "interaction_required");
        let claims: Value = serde_json::from_str(body["claims"].as_str().unwrap()).unwrap();
        assert_eq!(claims["access_token"]["capolids"]["essential"], true);
    }

    #[test]
    fn consent_is_told_by_its_suberror() {
        let body = Fault::NoConsent { app: AppId::new("a"), name: "A".to_owned() }.body(&ids());
        assert_eq!(
            (body["error"].as_str(), body["suberror"].as_str()),
            (Some("invalid_grant"), Some("consent_required"))
        );
    }
}
