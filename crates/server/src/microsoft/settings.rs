//! `[microsoft]` of the configuration, checked: the cloud, the application, its proof, and whose the Entra tenants are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tandem_microsoft::entra::cloud::{BaseUrl, Cloud, IssuerTemplate};
use tandem_microsoft::entra::credential::{Credential, SigningCertificate};
use tandem_microsoft::graph::throttle::{Limits, Rate};
use tandem_microsoft::id::{ClientId, EntraTenantId};
use tandem_microsoft::secret::Secret;
use tandem_store::Tenant;
use url::{Host, Url};

use crate::config::Fault;
use crate::config::file::{MicrosoftFile, TenantMicrosoftFile};
use crate::outbound::OutboundSettings;

/// Everything about Microsoft that the configuration says.
#[derive(Clone, Debug)]
pub struct MicrosoftSettings {
    /// The cloud, or the sandbox in its place.
    pub cloud: Cloud,
    /// The application.
    pub client: ClientId,
    /// What proves that it is we who ask.
    pub proof: Proof,
    /// The Application ID URI.
    pub app_id_uri: String,
    /// The roots that Microsoft's hosts are judged by, if not the system's.
    pub trust: Option<PathBuf>,
    /// Where browsers and Graph reach us; `None`: where we listen.
    pub public_url: Option<PublicUrl>,
    /// How often presence is polled.
    pub poll_every: Duration,
    /// How often subscriptions are checked by a poll.
    pub check_every: Duration,
    /// When presence that was not confirmed is called doubtful.
    pub stale_after: Duration,
    /// How often users are followed.
    pub directory_every: Duration,
    /// How often it is looked who the agents are in Entra, whether or not somebody said that it changed.
    pub links_every: Duration,
    /// How long a user who was found by a principal name is taken for the one of that name, before it is asked again.
    pub principals_every: Duration,
    /// How often it is looked whether the certificate for notifications is to be renewed.
    pub keys_every: Duration,
    /// How long an answer is waited for.
    pub patience: Duration,
    /// Graph's limits.
    pub limits: Limits,
    /// What is each tenant's own.
    pub tenants: BTreeMap<Tenant, TenantMicrosoft>,
}

/// What is one tenant's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantMicrosoft {
    /// Its Entra tenants that stand in the configuration.
    pub entra: BTreeSet<EntraTenantId>,
    /// Whether Teams shows that an agent is in a call of ours.
    pub write_presence: bool,
}

/// What proves that it is we who ask.
#[derive(Clone, Debug)]
pub enum Proof {
    /// It does not change while the program runs.
    Fixed(Credential),
    /// A file with a token, read anew each time.
    FederatedFile(PathBuf),
}

/// Where browsers and Graph reach us: scheme, host and port, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl MicrosoftSettings {
    /// Checks the section, with what stands in the tenants' files.
    ///
    /// # Errors
    ///
    /// All faults that there are.
    pub fn of(
        file: &MicrosoftFile,
        tenants: &[(&Tenant, &TenantMicrosoftFile)],
        public_url: Option<PublicUrl>,
        folder: &Path,
    ) -> Result<MicrosoftSettings, Vec<Fault>> {
        let mut faults = Faulty(Vec::new());
        let cloud = faults.cloud(file);
        let client = faults.read("client_id", &file.client_id, "write the application (client) id");
        let proof = faults.proof(file, folder);
        for (key, value, range) in [
            ("poll_s", file.poll_s, 2..=300),
            ("check_s", file.check_s, 10..=3600),
            ("stale_s", file.stale_s, 10..=3600),
            ("directory_s", file.directory_s, 30..=86_400),
            ("presence_per_30_s", file.presence_per_30_s, 1..=100_000),
            ("directory_per_10_s", file.directory_per_10_s, 1..=100_000),
            ("share_percent", file.share_percent.into(), 1..=100),
        ] {
            if !range.contains(&value) {
                faults.fault(key, format!("must be {} to {}", range.start(), range.end()));
            }
        }
        let trust = file.trust.as_ref().map(|path| folder.join(path));
        if let Some(error) = trust.as_ref().and_then(|path| fs::metadata(path).err()) {
            faults.fault("trust", format!("cannot be read: {error}; give a PEM file of roots"));
        }
        let tenants = faults.tenants(tenants);
        let (Some(cloud), Some(client), Some(proof)) = (cloud, client, proof) else { return Err(faults.0) };
        if !faults.0.is_empty() {
            return Err(faults.0);
        }
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Ok(MicrosoftSettings {
            cloud,
            client,
            proof,
            app_id_uri: file.app_id_uri.clone().unwrap_or_else(|| format!("api://{client}")),
            trust,
            public_url,
            poll_every: seconds(file.poll_s),
            check_every: seconds(file.check_s),
            stale_after: seconds(file.stale_s),
            directory_every: seconds(file.directory_s),
            links_every: LINKS_EVERY,
            principals_every: PRINCIPALS_EVERY,
            keys_every: KEYS_EVERY,
            patience: OutboundSettings::microsoft(None).patience,
            limits: Limits {
                presence: Rate { requests: file.presence_per_30_s, per: seconds(30) },
                directory: Rate { requests: file.directory_per_10_s, per: seconds(10) },
                share_percent: file.share_percent,
                ..Limits::default()
            },
            tenants,
        })
    }
}

