//! Stories about a center, told on virtual time.
//!
//! A [`Story`] is a center with a door that does at once what it is told: answers, takes parties out, ends calls.
//! What people do is told by the story. After every act the facts so far are folded and compared with the center.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tandem_center::agent::{AgentAct, AgentCommand, AgentState, ChosenState, Who};
use tandem_center::call::{
    Address, Arrival, CallCommand, CallEvent, CallId, CauseKind, CollectEnd, CollectId, Digit, PartyId,
    PlayId, PlayOutcome, Quality, RecordEnd, RecordingId, TransferDecision, TransferId, TransferOutcome,
};
use tandem_center::config::{Config, Document, Faults, Known};
use tandem_center::explain::explain;
use tandem_center::fact::{Fact, FactKind, Outcome};
use tandem_center::id::{AgentId, InteractionId, QueueId};
use tandem_center::supervise::{Refusal, RefusalReason, WorkAct, WorkCommand};
use tandem_center::view::{ClosedInteraction, InteractionView, Live, StageView, View};
use tandem_center::{Center, Input, Output, Timestamp};

pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_780_000_000_000_000);

pub(crate) const SUPPORT: &str = r#"
[[agents]]
id = "adele"
name = "Adele Vance"
ring = { line = "teams", phone = "+14255550101" }
queues = ["support"]
starts = "available"

[[agents]]
id = "bianca"
name = "Bianca Pisani"
ring = { line = "teams", phone = "+14255550102" }
queues = ["support"]

[[queues]]
id = "support"
name = "Support"
music = "music"
ring_timeout_s = 15
wrap_up_s = 30

[[numbers]]
dialled = "+14255550199"
flow = "main"

[flows.main]
start = "support"
[flows.main.steps.support]
enqueue = "support"
"#;

pub(crate) struct Story {
    pub(crate) center: Center,
    pub(crate) now: Timestamp,
    pub(crate) facts: Vec<Arc<Fact>>,
    pub(crate) view: View,
    pub(crate) refused: Vec<Refusal>,
    /// Commands that nobody has looked at.
    pub(crate) commands: Vec<CallCommand>,
    /// Whether the door does at once what it is told.
    pub(crate) door_obeys: bool,
    calls: BTreeMap<CallId, FakeCall>,
    next_call: u64,
}

#[derive(Default)]
struct FakeCall {
    parties: BTreeSet<PartyId>,
    plays: BTreeMap<PartyId, PlayId>,
    collects: BTreeMap<PartyId, CollectId>,
    recording: Option<(PartyId, RecordingId)>,
    transfer: Option<(TransferId, PartyId)>,
    /// The center began it: without its parties it is over.
    placed: bool,
}

/// What can happen in a call.
enum Happening {
    PromptsEnd(PartyId),
    Pressed(PartyId),
    Recorded,
    Joined(PartyId),
    Left(PartyId),
}

/// A center of one queue, "support", in which each of these agents begins available, with what else is said of each,
/// of the queue and of everything. Every number leads into the queue, and from there to "sorry".
pub(crate) fn house(agents: &[(&str, &str)], queue: &str, rest: &str) -> String {
    let mut toml = String::new();
    for (number, (id, more)) in (1..).zip(agents) {
        let queues = if more.contains("queues") { "" } else { "queues = [\"support\"]" };
        let starts = if more.contains("starts") { "" } else { "starts = \"available\"" };
        toml += &format!(
            "[[agents]]\nid = \"{id}\"\nname = \"{id}\"\n\
             ring = {{ line = \"teams\", phone = \"+142555501{number:02}\" }}\n{queues}\n{starts}\n{more}\n"
        );
    }
    let wrap_up = if queue.contains("wrap_up_s") { "" } else { "wrap_up_s = 0" };
    toml + "[[queues]]\nid = \"support\"\nname = \"Support\"\n"
        + wrap_up
        + "\n"
        + queue
        + "\n"
        + rest
        + "\n[[numbers]]\ndialled = \"*\"\nflow = \"main\"\n[flows.main]\nstart = \"support\"\n\
           [flows.main.steps.support]\nenqueue = \"support\"\notherwise = \"sorry\"\n\
           [flows.main.steps.sorry]\nplay = [\"sorry\"]\n"
}

