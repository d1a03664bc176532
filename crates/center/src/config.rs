//! The configuration of one tenant's center: checked once, then never doubted.

pub mod document;
pub mod fault;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use crate::agent::{Presence, PresenceRules};
use crate::call::{Address, Digit, Endpoint, LineName, PromptName};
use crate::flow::compile::{Flow, compile};
use crate::id::{AgentId, FlowId, QueueId, SkillId};

pub use document::{
    ActionDocument, AgentDocument, AgentRingDocument, CallbackDocument, CapacityDocument, CodeDocument,
    Document, LimitsDocument, NumberDocument, OffersDocument, PresenceDocument, QueueDocument, RelaxDocument,
    RingDocument, RungDocument, Starts, Strategy, TellDocument, VoicemailDocument, WrapUpDocument,
};
pub use fault::{Fault, Faults, Noun, Problem};
pub(crate) use rules::{Action, Asks, Case, QueueRules};

/// A checked configuration: every name in it names something, every number is in its range, every flow can run.
#[derive(Debug)]
pub struct Config {
    document: Arc<Document>,
    agents: Vec<Arc<AgentProfile>>,
    queues: Vec<Arc<QueueRules>>,
    numbers: BTreeMap<(Option<LineName>, Option<Address>), Arc<Flow>>,
    rests: Rests,
    confirm: Arc<[PromptName]>,
    capacity: CapacityDocument,
    presence: PresenceRules,
    limits: Limits,
    salt: u64,
}

impl Default for Config {
    /// Nothing: no agents, no queues, every call is refused.
    fn default() -> Config {
        let document = Document::default();
        let names = Names::of(&document);
        let mut check = Check { known: &Known::default(), names: &names, faults: Vec::new() };
        check.config(&document)
    }
}

/// What exists outside the center's own part of the configuration, so that names can be checked against it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The prompts that can be played.
    pub prompts: BTreeSet<PromptName>,
    /// The lines over which people can be reached.
    pub lines: BTreeSet<LineName>,
}

/// What is configured about an agent.
#[derive(Debug)]
pub(crate) struct AgentProfile {
    pub(crate) id: AgentId,
    pub(crate) name: Arc<str>,
    pub(crate) endpoint: Endpoint,
    pub(crate) queues: Vec<QueueId>,
    pub(crate) starts: Starts,
    pub(crate) skills: BTreeMap<SkillId, u8>,
    pub(crate) confirm: bool,
    pub(crate) capacity: u32,
    /// The agent's place in the document: decides between agents who are equal in everything else.
    pub(crate) place: u32,
}

/// How long agents are left alone after an offer they did not take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rests {
    /// `None`: until the agent says "available".
    pub(crate) missed: Option<Duration>,
    /// How many offers in a row are missed before the rest.
    pub(crate) misses: u32,
    pub(crate) declined: Duration,
    pub(crate) unreachable: Duration,
}

/// How much the center holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) calls: usize,
    pub(crate) call: Duration,
}

impl Config {
    /// Checks a document and compiles its flows.
    ///
    /// All faults are found at once, not only the first.
    pub fn new(document: Document, known: &Known) -> Result<Config, Faults> {
        let names = Names::of(&document);
        let mut check = Check { known, names: &names, faults: Vec::new() };
        let mut config = check.config(&document);
        check.size(&document, DOCUMENT_BYTES_MAX);
        if check.faults.is_empty() {
            config.document = Arc::new(document);
            Ok(config)
        } else {
            Err(Faults(check.faults))
        }
    }

    /// The same configuration for one of several centers behind one door: the ids of calls and recordings that a center
    /// draws differ from those of a center with another salt.
    #[must_use]
    pub fn salted(self, salt: u64) -> Config {
        Config { salt, ..self }
    }

    /// The numbers that lead to a flow, each with its line: `None` for any line, and for any number.
    pub fn numbers(&self) -> impl Iterator<Item = (Option<&LineName>, Option<&Address>)> {
        self.numbers.keys().map(|(line, dialled)| (line.as_ref(), dialled.as_ref()))
    }

    /// The document from which it was made.
    pub fn document(&self) -> &Arc<Document> {
        &self.document
    }

    pub(crate) fn agents(&self) -> &[Arc<AgentProfile>] {
        &self.agents
    }

    pub(crate) fn queues(&self) -> &[Arc<QueueRules>] {
        &self.queues
    }

