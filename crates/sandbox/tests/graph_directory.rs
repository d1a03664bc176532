//! Users, groups and applications over Graph, and who may read what.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tandem_sandbox::config::UserConfig;
use tandem_sandbox::config::app::{CONTOSO, FABRIKAM, TANDEM_APP};
use tandem_sandbox::directory::{AppId, EntraTenantId, ObjectId};

use crate::graph_desk::{Desk, code, names};

#[test]
fn without_a_good_token_there_is_nothing() {
    let mut desk = Desk::app(&["User.Read.All"]);
    let good = std::mem::take(&mut desk.token);
    let (status, body) = desk.get("/users");
    assert_eq!((status, code(&body)), (401, "InvalidAuthenticationToken"));
    assert!(body["error"]["innerError"]["request-id"].is_string());
    desk.token = good;
    assert_eq!(desk.get("/users").0, 200);
    desk.wait(SignedDuration::from_mins(61));
    assert_eq!(desk.get("/users").0, 401, "an hour later it has expired");
}

#[test]
fn a_permission_that_is_missing_is_403() {
    let mut desk = Desk::app(&["Presence.Read.All"]);
    for path in ["/users", "/users/delta", "/groups", "/organization", "/oauth2PermissionGrants"] {
        let (status, body) = desk.get(path);
        assert_eq!((status, code(&body)), (403, "Authorization_RequestDenied"), "{path}");
    }
}

#[test]
fn consent_that_is_withdrawn_ends_what_old_tokens_open() {
    let mut desk = Desk::app(&["User.Read.All"]);
    desk.directory.withdraw_consent(&EntraTenantId::new(CONTOSO), &AppId::new(TANDEM_APP)).unwrap();
    let (status, body) = desk.get("/users");
    assert_eq!((status, code(&body)), (401, "Authorization_IdentityNotFound"));
}

#[test]
fn another_tenants_people_are_not_there() {
    let mut desk = Desk::app(&["User.Read.All", "Presence.Read.All"]);
    let ines = desk.id("ines");
    let (status, body) = desk.get(&format!("/users/{ines}"));
    assert_eq!((status, code(&body)), (404, "Request_ResourceNotFound"));
    assert_eq!(desk.get(&format!("/users/{ines}/presence")).0, 404);
    let (_, presences) =
        desk.post("/communications/getPresencesByUserId", json!({ "ids": [ines, desk.id("bela")] }));
    assert_eq!(presences["value"].as_array().unwrap().len(), 1, "unknown ids are left out");
    desk.token = desk.app_token(FABRIKAM);
    assert_eq!(desk.get("/users").0, 401, "Fabrikam has not consented");
}

#[test]
fn a_collection_comes_in_pages_and_a_page_may_be_empty() {
    let mut desk = Desk::app(&["User.Read.All"]);
    let (all, _) = desk.walk("/users?$select=id");
    let (paged, _) = desk.walk("/users?$select=id&$top=3");
    assert_eq!(paged, all);
    let (_, page) = desk.get("/users?$top=3");
    assert_eq!(page["value"].as_array().unwrap().len(), 3);
    assert!(page["value"][0]["department"].is_null(), "not told unless it is selected");
    assert!(page["value"][0].get("jobTitle").is_some());
}

#[test]
fn people_are_found_by_filter_and_by_search() {
    let mut desk = Desk::app(&["User.Read.All"]);
    let (_, found) = desk.get("/users?$filter=startswith(displayName,'b%C3%A9')");
    assert_eq!(names(found["value"].as_array().unwrap()), ["Béla Varga"]);
    let (_, found) = desk.get("/users?$filter=businessPhones/any(p:p%20eq%20'%2B14255550101')");
    assert_eq!(names(found["value"].as_array().unwrap()), ["Alice Reyes"]);
    let search = "/users?$search=%22displayName:suz%22&$count=true";
    let (status, refused) = desk.get(search);
    assert_eq!((status, code(&refused)), (400, "Request_UnsupportedQuery"));
    let (_, found) = desk.get_eventually(search);
    assert_eq!(names(found["value"].as_array().unwrap()), ["Hana Suzuki"]);
    assert_eq!(found["@odata.count"], 1);
}

#[test]
fn skills_are_told_of_one_person_when_selected() {
    let mut desk = Desk::app(&["User.Read.All"]);
    let (_, hana) = desk.get("/users/hana@contoso.example?$select=displayName,skills");
    assert!(hana["skills"].as_array().unwrap().iter().any(|skill| skill == "Networks"));
    assert_eq!(desk.get("/users?$select=id,skills").0, 400, "a collection does not tell them");
    assert_eq!(desk.get("/users/delta?$select=id,skills").0, 400);
}