pub(crate) fn config(toml: &str) -> Arc<Config> {
    Arc::new(try_config(toml).unwrap_or_else(|faults| panic!("{faults}")))
}

pub(crate) fn try_config(toml: &str) -> Result<Config, Faults> {
    let document: Document = toml::from_str(toml).unwrap_or_else(|error| panic!("{error}"));
    let names = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
    let known = Known {
        prompts: names(&[
            "welcome",
            "menu",
            "sorry",
            "goodbye",
            "music",
            "please-wait",
            "patience",
            "your-place",
            "your-wait",
            "number.1",
            "number.2",
            "number.3",
            "call-you-back",
            "promised",
            "customer-follows",
            "after-the-tone",
            "a-message",
            "press-one",
        ]),
        lines: names(&["carrier", "teams", "lab"]),
    };
    Config::new(document, &known)
}

impl Story {
    pub(crate) fn new(toml: &str) -> Story {
        Story::told(Center::new(config(toml), NOON), View::default())
    }

    fn told(center: Center, view: View) -> Story {
        let mut story = Story {
            now: center.now(),
            center,
            facts: Vec::new(),
            view,
            refused: Vec::new(),
            commands: Vec::new(),
            door_obeys: true,
            calls: BTreeMap::new(),
            next_call: 0,
        };
        story.drain();
        story
    }

    /// A story that goes on with a center that was restored from these facts.
    pub(crate) fn restored(center: Center, facts: Vec<Fact>) -> Story {
        let facts: Vec<Arc<Fact>> = facts.into_iter().map(Arc::new).collect();
        let mut view = View::default();
        facts.iter().for_each(|fact| view.apply(fact));
        let mut story = Story::told(center, view);
        story.facts.splice(0..0, facts);
        // Ids of calls are never used twice.
        story.next_call = 1_000_000;
        story
    }

    // What happens.

    pub(crate) fn dial(&mut self) -> CallId {
        self.dial_to("+14255550199")
    }

    pub(crate) fn dial_to(&mut self, number: &str) -> CallId {
        self.dial_over("carrier", number)
    }

    pub(crate) fn dial_over(&mut self, line: &str, number: &str) -> CallId {
        let arrival = arrival(CallId(0), line, number);
        self.arrives(arrival)
    }

    /// Somebody else than usual calls.
    pub(crate) fn dial_from(&mut self, from: Address) -> CallId {
        let arrival = arrival(CallId(0), "carrier", "+14255550199");
        self.arrives(Arrival { from, ..arrival })
    }

    /// So many different people call, one after the other.
    pub(crate) fn callers<const N: usize>(&mut self) -> [CallId; N] {
        std::array::from_fn(|_| {
            let number = self.next_call + 1;
            self.dial_from(customer(number))
        })
    }

    pub(crate) fn arrives(&mut self, arrival: Arrival) -> CallId {
        self.next_call += 1;
        let call = CallId(self.next_call);
        self.calls.insert(call, FakeCall { parties: [PartyId::FIRST].into(), ..FakeCall::default() });
        self.event(CallEvent::Arrived(Arrival { call, ..arrival }));
        call
    }

    pub(crate) fn event(&mut self, event: CallEvent) {
        self.input(Input::Call(event));
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.center.handle_input(self.now, input);
        self.drain();
    }

    pub(crate) fn configure(&mut self, toml: &str) {
        self.input(Input::Configure(config(toml)));
    }

    pub(crate) fn prompts_end(&mut self, call: CallId) {
        self.prompts_end_for(call, PartyId::FIRST);
    }

    pub(crate) fn prompts_end_for(&mut self, call: CallId, party: PartyId) {
        let fake = self.calls.get_mut(&call).expect("a call");
        let play = fake.plays.remove(&party).expect("something plays");
        self.event(CallEvent::Played { call, party, play, outcome: PlayOutcome::Completed });
    }

