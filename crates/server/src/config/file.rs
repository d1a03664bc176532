//! The configuration file as people write it. Every key says its unit, its default and its danger.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use tandem_center::config::document::{
    AgentDocument, CapacityDocument, LimitsDocument, NumberDocument, OffersDocument, PresenceDocument,
    QueueDocument,
};
use tandem_center::flow::document::FlowDocument;
use tandem_center::id::FlowId;

use crate::page;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// `data`: the folder of the journal, beside the file unless absolute. Default `tandem-data`. Whoever can write
    /// there can change history.
    #[serde(default = "File::default_data")]
    pub data: PathBuf,
    /// `[personal_data]`: how long it is kept of whom was talked to, and under which keys.
    #[serde(default)]
    pub personal_data: PersonalDataFile,
    /// `[http]`: the API and the page.
    #[serde(default)]
    pub http: HttpFile,
    /// `[microsoft]`: the application in Microsoft Entra ID through which people sign in and presence is read.
    #[serde(default)]
    pub microsoft: Option<MicrosoftFile>,
    /// `[log]`: what is logged, and how.
    #[serde(default)]
    pub log: LogFile,
    /// `[dns]`: who is asked for addresses.
    #[serde(default)]
    pub dns: DnsFile,
    /// `[webhooks]`: where events may be sent.
    #[serde(default)]
    pub webhooks: WebhooksFile,
    /// `[sip]`: what holds for all trunks.
    #[serde(default)]
    pub sip: SipFile,
    /// `[relay]`: the threads that move packets.
    #[serde(default)]
    pub relay: RelayFile,
    /// `[[interfaces]]`: where SIP is spoken.
    #[serde(default)]
    pub interfaces: Vec<InterfaceFile>,
    /// `[[media]]`: where packets of sound come and go.
    #[serde(default)]
    pub media: Vec<MediaFile>,
    /// `[[trunks]]`: the networks we call and that call us.
    #[serde(default)]
    pub trunks: Vec<TrunkFile>,
    /// `[prompts]`: a name for each WAV file that can be played, `welcome = "prompts/welcome.wav"`. Mono or stereo,
    /// 8 to 48 kHz, 16 bit. The names `music`, `ringback` and `beep` exist without a file and can be replaced.
    #[serde(default)]
    pub prompts: BTreeMap<String, PathBuf>,
    /// `[[agents]]`: who talks to customers.
    #[serde(default)]
    pub agents: Vec<AgentDocument>,
    /// `[[queues]]`: where callers wait for them.
    #[serde(default)]
    pub queues: Vec<QueueDocument>,
    /// `[[numbers]]`: which flow a dialled number leads to.
    #[serde(default)]
    pub numbers: Vec<NumberDocument>,
    /// `[flows.<id>]`: what happens to a caller, step by step.
    #[serde(default)]
    pub flows: BTreeMap<FlowId, FlowDocument>,
    /// `[offers]`: what becomes of agents who do not take an offer.
    #[serde(default)]
    pub offers: OffersDocument,
    /// `[capacity]`: how much an agent can do at once.
    #[serde(default)]
    pub capacity: CapacityDocument,
    /// `[presence]`: what is made of the presence of agents that another system tells.
    #[serde(default)]
    pub presence: PresenceDocument,
    /// `[limits]`: how much the center holds.
    #[serde(default)]
    pub limits: LimitsDocument,
    /// `[sign_in]`: how people sign in, and for how long.
    #[serde(default)]
    pub sign_in: SignInFile,
    /// `[[operators]]`: who runs the installation.
    #[serde(default)]
    pub operators: Vec<OperatorFile>,
    /// `[[people]]`: who may sign in, as what. People who are added in Tandem, or come from Entra with a role, need not
    /// stand here.
    #[serde(default)]
    pub people: Vec<PersonFile>,
    /// `[roles]`: which groups of Entra make which roles, `"<object id of the group>" = ["agent"]`. App roles are better:
    /// a token names at most 200 groups.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<String>>,
    /// `[tenants.<id>]`: the customers, if there are several. Each has a file of its own with its agents, queues, numbers
    /// and flows, which then stand nowhere else. The id is 1 to 64 lower-case letters, digits and `-`; it stands in the
    /// journal and cannot be changed later.
    #[serde(default)]
    pub tenants: BTreeMap<String, TenantEntry>,
}

