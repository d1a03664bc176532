//! A watcher, a clock that is moved by hand, and a Graph that does what a story wants.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tandem_microsoft::graph::call::{Answer, Call, Caller, Moment, NoAnswer, Operation, Target};
use tandem_microsoft::graph::notification::{Delivery, Item, What};
use tandem_microsoft::graph::subscription::{EncryptFor, Notify, read_date_time};
use tandem_microsoft::graph::throttle::{Limits, Throttle};
use tandem_microsoft::graph::watch::{CallId, Output, Settings, Watcher};
use tandem_microsoft::http::{Method, Response};
use tandem_microsoft::id::{EntraTenantId, Guid, ObjectId};
use tandem_microsoft::time::UnixTime;
use zeroize::Zeroizing;

/// The moment at which a story begins.
#[expect(clippy::disallowed_methods, reason = "a story needs some instant to begin with")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// The tenant that is watched.
pub(crate) const TENANT: EntraTenantId = EntraTenantId(Guid::from_octets([0xee; 16]));

/// Somebody.
pub(crate) fn person(number: u32) -> ObjectId {
    let mut octets = [0xa0; 16];
    octets[..4].copy_from_slice(&number.to_be_bytes());
    ObjectId(Guid::from_octets(octets))
}

/// An account to subscribe as.
pub(crate) fn account(number: u8) -> ObjectId {
    ObjectId(Guid::from_octets([number; 16]))
}

pub(crate) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What Graph does with calls of a kind.
#[derive(Clone, Debug)]
pub(crate) enum Mood {
    Fine,
    /// This status, code and pause.
    Refusing(u16, &'static str, Option<u32>),
    Unreachable,
    /// No answer at all.
    Silent,
}

/// A subscription at Graph.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) people: Vec<ObjectId>,
    pub(crate) client_state: String,
    pub(crate) expires: UnixTime,
    pub(crate) account: Caller,
    pub(crate) certificate_id: Option<String>,
    pub(crate) reauthorised: u32,
    pub(crate) renewed: u32,
}

/// Graph, as far as presence goes.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) states: BTreeMap<ObjectId, (String, String, Option<String>)>,
    pub(crate) reads: Mood,
    pub(crate) subscribes: Mood,
    pub(crate) cares: Mood,
    pub(crate) deletes: Mood,
    pub(crate) latency: Duration,
    pub(crate) subscriptions: Vec<Held>,
    made: u32,
}

pub(crate) struct World {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) watcher: Watcher,
    pub(crate) throttle: Throttle,
    pub(crate) graph: Graph,
    pub(crate) told: Vec<(Duration, Output)>,
    /// When which call was sent.
    pub(crate) sent: Vec<(Duration, Call)>,
    on_the_way: Vec<(Instant, CallId, Answer)>,
    notifications: u32,
}

impl Graph {
    pub(crate) fn set(&mut self, person: ObjectId, availability: &str, activity: &str) {
        let sequence = self.states.get(&person).and_then(|(_, _, sequence)| sequence.clone());
        let next = sequence.map(|text| (text.parse::<u64>().unwrap() + 1).to_string());
        self.states.insert(person, (availability.into(), activity.into(), next));
    }

    pub(crate) fn set_numbered(&mut self, person: ObjectId, state: &str, sequence: u64) {
        self.states.insert(person, (state.into(), state.into(), Some(sequence.to_string())));
    }

