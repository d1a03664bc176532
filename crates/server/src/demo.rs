//! `tandem demo`: the real program with a real configuration, between a simulated Microsoft tenant and simulated callers.
//!
//! Nothing is special about the center here: it reads a configuration file, which is written into the demo's folder to
//! be looked at, and speaks to the sandbox over TLS and SRTP as it would to Teams.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tandem_sandbox::config::{
    CarrierConfig, SandboxConfig, StreamConfig, TenantConfig, TrunkConfig, WebConfig,
};
use tandem_sandbox::user::Press;

use crate::config::Settings;
use crate::serve::{Program, told_to_end};
use crate::telemetry;

/// Where the page is served unless told otherwise.
pub const PAGE_PORT: u16 = 8080;
/// How many callers come in an hour unless told otherwise: enough that there is always something to see.
pub const CALLS_PER_HOUR: u32 = 540;

/// Where the demo's center is on the loopback network, so that it takes nobody's port.
const CENTER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
/// Where the demo's carrier is.
const CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 10));
/// The trunk's name in the Contoso tenant.
const FQDN: &str = "sbc1.contoso.example";
/// What is dialled by callers who speak English, and by those who speak French.
const NUMBERS: [&str; 2] = ["+14255550100", "+14255550190"];

/// The demo's spoken prompts.
const PROMPTS: [(&str, &[u8]); 36] = [
    ("welcome", include_bytes!("../assets/prompts/welcome.wav")),
    ("menu", include_bytes!("../assets/prompts/menu.wav")),
    ("sorry", include_bytes!("../assets/prompts/sorry.wav")),
    ("please_wait", include_bytes!("../assets/prompts/please_wait.wav")),
    ("nobody", include_bytes!("../assets/prompts/nobody.wav")),
    ("bienvenue", include_bytes!("../assets/prompts/bienvenue.wav")),
    ("menu_fr", include_bytes!("../assets/prompts/menu_fr.wav")),
    ("you_are_number", include_bytes!("../assets/prompts/you_are_number.wav")),
    ("call_back", include_bytes!("../assets/prompts/call_back.wav")),
    ("call_back_agreed", include_bytes!("../assets/prompts/call_back_agreed.wav")),
    ("call_back_intro", include_bytes!("../assets/prompts/call_back_intro.wav")),
    ("leave_message", include_bytes!("../assets/prompts/leave_message.wav")),
    ("message_intro", include_bytes!("../assets/prompts/message_intro.wav")),
    ("press_one", include_bytes!("../assets/prompts/press_one.wav")),
    ("closed", include_bytes!("../assets/prompts/closed.wav")),
    ("patientez", include_bytes!("../assets/prompts/patientez.wav")),
    ("number.1", include_bytes!("../assets/prompts/number.1.wav")),
    ("number.2", include_bytes!("../assets/prompts/number.2.wav")),
    ("number.3", include_bytes!("../assets/prompts/number.3.wav")),
    ("number.4", include_bytes!("../assets/prompts/number.4.wav")),
    ("number.5", include_bytes!("../assets/prompts/number.5.wav")),
    ("number.6", include_bytes!("../assets/prompts/number.6.wav")),
    ("number.7", include_bytes!("../assets/prompts/number.7.wav")),
    ("number.8", include_bytes!("../assets/prompts/number.8.wav")),
    ("number.9", include_bytes!("../assets/prompts/number.9.wav")),
    ("number.10", include_bytes!("../assets/prompts/number.10.wav")),
    ("number.11", include_bytes!("../assets/prompts/number.11.wav")),
    ("number.12", include_bytes!("../assets/prompts/number.12.wav")),
    ("number.13", include_bytes!("../assets/prompts/number.13.wav")),
    ("number.14", include_bytes!("../assets/prompts/number.14.wav")),
    ("number.15", include_bytes!("../assets/prompts/number.15.wav")),
    ("number.16", include_bytes!("../assets/prompts/number.16.wav")),
    ("number.17", include_bytes!("../assets/prompts/number.17.wav")),
    ("number.18", include_bytes!("../assets/prompts/number.18.wav")),
    ("number.19", include_bytes!("../assets/prompts/number.19.wav")),
    ("number.20", include_bytes!("../assets/prompts/number.20.wav")),
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
    let mut tenant = TenantConfig::contoso();
    for user in tenant.users.iter_mut().filter(|user| user.id == CONFIRMS) {
        user.behaviour.presses = vec![Press { digits: "1".to_owned(), at_ms: 1500 }];
    }
    SandboxConfig {
        folder: folder.to_owned(),
        dns: SocketAddr::new(CENTER, 0),
        control: SocketAddr::from(([127, 0, 0, 1], 0)),
        web: WebConfig::on_free_ports(),
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
                at_once_max: 18,
                // When they are asked, after 12 seconds in a queue.
                callback_percent: 40,
                callback_after_ms: 20_000,
                ..StreamConfig::default()
            }),
        }),
        tenants: vec![tenant],
        ..SandboxConfig::default()
    }
}

