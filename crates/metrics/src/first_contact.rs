//! First contact resolution: whether customers had to come back with the same matter.
//!
//! A contact is a *first contact* if the same customer had none about the same within the window before it;
//! it is *resolved* if none follows within the window after it. What callers answer in surveys or agents
//! enter as a code is something else.
//!
//! It is a fold of its own and not part of the [`Report`](crate::report::Report): it has to know customers by
//! their addresses for the length of the window, and those shall not be written into a report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_center::Timestamp;
use tandem_center::call::Address;
use tandem_center::fact::{EndedBy, Fact, FactKind};
use tandem_center::id::InteractionId;
use tandem_center::personal::Personal;

use crate::metric::Quotient;

/// What a first contact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// How long after a contact another one of the same customer counts as a repetition. Microseconds; 1 to
    /// 30 days, often 7.
    pub length_us: u64,
    /// Whether a contact that was handed over counts as not resolved.
    pub transfers_break: bool,
}

/// Contacts by customer and reason, so far back that each can still be judged. `K` names the customer, and
/// the reason if there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstContacts<K> {
    window: Window,
    /// The contacts of each customer that can still matter, oldest first.
    contacts: BTreeMap<K, Vec<Contact>>,
    /// What was judged for good.
    judged: Quotient,
    left_out: u64,
}

/// One contact of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Contact {
    at: Timestamp,
    transferred: bool,
    /// Judged for good, and kept because the next one may be a repetition of it.
    judged: bool,
}

impl<K: Ord> FirstContacts<K> {
    /// How many customers are remembered. At the limit contacts of new ones are left out, and counted as
    /// such.
    pub const CUSTOMERS_MAX: usize = 1_000_000;

    /// No contacts yet.
    pub fn new(window: Window) -> FirstContacts<K> {
        FirstContacts { window, contacts: BTreeMap::new(), judged: Quotient::default(), left_out: 0 }
    }

    /// A customer had a contact.
    pub fn contact(&mut self, customer: K, at: Timestamp, transferred: bool) {
        if self.contacts.len() >= FirstContacts::<K>::CUSTOMERS_MAX && !self.contacts.contains_key(&customer)
        {
            self.left_out += 1;
            return;
        }
        let contacts = self.contacts.entry(customer).or_default();
        let place = contacts.partition_point(|earlier| earlier.at <= at);
        contacts.insert(place, Contact { at, transferred, judged: false });
    }

    /// Resolved first contacts over first contacts. Contacts younger than the window at `now` are left out:
    /// it is not known yet whether they are resolved.
    pub fn resolution(&self, now: Timestamp) -> Quotient {
        let all = self.contacts.values().map(|contacts| self.window.judge(contacts, now));
        all.fold(self.judged, Quotient::and)
    }

    /// Judges what is old enough for good, and forgets what can no longer matter. Call it now and then with a
    /// `now` that is not ahead of the facts; without it everything is remembered.
    pub fn forget(&mut self, now: Timestamp) {
        let FirstContacts { window, contacts, judged, .. } = self;
        contacts.retain(|_, contacts| {
            *judged = judged.and(window.judge(contacts, now));
            let mature = contacts.partition_point(|contact| window.is_mature(contact, now));
            contacts.iter_mut().take(mature).for_each(|contact| contact.judged = true);
            contacts.drain(..mature.saturating_sub(1));
            contacts.iter().any(|contact| !window.is_mature(contact, now))
        });
    }

    /// How many contacts were left out because there were too many customers.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

impl Window {
    /// Resolved first contacts over first contacts among those of one customer that are mature and not judged
    /// yet.
    fn judge(&self, contacts: &[Contact], now: Timestamp) -> Quotient {
        let mut sum = Quotient::default();
        for (place, contact) in contacts.iter().enumerate() {
            if contact.judged || !self.is_mature(contact, now) {
                continue;
            }
            let before = place.checked_sub(1).and_then(|before| contacts.get(before));
            if before.is_some_and(|before| contact.at.micros_since(before.at) <= self.length_us) {
                continue;
            }
            let after = contacts.get(place + 1);
            let again = after.is_some_and(|after| after.at.micros_since(contact.at) <= self.length_us);
            let broken = self.transfers_break && contact.transferred;
            sum = sum.and(Quotient::new(u64::from(!again && !broken), 1));
        }
        sum
    }

