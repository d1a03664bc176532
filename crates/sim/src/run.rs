//! One run of a plan: chaos first, then everybody returns and it must drain; audited after every input.

use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tandem_center::agent::{AgentAct, AgentCommand, ChosenState, Who};
use tandem_center::call::{Address, CallEvent};
use tandem_center::callback::ScheduledCallback;
use tandem_center::config::Config;
use tandem_center::fact::Fact;
use tandem_center::id::InteractionId;
use tandem_center::supervise::{WorkAct, WorkCommand};
use tandem_center::view::View;
use tandem_center::{Center, Input, Output, Timestamp};

use crate::auditor::{Auditor, Complaint, Wrong};
use crate::dice::Dice;
use crate::door::{Deed, Door};
use crate::plan::{Happening, Plan, WorkPlan, customer_phone};

/// What came of a run without complaint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Inputs handed in.
    pub inputs: u64,
    /// Facts that reached the journal.
    pub facts: u64,
    /// Interactions closed.
    pub closed: u64,
    /// Repairs.
    pub repairs: u64,
    /// Restarts.
    pub restarts: u64,
}

impl std::ops::Add for Summary {
    type Output = Summary;

    fn add(self, other: Summary) -> Summary {
        Summary {
            inputs: self.inputs + other.inputs,
            facts: self.facts + other.facts,
            closed: self.closed + other.closed,
            repairs: self.repairs + other.repairs,
            restarts: self.restarts + other.restarts,
        }
    }
}

/// Runs a plan to its end, or to the first complaint.
pub fn run(plan: &Plan) -> Result<Summary, Complaint> {
    Run::new(plan, None).play()
}

/// Runs a plan and shows every fact that reaches the journal.
pub fn run_and_show(plan: &Plan, mut show: impl FnMut(&Fact)) -> Result<Summary, Complaint> {
    let mut run = Run::new(plan, None);
    run.shown = Some(&mut show);
    run.play()
}

/// Runs a plan and tells everything that happens.
pub fn tell(plan: &Plan) -> (Result<Summary, Complaint>, String) {
    let mut run = Run::new(plan, Some(String::new()));
    let outcome = run.play();
    let story = run.story.take().unwrap_or_default();
    (outcome, story)
}

struct Run<'a> {
    plan: &'a Plan,
    center: Center,
    config: Arc<Config>,
    door: Door,
    auditor: Auditor,
    view: View,
    agenda: BinaryHeap<Entry>,
    entries: u64,
    now: Timestamp,
    /// By how much the clock that the center is handed is behind.
    behind: Duration,
    dice: Dice,
    summary: Summary,
    story: Option<String>,
    shown: Option<&'a mut dyn FnMut(&Fact)>,
}

struct Entry {
    at: Timestamp,
    order: u64,
    what: What,
}

