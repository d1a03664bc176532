//! Readings of the journal: in order, by interaction, by time of closing.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::master::Masters;
use crate::pool::Pool;
use crate::seal::{DataKey, Shut, Spot};
use crate::{FactNumber, Fault, Gone, InteractionKey, Mark, Personal, Record, Tenant};

/// The story of one interaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// Its facts, in order. Empty if the tenant has no such interaction.
    pub records: Vec<Record>,
    /// The story has more than [`STORY_MAX`] facts, and only the first ones are here.
    pub cut: bool,
}

/// An interaction that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Which one.
    pub interaction: InteractionKey,
    /// The fact that closed it; the place to go on from in the next page.
    pub number: FactNumber,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// What all facts up to a number add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last fact that is in it.
    pub number: FactNumber,
    /// The state, as its owner encoded it.
    pub state: Vec<u8>,
}

/// What [`Readers::record`] reads. The key is looked for only where something is sealed.
macro_rules! record_columns {
    () => {
        "SELECT number, at_ms, interaction, mark, fact, sealed, CASE WHEN sealed IS NOT NULL THEN \
         (SELECT wrapped FROM keys WHERE keys.tenant = facts.tenant \
          AND keys.interaction = coalesce(facts.interaction, facts.number)) END"
    };
}

/// Reads the journal.
pub(crate) struct Readers {
    pool: Pool,
    masters: Arc<Masters>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, masters: Arc<Masters>) -> Readers {
        Readers { pool: Pool::new(path), masters }
    }

    pub(crate) fn last_number(&self, tenant: &Tenant) -> Result<FactNumber, Fault> {
        self.read(|connection| {
            let last: Option<i64> = connection
                .prepare_cached("SELECT max(number) FROM facts WHERE tenant = $1")?
                .query_row([tenant.as_str()], |row| row.get(0))?;
            Ok(FactNumber(last.unwrap_or_default().cast_unsigned()))
        })
    }

    pub(crate) fn facts(
        &self,
        tenant: &Tenant,
        after: FactNumber,
        limit: usize,
    ) -> Result<Vec<Record>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(concat!(
                    record_columns!(),
                    " FROM facts WHERE tenant = $1 AND number > $2 ORDER BY number LIMIT $3"
                ))?
                .query_map(params![tenant.as_str(), number_column(after), rows(limit, PAGE_MAX)], |row| {
                    self.record(tenant, row)
                })?
                .collect()
        })
    }

    pub(crate) fn personal(
        &self,
        tenant: &Tenant,
        after: FactNumber,
        limit: usize,
    ) -> Result<Vec<Record>, Fault> {
        self.read(|connection| {
            connection
                .prepare_cached(concat!(
                    record_columns!(),
                    " FROM facts WHERE tenant = $1 AND number > $2 AND sealed IS NOT NULL AND EXISTS \
                      (SELECT 1 FROM keys WHERE keys.tenant = facts.tenant \
                       AND keys.interaction = coalesce(facts.interaction, facts.number)) \
                      ORDER BY number LIMIT $3"
                ))?
                .query_map(params![tenant.as_str(), number_column(after), rows(limit, PAGE_MAX)], |row| {
                    self.record(tenant, row)
                })?
                .collect()
        })
    }

    pub(crate) fn known_since(
        &self,
        tenant: &Tenant,
        before_ms: i64,
        after: Option<InteractionKey>,
        limit: usize,
    ) -> Result<Vec<InteractionKey>, Fault> {
        let after = after.map_or(i64::MIN, |after| after.0.cast_signed());
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT interaction FROM keys WHERE tenant = $1 AND interaction > $2 AND at_ms < $3 \
                     ORDER BY interaction LIMIT $4",
                )?
                .query_map(params![tenant.as_str(), after, before_ms, rows(limit, PAGE_MAX)], |row| {
                    Ok(InteractionKey(row.get::<_, i64>(0)?.cast_unsigned()))
                })?
                .collect()
        })
    }

    pub(crate) fn story(&self, tenant: &Tenant, interaction: InteractionKey) -> Result<Story, Fault> {
        self.read(|connection| {
            let mut records: Vec<Record> = connection
                .prepare_cached(concat!(
                    record_columns!(),
                    " FROM facts WHERE tenant = $1 AND interaction = $2 ORDER BY number LIMIT $3"
                ))?
                .query_map(
                    params![tenant.as_str(), interaction.0.cast_signed(), rows(STORY_MAX + 1, STORY_MAX + 1)],
                    |row| self.record(tenant, row),
                )?
                .collect::<rusqlite::Result<_>>()?;
            let cut = records.len() > STORY_MAX;
            records.truncate(STORY_MAX);
            Ok(Story { records, cut })
        })
    }

    pub(crate) fn closed(
        &self,
        tenant: &Tenant,
        before: Option<FactNumber>,
        limit: usize,
    ) -> Result<Vec<Closed>, Fault> {
        let before = before.map_or(i64::MAX, number_column);
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT number, at_ms, interaction FROM facts \
                     WHERE tenant = $1 AND number < $2 AND mark = 2 AND interaction IS NOT NULL \
                     ORDER BY number DESC LIMIT $3",
                )?
                .query_map(params![tenant.as_str(), before, rows(limit, PAGE_MAX)], |row| {
                    Ok(Closed {
                        number: FactNumber(row.get::<_, i64>(0)?.cast_unsigned()),
                        at_ms: row.get(1)?,
                        interaction: InteractionKey(row.get::<_, i64>(2)?.cast_unsigned()),
                    })
                })?
                .collect()
        })
    }

    /// A snapshot that cannot be opened is none: it only saves time.
    pub(crate) fn snapshot(&self, tenant: &Tenant, format: u32) -> Result<Option<Snapshot>, Fault> {
        let found = self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT number, wrapped, sealed FROM snapshots WHERE tenant = $1 AND format = $2",
                )?
                .query_row(params![tenant.as_str(), format], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
                })
                .optional()
        })?;
        Ok(found.and_then(|(number, wrapped, sealed)| {
            let place = Spot { table: "snapshots", tenant: tenant.as_str(), number };
            let key = DataKey::unwrap(&self.masters, &place, &wrapped).ok()?;
            let state = key.open(&place, &sealed).ok()?;
            Some(Snapshot { number: FactNumber(number.cast_unsigned()), state: state.to_vec() })
        }))
    }

    fn record(&self, tenant: &Tenant, row: &Row<'_>) -> rusqlite::Result<Record> {
        let number: i64 = row.get(0)?;
        let interaction: Option<i64> = row.get(2)?;
        let personal = match (row.get_ref(5)?.as_blob_or_null()?, row.get_ref(6)?.as_blob_or_null()?) {
            (None, _) => Personal::Nothing,
            (Some(_), None) => Personal::Gone(Gone::Erased),
            (Some(sealed), Some(wrapped)) => {
                let at = |number| Spot { table: "facts", tenant: tenant.as_str(), number };
                let opened = DataKey::unwrap(&self.masters, &at(interaction.unwrap_or(number)), wrapped)
                    .and_then(|key| key.open(&at(number), sealed));
                match opened {
                    Ok(personal) => Personal::Known(personal.as_slice().into()),
                    Err(Shut::MasterLost) => Personal::Gone(Gone::KeyLost),
                    Err(Shut::Damaged) => Personal::Gone(Gone::Damaged),
                }
            }
        };
        Ok(Record {
            number: FactNumber(number.cast_unsigned()),
            at_ms: row.get(1)?,
            interaction: interaction.map(|key| InteractionKey(key.cast_unsigned())),
            mark: Mark::from_column(row.get(3)?),
            fact: row.get_ref(4)?.as_blob()?.into(),
            personal,
        })
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        self.pool.read(query)
    }
}

/// Numbers above the signed range do not occur; they are read as the largest that may.
fn number_column(number: FactNumber) -> i64 {
    i64::try_from(number.0).unwrap_or(i64::MAX)
}

fn rows(limit: usize, most: usize) -> i64 {
    i64::try_from(limit.min(most)).unwrap_or(i64::MAX)
}

/// Rows of one page at most; a larger wish is cut to this. 10,000 facts are a few megabytes.
pub const PAGE_MAX: usize = 10_000;

/// Facts of one story at most; a longer one is cut there, and says so.
pub const STORY_MAX: usize = 10_000;
