//! Shows in Teams what people do in Tandem: in a call, not to be disturbed.
//!
//! Each application has one presence session of its own for each person (Microsoft Graph: presence, setPresence). Teams shows
//! the strongest of a person's sessions, and what the person chose by hand before all of them: so this can make somebody
//! look busy, but never less busy than the person is. A session ends by itself when it is not renewed; if this program stops
//! in the middle of a call, its next life ends what it left ([`PresenceWriter::take_over`]).
//!
//! What was asked and not answered may have been done: such a session counts as standing until Graph has ended it, or it has
//! ended by itself.

mod lane;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use lane::{Held, Lane, RefusedOf};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
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
    /// Graph refuses it of several people in a row: the application may not write presence, as it seems. It is tried
    /// again after a minute, later after a quarter of an hour.
    Refused {
        /// What Graph said.
        fault: Fault,
    },
    /// Presence may be written again.
    Restored,
    /// Graph does not write this person's presence. It is not tried again until something else is to be shown; where it is
    /// forbidden ([`FaultKind::Forbidden`]), as of a guest, also not before a quarter of an hour has passed.
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
    /// Sessions that are to begin, or to be renewed.
    sets: Lane,
    /// Sessions that are to end. They never wait because others may not begin.
    clears: Lane,
    /// Whose session of an earlier life is to end, in turn, and when the next one is.
    left: VecDeque<ObjectId>,
    left_at: Option<Instant>,
    asked: BTreeMap<CallId, Asked>,
    calls_made: u64,
    /// The token is not accepted.
    token: Option<Held>,
    /// It was told that presence may not be written.
    told: bool,
    /// Graph's limits allow nothing before; to be asked again when something was heard.
    gate: Option<Instant>,
    outputs: VecDeque<Output>,
}

/// What is to be shown of a person, and what is.
#[derive(Debug)]
struct Writing {
    wish: Option<Shown>,
    session: Session,
    asking: Option<CallId>,
    faults: u32,
    /// Graph does not want to hear it.
    given_up: bool,
    due: Option<(Act, Instant)>,
}

/// Our session for a person, as far as it is known.
#[derive(Clone, Copy, Debug)]
enum Session {
    /// There is none.
    None,
    /// An earlier life of this program may have left one; its turn to be ended comes.
    Left { ends_at: Instant },
    /// There may be one: nobody has said what came of what was asked. It ends by itself by then.
    Doubtful { ends_at: Instant },
    /// Graph has it, shows this, and ends it by itself unless it is renewed.
    Stands { shown: Shown, renew_at: Instant, ends_at: Instant },
}

/// What is asked of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Set,
    Clear,
}

