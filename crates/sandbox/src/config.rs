//! What the sandbox is made of: tenants, users, trunks, addresses. Every key has a default: the tenant Contoso on
//! loopback.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::authority::KeyKind;
use crate::carrier::phone::Phone;
use crate::habits::Habits;
use crate::user::Behaviour;

/// The whole sandbox. [`SandboxConfig::default`] is the tenant Contoso that `tandem demo` shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxConfig {
    /// Reproduces ids, tags and the choices of users and callers. Without it every run differs.
    pub seed: Option<u64>,
    /// The folder of the certificate authority, made if missing. Reused on the next start.
    pub folder: PathBuf,
    /// The kind of keys of new certificates.
    pub keys: KeyKind,
    /// Where DNS answers, UDP and TCP. Port 0 takes a free one.
    pub dns: SocketAddr,
    /// How long, in seconds, DNS answers may be kept.
    pub dns_ttl_s: u32,
    /// Where the HTTP control answers. Loopback only; port 0 takes a free one.
    pub control: SocketAddr,
    /// The three SIP proxies of Direct Routing.
    pub proxies: ProxiesConfig,
    /// The border controllers that tenants have paired (New-CsOnlinePSTNGateway).
    pub trunks: Vec<TrunkConfig>,
    /// The tenants.
    pub tenants: Vec<TenantConfig>,
    /// The carrier on the other side of the border controller. `None`: there is none.
    pub carrier: Option<CarrierConfig>,
    /// What Microsoft's documents leave open.
    pub habits: Habits,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            seed: None,
            folder: PathBuf::from("sandbox"),
            keys: KeyKind::default(),
            dns: loopback(1, 5354),
            dns_ttl_s: 30,
            control: loopback(1, 8090),
            proxies: ProxiesConfig::default(),
            trunks: vec![TrunkConfig::default()],
            tenants: vec![TenantConfig::contoso(), TenantConfig::fabrikam()],
            carrier: Some(CarrierConfig::default()),
            habits: Habits::default(),
        }
    }
}

/// The SIP proxies ("Plan Direct Routing", connection points).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProxiesConfig {
    /// The addresses of sip, sip2 and sip3.pstnhub.microsoft.com; media processors live on the same addresses.
    pub addresses: [IpAddr; 3],
    /// The TLS port of all three. 5061 as at Microsoft; 0 takes one that is free on all three.
    pub port: u16,
}

impl Default for ProxiesConfig {
    fn default() -> Self {
        Self { addresses: [2, 3, 4].map(|last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))), port: 5061 }
    }
}

/// A paired border controller ("New-CsOnlinePSTNGateway"). Names that stand for parameters there mean the same here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrunkConfig {
    /// Fqdn: its name, which its Contact and its certificate must bear. A name one label below it belongs to the
    /// customer who has that name among his domains ("Configure a Session Border Controller for multiple tenants").
    pub fqdn: String,
    /// The address that DNS gives for the name.
    pub address: IpAddr,
    /// SipSignalingPort: where Teams connects.
    pub signalling_port: u16,
    /// Enabled: off drains the trunk of new calls from Teams.
    pub enabled: bool,
    /// SendSipOptions: Microsoft pings and watches the trunk's health.
    pub send_sip_options: bool,
    /// ForwardPai: the caller's identity goes into P-Asserted-Identity and From becomes anonymous.
    pub forward_pai: bool,
    /// ForwardCallHistory: History-Info and Referred-By on forwarded calls.
    pub forward_call_history: bool,
    /// FailoverTimeSeconds: a call to the trunk without an answer other than 100 in this time has failed.
    pub failover_time_s: u32,
}

impl Default for TrunkConfig {
    fn default() -> Self {
        Self {
            fqdn: "sbc1.contoso.example".to_owned(),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            signalling_port: 5067,
            enabled: true,
            send_sip_options: true,
            forward_pai: false,
            forward_call_history: false,
            failover_time_s: 10,
        }
    }
}

/// A Microsoft 365 tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// What people call it.
    pub name: String,
    /// The tenant's id, a GUID.
    pub id: String,
    /// Verified domains: the FQDN of a trunk belongs to the tenant that has it, or it without its first label.
    pub domains: Vec<String>,
    /// The people with a Teams number.
    #[serde(default)]
    pub users: Vec<UserConfig>,
}

/// A Teams user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserConfig {
    /// Names the user in the control; unique over all tenants.
    pub id: String,
    /// The display name.
    pub name: String,
    /// The phone number, E.164 with its plus.
    pub number: String,
    /// The Entra object id, a GUID.
    pub object_id: String,
    /// The pitch of the tone that stands for the user's voice, in hertz, 300 to 3400.
    pub tone_hz: u16,
    /// What the user does when called.
    #[serde(default)]
    pub behaviour: Behaviour,
}

