//! Webhooks: programs that are told what happens, how far, and how it went.

use rusqlite::{OptionalExtension, Row, params};

use super::refusal::{check_document, check_length};
use super::{Failure, Noun, Refusal, Register, Scope, rows};
use crate::{FactNumber, Fault, Tenant};

/// A program that is told what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRow {
    /// Unique in its tenant; drawn by the caller.
    pub id: String,
    /// Where, of what, and all else (JSON). Its secret is a [`Secret`](super::Secret).
    pub document: String,
    /// The last fact that was delivered. What comes next is read from the journal.
    pub cursor: FactNumber,
    /// What it is in, such as `active` or `paused`.
    pub state: String,
    /// When the document or the state was changed last.
    pub changed_ms: i64,
}

/// One attempt to deliver a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its place in the log of the webhook: 1 for the first, and so on.
    pub entry: i64,
    /// Which fact.
    pub number: FactNumber,
    /// 1 for the first attempt, and so on.
    pub attempt: u32,
    /// When it began.
    pub at_ms: i64,
    /// The status of the HTTP answer, if there was one.
    pub status: Option<u16>,
    /// How long it took.
    pub took_ms: i64,
    /// What went wrong, if anything did.
    pub error: Option<String>,
}

impl Register {
    /// Adds a webhook, or changes its document and its state. The cursor of one that is there is not changed, see
    /// [`Register::webhook_move`].
    ///
    /// # Errors
    ///
    /// There are [`WEBHOOKS_MAX`]; the disk failed.
    pub fn webhook_put(&self, tenant: &Tenant, row: &WebhookRow) -> Result<(), Failure> {
        self.write(&Scope::from(tenant), |transaction| {
            check_document(Noun::Webhook, &row.document)?;
            check_length(Noun::Webhook, row.id.len(), ID_BYTES_MAX)?;
            let others: u32 = transaction
                .prepare_cached("SELECT count(*) FROM webhooks WHERE tenant = ?1 AND id <> ?2")?
                .query_row(params![tenant.as_str(), row.id], |row| row.get(0))?;
            if others >= WEBHOOKS_MAX {
                return Err(Refusal::Full { noun: Noun::Webhook, most: WEBHOOKS_MAX }.into());
            }
            transaction.prepare_cached(UPSERT)?.execute(params![
                tenant.as_str(),
                row.id,
                row.document,
                row.cursor.0.cast_signed(),
                row.state,
                row.changed_ms
            ])?;
            Ok(())
        })
    }

