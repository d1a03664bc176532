//! Presence: what Teams says about whether people are free ("presence resource type", "presence: setPresence").
//!
//! It is put together of what a person's own clients report, of the sessions of applications, and of what the
//! person prefers to be seen as. Time is handed in; what changed is told by [`Presences::poll_change`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use super::status::{Activity, Availability, Status};

/// The presence of everybody in the sandbox, by Entra object id.
#[derive(Clone, Debug, Default)]
pub struct Presences {
    people: BTreeMap<String, Person>,
    due: BTreeSet<(Timestamp, String)>,
    changed: VecDeque<String>,
    revision: u64,
}

impl Presences {
    /// Adds somebody who is signed in to Teams on one computer and available, or, if `licensed` is false, who has
    /// no presence at all, as a guest or a disabled account has none. Nothing changes if the person is known.
    pub fn add(&mut self, now: Timestamp, user: &str, licensed: bool) {
        if self.people.contains_key(user) {
            return;
        }
        let mut person = Person::new(now, licensed);
        if licensed {
            person.clients.insert(Client::Desktop, Status::AVAILABLE);
        }
        person.shown = person.status(now);
        self.people.insert(user.to_owned(), person);
    }

    /// Forgets somebody who was removed from the directory.
    pub fn remove(&mut self, user: &str) {
        if let Some(Person { due: Some(due), .. }) = self.people.remove(user) {
            self.due.remove(&(due, user.to_owned()));
        }
    }

    /// The person gets a presence, or loses it, as an account is enabled or disabled.
    pub fn license(&mut self, now: Timestamp, user: &str, licensed: bool) {
        if self.people.get(user).is_none_or(|person| person.licensed == licensed) {
            return;
        }
        if let Some(person) = self.people.get_mut(user) {
            person.licensed = true;
        }
        let told = self.change(now, user, |person| {
            person.licensed = licensed;
            person.clients.clear();
            person.apps.clear();
            if licensed {
                person.clients.insert(Client::Desktop, Status::AVAILABLE);
            }
        });
        debug_assert!(told.is_ok(), "the person is there and has a presence");
    }

    /// Whether there is such a person.
    pub fn has(&self, user: &str) -> bool {
        self.people.contains_key(user)
    }

    /// What Teams shows of somebody; [`Status::UNKNOWN`] of who is not known.
    pub fn status(&self, user: &str) -> Status {
        self.people.get(user).map_or(Status::UNKNOWN, |person| person.shown)
    }

    /// The `presence` resource as Graph answers it when asked.
    pub fn resource(&self, user: &str) -> Option<Value> {
        let person = self.people.get(user)?;
        let (availability, activity) = match &person.contradiction {
            Some(told) => (told.availability.clone(), told.activity.clone()),
            None => {
                (person.shown.availability.as_str().to_owned(), person.shown.activity.as_str().to_owned())
            }
        };
        Some(json!({
            "id": user,
            "availability": availability,
            "activity": activity,
            "statusMessage": person.message.as_ref().map(StatusMessage::resource),
            "outOfOfficeSettings": {
                "isOutOfOffice": person.out_of_office.is_some(),
                "message": person.out_of_office,
            },
            "sequenceNumber": person.sequence_number(),
            "workLocation": null,
        }))
    }

    /// What a page shows of somebody: what Teams shows, and what it is put together of.
    pub fn view(&self, user: &str) -> Option<View> {
        let person = self.people.get(user)?;
        Some(View {
            shown: person.shown,
            preferred: person.preferred.as_ref().map(|preferred| preferred.status),
            clients: person
                .clients
                .iter()
                .map(|(client, status)| ClientView { client: *client, status: *status })
                .collect(),
            apps: person
                .apps
                .iter()
                .map(|(app, session)| AppView {
                    app: app.clone(),
                    status: session.set,
                    expires: session.expires.to_string(),
                })
                .collect(),
            status_message: person.message.as_ref().map(|message| message.content.clone()),
            out_of_office: person.out_of_office.clone(),
            contradiction: person.contradiction.clone(),
            licensed: person.licensed,
            sequence_number: person.sequence_number(),
        })
    }

