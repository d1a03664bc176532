//! Signing in, staying signed in, and being sent away.

use std::collections::BTreeSet;
use std::time::Duration;

use tandem_people::caller::{Object, Who};
use tandem_people::login::{
    AccessFault, Change, Ending, LoginRow, LoginTerms, Logins, OpenFault, Opened, RenewFault, SignIn,
};
use tandem_people::moment::UnixMillis;
use tandem_people::permission::Permission;
use tandem_people::person::Person;
use tandem_people::role::Role;

use crate::staff::{north, person};

/// Logins with a clock and a source of bytes that never repeat.
struct Desk {
    logins: Logins,
    now: UnixMillis,
    drawn: u64,
}

impl Desk {
    fn new() -> Desk {
        Desk::with(LoginTerms::default())
    }

    fn with(terms: LoginTerms) -> Desk {
        Desk { logins: Logins::new(terms), now: UnixMillis::from_millis(1_700_000_000_000), drawn: 0 }
    }

    fn draw<const N: usize>(&mut self) -> [u8; N] {
        self.drawn += 1;
        std::array::from_fn(|index| (self.drawn.wrapping_mul(31).wrapping_add(index as u64 * 7) % 251) as u8)
    }

    fn open(&mut self, person: &Person) -> Opened {
        let random = self.draw();
        self.logins.open(self.now, person, SignIn::Password, "Firefox on Linux", &random).unwrap()
    }

    fn renew(&mut self, refresh: &str) -> Result<tandem_people::login::Renewed, RenewFault> {
        let random = self.draw();
        self.logins.renew(self.now, refresh, &random)
    }

    fn may_ask(&self, token: &str) -> Result<(), AccessFault> {
        self.logins.authorise(self.now, token).map(|_| ())
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.logins.handle_timeout(self.now);
    }

    fn changes(&mut self) -> Vec<Change> {
        std::iter::from_fn(|| self.logins.poll_change()).collect()
    }

    fn endings(&mut self) -> Vec<Ending> {
        let ending = |change| match change {
            Change::Ended { why, .. } => Some(why),
            Change::Opened(_) | Change::Renewed { .. } | Change::Used { .. } => None,
        };
        self.changes().into_iter().filter_map(ending).collect()
    }
}

fn anna() -> Person {
    person(1, north(), &[Role::Supervisor])
}

#[test]
fn somebody_signs_in_and_asks_with_the_token() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    let asked = desk.logins.authorise(desk.now, opened.access.expose()).unwrap();
    assert_eq!(asked.caller.may(Permission::CallsRead, Object::Tenant("north")), Ok(()));
    assert_eq!(*asked.caller.who(), Who::Person { person: anna().id, login: Some(opened.id.clone()) });
    assert_eq!(asked.login.label.as_ref(), "Firefox on Linux");
    assert!(!asked.touch);
    let rows: Vec<LoginRow> = desk.logins.of_person(&anna().id).cloned().collect();
    assert_eq!(desk.changes(), [Change::Opened(Box::new(rows[0].clone()))]);
}

#[test]
fn no_secret_is_in_what_is_kept_or_shown() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    let row = desk.logins.login(&opened.id).unwrap();
    let shown = format!("{row:?}{opened:?}{}", serde_json::to_string(row).unwrap());
    let secrets = [opened.access.expose(), opened.refresh.expose()];
    for part in secrets.iter().flat_map(|secret| secret.split('_')).filter(|part| part.len() > 3) {
        assert!(!shown.contains(part));
    }
    assert!(!serde_json::to_string(row).unwrap().contains("refresh"));
}

#[test]
fn an_access_token_lives_for_minutes_and_is_renewed() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    desk.now = desk.now + Duration::from_secs(15 * 60);
    assert_eq!(desk.may_ask(opened.access.expose()), Err(AccessFault::Expired));
    desk.pass(Duration::ZERO);
    assert_eq!(desk.may_ask(opened.access.expose()), Err(AccessFault::Unknown));

    let renewed = desk.renew(opened.refresh.expose()).unwrap();
    assert_eq!(desk.may_ask(renewed.access.expose()), Ok(()));
    assert_ne!(renewed.refresh.unwrap().expose(), opened.refresh.expose());
    assert_eq!(renewed.id, opened.id);
}

#[test]
fn two_tabs_renew_at_once_and_both_go_on() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    let first = desk.renew(opened.refresh.expose()).unwrap();
    desk.pass(Duration::from_secs(2));
    let second = desk.renew(opened.refresh.expose()).unwrap();
    assert_eq!(desk.may_ask(first.access.expose()), Ok(()));
    assert_eq!(desk.may_ask(second.access.expose()), Ok(()));
    assert!(second.refresh.is_none(), "there is one refresh secret, and the first tab has it");
    assert!(desk.renew(first.refresh.unwrap().expose()).is_ok());
}

