//! Commands over HTTP: who plays Entra, an administrator of a tenant, or somebody with forged tokens does it here.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::config::{AppConfig, UserConfig};
use crate::directory::{
    AppId, DirectoryRefusal, EntraTenantId, Group, Holder, ObjectId, ServicePrincipal, Tenant, User,
};
use crate::entra::forge::{ForgeFault, Forgery, TabTokenFault, TabTokenRequest};
use crate::entra::policy::{Policy, Trouble};
use crate::web::{Cloud, CloudState};

/// The commands.
pub fn commands() -> Router<Cloud> {
    Router::new()
        .route("/sandbox/directory", get(directory))
        .route("/sandbox/apps", post(register))
        .route("/sandbox/tenants/{tenant}/users", post(add_user))
        .route("/sandbox/tenants/{tenant}/apps/{app}", put(consent).delete(withdraw))
        .route("/sandbox/tenants/{tenant}/apps/{app}/permissions/{name}", delete(withdraw_permission))
        .route("/sandbox/tenants/{tenant}/apps/{app}/roles/{role}/{user}", put(assign).delete(unassign))
        .route("/sandbox/tenants/{tenant}/groups/{group}/members/{user}", put(join).delete(leave))
        .route("/sandbox/people/{user}", patch(change_user).delete(remove_user))
        .route("/sandbox/people/{user}/revoke", post(revoke))
        .route("/sandbox/entra/keys", get(keys))
        .route("/sandbox/entra/keys/roll", post(roll_keys))
        .route("/sandbox/entra/keys/replace", post(replace_keys))
        .route("/sandbox/entra/keys/{kid}", delete(withdraw_key))
        .route("/sandbox/entra/policy", get(policy).put(set_policy))
        .route("/sandbox/entra/trouble", get(troubles).put(set_troubles).delete(end_troubles))
        .route("/sandbox/entra/log", get(log))
        .route("/sandbox/tab-token", post(tab_token))
        .route("/sandbox/token", post(token))
}

/// `GET /sandbox/directory`: tenants with people, groups and applications, and the registrations.
async fn directory(State(cloud): State<Cloud>) -> Response {
    #[derive(Serialize)]
    struct TenantView {
        id: EntraTenantId,
        name: String,
        domains: Vec<String>,
        users: Vec<User>,
        groups: Vec<Group>,
        apps: Vec<ServicePrincipal>,
    }
    let view = |tenant: &Tenant| TenantView {
        id: tenant.id.clone(),
        name: tenant.name.clone(),
        domains: tenant.domains.clone(),
        users: tenant.users.values().cloned().collect(),
        groups: tenant.groups.values().cloned().collect(),
        apps: tenant.principals.values().cloned().collect(),
    };
    let found = cloud.with(|_, state| {
        let tenants: Vec<TenantView> = state.directory.tenants().map(view).collect();
        let apps: Vec<_> = state
            .directory
            .apps()
            .map(|app| json!({ "id": app.id, "name": app.name, "home_tenant": app.home_tenant, "roles": app.roles }))
            .collect();
        json!({ "tenants": tenants, "apps": apps })
    });
    Json(found).into_response()
}

/// `POST /sandbox/apps`: registers an application, or changes its registration.
async fn register(State(cloud): State<Cloud>, Json(app): Json<AppConfig>) -> Response {
    cloud.with(|_, state| {
        state.directory.register(app.clone());
        for tenant in &app.consented {
            // A tenant that is not there cannot have consented.
            let _ = state.directory.consent(&EntraTenantId::new(tenant), &AppId::new(&app.id));
        }
    });
    StatusCode::NO_CONTENT.into_response()
}

