//! A changed configuration comes into force while calls go on.
//!
//! The file is read and checked as a whole. If anything in it is at fault, or takes a restart, nothing changes. Otherwise
//! agents, queues, numbers, flows and prompts, people and their roles, further customers, further trunks and renewed
//! certificates are in force when it is answered: calls in progress keep their agents, callers keep their places.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tandem_b2bua::trunk::Trunk;
use tandem_center::call::LineName;
use tandem_center::config::Config;
use tandem_people::audit::Entry;
use tandem_people::caller::Caller;
use tandem_people::scope::Scope;
use tandem_store::Tenant;
use tokio::sync::{mpsc, oneshot};

use crate::api::listen::{Certificate, ListenFault};
use crate::config::standing::Standing;
use crate::config::{Faults, Settings, TenantSettings};
use crate::desk::{COMMIT_PATIENCE, Desk, Desks};
use crate::engine::{self, Newcomer, Order, Reconfiguration};
use crate::identity::{self, Identity, IdentityFault};
use crate::live::wait_committed;
use crate::microsoft::Microsoft;
use crate::microsoft::settings::TenantMicrosoft;
use crate::recordings::Recordings;
use crate::restore::{Library, RestoreFault};
use crate::webhooks::Webhooks;

/// Asks for the configuration to be brought into force anew; clones ask the same program.
#[derive(Clone, Debug)]
pub struct Reloads {
    asked: mpsc::Sender<Asked>,
}

/// Somebody who waits for the outcome.
#[derive(Debug)]
pub struct Asked {
    by: Arc<Caller>,
    answer: oneshot::Sender<Result<Reloaded, ReloadFault>>,
}

/// What came into force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Customers who were not there before.
    pub tenants_added: Vec<Tenant>,
    /// Customers whose contact center, name, lines or time of keeping changed. A prompt whose file alone changed is in force
    /// too, and not told.
    pub tenants_changed: Vec<Tenant>,
    /// Trunks that were not there before.
    pub trunks_added: Vec<LineName>,
    /// People of the configuration who came, left or changed.
    pub people_changed: usize,
}

