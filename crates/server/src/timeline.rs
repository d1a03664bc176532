//! The story of an interaction as sentences, for a person who was not there.

use std::time::Duration;

use tandem_center::agent::{AgentState, ChosenState, Who};
use tandem_center::call::{Address, Cause, CauseKind, Rejection, TransferOutcome};
use tandem_center::fact::{
    EndWhy, EndedBy, FactKind, MenuMiss, Missing, OfferOutcome, Outcome, QueueExit, QueueRefusal, Side,
    WrapUpEnd,
};
use tandem_center::personal::Personal;

/// What a fact says, as one English sentence.
pub fn sentence(kind: &FactKind) -> String {
    match kind {
        FactKind::Configured { .. } => "A new configuration came into force.".into(),
        FactKind::AgentChose { agent_name, chosen, by, then, .. } => {
            let who = match by {
                Who::Agent => "",
                Who::Supervisor => ", set by somebody else",
                Who::Configuration => ", as configured",
            };
            format!("{agent_name} chose to be {}{who}; now {}.", chose(chosen), doing(then))
        }
        FactKind::RestEnded { agent_name, then, .. } => {
            format!("{agent_name} has been left alone long enough; now {}.", doing(then))
        }
        FactKind::CallRejected { line, from, to, reason, .. } => {
            format!(
                "A call from {} to {} over {line} was refused: {}.",
                person(from),
                address(to),
                rejection(*reason)
            )
        }
        FactKind::Arrived { line, from, from_name, to, flow, .. } => {
            let name = match from_name.reveal().map_or("", |name| name.trim()) {
                "" => String::new(),
                name => format!(" ({name})"),
            };
            let from = person(from);
            format!("{from}{name} called {} over {line} and entered the flow {flow}.", address(to))
        }
        FactKind::Answered { .. } => "The call was answered.".into(),
        FactKind::StepBegun { flow, step, .. } => format!("Step {step} of the flow {flow} began."),
        FactKind::MenuChosen { step, key, .. } => format!("The caller pressed {key} in the menu {step}."),
        FactKind::MenuMissed { step, reason, tries_left, .. } => {
            let what = match reason {
                MenuMiss::NoKey => "pressed no key",
                MenuMiss::WrongKey => "pressed a key that is not offered",
            };
            match tries_left {
                0 => format!("The caller {what} in the menu {step}; that was the last try."),
                1 => format!("The caller {what} in the menu {step}; it is played once more."),
                more => format!("The caller {what} in the menu {step}; {more} tries are left."),
            }
        }
        FactKind::QueueEntered { queue_name, ahead, .. } => match ahead {
            0 => format!("The caller entered the queue {queue_name} as the first."),
            1 => format!("The caller entered the queue {queue_name}, behind one other."),
            more => format!("The caller entered the queue {queue_name}, behind {more} others."),
        },
        FactKind::QueueRefused { queue, reason, .. } => match reason {
            QueueRefusal::Full => format!("The queue {queue} was full; the flow went on."),
            QueueRefusal::Gone => format!("The queue {queue} no longer exists; the flow went on."),
        },
        FactKind::QueueLeft { queue_name, reason, waited_us, .. } => {
            let waited = time(*waited_us);
            match reason {
                QueueExit::Abandoned => format!("The caller hung up after waiting {waited} in {queue_name}."),
                QueueExit::Lost => format!("The call broke off after {waited} in {queue_name}."),
                QueueExit::WaitedTooLong => {
                    format!("After {waited}, the longest allowed wait in {queue_name}, the flow went on.")
                }
                QueueExit::CallLimit => {
                    format!("After {waited} in {queue_name} the call had lasted as long as calls may.")
                }
                QueueExit::QueueGone => {
                    format!("After {waited} the queue {queue_name} ceased to exist; the flow went on.")
                }
            }
        }
        FactKind::Offered { queue_name, agent_name, waited_us, idle_us, .. } => {
            format!(
                "Offered to {agent_name}, who had been free for {}, longest of all in {queue_name}. The caller had waited {}.",
                time(*idle_us),
                time(*waited_us)
            )
        }
        FactKind::Ringing { agent, .. } => format!("The telephone of {agent} rang."),
        FactKind::OfferEnded { agent_name, outcome, cause, rang_us, then, .. } => {
            let what = match outcome {
                OfferOutcome::Missed => "did not answer",
                OfferOutcome::Declined => "declined",
                OfferOutcome::Busy => "was busy",
                OfferOutcome::Unreachable => "could not be reached",
                OfferOutcome::AgentLeft => "stopped taking calls",
                OfferOutcome::CallerGone => "was not needed any more: the caller was gone",
                OfferOutcome::Lost => "was being rung when the call broke off",
            };
            let because = cause.as_ref().and_then(code).map(|code| format!(" ({code})")).unwrap_or_default();
            format!("{agent_name} {what} after {}{because}; now {}.", time(*rang_us), doing(then))
        }
        FactKind::Connected { agent_name, waited_us, rang_us, .. } => {
            format!(
                "{agent_name} answered after {} of ringing. The caller had waited {}.",
                time(*rang_us),
                time(*waited_us)
            )
        }
        FactKind::Held { by, .. } => format!("{} put the call on hold.", side(*by)),
        FactKind::Resumed { by, held_us, .. } => {
            format!("{} took the call back after {} on hold.", side(*by), time(*held_us))
        }
        FactKind::TransferAsked { agent_name, target, allowed, .. } => {
            let to = match target {
                Some(target) => person(target),
                None => "somebody whom only the telephone network knows".into(),
            };
            let answer = if *allowed { "allowed" } else { "refused" };
            format!("{agent_name} asked to hand the caller over to {to}; {answer}.")
        }
        FactKind::TransferEnded { agent_name, outcome, .. } => match outcome {
            TransferOutcome::Done => format!("The hand-over by {agent_name} succeeded."),
            TransferOutcome::Failed => {
                format!("The hand-over by {agent_name} failed; the conversation went on.")
            }
        },
        FactKind::ConversationEnded { agent_name, by, cause, talked_us, held_us, then, .. } => {
            let who = match by {
                EndedBy::Caller => "The caller hung up".to_owned(),
                EndedBy::Agent => format!("{agent_name} hung up"),
                EndedBy::Transfer => format!("{agent_name} handed the caller over"),
                EndedBy::Limit => "The call was ended because it had lasted as long as calls may".to_owned(),
                EndedBy::Lost => format!("The call broke off ({})", cause_words(cause)),
            };
            let held = if *held_us > 0 { format!(" and {} on hold", time(*held_us)) } else { String::new() };
            format!(
                "{who} after {} of conversation{held}. {agent_name} is now {}.",
                time(*talked_us),
                doing(then)
            )
        }
        FactKind::WrapUpEnded { agent_name, by, wrapped_us, then, .. } => {
            let how = match by {
                WrapUpEnd::Command => "finished the wrap-up",
                WrapUpEnd::Timer => "had no more time for the wrap-up",
                WrapUpEnd::AgentGone => "is no longer configured",
            };
            format!("{agent_name} {how} after {}; now {}.", time(*wrapped_us), doing(then))
        }
        FactKind::Quality { agent, quality, .. } => {
            let whom =
                agent.as_ref().map_or_else(|| "the caller".to_owned(), |agent| agent.as_str().to_owned());
            let score = match quality.mos_x100 {
                Some(mos) => format!("rated {}.{:02} of 5", mos / 100, mos % 100),
                None => "no sound was received".to_owned(),
            };
            let lost = f64::from(quality.lost_x10000) / 100.0;
            format!("Sound from {whom}: {score}, {lost:.2} % lost, {} ms jitter.", quality.jitter_ms)
        }
        FactKind::Ending { why, cause, .. } => {
            let reason = match why {
                EndWhy::CallerLeft => "the caller left",
                EndWhy::AgentLeft => "the agent left",
                EndWhy::TargetLeft => "the one to whom the caller was handed over left, or never came",
                EndWhy::FlowEnded => "the flow came to its end",
                EndWhy::CallLimit => "it had lasted as long as calls may",
                EndWhy::Lost => "it broke off",
            };
            let because =
                cause.as_ref().map(|cause| format!(" ({})", cause_words(cause))).unwrap_or_default();
            format!("The call began to end: {reason}{because}.")
        }
        FactKind::CallEnded { cause, lasted_us, .. } => {
            format!("The call was over after {} ({}).", time(*lasted_us), cause_words(cause))
        }
        FactKind::Repaired { missing, .. } => {
            let what = match missing {
                Missing::Answer => "an answer to the call",
                Missing::PlayEnd => "the end of a prompt",
                Missing::CollectEnd => "the end of a collection of digits",
                Missing::TransferEnd => "the end of a hand-over",
                Missing::PartyLeft => "word that somebody had left",
                Missing::CallEnd => "the end of the call",
                Missing::FlowEnd => "the end of a flow that went round in circles",
            };
            format!("Due and not come: {what}. Tandem went on without it.")
        }
        FactKind::Closed { outcome, .. } => format!("Closed: {}.", outcome_words(*outcome)),
    }
}

