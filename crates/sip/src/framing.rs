//! Cutting messages out of a stream (TCP, TLS).
//!
//! A message that is framed well but faulty costs an answer or nothing, never the connection: one Teams connection
//! carries many calls. Only where the next message cannot be found is the stream given up.

use bytes::Bytes;
use memchr::memchr;

use crate::fault::ParseError;
use crate::message::Message;
use crate::parse;

/// Takes the bytes of one connection in order, gives messages and keep-alives.
///
/// ```
/// use tandem_sip::framing::{Event, Framer};
///
/// let mut framer = Framer::default();
/// framer.push(b"\r\n\r\n");
/// assert!(matches!(framer.poll(), Some(Event::Ping)));
/// assert!(framer.poll().is_none());
/// ```
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// What of the buffer is done with.
    at: usize,
    state: State,
}

/// What came out of a stream.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every event is a message; a box would cost each an allocation"
)]
pub enum Event {
    /// A message.
    Message(Message),
    /// A message that is none or is faulty; [`ParseError::Fault`] is owed an answer. The connection lives on.
    Faulty(ParseError),
    /// The peer asks whether the connection lives (RFC 5626 section 4.4.1): answer with [`PONG`].
    Ping,
    /// The peer answers our [`PING`], or sent a stray line end.
    Pong,
    /// The stream is lost: close the connection. The last event of a framer.
    Broken(FramingError),
}

/// Asks a peer over a stream whether the connection lives.
pub const PING: &[u8] = b"\r\n\r\n";

/// Answers [`PING`].
pub const PONG: &[u8] = b"\r\n";

/// Bytes a message head may have on a stream; a longer one breaks the stream. Teams' heads have about 2,000.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Bytes a body may have on a stream; a longer one is passed over and answered 413, the stream goes on.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// Why the next message in a stream cannot be found. All are the peer's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// No end of the head within [`HEAD_BYTES_MAX`].
    #[error("the message head is longer than {HEAD_BYTES_MAX} bytes")]
    HeadTooLong,
    /// No Content-Length, which a stream needs (RFC 3261 section 18.3).
    #[error("the message has no Content-Length")]
    NoContentLength,
    /// A Content-Length that is no number, is beyond all reason, or contradicts another one.
    #[error("the Content-Length is unusable")]
    BadContentLength,
}

