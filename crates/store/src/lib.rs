//! What an installation keeps, in two SQLite files: the journal of its contact centers (numbered facts per tenant, committed
//! in groups), and the [`register`] of who may do what.
//!
//! Facts are bytes here: what they say is the business of the center. The journal knows only their number, their
//! time, and whose story they belong to. Decisions never wait for it: [`Journal::append`] puts facts into a bounded queue
//! and returns; a thread of its own commits them in groups and tells through [`Event::Committed`] up to which number
//! they can no longer be lost. Screens, reports and webhooks see only those.
//!
//! ```
//! # let directory = tempfile::tempdir().unwrap();
//! use tandem_store::{FactNumber, Journal, Mark, Personal, Record, Settings, Tenant};
//!
//! let journal = Journal::open(directory.path().join("journal.db"), Settings::default(), |_event| {})?;
//! let tenant: Tenant = "default".parse()?;
//! let next = journal.last_number(&tenant)?.next();
//! let (mark, personal) = (Mark::Plain, Personal::Known((*b"+14255550123").into()));
//! let fact = Record { number: next, at_ms: 0, interaction: None, mark, fact: (*b"{}").into(), personal };
//! journal.append(&tenant, vec![fact]).map_err(|refused| refused.why)?;
//! journal.flush(std::time::Duration::from_secs(10))?;
//! assert_eq!(journal.facts(&tenant, FactNumber(0), 10)?.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a fact says about people stands apart from it, sealed under a key per interaction, which is wrapped by a master key
//! in a file beside the journal. A fact marked [`Mark::Erases`] destroys the key of its interaction in the commit that
//! writes it: what it opened can never be read again, and every fact and count stays. Sealing is the writer's work.
//!
//! [`Journal::remove`] does the same for a whole tenant, and then takes its facts away.
//!
//! What an installation may rely on: a commit that was told survives the death of the program at any moment (`kill -9`).
//! It survives a power failure except for, at worst, the last moments before it (SQLite's WAL with `synchronous =
//! NORMAL` synchronises at checkpoints); what remains is always a prefix without gaps.
//!
//! The crate has no asynchronous runtime: reads block for as long as the disk takes. It does no HTTP, knows no
//! Microsoft noun, and never looks into a fact.
//!
//! Why `rusqlite` and not `sqlx`: a fact per statement costs 4 microseconds of processor here and 60 there (each
//! statement crosses to sqlx's own thread and back), for a tenth of the dependencies.

mod fault;
mod journal;
mod keys;
mod lock;
mod look;
mod master;
mod pool;
mod queue;
mod read;
mod record;
pub mod register;
mod removal;
mod schema;
mod seal;
mod tenant;
mod upgrade;
mod writer;

pub use fault::Fault;
pub use journal::{Event, Journal, Settings, Split, Splitter, Unwritten};
pub use keys::{Keys, examine};
pub use look::Look;
pub use queue::{Lag, Refusal, Refused, Room};
pub use read::{Closed, PAGE_MAX, STORY_MAX, Snapshot, Story};
pub use record::{FactNumber, Gone, InteractionKey, Mark, Personal, Record};
pub use register::Register;
pub use tenant::{NotATenant, Tenant};