/// `POST /sandbox/tenants/{tenant}/users`: somebody new.
async fn add_user(
    State(cloud): State<Cloud>,
    Path(tenant): Path<String>,
    Json(user): Json<UserConfig>,
) -> Response {
    let added = cloud.with(|_, state| {
        let tenant = tenant_of(state, &tenant)?;
        state.directory.add_user(&tenant, &user)
    });
    match added {
        Ok(id) => (StatusCode::CREATED, Json(json!({ "object_id": id }))).into_response(),
        Err(refusal) => refused(refusal),
    }
}

/// `PUT /sandbox/tenants/{tenant}/apps/{app}`: an administrator of the tenant consents to all that is asked for.
async fn consent(State(cloud): State<Cloud>, Path((tenant, app)): Path<(String, String)>) -> Response {
    done(cloud.with(|_, state| {
        let tenant = tenant_of(state, &tenant)?;
        state.directory.consent(&tenant, &AppId::new(&app))
    }))
}

/// `DELETE /sandbox/tenants/{tenant}/apps/{app}`: an administrator removes the application.
async fn withdraw(State(cloud): State<Cloud>, Path((tenant, app)): Path<(String, String)>) -> Response {
    done(cloud.with(|_, state| {
        let tenant = tenant_of(state, &tenant)?;
        state.directory.withdraw_consent(&tenant, &AppId::new(&app))
    }))
}

/// `DELETE /sandbox/tenants/{tenant}/apps/{app}/permissions/{name}`: an administrator takes one permission back.
async fn withdraw_permission(
    State(cloud): State<Cloud>,
    Path((tenant, app, permission)): Path<(String, String, String)>,
) -> Response {
    done(cloud.with(|_, state| {
        let tenant = tenant_of(state, &tenant)?;
        state.directory.withdraw_permission(&tenant, &AppId::new(&app), &permission)
    }))
}

/// `PUT /sandbox/tenants/{tenant}/apps/{app}/roles/{role}/{user}`.
async fn assign(State(cloud): State<Cloud>, Path(path): Path<(String, String, String, String)>) -> Response {
    set_role(&cloud, &path, true)
}

/// `DELETE` of the same.
async fn unassign(
    State(cloud): State<Cloud>,
    Path(path): Path<(String, String, String, String)>,
) -> Response {
    set_role(&cloud, &path, false)
}

/// The last part names a person, or a group.
fn set_role(
    cloud: &Cloud,
    (tenant, app, role, holder): &(String, String, String, String),
    assigned: bool,
) -> Response {
    done(cloud.with(|_, state| {
        let tenant = tenant_of(state, tenant)?;
        let holder = match person(state, holder) {
            Ok((_, user)) => Holder::User(user),
            Err(_) => Holder::Group(group_of(state, &tenant, holder)?),
        };
        state.directory.set_role(&tenant, &AppId::new(app), holder, role, assigned)
    }))
}

/// `PUT /sandbox/tenants/{tenant}/groups/{group}/members/{user}`.
async fn join(State(cloud): State<Cloud>, Path(path): Path<(String, String, String)>) -> Response {
    set_member(&cloud, &path, true)
}

/// `DELETE` of the same.
async fn leave(State(cloud): State<Cloud>, Path(path): Path<(String, String, String)>) -> Response {
    set_member(&cloud, &path, false)
}

fn set_member(cloud: &Cloud, (tenant, group, user): &(String, String, String), member: bool) -> Response {
    done(cloud.with(|_, state| {
        let tenant = tenant_of(state, tenant)?;
        let group = group_of(state, &tenant, group)?;
        let (_, user) = person(state, user)?;
        state.directory.set_member(&tenant, &group, &user, member)
    }))
}

/// What of somebody changes; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserChange {
    name: Option<String>,
    principal: Option<String>,
    mail: Option<String>,
    department: Option<String>,
    job_title: Option<String>,
    skills: Option<Vec<String>>,
    enabled: Option<bool>,
    photo: Option<bool>,
    /// Empty: none is asked for.
    password: Option<String>,
}

