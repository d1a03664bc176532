//! The table from SIP status and Q.850 cause to the one [`Cause`] that the center knows, and back.
//!
//! Sources: RFC 3261 section 21, RFC 3326 (Reason), RFC 3398 (mapping of Q.850), and Microsoft's articles on "SIP
//! nnn and Microsoft response codes", whose Reason text carries a correlation id worth keeping for support cases.

use std::sync::Arc;

use tandem_center::call::{Cause, CauseKind, Rejection};
use tandem_sip::ua::Answer;

/// Longest text kept of a Reason header or reason phrase, in bytes; the rest is cut.
const DETAIL_MAX: usize = 256;

/// Why a request of ours was refused, from the final status and the response's Reason header, if it has one.
pub(crate) fn of_status(status: u16, reason: Option<&[u8]>) -> Cause {
    let kind = match status {
        300..=399 => CauseKind::Unavailable,
        403 | 407 | 401 => CauseKind::Forbidden,
        404 | 410 | 484 | 604 => CauseKind::NotFound,
        408 => CauseKind::NotAnswered,
        480 => CauseKind::Unavailable,
        486 | 600 => CauseKind::Busy,
        487 => CauseKind::NotAnswered,
        415 | 488 | 606 => CauseKind::NotAcceptable,
        503 => CauseKind::Overloaded,
        504 => CauseKind::Unreachable,
        603 | 607 | 608 => CauseKind::Declined,
        _ => CauseKind::NetworkFailure,
    };
    Cause { kind, code: status, detail: reason.and_then(detail) }
}

/// Why a party that had joined is gone, from the Reason header of its BYE or CANCEL.
pub(crate) fn of_hang_up(kind: CauseKind, reason: Option<&[u8]>) -> Cause {
    Cause { kind, code: 0, detail: reason.and_then(detail) }
}

/// How a refused caller is told: the status and a Q.850 cause in a Reason header.
pub(crate) fn answer_to(rejection: Rejection) -> Answer {
    let (status, cause, text) = match rejection {
        Rejection::UnknownNumber => (404, 1, "Unallocated number"),
        Rejection::Busy => (486, 17, "User busy"),
        Rejection::Forbidden => (403, 21, "Call rejected"),
        Rejection::Unavailable => (480, 31, "Normal, unspecified"),
        Rejection::Overloaded => (503, 42, "Switching equipment congestion"),
        Rejection::Declined => (603, 21, "Call rejected"),
    };
    let mut headers = vec![("Reason".into(), q850(cause, text))];
    if status == 503 {
        headers.push(("Retry-After".into(), Box::from(b"5".as_slice())));
    }
    Answer { status, headers, ..Answer::default() }
}

/// A Reason header value with a Q.850 cause (RFC 3326).
pub(crate) fn q850(cause: u8, text: &str) -> Box<[u8]> {
    format!("Q.850;cause={cause};text=\"{text}\"").into_bytes().into_boxed_slice()
}

/// The Reason of a CANCEL that leaves no missed call on the telephone ("Direct Routing: call notifications").
pub(crate) fn completed_elsewhere() -> Box<[u8]> {
    Box::from(b"SIP;cause=200;text=\"Call completed elsewhere\"".as_slice())
}

/// Readable text of a header value, cut to [`DETAIL_MAX`] at a character boundary.
fn detail(reason: &[u8]) -> Option<Arc<str>> {
    let text = String::from_utf8_lossy(reason);
    let mut end = text.len().min(DETAIL_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end)?.trim();
    (!text.is_empty()).then(|| Arc::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decline_is_final_and_not_a_network_fault() {
        assert_eq!(of_status(603, None), Cause { kind: CauseKind::Declined, code: 603, detail: None });
    }

    #[test]
    fn microsofts_correlation_id_is_kept() {
        let reason =
            b"Q.850;cause=31;text=\"0b7d2a90-4a0e-4f0f-9b53-6a1f2b3c4d5e;No callee endpoints were found.\"";
        let cause = of_status(480, Some(reason));
        assert_eq!(cause.kind, CauseKind::Unavailable);
        assert!(cause.detail.is_some_and(|text| text.contains("0b7d2a90-4a0e-4f0f-9b53-6a1f2b3c4d5e")));
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let reason = "é".repeat(400);
        let cause = of_status(500, Some(reason.as_bytes()));
        assert!(cause.detail.is_some_and(|text| text.len() <= DETAIL_MAX && text.chars().all(|c| c == 'é')));
    }

    #[test]
    fn an_overloaded_center_says_when_to_try_again() {
        let answer = answer_to(Rejection::Overloaded);
        assert_eq!(answer.status, 503);
        assert!(answer.headers.iter().any(|(name, _)| &**name == "Retry-After"));
    }
}
