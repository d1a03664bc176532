//! People, and by what they are known.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::refusal::{Abort, check_document, check_length};
use super::{Failure, Noun, Refusal, Register, Scope, rows};
use crate::Fault;

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Unique in its scope; drawn by the caller.
    pub id: String,
    /// The name as shown.
    pub name: String,
    /// Roles and all else (JSON).
    pub document: String,
    /// Whether the person may sign in.
    pub enabled: bool,
    /// When the person was first known.
    pub created_ms: i64,
    /// When any of this was changed last.
    pub changed_ms: i64,
    /// By what the person is known, in order; at most [`IDENTITIES_MAX`].
    pub identities: Vec<IdentityRow>,
}

/// By what somebody is known when signing in. It is one person's in the whole installation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdentityRow {
    /// Such as `entra` or `local`.
    pub kind: String,
    /// Who vouches for it, such as the id of the Entra tenant; empty if the kind has nobody.
    pub issuer: String,
    /// What the issuer calls the person, such as the object id, or the user name. Compared byte by byte: fold its case
    /// before.
    pub subject: String,
}

impl Register {
    /// Adds a person, or changes all but when it was created. Identities that are not named any more are removed.
    ///
    /// # Errors
    ///
    /// An identity is somebody else's; there are [`PEOPLE_MAX`] people or more than [`IDENTITIES_MAX`] identities; the
    /// disk failed.
    pub fn person_put(&self, scope: impl Into<Scope>, row: &PersonRow) -> Result<(), Failure> {
        let scope = scope.into();
        self.write(&scope, |transaction| {
            check_document(Noun::Person, &row.document)?;
            check_length(Noun::Person, row.id.len().max(row.name.len()), NAME_BYTES_MAX)?;
            let known: bool = transaction
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM people WHERE tenant = ?1 AND id = ?2)")?
                .query_row(params![scope, row.id], |row| row.get(0))?;
            if !known {
                check_room(transaction, &scope)?;
            }
            transaction.prepare_cached(UPSERT)?.execute(params![
                scope,
                row.id,
                row.name,
                row.document,
                row.enabled,
                row.created_ms,
                row.changed_ms
            ])?;
            put_identities(transaction, &scope, row)
        })
    }

    /// A person.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn person(&self, scope: impl Into<Scope>, id: &str) -> Result<Option<PersonRow>, Fault> {
        let scope = scope.into();
        self.read(|connection| read_one(connection, &scope, id))
    }

    /// People by id, after one, at most [`crate::PAGE_MAX`] of them.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn people(
        &self,
        scope: impl Into<Scope>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<PersonRow>, Fault> {
        let scope = scope.into();
        self.read(|connection| page(connection, &scope, after, limit))
    }

    /// People in whose documents a text stands, by id, at most [`crate::PAGE_MAX`] of them. All documents are looked through,
    /// tens of milliseconds for tens of thousands.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn people_naming(
        &self,
        scope: impl Into<Scope>,
        text: &str,
        limit: usize,
    ) -> Result<Vec<PersonRow>, Fault> {
        let scope = scope.into();
        self.read(|connection| {
            let mut people: Vec<PersonRow> = connection
                .prepare_cached(SELECT_NAMING)?
                .query_map(params![scope, text, rows(limit)], from_row)?
                .collect::<rusqlite::Result<_>>()?;
            for person in &mut people {
                person.identities = identities(connection, &scope, &person.id)?;
            }
            Ok(people)
        })
    }

    /// Removes a person with identities, credentials and logins. What the audit trail says stays. `false` if there
    /// was none.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn person_remove(&self, scope: impl Into<Scope>, id: &str) -> Result<bool, Failure> {
        let scope = scope.into();
        self.erase(&scope, |transaction| {
            for sql in REMOVE_WHAT_IS_OF_ONE {
                transaction.execute(sql, params![scope, id])?;
            }
            let gone = transaction
                .execute("DELETE FROM people WHERE tenant = ?1 AND id = ?2", params![scope, id])?;
            Ok(gone > 0)
        })
    }
}

/// Refuses what belongs to a person who is not there.
pub(super) fn check_known(connection: &Connection, scope: &Scope, person: &str) -> Result<(), Abort> {
    let known: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM people WHERE tenant = ?1 AND id = ?2)")?
        .query_row(params![scope, person], |row| row.get(0))?;
    if known { Ok(()) } else { Err(Refusal::Unknown(Noun::Person).into()) }
}

pub(super) fn read_one(
    connection: &Connection,
    scope: &Scope,
    id: &str,
) -> rusqlite::Result<Option<PersonRow>> {
    let found = connection.prepare_cached(SELECT_ONE)?.query_row(params![scope, id], from_row).optional()?;
    let Some(mut person) = found else { return Ok(None) };
    person.identities = identities(connection, scope, id)?;
    Ok(Some(person))
}

