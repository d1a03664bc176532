//! People to tell stories with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tandem_people::caller::Caller;
use tandem_people::id::PersonId;
use tandem_people::moment::UnixMillis;
use tandem_people::person::{Identity, Person};
use tandem_people::role::Role;
use tandem_people::scope::Scope;

/// Somebody with a local sign-in and these roles.
pub(crate) fn person(number: u8, scope: Scope, roles: &[Role]) -> Person {
    Person {
        id: PersonId::from_random([number; 16]),
        scope,
        name: Arc::from("Somebody"),
        identities: vec![Identity::Local { user_name: format!("user{number}").parse().unwrap() }],
        assigned: roles.iter().copied().collect(),
        told: BTreeSet::new(),
        guest: BTreeMap::new(),
        agent: None,
        enabled: true,
        created: UnixMillis::default(),
    }
}

/// The same, asking for something.
pub(crate) fn caller(number: u8, scope: Scope, roles: &[Role]) -> Caller {
    person(number, scope, roles).caller(None).unwrap()
}

/// A tenant.
pub(crate) fn north() -> Scope {
    Scope::tenant("north")
}

/// Another.
pub(crate) fn south() -> Scope {
    Scope::tenant("south")
}
