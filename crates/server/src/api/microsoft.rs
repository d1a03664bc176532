//! Microsoft: signing in with a Microsoft 365 account, connecting customers' Entra tenants, and how that goes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Extension, Path, Query, RawQuery, State};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tandem_microsoft::entra::permission::{self, NEEDED, PermissionKind, Standing};
use tandem_microsoft::entra::refusal::Refusal;
use tandem_microsoft::entra::tab::claims_challenge;
use tandem_microsoft::graph::fault::Fault;
use tandem_microsoft::secret::Secret;
use tandem_store::Tenant;
use utoipa::ToSchema;

use super::Api;
use super::access::Peer;
use super::error::{ApiError, ErrorBody};
use super::halt::{Halt, What};
use super::people;
use super::scope::{OfInstallation, Scope};
use super::sign_in::{self, SignedIn};
use crate::identity::{self, IdentityFault};
use crate::microsoft::Microsoft;
use crate::microsoft::connection::{Connection, Origin};
use crate::microsoft::grants::Told;
use crate::microsoft::onboarding::{OnboardingFault, Permit, Progress};
use crate::microsoft::sign_in::{Begun, Finished, Purpose, Remembered, SignInFault};

/// How the installation works with Microsoft for a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MicrosoftState {
    /// The application (client) id.
    pub client_id: String,
    /// The addresses that must stand in the app registration as redirect URIs (platform Web).
    pub redirect_uris: Vec<String>,
    /// The connected Entra tenants.
    pub connections: Vec<EntraConnection>,
}

/// An Entra tenant that is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntraConnection {
    /// The id of the Entra tenant.
    pub id: String,
    /// What it is called; empty while that is not known.
    pub name: String,
    /// `configuration` or `consent`.
    pub origin: String,
    /// The object id of the administrator who connected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consented_by: Option<String>,
    /// When, in seconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consented_at: Option<u64>,
    /// What is wrong, the worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<ErrorBody>,
    /// Every permission that is needed, and whether it was granted.
    pub permissions: Vec<PermissionState>,
    /// Permissions that were granted and that nothing needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beyond: Vec<String>,
    /// The accounts whose subscriptions watch presence, by their object ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<String, String>,
    /// Of them, those that get no token any more, such as a disabled one, one with another password, or one whom a policy
    /// forbids it: they have to be connected again. `faults` says why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts_refused: Vec<String>,
    /// How well presence is known.
    pub presence: PresenceHealth,
}

/// A permission of Microsoft Graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PermissionState {
    /// Its name.
    pub name: String,
    /// `application` or `delegated`.
    pub kind: String,
    /// What it is needed for.
    pub why: String,
    /// What is lost without it; missing if nothing works without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<String>,
    /// `granted`, `missing`, `by_person` where nobody consented for everyone and each person is asked, or `unknown` where it
    /// cannot be read.
    pub standing: String,
}

/// How well presence is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresenceHealth {
    /// Agents who are watched.
    pub watched: u64,
    /// Of them, those of whom something is known.
    pub known: u64,
    /// Of them, those of whom nothing was confirmed for too long.
    pub stale: u64,
    /// The age of what is known, in milliseconds: of half of them at most.
    pub age_p50_ms: u64,
    /// The same for 99 of 100.
    pub age_p99_ms: u64,
    /// Subscriptions that stand and are relied upon.
    pub subscriptions: u64,
    /// Why subscriptions are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriptions_refused: Option<String>,
    /// Requests for presence since the start.
    pub polls: u64,
    /// Of all requests, those that Graph answered with a limit.
    pub throttled: u64,
    /// Notifications that were believed.
    pub notifications: u64,
    /// Notifications that were not.
    pub notifications_distrusted: u64,
}

/// A link for an administrator, good once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Link {
    /// The address to open in a browser.
    pub url: String,
    /// For how long it is good, in seconds.
    pub expires_in_s: u64,
}

/// Where to come back to after signing in, and for whose contact center.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Start {
    #[serde(rename = "return")]
    back: Option<String>,
    tenant: Option<String>,
    hint: Option<String>,
}

/// What stands in a link.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Opened {
    ticket: Option<String>,
}

/// The token that Teams gave to a tab.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TabSignIn {
    /// The token.
    pub token: String,
}