fn write_files(folder: &Path, configuration: &str) -> Result<()> {
    let prompts = folder.join("prompts");
    std::fs::create_dir_all(&prompts).with_context(|| prompts.display().to_string())?;
    for (name, bytes) in PROMPTS {
        let path = prompts.join(format!("{name}.wav"));
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
        text.push_str(&format!("\"{name}\" = \"prompts/{name}.wav\"\n"));
    }
    text + &center(tenant)
}

/// The part of the configuration file that says who talks to whom.
fn center(tenant: &TenantConfig) -> String {
    let mut text = CENTER_PART.to_owned();
    for (place, user) in tenant.users.iter().enumerate() {
        let (queues, skills) = WORK_OF.get(place % WORK_OF.len()).copied().unwrap_or_default();
        let confirm = if user.id == CONFIRMS { "confirm = true\n" } else { "" };
        // One person begins the day on a break, so that there is something to change on the page.
        let starts = if place == 6 { "break" } else { "available" };
        text.push_str(&format!(
            "\n[[agents]]\nid = \"{}\"\nname = \"{}\"\nring = {{ line = \"teams\", phone = \"{}\" }}\n\
             queues = {queues}\nskills = {{ {skills} }}\nstarts = \"{starts}\"\n{confirm}",
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

/// Who presses a key to take a call, as somebody would whose telephone is not one of Teams.
const CONFIRMS: &str = "emre";

/// Who takes which callers, and what each is good at, in turn.
const WORK_OF: [(&str, &str); 8] = [
    ("[\"support\"]", "network = 8"),
    ("[\"support\", \"billing\"]", "french = 8, invoices = 4"),
    ("[\"sales\"]", ""),
    ("[\"sales\", \"support\"]", "french = 4"),
    ("[\"support\", \"billing\"]", "network = 5, invoices = 6"),
    ("[\"support\", \"billing\"]", "french = 9, invoices = 9"),
    ("[\"sales\"]", "french = 5"),
    ("[\"sales\", \"support\"]", "network = 3"),
];

/// Queues and flows of the demo. Its callers have numbers from +1 206 555 1000 to 9999: so it knows who speaks French,
/// who has a contract and who is very important.
const CENTER_PART: &str = r#"
[offers]
missed_rest_s = 30
confirm = ["press_one"]

[[queues]]
id = "support"
name = "Support"
strategy = "longest_idle"
announce = ["please_wait"]
music = "music"
ring_timeout_s = 12
wrap_up_s = 8
last_agent_s = 10
tell = { every_s = 10, place = ["you_are_number"], numbers = "number." }
overflow = [
  { after_s = 12, then = { callback = true } },
  { after_s = 40, if_waiting = 2, then = { queue = "sales" } },
]
when_closed = { message = ["closed"] }

[queues.wrap_up]
extend_s = 30
extensions = 2
codes = [{ id = "fault", name = "Fault" }, { id = "question", name = "Question" }, { id = "complaint", name = "Complaint" }]

[queues.callback]
offer = ["call_back"]
confirm = ["call_back_agreed"]
intro = ["call_back_intro"]
attempts = 2
retry_s = 60
ring_s = 20

[[queues]]
id = "sales"
name = "Sales"
strategy = "ring_all"
announce = ["please_wait"]
music = "music"
ring_timeout_s = 12
wrap_up_s = 5
overflow = [{ after_s = 25, then = { voicemail = true } }]
when_closed = { voicemail = true }

[queues.wrap_up]
codes = [{ id = "order", name = "Order" }, { id = "no_interest", name = "No interest" }]

[queues.voicemail]
greeting = ["leave_message"]
intro = ["message_intro"]
max_s = 60
silence_s = 4

[[queues]]
id = "billing"
name = "Billing"
strategy = "most_skilled"
skills = { invoices = 6 }
relax = [{ after_s = 15, skills = { invoices = 4 } }]
announce = ["please_wait"]
music = "music"
ring_timeout_s = 12
wrap_up_s = 10
max_wait_s = 120
overflow = [
  { after_s = 12, then = { callback = true } },
  { after_s = 35, then = { voicemail = true } },
]
when_closed = { message = ["closed"] }

[queues.wrap_up]
codes = [{ id = "invoice", name = "Invoice" }, { id = "reminder", name = "Reminder" }]

[queues.callback]
offer = ["call_back"]
confirm = ["call_back_agreed"]
intro = ["call_back_intro"]
attempts = 2
retry_s = 60
ring_s = 20

[queues.voicemail]
greeting = ["leave_message"]
intro = ["message_intro"]
max_s = 60
silence_s = 4

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
cases = [
  { when = { field = "from", starts_with = "+12065557" }, asks = { skills = { french = 7 }, relax = [{ after_s = 15, skills = { french = 4 } }, { after_s = 30 }] } },
  { when = { field = "from", starts_with = "+12065558" }, asks = { skills = { network = 5 }, relax = [{ after_s = 20, skills = { network = 3 } }] } },
  { when = { field = "from", starts_with = "+12065556" }, asks = { priority = 2 } },
  { when = { field = "from", starts_with = "+120655599" }, asks = { vip = true } },
]

[flows.main.steps.sales]
enqueue = "sales"
otherwise = "nobody"
cases = [{ when = { field = "from", starts_with = "+120655598" }, asks = { vip = true } }]

[flows.main.steps.billing]
enqueue = "billing"
otherwise = "nobody"
cases = [{ when = { field = "from", starts_with = "+12065556" }, asks = { priority = 2 } }]

[flows.main.steps.nobody]
play = ["nobody"]

[flows.accueil]
start = "bienvenue"

[flows.accueil.steps.bienvenue]
play = ["bienvenue"]
then = "langue"

[flows.accueil.steps.langue]
set = { language = "fr" }
then = "menu"

[flows.accueil.steps.menu]
menu = { prompts = ["menu_fr"], digits = { "1" = "support", "2" = "sales", "3" = "billing" }, otherwise = "support" }

[flows.accueil.steps.support]
play = ["patientez"]
then = "attente"

[flows.accueil.steps.attente]
enqueue = "support"
cases = [{ when = { field = "attribute.language", is = "fr" }, asks = { skills = { french = 7 }, relax = [{ after_s = 15, skills = { french = 4 } }, { after_s = 30 }] } }]

[flows.accueil.steps.sales]
enqueue = "sales"
asks = { skills = { french = 4 }, relax = [{ after_s = 20 }] }

[flows.accueil.steps.billing]
enqueue = "billing"
asks = { skills = { invoices = 4, french = 7 }, relax = [{ after_s = 20, skills = { invoices = 4 } }] }
"#;

#[cfg(test)]
mod tests {
    use tandem_center::config::{Config, Document, Known};

    use super::*;

    #[test]
    fn the_demo_shows_what_routing_can_do_and_has_no_faults() {
        let document: Document = toml::from_str(&center(&TenantConfig::contoso())).unwrap();
        let prompts = PROMPTS.iter().map(|(name, _)| (*name).into());
        let known = Known {
            prompts: prompts.chain(["music".into()]).collect(),
            lines: ["teams".into(), "carrier".into()].into(),
        };
        let faults = Config::new(document.clone(), &known).err();
        assert!(faults.is_none(), "{faults:?}");
        let strategies: std::collections::BTreeSet<String> =
            document.queues.iter().map(|queue| format!("{:?}", queue.strategy)).collect();
        assert_eq!(strategies.len(), 3, "{strategies:?}");
        assert!(document.agents.iter().any(|agent| agent.confirm));
    }

    #[test]
    fn every_prompt_is_a_sound_that_can_be_played() {
        let folder = tempfile::tempdir().unwrap();
        write_files(folder.path(), "").unwrap();
        for (name, bytes) in PROMPTS {
            assert!(bytes.starts_with(b"RIFF"), "{name}");
            assert!(folder.path().join(format!("prompts/{name}.wav")).is_file(), "{name}");
        }
    }
}
