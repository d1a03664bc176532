//! Figures for Prometheus: what is now, and what has been counted.
//!
//! Counted from facts, so that a figure and a report cannot disagree. The values of labels are few: states, outcomes,
//! and the ids of the first [`QUEUES_SHOWN`] queues; never a number, a name or an id of a customer.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::Arc;

use tandem_b2bua::Health;
use tandem_center::Timestamp;
use tandem_center::channel::Channel;
use tandem_center::fact::{Fact, FactKind, Missing, Outcome};
use tandem_center::id::QueueId;
use tandem_center::view::{QueueView, StageView, View};
use tandem_store::Lag;

use crate::desk::Desk;
use crate::engine::Status;
use crate::expected::Line;
use crate::live::Writing;
use crate::word;

/// What has been counted since the program was started, from committed facts.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    facts: u64,
    arrived: u64,
    rejected: u64,
    answered: u64,
    repaired: BTreeMap<Missing, u64>,
    refused: BTreeMap<&'static str, u64>,
    callbacks: BTreeMap<&'static str, u64>,
    messages: BTreeMap<&'static str, u64>,
    closed: BTreeMap<Outcome, u64>,
    offered: u64,
    offers_ended: BTreeMap<&'static str, u64>,
    wait_us: u64,
    packets: u64,
    legs: u64,
    poor_legs: u64,
}

impl Tally {
    /// Counts a fact.
    pub fn count(&mut self, fact: &Fact) {
        self.facts += 1;
        match &fact.kind {
            FactKind::Arrived { .. } => self.arrived += 1,
            FactKind::CallRejected { .. } => self.rejected += 1,
            FactKind::Connected { waited_us, .. } => {
                self.answered += 1;
                self.wait_us += waited_us;
            }
            FactKind::Offered { .. } => self.offered += 1,
            FactKind::OfferEnded { outcome, .. } => {
                *self.offers_ended.entry(word::offer_outcome(*outcome)).or_default() += 1;
            }
            FactKind::Quality { quality, .. } => {
                self.packets += quality.packets_received;
                self.legs += 1;
                self.poor_legs += u64::from(quality.mos_x100.is_none_or(|mos| mos < MOS_POOR_X100));
            }
            FactKind::Repaired { missing, .. } => *self.repaired.entry(*missing).or_default() += 1,
            FactKind::QueueRefused { reason, .. } => add(&mut self.refused, word::queue_refusal(*reason)),
            FactKind::CallbackPromised { .. } => add(&mut self.callbacks, "promised"),
            FactKind::CallbackScheduled { .. } => add(&mut self.callbacks, "scheduled"),
            FactKind::CallbackDialled { .. } => add(&mut self.callbacks, "dialled"),
            FactKind::CallbackMissed { .. } => add(&mut self.callbacks, "missed"),
            FactKind::CallbackCancelled { .. } => add(&mut self.callbacks, "cancelled"),
            FactKind::MessageLeft { .. } => add(&mut self.messages, "left"),
            FactKind::MessageMissed { .. } => add(&mut self.messages, "not_left"),
            FactKind::Heard { .. } => add(&mut self.messages, "heard"),
            FactKind::Closed { outcome, .. } => *self.closed.entry(*outcome).or_default() += 1,
            _ => {}
        }
    }

    /// Counts what another has counted.
    fn add(&mut self, other: &Tally) {
        let Tally {
            facts, arrived, rejected, answered, repaired, refused, callbacks, messages, closed, ..
        } = other;
        self.facts += facts;
        self.arrived += arrived;
        self.rejected += rejected;
        self.answered += answered;
        add_all(&mut self.repaired, repaired);
        add_all(&mut self.refused, refused);
        add_all(&mut self.callbacks, callbacks);
        add_all(&mut self.messages, messages);
        add_all(&mut self.closed, closed);
        let Tally { offered, offers_ended, wait_us, packets, legs, poor_legs, .. } = other;
        self.offered += offered;
        add_all(&mut self.offers_ended, offers_ended);
        self.wait_us += wait_us;
        self.packets += packets;
        self.legs += legs;
        self.poor_legs += poor_legs;
    }
}

/// What there is to show of one tenant.
pub struct Tenant {
    /// The labels that set its queues apart: none if it is alone.
    labels: String,
    view: Arc<View>,
    tally: Tally,
}

