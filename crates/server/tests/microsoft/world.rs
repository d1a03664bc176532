//! A contact center connected to the sandbox's Contoso: Anna is Alice there, and Bert is Béla.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tandem::config::file::{MicrosoftFile, TenantMicrosoftFile};
use tandem::desk::Desks;
use tandem::identity::{self, Configured, ConfiguredPerson, EntraName, Identity, IdentitySettings};
use tandem::microsoft::Microsoft;
use tandem::microsoft::settings::{MicrosoftSettings, PublicUrl, TenantMicrosoft};
use tandem::outbound::{Outbound, OutboundSettings};
use tandem::transport::resolve::Resolver;
use tandem::transport::tls;
use tandem_center::config::Config;
use tandem_microsoft::http::{Method, Request as Ask};
use tandem_people::person::GroupRoles;
use tandem_people::role::Role;
use tandem_people::scope::Scope;
use tandem_sandbox::Running;
use tandem_sandbox::authority::KeyKind;
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP, TANDEM_SECRET};
use tandem_sandbox::config::{AppConfig, GroupClaims, ProxiesConfig, SandboxConfig, WebConfig};
use tandem_sandbox::directory::ObjectId;
use tandem_store::Tenant;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::common::{Shop, config, config_with, loopback};

pub struct World {
    pub shop: Shop,
    pub sandbox: Running,
    /// Speaks to the sandbox as a browser, or as who plays people there.
    pub outside: Outbound,
    pub microsoft: Microsoft,
    setting: Setting,
    desks: Desks,
    tasks: JoinSet<()>,
    folder: TempDir,
}

/// What a program is configured with.
#[derive(Clone)]
struct Setting {
    microsoft: MicrosoftSettings,
    people: IdentitySettings,
    center: Arc<Config>,
    /// The customer is not there at first.
    comes_later: bool,
}

impl World {
    /// Contoso is connected by the configuration.
    pub async fn open() -> World {
        World::open_with(&format!("entra = [\"{CONTOSO}\"]\npoll_s = 2")).await
    }

    /// With these keys more in `[microsoft]`.
    pub async fn open_with(keys: &str) -> World {
        World::open_tuned(keys, |_| {}).await
    }

    /// With these keys more in `[microsoft]`, and something else than anybody can configure.
    pub async fn open_tuned(keys: &str, tune: impl FnOnce(&mut MicrosoftSettings)) -> World {
        World::open_when(keys, |setting| tune(&mut setting.microsoft)).await
    }

    /// With these keys more in `[microsoft]`. Bert is a guest there; who has no presence is offered calls all the same.
    pub async fn open_with_a_guest(keys: &str) -> World {
        World::open_when(keys, |setting| {
            setting.people = people("lena_adatum.example#EXT#@contoso.example");
            setting.center = config_with("[presence]\nstops = [\"in_call\", \"do_not_disturb\"]");
        })
        .await
    }

    /// The customer is not there when Microsoft is taken up; it comes while the program runs.
    pub async fn open_before_the_customer() -> World {
        World::open_when("poll_s = 2", |setting| setting.comes_later = true).await
    }

    async fn open_when(keys: &str, tune: impl FnOnce(&mut Setting)) -> World {
        let _ = Arc::unwrap_or_clone(tls::provider()).install_default();
        let folder = tempfile::tempdir().unwrap();
        let sandbox =
            tandem_sandbox::run(sandbox_config(folder.path()), std::future::pending()).await.unwrap();
        let mut setting = Setting {
            microsoft: settings(&sandbox, keys, folder.path()),
            people: people("bela@contoso.example"),
            center: config(),
            comes_later: false,
        };
        tune(&mut setting);
        World::open_beside(sandbox, folder, tempfile::tempdir().unwrap(), setting).await
    }

