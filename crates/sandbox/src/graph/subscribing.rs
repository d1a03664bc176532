//! Subscriptions over Graph: made after a handshake, renewed, authorised again, ended.

use axum::http::Uri;
use serde_json::Value;

use super::exchange::{Answer, Tags};
use super::fault::Fault;
use super::permission::Operation;
use super::subscription::{Asked, ChangeType, Resource, STATE_LETTERS_MAX, Standing, Subscription};
use super::visit::Visit;
use super::{Graph, Outcome};

/// What must be asked of endpoints before a request about a subscription is answered: each has to send back the token
/// that it gets.
#[derive(Debug)]
pub struct Handshake {
    /// The endpoints and their tokens, one after the other.
    pub asked: Vec<(String, String)>,
    base: String,
    becomes: Becomes,
}

#[derive(Debug)]
enum Becomes {
    New(Subscription),
    Changed(Subscription),
}

impl Visit<'_> {
    /// `POST /subscriptions`.
    pub(super) fn subscribe(&mut self) -> Result<Outcome, Fault> {
        let asked: Asked = self.request.json()?;
        let required = |value: &Option<String>, name: &str| {
            let value = value.clone().filter(|value| !value.is_empty());
            value.ok_or_else(|| Fault::Bad(format!("The value of {name} is required.")))
        };
        let resource_text = required(&asked.resource, "resource")?;
        let change_types = ChangeType::read(&required(&asked.change_type, "changeType")?)?;
        let notification_url = required(&asked.notification_url, "notificationUrl")?;
        check_url(&notification_url)?;
        if let Some(url) = &asked.lifecycle_notification_url {
            check_url(url)?;
        }
        let resource = Resource::read(&resource_text, self.tenant)?;
        self.may_watch(&resource)?;
        let is_presence = matches!(resource, Resource::Presence(_));
        if is_presence && change_types.iter().any(|change| *change != ChangeType::Updated) {
            return Err(Fault::Bad("Presence supports the changeType 'updated' only.".to_owned()));
        }
        let recipient = asked.recipient()?.filter(|_| asked.include_resource_data == Some(true));
        if recipient.is_some() && !is_presence {
            return Err(Fault::Bad("Resource data is not supported for this resource.".to_owned()));
        }
        if asked.client_state.as_ref().is_some_and(|state| state.chars().count() > STATE_LETTERS_MAX) {
            return Err(Fault::Bad(format!("clientState is longer than {STATE_LETTERS_MAX} characters.")));
        }
        if let Some(version) = &asked.latest_supported_tls_version
            && !["v1_0", "v1_1", "v1_2", "v1_3"].contains(&version.as_str())
        {
            return Err(Fault::Bad("The value of latestSupportedTlsVersion is not known.".to_owned()));
        }
        let subscription = Subscription {
            id: self.graph.chance.guid(),
            app: self.caller.app.clone(),
            tenant: self.caller.tenant.clone(),
            creator: self.caller.user.clone(),
            expires: asked.expires(self.now, resource.lives_at_most())?,
            resource,
            resource_text,
            change_types,
            notification_url,
            lifecycle_url: asked.lifecycle_notification_url,
            client_state: asked.client_state,
            recipient,
            tls: asked.latest_supported_tls_version,
            standing: Standing::good(self.now),
        };
        self.graph.subscriptions.admit(&subscription)?;
        let mut urls = vec![subscription.notification_url.clone()];
        urls.extend(subscription.lifecycle_url.clone());
        Ok(self.shake(urls, Becomes::New(subscription)))
    }

    /// `GET /subscriptions`.
    pub(super) fn subscriptions(&mut self) -> Result<Outcome, Fault> {
        let mine = self.graph.subscriptions.iter().filter(|one| self.is_mine(one));
        let told = mine.map(|one| {
            let mut told = one.resource(&self.request.base, false);
            if let Some(told) = told.as_object_mut() {
                told.remove("@odata.context");
            }
            told
        });
        let told: Vec<Value> = told.collect();
        Ok(self.whole("subscriptions", told))
    }

    /// `GET /subscriptions/{id}`.
    pub(super) fn subscription(&mut self, id: &str) -> Result<Outcome, Fault> {
        let found = self.mine(id)?.resource(&self.request.base, false);
        Ok(Outcome::Answer(Answer::json(200, found)))
    }

    /// `PATCH /subscriptions/{id}`.
    pub(super) fn renew(&mut self, id: &str) -> Result<Outcome, Fault> {
        let mut changed = self.mine(id)?.clone();
        self.may_watch(&changed.resource)?;
        let asked: Asked = self.request.json()?;
        let fixed = [
            ("changeType", asked.change_type.is_some()),
            ("clientState", asked.client_state.is_some()),
            ("lifecycleNotificationUrl", asked.lifecycle_notification_url.is_some()),
            ("resource", asked.resource.is_some()),
        ];
        if let Some((name, _)) = fixed.iter().find(|(_, given)| *given) {
            return Err(Fault::Bad(format!("The property {name} cannot be updated.")));
        }
        if asked.expiration_date_time.is_some() {
            changed.expires = asked.expires(self.now, changed.resource.lives_at_most())?;
        }
        if let Some(recipient) = asked.recipient()? {
            if changed.recipient.is_none() {
                return Err(Fault::Bad("The subscription does not include resource data.".to_owned()));
            }
            changed.recipient = Some(recipient);
        }
        changed.standing = Standing::good(self.now);
        if let Some(url) = asked.notification_url.filter(|url| *url != changed.notification_url) {
            check_url(&url)?;
            changed.notification_url.clone_from(&url);
            return Ok(self.shake(vec![url], Becomes::Changed(changed)));
        }
        let told = changed.resource(&self.request.base, false);
        self.graph.put(changed);
        Ok(Outcome::Answer(Answer::json(200, told)))
    }

    /// `POST /subscriptions/{id}/reauthorize`.
    pub(super) fn reauthorize(&mut self, id: &str) -> Result<Outcome, Fault> {
        let mut changed = self.mine(id)?.clone();
        self.may_watch(&changed.resource)?;
        changed.standing = Standing::good(self.now);
        self.graph.put(changed);
        Ok(Outcome::Answer(Answer::empty(200)))
    }

    /// `DELETE /subscriptions/{id}`.
    pub(super) fn unsubscribe(&mut self, id: &str) -> Result<Outcome, Fault> {
        let id = self.mine(id)?.id.clone();
        self.graph.end(&id);
        Ok(Outcome::Answer(Answer::empty(204)))
    }

    fn shake(&mut self, urls: Vec<String>, becomes: Becomes) -> Outcome {
        let asked = urls.into_iter().map(|url| (url, self.graph.validation_token())).collect();
        Outcome::Handshake(Box::new(Handshake { asked, base: self.request.base.clone(), becomes }))
    }

    fn mine(&self, id: &str) -> Result<&Subscription, Fault> {
        let found = self.graph.subscriptions.get(&id.to_ascii_lowercase()).filter(|one| self.is_mine(one));
        found.ok_or(Fault::NotFound("The object was not found."))
    }

    /// An application sees its own; in somebody's name, those that were made in that name.
    fn is_mine(&self, subscription: &Subscription) -> bool {
        let same_user = self.caller.user.is_none() || self.caller.user == subscription.creator;
        subscription.app == self.caller.app && subscription.tenant == self.caller.tenant && same_user
    }

    fn may_watch(&self, resource: &Resource) -> Result<(), Fault> {
        match resource {
            Resource::Presence(_) if self.caller.user.is_none() => Err(Fault::Forbidden(
                "Application permissions are not supported for subscriptions to presence.".to_owned(),
            )),
            Resource::Presence(_) => self.need(Operation::PresenceSubscribe, None),
            Resource::Users(_) => self.need(Operation::UsersDelta, None),
            Resource::Groups(_) => self.need(Operation::GroupsDelta, None),
        }
    }
}