    /// `setPresence`: an application begins or renews its session for somebody.
    pub fn set_session(
        &mut self,
        now: Timestamp,
        user: &str,
        app: &str,
        status: Status,
        lasts: Option<SignedDuration>,
    ) -> Result<(), PresenceFault> {
        if !SESSION_STATUSES.contains(&status) {
            return Err(PresenceFault::Pair);
        }
        let lasts = lasts.unwrap_or(SESSION_DEFAULT);
        if lasts < SESSION_MIN || lasts > SESSION_MAX {
            return Err(PresenceFault::Duration);
        }
        let session = Session { set: status, since: now, expires: now + lasts };
        self.change(now, user, |person| {
            person.apps.insert(app.to_owned(), session);
        })
    }

    /// `clearPresence`: an application ends its session. Without one nothing changes.
    pub fn clear_session(&mut self, now: Timestamp, user: &str, app: &str) -> Result<(), PresenceFault> {
        self.change(now, user, |person| {
            person.apps.remove(app);
        })
    }

    /// `setUserPreferredPresence`: what the person wants to be seen as, whatever clients report.
    pub fn prefer(
        &mut self,
        now: Timestamp,
        user: &str,
        status: Status,
        lasts: Option<SignedDuration>,
    ) -> Result<(), PresenceFault> {
        if !PREFERRED_STATUSES.contains(&status) {
            return Err(PresenceFault::Pair);
        }
        let usual = match status.availability {
            Availability::DoNotDisturb | Availability::Busy => PREFERRED_BUSY_DEFAULT,
            _ => PREFERRED_DEFAULT,
        };
        let lasts = lasts.unwrap_or(usual);
        if lasts <= SignedDuration::ZERO || lasts > PREFERRED_MAX {
            return Err(PresenceFault::Duration);
        }
        let preferred = Preferred { status, expires: now + lasts };
        self.change(now, user, |person| person.preferred = Some(preferred))
    }

    /// `clearUserPreferredPresence`: the person is seen as the clients report again.
    pub fn prefer_nothing(&mut self, now: Timestamp, user: &str) -> Result<(), PresenceFault> {
        self.change(now, user, |person| person.preferred = None)
    }

    /// `setStatusMessage`: the words under the name; `None` or no words take them away.
    pub fn set_message(
        &mut self,
        now: Timestamp,
        user: &str,
        message: Option<StatusMessage>,
    ) -> Result<(), PresenceFault> {
        let message = message.filter(|message| !message.content.is_empty());
        if message.as_ref().is_some_and(|message| message.content.chars().count() > MESSAGE_LETTERS_MAX) {
            return Err(PresenceFault::Message);
        }
        self.change(now, user, |person| person.message = message)
    }

    /// The automatic replies of the mailbox: out of office with these words, or not.
    pub fn set_out_of_office(
        &mut self,
        now: Timestamp,
        user: &str,
        message: Option<String>,
    ) -> Result<(), PresenceFault> {
        self.change(now, user, |person| person.out_of_office = message)
    }

    /// One of the person's own clients reports what the person does; `None` signs it out.
    pub fn set_client(
        &mut self,
        now: Timestamp,
        user: &str,
        client: Client,
        status: Option<Status>,
    ) -> Result<(), PresenceFault> {
        self.change(now, user, |person| {
            match status {
                Some(status) => person.clients.insert(client, status),
                None => person.clients.remove(&client),
            };
        })
    }

    /// All clients of the person sign out.
    pub fn sign_out(&mut self, now: Timestamp, user: &str) -> Result<(), PresenceFault> {
        self.change(now, user, |person| person.clients.clear())
    }

