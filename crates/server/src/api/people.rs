//! People: who may sign in, as what, and where they are signed in. Those of a tenant, and those who run the installation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Deserializer, Serialize};
use tandem_people::caller::{Caller, Who};
use tandem_people::id::PersonId;
use tandem_people::login::Ending;
use tandem_people::person::{Guid, Identity as Known, Person as KnownPerson, UserName};
use tandem_people::role::Role;
use tandem_people::scope::Scope as Owner;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::command::{self, CommandFaults};
use super::error::ApiError;
use super::me::{Ended, HeldRole, Logins, micros};
use super::scope::{OfInstallation, Scope};
use super::trail::Noted;
use crate::identity::{self, Identity, IdentityFault, NewPerson, PersonChange, local_name};

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonView {
    /// The id.
    pub id: String,
    /// The name as it is shown.
    pub name: String,
    /// The name for a local sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The users in Entra.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entra: Vec<EntraId>,
    /// The roles, each with where it was said.
    pub roles: Vec<HeldRole>,
    /// Roles in tenants, of somebody of the installation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tenants: BTreeMap<String, BTreeSet<RoleName>>,
    /// The agent that the person is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Whether the person may sign in.
    pub enabled: bool,
    /// Whether the person stands in the configuration, which alone changes them.
    pub configured: bool,
    /// Where the person is signed in now.
    pub logins: u64,
    /// Since when the person is known, in microseconds since 1970 UTC; missing if only from the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
}

/// A user in Entra.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntraId {
    /// The Entra tenant, a GUID.
    pub tenant: String,
    /// The object id of the user, a GUID.
    pub user: String,
}

/// What a person is to the contact center.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleName {
    /// Talks to customers.
    Agent,
    /// Is asked by agents.
    Expert,
    /// Looks after the floor.
    Supervisor,
    /// Decides everything of a tenant.
    Administrator,
    /// Runs the installation.
    Operator,
}

/// People, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct People {
    /// The people.
    pub people: Vec<PersonView>,
    /// The cursor of the next page; missing on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which people are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PeopleQuery {
    /// `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// How many at most, 1 to 200; 50 by default.
    #[serde(default)]
    limit: Option<usize>,
}

/// A person to be added.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonWish {
    /// The name as it is shown.
    pub name: String,
    /// The name for a local sign-in, unique in the installation; an invitation sets the password.
    #[serde(default)]
    pub user_name: Option<String>,
    /// The user in Entra, of an Entra tenant that is connected.
    #[serde(default)]
    pub entra: Option<EntraId>,
    /// The roles.
    #[serde(default)]
    pub roles: BTreeSet<RoleName>,
    /// Roles in tenants, of somebody of the installation.
    #[serde(default)]
    pub tenants: BTreeMap<String, BTreeSet<RoleName>>,
    /// The agent that the person is.
    #[serde(default)]
    pub agent: Option<String>,
}

/// What is to be changed of a person; what is missing stays as it is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonPatch {
    /// The name as it is shown.
    #[serde(default)]
    pub name: Option<String>,
    /// The name for a local sign-in; `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub user_name: Option<Option<String>>,
    /// All the roles that are given here. What Entra or the configuration says stays.
    #[serde(default)]
    pub roles: Option<BTreeSet<RoleName>>,
    /// All the roles in tenants, of somebody of the installation.
    #[serde(default)]
    pub tenants: Option<BTreeMap<String, BTreeSet<RoleName>>>,
    /// The agent that the person is; `null` takes the link away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub agent: Option<Option<String>>,
    /// Whether the person may sign in. One who may not loses all logins at once.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// A link by which somebody sets a password, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitationLink {
    /// What stands in the link, shown this once; `POST /auth/invitation` takes it.
    pub code: String,
    /// The link, from the address of the page on.
    pub path: String,
    /// Until when it is good, in microseconds since 1970 UTC.
    pub until: u64,
}

/// Who somebody is and has is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removed {
    /// The id that is gone.
    pub id: String,
}

/// The people of the tenant.
#[utoipa::path(
    get, path = "/api/v1/people", tag = "people", operation_id = "person_list", params(PeopleQuery),
    responses((status = 200, description = "A page of people.", body = People), CommandFaults)
)]
pub(super) async fn list(
    scope: Scope,
    query: Result<Query<PeopleQuery>, QueryRejection>,
) -> Result<Json<People>, ApiError> {
    page(&scope.api, owner(&scope), query?.0).await
}

