//! What Graph tells us without being asked: that something changed, or that a subscription needs care.
//!
//! The endpoint is open to the world, so nothing in a delivery is believed until it is proved: its tokens
//! ([`Delivery::prove`]), its subscription and state ([`Watcher::handle_notification`](crate::graph::watch::Watcher)), its
//! newness ([`Memory`]) and its seal ([`Sealed`]). Graph is answered 202 in any case: who forges learns nothing.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use url::form_urlencoded;

use crate::graph::sealed::{self, Sealed};
use crate::graph::subscription::{CLIENT_STATE_OCTETS_MAX, SubscriptionId};
use crate::id::{EntraTenantId, ObjectId};
use crate::secret::Secret;
use crate::time::UnixTime;

/// One POST to our endpoint: items of any subscriptions and tenants.
#[derive(Debug, Default)]
pub struct Delivery {
    /// What is told, in no order.
    pub items: Vec<Item>,
    /// The tokens that prove who tells it; one for each application and tenant with encrypted content.
    pub tokens: Vec<Secret>,
    /// Items that cannot be read.
    pub strange: usize,
}

/// One thing told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// For which subscription.
    pub subscription: SubscriptionId,
    /// In which tenant.
    pub tenant: Option<EntraTenantId>,
    /// What we gave the subscription to be recognised by.
    pub client_state: Option<Secret>,
    /// What it is.
    pub what: What,
}

/// What is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum What {
    /// Something changed.
    Changed {
        /// What changed, if it is named by a GUID.
        resource: Option<ObjectId>,
        /// What it is now, if the subscription asked for it.
        content: Option<Sealed>,
    },
    /// Something happened to the subscription itself.
    Lifecycle(Lifecycle),
}

/// What happens to a subscription.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lifecycle {
    /// It will end unless it is reauthorised or renewed.
    ReauthorisationRequired,
    /// It was ended.
    Removed,
    /// Something was not told: look for yourself.
    Missed,
    /// Something that we do not know.
    Other,
}

/// Why something told is not believed. It is counted, and never answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Distrust {
    /// There is encrypted content, and no token for its tenant.
    #[error("no validation token for the tenant")]
    NoToken,
    /// A token is wrong; the whole delivery is not believed.
    #[error("a validation token is wrong")]
    WrongToken,
    /// We have no subscription of this name.
    #[error("not a subscription of ours")]
    UnknownSubscription,
    /// It is told for another tenant than the subscription's.
    #[error("told for another tenant")]
    WrongTenant,
    /// It does not bring what we gave the subscription to be recognised by.
    #[error("the client state is not ours")]
    WrongState,
    /// It was told before.
    #[error("told before")]
    Repeated,
}

/// A delivery cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unreadable {
    /// It is longer than [`DELIVERY_OCTETS_MAX`], or has more items or tokens than we read.
    #[error("too large")]
    TooLarge,
    /// It is not what Graph sends.
    #[error("not a delivery of Microsoft Graph")]
    Malformed,
}

impl Delivery {
    /// Reads the body of a POST. Items that cannot be read are counted and left out. What is built of it is never larger
    /// than a few times the body, whatever stands in it: anybody can send one.
    ///
    /// # Errors
    /// It is too large, or nothing that Graph sends.
    pub fn parse(body: &[u8]) -> Result<Self, Unreadable> {
        if body.len() > DELIVERY_OCTETS_MAX {
            return Err(Unreadable::TooLarge);
        }
        let wire: WireDelivery<'_> = serde_json::from_slice(body).map_err(|_| Unreadable::Malformed)?;
        let tokens = wire.validation_tokens.unwrap_or_default();
        if wire.value.has_more || tokens.has_more {
            return Err(Unreadable::TooLarge);
        }
        let tokens = tokens.kept.into_iter().map(Secret::new).collect();
        let mut delivery = Self { tokens, ..Self::default() };
        for text in wire.value.kept {
            match serde_json::from_str::<WireItem>(text.get()).ok().and_then(WireItem::item) {
                Some(item) => delivery.items.push(item),
                None => delivery.strange += 1,
            }
        }
        Ok(delivery)
    }

    /// Whether something in it is encrypted, so that it must bring tokens.
    #[must_use]
    pub fn is_rich(&self) -> bool {
        self.items.iter().any(Item::is_rich)
    }

    /// Proves who sent it. `check` says of a token for which tenant it proves it, or nothing if it is wrong.
    ///
    /// All tokens are looked at. Encrypted content needs one for its tenant; what only names a change needs none, for
    /// it makes us ask Graph and no more.
    ///
    /// # Errors
    /// One token is wrong, or one is missing: nothing of the delivery is to be believed.
    pub fn prove(&self, mut check: impl FnMut(&Secret) -> Option<EntraTenantId>) -> Result<(), Distrust> {
        let mut proved = BTreeSet::new();
        let mut wrong = false;
        for token in &self.tokens {
            match check(token) {
                Some(tenant) if self.items.iter().any(|item| item.tenant == Some(tenant)) => {
                    proved.insert(tenant);
                }
                _ => wrong = true,
            }
        }
        if wrong {
            return Err(Distrust::WrongToken);
        }
        let unproved = |item: &Item| item.is_rich() && !item.tenant.is_some_and(|t| proved.contains(&t));
        if self.items.iter().any(unproved) { Err(Distrust::NoToken) } else { Ok(()) }
    }
}

impl Item {
    /// Whether it brings encrypted content.
    #[must_use]
    pub fn is_rich(&self) -> bool {
        matches!(self.what, What::Changed { content: Some(_), .. })
    }