impl Proof {
    /// The credential as it is now.
    ///
    /// # Errors
    ///
    /// The file of a federated token cannot be read.
    pub fn credential(&self) -> io::Result<Credential> {
        match self {
            Proof::Fixed(credential) => Ok(credential.clone()),
            Proof::FederatedFile(path) => {
                Ok(Credential::Federated(Secret::new(fs::read_to_string(path)?.trim())))
            }
        }
    }
}

impl PublicUrl {
    /// Where a server that listens there is reached from this machine.
    pub fn of_listener(address: std::net::SocketAddr, tls: bool) -> PublicUrl {
        let scheme = if tls { "https" } else { "http" };
        if address.ip().is_loopback() {
            PublicUrl(format!("{scheme}://localhost:{}", address.port()))
        } else {
            PublicUrl(format!("{scheme}://{address}"))
        }
    }

    /// The address of a path there.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether nobody listens in between.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads `http.public_url`.
///
/// # Errors
///
/// What is wrong with it, with the remedy.
pub fn public_url(text: &str) -> Result<PublicUrl, &'static str> {
    const PROBLEM: &str = "is no address without a path; write https://tandem.example.com";
    let url = Url::parse(text).map_err(|_| PROBLEM)?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !bare || !url.username().is_empty() || url.password().is_some() {
        return Err(PROBLEM);
    }
    let host = url.host().ok_or(PROBLEM)?;
    let loopback = is_loopback(&host);
    match url.scheme() {
        "https" => Ok(PublicUrl(url.origin().ascii_serialization())),
        "http" if loopback => Ok(PublicUrl(url.origin().ascii_serialization())),
        _ => Err("must begin with https://, or be on this machine; Microsoft sends no sign-in elsewhere"),
    }
}

/// Whether `http.public_url` names this machine, so that nobody else reaches the program by it.
pub(crate) fn is_on_this_machine(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.host().is_some_and(|host| is_loopback(&host)))
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
    }
}

/// Faults of the section as they are found.
struct Faulty(Vec<Fault>);

impl Faulty {
    fn fault(&mut self, key: &str, problem: impl Into<String>) {
        self.0.push(Fault { key: format!("microsoft.{key}"), problem: problem.into() });
    }

