//! What a seed draws before a run: the center's configurations, who calls, what agents and supervisors do, what goes
//! wrong.

mod draft;

use std::sync::Arc;
use std::time::Duration;

use tandem_center::agent::{AgentAct, AgentCommand, ChosenState, Confidence, Presence, PresenceReport, Who};
use tandem_center::config::{Config, Faults};
use tandem_center::id::{AgentId, QueueId};

use crate::dice::Dice;
use draft::Draft;

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
    /// Somebody wants something of a queue, or of what waits in one.
    Work(WorkPlan),
    /// Another system tells the presence of an agent.
    Presence(PresenceReport),
    /// The configuration with this place comes into force.
    Configure(usize),
    /// The program is killed and started again at once, perhaps with the configuration of another place.
    Crash(Option<usize>),
    /// The next input comes with a clock that has been set back by this much.
    ClockBack(Duration),
    /// The machine stood still for so long: everything that was due comes late.
    StandStill(Duration),
}

/// Something that is wanted of a queue or of what waits in one. Which of those who are there then is meant is drawn as
/// a number, and taken round.
#[derive(Clone, Debug)]
pub enum WorkPlan {
    /// Move somebody to a queue.
    Move(usize, QueueId),
    /// Give somebody a priority.
    Prioritise(usize, u8, bool),
    /// Let somebody wait for an agent.
    Assign(usize, AgentId),
    /// Not call somebody back.
    Cancel(usize),
    /// Call a customer after a while.
    Schedule {
        /// Whose number it is.
        customer: u64,
        /// The queue.
        queue: QueueId,
        /// When, from now.
        after: Duration,
        /// The priority.
        priority: Option<u8>,
    },
    /// Close a queue or open it.
    Switch(QueueId, bool),
}

/// One caller.
#[derive(Clone, Debug)]
pub struct CallerPlan {
    /// Which of all callers; draws what is not planned here.
    pub number: u64,
    /// Who calls.
    pub who: CallerIs,
    /// What is dialled.
    pub dialled: &'static str,
    /// How long until the caller hangs up if no agent has answered.
    pub patience: Duration,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub enum CallerIs {
    /// The customer with this number; few, so that some call again.
    Customer(u64),
    /// Somebody who does not say.
    Anonymous,
    /// An agent, from the telephone at which the agent is rung.
    Agent(u64),
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
            happenings.push((at(&mut dice), Happening::Call(caller(&mut dice, number))));
        }
        for number in 0..dice.between(0, 14) {
            let mut dice = Dice::of(seed, "command", number);
            happenings.push((at(&mut dice), Happening::Command(command(&mut dice))));
        }
        let mut dice = Dice::of(seed, "supervision", 0);
        if dice.percent(60) {
            for number in 0..dice.between(1, 10) {
                let mut dice = Dice::of(seed, "work", number);
                happenings.push((at(&mut dice), Happening::Work(work(&mut dice))));
            }
        }
        if dice.percent(40) {
            for number in 0..dice.between(1, 10) {
                let mut dice = Dice::of(seed, "presence", number);
                happenings.push((at(&mut dice), Happening::Presence(presence(&mut dice))));
            }
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
        if dice.percent(10) {
            let still = dice.seconds(1, 1000);
            happenings.push((at(&mut dice), Happening::StandStill(still)));
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

fn caller(dice: &mut Dice, number: u64) -> CallerPlan {
    let patience = if dice.percent(5) { dice.seconds(200, 4000) } else { dice.seconds(1, 200) };
    let (who, dialled) = match dice.below(100) {
        0..=4 => (CallerIs::Customer(number), "+19005550100"),
        5..=9 => (CallerIs::Anonymous, MAIN_NUMBER),
        10..=14 => (CallerIs::Agent(dice.below(AGENTS)), SIGN_IN_NUMBER),
        15..=16 => (CallerIs::Customer(number), SIGN_IN_NUMBER),
        _ => (CallerIs::Customer(dice.below(CUSTOMERS)), MAIN_NUMBER),
    };
    CallerPlan { number, who, dialled, patience }
}

fn command(dice: &mut Dice) -> AgentCommand {
    let agent = agent_id(dice.below(AGENTS + 1));
    let act = match dice.below(11) {
        0..=3 => AgentAct::Choose(ChosenState::Available),
        4 | 5 => AgentAct::Choose(ChosenState::Break { reason: dice.percent(50).then(|| "lunch".into()) }),
        6 => AgentAct::Choose(ChosenState::Offline),
        7 => AgentAct::ExtendWrapUp,
        8 => AgentAct::EndWrapUp {
            code: Some(if dice.percent(80) { "order" } else { "nonsense" }.into()),
            note: None,
        },
        _ => AgentAct::END_WRAP_UP,
    };
    let by = if dice.percent(50) { Who::Agent } else { Who::Supervisor };
    let why = dice.percent(20).then(|| "as agreed".into());
    AgentCommand { agent, act, by, why }
}

fn work(dice: &mut Dice) -> WorkPlan {
    let whom = usize::try_from(dice.below(100)).unwrap_or(0);
    let queue = queue_id(dice.below(QUEUES));
    match dice.below(12) {
        0..=2 => WorkPlan::Move(whom, queue),
        3..=5 => WorkPlan::Prioritise(whom, priority(dice), dice.percent(30)),
        6 | 7 => WorkPlan::Assign(whom, agent_id(dice.below(AGENTS))),
        8 => WorkPlan::Cancel(whom),
        9 | 10 => WorkPlan::Schedule {
            customer: dice.below(CUSTOMERS),
            queue,
            after: dice.seconds(0, 400),
            priority: dice.percent(50).then(|| priority(dice)),
        },
        _ => WorkPlan::Switch(queue, dice.percent(60)),
    }
}

fn presence(dice: &mut Dice) -> PresenceReport {
    let values = [
        Presence::Available,
        Presence::Busy,
        Presence::InCall,
        Presence::DoNotDisturb,
        Presence::Away,
        Presence::Offline,
    ];
    let which = usize::try_from(dice.below(6)).unwrap_or(0);
    let presence = values.get(which).copied().unwrap_or(Presence::Available);
    PresenceReport {
        agent: agent_id(dice.below(AGENTS + 1)),
        source: "teams".into(),
        presence,
        manual: dice.percent(30),
        age: if dice.percent(50) { Duration::ZERO } else { dice.seconds(0, 120) },
        confidence: Confidence::Told,
    }
}

fn priority(dice: &mut Dice) -> u8 {
    u8::try_from(dice.between(1, 5)).unwrap_or(3)
}

pub(crate) fn agent_id(place: u64) -> AgentId {
    AgentId::new(format!("agent-{place}"))
}

pub(crate) fn agent_phone(place: u64) -> String {
    format!("+1425555{place:04}")
}

pub(crate) fn customer_phone(number: u64) -> String {
    format!("+1206555{number:04}")
}

fn queue_id(place: u64) -> QueueId {
    QueueId::new(format!("queue-{place}"))
}

/// Agents of a run at most.
const AGENTS: u64 = 6;
/// Queues of a run at most.
const QUEUES: u64 = 3;
/// Customers who call more than once.
const CUSTOMERS: u64 = 7;
/// What customers dial.
const MAIN_NUMBER: &str = "+14255550199";
/// What agents dial to sign in and out.
const SIGN_IN_NUMBER: &str = "+14255550190";
