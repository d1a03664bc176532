//! `tandem check` for Microsoft 365: the steps of its page in the documentation, each with what is there and what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tandem_microsoft::entra::cloud::Authority;
use tandem_microsoft::entra::credential::Credential;
use tandem_microsoft::entra::discovery;
use tandem_microsoft::entra::permission::{self, Granted, NEEDED, Permission, PermissionKind, Standing};
use tandem_microsoft::entra::refusal::Refusal;
use tandem_microsoft::graph::call::Endpoint;
use tandem_microsoft::graph::permissions::in_token;
use tandem_microsoft::http::Request;
use tandem_microsoft::id::EntraTenantId;
use tandem_people::person::Identity as KnownAs;
use tandem_people::scope::Scope;
use tandem_store::register::RegisterLook;
use tandem_store::{PAGE_MAX, Tenant};

use super::{EXPIRY_WARNING, Report};
use crate::config::Settings;
use crate::identity::{self, REGISTER_FILE};
use crate::microsoft::connection::Kept;
use crate::microsoft::entra::{Entra, unix_now};
use crate::microsoft::grants;
use crate::microsoft::graph::Graph;
use crate::microsoft::settings::{MicrosoftSettings, Proof};
use crate::outbound::{Outbound, OutboundFault, OutboundSettings};
use crate::transport::resolve::Resolver;

/// What is to be asked of Microsoft.
#[derive(Debug)]
pub struct Asking {
    settings: Arc<MicrosoftSettings>,
    /// The Entra tenants of the configuration and of the register, and whose each is.
    owners: BTreeMap<EntraTenantId, Tenant>,
}

/// What this machine knows by itself: where it is reached, its proof, its connections and its people. Nothing is
/// written, and the program may run meanwhile. `None` without `[microsoft]`.
pub fn here(settings: &Settings, report: &mut Report) -> Option<Asking> {
    let own = settings.microsoft.as_ref()?;
    address(own, report);
    proof(own, report);
    let file = settings.data.join(REGISTER_FILE);
    let register = if file.exists() { RegisterLook::open(&file).map(Some) } else { Ok(None) };
    let register = register.unwrap_or_else(|fault| {
        report.fault(format!("{fault}; {}", fault.remedy()));
        None
    });
    let mut owners = BTreeMap::new();
    for tenant in settings.tenants.iter().map(|tenant| &tenant.tenant) {
        let connected = connections(own, tenant, register.as_ref(), report);
        if !connected.is_empty() {
            agents(settings, tenant, register.as_ref(), report);
        }
        owners.extend(connected.into_iter().map(|tid| (tid, tenant.clone())));
    }
    if owners.is_empty() {
        report.warn("microsoft: no Entra tenant is connected; open Tenants, Connect Microsoft 365");
    }
    Some(Asking { settings: Arc::new(own.clone()), owners })
}

/// What Microsoft says: whether it is reached, gives tokens for each Entra tenant, and what each has permitted.
pub async fn there(asking: &Asking, settings: &Settings, report: &mut Report) {
    let own = &asking.settings;
    let resolver = match Resolver::new(&settings.dns.servers) {
        Ok(resolver) => resolver,
        Err(fault) => return report.fault(fault.to_string()),
    };
    let outbound = match Outbound::new(&OutboundSettings::microsoft(own.trust.clone()), resolver) {
        Ok(outbound) => outbound,
        Err(fault) => return report.fault(format!("microsoft: {fault}; check microsoft.trust")),
    };
    let endpoint = match Endpoint::new(&own.cloud.graph.to_string()) {
        Ok(endpoint) => endpoint,
        Err(fault) => return report.fault(format!("microsoft.graph: {fault}")),
    };
    graph_answers(own, &outbound, report).await;
    if !entra_answers(own, &outbound, report).await {
        return;
    }
    let entra = match Entra::new(Arc::clone(own), outbound.clone()) {
        Ok(entra) => Arc::new(entra),
        Err(fault) => return report.fault(format!("the system gives no randomness: {fault}")),
    };
    for (tid, tenant) in &asking.owners {
        let name = format!("Entra tenant {tid} of {tenant}");
        let token = match entra.app_token(*tid).await {
            Ok(token) => token,
            Err(refusal) => {
                report.fault(format!("{name}: {}", refused(&refusal)));
                continue;
            }
        };
        report.good(format!("{name}: gives tokens"));
        let graph = Graph::new(*tid, own, Arc::clone(&entra), endpoint.clone(), outbound.clone());
        let told = in_token(&token);
        match grants::read(&graph, own.client, &told).await {
            Ok(Some(exact)) => permissions(&name, &exact, true, report),
            Ok(None) => permissions(&name, &told, false, report),
            Err(fault) => {
                report.warn(format!(
                    "{name}: what is granted cannot be read from its directory ({}); the token is believed",
                    fault.stable_code()
                ));
                permissions(&name, &told, false, report);
            }
        }
    }
}

