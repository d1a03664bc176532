//! Graph over real sockets: a subscriber shakes hands, is told of a change made on the page, and everything is
//! recorded; answers break off on command; the page is for this machine only.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tandem_sandbox::Running;
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};
use tandem_sandbox::directory::{AppId, EntraTenantId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::common::{LONG, config, http, raw_http, start};

/// What an endpoint got, and how it behaves in a handshake.
#[derive(Clone)]
struct Endpoint {
    got: mpsc::Sender<Value>,
    polite: bool,
}

/// An endpoint for notifications; gives its URL.
async fn endpoint(endpoint: Endpoint) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notifications", listener.local_addr().unwrap());
    let app = Router::new().route("/notifications", post(notified)).with_state(endpoint);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn notified(State(endpoint): State<Endpoint>, RawQuery(query): RawQuery, body: String) -> Response {
    if let Some(token) = query.as_deref().and_then(|query| query.strip_prefix("validationToken=")) {
        assert!(token.contains("%20"), "the token is encoded: {token}");
        let token = tandem_sandbox::graph::exchange::decode(token);
        return if endpoint.polite { token.into_response() } else { format!("<{token}>").into_response() };
    }
    endpoint.got.send(serde_json::from_str(&body).unwrap()).await.unwrap();
    axum::http::StatusCode::ACCEPTED.into_response()
}

fn alices_token(running: &Running) -> String {
    running.cloud().with(|now, state| {
        let alice = state.directory.user_named("alice").unwrap().clone();
        let app = AppId::new(TANDEM_APP);
        state.entra.graph_user_token(
            now,
            &alice.tenant,
            &app,
            &alice.object_id,
            &["Presence.Read.All", "User.Read"],
        )
    })
}

/// One request to Graph; gives the status, the head and the body. Status 0: the answer broke off.
async fn graph(
    at: SocketAddr,
    token: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, String, Value) {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = format!(
        "{method} /v1.0{path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         client-request-id: mine\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let talk = async {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    };
    let answer = tokio::time::timeout(LONG, talk).await.expect("Graph answers");
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return (0, answer, Value::Null) };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null))
}

fn asked(running: &Running, url: &str, of: &str) -> Value {
    json!({
        "changeType": "updated",
        "notificationUrl": url,
        "resource": format!("/communications/presences/{of}"),
        "expirationDateTime": (running.cloud().now() + jiff::SignedDuration::from_mins(59)).to_string(),
        "clientState": "secret",
    })
}

#[tokio::test]
async fn a_click_on_the_page_reaches_who_subscribed() {
    let mut config = config("graph_click");
    let record = config.folder.with_extension("jsonl");
    config.web.record = Some(record.clone());
    let running = start(config).await;
    let at = running.addresses().http;
    let token = alices_token(&running);
    let bela =
        running.cloud().with(|_, state| state.directory.user_named("bela").unwrap().object_id.to_string());
    let (got, mut gotten) = mpsc::channel(8);

    let rude = endpoint(Endpoint { got: got.clone(), polite: false }).await;
    let (status, head, refused) =
        graph(at, &token, "POST", "/subscriptions", Some(asked(&running, &rude, &bela))).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("ValidationError")));
    assert!(head.contains("client-request-id: mine"));
    assert!(head.contains("request-id: "));
    let away = "https://subscriber.elsewhere.example/notifications";
    assert_eq!(graph(at, &token, "POST", "/subscriptions", Some(asked(&running, away, &bela))).await.0, 400);

    let url = endpoint(Endpoint { got: got.clone(), polite: true }).await;
    let (status, _, made) =
        graph(at, &token, "POST", "/subscriptions", Some(asked(&running, &url, &bela))).await;
    assert_eq!(status, 201, "{made}");
    let (_, before) = http(at, "GET", "/sandbox/people", None).await;
    let play = json!({ "choice": "do_not_disturb", "message": "Writing" });
    assert_eq!(http(at, "PUT", "/sandbox/people/bela/presence", Some(play)).await.0, 204);
    let path = format!("/sandbox/people?version={}&wait_ms=20000", before["version"]);
    let (status, after) = http(at, "GET", &path, None).await;
    assert_eq!(status, 200);
    let people = |everybody: &Value| {
        let contoso =
            everybody["tenants"].as_array().unwrap().iter().find(|one| one["id"] == CONTOSO).unwrap();
        contoso["people"].as_array().unwrap().iter().find(|one| one["id"] == "bela").unwrap().clone()
    };
    assert_eq!(people(&after)["presence"]["shown"]["availability"], "DoNotDisturb");
    assert_eq!(people(&after)["choice"], "do_not_disturb");
    assert_eq!(after["subscriptions"][0]["resource"], "presence of 1");

    let arrived = tokio::time::timeout(LONG, gotten.recv()).await.expect("the notification comes").unwrap();
    let item = &arrived["value"][0];
    assert_eq!((&item["clientState"], &item["resourceData"]["id"]), (&json!("secret"), &json!(bela)));
    running.stop().await;

    let recorded = std::fs::read_to_string(record).unwrap();
    let kinds: Vec<String> = recorded
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_owned())
        .collect();
    for kind in ["exchange", "handshake", "notification"] {
        assert!(kinds.iter().any(|one| one == kind), "{kind} in {kinds:?}");
    }
    assert!(!recorded.contains(&token), "tokens are not recorded");
}

