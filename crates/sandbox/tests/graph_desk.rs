//! What the stories about Graph share: a directory, Entra and Graph on a clock of their own, without sockets.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tandem_sandbox::chance::Chance;
use tandem_sandbox::config::SandboxConfig;
use tandem_sandbox::config::app::{CONTOSO, TANDEM_APP};
use tandem_sandbox::directory::{AppId, Directory, EntraTenantId};
use tandem_sandbox::entra::Entra;
use tandem_sandbox::graph::exchange::{Answer, Body, Request};
use tandem_sandbox::graph::throttle::Limits;
use tandem_sandbox::graph::{Graph, Outcome};

/// Contoso and Fabrikam, and somebody who asks Graph about them.
pub(crate) struct Desk {
    pub(crate) directory: Directory,
    pub(crate) entra: Entra,
    pub(crate) graph: Graph,
    pub(crate) now: Timestamp,
    pub(crate) token: String,
}

impl Desk {
    /// An application calls in its own name, with these permissions in Contoso and no others.
    pub(crate) fn app(permissions: &[&str]) -> Self {
        let mut desk = Self::closed(permissions);
        desk.token = desk.app_token(CONTOSO);
        desk
    }

    /// The application calls in Alice's name.
    pub(crate) fn alice(scopes: &[&str]) -> Self {
        let mut desk = Self::closed(&[]);
        desk.token = desk.user_token("alice", scopes);
        desk
    }

    fn closed(permissions: &[&str]) -> Self {
        let mut config = SandboxConfig::default();
        for app in &mut config.apps {
            app.permissions = permissions.iter().map(|name| (*name).to_owned()).collect();
        }
        let mut chance = Chance::new(7);
        Self {
            directory: Directory::new(&config),
            entra: Entra::with_keys(
                "https://login.microsoftonline.com".to_owned(),
                crate::common::entra_keys(),
                chance.branch(),
            ),
            graph: Graph::new(Limits::default(), chance.branch()),
            now: "2026-03-02T09:00:00Z".parse().unwrap(),
            token: String::new(),
        }
    }

    pub(crate) fn app_token(&mut self, tenant: &str) -> String {
        let tenant = EntraTenantId::new(tenant);
        self.entra.graph_app_token(&self.directory, self.now, &tenant, &AppId::new(TANDEM_APP))
    }

    pub(crate) fn user_token(&mut self, user: &str, scopes: &[&str]) -> String {
        let user = self.directory.user_named(user).unwrap().clone();
        let app = AppId::new(TANDEM_APP);
        self.entra.graph_user_token(self.now, &user.tenant, &app, &user.object_id, scopes)
    }

    pub(crate) fn wait(&mut self, time: SignedDuration) {
        self.now += time;
    }

    /// The object id of somebody.
    pub(crate) fn id(&self, user: &str) -> String {
        self.directory.user_named(user).unwrap().object_id.to_string()
    }

    /// Sends a request; `path` may have a query.
    pub(crate) fn outcome(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Outcome {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut all: BTreeMap<String, String> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.insert("authorization".to_owned(), format!("Bearer {}", self.token));
        all.insert("content-type".to_owned(), "application/json".to_owned());
        let request = Request {
            method: method.to_owned(),
            base: BASE.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: all,
            body: body.map(|body| body.to_string().into()).unwrap_or_default(),
        };
        self.graph.handle(self.now, &self.directory, &self.entra, &request).outcome
    }

    /// Sends a request that is answered at once.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        match self.outcome(method, path, headers, body) {
            Outcome::Answer(answer) => answer,
            other => panic!("not an answer: {other:?}"),
        }
    }

    /// GET; gives the status and the JSON.
    pub(crate) fn get(&mut self, path: &str) -> (u16, Value) {
        parts(self.send("GET", path, &[], None))
    }

    /// GET from the index that lags.
    pub(crate) fn get_eventually(&mut self, path: &str) -> (u16, Value) {
        parts(self.send("GET", path, &[("consistencylevel", "eventual")], None))
    }

    /// POST; gives the status and the JSON.
    pub(crate) fn post(&mut self, path: &str, body: Value) -> (u16, Value) {
        parts(self.send("POST", path, &[], Some(body)))
    }

    /// All objects of a collection, by its links.
    pub(crate) fn walk(&mut self, path: &str) -> (Vec<Value>, Option<String>) {
        let mut path = path.to_owned();
        let mut all = Vec::new();
        loop {
            let (status, page) = self.get(&path);
            assert_eq!(status, 200, "{path}: {page}");
            all.extend(page["value"].as_array().unwrap().iter().cloned());
            let link =
                |name: &str| page[name].as_str().map(|link| link.strip_prefix(BASE).unwrap().to_owned());
            match link("@odata.nextLink") {
                Some(next) => path = next,
                None => return (all, link("@odata.deltaLink")),
            }
        }
    }
}

pub(crate) fn parts(answer: Answer) -> (u16, Value) {
    let body = match answer.body {
        Body::Json(body) => body,
        Body::Empty => Value::Null,
        Body::Jpeg(bytes) => json!({ "jpeg": bytes.len() }),
    };
    (answer.status, body)
}

pub(crate) fn code(body: &Value) -> &str {
    body["error"]["code"].as_str().unwrap_or("no code")
}

pub(crate) fn names(value: &[Value]) -> Vec<&str> {
    value.iter().map(|one| one["displayName"].as_str().unwrap()).collect()
}

const BASE: &str = "https://graph.microsoft.com/v1.0";
