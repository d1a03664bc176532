//! Drafts of configurations: everything that can be configured, drawn, and made to fit together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tandem_center::agent::Presence;
use tandem_center::condition::ConditionDocument;
use tandem_center::config::document::{AgentRingDocument, RingDocument};
use tandem_center::config::{
    ActionDocument, AgentDocument, CallbackDocument, CapacityDocument, CodeDocument, Config, Document,
    Faults, Known, LimitsDocument, NumberDocument, OffersDocument, PresenceDocument, QueueDocument,
    RelaxDocument, RungDocument, Starts, Strategy, TellDocument, VoicemailDocument, WrapUpDocument,
};
use tandem_center::flow::document::{
    AgentStateStep, AsksDocument, CaseDocument, FlowDocument, MenuDocument, StepDocument,
};
use tandem_center::id::{AgentId, QueueId, SkillId, StepId};

use super::{AGENTS, MAIN_NUMBER, QUEUES, SIGN_IN_NUMBER, agent_id, agent_phone, priority, queue_id};
use crate::dice::Dice;

/// What a configuration is made of. Names in it that name nothing are left out of the document.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    agents: BTreeMap<u64, AgentDraft>,
    queues: BTreeMap<u64, QueueDocument>,
    asks: BTreeMap<u64, (Option<AsksDocument>, Vec<CaseDocument>)>,
    offers: OffersDocument,
    capacity: CapacityDocument,
    presence: PresenceDocument,
    limits: LimitsDocument,
    menu: bool,
    /// Whether callers whom nobody served hear an apology before the flow hangs up.
    apologises: bool,
}

#[derive(Clone, Debug)]
struct AgentDraft {
    queues: BTreeSet<u64>,
    skills: BTreeMap<SkillId, u8>,
    confirm: bool,
    capacity: Option<u32>,
}

impl Draft {
    pub(super) fn draw(dice: &mut Dice) -> Draft {
        let queues = dice.between(1, QUEUES);
        let queues: BTreeMap<u64, QueueDocument> =
            (0..queues).map(|place| (place, queue(place, dice))).collect();
        let agents = dice.between(1, AGENTS);
        let agents = (0..agents).map(|place| (place, agent(&queues, dice))).collect();
        let asks = queues.keys().map(|place| (*place, (asks(dice, 20), cases(dice)))).collect();
        let offers = OffersDocument {
            missed_rest_s: seconds(dice.between(0, 40)),
            misses: if dice.percent(30) { seconds(dice.between(2, 4)) } else { 1 },
            confirm: if dice.percent(50) { vec!["press-1".into()] } else { Vec::new() },
            declined_rest_s: seconds(dice.between(1, 30)),
            unreachable_rest_s: seconds(dice.between(1, 30)),
        };
        let mut capacity = CapacityDocument::default();
        if dice.percent(40) {
            let mut weight = || seconds([34, 50, 100][usize::try_from(dice.below(3)).unwrap_or(0)]);
            capacity =
                CapacityDocument { total: 100, call: weight(), callback: weight(), voicemail: weight() };
        }
        let mut presence = PresenceDocument::default();
        if dice.percent(30) {
            presence.stops = vec![Presence::Busy, Presence::Away];
        }
        presence.believed_s = seconds(dice.between(10, 300));
        let limits = LimitsDocument {
            calls: seconds(if dice.percent(20) { dice.between(1, 6) } else { 1000 }),
            call_s: seconds(if dice.percent(20) { dice.between(60, 200) } else { 43_200 }),
        };
        let (menu, apologises) = (dice.percent(50), dice.percent(60));
        Draft { agents, queues, asks, offers, capacity, presence, limits, menu, apologises }
    }

    pub(super) fn changed(&self, dice: &mut Dice) -> Draft {
        let mut draft = self.clone();
        if dice.percent(40) {
            let gone = dice.below(AGENTS);
            draft.agents.remove(&gone);
        }
        match dice.below(7) {
            0 => draft.menu = !self.menu,
            1 => {
                draft.agents.insert(AGENTS - 1, agent(&draft.queues, dice));
            }
            2 => draft.agents.values_mut().for_each(|one| *one = agent(&self.queues, dice)),
            3 => drop(draft.queues.pop_last()),
            4 => draft.capacity = Draft::draw(dice).capacity,
            5 => draft.agents.values_mut().for_each(|one| one.skills = skills(dice, 50)),
            _ => draft.queues = self.queues.keys().map(|place| (*place, queue(*place, dice))).collect(),
        }
        draft
    }

