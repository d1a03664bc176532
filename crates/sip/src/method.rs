//! The method of a request: what it asks for.

use std::fmt;

/// What a request asks for: INVITE, BYE, ... or any other token.
///
/// Methods are case-sensitive tokens (RFC 3261 section 7.1), so `invite` is not INVITE. An unknown method is
/// data: whether it is refused (405, 501) is for the user agent to decide, never a fault of the message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method<'a> {
    /// Acknowledges a final answer to INVITE; never answered itself.
    Ack,
    /// Ends a dialog.
    Bye,
    /// Withdraws an INVITE that has no final answer yet.
    Cancel,
    /// Carries application data within a dialog (RFC 6086).
    Info,
    /// Starts or changes a call.
    Invite,
    /// Carries a short text (RFC 3428).
    Message,
    /// Tells a subscriber what happened (RFC 6665).
    Notify,
    /// Asks what the peer can do; in practice, whether it lives.
    Options,
    /// Acknowledges a reliable provisional answer (RFC 3262).
    Prack,
    /// Publishes event state (RFC 3903).
    Publish,
    /// Asks the peer to contact somebody else: transfer (RFC 3515).
    Refer,
    /// Binds an address of record to a contact.
    Register,
    /// Asks to be notified (RFC 6665).
    Subscribe,
    /// Changes a call before it is answered (RFC 3311).
    Update,
    /// Any other token, as received.
    Other(&'a [u8]),
}

impl<'a> Method<'a> {
    /// Reads a method. Any bytes are taken; whether they form a token is checked where a message is parsed.
    pub fn from_bytes(name: &'a [u8]) -> Self {
        match name {
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"INFO" => Self::Info,
            b"INVITE" => Self::Invite,
            b"MESSAGE" => Self::Message,
            b"NOTIFY" => Self::Notify,
            b"OPTIONS" => Self::Options,
            b"PRACK" => Self::Prack,
            b"PUBLISH" => Self::Publish,
            b"REFER" => Self::Refer,
            b"REGISTER" => Self::Register,
            b"SUBSCRIBE" => Self::Subscribe,
            b"UPDATE" => Self::Update,
            other => Self::Other(other),
        }
    }

    /// The method as written on the wire.
    pub fn as_bytes(&self) -> &'a [u8] {
        match *self {
            Self::Ack => b"ACK",
            Self::Bye => b"BYE",
            Self::Cancel => b"CANCEL",
            Self::Info => b"INFO",
            Self::Invite => b"INVITE",
            Self::Message => b"MESSAGE",
            Self::Notify => b"NOTIFY",
            Self::Options => b"OPTIONS",
            Self::Prack => b"PRACK",
            Self::Publish => b"PUBLISH",
            Self::Refer => b"REFER",
            Self::Register => b"REGISTER",
            Self::Subscribe => b"SUBSCRIBE",
            Self::Update => b"UPDATE",
            Self::Other(name) => name,
        }
    }

    /// The same method without a borrow, or `None` for one that this crate has no name for.
    pub fn known(&self) -> Option<Method<'static>> {
        Some(match *self {
            Self::Ack => Method::Ack,
            Self::Bye => Method::Bye,
            Self::Cancel => Method::Cancel,
            Self::Info => Method::Info,
            Self::Invite => Method::Invite,
            Self::Message => Method::Message,
            Self::Notify => Method::Notify,
            Self::Options => Method::Options,
            Self::Prack => Method::Prack,
            Self::Publish => Method::Publish,
            Self::Refer => Method::Refer,
            Self::Register => Method::Register,
            Self::Subscribe => Method::Subscribe,
            Self::Update => Method::Update,
            Self::Other(_) => return None,
        })
    }
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(Method::from_bytes(b"INVITE"), Method::Invite);
        assert_eq!(Method::from_bytes(b"invite"), Method::Other(b"invite"));
        assert_eq!(Method::from_bytes(b"invite").known(), None);
        assert_eq!(Method::from_bytes(b"PRACK").as_bytes(), b"PRACK");
    }
}
