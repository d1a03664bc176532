//! People are found by what they are known by, prove it with what they have, and are signed in until they are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Office, key, known_as, login, person, refusal, tenant};
use tandem_store::register::{
    CREDENTIALS_MAX, CredentialRow, IDENTITIES_MAX, LoginRow, Noun, PersonRow, Refusal, Scope,
};

fn passkey(id: &str) -> CredentialRow {
    CredentialRow {
        kind: "passkey".into(),
        id: id.into(),
        data: b"public key".to_vec(),
        label: "Ada's phone".into(),
        created_ms: 1_000,
        used_ms: None,
    }
}

#[test]
fn a_person_is_found_by_each_identity_and_after_a_restart() {
    let office = Office::new();
    let contoso = tenant("contoso");
    let ada = known_as(known_as(person("ada", "Ada"), "entra", "tid-1", "oid-1"), "local", "", "ada");
    office.register.person_put(&contoso, &ada).unwrap();
    let office = office.restart();
    for (kind, issuer, subject) in [("entra", "tid-1", "oid-1"), ("local", "", "ada")] {
        let found = office.register.person_by_identity(kind, issuer, subject).unwrap();
        assert_eq!(found, Some((Scope::from(&contoso), ada.clone())));
    }
    assert_eq!(office.register.person_by_identity("entra", "tid-2", "oid-1").unwrap(), None);
    assert_eq!(office.register.people(&contoso, None, 10).unwrap(), std::slice::from_ref(&ada));

    let renamed = PersonRow {
        name: "Ada Lovelace".into(),
        enabled: false,
        created_ms: 9,
        identities: vec![],
        ..ada.clone()
    };
    office.register.person_put(&contoso, &renamed).unwrap();
    let now = office.register.person(&contoso, "ada").unwrap().unwrap();
    assert_eq!(now, PersonRow { created_ms: 1_000, ..renamed });
    assert_eq!(office.register.person_by_identity("local", "", "ada").unwrap(), None, "the name is free");
}

#[test]
fn an_identity_is_nobody_elses_in_the_whole_installation() {
    let office = Office::new();
    let ada = known_as(person("ada", "Ada"), "entra", "tid-1", "oid-1");
    office.register.person_put(tenant("contoso"), &ada).unwrap();
    let taken = Refusal::Taken(Noun::Identity);
    let bob = PersonRow { id: "bob".into(), name: "Bob".into(), ..ada.clone() };
    let put = |scope: Scope, row: &PersonRow| office.register.person_put(scope, row).unwrap_err();
    assert_eq!(refusal(put(tenant("contoso").into(), &bob)), taken);
    assert_eq!(refusal(put(tenant("fabrikam").into(), &ada)), taken);
    assert_eq!(refusal(put(Scope::Installation, &ada)), taken);
    assert_eq!(office.register.person(tenant("fabrikam"), "ada").unwrap(), None, "nothing of it was written");
    let mut many = person("cleo", "Cleo");
    for number in 0..=IDENTITIES_MAX {
        many = known_as(many, "local", "", &number.to_string());
    }
    let full = Refusal::Full { noun: Noun::Identity, most: IDENTITIES_MAX };
    assert_eq!(refusal(put(tenant("contoso").into(), &many)), full);
}

#[test]
fn people_are_read_in_pages_and_an_operator_is_no_tenants() {
    let office = Office::new();
    let contoso = tenant("contoso");
    for id in ["c", "a", "b"] {
        office.register.person_put(&contoso, &person(id, id)).unwrap();
    }
    office.register.person_put(Scope::Installation, &person("olga", "Olga")).unwrap();
    let ids = |scope: Scope, after: Option<&str>, limit| -> Vec<String> {
        let people = office.register.people(scope, after, limit).unwrap();
        people.into_iter().map(|person| person.id).collect()
    };
    assert_eq!(ids((&contoso).into(), None, 2), ["a", "b"]);
    assert_eq!(ids((&contoso).into(), Some("b"), 2), ["c"]);
    assert_eq!(ids(Scope::Installation, None, 10), ["olga"]);
    assert_eq!(office.register.person(&contoso, "olga").unwrap(), None);
}