#[tokio::test]
async fn a_batch_is_answered_one_by_one_and_an_answer_can_break_off() {
    let running = start(config("graph_batch")).await;
    let at = running.addresses().http;
    let token = alices_token(&running);
    let requests = json!({ "requests": [
        { "id": "1", "method": "GET", "url": "/me?$select=displayName" },
        { "id": "2", "method": "GET", "url": "/me/photo/$value" },
        { "id": "3", "method": "GET", "url": "/me/dishes", "dependsOn": ["1"] },
        { "id": "4", "method": "GET", "url": "/me", "dependsOn": ["3"] },
    ] });
    let (status, _, told) = graph(at, &token, "POST", "/$batch", Some(requests)).await;
    assert_eq!(status, 200);
    let told = told["responses"].as_array().unwrap();
    let status = |id: &str| told.iter().find(|one| one["id"] == id).unwrap()["status"].as_u64().unwrap();
    assert_eq!(["1", "2", "3", "4"].map(status), [200, 200, 400, 424]);
    let photo = told.iter().find(|one| one["id"] == "2").unwrap();
    assert!(photo["body"].as_str().unwrap().starts_with("/9j/"), "a JPEG in base64");
    assert_eq!(graph(at, "", "POST", "/$batch", Some(json!({ "requests": [] }))).await.0, 401);

    let dropped = json!({ "troubles": [{ "path": "/me", "times": 1, "what": "dropped" }] });
    assert_eq!(http(at, "PUT", "/sandbox/graph/switches", Some(dropped)).await.0, 204);
    assert_eq!(graph(at, &token, "GET", "/me", None).await.0, 0, "the connection is cut");
    assert_eq!(graph(at, &token, "GET", "/me", None).await.0, 200);
}

#[tokio::test]
async fn the_page_is_for_this_machine_only() {
    let running = start(config("graph_page")).await;
    let at = running.addresses().http;
    for path in ["/", "/sandbox/page/people.css", "/sandbox/page/people.js", "/sandbox/people"] {
        let (status, _) = raw_http(at, "GET", path, &at.to_string(), None).await;
        assert_eq!(status, 200, "{path}");
        let (status, _) = raw_http(at, "GET", path, "evil.example", None).await;
        assert_eq!(status, 403, "{path}");
    }
    let (_, page) = raw_http(at, "GET", "/", &at.to_string(), None).await;
    assert!(!page.contains("<style") && !page.contains(" style="), "the policy forbids styles of its own");
}

#[tokio::test]
async fn an_application_token_is_taken_from_entra_and_opens_graph() {
    let running = start(config("graph_token")).await;
    let at = running.addresses().http;
    let token = running.cloud().with(|now, state| {
        let (tenant, app) = (EntraTenantId::new(CONTOSO), AppId::new(TANDEM_APP));
        state.entra.graph_app_token(&state.directory, now, &tenant, &app)
    });
    let (status, _, users) = graph(at, &token, "GET", "/users?$top=2", None).await;
    assert_eq!(status, 200);
    let next = users["@odata.nextLink"].as_str().unwrap();
    assert!(next.starts_with(&format!("http://{at}/v1.0/users?")), "links lead where one came from: {next}");
}
