//! From the document of a flow to the flow that runs: every step it names exists, every prompt can be played, and
//! it cannot go round without waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use crate::call::{Digit, PromptName};
use crate::condition;
use crate::config::{
    Asks, Case, Check, Noun, Problem, check_prompts, check_range, is_id, nearest, single_key,
};
use crate::flow::document::{AgentStateStep, FlowDocument, MenuDocument, StepDocument};
use crate::id::{FlowId, QueueId, StepId};

/// A flow that can run.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) id: FlowId,
    pub(crate) start: StepIndex,
    steps: Vec<Step>,
}

/// One step of a flow that can run.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) id: StepId,
    pub(crate) act: Act,
}

/// Which step of its flow. Made only by [`compile`], so it always names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StepIndex(usize);

/// What a step does. A next step that is `None` is the end: hang up.
#[derive(Debug)]
pub(crate) enum Act {
    Play { prompts: Arc<[PromptName]>, then: Option<StepIndex> },
    Menu(Menu),
    Set { values: Vec<(Arc<str>, Arc<str>)>, then: Option<StepIndex> },
    Enqueue(Enqueue),
    AgentState { state: AgentStateStep, then: Option<StepIndex>, otherwise: Option<StepIndex> },
    HangUp,
}

/// Into a queue.
#[derive(Debug)]
pub(crate) struct Enqueue {
    pub(crate) queue: QueueId,
    pub(crate) asks: Asks,
    pub(crate) cases: Vec<Case>,
    pub(crate) otherwise: Option<StepIndex>,
}

/// A choice by one key.
#[derive(Debug)]
pub(crate) struct Menu {
    /// Played first; empty: silence.
    pub(crate) prompts: Arc<[PromptName]>,
    /// Played at each repetition: the apology, then the prompts.
    pub(crate) again: Arc<[PromptName]>,
    pub(crate) digits: BTreeMap<Digit, StepIndex>,
    pub(crate) timeout: Duration,
    /// How often it is played in all; at least 1.
    pub(crate) tries: u32,
    pub(crate) otherwise: Option<StepIndex>,
}

impl Flow {
    /// The step at this index, or `None` if it is of another flow.
    pub(crate) fn step(&self, index: StepIndex) -> Option<&Step> {
        self.steps.get(index.0)
    }
}

/// Compiles the document of the flow `id`; what is wrong with it is told to `check`.
pub(crate) fn compile(id: &FlowId, document: &FlowDocument, check: &mut Check<'_>) -> Option<Flow> {
    let before = check.faults.len();
    let mut compiler = Compiler {
        key: format!("flows.{id}"),
        index: document.steps.keys().cloned().zip((0..).map(StepIndex)).collect(),
        check,
    };
    compiler.whole(document);
    let start = compiler.start(document);
    let steps: Vec<Step> = document
        .steps
        .iter()
        .filter_map(|(id, step)| compiler.step(id, step).map(|act| Step { id: id.clone(), act }))
        .collect();
    // The paths are walked only when all steps stand, or a fault would bring others that are not there.
    if compiler.check.faults.len() > before {
        return None;
    }
    let flow = Flow { id: id.clone(), start: start?, steps };
    compiler.paths(&flow);
    (compiler.check.faults.len() == before).then_some(flow)
}

struct Compiler<'a, 'b> {
    key: String,
    index: BTreeMap<StepId, StepIndex>,
    check: &'a mut Check<'b>,
}

impl Compiler<'_, '_> {
    fn whole(&mut self, document: &FlowDocument) {
        if let Some(file) = &document.file {
            let problem = if document.start.is_some() || !document.steps.is_empty() {
                Problem::NotExactlyOne("file, and start with steps")
            } else {
                Problem::FileNotRead(file.clone())
            };
            self.fault("file", problem);
        } else if document.steps.is_empty() {
            self.fault("steps", Problem::Empty);
        }
        if document.steps.len() > STEPS_MAX {
            self.fault("steps", Problem::TooMany { most: STEPS_MAX });
        }
    }

    fn start(&mut self, document: &FlowDocument) -> Option<StepIndex> {
        match &document.start {
            Some(start) => self.target("start", start),
            None if document.file.is_none() => {
                self.fault("start", Problem::Empty);
                None
            }
            None => None,
        }
    }

