//! The story of an interaction as sentences, for a person who was not there.

use std::sync::Arc;
use std::time::Duration;

use tandem_center::agent::{AgentState, ChosenState, Who};
use tandem_center::call::{Address, Cause, CauseKind, Rejection, TransferOutcome};
use tandem_center::channel::Channel;
use tandem_center::config::QueueDocument;
use tandem_center::erase::ErasedBy;
use tandem_center::fact::{
    CallbackEnd, EndWhy, EndedBy, FactKind, MenuMiss, Missing, OfferOutcome, Outcome, QueueExit,
    QueueRefusal, Side, WrapUpEnd,
};
use tandem_center::personal::Personal;
use tandem_center::terms::Requirement;

/// What a fact says, as one English sentence.
pub fn sentence(kind: &FactKind) -> String {
    match kind {
        FactKind::Configured { .. } => "A new configuration came into force.".into(),
        FactKind::AgentChose { agent_name, chosen, by, why, then, .. } => {
            let who = match by {
                Who::Agent => "",
                Who::Supervisor => ", set by somebody else",
                Who::Telephone => ", by telephone",
                Who::Configuration => ", as configured",
            };
            let why = because(why.as_ref());
            format!("{agent_name} chose to be {}{who}{why}; now {}.", chose(chosen), doing(then))
        }
        FactKind::RestEnded { agent_name, then, .. } => {
            format!("{agent_name} has been left alone long enough; now {}.", doing(then))
        }
        FactKind::PresenceTold { agent_name, told, then, .. } => {
            let how = if told.manual { "chose there to be" } else { "is" };
            let so = if told.stops { "so nothing is offered" } else { "which stops nothing" };
            let (source, presence) = (&told.source, told.presence.words());
            format!("{source} says that {agent_name} {how} {presence}, {so}; now {}.", doing(then))
        }
        FactKind::PresenceForgotten { agent_name, then, .. } => {
            format!("What was told of {agent_name}'s presence is too old to count; now {}.", doing(then))
        }
        FactKind::QueueSwitched { queue_name, closed, why, .. } => {
            let what = if *closed { "closed" } else { "opened again" };
            format!("The queue {queue_name} was {what}{}.", because(why.as_ref()))
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
        FactKind::AttributesSet { attributes, .. } => {
            let all: Vec<String> =
                attributes.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            format!("Found out: {}.", all.join(", "))
        }
        FactKind::QueueEntered { queue_name, ahead, channel, priority, vip, terms, .. } => {
            let who = match channel {
                Channel::Call => "The caller",
                Channel::Callback => "The callback",
                Channel::Voicemail => "The message",
            };
            let place = match ahead {
                0 => " as the first".to_owned(),
                1 => " with one other waiting".to_owned(),
                more => format!(" with {more} others waiting"),
            };
            let important = match (vip, priority) {
                (true, _) => ", as a very important caller".to_owned(),
                (false, &QueueDocument::NORMAL_PRIORITY) => String::new(),
                (false, priority) => format!(", with priority {priority}"),
            };
            let asks = asks(terms.requirement(0));
            format!("{who} entered the queue {queue_name}{place}{important}{asks}.")
        }
        FactKind::Widened { queue, .. } => {
            format!("The wait in {queue} was long enough to ask for less, or of more agents.")
        }
        FactKind::Announced { position, expected_us, .. } => {
            let place = position.map(|position| format!("place {position}"));
            let wait = expected_us.map(|wait| format!("a wait of about {}", time(wait)));
            match [place, wait].into_iter().flatten().collect::<Vec<_>>().join(" and ") {
                told if told.is_empty() => "The caller heard an announcement.".into(),
                told => format!("The caller was told {told}."),
            }
        }
        FactKind::Prioritised { priority, vip, why, .. } => {
            let what =
                if *vip { "a very important caller".to_owned() } else { format!("priority {priority}") };
            format!("Somebody made this {what}{}.", because(why.as_ref()))
        }
        FactKind::TermsChanged { terms, why, .. } => {
            format!(
                "Somebody changed what is asked for{}{}.",
                asks(terms.requirement(0)),
                because(why.as_ref())
            )
        }
        FactKind::CallPlaced { .. } => "Tandem began a call of its own.".into(),
        FactKind::RedirectBegun { endpoint, .. } => {
            format!(
                "The caller is being handed over to {} over {}.",
                address(&endpoint.address),
                endpoint.line
            )
        }
        FactKind::RedirectEnded { outcome, cause, .. } => match outcome {
            TransferOutcome::Done => "The telephone answered; the caller is theirs.".into(),
            TransferOutcome::Failed => {
                let why =
                    cause.as_ref().map(|cause| format!(" ({})", cause_words(cause))).unwrap_or_default();
                format!("The telephone did not answer{why}.")
            }
        },
        FactKind::CallbackScheduled { to, queue, why, .. } => {
            format!("{} is to be called back by {queue}{}.", person(to), because(why.as_ref()))
        }
        FactKind::CallbackPromised { queue_name, .. } => {
            format!("The caller wants to be called back and keeps the place in {queue_name}.")
        }
        FactKind::CallbackDialled { agent_name, attempt, .. } => match attempt {
            0 | 1 => format!("{agent_name} took the callback; the customer is being called."),
            more => format!("{agent_name} took the callback; the customer is being called, try {more}."),
        },
        FactKind::CallbackMissed { attempt, again_at, .. } => match again_at {
            Some(_) => format!("The customer did not answer try {attempt}; there will be another."),
            None => format!("The customer did not answer try {attempt}; that was the last."),
        },
        FactKind::CallbackCancelled { reason, why, .. } => {
            let what = match reason {
                CallbackEnd::CalledAgain => "The customer has called again",
                CallbackEnd::Served => "The customer has talked to an agent",
                CallbackEnd::Command => "Somebody cancelled it",
            };
            format!("{what}; no callback is needed{}.", because(why.as_ref()))
        }
        FactKind::MessageBegun { .. } => "The caller was asked to leave a message.".into(),
        FactKind::MessageLeft { length_us, .. } => {
            format!("The caller left a message of {}.", time(*length_us))
        }
        FactKind::MessageMissed { .. } => "The caller left no message.".into(),
        FactKind::Heard { .. } => "The agent heard the message to its end.".into(),
        FactKind::QueueRefused { queue, reason, .. } => match reason {
            QueueRefusal::Full => format!("The queue {queue} was full."),
            QueueRefusal::Gone => format!("The queue {queue} no longer exists; the flow went on."),
            QueueRefusal::Closed => format!("The queue {queue} was closed."),
            QueueRefusal::NoAgents => format!("No agent of the queue {queue} was signed in."),
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
                QueueExit::Overflowed => {
                    format!("After {waited} in {queue_name} a rule of overflow took over.")
                }
                QueueExit::NoAgents => format!("After {waited} the last agent of {queue_name} signed out."),
                QueueExit::CallbackPromised => {
                    format!("The wait in {queue_name} on the line ended after {waited}.")
                }
                QueueExit::CustomerNotReached => format!("The callback left {queue_name} after {waited}."),
                QueueExit::Cancelled => format!("The callback was taken out of {queue_name} after {waited}."),
                QueueExit::Moved => {
                    format!("After {waited} in {queue_name} somebody moved the caller elsewhere.")
                }
            }
        }
        FactKind::Offered { queue_name, agent_name, waited_us, idle_us, of_ready, .. } => {
            let (idle, waited) = (time(*idle_us), time(*waited_us));
            let of = match of_ready {
                0 | 1 => format!("the only one in {queue_name} who was free and fit"),
                more => format!("chosen among {more} in {queue_name} who were free and fit"),
            };
            format!("Offered to {agent_name}, {of}, without work for {idle}. The caller had waited {waited}.")
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
                OfferOutcome::AnsweredElsewhere => "was not needed any more: another agent answered",
                OfferOutcome::NotConfirmed => "did not press the key",
                OfferOutcome::Forwarded => "had calls sent on to somewhere else",
                OfferOutcome::CallerMoved => "was not needed any more: the caller went elsewhere",
                OfferOutcome::CustomerNotReached => "had nobody to talk to: the customer did not answer",
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
                EndedBy::Finished => "There was nothing more to hear".to_owned(),
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
        FactKind::WrapUpExtended { agent_name, .. } => {
            format!("{agent_name} took more time for the wrap-up.")
        }
        FactKind::WrapUpEnded { agent_name, by, wrapped_us, code, then, .. } => {
            let how = match by {
                WrapUpEnd::Command => "finished the wrap-up",
                WrapUpEnd::Timer => "had no more time for the wrap-up",
                WrapUpEnd::AgentGone => "is no longer configured",
                WrapUpEnd::QueueGone => "wraps up no more for a queue that is no longer configured",
                WrapUpEnd::TakenUp => "is rung for the same customer again and finished the wrap-up",
            };
            let about = code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            format!("{agent_name} {how} after {}{about}; now {}.", time(*wrapped_us), doing(then))
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
                EndWhy::Promised => "the caller will be called back",
                EndWhy::MessageTaken => "there was nothing more to say",
                EndWhy::MessageHeard => "the message was heard",
                EndWhy::NotRedirected => "the telephone to which the caller was handed over did not answer",
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
                Missing::RecordEnd => "the end of a recording",
                Missing::CollectEnd => "the end of a collection of digits",
                Missing::TransferEnd => "the end of a hand-over",
                Missing::PartyLeft => "word that somebody had left",
                Missing::CallEnd => "the end of the call",
                Missing::FlowEnd => "the end of a flow that went round in circles",
            };
            format!("Due and not come: {what}. Tandem went on without it.")
        }
        FactKind::Closed { outcome, .. } => format!("Closed: {}.", outcome_words(*outcome)),
        FactKind::Erased { by, why, .. } => {
            let cause = match by {
                ErasedBy::Request => "as somebody asked",
                ErasedBy::Retention => "it was kept as long as it may be",
            };
            let why = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!("Everything that tells who it was was erased: {cause}{why}.")
        }
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
        Outcome::NotReached => "the customer could not be reached",
        Outcome::Cancelled => "the customer need not be called back any more",
        Outcome::Expired => "it waited longer than may be",
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
        AgentState::NotReachable { .. } => "not reachable",
        AgentState::Gone => "gone",
    }
}

fn because(why: Option<&Arc<str>>) -> String {
    why.map(|why| format!(" (\"{why}\")")).unwrap_or_default()
}

/// What is asked of an agent, to be put behind a sentence.
fn asks(asked: &Requirement) -> String {
    let mut all = Vec::new();
    all.extend(asked.agent.as_ref().map(|agent| format!("only {agent}")));
    all.extend(asked.skills.iter().map(|(skill, level)| format!("{skill} {level}")));
    all.extend(asked.ring.map(|ring| format!("the first {ring} rings of agents")));
    if all.is_empty() { String::new() } else { format!(", asking for {}", all.join(", ")) }
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