    fn answer(&mut self, unix: UnixTime, call: &Call) -> Option<Answer> {
        let mood = match call.operation {
            Operation::ReadPresences => &self.reads,
            Operation::SubscribePresence => &self.subscribes,
            Operation::RenewSubscription | Operation::ReauthoriseSubscription => &self.cares,
            Operation::DeleteSubscription => &self.deletes,
            _ => &Mood::Fine,
        };
        match mood.clone() {
            Mood::Silent => return None,
            Mood::Unreachable => return Some(Err(NoAnswer::Unreachable)),
            Mood::Refusing(status, code, pause) => {
                let headers = pause.map(|pause| ("Retry-After".to_owned(), pause.to_string()));
                let mut answer = respond(status, json!({"error": {"code": code, "message": "no"}}));
                answer.headers.extend(headers);
                return Some(Ok(answer));
            }
            Mood::Fine => {}
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let Target::Path(path) = &call.target else { panic!("a path") };
        self.subscriptions.retain(|held| held.expires > unix);
        Some(Ok(match call.operation {
            Operation::ReadPresences => self.presences(&body),
            Operation::SubscribePresence => self.subscribe(call, &body),
            Operation::ListSubscriptions => {
                let mine = self.subscriptions.iter().filter(|held| held.account == call.caller);
                respond(200, json!({"value": mine.map(subscription).collect::<Vec<_>>()}))
            }
            _ => {
                let id = path.split('/').nth(2).unwrap();
                let Some(place) = self.subscriptions.iter().position(|held| held.id == id) else {
                    return Some(Ok(respond(404, json!({"error": {"code": "ResourceNotFound"}}))));
                };
                let held = &mut self.subscriptions[place];
                assert_eq!(held.account, call.caller, "each account cares for its own");
                match (call.operation, call.method) {
                    (Operation::DeleteSubscription, Method::Delete) => {
                        self.subscriptions.remove(place);
                        respond(204, Value::Null)
                    }
                    (Operation::ReauthoriseSubscription, Method::Post) => {
                        held.reauthorised += 1;
                        respond(200, Value::Null)
                    }
                    (Operation::RenewSubscription, Method::Patch) => {
                        held.renewed += 1;
                        held.expires = read_date_time(body["expirationDateTime"].as_str().unwrap()).unwrap();
                        if let Some(id) = body["encryptionCertificateId"].as_str() {
                            held.certificate_id = Some(id.to_owned());
                        }
                        respond(200, subscription(held))
                    }
                    other => panic!("unknown to Graph: {other:?}"),
                }
            }
        }))
    }

    fn presences(&self, body: &Value) -> Response {
        let ids = body["ids"].as_array().unwrap();
        assert!((1..=650).contains(&ids.len()), "Graph takes 650 people at once");
        let said = ids.iter().filter_map(|id| {
            let person = id.as_str().unwrap().parse().unwrap();
            let (availability, activity, sequence) = self.states.get(&person)?;
            Some(json!({
                "id": person, "availability": availability, "activity": activity,
                "sequenceNumber": sequence, "statusMessage": null
            }))
        });
        respond(200, json!({"value": said.collect::<Vec<_>>()}))
    }

    fn subscribe(&mut self, call: &Call, body: &Value) -> Response {
        let resource = body["resource"].as_str().unwrap();
        let people: Vec<_> = resource.split('\'').skip(1).step_by(2).map(|id| id.parse().unwrap()).collect();
        assert!((1..=650).contains(&people.len()));
        if people.iter().any(|person| !self.states.contains_key(person)) {
            return respond(404, json!({"error": {"code": "ResourceNotFound"}}));
        }
        // One for each account: the same one again is there already, another one is one too many.
        let mine = self.subscriptions.iter().find(|held| held.account == call.caller);
        match mine {
            Some(held) if held.people == people => {
                return respond(409, json!({"error": {"code": "ExtensionError"}}));
            }
            Some(_) => return respond(403, json!({"error": {"code": "Forbidden"}})),
            None => {}
        }
        self.made += 1;
        let held = Held {
            id: format!("sub-{}", self.made),
            people,
            client_state: body["clientState"].as_str().unwrap().to_owned(),
            expires: read_date_time(body["expirationDateTime"].as_str().unwrap()).unwrap(),
            account: call.caller,
            certificate_id: body["encryptionCertificateId"].as_str().map(str::to_owned),
            reauthorised: 0,
            renewed: 0,
        };
        let answer = respond(201, subscription(&held));
        self.subscriptions.push(held);
        answer
    }
}

fn subscription(held: &Held) -> Value {
    json!({
        "id": held.id, "resource": "/communications/presences?$filter=id in ('x')", "changeType": "updated",
        "notificationUrl": "https://tandem.test/changes",
        "expirationDateTime": tandem_microsoft::graph::subscription::date_time(held.expires),
    })
}

fn respond(status: u16, body: Value) -> Response {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    Response { status, headers: Vec::new(), body }
}

/// Where Graph may notify.
pub(crate) fn notify(certificate_id: &str) -> Notify {
    Notify {
        url: "https://tandem.test/changes".into(),
        lifecycle_url: "https://tandem.test/life".into(),
        encrypt_for: Some(EncryptFor { certificate_id: certificate_id.into(), certificate: "TUlJ".into() }),
    }
}

impl World {
    /// Polling only.
    pub(crate) fn polling() -> World {
        World::with(Settings::default())
    }

