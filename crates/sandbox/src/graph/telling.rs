//! What is told to whom: changes of presence and of the directory become items of notifications, and items become
//! the bodies that are posted.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Graph;
use super::delivery::{After, Ended, Item};
use super::presence::Status;
use super::subscription::{ChangeType, Resource, SILENT_AFTER, Standing, Subscription};
use crate::directory::{AppId, Directory, EntraTenantId, ObjectId};
use crate::entra::Entra;

/// One POST to an endpoint.
#[derive(Clone, Debug)]
pub struct Post {
    /// By what its end is told.
    pub id: u64,
    /// Where to.
    pub url: String,
    /// The JSON.
    pub body: Value,
}

impl Graph {
    /// Lets go of what has expired, takes over what has changed in the directory, and puts what is to be told on its
    /// way.
    pub fn handle_timeout(&mut self, now: Timestamp, directory: &Directory) {
        self.follow(now, directory);
        // What time or a command has changed is news to whoever waits for news.
        let version = self.version(directory);
        if std::mem::replace(&mut self.told_version, version) != version {
            self.stir();
        }
    }

    /// When to call that again, if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let all = [
            self.presences.poll_timeout(),
            self.subscriptions.poll_timeout(),
            self.deliveries.poll_timeout(),
        ];
        all.into_iter().flatten().min()
    }

    /// The next POST that is due. Its end is told by [`Graph::posted`].
    pub fn poll_post(&mut self, now: Timestamp, entra: &mut Entra) -> Option<Post> {
        let switches = &self.switches.notifications;
        let (id, delivery) = self.deliveries.poll(now, switches.newest_first, switches.duplicates)?;
        if let Some(body) = delivery.verbatim {
            return Some(Post { id, url: delivery.url, body });
        }
        let rich = delivery.items.iter().filter(|item| item.rich).map(|item| item.audience.clone());
        let audiences: BTreeSet<(AppId, EntraTenantId)> = rich.collect();
        let values: Vec<&Value> = delivery.items.iter().map(|item| &item.value).collect();
        let mut body = json!({ "value": values });
        if !audiences.is_empty() {
            let tokens: Vec<String> =
                audiences.iter().map(|(app, tenant)| entra.change_tracking_token(now, tenant, app)).collect();
            body["validationTokens"] = json!(tokens);
        }
        if !delivery.lifecycle {
            for item in &delivery.items {
                self.last_bodies.insert(item.subscription.clone(), body.clone());
            }
        }
        Some(Post { id, url: delivery.url, body })
    }

    /// A POST ended.
    pub fn posted(&mut self, now: Timestamp, id: u64, ended: Ended) {
        let After::Lost(items) = self.deliveries.ended(now, id, ended) else { return };
        // Only some resources say that something was missed; presence does not.
        let lost: BTreeSet<String> = items.into_iter().map(|item| item.subscription).collect();
        for id in lost {
            let subscription = self.subscriptions.get(&id).cloned();
            if let Some(subscription) = subscription
                && !matches!(subscription.resource, Resource::Presence(_))
            {
                self.tell_lifecycle(now, &subscription, Lifecycle::Missed);
            }
        }
    }

    /// Tells everybody who watches somebody's presence.
    pub(super) fn tell_presence(&mut self, now: Timestamp, person: &str) {
        let person = ObjectId::new(person);
        let status = self.presences.status(person.as_str());
        let watchers: Vec<Subscription> = self.subscriptions.watchers(&person).cloned().collect();
        for subscription in watchers {
            let item = self.presence_item(&subscription, &person, status);
            self.send(now, &subscription, item);
        }
    }

    /// The item that says what somebody's presence is.
    pub(super) fn presence_item(
        &mut self,
        subscription: &Subscription,
        person: &ObjectId,
        status: Status,
    ) -> Item {
        let resource = format!("communications/presences('{person}')");
        let mut value = json!({
            "subscriptionId": subscription.id,
            "clientState": subscription.client_state,
            "changeType": "updated",
            "resource": resource,
            "subscriptionExpirationDateTime": subscription.expires.to_string(),
            "resourceData": { "@odata.type": "#Microsoft.Graph.presence", "@odata.id": resource, "id": person },
            "tenantId": subscription.tenant,
        });
        if let Some(recipient) = &subscription.recipient {
            let plain = json!({
                "@odata.type": "#microsoft.graph.presence",
                "@odata.id": resource,
                "id": person,
                "availability": status.availability,
                "activity": status.activity,
            });
            if let Some(sealed) = recipient.seal(plain.to_string().as_bytes(), &mut self.chance) {
                value["encryptedContent"] = sealed;
            }
        }
        item(subscription, value)
    }

    /// Tells everybody who watches users or groups of a tenant.
    pub(super) fn tell_directory(
        &mut self,
        now: Timestamp,
        tenant: &EntraTenantId,
        changed: &Resource,
        change: ChangeType,
    ) {
        let (kind, set, id) = match changed {
            Resource::Users(Some(id)) => ("User", "Users", id.clone()),
            Resource::Groups(Some(id)) => ("Group", "Groups", id.clone()),
            Resource::Presence(_) | Resource::Users(None) | Resource::Groups(None) => return,
        };
        let watches = |subscription: &&Subscription| {
            let covers = match (&subscription.resource, changed) {
                (Resource::Users(None), Resource::Users(_))
                | (Resource::Groups(None), Resource::Groups(_)) => true,
                (one, other) => one == other,
            };
            covers && subscription.tenant == *tenant && subscription.change_types.contains(&change)
        };
        let watchers: Vec<Subscription> = self.subscriptions.iter().filter(watches).cloned().collect();
        for subscription in watchers {
            let resource = format!("{set}/{id}");
            let value = json!({
                "subscriptionId": subscription.id,
                "clientState": subscription.client_state,
                "changeType": change,
                "resource": resource,
                "subscriptionExpirationDateTime": subscription.expires.to_string(),
                "resourceData": {
                    "@odata.type": format!("#Microsoft.Graph.{kind}"),
                    "@odata.id": resource,
                    "id": id,
                },
                "tenantId": subscription.tenant,
            });
            self.send(now, &subscription, item(&subscription, value));
        }
    }

    fn send(&mut self, now: Timestamp, subscription: &Subscription, item: Item) {
        if subscription.standing == Standing::Silent || self.switches.notifications.lost {
            return;
        }
        let delay = SignedDuration::try_from(self.switches.delay()).unwrap_or(SignedDuration::ZERO);
        self.deliveries.add(now, &subscription.notification_url, false, item, delay);
    }

    /// Tells the lifecycle endpoint of a subscription; without one nobody is told.
    pub(super) fn tell_lifecycle(&mut self, now: Timestamp, subscription: &Subscription, event: Lifecycle) {
        let Some(url) = &subscription.lifecycle_url else { return };
        let value = json!({
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": subscription.expires.to_string(),
            "tenantId": subscription.tenant,
            "clientState": subscription.client_state,
            "lifecycleEvent": event.as_str(),
        });
        let item = Item { rich: false, ..item(subscription, value) };
        self.deliveries.add(now, url, true, item, SignedDuration::ZERO);
    }

    /// What time does to subscriptions: they end, and they have to be authorised again.
    pub(super) fn age_subscriptions(&mut self, now: Timestamp) {
        if self.subscriptions.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        let ended = self.subscriptions.iter().filter(|one| one.expires <= now);
        let ended: Vec<String> = ended.map(|one| one.id.clone()).collect();
        for id in ended {
            self.end(&id);
        }
        let mut warned = Vec::new();
        for subscription in self.subscriptions.iter_mut() {
            match subscription.standing {
                Standing::Good { warned_at } if warned_at <= now => {
                    subscription.standing = Standing::Warned { silent_at: now + SILENT_AFTER };
                    warned.push(subscription.clone());
                }
                Standing::Warned { silent_at } if silent_at <= now => {
                    subscription.standing = Standing::Silent;
                }
                Standing::Good { .. } | Standing::Warned { .. } | Standing::Silent => {}
            }
        }
        for subscription in warned {
            self.tell_lifecycle(now, &subscription, Lifecycle::ReauthorizationRequired);
        }
    }

    /// Consent has changed: what an application may no longer watch falls silent, and its endpoint is told that it has
    /// to be authorised again.
    pub(super) fn check_consent(
        &mut self,
        now: Timestamp,
        directory: &Directory,
        tenant: &EntraTenantId,
        app: &AppId,
    ) {
        let principal = directory.tenant(tenant).and_then(|tenant| tenant.principals.get(app));
        let allowed = |subscription: &Subscription| {
            principal.is_some_and(|principal| match (&subscription.resource, &subscription.creator) {
                (Resource::Presence(_), Some(user)) => principal.may_for(user, "Presence.Read.All"),
                _ => true,
            })
        };
        let mine = |one: &&mut Subscription| one.app == *app && one.tenant == *tenant;
        let mut silenced = Vec::new();
        for subscription in self.subscriptions.iter_mut().filter(mine) {
            if subscription.standing != Standing::Silent && !allowed(subscription) {
                subscription.standing = Standing::Silent;
                silenced.push(subscription.clone());
            }
        }
        for subscription in silenced {
            self.tell_lifecycle(now, &subscription, Lifecycle::ReauthorizationRequired);
        }
    }

    /// Puts a subscription in, or another in its place.
    pub(super) fn put(&mut self, subscription: Subscription) {
        self.subscriptions.insert(subscription);
        self.revision += 1;
    }

    /// Ends a subscription and forgets what waits for it.
    pub(super) fn end(&mut self, id: &str) -> Option<Subscription> {
        let ended = self.subscriptions.remove(id)?;
        self.deliveries.forget(id);
        self.last_bodies.remove(id);
        self.revision += 1;
        Some(ended)
    }
}

/// What happens to subscriptions themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lifecycle {
    /// It has to be authorised again, or falls silent.
    ReauthorizationRequired,
    /// It is gone.
    SubscriptionRemoved,
    /// Notifications have been lost.
    Missed,
}

impl Lifecycle {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReauthorizationRequired => "reauthorizationRequired",
            Self::SubscriptionRemoved => "subscriptionRemoved",
            Self::Missed => "missed",
        }
    }
}

fn item(subscription: &Subscription, value: Value) -> Item {
    Item {
        subscription: subscription.id.clone(),
        audience: (subscription.app.clone(), subscription.tenant.clone()),
        rich: subscription.recipient.is_some(),
        value,
    }
}
