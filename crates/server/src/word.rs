//! The words for states and outcomes, the same in the journal, in the API and in the figures.

use tandem_center::agent::{AgentState, RestCause};
use tandem_center::channel::Channel;
use tandem_center::fact::{FactKind, Missing, OfferOutcome, Outcome, QueueRefusal};
use tandem_center::view::StageView;

/// The stage of an open interaction.
pub fn stage(stage: &StageView) -> &'static str {
    match stage {
        StageView::InFlow { .. } => "in_flow",
        StageView::Waiting(_) => "waiting",
        StageView::Offered { .. } => "offered",
        StageView::CallingBack { .. } => "calling_back",
        StageView::Parked(_) => "parked",
        StageView::Scheduled { .. } => "scheduled",
        StageView::LeavingMessage { .. } => "leaving_message",
        StageView::Redirecting { .. } => "redirecting",
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
        AgentState::NotReachable { .. } => "not_reachable",
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
        Outcome::NotReached => "not_reached",
        Outcome::Cancelled => "cancelled",
        Outcome::Expired => "expired",
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
        OfferOutcome::AnsweredElsewhere => "answered_elsewhere",
        OfferOutcome::NotConfirmed => "not_confirmed",
        OfferOutcome::Forwarded => "forwarded",
        OfferOutcome::CallerMoved => "caller_moved",
        OfferOutcome::CustomerNotReached => "customer_not_reached",
    }
}

/// How a customer reaches an agent.
pub fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Call => "call",
        Channel::Callback => "callback",
        Channel::Voicemail => "voicemail",
    }
}

/// Why a queue did not let a caller in.
pub fn queue_refusal(reason: QueueRefusal) -> &'static str {
    match reason {
        QueueRefusal::Full => "full",
        QueueRefusal::Gone => "gone",
        QueueRefusal::Closed => "closed",
        QueueRefusal::NoAgents => "no_agents",
    }
}

/// What was due and did not come.
pub fn missing(missing: Missing) -> &'static str {
    match missing {
        Missing::Answer => "answer",
        Missing::PlayEnd => "play_end",
        Missing::CollectEnd => "collect_end",
        Missing::RecordEnd => "record_end",
        Missing::TransferEnd => "transfer_end",
        Missing::PartyLeft => "party_left",
        Missing::CallEnd => "call_end",
        Missing::FlowEnd => "flow_end",
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
        FactKind::PresenceTold { .. } => "presence_told",
        FactKind::PresenceForgotten { .. } => "presence_forgotten",
        FactKind::QueueSwitched { .. } => "queue_switched",
        FactKind::AttributesSet { .. } => "attributes_set",
        FactKind::Widened { .. } => "widened",
        FactKind::Announced { .. } => "announced",
        FactKind::Prioritised { .. } => "prioritised",
        FactKind::TermsChanged { .. } => "terms_changed",
        FactKind::CallPlaced { .. } => "call_placed",
        FactKind::RedirectBegun { .. } => "redirect_begun",
        FactKind::RedirectEnded { .. } => "redirect_ended",
        FactKind::CallbackScheduled { .. } => "callback_scheduled",
        FactKind::CallbackPromised { .. } => "callback_promised",
        FactKind::CallbackDialled { .. } => "callback_dialled",
        FactKind::CallbackMissed { .. } => "callback_missed",
        FactKind::CallbackCancelled { .. } => "callback_cancelled",
        FactKind::MessageBegun { .. } => "message_begun",
        FactKind::MessageLeft { .. } => "message_left",
        FactKind::MessageMissed { .. } => "message_missed",
        FactKind::WrapUpExtended { .. } => "wrap_up_extended",
        FactKind::Heard { .. } => "heard",
        FactKind::Closed { .. } => "closed",
        FactKind::Erased { .. } => "erased",
    }
}

/// All stages, in the order in which a call goes through them.
pub const STAGES: [&str; 12] = [
    "in_flow",
    "waiting",
    "offered",
    "calling_back",
    "parked",
    "scheduled",
    "leaving_message",
    "redirecting",
    "connected",
    "transferred",
    "ending",
    "wrap_up",
];

/// All states that an agent who is there can have.
pub const AGENT_STATES: [&str; 8] =
    ["offline", "break", "available", "offered", "in_conversation", "wrap_up", "resting", "not_reachable"];

/// All outcomes of interactions.
pub const OUTCOMES: [Outcome; 9] = [
    Outcome::Handled,
    Outcome::Transferred,
    Outcome::AbandonedInQueue,
    Outcome::AbandonedInFlow,
    Outcome::FlowEnded,
    Outcome::Lost,
    Outcome::NotReached,
    Outcome::Cancelled,
    Outcome::Expired,
];

/// All reasons for which a queue does not let a caller in.
pub const REFUSALS: [&str; 4] = ["full", "gone", "closed", "no_agents"];

/// All that can be due and not come.
pub const MISSING: [Missing; 8] = [
    Missing::Answer,
    Missing::PlayEnd,
    Missing::CollectEnd,
    Missing::RecordEnd,
    Missing::TransferEnd,
    Missing::PartyLeft,
    Missing::CallEnd,
    Missing::FlowEnd,
];

/// All outcomes of offers.
pub const OFFER_OUTCOMES: [OfferOutcome; 12] = [
    OfferOutcome::Missed,
    OfferOutcome::Declined,
    OfferOutcome::Busy,
    OfferOutcome::Unreachable,
    OfferOutcome::AgentLeft,
    OfferOutcome::CallerGone,
    OfferOutcome::Lost,
    OfferOutcome::AnsweredElsewhere,
    OfferOutcome::NotConfirmed,
    OfferOutcome::Forwarded,
    OfferOutcome::CallerMoved,
    OfferOutcome::CustomerNotReached,
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
        for value in MISSING {
            assert_eq!(serde_json::to_value(value).unwrap(), missing(value));
        }
        for value in [QueueRefusal::Full, QueueRefusal::Gone, QueueRefusal::Closed, QueueRefusal::NoAgents] {
            assert_eq!(serde_json::to_value(value).unwrap(), queue_refusal(value));
            assert!(REFUSALS.contains(&queue_refusal(value)));
        }
        for value in [Channel::Call, Channel::Callback, Channel::Voicemail] {
            assert_eq!(serde_json::to_value(value).unwrap(), channel(value));
        }
        let kind = FactKind::Answered { interaction: tandem_center::id::InteractionId(1) };
        assert_eq!(serde_json::to_value(&kind).unwrap()["kind"], fact(&kind));
    }
}
