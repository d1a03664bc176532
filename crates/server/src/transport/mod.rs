//! The sockets of SIP: datagrams, streams, TLS, and the names that must be resolved first.
//!
//! A shell: it moves messages and decides nothing about them. Requests go only over connections that we opened to
//! the very hop they are for; responses go back where the request came from ("Direct Routing: protocols": Teams does
//! not take part in connection reuse).

pub mod connections;
pub mod listen;
pub mod resolve;
pub mod tls;

use bytes::Bytes;
use tandem_sip::fault::ParseError;
use tandem_sip::flow::{ConnectionId, Flow, Hop};
use tandem_sip::message::Message;
use tandem_sip::ua::TransmitToken;
use tokio::sync::mpsc;

pub use connections::Connections;

/// What the sockets tell the engine.
#[derive(Debug)]
pub enum Received {
    /// A message.
    Message {
        /// Where it came from.
        flow: Flow,
        /// What came.
        message: Box<Message>,
    },
    /// A message that is framed well and cannot be understood.
    Faulty {
        /// Where it came from.
        flow: Flow,
        /// What is wrong with it.
        fault: ParseError,
    },
    /// A message could not be sent.
    Unsendable {
        /// Whose message it was.
        token: TransmitToken,
    },
    /// A peer opened a connection to us.
    Accepted {
        /// The connection.
        id: ConnectionId,
        /// Takes messages for it.
        writer: mpsc::Sender<Parcel>,
    },
    /// A connection that we opened is up.
    Opened {
        /// To whom.
        hop: Hop,
        /// The connection.
        id: ConnectionId,
        /// Takes messages for it.
        writer: mpsc::Sender<Parcel>,
    },
    /// A connection could not be opened.
    NotOpened {
        /// To whom.
        hop: Hop,
    },
    /// A connection is gone.
    Disconnected {
        /// Which.
        id: ConnectionId,
    },
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The message.
    pub bytes: Bytes,
    /// Whom to tell when it cannot be sent; `None` where nobody waits for an answer.
    pub token: Option<TransmitToken>,
}
