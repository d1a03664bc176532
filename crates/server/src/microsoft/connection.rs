//! The connection to one Entra tenant: whose it is, what is kept of it, and how it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tandem_center::id::AgentId;
use tandem_microsoft::graph::call::{Call, Caller, Operation};
use tandem_microsoft::graph::fault::{Fault, FaultKind};
use tandem_microsoft::id::{EntraTenantId, ObjectId};
use tandem_microsoft::secret::Secret;
use tandem_people::person::{Identity as KnownAs, Person};
use tandem_people::scope::Scope;
use tandem_store::Tenant;
use tandem_store::register::{EntraTenantRow, Register, Secret as KeptSecret};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::entra::unix_now;
use super::grants::Grants;
use super::graph::{Account, Graph, lock};
use super::watch::{Message, Watch};
use crate::identity::{EntraName, IdentitySettings};

/// An Entra tenant that we work with.
pub struct Connection {
    /// Its id.
    pub tid: EntraTenantId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Who said so.
    pub origin: Origin,
    /// Graph there.
    pub graph: Graph,
    /// The watch over its people.
    pub watch: Watch,
    /// What was granted there, as it was read last.
    pub grants: Grants,
    kept: Mutex<Kept>,
    /// Who has the principal names by which the configuration names people, as Graph said last.
    principals: Mutex<BTreeMap<Arc<str>, Found>>,
}

/// A user who was found by a principal name: it may change, and be given to somebody else.
#[derive(Clone, Copy, Debug)]
struct Found {
    user: ObjectId,
    /// When it was asked.
    at: Instant,
}

/// Who the agents are in an Entra tenant, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Linked {
    /// The agents, by user.
    pub(super) agents: BTreeMap<ObjectId, AgentId>,
    /// Those whom the configuration names by principal name, who have not signed in, and of whom Graph has to be asked who
    /// they are: not known yet, or not asked for lately.
    pub(super) to_ask: Vec<(Arc<str>, AgentId)>,
}

/// Who said that an Entra tenant is a customer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The configuration.
    Configuration,
    /// An administrator there consented, and proved to be one.
    Consent,
}

/// What is kept of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// What the tenant is called.
    pub name: String,
    /// Who consented: the object id of the administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consented_by: Option<ObjectId>,
    /// When, in seconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consented_at: Option<u64>,
    /// The accounts whose subscriptions watch presence: who, and what they are called.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<ObjectId, String>,
}

impl Kept {
    /// Reads a row of the register.
    pub fn read(row: &EntraTenantRow) -> Option<(EntraTenantId, Kept)> {
        let tid = row.tid.parse().ok()?;
        let mut kept: Kept = serde_json::from_str(&row.state).unwrap_or_default();
        kept.name.clone_from(&row.name);
        Some((tid, kept))
    }
}

impl Connection {
    pub(super) fn new(
        tid: EntraTenantId,
        tenant: Tenant,
        origin: Origin,
        kept: Kept,
        graph: Graph,
        watch: Watch,
    ) -> Connection {
        let kept = Mutex::new(kept);
        let (grants, principals) = (Grants::default(), Mutex::default());
        Connection { tid, tenant, origin, graph, watch, grants, kept, principals }
    }

    /// What is kept of it.
    pub fn kept(&self) -> Kept {
        lock(&self.kept).clone()
    }

    /// Changes what is kept of it, on the disk first. It blocks for as long as the disk takes.
    ///
    /// # Errors
    ///
    /// The register does not take it.
    pub fn keep(
        &self,
        register: &Register,
        change: impl FnOnce(&mut Kept),
    ) -> Result<(), tandem_store::register::Failure> {
        let mut kept = lock(&self.kept);
        let mut next = kept.clone();
        change(&mut next);
        register.entra_tenant_put(&self.tenant, &row(self.tid, &next))?;
        *kept = next;
        Ok(())
    }

    /// Notes what the tenant is called. On the disk it stands only where the connection does: one of the configuration ends
    /// with it.
    ///
    /// # Errors
    ///
    /// The register does not take it.
    pub(super) fn note_name(
        &self,
        register: &Register,
        name: String,
    ) -> Result<(), tandem_store::register::Failure> {
        match self.origin {
            Origin::Consent => self.keep(register, |kept| kept.name = name),
            Origin::Configuration => {
                lock(&self.kept).name = name;
                Ok(())
            }
        }
    }

    /// Who the agents are of these people. Nothing is asked for it: who was found by principal name before is taken for the
    /// same, and to be asked for again after some time.
    pub(super) fn agents(&self, people: &[Person], settings: &IdentitySettings, again: Duration) -> Linked {
        let tid = self.tid.to_string();
        let mut agents = BTreeMap::new();
        for person in people.iter().filter(|person| person.enabled) {
            let Some(agent) = &person.agent else { continue };
            let users = person.identities.iter().filter_map(|known| match known {
                KnownAs::Entra { tenant, user } if tenant.as_str() == tid => user.as_str().parse().ok(),
                KnownAs::Entra { .. } | KnownAs::Local { .. } => None,
            });
            for user in users {
                agents.insert(user, AgentId::new(&**agent));
            }
        }
        let scope = Scope::tenant(self.tenant.as_str());
        let known: BTreeSet<AgentId> = agents.values().cloned().collect();
        let mut to_ask = Vec::new();
        let principals = lock(&self.principals);
        for person in settings.people.iter().filter(|person| person.scope == scope) {
            let (Some(agent), Some(EntraName::Principal { tenant, name })) = (&person.agent, &person.entra)
            else {
                continue;
            };
            let agent = AgentId::new(&**agent);
            if tenant.as_str() == tid && !known.contains(&agent) {
                let found = principals.get(name);
                if let Some(found) = found {
                    agents.insert(found.user, agent.clone());
                }
                if found.is_none_or(|found| found.at.elapsed() >= again) {
                    to_ask.push((Arc::clone(name), agent));
                }
            }
        }
        Linked { agents, to_ask }
    }

