//! What stands in the messages of a user agent.

use std::net::SocketAddr;

use bytes::Bytes;

use super::vocabulary::{Body, ExtraHeader, Identity};
use crate::build::Writer;
use crate::flow::{Destination, Flow, Transport};
use crate::header::{DEFAULT_PORT, HeaderName, NameAddr, Rport, Via};
use crate::message::{Message, RawMessage};
use crate::method::Method;
use crate::session_timer::{self, Verdict};
use crate::status::StatusCode;

/// A header that the user agent itself adds to one message.
pub(super) type OwnHeader = (HeaderName<'static>, Vec<u8>);

/// A request of ours, ready to be written.
pub(super) struct Request<'a> {
    pub(super) method: Method<'static>,
    pub(super) uri: &'a [u8],
    pub(super) identity: &'a Identity,
    pub(super) transport: Transport,
    pub(super) branch: &'a [u8],
    /// Route headers.
    pub(super) routes: &'a [&'a [u8]],
    /// Behind a strict router: the URI that comes last in Route.
    pub(super) last_route: Option<&'a [u8]>,
    /// From with our tag.
    pub(super) from: &'a [u8],
    /// To as it is written.
    pub(super) to: &'a [u8],
    pub(super) call_id: &'a [u8],
    pub(super) cseq: u32,
    /// With its brackets.
    pub(super) contact: Option<&'a [u8]>,
    pub(super) own: &'a [OwnHeader],
    pub(super) extra: &'a [ExtraHeader],
    pub(super) body: Option<&'a Body>,
}

impl Request<'_> {
    /// The bytes; `None` if what the user gave is no value of a header.
    pub(super) fn write(&self) -> Option<Bytes> {
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, self.method, self.uri);
        let identity = self.identity;
        let via_end: &[u8] = if self.transport == Transport::Udp { b";rport" } else { b"" };
        writer.header_parts(
            HeaderName::Via,
            &[
                b"SIP/2.0/",
                self.transport.via_name().as_bytes(),
                b" ",
                identity.sent_by.as_bytes(),
                b";branch=",
                self.branch,
                via_end,
            ],
        );
        for route in self.routes {
            writer.header(HeaderName::Route, route);
        }
        if let Some(last) = self.last_route {
            writer.header_parts(HeaderName::Route, &[b"<", last, b">"]);
        }
        if !self.extra.iter().any(|(name, _)| name.eq_ignore_ascii_case("Max-Forwards")) {
            writer.header_number(HeaderName::MaxForwards, MAX_FORWARDS);
        }
        writer.header(HeaderName::From, self.from);
        writer.header(HeaderName::To, self.to);
        writer.header(HeaderName::CallId, self.call_id);
        writer.header_fmt(HeaderName::CSeq, format_args!("{} {}", self.cseq, self.method));
        if let Some(contact) = self.contact {
            writer.header(HeaderName::Contact, contact);
        }
        if matches!(self.method, Method::Invite | Method::Update | Method::Options) {
            capabilities(&mut writer, identity, self.body.is_some() || self.method != Method::Invite);
        }
        product(&mut writer, HeaderName::UserAgent, identity);
        finish(writer, self.own, self.extra, self.body).then(|| kept(out))
    }
}

/// A response of ours, ready to be written.
#[derive(Default)]
pub(super) struct Reply<'a> {
    pub(super) status: u16,
    /// Empty: the usual phrase.
    pub(super) reason: &'a str,
    /// For a request without a To tag.
    pub(super) tag: Option<&'a [u8]>,
    pub(super) identity: Option<&'a Identity>,
    /// With its brackets.
    pub(super) contact: Option<&'a [u8]>,
    pub(super) own: &'a [OwnHeader],
    pub(super) extra: &'a [ExtraHeader],
    pub(super) body: Option<&'a Body>,
}

