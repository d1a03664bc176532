//! Which of the agents who are free and fit is rung: one story for each strategy, with its ties.

mod fewest_conversations;
mod least_occupied;
mod least_skilled;
mod longest_idle;
mod most_skilled;
mod ring_all;
mod round_robin;
mod serial;
mod weighted;

use crate::harness::{Story, house};

/// Three agents under this strategy, each with what else is said.
fn three(strategy: &str, agents: [&str; 3]) -> Story {
    let [adele, bianca, carla] = agents;
    let agents = [("adele", adele), ("bianca", bianca), ("carla", carla)];
    Story::new(&house(&agents, &format!("strategy = \"{strategy}\""), ""))
}

/// A caller comes, and talks for so long to whoever is rung.
fn serve(center: &mut Story, seconds: u64) -> String {
    let [call] = center.callers();
    let agent = center.rung_for(call).expect("somebody is rung");
    center.agent_answers(&agent);
    center.pass(seconds);
    center.caller_hangs_up(call);
    agent
}

/// Who serves so many callers, one after the other, at a second each.
fn served_by(center: &mut Story, callers: usize) -> Vec<String> {
    (0..callers).map(|_| serve(center, 1)).collect()
}
