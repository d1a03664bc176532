//! Subscriptions (RFC 6665): what about, and how they stand.

use super::HeaderError;
use crate::grammar::{Params, is_token, number, split_at_params};

/// Event: what a subscription is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event package, such as `refer`.
    pub package: &'a [u8],
    /// Tells subscriptions of one dialog apart; for `refer` the CSeq number of the REFER (RFC 3515).
    pub id: Option<&'a [u8]>,
}

impl<'a> Event<'a> {
    /// Reads `refer;id=93809824`.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let (package, params) = split_at_params(value);
        if !is_token(package) {
            return Err(HeaderError::Malformed);
        }
        Ok(Self { package, id: Params::new(params).value("id") })
    }
}

/// Subscription-State: how a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionState<'a> {
    /// The state.
    pub state: Substate<'a>,
    /// Why it ended, such as `noresource`.
    pub reason: Option<&'a [u8]>,
    /// Seconds it will last.
    pub expires: Option<u32>,
    /// Seconds after which subscribing again makes sense.
    pub retry_after: Option<u32>,
}

/// The states of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Substate<'a> {
    /// Accepted.
    Active,
    /// Received, not yet decided.
    Pending,
    /// Over: no NOTIFY will follow.
    Terminated,
    /// Any other, as written.
    Other(&'a [u8]),
}

impl<'a> SubscriptionState<'a> {
    /// Reads `active;expires=60` or `terminated;reason=noresource`.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let (state, params) = split_at_params(value);
        if !is_token(state) {
            return Err(HeaderError::Malformed);
        }
        let params = Params::new(params);
        let state = if state.eq_ignore_ascii_case(b"active") {
            Substate::Active
        } else if state.eq_ignore_ascii_case(b"pending") {
            Substate::Pending
        } else if state.eq_ignore_ascii_case(b"terminated") {
            Substate::Terminated
        } else {
            Substate::Other(state)
        };
        Ok(Self {
            state,
            reason: params.value("reason"),
            expires: params.value("expires").and_then(number),
            retry_after: params.value("retry-after").and_then(number),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_says_what_it_is_about_and_how_it_stands() {
        assert_eq!(Event::parse(b"refer ; id=2"), Ok(Event { package: b"refer", id: Some(b"2") }));
        assert_eq!(Event::parse(b"; id=2"), Err(HeaderError::Malformed));
        let state = SubscriptionState::parse(b"Terminated;reason=noresource;retry-after=9").unwrap();
        assert_eq!((state.state, state.reason), (Substate::Terminated, Some(&b"noresource"[..])));
        assert_eq!((state.expires, state.retry_after), (None, Some(9)));
        let state = SubscriptionState::parse(b"active;expires=180").unwrap();
        assert_eq!((state.state, state.expires), (Substate::Active, Some(180)));
    }
}
