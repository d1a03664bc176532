//! The pages of a sign-in: the authorise endpoint with its form, what somebody proves and grants there, and signing out.
//!
//! Every step is one POST of the same form to the same address. A program may send all answers at once: `user`
//! (short name, principal name or object id), `password`, `mfa=approved`, `consent=accept`, or `cancel=yes`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::config::{AppConfig, Audience};
use crate::directory::{AppId, Directory, EntraTenantId, ObjectId, User};
use crate::entra::Entra;
use crate::entra::discovery::{Authority, Origin};
use crate::entra::fault::{Fault, Ids};
use crate::entra::grant::BROWSER_LIFETIME;
use crate::entra::grant::{Browser, CODE_LIFETIME, Challenge, Code, Found, Grant};
use crate::entra::page::{self, Language};
use crate::entra::params::{Params, encoded, with_query};
use crate::entra::scope::{Asked, Resource, is_for_administrators};

/// A request of somebody's browser for a page.
#[derive(Debug)]
pub struct Visit<'a> {
    /// The tenant in the address.
    pub authority: &'a Authority,
    /// Where it came to.
    pub origin: &'a Origin,
    /// Path and query, where the form goes to again.
    pub address: &'a str,
    /// The query.
    pub query: &'a Params,
    /// What the form says; `None`: it is the first look.
    pub form: Option<&'a Params>,
    /// The cookie that names the browser.
    pub browser: Option<&'a str>,
    /// What people speak.
    pub language: Language,
    /// For error pages.
    pub ids: &'a Ids,
}

/// What the browser gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A page.
    Page {
        /// The status.
        status: u16,
        /// HTML.
        html: String,
    },
    /// Back to the application.
    Back {
        /// The redirect URI.
        to: String,
        /// How the pairs go there.
        mode: ResponseMode,
        /// What it is told.
        pairs: Vec<(&'static str, String)>,
    },
}

/// How an answer goes back to the application ("OAuth 2.0 Multiple Response Type Encoding Practices").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query.
    #[default]
    Query,
    /// Behind the `#`.
    Fragment,
    /// As a form that sends itself.
    FormPost,
}

/// Pages with what the browser shall remember.
#[derive(Debug)]
pub struct Visited {
    /// What the browser gets.
    pub outcome: Outcome,
    /// A new cookie for it.
    pub browser: Option<String>,
}

/// Somebody who has proved who he is.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) user: User,
    pub(super) mfa: bool,
}

/// The application's request, as far as it can be trusted to be answered.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) app: AppConfig,
    pub(super) redirect_uri: String,
    page: bool,
    mode: ResponseMode,
    pub(super) state: Option<String>,
}

impl Entra {
    /// `/{tenant}/oauth2/v2.0/authorize`.
    pub(crate) fn authorise(
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
        match self.authorise_known(directory, now, visit, params, &wish) {
            Ok(visited) => visited,
            Err(Stop::Page(page)) => *page,
            Err(Stop::Back(fault)) => Visited { outcome: wish.refuse(&fault, visit.ids), browser: None },
        }
    }

    fn authorise_known(
        &mut self,
        directory: &mut Directory,
        now: Timestamp,
        visit: &Visit<'_>,
        params: &Params,
        wish: &Wish,
    ) -> Result<Visited, Stop> {
        let response_type = params.get("response_type").ok_or(Fault::Missing("response_type"))?;
        if response_type != "code" {
            return Err(Fault::UnsupportedResponseType(response_type.to_owned()).into());
        }
        let scope = params.get("scope").ok_or(Fault::Missing("scope"))?;
        let asked = Asked::read(scope.split_whitespace(), directory, visit.authority.segment())?;
        let challenge = challenge(params)?;
        if wish.page && challenge.is_none() {
            return Err(Fault::PkceNeeded.into());
        }
        let app = &wish.app;
        let tenants = candidates(directory, visit.authority, app, params.get("domain_hint"));
        let prompt = params.get("prompt").unwrap_or_default();
        let (person, browser) =
            self.who(directory, now, visit, app, &tenants, prompt, params.get("login_hint"))?;
        let stepped_up = params.get("claims").is_some_and(|claims| claims.contains("capolids"));
        let mfa = self.strong_enough(visit, app, &person, stepped_up, prompt)?;
        let person = Person { mfa, ..person };

        self.consent_in_passing(directory, visit, app, &asked, &person, prompt)?;
        let (tenant, user) = (&person.user.tenant, &person.user.object_id);
        let installed = directory.tenant(tenant);
        let roles = installed.map(|tenant| tenant.roles_of(app, user)).unwrap_or_default();
        if app.assignment_required && roles.is_empty() {
            let fault = Fault::NotAssigned { user: person.user.principal.clone(), app: AppId::new(&app.id) };
            return Err(Stop::Page(Box::new(visit.fault(&fault, Some(wish)))));
        }

        let code = format!("1.{}", self.random_name());
        let grant = Grant {
            client: AppId::new(&app.id),
            tenant: tenant.clone(),
            user: user.clone(),
            asked,
            mfa,
            page: wish.page,
            since: now,
        };
        let kept = Code {
            grant,
            redirect_uri: wish.redirect_uri.clone(),
            nonce: params.get("nonce").map(str::to_owned),
            challenge,
            used: false,
        };
        self.codes.keep(code.clone(), kept, now, CODE_LIFETIME);
        let cookie = self.remember(now, browser, &person);
        let mut pairs = vec![("code", code)];
        if params.get("client_info") == Some("1") {
            use base64::Engine;
            let info = serde_json::json!({ "uid": user, "utid": tenant }).to_string();
            pairs.push(("client_info", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(info)));
        }
        pairs.extend(wish.state.clone().map(|state| ("state", state)));
        pairs.push(("session_state", self.chance.guid()));
        let outcome = Outcome::Back { to: wish.redirect_uri.clone(), mode: wish.mode, pairs };
        Ok(Visited { outcome, browser: Some(cookie) })
    }

