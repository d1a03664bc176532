//! Presence of the agents of one Entra tenant: watched in Microsoft Graph, told to the center, and shown in Teams.
//!
//! One task for each Entra tenant. It asks nothing while no agent is linked to a user there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tandem_center::Input;
use tandem_center::agent::{Presence as Told, PresenceReport};
use tandem_center::id::AgentId;
use tandem_center::view::{AgentView, DoingView};
use tandem_microsoft::graph::call::{Answer, Moment, Operation};
use tandem_microsoft::graph::notification::Item;
use tandem_microsoft::graph::presence::Presence;
use tandem_microsoft::graph::sealed::SealFault;
use tandem_microsoft::graph::subscription::Notify;
use tandem_microsoft::graph::watch::{self, CallId, Health, Watcher};
use tandem_microsoft::graph::write::{self, PresenceWriter, Shown};
use tandem_microsoft::id::ObjectId;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::graph::{Graph, Looked, lock, moment};
use super::keys::NotificationKeys;
use super::meaning;
use super::settings::MicrosoftSettings;
use crate::desk::Desk;

/// What a watch is told from outside.
#[derive(Debug)]
pub enum Message {
    /// Who the agents are, by user.
    Agents(BTreeMap<ObjectId, AgentId>),
    /// A notification whose delivery is proved.
    Notification(Box<Item>),
    /// These accounts can subscribe from now on; the graph has their tokens.
    Accounts(BTreeSet<ObjectId>),
    /// Graph may send its notifications there.
    Notify(Option<Notify>),
    /// Somebody looks at these people: what is known is to be fresh.
    Look(Vec<ObjectId>),
    /// What Microsoft refused it may allow now: somebody has consented.
    Resume,
    /// The program stops: what it shows in Teams is taken back, and nothing more is watched.
    Close,
}

/// A watch as others see it.
#[derive(Clone)]
pub struct Watch {
    inbox: mpsc::Sender<Message>,
    seen: Arc<Mutex<Seen>>,
}

/// What a watch knows, for whoever asks.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How well it knows what it watches.
    pub health: Health,
    /// Why Graph refuses subscriptions to accounts, if it does.
    pub subscriptions_refused: BTreeMap<ObjectId, String>,
    /// What is known of each agent's user: what, and since when it is confirmed.
    pub presences: BTreeMap<ObjectId, (Presence, Instant)>,
    /// How long it took from a notification to the center, summed in microseconds, and how many there were.
    pub told_us: (u64, u64),
}

/// The task's own state.
pub struct Watching {
    graph: Graph,
    desk: Desk,
    keys: Arc<NotificationKeys>,
    watcher: Watcher,
    writer: Option<PresenceWriter>,
    agents: BTreeMap<ObjectId, AgentId>,
    /// What each agent does in calls of ours.
    own: BTreeMap<ObjectId, Own>,
    /// Reports that may be the echo of a call of ours, and until when they may be.
    held: BTreeMap<ObjectId, Option<Instant>>,
    inbox: mpsc::Receiver<Message>,
    seen: Arc<Mutex<Seen>>,
    /// Something was committed: when it is looked what the agents do now.
    look_at: Option<Instant>,
    refresh_at: Instant,
    /// When the figures are put together of what was heard since.
    health_at: Option<Instant>,
    /// While presence may not be read: when it is looked whether Entra ID gives a token for it again.
    token_at: Option<Instant>,
    /// The pause before the look after that.
    token_pause: Duration,
    work: JoinSet<Work>,
    reports: Vec<Input>,
    /// Everything is taken back, and until when that may take.
    closing: Option<Instant>,
}

/// What an agent does in calls of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Own {
    /// The telephone rings for us, or the agent talks to a customer.
    engaged: bool,
    /// Talks to a customer.
    talking: bool,
    /// When that ended last.
    ended: Option<Instant>,
}

/// What came of something that took a while.
enum Work {
    Watched(CallId, Answer),
    Written(CallId, Answer),
    LookedForToken(Looked),
    Opened(Box<Item>, Option<Result<Zeroizing<Vec<u8>>, SealFault>>),
}

