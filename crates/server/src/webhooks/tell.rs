//! From facts to events: which facts are told, and what is told of them.

use std::sync::Arc;

use serde::Serialize;
use tandem_center::agent::AgentState;
use tandem_center::call::{Address, Cause, Quality};
use tandem_center::fact::{Fact, FactKind};
use tandem_center::personal::Personal;
use tandem_center::timer::Timestamp;

use super::event::{Event, EventAgentState, EventCause, EventData, EventQuality, EventType};
use crate::word;

/// How much a program is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing about customers.
    Plain,
    /// Numbers, names, notes and attributes too, until they are erased.
    Personal,
}

/// The event that a fact of a tenant becomes; `None` if it is the center's own affair.
#[must_use]
pub fn event(tenant: &str, fact: &Fact, detail: Detail) -> Option<Event> {
    let kind = event_type(&fact.kind)?;
    let mut data = data(&fact.kind);
    data.interaction = fact.interaction().map(|id| id.0);
    if detail == Detail::Personal {
        add_personal(&mut data, &fact.kind);
    }
    let (id, version) = (Event::id_of(tenant, fact.number), Event::VERSION);
    Some(Event {
        id,
        kind,
        version,
        tenant: tenant.to_owned(),
        number: fact.number,
        at: fact.at.as_micros(),
        data,
    })
}

/// The type of event that a fact becomes. A new kind of fact has to be decided about here.
#[must_use]
pub fn event_type(kind: &FactKind) -> Option<EventType> {
    Some(match kind {
        FactKind::Configured { .. } => EventType::ConfigurationPublished,
        FactKind::AgentChose { .. } | FactKind::RestEnded { .. } => EventType::AgentStateChanged,
        FactKind::PresenceTold { .. } | FactKind::PresenceForgotten { .. } => EventType::AgentPresenceChanged,
        FactKind::QueueSwitched { .. } => EventType::QueueSwitched,
        FactKind::CallRejected { .. } => EventType::CallRejected,
        FactKind::Arrived { .. } => EventType::CallArrived,
        FactKind::Answered { .. } => EventType::CallAnswered,
        FactKind::MenuChosen { .. } => EventType::CallMenuChosen,
        FactKind::AttributesSet { .. } => EventType::CallAttributesSet,
        FactKind::QueueEntered { .. } => EventType::CallQueued,
        FactKind::QueueRefused { .. } => EventType::CallQueueRefused,
        FactKind::QueueLeft { .. } => EventType::CallQueueLeft,
        FactKind::Prioritised { .. } => EventType::CallPrioritised,
        FactKind::TermsChanged { .. } => EventType::CallAssigned,
        FactKind::CallPlaced { .. } => EventType::CallPlaced,
        FactKind::RedirectBegun { .. } => EventType::CallRedirecting,
        FactKind::RedirectEnded { .. } => EventType::CallRedirected,
        FactKind::CallbackScheduled { .. } => EventType::CallbackScheduled,
        FactKind::CallbackPromised { .. } => EventType::CallbackPromised,
        FactKind::CallbackDialled { .. } => EventType::CallbackDialled,
        FactKind::CallbackMissed { .. } => EventType::CallbackMissed,
        FactKind::CallbackCancelled { .. } => EventType::CallbackCancelled,
        FactKind::MessageBegun { .. } => EventType::MessageBegun,
        FactKind::MessageLeft { .. } => EventType::MessageLeft,
        FactKind::MessageMissed { .. } => EventType::MessageMissed,
        FactKind::Heard { .. } => EventType::MessageHeard,
        FactKind::Offered { .. } => EventType::OfferMade,
        FactKind::Ringing { .. } => EventType::OfferRinging,
        FactKind::OfferEnded { .. } => EventType::OfferEnded,
        FactKind::Connected { .. } => EventType::CallConnected,
        FactKind::Held { .. } => EventType::CallHeld,
        FactKind::Resumed { .. } => EventType::CallResumed,
        FactKind::TransferAsked { .. } => EventType::CallTransferAsked,
        FactKind::TransferEnded { .. } => EventType::CallTransferEnded,
        FactKind::ConversationEnded { .. } => EventType::CallConversationEnded,
        FactKind::WrapUpExtended { .. } => EventType::WrapUpExtended,
        FactKind::WrapUpEnded { .. } => EventType::WrapUpEnded,
        FactKind::Quality { .. } => EventType::CallQuality,
        FactKind::CallEnded { .. } => EventType::CallEnded,
        FactKind::Repaired { .. } => EventType::InteractionRepaired,
        FactKind::Closed { .. } => EventType::InteractionClosed,
        FactKind::Erased { .. } => EventType::PersonalDataErased,
        // How a flow goes is its own affair and changes with it.
        FactKind::StepBegun { .. } | FactKind::MenuMissed { .. } | FactKind::Announced { .. } => return None,
        // What a queue asks of agents while time passes stands in its configuration.
        FactKind::Widened { .. } => return None,
        // `call.ended` says it all.
        FactKind::Ending { .. } => return None,
    })
}

