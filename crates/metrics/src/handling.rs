//! Handling: what became of offers to agents, and the work that agents had with the contacts they took.

use serde::{Deserialize, Serialize};
use tandem_center::fact::OfferOutcome;

use crate::metric::{Measured, Metric, Quotient};

/// Over which contacts a part of the handling is averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PerContact {
    /// All that were handled.
    Handled,
    /// Only those that had it.
    WithIt,
}

/// One agent's work with one contact, from the connection to the end of the wrap-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// Time in conversation without holds, in microseconds. It ends with the agent's part: a caller who was
    /// handed over talks on somebody else's account.
    pub talk_us: u64,
    /// Time on hold, in microseconds.
    pub hold_us: u64,
    /// Time of the wrap-up, in microseconds.
    pub after_call_us: u64,
    /// Handed over, once or more often.
    pub transferred: bool,
    /// With a consultation, one or more.
    pub consulted: bool,
}

/// Contacts whose handling is over. Those that are still in conversation or wrap-up are not in it, so that
/// sums and counts belong together at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handled {
    /// How many.
    pub contacts: u64,
    /// Their time in conversation, in microseconds.
    pub talk_us: u64,
    /// Their time on hold, in microseconds.
    pub hold_us: u64,
    /// The time of their wrap-ups, in microseconds.
    pub after_call_us: u64,
    /// How many had a hold.
    pub with_hold: u64,
    /// How many had a wrap-up that took time.
    pub with_after_call: u64,
    /// How many were handed over.
    pub transferred: u64,
    /// How many had a consultation.
    pub consulted: u64,
}

/// Offers to agents, and what became of them. `made` is the sum of the others and of those that still ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offers {
    /// How often an agent was rung.
    pub made: u64,
    /// The agent answered; of a callback, whether the customer then did or not.
    pub answered: u64,
    /// The agent's telephone rang until the time was over, or something else than the agent answered: ring no
    /// answer (RONA).
    pub missed: u64,
    /// The agent refused.
    pub declined: u64,
    /// The agent's telephone was busy or could not be reached.
    pub unreachable: u64,
    /// The caller hung up or left otherwise while the telephone rang: no fault of the agent.
    pub caller_gone: u64,
    /// Another agent, who was rung at the same time, answered first.
    pub answered_elsewhere: u64,
    /// Taken back for another reason: the agent left, the caller was moved, the call broke off.
    pub withdrawn: u64,
    /// How long telephones rang together, in microseconds; without those that still ring.
    pub ring_us: u64,
}

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferEnd {
    /// The agent answered.
    Answered,
    /// Rang until the time was over.
    Missed,
    /// The agent refused.
    Declined,
    /// Busy, or not to be reached.
    Unreachable,
    /// The caller was gone.
    CallerGone,
    /// Another agent answered first.
    AnsweredElsewhere,
    /// Taken back.
    Withdrawn,
}

impl OfferEnd {
    /// How an outcome counts.
    pub fn of(outcome: OfferOutcome) -> OfferEnd {
        match outcome {
            // Who lets an answering machine or another telephone answer has not answered.
            OfferOutcome::Missed | OfferOutcome::NotConfirmed | OfferOutcome::Forwarded => OfferEnd::Missed,
            OfferOutcome::Declined => OfferEnd::Declined,
            OfferOutcome::Busy | OfferOutcome::Unreachable => OfferEnd::Unreachable,
            OfferOutcome::CallerGone => OfferEnd::CallerGone,
            OfferOutcome::AnsweredElsewhere => OfferEnd::AnsweredElsewhere,
            OfferOutcome::CustomerNotReached => OfferEnd::Answered,
            _ => OfferEnd::Withdrawn,
        }
    }
}

impl Handling {
    /// Talk, hold and wrap-up together, in microseconds.
    pub fn total_us(&self) -> u64 {
        self.talk_us.saturating_add(self.hold_us).saturating_add(self.after_call_us)
    }
}

impl Handled {
    /// Counts one more.
    pub(crate) fn add(&mut self, handling: &Handling) {
        self.contacts += 1;
        self.talk_us = self.talk_us.saturating_add(handling.talk_us);
        self.hold_us = self.hold_us.saturating_add(handling.hold_us);
        self.after_call_us = self.after_call_us.saturating_add(handling.after_call_us);
        self.with_hold += u64::from(handling.hold_us > 0);
        self.with_after_call += u64::from(handling.after_call_us > 0);
        self.transferred += u64::from(handling.transferred);
        self.consulted += u64::from(handling.consulted);
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Handled) {
        self.contacts += other.contacts;
        self.talk_us = self.talk_us.saturating_add(other.talk_us);
        self.hold_us = self.hold_us.saturating_add(other.hold_us);
        self.after_call_us = self.after_call_us.saturating_add(other.after_call_us);
        self.with_hold += other.with_hold;
        self.with_after_call += other.with_after_call;
        self.transferred += other.transferred;
        self.consulted += other.consulted;
    }

