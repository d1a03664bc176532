//! The page on which an administrator lets an application into his tenant ("Admin consent").

use jiff::Timestamp;

use crate::directory::{AppId, Directory};
use crate::entra::Entra;
use crate::entra::authorise::{Outcome, Person, ResponseMode, Stop, Visit, Visited, Wish, candidates, wish};
use crate::entra::fault::Fault;
use crate::entra::page;
use crate::entra::scope::Asked;

impl Entra {
    /// `/{tenant}/v2.0/adminconsent`.
    pub(crate) fn admin_consent(
        &mut self,
        directory: &mut Directory,
        now: Timestamp,
        visit: &Visit<'_>,
    ) -> Visited {
        let params = visit.query;
        let wish = match wish(directory, visit, params) {
            Ok(wish) => wish,
            Err(fault) => return visit.fault(&fault, None),
        };
        match self.admin_consent_known(directory, now, visit, &wish) {
            Ok(visited) => visited,
            Err(Stop::Page(page)) => *page,
            Err(Stop::Back(fault)) => {
                let mut outcome = wish.refuse(&fault, visit.ids);
                if let Outcome::Back { pairs, .. } = &mut outcome {
                    pairs.push(("admin_consent", "True".to_owned()));
                    pairs.extend(visit.authority.tenant().map(|tenant| ("tenant", tenant.to_string())));
                }
                Visited { outcome, browser: None }
            }
        }
    }

    fn admin_consent_known(
        &mut self,
        directory: &mut Directory,
        now: Timestamp,
        visit: &Visit<'_>,
        wish: &Wish,
    ) -> Result<Visited, Stop> {
        let app = &wish.app;
        let scope = visit.query.get("scope").unwrap_or("https://graph.microsoft.com/.default");
        let asked = Asked::read(scope.split_whitespace(), directory, visit.authority.segment())?;
        let tenants = candidates(directory, visit.authority, app, visit.query.get("domain_hint"));
        let (person, browser) =
            self.who(directory, now, visit, app, &tenants, "select_account", visit.query.get("login_hint"))?;
        let mfa = self.strong_enough(visit, app, &person, false, "")?;
        let person = Person { mfa, ..person };
        if !person.user.administrator {
            let fault = Fault::AdminOnly(app.name.clone());
            return Err(Stop::Page(Box::new(visit.fault(&fault, Some(wish)))));
        }
        let tenant = person.user.tenant.clone();
        let tenant_name = directory.tenant(&tenant).map(|tenant| tenant.name.clone()).unwrap_or_default();
        // `/.default` is all that the registration asks for; single scopes leave the application permissions out.
        let (permissions, delegated): (Vec<String>, Vec<String>) = if asked.default {
            (app.permissions.clone(), app.delegated.clone())
        } else {
            (Vec::new(), asked.scopes.iter().chain(&asked.oidc).cloned().collect())
        };
        match visit.form.and_then(|form| form.get("consent")) {
            None => {
                let consent =
                    page::Consent { user: &person.user, delegated, permissions, tenant: Some(&tenant_name) };
                let html = page::consent(&visit.frame(app, self.carry(now, &person)), &consent);
                return Ok(Visited { outcome: Outcome::Page { status: 200, html }, browser: None });
            }
            Some("accept") => {}
            Some(_) => return Err(Fault::Declined.into()),
        }
        // Tenant and application were found above.
        let _ = directory.consent_to(&tenant, &AppId::new(&app.id), permissions, delegated);
        let cookie = self.remember(now, browser, &person);
        let mut pairs = vec![("admin_consent", "True".to_owned()), ("tenant", tenant.to_string())];
        pairs.extend(wish.state.clone().map(|state| ("state", state)));
        pairs.push(("scope", scope.to_owned()));
        let outcome = Outcome::Back { to: wish.redirect_uri.clone(), mode: ResponseMode::Query, pairs };
        Ok(Visited { outcome, browser: Some(cookie) })
    }
}
