//! Throttling: how many requests Graph takes in a time, and how long it sends away who asks too often
//! ("Microsoft Graph service-specific throttling limits").

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The limits. Microsoft changes them: each is a setting, and the defaults are those of the documentation of 2026.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests of one application in 10 seconds, over all tenants and services.
    pub all_per_10_s: u32,
    /// Requests for presence in 30 seconds, per application and tenant.
    pub presence_per_30_s: u32,
    /// Requests for subscriptions in 20 seconds, per application and tenant.
    pub subscriptions_per_20_s: u32,
    /// Resource units for the directory in 10 seconds, per application and tenant of fewer than 50 users.
    pub directory_small_per_10_s: u32,
    /// The same for a tenant of 50 to 500 users.
    pub directory_medium_per_10_s: u32,
    /// The same for a greater one.
    pub directory_large_per_10_s: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            all_per_10_s: 130_000,
            presence_per_30_s: 1_500,
            subscriptions_per_20_s: 5_000,
            directory_small_per_10_s: 3_500,
            directory_medium_per_10_s: 5_000,
            directory_large_per_10_s: 8_000,
        }
    }
}

impl Limits {
    fn directory(&self, users: usize) -> u32 {
        match users {
            0..50 => self.directory_small_per_10_s,
            50..=500 => self.directory_medium_per_10_s,
            _ => self.directory_large_per_10_s,
        }
    }
}

/// The service that a request asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Presence.
    Presence,
    /// Change notifications.
    Subscriptions,
    /// Users, groups, applications.
    Directory {
        /// What the request costs, in resource units.
        units: u32,
    },
}

/// What everybody has used up. There is one window for each application, tenant and service that came with a
/// valid token, so their number is bounded by the sandbox's configuration.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    windows: BTreeMap<(Scope, String, String), Window>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    All,
    Presence,
    Subscriptions,
    Directory,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends: Timestamp,
    used: u32,
}

/// How much is used up, for the headers of the directory's answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Admitted {
    /// What the request cost, if its service counts in resource units.
    pub units: Option<u32>,
    /// The part of the limit that is used up, 0 to 1.
    pub used: f64,
}

/// Sent away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentAway {
    /// Seconds to wait, for `Retry-After`.
    pub retry_after_s: u32,
    /// The limit that was reached, for the message.
    pub limit: u32,
}

impl Throttle {
    /// Lets a request in, or sends it away. Who comes back before the time is sent away for longer.
    pub fn admit(
        &mut self,
        now: Timestamp,
        limits: &Limits,
        (app, tenant): (&str, &str),
        service: Service,
        users: usize,
    ) -> Result<Admitted, SentAway> {
        self.count(now, (Scope::All, app, ""), 1, limits.all_per_10_s, SignedDuration::from_secs(10))?;
        let (scope, cost, limit, length_s) = match service {
            Service::Presence => (Scope::Presence, 1, limits.presence_per_30_s, 30),
            Service::Subscriptions => (Scope::Subscriptions, 1, limits.subscriptions_per_20_s, 20),
            Service::Directory { units } => (Scope::Directory, units, limits.directory(users), 10),
        };
        let length = SignedDuration::from_secs(length_s);
        let used = self.count(now, (scope, app, tenant), cost, limit, length)?;
        let units = matches!(service, Service::Directory { .. }).then_some(cost);
        Ok(Admitted { units, used })
    }

    fn count(
        &mut self,
        now: Timestamp,
        (scope, app, tenant): (Scope, &str, &str),
        cost: u32,
        limit: u32,
        length: SignedDuration,
    ) -> Result<f64, SentAway> {
        let fresh = Window { ends: now + length, used: 0 };
        let window = self.windows.entry((scope, app.to_owned(), tenant.to_owned())).or_insert(fresh);
        if now >= window.ends {
            *window = fresh;
        }
        if window.used.saturating_add(cost) > limit {
            let longest = now + length + length;
            let was_full = window.used >= limit;
            window.used = limit;
            if was_full {
                window.ends = (window.ends + EARLY_PENALTY).min(longest);
            }
            let wait = window.ends.duration_since(now);
            let whole = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
            let retry_after_s = u32::try_from(whole.max(1)).unwrap_or(u32::MAX);
            return Err(SentAway { retry_after_s, limit });
        }
        window.used += cost;
        Ok(f64::from(window.used) / f64::from(limit.max(1)))
    }
}

/// What an early return costs. Chosen by taste: Microsoft says only that it prolongs the throttling.
const EARLY_PENALTY: SignedDuration = SignedDuration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + ms).unwrap()
    }

    fn ask(throttle: &mut Throttle, limits: &Limits, ms: i64, tenant: &str) -> Result<Admitted, SentAway> {
        throttle.admit(at(ms), limits, ("app", tenant), Service::Presence, 10)
    }

    #[test]
    fn fifteen_hundred_in_thirty_seconds_and_then_wait() {
        let (mut throttle, limits) = (Throttle::default(), Limits::default());
        for n in 0..1500 {
            assert!(ask(&mut throttle, &limits, n, "contoso").is_ok(), "{n}");
        }
        let away = ask(&mut throttle, &limits, 2_000, "contoso").unwrap_err();
        assert_eq!(away, SentAway { retry_after_s: 29, limit: 1500 });
        assert!(ask(&mut throttle, &limits, 2_000, "fabrikam").is_ok(), "another tenant has its own");
        assert!(ask(&mut throttle, &limits, 2_000 + 29_000, "contoso").is_ok(), "who waits is let in");
    }

    #[test]
    fn who_comes_back_early_waits_longer() {
        let (mut throttle, limits) =
            (Throttle::default(), Limits { presence_per_30_s: 1, ..Default::default() });
        assert!(ask(&mut throttle, &limits, 0, "contoso").is_ok());
        for ms in 1..=60 {
            assert!(ask(&mut throttle, &limits, ms, "contoso").is_err());
        }
        assert!(ask(&mut throttle, &limits, 30_001, "contoso").is_err());
        assert!(ask(&mut throttle, &limits, 90_000, "contoso").is_ok());
    }

    #[test]
    fn the_directory_counts_resource_units_by_the_size_of_the_tenant() {
        let (mut throttle, limits) = (Throttle::default(), Limits::default());
        let service = Service::Directory { units: 1000 };
        let admit =
            |throttle: &mut Throttle, users| throttle.admit(at(0), &limits, ("a", "t"), service, users);
        for _ in 0..3 {
            assert!(admit(&mut throttle, 49).is_ok());
        }
        assert!(admit(&mut throttle, 49).is_err());
        let mut throttle = Throttle::default();
        let used: Vec<f64> = (0..8).map(|_| admit(&mut throttle, 501).unwrap().used).collect();
        assert!((used[7] - 1.0).abs() < f64::EPSILON);
        assert!(admit(&mut throttle, 501).is_err());
    }
}