/// An address as people read it.
pub fn address(address: &Address) -> String {
    match address {
        Address::Phone(number) => number.to_string(),
        Address::Sip(uri) => uri.to_string(),
        Address::Anonymous => "anonymous".into(),
    }
}

/// Somebody's address, as long as it is known.
fn person(who: &Personal<Address>) -> String {
    who.reveal().map_or_else(|| "somebody whose number was erased".into(), address)
}

fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Handled => "the caller talked to an agent",
        Outcome::Transferred => "the caller talked to an agent and was handed over",
        Outcome::AbandonedInQueue => "the caller hung up while waiting",
        Outcome::AbandonedInFlow => "the caller hung up before any queue",
        Outcome::FlowEnded => "the flow ended the call",
        Outcome::Lost => "the call was lost",
    }
}

fn chose(chosen: &ChosenState) -> String {
    match chosen {
        ChosenState::Available => "available".into(),
        ChosenState::Break { reason: Some(reason) } => format!("on a break ({reason})"),
        ChosenState::Break { reason: None } => "on a break".into(),
        ChosenState::Offline => "offline".into(),
    }
}

fn doing(state: &AgentState) -> &'static str {
    match state {
        AgentState::Offline => "offline",
        AgentState::Break { .. } => "on a break",
        AgentState::Available { .. } => "free",
        AgentState::Offered { .. } => "being rung",
        AgentState::InConversation { .. } => "in a conversation",
        AgentState::WrapUp { .. } => "wrapping up",
        AgentState::Resting { .. } => "left alone for a while",
        AgentState::Gone => "gone",
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Caller => "The caller",
        Side::Agent => "The agent",
    }
}