    /// With an address to notify, but no account yet.
    pub(crate) fn notifying() -> World {
        World::with(Settings { notify: Some(notify("c1")), ..Settings::default() })
    }

    pub(crate) fn with(settings: Settings) -> World {
        let start = start();
        World {
            start,
            now: start,
            watcher: Watcher::new(TENANT, settings, [7; 32]),
            throttle: Throttle::new(&Limits::default(), 7),
            graph: Graph {
                states: BTreeMap::new(),
                reads: Mood::Fine,
                subscribes: Mood::Fine,
                cares: Mood::Fine,
                deletes: Mood::Fine,
                latency: ms(80),
                subscriptions: Vec::new(),
                made: 0,
            },
            told: Vec::new(),
            sent: Vec::new(),
            on_the_way: Vec::new(),
            notifications: 0,
        }
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment { at: self.now, unix: UnixTime(1_800_000_000 + (self.now - self.start).as_secs()) }
    }

    /// Since the story began.
    pub(crate) fn clock(&self) -> Duration {
        self.now - self.start
    }

    /// Watches the first so many people, who are all available.
    pub(crate) fn watch(&mut self, people: u32) {
        for number in 0..people {
            self.graph.set(person(number), "Available", "Available");
        }
        let moment = self.moment();
        self.watcher.watch(moment, (0..people).map(person));
    }

    pub(crate) fn employ(&mut self, accounts: u8) {
        let moment = self.moment();
        self.watcher.set_accounts(moment, (1..=accounts).map(account));
    }

    /// Lets so much time pass.
    pub(crate) fn run(&mut self, length: Duration) {
        let end = self.now + length;
        let mut turns = 0;
        loop {
            self.settle();
            let answer = self.on_the_way.iter().map(|(at, _, _)| *at).min();
            let due = self.watcher.poll_timeout().into_iter().chain(answer).min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            self.now = self.now.max(due);
            if answer.is_some_and(|at| at <= self.now) {
                let place = self.on_the_way.iter().position(|(at, _, _)| Some(*at) == answer).unwrap();
                let (_, id, answer) = self.on_the_way.remove(place);
                let moment = self.moment();
                self.watcher.handle_answer(moment, id, &answer, &mut self.throttle);
            }
            let moment = self.moment();
            self.watcher.handle_timeout(moment, &mut self.throttle);
            self.settle();
            let again = self.watcher.poll_timeout();
            turns = if again.is_some_and(|at| at <= self.now) { turns + 1 } else { 0 };
            assert!(turns < 100, "the same moment comes again and again");
        }
        self.now = end;
    }

    /// Takes what the watcher says, and lets Graph answer its calls.
    pub(crate) fn settle(&mut self) {
        while let Some(output) = self.watcher.poll_output() {
            let clock = self.clock();
            match output {
                Output::Call { id, call } => {
                    let unix = self.moment().unix;
                    if let Some(answer) = self.graph.answer(unix, &call) {
                        self.on_the_way.push((self.now + self.graph.latency, id, answer));
                    }
                    self.sent.push((clock, call));
                }
                told => self.told.push((clock, told)),
            }
        }
    }

