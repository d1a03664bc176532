//! People of the configuration: what can be wrong with them, and whom Entra's names mean.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;

use tandem::config::Settings;
use tandem::identity::{
    self, Configured, ConfiguredPerson, EntraName, EntraUser, Identity, IdentityFault, IdentitySettings,
    NewPerson,
};
use tandem_people::caller::{Caller, Object, Who};
use tandem_people::login::SignIn;
use tandem_people::permission::{Grants, Permission};
use tandem_people::role::Role;
use tandem_people::scope::Scope;
use tandem_people::secret::Secret;
use tandem_store::Tenant;

const TID: &str = "11111111-2222-4333-8444-555555555555";
const FIRST: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const SECOND: &str = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee";

/// The faults that a configuration has, as the keys at which they are.
fn faults(text: &str) -> Vec<String> {
    match Settings::parse(text, Path::new(".")) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.into_iter().map(|fault| fault.key).collect(),
    }
}

#[test]
fn what_is_wrong_with_people_is_told_at_its_key() {
    let agent = "[[agents]]\nid = \"anna\"\nname = \"Anna\"\nring = { line = \"teams\", phone = \"+1\" }\nqueues = []\n";
    let person = |rest: &str| format!("{agent}[[people]]\nname = \"Anna\"\n{rest}\n");
    let has = |text: &str, key: &str| {
        let found = faults(text);
        assert!(found.iter().any(|fault| fault == key), "{key}: {found:?}\n{text}");
    };
    has(&person("roles = [\"agent\"]"), "people.Anna");
    has(&person("user_name = \"a b\"\nroles = [\"agent\"]"), "people.Anna.user_name");
    has(&person("user_name = \"anna\"\nroles = [\"boss\"]"), "people.Anna.roles");
    has(&person("user_name = \"anna\"\nroles = []"), "people.Anna.roles");
    has(&person("user_name = \"anna\"\nroles = [\"operator\"]"), "people.Anna.roles");
    has(&person("user_name = \"anna\"\nroles = [\"agent\"]\nagent = \"nobody\""), "people.Anna.agent");
    has(
        &person("entra = { tenant = \"x\", user = \"a@b.c\" }\nroles = [\"agent\"]"),
        "people.Anna.entra.tenant",
    );
    let no_user = format!("entra = {{ tenant = \"{TID}\", user = \"anna\" }}\nroles = [\"agent\"]");
    has(&person(&no_user), "people.Anna.entra.user");
    let twice = "[[people]]\nname = \"Ann\"\nuser_name = \"ANNA\"\nroles = [\"agent\"]\nagent = \"anna\"\n";
    let both = person("user_name = \"anna\"\nroles = [\"agent\"]\nagent = \"anna\"") + twice;
    has(&both, "people.Ann.user_name");
    has(&both, "people.Ann.agent");
    has(
        "[[operators]]\nname = \"Olga\"\nuser_name = \"olga\"\ntenants = { nowhere = [\"agent\"] }\n",
        "operators.Olga.tenants.nowhere",
    );
    has("[roles]\nx = [\"agent\"]\n", "roles.x");
    has("[sign_in]\naccess_minutes = 0\n", "sign_in.access_minutes");
    has("[sign_in]\none_click = [\"nobody\"]\n", "sign_in.one_click");
    let open = "[http]\nlisten = \"0.0.0.0:8443\"\ncertificate = \"c\"\nkey = \"k\"\n[sign_in]\none_click = [\"olga\"]\n\
                [[operators]]\nname = \"Olga\"\nuser_name = \"olga\"\n";
    has(open, "sign_in.one_click");
    for proxied in ["public_url = \"https://tandem.example.com\"", "trusted_proxies = [\"127.0.0.1\"]"] {
        let open = format!(
            "[http]\n{proxied}\n[sign_in]\none_click = [\"olga\"]\n[[operators]]\nname = \"Olga\"\nuser_name = \"olga\"\n"
        );
        has(&open, "sign_in.one_click");
    }
}