impl Tenant {
    /// What the desk of a tenant knows.
    pub fn of(desk: &Desk) -> Tenant {
        let alone = *desk.tenant() == tandem_store::Tenant::only();
        let labels = if alone { String::new() } else { format!("tenant=\"{}\",", desk.tenant()) };
        Tenant { labels, view: desk.live().view(), tally: desk.live().tally() }
    }
}

/// Everything there is to show, as the text that Prometheus reads (exposition format 0.0.4): of all tenants together,
/// but for their queues. `status` is missing when the engine does not answer.
pub fn render(
    tenants: &[Tenant],
    lag: Lag,
    writing: &Writing,
    status: Option<&Status>,
    now: Timestamp,
) -> String {
    let mut tally = Tally::default();
    for tenant in tenants {
        tally.add(&tenant.tally);
    }
    let mut page = Page(String::with_capacity(8 * 1024));
    page.family("tandem_calls", "gauge", "Open interactions by stage.");
    let views = || tenants.iter().map(|tenant| &tenant.view);
    let stages = views()
        .flat_map(|view| view.live.interactions.values())
        .map(|interaction| word::stage(&interaction.stage));
    for (stage, count) in counted(&word::STAGES, stages) {
        page.labelled("tandem_calls", "stage", stage, count);
    }
    page.family("tandem_agents", "gauge", "Agents by state.");
    let states =
        views().flat_map(|view| view.live.agents.values()).map(|agent| word::agent_state(&agent.state));
    for (state, count) in counted(&word::AGENT_STATES, states) {
        page.labelled("tandem_agents", "state", state, count);
    }
    queues(&mut page, tenants, now);
    page.counter("tandem_calls_arrived_total", "Calls that came in.", tally.arrived);
    page.counter("tandem_calls_rejected_total", "Calls refused at the door.", tally.rejected);
    page.counter("tandem_calls_answered_total", "Calls connected to an agent.", tally.answered);
    page.family("tandem_calls_closed_total", "counter", "Interactions that are over, by outcome.");
    for outcome in word::OUTCOMES {
        let count = tally.closed.get(&outcome).copied().unwrap_or_default();
        page.labelled("tandem_calls_closed_total", "outcome", word::outcome(outcome), count);
    }
    let waited = seconds(tally.wait_us);
    page.counter("tandem_wait_seconds_total", "Time that answered callers had waited in the queue.", waited);
    page.counter("tandem_offers_total", "Offers to agents.", tally.offered);
    page.family(
        "tandem_offers_ended_total",
        "counter",
        "Offers that ended without a conversation, by outcome.",
    );
    for outcome in word::OFFER_OUTCOMES {
        let outcome = word::offer_outcome(outcome);
        let count = tally.offers_ended.get(outcome).copied().unwrap_or_default();
        page.labelled("tandem_offers_ended_total", "outcome", outcome, count);
    }
    page.counter("tandem_media_packets_total", "Packets received by legs that are over.", tally.packets);
    page.counter("tandem_media_legs_total", "Legs whose sound was measured, and that are over.", tally.legs);
    let poor = tally.poor_legs;
    page.counter("tandem_media_poor_legs_total", "Those rated below 3.6 of 5, or without sound.", poor);
    page.family(
        "tandem_repairs_total",
        "counter",
        "Things that were due and did not come, by what. Each is worth a look.",
    );
    for missing in word::MISSING {
        let count = tally.repaired.get(&missing).copied().unwrap_or_default();
        page.labelled("tandem_repairs_total", "missing", word::missing(missing), count);
    }
    let families = [
        (
            "tandem_queue_refusals_total",
            "why",
            "Callers whom a queue did not let in, by why.",
            &word::REFUSALS[..],
            &tally.refused,
        ),
        ("tandem_callbacks_total", "what", "What became of callbacks.", &CALLBACKS[..], &tally.callbacks),
        ("tandem_messages_total", "what", "What became of messages.", &MESSAGES[..], &tally.messages),
    ];
    for (name, label, help, words, counts) in families {
        page.family(name, "counter", help);
        for word in words {
            page.labelled(name, label, word, counts.get(word).copied().unwrap_or_default());
        }
    }
    page.counter("tandem_facts_committed_total", "Facts committed to the journal.", tally.facts);
    page.gauge("tandem_store_waiting_facts", "Facts that wait to be committed.", lag.facts_waiting);
    page.gauge(
        "tandem_store_lag_seconds",
        "How long the oldest of them has waited.",
        lag.oldest.as_secs_f64(),
    );
    let well = u8::from(*writing == Writing::Well);
    page.gauge(
        "tandem_store_writing",
        "1 while the journal is written, 0 while the disk fails or is behind.",
        well,
    );
    if let Some(status) = status {
        page.gauge(
            "tandem_sip_transactions",
            "SIP transactions that are open, both ways.",
            status.transactions,
        );
        page.gauge("tandem_media_legs", "Media legs that are open.", status.media_legs);
        door(&mut page, status);
    }
    page.0
}