impl Reply<'_> {
    /// A response that says no more than its status.
    pub(super) fn status(status: u16) -> Self {
        Reply { status, ..Reply::default() }
    }

    /// The bytes. What the user gave and is no value of a header makes it a bare 500.
    pub(super) fn write(&self, request: &RawMessage, source: SocketAddr) -> Bytes {
        let mut out = Vec::new();
        if !self.try_write(&mut out, request, source) {
            out.clear();
            let bare = Reply { status: 500, tag: self.tag, ..Reply::default() };
            if !bare.try_write(&mut out, request, source) {
                out.clear();
            }
        }
        kept(out)
    }

    fn try_write(&self, out: &mut Vec<u8>, request: &RawMessage, source: SocketAddr) -> bool {
        let Some(status) = StatusCode::new(self.status) else { return false };
        let method = request.request_method();
        let mut writer = Writer::response(out, status, self.reason.as_bytes());
        let tag = self.tag.filter(|_| status != StatusCode::TRYING);
        writer.reply_to(request, status, tag, Some(source));
        let describes = status != StatusCode::TRYING
            && !status.is_failure()
            && matches!(method, Some(Method::Invite | Method::Update | Method::Options | Method::Refer));
        if let Some(contact) = self.contact
            && describes
        {
            writer.header(HeaderName::Contact, contact);
        }
        match self.identity {
            Some(identity) => {
                if describes {
                    capabilities(&mut writer, identity, true);
                } else if status == StatusCode::METHOD_NOT_ALLOWED {
                    writer.header(HeaderName::Allow, identity.allow.as_bytes());
                }
                product(&mut writer, HeaderName::Server, identity);
            }
            None if status == StatusCode::METHOD_NOT_ALLOWED => {
                writer.header(HeaderName::Allow, ALLOW);
            }
            None => {}
        }
        finish(writer, self.own, self.extra, self.body)
    }
}

/// Where the responses to a request go: back on its connection; over UDP to its source address, at the source port
/// if the request asks for it, else at the port of sent-by (RFC 3261 section 18.2.2, RFC 3581 section 4).
pub(super) fn reply_to(request: &RawMessage, flow: &Flow) -> Destination {
    let mut flow = flow.clone();
    if flow.transport == Transport::Udp
        && let Some(Ok(via)) = request.list(HeaderName::Via).next().map(Via::parse)
        && via.rport() == Rport::Absent
    {
        flow.remote.set_port(via.port.unwrap_or(DEFAULT_PORT));
    }
    Destination::Flow(flow)
}

/// The ACK for a failure of that INVITE (RFC 3261 section 17.1.1.3): empty if the INVITE is none.
pub(super) fn ack_of_failure(invite: &Bytes, response: &Message) -> Bytes {
    let to = response.header(HeaderName::To).unwrap_or_default();
    of_invite(invite, Method::Ack, to, &[]).unwrap_or_default()
}

/// The CANCEL of that INVITE (RFC 3261 section 9.1).
pub(super) fn cancel(invite: &Bytes, extra: &[ExtraHeader]) -> Option<Bytes> {
    let parsed = Message::parse_datagram(invite.clone()).ok()?;
    let to = parsed.header(HeaderName::To)?;
    of_invite(invite, Method::Cancel, to, extra).or_else(|| of_invite(invite, Method::Cancel, to, &[]))
}

fn of_invite(invite: &Bytes, method: Method<'static>, to: &[u8], extra: &[ExtraHeader]) -> Option<Bytes> {
    let invite = Message::parse_datagram(invite.clone()).ok()?;
    let mut out = Vec::new();
    let mut writer = Writer::request(&mut out, method, invite.request_uri()?);
    writer.copy(&invite, HeaderName::Via);
    writer.copy(&invite, HeaderName::Route);
    writer.header_number(HeaderName::MaxForwards, MAX_FORWARDS);
    writer.copy(&invite, HeaderName::From);
    writer.header(HeaderName::To, to);
    writer.copy(&invite, HeaderName::CallId);
    writer.header_fmt(HeaderName::CSeq, format_args!("{} {method}", invite.cseq().number));
    writer.copy(&invite, HeaderName::UserAgent);
    writer.copy(&invite, HeaderName::XMsSbc);
    finish(writer, &[], extra, None).then(|| kept(out))
}

/// A request of ours once more, with another branch and CSeq and with credentials.
pub(super) fn again(request: &Message, branch: &[u8], cseq: u32, proof: &[OwnHeader]) -> Option<Bytes> {
    let mut out = Vec::new();
    let method = request.method();
    let mut writer = Writer::request(&mut out, method, request.request_uri()?);
    for (name, value) in request.named_headers() {
        match name {
            HeaderName::Via => {
                let end = value.iter().position(|byte| *byte == b';').unwrap_or(value.len());
                let sent_by = value.get(..end)?;
                let rport: &[u8] = if request.via().rport() == Rport::Absent { b"" } else { b";rport" };
                writer.header_parts(HeaderName::Via, &[sent_by, b";branch=", branch, rport]);
            }
            HeaderName::CSeq => {
                writer.header_fmt(HeaderName::CSeq, format_args!("{cseq} {method}"));
            }
            HeaderName::Authorization | HeaderName::ProxyAuthorization | HeaderName::ContentLength => {}
            name => {
                writer.header(name, value);
            }
        }
    }
    for (name, value) in proof {
        writer.header(*name, value);
    }
    writer.finish_with_body(b"", request.body()).is_ok().then(|| kept(out))
}