#[test]
fn people_of_the_configuration_are_understood() {
    let text = format!(
        "[http]\npublic_url = \"http://localhost:8080\"\n[sign_in]\nidle_hours = 8\none_click = [\"olga\"]\n[[operators]]\nname = \"Olga\"\nuser_name = \"Olga\"\n\
         tenants = {{ default = [\"supervisor\"] }}\n[[people]]\nname = \"Anna\"\n\
         entra = {{ tenant = \"{TID}\", user = \"Anna@North.example\" }}\nroles = [\"agent\", \"expert\"]\n\
         [roles]\n\"{FIRST}\" = [\"agent\"]\n"
    );
    let settings =
        Settings::parse(&text, Path::new(".")).unwrap_or_else(|faults| panic!("{faults}")).identity;
    assert_eq!(settings.terms.idle.as_secs(), 8 * 3_600);
    assert_eq!(settings.one_click.len(), 1);
    let [anna, olga] = settings.people.as_slice() else { panic!("{:?}", settings.people) };
    assert_eq!(anna.entra, Some(principal()));
    assert_eq!((olga.scope.clone(), olga.guest.len()), (Scope::Installation, 1));
    assert!(!settings.tenants[&Tenant::only()].groups.is_empty());
}

fn principal() -> EntraName {
    EntraName::Principal { tenant: TID.parse().unwrap(), name: "anna@north.example".into() }
}

fn user<'a>(tenant: &'a Tenant, oid: &str, name: &'a str) -> EntraUser<'a> {
    EntraUser {
        tenant: Some(tenant),
        tid: TID.parse().unwrap(),
        oid: oid.parse().unwrap(),
        principal_name: Some(name),
        name: "Anna",
        told: [].into(),
    }
}

#[test]
fn a_name_to_sign_in_with_means_whoever_first_came_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let anna = ConfiguredPerson {
        scope: Scope::tenant("default"),
        name: "Anna".into(),
        user_name: None,
        entra: Some(principal()),
        roles: [Role::Agent].into(),
        guest: [].into(),
        agent: None,
    };
    let settings = IdentitySettings { people: vec![anna], ..IdentitySettings::default() };
    let open = || Identity::open(folder.path(), None, settings.clone(), identity::now()).unwrap();
    let (here, now) = (Tenant::only(), identity::now());
    let identity = open();
    let first = identity.provision(&user(&here, FIRST, "Anna@North.Example"), now).unwrap();
    let token = identity.sign_in(&first, SignIn::Entra, "Firefox", now).unwrap();
    assert!(identity.authenticate(token.access.expose().as_bytes(), now).is_ok());

    // The name was given to somebody else, and Anna has another.
    let fault = identity.provision(&user(&here, SECOND, "anna@north.example"), now).unwrap_err();
    assert!(matches!(fault, IdentityFault::NoRole { .. }), "{fault}");
    let renamed = identity.provision(&user(&here, FIRST, "anna.berg@north.example"), now).unwrap();
    assert_eq!(renamed.id, first.id);
    drop(identity);
    let identity = open();
    let renamed = identity.provision(&user(&here, FIRST, "anna.berg@north.example"), now).unwrap();
    assert_eq!(renamed.id, first.id, "over a restart, too");
    assert!(identity.provision(&user(&here, SECOND, "anna@north.example"), now).is_err());
}