/// Adds a person to the tenant.
#[utoipa::path(
    post, path = "/api/v1/people", tag = "people", operation_id = "person_create",
    params(("Idempotency-Key" = Option<String>, Header, description = "Drawn anew for each command.")),
    request_body = PersonWish,
    responses((status = 201, description = "The person is added.", body = PersonView), CommandFaults)
)]
pub(super) async fn create(
    scope: Scope,
    headers: HeaderMap,
    body: Result<Json<PersonWish>, JsonRejection>,
) -> Result<Response, ApiError> {
    add(&scope.api, &scope.caller, owner(&scope), &headers, body?.0).await
}

/// A person of the tenant.
#[utoipa::path(
    get, path = "/api/v1/people/{id}", tag = "people", operation_id = "person_view",
    params(("id" = String, Path, description = "The person.")),
    responses((status = 200, description = "The person.", body = PersonView), CommandFaults)
)]
pub(super) async fn view(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<PersonView>, ApiError> {
    show(&scope.api, owner(&scope), &id?.0).await
}

/// Changes a person of the tenant; it counts from their next request on.
#[utoipa::path(
    patch, path = "/api/v1/people/{id}", tag = "people", operation_id = "person_change",
    params(
        ("id" = String, Path, description = "The person."),
        ("Idempotency-Key" = Option<String>, Header, description = "Drawn anew for each command."),
    ),
    request_body = PersonPatch,
    responses((status = 200, description = "The person afterwards.", body = PersonView), CommandFaults)
)]
pub(super) async fn change(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Json<PersonPatch>, JsonRejection>,
) -> Result<Response, ApiError> {
    alter(&scope.api, &scope.caller, owner(&scope), &id?.0, &headers, body?.0).await
}

/// Removes a person of the tenant, with credentials and logins. What the audit trail says stays.
#[utoipa::path(
    delete, path = "/api/v1/people/{id}", tag = "people", operation_id = "person_remove",
    params(("id" = String, Path, description = "The person.")),
    responses((status = 200, description = "The person is removed.", body = Removed), CommandFaults)
)]
pub(super) async fn remove(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    forget(&scope.api, &scope.caller, owner(&scope), &id?.0, &headers).await
}

/// Where a person is signed in.
#[utoipa::path(
    get, path = "/api/v1/people/{id}/logins", tag = "people", operation_id = "person_logins",
    params(("id" = String, Path, description = "The person.")),
    responses((status = 200, description = "The logins.", body = Logins), CommandFaults)
)]
pub(super) async fn logins(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Logins>, ApiError> {
    let (owner, id) = (owner(&scope), person_id(&id?.0)?);
    let this = match scope.caller.who() {
        Who::Person { login, .. } => login.clone(),
        _ => None,
    };
    let logins = scope.api.identity.change(move |identity| {
        identity.person(&owner, &id)?.ok_or(IdentityFault::Unknown("person"))?;
        Ok(Logins::of(identity.logins(&id), this.as_ref()))
    });
    Ok(Json(logins.await?))
}

/// Ends all logins of a person at once.
#[utoipa::path(
    delete, path = "/api/v1/people/{id}/logins", tag = "people", operation_id = "person_logins_end",
    params(("id" = String, Path, description = "The person.")),
    responses((status = 200, description = "How many have ended.", body = Ended), CommandFaults)
)]
pub(super) async fn logins_revoke(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Ended>, ApiError> {
    send_away(&scope.api, owner(&scope), &id?.0).await
}

/// Makes a link by which a person sets a password. One that was made before is worthless then.
#[utoipa::path(
    post, path = "/api/v1/people/{id}/invitation", tag = "people", operation_id = "person_invite",
    params(("id" = String, Path, description = "The person.")),
    responses((status = 201, description = "The link, shown this once.", body = InvitationLink), CommandFaults)
)]
pub(super) async fn invite(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let owner = owner(&scope);
    send_invitation(&scope.api, &scope.caller, owner, &id?.0, &headers).await
}

/// The people who run the installation.
#[utoipa::path(
    get, path = "/api/v1/installation/people", tag = "people", operation_id = "operator_list", params(PeopleQuery),
    responses((status = 200, description = "A page of people.", body = People), CommandFaults)
)]
pub(super) async fn list_of_installation(
    scope: OfInstallation,
    query: Result<Query<PeopleQuery>, QueryRejection>,
) -> Result<Json<People>, ApiError> {
    page(&scope.api, Owner::Installation, query?.0).await
}

