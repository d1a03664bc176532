//! What Tandem asks a customer to permit, each with its reason, and how that compares to what was granted.

use std::collections::BTreeSet;

/// One permission of Microsoft Graph, or of OpenID Connect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Permission {
    /// Its name, as the portal and tokens write it.
    pub name: &'static str,
    /// Whether Tandem has it on its own or as the person who signed in.
    pub kind: PermissionKind,
    /// What Tandem does with it, in words for the customer's administrator.
    pub why: &'static str,
    /// What is lost without it, if it may be missing; `None`: Tandem does not work for the customer.
    pub without: Option<&'static str>,
    /// Permissions that include it.
    pub covered_by: &'static [&'static str],
}

/// On whose behalf a permission is used.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum PermissionKind {
    /// Tandem's own, without a person. An administrator must consent.
    Application,
    /// The signed-in person's: what the person may not do, Tandem may not either.
    Delegated,
}

/// What a tenant has granted, by names of permissions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Granted {
    /// Application permissions: values of the app roles of Graph assigned to us.
    pub application: BTreeSet<String>,
    /// Delegated permissions that an administrator gave for everyone.
    pub delegated: BTreeSet<String>,
}

/// One permission, and whether it is there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Comparison {
    /// The permission.
    pub permission: Permission,
    /// Whether it is there.
    pub standing: Standing,
}

/// Whether a permission is there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It was granted.
    Granted,
    /// It was not, but this one was, which includes it.
    CoveredBy(&'static str),
    /// It is missing.
    Missing,
}

impl Permission {
    /// Whether Tandem works for the customer without it.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.without.is_some()
    }
}

impl Comparison {
    /// Whether the customer's administrator has to consent again before Tandem works.
    #[must_use]
    pub fn is_lacking(&self) -> bool {
        self.standing == Standing::Missing && !self.permission.is_optional()
    }
}

impl Granted {
    /// Whether a permission was granted, itself or by one that includes it.
    #[must_use]
    pub fn standing(&self, permission: &Permission) -> Standing {
        let names = match permission.kind {
            PermissionKind::Application => &self.application,
            PermissionKind::Delegated => &self.delegated,
        };
        if names.contains(permission.name) {
            return Standing::Granted;
        }
        let covering = permission.covered_by.iter().find(|name| names.contains(**name));
        covering.map_or(Standing::Missing, |name| Standing::CoveredBy(name))
    }

    /// What was granted that nothing here needs: the administrator may take it back.
    #[must_use]
    pub fn beyond(&self, needed: &[Permission]) -> Vec<(PermissionKind, String)> {
        let is_needed = |kind: PermissionKind, name: &str| {
            needed.iter().any(|permission| {
                permission.kind == kind
                    && (permission.name == name
                        || (permission.covered_by.contains(&name)
                            && self.standing(permission) != Standing::Granted))
            })
        };
        let application = self.application.iter().map(|name| (PermissionKind::Application, name));
        let delegated = self.delegated.iter().map(|name| (PermissionKind::Delegated, name));
        application
            .chain(delegated)
            .filter(|(kind, name)| !is_needed(*kind, name))
            .map(|(kind, name)| (kind, name.clone()))
            .collect()
    }
}

/// Every needed permission with its standing, in the order of `needed`.
#[must_use]
pub fn compare(granted: &Granted, needed: &[Permission]) -> Vec<Comparison> {
    needed
        .iter()
        .map(|permission| Comparison { permission: *permission, standing: granted.standing(permission) })
        .collect()
}