/// Who waits in a queue.
#[derive(Default)]
struct Waiting {
    all: u64,
    calls: u64,
    callbacks: u64,
    messages: u64,
    longest: Option<Timestamp>,
}

fn waiting_in(view: &View) -> BTreeMap<&str, Waiting> {
    let mut queues: BTreeMap<&str, Waiting> = BTreeMap::new();
    for interaction in view.live.interactions.values() {
        if let StageView::Waiting(stay)
        | StageView::Offered { stay, .. }
        | StageView::CallingBack { stay, .. } = &interaction.stage
        {
            let waiting = queues.entry(stay.queue.as_str()).or_default();
            waiting.all += 1;
            *match interaction.channel {
                Channel::Call => &mut waiting.calls,
                Channel::Callback => &mut waiting.callbacks,
                Channel::Voicemail => &mut waiting.messages,
            } += 1;
            let since = stay.waiting_since();
            waiting.longest = Some(waiting.longest.map_or(since, |longest| longest.min(since)));
        }
    }
    queues
}

fn queues(page: &mut Page, tenants: &[Tenant], now: Timestamp) {
    let waits: Vec<(&Tenant, BTreeMap<&str, Waiting>)> =
        tenants.iter().map(|tenant| (tenant, waiting_in(&tenant.view))).collect();
    let all: u64 = waits.iter().flat_map(|(_, queues)| queues.values()).map(|waiting| waiting.all).sum();
    page.gauge("tandem_waiting", "Callers who wait in all queues.", all);
    let nobody = Waiting::default();
    let shown: Vec<(&Tenant, &QueueId, &QueueView, &Waiting)> = waits
        .iter()
        .flat_map(|(tenant, waits)| {
            let queues = tenant.view.live.queues.iter();
            queues.map(|(id, queue)| (*tenant, id, queue, waits.get(id.as_str()).unwrap_or(&nobody)))
        })
        .take(QUEUES_SHOWN)
        .collect();
    page.family("tandem_queue_waiting", "gauge", "Callers who wait, by queue.");
    for (tenant, id, _, waiting) in &shown {
        page.of_queue("tandem_queue_waiting", tenant, id, "", waiting.all);
    }
    page.family("tandem_queue_waiting_by_channel", "gauge", "Who waits, by queue and channel.");
    for (tenant, id, _, waiting) in &shown {
        for (channel, count) in [
            (Channel::Call, waiting.calls),
            (Channel::Callback, waiting.callbacks),
            (Channel::Voicemail, waiting.messages),
        ] {
            let label = format!(",channel=\"{}\"", word::channel(channel));
            page.of_queue("tandem_queue_waiting_by_channel", tenant, id, &label, count);
        }
    }
    page.family("tandem_queue_longest_wait_seconds", "gauge", "How long who waits longest has, by queue.");
    for (tenant, id, _, waiting) in &shown {
        let wait = waiting.longest.map_or(0, |since| now.micros_since(since));
        page.of_queue("tandem_queue_longest_wait_seconds", tenant, id, "", seconds(wait));
    }
    page.family(
        "tandem_queue_expected_wait_seconds",
        "gauge",
        "The wait that a caller who came now would have to expect, by queue; missing while it is not known.",
    );
    for (tenant, id, ..) in &shown {
        let line = Line::of(&tenant.view, id);
        if let Some(expected) = line.expected(line.waiting().len() + 1, &line.newcomer()) {
            page.of_queue("tandem_queue_expected_wait_seconds", tenant, id, "", expected.as_secs_f64());
        }
    }
    page.family("tandem_queue_closed", "gauge", "1 for queues that are closed.");
    for (tenant, id, queue, _) in &shown {
        page.of_queue("tandem_queue_closed", tenant, id, "", u64::from(queue.closed));
    }
    page.family("tandem_queue_total", "counter", "What became of callers who came to a queue, by queue.");
    for (tenant, id, ..) in &shown {
        let totals = tenant.view.totals.get(*id).copied().unwrap_or_default();
        for (what, count) in [
            ("entered", totals.entered),
            ("refused", totals.refused),
            ("answered", totals.answered),
            ("abandoned", totals.abandoned),
            ("flowed_out", totals.flowed_out),
            ("lost", totals.lost),
        ] {
            page.of_queue("tandem_queue_total", tenant, id, &format!(",what=\"{what}\""), count);
        }
    }
}

