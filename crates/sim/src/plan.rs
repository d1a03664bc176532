//! What a seed draws before a run: the center's configurations, who calls, what agents do, what goes wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tandem_center::agent::{AgentAct, AgentCommand, ChosenState, Who};
use tandem_center::config::document::RingDocument;
use tandem_center::config::{
    AgentDocument, Config, Document, Faults, Known, LimitsDocument, NumberDocument, OffersDocument,
    QueueDocument, Starts,
};
use tandem_center::flow::document::{FlowDocument, MenuDocument, StepDocument};
use tandem_center::id::{AgentId, QueueId, StepId};

use crate::dice::Dice;

/// Everything that is drawn ahead. What is left out of a plan does not change the rest, so that a failing one can be
/// made shorter.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed that drew it, and from which the run draws the rest.
    pub seed: u64,
    /// The configurations; the first is in force at the start.
    pub configs: Vec<Arc<Config>>,
    /// What happens by itself, each at its time after the start.
    pub happenings: Vec<(Duration, Happening)>,
    /// How the door and the clock behave.
    pub chaos: Chaos,
    /// When the chaos ends and everybody returns.
    pub ends_after: Duration,
}

/// Something that happens by itself.
#[derive(Clone, Debug)]
pub enum Happening {
    /// Somebody calls.
    Call(CallerPlan),
    /// Somebody wants something of an agent.
    Command(AgentCommand),
    /// The configuration with this place comes into force.
    Configure(usize),
    /// The program is killed and started again at once, perhaps with the configuration of another place.
    Crash(Option<usize>),
    /// The next input comes with a clock that has been set back by this much.
    ClockBack(Duration),
}

/// One caller.
#[derive(Clone, Debug)]
pub struct CallerPlan {
    /// Which of all callers; draws what is not planned here.
    pub number: u64,
    /// What is dialled.
    pub dialled: &'static str,
    /// How long until the caller hangs up if no agent has answered.
    pub patience: Duration,
}

/// How the door and the clock behave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chaos {
    /// Of a hundred events, so many come twice.
    pub twice: u64,
    /// Of a hundred events, so many never come: a door with a fault.
    pub never: u64,
    /// The most milliseconds between what happens at the door and the center's hearing of it.
    pub delay_ms: u64,
    /// Events of different parties of a call may overtake each other.
    pub overtaking: bool,
    /// The door ends a call by itself when the caller has left.
    pub ends_by_itself: bool,
    /// The most milliseconds by which a time-out is handed in late.
    pub late_ms: u64,
}

impl Plan {
    /// Draws the plan of a seed.
    pub fn draw(seed: u64) -> Result<Plan, Faults> {
        let mut dice = Dice::of(seed, "plan", 0);
        let first = Draft::draw(&mut dice);
        let drafts = [first.changed(&mut dice), first.changed(&mut dice)];
        let mut configs = vec![first.config()?];
        for draft in &drafts {
            configs.push(draft.config()?);
        }
        let ends_after = Duration::from_secs(dice.between(120, 900));
        let mut happenings = Vec::new();
        let at = |dice: &mut Dice| dice.millis(0, u64::try_from(ends_after.as_millis()).unwrap_or(0));
        for number in 0..dice.between(2, 18) {
            let mut dice = Dice::of(seed, "caller", number);
            let dialled = if dice.percent(5) { "+19005550100" } else { "+14255550199" };
            let patience = if dice.percent(5) { dice.seconds(200, 4000) } else { dice.seconds(1, 200) };
            happenings.push((at(&mut dice), Happening::Call(CallerPlan { number, dialled, patience })));
        }
        for number in 0..dice.between(0, 14) {
            let mut dice = Dice::of(seed, "command", number);
            happenings.push((at(&mut dice), Happening::Command(command(&mut dice))));
        }
        let mut dice = Dice::of(seed, "trouble", 0);
        if dice.percent(40) {
            for _ in 0..dice.between(1, 4) {
                let which = usize::try_from(dice.below(3)).unwrap_or(0);
                happenings.push((at(&mut dice), Happening::Configure(which)));
            }
        }
        if dice.percent(40) {
            for _ in 0..dice.between(1, 3) {
                let which = dice.percent(50).then(|| usize::try_from(dice.below(3)).unwrap_or(0));
                happenings.push((at(&mut dice), Happening::Crash(which)));
            }
        }
        if dice.percent(20) {
            let back = dice.seconds(0, 3000);
            happenings.push((at(&mut dice), Happening::ClockBack(back)));
        }
        let chaos = Chaos {
            twice: if dice.percent(50) { dice.between(1, 20) } else { 0 },
            never: if dice.percent(20) { dice.between(5, 40) } else { 0 },
            delay_ms: dice.between(0, 400),
            overtaking: dice.percent(30),
            ends_by_itself: dice.percent(50),
            late_ms: dice.between(0, 200),
        };
        Ok(Plan { seed, configs, happenings, chaos, ends_after })
    }

    /// Whether the door of this run says everything that a door must.
    pub fn door_is_true(&self) -> bool {
        self.chaos.never == 0
    }
}

fn command(dice: &mut Dice) -> AgentCommand {
    let agent = agent_id(dice.below(AGENTS + 1));
    let act = match dice.below(8) {
        0..=3 => AgentAct::Choose(ChosenState::Available),
        4 | 5 => AgentAct::Choose(ChosenState::Break { reason: dice.percent(50).then(|| "lunch".into()) }),
        6 => AgentAct::Choose(ChosenState::Offline),
        _ => AgentAct::END_WRAP_UP,
    };
    let by = if dice.percent(50) { Who::Agent } else { Who::Supervisor };
    AgentCommand { agent, act, by }
}

