//! The words for states and outcomes, the same in the journal, in the API and in the figures.

use tandem_center::agent::{AgentState, RestCause};
use tandem_center::fact::{FactKind, OfferOutcome, Outcome};
use tandem_center::view::StageView;

/// The stage of an open interaction.
pub fn stage(stage: &StageView) -> &'static str {
    match stage {
        StageView::InFlow { .. } => "in_flow",
        StageView::Waiting(_) => "waiting",
        StageView::Offered { .. } => "offered",
        StageView::Connected { .. } => "connected",
        StageView::Transferred { .. } => "transferred",
        StageView::Ending { .. } => "ending",
        StageView::WrapUp { .. } => "wrap_up",
    }
}

/// The state of an agent.
pub fn agent_state(state: &AgentState) -> &'static str {
    match state {
        AgentState::Offline => "offline",
        AgentState::Break { .. } => "break",
        AgentState::Available { .. } => "available",
        AgentState::Offered { .. } => "offered",
        AgentState::InConversation { .. } => "in_conversation",
        AgentState::WrapUp { .. } => "wrap_up",
        AgentState::Resting { .. } => "resting",
        AgentState::Gone => "gone",
    }
}

/// Why an agent is left alone.
pub fn rest_cause(cause: RestCause) -> &'static str {
    match cause {
        RestCause::Missed => "missed",
        RestCause::Declined => "declined",
        RestCause::Busy => "busy",
        RestCause::Unreachable => "unreachable",
    }
}

/// How an interaction is counted.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Handled => "handled",
        Outcome::Transferred => "transferred",
        Outcome::AbandonedInQueue => "abandoned_in_queue",
        Outcome::AbandonedInFlow => "abandoned_in_flow",
        Outcome::FlowEnded => "flow_ended",
        Outcome::Lost => "lost",
    }
}

/// How an offer ended without a conversation.
pub fn offer_outcome(outcome: OfferOutcome) -> &'static str {
    match outcome {
        OfferOutcome::Missed => "missed",
        OfferOutcome::Declined => "declined",
        OfferOutcome::Busy => "busy",
        OfferOutcome::Unreachable => "unreachable",
        OfferOutcome::AgentLeft => "agent_left",
        OfferOutcome::CallerGone => "caller_gone",
        OfferOutcome::Lost => "lost",
    }
}

/// The kind of a fact.
pub fn fact(kind: &FactKind) -> &'static str {
    match kind {
        FactKind::Configured { .. } => "configured",
        FactKind::AgentChose { .. } => "agent_chose",
        FactKind::RestEnded { .. } => "rest_ended",
        FactKind::CallRejected { .. } => "call_rejected",
        FactKind::Arrived { .. } => "arrived",
        FactKind::Answered { .. } => "answered",
        FactKind::StepBegun { .. } => "step_begun",
        FactKind::MenuChosen { .. } => "menu_chosen",
        FactKind::MenuMissed { .. } => "menu_missed",
        FactKind::QueueEntered { .. } => "queue_entered",
        FactKind::QueueRefused { .. } => "queue_refused",
        FactKind::QueueLeft { .. } => "queue_left",
        FactKind::Offered { .. } => "offered",
        FactKind::Ringing { .. } => "ringing",
        FactKind::OfferEnded { .. } => "offer_ended",
        FactKind::Connected { .. } => "connected",
        FactKind::Held { .. } => "held",
        FactKind::Resumed { .. } => "resumed",
        FactKind::TransferAsked { .. } => "transfer_asked",
        FactKind::TransferEnded { .. } => "transfer_ended",
        FactKind::ConversationEnded { .. } => "conversation_ended",
        FactKind::WrapUpEnded { .. } => "wrap_up_ended",
        FactKind::Quality { .. } => "quality",
        FactKind::Ending { .. } => "ending",
        FactKind::CallEnded { .. } => "call_ended",
        FactKind::Repaired { .. } => "repaired",
        FactKind::Closed { .. } => "closed",
    }
}

/// All stages, in the order in which a call goes through them.
pub const STAGES: [&str; 7] =
    ["in_flow", "waiting", "offered", "connected", "transferred", "ending", "wrap_up"];

/// All states that an agent who is there can have.
pub const AGENT_STATES: [&str; 7] =
    ["offline", "break", "available", "offered", "in_conversation", "wrap_up", "resting"];

/// All outcomes of interactions.
pub const OUTCOMES: [Outcome; 6] = [
    Outcome::Handled,
    Outcome::Transferred,
    Outcome::AbandonedInQueue,
    Outcome::AbandonedInFlow,
    Outcome::FlowEnded,
    Outcome::Lost,
];

/// All outcomes of offers.
pub const OFFER_OUTCOMES: [OfferOutcome; 7] = [
    OfferOutcome::Missed,
    OfferOutcome::Declined,
    OfferOutcome::Busy,
    OfferOutcome::Unreachable,
    OfferOutcome::AgentLeft,
    OfferOutcome::CallerGone,
    OfferOutcome::Lost,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_journal() {
        for value in OUTCOMES {
            assert_eq!(serde_json::to_value(value).unwrap(), outcome(value));
        }
        for value in OFFER_OUTCOMES {
            assert_eq!(serde_json::to_value(value).unwrap(), offer_outcome(value));
        }
        let kind = FactKind::Answered { interaction: tandem_center::id::InteractionId(1) };
        assert_eq!(serde_json::to_value(&kind).unwrap()["kind"], fact(&kind));
    }
}
