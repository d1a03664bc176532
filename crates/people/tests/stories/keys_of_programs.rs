//! API keys: made once, shown once, good for what they were made for.

use std::time::Duration;

use tandem_people::api_key::{ApiKey, KeyChange, KeyFault, KeyId, KeyWish, KeyWishFault, Keys};
use tandem_people::caller::{Object, Refusal, Who};
use tandem_people::moment::UnixMillis;
use tandem_people::permission::{Permission, PermissionSet};
use tandem_people::scope::Scope;
use tandem_people::secret::Secret;

use crate::staff::{north, south};

const NOW: UnixMillis = UnixMillis::from_millis(1_700_000_000_000);

fn wish(scope: Scope) -> KeyWish {
    KeyWish {
        scope,
        name: "Presence of the telephone system".into(),
        scopes: [Permission::PresenceWrite].into_iter().collect(),
        expires: None,
        by: Who::Console,
    }
}

fn issue(keys: &mut Keys, number: u8, scope: Scope) -> (KeyId, Secret) {
    keys.issue(NOW, wish(scope), &[number; Keys::ISSUE_RANDOM_BYTES]).unwrap()
}

#[test]
fn a_program_asks_with_its_key() {
    let mut keys = Keys::new();
    let (id, text) = issue(&mut keys, 1, north());
    let asked = keys.authorise(NOW, text.expose()).unwrap();
    assert_eq!(asked.key.id, id);
    assert!(text.expose().starts_with(&format!("tdk_{id}_")));
    assert_eq!(asked.caller.may(Permission::PresenceWrite, Object::Tenant("north")), Ok(()));
    assert!(asked.caller.may(Permission::CallsRead, Object::Tenant("north")).is_err());
    assert_eq!(asked.caller.may(Permission::PresenceWrite, Object::Tenant("south")), Err(Refusal::NotYours));
}

#[test]
fn the_key_cannot_be_read_from_what_is_kept() {
    let mut keys = Keys::new();
    let (id, text) = issue(&mut keys, 1, north());
    let key = keys.key(&id).unwrap();
    let secret = text.expose().rsplit('_').next().unwrap();
    let json = serde_json::to_string(key).unwrap();
    assert!(!format!("{key:?}{json}").contains(secret));
    assert!(!json.contains("hash"));
    let shown: ApiKey = serde_json::from_str(&json).unwrap();
    let mut others = Keys::new();
    others.restore(shown);
    assert_eq!(others.authorise(NOW, text.expose()).unwrap_err(), KeyFault::Unknown);
}

#[test]
fn a_key_that_is_wrong_mistyped_or_cut_is_not_good() {
    let mut keys = Keys::new();
    let (_, text) = issue(&mut keys, 1, north());
    let (_, foreign) = issue(&mut Keys::new(), 2, north());
    assert_eq!(keys.authorise(NOW, foreign.expose()).unwrap_err(), KeyFault::Unknown);
    let cut = &text.expose()[..text.expose().len() - 1];
    for text in [cut, "", "tdk_", "Bearer x", "tda_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        assert_eq!(keys.authorise(NOW, text).unwrap_err(), KeyFault::NotAKey, "{text}");
    }
}

#[test]
fn a_key_with_the_right_id_and_another_secret_is_not_good() {
    let (mut keys, mut forger) = (Keys::new(), Keys::new());
    let (id, _) = issue(&mut keys, 1, north());
    let mut random = [1; Keys::ISSUE_RANDOM_BYTES];
    random[20] = 9;
    let (same, forged) = forger.issue(NOW, wish(north()), &random).unwrap();
    assert_eq!(id, same);
    assert_eq!(keys.authorise(NOW, forged.expose()).unwrap_err(), KeyFault::Unknown);
}

