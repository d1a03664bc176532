//! A dialog that ends: its BYE, and the ACK that must come before it.

use super::engine::LegTimer;
use super::turn::{Asked, Turn};
use super::unacknowledged::Unacknowledged;
use super::vocabulary::{EndedBy, ExtraHeader};
use crate::dialog::Dialog;
use crate::message::Message;
use crate::method::Method;

/// What remains of a dialog that ends.
#[derive(Debug)]
pub(super) enum Remains {
    /// Its BYE is sent, or will be.
    Ending(Box<Ending>),
    /// Nothing.
    Over,
}

/// Nothing remains.
#[derive(Clone, Copy, Debug)]
pub(super) struct Over;

/// A dialog that ends.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) dialog: Dialog,
    /// To be told when all is done; `None`: it has been told.
    why: Option<EndedBy>,
    /// Our 2xx without ACK: before the ACK no BYE may be sent (RFC 3261 section 15).
    unacknowledged: Option<Unacknowledged>,
    headers: Vec<ExtraHeader>,
}

impl Ending {
    /// Sends BYE; `why`, if it has not been told, is told when that is answered.
    pub(super) fn begin(
        turn: &mut Turn<'_>,
        dialog: Dialog,
        headers: Vec<ExtraHeader>,
        why: Option<EndedBy>,
    ) -> Remains {
        let mut ending = Self { dialog, why, unacknowledged: None, headers };
        match ending.bye(turn) {
            Some(Over) => Remains::Over,
            None => Remains::Ending(Box::new(ending)),
        }
    }

    /// The same after the ACK for our 2xx.
    pub(super) fn after_ack(
        turn: &mut Turn<'_>,
        dialog: Dialog,
        success: Unacknowledged,
        headers: Vec<ExtraHeader>,
        why: Option<EndedBy>,
    ) -> Remains {
        success.go_on(turn);
        Remains::Ending(Box::new(Self { dialog, why, unacknowledged: Some(success), headers }))
    }

    fn bye(&mut self, turn: &mut Turn<'_>) -> Option<Over> {
        let headers = std::mem::take(&mut self.headers);
        match turn.bye(&mut self.dialog, &headers) {
            Some(_) => None,
            None => self.done(turn),
        }
    }

    fn done(&mut self, turn: &mut Turn<'_>) -> Option<Over> {
        turn.engine.stop_leg_timers(turn.leg());
        match self.why.take() {
            Some(why) => turn.ended(why, Over),
            None => Some(Over),
        }
    }

    pub(super) fn on_ack(&mut self, turn: &mut Turn<'_>, ack: &Message) -> Option<Over> {
        self.unacknowledged.take_if(|success| success.is_acknowledged_by(ack))?;
        turn.engine.stop_leg_timers(turn.leg());
        self.bye(turn)
    }

    /// The BYE was answered, or never will be.
    pub(super) fn on_bye_done(&mut self, turn: &mut Turn<'_>) -> Option<Over> {
        self.done(turn)
    }

    pub(super) fn on_request(&mut self, turn: &mut Turn<'_>, asked: &Asked) -> Option<Over> {
        let is_bye = asked.request.method() == Method::Bye;
        turn.reply_status(asked.server, &asked.request, if is_bye { 200 } else { 481 });
        // With theirs the dialog is over, whatever becomes of ours.
        if is_bye { self.done(turn) } else { None }
    }

    pub(super) fn on_timer(&mut self, turn: &mut Turn<'_>, timer: LegTimer) -> Option<Over> {
        match timer {
            LegTimer::SuccessAgain => {
                self.unacknowledged.as_mut()?.again(turn);
                None
            }
            LegTimer::SuccessGivesUp => {
                self.unacknowledged = None;
                turn.stop(LegTimer::SuccessAgain);
                self.bye(turn)
            }
            _ => None,
        }
    }
}
