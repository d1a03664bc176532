//! The people of a tenant, as Microsoft Graph tells them: followed, kept, and found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tandem_center::id::AgentId;
use tandem_microsoft::graph::batch::{Answered, Batch};
use tandem_microsoft::graph::call::{Caller, Operation};
use tandem_microsoft::graph::directory::{DeltaLink, Field, Output, Settings, UserChange, UserSync};
use tandem_microsoft::graph::fault::{Fault, FaultKind};
use tandem_microsoft::graph::presence::{self, Presence, Presences};
use tandem_microsoft::graph::profile;
use tandem_microsoft::id::{EntraTenantId, ObjectId};
use tandem_people::directory::{Directory, Entry, EntryId, Skill, SkillSource};
use tandem_store::register::{DirectoryChange, DirectoryNote, Failure, Register};
use tandem_store::{PAGE_MAX, Tenant};

use super::connection::{Connection, now_ms};
use super::graph::{Graph, Looked, lock};
use super::profiles::Profiles;
use super::watch::{TOKEN_PAUSE_MAX, TOKEN_PAUSE_MIN};

/// The people of one tenant.
pub struct People {
    tenant: Tenant,
    register: Register,
    known: RwLock<Known>,
    /// Presence of people who were looked for, for a moment.
    looked: Mutex<BTreeMap<ObjectId, (Presence, Instant)>>,
}

/// Somebody as the register keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    entry: Entry,
    /// May not sign in.
    #[serde(default, skip_serializing_if = "is_false")]
    disabled: bool,
    /// Belongs to another organisation.
    #[serde(default, skip_serializing_if = "is_false")]
    guest: bool,
}

#[derive(Default)]
struct Known {
    directory: Directory,
    /// Who is not to be found now, and may be later: Graph tells only what changes then.
    hidden: BTreeMap<EntryId, (EntraTenantId, Kept)>,
    /// In which Entra tenant each is.
    homes: BTreeMap<EntryId, EntraTenantId>,
    /// What is said here of their skills.
    skills: BTreeMap<EntryId, Vec<Skill>>,
    agents: BTreeMap<EntraTenantId, BTreeMap<EntryId, Arc<str>>>,
}

/// Follows the users of one Entra tenant.
pub(super) struct Following {
    connection: Weak<Connection>,
    people: Arc<People>,
    graph: Graph,
    sync: UserSync,
    /// What is not written yet.
    upserted: BTreeMap<EntryId, String>,
    removed: BTreeSet<EntryId>,
    /// Who was named in a full round, and since when it goes on.
    full: Option<(BTreeSet<EntryId>, i64)>,
    /// A round goes on, or none has ended yet: what it says is written first.
    in_round: bool,
    profiles: Profiles,
    /// While users may not be read: when it is looked whether Entra ID gives a token for it again.
    token_at: Option<Instant>,
    /// The pause before the look after that.
    token_pause: Duration,
}

