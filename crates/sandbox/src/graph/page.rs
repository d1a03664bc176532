//! The page on which a person can be anybody of the tenants: what it shows, and its files.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::commands::{Choice, SubscriptionView, subscription_views};
use super::presence::View;
use crate::directory::Tenant;
use crate::web::CloudState;

/// Everything that the page shows.
#[derive(Serialize)]
pub(super) struct Everybody {
    version: u64,
    apps: Vec<NamedApp>,
    tenants: Vec<TenantView>,
    subscriptions: Vec<SubscriptionView>,
}

#[derive(Serialize)]
struct NamedApp {
    id: String,
    name: String,
}

#[derive(Serialize)]
struct TenantView {
    id: String,
    name: String,
    people: Vec<PersonView>,
    apps: Vec<ConsentView>,
}

#[derive(Serialize)]
struct PersonView {
    id: String,
    object_id: String,
    name: String,
    principal: String,
    department: String,
    job_title: String,
    roles: Vec<String>,
    guest: bool,
    enabled: bool,
    choice: Option<Choice>,
    presence: Option<View>,
}

#[derive(Serialize)]
struct ConsentView {
    id: String,
    name: String,
    consented: bool,
    permissions: Vec<String>,
    delegated: Vec<String>,
}

impl Everybody {
    /// Everything as it is.
    pub(super) fn of(state: &CloudState) -> Self {
        let (graph, directory) = (&state.graph, &state.directory);
        let apps = directory.apps().map(|app| NamedApp { id: app.id.clone(), name: app.name.clone() });
        Self {
            version: graph.version(directory),
            apps: apps.collect(),
            tenants: directory.tenants().map(|tenant| TenantView::of(state, tenant)).collect(),
            subscriptions: subscription_views(state),
        }
    }
}

impl TenantView {
    fn of(state: &CloudState, tenant: &Tenant) -> Self {
        let (graph, directory) = (&state.graph, &state.directory);
        let people = tenant.users.values().map(|user| {
            let presence = graph.presences.view(user.object_id.as_str());
            PersonView {
                id: user.id.clone(),
                object_id: user.object_id.to_string(),
                name: user.name.clone(),
                principal: user.principal.clone(),
                department: user.department.clone(),
                job_title: user.job_title.clone(),
                roles: directory.apps().flat_map(|app| tenant.roles_of(app, &user.object_id)).collect(),
                guest: user.guest,
                enabled: user.enabled,
                choice: presence.as_ref().and_then(Choice::of),
                presence,
            }
        });
        let apps = directory.apps().map(|app| {
            let granted = tenant.principals.values().find(|principal| principal.app.as_str() == app.id);
            let delegated = granted.and_then(|principal| principal.delegated.get(&None));
            ConsentView {
                id: app.id.clone(),
                name: app.name.clone(),
                consented: granted.is_some(),
                permissions: granted.iter().flat_map(|one| one.permissions.iter().cloned()).collect(),
                delegated: delegated.into_iter().flatten().cloned().collect(),
            }
        });
        Self {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
            people: people.collect(),
            apps: apps.collect(),
        }
    }
}

/// `GET /`.
pub(super) async fn html() -> Response {
    file("text/html; charset=utf-8", include_str!("../../assets/people.html"))
}

/// `GET /sandbox/page/people.css`.
pub(super) async fn css() -> Response {
    file("text/css; charset=utf-8", include_str!("../../assets/people.css"))
}

/// `GET /sandbox/page/people.js`.
pub(super) async fn js() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../../assets/people.js"))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, text).into_response()
}

/// Nothing but the page's own files, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