    pub(crate) fn rests(&self) -> Rests {
        self.rests
    }

    /// What agents hear who must press a key to take a call.
    pub(crate) fn confirm(&self) -> &Arc<[PromptName]> {
        &self.confirm
    }

    pub(crate) fn capacity(&self) -> &CapacityDocument {
        &self.capacity
    }

    pub(crate) fn presence(&self) -> &PresenceRules {
        &self.presence
    }

    pub(crate) fn salt(&self) -> u64 {
        self.salt
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// The flow for a call to this number over this line: exact number before `*`, this line before any.
    pub(crate) fn flow_for(&self, line: &LineName, dialled: &Address) -> Option<&Arc<Flow>> {
        let line = Some(line.clone());
        let number = Some(dialled.clone());
        [(line.clone(), number.clone()), (None, number), (line, None), (None, None)]
            .iter()
            .find_map(|key| self.numbers.get(key))
    }
}

pub(crate) struct Check<'a> {
    pub(crate) known: &'a Known,
    pub(crate) names: &'a Names,
    pub(crate) faults: Vec<Fault>,
}

/// What a document names.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) queues: BTreeSet<QueueId>,
    pub(crate) agents: BTreeSet<AgentId>,
    pub(crate) skills: BTreeSet<SkillId>,
    /// Where agents are rung whose telephone is written rightly.
    pub(crate) phones: BTreeMap<AgentId, Endpoint>,
}

impl Names {
    fn of(document: &Document) -> Names {
        let phone = |agent: &AgentDocument| {
            let RingDocument { line, phone, sip } = &agent.ring;
            let address = match (phone, sip) {
                (Some(phone), None) => phone_address(phone)?,
                (None, Some(sip)) => sip_address(sip)?,
                _ => return None,
            };
            Some((agent.id.clone(), Endpoint { line: line.clone(), address }))
        };
        Names {
            queues: document.queues.iter().map(|queue| queue.id.clone()).collect(),
            agents: document.agents.iter().map(|agent| agent.id.clone()).collect(),
            skills: document.agents.iter().flat_map(|agent| agent.skills.keys().cloned()).collect(),
            phones: document.agents.iter().filter_map(phone).collect(),
        }
    }
}