impl Graph {
    /// The endpoints have answered a handshake, or one of them has not, for the reason that is given.
    pub fn shaken(
        &mut self,
        now: jiff::Timestamp,
        tags: &Tags,
        handshake: Handshake,
        answered: Result<(), String>,
    ) -> Answer {
        let Handshake { base, becomes, .. } = handshake;
        let done = answered.map_err(Fault::Validation).and_then(|()| match becomes {
            Becomes::New(subscription) => {
                // Another of the kind may have been made meanwhile.
                self.subscriptions.admit(&subscription)?;
                let told = subscription.resource(&base, true);
                self.put(subscription);
                Ok(Answer::json(201, told))
            }
            Becomes::Changed(subscription) => {
                if self.subscriptions.get(&subscription.id).is_none() {
                    return Err(Fault::NotFound("The object was not found."));
                }
                let told = subscription.resource(&base, false);
                self.put(subscription);
                Ok(Answer::json(200, told))
            }
        });
        self.stir();
        done.unwrap_or_else(|fault| Answer::fault(&fault, now, tags))
    }

    fn validation_token(&mut self) -> String {
        format!(
            "Validation: Testing client application reachability for subscription Request-Id: {}",
            self.chance.guid()
        )
    }
}

/// HTTPS to anywhere; plain HTTP to this machine only, which Microsoft does not allow and the sandbox does, for
/// endpoints without a certificate.
fn check_url(url: &str) -> Result<(), Fault> {
    let wrong = || Fault::Bad(format!("The notification URL '{url}' is not valid: HTTPS is required."));
    if url.len() > URL_OCTETS_MAX {
        return Err(wrong());
    }
    let parsed: Uri = url.parse().map_err(|_| wrong())?;
    let host = parsed.host().ok_or_else(wrong)?;
    match parsed.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_here(host) => Ok(()),
        _ => Err(wrong()),
    }
}

/// Whether a host is this machine.
pub(super) fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Chosen by taste.
const URL_OCTETS_MAX: usize = 2048;
