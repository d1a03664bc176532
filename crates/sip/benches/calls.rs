//! Prints what a whole call costs a user agent, and what it holds meanwhile: `cargo bench -p tandem-sip --bench calls`.
//! No test: it judges nothing.

#![expect(clippy::print_stdout, reason = "the figures are for people")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::expect_used, reason = "a bench that cannot go on must stop")]
#![expect(unsafe_code, reason = "an allocator that counts is an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tandem_sip::flow::{ConnectionId, Flow, Hop, InterfaceId, PeerIdentity, Transport};
use tandem_sip::message::Message;
use tandem_sip::ua::{Answer, Body, Event, Identity, LegId, OutgoingInvite, Output, UserAgent};

/// An SDP as long as those of carriers.
const SDP: &str = "v=0\r\no=- 3920022 1 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n\
    m=audio 20020 RTP/SAVP 0 8 101 13\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\na=sendrecv\r\n\
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:2oYnllqtH8E2gPM4fKrMA+HISfD9gLM2XpkyG5NV|2^31\r\n";

const CALLS: usize = 10_000;

fn main() {
    for transport in [Transport::Udp, Transport::Tls] {
        let mut bench = Bench::new(transport);
        let empty = HELD.load(Ordering::Relaxed);
        let allocations = ALLOCATIONS.load(Ordering::Relaxed);
        let begin = Instant::now();
        let legs: Vec<_> = (0..CALLS).map(|_| bench.call()).collect();
        let held = HELD.load(Ordering::Relaxed) - empty;
        bench.pass(Duration::from_secs(40));
        let connected = HELD.load(Ordering::Relaxed) - empty;
        for (a, _) in &legs {
            bench.a.hang_up(bench.now, *a, Vec::new());
            bench.drive();
        }
        bench.pass(Duration::from_secs(40));
        let took = begin.elapsed().as_secs_f64() * 1e6 / CALLS as f64;
        drop(legs);
        let left = HELD.load(Ordering::Relaxed) - empty;
        let allocations = (ALLOCATIONS.load(Ordering::Relaxed) - allocations) as f64 / CALLS as f64;
        let per_leg = |bytes: isize| bytes as f64 / (2 * CALLS) as f64;
        println!("{:?}: {took:.1} us per call with two ends, {allocations:.0} allocations", transport);
        println!("  {:.0} bytes per leg when answered", per_leg(held));
        println!("  {:.0} bytes per leg 40 s later", per_leg(connected));
        println!("  {:.1} bytes per leg when all is over", per_leg(left));
    }
}

/// Two user agents and an ideal network.
struct Bench {
    now: Instant,
    a: UserAgent,
    b: UserAgent,
    identity: Arc<Identity>,
    transport: Transport,
    network: VecDeque<(bool, Vec<u8>)>,
}

impl Bench {
    fn new(transport: Transport) -> Self {
        let identity = Identity {
            interface: InterfaceId(0),
            sent_by: "sbc1.contoso.com:5061".into(),
            allow: "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER".into(),
            supported: "timer, replaces".into(),
            product: "Tandem/1.0".into(),
            headers: Arc::new([("X-MS-SBC".into(), "Tandem/Tandem/1.0".into())]),
            session_timer: None,
            reliable_provisional: false,
        };
        Self {
            now: Instant::now(),
            a: UserAgent::new(1),
            b: UserAgent::new(2),
            identity: Arc::new(identity),
            transport,
            network: VecDeque::new(),
        }
    }

    /// INVITE, 100, 180, 200, ACK.
    fn call(&mut self) -> (LegId, Option<LegId>) {
        let hop = Hop {
            interface: InterfaceId(0),
            transport: self.transport,
            host: "sip.pstnhub.microsoft.com".into(),
            port: Some(5061),
        };
        let body = || Body { content_type: "application/sdp".into(), bytes: SDP.as_bytes().into() };
        let invite = OutgoingInvite {
            identity: self.identity.clone(),
            hop,
            request_uri: Arc::from(&b"sip:+14255550100@sip.pstnhub.microsoft.com:5061;user=phone"[..]),
            from: Arc::from(&b"\"Ada Client\" <sip:+14255550142@sbc1.contoso.com;user=phone>"[..]),
            to: Arc::from(&b"<sip:+14255550100@sip.pstnhub.microsoft.com;user=phone>"[..]),
            contact: Arc::from(&b"<sip:+14255550142@sbc1.contoso.com:5061;transport=tls>"[..]),
            headers: Vec::new(),
            offer: Some(body()),
            credentials: None,
        };
        let a = self.a.new_leg();
        self.a.invite(self.now, a, invite);
        let mut b = None;
        for event in self.drive() {
            if let Event::Invite { leg, .. } = event {
                b = Some(leg);
                let contact = Arc::from(&b"<sip:+14255550100@sbc2.contoso.com:5061;transport=tls>"[..]);
                self.b.set_identity(leg, self.identity.clone(), contact);
                self.b.progress(self.now, leg, Answer { status: 180, ..Answer::default() });
                self.b.accept(self.now, leg, Answer { status: 200, body: Some(body()), ..Answer::default() });
            }
        }
        self.drive();
        (a, b)
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.a.handle_timeout(self.now);
        self.b.handle_timeout(self.now);
        self.drive();
    }

    /// Delivers everything; gives what B was told.
    fn drive(&mut self) -> Vec<Event> {
        let mut told = Vec::new();
        loop {
            while let Some(output) = self.a.poll_output() {
                if let Output::Transmit(transmit) = output {
                    self.network.push_back((true, transmit.bytes.to_vec()));
                }
            }
            while let Some(output) = self.b.poll_output() {
                match output {
                    Output::Transmit(transmit) => self.network.push_back((false, transmit.bytes.to_vec())),
                    Output::Event(event) => told.push(event),
                }
            }
            let Some((to_b, bytes)) = self.network.pop_front() else { return told };
            let flow = Flow {
                interface: InterfaceId(0),
                transport: self.transport,
                remote: SocketAddr::from(([192, 0, 2, 1], 5061)),
                connection: self.transport.is_reliable().then_some(ConnectionId(1)),
                peer: Arc::new(PeerIdentity::default()),
            };
            let message = Message::parse_datagram(bytes).expect("a message that this crate wrote");
            let end = if to_b { &mut self.b } else { &mut self.a };
            end.handle_message(self.now, &flow, message);
        }
    }
}

/// Bytes that are allocated.
static HELD: AtomicIsize = AtomicIsize::new(0);
/// Allocations so far.
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

struct Counting;

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as isize, Ordering::Relaxed);
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: allocated above with this layout.
        unsafe { System.dealloc(ptr, layout) }
    }
}
