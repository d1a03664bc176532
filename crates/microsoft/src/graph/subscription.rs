//! Subscriptions: Graph tells us of a change instead of being asked. Requests and answers; when they are due decides
//! whoever holds the subscription.

use serde::{Deserialize, Serialize};

use crate::graph::call::{Answer, Call, Caller, LINK_OCTETS_MAX, Operation, Target};
use crate::graph::fault::Fault;
use crate::graph::presence::IDS_MAX;
use crate::http::Method;
use crate::id::ObjectId;
use crate::secret::Secret;
use crate::time::UnixTime;

/// The name that Graph gave a subscription.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SubscriptionId(Box<str>);

impl SubscriptionId {
    /// Reads a name: 1 to 128 printable octets without `/`, `?`, `#` and `%`, so that it can stand in an address.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=ID_OCTETS_MAX).contains(&text.len());
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        (fits && plain).then(|| Self(text.into()))
    }

    /// As Graph wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// With which certificate Graph encrypts what it tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncryptFor {
    /// Our name of the certificate, at most 128 octets; comes back with each notification.
    pub certificate_id: Box<str>,
    /// The certificate (X.509, RSA of 2048 to 4096 bits), DER in base64, without armour.
    pub certificate: Box<str>,
}

/// Where Graph tells its changes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notify {
    /// The address for changes; https, reachable for Microsoft.
    pub url: String,
    /// The address for what happens to the subscription itself; on the same host.
    pub lifecycle_url: String,
    /// With a certificate, a change brings its content; without, only the name of what changed.
    pub encrypt_for: Option<EncryptFor>,
}

/// A subscription as Graph granted it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granted {
    /// Its name.
    pub id: SubscriptionId,
    /// When it ends unless it is renewed; may be earlier than what was asked for.
    pub expires: UnixTime,
    /// What it watches.
    pub resource: String,
    /// Where it tells.
    pub notification_url: String,
}

/// Asks to be notified of the presence of these people, at most 650.
///
/// Graph sends its validation to both addresses before it answers: whoever serves them must not wait for this call.
#[must_use]
pub fn create_presence(
    caller: Caller,
    people: &[ObjectId],
    notify: &Notify,
    client_state: &Secret,
    expires: UnixTime,
) -> Call {
    let encrypt_for = notify.encrypt_for.as_ref();
    Call::post(Operation::SubscribePresence, caller, "/subscriptions").json(&Create {
        change_type: "updated",
        notification_url: &notify.url,
        lifecycle_notification_url: &notify.lifecycle_url,
        resource: presence_resource(people),
        expiration_date_time: date_time(expires),
        client_state: client_state.expose(),
        latest_supported_tls_version: "v1_2",
        include_resource_data: encrypt_for.map(|_| true),
        encryption_certificate: encrypt_for.map(|with| &*with.certificate),
        encryption_certificate_id: encrypt_for.map(|with| &*with.certificate_id),
    })
}

/// Asks for a later end, and for another certificate if one is given.
#[must_use]
pub fn renew(
    caller: Caller,
    id: &SubscriptionId,
    expires: UnixTime,
    encrypt_for: Option<&EncryptFor>,
) -> Call {
    let target = Target::Path(format!("/subscriptions/{}", id.as_str()));
    Call::new(Operation::RenewSubscription, caller, Method::Patch, target).json(&Renew {
        expiration_date_time: date_time(expires),
        encryption_certificate: encrypt_for.map(|with| &*with.certificate),
        encryption_certificate_id: encrypt_for.map(|with| &*with.certificate_id),
    })
}

/// Tells Graph that the subscription may go on with the caller's present token.
#[must_use]
pub fn reauthorise(caller: Caller, id: &SubscriptionId) -> Call {
    Call::post(
        Operation::ReauthoriseSubscription,
        caller,
        format!("/subscriptions/{}/reauthorize", id.as_str()),
    )
}

/// Ends a subscription.
#[must_use]
pub fn delete(caller: Caller, id: &SubscriptionId) -> Call {
    let target = Target::Path(format!("/subscriptions/{}", id.as_str()));
    Call::new(Operation::DeleteSubscription, caller, Method::Delete, target)
}

/// Asks which subscriptions the caller has.
#[must_use]
pub fn list(caller: Caller) -> Call {
    Call::get(Operation::ListSubscriptions, caller, "/subscriptions")
}

/// Reads the answer to a creation or a renewal.
///
/// # Errors
/// It was not done, or the answer cannot be read.
pub fn granted(operation: Operation, answer: &Answer) -> Result<Granted, Fault> {
    Fault::read(operation, answer, |response| serde_json::from_slice::<Wire>(&response.body).ok()?.granted())
}

/// Reads the answer to [`list`]; what cannot be read in it is left out.
///
/// # Errors
/// It was not done, or the answer is no list.
pub fn listed(answer: &Answer) -> Result<Vec<Granted>, Fault> {
    let page: Page = Fault::read(Operation::ListSubscriptions, answer, |response| {
        serde_json::from_slice(&response.body).ok()
    })?;
    Ok(page.value.into_iter().filter_map(Wire::granted).collect())
}

/// A moment as Graph writes it, such as `2026-01-31T12:00:00Z`.
#[must_use]
pub fn date_time(moment: UnixTime) -> String {
    i64::try_from(moment.0)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
}