    fn read<T: FromStr>(&mut self, key: &str, text: &str, remedy: &str) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, format!("{text:?} is {error}; {remedy}"));
                None
            }
        }
    }

    fn cloud(&mut self, file: &MicrosoftFile) -> Option<Cloud> {
        let name = file.cloud.as_deref().unwrap_or("public");
        let Some(mut cloud) = Cloud::named(name) else {
            self.fault("cloud", format!("{name:?} is none; write public, us_gov, us_dod or china"));
            return None;
        };
        const REMEDY: &str = "leave it out for Microsoft's own";
        if let Some(text) = &file.login {
            cloud.login = self.read::<BaseUrl>("login", text, REMEDY)?;
        }
        if let Some(text) = &file.issuer {
            cloud.issuer = self.read::<IssuerTemplate>("issuer", text, REMEDY)?;
        }
        if let Some(text) = &file.issuer_v1 {
            cloud.issuer_v1 = self.read::<IssuerTemplate>("issuer_v1", text, REMEDY)?;
        }
        if let Some(text) = &file.graph {
            cloud.graph = self.read::<BaseUrl>("graph", text, REMEDY)?;
        }
        Some(cloud)
    }

    fn proof(&mut self, file: &MicrosoftFile, folder: &Path) -> Option<Proof> {
        const ONE: &str = "give exactly one of secret_file, certificate with key, and federated_token_file";
        match (&file.secret_file, &file.certificate, &file.key, &file.federated_token_file) {
            (Some(path), None, None, None) => {
                let text = self.file("secret_file", &folder.join(path))?;
                let text = String::from_utf8_lossy(&text);
                if text.trim().is_empty() {
                    self.fault("secret_file", "is empty; put the value of a client secret there");
                    return None;
                }
                Some(Proof::Fixed(Credential::Secret(Secret::new(text.trim()))))
            }
            (None, Some(certificate), Some(key), None) => {
                let certificate = self.file("certificate", &folder.join(certificate));
                let key = self.file("key", &folder.join(key));
                match SigningCertificate::from_pem(&certificate?, &key?) {
                    Ok(signing) => Some(Proof::Fixed(Credential::Certificate(signing))),
                    Err(fault) => {
                        self.fault("certificate", format!("{fault}; {}", fault.remedy()));
                        None
                    }
                }
            }
            (None, None, None, Some(path)) => {
                let path = folder.join(path);
                self.file("federated_token_file", &path)?;
                Some(Proof::FederatedFile(path))
            }
            _ => {
                self.fault("secret_file", format!("proves who asks; {ONE}"));
                None
            }
        }
    }

    fn file(&mut self, key: &str, path: &Path) -> Option<Vec<u8>> {
        match fs::read(path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.fault(key, format!("{} cannot be read: {error}; check the path", path.display()));
                None
            }
        }
    }

    fn tenants(&mut self, files: &[(&Tenant, &TenantMicrosoftFile)]) -> BTreeMap<Tenant, TenantMicrosoft> {
        let mut owners: BTreeMap<EntraTenantId, &Tenant> = BTreeMap::new();
        let mut tenants = BTreeMap::new();
        for (tenant, file) in files {
            let mut own = TenantMicrosoft { entra: BTreeSet::new(), write_presence: file.write_presence };
            for text in &file.entra {
                let Some(id) = self.read("entra", text, "write the tenant (directory) id") else { continue };
                own.entra.insert(id);
                if let Some(other) = owners.insert(id, tenant).filter(|other| other != tenant) {
                    let problem = format!(
                        "{id} stands with {other} and with {tenant}; an Entra tenant belongs to one customer"
                    );
                    self.fault("entra", problem);
                }
            }
            tenants.insert((*tenant).clone(), own);
        }
        tenants
    }
}

/// Whoever changes people says so: this is for what nobody said.
const LINKS_EVERY: Duration = Duration::from_secs(300);

/// A principal name changes seldom, and presence of somebody else keeps few calls away within the hour.
const PRINCIPALS_EVERY: Duration = Duration::from_secs(60 * 60);

/// A certificate lasts for half a year, so that some hours are no matter.
const KEYS_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> MicrosoftFile {
        toml::from_str(text).unwrap()
    }

    fn faults(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), "s3cret\n").unwrap();
        let tenant = Tenant::only();
        let file = section(text);
        let own = TenantMicrosoftFile { entra: file.entra.clone(), write_presence: file.write_presence };
        match MicrosoftSettings::of(&file, &[(&tenant, &own)], None, folder.path()) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.into_iter().map(|fault| fault.key).collect(),
        }
    }

    #[test]
    fn the_least_is_an_application_and_its_secret() {
        let least = "client_id = \"11111111-2222-4333-8444-555555555555\"\nsecret_file = \"secret\"";
        assert_eq!(faults(least), Vec::<String>::new());
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let told = faults(
            r#"
            client_id = "tandem"
            cloud = "mars"
            poll_s = 1
            share_percent = 0
            entra = ["contoso.com"]
            trust = "nowhere.pem"
            "#,
        );
        for key in ["client_id", "cloud", "poll_s", "share_percent", "entra", "trust", "secret_file"] {
            assert!(told.contains(&format!("microsoft.{key}")), "{key} in {told:?}");
        }
    }

    #[test]
    fn hosts_of_a_simulated_tenant_are_https_or_here() {
        let with = |key: &str, value: &str| {
            faults(&format!(
                "client_id = \"11111111-2222-4333-8444-555555555555\"\nsecret_file = \"secret\"\n{key} = \"{value}\""
            ))
        };
        assert_eq!(with("login", "http://127.0.0.1:8091"), Vec::<String>::new());
        assert_eq!(with("login", "http://login.example.test"), ["microsoft.login"]);
        assert_eq!(with("graph", "graph.example.test"), ["microsoft.graph"]);
        assert_eq!(with("issuer", "https://login.example.test/v2.0"), ["microsoft.issuer"]);
    }

    #[test]
    fn where_people_come_back_to_is_an_address_alone() {
        assert_eq!(
            public_url("https://tandem.example.com/").unwrap().at("/x"),
            "https://tandem.example.com/x"
        );
        assert!(public_url("http://localhost:8080").is_ok());
        for wrong in ["", "tandem.example.com", "http://tandem.example.com", "https://a/b", "https://a@b"] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