    /// The person's own clients are in so many calls of the sandbox; while there is one, they report InACall.
    pub fn set_calls(&mut self, now: Timestamp, user: &str, calls: u32) -> Result<(), PresenceFault> {
        self.change(now, user, |person| person.calls = calls)
    }

    /// Graph, when asked, answers other than notifications told, with any two strings, until this is taken back.
    pub fn contradict(&mut self, user: &str, told: Option<Told>) -> Result<(), PresenceFault> {
        let person = self.people.get_mut(user).ok_or(PresenceFault::NoPerson)?;
        person.contradiction = told;
        self.revision += 1;
        Ok(())
    }

    /// Somebody whose presence as others see it changed since this was asked last.
    pub fn poll_change(&mut self) -> Option<String> {
        let user = self.changed.pop_front()?;
        if let Some(person) = self.people.get_mut(&user) {
            person.is_told_next = false;
        }
        Some(user)
    }

    /// Grows with everything that happens here.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// When something expires next.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Lets go of what has expired.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        while let Some((due, user)) = self.due.first().cloned()
            && due <= now
        {
            self.due.pop_first();
            if let Some(person) = self.people.get_mut(&user) {
                person.due = None;
            }
            let told = self.change(now, &user, |_| {});
            debug_assert!(told.is_ok(), "only people who are known are due");
        }
    }

    fn change(
        &mut self,
        now: Timestamp,
        user: &str,
        change: impl FnOnce(&mut Person),
    ) -> Result<(), PresenceFault> {
        let person = self.people.get_mut(user).ok_or(PresenceFault::NoPerson)?;
        if !person.licensed {
            return Err(PresenceFault::NoLicence);
        }
        self.revision += 1;
        let before = person.seen();
        change(person);
        person.expire(now);
        person.shown = person.status(now);
        if person.seen() != before {
            person.count(now);
            // A person who changes twice before anybody asked is told about once.
            if !std::mem::replace(&mut person.is_told_next, true) {
                self.changed.push_back(user.to_owned());
            }
        }
        let due = person.next_due(now);
        if due != person.due {
            if let Some(old) = std::mem::replace(&mut person.due, due) {
                self.due.remove(&(old, user.to_owned()));
            }
            if let Some(due) = due {
                self.due.insert((due, user.to_owned()));
            }
        }
        Ok(())
    }
}

/// One of a person's own Teams clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Client {
    /// Teams on a computer.
    Desktop,
    /// Teams on a telephone in the pocket.
    Mobile,
    /// Teams in a browser.
    Web,
}

/// Words under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusMessage {
    /// The words.
    pub content: String,
    /// `text` or `html`.
    pub content_type: String,
    /// When they were set.
    pub published: Timestamp,
    /// When they go away by themselves.
    pub expires: Option<Timestamp>,
}

impl StatusMessage {
    fn resource(&self) -> Value {
        json!({
            "message": { "content": self.content, "contentType": self.content_type },
            "publishedDateTime": self.published.to_string(),
            "expiryDateTime": self.expires.map(|at| json!({
                "dateTime": at.to_string().trim_end_matches('Z'),
                "timeZone": "UTC",
            })),
        })
    }
}

/// Two words of a presence that need not be any that Microsoft knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The availability.
    pub availability: String,
    /// The activity.
    pub activity: String,
}

/// What a presence is put together of.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// What others see.
    pub shown: Status,
    /// What the person prefers to be seen as.
    pub preferred: Option<Status>,
    /// The person's own clients.
    pub clients: Vec<ClientView>,
    /// The sessions of applications.
    pub apps: Vec<AppView>,
    /// The words under the name.
    pub status_message: Option<String>,
    /// The automatic reply, if the person is out of office.
    pub out_of_office: Option<String>,
    /// What Graph answers instead when asked.
    pub contradiction: Option<Told>,
    /// Whether the person has a presence at all.
    pub licensed: bool,
    /// Counts the changes.
    pub sequence_number: String,
}

