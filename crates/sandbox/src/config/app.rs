//! Applications as they are registered in Entra ID ("Application manifest"): what one is called there, how it proves
//! who it is, where people are sent back to, and what it may ask for.

use serde::{Deserialize, Serialize};

/// An application registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AppConfig {
    /// The client id, a GUID.
    pub id: String,
    /// What consent pages call it.
    pub name: String,
    /// The tenant in which it is registered, a GUID.
    pub home_tenant: String,
    /// The secrets with which it may prove who it is. None of these and no certificate: a public client.
    pub secrets: Vec<Secret>,
    /// The certificates, in PEM, with whose keys it may sign assertions instead.
    pub certificates: Vec<String>,
    /// Where people are sent back to (platform "Web"). For `http://localhost` the port does not matter ("Redirect URI
    /// restrictions and limitations").
    pub redirect_uris: Vec<String>,
    /// The same for pages without a server (platform "Single-page application"): their refresh tokens live a day.
    pub spa_redirect_uris: Vec<String>,
    /// The Application ID URI, such as `api://tandem.example/11111111-...`. Empty: `api://` and the id.
    pub app_id_uri: String,
    /// Whose people may sign in.
    pub audience: Audience,
    /// The version of access tokens for its own API, 1 or 2 (`requestedAccessTokenVersion`).
    pub token_version: u8,
    /// The app roles that it defines.
    pub roles: Vec<AppRole>,
    /// The scopes of its own API that clients may ask for in people's names.
    pub scopes: Vec<String>,
    /// The application permissions of Graph that it asks for.
    pub permissions: Vec<String>,
    /// The delegated permissions of Graph that it asks for.
    pub delegated: Vec<String>,
    /// The tenants, GUIDs, in which an administrator has consented to all of that already.
    pub consented: Vec<String>,
    /// Clients that get tokens for its API without anybody being asked: Teams by default.
    pub preauthorised: Vec<String>,
    /// Only people with a role may sign in ("Assignment required").
    pub assignment_required: bool,
    /// Optional claims of its tokens: `acct`, `idtyp`, `email`, `login_hint`.
    pub optional_claims: Vec<String>,
    /// What its tokens tell of people's memberships (`groupMembershipClaims`).
    pub group_claims: GroupClaims,
}

impl AppConfig {
    /// Tandem as the sandbox has it registered: at home in Contoso, consented to there, not yet in Fabrikam.
    pub fn tandem() -> Self {
        let role = |last: u8, value: &str, display_name: &str| AppRole {
            id: format!("22222222-0000-4000-8000-0000000000{last:02}"),
            value: value.to_owned(),
            display_name: display_name.to_owned(),
        };
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            id: TANDEM_APP.to_owned(),
            name: "Tandem".to_owned(),
            home_tenant: CONTOSO.to_owned(),
            secrets: vec![
                Secret { value: TANDEM_SECRET.to_owned(), expired: false },
                Secret { value: TANDEM_EXPIRED_SECRET.to_owned(), expired: true },
            ],
            redirect_uris: ["localhost", "127.0.0.1"]
                .iter()
                .flat_map(|host| {
                    ["entra", "consent"].map(|what| format!("http://{host}/auth/{what}/callback"))
                })
                .collect(),
            app_id_uri: format!("api://localhost/{TANDEM_APP}"),
            audience: Audience::AzureADMultipleOrgs,
            roles: vec![
                role(1, "Agent", "Agents"),
                role(2, "Expert", "Experts"),
                role(3, "Supervisor", "Supervisors"),
                role(4, "Administrator", "Administrators"),
                role(5, "Operator", "Operators"),
            ],
            permissions: owned(&[
                "Application.Read.All",
                "GroupMember.Read.All",
                "Presence.Read.All",
                "Presence.ReadWrite.All",
                "ProfilePhoto.Read.All",
                "User.Read.All",
            ]),
            delegated: owned(&[
                "openid",
                "profile",
                "email",
                "offline_access",
                "User.Read",
                "Presence.Read.All",
            ]),
            consented: vec![CONTOSO.to_owned()],
            optional_claims: owned(&["acct", "email", "idtyp"]),
            ..Self::default()
        }
    }
}

