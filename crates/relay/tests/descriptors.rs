//! Nothing is left behind. One test alone in its process, because it counts the descriptors of all of it.
#![cfg(test)]

mod common;

use std::collections::BTreeSet;

use common::{Bench, FarEnd};
use tandem_media::codec::Codec;
use tandem_media::leg::{InterfaceId, LegEvent};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn closed_legs_and_dropped_relays_leave_no_descriptor_and_no_port_behind() {
    let at_first = descriptors();
    let mut bench = Bench::new("127.0.34.1", 2);
    let far = FarEnd::new("127.0.34.2", Codec::pcma(), 440.0);
    let (before, free) = (descriptors(), bench.ports.free(InterfaceId(0)));
    for round in 0..3 {
        for leg in 0..100 {
            bench.open(round * 100 + leg, leg, &far);
        }
        assert_eq!(descriptors(), before + 200);
        for leg in 0..100 {
            bench.close(round * 100 + leg);
        }
        let closed: BTreeSet<_> = (0..100)
            .map(|_| {
                bench.wait_for(|e| match e {
                    LegEvent::Closed { leg, .. } => Some(leg.0),
                    _ => None,
                })
            })
            .collect();
        assert_eq!(closed.len(), 100);
        assert_eq!((descriptors(), bench.ports.free(InterfaceId(0))), (before, free));
    }
    assert_eq!(bench.relay.legs(), 0);
    for leg in 1000..1010 {
        bench.open(leg, leg, &far);
    }
    drop((bench, far));
    assert_eq!(descriptors(), at_first);
}
