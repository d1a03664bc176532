//! The control of the sandbox over HTTP and JSON: who plays Teams, the carrier or the network does it here.
//!
//! It listens on loopback only, and answers only requests that name a loopback host, so that no page in a browser
//! can reach it under a name of its own. `GET /` lists the routes.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tandem_media::dtmf::Digit;

use crate::Addresses;
use crate::carrier::phone::Phone;
use crate::carrier::script::Script;
use crate::carrier::{CallerId, CallerRefusal, CallerView, Carrier};
use crate::config::{StreamConfig, TrunkConfig, UserConfig};
use crate::dns::SharedZone;
use crate::event::Event;
use crate::media::Counts;
use crate::shell::{Engine, World};
use crate::teams::call::Placing;
use crate::teams::command::Act;
use crate::teams::proxy::{ProxyId, ProxyState};
use crate::teams::transfer::Target;
use crate::teams::{CallId, CallView, Command, CommandRefusal, Done};
use crate::trace::Entry as TraceEntry;
use crate::user::{Behaviour, Voice};
use crate::zone::Entry;

/// What the control reads and changes.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Teams, carrier, media.
    pub engine: Engine,
    /// DNS.
    pub zone: SharedZone,
    /// Where everything is.
    pub addresses: Addresses,
}

/// The routes, without a socket.
pub fn app(shared: Shared) -> Router {
    Router::new()
        .route("/", get(overview))
        .route("/events", get(events))
        .route("/violations", get(violations).delete(forget_violations))
        .route("/trace", get(trace))
        .route("/calls", get(calls))
        .route("/calls/{id}/{act}", post(act_on_call))
        .route("/users", get(users))
        .route("/users/{id}", put(behave))
        .route("/users/{id}/{act}", post(act_of_user))
        .route("/callers", get(callers).post(call))
        .route("/callers/stream", get(stream).put(set_stream).delete(end_stream))
        .route("/callers/{id}/{act}", post(act_of_caller))
        .route("/phones", get(phones))
        .route("/phones/{number}", put(set_phone).delete(remove_phone))
        .route("/trunks", get(trunks))
        .route("/trunks/{fqdn}", put(set_trunk))
        .route("/proxies", get(proxies))
        .route("/proxies/{name}", put(set_proxy))
        .route("/dns", get(names))
        .route("/dns/{name}", put(set_name).delete(remove_name))
        .layer(from_fn(loopback_hosts_only))
        .with_state(shared)
}

/// `GET /`: where everything is, and what can be asked here.
async fn overview(State(shared): State<Shared>) -> Response {
    #[derive(Serialize)]
    struct Overview {
        #[serde(flatten)]
        addresses: Addresses,
        routes: &'static [&'static str],
    }
    Json(Overview { addresses: shared.addresses, routes: ROUTES }).into_response()
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
    #[serde(default)]
    wait_ms: u64,
}

/// `GET /events?after=N&wait_ms=M`: what happened after the event N; waits up to M ms for something to happen.
async fn events(State(shared): State<Shared>, Query(After { after, wait_ms }): Query<After>) -> Response {
    let patience = Duration::from_millis(wait_ms).min(WAIT_MAX);
    shared.engine.wait_beyond(after, patience).await;
    let found = shared.engine.ask(move |world, _| {
        let events: Vec<Event> = world.teams.journal.events.after(after).cloned().collect();
        events
    });
    told(found.await)
}

/// `GET /violations`: everything that a border controller did wrong. Tests assert that it is empty.
async fn violations(State(shared): State<Shared>) -> Response {
    told(shared.engine.ask(|world, _| world.teams.journal.violations.list().to_vec()).await)
}

async fn forget_violations(State(shared): State<Shared>) -> Response {
    match shared.engine.ask(|world, _| world.teams.journal.violations.clear()).await {
        Some(()) => StatusCode::NO_CONTENT.into_response(),
        None => ended(),
    }
}

/// `GET /trace?after=N`: the messages after message N, without keys.
async fn trace(State(shared): State<Shared>, Query(After { after, .. }): Query<After>) -> Response {
    let found = shared.engine.ask(move |world, _| {
        let entries: Vec<TraceEntry> = world.teams.journal.trace.after(after).cloned().collect();
        entries
    });
    told(found.await)
}