/// What is told of a fact to everybody.
fn data(kind: &FactKind) -> EventData {
    let none = EventData::default();
    match kind {
        FactKind::Configured { configuration } => EventData {
            agents: count(configuration.agents.len()),
            queues: count(configuration.queues.len()),
            numbers: count(configuration.numbers.len()),
            ..none
        },
        FactKind::AgentChose { agent, agent_name, by, why, then, .. } => EventData {
            agent: text(agent),
            agent_name: text(agent_name),
            agent_state: state(then),
            by: said(by),
            why: why.as_deref().map(str::to_owned),
            ..none
        },
        FactKind::RestEnded { agent, agent_name, then } => EventData {
            agent: text(agent),
            agent_name: text(agent_name),
            agent_state: state(then),
            by: text("rest_ended"),
            ..none
        },
        FactKind::PresenceTold { agent, agent_name, told, then } => EventData {
            agent: text(agent),
            agent_name: text(agent_name),
            agent_state: state(then),
            presence: said(told.presence),
            presence_source: text(&told.source),
            presence_manual: Some(told.manual),
            stops_offers: Some(told.stops),
            observed_at: at(told.observed_at),
            until: at(told.until),
            ..none
        },
        FactKind::PresenceForgotten { agent, agent_name, then } => {
            EventData { agent: text(agent), agent_name: text(agent_name), agent_state: state(then), ..none }
        }
        FactKind::QueueSwitched { queue, queue_name, closed, why } => EventData {
            queue: text(queue),
            queue_name: text(queue_name),
            closed: Some(*closed),
            why: why.as_deref().map(str::to_owned),
            ..none
        },
        FactKind::CallRejected { call, line, to, reason, .. } => EventData {
            call: text(call),
            line: text(line),
            dialled: Some(address(to)),
            reason: said(reason),
            ..none
        },
        FactKind::Arrived { call, line, to, flow, .. } => EventData {
            call: text(call),
            line: text(line),
            dialled: Some(address(to)),
            flow: text(flow),
            ..none
        },
        FactKind::MenuChosen { flow, step, key, .. } => {
            EventData { flow: text(flow), step: text(step), key: text(key), ..none }
        }
        FactKind::QueueEntered {
            queue, queue_name, ahead, channel, waiting_since, priority, vip, ..
        } => EventData {
            queue: text(queue),
            queue_name: text(queue_name),
            ahead: Some(*ahead),
            channel: text(word::channel(*channel)),
            waiting_since: waiting_since.and_then(at),
            priority: Some(*priority),
            vip: Some(*vip),
            ..none
        },
        FactKind::QueueRefused { queue, reason, .. } => {
            EventData { queue: text(queue), reason: text(word::queue_refusal(*reason)), ..none }
        }
        FactKind::QueueLeft { queue, queue_name, reason, waited_us, why, .. } => EventData {
            queue: text(queue),
            queue_name: text(queue_name),
            reason: said(reason),
            waited_us: Some(*waited_us),
            why: why.as_deref().map(str::to_owned),
            ..none
        },
        FactKind::Prioritised { priority, vip, why, .. } => EventData {
            priority: Some(*priority),
            vip: Some(*vip),
            why: why.as_deref().map(str::to_owned),
            ..none
        },
        FactKind::TermsChanged { terms, why, .. } => EventData {
            agent: terms.requirement(0).agent.as_ref().and_then(text),
            why: why.as_deref().map(str::to_owned),
            ..none
        },
        FactKind::CallPlaced { call, endpoint, .. } => {
            EventData { call: text(call), line: text(&endpoint.line), ..none }
        }
        FactKind::RedirectBegun { endpoint, .. } => EventData { line: text(&endpoint.line), ..none },
        FactKind::RedirectEnded { outcome, cause, .. } => {
            EventData { outcome: said(outcome), cause: cause.as_ref().map(cause_of), ..none }
        }
        FactKind::CallbackScheduled { line, queue, due_at, priority, why, .. } => EventData {
            line: text(line),
            queue: text(queue),
            due_at: at(*due_at),
            priority: Some(*priority),
            why: why.as_deref().map(str::to_owned),
            ..none
        },
        FactKind::CallbackPromised { queue, queue_name, line, waiting_since, priority, vip, .. } => {
            EventData {
                queue: text(queue),
                queue_name: text(queue_name),
                line: text(line),
                waiting_since: at(*waiting_since),
                priority: Some(*priority),
                vip: Some(*vip),
                ..none
            }
        }
        FactKind::CallbackDialled { agent, agent_name, attempt, .. } => {
            EventData { agent: text(agent), agent_name: text(agent_name), attempt: Some(*attempt), ..none }
        }
        FactKind::CallbackMissed { queue, attempt, again_at, .. } => {
            EventData { queue: text(queue), attempt: Some(*attempt), again_at: again_at.and_then(at), ..none }
        }
        FactKind::CallbackCancelled { reason, why, .. } => {
            EventData { reason: said(reason), why: why.as_deref().map(str::to_owned), ..none }
        }
        FactKind::MessageBegun { queue, recording, waiting_since, priority, vip, .. } => EventData {
            queue: text(queue),
            recording: text(recording),
            waiting_since: at(*waiting_since),
            priority: Some(*priority),
            vip: Some(*vip),
            ..none
        },
        FactKind::MessageLeft { recording, end, length_us, .. } => {
            EventData { recording: text(recording), reason: said(end), length_us: Some(*length_us), ..none }
        }
        FactKind::MessageMissed { recording, .. } | FactKind::Heard { recording, .. } => {
            EventData { recording: text(recording), ..none }
        }
        FactKind::Offered { queue, queue_name, agent, agent_name, rings_until, waited_us, then, .. } => {
            EventData {
                queue: text(queue),
                queue_name: text(queue_name),
                agent: text(agent),
                agent_name: text(agent_name),
                agent_state: then.as_ref().map_or_else(|| simply("offered"), state),
                rings_until: at(*rings_until),
                waited_us: Some(*waited_us),
                ..none
            }
        }
        FactKind::Ringing { agent, .. } => EventData { agent: text(agent), ..none },
        FactKind::OfferEnded { queue, agent, agent_name, outcome, cause, rang_us, then, .. } => EventData {
            queue: text(queue),
            agent: text(agent),
            agent_name: text(agent_name),
            agent_state: state(then),
            outcome: text(word::offer_outcome(*outcome)),
            cause: cause.as_ref().map(cause_of),
            rang_us: Some(*rang_us),
            ..none
        },
        FactKind::Connected { queue, queue_name, agent, agent_name, waited_us, rang_us, then, .. } => {
            EventData {
                queue: text(queue),
                queue_name: text(queue_name),
                agent: text(agent),
                agent_name: text(agent_name),
                agent_state: then.as_ref().map_or_else(|| simply("in_conversation"), state),
                waited_us: Some(*waited_us),
                rang_us: Some(*rang_us),
                ..none
            }
        }
        FactKind::Held { by, .. } => EventData { by: said(by), ..none },
        FactKind::Resumed { by, held_us, .. } => EventData { by: said(by), held_us: Some(*held_us), ..none },
        FactKind::TransferAsked { agent, agent_name, allowed, .. } => {
            EventData { agent: text(agent), agent_name: text(agent_name), allowed: Some(*allowed), ..none }
        }
        FactKind::TransferEnded { agent, agent_name, outcome, .. } => {
            EventData { agent: text(agent), agent_name: text(agent_name), outcome: said(outcome), ..none }
        }
        FactKind::ConversationEnded {
            queue,
            agent,
            agent_name,
            by,
            cause,
            talked_us,
            held_us,
            wrap_up_until,
            then,
            ..
        } => EventData {
            queue: text(queue),
            agent: text(agent),
            agent_name: text(agent_name),
            agent_state: state(then),
            by: said(by),
            cause: Some(cause_of(cause)),
            talked_us: Some(*talked_us),
            held_us: Some(*held_us),
            until: wrap_up_until.and_then(at),
            ..none
        },
        FactKind::WrapUpExtended { agent, agent_name, until, then, .. } => EventData {
            agent: text(agent),
            agent_name: text(agent_name),
            agent_state: state(then),
            until: at(*until),
            ..none
        },
        FactKind::WrapUpEnded { agent, agent_name, queue, by, wrapped_us, code, then, .. } => EventData {
            agent: text(agent),
            agent_name: text(agent_name),
            agent_state: state(then),
            queue: queue.as_ref().and_then(text),
            by: said(by),
            wrapped_us: Some(*wrapped_us),
            code: code.as_ref().and_then(text),
            ..none
        },
        FactKind::Quality { agent, quality, .. } => {
            EventData { agent: agent.as_ref().and_then(text), quality: Some(quality_of(quality)), ..none }
        }
        FactKind::CallEnded { call, cause, lasted_us, .. } => {
            EventData { call: text(call), cause: Some(cause_of(cause)), lasted_us: Some(*lasted_us), ..none }
        }
        FactKind::Repaired { missing, .. } => EventData { reason: text(word::missing(*missing)), ..none },
        FactKind::Closed { outcome, .. } => EventData { outcome: text(word::outcome(*outcome)), ..none },
        FactKind::Erased { by, why, .. } => {
            EventData { by: said(by), why: why.as_deref().map(str::to_owned), ..none }
        }
        FactKind::Answered { .. }
        | FactKind::AttributesSet { .. }
        | FactKind::StepBegun { .. }
        | FactKind::MenuMissed { .. }
        | FactKind::Announced { .. }
        | FactKind::Widened { .. }
        | FactKind::Ending { .. } => none,
    }
}

