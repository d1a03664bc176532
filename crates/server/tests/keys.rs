//! `tandem check` explains the file of keys: missing, lost, open to others, something else.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a story that does not go as told must fail")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tandem::check::{self, Report};
use tandem::config::Settings;
use tandem::live::wait_committed;
use tandem::restore;
use tandem_center::Timestamp;
use tandem_center::call::{Address, CallId, Rejection};
use tandem_center::fact::{Fact, FactKind};
use tandem_center::personal::Personal;
use tandem_store::Tenant;

fn checked(folder: &Path) -> (bool, String) {
    let text = include_str!("../../../docs/tandem.example.toml").to_owned()
        + "\n[personal_data]\nkeep_days = 30\nkeys = \"safe.key\"\n";
    let settings = Settings::parse(&text, folder).unwrap_or_else(|faults| panic!("{faults}"));
    let mut report = Report::default();
    check::keys(&settings, &mut report);
    (report.passes(), report.to_string())
}

/// A journal in which one caller was refused at the door.
async fn journal(data: &Path, keys: &Path) {
    let mut restored = restore::open(data, Some(keys), Tenant::only()).unwrap();
    let kind = FactKind::CallRejected {
        call: CallId(1),
        line: "lab".into(),
        from: Personal::new(Address::Phone("+4917099999".into())),
        from_name: Personal::new("Erika".into()),
        to: Address::Phone("+4930111".into()),
        reason: Rejection::UnknownNumber,
    };
    let fact = Fact { number: 1, at: Timestamp::from_micros(1), version: Fact::VERSION, kind };
    restored.recorder.record(vec![fact]);
    assert!(wait_committed(&restored.live, 1, Duration::from_secs(60)).await);
    restored.live.close().unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_the_keys_is_told_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let (data, keys) = (folder.path().join("tandem-data"), folder.path().join("safe.key"));
    let (passes, text) = checked(folder.path());
    assert!(passes && text.contains("will be made"), "{text}");

    journal(&data, &keys).await;
    let (passes, text) = checked(folder.path());
    assert!(passes && text.contains("are there"), "{text}");
    let kept = fs::read(&keys).unwrap();

    fs::set_permissions(&keys, PermissionsExt::from_mode(0o644)).unwrap();
    let (passes, text) = checked(folder.path());
    assert!(!passes && text.contains("chmod 600"), "{text}");

    fs::remove_file(&keys).unwrap();
    let (passes, text) = checked(folder.path());
    assert!(!passes && text.contains("1 interactions") && text.contains("safe.key"), "{text}");
    assert!(!keys.exists(), "a check makes nothing");

    fs::write(&keys, "something else").unwrap();
    fs::set_permissions(&keys, PermissionsExt::from_mode(0o600)).unwrap();
    let (passes, text) = checked(folder.path());
    assert!(!passes && text.contains("not a key file"), "{text}");

    fs::write(&keys, kept).unwrap();
    assert!(checked(folder.path()).0);
}

#[tokio::test]
async fn a_start_without_the_old_key_goes_on_and_what_it_opened_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let (data, keys) = (folder.path().join("tandem-data"), folder.path().join("safe.key"));
    journal(&data, &keys).await;
    let old = fs::read(&keys).unwrap();
    fs::remove_file(&keys).unwrap();
    let restored = restore::open(&data, Some(&keys), Tenant::only()).unwrap();
    assert_eq!(restored.live.view().live.number, 1);
    assert_eq!(restored.journal.lost_interactions(), 1);
    restored.live.close().unwrap();
    fs::write(&keys, [old, fs::read(&keys).unwrap()].concat()).unwrap();
    let restored = restore::open(&data, Some(&keys), Tenant::only()).unwrap();
    assert_eq!(restored.journal.lost_interactions(), 0);
    restored.live.close().unwrap();
}
