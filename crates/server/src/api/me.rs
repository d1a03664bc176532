//! What is the caller's own: who they are, with what they sign in, and where they are signed in.

use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_people::caller::{Caller, Who};
use tandem_people::id::{LoginId, PersonId};
use tandem_people::login::{Ending, LoginRow};
use tandem_people::permission::Reach;
use tandem_people::person::Person;
use tandem_people::role::{EffectiveRole, Origin};
use tandem_people::secret::Secret;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::scope::OfMyself;
use crate::identity::{self, CredentialKind, Identity, IdentityFault};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// `person`, `key` or `console`.
    pub kind: String,
    /// The id of the person or the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name to sign in with, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The tenant; missing for somebody of the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What people call the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_name: Option<String>,
    /// The agent that the person is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The roles, each with where it was said.
    pub roles: Vec<HeldRole>,
    /// What the caller may do, in their own tenant; of the installation: in the installation and in every tenant.
    pub permissions: Vec<HeldPermission>,
    /// Where somebody of the installation has roles as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<GuestTenant>,
}

/// A role, and where it was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct HeldRole {
    /// `agent`, `expert`, `supervisor`, `administrator` or `operator`.
    pub role: String,
    /// `assigned` here, `entra_app_role`, `entra_group` or `configuration`.
    pub origin: String,
    /// The group in Entra.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Something that may be done, and how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldPermission {
    /// Such as `queues:read`.
    pub permission: String,
    /// `own`: to what is the caller's; `all`: to everything in the tenant.
    pub reach: String,
}

/// A tenant in which somebody of the installation has roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GuestTenant {
    /// The tenant.
    pub tenant: String,
    /// What may be done there.
    pub permissions: Vec<HeldPermission>,
}

/// With what a person signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Credentials {
    /// Since when there is a password, in microseconds since 1970 UTC; missing if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_since: Option<u64>,
    /// The passkeys.
    pub passkeys: Vec<Passkey>,
}

/// A passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Passkey {
    /// The id.
    pub id: String,
    /// What its owner calls it.
    pub label: String,
    /// When it was made, in microseconds since 1970 UTC.
    pub created: u64,
    /// When it was used last, in microseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

/// Another password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present one; missing if there is none.
    #[serde(default)]
    pub current: Option<String>,
    /// The new one, 12 to 128 characters.
    pub password: String,
}

/// Where somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Login {
    /// The id.
    pub id: String,
    /// How they signed in: `entra`, `teams`, `passkey`, `password`, `setup` or `demo`.
    pub how: String,
    /// What the browser says it is.
    pub label: String,
    /// Since when, in microseconds since 1970 UTC.
    pub created: u64,
    /// When it was used last, within a minute.
    pub used: u64,
    /// When it ends, used or not.
    pub expires: u64,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// The logins of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Logins {
    /// The logins, the one used last first.
    pub logins: Vec<Login>,
}

/// How many logins have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ended {
    /// How many.
    pub ended: u64,
}

/// Who asks, and what they may do.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "sign-in", operation_id = "me_view",
    responses(
        (status = 200, description = "Who asks.", body = Me),
        (status = 401, description = "Nobody is known by this token.", body = ErrorBody),
    )
)]
pub(super) async fn view(OfMyself { api, caller }: OfMyself) -> Result<Json<Me>, ApiError> {
    let desks = api.desks.clone();
    let me = api.identity.change(move |identity| {
        let person = match caller.person() {
            Some(id) => identity.person(caller.scope(), id)?,
            None => None,
        };
        let tenant = caller.scope().tenant_name().and_then(|name| name.parse().ok());
        let desk = tenant.and_then(|tenant| desks.desk(&tenant));
        Ok(Me {
            tenant_name: desk.map(|desk| desk.name().to_string()).filter(|name| !name.is_empty()),
            ..Me::of(&caller, person.as_ref())
        })
    });
    Ok(Json(me.await?))
}

/// With what the caller signs in.
#[utoipa::path(
    get, path = "/api/v1/me/credentials", tag = "sign-in", operation_id = "me_credentials",
    responses(
        (status = 200, description = "Password and passkeys; no secret.", body = Credentials),
        (status = 403, description = "The caller is no person.", body = ErrorBody),
    )
)]
pub(super) async fn credentials(OfMyself { api, caller }: OfMyself) -> Result<Json<Credentials>, ApiError> {
    let shown = api.identity.change(move |identity| {
        let person = myself(identity, &caller)?;
        let all = identity.credentials(&person.scope, &person.id)?;
        let password = all.iter().find(|credential| credential.kind == CredentialKind::Password);
        let passkeys = all.iter().filter(|credential| credential.kind == CredentialKind::Passkey);
        Ok(Credentials {
            password_since: password.map(|password| micros(password.created)),
            passkeys: passkeys
                .map(|passkey| Passkey {
                    id: passkey.id.clone(),
                    label: passkey.label.clone(),
                    created: micros(passkey.created),
                    used: passkey.used.map(micros),
                })
                .collect(),
        })
    });
    Ok(Json(shown.await?))
}

/// Changes the caller's password. All their other logins end.
#[utoipa::path(
    put, path = "/api/v1/me/password", tag = "sign-in", operation_id = "me_password_change",
    request_body = PasswordChange,
    responses(
        (status = 204, description = "It is changed."),
        (status = 400, description = "The new password is not good enough.", body = ErrorBody),
        (status = 401, description = "The present password is wrong.", body = ErrorBody),
        (status = 409, description = "The person has no user name to sign in with.", body = ErrorBody),
        (status = 429, description = "Too many failures.", body = ErrorBody),
    )
)]
pub(super) async fn password_change(
    OfMyself { api, caller }: OfMyself,
    body: Result<Json<PasswordChange>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(PasswordChange { current, password }) = body?;
    api.identity.password_change(caller, current.map(Secret::new), Secret::new(password)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Where the caller is signed in.
#[utoipa::path(
    get, path = "/api/v1/me/logins", tag = "sign-in", operation_id = "me_logins",
    responses(
        (status = 200, description = "The logins.", body = Logins),
        (status = 403, description = "The caller is no person.", body = ErrorBody),
    )
)]
pub(super) async fn logins(OfMyself { api, caller }: OfMyself) -> Result<Json<Logins>, ApiError> {
    let (person, this) = person_of(&caller)?;
    Ok(Json(Logins::of(api.identity.logins(person), this)))
}

