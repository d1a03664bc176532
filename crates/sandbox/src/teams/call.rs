//! One call between a Teams user and a border controller: its dialog, its media, how it stands.

use std::net::SocketAddr;
use std::time::Instant;

use serde::Serialize;
use tandem_media::srtp::SrtpKey;
use tandem_sip::message::Message;

use super::connection::ConnectionId;
use super::description::{Ours, Theirs};
use super::proxy::ProxyId;
use super::transfer::Transfer;
use crate::event::By;
use crate::media::{PortId, Sending};
use crate::user::{Behaviour, Reaction};

/// One call of a Teams user, numbered in the order of its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// A call.
#[derive(Debug)]
pub struct Call {
    /// The user.
    pub user: String,
    /// The trunk.
    pub trunk: String,
    /// Which way it was set up.
    pub direction: Direction,
    /// The number at the other end, as far as it is one.
    pub party: String,
    /// What the user does; may be changed during the call.
    pub behaviour: Behaviour,
    /// The voicemail has answered instead of the user.
    pub voicemail: bool,
    /// How it stands.
    pub phase: Phase,
    /// Its dialog.
    pub dialog: Dialog,
    /// Its media.
    pub media: CallMedia,
    /// The user holds the other end.
    pub held_by_user: bool,
    /// The other end holds the user.
    pub held_by_border: bool,
    /// A re-INVITE of ours that is not answered, or is to be tried again.
    pub reoffer: Option<Reoffer>,
    /// A transfer that the user asked for.
    pub transfer: Option<Transfer>,
    /// The call that this one continues: it was set up by a transfer of that call.
    pub transferred_from: Option<CallId>,
    /// When it began.
    pub began: Instant,
    /// When it was answered.
    pub answered: Option<Instant>,
}

/// Which way a call was set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// By the border controller, to the user.
    ToUser,
    /// By the user.
    FromUser,
}

/// How a call stands.
#[derive(Debug)]
pub enum Phase {
    /// The border controller's INVITE has no final answer.
    Ringing(Box<Ringing>),
    /// 200 was sent and is sent again until ACK comes.
    Accepted(Accepted),
    /// The user's INVITE has no final answer.
    Calling {
        /// The branch of the INVITE.
        branch: String,
        /// Anything beyond 100 came.
        progress: bool,
    },
    /// The user's call waits for its media port.
    Preparing(Box<Placing>),
    /// Set up.
    Connected,
    /// Our BYE is not answered.
    Ending,
}

/// An INVITE of the border controller that is being decided.
#[derive(Debug)]
pub struct Ringing {
    /// The INVITE.
    pub invite: Message,
    /// Where its answers go.
    pub connection: ConnectionId,
    /// The offer.
    pub offer: Theirs,
    /// What the user will do.
    pub reaction: Reaction,
    /// Early media was sent in this description.
    pub early: Option<Ours>,
}

/// A 200 that is not acknowledged.
#[derive(Debug)]
pub struct Accepted {
    /// The connection of the INVITE.
    pub connection: ConnectionId,
    /// The 200.
    pub bytes: Vec<u8>,
    /// When it is sent next is doubled each time, in milliseconds.
    pub interval_ms: u64,
    /// When Teams gives up.
    pub until: Instant,
}

/// What a user's call shall be like.
#[derive(Clone, Debug, Default)]
pub struct Placing {
    /// The number.
    pub number: String,
    /// The caller's number is withheld (with ForwardPai, it stands in P-Asserted-Identity).
    pub anonymous: bool,
    /// The call was forwarded by this user, for whom it came.
    pub forwarded_by: Option<String>,
    /// The call takes the place of another one.
    pub replaces: Option<CallId>,
}

/// The dialog of a call (RFC 3261 section 12).
#[derive(Debug)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: Vec<u8>,
    /// Our From inside the dialog, with the tag.
    pub local: Vec<u8>,
    /// Our tag.
    pub local_tag: String,
    /// Their From inside the dialog, with the tag once it is known.
    pub remote: Vec<u8>,
    /// Their tag.
    pub remote_tag: Option<Vec<u8>>,
    /// Their Contact URI.
    pub target: Vec<u8>,
    /// Routes of the border controller's own, with brackets.
    pub routes: Vec<Vec<u8>>,
    /// The last CSeq that we used.
    pub local_cseq: u32,
    /// The last CSeq that they used.
    pub remote_cseq: Option<u32>,
    /// The proxy that set it up: its region stands in Record-Route.
    pub proxy: ProxyId,
    /// The proxy that sent the last request.
    pub sends_from: ProxyId,
    /// `x-i` in our Contact.
    pub instance: String,
    /// `x-c` in our Contact up to the first slash.
    pub conversation: String,
    /// The end of `x-c`.
    pub endpoint: String,
    /// The number of seconds after which the call ends without a refresh, and who refreshes.
    pub session: Option<Session>,
}

/// The session timer of a call (RFC 4028).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Session-Expires in seconds.
    pub expires_s: u32,
    /// We refresh.
    pub ours: bool,
}

impl Dialog {
    /// Our Contact, with brackets.
    pub fn contact(&self) -> String {
        self.contact_as("d/8")
    }

    /// Our Contact in REFER, which differs.
    pub fn refer_contact(&self) -> String {
        self.contact_as("s/1")
    }

    /// Our Record-Route.
    pub fn record_route(&self, port: u16) -> String {
        format!("<sip:{}:{port};transport=tls;lr>", self.proxy.region())
    }

