//! The live web socket: the state at a number, then every fact after it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tandem_center::view::View;
use tandem_people::moment::UnixMillis;
use tandem_people::scope::Scope as Owner;
use tandem_store::Tenant;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout};

use super::access::Peer;
use super::connections::Share;
use super::error::{ApiError, ErrorBody};
use super::room::Place;
use super::{Api, access, authorisation, trail};
use crate::desk::Desk;
use crate::identity::{self, Known};
use crate::live::Follower;

/// Opens the live web socket. docs/api.md describes what is said on it.
#[utoipa::path(
    get, path = "/live", tag = "live", operation_id = "live",
    responses(
        (status = 101, description = "The web socket is open."),
        (status = 400, description = "The request opens no web socket.", body = ErrorBody),
        (status = 401, description = "The token in the header is wrong.", body = ErrorBody),
        (status = 403, description = "The request comes from a page of another origin.", body = ErrorBody),
        (status = 404, description = "There is no such tenant.", body = ErrorBody),
        (status = 503, description = "As many follow as may.", body = ErrorBody),
    )
)]
pub(super) async fn open(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|rejection| {
        let remedy = "open it as a web socket (RFC 6455)";
        ApiError::bad_request("no_web_socket", rejection.body_text(), remedy)
    })?;
    // A browser cannot send the header: it sends the token as its first message.
    let peer = peer.map_or_else(Peer::local, |Extension(peer)| peer);
    let follower = match access::bearer(&headers) {
        None => None,
        Some(token) => {
            let known = access::known(&api, Some(token)).map_err(|stranger| {
                trail::stranger_follows(&api, &stranger, peer);
                access::unauthorized(&stranger)
            })?;
            let desk = authorisation::desk(&api, &known.caller, &headers);
            Some(Following::begin(&api, peer, token, known, desk).await?)
        }
    };
    // Who has not said yet who they are takes no place of those who follow.
    let greeting = match follower {
        Some(_) => None,
        None => Some(api.greeting.enter(peer.0).ok_or_else(too_many)?),
    };
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX).max_frame_size(MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        // How it ends is of no interest to anybody: the client starts again, or does not.
        let _ = serve(api, socket, peer, follower, greeting).await;
    }))
}

/// The first message of the server.
#[derive(Serialize)]
struct StateMessage<'a> {
    r#type: &'static str,
    number: u64,
    now: u64,
    state: &'a View,
}

/// The first message of a client that must say who it is, and any later one that brings a fresh token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Greeting {
    token: String,
    /// Whose contact center is meant, for those who see several.
    #[serde(default)]
    tenant: Option<String>,
}

/// The connection is over.
struct Over;

/// Somebody who follows, and by which token.
struct Following {
    desk: Desk,
    token: Vec<u8>,
    /// When the token ends by itself; before that, a fresh one must come.
    until: Option<UnixMillis>,
    /// Of those that the tenant has, and of those of all.
    _places: (Place, OwnedSemaphorePermit),
}

impl Following {
    /// Begins for somebody who is known and means this desk, if they may and the tenant has room. A refusal is in the trail.
    async fn begin(
        api: &Api,
        peer: Peer,
        token: &[u8],
        known: Known,
        desk: Result<Desk, ApiError>,
    ) -> Result<Following, ApiError> {
        let Known { caller, until } = known;
        let named = desk.as_ref().ok().map(|desk| Owner::tenant(desk.tenant().as_str()));
        let desk = match desk.and_then(|desk| authorisation::follower(&caller, desk)) {
            Ok(desk) => desk,
            Err(refused) => {
                trail::not_followed(api, &caller, named, peer, &refused).await;
                return Err(refused);
            }
        };
        let own = api.rooms.follower(&Owner::tenant(desk.tenant().as_str())).ok_or_else(too_many)?;
        let of_all = api.followers.clone().try_acquire_owned().map_err(|_| too_many())?;
        Ok(Following { desk, token: token.to_owned(), until, _places: (own, of_all) })
    }

    /// Looks again whether they still may: rights were taken, or the token's time has come.
    fn check(&self, api: &Api) -> Result<(), (u16, &'static str)> {
        let known = access::known(api, Some(&self.token));
        let known = known.map_err(|_| (UNAUTHORIZED, "the login has ended, or the token has expired"))?;
        match authorisation::follower(&known.caller, self.desk.clone()) {
            Ok(_) => Ok(()),
            Err(_) => Err((FORBIDDEN, "you may not follow this any more")),
        }
    }

    /// Takes a fresh token that came on the open connection. One that is not good changes nothing.
    fn renew(&mut self, api: &Api, text: &str) {
        let Ok(Greeting { token, .. }) = serde_json::from_str(text) else { return };
        let Ok(known) = access::known(api, Some(token.as_bytes())) else { return };
        if authorisation::follower(&known.caller, self.desk.clone()).is_ok() {
            self.token = token.into_bytes();
            self.until = known.until;
        }
    }

    /// When the token ends, on the clock of the connection.
    async fn over(&self) {
        match self.until {
            Some(until) => tokio::time::sleep(until.since(identity::now())).await,
            None => std::future::pending().await,
        }
    }
}

