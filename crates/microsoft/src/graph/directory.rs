//! The users of a tenant, read once in full and then followed by what changes (delta query).
//!
//! A round goes page by page along links that Graph gives, and ends with a link for the next round. Graph forgets that
//! link after some days: then all users are read again, and whoever is not named in that full round is gone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value};

use crate::graph::call::{
    ANSWER_AFTER_MAX, Answer, Call, Caller, LINK_OCTETS_MAX, NoAnswer, Operation, Target,
};
use crate::graph::fault::{Fault, FaultKind};
use crate::graph::throttle::{Family, Throttle, back_off};
use crate::graph::watch::CallId;
use crate::http::Method;
use crate::id::ObjectId;

/// What a change says of one property.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Field<T> {
    /// Nothing: it is as it was.
    #[default]
    Unsaid,
    /// It has no value any more.
    Cleared,
    /// It has this value now.
    Said(T),
}

/// What is said of one user: everything the first time, later at least what changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserChange {
    /// Who.
    pub user: ObjectId,
    /// The name to be shown.
    pub display_name: Field<Box<str>>,
    /// The first name.
    pub given_name: Field<Box<str>>,
    /// The family name.
    pub surname: Field<Box<str>>,
    /// The name to sign in with; it may change, and be given to somebody else.
    pub user_principal_name: Field<Box<str>>,
    /// The mail address.
    pub mail: Field<Box<str>>,
    /// What the person does in the company.
    pub job_title: Field<Box<str>>,
    /// Where in the company.
    pub department: Field<Box<str>>,
    /// In which company.
    pub company: Field<Box<str>>,
    /// Where the person sits.
    pub office: Field<Box<str>>,
    /// The language, such as `fr-CH`.
    pub language: Field<Box<str>>,
    /// Telephone numbers at work, as people wrote them; at most [`PHONES_MAX`].
    pub phones: Field<Vec<Box<str>>>,
    /// The mobile number, as people wrote it.
    pub mobile: Field<Box<str>>,
    /// Whether the person may sign in.
    pub enabled: Field<bool>,
    /// Whether the person is a guest of another organisation.
    pub guest: Field<bool>,
}

/// How users are followed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long after a round the next one begins. Never shorter than 10 s.
    pub every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { every: Duration::from_secs(5 * 60) }
    }
}

/// What a reading of users wants done, or tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this, and hand in what comes back with [`UserSync::handle_answer`].
    Call {
        /// The number to hand the answer in with.
        id: CallId,
        /// What to send.
        call: Call,
    },
    /// A round begins. A full one names all users; one that began before it and did not end, never will.
    RoundBegins {
        /// Whether all users are named in it, or only changes.
        full: bool,
    },
    /// A user, or a change of one.
    User(Box<UserChange>),
    /// A user is gone.
    Removed {
        /// Who.
        user: ObjectId,
        /// Whether for good: otherwise an administrator can bring the user back.
        for_good: bool,
    },
    /// A round has ended. After a full one, whoever was not named in it is gone.
    RoundEnds {
        /// Whether it named all users.
        full: bool,
        /// Where the next one begins; to be kept, and handed in after a restart.
        next: DeltaLink,
    },
    /// The token is not accepted: a fresh one is needed.
    TokenRefused,
    /// Users cannot be read, for a reason that does not pass by itself. It is tried again later.
    Refused {
        /// What Graph said.
        fault: Fault,
    },
}

/// Where the next round begins: a link of Graph's, of no meaning to anybody else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeltaLink(String);

impl DeltaLink {
    /// From what was kept; none if it is longer than [`LINK_OCTETS_MAX`].
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty() && text.len() <= LINK_OCTETS_MAX).then_some(Self(text))
    }

    /// To be kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads the users of one Entra tenant, and follows what changes.
#[derive(Debug)]
pub struct UserSync {
    settings: Settings,
    random: StdRng,
    state: State,
    /// Where the next round begins; none: with all users.
    delta: Option<DeltaLink>,
    calls_made: u64,
    faults: u32,
    /// Full rounds begun in a row without one ending.
    starts: u32,
    told: bool,
    /// The last answer was that users may not be read, or there was no token.
    refused: bool,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
enum State {
    /// Until the next round.
    Resting { until: Instant },
    /// A page is to be asked for then.
    Due { at: Instant, round: Round },
    /// A page is on its way.
    Asking { id: CallId, at: Instant, round: Round },
}

/// A round under way.
#[derive(Clone, Debug)]
struct Round {
    full: bool,
    pages: u32,
    /// The page to be asked for; none: the first of a full round.
    link: Option<String>,
}

impl UserSync {
    /// Begins at once: with all users, or where a round ended before.
    #[must_use]
    pub fn new(now: Instant, settings: Settings, resume: Option<DeltaLink>, seed: u64) -> Self {
        Self {
            settings,
            random: StdRng::seed_from_u64(seed),
            state: State::Resting { until: now },
            delta: resume,
            calls_made: 0,
            faults: 0,
            starts: 0,
            told: false,
            refused: false,
            outputs: VecDeque::new(),
        }
    }