/// Sends the browser to Microsoft to sign in.
#[utoipa::path(
    get, path = "/auth/entra/start", tag = "sign-in", operation_id = "sign_in_entra_start",
    params(
        ("return" = Option<String>, Query, description = "The path of the page to come back to. Default `/`."),
        ("tenant" = Option<String>, Query, description = "The tenant, if it is known; it spares choosing an account."),
        ("hint" = Option<String>, Query, description = "The account, if it is known."),
    ),
    responses(
        (status = 302, description = "To the sign-in page of Microsoft; the cookie binds the browser to it."),
        (status = 404, description = "Nobody signs in with Microsoft here.", body = ErrorBody),
    )
)]
pub(super) async fn start(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    Query(start): Query<Start>,
) -> Result<Response, ApiError> {
    let microsoft = of(&api)?;
    let tenant = start.tenant.and_then(|tenant| tenant.parse::<Tenant>().ok());
    let remembered = Remembered { purpose: Purpose::SignIn, back: own_path(start.back.as_deref()) };
    let hint = start.hint.filter(|hint| hint.len() <= HINT_BYTES_MAX);
    let begun =
        microsoft.begin_sign_in(tenant.as_ref(), remembered, hint.as_deref(), Peer::address(peer)).await;
    Ok(sent_away(&api, &begun))
}

/// Takes the browser back from Microsoft's sign-in page.
#[utoipa::path(
    get, path = "/auth/entra/callback", tag = "sign-in", operation_id = "sign_in_entra_callback",
    responses(
        (status = 302, description = "Signed in; the cookie buys access tokens. To the page."),
        (status = 403, description = "Not signed in: a page that says why, and what to do.", content_type = "text/html"),
        (status = 404, description = "Microsoft is not configured.", body = ErrorBody),
    )
)]
pub(super) async fn callback(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let microsoft = of(&api)?;
    let (query, states) = (query.unwrap_or_default(), states(&headers));
    let finished = microsoft.finish_sign_in(&query, &states, sign_in::label(&headers)).await;
    match finished {
        Ok(Finished::SignedIn { tokens, back }) => {
            let mut response = redirect(&back);
            if let Some(cookie) = sign_in::cookie(&api, &tokens) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            Ok(forget_states(&api, &states, response))
        }
        Ok(Finished::PresenceConnected { back }) => Ok(forget_states(&api, &states, redirect(&back))),
        Ok(Finished::Consented { progress: Progress::Connected { tid }, .. }) => {
            let halt = Halt { what: What::Connected, code: None, text: tid.to_string(), remedy: "" };
            Ok(forget_states(&api, &states, halt.page(&headers)))
        }
        Ok(Finished::Consented { progress: Progress::AdministratorNeeded { tid }, .. }) => {
            let what = What::AdministratorNeeded;
            Ok(Halt { what, code: None, text: tid.to_string(), remedy: "" }.page(&headers))
        }
        Err(fault) => {
            refused(&api, peer, &fault);
            let (code, remedy) = (Some(fault.code()), fault.remedy());
            let response = Halt { what: What::NotSignedIn, code, text: told(&fault), remedy }.page(&headers);
            Ok(forget_states(&api, &states, response))
        }
    }
}

/// Signs in with the token that Teams gave to the tab. No cookie is set: the tab asks Teams again.
#[utoipa::path(
    post, path = "/auth/teams", tag = "sign-in", operation_id = "sign_in_teams", request_body = TabSignIn,
    responses(
        (status = 200, description = "Signed in.", body = SignedIn),
        (status = 401, description = "The token is not believed, or the person has to do more: `WWW-Authenticate` has the claims then.", body = ErrorBody),
        (status = 403, description = "The person may not sign in here.", body = ErrorBody),
        (status = 404, description = "Nobody signs in with Microsoft here.", body = ErrorBody),
    )
)]
pub(super) async fn teams(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Result<Json<TabSignIn>, JsonRejection>,
) -> Result<Response, ApiError> {
    let microsoft = of(&api)?;
    let Json(TabSignIn { token }) = body?;
    match microsoft.sign_in_by_tab(&Secret::new(token), sign_in::label(&headers)).await {
        Ok(tokens) => Ok(Json(SignedIn::of(&tokens)).into_response()),
        Err(SignInFault::Identity(fault @ IdentityFault::Register(_))) => Err(fault.into()),
        Err(fault) => {
            refused(&api, peer, &fault);
            let status = match fault {
                SignInFault::Token(_)
                | SignInFault::NotAPerson
                | SignInFault::Refused(_)
                | SignInFault::Demanded { .. } => StatusCode::UNAUTHORIZED,
                _ => StatusCode::FORBIDDEN,
            };
            let error = ApiError::new(status, fault.code(), told(&fault), fault.remedy());
            let mut response = error.into_response();
            let challenge = fault.claims().map(claims_challenge);
            if let Some(challenge) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            Ok(response)
        }
    }
}