/// A client and what it reports.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClientView {
    /// Which.
    pub client: Client,
    /// What it reports.
    pub status: Status,
}

/// An application's session.
#[derive(Clone, Debug, Serialize)]
pub struct AppView {
    /// The application's client id.
    pub app: String,
    /// What it set.
    pub status: Status,
    /// When the session ends by itself, RFC 3339.
    pub expires: String,
}

/// Why a presence is not changed. The caller's fault, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresenceFault {
    /// Nobody has this id.
    #[error("There is no such user.")]
    NoPerson,
    /// The account has no presence.
    #[error("The user has no Teams license.")]
    NoLicence,
    /// The pair of availability and activity cannot be set this way.
    #[error("The availability and activity combination is not supported.")]
    Pair,
    /// Not within the limits.
    #[error("The expirationDuration is out of range.")]
    Duration,
    /// The status message is too long.
    #[error("The status message is longer than 280 characters.")]
    Message,
}

#[derive(Clone, Debug)]
struct Person {
    licensed: bool,
    clients: BTreeMap<Client, Status>,
    calls: u32,
    apps: BTreeMap<String, Session>,
    preferred: Option<Preferred>,
    message: Option<StatusMessage>,
    out_of_office: Option<String>,
    contradiction: Option<Told>,
    shown: Status,
    sequence: u64,
    is_told_next: bool,
    due: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Session {
    set: Status,
    since: Timestamp,
    expires: Timestamp,
}

impl Session {
    /// What the session counts as now: an available one that is not renewed fades.
    fn status(&self, now: Timestamp) -> Status {
        if self.set.availability != Availability::Available {
            return self.set;
        }
        match now.duration_since(self.since) {
            age if age >= FADES_TO_AWAY_AFTER => Status::new(Availability::Away, Activity::Away),
            age if age >= FADES_AFTER => Status::new(Availability::AvailableIdle, Activity::Inactive),
            _ => self.set,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Preferred {
    status: Status,
    expires: Timestamp,
}

impl Person {
    fn new(now: Timestamp, licensed: bool) -> Self {
        Self {
            licensed,
            clients: BTreeMap::new(),
            calls: 0,
            apps: BTreeMap::new(),
            preferred: None,
            message: None,
            out_of_office: None,
            contradiction: None,
            shown: Status::UNKNOWN,
            sequence: now.as_millisecond().max(0).unsigned_abs(),
            is_told_next: false,
            due: None,
        }
    }

    /// Preferred beats sessions, but only while there is one; among sessions the greatest counts.
    fn status(&self, now: Timestamp) -> Status {
        if !self.licensed {
            return Status::UNKNOWN;
        }
        let calls = (self.calls > 0).then_some(Status::IN_A_CALL);
        let clients = self.clients.values().copied();
        let apps = self.apps.values().map(|session| session.status(now));
        let Some(greatest) = clients.chain(apps).chain(calls).max() else {
            return match self.out_of_office {
                Some(_) => Status::new(Availability::Offline, Activity::OutOfOffice),
                None => Status::OFFLINE,
            };
        };
        self.preferred.map_or(greatest, |preferred| preferred.status)
    }

    fn expire(&mut self, now: Timestamp) {
        self.apps.retain(|_, session| session.expires > now);
        self.preferred = self.preferred.take_if(|preferred| preferred.expires > now);
        self.message = self.message.take_if(|message| message.expires.is_none_or(|at| at > now));
    }

    fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let fades = self.apps.values().filter(|session| session.set.availability == Availability::Available);
        let fades =
            fades.flat_map(|session| [session.since + FADES_AFTER, session.since + FADES_TO_AWAY_AFTER]);
        let ends = self.apps.values().map(|session| session.expires);
        let preferred = self.preferred.iter().map(|preferred| preferred.expires);
        let message = self.message.iter().filter_map(|message| message.expires);
        fades.chain(ends).chain(preferred).chain(message).filter(|due| *due > now).min()
    }

    fn seen(&self) -> (Status, Option<StatusMessage>, Option<String>) {
        (self.shown, self.message.clone(), self.out_of_office.clone())
    }

    /// Milliseconds make numbers of a restarted sandbox greater than those before.
    fn count(&mut self, now: Timestamp) {
        let now = now.as_millisecond().max(0).unsigned_abs();
        self.sequence = now.max(self.sequence + 1);
    }

    /// Sortable as text.
    fn sequence_number(&self) -> String {
        format!("{:020}", self.sequence)
    }
}

/// What `setPresence` takes.
const SESSION_STATUSES: [Status; 5] = [
    Status::AVAILABLE,
    Status::IN_A_CALL,
    Status::new(Availability::Busy, Activity::InAConferenceCall),
    Status::new(Availability::Away, Activity::Away),
    Status::new(Availability::DoNotDisturb, Activity::Presenting),
];
/// What `setUserPreferredPresence` takes.
const PREFERRED_STATUSES: [Status; 6] = [
    Status::AVAILABLE,
    Status::new(Availability::Busy, Activity::Busy),
    Status::new(Availability::DoNotDisturb, Activity::DoNotDisturb),
    Status::new(Availability::BeRightBack, Activity::BeRightBack),
    Status::new(Availability::Away, Activity::Away),
    Status::new(Availability::Offline, Activity::OffWork),
];
const SESSION_MIN: SignedDuration = SignedDuration::from_mins(5);
const SESSION_MAX: SignedDuration = SignedDuration::from_hours(4);
const SESSION_DEFAULT: SignedDuration = SESSION_MIN;
const PREFERRED_BUSY_DEFAULT: SignedDuration = SignedDuration::from_hours(24);
const PREFERRED_DEFAULT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Chosen by taste: Microsoft names no greatest duration, and a timestamp must stay within its range.
const PREFERRED_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);
/// An available session of an application that is not renewed becomes inactive after this ("presence: setPresence").
const FADES_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// And away after this.
const FADES_TO_AWAY_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Teams' own limit; a longer one is refused.
const MESSAGE_LETTERS_MAX: usize = 280;

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "fa273707-89ea-4085-9903-ddf4ab236300";
    const APP: &str = "11111111-2222-4333-8444-555555555555";

