//! What is asked of Entra ID: its addresses, its keys, and tokens, each fetched once and kept while it is good.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::{OsRng, StdRng};
use rand::{RngCore, SeedableRng};
use tandem_microsoft::entra::cache::{Held, Holder, TokenCache, TokenHash, TokenKey};
use tandem_microsoft::entra::client::{Client, TokenGrant};
use tandem_microsoft::entra::cloud::{Authority, Endpoints};
use tandem_microsoft::entra::code_flow::Redemption;
use tandem_microsoft::entra::credential::CredentialFault;
use tandem_microsoft::entra::discovery;
use tandem_microsoft::entra::keys::{KeyRules, KeySet};
use tandem_microsoft::entra::refusal::{Reason, Refusal};
use tandem_microsoft::entra::token::{ApiToken, TokenFault, TokenRules, UserToken};
use tandem_microsoft::http::{Request, Response};
use tandem_microsoft::id::{EntraTenantId, ObjectId};
use tandem_microsoft::secret::Secret;
use tandem_microsoft::time::UnixTime;
use tokio::sync::Notify;

use super::settings::MicrosoftSettings;
use crate::outbound::Outbound;

/// Entra ID as this installation's application sees it.
pub struct Entra {
    settings: Arc<MicrosoftSettings>,
    outbound: Outbound,
    rules: TokenRules,
    state: Mutex<State>,
    /// Somebody has fetched something that others may wait for.
    fetched: Notify,
}

/// Whose turn it is to fetch a token.
enum Turn {
    /// Nobody's: it is held.
    Held(Secret),
    /// The asker's, with the old token if it is good still.
    Fetch(Option<Secret>),
}

struct State {
    endpoints: BTreeMap<Authority, (Endpoints, UnixTime)>,
    keys: KeySet,
    tokens: TokenCache,
    random: StdRng,
}

impl Entra {
    /// Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// The system gives no randomness.
    pub fn new(
        settings: Arc<MicrosoftSettings>,
        outbound: Outbound,
    ) -> Result<Entra, rand::rand_core::OsError> {
        let layout = settings.cloud.endpoints(Authority::Organizations);
        let mut rules = TokenRules::new(settings.cloud.clone(), settings.client);
        rules.app_id_uri = Some(settings.app_id_uri.clone());
        let state = State {
            endpoints: BTreeMap::new(),
            keys: KeySet::new(layout.keys, KeyRules::default()),
            tokens: TokenCache::default(),
            random: StdRng::try_from_rng(&mut OsRng)?,
        };
        Ok(Entra { settings, outbound, rules, state: Mutex::new(state), fetched: Notify::new() })
    }

    /// Draws from a good generator.
    pub fn with_random<T>(&self, draw: impl FnOnce(&mut dyn RngCore) -> T) -> T {
        draw(&mut self.state().random)
    }

    /// Where Entra ID has its pages for this authority: as its discovery document says, or where every cloud has them
    /// while that cannot be read.
    pub async fn endpoints(&self, authority: Authority) -> Endpoints {
        let now = unix_now();
        let known = self.state().endpoints.get(&authority).cloned();
        if let Some((endpoints, read_at)) = known
            && now.since(read_at) < DISCOVERY_AGE_MAX
        {
            return endpoints;
        }
        let answer = self.outbound.send(discovery::request(&self.settings.cloud, authority)).await;
        let read = answer.map_err(|fault| fault.to_string()).and_then(|answer| {
            discovery::answer(&self.settings.cloud, authority, &answer).map_err(|f| f.to_string())
        });
        match read {
            Ok(endpoints) => {
                let mut state = self.state();
                if state.endpoints.len() >= AUTHORITIES_MAX {
                    state.endpoints.clear();
                }
                state.endpoints.insert(authority, (endpoints.clone(), now));
                endpoints
            }
            Err(fault) => {
                tracing::warn!(
                    fault,
                    "Entra ID's discovery document cannot be read; its usual layout is used"
                );
                self.settings.cloud.endpoints(authority)
            }
        }
    }

    /// Checks a token that Teams or another client brought for our API.
    ///
    /// # Errors
    ///
    /// See [`TokenFault`].
    pub async fn check(
        &self,
        token: &Secret,
        is_onboarded: impl Fn(EntraTenantId) -> bool,
    ) -> Result<ApiToken, TokenFault> {
        self.with_keys(|keys, now| self.rules.check(token.expose(), keys, &is_onboarded, now)).await
    }

    /// Checks the id token that ends a sign-in.
    ///
    /// # Errors
    ///
    /// See [`TokenFault`].
    pub async fn check_sign_in(&self, token: &Secret, nonce: &Secret) -> Result<UserToken, TokenFault> {
        self.with_keys(|keys, now| self.rules.check_sign_in(token.expose(), keys, nonce, now)).await
    }