/// What a configuration is made of.
#[derive(Clone, Debug)]
struct Draft {
    /// The queues of each agent, by place.
    agents: BTreeMap<u64, Vec<u64>>,
    queues: BTreeMap<u64, QueueDocument>,
    offers: OffersDocument,
    limits: LimitsDocument,
    menu: bool,
    /// Whether callers whom nobody served hear an apology before the flow hangs up.
    apologises: bool,
}

impl Draft {
    fn draw(dice: &mut Dice) -> Draft {
        let queues = dice.between(1, QUEUES);
        let queues: BTreeMap<u64, QueueDocument> =
            (0..queues).map(|place| (place, queue(place, dice))).collect();
        let agents = dice.between(1, AGENTS);
        let agents = (0..agents).map(|place| (place, some_of(&queues, dice))).collect();
        let offers = OffersDocument {
            missed_rest_s: seconds(dice.between(0, 40)),
            declined_rest_s: seconds(dice.between(1, 30)),
            unreachable_rest_s: seconds(dice.between(1, 30)),
        };
        let limits = LimitsDocument {
            calls: seconds(if dice.percent(20) { dice.between(1, 6) } else { 1000 }),
            call_s: seconds(if dice.percent(20) { dice.between(60, 200) } else { 43_200 }),
        };
        Draft { agents, queues, offers, limits, menu: dice.percent(50), apologises: dice.percent(60) }
    }

    fn changed(&self, dice: &mut Dice) -> Draft {
        let mut draft = self.clone();
        if dice.percent(40) {
            let gone = dice.below(AGENTS);
            draft.agents.remove(&gone);
        }
        match dice.below(5) {
            0 => draft.menu = !self.menu,
            1 => {
                draft.agents.insert(AGENTS - 1, some_of(&draft.queues, dice));
            }
            2 => draft.agents.values_mut().for_each(|queues| *queues = some_of(&self.queues, dice)),
            3 => {
                draft.queues.pop_last();
                draft
                    .agents
                    .values_mut()
                    .for_each(|queues| queues.retain(|place| draft.queues.contains_key(place)));
            }
            _ => draft.queues = self.queues.keys().map(|place| (*place, queue(*place, dice))).collect(),
        }
        draft
    }

    fn config(&self) -> Result<Arc<Config>, Faults> {
        let known = Known {
            prompts: ["welcome", "menu", "sorry", "music", "announce"].map(Arc::from).into(),
            lines: ["carrier", "teams"].map(Arc::from).into(),
        };
        let document = Document {
            agents: self.agents.iter().map(|(place, queues)| agent(*place, queues)).collect(),
            queues: self.queues.values().cloned().collect(),
            numbers: vec![NumberDocument { dialled: "+14255550199".into(), line: None, flow: "main".into() }],
            flows: [("main".into(), self.flow())].into(),
            offers: self.offers.clone(),
            limits: self.limits.clone(),
        };
        Config::new(document, &known).map(Arc::new)
    }

    /// A welcome or a menu, then each queue in turn, then perhaps an apology.
    fn flow(&self) -> FlowDocument {
        let apology = (self.apologises || self.queues.is_empty()).then(|| StepId::from("sorry"));
        let mut steps = BTreeMap::new();
        let mut next = apology.clone();
        for place in self.queues.keys().rev() {
            let enqueue = Some(queue_id(*place));
            steps.insert(
                step_id(*place),
                StepDocument { enqueue, otherwise: next, ..StepDocument::default() },
            );
            next = Some(step_id(*place));
        }
        if let Some(apology) = apology {
            steps.insert(
                apology,
                StepDocument { play: Some(vec!["sorry".into()]), ..StepDocument::default() },
            );
        }
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

fn agent(place: u64, queues: &[u64]) -> AgentDocument {
    AgentDocument {
        id: agent_id(place),
        name: format!("Agent {place}").into(),
        ring: RingDocument {
            line: "teams".into(),
            phone: Some(format!("+1425555{place:04}").into()),
            sip: None,
        },
        queues: queues.iter().map(|place| queue_id(*place)).collect(),
        starts: match place {
            3 => Starts::Offline,
            4 => Starts::Break,
            _ => Starts::Available,
        },
    }
}

fn queue(place: u64, dice: &mut Dice) -> QueueDocument {
    QueueDocument {
        id: queue_id(place),
        name: format!("Queue {place}").into(),
        music: dice.percent(50).then(|| "music".into()),
        announce: if dice.percent(30) { vec!["announce".into()] } else { Vec::new() },
        ring_timeout_s: seconds(dice.between(5, 20)),
        wrap_up_s: seconds(if dice.percent(30) { 0 } else { dice.between(1, 40) }),
        max_waiting: seconds(if dice.percent(30) { dice.between(1, 4) } else { 1000 }),
        max_wait_s: seconds(dice.between(10, 400)),
    }
}

fn some_of(queues: &BTreeMap<u64, QueueDocument>, dice: &mut Dice) -> Vec<u64> {
    queues.keys().copied().filter(|_| dice.percent(70)).collect()
}

fn agent_id(place: u64) -> AgentId {
    AgentId::new(format!("agent-{place}"))
}

fn step_id(place: u64) -> StepId {
    StepId::new(format!("q{place}"))
}

fn queue_id(place: u64) -> QueueId {
    QueueId::new(format!("queue-{place}"))
}

fn seconds(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Agents of a run at most.
const AGENTS: u64 = 6;
/// Queues of a run at most.
const QUEUES: u64 = 3;