    pub(super) fn config(&self) -> Result<Arc<Config>, Faults> {
        let numbers = (1..=20).map(|number| Arc::from(format!("number.{number}")));
        let prompts = [
            "welcome", "menu", "sorry", "music", "announce", "press-1", "tell", "place", "wait", "greeting",
            "intro", "offer", "confirm",
        ];
        let known = Known {
            prompts: prompts.map(Arc::from).into_iter().chain(numbers).collect(),
            lines: ["carrier", "teams"].map(Arc::from).into(),
        };
        let names = Names {
            agents: self.agents.keys().map(|place| agent_id(*place)).collect(),
            queues: self.queues.keys().map(|place| queue_id(*place)).collect(),
            skills: self.agents.values().flat_map(|agent| agent.skills.keys().cloned()).collect(),
        };
        let number = |dialled: &str, flow: &str| NumberDocument {
            dialled: dialled.into(),
            line: None,
            flow: flow.into(),
        };
        let mut agents: Vec<AgentDocument> =
            self.agents.iter().map(|(place, agent)| agent_document(*place, agent)).collect();
        agents.iter_mut().for_each(|agent| agent.queues.retain(|queue| names.queues.contains(queue)));
        let mut queues: Vec<QueueDocument> = self.queues.values().cloned().collect();
        queues.iter_mut().for_each(|queue| names.clean(queue));
        let document = Document {
            agents,
            queues,
            numbers: vec![number(MAIN_NUMBER, "main"), number(SIGN_IN_NUMBER, "sign-in")],
            flows: [("main".into(), self.flow(&names)), ("sign-in".into(), sign_in())].into(),
            offers: self.offers.clone(),
            capacity: self.capacity.clone(),
            presence: self.presence.clone(),
            limits: self.limits.clone(),
        };
        Config::new(document, &known).map(Arc::new)
    }

    /// A welcome or a menu, then each queue in turn, then perhaps an apology.
    fn flow(&self, names: &Names) -> FlowDocument {
        let apology = (self.apologises || self.queues.is_empty()).then(|| StepId::from("sorry"));
        let mut steps = BTreeMap::new();
        let mut next = apology.clone();
        for place in self.queues.keys().rev() {
            let (mut asks, mut cases) = self.asks.get(place).cloned().unwrap_or_default();
            asks.iter_mut().chain(cases.iter_mut().map(|case| &mut case.asks)).for_each(|asks| {
                names.clean_asks(asks);
            });
            let enqueue = Some(queue_id(*place));
            let step = StepDocument { enqueue, asks, cases, otherwise: next, ..StepDocument::default() };
            steps.insert(step_id(*place), step);
            next = Some(step_id(*place));
        }
        if let Some(apology) = apology {
            let play = Some(vec!["sorry".into()]);
            steps.insert(apology, StepDocument { play, ..StepDocument::default() });
        }
        let known = StepDocument {
            set: [("language".into(), "fr".into())].into(),
            then: next,
            ..StepDocument::default()
        };
        let next = Some(StepId::from("known"));
        steps.insert("known".into(), known);
        let start = StepId::from(if self.menu { "menu" } else { "welcome" });
        let first = if self.menu {
            let digits = self.queues.keys().map(|place| (place.to_string().into(), step_id(*place)));
            let menu = MenuDocument {
                prompts: vec!["menu".into()],
                digits: digits.chain([("9".into(), "menu".into())]).collect(),
                timeout_s: 3,
                retries: 1,
                invalid: vec!["sorry".into()],
                otherwise: next,
            };
            StepDocument { menu: Some(menu), ..StepDocument::default() }
        } else {
            StepDocument { play: Some(vec!["welcome".into()]), then: next, ..StepDocument::default() }
        };
        steps.insert(start.clone(), first);
        FlowDocument { file: None, start: Some(start), steps }
    }
}