impl Watch {
    /// A watch and its task.
    pub fn new(
        graph: Graph,
        desk: Desk,
        settings: &MicrosoftSettings,
        keys: Arc<NotificationKeys>,
        writes: bool,
        seeds: ([u8; 32], u64),
    ) -> (Watch, Watching) {
        let (sender, inbox) = mpsc::channel(INBOX_MAX);
        let seen = Arc::default();
        let watching = Watching {
            watcher: Watcher::new(
                graph.tenant(),
                watch::Settings {
                    poll_every: settings.poll_every,
                    check_every: settings.check_every,
                    stale_after: settings.stale_after.max(settings.poll_every * 2),
                    ..watch::Settings::default()
                },
                seeds.0,
            ),
            writer: writes.then(|| {
                let settings = write::Settings { application: settings.client, lasts: SHOWN_FOR };
                PresenceWriter::new(settings, seeds.1)
            }),
            graph,
            desk,
            keys,
            agents: BTreeMap::new(),
            own: BTreeMap::new(),
            held: BTreeMap::new(),
            inbox,
            seen: Arc::clone(&seen),
            look_at: None,
            refresh_at: Instant::now() + REFRESH_EVERY,
            health_at: None,
            token_at: None,
            token_pause: TOKEN_PAUSE_MIN,
            work: JoinSet::new(),
            reports: Vec::new(),
            closing: None,
        };
        (Watch { inbox: sender, seen }, watching)
    }

    /// Tells the watch something; waits while its inbox is full.
    pub async fn tell(&self, message: Message) {
        // A watch that has ended needs to know nothing.
        let _ = self.inbox.send(message).await;
    }

    /// Tells it if there is room now.
    pub fn try_tell(&self, message: Message) -> bool {
        self.inbox.try_send(message).is_ok()
    }

    /// Has it take back what it shows in Teams and end its subscriptions, and waits until it has, some seconds at most. What
    /// is not ended by then, ends by itself.
    pub async fn close(&self) {
        let closed = async {
            // A watch that has ended has closed.
            let _ = self.inbox.send(Message::Close).await;
            self.inbox.closed().await;
        };
        let _ = tokio::time::timeout(CLOSE_PATIENCE + CLOSE_MARGIN, closed).await;
    }

    /// What it knows now.
    pub fn seen<T>(&self, read: impl FnOnce(&Seen) -> T) -> T {
        read(&lock(&self.seen))
    }
}

impl Watching {
    /// Watches until it is closed, or nobody holds the [`Watch`] any more.
    pub async fn run(mut self) {
        let mut committed = self.desk.live().committed();
        loop {
            self.turn();
            self.flush().await;
            if self.is_closed() {
                return;
            }
            let until = self.next_timeout().map(tokio::time::Instant::from_std);
            tokio::select! {
                message = self.inbox.recv(), if self.closing.is_none() => {
                    self.handle(message.unwrap_or(Message::Close));
                }
                Some(done) = self.work.join_next() => {
                    if let Ok(work) = done {
                        self.take(work);
                    }
                }
                Ok(()) = committed.changed(), if self.look_at.is_none() && !self.agents.is_empty() => {
                    self.look_at = Some(Instant::now() + COMMITS_PAUSE);
                }
                () = sleep_until(until) => self.handle_timeout(),
            }
        }
    }

    fn handle(&mut self, message: Message) {
        let now = moment();
        match message {
            Message::Agents(agents) => {
                let gone: Vec<_> =
                    self.agents.keys().filter(|user| !agents.contains_key(user)).copied().collect();
                self.watcher.unwatch(now, gone.iter().copied());
                for user in gone {
                    self.own.remove(&user);
                    self.held.remove(&user);
                    lock(&self.seen).presences.remove(&user);
                    self.show(user, None);
                }
                self.watcher.watch(now, agents.keys().copied());
                self.agents = agents;
                self.look_at_calls();
            }
            Message::Notification(item) => self.open(item),
            Message::Accounts(accounts) => {
                lock(&self.seen).subscriptions_refused.retain(|account, _| accounts.contains(account));
                self.watcher.set_accounts(now, accounts);
            }
            Message::Notify(notify) => self.watcher.set_notify(now, notify),
            Message::Look(people) => self.watcher.look(now, people),
            Message::Resume => {
                self.token_pause = TOKEN_PAUSE_MIN;
                self.watcher.resume(now);
                self.resume_writing(now);
            }
            Message::Close => self.close(now),
        }
    }

    /// Takes back what is shown, ends the subscriptions, and tells nothing more.
    fn close(&mut self, now: Moment) {
        self.closing = Some(now.at + CLOSE_PATIENCE);
        self.agents.clear();
        self.own.clear();
        self.held.clear();
        (self.look_at, self.token_at) = (None, None);
        self.watcher.close(now);
        if let Some(writer) = &mut self.writer {
            writer.close(now.at);
        }
    }