    /// Begins the next round at once, if none is under way.
    pub fn look(&mut self, now: Instant) {
        if let State::Resting { until } = &mut self.state {
            *until = now.min(*until);
        }
    }

    /// What was refused may be allowed now, for a token is given again or somebody has consented: asks at once, instead of
    /// after the pause that follows a refusal.
    pub fn resume(&mut self, now: Instant) {
        if let State::Due { at, .. } = &mut self.state {
            *at = now.min(*at);
        }
    }

    /// Whether users may not be read, as was last heard: nothing is asked but, now and then, whether they may again.
    /// [`UserSync::resume`] asks at once.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refused
    }

    /// Takes what came of a call.
    pub fn handle_answer(&mut self, now: Instant, id: CallId, answer: &Answer, throttle: &mut Throttle) {
        let (at, round) = match &self.state {
            State::Asking { id: asked, at, round } if *asked == id => (*at, round.clone()),
            _ => return,
        };
        let page = Fault::read(Operation::ReadUsers, answer, |response| Page::read(&response.body));
        throttle.heard(now, at, Family::Directory, page.as_ref().map(|_| ()));
        self.refused = page.as_ref().is_err_and(is_refusal);
        match page {
            Ok(page) => self.on_page(now, round, page),
            Err(fault) => self.on_fault(now, round, fault),
        }
    }

    /// Does what is due. Too early is harmless.
    pub fn handle_timeout(&mut self, now: Instant, throttle: &mut Throttle) {
        match &self.state {
            State::Asking { id, at, .. } if now >= *at + ANSWER_AFTER_MAX => {
                let id = *id;
                self.handle_answer(now, id, &Err(NoAnswer::TooSlow), throttle);
            }
            State::Resting { until } if now >= *until => self.begin(now),
            _ => {}
        }
        let State::Due { at, round } = &self.state else { return };
        if now < *at {
            return;
        }
        let round = round.clone();
        if let Err(later) = throttle.admit(now, Family::Directory) {
            self.state = State::Due { at: later, round };
            return;
        }
        let id = CallId(self.calls_made);
        self.calls_made += 1;
        self.outputs.push_back(Output::Call { id, call: page(round.link.as_deref()) });
        self.state = State::Asking { id, at: now, round };
    }

    /// The next thing to do or to know, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`UserSync::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        match &self.state {
            State::Resting { until } => *until,
            State::Due { at, .. } => *at,
            State::Asking { at, .. } => *at + ANSWER_AFTER_MAX,
        }
    }

    fn begin(&mut self, now: Instant) {
        let link = self.delta.as_ref().map(|link| link.0.clone());
        let full = link.is_none();
        self.outputs.push_back(Output::RoundBegins { full });
        self.state = State::Due { at: now, round: Round { full, pages: 0, link } };
    }

    fn on_page(&mut self, now: Instant, mut round: Round, page: Page) {
        self.faults = 0;
        self.told = false;
        for item in page.items {
            match item {
                PageItem::User(change) => self.outputs.push_back(Output::User(change)),
                PageItem::Removed { user, for_good } => {
                    self.outputs.push_back(Output::Removed { user, for_good });
                }
            }
        }
        round.pages += 1;
        match page.link {
            // A link to where we are leads nowhere.
            PageLink::Next(link) if Some(&link) == round.link.as_ref() || round.pages >= PAGES_MAX => {
                self.start_over(now);
            }
            PageLink::Next(link) => {
                round.link = Some(link);
                self.state = State::Due { at: now, round };
            }
            PageLink::Delta(next) => {
                self.starts = 0;
                self.delta = Some(next.clone());
                self.outputs.push_back(Output::RoundEnds { full: round.full, next });
                let pause = self.settings.every.max(EVERY_MIN).mul_f64(self.random.random_range(0.9..=1.0));
                self.state = State::Resting { until: now + pause };
            }
        }
    }

    fn on_fault(&mut self, now: Instant, round: Round, fault: Fault) {
        self.faults = self.faults.saturating_add(1);
        let at = now + back_off(self.faults, &mut self.random);
        match fault.kind {
            FaultKind::Unauthorised | FaultKind::NoToken => {
                self.outputs.push_back(Output::TokenRefused);
                self.state = State::Due { at, round };
            }
            // What a link names is forgotten, or was never so: it does not come back.
            FaultKind::Gone | FaultKind::Rejected | FaultKind::NotFound if round.link.is_some() => {
                self.start_over(now);
            }
            _ if fault.is_passing() => self.state = State::Due { at, round },
            _ => {
                if !self.told {
                    self.told = true;
                    self.outputs.push_back(Output::Refused { fault });
                }
                self.state = State::Due { at: now + REFUSED_AGAIN, round };
            }
        }
    }

    /// Reads all users again; not at once if that has just been tried.
    fn start_over(&mut self, now: Instant) {
        self.delta = None;
        self.starts = self.starts.saturating_add(1);
        let pause =
            if self.starts == 1 { Duration::ZERO } else { back_off(self.starts, &mut self.random) * 10 };
        self.state = State::Resting { until: now + pause };
    }
}