/// `[tenants.<id>]`: one of several customers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantEntry {
    /// What people call the customer.
    pub name: String,
    /// The customer's file, beside this one unless absolute.
    pub file: PathBuf,
}

/// The file of one of several customers: what stands in the one file where there is only one customer, and means the
/// same. Relative paths start at its own folder.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantFile {
    /// `[prompts]`.
    pub prompts: BTreeMap<String, PathBuf>,
    /// `[[agents]]`.
    pub agents: Vec<AgentDocument>,
    /// `[[queues]]`.
    pub queues: Vec<QueueDocument>,
    /// `[[numbers]]`. On a trunk of several customers each number leads to one of them.
    pub numbers: Vec<NumberDocument>,
    /// `[flows.<id>]`.
    pub flows: BTreeMap<FlowId, FlowDocument>,
    /// `[offers]`.
    pub offers: OffersDocument,
    /// `[capacity]`.
    pub capacity: CapacityDocument,
    /// `[presence]`.
    pub presence: PresenceDocument,
    /// `[limits]`.
    pub limits: LimitsDocument,
    /// `[personal_data]`: what is the customer's own of it: `keep_days`.
    pub personal_data: TenantPersonalDataFile,
    /// `[[people]]`.
    pub people: Vec<PersonFile>,
    /// `[roles]`.
    pub roles: BTreeMap<String, Vec<String>>,
    /// `[microsoft]`: what is the customer's own of it: `entra` and `write_presence`.
    pub microsoft: TenantMicrosoftFile,
}

impl File {
    fn default_data() -> PathBuf {
        PathBuf::from("tandem-data")
    }
}

/// `[personal_data]`: what facts say about customers: numbers, names. It is sealed in the journal.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PersonalDataFile {
    /// After this many days it is erased, counted from the arrival of a call; the facts stay, and with them every count.
    /// With several customers it holds for those whose files say nothing else. Default 365; 0 keeps it for ever, which the law of most countries does not allow. What is erased cannot be had
    /// back, but from a backup.
    pub keep_days: u32,
    /// The file of the keys, readable by the program's user alone. Default `journal.key` beside the journal; it is made
    /// at the first start. Keep a copy apart from those of the journal: without it nothing personal can be read, and
    /// with both everything can.
    pub keys: Option<PathBuf>,
}

impl PersonalDataFile {
    /// A hundred years.
    pub const DAYS_MAX: u32 = 36_500;
}

impl Default for PersonalDataFile {
    fn default() -> PersonalDataFile {
        PersonalDataFile { keep_days: 365, keys: None }
    }
}

/// `[personal_data]` in the file of one of several customers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantPersonalDataFile {
    /// After this many days what is known of the customer's callers is erased. Default: what the main file says.
    pub keep_days: Option<u32>,
}

