//! Microsoft in the program: sign-in through Entra ID, onboarding of customers' tenants, presence, the directory.
//!
//! What Microsoft is asked and what its answers mean stands in `tandem_microsoft`; here it meets sockets, the clock, the
//! register and the centers.

pub mod connection;
pub mod directory;
pub mod entra;
mod figures;
pub mod grants;
pub mod graph;
mod keys;
pub(crate) mod meaning;
pub mod notifications;
pub mod onboarding;
mod profiles;
pub mod settings;
pub mod sign_in;
pub mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tandem_center::id::AgentId;
use tandem_microsoft::entra::code_flow::PendingSignIns;
use tandem_microsoft::entra::consent::ConsentProof;
use tandem_microsoft::graph::call::{BadAddress, Endpoint};
use tandem_microsoft::graph::subscription::Notify as NotifyAt;
use tandem_microsoft::id::{EntraTenantId, ObjectId};
use tandem_microsoft::time::UnixTime;
use tandem_people::scope::Scope;
use tandem_store::Tenant;
use tandem_strangers::Waiting;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::desk::Desks;
use crate::identity::Identity;
use crate::outbound::{Outbound, OutboundSettings, SetupFault};
use crate::transport::resolve::Resolver;
use connection::{Connection, Origin};
use directory::{Following, People};
use entra::Entra;
use keys::{KeysFault, NotificationKeys};
use notifications::Delivered;
use settings::{MicrosoftSettings, PublicUrl, TenantMicrosoft};
use sign_in::Remembered;
use watch::{Message, Watching};

/// Microsoft, in one handle; clones are the same.
#[derive(Clone)]
pub struct Microsoft {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Arc<MicrosoftSettings>,
    public: PublicUrl,
    entra: Arc<Entra>,
    endpoint: Endpoint,
    outbound: Outbound,
    identity: Identity,
    desks: Desks,
    keys: Arc<NotificationKeys>,
    connections: RwLock<BTreeMap<EntraTenantId, Arc<Connection>>>,
    /// What is each tenant's own.
    own: RwLock<BTreeMap<Tenant, TenantMicrosoft>>,
    /// The people of each tenant.
    people: RwLock<BTreeMap<Tenant, Arc<People>>>,
    /// What goes on by itself and is not started yet.
    to_start: Mutex<Vec<(Watching, Following)>>,
    /// The tenants of whom it is to be looked who the agents are.
    to_link: Mutex<BTreeSet<Tenant>>,
    /// There is something to start, or somebody to look for.
    wanted: Notify,
    sign_ins: Mutex<PendingSignIns<Remembered>>,
    /// Held while links are read and written: of two who use one, only the first still finds it.
    links: Mutex<()>,
    consents: Mutex<Waiting<String, (ConsentProof, onboarding::Ticket), UnixTime>>,
    deliveries: mpsc::Sender<Delivered>,
    delivered: Mutex<Option<mpsc::Receiver<Delivered>>>,
    counts: notifications::Counts,
}

