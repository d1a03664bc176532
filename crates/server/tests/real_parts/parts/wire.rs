//! SIP by hand: what no well-behaved telephone sends.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use super::lab::TANDEM;
use super::{Lab, PATIENCE};

/// A UDP socket on SIP's port, which sends whatever it is told.
pub(crate) struct Datagrams {
    socket: UdpSocket,
    ip: String,
}

impl Datagrams {
    /// At an address of the lab, connected to the program.
    pub(crate) fn at(lab: &Lab, host: u8) -> Datagrams {
        Datagrams::between(lab, host, TANDEM)
    }

    /// At an address of the lab, connected to another.
    pub(crate) fn between(lab: &Lab, host: u8, other: u8) -> Datagrams {
        let socket = UdpSocket::bind(lab.sip(host)).unwrap();
        socket.connect(lab.sip(other)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Datagrams { socket, ip: lab.ip(host) }
    }

    /// Sends bytes.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) {
        self.socket.send(bytes.as_ref()).unwrap();
    }

    /// The next message.
    pub(crate) fn receive(&self) -> String {
        let mut buffer = vec![0; 65_536];
        let length = self.socket.recv(&mut buffer).expect("an answer");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// What is there already.
    pub(crate) fn received(&self) -> Option<String> {
        self.socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let mut buffer = vec![0; 65_536];
        let received = self.socket.recv(&mut buffer).ok();
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        received.map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// The next final response: its status line is asked for, the rest comes along.
    pub(crate) fn final_response(&self) -> String {
        loop {
            let message = self.receive();
            if message.starts_with("SIP/2.0 ") && !message.starts_with("SIP/2.0 1") {
                return message;
            }
        }
    }

    /// An INVITE to +15550123 with a body, sent from here.
    pub(crate) fn invite(&self, call: &str, content_type: &str, body: &str) -> String {
        request("INVITE", &self.ip, call, &format!("Content-Type: {content_type}\r\n"), body)
    }

    /// An OPTIONS, sent from here.
    pub(crate) fn options(&self, call: &str) -> String {
        request("OPTIONS", &self.ip, call, "", "")
    }

    /// Another request of a call.
    pub(crate) fn request(&self, method: &str, call: &str) -> String {
        request(method, &self.ip, call, "", "")
    }

    /// Another request of a call that was answered with this To header.
    pub(crate) fn request_to(&self, method: &str, call: &str, to: &str) -> String {
        self.request(method, call).replace("To: <sip:+15550123@tandem.example>", &format!("To: {to}"))
    }

    /// A description of sound, sent from here.
    pub(crate) fn sdp(&self, media: &str) -> String {
        sdp(&self.ip, media)
    }
}

/// A request from an address to +15550123; call is its Call-ID and part of its branch.
pub(crate) fn request(method: &str, ip: &str, call: &str, headers: &str, body: &str) -> String {
    let number = if method == "INVITE" || method == "CANCEL" || method == "ACK" { 1 } else { 2 };
    let branch = if method == "CANCEL" { "INVITE" } else { method };
    format!(
        "{method} sip:+15550123@tandem.example SIP/2.0\r\n\
         Via: SIP/2.0/UDP {ip}:5060;branch=z9hG4bK{call}{branch}\r\n\
         From: <sip:+15550100@{ip}>;tag=from{call}\r\n\
         To: <sip:+15550123@tandem.example>\r\n\
         Call-ID: {call}@{ip}\r\n\
         CSeq: {number} {method}\r\n\
         Contact: <sip:+15550100@{ip}:5060>\r\n\
         Max-Forwards: 70\r\n\
         {headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A description with these lines about media.
pub(crate) fn sdp(ip: &str, media: &str) -> String {
    let media = media.replace('\n', "\r\n");
    format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n{media}\r\n")
}

/// Plain sound.
pub(crate) const PLAIN: &str = "m=audio 7000 RTP/AVP 8\na=rtpmap:8 PCMA/8000";

/// A TCP connection to the program, over which anything is sent. The program may close it at any time.
pub(crate) fn pour_over_tcp(lab: &Lab, bytes: &[u8]) {
    let mut stream = TcpStream::connect(lab.sip(TANDEM)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may close before everything is sent; that is its answer.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the connection is not closed"),
        _ => {}
    }
}

/// The value of a header in a message.
pub(crate) fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}