/// Ends all logins of the caller but the one that asks.
#[utoipa::path(
    delete, path = "/api/v1/me/logins", tag = "sign-in", operation_id = "me_logins_end",
    responses(
        (status = 200, description = "How many have ended.", body = Ended),
        (status = 403, description = "The caller is no person.", body = ErrorBody),
    )
)]
pub(super) async fn logins_revoke(OfMyself { api, caller }: OfMyself) -> Result<Json<Ended>, ApiError> {
    let ended = api.identity.change(move |identity| {
        let (person, this) = person_of(&caller)?;
        identity.logins_revoke(person, this, Ending::Revoked, identity::now())
    });
    Ok(Json(Ended { ended: u64::try_from(ended.await?).unwrap_or(u64::MAX) }))
}

/// Ends a login of the caller.
#[utoipa::path(
    delete, path = "/api/v1/me/logins/{id}", tag = "sign-in", operation_id = "me_login_end",
    params(("id" = String, Path, description = "The login.")),
    responses(
        (status = 204, description = "It has ended."),
        (status = 404, description = "The caller has no such login.", body = ErrorBody),
    )
)]
pub(super) async fn login_revoke(
    OfMyself { api, caller }: OfMyself,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let ending = api.identity.change(move |identity| {
        let (person, _) = person_of(&caller)?;
        let login: LoginId = id.parse().map_err(|_| IdentityFault::Unknown("login"))?;
        identity.login_revoke(person, &login, Ending::Revoked, identity::now())
    });
    ending.await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Me {
    fn of(caller: &Caller, person: Option<&Person>) -> Me {
        let (kind, id) = match caller.who() {
            Who::Person { person, .. } => ("person", Some(person.to_string())),
            Who::Key { key } => ("key", Some(key.to_string())),
            Who::Console => ("console", None),
            Who::Tandem | Who::Unknown => ("unknown", None),
        };
        let permissions = caller.grants_in(caller.scope()).map(|grants| held(&grants)).unwrap_or_default();
        let guests = caller.guest_tenants().map(|tenant| {
            let scope = tandem_people::scope::Scope::Tenant(tenant.clone());
            let permissions = caller.grants_in(&scope).map(|grants| held(&grants)).unwrap_or_default();
            GuestTenant { tenant: tenant.to_string(), permissions }
        });
        Me {
            kind: kind.to_owned(),
            id,
            name: person.map(|person| person.name.to_string()),
            user_name: person.and_then(identity::local_name).map(|name| name.to_string()),
            tenant: caller.scope().tenant_name().map(str::to_owned),
            tenant_name: None,
            agent: caller.agent().map(str::to_owned),
            roles: person.map(HeldRole::all_of).unwrap_or_default(),
            permissions,
            tenants: guests.collect(),
        }
    }
}

impl HeldRole {
    pub(super) fn all_of(person: &Person) -> Vec<HeldRole> {
        person.effective().into_iter().map(HeldRole::of).collect()
    }

    fn of(effective: EffectiveRole) -> HeldRole {
        let (origin, group) = match effective.origin {
            Origin::Assigned => ("assigned", None),
            Origin::EntraAppRole => ("entra_app_role", None),
            Origin::EntraGroup { group } => ("entra_group", Some(group.to_string())),
            Origin::Configuration => ("configuration", None),
        };
        HeldRole { role: effective.role.to_string(), origin: origin.to_owned(), group }
    }
}

impl Logins {
    pub(super) fn of(mut rows: Vec<LoginRow>, this: Option<&LoginId>) -> Logins {
        rows.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.id.cmp(&b.id)));
        let logins = rows.into_iter().map(|row| Login {
            how: serde_json::to_value(row.how)
                .ok()
                .and_then(|how| how.as_str().map(str::to_owned))
                .unwrap_or_default(),
            label: row.label.to_string(),
            created: micros(row.created),
            used: micros(row.used),
            expires: micros(row.expires),
            this: this == Some(&row.id),
            id: row.id.to_string(),
        });
        Logins { logins: logins.collect() }
    }
}

/// The person who asks; a program or the console is none.
fn person_of(caller: &Caller) -> Result<(&PersonId, Option<&LoginId>), IdentityFault> {
    match caller.who() {
        Who::Person { person, login } => Ok((person, login.as_ref())),
        _ => Err(IdentityFault::NoPerson),
    }
}

fn myself(identity: &Identity, caller: &Caller) -> Result<Person, IdentityFault> {
    let (id, _) = person_of(caller)?;
    identity.person(caller.scope(), id)?.ok_or(IdentityFault::Unknown("person"))
}

fn held(grants: &tandem_people::permission::Grants) -> Vec<HeldPermission> {
    let text = |reach| match reach {
        Reach::Own => "own",
        Reach::All => "all",
    };
    let permissions = grants.iter().map(|(permission, reach)| HeldPermission {
        permission: permission.to_string(),
        reach: text(reach).to_owned(),
    });
    permissions.collect()
}

/// A moment as the API writes it.
pub(super) fn micros(moment: tandem_people::moment::UnixMillis) -> u64 {
    moment.as_millis().saturating_mul(1_000)
}