async fn serve(
    api: Api,
    mut socket: WebSocket,
    peer: Peer,
    follower: Option<Following>,
    greeting: Option<Share>,
) -> Result<(), Over> {
    let mut following = match follower {
        Some(following) => following,
        None => match greet(&api, peer, &mut socket).await? {
            Greeted::Follows(following) => *following,
            Greeted::Unknown => {
                return close(&mut socket, UNAUTHORIZED, "the token is missing or wrong").await;
            }
            Greeted::Refused => return close(&mut socket, FORBIDDEN, "you may not follow this").await,
            Greeted::Full => return close(&mut socket, TRY_LATER, "as many follow as may").await,
        },
    };
    drop(greeting);
    let desk = following.desk.clone();
    let mut changes = api.identity.changes();
    // What changed between the handshake and now is told to nobody any more.
    if let Err((code, reason)) = following.check(&api) {
        return close(&mut socket, code, reason).await;
    }
    let Follower { view, mut groups } = desk.live().follow();
    let mut number = view.live.number;
    send(&mut socket, state_message(&view)?).await?;
    drop(view);
    let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut heard = Instant::now();
    let mut writing = desk.live().writing();
    loop {
        tokio::select! {
            group = groups.recv() => match group {
                Ok(group) => {
                    debug_assert_eq!(group.first, number + 1, "a follower misses nothing");
                    number = group.last;
                    send(&mut socket, facts_message(&group.facts)).await?;
                }
                Err(RecvError::Lagged(_)) => return close(&mut socket, START_AGAIN, "too slow: start again").await,
                Err(RecvError::Closed) => return close(&mut socket, ENDING, "the program ends").await,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(message)) => {
                    heard = Instant::now();
                    // Whatever else a client says shows only that it lives.
                    if let Message::Text(text) = message {
                        following.renew(&api, &text);
                    }
                }
            },
            () = following.over() => {
                if let Err((code, reason)) = following.check(&api) {
                    return close(&mut socket, code, reason).await;
                }
            }
            changed = changes.changed() => {
                // The sender lives as long as the API, which this connection holds.
                changed.map_err(|_| Over)?;
                if let Err((code, reason)) = following.check(&api) {
                    return close(&mut socket, code, reason).await;
                }
            }
            _ = ping.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    return Err(Over);
                }
                send(&mut socket, Message::Ping(Bytes::new())).await?;
            }
            changed = writing.changed() => {
                // The sender lives as long as the desk, which this connection holds.
                changed.map_err(|_| Over)?;
                if matches!(*writing.borrow_and_update(), crate::live::Writing::Over { .. }) {
                    return close(&mut socket, ENDING, "the program ends").await;
                }
            }
        }
    }
}

/// What came of the first message of a client.
enum Greeted {
    Follows(Box<Following>),
    Unknown,
    Refused,
    Full,
}

/// Waits for the client's token.
async fn greet(api: &Api, peer: Peer, socket: &mut WebSocket) -> Result<Greeted, Over> {
    let Ok(first) = timeout(GREETING_PATIENCE, socket.recv()).await else { return Ok(Greeted::Unknown) };
    let Some(Ok(Message::Text(text))) = first else { return Ok(Greeted::Unknown) };
    let Ok(Greeting { token, tenant }) = serde_json::from_str(&text) else { return Ok(Greeted::Unknown) };
    let known = match access::known(api, Some(token.as_bytes())) {
        Ok(known) => known,
        Err(stranger) => {
            trail::stranger_follows(api, &stranger, peer);
            return Ok(Greeted::Unknown);
        }
    };
    let desk = match tenant.as_deref().map(str::parse::<Tenant>).transpose() {
        Ok(named) => authorisation::desk_of(api, &known.caller, named),
        Err(_) => Err(authorisation::unknown_tenant()),
    };
    Ok(match Following::begin(api, peer, token.as_bytes(), known, desk).await {
        Ok(following) => Greeted::Follows(Box::new(following)),
        Err(error) if error.status() == StatusCode::SERVICE_UNAVAILABLE => Greeted::Full,
        Err(_) => Greeted::Refused,
    })
}

fn too_many() -> ApiError {
    let remedy = "close a window, or try again later";
    ApiError::unavailable("too_many_followers", "as many follow already as may", remedy)
}

fn state_message(view: &Arc<View>) -> Result<Message, Over> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
    let message = StateMessage { r#type: "state", number: view.live.number, now, state: view };
    match serde_json::to_string(&message) {
        Ok(text) => Ok(Message::Text(text.into())),
        Err(error) => {
            tracing::error!(%error, "live state cannot be encoded");
            Err(Over)
        }
    }
}

fn facts_message(facts: &str) -> Message {
    Message::Text(Utf8Bytes::from(format!("{{\"type\":\"facts\",\"facts\":{facts}}}")))
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Over> {
    match timeout(SEND_PATIENCE, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Over),
    }
}

async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) -> Result<(), Over> {
    send(socket, Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }))).await
}

/// How long a client has to say who it is.
const GREETING_PATIENCE: Duration = Duration::from_secs(5);

/// How often the server pings.
const PING_EVERY: Duration = Duration::from_secs(20);

/// A client that has said nothing for this long, not even a pong, is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// How long a message may take to leave; beyond it the client is gone.
const SEND_PATIENCE: Duration = Duration::from_secs(10);

/// The largest message of a client.
const MESSAGE_BYTES_MAX: usize = 4 * 1024;

/// Close code: the program ends (RFC 6455 "going away").
const ENDING: u16 = 1001;

/// Close code: the token is missing or wrong.
const UNAUTHORIZED: u16 = 4401;

/// Close code: the caller may not follow that tenant.
const FORBIDDEN: u16 = 4403;

/// Close code: as many follow as may (IANA "Try Again Later").
const TRY_LATER: u16 = 1013;

/// Close code: facts were missed; connect again for a new state.
const START_AGAIN: u16 = 4408;
