//! A program that is told by webhooks: a real server that checks signatures and answers as it is told to.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests; each file uses its part"
)]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use tandem::webhooks::signature::{Secrets, SigningSecret};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The program.
pub struct Receiver {
    address: SocketAddr,
    desk: Arc<Desk>,
}

/// One delivery as it came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub id: String,
    pub timestamp: i64,
    pub signature: String,
    /// Whether it is signed with the secret that the program knows.
    pub signed: bool,
    pub text: String,
    pub body: Value,
    /// What the program said.
    pub answered: u16,
}

struct Desk {
    script: Mutex<Script>,
    heard: watch::Sender<Vec<Heard>>,
}

struct Script {
    secret: Option<String>,
    next: VecDeque<u16>,
    otherwise: u16,
    retry_after: Option<u32>,
}

impl Receiver {
    pub async fn open() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Script { secret: None, next: VecDeque::new(), otherwise: 204, retry_after: None };
        let desk = Arc::new(Desk { script: Mutex::new(script), heard: watch::Sender::default() });
        let app = Router::new().route("/hook", post(take)).with_state(desk.clone());
        tokio::spawn(async move { axum_serve(listener, app).await });
        Receiver { address, desk }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn knows(&self, secret: &str) {
        self.desk.script.lock().unwrap().secret = Some(secret.to_owned());
    }

    /// Answers so, then as always.
    pub fn answers(&self, statuses: impl IntoIterator<Item = u16>) {
        let mut script = self.desk.script.lock().unwrap();
        script.next.extend(statuses);
        script.otherwise = 204;
        script.retry_after = None;
    }

    pub fn answers_always(&self, status: u16) {
        self.desk.script.lock().unwrap().otherwise = status;
    }

    /// Answers 429 and asks to wait.
    pub fn asks_to_wait(&self, seconds: u32) {
        let mut script = self.desk.script.lock().unwrap();
        (script.otherwise, script.retry_after) = (429, Some(seconds));
    }

    /// Everything that came, when so much has.
    pub async fn count(&self, count: usize) -> Vec<Heard> {
        self.when(|heard| heard.len() >= count).await
    }

    /// Everything that came, when one of this type has, after so many others of it.
    pub async fn until(&self, kind: &str, others: usize) -> Vec<Heard> {
        self.when(|heard| heard.iter().filter(|heard| heard.body["type"] == kind).count() > others).await
    }

    /// Everything that came, when the event of this number was taken.
    pub async fn until_number(&self, number: u64) -> Vec<Heard> {
        self.when(|heard| heard.iter().any(|heard| heard.body["number"] == number && heard.answered < 300))
            .await
    }

    async fn when(&self, enough: impl Fn(&[Heard]) -> bool) -> Vec<Heard> {
        let mut heard = self.desk.heard.subscribe();
        let all = tokio::time::timeout(PATIENCE, heard.wait_for(|heard| enough(heard))).await;
        match all {
            Ok(all) => all.unwrap().clone(),
            Err(_) => {
                let heard: Vec<_> = self.desk.heard.borrow().iter().map(|heard| heard.text.clone()).collect();
                panic!("it did not come: {heard:#?}")
            }
        }
    }
}

impl Heard {
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let secret = Secrets::new(SigningSecret::parse(secret).unwrap());
        let wanted = secret.signature(&self.id, self.timestamp * 1_000, self.text.as_bytes());
        self.signature.split(' ').any(|signature| signature == wanted)
    }
}

/// Looks again and again until there is what is looked for.
pub async fn until<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> T {
    let found = async {
        loop {
            match look().await {
                Some(found) => return found,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("it comes about")
}

async fn take(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert!(header("user-agent").starts_with("Tandem/"));
    let text = String::from_utf8(body.to_vec()).unwrap();
    let mut heard = Heard {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap(),
        signature: header("webhook-signature"),
        signed: false,
        body: serde_json::from_str(&text).unwrap(),
        text,
        answered: 0,
    };
    let (status, retry_after) = {
        let mut script = desk.script.lock().unwrap();
        heard.signed = script.secret.as_ref().is_some_and(|secret| heard.is_signed_with(secret));
        (script.next.pop_front().unwrap_or(script.otherwise), script.retry_after)
    };
    heard.answered = status;
    desk.heard.send_modify(|all| all.push(heard));
    let status = StatusCode::from_u16(status).unwrap();
    match retry_after {
        Some(seconds) => (status, [("retry-after", seconds.to_string())]).into_response(),
        None => status.into_response(),
    }
}

/// Serves one connection after the other, each on its own.
async fn axum_serve(listener: TcpListener, app: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let service = hyper_util::service::TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            let stream = hyper_util::rt::TokioIo::new(stream);
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
        });
    }
}

/// Longer than anything here takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);
