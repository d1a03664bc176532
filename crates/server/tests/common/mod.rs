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

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use tandem::api::access::{Access, Token};
use tandem::desk::{Desk, Desks, Terms};
use tandem::engine::{Carried, Order, Status};
use tandem::identity::{self, Configured, ConfiguredPerson, Identity, IdentitySettings, Tokens};
use tandem::live::{Live, Recorder, wait_committed};
use tandem::microsoft::Microsoft;
use tandem::outbound::{Outbound, OutboundSettings};
use tandem::recordings::Recordings;
use tandem::restore;
use tandem::transport::resolve::Resolver;
use tandem::webhooks::Webhooks;
use tandem_center::call::{Address, Arrival, CallCommand, CallEvent, CallId, CauseKind, PartyId};
use tandem_center::config::{Config, Document, Known};
use tandem_center::{Center, Input, Output, Timestamp};
use tandem_people::login::SignIn;
use tandem_people::person::{Identity as KnownAs, Person};
use tandem_people::role::Role;
use tandem_people::scope::Scope;
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
    /// Whether orders are carried out and not answered.
    is_silent: bool,
}

pub fn config() -> Arc<Config> {
    config_of(CENTER)
}

/// The same, with more in its file.
pub fn config_with(more: &str) -> Arc<Config> {
    config_of(&format!("{CENTER}\n{more}"))
}

fn config_of(text: &str) -> Arc<Config> {
    let document: Document = toml::from_str(text).unwrap();
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
        let identity = open_identity(directory.path());
        Shop::open_connected(directory, access, identity, |_, _| None).await
    }

    /// With these people, and with Microsoft.
    pub async fn open_connected(
        directory: TempDir,
        access: Access,
        identity: Identity,
        microsoft: impl FnOnce(&Identity, &Desks) -> Option<Microsoft>,
    ) -> Shop {
        Shop::open_configured(directory, access, config(), identity, microsoft).await
    }

    /// The same, of this configuration.
    pub async fn open_configured(
        directory: TempDir,
        access: Access,
        config: Arc<Config>,
        identity: Identity,
        microsoft: impl FnOnce(&Identity, &Desks) -> Option<Microsoft>,
    ) -> Shop {
        let restore::Restored { journal, live, recorder } =
            restore::open(directory.path(), None, Tenant::only()).unwrap();
        let (room, orders) = room(config, &live, recorder);
        let lines = ["carrier".into(), "teams".into()].into();
        let (recordings, _) = Recordings::open_folder(directory.path()).unwrap();
        let desk = Desk::new(live.clone(), terms("", lines), journal, orders, recordings);
        let desks = Desks::new([desk.clone()]);
        let webhooks = webhooks(directory.path(), &identity, desks.clone());
        let telling = tokio::spawn(webhooks.clone().run());
        let microsoft = microsoft(&identity, &desks);
        let router = tandem::api::router_with(desks, access, identity.clone(), webhooks.clone(), microsoft);
        let shop = Shop { directory, live, desk, router, identity, room, webhooks, telling };
        shop.settle().await;
        shop
    }

    /// Kills nothing, but begins again with what is written.
    pub async fn restart(self) -> Shop {
        Shop::open_with(self.leave().await, loopback()).await
    }

    /// Ends, and leaves what is written.
    pub async fn leave(self) -> TempDir {
        self.settle().await;
        self.live.close().unwrap();
        let Shop { directory, live, desk, router, identity, room, webhooks, telling } = self;
        telling.abort();
        let _ = telling.await;
        drop((live, desk, router, identity, room, webhooks));
        directory
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

/// A center that goes on from what is written, behind a door of a few lines.
fn room(
    config: Arc<Config>,
    live: &Arc<Live>,
    recorder: Recorder,
) -> (Arc<Mutex<Room>>, mpsc::Sender<Order>) {
    let view = live.view();
    let now = Timestamp::from_micros(START_US.max(view.at.as_micros()));
    let room = Arc::new(Mutex::new(Room {
        center: Center::resume(config, now, &view),
        recorder,
        now,
        refused: None,
        answering: true,
        rung: Vec::new(),
        status: Status::default(),
        is_silent: false,
    }));
    room.lock().unwrap().turn();
    let (orders, waiting) = mpsc::channel(16);
    tokio::spawn(engine(room.clone(), waiting));
    (room, orders)
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
                if !room.is_silent {
                    let _ = reply.send(answer);
                }
            }
            Order::Told { inputs, .. } => {
                for input in inputs {
                    room.input(input);
                }
            }
            Order::Status { reply } => {
                let _ = reply.send(room.status.clone());
            }
            Order::Configure { .. } => panic!("a shop has no file to be configured from"),
        }
    }
}

