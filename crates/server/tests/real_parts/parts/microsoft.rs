//! The simulated Microsoft tenant with its carrier, as a part of a test: Teams users, customers, and a list of everything
//! that the program did wrong in the eyes of Teams.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tandem_sandbox::Running;
use tandem_sandbox::authority::KeyKind;
use tandem_sandbox::config::{CarrierConfig, ProxiesConfig, SandboxConfig, TrunkConfig, WebConfig};
use tokio::runtime::Runtime;

use super::{Config, Lab, http, lab, until};

/// A running tenant. Its people are those of Contoso: alice has +14255550101 and speaks at 440 Hz, bela has the next
/// number and speaks 110 Hz higher, and so on.
pub(crate) struct Microsoft {
    running: Option<Running>,
    runtime: Runtime,
    control: String,
}

/// Where the tenant's proxies are, and its DNS on the first of them.
const PROXIES: [u8; 3] = [11, 12, 13];
/// Where its carrier is.
const CARRIER: u8 = 10;
/// Alice, the first of Contoso.
pub(crate) const ALICE: &str = "+14255550101";
/// Bela, the second.
pub(crate) const BELA: &str = "+14255550102";

impl Microsoft {
    /// Starts the tenant in the lab.
    pub(crate) fn start(lab: &Lab) -> Microsoft {
        let ip = |host| lab.ip(host).parse().unwrap();
        let config = SandboxConfig {
            seed: Some(1),
            folder: lab.path("sandbox"),
            keys: KeyKind::Ecdsa,
            dns: SocketAddr::new(ip(PROXIES[0]), 5353),
            control: "127.0.0.1:0".parse().unwrap(),
            web: WebConfig::on_free_ports(),
            proxies: ProxiesConfig { addresses: PROXIES.map(ip), port: 5061 },
            trunks: vec![TrunkConfig {
                address: ip(lab::TANDEM),
                signalling_port: 5061,
                ..TrunkConfig::default()
            }],
            carrier: Some(CarrierConfig {
                address: SocketAddr::new(ip(CARRIER), 5060),
                border: SocketAddr::new(ip(lab::TANDEM), 5060),
                ..CarrierConfig::default()
            }),
            ..SandboxConfig::default()
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let running = runtime.block_on(tandem_sandbox::run(config, std::future::pending())).unwrap();
        let control = running.addresses().control.to_string();
        Microsoft { running: Some(running), runtime, control }
    }

    /// A configuration with the lines "teams" and "carrier" to the tenant, and nobody in it.
    pub(crate) fn config(&self, lab: &Lab) -> Config {
        let addresses = self.running.as_ref().unwrap().addresses();
        let [first, second, third] = PROXIES;
        Config::new(lab).and(&format!(
            r#"
[dns]
servers = ["{dns}"]

[[interfaces]]
name = "tls"
transport = "tls"
bind = "NET.1:5061"
certificates = [{{ certificate = "{chain}", key = "{key}" }}]
trust = "{root}"

[[interfaces]]
name = "udp"
transport = "udp"
bind = "NET.1:5060"

[[trunks]]
name = "teams"
profile = "direct_routing"
interface = "tls"
media = "sound"
fqdn = "sbc1.contoso.example"
peers = ["NET.{first}", "NET.{second}", "NET.{third}"]

[[trunks]]
name = "carrier"
profile = "carrier"
interface = "udp"
media = "sound"
proxies = ["NET.{CARRIER}:5060"]
peers = ["NET.{CARRIER}"]
"#,
            dns = addresses.dns,
            chain = addresses.border_chain.display(),
            key = addresses.border_key.display(),
            root = addresses.root.display(),
        ))
    }

    /// Asks the control for something to be done.
    #[track_caller]
    pub(crate) fn does(&self, method: &str, path: &str, body: &Value) {
        let (status, answer) = http::ask(&self.control, method, path, Some(body)).unwrap();
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
    }

    /// A customer dials the number of the usual menu and does what the script says.
    pub(crate) fn customer_calls(&self, mut script: Value) {
        script["number"] = "+15550123".into();
        self.does("POST", "/callers", &script);
    }

    /// Waits until something has happened.
    pub(crate) fn wait_event(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        until(what, || self.get("/events").as_array().unwrap().iter().find(|event| fits(event)).cloned())
    }

    /// Waits until the trunk's OPTIONS were answered both ways: Teams takes no call before.
    pub(crate) fn wait_active(&self) {
        self.wait_event("the trunk is active", |event| event["event"] == "trunk_active");
    }

    /// Waits until somebody hears a tone: a `call` of a Teams user, or a `caller`.
    pub(crate) fn wait_hears(&self, who: &str, hertz: u64) {
        let kind = format!("{who}_hears");
        self.wait_event(&format!("a {who} hears {hertz} Hz"), |event| {
            event["event"] == kind.as_str()
                && event["sound"]["tone"].as_u64().is_some_and(|heard| heard.abs_diff(hertz) <= 8)
        });
    }

    /// Teams has nothing to complain about.
    #[track_caller]
    pub(crate) fn is_content(&self) {
        assert_eq!(self.get("/violations"), json!([]));
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = http::ask(&self.control, "GET", path, None).unwrap();
        assert_eq!(status, 200, "GET {path}: {body}");
        serde_json::from_str(&body).unwrap()
    }
}

impl Drop for Microsoft {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}