/// Whom and what a configuration names.
struct Names {
    agents: BTreeSet<AgentId>,
    queues: BTreeSet<QueueId>,
    skills: BTreeSet<SkillId>,
}

impl Names {
    /// Leaves out of a queue what names nothing.
    fn clean(&self, queue: &mut QueueDocument) {
        queue.order.retain(|agent| self.agents.contains(agent));
        queue.shares.retain(|agent, _| self.agents.contains(agent));
        queue.rings.iter_mut().for_each(|ring| ring.agents.retain(|agent| self.agents.contains(agent)));
        queue.skills.retain(|skill, _| self.skills.contains(skill));
        queue.relax.iter_mut().for_each(|step| step.skills.retain(|skill, _| self.skills.contains(skill)));
        let actions =
            [&mut queue.when_full, &mut queue.when_waited, &mut queue.when_no_agents, &mut queue.when_closed];
        let rungs = queue.overflow.iter_mut().map(|rung| &mut rung.then);
        for action in actions.into_iter().flatten().chain(rungs) {
            let queue_gone = action.queue.as_ref().is_some_and(|queue| !self.queues.contains(queue));
            let person_gone = action.person.as_ref().is_some_and(|agent| !self.agents.contains(agent));
            if queue_gone || person_gone {
                *action = ActionDocument { otherwise: Some(true), ..ActionDocument::default() };
            }
        }
        if let Some(voicemail) = &mut queue.voicemail {
            voicemail.queue.take_if(|queue| !self.queues.contains(queue));
        }
    }

    fn clean_asks(&self, asks: &mut AsksDocument) {
        asks.agent.take_if(|agent| !self.agents.contains(agent));
        asks.skills.iter_mut().for_each(|skills| skills.retain(|skill, _| self.skills.contains(skill)));
        asks.relax.iter_mut().for_each(|step| step.skills.retain(|skill, _| self.skills.contains(skill)));
    }
}

/// Agents who call are signed in and out; others are told that they are wrong.
fn sign_in() -> FlowDocument {
    let sign_in = StepDocument {
        agent_state: Some(AgentStateStep::Toggle),
        then: Some("done".into()),
        otherwise: Some("sorry".into()),
        ..StepDocument::default()
    };
    let play = |name: &str| StepDocument { play: Some(vec![name.into()]), ..StepDocument::default() };
    FlowDocument {
        file: None,
        start: Some("sign-in".into()),
        steps: [
            ("sign-in".into(), sign_in),
            ("done".into(), play("confirm")),
            ("sorry".into(), play("sorry")),
        ]
        .into(),
    }
}

fn agent(queues: &BTreeMap<u64, QueueDocument>, dice: &mut Dice) -> AgentDraft {
    AgentDraft {
        queues: queues.keys().copied().filter(|_| dice.percent(70)).collect(),
        skills: skills(dice, 40),
        confirm: dice.percent(15),
        capacity: dice
            .percent(20)
            .then(|| seconds([50, 150, 200][usize::try_from(dice.below(3)).unwrap_or(0)])),
    }
}

fn agent_document(place: u64, agent: &AgentDraft) -> AgentDocument {
    AgentDocument {
        id: agent_id(place),
        name: format!("Agent {place}").into(),
        ring: RingDocument { line: "teams".into(), phone: Some(agent_phone(place).into()), sip: None },
        queues: agent.queues.iter().map(|place| queue_id(*place)).collect(),
        starts: match place {
            3 => Starts::Offline,
            4 => Starts::Break,
            _ => Starts::Available,
        },
        skills: agent.skills.clone(),
        confirm: agent.confirm,
        capacity: agent.capacity,
    }
}

