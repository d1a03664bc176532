//! Deliveries: notifications on their way to the endpoints of subscribers, at least once, in no order, tried again
//! for hours, and held back from endpoints that are slow ("Receive change notifications through webhooks").

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::directory::{AppId, EntraTenantId};

/// One POST that waits, is under way, or is tried again.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Where to.
    pub url: String,
    /// What is told, one item for each change and subscription.
    pub items: Vec<Item>,
    /// Whether it is about subscriptions themselves.
    pub lifecycle: bool,
    /// A body that is sent as it stands, without items: a forgery or a replay.
    pub verbatim: Option<Value>,
    due: Timestamp,
    first_tried: Option<Timestamp>,
    tries: u32,
    copies: u8,
    under_way: bool,
}

/// One item of a notification.
#[derive(Clone, Debug)]
pub struct Item {
    /// The subscription.
    pub subscription: String,
    /// Whose it is: with rich items there is one validation token for each of these pairs.
    pub audience: (AppId, EntraTenantId),
    /// It is encrypted.
    pub rich: bool,
    /// Its JSON.
    pub value: Value,
}

/// All deliveries and the health of endpoints.
#[derive(Clone, Debug, Default)]
pub struct Deliveries {
    waiting: BTreeMap<u64, Delivery>,
    health: BTreeMap<String, Health>,
    next: u64,
    dropped: u64,
}

/// How an endpoint, known by its host and port, has answered in its present window.
#[derive(Clone, Copy, Debug)]
struct Health {
    window_ends: Timestamp,
    answers: u32,
    slow: u32,
    state: EndpointState,
}

/// What the service thinks of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointState {
    /// It answers in time.
    #[default]
    Healthy,
    /// More than a tenth of its answers are slow: everything goes out later.
    Slow,
    /// More than 15 % are slow: notifications are thrown away until then.
    Dropping {
        /// When it is tried again.
        until: Timestamp,
    },
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The status; `None`: no answer.
    pub status: Option<u16>,
    /// How long it took.
    pub took: SignedDuration,
}

/// What to do after a delivery ended.
#[derive(Clone, Debug)]
pub enum After {
    /// Nothing: it is done, or will be tried again.
    Nothing,
    /// It is given up: these items are lost.
    Lost(Vec<Item>),
}

impl Deliveries {
    /// Puts an item on its way. It joins others that wait for the same place.
    pub fn add(&mut self, now: Timestamp, url: &str, lifecycle: bool, item: Item, delay: SignedDuration) {
        let due = now + delay;
        let due = match self.state(url, now) {
            EndpointState::Healthy => due,
            EndpointState::Slow => due + SLOW_DELAY,
            EndpointState::Dropping { .. } => {
                self.dropped += 1;
                return;
            }
        };
        let joins = |delivery: &&mut Delivery| {
            delivery.url == url
                && delivery.lifecycle == lifecycle
                && delivery.verbatim.is_none()
                && delivery.tries == 0
                && !delivery.under_way
                && delivery.items.len() < ITEMS_MAX
                && delivery.due <= due
        };
        if let Some(delivery) = self.waiting.values_mut().rev().take(JOIN_LOOKS_BACK).find(joins) {
            delivery.items.push(item);
            return;
        }
        self.push(Delivery::new(url, vec![item], lifecycle, None, due));
    }

    /// Sends a body as it stands, once.
    pub fn add_verbatim(&mut self, now: Timestamp, url: &str, body: Value) {
        self.push(Delivery::new(url, Vec::new(), false, Some(body), now));
    }