/// Whether somebody has to permit something.
fn is_refusal(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Forbidden | FaultKind::NoToken)
}

/// Pages of one round; then it is taken for endless, and begun anew. 5 million users.
pub const PAGES_MAX: u32 = 5_000;

/// Telephone numbers of one person that are kept.
pub const PHONES_MAX: usize = 8;

/// Octets of a text that are kept of a user.
const TEXT_OCTETS_MAX: usize = 256;

/// The shortest pause between rounds: Graph's index of its directory lags by more.
const EVERY_MIN: Duration = Duration::from_secs(10);

/// How long after a refusal it is tried again.
const REFUSED_AGAIN: Duration = Duration::from_secs(15 * 60);

/// What is asked of each user. Graph remembers it in its links.
const PATH: &str = "/users/delta?$select=id,displayName,givenName,surname,userPrincipalName,mail,businessPhones,\
    mobilePhone,jobTitle,department,companyName,officeLocation,preferredLanguage,accountEnabled,userType";

/// Users on a page: Graph's most.
const PAGE_USERS: &str = "odata.maxpagesize=999";

/// Asks for a page.
fn page(link: Option<&str>) -> Call {
    let target = link.map_or_else(|| Target::Path(PATH.to_owned()), |link| Target::Link(link.to_owned()));
    Call::new(Operation::ReadUsers, Caller::Application, Method::Get, target).header("Prefer", PAGE_USERS)
}

/// A page of users.
struct Page {
    items: Vec<PageItem>,
    link: PageLink,
}

enum PageItem {
    User(Box<UserChange>),
    Removed { user: ObjectId, for_good: bool },
}

/// Where it goes on.
enum PageLink {
    Next(String),
    Delta(DeltaLink),
}

impl Page {
    /// Reads a page; none if it is none, or leads nowhere. Entries without an id are left out.
    fn read(body: &[u8]) -> Option<Self> {
        let mut body: Map<String, Value> = serde_json::from_slice(body).ok()?;
        let Some(Value::Array(value)) = body.remove("value") else { return None };
        let mut link = |name| match body.remove(name) {
            Some(Value::String(link)) => DeltaLink::new(link),
            _ => None,
        };
        let link = match (link("@odata.nextLink"), link("@odata.deltaLink")) {
            (Some(next), _) => PageLink::Next(next.0),
            (None, Some(delta)) => PageLink::Delta(delta),
            (None, None) => return None,
        };
        Some(Self { items: value.iter().filter_map(item).collect(), link })
    }
}

fn item(value: &Value) -> Option<PageItem> {
    let value = value.as_object()?;
    let user = value.get("id")?.as_str()?.parse().ok()?;
    if let Some(removed) = value.get("@removed") {
        let for_good = removed.get("reason").and_then(Value::as_str) == Some("deleted");
        return Some(PageItem::Removed { user, for_good });
    }
    let text = |name| field(value, name, |value| value.as_str().map(short));
    Some(PageItem::User(Box::new(UserChange {
        user,
        display_name: text("displayName"),
        given_name: text("givenName"),
        surname: text("surname"),
        user_principal_name: text("userPrincipalName"),
        mail: text("mail"),
        job_title: text("jobTitle"),
        department: text("department"),
        company: text("companyName"),
        office: text("officeLocation"),
        language: text("preferredLanguage"),
        phones: field(value, "businessPhones", phones),
        mobile: text("mobilePhone"),
        enabled: field(value, "accountEnabled", Value::as_bool),
        guest: field(value, "userType", |value| Some(value.as_str()?.eq_ignore_ascii_case("guest"))),
    })))
}

/// A property; a value of another kind than it should have says nothing.
fn field<T>(value: &Map<String, Value>, name: &str, read: impl Fn(&Value) -> Option<T>) -> Field<T> {
    match value.get(name) {
        None => Field::Unsaid,
        Some(Value::Null) => Field::Cleared,
        Some(value) => read(value).map_or(Field::Unsaid, Field::Said),
    }
}

fn phones(value: &Value) -> Option<Vec<Box<str>>> {
    let numbers = value.as_array()?.iter().filter_map(Value::as_str);
    Some(numbers.take(PHONES_MAX).map(short).collect())
}

/// At most so many octets, cut between characters.
pub(crate) fn short(text: &str) -> Box<str> {
    let end = (0..=TEXT_OCTETS_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default().into()
}