/// Opens a link that was made for an administrator, and sends the browser to Microsoft.
#[utoipa::path(
    get, path = "/auth/consent/start", tag = "sign-in", operation_id = "consent_start",
    params(("ticket" = String, Query, description = "What stands in the link.")),
    responses(
        (status = 302, description = "To Microsoft."),
        (status = 403, description = "The link is not good: a page that says so.", content_type = "text/html"),
        (status = 404, description = "Microsoft is not configured.", body = ErrorBody),
    )
)]
pub(super) async fn consent_start(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Query(opened): Query<Opened>,
) -> Result<Response, ApiError> {
    let microsoft = of(&api)?;
    let address = Peer::address(peer);
    match microsoft.open_link(opened.ticket.as_deref().unwrap_or_default(), address).await {
        Ok(begun) => Ok(sent_away(&api, &begun)),
        Err(fault) => Ok(not_connected(&api, &fault, address, &headers)),
    }
}

/// Takes an administrator's browser back from Microsoft's consent page, and sends it to sign in.
#[utoipa::path(
    get, path = "/auth/consent/callback", tag = "sign-in", operation_id = "consent_callback",
    responses(
        (status = 302, description = "To Microsoft, to show that the administrator is one."),
        (status = 403, description = "Not connected: a page that says why, and what to do.", content_type = "text/html"),
        (status = 404, description = "Microsoft is not configured.", body = ErrorBody),
    )
)]
pub(super) async fn consent_callback(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let microsoft = of(&api)?;
    let (states, address) = (states(&headers), Peer::address(peer));
    match microsoft.consent_returned(&query.unwrap_or_default(), &states, address).await {
        Ok(begun) => Ok(sent_away(&api, &begun)),
        Err(fault) => Ok(forget_states(&api, &states, not_connected(&api, &fault, address, &headers))),
    }
}

/// Makes a link with which the customer's administrator connects the customer's Entra tenant.
#[utoipa::path(
    post, path = "/api/v1/tenants/{id}/onboarding", tag = "tenants", operation_id = "tenant_onboard",
    params(("id" = String, Path, description = "The tenant's id.")),
    responses(
        (status = 200, description = "The link: send it to the administrator.", body = Link),
        (status = 404, description = "There is no such tenant, or Microsoft is not configured.", body = ErrorBody),
    )
)]
pub(super) async fn onboard(
    scope: OfInstallation,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Link>, ApiError> {
    let microsoft = of(&scope.api)?.clone();
    let Path(id) = id?;
    let tenant = id.parse::<Tenant>().ok().filter(|tenant| scope.api.desks.desk(tenant).is_some());
    let tenant = tenant.ok_or_else(|| ApiError::not_found("tenant", &id))?;
    let made = blocking(move || microsoft.make_link(&tenant, Permit::Onboarding)).await?;
    Ok(Json(Link { url: made, expires_in_s: crate::microsoft::onboarding::ONBOARDING_LINK_S }))
}

/// How it goes with Microsoft: connections, permissions, faults with their remedies, presence.
#[utoipa::path(
    get, path = "/api/v1/microsoft", tag = "microsoft", operation_id = "microsoft_view",
    responses(
        (status = 200, description = "How it goes.", body = MicrosoftState),
        (status = 404, description = "Microsoft is not configured.", body = ErrorBody),
    )
)]
pub(super) async fn view(scope: Scope) -> Result<Json<MicrosoftState>, ApiError> {
    let microsoft = of(&scope.api)?;
    let mut connections = Vec::new();
    for connection in microsoft.connections_of(scope.desk.tenant()) {
        connections.push(shown(microsoft, &connection).await);
    }
    Ok(Json(MicrosoftState {
        client_id: microsoft.settings().client.to_string(),
        redirect_uris: vec![
            microsoft.redirect_uri(),
            microsoft.public().at(crate::microsoft::onboarding::CONSENT_CALLBACK),
        ],
        connections,
    }))
}

