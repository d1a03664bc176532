//! The ACKs for 2xx of our INVITEs, and what becomes of further 2xx (RFC 3261 section 13.2.2.4).

use std::time::Instant;

use super::engine::{Answered, Engine, Sent};
use super::persona::{Persona, Way};
use crate::dialog::Dialog;
use crate::message::Message;
use crate::transaction::ClientKey;

impl Engine {
    /// Keeps the ACK for further copies of the 2xx that it acknowledges; `None`: the user still owes it.
    pub(super) fn keep_ack(&mut self, key: ClientKey, persona: &Persona, dialog: &Dialog, ack: Option<Sent>) {
        if !self.transactions.has_client(key) {
            return;
        }
        let Some(identity) = &persona.identity else { return };
        let answered = self.answered.entry(key).or_insert_with(|| Answered {
            identity: identity.clone(),
            transport: persona.transport,
            local: dialog.local.clone(),
            acks: Vec::new(),
        });
        match answered.acks.iter_mut().find(|(tag, _)| *tag == dialog.remote_tag) {
            Some((_, kept)) => *kept = ack,
            None => answered.acks.push((dialog.remote_tag.clone(), ack)),
        }
    }

    /// Another 2xx to an INVITE of ours: the same again is acknowledged again, that of another fork is acknowledged
    /// and its dialog ended (RFC 3261 section 13.2.2.4).
    ///
    /// `false`: this INVITE has had no 2xx so far.
    pub(super) fn acknowledge_again(&mut self, now: Instant, key: ClientKey, response: &Message) -> bool {
        let Some(answered) = self.answered.get_mut(&key) else { return false };
        let tag = response.to().tag().unwrap_or_default();
        if let Some((_, ack)) = answered.acks.iter().find(|(known, _)| **known == *tag) {
            if let Some((to, ack)) = ack.clone() {
                self.transactions.send(to, ack);
            }
            return true;
        }
        if answered.acks.len() >= FORKS_ANSWERED_MAX {
            return true;
        }
        let mut dialog =
            Dialog::of_response(response, response.call_id().into(), answered.local.clone(), &[]);
        let (identity, transport) = (answered.identity.clone(), answered.transport);
        let way = Way { identity: &identity, transport };
        let ack = way.ack(self, &dialog, response.cseq().number, None);
        if let Some((to, ack)) = ack.clone() {
            self.transactions.send(to, ack);
        }
        if let Some(answered) = self.answered.get_mut(&key) {
            answered.acks.push((tag.into(), ack));
        }
        way.bye(self, now, &mut dialog);
        true
    }
}

/// Forks that may answer one INVITE with 2xx. Further ones are not acknowledged; they give up by themselves.
const FORKS_ANSWERED_MAX: usize = 16;
