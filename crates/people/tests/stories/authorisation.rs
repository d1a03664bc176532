//! Who may do what to what: the tenant first, then the object.

use std::collections::{BTreeMap, BTreeSet};

use tandem_people::caller::{Caller, Object, Refusal, Who};
use tandem_people::id::PersonId;
use tandem_people::permission::{Grants, Permission, PermissionSet, Reach};
use tandem_people::person::Person;
use tandem_people::role::Role;
use tandem_people::scope::Scope;

use crate::staff::{caller, north, person, south};

fn agent_of_north(agent: &str) -> Object<'_> {
    Object::Agent { tenant: "north", agent }
}

#[test]
fn whatever_belongs_to_another_tenant_does_not_exist() {
    for role in [Role::Agent, Role::Expert, Role::Supervisor, Role::Administrator] {
        let caller = caller(1, north(), &[role]);
        let (south, other) = (south(), PersonId::from_random([9; 16]));
        for permission in Permission::ALL {
            for object in [
                Object::Tenant("south"),
                Object::Agent { tenant: "south", agent: "anna" },
                Object::Person { scope: &south, person: &other },
                Object::People(&south),
                Object::Person { scope: &Scope::Installation, person: &other },
            ] {
                assert_eq!(caller.may(*permission, object), Err(Refusal::NotYours), "{role} {permission}");
            }
        }
    }
}

#[test]
fn an_agent_acts_on_their_own_state_and_on_nobody_elses() {
    let mut anna = person(1, north(), &[Role::Agent]);
    anna.agent = Some("anna".into());
    let anna = anna.caller(None).unwrap();
    assert_eq!(anna.may(Permission::AgentsWrite, agent_of_north("anna")), Ok(()));
    let refused = Err(Refusal::NotPermitted { permission: Permission::AgentsWrite });
    assert_eq!(anna.may(Permission::AgentsWrite, agent_of_north("ben")), refused);
    assert_eq!(anna.may(Permission::AgentsWrite, Object::Tenant("north")), refused);
    assert_eq!(anna.reach(Permission::CallsRead, "north"), Ok(Reach::Own));
    assert_eq!(anna.reach(Permission::CallsRead, "south"), Err(Refusal::NotYours));
    assert_eq!(anna.may(Permission::QueuesRead, Object::Tenant("north")), Ok(()));
}

#[test]
fn an_agent_of_the_same_name_in_another_tenant_is_somebody_else() {
    let mut anna = person(1, north(), &[Role::Agent]);
    anna.agent = Some("anna".into());
    let anna = anna.caller(None).unwrap();
    let namesake = Object::Agent { tenant: "south", agent: "anna" };
    assert_eq!(anna.may(Permission::AgentsWrite, namesake), Err(Refusal::NotYours));
}

#[test]
fn everybody_sees_their_own_logins_and_only_an_administrator_those_of_others() {
    let (me, other) = (PersonId::from_random([1; 16]), PersonId::from_random([2; 16]));
    let scope = north();
    for role in [Role::Agent, Role::Expert, Role::Supervisor] {
        let caller = caller(1, scope.clone(), &[role]);
        assert_eq!(
            caller.may(Permission::PeopleWrite, Object::Person { scope: &scope, person: &me }),
            Ok(())
        );
        assert!(
            caller.may(Permission::PeopleWrite, Object::Person { scope: &scope, person: &other }).is_err()
        );
    }
    let administrator = caller(1, scope.clone(), &[Role::Administrator]);
    assert_eq!(
        administrator.may(Permission::PeopleWrite, Object::Person { scope: &scope, person: &other }),
        Ok(())
    );
}

#[test]
fn an_operator_sees_a_tenants_customers_only_as_its_guest() {
    let operator = person(1, Scope::Installation, &[Role::Operator]);
    let asking = operator.caller(None).unwrap();
    let refused = Err(Refusal::NotPermitted { permission: Permission::CallsRead });
    assert_eq!(asking.may(Permission::CallsRead, Object::Tenant("north")), refused);
    assert_eq!(asking.may(Permission::TenantWrite, Object::Tenant("north")), Ok(()));
    assert_eq!(asking.may(Permission::TenantsWrite, Object::Installation), Ok(()));

    let guest =
        Person { guest: BTreeMap::from([("north".into(), BTreeSet::from([Role::Supervisor]))]), ..operator };
    let asking = guest.caller(None).unwrap();
    assert_eq!(asking.may(Permission::CallsRead, Object::Tenant("north")), Ok(()));
    assert_eq!(asking.may(Permission::CallsRead, Object::Tenant("south")), refused);
}

