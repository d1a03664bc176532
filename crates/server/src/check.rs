//! `tandem check`: every fault of a configuration, its certificates, names, trunks and Microsoft 365, with the remedy,
//! before a call finds it.

pub mod microsoft;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use tandem_b2bua::trunk::Trunk;
use tandem_sip::flow::{Hop, Transport};
use tandem_store::Keys;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::api;
use crate::config::Settings;
use crate::config::settings::Interface;
use crate::restore;
use crate::transport::connections::probe;
use crate::transport::resolve::Resolver;
use crate::transport::tls;

/// A certificate that ends within this time is warned about, as Microsoft's admin center does.
const EXPIRY_WARNING: Duration = Duration::from_secs(30 * 24 * 3600);
/// Keys shorter than this are refused by Microsoft in practice.
const RSA_BITS_MIN: usize = 2048;

/// What was found, line by line.
#[derive(Debug, Default)]
pub struct Report {
    good: Vec<String>,
    warnings: Vec<String>,
    faults: Vec<String>,
}

impl Report {
    fn good(&mut self, text: impl Into<String>) {
        self.good.push(text.into());
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    fn fault(&mut self, text: impl Into<String>) {
        self.faults.push(text.into());
    }

    /// Whether calls can be taken with it.
    pub fn passes(&self) -> bool {
        self.faults.is_empty()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (mark, lines) in [("ok   ", &self.good), ("warn ", &self.warnings), ("FAULT", &self.faults)] {
            for line in lines {
                writeln!(f, "{mark} {line}")?;
            }
        }
        write!(f, "{} faults, {} warnings", self.faults.len(), self.warnings.len())
    }
}

/// Checks a file and prints the report. An error if anything is at fault.
pub fn run(path: &Path, offline: bool) -> Result<()> {
    let settings = match Settings::load(path) {
        Ok(settings) => settings,
        Err(faults) => {
            let lines: Vec<String> = faults.0.iter().map(|fault| format!("FAULT {fault}")).collect();
            bail!("{} cannot be used:\n{}", path.display(), lines.join("\n"));
        }
    };
    let mut report = Report::default();
    report.good(format!("{} is complete and consistent", path.display()));
    for fault in settings.unfit_here() {
        report.fault(fault.to_string());
    }
    if let Err(fault) = api::listen::protection(&settings.http) {
        report.fault(fault.to_string());
    }
    media_ports(&settings, &mut report);
    keys(&settings, &mut report);
    certificates(&settings, &mut report);
    let microsoft = microsoft::here(&settings, &mut report);
    if !offline {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            networks(&settings, &mut report).await;
            if let Some(microsoft) = microsoft {
                microsoft::there(&microsoft, &settings, &mut report).await;
            }
        });
    }
    println!("{report}");
    if report.passes() { Ok(()) } else { bail!("the configuration has faults") }
}

/// Whether the media ports carry all calls that the limits allow together.
pub fn media_ports(settings: &Settings, report: &mut Report) {
    if let Some(short) = settings.ports_short() {
        report.warn(short.to_string());
    }
}

/// The master keys of personal data in the journal.
pub fn keys(settings: &Settings, report: &mut Report) {
    let keys = settings.personal_data.keys.as_deref();
    let journal = restore::journal_file(&settings.data);
    match tandem_store::examine(&journal, keys) {
        Ok(Keys::Complete) => report.good("the keys of personal data are there and for nobody else to read"),
        Ok(Keys::ToBeMade) => report.good("the key of personal data will be made at the first start"),
        Ok(Keys::Lost { interactions }) => {
            let lost = restore::keys_lost(&settings.data, keys);
            report.fault(format!("{interactions} interactions: {lost}"));
        }
        Err(fault) => report.fault(format!("{fault}; {}", fault.remedy())),
    }
}

/// Our own certificates, against what Microsoft asks of them ("Plan Direct Routing", certificates).
pub fn certificates(settings: &Settings, report: &mut Report) {
    for interface in &settings.interfaces {
        for path in &interface.certificates {
            let trunks: Vec<&Trunk> = trunks_on(settings, interface).collect();
            if let Err(error) = certificate(path, &trunks, report) {
                report.fault(format!("{}: {error}", path.display()));
            }
        }
    }
}

