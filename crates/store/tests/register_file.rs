//! The register's file is its owner's, one process's, and whole after whatever happened.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use common::{Desk, Office, known_as, login, open_register, person, tenant};
use tandem_store::{Fault, Register};

#[test]
fn nobody_but_its_owner_may_read_it() {
    let office = Office::new();
    office.register.person_put(tenant("contoso"), &person("ada", "Ada")).unwrap();
    let mode =
        |name: &str| fs::metadata(office.directory.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("people.db"), mode("people.db-wal"), mode("journal.key")), (0o600, 0o600, 0o600));
    fs::set_permissions(office.path(), PermissionsExt::from_mode(0o644)).unwrap();
    let office = office.restart();
    assert_eq!(fs::metadata(office.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_second_process_is_kept_out_until_the_first_has_ended() {
    let office = Office::new();
    let fault = open_register(office.directory.path()).err().unwrap();
    assert!(matches!(fault, Fault::InUse { .. }), "{fault}");
    assert!(fault.remedy().contains("is Tandem already running?"));
    let register = office.register.clone();
    drop(office.register);
    assert!(open_register(office.directory.path()).is_err(), "a handle is left");
    drop(register);
    open_register(office.directory.path()).unwrap();
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("people.db");
    let letter = "Dear register, ".repeat(100);
    fs::write(&path, &letter).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let fault = open_register(directory.path()).err().unwrap();
    assert!(matches!(fault, Fault::NotARegister { .. }), "{fault}");
    assert_eq!(fs::read_to_string(&path).unwrap(), letter);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);

    // The journal is not the register, nor the other way round.
    let desk = Desk::new();
    let (journal, key) = (desk.path(), desk.path().with_extension("key"));
    desk.journal.close().unwrap();
    assert!(matches!(Register::open(journal, &key).err().unwrap(), Fault::NotARegister { .. }));
    let office = Office::new();
    let people = office.path();
    drop(office.register);
    let fault = common::open(people, tandem_store::Settings::default()).err().unwrap();
    assert!(matches!(fault, Fault::NotAJournal { .. }), "{fault}");
    let folder = Register::open(directory.path(), &key).err().unwrap();
    assert!(matches!(folder, Fault::NotARegister { .. }), "{folder}");
}

#[test]
fn a_register_of_a_newer_release_is_left_alone() {
    let office = Office::new();
    let path = office.path();
    drop(office.register);
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 4711").unwrap();
    let fault = open_register(office.directory.path()).err().unwrap();
    assert!(matches!(fault, Fault::NewerSchema { found: 4711, .. }), "{fault}");
}

#[test]
fn a_register_of_an_older_release_is_brought_up_to_date() {
    let office = Office::new();
    office.register.person_put(tenant("contoso"), &person("ada", "Ada")).unwrap();
    let path = office.path();
    drop(office.register);
    let before = "DROP INDEX people_by_id; DROP INDEX webhooks_by_id; PRAGMA user_version = 1";
    rusqlite::Connection::open(&path).unwrap().execute_batch(before).unwrap();
    let register = open_register(office.directory.path()).unwrap();
    assert!(register.whose_person("ada").unwrap().is_some());
    drop(register);
    let found = "SELECT count(*) FROM sqlite_schema WHERE name IN ('people_by_id', 'webhooks_by_id')";
    let count: i64 =
        rusqlite::Connection::open(&path).unwrap().query_row(found, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2);
}

#[test]
fn whoever_reads_waits_for_no_writer_and_sees_whole_commits() {
    let office = Office::new();
    let contoso = tenant("contoso");
    let put = |register: &Register, number: u32| {
        let ada = known_as(person("ada", &number.to_string()), "local", "", &number.to_string());
        register.person_put(&contoso, &ada).unwrap();
    };
    put(&office.register, 0);
    thread::scope(|scope| {
        scope.spawn(|| (1..200).for_each(|number| put(&office.register, number)));
        for _ in 0..3 {
            scope.spawn(|| {
                let mut seen = 0;
                while seen < 199 {
                    let ada = office.register.person(&contoso, "ada").unwrap().unwrap();
                    let name: u32 = ada.name.parse().unwrap();
                    assert!(name >= seen);
                    seen = name;
                }
            });
        }
    });
}

/// The victim is this very test, started again with the directory in its environment.
#[test]
fn killed_at_any_moment_what_was_told_is_there_and_nothing_is_half_done() {
    if let Some(directory) = env::var_os("TANDEM_TEST_REGISTER_VICTIM") {
        write_until_killed(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let contoso = tenant("contoso");
    for round in 0..4 {
        let told = run_and_kill(directory.path(), 5 + round * 3);
        let register = open_register(directory.path()).unwrap();
        let people = register.people(&contoso, None, usize::MAX).unwrap();
        assert!(people.len() >= told, "{told} were told, {} are there", people.len());
        for person in people {
            assert_eq!(person.identities.len(), 2, "{}", person.id);
        }
    }
}

fn run_and_kill(directory: &Path, commits: usize) -> usize {
    let mut victim = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "killed_at_any_moment_what_was_told_is_there_and_nothing_is_half_done",
            "--nocapture",
        ])
        .env("TANDEM_TEST_REGISTER_VICTIM", directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut told = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("told ")?.parse().ok());
    let mut last = 0;
    for _ in 0..commits {
        last = told.next().expect("the victim lives until it is killed");
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    told.last().unwrap_or(last)
}

fn write_until_killed(directory: &Path) -> ! {
    let register = open_register(directory).unwrap();
    let contoso = tenant("contoso");
    let mut count = register.people(&contoso, None, usize::MAX).unwrap().len();
    loop {
        let id = format!("p{count:06}");
        let row = known_as(known_as(person(&id, &id), "local", "", &id), "entra", "tid", &id);
        register.person_put(&contoso, &row).unwrap();
        register.login_put(&contoso, &login(&format!("l{count}"), &id)).unwrap();
        count += 1;
        let mut out = std::io::stdout().lock();
        writeln!(out, "told {count}").unwrap();
        out.flush().unwrap();
    }
}
