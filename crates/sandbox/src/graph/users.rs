//! Users: one, many, what changed, their groups and their photos.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Outcome;
use super::delta::Delta;
use super::exchange::{Answer, Body};
use super::fault::Fault;
use super::people::{self, BASIC, DIRECTORY_ROLE, GROUP, USER};
use super::permission::Operation;
use super::photo::{self, SIDES};
use super::query::Query;
use super::visit::Visit;
use crate::directory::{Changed, ObjectId, User};

impl Visit<'_> {
    /// `GET /users/{id|principal name}`.
    pub(super) fn user(&mut self, key: &str) -> Result<Outcome, Fault> {
        let query = Query::of_one(self.request, &USER)?;
        let user = match (self.somebody(key), Operation::UserRead.allows(&self.caller, None)) {
            (Ok(user), _) => user,
            (Err(missing), true) => return Err(missing),
            // Who may not read others does not learn who is there.
            (Err(_), false) => return Err(Fault::Denied),
        };
        self.need(Operation::UserRead, Some(&user.object_id))?;
        let resource = self.shown(&user);
        Ok(self.one("users", &query, &resource, &USER))
    }

    /// `GET /users`.
    pub(super) fn users(&mut self) -> Result<Outcome, Fault> {
        self.need(Operation::UsersRead, None)?;
        let query = Query::of_many(self.request, &USER)?;
        let tenant = self.tenant;
        let basic = Operation::is_basic_only(&self.caller, None);
        let all = tenant.users.values().map(|user| limited(people::user(user, tenant), basic));
        self.page("users", &query, all, &USER, false)
    }

    /// `GET /users/delta`.
    pub(super) fn users_delta(&mut self) -> Result<Outcome, Fault> {
        self.need(Operation::UsersDelta, None)?;
        let query = Query::of_many(self.request, &USER)?;
        if query.search.is_some() || query.order.is_some() || query.count {
            return Err(Fault::UnsupportedQuery("Delta queries know $select and $filter only.".to_owned()));
        }
        let tenant = self.tenant;
        let directory = self.directory;
        let tell = |query: &Query, id: &ObjectId, since: Option<u64>| {
            let user = tenant.users.get(id)?;
            let told = query.tell(&people::user(user, tenant), &USER);
            let mut changes = since.and_then(|since| directory.changes_after(since)).into_iter().flatten();
            let first = changes.find(|change| change.what == Changed::User(id.clone()));
            let Some(before) = first.and_then(|change| change.before.as_deref()) else { return Some(told) };
            Some(changed_only(&query.tell(&people::user(before, tenant), &USER), told))
        };
        let all: Vec<&ObjectId> = tenant.users.keys().collect();
        let delta = Delta { set: "users", kind: "user", all };
        let changed = |what: &Changed| match what {
            Changed::User(id) | Changed::UserRemoved(id) => Some(id.clone()),
            Changed::Group(_) | Changed::Consent(_) => None,
        };
        self.delta(&query, delta, changed, tell)
    }

    /// `GET /users/{id}/memberOf` and `transitiveMemberOf`; groups of the sandbox hold people only, so both are one.
    pub(super) fn groups_of(&mut self, key: &str) -> Result<Outcome, Fault> {
        let user = self.somebody(key)?;
        self.need(Operation::MemberOfRead, Some(&user.object_id))?;
        let query = Query::of_many(self.request, &GROUP)?;
        let groups: Vec<Value> = self.tenant.groups_of(&user.object_id).map(people::group).collect();
        self.page("directoryObjects", &query, groups.into_iter(), &GROUP, true)
    }

    /// `GET /users/{id}/memberOf/microsoft.graph.directoryRole`: what somebody administers.
    pub(super) fn directory_roles_of(&mut self, key: &str) -> Result<Outcome, Fault> {
        let user = self.somebody(key)?;
        self.need(Operation::MemberOfRead, Some(&user.object_id))?;
        let query = Query::of_many(self.request, &DIRECTORY_ROLE)?;
        let roles: Vec<Value> =
            user.administrator.then(|| people::global_administrator(self.tenant)).into_iter().collect();
        self.page("directoryRoles", &query, roles.into_iter(), &DIRECTORY_ROLE, false)
    }

    /// `POST /users/{id}/checkMemberGroups`, `getMemberGroups` and `getMemberObjects`.
    pub(super) fn member_check(&mut self, key: &str, act: &str) -> Result<Outcome, Fault> {
        let user = self.somebody(key)?;
        let operation = match act {
            "getMemberObjects" => Operation::MemberObjectsGet,
            _ => Operation::MemberGroupsCheck,
        };
        self.need(operation, Some(&user.object_id))?;
        let all = self.tenant.groups_of(&user.object_id).map(|group| group.id.as_str());
        let told: Vec<Value> = if act == "checkMemberGroups" {
            let Check { group_ids } = self.request.json()?;
            if group_ids.is_empty() || group_ids.len() > CHECK_MAX {
                return Err(Fault::Bad(format!("groupIds must hold 1 to {CHECK_MAX} ids.")));
            }
            all.filter(|id| group_ids.iter().any(|asked| asked.eq_ignore_ascii_case(id)))
                .map(Value::from)
                .collect()
        } else {
            // Every group of the sandbox is a security group: what is asked for makes no difference.
            let Get { security_enabled_only: _ } =
                if self.request.body.is_empty() { Get::default() } else { self.request.json()? };
            all.map(Value::from).collect()
        };
        Ok(self.whole("Collection(Edm.String)", told))
    }

    /// `GET /users/{id}/photo`, `/photo/$value`, `/photos/{size}` and `/photos/{size}/$value`.
    pub(super) fn photo(&mut self, key: &str, size: Option<&str>, value: bool) -> Result<Outcome, Fault> {
        let user = self.somebody(key)?;
        self.need(Operation::PhotoRead, Some(&user.object_id))?;
        let greatest = SIDES.last().copied().unwrap_or(648);
        let side = match size {
            None => greatest,
            Some(size) => {
                let known = SIDES.iter().find(|side| size == format!("{side}x{side}"));
                *known.ok_or_else(|| Fault::Bad(format!("Invalid image size '{size}'.")))?
            }
        };
        if !user.photo {
            return Err(Fault::NoPhoto);
        }
        let etag = photo::etag(&user.name, side);
        if !value {
            return Ok(Outcome::Answer(Answer::json(
                200,
                json!({
                    "@odata.context": format!("{}/$metadata#users('{key}')/photo/$entity", self.request.base),
                    "@odata.mediaContentType": "image/jpeg",
                    "@odata.mediaEtag": etag,
                    "id": format!("{side}x{side}"),
                    "height": side,
                    "width": side,
                }),
            )));
        }
        if self.request.header("if-none-match") == Some(&etag) {
            return Ok(Outcome::Answer(Answer::empty(304).with("etag", etag)));
        }
        let picture = photo::draw(&user.name, side);
        let answer = Answer { status: 200, headers: Vec::new(), body: Body::Jpeg(picture) };
        Ok(Outcome::Answer(answer.with("etag", etag)))
    }

    /// What the caller may see of somebody.
    fn shown(&self, user: &User) -> Value {
        let basic = Operation::is_basic_only(&self.caller, Some(&user.object_id));
        limited(people::user(user, self.tenant), basic)
    }
}

/// The id and what is another than before: "at least the properties that have been updated" ("Use delta query to track
/// changes").
fn changed_only(before: &Value, mut now: Value) -> Value {
    if let Some(now) = now.as_object_mut() {
        now.retain(|name, value| name == "id" || before.get(name) != Some(value));
    }
    now
}

/// With `User.ReadBasic.All` alone, everything beyond the basic profile is null.
fn limited(mut user: Value, basic: bool) -> Value {
    if basic && let Some(user) = user.as_object_mut() {
        for (name, value) in user.iter_mut() {
            if !BASIC.contains(&name.as_str()) {
                *value = if value.is_array() { json!([]) } else { Value::Null };
            }
        }
    }
    user
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Check {
    group_ids: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Get {
    security_enabled_only: Option<bool>,
}

/// "directoryObject: checkMemberGroups": up to 20 groups.
const CHECK_MAX: usize = 20;