#[test]
fn a_stolen_refresh_secret_ends_the_login_for_both() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    let thief = desk.renew(opened.refresh.expose()).unwrap();
    desk.pass(Duration::from_secs(60));
    desk.changes();
    assert_eq!(
        desk.renew(opened.refresh.expose()).unwrap_err(),
        RenewFault::Stolen { login: opened.id.clone() }
    );
    assert_eq!(desk.endings(), [Ending::Stolen]);
    assert_eq!(desk.may_ask(thief.access.expose()), Err(AccessFault::Unknown));
    assert_eq!(desk.renew(thief.refresh.unwrap().expose()).unwrap_err(), RenewFault::Unknown);
}

#[test]
fn a_thief_who_renews_many_times_is_found_all_the_same() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    let mut stolen = opened.refresh.clone();
    for _ in 0..5 {
        desk.pass(Duration::from_secs(600));
        stolen = desk.renew(stolen.expose()).unwrap().refresh.unwrap();
    }
    let met = desk.renew(opened.refresh.expose()).unwrap_err();
    assert_eq!(met, RenewFault::Stolen { login: opened.id });
    assert!(desk.logins.is_empty());
}

#[test]
fn a_guess_ends_nobodys_login() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    let guess = format!("tdr_{}_{}", "a".repeat(43), "b".repeat(43));
    for text in [guess.as_str(), "", "tdr_", "tdr__", opened.access.expose(), &opened.refresh.expose()[..60]]
    {
        assert_eq!(desk.renew(text).unwrap_err(), RenewFault::Unknown, "{text}");
        assert_eq!(
            desk.may_ask(text),
            if text == opened.access.expose() { Ok(()) } else { Err(AccessFault::Unknown) }
        );
    }
    assert_eq!(desk.may_ask(opened.refresh.expose()), Err(AccessFault::Unknown));
    assert!(desk.renew(opened.refresh.expose()).is_ok());
}

#[test]
fn whoever_does_nothing_for_half_a_day_signs_in_again() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    desk.changes();
    desk.pass(Duration::from_secs(12 * 3600 - 1));
    assert_eq!(desk.logins.len(), 1);
    desk.pass(Duration::from_secs(1));
    assert_eq!(desk.endings(), [Ending::Over]);
    assert_eq!(desk.renew(opened.refresh.expose()).unwrap_err(), RenewFault::Unknown);
    assert_eq!(desk.logins.poll_timeout(), None);
}

#[test]
fn whoever_works_on_stays_signed_in_for_two_weeks_and_no_longer() {
    let mut desk = Desk::new();
    let mut refresh = desk.open(&anna()).refresh;
    let begun = desk.now;
    loop {
        desk.pass(Duration::from_secs(3 * 3600));
        match desk.renew(refresh.expose()) {
            Ok(renewed) => refresh = renewed.refresh.unwrap(),
            Err(fault) => break assert_eq!(fault, RenewFault::Unknown),
        }
    }
    assert_eq!(desk.now.since(begun), Duration::from_secs(14 * 86_400));
    assert_eq!(desk.endings(), [Ending::Over]);
}

#[test]
fn a_request_now_and_then_keeps_a_login_alive() {
    let mut desk = Desk::with(LoginTerms { access: Duration::from_secs(86_400), ..LoginTerms::default() });
    let opened = desk.open(&anna());
    desk.pass(Duration::from_secs(11 * 3600));
    assert!(desk.logins.authorise(desk.now, opened.access.expose()).unwrap().touch);
    desk.changes();
    desk.logins.touch(desk.now, &opened.id);
    desk.logins.touch(desk.now, &opened.id);
    assert_eq!(desk.changes(), [Change::Used { id: opened.id.clone(), at: desk.now }]);
    desk.pass(Duration::from_secs(11 * 3600));
    assert_eq!(desk.may_ask(opened.access.expose()), Ok(()));
    desk.now = desk.now + Duration::from_secs(2 * 3600);
    assert_eq!(
        desk.may_ask(opened.access.expose()),
        Err(AccessFault::Expired),
        "idle, though the token is young"
    );
}

