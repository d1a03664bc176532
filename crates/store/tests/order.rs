//! Whatever is appended by whom and in what pieces: each tenant reads back exactly its own facts in order, and is
//! told of commits in order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::BTreeMap;

use common::{Desk, facts, tenant};
use proptest::prelude::*;
use tandem_store::{Event, FactNumber};

#[derive(Clone, Debug)]
enum Act {
    /// This many facts in one append.
    Append {
        tenant: usize,
        count: u64,
    },
    Settle,
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        20 => (0..3usize, 0..40u64).prop_map(|(tenant, count)| Act::Append { tenant, count }),
        3 => Just(Act::Settle),
        1 => Just(Act::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_appended_is_read_back_in_order(acts in proptest::collection::vec(act(), 1..60)) {
        let names = ["contoso", "fabrikam", "northwind"].map(tenant);
        let mut desk = Desk::new();
        let mut last = [0u64; 3];
        for act in acts {
            match act {
                Act::Append { tenant, count } => {
                    desk.journal.append(&names[tenant], facts(last[tenant] + 1..=last[tenant] + count)).unwrap();
                    last[tenant] += count;
                }
                Act::Settle => desk.settle(),
                Act::Restart => {
                    check_told(&desk);
                    desk = desk.restart();
                }
            }
        }
        desk.settle();
        check_told(&desk);
        for (tenant, last) in names.iter().zip(last) {
            prop_assert_eq!(desk.journal.facts(tenant, FactNumber(0), usize::MAX).unwrap(), facts(1..=last));
        }
    }
}

/// Everything told so far is a rising commit that can be read.
fn check_told(desk: &Desk) {
    let mut told = BTreeMap::new();
    for event in desk.events.try_iter() {
        let Event::Committed { tenant, number } = event else { panic!("unexpected {event:?}") };
        let before = told.insert(tenant, number);
        assert!(before.is_none_or(|before| before < number), "{before:?} then {number}");
    }
    for (tenant, number) in told {
        let numbers = desk.numbers(&tenant);
        assert_eq!(
            numbers.get(..usize::try_from(number.0).unwrap()).map(<[u64]>::len),
            Some(number.0 as usize)
        );
    }
}