/// Takes an Entra tenant off: nothing more is asked there, its people cannot sign in any more, and the logins that they
/// opened by it end.
#[utoipa::path(
    delete, path = "/api/v1/microsoft/{id}", tag = "microsoft", operation_id = "microsoft_disconnect",
    params(("id" = String, Path, description = "The id of the Entra tenant.")),
    responses(
        (status = 204, description = "It is taken off."),
        (status = 404, description = "It is not connected.", body = ErrorBody),
        (status = 409, description = "It stands in the configuration.", body = ErrorBody),
    )
)]
pub(super) async fn disconnect(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let microsoft = of(&scope.api)?.clone();
    let Path(id) = id?;
    let not_found = || ApiError::not_found("Entra tenant", &id);
    let (tid, guid) = (id.parse().map_err(|_| not_found())?, id.parse().map_err(|_| not_found())?);
    let tenant = scope.desk.tenant().clone();
    blocking(move || microsoft.disconnect(&tenant, tid)).await?;
    let owner = people::owner(&scope);
    let ending = scope.api.identity.change(move |of| of.entra_left(&owner, &guid, identity::now()));
    ending.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a link with which an administrator signs the account in that watches presence in an Entra tenant.
#[utoipa::path(
    post, path = "/api/v1/microsoft/{id}/presence-account", tag = "microsoft", operation_id = "microsoft_account_connect",
    params(("id" = String, Path, description = "The id of the Entra tenant.")),
    responses(
        (status = 200, description = "The link: open it, and sign in as that account.", body = Link),
        (status = 404, description = "It is not connected.", body = ErrorBody),
    )
)]
pub(super) async fn account_connect(
    scope: Scope,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Link>, ApiError> {
    let microsoft = of(&scope.api)?.clone();
    let Path(id) = id?;
    let connection = connection(&scope, &id)?;
    let tenant = scope.desk.tenant().clone();
    let permit = Permit::Presence { tid: connection.tid };
    let url = blocking(move || microsoft.make_link(&tenant, permit)).await?;
    Ok(Json(Link { url, expires_in_s: crate::microsoft::onboarding::PRESENCE_LINK_S }))
}

/// Has an account watch presence no longer.
#[utoipa::path(
    delete, path = "/api/v1/microsoft/{id}/presence-account/{account}", tag = "microsoft",
    operation_id = "microsoft_account_disconnect",
    params(
        ("id" = String, Path, description = "The id of the Entra tenant."),
        ("account" = String, Path, description = "The object id of the account."),
    ),
    responses(
        (status = 204, description = "It is done."),
        (status = 404, description = "It is not connected.", body = ErrorBody),
    )
)]
pub(super) async fn account_disconnect(
    scope: Scope,
    ids: Result<Path<(String, String)>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let microsoft = of(&scope.api)?.clone();
    let Path((id, account)) = ids?;
    let connection = connection(&scope, &id)?;
    let known = account.parse().ok().filter(|account| connection.kept().accounts.contains_key(account));
    let account = known.ok_or_else(|| ApiError::not_found("account", &account))?;
    blocking(move || microsoft.disconnect_account(&connection, account)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn of(api: &Api) -> Result<&Microsoft, ApiError> {
    api.microsoft.as_ref().ok_or_else(|| {
        let remedy = "add the section [microsoft] to the configuration; docs/microsoft.md says how";
        ApiError::new(StatusCode::NOT_FOUND, "no_microsoft", "Microsoft is not configured here", remedy)
    })
}

fn connection(scope: &Scope, id: &str) -> Result<std::sync::Arc<Connection>, ApiError> {
    let microsoft = of(&scope.api)?;
    let connection = id.parse().ok().and_then(|tid| microsoft.connection(tid));
    let own = connection.filter(|connection| connection.tenant == *scope.desk.tenant());
    own.ok_or_else(|| ApiError::not_found("Entra tenant", id))
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, OnboardingFault> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(act).await {
        Ok(done) => done.map_err(|fault| {
            let status = match &fault {
                OnboardingFault::Unknown => StatusCode::NOT_FOUND,
                OnboardingFault::OfConfiguration(_) | OnboardingFault::Taken(_) => StatusCode::CONFLICT,
                OnboardingFault::Register(_) => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::FORBIDDEN,
            };
            ApiError::new(status, fault.code(), fault.to_string(), fault.remedy())
        }),
        Err(_) => Err(IdentityFault::Ending.into()),
    }
}

async fn shown(microsoft: &Microsoft, connection: &Connection) -> EntraConnection {
    // Asks for a token, if none is held: what is shown is how it is now.
    let token = microsoft.entra().app_token(connection.tid).await;
    let client = microsoft.settings().client;
    let told = match &token {
        Ok(token) => Some(connection.grants.look(&connection.graph, client, token).await),
        Err(_) => None,
    };
    let trouble = connection.graph.trouble();
    let mut faults = Vec::new();
    let of_entra = |refusal: &Refusal| match refusal.number {
        0 => refusal.reason.code().to_owned(),
        // Entra ID's own words begin with the number, mostly.
        _ if refusal.description.starts_with("AADSTS") => refusal.description.to_string(),
        number => format!("AADSTS{number}: {}", refusal.description),
    };
    if let Err(refusal) = &token {
        faults.push(body(refusal.reason.code(), of_entra(refusal), refusal.reason.remedy()));
    }
    let of_graph = |fault: &Fault| {
        let message = format!(
            "{} was answered with {} {} (request {})",
            fault.operation.name(),
            fault.status,
            fault.code,
            fault.request_id
        );
        body(fault.stable_code(), message, fault.remedy())
    };
    faults.extend(trouble.forbidden.values().map(of_graph));
    faults.extend(trouble.failing.as_ref().map(of_graph));
    let kept = connection.kept();
    for (account, refusal) in &trouble.accounts {
        let name = kept.accounts.get(account).filter(|name| !name.is_empty());
        let name = name.cloned().unwrap_or_else(|| account.to_string());
        let message = format!("{name}: {}", of_entra(refusal));
        faults.push(body("presence_account_refused", message, ACCOUNT_REMEDY));
    }
    let seen = connection.watch.seen(Clone::clone);
    let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let health = &seen.health;
    EntraConnection {
        id: connection.tid.to_string(),
        name: kept.name,
        origin: match connection.origin {
            Origin::Configuration => "configuration".to_owned(),
            Origin::Consent => "consent".to_owned(),
        },
        consented_by: kept.consented_by.map(|id| id.to_string()),
        consented_at: kept.consented_at,
        faults,
        permissions: permissions_of(told.as_ref()),
        beyond: told.iter().flat_map(|told| told.granted.beyond(NEEDED)).map(|(_, name)| name).collect(),
        accounts: kept.accounts.into_iter().map(|(id, name)| (id.to_string(), name)).collect(),
        accounts_refused: trouble.accounts.keys().map(ToString::to_string).collect(),
        presence: PresenceHealth {
            watched: count(health.watched),
            known: count(health.known),
            stale: count(health.stale),
            age_p50_ms: ms(health.age_p50),
            age_p99_ms: ms(health.age_p99),
            subscriptions: count(health.subscriptions_active),
            subscriptions_refused: seen.subscriptions_refused.into_values().next(),
            polls: health.counts.polls,
            throttled: health.counts.throttled,
            notifications: health.counts.notifications,
            notifications_distrusted: health.counts.notifications_distrusted,
        },
    }
}

/// What can be done about an account that gets no token.
const ACCOUNT_REMEDY: &str = "Let the account sign in again, with a link of Connect a presence account; see in Entra ID that it is enabled.";

fn permissions_of(told: Option<&Told>) -> Vec<PermissionState> {
    let nothing = Told::default();
    let compared = permission::compare(&told.unwrap_or(&nothing).granted, NEEDED);
    let knows_delegated = told.is_some_and(|told| told.knows_delegated);
    let row = |compared: &permission::Comparison| {
        let of = &compared.permission;
        PermissionState {
            name: of.name.to_owned(),
            kind: match of.kind {
                PermissionKind::Application => "application".to_owned(),
                PermissionKind::Delegated => "delegated".to_owned(),
            },
            why: of.why.to_owned(),
            without: of.without.map(str::to_owned),
            // A token of ours tells what the application was granted, and nothing of what people were.
            standing: match (&compared.standing, of.kind) {
                (_, PermissionKind::Delegated) if !knows_delegated => "unknown".to_owned(),
                (_, PermissionKind::Application) if told.is_none() => "unknown".to_owned(),
                (Standing::Granted | Standing::CoveredBy(_), _) => "granted".to_owned(),
                (Standing::Missing, PermissionKind::Delegated) => "by_person".to_owned(),
                (Standing::Missing, PermissionKind::Application) => "missing".to_owned(),
            },
        }
    };
    compared.iter().map(row).collect()
}

fn body(code: &str, message: String, remedy: &str) -> ErrorBody {
    ErrorBody { code: code.to_owned(), message, remedy: remedy.to_owned(), field: None }
}

/// What went wrong, for the person: with Microsoft's own words, where it has some.
fn told(fault: &SignInFault) -> String {
    use tandem_microsoft::entra::code_flow::CallbackFault;
    match fault {
        SignInFault::Refused(refusal) | SignInFault::Callback(CallbackFault::Refused(refusal))
            if !refusal.description.is_empty() =>
        {
            refusal.description.clone()
        }
        fault => fault.to_string(),
    }
}

/// A sign-in that was refused stands in the trail of the installation.
fn refused(api: &Api, peer: Option<Extension<Peer>>, fault: &SignInFault) {
    let address = peer.map_or_else(Peer::local, |Extension(peer)| peer).0.to_string();
    tracing::info!(code = fault.code(), %fault, "nobody is signed in");
    api.identity.audit_stranger(crate::identity::now(), "login.open", "entra", fault.code(), &address);
}

fn not_connected(api: &Api, fault: &OnboardingFault, address: IpAddr, headers: &HeaderMap) -> Response {
    tracing::info!(code = fault.code(), %fault, "an Entra tenant is not connected");
    let (now, address) = (crate::identity::now(), address.to_string());
    api.identity.audit_stranger(now, "entra_tenant.connect", "", fault.code(), &address);
    let (code, remedy) = (Some(fault.code()), fault.remedy());
    Halt { what: What::NotConnected, code, text: fault.to_string(), remedy }.page(headers)
}

/// Sends the browser to Microsoft, with a cookie by which it is known again.
fn sent_away(api: &Api, begun: &Begun) -> Response {
    let mut response = redirect(&begun.location);
    let state = begun.state.expose();
    let text = format!("{}={state}; {}; Max-Age={STATE_AGE_S}", cookie_name(state), attributes(api));
    if let Ok(mut cookie) = HeaderValue::from_str(&text) {
        cookie.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Lax, for the browser comes back by a link of Microsoft's page.
fn attributes(api: &Api) -> String {
    format!("Path=/auth; HttpOnly; SameSite=Lax{}", api.access.of_cookies())
}

/// One for each sign-in, so that two windows do not hinder each other.
fn cookie_name(state: &str) -> String {
    let short: String = state.chars().take(8).collect();
    format!("{STATE_COOKIE}{short}")
}

fn states(headers: &HeaderMap) -> Vec<Secret> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let ours = pairs.filter(|(name, value)| name.starts_with(STATE_COOKIE) && cookie_name(value) == *name);
    ours.take(STATES_MAX).map(|(_, value)| Secret::new(value)).collect()
}

fn forget_states(api: &Api, states: &[Secret], mut response: Response) -> Response {
    for state in states {
        let text = format!("{}=; {}; Max-Age=0", cookie_name(state.expose()), attributes(api));
        if let Ok(cookie) = HeaderValue::from_str(&text) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

/// A path of our own page, whatever was asked for: nobody is sent to somebody else's.
fn own_path(wanted: Option<&str>) -> String {
    let is_own = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && path.len() <= PATH_BYTES_MAX
            && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    wanted.filter(is_own).unwrap_or("/").to_owned()
}

fn redirect(to: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(location) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// How long a browser may be away at Microsoft, in seconds: an administrator reads what is asked for.
const STATE_AGE_S: u64 = 60 * 60;
const STATE_COOKIE: &str = "tandem-at-entra-";
/// Sign-ins of one browser that are looked at; the cookies of more are not read.
const STATES_MAX: usize = 8;
/// A longer path to come back to is left out.
const PATH_BYTES_MAX: usize = 1_024;
/// A longer hint is left out.
const HINT_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_somebody_else_s_page() {
        for wanted in
            ["//evil.test", "https://evil.test", "/\\evil.test", "", "evil", "/a b", "/\r\nSet-Cookie: x"]
        {
            assert_eq!(own_path(Some(wanted)), "/", "{wanted:?}");
        }
        assert_eq!(own_path(Some("/queues?open=1#x")), "/queues?open=1#x");
        assert_eq!(own_path(None), "/");
    }
}