#[test]
fn a_role_that_is_taken_is_gone_with_the_next_request() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    let demoted = Person { assigned: BTreeSet::from([Role::Agent]), ..anna() };
    desk.logins.person_changed(desk.now, &demoted);
    let asked = desk.logins.authorise(desk.now, opened.access.expose()).unwrap();
    assert!(asked.caller.may(Permission::RecordingsRead, Object::Tenant("north")).is_err());
    let renewed = desk.renew(opened.refresh.expose()).unwrap();
    assert!(renewed.caller.may(Permission::RecordingsRead, Object::Tenant("north")).is_err());
}

#[test]
fn somebody_who_is_disabled_is_out_at_once_and_does_not_come_in() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    let disabled = Person { enabled: false, ..anna() };
    desk.logins.person_changed(desk.now, &disabled);
    assert_eq!(desk.may_ask(opened.access.expose()), Err(AccessFault::Unknown));
    assert_eq!(desk.endings(), [Ending::Disabled]);
    let random = desk.draw();
    let fault = desk.logins.open(desk.now, &disabled, SignIn::Password, "", &random).unwrap_err();
    assert_eq!(fault, OpenFault::Disabled);
}

#[test]
fn one_login_is_ended_or_all_but_the_one_at_hand() {
    let mut desk = Desk::new();
    let (here, lost, other) = (desk.open(&anna()), desk.open(&anna()), desk.open(&anna()));
    let ben = desk.open(&person(2, north(), &[Role::Agent]));
    desk.logins.revoke(desk.now, &lost.id, Ending::Revoked);
    assert_eq!(desk.may_ask(lost.access.expose()), Err(AccessFault::Unknown));
    assert_eq!(desk.may_ask(other.access.expose()), Ok(()));
    desk.logins.revoke_all(desk.now, &anna().id, Some(&here.id), Ending::CredentialChanged);
    assert_eq!(desk.may_ask(here.access.expose()), Ok(()));
    assert_eq!(desk.may_ask(other.access.expose()), Err(AccessFault::Unknown));
    assert_eq!(desk.may_ask(ben.access.expose()), Ok(()));
    assert_eq!(desk.endings(), [Ending::Revoked, Ending::CredentialChanged]);
}

#[test]
fn too_many_logins_of_one_person_end_the_stalest() {
    let mut desk = Desk::new();
    let first = desk.open(&anna());
    desk.pass(Duration::from_secs(60));
    let second = desk.open(&anna());
    for _ in 2..Logins::OF_PERSON_MAX {
        desk.pass(Duration::from_secs(1));
        desk.open(&anna());
    }
    desk.logins.touch(desk.now, &first.id);
    desk.open(&anna());
    assert_eq!(desk.logins.len(), Logins::OF_PERSON_MAX);
    assert_eq!(desk.may_ask(first.access.expose()), Ok(()));
    assert_eq!(desk.may_ask(second.access.expose()), Err(AccessFault::Unknown));
    assert_eq!(desk.endings(), [Ending::TooMany]);
}

#[test]
fn too_many_tokens_of_one_login_make_the_oldest_worthless() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    let mut refresh = opened.refresh;
    for _ in 0..Logins::ACCESS_OF_LOGIN_MAX {
        refresh = desk.renew(refresh.expose()).unwrap().refresh.unwrap();
    }
    assert_eq!(desk.may_ask(opened.access.expose()), Err(AccessFault::Unknown));
}

#[test]
fn after_a_restart_everybody_renews_once() {
    let mut desk = Desk::new();
    let opened = desk.open(&anna());
    let renewed = desk.renew(opened.refresh.expose()).unwrap();
    let row = desk.logins.login(&opened.id).unwrap().clone();
    let disabled = desk.open(&person(2, north(), &[Role::Agent]));
    let gone = desk.logins.login(&disabled.id).unwrap().clone();

    let mut after = Desk::new();
    after.drawn = 100;
    after.now = desk.now + Duration::from_secs(3600);
    after.logins.restore(after.now, row.clone(), &anna());
    after.logins.restore(after.now, gone, &Person { enabled: false, ..person(2, north(), &[]) });
    assert_eq!(after.endings(), [Ending::Disabled]);
    assert_eq!(after.may_ask(renewed.access.expose()), Err(AccessFault::Unknown));
    let again = after.renew(renewed.refresh.unwrap().expose()).unwrap();
    assert_eq!(after.may_ask(again.access.expose()), Ok(()));
    assert_eq!(
        after.renew(opened.refresh.expose()).unwrap_err(),
        RenewFault::Stolen { login: opened.id },
        "a restart forgets no theft"
    );

    let mut late = Desk::new();
    late.now = row.expires;
    late.logins.restore(late.now, row, &anna());
    assert_eq!(late.endings(), [Ending::Over]);
    assert!(late.logins.is_empty());
}
