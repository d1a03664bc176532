//! First contact resolution, read from the facts.

use serde_json::json;
use tandem_center::fact::Fact;
use tandem_center::id::InteractionId;
use tandem_metrics::first_contact::{Callers, Window};
use tandem_metrics::metric::Quotient;

use crate::journal::{Journal, Talk, available, closed, connected, entered, left, second, talked};

const DAY: u64 = 86_400;
const WEEK: Window = Window { length_us: 7 * DAY * 1_000_000, transfers_break: true };

fn arrived_from(number: &str) -> serde_json::Value {
    let mut fact = crate::journal::arrived();
    fact["from"] = if number.is_empty() { "anonymous".into() } else { json!({ "phone": number }) };
    fact
}

/// A call that is answered, and ended by whom is said.
fn call(journal: &mut Journal, at: u64, number: &str, by: &str) {
    let id = InteractionId(journal.write(at, arrived_from(number)));
    journal.write(at, entered(id, "support"));
    if by == "nobody" {
        journal.write(at + 60, left(id, "support", "abandoned"));
        journal.write(at + 60, closed(id, "abandoned_in_queue"));
        return;
    }
    journal.write(at + 10, connected(id, "support", "adele"));
    let talk = Talk { queue: "support", agent: "adele", by, talked_us: 0, held_us: 0 };
    journal.write(at + 20, talked(id, &talk, available()));
    journal.write(at + 20, closed(id, "handled"));
}

fn resolution(facts: &[Fact], day: u64) -> Quotient {
    let mut callers = Callers::new(WEEK);
    for fact in facts {
        callers.apply(fact);
        callers.forget(fact.at);
    }
    callers.contacts().resolution(second(day * DAY))
}

#[test]
fn who_called_again_was_not_helped_the_first_time() {
    let mut journal = Journal::default();
    call(&mut journal, 0, "+14255550101", "caller");
    call(&mut journal, DAY, "+14255550102", "caller");
    call(&mut journal, 3 * DAY, "+14255550101", "agent");
    call(&mut journal, 20 * DAY, "+14255550101", "agent");
    assert_eq!(resolution(&journal.facts, 40), Quotient::new(2, 3));
    assert_eq!(resolution(&journal.facts, 21), Quotient::new(1, 2));
}

#[test]
fn a_contact_that_was_handed_over_is_not_resolved() {
    let mut journal = Journal::default();
    call(&mut journal, 0, "+14255550101", "transfer");
    assert_eq!(resolution(&journal.facts, 10), Quotient::new(0, 1));
}

#[test]
fn who_was_never_answered_or_hides_the_number_is_no_contact() {
    let mut journal = Journal::default();
    call(&mut journal, 0, "+14255550101", "nobody");
    call(&mut journal, 100, "", "caller");
    assert_eq!(resolution(&journal.facts, 10), Quotient::new(0, 0));
    call(&mut journal, DAY, "+14255550101", "caller");
    assert_eq!(resolution(&journal.facts, 10), Quotient::new(1, 1));
}

#[test]
fn being_called_back_by_appointment_is_a_contact_of_the_one_who_is_called() {
    let mut journal = Journal::default();
    call(&mut journal, 0, "+14255550101", "caller");
    let id = InteractionId(journal.write(
        DAY,
        json!({
            "kind": "callback_scheduled", "line": "carrier", "to": { "phone": "+14255550101" }, "name": "Ada",
            "queue": "support", "due_at": second(2 * DAY), "priority": 3,
        }),
    ));
    journal.write(2 * DAY, entered(id, "support"));
    journal.write(2 * DAY, connected(id, "support", "adele"));
    journal.write(2 * DAY, closed(id, "handled"));
    assert_eq!(resolution(&journal.facts, 20), Quotient::new(0, 1));
}
