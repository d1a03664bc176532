//! The photo of a person.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::graph::call::{Answer, Call, Caller, Operation};
use crate::graph::fault::{Fault, FaultKind};
use crate::id::ObjectId;
use crate::time::UnixTime;

/// The sizes that Graph keeps of a photo, in pixels of each side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Size {
    /// 48 by 48.
    Px48,
    /// 64 by 64.
    Px64,
    /// 96 by 96.
    Px96,
    /// 120 by 120.
    Px120,
    /// 240 by 240.
    Px240,
}

/// What Graph answered to [`read`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Photo {
    /// This is it.
    Picture {
        /// The picture, at most [`OCTETS_MAX`].
        bytes: Vec<u8>,
        /// What it is; told by its first octets, not by what the answer claims.
        kind: Kind,
        /// Graph's mark of this version, to ask whether it is another.
        etag: Option<Box<str>>,
    },
    /// It is the one that was known.
    Unchanged,
    /// The person has none: worth remembering, for most people have none.
    None,
}

/// Kinds of pictures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
}

impl Kind {
    /// As a content type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else {
            None
        }
    }
}

impl Size {
    fn path(self) -> &'static str {
        match self {
            Self::Px48 => "48x48",
            Self::Px64 => "64x64",
            Self::Px96 => "96x96",
            Self::Px120 => "120x120",
            Self::Px240 => "240x240",
        }
    }
}

/// Asks for the photo of a person; with a mark, only if it is another than that one.
#[must_use]
pub fn read(person: ObjectId, size: Size, known: Option<&str>) -> Call {
    let path = format!("/users/{person}/photos/{}/$value", size.path());
    let call = Call::get(Operation::ReadPhoto, Caller::Application, path);
    match known {
        Some(etag) => call.header("If-None-Match", etag),
        None => call,
    }
}

/// Reads the answer to [`read`].
///
/// # Errors
/// It was not done, or what came is no picture.
pub fn answered(answer: &Answer) -> Result<Photo, Fault> {
    if answer.as_ref().is_ok_and(|response| response.status == 304) {
        return Ok(Photo::Unchanged);
    }
    let photo = Fault::read(Operation::ReadPhoto, answer, |response| {
        if response.body.len() > OCTETS_MAX {
            return None;
        }
        let kind = Kind::of(&response.body)?;
        let etag = response.header("ETag").filter(|etag| is_plain(etag)).map(Into::into);
        Some(Photo::Picture { bytes: response.body.clone(), kind, etag })
    });
    match photo {
        Err(Fault { kind: FaultKind::NotFound, .. }) => Ok(Photo::None),
        photo => photo,
    }
}

/// What is known of people's photos, so that they are not asked for again and again: most people have none.
///
/// The photos themselves are kept elsewhere; this only says when to ask, and with which mark.
#[derive(Debug, Default)]
pub struct Album {
    known: BTreeMap<ObjectId, Known>,
}

/// Whether to ask for a photo.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Due {
    /// What is known is recent enough.
    No,
    /// Ask; with the mark of the photo that is known, if one is.
    Ask(Option<Box<str>>),
}

#[derive(Debug)]
struct Known {
    asked_at: UnixTime,
    /// The mark of the photo; none: there was none, or it had no mark.
    etag: Option<Box<str>>,
}

impl Album {
    /// Nothing known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to ask for the photo of this person.
    #[must_use]
    pub fn due(&self, now: UnixTime, person: ObjectId) -> Due {
        match self.known.get(&person) {
            Some(known) if now.since(known.asked_at) < ASKED_AGAIN => Due::No,
            Some(known) => Due::Ask(known.etag.clone()),
            None => Due::Ask(None),
        }
    }

    /// Notes what was answered.
    pub fn note(&mut self, now: UnixTime, person: ObjectId, photo: &Photo) {
        let etag = match photo {
            Photo::Picture { etag, .. } => etag.clone(),
            Photo::Unchanged => self.known.remove(&person).and_then(|known| known.etag),
            Photo::None => None,
        };
        if self.known.len() >= KNOWN_MAX && !self.known.contains_key(&person) {
            self.forget_old(now);
        }
        self.known.insert(person, Known { asked_at: now, etag });
    }

