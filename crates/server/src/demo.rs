//! `tandem demo`: the real program with a real configuration, between a simulated Microsoft tenant and simulated callers.
//!
//! Nothing is special about the center here: it reads a configuration file, which is written into the demo's folder to
//! be looked at, and speaks to the sandbox over TLS and SRTP as it would to Teams.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tandem_sandbox::config::app::{
    CONTOSO as CONTOSO_TENANT, FABRIKAM as FABRIKAM_TENANT, TANDEM_APP, TANDEM_SECRET,
};
use tandem_sandbox::config::{
    AppConfig, CarrierConfig, SandboxConfig, StreamConfig, TenantConfig, TrunkConfig, UserConfig, WebConfig,
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
/// The name of the second customer's trunk, below that of the first: so Microsoft lets one border controller serve many
/// ("Configure a Session Border Controller for multiple tenants").
const FABRIKAM_FQDN: &str = "fabrikam.sbc1.contoso.example";
/// What is dialled by callers who speak English, and by those who speak French.
const NUMBERS: [&str; 2] = ["+14255550100", "+14255550190"];
/// What callers of the second customer dial.
const FABRIKAM_NUMBER: &str = "+14255550200";

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
        let customers = Customers::of(&sandbox.tenants);
        let running = tandem_sandbox::run(sandbox, std::future::pending())
            .await
            .context("the simulated Microsoft tenant cannot start")?;
        let text = configuration(port, running.addresses(), &customers);
        write_files(&folder, &text, &customers)?;
        let settings = Settings::load(&folder.join(FILE))
            .map_err(|faults| anyhow::anyhow!("the demo's configuration has faults:\n{faults}"))?;
        telemetry::start(&settings.log)
            .map_err(|error| anyhow::anyhow!("the log cannot be set up: {error}"))?;
        let program = Program::start(settings).await?;
        println!("Tandem is running:      http://localhost:{}", program.page().port());
        println!("Be anybody in Teams:    http://localhost:{}", running.addresses().http.port());
        println!("Play Teams and callers: http://{}", running.addresses().control);
        println!("Its configuration:      {}", folder.join(FILE).display());
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
        apps: vec![AppConfig {
            consented: vec![CONTOSO_TENANT.to_owned(), FABRIKAM_TENANT.to_owned()],
            ..AppConfig::tandem()
        }],
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
                numbers: [(NUMBERS[0].to_owned(), 80), (FABRIKAM_NUMBER.to_owned(), 20)].into(),
                at_once_max: 18,
                // When they are asked, after 12 seconds in a queue.
                callback_percent: 40,
                callback_after_ms: 20_000,
                ..StreamConfig::default()
            }),
        }),
        tenants: vec![tenant, TenantConfig::fabrikam()],
        ..SandboxConfig::default()
    }
}

/// The files of the two customers, and who signs in with a click.
struct Customers {
    contoso: String,
    fabrikam: String,
    operator: String,
}

