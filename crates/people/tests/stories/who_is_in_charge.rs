//! Roles from several sources, and the rule that somebody stays in charge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tandem_people::person::{
    GroupRoles, Guid, Identity, Person, PersonFault, UserName, leaves_somebody_in_charge,
};
use tandem_people::role::{EffectiveRole, Origin, Role};
use tandem_people::scope::Scope;

use crate::staff::{north, person, south};

fn group(number: u8) -> Guid {
    format!("00000000-0000-0000-0000-0000000000{number:02}").parse().unwrap()
}

#[test]
fn the_last_administrator_stays() {
    let scope = north();
    let (anna, ben) = (
        person(1, scope.clone(), &[Role::Administrator]),
        person(2, scope.clone(), &[Role::Administrator, Role::Agent]),
    );
    let both = [anna.clone(), ben.clone()];
    assert_eq!(leaves_somebody_in_charge(&both, &ben.id, None, &scope), Ok(()));

    let alone = [anna.clone(), person(3, scope.clone(), &[Role::Agent])];
    let last = Err(PersonFault::LastAdministrator);
    assert_eq!(leaves_somebody_in_charge(&alone, &anna.id, None, &scope), last);
    let disabled = Person { enabled: false, ..anna.clone() };
    assert_eq!(leaves_somebody_in_charge(&alone, &anna.id, Some(&disabled), &scope), last);
    let demoted = Person { assigned: BTreeSet::from([Role::Agent]), ..anna.clone() };
    assert_eq!(leaves_somebody_in_charge(&alone, &anna.id, Some(&demoted), &scope), last);
    let locked_out = Person { identities: Vec::new(), ..anna.clone() };
    assert_eq!(leaves_somebody_in_charge(&alone, &anna.id, Some(&locked_out), &scope), last);
    let renamed = Person { name: "Anna".into(), ..anna.clone() };
    assert_eq!(leaves_somebody_in_charge(&alone, &anna.id, Some(&renamed), &scope), Ok(()));
}

#[test]
fn an_administrator_of_another_tenant_does_not_count() {
    let scope = north();
    let anna = person(1, scope.clone(), &[Role::Administrator]);
    let people = [anna.clone(), person(2, south(), &[Role::Administrator])];
    assert_eq!(
        leaves_somebody_in_charge(&people, &anna.id, None, &scope),
        Err(PersonFault::LastAdministrator)
    );
}

#[test]
fn the_last_operator_stays_and_where_nobody_is_in_charge_anybody_may_go() {
    let operator = person(1, Scope::Installation, &[Role::Operator]);
    assert_eq!(
        leaves_somebody_in_charge([&operator], &operator.id, None, &Scope::Installation),
        Err(PersonFault::LastOperator)
    );
    let scope = north();
    let agent = person(2, scope.clone(), &[Role::Agent]);
    assert_eq!(leaves_somebody_in_charge([&agent], &agent.id, None, &scope), Ok(()));
}

#[test]
fn roles_add_up_and_each_says_where_it_comes_from() {
    let mut groups = GroupRoles::default();
    groups.map(group(1), Role::Supervisor).unwrap();
    groups.map(group(2), Role::Expert).unwrap();
    let mut anna = person(1, north(), &[Role::Agent]);
    anna.told = groups.told(&BTreeSet::from([Role::Agent]), [group(1), group(9)]);

    let of_group = Origin::EntraGroup { group: group(1).as_str().into() };
    assert_eq!(
        anna.effective(),
        BTreeSet::from([
            EffectiveRole { role: Role::Agent, origin: Origin::Assigned },
            EffectiveRole { role: Role::Agent, origin: Origin::EntraAppRole },
            EffectiveRole { role: Role::Supervisor, origin: of_group },
        ])
    );
    assert!(anna.holds(Role::Supervisor));
    assert!(!anna.holds(Role::Expert));
}

#[test]
fn no_customer_makes_an_operator() {
    let mut mallory = person(1, north(), &[]);
    mallory.told = GroupRoles::default().told(&BTreeSet::from([Role::Operator]), []);
    assert!(mallory.effective().is_empty());
    assert!(!mallory.holds(Role::Operator));
    let out_of_place = PersonFault::RoleOutOfPlace { role: Role::Operator };
    assert_eq!(GroupRoles::default().map(group(1), Role::Operator), Err(out_of_place));
    mallory.assigned = BTreeSet::from([Role::Operator]);
    assert_eq!(mallory.check(), Err(out_of_place));
}

#[test]
fn a_person_who_cannot_be_is_refused_with_the_reason() {
    let fit = person(1, north(), &[Role::Agent]);
    assert_eq!(fit.check(), Ok(()));
    assert_eq!(Person { name: " ".into(), ..fit.clone() }.check(), Err(PersonFault::Name));
    let twice =
        Person { identities: [fit.identities.clone(), fit.identities.clone()].concat(), ..fit.clone() };
    assert_eq!(twice.check(), Err(PersonFault::IdentityTwice));
    let guest = BTreeMap::from([(Arc::from("south"), BTreeSet::from([Role::Agent]))]);
    assert_eq!(Person { guest, ..fit.clone() }.check(), Err(PersonFault::GuestOfTenant));
    let operator = person(2, Scope::Installation, &[Role::Operator]);
    assert_eq!(
        Person { agent: Some("anna".into()), ..operator }.check(),
        Err(PersonFault::AgentOfInstallation)
    );
}

#[test]
fn a_disabled_person_asks_for_nothing() {
    let anna = Person { enabled: false, ..person(1, north(), &[Role::Administrator]) };
    assert_eq!(anna.caller(None), None);
}

#[test]
fn a_capital_letter_makes_nobody_somebody_else() {
    assert_eq!("Anna@Example.com".parse::<UserName>(), "anna@example.com".parse::<UserName>());
    assert_eq!(
        "AAAAAAAA-0000-0000-0000-000000000001".parse::<Guid>(),
        "aaaaaaaa-0000-0000-0000-000000000001".parse::<Guid>()
    );
    for text in ["", " anna", "анна", "-anna", "a/b", &"a".repeat(65)] {
        assert!(text.parse::<UserName>().is_err(), "{text}");
    }
}

#[test]
fn an_identity_is_found_by_its_parts() {
    let entra = Identity::Entra { tenant: group(1), user: group(2) };
    assert_eq!(entra.parts(), ("entra", group(1).as_str(), group(2).as_str()));
    let local = Identity::Local { user_name: "Anna".parse().unwrap() };
    assert_eq!(local.parts(), ("local", "", "anna"));
}

#[test]
fn a_person_is_kept_as_they_are() {
    let mut anna = person(1, north(), &[Role::Agent]);
    anna.agent = Some("anna".into());
    anna.identities.push(Identity::Entra { tenant: group(1), user: group(2) });
    anna.told = GroupRoles::default().told(&BTreeSet::from([Role::Agent]), []);
    let json = serde_json::to_string(&anna).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"id":"01010101-0101-4101-8101-010101010101","tenant":"north","name":"Somebody","identities":["#,
            r#"{"kind":"local","user_name":"user1"},{"kind":"entra","tenant":"00000000-0000-0000-0000-000000000001","#,
            r#""user":"00000000-0000-0000-0000-000000000002"}],"assigned":["agent"],"#,
            r#""told":[{"role":"agent","origin":"entra_app_role"}],"agent":"anna","enabled":true,"created":0}"#
        )
    );
    assert_eq!(serde_json::from_str::<Person>(&json).unwrap(), anna);
}
