//! Whatever a user commands and a peer sends, in whatever order: nothing panics, every leg ends once, nothing is left.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tandem_sip::flow::Transport;
use tandem_sip::message::Message;
use tandem_sip::method::Method;
use tandem_sip::ua::{
    Event, Identity, LegId, Load, OutgoingInvite, OutgoingRequest, ReferId, RequestId, TransmitToken,
};

use crate::harness::{answer, answer_with, identity, sdp, with_timer};
use crate::solo::{OFFER, Solo, credentials, request};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Op {
    Time(Duration),
    Invite {
        offer: bool,
        credentials: bool,
    },
    SendOptions,
    Leg {
        which: usize,
        command: Command,
    },
    Respond {
        which: usize,
    },
    /// The peer asks something.
    Ask {
        method: usize,
        cseq: u32,
        branch: u8,
        call: u8,
        tag: Tag,
        headers: Vec<usize>,
        body: bool,
    },
    /// The peer answers one of our requests.
    Answer {
        which: usize,
        status: u16,
        tag: u8,
        headers: Vec<usize>,
        body: bool,
    },
    /// Something that came before comes again, perhaps damaged.
    Again {
        which: usize,
        damage: Vec<(usize, u8)>,
    },
    SendFails {
        which: usize,
    },
}

#[derive(Clone, Debug)]
enum Command {
    SetIdentity,
    Progress(u16, bool),
    Accept(bool),
    Reject(u16),
    HangUp,
    Reoffer,
    Reanswer(bool),
    RefuseReoffer(u16),
    AcceptRefer,
    RefuseRefer,
    Notify(u16, bool),
    Info,
}

#[derive(Clone, Debug)]
enum Tag {
    None,
    /// Ours, of one of the messages that we sent.
    Ours(usize),
    Strange,
}

const METHODS: [&str; 13] = [
    "INVITE", "INVITE", "ACK", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK", "INFO", "OPTIONS", "REFER",
    "NOTIFY", "JUMP",
];

const REQUEST_HEADERS: [&str; 9] = [
    "Supported: timer, 100rel",
    "Require: 100rel",
    "Require: timer",
    "Session-Expires: 100;refresher=uac",
    "Session-Expires: 4000;refresher=uas",
    "Refer-To: <sip:somebody@example.org>",
    "RAck: 1 1 INVITE",
    "Record-Route: <sip:proxy.example.com;lr>",
    "Contact: *",
];

const RESPONSE_HEADERS: [&str; 9] = [
    "Contact: <sip:peer@198.51.100.9>",
    "Contact: <tel:+1>",
    "Record-Route: <sip:proxy.example.com;lr>, <sip:strict.example.com>",
    "Require: 100rel",
    "RSeq: 1",
    "RSeq: 2",
    "Session-Expires: 100;refresher=uac",
    "Min-SE: 2000",
    "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n\", stale=true",
];

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::SetIdentity),
        Just(Command::SetIdentity),
        (100_u16..300, any::<bool>()).prop_map(|(status, body)| Command::Progress(status, body)),
        any::<bool>().prop_map(Command::Accept),
        any::<bool>().prop_map(Command::Accept),
        (200_u16..800).prop_map(Command::Reject),
        Just(Command::HangUp),
        Just(Command::Reoffer),
        any::<bool>().prop_map(Command::Reanswer),
        (0_u16..800).prop_map(Command::RefuseReoffer),
        Just(Command::AcceptRefer),
        Just(Command::RefuseRefer),
        (0_u16..800, any::<bool>()).prop_map(|(status, last)| Command::Notify(status, last)),
        Just(Command::Info),
    ]
}

fn tag() -> impl Strategy<Value = Tag> {
    prop_oneof![
        Just(Tag::None),
        (0_usize..100).prop_map(Tag::Ours),
        (0_usize..100).prop_map(Tag::Ours),
        (0_usize..100).prop_map(Tag::Ours),
        Just(Tag::Strange),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let ask = (
        0..METHODS.len(),
        0_u32..9,
        0_u8..9,
        0_u8..3,
        tag(),
        vec(0..REQUEST_HEADERS.len(), 0..3),
        any::<bool>(),
    );
    let status =
        prop_oneof![100_u16..201, 180_u16..201, 200_u16..700, Just(200), Just(401), Just(422), Just(491)];
    let reply = (0_usize..100, status, 0_u8..3, vec(0..RESPONSE_HEADERS.len(), 0..4), any::<bool>());
    prop_oneof![
        3 => (0_u64..40_000).prop_map(|ms| Op::Time(Duration::from_millis(ms))),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(offer, credentials)| Op::Invite { offer, credentials }),
        1 => Just(Op::SendOptions),
        9 => (0_usize..100, command()).prop_map(|(which, command)| Op::Leg { which, command }),
        1 => (0_usize..100).prop_map(|which| Op::Respond { which }),
        9 => ask.prop_map(|(method, cseq, branch, call, tag, headers, body)| Op::Ask {
            method, cseq, branch, call, tag, headers, body
        }),
        7 => reply.prop_map(|(which, status, tag, headers, body)| Op::Answer { which, status, tag, headers, body }),
        2 => (0_usize..100, vec((0_usize..900, any::<u8>()), 0..3))
            .prop_map(|(which, damage)| Op::Again { which, damage }),
        1 => (0_usize..100).prop_map(|which| Op::SendFails { which }),
    ]
}

