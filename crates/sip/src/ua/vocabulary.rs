//! What a [`UserAgent`](super::UserAgent) is told and what it tells: plain values.

use std::sync::Arc;
use std::time::Duration;

use crate::flow::{Flow, Hop, InterfaceId};
use crate::message::Message;

/// One leg: an INVITE we sent or took, all its early dialogs, and the dialog that it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub u64);

/// One request outside of dialogs: sent by us, or taken and to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// One REFER inside a leg's dialog and the subscription that it opens (RFC 3515).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferId(pub u64);

/// A message body with its type; what is in it is not this crate's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The Content-Type, such as `application/sdp`.
    pub content_type: Arc<str>,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

/// How we present ourselves towards one peer: what a trunk profile says about our own messages.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The interface on which we live towards this peer.
    pub interface: InterfaceId,
    /// The sent-by of our Via: advertised host or trunk FQDN, with port.
    pub sent_by: Arc<str>,
    /// The Allow header, such as `INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER`.
    pub allow: Arc<str>,
    /// Option tags of the Supported header, such as `timer, replaces`. Empty: no header.
    pub supported: Arc<str>,
    /// Product and version, for User-Agent and Server.
    pub product: Arc<str>,
    /// Further headers on every request and response, such as `X-MS-SBC`.
    pub headers: Arc<[(Box<str>, Box<str>)]>,
    /// Session timers we ask for or accept (RFC 4028). `None`: we neither offer nor refresh.
    pub session_timer: Option<SessionTimer>,
    /// Take part in reliable provisional responses (RFC 3262): answer `Require: 100rel` of the peer's INVITE,
    /// send PRACK for theirs. Off: `100rel` is neither offered nor required, and a required one is refused with 420.
    pub reliable_provisional: bool,
}

/// The session timer we ask for (RFC 4028).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    /// Session-Expires, at least `min`.
    pub expires: Duration,
    /// Min-SE, at least 90 s (RFC 4028 section 4).
    pub min: Duration,
}

/// A header that the user adds to one message.
pub type ExtraHeader = (Box<str>, Box<[u8]>);

/// An INVITE to be sent.
#[derive(Clone, Debug)]
pub struct OutgoingInvite {
    /// How we present ourselves.
    pub identity: Arc<Identity>,
    /// Where the INVITE goes first.
    pub hop: Hop,
    /// Request-URI, byte for byte.
    pub request_uri: Arc<[u8]>,
    /// From without tag, such as `"Ada" <sip:+1425@sbc1.contoso.com;user=phone>`.
    pub from: Arc<[u8]>,
    /// To without tag, byte for byte.
    pub to: Arc<[u8]>,
    /// Contact with its angle brackets.
    pub contact: Arc<[u8]>,
    /// Further headers, such as Referred-By, byte for byte.
    pub headers: Vec<ExtraHeader>,
    /// The offer. Without one the peer's answer carries the offer and the ACK must carry the answer.
    pub offer: Option<Body>,
    /// For 401 and 407.
    pub credentials: Option<Credentials>,
}

/// User and password for digest authentication (RFC 8760).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub user: Arc<str>,
    /// The password. Never logged.
    pub password: Arc<str>,
    /// Answer only challenges of this realm; `None`: of any.
    pub realm: Option<Arc<str>>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A request outside of dialogs to be sent: OPTIONS.
#[derive(Clone, Debug)]
pub struct OutgoingRequest {
    /// How we present ourselves.
    pub identity: Arc<Identity>,
    /// Where it goes.
    pub hop: Hop,
    /// The method.
    pub method: crate::method::Method<'static>,
    /// Request-URI.
    pub request_uri: Arc<[u8]>,
    /// From without tag.
    pub from: Arc<[u8]>,
    /// To.
    pub to: Arc<[u8]>,
    /// Contact with its angle brackets.
    pub contact: Option<Arc<[u8]>>,
    /// Further headers.
    pub headers: Vec<ExtraHeader>,
    /// For 401 and 407.
    pub credentials: Option<Credentials>,
}

/// A status with its reason phrase and what goes with it.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status code, 101 to 699.
    pub status: u16,
    /// The reason phrase; empty: the usual one of the status.
    pub reason: Box<str>,
    /// Further headers, such as `Reason` or `Retry-After`.
    pub headers: Vec<ExtraHeader>,
    /// A body: SDP in 183 and 200.
    pub body: Option<Body>,
}