    fn noon() -> Timestamp {
        "2026-03-02T12:00:00Z".parse().unwrap()
    }

    fn minutes(count: i64) -> SignedDuration {
        SignedDuration::from_mins(count)
    }

    fn with_ann() -> Presences {
        let mut presences = Presences::default();
        presences.add(noon(), ANN, true);
        presences
    }

    fn shown(presences: &Presences) -> (&'static str, &'static str) {
        let status = presences.status(ANN);
        (status.availability.as_str(), status.activity.as_str())
    }

    #[test]
    fn a_session_of_an_app_fades_and_ends() {
        let mut presences = with_ann();
        presences.sign_out(noon(), ANN).unwrap();
        assert_eq!(shown(&presences), ("Offline", "Offline"));
        presences.set_session(noon(), ANN, APP, Status::AVAILABLE, Some(minutes(30))).unwrap();
        let mut seen = vec![shown(&presences)];
        let mut times = Vec::new();
        while let Some(due) = presences.poll_timeout() {
            presences.handle_timeout(due);
            times.push(due.duration_since(noon()).as_mins());
            seen.push(shown(&presences));
        }
        assert_eq!(times, [5, 10, 30]);
        assert_eq!(
            seen,
            [
                ("Available", "Available"),
                ("AvailableIdle", "Inactive"),
                ("Away", "Away"),
                ("Offline", "Offline")
            ]
        );
    }