    fn contact_as(&self, kind: &str) -> String {
        let Self { instance, conversation, endpoint, .. } = self;
        format!("<sip:{}:443;x-i={instance};x-c={conversation}/{kind}/{endpoint}>", self.proxy.contact_host())
    }
}

/// The media of a call.
#[derive(Debug)]
pub struct CallMedia {
    /// The port at the media processor.
    pub port: PortId,
    /// Its address, once it is open.
    pub address: Option<SocketAddr>,
    /// A port at another media processor to which the call moves.
    pub moving: Option<(PortId, Option<SocketAddr>)>,
    /// The second number of our `o=`.
    pub session: u32,
    /// The version of our next description.
    pub version: u32,
    /// What we sent last.
    pub sent: Option<Ours>,
    /// What they sent last.
    pub theirs: Option<Theirs>,
    /// Where packets go: the address of the first negotiation, for the life of the call.
    pub target: Option<SocketAddr>,
    /// What is sent.
    pub sending: Sending,
}

impl CallMedia {
    /// A description of ours with a new key and the next version.
    pub fn describe(&mut self, key: SrtpKey, address: SocketAddr, template: Template) -> Ours {
        let Template { formats, crypto_tag, direction, rtcp_mux, refused } = template;
        let version = self.version;
        self.version += 1;
        Ours {
            session: self.session,
            version,
            address,
            formats,
            crypto_tag,
            key,
            direction,
            rtcp_mux,
            refused,
        }
    }
}

/// What differs from one description to the next.
#[derive(Debug)]
pub struct Template {
    /// Payload numbers.
    pub formats: Vec<super::description::Format>,
    /// The tag of the crypto line.
    pub crypto_tag: u32,
    /// Who may speak.
    pub direction: tandem_media::sdp::Direction,
    /// One port for RTP and RTCP.
    pub rtcp_mux: bool,
    /// Refused media.
    pub refused: Vec<String>,
}

/// A re-INVITE of ours.
#[derive(Debug)]
pub struct Reoffer {
    /// Why.
    pub purpose: Purpose,
    /// The offer, once it is sent.
    pub ours: Option<Ours>,
    /// The branch, while there is no final answer.
    pub branch: Option<String>,
    /// The REFER that follows a hold.
    pub then: Option<super::transfer::Target>,
}

/// Why a re-INVITE is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The user holds.
    Hold,
    /// The user resumes.
    Resume,
    /// The session timer.
    Refresh,
    /// The call moves to another media processor, as when it grows into a conference.
    Move,
}

/// A call for people to read.
#[derive(Clone, Debug, Serialize)]
pub struct CallView {
    /// Its number.
    pub id: u64,
    /// The user.
    pub user: String,
    /// The trunk.
    pub trunk: String,
    /// Which way it was set up.
    pub direction: Direction,
    /// The number at the other end.
    pub party: String,
    /// `ringing`, `calling`, `accepted`, `connected`, `ending` or `ended`.
    pub state: &'static str,
    /// SIP's Call-ID.
    pub call_id: String,
    /// The voicemail has answered.
    pub voicemail: bool,
    /// The user holds.
    pub held_by_user: bool,
    /// The border controller holds.
    pub held_by_border: bool,
    /// Where the media processor listens.
    pub media: Option<SocketAddr>,
    /// Where it sends.
    pub media_target: Option<SocketAddr>,
    /// The codec.
    pub codec: Option<String>,
    /// What it sends.
    pub sending: Sending,
    /// The call that this one continues after a transfer.
    pub transferred_from: Option<u64>,
    /// The statuses that NOTIFY told of a transfer.
    pub transfer: Option<Vec<u16>>,
    /// When it began, in milliseconds since the sandbox started.
    pub began_ms: u64,
    /// When it was answered.
    pub answered_ms: Option<u64>,
    /// How it ended.
    pub ended: Option<Ending>,
    /// The media port, under which the counts are found.
    #[serde(skip)]
    pub port: PortId,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ending {
    /// Who ended it.
    pub by: By,
    /// The status, if it was never set up.
    pub status: Option<u16>,
    /// Microsoft's sub-code.
    pub sub_code: Option<u32>,
    /// The Reason header of the border controller.
    pub reason: Option<String>,
    /// When.
    pub at_ms: u64,
}

impl Ending {
    /// An end after the call was set up.
    pub fn by(by: By) -> Self {
        Self { by, status: None, sub_code: None, reason: None, at_ms: 0 }
    }

    /// A call that was never set up.
    pub fn refused(by: By, status: u16, sub_code: Option<u32>) -> Self {
        Self { by, status: Some(status), sub_code, reason: None, at_ms: 0 }
    }

    /// With the Reason header of a message.
    pub fn with_reason_of(mut self, message: &Message) -> Self {
        let reason = message.header(tandem_sip::header::HeaderName::Reason);
        self.reason = reason.map(|reason| String::from_utf8_lossy(reason).into_owned());
        self
    }
}

impl Call {
    /// The word for how it stands.
    pub fn state(&self) -> &'static str {
        match self.phase {
            Phase::Ringing(_) => "ringing",
            Phase::Accepted(_) => "accepted",
            Phase::Calling { .. } | Phase::Preparing(_) => "calling",
            Phase::Connected => "connected",
            Phase::Ending => "ending",
        }
    }

    /// Whether it is set up and not ending.
    pub fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected)
    }
}