/// Two customers of one installation: `north` has Anna, Bert and the queues support and sales, `south` has Zoe, Yan,
/// returns and outlet. Each has people; Olga runs the installation.
pub struct Street {
    pub directory: TempDir,
    pub router: Router,
    pub identity: Identity,
    pub north: Desk,
    pub south: Desk,
    rooms: Vec<Arc<Mutex<Room>>>,
}

impl Street {
    pub async fn open() -> Street {
        Street::open_in(tempfile::tempdir().unwrap()).await
    }

    pub async fn open_in(directory: TempDir) -> Street {
        let library = restore::open_library(directory.path(), None).unwrap();
        let mut desks = Vec::new();
        let mut rooms = Vec::new();
        let south = CENTER
            .replace("anna", "zoe")
            .replace("bert", "yan")
            .replace("\"support\"", "\"returns\"")
            .replace("\"sales\"", "\"outlet\"");
        for (name, text) in [("north", CENTER), ("south", &south)] {
            let tenant: Tenant = name.parse().unwrap();
            let (live, recorder) = library.restore(&tenant).unwrap();
            let (room, orders) = room(config_of(text), &live, recorder);
            let lines = ["carrier".into(), "teams".into()].into();
            let recordings = Recordings::open_folder(directory.path()).unwrap().0.of(&tenant);
            desks.push(Desk::new(live, terms(name, lines), library.journal.clone(), orders, recordings));
            rooms.push(room);
        }
        let identity = Identity::open(directory.path(), None, two_tenants(), identity::now()).unwrap();
        let all = Desks::new(desks.clone());
        let webhooks = webhooks(directory.path(), &identity, all.clone());
        let router = tandem::api::router(all, loopback(), identity.clone(), webhooks);
        let [north, south] = <[Desk; 2]>::try_from(desks).ok().unwrap();
        let street = Street { directory, router, identity, north, south, rooms };
        street.settle().await;
        street
    }

    /// An access token of somebody of the configuration.
    pub fn token(&self, user_name: &str) -> String {
        self.tokens(user_name).access.expose().to_owned()
    }

    pub fn tokens(&self, user_name: &str) -> Tokens {
        let person = self.person(user_name);
        self.identity.sign_in(&person, SignIn::Demo, "a test", identity::now()).unwrap()
    }

    pub fn person(&self, user_name: &str) -> Person {
        let known = identity_of(user_name);
        self.identity.person_known_as(&known).unwrap().expect("somebody of the configuration")
    }

    /// Asks as somebody; an empty token is none.
    pub async fn ask(&self, token: &str, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
        self.ask_in(token, None, method, path, body).await
    }

