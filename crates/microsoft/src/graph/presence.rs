//! What Teams says of a person: free, busy, in a call, away; and what that means to others.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::graph::call::{Answer, Call, Caller, Operation};
use crate::graph::fault::Fault;
use crate::id::ObjectId;

/// The presence of one person, as Graph said it last.
///
/// Both texts are kept as they came: Graph declares them as open strings, and new ones appear.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Presence {
    /// The rough state, such as `Busy`.
    pub availability: Cow<'static, str>,
    /// What the person does, such as `InACall`.
    pub activity: Cow<'static, str>,
    /// Graph's number of this state; a greater one is newer. Notifications do not bring it.
    pub sequence: Option<Sequence>,
    /// Whether the person has an automatic reply for the time of an absence; none if it was not said.
    pub out_of_office: Option<bool>,
    /// Where the person works from, such as `office` or `remote`; none if it was not said.
    pub work_location: Option<Box<str>>,
}

/// The number that Graph gives the states of one person. It is a text; greater is newer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sequence(Box<str>);

/// What a presence means to those who want to reach the person, whatever Microsoft calls it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Signed in and free; perhaps not at the keyboard ([`Presence::is_idle`]).
    Available,
    /// Has something to do: a meeting, or said so.
    Busy,
    /// In a call or an audio conference.
    InCall,
    /// Does not want to be disturbed, presents, or concentrates.
    DoNotDisturb,
    /// Signed in, but not there.
    Away,
    /// Not signed in, or appears so.
    Offline,
    /// Graph does not know, or says something that we do not know: nobody is to be offered anything on that.
    Unknown,
}

/// Whether the person chose the state, as far as it can be told from outside.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The person set it by hand.
    ByPerson,
    /// It follows from what the person does: a call, a meeting, an idle keyboard.
    Automatic,
    /// Both ways lead to it.
    CannotTell,
}

impl Presence {
    /// From the two texts alone, as a notification brings them.
    #[must_use]
    pub fn new(availability: &str, activity: &str) -> Self {
        Self {
            availability: known(availability),
            activity: known(activity),
            sequence: None,
            out_of_office: None,
            work_location: None,
        }
    }

    /// What it means to those who want to reach the person.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        self.row().map_or_else(|| self.meaning_of_new_activity(), |row| row.meaning)
    }

    /// Whether the person chose it, as far as can be told.
    #[must_use]
    pub fn choice(&self) -> Choice {
        self.row().map_or(Choice::CannotTell, |row| row.choice)
    }

    /// Signed in without having touched keyboard or mouse for five minutes.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        ["AvailableIdle", "BusyIdle"].contains(&&*self.availability) || self.activity == "Inactive"
    }

    /// Whether the same is said of the person, whatever its number.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.availability == other.availability
            && self.activity == other.activity
            && same_if_both(self.out_of_office.as_ref(), other.out_of_office.as_ref())
            && same_if_both(self.work_location.as_ref(), other.work_location.as_ref())
    }

    /// Takes from an older one what this one does not say.
    #[must_use]
    pub(crate) fn completed_by(mut self, older: &Self) -> Self {
        self.out_of_office = self.out_of_office.or(older.out_of_office);
        self.work_location = self.work_location.or_else(|| older.work_location.clone());
        self
    }

    fn row(&self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.availability == self.availability && row.activity == self.activity)
    }

    /// An activity that is not in the table keeps what its availability denies, and never makes anybody available.
    fn meaning_of_new_activity(&self) -> Meaning {
        let of_availability = TABLE.iter().find(|row| row.availability == self.availability);
        match of_availability.map(|row| row.meaning) {
            None | Some(Meaning::Available) => Meaning::Unknown,
            Some(meaning) => meaning,
        }
    }
}

impl Sequence {
    /// Keeps Graph's number; none if it is empty or longer than 64 octets.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && text.len() <= SEQUENCE_OCTETS_MAX).then(|| Self(text.into()))
    }
}