    /// `/{tenant}/oauth2/v2.0/logout`.
    pub(crate) fn logout(&mut self, directory: &Directory, now: Timestamp, visit: &Visit<'_>) -> Visited {
        if let Some(Found::Good(browser)) = visit.browser.map(|name| self.browsers.get_mut(name, now)) {
            browser.signed_in.clear();
        }
        let to = visit.query.get("post_logout_redirect_uri").filter(|uri| {
            directory.apps().any(|app| {
                app.redirect_uris.iter().chain(&app.spa_redirect_uris).any(|known| same_place(known, uri))
            })
        });
        let outcome = match to {
            Some(to) => {
                let state = visit.query.get("state").map(|state| ("state", state.to_owned()));
                Outcome::Back {
                    to: to.to_owned(),
                    mode: ResponseMode::Query,
                    pairs: state.into_iter().collect(),
                }
            }
            None => {
                let title = ("You signed out of your account", "Vous êtes déconnecté de votre compte");
                let text = (
                    "It’s a good idea to close all browser windows.",
                    "Il est recommandé de fermer toutes les fenêtres du navigateur.",
                );
                Outcome::Page { status: 200, html: page::message(visit.language, title, text) }
            }
        };
        Visited { outcome, browser: None }
    }

    /// Finds out who it is: silently where the browser knows, else by the form.
    #[expect(clippy::too_many_arguments, reason = "all of one request")]
    pub(super) fn who(
        &mut self,
        directory: &Directory,
        now: Timestamp,
        visit: &Visit<'_>,
        app: &AppConfig,
        tenants: &[EntraTenantId],
        prompt: &str,
        hint: Option<&str>,
    ) -> Result<(Person, Browser), Stop> {
        let browser = match visit.browser.map(|name| self.browsers.get(name, now)) {
            Some(Found::Good(browser)) => browser.clone(),
            _ => Browser::default(),
        };
        let here: Vec<(EntraTenantId, ObjectId)> =
            browser.signed_in.keys().filter(|(tenant, _)| tenants.contains(tenant)).cloned().collect();
        let known = |(tenant, user): &(EntraTenantId, ObjectId)| {
            let user = directory.user(tenant, user)?.clone();
            let fits = hint.is_none_or(|hint| {
                user.principal.eq_ignore_ascii_case(hint)
                    || user.mail.eq_ignore_ascii_case(hint)
                    || user.object_id.as_str() == hint
            });
            (fits && user.enabled).then_some(user)
        };
        let form = visit.form.filter(|form| form.get("user").is_some() || form.get("cancel").is_some());
        let Some(form) = form else {
            let silent: Vec<User> = here.iter().filter_map(known).collect();
            return match (prompt, silent.as_slice()) {
                ("" | "none", [user]) => {
                    let at = (user.tenant.clone(), user.object_id.clone());
                    let mfa = browser.signed_in.get(&at).copied().unwrap_or(false);
                    Ok((Person { user: user.clone(), mfa }, browser))
                }
                ("none", _) => Err(Fault::NobodySignedIn.into()),
                _ => {
                    let frame = visit.frame(app, Vec::new());
                    let html = page::choose(&frame, directory, tenants, &here, hint, None);
                    Err(Stop::page(200, html))
                }
            };
        };
        if form.get("cancel").is_some() {
            return Err(Fault::Declined.into());
        }
        let typed = form.get("user").unwrap_or_default();
        let among = tenants.iter().filter_map(|tenant| directory.tenant(tenant));
        let found = among
            .flat_map(|tenant| tenant.users.values())
            .find(|user| {
                user.id == typed
                    || user.principal.eq_ignore_ascii_case(typed)
                    || user.object_id == ObjectId::new(typed)
            })
            .cloned();
        let Some(user) = found else {
            let tenant = visit.authority.segment().to_owned();
            let fault = match directory.user_named(typed) {
                Some(other) => Fault::OtherTenant { user: other.principal.clone(), tenant },
                None => Fault::NoUser { user: typed.to_owned(), tenant },
            };
            let html =
                page::choose(&visit.frame(app, Vec::new()), directory, tenants, &here, hint, Some(&fault));
            return Err(Stop::page(400, html));
        };
        if !user.enabled {
            return Err(Stop::Page(Box::new(visit.fault(&Fault::Disabled, None))));
        }
        self.password(now, visit, app, &user, form)?;
        Ok((Person { user, mfa: false }, browser))
    }

