//! Several customers in one configuration: whose numbers and trunks are whose, and what is wrong is named with its
//! customer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;

use tandem::config::Settings;
use tandem_center::call::Address;
use tandem_store::Tenant;
use tempfile::TempDir;

const MAIN: &str = r#"
[[interfaces]]
name = "local"
transport = "udp"
bind = "127.0.0.1:5060"

[[media]]
name = "local"
bind = "127.0.0.1"
ports = [20000, 29999]

[[trunks]]
name = "carrier"
profile = "carrier"
interface = "local"
media = "local"
peers = ["127.0.0.1"]

[[trunks]]
name = "north-only"
profile = "carrier"
interface = "local"
media = "local"
peers = ["127.0.0.1"]
tenant = "north"

[tenants.north]
name = "North"
file = "north.toml"

[tenants.south]
name = "South"
file = "customers/south.toml"
"#;

const NORTH: &str = r#"
[[numbers]]
dialled = "+15550101"
flow = "main"

[[numbers]]
dialled = "*"
line = "north-only"
flow = "main"

[flows.main]
start = "bye"

[flows.main.steps.bye]
hang_up = true
"#;

const SOUTH: &str = r#"
[[numbers]]
dialled = "+15550202"
flow = "main"

[flows.main]
start = "bye"

[flows.main.steps.bye]
hang_up = true
"#;

fn folder(north: &str, south: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("north.toml"), north).unwrap();
    std::fs::create_dir(folder.path().join("customers")).unwrap();
    std::fs::write(folder.path().join("customers/south.toml"), south).unwrap();
    folder
}

fn faults(main: &str, folder: &Path) -> String {
    Settings::parse(main, folder).err().expect("it has faults").to_string()
}

fn whose(settings: &Settings, line: &str, number: &str) -> Option<String> {
    settings.routes.tenant(&line.into(), &Address::Phone(number.into())).map(Tenant::to_string)
}

#[test]
fn a_call_is_whose_trunk_it_comes_over_and_on_a_trunk_of_all_whose_number_it_is() {
    let folder = folder(NORTH, SOUTH);
    let settings = Settings::parse(MAIN, folder.path()).unwrap();
    assert_eq!(whose(&settings, "carrier", "+15550101").as_deref(), Some("north"));
    assert_eq!(whose(&settings, "carrier", "+15550202").as_deref(), Some("south"));
    assert_eq!(whose(&settings, "carrier", "+15550303"), None);
    // The other's number, too: the trunk is not the other's.
    assert_eq!(whose(&settings, "north-only", "+15550202").as_deref(), Some("north"));
    let lines: Vec<Vec<&str>> =
        settings.tenants.iter().map(|tenant| tenant.lines.iter().map(|line| &**line).collect()).collect();
    assert_eq!(lines, [vec!["carrier", "north-only"], vec!["carrier"]]);
}

#[test]
fn one_customer_alone_needs_no_file_of_its_own() {
    let (main, _) = MAIN.split_once("[tenants.north]").unwrap();
    let main = format!("{}\n{NORTH}", main.replace("tenant = \"north\"\n", ""));
    let settings = Settings::parse(&main, Path::new(".")).unwrap();
    assert_eq!(settings.tenants.len(), 1);
    assert_eq!(
        whose(&settings, "carrier", "+49").as_deref(),
        Some("default"),
        "the center itself refuses it"
    );
}

#[test]
fn a_number_that_two_claim_on_a_trunk_of_both_is_told() {
    let folder = folder(NORTH, &SOUTH.replace("+15550202", "+15550101"));
    let told = faults(MAIN, folder.path());
    assert!(told.contains("numbers.+15550101") && told.contains("north and to south"), "{told}");
}

#[test]
fn the_same_number_on_trunks_of_their_own_is_no_clash() {
    let main = MAIN.replace(
        "peers = [\"127.0.0.1\"]\n\n[[trunks]]",
        "peers = [\"127.0.0.1\"]\ntenant = \"south\"\n\n[[trunks]]",
    );
    let folder = folder(NORTH, &SOUTH.replace("+15550202", "+15550101"));
    let settings = Settings::parse(&main, folder.path()).unwrap();
    assert_eq!(whose(&settings, "carrier", "+15550101").as_deref(), Some("south"));
    assert_eq!(whose(&settings, "north-only", "+15550101").as_deref(), Some("north"));
}

#[test]
fn what_is_wrong_is_named_with_its_customer() {
    let wrong = SOUTH.replace("flow = \"main\"", "flow = \"mian\"");
    let told = faults(MAIN, folder(NORTH, &wrong).path());
    assert!(told.contains("tenants.south: numbers.+15550202.flow") && !told.contains("north"), "{told}");
    let told = faults(MAIN, folder(NORTH, "[[number]]").path());
    assert!(told.contains("tenants.south.file") && told.contains("unknown field `number`"), "{told}");
}

