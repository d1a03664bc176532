//! What the sandbox is made of: tenants, users, trunks, addresses. Every key has a default: the tenant Contoso on
//! loopback.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::authority::KeyKind;
use crate::carrier::phone::Phone;
use crate::graph::throttle::Limits;
use crate::habits::Habits;
use crate::user::Behaviour;

pub mod app;
pub mod people;

pub use app::{AppConfig, AppRole, Audience, GroupClaims, Secret};

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
    /// Where Entra ID and Microsoft Graph answer.
    pub web: WebConfig,
    /// The applications that are registered in Entra ID.
    pub apps: Vec<AppConfig>,
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
            web: WebConfig::default(),
            apps: vec![AppConfig::tandem()],
            proxies: ProxiesConfig::default(),
            trunks: vec![TrunkConfig::default()],
            tenants: vec![TenantConfig::contoso(), TenantConfig::fabrikam()],
            carrier: Some(CarrierConfig::default()),
            habits: Habits::default(),
        }
    }
}

/// Where Entra ID and Microsoft Graph answer: one service on two listeners, told apart by path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebConfig {
    /// Plain HTTP, for people's browsers, which need not trust the sandbox's authority then. Loopback only; port 0
    /// takes a free one.
    pub http: SocketAddr,
    /// HTTPS with a certificate of the sandbox's authority, for programs. Loopback only; port 0 takes a free one.
    pub https: SocketAddr,
    /// Who issues tokens: what stands before the tenant in their `iss`, without a slash at the end.
    pub issuer: String,
    /// How much Graph takes before it throttles.
    pub limits: Limits,
    /// Every exchange with Graph is written to this file as lines of JSON, to be held against the contract.
    pub record: Option<PathBuf>,
}

impl WebConfig {
    /// Both listeners on free ports.
    pub fn on_free_ports() -> Self {
        Self { http: loopback(1, 0), https: loopback(1, 0), ..Self::default() }
    }
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            http: loopback(1, 8091),
            https: loopback(1, 8443),
            issuer: "https://login.microsoftonline.com".to_owned(),
            limits: Limits::default(),
            record: None,
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
    /// Others in the directory: people without a Teams number, guests, service accounts.
    #[serde(default)]
    pub accounts: Vec<UserConfig>,
}

impl TenantConfig {
    /// All who are in the directory.
    pub fn everyone(&self) -> impl Iterator<Item = &UserConfig> {
        self.users.iter().chain(&self.accounts)
    }
}

/// A user of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserConfig {
    /// Names the user in the control; unique over all tenants.
    pub id: String,
    /// The display name.
    pub name: String,
    /// The phone number, E.164 with its plus. Empty for accounts without Teams telephony.
    #[serde(default)]
    pub number: String,
    /// The Entra object id, a GUID.
    pub object_id: String,
    /// The pitch of the tone that stands for the user's voice, in hertz, 300 to 3400.
    #[serde(default = "any_tone_hz")]
    pub tone_hz: u16,
    /// What the user does when called.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// The user principal name. Empty: the id at the tenant's first domain.
    #[serde(default)]
    pub principal: String,
    /// The mail address. Empty: the principal name.
    #[serde(default)]
    pub mail: String,
    /// The department.
    #[serde(default)]
    pub department: String,
    /// The job title.
    #[serde(default)]
    pub job_title: String,
    /// The office.
    #[serde(default)]
    pub office: String,
    /// The mobile phone's number, as people write numbers.
    #[serde(default)]
    pub mobile: String,
    /// The preferred language, such as `fr-CA`.
    #[serde(default)]
    pub preferred_language: String,
    /// What the user lists as skills in the profile.
    #[serde(default)]
    pub skills: Vec<String>,
    /// The names of the groups of which the user is a member.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The values of the app roles that the user is assigned in every registered application that has them, as soon as
    /// the application is in the user's tenant.
    #[serde(default)]
    pub app_roles: Vec<String>,
    /// Administers the tenant (Global Administrator): may consent for all of it.
    #[serde(default)]
    pub administrator: bool,
    /// What the sign-in page asks for. `None`: a click is enough.
    #[serde(default, skip_serializing)]
    pub password: Option<String>,
    /// A guest from elsewhere.
    #[serde(default)]
    pub guest: bool,
    /// May sign in.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Has a photo.
    #[serde(default = "yes")]
    pub photo: bool,
}

impl Default for UserConfig {
    fn default() -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            number: String::new(),
            object_id: String::new(),
            tone_hz: any_tone_hz(),
            behaviour: Behaviour::default(),
            principal: String::new(),
            mail: String::new(),
            department: String::new(),
            job_title: String::new(),
            office: String::new(),
            mobile: String::new(),
            preferred_language: String::new(),
            skills: Vec::new(),
            groups: Vec::new(),
            app_roles: Vec::new(),
            administrator: false,
            password: None,
            guest: false,
            enabled: true,
            photo: true,
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
    /// The numbers among which they choose instead, and how often each is dialled. Empty: only `number`.
    pub numbers: BTreeMap<String, u32>,
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
            numbers: BTreeMap::new(),
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

fn any_tone_hz() -> u16 {
    440
}

fn yes() -> bool {
    true
}
