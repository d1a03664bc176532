//! What names a transaction.

use crate::header::MAGIC_COOKIE;
use crate::message::Message;
use crate::method::Method;
use crate::random::{Random, from_hex, hex};

/// Names the transaction whose request could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransmitToken(pub(crate) ClientKey);

/// A request of ours: our branch, and whether it is the CANCEL that shares its INVITE's branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientKey {
    pub(crate) branch: Branch,
    pub(crate) cancel: bool,
}

impl ClientKey {
    /// The request with this branch.
    pub(crate) fn new(branch: Branch) -> Self {
        Self { branch, cancel: false }
    }

    /// The CANCEL of this INVITE.
    pub(crate) fn cancel(self) -> Self {
        Self { cancel: true, ..self }
    }
}

/// A request of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServerId(pub(crate) u64);

/// Either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TransactionId {
    Client(ClientKey),
    Server(ServerId),
}

/// The branch of a request of ours: 64 bits that nobody else can guess, written after the magic cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Branch(u64);

impl Branch {
    pub(crate) fn new(random: &mut Random) -> Self {
        Self(random.word())
    }

    /// The `branch` parameter, if it is one of ours.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        from_hex(text.strip_prefix(MAGIC_COOKIE)?).map(Self)
    }

    /// The value of the `branch` parameter.
    pub(crate) fn text(self) -> [u8; 23] {
        let mut text = [0; 23];
        let (cookie, word) = text.split_at_mut(MAGIC_COOKIE.len());
        cookie.copy_from_slice(MAGIC_COOKIE);
        word.copy_from_slice(&hex(self.0));
        text
    }
}

/// Branch, sent-by and method (RFC 3261 section 17.2.3).
///
/// A branch without the magic cookie, or none, says nothing; Call-ID, From tag and CSeq then stand in.
pub(super) fn of_request(key: &mut Vec<u8>, request: &Message, method: Method<'_>) {
    key.clear();
    let via = request.via();
    match via.branch() {
        Some(branch) if branch.len() > MAGIC_COOKIE.len() && has_cookie(branch) => {
            key.extend_from_slice(branch.get(MAGIC_COOKIE.len()..).unwrap_or_default());
        }
        branch => {
            key.extend_from_slice(branch.unwrap_or_default());
            key.push(0);
            origin(key, request);
        }
    }
    key.push(0);
    let host = key.len();
    let _ = std::io::Write::write_fmt(key, format_args!("{}:{:?}", via.host, via.port));
    if let Some(host) = key.get_mut(host..) {
        host.make_ascii_lowercase();
    }
    key.push(0);
    key.extend_from_slice(method.as_bytes());
}

/// Call-ID, From tag and CSeq: equal for all ways on which one request comes (RFC 3261 section 8.2.2.2).
pub(super) fn of_origin(key: &mut Vec<u8>, request: &Message) {
    key.clear();
    origin(key, request);
    key.push(0);
    key.extend_from_slice(request.method().as_bytes());
}

fn origin(key: &mut Vec<u8>, request: &Message) {
    key.extend_from_slice(request.call_id());
    key.push(0);
    key.extend_from_slice(request.from().tag().unwrap_or_default());
    key.push(0);
    key.extend_from_slice(&request.cseq().number.to_be_bytes());
}

fn has_cookie(branch: &[u8]) -> bool {
    branch.get(..MAGIC_COOKIE.len()).is_some_and(|start| start.eq_ignore_ascii_case(MAGIC_COOKIE))
}
