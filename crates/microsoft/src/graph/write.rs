//! Shows in Teams what people do in Tandem: in a call, not to be disturbed.
//!
//! Each application has one presence session of its own for each person (Microsoft Graph: presence, setPresence). Teams shows
//! the strongest of a person's sessions, and what the person chose by hand before all of them: so this can make somebody
//! look busy, but never less busy than the person is. A session ends by itself when it is not renewed; if this program stops,
//! nobody stays "in a call" for longer than that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::Serialize;

use crate::graph::call::{ANSWER_AFTER_MAX, Answer, Call, Caller, NoAnswer, Operation};
use crate::graph::fault::{Fault, FaultKind};
use crate::graph::throttle::{Family, Throttle, back_off};
use crate::graph::watch::CallId;
use crate::id::{ClientId, ObjectId};

/// What is shown of a person. These are the pairs that Graph accepts of an application.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shown {
    /// Ready: counts only if the person is signed in nowhere, or idle.
    Available,
    /// In a call.
    InACall,
    /// In a conference.
    InAConferenceCall,
    /// Not to be disturbed.
    Presenting,
    /// Not there.
    Away,
}

/// How presence is written.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our application: Graph demands it as the name of the session.
    pub application: ClientId,
    /// How long a session lasts without being renewed: 5 min to 4 h; it is renewed at half of it. Longer costs fewer
    /// requests, and leaves people "in a call" for longer if this program stops.
    pub lasts: Duration,
}

/// What a writer wants done, or tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this, and hand in what comes back with [`PresenceWriter::handle_answer`].
    Call {
        /// The number to hand the answer in with.
        id: CallId,
        /// What to send.
        call: Call,
    },
    /// The token is not accepted: a fresh one is needed.
    TokenRefused,
    /// The application may not write presence. Nothing is written until it may; it is tried every quarter of an hour.
    Refused {
        /// What Graph said.
        fault: Fault,
    },
    /// Presence may be written again.
    Restored,
    /// Graph does not write this person's presence; it is not tried again until something else is to be shown.
    NotWritten {
        /// Whose.
        person: ObjectId,
        /// What Graph said.
        fault: Fault,
    },
}

/// Writes the presence of the people of one Entra tenant.
#[derive(Debug)]
pub struct PresenceWriter {
    settings: Settings,
    random: StdRng,
    people: BTreeMap<ObjectId, Writing>,
    /// When something is due for whom.
    due: BTreeSet<(Instant, ObjectId)>,
    asked: BTreeMap<CallId, Asked>,
    calls_made: u64,
    held: Option<Held>,
    /// Graph's limits allow nothing before; to be asked again when something was heard.
    gate: Option<Instant>,
    outputs: VecDeque<Output>,
}

/// What is to be shown of a person, and what is.
#[derive(Debug)]
struct Writing {
    wish: Option<Shown>,
    /// What Graph was last told and has accepted, and when that is to be renewed.
    written: Option<(Shown, Instant)>,
    asking: Option<CallId>,
    faults: u32,
    /// Graph does not want to hear it.
    given_up: bool,
    due: Option<Instant>,
}

#[derive(Debug)]
struct Asked {
    at: Instant,
    person: ObjectId,
    /// What was asked to be shown; none: the session ended.
    shown: Option<Shown>,
}

/// Writing is refused.
#[derive(Debug)]
struct Held {
    /// What was asked before says nothing about it.
    since: Instant,
    again: Instant,
    told: bool,
    faults: u32,
}

impl Shown {
    fn pair(self) -> (&'static str, &'static str) {
        match self {
            Self::Available => ("Available", "Available"),
            Self::InACall => ("Busy", "InACall"),
            Self::InAConferenceCall => ("Busy", "InAConferenceCall"),
            Self::Presenting => ("DoNotDisturb", "Presenting"),
            Self::Away => ("Away", "Away"),
        }
    }
}

/// Asks to show this of a person for so long (5 min to 4 h), in the session of this application.
#[must_use]
pub fn set(application: ClientId, person: ObjectId, shown: Shown, lasts: Duration) -> Call {
    let (availability, activity) = shown.pair();
    let minutes = lasts.clamp(LASTS_MIN, LASTS_MAX).as_secs() / 60;
    Call::post(Operation::SetPresence, Caller::Application, format!("/users/{person}/presence/setPresence"))
        .json(&Set {
            session_id: application,
            availability,
            activity,
            expiration_duration: format!("PT{minutes}M"),
        })
}

/// Asks to end the session of this application for a person.
#[must_use]
pub fn clear(application: ClientId, person: ObjectId) -> Call {
    Call::post(
        Operation::ClearPresence,
        Caller::Application,
        format!("/users/{person}/presence/clearPresence"),
    )
    .json(&Clear { session_id: application })
}

