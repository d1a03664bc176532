//! A leg's two sockets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, connect_unspec, recvfrom,
    send, sendto, socket_with, sockopt,
};

/// RTP on the even port, RTCP on the odd one above it: bound, never waiting.
#[derive(Debug)]
pub(crate) struct SocketPair {
    pub(crate) rtp: OwnedFd,
    pub(crate) rtcp: OwnedFd,
    /// The one address that RTP comes from and goes to at present, if there is one.
    connected: Option<SocketAddr>,
}

impl SocketPair {
    pub(crate) fn bind(address: IpAddr, rtp_port: u16) -> io::Result<Self> {
        let rtp = bind_udp(SocketAddr::new(address, rtp_port))?;
        let rtcp = bind_udp(SocketAddr::new(address, rtp_port.saturating_add(1)))?;
        Ok(Self { rtp, rtcp, connected: None })
    }

    /// Lets RTP come from one address only, or from anywhere. The socket stays the same; sending on a connected
    /// one spares the system a look at its routes for each packet.
    pub(crate) fn connect(&mut self, far: Option<SocketAddr>) {
        if far == self.connected {
            return;
        }
        let done = match far {
            Some(far) => connect(&self.rtp, &far),
            None => connect_unspec(&self.rtp),
        };
        // Without a route it stays as it was before: open to all, or waiting for the next look.
        if done.is_ok() {
            self.connected = far;
        }
    }

    /// Sends RTP. What the system refuses (a full buffer, no route) is lost, as any packet may be.
    pub(crate) fn send_rtp(&self, packet: &[u8], to: SocketAddr) {
        if self.connected != Some(to) {
            return send_to(&self.rtp, packet, to);
        }
        // A connected socket tells of an earlier packet that nobody took, once, in place of sending.
        if let Err(Errno::CONNREFUSED) = send(&self.rtp, packet, SendFlags::NOSIGNAL) {
            let _ = send(&self.rtp, packet, SendFlags::NOSIGNAL);
        }
    }

    /// Sends RTCP from its own port.
    pub(crate) fn send_rtcp(&self, packet: &[u8], to: SocketAddr) {
        send_to(&self.rtcp, packet, to);
    }
}

/// What was received.
pub(crate) enum Received {
    /// A packet of so many octets.
    Packet(usize, SocketAddr),
    /// Something that is no packet of ours: too long, or without an address.
    Junk,
    /// Nothing more.
    Nothing,
}

/// Receives one packet; the last [`ROOM`] octets of the buffer stay free.
pub(crate) fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> Received {
    let room = buffer.len().saturating_sub(ROOM);
    let Some(space) = buffer.get_mut(..room) else { return Received::Nothing };
    match recvfrom(socket, space, RecvFlags::TRUNC) {
        Ok((_, octets, source)) => match source.map(SocketAddr::try_from) {
            Some(Ok(source)) if octets <= room => Received::Packet(octets, source),
            _ => Received::Junk,
        },
        Err(_) => Received::Nothing,
    }
}

/// Octets that encryption and a report's trailer may add to a packet.
const ROOM: usize = 32;
/// Expedited forwarding (RFC 3246), as Microsoft asks for on audio, in the upper six bits.
const TRAFFIC_CLASS: u8 = 46 << 2;

fn send_to(socket: &OwnedFd, packet: &[u8], to: SocketAddr) {
    let _ = sendto(socket, packet, SendFlags::NOSIGNAL, &to);
}

fn bind_udp(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::DGRAM, flags, None)?;
    // A mark that cannot be set costs quality in a full network, not the call.
    let _ = match address {
        SocketAddr::V4(_) => sockopt::set_ip_tos(&socket, TRAFFIC_CLASS),
        SocketAddr::V6(_) => {
            sockopt::set_ipv6_v6only(&socket, true)?;
            sockopt::set_ipv6_tclass(&socket, u32::from(TRAFFIC_CLASS))
        }
    };
    bind(&socket, &address)?;
    Ok(socket)
}
