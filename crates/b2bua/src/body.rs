//! Finding the SDP in a body: alone, or as a part of a multipart body (emergency calls carry a location beside it).

use tandem_sip::ua::Body;

/// Parts of a multipart body beyond this many are not looked at.
const PARTS_MAX: usize = 16;

/// The SDP bytes of a body, if there are any.
pub(crate) fn sdp_of(body: &Body) -> Option<&[u8]> {
    let kind = body.content_type.trim();
    if is(kind, "application/sdp") {
        return Some(&body.bytes);
    }
    if !kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/")) {
        return None;
    }
    let boundary = kind
        .split(';')
        .find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
        })
        .filter(|boundary| !boundary.is_empty())?;
    let delimiter = format!("--{boundary}");
    split(&body.bytes, delimiter.as_bytes()).skip(1).take(PARTS_MAX).find_map(|part| {
        let part = part.strip_prefix(b"\r\n")?;
        let end = find(part, b"\r\n\r\n")?;
        let (head, content) = (part.get(..end)?, part.get(end + 4..)?);
        let is_sdp = head.split(|&byte| byte == b'\n').any(|line| {
            let line = String::from_utf8_lossy(line);
            line.split_once(':').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("content-type") && is(value.trim(), "application/sdp")
            })
        });
        is_sdp.then(|| content.strip_suffix(b"\r\n").unwrap_or(content))
    })
}

/// A body of SDP.
pub(crate) fn sdp(text: String) -> Body {
    Body { content_type: "application/sdp".into(), bytes: text.into_bytes().into() }
}

fn is(kind: &str, wanted: &str) -> bool {
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// The pieces between occurrences of `delimiter`, which is never empty.
fn split<'a, 'd>(bytes: &'a [u8], delimiter: &'d [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 'd> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let Some(at) = find(bytes, delimiter) else {
            rest = None;
            return Some(bytes);
        };
        rest = bytes.get(at + delimiter.len()..);
        bytes.get(..at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(kind: &str, bytes: &[u8]) -> Body {
        Body { content_type: kind.into(), bytes: bytes.into() }
    }

    #[test]
    fn plain_sdp_is_taken_as_it_is() {
        assert_eq!(sdp_of(&body("Application/SDP; charset=utf-8", b"v=0\r\n")), Some(b"v=0\r\n".as_slice()));
        assert_eq!(sdp_of(&body("text/plain", b"v=0\r\n")), None);
    }

    #[test]
    fn the_sdp_of_an_emergency_call_is_found_beside_its_location() {
        let bytes =
            b"--dr-boundary-1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=-\r\n\r\n--dr-boundary-1\r\n\
            Content-Type: application/pidf+xml\r\n\r\n<presence/>\r\n--dr-boundary-1--\r\n";
        let body = body("multipart/mixed;boundary=dr-boundary-1", bytes);
        assert_eq!(sdp_of(&body), Some(b"v=0\r\ns=-\r\n".as_slice()));
    }

    #[test]
    fn broken_multipart_bodies_hold_nothing() {
        for (kind, bytes) in [
            ("multipart/mixed", b"--x\r\n\r\n".as_slice()),
            ("multipart/mixed;boundary=", b"--\r\n"),
            ("multipart/mixed;boundary=x", b"--x"),
            ("multipart/mixed;boundary=x", b""),
            ("multipart/mixed;boundary=x", b"--x\r\nContent-Type: application/sdp\r\n"),
        ] {
            assert_eq!(sdp_of(&body(kind, bytes)), None);
        }
    }
}