    /// The webhooks of a tenant, by id; at most [`WEBHOOKS_MAX`].
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn webhooks(&self, tenant: &Tenant) -> Result<Vec<WebhookRow>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, document, cursor, state, changed_ms FROM webhooks WHERE tenant = ?1 ORDER BY id",
                )?
                .query_map([tenant.as_str()], webhook)?
                .collect()
        })
    }

    /// A webhook.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn webhook(&self, tenant: &Tenant, id: &str) -> Result<Option<WebhookRow>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, document, cursor, state, changed_ms FROM webhooks \
                     WHERE tenant = ?1 AND id = ?2",
                )?
                .query_row(params![tenant.as_str(), id], webhook)
                .optional()
        })
    }

    /// Lets a webhook go on after a fact: an earlier one to tell again what came since, a later one to leave some out.
    ///
    /// # Errors
    ///
    /// There is no such webhook; the disk failed.
    pub fn webhook_move(&self, tenant: &Tenant, id: &str, cursor: FactNumber) -> Result<(), Failure> {
        self.write(&Scope::from(tenant), |transaction| {
            let moved = transaction
                .prepare_cached("UPDATE webhooks SET cursor = ?3 WHERE tenant = ?1 AND id = ?2")?
                .execute(params![tenant.as_str(), id, cursor.0.cast_signed()])?;
            if moved == 0 { Err(Refusal::Unknown(Noun::Webhook).into()) } else { Ok(()) }
        })
    }

    /// Removes a webhook with its log. `false` if there was none.
    ///
    /// # Errors
    ///
    /// The disk failed.
    pub fn webhook_remove(&self, tenant: &Tenant, id: &str) -> Result<bool, Failure> {
        self.erase(&Scope::from(tenant), |transaction| {
            transaction.execute(
                "DELETE FROM deliveries WHERE tenant = ?1 AND webhook = ?2",
                params![tenant.as_str(), id],
            )?;
            let gone = transaction.execute(
                "DELETE FROM webhooks WHERE tenant = ?1 AND id = ?2",
                params![tenant.as_str(), id],
            )?;
            Ok(gone > 0)
        })
    }

    /// Writes attempts into the log of a webhook, in this order, and moves its cursor, both or none. Their `entry` is not
    /// looked at. Of the log the last [`DELIVERIES_KEPT`] stay.
    ///
    /// `cursor` goes with the cursor that the attempts began from: if somebody has moved it since, it stays where it was
    /// put.
    ///
    /// # Errors
    ///
    /// There is no such webhook; the disk failed.
    pub fn deliveries_append(
        &self,
        tenant: &Tenant,
        webhook: &str,
        deliveries: &[DeliveryRow],
        cursor: Option<(FactNumber, FactNumber)>,
    ) -> Result<(), Failure> {
        self.write(&Scope::from(tenant), |transaction| {
            let known: bool = transaction
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM webhooks WHERE tenant = ?1 AND id = ?2)")?
                .query_row(params![tenant.as_str(), webhook], |row| row.get(0))?;
            if !known {
                return Err(Refusal::Unknown(Noun::Webhook).into());
            }
            let mut entry: i64 = transaction
                .prepare_cached(
                    "SELECT coalesce(max(entry), 0) FROM deliveries WHERE tenant = ?1 AND webhook = ?2",
                )?
                .query_row(params![tenant.as_str(), webhook], |row| row.get(0))?;
            let mut insert = transaction.prepare_cached(INSERT_DELIVERY)?;
            for delivery in deliveries {
                check_length(Noun::Webhook, delivery.error.as_ref().map_or(0, String::len), ERROR_BYTES_MAX)?;
                entry += 1;
                insert.execute(params![
                    tenant.as_str(),
                    webhook,
                    entry,
                    delivery.number.0.cast_signed(),
                    delivery.attempt,
                    delivery.at_ms,
                    delivery.status,
                    delivery.took_ms,
                    delivery.error
                ])?;
            }
            transaction
                .prepare_cached("DELETE FROM deliveries WHERE tenant = ?1 AND webhook = ?2 AND entry <= ?3")?
                .execute(params![tenant.as_str(), webhook, entry - DELIVERIES_KEPT])?;
            if let Some((from, to)) = cursor {
                transaction
                    .prepare_cached(
                        "UPDATE webhooks SET cursor = ?4 WHERE tenant = ?1 AND id = ?2 AND cursor = ?3",
                    )?
                    .execute(params![tenant.as_str(), webhook, from.0.cast_signed(), to.0.cast_signed()])?;
            }
            Ok(())
        })
    }

    /// The log of a webhook before an entry, the latest first, at most [`DELIVERIES_KEPT`].
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn deliveries(
        &self,
        tenant: &Tenant,
        webhook: &str,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT entry, number, attempt, at_ms, status, took_ms, error FROM deliveries \
                     WHERE tenant = ?1 AND webhook = ?2 AND entry < ?3 ORDER BY entry DESC LIMIT ?4",
                )?
                .query_map(
                    params![tenant.as_str(), webhook, before.unwrap_or(i64::MAX), rows(limit)],
                    delivery,
                )?
                .collect()
        })
    }
}

fn webhook(row: &Row<'_>) -> rusqlite::Result<WebhookRow> {
    Ok(WebhookRow {
        id: row.get(0)?,
        document: row.get(1)?,
        cursor: FactNumber(row.get::<_, i64>(2)?.cast_unsigned()),
        state: row.get(3)?,
        changed_ms: row.get(4)?,
    })
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        entry: row.get(0)?,
        number: FactNumber(row.get::<_, i64>(1)?.cast_unsigned()),
        attempt: row.get(2)?,
        at_ms: row.get(3)?,
        status: row.get(4)?,
        took_ms: row.get(5)?,
        error: row.get(6)?,
    })
}

const UPSERT: &str = "INSERT INTO webhooks (tenant, id, document, cursor, state, changed_ms) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (tenant, id) DO UPDATE SET \
     document = excluded.document, state = excluded.state, changed_ms = excluded.changed_ms";
const INSERT_DELIVERY: &str = "INSERT INTO deliveries \
     (tenant, webhook, entry, number, attempt, at_ms, status, took_ms, error) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

/// Webhooks of one tenant at most; one more is refused.
pub const WEBHOOKS_MAX: u32 = 100;

/// Attempts in the log of one webhook; with each one more the oldest goes.
pub const DELIVERIES_KEPT: i64 = 1_000;

const ID_BYTES_MAX: u32 = 256;

/// What went wrong with one attempt, in bytes; more is refused.
const ERROR_BYTES_MAX: u32 = 4 * 1024;
