//! Entry: a call comes in.

use crate::call::{Arrival, CallCommand, PartyId, Rejection};
use crate::center::Center;
use crate::fact::FactKind;
use crate::id::InteractionId;
use crate::interaction::{Caller, Interaction};
use crate::personal::Personal;

impl Center {
    /// Somebody calls: begins an interaction and its flow, or refuses the call. A call that is already here is
    /// ignored.
    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        if self.interactions.has_call(arrival.call) {
            return;
        }
        let config = self.config.clone();
        let Some(flow) = config.flow_for(&arrival.line, &arrival.to) else {
            return self.reject_arrival(arrival, Rejection::UnknownNumber);
        };
        let full = self.interactions.calls() >= config.limits().calls;
        if full || self.interactions.len() >= INTERACTIONS_MAX {
            return self.reject_arrival(arrival, Rejection::Overloaded);
        }
        let now = self.journal.now();
        let Arrival { call, line, from, from_name, to } = arrival;
        let caller = Caller {
            line,
            from: Personal::new(from),
            from_name: Personal::new(from_name),
            to,
            flow: Some(flow.id.clone()),
        };
        let number = self.journal.record(FactKind::Arrived {
            call,
            line: caller.line.clone(),
            from: caller.from.clone(),
            from_name: caller.from_name.clone(),
            to: caller.to.clone(),
            flow: flow.id.clone(),
        });
        let id = InteractionId(number);
        let mut interaction = Box::new(Interaction::begun(id, caller, now));
        interaction.call = Some(call);
        interaction.last_call = Some(call);
        interaction.customer = Some(PartyId::FIRST);
        interaction.call_ends_at = Some(now + config.limits().call);
        self.interactions.know_call(call, interaction.id);
        self.run_flow(&mut interaction, flow.clone(), Some(flow.start));
        self.settle(interaction);
    }

    fn reject_arrival(&mut self, arrival: Arrival, reason: Rejection) {
        let Arrival { call, line, from, from_name, to } = arrival;
        self.journal.command(CallCommand::Reject { call, reason });
        self.journal.record(FactKind::CallRejected {
            call,
            line,
            from: Personal::new(from),
            from_name: Personal::new(from_name),
            to,
            reason,
        });
    }
}

/// Interactions that may be open at once: with what waits without a call (callbacks, messages, wrap-ups) four times as many as
/// there may be calls. At the limit a call is refused as overloaded.
const INTERACTIONS_MAX: usize = 1_000_000;
