//! The world as the facts tell it: who is doing what since when, and until when at most.

use std::collections::BTreeMap;

use tandem_center::Timestamp;
use tandem_center::agent::{AgentState, ChosenState, Presence, PresenceView, RestCause};
use tandem_center::call::{Address, CallId, RecordingId};
use tandem_center::channel::Channel;
use tandem_center::config::QueueDocument;
use tandem_center::fact::{OfferOutcome, Outcome};
use tandem_center::id::{AgentId, InteractionId, QueueId};
use tandem_center::terms::{Requirement, Terms};

#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub(super) chosen: ChosenState,
    /// As it was said last.
    pub(super) state: AgentState,
    pub(super) since: Timestamp,
    pub(super) idle_since: Timestamp,
    pub(super) rest: Option<(RestCause, Option<Timestamp>)>,
    pub(super) presence: Option<PresenceView>,
    /// Oldest first.
    pub(super) work: Vec<Work>,
    pub(super) last_offer: u64,
    pub(super) conversations: u32,
    pub(super) misses: u32,
    /// The part of the time spent with customers, as it was when the state began.
    pub(super) occupied: f64,
    pub(super) turns: BTreeMap<QueueId, u64>,
}

#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) interaction: InteractionId,
    pub(super) channel: Channel,
    pub(super) doing: Doing,
}

#[derive(Clone, Debug)]
pub(super) enum Doing {
    Offered,
    Talking,
    WrapUp { since: Timestamp, until: Timestamp, extended: u32, rules: Box<QueueDocument> },
}

#[derive(Clone, Debug)]
pub(super) struct Interaction {
    pub(super) channel: Channel,
    pub(super) customer: Option<Address>,
    /// The call that stands, when it began and when it has lasted as long as calls may.
    pub(super) call: Option<Call>,
    pub(super) touched_at: Timestamp,
    pub(super) stage: Stage,
    pub(super) wrapping_up: Vec<AgentId>,
    /// Agents who are still rung although nothing can come of it.
    pub(super) ringing_out: Vec<RingingOut>,
    pub(super) caller_held_since: Option<Timestamp>,
    pub(super) handled: bool,
    pub(super) waited_us: u64,
    pub(super) promise: Option<Promise>,
    pub(super) message: Option<Message>,
    /// Somebody moves it to another queue, whatever that queue says.
    pub(super) moved: bool,
    /// How it is counted if it is closed without a call having ended.
    pub(super) unserved: Option<Outcome>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) began_at: Timestamp,
    pub(super) ends_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Promise {
    /// The number of the fact that gave it.
    pub(super) given: u64,
    pub(super) queue: QueueId,
    pub(super) waiting_since: Timestamp,
    pub(super) attempts: u32,
    /// The rules by which the customer was tried last.
    pub(super) rules: Option<Box<QueueDocument>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub(super) recording: RecordingId,
    pub(super) heard: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Stage {
    InFlow,
    Waiting(Stay),
    Offered(Stay, Vec<Ring>),
    CallingBack(Stay, Ring, Timestamp),
    Parked,
    Scheduled(Timestamp),
    LeavingMessage(RecordingId),
    Redirecting(Timestamp),
    Connected(Talk),
    HandedOver { leaving: Option<Talk>, pending: bool, since: Timestamp },
    Ending { outcome: Outcome, since: Timestamp, stay: Option<Stay>, talk: Option<Talk> },
    CallOver { outcome: Outcome },
}

#[derive(Clone, Debug)]
pub(super) struct Stay {
    pub(super) queue: QueueId,
    pub(super) entered_at: Timestamp,
    pub(super) waiting_since: Timestamp,
    pub(super) stands_since: Timestamp,
    pub(super) vip: bool,
    pub(super) terms: Terms,
    pub(super) step: usize,
    /// The rules of today; of a callback that is being made, those with which that began.
    pub(super) rules: Box<QueueDocument>,
    /// The ladder of overflow is another than at the entry.
    pub(super) ladder_changed: bool,
    /// Somebody has moved the customer here, whatever the queue says.
    pub(super) moved: bool,
    /// The end of the wait that the caller was told last.
    pub(super) told_end: Option<Timestamp>,
    /// Nothing is told again before this.
    pub(super) next_told_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(super) struct Ring {
    pub(super) agent: AgentId,
    pub(super) at: Timestamp,
    pub(super) until: Timestamp,
    /// The agent has to press a key and may take a while for it.
    pub(super) confirms: bool,
}

#[derive(Clone, Debug)]
pub(super) struct RingingOut {
    pub(super) ring: Ring,
    pub(super) outcome: OfferOutcome,
    pub(super) since: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) queue: QueueId,
    pub(super) agent: AgentId,
    /// The number of the fact with which it began.
    pub(super) number: u64,
    pub(super) at: Timestamp,
    pub(super) held_since: Option<Timestamp>,
    pub(super) held_us: u64,
    pub(super) rules: Box<QueueDocument>,
    /// Since when a transfer goes on.
    pub(super) transfer: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) entered: u64,
    pub(super) answered: u64,
    pub(super) abandoned: u64,
    pub(super) flowed_out: u64,
    pub(super) lost: u64,
}