fn queue(place: u64, dice: &mut Dice) -> QueueDocument {
    let strategy = STRATEGIES[usize::try_from(dice.below(STRATEGIES.len() as u64)).unwrap_or(0)];
    let voicemail = dice.percent(40).then(|| VoicemailDocument {
        greeting: vec!["greeting".into()],
        max_s: seconds(dice.between(5, 90)),
        silence_s: seconds(dice.between(0, 8)),
        queue: dice.percent(30).then(|| queue_id(dice.below(QUEUES))),
        intro: if dice.percent(50) { vec!["intro".into()] } else { Vec::new() },
    });
    let callback = dice.percent(50).then(|| CallbackDocument {
        offer: vec!["offer".into()],
        key: "0".into(),
        confirm: if dice.percent(50) { vec!["confirm".into()] } else { Vec::new() },
        line: dice.percent(30).then(|| "carrier".into()),
        number: dice.percent(30).then(|| MAIN_NUMBER.into()),
        attempts: seconds(dice.between(1, 3)),
        retry_s: seconds(dice.between(10, 120)),
        ring_s: seconds(dice.between(10, 40)),
        intro: if dice.percent(50) { vec!["intro".into()] } else { Vec::new() },
    });
    let can = (voicemail.is_some(), callback.is_some());
    let actions = |dice: &mut Dice, percent| dice.percent(percent).then(|| action(dice, can));
    QueueDocument {
        id: queue_id(place),
        name: format!("Queue {place}").into(),
        strategy,
        order: if strategy == Strategy::Serial { some_agents(dice, 60) } else { Vec::new() },
        shares: if strategy == Strategy::Weighted {
            some_agents(dice, 70).into_iter().map(|agent| (agent, seconds(dice.between(1, 5)))).collect()
        } else {
            BTreeMap::new()
        },
        rings: rings(dice),
        skills: skills(dice, 15),
        relax: if dice.percent(30) { relax(dice) } else { Vec::new() },
        priority: if dice.percent(20) { priority(dice) } else { 3 },
        priority_worth_s: seconds(dice.between(0, 120)),
        weight: if dice.percent(30) { seconds(dice.between(10, 500)) } else { 100 },
        last_agent_s: if dice.percent(20) { seconds(dice.between(1, 60)) } else { 0 },
        music: dice.percent(50).then(|| "music".into()),
        announce: if dice.percent(30) { vec!["announce".into()] } else { Vec::new() },
        tell: dice.percent(30).then(|| tell(dice)),
        ring_timeout_s: seconds(dice.between(5, 20)),
        wrap_up_s: seconds(if dice.percent(30) { 0 } else { dice.between(1, 40) }),
        wrap_up: if dice.percent(30) { wrap_up(dice) } else { WrapUpDocument::default() },
        max_waiting: seconds(if dice.percent(30) { dice.between(0, 4) } else { 1000 }),
        when_full: actions(dice, 40),
        max_wait_s: seconds(dice.between(10, 400)),
        when_waited: actions(dice, 40),
        when_no_agents: actions(dice, 25),
        closed: dice.percent(5),
        when_closed: actions(dice, 40),
        overflow: overflow(dice, can),
        voicemail,
        callback,
    }
}

fn action(dice: &mut Dice, (voicemail, callback): (bool, bool)) -> ActionDocument {
    let mut action = ActionDocument::default();
    match dice.below(10) {
        0..=2 if voicemail => action.voicemail = Some(true),
        3..=5 if callback => action.callback = Some(true),
        0 | 3 | 6 => action.queue = Some(queue_id(dice.below(QUEUES))),
        1 => action.person = Some(agent_id(dice.below(AGENTS))),
        4 => {
            let (line, phone) = ("carrier".into(), Some("+14255550177".into()));
            action.number = Some(RingDocument { line, phone, sip: None });
        }
        7 => action.message = Some(vec!["sorry".into()]),
        8 => action.hang_up = Some(true),
        _ => action.otherwise = Some(true),
    }
    action
}

fn overflow(dice: &mut Dice, can: (bool, bool)) -> Vec<RungDocument> {
    if dice.percent(60) {
        return Vec::new();
    }
    let mut after_s = 0;
    let mut rungs = Vec::new();
    for _ in 0..dice.between(1, 3) {
        after_s += seconds(dice.between(0, 60));
        rungs.push(RungDocument {
            after_s,
            if_waiting: dice.percent(30).then(|| seconds(dice.between(1, 4))),
            if_expected_s: dice.percent(15).then(|| seconds(dice.between(1, 60))),
            then: action(dice, can),
        });
    }
    rungs
}