fn check_room(transaction: &Transaction<'_>, scope: &Scope) -> Result<(), Abort> {
    let count: u32 = transaction
        .prepare_cached("SELECT count(*) FROM people WHERE tenant = ?1")?
        .query_row([scope], |row| row.get(0))?;
    if count < PEOPLE_MAX {
        Ok(())
    } else {
        Err(Refusal::Full { noun: Noun::Person, most: PEOPLE_MAX }.into())
    }
}

pub(super) fn page(
    connection: &Connection,
    scope: &Scope,
    after: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<PersonRow>> {
    let mut people: Vec<PersonRow> = connection
        .prepare_cached(SELECT_PAGE)?
        .query_map(params![scope, after.unwrap_or_default(), rows(limit)], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    for person in &mut people {
        person.identities = identities(connection, scope, &person.id)?;
    }
    Ok(people)
}

fn put_identities(transaction: &Transaction<'_>, scope: &Scope, row: &PersonRow) -> Result<(), Abort> {
    if u32::try_from(row.identities.len()).is_ok_and(|count| count > IDENTITIES_MAX) {
        return Err(Refusal::Full { noun: Noun::Identity, most: IDENTITIES_MAX }.into());
    }
    transaction
        .prepare_cached("DELETE FROM identities WHERE tenant = ?1 AND person = ?2")?
        .execute(params![scope, row.id])?;
    for identity in &row.identities {
        let longest = identity.kind.len().max(identity.issuer.len()).max(identity.subject.len());
        check_length(Noun::Identity, longest, NAME_BYTES_MAX)?;
        let owner: Option<(Scope, String)> = transaction
            .prepare_cached(
                "SELECT tenant, person FROM identities WHERE kind = ?1 AND issuer = ?2 AND subject = ?3",
            )?
            .query_row(params![identity.kind, identity.issuer, identity.subject], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        match owner {
            Some((owner, person)) if owner == *scope && person == row.id => continue,
            Some(_) => return Err(Refusal::Taken(Noun::Identity).into()),
            None => {}
        }
        transaction
            .prepare_cached(
                "INSERT INTO identities (kind, issuer, subject, tenant, person) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![identity.kind, identity.issuer, identity.subject, scope, row.id])?;
    }
    Ok(())
}

fn identities(connection: &Connection, scope: &Scope, person: &str) -> rusqlite::Result<Vec<IdentityRow>> {
    connection
        .prepare_cached(
            "SELECT kind, issuer, subject FROM identities WHERE tenant = ?1 AND person = ?2 \
             ORDER BY kind, issuer, subject",
        )?
        .query_map(params![scope, person], |row| {
            Ok(IdentityRow { kind: row.get(0)?, issuer: row.get(1)?, subject: row.get(2)? })
        })?
        .collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<PersonRow> {
    Ok(PersonRow {
        id: row.get(0)?,
        name: row.get(1)?,
        document: row.get(2)?,
        enabled: row.get(3)?,
        created_ms: row.get(4)?,
        changed_ms: row.get(5)?,
        identities: Vec::new(),
    })
}

const SELECT_ONE: &str = "SELECT id, name, document, enabled, created_ms, changed_ms FROM people \
     WHERE tenant = ?1 AND id = ?2";
const SELECT_PAGE: &str = "SELECT id, name, document, enabled, created_ms, changed_ms FROM people \
     WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
const SELECT_NAMING: &str = "SELECT id, name, document, enabled, created_ms, changed_ms FROM people \
     WHERE tenant = ?1 AND instr(document, ?2) > 0 ORDER BY id LIMIT ?3";
const UPSERT: &str = "INSERT INTO people (tenant, id, name, document, enabled, created_ms, changed_ms) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, \
     document = excluded.document, enabled = excluded.enabled, changed_ms = excluded.changed_ms";
const REMOVE_WHAT_IS_OF_ONE: &[&str] = &[
    "DELETE FROM credentials WHERE tenant = ?1 AND person = ?2",
    "DELETE FROM identities WHERE tenant = ?1 AND person = ?2",
    "DELETE FROM logins WHERE tenant = ?1 AND person = ?2",
];

/// People of one tenant at most; nobody else can be added. Users who are only looked for stand in the directory.
pub const PEOPLE_MAX: u32 = 100_000;

/// Identities of one person at most; one more is refused.
pub const IDENTITIES_MAX: u32 = 16;

/// A name or an id, in bytes; a longer one is refused.
const NAME_BYTES_MAX: u32 = 1_024;
