//! The audit trail and what else is written later: by one thread, in groups.

use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tandem_people::audit::{Entry, Outcome};
use tandem_people::caller::{Caller, Who};
use tandem_people::moment::UnixMillis;
use tandem_people::permission::Grants;
use tandem_people::scope::Scope;
use tandem_store::register::{self, AuditEntry, Failure, KeyRow, LoginRow, Register};

use super::fault::OpenFault;
use super::rows::{self, store_scope};

/// Something to be written.
#[derive(Debug)]
pub(super) enum Job {
    /// An entry of the trail.
    Entry(Box<Entry>),
    /// A login is new or was renewed.
    Login(register::Scope, Box<LoginRow>),
    /// A login was used.
    LoginUsed(register::Scope, String, i64),
    /// A login ended.
    LoginEnded(String, i64),
    /// A key is new.
    Key(register::Scope, Box<KeyRow>),
    /// A key was used.
    KeyUsed(register::Scope, String, i64),
    /// A key was made worthless.
    KeyRevoked(String, i64),
    /// Whoever waits is told that everything before is written.
    Settled(SyncSender<()>),
}

impl Job {
    /// Whether something is worthless by it that would be good again if it were lost.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Job::LoginEnded(..) | Job::KeyRevoked(..))
    }
}

/// Where entries and small changes are left to be written.
pub(super) struct Trail {
    sender: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    register: Register,
    strangers: Mutex<Strangers>,
}

/// How much strangers have tried lately.
#[derive(Default)]
struct Strangers {
    /// The minute that is counted.
    since: UnixMillis,
    told: u32,
    untold: u64,
}

impl Trail {
    pub(super) fn open(register: Register) -> Result<Trail, OpenFault> {
        let (sender, jobs) = mpsc::sync_channel(JOBS_MAX);
        let writer = register.clone();
        let thread = std::thread::Builder::new().name("audit".into()).spawn(move || keep(&writer, &jobs));
        let thread = thread.map_err(OpenFault::Thread)?;
        Ok(Trail { sender: Some(sender), thread: Some(thread), register, strangers: Mutex::default() })
    }

    /// Adds an entry; if the thread is far behind, writes it itself.
    pub(super) fn add(&self, entry: Entry) {
        self.leave(Job::Entry(Box::new(entry)));
    }

    /// Leaves something to the thread; if that is far behind, whoever comes waits for the disk instead.
    pub(super) fn leave(&self, job: Job) {
        let Some(sender) = &self.sender else { return };
        if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) = sender.try_send(job) {
            told_if_failed(write(&self.register, &job));
        }
    }

    pub(super) fn settle(&self) {
        let (done, wait) = mpsc::sync_channel(1);
        if let Some(sender) = &self.sender
            && sender.send(Job::Settled(done)).is_ok()
        {
            // The thread answers or has ended; neither takes longer than the disk.
            let _ = wait.recv_timeout(SETTLE_PATIENCE);
        }
    }

    pub(super) fn stranger(&self, now: UnixMillis, act: &str, object: &str, code: &str, address: &str) {
        self.tell_strangers(now);
        let may_tell = {
            let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
            let may_tell = strangers.told < STRANGERS_MAX;
            if may_tell {
                strangers.told += 1;
            } else {
                strangers.untold += 1;
            }
            may_tell
        };
        if may_tell {
            let entry = Entry::new(now, &nobody(), Scope::Installation, act, object);
            self.add(entry.refused(code).with("address", address));
        }
    }

    /// Begins a new minute if one is over, and writes how many strangers the last one did not tell.
    pub(super) fn tell_strangers(&self, now: UnixMillis) {
        let untold = {
            let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
            if now.since(strangers.since) < STRANGERS_EVERY {
                return;
            }
            let untold = strangers.untold;
            *strangers = Strangers { since: now, told: 0, untold: 0 };
            untold
        };
        if untold > 0 {
            let entry = Entry::new(now, &nobody(), Scope::Installation, "strangers.refuse", "");
            self.add(entry.refused("unauthorized").with("more", &untold.to_string()));
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // It broke off; what it had is lost, and was told when it did.
            let _ = thread.join();
        }
    }
}