    pub(crate) fn press(&mut self, call: CallId, keys: &str) {
        self.press_by(call, PartyId::FIRST, keys);
    }

    pub(crate) fn press_by(&mut self, call: CallId, party: PartyId, keys: &str) {
        let digits = keys.chars().map(|key| Digit::new(key).expect("a key")).collect();
        let collect = self.collection_of(call, party);
        if let Some(fake) = self.calls.get_mut(&call) {
            fake.collects.remove(&party);
        }
        let end = if keys.is_empty() { CollectEnd::TimedOut } else { CollectEnd::Complete };
        self.event(CallEvent::Collected { call, party, collect, digits, end });
    }

    pub(crate) fn agent_presses(&mut self, agent: &str, keys: &str) {
        let (call, party) = self.leg_of(agent);
        self.press_by(call, party, keys);
    }

    /// The caller has spoken for so long.
    pub(crate) fn recorded(&mut self, call: CallId, end: RecordEnd, seconds: u64) {
        let fake = self.calls.get_mut(&call).expect("a call");
        let (party, recording) = fake.recording.take().expect("something is recorded");
        let length = Duration::from_secs(seconds);
        self.event(CallEvent::Recorded { call, party, recording, end, length });
    }

    /// A customer who is called back answers.
    pub(crate) fn customer_answers(&mut self, id: InteractionId) {
        let (call, party) = self.customer_of(id);
        self.event(CallEvent::Joined { call, party });
    }

    pub(crate) fn customer_leaves(&mut self, id: InteractionId, cause: CauseKind) {
        let (call, party) = self.customer_of(id);
        self.leave(call, party, cause);
    }

    /// Somebody wants something of work.
    pub(crate) fn wants(&mut self, act: WorkAct) {
        self.input(Input::Work(WorkCommand { act, why: Some("busy day".into()) }));
    }

    /// What is wanted is refused, and nothing happens.
    pub(crate) fn is_refused(&mut self, act: WorkAct) -> RefusalReason {
        let (number, refused) = (self.view.live.number, self.refused.len());
        self.wants(act);
        assert_eq!(self.view.live.number, number, "a refusal changes nothing");
        assert_eq!(self.refused.len(), refused + 1, "it is refused once");
        self.refused[refused].reason
    }

    pub(crate) fn press_nothing(&mut self, call: CallId) {
        self.press(call, "");
    }

    pub(crate) fn caller_hangs_up(&mut self, call: CallId) {
        self.leave(call, PartyId::FIRST, CauseKind::HungUp);
    }

    pub(crate) fn phone_rings(&mut self, agent: &str) {
        let (call, party) = self.leg_of(agent);
        self.event(CallEvent::Ringing { call, party });
    }

    pub(crate) fn agent_answers(&mut self, agent: &str) {
        let (call, party) = self.leg_of(agent);
        self.event(CallEvent::Joined { call, party });
    }

    pub(crate) fn agent_leaves(&mut self, agent: &str, cause: CauseKind) {
        let (call, party) = self.leg_of(agent);
        self.leave(call, party, cause);
    }

    pub(crate) fn agent_hangs_up(&mut self, agent: &str) {
        self.agent_leaves(agent, CauseKind::HungUp);
    }

    pub(crate) fn leave(&mut self, call: CallId, party: PartyId, kind: CauseKind) {
        let over = self.calls.get_mut(&call).is_some_and(|fake| {
            fake.parties.remove(&party);
            fake.placed && fake.parties.is_empty()
        });
        self.event(CallEvent::Left { call, party, cause: kind.into() });
        if over && self.calls.remove(&call).is_some() {
            self.event(CallEvent::Ended { call, cause: kind.into() });
        }
    }

    pub(crate) fn agent_holds(&mut self, agent: &str) {
        let (call, party) = self.leg_of(agent);
        self.event(CallEvent::Held { call, party, silent: true });
    }