    /// Asks as somebody about a tenant that they name.
    pub async fn ask_in(
        &self,
        token: &str,
        tenant: Option<&str>,
        method: &str,
        path: &str,
        body: &str,
    ) -> (StatusCode, Value) {
        let mut request = request(method, path, Body::from(body.to_owned()));
        let headers = request.headers_mut();
        headers.remove("Authorization");
        if !token.is_empty() {
            headers.insert("Authorization", format!("Bearer {token}").parse().unwrap());
        }
        if let Some(tenant) = tenant {
            headers.insert("Tandem-Tenant", tenant.parse().unwrap());
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// A customer of north, who reaches an agent if one is free.
    pub async fn call_north(&self, call: u64) {
        self.call_at(0, call).await;
    }

    /// The same of south.
    pub async fn call_south(&self, call: u64) {
        self.call_at(1, call).await;
    }

    pub async fn hang_up_north(&self, call: u64) {
        self.hang_up_at(0, call).await;
    }

    pub async fn hang_up_south(&self, call: u64) {
        self.hang_up_at(1, call).await;
    }

    async fn call_at(&self, place: usize, call: u64) {
        self.event_at(
            place,
            CallEvent::Arrived(Arrival {
                call: CallId(call),
                line: "carrier".into(),
                from: Address::Phone("+4917012345".into()),
                from_name: "Erika".into(),
                to: Address::Phone("+4930111".into()),
            }),
        )
        .await;
    }

    async fn hang_up_at(&self, place: usize, call: u64) {
        let (call, cause) = (CallId(call), CauseKind::HungUp.into());
        self.event_at(place, CallEvent::Left { call, party: PartyId::FIRST, cause }).await;
    }

    async fn event_at(&self, place: usize, event: CallEvent) {
        self.rooms[place].lock().unwrap().input(Input::Call(event));
        self.settle().await;
    }

    /// The engine of north carries out what it is told from now on, and does not say so.
    pub fn north_is_silent(&self) {
        self.rooms[0].lock().unwrap().is_silent = true;
    }

    pub async fn settle(&self) {
        for (room, desk) in self.rooms.iter().zip([&self.north, &self.south]) {
            let number = room.lock().unwrap().center.fact_number();
            assert!(
                wait_committed(desk.live(), number, Duration::from_secs(60)).await,
                "facts are committed"
            );
        }
    }

    /// What the audit trail of a tenant says was refused, as act, object and code, the latest first.
    pub async fn refused(&self, tenant: &str) -> Vec<(String, String, String)> {
        self.told(tenant, "refused").await
    }

    /// What the audit trail of a tenant says of acts with this outcome, as act, object and code, the latest first.
    pub async fn told(&self, tenant: &str, outcome: &str) -> Vec<(String, String, String)> {
        let path = format!("/api/v1/audit?outcome={outcome}&limit=200");
        let (status, page) = self.ask_in(ROOT, Some(tenant), "GET", &path, "").await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let text = |act: &Value, name: &str| act[name].as_str().unwrap_or_default().to_owned();
        let acts = page["acts"].as_array().unwrap().iter();
        acts.map(|act| (text(act, "act"), text(act, "object"), text(act, "code"))).collect()
    }
}

pub fn identity_of(user_name: &str) -> KnownAs {
    KnownAs::Local { user_name: user_name.parse().unwrap() }
}

/// North: Anna, an agent; Bert, an agent; Eva, an expert; Sam, a supervisor; Ada, an administrator. South: Zoe, an agent, and
/// Zita, an administrator. Olga runs it all.
pub fn two_tenants() -> IdentitySettings {
    let of_north =
        |name: &str, role, agent: Option<&str>| configured(Scope::tenant("north"), name, role, agent);
    let of_south =
        |name: &str, role, agent: Option<&str>| configured(Scope::tenant("south"), name, role, agent);
    let people = vec![
        of_north("anna", Role::Agent, Some("anna")),
        of_north("bert", Role::Agent, Some("bert")),
        of_north("eva", Role::Expert, None),
        of_north("sam", Role::Supervisor, None),
        of_north("ada", Role::Administrator, None),
        of_south("zoe", Role::Agent, Some("zoe")),
        of_south("zita", Role::Administrator, None),
        configured(Scope::Installation, "olga", Role::Operator, None),
    ];
    let tenant = |name: &str, agents: [&str; 2]| {
        let agents = agents.into_iter().map(Into::into).collect();
        (name.parse().unwrap(), Configured { agents, ..Configured::default() })
    };
    let tenants = [tenant("north", ["anna", "bert"]), tenant("south", ["zoe", "yan"])].into();
    IdentitySettings { tenants, people, ..IdentitySettings::default() }
}

fn configured(scope: Scope, name: &str, role: Role, agent: Option<&str>) -> ConfiguredPerson {
    ConfiguredPerson {
        scope,
        name: name.into(),
        user_name: Some(name.parse().unwrap()),
        entra: None,
        roles: [role].into(),
        guest: Default::default(),
        agent: agent.map(Into::into),
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

/// What the configuration says of a tenant who keeps everything for ever.
fn terms(name: &str, lines: BTreeSet<Arc<str>>) -> Terms {
    Terms { name: name.into(), lines: Arc::new(lines), keep_days: 0 }
}