/// A call with what its media port has counted.
#[derive(Serialize)]
struct CallWithCounts {
    #[serde(flatten)]
    call: CallView,
    heard: Option<Counts>,
}

/// `GET /calls`: all calls of users, with what was heard in them.
async fn calls(State(shared): State<Shared>) -> Response {
    let found = shared.engine.ask(|world, _| {
        let with_counts = |call: CallView| CallWithCounts { heard: world.ports.counts(call.port), call };
        world.teams.calls().map(with_counts).collect::<Vec<_>>()
    });
    told(found.await)
}

/// A user with the calls that live.
#[derive(Serialize)]
struct UserWithCalls {
    #[serde(flatten)]
    user: UserConfig,
    calls: Vec<u64>,
}

/// `GET /users`: all users, what they do when called, and their calls.
async fn users(State(shared): State<Shared>) -> Response {
    let found = shared.engine.ask(|world, _| {
        let with_calls = |user: &UserConfig| UserWithCalls {
            user: user.clone(),
            calls: world.teams.calls_of(&user.id).map(|call| call.0).collect(),
        };
        world.teams.users().map(with_calls).collect::<Vec<_>>()
    });
    told(found.await)
}

/// `PUT /users/{id}`: what the user does from the next call on. Fields that are left out have their defaults.
async fn behave(
    State(shared): State<Shared>,
    Path(user): Path<String>,
    Json(behaviour): Json<Behaviour>,
) -> Response {
    command(&shared, Command::Behave { user, behaviour }).await
}

/// The body of an act; each act takes what it needs of it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ActBody {
    /// `call`: the number. `transfer`: a number to transfer to.
    number: Option<String>,
    /// `transfer`: a user to transfer to.
    user: Option<String>,
    /// `transfer`: a call whose other end to transfer to. Acts of a user: the call, if it is not the latest.
    call: Option<u64>,
    /// `transfer`: without a hold before.
    without_hold: bool,
    /// `call`: the caller's number is withheld.
    anonymous: bool,
    /// `call`: the call was forwarded by this user.
    forwarded_by: Option<String>,
    /// `call`: the call takes the place of this one.
    replaces: Option<u64>,
    /// `digits`: the digits.
    digits: Option<String>,
    /// `speak`: the voice.
    voice: Option<Voice>,
}

/// Reads the body of an act; none at all is an empty one.
fn act_body(body: &Bytes) -> Result<ActBody, serde_json::Error> {
    if body.is_empty() { Ok(ActBody::default()) } else { serde_json::from_slice(body) }
}

