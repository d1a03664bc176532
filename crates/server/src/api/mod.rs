//! The HTTP API: queues, agents, calls, trunks, health, the live web socket, and the page.
//!
//! docs/api.md has the conventions, `/api/openapi.json` every route. Handlers identify, authorise, act through the
//! [`Desk`], and answer; they decide nothing.

pub mod access;
pub mod agents;
pub mod audit;
pub mod authorisation;
pub mod calls;
pub mod command;
pub mod configuration;
mod connections;
pub mod directory;
pub mod erasures;
pub mod error;
pub mod events;
pub mod experts;
pub mod explanations;
mod halt;
pub mod health;
pub mod keys;
pub mod listen;
pub mod live;
pub mod me;
pub mod microsoft;
pub mod notifications;
pub mod passkeys;
pub mod people;
pub mod proxies;
pub mod queues;
pub mod recordings;
pub mod repeat;
pub mod reports;
pub mod room;
mod scope;
pub mod sign_in;
pub mod staffing;
pub mod tenants;
mod trail;
pub mod trunks;
pub mod webhooks;
pub mod work;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tandem_microsoft::graph::notification::DELIVERY_OCTETS_MAX;
use tokio::sync::Semaphore;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::file::HttpFile;
use crate::desk::Desks;
use crate::identity::Identity;
use crate::microsoft::Microsoft;
use crate::page;
use crate::reload::Reloads;
use crate::webhooks::Webhooks;
use access::Access;
use connections::Connections;
use error::ApiError;
use listen::{Certificate, Listening};
use proxies::Proxies;
use repeat::Repeats;
use room::Rooms;

/// Everything that a request may need.
#[derive(Clone)]
pub(crate) struct Api {
    desks: Desks,
    access: Arc<Access>,
    pub(crate) identity: Identity,
    /// Microsoft, if it is configured.
    microsoft: Option<Microsoft>,
    repeats: Arc<Repeats>,
    rooms: Arc<Rooms>,
    followers: Arc<Semaphore>,
    /// Live web sockets whose clients have not said yet who they are.
    greeting: Arc<Connections>,
    document: Arc<str>,
    /// What each route is called in the audit trail, by method and path.
    acts: Arc<authorisation::Acts>,
    webhooks: Webhooks,
    /// Brings the configuration into force anew, where the program was started from one.
    reloads: Option<Reloads>,
}

/// The HTTP side on its address.
pub struct Server {
    listening: Listening,
    router: Router,
    microsoft: Option<Microsoft>,
}

impl Server {
    /// Opens the address of the configuration. Nobody is served yet; what is served may have to know the address first.
    ///
    /// # Errors
    ///
    /// An address that others can reach has no TLS or no token, or a file or the address cannot be used.
    pub async fn bind(
        http: &HttpFile,
        desks: Desks,
        identity: Identity,
        webhooks: Webhooks,
        reloads: Reloads,
        microsoft: impl FnOnce(&Listening) -> anyhow::Result<Option<Microsoft>>,
    ) -> anyhow::Result<Server> {
        let (listening, access) = listen::open(http).await?;
        let microsoft = microsoft(&listening)?;
        let parts = Served { desks, access, identity, webhooks, microsoft: microsoft.clone() };
        let router = router_of(parts, Some(reloads));
        Ok(Server { listening, router, microsoft })
    }

    /// The address, with the port that the system chose if the configuration says 0.
    pub fn address(&self) -> SocketAddr {
        self.listening.address()
    }

    /// What is shown to whoever comes over TLS.
    pub fn certificate(&self) -> Certificate {
        self.listening.certificate()
    }

    /// Microsoft, if it is configured.
    pub fn microsoft(&self) -> Option<&Microsoft> {
        self.microsoft.as_ref()
    }

    /// `https` with TLS, else `http`.
    pub fn scheme(&self) -> &'static str {
        self.listening.scheme()
    }

    /// Serves until `stop` resolves, then lets requests under way come to their end, for a few seconds.
    pub async fn serve_until(self, stop: impl Future<Output = ()>) {
        self.listening.serve(self.router, stop).await;
    }

    /// Serves for ever; dropped, it cuts everybody off.
    pub async fn serve(self) {
        self.serve_until(std::future::pending()).await;
    }
}

/// The whole HTTP side as one service, without Microsoft.
pub fn router(desks: Desks, access: Access, identity: Identity, webhooks: Webhooks) -> Router {
    router_with(desks, access, identity, webhooks, None)
}

/// The whole HTTP side as one service.
pub fn router_with(
    desks: Desks,
    access: Access,
    identity: Identity,
    webhooks: Webhooks,
    microsoft: Option<Microsoft>,
) -> Router {
    router_of(Served { desks, access, identity, webhooks, microsoft }, None)
}

