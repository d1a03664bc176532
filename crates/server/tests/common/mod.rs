//! A contact center behind its API: a real center and a real journal, a door made of a few lines, and no socket.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests; each file uses its part"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use tandem::api::access::{Access, Token};
use tandem::desk::{Desk, Desks};
use tandem::engine::{Carried, Order, Status};
use tandem::identity::{self, Configured, Identity, IdentitySettings};
use tandem::live::{Live, Recorder, wait_committed};
use tandem::outbound::{Outbound, OutboundSettings};
use tandem::recordings::Recordings;
use tandem::restore;
use tandem::transport::resolve::Resolver;
use tandem::webhooks::Webhooks;
use tandem_center::call::{Address, Arrival, CallCommand, CallEvent, CallId, CauseKind, PartyId};
use tandem_center::config::{Config, Document, Known};
use tandem_center::{Center, Input, Output, Timestamp};
use tandem_store::Tenant;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tower::ServiceExt;

pub struct Shop {
    pub directory: TempDir,
    pub live: Arc<Live>,
    pub desk: Desk,
    pub router: Router,
    pub identity: Identity,
    pub webhooks: Webhooks,
    telling: JoinHandle<()>,
    room: Arc<Mutex<Room>>,
}

/// What the engine owns: the center, its recorder, the clock, and a door that does at once what it is told.
struct Room {
    center: Center,
    recorder: Recorder,
    now: Timestamp,
    refused: Option<tandem_center::supervise::Refusal>,
    /// Whether telephones of agents are answered.
    answering: bool,
    rung: Vec<(CallId, PartyId)>,
    status: Status,
}

pub fn config() -> Arc<Config> {
    let document: Document = toml::from_str(CENTER).unwrap();
    let known = Known {
        prompts: ["music".into(), "menu".into()].into(),
        lines: ["carrier".into(), "teams".into()].into(),
    };
    Arc::new(Config::new(document, &known).unwrap())
}

impl Shop {
    /// Opens a new shop on loopback.
    pub async fn open() -> Shop {
        Shop::open_with(tempfile::tempdir().unwrap(), loopback()).await
    }

    pub async fn open_with(directory: TempDir, access: Access) -> Shop {
        let restore::Restored { journal, live, recorder } =
            restore::open(directory.path(), None, Tenant::only()).unwrap();
        let view = live.view();
        let now = Timestamp::from_micros(START_US.max(view.at.as_micros()));
        let center = Center::resume(config(), now, &view);
        let room = Arc::new(Mutex::new(Room {
            center,
            recorder,
            now,
            refused: None,
            answering: true,
            rung: Vec::new(),
            status: Status::default(),
        }));
        room.lock().unwrap().turn();
        let (orders, waiting) = mpsc::channel(16);
        tokio::spawn(engine(room.clone(), waiting));
        let lines = ["carrier".into(), "teams".into()].into();
        let (recordings, _) = Recordings::open_folder(directory.path()).unwrap();
        let desk = Desk::new(live.clone(), "".into(), journal, orders, lines, recordings);
        let identity = open_identity(directory.path());
        let webhooks = webhooks(directory.path(), &identity, Desks::new([desk.clone()]));
        let telling = tokio::spawn(webhooks.clone().run());
        let desks = Desks::new([desk.clone()]);
        let router = tandem::api::router(desks, access, identity.clone(), webhooks.clone());
        let shop = Shop { directory, live, desk, router, identity, room, webhooks, telling };
        shop.settle().await;
        shop
    }