/// Where browsers, Teams and notifications come in.
fn address(own: &MicrosoftSettings, report: &mut Report) {
    let Some(public) = &own.public_url else {
        return report.warn(
            "http.public_url is missing: people sign in only on this machine, and Microsoft cannot notify; presence is \
             asked for instead",
        );
    };
    if public.is_secure() {
        report.good(format!("{public} is where Microsoft sends people and notifications"));
    } else {
        report.warn(format!(
            "http.public_url {public} is this machine: Microsoft cannot notify, and presence is asked for instead; \
             give an address with https://"
        ));
    }
    let host = public.to_string();
    let host = host.split_once("://").map_or("", |(_, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|octet| octet.is_ascii_digit()) { name } else { host }
    });
    if !own.app_id_uri.starts_with(&format!("api://{host}/")) {
        report.warn(format!(
            "microsoft.app_id_uri {} does not name the host {host}: Teams gives no token; expose the API as \
             api://{host}/{}",
            own.app_id_uri, own.client
        ));
    }
}

/// What proves that it is we who ask, and until when.
fn proof(own: &MicrosoftSettings, report: &mut Report) {
    let certificate = match own.proof.credential() {
        Ok(Credential::Certificate(certificate)) => certificate,
        Ok(Credential::Secret(_)) => {
            return report.warn(
                "microsoft.secret_file: a secret expires on a day that only the app registration tells; a certificate is \
                 better",
            );
        }
        Ok(Credential::Federated(_)) => return report.good("microsoft.federated_token_file can be read"),
        Err(error) => {
            let path = match &own.proof {
                Proof::FederatedFile(path) => path.display().to_string(),
                Proof::Fixed(_) => String::new(),
            };
            return report.fault(format!(
                "microsoft.federated_token_file: {path}: {error}; check the path and its rights"
            ));
        }
    };
    let left = certificate.expires().since(unix_now());
    let days = left.as_secs() / 86_400;
    if left.is_zero() {
        report.fault(
            "microsoft.certificate has expired; make a new one, and upload it to the app registration",
        );
    } else if left < EXPIRY_WARNING {
        report.warn(format!(
            "microsoft.certificate expires in {days} days; upload its successor to the app registration soon"
        ));
    } else {
        report.good(format!("microsoft.certificate is valid for {days} days"));
    }
}

/// The Entra tenants of a tenant.
fn connections(
    own: &MicrosoftSettings,
    tenant: &Tenant,
    register: Option<&RegisterLook>,
    report: &mut Report,
) -> BTreeSet<EntraTenantId> {
    let mut connected = own.tenants.get(tenant).map(|own| own.entra.clone()).unwrap_or_default();
    match register.map(|register| register.entra_tenants(tenant)) {
        Some(Ok(rows)) => connected.extend(rows.iter().filter_map(Kept::read).map(|(tid, _)| tid)),
        Some(Err(fault)) => report.fault(format!("{fault}; {}", fault.remedy())),
        None => {}
    }
    connected
}