    async fn open_beside(sandbox: Running, folder: TempDir, data: TempDir, setting: Setting) -> World {
        let Setting { microsoft: settings, people, center, comes_later } = setting.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let identity = Identity::open(data.path(), None, people, identity::now()).unwrap();
        let mut opened = None;
        let shop = Shop::open_configured(data, loopback(), center, identity, |identity, desks| {
            let public = PublicUrl::of_listener(address, false);
            let resolver = Resolver::new(&[]).unwrap();
            let desks = if comes_later { Desks::new([]) } else { desks.clone() };
            let microsoft =
                Microsoft::open(settings, public, identity.clone(), desks.clone(), resolver).unwrap();
            opened = Some((microsoft.clone(), desks));
            Some(microsoft)
        })
        .await;
        let (microsoft, desks) = opened.unwrap();
        let router = shop.router.clone();
        let running = microsoft.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { running.run().await });
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let trust = Some(sandbox.addresses().root.clone());
        let outside =
            Outbound::new(&OutboundSettings::microsoft(trust), Resolver::new(&[]).unwrap()).unwrap();
        World { shop, sandbox, outside, microsoft, setting, desks, tasks, folder }
    }

    /// The program is gone in the middle of everything, and another begins with what is written. Microsoft knows nothing of it.
    pub async fn crash_and_begin_again(self) -> World {
        let World { shop, sandbox, microsoft, setting, desks, mut tasks, folder, .. } = self;
        tasks.shutdown().await;
        drop((microsoft, desks));
        let data = shop.leave().await;
        World::open_beside(sandbox, folder, data, setting).await
    }

    /// The customer comes, as the configuration of one says.
    pub async fn customer_comes(&self) {
        self.desks.add(self.shop.desk.clone());
        let own = TenantMicrosoft { entra: [CONTOSO.parse().unwrap()].into(), write_presence: false };
        self.microsoft.add(&Tenant::only(), own).await.unwrap();
    }

    /// Asks the sandbox for something to be done.
    pub async fn play(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("http://{}{path}", self.sandbox.addresses().http);
        let ask = Ask::new(method, url).json(body).unwrap();
        let answer = self.outside.send(ask).await.unwrap();
        assert!(answer.is_success(), "{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// Somebody in Teams becomes so.
    pub async fn becomes(&self, user: &str, choice: &str) {
        self.play(Method::Put, &format!("/sandbox/people/{user}/presence"), &json!({"choice": choice})).await;
    }

    /// What a browser at Tandem sends, with these cookies.
    pub async fn browse(&self, path: &str, cookies: &[String]) -> Response<Body> {
        self.browse_in("en", path, cookies).await
    }

    /// The same, in the language that the reader likes best.
    pub async fn browse_in(&self, language: &str, path: &str, cookies: &[String]) -> Response<Body> {
        let request = Request::builder()
            .uri(path)
            .header(header::HOST, "localhost:8080")
            .header(header::ACCEPT_LANGUAGE, language)
            .header(header::COOKIE, cookies.join("; "))
            .body(Body::empty())
            .unwrap();
        self.shop.router.clone().oneshot(request).await.unwrap()
    }

    /// A browser at Entra ID: fills in the form at this address, and is sent back to this path of Tandem.
    pub async fn at_entra(&self, address: &str, form: &[(&str, &str)]) -> String {
        let ask = Ask::new(Method::Post, address).form(form.iter().copied());
        let answer = self.outside.send(ask).await.unwrap();
        let page = String::from_utf8_lossy(&answer.body).into_owned();
        let location = answer.header("Location").unwrap_or_else(|| panic!("{}: {page}", answer.status));
        let (_, path) = location.split_once("://").unwrap();
        format!("/{}", path.split_once('/').unwrap().1)
    }

    /// A token that Teams would give a tab, or one that is wrong in some way.
    pub async fn token(&self, forgery: &Value) -> String {
        let told = self.play(Method::Post, "/sandbox/token", forgery).await;
        told["token"].as_str().unwrap().to_owned()
    }

    /// Waits until something is so of an agent; it is looked at often, and not for ever.
    pub async fn agent_until(&self, agent: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/api/v1/agents/{agent}");
        for _ in 0..PATIENCE_TRIES {
            let (status, shown) = self.shop.get(&path).await;
            assert_eq!(status, StatusCode::OK, "{shown}");
            if fits(&shown) {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not become so: {}", self.shop.get(&path).await.1);
    }

    /// Waits until something is so of the connections to Microsoft.
    pub async fn microsoft_until(&self, fits: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..PATIENCE_TRIES {
            let (status, shown) = self.shop.get("/api/v1/microsoft").await;
            assert_eq!(status, StatusCode::OK, "{shown}");
            if fits(&shown) {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not become so: {}", self.shop.get("/api/v1/microsoft").await.1);
    }

    /// Waits until Teams shows something of somebody.
    pub async fn teams_until(&self, user: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.sandbox_until(&format!("/sandbox/people/{user}/presence"), fits).await
    }

    /// Waits until all that was to go wrong a number of times has gone wrong.
    pub async fn until_troubles_are_over(&self) {
        let none = |switches: &Value| switches["troubles"].as_array().is_some_and(Vec::is_empty);
        self.sandbox_until("/sandbox/graph/switches", none).await;
    }

    /// Waits until something is so in the sandbox.
    pub async fn sandbox_until(&self, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..PATIENCE_TRIES {
            let shown = self.play(Method::Get, path, &json!({})).await;
            if fits(&shown) {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not become so: {}", self.play(Method::Get, path, &json!({})).await);
    }
}

/// What a response sets: the cookies as a browser sends them back, but for those that are taken away.
pub fn cookies(response: &Response<Body>) -> Vec<String> {
    let set = response.headers().get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    let kept = set.filter(|cookie| !cookie.contains("Max-Age=0"));
    kept.map(|cookie| cookie.split(';').next().unwrap().to_owned()).collect()
}

pub fn location(response: &Response<Body>) -> String {
    let location = response.headers().get(header::LOCATION);
    location.unwrap_or_else(|| panic!("{}", response.status())).to_str().unwrap().to_owned()
}

pub async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn sandbox_config(folder: &std::path::Path) -> SandboxConfig {
    let anywhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
    SandboxConfig {
        seed: Some(1),
        folder: folder.join("sandbox"),
        keys: KeyKind::Ecdsa,
        dns: anywhere,
        control: anywhere,
        // What the program asks of Graph can be held against Microsoft's contract: scripts/check-contracts.
        web: WebConfig {
            record: std::env::var_os("TANDEM_GRAPH_RECORD").map(Into::into),
            ..WebConfig::on_free_ports()
        },
        proxies: ProxiesConfig { port: 0, ..ProxiesConfig::default() },
        carrier: None,
        apps: with_groups(SandboxConfig::default().apps),
        ..SandboxConfig::default()
    }
}

/// The registrations, with Tandem's asking for groups in tokens.
fn with_groups(mut apps: Vec<AppConfig>) -> Vec<AppConfig> {
    for app in apps.iter_mut().filter(|app| app.id == TANDEM_APP) {
        app.group_claims = GroupClaims::SecurityGroup;
    }
    apps
}

fn settings(sandbox: &Running, keys: &str, folder: &std::path::Path) -> MicrosoftSettings {
    std::fs::write(folder.join("secret"), TANDEM_SECRET).unwrap();
    let addresses = sandbox.addresses();
    let text = format!(
        "client_id = \"{TANDEM_APP}\"\nsecret_file = \"secret\"\n\
         app_id_uri = \"api://localhost/{TANDEM_APP}\"\n\
         login = \"https://localhost:{port}\"\ngraph = \"https://localhost:{port}\"\n\
         trust = \"{root}\"\n{keys}\n",
        port = addresses.https.port(),
        root = addresses.root.display(),
    );
    let file: MicrosoftFile = toml::from_str(&text).unwrap();
    let own = TenantMicrosoftFile { entra: file.entra.clone(), write_presence: file.write_presence };
    MicrosoftSettings::of(&file, &[(&Tenant::only(), &own)], None, folder).unwrap()
}

/// Anna and Bert, who are Alice and somebody in Contoso, and team leads there are supervisors.
fn people(bert: &str) -> IdentitySettings {
    let agents: BTreeSet<Arc<str>> = ["anna".into(), "bert".into()].into();
    let mut groups = GroupRoles::default();
    let leads = ObjectId::derived(&[CONTOSO, "Team Leads", "group"]);
    groups.map(leads.as_str().parse().unwrap(), Role::Supervisor).unwrap();
    let person = |name: &str, principal: &str, agent: &str| ConfiguredPerson {
        scope: Scope::tenant(Tenant::only().as_str()),
        name: name.into(),
        user_name: None,
        entra: Some(EntraName::Principal { tenant: CONTOSO.parse().unwrap(), name: principal.into() }),
        roles: [Role::Agent].into(),
        guest: Default::default(),
        agent: Some(agent.into()),
    };
    IdentitySettings {
        tenants: [(Tenant::only(), Configured { agents, groups })].into(),
        people: vec![
            person("Anna Adler", "alice@contoso.example", "anna"),
            person("Bert Braun", bert, "bert"),
        ],
        ..IdentitySettings::default()
    }
}

/// How often something is looked at before it counts as never happening: a minute.
const PATIENCE_TRIES: u32 = 1_200;
