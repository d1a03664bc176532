//! Subscriptions: who wants to be told of which changes, where, and until when ("subscription resource type").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::communications::IDS_MAX;
use super::exchange::decode;
use super::fault::Fault;
use super::filter::Filter;
use super::sealed::Recipient;
use crate::directory::{AppId, EntraTenantId, ObjectId, Tenant};

/// All subscriptions that live.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    list: BTreeMap<String, Subscription>,
    watchers: BTreeMap<ObjectId, BTreeSet<String>>,
}

/// A subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// The application that made it.
    pub app: AppId,
    /// In which tenant.
    pub tenant: EntraTenantId,
    /// In whose name; `None`: in its own.
    pub creator: Option<ObjectId>,
    /// What is watched.
    pub resource: Resource,
    /// The resource as the subscriber wrote it.
    pub resource_text: String,
    /// Which changes.
    pub change_types: BTreeSet<ChangeType>,
    /// Where notifications go.
    pub notification_url: String,
    /// Where lifecycle notifications go.
    pub lifecycle_url: Option<String>,
    /// What goes back with every notification.
    pub client_state: Option<String>,
    /// When it ends.
    pub expires: Timestamp,
    /// For whom what changed is encrypted.
    pub recipient: Option<Recipient>,
    /// TLS of at least this version.
    pub tls: Option<String>,
    /// Whether it may still tell.
    pub standing: Standing,
}

/// Whether a subscription may still tell what it watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Yes, and at this time the subscriber is told to authorise it again.
    Good {
        /// When.
        warned_at: Timestamp,
    },
    /// The subscriber has been told; from this time on nothing is delivered.
    Warned {
        /// When.
        silent_at: Timestamp,
    },
    /// Nothing is delivered until it is authorised again.
    Silent,
}

impl Standing {
    /// Authorised now.
    pub fn good(now: Timestamp) -> Self {
        Self::Good { warned_at: now + WARNED_AFTER }
    }
}

/// What can be watched here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The presence of these people.
    Presence(Arc<[ObjectId]>),
    /// All users, or one.
    Users(Option<ObjectId>),
    /// All groups, or one.
    Groups(Option<ObjectId>),
}

impl Resource {
    /// Reads a resource; the id of everybody must be of the tenant.
    pub fn read(text: &str, tenant: &Tenant) -> Result<Self, Fault> {
        let wrong = || Fault::Bad(format!("The value of resource '{text}' is not supported."));
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let path = path.trim_matches('/').trim_start_matches("v1.0/");
        let path = path.replace("('", "/").replace("')", "");
        let parts: Vec<&str> = path.split('/').collect();
        let one = |id: &str| ObjectId::new(id);
        match (parts.as_slice(), query) {
            (["communications", "presences", id], "") => Self::presence(vec![one(id)], tenant),
            (["communications", "presences"], query) if !query.is_empty() => {
                let filter = query.strip_prefix("$filter=").ok_or_else(wrong)?;
                let ids = Filter::ids(&decode(filter)).ok_or_else(wrong)?;
                Self::presence(ids.iter().map(|id| one(id)).collect(), tenant)
            }
            (["users"], "") => Ok(Self::Users(None)),
            (["users", id], "") if tenant.users.contains_key(&one(id)) => Ok(Self::Users(Some(one(id)))),
            (["groups"], "") => Ok(Self::Groups(None)),
            (["groups", id], "") if tenant.groups.contains_key(&one(id)) => Ok(Self::Groups(Some(one(id)))),
            (["users" | "groups", id], "") => Err(Fault::NoResource((*id).to_owned())),
            _ => Err(wrong()),
        }
    }

    fn presence(ids: Vec<ObjectId>, tenant: &Tenant) -> Result<Self, Fault> {
        if ids.len() > IDS_MAX {
            return Err(Fault::Bad(format!("The filter holds more than {IDS_MAX} ids.")));
        }
        match ids.iter().find(|id| !tenant.users.contains_key(*id)) {
            Some(unknown) => Err(Fault::NoResource(unknown.to_string())),
            None => Ok(Self::Presence(ids.into())),
        }
    }

    /// The longest that a subscription lives.
    pub fn lives_at_most(&self) -> SignedDuration {
        match self {
            Self::Presence(_) => PRESENCE_LIVES,
            Self::Users(_) | Self::Groups(_) => DIRECTORY_LIVES,
        }
    }
}