    /// Asks for the password of who has one.
    fn password(
        &mut self,
        now: Timestamp,
        visit: &Visit<'_>,
        app: &AppConfig,
        user: &User,
        form: &Params,
    ) -> Result<(), Stop> {
        let Some(password) = &user.password else { return Ok(()) };
        let step = form.get("step").map(|step| self.steps.get(step, now));
        if matches!(step, Some(Found::Good(proved)) if *proved == user.object_id) {
            return Ok(());
        }
        let fault = match form.get("password") {
            Some(typed) if typed == password => return Ok(()),
            Some(_) => Some(Fault::WrongPassword),
            None => None,
        };
        let hidden = vec![("user", user.id.clone())];
        let html = page::password(&visit.frame(app, hidden), user, fault.as_ref());
        Err(Stop::page(if fault.is_some() { 401 } else { 200 }, html))
    }

    /// Whether somebody has proved more than a password, and whether that is demanded.
    pub(super) fn strong_enough(
        &mut self,
        visit: &Visit<'_>,
        app: &AppConfig,
        person: &Person,
        stepped_up: bool,
        prompt: &str,
    ) -> Result<bool, Stop> {
        let user = &person.user;
        if self.policy.blocks(user) {
            return Err(Stop::Page(Box::new(visit.fault(&Fault::Blocked, None))));
        }
        let approved = visit.form.and_then(|form| form.get("mfa")) == Some("approved");
        if person.mfa || approved {
            return Ok(true);
        }
        if !self.policy.demands_mfa(user) && !stepped_up {
            return Ok(false);
        }
        if prompt == "none" {
            return Err(Fault::Mfa { resource: app.id.clone() }.into());
        }
        let html = page::approve(&visit.frame(app, self.carry(visit.ids.at, person)), user);
        Err(Stop::page(200, html))
    }

    /// Asks for what is not granted yet, and grants it.
    pub(super) fn consent_in_passing(
        &mut self,
        directory: &mut Directory,
        visit: &Visit<'_>,
        app: &AppConfig,
        asked: &Asked,
        person: &Person,
        prompt: &str,
    ) -> Result<(), Stop> {
        let (user, id) = (&person.user, AppId::new(&app.id));
        let Some(tenant) = directory.tenant(&user.tenant) else { return Err(Fault::Malformed.into()) };
        let mut missing: BTreeSet<String> = asked.not_granted(app, directory, tenant, Some(&user.object_id));
        let preauthorised = matches!(&asked.resource, Resource::Api(_)) && missing.is_empty();
        let installed = tenant.principals.contains_key(&id);
        if prompt == "consent" {
            missing.extend(asked.scopes.iter().cloned());
        } else if missing.is_empty()
            && (installed || (preauthorised && asked.resource != Resource::Api(id.clone())))
        {
            return Ok(());
        }
        missing.extend(asked.oidc.iter().cloned());
        if prompt == "none" {
            return Err(Fault::NoConsent { app: id, name: app.name.clone() }.into());
        }
        if !user.administrator && missing.iter().any(|scope| is_for_administrators(scope)) {
            let fault = Fault::AdminOnly(app.name.clone());
            return Err(Stop::Page(Box::new(visit.fault(&fault, None))));
        }
        let Some(answer) = visit.form.and_then(|form| form.get("consent")) else {
            let consent = page::Consent {
                user,
                delegated: missing.into_iter().collect(),
                permissions: Vec::new(),
                tenant: None,
            };
            let html = page::consent(&visit.frame(app, self.carry(visit.ids.at, person)), &consent);
            return Err(Stop::page(200, html));
        };
        if answer != "accept" {
            return Err(Fault::Declined.into());
        }
        let everyone = visit.form.and_then(|form| form.get("everyone")) == Some("yes");
        // Tenant, application and person were found above.
        let _ = if everyone && user.administrator {
            directory.consent_to(&user.tenant, &id, [], missing)
        } else {
            directory.consent_as_user(&user.tenant, &id, &user.object_id, missing)
        };
        Ok(())
    }