/// The user agent, and what a test remembers of it.
struct World {
    solo: Solo,
    legs: Vec<LegId>,
    refers: Vec<ReferId>,
    requests: Vec<RequestId>,
    ended: BTreeSet<LegId>,
    /// Requests that we sent.
    ours: Vec<Message>,
    tags: Vec<String>,
    tokens: Vec<TransmitToken>,
    received: Vec<Vec<u8>>,
}

impl World {
    fn new(transport: Transport, demanding: bool) -> Self {
        let plain = identity("192.0.2.1");
        let identity = match demanding {
            true => Identity { reliable_provisional: true, ..with_timer(plain, 1800, 90) },
            false => plain,
        };
        Self {
            solo: Solo::new(transport, identity),
            legs: Vec::new(),
            refers: Vec::new(),
            requests: Vec::new(),
            ended: BTreeSet::new(),
            ours: Vec::new(),
            tags: Vec::new(),
            tokens: Vec::new(),
            received: Vec::new(),
        }
    }

    fn act(&mut self, op: Op) {
        match op {
            Op::Time(time) => self.solo.pass(time),
            Op::Invite { offer, credentials: proves } => {
                let invite = OutgoingInvite {
                    credentials: proves.then(credentials),
                    ..self.solo.outgoing(offer.then_some("offer"))
                };
                let leg = self.solo.ua.new_leg();
                self.legs.push(leg);
                self.solo.ua.invite(self.solo.now, leg, invite);
            }
            Op::SendOptions => self.options(),
            Op::Leg { which, command } => {
                if let Some(leg) = pick(&self.legs, which) {
                    self.command(*leg, which, command);
                }
            }
            Op::Respond { which } => {
                if let Some(id) = pick(&self.requests, which) {
                    let identity = self.solo.identity.clone();
                    self.solo.ua.respond(self.solo.now, *id, &identity, answer(200), None);
                }
            }
            Op::Ask { method, cseq, branch, call, tag, headers, body } => {
                let mut headers: Vec<&str> = headers.iter().map(|at| REQUEST_HEADERS[*at]).collect();
                if body {
                    headers.push(OFFER);
                }
                let tag = match tag {
                    Tag::None => "",
                    Tag::Ours(which) => pick(&self.tags, which).map_or("", String::as_str),
                    Tag::Strange => "strange",
                };
                let text = request(
                    METHODS[method],
                    cseq,
                    &branch.to_string(),
                    tag,
                    &headers,
                    if body { "sdp" } else { "" },
                );
                let text = text.replace("call-1", &format!("call-{call}"));
                self.receive(text.replace('\n', "\r\n").into_bytes());
            }
            Op::Answer { which, status, tag, headers, body } => {
                let Some(request) = pick(&self.ours, which).cloned() else { return };
                let headers: Vec<&str> = headers.iter().map(|at| RESPONSE_HEADERS[*at]).collect();
                let tag = ["", "peer", "other"][usize::from(tag)];
                self.solo.respond(&request, status, tag, &headers, body.then_some("answer"));
            }
            Op::Again { which, damage } => {
                let Some(mut bytes) = pick(&self.received, which).cloned() else { return };
                for (at, byte) in damage {
                    if let Some(old) = bytes.get_mut(at) {
                        *old = byte;
                    }
                }
                self.receive(bytes);
            }
            Op::SendFails { which } => {
                if let Some(token) = pick(&self.tokens, which) {
                    self.solo.ua.handle_send_failed(self.solo.now, *token);
                }
            }
        }
        self.look();
    }

    fn options(&mut self) {
        let like = self.solo.outgoing(None);
        let id = self.solo.ua.new_request();
        let request = OutgoingRequest {
            identity: like.identity,
            hop: like.hop,
            method: Method::Options,
            request_uri: like.request_uri,
            from: like.from,
            to: like.to,
            contact: Some(like.contact),
            headers: Vec::new(),
            credentials: Some(credentials()),
        };
        self.solo.ua.request(self.solo.now, id, request);
    }