/// Agents whose presence nobody can know, since nobody in Entra is linked to them.
fn agents(settings: &Settings, tenant: &Tenant, register: Option<&RegisterLook>, report: &mut Report) {
    let scope = Scope::tenant(tenant.as_str());
    let configured = settings.identity.people.iter().filter(|person| person.scope == scope);
    let mut linked: BTreeSet<Arc<str>> = configured
        .filter(|person| person.entra.is_some())
        .filter_map(|person| person.agent.clone())
        .collect();
    if let Some(register) = register {
        match kept_agents(register, tenant) {
            Ok(kept) => linked.extend(kept),
            Err(fault) => return report.fault(fault),
        }
    }
    let agents = settings.identity.tenants.get(tenant).map(|own| &own.agents);
    let alone: Vec<&str> =
        agents.into_iter().flatten().filter(|agent| !linked.contains(*agent)).map(|agent| &**agent).collect();
    if alone.is_empty() {
        return report.good(format!("every agent of {tenant} is linked to a person in Entra"));
    }
    let named = alone.get(..AGENTS_NAMED).unwrap_or(&alone).join(", ");
    let more = alone.len().saturating_sub(AGENTS_NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    report.warn(format!(
        "agents of {tenant} without a person in Entra, so without presence: {named}{more}; link them in People, or in \
         [[people]]"
    ));
}

/// The agents of the people in the register who are known in Entra.
fn kept_agents(register: &RegisterLook, tenant: &Tenant) -> Result<BTreeSet<Arc<str>>, String> {
    let mut agents = BTreeSet::new();
    let mut after: Option<String> = None;
    loop {
        let page = register
            .people(tenant, after.as_deref(), PAGE_MAX)
            .map_err(|fault| format!("{fault}; {}", fault.remedy()))?;
        let Some(last) = page.last() else { return Ok(agents) };
        after = Some(last.id.clone());
        for row in page.iter().filter(|row| row.enabled) {
            let Some(person) = identity::kept_person(row).map_err(|fault| fault.to_string())? else {
                continue;
            };
            let in_entra = person.identities.iter().any(|known| matches!(known, KnownAs::Entra { .. }));
            agents.extend(person.agent.filter(|_| in_entra));
        }
    }
}

/// Whether Graph's host can be reached; what it says to a stranger is no matter.
async fn graph_answers(own: &MicrosoftSettings, outbound: &Outbound, report: &mut Report) {
    let graph = &own.cloud.graph;
    match outbound.send(Request::get(format!("{graph}/v1.0/"))).await {
        Ok(_) | Err(OutboundFault::TooLong(_)) => report.good(format!("{graph} answers")),
        Err(fault) => report.fault(format!("{graph}: {fault}; {}", remedy(&fault))),
    }
}

/// Whether Entra ID can be reached, and speaks for the configured cloud.
async fn entra_answers(own: &MicrosoftSettings, outbound: &Outbound, report: &mut Report) -> bool {
    let (login, authority) = (&own.cloud.login, Authority::Organizations);
    let answer = match outbound.send(discovery::request(&own.cloud, authority)).await {
        Ok(answer) => answer,
        Err(fault) => {
            report.fault(format!("{login}: {fault}; {}", remedy(&fault)));
            return false;
        }
    };
    match discovery::answer(&own.cloud, authority, &answer) {
        Ok(_) => report.good(format!("{login} answers")),
        Err(fault) => report.fault(format!("{login}: {fault}; {}", fault.remedy())),
    }
    true
}

fn remedy(fault: &OutboundFault) -> &'static str {
    match fault {
        OutboundFault::Address(_) | OutboundFault::Header(_) => "check the address in [microsoft]",
        OutboundFault::Name(_) => "check the name and dns.servers",
        OutboundFault::Tls(_) => "check that its certificate chains to a root in microsoft.trust",
        OutboundFault::Connect(_) | OutboundFault::TooSlow(_) => "check the firewall",
        OutboundFault::TooLong(_) | OutboundFault::Broken(_) => "check that no proxy answers instead",
    }
}

/// What Entra ID says itself, if it says something, and what helps.
fn refused(refusal: &Refusal) -> String {
    let said = if refusal.description.is_empty() { refusal.to_string() } else { refusal.description.clone() };
    format!("{said} {}", refusal.reason.remedy())
}

/// Each permission that Tandem uses. What people may do through us is known only if it was read from the directory.
fn permissions(name: &str, granted: &Granted, knows_delegated: bool, report: &mut Report) {
    for compared in permission::compare(granted, NEEDED) {
        let Permission { name: permission, kind, why, without, .. } = compared.permission;
        let delegated = kind == PermissionKind::Delegated;
        if delegated && !knows_delegated {
            continue;
        }
        let kind = if delegated { "delegated" } else { "application" };
        let subject = format!("{name}: {permission} ({kind})");
        match (compared.standing, without) {
            (Standing::Granted, _) => report.good(format!("{subject} is granted")),
            (Standing::CoveredBy(other), _) => report.good(format!("{subject} is included in {other}")),
            (Standing::Missing, Some(lost)) => report.warn(format!("{subject} is missing. {lost} {AGAIN}")),
            // Where an administrator has not consented for everyone, each person can.
            (Standing::Missing, None) if delegated => {
                report.warn(format!("{subject} is missing: each person is asked for it. {why} {AGAIN}"));
            }
            (Standing::Missing, None) => report.fault(format!("{subject} is missing. {why} {AGAIN}")),
        }
    }
    let beyond: Vec<String> = granted.beyond(NEEDED).into_iter().map(|(_, name)| name).collect();
    if !beyond.is_empty() {
        let named = beyond.get(..PERMISSIONS_NAMED).unwrap_or(&beyond).join(", ");
        report.warn(format!("{name}: granted, but not needed, and can be taken back: {named}"));
    }
}

/// What helps where a permission is missing.
const AGAIN: &str = "Add it to the app registration, and let the customer's administrator consent again: Tenants, Connect \
                     Microsoft 365.";
/// Agents that one line names; the others are counted.
const AGENTS_NAMED: usize = 20;
/// Permissions that one line names; whoever has more sees them in the Entra admin center.
const PERMISSIONS_NAMED: usize = 50;