/// Two numbers by value, of any length; two other texts as texts; a number before any other text.
impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> Ordering {
        let number = |text: &Self| text.0.bytes().all(|b| b.is_ascii_digit());
        match (number(self), number(other)) {
            (true, true) => {
                let (a, b) = (self.0.trim_start_matches('0'), other.0.trim_start_matches('0'));
                a.len().cmp(&b.len()).then_with(|| a.cmp(b)).then_with(|| self.0.cmp(&other.0))
            }
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.0.cmp(&other.0),
        }
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Asks for the presence of these people, at most [`IDS_MAX`].
#[must_use]
pub fn read(caller: Caller, people: &[ObjectId]) -> Call {
    #[derive(Serialize)]
    struct Ids<'a> {
        ids: &'a [ObjectId],
    }
    Call::post(Operation::ReadPresences, caller, "/communications/getPresencesByUserId")
        .json(&Ids { ids: people.get(..IDS_MAX).unwrap_or(people) })
}

/// What Graph answered to [`read`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Presences {
    /// The people it knows, in the order it named them.
    pub said: Vec<(ObjectId, Presence)>,
    /// The people it was asked for and left out: it does not know them, or may not say.
    pub omitted: Vec<ObjectId>,
    /// Entries that name nobody who was asked for, or cannot be read.
    pub strange: usize,
}

impl Presences {
    /// Reads the answer to [`read`] for these people.
    ///
    /// # Errors
    /// The call was not done, or the answer cannot be read.
    pub fn from_answer(asked: &[ObjectId], answer: &Answer) -> Result<Self, Fault> {
        let page = Fault::read(Operation::ReadPresences, answer, |response| entries(&response.body))?;
        let mut missing: BTreeSet<ObjectId> = asked.iter().copied().collect();
        let mut answer = Self::default();
        for wire in page {
            match wire.and_then(|wire| Some((wire.id.as_deref()?.parse().ok()?, wire.presence()))) {
                Some((person, presence)) if missing.remove(&person) => answer.said.push((person, presence)),
                _ => answer.strange += 1,
            }
        }
        answer.omitted = missing.into_iter().collect();
        Ok(answer)
    }
}

/// Reads the presence in a notification's decrypted content: who, and what.
#[must_use]
pub fn from_resource(json: &[u8]) -> Option<(ObjectId, Presence)> {
    let wire: Wire = serde_json::from_slice(json).ok()?;
    let person = wire.id.as_deref()?.parse().ok()?;
    // Without the state there is nothing to be told.
    wire.availability.as_ref()?;
    Some((person, wire.presence()))
}

/// How many people one request or one subscription may name.
pub const IDS_MAX: usize = 650;

/// Octets of a state that are kept; the longest known one has 23.
const STATE_OCTETS_MAX: usize = 64;

/// Octets of a sequence number; a longer one is taken for none.
const SEQUENCE_OCTETS_MAX: usize = 64;

struct Row {
    availability: &'static str,
    activity: &'static str,
    meaning: Meaning,
    choice: Choice,
}

const fn row(availability: &'static str, activity: &'static str, meaning: Meaning, choice: Choice) -> Row {
    Row { availability, activity, meaning, choice }
}

/// The one table of what Graph's pairs mean.
///
/// What a person can choose by hand is what setUserPreferredPresence accepts: Available, Busy/Busy,
/// DoNotDisturb/DoNotDisturb, BeRightBack, Away/Away, Offline/OffWork. Of these, Available, Away and Busy also come by themselves
/// (Microsoft Graph: presence, setUserPreferredPresence).
const TABLE: &[Row] = {
    use Choice::{Automatic, ByPerson, CannotTell};
    use Meaning as M;
    &[
        row("Available", "Available", M::Available, CannotTell),
        row("AvailableIdle", "AvailableIdle", M::Available, Automatic),
        row("AvailableIdle", "Inactive", M::Available, Automatic),
        row("Busy", "Busy", M::Busy, CannotTell),
        row("Busy", "InACall", M::InCall, Automatic),
        row("Busy", "InAConferenceCall", M::InCall, Automatic),
        row("Busy", "InAMeeting", M::Busy, Automatic),
        row("BusyIdle", "BusyIdle", M::Busy, CannotTell),
        row("BusyIdle", "Inactive", M::Busy, CannotTell),
        row("DoNotDisturb", "DoNotDisturb", M::DoNotDisturb, ByPerson),
        row("DoNotDisturb", "Presenting", M::DoNotDisturb, Automatic),
        row("DoNotDisturb", "UrgentInterruptionsOnly", M::DoNotDisturb, ByPerson),
        row("DoNotDisturb", "Focusing", M::DoNotDisturb, Automatic),
        row("BeRightBack", "BeRightBack", M::Away, ByPerson),
        row("Away", "Away", M::Away, CannotTell),
        row("Away", "Inactive", M::Away, Automatic),
        row("Offline", "Offline", M::Offline, CannotTell),
        row("Offline", "OffWork", M::Offline, ByPerson),
        row("Offline", "OutOfOffice", M::Offline, CannotTell),
        row("PresenceUnknown", "PresenceUnknown", M::Unknown, CannotTell),
    ]
};

