//! Session timers: a call that nobody refreshes is over (RFC 4028).

use std::time::Duration;

use crate::header::Refresher;
use crate::message::Message;
use crate::method::Method;
use crate::ua::SessionTimer;

/// What both sides agreed on in the latest INVITE or UPDATE and its 2xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// After how long without refresh the call counts as dead.
    pub(crate) interval: Duration,
    /// Whether we refresh.
    pub(crate) we_refresh: bool,
}

impl Agreed {
    /// What the 2xx to our request says; without Session-Expires there is no timer (RFC 4028 section 7.2).
    pub(crate) fn by_response(response: &Message) -> Option<Self> {
        let expires = response.session_expires().ok()??;
        let interval = seconds(expires.seconds.max(MIN_SE_SECONDS));
        Some(Self { interval, we_refresh: expires.refresher != Some(Refresher::Uas) })
    }

    /// How long after the last refresh we send ours; `None` if the peer does.
    pub(crate) fn refresh_after(&self) -> Option<Duration> {
        self.we_refresh.then(|| self.interval / 2)
    }

    /// How long after the last refresh the call counts as dead: who waits for the peer's refresh hangs up a little
    /// before the end (RFC 4028 section 10).
    pub(crate) fn expires_after(&self) -> Duration {
        if self.we_refresh {
            self.interval
        } else {
            self.interval - (self.interval / 3).min(BYE_BEFORE_EXPIRY)
        }
    }

    /// The refresher to name in our own request.
    pub(crate) fn refresher_as_uac(&self) -> Refresher {
        if self.we_refresh { Refresher::Uac } else { Refresher::Uas }
    }
}

/// What becomes of the Session-Expires of a request of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The 2xx says nothing about it.
    NoTimer,
    /// The 2xx carries this Session-Expires, and `Require: timer` if the peer is to refresh.
    Timer(Agreed),
    /// The request is answered 422 with this Min-SE in seconds.
    TooSmall(u32),
}

impl Verdict {
    /// Decides as the side that answers (RFC 4028 section 9). `before` is what was agreed so far in the dialog.
    pub(crate) fn of(request: &Message, ours: Option<SessionTimer>, before: Option<Agreed>) -> Self {
        let Some(ours) = ours else { return Self::NoTimer };
        let least = (ours.min.as_secs() as u32).max(MIN_SE_SECONDS);
        let peer_knows = request.supports("timer") || request.requires("timer");
        let asked = request.session_expires().ok().flatten();
        if peer_knows && asked.is_some_and(|asked| asked.seconds < least) {
            return Self::TooSmall(least);
        }
        let peer_least = request.min_se().ok().flatten().unwrap_or(0).max(least);
        let wish = (ours.expires.as_secs() as u32).max(peer_least);
        let interval = seconds(asked.map_or(wish, |asked| asked.seconds.min(wish).max(MIN_SE_SECONDS)));
        let named = asked.and_then(|asked| asked.refresher);
        let we_refresh = match named {
            _ if !peer_knows => true,
            Some(refresher) => refresher == Refresher::Uas,
            None => before.map_or(asked.is_none(), |before| before.we_refresh),
        };
        Self::Timer(Agreed { interval, we_refresh })
    }

    pub(crate) fn agreed(self) -> Option<Agreed> {
        match self {
            Self::Timer(agreed) => Some(agreed),
            Self::NoTimer | Self::TooSmall(_) => None,
        }
    }
}

/// Session-Expires in our 2xx.
pub(crate) fn in_answer(agreed: Agreed) -> String {
    let refresher = if agreed.we_refresh { Refresher::Uas } else { Refresher::Uac };
    format!("{};refresher={}", agreed.interval.as_secs(), refresher.as_str())
}

/// Session-Expires and Min-SE in our request. `at_least`: the Min-SE of the 422 that refused it before.
pub(crate) fn in_request(ours: SessionTimer, before: Option<Agreed>, at_least: u32) -> (String, String) {
    let min = (ours.min.as_secs() as u32).max(MIN_SE_SECONDS).max(at_least);
    let wish = before.map_or(ours.expires, |before| before.interval);
    let expires = (wish.as_secs() as u32).max(min);
    let expires = match before {
        Some(before) => format!("{expires};refresher={}", before.refresher_as_uac().as_str()),
        None => expires.to_string(),
    };
    (expires, min.to_string())
}

/// How to refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefreshBy {
    /// An UPDATE without offer: lighter, for a peer whose Allow lists it.
    Update,
    /// A re-INVITE with the session description as it was: for any peer.
    Reinvite,
}

impl RefreshBy {
    pub(crate) fn of_peer(message: &Message) -> Self {
        if message.allows(Method::Update) { Self::Update } else { Self::Reinvite }
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

/// The least Session-Expires that RFC 4028 section 4 permits.
const MIN_SE_SECONDS: u32 = 90;

/// How long before the end who waits for a refresh hangs up, at most (RFC 4028 section 10).
const BYE_BEFORE_EXPIRY: Duration = Duration::from_secs(32);
