//! The two words in which Teams says how free somebody is ("presence resource type").

use serde::{Deserialize, Serialize};

/// What Teams shows: how free somebody is, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Status {
    /// How free.
    pub availability: Availability,
    /// Why.
    pub activity: Activity,
}

impl Status {
    /// Free.
    pub const AVAILABLE: Self = Self::new(Availability::Available, Activity::Available);
    /// Signed in nowhere, or appearing so.
    pub const OFFLINE: Self = Self::new(Availability::Offline, Activity::Offline);
    /// No presence at all.
    pub const UNKNOWN: Self = Self::new(Availability::PresenceUnknown, Activity::PresenceUnknown);
    /// In a call.
    pub const IN_A_CALL: Self = Self::new(Availability::Busy, Activity::InACall);

    /// A pair. Not every pair exists at Microsoft; [`Status::exists`] tells.
    pub const fn new(availability: Availability, activity: Activity) -> Self {
        Self { availability, activity }
    }

    /// Reads the two words of a request.
    pub fn parse(availability: &str, activity: &str) -> Option<Self> {
        Some(Self::new(word(availability)?, word(activity)?))
    }

    /// Whether Teams knows this pair ("presence resource type", the base and the activity values).
    pub fn exists(self) -> bool {
        use Activity as Act;
        use Availability as Is;
        matches!(
            (self.availability, self.activity),
            (Is::Available, Act::Available)
                | (Is::AvailableIdle, Act::AvailableIdle | Act::Inactive)
                | (Is::Busy, Act::Busy | Act::InACall | Act::InAConferenceCall | Act::InAMeeting)
                | (Is::BusyIdle, Act::BusyIdle | Act::Inactive)
                | (
                    Is::DoNotDisturb,
                    Act::DoNotDisturb | Act::Presenting | Act::UrgentInterruptionsOnly | Act::Focusing
                )
                | (Is::BeRightBack, Act::BeRightBack)
                | (Is::Away, Act::Away | Act::Inactive)
                | (Is::Offline, Act::Offline | Act::OffWork | Act::OutOfOffice)
                | (Is::PresenceUnknown, Act::PresenceUnknown)
        )
    }
}

/// How free somebody is; what counts more when clients disagree is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "Microsoft's words, explained by Microsoft")]
pub enum Availability {
    PresenceUnknown,
    Offline,
    Away,
    BeRightBack,
    AvailableIdle,
    Available,
    BusyIdle,
    Busy,
    DoNotDisturb,
}

impl Availability {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PresenceUnknown => "PresenceUnknown",
            Self::Offline => "Offline",
            Self::Away => "Away",
            Self::BeRightBack => "BeRightBack",
            Self::AvailableIdle => "AvailableIdle",
            Self::Available => "Available",
            Self::BusyIdle => "BusyIdle",
            Self::Busy => "Busy",
            Self::DoNotDisturb => "DoNotDisturb",
        }
    }
}

/// Why somebody is free or not; what counts more within one availability is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "Microsoft's words, explained by Microsoft")]
pub enum Activity {
    PresenceUnknown,
    Offline,
    OffWork,
    OutOfOffice,
    Inactive,
    Away,
    BeRightBack,
    AvailableIdle,
    Available,
    BusyIdle,
    Busy,
    InAMeeting,
    InAConferenceCall,
    InACall,
    DoNotDisturb,
    UrgentInterruptionsOnly,
    Focusing,
    Presenting,
}

impl Activity {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PresenceUnknown => "PresenceUnknown",
            Self::Offline => "Offline",
            Self::OffWork => "OffWork",
            Self::OutOfOffice => "OutOfOffice",
            Self::Inactive => "Inactive",
            Self::Away => "Away",
            Self::BeRightBack => "BeRightBack",
            Self::AvailableIdle => "AvailableIdle",
            Self::Available => "Available",
            Self::BusyIdle => "BusyIdle",
            Self::Busy => "Busy",
            Self::InAMeeting => "InAMeeting",
            Self::InAConferenceCall => "InAConferenceCall",
            Self::InACall => "InACall",
            Self::DoNotDisturb => "DoNotDisturb",
            Self::UrgentInterruptionsOnly => "UrgentInterruptionsOnly",
            Self::Focusing => "Focusing",
            Self::Presenting => "Presenting",
        }
    }
}

fn word<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    use serde::de::IntoDeserializer;
    let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    T::deserialize(text).ok()
}
