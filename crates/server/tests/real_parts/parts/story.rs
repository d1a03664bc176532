//! What the API tells about a call that is over.

use serde_json::Value;

/// The answer of `/api/v1/calls/{id}`.
pub(crate) struct Story(pub(crate) Value);

impl Story {
    /// A field of the call: `outcome`, `agent`, `queue`.
    pub(crate) fn call(&self, field: &str) -> &str {
        self.0["call"][field].as_str().unwrap_or_default()
    }

    /// The kinds of all facts, in order.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.facts().iter().map(|fact| fact["kind"].as_str().unwrap()).collect()
    }

    /// All facts, in order, as the journal has them.
    pub(crate) fn facts(&self) -> Vec<&Value> {
        self.0["timeline"].as_array().unwrap().iter().map(|moment| &moment["fact"]).collect()
    }

    /// The facts of one kind.
    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.facts().into_iter().filter(|fact| fact["kind"] == kind).collect()
    }

    /// The agents whom facts of one kind are about, in order: who was `offered` the caller, who was `connected`.
    pub(crate) fn agents(&self, kind: &str) -> Vec<&str> {
        self.of(kind).into_iter().map(|fact| fact["agent"].as_str().unwrap()).collect()
    }

    /// These facts happened, in this order, others between them or not. `offered ada` asks for a fact of that kind
    /// about that agent; `offer_ended missed` for one with that outcome.
    #[track_caller]
    pub(crate) fn tells(&self, wanted: &[&str]) {
        let mut facts = self.facts().into_iter();
        for want in wanted {
            let mut words = want.split(' ');
            let kind = words.next().unwrap();
            let words: Vec<&str> = words.collect();
            let found = facts.any(|fact| {
                fact["kind"] == kind
                    && words.iter().all(|word| {
                        let fields = fact.as_object().unwrap();
                        fields.values().any(|value| value == word)
                    })
            });
            assert!(found, "`{want}` did not happen after those before it in {wanted:?}:\n{}", self.text());
        }
    }

    /// The story as people read it.
    pub(crate) fn text(&self) -> String {
        let moments = self.0["timeline"].as_array().unwrap().iter();
        let lines = moments.map(|moment| {
            let after_ms = moment["after_us"].as_u64().unwrap() / 1000;
            format!("{after_ms:>6} ms  {:<18} {}", moment["kind"].as_str().unwrap(), moment["text"])
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}