#[test]
fn the_basic_profile_is_all_that_the_basic_permission_shows() {
    let mut desk = Desk::app(&["User.ReadBasic.All"]);
    let (_, alice) = desk.get("/users/alice@contoso.example?$select=displayName,department,businessPhones");
    assert_eq!(alice["displayName"], "Alice Reyes");
    assert!(alice["department"].is_null());
    assert_eq!(alice["businessPhones"], json!([]));
}

#[test]
fn changes_are_followed_by_delta() {
    let mut desk = Desk::app(&["User.Read.All"]);
    let contoso = EntraTenantId::new(CONTOSO);
    let (all, link) = desk.walk("/users/delta?$select=displayName,accountEnabled&$top=4");
    assert_eq!(all.len(), desk.directory.tenant(&contoso).unwrap().users.len());
    let link = link.unwrap();
    let (nothing, link) = desk.walk(&link);
    assert_eq!(nothing, Vec::<Value>::new());

    let newcomer =
        UserConfig { id: "zoe".to_owned(), name: "Zoë Dupont".to_owned(), ..UserConfig::default() };
    let zoe = desk.directory.add_user(&contoso, &newcomer).unwrap();
    let goran = ObjectId::new(&desk.id("goran"));
    desk.directory.remove_user(&contoso, &goran).unwrap();
    let (changed, link) = desk.walk(&link.unwrap());
    assert_eq!(changed.len(), 2);
    let of = |id: &ObjectId| changed.iter().find(|one| one["id"] == id.as_str()).unwrap();
    assert_eq!(of(&zoe)["displayName"], "Zoë Dupont");
    assert_eq!(of(&goran)["@removed"]["reason"], "changed");

    desk.wait(SignedDuration::from_hours(7 * 24 + 1));
    desk.token = desk.app_token(CONTOSO);
    let answer = desk.send("GET", &link.unwrap(), &[], None);
    assert_eq!(answer.status, 410, "tokens live seven days");
    assert!(
        answer.headers.iter().any(|(name, value)| *name == "location" && value.ends_with("/users/delta"))
    );
    let (_, body) = crate::graph_desk::parts(answer);
    assert_eq!(code(&body), "syncStateNotFound");
}

#[test]
fn members_come_and_go_in_the_delta_of_groups() {
    let mut desk = Desk::app(&["GroupMember.Read.All", "User.Read.All"]);
    let contoso = EntraTenantId::new(CONTOSO);
    let (groups, link) = desk.walk("/groups/delta");
    let sales = groups.iter().find(|group| group["displayName"] == "Sales").unwrap();
    let members = sales["members@delta"].as_array().unwrap().len();
    assert!(members > 1);
    let sales = ObjectId::new(sales["id"].as_str().unwrap());
    let (chidi, hana) = (ObjectId::new(&desk.id("chidi")), ObjectId::new(&desk.id("hana")));
    desk.directory.set_member(&contoso, &sales, &chidi, false).unwrap();
    desk.directory.set_member(&contoso, &sales, &hana, true).unwrap();
    let (changed, _) = desk.walk(&link.unwrap());
    let moved = changed[0]["members@delta"].as_array().unwrap();
    let of = |id: &ObjectId| moved.iter().find(|one| one["id"] == id.as_str()).unwrap();
    assert!(of(&chidi).get("@removed").is_some());
    assert!(of(&hana).get("@removed").is_none());
    let (listed, _) = desk.walk(&format!("/groups/{sales}/members?$select=id,displayName"));
    assert_eq!(listed.len(), members);
    assert_eq!(listed[0]["@odata.type"], "#microsoft.graph.user");
}

#[test]
fn memberships_are_checked() {
    let mut desk = Desk::app(&["GroupMember.Read.All"]);
    let alice = desk.id("alice");
    let (_, mine) =
        desk.post(&format!("/users/{alice}/getMemberGroups"), json!({ "securityEnabledOnly": true }));
    let mine = mine["value"].as_array().unwrap().clone();
    assert_eq!(mine.len(), 2);
    let asked = json!({ "groupIds": [mine[0], "00000000-0000-4000-8000-000000000000"] });
    let (_, checked) = desk.post(&format!("/users/{alice}/checkMemberGroups"), asked);
    assert_eq!(checked["value"], json!([mine[0]]));
    let many: Vec<Value> = (0..21).map(|n| json!(n.to_string())).collect();
    assert_eq!(desk.post(&format!("/users/{alice}/checkMemberGroups"), json!({ "groupIds": many })).0, 400);
}

