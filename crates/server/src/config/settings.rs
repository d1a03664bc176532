//! From the file to settings that the parts of the program take: names become places in lists, texts become values.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tandem_b2bua::UnknownPeers;
use tandem_b2bua::trunk::{AddressRange, Profile, Proxy, Trunk};
use tandem_center::call::{LineName, PromptName};
use tandem_center::config::document::{
    CapacityDocument, Document, LimitsDocument, OffersDocument, PresenceDocument,
};
use tandem_center::config::{Config, Known, Problem};
use tandem_center::flow::document::FlowDocument;
use tandem_media::leg;
use tandem_media::negotiate::SrtpPolicy;
use tandem_media::prompt::Prompt;
use tandem_sip::flow::{InterfaceId, Transport};
use tandem_sip::ua::Credentials;
use tandem_store::Tenant;

use crate::api::proxies::Proxies;
use crate::config::fault::{Fault, Faults};
use crate::config::file::{
    ClientCertificateFile, DnsFile, File, HttpFile, InterfaceFile, LogFile, MediaFile, PersonalDataFile,
    ProfileFile, SrtpFile, TenantEntry, TenantFile, TenantPersonalDataFile, TransportFile, TrunkFile,
    UnknownPeersFile, WebhooksFile,
};
use crate::config::people;
use crate::config::routes::{Clash, Routes};
use crate::config::standing::Standing;
use crate::desk::Terms;
use crate::identity::IdentitySettings;
use crate::microsoft::settings::{self as microsoft, MicrosoftSettings};
use crate::outbound::{OutboundSettings, SYSTEM_ROOTS};
use crate::page;
use crate::prompts;
use crate::transport::tls::{ClientCertificate, IdentityFiles, TlsContext, TlsFiles};

/// Everything the program needs to run.
pub struct Settings {
    /// The folder of the journal.
    pub data: PathBuf,
    /// How long personal data is kept, and under which keys.
    pub personal_data: PersonalDataFile,
    /// The API and the page.
    pub http: HttpFile,
    /// Who may sign in, and for how long.
    pub identity: IdentitySettings,
    /// The application in Entra ID, if there is one.
    pub microsoft: Option<MicrosoftSettings>,
    /// The log.
    pub log: LogFile,
    /// Name servers.
    pub dns: DnsFile,
    /// Where events may be sent.
    pub webhooks: OutboundSettings,
    /// What strangers get.
    pub unknown_peers: UnknownPeers,
    /// Threads that move packets.
    pub relay_threads: Option<usize>,
    /// Where SIP is spoken; the place in the list is the [`InterfaceId`].
    pub interfaces: Vec<Interface>,
    /// Where sound comes and goes; the place in the list is the [`leg::InterfaceId`].
    pub media: Vec<Media>,
    /// The networks.
    pub trunks: Vec<Trunk>,
    /// The customers: never empty. One who is alone is [`Tenant::only`].
    pub tenants: Vec<TenantSettings>,
    /// Whose a call is that comes in.
    pub routes: Routes,
    /// How many calls at once.
    pub calls: usize,
    /// What of it takes a restart to change.
    pub standing: Standing,
    /// The file that it was read from, if it was one.
    pub source: Option<PathBuf>,
}

/// One customer.
pub struct TenantSettings {
    /// The id.
    pub tenant: Tenant,
    /// What people call the customer; empty for one who is alone.
    pub name: Arc<str>,
    /// What can be played.
    pub prompts: BTreeMap<PromptName, Arc<Prompt>>,
    /// The lines over which its calls come and go.
    pub lines: BTreeSet<LineName>,
    /// For how many days it is kept of whom was talked to; 0 is for ever.
    pub keep_days: u32,
    /// The contact center.
    pub center: Arc<Config>,
}

impl TenantSettings {
    /// What is said of the customer beside the contact center.
    pub fn terms(&self) -> Terms {
        let TenantSettings { name, lines, keep_days, .. } = self;
        Terms { name: name.clone(), lines: Arc::new(lines.clone()), keep_days: *keep_days }
    }
}