/// The body of a message, if it is a session description: SDP, alone or among other parts.
pub(super) fn session(message: &RawMessage) -> Option<Body> {
    let content_type = message.header(HeaderName::ContentType)?;
    let is_session = has_type(content_type, b"application/sdp") || has_prefix(content_type, b"multipart/");
    if is_session { body(message) } else { None }
}

/// The body of a message.
pub(super) fn body(message: &RawMessage) -> Option<Body> {
    let bytes = message.body();
    if bytes.is_empty() {
        return None;
    }
    let content_type = std::str::from_utf8(message.header(HeaderName::ContentType)?).ok()?;
    Some(Body { content_type: content_type.into(), bytes: bytes.into() })
}

fn has_type(content_type: &[u8], wanted: &[u8]) -> bool {
    let end = content_type.iter().position(|byte| matches!(byte, b';' | b' ')).unwrap_or(content_type.len());
    content_type.get(..end).is_some_and(|name| name.eq_ignore_ascii_case(wanted))
}

fn has_prefix(content_type: &[u8], wanted: &[u8]) -> bool {
    content_type.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted))
}

/// `address;tag=tag`.
pub(super) fn tagged(address: &[u8], tag: &[u8]) -> Vec<u8> {
    if NameAddr::parse(address).is_ok_and(|address| address.tag().is_some()) {
        return address.to_vec();
    }
    [address, b";tag=", tag].concat()
}

/// Session-Expires, and Require where the peer is to refresh, for our 2xx.
pub(super) fn session_headers(verdict: Verdict) -> Vec<OwnHeader> {
    let Some(agreed) = verdict.agreed() else { return Vec::new() };
    let expires = (HeaderName::SessionExpires, session_timer::in_answer(agreed).into_bytes());
    if agreed.we_refresh { vec![expires] } else { vec![(HeaderName::Require, b"timer".to_vec()), expires] }
}

/// Allow and Supported.
fn capabilities(writer: &mut Writer<'_>, identity: &Identity, may_100rel: bool) {
    writer.header(HeaderName::Allow, identity.allow.as_bytes());
    let listed = identity.supported.split(',').any(|option| option.trim().eq_ignore_ascii_case("100rel"));
    let adds_100rel = identity.reliable_provisional && may_100rel && !listed;
    match (identity.supported.is_empty(), adds_100rel) {
        (true, false) => {}
        (true, true) => {
            writer.header(HeaderName::Supported, b"100rel");
        }
        (false, false) => {
            writer.header(HeaderName::Supported, identity.supported.as_bytes());
        }
        (false, true) => {
            writer.header_parts(HeaderName::Supported, &[identity.supported.as_bytes(), b", 100rel"]);
        }
    }
}

/// User-Agent or Server, and the headers that go on every message.
fn product(writer: &mut Writer<'_>, name: HeaderName<'static>, identity: &Identity) {
    if !identity.product.is_empty() {
        writer.header(name, identity.product.as_bytes());
    }
    for (name, value) in identity.headers.iter() {
        writer.header(HeaderName::Other(name.as_bytes()), value.as_bytes());
    }
}

fn finish(mut writer: Writer<'_>, own: &[OwnHeader], extra: &[ExtraHeader], body: Option<&Body>) -> bool {
    for (name, value) in own {
        writer.header(*name, value);
    }
    for (name, value) in extra {
        writer.header(HeaderName::Other(name.as_bytes()), value);
    }
    match body {
        Some(body) => writer.finish_with_body(body.content_type.as_bytes(), &body.bytes).is_ok(),
        None => writer.finish().is_ok(),
    }
}

/// A message as it is kept for being sent again: without the room that the writer left.
fn kept(mut out: Vec<u8>) -> Bytes {
    out.shrink_to_fit();
    out.into()
}

/// Hops that a request of ours may go: RFC 3261 section 8.1.1.6.
const MAX_FORWARDS: u64 = 70;

/// Allow in a 405 before we know towards whom: every method that this crate takes.
const ALLOW: &[u8] = b"INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, NOTIFY, REFER";