/// `PATCH /sandbox/people/{user}`.
async fn change_user(
    State(cloud): State<Cloud>,
    Path(user): Path<String>,
    Json(change): Json<UserChange>,
) -> Response {
    done(cloud.with(|_, state| {
        let (tenant, user) = person(state, &user)?;
        state.directory.change_user(&tenant, &user, |user| {
            let texts = [
                (&mut user.name, change.name),
                (&mut user.principal, change.principal),
                (&mut user.mail, change.mail),
                (&mut user.department, change.department),
                (&mut user.job_title, change.job_title),
            ];
            for (field, value) in texts {
                if let Some(value) = value {
                    *field = value;
                }
            }
            user.skills = change.skills.unwrap_or(std::mem::take(&mut user.skills));
            user.enabled = change.enabled.unwrap_or(user.enabled);
            user.photo = change.photo.unwrap_or(user.photo);
            if let Some(password) = change.password {
                user.password = Some(password).filter(|password| !password.is_empty());
            }
        })
    }))
}

/// `DELETE /sandbox/people/{user}`.
async fn remove_user(State(cloud): State<Cloud>, Path(user): Path<String>) -> Response {
    done(cloud.with(|_, state| {
        let (tenant, user) = person(state, &user)?;
        state.directory.remove_user(&tenant, &user)
    }))
}

/// `POST /sandbox/people/{user}/revoke`: ends all logins of somebody.
async fn revoke(State(cloud): State<Cloud>, Path(user): Path<String>) -> Response {
    done(cloud.with(|now, state| {
        let (_, user) = person(state, &user)?;
        state.entra.revoke(now, &user);
        Ok(())
    }))
}

/// `GET /sandbox/entra/keys`: the ids of the published keys, the one that signs first.
async fn keys(State(cloud): State<Cloud>) -> Response {
    let ids: Vec<String> =
        cloud.with(|_, state| state.entra.keys().published().map(|key| key.kid.clone()).collect());
    Json(ids).into_response()
}

/// `POST /sandbox/entra/keys/roll`: the next key signs from now on.
async fn roll_keys(State(cloud): State<Cloud>) -> Response {
    made(cloud.with(|_, state| state.entra.keys_mut().roll()))
}

/// `POST /sandbox/entra/keys/replace`: a key signs that nobody has seen, and the old ones are gone.
async fn replace_keys(State(cloud): State<Cloud>) -> Response {
    made(cloud.with(|_, state| state.entra.keys_mut().replace()))
}

/// `DELETE /sandbox/entra/keys/{kid}`: a key is published no longer.
async fn withdraw_key(State(cloud): State<Cloud>, Path(kid): Path<String>) -> Response {
    if cloud.with(|_, state| state.entra.keys_mut().withdraw(&kid)) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refuse(StatusCode::CONFLICT, "there is no such key, or it is the one that signs")
    }
}

/// `GET /sandbox/entra/policy`.
async fn policy(State(cloud): State<Cloud>) -> Response {
    Json(cloud.with(|_, state| state.entra.policy_mut().clone())).into_response()
}

/// `PUT /sandbox/entra/policy`, such as `{"mfa": ["alice"], "blocked": [], "group_overage": true}`.
async fn set_policy(State(cloud): State<Cloud>, Json(policy): Json<Policy>) -> Response {
    cloud.with(|_, state| *state.entra.policy_mut() = policy);
    StatusCode::NO_CONTENT.into_response()
}

/// `GET /sandbox/entra/trouble`.
async fn troubles(State(cloud): State<Cloud>) -> Response {
    Json(cloud.with(|_, state| state.entra.troubles_mut().list().to_vec())).into_response()
}

/// `PUT /sandbox/entra/trouble`, such as `[{"at": "token", "status": 429, "retry_after_s": 2, "times": 3}]`.
async fn set_troubles(State(cloud): State<Cloud>, Json(troubles): Json<Vec<Trouble>>) -> Response {
    if troubles.iter().filter_map(|trouble| trouble.status).any(|status| !(400..=599).contains(&status)) {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "a status is between 400 and 599");
    }
    cloud.with(|_, state| state.entra.troubles_mut().set(troubles));
    StatusCode::NO_CONTENT.into_response()
}