    /// Whether all is taken back that can be, or it takes too long.
    fn is_closed(&self) -> bool {
        let is_done = || self.work.is_empty() && self.writer.as_ref().is_none_or(PresenceWriter::is_idle);
        self.closing.is_some_and(|until| until <= Instant::now() || is_done())
    }

    fn handle_timeout(&mut self) {
        let now = Instant::now();
        if self.look_at.is_some_and(|at| at <= now) {
            self.look_at = None;
            self.look_at_calls();
        }
        let echoes: Vec<_> = self
            .held
            .iter()
            .filter(|(_, until)| until.is_some_and(|until| until <= now))
            .map(|(user, _)| *user)
            .collect();
        for user in echoes {
            self.held.remove(&user);
            self.report(user);
        }
        if self.token_at.is_some_and(|at| at <= now) {
            self.token_at = None;
            let graph = self.graph.clone();
            self.work.spawn(async move {
                Work::LookedForToken(graph.look_for_token(Operation::ReadPresences).await)
            });
        }
        if self.refresh_at <= now {
            self.refresh_at = now + REFRESH_EVERY;
            let users: Vec<_> = self.agents.keys().copied().collect();
            for user in users {
                self.report(user);
            }
            self.health_at = Some(now);
        }
        if self.health_at.is_some_and(|at| at <= now) {
            self.health_at = None;
            lock(&self.seen).health = self.watcher.health(moment());
        }
    }

    /// Lets the watcher and the writer do what is due, and carries out what they want.
    fn turn(&mut self) {
        loop {
            {
                let mut throttle = self.graph.throttle();
                self.watcher.handle_timeout(moment(), &mut throttle);
                if let Some(writer) = &mut self.writer {
                    writer.handle_timeout(Instant::now(), &mut throttle);
                }
            }
            let mut quiet = true;
            while let Some(output) = self.watcher.poll_output() {
                quiet = false;
                self.carry_out(output);
            }
            while let Some(output) = self.writer.as_mut().and_then(PresenceWriter::poll_output) {
                quiet = false;
                self.carry_out_writing(output);
            }
            if quiet {
                self.graph.let_go(|account| self.watcher.needs_account(account));
                return;
            }
        }
    }

    fn carry_out(&mut self, output: watch::Output) {
        use watch::Output;
        match output {
            Output::Call { id, call } => {
                let graph = self.graph.clone();
                self.work.spawn(async move { Work::Watched(id, graph.send(&call).await) });
            }
            Output::Changed { person, .. } | Output::Stale { person } | Output::Fresh { person } => {
                self.report(person);
            }
            Output::SubscriptionRefused { account, fault } => {
                tracing::info!(
                    entra.tenant = %self.graph.tenant(), %account, fault = fault.stable_code(),
                    "Graph does not tell presence; it is polled"
                );
                let said = format!("{}: {}", fault.stable_code(), fault.remedy());
                lock(&self.seen).subscriptions_refused.insert(account, said);
            }
            Output::Subscribed { account, people, .. } => {
                tracing::info!(entra.tenant = %self.graph.tenant(), %account, people, "Graph tells presence");
                lock(&self.seen).subscriptions_refused.remove(&account);
            }
            Output::SubscriptionLost { account, why } => {
                tracing::info!(entra.tenant = %self.graph.tenant(), %account, ?why, "a subscription of presence is gone");
            }
            Output::PollingRefused { fault, .. } => {
                tracing::warn!(
                    entra.tenant = %self.graph.tenant(), fault = fault.stable_code(), remedy = fault.remedy(),
                    "presence may not be read; it is tried again each minute"
                );
            }
            Output::PollingRestored => {
                tracing::info!(entra.tenant = %self.graph.tenant(), "presence may be read again");
            }
            Output::Omitted { person } => {
                tracing::debug!(entra.tenant = %self.graph.tenant(), %person, "Graph says nothing of a user");
            }
            Output::NotWatched { person } => {
                tracing::warn!(entra.tenant = %self.graph.tenant(), %person, "too many people to watch");
            }
            // Whoever sends the calls has seen the status and fetches another token.
            Output::TokenRefused { .. } => {}
        }
    }

