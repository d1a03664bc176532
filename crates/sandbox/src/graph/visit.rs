//! A visit: somebody with a good token asks for something, and gets it or a reason why not.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::exchange::{Answer, Request};
use super::fault::Fault;
use super::permission::Operation;
use super::query::{Kind, Query, link};
use super::throttle::Service;
use super::{Graph, Outcome};
use crate::directory::{Directory, ObjectId, Tenant, User};
use crate::entra::GraphCaller;

/// One request of a caller who is known.
pub(super) struct Visit<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) directory: &'a Directory,
    pub(super) tenant: &'a Tenant,
    pub(super) caller: GraphCaller,
    pub(super) now: Timestamp,
    pub(super) request: &'a Request,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Route {
    Users,
    UsersDelta,
    User(String),
    UserGroups { user: String, transitive: bool },
    UserRoles(String),
    MemberCheck { user: String, act: String },
    Photo { user: String, side: Option<String>, value: bool },
    Groups,
    GroupsDelta,
    Group(String),
    Members { group: String, cast: bool },
    Organization,
    ServicePrincipals,
    ServicePrincipal(String),
    Assignments { principal: String, to_it: bool },
    PrincipalGrants(String),
    Grants,
    Presences,
    PresencesById,
    Presence(String),
    PresenceAct { user: String, act: String },
    Subscriptions,
    Subscription(String),
    Reauthorize(String),
}

