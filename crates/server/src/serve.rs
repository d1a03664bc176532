//! `tandem serve`: from a configuration file to a program that answers calls, and to its orderly end.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, bail};
use tandem_center::{Center, Timestamp};
use tandem_people::audit::Entry;
use tandem_people::caller::Caller;
use tandem_people::scope::Scope;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinSet, LocalSet};

use crate::api;
use crate::centers::Centers;
use crate::config::{Faults, Settings, TenantSettings};
use crate::desk::{Desk, Desks};
use crate::engine::{Clock, Engine, ORDERS_MAX, StartFault};
use crate::erase;
use crate::identity::{self, Identity};
use crate::live::{Live, Recorder, Writing};
use crate::microsoft::Microsoft;
use crate::microsoft::settings::{MicrosoftSettings, PublicUrl};
use crate::outbound::Outbound;
use crate::recordings::{Recordings, Told};
use crate::reload::{self, Reloads, Running};
use crate::restore;
use crate::telemetry;
use crate::transport::resolve::Resolver;
use crate::transport::tls;
use crate::webhooks::Webhooks;

/// Reads the file, answers calls, and returns when the program is told to end (Ctrl-C, SIGTERM).
///
/// # Errors
///
/// Whatever keeps it from answering calls, each with its remedy.
pub fn run(path: &Path) -> Result<()> {
    let settings = Settings::load(path)
        .map_err(|faults| anyhow::anyhow!("{} cannot be used:\n{faults}", path.display()))?;
    let unfit = settings.unfit_here();
    if !unfit.is_empty() {
        bail!("{} cannot be used on this machine:\n{}", path.display(), Faults(unfit));
    }
    telemetry::start(&settings.log).map_err(|error| anyhow::anyhow!("the log cannot be set up: {error}"))?;
    if let Some(short) = settings.ports_short() {
        tracing::warn!("{short}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let program = Program::start(settings).await?;
        tracing::info!(http.listen = %program.page(), "tandem answers calls");
        let reloading = tokio::spawn(reload_when_told(program.reloads(), program.running.identity.clone()));
        let outcome = program.until(told_to_end()).await;
        reloading.abort();
        outcome
    })
}

/// A running program: the engine on its own thread, the API on the caller's runtime.
pub struct Program {
    engine: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
    stop: oneshot::Sender<()>,
    server: api::Server,
    running: Running,
    reloads: Reloads,
    asking: mpsc::Receiver<reload::Asked>,
}