    #[test]
    fn what_the_person_prefers_beats_every_session_but_needs_one() {
        let mut presences = with_ann();
        let quiet = Status::new(Availability::DoNotDisturb, Activity::DoNotDisturb);
        presences.prefer(noon(), ANN, quiet, None).unwrap();
        presences.set_session(noon(), ANN, APP, Status::AVAILABLE, None).unwrap();
        assert_eq!(shown(&presences), ("DoNotDisturb", "DoNotDisturb"), "an app never beats the person");
        presences.sign_out(noon(), ANN).unwrap();
        presences.clear_session(noon(), ANN, APP).unwrap();
        assert_eq!(shown(&presences), ("Offline", "Offline"), "without a session it has no effect");
        presences.set_client(noon(), ANN, Client::Mobile, Some(Status::AVAILABLE)).unwrap();
        presences.handle_timeout(noon() + SignedDuration::from_hours(24));
        assert_eq!(shown(&presences), ("Available", "Available"), "do not disturb ends after a day");
    }

    #[test]
    fn among_sessions_do_not_disturb_wins_then_busy_then_available_then_away() {
        let mut presences = with_ann();
        let away = Status::new(Availability::Away, Activity::Away);
        presences.set_client(noon(), ANN, Client::Mobile, Some(away)).unwrap();
        assert_eq!(shown(&presences), ("Available", "Available"));
        presences.set_session(noon(), ANN, APP, Status::IN_A_CALL, None).unwrap();
        assert_eq!(shown(&presences), ("Busy", "InACall"));
        let presenting = Status::new(Availability::DoNotDisturb, Activity::Presenting);
        presences.set_client(noon(), ANN, Client::Desktop, Some(presenting)).unwrap();
        assert_eq!(shown(&presences), ("DoNotDisturb", "Presenting"));
    }

    #[test]
    fn pairs_and_durations_that_graph_refuses_are_refused() {
        let mut presences = with_ann();
        let busy = Status::new(Availability::Busy, Activity::Busy);
        assert_eq!(presences.set_session(noon(), ANN, APP, busy, None), Err(PresenceFault::Pair));
        assert_eq!(presences.prefer(noon(), ANN, Status::IN_A_CALL, None), Err(PresenceFault::Pair));
        for wrong in [minutes(4), SignedDuration::from_secs(4 * 3600 + 1)] {
            let told = presences.set_session(noon(), ANN, APP, Status::AVAILABLE, Some(wrong));
            assert_eq!(told, Err(PresenceFault::Duration));
        }
    }

    #[test]
    fn a_change_is_told_once_and_counts_up() {
        let mut presences = with_ann();
        let before = presences.view(ANN).unwrap().sequence_number;
        presences.set_client(noon(), ANN, Client::Mobile, Some(Status::AVAILABLE)).unwrap();
        assert_eq!(presences.poll_change(), None, "nothing that others see");
        presences.set_calls(noon(), ANN, 1).unwrap();
        presences.set_out_of_office(noon(), ANN, Some("Back on Monday".to_owned())).unwrap();
        assert_eq!(presences.poll_change().as_deref(), Some(ANN));
        assert_eq!(presences.poll_change(), None);
        assert!(presences.view(ANN).unwrap().sequence_number > before);
        assert_eq!(presences.resource(ANN).unwrap()["outOfOfficeSettings"]["isOutOfOffice"], true);
    }

    #[test]
    fn a_poll_can_contradict_what_was_told() {
        let mut presences = with_ann();
        let told = Told { availability: "Levitating".to_owned(), activity: "Humming".to_owned() };
        presences.contradict(ANN, Some(told)).unwrap();
        assert_eq!(presences.resource(ANN).unwrap()["availability"], "Levitating");
        assert_eq!(shown(&presences), ("Available", "Available"));
    }

    #[test]
    fn every_pair_that_can_be_set_exists() {
        for status in SESSION_STATUSES.into_iter().chain(PREFERRED_STATUSES) {
            assert!(status.exists(), "{status:?}");
            let read = Status::parse(status.availability.as_str(), status.activity.as_str());
            assert_eq!(read, Some(status));
        }
    }
}
