//! Ports: certain, rotated, given back, and never more than there are.
#![cfg(test)]

use std::net::UdpSocket;
use std::sync::Arc;

use tandem_media::leg::{InterfaceId, Ports as _, PortsExhausted};
use tandem_relay::{Interface, Relay, RelayConfig, RelayError};

fn relay(bind: &str, ports: std::ops::RangeInclusive<u16>) -> Result<Relay, RelayError> {
    let interfaces = vec![Interface { bind: bind.parse().unwrap(), ports }];
    Relay::start(&RelayConfig::new(interfaces), Arc::new(|_| {}))
}

#[test]
fn a_reserved_port_is_ours_until_it_is_released() {
    let mut ports = relay("127.0.30.1", 21_000..=21_999).unwrap().ports();
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
    let mut ports = relay("127.0.31.1", 21_001..=21_008).unwrap().ports();
    assert_eq!(ports.free(InterfaceId(0)), 3, "21002, 21004 and 21006 have an odd one above them");
    let first = ports.reserve(InterfaceId(0)).unwrap();
    ports.release(first);
    let next: Vec<_> = (0..3).map(|_| ports.reserve(InterfaceId(0)).unwrap().rtp).collect();
    assert_eq!(next, [21_004, 21_006, 21_002]);
    assert_eq!(ports.reserve(InterfaceId(0)), Err(PortsExhausted { interface: InterfaceId(0) }));
    assert_eq!(ports.reserve(InterfaceId(1)), Err(PortsExhausted { interface: InterfaceId(1) }));
}

#[test]
fn a_port_that_another_process_has_is_passed_over() {
    let _other = UdpSocket::bind(("127.0.32.1", 21_001)).unwrap();
    let mut ports = relay("127.0.32.1", 21_000..=21_003).unwrap().ports();
    assert_eq!(ports.reserve(InterfaceId(0)).unwrap().rtp, 21_002);
}

#[test]
fn ranges_and_threads_that_cannot_be_are_refused() {
    assert!(matches!(
        relay("127.0.33.1", 21_001..=21_002),
        Err(RelayError::NoPorts { first: 21_001, last: 21_002 })
    ));
    let none = RelayConfig::new(Vec::new());
    assert!(matches!(Relay::start(&none, Arc::new(|_| {})), Err(RelayError::NoInterface)));
    let interfaces = vec![Interface { bind: "127.0.33.1".parse().unwrap(), ports: 21_000..=21_999 }];
    let config = RelayConfig { workers: Some(0), ..RelayConfig::new(interfaces) };
    assert!(matches!(Relay::start(&config, Arc::new(|_| {})), Err(RelayError::Workers { asked: 0 })));
}