/// `[http]`: the API and the page.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpFile {
    /// Address and port. Default `127.0.0.1:8080`. Any address but loopback demands `certificate` and `key`.
    pub listen: SocketAddr,
    /// PEM file of the certificate, with its intermediates. Default: none, no TLS.
    pub certificate: Option<PathBuf>,
    /// PEM file of the key.
    pub key: Option<PathBuf>,
    /// A file with the root key, at least 32 characters: a program that sends it as `Authorization: Bearer` may do
    /// everything in every tenant. Default: none; people sign in, and programs get keys of their own. Keep it readable by
    /// this program only.
    pub token_file: Option<PathBuf>,
    /// Where people's browsers and Microsoft reach the page, `https://tandem.example.com`, if that differs from `listen`
    /// (behind a proxy, by name). Sign-ins come back there, and Microsoft Graph notifies there; it must stand in the app
    /// registration letter by letter. Default: `listen`, on loopback by the name `localhost`.
    pub public_url: Option<String>,
    /// Sites that may show the page inside of theirs, as `https://host`, where `*.` may stand before the host; at most 32.
    /// Default: those of the Teams client, `["https://teams.microsoft.com", "https://*.teams.microsoft.com",
    /// "https://*.cloud.microsoft"]`. Teams for a government or in China has others: name them. An empty list: nobody, and no
    /// tab in Teams.
    pub frame_ancestors: Vec<String>,
    /// Reverse proxies between the browsers and this program, as addresses or ranges, `["10.0.0.0/8"]`; at most 32. Where a
    /// request came from is then read from what they say (`Forwarded` or `X-Forwarded-For`): the limit of wrong passwords,
    /// the share of each address in the sign-ins that have begun, and the audit trail need it. Connections of these proxies
    /// are not bounded by address. What anybody else says is ignored. Default: none.
    pub trusted_proxies: Vec<String>,
}

impl Default for HttpFile {
    fn default() -> HttpFile {
        HttpFile {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            certificate: None,
            key: None,
            token_file: None,
            public_url: None,
            frame_ancestors: page::TEAMS.iter().map(|&site| site.to_owned()).collect(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// `[sign_in]`: how people sign in, and for how long.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInFile {
    /// Whether people sign in with passwords and passkeys, too. Default `true`; where everybody comes from Entra, `false`
    /// is safer.
    pub local: bool,
    /// For how many minutes an access token is good, 1 to 60. Default 15. Rights that are taken count at once all the
    /// same.
    pub access_minutes: u32,
    /// After how many hours without use a login ends, 1 to 720. Default 12.
    pub idle_hours: u32,
    /// After how many days a login ends, used or not, 1 to 90. Default 14.
    pub absolute_days: u32,
    /// For how many days the audit trail is kept, 30 to 3650. Default 365.
    pub audit_days: u32,
    /// User names of people of this configuration who sign in with one click and no proof. For a demo; refused unless
    /// `http.listen` is loopback, and where `http.public_url` or `http.trusted_proxies` lead others there. Default: nobody.
    pub one_click: Vec<String>,
}

impl Default for SignInFile {
    fn default() -> SignInFile {
        SignInFile {
            local: true,
            access_minutes: 15,
            idle_hours: 12,
            absolute_days: 14,
            audit_days: 365,
            one_click: Vec::new(),
        }
    }
}

/// `[[operators]]`: somebody who runs the installation for all of its tenants, and sees no customer of any.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorFile {
    /// The name as it is shown.
    pub name: String,
    /// The name for a local sign-in, unique in the installation. The password is set by an invitation, or by the code that
    /// `tandem serve` prints while nobody is in charge.
    #[serde(default)]
    pub user_name: Option<String>,
    /// The user in Entra: `{ tenant = "<id of the Entra tenant>", user = "<object id, or the name to sign in with>" }`.
    #[serde(default)]
    pub entra: Option<EntraUserFile>,
    /// Roles in tenants as well, `{ contoso = ["supervisor"] }`. Default: none.
    #[serde(default)]
    pub tenants: BTreeMap<String, Vec<String>>,
}

/// `[[people]]`: somebody who may sign in. The API does not change who stands here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonFile {
    /// The name as it is shown.
    pub name: String,
    /// The name for a local sign-in, unique in the installation. The password is set by an invitation.
    #[serde(default)]
    pub user_name: Option<String>,
    /// The user in Entra: `{ tenant = "<id of the Entra tenant>", user = "<object id, or the name to sign in with>" }`.
    #[serde(default)]
    pub entra: Option<EntraUserFile>,
    /// `agent`, `expert`, `supervisor`, `administrator`: what the person may do is the sum.
    pub roles: Vec<String>,
    /// The id of the agent that the person is.
    #[serde(default)]
    pub agent: Option<String>,
}

/// A user in Entra.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntraUserFile {
    /// The id of the Entra tenant, a GUID.
    pub tenant: String,
    /// The object id of the user, a GUID; or the name with which they sign in, which is looked at once: at the first
    /// sign-in the object id is noted.
    pub user: String,
}