#[test]
fn trunks_of_others_files_that_are_missing_and_ids_that_are_none_are_told() {
    let place = folder(
        NORTH,
        &SOUTH.replace("dialled = \"+15550202\"", "dialled = \"+15550202\"\nline = \"north-only\""),
    );
    let told = faults(MAIN, place.path());
    assert!(
        told.contains("tenants.south: numbers.+15550202.line"),
        "the trunk is not there for others: {told}"
    );
    let place = folder(NORTH, SOUTH);
    let told = faults(&MAIN.replace("customers/south.toml", "customers/east.toml"), place.path());
    assert!(told.contains("tenants.south.file") && told.contains("check the path"), "{told}");
    let told = faults(&MAIN.replace("[tenants.south]", "[tenants.South]"), place.path());
    assert!(told.contains("tenants.South") && told.contains("lower-case"), "{told}");
    let told = faults(&MAIN.replace("tenant = \"north\"", "tenant = \"east\""), place.path());
    assert!(told.contains("trunks.north-only.tenant") && told.contains("east"), "{told}");
    let told = faults(&format!("{MAIN}\n{SOUTH}"), place.path());
    assert!(told.contains("numbers: stands beside [tenants]"), "{told}");
}

#[test]
fn each_says_how_much_it_holds_and_for_how_long_it_keeps_what_it_knows_of_callers() {
    let limits = "[limits]\ncalls = 7\ncall_s = 600\n[personal_data]\nkeep_days = 30\n";
    let place = folder(&format!("{limits}\n{NORTH}"), SOUTH);
    let main = format!("[personal_data]\nkeep_days = 90\n{MAIN}");
    let settings = Settings::parse(&main, place.path()).unwrap();
    let kept: Vec<u32> = settings.tenants.iter().map(|tenant| tenant.keep_days).collect();
    assert_eq!(kept, [30, 90], "what stands in the main file holds where the other says nothing");
    let calls: Vec<u32> =
        settings.tenants.iter().map(|tenant| tenant.center.document().limits.calls).collect();
    assert_eq!(calls, [7, 5000]);
    assert_eq!(settings.calls, 5007, "the door has room for all of them at once");
    let wrong = folder(&format!("[personal_data]\nkeep_days = 40000\n{NORTH}"), SOUTH);
    let told = faults(MAIN, wrong.path());
    assert!(told.contains("tenants.north: personal_data.keep_days") && told.contains("36500"), "{told}");
}

#[test]
fn limits_beside_the_tenants_would_hold_for_nobody_and_are_told() {
    let place = folder(NORTH, SOUTH);
    for (section, key) in [
        ("limits", "calls = 7"),
        ("offers", "misses = 2"),
        ("capacity", "total = 7"),
        ("presence", "believed_s = 77"),
    ] {
        let told = faults(&format!("{MAIN}\n[{section}]\n{key}\n"), place.path());
        assert!(told.contains(&format!("{section}: stands beside [tenants]")), "{told}");
    }
}

#[test]
fn what_takes_a_restart_is_told_by_its_key_and_the_rest_is_none() {
    let place = folder(NORTH, SOUTH);
    let settings = Settings::parse(MAIN, place.path()).unwrap();
    let differs = |main: &str| {
        let wanted = Settings::parse(main, place.path()).unwrap_or_else(|faults| panic!("{faults}"));
        settings.standing.differences(&wanted.standing)
    };
    assert_eq!(differs(MAIN), [""; 0]);
    assert_eq!(differs(&MAIN.replace("name = \"North\"", "name = \"The North\"")), [""; 0]);
    let (before, _) = MAIN.split_once("[tenants.south]").unwrap();
    assert_eq!(differs(before), ["tenants.south"], "who goes, goes with a restart");
    assert_eq!(differs(&format!("{MAIN}\n[log]\nlevel = \"debug\"\n")), ["log"]);
    assert_eq!(differs(&format!("{MAIN}\n[sign_in]\nlocal = false\n")), ["sign_in"]);
    let further = "\n[[trunks]]\nname = \"far\"\nprofile = \"carrier\"\ninterface = \"local\"\nmedia = \"local\"\n\
                   peers = [\"127.0.0.2\"]\n";
    assert_eq!(differs(&format!("{MAIN}{further}")), [""; 0]);
    // Of two trunks over which a call may have come, it came over the first: the order is no matter of taste.
    let (interfaces, trunks) = MAIN.split_once("[[trunks]]").unwrap();
    assert_eq!(
        differs(&format!("{interfaces}{further}[[trunks]]{trunks}")),
        ["trunks.carrier", "trunks.north-only"]
    );
    assert_eq!(
        differs(&MAIN.replace("name = \"carrier\"", "name = \"carrier\"\nlatch = true")),
        ["trunks.carrier"]
    );
    let alone = MAIN.split_once("[tenants.north]").unwrap().0.replace("tenant = \"north\"", "latch = true");
    assert_eq!(differs(&alone), ["trunks.north-only", "tenants.north", "tenants.south"]);
}