#[test]
fn who_leaves_the_configuration_is_out() {
    let folder = tempfile::tempdir().unwrap();
    let now = identity::now();
    let olga = ConfiguredPerson {
        scope: Scope::Installation,
        name: "Olga".into(),
        user_name: Some("olga".parse().unwrap()),
        entra: None,
        roles: [Role::Operator].into(),
        guest: [].into(),
        agent: None,
    };
    let settings = IdentitySettings { people: vec![olga], ..IdentitySettings::default() };
    let identity = Identity::open(folder.path(), None, settings.clone(), now).unwrap();
    let [olga] = <[_; 1]>::try_from(identity.people(&Scope::Installation).unwrap()).unwrap();
    let tokens = identity.sign_in(&olga, SignIn::Password, "Firefox", now).unwrap();
    drop(identity);
    let identity = Identity::open(folder.path(), None, settings, now).unwrap();
    assert_eq!(identity.logins(&olga.id).len(), 1, "while she stands there, she stays signed in");
    drop(identity);
    let identity = Identity::open(folder.path(), None, IdentitySettings::default(), now).unwrap();
    assert!(identity.people(&Scope::Installation).unwrap().is_empty());
    assert!(identity.refresh(&tokens.refresh.unwrap(), now).is_err());
    assert!(identity.nobody_is_in_charge().unwrap(), "and the first person is let in again");
}

#[test]
fn what_changes_while_the_program_runs_counts_from_the_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let now = identity::now();
    let person = |scope: &Scope, name: &str, roles: &[Role]| ConfiguredPerson {
        scope: scope.clone(),
        name: name.into(),
        user_name: Some(name.parse().unwrap()),
        entra: None,
        roles: roles.iter().copied().collect(),
        guest: [].into(),
        agent: None,
    };
    let (north, south) = (Scope::tenant("north"), Scope::tenant("south"));
    let with = |tenants: &[&str], people: &[ConfiguredPerson]| IdentitySettings {
        tenants: tenants.iter().map(|id| (id.parse().unwrap(), Configured::default())).collect(),
        people: people.to_vec(),
        ..IdentitySettings::default()
    };
    let (anna, bert) = (person(&north, "anna", &[Role::Supervisor]), person(&north, "bert", &[Role::Agent]));
    let identity = Identity::open(folder.path(), None, with(&["north"], &[anna, bert.clone()]), now).unwrap();
    let signed_in = |name: &str| {
        let known = tandem_people::person::Identity::Local { user_name: name.parse().unwrap() };
        let person = identity.person_known_as(&known).unwrap().unwrap();
        identity.sign_in(&person, SignIn::Password, "Firefox", now).unwrap().access
    };
    let may = |token: &Secret| {
        let known = identity.authenticate(token.expose().as_bytes(), now).ok()?;
        Some(
            known
                .caller
                .may(Permission::ReportsRead, Object::Tenant(known.caller.scope().tenant_name()?))
                .is_ok(),
        )
    };
    let (anna, bert_token) = (signed_in("anna"), signed_in("bert"));
    assert_eq!((may(&anna), may(&bert_token)), (Some(true), Some(false)));
    let changes = identity.changes();

    let promoted = person(&north, "bert", &[Role::Supervisor]);
    let zoe = person(&south, "zoe", &[Role::Administrator]);
    let later = with(&["north", "south"], &[promoted, zoe]);
    assert_eq!(identity.configure(later.clone(), now).unwrap(), 3, "one left, one changed, one came");
    assert_eq!((may(&anna), may(&bert_token)), (None, Some(true)));
    assert!(changes.has_changed().unwrap(), "whoever keeps something open asks again");
    let zoe = signed_in("zoe");
    assert_eq!(may(&zoe), Some(true));
    assert_eq!(identity.configure(later, now).unwrap(), 0);
    assert_eq!(may(&zoe), Some(true));

    // Somebody who is another customer's in the register is not the new one's by the file, and nothing changes.
    let all = Grants::over_all(Permission::ALL.iter().copied().collect());
    let olga = Caller::new(Scope::Installation, Who::Console, all);
    let name = Some("otto".parse().unwrap());
    let wish = NewPerson {
        name: "Otto".into(),
        user_name: name,
        roles: [Role::Agent].into(),
        ..NewPerson::default()
    };
    identity.person_create(&olga, &north, wish, now).unwrap();
    let stolen = with(&["north", "south"], &[bert, person(&south, "otto", &[Role::Agent])]);
    assert!(matches!(identity.configure(stolen, now), Err(IdentityFault::Taken(_))));
    assert_eq!((may(&bert_token), may(&zoe)), (Some(true), Some(true)));
}