impl People {
    /// The people whom the register knows.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub fn open(tenant: &Tenant, register: &Register) -> Result<People, tandem_store::Fault> {
        let mut known = Known::default();
        let mut after: Option<(String, String)> = None;
        loop {
            let page = register.directory_notes(tenant, pair(&after), PAGE_MAX)?;
            let Some(last) = page.last() else { break };
            after = Some((last.tid.clone(), last.oid.clone()));
            for note in page {
                if let Ok(skills) = serde_json::from_str(&note.document) {
                    known.skills.insert(EntryId::new(&note.oid), skills);
                }
            }
        }
        let mut after: Option<(String, String)> = None;
        loop {
            let page = register.directory(tenant, pair(&after), PAGE_MAX)?;
            let Some(last) = page.last() else { break };
            after = Some((last.tid.clone(), last.oid.clone()));
            for row in page {
                let read = (row.tid.parse(), serde_json::from_str::<Kept>(&row.document));
                if let (Ok(tid), Ok(kept)) = read {
                    known.keep(tid, kept);
                }
            }
        }
        Ok(People {
            tenant: tenant.clone(),
            register: register.clone(),
            known: RwLock::new(known),
            looked: Mutex::default(),
        })
    }

    /// Reads in the directory.
    pub fn with<T>(&self, read: impl FnOnce(&Directory) -> T) -> T {
        read(&self.known().directory)
    }

    /// In which Entra tenant somebody is.
    pub fn home(&self, id: &EntryId) -> Option<EntraTenantId> {
        self.known().homes.get(id).copied()
    }

    /// Says what somebody can do, in addition to what the profile says. It blocks for as long as the disk takes; `false` if
    /// there is nobody of this id.
    ///
    /// # Errors
    ///
    /// The register does not take it.
    pub fn set_skills(&self, id: &EntryId, skills: Vec<Skill>) -> Result<bool, Failure> {
        let Some(tid) = self.home(id) else { return Ok(false) };
        let note = DirectoryNote {
            tid: tid.to_string(),
            oid: id.to_string(),
            document: serde_json::to_string(&skills).unwrap_or_default(),
            changed_ms: now_ms(),
        };
        self.register.directory_note_put(&self.tenant, &note)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.skills.insert(id.clone(), skills);
        if let Some(entry) = known.directory.get(id).cloned() {
            known.put(tid, entry);
        }
        Ok(true)
    }

    /// Says who the agents are, in one Entra tenant.
    pub fn set_agents(&self, tid: EntraTenantId, agents: &BTreeMap<ObjectId, AgentId>) {
        let agents: BTreeMap<EntryId, Arc<str>> = agents
            .iter()
            .map(|(user, agent)| (EntryId::new(&user.to_string()), agent.as_str().into()))
            .collect();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.agents.insert(tid, agents.clone()).unwrap_or_default();
        if before == agents {
            return;
        }
        for id in before.keys().chain(agents.keys()) {
            if let Some(entry) = known.directory.get(id).cloned() {
                known.put(tid, entry);
            }
        }
    }

    /// What Teams says of these people, and how long ago: asked at once where it was not asked just now. Who is missing,
    /// is not known, or Graph does not answer.
    pub async fn presence(
        &self,
        graph: &Graph,
        users: &[ObjectId],
    ) -> BTreeMap<ObjectId, (Presence, Duration)> {
        let now = Instant::now();
        let asked: Vec<ObjectId> = {
            let mut looked = lock(&self.looked);
            looked.retain(|_, (_, at)| now.saturating_duration_since(*at) < LOOKED_FOR);
            users.iter().filter(|user| !looked.contains_key(user)).copied().collect()
        };
        if !asked.is_empty() {
            let at = Instant::now();
            let call = presence::read(Caller::Application, &asked);
            let answer = tokio::time::timeout(LOOK_PATIENCE, graph.ask(&call)).await;
            match answer.map(|answer| Presences::from_answer(&asked, &answer)) {
                Ok(Ok(said)) => {
                    let mut looked = lock(&self.looked);
                    if looked.len() + said.said.len() > LOOKED_MAX {
                        looked.clear();
                    }
                    looked.extend(said.said.into_iter().map(|(user, presence)| (user, (presence, at))));
                }
                Ok(Err(fault)) => tracing::debug!(fault = fault.stable_code(), "presence is not shown"),
                Err(_) => tracing::debug!("presence is not shown: Graph is slow"),
            }
        }
        let now = Instant::now();
        let looked = lock(&self.looked);
        let found = users.iter().filter_map(|user| {
            let (presence, at) = looked.get(user)?;
            Some((*user, (presence.clone(), now.saturating_duration_since(*at))))
        });
        found.collect()
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what Graph says of a user; the document to be kept.
    fn take(&self, tid: EntraTenantId, change: UserChange) -> Option<String> {
        let id = EntryId::new(&change.user.to_string());
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Kept { mut entry, mut disabled, mut guest } = known.kept(&id);
        match change.enabled {
            Field::Said(enabled) => disabled = !enabled,
            Field::Cleared => disabled = false,
            Field::Unsaid => {}
        }
        match change.guest {
            Field::Said(is_guest) => guest = is_guest,
            Field::Cleared => guest = false,
            Field::Unsaid => {}
        }
        if let Field::Said(name) = change.display_name {
            entry.name = name.into();
        }
        set(&mut entry.user_name, change.user_principal_name);
        set(&mut entry.mail, change.mail);
        set(&mut entry.department, change.department);
        set(&mut entry.job_title, change.job_title);
        set(&mut entry.office, change.office);
        match change.language {
            Field::Said(language) => entry.languages = vec![language.into()],
            Field::Cleared => entry.languages.clear(),
            Field::Unsaid => {}
        }
        match change.phones {
            Field::Said(phones) => entry.phone = phones.into_iter().next().map(Into::into),
            Field::Cleared => entry.phone = None,
            Field::Unsaid => {}
        }
        entry.skills.retain(|skill| skill.source == SkillSource::Profile);
        entry.agent = None;
        let kept = Kept { entry, disabled, guest };
        let document = serde_json::to_string(&kept).ok();
        known.keep(tid, kept);
        document
    }

    /// Takes what somebody wrote into the own profile; the document to be kept, if that is something else than before.
    fn take_skills(&self, tid: EntraTenantId, user: ObjectId, skills: &[Box<str>]) -> Option<String> {
        let id = EntryId::new(&user.to_string());
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.homes.get(&id) != Some(&tid) {
            return None;
        }
        let mut entry = known.directory.get(&id)?.clone();
        let before: Vec<Skill> =
            entry.skills.iter().filter(|skill| skill.source == SkillSource::Profile).cloned().collect();
        // Skills that are given here keep their room.
        entry.skills =
            skills.iter().take(Entry::SKILLS_MAX / 2).map(|skill| Skill::of_profile(skill)).collect();
        if entry.skills == before {
            return None;
        }
        entry.agent = None;
        let document = serde_json::to_string(&entry).ok();
        known.put(tid, entry);
        document
    }

    /// The people of one Entra tenant.
    fn of_home(&self, tid: EntraTenantId) -> Vec<ObjectId> {
        let known = self.known();
        let here = known.homes.iter().filter(|(_, home)| **home == tid);
        here.filter_map(|(id, _)| id.as_str().parse().ok()).collect()
    }

    fn remove(&self, id: &EntryId) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Removes who was not named in a full round.
    fn sweep(&self, tid: EntraTenantId, named: &BTreeSet<EntryId>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let hidden = known.hidden.iter().map(|(id, (home, _))| (id, home));
        let gone: Vec<EntryId> = known
            .homes
            .iter()
            .chain(hidden)
            .filter(|(id, home)| **home == tid && !named.contains(*id))
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            known.remove(&id);
        }
    }
}