/// `DELETE /sandbox/entra/trouble`.
async fn end_troubles(State(cloud): State<Cloud>) -> StatusCode {
    cloud.with(|_, state| state.entra.troubles_mut().set(Vec::new()));
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

/// `GET /sandbox/entra/log?after=N`: what was asked of Entra, and how it ended.
async fn log(State(cloud): State<Cloud>, Query(After { after }): Query<After>) -> Response {
    let lines: Vec<_> = cloud
        .with(|_, state| state.entra.log().filter(|answered| answered.number > after).cloned().collect());
    Json(lines).into_response()
}

/// `POST /sandbox/tab-token` with `{"user": "alice"}`: what `getAuthToken` gives a tab in Teams. 403 with the word that
/// the client would hand on when there is none.
async fn tab_token(State(cloud): State<Cloud>, Json(request): Json<TabTokenRequest>) -> Response {
    match cloud.with(|now, state| state.entra.tab_token(&state.directory, now, &request)) {
        Ok(token) => Json(json!({ "token": token })).into_response(),
        Err(fault @ TabTokenFault::Unknown) => refuse(StatusCode::NOT_FOUND, fault.to_string()),
        Err(fault) => refuse(StatusCode::FORBIDDEN, fault.to_string()),
    }
}

/// `POST /sandbox/token`: a token with whatever is wished to be wrong about it, such as
/// `{"user": "alice", "algorithm": "none"}`.
async fn token(State(cloud): State<Cloud>, Json(forgery): Json<Forgery>) -> Response {
    match cloud.with(|now, state| state.entra.forge(&state.directory, now, &forgery)) {
        Ok(token) => Json(json!({ "token": token })).into_response(),
        Err(fault @ ForgeFault::Key(_)) => refuse(StatusCode::INTERNAL_SERVER_ERROR, fault.to_string()),
        Err(fault) => refuse(StatusCode::NOT_FOUND, fault.to_string()),
    }
}

fn tenant_of(state: &CloudState, name: &str) -> Result<EntraTenantId, DirectoryRefusal> {
    state.directory.tenant_named(name).map(|tenant| tenant.id.clone()).ok_or(DirectoryRefusal::NoTenant)
}

fn person(state: &CloudState, name: &str) -> Result<(EntraTenantId, ObjectId), DirectoryRefusal> {
    let user = state.directory.user_named(name).ok_or(DirectoryRefusal::NoUser)?;
    Ok((user.tenant.clone(), user.object_id.clone()))
}

fn group_of(state: &CloudState, tenant: &EntraTenantId, name: &str) -> Result<ObjectId, DirectoryRefusal> {
    let tenant = state.directory.tenant(tenant).ok_or(DirectoryRefusal::NoTenant)?;
    let is = |group: &&Group| group.name == name || group.id == ObjectId::new(name);
    tenant.groups.values().find(is).map(|group| group.id.clone()).ok_or(DirectoryRefusal::NoGroup)
}

fn done(result: Result<(), DirectoryRefusal>) -> Response {
    result.map_or_else(refused, |()| StatusCode::NO_CONTENT.into_response())
}

fn made<E: std::fmt::Display>(result: Result<(), E>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn refused(refusal: DirectoryRefusal) -> Response {
    let status = match refusal {
        DirectoryRefusal::UserTwice | DirectoryRefusal::TooMany | DirectoryRefusal::NotConsented => {
            StatusCode::CONFLICT
        }
        _ => StatusCode::NOT_FOUND,
    };
    refuse(status, refusal.to_string())
}

fn refuse(status: StatusCode, error: impl Into<String>) -> Response {
    (status, Json(json!({ "error": error.into() }))).into_response()
}
