//! `$batch`: up to twenty requests in one ("JSON batching").

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::exchange::{Answer, Body, Request};
use super::fault::Fault;

/// A batch that is under way.
#[derive(Debug)]
pub struct Batch {
    waiting: Vec<Inner>,
    failed: BTreeSet<String>,
    answers: Vec<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    requests: Vec<Inner>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Inner {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// What to do next with a batch.
#[derive(Debug)]
pub enum Next {
    /// Answer this request and tell by [`Batch::answered`].
    Ask {
        /// The id of the request in the batch.
        id: String,
        /// The request.
        request: Request,
    },
    /// Everything is answered.
    Done(Answer),
}

impl Batch {
    /// Reads the body of a batch.
    pub fn read(request: &Request) -> Result<Self, Fault> {
        let Envelope { requests } = request.json()?;
        if requests.is_empty() {
            return Err(Fault::Bad("Invalid batch payload format: there are no requests.".to_owned()));
        }
        if requests.len() > REQUESTS_MAX {
            return Err(Fault::Bad(format!(
                "Number of batch request steps exceeds the maximum value of {REQUESTS_MAX}."
            )));
        }
        let mut before = BTreeSet::new();
        for inner in &requests {
            if inner.id.is_empty() || !before.insert(inner.id.clone()) {
                return Err(Fault::Bad("Request id is empty or there twice.".to_owned()));
            }
        }
        for inner in &requests {
            if inner.depends_on.iter().any(|id| !before.contains(id) || *id == inner.id) {
                return Err(Fault::Bad("dependsOn names a request that is not in the batch.".to_owned()));
            }
            if inner.url.trim_start_matches('/').starts_with("$batch") {
                return Err(Fault::Bad("A batch cannot hold a batch.".to_owned()));
            }
        }
        Ok(Self { waiting: requests, failed: BTreeSet::new(), answers: Vec::new() })
    }

    /// The next request, in the order of the batch but for those that wait for others. `outer` gives what the inner
    /// requests share: the token, the place, the language.
    pub fn next(&mut self, outer: &Request, fault: impl Fn(&Fault) -> Answer) -> Next {
        loop {
            let still: BTreeSet<&str> = self.waiting.iter().map(|inner| inner.id.as_str()).collect();
            let free = self
                .waiting
                .iter()
                .position(|inner| !inner.depends_on.iter().any(|id| still.contains(id.as_str())));
            // Requests that wait for each other in a circle never become free: none of them is done.
            let inner = match (free, self.waiting.is_empty()) {
                (_, true) => return Next::Done(Answer::json(200, json!({ "responses": self.answers }))),
                (Some(place), _) => self.waiting.remove(place),
                (None, _) => {
                    let inner = self.waiting.remove(0);
                    let circle = Fault::Bad("dependsOn goes in a circle.".to_owned());
                    self.answered(&inner.id, &fault(&circle));
                    continue;
                }
            };
            if inner.depends_on.iter().any(|id| self.failed.contains(id)) {
                self.answered(&inner.id, &fault(&Fault::FailedDependency));
                continue;
            }
            return Next::Ask { id: inner.id.clone(), request: inner.request(outer) };
        }
    }

    /// What became of a request.
    pub fn answered(&mut self, id: &str, answer: &Answer) {
        if !(200..300).contains(&answer.status) {
            self.failed.insert(id.to_owned());
        }
        let mut headers: Map<String, Value> = Map::new();
        for (name, value) in &answer.headers {
            headers.insert(titled(name), Value::String(value.clone()));
        }
        let body = match &answer.body {
            Body::Empty => None,
            Body::Json(value) => {
                headers.insert("Content-Type".to_owned(), Value::from("application/json"));
                Some(value.clone())
            }
            // Binary bodies are base64 inside of a batch.
            Body::Jpeg(bytes) => {
                headers.insert("Content-Type".to_owned(), Value::from("image/jpeg"));
                Some(Value::String(base64::engine::general_purpose::STANDARD.encode(bytes)))
            }
        };
        let mut answer = json!({ "id": id, "status": answer.status, "headers": headers });
        if let (Some(body), Some(answer)) = (body, answer.as_object_mut()) {
            answer.insert("body".to_owned(), body);
        }
        self.answers.push(answer);
    }
}

impl Inner {
    fn request(self, outer: &Request) -> Request {
        let (path, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let mut headers: BTreeMap<String, String> =
            self.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        if let Some(token) = outer.header("authorization") {
            headers.entry("authorization".to_owned()).or_insert_with(|| token.to_owned());
        }
        Request {
            method: self.method.to_ascii_uppercase(),
            base: outer.base.clone(),
            path: format!("/{}", path.trim_start_matches('/')),
            query: query.to_owned(),
            headers,
            body: self.body.map(|body| Bytes::from(body.to_string())).unwrap_or_default(),
        }
    }
}

/// Header names inside of a batch are written as people write them.
fn titled(name: &str) -> String {
    if name == "etag" {
        return "ETag".to_owned();
    }
    let title = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('-').filter_map(title).collect::<Vec<_>>().join("-")
}

/// "JSON batching": a batch is of 20 requests at most; a greater one is refused whole.
const REQUESTS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(requests: Value) -> Result<Batch, Fault> {
        Batch::read(&outer(json!({ "requests": requests })))
    }

    fn outer(body: Value) -> Request {
        Request {
            headers: [
                ("content-type".to_owned(), "application/json".to_owned()),
                ("authorization".to_owned(), "Bearer t".to_owned()),
            ]
            .into(),
            body: Bytes::from(body.to_string()),
            ..Default::default()
        }
    }

    fn run(mut batch: Batch, status: impl Fn(&Request) -> u16) -> Vec<(String, u64)> {
        let fault = |fault: &Fault| Answer::json(fault.status(), json!({}));
        loop {
            match batch.next(&outer(json!({})), fault) {
                Next::Ask { id, request } => batch.answered(&id, &Answer::empty(status(&request))),
                Next::Done(answer) => {
                    let Body::Json(body) = answer.body else { panic!("a batch is answered in JSON") };
                    let list = body["responses"].as_array().unwrap().clone();
                    let pair = |answer: &Value| {
                        (answer["id"].as_str().unwrap().to_owned(), answer["status"].as_u64().unwrap())
                    };
                    return list.iter().map(pair).collect();
                }
            }
        }
    }

    #[test]
    fn what_depends_on_a_failure_is_not_done() {
        let requests = json!([
            { "id": "3", "method": "GET", "url": "/c", "dependsOn": ["2"] },
            { "id": "2", "method": "GET", "url": "/b", "dependsOn": ["1"] },
            { "id": "1", "method": "GET", "url": "/a" },
            { "id": "4", "method": "get", "url": "d?x=1" },
        ]);
        let statuses = run(batch(requests).unwrap(), |request| if request.path == "/a" { 404 } else { 200 });
        let told = |id: &str| statuses.iter().find(|(other, _)| other == id).unwrap().1;
        assert_eq!([told("1"), told("2"), told("3"), told("4")], [404, 424, 424, 200]);
    }

    #[test]
    fn a_circle_is_refused_and_ends() {
        let requests = json!([
            { "id": "1", "method": "GET", "url": "/a", "dependsOn": ["2"] },
            { "id": "2", "method": "GET", "url": "/b", "dependsOn": ["1"] },
        ]);
        assert_eq!(run(batch(requests).unwrap(), |_| 200), [("1".to_owned(), 400), ("2".to_owned(), 424)]);
    }

    #[test]
    fn a_batch_is_of_one_to_twenty() {
        let some = |count: usize| {
            let one = |n: usize| json!({ "id": n.to_string(), "method": "GET", "url": "/me" });
            batch((0..count).map(one).collect())
        };
        assert_eq!(some(0).unwrap_err().status(), 400);
        assert!(some(20).is_ok());
        assert_eq!(some(21).unwrap_err().status(), 400);
        let twice =
            json!([{ "id": "1", "method": "GET", "url": "/" }, { "id": "1", "method": "GET", "url": "/" }]);
        assert_eq!(batch(twice).unwrap_err().status(), 400);
    }

    #[test]
    fn a_picture_is_base64() {
        let mut batch = batch(json!([{ "id": "1", "method": "GET", "url": "/me/photo/$value" }])).unwrap();
        batch.waiting.clear();
        let picture = Answer {
            status: 200,
            headers: vec![("etag", "x".to_owned())],
            body: Body::Jpeg(Bytes::from("abc")),
        };
        batch.answered("1", &picture);
        assert_eq!(batch.answers[0]["body"], "YWJj");
        assert_eq!(batch.answers[0]["headers"], json!({ "Content-Type": "image/jpeg", "ETag": "x" }));
    }
}