/// The text of the table without a copy, or a bounded copy of another.
fn known(text: &str) -> Cow<'static, str> {
    let of_table = TABLE.iter().flat_map(|row| [row.availability, row.activity]).find(|known| *known == text);
    match of_table {
        Some(known) => Cow::Borrowed(known),
        None => Cow::Owned(bounded(text)),
    }
}

fn bounded(text: &str) -> String {
    let end = (0..=STATE_OCTETS_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned()
}

fn same_if_both<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
    a.zip(b).is_none_or(|(a, b)| a == b)
}

/// The entries of an answer; none for each that cannot be read. Nearly always all can be, and are read at one go.
fn entries(body: &[u8]) -> Option<Vec<Option<Wire>>> {
    if let Ok(page) = serde_json::from_slice::<Page<Wire>>(body) {
        return Some(page.value.into_iter().map(Some).collect());
    }
    let page: Page<serde_json::Value> = serde_json::from_slice(body).ok()?;
    Some(page.value.into_iter().map(|value| serde_json::from_value(value).ok()).collect())
}

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
}

/// A presence as Graph writes it.
#[derive(Deserialize)]
struct Wire {
    id: Option<String>,
    availability: Option<String>,
    activity: Option<String>,
    #[serde(rename = "sequenceNumber")]
    sequence: Option<String>,
    #[serde(rename = "outOfOfficeSettings")]
    out_of_office: Option<OutOfOffice>,
    #[serde(rename = "workLocation")]
    work_location: Option<WorkLocation>,
}

#[derive(Deserialize)]
struct OutOfOffice {
    #[serde(rename = "isOutOfOffice")]
    is: Option<bool>,
}

#[derive(Deserialize)]
struct WorkLocation {
    #[serde(rename = "workLocationType")]
    kind: Option<String>,
}

impl Wire {
    fn presence(self) -> Presence {
        let text = |text: Option<String>| text.as_deref().map_or(Cow::Borrowed("PresenceUnknown"), known);
        Presence {
            availability: text(self.availability),
            activity: text(self.activity),
            sequence: self.sequence.as_deref().and_then(Sequence::new),
            out_of_office: self.out_of_office.and_then(|settings| settings.is),
            work_location: self
                .work_location
                .and_then(|location| location.kind)
                .map(|kind| bounded(&kind).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::Response;
    use crate::id::Guid;

    fn person(number: u8) -> ObjectId {
        ObjectId(Guid::from_octets([number; 16]))
    }

    fn answer(body: &str) -> Answer {
        Ok(Response { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() })
    }

    #[test]
    fn each_documented_pair_means_something_and_what_is_new_never_means_free() {
        let meaning = |availability, activity| Presence::new(availability, activity).meaning();
        assert_eq!(meaning("Available", "Available"), Meaning::Available);
        assert_eq!(meaning("AvailableIdle", "Inactive"), Meaning::Available);
        assert_eq!(meaning("Busy", "InACall"), Meaning::InCall);
        assert_eq!(meaning("Busy", "InAMeeting"), Meaning::Busy);
        assert_eq!(meaning("DoNotDisturb", "Focusing"), Meaning::DoNotDisturb);
        assert_eq!(meaning("BeRightBack", "BeRightBack"), Meaning::Away);
        assert_eq!(meaning("Offline", "OffWork"), Meaning::Offline);
        assert_eq!(meaning("PresenceUnknown", "PresenceUnknown"), Meaning::Unknown);
        assert_eq!(meaning("Available", "Juggling"), Meaning::Unknown);
        assert_eq!(meaning("DoNotDisturb", "Juggling"), Meaning::DoNotDisturb);
        assert_eq!(meaning("Levitating", "Available"), Meaning::Unknown);
        assert_eq!(meaning("", ""), Meaning::Unknown);
        assert_eq!(meaning("available", "available"), Meaning::Unknown);
    }

    #[test]
    fn what_a_person_chose_is_told_where_it_can_be() {
        assert_eq!(Presence::new("DoNotDisturb", "DoNotDisturb").choice(), Choice::ByPerson);
        assert_eq!(Presence::new("DoNotDisturb", "Presenting").choice(), Choice::Automatic);
        assert_eq!(Presence::new("Available", "Available").choice(), Choice::CannotTell);
        assert_eq!(Presence::new("x", "y").choice(), Choice::CannotTell);
        assert!(Presence::new("BusyIdle", "Inactive").is_idle());
        assert!(!Presence::new("Busy", "Busy").is_idle());
    }

    #[test]
    fn an_answer_tells_who_was_left_out_and_what_is_strange() {
        let (ada, bob, eve) = (person(0xaa), person(0xbb), person(0xee));
        let body = format!(
            r#"{{"value":[
              {{"id":"{}","availability":"Busy","activity":"InACall","sequenceNumber":"A12",
                "outOfOfficeSettings":{{"isOutOfOffice":true,"message":null}},
                "workLocation":{{"workLocationType":"office","placeId":null}},"statusMessage":null}},
              {{"id":"{eve}","availability":"Available","activity":"Available"}},
              {{"id":5}}]}}"#,
            ada.to_string().to_uppercase()
        );
        let read = Presences::from_answer(&[ada, bob], &answer(&body)).unwrap();
        assert_eq!(read.omitted, [bob]);
        assert_eq!(read.strange, 2);
        let [(of, presence)] = &read.said[..] else { panic!("one person") };
        assert_eq!(*of, ada);
        assert_eq!(presence.meaning(), Meaning::InCall);
        assert_eq!(presence.sequence, Sequence::new("A12"));
        assert_eq!(presence.out_of_office, Some(true));
        assert_eq!(presence.work_location.as_deref(), Some("office"));
        assert!(Presences::from_answer(&[ada], &answer("{}")).is_err());
    }