/// `[microsoft]`: the application in Microsoft Entra ID through which people sign in and presence is read. Without this
/// section nothing is asked of Microsoft. docs/microsoft.md takes an administrator through the registration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicrosoftFile {
    /// Which cloud of Microsoft's: `public` (default; GCC too), `us_gov` (GCC High), `us_dod` or `china`.
    #[serde(default)]
    pub cloud: Option<String>,
    /// Where Entra ID is, if not where the cloud has it: `https://login.example.test`. For a simulated tenant.
    #[serde(default)]
    pub login: Option<String>,
    /// Who issues tokens, if not the cloud: an address with `{tenantid}` in it.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Who issues tokens of version 1, if not the cloud: an address with `{tenantid}` in it.
    #[serde(default)]
    pub issuer_v1: Option<String>,
    /// Where Microsoft Graph is, if not where the cloud has it: `https://graph.example.test`.
    #[serde(default)]
    pub graph: Option<String>,
    /// The application (client) id of the app registration.
    pub client_id: String,
    /// The Application ID URI of the app registration, for tabs in Teams: `api://tandem.example.com/<client id>`. Default:
    /// `api://<client id>`.
    #[serde(default)]
    pub app_id_uri: Option<String>,
    /// A file with a client secret. Keep it readable by this program only; it expires, a certificate is better. Exactly one
    /// of `secret_file`, `certificate` with `key`, and `federated_token_file` is needed.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// PEM file of a certificate that is uploaded to the app registration.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// PEM file of its key.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// A file with a token of an issuer that the app registration trusts (workload identity). It is read anew each time.
    #[serde(default)]
    pub federated_token_file: Option<PathBuf>,
    /// PEM file of the roots that Microsoft's hosts are judged by. Default: the system's,
    /// `/etc/ssl/certs/ca-certificates.crt`.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// Presence is asked for every so many seconds where Microsoft does not tell it, 2 to 300, default 6. One request
    /// asks for 650 people.
    #[serde(default = "MicrosoftFile::default_poll_s")]
    pub poll_s: u32,
    /// Presence that Microsoft tells is checked every so many seconds, 10 to 3600, default 60.
    #[serde(default = "MicrosoftFile::default_check_s")]
    pub check_s: u32,
    /// Presence that was not confirmed for so many seconds is called doubtful, 10 to 3600, default 30.
    #[serde(default = "MicrosoftFile::default_stale_s")]
    pub stale_s: u32,
    /// People and their departments are followed every so many seconds, 30 to 86,400, default 300.
    #[serde(default = "MicrosoftFile::default_directory_s")]
    pub directory_s: u32,
    /// Requests for presence in 30 seconds that Microsoft allows in one tenant, default 1500.
    #[serde(default = "MicrosoftFile::default_presence_per_30_s")]
    pub presence_per_30_s: u32,
    /// Requests for users and photos in 10 seconds that Microsoft allows in one tenant, default 700.
    #[serde(default = "MicrosoftFile::default_directory_per_10_s")]
    pub directory_per_10_s: u32,
    /// How much of these limits is used, in percent, 1 to 100, default 70: the rest is for other programs of the same
    /// registration.
    #[serde(default = "MicrosoftFile::default_share_percent")]
    pub share_percent: u8,
    /// The Entra tenants (their ids) of a customer who is alone; with several customers it stands in their files.
    #[serde(default)]
    pub entra: Vec<String>,
    /// Whether Teams shows that an agent is in a call of Tandem's, for a customer who is alone; with several customers it
    /// stands in their files. Default `false`; it needs the permission Presence.ReadWrite.All.
    #[serde(default)]
    pub write_presence: bool,
}

impl MicrosoftFile {
    /// What of it is the customer's own who is alone.
    pub(super) fn of_tenant(&self) -> TenantMicrosoftFile {
        TenantMicrosoftFile { entra: self.entra.clone(), write_presence: self.write_presence }
    }