/// The configuration is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReloadFault {
    /// The program was not started from a file.
    #[error("the program was not started from a file")]
    NoFile,
    /// Faults in the file or those that it names.
    #[error("the configuration has faults:\n{0}")]
    Faulty(Faults),
    /// Keys that are read at the start only were changed.
    #[error("what changed at {} is read at the start only", .0.join(", "))]
    NeedsRestart(Vec<String>),
    /// The certificate of the API and the page.
    #[error(transparent)]
    Certificate(#[from] ListenFault),
    /// People of the configuration.
    #[error("people: {0}")]
    People(#[from] IdentityFault),
    /// The journal of a further customer.
    #[error("the journal of tenant {tenant}: {source}")]
    Journal {
        /// Whose.
        tenant: Tenant,
        /// What is wrong with it.
        source: RestoreFault,
    },
    /// The program is ending.
    #[error("the program is ending")]
    Ending,
}

impl Reloaded {
    /// What came of it, for the trail of the installation.
    pub fn detail(&self) -> Vec<(&'static str, String)> {
        let names = |names: &[Tenant]| names.iter().map(Tenant::to_string).collect::<Vec<_>>().join(", ");
        let detail = vec![
            ("tenants_added", names(&self.tenants_added)),
            ("tenants_changed", names(&self.tenants_changed)),
            ("trunks_added", self.trunks_added.join(", ")),
            ("people_changed", self.people_changed.to_string()),
        ];
        detail.into_iter().filter(|(_, what)| !what.is_empty() && what != "0").collect()
    }
}

impl Reloads {
    /// Who asks, and what they ask; few wait at once.
    pub fn new() -> (Reloads, mpsc::Receiver<Asked>) {
        let (asked, asking) = mpsc::channel(ASKING_MAX);
        (Reloads { asked }, asking)
    }

    /// Brings what the file says now into force. In the trail of each customer of whom something came or changed stands that
    /// it was done, and by whom; what was asked of the installation is for whoever asks to tell.
    ///
    /// # Errors
    ///
    /// See [`ReloadFault`].
    pub async fn reload(&self, by: Arc<Caller>) -> Result<Reloaded, ReloadFault> {
        let (answer, outcome) = oneshot::channel();
        self.asked.send(Asked { by, answer }).await.map_err(|_| ReloadFault::Ending)?;
        outcome.await.map_err(|_| ReloadFault::Ending)?
    }
}

/// What runs, and what of the configuration is in force in it.
pub struct Running {
    /// The file.
    pub source: Option<PathBuf>,
    /// What takes a restart.
    pub standing: Standing,
    /// The contact center of each tenant.
    pub centers: BTreeMap<Tenant, Arc<Config>>,
    /// How many trunks there are.
    pub trunks: usize,
    /// The journal.
    pub library: Arc<Library>,
    /// The folder of recordings.
    pub recordings: Recordings,
    /// The way to the engine.
    pub orders: mpsc::Sender<Order>,
    /// What browsers and programs are shown.
    pub certificate: Certificate,
    /// The desks.
    pub desks: Desks,
    /// People.
    pub identity: Identity,
    /// Programs that are told what happens.
    pub webhooks: Webhooks,
    /// Microsoft, if it is connected.
    pub microsoft: Option<Microsoft>,
}

impl Running {
    /// Does what is asked, one after the other, for ever.
    pub async fn serve(mut self, mut asking: mpsc::Receiver<Asked>) {
        while let Some(Asked { by, answer }) = asking.recv().await {
            let outcome = self.reload().await;
            match &outcome {
                Ok(reloaded) => {
                    tracing::info!(?reloaded, "the configuration is in force");
                    self.tell_customers(&by, reloaded).await;
                }
                Err(fault) => tracing::error!(%fault, "the configuration stays as it was"),
            }
            // Whoever asked may have gone.
            let _ = answer.send(outcome);
        }
        std::future::pending::<()>().await;
    }

    async fn reload(&mut self) -> Result<Reloaded, ReloadFault> {
        let source = self.source.clone().ok_or(ReloadFault::NoFile)?;
        let read = tokio::task::spawn_blocking(move || Settings::load(&source)).await;
        let wanted = read.map_err(|_| ReloadFault::Ending)?.map_err(ReloadFault::Faulty)?;
        let differences = self.standing.differences(&wanted.standing);
        if !differences.is_empty() {
            return Err(ReloadFault::NeedsRestart(differences));
        }
        if let Some(short) = wanted.ports_short() {
            tracing::warn!("{short}");
        }
        self.bring_into_force(wanted).await
    }

    async fn bring_into_force(&mut self, wanted: Settings) -> Result<Reloaded, ReloadFault> {
        let Settings {
            identity, microsoft, standing, http, interfaces, trunks, tenants, routes, calls, ..
        } = wanted;
        let (added, kept): (Vec<_>, Vec<_>) =
            tenants.iter().partition(|settings| !self.centers.contains_key(&settings.tenant));
        let mut newcomers = Vec::with_capacity(added.len());
        let mut further = Vec::with_capacity(added.len());
        for settings in &added {
            let (newcomer, desk) = self.newcomer(settings).await?;
            newcomers.push(newcomer);
            further.push(desk);
        }
        let certificate = self.certificate.read_again(&http)?;
        let people_changed =
            self.identity.change(move |people| people.configure(identity, identity::now())).await?;
        // From here on nothing fails but with the whole program.
        self.certificate.show(certificate);
        let is_changed = |settings: &&&TenantSettings| {
            let before = self.centers.get(&settings.tenant);
            before.is_none_or(|before| before.document() != settings.center.document())
        };
        let changed: Vec<_> = kept.iter().filter(is_changed).collect();
        let mut reloaded = Reloaded {
            tenants_added: added.iter().map(|settings| settings.tenant.clone()).collect(),
            tenants_changed: changed.iter().map(|settings| settings.tenant.clone()).collect(),
            trunks_added: trunks.iter().skip(self.trunks).map(|trunk| trunk.name.clone()).collect(),
            people_changed,
        };
        let further_trunks: Vec<Trunk> = trunks.into_iter().skip(self.trunks).collect();
        let trunks_after = self.trunks + further_trunks.len();
        let change = Reconfiguration {
            interfaces,
            trunks: further_trunks,
            prompts: engine::prompts(&tenants),
            calls,
            routes,
            changed: changed.iter().map(|of| (of.tenant.clone(), of.center.clone())).collect(),
            added: newcomers,
        };
        let told = self.tell_engine(change).await?;
        if self.identity.change(Identity::nobody_is_in_charge).await.unwrap_or(false) {
            tracing::warn!(
                "nobody can sign in who may make others; at the next start a code on the console lets somebody in"
            );
        }
        self.standing = standing;
        self.trunks = trunks_after;
        self.centers = tenants.iter().map(|of| (of.tenant.clone(), of.center.clone())).collect();
        for settings in &kept {
            self.set_terms(settings, &mut reloaded.tenants_changed);
        }
        for desk in further {
            self.desks.add(desk);
        }
        for tenant in &reloaded.tenants_added {
            let own = microsoft.as_ref().and_then(|settings| settings.tenants.get(tenant)).cloned();
            self.take_up(tenant, own.unwrap_or_default()).await;
        }
        for (tenant, number) in told {
            if let Some(desk) = self.desks.desk(&tenant)
                && !wait_committed(desk.live(), number, COMMIT_PATIENCE).await
            {
                tracing::warn!(%tenant, "the configuration holds, but is not written yet");
            }
        }
        Ok(reloaded)
    }

    async fn tell_customers(&self, by: &Arc<Caller>, reloaded: &Reloaded) {
        let whose: Vec<Tenant> =
            reloaded.tenants_added.iter().chain(&reloaded.tenants_changed).cloned().collect();
        let by = Arc::clone(by);
        let told = self.identity.change(move |identity| {
            for tenant in whose {
                let scope = Scope::tenant(tenant.as_str());
                identity.audit(Entry::new(identity::now(), &by, scope, ACT, OBJECT));
            }
            Ok(())
        });
        if told.await.is_err() {
            tracing::error!("the program ends before the audit trail is written");
        }
    }

    /// What a further customer needs to take calls.
    async fn newcomer(&self, settings: &TenantSettings) -> Result<(Newcomer, Desk), ReloadFault> {
        let TenantSettings { tenant, center, .. } = settings;
        let (library, whose) = (Arc::clone(&self.library), tenant.clone());
        let restored = tokio::task::spawn_blocking(move || library.restore(&whose)).await;
        let (live, recorder) = restored
            .map_err(|_| ReloadFault::Ending)?
            .map_err(|source| ReloadFault::Journal { tenant: tenant.clone(), source })?;
        let (journal, orders) = (self.library.journal.clone(), self.orders.clone());
        let desk = Desk::new(live.clone(), settings.terms(), journal, orders, self.recordings.of(tenant));
        let newcomer = Newcomer { tenant: tenant.clone(), config: center.clone(), live, recorder };
        Ok((newcomer, desk))
    }

    /// It waits for room: half of a configuration is nobody's.
    async fn tell_engine(&self, change: Reconfiguration) -> Result<Vec<(Tenant, u64)>, ReloadFault> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Configure { change: Box::new(change), reply };
        self.orders.send(order).await.map_err(|_| ReloadFault::Ending)?;
        answer.await.map_err(|_| ReloadFault::Ending)
    }

    fn set_terms(&self, settings: &TenantSettings, changed: &mut Vec<Tenant>) {
        let Some(desk) = self.desks.desk(&settings.tenant) else { return };
        let terms = settings.terms();
        if desk.terms() != terms {
            desk.set_terms(terms);
            if !changed.contains(&settings.tenant) {
                changed.push(settings.tenant.clone());
            }
        }
    }

    /// What else goes on for a further customer who has a desk.
    async fn take_up(&self, tenant: &Tenant, own: TenantMicrosoft) {
        if let Err(fault) = self.webhooks.add(tenant).await {
            tracing::error!(%tenant, %fault, "webhooks cannot be read: they are told nothing until the next start");
        }
        if let Some(microsoft) = &self.microsoft
            && let Err(fault) = microsoft.add(tenant, own).await
        {
            tracing::error!(%tenant, %fault, "Microsoft is not connected until the next start");
        }
    }
}

/// What it is called in the audit trail.
pub const ACT: &str = "configuration.reload";
/// To what it is done.
pub const OBJECT: &str = "configuration";

/// People who wait for a reload at once; one more waits to be heard.
const ASKING_MAX: usize = 8;