fn trunks_on<'a>(settings: &'a Settings, interface: &Interface) -> impl Iterator<Item = &'a Trunk> {
    let place = settings.interfaces.iter().position(|other| other.name == interface.name);
    settings.trunks.iter().filter(move |trunk| Some(usize::from(trunk.interface.0)) == place)
}

fn certificate(path: &Path, trunks: &[&Trunk], report: &mut Report) -> Result<()> {
    let shown = path.display();
    let chain = tls::certificates(path)?;
    let Some(first) = chain.first() else { bail!("holds no certificate") };
    let (_, parsed) = X509Certificate::from_der(first)?;
    let names = tls::names_of(first);
    for trunk in trunks {
        if !names.iter().any(|name| tls::covers(name, &trunk.host)) {
            report.fault(format!(
                "{shown}: names {names:?} and none covers {} of trunk {}; a wildcard covers one label only. \
                 Get a certificate with this name in its SAN.",
                trunk.host, trunk.name
            ));
        }
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ends = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
    let starts = u64::try_from(parsed.validity().not_before.timestamp()).unwrap_or(0);
    if ends <= now.as_secs() {
        report.fault(format!("{shown}: has expired; renew it"));
    } else if ends - now.as_secs() < EXPIRY_WARNING.as_secs() {
        let days = (ends - now.as_secs()) / 86_400;
        report.warn(format!("{shown}: expires in {days} days; renew it soon"));
    } else {
        report.good(format!("{shown}: valid for {} days", (ends - now.as_secs()) / 86_400));
    }
    if starts > now.as_secs() {
        report.fault(format!("{shown}: is not valid yet; check the clock of this machine"));
    }
    if let Ok(Some(usage)) = parsed.extended_key_usage() {
        let usage = usage.value;
        if !usage.server_auth && !usage.any {
            report.fault(format!("{shown}: lacks the usage Server Authentication; Microsoft refuses it"));
        } else if !usage.client_auth && !usage.any {
            report.warn(format!(
                "{shown}: lacks the usage Client Authentication. Microsoft accepts that since the end of 2025 and may \
                 ask for it again."
            ));
        }
    }
    if let Ok(x509_parser::public_key::PublicKey::RSA(key)) = parsed.public_key().parsed()
        && key.key_size() < RSA_BITS_MIN
    {
        report.fault(format!("{shown}: its RSA key has {} bits; use 2048 or more", key.key_size()));
    }
    if chain.len() == 1 && parsed.issuer() != parsed.subject() {
        report.warn(format!(
            "{shown}: holds no intermediate certificate. Unless the root signed it directly, append the chain: \
             Microsoft resets connections without it."
        ));
    }
    if parsed.issuer() == parsed.subject() {
        report.warn(format!("{shown}: is self-signed; Microsoft refuses such certificates"));
    }
    Ok(())
}

/// The networks' names, and whether they let us connect.
async fn networks(settings: &Settings, report: &mut Report) {
    let resolver = match Resolver::new(&settings.dns.servers) {
        Ok(resolver) => resolver,
        Err(error) => return report.fault(error.to_string()),
    };
    for trunk in &settings.trunks {
        let Some(interface) = settings.interfaces.get(usize::from(trunk.interface.0)) else { continue };
        for proxy in &trunk.proxies {
            let hop = trunk.hop(proxy);
            report_hop(trunk, &hop, interface, &resolver, report).await;
        }
    }
}

async fn report_hop(
    trunk: &Trunk,
    hop: &Hop,
    interface: &Interface,
    resolver: &Resolver,
    report: &mut Report,
) {
    let name = format!("trunk {}: {}", trunk.name, hop.host);
    let addresses = match resolver.addresses(hop).await {
        Ok(addresses) => addresses,
        Err(error) => {
            return report.fault(format!("{name}: {error}; check the name and dns.servers"));
        }
    };
    if trunk.transport == Transport::Udp {
        return report.good(format!("{name} is {addresses:?}"));
    }
    let Some(first) = addresses.first() else {
        return report.fault(format!("{name}: has no address; check the name"));
    };
    match probe(interface, hop, *first).await {
        Ok(()) => report.good(format!("{name} answers at {first}")),
        Err(error) => report.fault(format!(
            "{name}: {first}: {error}; check the firewall, and that its certificate chains to a root in trust"
        )),
    }
}