#[test]
fn what_cannot_be_written_does_not_come_into_force() {
    let folder = tempfile::tempdir().unwrap();
    let now = identity::now();
    let north = Scope::tenant("north");
    let person = |name: &str, roles: &[Role]| ConfiguredPerson {
        scope: north.clone(),
        name: name.into(),
        user_name: Some(name.parse().unwrap()),
        entra: None,
        roles: roles.iter().copied().collect(),
        guest: [].into(),
        agent: None,
    };
    let with = |people: &[ConfiguredPerson]| IdentitySettings {
        tenants: [("north".parse().unwrap(), Configured::default())].into(),
        people: people.to_vec(),
        ..IdentitySettings::default()
    };
    let (anna, bert) = (person("anna", &[Role::Supervisor]), person("bert", &[Role::Agent]));
    let identity = Identity::open(folder.path(), None, with(&[anna.clone(), bert]), now).unwrap();
    let signed_in = |name: &str| {
        let known = tandem_people::person::Identity::Local { user_name: name.parse().unwrap() };
        let person = identity.person_known_as(&known).unwrap().unwrap();
        identity.sign_in(&person, SignIn::Password, "Firefox", now).unwrap().access
    };
    let (anna_token, bert_token) = (signed_in("anna"), signed_in("bert"));
    let reads_reports = |token: &Secret| {
        let known = identity.authenticate(token.expose().as_bytes(), now).ok()?;
        let scope = known.caller.scope().clone();
        Some(known.caller.may(Permission::ReportsRead, Object::Tenant(scope.tenant_name()?)).is_ok())
    };
    identity.settle();

    let file = rusqlite::Connection::open(folder.path().join("people.db")).unwrap();
    let full = "CREATE TRIGGER full BEFORE UPDATE ON logins BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    file.execute_batch(full).unwrap();
    // Anna would leave, which ends her login; Bert would be promoted.
    let promoted = with(&[person("bert", &[Role::Supervisor])]);
    let outcome = identity.configure(promoted.clone(), now);
    assert!(matches!(outcome, Err(IdentityFault::Register(_))), "{outcome:?}");
    assert_eq!(reads_reports(&bert_token), Some(false), "nobody may do more than before");
    assert_eq!(identity.people(&north).unwrap().len(), 2);
    assert_eq!(reads_reports(&signed_in("anna")), Some(true), "and nobody is out");

    file.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(identity.configure(promoted, now).unwrap(), 2);
    assert_eq!((reads_reports(&anna_token), reads_reports(&bert_token)), (None, Some(true)));
    assert_eq!(identity.people(&north).unwrap().len(), 1);
}

#[test]
fn a_tenant_that_comes_back_brings_its_keys_and_logins() {
    let folder = tempfile::tempdir().unwrap();
    let now = identity::now();
    let with = |tenants: &[&str]| IdentitySettings {
        tenants: tenants.iter().map(|id| (id.parse().unwrap(), Configured::default())).collect(),
        ..IdentitySettings::default()
    };
    let both = with(&["north", "south"]);
    let identity = Identity::open(folder.path(), None, both.clone(), now).unwrap();
    let scope = Scope::tenant("south");
    let wish = NewPerson {
        name: "Zoe".into(),
        user_name: Some("zoe".parse().unwrap()),
        roles: [Role::Administrator].into(),
        ..NewPerson::default()
    };
    let all = Grants::over_all(Permission::ALL.iter().copied().collect());
    let olga = Caller::new(Scope::Installation, Who::Console, all);
    let zoe = identity.person_create(&olga, &scope, wish, now).unwrap();
    identity.sign_in(&zoe, SignIn::Password, "Firefox", now).unwrap();
    drop(identity);
    let identity = Identity::open(folder.path(), None, with(&["north"]), now).unwrap();
    assert!(identity.logins(&zoe.id).is_empty());
    identity.configure(both, now).unwrap();
    assert_eq!(identity.logins(&zoe.id).len(), 1);
}