/// Adds somebody who runs the installation.
#[utoipa::path(
    post, path = "/api/v1/installation/people", tag = "people", operation_id = "operator_create",
    params(("Idempotency-Key" = Option<String>, Header, description = "Drawn anew for each command.")),
    request_body = PersonWish,
    responses((status = 201, description = "The person is added.", body = PersonView), CommandFaults)
)]
pub(super) async fn create_of_installation(
    scope: OfInstallation,
    headers: HeaderMap,
    body: Result<Json<PersonWish>, JsonRejection>,
) -> Result<Response, ApiError> {
    add(&scope.api, &scope.caller, Owner::Installation, &headers, body?.0).await
}

/// Somebody who runs the installation.
#[utoipa::path(
    get, path = "/api/v1/installation/people/{id}", tag = "people", operation_id = "operator_view",
    params(("id" = String, Path, description = "The person.")),
    responses((status = 200, description = "The person.", body = PersonView), CommandFaults)
)]
pub(super) async fn view_of_installation(
    scope: OfInstallation,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<PersonView>, ApiError> {
    show(&scope.api, Owner::Installation, &id?.0).await
}

/// Changes somebody who runs the installation, and the roles that they have in tenants.
#[utoipa::path(
    patch, path = "/api/v1/installation/people/{id}", tag = "people", operation_id = "operator_change",
    params(
        ("id" = String, Path, description = "The person."),
        ("Idempotency-Key" = Option<String>, Header, description = "Drawn anew for each command."),
    ),
    request_body = PersonPatch,
    responses((status = 200, description = "The person afterwards.", body = PersonView), CommandFaults)
)]
pub(super) async fn change_of_installation(
    scope: OfInstallation,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Json<PersonPatch>, JsonRejection>,
) -> Result<Response, ApiError> {
    alter(&scope.api, &scope.caller, Owner::Installation, &id?.0, &headers, body?.0).await
}

/// Removes somebody who ran the installation.
#[utoipa::path(
    delete, path = "/api/v1/installation/people/{id}", tag = "people", operation_id = "operator_remove",
    params(("id" = String, Path, description = "The person.")),
    responses((status = 200, description = "The person is removed.", body = Removed), CommandFaults)
)]
pub(super) async fn remove_of_installation(
    scope: OfInstallation,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    forget(&scope.api, &scope.caller, Owner::Installation, &id?.0, &headers).await
}

/// Ends all logins of somebody who runs the installation.
#[utoipa::path(
    delete, path = "/api/v1/installation/people/{id}/logins", tag = "people", operation_id = "operator_logins_end",
    params(("id" = String, Path, description = "The person.")),
    responses((status = 200, description = "How many have ended.", body = Ended), CommandFaults)
)]
pub(super) async fn logins_revoke_of_installation(
    scope: OfInstallation,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Ended>, ApiError> {
    send_away(&scope.api, Owner::Installation, &id?.0).await
}

/// Makes a link by which somebody who runs the installation sets a password.
#[utoipa::path(
    post, path = "/api/v1/installation/people/{id}/invitation", tag = "people", operation_id = "operator_invite",
    params(("id" = String, Path, description = "The person.")),
    responses((status = 201, description = "The link, shown this once.", body = InvitationLink), CommandFaults)
)]
pub(super) async fn invite_of_installation(
    scope: OfInstallation,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    send_invitation(&scope.api, &scope.caller, Owner::Installation, &id?.0, &headers).await
}

/// Whose the people of a tenant's route are.
pub(super) fn owner(scope: &Scope) -> Owner {
    Owner::tenant(scope.desk.tenant().as_str())
}

async fn page(api: &Api, owner: Owner, query: PeopleQuery) -> Result<Json<People>, ApiError> {
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&limit) {
        let message = format!("limit is 1 to {PAGE_MAX}");
        return Err(ApiError::bad_request("bad_limit", message, "send another limit").field("limit"));
    }
    let after = match query.cursor.as_deref().map(str::parse::<PersonId>) {
        None => None,
        Some(Ok(after)) => Some(after),
        Some(Err(_)) => {
            let remedy = "send `next` of the page before";
            return Err(ApiError::bad_request("bad_cursor", "this is no cursor", remedy).field("cursor"));
        }
    };
    let found = api.identity.change(move |identity| {
        let mut found = identity.people_page(&owner, after.as_ref(), limit + 1)?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|person| person.id.to_string());
        let people = found.iter().map(|person| PersonView::of(identity, person)).collect();
        Ok(People { people, next })
    });
    Ok(Json(found.await?))
}

