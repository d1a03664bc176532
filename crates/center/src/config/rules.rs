//! What is configured about a queue, checked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{Address, Digit, Endpoint, LineName, PromptName};
use crate::condition::Condition;
use crate::config::document::{
    ActionDocument, AgentRingDocument, CallbackDocument, QueueDocument, RelaxDocument, RingDocument,
    RungDocument, Strategy, TellDocument, VoicemailDocument, WrapUpDocument,
};
use crate::config::{Check, Noun, Problem, phone_address, seconds, single_key};
use crate::flow::document::AsksDocument;
use crate::id::{AgentId, CodeId, QueueId, SkillId};
use crate::terms::SkillTerms;

/// What is configured about a queue.
#[derive(Debug)]
pub(crate) struct QueueRules {
    pub(crate) id: QueueId,
    pub(crate) name: Arc<str>,
    pub(crate) strategy: Strategy,
    pub(crate) order: BTreeMap<AgentId, u32>,
    pub(crate) shares: BTreeMap<AgentId, u32>,
    /// When each ring begins; empty or one: no rings.
    pub(crate) rings: Vec<Duration>,
    ring_of: BTreeMap<AgentId, u8>,
    pub(crate) skills: SkillTerms,
    pub(crate) priority: u8,
    pub(crate) priority_worth: Duration,
    /// In percent.
    pub(crate) weight: u32,
    pub(crate) last_agent: Duration,
    pub(crate) music: Option<Arc<[PromptName]>>,
    pub(crate) announce: Option<Arc<[PromptName]>>,
    pub(crate) tell: Option<Tell>,
    pub(crate) ring_timeout: Duration,
    pub(crate) wrap_up: WrapUpRules,
    pub(crate) max_waiting: usize,
    pub(crate) max_wait: Duration,
    pub(crate) closed: bool,
    pub(crate) when_full: Action,
    pub(crate) when_waited: Action,
    pub(crate) when_closed: Action,
    pub(crate) when_no_agents: Option<Action>,
    pub(crate) overflow: Vec<Rung>,
    pub(crate) voicemail: Option<Voicemail>,
    pub(crate) callback: Option<Callback>,
}

/// What becomes of a caller.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Queue(QueueId),
    Voicemail,
    Callback,
    Redirect(Endpoint),
    Message(Arc<[PromptName]>),
    HangUp,
    Otherwise,
}

/// One rung of the ladder of overflow.
#[derive(Clone, Debug)]
pub(crate) struct Rung {
    pub(crate) after: Duration,
    pub(crate) if_waiting: Option<usize>,
    pub(crate) if_expected: Option<Duration>,
    pub(crate) then: Action,
}

/// What waiting callers are told now and then.
#[derive(Clone, Debug)]
pub(crate) struct Tell {
    pub(crate) every: Duration,
    pub(crate) prompts: Vec<PromptName>,
    pub(crate) place: Vec<PromptName>,
    pub(crate) wait: Vec<PromptName>,
    /// The prompts of the numbers that can be told.
    pub(crate) numbers: BTreeMap<u32, PromptName>,
}

/// The time after a conversation.
#[derive(Clone, Debug)]
pub(crate) struct WrapUpRules {
    pub(crate) time: Duration,
    pub(crate) extend: Duration,
    pub(crate) extensions: u32,
    pub(crate) codes: BTreeSet<CodeId>,
    pub(crate) code_required: bool,
}

/// How messages are taken.
#[derive(Clone, Debug)]
pub(crate) struct Voicemail {
    pub(crate) greeting: Arc<[PromptName]>,
    pub(crate) max: Duration,
    pub(crate) silence: Option<Duration>,
    pub(crate) queue: QueueId,
    pub(crate) intro: Vec<PromptName>,
}

/// How customers are called back.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub(crate) offer: Arc<[PromptName]>,
    pub(crate) key: Digit,
    pub(crate) confirm: Option<Arc<[PromptName]>>,
    pub(crate) line: Option<LineName>,
    pub(crate) number: Option<Address>,
    pub(crate) attempts: u32,
    pub(crate) retry: Duration,
    pub(crate) ring: Duration,
    pub(crate) intro: Option<Arc<[PromptName]>>,
}

/// What a caller asks for, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asks {
    pub(crate) skills: Option<SkillTerms>,
    pub(crate) priority: Option<u8>,
    pub(crate) vip: Option<bool>,
    pub(crate) agent: Option<AgentId>,
    pub(crate) last_agent: Option<Duration>,
}

