//! The tenant itself, and the applications in it with what they may do.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Outcome;
use super::fault::Fault;
use super::people::{self, ASSIGNMENT, GRANT, GRAPH_APP, ORGANIZATION, SERVICE_PRINCIPAL};
use super::permission::Operation;
use super::query::Query;
use super::visit::Visit;
use crate::config::AppConfig;
use crate::directory::ServicePrincipal;

impl Visit<'_> {
    /// `GET /organization`.
    pub(super) fn organization(&mut self) -> Result<Outcome, Fault> {
        self.need(Operation::OrganizationRead, None)?;
        let query = Query::of_many(self.request, &ORGANIZATION)?;
        let tenant = people::organization(self.tenant);
        self.page("organization", &query, std::iter::once(tenant), &ORGANIZATION, false)
    }

    /// `GET /servicePrincipals`.
    pub(super) fn service_principals(&mut self) -> Result<Outcome, Fault> {
        self.need(Operation::AppsRead, None)?;
        let query = Query::of_many(self.request, &SERVICE_PRINCIPAL)?;
        let all = self.tenant.principals.values();
        let mut all: Vec<Value> = all
            .filter_map(|principal| {
                Some(people::service_principal(principal, self.directory.app(&principal.app)?))
            })
            .collect();
        all.push(self.graph_itself());
        self.page("servicePrincipals", &query, all.into_iter(), &SERVICE_PRINCIPAL, false)
    }

    /// `GET /servicePrincipals/{id}` and `/servicePrincipals(appId='…')`.
    pub(super) fn service_principal(&mut self, key: &str) -> Result<Outcome, Fault> {
        self.need_app(key)?;
        let query = Query::of_one(self.request, &SERVICE_PRINCIPAL)?;
        let resource = if self.is_graph(key) {
            self.graph_itself()
        } else {
            let (principal, app) = self.principal(key)?;
            people::service_principal(principal, app)
        };
        Ok(self.one("servicePrincipals", &query, &resource, &SERVICE_PRINCIPAL))
    }

    /// `GET /servicePrincipals/{id}/appRoleAssignments`: what the application may do; `appRoleAssignedTo`: who has
    /// which of its roles.
    pub(super) fn assignments(&mut self, key: &str, to_it: bool) -> Result<Outcome, Fault> {
        self.need_app(key)?;
        let query = Query::of_many(self.request, &ASSIGNMENT)?;
        let (tenant, set) = (self.tenant, "appRoleAssignments");
        let all: Vec<Value> = if self.is_graph(key) {
            let all = tenant.principals.values().filter(|_| to_it);
            let all = all.filter_map(|principal| Some((principal, self.directory.app(&principal.app)?)));
            all.flat_map(|(principal, app)| people::granted(principal, app, tenant)).collect()
        } else {
            let (principal, app) = self.principal(key)?;
            match to_it {
                true => people::assigned(principal, app, tenant),
                false => people::granted(principal, app, tenant),
            }
        };
        Ok(self.whole(set, query.choose(all.into_iter())))
    }

    /// `GET /oauth2PermissionGrants` and `/servicePrincipals/{id}/oauth2PermissionGrants`.
    pub(super) fn grants(&mut self, key: Option<&str>) -> Result<Outcome, Fault> {
        match key {
            Some(key) => self.need_app(key)?,
            None => self.need(Operation::AppsRead, None)?,
        }
        let query = Query::of_many(self.request, &GRANT)?;
        let tenant = self.tenant;
        let all: Vec<Value> = match key {
            Some(key) => people::grants(self.principal(key)?.0, tenant),
            None => tenant.principals.values().flat_map(|one| people::grants(one, tenant)).collect(),
        };
        Ok(self.whole("oauth2PermissionGrants", query.choose(all.into_iter())))
    }

    /// Who reads an application needs the permission for it, unless it reads itself: an application sees its own
    /// service principal with any token of its own.
    fn need_app(&self, key: &str) -> Result<(), Fault> {
        let own = self.principal(key).is_ok_and(|(principal, _)| principal.app == self.caller.app);
        if own && self.caller.user.is_none() { Ok(()) } else { self.need(Operation::AppsRead, None) }
    }

    fn principal(&self, key: &str) -> Result<(&ServicePrincipal, &AppConfig), Fault> {
        let principal = people::principal_named(self.tenant, key);
        let found = principal.and_then(|principal| Some((principal, self.directory.app(&principal.app)?)));
        found.ok_or_else(|| Fault::NoResource(key.trim_start_matches("appId=").to_owned()))
    }

    fn is_graph(&self, key: &str) -> bool {
        key.strip_prefix("appId=") == Some(GRAPH_APP)
            || key == people::graph_principal_id(self.tenant).as_str()
    }

    fn graph_itself(&self) -> Value {
        let permissions: BTreeSet<&str> =
            self.directory.apps().flat_map(|app| &app.permissions).map(String::as_str).collect();
        let scopes: BTreeSet<&str> =
            self.directory.apps().flat_map(|app| &app.delegated).map(String::as_str).collect();
        people::graph_principal(self.tenant, &permissions, &scopes)
    }
}
