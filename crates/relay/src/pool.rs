//! Media ports: which are free, which are bound, which serve a leg.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tandem_media::leg::{InterfaceId, MediaPort, Ports, PortsExhausted};

use crate::socket::SocketPair;
use crate::{Interface, RelayError};

/// The ports of all interfaces. Clones share them.
///
/// A port that was given back is used again only after all others: packets of the old call may still come.
#[derive(Clone)]
pub struct PortPool(Arc<Mutex<Vec<Range>>>);

impl PortPool {
    pub(crate) fn new(interfaces: &[Interface]) -> Result<Self, RelayError> {
        if interfaces.is_empty() {
            return Err(RelayError::NoInterface);
        }
        let ranges = interfaces.iter().map(Range::new).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Mutex::new(ranges))))
    }

    /// Ports that are free on an interface.
    pub fn free(&self, interface: InterfaceId) -> usize {
        self.with(interface, |range| range.free.len()).unwrap_or(0)
    }

    /// The sockets of a reserved port, for a leg that opens.
    pub(crate) fn take(&self, port: MediaPort) -> Option<SocketPair> {
        self.with(port.interface, |range| range.reserved.remove(&port.rtp)).flatten()
    }

    /// A leg has closed the sockets of this port.
    pub(crate) fn give_back(&self, port: MediaPort) {
        self.with(port.interface, |range| range.free.push_back(port.rtp));
    }

    fn with<T>(&self, interface: InterfaceId, work: impl FnOnce(&mut Range) -> T) -> Option<T> {
        // What is guarded is whole at any moment: a thread that died in between has broken nothing.
        let mut ranges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ranges.get_mut(usize::from(interface.0)).map(work)
    }
}

impl Ports for PortPool {
    fn reserve(&mut self, interface: InterfaceId) -> Result<MediaPort, PortsExhausted> {
        let rtp = self.with(interface, Range::reserve).flatten().ok_or(PortsExhausted { interface })?;
        Ok(MediaPort { interface, rtp })
    }

    fn release(&mut self, port: MediaPort) {
        if self.take(port).is_some() {
            self.give_back(port);
        }
    }
}

impl std::fmt::Debug for PortPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PortPool").finish_non_exhaustive()
    }
}

/// The ports of one interface. Those in use by legs are in neither list.
struct Range {
    address: IpAddr,
    free: VecDeque<u16>,
    reserved: BTreeMap<u16, SocketPair>,
}

impl Range {
    fn new(interface: &Interface) -> Result<Self, RelayError> {
        let (first, last) = (*interface.ports.start(), *interface.ports.end());
        let free: VecDeque<u16> = interface.pairs().collect();
        if free.is_empty() {
            return Err(RelayError::NoPorts { first, last });
        }
        Ok(Self { address: interface.bind, free, reserved: BTreeMap::new() })
    }

    /// Binds the port that was free longest; one that another process has is tried again later.
    fn reserve(&mut self) -> Option<u16> {
        for _ in 0..BIND_ATTEMPTS.min(self.free.len()) {
            let port = self.free.pop_front()?;
            match SocketPair::bind(self.address, port) {
                Ok(pair) => {
                    self.reserved.insert(port, pair);
                    return Some(port);
                }
                Err(_) => self.free.push_back(port),
            }
        }
        None
    }
}

/// Ports tried for one reservation. When so many in a row cannot be bound the system refuses them all: no
/// descriptors left, or an address that is not ours.
const BIND_ATTEMPTS: usize = 64;
