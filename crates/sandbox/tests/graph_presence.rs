//! Presence over Graph: read in hundreds, written by applications and by people, throttled.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};

use crate::graph_desk::{Desk, code};

fn shown(desk: &mut Desk, user: &str) -> (String, String) {
    let id = desk.id(user);
    let (status, presence) = desk.get(&format!("/users/{id}/presence"));
    assert_eq!(status, 200, "{presence}");
    let word = |name: &str| presence[name].as_str().unwrap().to_owned();
    (word("availability"), word("activity"))
}

fn pair(availability: &str, activity: &str) -> (String, String) {
    (availability.to_owned(), activity.to_owned())
}

#[test]
fn at_most_650_are_asked_about_at_once() {
    let mut desk = Desk::app(&["Presence.Read.All"]);
    let ids = |count: usize| json!({ "ids": vec!["00000000-0000-4000-8000-000000000000"; count] });
    assert_eq!(desk.post("/communications/getPresencesByUserId", ids(650)).0, 200);
    assert_eq!(desk.post("/communications/getPresencesByUserId", ids(651)).0, 400);
    assert_eq!(desk.post("/communications/getPresencesByUserId", ids(0)).0, 400);
    let asked = json!({ "ids": [desk.id("alice"), desk.id("bela")] });
    let (_, told) = desk.post("/communications/getPresencesByUserId", asked);
    let told: Vec<&Value> = told["value"].as_array().unwrap().iter().collect();
    assert_eq!(told.len(), 2);
    assert_eq!((&told[0]["availability"], &told[0]["activity"]), (&json!("Available"), &json!("Available")));
    assert!(told[0]["sequenceNumber"].is_string());
}

#[test]
fn an_application_sets_presence_by_a_session_of_its_own_id() {
    let mut desk = Desk::app(&["Presence.ReadWrite.All"]);
    let path = format!("/users/{}/presence", desk.id("alice"));
    let mut set = json!({
        "sessionId": TANDEM_APP, "availability": "Busy", "activity": "InACall", "expirationDuration": "PT1H",
    });
    let (status, body) = desk.post(&format!("{path}/setPresence"), set.clone());
    assert_eq!((status, body), (200, Value::Null), "without a body");
    assert_eq!(shown(&mut desk, "alice"), pair("Busy", "InACall"));
    desk.wait(SignedDuration::from_mins(59));
    assert_eq!(shown(&mut desk, "alice"), pair("Busy", "InACall"));
    desk.wait(SignedDuration::from_mins(1));
    desk.token = desk.app_token(CONTOSO);
    assert_eq!(shown(&mut desk, "alice"), pair("Available", "Available"), "the session has ended");

    for wrong in ["PT4M", "PT4H1S", "soon"] {
        set["expirationDuration"] = json!(wrong);
        assert_eq!(desk.post(&format!("{path}/setPresence"), set.clone()).0, 400, "{wrong}");
    }
    set["expirationDuration"] = json!("PT5M");
    set["activity"] = json!("InAMeeting");
    assert_eq!(desk.post(&format!("{path}/setPresence"), set.clone()).0, 400, "a meeting cannot be written");
    set["activity"] = json!("InACall");
    set["sessionId"] = json!("99999999-0000-4000-8000-000000000000");
    assert_eq!(desk.post(&format!("{path}/setPresence"), set).0, 400, "the session of somebody else");
}

#[test]
fn a_person_writes_what_to_be_seen_as() {
    let mut desk = Desk::alice(&["Presence.ReadWrite", "Presence.Read"]);
    let quiet =
        json!({ "availability": "DoNotDisturb", "activity": "DoNotDisturb", "expirationDuration": "PT8H" });
    assert_eq!(desk.post("/me/presence/setUserPreferredPresence", quiet).0, 200);
    let message = json!({ "statusMessage": {
        "message": { "content": "At the dentist", "contentType": "text" },
        "expiryDateTime": { "dateTime": "2026-03-02T10:00:00.0000000", "timeZone": "UTC" },
    } });
    assert_eq!(desk.post("/me/presence/setStatusMessage", message).0, 200);
    let (_, presence) = desk.get("/me/presence");
    assert_eq!(presence["availability"], "DoNotDisturb");
    assert_eq!(presence["statusMessage"]["message"]["content"], "At the dentist");
    assert_eq!(desk.post("/me/presence/clearUserPreferredPresence", json!({})).0, 200);
    assert_eq!(shown(&mut desk, "alice"), pair("Available", "Available"));
    let other = format!("/users/{}/presence/clearUserPreferredPresence", desk.id("bela"));
    assert_eq!(desk.post(&other, json!({})).0, 403, "nobody writes for others");
}

#[test]
fn guests_and_disabled_accounts_have_no_presence() {
    let mut desk = Desk::app(&["Presence.Read.All"]);
    let guest =
        desk.directory.tenants().flat_map(|tenant| tenant.users.values()).find(|user| user.guest).unwrap();
    let guest = guest.id.clone();
    assert_eq!(shown(&mut desk, &guest), pair("PresenceUnknown", "PresenceUnknown"));
    let bela = desk.directory.user_named("bela").unwrap().clone();
    desk.directory.enable_user(&bela.tenant, &bela.object_id, false).unwrap();
    assert_eq!(shown(&mut desk, "bela"), pair("PresenceUnknown", "PresenceUnknown"));
    desk.directory.enable_user(&bela.tenant, &bela.object_id, true).unwrap();
    assert_eq!(shown(&mut desk, "bela"), pair("Available", "Available"));
}

#[test]
fn who_asks_too_often_is_sent_away_with_a_time() {
    let mut desk = Desk::app(&["Presence.Read.All"]);
    let asked = json!({ "ids": [desk.id("alice")] });
    for _ in 0..1500 {
        assert_eq!(desk.post("/communications/getPresencesByUserId", asked.clone()).0, 200);
    }
    let answer = desk.send("POST", "/communications/getPresencesByUserId", &[], Some(asked.clone()));
    assert_eq!(answer.status, 429);
    let wait =
        answer.headers.iter().find(|(name, _)| *name == "retry-after").unwrap().1.parse::<i64>().unwrap();
    assert!((1..=31).contains(&wait));
    desk.wait(SignedDuration::from_secs(wait));
    let (status, body) = desk.post("/communications/getPresencesByUserId", asked);
    assert_eq!(status, 200, "{}", code(&body));
}
