//! What can go wrong with Graph, on command.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::exchange::Request;

/// Everything that goes wrong at present.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Switches {
    /// Requests that go wrong, the first that fits. At most [`TROUBLES_MAX`].
    pub troubles: Vec<Trouble>,
    /// So many pages of collections come empty, with a link to the next.
    pub empty_pages: u32,
    /// Ids that `getPresencesByUserId` does not know come as `PresenceUnknown` instead of being left out: Microsoft's
    /// documents do not say which.
    pub unknown_as_presence_unknown: bool,
    /// What goes wrong with notifications.
    pub notifications: NotificationSwitches,
}

/// What goes wrong with notifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotificationSwitches {
    /// They are sent so many milliseconds after what they tell. Microsoft: presence under 10 seconds on average, a
    /// minute at most.
    pub delay_ms: u64,
    /// Each POST is sent so many times more.
    pub duplicates: u8,
    /// Of several that wait, the newest is sent first.
    pub newest_first: bool,
    /// None is sent at all, and none is kept.
    pub lost: bool,
}

impl Default for NotificationSwitches {
    fn default() -> Self {
        Self { delay_ms: 50, duplicates: 0, newest_first: false, lost: false }
    }
}

/// A kind of request that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// Paths that hold this text, such as `getPresencesByUserId`; empty: all.
    #[serde(default)]
    pub path: String,
    /// Only this method.
    #[serde(default)]
    pub method: Option<String>,
    /// So many requests; left out: all, until it is taken back.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens to them.
    pub what: Mishap,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mishap {
    /// 429.
    Throttled {
        /// Seconds of `Retry-After`; left out: there is no such header.
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    /// 503.
    Unavailable {
        /// Seconds of `Retry-After`; left out: there is no such header.
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    /// 500.
    Broken,
    /// 401: the token has expired in the middle.
    Expired,
    /// 401 with a demand for claims: something changed since the token was issued, and another is wanted.
    Challenged,
    /// The answer comes so much later, and is right.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// The connection ends in the middle of the answer.
    Dropped,
}

impl Switches {
    /// What happens to this request; what is counted is counted down.
    pub fn mishap(&mut self, request: &Request) -> Option<Mishap> {
        let fits = |trouble: &Trouble| {
            let method = trouble.method.as_ref();
            request.path.contains(&trouble.path)
                && method.is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
        };
        let place = self.troubles.iter().position(fits)?;
        let trouble = self.troubles.get_mut(place)?;
        let what = trouble.what;
        if let Some(times) = &mut trouble.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.troubles.remove(place);
            }
        }
        Some(what)
    }

    /// How long after what they tell notifications are sent.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.notifications.delay_ms)
    }
}

/// More kinds of trouble at once are refused.
pub const TROUBLES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_for_the_paths_it_names_and_ends_after_its_times() {
        let trouble = Trouble {
            path: "presence".to_owned(),
            method: Some("get".to_owned()),
            times: Some(2),
            what: Mishap::Broken,
        };
        let mut switches = Switches { troubles: vec![trouble], ..Default::default() };
        let request = |method: &str, path: &str| Request {
            method: method.to_owned(),
            path: path.to_owned(),
            ..Default::default()
        };
        assert_eq!(switches.mishap(&request("GET", "/users")), None);
        assert_eq!(switches.mishap(&request("POST", "/me/presence")), None);
        let got: Vec<_> = (0..3).map(|_| switches.mishap(&request("GET", "/me/presence"))).collect();
        assert_eq!(got, [Some(Mishap::Broken), Some(Mishap::Broken), None]);
    }
}
