//! Which permission opens which operation ("Microsoft Graph permissions reference"; per operation the table under
//! "Permissions" of its page), as far as the operations that are served here go.

use crate::directory::ObjectId;
use crate::entra::GraphCaller;

/// An operation, or a group of operations with the same permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the operations")]
pub enum Operation {
    AppsRead,
    GroupsDelta,
    GroupsRead,
    GroupMembersRead,
    MemberGroupsCheck,
    MemberObjectsGet,
    MemberOfRead,
    OrganizationRead,
    PhotoRead,
    PresenceRead,
    PresencesRead,
    PresenceSubscribe,
    PresenceWrite,
    UserRead,
    UsersDelta,
    UsersRead,
}

impl Operation {
    /// Whether a caller may do it to `subject`; `None` stands for everybody.
    pub fn allows(self, caller: &GraphCaller, subject: Option<&ObjectId>) -> bool {
        let (application, delegated, own) = self.permissions();
        let has = |granted: &[String], needed: &[&str]| {
            granted.iter().any(|permission| needed.contains(&permission.as_str()))
        };
        match &caller.user {
            None => has(&caller.roles, application),
            Some(user) => {
                has(&caller.scopes, delegated) || (subject == Some(user) && has(&caller.scopes, own))
            }
        }
    }

    /// Whether the caller gets no more of others than the basic profile, which `User.ReadBasic.All` opens.
    pub fn is_basic_only(caller: &GraphCaller, subject: Option<&ObjectId>) -> bool {
        match &caller.user {
            None => !has_any(&caller.roles, PROFILES_APPLICATION),
            Some(user) => {
                let own = subject == Some(user) && has_any(&caller.scopes, &["User.Read", "User.ReadWrite"]);
                !own && !has_any(&caller.scopes, PROFILES_DELEGATED)
            }
        }
    }

    /// Those for applications, those in somebody's name, and those in somebody's name to himself.
    fn permissions(self) -> (&'static [&'static str], &'static [&'static str], &'static [&'static str]) {
        match self {
            Self::AppsRead => (
                &[
                    "Application.Read.All",
                    "Application.ReadWrite.All",
                    "Directory.Read.All",
                    "Directory.ReadWrite.All",
                ],
                &[
                    "Application.Read.All",
                    "Application.ReadWrite.All",
                    "Directory.Read.All",
                    "Directory.ReadWrite.All",
                ],
                &[],
            ),
            Self::GroupsDelta | Self::GroupsRead => (GROUPS, GROUPS, &[]),
            Self::GroupMembersRead => (MEMBERS, MEMBERS, &[]),
            Self::MemberGroupsCheck => (MEMBER_GROUPS, MEMBER_GROUPS, &[]),
            Self::MemberObjectsGet => (MEMBER_GROUPS, MEMBER_GROUPS, &["User.Read"]),
            Self::MemberOfRead => (
                &[
                    "Directory.Read.All",
                    "Directory.ReadWrite.All",
                    "Group.Read.All",
                    "Group.ReadBasic.All",
                    "GroupMember.Read.All",
                    "GroupMember.ReadBasic.All",
                    "User.Read.All",
                ],
                &[
                    "Directory.Read.All",
                    "Directory.ReadWrite.All",
                    "Group.Read.All",
                    "Group.ReadBasic.All",
                    "GroupMember.Read.All",
                    "GroupMember.ReadBasic.All",
                    "User.Read.All",
                ],
                &["User.Read"],
            ),
            Self::OrganizationRead => (
                &[
                    "Directory.Read.All",
                    "Directory.ReadWrite.All",
                    "Organization.Read.All",
                    "Organization.ReadWrite.All",
                    "User.Read.All",
                ],
                &[
                    "Directory.Read.All",
                    "Directory.ReadWrite.All",
                    "Organization.Read.All",
                    "Organization.ReadWrite.All",
                    "User.Read",
                    "User.Read.All",
                ],
                &[],
            ),
            Self::PhotoRead => (
                &[
                    "ProfilePhoto.Read.All",
                    "ProfilePhoto.ReadWrite.All",
                    "User.Read.All",
                    "User.ReadBasic.All",
                    "User.ReadWrite.CrossCloud",
                ],
                &[
                    "ProfilePhoto.Read.All",
                    "ProfilePhoto.ReadWrite.All",
                    "User.ReadBasic.All",
                    "User.Read.All",
                ],
                &["User.Read"],
            ),
            Self::PresenceRead => (PRESENCES, &["Presence.Read.All"], &["Presence.Read"]),
            Self::PresencesRead => (PRESENCES, &["Presence.Read.All"], &[]),
            // "Set up change notifications for Microsoft Teams presence": application permissions are not supported.
            Self::PresenceSubscribe => (&[], &["Presence.Read.All"], &[]),
            Self::PresenceWrite => (&["Presence.ReadWrite.All"], &[], &["Presence.ReadWrite"]),
            Self::UserRead | Self::UsersRead => (
                &[
                    "Directory.Read.All",
                    "Directory.ReadWrite.All",
                    "User.Read.All",
                    "User.ReadBasic.All",
                    "User.ReadWrite.All",
                    "User.ReadWrite.CrossCloud",
                ],
                &[
                    "Directory.Read.All",
                    "Directory.ReadWrite.All",
                    "User.Read.All",
                    "User.ReadBasic.All",
                    "User.ReadWrite.All",
                ],
                &["User.Read", "User.ReadWrite"],
            ),
            Self::UsersDelta => (
                &["Directory.Read.All", "Directory.ReadWrite.All", "User.Read.All", "User.ReadWrite.All"],
                &["Directory.Read.All", "Directory.ReadWrite.All", "User.Read.All", "User.ReadWrite.All"],
                &[],
            ),
        }
    }
}