/// What the HTTP side serves.
struct Served {
    desks: Desks,
    access: Access,
    identity: Identity,
    webhooks: Webhooks,
    microsoft: Option<Microsoft>,
}

fn router_of(served: Served, reloads: Option<Reloads>) -> Router {
    let Served { desks, access, identity, webhooks, microsoft } = served;
    let (open, secret, live, document) = parts();
    let api = Api {
        desks,
        access: Arc::new(access),
        identity,
        microsoft,
        repeats: Arc::default(),
        rooms: Arc::default(),
        followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        greeting: Arc::new(Connections::new(Proxies::default(), GREETING_MAX)),
        acts: Arc::new(authorisation::acts(&document)),
        document: document.into(),
        webhooks,
        reloads,
    };
    let guarded = secret.layer(middleware::from_fn_with_state(api.clone(), authorisation::only_permitted));
    open.merge(guarded)
        .layer(middleware::from_fn(in_time))
        .merge(live)
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(api.clone(), access::only_our_own))
        .layer(middleware::from_fn(with_headers))
        .with_state(api)
}

/// The OpenAPI document of all routes, as JSON text.
pub fn document() -> String {
    parts().3
}

/// Routes for everybody, routes for those who have the token, the live socket (which asks for the token itself),
/// and the document of them all.
fn parts() -> (Router<Api>, Router<Api>, Router<Api>, String) {
    let (open, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(openapi))
        .routes(routes!(sign_in::methods))
        .routes(routes!(sign_in::password))
        .routes(routes!(sign_in::refresh))
        .routes(routes!(sign_in::set_up))
        .routes(routes!(sign_in::accept_invitation))
        .routes(routes!(sign_in::click))
        .routes(routes!(passkeys::ask))
        .routes(routes!(passkeys::finish))
        .routes(routes!(passkeys::begin_setup))
        .routes(routes!(passkeys::begin_invitation))
        .routes(routes!(microsoft::start))
        .routes(routes!(microsoft::callback))
        .routes(routes!(microsoft::teams))
        .routes(routes!(microsoft::consent_start))
        .routes(routes!(microsoft::consent_callback))
        .split_for_parts();
    let (told, of_told) = OpenApiRouter::new()
        .routes(routes!(notifications::take))
        .routes(routes!(notifications::take_lifecycle))
        .split_for_parts();
    let open = open.merge(told.layer(DefaultBodyLimit::max(DELIVERY_OCTETS_MAX)));
    document.merge(of_told);
    let (secret, of_secret) = OpenApiRouter::new()
        .routes(routes!(health::figures))
        .routes(routes!(queues::list))
        .routes(routes!(queues::view))
        .routes(routes!(queues::switch))
        .routes(routes!(agents::list))
        .routes(routes!(agents::view))
        .routes(routes!(agents::state_set))
        .routes(routes!(agents::wrap_up_end))
        .routes(routes!(agents::wrap_up_extend))
        .routes(routes!(agents::presence_tell))
        .routes(routes!(calls::list))
        .routes(routes!(calls::view))
        .routes(routes!(explanations::view))
        .routes(routes!(experts::of_call))
        .routes(routes!(work::move_to))
        .routes(routes!(work::prioritise))
        .routes(routes!(work::assign))
        .routes(routes!(work::cancel_callback))
        .routes(routes!(work::schedule_callback))
        .routes(routes!(recordings::play, recordings::remove))
        .routes(routes!(reports::queues))
        .routes(routes!(reports::agents))
        .routes(routes!(staffing::compute))
        .routes(routes!(trunks::list))
        .routes(routes!(tenants::list))
        .routes(routes!(configuration::reload))
        .routes(routes!(directory::search))
        .routes(routes!(directory::skills_set))
        .routes(routes!(directory::photo))
        .routes(routes!(microsoft::onboard))
        .routes(routes!(microsoft::view))
        .routes(routes!(microsoft::disconnect))
        .routes(routes!(microsoft::account_connect))
        .routes(routes!(microsoft::account_disconnect))
        .routes(routes!(sign_in::out))
        .routes(routes!(me::view))
        .routes(routes!(me::credentials))
        .routes(routes!(me::password_change))
        .routes(routes!(passkeys::begin))
        .routes(routes!(passkeys::add))
        .routes(routes!(passkeys::remove))
        .routes(routes!(me::logins, me::logins_revoke))
        .routes(routes!(me::login_revoke))
        .routes(routes!(people::list, people::create))
        .routes(routes!(people::view, people::change, people::remove))
        .routes(routes!(people::logins, people::logins_revoke))
        .routes(routes!(people::invite))
        .routes(routes!(people::list_of_installation, people::create_of_installation))
        .routes(routes!(
            people::view_of_installation,
            people::change_of_installation,
            people::remove_of_installation
        ))
        .routes(routes!(people::logins_revoke_of_installation))
        .routes(routes!(people::invite_of_installation))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(keys::list_of_installation, keys::create_of_installation))
        .routes(routes!(keys::revoke_of_installation))
        .routes(routes!(audit::page))
        .routes(routes!(audit::page_of_installation))
        .routes(routes!(erasures::erase))
        .routes(routes!(erasures::erase_person))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::view, webhooks::change, webhooks::remove))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::replay))
        .routes(routes!(webhooks::resend))
        .routes(routes!(webhooks::test))
        .routes(routes!(events::list))
        .split_for_parts();
    let (live, of_live) = OpenApiRouter::new().routes(routes!(live::open)).split_for_parts();
    document.merge(of_secret);
    document.merge(of_live);
    let text = document.to_pretty_json().unwrap_or_default();
    (open, secret, live, text)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tandem",
        description = "The open contact center for Microsoft Teams. Conventions: docs/api.md.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "queues", description = "Where callers wait."),
        (name = "agents", description = "Who talks to them."),
        (name = "calls", description = "What becomes of them."),
        (name = "erasures", description = "Forgetting who it was."),
        (name = "recordings", description = "What callers said after the tone."),
        (name = "reports", description = "What the facts say about service, work and waiting: docs/metrics.md."),
        (name = "sign-in", description = "Who asks."),
        (name = "people", description = "Who may ask for what, with which keys, and who did what."),
        (name = "directory", description = "People to find and to ask."),
        (name = "microsoft", description = "Microsoft 365: connections, permissions, presence."),
        (name = "tenants", description = "The customers of the installation."),
        (name = "trunks", description = "The networks that carry them."),
        (name = "live", description = "All of it, as it happens."),
        (name = "webhooks", description = "What happens, for programs: docs/events.md."),
        (name = "health", description = "For whoever runs the program."),
    ),
)]
struct Document;

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "health", operation_id = "openapi",
    responses((status = 200, description = "The OpenAPI document.", body = serde_json::Value))
)]
async fn openapi(State(api): State<Api>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(axum::http::header::CONTENT_TYPE, kind)], Body::from(api.document.to_string())).into_response()
}

