//! Whatever bytes come, Teams and DNS go on: no panic, and the next faultless message is answered.

use std::time::Duration;

use proptest::prelude::*;
use tandem_sandbox::zone::{Entry, Zone};

use crate::room::{Invite, Room, connected, description, framed, options, within};

/// One change of a message.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = any::<prop::sample::Index>;
    prop::collection::vec(
        prop_oneof![
            (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
            (at(), 1..40_usize).prop_map(|(at, count)| Change::Remove(at, count)),
            (at(), prop::collection::vec(any::<u8>(), 0..20))
                .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
            (at(), 1..60_usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        ],
        1..8,
    )
}

fn changed(message: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = framed(message);
    for change in changes {
        let length = bytes.len().max(1);
        match change {
            Change::Set(at, byte) => {
                if let Some(place) = bytes.get_mut(at.index(length)) {
                    *place = *byte;
                }
            }
            Change::Remove(at, count) => {
                let from = at.index(length).min(bytes.len());
                bytes.drain(from..bytes.len().min(from + count));
            }
            Change::Insert(at, more) => {
                let from = at.index(length).min(bytes.len());
                bytes.splice(from..from, more.iter().copied());
            }
            Change::Repeat(at, count) => {
                let from = at.index(length).min(bytes.len());
                let part = bytes[from..bytes.len().min(from + count)].to_vec();
                bytes.splice(from..from, part);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_messages_harm_nothing(first in changes(), second in changes(), third in changes()) {
        let (mut room, ours, answer) = connected();
        let hold = description("2", "127.0.0.1", 20010, "0 101", "inactive");
        let other = room.connect(1);
        room.say_bytes(ours, &changed(&within(&answer, "INVITE", 2, "", &hold), &first));
        room.say_bytes(ours, &changed(&Invite::to("+14255550102").text(), &second));
        room.say_bytes(other, &changed(&options(), &third));
        room.pass(3000);
        let fresh = room.connect(2);
        room.say(fresh, &options());
        let heard = room.hear("SIP/2.0 200");
        prop_assert!(heard.on == fresh || heard.header("CSEQ").is_some());
    }

    #[test]
    fn dns_takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut zone = Zone::new(Duration::from_secs(1));
        zone.set("sip.pstnhub.microsoft.com", Entry::host([[127, 0, 0, 2]])).unwrap();
        let answer = zone.answer(&bytes, 512);
        prop_assert!(answer.is_none_or(|answer| answer.len() <= 1232));
    }

    #[test]
    fn names_of_any_text_are_set_or_refused(name in ".{0,80}") {
        let mut zone = Zone::new(Duration::from_secs(1));
        let _ = zone.set(&name, Entry::default());
        zone.remove(&name);
        prop_assert!(zone.entries().is_empty());
    }
}

#[test]
fn a_head_without_end_closes_the_connection() {
    let mut room = Room::new();
    let ours = room.connect(0);
    room.say_bytes(ours, &vec![b'a'; 100_000]);
    assert_eq!(room.closed, [ours]);
}