fn nobody() -> Caller {
    Caller::new(Scope::Installation, Who::Unknown, Grants::NONE)
}

/// The thread: takes what has come, and writes entries of one trail together.
fn keep(register: &Register, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP_MAX));
        let mut entries: Vec<(register::Scope, Vec<AuditEntry>)> = Vec::new();
        let mut waiting = Vec::new();
        for job in group {
            match job {
                Job::Entry(entry) => {
                    let Some((scope, row)) = entry_row(&entry) else { continue };
                    match entries.iter_mut().find(|(known, _)| *known == scope) {
                        Some((_, of_scope)) => of_scope.push(row),
                        None => entries.push((scope, vec![row])),
                    }
                }
                Job::Settled(done) => waiting.push(done),
                job => told_if_failed(write(register, &job)),
            }
        }
        for (scope, of_scope) in entries {
            told_if_failed(register.audit_append(&scope, &of_scope));
        }
        for done in waiting {
            // Whoever waited may be gone.
            let _ = done.send(());
        }
    }
}

/// Writes one job.
pub(super) fn write(register: &Register, job: &Job) -> Result<(), Failure> {
    match job {
        Job::Entry(entry) => match entry_row(entry) {
            Some((scope, row)) => register.audit_append(&scope, &[row]),
            None => Ok(()),
        },
        Job::Login(scope, row) => register.login_put(scope, row),
        Job::LoginUsed(scope, id, at) => register.login_used(scope, id, *at),
        Job::LoginEnded(id, at) => match register.login_by_id(id)? {
            Some((scope, _)) => register.login_revoke(&scope, id, *at).map(drop),
            None => Ok(()),
        },
        Job::Key(scope, row) => register.key_create(scope, row),
        Job::KeyUsed(scope, id, at) => register.key_used(scope, id, *at),
        Job::KeyRevoked(id, at) => match register.key_by_id(id)? {
            Some((scope, _)) => register.key_revoke(&scope, id, *at).map(drop),
            None => Ok(()),
        },
        Job::Settled(_) => Ok(()),
    }
}

fn told_if_failed(written: Result<(), Failure>) {
    if let Err(failure) = written {
        tracing::error!(%failure, "the audit trail, or the use of a login or key, could not be written");
    }
}

fn entry_row(entry: &Entry) -> Option<(register::Scope, AuditEntry)> {
    let actor = match &entry.who {
        Who::Person { person, .. } => person.as_str(),
        Who::Key { key } => key.as_str(),
        Who::Console => "console",
        Who::Tandem => "tandem",
        Who::Unknown => "unknown",
    };
    let outcome = match &entry.outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Refused { code } => format!("refused.{code}"),
        Outcome::Unknown { code } => format!("unknown.{code}"),
    };
    let row = AuditEntry {
        at_ms: rows::millis(entry.at),
        actor: actor.to_owned(),
        who: serde_json::to_string(&entry.who).unwrap_or_default(),
        act: entry.act.as_ref().to_owned(),
        object: entry.object.as_ref().to_owned(),
        outcome,
        detail: serde_json::to_string(&entry.detail).unwrap_or_default(),
    };
    Some((store_scope(&entry.scope)?, row))
}

/// What waits to be written at most; at the limit whoever has more waits for the disk.
const JOBS_MAX: usize = 4_096;
/// What is written together at most.
const GROUP_MAX: usize = 512;
/// How long somebody waits until all is written.
const SETTLE_PATIENCE: Duration = Duration::from_secs(5);
/// Acts of strangers that are written one by one in [`STRANGERS_EVERY`]; the others are counted.
const STRANGERS_MAX: u32 = 60;
/// How often the count of strangers begins again.
const STRANGERS_EVERY: Duration = Duration::from_secs(60);