    fn push(&mut self, delivery: Delivery) {
        if self.waiting.len() >= DELIVERIES_MAX {
            let oldest = self.waiting.iter().find(|(_, delivery)| !delivery.under_way).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.waiting.remove(&oldest);
                self.dropped += 1;
            }
        }
        self.next += 1;
        self.waiting.insert(self.next, delivery);
    }

    /// The next delivery that is due, from now on under way.
    pub fn poll(&mut self, now: Timestamp, newest_first: bool, duplicates: u8) -> Option<(u64, Delivery)> {
        if self.waiting.values().filter(|delivery| delivery.under_way).count() >= UNDER_WAY_MAX {
            return None;
        }
        let mut due =
            self.waiting.iter_mut().filter(|(_, delivery)| !delivery.under_way && delivery.due <= now);
        let (id, delivery) = if newest_first { due.next_back() } else { due.next() }?;
        delivery.under_way = true;
        delivery.first_tried.get_or_insert(now);
        delivery.tries += 1;
        if delivery.tries == 1 && delivery.verbatim.is_none() {
            delivery.copies = duplicates;
        }
        Some((*id, delivery.clone()))
    }

    /// A delivery ended.
    pub fn ended(&mut self, now: Timestamp, id: u64, ended: Ended) -> After {
        let Some(delivery) = self.waiting.get_mut(&id) else { return After::Nothing };
        delivery.under_way = false;
        let took_well = ended.status.is_some_and(|status| (200..300).contains(&status));
        let host = host_of(&delivery.url).to_owned();
        let fresh = Health::new(now);
        let health = self.health.entry(host).or_insert(fresh);
        health.count(now, ended.took >= SLOW_FROM || ended.status.is_none());
        if took_well && delivery.copies > 0 {
            delivery.copies -= 1;
            delivery.due = now;
            return After::Nothing;
        }
        if took_well || delivery.verbatim.is_some() {
            self.waiting.remove(&id);
            return After::Nothing;
        }
        let tried_for = delivery.first_tried.map_or(SignedDuration::ZERO, |first| now.duration_since(first));
        if tried_for >= GIVEN_UP_AFTER {
            let lost = self.waiting.remove(&id).map(|delivery| delivery.items);
            return After::Lost(lost.unwrap_or_default());
        }
        delivery.due = now + pause(delivery.tries);
        After::Nothing
    }

    /// Forgets what waits for subscriptions that are gone.
    pub fn forget(&mut self, subscription: &str) {
        self.waiting.retain(|_, delivery| {
            if !delivery.lifecycle && !delivery.under_way && delivery.verbatim.is_none() {
                delivery.items.retain(|item| item.subscription != subscription);
                return !delivery.items.is_empty();
            }
            true
        });
    }

    /// When the next one is due.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.waiting.values().filter(|delivery| !delivery.under_way).map(|delivery| delivery.due).min()
    }

    /// What the service thinks of the endpoint behind a URL.
    pub fn state(&self, url: &str, now: Timestamp) -> EndpointState {
        match self.health.get(host_of(url)).map(|health| health.state) {
            Some(EndpointState::Dropping { until }) if now >= until => EndpointState::Healthy,
            state => state.unwrap_or_default(),
        }
    }

    /// How many wait or are under way.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many notifications have been thrown away.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Delivery {
    fn new(url: &str, items: Vec<Item>, lifecycle: bool, verbatim: Option<Value>, due: Timestamp) -> Self {
        Self {
            url: url.to_owned(),
            items,
            lifecycle,
            verbatim,
            due,
            first_tried: None,
            tries: 0,
            copies: 0,
            under_way: false,
        }
    }
}

impl Health {
    fn new(now: Timestamp) -> Self {
        Self { window_ends: now + WINDOW, answers: 0, slow: 0, state: EndpointState::Healthy }
    }

    fn count(&mut self, now: Timestamp, slow: bool) {
        if now >= self.window_ends {
            *self = Self::new(now);
        }
        self.answers += 1;
        self.slow += u32::from(slow);
        if self.answers < ANSWERS_MIN {
            return;
        }
        self.state = match self.slow * 100 / self.answers {
            percent if percent > DROP_PERCENT => EndpointState::Dropping { until: now + WINDOW },
            percent if percent > SLOW_PERCENT => EndpointState::Slow,
            _ => EndpointState::Healthy,
        };
    }
}

/// Host and port of a URL.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// How long after the `tries`-th try the next one is.
fn pause(tries: u32) -> SignedDuration {
    PAUSE_FIRST.saturating_mul(1 << tries.saturating_sub(1).min(8)).min(PAUSE_MAX)
}

