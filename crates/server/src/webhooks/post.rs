//! The deliveries themselves: a task for each endpoint that is told something, and one that starts and ends them.
//!
//! A task has at most one delivery on its way, so the order of its lines is the order of the events. A tenant without
//! endpoints has no task. After every change of an endpoint its task ends in order and a new one begins from what the
//! register says.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tandem_center::Timestamp;
use tandem_microsoft::http::{Method, Request};
use tandem_store::register::{DeliveryRow, Failure, Refusal};
use tandem_store::{FactNumber, Tenant};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::delivery::{Answer, Attempt, Courier, DisabledWhy, Letter, Output, PAGE_FACTS, Standing};
use super::endpoint::Endpoint;
use super::event::Event;
use super::keep::{Kept, Name, Seen, Shared, WebhookFault, Webhooks, at_disk, random};
use super::signature::Secrets;

impl Webhooks {
    /// Tells all endpoints what happens, for ever; dropped, it stops at once, and goes on there the next time.
    pub async fn run(self) {
        let shared = self.shared;
        let found = at_disk(&shared, |shared| {
            for tenant in shared.desks.all().keys() {
                shared.ring_all(tenant)?;
            }
            Ok(())
        });
        if let Err(fault) = found.await {
            tracing::error!(%fault, "webhooks cannot be read: nobody is told anything until the next start");
        }
        let mut rounds =
            Rounds { shared, tasks: JoinSet::new(), running: BTreeMap::new(), again: BTreeSet::new() };
        loop {
            tokio::select! {
                () = rounds.shared.bell.notified() => rounds.look(),
                Some(ended) = rounds.tasks.join_next_with_id(), if !rounds.tasks.is_empty() => {
                    let id = match &ended {
                        Ok((id, ())) => *id,
                        Err(error) => error.id(),
                    };
                    rounds.on_ended(id);
                }
            }
        }
    }

    /// Sends an event to an endpoint once, beside all others.
    pub(super) async fn send_once(
        &self,
        tenant: &Tenant,
        kept: Kept,
        event: &Event,
    ) -> Result<Answer, WebhookFault> {
        let (whose, id) = (tenant.clone(), kept.id.clone());
        let secrets = at_disk(&self.shared, move |shared| shared.secrets(&whose, &id)).await?;
        let sending = send(self.shared.clone(), tenant.clone(), kept.endpoint.url, secrets, letter(event));
        let began = now();
        Ok(tokio::time::timeout(ONCE_PATIENCE, sending).await.unwrap_or_else(|_| Answer {
            began,
            took: ONCE_PATIENCE,
            outcome: Err(format!("no answer within {} seconds", ONCE_PATIENCE.as_secs())),
            retry_after_s: None,
        }))
    }
}

/// The tasks.
struct Rounds {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    running: BTreeMap<Name, (watch::Sender<bool>, AbortHandle)>,
    /// Those that are to begin anew when they have ended.
    again: BTreeSet<Name>,
}

impl Rounds {
    fn look(&mut self) {
        for name in self.shared.take_changed() {
            match self.running.get(&name) {
                Some((stop, _)) => {
                    stop.send_replace(true);
                    self.again.insert(name);
                }
                None => self.begin(name),
            }
        }
    }

    fn begin(&mut self, name: Name) {
        let (stop, stopped) = watch::channel(false);
        let round = Round::run(self.shared.clone(), name.clone(), stopped);
        let handle = self.tasks.spawn(round);
        self.running.insert(name, (stop, handle));
    }

    fn on_ended(&mut self, id: tokio::task::Id) {
        let ended = self.running.iter().find(|(_, (_, handle))| handle.id() == id);
        if let Some(name) = ended.map(|(name, _)| name.clone()) {
            self.running.remove(&name);
            if self.again.remove(&name) {
                self.begin(name);
            }
        }
    }
}

/// One endpoint, as long as it stays what it is.
struct Round {
    shared: Arc<Shared>,
    name: Name,
    endpoint: Endpoint,
    secrets: Secrets,
    courier: Courier,
    /// How deliveries go, as the register has it.
    standing: Standing,
    /// The letter that is on its way.
    sending: Option<Pin<Box<dyn Future<Output = Answer> + Send>>>,
    ending: bool,
}

