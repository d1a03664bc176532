//! One leg and its stages.

use std::time::Instant;

use super::ending::{Ending, Over, Remains};
use super::engine::{Engine, Errand};
use super::established::{Became, Established};
use super::incoming::Incoming;
use super::outgoing::Outgoing;
use super::persona::Persona;
use super::turn::Turn;
use crate::dialog::Dialog;
use crate::digest::DigestClient;
use crate::message::Message;
use crate::transaction::Told;

/// One leg: how we present ourselves on it and how far it is.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) persona: Persona,
    pub(super) stage: Stage,
}

/// How far a leg is.
#[derive(Debug)]
pub(super) enum Stage {
    /// Our INVITE has no 2xx yet.
    Outgoing(Box<Outgoing>),
    /// Their INVITE has no final answer yet.
    Incoming(Box<Incoming>),
    /// A 2xx was sent or received.
    Established(Box<Established>),
    /// It ends: BYE is sent, or will be.
    Ending(Box<Ending>),
    /// Nothing is left of it.
    Over,
}

/// What a step leads to: another stage, or `None` to stay.
pub(super) type Next = Option<Stage>;

impl From<Over> for Stage {
    fn from(_: Over) -> Self {
        Self::Over
    }
}

impl From<Remains> for Stage {
    fn from(remains: Remains) -> Self {
        match remains {
            Remains::Ending(ending) => Self::Ending(ending),
            Remains::Over => Self::Over,
        }
    }
}

impl From<Became> for Stage {
    fn from(became: Became) -> Self {
        match became {
            Became::Established(established) => Self::Established(established),
            Became::Remains(remains) => remains.into(),
        }
    }
}

impl Leg {
    /// Lets the leg make a step.
    pub(super) fn step(
        &mut self,
        engine: &mut Engine,
        now: Instant,
        act: impl FnOnce(&mut Stage, &mut Turn<'_>) -> Next,
    ) {
        let mut turn = Turn { engine, persona: &mut self.persona, now };
        if let Some(next) = act(&mut self.stage, &mut turn) {
            self.stage = next;
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }
}

impl Stage {
    /// The dialog that a message of the peer belongs to.
    pub(super) fn dialog_mut(&mut self, call_id: &[u8], remote_tag: &[u8]) -> Option<&mut Dialog> {
        let dialog = match self {
            Self::Outgoing(outgoing) => return outgoing.dialog_mut(call_id, remote_tag),
            Self::Incoming(incoming) => &mut incoming.dialog,
            Self::Established(established) => &mut established.dialog,
            Self::Ending(ending) => &mut ending.dialog,
            Self::Over => return None,
        };
        dialog.matches(call_id, remote_tag).then_some(dialog)
    }

    /// Sends a request again with the proof that its challenge asks for; `false`: it cannot.
    pub(super) fn ask_again(
        &mut self,
        engine: &mut Engine,
        now: Instant,
        challenge: &Message,
        told: &Told<Errand>,
        digest: &mut DigestClient,
    ) -> bool {
        if let Self::Outgoing(outgoing) = self
            && let Errand::Invite(_) = told.errand
        {
            let Some((cseq, key)) = outgoing.challenged() else { return false };
            let Some(sent) = engine.ask_again(now, challenge, told, digest, *cseq + 1) else { return false };
            (*cseq, *key) = (*cseq + 1, sent);
            return true;
        }
        let tag = challenge.to().tag().unwrap_or_default();
        let Some(dialog) = self.dialog_mut(challenge.call_id(), tag) else { return false };
        let cseq = dialog.next_cseq();
        let Some(sent) = engine.ask_again(now, challenge, told, digest, cseq) else { return false };
        if let Self::Established(established) = self {
            established.sent_again(told.key, sent);
        }
        true
    }
}