impl Visit<'_> {
    /// Answers.
    pub(super) fn answer(&mut self) -> Result<Outcome, Fault> {
        let segments = self.segments()?;
        let names: Vec<&str> = segments.iter().map(String::as_str).collect();
        let route =
            route(&names).ok_or_else(|| Fault::NoSegment(names.first().copied().unwrap_or("").to_owned()))?;
        let used = self.admit(&route)?;
        let answered = self.follow(route)?;
        Ok(match (answered, used) {
            (Outcome::Answer(mut answer), Some((units, used))) => {
                answer = answer.with("x-ms-resource-unit", units.to_string());
                if used >= THROTTLE_TOLD_FROM {
                    answer = answer
                        .with("x-ms-throttle-limit-percentage", format!("{used:.2}"))
                        .with("x-ms-throttle-scope", "Tenant_Application/ReadWrite")
                        .with("x-ms-throttle-information", "ResourceUnitLimitExceeded");
                }
                Outcome::Answer(answer)
            }
            (outcome, _) => outcome,
        })
    }

    /// The segments of the path, with `me` resolved.
    fn segments(&self) -> Result<Vec<String>, Fault> {
        let mut segments = self.request.segments();
        if segments.first().is_some_and(|first| first == "me") {
            let user = self.caller.user.as_ref().ok_or_else(|| {
                Fault::Bad("/me request is only valid with delegated authentication flow.".to_owned())
            })?;
            segments.splice(0..1, ["users".to_owned(), user.to_string()]);
        }
        Ok(segments)
    }

    fn admit(&mut self, route: &Route) -> Result<Option<(u32, f64)>, Fault> {
        let service = route.service();
        let who = (self.caller.app.as_str(), self.caller.tenant.as_str());
        let admitted =
            self.graph.throttle.admit(self.now, &self.graph.limits, who, service, self.tenant.users.len());
        let admitted = admitted.map_err(Fault::TooMany)?;
        Ok(admitted.units.map(|units| (units, admitted.used)))
    }

    fn follow(&mut self, route: Route) -> Result<Outcome, Fault> {
        let method = self.request.method.as_str();
        match (method, route) {
            ("GET", Route::Users) => self.users(),
            ("GET", Route::UsersDelta) => self.users_delta(),
            ("GET", Route::User(user)) => self.user(&user),
            ("GET", Route::UserGroups { user, transitive: _ }) => self.groups_of(&user),
            ("GET", Route::UserRoles(user)) => self.directory_roles_of(&user),
            ("POST", Route::MemberCheck { user, act }) => self.member_check(&user, &act),
            ("GET", Route::Photo { user, side, value }) => self.photo(&user, side.as_deref(), value),
            ("GET", Route::Groups) => self.groups(),
            ("GET", Route::GroupsDelta) => self.groups_delta(),
            ("GET", Route::Group(group)) => self.group(&group),
            ("GET", Route::Members { group, cast }) => self.members(&group, cast),
            ("GET", Route::Organization) => self.organization(),
            ("GET", Route::ServicePrincipals) => self.service_principals(),
            ("GET", Route::ServicePrincipal(principal)) => self.service_principal(&principal),
            ("GET", Route::Assignments { principal, to_it }) => self.assignments(&principal, to_it),
            ("GET", Route::PrincipalGrants(principal)) => self.grants(Some(&principal)),
            ("GET", Route::Grants) => self.grants(None),
            ("GET", Route::Presences) => self.presences(),
            ("POST", Route::PresencesById) => self.presences_by_id(),
            ("GET", Route::Presence(user)) => self.presence(&user),
            ("POST", Route::PresenceAct { user, act }) => self.presence_act(&user, &act),
            ("GET", Route::Subscriptions) => self.subscriptions(),
            ("POST", Route::Subscriptions) => self.subscribe(),
            ("GET", Route::Subscription(id)) => self.subscription(&id),
            ("PATCH", Route::Subscription(id)) => self.renew(&id),
            ("DELETE", Route::Subscription(id)) => self.unsubscribe(&id),
            ("POST", Route::Reauthorize(id)) => self.reauthorize(&id),
            _ => Err(Fault::Method),
        }
    }

    /// Refuses who has no permission for this.
    pub(super) fn need(&self, operation: Operation, subject: Option<&ObjectId>) -> Result<(), Fault> {
        if operation.allows(&self.caller, subject) { Ok(()) } else { Err(Fault::Denied) }
    }

    /// Somebody of the caller's own tenant.
    pub(super) fn somebody(&self, key: &str) -> Result<User, Fault> {
        self.tenant.user_named(key).cloned().ok_or_else(|| Fault::NoResource(key.to_owned()))
    }

    /// One object, with its place in the metadata.
    pub(super) fn one(&self, set: &str, query: &Query, object: &Value, kind: &Kind) -> Outcome {
        let mut told = query.tell(object, kind);
        if let Some(told) = told.as_object_mut() {
            let context = format!("{}/$metadata#{set}/$entity", self.request.base);
            told.insert("@odata.context".to_owned(), Value::String(context));
        }
        Outcome::Answer(Answer::json(200, told))
    }

    /// A page of a collection. `type_names` says which kind each object is, as collections of several kinds must.
    pub(super) fn page(
        &mut self,
        set: &str,
        query: &Query,
        all: impl ExactSizeIterator<Item = Value>,
        kind: &Kind,
        type_names: bool,
    ) -> Result<Outcome, Fault> {
        let size = query.top.unwrap_or(PAGE_DEFAULT);
        let from = match &query.skip_token {
            None => 0,
            Some(token) => unseal(token)
                .and_then(|plain| plain.strip_prefix("page ")?.parse::<usize>().ok())
                .ok_or_else(|| Fault::Bad("The skip token is malformed.".to_owned()))?,
        };
        let (count, page) = if query.filter.is_none() && query.search.is_none() && query.order.is_none() {
            (all.len(), all.skip(from).take(size).collect::<Vec<_>>())
        } else {
            let chosen = query.choose(all);
            (chosen.len(), chosen.into_iter().skip(from).take(size).collect())
        };
        let is_empty_on_command = self.graph.switches.empty_pages > 0 && from < count;
        let (told, next) = if is_empty_on_command {
            self.graph.switches.empty_pages -= 1;
            (Vec::new(), from)
        } else {
            (page, from + size)
        };
        let told: Vec<Value> = told
            .iter()
            .map(|object| {
                let mut told = query.tell(object, kind);
                if type_names && let Some(told) = told.as_object_mut() {
                    told.insert("@odata.type".to_owned(), Value::String(format!("#{}", kind.name)));
                }
                told
            })
            .collect();
        let mut body = json!({
            "@odata.context": format!("{}/$metadata#{set}", self.request.base),
            "value": told,
        });
        if let Some(body) = body.as_object_mut() {
            if query.count {
                body.insert("@odata.count".to_owned(), Value::from(count));
            }
            if next < count {
                let token = seal(&format!("page {next}"));
                let link = link(self.request, ("$skiptoken", &token));
                body.insert("@odata.nextLink".to_owned(), Value::String(link));
            }
        }
        Ok(Outcome::Answer(Answer::json(200, body)))
    }

    /// A collection that is told whole.
    pub(super) fn whole(&self, set: &str, all: Vec<Value>) -> Outcome {
        let context = format!("{}/$metadata#{set}", self.request.base);
        Outcome::Answer(Answer::json(200, json!({ "@odata.context": context, "value": all })))
    }
}

