//! A leg's two sockets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recvfrom, sendto, socket_with,
    sockopt,
};

/// RTP on the even port, RTCP on the odd one above it: bound, never waiting.
#[derive(Debug)]
pub(crate) struct SocketPair {
    pub(crate) rtp: OwnedFd,
    pub(crate) rtcp: OwnedFd,
}

impl SocketPair {
    pub(crate) fn bind(address: IpAddr, rtp_port: u16) -> io::Result<Self> {
        let rtp = bind_udp(SocketAddr::new(address, rtp_port))?;
        let rtcp = bind_udp(SocketAddr::new(address, rtp_port.saturating_add(1)))?;
        Ok(Self { rtp, rtcp })
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

/// Sends one packet. What the system refuses (a full buffer, no route) is lost, as any packet may be.
pub(crate) fn send(socket: &OwnedFd, packet: &[u8], to: SocketAddr) {
    let _ = sendto(socket, packet, SendFlags::NOSIGNAL, &to);
}

/// Octets that encryption and a report's trailer may add to a packet.
const ROOM: usize = 32;
/// Expedited forwarding (RFC 3246), as Microsoft asks for on audio, in the upper six bits.
const TRAFFIC_CLASS: u8 = 46 << 2;

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
