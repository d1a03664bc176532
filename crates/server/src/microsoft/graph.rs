//! Sends calls to Microsoft Graph: adds host and token, and keeps the pace of each Entra tenant.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tandem_microsoft::entra::refusal::Refusal;
use tandem_microsoft::graph::batch::{Answered, Batch};
use tandem_microsoft::graph::call::{Answer, Call, Caller, Endpoint, Moment, NoAnswer, Operation};
use tandem_microsoft::graph::fault::Fault;
use tandem_microsoft::graph::permissions;
use tandem_microsoft::graph::throttle::{Family, Throttle};
use tandem_microsoft::id::{EntraTenantId, Guid, ObjectId};
use tandem_microsoft::secret::Secret;
use tokio::sync::Notify;

use super::entra::{Entra, is_passing, unix_now};
use super::grants::permits;
use super::settings::MicrosoftSettings;
use crate::outbound::{Outbound, OutboundFault};

/// Microsoft Graph in one Entra tenant.
#[derive(Clone)]
pub struct Graph {
    tenant: EntraTenantId,
    entra: Arc<Entra>,
    endpoint: Endpoint,
    outbound: Outbound,
    throttle: Arc<Mutex<Throttle>>,
    trouble: Arc<Mutex<Trouble>>,
    accounts: Arc<Mutex<Accounts>>,
    /// When a token was last thrown away because something was not permitted with it.
    thrown_away: Arc<Mutex<Option<Instant>>>,
    permitted: Arc<Notify>,
}

/// An account that signed in for the installation.
#[derive(Clone)]
pub struct Account {
    /// Buys its next token.
    pub refresh: Secret,
    /// Keeps the refresh token that takes the place of the last.
    pub keep: Keep,
}

/// The accounts whose tokens are here.
#[derive(Default)]
struct Accounts {
    used: BTreeMap<ObjectId, Account>,
    /// Those that are not to be used any more, with what buys the token to end what they hold. It is kept nowhere else.
    leaving: BTreeMap<ObjectId, Secret>,
}

/// Keeps the refresh token of an account.
pub type Keep = Arc<dyn Fn(ObjectId, &Secret) + Send + Sync>;

/// Why Entra ID or Graph does not do what we ask in a tenant, as last told.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// Entra ID gives us no token.
    pub no_token: Option<Refusal>,
    /// Graph does not permit these operations.
    pub forbidden: BTreeMap<Operation, Fault>,
    /// Graph, or the way to it, fails.
    pub failing: Option<Fault>,
    /// Entra ID gives these accounts no token, and will not by itself: somebody has to connect them again.
    pub accounts: BTreeMap<ObjectId, Refusal>,
}

/// What came of looking for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// There is one, and as far as it tells it permits this.
    MayRead,
    /// There is one, but it tells that this may not be done with it. The next look fetches another.
    MayNotRead,
    /// There is none.
    Refused,
}

impl Graph {
    /// Graph in this tenant. Nothing is asked yet.
    pub fn new(
        tenant: EntraTenantId,
        settings: &MicrosoftSettings,
        entra: Arc<Entra>,
        endpoint: Endpoint,
        outbound: Outbound,
    ) -> Graph {
        let seed = entra.with_random(|random| random.next_u64());
        Graph {
            tenant,
            entra,
            endpoint,
            outbound,
            throttle: Arc::new(Mutex::new(Throttle::new(&settings.limits, seed))),
            trouble: Arc::default(),
            accounts: Arc::default(),
            thrown_away: Arc::default(),
            permitted: Arc::default(),
        }
    }

    /// The tenant.
    pub fn tenant(&self) -> EntraTenantId {
        self.tenant
    }

