//! Figures of presence and of Microsoft Graph for Prometheus: of all connections together, without a label for any.

use std::fmt::{Display, Write};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tandem_microsoft::graph::watch::{Counts, Health};

use super::Microsoft;

impl Microsoft {
    /// The figures for Prometheus. They are some seconds old.
    #[must_use]
    pub fn figures(&self) -> String {
        let healths: Vec<Health> =
            self.connections().values().map(|one| one.watch.seen(|seen| seen.health.clone())).collect();
        let sum = |which: fn(&Counts) -> u64| healths.iter().map(|health| which(&health.counts)).sum::<u64>();
        let groups = |which: fn(&Health) -> usize| healths.iter().map(which).sum::<usize>();
        let oldest = |which: fn(&Health) -> Duration| {
            healths.iter().map(which).max().unwrap_or_default().as_secs_f64()
        };
        let deliveries = self.delivery_counts();
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let mut text = String::new();
        family(
            &mut text,
            "tandem_presence_staleness_seconds",
            "gauge",
            "For how long the presence of agents was not confirmed, where that is longest.",
            "quantile",
            &[("0.5", oldest(|health| health.age_p50)), ("0.99", oldest(|health| health.age_p99))],
        );
        family(
            &mut text,
            "tandem_presence_subscriptions",
            "gauge",
            "Subscriptions of presence by state.",
            "state",
            &[
                ("active", groups(|health| health.subscriptions_active)),
                ("doubted", groups(|health| health.subscriptions_doubted)),
                ("refused", groups(|health| health.subscriptions_refused)),
            ],
        );
        single(
            &mut text,
            "tandem_presence_polls_total",
            "Requests for presence.",
            "counter",
            sum(|counts| counts.polls),
        );
        single(
            &mut text,
            "tandem_graph_throttled_total",
            "Requests of presence that Graph answered with a limit.",
            "counter",
            sum(|counts| counts.throttled),
        );
        single(
            &mut text,
            "tandem_directory_people",
            "People of the customers' directories who can be found.",
            "gauge",
            self.people_known(),
        );
        let forged = sum(|counts| counts.notifications_distrusted)
            + [&deliveries.forged, &deliveries.strange, &deliveries.unreadable]
                .map(count)
                .iter()
                .sum::<u64>();
        family(
            &mut text,
            "tandem_graph_notifications_total",
            "counter",
            "Notifications of Graph by what they were.",
            "what",
            &[
                ("good", sum(|counts| counts.notifications)),
                ("forged", forged),
                ("repeated", sum(|counts| counts.notifications_repeated)),
                ("unopened", sum(|counts| counts.notifications_unreadable)),
            ],
        );
        text
    }
}

fn family(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    label: &str,
    values: &[(&str, impl Display)],
) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (word, value) in values {
        let _ = writeln!(text, "{name}{{{label}=\"{word}\"}} {value}");
    }
}

fn single(text: &mut String, name: &str, help: &str, kind: &str, value: u64) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
}