impl Route {
    fn service(&self) -> Service {
        match self {
            Self::Presences | Self::PresencesById | Self::Presence(_) | Self::PresenceAct { .. } => {
                Service::Presence
            }
            Self::Subscriptions | Self::Subscription(_) | Self::Reauthorize(_) => Service::Subscriptions,
            // "Throttling in Microsoft Entra ID": what requests cost, in resource units.
            Self::Users | Self::Members { .. } => Service::Directory { units: 2 },
            Self::UsersDelta | Self::GroupsDelta => Service::Directory { units: 5 },
            Self::UserGroups { .. } | Self::UserRoles(_) => Service::Directory { units: 5 },
            Self::MemberCheck { act, .. } if act == "checkMemberGroups" => Service::Directory { units: 4 },
            Self::MemberCheck { .. } => Service::Directory { units: 2 },
            _ => Service::Directory { units: 1 },
        }
    }
}

fn route(names: &[&str]) -> Option<Route> {
    let own = |text: &&str| (*text).to_owned();
    Some(match names {
        ["users"] => Route::Users,
        ["users", "delta"] => Route::UsersDelta,
        ["users", user] => Route::User(own(user)),
        ["users", user, "memberOf"] => Route::UserGroups { user: own(user), transitive: false },
        ["users", user, "transitiveMemberOf"] => Route::UserGroups { user: own(user), transitive: true },
        ["users", user, "memberOf" | "transitiveMemberOf", "group"] => {
            Route::UserGroups { user: own(user), transitive: false }
        }
        ["users", user, "memberOf" | "transitiveMemberOf", "directoryRole"] => Route::UserRoles(own(user)),
        ["users", user, act @ ("checkMemberGroups" | "getMemberGroups" | "getMemberObjects")] => {
            Route::MemberCheck { user: own(user), act: own(act) }
        }
        ["users", user, "photo"] => Route::Photo { user: own(user), side: None, value: false },
        ["users", user, "photo", "$value"] => Route::Photo { user: own(user), side: None, value: true },
        ["users", user, "photos", side] => {
            Route::Photo { user: own(user), side: Some(own(side)), value: false }
        }
        ["users", user, "photos", side, "$value"] => {
            Route::Photo { user: own(user), side: Some(own(side)), value: true }
        }
        ["users", user, "presence"] | ["communications", "presences", user] => Route::Presence(own(user)),
        ["users", user, "presence", act] | ["communications", "presences", user, act]
            if PRESENCE_ACTS.contains(act) =>
        {
            Route::PresenceAct { user: own(user), act: own(act) }
        }
        ["communications", "presences"] => Route::Presences,
        ["communications", "getPresencesByUserId"] => Route::PresencesById,
        ["groups"] => Route::Groups,
        ["groups", "delta"] => Route::GroupsDelta,
        ["groups", group] => Route::Group(own(group)),
        ["groups", group, "members" | "transitiveMembers"] => {
            Route::Members { group: own(group), cast: false }
        }
        ["groups", group, "members" | "transitiveMembers", "user"] => {
            Route::Members { group: own(group), cast: true }
        }
        ["organization"] => Route::Organization,
        ["servicePrincipals"] => Route::ServicePrincipals,
        ["servicePrincipals", principal] => Route::ServicePrincipal(own(principal)),
        ["servicePrincipals", principal, "appRoleAssignments"] => {
            Route::Assignments { principal: own(principal), to_it: false }
        }
        ["servicePrincipals", principal, "appRoleAssignedTo"] => {
            Route::Assignments { principal: own(principal), to_it: true }
        }
        ["servicePrincipals", principal, "oauth2PermissionGrants"] => Route::PrincipalGrants(own(principal)),
        ["oauth2PermissionGrants"] => Route::Grants,
        ["subscriptions"] => Route::Subscriptions,
        ["subscriptions", id] => Route::Subscription(own(id)),
        ["subscriptions", id, "reauthorize"] => Route::Reauthorize(own(id)),
        _ => return None,
    })
}

/// Makes a token that tells its reader nothing.
pub(super) fn seal(plain: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(plain)
}

/// Reads such a token.
pub(super) fn unseal(token: &str) -> Option<String> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token).ok()?;
    String::from_utf8(bytes).ok()
}

const PRESENCE_ACTS: &[&str] = &[
    "setPresence",
    "clearPresence",
    "setUserPreferredPresence",
    "clearUserPreferredPresence",
    "setStatusMessage",
];
/// The directory's own page size.
const PAGE_DEFAULT: usize = 100;
/// From this part of a limit on the answers tell how much is used up.
const THROTTLE_TOLD_FROM: f64 = 0.8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_should() {
        let photo = Route::Photo { user: "x".to_owned(), side: Some("48x48".to_owned()), value: true };
        assert_eq!(route(&["users", "x", "photos", "48x48", "$value"]), Some(photo));
        assert_eq!(route(&["communications", "presences", "x"]), route(&["users", "x", "presence"]));
        assert_eq!(route(&["users", "x", "presence", "dance"]), None);
        assert_eq!(route(&[]), None);
    }
}
