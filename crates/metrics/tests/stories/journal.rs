//! Facts as they stand in a journal, written by hand: in the form of version 1, which is read for ever.

use serde_json::{Value, json};
use tandem_center::Timestamp;
use tandem_center::fact::Fact;
use tandem_center::id::InteractionId;
use tandem_metrics::interval::{Calendar, Interval, Length};
use tandem_metrics::report::{Attribution, Query, Report, Settings};
use tandem_metrics::service_level::Thresholds;

/// The beginning of the stories: a full hour, 2026-06-01T08:00:00Z.
pub(crate) const BEGIN_US: u64 = 1_780_300_800_000_000;

pub(crate) fn second(second: u64) -> Timestamp {
    Timestamp::from_micros(BEGIN_US + second * 1_000_000)
}

/// A journal that is being written.
#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) facts: Vec<Fact>,
}

impl Journal {
    /// Writes a fact `second` seconds after the beginning.
    pub(crate) fn write(&mut self, second: u64, kind: Value) -> u64 {
        self.write_us(second * 1_000_000, kind)
    }

    pub(crate) fn write_us(&mut self, micros: u64, mut kind: Value) -> u64 {
        let number = self.facts.len() as u64 + 1;
        let object = kind.as_object_mut().unwrap();
        object.insert("number".into(), number.into());
        object.insert("at".into(), (BEGIN_US + micros).into());
        object.insert("v".into(), 1.into());
        self.facts.push(serde_json::from_value(kind).unwrap());
        number
    }

    pub(crate) fn arrive(&mut self, second: u64) -> InteractionId {
        InteractionId(self.write(second, arrived()))
    }

    /// An interaction that is in this queue from its first moment.
    pub(crate) fn enter(&mut self, second: u64, queue: &str) -> InteractionId {
        let id = self.arrive(second);
        self.write(second, entered(id, queue));
        id
    }
}

/// What is asked about everything up to `second` seconds after the beginning, then.
pub(crate) fn until(second_of: u64, attribution: Attribution) -> Query {
    let end = second(second_of);
    Query { stretch: Interval { start: second(0), end }, attribution, now: end }
}

pub(crate) fn settings() -> Settings {
    Settings::new(Calendar::utc(Length::QuarterHour), Thresholds::default())
}

pub(crate) fn fold(facts: &[Fact]) -> Report {
    fold_with(settings(), facts)
}

pub(crate) fn fold_with(settings: Settings, facts: &[Fact]) -> Report {
    let mut report = Report::new(settings);
    facts.iter().for_each(|fact| report.apply(fact));
    report
}

pub(crate) fn arrived() -> Value {
    json!({
        "kind": "arrived", "call": "00000000000000aa", "line": "carrier", "from": { "phone": "+14255550123" },
        "from_name": "", "to": { "phone": "+14255550199" }, "flow": "main",
    })
}

pub(crate) fn entered(id: InteractionId, queue: &str) -> Value {
    json!({ "kind": "queue_entered", "interaction": id, "queue": queue, "queue_name": queue, "ahead": 0 })
}

pub(crate) fn refused(id: InteractionId, queue: &str) -> Value {
    json!({ "kind": "queue_refused", "interaction": id, "queue": queue, "reason": "full" })
}

pub(crate) fn left(id: InteractionId, queue: &str, reason: &str) -> Value {
    json!({
        "kind": "queue_left", "interaction": id, "queue": queue, "queue_name": queue, "reason": reason,
        "waited_us": 0,
    })
}

pub(crate) fn offered(id: InteractionId, queue: &str, agent: &str) -> Value {
    json!({
        "kind": "offered", "interaction": id, "queue": queue, "queue_name": queue, "agent": agent,
        "agent_name": agent, "party": 1,
        "endpoint": { "line": "teams", "address": { "phone": "+14255550101" } },
        "rings_until": BEGIN_US, "waited_us": 0, "idle_us": 0, "configuration": 1,
    })
}

pub(crate) fn offer_ended(id: InteractionId, queue: &str, agent: &str, outcome: &str, then: Value) -> Value {
    json!({
        "kind": "offer_ended", "interaction": id, "queue": queue, "agent": agent, "agent_name": agent,
        "outcome": outcome, "rang_us": 0, "then": then,
    })
}

pub(crate) fn connected(id: InteractionId, queue: &str, agent: &str) -> Value {
    json!({
        "kind": "connected", "interaction": id, "queue": queue, "queue_name": queue, "agent": agent,
        "agent_name": agent, "waited_us": 0, "rang_us": 0,
    })
}

pub(crate) fn held(id: InteractionId) -> Value {
    json!({ "kind": "held", "interaction": id, "by": "agent" })
}

pub(crate) fn resumed(id: InteractionId, held_us: u64) -> Value {
    json!({ "kind": "resumed", "interaction": id, "by": "agent", "held_us": held_us })
}

pub(crate) struct Talk<'a> {
    pub(crate) queue: &'a str,
    pub(crate) agent: &'a str,
    pub(crate) by: &'a str,
    pub(crate) talked_us: u64,
    pub(crate) held_us: u64,
}

pub(crate) fn talked(id: InteractionId, talk: &Talk<'_>, then: Value) -> Value {
    json!({
        "kind": "conversation_ended", "interaction": id, "queue": talk.queue, "agent": talk.agent,
        "agent_name": talk.agent, "by": talk.by, "cause": { "kind": "hung_up" },
        "talked_us": talk.talked_us, "held_us": talk.held_us, "then": then,
    })
}

pub(crate) fn wrapped_up(id: InteractionId, agent: &str, wrapped_us: u64, then: Value) -> Value {
    json!({
        "kind": "wrap_up_ended", "interaction": id, "agent": agent, "agent_name": agent, "by": "timer",
        "wrapped_us": wrapped_us, "then": then,
    })
}

pub(crate) fn transferred(id: InteractionId, agent: &str) -> Value {
    json!({
        "kind": "transfer_ended", "interaction": id, "agent": agent, "agent_name": agent,
        "transfer": 1, "outcome": "done",
    })
}

pub(crate) fn closed(id: InteractionId, outcome: &str) -> Value {
    json!({ "kind": "closed", "interaction": id, "outcome": outcome })
}

pub(crate) fn chose(agent: &str, then: Value) -> Value {
    json!({
        "kind": "agent_chose", "agent": agent, "agent_name": agent, "chosen": { "state": "available" },
        "by": "agent", "then": then,
    })
}

pub(crate) fn configured(agents: &[&str]) -> Value {
    let agent =
        |id: &&str| json!({ "id": id, "name": id, "ring": { "line": "teams", "phone": "+14255550101" } });
    json!({
        "kind": "configured",
        "configuration": { "agents": agents.iter().map(agent).collect::<Vec<_>>() },
    })
}

pub(crate) fn rejected() -> Value {
    json!({
        "kind": "call_rejected", "call": "00000000000000ab", "line": "carrier",
        "from": { "phone": "+14255550123" }, "from_name": "", "to": { "phone": "+14255550000" },
        "reason": "unknown_number",
    })
}

pub(crate) fn available() -> Value {
    json!({ "state": "available", "idle_since": BEGIN_US })
}

pub(crate) fn on_break(reason: &str) -> Value {
    json!({ "state": "break", "reason": reason })
}

pub(crate) fn offline() -> Value {
    json!({ "state": "offline" })
}

pub(crate) fn resting() -> Value {
    json!({ "state": "resting", "after": "missed" })
}

pub(crate) fn wrap_up(id: InteractionId) -> Value {
    json!({ "state": "wrap_up", "interaction": id, "until": BEGIN_US })
}
