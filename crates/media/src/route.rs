//! What a packet of one leg becomes on another: passed under another number, turned into the other law, left out.

use crate::codec::{Codec, Law};
use crate::negotiate::Negotiated;

/// What becomes of each payload number on the way to a leg.
pub(crate) struct Routes([Route; 128]);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Drop,
    /// On under this number.
    Pass(u8),
    /// On under this number, turned into this law.
    Transcode(u8, Law),
}

impl Routes {
    pub(crate) fn between(from: &Negotiated, to: &Negotiated) -> Self {
        let mut routes = [Route::Drop; 128];
        let mut set = |number: u8, route: Route| {
            if let Some(place) = routes.get_mut(usize::from(number)) {
                *place = route;
            }
        };
        let sound = |codec: &Codec| match (codec.law(), to.codec.law()) {
            _ if codec.same_encoding(&to.codec) => Route::Pass(to.payload.send),
            (Some(_), Some(law)) => Route::Transcode(to.payload.send, law),
            _ => Route::Drop,
        };
        // G.711 under its fixed numbers is understood even when another codec was agreed on.
        for codec in [Codec::pcmu(), Codec::pcma()] {
            set(codec.payload_type, sound(&codec));
        }
        for codec in &from.also {
            set(codec.payload_type, sound(codec));
        }
        if let (Some(theirs), Some(ours)) = (from.comfort_noise, to.comfort_noise) {
            set(theirs.receive, Route::Pass(ours.send));
        }
        if let Some(theirs) = from.telephone_event {
            set(theirs.receive, to.telephone_event.map_or(Route::Drop, |ours| Route::Pass(ours.send)));
        }
        set(from.payload.receive, sound(&from.codec));
        Self(routes)
    }

    pub(crate) fn of(&self, payload_type: u8) -> Route {
        self.0.get(usize::from(payload_type)).copied().unwrap_or(Route::Drop)
    }
}