impl Known {
    /// Puts somebody in, with what is said here.
    fn put(&mut self, tid: EntraTenantId, mut entry: Entry) {
        entry.skills.retain(|skill| skill.source == SkillSource::Profile);
        entry.skills.extend(self.skills.get(&entry.id).into_iter().flatten().cloned());
        entry.agent = self.agents.get(&tid).and_then(|agents| agents.get(&entry.id)).cloned();
        let id = entry.id.clone();
        match self.directory.upsert(entry) {
            Ok(()) => {
                self.homes.insert(id, tid);
            }
            Err(full) => tracing::warn!(%full, %tid, "somebody is not found"),
        }
    }

    /// What is known of somebody; of nobody else than the id.
    fn kept(&self, id: &EntryId) -> Kept {
        if let Some((_, hidden)) = self.hidden.get(id) {
            return hidden.clone();
        }
        let entry = self.directory.get(id).cloned().unwrap_or_else(|| Entry::new(id.as_str(), ""));
        Kept { entry, disabled: false, guest: false }
    }

    /// Puts somebody in, to be found or not: who may not sign in, guests, and who has no name are not.
    fn keep(&mut self, tid: EntraTenantId, kept: Kept) {
        let id = kept.entry.id.clone();
        if !(kept.disabled || kept.guest || kept.entry.name.is_empty()) {
            self.hidden.remove(&id);
            return self.put(tid, kept.entry);
        }
        self.remove(&id);
        if self.hidden.len() < HIDDEN_MAX {
            self.hidden.insert(id, (tid, kept));
        } else {
            tracing::warn!(%tid, "somebody who is not to be found now is forgotten until all are read anew");
        }
    }

    fn remove(&mut self, id: &EntryId) {
        self.directory.remove(id);
        self.homes.remove(id);
        self.hidden.remove(id);
    }
}

