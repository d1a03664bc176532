//! `tandem demo`: the real program with a real configuration, between a simulated Microsoft tenant and simulated callers.
//!
//! Nothing is special about the center here: it reads a configuration file, which is written into the demo's folder to
//! be looked at, and speaks to the sandbox over TLS and SRTP as it would to Teams.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tandem_sandbox::config::{CarrierConfig, SandboxConfig, StreamConfig, TenantConfig, TrunkConfig};

use crate::config::Settings;
use crate::serve::{Program, told_to_end};
use crate::telemetry;

/// Where the page is served unless told otherwise.
pub const PAGE_PORT: u16 = 8080;
/// How many callers come in an hour unless told otherwise: enough that there is always something to see.
pub const CALLS_PER_HOUR: u32 = 420;

/// Where the demo's center is on the loopback network, so that it takes nobody's port.
const CENTER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
/// Where the demo's carrier is.
const CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 10));
/// The trunk's name in the Contoso tenant.
const FQDN: &str = "sbc1.contoso.example";
/// What is dialled by callers who speak English, and by those who speak French.
const NUMBERS: [&str; 2] = ["+14255550100", "+14255550190"];

/// The demo's spoken prompts.
const PROMPTS: [(&str, &[u8]); 7] = [
    ("welcome", include_bytes!("../assets/prompts/welcome.wav")),
    ("menu", include_bytes!("../assets/prompts/menu.wav")),
    ("sorry", include_bytes!("../assets/prompts/sorry.wav")),
    ("please_wait", include_bytes!("../assets/prompts/please_wait.wav")),
    ("nobody", include_bytes!("../assets/prompts/nobody.wav")),
    ("bienvenue", include_bytes!("../assets/prompts/bienvenue.wav")),
    ("menu_fr", include_bytes!("../assets/prompts/menu_fr.wav")),
];

/// Runs the demo until told to end.
///
/// # Errors
///
/// Whatever keeps it from starting, with its remedy.
pub fn run(port: u16, folder: Option<PathBuf>, calls_per_hour: u32) -> Result<()> {
    let (folder, _removed_at_end) = match folder {
        Some(folder) => (folder, None),
        None => {
            let temporary = tempfile::Builder::new().prefix("tandem-demo-").tempdir()?;
            (temporary.path().to_owned(), Some(temporary))
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let sandbox = sandbox_config(&folder.join("sandbox"), calls_per_hour);
        let tenant = sandbox.tenants.first().cloned().unwrap_or_else(TenantConfig::contoso);
        let running = tandem_sandbox::run(sandbox, std::future::pending())
            .await
            .context("the simulated Microsoft tenant cannot start")?;
        let text = configuration(port, &tenant, running.addresses());
        write_files(&folder, &text)?;
        let settings = Settings::parse(&text, &folder)
            .map_err(|faults| anyhow::anyhow!("the demo's configuration has faults:\n{faults}"))?;
        telemetry::start(&settings.log)
            .map_err(|error| anyhow::anyhow!("the log cannot be set up: {error}"))?;
        let program = Program::start(settings).await?;
        println!("Tandem is running:      http://localhost:{}", program.page().port());
        println!("Play Teams and callers: http://{}", running.addresses().control);
        println!("Its configuration:      {}", folder.join("tandem.toml").display());
        println!("Ctrl-C ends it.");
        let outcome = program.until(told_to_end()).await;
        running.stop().await;
        outcome
    })
}

/// Runs the simulated Microsoft tenant alone.
///
/// # Errors
///
/// Whatever keeps it from starting.
pub fn run_sandbox(folder: &Path, file: Option<&Path>) -> Result<()> {
    let mut config = match file {
        None => SandboxConfig::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            toml::from_str(&text).with_context(|| path.display().to_string())?
        }
    };
    config.folder = folder.to_owned();
    let log = crate::config::file::LogFile::default();
    telemetry::start(&log).map_err(|error| anyhow::anyhow!("the log cannot be set up: {error}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let running = tandem_sandbox::run(config, told_to_end()).await?;
        println!("{}", serde_json::to_string_pretty(running.addresses())?);
        running.wait().await;
        Ok(())
    })
}

fn sandbox_config(folder: &Path, calls_per_hour: u32) -> SandboxConfig {
    SandboxConfig {
        folder: folder.to_owned(),
        dns: SocketAddr::new(CENTER, 0),
        control: SocketAddr::from(([127, 0, 0, 1], 0)),
        trunks: vec![TrunkConfig {
            fqdn: FQDN.to_owned(),
            address: CENTER,
            signalling_port: 5061,
            ..TrunkConfig::default()
        }],
        carrier: Some(CarrierConfig {
            address: SocketAddr::new(CARRIER, 5060),
            border: SocketAddr::new(CENTER, 5060),
            phones: [].into(),
            stream: (calls_per_hour > 0).then(|| StreamConfig {
                per_hour: calls_per_hour,
                number: NUMBERS[0].to_owned(),
                ..StreamConfig::default()
            }),
        }),
        ..SandboxConfig::default()
    }
}