/// Kinds of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "Microsoft's words")]
pub enum ChangeType {
    Created,
    Updated,
    Deleted,
}

impl ChangeType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }

    /// Reads a comma list.
    pub fn read(text: &str) -> Result<BTreeSet<Self>, Fault> {
        let one = |word: &str| match word.trim() {
            "created" => Ok(Self::Created),
            "updated" => Ok(Self::Updated),
            "deleted" => Ok(Self::Deleted),
            other => Err(Fault::Bad(format!("The changeType '{other}' is not supported."))),
        };
        text.split(',').map(one).collect()
    }
}

/// A subscription as it is asked for, or changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Asked {
    #[serde(rename = "@odata.type")]
    _type: Option<String>,
    /// A comma list.
    pub change_type: Option<String>,
    /// Where notifications go.
    pub notification_url: Option<String>,
    /// Where lifecycle notifications go.
    pub lifecycle_notification_url: Option<String>,
    /// What is watched.
    pub resource: Option<String>,
    /// When it shall end.
    pub expiration_date_time: Option<String>,
    /// What goes back with every notification.
    pub client_state: Option<String>,
    /// TLS of at least this version.
    pub latest_supported_tls_version: Option<String>,
    /// Notifications say what changed.
    pub include_resource_data: Option<bool>,
    /// The certificate for that.
    pub encryption_certificate: Option<String>,
    /// Its id.
    pub encryption_certificate_id: Option<String>,
    /// The application at the URL.
    pub notification_url_app_id: Option<String>,
    /// Options of the query behind notifications.
    pub notification_query_options: Option<String>,
}

impl Asked {
    /// Takes everything that has to do with notifications that say what changed.
    pub fn recipient(&self) -> Result<Option<Recipient>, Fault> {
        let (Some(certificate), Some(id)) = (&self.encryption_certificate, &self.encryption_certificate_id)
        else {
            let needed = self.include_resource_data == Some(true);
            let alone = self.encryption_certificate.is_some() || self.encryption_certificate_id.is_some();
            if needed || alone {
                return Err(Fault::Bad(
                    "encryptionCertificate and encryptionCertificateId are required together when \
                     includeResourceData is set."
                        .to_owned(),
                ));
            }
            return Ok(None);
        };
        Recipient::read(certificate, id).map(Some).map_err(|fault| Fault::Bad(fault.to_string()))
    }

    /// When it shall end, if that is in the future and not too far.
    pub fn expires(&self, now: Timestamp, longest: SignedDuration) -> Result<Timestamp, Fault> {
        let text = self.expiration_date_time.as_deref().unwrap_or_default();
        let at: Timestamp = text.parse().map_err(|_| {
            Fault::Bad("The value of expirationDateTime is required, in UTC as RFC 3339 has it.".to_owned())
        })?;
        if at <= now {
            return Err(Fault::Bad("Subscription expiration must be in the future.".to_owned()));
        }
        // Clocks differ: what is asked for a little too long is what was meant to be the longest.
        if at > now + longest + CLOCKS_DIFFER {
            return Err(Fault::Bad(format!(
                "Subscription expiration can only be {} minutes in the future for requested resource.",
                longest.as_mins()
            )));
        }
        Ok(at)
    }
}

impl Subscription {
    /// The `subscription` resource. The client's secret is told once, in the answer to who made it.
    pub fn resource(&self, base: &str, with_state: bool) -> Value {
        let changes: Vec<&str> = self.change_types.iter().map(|change| change.as_str()).collect();
        json!({
            "@odata.context": format!("{base}/$metadata#subscriptions/$entity"),
            "id": self.id,
            "resource": self.resource_text,
            "applicationId": self.app.as_str(),
            "changeType": changes.join(","),
            "clientState": self.client_state.as_ref().filter(|_| with_state),
            "notificationUrl": self.notification_url,
            "notificationQueryOptions": null,
            "notificationContentType": null,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": self.expires.to_string(),
            "creatorId": self.creator.as_ref().map_or(self.app.as_str(), ObjectId::as_str),
            "includeResourceData": self.recipient.is_some(),
            "latestSupportedTlsVersion": self.tls.as_deref().unwrap_or("v1_2"),
            "encryptionCertificate": null,
            "encryptionCertificateId": self.recipient.as_ref().map(Recipient::id),
            "notificationUrlAppId": null,
        })
    }
}