    #[test]
    fn nobody_is_read_twice_from_one_answer() {
        let ada = person(1);
        let body = format!(
            r#"{{"value":[{{"id":"{ada}","availability":"Busy","activity":"Busy"}},
                          {{"id":"{ada}","availability":"Away","activity":"Away"}}]}}"#
        );
        let read = Presences::from_answer(&[ada], &answer(&body)).unwrap();
        assert_eq!((read.said.len(), read.strange), (1, 1));
    }

    #[test]
    fn sequence_numbers_are_ordered_as_numbers_or_as_texts() {
        let order = |a, b| Sequence::new(a).unwrap().cmp(&Sequence::new(b).unwrap());
        assert_eq!(order("9", "10"), Ordering::Less);
        assert_eq!(order("0010", "9"), Ordering::Greater);
        assert_eq!(order("A0001", "A0002"), Ordering::Less);
        assert_eq!(Sequence::new(""), None);
        assert_eq!(Sequence::new(&"1".repeat(65)), None);
    }

    #[test]
    fn a_request_names_at_most_as_many_as_graph_takes() {
        let many: Vec<_> = (0..700u16)
            .map(|n| {
                ObjectId(Guid::from_octets([
                    (n >> 8) as u8,
                    n as u8,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                ]))
            })
            .collect();
        let call = read(Caller::Application, &many);
        let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
        assert_eq!(body["ids"].as_array().unwrap().len(), 650);
    }

    proptest! {
        #[test]
        fn any_state_is_kept_bounded_and_means_something(availability in "\\PC{0,80}", activity in "\\PC{0,80}") {
            let presence = Presence::new(&availability, &activity);
            prop_assert!(presence.availability.len() <= STATE_OCTETS_MAX);
            if presence.meaning() == Meaning::Available {
                prop_assert!(availability.starts_with("Available"));
            }
        }

        #[test]
        fn any_answer_is_read_or_refused(body: Vec<u8>) {
            let answer = Ok(Response { status: 200, headers: Vec::new(), body: body.clone() });
            let _ = Presences::from_answer(&[person(1)], &answer);
            let _ = from_resource(&body);
        }

        #[test]
        fn sequences_have_one_order(a in "[0-9a-c]{1,4}", b in "[0-9a-c]{1,4}") {
            let (x, y) = (Sequence::new(&a).unwrap(), Sequence::new(&b).unwrap());
            prop_assert_eq!(x.cmp(&y), y.cmp(&x).reverse());
            prop_assert_eq!(x == y, x.cmp(&y) == Ordering::Equal);
        }
    }
}
