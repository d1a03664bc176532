//! The look-ups that find the tenant, and so cannot begin with it: what somebody shows at the door.

use rusqlite::{OptionalExtension, params};

use super::{CredentialRow, KeyRow, LoginRow, PersonRow, Register, Scope, credentials, keys, logins, people};
use crate::{Fault, Tenant};

impl Register {
    /// Who is known by an identity, and whose that person is.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn person_by_identity(
        &self,
        kind: &str,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<(Scope, PersonRow)>, Fault> {
        self.read(|connection| {
            let found: Option<(Scope, String)> = connection
                .prepare_cached(
                    "SELECT tenant, person FROM identities WHERE kind = ?1 AND issuer = ?2 AND subject = ?3",
                )?
                .query_row(params![kind, issuer, subject], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((scope, person)) = found else { return Ok(None) };
            Ok(people::read_one(connection, &scope, &person)?.map(|person| (scope, person)))
        })
    }

    /// A credential that names nobody (a passkey), with whose it is: tenant and id of the person.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn credential_by_id(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Option<(Scope, String, CredentialRow)>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT tenant, person, kind, id, data, label, created_ms, used_ms FROM credentials \
                     WHERE kind = ?1 AND id = ?2",
                )?
                .query_row(params![kind, id], |row| {
                    Ok((row.get(0)?, row.get(1)?, credentials::from_row(row, 2)?))
                })
                .optional()
        })
    }

    /// A login, ended or not, with whose it is.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn login_by_id(&self, id: &str) -> Result<Option<(Scope, LoginRow)>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!("SELECT tenant, {} FROM logins WHERE id = ?1", logins::COLUMNS))?
                .query_row([id], |row| Ok((row.get(0)?, logins::from_row(row, 1)?)))
                .optional()
        })
    }

    /// A key of a program, ended or not, with whose it is.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn key_by_id(&self, id: &str) -> Result<Option<(Scope, KeyRow)>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!("SELECT tenant, {} FROM keys WHERE id = ?1", keys::COLUMNS))?
                .query_row([id], |row| Ok((row.get(0)?, keys::from_row(row, 1)?)))
                .optional()
        })
    }

    /// Whose the person of this id is, if somebody has it.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn whose_person(&self, id: &str) -> Result<Option<Scope>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT tenant FROM people WHERE id = ?1 LIMIT 1")?
                .query_row([id], |row| row.get(0))
                .optional()
        })
    }

    /// The tenant whose the webhook of this id is, if there is one.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn whose_webhook(&self, id: &str) -> Result<Option<Tenant>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT tenant FROM webhooks WHERE id = ?1 LIMIT 1")?
                .query_row([id], |row| row.get(0))
                .optional()
        })
    }

    /// The tenant that an Entra tenant belongs to.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn tenant_by_entra(&self, tid: &str) -> Result<Option<Tenant>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT tenant FROM entra_tenants WHERE tid = ?1")?
                .query_row([tid], |row| row.get(0))
                .optional()
        })
    }
}