#[test]
fn an_administrator_of_a_tenant_is_nobody_in_the_installation() {
    let administrator = caller(1, north(), &[Role::Administrator]);
    for permission in Permission::ALL {
        assert_eq!(
            administrator.may(*permission, Object::Installation),
            Err(Refusal::NotPermitted { permission: *permission })
        );
    }
}

#[test]
fn a_person_of_a_tenant_cannot_be_made_a_guest_of_another() {
    let guest = caller(1, north(), &[Role::Agent])
        .with_guest("south".into(), Grants::of_roles([Role::Administrator]));
    assert_eq!(guest.may(Permission::CallsRead, Object::Tenant("south")), Err(Refusal::NotYours));
}

#[test]
fn only_operators_make_operators_and_nobody_raises_themselves() {
    let (scope, me, other) = (north(), PersonId::from_random([1; 16]), PersonId::from_random([2; 16]));
    let administrator = caller(1, scope.clone(), &[Role::Administrator]);
    assert_eq!(administrator.may_assign(Role::Supervisor, &scope, &other), Ok(()));
    assert_eq!(administrator.may_assign(Role::Agent, &scope, &me), Ok(()));
    assert!(administrator.may_assign(Role::Operator, &scope, &other).is_err());
    assert_eq!(administrator.may_assign(Role::Administrator, &south(), &other), Err(Refusal::NotYours));

    let supervisor = caller(1, scope.clone(), &[Role::Supervisor]);
    assert!(supervisor.may_assign(Role::Agent, &scope, &me).is_err());

    let operator = caller(1, Scope::Installation, &[Role::Operator]);
    assert_eq!(operator.may_assign(Role::Operator, &Scope::Installation, &other), Ok(()));
    assert_eq!(operator.may_assign(Role::Administrator, &scope, &other), Ok(()));
    assert_eq!(operator.may_assign(Role::Administrator, &scope, &me), Err(Refusal::OwnRights));
}

#[test]
fn a_key_never_can_more_than_whoever_made_it() {
    let scopes = |permissions: &[Permission]| permissions.iter().copied().collect::<PermissionSet>();
    let administrator = caller(1, north(), &[Role::Administrator]);
    let wanted = scopes(&[Permission::CallsRead, Permission::ReportsRead]);
    assert_eq!(administrator.may_delegate(wanted, &north()), Ok(()));
    assert_eq!(administrator.may_delegate(wanted, &south()), Err(Refusal::NotYours));
    assert_eq!(
        administrator.may_delegate(scopes(&[Permission::MetricsRead]), &north()),
        Err(Refusal::BeyondOwn { missing: scopes(&[Permission::MetricsRead]) })
    );

    let operator = caller(1, Scope::Installation, &[Role::Operator]);
    assert_eq!(
        operator.may_delegate(wanted, &north()),
        Err(Refusal::BeyondOwn { missing: wanted }),
        "an operator reads no customer's calls by making a key that does"
    );
    assert_eq!(operator.may_delegate(scopes(&[Permission::MetricsRead]), &Scope::Installation), Ok(()));

    let supervisor = caller(1, north(), &[Role::Supervisor]);
    assert_eq!(
        supervisor.may_delegate(scopes(&[Permission::QueuesRead]), &north()),
        Err(Refusal::NotPermitted { permission: Permission::KeysWrite })
    );
}

#[test]
fn a_key_reaches_what_its_scopes_say_in_its_tenant() {
    let key = Caller::new(
        north(),
        Who::Key { key: "abcdefghij12".parse().unwrap() },
        Grants::over_all([Permission::PresenceWrite].into_iter().collect()),
    );
    assert_eq!(key.may(Permission::PresenceWrite, agent_of_north("anna")), Ok(()));
    assert!(key.may(Permission::AgentsWrite, agent_of_north("anna")).is_err());
    assert_eq!(
        key.may(Permission::PresenceWrite, Object::Agent { tenant: "south", agent: "anna" }),
        Err(Refusal::NotYours)
    );
    assert_eq!(key.person(), None);
}

#[test]
fn a_key_makes_nobody_more_than_it_is() {
    let key = |permissions: &[Permission]| {
        let who = Who::Key { key: "abcdefghij12".parse().unwrap() };
        Caller::new(north(), who, Grants::over_all(permissions.iter().copied().collect()))
    };
    let (scope, person) = (north(), PersonId::from_random([2; 16]));
    let people = key(&[Permission::PeopleWrite]);
    assert!(matches!(
        people.may_assign(Role::Administrator, &scope, &person),
        Err(Refusal::BeyondOwn { missing }) if missing.contains(Permission::AuditRead)
    ));
    let agents = key(&[Permission::PeopleWrite, Permission::QueuesRead, Permission::DirectoryRead]);
    assert_eq!(agents.may_assign(Role::Agent, &scope, &person), Ok(()));
}
