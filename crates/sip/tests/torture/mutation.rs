//! Any change to any fixture leaves a message that is read or refused: the fuzz targets on mutated fixtures.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::fixtures::all;
use crate::targets;

/// One change to some bytes. Positions are taken modulo the length.
#[derive(Clone, Debug)]
enum Change {
    Set(usize, u8),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    Repeat(usize, usize),
    Cut(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: usize| at % bytes.len().max(1);
        let range = |at: usize, len: usize| place(at)..(place(at) + len).min(bytes.len());
        match self {
            Self::Set(at, byte) => {
                let at = place(*at);
                bytes.iter_mut().skip(at).take(1).for_each(|b| *b = *byte);
            }
            Self::Insert(at, text) => {
                let at = place(*at).min(bytes.len());
                bytes.splice(at..at, text.iter().copied());
            }
            Self::Remove(at, len) => {
                let range = range(*at, *len);
                bytes.drain(range);
            }
            Self::Repeat(at, len) => {
                let range = range(*at, *len);
                let at = range.end;
                let text = bytes.get(range).unwrap_or_default().to_vec();
                bytes.splice(at..at, text);
            }
            Self::Cut(at) => {
                let at = place(*at);
                bytes.truncate(at);
            }
        }
    }
}

/// What parsers trip over.
const PIECES: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\r\n ",
    b" ",
    b"\t",
    b"\"",
    b"\\",
    b"<",
    b">",
    b",",
    b";",
    b":",
    b"=",
    b"?",
    b"@",
    b"%",
    b"%00",
    b"[",
    b"]",
    b"/",
    b"\0",
    b"\xff",
    b"*",
    b"-1",
    b"4294967296",
    b"18446744073709551616",
    b"SIP/2.0",
    b"sip:",
    b"Via: SIP/2.0/UDP h\r\n",
    b"l: 3\r\n",
    b"Content-Length: 99999999\r\n",
    b"t: x\r\n",
    b"Require: x\r\n",
    b"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
    b"Replaces: a;to-tag=b;from-tag=c\r\n",
];

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>();
    let piece = prop_oneof![
        4 => proptest::sample::select(PIECES).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 1..4),
    ];
    prop_oneof![
        3 => (at, any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        4 => (at, piece).prop_map(|(at, text)| Change::Insert(at, text)),
        2 => (at, 1..40_usize).prop_map(|(at, len)| Change::Remove(at, len)),
        1 => (at, 1..200_usize).prop_map(|(at, len)| Change::Repeat(at, len)),
        1 => at.prop_map(Change::Cut),
    ]
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let fixtures: Vec<_> = all().map(|fixture| fixture.bytes).collect();
    (proptest::sample::select(fixtures), proptest::collection::vec(change(), 0..6)).prop_map(
        |(bytes, changes)| {
            let mut bytes = bytes.to_vec();
            changes.iter().for_each(|change| change.apply(&mut bytes));
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6000, rng_seed: RngSeed::Fixed(4475), ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_datagram_is_read_or_refused(datagram in mutated()) {
        targets::message(&datagram);
    }

    #[test]
    fn a_mutated_stream_gives_the_same_messages_in_any_pieces(
        sizes in any::<[u8; 4]>(),
        messages in proptest::collection::vec(mutated(), 1..4),
    ) {
        targets::stream(&[&sizes[..], &messages.concat()].concat());
    }

    #[test]
    fn a_mutated_uri_is_read_or_refused(
        uri in proptest::sample::select(URIS),
        changes in proptest::collection::vec(change(), 0..4),
    ) {
        let mut uri = uri.as_bytes().to_vec();
        changes.iter().for_each(|change| change.apply(&mut uri));
        targets::uri(&uri);
    }
}

const URIS: &[&str] = &[
    "sip:sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:dfcba638;x-tt=aHR0cHM6Ly9hcGk%3D",
    "sips:bob:secret@[2001:db8::10]:5070;transport=tls;lr?Subject=a%20b&Priority=urgent",
    "sip:+14255550177@h;user=phone?Replaces=9a77%3Bto-tag%3Dx%3Bfrom-tag%3Dy",
    "tel:+1-425-555-0100;ext=7;phone-context=example.com",
    "sip:user@[2001:db8:::192.0.2.1]",
    "isbn:2983792873",
];

#[test]
fn every_fixture_and_every_beginning_of_it_is_read_or_refused() {
    for fixture in all() {
        targets::message(fixture.bytes);
        for len in (0..fixture.bytes.len()).step_by(7) {
            targets::message(&fixture.bytes[..len]);
        }
    }
}