    /// The pace of the tenant, to be asked before a call and told afterwards.
    pub fn throttle(&self) -> MutexGuard<'_, Throttle> {
        lock(&self.throttle)
    }

    /// What is wrong now.
    pub fn trouble(&self) -> Trouble {
        lock(&self.trouble).clone()
    }

    /// Uses these accounts from now on. Others are leaving: they can end what they hold, until they are let go.
    pub fn set_accounts(&self, accounts: BTreeMap<ObjectId, Account>) {
        let mut known = lock(&self.accounts);
        let before = std::mem::replace(&mut known.used, accounts);
        known.leaving.extend(before.into_iter().map(|(id, account)| (id, account.refresh)));
        let Accounts { used, leaving } = &mut *known;
        leaving.retain(|id, _| !used.contains_key(id));
        lock(&self.trouble).accounts.retain(|id, _| used.contains_key(id));
    }

    /// The accounts.
    pub fn accounts(&self) -> Vec<ObjectId> {
        lock(&self.accounts).used.keys().copied().collect()
    }

    /// Forgets the tokens of those that are leaving and that nothing needs any more.
    pub fn let_go(&self, is_needed: impl Fn(ObjectId) -> bool) {
        lock(&self.accounts).leaving.retain(|id, _| is_needed(*id));
    }

    /// Sends a call that the throttle has admitted.
    pub async fn send(&self, call: &Call) -> Answer {
        let token = match self.token(call.caller).await {
            Ok(token) => token,
            Err(refusal) => {
                self.note_refusal(call.caller, refusal);
                return Err(NoAnswer::NoToken);
            }
        };
        if let Caller::Account(account) = call.caller {
            self.note_account_token(account);
        }
        let answer = self.exchange(call, &token).await;
        // What a token permits stands in it, so one that is not permitted enough stays so: the next may be.
        let is_forbidden = answer.as_ref().is_ok_and(|answer| answer.status == 403);
        if is_forbidden && is_of_person(call.operation, &token) {
            return answer;
        }
        if is_forbidden && call.caller == Caller::Application && self.may_throw_away(call.operation) {
            self.entra.app_token_refused(self.tenant, &token);
        }
        if answer.as_ref().is_ok_and(|answer| answer.status == 401) {
            match call.caller {
                Caller::Application => self.entra.app_token_refused(self.tenant, &token),
                Caller::Account(account) => self.entra.account_token_refused(self.tenant, account, &token),
            }
        }
        self.note(call, &answer);
        answer
    }

    /// Tells whoever reads the directory here that what was refused may be permitted now.
    pub fn resume(&self) {
        self.permitted.notify_one();
    }

    /// Until somebody has told so. Only one waits for it.
    pub async fn resumed(&self) {
        self.permitted.notified().await;
    }

    /// Looks whether Entra ID gives us a token that permits an operation, at the pace that its last refusal allows.
    pub async fn look_for_token(&self, operation: Operation) -> Looked {
        match self.token(Caller::Application).await {
            Ok(token) => {
                self.note_token();
                if may(&token, operation) {
                    return Looked::MayRead;
                }
                self.entra.app_token_refused(self.tenant, &token);
                Looked::MayNotRead
            }
            Err(refusal) => {
                self.note_refusal(Caller::Application, refusal);
                Looked::Refused
            }
        }
    }

    /// Sends a call with the token of a person who is here now.
    pub async fn send_as(&self, call: &Call, token: &Secret) -> Answer {
        self.exchange(call, token).await
    }

    /// Asks at the pace of the tenant, for somebody who waits for the answer; not for long.
    pub async fn ask(&self, call: &Call) -> Answer {
        let family = call.operation.family();
        if !self.has_turn(family, 1).await {
            return Err(NoAnswer::TooSlow);
        }
        let asked_at = Instant::now();
        let answer = self.send(call).await;
        let fault = Fault::check(call.operation, &answer).map(|_| ()).err();
        let result = fault.as_ref().map_or(Ok(()), Err);
        self.throttle().heard(Instant::now(), asked_at, family, result);
        answer
    }

    /// Asks several things in one request, at the pace of the tenant; each counts as if it were asked alone.
    ///
    /// # Errors
    ///
    /// The request as a whole was not done, or not in time.
    pub async fn ask_all(&self, batch: Batch) -> Result<Vec<Answered>, Fault> {
        let call = batch.call();
        let calls = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        if !self.has_turn(call.operation.family(), calls).await {
            return batch.answers(&Err(NoAnswer::TooSlow));
        }
        let asked_at = Instant::now();
        let answer = self.send(&call).await;
        let answered = batch.answers(&answer);
        self.throttle().heard_batch(Instant::now(), asked_at, answered.as_deref());
        answered
    }

    /// Waits for a turn, not for long; whether it came.
    async fn has_turn(&self, family: Family, calls: u32) -> bool {
        let deadline = Instant::now() + ASK_PATIENCE;
        loop {
            let admitted = self.throttle().admit_batch(Instant::now(), family, calls);
            match admitted {
                Ok(()) => return true,
                Err(later) if later <= deadline => tokio::time::sleep_until(later.into()).await,
                Err(_) => return false,
            }
        }
    }

    async fn exchange(&self, call: &Call, token: &Secret) -> Answer {
        let id = self.entra.with_random(|random| Guid::random(random));
        let request = match call.request(&self.endpoint, token, id) {
            Ok(request) => request,
            Err(fault) => {
                tracing::error!(%fault, operation = call.operation.name(), "Graph gave a link that is not followed");
                return Err(NoAnswer::Unreachable);
            }
        };
        match self.outbound.send(request).await {
            Ok(answer) => Ok(answer),
            Err(OutboundFault::TooSlow(_)) => Err(NoAnswer::TooSlow),
            Err(fault) => {
                tracing::debug!(%fault, operation = call.operation.name(), "no answer of Graph");
                Err(NoAnswer::Unreachable)
            }
        }
    }

    async fn token(&self, caller: Caller) -> Result<Secret, Refusal> {
        match caller {
            Caller::Application => self.entra.app_token(self.tenant).await,
            Caller::Account(id) => {
                let refresh = lock(&self.accounts).refresh(id).ok_or_else(Refusal::unreachable)?;
                let keep = |next: &Secret| {
                    let kept = lock(&self.accounts).replace(id, next);
                    if let Some(keep) = kept {
                        keep(id, next);
                    }
                };
                self.entra.account_token(self.tenant, id, &refresh, keep).await
            }
        }
    }

    /// Whether another token is worth asking for when this is not permitted: presence is asked for at its own pace then, and
    /// everything else has one for all of it.
    fn may_throw_away(&self, operation: Operation) -> bool {
        if matches!(operation, Operation::ReadPresences | Operation::SetPresence) {
            return true;
        }
        let (mut last, now) = (lock(&self.thrown_away), Instant::now());
        let is_due = last.is_none_or(|at| now.saturating_duration_since(at) >= THROWN_AWAY_EVERY);
        if is_due {
            *last = Some(now);
        }
        is_due
    }

    fn note_refusal(&self, caller: Caller, refusal: Refusal) {
        if let Caller::Account(account) = caller {
            return self.note_account_refusal(account, refusal);
        }
        let mut trouble = lock(&self.trouble);
        if trouble.no_token.as_ref().map(|known| known.reason.code()) != Some(refusal.reason.code()) {
            tracing::warn!(
                entra.tenant = %self.tenant, %refusal, remedy = refusal.reason.remedy(),
                "Entra ID gives no token for the tenant"
            );
        }
        trouble.no_token = Some(refusal);
    }

    fn note_account_refusal(&self, account: ObjectId, refusal: Refusal) {
        let known = lock(&self.accounts);
        // What passes is told of the tenant too; an account that is leaving is missed by nobody.
        if is_passing(&refusal) || !known.used.contains_key(&account) {
            tracing::debug!(entra.tenant = %self.tenant, %account, %refusal, "an account gives no token now");
            return;
        }
        let said = refusal.reason.code();
        let before = lock(&self.trouble).accounts.insert(account, refusal.clone());
        if before.is_none_or(|before| before.reason.code() != said) {
            tracing::warn!(
                entra.tenant = %self.tenant, %account, %refusal, remedy = refusal.reason.remedy(),
                "an account gives no token; connect it again"
            );
        }
    }

    fn note_account_token(&self, account: ObjectId) {
        if lock(&self.trouble).accounts.remove(&account).is_some() {
            tracing::info!(entra.tenant = %self.tenant, %account, "an account gives tokens again");
        }
    }

    /// Notes that there is a token.
    fn note_token(&self) {
        if lock(&self.trouble).no_token.take().is_some() {
            tracing::info!(entra.tenant = %self.tenant, "Entra ID gives tokens for the tenant again");
        }
    }

    /// Notes that something is refused of everybody, as it seems from several who were refused in a row.
    pub fn note_forbidden(&self, fault: &Fault) {
        lock(&self.trouble).forbidden.insert(fault.operation, fault.clone());
    }

    /// Takes back that presence may not be written: somebody has consented, and it is tried.
    pub fn forget_writing_forbidden(&self) {
        lock(&self.trouble).forbidden.retain(|operation, _| !writes_presence(*operation));
    }

    fn note(&self, call: &Call, answer: &Answer) {
        if call.caller != Caller::Application {
            return;
        }
        self.note_token();
        let mut trouble = lock(&self.trouble);
        match Fault::check(call.operation, answer) {
            Ok(_) => {
                trouble.forbidden.remove(&call.operation);
                if writes_presence(call.operation) {
                    trouble.forbidden.retain(|operation, _| !writes_presence(*operation));
                }
                trouble.failing = None;
            }
            Err(fault) if fault.status == 403 => {
                trouble.forbidden.insert(call.operation, fault);
            }
            Err(fault) if fault.is_passing() || fault.status == 401 => trouble.failing = Some(fault),
            Err(_) => {}
        }
    }
}