impl TenantConfig {
    /// The tenant of demo and documentation: eight people who answer after a while.
    pub fn contoso() -> Self {
        let people = [
            ("alice", "Alice Reyes", 2500, 4000),
            ("bela", "Béla Varga", 1500, 3000),
            ("chidi", "Chidi Okafor", 3000, 5000),
            ("dana", "Dana Whitfield", 2000, 6000),
            ("emre", "Emre Yıldız", 1000, 4000),
            ("farah", "Farah Haddad", 2000, 3000),
            ("goran", "Goran Petrović", 4000, 5000),
            ("hana", "Hana Suzuki", 1500, 2500),
        ];
        let users = people.iter().zip(0u16..).map(|((id, name, after_ms, spread_ms), n)| UserConfig {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            number: format!("+1425555{:04}", 101 + n),
            object_id: format!("fa273707-89ea-4085-9903-ddf4ab23{:04x}", 0x6300 + n),
            tone_hz: 440 + 110 * n,
            behaviour: Behaviour::answering(*after_ms, *spread_ms),
        });
        Self {
            name: "Contoso".to_owned(),
            id: "4dcafc31-d434-426b-a0bb-c376fb36061a".to_owned(),
            domains: vec!["contoso.example".to_owned()],
            users: users.collect(),
        }
    }

    /// A customer of the carrier model, behind a name below Contoso's border controller.
    pub fn fabrikam() -> Self {
        Self {
            name: "Fabrikam".to_owned(),
            id: "7be25c10-3a4f-4a0e-9d52-5f0a1f6d2b77".to_owned(),
            domains: vec!["fabrikam.sbc1.contoso.example".to_owned()],
            users: vec![UserConfig {
                id: "ines".to_owned(),
                name: "Inês Duarte".to_owned(),
                number: "+14255550151".to_owned(),
                object_id: "0c1d2e3f-1111-4222-8333-944455566677".to_owned(),
                tone_hz: 1430,
                behaviour: Behaviour::answering(2000, 0),
            }],
        }
    }
}

/// The carrier: callers on a plain SIP trunk over UDP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CarrierConfig {
    /// Where the carrier's softswitch speaks SIP; its media is on the same address.
    pub address: SocketAddr,
    /// The border controller's side of the carrier trunk.
    pub border: SocketAddr,
    /// Telephones that the border controller may call, by number. Any other answers after a moment.
    pub phones: BTreeMap<String, Phone>,
    /// Callers who come by themselves. `None`: only those whom the control sends.
    pub stream: Option<StreamConfig>,
}

impl Default for CarrierConfig {
    fn default() -> Self {
        Self { address: loopback(10, 5060), border: loopback(1, 5060), phones: BTreeMap::new(), stream: None }
    }
}

/// An endless stream of callers, drawn from the seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StreamConfig {
    /// Callers per hour; gaps between them are drawn as for callers who know nothing of each other.
    pub per_hour: u32,
    /// No more callers than this at once; who would come then does not.
    pub at_once_max: u32,
    /// The number they dial.
    pub number: String,
    /// The keys among which they choose in a menu, and how often each is chosen, such as `{"1": 5, "2": 3}`. Empty:
    /// they press nothing.
    pub digits: BTreeMap<char, u32>,
    /// When they press, in milliseconds after the answer.
    pub digit_after_ms: u32,
    /// The middle of how long they wait for a person before they give up, in seconds.
    pub patience_s: u32,
    /// The middle of how long they talk, in seconds from the first word of a person.
    pub talk_s: u32,
    /// Of a hundred, so many would rather be called back, and press a key while they wait.
    pub callback_percent: u32,
    /// That key.
    pub callback_digit: char,
    /// When they press it, in milliseconds after the answer.
    pub callback_after_ms: u32,
    /// Of a hundred calls to one of them, so many are answered. Of the others, half are busy and half ring in vain.
    pub reached_percent: u32,
    /// The middle of the message that they leave after a beep, in seconds.
    pub message_s: u32,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            per_hour: 240,
            at_once_max: 12,
            number: "+14255550100".to_owned(),
            digits: [('1', 5), ('2', 3), ('3', 1)].into(),
            digit_after_ms: 3500,
            patience_s: 90,
            talk_s: 40,
            callback_percent: 0,
            callback_digit: '1',
            callback_after_ms: 25_000,
            reached_percent: 80,
            message_s: 8,
        }
    }
}

/// An address on the loopback network, 127.0.0.`last`.
fn loopback(last: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, last], port))
}
