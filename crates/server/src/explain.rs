//! `tandem explain`: why an agent was rung, or why somebody waits, read from the journal. The program may be running or
//! not.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tandem_center::explain::{self, Explanation, explain};
use tandem_center::fact::{Fact, FactKind};
use tandem_center::id::InteractionId;
use tandem_store::{InteractionKey, Look, Tenant};

use crate::config::file::File;
use crate::record;
use crate::restore::{self, Before};

/// Explains an offer of an interaction; without its number, why the customer waits now, or the last offer.
///
/// # Errors
///
/// The configuration or the journal cannot be read, or there is no such interaction or offer.
pub fn run(config: &Path, tenant: Option<Tenant>, interaction: u64, offer: Option<u64>) -> Result<()> {
    let name = || config.display().to_string();
    let text = std::fs::read_to_string(config).with_context(name)?;
    // Only where the journal is matters here: certificates and sounds need not be on this machine.
    let file: File = toml::from_str(&text).with_context(name)?;
    let folder = config.parent().unwrap_or(Path::new("."));
    let keys = file.personal_data.keys.map(|keys| folder.join(keys));
    let tenant = match (tenant, file.tenants.is_empty()) {
        (Some(tenant), _) => tenant,
        (None, true) => Tenant::only(),
        (None, false) => bail!(
            "there are several tenants; say whose interaction it is with --tenant, one of {}",
            file.tenants.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
        ),
    };
    print!("{}", tell(&folder.join(file.data), keys.as_deref(), &tenant, interaction, offer)?);
    Ok(())
}

/// The explanation as text, from the journal in a folder.
///
/// # Errors
///
/// The journal cannot be read, or there is no such interaction or offer.
pub fn tell(
    folder: &Path,
    keys: Option<&Path>,
    tenant: &Tenant,
    interaction: u64,
    offer: Option<u64>,
) -> Result<String> {
    let id = InteractionId(interaction);
    let look = Look::open(&restore::journal_file(folder), keys)
        .map_err(|fault| anyhow::anyhow!("{fault}; {}", fault.remedy()))?;
    let story = look
        .story(tenant, InteractionKey(interaction))
        .map_err(|fault| anyhow::anyhow!("{fault}; {}", fault.remedy()))?;
    if story.records.is_empty() {
        bail!(
            "there is no interaction {interaction} in the journal; its id is the number in the address of its page"
        );
    }
    let facts: Vec<Fact> = story.records.iter().map(record::read).collect::<Result<_, _>>()?;
    let is_offer = |fact: &&Fact| matches!(fact.kind, FactKind::Offered { .. });
    let offers: Vec<u64> = facts.iter().filter(is_offer).map(|fact| fact.number).collect();
    if let Some(offer) = offer {
        if !offers.contains(&offer) {
            bail!(
                "fact {offer} is no offer of interaction {interaction}; its offers are {}",
                listed(&offers)
            );
        }
        return explain_offer(&look, tenant, id, offer, &offers);
    }
    let over = facts.last().is_some_and(|fact| matches!(fact.kind, FactKind::Closed { .. }));
    if !over {
        let view = restore::fold(&look, tenant, u64::MAX)?.view;
        if let Some(explanation) = explain(&view, view.at, id) {
            let heading = format!("Interaction {id} at fact {}, the last in the journal", view.live.number);
            return Ok(written(&heading, &explanation, &offers));
        }
    }
    match offers.last() {
        Some(last) => explain_offer(&look, tenant, id, *last, &offers),
        None => bail!("interaction {interaction} does not wait, and was never offered to an agent"),
    }
}

fn explain_offer(
    look: &Look,
    tenant: &Tenant,
    id: InteractionId,
    offer: u64,
    offers: &[u64],
) -> Result<String> {
    let Before { view, fact } = restore::fold(look, tenant, offer)?;
    let name = match fact.as_ref().map(|fact: &Arc<Fact>| &fact.kind) {
        Some(FactKind::Offered { agent_name, .. }) => agent_name.clone(),
        _ => bail!("fact {offer} cannot be read any more"),
    };
    match fact.and_then(|fact| explain::explain_offer(&view, &fact)) {
        Some(explanation) => {
            Ok(written(&format!("Interaction {id}, offered to {name} (fact {offer})"), &explanation, offers))
        }
        None => bail!("interaction {id} was in no queue of the configuration at fact {offer}"),
    }
}

fn written(heading: &str, explanation: &Explanation, offers: &[u64]) -> String {
    let mut text = format!("{heading}\n");
    for sentence in explanation.sentences() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {sentence}");
    }
    if !offers.is_empty() {
        let _ = writeln!(text, "Offers of this interaction: {}", listed(offers));
    }
    text
}

fn listed(offers: &[u64]) -> String {
    match offers {
        [] => "none".to_owned(),
        offers => offers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