    const fn default_poll_s() -> u32 {
        6
    }

    const fn default_check_s() -> u32 {
        60
    }

    const fn default_stale_s() -> u32 {
        30
    }

    const fn default_directory_s() -> u32 {
        300
    }

    const fn default_presence_per_30_s() -> u32 {
        1500
    }

    const fn default_directory_per_10_s() -> u32 {
        700
    }

    const fn default_share_percent() -> u8 {
        70
    }
}

/// `[microsoft]` in the file of one of several customers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantMicrosoftFile {
    /// The customer's Entra tenants (their ids): their people are the customer's people. Others are connected later by
    /// consent. One Entra tenant belongs to one customer.
    pub entra: Vec<String>,
    /// Whether Teams shows that an agent is in a call of Tandem's. Default `false`; it needs the permission
    /// Presence.ReadWrite.All.
    pub write_presence: bool,
}

/// `[log]`: what is logged, and how. Never message bodies, keys or digits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogFile {
    /// `text` for people (default) or `json` for machines.
    pub format: LogFormat,
    /// `error`, `warn`, `info` (default) or `debug`.
    pub level: LogLevel,
}

impl Default for LogFile {
    fn default() -> LogFile {
        LogFile { format: LogFormat::Text, level: LogLevel::Info }
    }
}

/// How lines of the log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// Which lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Somebody should act.
    Error,
    /// Something is wrong and was handled.
    Warn,
    /// What an operator follows.
    Info,
    /// What a developer follows; many lines a call.
    Debug,
}

/// `[dns]`: who is asked for addresses.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DnsFile {
    /// Name servers with their ports, `["10.0.0.53:53"]`. Default: those of the system.
    pub servers: Vec<SocketAddr>,
}

/// `[webhooks]`: where events may be sent. People of the tenants choose the addresses; they lead to the public Internet,
/// and nowhere else unless it stands here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhooksFile {
    /// Ranges of addresses that are not public and may be sent to all the same, `["10.20.0.0/16"]`. Default: none.
    /// Whoever may add a webhook can then reach every machine in them. With `127.0.0.0/8` events may go to this machine,
    /// also without TLS.
    pub networks: Vec<String>,
    /// PEM file of the roots that are believed. Default: the system's, `/etc/ssl/certs/ca-certificates.crt`.
    pub trust: Option<PathBuf>,
}

/// `[sip]`: what holds for all trunks.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SipFile {
    /// What a request from no trunk gets: `drop` (default, no answer: scanners learn nothing) or `refuse` (403: easier
    /// to set up a trunk with). It is never routed.
    pub unknown_peers: UnknownPeersFile,
}

impl Default for SipFile {
    fn default() -> SipFile {
        SipFile { unknown_peers: UnknownPeersFile::Drop }
    }
}

/// What a request from no trunk gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownPeersFile {
    /// Nothing.
    Drop,
    /// 403.
    Refuse,
}

/// `[relay]`: the threads that move packets.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelayFile {
    /// How many threads, 1 to 64. Default: one for each core, at most 2. All legs of a call share one.
    pub threads: Option<usize>,
}

/// `[[interfaces]]`: one address on which SIP is spoken.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceFile {
    /// Its name in this file.
    pub name: String,
    /// `udp`, `tcp` or `tls`.
    pub transport: TransportFile,
    /// Address and port to listen on, `0.0.0.0:5061`.
    pub bind: SocketAddr,
    /// Host and port under which the other networks reach it, if that differs from `bind` (behind NAT):
    /// `203.0.113.10:5060`. Default: `bind`.
    #[serde(default)]
    pub advertised: Option<String>,
    /// With TLS: our certificates. The first is shown where no name fits, and in the client's role.
    #[serde(default)]
    pub certificates: Vec<CertificateFile>,
    /// With TLS: PEM file of the roots we believe. Default: the system's, `/etc/ssl/certs/ca-certificates.crt`.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// With TLS: whether a peer that connects must show a certificate, `required` (default) or `optional` (telephones).
    #[serde(default)]
    pub client_certificate: ClientCertificateFile,
}