impl PresenceWriter {
    /// Shows nothing of anybody yet.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            random: StdRng::seed_from_u64(seed),
            people: BTreeMap::new(),
            due: BTreeSet::new(),
            asked: BTreeMap::new(),
            calls_made: 0,
            held: None,
            gate: None,
            outputs: VecDeque::new(),
        }
    }

    /// Has this shown of a person from now on; nothing: what Teams itself knows.
    pub fn show(&mut self, now: Instant, person: ObjectId, wish: Option<Shown>) {
        let full = self.people.len() >= PEOPLE_MAX;
        match self.people.get_mut(&person) {
            Some(writing) if writing.wish == wish => return,
            Some(writing) => {
                writing.wish = wish;
                writing.given_up = false;
                writing.faults = 0;
            }
            None if wish.is_none() || full => return,
            None => {
                self.people.insert(person, Writing::wishing(wish));
            }
        }
        self.reckon(now, person);
    }

    /// What was refused may be allowed now, for somebody has consented: tries at once, instead of after the pause that
    /// follows a refusal.
    pub fn resume(&mut self, now: Instant) {
        if let Some(held) = &mut self.held {
            held.again = held.again.min(now);
        }
    }

    /// Ends all sessions, before the program stops. What is not ended, ends by itself.
    pub fn close(&mut self, now: Instant) {
        let all: Vec<_> = self.people.keys().copied().collect();
        for person in all {
            self.show(now, person, None);
        }
    }

    /// Whether nothing is shown and nothing is left to be done.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.people.is_empty()
    }

    /// Takes what came of a call.
    pub fn handle_answer(&mut self, now: Instant, id: CallId, answer: &Answer, throttle: &mut Throttle) {
        let Some(asked) = self.asked.remove(&id) else { return };
        let operation = if asked.shown.is_some() { Operation::SetPresence } else { Operation::ClearPresence };
        let done = Fault::check(operation, answer).map(|_| ());
        throttle.heard(now, asked.at, Family::Presence, done.as_ref().copied());
        self.gate = None;
        let pause = back_off(self.people.get(&asked.person).map_or(1, |w| w.faults + 1), &mut self.random);
        if let Err(fault) = &done {
            self.on_fault(now, &asked, fault);
        } else {
            let held = self.held.take_if(|held| asked.at >= held.since);
            if held.is_some_and(|held| held.told) {
                self.outputs.push_back(Output::Restored);
            }
        }
        let Some(writing) = self.people.get_mut(&asked.person) else { return };
        writing.asking = None;
        let renewal = self.settings.renewal(asked.shown);
        match done {
            Ok(()) => {
                writing.faults = 0;
                writing.written = asked.shown.map(|shown| (shown, asked.at + renewal));
            }
            // The session was not there: nothing is left to end.
            Err(Fault { kind: FaultKind::NotFound, .. }) if asked.shown.is_none() => writing.written = None,
            Err(fault) => {
                writing.faults = writing.faults.saturating_add(1);
                if writing.given_up {
                    self.outputs.push_back(Output::NotWritten { person: asked.person, fault });
                } else {
                    self.schedule(asked.person, Some(now + pause));
                    return;
                }
            }
        }
        self.reckon(now, asked.person);
    }

    /// Does what is due. Too early is harmless.
    pub fn handle_timeout(&mut self, now: Instant, throttle: &mut Throttle) {
        while let Some((&id, asked)) = self.asked.first_key_value()
            && now >= asked.at + ANSWER_AFTER_MAX
        {
            self.handle_answer(now, id, &Err(NoAnswer::TooSlow), throttle);
        }
        while let Some(&(due, person)) = self.due.first()
            && due <= now
        {
            if !self.may_write(now, throttle) {
                return;
            }
            self.write(now, person);
        }
    }

    /// The next thing to do or to know, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`PresenceWriter::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let late = self.asked.first_key_value().map(|(_, asked)| asked.at + ANSWER_AFTER_MAX);
        let due = self.due.first().map(|(due, _)| self.not_before(*due));
        late.into_iter().chain(due).min()
    }

    fn write(&mut self, now: Instant, person: ObjectId) {
        self.schedule(person, None);
        let Some(writing) = self.people.get_mut(&person) else { return };
        let shown = writing.wish;
        let call = match shown {
            Some(shown) => set(self.settings.application, person, shown, self.settings.lasts),
            None => clear(self.settings.application, person),
        };
        let id = CallId(self.calls_made);
        self.calls_made += 1;
        writing.asking = Some(id);
        self.asked.insert(id, Asked { at: now, person, shown });
        self.outputs.push_back(Output::Call { id, call });
    }

    /// Decides what is due for a person, and forgets whom nothing is due for.
    fn reckon(&mut self, now: Instant, person: ObjectId) {
        let Some(writing) = self.people.get(&person) else { return };
        let due = match (writing.wish, writing.written) {
            _ if writing.asking.is_some() => None,
            (None, None) => {
                self.schedule(person, None);
                self.people.remove(&person);
                return;
            }
            (None, Some(_)) | (Some(_), None) => Some(now),
            (Some(wish), Some((shown, renew_at))) => Some(if wish == shown { renew_at } else { now }),
        };
        let due = due.filter(|_| !writing.given_up);
        self.schedule(person, due);
        // Whom Graph does not know, and of whom nothing is to be shown, needs no memory.
        if self.people.get(&person).is_some_and(|w| w.given_up && w.wish.is_none()) {
            self.people.remove(&person);
        }
    }

    fn schedule(&mut self, person: ObjectId, due: Option<Instant>) {
        let Some(writing) = self.people.get_mut(&person) else { return };
        if let Some(before) = std::mem::replace(&mut writing.due, due) {
            self.due.remove(&(before, person));
        }
        if let Some(due) = due {
            self.due.insert((due, person));
        }
    }

    /// The later of this and when something may be written.
    fn not_before(&self, at: Instant) -> Instant {
        let held = self.held.as_ref().map(|held| held.again);
        held.into_iter().chain(self.gate).fold(at, Instant::max)
    }

    /// Whether a call may be sent now; it counts as sent then.
    fn may_write(&mut self, now: Instant, throttle: &mut Throttle) -> bool {
        if self.not_before(now) > now {
            return false;
        }
        if let Err(later) = throttle.admit(now, Family::Presence) {
            self.gate = Some(later);
            return false;
        }
        self.gate = None;
        // One request to see; the next when it was done, or after another pause.
        if let Some(held) = &mut self.held {
            held.again = now + REFUSED_AGAIN;
        }
        true
    }

    fn on_fault(&mut self, now: Instant, asked: &Asked, fault: &Fault) {
        if self.held.as_ref().is_some_and(|held| asked.at < held.since) {
            return;
        }
        let (told, faults) = self.held.as_ref().map_or((false, 0), |held| (held.told, held.faults));
        match fault.kind {
            FaultKind::Unauthorised | FaultKind::NoToken => {
                self.outputs.push_back(Output::TokenRefused);
                let faults = faults.saturating_add(1);
                let again = now + back_off(faults, &mut self.random);
                self.held = Some(Held { since: now, again, told, faults });
            }
            FaultKind::Forbidden => {
                if !told {
                    self.outputs.push_back(Output::Refused { fault: fault.clone() });
                }
                let part = self.random.random_range(0.9..=1.0);
                let again = now + REFUSED_AGAIN.mul_f64(part);
                self.held = Some(Held { since: now, again, told: true, faults: faults.saturating_add(1) });
            }
            _ if fault.is_passing() => {}
            _ => {
                // Something else may be wished by now: that is tried.
                if let Some(writing) = self.people.get_mut(&asked.person) {
                    writing.given_up = writing.wish == asked.shown;
                }
            }
        }
    }
}