impl Check<'_> {
    fn config(&mut self, document: &Document) -> Config {
        let agents = self.agents(document);
        let queues = self.queues(document);
        let flows = self.flows(document);
        let numbers = self.numbers(document, &flows);
        let rests = self.rests(&document.offers);
        let confirm = self.prompts("offers.confirm", &document.offers.confirm);
        let capacity = self.capacity(&document.capacity);
        let presence = self.presence(&document.presence);
        let limits = self.limits(&document.limits);
        let confirm = confirm.unwrap_or_default();
        let document = Arc::default();
        Config { document, agents, queues, numbers, rests, confirm, capacity, presence, limits, salt: 0 }
    }

    fn agents(&mut self, document: &Document) -> Vec<Arc<AgentProfile>> {
        self.most("agents", document.agents.len(), AGENTS_MAX);
        let mut seen = BTreeSet::new();
        let mut agents = Vec::new();
        for agent in &document.agents {
            let key = format!("agents.{}", agent.id);
            self.id(&format!("{key}.id"), agent.id.as_str());
            if !seen.insert(&agent.id) {
                self.fault(format!("{key}.id"), Problem::Duplicate(agent.id.as_str().into()));
            }
            self.name(&format!("{key}.name"), &agent.name);
            let endpoint = self.endpoint(&format!("{key}.ring"), &agent.ring);
            self.skills(&format!("{key}.skills"), &agent.skills);
            if let Some(capacity) = agent.capacity {
                self.range(&format!("{key}.capacity"), capacity, CAPACITY);
            }
            self.most(&format!("{key}.queues"), agent.queues.len(), QUEUES_PER_AGENT_MAX);
            let mut queues = BTreeSet::new();
            for queue in &agent.queues {
                self.queue(&format!("{key}.queues"), queue);
                if !queues.insert(queue) {
                    self.fault(format!("{key}.queues"), Problem::Duplicate(queue.as_str().into()));
                }
            }
            if let Some(endpoint) = endpoint {
                agents.push(Arc::new(AgentProfile {
                    id: agent.id.clone(),
                    name: agent.name.clone(),
                    endpoint,
                    queues: agent.queues.clone(),
                    starts: agent.starts,
                    skills: agent.skills.clone(),
                    confirm: agent.confirm,
                    capacity: agent.capacity.unwrap_or(document.capacity.total),
                    place: u32::try_from(agents.len()).unwrap_or(u32::MAX),
                }));
            }
        }
        agents
    }

    fn ring_address(&mut self, key: &str, ring: &RingDocument) -> Option<Address> {
        let (key, text, address) = match (&ring.phone, &ring.sip) {
            (Some(phone), None) => (format!("{key}.phone"), phone, phone_address(phone)),
            (None, Some(sip)) => (format!("{key}.sip"), sip, sip_address(sip)),
            _ => {
                self.fault(key.to_owned(), Problem::NotExactlyOne("phone and sip"));
                return None;
            }
        };
        if address.is_none() {
            self.fault(key, Problem::BadAddress(text.clone()));
        }
        address
    }

    fn queues(&mut self, document: &Document) -> Vec<Arc<QueueRules>> {
        self.most("queues", document.queues.len(), QUEUES_MAX);
        let mut seen = BTreeSet::new();
        let mut queues = Vec::new();
        for queue in &document.queues {
            let key = format!("queues.{}", queue.id);
            self.id(&format!("{key}.id"), queue.id.as_str());
            if !seen.insert(&queue.id) {
                self.fault(format!("{key}.id"), Problem::Duplicate(queue.id.as_str().into()));
            }
            self.name(&format!("{key}.name"), &queue.name);
            queues.push(Arc::new(self.queue_rules(&key, queue)));
        }
        queues
    }

    fn flows(&mut self, document: &Document) -> BTreeMap<FlowId, Arc<Flow>> {
        self.most("flows", document.flows.len(), FLOWS_MAX);
        let mut flows = BTreeMap::new();
        for (id, flow) in &document.flows {
            self.id(&format!("flows.{id}"), id.as_str());
            if let Some(flow) = compile(id, flow, self) {
                flows.insert(id.clone(), Arc::new(flow));
            }
        }
        flows
    }

    fn numbers(
        &mut self,
        document: &Document,
        flows: &BTreeMap<FlowId, Arc<Flow>>,
    ) -> BTreeMap<(Option<LineName>, Option<Address>), Arc<Flow>> {
        self.most("numbers", document.numbers.len(), NUMBERS_MAX);
        let mut numbers = BTreeMap::new();
        for number in &document.numbers {
            let key = format!("numbers.{}", number.dialled);
            if let Some(line) = &number.line {
                self.known_line(&format!("{key}.line"), line);
            }
            if !document.flows.contains_key(&number.flow) {
                let nearest = nearest(number.flow.as_str(), document.flows.keys().map(FlowId::as_str));
                let name = number.flow.as_str().into();
                self.fault(format!("{key}.flow"), Problem::Unknown { noun: Noun::Flow, name, nearest });
            }
            let Some(dialled) = dialled_address(&number.dialled) else {
                self.fault(format!("{key}.dialled"), Problem::BadAddress(number.dialled.clone()));
                continue;
            };
            // A flow with faults of its own is missing here; those faults are reported already.
            let Some(flow) = flows.get(&number.flow) else { continue };
            if numbers.insert((number.line.clone(), dialled), flow.clone()).is_some() {
                self.fault(format!("{key}.dialled"), Problem::Duplicate(number.dialled.clone()));
            }
        }
        numbers
    }

    fn rests(&mut self, offers: &OffersDocument) -> Rests {
        let missed = self.range("offers.missed_rest_s", offers.missed_rest_s, 0..=DAY_S);
        let declined = self.range("offers.declined_rest_s", offers.declined_rest_s, 1..=DAY_S);
        let unreachable = self.range("offers.unreachable_rest_s", offers.unreachable_rest_s, 1..=DAY_S);
        let misses = self.range("offers.misses", offers.misses, 1..=20);
        Rests {
            misses,
            missed: (missed > 0).then(|| seconds(missed)),
            declined: seconds(declined),
            unreachable: seconds(unreachable),
        }
    }

    fn limits(&mut self, limits: &LimitsDocument) -> Limits {
        let calls = self.range("limits.calls", limits.calls, LIMIT_CALLS);
        let call = self.range("limits.call_s", limits.call_s, LIMIT_CALL_S);
        Limits { calls: usize::try_from(calls).unwrap_or(usize::MAX), call: seconds(call) }
    }

    fn capacity(&mut self, capacity: &CapacityDocument) -> CapacityDocument {
        let CapacityDocument { total, call, callback, voicemail } = capacity;
        for (name, value) in
            [("total", total), ("call", call), ("callback", callback), ("voicemail", voicemail)]
        {
            self.range(&format!("capacity.{name}"), *value, CAPACITY);
        }
        capacity.clone()
    }

    fn presence(&mut self, presence: &PresenceDocument) -> PresenceRules {
        let believed = self.range("presence.believed_s", presence.believed_s, 10..=DAY_S);
        let stops: BTreeSet<Presence> = presence.stops.iter().copied().collect();
        let stops_manual = presence.stops_manual.iter().copied().collect();
        PresenceRules { stops, stops_manual, believed: seconds(believed) }
    }

    fn id(&mut self, key: &str, id: &str) {
        if !is_id(id) {
            self.fault(key.to_owned(), Problem::BadId(id.into()));
        }
    }

    fn name(&mut self, key: &str, name: &str) {
        if name.trim().is_empty() || name.len() > NAME_BYTES_MAX {
            self.fault(key.to_owned(), Problem::BadLength { most: NAME_BYTES_MAX });
        }
    }

    pub(crate) fn queue(&mut self, key: &str, queue: &QueueId) {
        if !self.names.queues.contains(queue) {
            let nearest = nearest(queue.as_str(), self.names.queues.iter().map(QueueId::as_str));
            let name = queue.as_str().into();
            self.fault(key.to_owned(), Problem::Unknown { noun: Noun::Queue, name, nearest });
        }
    }

    pub(crate) fn agent(&mut self, key: &str, agent: &AgentId) {
        if !self.names.agents.contains(agent) {
            let nearest = nearest(agent.as_str(), self.names.agents.iter().map(AgentId::as_str));
            let name = agent.as_str().into();
            self.fault(key.to_owned(), Problem::Unknown { noun: Noun::Agent, name, nearest });
        }
    }

    fn skill(&mut self, key: &str, skill: &SkillId) {
        if !self.names.skills.contains(skill) {
            let nearest = nearest(skill.as_str(), self.names.skills.iter().map(SkillId::as_str));
            let name = skill.as_str().into();
            self.fault(key.to_owned(), Problem::Unknown { noun: Noun::Skill, name, nearest });
        }
    }

    fn known_line(&mut self, key: &str, line: &LineName) {
        if !self.known.lines.contains(line) {
            let nearest = nearest(line, self.known.lines.iter().map(|known| &**known));
            self.fault(key.to_owned(), Problem::Unknown { noun: Noun::Line, name: line.clone(), nearest });
        }
    }

    pub(crate) fn prompts(&mut self, key: &str, prompts: &[PromptName]) -> Option<Arc<[PromptName]>> {
        check_prompts(key, prompts, &self.known.prompts, &mut self.faults);
        (!prompts.is_empty()).then(|| prompts.into())
    }

    pub(crate) fn range(&mut self, key: &str, value: u32, range: RangeInclusive<u32>) -> u32 {
        check_range(key, value, range, &mut self.faults);
        value
    }

    pub(crate) fn most(&mut self, key: &str, count: usize, most: usize) {
        if count > most {
            self.fault(key.to_owned(), Problem::TooMany { most });
        }
    }

    /// A document is published as one fact, which is kept, sent and read as a whole.
    fn size(&mut self, document: &Document, most: usize) {
        let bytes = serde_json::to_vec(document).map_or(0, |text| text.len());
        if bytes > most {
            self.fault("the configuration".into(), Problem::TooLarge { bytes, most });
        }
    }

    pub(crate) fn fault(&mut self, key: String, problem: Problem) {
        self.faults.push(Fault { key, problem });
    }
}