/// What is told only to those who asked for personal data.
fn add_personal(data: &mut EventData, kind: &FactKind) {
    match kind {
        FactKind::Arrived { from, from_name, .. } | FactKind::CallRejected { from, from_name, .. } => {
            (data.customer, data.customer_name) = (known_address(from), known_text(from_name));
        }
        FactKind::CallbackScheduled { to, name, .. } => {
            (data.customer, data.customer_name) = (known_address(to), known_text(name));
        }
        FactKind::CallbackPromised { to, .. } => data.customer = known_address(to),
        FactKind::TransferAsked { target, .. } => {
            data.transfer_to = target.as_ref().and_then(known_address);
        }
        FactKind::WrapUpEnded { note, .. } => data.note = note.as_ref().and_then(known_text),
        FactKind::AttributesSet { attributes, .. } => {
            let pair = |(name, value): (&Arc<str>, &Arc<str>)| (name.to_string(), value.to_string());
            data.attributes = Some(attributes.iter().map(pair).collect());
        }
        _ => {}
    }
}

fn count(number: usize) -> Option<u64> {
    u64::try_from(number).ok()
}

fn text(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

/// The word by which a reason is written everywhere.
fn said(value: impl Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}

fn at(time: Timestamp) -> Option<u64> {
    Some(time.as_micros())
}

fn address(address: &Address) -> String {
    match address {
        Address::Phone(text) | Address::Sip(text) => text.to_string(),
        Address::Anonymous => "anonymous".to_owned(),
    }
}

fn known_address(place: &Personal<Address>) -> Option<String> {
    place.reveal().map(address)
}

fn known_text(place: &Personal<Arc<str>>) -> Option<String> {
    place.reveal().filter(|text| !text.is_empty()).map(|text| text.to_string())
}

fn cause_of(cause: &Cause) -> EventCause {
    EventCause { kind: said(cause.kind).unwrap_or_default(), code: cause.code }
}

fn quality_of(quality: &Quality) -> EventQuality {
    EventQuality {
        mos_x100: quality.mos_x100,
        packets: quality.packets_received,
        lost_x10000: quality.lost_x10000,
        jitter_ms: quality.jitter_ms,
        round_trip_ms: quality.round_trip_ms,
    }
}

fn simply(state: &str) -> Option<EventAgentState> {
    Some(EventAgentState { state: state.to_owned(), until: None, reason: None })
}

fn state(state: &AgentState) -> Option<EventAgentState> {
    let mut told = EventAgentState { state: word::agent_state(state).to_owned(), until: None, reason: None };
    match state {
        AgentState::Break { reason } => told.reason = reason.as_deref().map(str::to_owned),
        AgentState::WrapUp { until, .. } | AgentState::NotReachable { until, .. } => told.until = at(*until),
        AgentState::Resting { until, .. } => told.until = until.and_then(at),
        AgentState::Offline
        | AgentState::Available { .. }
        | AgentState::Offered { .. }
        | AgentState::InConversation { .. }
        | AgentState::Gone => {}
    }
    Some(told)
}