impl Program {
    /// Opens the journal, the engine and the API, in this order. All of it answers when this returns.
    ///
    /// # Errors
    ///
    /// Whatever cannot be opened.
    pub async fn start(settings: Settings) -> Result<Program> {
        raise_descriptor_limit();
        // One crypto provider for the whole program; a second start in one process finds it installed.
        let _ = Arc::unwrap_or_clone(tls::provider()).install_default();
        let library = restore::open_library(&settings.data, settings.personal_data.keys.as_deref())?;
        let library = Arc::new(library);
        let recordings = Recordings::open_folder(&settings.data)?;
        let (orders_in, orders) = mpsc::channel(ORDERS_MAX);
        let mut restored = Vec::with_capacity(settings.tenants.len());
        let mut desks = Vec::with_capacity(settings.tenants.len());
        for of_tenant in &settings.tenants {
            let TenantSettings { tenant, .. } = of_tenant;
            let (live, recorder) =
                library.restore(tenant).with_context(|| format!("the journal of tenant {tenant}"))?;
            let (journal, orders) = (library.journal.clone(), orders_in.clone());
            let recordings = recordings.0.of(tenant);
            desks.push(Desk::new(live.clone(), of_tenant.terms(), journal, orders, recordings));
            restored.push((live, recorder));
        }
        let desks = Desks::new(desks);
        let identity = open_identity(&settings)?;
        let outbound = Outbound::new(&settings.webhooks, Resolver::new(&settings.dns.servers)?)?;
        let webhooks = Webhooks::new(identity.register().clone(), desks.clone(), outbound);
        let opening = |listening: &api::listen::Listening| {
            let settings_of = settings.microsoft.clone();
            settings_of.map(|of| open_microsoft(of, &settings, listening, &identity, &desks)).transpose()
        };
        let (reloads, asking) = Reloads::new();
        let http = (desks.clone(), identity.clone(), webhooks.clone());
        let server =
            api::Server::bind(&settings.http, http.0, http.1, http.2, reloads.clone(), opening).await?;
        tell_setup(&identity, &server)?;
        let running = Running {
            source: settings.source.clone(),
            standing: settings.standing.clone(),
            centers: settings.tenants.iter().map(|of| (of.tenant.clone(), of.center.clone())).collect(),
            trunks: settings.trunks.len(),
            library: library.clone(),
            recordings: recordings.0.clone(),
            orders: orders_in,
            certificate: server.certificate(),
            desks,
            identity,
            webhooks,
            microsoft: server.microsoft().cloned(),
        };
        let (ready_in, ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let (ended_in, ended) = oneshot::channel();
        let writing = library.books.writing();
        let parts = Parts { settings, restored, writing, orders, recordings };
        let engine = std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || {
                parts.run(ready_in, stopped);
                // Whoever waits for the end may be gone.
                let _ = ended_in.send(());
            })
            .context("the system gives no thread")?;
        match ready.await {
            Ok(Ok(())) => Ok(Program { engine, ended, stop, server, running, reloads, asking }),
            Ok(Err(fault)) => Err(fault.into()),
            Err(_) => bail!("the engine ended at its start"),
        }
    }

