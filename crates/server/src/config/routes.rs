//! Whose a call is: by the trunk it comes over, and on a trunk of several customers by the number dialled.

use std::collections::BTreeMap;

use tandem_center::call::{Address, LineName};
use tandem_store::Tenant;

use crate::config::settings::TenantSettings;
use crate::timeline;

/// From lines and numbers to tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    /// Whose everything is, where there is only one.
    alone: Option<Tenant>,
    lines: BTreeMap<LineName, Tenant>,
    numbers: BTreeMap<(Option<LineName>, Option<Address>), Tenant>,
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
        let alone = match tenants {
            [only] => Some(only.tenant.clone()),
            _ => None,
        };
        let mut routes = Routes { alone, lines: owners.clone(), ..Routes::default() };
        let mut clashes = Vec::new();
        for settings in tenants {
            for (line, number) in settings.center.numbers() {
                let shared = |line: &LineName| !owners.contains_key(line);
                // What holds for a tenant's own lines is found by the line.
                if !line.map_or_else(|| settings.lines.iter().any(shared), shared) {
                    continue;
                }
                let key = (line.cloned(), number.cloned());
                if let Some(other) = routes.numbers.insert(key, settings.tenant.clone()) {
                    let number = number.map_or_else(|| "*".to_owned(), timeline::address);
                    let tenants = [other, settings.tenant.clone()];
                    clashes.push(Clash { number, tenants });
                }
            }
        }
        if clashes.is_empty() { Ok(routes) } else { Err(clashes) }
    }

    /// Whose a call to this number over this line is; `None`: nobody's. As in one tenant's configuration, the exact number
    /// comes before any, and this line before any.
    pub fn tenant(&self, line: &LineName, dialled: &Address) -> Option<&Tenant> {
        if let Some(owner) = self.alone.as_ref().or_else(|| self.lines.get(line)) {
            return Some(owner);
        }
        let (line, number) = (Some(line.clone()), Some(dialled.clone()));
        [(line.clone(), number.clone()), (None, number), (line, None), (None, None)]
            .iter()
            .find_map(|key| self.numbers.get(key))
    }
}