/// What callers ask for of whom a condition holds.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) when: Condition,
    pub(crate) asks: Asks,
}

impl QueueRules {
    /// In which of the queue's rings an agent is, counted from 1.
    pub(crate) fn ring_of(&self, agent: &AgentId) -> u8 {
        let last = u8::try_from(self.rings.len()).unwrap_or(u8::MAX).max(1);
        self.ring_of.get(agent).copied().unwrap_or(last)
    }
}

impl Asks {
    /// This, and on top of it what the other says.
    pub(crate) fn under(&self, other: &Asks) -> Asks {
        Asks {
            skills: other.skills.clone().or_else(|| self.skills.clone()),
            priority: other.priority.or(self.priority),
            vip: other.vip.or(self.vip),
            agent: other.agent.clone().or_else(|| self.agent.clone()),
            last_agent: other.last_agent.or(self.last_agent),
        }
    }
}

impl Check<'_> {
    pub(super) fn queue_rules(&mut self, key: &str, queue: &QueueDocument) -> QueueRules {
        let music: Vec<_> = queue.music.iter().cloned().collect();
        let music = self.prompts(&format!("{key}.music"), &music);
        let announce = self.prompts(&format!("{key}.announce"), &queue.announce);
        let ring = self.range(&format!("{key}.ring_timeout_s"), queue.ring_timeout_s, RING_TIMEOUT_S);
        let waiting = self.range(&format!("{key}.max_waiting"), queue.max_waiting, 0..=WAITING_MAX);
        let wait = self.range(&format!("{key}.max_wait_s"), queue.max_wait_s, MAX_WAIT_S);
        let worth = self.range(&format!("{key}.priority_worth_s"), queue.priority_worth_s, 0..=HOUR_S);
        let last_agent = self.range(&format!("{key}.last_agent_s"), queue.last_agent_s, 0..=HOUR_S);
        let weight = self.range(&format!("{key}.weight"), queue.weight, 1..=10_000);
        self.range(&format!("{key}.priority"), queue.priority.into(), PRIORITY);
        let (rings, ring_of) = self.agent_rings(&format!("{key}.rings"), &queue.rings);
        for (agent, share) in &queue.shares {
            self.agent(&format!("{key}.shares"), agent);
            self.range(&format!("{key}.shares.{agent}"), *share, 1..=100);
        }
        let mut order = BTreeMap::new();
        for (place, agent) in (0u32..).zip(&queue.order) {
            self.agent(&format!("{key}.order"), agent);
            if order.insert(agent.clone(), place).is_some() {
                self.fault(format!("{key}.order"), Problem::Duplicate(agent.as_str().into()));
            }
        }
        if !queue.order.is_empty() && queue.strategy != Strategy::Serial {
            self.fault(format!("{key}.order"), Problem::Misplaced("beside strategy = \"serial\""));
        }
        if !queue.shares.is_empty() && queue.strategy != Strategy::Weighted {
            self.fault(format!("{key}.shares"), Problem::Misplaced("beside strategy = \"weighted\""));
        }
        QueueRules {
            id: queue.id.clone(),
            name: queue.name.clone(),
            strategy: queue.strategy,
            order,
            shares: queue.shares.clone(),
            rings,
            ring_of,
            skills: self.skill_terms(key, &queue.skills, &queue.relax),
            priority: queue.priority,
            priority_worth: seconds(worth),
            weight,
            last_agent: seconds(last_agent),
            music,
            announce,
            tell: queue.tell.as_ref().map(|tell| self.tell(&format!("{key}.tell"), tell)),
            ring_timeout: seconds(ring),
            wrap_up: self.wrap_up(key, queue.wrap_up_s, &queue.wrap_up),
            max_waiting: usize::try_from(waiting).unwrap_or(usize::MAX),
            max_wait: seconds(wait),
            closed: queue.closed,
            when_full: self.action_or(&format!("{key}.when_full"), queue, queue.when_full.as_ref()),
            when_waited: self.action_or(&format!("{key}.when_waited"), queue, queue.when_waited.as_ref()),
            when_closed: self.action_or(&format!("{key}.when_closed"), queue, queue.when_closed.as_ref()),
            when_no_agents: queue
                .when_no_agents
                .as_ref()
                .map(|action| self.action(&format!("{key}.when_no_agents"), queue, action)),
            overflow: self.ladder(&format!("{key}.overflow"), queue),
            voicemail: queue
                .voicemail
                .as_ref()
                .map(|voicemail| self.voicemail(&format!("{key}.voicemail"), queue, voicemail)),
            callback: queue
                .callback
                .as_ref()
                .and_then(|callback| self.callback(&format!("{key}.callback"), callback)),
        }
    }

    /// What a step that queues asks for.
    pub(crate) fn asks(&mut self, key: &str, asks: &AsksDocument) -> Asks {
        if let Some(priority) = asks.priority {
            self.range(&format!("{key}.priority"), priority.into(), PRIORITY);
        }
        if let Some(agent) = &asks.agent {
            self.agent(&format!("{key}.agent"), agent);
        }
        if let Some(last_agent) = asks.last_agent_s {
            self.range(&format!("{key}.last_agent_s"), last_agent, 0..=HOUR_S);
        }
        if asks.skills.is_none() && !asks.relax.is_empty() {
            self.fault(format!("{key}.relax"), Problem::Misplaced("beside skills"));
        }
        Asks {
            skills: asks.skills.as_ref().map(|skills| self.skill_terms(key, skills, &asks.relax)),
            priority: asks.priority,
            vip: asks.vip,
            agent: asks.agent.clone(),
            last_agent: asks.last_agent_s.map(seconds),
        }
    }

    pub(super) fn skills(&mut self, key: &str, skills: &BTreeMap<SkillId, u8>) {
        self.most(key, skills.len(), SKILLS_MAX);
        for (skill, level) in skills {
            self.id(&format!("{key}.{skill}"), skill.as_str());
            self.range(&format!("{key}.{skill}"), (*level).into(), 1..=10);
        }
    }

    /// Skills that are asked for must be had by somebody: the others are written wrongly.
    fn skill_terms(
        &mut self,
        key: &str,
        skills: &BTreeMap<SkillId, u8>,
        relax: &[RelaxDocument],
    ) -> SkillTerms {
        self.asked_skills(&format!("{key}.skills"), skills);
        self.most(&format!("{key}.relax"), relax.len(), STEPS_MAX);
        let mut steps = Vec::new();
        let mut before = 0;
        for (index, step) in relax.iter().enumerate() {
            let key = format!("{key}.relax.{index}");
            self.later(&format!("{key}.after_s"), &mut before, step.after_s, 1);
            self.asked_skills(&format!("{key}.skills"), &step.skills);
            steps.push((seconds(step.after_s), step.skills.clone()));
        }
        SkillTerms { first: skills.clone(), relax: steps }
    }

    fn asked_skills(&mut self, key: &str, skills: &BTreeMap<SkillId, u8>) {
        self.skills(key, skills);
        for skill in skills.keys() {
            self.skill(key, skill);
        }
    }

    fn agent_rings(
        &mut self,
        key: &str,
        rings: &[AgentRingDocument],
    ) -> (Vec<Duration>, BTreeMap<AgentId, u8>) {
        self.most(key, rings.len(), STEPS_MAX);
        let mut times = Vec::new();
        let mut ring_of = BTreeMap::new();
        let mut before = 0;
        for (index, ring) in rings.iter().enumerate() {
            let key = format!("{key}.{index}");
            if index == 0 {
                self.range(&format!("{key}.after_s"), ring.after_s, 0..=0);
            } else {
                self.later(&format!("{key}.after_s"), &mut before, ring.after_s, 1);
            }
            times.push(seconds(ring.after_s));
            for agent in &ring.agents {
                self.agent(&format!("{key}.agents"), agent);
                let number = u8::try_from(index + 1).unwrap_or(u8::MAX);
                if ring_of.insert(agent.clone(), number).is_some() {
                    self.fault(format!("{key}.agents"), Problem::Duplicate(agent.as_str().into()));
                }
            }
        }
        (times, ring_of)
    }

    /// A time of a ladder: in its range and not before the one before.
    fn later(&mut self, key: &str, before: &mut u32, after: u32, least: u32) {
        self.range(key, after, (*before).max(least)..=DAY_S);
        *before = after;
    }

    fn wrap_up(&mut self, key: &str, wrap_up_s: u32, more: &WrapUpDocument) -> WrapUpRules {
        let time = self.range(&format!("{key}.wrap_up_s"), wrap_up_s, 0..=HOUR_S);
        let key = format!("{key}.wrap_up");
        let extend = self.range(&format!("{key}.extend_s"), more.extend_s, 0..=HOUR_S);
        let extensions = self.range(&format!("{key}.extensions"), more.extensions, 0..=20);
        self.most(&format!("{key}.codes"), more.codes.len(), CODES_MAX);
        let mut codes = BTreeSet::new();
        for code in &more.codes {
            self.id(&format!("{key}.codes.{}.id", code.id), code.id.as_str());
            self.name(&format!("{key}.codes.{}.name", code.id), &code.name);
            if !codes.insert(code.id.clone()) {
                self.fault(format!("{key}.codes"), Problem::Duplicate(code.id.as_str().into()));
            }
        }
        if more.code_required && codes.is_empty() {
            self.fault(format!("{key}.codes"), Problem::Empty);
        }
        WrapUpRules {
            time: if more.unlimited { WRAP_UP_MAX } else { seconds(time) },
            extend: seconds(extend),
            extensions,
            codes,
            code_required: more.code_required,
        }
    }

    fn tell(&mut self, key: &str, tell: &TellDocument) -> Tell {
        let every = self.range(&format!("{key}.every_s"), tell.every_s, 10..=HOUR_S);
        self.prompts(&format!("{key}.prompts"), &tell.prompts);
        self.prompts(&format!("{key}.place"), &tell.place);
        self.prompts(&format!("{key}.wait"), &tell.wait);
        let number = |number: u32| {
            let name: PromptName = format!("{}{number}", tell.numbers).into();
            self.known.prompts.contains(&name).then_some((number, name))
        };
        let numbers: BTreeMap<u32, PromptName> = (1..=NUMBER_MAX).filter_map(number).collect();
        if numbers.is_empty() && !(tell.place.is_empty() && tell.wait.is_empty()) {
            let name = format!("{}1", tell.numbers).into();
            let problem = Problem::Unknown { noun: Noun::Prompt, name, nearest: None };
            self.fault(format!("{key}.numbers"), problem);
        }
        Tell {
            every: seconds(every),
            prompts: tell.prompts.clone(),
            place: tell.place.clone(),
            wait: tell.wait.clone(),
            numbers,
        }
    }

    fn ladder(&mut self, key: &str, queue: &QueueDocument) -> Vec<Rung> {
        self.most(key, queue.overflow.len(), STEPS_MAX);
        let mut before = 0;
        let mut rungs = Vec::new();
        for (index, rung) in queue.overflow.iter().enumerate() {
            let key = format!("{key}.{index}");
            self.later(&format!("{key}.after_s"), &mut before, rung.after_s, 0);
            let RungDocument { after_s, if_waiting, if_expected_s, then } = rung;
            if let Some(waiting) = if_waiting {
                self.range(&format!("{key}.if_waiting"), *waiting, 1..=WAITING_MAX);
            }
            if let Some(expected) = if_expected_s {
                self.range(&format!("{key}.if_expected_s"), *expected, 1..=DAY_S);
            }
            rungs.push(Rung {
                after: seconds(*after_s),
                if_waiting: if_waiting.map(|waiting| usize::try_from(waiting).unwrap_or(usize::MAX)),
                if_expected: if_expected_s.map(seconds),
                then: self.action(&format!("{key}.then"), queue, then),
            });
        }
        rungs
    }

    fn action_or(&mut self, key: &str, queue: &QueueDocument, action: Option<&ActionDocument>) -> Action {
        action.map_or(Action::Otherwise, |action| self.action(key, queue, action))
    }

    fn action(&mut self, key: &str, queue: &QueueDocument, action: &ActionDocument) -> Action {
        let mut chosen = Vec::new();
        if let Some(other) = &action.queue {
            self.queue(&format!("{key}.queue"), other);
            chosen.push(Action::Queue(other.clone()));
        }
        if action.voicemail == Some(true) {
            if queue.voicemail.is_none() {
                self.fault(format!("{key}.voicemail"), Problem::Missing("voicemail of the queue"));
            }
            chosen.push(Action::Voicemail);
        }
        if action.callback == Some(true) {
            if queue.callback.is_none() {
                self.fault(format!("{key}.callback"), Problem::Missing("callback of the queue"));
            }
            chosen.push(Action::Callback);
        }
        if let Some(person) = &action.person {
            self.agent(&format!("{key}.person"), person);
            let endpoint = self.names.phones.get(person).cloned();
            chosen.push(endpoint.map_or(Action::HangUp, Action::Redirect));
        }
        if let Some(number) = &action.number {
            let endpoint = self.endpoint(&format!("{key}.number"), number);
            chosen.push(endpoint.map_or(Action::HangUp, Action::Redirect));
        }
        if let Some(message) = &action.message {
            let prompts = self.prompts(&format!("{key}.message"), message);
            if prompts.is_none() {
                self.fault(format!("{key}.message"), Problem::Empty);
            }
            chosen.push(prompts.map_or(Action::HangUp, Action::Message));
        }
        if action.hang_up == Some(true) {
            chosen.push(Action::HangUp);
        }
        if action.otherwise == Some(true) {
            chosen.push(Action::Otherwise);
        }
        match (chosen.pop(), chosen.is_empty()) {
            (Some(action), true) => action,
            _ => {
                let keys = "queue, voicemail, callback, person, number, message, hang_up and otherwise";
                self.fault(key.to_owned(), Problem::NotExactlyOne(keys));
                Action::HangUp
            }
        }
    }

    pub(super) fn endpoint(&mut self, key: &str, ring: &RingDocument) -> Option<Endpoint> {
        self.known_line(&format!("{key}.line"), &ring.line);
        let address = self.ring_address(key, ring)?;
        Some(Endpoint { line: ring.line.clone(), address })
    }

    fn voicemail(&mut self, key: &str, queue: &QueueDocument, voicemail: &VoicemailDocument) -> Voicemail {
        let greeting = self.prompts(&format!("{key}.greeting"), &voicemail.greeting);
        if greeting.is_none() {
            self.fault(format!("{key}.greeting"), Problem::Empty);
        }
        let max = self.range(&format!("{key}.max_s"), voicemail.max_s, 5..=600);
        let silence = self.range(&format!("{key}.silence_s"), voicemail.silence_s, 0..=60);
        self.prompts(&format!("{key}.intro"), &voicemail.intro);
        if let Some(other) = &voicemail.queue {
            self.queue(&format!("{key}.queue"), other);
        }
        Voicemail {
            greeting: greeting.unwrap_or_default(),
            max: seconds(max),
            silence: (silence > 0).then(|| seconds(silence)),
            queue: voicemail.queue.clone().unwrap_or_else(|| queue.id.clone()),
            intro: voicemail.intro.clone(),
        }
    }

    fn callback(&mut self, key: &str, callback: &CallbackDocument) -> Option<Callback> {
        let offer = self.prompts(&format!("{key}.offer"), &callback.offer);
        if offer.is_none() {
            self.fault(format!("{key}.offer"), Problem::Empty);
        }
        let digit = single_key(&callback.key);
        if digit.is_none() {
            self.fault(format!("{key}.key"), Problem::BadDigit(callback.key.clone()));
        }
        if let Some(line) = &callback.line {
            self.known_line(&format!("{key}.line"), line);
        }
        let number = callback.number.as_ref().map(|number| (number, phone_address(number)));
        if let Some((number, None)) = &number {
            self.fault(format!("{key}.number"), Problem::BadAddress((*number).clone()));
        }
        let attempts = self.range(&format!("{key}.attempts"), callback.attempts, 1..=10);
        let retry = self.range(&format!("{key}.retry_s"), callback.retry_s, 10..=DAY_S);
        let ring = self.range(&format!("{key}.ring_s"), callback.ring_s, 10..=120);
        let confirm = self.prompts(&format!("{key}.confirm"), &callback.confirm);
        let intro = self.prompts(&format!("{key}.intro"), &callback.intro);
        Some(Callback {
            offer: offer?,
            key: digit?,
            confirm,
            line: callback.line.clone(),
            number: number.and_then(|(_, address)| address),
            attempts,
            retry: seconds(retry),
            ring: seconds(ring),
            intro,
        })
    }
}

/// The longest wrap-up: what `unlimited` comes to, so that no agent stays in one for ever.
pub(crate) const WRAP_UP_MAX: Duration = Duration::from_secs(12 * 3600);

const PRIORITY: RangeInclusive<u32> = 1..=5;
const RING_TIMEOUT_S: RangeInclusive<u32> = 5..=60;
const MAX_WAIT_S: RangeInclusive<u32> = 10..=DAY_S;
const HOUR_S: u32 = 3600;
const DAY_S: u32 = 86_400;
/// Who may wait in one queue.
const WAITING_MAX: u32 = 100_000;
/// Steps of one ladder. More are a fault of the configuration, as with all bounds here.
const STEPS_MAX: usize = 20;
/// Skills of one agent, or asked for at once.
const SKILLS_MAX: usize = 100;
/// Codes of one queue.
const CODES_MAX: usize = 500;
/// The greatest number that is told to callers.
const NUMBER_MAX: u32 = 100;
