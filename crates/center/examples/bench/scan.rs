//! The simplest thing that could work, to compare with: every decision looks at all agents, or at all who wait.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use crate::load::{Size, now};

struct Agent {
    queues: Vec<usize>,
    french: usize,
    idle_since: Option<u64>,
}

struct Caller {
    queue: usize,
    needs: usize,
    since: u64,
}

/// The mean time of a decision with the same arrivals and conversations: only the decisions, no facts, no flow.
pub(crate) fn mean(size: Size) -> f64 {
    let mut agents: Vec<Agent> = (0..size.agents)
        .map(|agent| Agent {
            queues: [agent, agent * 7 + 1, agent * 13 + 2].map(|number| number % size.queues).into(),
            french: agent % 10 + 1,
            idle_since: Some(0),
        })
        .collect();
    let mut waiting: BTreeMap<usize, Caller> = BTreeMap::new();
    let mut agenda: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let (mut time, mut calls) = (0_u64, 0_usize);
    let mut arrive = |agents: &mut Vec<Agent>,
                      waiting: &mut BTreeMap<usize, Caller>,
                      agenda: &mut BinaryHeap<_>,
                      time: u64| {
        let caller = Caller {
            queue: calls % size.queues,
            needs: if calls.is_multiple_of(3) { 5 } else { 0 },
            since: time,
        };
        let fits = |agent: &Agent| agent.queues.contains(&caller.queue) && agent.french >= caller.needs;
        let best = agents
            .iter()
            .enumerate()
            .filter(|(_, agent)| agent.idle_since.is_some() && fits(agent))
            .min_by_key(|(_, agent)| agent.idle_since)
            .map(|(index, _)| index);
        match best.and_then(|index| Some((index, agents.get_mut(index)?))) {
            Some((index, agent)) => {
                agent.idle_since = None;
                agenda.push(Reverse((time + 150, index)));
            }
            None => drop(waiting.insert(calls, caller)),
        }
        calls += 1;
    };
    for _ in 0..size.agents + size.waiting {
        arrive(&mut agents, &mut waiting, &mut agenda, time);
    }
    let mut took = Duration::ZERO;
    let mut decisions = 0_u32;
    while decisions < DECISIONS && took < LONGEST {
        let Some(Reverse((at, index))) = agenda.pop() else { break };
        time = at;
        let begun = now();
        let Some(agent) = agents.get_mut(index) else { break };
        agent.idle_since = Some(time);
        let first = waiting
            .iter()
            .filter(|(_, caller)| agent.queues.contains(&caller.queue) && agent.french >= caller.needs)
            .min_by_key(|(number, caller)| (caller.since, **number))
            .map(|(number, _)| *number);
        if let Some(first) = first {
            waiting.remove(&first);
            agent.idle_since = None;
            agenda.push(Reverse((time + 150, index)));
        }
        arrive(&mut agents, &mut waiting, &mut agenda, time);
        took += begun.elapsed();
        decisions += 2;
    }
    took.as_secs_f64() * 1e6 / f64::from(decisions.max(1))
}

const DECISIONS: u32 = 20_000;
/// The scan is given up on after this time: the mean of what it did until then is as good.
const LONGEST: Duration = Duration::from_secs(5);
