//! What Microsoft's presence is to the contact center.

use tandem_center::agent::{Confidence, Presence as Told};
use tandem_microsoft::graph::presence::{Choice, Meaning, Presence};
use tandem_microsoft::graph::watch::{Known, Source};

/// The value that the center's rules speak of.
pub(crate) fn presence(presence: &Presence) -> Told {
    match (presence.meaning(), &*presence.availability, &*presence.activity) {
        (Meaning::Available, ..) => Told::Available,
        (Meaning::Busy, _, "InAMeeting") => Told::InMeeting,
        (Meaning::Busy, ..) => Told::Busy,
        (Meaning::InCall, ..) => Told::InCall,
        (Meaning::DoNotDisturb, _, "Presenting") => Told::Presenting,
        (Meaning::DoNotDisturb, ..) => Told::DoNotDisturb,
        (Meaning::Away, "BeRightBack", _) => Told::BeRightBack,
        (Meaning::Away, ..) => Told::Away,
        (Meaning::Offline, _, "OutOfOffice") => Told::OutOfOffice,
        (Meaning::Offline, ..) => Told::Offline,
        (Meaning::Unknown, ..) => Told::Unknown,
    }
}

/// Whether the person chose it, as far as can be told.
pub(super) fn is_manual(presence: &Presence) -> bool {
    presence.choice() == Choice::ByPerson
}

/// How far what is known can be relied on.
pub(super) fn confidence(known: &Known<'_>) -> Confidence {
    if known.doubted {
        return Confidence::Doubtful;
    }
    // What was said last stands; the other way has said the same if it spoke after it, or was not contradicted by it.
    match (known.source, known.told_at, known.polled_at) {
        (Source::Poll, Some(told), Some(polled)) if polled >= told => Confidence::Confirmed,
        _ => Confidence::Told,
    }
}

/// The name of the system that tells it.
pub(super) const SOURCE: &str = "teams";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_pair_has_its_value() {
        for (availability, activity, told, manual) in [
            ("Available", "Available", Told::Available, false),
            ("AvailableIdle", "Inactive", Told::Available, false),
            ("Busy", "Busy", Told::Busy, false),
            ("Busy", "InACall", Told::InCall, false),
            ("Busy", "InAConferenceCall", Told::InCall, false),
            ("Busy", "InAMeeting", Told::InMeeting, false),
            ("BusyIdle", "Inactive", Told::Busy, false),
            ("DoNotDisturb", "DoNotDisturb", Told::DoNotDisturb, true),
            ("DoNotDisturb", "Presenting", Told::Presenting, false),
            ("DoNotDisturb", "Focusing", Told::DoNotDisturb, false),
            ("BeRightBack", "BeRightBack", Told::BeRightBack, true),
            ("Away", "Away", Told::Away, false),
            ("Offline", "Offline", Told::Offline, false),
            ("Offline", "OffWork", Told::Offline, true),
            ("Offline", "OutOfOffice", Told::OutOfOffice, false),
            ("PresenceUnknown", "PresenceUnknown", Told::Unknown, false),
            ("Levitating", "AboveTheDesk", Told::Unknown, false),
        ] {
            let said = Presence::new(availability, activity);
            assert_eq!((presence(&said), is_manual(&said)), (told, manual), "{availability} {activity}");
        }
    }
}
