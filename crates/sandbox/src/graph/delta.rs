//! Delta queries: everything once, and then what has changed ("Use delta query to track changes").

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Outcome;
use super::exchange::Answer;
use super::fault::Fault;
use super::query::{Query, link};
use super::visit::{Visit, seal, unseal};
use crate::directory::{Changed, ObjectId};

/// A collection whose changes can be followed.
pub(super) struct Delta<'a> {
    /// Its name in the metadata.
    pub(super) set: &'static str,
    /// What its tokens are for: a token of another collection is refused.
    pub(super) kind: &'static str,
    /// The ids of all objects.
    pub(super) all: Vec<&'a ObjectId>,
}

/// Where a reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// Tokens of an earlier epoch have been forgotten on command.
    epoch: u64,
    /// The change up to which everything is told at the end of the round.
    sequence: u64,
    /// How many objects of the first round are told already; `None` after it.
    told: Option<usize>,
    /// When the round began.
    issued: Timestamp,
}

impl Place {
    fn seal(self, kind: &str) -> String {
        let told = self.told.map_or_else(|| "-".to_owned(), |told| told.to_string());
        seal(&format!("{kind} {} {} {told} {}", self.epoch, self.sequence, self.issued.as_second()))
    }

    fn unseal(token: &str, kind: &str) -> Option<Self> {
        let plain = unseal(token)?;
        let mut words = plain.split(' ');
        if words.next() != Some(kind) {
            return None;
        }
        let place = Self {
            epoch: words.next()?.parse().ok()?,
            sequence: words.next()?.parse().ok()?,
            told: match words.next()? {
                "-" => None,
                told => Some(told.parse().ok()?),
            },
            issued: Timestamp::from_second(words.next()?.parse().ok()?).ok()?,
        };
        words.next().is_none().then_some(place)
    }
}

impl Visit<'_> {
    /// One page of a delta query. `changed` picks the object that a change is about, `tell` says what is told of one
    /// since a change, or from the beginning; `None` if it is gone.
    pub(super) fn delta(
        &mut self,
        query: &Query,
        delta: Delta<'_>,
        changed: impl Fn(&Changed) -> Option<ObjectId>,
        tell: impl Fn(&Query, &ObjectId, Option<u64>) -> Option<Value>,
    ) -> Result<Outcome, Fault> {
        let begin = Place {
            epoch: self.graph.delta_epoch,
            sequence: self.directory.sequence(),
            told: Some(0),
            issued: self.now,
        };
        let place = match (&query.delta_token, &query.skip_token) {
            (Some(token), _) if token == "latest" => {
                let all = delta.all.len();
                return self.delta_page(query, &delta, Place { told: Some(all), ..begin }, &tell);
            }
            (Some(token), _) | (None, Some(token)) => {
                let start = format!("{}{}", self.request.base, self.request.path);
                let found = Place::unseal(token, delta.kind)
                    .ok_or_else(|| Fault::Bad("Badly formed content: the token is malformed.".to_owned()))?;
                let old = self.now.duration_since(found.issued) > TOKEN_LIVES;
                if old || found.epoch != begin.epoch {
                    return Err(Fault::SyncStateNotFound { start });
                }
                found
            }
            (None, None) => begin,
        };
        if place.told.is_some() {
            return self.delta_page(query, &delta, place, &tell);
        }
        let since = self.directory.changes_after(place.sequence);
        let start = format!("{}{}", self.request.base, self.request.path);
        let since = since.ok_or(Fault::SyncStateNotFound { start })?;
        let mine = since.filter(|change| change.tenant == self.tenant.id);
        let ids: BTreeSet<ObjectId> = mine.filter_map(|change| changed(&change.what)).collect();
        let value: Vec<Value> = ids
            .iter()
            .filter(|id| query.filter.as_ref().is_none_or(|filter| filter.fits(&json!({ "id": id }))))
            .map(|id| {
                let gone = || json!({ "id": id, "@removed": { "reason": "changed" } });
                tell(query, id, Some(place.sequence)).unwrap_or_else(gone)
            })
            .collect();
        Ok(self.delta_answer(&delta, value, Place { told: None, ..begin }))
    }

    /// A page of the first round.
    fn delta_page(
        &mut self,
        query: &Query,
        delta: &Delta<'_>,
        place: Place,
        tell: &impl Fn(&Query, &ObjectId, Option<u64>) -> Option<Value>,
    ) -> Result<Outcome, Fault> {
        let asked =
            self.request.header("prefer").and_then(|prefer| prefer.strip_prefix("odata.maxpagesize="));
        let asked = asked.and_then(|size| size.trim().parse::<usize>().ok()).filter(|size| *size > 0);
        let size = query.top.or(asked).unwrap_or(PAGE_DEFAULT).min(PAGE_MAX);
        let from = place.told.unwrap_or(0);
        let fits =
            |id: &&&ObjectId| query.filter.as_ref().is_none_or(|filter| filter.fits(&json!({ "id": id })));
        if self.graph.switches.empty_pages > 0 && from < delta.all.len() {
            self.graph.switches.empty_pages -= 1;
            return Ok(self.delta_answer(delta, Vec::new(), place));
        }
        let page = delta.all.iter().filter(fits).skip(from).take(size);
        let value: Vec<Value> = page.filter_map(|id| tell(query, id, None)).collect();
        let count = delta.all.iter().filter(fits).count();
        let told = (from + size < count).then_some(from + size);
        Ok(self.delta_answer(delta, value, Place { told, ..place }))
    }

    fn delta_answer(&self, delta: &Delta<'_>, value: Vec<Value>, place: Place) -> Outcome {
        let token = place.seal(delta.kind);
        let (name, option) = match place.told {
            Some(_) => ("@odata.nextLink", "$skiptoken"),
            None => ("@odata.deltaLink", "$deltatoken"),
        };
        Outcome::Answer(Answer::json(
            200,
            json!({
                "@odata.context": format!("{}/$metadata#{}", self.request.base, delta.set),
                name: link(self.request, (option, &token)),
                "value": value,
            }),
        ))
    }
}

/// Tokens of the directory live seven days.
const TOKEN_LIVES: SignedDuration = SignedDuration::from_hours(7 * 24);
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_by_its_own_collection_only() {
        let issued = Timestamp::from_second(1_800_000_000).unwrap();
        for told in [None, Some(7)] {
            let place = Place { epoch: 1, sequence: 2, told, issued };
            assert_eq!(Place::unseal(&place.seal("user"), "user"), Some(place));
            assert_eq!(Place::unseal(&place.seal("user"), "group"), None);
        }
        assert_eq!(Place::unseal("!", "user"), None);
    }
}