    /// What the form carries on from somebody who has proved something already.
    pub(super) fn carry(&mut self, now: Timestamp, person: &Person) -> Vec<(&'static str, String)> {
        let step = self.random_name();
        self.steps.keep(step.clone(), person.user.object_id.clone(), now, CODE_LIFETIME);
        let mut hidden = vec![("user", person.user.id.clone()), ("step", step)];
        if person.mfa {
            hidden.push(("mfa", "approved".to_owned()));
        }
        hidden
    }

    /// Remembers who is signed in in a browser; gives the browser's new name.
    pub(super) fn remember(&mut self, now: Timestamp, mut browser: Browser, person: &Person) -> String {
        let at = (person.user.tenant.clone(), person.user.object_id.clone());
        if browser.signed_in.len() < ACCOUNTS_MAX || browser.signed_in.contains_key(&at) {
            let mfa = browser.signed_in.entry(at).or_default();
            *mfa |= person.mfa;
        }
        let name = self.random_name();
        self.browsers.keep(name.clone(), browser, now, BROWSER_LIFETIME);
        name
    }
}

impl Visit<'_> {
    pub(super) fn frame<'a>(
        &'a self,
        app: &'a AppConfig,
        mut hidden: Vec<(&'static str, String)>,
    ) -> page::Frame<'a> {
        // A device's code is in no query.
        if let Some(form) = self.form {
            for name in CARRIED {
                if let Some(value) = form.get(name) {
                    hidden.push((name, value.to_owned()));
                }
            }
        }
        page::Frame { language: self.language, app: &app.name, action: self.address, hidden }
    }

    pub(super) fn fault(&self, fault: &Fault, wish: Option<&Wish>) -> Visited {
        let back = wish.and_then(|wish| match wish.refuse(fault, self.ids) {
            Outcome::Back { to, pairs, .. } => {
                let pairs: Vec<(&str, &str)> =
                    pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
                Some(with_query(&to, &pairs))
            }
            Outcome::Page { .. } => None,
        });
        let html = page::fault(self.language, fault, self.ids, back.as_deref());
        Visited { outcome: Outcome::Page { status: 400, html }, browser: None }
    }
}

impl Wish {
    pub(super) fn refuse(&self, fault: &Fault, ids: &Ids) -> Outcome {
        // At this endpoint a demand is told by other words than at the token endpoint (OpenID Connect Core 3.1.2.6).
        let error = match fault {
            Fault::NoConsent { .. } => "consent_required",
            Fault::Mfa { .. } => "interaction_required",
            other => other.error(),
        };
        let mut pairs = vec![("error", error.to_owned()), ("error_description", fault.description(ids))];
        if *fault == Fault::Declined {
            pairs.push(("error_subcode", "cancel".to_owned()));
        }
        pairs.extend(self.state.clone().map(|state| ("state", state)));
        Outcome::Back { to: self.redirect_uri.clone(), mode: self.mode, pairs }
    }
}

/// Why a request goes no further.
pub(super) enum Stop {
    /// A page comes first.
    Page(Box<Visited>),
    /// The application is told.
    Back(Fault),
}

impl Stop {
    pub(super) fn page(status: u16, html: String) -> Self {
        Self::Page(Box::new(Visited { outcome: Outcome::Page { status, html }, browser: None }))
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Back(fault)
    }
}