#[test]
fn a_person_sees_what_he_administers() {
    let mut desk = Desk::alice(&["User.Read"]);
    let path = "/me/memberOf/microsoft.graph.directoryRole?$select=id,roleTemplateId";
    assert_eq!(desk.get(path).1["value"], json!([]));
    desk.token = desk.user_token("ravi", &["User.Read"]);
    let (status, roles) = desk.get(path);
    assert_eq!(status, 200, "{roles}");
    assert_eq!(roles["value"][0]["roleTemplateId"], "62e90394-69f5-4237-9190-012177145e10");
    assert_eq!(roles["value"][0].get("displayName"), None, "not asked for");
    let (_, groups) = desk.get("/me/memberOf/microsoft.graph.group");
    assert_eq!(groups["value"][0]["displayName"], "IT");
}

#[test]
fn an_application_sees_what_it_was_granted() {
    let mut desk = Desk::app(&["User.Read.All", "Presence.Read.All"]);
    let (status, granted) = desk.get(&format!("/servicePrincipals(appId='{TANDEM_APP}')/appRoleAssignments"));
    assert_eq!(status, 200, "an application may read its own");
    assert_eq!(granted["value"].as_array().unwrap().len(), 2);
    let first = &granted["value"][0];
    assert_eq!(first["resourceDisplayName"], "Microsoft Graph");
    let mut reader = Desk::app(&["User.Read.All", "Presence.Read.All", "Application.Read.All"]);
    let (_, graph) = reader.get("/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')");
    let names: Vec<&str> =
        graph["appRoles"].as_array().unwrap().iter().map(|role| role["value"].as_str().unwrap()).collect();
    assert!(names.contains(&"Presence.Read.All"));
    let ids: Vec<&Value> = graph["appRoles"].as_array().unwrap().iter().map(|role| &role["id"]).collect();
    assert!(ids.contains(&&first["appRoleId"]), "ids lead to names");
    let (_, grants) = reader.get("/oauth2PermissionGrants");
    let grants = grants["value"].as_array().unwrap();
    assert!(grants.iter().any(|grant| grant["scope"].as_str().unwrap().contains("Presence.Read.All")));
}

#[test]
fn photos_have_sizes_and_marks_and_not_everybody_has_one() {
    let mut desk = Desk::app(&["ProfilePhoto.Read.All"]);
    let alice = desk.id("alice");
    let (_, described) = desk.get(&format!("/users/{alice}/photo"));
    assert_eq!(described["width"], 648);
    let answer = desk.send("GET", &format!("/users/{alice}/photos/96x96/$value"), &[], None);
    let etag = answer.headers.iter().find(|(name, _)| *name == "etag").unwrap().1.clone();
    let again =
        desk.send("GET", &format!("/users/{alice}/photos/96x96/$value"), &[("if-none-match", &etag)], None);
    assert_eq!(again.status, 304);
    let without =
        desk.directory.tenants().flat_map(|tenant| tenant.users.values()).find(|user| !user.photo).unwrap();
    let without = without.object_id.to_string();
    let (status, body) = desk.get(&format!("/users/{without}/photo/$value"));
    assert_eq!((status, code(&body)), (404, "ImageNotFound"));
    assert_eq!(desk.get(&format!("/users/{alice}/photos/50x50/$value")).0, 400);
}

#[test]
fn me_is_who_signed_in() {
    let mut desk = Desk::alice(&["User.Read", "Presence.Read"]);
    assert_eq!(desk.get("/me").1["displayName"], "Alice Reyes");
    assert_eq!(desk.get("/me/presence").1["availability"], "Available");
    assert_eq!(desk.get("/users/bela@contoso.example").0, 403);
    assert_eq!(
        desk.get("/users/nobody@contoso.example").0,
        403,
        "who may not read does not learn who is there"
    );
    let mut app = Desk::app(&["User.Read.All"]);
    assert_eq!(app.get("/me").0, 400);
}

#[test]
fn what_is_not_there_says_so() {
    let mut desk = Desk::app(&["User.Read.All"]);
    let (status, body) = desk.get("/dishes");
    assert_eq!((status, code(&body)), (400, "BadRequest"));
    assert_eq!(desk.send("DELETE", "/users", &[], None).status, 405);
}
