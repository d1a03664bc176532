//! The centers of all tenants behind one door: whose an event is, whose turn it is, and whose facts go where.
//!
//! A center knows nothing of the others. Here an event finds the center of its call, a name of a prompt becomes one that
//! the door knows, and facts go to the recorder of their tenant.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tandem_center::call::{CallCommand, CallEvent, CallId, PromptName, RecordEnd, RecordingId, Rejection};
use tandem_center::fact::Fact;
use tandem_center::{Center, Input, Output, Timestamp};
use tandem_store::Tenant;

use crate::config::Routes;
use crate::live::Recorder;
use crate::recordings::RECORDINGS_MAX;

/// The centers of all tenants, in the order of [`Settings::tenants`](crate::config::Settings::tenants).
pub struct Centers {
    all: Vec<Place>,
    by_tenant: BTreeMap<Tenant, usize>,
    routes: Routes,
    /// When each center wants its turn, the soonest first.
    due: BTreeSet<(Timestamp, usize)>,
    /// Whose each call is that the door has; at most as many as the door takes.
    calls: BTreeMap<CallId, usize>,
    /// Who may have something to say, in order.
    turns: VecDeque<usize>,
    /// Who has facts that are not handed over yet.
    fresh: Vec<usize>,
    /// Calls that are nobody's.
    rejected: VecDeque<CallId>,
    /// Recordings that one tenant may make at once.
    recordings_max: usize,
    /// The moment of the last input.
    now: Timestamp,
}

/// One tenant's center.
struct Place {
    tenant: Tenant,
    center: Center,
    recorder: Recorder,
    facts: Vec<Fact>,
    due: Option<Timestamp>,
    /// What is being recorded.
    recording: BTreeSet<RecordingId>,
}

impl Place {
    fn new(tenant: Tenant, center: Center, recorder: Recorder) -> Place {
        Place { tenant, center, recorder, facts: Vec::new(), due: None, recording: BTreeSet::new() }
    }
}

/// What is to be done, and for whom.
#[derive(Debug)]
pub enum Said {
    /// Tell the door.
    Call(Tenant, CallCommand),
    /// A command was refused.
    Refused(tandem_center::supervise::Refusal),
}

impl Centers {
    /// The centers with their recorders.
    pub fn new(all: impl IntoIterator<Item = (Tenant, Center, Recorder)>, routes: Routes) -> Centers {
        let place = |(tenant, center, recorder)| Place::new(tenant, center, recorder);
        let all: Vec<Place> = all.into_iter().map(place).collect();
        let by_tenant = all.iter().enumerate().map(|(index, place)| (place.tenant.clone(), index)).collect();
        // Whoever comes back from a restart has something to say.
        let turns = (0..all.len()).collect();
        let (due, calls, rejected) = (BTreeSet::new(), BTreeMap::new(), VecDeque::new());
        let recordings_max = if all.len() == 1 { RECORDINGS_MAX } else { OF_TENANT_MAX };
        let (fresh, now) = (Vec::new(), Timestamp::default());
        Centers { all, by_tenant, routes, due, calls, turns, fresh, rejected, recordings_max, now }
    }

    /// Takes in the center of a further tenant. There is none of this tenant yet.
    pub fn add(&mut self, tenant: Tenant, center: Center, recorder: Recorder) {
        let index = self.all.len();
        self.by_tenant.insert(tenant.clone(), index);
        self.all.push(Place::new(tenant, center, recorder));
        self.turns.push_back(index);
    }

    /// From now on calls find their tenants by these.
    pub fn set_routes(&mut self, routes: Routes) {
        self.routes = routes;
    }

    /// Something happened to a call.
    pub fn handle_event(&mut self, now: Timestamp, event: CallEvent) {
        let call = event.call();
        let whose = match &event {
            CallEvent::Arrived(arrival) => {
                let tenant = self.routes.tenant(&arrival.line, &arrival.to);
                let whose = tenant.and_then(|tenant| self.by_tenant.get(tenant)).copied();
                match whose {
                    Some(index) => {
                        self.calls.insert(call, index);
                    }
                    None => {
                        tracing::info!(call.id = %call, line = %arrival.line, "call to a number of no tenant");
                        self.rejected.push_back(call);
                    }
                }
                whose
            }
            CallEvent::Ended { .. } => self.calls.remove(&call),
            _ => self.calls.get(&call).copied(),
        };
        if let Some(index) = whose {
            if let (CallEvent::Recorded { recording, .. }, Some(place)) = (&event, self.all.get_mut(index)) {
                place.recording.remove(recording);
            }
            self.handle(now, index, Input::Call(event));
        }
    }