    /// Checks the tokens that come with notifications: whose items each vouches for, in their order.
    pub async fn check_notifications(&self, tokens: &[Secret]) -> Vec<Result<EntraTenantId, TokenFault>> {
        let mut checked = Vec::with_capacity(tokens.len());
        for token in tokens {
            let rules = &self.rules;
            checked
                .push(self.with_keys(|keys, now| rules.check_notification(token.expose(), keys, now)).await);
        }
        checked
    }

    /// Redeems a sign-in's code for tokens.
    ///
    /// # Errors
    ///
    /// Entra ID refuses.
    pub async fn redeem(&self, redemption: &Redemption) -> Result<TokenGrant, Refusal> {
        self.ask(|client, now, random| client.redeem(redemption, now, random)).await
    }

    /// A token of our own for Graph in this tenant.
    ///
    /// # Errors
    ///
    /// Entra ID refuses; often because nobody there has consented, or the consent was withdrawn.
    pub async fn app_token(&self, tenant: EntraTenantId) -> Result<Secret, Refusal> {
        let key = app_key(tenant);
        let old = match self.turn(&key).await? {
            Turn::Held(token) => return Ok(token),
            Turn::Fetch(old) => old,
        };
        let outcome = self.ask(|client, now, random| client.app_token(tenant, now, random)).await;
        self.fetched(&key, outcome, old)
    }

    /// A token for Graph in the name of an account that signed in for the installation. `refresh` is its refresh token;
    /// the one that takes its place is handed to `keep`.
    ///
    /// # Errors
    ///
    /// Entra ID refuses: the account has to sign in again.
    pub async fn account_token(
        &self,
        tenant: EntraTenantId,
        account: ObjectId,
        refresh: &Secret,
        keep: impl Fn(&Secret),
    ) -> Result<Secret, Refusal> {
        let scopes = self.account_scopes();
        let key = TokenKey { tenant, holder: Holder::Account(account), scopes: scopes.join(" ") };
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let old = match self.turn(&key).await? {
            Turn::Held(token) => return Ok(token),
            Turn::Fetch(old) => old,
        };
        let outcome =
            self.ask(|client, now, random| client.refresh(tenant, refresh, &scopes, now, random)).await;
        if let Some(next) = outcome.as_ref().ok().and_then(|grant| grant.refresh_token.as_ref()) {
            keep(next);
        }
        self.fetched(&key, outcome, old)
    }

    /// A token for Graph in the name of the person who brought this (checked) token for our API.
    ///
    /// # Errors
    ///
    /// Entra ID refuses; it may demand that the person does something.
    pub async fn on_behalf_of(
        &self,
        tenant: EntraTenantId,
        user: ObjectId,
        token: &Secret,
    ) -> Result<Secret, Refusal> {
        let key = self.person_key(tenant, user, token);
        let old = match self.turn(&key).await? {
            Turn::Held(token) => return Ok(token),
            Turn::Fetch(old) => old,
        };
        let scopes = [key.scopes.as_str()];
        let outcome =
            self.ask(|client, now, random| client.on_behalf_of(tenant, token, &scopes, now, random)).await;
        self.fetched(&key, outcome, old)
    }

    /// Graph did not take this token of ours: the next asker fetches another.
    pub fn app_token_refused(&self, tenant: EntraTenantId, token: &Secret) {
        self.state().tokens.discard(&app_key(tenant), token);
    }

    /// Graph did not take this token of an account.
    pub fn account_token_refused(&self, tenant: EntraTenantId, account: ObjectId, token: &Secret) {
        let scopes = self.account_scopes().join(" ");
        let key = TokenKey { tenant, holder: Holder::Account(account), scopes };
        self.state().tokens.discard(&key, token);
    }

    /// Graph did not take this token, which the person's own token was exchanged for.
    pub fn person_token_refused(
        &self,
        tenant: EntraTenantId,
        user: ObjectId,
        own: &Secret,
        refused: &Secret,
    ) {
        let key = self.person_key(tenant, user, own);
        self.state().tokens.discard(&key, refused);
    }

    /// Forgets everything of a tenant: it was taken off, or has consented anew.
    pub fn forget(&self, tenant: EntraTenantId) {
        self.state().tokens.forget(tenant);
    }

    /// Forgets what is held of an account: it has signed in anew.
    pub fn forget_account(&self, tenant: EntraTenantId, account: ObjectId) {
        let scopes = self.account_scopes().join(" ");
        self.state().tokens.forget_key(&TokenKey { tenant, holder: Holder::Account(account), scopes });
    }

    /// What an account is asked for that watches presence.
    pub fn account_scopes(&self) -> [String; 2] {
        ["offline_access".to_owned(), self.graph_scope("Presence.Read.All")]
    }

    /// A permission of Graph as a scope.
    pub fn graph_scope(&self, name: &str) -> String {
        format!("{}/{name}", self.settings.cloud.graph)
    }

    /// How old the keys are by which tokens are checked; `None` while there are none.
    pub fn keys_age(&self) -> Option<Duration> {
        self.state().keys.age(unix_now())
    }