pub(crate) fn check_prompts(
    key: &str,
    prompts: &[PromptName],
    known: &BTreeSet<PromptName>,
    faults: &mut Vec<Fault>,
) {
    if prompts.len() > PROMPTS_MAX {
        faults.push(Fault { key: key.to_owned(), problem: Problem::TooMany { most: PROMPTS_MAX } });
    }
    for name in prompts.iter().filter(|name| !known.contains(*name)) {
        let nearest = nearest(name, known.iter().map(|known| &**known));
        let problem = Problem::Unknown { noun: Noun::Prompt, name: name.clone(), nearest };
        faults.push(Fault { key: key.to_owned(), problem });
    }
}

pub(crate) fn check_range(key: &str, value: u32, range: RangeInclusive<u32>, faults: &mut Vec<Fault>) {
    if !range.contains(&value) {
        let problem = Problem::OutOfRange { value, least: *range.start(), most: *range.end() };
        faults.push(Fault { key: key.to_owned(), problem });
    }
}

pub(crate) fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// The known name with the fewest edits, if it is near enough to be what was meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<Arc<str>> {
    known
        .map(|known| (edits(name, known), known))
        .filter(|(edits, known)| *edits <= known.len().max(name.len()) / 3 + 1 && *edits < name.len().max(1))
        .min()
        .map(|(_, known)| known.into())
}