    /// What it is recognised by when it comes again: none for what has nothing of its own, and harms nobody twice.
    fn mark(&self) -> Option<u128> {
        let What::Changed { content: Some(content), .. } = &self.what else { return None };
        let mut context = digest::Context::new(&SHA256);
        // The data key is another for each item, so both together belong to this one alone.
        context.update(self.subscription.as_str().as_bytes());
        context.update(&[0]);
        context.update(&content.signature);
        context.update(&content.data_key);
        let digest = context.finish();
        digest.as_ref().first_chunk().map(|first: &[u8; 16]| u128::from_be_bytes(*first))
    }
}

/// What was told already, so that a copy is not taken for news.
///
/// Graph repeats itself for up to four hours when it doubts that we heard; and who has overheard a delivery could send it
/// again, to make somebody look available. What was told is remembered for [`MEMORY_KEPT`], or until [`MEMORY_MAX`] others came. A
/// copy that comes later still needs a token that has not expired, and is put right by the next poll.
#[derive(Debug, Default)]
pub struct Memory {
    marks: BTreeSet<u128>,
    order: VecDeque<(UnixTime, u128)>,
}

impl Memory {
    /// Nothing told yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an item with content; whether it is new. An item without content is always new.
    pub fn is_new(&mut self, now: UnixTime, item: &Item) -> bool {
        let Some(mark) = item.mark() else { return true };
        while let Some((at, oldest)) = self.order.front().copied()
            && (now.since(at) >= MEMORY_KEPT || self.order.len() >= MEMORY_MAX)
        {
            self.order.pop_front();
            self.marks.remove(&oldest);
        }
        let new = self.marks.insert(mark);
        if new {
            self.order.push_back((now, mark));
        }
        new
    }
}

/// The text that Graph wants back to see that an address is ours: the `validationToken` of the query, decoded.
///
/// It is answered with 200, [`VALIDATION_CONTENT_TYPE`] and this text alone, within 10 s, whatever else is going on: Graph
/// asks while our own call to create the subscription waits. Anybody can ask, so nothing but plain text is made of it.
#[must_use]
pub fn validation_token(query: &str) -> Option<String> {
    if query.len() > VALIDATION_OCTETS_MAX {
        return None;
    }
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "validationToken")
        .map(|(_, token)| token.into_owned())
}

/// How a validation is answered.
pub const VALIDATION_CONTENT_TYPE: &str = "text/plain; charset=utf-8";

/// Octets of a query that is looked into for a validation; a longer one is none.
pub const VALIDATION_OCTETS_MAX: usize = 8 * 1024;

/// Octets of a delivery that a shell reads: some 10 KiB for each item that Graph sends at once. A longer one is answered 413
/// and not read.
pub const DELIVERY_OCTETS_MAX: usize = 1024 * 1024;

/// Items in one delivery; Graph sends up to about 100. More, and nothing is read.
pub const ITEMS_MAX: usize = 2000;

/// Tokens in one delivery; one for each application and tenant in it. Each costs a signature check.
pub const TOKENS_MAX: usize = 100;

/// How long a change is remembered to know a copy: for as long as Graph repeats it.
pub const MEMORY_KEPT: Duration = Duration::from_secs(4 * 3600);

/// Changes that are remembered at once: some 20 MB at most. Then the oldest is forgotten.
pub const MEMORY_MAX: usize = 1 << 18;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDelivery<'a> {
    /// Items as they stand in the body: one that is none is no fault of the others.
    #[serde(borrow)]
    value: AtMost<&'a RawValue, ITEMS_MAX>,
    #[serde(default)]
    validation_tokens: Option<AtMost<String, TOKENS_MAX>>,
}

/// The first of a list. What comes after them is passed over and takes no memory.
struct AtMost<T, const MAX: usize> {
    kept: Vec<T>,
    has_more: bool,
}

impl<T, const MAX: usize> Default for AtMost<T, MAX> {
    fn default() -> Self {
        Self { kept: Vec::new(), has_more: false }
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for AtMost<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct First<T, const MAX: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for First<T, MAX> {
            type Value = AtMost<T, MAX>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut first = AtMost::default();
                while first.kept.len() < MAX {
                    match list.next_element()? {
                        Some(one) => first.kept.push(one),
                        None => return Ok(first),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    first.has_more = true;
                }
                Ok(first)
            }
        }

        deserializer.deserialize_seq(First(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireItem {
    subscription_id: String,
    tenant_id: Option<String>,
    organization_id: Option<String>,
    client_state: Option<String>,
    lifecycle_event: Option<String>,
    resource_data: Option<WireResource>,
    encrypted_content: Option<sealed::Wire>,
}

#[derive(Deserialize)]
struct WireResource {
    id: Option<String>,
}

impl WireItem {
    fn item(self) -> Option<Item> {
        if self.client_state.as_ref().is_some_and(|state| state.len() > CLIENT_STATE_OCTETS_MAX) {
            return None;
        }
        let what = match self.lifecycle_event.as_deref() {
            Some("reauthorizationRequired") => What::Lifecycle(Lifecycle::ReauthorisationRequired),
            Some("subscriptionRemoved") => What::Lifecycle(Lifecycle::Removed),
            Some("missed") => What::Lifecycle(Lifecycle::Missed),
            Some(_) => What::Lifecycle(Lifecycle::Other),
            None => What::Changed {
                resource: self.resource_data.and_then(|data| data.id?.parse().ok()),
                content: match self.encrypted_content {
                    Some(wire) => Some(wire.sealed()?),
                    None => None,
                },
            },
        };
        let tenant = self.tenant_id.or(self.organization_id);
        Some(Item {
            subscription: SubscriptionId::new(&self.subscription_id)?,
            tenant: tenant.and_then(|tenant| tenant.parse().ok()),
            client_state: self.client_state.map(Secret::new),
            what,
        })
    }
}
