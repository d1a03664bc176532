//! A dialog: what two user agents must remember to go on talking (RFC 3261 section 12).

use std::net::IpAddr;
use std::sync::Arc;

use crate::flow::{Hop, InterfaceId, Transport};
use crate::header::{CSEQ_MAX, HeaderName, NameAddr};
use crate::message::Message;
use crate::uri::{Host, SipUri, Uri};

/// One dialog, early or confirmed, seen from our side.
///
/// A dialog is found by Call-ID and tags, never by the connection or address that a message came from.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    /// Call-ID.
    pub(crate) call_id: Arc<[u8]>,
    /// From in our requests, with our tag.
    pub(crate) local: Arc<[u8]>,
    /// To in our requests, with the peer's tag.
    pub(crate) remote: Box<[u8]>,
    /// The peer's tag; empty if it has none (RFC 2543).
    pub(crate) remote_tag: Box<[u8]>,
    /// CSeq of the latest request of ours.
    pub(crate) local_cseq: u32,
    /// CSeq of the latest request of theirs.
    pub(crate) remote_cseq: Option<u32>,
    /// Route headers of our requests, first hop first.
    routes: Box<[Box<[u8]>]>,
    /// The peer's Contact URI, byte for byte: the Request-URI of our requests.
    target: Box<[u8]>,
}

/// How a request in a dialog is addressed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    /// The Request-URI.
    pub(crate) request_uri: &'a [u8],
    /// The values of its Route headers.
    pub(crate) routes: Vec<&'a [u8]>,
    /// With a strict router first: the peer's Contact URI, to be the last Route (RFC 3261 section 12.2.1.1).
    pub(crate) last: Option<&'a [u8]>,
    /// The URI whose host is the next hop.
    next: &'a [u8],
}

impl Dialog {
    /// The dialog that an INVITE from the peer begins; `local` is its To with our tag.
    ///
    /// `None`: it has no usable Contact.
    pub(crate) fn of_request(request: &Message, local: Arc<[u8]>) -> Option<Self> {
        Some(Self {
            call_id: request.call_id().into(),
            local,
            remote: request.header(HeaderName::From)?.into(),
            remote_tag: request.from().tag().unwrap_or_default().into(),
            local_cseq: FIRST_CSEQ,
            remote_cseq: Some(request.cseq().number),
            routes: request.list(HeaderName::RecordRoute).map(Into::into).collect(),
            target: contact(request)?.into(),
        })
    }

    /// The dialog that a response to our INVITE begins or confirms.
    ///
    /// Without a usable Contact, which RFC 3261 section 12.1.1 forbids, `target` stands in: where the INVITE went.
    pub(crate) fn of_response(
        response: &Message,
        call_id: Arc<[u8]>,
        local: Arc<[u8]>,
        target: &[u8],
    ) -> Self {
        let mut routes: Vec<Box<[u8]>> = response.list(HeaderName::RecordRoute).map(Into::into).collect();
        routes.reverse();
        Self {
            call_id,
            local,
            remote: response.header(HeaderName::To).unwrap_or_default().into(),
            remote_tag: response.to().tag().unwrap_or_default().into(),
            local_cseq: response.cseq().number,
            remote_cseq: None,
            routes: routes.into(),
            target: contact(response).unwrap_or(target).into(),
        }
    }

    /// Takes the Contact of a target refresh request or its 2xx (RFC 3261 sections 12.2.1.2 and 12.2.2).
    pub(crate) fn refresh_target(&mut self, message: &Message) {
        if let Some(contact) = contact(message)
            && *contact != *self.target
        {
            self.target = contact.into();
        }
    }

    /// The CSeq of our next request.
    pub(crate) fn next_cseq(&mut self) -> u32 {
        self.local_cseq = if self.local_cseq < CSEQ_MAX { self.local_cseq + 1 } else { FIRST_CSEQ };
        self.local_cseq
    }

    /// Takes note of a request of theirs: `false` if it comes too late. Numbers may skip, but not go back
    /// (RFC 3261 section 12.2.2).
    pub(crate) fn take_cseq(&mut self, number: u32) -> bool {
        let is_next = self.remote_cseq.is_none_or(|latest| number > latest);
        if is_next {
            self.remote_cseq = Some(number);
        }
        is_next
    }

    /// Whether a message of the peer belongs to this dialog, given that it names our tag.
    pub(crate) fn matches(&self, call_id: &[u8], remote_tag: &[u8]) -> bool {
        *self.call_id == *call_id && *self.remote_tag == *remote_tag
    }

    /// How the next request is addressed.
    pub(crate) fn route(&self) -> Route<'_> {
        let first = self.routes.first().and_then(|route| NameAddr::parse(route).ok());
        match first {
            None => Route { request_uri: &self.target, routes: Vec::new(), last: None, next: &self.target },
            Some(first) if is_loose(first.uri) => Route {
                request_uri: &self.target,
                routes: self.routes.iter().map(|route| &**route).collect(),
                last: None,
                next: first.uri,
            },
            Some(first) => Route {
                request_uri: first.uri,
                routes: self.routes.iter().skip(1).map(|route| &**route).collect(),
                last: Some(&self.target),
                next: first.uri,
            },
        }
    }
}

impl Route<'_> {
    /// The next hop: host, port and transport of the first Route, without one of the peer's Contact.
    ///
    /// `transport` is that of the leg and stands where the URI names none. The Contact port of Microsoft's proxies
    /// (443) is no SIP port; it does not matter because their Record-Route is there ("Direct Routing: protocols,
    /// SIP"). `None`: the URI is no SIP URI.
    pub(crate) fn hop(&self, interface: InterfaceId, transport: Transport) -> Option<Hop> {
        let uri = Uri::parse(self.next).ok()?;
        let uri = uri.as_sip()?;
        let transport = match uri.transport() {
            Some(name) => named_transport(name).unwrap_or(transport),
            None if uri.secure => Transport::Tls,
            None => transport,
        };
        Some(Hop { interface, transport, host: host_text(uri)?, port: uri.port })
    }
}

/// The URI of the first Contact.
fn contact(message: &Message) -> Option<&[u8]> {
    let contact = NameAddr::parse(message.list(HeaderName::Contact).next()?).ok()?;
    matches!(contact.parse_uri(), Ok(Uri::Sip(_))).then_some(contact.uri)
}

fn is_loose(uri: &[u8]) -> bool {
    matches!(Uri::parse(uri), Ok(Uri::Sip(uri)) if uri.is_loose_router())
}

fn named_transport(name: &[u8]) -> Option<Transport> {
    [Transport::Udp, Transport::Tcp, Transport::Tls]
        .into_iter()
        .find(|transport| name.eq_ignore_ascii_case(transport.uri_name().as_bytes()))
}

fn host_text(uri: &SipUri<'_>) -> Option<Arc<str>> {
    match uri.host {
        Host::Name(name) => std::str::from_utf8(name).ok().map(Into::into),
        Host::V4(ip) => Some(IpAddr::V4(ip).to_string().into()),
        Host::V6(ip) => Some(IpAddr::V6(ip).to_string().into()),
    }
}

/// Our first CSeq in a dialog that the peer began.
const FIRST_CSEQ: u32 = 1;