/// Where SIP is spoken.
#[derive(Clone)]
pub struct Interface {
    /// Its name.
    pub name: Arc<str>,
    /// How.
    pub transport: Transport,
    /// Where it listens.
    pub bind: SocketAddr,
    /// Host and port as others reach it.
    pub advertised: (Arc<str>, u16),
    /// With TLS.
    pub tls: Option<TlsContext>,
    /// The files of its certificates, to be watched for expiry.
    pub certificates: Vec<PathBuf>,
}

/// Where sound comes and goes.
#[derive(Clone, Debug)]
pub struct Media {
    /// Its name.
    pub name: Arc<str>,
    /// The address to bind.
    pub bind: IpAddr,
    /// The address in our SDP.
    pub advertised: IpAddr,
    /// First and last port.
    pub ports: (u16, u16),
}

/// Microsoft's proxies, in the order in which they are tried ("Plan Direct Routing").
const MICROSOFT_PROXIES: [&str; 3] =
    ["sip.pstnhub.microsoft.com:5061", "sip2.pstnhub.microsoft.com:5061", "sip3.pstnhub.microsoft.com:5061"];
/// Microsoft's published ranges for signalling and media ("Plan Direct Routing").
const MICROSOFT_PEERS: [&str; 2] = ["52.112.0.0/14", "52.120.0.0/14"];
/// The name that Microsoft's certificate must carry.
const MICROSOFT_NAME: &str = "sip.pstnhub.microsoft.com";
/// The longest name of a customer, in bytes.
const NAME_BYTES_MAX: usize = 128;
/// A FQDN that Microsoft takes has at most this many characters.
const FQDN_MAX: usize = 63;

impl Settings {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Settings, Faults> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Faults(vec![Fault {
                key: path.display().to_string(),
                problem: format!("cannot be read: {error}; name another file with --config"),
            }])
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Ok(Settings { source: Some(path.to_owned()), ..Settings::parse(&text, folder)? })
    }

    /// Checks the text of a file whose relative paths start at `folder`. All faults are found at once, but for those
    /// of the form itself, of which the first is told with its line.
    pub fn parse(text: &str, folder: &Path) -> Result<Settings, Faults> {
        let file: File = toml::from_str(text).map_err(|error| Faults(vec![form_fault(text, &error)]))?;
        Settings::check(file, folder)
    }

    /// Checks a file that was read.
    pub fn check(file: File, folder: &Path) -> Result<Settings, Faults> {
        let mut check = Check { folder, faults: Vec::new() };
        check.http(&file.http);
        let interfaces = check.interfaces(&file);
        let media = check.media(&file.media);
        let trunks = check.trunks(&file, &interfaces, &media);
        let webhooks = check.webhooks(&file.webhooks);
        check.keep_days("personal_data.keep_days", file.personal_data.keep_days);
        if file.relay.threads.is_some_and(|threads| !(1..=64).contains(&threads)) {
            check.fault("relay.threads", "must be 1 to 64; leave it out for one a core, at most 2");
        }
        let entries = check.tenant_files(&file);
        let identity = people::check(&file, &entries, &mut check.faults);
        let owners = check.owners(&file);
        let microsoft = check.microsoft(&file, &entries);
        let standing =
            Standing::of(&file, entries.iter().map(|entry| (&entry.tenant, &entry.file.microsoft)));
        let built_in = prompts::built_in();
        let tenants: Vec<TenantSettings> =
            entries.into_iter().filter_map(|entry| check.tenant(entry, &file, &owners, &built_in)).collect();
        let routes = Routes::of(&tenants, &owners).unwrap_or_else(|clashes| {
            for Clash { number, tenants: [one, other] } in clashes {
                let problem = format!(
                    "leads to {one} and to {other} on a trunk of both; give the number to one, or each a trunk of its own"
                );
                check.fault(format!("numbers.{number}"), problem);
            }
            Routes::default()
        });
        let calls = tenants.iter().fold(0usize, |sum, tenant| {
            let calls = tenant.center.document().limits.calls;
            sum.saturating_add(usize::try_from(calls).unwrap_or(usize::MAX))
        });
        if !check.faults.is_empty() {
            return Err(Faults(check.faults));
        }
        Ok(Settings {
            data: folder.join(file.data),
            personal_data: PersonalDataFile {
                keys: file.personal_data.keys.map(|path| folder.join(path)),
                ..file.personal_data
            },
            http: HttpFile {
                certificate: file.http.certificate.map(|path| folder.join(path)),
                key: file.http.key.map(|path| folder.join(path)),
                token_file: file.http.token_file.map(|path| folder.join(path)),
                ..file.http
            },
            identity,
            microsoft,
            log: file.log,
            dns: file.dns,
            webhooks,
            unknown_peers: match file.sip.unknown_peers {
                UnknownPeersFile::Drop => UnknownPeers::Drop,
                UnknownPeersFile::Refuse => UnknownPeers::Refuse,
            },
            relay_threads: file.relay.threads,
            interfaces,
            media,
            trunks,
            tenants,
            routes,
            calls,
            standing,
            source: None,
        })
    }
}