impl Round {
    async fn run(shared: Arc<Shared>, name: Name, mut stopped: watch::Receiver<bool>) {
        // Before anything is read: a commit that comes meanwhile is noticed.
        let Some(desk) = shared.desks.desk(&name.0) else { return };
        let mut committed = desk.live().committed();
        let newest = *committed.borrow();
        let Some(mut round) = Round::begin(shared, name, newest).await else { return };
        loop {
            round.carry_out().await;
            if round.sending.is_none() && (round.ending || !round.is_told()) {
                round.courier.handle_end(now());
                round.carry_out().await;
                return;
            }
            let due = round.courier.poll_timeout();
            let pause = due.map_or(Duration::from_secs(3_600), |due| due.since(now()));
            tokio::select! {
                answer = wait(&mut round.sending) => {
                    round.sending = None;
                    round.courier.handle_answer(now(), answer);
                }
                _ = stopped.wait_for(|stopped| *stopped), if !round.ending => round.ending = true,
                news = committed.changed(), if !round.ending => match news {
                    Ok(()) => round.courier.handle_committed(now(), *committed.borrow_and_update()),
                    Err(_) => round.ending = true,
                },
                () = tokio::time::sleep(pause) => round.courier.handle_timeout(now()),
            }
        }
    }

    /// Reads what there is to know; `None`: there is nothing to do.
    async fn begin(shared: Arc<Shared>, name: Name, newest: u64) -> Option<Round> {
        let whose = name.clone();
        let found = at_disk(&shared, move |shared| {
            let Kept { endpoint, cursor, .. } = shared.begin(&whose)?;
            if !endpoint.is_told() {
                return Ok((endpoint, cursor, None));
            }
            let secrets = match shared.secrets(&whose.0, &whose.1) {
                Ok(secrets) => secrets,
                Err(WebhookFault::SecretLost) => {
                    let (tenant, webhook) = (&whose.0, &*whose.1);
                    tracing::error!(%tenant, webhook, "a secret cannot be read; give the webhook another one");
                    let why = DisabledWhy::SecretLost;
                    let lost = Standing::Disabled { since_us: now().as_micros(), why };
                    shared.stand(&whose, endpoint.standing, lost, now_ms())?;
                    return Ok((Endpoint { standing: lost, ..endpoint }, cursor, None));
                }
                Err(fault) => return Err(fault),
            };
            Ok((endpoint, cursor, Some((secrets, random()?))))
        })
        .await;
        let (endpoint, cursor, found) = match found {
            Ok(found) => found,
            Err(WebhookFault::Unknown | WebhookFault::Ending) => {
                shared.show(&name, None);
                return None;
            }
            Err(fault) => {
                let (tenant, webhook) = (&name.0, &*name.1);
                tracing::error!(%tenant, webhook, %fault, "a webhook cannot be read; tried again soon");
                tokio::time::sleep(UNREADABLE_PAUSE).await;
                shared.ring(&name.0, &name.1);
                return None;
            }
        };
        shared.show(&name, Some(Seen { state: endpoint.state(), behind: 0 }));
        let (secrets, seed) = found?;
        let standing = endpoint.standing;
        let courier = Courier::new(now(), cursor, standing, newest, seed);
        Some(Round { shared, name, endpoint, secrets, courier, standing, sending: None, ending: false })
    }

    fn is_told(&self) -> bool {
        !matches!(self.standing, Standing::Disabled { .. })
    }

    /// Does everything that the courier asks for.
    async fn carry_out(&mut self) {
        while let Some(output) = self.courier.poll_output() {
            match output {
                Output::Read { .. } | Output::Send { .. } if self.ending => {}
                Output::Read { after } => self.read(after).await,
                Output::Send { letter, .. } => {
                    let (url, secrets) = (self.endpoint.url.clone(), self.secrets.clone());
                    let tenant = self.name.0.clone();
                    self.sending = Some(Box::pin(send(self.shared.clone(), tenant, url, secrets, letter)));
                }
                Output::Write { attempts, cursor } => self.write(attempts, cursor).await,
                Output::Standing(standing) => self.stand(standing).await,
            }
        }
        self.endpoint.standing = self.courier.standing();
        let seen = Seen { state: self.endpoint.state(), behind: self.courier.behind() };
        self.shared.show(&self.name, Some(seen));
    }

    async fn read(&mut self, after: u64) {
        match self.shared.read(&self.name.0, after, PAGE_FACTS, self.endpoint.detail()).await {
            Ok(read) => {
                let wanted = read.events.iter().filter(|event| self.endpoint.wants(event.kind));
                let letters = wanted.map(letter).collect();
                self.courier.handle_page(now(), letters, read.to);
            }
            Err(fault) => {
                tracing::error!(tenant = %self.name.0, webhook = &*self.name.1, %fault, "events cannot be read");
                self.courier.handle_unreadable(now());
            }
        }
    }