impl AppConfig {
    /// The Application ID URI.
    pub fn uri(&self) -> String {
        if self.app_id_uri.is_empty() { format!("api://{}", self.id) } else { self.app_id_uri.clone() }
    }
}

impl Default for AppConfig {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            home_tenant: String::new(),
            secrets: Vec::new(),
            certificates: Vec::new(),
            redirect_uris: Vec::new(),
            spa_redirect_uris: Vec::new(),
            app_id_uri: String::new(),
            audience: Audience::AzureADMyOrg,
            token_version: 2,
            roles: Vec::new(),
            scopes: vec![ACCESS_AS_USER.to_owned()],
            permissions: Vec::new(),
            delegated: Vec::new(),
            consented: Vec::new(),
            preauthorised: TEAMS_CLIENTS.iter().map(|(_, id)| (*id).to_owned()).collect(),
            assignment_required: false,
            optional_claims: Vec::new(),
            group_claims: GroupClaims::None,
        }
    }
}

/// A client secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The secret itself.
    pub value: String,
    /// It was good once.
    #[serde(default)]
    pub expired: bool,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("expired", &self.expired).finish_non_exhaustive()
    }
}

/// An app role: what people can be in the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppRole {
    /// Its id, a GUID.
    pub id: String,
    /// What stands in tokens.
    pub value: String,
    /// What administrators see.
    pub display_name: String,
}

/// What tokens tell of people's memberships (`groupMembershipClaims`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupClaims {
    /// Nothing.
    #[default]
    None,
    /// The ids of groups, in `groups`.
    SecurityGroup,
    /// The template ids of directory roles, in `wids`.
    DirectoryRole,
    /// Both.
    All,
}

/// Whose people may sign in (`signInAudience`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// Those of the home tenant.
    #[default]
    AzureADMyOrg,
    /// Those of every tenant with work accounts.
    AzureADMultipleOrgs,
}

/// The tenant Contoso.
pub const CONTOSO: &str = "4dcafc31-d434-426b-a0bb-c376fb36061a";
/// The tenant Fabrikam.
pub const FABRIKAM: &str = "7be25c10-3a4f-4a0e-9d52-5f0a1f6d2b77";
/// The client id of Tandem in the sandbox.
pub const TANDEM_APP: &str = "11111111-2222-4333-8444-555555555555";
/// Its secret.
pub const TANDEM_SECRET: &str = "sandbox~secret.of-tandem";
/// A secret of it that has expired.
pub const TANDEM_EXPIRED_SECRET: &str = "sandbox~secret.of-last-year";
/// The scope of an API that a Teams tab calls ("Configure your tab app in Microsoft Entra ID").
pub const ACCESS_AS_USER: &str = "access_as_user";
/// The clients of Teams and of Microsoft 365 in which tabs run, by the names that the control knows them by
/// ("Configure your tab app in Microsoft Entra ID").
pub const TEAMS_CLIENTS: [(&str, &str); 7] = [
    ("teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264"),
    ("teams_web", "5e3ce6c0-2b1f-4285-8d4b-75ee78787346"),
    ("microsoft365_web", "4765445b-32c6-49b0-83e6-1d93765276ca"),
    ("microsoft365_desktop", "0ec893e0-5785-4de6-99da-4ed124e5296c"),
    ("outlook_desktop", "d3590ed6-52b3-4102-aeff-aad2292ab01c"),
    ("outlook_web", "bc59ab01-8403-45c6-8796-ac3ef710b3e3"),
    ("outlook_mobile", "27922004-5251-4030-b22d-91ecd9a37ea4"),
];
