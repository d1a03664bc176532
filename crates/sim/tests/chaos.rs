//! The chaos is worth something: everything that can happen to a center happens in it.

#![cfg(test)]

use std::collections::BTreeSet;

use tandem_sim::Plan;
use tandem_sim::run::run_and_show;

#[test]
fn everything_that_can_happen_happens_within_some_seeds() {
    let mut missing: BTreeSet<String> = EVERYTHING
        .iter()
        .flat_map(|(key, values)| {
            values.split_whitespace().map(move |value| format!("\"{key}\":\"{value}\""))
        })
        .collect();
    for seed in 0..SEEDS_MAX {
        if missing.is_empty() {
            return;
        }
        let plan = Plan::draw(seed).expect("a plan");
        run_and_show(&plan, |fact| {
            let text = serde_json::to_string(&fact.kind).expect("json");
            missing.retain(|what| !text.contains(what));
        })
        .expect("no complaint");
    }
    panic!("in {SEEDS_MAX} seeds there was no {missing:?}");
}

const EVERYTHING: &[(&str, &str)] = &[
    (
        "kind",
        "configured agent_chose rest_ended presence_told presence_forgotten queue_switched call_rejected arrived \
         answered step_begun menu_chosen menu_missed attributes_set queue_entered widened announced prioritised \
         terms_changed queue_refused queue_left call_placed redirect_begun redirect_ended callback_scheduled \
         callback_promised callback_dialled callback_missed callback_cancelled message_begun message_left \
         message_missed heard offered ringing offer_ended connected held resumed transfer_asked transfer_ended \
         conversation_ended wrap_up_extended wrap_up_ended quality ending call_ended repaired closed",
    ),
    (
        "reason",
        "abandoned lost waited_too_long call_limit queue_gone overflowed no_agents callback_promised \
         customer_not_reached cancelled moved full gone closed unknown_number overloaded no_key wrong_key \
         called_again served command",
    ),
    (
        "outcome",
        "missed declined busy unreachable agent_left caller_gone answered_elsewhere not_confirmed forwarded \
         caller_moved handled transferred abandoned_in_queue abandoned_in_flow flow_ended not_reached expired done \
         failed",
    ),
    (
        "by",
        "caller agent telephone transfer limit finished lost command timer agent_gone taken_up supervisor \
         configuration",
    ),
    (
        "why",
        "caller_left agent_left target_left flow_ended call_limit message_taken message_heard not_redirected lost",
    ),
    ("missing", "answer play_end collect_end record_end transfer_end party_left call_end"),
    ("state", "offline break available wrap_up resting not_reachable gone"),
];

const SEEDS_MAX: u64 = 2_000;
