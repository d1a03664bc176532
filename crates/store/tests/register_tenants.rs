//! What belongs to a tenant is its own, and goes with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{Office, act, key, known_as, login, person, refusal, tenant, webhook};
use rusqlite::Connection;
use tandem_store::Tenant;
use tandem_store::register::{
    AuditFilter, CredentialRow, DirectoryChange, DirectoryNote, ENTRA_TENANTS_MAX, EntraTenantRow, Noun,
    Refusal, Scope, TenantRow,
};

fn customer(name: &str) -> TenantRow {
    TenantRow {
        id: tenant(name),
        name: format!("{name} Ltd"),
        document: "{}".into(),
        state: "active".into(),
        created_ms: 1_000,
        changed_ms: 1_000,
    }
}

fn entra(tid: &str) -> EntraTenantRow {
    EntraTenantRow { tid: tid.into(), name: tid.into(), state: "{}".into(), changed_ms: 1_000 }
}

/// One of everything, each with the tenant's name in it.
fn furnish(office: &Office, tenant: &Tenant) {
    let register = &office.register;
    let name = tenant.as_str();
    register.tenant_create(&customer(name)).unwrap();
    let ada = known_as(person("ada", &format!("Ada of {name}")), "local", name, "ada");
    register.person_put(tenant, &ada).unwrap();
    let password = CredentialRow {
        kind: "password".into(),
        id: format!("{name}-ada"),
        data: vec![1],
        label: String::new(),
        created_ms: 0,
        used_ms: None,
    };
    register.credential_put(tenant, "ada", &password).unwrap();
    register.login_put(tenant, &login(&format!("{name}-l"), "ada")).unwrap();
    register.key_create(tenant, &key(&format!("{name}-k"))).unwrap();
    register.audit_append(tenant, &[act(1_000, name, "x", "done")]).unwrap();
    register.entra_tenant_put(tenant, &entra(&format!("{name}-tid"))).unwrap();
    register.secret_put(tenant, "token", name.as_bytes(), 0).unwrap();
    register.webhook_put(tenant, &webhook(&format!("{name}-w"))).unwrap();
    let user = [(format!("{name}-oid"), "{}".to_owned())];
    let page = DirectoryChange { upserted: &user, link: Some(("users", name)), ..Default::default() };
    register.directory_apply(tenant, "tid", page, 0).unwrap();
    let note =
        DirectoryNote { tid: "tid".into(), oid: format!("{name}-oid"), document: "{}".into(), changed_ms: 0 };
    register.directory_note_put(tenant, &note).unwrap();
}

/// Rows that name the tenant, in all tables.
fn rows(office: &Office, tenant: &Tenant) -> i64 {
    let file = Connection::open(office.path()).unwrap();
    let tables: Vec<String> = file
        .prepare(
            "SELECT m.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
             WHERE m.type = 'table' AND c.name = 'tenant'",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let count = |table: &String| -> i64 {
        let sql = format!("SELECT count(*) FROM {table} WHERE tenant = $1");
        file.query_row(&sql, [tenant.as_str()], |row| row.get(0)).unwrap()
    };
    tables.iter().map(count).sum()
}

#[test]
fn one_tenant_sees_nothing_of_the_other() {
    let office = Office::new();
    let (contoso, fabrikam) = (tenant("contoso"), tenant("fabrikam"));
    furnish(&office, &contoso);
    let register = &office.register;
    assert_eq!(register.people(&fabrikam, None, 10).unwrap(), []);
    assert_eq!(register.credentials(&fabrikam, "ada").unwrap(), []);
    assert_eq!(register.logins(&fabrikam, "ada").unwrap(), []);
    assert_eq!(register.keys(&fabrikam).unwrap(), []);
    assert_eq!(register.audit(&fabrikam, AuditFilter::default(), None, 10).unwrap(), []);
    assert_eq!(register.entra_tenants(&fabrikam).unwrap(), []);
    assert_eq!(register.secret(&fabrikam, "token").unwrap(), None);
    assert_eq!(register.webhooks(&fabrikam).unwrap(), []);
    assert_eq!(register.directory(&fabrikam, None, 10).unwrap(), []);
    assert_eq!(register.directory_notes(&fabrikam, None, 10).unwrap(), []);
    assert_eq!(register.delta_link(&fabrikam, "tid", "users").unwrap(), None);

    assert!(!register.login_revoke(&fabrikam, "contoso-l", 1).unwrap());
    assert!(!register.key_revoke(&fabrikam, "contoso-k", 1).unwrap());
    assert!(!register.entra_tenant_remove(&fabrikam, "contoso-tid").unwrap());
    assert!(!register.webhook_remove(&fabrikam, "contoso-w").unwrap());
    assert!(!register.person_remove(&fabrikam, "ada").unwrap());
    assert_eq!(register.login_by_id("contoso-l").unwrap().unwrap().1.revoked_ms, None);
}