/// What a user agent tells.
#[derive(Clone, Debug)]
pub enum Event {
    /// An INVITE outside of dialogs came; `100 Trying` has been sent. Answer with `progress`, `accept` or `reject`.
    Invite {
        /// The new leg.
        leg: LegId,
        /// The request.
        request: Arc<Message>,
        /// Where it came from.
        flow: Flow,
        /// The offer; without one (delayed offer) `accept` must carry ours, and `Acknowledged` brings the answer.
        offer: Option<Body>,
        /// The leg that this INVITE wants to replace (RFC 3891), found by Call-ID and tags. An INVITE whose
        /// Replaces matches nothing has been answered 481 and is not told.
        replaces: Option<LegId>,
    },
    /// A provisional response (101 to 199) to our INVITE.
    Progress {
        /// The leg.
        leg: LegId,
        /// The status.
        status: u16,
        /// Which fork answered: equal numbers are the same early dialog. Forks of one leg count from 0.
        fork: u16,
        /// The response.
        response: Arc<Message>,
        /// SDP in it: early media of that fork.
        body: Option<Body>,
    },
    /// Our INVITE was answered 2xx. ACK has been sent, other forks are being ended.
    Accepted {
        /// The leg.
        leg: LegId,
        /// The fork that answered; may never have been seen before.
        fork: u16,
        /// The response.
        response: Arc<Message>,
        /// The answer to our offer. `None`: none came in any response; the user ends the leg. To an INVITE without
        /// offer: the peer's offer, to be answered with `reanswer`; the ACK waits for it.
        answer: Option<Body>,
    },
    /// The peer acknowledged our 2xx: the leg is confirmed.
    Acknowledged {
        /// The leg.
        leg: LegId,
        /// The answer, if our 2xx carried the offer.
        answer: Option<Body>,
    },
    /// The peer offers new media inside the dialog (re-INVITE or UPDATE). Answer with `reanswer` or
    /// `refuse_reoffer`. A re-INVITE without offer asks for ours: then `offer` is `None`, `reanswer` carries the
    /// offer and `Acknowledged` brings the answer.
    Reoffer {
        /// The leg.
        leg: LegId,
        /// The offer.
        offer: Option<Body>,
        /// The request, for its headers.
        request: Arc<Message>,
    },
    /// The peer answered the offer of `reoffer`, or, in PRACK, that of a reliable provisional response of ours to an
    /// INVITE without offer.
    Reanswered {
        /// The leg.
        leg: LegId,
        /// The answer.
        answer: Option<Body>,
    },
    /// The peer refused the offer of `reoffer`, or did not answer it; the dialog goes on as before. Glare (491) has
    /// been retried inside and is told only when it did not pass.
    ReofferRefused {
        /// The leg.
        leg: LegId,
        /// The status, or `None` without an answer.
        status: Option<u16>,
    },
    /// The peer asks for a transfer (RFC 3515). Answer with `accept_refer` or `refuse_refer`.
    Refer {
        /// The leg in whose dialog it came.
        leg: LegId,
        /// The new subscription.
        refer: ReferId,
        /// The request, with Refer-To and Referred-By byte for byte.
        request: Arc<Message>,
    },
    /// The peer sent INFO inside the dialog; it has been answered 200.
    Info {
        /// The leg.
        leg: LegId,
        /// Its body.
        body: Option<Body>,
    },
    /// The leg is over. The last event of the leg.
    Ended {
        /// The leg.
        leg: LegId,
        /// Why.
        why: EndedBy,
    },
    /// A request outside of dialogs that is neither INVITE nor CANCEL nor ACK came: OPTIONS and others. Answer with
    /// `respond`.
    Request {
        /// Names it in `respond`.
        id: RequestId,
        /// The request.
        request: Arc<Message>,
        /// Where it came from.
        flow: Flow,
    },
    /// A final response to our request outside of dialogs.
    Response {
        /// The request.
        id: RequestId,
        /// The response.
        response: Arc<Message>,
    },
    /// Our request outside of dialogs had no response.
    RequestFailed {
        /// The request.
        id: RequestId,
        /// Why.
        why: NoResponse,
    },
    /// A message that could not be understood was dropped or answered. For counting; never logged at full length.
    Faulty {
        /// Where it came from.
        flow: Flow,
        /// What we answered, if anything.
        answered: Option<u16>,
    },
}

/// Why there was no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoResponse {
    /// The timer of the transaction ran out (Timer B or F).
    TimedOut,
    /// The shell could not send: no address, no connection, no TLS.
    Unreachable,
}

/// Why a leg ended.
#[derive(Clone, Debug)]
pub enum EndedBy {
    /// The peer sent BYE (answered 200).
    Bye {
        /// The request, for its Reason.
        request: Arc<Message>,
    },
    /// The caller sent CANCEL before our final answer (answered 200 and 487).
    Cancelled {
        /// The request, for its Reason.
        request: Arc<Message>,
    },
    /// Our INVITE was answered with 3xx to 6xx.
    Refused {
        /// The status.
        status: u16,
        /// The response, for Reason, Retry-After and Contact.
        response: Arc<Message>,
    },
    /// Our INVITE had no final response.
    NoResponse(NoResponse),
    /// We ended the leg ourselves and everything on the wire is done or given up, or we rejected the peer's INVITE
    /// (by command, or because it demands what our identity does not do).
    OurSide,
    /// The session timer ran out (RFC 4028); BYE has been sent.
    SessionExpired,
    /// A request inside the dialog was answered 408 or 481 or not at all: the peer no longer knows the dialog.
    PeerLost,
    /// Our 2xx was never acknowledged (RFC 3261 section 13.3.1.4); BYE has been sent.
    NeverAcknowledged,
}