    fn carry_out_writing(&mut self, output: write::Output) {
        use write::Output;
        match output {
            Output::Call { id, call } => {
                let graph = self.graph.clone();
                self.work.spawn(async move { Work::Written(id, graph.send(&call).await) });
            }
            Output::Refused { fault } => {
                self.graph.note_forbidden(&fault);
                tracing::warn!(
                    entra.tenant = %self.graph.tenant(), fault = fault.stable_code(), remedy = fault.remedy(),
                    "presence may not be written, as it is refused of several users in a row"
                );
            }
            Output::Restored => {
                tracing::info!(entra.tenant = %self.graph.tenant(), "presence may be written again");
            }
            Output::NotWritten { person, fault } => tracing::debug!(
                entra.tenant = %self.graph.tenant(), %person, fault = fault.stable_code(), remedy = fault.remedy(),
                "the presence of a user is not written"
            ),
            Output::TokenRefused => {}
        }
    }

    fn take(&mut self, work: Work) {
        let now = moment();
        self.health_at.get_or_insert(now.at + HEALTH_PAUSE);
        match work {
            Work::Watched(id, answer) => {
                let was_refused = self.watcher.is_refused();
                self.watcher.handle_answer(now, id, &answer, &mut self.graph.throttle());
                if self.closing.is_some() {
                    return;
                }
                if self.watcher.is_refused() {
                    self.token_at.get_or_insert(now.at + self.token_pause);
                } else if was_refused {
                    (self.token_at, self.token_pause) = (None, TOKEN_PAUSE_MIN);
                    self.resume_writing(now);
                    self.graph.resume();
                }
            }
            Work::Written(id, answer) => {
                if let Some(writer) = &mut self.writer {
                    writer.handle_answer(now.at, id, &answer, &mut self.graph.throttle());
                }
            }
            Work::LookedForToken(looked) => self.looked_for_token(now, looked),
            Work::Opened(item, content) => self.watcher.handle_notification(now, &item, content),
        }
    }

    /// Asks for presence with a token that may do; what comes of it, or of the next look, decides about another look.
    fn looked_for_token(&mut self, now: Moment, looked: Looked) {
        if !self.watcher.is_refused() || self.closing.is_some() {
            return;
        }
        let pause = match looked {
            // Entra ID is asked far less often: the pause after its refusals is kept where the tokens are.
            Looked::Refused => TOKEN_PAUSE_MIN,
            Looked::MayRead | Looked::MayNotRead => {
                let next = TOKEN_PAUSE_MAX.min(self.token_pause * 2);
                std::mem::replace(&mut self.token_pause, next)
            }
        };
        if looked == Looked::MayRead {
            self.watcher.resume(now);
        } else {
            self.token_at.get_or_insert(now.at + pause);
        }
    }

    /// Opens a notification's content where it keeps nobody waiting, if the notification is one of ours.
    fn open(&mut self, item: Box<Item>) {
        use tandem_microsoft::graph::notification::What;
        let sealed = match &item.what {
            What::Changed { content: Some(sealed), .. } if self.watcher.admits(&item).is_ok() => {
                sealed.clone()
            }
            // Not ours: it is counted there. Without content: there is nothing to open.
            _ => return self.watcher.handle_notification(moment(), &item, None),
        };
        let keys = Arc::clone(&self.keys);
        self.work.spawn_blocking(move || {
            let content = keys.unseal(&sealed);
            Work::Opened(item, Some(content))
        });
    }

    /// Tells the center what is known of a user, unless it may be the echo of our own call.
    fn report(&mut self, user: ObjectId) {
        let now = Instant::now();
        let (Some(agent), Some(known)) = (self.agents.get(&user), self.watcher.known(user, now)) else {
            return;
        };
        let presence = meaning::presence(known.presence);
        lock(&self.seen).presences.insert(user, (known.presence.clone(), known.confirmed_at));
        let own = self.own.get(&user).copied().unwrap_or_default();
        if let Some(until) = echo(presence, own, known.confirmed_at, now) {
            self.held.insert(user, until);
            return;
        }
        self.held.remove(&user);
        let report = PresenceReport {
            agent: agent.clone(),
            source: meaning::SOURCE.into(),
            presence,
            manual: meaning::is_manual(known.presence),
            age: now.saturating_duration_since(known.confirmed_at),
            confidence: meaning::confidence(&known),
        };
        self.reports.push(Input::Presence(report));
    }

    async fn flush(&mut self) {
        if self.reports.is_empty() {
            return;
        }
        let reports = std::mem::take(&mut self.reports);
        if let Err(fault) = self.desk.tell(reports).await {
            tracing::debug!(%fault, "presence is not told");
        }
    }