impl Settings {
    /// What this machine cannot do of what the file asks: addresses that are not its own, a folder that cannot be.
    pub fn unfit_here(&self) -> Vec<Fault> {
        let interfaces =
            self.interfaces.iter().map(|at| (format!("interfaces.{}.bind", at.name), at.bind.ip()));
        let media = self.media.iter().map(|at| (format!("media.{}.bind", at.name), at.bind));
        let addresses = interfaces.chain(media).filter_map(|(key, address)| {
            let error = std::net::UdpSocket::bind((address, 0)).err()?;
            let problem = format!(
                "{address} cannot be used: {error}; write an address of this machine, or 0.0.0.0 for all"
            );
            Some(Fault { key, problem })
        });
        let above = self.data.ancestors().find(|folder| folder.exists());
        let data = above.filter(|folder| !folder.is_dir()).map(|file| Fault {
            key: "data".into(),
            problem: format!("{} is in the way, which is no folder; name another", file.display()),
        });
        addresses.chain(data).collect()
    }
}

/// What a customer's part of the configuration says.
pub(super) struct Entry {
    pub(super) tenant: Tenant,
    name: Arc<str>,
    folder: PathBuf,
    pub(super) file: TenantFile,
}

struct Check<'a> {
    folder: &'a Path,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn fault(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        self.faults.push(Fault { key: key.into(), problem: problem.into() });
    }

    fn keep_days(&mut self, key: &str, days: u32) {
        if days > PersonalDataFile::DAYS_MAX {
            self.fault(key, format!("must be 0 (for ever) to {}", PersonalDataFile::DAYS_MAX));
        }
    }

    fn webhooks(&mut self, file: &WebhooksFile) -> OutboundSettings {
        let mut networks = Vec::with_capacity(file.networks.len());
        for text in &file.networks {
            match text.parse() {
                Ok(range) => networks.push(range),
                Err(error) => self.fault("webhooks.networks", format!("{text:?}: {error}")),
            }
        }
        OutboundSettings::webhooks(file.trust.as_ref().map(|path| self.folder.join(path)), networks)
    }

    fn http(&mut self, http: &HttpFile) {
        if let Err(fault) = page::Policy::new(&http.frame_ancestors) {
            self.fault("http.frame_ancestors", fault.to_string());
        }
        if let Err(fault) = Proxies::new(&http.trusted_proxies) {
            self.fault("http.trusted_proxies", fault.to_string());
        }
        if http.listen.ip().is_loopback() {
            return;
        }
        for (key, missing) in
            [("http.certificate", http.certificate.is_none()), ("http.key", http.key.is_none())]
        {
            if missing {
                let problem = format!(
                    "is needed because http.listen is {}; set it, or listen on 127.0.0.1",
                    http.listen
                );
                self.fault(key, problem);
            }
        }
    }

    fn interfaces(&mut self, file: &File) -> Vec<Interface> {
        let mut names = BTreeSet::new();
        let mut interfaces = Vec::with_capacity(file.interfaces.len());
        for entry in &file.interfaces {
            let key = format!("interfaces.{}", entry.name);
            if !names.insert(entry.name.as_str()) {
                self.fault(&key, "stands twice; give each interface a name of its own");
            }
            let advertised = match &entry.advertised {
                None => (Arc::from(entry.bind.ip().to_string()), entry.bind.port()),
                Some(text) => match host_and_port(text) {
                    Some((host, port)) => (Arc::from(host), port.unwrap_or(entry.bind.port())),
                    None => {
                        self.fault(
                            format!("{key}.advertised"),
                            "is no host with a port; write 203.0.113.10:5060",
                        );
                        continue;
                    }
                },
            };
            if entry.advertised.is_none() && entry.bind.ip().is_unspecified() {
                let problem =
                    "is needed because bind is no particular address; write the address others reach";
                self.fault(format!("{key}.advertised"), problem);
            }
            let tls = match entry.transport {
                TransportFile::Tls => self.tls(&key, entry, &file.trunks),
                TransportFile::Udp | TransportFile::Tcp => {
                    if !entry.certificates.is_empty() {
                        let problem = "has no meaning without TLS; remove it or set transport = \"tls\"";
                        self.fault(format!("{key}.certificates"), problem);
                    }
                    None
                }
            };
            interfaces.push(Interface {
                name: Arc::from(entry.name.as_str()),
                transport: match entry.transport {
                    TransportFile::Udp => Transport::Udp,
                    TransportFile::Tcp => Transport::Tcp,
                    TransportFile::Tls => Transport::Tls,
                },
                bind: entry.bind,
                advertised,
                tls,
                certificates: entry.certificates.iter().map(|c| self.folder.join(&c.certificate)).collect(),
            });
        }
        interfaces
    }

    fn tls(&mut self, key: &str, entry: &InterfaceFile, trunks: &[TrunkFile]) -> Option<TlsContext> {
        if entry.certificates.is_empty() {
            let problem = "is needed with TLS; write [{ certificate = \"sbc.pem\", key = \"sbc.key\" }]";
            self.fault(format!("{key}.certificates"), problem);
            return None;
        }
        let accepted_names =
            trunks.iter().filter(|trunk| trunk.interface == entry.name).flat_map(peer_names).collect();
        let files = TlsFiles {
            identities: entry
                .certificates
                .iter()
                .map(|files| IdentityFiles {
                    certificate: self.folder.join(&files.certificate),
                    key: self.folder.join(&files.key),
                })
                .collect(),
            trust: entry.trust.as_ref().map_or(PathBuf::from(SYSTEM_ROOTS), |trust| self.folder.join(trust)),
            client_certificate: match entry.client_certificate {
                ClientCertificateFile::Required => ClientCertificate::Required,
                ClientCertificateFile::Optional => ClientCertificate::Optional,
            },
            accepted_names,
        };
        match TlsContext::load(&files) {
            Ok(context) => Some(context),
            Err(fault) => {
                let (key, remedy) = match fault.path() == Some(&files.trust) {
                    true => (format!("{key}.trust"), "give a PEM file of roots"),
                    false => (format!("{key}.certificates"), "give PEM files that belong together"),
                };
                self.fault(key, format!("{fault}; {remedy}"));
                None
            }
        }
    }

    fn media(&mut self, entries: &[MediaFile]) -> Vec<Media> {
        let mut names = BTreeSet::new();
        let mut media = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = format!("media.{}", entry.name);
            if !names.insert(entry.name.as_str()) {
                self.fault(&key, "stands twice; give each media address a name of its own");
            }
            let [first, last] = entry.ports;
            if first < 1024 || last <= first {
                let problem =
                    "must be the first and the last of at least two ports above 1023, [20000, 39999]";
                self.fault(format!("{key}.ports"), problem);
            }
            if entry.advertised.is_none() && entry.bind.is_unspecified() {
                let problem =
                    "is needed because bind is no particular address; write the address others reach";
                self.fault(format!("{key}.advertised"), problem);
            }
            media.push(Media {
                name: Arc::from(entry.name.as_str()),
                bind: entry.bind,
                advertised: entry.advertised.unwrap_or(entry.bind),
                ports: (first, last),
            });
        }
        media
    }

    fn trunks(&mut self, file: &File, interfaces: &[Interface], media: &[Media]) -> Vec<Trunk> {
        let mut names = BTreeSet::new();
        let mut trunks = Vec::with_capacity(file.trunks.len());
        for entry in &file.trunks {
            let key = format!("trunks.{}", entry.name);
            if !names.insert(entry.name.as_str()) {
                self.fault(&key, "stands twice; give each trunk a name of its own");
            }
            let interface = interfaces.iter().position(|i| *i.name == *entry.interface);
            let place = media.iter().position(|m| *m.name == *entry.media);
            // One that is there with a fault of its own is not told twice.
            if interface.is_none() && !file.interfaces.iter().any(|i| i.name == entry.interface) {
                self.unknown(format!("{key}.interface"), &entry.interface, "interfaces");
            }
            if place.is_none() {
                self.unknown(format!("{key}.media"), &entry.media, "media");
            }
            let (Some(interface), Some(place)) = (interface, place) else { continue };
            if let Some(trunk) = self.trunk(&key, entry, (interface, interfaces), (place, media)) {
                trunks.push(trunk);
            }
        }
        trunks
    }

    fn trunk(
        &mut self,
        key: &str,
        entry: &TrunkFile,
        (interface, interfaces): (usize, &[Interface]),
        (place, media): (usize, &[Media]),
    ) -> Option<Trunk> {
        let at = interfaces.get(interface)?;
        let sound = media.get(place)?;
        let direct_routing = entry.profile == ProfileFile::DirectRouting;
        let mut profile = if direct_routing { Profile::direct_routing() } else { Profile::carrier() };
        if direct_routing && at.transport != Transport::Tls {
            self.fault(format!("{key}.interface"), "must be one with TLS: Teams speaks nothing else");
        }
        let (host, port) = match &entry.fqdn {
            Some(fqdn) if fqdn.len() > FQDN_MAX || !is_name(fqdn) => {
                self.fault(
                    format!("{key}.fqdn"),
                    "must be a DNS name of at most 63 characters, not an address",
                );
                return None;
            }
            Some(fqdn) => (Arc::from(fqdn.as_str()), at.advertised.1),
            None if direct_routing => {
                let problem = "is needed: Teams refuses calls whose Contact carries an address (403); write the trunk's name \
                               there, sbc1.contoso.com";
                self.fault(format!("{key}.fqdn"), problem);
                return None;
            }
            None => at.advertised.clone(),
        };
        if let Some(srtp) = entry.srtp {
            profile.srtp = match srtp {
                SrtpFile::Required => SrtpPolicy::Required,
                SrtpFile::Accepted => SrtpPolicy::Accepted,
                SrtpFile::Forbidden => SrtpPolicy::Forbidden,
            };
        }
        profile.latch = entry.latch;
        match entry.keep_alive_s {
            None => {}
            Some(0) => profile.keep_alive = None,
            Some(seconds) if (10..=3600).contains(&seconds) => {
                profile.keep_alive = Some(Duration::from_secs(seconds.into()));
            }
            Some(_) => {
                self.fault(format!("{key}.keep_alive_s"), "must be 10 to 3600 seconds, or 0 for never");
            }
        }
        Some(Trunk {
            name: Arc::from(entry.name.as_str()),
            profile,
            interface: InterfaceId(u16::try_from(interface).ok()?),
            transport: at.transport,
            host,
            port,
            media: leg::InterfaceId(u16::try_from(place).ok()?),
            media_address: sound.advertised,
            proxies: self.proxies(key, entry),
            peers: self.peers(key, entry),
            peer_names: if at.transport == Transport::Tls { peer_names(entry) } else { Vec::new() },
            credentials: self.credentials(key, entry),
        })
    }

    fn proxies(&mut self, key: &str, entry: &TrunkFile) -> Vec<Proxy> {
        let given: Vec<&str> = match (&entry.proxies, entry.profile) {
            (Some(proxies), _) => proxies.iter().map(String::as_str).collect(),
            (None, ProfileFile::DirectRouting) => MICROSOFT_PROXIES.to_vec(),
            (None, ProfileFile::Carrier) => Vec::new(),
        };
        let mut proxies = Vec::with_capacity(given.len());
        for text in given {
            match host_and_port(text) {
                Some((host, port)) => proxies.push(Proxy { host: Arc::from(host), port }),
                None => {
                    let problem =
                        format!("{text:?} is no host with an optional port; write sip.example.com:5061");
                    self.fault(format!("{key}.proxies"), problem);
                }
            }
        }
        proxies
    }

    fn peers(&mut self, key: &str, entry: &TrunkFile) -> Vec<AddressRange> {
        let given: Vec<&str> = match (&entry.peers, entry.profile) {
            (Some(peers), _) => peers.iter().map(String::as_str).collect(),
            (None, ProfileFile::DirectRouting) => MICROSOFT_PEERS.to_vec(),
            (None, ProfileFile::Carrier) => {
                let problem = "is needed: the addresses from which this network's calls are taken; write \
                               [\"203.0.113.7\"]";
                self.fault(format!("{key}.peers"), problem);
                return Vec::new();
            }
        };
        let mut peers = Vec::with_capacity(given.len());
        for text in given {
            match text.parse() {
                Ok(range) => peers.push(range),
                Err(error) => self.fault(format!("{key}.peers"), format!("{text:?}: {error}")),
            }
        }
        peers
    }

    fn credentials(&mut self, key: &str, entry: &TrunkFile) -> Option<Credentials> {
        match (&entry.user, &entry.password_file) {
            (None, None) => None,
            (Some(user), Some(path)) => match std::fs::read_to_string(self.folder.join(path)) {
                Ok(password) => Some(Credentials {
                    user: user.as_str().into(),
                    password: password.trim().into(),
                    realm: None,
                }),
                Err(error) => {
                    let problem = format!("{} cannot be read: {error}; check the path", path.display());
                    self.fault(format!("{key}.password_file"), problem);
                    None
                }
            },
            _ => {
                self.fault(format!("{key}.user"), "and password_file belong together; give both or neither");
                None
            }
        }
    }

    fn prompts(
        &mut self,
        entries: &BTreeMap<String, PathBuf>,
        built_in: &BTreeMap<PromptName, Arc<Prompt>>,
    ) -> BTreeMap<PromptName, Arc<Prompt>> {
        let mut all = built_in.clone();
        for (name, path) in entries {
            match prompts::load(&self.folder.join(path)) {
                Ok(prompt) => {
                    all.insert(Arc::from(name.as_str()), Arc::new(prompt));
                }
                Err(error) => self.fault(format!("prompts.{name}"), error.to_string()),
            }
        }
        all
    }

    /// The files of the customers, or what one who is alone has in this file.
    fn tenant_files(&mut self, file: &File) -> Vec<Entry> {
        if file.tenants.is_empty() {
            let file = TenantFile {
                prompts: file.prompts.clone(),
                agents: file.agents.clone(),
                queues: file.queues.clone(),
                numbers: file.numbers.clone(),
                flows: file.flows.clone(),
                offers: file.offers.clone(),
                capacity: file.capacity.clone(),
                presence: file.presence.clone(),
                limits: file.limits.clone(),
                personal_data: TenantPersonalDataFile::default(),
                people: file.people.clone(),
                roles: file.roles.clone(),
                microsoft: file.microsoft.as_ref().map(|of_all| of_all.of_tenant()).unwrap_or_default(),
            };
            let (folder, name) = (self.folder.to_owned(), "".into());
            return vec![Entry { tenant: Tenant::only(), name, folder, file }];
        }
        for (key, stands) in [
            ("agents", !file.agents.is_empty()),
            ("queues", !file.queues.is_empty()),
            ("numbers", !file.numbers.is_empty()),
            ("flows", !file.flows.is_empty()),
            ("prompts", !file.prompts.is_empty()),
            ("offers", file.offers != OffersDocument::default()),
            ("capacity", file.capacity != CapacityDocument::default()),
            ("presence", file.presence != PresenceDocument::default()),
            ("limits", file.limits != LimitsDocument::default()),
            ("people", !file.people.is_empty()),
            ("roles", !file.roles.is_empty()),
            ("microsoft.entra", file.microsoft.as_ref().is_some_and(|m| !m.entra.is_empty())),
            ("microsoft.write_presence", file.microsoft.as_ref().is_some_and(|m| m.write_presence)),
        ] {
            if stands {
                self.fault(
                    key,
                    "stands beside [tenants]; move it into the file of the tenant that it belongs to",
                );
            }
        }
        file.tenants.iter().filter_map(|(id, entry)| self.tenant_file(id, entry)).collect()
    }

    fn tenant_file(&mut self, id: &str, entry: &TenantEntry) -> Option<Entry> {
        let key = format!("tenants.{id}");
        let tenant = match id.parse::<Tenant>() {
            Ok(tenant) => tenant,
            Err(fault) => {
                self.fault(key, format!("is {fault}; write another id"));
                return None;
            }
        };
        if entry.name.trim().is_empty() || entry.name.len() > NAME_BYTES_MAX {
            self.fault(format!("{key}.name"), format!("must be 1 to {NAME_BYTES_MAX} bytes"));
        }
        let path = self.folder.join(&entry.file);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                let problem = format!("{} cannot be read: {error}; check the path", path.display());
                self.fault(format!("{key}.file"), problem);
                return None;
            }
        };
        match toml::from_str(&text) {
            Ok(file) => {
                let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
                Some(Entry { tenant, name: entry.name.as_str().into(), folder, file })
            }
            Err(error) => {
                self.fault(
                    format!("{key}.file"),
                    format!("{}: {}", path.display(), form_fault(&text, &error)),
                );
                None
            }
        }
    }

    /// The application in Entra ID, and whose which Entra tenants are.
    fn microsoft(&mut self, file: &File, entries: &[Entry]) -> Option<MicrosoftSettings> {
        let public_url = file.http.public_url.as_deref().and_then(|text| {
            let read = microsoft::public_url(text);
            read.map_err(|problem| self.fault("http.public_url", problem)).ok()
        });
        let tenants: Vec<_> = entries.iter().map(|entry| (&entry.tenant, &entry.file.microsoft)).collect();
        let Some(section) = &file.microsoft else {
            for (tenant, _) in tenants.iter().filter(|(_, own)| !own.entra.is_empty() || own.write_presence) {
                let problem = "has no meaning without the section [microsoft] of the main file; add it there";
                self.fault(format!("tenants.{tenant}: microsoft"), problem);
            }
            return None;
        };
        match MicrosoftSettings::of(section, &tenants, public_url, self.folder) {
            Ok(settings) => Some(settings),
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    /// The trunks that belong to one customer.
    fn owners(&mut self, file: &File) -> BTreeMap<LineName, Tenant> {
        let mut owners = BTreeMap::new();
        for trunk in &file.trunks {
            let Some(id) = &trunk.tenant else { continue };
            match id.parse::<Tenant>() {
                Ok(tenant) if file.tenants.contains_key(id) => {
                    owners.insert(Arc::from(trunk.name.as_str()), tenant);
                }
                _ => self.unknown(format!("trunks.{}.tenant", trunk.name), id, "tenants"),
            }
        }
        owners
    }

    fn tenant(
        &mut self,
        entry: Entry,
        main: &File,
        owners: &BTreeMap<LineName, Tenant>,
        built_in: &BTreeMap<PromptName, Arc<Prompt>>,
    ) -> Option<TenantSettings> {
        let Entry { tenant, name, folder, file } = entry;
        let before = self.faults.len();
        let mut check = Check { folder: &folder, faults: Vec::new() };
        let prompts = check.prompts(&file.prompts, built_in);
        let keep_days = file.personal_data.keep_days.unwrap_or(main.personal_data.keep_days);
        if file.personal_data.keep_days.is_some() {
            check.keep_days("personal_data.keep_days", keep_days);
        }
        let mut document = Document {
            agents: file.agents,
            queues: file.queues,
            numbers: file.numbers,
            flows: file.flows,
            offers: file.offers,
            capacity: file.capacity,
            presence: file.presence,
            limits: file.limits,
        };
        check.flow_files(&mut document);
        let lines: BTreeSet<LineName> = main
            .trunks
            .iter()
            .map(|trunk| Arc::from(trunk.name.as_str()))
            .filter(|line| owners.get(line).is_none_or(|owner| *owner == tenant))
            .collect();
        let known = Known {
            // A prompt whose file is at fault is told once, not wherever it is named.
            prompts: prompts
                .keys()
                .cloned()
                .chain(file.prompts.keys().map(|name| Arc::from(name.as_str())))
                .collect(),
            lines: lines.clone(),
        };
        let center = Config::new(document, &known);
        if let Err(faults) = &center {
            // Files of flows are read here, and what is wrong with them has been told.
            let others = faults.0.iter().filter(|f| !matches!(f.problem, Problem::FileNotRead(_)));
            check.faults.extend(others.map(|fault| Fault {
                problem: format!("{}; {}", fault.problem, fault.problem.remedy()),
                key: fault.key.clone(),
            }));
        }
        let alone = tenant == Tenant::only();
        self.faults.extend(check.faults.into_iter().map(|fault| match alone {
            true => fault,
            false => Fault { key: format!("tenants.{tenant}: {}", fault.key), ..fault },
        }));
        let center = center.ok().filter(|_| self.faults.len() == before)?;
        let center = Arc::new(center.salted(salt(&tenant)));
        Some(TenantSettings { tenant, name, prompts, lines, keep_days, center })
    }

    /// Reads in the flows that stand in files of their own.
    fn flow_files(&mut self, document: &mut Document) {
        for (id, file) in document.flow_files() {
            // With steps beside it the file is one too many, which is told when the flow is compiled.
            let alone = |flow: &FlowDocument| flow.start.is_none() && flow.steps.is_empty();
            if !document.flows.get(&id).is_some_and(alone) {
                continue;
            }
            let key = format!("flows.{id}.file");
            let path = self.folder.join(&*file);
            match std::fs::read_to_string(&path) {
                Err(error) => {
                    let problem = format!("{} cannot be read: {error}; check the path", path.display());
                    self.fault(key, problem);
                }
                Ok(text) => {
                    if let Err(error) = document.read_flow(&id, &text) {
                        self.fault(key, format!("{}: {}", path.display(), form_fault(&text, &error)));
                    }
                }
            }
        }
    }

    fn unknown(&mut self, key: String, name: &str, list: &str) {
        self.fault(
            key,
            format!("names {name:?}, which is not among [[{list}]]; add it there or name another"),
        );
    }
}

/// A number of the tenant's own, so that ids drawn for one tenant are not drawn for another (FNV-1a). Nothing for a tenant
/// who is alone.
fn salt(tenant: &Tenant) -> u64 {
    if *tenant == Tenant::only() {
        return 0;
    }
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    tenant.as_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// What is wrong with the form of a text, at the key on whose line it was found.
fn form_fault(text: &str, error: &toml::de::Error) -> Fault {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let end = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| start + length);
    let mut until = text.get(..end).unwrap_or(text).lines().rev();
    let line = until.next().unwrap_or_default();
    let number = until.clone().count() + 1;
    let table = |line: &str| Some(line.trim().strip_prefix('[')?.trim_matches(['[', ']']).to_owned());
    let own = line.split_once('=').map(|(key, _)| key.trim().to_owned());
    let key = match (table(line), until.find_map(table), own) {
        (Some(table), _, _) | (None, Some(table), None) => format!("{table} (line {number})"),
        (None, Some(table), Some(key)) => format!("{table}.{key} (line {number})"),
        (None, None, Some(key)) => format!("{key} (line {number})"),
        (None, None, None) => format!("line {number}"),
    };
    let problem = format!("{}; docs/configuration.md says what every key takes", error.message().trim_end());
    Fault { key, problem }
}

fn peer_names(trunk: &TrunkFile) -> Vec<Box<str>> {
    match (&trunk.peer_names, trunk.profile) {
        (Some(names), _) => names.iter().map(|name| name.as_str().into()).collect(),
        (None, ProfileFile::DirectRouting) => vec![MICROSOFT_NAME.into()],
        (None, ProfileFile::Carrier) => Vec::new(),
    }
}

/// A DNS name: labels of letters, digits and dashes.
fn is_name(text: &str) -> bool {
    text.parse::<IpAddr>().is_err()
        && text.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        })
}

/// `host`, `host:port`, `1.2.3.4:port`, `[::1]:port`, `::1`.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<IpAddr>().ok()?;
        return match rest {
            "" => Some((host, None)),
            _ => Some((host, Some(rest.strip_prefix(':')?.parse().ok()?))),
        };
    }
    if text.parse::<IpAddr>().is_ok() {
        return Some((text, None));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (text, None),
    };
    (host.parse::<IpAddr>().is_ok() || is_name(host)).then_some((host, port))
}