/// Retries go on for up to four hours.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(4);
/// Chosen by taste: the documents say only that the pauses grow.
const PAUSE_FIRST: SignedDuration = SignedDuration::from_secs(10);
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(30);
/// The health of an endpoint is counted in windows of ten minutes; dropping lasts one.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// An answer that takes so long is slow.
const SLOW_FROM: SignedDuration = SignedDuration::from_secs(10);
const SLOW_PERCENT: u32 = 10;
const DROP_PERCENT: u32 = 15;
/// What a slow endpoint is told comes so much later.
const SLOW_DELAY: SignedDuration = SignedDuration::from_secs(10);
/// Chosen by taste: one slow answer out of one says nothing yet.
const ANSWERS_MIN: u32 = 10;
/// Chosen by taste: more items than this go into another POST.
const ITEMS_MAX: usize = 50;
/// An item looks among so many of the youngest deliveries for one to join.
const JOIN_LOOKS_BACK: usize = 32;
/// POSTs at once; the next one waits.
const UNDER_WAY_MAX: usize = 32;
/// At the limit the oldest that is not under way is thrown away, and counted.
const DELIVERIES_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URL: &str = "https://tandem.example:9443/graph/notifications";
    const QUICK: SignedDuration = SignedDuration::from_millis(20);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn item(n: u64) -> Item {
        Item {
            subscription: "s".to_owned(),
            audience: (AppId::new("a"), EntraTenantId::new("t")),
            rich: false,
            value: json!(n),
        }
    }

    fn add(deliveries: &mut Deliveries, now: Timestamp, n: u64) {
        deliveries.add(now, URL, false, item(n), SignedDuration::ZERO);
    }

    #[test]
    fn what_waits_for_one_place_goes_in_one_post() {
        let mut deliveries = Deliveries::default();
        for n in 0..60 {
            add(&mut deliveries, at(0), n);
        }
        let (first, delivery) = deliveries.poll(at(0), false, 0).unwrap();
        assert_eq!(delivery.items.len(), 50);
        assert_eq!(deliveries.poll(at(0), false, 0).unwrap().1.items.len(), 10);
        let done = deliveries.ended(at(0), first, Ended { status: Some(202), took: QUICK });
        assert!(matches!(done, After::Nothing));
        assert_eq!(deliveries.len(), 1);
    }

    #[test]
    fn a_failure_is_tried_again_with_growing_pauses_for_four_hours() {
        let mut deliveries = Deliveries::default();
        add(&mut deliveries, at(0), 1);
        let mut now = at(0);
        let mut tries = Vec::new();
        let lost = loop {
            let (id, _) = deliveries.poll(now, false, 0).unwrap();
            tries.push(now.duration_since(at(0)).as_secs());
            match deliveries.ended(now, id, Ended { status: Some(503), took: QUICK }) {
                After::Nothing => now = deliveries.poll_timeout().unwrap(),
                After::Lost(items) => break items,
            }
        };
        assert_eq!(lost.len(), 1);
        assert_eq!(tries[..4], [0, 10, 30, 70]);
        assert!(tries.last().unwrap() >= &(4 * 3600));
        assert!(deliveries.is_empty());
    }

    #[test]
    fn duplicates_and_another_order_come_on_command() {
        let mut deliveries = Deliveries::default();
        add(&mut deliveries, at(0), 1);
        deliveries.add(at(0), "https://other.example/", false, item(2), SignedDuration::ZERO);
        let (second, delivery) = deliveries.poll(at(0), true, 1).unwrap();
        assert_eq!(delivery.items[0].value, 2);
        deliveries.ended(at(0), second, Ended { status: Some(202), took: QUICK });
        assert_eq!(deliveries.poll(at(0), true, 1).unwrap().1.items[0].value, 2, "once more");
        deliveries.ended(at(0), second, Ended { status: Some(202), took: QUICK });
        assert_eq!(deliveries.poll(at(0), true, 1).unwrap().1.items[0].value, 1);
    }

    #[test]
    fn a_slow_endpoint_is_told_later_and_a_slower_one_nothing() {
        let mut deliveries = Deliveries::default();
        let answer = |deliveries: &mut Deliveries, second, took| {
            add(deliveries, at(second), 0);
            let due = deliveries.poll_timeout().unwrap();
            let (id, _) = deliveries.poll(due, false, 0).unwrap();
            deliveries.ended(due, id, Ended { status: Some(202), took });
        };
        for n in 0..9 {
            answer(&mut deliveries, n, QUICK);
        }
        answer(&mut deliveries, 9, SLOW_FROM);
        assert_eq!(deliveries.state(URL, at(9)), EndpointState::Healthy, "a tenth is not more than a tenth");
        answer(&mut deliveries, 10, SLOW_FROM);
        let EndpointState::Dropping { until } = deliveries.state(URL, at(10)) else {
            panic!("two of eleven")
        };
        add(&mut deliveries, at(11), 0);
        assert!(deliveries.is_empty());
        assert_eq!(deliveries.dropped(), 1);
        add(&mut deliveries, until, 0);
        assert_eq!(deliveries.len(), 1);
    }
}