#[test]
fn an_entra_tenant_belongs_to_one_tenant_and_a_tenant_may_have_many() {
    let office = Office::new();
    let (contoso, fabrikam) = (tenant("contoso"), tenant("fabrikam"));
    for tid in ["tid-b", "tid-a"] {
        office.register.entra_tenant_put(&contoso, &entra(tid)).unwrap();
    }
    let taken = office.register.entra_tenant_put(&fabrikam, &entra("tid-a")).unwrap_err();
    assert_eq!(refusal(taken), Refusal::Taken(Noun::EntraTenant));
    assert_eq!(office.register.tenant_by_entra("tid-a").unwrap(), Some(contoso.clone()));
    assert_eq!(office.register.tenant_by_entra("tid-c").unwrap(), None);
    let consented = EntraTenantRow { state: r#"{"consent":"given"}"#.into(), ..entra("tid-a") };
    office.register.entra_tenant_put(&contoso, &consented).unwrap();
    assert_eq!(office.register.entra_tenants(&contoso).unwrap(), [consented, entra("tid-b")]);
    assert!(office.register.entra_tenant_remove(&contoso, "tid-a").unwrap());
    office.register.entra_tenant_put(&fabrikam, &entra("tid-a")).unwrap();
    for number in 1..ENTRA_TENANTS_MAX {
        office.register.entra_tenant_put(&fabrikam, &entra(&format!("more-{number}"))).unwrap();
    }
    let full = Refusal::Full { noun: Noun::EntraTenant, most: ENTRA_TENANTS_MAX };
    assert_eq!(refusal(office.register.entra_tenant_put(&fabrikam, &entra("x")).unwrap_err()), full);
}

#[test]
fn a_customer_is_added_once_and_changed() {
    let office = Office::new();
    office.register.tenant_create(&customer("contoso")).unwrap();
    let again = office.register.tenant_create(&customer("contoso")).unwrap_err();
    assert_eq!(refusal(again), Refusal::Taken(Noun::Tenant));
    let suspended =
        TenantRow { state: "suspended".into(), created_ms: 9, changed_ms: 2_000, ..customer("contoso") };
    office.register.tenant_change(&suspended).unwrap();
    let office = office.restart();
    let now = TenantRow { created_ms: 1_000, ..suspended };
    assert_eq!(office.register.tenant(&tenant("contoso")).unwrap(), Some(now.clone()));
    assert_eq!(office.register.tenants().unwrap(), [now]);
    let unknown = office.register.tenant_change(&customer("fabrikam")).unwrap_err();
    assert_eq!(refusal(unknown), Refusal::Unknown(Noun::Tenant));
}

#[test]
fn a_tenant_that_is_removed_leaves_nothing_and_takes_nothing_of_others() {
    let office = Office::new();
    let (contoso, fabrikam) = (tenant("contoso"), tenant("fabrikam"));
    furnish(&office, &contoso);
    furnish(&office, &fabrikam);
    office.register.person_put(Scope::Installation, &person("olga", "Olga")).unwrap();
    let others = rows(&office, &fabrikam);
    assert_eq!(rows(&office, &contoso), others);
    assert!(office.register.tenant_remove(&contoso, 5_000).unwrap());
    assert_eq!((rows(&office, &contoso), rows(&office, &fabrikam)), (0, others));
    assert!(!office.contains(b"Ada of contoso") && office.contains(b"Ada of fabrikam"));
    assert!(office.register.person(Scope::Installation, "olga").unwrap().is_some());
    assert_eq!(office.register.tenants().unwrap().len(), 1);
    assert!(!office.register.tenant_remove(&contoso, 6_000).unwrap());
}

#[test]
fn what_still_runs_for_a_removed_tenant_writes_nothing_back() {
    let office = Office::new();
    let contoso = tenant("contoso");
    furnish(&office, &contoso);
    office.register.tenant_remove(&contoso, 5_000).unwrap();
    let office = office.restart();
    assert!(office.register.tenant_is_removed(&contoso).unwrap());
    let unknown = Refusal::Unknown(Noun::Tenant);
    let late = office.register.person_put(&contoso, &person("bob", "Bob")).unwrap_err();
    assert_eq!(refusal(late), unknown);
    let late = office.register.secret_put(&contoso, "token", b"x", 0).unwrap_err();
    assert_eq!(refusal(late), unknown);
    let user = [("oid".to_owned(), "{}".to_owned())];
    let page = DirectoryChange { upserted: &user, ..Default::default() };
    assert_eq!(refusal(office.register.directory_apply(&contoso, "tid", page, 0).unwrap_err()), unknown);
    assert_eq!(rows(&office, &contoso), 0);
    // The same name is given to a new customer.
    furnish(&office, &contoso);
    assert!(!office.register.tenant_is_removed(&contoso).unwrap());
}