fn rejection(reason: Rejection) -> &'static str {
    match reason {
        Rejection::UnknownNumber => "nobody has this number",
        Rejection::Busy => "busy",
        Rejection::Forbidden => "not allowed",
        Rejection::Unavailable => "not available",
        Rejection::Overloaded => "as many calls as allowed were there",
        Rejection::Declined => "declined",
    }
}

fn cause_words(cause: &Cause) -> String {
    let words = match cause.kind {
        CauseKind::HungUp => "hung up",
        CauseKind::Cancelled => "given up before the answer",
        CauseKind::Removed => "ended by Tandem",
        CauseKind::Transferred => "handed over",
        CauseKind::NotAnswered => "not answered",
        CauseKind::Busy => "busy",
        CauseKind::Declined => "declined",
        CauseKind::NotFound => "unknown number",
        CauseKind::Unavailable => "not available",
        CauseKind::Forbidden => "forbidden",
        CauseKind::NotAcceptable => "no codec or encryption in common",
        CauseKind::Unreachable => "line down",
        CauseKind::Overloaded => "other network overloaded",
        CauseKind::NetworkFailure => "other network failed",
        CauseKind::Lost => "connection lost",
        CauseKind::Rejected => "refused",
        CauseKind::Limit => "a limit was reached",
        CauseKind::Restarted => "Tandem was restarted",
    };
    match code(cause) {
        Some(code) => format!("{words}, {code}"),
        None => words.into(),
    }
}

fn code(cause: &Cause) -> Option<String> {
    (cause.code != 0).then(|| format!("SIP {}", cause.code))
}

/// A duration as people say it: `850 ms`, `12.3 s`, `2 min 05 s`, `1 h 02 min`.
fn time(micros: u64) -> String {
    let duration = Duration::from_micros(micros);
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{}.{} s", seconds, duration.subsec_millis() / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_people_say_them() {
        assert_eq!(time(0), "0 ms");
        assert_eq!(time(850_999), "850 ms");
        assert_eq!(time(12_345_678), "12.3 s");
        assert_eq!(time(125_000_000), "2 min 05 s");
        assert_eq!(time(3_725_000_000), "1 h 02 min");
    }
}