fn write_files(folder: &Path, configuration: &str, customers: &Customers) -> Result<()> {
    let prompts = folder.join("prompts");
    std::fs::create_dir_all(&prompts).with_context(|| prompts.display().to_string())?;
    for (name, bytes) in PROMPTS {
        let path = prompts.join(format!("{name}.wav"));
        std::fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    }
    for (name, text) in [
        (FILE, configuration),
        ("contoso.toml", &customers.contoso),
        ("fabrikam.toml", &customers.fabrikam),
        ("microsoft.secret", TANDEM_SECRET),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The configuration file of the demo.
fn configuration(port: u16, sandbox: &tandem_sandbox::Addresses, customers: &Customers) -> String {
    let one_click = ONE_CLICK.map(|person| format!("\"{person}\"")).join(", ");
    let text = format!(
        r#"# The configuration of the demo: what a partner with two customers behind Teams Direct Routing would write, with the
# addresses of the simulated tenants in place of Microsoft's.

data = "journal"

[http]
listen = "127.0.0.1:{port}"

[log]
level = "warn"

# Whoever is on this machine may be one of these people with a click; nowhere else would this be accepted.
[sign_in]
one_click = [{one_click}]

[tenants.contoso]
name = "Contoso"
file = "contoso.toml"

[tenants.fabrikam]
name = "Fabrikam"
file = "fabrikam.toml"

# The simulated tenants answer for Microsoft's names.
[dns]
servers = ["{dns}"]

# The application as it is registered in the simulated Entra ID; at Microsoft only client_id and a proof would stand here.
[microsoft]
login = "https://localhost:{https}"
graph = "https://localhost:{https}"
trust = "{root}"
client_id = "{TANDEM_APP}"
secret_file = "microsoft.secret"
app_id_uri = "api://localhost/{TANDEM_APP}"

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
tenant = "contoso"
fqdn = "{FQDN}"
proxies = ["sip.pstnhub.microsoft.com:{teams}", "sip2.pstnhub.microsoft.com:{teams}", "sip3.pstnhub.microsoft.com:{teams}"]
# Microsoft's published ranges would stand here by default; the simulated proxies are on this machine.
peers = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]

[[trunks]]
name = "teams-fabrikam"
profile = "direct_routing"
interface = "teams"
media = "sound"
tenant = "fabrikam"
fqdn = "{FABRIKAM_FQDN}"
proxies = ["sip.pstnhub.microsoft.com:{teams}", "sip2.pstnhub.microsoft.com:{teams}", "sip3.pstnhub.microsoft.com:{teams}"]
peers = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
keep_alive_s = 0

# Both customers are called over this one: the number says whose a call is.
[[trunks]]
name = "carrier"
profile = "carrier"
interface = "carrier"
media = "sound"
proxies = ["{CARRIER}:5060"]
peers = ["{CARRIER}"]
"#,
        dns = sandbox.dns,
        https = sandbox.https.port(),
        chain = sandbox.border_chain.display(),
        key = sandbox.border_key.display(),
        root = sandbox.root.display(),
        teams = sandbox.proxies.first().map_or(5061, SocketAddr::port),
    );
    text + &customers.operator
}

impl Customers {
    fn of(tenants: &[TenantConfig]) -> Customers {
        let users = |place: usize| tenants.get(place).map_or(&[][..], |tenant| &tenant.users);
        let mut contoso = CONTOSO.to_owned();
        for (place, user) in users(0).iter().enumerate() {
            let (queues, skills) = WORK_OF.get(place % WORK_OF.len()).copied().unwrap_or_default();
            let confirm = if user.id == CONFIRMS { "confirm = true\n" } else { "" };
            // One person begins the day on a break, so that there is something to change on the page.
            let starts = if place == 6 { "break" } else { "available" };
            contoso.push_str(&agent(user, "teams", queues, skills, starts, confirm));
        }
        contoso.push_str(&number(NUMBERS[0], "main"));
        contoso.push_str(&number(NUMBERS[1], "accueil"));
        contoso.push_str(&people(tenants.first()));
        let mut fabrikam = FABRIKAM.to_owned();
        for user in users(1) {
            fabrikam.push_str(&agent(user, "teams-fabrikam", "[\"service\"]", "", "available", ""));
        }
        fabrikam.push_str(&number(FABRIKAM_NUMBER, "main"));
        fabrikam.push_str(&people(tenants.get(1)));
        let operator = tenants.first().and_then(|tenant| {
            let user = tenant.everyone().find(|user| user.id == OPERATOR)?;
            Some(format!(
                "\n[[operators]]\nname = \"{}\"\nuser_name = \"{}\"\n\
                 entra = {{ tenant = \"{}\", user = \"{}\" }}\n",
                user.name, user.id, tenant.id, user.object_id
            ))
        });
        let mut prompts = String::from("\n[prompts]\n");
        for (name, _) in PROMPTS {
            prompts.push_str(&format!("\"{name}\" = \"prompts/{name}.wav\"\n"));
        }
        Customers {
            contoso: contoso + &prompts,
            fabrikam: fabrikam + &prompts,
            operator: operator.unwrap_or_default(),
        }
    }
}

fn agent(user: &UserConfig, line: &str, queues: &str, skills: &str, starts: &str, more: &str) -> String {
    format!(
        "\n[[agents]]\nid = \"{}\"\nname = \"{}\"\nring = {{ line = \"{line}\", phone = \"{}\" }}\n\
         queues = {queues}\nskills = {{ {skills} }}\nstarts = \"{starts}\"\n{more}",
        user.id, user.name, user.number
    )
}

/// Who of a tenant may sign in, and as what: whoever has a role in Microsoft 365 has it here too, by name.
fn people(tenant: Option<&TenantConfig>) -> String {
    let Some(tenant) = tenant else { return String::new() };
    let mut text = format!("\n[microsoft]\nentra = [\"{}\"]\nwrite_presence = true\n", tenant.id);
    let has_role = |user: &&UserConfig| user.id != OPERATOR && user.enabled && !user.app_roles.is_empty();
    for user in tenant.everyone().filter(has_role) {
        let roles: Vec<String> =
            user.app_roles.iter().map(|role| format!("\"{}\"", role.to_lowercase())).collect();
        let is_agent = tenant.users.iter().any(|agent| agent.id == user.id);
        let agent = if is_agent { format!("agent = \"{}\"\n", user.id) } else { String::new() };
        text.push_str(&format!(
            "\n[[people]]\nname = \"{}\"\nuser_name = \"{}\"\n\
             entra = {{ tenant = \"{}\", user = \"{}\" }}\nroles = [{}]\n{agent}",
            user.name,
            user.id,
            tenant.id,
            user.object_id,
            roles.join(", ")
        ));
    }
    text
}

fn number(dialled: &str, flow: &str) -> String {
    format!("\n[[numbers]]\ndialled = \"{dialled}\"\nline = \"carrier\"\nflow = \"{flow}\"\n")
}

/// The configuration in the demo's folder.
const FILE: &str = "tandem.toml";
/// Who runs the installation.
const OPERATOR: &str = "olga";
/// Who signs in with a click: of each customer somebody of each role, and the operator.
const ONE_CLICK: [&str; 11] =
    ["sofia", "dana", "alice", "farah", "noor", "ravi", "karin", "nadia", "ines", "luis", OPERATOR];

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

/// Queues and flows of the first customer. Its callers have numbers from +1 206 555 1000 to 9999: so it knows who speaks
/// French, who has a contract and who is very important.
const CONTOSO: &str = include_str!("../assets/demo/contoso.toml");
/// Queues and flows of the second.
const FABRIKAM: &str = include_str!("../assets/demo/fabrikam.toml");

#[cfg(test)]
mod tests {
    use tandem_center::config::{Config, Document, Known};

    use super::*;
    use crate::config::file::TenantFile;

    #[test]
    fn the_demo_shows_what_routing_can_do_and_has_no_faults() {
        let document = document(&customers().contoso, "teams");
        let strategies: std::collections::BTreeSet<String> =
            document.queues.iter().map(|queue| format!("{:?}", queue.strategy)).collect();
        assert_eq!(strategies.len(), 3, "{strategies:?}");
        assert!(document.agents.iter().any(|agent| agent.confirm));
    }

    fn customers() -> Customers {
        Customers::of(&[TenantConfig::contoso(), TenantConfig::fabrikam()])
    }

    /// The center of a customer's file, which has no faults.
    fn document(text: &str, line: &str) -> Document {
        let TenantFile {
            prompts, agents, queues, numbers, flows, offers, capacity, presence, limits, ..
        } = toml::from_str(text).unwrap();
        let document = Document { agents, queues, numbers, flows, offers, capacity, presence, limits };
        let prompts = prompts.keys().map(|name| name.as_str().into());
        let known = Known {
            prompts: prompts.chain(["music".into()]).collect(),
            lines: [line.into(), "carrier".into()].into(),
        };
        let faults = Config::new(document.clone(), &known).err();
        assert!(faults.is_none(), "{faults:?}");
        document
    }

    #[test]
    fn the_second_customer_has_people_and_a_queue_of_its_own() {
        let document = document(&customers().fabrikam, "teams-fabrikam");
        assert_eq!((document.agents.len(), document.queues.len()), (3, 1));
    }

    #[test]
    fn every_prompt_is_a_sound_that_can_be_played() {
        let folder = tempfile::tempdir().unwrap();
        write_files(folder.path(), "", &customers()).unwrap();
        for (name, bytes) in PROMPTS {
            assert!(bytes.starts_with(b"RIFF"), "{name}");
            assert!(folder.path().join(format!("prompts/{name}.wav")).is_file(), "{name}");
        }
    }
}