fn has_any(granted: &[String], needed: &[&str]) -> bool {
    granted.iter().any(|permission| needed.contains(&permission.as_str()))
}

const GROUPS: &[&str] = &[
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadBasic.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
];
const MEMBERS: &[&str] = &[
    "Directory.Read.All",
    "Group.Read.All",
    "Group.ReadBasic.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadBasic.All",
    "GroupMember.ReadWrite.All",
];
const MEMBER_GROUPS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadBasic.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadBasic.All",
    "User.Read.All",
];
const PRESENCES: &[&str] = &["Presence.Read.All", "Presence.ReadWrite.All"];
const PROFILES_APPLICATION: &[&str] = &[
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "User.ReadWrite.CrossCloud",
];
const PROFILES_DELEGATED: &[&str] =
    &["Directory.Read.All", "Directory.ReadWrite.All", "User.Read.All", "User.ReadWrite.All"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{AppId, EntraTenantId};

    fn caller(user: Option<&str>, permissions: &[&str]) -> GraphCaller {
        let permissions: Vec<String> = permissions.iter().map(|name| (*name).to_owned()).collect();
        GraphCaller {
            app: AppId::new("a"),
            tenant: EntraTenantId::new("t"),
            user: user.map(ObjectId::new),
            roles: if user.is_none() { permissions.clone() } else { Vec::new() },
            scopes: if user.is_some() { permissions } else { Vec::new() },
        }
    }

    #[test]
    fn presence_can_be_read_by_an_app_but_not_subscribed_to() {
        let app = caller(None, &["Presence.Read.All"]);
        assert!(Operation::PresencesRead.allows(&app, None));
        assert!(!Operation::PresenceSubscribe.allows(&app, None));
        assert!(!Operation::PresenceWrite.allows(&app, None));
        assert!(Operation::PresenceSubscribe.allows(&caller(Some("u"), &["Presence.Read.All"]), None));
    }

    #[test]
    fn a_permission_to_oneself_opens_nobody_else() {
        let ann = caller(Some("ann"), &["User.Read", "Presence.Read"]);
        let (own, other) = (ObjectId::new("ann"), ObjectId::new("bob"));
        assert!(Operation::UserRead.allows(&ann, Some(&own)));
        assert!(!Operation::UserRead.allows(&ann, Some(&other)));
        assert!(!Operation::UsersRead.allows(&ann, None));
        assert!(!Operation::PresenceRead.allows(&ann, Some(&other)));
        assert!(Operation::is_basic_only(&caller(None, &["User.ReadBasic.All"]), Some(&own)));
    }
}