    fn step(&mut self, id: &StepId, step: &StepDocument) -> Option<Act> {
        let key = format!("steps.{id}");
        if !is_id(id.as_str()) {
            self.fault(&key, Problem::BadId(id.as_str().into()));
        }
        let goes_on = step.play.is_some() || !step.set.is_empty() || step.agent_state.is_some();
        if step.then.is_some() && !goes_on {
            self.fault(&format!("{key}.then"), Problem::Misplaced("beside play, set or agent_state"));
        }
        if step.otherwise.is_some() && step.enqueue.is_none() && step.agent_state.is_none() {
            let belongs = "beside enqueue or agent_state, or into menu";
            self.fault(&format!("{key}.otherwise"), Problem::Misplaced(belongs));
        }
        if (step.asks.is_some() || !step.cases.is_empty()) && step.enqueue.is_none() {
            let name = if step.asks.is_some() { "asks" } else { "cases" };
            self.fault(&format!("{key}.{name}"), Problem::Misplaced("beside enqueue"));
        }
        let set = (!step.set.is_empty()).then_some(&step.set);
        let next = |compiler: &mut Self| compiler.next(&format!("{key}.then"), step.then.as_ref());
        match (&step.play, &step.menu, set, &step.enqueue, step.agent_state, step.hang_up) {
            (Some(prompts), None, None, None, None, None) => {
                let prompts = self.prompts(&format!("{key}.play"), prompts, true);
                Some(Act::Play { prompts, then: next(self) })
            }
            (None, Some(menu), None, None, None, None) => {
                Some(Act::Menu(self.menu(&format!("{key}.menu"), menu)))
            }
            (None, None, Some(values), None, None, None) => {
                self.attributes(&format!("{key}.set"), values);
                let values = values.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
                Some(Act::Set { values, then: next(self) })
            }
            (None, None, None, Some(queue), None, None) => {
                Some(Act::Enqueue(self.enqueue(&key, step, queue)))
            }
            (None, None, None, None, Some(state), None) => {
                let otherwise = self.next(&format!("{key}.otherwise"), step.otherwise.as_ref());
                Some(Act::AgentState { state, then: next(self), otherwise })
            }
            (None, None, None, None, None, Some(true)) => Some(Act::HangUp),
            _ => {
                let keys = "play, menu, set, enqueue, agent_state and hang_up = true";
                self.fault(&key, Problem::NotExactlyOne(keys));
                None
            }
        }
    }

    fn enqueue(&mut self, key: &str, step: &StepDocument, queue: &QueueId) -> Enqueue {
        let path = self.path(key);
        self.check.queue(&format!("{path}.enqueue"), queue);
        let asks = step.asks.as_ref().map(|asks| self.check.asks(&format!("{path}.asks"), asks));
        self.check.most(&format!("{path}.cases"), step.cases.len(), CASES_MAX);
        let mut cases = Vec::new();
        for (index, case) in step.cases.iter().enumerate() {
            let key = format!("{path}.cases.{index}");
            let when = condition::compile(&format!("{key}.when"), &case.when, 0, &mut self.check.faults);
            let asks = self.check.asks(&format!("{key}.asks"), &case.asks);
            cases.extend(when.map(|when| Case { when, asks }));
        }
        let otherwise = self.next(&format!("{key}.otherwise"), step.otherwise.as_ref());
        Enqueue { queue: queue.clone(), asks: asks.unwrap_or_default(), cases, otherwise }
    }

    fn attributes(&mut self, key: &str, values: &BTreeMap<Arc<str>, Arc<str>>) {
        let path = self.path(key);
        self.check.most(&path, values.len(), ATTRIBUTES_MAX);
        for (name, value) in values {
            if !is_id(name) {
                self.fault(&format!("{key}.{name}"), Problem::BadId(name.clone()));
            }
            if value.len() > ATTRIBUTE_BYTES_MAX {
                self.fault(&format!("{key}.{name}"), Problem::BadLength { most: ATTRIBUTE_BYTES_MAX });
            }
        }
    }

    fn menu(&mut self, key: &str, menu: &MenuDocument) -> Menu {
        let prompts = self.prompts(&format!("{key}.prompts"), &menu.prompts, false);
        let invalid = self.prompts(&format!("{key}.invalid"), &menu.invalid, false);
        if menu.digits.is_empty() {
            self.fault(&format!("{key}.digits"), Problem::Empty);
        }
        let mut digits = BTreeMap::new();
        for (text, step) in &menu.digits {
            let target = self.target(&format!("{key}.digits.{text}"), step);
            match (single_key(text), target) {
                (Some(digit), Some(target)) => {
                    digits.insert(digit, target);
                }
                (None, _) => self.fault(&format!("{key}.digits"), Problem::BadDigit(text.clone())),
                (Some(_), None) => {}
            }
        }
        check_range(
            &self.path(&format!("{key}.timeout_s")),
            menu.timeout_s,
            MENU_TIMEOUT_S,
            &mut self.check.faults,
        );
        check_range(
            &self.path(&format!("{key}.retries")),
            menu.retries,
            MENU_RETRIES,
            &mut self.check.faults,
        );
        Menu {
            again: invalid.iter().chain(prompts.iter()).cloned().collect(),
            prompts,
            digits,
            timeout: Duration::from_secs(menu.timeout_s.into()),
            tries: menu.retries.saturating_add(1),
            otherwise: self.next(&format!("{key}.otherwise"), menu.otherwise.as_ref()),
        }
    }