    fn command(&mut self, leg: LegId, which: usize, command: Command) {
        let (ua, now) = (&mut self.solo.ua, self.solo.now);
        let refer = pick(&self.refers, which).copied();
        match command {
            Command::SetIdentity => {
                ua.set_identity(
                    leg,
                    self.solo.identity.clone(),
                    std::sync::Arc::from(&b"<sip:192.0.2.1>"[..]),
                );
            }
            Command::Progress(status, true) => ua.progress(now, leg, answer_with(status, "early")),
            Command::Progress(status, false) => ua.progress(now, leg, answer(status)),
            Command::Accept(true) => ua.accept(now, leg, answer_with(200, "answer")),
            Command::Accept(false) => ua.accept(now, leg, answer(200)),
            Command::Reject(status) => ua.reject(now, leg, answer(status)),
            Command::HangUp => ua.hang_up(now, leg, Vec::new()),
            Command::Reoffer => ua.reoffer(now, leg, sdp("again")),
            Command::Reanswer(true) => ua.reanswer(now, leg, answer_with(200, "answer again")),
            Command::Reanswer(false) => ua.reanswer(now, leg, answer(0)),
            Command::RefuseReoffer(status) => ua.refuse_reoffer(now, leg, status),
            Command::AcceptRefer => {
                if let Some(refer) = refer {
                    ua.accept_refer(now, leg, refer);
                }
            }
            Command::RefuseRefer => {
                if let Some(refer) = refer {
                    ua.refuse_refer(now, leg, refer, 603);
                }
            }
            Command::Notify(status, last) => {
                if let Some(refer) = refer {
                    ua.notify_refer(now, leg, refer, status, "", last);
                }
            }
            Command::Info => ua.info(now, leg, sdp("info")),
        }
    }

    fn receive(&mut self, bytes: Vec<u8>) {
        self.received.push(bytes.clone());
        match Message::parse_datagram(bytes) {
            Ok(message) => self.solo.receive_message(message),
            Err(error) => {
                let flow = self.solo.flow.clone();
                self.solo.ua.handle_faulty(self.solo.now, &flow, &error);
            }
        }
    }

    /// Takes note of what was put out; every leg ends at most once, and nothing is told of it afterwards.
    fn look(&mut self) {
        self.solo.drain();
        for transmit in self.solo.sent.drain(..) {
            self.tokens.extend(transmit.token);
            let refuses =
                transmit.bytes.starts_with(b"SIP/2.0 4") || transmit.bytes.starts_with(b"SIP/2.0 5");
            let message = match Message::parse_datagram(transmit.bytes) {
                Ok(message) => message,
                // The answer to a faulty request is as faulty as what it copies.
                Err(_) if refuses => continue,
                Err(error) => panic!("we wrote a faulty message: {error}"),
            };
            let ours = if message.is_request() { message.from().tag() } else { message.to().tag() };
            self.tags.extend(ours.map(|tag| String::from_utf8_lossy(tag).into_owned()));
            if message.is_request() && message.method() != Method::Ack {
                self.ours.push(message);
            }
        }
        for event in self.solo.events.drain(..) {
            let leg = match event {
                Event::Invite { leg, .. } => {
                    self.legs.push(leg);
                    leg
                }
                Event::Ended { leg, .. } => {
                    assert!(self.ended.insert(leg), "{leg:?} ended twice");
                    continue;
                }
                Event::Refer { leg, refer, .. } => {
                    self.refers.push(refer);
                    leg
                }
                Event::Progress { leg, .. }
                | Event::Accepted { leg, .. }
                | Event::Acknowledged { leg, .. }
                | Event::Reoffer { leg, .. }
                | Event::Reanswered { leg, .. }
                | Event::ReofferRefused { leg, .. }
                | Event::Info { leg, .. } => leg,
                Event::Request { id, .. } => {
                    self.requests.push(id);
                    continue;
                }
                Event::Response { .. } | Event::RequestFailed { .. } | Event::Faulty { .. } => continue,
            };
            assert!(!self.ended.contains(&leg), "{leg:?} goes on after its end");
        }
    }

    /// Hangs up everything and lets the time pass that any of it may take.
    fn end(&mut self) {
        for leg in self.legs.clone() {
            self.solo.ua.hang_up(self.solo.now, leg, Vec::new());
            self.look();
        }
        self.solo.pass_s(600);
        self.look();
        let all: BTreeSet<LegId> = self.legs.iter().copied().collect();
        assert_eq!(self.ended, all, "legs without an end");
        assert_eq!(self.solo.ua.load(), Load::default(), "left over");
    }
}

fn pick<T>(from: &[T], which: usize) -> Option<&T> {
    // The latest are the most interesting.
    from.len().checked_sub(1 + which % from.len().max(1)).and_then(|at| from.get(at))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn everything_ends_and_nothing_is_left(
        ops in vec(op(), 0..80),
        udp in any::<bool>(),
        demanding in any::<bool>(),
    ) {
        let mut world = World::new(if udp { Transport::Udp } else { Transport::Tls }, demanding);
        for op in ops {
            world.act(op);
        }
        world.end();
    }
}
