//! Graph's side of the listeners: requests in, answers out, batches taken apart.

use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use axum::{Extension, Router};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::batch::{Batch, Next};
use super::courier::Courier;
use super::exchange::{Answer, Body, Request, Tags};
use super::fault::Fault;
use super::{BODY_OCTETS_MAX, Outcome, Reply};
use crate::web::Cloud;

/// The routes under `/v1.0`.
pub fn routes() -> Router<Cloud> {
    Router::new().route("/v1.0/{*rest}", any(serve))
}

async fn serve(
    State(cloud): State<Cloud>,
    Extension(courier): Extension<Courier>,
    request: HttpRequest,
) -> Response {
    let (head, body) = request.into_parts();
    // One octet more than is allowed is enough to know that it is too much.
    let body = to_bytes(body, BODY_OCTETS_MAX + 1).await;
    let too_large = body.is_err();
    let path = head.uri.path();
    let request = Request {
        method: head.method.as_str().to_owned(),
        base: base(&cloud, &head.headers),
        path: path.strip_prefix("/v1.0").unwrap_or(path).to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers(&head.headers),
        body: body.unwrap_or_default(),
    };
    let is_batch = request.method == "POST" && request.path == "/$batch";
    let (outcome, tags) = if too_large {
        refuse(&cloud, &request, &Fault::TooLarge)
    } else if is_batch {
        batch(&cloud, &courier, &request).await
    } else {
        let Reply { outcome, tags, .. } = ask(&cloud, &courier, &request).await;
        (outcome, tags)
    };
    courier.write(|| record(&request, &outcome, &tags));
    respond(cloud.now(), outcome, &tags)
}

/// One request by itself.
async fn ask(cloud: &Cloud, courier: &Courier, request: &Request) -> Reply {
    let mut reply = cloud.with(|now, state| state.graph.handle(now, &state.directory, &state.entra, request));
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay.min(SLOW_MAX)).await;
    }
    if let Outcome::Handshake(handshake) = reply.outcome {
        // Nothing is locked meanwhile: the endpoint may ask Graph something before it answers.
        reply.outcome = Outcome::Answer(courier.shake(cloud, &reply.tags, *handshake).await);
    }
    reply
}

/// A batch: its token is looked at once for all, everything else for each request.
async fn batch(cloud: &Cloud, courier: &Courier, request: &Request) -> (Outcome, Tags) {
    let opened = cloud.with(|now, state| {
        let tags = state.graph.tags(request);
        let known = state.graph.caller(now, &state.directory, &state.entra, request);
        let batch = known.and_then(|_| Batch::read(request));
        (batch.map_err(|fault| Answer::fault(&fault, now, &tags)), tags)
    });
    let (mut batch, tags) = match opened {
        (Ok(batch), tags) => (batch, tags),
        (Err(answer), tags) => return (Outcome::Answer(answer), tags),
    };
    loop {
        let now = cloud.now();
        match batch.next(request, |fault| Answer::fault(fault, now, &tags)) {
            Next::Done(answer) => return (Outcome::Answer(answer), tags),
            Next::Ask { id, request } => match ask(cloud, courier, &request).await.outcome {
                Outcome::Answer(answer) => batch.answered(&id, &answer),
                Outcome::Handshake(_) | Outcome::HangUp => return (Outcome::HangUp, tags),
            },
        }
    }
}

fn refuse(cloud: &Cloud, request: &Request, fault: &Fault) -> (Outcome, Tags) {
    cloud.with(|now, state| {
        let tags = state.graph.tags(request);
        (Outcome::Answer(Answer::fault(fault, now, &tags)), tags)
    })
}

fn respond(now: Timestamp, outcome: Outcome, tags: &Tags) -> Response {
    let Outcome::Answer(answer) = outcome else { return cut() };
    let (kind, body) = match answer.body {
        Body::Empty => (None, Bytes::new()),
        Body::Json(value) => (Some(JSON), Bytes::from(value.to_string())),
        Body::Jpeg(bytes) => (Some("image/jpeg"), bytes),
    };
    let mut response = Response::new(HttpBody::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(kind) = kind {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let common = [("request-id", &tags.request), ("client-request-id", &tags.client), ("date", &date)];
    let common = common.into_iter().map(|(name, value)| (name, value.as_str()));
    let own = answer.headers.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in common.chain([("x-ms-ags-diagnostic", DIAGNOSTIC)]).chain(own) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// An exchange as it is written down, to be held against the contract. Tokens and secrets are not in it.
fn record(request: &Request, outcome: &Outcome, tags: &Tags) -> Value {
    let read = |bytes: &Bytes| serde_json::from_slice::<Value>(bytes).unwrap_or(Value::Null);
    let headers: serde_json::Map<String, Value> = request
        .headers
        .iter()
        .filter(|(name, _)| *name != "authorization")
        .map(|(name, value)| (name.clone(), Value::String(value.clone())))
        .collect();
    let answer = match outcome {
        Outcome::Answer(answer) => {
            let headers: serde_json::Map<String, Value> = answer
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Value::String(value.clone())))
                .chain([("request-id".to_owned(), Value::String(tags.request.clone()))])
                .collect();
            let (kind, body) = match &answer.body {
                Body::Empty => (None, Value::Null),
                Body::Json(value) => (Some("application/json"), value.clone()),
                Body::Jpeg(bytes) => (Some("image/jpeg"), Value::from(bytes.len())),
            };
            json!({ "status": answer.status, "headers": headers, "contentType": kind, "body": body })
        }
        Outcome::Handshake(_) | Outcome::HangUp => Value::Null,
    };
    json!({
        "kind": "exchange",
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": headers,
        "body": read(&request.body),
        "answer": answer,
    })
}

/// An answer that promises more than it brings: the server cuts the connection when the body ends too early.
fn cut() -> Response {
    let broken = async { Err::<Bytes, std::io::Error>(std::io::ErrorKind::ConnectionReset.into()) };
    let mut response = Response::new(HttpBody::from_stream(futures_util::stream::once(broken)));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("1000"));
    response
}

/// What links begin with: as the client named this place.
fn base(cloud: &Cloud, headers: &HeaderMap) -> String {
    let places = cloud.places();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    match host {
        Some(host) if host.ends_with(&format!(":{}", places.http.port())) => format!("http://{host}/v1.0"),
        Some(host) => format!("https://{host}/v1.0"),
        None => format!("https://{}/v1.0", places.https),
    }
}

/// The headers that are text, by names in small letters; of several of one name the first.
fn headers(headers: &HeaderMap) -> std::collections::BTreeMap<String, String> {
    let mut read = std::collections::BTreeMap::new();
    for (name, value) in headers {
        if let Ok(value) = value.to_str() {
            read.entry(name.as_str().to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    read
}

const JSON: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
const DIAGNOSTIC: &str = r#"{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"SANDBOX"}}"#;
/// A slow answer takes no longer than this.
const SLOW_MAX: std::time::Duration = std::time::Duration::from_secs(300);