    /// Forgets a person.
    pub fn forget(&mut self, person: ObjectId) {
        self.known.remove(&person);
    }

    fn forget_old(&mut self, now: UnixTime) {
        self.known.retain(|_, known| now.since(known.asked_at) < ASKED_AGAIN);
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
    }
}

/// How long what is known of a photo is believed.
pub const ASKED_AGAIN: Duration = Duration::from_secs(24 * 3600);

/// People whose photos are remembered. Beyond, those of yesterday are forgotten, and if there are none, all.
pub const KNOWN_MAX: usize = 100_000;

/// Octets of a photo; a larger one is none.
pub const OCTETS_MAX: usize = 512 * 1024;

/// Whether it can be sent back in a header.
fn is_plain(etag: &str) -> bool {
    etag.len() <= 256 && etag.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::Response;
    use crate::id::Guid;

    fn answer(status: u16, etag: &str, body: &[u8]) -> Answer {
        Ok(Response { status, headers: vec![("etag".into(), etag.into())], body: body.to_vec() })
    }

    const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];

    #[test]
    fn a_photo_is_asked_for_once_and_then_only_if_it_is_another() {
        let ada = ObjectId(Guid::from_octets([1; 16]));
        let call = read(ada, Size::Px96, Some("\"v1\""));
        assert_eq!(call.headers, [("If-None-Match", "\"v1\"".to_owned())]);
        assert_eq!(answered(&answer(304, "", b"")), Ok(Photo::Unchanged));
        assert_eq!(answered(&answer(404, "", br#"{"error":{"code":"ImageNotFound"}}"#)), Ok(Photo::None));
        let Ok(Photo::Picture { kind, etag, .. }) = answered(&answer(200, "\"v2\"", JPEG)) else {
            panic!("a picture")
        };
        assert_eq!((kind, etag.as_deref()), (Kind::Jpeg, Some("\"v2\"")));
    }

    #[test]
    fn who_has_none_is_not_asked_for_again_for_a_day() {
        let (ada, bob) = (ObjectId(Guid::from_octets([1; 16])), ObjectId(Guid::from_octets([2; 16])));
        let (now, mut album) = (UnixTime(1_800_000_000), Album::new());
        assert_eq!(album.due(now, ada), Due::Ask(None));
        album.note(now, ada, &Photo::None);
        let etag = Some("\"v1\"".into());
        album.note(now, bob, &Photo::Picture { bytes: JPEG.to_vec(), kind: Kind::Jpeg, etag: etag.clone() });
        let later = now.after(ASKED_AGAIN);
        for person in [ada, bob] {
            assert_eq!(album.due(UnixTime(later.0 - 1), person), Due::No);
        }
        assert_eq!((album.due(later, ada), album.due(later, bob)), (Due::Ask(None), Due::Ask(etag.clone())));
        album.note(later, bob, &Photo::Unchanged);
        assert_eq!(album.due(later.after(ASKED_AGAIN), bob), Due::Ask(etag));
        album.forget(bob);
        assert_eq!(album.due(later, bob), Due::Ask(None));
    }

    #[test]
    fn what_is_no_picture_is_none_whatever_it_is_called() {
        assert!(answered(&answer(200, "", b"<script>")).is_err());
        assert!(answered(&answer(200, "", &[JPEG, &vec![0; OCTETS_MAX][..]].concat())).is_err());
    }

    #[test]
    fn a_mark_that_would_break_a_header_is_forgotten() {
        let Ok(Photo::Picture { etag, .. }) = answered(&answer(200, "a\r\nX: y", JPEG)) else {
            panic!("a picture")
        };
        assert_eq!(etag, None);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(status: u16, etag in "\\PC{0,300}", body: Vec<u8>) {
            let _ = answered(&answer(status, &etag, &body));
        }
    }
}