/// Reads a moment as Graph writes it, parts of a second dropped; none before 1970.
#[must_use]
pub fn read_date_time(text: &str) -> Option<UnixTime> {
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    timestamp.as_second().try_into().ok().map(UnixTime)
}

/// Octets of the state that we give a subscription and Graph repeats with each notification.
pub const CLIENT_STATE_OCTETS_MAX: usize = 128;

/// Octets of a subscription's name; Graph's are GUIDs.
const ID_OCTETS_MAX: usize = 128;

fn presence_resource(people: &[ObjectId]) -> String {
    let people = people.get(..IDS_MAX).unwrap_or(people);
    let ids: Vec<_> = people.iter().map(|person| format!("'{person}'")).collect();
    format!("/communications/presences?$filter=id in ({})", ids.join(","))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Create<'a> {
    change_type: &'a str,
    notification_url: &'a str,
    lifecycle_notification_url: &'a str,
    resource: String,
    expiration_date_time: String,
    client_state: &'a str,
    latest_supported_tls_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_resource_data: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_certificate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_certificate_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Renew<'a> {
    expiration_date_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_certificate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_certificate_id: Option<&'a str>,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Wire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: Option<String>,
    expiration_date_time: Option<String>,
    resource: Option<String>,
    notification_url: Option<String>,
}

impl Wire {
    fn granted(self) -> Option<Granted> {
        let bounded =
            |text: Option<String>| text.filter(|t| t.len() <= RESOURCE_OCTETS_MAX).unwrap_or_default();
        Some(Granted {
            id: SubscriptionId::new(&self.id?)?,
            expires: read_date_time(&self.expiration_date_time?)?,
            resource: bounded(self.resource),
            notification_url: self
                .notification_url
                .filter(|t| t.len() <= LINK_OCTETS_MAX)
                .unwrap_or_default(),
        })
    }
}

/// Octets of a resource: 650 names of 39 octets and what stands around them.
const RESOURCE_OCTETS_MAX: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::Response;
    use crate::id::Guid;

    fn notify(encrypt_for: Option<EncryptFor>) -> Notify {
        Notify {
            url: "https://tandem.test/graph/changes".into(),
            lifecycle_url: "https://tandem.test/graph/life".into(),
            encrypt_for,
        }
    }

    #[test]
    fn a_rich_subscription_names_people_certificate_and_both_addresses() {
        let people = [ObjectId(Guid::from_octets([1; 16])), ObjectId(Guid::from_octets([2; 16]))];
        let with = EncryptFor { certificate_id: "c1".into(), certificate: "TUlJ".into() };
        let call = create_presence(
            Caller::Account(people[0]),
            &people,
            &notify(Some(with)),
            &Secret::new("s3cret"),
            UnixTime(1_800_000_000),
        );
        let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "changeType": "updated",
                "notificationUrl": "https://tandem.test/graph/changes",
                "lifecycleNotificationUrl": "https://tandem.test/graph/life",
                "resource": "/communications/presences?$filter=id in \
                    ('01010101-0101-0101-0101-010101010101','02020202-0202-0202-0202-020202020202')",
                "expirationDateTime": "2027-01-15T08:00:00Z",
                "clientState": "s3cret",
                "latestSupportedTlsVersion": "v1_2",
                "includeResourceData": true,
                "encryptionCertificate": "TUlJ",
                "encryptionCertificateId": "c1",
            })
        );
    }

    #[test]
    fn a_basic_one_says_nothing_of_certificates() {
        let call = create_presence(Caller::Application, &[], &notify(None), &Secret::new("s"), UnixTime(0));
        let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
        assert!(body.get("includeResourceData").is_none() && body.get("encryptionCertificate").is_none());
    }

    #[test]
    fn what_graph_grants_is_read_with_any_fraction_and_offset() {
        let answer = |expires: &str| {
            let body = format!(
                r#"{{"id":"7f1b","resource":"/communications/presences","changeType":"updated",
                     "notificationUrl":"https://t.test/","expirationDateTime":"{expires}"}}"#
            );
            granted(
                Operation::SubscribePresence,
                &Ok(Response { status: 201, headers: Vec::new(), body: body.into_bytes() }),
            )
        };
        for text in ["2027-01-15T08:00:00.9356913Z", "2027-01-15T09:00:00+01:00", "2027-01-15T08:00:00Z"] {
            assert_eq!(answer(text).unwrap().expires, UnixTime(1_800_000_000), "{text}");
        }
        assert!(answer("tomorrow").is_err());
        assert!(answer("1969-12-31T00:00:00Z").is_err());
    }

    #[test]
    fn a_name_that_would_change_an_address_is_none() {
        for bad in ["", "a/b", "a?b", "a%2fb", "..", "a b", &"x".repeat(129)] {
            assert_eq!(SubscriptionId::new(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn moments_come_back(seconds in 0u64..200_000_000_000) {
            prop_assert_eq!(read_date_time(&date_time(UnixTime(seconds))), Some(UnixTime(seconds)));
        }

        #[test]
        fn any_answer_is_read_or_refused(body: Vec<u8>) {
            let answer = Ok(Response { status: 200, headers: Vec::new(), body });
            let _ = (granted(Operation::RenewSubscription, &answer), listed(&answer));
        }
    }
}
