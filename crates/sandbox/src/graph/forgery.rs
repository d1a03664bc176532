//! Notifications that Microsoft never sent, on command: each has one thing wrong, and a subscriber must not believe it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Graph;
use super::presence::Status;
use super::subscription::Subscription;
use crate::directory::ObjectId;
use crate::entra::{CHANGE_TRACKING, Entra, jwt};

/// What is wrong with a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forgery {
    /// Another clientState.
    ClientState,
    /// None.
    NoClientState,
    /// A subscription that nobody made.
    Subscription,
    /// Another tenant in the item.
    Tenant,
    /// No validation tokens beside encrypted content.
    NoToken,
    /// A token without a signature (`alg` none).
    Unsigned,
    /// A token signed by a key that is not Entra's.
    ForeignKey,
    /// A token for another application.
    Audience,
    /// A token of another tenant.
    TokenTenant,
    /// A token that has expired.
    Expired,
    /// A token of another sender than Microsoft Graph Change Tracking.
    Sender,
    /// Ciphertext that was changed after it was signed.
    Content,
    /// A certificate that the subscriber never gave.
    Certificate,
    /// The last true notification of the subscription once more, as it was.
    Replay,
}

impl Forgery {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ClientState,
        Self::NoClientState,
        Self::Subscription,
        Self::Tenant,
        Self::NoToken,
        Self::Unsigned,
        Self::ForeignKey,
        Self::Audience,
        Self::TokenTenant,
        Self::Expired,
        Self::Sender,
        Self::Content,
        Self::Certificate,
        Self::Replay,
    ];
}

/// Why nothing was forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForgeryFault {
    /// Nobody watches that person, or there is no such subscription.
    #[error("there is no such subscription")]
    NoSubscription,
    /// This forgery needs a subscription with resource data.
    #[error("the subscription does not include resource data")]
    NotRich,
    /// Nothing has been told yet that could be told again.
    #[error("nothing has been told to that subscription yet")]
    NothingToReplay,
    /// The key that nobody trusts cannot be made.
    #[error("no key can be made for the forgery")]
    Key,
}

impl Graph {
    /// Sends a forged notification that claims a presence of somebody.
    pub fn forge(
        &mut self,
        now: Timestamp,
        entra: &mut Entra,
        person: &ObjectId,
        claimed: Status,
        forgery: Forgery,
    ) -> Result<(), ForgeryFault> {
        let subscription = self.subscriptions.watchers(person).next().cloned();
        let subscription = subscription.ok_or(ForgeryFault::NoSubscription)?;
        let body = match forgery {
            Forgery::Replay => {
                let last = self.last_bodies.get(&subscription.id);
                last.cloned().ok_or(ForgeryFault::NothingToReplay)?
            }
            _ => self.forged_body(now, entra, &subscription, person, claimed, forgery)?,
        };
        self.deliveries.add_verbatim(now, &subscription.notification_url, body);
        self.stir();
        Ok(())
    }

    fn forged_body(
        &mut self,
        now: Timestamp,
        entra: &mut Entra,
        subscription: &Subscription,
        person: &ObjectId,
        claimed: Status,
        forgery: Forgery,
    ) -> Result<Value, ForgeryFault> {
        let mut value = self.presence_item(subscription, person, claimed).value;
        let stranger = self.chance.guid();
        match forgery {
            Forgery::ClientState => value["clientState"] = json!("somebody else's secret"),
            Forgery::NoClientState => value["clientState"] = Value::Null,
            Forgery::Subscription => value["subscriptionId"] = json!(stranger),
            Forgery::Tenant => value["tenantId"] = json!(stranger),
            _ if subscription.recipient.is_none() => return Err(ForgeryFault::NotRich),
            Forgery::Content => {
                let data = value["encryptedContent"]["data"].as_str().unwrap_or_default();
                let mut data = STANDARD.decode(data).unwrap_or_default();
                if let Some(last) = data.last_mut() {
                    *last ^= 1;
                }
                value["encryptedContent"]["data"] = json!(STANDARD.encode(data));
            }
            Forgery::Certificate => value["encryptedContent"]["encryptionCertificateId"] = json!(stranger),
            _ => {}
        }
        let mut body = json!({ "value": [value] });
        if subscription.recipient.is_some() && forgery != Forgery::NoToken {
            let token = self.forged_token(now, entra, subscription, forgery, &stranger)?;
            body["validationTokens"] = json!([token]);
        }
        Ok(body)
    }

    fn forged_token(
        &self,
        now: Timestamp,
        entra: &mut Entra,
        subscription: &Subscription,
        forgery: Forgery,
        stranger: &str,
    ) -> Result<String, ForgeryFault> {
        let true_token = entra.change_tracking_token(now, &subscription.tenant, &subscription.app);
        let Some(parts) = jwt::Parts::read(&true_token) else { return Ok(true_token) };
        let (mut header, mut claims) = (parts.header.clone(), parts.claims.clone());
        match forgery {
            Forgery::Unsigned => header["alg"] = json!("none"),
            Forgery::Audience => claims["aud"] = json!(stranger),
            Forgery::TokenTenant => {
                let issuer = claims["iss"].as_str().unwrap_or_default();
                claims["iss"] = json!(issuer.replace(subscription.tenant.as_str(), stranger));
                claims["tid"] = json!(stranger);
            }
            Forgery::Expired => {
                let at = now.as_second();
                claims["iat"] = json!(at - 7_200);
                claims["nbf"] = json!(at - 7_200);
                claims["exp"] = json!(at - 3_600);
            }
            Forgery::Sender => {
                debug_assert_eq!(claims["azp"], CHANGE_TRACKING);
                claims["azp"] = json!(stranger);
            }
            Forgery::ForeignKey => {}
            _ => return Ok(true_token),
        }
        match forgery {
            Forgery::Unsigned => Ok(jwt::write(&header, &claims, |_| Vec::new())),
            Forgery::ForeignKey => {
                let key = entra.keys_mut().foreign().map_err(|_| ForgeryFault::Key)?;
                Ok(jwt::write(&header, &claims, |signed| key.sign(signed)))
            }
            _ => {
                let key = entra.keys().signing();
                Ok(jwt::write(&header, &claims, |signed| key.sign(signed)))
            }
        }
    }
}
