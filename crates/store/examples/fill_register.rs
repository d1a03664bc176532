//! Fills a register with the users of many tenants: `cargo run --release -p tandem-store --example fill_register -- FOLDER
//! TENANTS USERS`.
//!
//! Tenants are called `t0000`, `t0001` and so on; each gets its share of the users of an Entra tenant of its own,
//! as long as Graph tells them. The folder is that of a program that does not run.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench: what cannot go on ends")]

use std::path::PathBuf;
use std::time::Instant;

use tandem_store::register::DirectoryChange;
use tandem_store::{Register, Tenant};

const NOW_MS: i64 = 1_780_000_000_000;
const DEPARTMENTS: [&str; 5] = ["Billing", "Customer Service", "Field Support", "Legal", "Sales DACH"];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder: PathBuf = arguments.next().unwrap().into();
    let mut number = || arguments.next().unwrap().parse::<usize>().unwrap();
    let (tenants, users) = (number(), number());
    std::fs::create_dir_all(&folder).unwrap();
    let register = Register::open(folder.join("people.db"), &folder.join("journal.key")).unwrap();
    let begun = Instant::now();
    for place in 0..tenants {
        let tenant: Tenant = format!("t{place:04}").parse().unwrap();
        let tid = format!("{place:08x}-0000-4000-8000-000000000001");
        let upserted: Vec<_> = (place * users / tenants..(place + 1) * users / tenants).map(user).collect();
        let link =
            "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=0123456789abcdef0123456789abcdef";
        let change = DirectoryChange { upserted: &upserted, removed: &[], link: Some(("users", link)) };
        register.directory_apply(&tenant, &tid, change, NOW_MS).unwrap();
    }
    println!("{users} users of {tenants} tenants in {:?}", begun.elapsed());
}

/// A user's object id and what Graph tells of them.
fn user(number: usize) -> (String, String) {
    let oid = format!("{number:08x}-4b0a-4e5c-9d43-0a4f6f2f7a10");
    let department = DEPARTMENTS[number % DEPARTMENTS.len()];
    let document = format!(
        r#"{{"id":"{oid}","displayName":"Anna Müller {number}","givenName":"Anna","surname":"Müller {number}","mail":"anna.mueller{number}@contoso.example","userPrincipalName":"anna.mueller{number}@contoso.example","jobTitle":"Senior Consultant","department":"{department}","officeLocation":"København 2.01","businessPhones":["+49 30 {number:08}"],"preferredLanguage":"de-DE","userType":"Member","accountEnabled":true}}"#
    );
    (oid, document)
}