impl Framer {
    /// Takes what was read from the connection. Call [`poll`](Self::poll) until `None` after each call: what
    /// is kept in between is at most one unfinished message.
    pub fn push(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Broken => {}
            State::Skipping { remaining, .. } if self.buffer.len() == self.at && *remaining > bytes.len() => {
                // A body that nobody wants is not kept either.
                *remaining -= bytes.len();
            }
            _ => {
                self.buffer.drain(..self.at);
                self.at = 0;
                self.buffer.extend_from_slice(bytes);
            }
        }
    }

    /// The next event, or `None` until more bytes come.
    pub fn poll(&mut self) -> Option<Event> {
        let event = loop {
            match self.step() {
                Step::Again => {}
                Step::Wait => break None,
                Step::Tell(event) => break Some(event),
                Step::Break(error) => {
                    self.state = State::Broken;
                    self.at = self.buffer.len();
                    break Some(Event::Broken(error));
                }
            }
        };
        if self.at == self.buffer.len() {
            self.at = 0;
            self.buffer.clear();
            if self.buffer.capacity() > IDLE_BUFFER_BYTES_MAX {
                self.buffer = Vec::new();
            }
        }
        event
    }

    fn step(&mut self) -> Step {
        match &mut self.state {
            State::Broken => Step::Wait,
            State::Between { after_line_end } => {
                let after_line_end = *after_line_end;
                self.between(after_line_end)
            }
            State::Head { searched } => {
                let searched = *searched;
                self.head(searched)
            }
            State::Body { head_len, body_len } => {
                let len = *head_len + *body_len;
                self.body(len)
            }
            State::Skipping { .. } => self.skip(),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Between messages: line ends are keep-alives, anything else begins a message.
    fn between(&mut self, after_line_end: bool) -> Step {
        let (taken, event, after_line_end) = match self.rest() {
            [] | [b'\r'] => return Step::Wait,
            [b'\r', b'\n', ..] if after_line_end => (2, Event::Ping, false),
            [b'\r', b'\n', b'\r', b'\n', ..] => (4, Event::Ping, false),
            [b'\r', b'\n', ..] => (2, Event::Pong, true),
            [b'\r' | b'\n', ..] => {
                self.at += 1;
                return Step::Again;
            }
            _ => {
                self.state = State::Head { searched: 0 };
                return Step::Again;
            }
        };
        self.at += taken;
        self.state = State::Between { after_line_end };
        Step::Tell(event)
    }

    fn head(&mut self, searched: usize) -> Step {
        let rest = self.rest();
        let head_len = match end_of_head(rest, searched) {
            Ok(len) => len,
            Err(_) if rest.len() > HEAD_BYTES_MAX => return Step::Break(FramingError::HeadTooLong),
            Err(searched) => {
                self.state = State::Head { searched };
                return Step::Wait;
            }
        };
        if head_len > HEAD_BYTES_MAX {
            return Step::Break(FramingError::HeadTooLong);
        }
        let head = rest.get(..head_len).unwrap_or_default();
        let body_len = match parse::body_length(head) {
            Ok(Some(len)) => usize::try_from(len).ok().filter(|len| *len <= SKIPPED_BYTES_MAX),
            Ok(None) => return Step::Break(FramingError::NoContentLength),
            Err(_) => None,
        };
        let Some(body_len) = body_len else { return Step::Break(FramingError::BadContentLength) };
        if body_len <= BODY_BYTES_MAX {
            self.state = State::Body { head_len, body_len };
        } else {
            let head = Bytes::copy_from_slice(head);
            self.at += head_len;
            self.state = State::Skipping { remaining: body_len, head };
        }
        Step::Again
    }

    fn body(&mut self, len: usize) -> Step {
        let Some(frame) = self.rest().get(..len) else { return Step::Wait };
        // A copy: a message that is kept must not keep the rest of the stream's buffer with it.
        let frame = Bytes::copy_from_slice(frame);
        self.at += len;
        self.state = State::default();
        Step::Tell(match Message::parse_framed(frame) {
            Ok(message) => Event::Message(message),
            Err(error) => Event::Faulty(error),
        })
    }

    fn skip(&mut self) -> Step {
        let available = self.buffer.len() - self.at;
        let State::Skipping { remaining, head } = &mut self.state else { return Step::Again };
        let taken = available.min(*remaining);
        self.at += taken;
        *remaining -= taken;
        if *remaining > 0 {
            return Step::Wait;
        }
        let head = std::mem::take(head);
        self.state = State::default();
        Step::Tell(Event::Faulty(parse::beheaded(head)))
    }
}

#[derive(Debug)]
enum State {
    /// Before the first line of a message.
    Between {
        /// A single CRLF came just before: one more makes it a ping.
        after_line_end: bool,
    },
    /// Inside a head, without its end in the first `searched` bytes.
    Head { searched: usize },
    /// The head is complete, the body may not be.
    Body { head_len: usize, body_len: usize },
    /// Inside a body above the limit.
    Skipping { remaining: usize, head: Bytes },
    /// Given up.
    Broken,
}

impl Default for State {
    fn default() -> Self {
        Self::Between { after_line_end: false }
    }
}

#[expect(clippy::large_enum_variant, reason = "it lives on the stack for one call")]
enum Step {
    Again,
    Wait,
    Tell(Event),
    Break(FramingError),
}

/// Where the empty line of the head ends, or where to go on searching when more has come.
fn end_of_head(bytes: &[u8], searched: usize) -> Result<usize, usize> {
    let mut at = searched;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr(b'\n', rest)) {
        let line_end = at + found;
        match bytes.get(line_end + 1..).unwrap_or_default() {
            [] | [b'\r'] => return Err(line_end),
            [b'\n', ..] => return Ok(line_end + 2),
            [b'\r', b'\n', ..] => return Ok(line_end + 3),
            _ => at = line_end + 1,
        }
    }
    Err(bytes.len())
}

/// Body bytes that are passed over at most; a Content-Length beyond breaks the stream.
const SKIPPED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Buffer that a connection keeps between messages; a larger one is given back.
const IDLE_BUFFER_BYTES_MAX: usize = 8 * 1024;