    /// Somebody wants something of a tenant's center; `None` if there is no such tenant, otherwise the number of the last
    /// fact before.
    pub fn handle_command(&mut self, now: Timestamp, tenant: &Tenant, command: Input) -> Option<u64> {
        let index = *self.by_tenant.get(tenant)?;
        let before = self.fact_number(tenant);
        self.handle(now, index, command);
        before
    }

    /// Gives a turn to every center whose time has come.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        while let Some((at, index)) = self.due.first().copied()
            && at <= now
        {
            self.due.remove(&(at, index));
            if let Some(place) = self.all.get_mut(index) {
                place.due = None;
                place.center.handle_timeout(now);
            }
            // When it wants its next turn is known after this one.
            self.turns.push_back(index);
        }
    }

    /// What is to be done next; `None` when there is nothing more.
    pub fn poll_output(&mut self) -> Option<Said> {
        loop {
            if let Some(call) = self.rejected.pop_front() {
                let command = CallCommand::Reject { call, reason: Rejection::UnknownNumber };
                return Some(Said::Call(Tenant::only(), command));
            }
            let index = *self.turns.front()?;
            let Some(place) = self.all.get_mut(index) else {
                self.turns.pop_front();
                continue;
            };
            match place.center.poll_output() {
                Some(Output::Fact(fact)) => {
                    if place.facts.is_empty() {
                        self.fresh.push(index);
                    }
                    place.facts.push(fact);
                }
                Some(Output::Refused(refusal)) => return Some(Said::Refused(refusal)),
                Some(Output::Call(CallCommand::Record { call, party, recording, .. }))
                    if place.recording.len() >= self.recordings_max =>
                {
                    tracing::warn!(tenant = %place.tenant, "a tenant records as much as it may; a message is not kept");
                    let (end, length) = (RecordEnd::Failed, Duration::ZERO);
                    let failed = CallEvent::Recorded { call, party, recording, end, length };
                    place.center.handle_input(self.now, Input::Call(failed));
                }
                Some(Output::Call(command)) => {
                    let command = qualified(&place.tenant, command);
                    match &command {
                        CallCommand::Place { call, .. } => {
                            self.calls.insert(*call, index);
                        }
                        CallCommand::Reject { call, .. } => {
                            self.calls.remove(call);
                        }
                        CallCommand::Record { recording, .. } => {
                            place.recording.insert(*recording);
                        }
                        _ => {}
                    }
                    return Some(Said::Call(place.tenant.clone(), command));
                }
                None => {
                    self.turns.pop_front();
                    self.schedule(index);
                }
            }
        }
    }

    /// Hands the facts of the last turns to the journal, those of a tenant together.
    pub fn settle(&mut self) {
        for index in self.fresh.drain(..) {
            if let Some(place) = self.all.get_mut(index) {
                place.recorder.record(std::mem::take(&mut place.facts));
            }
        }
    }

    /// When [`Centers::handle_timeout`] is to be called if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The number of a tenant's last fact.
    pub fn fact_number(&self, tenant: &Tenant) -> Option<u64> {
        let index = *self.by_tenant.get(tenant)?;
        self.all.get(index).map(|place| place.center.fact_number())
    }

    fn handle(&mut self, now: Timestamp, index: usize, input: Input) {
        let Some(place) = self.all.get_mut(index) else { return };
        self.now = self.now.max(now);
        place.center.handle_input(now, input);
        self.turns.push_back(index);
    }

    fn schedule(&mut self, index: usize) {
        let Some(place) = self.all.get_mut(index) else { return };
        let due = place.center.poll_timeout();
        if due == place.due {
            return;
        }
        if let Some(before) = place.due {
            self.due.remove(&(before, index));
        }
        if let Some(due) = due {
            self.due.insert((due, index));
        }
        place.due = due;
    }
}

/// Recordings that one of several tenants makes at once, of the [`RECORDINGS_MAX`] of all; one more fails at its beginning.
pub const OF_TENANT_MAX: usize = RECORDINGS_MAX / 4;

/// The name under which the door knows a prompt of a tenant.
pub fn prompt_of(tenant: &Tenant, prompt: &PromptName) -> PromptName {
    match RecordingId::of_prompt(prompt) {
        Some(_) => prompt.clone(),
        None => format!("{tenant}/{prompt}").into(),
    }
}

fn qualified(tenant: &Tenant, command: CallCommand) -> CallCommand {
    match command {
        CallCommand::Play { call, party, play, prompts, repeat } => {
            let prompts: Arc<[PromptName]> = prompts.iter().map(|name| prompt_of(tenant, name)).collect();
            CallCommand::Play { call, party, play, prompts, repeat }
        }
        other => other,
    }
}