fn write_files(folder: &Path, configuration: &str) -> Result<()> {
    let prompts = folder.join("prompts");
    std::fs::create_dir_all(&prompts).with_context(|| prompts.display().to_string())?;
    for (name, bytes) in PROMPTS {
        let path = prompts.join(name).with_extension("wav");
        std::fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    }
    let path = folder.join("tandem.toml");
    std::fs::write(&path, configuration).with_context(|| path.display().to_string())
}

/// The configuration file of the demo.
fn configuration(port: u16, tenant: &TenantConfig, sandbox: &tandem_sandbox::Addresses) -> String {
    let mut text = format!(
        r#"# The configuration of the demo: what a company behind Teams Direct Routing would write, with the addresses of the
# simulated tenant in place of Microsoft's.

data = "journal"

[http]
listen = "127.0.0.1:{port}"

[log]
level = "warn"

# The simulated tenant answers for Microsoft's names.
[dns]
servers = ["{dns}"]

[[interfaces]]
name = "teams"
transport = "tls"
bind = "{CENTER}:5061"
certificates = [{{ certificate = "{chain}", key = "{key}" }}]
trust = "{root}"

[[interfaces]]
name = "carrier"
transport = "udp"
bind = "{CENTER}:5060"

[[media]]
name = "sound"
bind = "{CENTER}"
ports = [20000, 24999]

[[trunks]]
name = "teams"
profile = "direct_routing"
interface = "teams"
media = "sound"
fqdn = "{FQDN}"
proxies = ["sip.pstnhub.microsoft.com:{teams}", "sip2.pstnhub.microsoft.com:{teams}", "sip3.pstnhub.microsoft.com:{teams}"]
# Microsoft's published ranges would stand here by default; the simulated proxies are on this machine.
peers = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]

[[trunks]]
name = "carrier"
profile = "carrier"
interface = "carrier"
media = "sound"
proxies = ["{CARRIER}:5060"]
peers = ["{CARRIER}"]

[prompts]
"#,
        dns = sandbox.dns,
        chain = sandbox.border_chain.display(),
        key = sandbox.border_key.display(),
        root = sandbox.root.display(),
        teams = sandbox.proxies.first().map_or(5061, SocketAddr::port),
    );
    for (name, _) in PROMPTS {
        text.push_str(&format!("{name} = \"prompts/{name}.wav\"\n"));
    }
    text.push_str(CENTER_PART);
    for (place, user) in tenant.users.iter().enumerate() {
        let queues = QUEUES_OF.get(place % QUEUES_OF.len()).copied().unwrap_or_default();
        // One person begins the day on a break, so that there is something to change on the page.
        let starts = if place == 6 { "break" } else { "available" };
        text.push_str(&format!(
            "\n[[agents]]\nid = \"{}\"\nname = \"{}\"\nring = {{ line = \"teams\", phone = \"{}\" }}\n\
             queues = {queues}\nstarts = \"{starts}\"\n",
            user.id, user.name, user.number
        ));
    }
    for (number, flow) in NUMBERS.iter().zip(["main", "accueil"]) {
        text.push_str(&format!(
            "\n[[numbers]]\ndialled = \"{number}\"\nline = \"carrier\"\nflow = \"{flow}\"\n"
        ));
    }
    text
}

/// Who takes which callers, in turn.
const QUEUES_OF: [&str; 4] =
    ["[\"support\"]", "[\"support\", \"billing\"]", "[\"sales\"]", "[\"sales\", \"support\"]"];

/// Queues and flows of the demo.
const CENTER_PART: &str = r#"
[[queues]]
id = "support"
name = "Support"
announce = ["please_wait"]
music = "music"
ring_timeout_s = 12
wrap_up_s = 8

[[queues]]
id = "sales"
name = "Sales"
music = "music"
ring_timeout_s = 12
wrap_up_s = 5

[[queues]]
id = "billing"
name = "Billing"
announce = ["please_wait"]
music = "music"
ring_timeout_s = 12
wrap_up_s = 10
max_wait_s = 120

[flows.main]
start = "welcome"

[flows.main.steps.welcome]
play = ["welcome"]
then = "menu"

[flows.main.steps.menu]
menu = { prompts = ["menu"], digits = { "1" = "support", "2" = "sales", "3" = "billing" }, invalid = ["sorry"], otherwise = "support" }

[flows.main.steps.support]
enqueue = "support"
otherwise = "nobody"

[flows.main.steps.sales]
enqueue = "sales"
otherwise = "nobody"

[flows.main.steps.billing]
enqueue = "billing"
otherwise = "nobody"

[flows.main.steps.nobody]
play = ["nobody"]

[flows.accueil]
start = "bienvenue"

[flows.accueil.steps.bienvenue]
play = ["bienvenue"]
then = "menu"

[flows.accueil.steps.menu]
menu = { prompts = ["menu_fr"], digits = { "1" = "support", "2" = "sales", "3" = "billing" }, otherwise = "support" }

[flows.accueil.steps.support]
enqueue = "support"

[flows.accueil.steps.sales]
enqueue = "sales"

[flows.accueil.steps.billing]
enqueue = "billing"
"#;