    fn paths(&mut self, flow: &Flow) {
        let reached = walk(flow, flow.start, Step::exits);
        for (id, index) in self.index.clone() {
            if !reached.contains(&index) {
                self.fault(&format!("steps.{id}"), Problem::Unreached);
            }
        }
        // Only a full queue is left without waiting. A step that can come back to itself by such exits alone is in
        // a loop that never waits.
        let mut circling: Vec<&str> = Vec::new();
        for (id, index) in &self.index {
            let exits = flow.step(*index).map(Step::exits_at_once).unwrap_or_default();
            if exits.into_iter().any(|exit| walk(flow, exit, Step::exits_at_once).contains(index)) {
                circling.push(id.as_str());
            }
        }
        if !circling.is_empty() {
            let steps = circling.join(", ").into();
            self.fault("steps", Problem::EndlessLoop(steps));
        }
    }

    fn prompts(&mut self, key: &str, prompts: &[PromptName], needed: bool) -> Arc<[PromptName]> {
        if needed && prompts.is_empty() {
            self.fault(key, Problem::Empty);
        }
        check_prompts(&self.path(key), prompts, &self.check.known.prompts, &mut self.check.faults);
        prompts.into()
    }

    fn next(&mut self, key: &str, step: Option<&StepId>) -> Option<StepIndex> {
        step.and_then(|step| self.target(key, step))
    }

    fn target(&mut self, key: &str, step: &StepId) -> Option<StepIndex> {
        let index = self.index.get(step).copied();
        if index.is_none() {
            let nearest = nearest(step.as_str(), self.index.keys().map(StepId::as_str));
            self.fault(key, Problem::Unknown { noun: Noun::Step, name: step.as_str().into(), nearest });
        }
        index
    }

    fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.key)
    }

    fn fault(&mut self, key: &str, problem: Problem) {
        let key = self.path(key);
        self.check.fault(key, problem);
    }
}

impl Step {
    /// All steps that can come next.
    fn exits(&self) -> Vec<StepIndex> {
        match &self.act {
            Act::Play { then, .. } | Act::Set { then, .. } => then.iter().copied().collect(),
            Act::AgentState { then, otherwise, .. } => then.iter().chain(otherwise).copied().collect(),
            Act::Menu(menu) => menu.digits.values().copied().chain(menu.otherwise).collect(),
            Act::Enqueue(enqueue) => enqueue.otherwise.iter().copied().collect(),
            Act::HangUp => Vec::new(),
        }
    }

    /// The steps that can come next without anything having been waited for.
    fn exits_at_once(&self) -> Vec<StepIndex> {
        match &self.act {
            Act::Enqueue(enqueue) => enqueue.otherwise.iter().copied().collect(),
            Act::Set { then, .. } => then.iter().copied().collect(),
            Act::AgentState { then, otherwise, .. } => then.iter().chain(otherwise).copied().collect(),
            Act::Play { .. } | Act::Menu(_) | Act::HangUp => Vec::new(),
        }
    }
}

/// All steps that can be reached from `from`, itself included.
fn walk(flow: &Flow, from: StepIndex, exits: fn(&Step) -> Vec<StepIndex>) -> BTreeSet<StepIndex> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(index) = open.pop() {
        if reached.insert(index) {
            open.extend(flow.step(index).map(exits).unwrap_or_default());
        }
    }
    reached
}

/// Steps of one flow. More are a fault of the configuration.
const STEPS_MAX: usize = 1_000;
const MENU_TIMEOUT_S: RangeInclusive<u32> = 1..=60;
const MENU_RETRIES: RangeInclusive<u32> = 0..=10;
/// Cases of one step.
const CASES_MAX: usize = 200;
/// Attributes that one step sets.
const ATTRIBUTES_MAX: usize = 50;
/// Bytes of an attribute's value.
const ATTRIBUTE_BYTES_MAX: usize = 256;