impl Following {
    /// Begins where it ended before.
    ///
    /// # Errors
    ///
    /// The register cannot be read.
    pub(super) fn new(
        connection: &Arc<Connection>,
        people: Arc<People>,
        every: Duration,
        seed: u64,
    ) -> Result<Following, tandem_store::Fault> {
        let tid = connection.tid.to_string();
        let link = people.register.delta_link(&people.tenant, &tid, USERS)?;
        Ok(Following {
            connection: Arc::downgrade(connection),
            graph: connection.graph.clone(),
            people,
            sync: UserSync::new(Instant::now(), Settings { every }, link.and_then(DeltaLink::new), seed),
            upserted: BTreeMap::new(),
            removed: BTreeSet::new(),
            full: None,
            in_round: true,
            profiles: Profiles::new(Instant::now()),
            token_at: None,
            token_pause: TOKEN_PAUSE_MIN,
        })
    }

    /// Follows until the connection is gone.
    pub(super) async fn run(mut self) {
        while self.connection.strong_count() > 0 {
            self.sync.handle_timeout(Instant::now(), &mut self.graph.throttle());
            while let Some(output) = self.sync.poll_output() {
                self.carry_out(output).await;
            }
            if self.upserted.len() + self.removed.len() >= WRITTEN_AT_ONCE {
                self.write(None).await;
            }
            let mut until = self.sync.poll_timeout().min(Instant::now() + LOOK_AROUND);
            if !self.in_round {
                self.read_profiles().await;
                until = until.min(self.profiles.poll_timeout());
            }
            if let Some(at) = self.token_at {
                until = until.min(at);
            }
            tokio::select! {
                () = tokio::time::sleep_until(until.into()) => {}
                () = self.graph.resumed() => self.sync.resume(Instant::now()),
            }
            if self.token_at.is_some_and(|at| at <= Instant::now()) {
                self.look_for_token().await;
            }
        }
    }

    /// Reads again once there is a token that may do.
    async fn look_for_token(&mut self) {
        let looked = self.graph.look_for_token(Operation::ReadUsers).await;
        let now = Instant::now();
        if looked == Looked::MayRead {
            self.sync.resume(now);
        }
        // Entra ID keeps the pace after its own refusals; what a token says may be wrong, and costs a request each time.
        self.token_at = Some(now + self.token_pause);
        if looked != Looked::Refused {
            self.token_pause = TOKEN_PAUSE_MAX.min(self.token_pause * 2);
        }
    }

    async fn carry_out(&mut self, output: Output) {
        match output {
            Output::Call { id, call } => {
                let answer = self.graph.send(&call).await;
                let now = Instant::now();
                self.sync.handle_answer(now, id, &answer, &mut self.graph.throttle());
                if self.sync.is_refused() {
                    self.token_at.get_or_insert(now + self.token_pause);
                } else {
                    (self.token_at, self.token_pause) = (None, TOKEN_PAUSE_MIN);
                }
            }
            Output::RoundBegins { full } => {
                self.in_round = true;
                self.full = full.then(|| (BTreeSet::new(), now_ms()));
                self.upserted.clear();
                self.removed.clear();
            }
            Output::User(change) => {
                let id = EntryId::new(&change.user.to_string());
                match self.people.take(self.graph.tenant(), *change) {
                    Some(document) => {
                        if let Some((named, _)) = &mut self.full {
                            named.insert(id.clone());
                        }
                        self.removed.remove(&id);
                        self.upserted.insert(id, document);
                    }
                    None => self.gone(id),
                }
            }
            Output::Removed { user, .. } => {
                let id = EntryId::new(&user.to_string());
                self.people.remove(&id);
                self.gone(id);
            }
            Output::RoundEnds { next, .. } => {
                self.write(Some(next)).await;
                if let Some((named, since)) = self.full.take() {
                    self.people.sweep(self.graph.tenant(), &named);
                    let (people, tid) = (Arc::clone(&self.people), self.graph.tenant().to_string());
                    let sweep =
                        move || people.register.directory_sweep(&people.tenant, &tid, since).map(|_| ());
                    written(tokio::task::spawn_blocking(sweep).await);
                }
                self.in_round = false;
                self.profiles.people_changed(Instant::now());
            }
            Output::Refused { fault } => tracing::warn!(
                entra.tenant = %self.graph.tenant(), fault = fault.stable_code(), remedy = fault.remedy(),
                "the directory cannot be read; it is tried again"
            ),
            Output::TokenRefused => {}
        }
    }