/// Microsoft cannot be reached from the start: the operator's configuration, or the disk.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The HTTP client.
    #[error("microsoft: {0}")]
    Client(#[from] SetupFault),
    /// The address of Graph.
    #[error("microsoft.graph: {0}")]
    Graph(#[from] BadAddress),
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(#[from] rand::rand_core::OsError),
    /// The register.
    #[error("{0}; {remedy}", remedy = .0.remedy())]
    Register(#[from] tandem_store::Fault),
    /// The certificate for notifications.
    #[error("the certificate for notifications: {0}")]
    Keys(#[from] KeysFault),
}

impl Microsoft {
    /// Takes up what is connected. Nothing is asked of Microsoft before [`Microsoft::run`]. It may take a while, and
    /// writes: call it where that keeps nobody waiting.
    ///
    /// # Errors
    ///
    /// See [`OpenFault`].
    pub fn open(
        settings: MicrosoftSettings,
        public: PublicUrl,
        identity: Identity,
        desks: Desks,
        resolver: Resolver,
    ) -> Result<Microsoft, OpenFault> {
        let settings = Arc::new(settings);
        let outbound = OutboundSettings {
            patience: settings.patience,
            ..OutboundSettings::microsoft(settings.trust.clone())
        };
        let outbound = Outbound::new(&outbound, resolver)?;
        let entra = Arc::new(Entra::new(Arc::clone(&settings), outbound.clone())?);
        let endpoint = Endpoint::new(&settings.cloud.graph.to_string())?;
        let keys = Arc::new(NotificationKeys::open(identity.register())?);
        let (deliveries, delivered) = mpsc::channel(notifications::WAITING_MAX);
        let microsoft = Microsoft {
            shared: Arc::new(Shared {
                public: settings.public_url.clone().unwrap_or(public),
                own: RwLock::new(settings.tenants.clone()),
                settings,
                entra,
                endpoint,
                outbound,
                identity,
                desks,
                keys,
                connections: RwLock::default(),
                people: RwLock::default(),
                to_start: Mutex::default(),
                to_link: Mutex::default(),
                wanted: Notify::new(),
                sign_ins: Mutex::new(PendingSignIns::new()),
                links: Mutex::new(()),
                consents: Mutex::new(Waiting::new(onboarding::CONSENTS_MAX)),
                deliveries,
                delivered: Mutex::new(Some(delivered)),
                counts: notifications::Counts::default(),
            }),
        };
        for tenant in microsoft.shared.desks.all().keys() {
            microsoft.take_up(tenant)?;
        }
        Ok(microsoft)
    }

    /// Takes in a further tenant, who has a desk already: what is connected of it is followed from now on.
    ///
    /// # Errors
    ///
    /// The register cannot be read or written.
    pub async fn add(&self, tenant: &Tenant, own: TenantMicrosoft) -> Result<(), tandem_store::Fault> {
        self.shared.own.write().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone(), own);
        let (microsoft, whose) = (self.clone(), tenant.clone());
        let Ok(taken) = tokio::task::spawn_blocking(move || microsoft.take_up(&whose)).await else {
            // The program ends.
            return Ok(());
        };
        self.link_soon(Some(tenant));
        taken
    }

    /// The configuration.
    pub fn settings(&self) -> &MicrosoftSettings {
        &self.shared.settings
    }

    /// Where browsers and Graph reach us.
    pub fn public(&self) -> &PublicUrl {
        &self.shared.public
    }

    /// Entra ID.
    pub fn entra(&self) -> &Entra {
        &self.shared.entra
    }

    /// The connection to an Entra tenant.
    pub fn connection(&self, tid: EntraTenantId) -> Option<Arc<Connection>> {
        self.connections().get(&tid).cloned()
    }

    /// The connections of a tenant, by their ids.
    pub fn connections_of(&self, tenant: &Tenant) -> Vec<Arc<Connection>> {
        self.connections().values().filter(|connection| connection.tenant == *tenant).cloned().collect()
    }

    /// Whose an Entra tenant is.
    pub fn owner(&self, tid: EntraTenantId) -> Option<Tenant> {
        self.connection(tid).map(|connection| connection.tenant.clone())
    }

    /// The people of a tenant.
    pub fn people(&self, tenant: &Tenant) -> Option<Arc<People>> {
        self.all_people().get(tenant).cloned()
    }

    /// How many people can be found, of all tenants.
    fn people_known(&self) -> u64 {
        let of_tenant = |people: &Arc<People>| people.with(|directory| directory.len());
        let all: usize = self.all_people().values().map(of_tenant).sum();
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    /// Runs everything that goes on by itself; never ends. What waits for Microsoft waits in a task of its own, so that a
    /// tenant whose Graph is slow keeps nobody else waiting; all of them end with this.
    pub async fn run(&self) {
        let mut tasks = JoinSet::new();
        let mut people = self.shared.identity.people_changes();
        if let Some(delivered) = graph::lock(&self.shared.delivered).take() {
            let microsoft = self.clone();
            tasks.spawn(async move { microsoft.deliver(delivered).await });
        }
        let mut links = tokio::time::interval(self.shared.settings.links_every);
        let mut linking = JoinSet::new();
        let mut linked_now = BTreeSet::new();
        let mut naming = JoinSet::new();
        let mut renewals = tokio::time::interval(self.shared.settings.keys_every);
        loop {
            for (watching, following) in std::mem::take(&mut *graph::lock(&self.shared.to_start)) {
                tasks.spawn(watching.run());
                tasks.spawn(following.run());
            }
            for tenant in self.next_to_link(&mut linked_now) {
                let microsoft = self.clone();
                linking.spawn(async move {
                    microsoft.link(&tenant).await;
                    tenant
                });
            }
            tokio::select! {
                () = self.shared.wanted.notified() => {}
                Some(_) = tasks.join_next() => {}
                Some(_) = naming.join_next() => {}
                Some(done) = linking.join_next() => match done {
                    Ok(tenant) => {
                        linked_now.remove(&tenant);
                    }
                    // It is not known whose it was: at worst somebody is looked for twice at once.
                    Err(_) => linked_now.clear(),
                },
                _ = links.tick() => {
                    if naming.is_empty() {
                        let microsoft = self.clone();
                        naming.spawn(async move { microsoft.learn_names().await });
                    }
                    self.link_soon(None);
                }
                _ = renewals.tick() => self.renew_keys().await,
                changed = people.recv() => {
                    // Many changes come together: an import, a synchronisation.
                    tokio::time::sleep(LINKS_PAUSE).await;
                    let mut scopes: BTreeSet<Option<Scope>> = BTreeSet::from([changed.ok()]);
                    while let Ok(scope) = people.try_recv() {
                        scopes.insert(Some(scope));
                    }
                    for scope in scopes {
                        let tenant = scope.as_ref().and_then(Scope::tenant_name);
                        self.link_soon(tenant.and_then(|name| name.parse().ok()).as_ref());
                    }
                }
            }
        }
    }

    /// Takes back what is shown in Teams and ends the subscriptions, before the program stops; it takes some seconds at most.
    /// [`Microsoft::run`] has to go on meanwhile.
    pub async fn close(&self) {
        let connections: Vec<_> = self.connections().values().cloned().collect();
        let closing: JoinSet<_> =
            connections.into_iter().map(|connection| async move { connection.watch.close().await }).collect();
        closing.join_all().await;
    }

    /// Has it looked who the agents are in Entra, of one tenant or of all.
    fn link_soon(&self, tenant: Option<&Tenant>) {
        let owners = self.connections();
        let owners = owners.values().map(|connection| &connection.tenant);
        let meant = owners.filter(|owner| tenant.is_none_or(|tenant| tenant == *owner)).cloned();
        graph::lock(&self.shared.to_link).extend(meant);
        self.shared.wanted.notify_one();
    }

    /// The tenants whose turn it is, who count as being linked from now on: each once at a time, so that an older answer is
    /// never taken after a newer one.
    fn next_to_link(&self, linked_now: &mut BTreeSet<Tenant>) -> Vec<Tenant> {
        let mut waiting = graph::lock(&self.shared.to_link);
        let next: Vec<_> = waiting.difference(linked_now).cloned().collect();
        waiting.retain(|tenant| linked_now.contains(tenant));
        linked_now.extend(next.iter().cloned());
        next
    }

    /// Looks who the agents of a tenant are in Entra, and tells the watches: at once of those who are known, and then of those
    /// who have to be asked for.
    async fn link(&self, tenant: &Tenant) {
        let scope = Scope::tenant(tenant.as_str());
        let people = self.shared.identity.change(move |identity| identity.people(&scope)).await;
        let people = match people {
            Ok(people) => people,
            Err(fault) => {
                tracing::error!(%fault, %tenant, "people cannot be read; presence goes on with those known");
                return;
            }
        };
        let mut asking = JoinSet::new();
        for connection in self.connections_of(tenant) {
            let again = self.shared.settings.principals_every;
            let linked = connection.agents(&people, &self.shared.identity.settings(), again);
            self.tell_agents(&connection, linked.agents.clone()).await;
            if !linked.to_ask.is_empty() {
                asking.spawn(async move {
                    let agents = connection.find_agents(linked).await;
                    (connection, agents)
                });
            }
        }
        while let Some(found) = asking.join_next().await {
            if let Ok((connection, agents)) = found {
                self.tell_agents(&connection, agents).await;
            }
        }
    }

    async fn tell_agents(&self, connection: &Connection, agents: BTreeMap<ObjectId, AgentId>) {
        if let Some(people) = self.people(&connection.tenant) {
            people.set_agents(connection.tid, &agents);
        }
        connection.watch.tell(Message::Agents(agents)).await;
    }

    /// Connects what stands of a tenant in the configuration and in the register.
    fn take_up(&self, tenant: &Tenant) -> Result<(), tandem_store::Fault> {
        let people = Arc::new(People::open(tenant, self.shared.identity.register())?);
        self.shared.people.write().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone(), people);
        let own = self.own(tenant);
        let kept = self.shared.identity.register().entra_tenants(tenant)?;
        let mut rows: BTreeMap<EntraTenantId, connection::Kept> =
            kept.iter().filter_map(connection::Kept::read).collect();
        for tid in &own.entra {
            rows.entry(*tid).or_default();
        }
        for (tid, kept) in rows {
            let origin = if own.entra.contains(&tid) { Origin::Configuration } else { Origin::Consent };
            self.connect(tenant, tid, origin, kept)?;
        }
        Ok(())
    }

    /// What is a tenant's own.
    fn own(&self, tenant: &Tenant) -> TenantMicrosoft {
        let own = self.shared.own.read().unwrap_or_else(PoisonError::into_inner);
        own.get(tenant).cloned().unwrap_or_default()
    }

    fn all_people(&self) -> RwLockReadGuard<'_, BTreeMap<Tenant, Arc<People>>> {
        self.shared.people.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to work with an Entra tenant.
    fn connect(
        &self,
        tenant: &Tenant,
        tid: EntraTenantId,
        origin: Origin,
        kept: connection::Kept,
    ) -> Result<(), tandem_store::Fault> {
        let (Some(desk), Some(people)) = (self.shared.desks.desk(tenant), self.people(tenant)) else {
            return Ok(());
        };
        if let Some(other) = self.owner(tid) {
            if other != *tenant {
                tracing::error!(%tid, %tenant, %other, "an Entra tenant belongs to one customer; the first has it");
            }
            return Ok(());
        }
        let shared = &self.shared;
        let graph = graph::Graph::new(
            tid,
            &shared.settings,
            Arc::clone(&shared.entra),
            shared.endpoint.clone(),
            shared.outbound.clone(),
        );
        let seeds = shared.entra.with_random(|random| {
            let mut seed = [0; 32];
            random.fill_bytes(&mut seed);
            (seed, random.next_u64())
        });
        let writes = self.own(tenant).write_presence;
        let keys = Arc::clone(&shared.keys);
        let (watch, watching) =
            watch::Watch::new(graph.clone(), desk.clone(), &shared.settings, keys, writes, seeds);
        let connection = Arc::new(Connection::new(tid, tenant.clone(), origin, kept, graph, watch));
        connection.use_accounts(shared.identity.register());
        connection.tell_accounts();
        connection.watch.try_tell(Message::Notify(self.notify_at()));
        let following = Following::new(&connection, people, shared.settings.directory_every, seeds.1)?;
        self.shared.connections.write().unwrap_or_else(PoisonError::into_inner).insert(tid, connection);
        graph::lock(&shared.to_start).push((watching, following));
        shared.wanted.notify_one();
        Ok(())
    }

    /// Makes a new certificate for notifications if the one in use is old, and has the subscriptions use it.
    async fn renew_keys(&self) {
        let (keys, register) = (Arc::clone(&self.shared.keys), self.shared.identity.register().clone());
        match tokio::task::spawn_blocking(move || keys.renew_if_due(&register)).await {
            Ok(Ok(true)) => {
                let connections: Vec<_> = self.connections().values().cloned().collect();
                for connection in connections {
                    connection.watch.tell(Message::Notify(self.notify_at())).await;
                }
            }
            Ok(Ok(false)) => {}
            Ok(Err(fault)) => tracing::error!(%fault, "the certificate for notifications is not renewed"),
            // The program ends.
            Err(_) => {}
        }
    }

    /// Where Graph may send its notifications: only an address with TLS, or on this machine.
    fn notify_at(&self) -> Option<NotifyAt> {
        Some(NotifyAt {
            url: self.shared.public.at("/notifications/graph"),
            lifecycle_url: self.shared.public.at("/notifications/graph/lifecycle"),
            encrypt_for: Some(self.shared.keys.encrypt_for()),
        })
    }

    fn connections(&self) -> RwLockReadGuard<'_, BTreeMap<EntraTenantId, Arc<Connection>>> {
        self.shared.connections.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long changes of people are gathered.
const LINKS_PAUSE: Duration = Duration::from_millis(100);