#[derive(Debug)]
struct Asked {
    at: Instant,
    person: ObjectId,
    /// What was asked to be shown; none: the session ended.
    shown: Option<Shown>,
    /// What was known before: it is so still if Graph refused.
    before: Session,
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
            sets: Lane::default(),
            clears: Lane::default(),
            left: VecDeque::new(),
            left_at: None,
            asked: BTreeMap::new(),
            calls_made: 0,
            token: None,
            told: false,
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
                // It has its turn now.
                if let Session::Left { ends_at } = writing.session {
                    writing.session = Session::Doubtful { ends_at };
                }
            }
            None if wish.is_none() || full => return,
            None => {
                self.people.insert(person, Writing::new(wish, Session::None));
            }
        }
        self.reckon(now, person);
    }

    /// Takes a person over from an earlier life of this program, which may have ended in the middle of a call and left its
    /// session behind: it is ended when its turn comes, unless something is to be shown of the person.
    pub fn take_over(&mut self, now: Instant, person: ObjectId) {
        let full = self.people.len() >= PEOPLE_MAX || self.left.len() >= PEOPLE_MAX;
        if full || self.people.contains_key(&person) {
            return;
        }
        let session = Session::Left { ends_at: now + self.settings.lasts() };
        self.people.insert(person, Writing::new(None, session));
        self.left.push_back(person);
        self.left_at.get_or_insert(now);
    }

    /// What was refused may be allowed now, for somebody has consented: tries at once, instead of after the pause that
    /// follows a refusal.
    pub fn resume(&mut self, now: Instant) {
        if let Some(held) = &mut self.token {
            held.again = held.again.min(now);
        }
        let refused: Vec<_> = self.clears.resume(now).chain(self.sets.resume(now)).collect();
        for person in refused {
            self.reckon(now, person);
        }
    }

    /// Ends all sessions that began here, before the program stops. What is not ended, ends by itself.
    pub fn close(&mut self, now: Instant) {
        self.left.clear();
        self.left_at = None;
        let all: Vec<_> = self.people.keys().copied().collect();
        for person in all {
            if let Some(Writing { session: session @ Session::Left { .. }, .. }) =
                self.people.get_mut(&person)
            {
                *session = Session::None;
            }
            self.show(now, person, None);
            self.reckon(now, person);
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
        let operation = match asked.act() {
            Act::Set => Operation::SetPresence,
            Act::Clear => Operation::ClearPresence,
        };
        let done = Fault::check(operation, answer).map(|_| ());
        throttle.heard(now, asked.at, Family::Presence, done.as_ref().copied());
        self.gate = None;
        match done {
            Ok(()) => self.on_done(now, &asked),
            Err(fault) => self.on_fault(now, &asked, fault),
        }
    }

    /// Does what is due. Too early is harmless.
    pub fn handle_timeout(&mut self, now: Instant, throttle: &mut Throttle) {
        while let Some((&id, asked)) = self.asked.first_key_value()
            && now >= asked.at + ANSWER_AFTER_MAX
        {
            self.handle_answer(now, id, &Err(NoAnswer::TooSlow), throttle);
        }
        self.call_next_left(now);
        // What is over keeps people from calls: it ends first.
        for act in [Act::Clear, Act::Set] {
            while let Some(person) = self.lane(act).first_due(now) {
                if self.people.get(&person).is_some_and(|writing| writing.is_over(now)) {
                    self.forget(person);
                    continue;
                }
                if !self.may_write(now, act, throttle) {
                    break;
                }
                self.write(now, person);
            }
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
        let set = self.sets.next().map(|due| self.not_before(Act::Set, due));
        let clears = self.clears.next().into_iter().chain(self.left_at);
        let clear = clears.min().map(|due| self.not_before(Act::Clear, due));
        [late, set, clear].into_iter().flatten().min()
    }

    fn write(&mut self, now: Instant, person: ObjectId) {
        self.schedule(person, None);
        let lasts = self.settings.lasts();
        let Some(writing) = self.people.get_mut(&person) else { return };
        let (shown, before) = (writing.wish, writing.session);
        let call = match shown {
            Some(shown) => {
                // From here on it may be so, whatever is heard of it.
                writing.session = Session::Doubtful { ends_at: now + ANSWER_AFTER_MAX + lasts };
                set(self.settings.application, person, shown, lasts)
            }
            None => clear(self.settings.application, person),
        };
        let id = CallId(self.calls_made);
        self.calls_made += 1;
        writing.asking = Some(id);
        self.asked.insert(id, Asked { at: now, person, shown, before });
        self.outputs.push_back(Output::Call { id, call });
    }

    fn on_done(&mut self, now: Instant, asked: &Asked) {
        self.token.take_if(|held| asked.at >= held.since);
        self.lane(asked.act()).done(asked.at, asked.person);
        let is_held = |lane: &Lane| lane.held_until().is_some();
        if self.told && !is_held(&self.sets) && !is_held(&self.clears) {
            self.told = false;
            self.outputs.push_back(Output::Restored);
        }
        let (renewal, lasts) = (self.settings.renewal(asked.shown), self.settings.lasts());
        let Some(writing) = self.people.get_mut(&asked.person) else { return };
        writing.asking = None;
        writing.faults = 0;
        writing.session = match asked.shown {
            Some(shown) => {
                Session::Stands { shown, renew_at: asked.at + renewal, ends_at: now.max(asked.at) + lasts }
            }
            None => Session::None,
        };
        self.reckon(now, asked.person);
    }

    fn on_fault(&mut self, now: Instant, asked: &Asked, fault: Fault) {
        let Some(writing) = self.people.get_mut(&asked.person) else { return };
        writing.asking = None;
        writing.session = asked.session_after(&fault, writing.session);
        writing.faults = writing.faults.saturating_add(1);
        let pause = back_off(writing.faults, &mut self.random);
        let act = asked.act();
        let mut again = now + pause;
        match fault.kind {
            FaultKind::Unauthorised | FaultKind::NoToken => self.on_token_refused(now, asked),
            FaultKind::Forbidden => {
                self.token.take_if(|held| asked.at >= held.since);
                let lane = match act {
                    Act::Set => &mut self.sets,
                    Act::Clear => &mut self.clears,
                };
                match lane.refuse(now, asked.at, asked.person, &mut self.random) {
                    RefusedOf::Person => {
                        self.outputs.push_back(Output::NotWritten { person: asked.person, fault });
                    }
                    RefusedOf::Everybody => {
                        if !std::mem::replace(&mut self.told, true) {
                            self.outputs.push_back(Output::Refused { fault });
                        }
                    }
                    RefusedOf::Known => {}
                }
            }
            FaultKind::NotFound if act == Act::Clear => {
                self.see_again(asked, again);
                again = now;
            }
            _ if fault.is_passing() => self.see_again(asked, again),
            _ => {
                // Something else may be wished by now: that is tried.
                writing.given_up = writing.wish == asked.shown;
                if writing.given_up {
                    self.outputs.push_back(Output::NotWritten { person: asked.person, fault });
                }
                self.see_again(asked, again);
            }
        }
        self.reckon(again, asked.person);
    }

    fn on_token_refused(&mut self, now: Instant, asked: &Asked) {
        let faults = match &self.token {
            Some(held) if asked.at < held.since => return,
            held => held.as_ref().map_or(0, |held| held.faults).saturating_add(1),
        };
        self.outputs.push_back(Output::TokenRefused);
        let again = now + back_off(faults, &mut self.random);
        self.token = Some(Held { since: now, again, faults });
    }

    /// Decides what is due for a person, not before a moment, and forgets whom nothing is due for.
    fn reckon(&mut self, at: Instant, person: ObjectId) {
        let Some(writing) = self.people.get(&person) else { return };
        let due = match (writing.wish, writing.session) {
            _ if writing.asking.is_some() => None,
            (None, Session::None) => return self.forget(person),
            // Whom Graph does not know, and of whom nothing is to be shown, needs no memory.
            (None, _) if writing.given_up => return self.forget(person),
            (None, Session::Left { .. }) => None,
            (None, Session::Doubtful { ends_at } | Session::Stands { ends_at, .. }) => {
                Some((Act::Clear, self.clears.not_before_of(person, at).min(ends_at)))
            }
            (Some(_), _) if writing.given_up => None,
            (Some(wish), Session::Stands { shown, renew_at, .. }) if wish == shown => {
                Some((Act::Set, self.sets.not_before_of(person, renew_at.max(at))))
            }
            (Some(_), _) => Some((Act::Set, self.sets.not_before_of(person, at))),
        };
        self.schedule(person, due);
    }

    fn schedule(&mut self, person: ObjectId, due: Option<(Act, Instant)>) {
        let Some(writing) = self.people.get_mut(&person) else { return };
        if let Some((act, before)) = std::mem::replace(&mut writing.due, due) {
            self.lane(act).unschedule(before, person);
        }
        if let Some((act, due)) = due {
            self.lane(act).schedule(due, person);
        }
    }

    fn forget(&mut self, person: ObjectId) {
        self.schedule(person, None);
        self.people.remove(&person);
    }

    /// Lets the next session of an earlier life be ended, if nothing else is to end now.
    fn call_next_left(&mut self, now: Instant) {
        let waits = self.left_at.is_none_or(|at| at > now) || self.not_before(Act::Clear, now) > now;
        if waits || self.clears.first_due(now).is_some() {
            return;
        }
        while let Some(person) = self.left.pop_front() {
            let Some(writing) = self.people.get_mut(&person) else { continue };
            let Session::Left { ends_at } = writing.session else { continue };
            writing.session = Session::Doubtful { ends_at };
            self.reckon(now, person);
            break;
        }
        self.left_at = (!self.left.is_empty()).then_some(now + LEFT_EVERY);
    }

    fn lane(&mut self, act: Act) -> &mut Lane {
        match act {
            Act::Set => &mut self.sets,
            Act::Clear => &mut self.clears,
        }
    }

    /// The later of this and when something of the kind may be written.
    fn not_before(&self, act: Act, at: Instant) -> Instant {
        let lane = match act {
            Act::Set => self.sets.held_until(),
            Act::Clear => self.clears.held_until(),
        };
        let token = self.token.as_ref().map(|held| held.again);
        [lane, token, self.gate].into_iter().flatten().fold(at, Instant::max)
    }

    /// Whether a call may be sent now; it counts as sent then.
    fn may_write(&mut self, now: Instant, act: Act, throttle: &mut Throttle) -> bool {
        if self.not_before(act, now) > now {
            return false;
        }
        if let Err(later) = throttle.admit(now, Family::Presence) {
            self.gate = Some(later);
            return false;
        }
        self.gate = None;
        // One request to see; the next when it is heard of.
        self.lane(act).go_ahead(now);
        if let Some(held) = &mut self.token {
            held.again = now + ANSWER_AFTER_MAX;
        }
        true
    }

    /// Neither the token nor the permission was what went wrong: the next request to see goes ahead by then.
    fn see_again(&mut self, asked: &Asked, at: Instant) {
        self.lane(asked.act()).see_again(asked.at, at);
        if let Some(held) = self.token.as_mut().filter(|held| asked.at >= held.since) {
            held.again = held.again.min(at);
        }
    }
}

impl Writing {
    fn new(wish: Option<Shown>, session: Session) -> Self {
        Self { wish, session, asking: None, faults: 0, given_up: false, due: None }
    }

    /// Whether nothing is to be shown, and what was shown has ended by itself.
    fn is_over(&self, now: Instant) -> bool {
        self.wish.is_none()
            && match self.session {
                Session::None => true,
                Session::Left { ends_at }
                | Session::Doubtful { ends_at }
                | Session::Stands { ends_at, .. } => ends_at <= now,
            }
    }
}

impl Asked {
    fn act(&self) -> Act {
        Act::of(self.shown)
    }

    /// What is known of the session after a fault, if `session` was known while it was asked.
    fn session_after(&self, fault: &Fault, session: Session) -> Session {
        match (self.act(), fault.kind) {
            // Nothing is left to end.
            (Act::Clear, FaultKind::NotFound) => Session::None,
            (
                act,
                FaultKind::TooSlow
                | FaultKind::Unreachable
                | FaultKind::Unavailable { .. }
                | FaultKind::Unreadable,
            ) => match (act, session) {
                // It may be shown no more.
                (Act::Clear, Session::Stands { ends_at, .. }) => Session::Doubtful { ends_at },
                _ => session,
            },
            // Refused, or never sent.
            _ => self.before,
        }
    }
}

impl Act {
    /// What is asked to have this shown, or nothing.
    fn of(shown: Option<Shown>) -> Self {
        if shown.is_some() { Self::Set } else { Self::Clear }
    }
}

impl Settings {
    /// How long a session lasts, as far as Graph grants it.
    fn lasts(&self) -> Duration {
        self.lasts.clamp(LASTS_MIN, LASTS_MAX)
    }

    /// After how long a session is renewed.
    fn renewal(&self, shown: Option<Shown>) -> Duration {
        let half = self.lasts() / 2;
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

/// How often a session of an earlier life is ended: so slowly that whoever is in a call now is not kept waiting.
const LEFT_EVERY: Duration = Duration::from_millis(50);

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