impl Subscriptions {
    /// Refuses a subscription that is there already, or one too many.
    pub fn admit(&self, new: &Subscription) -> Result<(), Fault> {
        let others = || self.list.values().filter(|other| other.id != new.id);
        let same = |other: &&Subscription| {
            other.app == new.app
                && other.tenant == new.tenant
                && other.resource == new.resource
                && other.change_types == new.change_types
        };
        if others().any(|other| same(&other)) {
            return Err(Fault::Conflict("Subscription already exists for the given resource."));
        }
        let of_kind = |other: &&Subscription| {
            matches!(other.resource, Resource::Presence(_)) == matches!(new.resource, Resource::Presence(_))
        };
        let count = |fits: &dyn Fn(&Subscription) -> bool| {
            others().filter(of_kind).filter(|other| fits(other)).count()
        };
        let by_app = |other: &Subscription| other.app == new.app;
        let by_app_and_tenant = |other: &Subscription| by_app(other) && other.tenant == new.tenant;
        let quotas: &[(&str, usize, usize)] = match new.resource {
            Resource::Presence(_) => {
                let own = |other: &Subscription| by_app_and_tenant(other) && other.creator == new.creator;
                &[("per user and application", count(&own), 1)]
            }
            Resource::Users(_) | Resource::Groups(_) => &[
                ("per application and tenant", count(&by_app_and_tenant), 100),
                ("per tenant", count(&|other| other.tenant == new.tenant), 1_000),
                ("per application", count(&by_app), 50_000),
            ],
        };
        match quotas.iter().find(|(_, count, limit)| count >= limit) {
            Some((what, _, limit)) => {
                let text = format!("Number of subscriptions exceeded the quota of {limit} {what}.");
                Err(Fault::Forbidden(text))
            }
            None => Ok(()),
        }
    }

    /// Puts a subscription in, or another in its place.
    pub fn insert(&mut self, subscription: Subscription) {
        self.remove(&subscription.id);
        if let Resource::Presence(people) = &subscription.resource {
            for person in people.iter() {
                self.watchers.entry(person.clone()).or_default().insert(subscription.id.clone());
            }
        }
        self.list.insert(subscription.id.clone(), subscription);
    }

    /// Takes one out.
    pub fn remove(&mut self, id: &str) -> Option<Subscription> {
        let removed = self.list.remove(id)?;
        if let Resource::Presence(people) = &removed.resource {
            for person in people.iter() {
                if let Some(watchers) = self.watchers.get_mut(person) {
                    watchers.remove(id);
                    if watchers.is_empty() {
                        self.watchers.remove(person);
                    }
                }
            }
        }
        Some(removed)
    }

    /// One by its id.
    pub fn get(&self, id: &str) -> Option<&Subscription> {
        self.list.get(id)
    }

    /// One by its id, to change what is not watched by it.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Subscription> {
        self.list.get_mut(id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.list.values()
    }

    /// All of them, to change what is not watched by them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Subscription> {
        self.list.values_mut()
    }

    /// Those that watch the presence of somebody.
    pub fn watchers(&self, person: &ObjectId) -> impl Iterator<Item = &Subscription> {
        let ids = self.watchers.get(person);
        ids.into_iter().flatten().filter_map(|id| self.list.get(id))
    }

    /// When the next one ends or has to be warned.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let next = |subscription: &Subscription| match subscription.standing {
            Standing::Good { warned_at: at } | Standing::Warned { silent_at: at } => {
                at.min(subscription.expires)
            }
            Standing::Silent => subscription.expires,
        };
        self.list.values().map(next).min()
    }
}

const PRESENCE_LIVES: SignedDuration = SignedDuration::from_mins(60);
const DIRECTORY_LIVES: SignedDuration = SignedDuration::from_mins(41_760);
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(60);
/// A subscription is authorised by a token that lives an hour: a quarter of an hour before that its subscriber is told
/// to authorise it again.
const WARNED_AFTER: SignedDuration = SignedDuration::from_mins(45);
/// From the warning to silence.
pub(super) const SILENT_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// "subscription resource type": the length of clientState.
pub(super) const STATE_LETTERS_MAX: usize = 128;