    /// Kills nothing, but begins again with what is written.
    pub async fn restart(self) -> Shop {
        self.settle().await;
        self.live.close().unwrap();
        let Shop { directory, live, desk, router, identity, room, webhooks, telling } = self;
        telling.abort();
        let _ = telling.await;
        drop((live, desk, router, identity, room, webhooks));
        Shop::open_with(directory, loopback()).await
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Waits until all that has happened is committed.
    pub async fn settle(&self) {
        let number = self.room.lock().unwrap().center.fact_number();
        assert!(wait_committed(&self.live, number, Duration::from_secs(60)).await, "facts are committed");
    }

    /// Somebody calls the support queue.
    pub async fn call(&self, call: u64) {
        self.call_number(call, "+4930111").await;
    }

    pub async fn call_number(&self, call: u64, number: &str) {
        let arrival = Arrival {
            call: CallId(call),
            line: "carrier".into(),
            from: Address::Phone("+4917012345".into()),
            from_name: "Erika".into(),
            to: Address::Phone(number.into()),
        };
        self.event(CallEvent::Arrived(arrival)).await;
    }

    pub async fn hang_up(&self, call: u64) {
        let (call, cause) = (CallId(call), CauseKind::HungUp.into());
        self.event(CallEvent::Left { call, party: PartyId::FIRST, cause }).await;
    }

    /// Agents' telephones ring from now on, and nobody answers.
    pub fn nobody_answers(&self) {
        self.room.lock().unwrap().answering = false;
    }

    pub fn door_reports(&self, status: Status) {
        self.room.lock().unwrap().status = status;
    }

    pub async fn pass(&self, seconds: u64) {
        {
            let mut room = self.room.lock().unwrap();
            room.now = room.now + Duration::from_secs(seconds);
            let now = room.now;
            room.center.handle_timeout(now);
            room.turn();
        }
        self.settle().await;
    }

    pub async fn event(&self, event: CallEvent) {
        {
            let mut room = self.room.lock().unwrap();
            room.input(Input::Call(event));
        }
        self.settle().await;
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(request("GET", path, Body::empty())).await
    }

    pub async fn put(&self, path: &str, body: &str) -> (StatusCode, Value) {
        self.send(request("PUT", path, Body::from(body.to_owned()))).await
    }

    pub async fn post(&self, path: &str, body: &str) -> (StatusCode, Value) {
        self.send(request("POST", path, Body::from(body.to_owned()))).await
    }

    pub async fn delete(&self, path: &str, body: &str) -> (StatusCode, Value) {
        self.send(request("DELETE", path, Body::from(body.to_owned()))).await
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let (status, body) = self.text(request).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    pub async fn text(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }
}

impl Room {
    fn input(&mut self, input: Input) {
        self.now = self.now + Duration::from_millis(10);
        self.center.handle_input(self.now, input);
        self.turn();
    }

    fn turn(&mut self) {
        let mut facts = Vec::new();
        let mut events = Vec::new();
        loop {
            while let Some(output) = self.center.poll_output() {
                match output {
                    Output::Call(command) => self.carry_out(command, &mut events),
                    Output::Fact(fact) => facts.push(fact),
                    Output::Refused(refusal) => self.refused = Some(refusal),
                }
            }
            if events.is_empty() {
                break;
            }
            for event in std::mem::take(&mut events) {
                self.now = self.now + Duration::from_millis(10);
                self.center.handle_input(self.now, Input::Call(event));
            }
        }
        self.recorder.record(facts);
    }

    fn carry_out(&mut self, command: CallCommand, events: &mut Vec<CallEvent>) {
        match command {
            CallCommand::Answer { call } => events.push(CallEvent::Answered { call }),
            CallCommand::AddParty { call, party, .. } => {
                self.rung.push((call, party));
                events.push(CallEvent::Ringing { call, party });
                if self.answering {
                    events.push(CallEvent::Joined { call, party });
                }
            }
            CallCommand::RemoveParty { call, party, .. } => {
                self.rung.retain(|known| *known != (call, party));
                events.push(CallEvent::Left { call, party, cause: CauseKind::Removed.into() });
            }
            CallCommand::End { call } | CallCommand::Reject { call, .. } => {
                for (_, party) in self.rung.extract_if(.., |(known, _)| *known == call) {
                    events.push(CallEvent::Left { call, party, cause: CauseKind::Removed.into() });
                }
                events.push(CallEvent::Ended { call, cause: CauseKind::HungUp.into() });
            }
            CallCommand::Play { .. }
            | CallCommand::StopPlay { .. }
            | CallCommand::Collect { .. }
            | CallCommand::StopCollect { .. }
            | CallCommand::DecideTransfer { .. }
            | CallCommand::Place { .. }
            | CallCommand::Admit { .. }
            | CallCommand::Record { .. }
            | CallCommand::StopRecord { .. } => {}
        }
    }
}

async fn engine(room: Arc<Mutex<Room>>, mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        let mut room = room.lock().unwrap();
        match order {
            Order::Center { command, reply, .. } => {
                room.refused = None;
                let before = room.center.fact_number();
                room.input(command);
                let answer = match room.refused.take() {
                    Some(refusal) => Err(refusal),
                    None => Ok(Carried { before, last: room.center.fact_number() }),
                };
                let _ = reply.send(answer);
            }
            Order::Status { reply } => {
                let _ = reply.send(room.status.clone());
            }
        }
    }
}

/// People of a contact center whose agents are Anna and Bert; nobody yet.
pub fn open_identity(folder: &Path) -> Identity {
    let agents = ["anna".into(), "bert".into()].into();
    let tenants = [(Tenant::only(), Configured { agents, ..Configured::default() })].into();
    let settings = IdentitySettings { tenants, ..IdentitySettings::default() };
    Identity::open(folder, None, settings, identity::now()).unwrap()
}

/// Webhooks that may send to this machine.
pub fn webhooks(folder: &Path, identity: &Identity, desks: Desks) -> Webhooks {
    let here = vec!["127.0.0.0/8".parse().unwrap()];
    let roots = folder.join("roots.pem");
    let root = rcgen::generate_simple_self_signed(vec!["root.test".into()]).unwrap();
    std::fs::write(&roots, root.cert.pem()).unwrap();
    let resolver = Resolver::new(&["127.0.0.1:1".parse().unwrap()]).unwrap();
    let outbound = Outbound::new(&OutboundSettings::webhooks(Some(roots), here), resolver).unwrap();
    Webhooks::new(identity.register().clone(), desks, outbound)
}

pub fn loopback() -> Access {
    Access::new("127.0.0.1:8080".parse().unwrap(), false, Some(Token::parse(ROOT).unwrap())).unwrap()
}

pub fn request(method: &str, path: &str, body: Body) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("Host", "localhost:8080")
        .header("Content-Type", "application/json")
        .header("Authorization", format!("Bearer {ROOT}"))
        .body(body)
        .unwrap()
}

/// Whoever has it may do everything.
pub const ROOT: &str = "0123456789abcdef0123456789abcdef";

pub const START_US: u64 = 1_800_000_000_000_000;

const CENTER: &str = r#"
[[agents]]
id = "anna"
name = "Anna Adler"
ring = { line = "teams", phone = "+4930200" }
queues = ["support"]

[[agents]]
id = "bert"
name = "Bert Braun"
ring = { line = "teams", phone = "+4930201" }
queues = ["support"]
skills = { french = 7 }

[[queues]]
id = "support"
name = "Support"
ring_timeout_s = 15
wrap_up_s = 30
wrap_up = { extend_s = 60, extensions = 1, codes = [{ id = "question", name = "A question" }] }

[[queues]]
id = "sales"
name = "Sales"
strategy = "most_skilled"
skills = { french = 5 }
relax = [{ after_s = 60 }]
callback = { offer = ["menu"] }

[[numbers]]
dialled = "+4930111"
flow = "direct"

[flows.direct]
start = "wait"
steps.wait = { enqueue = "support" }
"#;