#[test]
fn a_key_ends_when_it_was_said_to() {
    let mut keys = Keys::new();
    let expires = NOW + Duration::from_secs(60);
    let wish = KeyWish { expires: Some(expires), ..wish(north()) };
    let (id, text) = keys.issue(NOW, wish, &[1; Keys::ISSUE_RANDOM_BYTES]).unwrap();
    assert!(keys.authorise(NOW, text.expose()).is_ok());
    assert_eq!(keys.authorise(expires, text.expose()).unwrap_err(), KeyFault::Expired { key: id });
}

#[test]
fn a_revoked_key_is_worthless_and_stays_so_over_a_restart() {
    let mut keys = Keys::new();
    let (id, text) = issue(&mut keys, 1, north());
    let kept = keys.key(&id).unwrap().clone();
    keys.revoke(NOW, &id);
    keys.revoke(NOW, &id);
    assert_eq!(keys.authorise(NOW, text.expose()).unwrap_err(), KeyFault::Unknown);
    let told: Vec<KeyChange> = std::iter::from_fn(|| keys.poll_change()).collect();
    assert_eq!(
        told,
        [KeyChange::Issued(Box::new(kept.clone())), KeyChange::Revoked { id: id.clone(), at: NOW }]
    );

    let mut after = Keys::new();
    after.restore(ApiKey { revoked: Some(NOW), ..kept.clone() });
    assert_eq!(after.authorise(NOW, text.expose()).unwrap_err(), KeyFault::Unknown);
    after.restore(kept);
    assert!(after.authorise(NOW, text.expose()).is_ok());
}

#[test]
fn a_tenant_that_leaves_takes_its_keys_along() {
    let mut keys = Keys::new();
    let ((_, of_north), (_, of_south)) = (issue(&mut keys, 1, north()), issue(&mut keys, 2, south()));
    keys.revoke_scope(NOW, &north());
    assert!(keys.authorise(NOW, of_north.expose()).is_err());
    assert!(keys.authorise(NOW, of_south.expose()).is_ok());
}

#[test]
fn it_is_noted_once_a_minute_that_a_key_is_used() {
    let mut keys = Keys::new();
    let (id, text) = issue(&mut keys, 1, north());
    assert!(keys.authorise(NOW, text.expose()).unwrap().touch);
    keys.touch(NOW, &id);
    keys.touch(NOW, &id);
    assert!(!keys.authorise(NOW, text.expose()).unwrap().touch);
    assert!(keys.authorise(NOW + Keys::TOUCH_EVERY, text.expose()).unwrap().touch);
    let used =
        std::iter::from_fn(|| keys.poll_change()).filter(|change| matches!(change, KeyChange::Used { .. }));
    assert_eq!(used.count(), 1);
}

#[test]
fn a_wish_that_makes_no_sense_is_refused_with_the_reason() {
    let mut keys = Keys::new();
    let mut refused = |wish: KeyWish| keys.issue(NOW, wish, &[1; Keys::ISSUE_RANDOM_BYTES]).unwrap_err();
    assert_eq!(refused(KeyWish { name: " ".into(), ..wish(north()) }), KeyWishFault::Name);
    assert_eq!(refused(KeyWish { name: "x".repeat(129).into(), ..wish(north()) }), KeyWishFault::Name);
    assert_eq!(refused(KeyWish { scopes: PermissionSet::EMPTY, ..wish(north()) }), KeyWishFault::NoScopes);
    assert_eq!(refused(KeyWish { expires: Some(NOW), ..wish(north()) }), KeyWishFault::Expiry);
}

#[test]
fn a_tenant_has_so_many_keys_and_no_more() {
    let mut keys = Keys::new();
    for number in 0..Keys::OF_SCOPE_MAX {
        issue(&mut keys, u8::try_from(number).unwrap(), north());
    }
    let random = [255; Keys::ISSUE_RANDOM_BYTES];
    assert_eq!(keys.issue(NOW, wish(north()), &random).unwrap_err(), KeyWishFault::TooMany);
    assert!(keys.issue(NOW, wish(south()), &random).is_ok());
}