/// One certificate chain with its key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFile {
    /// PEM: the certificate, then its intermediates. Without them Microsoft resets the connection.
    pub certificate: PathBuf,
    /// PEM: the private key.
    pub key: PathBuf,
}

/// How SIP travels on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportFile {
    /// Datagrams.
    Udp,
    /// A stream in the clear.
    Tcp,
    /// A stream under TLS.
    Tls,
}

/// Whether a peer that connects must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificateFile {
    /// It must.
    #[default]
    Required,
    /// It may.
    Optional,
}

/// `[[media]]`: one address with a range of ports for sound.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaFile {
    /// Its name in this file.
    pub name: String,
    /// The address to bind.
    pub bind: IpAddr,
    /// The address in our SDP, if it differs (behind NAT). Default: `bind`.
    #[serde(default)]
    pub advertised: Option<IpAddr>,
    /// The first and the last port, `[20000, 39999]`. Each party of a call takes two; the firewall must let them all in. All
    /// interfaces together should have four for each call that `limits.calls` of all tenants allow: these 20,000 do for 5,000
    /// calls. `tandem check` and the log warn if they have fewer; the calls beyond them are refused.
    pub ports: [u16; 2],
}

/// `[[trunks]]`: one network.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrunkFile {
    /// Its name in this file; numbers and agents name it as their line.
    pub name: String,
    /// `direct_routing` (Teams) or `carrier` (any other SIP network, telephone or PBX).
    pub profile: ProfileFile,
    /// The interface on which it is spoken to.
    pub interface: String,
    /// The media address of its calls.
    pub media: String,
    /// The trunk's name at the other network, `sbc1.contoso.com`. Required with `direct_routing`: Contact, From and Via
    /// carry it, and Microsoft finds the customer by it. Default: the interface's advertised host.
    #[serde(default)]
    pub fqdn: Option<String>,
    /// Where calls go, in order of preference: names or addresses with optional ports. With `direct_routing` by
    /// default Microsoft's three. With `carrier` by default none: only SIP addresses can be called, at their host.
    #[serde(default)]
    pub proxies: Option<Vec<String>>,
    /// From where requests are taken: addresses and ranges. With `direct_routing` by default Microsoft's published
    /// ranges; with `carrier` required. Whoever can send from there can place calls.
    #[serde(default)]
    pub peers: Option<Vec<String>>,
    /// With TLS: names of which one must be in the peer's certificate. With `direct_routing` by default
    /// `sip.pstnhub.microsoft.com`.
    #[serde(default)]
    pub peer_names: Option<Vec<String>>,
    /// Encryption of sound, `required`, `accepted` or `forbidden`. Default: `required` with `direct_routing`, else
    /// `forbidden`. `required` only makes sense over TLS: the keys stand in the signalling.
    #[serde(default)]
    pub srtp: Option<SrtpFile>,
    /// Believe the address packets come from rather than the signalled one, for telephones behind NAT. Default `false`:
    /// a stranger who guesses a port would take the sound of a call in the clear.
    #[serde(default)]
    pub latch: bool,
    /// Our own OPTIONS to each proxy every so many seconds, 10 to 3600; 0: never. Default: 60 with `direct_routing`
    /// (Microsoft wants one a minute, not more), else never.
    #[serde(default)]
    pub keep_alive_s: Option<u32>,
    /// User name for networks that challenge us.
    #[serde(default)]
    pub user: Option<String>,
    /// A file with the password for `user`. Keep it readable by this program only.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The tenant whose trunk it is. Default: everybody's; then the dialled number says whose a call is, and every tenant
    /// may call over it.
    #[serde(default)]
    pub tenant: Option<String>,
}

/// How a network is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileFile {
    /// Teams.
    DirectRouting,
    /// Anybody else.
    Carrier,
}

/// Encryption of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SrtpFile {
    /// Only encrypted.
    Required,
    /// Encrypted where the other end offers it.
    Accepted,
    /// Never.
    Forbidden,
}
