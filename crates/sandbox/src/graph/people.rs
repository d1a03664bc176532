//! People, groups and applications as Graph shows them ("user", "group", "servicePrincipal" and "organization"
//! resource types).

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::query::Kind;
use crate::config::AppConfig;
use crate::config::app::ACCESS_AS_USER;
use crate::directory::{AppId, Group, Holder, ObjectId, ServicePrincipal, Tenant, User};
use crate::entra::claims::GLOBAL_ADMINISTRATOR;

/// What the directory can do with users.
pub const USER: Kind = Kind {
    name: "microsoft.graph.user",
    properties: &[
        "id",
        "accountEnabled",
        "businessPhones",
        "companyName",
        "department",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mailNickname",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "skills",
        "surname",
        "userPrincipalName",
        "userType",
    ],
    usual: &[
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    ],
    filterable: &[
        "id",
        "accountEnabled",
        "businessPhones",
        "companyName",
        "department",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mailNickname",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "userType",
    ],
    searchable: &["displayName", "mail", "userPrincipalName", "givenName", "surname"],
    alone: &["skills"],
};

/// What the directory can do with groups.
pub const GROUP: Kind = Kind {
    name: "microsoft.graph.group",
    properties: &[
        "id",
        "description",
        "displayName",
        "groupTypes",
        "mail",
        "mailEnabled",
        "mailNickname",
        "securityEnabled",
        "visibility",
    ],
    usual: &[
        "id",
        "description",
        "displayName",
        "groupTypes",
        "mail",
        "mailEnabled",
        "mailNickname",
        "securityEnabled",
        "visibility",
    ],
    filterable: &["id", "displayName", "mail", "mailEnabled", "mailNickname", "securityEnabled"],
    searchable: &["displayName", "description"],
    alone: &[],
};

/// What the directory can do with the roles of administrators.
pub const DIRECTORY_ROLE: Kind = Kind {
    name: "microsoft.graph.directoryRole",
    properties: &["id", "description", "displayName", "roleTemplateId"],
    usual: &["id", "description", "displayName", "roleTemplateId"],
    filterable: &["id", "displayName", "roleTemplateId"],
    searchable: &[],
    alone: &[],
};

/// What the directory can do with applications in a tenant.
pub const SERVICE_PRINCIPAL: Kind = Kind {
    name: "microsoft.graph.servicePrincipal",
    properties: &[
        "id",
        "accountEnabled",
        "appDisplayName",
        "appId",
        "appOwnerOrganizationId",
        "appRoleAssignmentRequired",
        "appRoles",
        "displayName",
        "oauth2PermissionScopes",
        "replyUrls",
        "servicePrincipalNames",
        "servicePrincipalType",
        "signInAudience",
    ],
    usual: &[
        "id",
        "accountEnabled",
        "appDisplayName",
        "appId",
        "appOwnerOrganizationId",
        "appRoleAssignmentRequired",
        "appRoles",
        "displayName",
        "oauth2PermissionScopes",
        "replyUrls",
        "servicePrincipalNames",
        "servicePrincipalType",
        "signInAudience",
    ],
    filterable: &["id", "appId", "displayName", "servicePrincipalType"],
    searchable: &["displayName"],
    alone: &[],
};

/// What the directory can do with a tenant's own description.
pub const ORGANIZATION: Kind = Kind {
    name: "microsoft.graph.organization",
    properties: &["id", "countryLetterCode", "displayName", "tenantType", "verifiedDomains"],
    usual: &["id", "countryLetterCode", "displayName", "tenantType", "verifiedDomains"],
    filterable: &[],
    searchable: &[],
    alone: &[],
};

/// Assignments, which are told whole.
pub const ASSIGNMENT: Kind = Kind {
    name: "microsoft.graph.appRoleAssignment",
    properties: &["id", "appRoleId", "principalId", "resourceId"],
    usual: &[],
    filterable: &["resourceId", "principalId"],
    searchable: &[],
    alone: &[],
};

/// Grants, which are told whole.
pub const GRANT: Kind = Kind {
    name: "microsoft.graph.oAuth2PermissionGrant",
    properties: &["id", "clientId", "consentType", "principalId", "resourceId", "scope"],
    usual: &[],
    filterable: &["clientId", "consentType", "principalId", "resourceId"],
    searchable: &[],
    alone: &[],
};

/// What `User.ReadBasic.All` shows of others ("Microsoft Graph permissions reference").
pub const BASIC: &[&str] = &["id", "displayName", "givenName", "mail", "surname", "userPrincipalName"];

