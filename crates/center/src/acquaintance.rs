//! Acquaintances: with which agent a customer talked last.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::call::Address;
use crate::id::{AgentId, InteractionId};
use crate::personal::Personal;

/// A customer and the agent whom the customer talked to in an interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acquaintance {
    /// The customer's number or address.
    pub customer: Personal<Address>,
    /// The agent of the last conversation.
    pub agent: AgentId,
}

/// The acquaintances of the last interactions in which somebody talked to an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Acquaintances(BTreeMap<InteractionId, Acquaintance>);

impl Acquaintances {
    /// Older ones are forgotten, and their customers are strangers again.
    pub const MAX: usize = 10_000;

    /// A customer talks to an agent.
    pub fn met(&mut self, interaction: InteractionId, customer: &Personal<Address>, agent: &AgentId) {
        if matches!(customer.reveal(), None | Some(Address::Anonymous)) {
            return;
        }
        let acquaintance = Acquaintance { customer: customer.clone(), agent: agent.clone() };
        self.0.insert(interaction, acquaintance);
        if self.0.len() > Acquaintances::MAX {
            self.0.pop_first();
        }
    }

    /// What is known about the customer of an interaction is erased.
    pub fn erase(&mut self, interaction: InteractionId) {
        self.0.remove(&interaction);
    }

    /// All, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (InteractionId, &Acquaintance)> {
        self.0.iter().map(|(id, acquaintance)| (*id, acquaintance))
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The acquaintances of a center, with the way from a customer to the agent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    acquaintances: Acquaintances,
    by_customer: BTreeMap<Address, InteractionId>,
}

impl Directory {
    pub(crate) fn of(acquaintances: Acquaintances) -> Directory {
        let known =
            |(id, known): (InteractionId, &Acquaintance)| Some((known.customer.reveal()?.clone(), id));
        let by_customer = acquaintances.iter().filter_map(known).collect();
        Directory { acquaintances, by_customer }
    }

    pub(crate) fn acquaintances(&self) -> &Acquaintances {
        &self.acquaintances
    }

    /// The agent with whom the customer talked last.
    pub(crate) fn agent_of(&self, customer: &Address) -> Option<&AgentId> {
        let id = self.by_customer.get(customer)?;
        self.acquaintances.0.get(id).map(|known| &known.agent)
    }

    pub(crate) fn met(&mut self, id: InteractionId, customer: &Personal<Address>, agent: &AgentId) {
        let oldest = self.acquaintances.0.first_key_value().map(|(id, known)| (*id, known.customer.clone()));
        self.acquaintances.met(id, customer, agent);
        if let Some((oldest, customer)) =
            oldest.filter(|(oldest, _)| !self.acquaintances.0.contains_key(oldest))
        {
            self.forget(oldest, &customer);
        }
        if let Some(address) = customer.reveal()
            && self.acquaintances.0.contains_key(&id)
        {
            self.by_customer.insert(address.clone(), id);
        }
    }

    pub(crate) fn erase(&mut self, id: InteractionId) {
        if let Some(known) = self.acquaintances.0.remove(&id) {
            self.forget(id, &known.customer);
        }
    }

    fn forget(&mut self, id: InteractionId, customer: &Personal<Address>) {
        if let Some(address) = customer.reveal()
            && self.by_customer.get(address) == Some(&id)
        {
            self.by_customer.remove(address);
        }
    }
}