    async fn write(&mut self, attempts: Vec<Attempt>, cursor: Option<(u64, u64)>) {
        let name = self.name.clone();
        let rows: Vec<_> = attempts.iter().cloned().map(row).collect();
        let written = at_disk(&self.shared, move |shared| {
            let cursor = cursor.map(|(from, to)| (FactNumber(from), FactNumber(to)));
            Ok(shared.register.deliveries_append(&name.0, &name.1, &rows, cursor)?)
        });
        match written.await {
            Ok(()) | Err(WebhookFault::Register(Failure::Refused(Refusal::Unknown(_)))) => {}
            Err(fault) => {
                let name = &self.name;
                tracing::error!(tenant = %name.0, webhook = &*name.1, %fault, "the log of a webhook is not written yet: after a restart events would be sent again");
                self.courier.handle_unwritten(now(), attempts, cursor);
            }
        }
    }

    async fn stand(&mut self, standing: Standing) {
        let (name, from) = (self.name.clone(), self.standing);
        match standing {
            Standing::Disabled { why, .. } => {
                tracing::warn!(tenant = %name.0, webhook = &*name.1, why = why.word(), "a webhook is disabled");
            }
            Standing::Failing { attempts: 1, .. } => {
                tracing::warn!(tenant = %name.0, webhook = &*name.1, "a webhook does not take an event; it is tried again");
            }
            Standing::Well | Standing::Failing { .. } => {}
        }
        let written = at_disk(&self.shared, move |shared| shared.stand(&name, from, standing, now_ms()));
        match written.await {
            Ok(()) => self.standing = standing,
            Err(fault) => {
                let name = &self.name;
                tracing::error!(tenant = %name.0, webhook = &*name.1, %fault, "the state of a webhook is not written yet");
                self.courier.handle_standing_unwritten(now());
            }
        }
    }
}

/// Waits for an exchange, if there is one.
async fn wait(sending: &mut Option<Pin<Box<dyn Future<Output = Answer> + Send>>>) -> Answer {
    match sending {
        Some(sending) => sending.await,
        None => std::future::pending().await,
    }
}

fn letter(event: &Event) -> Letter {
    let body = serde_json::to_vec(event).unwrap_or_default();
    Letter { number: event.number, id: event.id.as_str().into(), body: body.into() }
}

/// Signs and sends.
async fn send(shared: Arc<Shared>, tenant: Tenant, url: String, secrets: Secrets, letter: Letter) -> Answer {
    let _turn = shared.turns.take(&tenant).await;
    let (began, since) = (now(), Instant::now());
    let signed_ms = now_ms();
    let mut request = Request::new(Method::Post, url)
        .header("Content-Type", "application/json")
        .header("webhook-id", &*letter.id)
        .header("webhook-timestamp", signed_ms.div_euclid(1_000).to_string())
        .header("webhook-signature", secrets.signature(&letter.id, signed_ms, &letter.body));
    request.body = letter.body.to_vec();
    let answer = shared.outbound.send(request).await;
    let took = since.elapsed();
    let (outcome, retry_after_s) = match answer {
        Ok(answer) => (Ok(answer.status), answer.retry_after_seconds()),
        Err(fault) => {
            let mut told = fault.to_string();
            told.truncate(told.floor_char_boundary(ERROR_BYTES_MAX));
            (Err(told), None)
        }
    };
    let counted = match outcome {
        Ok(200..=299) => &shared.tally.taken,
        Ok(_) => &shared.tally.refused,
        Err(_) => &shared.tally.unanswered,
    };
    counted.fetch_add(1, Ordering::Relaxed);
    Answer { began, took, outcome, retry_after_s }
}

fn row(attempt: Attempt) -> DeliveryRow {
    let Attempt { number, attempt, answer } = attempt;
    let (status, error) = match answer.outcome {
        Ok(status) => (Some(status), None),
        Err(error) => (None, Some(error)),
    };
    DeliveryRow {
        // The register numbers them.
        entry: 0,
        number: FactNumber(number),
        attempt,
        at_ms: i64::try_from(answer.began.as_micros() / 1_000).unwrap_or(i64::MAX),
        status,
        took_ms: i64::try_from(answer.took.as_millis()).unwrap_or(i64::MAX),
        error,
    }
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX))
}

fn now_ms() -> i64 {
    i64::try_from(now().as_micros() / 1_000).unwrap_or(i64::MAX)
}

/// The register could not be read: then again.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(10);

/// What is kept of why there was no answer.
const ERROR_BYTES_MAX: usize = 512;

/// How long a test or an event that is sent again may take: who asked for it waits.
const ONCE_PATIENCE: Duration = Duration::from_secs(8);