enum What {
    Happens(Happening),
    Deed(Deed),
    Arrives(CallEvent),
    Calms,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, story: Option<String>) -> Run<'a> {
        let config = plan.configs.first().cloned().unwrap_or_default();
        let mut run = Run {
            plan,
            center: Center::new(config.clone(), START),
            config,
            door: Door::new(plan.seed, plan.chaos),
            auditor: Auditor::default(),
            view: View::default(),
            agenda: BinaryHeap::new(),
            entries: 0,
            now: START,
            behind: Duration::ZERO,
            dice: Dice::of(plan.seed, "run", 0),
            summary: Summary::default(),
            story,
            shown: None,
        };
        for (after, happening) in &plan.happenings {
            run.enter(START + *after, What::Happens(happening.clone()));
        }
        run.enter(START + plan.ends_after, What::Calms);
        run
    }

    fn play(&mut self) -> Result<Summary, Complaint> {
        self.outputs()?;
        while self.step()? {}
        // Who missed an offer that was ringing when everybody returned has to say "available" once more.
        self.everybody_returns()?;
        while self.step()? {}
        self.auditor.drained()?;
        if self.plan.door_is_true() && !self.door.is_quiet() {
            return Err(self.complaint(Wrong::NotDrained));
        }
        self.summary.closed = self.auditor.closed();
        self.summary.repairs = self.auditor.repairs();
        self.summary.facts = self.view.live.number;
        Ok(self.summary)
    }

    /// Lets the next thing happen; `false` if nothing is left.
    fn step(&mut self) -> Result<bool, Complaint> {
        if self.summary.inputs > INPUTS_MAX {
            return Err(self.complaint(Wrong::NotDrained));
        }
        let next = self.agenda.peek().map(|entry| entry.at);
        match (next, self.center.poll_timeout()) {
            (None, None) => return Ok(false),
            (Some(at), Some(due)) if at <= due => self.next_entry()?,
            (Some(_), None) => self.next_entry()?,
            (_, Some(due)) => self.time_out(due)?,
        }
        Ok(true)
    }

    fn time_out(&mut self, due: Timestamp) -> Result<(), Complaint> {
        let late = self.dice.millis(0, self.plan.chaos.late_ms);
        self.now = self.now.max(due + late);
        self.note("time-out");
        self.center.handle_timeout(self.now);
        self.behind = Duration::ZERO;
        self.outputs()
    }

    fn next_entry(&mut self) -> Result<(), Complaint> {
        let Some(Entry { at, what, .. }) = self.agenda.pop() else { return Ok(()) };
        self.now = self.now.max(at);
        match what {
            What::Happens(happening) => self.happen(happening),
            What::Deed(deed) => {
                self.door.perform(self.now, deed);
                self.take_from_door();
                Ok(())
            }
            What::Arrives(event) => self.input(Input::Call(event)),
            What::Calms => self.calm_down(),
        }
    }

    fn happen(&mut self, happening: Happening) -> Result<(), Complaint> {
        match happening {
            Happening::Call(caller) => {
                self.door.call(self.now, &caller);
                self.take_from_door();
                Ok(())
            }
            Happening::Command(command) => self.input(Input::Agent(command)),
            Happening::Work(work) => match self.work_act(work) {
                Some(act) => self.input(Input::Work(WorkCommand { act, why: None })),
                None => Ok(()),
            },
            Happening::Presence(report) => self.input(Input::Presence(report)),
            Happening::Configure(which) => {
                self.choose_config(which);
                self.input(Input::Configure(self.config.clone()))
            }
            Happening::Crash(which) => self.crash(which),
            Happening::ClockBack(behind) => {
                self.behind = behind;
                Ok(())
            }
            Happening::StandStill(still) => {
                self.now = self.now + still;
                self.note("the machine stood still");
                self.center.handle_timeout(self.now);
                self.outputs()
            }
        }
    }

    /// What a supervisor wants, of somebody who is there now.
    fn work_act(&self, work: WorkPlan) -> Option<WorkAct> {
        let open: Vec<InteractionId> = self.auditor.interactions().collect();
        let whom = |number: usize| number.checked_rem(open.len()).and_then(|place| open.get(place).copied());
        Some(match work {
            WorkPlan::Move(number, queue) => WorkAct::Move { interaction: whom(number)?, queue },
            WorkPlan::Prioritise(number, priority, vip) => {
                WorkAct::Prioritise { interaction: whom(number)?, priority, vip }
            }
            WorkPlan::Assign(number, agent) => WorkAct::Assign { interaction: whom(number)?, agent },
            WorkPlan::Cancel(number) => WorkAct::CancelCallback { interaction: whom(number)? },
            WorkPlan::Schedule { customer, queue, after, priority } => {
                WorkAct::ScheduleCallback(ScheduledCallback {
                    line: "carrier".into(),
                    to: Address::Phone(customer_phone(customer).into()),
                    name: "".into(),
                    queue,
                    due_at: self.now + after,
                    priority,
                    why: None,
                })
            }
            WorkPlan::Switch(queue, closed) => WorkAct::Switch { queue, closed },
        })
    }

    /// The chaos ends: nothing is late or lost any more, telephones are answered, agents take calls.
    fn calm_down(&mut self) -> Result<(), Complaint> {
        self.door.calm_down(self.now);
        self.take_from_door();
        self.behind = Duration::ZERO;
        self.everybody_returns()
    }

    fn everybody_returns(&mut self) -> Result<(), Complaint> {
        let agents: Vec<_> = self.auditor.agents().cloned().collect();
        for agent in agents {
            let act = AgentAct::Choose(ChosenState::Available);
            self.input(Input::Agent(AgentCommand { agent, act, by: Who::Supervisor, why: None }))?;
        }
        Ok(())
    }

    fn input(&mut self, input: Input) -> Result<(), Complaint> {
        if self.story.is_some() {
            self.note(&told(&input));
        }
        let behind = u64::try_from(self.behind.as_micros()).unwrap_or(0);
        let now = Timestamp::from_micros(self.now.as_micros().saturating_sub(behind));
        self.center.handle_input(now, input);
        self.behind = Duration::ZERO;
        self.outputs()
    }

    /// The program is killed in the middle of an input: some of its facts reached the journal, and none of its
    /// commands the door. Then it is started again, perhaps with another configuration.
    fn crash(&mut self, config: Option<usize>) -> Result<(), Complaint> {
        let event = match self.agenda.pop() {
            Some(Entry { what: What::Arrives(event), .. }) => Some(event),
            Some(other) => {
                self.agenda.push(other);
                None
            }
            None => None,
        };
        match event {
            Some(event) => self.center.handle_input(self.now, Input::Call(event)),
            None => self.center.handle_timeout(self.now),
        }
        let mut facts = Vec::new();
        while let Some(output) = self.center.poll_output() {
            if let Output::Fact(fact) = output {
                facts.push(fact);
            }
        }
        let reached = self.dice.between(0, u64::try_from(facts.len()).unwrap_or(0));
        self.note("the program is killed");
        for fact in facts.into_iter().take(usize::try_from(reached).unwrap_or(0)) {
            self.journal(fact)?;
        }
        self.door.crash();
        let agenda = std::mem::take(&mut self.agenda);
        self.agenda = agenda.into_iter().filter(Entry::outlives_a_crash).collect();
        self.summary.restarts += 1;
        self.note("the program starts again");
        self.auditor.restarted();
        config.into_iter().for_each(|which| self.choose_config(which));
        self.center = Center::resume(self.config.clone(), self.now, &self.view);
        self.outputs()
    }

    fn choose_config(&mut self, which: usize) {
        if let Some(config) = self.plan.configs.get(which) {
            self.config = config.clone();
        }
    }

    /// Takes what the center has to say to the journal and the door, and audits.
    fn outputs(&mut self) -> Result<(), Complaint> {
        self.summary.inputs += 1;
        while let Some(output) = self.center.poll_output() {
            match output {
                Output::Fact(fact) => self.journal(fact)?,
                Output::Call(command) => {
                    if self.story.is_some() {
                        self.note(&format!("  wants {command:?}"));
                    }
                    self.door.obey(self.now, command);
                    self.take_from_door();
                }
                Output::Refused(refusal) => self.note(&format!("  refused: {refusal}")),
            }
        }
        self.auditor.after_input(self.center.now())?;
        if self.center.live() != self.view.live {
            self.note_difference();
            return Err(self.complaint(Wrong::StateDiffers));
        }
        Ok(())
    }

    fn journal(&mut self, fact: Fact) -> Result<(), Complaint> {
        if self.story.is_some() {
            let text = serde_json::to_string(&fact.kind).unwrap_or_default();
            self.note(&format!("  fact {} {text}", fact.number));
        }
        if let Some(show) = &mut self.shown {
            show(&fact);
        }
        self.auditor.fact(&fact)?;
        self.view.apply(&Arc::new(fact));
        Ok(())
    }

    fn take_from_door(&mut self) {
        for (at, deed) in self.door.planned() {
            self.enter(at, What::Deed(deed));
        }
        for (at, event) in self.door.sent() {
            self.enter(at, What::Arrives(event));
        }
    }

    fn enter(&mut self, at: Timestamp, what: What) {
        self.entries += 1;
        self.agenda.push(Entry { at, order: self.entries, what });
    }

    fn note(&mut self, text: &str) {
        let after = self.now.since(START).as_secs_f64();
        if let Some(story) = &mut self.story {
            // A String takes all that is written to it.
            let _ = writeln!(story, "{after:10.3}  {text}");
        }
    }

    /// Tells where the center's state is not what its facts say.
    fn note_difference(&mut self) {
        if self.story.is_none() {
            return;
        }
        let (live, folded) = (self.center.live(), self.view.live.clone());
        for id in live.interactions.keys().chain(folded.interactions.keys()).collect::<BTreeSet<_>>() {
            let (live, folded) = (live.interactions.get(id), folded.interactions.get(id));
            if live != folded {
                self.note(&format!("  interaction {id} is  {live:?}\n{:14}told as {folded:?}", ""));
            }
        }
        for id in live.agents.keys().chain(folded.agents.keys()).collect::<BTreeSet<_>>() {
            let (live, folded) = (live.agents.get(id), folded.agents.get(id));
            if live != folded {
                self.note(&format!("  {id} is  {live:?}\n{:14}told as {folded:?}", ""));
            }
        }
        if live.queues != folded.queues {
            self.note(&format!("  queues are {:?}\n{:14}told as {:?}", live.queues, "", folded.queues));
        }
    }

    fn complaint(&self, wrong: Wrong) -> Complaint {
        Complaint { fact: self.view.live.number, wrong }
    }
}

impl Entry {
    /// What is on its way to or behind a door that is gone with the program is gone as well.
    fn outlives_a_crash(&self) -> bool {
        matches!(self.what, What::Happens(_) | What::Calms)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The earliest is the greatest, as the heap wants it.
    fn cmp(&self, other: &Entry) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

fn told(input: &Input) -> String {
    match input {
        Input::Call(event) => format!("{event:?}"),
        Input::Agent(AgentCommand { agent, act, .. }) => format!("{agent}: {act:?}"),
        Input::Configure(_) => "a new configuration".into(),
        Input::Erase(erasure) => format!("{erasure:?}"),
        Input::Work(command) => format!("{:?}", command.act),
        Input::Presence(report) => format!("{report:?}"),
    }
}

/// When every run begins.
const START: Timestamp = Timestamp::from_micros(1_780_000_000_000_000);

/// More inputs than this in one run: something goes round for ever.
const INPUTS_MAX: u64 = 200_000;