    /// Asks Graph for those whom only a principal name tells; all agents then.
    pub(super) async fn find_agents(self: &Arc<Self>, linked: Linked) -> BTreeMap<ObjectId, AgentId> {
        let Linked { mut agents, to_ask } = linked;
        let at_once = Arc::new(Semaphore::new(ASKED_AT_ONCE));
        let mut asking = JoinSet::new();
        for (name, agent) in to_ask {
            let before = lock(&self.principals).get(&name).map(|found| found.user);
            let (connection, at_once) = (Arc::clone(self), Arc::clone(&at_once));
            asking.spawn(async move {
                // Never closed.
                let _turn = at_once.acquire().await;
                (before, connection.principal(&name).await, agent)
            });
        }
        while let Some(asked) = asking.join_next().await {
            let Ok((before, now, agent)) = asked else { continue };
            // Meanwhile somebody else may have been found to be the user of before.
            if let Some(before) = before.filter(|user| Some(*user) != now && agents.get(user) == Some(&agent))
            {
                agents.remove(&before);
            }
            if let Some(user) = now {
                agents.insert(user, agent);
            }
        }
        agents
    }

    /// The object id of somebody whom the configuration names by principal name and who has not signed in yet. While Graph
    /// does not answer, it is whoever it was.
    async fn principal(&self, name: &Arc<str>) -> Option<ObjectId> {
        #[derive(Deserialize)]
        struct User {
            id: String,
        }
        let path: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let call =
            Call::get(Operation::ReadProfile, Caller::Application, format!("/users/{path}?$select=id"));
        let answer = self.graph.ask(&call).await;
        let read = Fault::read(Operation::ReadProfile, &answer, |response| {
            serde_json::from_slice::<User>(&response.body).ok()?.id.parse::<ObjectId>().ok()
        });
        let mut principals = lock(&self.principals);
        match read {
            Ok(user) => {
                let before = principals.insert(Arc::clone(name), Found { user, at: Instant::now() });
                if before.is_some_and(|before| before.user != user) {
                    tracing::info!(entra.tenant = %self.tid, %user, "a principal name is somebody else's by now");
                }
                Some(user)
            }
            Err(fault) if fault.kind == FaultKind::NotFound => {
                principals.remove(name);
                tracing::info!(
                    entra.tenant = %self.tid, fault = fault.stable_code(),
                    "somebody of the configuration is not found by principal name"
                );
                None
            }
            Err(fault) => {
                tracing::info!(
                    entra.tenant = %self.tid, fault = fault.stable_code(),
                    "a principal name cannot be looked for; it is tried again"
                );
                principals.get(name).map(|found| found.user)
            }
        }
    }

    /// Takes the accounts that are kept into use.
    pub(super) fn use_accounts(&self, register: &Register) {
        let ids: Vec<ObjectId> = lock(&self.kept).accounts.keys().copied().collect();
        let mut accounts = BTreeMap::new();
        for id in ids {
            match register.secret(&self.tenant, &account_secret(id)) {
                Ok(Some(KeptSecret::Known(bytes))) => {
                    let refresh = Secret::new(String::from_utf8_lossy(&bytes));
                    let (register, tenant) = (register.clone(), self.tenant.clone());
                    let keep = move |id, next: &Secret| keep_account(&register, &tenant, id, next);
                    accounts.insert(id, Account { refresh, keep: Arc::new(keep) });
                }
                Ok(_) => {
                    tracing::warn!(entra.tenant = %self.tid, account = %id, "an account has to be connected again");
                }
                Err(fault) => tracing::error!(%fault, "the register cannot be read"),
            }
        }
        self.graph.set_accounts(accounts);
    }

    /// Tells the watch which accounts it can use.
    pub(super) fn tell_accounts(&self) {
        let accounts = self.graph.accounts().into_iter().collect();
        if !self.watch.try_tell(Message::Accounts(accounts)) {
            tracing::warn!(entra.tenant = %self.tid, "a watch is not told its accounts; it is at the next start");
        }
    }
}

/// Keeps the refresh token of an account.
pub(super) fn keep_account(register: &Register, tenant: &Tenant, account: ObjectId, refresh: &Secret) {
    let put = register.secret_put(tenant, &account_secret(account), refresh.expose().as_bytes(), now_ms());
    if let Err(fault) = put {
        tracing::error!(%fault, %account, "the token of an account is not kept; connect it again after a restart");
    }
}

pub(super) fn account_secret(account: ObjectId) -> String {
    format!("presence.{account}")
}

pub(super) fn row(tid: EntraTenantId, kept: &Kept) -> EntraTenantRow {
    EntraTenantRow {
        tid: tid.to_string(),
        name: kept.name.clone(),
        state: serde_json::to_string(kept).unwrap_or_default(),
        changed_ms: now_ms(),
    }
}

pub(super) fn now_ms() -> i64 {
    i64::try_from(unix_now().0.saturating_mul(1_000)).unwrap_or(i64::MAX)
}

/// Principal names that are asked for at once in one tenant.
const ASKED_AT_ONCE: usize = 8;