    /// Reads the skills of those whose turn it is.
    async fn read_profiles(&mut self) {
        let tid = self.graph.tenant();
        let asked = self.profiles.due(Instant::now(), || self.people.of_home(tid));
        if asked.is_empty() {
            return;
        }
        let mut batch = Batch::new();
        for user in &asked {
            // No more are due at once than a batch takes.
            let _ = batch.push(profile::read(*user));
        }
        let answered = match self.graph.ask_all(batch).await {
            Ok(answered) => answered,
            Err(fault) => {
                tracing::debug!(entra.tenant = %tid, fault = fault.stable_code(), "profiles are not read now");
                return self.profiles.put_back(Instant::now(), &asked, pause(&fault));
            }
        };
        for (user, Answered { answer, .. }) in asked.into_iter().zip(answered) {
            match profile::skills(&answer) {
                Ok(skills) => {
                    if let Some(document) = self.people.take_skills(tid, user, &skills) {
                        self.upserted.insert(EntryId::new(&user.to_string()), document);
                    }
                }
                Err(fault) if fault.is_passing() => {
                    self.profiles.put_back(Instant::now(), &[user], pause(&fault));
                }
                // Whoever has no profile, or is gone, is asked for again in a day.
                Err(fault) => tracing::debug!(fault = fault.stable_code(), "a profile is not read"),
            }
        }
        if !self.upserted.is_empty() {
            self.write(None).await;
        }
    }

    fn gone(&mut self, id: EntryId) {
        self.upserted.remove(&id);
        self.removed.insert(id);
    }

    async fn write(&mut self, next: Option<DeltaLink>) {
        let upserted: Vec<(String, String)> = std::mem::take(&mut self.upserted)
            .into_iter()
            .map(|(id, document)| (id.to_string(), document))
            .collect();
        let removed: Vec<String> =
            std::mem::take(&mut self.removed).iter().map(ToString::to_string).collect();
        let (people, tid) = (Arc::clone(&self.people), self.graph.tenant().to_string());
        let write = move || {
            let link = next.as_ref().map(|next| (USERS, next.as_str()));
            let change = DirectoryChange { upserted: &upserted, removed: &removed, link };
            people.register.directory_apply(&people.tenant, &tid, change, now_ms())
        };
        written(tokio::task::spawn_blocking(write).await);
    }
}

fn written(outcome: Result<Result<(), Failure>, tokio::task::JoinError>) {
    if let Ok(Err(fault)) = outcome {
        tracing::error!(%fault, "the directory is not kept; it is read anew after a restart");
    }
}

/// The pause that Graph asks for.
fn pause(fault: &Fault) -> Option<Duration> {
    match fault.kind {
        FaultKind::Throttled { retry_after } | FaultKind::Unavailable { retry_after } => retry_after,
        _ => None,
    }
}

fn set(to: &mut Option<String>, field: Field<Box<str>>) {
    match field {
        Field::Said(text) => *to = Some(text.into()),
        Field::Cleared => *to = None,
        Field::Unsaid => {}
    }
}

fn pair(after: &Option<(String, String)>) -> Option<(&str, &str)> {
    after.as_ref().map(|(tid, oid)| (tid.as_str(), oid.as_str()))
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The resource under which the delta link is kept. Under `users` stand links of the time when nobody was kept who is not to be
/// found: all are read anew instead.
const USERS: &str = "users.2";
/// People who are kept though they are not to be found, in one tenant; beyond it they are forgotten.
const HIDDEN_MAX: usize = Directory::ENTRIES_MAX;
/// Changes that are written together.
const WRITTEN_AT_ONCE: usize = 500;
/// How often it is looked whether the connection is there still.
const LOOK_AROUND: Duration = Duration::from_secs(30);
/// How long presence of people who were looked for is shown without asking again.
const LOOKED_FOR: Duration = Duration::from_secs(10);
/// How long a search waits for presence.
const LOOK_PATIENCE: Duration = Duration::from_secs(2);
/// People whose presence is kept for a moment; beyond it all are asked for anew.
const LOOKED_MAX: usize = 10_000;