/// `POST /users/{id}/call|answer|decline|hold|resume|refresh|move|transfer|digits|speak|hangup`.
async fn act_of_user(
    State(shared): State<Shared>,
    Path((user, act)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let body = match act_body(&body) {
        Ok(body) => body,
        Err(error) => return unusable(error.to_string()),
    };
    if act == "call" {
        let placing = Placing {
            number: body.number.unwrap_or_default(),
            anonymous: body.anonymous,
            forwarded_by: body.forwarded_by,
            replaces: body.replaces.map(CallId),
        };
        return command(&shared, Command::Place { user, placing }).await;
    }
    let latest = shared.engine.ask(move |world, _| world.teams.calls_of(&user).last()).await;
    match latest.flatten() {
        Some(call) => act_on(&shared, call, &act, body).await,
        None => refused(CommandRefusal::NoCall),
    }
}

/// `POST /calls/{id}/...`: the same for one call.
async fn act_on_call(
    State(shared): State<Shared>,
    Path((call, act)): Path<(u64, String)>,
    body: Bytes,
) -> Response {
    match act_body(&body) {
        Ok(body) => act_on(&shared, CallId(call), &act, body).await,
        Err(error) => unusable(error.to_string()),
    }
}

async fn act_on(shared: &Shared, call: CallId, act: &str, body: ActBody) -> Response {
    let act = match act {
        "answer" => Act::Answer,
        "decline" => Act::Decline,
        "hold" => Act::Hold,
        "resume" => Act::Resume,
        "refresh" => Act::Refresh,
        "move" => Act::Move,
        "hangup" => Act::HangUp,
        "transfer" => {
            let to = match (body.user, body.number, body.call) {
                (Some(user), _, _) => Target::User(user),
                (None, Some(number), _) => Target::Number(number),
                (None, None, Some(call)) => Target::Call(CallId(call)),
                (None, None, None) => return unusable("transfer needs user, number or call"),
            };
            Act::Transfer { to, hold_first: !body.without_hold }
        }
        "digits" => {
            let digits = body.digits.unwrap_or_default();
            let digits: Option<Vec<Digit>> = digits.chars().map(Digit::from_char).collect();
            match digits {
                Some(digits) if !digits.is_empty() => Act::Digits(digits),
                _ => return unusable("digits are 0 to 9, *, #, A to D"),
            }
        }
        "speak" => match body.voice {
            Some(voice) => Act::Speak(voice),
            None => return unusable("speak needs voice"),
        },
        _ => return refuse(StatusCode::NOT_FOUND, "there is no such act"),
    };
    command(shared, Command::Act { call, act }).await
}

/// A caller with what the media port has counted.
#[derive(Serialize)]
struct CallerWithCounts {
    #[serde(flatten)]
    caller: CallerView,
    heard: Option<Counts>,
}

/// `GET /callers`: the carrier's callers, with what they heard.
async fn callers(State(shared): State<Shared>) -> Response {
    let found = shared.engine.ask(|world, _| {
        let callers = world.carrier.as_ref().map(|carrier| carrier.callers().collect::<Vec<_>>());
        let with_counts =
            |caller: CallerView| CallerWithCounts { heard: world.ports.counts(caller.port), caller };
        callers.unwrap_or_default().into_iter().map(with_counts).collect::<Vec<_>>()
    });
    told(found.await)
}

/// `POST /callers` with a script: somebody calls.
async fn call(State(shared): State<Shared>, Json(script): Json<Script>) -> Response {
    let done = with_carrier(&shared, move |carrier, now| carrier.call(now, script)).await;
    done.map_or_else(
        |response| response,
        |caller| (StatusCode::CREATED, Json(serde_json::json!({ "caller": caller.0 }))).into_response(),
    )
}

/// `POST /callers/{id}/press|hangup|speak`.
async fn act_of_caller(
    State(shared): State<Shared>,
    Path((id, act)): Path<(u64, String)>,
    body: Bytes,
) -> Response {
    let (id, body) = match act_body(&body) {
        Ok(body) => (CallerId(id), body),
        Err(error) => return unusable(error.to_string()),
    };
    let done = match (act.as_str(), body.digits, body.voice) {
        ("hangup", ..) => with_carrier(&shared, move |carrier, now| carrier.leave(now, id)).await,
        ("press", Some(digits), _) => {
            with_carrier(&shared, move |carrier, _| carrier.press(id, &digits)).await
        }
        ("press", None, _) => return unusable("press needs digits"),
        ("speak", _, Some(voice)) => with_carrier(&shared, move |carrier, _| carrier.speak(id, voice)).await,
        ("speak", _, None) => return unusable("speak needs voice"),
        _ => return refuse(StatusCode::NOT_FOUND, "there is no such act"),
    };
    done.map_or_else(|response| response, |()| StatusCode::NO_CONTENT.into_response())
}

/// `GET /callers/stream`: the stream of callers who come by themselves, null if there is none.
async fn stream(State(shared): State<Shared>) -> Response {
    let found =
        shared.engine.ask(|world, _| world.carrier.as_ref().and_then(|carrier| carrier.stream().cloned()));
    told(found.await)
}

/// `PUT /callers/stream`: callers come by themselves from now on.
async fn set_stream(State(shared): State<Shared>, Json(config): Json<StreamConfig>) -> Response {
    change_stream(&shared, Some(config)).await
}

/// `DELETE /callers/stream`: no more callers come by themselves.
async fn end_stream(State(shared): State<Shared>) -> Response {
    change_stream(&shared, None).await
}

async fn change_stream(shared: &Shared, config: Option<StreamConfig>) -> Response {
    let change = move |carrier: &mut Carrier, now| {
        carrier.set_stream(now, config);
        Ok(())
    };
    with_carrier(shared, change)
        .await
        .map_or_else(|response| response, |()| StatusCode::NO_CONTENT.into_response())
}

/// `GET /phones`: the telephones that do something else than answer after a moment, by number.
async fn phones(State(shared): State<Shared>) -> Response {
    let found = shared.engine.ask(|world, _| {
        let phones = world.carrier.as_ref().map(|carrier| carrier.phones());
        let phones = phones.into_iter().flatten().map(|(number, phone)| (number.to_owned(), phone.clone()));
        phones.collect::<BTreeMap<_, _>>()
    });
    told(found.await)
}

/// `PUT /phones/{number}`: what that telephone does from the next call on. Fields left out have their defaults.
async fn set_phone(
    State(shared): State<Shared>,
    Path(number): Path<String>,
    Json(phone): Json<Phone>,
) -> Response {
    change_phone(&shared, number, Some(phone)).await
}

/// `DELETE /phones/{number}`: that telephone answers after a moment, as all others do.
async fn remove_phone(State(shared): State<Shared>, Path(number): Path<String>) -> Response {
    change_phone(&shared, number, None).await
}

async fn change_phone(shared: &Shared, number: String, phone: Option<Phone>) -> Response {
    with_carrier(shared, move |carrier, _| carrier.set_phone(number, phone))
        .await
        .map_or_else(|response| response, |()| StatusCode::NO_CONTENT.into_response())
}

/// Has the carrier do something; the error is the response that says why not.
async fn with_carrier<T: Send + 'static>(
    shared: &Shared,
    act: impl FnOnce(&mut Carrier, std::time::Instant) -> Result<T, CallerRefusal> + Send + 'static,
) -> Result<T, Response> {
    let done = shared.engine.ask(move |world, now| world.carrier.as_mut().map(|carrier| act(carrier, now)));
    match done.await {
        Some(Some(Ok(done))) => Ok(done),
        Some(Some(Err(refusal))) => {
            let status = match refusal {
                CallerRefusal::NoCaller => StatusCode::NOT_FOUND,
                CallerRefusal::NotDigits | CallerRefusal::NotANumber => StatusCode::UNPROCESSABLE_ENTITY,
                CallerRefusal::TooMany => StatusCode::CONFLICT,
            };
            Err(refuse(status, refusal.to_string()))
        }
        Some(None) => Err(refuse(StatusCode::NOT_FOUND, "this sandbox has no carrier")),
        None => Err(ended()),
    }
}

