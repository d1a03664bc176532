//! A secret is in no file but sealed, opens only where it was put, and is gone when it is removed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Office, open_register, refusal, tenant};
use rusqlite::Connection;
use tandem_store::register::{Noun, Refusal, SECRET_BYTES_MAX, SECRETS_MAX, Scope, Secret};
use tandem_store::{Gone, Tenant};

const TOKEN: &[u8] = b"0.AXoA-refresh-token-of-the-presence-account";

fn known(office: &Office, tenant: &Tenant, name: &str) -> Option<Vec<u8>> {
    match office.register.secret(tenant, name).unwrap()? {
        Secret::Known(secret) => Some(secret.to_vec()),
        Secret::Gone(why) => panic!("{why:?}"),
    }
}

#[test]
fn it_is_read_by_its_tenant_and_by_nobody_in_the_file() {
    let office = Office::new();
    let contoso = tenant("contoso");
    office.register.secret_put(&contoso, "graph.refresh", TOKEN, 1_000).unwrap();
    office.register.secret_put(&contoso, "graph.refresh", &[TOKEN, b"2"].concat(), 2_000).unwrap();
    office.register.secret_put(Scope::Installation, "graph.refresh", b"another", 1_000).unwrap();
    let office = office.restart();
    assert_eq!(known(&office, &contoso, "graph.refresh"), Some([TOKEN, b"2"].concat()));
    assert_eq!(known(&office, &tenant("fabrikam"), "graph.refresh"), None);
    assert_eq!(known(&office, &contoso, "graph"), None);
    assert!(!office.contains(&TOKEN[..12]));
    assert!(!format!("{:?}", office.register.secret(&contoso, "graph.refresh")).contains("AXoA"));
}

#[test]
fn moved_to_another_tenant_or_changed_it_is_damaged() {
    let office = Office::new();
    let (contoso, fabrikam) = (tenant("contoso"), tenant("fabrikam"));
    office.register.secret_put(&contoso, "a", TOKEN, 1_000).unwrap();
    let file = Connection::open(office.path()).unwrap();
    file.execute("INSERT INTO secrets SELECT 'fabrikam', name, wrapped, sealed, 0 FROM secrets", []).unwrap();
    file.execute("INSERT INTO secrets SELECT 'contoso', 'b', wrapped, sealed, 0 FROM secrets LIMIT 1", [])
        .unwrap();
    let damaged = Some(Secret::Gone(Gone::Damaged));
    assert_eq!(office.register.secret(&fabrikam, "a").unwrap(), damaged);
    assert_eq!(office.register.secret(&contoso, "b").unwrap(), damaged);
    assert_eq!(known(&office, &contoso, "a"), Some(TOKEN.to_vec()));
}

#[test]
fn without_the_master_key_it_is_said_so_and_a_new_secret_can_be_kept() {
    let Office { directory, register } = Office::new();
    let contoso = tenant("contoso");
    register.secret_put(&contoso, "a", TOKEN, 1_000).unwrap();
    drop(register);
    std::fs::remove_file(directory.path().join("journal.key")).unwrap();
    let register = open_register(directory.path()).unwrap();
    let office = Office { directory, register };
    assert_eq!(office.register.secret(&contoso, "a").unwrap(), Some(Secret::Gone(Gone::KeyLost)));
    office.register.secret_put(&contoso, "a", b"new", 2_000).unwrap();
    assert_eq!(known(&office, &contoso, "a"), Some(b"new".to_vec()));
}

#[test]
fn removed_it_is_in_no_file_any_more() {
    let office = Office::new();
    let contoso = tenant("contoso");
    office.register.secret_put(&contoso, "a", TOKEN, 1_000).unwrap();
    let wrapped: Vec<u8> = Connection::open(office.path())
        .unwrap()
        .query_row("SELECT wrapped FROM secrets", [], |row| row.get(0))
        .unwrap();
    assert!(office.contains(&wrapped));
    assert!(!office.register.secret_remove(tenant("fabrikam"), "a").unwrap());
    assert!(office.register.secret_remove(&contoso, "a").unwrap());
    assert!(!office.contains(&wrapped));
}

#[test]
fn names_lengths_and_numbers_have_limits() {
    let office = Office::new();
    let contoso = tenant("contoso");
    let put = |name: &str, bytes: usize| office.register.secret_put(&contoso, name, &vec![0; bytes], 0);
    for wrong in ["", "A", "a/b", "ä", &"a".repeat(65)] {
        assert_eq!(refusal(put(wrong, 1).unwrap_err()), Refusal::Misnamed(Noun::Secret), "{wrong:?}");
    }
    let too_long = Refusal::TooLong { noun: Noun::Secret, bytes_max: SECRET_BYTES_MAX };
    assert_eq!(refusal(put("a", SECRET_BYTES_MAX as usize + 1).unwrap_err()), too_long);
    let file = Connection::open(office.path()).unwrap();
    file.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
         INSERT INTO secrets SELECT 'contoso', 'n' || i, x'', x'', 0 FROM n",
        [SECRETS_MAX],
    )
    .unwrap();
    let full = Refusal::Full { noun: Noun::Secret, most: SECRETS_MAX };
    assert_eq!(refusal(put("one-more", 1).unwrap_err()), full);
    put("n1", 1).unwrap();
}