    pub(crate) fn agent_resumes(&mut self, agent: &str) {
        let (call, party) = self.leg_of(agent);
        self.event(CallEvent::Resumed { call, party });
    }

    pub(crate) fn agent_asks_transfer(&mut self, agent: &str, transfer: u32) {
        let (call, party) = self.leg_of(agent);
        let target = Some(Address::Phone("+14255550177".into()));
        self.event(CallEvent::TransferAsked { call, party, transfer: TransferId(transfer), target });
    }

    pub(crate) fn transfer_ends(&mut self, call: CallId, outcome: TransferOutcome) {
        let (transfer, party) =
            self.calls.get_mut(&call).and_then(|fake| fake.transfer.take()).expect("allowed");
        if outcome == TransferOutcome::Done {
            self.calls.get_mut(&call).expect("a call").parties.insert(party);
            self.event(CallEvent::Joined { call, party });
        } else {
            self.event(CallEvent::Left { call, party, cause: CauseKind::NotAnswered.into() });
        }
        self.event(CallEvent::TransferEnded { call, transfer, outcome });
    }

    pub(crate) fn heard(&mut self, call: CallId, party: PartyId, mos_x100: u16) {
        let quality = Quality { mos_x100: Some(mos_x100), packets_received: 500, ..Quality::default() };
        self.event(CallEvent::Quality { call, party, quality });
    }

    pub(crate) fn chooses(&mut self, agent: &str, chosen: ChosenState) {
        self.command(agent, AgentAct::Choose(chosen));
    }

    pub(crate) fn command(&mut self, agent: &str, act: AgentAct) {
        self.input(Input::Agent(AgentCommand { agent: agent.into(), act, by: Who::Agent, why: None }));
    }

    /// Something happens in the call of an open interaction that can happen there as the door has it.
    pub(crate) fn something_happens(&mut self, which: usize, what: usize) {
        let calls: Vec<CallId> = self.view.live.interactions.values().filter_map(|view| view.call).collect();
        let Some(call) = calls.get(which % calls.len().max(1)).copied() else { return };
        let Some(fake) = self.calls.get(&call) else { return };
        let plays = fake.plays.keys().map(|party| Happening::PromptsEnd(*party));
        let keys = fake.collects.keys().map(|party| Happening::Pressed(*party));
        let recording = fake.recording.map(|_| Happening::Recorded);
        let joins = fake.parties.iter().filter(|party| **party != PartyId::FIRST || fake.placed);
        let all: Vec<Happening> = plays
            .chain(keys)
            .chain(recording)
            .chain(joins.map(|party| Happening::Joined(*party)))
            .chain(fake.parties.iter().map(|party| Happening::Left(*party)))
            .collect();
        match all.get(what % all.len().max(1)) {
            Some(Happening::PromptsEnd(party)) => self.prompts_end_for(call, *party),
            Some(Happening::Pressed(party)) => self.press_by(call, *party, "1"),
            Some(Happening::Recorded) => self.recorded(call, RecordEnd::Complete, 5),
            Some(Happening::Joined(party)) => self.event(CallEvent::Joined { call, party: *party }),
            Some(Happening::Left(party)) => self.leave(call, *party, CauseKind::HungUp),
            None => {}
        }
    }