fn door(page: &mut Page, status: &Status) {
    page.gauge("tandem_door_calls", "Calls at the SIP door.", status.calls);
    page.gauge("tandem_sip_connections", "Open SIP connections over TCP and TLS.", status.connections);
    let counters = &status.counters;
    for (name, what, count) in [
        ("tandem_sip_calls_arrived_total", "Calls that arrived over SIP.", counters.calls_arrived),
        ("tandem_sip_calls_placed_total", "Calls that the center placed over SIP.", counters.calls_placed),
        ("tandem_sip_unknown_peers_total", "Requests from no trunk.", counters.unknown_peers),
        (
            "tandem_sip_foreign_requests_total",
            "Requests inside a call from another trunk's network.",
            counters.foreign_requests,
        ),
        (
            "tandem_sip_faulty_messages_total",
            "Messages that could not be understood.",
            counters.faulty_messages,
        ),
        (
            "tandem_sip_offers_refused_total",
            "Media offers that could not be agreed to.",
            counters.offers_refused,
        ),
        (
            "tandem_sip_calls_over_limit_total",
            "Calls refused because of the limit.",
            counters.calls_over_limit,
        ),
        (
            "tandem_recordings_refused_total",
            "Recordings that were not begun because of the limit.",
            counters.recordings_refused,
        ),
        ("tandem_sip_failovers_total", "Parties tried at a further proxy.", counters.failovers),
        ("tandem_media_ports_exhausted_total", "Calls without a free media port.", counters.ports_exhausted),
    ] {
        page.counter(name, what, count);
    }
    let (mut up, mut down, mut unknown) = (0u64, 0u64, 0u64);
    for proxy in &status.proxies {
        match proxy.health {
            Health::Up { .. } => up += 1,
            Health::Down { .. } => down += 1,
            Health::Unknown => unknown += 1,
        }
    }
    page.family("tandem_sip_proxies", "gauge", "Proxies of the trunks by health.");
    for (health, count) in [("up", up), ("down", down), ("unknown", unknown)] {
        page.labelled("tandem_sip_proxies", "health", health, count);
    }
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "counter", help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn of_queue(&mut self, name: &str, tenant: &Tenant, queue: &QueueId, more: &str, value: impl Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{name}{{{}queue=\"{queue}\"{more}}} {value}", tenant.labels);
    }

    fn labelled(&mut self, name: &str, label: &str, value: impl Display, count: impl Display) {
        let _ = writeln!(self.0, "{name}{{{label}=\"{value}\"}} {count}");
    }
}

/// How often each word occurs; a word that does not occur has its zero, so that a figure never vanishes.
fn counted(words: &[&'static str], found: impl Iterator<Item = &'static str>) -> Vec<(&'static str, u64)> {
    let mut counts: Vec<(&'static str, u64)> = words.iter().map(|word| (*word, 0)).collect();
    for word in found {
        if let Some(count) = counts.iter_mut().find(|(known, _)| *known == word) {
            count.1 += 1;
        }
    }
    counts
}

fn add_all<K: Ord + Copy>(counts: &mut BTreeMap<K, u64>, others: &BTreeMap<K, u64>) {
    for (what, count) in others {
        *counts.entry(*what).or_default() += count;
    }
}

fn add(counts: &mut BTreeMap<&'static str, u64>, what: &'static str) {
    *counts.entry(what).or_default() += 1;
}

fn seconds(micros: u64) -> f64 {
    std::time::Duration::from_micros(micros).as_secs_f64()
}

/// What can become of callbacks.
const CALLBACKS: [&str; 5] = ["promised", "scheduled", "dialled", "missed", "cancelled"];

/// What can become of messages.
const MESSAGES: [&str; 3] = ["left", "not_left", "heard"];

/// A mean opinion score (times 100) below which many people are dissatisfied (ITU-T G.107 annex B).
const MOS_POOR_X100: u16 = 360;

/// Queues that have figures of their own, in the order of their ids; those after them count in the sum.
const QUEUES_SHOWN: usize = 100;