    /// Graph tells a change through the subscription that this person is in.
    pub(crate) fn tell(&mut self, person: ObjectId, availability: &str, activity: &str) {
        let item = self.item(person);
        self.tell_as(&item, person, availability, activity);
    }

    /// Graph tells this.
    pub(crate) fn tell_as(&mut self, item: &Item, person: ObjectId, availability: &str, activity: &str) {
        let json = json!({
            "@odata.type": "#microsoft.graph.presence", "@odata.id": format!("communications/presences('{person}')"),
            "id": person, "availability": availability, "activity": activity
        });
        let moment = self.moment();
        let content = Ok(Zeroizing::new(json.to_string().into_bytes()));
        self.watcher.handle_notification(moment, item, Some(content));
        self.settle();
    }

    /// An item with content for the subscription of this person.
    pub(crate) fn item(&mut self, person: ObjectId) -> Item {
        let held =
            self.graph.subscriptions.iter().find(|held| held.people.contains(&person)).unwrap().clone();
        self.notifications += 1;
        self.item_of(&held.id, &held.client_state, json!({
            "changeType": "updated", "resource": "communications/presences", "resourceData": {"id": person},
            "encryptedContent": {
                "data": "AAAA", "dataSignature": "AAAA", "dataKey": format!("{:08}", self.notifications),
                "encryptionCertificateId": "c1", "encryptionCertificateThumbprint": "AA"
            }
        }))
    }

    /// Something happens to the subscription of this person.
    pub(crate) fn lifecycle(&mut self, person: ObjectId, event: &str) {
        let held =
            self.graph.subscriptions.iter().find(|held| held.people.contains(&person)).unwrap().clone();
        let item = self.item_of(&held.id, &held.client_state, json!({"lifecycleEvent": event}));
        assert!(matches!(item.what, What::Lifecycle(_)));
        let moment = self.moment();
        self.watcher.handle_notification(moment, &item, None);
    }

    pub(crate) fn item_of(&self, id: &str, client_state: &str, mut more: Value) -> Item {
        more["subscriptionId"] = id.into();
        more["clientState"] = client_state.into();
        more["tenantId"] = TENANT.to_string().into();
        let body = json!({"value": [more]}).to_string();
        Delivery::parse(body.as_bytes()).unwrap().items.remove(0)
    }

    /// How many requests for presence were sent since then.
    pub(crate) fn polls_since(&self, since: Duration) -> usize {
        self.sent_since(since, Operation::ReadPresences)
    }

    pub(crate) fn sent_since(&self, since: Duration, operation: Operation) -> usize {
        self.sent.iter().filter(|(at, call)| *at >= since && call.operation == operation).count()
    }

    /// What is believed of each person, as told.
    pub(crate) fn believed(&self) -> BTreeMap<ObjectId, String> {
        let mut believed = BTreeMap::new();
        for (_, output) in &self.told {
            if let Output::Changed { person, presence, .. } = output {
                believed.insert(*person, presence.availability.to_string());
            }
        }
        believed
    }

    /// Who was told as stale, and not fresh or changed since.
    pub(crate) fn stale(&self) -> BTreeSet<ObjectId> {
        let mut stale = BTreeSet::new();
        for (_, output) in &self.told {
            match output {
                Output::Stale { person } => {
                    stale.insert(*person);
                }
                Output::Changed { person, .. } | Output::Fresh { person } => {
                    stale.remove(person);
                }
                _ => {}
            }
        }
        stale
    }

    /// When this was told of the person first since then.
    pub(crate) fn told_at(&self, since: Duration, of: ObjectId, availability: &str) -> Option<Duration> {
        self.told.iter().find_map(|(at, output)| match output {
            Output::Changed { person, presence, .. }
                if *at >= since && *person == of && presence.availability == availability =>
            {
                Some(*at)
            }
            _ => None,
        })
    }

    pub(crate) fn was_told(&self, since: Duration, which: impl Fn(&Output) -> bool) -> bool {
        self.told.iter().any(|(at, output)| *at >= since && which(output))
    }
}