impl Writing {
    fn wishing(wish: Option<Shown>) -> Self {
        Self { wish, written: None, asking: None, faults: 0, given_up: false, due: None }
    }
}

impl Settings {
    /// After how long a session is renewed.
    fn renewal(&self, shown: Option<Shown>) -> Duration {
        let half = self.lasts.clamp(LASTS_MIN, LASTS_MAX) / 2;
        // An available session turns idle after 5 min, and away after 5 more, unless it is renewed.
        if shown == Some(Shown::Available) { half.min(AVAILABLE_RENEWAL) } else { half }
    }
}

/// The shortest life of a session that Graph grants.
pub const LASTS_MIN: Duration = Duration::from_secs(5 * 60);

/// The longest.
pub const LASTS_MAX: Duration = Duration::from_secs(4 * 3600);

/// People whose presence is written; of more, nothing is shown.
pub const PEOPLE_MAX: usize = 20_000;

/// How long after a refusal it is tried again.
const REFUSED_AGAIN: Duration = Duration::from_secs(15 * 60);

/// How often an available session is renewed, so that it does not turn idle.
const AVAILABLE_RENEWAL: Duration = Duration::from_secs(4 * 60);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Set {
    session_id: ClientId,
    availability: &'static str,
    activity: &'static str,
    expiration_duration: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Clear {
    session_id: ClientId,
}