    /// Looks what the agents do in calls of ours, to know echoes and to show it in Teams.
    fn look_at_calls(&mut self) {
        let now = Instant::now();
        let view = self.desk.live().view();
        let mut ended = Vec::new();
        let mut shown = Vec::new();
        let mut linked = Vec::new();
        for (user, agent) in &self.agents {
            let (engaged, talking) = view.live.agents.get(agent).map_or((false, false), engagement);
            if !self.own.contains_key(user) && !talking {
                linked.push(*user);
            }
            let own = self.own.entry(*user).or_default();
            if own.talking != talking {
                shown.push((*user, talking.then_some(Shown::InACall)));
            }
            if own.engaged && !engaged {
                own.ended = Some(now);
                ended.push(*user);
            }
            (own.engaged, own.talking) = (engaged, talking);
        }
        drop(view);
        for (user, shown) in shown {
            self.show(user, shown);
        }
        if let Some(writer) = &mut self.writer {
            // The program may have ended in the middle of a call of theirs.
            linked.into_iter().for_each(|user| writer.take_over(now, user));
        }
        for user in &ended {
            self.held.entry(*user).and_modify(|until| *until = Some(now + ECHO_MAX));
        }
        if !ended.is_empty() {
            self.watcher.look(moment(), ended);
        }
    }

    fn show(&mut self, user: ObjectId, shown: Option<Shown>) {
        if let Some(writer) = &mut self.writer {
            writer.show(Instant::now(), user, shown);
        }
    }

    /// Who consents mostly consents to all.
    fn resume_writing(&mut self, now: Moment) {
        if let Some(writer) = &mut self.writer {
            self.graph.forget_writing_forbidden();
            writer.resume(now.at);
        }
    }

    fn next_timeout(&self) -> Option<Instant> {
        let refresh = (!self.agents.is_empty()).then_some(self.refresh_at);
        let writer = self.writer.as_ref().and_then(PresenceWriter::poll_timeout);
        let echoes = self.held.values().flatten().min().copied();
        let own = [self.look_at, refresh, self.health_at, self.token_at, echoes, self.closing];
        own.into_iter().chain([self.watcher.poll_timeout(), writer]).flatten().min()
    }
}

/// Whether what Teams says may be the echo of our own call, and until when it may be, if that is known.
fn echo(presence: Told, own: Own, confirmed_at: Instant, now: Instant) -> Option<Option<Instant>> {
    if !matches!(presence, Told::InCall) {
        return None;
    }
    if own.engaged {
        return Some(None);
    }
    let until = own.ended? + ECHO_MAX;
    (now < until || confirmed_at < until).then_some(Some(until.max(now + LOOK_AGAIN)))
}

/// Whether an agent is rung for us or talks to a customer, and whether they talk.
fn engagement(agent: &AgentView) -> (bool, bool) {
    let is = |which: fn(&DoingView) -> bool| agent.work.iter().any(|work| which(&work.doing));
    let talking = is(|doing| matches!(doing, DoingView::Talking));
    (talking || is(|doing| matches!(doing, DoingView::Offered)), talking)
}

async fn sleep_until(until: Option<tokio::time::Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// What waits for one watch; notifications beyond it are left out, and the next poll tells what they did.
const INBOX_MAX: usize = 1_024;

/// How long taking everything back may take at the end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);

/// How much longer whoever closes a watch waits for it.
const CLOSE_MARGIN: Duration = Duration::from_millis(500);

/// How often what has not changed is told again, so that the center knows its age.
const REFRESH_EVERY: Duration = Duration::from_secs(15);

/// How long after something was heard the figures tell of it: they are put together of everybody who is watched.
const HEALTH_PAUSE: Duration = Duration::from_secs(1);

/// How long after presence, or the directory, could not be read it is looked whether Entra ID gives a token for it; with each look in a row
/// that finds a token which does not do, twice as long.
pub(super) const TOKEN_PAUSE_MIN: Duration = Duration::from_secs(1);

/// How long it is at most: consent that is given somewhere else is noticed within it.
pub(super) const TOKEN_PAUSE_MAX: Duration = Duration::from_secs(60);

/// For how long after the end of a call of ours Teams may still say that the agent is in it.
const ECHO_MAX: Duration = Duration::from_secs(15);

/// When an echo is looked at again that nobody has confirmed since.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How long after a commit the agents are looked at: what is committed meanwhile is seen with it.
const COMMITS_PAUSE: Duration = Duration::from_millis(50);

/// For how long Teams shows a call of ours if this program stops in the middle of it.
const SHOWN_FOR: Duration = Duration::from_secs(10 * 60);