    /// Where the page and the API are.
    pub fn page(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// Asks for the configuration to be brought into force anew, while the program serves.
    pub fn reloads(&self) -> Reloads {
        self.reloads.clone()
    }

    /// Serves until `end` resolves or the engine ends by itself; then ends everything in order.
    ///
    /// # Errors
    ///
    /// The engine broke off, or facts could not be written.
    pub async fn until(self, end: impl Future<Output = ()>) -> Result<()> {
        let Program { engine, mut ended, stop, server, running, reloads: _, asking } = self;
        let Running { library, desks, identity, webhooks, microsoft, .. } = &running;
        let (library, microsoft) = (library.clone(), microsoft.clone());
        let (desks, identity, webhooks) = (desks.clone(), identity.clone(), webhooks.clone());
        // On its own, so that it goes on while it is closed.
        let mut connected = JoinSet::new();
        if let Some(microsoft) = microsoft.clone() {
            connected.spawn(async move { microsoft.run().await });
        }
        let broke_off = tokio::select! {
            () = end => false,
            _ = &mut ended => true,
            () = server.serve() => true,
            () = erase::retain(desks) => true,
            () = identity.tend() => true,
            () = webhooks.run() => true,
            Some(_) = connected.join_next() => true,
            () = running.serve(asking) => true,
        };
        let _ = stop.send(());
        let calls_end = async {
            if !broke_off {
                let _ = ended.await;
            }
        };
        let teams_is_told = async {
            if let Some(microsoft) = &microsoft {
                microsoft.close().await;
            }
        };
        tokio::join!(calls_end, teams_is_told);
        drop(connected);
        if engine.join().is_err() {
            bail!("the engine broke off; the journal is whole, start again");
        }
        library.books.close(library.journal.clone()).context("the journal could not be finished")?;
        if broke_off { bail!("the engine ended by itself; the log says why") } else { Ok(()) }
    }
}

/// Opens the register of people.
fn open_identity(settings: &Settings) -> Result<Identity> {
    let keys = settings.personal_data.keys.as_deref();
    Identity::open(&settings.data, keys, settings.identity.clone(), identity::now())
        .context("the register of people cannot be opened")
}

/// Takes up the connections to Microsoft.
fn open_microsoft(
    of: MicrosoftSettings,
    settings: &Settings,
    listening: &api::listen::Listening,
    identity: &Identity,
    desks: &Desks,
) -> Result<Microsoft> {
    let public = PublicUrl::of_listener(listening.address(), settings.http.certificate.is_some());
    let resolver = Resolver::new(&settings.dns.servers)?;
    Microsoft::open(of, public, identity.clone(), desks.clone(), resolver)
        .context("Microsoft cannot be set up")
}

/// While nobody can sign in who may make others, whoever sees the console can.
fn tell_setup(identity: &Identity, server: &api::Server) -> Result<()> {
    if identity.nobody_is_in_charge()? {
        let code = identity.open_setup(identity::now());
        // Loopback by name: a browser keeps passkeys and cookies by it.
        let (scheme, address) = (server.scheme(), server.address());
        let host = if address.ip().is_loopback() { "localhost".to_owned() } else { address.ip().to_string() };
        println!("Nobody can sign in yet. Within 30 minutes, and once, this lets the first person in:");
        println!("  {scheme}://{host}:{}/setup#{}", address.port(), code.expose());
    }
    Ok(())
}

/// What the engine's thread takes with it.
struct Parts {
    settings: Settings,
    restored: Vec<(Arc<Live>, Recorder)>,
    writing: watch::Receiver<Writing>,
    orders: mpsc::Receiver<crate::engine::Order>,
    recordings: (Recordings, mpsc::Receiver<Told>),
}

impl Parts {
    fn run(self, ready: oneshot::Sender<Result<(), StartFault>>, stop: oneshot::Receiver<()>) {
        let Parts { settings, restored, writing, orders, recordings } = self;
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = ready.send(Err(StartFault::Runtime(error)));
                return;
            }
        };
        LocalSet::new().block_on(&runtime, async move {
            let started = Clock::read(Timestamp::default()).now();
            let centers: Vec<_> = settings
                .tenants
                .iter()
                .zip(restored)
                .map(|(settings, (live, recorder))| {
                    let center = Center::resume(settings.center.clone(), started, &live.view());
                    (settings.tenant.clone(), center, recorder)
                })
                .collect();
            // Never before the last fact, whatever became of the system's clock in between.
            let last = centers.iter().map(|(_, center, _)| center.now()).max().unwrap_or_default();
            let clock = Clock::read(last);
            let centers = Centers::new(centers, settings.routes.clone());
            match Engine::start(&settings, centers, clock, orders, writing, recordings).await {
                Ok(engine) => {
                    let _ = ready.send(Ok(()));
                    engine
                        .run(async {
                            let _ = stop.await;
                        })
                        .await;
                }
                Err(fault) => {
                    let _ = ready.send(Err(fault));
                }
            }
        });
    }
}

/// Each party of a call takes two descriptors: as many are allowed as the system lets us have.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the limit of open files stays as it is; raise it for more calls at once");
    }
}

/// Brings the configuration into force anew whenever the system or a person says so (SIGHUP).
async fn reload_when_told(reloads: Reloads, identity: Identity) {
    use tokio::signal::unix::{SignalKind, signal};
    let mut told = match signal(SignalKind::hangup()) {
        Ok(told) => told,
        Err(error) => {
            tracing::warn!(%error, "SIGHUP cannot be watched");
            return;
        }
    };
    while told.recv().await.is_some() {
        let by = Arc::new(Caller::console());
        let outcome = reloads.reload(by.clone()).await;
        let entry = Entry::new(identity::now(), &by, Scope::Installation, reload::ACT, reload::OBJECT);
        let entry = match outcome {
            Ok(reloaded) => {
                reloaded.detail().iter().fold(entry, |entry, (name, what)| entry.with(name, what))
            }
            Err(_) => entry.refused("not_in_force"),
        };
        let told = identity.change(move |identity| {
            identity.audit(entry);
            Ok(())
        });
        if told.await.is_err() {
            tracing::error!("the program ends before the audit trail is written");
        }
    }
}

/// Resolves when the system or a person asks the program to end.
pub async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be watched");
            let _ = tokio::signal::ctrl_c().await;
            return;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