/// A user with every property.
pub fn user(user: &User, tenant: &Tenant) -> Value {
    let or_null = |text: &str| if text.is_empty() { Value::Null } else { Value::from(text) };
    let (given, family) = user.name.split_once(' ').unwrap_or((&user.name, ""));
    let phones: Vec<&str> =
        Some(user.number.as_str()).into_iter().filter(|number| !number.is_empty()).collect();
    json!({
        "id": user.object_id.as_str(),
        "accountEnabled": user.enabled,
        "businessPhones": phones,
        "companyName": tenant.name,
        "department": or_null(&user.department),
        "displayName": user.name,
        "givenName": or_null(given),
        "jobTitle": or_null(&user.job_title),
        "mail": or_null(&user.mail),
        "mailNickname": user.id,
        "mobilePhone": or_null(&user.mobile),
        "officeLocation": or_null(&user.office),
        "preferredLanguage": or_null(&user.preferred_language),
        "skills": user.skills,
        "surname": or_null(family),
        "userPrincipalName": user.principal,
        "userType": if user.guest { "Guest" } else { "Member" },
    })
}

/// A group with every property.
pub fn group(group: &Group) -> Value {
    let nickname: String = group.name.chars().filter(char::is_ascii_alphanumeric).collect();
    json!({
        "id": group.id.as_str(),
        "description": null,
        "displayName": group.name,
        "groupTypes": [],
        "mail": null,
        "mailEnabled": false,
        "mailNickname": nickname,
        "securityEnabled": true,
        "visibility": null,
    })
}

/// The role of who administers a tenant.
pub fn global_administrator(tenant: &Tenant) -> Value {
    json!({
        "id": ObjectId::derived(&[tenant.id.as_str(), GLOBAL_ADMINISTRATOR, "directory role"]).as_str(),
        "description": "Can manage all aspects of Microsoft Entra ID and Microsoft services that use it.",
        "displayName": "Global Administrator",
        "roleTemplateId": GLOBAL_ADMINISTRATOR,
    })
}

/// A tenant.
pub fn organization(tenant: &Tenant) -> Value {
    let domains: Vec<Value> = tenant
        .domains
        .iter()
        .enumerate()
        .map(|(n, name)| {
            json!({
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": n == 0,
                "isInitial": n == 0,
                "name": name,
                "type": "Managed",
            })
        })
        .collect();
    json!({
        "id": tenant.id.as_str(),
        "countryLetterCode": "US",
        "displayName": tenant.name,
        "tenantType": "AAD",
        "verifiedDomains": domains,
    })
}

/// An application in a tenant.
pub fn service_principal(principal: &ServicePrincipal, app: &AppConfig) -> Value {
    let roles: Vec<Value> =
        app.roles.iter().map(|role| app_role(&role.id, &role.value, &role.display_name, "User")).collect();
    let scopes: Vec<Value> = app.scopes.iter().map(|scope| permission_scope(scope)).collect();
    json!({
        "id": principal.id.as_str(),
        "accountEnabled": true,
        "appDisplayName": app.name,
        "appId": app.id,
        "appOwnerOrganizationId": app.home_tenant,
        "appRoleAssignmentRequired": app.assignment_required,
        "appRoles": roles,
        "displayName": app.name,
        "oauth2PermissionScopes": scopes,
        "replyUrls": app.redirect_uris,
        "servicePrincipalNames": [app.id, app.uri()],
        "servicePrincipalType": "Application",
        "signInAudience": app.audience,
    })
}

/// Graph itself as an application in a tenant: its roles are the permissions that applications there ask for.
pub fn graph_principal(tenant: &Tenant, permissions: &BTreeSet<&str>, scopes: &BTreeSet<&str>) -> Value {
    let roles: Vec<Value> =
        permissions.iter().map(|name| app_role(&permission_id(name), name, name, "Application")).collect();
    let scopes: Vec<Value> = scopes.iter().map(|name| permission_scope(name)).collect();
    json!({
        "id": graph_principal_id(tenant).as_str(),
        "accountEnabled": true,
        "appDisplayName": "Microsoft Graph",
        "appId": GRAPH_APP,
        "appOwnerOrganizationId": MICROSOFT_TENANT,
        "appRoleAssignmentRequired": false,
        "appRoles": roles,
        "displayName": "Microsoft Graph",
        "oauth2PermissionScopes": scopes,
        "replyUrls": [],
        "servicePrincipalNames": [GRAPH_APP, "https://graph.microsoft.com"],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMultipleOrgs",
    })
}

/// The object id of Graph's service principal in a tenant.
pub fn graph_principal_id(tenant: &Tenant) -> ObjectId {
    ObjectId::derived(&[tenant.id.as_str(), GRAPH_APP, "service principal"])
}

/// What an application may do in its own name in Graph, one assignment for each permission.
pub fn granted(principal: &ServicePrincipal, app: &AppConfig, tenant: &Tenant) -> Vec<Value> {
    let resource = graph_principal_id(tenant);
    principal
        .permissions
        .iter()
        .map(|permission| {
            json!({
                "id": assignment_id(&[principal.id.as_str(), resource.as_str(), permission]),
                "deletedDateTime": null,
                "appRoleId": permission_id(permission),
                "createdDateTime": CREATED,
                "principalDisplayName": app.name,
                "principalId": principal.id.as_str(),
                "principalType": "ServicePrincipal",
                "resourceDisplayName": "Microsoft Graph",
                "resourceId": resource.as_str(),
            })
        })
        .collect()
}