#[test]
fn a_passkey_finds_its_person_and_belongs_to_nobody_else() {
    let office = Office::new();
    let contoso = tenant("contoso");
    for id in ["ada", "bob"] {
        office.register.person_put(&contoso, &person(id, id)).unwrap();
    }
    office.register.credential_put(&contoso, "ada", &passkey("key-1")).unwrap();
    let used = CredentialRow { data: b"counter 2".to_vec(), used_ms: Some(2_000), ..passkey("key-1") };
    office.register.credential_put(&contoso, "ada", &used).unwrap();
    let found = office.register.credential_by_id("passkey", "key-1").unwrap().unwrap();
    assert_eq!(found, (Scope::from(&contoso), "ada".to_owned(), used.clone()));
    assert_eq!(office.register.credential_by_id("password", "key-1").unwrap(), None);

    let put = |person: &str, id: &str| {
        refusal(office.register.credential_put(&contoso, person, &passkey(id)).unwrap_err())
    };
    assert_eq!(put("bob", "key-1"), Refusal::Taken(Noun::Credential));
    assert_eq!(put("nobody", "key-2"), Refusal::Unknown(Noun::Person));
    for number in 2..=CREDENTIALS_MAX {
        office.register.credential_put(&contoso, "ada", &passkey(&format!("key-{number}"))).unwrap();
    }
    let full = Refusal::Full { noun: Noun::Credential, most: CREDENTIALS_MAX };
    assert_eq!(put("ada", "one-more"), full);
    assert!(!office.register.credential_remove(&contoso, "bob", "passkey", "key-1").unwrap());
    assert!(office.register.credential_remove(&contoso, "ada", "passkey", "key-1").unwrap());
    assert_eq!(office.register.credentials(&contoso, "ada").unwrap().len(), CREDENTIALS_MAX as usize - 1);
}

#[test]
fn a_login_changes_its_secret_and_once_ended_stays_so() {
    let office = Office::new();
    let contoso = tenant("contoso");
    office.register.person_put(&contoso, &person("ada", "Ada")).unwrap();
    office.register.login_put(&contoso, &login("l1", "ada")).unwrap();
    office.register.login_put(&contoso, &LoginRow { created_ms: 2_000, ..login("l2", "ada") }).unwrap();
    let rotated = LoginRow {
        secret_hash: b"second".to_vec(),
        previous_hash: Some(b"first".to_vec()),
        used_ms: 5_000,
        ..login("l1", "ada")
    };
    office.register.login_put(&contoso, &rotated).unwrap();
    office.register.login_used(&contoso, "l1", 6_000).unwrap();
    office.register.login_used(&contoso, "l1", 3_000).unwrap();
    let rotated = LoginRow { used_ms: 6_000, ..rotated };
    assert_eq!(office.register.login_by_id("l1").unwrap(), Some((Scope::from(&contoso), rotated.clone())));
    let ids = |logins: Vec<LoginRow>| logins.into_iter().map(|login| login.id).collect::<Vec<_>>();
    assert_eq!(ids(office.register.logins(&contoso, "ada").unwrap()), ["l2", "l1"]);

    assert!(office.register.login_revoke(&contoso, "l1", 7_000).unwrap());
    assert!(!office.register.login_revoke(&contoso, "l1", 8_000).unwrap());
    office.register.login_put(&contoso, &rotated).unwrap();
    let office = office.restart();
    let ended = office.register.login_by_id("l1").unwrap().unwrap().1;
    assert_eq!(ended.revoked_ms, Some(7_000), "a late write does not bring it back");

    let alive = |at_ms| -> Vec<String> {
        let alive = office.register.logins_alive(at_ms, None, 10).unwrap();
        alive.into_iter().map(|(_, login)| login.id).collect()
    };
    assert_eq!(alive(99_999), ["l2"]);
    assert_eq!(alive(100_000), Vec::<String>::new());
    assert_eq!(office.register.logins_revoke(&contoso, "ada", 9_000).unwrap(), 1);
    assert_eq!(office.register.logins_prune(8_000).unwrap(), 1);
    assert_eq!(ids(office.register.logins(&contoso, "ada").unwrap()), ["l2"]);
}

#[test]
fn a_login_is_nobody_elses_and_of_somebody_who_is_there() {
    let office = Office::new();
    let contoso = tenant("contoso");
    for id in ["ada", "bob"] {
        office.register.person_put(&contoso, &person(id, id)).unwrap();
    }
    office.register.login_put(&contoso, &login("l1", "ada")).unwrap();
    let put = |row: &LoginRow| refusal(office.register.login_put(&contoso, row).unwrap_err());
    assert_eq!(put(&login("l1", "bob")), Refusal::Taken(Noun::Login));
    assert_eq!(put(&login("l2", "nobody")), Refusal::Unknown(Noun::Person));
}