async fn show(api: &Api, owner: Owner, id: &str) -> Result<Json<PersonView>, ApiError> {
    let id = person_id(id)?;
    let found = api.identity.change(move |identity| {
        let person = identity.person(&owner, &id)?.ok_or(IdentityFault::Unknown("person"))?;
        Ok(PersonView::of(identity, &person))
    });
    Ok(Json(found.await?))
}

async fn add(
    api: &Api,
    caller: &Arc<Caller>,
    owner: Owner,
    headers: &HeaderMap,
    wish: PersonWish,
) -> Result<Response, ApiError> {
    let asked = format!("POST people {owner} {wish:?}");
    let (identity, by) = (api.identity.clone(), caller.clone());
    command::once(api, caller, headers, &asked, StatusCode::CREATED, async move {
        let entra = match &wish.entra {
            None => None,
            Some(entra) => Some((guid(&entra.tenant)?, guid(&entra.user)?)),
        };
        let wish = NewPerson {
            user_name: wish.user_name.as_deref().map(user_name).transpose()?,
            entra,
            roles: roles(&wish.roles),
            guest: guest(&wish.tenants),
            agent: wish.agent.as_deref().map(Arc::from),
            name: wish.name,
        };
        let added = identity.change(move |identity| {
            let person = identity.person_create(&by, &owner, wish, identity::now())?;
            let mut noted = noted_person(&person.id);
            noted.detail = vec![("roles", said(&person)), ("name", person.name.to_string())];
            Ok((PersonView::of(identity, &person), noted))
        });
        Ok(added.await?)
    })
    .await
}

async fn alter(
    api: &Api,
    caller: &Arc<Caller>,
    owner: Owner,
    id: &str,
    headers: &HeaderMap,
    patch: PersonPatch,
) -> Result<Response, ApiError> {
    let id = person_id(id)?;
    let asked = format!("PATCH people {owner} {id} {patch:?}");
    let (identity, by) = (api.identity.clone(), caller.clone());
    command::once(api, caller, headers, &asked, StatusCode::OK, async move {
        let change = PersonChange {
            name: patch.name,
            user_name: match patch.user_name {
                None => None,
                Some(None) => Some(None),
                Some(Some(text)) => Some(Some(user_name(&text)?)),
            },
            roles: patch.roles.as_ref().map(roles),
            guest: patch.tenants.as_ref().map(guest),
            agent: patch.agent.map(|agent| agent.as_deref().map(Arc::from)),
            enabled: patch.enabled,
        };
        let changed = identity.change(move |identity| {
            let before = identity.person(&owner, &id)?.ok_or(IdentityFault::Unknown("person"))?;
            let after = identity.person_change(&by, &owner, &id, change, identity::now())?;
            Ok((PersonView::of(identity, &after), noted_change(&before, &after)))
        });
        Ok(changed.await?)
    })
    .await
}

async fn forget(
    api: &Api,
    caller: &Arc<Caller>,
    owner: Owner,
    id: &str,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let id = person_id(id)?;
    let asked = format!("DELETE people {owner} {id}");
    let (identity, by) = (api.identity.clone(), caller.clone());
    command::once(api, caller, headers, &asked, StatusCode::OK, async move {
        let removed = identity.change(move |identity| {
            identity.person_remove(&by, &owner, &id, identity::now())?;
            Ok((Removed { id: id.to_string() }, noted_person(&id)))
        });
        Ok(removed.await?)
    })
    .await
}

async fn send_away(api: &Api, owner: Owner, id: &str) -> Result<Json<Ended>, ApiError> {
    let id = person_id(id)?;
    let ended = api.identity.change(move |identity| {
        identity.person(&owner, &id)?.ok_or(IdentityFault::Unknown("person"))?;
        identity.logins_revoke(&id, None, Ending::Revoked, identity::now())
    });
    Ok(Json(Ended { ended: u64::try_from(ended.await?).unwrap_or(u64::MAX) }))
}

async fn send_invitation(
    api: &Api,
    caller: &Arc<Caller>,
    owner: Owner,
    id: &str,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let id = person_id(id)?;
    let asked = format!("POST invitation {owner} {id}");
    let (identity, by) = (api.identity.clone(), caller.clone());
    command::once(api, caller, headers, &asked, StatusCode::CREATED, async move {
        let invited = identity.change(move |identity| {
            let invitation = identity.invite(&by, &owner, &id, identity::now())?;
            let code = invitation.code.expose().to_owned();
            let path = format!("/invitation#{code}");
            Ok((InvitationLink { code, path, until: micros(invitation.until) }, noted_person(&id)))
        });
        Ok(invited.await?)
    })
    .await
}