/// `GET /trunks`: the trunks, and how their OPTIONS stand.
async fn trunks(State(shared): State<Shared>) -> Response {
    told(shared.engine.ask(|world, now| world.teams.trunks(now).collect::<Vec<_>>()).await)
}

/// `PUT /trunks/{fqdn}`: pairs a trunk, or changes its settings; DNS follows.
async fn set_trunk(
    State(shared): State<Shared>,
    Path(fqdn): Path<String>,
    Json(config): Json<TrunkConfig>,
) -> Response {
    let config = TrunkConfig { fqdn: fqdn.clone(), ..config };
    let entry = Entry::host([config.address]);
    if let Err(refusal) = shared.zone.write(|zone| zone.set(&fqdn, entry)) {
        return unusable(refusal.to_string());
    }
    command(&shared, Command::SetTrunk { config }).await
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProxyBody {
    state: ProxyState,
}

/// `GET /proxies`: the proxies and their states.
async fn proxies(State(shared): State<Shared>) -> Response {
    #[derive(Serialize)]
    struct ProxyView {
        name: &'static str,
        fqdn: &'static str,
        address: std::net::IpAddr,
        state: ProxyState,
    }
    let found = shared.engine.ask(|world, _| {
        let view = |(id, proxy): (ProxyId, &crate::teams::proxy::Proxy)| ProxyView {
            name: id.short_name(),
            fqdn: id.name(),
            address: proxy.address,
            state: proxy.state,
        };
        world.teams.proxies().map(view).collect::<Vec<_>>()
    });
    told(found.await)
}

/// `PUT /proxies/{sip|sip2|sip3}` with `{"state": "up" | "draining" | "down"}`.
async fn set_proxy(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Json(body): Json<ProxyBody>,
) -> Response {
    match ProxyId::named(&name) {
        Some(proxy) => command(&shared, Command::SetProxy { proxy, state: body.state }).await,
        None => refuse(StatusCode::NOT_FOUND, "there are sip, sip2 and sip3"),
    }
}

/// `GET /dns`: all names.
async fn names(State(shared): State<Shared>) -> Response {
    Json(shared.zone.read(|zone| zone.entries().clone())).into_response()
}

/// `PUT /dns/{name}` with `{"addresses": [...], "services": [...]}`.
async fn set_name(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    Json(entry): Json<Entry>,
) -> Response {
    match shared.zone.write(|zone| zone.set(&name, entry)) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => unusable(refusal.to_string()),
    }
}

