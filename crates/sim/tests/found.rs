//! Seeds that once failed, each named for the fault that it found.

#![cfg(test)]

use tandem_sim::{Failure, check};

fn passes(seeds: &[u64]) {
    for seed in seeds {
        match check(*seed) {
            Ok(_) => {}
            Err(Failure::Audit(shortest)) => {
                panic!("seed {seed}: {}\n{}", shortest.complaint, shortest.story)
            }
            Err(Failure::Configuration(faults)) => panic!("seed {seed}: {faults}"),
        }
    }
}

#[test]
fn who_waits_for_one_agent_is_offered_again_after_a_missed_offer() {
    passes(&[52, 123, 163]);
}

#[test]
fn the_others_of_three_who_are_rung_stop_in_their_order() {
    passes(&[100, 232, 260]);
}

#[test]
fn a_customer_who_was_not_reached_is_tried_again_after_a_restart_too() {
    passes(&[47, 230, 253]);
}

#[test]
fn an_agent_may_get_the_same_customer_again_while_wrapping_up() {
    passes(&[238, 590, 874, 930]);
}

#[test]
fn a_changed_configuration_holds_at_once_for_everybody_who_waits() {
    passes(&[36, 432, 581, 882, 2911]);
}

#[test]
fn who_calls_again_while_the_promising_call_ends_waits_once() {
    passes(&[574, 1761]);
}

#[test]
fn an_occupied_agent_with_room_comes_after_those_who_are_free() {
    passes(&[15, 63]);
}

#[test]
fn turns_that_have_passed_an_agent_are_not_made_up_for() {
    passes(&[173, 1186]);
}

#[test]
fn a_message_that_could_not_be_played_is_not_counted_as_heard() {
    passes(&[98, 216, 248]);
}

#[test]
fn nobody_is_called_back_twice_from_one_queue() {
    passes(&[207, 262, 4155]);
}

#[test]
fn the_limit_of_a_call_that_is_the_agents_alone_takes_nobody_out_of_the_queue() {
    passes(&[4229]);
}

#[test]
fn places_are_counted_alike_before_and_after_a_restart() {
    passes(&[2296]);
}

#[test]
fn a_callback_that_is_moved_is_no_longer_promised_in_the_queue_before() {
    passes(&[19827, 14025, 1938]);
}

#[test]
fn what_became_due_while_the_program_was_down_is_done_before_anybody_is_offered() {
    passes(&[13963]);
}
