//! What of a configuration stands while the program runs: the part that is read at the start and never again.
//!
//! Everything else may be brought into force without a call being lost; see [`reload`](crate::reload).

use std::collections::BTreeMap;
use std::path::PathBuf;

use tandem_store::Tenant;

use crate::config::file::{
    DnsFile, File, HttpFile, InterfaceFile, LogFile, MediaFile, MicrosoftFile, RelayFile, SignInFile,
    SipFile, TenantMicrosoftFile, TrunkFile, WebhooksFile,
};

/// The part of a configuration that takes a restart to change.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    data: PathBuf,
    keys: Option<PathBuf>,
    http: HttpFile,
    sign_in: SignInFile,
    microsoft: Option<MicrosoftFile>,
    log: LogFile,
    dns: DnsFile,
    webhooks: WebhooksFile,
    sip: SipFile,
    relay: RelayFile,
    interfaces: Vec<InterfaceFile>,
    media: Vec<MediaFile>,
    trunks: Vec<TrunkFile>,
    /// What is each tenant's own of Microsoft.
    tenants: BTreeMap<Tenant, TenantMicrosoftFile>,
}

impl Standing {
    /// What stands of a file and of those of its tenants.
    pub(super) fn of<'a>(
        file: &File,
        tenants: impl Iterator<Item = (&'a Tenant, &'a TenantMicrosoftFile)>,
    ) -> Standing {
        Standing {
            data: file.data.clone(),
            keys: file.personal_data.keys.clone(),
            http: file.http.clone(),
            sign_in: file.sign_in.clone(),
            microsoft: file.microsoft.clone(),
            log: file.log.clone(),
            dns: file.dns.clone(),
            webhooks: file.webhooks.clone(),
            sip: file.sip.clone(),
            relay: file.relay.clone(),
            interfaces: file.interfaces.clone(),
            media: file.media.clone(),
            trunks: file.trunks.clone(),
            tenants: tenants.map(|(tenant, own)| (tenant.clone(), own.clone())).collect(),
        }
    }

    /// The keys at which `wanted` differs from this, which runs, in what takes a restart. Further tenants and further
    /// trunks behind the others are no difference.
    pub fn differences(&self, wanted: &Standing) -> Vec<String> {
        let mut keys: Vec<String> = [
            ("data", self.data == wanted.data),
            ("personal_data.keys", self.keys == wanted.keys),
            ("http", self.http == wanted.http),
            ("sign_in", self.sign_in == wanted.sign_in),
            ("microsoft", self.microsoft == wanted.microsoft),
            ("log", self.log == wanted.log),
            ("dns", self.dns == wanted.dns),
            ("webhooks", self.webhooks == wanted.webhooks),
            ("sip", self.sip == wanted.sip),
            ("relay", self.relay == wanted.relay),
            ("interfaces", self.interfaces == wanted.interfaces),
            ("media", self.media == wanted.media),
        ]
        .into_iter()
        .filter(|(_, same)| !same)
        .map(|(key, _)| key.to_owned())
        .collect();
        self.trunk_differences(wanted, &mut keys);
        self.tenant_differences(wanted, &mut keys);
        keys
    }

    fn trunk_differences(&self, wanted: &Standing, keys: &mut Vec<String>) {
        for (place, trunk) in self.trunks.iter().enumerate() {
            // The order counts: of two trunks that a call may have come over, it came over the first.
            if wanted.trunks.get(place) != Some(trunk) {
                keys.push(format!("trunks.{}", trunk.name));
            }
        }
    }

    fn tenant_differences(&self, wanted: &Standing, keys: &mut Vec<String>) {
        let alone = Tenant::only();
        for (tenant, own) in &self.tenants {
            match wanted.tenants.get(tenant) {
                Some(same) if same == own => {}
                // Of one who is alone it stands in the section of all, which was told.
                Some(_) if *tenant == alone => {}
                Some(_) => keys.push(format!("tenants.{tenant}: microsoft")),
                // One who was alone has become one of several.
                None if *tenant == alone => keys.push("tenants".to_owned()),
                None => keys.push(format!("tenants.{tenant}")),
            }
        }
    }
}