impl Agent {
    pub(super) fn new(at: Timestamp) -> Agent {
        Agent {
            chosen: ChosenState::Offline,
            state: AgentState::Offline,
            since: at,
            idle_since: at,
            rest: None,
            presence: None,
            work: Vec::new(),
            last_offer: 0,
            conversations: 0,
            misses: 0,
            occupied: 0.0,
            turns: BTreeMap::new(),
        }
    }

    /// What follows for the state from everything else.
    pub(super) fn follows(&self, employed: bool) -> AgentState {
        for work in &self.work {
            if let Doing::Talking = work.doing {
                return AgentState::InConversation { interaction: work.interaction };
            }
        }
        for work in &self.work {
            if let Doing::Offered = work.doing {
                return AgentState::Offered { interaction: work.interaction };
            }
        }
        if let Some(Work { interaction, doing: Doing::WrapUp { until, .. }, .. }) = self.work.first() {
            return AgentState::WrapUp { interaction: *interaction, until: *until };
        }
        if !employed {
            return AgentState::Gone;
        }
        if let Some((after, until)) = self.rest {
            return AgentState::Resting { after, until };
        }
        match (&self.chosen, &self.presence) {
            (ChosenState::Available, Some(told)) if told.stops => {
                AgentState::NotReachable { told: told.presence, until: told.until }
            }
            (ChosenState::Available, _) => AgentState::Available { idle_since: self.idle_since },
            (ChosenState::Break { reason }, _) => AgentState::Break { reason: reason.clone() },
            (ChosenState::Offline, _) => AgentState::Offline,
        }
    }

    /// Whether the agent takes offers at all.
    pub(super) fn takes_offers(&self) -> bool {
        let talks = self.work.iter().any(|work| matches!(work.doing, Doing::Talking));
        let rings = self.work.iter().any(|work| matches!(work.doing, Doing::Offered));
        let kept_off = match &self.presence {
            Some(told) if told.stops => {
                !(talks && matches!(told.presence, Presence::Busy | Presence::InCall))
            }
            _ => false,
        };
        self.chosen == ChosenState::Available && self.rest.is_none() && !rings && !kept_off
    }

    /// The part of the time spent with customers at this moment.
    pub(super) fn occupied_at(&self, at: Timestamp) -> f64 {
        let towards = match self.state {
            AgentState::InConversation { .. } | AgentState::WrapUp { .. } => 1.0,
            AgentState::Break { .. } | AgentState::Offline | AgentState::Gone => return self.occupied,
            _ => 0.0,
        };
        towards + (self.occupied - towards) * (-at.since(self.since).as_secs_f64() / 3600.0).exp()
    }

    pub(super) fn work(&mut self, interaction: InteractionId) -> Option<&mut Work> {
        self.work.iter_mut().find(|work| work.interaction == interaction)
    }
}

impl Interaction {
    pub(super) fn begun(at: Timestamp, customer: Option<Address>) -> Interaction {
        Interaction {
            channel: Channel::Call,
            customer,
            call: None,
            touched_at: at,
            stage: Stage::InFlow,
            wrapping_up: Vec::new(),
            ringing_out: Vec::new(),
            caller_held_since: None,
            handled: false,
            waited_us: 0,
            promise: None,
            message: None,
            moved: false,
            unserved: None,
        }
    }

    /// Its stay in a queue, offered or not.
    pub(super) fn stay(&self) -> Option<&Stay> {
        match &self.stage {
            Stage::Waiting(stay) | Stage::Offered(stay, _) | Stage::CallingBack(stay, ..) => Some(stay),
            _ => None,
        }
    }

    pub(super) fn stay_mut(&mut self) -> Option<&mut Stay> {
        match &mut self.stage {
            Stage::Waiting(stay) | Stage::Offered(stay, _) => Some(stay),
            _ => None,
        }
    }

    /// Whether somebody is still to be called back who was promised it.
    pub(super) fn owes_a_call(&self) -> bool {
        self.promise.is_some()
            && self.channel == Channel::Callback
            && matches!(
                self.stage,
                Stage::Waiting(_)
                    | Stage::Offered(..)
                    | Stage::CallingBack(..)
                    | Stage::Parked
                    | Stage::Scheduled(_)
            )
    }
}

impl Stay {
    /// What is asked of an agent now.
    pub(super) fn asked(&self) -> Requirement {
        let steps = self.terms.steps();
        let step = steps.get(self.step).or(steps.last());
        step.map(|step| (*step.requirement).clone()).unwrap_or_default()
    }
}