impl PersonView {
    fn of(identity: &Identity, person: &KnownPerson) -> PersonView {
        let entra = person.identities.iter().filter_map(|known| match known {
            Known::Entra { tenant, user } => {
                Some(EntraId { tenant: tenant.to_string(), user: user.to_string() })
            }
            Known::Local { .. } => None,
        });
        let tenants = person.guest.iter();
        PersonView {
            id: person.id.to_string(),
            name: person.name.to_string(),
            user_name: local_name(person).map(|name| name.to_string()),
            entra: entra.collect(),
            roles: HeldRole::all_of(person),
            tenants: tenants
                .map(|(tenant, roles)| {
                    (tenant.to_string(), roles.iter().copied().map(RoleName::of).collect())
                })
                .collect(),
            agent: person.agent.as_deref().map(str::to_owned),
            enabled: person.enabled,
            configured: identity.is_configured(&person.scope, &person.id),
            logins: u64::try_from(identity.logins(&person.id).len()).unwrap_or(u64::MAX),
            created: Some(micros(person.created)).filter(|created| *created > 0),
        }
    }
}

impl RoleName {
    const fn of(role: Role) -> RoleName {
        match role {
            Role::Agent => RoleName::Agent,
            Role::Expert => RoleName::Expert,
            Role::Supervisor => RoleName::Supervisor,
            Role::Administrator => RoleName::Administrator,
            Role::Operator => RoleName::Operator,
        }
    }

    const fn role(self) -> Role {
        match self {
            RoleName::Agent => Role::Agent,
            RoleName::Expert => Role::Expert,
            RoleName::Supervisor => Role::Supervisor,
            RoleName::Administrator => Role::Administrator,
            RoleName::Operator => Role::Operator,
        }
    }
}

fn noted_person(id: &PersonId) -> Noted {
    Noted { object: Some(format!("person/{id}")), detail: Vec::new() }
}

fn noted_change(before: &KnownPerson, after: &KnownPerson) -> Noted {
    let mut noted = noted_person(&after.id);
    let agent = |person: &KnownPerson| person.agent.as_deref().unwrap_or_default().to_owned();
    let user_name =
        |person: &KnownPerson| local_name(person).map(|name| name.to_string()).unwrap_or_default();
    let pairs = [
        (("roles_before", said(before)), ("roles", said(after))),
        (("agent_before", agent(before)), ("agent", agent(after))),
        (("enabled_before", before.enabled.to_string()), ("enabled", after.enabled.to_string())),
        (("user_name_before", user_name(before)), ("user_name", user_name(after))),
        (("name_before", before.name.to_string()), ("name", after.name.to_string())),
    ];
    for (was, is) in pairs {
        if was.1 != is.1 {
            noted.detail.extend([was, is]);
        }
    }
    noted
}

/// The roles that were given here, as text.
fn said(person: &KnownPerson) -> String {
    let mut text: Vec<String> = person.assigned.iter().map(Role::to_string).collect();
    for (tenant, roles) in &person.guest {
        text.extend(roles.iter().map(|role| format!("{role} in {tenant}")));
    }
    text.join(", ")
}

fn person_id(text: &str) -> Result<PersonId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found("person", text))
}

fn user_name(text: &str) -> Result<UserName, ApiError> {
    text.parse().map_err(|fault| IdentityFault::UserName(fault).into())
}

fn guid(text: &str) -> Result<Guid, ApiError> {
    text.parse().map_err(|_| {
        let remedy = "send the object id of the user and the id of the Entra tenant";
        ApiError::bad_request("bad_guid", format!("{text:?} is no GUID"), remedy).field("entra")
    })
}

fn roles(names: &BTreeSet<RoleName>) -> BTreeSet<Role> {
    names.iter().map(|name| name.role()).collect()
}

fn guest(tenants: &BTreeMap<String, BTreeSet<RoleName>>) -> BTreeMap<Arc<str>, BTreeSet<Role>> {
    let given = tenants.iter().filter(|(_, names)| !names.is_empty());
    given.map(|(tenant, names)| (Arc::from(tenant.as_str()), roles(names))).collect()
}

/// Tells a member that is `null` from one that is missing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// People on a page unless asked otherwise.
pub(super) const PAGE_DEFAULT: usize = 50;
/// Most people on a page.
pub(super) const PAGE_MAX: usize = 200;