/// The page, where no route of the API is meant.
async fn not_found(State(api): State<Api>, request: Request) -> Response {
    let path = request.uri().path();
    let readable = matches!(*request.method(), Method::GET | Method::HEAD);
    let of_page = !(path.starts_with("/api/") || path == "/api");
    match page::answer(request.uri(), request.headers(), api.access.policy()).filter(|_| readable && of_page)
    {
        Some(response) => response,
        None => {
            let message = format!("there is nothing at {path}");
            let remedy = "look at /api/openapi.json for all routes";
            ApiError::new(StatusCode::NOT_FOUND, "no_route", message, remedy).into_response()
        }
    }
}

/// How many of a list are shown at once.
fn page_limit(asked: Option<usize>) -> Result<usize, ApiError> {
    let limit = asked.unwrap_or(LIMIT);
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(limit);
    }
    let message = format!("limit is 1 to {LIMIT_MAX}");
    Err(ApiError::bad_request("bad_limit", message, "ask for more than one page").field("limit"))
}

/// The wall clock, in microseconds since 1970 UTC.
fn now_us() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX)
}

async fn wrong_method(request: Request) -> ApiError {
    let message = format!("{} does not take {}", request.uri().path(), request.method());
    let remedy = "look at /api/openapi.json for the methods of each route";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message, remedy)
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIME_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let message = format!("the request took longer than {} seconds", REQUEST_TIME_MAX.as_secs());
            ApiError::unavailable("too_slow", message, "try again; look at /readyz if it stays so")
                .into_response()
        }
    }
}

/// What every answer says to a browser: do not guess types, do not tell addresses to others, keep nothing.
async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The largest body of a request; a larger one is refused with 413.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a request may take, its body included; beyond it the answer is 503. The live socket has its own limits.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);

/// What is shown of a list at once: if nothing is said, and at most.
const LIMIT: usize = 50;
const LIMIT_MAX: usize = 200;

/// Live web sockets of all tenants at once; one more is refused with 503.
pub(crate) const FOLLOWERS_MAX: usize = 2_048;

/// Live web sockets whose clients have not said yet who they are, for some seconds each. An address may have as many as are
/// free besides: 1,024 if it is alone, which is an office that comes back all at once. One more is refused with 503, and its
/// page tries again.
const GREETING_MAX: usize = 2_048;