    fn is_mature(&self, contact: &Contact, now: Timestamp) -> bool {
        now.micros_since(contact.at) > self.length_us
    }
}

/// First contact resolution of callers, folded from the facts: a contact is a call or callback in which an
/// agent talked to the customer, who is known by the address that called or was called, and every reason is
/// the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callers {
    contacts: FirstContacts<Personal<Address>>,
    open: BTreeMap<InteractionId, Call>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    customer: Personal<Address>,
    arrived_at: Timestamp,
    answered: bool,
    transferred: bool,
}

impl Callers {
    /// How many calls are followed at once. At the limit new ones are left out.
    pub const OPEN_MAX: usize = 1_000_000;

    /// No facts yet.
    pub fn new(window: Window) -> Callers {
        Callers { contacts: FirstContacts::new(window), open: BTreeMap::new() }
    }

    /// Takes in the next fact, each once. Callers who hide their number or were erased are left out: they
    /// cannot be told apart.
    pub fn apply(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::Arrived { from: customer, .. } | FactKind::CallbackScheduled { to: customer, .. } => {
                let known = customer.reveal().is_some_and(|customer| *customer != Address::Anonymous);
                if known && self.open.len() < Callers::OPEN_MAX {
                    let (customer, arrived_at) = (customer.clone(), fact.at);
                    let call = Call { customer, arrived_at, answered: false, transferred: false };
                    self.open.insert(InteractionId(fact.number), call);
                }
            }
            FactKind::Connected { interaction, .. } => {
                if let Some(call) = self.open.get_mut(interaction) {
                    call.answered = true;
                }
            }
            FactKind::ConversationEnded { interaction, by: EndedBy::Transfer, .. } => {
                if let Some(call) = self.open.get_mut(interaction) {
                    call.transferred = true;
                }
            }
            FactKind::Closed { interaction, .. } => {
                if let Some(call) = self.open.remove(interaction)
                    && call.answered
                {
                    self.contacts.contact(call.customer, call.arrived_at, call.transferred);
                }
            }
            _ => {}
        }
    }

    /// The contacts of the calls that are over.
    pub fn contacts(&self) -> &FirstContacts<Personal<Address>> {
        &self.contacts
    }

    /// See [`FirstContacts::forget`].
    pub fn forget(&mut self, now: Timestamp) {
        self.contacts.forget(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: u64 = 86_400_000_000;

    fn week(transfers_break: bool) -> Window {
        Window { length_us: 7 * DAY_US, transfers_break }
    }

    fn day(days: f64) -> Timestamp {
        Timestamp::from_micros((days * DAY_US as f64) as u64)
    }

    fn contacts() -> FirstContacts<&'static str> {
        let mut contacts = FirstContacts::new(week(false));
        for (customer, days) in [("x", 0.0), ("x", 3.0), ("x", 20.0), ("y", 1.0), ("z", 2.0), ("z", 8.5)] {
            contacts.contact(customer, day(days), false);
        }
        contacts
    }

    #[test]
    fn who_came_back_within_a_week_was_not_helped() {
        let resolution = contacts().resolution(day(40.0));
        assert_eq!(resolution, Quotient::new(2, 4));
        assert_eq!(resolution.value(), Some(0.5));
    }

    #[test]
    fn contacts_that_are_too_young_are_left_out() {
        assert_eq!(contacts().resolution(day(22.0)), Quotient::new(1, 3));
        assert_eq!(contacts().resolution(day(5.0)).value(), None);
    }

    #[test]
    fn forgetting_changes_no_figure() {
        let mut forgetful = FirstContacts::new(week(false));
        let mut all: Vec<(&str, f64)> =
            vec![("x", 0.0), ("x", 3.0), ("x", 20.0), ("y", 1.0), ("z", 2.0), ("z", 8.5)];
        all.sort_by(|a, b| a.1.total_cmp(&b.1));
        for (customer, days) in all {
            forgetful.contact(customer, day(days), false);
            forgetful.forget(day(days));
            forgetful.forget(day(days + 0.1));
        }
        for now in [22.0, 40.0] {
            assert_eq!(forgetful.resolution(day(now)), contacts().resolution(day(now)));
        }
        forgetful.forget(day(60.0));
        assert!(forgetful.contacts.is_empty());
        assert_eq!(forgetful.resolution(day(60.0)), Quotient::new(2, 4));
    }

    #[test]
    fn a_transfer_breaks_it_only_if_it_shall() {
        for (transfers_break, resolved) in [(false, 1), (true, 0)] {
            let mut contacts = FirstContacts::new(week(transfers_break));
            contacts.contact("x", day(0.0), true);
            assert_eq!(contacts.resolution(day(10.0)), Quotient::new(resolved, 1));
        }
    }
}
