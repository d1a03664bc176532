//! What clients read first, and the keys that roll.

use crate::entra_room::{Room, head, is_signed_by};
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};
use tandem_sandbox::entra::KeyRing;
use tandem_sandbox::entra::keys::KEY_FILES;

#[test]
fn each_tenant_has_its_own_issuer_and_all_together_have_a_placeholder() {
    let mut room = Room::new();
    let (status, of_contoso) = room.get(&format!("/{CONTOSO}/v2.0/.well-known/openid-configuration"));
    assert_eq!(status, 200);
    assert_eq!(of_contoso["issuer"], format!("https://login.microsoftonline.com/{CONTOSO}/v2.0"));
    assert_eq!(of_contoso["token_endpoint"], format!("https://localhost:8443/{CONTOSO}/oauth2/v2.0/token"));
    assert_eq!(
        of_contoso["authorization_endpoint"],
        format!("http://localhost:8091/{CONTOSO}/oauth2/v2.0/authorize"),
        "a person's browser need not trust the sandbox's authority"
    );
    let by_domain = room.get("/contoso.example/v2.0/.well-known/openid-configuration").1;
    assert_eq!(by_domain["issuer"], of_contoso["issuer"]);
    for all in ["common", "organizations"] {
        let (_, document) = room.get(&format!("/{all}/v2.0/.well-known/openid-configuration"));
        assert_eq!(document["issuer"], "https://login.microsoftonline.com/{tenantid}/v2.0");
        let keys = document["jwks_uri"].as_str().unwrap().strip_prefix("https://localhost:8443").unwrap();
        let (_, keys) = room.get(keys);
        assert_eq!(keys["keys"][0]["issuer"], document["issuer"]);
    }
    let (_, v1) = room.get(&format!("/{CONTOSO}/.well-known/openid-configuration"));
    assert_eq!(v1["issuer"], format!("https://sts.windows.net/{CONTOSO}/"));
}

#[test]
fn a_tenant_that_is_not_there_is_told_by_number() {
    let mut room = Room::new();
    for (name, code) in [
        ("00000000-0000-0000-0000-00000000dead", 90_002),
        ("nowhere.example", 90_002),
        ("consumers", 90_002),
        ("what_is_this", 900_023),
    ] {
        let (status, body) = room.get(&format!("/{name}/v2.0/.well-known/openid-configuration"));
        assert_eq!((status, &body["error_codes"][0]), (400, &code.into()), "{body}");
    }
}

#[test]
fn keys_have_what_a_client_needs_and_several_are_live() {
    let mut room = Room::new();
    let (_, keys) = room.get("/common/discovery/v2.0/keys");
    let keys = keys["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    for key in keys {
        assert_eq!((key["kty"].as_str(), key["use"].as_str()), (Some("RSA"), Some("sig")));
        assert_eq!(key["kid"], key["x5t"]);
        assert_eq!(key["e"], "AQAB");
        assert_eq!(key["n"].as_str().unwrap().len(), 342, "2048 bits without a sign");
        assert!(key["x5c"][0].as_str().unwrap().starts_with("MII"));
    }
}

#[test]
fn keys_roll_to_one_that_was_published_before() {
    let mut room = Room::new();
    let token = |room: &mut Room| {
        let forgery = serde_json::from_value(serde_json::json!({ "user": "alice" })).unwrap();
        serde_json::Value::from(room.entra.forge(&room.directory, room.now, &forgery).unwrap())
    };
    let before = room.get("/common/discovery/v2.0/keys").1;
    let old = token(&mut room);
    room.entra.keys_mut().roll().unwrap();
    let new = token(&mut room);
    assert_ne!(head(&old)["kid"], head(&new)["kid"]);
    assert!(is_signed_by(&old, &before) && is_signed_by(&new, &before), "both were known");
    let after = room.get("/common/discovery/v2.0/keys").1;
    assert!(is_signed_by(&old, &after) && is_signed_by(&new, &after));

    assert!(room.entra.keys_mut().withdraw(head(&old)["kid"].as_str().unwrap()));
    assert!(!is_signed_by(&old, &room.get("/common/discovery/v2.0/keys").1), "withdrawn");
    assert!(!room.entra.keys_mut().withdraw(head(&new)["kid"].as_str().unwrap()), "it signs");

    room.entra.keys_mut().replace().unwrap();
    let newest = token(&mut room);
    assert!(!is_signed_by(&newest, &after), "nobody has seen that one");
    assert!(is_signed_by(&newest, &room.get("/common/discovery/v2.0/keys").1));
}

#[test]
fn a_sandbox_finds_its_keys_again() {
    let folder = crate::common::folder("entra-keys-again");
    std::fs::create_dir_all(&folder).unwrap();
    let kept = crate::common::entra_keys();
    let ids = |keys: &KeyRing| keys.published().map(|key| key.kid.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&crate::common::entra_keys()), ids(&kept));
    std::fs::write(folder.join(KEY_FILES[0]), "rubbish").unwrap();
    let first = KeyRing::open(&folder).unwrap();
    assert_eq!(ids(&KeyRing::open(&folder).unwrap()), ids(&first));
    assert_ne!(ids(&first), ids(&kept));
}

#[test]
fn rolling_again_and_again_keeps_the_list_short() {
    let mut room = Room::new();
    for _ in 0..6 {
        room.entra.keys_mut().roll().unwrap();
    }
    let keys = room.get("/common/discovery/v2.0/keys").1;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 6);
}

#[test]
fn a_host_that_clients_do_not_know_says_what_it_is_the_same_as() {
    let mut room = Room::new();
    let (status, instance) = room.get("/common/discovery/instance?api-version=1.1");
    assert_eq!(status, 200);
    let aliases = instance["metadata"][0]["aliases"].as_array().unwrap();
    assert!(aliases.contains(&"localhost:8443".into()), "{instance}");
    let other = room.get(&format!("/{TANDEM_APP}/v2.0/nothing"));
    assert_eq!(other.0, 404);
}
