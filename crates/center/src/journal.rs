//! What the center has to say, in order: facts, numbered, and commands to the doors.

use std::collections::VecDeque;

use crate::call::CallCommand;
use crate::fact::{Fact, FactKind};
use crate::supervise::Refusal;
use crate::timer::Timestamp;

/// Something that the center has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// What is wanted of a call; for the door that has it, at once.
    Call(CallCommand),
    /// What happened; for the journal, and from there for everybody else. Facts come in the order of their numbers.
    Fact(Fact),
    /// The command that was just handed in was not obeyed.
    Refused(Refusal),
}

/// The outputs that wait to be fetched, the clock and the number of the last fact.
///
/// The outputs are as many as one input brings forth, if the shell fetches them after each: a few, or a few for
/// each agent and caller when a new configuration comes into force.
#[derive(Debug)]
pub(crate) struct Journal {
    now: Timestamp,
    number: u64,
    outputs: VecDeque<Output>,
}

impl Journal {
    pub(crate) fn new(number: u64, now: Timestamp) -> Journal {
        Journal { now, number, outputs: VecDeque::new() }
    }

    /// Moves the clock; a moment before the latest seen is read as that.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The number of the last fact.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Records a fact and returns its number.
    pub(crate) fn record(&mut self, kind: FactKind) -> u64 {
        let fact = self.next(kind);
        self.outputs.push_back(Output::Fact(fact));
        self.number
    }

    /// The next fact, for who wants to look at it before it is [`output`](Journal::output).
    pub(crate) fn next(&mut self, kind: FactKind) -> Fact {
        self.number += 1;
        Fact { number: self.number, at: self.now, version: Fact::VERSION, kind }
    }

    pub(crate) fn command(&mut self, command: CallCommand) {
        self.outputs.push_back(Output::Call(command));
    }

    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}