impl Outcome {
    /// The address with the answer in it; not for a form.
    pub fn location(to: &str, mode: ResponseMode, pairs: &[(&'static str, String)]) -> String {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        match mode {
            ResponseMode::Fragment => format!("{to}#{}", encoded(&pairs)),
            _ if pairs.is_empty() => to.to_owned(),
            ResponseMode::Query | ResponseMode::FormPost => with_query(to, &pairs),
        }
    }
}

/// Who asks and where to he may be answered: nothing is sent to an address that is not registered.
pub(super) fn wish(directory: &Directory, visit: &Visit<'_>, params: &Params) -> Result<Wish, Fault> {
    let id = params.get("client_id").ok_or(Fault::Missing("client_id"))?;
    let unknown = || Fault::NoApp { app: id.to_owned(), tenant: visit.authority.segment().to_owned() };
    let app = directory.app(&AppId::new(id)).ok_or_else(unknown)?;
    if app.audience == Audience::AzureADMyOrg
        && visit.authority.tenant().is_some_and(|tenant| *tenant != EntraTenantId::new(&app.home_tenant))
    {
        return Err(unknown());
    }
    if app.audience == Audience::AzureADMyOrg && visit.authority.tenant().is_none() {
        return Err(Fault::SingleTenant(AppId::new(id)));
    }
    let uri = match (params.get("redirect_uri"), app.redirect_uris.as_slice()) {
        (Some(uri), _) => uri,
        (None, [only]) => only,
        (None, _) => return Err(Fault::Missing("redirect_uri")),
    };
    let known = |list: &[String]| list.iter().any(|known| same_place(known, uri));
    let page = known(&app.spa_redirect_uris);
    if !page && !known(&app.redirect_uris) {
        return Err(Fault::RedirectUri { uri: uri.to_owned(), app: AppId::new(id) });
    }
    let mode = match params.get("response_mode") {
        None | Some("query") => ResponseMode::Query,
        Some("fragment") => ResponseMode::Fragment,
        Some("form_post") => ResponseMode::FormPost,
        Some(_) => return Err(Fault::Malformed),
    };
    Ok(Wish {
        app: app.clone(),
        redirect_uri: uri.to_owned(),
        page,
        mode,
        state: params.get("state").map(str::to_owned),
    })
}

fn challenge(params: &Params) -> Result<Option<Challenge>, Fault> {
    let Some(challenge) = params.get("code_challenge") else { return Ok(None) };
    match params.get("code_challenge_method") {
        Some("S256") => Ok(Some(Challenge::S256(challenge.to_owned()))),
        None | Some("plain") => Ok(Some(Challenge::Plain(challenge.to_owned()))),
        Some(_) => Err(Fault::Malformed),
    }
}

/// The tenants among whose people somebody chooses.
pub(super) fn candidates(
    directory: &Directory,
    authority: &Authority,
    app: &AppConfig,
    domain: Option<&str>,
) -> Vec<EntraTenantId> {
    if let Some(tenant) = authority.tenant() {
        return vec![tenant.clone()];
    }
    let fits = |tenant: &&crate::directory::Tenant| match app.audience {
        Audience::AzureADMyOrg => tenant.id == EntraTenantId::new(&app.home_tenant),
        Audience::AzureADMultipleOrgs => true,
    };
    let hinted = domain.and_then(|domain| directory.tenant_named(domain)).map(|tenant| tenant.id.clone());
    let all = directory.tenants().filter(fits).map(|tenant| tenant.id.clone());
    all.filter(|tenant| hinted.as_ref().is_none_or(|hinted| hinted == tenant)).collect()
}

/// Whether an address is a registered one. The port does not matter on this machine ("Redirect URI restrictions and
/// limitations", localhost exceptions).
fn same_place(registered: &str, given: &str) -> bool {
    if registered == given {
        return true;
    }
    let without_port = |address: &str| {
        let (scheme, rest) = address.split_once("://")?;
        let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (name, port) = host.split_once(':').unwrap_or((host, ""));
        let local = port.bytes().all(|digit| digit.is_ascii_digit()) && LOCAL_NAMES.contains(&name);
        local.then(|| format!("{scheme}://{name}{path}"))
    };
    without_port(registered).is_some_and(|registered| without_port(given) == Some(registered))
}

/// Names of this machine in redirect URIs.
const LOCAL_NAMES: [&str; 2] = ["localhost", "127.0.0.1"];
/// What a form carries on from the one before.
const CARRIED: [&str; 1] = ["otc"];
/// People signed in in one browser; a further one is not remembered.
const ACCOUNTS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_this_machine_the_port_does_not_matter() {
        assert!(same_place("http://localhost/cb", "http://localhost:8080/cb"));
        assert!(same_place("http://localhost:1/cb", "http://localhost:8080/cb"));
        assert!(!same_place("http://localhost/cb", "http://localhost:8080/other"));
        assert!(!same_place("http://localhost/cb", "http://localhost.evil.example/cb"));
        assert!(!same_place("http://localhost/cb", "http://localhost:80@evil.example/cb"));
        assert!(!same_place("https://tandem.example/cb", "https://tandem.example:444/cb"));
        assert!(same_place("https://tandem.example/cb", "https://tandem.example/cb"));
    }
}