#[test]
fn somebody_who_is_removed_leaves_nothing_to_sign_in_with() {
    let office = Office::new();
    let contoso = tenant("contoso");
    let ada = known_as(person("ada", "Ada Byron"), "entra", "tid-1", "subject-of-ada");
    office.register.person_put(&contoso, &ada).unwrap();
    office.register.credential_put(&contoso, "ada", &passkey("key-1")).unwrap();
    office.register.login_put(&contoso, &login("l1", "ada")).unwrap();
    assert!(office.contains(b"Ada Byron"));
    assert!(office.register.person_remove(&contoso, "ada").unwrap());
    assert!(!office.register.person_remove(&contoso, "ada").unwrap());
    assert_eq!(office.register.person_by_identity("entra", "tid-1", "subject-of-ada").unwrap(), None);
    assert_eq!(office.register.credential_by_id("passkey", "key-1").unwrap(), None);
    assert_eq!(office.register.login_by_id("l1").unwrap(), None);
    for trace in [&b"Ada Byron"[..], b"subject-of-ada", b"public key"] {
        assert!(!office.contains(trace), "{}", String::from_utf8_lossy(trace));
    }
}

#[test]
fn a_key_of_a_program_works_until_it_is_ended() {
    let office = Office::new();
    let contoso = tenant("contoso");
    office.register.key_create(&contoso, &key("k1")).unwrap();
    let taken = office.register.key_create(tenant("fabrikam"), &key("k1")).unwrap_err();
    assert_eq!(refusal(taken), Refusal::Taken(Noun::Key));
    office.register.key_used(&contoso, "k1", 5_000).unwrap();
    let (scope, found) = office.register.key_by_id("k1").unwrap().unwrap();
    assert_eq!((scope, found.used_ms, found.revoked_ms), (Scope::from(&contoso), Some(5_000), None));
    assert!(!office.register.key_revoke(tenant("fabrikam"), "k1", 6_000).unwrap());
    assert!(office.register.key_revoke(&contoso, "k1", 6_000).unwrap());
    assert!(!office.register.key_revoke(&contoso, "k1", 7_000).unwrap());
    assert_eq!(office.register.keys(&contoso).unwrap()[0].revoked_ms, Some(6_000));
    assert_eq!(office.register.keys_prune(6_001).unwrap(), 1);
    assert_eq!(office.register.key_by_id("k1").unwrap(), None);
}

#[test]
fn what_is_shown_in_a_log_names_no_secret() {
    let shown = format!("{:?} {:?} {:?}", login("l1", "ada"), key("k1"), passkey("p1"));
    let hash = format!("{:?}", b"hash");
    for secret in ["first", "public key", &hash, &format!("{:?}", b"first")] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn people_are_found_by_what_stands_in_their_documents_and_only_those_of_one_tenant() {
    let office = Office::new();
    let linked = |id: &str, agent: &str| PersonRow {
        document: format!(r#"{{"agent":"{agent}"}}"#),
        ..known_as(person(id, id), "local", "", id)
    };
    let (ada, bob) = (linked("ada", "anna"), linked("bob", "bert"));
    for row in [&ada, &bob] {
        office.register.person_put(tenant("contoso"), row).unwrap();
    }
    office.register.person_put(tenant("fabrikam"), &linked("eve", "anna")).unwrap();
    let named = |text: &str| office.register.people_naming(tenant("contoso"), text, 10).unwrap();
    assert_eq!(named(r#""agent":"anna""#), [ada]);
    assert_eq!(named(r#""agent":"an""#), []);
    assert_eq!(named("agent").len(), 2);
    assert_eq!(office.register.people_naming(tenant("contoso"), "agent", 1).unwrap().len(), 1);
}

#[test]
fn whose_somebody_is_is_found_by_the_id_alone() {
    let office = Office::new();
    office.register.person_put(tenant("contoso"), &person("ada", "Ada")).unwrap();
    assert_eq!(office.register.whose_person("ada").unwrap(), Some(Scope::from(&tenant("contoso"))));
    assert_eq!(office.register.whose_person("bob").unwrap(), None);
    office.register.person_remove(tenant("contoso"), "ada").unwrap();
    assert_eq!(office.register.whose_person("ada").unwrap(), None);
}
