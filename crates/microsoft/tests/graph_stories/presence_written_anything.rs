//! Anything may happen to what is written, in any order; once Graph is well again, Teams shows what was wished, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tandem_microsoft::graph::call::{Answer, Call, NoAnswer, Operation, Target};
use tandem_microsoft::graph::throttle::{Limits, Throttle};
use tandem_microsoft::graph::watch::CallId;
use tandem_microsoft::graph::write::{Output, PresenceWriter, Settings, Shown};
use tandem_microsoft::http::Response;
use tandem_microsoft::id::{ClientId, Guid, ObjectId};

use crate::world::{ms, person, s, start};

#[derive(Clone, Debug)]
enum Act {
    Show(u32, Option<usize>),
    Mood(Mood),
    /// Of this person it is refused from now on, or no longer.
    Guest(u32),
    Latency(u64),
    Resume,
    Run(u64),
}

#[derive(Clone, Copy, Debug)]
enum Mood {
    Fine,
    /// What is asked is done, and nobody hears of it.
    DoneUnheard,
    /// What is asked is done, and called a failure.
    DoneBroken,
    Unreachable,
    Refusing(u16),
}

const PEOPLE: u32 = 12;
const SHOWN: [(Shown, &str); 2] = [(Shown::InACall, "InACall"), (Shown::Presenting, "Presenting")];
const LASTS: Duration = Duration::from_secs(600);

fn act() -> impl Strategy<Value = Act> {
    let mood = prop_oneof![
        3 => Just(Mood::Fine),
        2 => Just(Mood::DoneUnheard),
        1 => Just(Mood::DoneBroken),
        1 => Just(Mood::Unreachable),
        2 => prop::sample::select(vec![401, 403, 429, 503]).prop_map(Mood::Refusing),
    ];
    let wish = prop_oneof![Just(None), (0..2usize).prop_map(Some)];
    prop_oneof![
        8 => (0..PEOPLE, wish).prop_map(|(who, wish)| Act::Show(who, wish)),
        4 => mood.prop_map(Act::Mood),
        2 => (0..PEOPLE).prop_map(Act::Guest),
        1 => (1u64..8_000).prop_map(Act::Latency),
        1 => Just(Act::Resume),
        8 => prop_oneof![1u64..3_000, 3_000u64..60_000, 60_000u64..1_200_000].prop_map(Act::Run),
    ]
}

/// A writer, and Graph with its sessions.
struct Office {
    now: Instant,
    writer: PresenceWriter,
    throttle: Throttle,
    mood: Mood,
    guests: BTreeSet<ObjectId>,
    latency: Duration,
    sessions: BTreeMap<ObjectId, (String, Instant)>,
    on_the_way: Vec<(Instant, CallId, Answer)>,
}

impl Office {
    fn new(left: &BTreeSet<u32>) -> Office {
        let application = ClientId(Guid::from_octets([0xcc; 16]));
        let mut office = Office {
            now: start(),
            writer: PresenceWriter::new(Settings { application, lasts: LASTS }, 5),
            throttle: Throttle::new(&Limits::default(), 5),
            mood: Mood::Fine,
            guests: BTreeSet::new(),
            latency: ms(80),
            sessions: BTreeMap::new(),
            on_the_way: Vec::new(),
        };
        for number in left {
            office.sessions.insert(person(*number), ("InACall".to_owned(), office.now + LASTS));
            office.writer.take_over(office.now, person(*number));
        }
        office
    }

    fn perform(&mut self, act: &Act) {
        match *act {
            Act::Show(who, wish) => self.writer.show(self.now, person(who), wish.map(|place| SHOWN[place].0)),
            Act::Mood(mood) => self.mood = mood,
            Act::Guest(who) => {
                if !self.guests.remove(&person(who)) {
                    self.guests.insert(person(who));
                }
            }
            Act::Latency(milliseconds) => self.latency = ms(milliseconds),
            Act::Resume => self.writer.resume(self.now),
            Act::Run(milliseconds) => self.run(ms(milliseconds)),
        }
    }

    fn run(&mut self, length: Duration) {
        let end = self.now + length;
        let mut turns = 0;
        loop {
            while let Some(output) = self.writer.poll_output() {
                if let Output::Call { id, call } = output {
                    let answer = self.take(&call);
                    self.on_the_way.push((self.now + self.latency, id, answer));
                }
            }
            let arrival = self.on_the_way.iter().map(|(at, ..)| *at).min();
            let due = self.writer.poll_timeout().into_iter().chain(arrival).min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            self.now = self.now.max(due);
            if let Some(place) = self.on_the_way.iter().position(|(at, ..)| *at <= self.now) {
                let (_, id, answer) = self.on_the_way.remove(place);
                self.writer.handle_answer(self.now, id, &answer, &mut self.throttle);
            }
            self.writer.handle_timeout(self.now, &mut self.throttle);
            turns += 1;
            assert!(turns < 20_000, "it asks to be called again and does nothing");
        }
        self.now = end;
        self.sessions.retain(|_, (_, ends_at)| *ends_at > end);
    }

    /// What Graph does with a call, and answers.
    fn take(&mut self, call: &Call) -> Answer {
        let who = (0..PEOPLE)
            .map(person)
            .find(|who| matches!(&call.target, Target::Path(path) if path.contains(&who.to_string())));
        let who = who.expect("a call of somebody");
        let answer = |status| Ok(Response { status, headers: Vec::new(), body: Vec::new() });
        match self.mood {
            Mood::Unreachable => return Err(NoAnswer::Unreachable),
            Mood::Refusing(status) => return answer(status),
            Mood::Fine | Mood::DoneUnheard | Mood::DoneBroken => {}
        }
        if self.guests.contains(&who) {
            return answer(403);
        }
        if call.operation == Operation::SetPresence {
            let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
            let activity = body["activity"].as_str().unwrap().to_owned();
            self.sessions.insert(who, (activity, self.now + LASTS));
        } else {
            self.sessions.remove(&who);
        }
        match self.mood {
            Mood::DoneUnheard => Err(NoAnswer::TooSlow),
            Mood::DoneBroken => answer(500),
            _ => answer(200),
        }
    }

    fn shown(&self) -> BTreeMap<ObjectId, &str> {
        self.sessions.iter().map(|(who, (activity, _))| (*who, activity.as_str())).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn teams_shows_what_is_wished_in_the_end_and_no_more(
        left in proptest::collection::btree_set(0..PEOPLE, 0..6),
        acts in proptest::collection::vec(act(), 1..60),
    ) {
        let mut office = Office::new(&left);
        let mut wishes = BTreeMap::new();
        for act in &acts {
            office.perform(act);
            if let Act::Show(who, wish) = act {
                wishes.insert(person(*who), wish.map(|place| SHOWN[place].1));
            }
        }
        office.mood = Mood::Fine;
        office.guests.clear();
        office.latency = ms(80);
        office.writer.resume(office.now);
        // What is on its way may be refused still; the longest pause after a fault is a minute.
        office.run(s(40));
        office.writer.resume(office.now);
        office.run(s(120));
        let wished: BTreeMap<_, _> = wishes.iter().filter_map(|(who, wish)| wish.map(|wish| (*who, wish))).collect();
        prop_assert_eq!(office.shown(), wished);

        office.writer.close(office.now);
        office.run(s(60));
        prop_assert!(office.sessions.is_empty());
        prop_assert!(office.writer.is_idle());
        prop_assert_eq!(office.writer.poll_timeout(), None);
    }
}
