//! Groups and their members.

use serde_json::{Value, json};

use super::Outcome;
use super::delta::Delta;
use super::fault::Fault;
use super::people::{self, GROUP, USER};
use super::permission::Operation;
use super::query::Query;
use super::visit::Visit;
use crate::directory::{Changed, Group, ObjectId};

impl Visit<'_> {
    /// `GET /groups`.
    pub(super) fn groups(&mut self) -> Result<Outcome, Fault> {
        self.need(Operation::GroupsRead, None)?;
        let query = Query::of_many(self.request, &GROUP)?;
        let tenant = self.tenant;
        self.page("groups", &query, tenant.groups.values().map(people::group), &GROUP, false)
    }

    /// `GET /groups/{id}`.
    pub(super) fn group(&mut self, key: &str) -> Result<Outcome, Fault> {
        self.need(Operation::GroupsRead, None)?;
        let query = Query::of_one(self.request, &GROUP)?;
        let group = people::group(self.group_named(key)?);
        Ok(self.one("groups", &query, &group, &GROUP))
    }

    /// `GET /groups/{id}/members` and `transitiveMembers`, with `/microsoft.graph.user` behind it or not.
    pub(super) fn members(&mut self, key: &str, cast: bool) -> Result<Outcome, Fault> {
        self.need(Operation::GroupMembersRead, None)?;
        let query = Query::of_many(self.request, &USER)?;
        let tenant = self.tenant;
        let basic = Operation::is_basic_only(&self.caller, None);
        let group = self.group_named(key)?;
        let members: Vec<Value> = group
            .members
            .iter()
            .filter_map(|id| tenant.users.get(id))
            .map(|user| {
                let user = people::user(user, tenant);
                // Without a permission to read profiles, members are told by id alone.
                if basic { json!({ "id": user["id"] }) } else { user }
            })
            .collect();
        let set = if cast { "users" } else { "directoryObjects" };
        self.page(set, &query, members.into_iter(), &USER, !cast)
    }

    /// `GET /groups/delta`: groups with their members as `members@delta`.
    pub(super) fn groups_delta(&mut self) -> Result<Outcome, Fault> {
        self.need(Operation::GroupsDelta, None)?;
        let query = Query::of_many(self.request, &GROUP)?;
        let tenant = self.tenant;
        let moved = self.graph.memberships.moves().cloned().collect::<Vec<_>>();
        let tell = |query: &Query, id: &ObjectId, since: Option<u64>| {
            let group = tenant.groups.get(id)?;
            let mut told = query.tell(&people::group(group), &GROUP);
            let member = |id: &ObjectId| json!({ "@odata.type": "#microsoft.graph.user", "id": id });
            let members: Vec<Value> = match since {
                None => group.members.iter().map(member).collect(),
                Some(since) => moved
                    .iter()
                    .filter(|moved| moved.group == *id && moved.sequence > since)
                    .map(|moved| {
                        let mut told = member(&moved.user);
                        if !moved.joined
                            && let Some(told) = told.as_object_mut()
                        {
                            told.insert("@removed".to_owned(), json!({ "reason": "deleted" }));
                        }
                        told
                    })
                    .collect(),
            };
            if let Some(told) = told.as_object_mut() {
                told.insert("members@delta".to_owned(), Value::Array(members));
            }
            Some(told)
        };
        let all: Vec<&ObjectId> = tenant.groups.keys().collect();
        let changed = |what: &Changed| match what {
            Changed::Group(id) => Some(id.clone()),
            Changed::User(_) | Changed::UserRemoved(_) | Changed::Consent(_) => None,
        };
        self.delta(&query, Delta { set: "groups", kind: "group", all }, changed, tell)
    }

    fn group_named(&self, key: &str) -> Result<&Group, Fault> {
        let found = self.tenant.groups.get(&ObjectId::new(key));
        found.ok_or_else(|| Fault::NoResource(key.to_owned()))
    }
}