async fn remove_name(State(shared): State<Shared>, Path(name): Path<String>) -> StatusCode {
    shared.zone.write(|zone| zone.remove(&name));
    StatusCode::NO_CONTENT
}

async fn command(shared: &Shared, command: Command) -> Response {
    let done = shared.engine.ask(move |world: &mut World, now| world.teams.handle_command(now, command));
    match done.await {
        Some(Ok(Done::Call(call))) => {
            (StatusCode::CREATED, Json(serde_json::json!({ "call": call.0 }))).into_response()
        }
        Some(Ok(Done::UnderWay)) => StatusCode::NO_CONTENT.into_response(),
        Some(Err(refusal)) => refused(refusal),
        None => ended(),
    }
}

/// What the control says when it does not do what was asked.
#[derive(Serialize)]
struct Refusal {
    error: String,
}

fn refuse(status: StatusCode, error: impl Into<String>) -> Response {
    (status, Json(Refusal { error: error.into() })).into_response()
}

fn unusable(error: impl Into<String>) -> Response {
    refuse(StatusCode::UNPROCESSABLE_ENTITY, error)
}

fn refused(refusal: CommandRefusal) -> Response {
    let status = match refusal {
        CommandRefusal::NoUser | CommandRefusal::NoCall => StatusCode::NOT_FOUND,
        CommandRefusal::NotANumber => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::CONFLICT,
    };
    refuse(status, refusal.to_string())
}

fn told<T: Serialize>(found: Option<T>) -> Response {
    found.map_or_else(ended, |found| Json(found).into_response())
}

fn ended() -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, "the sandbox has ended")
}

/// Keeps out who comes under another name than a loopback one, such as a page in a browser.
pub(crate) async fn loopback_hosts_only(request: Request, next: Next) -> Response {
    if is_loopback(request.headers()) {
        next.run(request).await
    } else {
        refuse(StatusCode::FORBIDDEN, "the control answers under loopback names only")
    }
}

fn is_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    if let Ok(address) = host.parse::<std::net::SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

const ROUTES: &[&str] = &[
    "GET /events?after=N&wait_ms=M",
    "GET|DELETE /violations",
    "GET /trace?after=N",
    "GET /calls",
    "POST /calls/{id}/{answer|decline|hold|resume|refresh|move|transfer|digits|speak|hangup}",
    "GET /users",
    "PUT /users/{id}",
    "POST /users/{id}/{call|answer|decline|hold|resume|refresh|move|transfer|digits|speak|hangup}",
    "GET|POST /callers",
    "POST /callers/{id}/{press|speak|hangup}",
    "GET|PUT|DELETE /callers/stream",
    "GET /phones",
    "PUT|DELETE /phones/{number}",
    "GET /trunks",
    "PUT /trunks/{fqdn}",
    "GET /proxies",
    "PUT /proxies/{sip|sip2|sip3}",
    "GET /dns",
    "PUT|DELETE /dns/{name}",
];
/// How long one request may wait for events.
const WAIT_MAX: Duration = Duration::from_secs(60);