/// The Levenshtein distance between two names, in bytes.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let up = row.get(j + 1).copied().unwrap_or_default();
            let here = (diagonal + usize::from(x != y)).min(up + 1).min(left + 1);
            if let Some(cell) = row.get_mut(j) {
                *cell = left;
            }
            diagonal = up;
            left = here;
        }
        if let Some(cell) = row.last_mut() {
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// `*` is `Some(None)`; something that is neither `*` nor an address is `None`.
fn dialled_address(text: &str) -> Option<Option<Address>> {
    if text == "*" { Some(None) } else { phone_address(text).or_else(|| sip_address(text)).map(Some) }
}

fn phone_address(text: &str) -> Option<Address> {
    let (digits, least) = text.strip_prefix('+').map_or((text, 2), |digits| (digits, 4));
    let fits = (least..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| Address::Phone(text.into()))
}

fn sip_address(text: &str) -> Option<Address> {
    let (user, host) = text.strip_prefix("sip:")?.split_once('@')?;
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && !br#"<>"@;?,"#.contains(&byte))
    };
    (text.len() <= ADDRESS_BYTES_MAX && plain(user) && plain(host)).then(|| Address::Sip(text.into()))
}

pub(crate) fn single_key(text: &str) -> Option<Digit> {
    let mut keys = text.chars();
    match (keys.next(), keys.next()) {
        (Some(key @ ('0'..='9' | '*' | '#')), None) => Digit::new(key),
        _ => None,
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

/// Bytes of a whole document as it is kept; less than the journal takes in one fact.
const DOCUMENT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Agents of one tenant. More are a fault of the configuration, as with all bounds below.
const AGENTS_MAX: usize = 20_000;
/// Queues of one tenant.
const QUEUES_MAX: usize = 5_000;
/// Queues of one agent: each change of an agent's state touches all of them.
const QUEUES_PER_AGENT_MAX: usize = 200;
/// Flows of one tenant.
const FLOWS_MAX: usize = 5_000;
/// Numbers of one tenant.
const NUMBERS_MAX: usize = 100_000;
/// Prompts in one list.
const PROMPTS_MAX: usize = 50;
/// Bytes of an id.
const ID_BYTES_MAX: usize = 64;
/// Bytes of a name.
const NAME_BYTES_MAX: usize = 128;
/// Bytes of a SIP address.
const ADDRESS_BYTES_MAX: usize = 256;
const CAPACITY: RangeInclusive<u32> = 1..=1000;
const DAY_S: u32 = 86_400;
const LIMIT_CALLS: RangeInclusive<u32> = 1..=250_000;
const LIMIT_CALL_S: RangeInclusive<u32> = 60..=604_800;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_single_letters() {
        assert_eq!(edits("", ""), 0);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("suport", "support"), 1);
        assert_eq!(edits("", "abc"), 3);
    }

    #[test]
    fn the_nearest_name_is_one_that_was_probably_meant() {
        let known = ["support", "sales"];
        assert_eq!(nearest("suport", known.into_iter()).as_deref(), Some("support"));
        assert_eq!(nearest("billing", known.into_iter()), None);
    }

    #[test]
    fn addresses_are_numbers_short_codes_and_sip() {
        for good in ["+14255550101", "911", "sip:a0000@127.0.0.1:5090"] {
            assert!(dialled_address(good).flatten().is_some(), "{good}");
        }
        for bad in [
            "",
            "+",
            "+12",
            "1",
            "+1425555010112345",
            "0x1",
            "sip:",
            "sip:@host",
            "sip:a@",
            "sip:a@b;x=y",
            "sip:a b@c",
        ] {
            assert!(dialled_address(bad).is_none(), "{bad}");
        }
        assert_eq!(dialled_address("*"), Some(None));
    }
}
