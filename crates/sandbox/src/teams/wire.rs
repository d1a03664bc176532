//! Messages in the form in which Teams' proxies write them: names in capitals, headers in their order, Via with an
//! address, no To tag in the answer to OPTIONS.

use tandem_sip::build::{HeaderCase, Writer};
use tandem_sip::header::HeaderName;
use tandem_sip::message::{Message, RawMessage};
use tandem_sip::method::Method;
use tandem_sip::status::StatusCode;

/// What Teams takes; REFER, UPDATE, PRACK and INFO are not in it.
pub const ALLOW: &[u8] = b"INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY";

/// A request of Teams.
#[derive(Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: Method<'a>,
    /// Request-URI.
    pub uri: &'a [u8],
    /// From with its tag.
    pub from: &'a [u8],
    /// To, with its tag inside a dialog.
    pub to: &'a [u8],
    /// The number of CSeq.
    pub cseq: u32,
    /// Call-ID.
    pub call_id: &'a [u8],
    /// Via without `SIP/2.0/TLS `: address, port and branch.
    pub via: &'a str,
    /// Routes, each with its brackets.
    pub routes: &'a [Vec<u8>],
    /// Record-Route, which is in INVITE only.
    pub record_route: Option<&'a str>,
    /// Contact with its brackets.
    pub contact: Option<&'a str>,
    /// Further headers, between Contact and User-Agent.
    pub headers: Vec<(HeaderName<'a>, Vec<u8>)>,
    /// The proxy's product and version.
    pub product: &'a str,
    /// A session description.
    pub sdp: Option<&'a str>,
}

impl Request<'_> {
    /// The bytes. Empty when a value would break its line, which then is not sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, self.method, self.uri);
        writer.case(HeaderCase::Capitals);
        writer.header(HeaderName::From, self.from);
        writer.header(HeaderName::To, self.to);
        writer.header_fmt(HeaderName::CSeq, format_args!("{} {}", self.cseq, self.method));
        writer.header(HeaderName::CallId, self.call_id);
        writer.header(HeaderName::MaxForwards, b"70");
        writer.header_parts(HeaderName::Via, &[b"SIP/2.0/TLS ", self.via.as_bytes()]);
        for route in self.routes {
            writer.header(HeaderName::Route, route);
        }
        if let Some(route) = self.record_route {
            writer.header(HeaderName::RecordRoute, route.as_bytes());
        }
        if let Some(contact) = self.contact {
            writer.header(HeaderName::Contact, contact.as_bytes());
        }
        for (name, value) in &self.headers {
            writer.header(*name, value);
        }
        // ACK and CANCEL are bare; everything else tells who speaks and what it takes.
        if !matches!(self.method, Method::Ack | Method::Cancel) {
            writer.header(HeaderName::UserAgent, self.product.as_bytes());
            writer.header(HeaderName::Allow, ALLOW);
        }
        finish(writer, self.sdp);
        out
    }
}

/// A response of Teams.
#[derive(Debug, Default)]
pub struct Response<'a> {
    /// The status.
    pub status: u16,
    /// The reason phrase; empty: the usual one.
    pub phrase: &'a str,
    /// The tag for To, if the request has none there.
    pub to_tag: Option<&'a str>,
    /// Record-Route: in answers that set up a dialog.
    pub record_route: Option<&'a str>,
    /// Contact with its brackets.
    pub contact: Option<&'a str>,
    /// Further headers, between Contact and Allow.
    pub headers: Vec<(HeaderName<'a>, Vec<u8>)>,
    /// Allow is left out.
    pub without_allow: bool,
    /// The proxy's product and version.
    pub product: &'a str,
    /// A session description.
    pub sdp: Option<&'a str>,
}

impl Response<'_> {
    /// The bytes of the response to a request.
    pub fn to_bytes(&self, request: &RawMessage) -> Vec<u8> {
        let mut out = Vec::new();
        let status = StatusCode::new(self.status).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR);
        let mut writer = Writer::response(&mut out, status, self.phrase.as_bytes());
        writer.case(HeaderCase::Capitals);
        writer.copy(request, HeaderName::From);
        for to in request.headers(HeaderName::To) {
            let tagged = tandem_sip::header::NameAddr::parse(to).is_ok_and(|to| to.tag().is_some());
            match self.to_tag {
                Some(tag) if !tagged => writer.header_parts(HeaderName::To, &[to, b";tag=", tag.as_bytes()]),
                _ => writer.header(HeaderName::To, to),
            };
        }
        writer.copy(request, HeaderName::CSeq);
        writer.copy(request, HeaderName::CallId);
        writer.copy(request, HeaderName::Via);
        if let Some(route) = self.record_route {
            writer.header(HeaderName::RecordRoute, route.as_bytes());
        }
        if let Some(contact) = self.contact {
            writer.header(HeaderName::Contact, contact.as_bytes());
        }
        for (name, value) in &self.headers {
            writer.header(*name, value);
        }
        if !self.without_allow {
            writer.header(HeaderName::Allow, ALLOW);
        }
        writer.header(HeaderName::Server, self.product.as_bytes());
        finish(writer, self.sdp);
        out
    }
}

/// The value of a header as it came, without regard to what it holds.
pub fn value<'m>(message: &'m Message, name: HeaderName<'_>) -> Option<&'m [u8]> {
    message.headers(name).next()
}

fn finish(writer: Writer<'_>, sdp: Option<&str>) {
    // A value that breaks its line leaves the buffer empty: such a message is not sent.
    let _ = match sdp {
        Some(sdp) => writer.finish_with_body(b"application/sdp", sdp.as_bytes()),
        None => writer.finish(),
    };
}