/// Every permission that Tandem uses.
pub const NEEDED: &[Permission] = &[
    Permission {
        name: "Presence.Read.All",
        kind: PermissionKind::Application,
        why: "Reads who is available, so that nobody in a meeting or a call is offered a customer.",
        without: None,
        covered_by: &["Presence.ReadWrite.All"],
    },
    Permission {
        name: "User.Read.All",
        kind: PermissionKind::Application,
        why: "Keeps the list of people with name, department and skills up to date, to find agents and experts in.",
        without: None,
        covered_by: &["User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
    },
    Permission {
        name: "ProfilePhoto.Read.All",
        kind: PermissionKind::Application,
        why: "Shows the photos of agents and experts.",
        without: Some("Initials are shown instead of photos."),
        covered_by: &["ProfilePhoto.ReadWrite.All", "User.Read.All", "User.ReadBasic.All"],
    },
    Permission {
        name: "Presence.ReadWrite.All",
        kind: PermissionKind::Application,
        why: "Shows in Teams that an agent is in a customer's call or does wrap-up.",
        without: Some("Teams does not show what agents do in Tandem, except calls in Teams itself."),
        covered_by: &[],
    },
    Permission {
        name: "GroupMember.Read.All",
        kind: PermissionKind::Application,
        why: "Reads who is in the groups that stand for roles, where roles come from groups.",
        without: Some("Roles come from app roles, or are assigned in Tandem; groups cannot be used."),
        covered_by: &[
            "GroupMember.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    },
    Permission {
        name: "Application.Read.All",
        kind: PermissionKind::Application,
        why: "Reads which permissions the tenant has granted to Tandem, to show what is missing.",
        without: Some(
            "What is granted is read from Tandem's own token, which tells application permissions only.",
        ),
        covered_by: &["Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
    },
    Permission {
        name: "openid",
        kind: PermissionKind::Delegated,
        why: "Lets people sign in with their Microsoft 365 account.",
        without: None,
        covered_by: &[],
    },
    Permission {
        name: "profile",
        kind: PermissionKind::Delegated,
        why: "Tells the name of the person who signs in.",
        without: None,
        covered_by: &[],
    },
    Permission {
        name: "User.Read",
        kind: PermissionKind::Delegated,
        why: "Reads, when a customer is onboarded, whether the person who signs in administers the tenant.",
        without: None,
        covered_by: &["User.Read.All", "User.ReadWrite", "User.ReadWrite.All"],
    },
    Permission {
        name: "offline_access",
        kind: PermissionKind::Delegated,
        why: "Keeps the account signed in whose subscriptions watch presence.",
        without: Some("Presence is polled every few seconds instead of being told at once."),
        covered_by: &[],
    },
    Permission {
        name: "Presence.Read.All",
        kind: PermissionKind::Delegated,
        why: "Lets that account subscribe to presence; Microsoft permits this to accounts only, not to applications.",
        without: Some("Presence is polled every few seconds instead of being told at once."),
        covered_by: &[],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(application: &[&str], delegated: &[&str]) -> Granted {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Granted { application: set(application), delegated: set(delegated) }
    }

    fn standing(granted: &Granted, name: &str, kind: PermissionKind) -> Standing {
        let of = |row: &&Comparison| row.permission.name == name && row.permission.kind == kind;
        compare(granted, NEEDED).iter().find(of).unwrap().standing.clone()
    }

    #[test]
    fn a_new_customer_lacks_what_is_not_optional() {
        let lacking: Vec<_> = compare(&Granted::default(), NEEDED)
            .iter()
            .filter(|row| row.is_lacking())
            .map(|row| row.permission.name)
            .collect();
        assert_eq!(lacking, ["Presence.Read.All", "User.Read.All", "openid", "profile", "User.Read"]);
    }

    #[test]
    fn a_larger_permission_does() {
        let granted = granted(&["Presence.ReadWrite.All"], &[]);
        assert_eq!(
            standing(&granted, "Presence.Read.All", PermissionKind::Application),
            Standing::CoveredBy("Presence.ReadWrite.All")
        );
        assert_eq!(standing(&granted, "User.Read.All", PermissionKind::Application), Standing::Missing);
    }

    #[test]
    fn what_a_person_granted_is_not_the_application_s() {
        let granted = granted(&[], &["Presence.Read.All"]);
        assert_eq!(standing(&granted, "Presence.Read.All", PermissionKind::Delegated), Standing::Granted);
        assert_eq!(standing(&granted, "Presence.Read.All", PermissionKind::Application), Standing::Missing);
    }

    #[test]
    fn what_is_not_needed_is_told() {
        let granted =
            granted(&["User.Read.All", "Mail.Read", "Directory.Read.All"], &["Chat.Read", "openid"]);
        assert_eq!(
            granted.beyond(NEEDED),
            [
                (PermissionKind::Application, "Mail.Read".to_owned()),
                (PermissionKind::Delegated, "Chat.Read".to_owned())
            ],
            "Directory.Read.All stands for the missing GroupMember.Read.All"
        );
    }

    #[test]
    fn every_permission_has_its_reason() {
        for permission in NEEDED {
            assert!(permission.why.ends_with('.'), "{}", permission.name);
            assert!(permission.without.is_none_or(|text| text.ends_with('.')), "{}", permission.name);
        }
    }
}
