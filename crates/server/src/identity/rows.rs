//! People, logins and keys as rows of the register, and back.

use serde::{Deserialize, Serialize};
use tandem_people::api_key::{ApiKey, KeyChange, Keys};
use tandem_people::login::{Change, LoginRow, Logins, RefreshHashes};
use tandem_people::moment::UnixMillis;
use tandem_people::person::{Identity as Known, Person};
use tandem_people::scope::Scope;
use tandem_people::secret::SecretHash;
use tandem_store::Tenant;
use tandem_store::register::{self, IdentityRow, KeyRow, PersonRow};

use super::fault::IdentityFault;
use super::trail::Job;

/// What is kept of a person.
#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    #[serde(flatten)]
    pub(super) person: Person,
    /// The person stands in the configuration; what is kept here only holds credentials and logins.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) configured: bool,
}

pub(super) fn person_row(document: &Document, now: UnixMillis) -> PersonRow {
    let person = &document.person;
    PersonRow {
        id: person.id.to_string(),
        name: person.name.as_ref().to_owned(),
        document: serde_json::to_string(document).unwrap_or_default(),
        enabled: person.enabled,
        created_ms: millis(person.created),
        changed_ms: millis(now),
        identities: person.identities.iter().map(identity_row).collect(),
    }
}

pub(super) fn identity_row(identity: &Known) -> IdentityRow {
    let (kind, issuer, subject) = match identity {
        Known::Entra { tenant, user } => ("entra", tenant.as_str(), user.as_str()),
        Known::Local { user_name } => ("local", "", user_name.as_str()),
    };
    IdentityRow { kind: kind.to_owned(), issuer: issuer.to_owned(), subject: subject.to_owned() }
}

pub(super) fn document(row: &PersonRow) -> Result<Document, IdentityFault> {
    serde_json::from_str(&row.document).map_err(|source| IdentityFault::Kept {
        what: "person",
        id: row.id.clone(),
        source,
    })
}

/// The person that is kept in a row; `None` if the row only keeps what belongs to somebody of the configuration.
pub(crate) fn kept_person(row: &PersonRow) -> Result<Option<Person>, IdentityFault> {
    Ok(Some(document(row)?).filter(|document| !document.configured).map(|document| document.person))
}

/// What is to be written of a change of logins; `None` if the login has ended since.
pub(super) fn login_job(logins: &Logins, change: Change) -> Option<Job> {
    match change {
        Change::Opened(row) => Some(Job::Login(store_scope(&row.scope)?, Box::new(login_row(&row)))),
        Change::Renewed { id, .. } => {
            let row = logins.login(&id)?;
            Some(Job::Login(store_scope(&row.scope)?, Box::new(login_row(row))))
        }
        Change::Used { id, at } => {
            let scope = store_scope(&logins.login(&id)?.scope)?;
            Some(Job::LoginUsed(scope, id.to_string(), millis(at)))
        }
        Change::Ended { id, at, .. } => Some(Job::LoginEnded(id.to_string(), millis(at))),
    }
}

pub(super) fn login_row(row: &LoginRow) -> register::LoginRow {
    register::LoginRow {
        id: row.id.to_string(),
        person: row.person.to_string(),
        secret_hash: row.refresh.to_bytes(),
        previous_hash: None,
        how: serde_json::to_value(row.how)
            .ok()
            .and_then(|how| how.as_str().map(str::to_owned))
            .unwrap_or_default(),
        label: row.label.as_ref().to_owned(),
        document: String::new(),
        created_ms: millis(row.created),
        used_ms: millis(row.used),
        expires_ms: millis(row.expires),
        revoked_ms: None,
    }
}

/// A login that was kept; `None` for one that no release of ours wrote.
pub(super) fn login(scope: &Scope, row: &register::LoginRow) -> Option<LoginRow> {
    Some(LoginRow {
        id: row.id.parse().ok()?,
        person: row.person.parse().ok()?,
        scope: scope.clone(),
        how: serde_json::from_value(serde_json::Value::String(row.how.clone())).ok()?,
        label: row.label.as_str().into(),
        refresh: RefreshHashes::from_bytes(&row.secret_hash)?,
        created: moment(row.created_ms),
        used: moment(row.used_ms),
        expires: moment(row.expires_ms),
    })
}

/// What is to be written of a change of keys.
pub(super) fn key_job(keys: &Keys, change: KeyChange) -> Option<Job> {
    match change {
        KeyChange::Issued(key) => Some(Job::Key(store_scope(&key.scope)?, Box::new(key_row(&key)))),
        KeyChange::Used { id, at } => {
            let scope = store_scope(&keys.key(&id)?.scope)?;
            Some(Job::KeyUsed(scope, id.to_string(), millis(at)))
        }
        KeyChange::Revoked { id, at } => Some(Job::KeyRevoked(id.to_string(), millis(at))),
    }
}

fn key_row(key: &ApiKey) -> KeyRow {
    KeyRow {
        id: key.id.to_string(),
        name: key.name.as_ref().to_owned(),
        hash: key.hash.map(|hash| hash.as_bytes().to_vec()).unwrap_or_default(),
        scopes: serde_json::to_string(&key.scopes).unwrap_or_default(),
        created_by: serde_json::to_string(&key.created_by).unwrap_or_default(),
        created_ms: millis(key.created),
        expires_ms: key.expires.map(millis),
        used_ms: key.used.map(millis),
        revoked_ms: key.revoked.map(millis),
    }
}

/// A key that was kept.
pub(super) fn key(scope: &Scope, row: &KeyRow) -> Result<ApiKey, IdentityFault> {
    let kept = |source| IdentityFault::Kept { what: "key", id: row.id.clone(), source };
    let hash = <[u8; SecretHash::BYTES]>::try_from(row.hash.as_slice()).ok().map(SecretHash::from_bytes);
    Ok(ApiKey {
        id: row.id.parse().map_err(|_| IdentityFault::Unknown("key"))?,
        scope: scope.clone(),
        name: row.name.as_str().into(),
        scopes: serde_json::from_str(&row.scopes).map_err(kept)?,
        hash,
        created_by: serde_json::from_str(&row.created_by).map_err(kept)?,
        created: moment(row.created_ms),
        expires: row.expires_ms.map(moment),
        used: row.used_ms.map(moment),
        revoked: row.revoked_ms.map(moment),
    })
}

/// The scope as the register has it; `None` for a name that no tenant can have.
pub fn store_scope(scope: &Scope) -> Option<register::Scope> {
    match scope {
        Scope::Installation => Some(register::Scope::Installation),
        Scope::Tenant(name) => name.parse::<Tenant>().ok().map(register::Scope::Tenant),
    }
}

/// The scope as people have it.
pub(super) fn people_scope(scope: &register::Scope) -> Scope {
    scope.tenant().map_or(Scope::Installation, |tenant| Scope::tenant(tenant.as_str()))
}

pub(super) fn millis(moment: UnixMillis) -> i64 {
    i64::try_from(moment.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn moment(millis: i64) -> UnixMillis {
    UnixMillis::from_millis(u64::try_from(millis).unwrap_or_default())
}