fn rings(dice: &mut Dice) -> Vec<AgentRingDocument> {
    if dice.percent(75) {
        return Vec::new();
    }
    let mut after_s = 0;
    let mut rings: Vec<AgentRingDocument> = Vec::new();
    let mut agents: Vec<AgentId> = (0..AGENTS).map(agent_id).collect();
    for index in 0..dice.between(2, 3) {
        let agents = agents.extract_if(.., |_| dice.percent(40)).collect();
        rings.push(AgentRingDocument { after_s: if index == 0 { 0 } else { after_s }, agents });
        after_s += seconds(dice.between(1, 40));
    }
    rings
}

fn wrap_up(dice: &mut Dice) -> WrapUpDocument {
    let code = |id: &str| CodeDocument { id: id.into(), name: id.into() };
    WrapUpDocument {
        unlimited: dice.percent(30),
        extend_s: seconds(dice.between(0, 30)),
        extensions: seconds(dice.between(0, 3)),
        codes: vec![code("order"), code("complaint")],
        code_required: dice.percent(40),
    }
}

fn tell(dice: &mut Dice) -> TellDocument {
    let mut some = |name: &str| if dice.percent(60) { vec![name.into()] } else { Vec::new() };
    let (prompts, place, wait) = (some("tell"), some("place"), some("wait"));
    TellDocument { every_s: seconds(dice.between(10, 60)), prompts, place, wait, numbers: "number.".into() }
}

fn relax(dice: &mut Dice) -> Vec<RelaxDocument> {
    let mut after_s = 0;
    let mut steps = Vec::new();
    for _ in 0..dice.between(1, 3) {
        after_s += seconds(dice.between(1, 40));
        steps.push(RelaxDocument { after_s, skills: skills(dice, 20) });
    }
    steps
}

fn asks(dice: &mut Dice, percent: u64) -> Option<AsksDocument> {
    dice.percent(percent).then(|| {
        let skills = dice.percent(40).then(|| skills(dice, 40));
        let relax = if skills.is_some() && dice.percent(50) { relax(dice) } else { Vec::new() };
        AsksDocument {
            skills,
            relax,
            priority: dice.percent(40).then(|| priority(dice)),
            vip: dice.percent(30).then(|| dice.percent(50)),
            agent: dice.percent(15).then(|| agent_id(dice.below(AGENTS))),
            last_agent_s: dice.percent(30).then(|| seconds(dice.between(0, 60))),
        }
    })
}

fn cases(dice: &mut Dice) -> Vec<CaseDocument> {
    let condition =
        |field: &str| ConditionDocument { field: Some(field.into()), ..ConditionDocument::default() };
    let mut cases = Vec::new();
    if let Some(asks) = asks(dice, 20) {
        let when = ConditionDocument { is: Some("fr".into()), ..condition("attribute.language") };
        cases.push(CaseDocument { when, asks });
    }
    if let Some(asks) = asks(dice, 20) {
        let phone = super::customer_phone(1);
        let when = ConditionDocument { one_of: vec![phone.into()], ..condition("from") };
        cases.push(CaseDocument { when, asks });
    }
    cases
}

fn skills(dice: &mut Dice, percent: u64) -> BTreeMap<SkillId, u8> {
    let mut skills = BTreeMap::new();
    for skill in ["french", "billing"] {
        if dice.percent(percent) {
            skills.insert(SkillId::from(skill), u8::try_from(dice.between(1, 10)).unwrap_or(5));
        }
    }
    skills
}

fn some_agents(dice: &mut Dice, percent: u64) -> Vec<AgentId> {
    let mut agents: Vec<AgentId> = (0..AGENTS).filter(|_| dice.percent(percent)).map(agent_id).collect();
    if dice.percent(50) {
        agents.reverse();
    }
    agents
}

fn step_id(place: u64) -> StepId {
    StepId::new(format!("q{place}"))
}

fn seconds(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

const STRATEGIES: [Strategy; 9] = [
    Strategy::LongestIdle,
    Strategy::RoundRobin,
    Strategy::RingAll,
    Strategy::Serial,
    Strategy::LeastOccupied,
    Strategy::FewestConversations,
    Strategy::MostSkilled,
    Strategy::LeastSkilled,
    Strategy::Weighted,
];