    /// Average talk time (ATT): microseconds over contacts.
    pub fn talk(&self) -> Quotient {
        Quotient::new(self.talk_us, self.contacts)
    }

    /// Average hold time: microseconds over contacts.
    pub fn hold(&self, per: PerContact) -> Quotient {
        Quotient::new(self.hold_us, per.count(self.contacts, self.with_hold))
    }

    /// Average after-call work (ACW): microseconds over contacts.
    pub fn after_call(&self, per: PerContact) -> Quotient {
        Quotient::new(self.after_call_us, per.count(self.contacts, self.with_after_call))
    }

    /// Average handle time (AHT): talk, hold and after-call work in microseconds over contacts. The time in
    /// which the agent's telephone rang is part of the customer's wait, not of this.
    pub fn handle_time(&self) -> Quotient {
        let sum = self.talk_us.saturating_add(self.hold_us).saturating_add(self.after_call_us);
        Quotient::new(sum, self.contacts)
    }

    /// Handed-over contacts over contacts. One that was handed over twice by the same agent counts once.
    pub fn transfers(&self) -> Quotient {
        Quotient::new(self.transferred, self.contacts)
    }

    /// Contacts with a consultation over contacts.
    pub fn consultations(&self) -> Quotient {
        Quotient::new(self.consulted, self.contacts)
    }

    /// All metrics of handling that the facts of today can tell: they do not say yet who consulted whom.
    pub fn measure(&self) -> Vec<Measured> {
        use PerContact::{Handled, WithIt};
        let mut all = vec![Measured::mean(Metric::Talk, self.talk())];
        all.extend(
            [Handled, WithIt].map(|variant| Measured::mean(Metric::Hold { variant }, self.hold(variant))),
        );
        all.extend(
            [Handled, WithIt]
                .map(|variant| Measured::mean(Metric::AfterCallWork { variant }, self.after_call(variant))),
        );
        all.push(Measured::mean(Metric::HandleTime, self.handle_time()));
        all.push(Measured::share(Metric::Transfers, self.transfers()));
        all
    }
}

impl Offers {
    /// Counts an offer that ended.
    pub(crate) fn end(&mut self, how: OfferEnd, rang_us: u64) {
        let count = match how {
            OfferEnd::Answered => &mut self.answered,
            OfferEnd::Missed => &mut self.missed,
            OfferEnd::Declined => &mut self.declined,
            OfferEnd::Unreachable => &mut self.unreachable,
            OfferEnd::CallerGone => &mut self.caller_gone,
            OfferEnd::AnsweredElsewhere => &mut self.answered_elsewhere,
            OfferEnd::Withdrawn => &mut self.withdrawn,
        };
        *count += 1;
        self.ring_us = self.ring_us.saturating_add(rang_us);
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Offers) {
        self.made += other.made;
        self.answered += other.answered;
        self.missed += other.missed;
        self.declined += other.declined;
        self.unreachable += other.unreachable;
        self.caller_gone += other.caller_gone;
        self.answered_elsewhere += other.answered_elsewhere;
        self.withdrawn += other.withdrawn;
        self.ring_us = self.ring_us.saturating_add(other.ring_us);
    }

    /// How many have ended.
    pub fn ended(&self) -> u64 {
        self.answered
            + self.missed
            + self.declined
            + self.unreachable
            + self.caller_gone
            + self.answered_elsewhere
            + self.withdrawn
    }

    /// The RONA rate: offers that rang until the time was over, over offers that ended.
    pub fn ring_no_answer(&self) -> Quotient {
        Quotient::new(self.missed, self.ended())
    }

    /// The same with its name.
    pub fn measure(&self) -> Measured {
        Measured::share(Metric::RingNoAnswer, self.ring_no_answer())
    }
}

impl PerContact {
    fn count(self, all: u64, with_it: u64) -> u64 {
        match self {
            PerContact::Handled => all,
            PerContact::WithIt => with_it,
        }
    }
}
