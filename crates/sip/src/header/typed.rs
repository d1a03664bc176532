//! Typed values of the headers of a message, read when asked for.

use super::{
    AuthValue, Event, HeaderError, HeaderName, MediaType, NameAddr, RAck, Reason, Replaces, SessionExpires,
    SubscriptionState, Via, timer,
};
use crate::grammar::{is_token, number};
use crate::message::RawMessage;
use crate::method::Method;

/// Headers that may stand once. `Ok(None)` where the header is not there.
impl RawMessage {
    /// Content-Type: what the body is.
    pub fn content_type(&self) -> Result<Option<MediaType<'_>>, HeaderError> {
        self.typed(HeaderName::ContentType, MediaType::parse)
    }

    /// Event: what a SUBSCRIBE, NOTIFY or REFER subscription is about.
    pub fn event(&self) -> Result<Option<Event<'_>>, HeaderError> {
        self.typed(HeaderName::Event, Event::parse)
    }

    /// Expires, in seconds.
    pub fn expires(&self) -> Result<Option<u32>, HeaderError> {
        self.typed(HeaderName::Expires, |value| number(value).ok_or(HeaderError::Malformed))
    }

    /// Min-SE: the least Session-Expires the sender takes, in seconds.
    pub fn min_se(&self) -> Result<Option<u32>, HeaderError> {
        self.typed(HeaderName::MinSe, timer::min_se)
    }

    /// RAck: what a PRACK acknowledges.
    pub fn rack(&self) -> Result<Option<RAck<'_>>, HeaderError> {
        self.typed(HeaderName::RAck, RAck::parse)
    }

    /// RSeq: the number of a reliable provisional response.
    pub fn rseq(&self) -> Result<Option<u32>, HeaderError> {
        self.typed(HeaderName::RSeq, |value| number(value).ok_or(HeaderError::Malformed))
    }

    /// Refer-To: where a transfer leads.
    pub fn refer_to(&self) -> Result<Option<NameAddr<'_>>, HeaderError> {
        self.typed(HeaderName::ReferTo, NameAddr::parse)
    }

    /// Referred-By: who asked for the transfer.
    pub fn referred_by(&self) -> Result<Option<NameAddr<'_>>, HeaderError> {
        self.typed(HeaderName::ReferredBy, NameAddr::parse)
    }

    /// Replaces: the dialog that this INVITE takes the place of.
    pub fn replaces(&self) -> Result<Option<Replaces<'_>>, HeaderError> {
        self.typed(HeaderName::Replaces, Replaces::parse)
    }

    /// Retry-After, in seconds; a comment and parameters behind the number are ignored.
    pub fn retry_after(&self) -> Result<Option<u32>, HeaderError> {
        self.typed(HeaderName::RetryAfter, |value| {
            let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
            number(value.get(..digits).unwrap_or_default()).ok_or(HeaderError::Malformed)
        })
    }

    /// Session-Expires.
    pub fn session_expires(&self) -> Result<Option<SessionExpires>, HeaderError> {
        self.typed(HeaderName::SessionExpires, SessionExpires::parse)
    }

    /// Subscription-State: how the subscription stands that this NOTIFY belongs to.
    pub fn subscription_state(&self) -> Result<Option<SubscriptionState<'_>>, HeaderError> {
        self.typed(HeaderName::SubscriptionState, SubscriptionState::parse)
    }

    fn typed<'m, T>(
        &'m self,
        name: HeaderName<'static>,
        parse: impl FnOnce(&'m [u8]) -> Result<T, HeaderError>,
    ) -> Result<Option<T>, HeaderError> {
        let mut values = self.headers(name);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(HeaderError::Repeated);
        }
        parse(value).map(Some)
    }
}

/// Headers that are lists, over all lines of their name, in order. For the raw text of an entry, to be passed on
/// byte for byte (Record-Route, History-Info), see [`RawMessage::list`].
impl RawMessage {
    /// The first Contact, which is the one that counts in a dialog. `*` is malformed here.
    pub fn contact(&self) -> Result<Option<NameAddr<'_>>, HeaderError> {
        self.contacts().next().transpose()
    }

    /// Contact: where to send requests of the dialog.
    pub fn contacts(&self) -> impl Iterator<Item = Result<NameAddr<'_>, HeaderError>> {
        self.list(HeaderName::Contact).map(NameAddr::parse)
    }

    /// P-Asserted-Identity (RFC 3325): who a trusted peer says the caller is.
    pub fn asserted_identities(&self) -> impl Iterator<Item = Result<NameAddr<'_>, HeaderError>> {
        self.list(HeaderName::PAssertedIdentity).map(NameAddr::parse)
    }

    /// Record-Route: proxies that stay on the way, nearest first in a request.
    pub fn record_routes(&self) -> impl Iterator<Item = Result<NameAddr<'_>, HeaderError>> {
        self.list(HeaderName::RecordRoute).map(NameAddr::parse)
    }

    /// Route: proxies still to be passed.
    pub fn routes(&self) -> impl Iterator<Item = Result<NameAddr<'_>, HeaderError>> {
        self.list(HeaderName::Route).map(NameAddr::parse)
    }

    /// Via: hops so far, the last one first.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'_>, HeaderError>> {
        self.list(HeaderName::Via).map(Via::parse)
    }

    /// Reason (RFC 3326): why, possibly in several code sets.
    pub fn reasons(&self) -> impl Iterator<Item = Result<Reason<'_>, HeaderError>> {
        self.list(HeaderName::Reason).map(Reason::parse)
    }

    /// Privacy (RFC 3323): what the caller wants hidden; `id` for the number.
    pub fn privacy(&self) -> impl Iterator<Item = &[u8]> {
        self.headers(HeaderName::Privacy)
            .flat_map(|value| value.split(|b| matches!(b, b';' | b',')))
            .map(crate::grammar::trim)
            .filter(|value| is_token(value))
    }

    /// The challenges of a 401 (WWW-Authenticate) or 407 (Proxy-Authenticate), one per line.
    pub fn challenges(
        &self,
        name: HeaderName<'static>,
    ) -> impl Iterator<Item = Result<AuthValue<'_>, HeaderError>> {
        self.headers(name).map(AuthValue::parse)
    }

    /// Require: extensions without which the request must be refused (420).
    pub fn required(&self) -> impl Iterator<Item = &[u8]> {
        self.list(HeaderName::Require)
    }

    /// Whether Require demands that extension.
    pub fn requires(&self, option: &str) -> bool {
        self.has_option(HeaderName::Require, option)
    }

    /// Whether Supported lists that extension, such as `100rel` or `timer`.
    pub fn supports(&self, option: &str) -> bool {
        self.has_option(HeaderName::Supported, option)
    }

    /// Whether Allow lists that method.
    pub fn allows(&self, method: Method<'_>) -> bool {
        self.list(HeaderName::Allow).any(|allowed| Method::from_bytes(allowed) == method)
    }

    fn has_option(&self, name: HeaderName<'static>, option: &str) -> bool {
        self.list(name).any(|listed| listed.eq_ignore_ascii_case(option.as_bytes()))
    }
}