    /// Lets time pass, with everything that is due on the way.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let until = self.now + Duration::from_secs(seconds);
        while let Some(due) = self.center.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.center.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
        self.center.handle_timeout(self.now);
        self.drain();
    }

    /// The program is killed and started again, with this configuration and the facts so far.
    pub(crate) fn crash(self, toml: &str) -> Story {
        let now = self.now;
        let center = Center::resume(config(toml), now, &self.view);
        let mut story = Story::told(center, self.view);
        story.facts.splice(0..0, self.facts);
        story.next_call = self.next_call;
        story
    }

    // What is seen.

    pub(crate) fn agent(&self, agent: &str) -> AgentState {
        self.view.live.agents.get(&AgentId::from(agent)).map_or(AgentState::Gone, |agent| agent.state.clone())
    }

    pub(crate) fn is_available(&self, agent: &str) -> bool {
        matches!(self.agent(agent), AgentState::Available { .. })
    }

    pub(crate) fn interaction(&self, call: CallId) -> Option<(InteractionId, &InteractionView)> {
        self.view
            .live
            .interactions
            .iter()
            .find(|(_, view)| view.call == Some(call))
            .map(|(id, view)| (*id, view))
    }

    pub(crate) fn closed(&self, call: CallId) -> &ClosedInteraction {
        self.view.recent.iter().find(|closed| closed.call == Some(call)).expect("a closed interaction")
    }

    pub(crate) fn outcome(&self, call: CallId) -> Outcome {
        self.closed(call).outcome
    }

    pub(crate) fn waiting(&self, queue: &str) -> Vec<CallId> {
        let queue = QueueId::from(queue);
        let calls = self.view.live.waiting(&queue);
        calls.into_iter().filter_map(|(id, _)| self.view.live.interactions.get(&id)?.call).collect()
    }

    /// The agent who is being rung for this call.
    pub(crate) fn rung_for(&self, call: CallId) -> Option<String> {
        self.all_rung_for(self.interaction(call)?.0).into_iter().next()
    }

    /// The agents who are being rung for this interaction.
    pub(crate) fn all_rung_for(&self, id: InteractionId) -> Vec<String> {
        match self.stage(id) {
            Some(StageView::Offered { offers, .. }) => {
                offers.iter().map(|offer| offer.agent.to_string()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The interaction that began with this call.
    pub(crate) fn id(&self, call: CallId) -> InteractionId {
        let arrived =
            |fact: &&Arc<Fact>| matches!(fact.kind, FactKind::Arrived { call: of, .. } if of == call);
        InteractionId(self.facts.iter().find(arrived).expect("an arrival").number)
    }

    /// Where an open interaction stands.
    pub(crate) fn stage(&self, id: InteractionId) -> Option<&StageView> {
        self.view.live.interactions.get(&id).map(|view| &view.stage)
    }

    /// Everything that waits in a queue, in order.
    pub(crate) fn line(&self, queue: &str) -> Vec<InteractionId> {
        self.view.live.waiting(&QueueId::from(queue)).into_iter().map(|(id, _)| id).collect()
    }

    /// How an interaction that is over is counted.
    pub(crate) fn outcome_of(&self, id: InteractionId) -> Outcome {
        self.view.recent.iter().find(|closed| closed.interaction == id).expect("a closed interaction").outcome
    }

    /// Whom the offers were made to, in order.
    pub(crate) fn offered(&self) -> Vec<String> {
        let offered = |fact: &Arc<Fact>| match &fact.kind {
            FactKind::Offered { agent, .. } => Some(agent.to_string()),
            _ => None,
        };
        self.facts.iter().filter_map(offered).collect()
    }

    /// Everything that was played since the commands were looked at last, and whether over and over; takes the
    /// commands.
    pub(crate) fn heard_since(&mut self) -> Vec<(String, bool)> {
        let play = |command| match command {
            CallCommand::Play { prompts, repeat, .. } => Some((prompts.join(" "), repeat)),
            _ => None,
        };
        self.commands().into_iter().filter_map(play).collect()
    }

    /// Takes the commands that nobody has looked at.
    pub(crate) fn commands(&mut self) -> Vec<CallCommand> {
        std::mem::take(&mut self.commands)
    }

    /// The kinds of all facts since a number, by their names in the journal.
    pub(crate) fn kinds_since(&self, number: u64) -> Vec<String> {
        self.facts.iter().filter(|fact| fact.number > number).map(|fact| kind(fact)).collect()
    }

    pub(crate) fn last_fact(&self, name: &str) -> &FactKind {
        &self.facts.iter().rev().find(|fact| kind(fact) == name).expect("such a fact").kind
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.facts.iter().filter(|fact| kind(fact) == name).count()
    }

    // The door.

    pub(crate) fn leg_of(&self, agent: &str) -> (CallId, PartyId) {
        let offered = self.facts.iter().rev().find_map(|fact| match &fact.kind {
            FactKind::Offered { agent: offered, party, interaction, .. } if offered.as_str() == agent => {
                Some((*interaction, *party))
            }
            _ => None,
        });
        let (interaction, party) = offered.unwrap_or_else(|| panic!("{agent} was never rung"));
        let call = self.facts.iter().rev().find_map(|fact| match &fact.kind {
            FactKind::Arrived { call, .. } if fact.number == interaction.0 => Some(*call),
            FactKind::CallPlaced { interaction: of, call, .. } if *of == interaction => Some(*call),
            _ => None,
        });
        (call.expect("a call"), party)
    }

    /// The customer who is being called back.
    fn customer_of(&self, id: InteractionId) -> (CallId, PartyId) {
        let dialled = self.facts.iter().rev().find_map(|fact| match &fact.kind {
            FactKind::CallbackDialled { interaction, party, .. } if *interaction == id => Some(*party),
            _ => None,
        });
        let call = self.facts.iter().rev().find_map(|fact| match &fact.kind {
            FactKind::CallPlaced { interaction, call, .. } if *interaction == id => Some(*call),
            _ => None,
        });
        (call.expect("a call"), dialled.expect("the customer was dialled"))
    }

    pub(crate) fn is_asked(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(|fake| fake.collects.contains_key(&PartyId::FIRST))
    }

    fn collection_of(&self, call: CallId, party: PartyId) -> CollectId {
        let collect = self.calls.get(&call).and_then(|fake| fake.collects.get(&party));
        *collect.expect("digits are collected")
    }

    fn drain(&mut self) {
        let mut commands = Vec::new();
        while let Some(output) = self.center.poll_output() {
            match output {
                Output::Call(command) => commands.push(command),
                Output::Fact(fact) => self.take_fact(fact),
                Output::Refused(refusal) => self.refused.push(refusal),
            }
        }
        assert_eq!(self.center.live(), self.view.live, "state and the fold of all facts differ");
        assert_eq!(*self.center.acquaintances(), self.view.acquaintances);
        self.commands.extend(commands.iter().cloned());
        for command in commands {
            self.obey(command);
        }
    }

    fn take_fact(&mut self, fact: Fact) {
        assert_eq!(fact.number, self.view.live.number + 1, "facts are numbered without a gap");
        assert!(fact.at >= self.view.at, "facts go forward in time");
        let bytes = serde_json::to_vec(&fact).expect("a fact is JSON");
        let again: Fact = serde_json::from_slice(&bytes).expect("a fact reads its own JSON");
        assert_eq!(again, fact);
        check_personal(&fact);
        self.check_explanation(&fact);
        let fact = Arc::new(fact);
        self.view.apply(&fact);
        let json = serde_json::to_string(&self.view.live).expect("a view is JSON");
        let again: Live = serde_json::from_str(&json).expect("a view reads its own JSON");
        assert_eq!(again, self.view.live);
        self.facts.push(fact);
    }

    /// Whom an offer goes to must be whom the explanation, which looks at every agent, puts first.
    fn check_explanation(&self, fact: &Fact) {
        let FactKind::Offered { interaction, agent, .. } = &fact.kind else { return };
        let explanation = explain(&self.view, fact.at, *interaction).expect("who is offered waits");
        let first = explanation.eligible.first().map(|eligible| &eligible.agent);
        assert_eq!((first, explanation.held), (Some(agent), None), "{:#?}", explanation);
        assert!(!explanation.sentences().is_empty());
    }

    fn obey(&mut self, command: CallCommand) {
        let call = command.call();
        if let CallCommand::Place { .. } = command {
            let parties = [PartyId::FIRST].into();
            self.calls.insert(call, FakeCall { parties, placed: true, ..FakeCall::default() });
        }
        let Some(fake) = self.calls.get_mut(&call) else { return };
        let stopped = |party, play| CallEvent::Played { call, party, play, outcome: PlayOutcome::Stopped };
        match command {
            CallCommand::Play { party, play, .. } => {
                if let Some(old) = fake.plays.insert(party, play) {
                    self.event(stopped(party, old));
                }
            }
            CallCommand::StopPlay { party, .. } => {
                if let Some(old) = fake.plays.remove(&party) {
                    self.event(stopped(party, old));
                }
            }
            CallCommand::Collect { party, collect, .. } => drop(fake.collects.insert(party, collect)),
            CallCommand::StopCollect { party, .. } => drop(fake.collects.remove(&party)),
            CallCommand::Record { party, recording, .. } => fake.recording = Some((party, recording)),
            CallCommand::AddParty { party, .. } => {
                fake.parties.insert(party);
            }
            CallCommand::DecideTransfer { transfer, decision: TransferDecision::Allow { party }, .. } => {
                fake.transfer = Some((transfer, party));
            }
            CallCommand::DecideTransfer { decision: TransferDecision::Refuse, .. }
            | CallCommand::Place { .. }
            | CallCommand::Admit { .. }
            | CallCommand::StopRecord { .. } => {}
            CallCommand::Answer { .. } if self.door_obeys => self.event(CallEvent::Answered { call }),
            CallCommand::RemoveParty { party, .. } if self.door_obeys => {
                if fake.parties.contains(&party) {
                    self.leave(call, party, CauseKind::Removed);
                }
            }
            CallCommand::Reject { .. } | CallCommand::End { .. } if self.door_obeys => self.door_ends(call),
            CallCommand::Answer { .. }
            | CallCommand::RemoveParty { .. }
            | CallCommand::Reject { .. }
            | CallCommand::End { .. } => {}
        }
    }

    /// The door ends a call: every party leaves, then it is over.
    pub(crate) fn door_ends(&mut self, call: CallId) {
        let Some(fake) = self.calls.remove(&call) else { return };
        for party in fake.parties {
            self.leave(call, party, CauseKind::Removed);
        }
        if let Some((party, recording)) = fake.recording {
            let (end, length) = (RecordEnd::PartyLeft, Duration::ZERO);
            self.event(CallEvent::Recorded { call, party, recording, end, length });
        }
        self.event(CallEvent::Ended { call, cause: CauseKind::Removed.into() });
    }
}

pub(crate) fn arrival(call: CallId, line: &str, number: &str) -> Arrival {
    Arrival {
        call,
        line: line.into(),
        from: Address::Phone("+14255550123".into()),
        from_name: "Ada".into(),
        to: if number.starts_with("sip:") {
            Address::Sip(number.into())
        } else {
            Address::Phone(number.into())
        },
    }
}

/// One of many customers.
pub(crate) fn customer(number: u64) -> Address {
    Address::Phone(format!("+1206555{number:04}").into())
}

/// What is personal in a fact can be taken out, which leaves nothing behind and a fact that reads, and put back.
fn check_personal(fact: &Fact) {
    let mut blank = fact.clone();
    let values = blank.take_personal();
    let json = serde_json::to_string(&blank).expect("JSON");
    // What a rule says of callers in general is nobody's secret.
    if !matches!(fact.kind, FactKind::Configured { .. }) {
        assert!(!json.contains("+14255550123") && !json.contains("Ada\""), "still there: {json}");
        assert!(!json.contains("+14255550177") && !json.contains("+1206555"), "still there: {json}");
    }
    let mut again: Fact = serde_json::from_str(&json).expect("a fact without personal values reads");
    assert_eq!(again, blank);
    let values = serde_json::to_string(&values).expect("JSON");
    again.put_personal(serde_json::from_str(&values).expect("values")).expect("each fits its place");
    assert_eq!(again, *fact);
}

pub(crate) fn kind(fact: &Fact) -> String {
    let json = serde_json::to_value(fact).expect("a fact is JSON");
    json["kind"].as_str().expect("a kind").to_owned()
}

pub(crate) fn on_break() -> ChosenState {
    ChosenState::Break { reason: Some("lunch".into()) }
}