/// Who has which role of an application.
pub fn assigned(principal: &ServicePrincipal, app: &AppConfig, tenant: &Tenant) -> Vec<Value> {
    principal
        .roles
        .iter()
        .map(|assigned| {
            let (id, kind, name) = match &assigned.to {
                Holder::User(user) => (user, "User", tenant.users.get(user).map(|user| user.name.as_str())),
                Holder::Group(group) => {
                    (group, "Group", tenant.groups.get(group).map(|group| group.name.as_str()))
                }
            };
            json!({
                "id": assignment_id(&[principal.id.as_str(), id.as_str(), &assigned.role]),
                "deletedDateTime": null,
                "appRoleId": assigned.role,
                "createdDateTime": CREATED,
                "principalDisplayName": name,
                "principalId": id.as_str(),
                "principalType": kind,
                "resourceDisplayName": app.name,
                "resourceId": principal.id.as_str(),
            })
        })
        .collect()
}

/// What an application may do in people's names ("oAuth2PermissionGrant resource type").
pub fn grants(principal: &ServicePrincipal, tenant: &Tenant) -> Vec<Value> {
    let graph = graph_principal_id(tenant);
    let grant = |resource: &ObjectId, whose: Option<&str>, scopes: Vec<&str>| {
        json!({
            "id": assignment_id(&[principal.id.as_str(), resource.as_str(), whose.unwrap_or("all")]),
            "clientId": principal.id.as_str(),
            "consentType": if whose.is_some() { "Principal" } else { "AllPrincipals" },
            "principalId": whose,
            "resourceId": resource.as_str(),
            "scope": scopes.join(" "),
        })
    };
    let mut grants = Vec::new();
    for (whose, scopes) in &principal.delegated {
        // What lets clients call the application itself is no permission of Graph's.
        let scopes = scopes.iter().map(String::as_str);
        let (own, of_graph): (Vec<&str>, Vec<&str>) = scopes.partition(|scope| *scope == ACCESS_AS_USER);
        for (resource, scopes) in [(&graph, of_graph), (&principal.id, own)] {
            if !scopes.is_empty() {
                grants.push(grant(resource, whose.as_ref().map(ObjectId::as_str), scopes));
            }
        }
    }
    grants
}

/// The application of a tenant that a key names: an object id, or `appId=…`.
pub fn principal_named<'a>(tenant: &'a Tenant, key: &str) -> Option<&'a ServicePrincipal> {
    match key.strip_prefix("appId=") {
        Some(app) => tenant.principals.get(&AppId::new(app)),
        None => tenant.principals.values().find(|principal| principal.id == ObjectId::new(key)),
    }
}

fn app_role(id: &str, value: &str, name: &str, member: &str) -> Value {
    json!({
        "allowedMemberTypes": [member],
        "description": name,
        "displayName": name,
        "id": id,
        "isEnabled": true,
        "origin": "Application",
        "value": value,
    })
}

fn permission_scope(name: &str) -> Value {
    json!({
        "adminConsentDescription": name,
        "adminConsentDisplayName": name,
        "id": ObjectId::derived(&["scope", name]).as_str(),
        "isEnabled": true,
        "type": "Admin",
        "userConsentDescription": null,
        "userConsentDisplayName": null,
        "value": name,
    })
}

/// The id of an application permission of Graph. Those of which the id is public knowledge have it, so that a client
/// that knows permissions by id is served as well; others have one of the sandbox's own.
fn permission_id(name: &str) -> String {
    let known = KNOWN_PERMISSIONS.iter().find(|(known, _)| *known == name);
    known.map_or_else(
        || ObjectId::derived(&["permission", name]).as_str().to_owned(),
        |(_, id)| (*id).to_owned(),
    )
}

/// Assignments have ids of 43 letters, as base64url of 32 octets has.
fn assignment_id(parts: &[&str]) -> String {
    use base64::Engine;
    let hash = digest(&SHA256, parts.join("/").as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash.as_ref())
}

/// The client id of Microsoft Graph.
pub const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";
const MICROSOFT_TENANT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";
/// Nothing in the sandbox depends on when a grant was made.
const CREATED: &str = "2026-01-05T08:00:00Z";
/// "Microsoft Graph permissions reference", all permissions and their ids.
const KNOWN_PERMISSIONS: &[(&str, &str)] = &[
    ("Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61"),
    ("Group.Read.All", "5b567255-7703-4780-807c-7be8301ae99b"),
    ("GroupMember.Read.All", "98830695-27a2-44f7-8c18-0c3ebc9698f6"),
    ("User.Read.All", "df021288-bdef-4463-88db-98f22de89214"),
    ("User.ReadBasic.All", "97235f07-e226-4f63-ace3-39588e11d3a1"),
];
