//! Ports: certain, rotated, given back, and never more than there are.
#![cfg(test)]

mod common;

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::sync::Arc;

use common::{Bench, FarEnd};
use tandem_media::codec::Codec;
use tandem_media::leg::{InterfaceId, LegEvent, Ports as _, PortsExhausted};
use tandem_relay::{Interface, Relay, RelayConfig, RelayError};

fn relay(bind: &str, ports: std::ops::RangeInclusive<u16>) -> Result<Relay, RelayError> {
    let interfaces = vec![Interface { bind: bind.parse().unwrap(), ports }];
    Relay::start(&RelayConfig::new(interfaces), Arc::new(|_| {}))
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_reserved_port_is_ours_until_it_is_released() {
    let mut ports = relay("127.0.30.1", 41_000..=41_999).unwrap().ports();
    let port = ports.reserve(InterfaceId(0)).unwrap();
    assert_eq!(port.rtp % 2, 0);
    for taken in [port.rtp, port.rtp + 1] {
        assert!(UdpSocket::bind(("127.0.30.1", taken)).is_err(), "{taken} is bound");
    }
    ports.release(port);
    assert!(UdpSocket::bind(("127.0.30.1", port.rtp)).is_ok());
}

#[test]
fn a_released_port_comes_back_last_and_too_many_are_refused() {
    let mut ports = relay("127.0.31.1", 41_001..=41_008).unwrap().ports();
    assert_eq!(ports.free(InterfaceId(0)), 3, "41002, 41004 and 41006 have an odd one above them");
    let first = ports.reserve(InterfaceId(0)).unwrap();
    ports.release(first);
    let next: Vec<_> = (0..3).map(|_| ports.reserve(InterfaceId(0)).unwrap().rtp).collect();
    assert_eq!(next, [41_004, 41_006, 41_002]);
    assert_eq!(ports.reserve(InterfaceId(0)), Err(PortsExhausted { interface: InterfaceId(0) }));
    assert_eq!(ports.reserve(InterfaceId(1)), Err(PortsExhausted { interface: InterfaceId(1) }));
}

#[test]
fn a_port_that_another_process_has_is_passed_over() {
    let _other = UdpSocket::bind(("127.0.32.1", 41_001)).unwrap();
    let mut ports = relay("127.0.32.1", 41_000..=41_003).unwrap().ports();
    assert_eq!(ports.reserve(InterfaceId(0)).unwrap().rtp, 41_002);
}

#[test]
fn ranges_and_threads_that_cannot_be_are_refused() {
    assert!(matches!(
        relay("127.0.33.1", 41_001..=41_002),
        Err(RelayError::NoPorts { first: 41_001, last: 41_002 })
    ));
    let none = RelayConfig::new(Vec::new());
    assert!(matches!(Relay::start(&none, Arc::new(|_| {})), Err(RelayError::NoInterface)));
    let interfaces = vec![Interface { bind: "127.0.33.1".parse().unwrap(), ports: 41_000..=41_999 }];
    let config = RelayConfig { workers: Some(0), ..RelayConfig::new(interfaces) };
    assert!(matches!(Relay::start(&config, Arc::new(|_| {})), Err(RelayError::Workers { asked: 0 })));
}

#[test]
fn closed_legs_leave_no_descriptor_and_no_port_behind() {
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
}

#[test]
fn a_relay_that_is_dropped_closes_everything() {
    let before = descriptors();
    let mut bench = Bench::new("127.0.35.1", 2);
    let far = FarEnd::new("127.0.35.2", Codec::pcma(), 440.0);
    for leg in 0..10 {
        bench.open(leg, leg, &far);
    }
    drop((bench, far));
    assert_eq!(descriptors(), before);
}
