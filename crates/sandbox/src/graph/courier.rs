//! The courier: asks endpoints whether they want to be told, and brings what they are told.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use rustls::RootCertStore;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::delivery::Ended;
use super::exchange::{Answer, Tags, encode};
use super::poster::{PostFault, Poster};
use super::subscribing::Handshake;
use super::telling::Post;
use crate::dns::SharedZone;
use crate::web::Cloud;

/// The courier and his book. Clones share both.
#[derive(Clone, Debug)]
pub struct Courier {
    poster: Poster,
    book: Option<Arc<Mutex<std::fs::File>>>,
}

/// Why there is no courier.
#[derive(Debug, thiserror::Error)]
pub enum CourierFault {
    /// The file that all exchanges shall be written to cannot be made.
    #[error("web.record = {path:?}: the file cannot be written")]
    Record {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// TLS cannot be set up.
    #[error("TLS towards endpoints of subscribers cannot be set up")]
    Tls(#[from] rustls::Error),
}

impl Courier {
    /// Finds endpoints in this zone, trusts these authorities, and adds every exchange to `record`, if there is
    /// one.
    pub fn new(zone: SharedZone, roots: RootCertStore, record: Option<&Path>) -> Result<Self, CourierFault> {
        let book = match record {
            None => None,
            Some(path) => {
                let file = std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(path)
                    .map_err(|source| CourierFault::Record { path: path.to_owned(), source })?;
                Some(Arc::new(Mutex::new(file)))
            }
        };
        Ok(Self { poster: Poster::new(zone, roots)?, book })
    }

    /// Brings notifications until dropped.
    pub async fn run(self, cloud: Cloud) {
        let mut under_way = JoinSet::new();
        loop {
            let (posts, next, stirred) = cloud.with(|now, state| {
                let stirred = state.graph.stirred();
                state.graph.handle_timeout(now, &state.directory);
                let mut posts = Vec::new();
                while let Some(post) = state.graph.poll_post(now, &mut state.entra) {
                    posts.push(post);
                }
                let next = state.graph.poll_timeout().map(|due| due.duration_since(now));
                (posts, next, stirred)
            });
            for post in posts {
                under_way.spawn(self.clone().bring(cloud.clone(), post));
            }
            // The sandbox's clock can be put ahead meanwhile: nothing is slept through for long.
            let wait = next.and_then(|wait| Duration::try_from(wait).ok()).map(|wait| wait.min(LOOK_MAX));
            tokio::select! {
                () = stirred => {}
                Some(_) = under_way.join_next() => {}
                () = tokio::time::sleep(wait.unwrap_or(LOOK_MAX)) => {}
            }
        }
    }

    async fn bring(self, cloud: Cloud, post: Post) {
        let begun = Instant::now();
        let answer = self.poster.post(&post.url, "application/json", post.body.to_string(), PATIENCE).await;
        let status = answer.as_ref().ok().map(|posted| posted.status);
        let took = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::MAX);
        if let Err(fault) = &answer {
            tracing::debug!(url = post.url, %fault, "notification not delivered");
        }
        self.write(
            || json!({ "kind": "notification", "url": post.url, "body": post.body, "status": status }),
        );
        cloud.with(|now, state| state.graph.posted(now, post.id, Ended { status, took }));
    }

    /// Asks every endpoint of a handshake, one after the other, and gives the answer to who subscribes.
    pub(super) async fn shake(&self, cloud: &Cloud, tags: &Tags, handshake: Handshake) -> Answer {
        let mut answered = Ok(());
        for (url, token) in &handshake.asked {
            answered = self.ask(url, token).await;
            if answered.is_err() {
                break;
            }
        }
        cloud.with(|now, state| state.graph.shaken(now, tags, handshake, answered))
    }

    /// The error is for the subscriber, in Microsoft's words as far as they are known.
    async fn ask(&self, url: &str, token: &str) -> Result<(), String> {
        let glue = if url.contains('?') { '&' } else { '?' };
        let asked = format!("{url}{glue}validationToken={}", encode_all(token));
        let answer =
            self.poster.post(&asked, "text/plain; charset=utf-8", String::new(), HANDSHAKE_PATIENCE).await;
        let status = answer.as_ref().ok().map(|posted| posted.status);
        self.write(|| json!({ "kind": "handshake", "url": asked, "status": status }));
        let posted = answer.map_err(|fault| match fault {
            PostFault::Late => "Request timed out.".to_owned(),
            other => {
                format!("Notification endpoint must respond with 200 OK to validation request: {other}.")
            }
        })?;
        if posted.status != 200 {
            return Err(format!(
                "Response must match validationToken query parameter: the endpoint answered {}.",
                posted.status
            ));
        }
        if !posted.content_type.to_ascii_lowercase().starts_with("text/plain") {
            return Err(format!("Response must be text/plain, and is '{}'.", posted.content_type));
        }
        if posted.body != token.as_bytes() {
            return Err("Response must match validationToken query parameter.".to_owned());
        }
        Ok(())
    }

    /// Writes a line into the book, if there is one. It is one write, so that several sandboxes can share a book.
    pub(super) fn write(&self, line: impl FnOnce() -> Value) {
        use std::io::Write;
        let Some(book) = &self.book else { return };
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = book.write_all(format!("{}\n", line()).as_bytes()) {
            tracing::error!(%error, "an exchange with Graph was not recorded");
        }
    }
}

/// Percent-encodes everything but letters and digits, so that the endpoint has something to decode.
fn encode_all(text: &str) -> String {
    let plain = encode(text);
    plain.replace(':', "%3A").replace('/', "%2F")
}

/// An endpoint has to answer a handshake in this time ("Receive change notifications through webhooks").
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer to a notification is waited for. Chosen by taste; longer than what makes an endpoint slow.
const PATIENCE: Duration = Duration::from_secs(30);
/// The courier looks at least so often.
const LOOK_MAX: Duration = Duration::from_millis(500);
