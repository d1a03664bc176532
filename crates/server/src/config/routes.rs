//! Whose a call is: by the trunk it comes over, and on a trunk of several customers by the number dialled.

use std::collections::BTreeMap;

use tandem_center::call::{Address, LineName};
use tandem_store::Tenant;

use crate::config::settings::TenantSettings;
use crate::timeline;

/// From lines and numbers to tenants, by their place in [`Settings::tenants`](super::Settings::tenants).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    /// Everything is of one tenant.
    alone: bool,
    lines: BTreeMap<LineName, usize>,
    numbers: BTreeMap<(Option<LineName>, Option<Address>), usize>,
}

/// Two tenants claim the same number of a trunk that both use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The number as people write it; `*` for any.
    pub number: String,
    /// Who claims it.
    pub tenants: [Tenant; 2],
}

impl Routes {
    /// The routes of these tenants, where some lines are of one tenant each.
    ///
    /// # Errors
    ///
    /// Numbers that two of them claim.
    pub fn of(tenants: &[TenantSettings], owners: &BTreeMap<LineName, Tenant>) -> Result<Routes, Vec<Clash>> {
        let mut routes = Routes { alone: tenants.len() == 1, ..Routes::default() };
        let mut clashes = Vec::new();
        for (place, settings) in tenants.iter().enumerate() {
            let own = owners.iter().filter(|(_, owner)| **owner == settings.tenant);
            routes.lines.extend(own.map(|(line, _)| (line.clone(), place)));
            for (line, number) in settings.center.numbers() {
                let shared = |line: &LineName| !owners.contains_key(line);
                // What holds for a tenant's own lines is found by the line.
                if !line.map_or_else(|| settings.lines.iter().any(shared), shared) {
                    continue;
                }
                let before = routes.numbers.insert((line.cloned(), number.cloned()), place);
                if let Some(other) = before.and_then(|before| tenants.get(before)) {
                    let number = number.map_or_else(|| "*".to_owned(), timeline::address);
                    let tenants = [other.tenant.clone(), settings.tenant.clone()];
                    clashes.push(Clash { number, tenants });
                }
            }
        }
        if clashes.is_empty() { Ok(routes) } else { Err(clashes) }
    }

    /// Whose a call to this number over this line is; `None`: nobody's. As in one tenant's configuration, the exact number
    /// comes before any, and this line before any.
    pub fn tenant(&self, line: &LineName, dialled: &Address) -> Option<usize> {
        if self.alone {
            return Some(0);
        }
        if let Some(owner) = self.lines.get(line) {
            return Some(*owner);
        }
        let (line, number) = (Some(line.clone()), Some(dialled.clone()));
        [(line.clone(), number.clone()), (None, number), (line, None), (None, None)]
            .iter()
            .find_map(|key| self.numbers.get(key))
            .copied()
    }
}