    /// Checks something with the keys; if a key is missing, they are fetched if that was not done just now, and it is
    /// checked once more.
    async fn with_keys<T>(
        &self,
        check: impl Fn(&KeySet, UnixTime) -> Result<T, TokenFault>,
    ) -> Result<T, TokenFault> {
        self.fetch_keys().await;
        let first = check(&self.state().keys, unix_now());
        let Err(TokenFault::UnknownKey) = first else { return first };
        self.state().keys.missed();
        self.fetch_keys().await;
        check(&self.state().keys, unix_now())
    }

    async fn fetch_keys(&self) {
        let request = self.state().keys.poll_request(unix_now());
        let Some(request) = request else {
            // Somebody else may be fetching the first keys; without any, nobody comes in.
            if self.state().keys.is_empty() {
                let _ = tokio::time::timeout(FETCH_PATIENCE, self.fetched.notified()).await;
            }
            return;
        };
        let answer = self.outbound.send(request).await.ok();
        let taken = self.state().keys.handle_response(unix_now(), answer.as_ref());
        if let Err(fault) = taken {
            tracing::warn!(%fault, "Entra ID's keys cannot be fetched; the old ones are kept");
        }
        self.fetched.notify_waiters();
    }

    /// The token that is held for a key, perhaps after waiting for somebody who fetches it; or the turn to fetch it.
    async fn turn(&self, key: &TokenKey) -> Result<Turn, Refusal> {
        let deadline = tokio::time::Instant::now() + FETCH_PATIENCE;
        loop {
            let told = self.fetched.notified();
            let held = self.state().tokens.get(key, unix_now());
            match held {
                Held::Token(token) => return Ok(Turn::Held(token)),
                Held::Renew(token) => return Ok(Turn::Fetch(Some(token))),
                Held::Fetch => return Ok(Turn::Fetch(None)),
                Held::Refused(refusal, _) => return Err(refusal),
                Held::Wait => {
                    // Whoever fetches may have told between the look and here: look again soon in any case.
                    let until = deadline.min(tokio::time::Instant::now() + LOOK_AGAIN);
                    let _ = tokio::time::timeout_at(until, told).await;
                    if tokio::time::Instant::now() >= deadline {
                        return Err(Refusal::unreachable());
                    }
                }
            }
        }
    }

    /// Keeps what was fetched. The old token is good still if Entra ID is only in trouble.
    fn fetched(
        &self,
        key: &TokenKey,
        outcome: Result<TokenGrant, Refusal>,
        old: Option<Secret>,
    ) -> Result<Secret, Refusal> {
        self.state().tokens.fetched(key, outcome.as_ref(), unix_now());
        self.fetched.notify_waiters();
        match (outcome, old) {
            (Ok(grant), _) => Ok(grant.access_token),
            (Err(refusal), Some(old)) if is_passing(&refusal) => {
                tracing::warn!(%refusal, "a token is not renewed; the old one is used while it is good");
                Ok(old)
            }
            (Err(refusal), _) => Err(refusal),
        }
    }

    async fn ask(
        &self,
        request: impl FnOnce(&Client, UnixTime, &mut dyn RngCore) -> Result<Request, CredentialFault>,
    ) -> Result<TokenGrant, Refusal> {
        let credential = match self.settings.proof.credential() {
            Ok(credential) => credential,
            Err(error) => {
                tracing::error!(%error, "microsoft.federated_token_file cannot be read");
                return Err(Refusal::unreachable());
            }
        };
        let client = Client { cloud: self.settings.cloud.clone(), id: self.settings.client, credential };
        let request = match self.with_random(|random| request(&client, unix_now(), random)) {
            Ok(request) => request,
            Err(fault) => {
                tracing::error!(%fault, remedy = fault.remedy(), "Entra ID cannot be asked");
                return Err(Refusal::unreachable());
            }
        };
        let answer: Option<Response> = match self.outbound.send(request).await {
            Ok(answer) => Some(answer),
            Err(fault) => {
                tracing::warn!(%fault, "Entra ID cannot be reached");
                None
            }
        };
        TokenGrant::parse(answer.as_ref())
    }

    /// A token for what a person's own token is exchanged for.
    fn person_key(&self, tenant: EntraTenantId, user: ObjectId, own: &Secret) -> TokenKey {
        let holder = Holder::OnBehalfOf(user, TokenHash::of(own));
        TokenKey { tenant, holder, scopes: self.graph_scope("User.Read") }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether asking again helps without anybody doing anything.
pub fn is_passing(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::Throttled { .. } | Reason::Unavailable { .. } | Reason::Unreachable)
}

/// The time that tokens count in.
pub fn unix_now() -> UnixTime {
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

fn app_key(tenant: EntraTenantId) -> TokenKey {
    TokenKey { tenant, holder: Holder::App, scopes: String::new() }
}

/// How long a discovery document is believed.
const DISCOVERY_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Authorities whose addresses are kept; beyond it all are read anew.
const AUTHORITIES_MAX: usize = 2_000;
/// How long somebody waits for what somebody else is fetching.
const FETCH_PATIENCE: Duration = Duration::from_secs(20);
/// How often whoever waits looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