impl Accounts {
    fn refresh(&self, id: ObjectId) -> Option<Secret> {
        let used = self.used.get(&id).map(|account| &account.refresh);
        used.or_else(|| self.leaving.get(&id)).cloned()
    }

    /// Takes the next refresh token; how it is kept, if it is.
    fn replace(&mut self, id: ObjectId, next: &Secret) -> Option<Keep> {
        if let Some(account) = self.used.get_mut(&id) {
            account.refresh = next.clone();
            return Some(Arc::clone(&account.keep));
        }
        if let Some(refresh) = self.leaving.get_mut(&id) {
            *refresh = next.clone();
        }
        None
    }
}

/// Now, on both clocks.
pub fn moment() -> Moment {
    Moment { at: Instant::now(), unix: unix_now() }
}

/// Whether a token permits an operation, as far as it tells; one that tells nothing has to be tried.
fn may(token: &Secret, operation: Operation) -> bool {
    let told = permissions::in_token(token);
    told.application.is_empty() || permits(&told, operation)
}

/// Whether it is for the person's sake that an operation was forbidden, as of a guest or of an account that is disabled: the
/// token tells that we may.
fn is_of_person(operation: Operation, token: &Secret) -> bool {
    writes_presence(operation) && permits(&permissions::in_token(token), operation)
}

/// Whether an operation is one of those that one permission, that of writing presence, permits.
fn writes_presence(operation: Operation) -> bool {
    matches!(operation, Operation::SetPresence | Operation::ClearPresence)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long after a token was thrown away for want of a permission the next one is, at least: consent is noticed within it.
const THROWN_AWAY_EVERY: Duration = Duration::from_secs(60);

/// How long somebody waits for a turn; the request itself has its own patience.
const ASK_PATIENCE: Duration = Duration::from_secs(3);
