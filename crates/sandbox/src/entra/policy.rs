//! What is switched on against sign-ins and answers: demands of conditional access, and trouble.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::directory::User;

/// Demands on sign-ins. Who is named by the short name, the object id, or the tenant's id for all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// More than a password is demanded of them.
    pub mfa: BTreeSet<String>,
    /// They get no token.
    pub blocked: BTreeSet<String>,
    /// Tokens say that the groups are too many to be listed.
    pub group_overage: bool,
}

impl Policy {
    /// Whether more than a password is demanded of somebody.
    pub fn demands_mfa(&self, user: &User) -> bool {
        names(&self.mfa, user)
    }

    /// Whether somebody gets no token.
    pub fn blocks(&self, user: &User) -> bool {
        names(&self.blocked, user)
    }
}

/// Trouble of Entra's own, on command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// Where.
    #[serde(default)]
    pub at: Place,
    /// The status in place of an answer, such as 429 or 503. Left out: the answer comes.
    #[serde(default)]
    pub status: Option<u16>,
    /// What the `Retry-After` says, in seconds. Left out: there is none.
    #[serde(default)]
    pub retry_after_s: Option<u32>,
    /// Milliseconds before anything comes.
    #[serde(default)]
    pub slow_ms: u32,
    /// How many requests it meets; left out: all, until it is taken away.
    #[serde(default)]
    pub times: Option<u32>,
}

/// A part of Entra.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Everything.
    #[default]
    Everywhere,
    /// Discovery documents.
    Discovery,
    /// The keys.
    Keys,
    /// The token endpoint.
    Token,
    /// The pages.
    Pages,
}

/// The trouble that is on.
#[derive(Clone, Debug, Default)]
pub struct Troubles(Vec<Trouble>);

impl Troubles {
    /// Takes the place of all that was on.
    pub fn set(&mut self, mut troubles: Vec<Trouble>) {
        troubles.truncate(TROUBLES_MAX);
        self.0 = troubles;
    }

    /// What is on.
    pub fn list(&self) -> &[Trouble] {
        &self.0
    }

    /// What meets a request at a place; it counts.
    pub fn meet(&mut self, place: Place) -> Option<Trouble> {
        let fits = |trouble: &Trouble| {
            (trouble.at == place || trouble.at == Place::Everywhere) && trouble.times != Some(0)
        };
        let met = self.0.iter_mut().find(|trouble| fits(trouble))?;
        if let Some(times) = &mut met.times {
            *times -= 1;
        }
        Some(met.clone())
    }
}

fn names(list: &BTreeSet<String>, user: &User) -> bool {
    [user.id.as_str(), user.object_id.as_str(), user.tenant.as_str()].iter().any(|name| list.contains(*name))
}

/// Further ones are dropped.
const TROUBLES_MAX: usize = 16;
