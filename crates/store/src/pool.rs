//! Connections for reading.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use crate::Fault;
use crate::schema::open_reader;

/// Connections that read one file, opened when first needed.
pub(crate) struct Pool {
    path: PathBuf,
    idle: Mutex<Idle>,
    returned: Condvar,
}

struct Idle {
    connections: Vec<Connection>,
    lent: usize,
}

impl Pool {
    pub(crate) fn new(path: PathBuf) -> Pool {
        let idle = Mutex::new(Idle { connections: Vec::new(), lent: 0 });
        Pool { path, idle, returned: Condvar::new() }
    }

    /// Lends a connection, waiting for one if all are in use. A connection that failed is not lent again.
    pub(crate) fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Fault> {
        let lent = Lent::from(self)?;
        let answer = query(&lent.connection).map_err(|source| Fault::of_sqlite(&self.path, source))?;
        lent.give_back();
        Ok(answer)
    }
}

/// A connection on loan; dropped without being given back, it is closed and its place is free.
struct Lent<'a> {
    pool: &'a Pool,
    connection: Connection,
    place: Place<'a>,
}

struct Place<'a>(&'a Pool);

impl Lent<'_> {
    fn from(pool: &Pool) -> Result<Lent<'_>, Fault> {
        let idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut idle = pool
            .returned
            .wait_while(idle, |idle| idle.lent >= READERS_MAX)
            .unwrap_or_else(PoisonError::into_inner);
        idle.lent += 1;
        let connection = idle.connections.pop();
        drop(idle);
        let place = Place(pool);
        let connection = match connection {
            Some(connection) => connection,
            None => open_reader(&pool.path)?,
        };
        Ok(Lent { pool, connection, place })
    }

    fn give_back(self) {
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.connections.push(self.connection);
        drop(idle);
        drop(self.place);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).lent -= 1;
        self.0.returned.notify_one();
    }
}

/// Connections for reading. When all are in use a reader waits: each query is bounded by its page.
const READERS_MAX: usize = 4;
