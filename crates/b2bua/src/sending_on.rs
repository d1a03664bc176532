//! The signs by which a network tells that it sends a call on to somebody else.

use tandem_sip::header::HeaderName;
use tandem_sip::message::Message;
use tandem_sip::status::StatusCode;

/// Whether a response to our INVITE says so: 181 (RFC 3261 section 21.1.3), a Diversion (RFC 5806), or a
/// History-Info in which an entry carries the reason for which the next one was tried (RFC 7044), as Teams writes it
/// for users who forward ("Direct Routing: SIP protocol").
///
/// Entries without a reason are how a number became the address of its telephone, which is no forwarding.
pub(crate) fn says_sent_on(response: &Message) -> bool {
    response.status() == Some(StatusCode::CALL_IS_BEING_FORWARDED)
        || response.header(HeaderName::Diversion).is_some()
        || response.headers(HeaderName::HistoryInfo).any(gives_reason)
}

fn gives_reason(history: &[u8]) -> bool {
    history.windows(REASON.len()).any(|part| part.eq_ignore_ascii_case(REASON))
}

/// How a reason stands among the headers of an entry's URI.
const REASON: &[u8] = b"Reason=";
