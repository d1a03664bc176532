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
        "configured agent_chose rest_ended call_rejected arrived answered step_begun menu_chosen menu_missed \
         queue_entered queue_refused queue_left offered ringing offer_ended connected held resumed transfer_asked \
         transfer_ended conversation_ended wrap_up_ended quality ending call_ended repaired closed",
    ),
    (
        "reason",
        "abandoned lost waited_too_long call_limit queue_gone full gone unknown_number overloaded no_key wrong_key",
    ),
    (
        "outcome",
        "missed declined busy unreachable agent_left caller_gone handled transferred abandoned_in_queue \
         abandoned_in_flow flow_ended done failed",
    ),
    ("by", "caller agent transfer limit lost command timer agent_gone supervisor configuration"),
    ("why", "caller_left agent_left target_left flow_ended call_limit lost"),
    ("missing", "answer play_end collect_end transfer_end party_left call_end"),
    ("state", "offline break available wrap_up resting gone"),
];

const SEEDS_MAX: u64 = 2_000;
