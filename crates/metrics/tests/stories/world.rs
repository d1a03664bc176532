//! A world in which anything can happen that a center lets happen: callers come, wait in two queues, are
//! offered to one agent or several, talk, are put on hold, handed over, lost by a restart. It writes facts,
//! and counts by itself, in the plainest way, what the metrics must find.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tandem_center::fact::Fact;
use tandem_center::id::InteractionId;

use crate::journal::{
    Journal, Talk, arrived, available, chose, closed, configured, connected, entered, held, left,
    offer_ended, offered, offline, on_break, refused, rejected, resting, resumed, talked, transferred,
    wrap_up, wrapped_up,
};

/// One thing that may happen, after so many milliseconds: what, and to whom.
pub(crate) type Act = (u32, u8, u8);

pub(crate) const QUEUES: [&str; 2] = ["support", "billing"];
pub(crate) const AGENTS: [&str; 5] = ["adele", "bianca", "clara", "dora", "emil"];

/// What was counted: by queue and by the quarter of an hour in which the visit began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) entered: u64,
    pub(crate) answered: u64,
    pub(crate) answered_wait_us: u64,
    pub(crate) abandoned: u64,
    pub(crate) flowed_out: u64,
    pub(crate) lost: u64,
    pub(crate) waiting: u64,
    pub(crate) offers: u64,
    pub(crate) handled: u64,
    pub(crate) handle_us: u64,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) journal: Journal,
    pub(crate) now_us: u64,
    pub(crate) counted: BTreeMap<(&'static str, u64), Counted>,
    matters: BTreeMap<InteractionId, Matter>,
    agents: BTreeMap<&'static str, Agent>,
}

#[derive(Clone, Debug)]
struct Matter {
    stage: Stage,
    /// The agents who wrap up.
    wrapping_up: BTreeSet<&'static str>,
    over: Option<&'static str>,
}

#[derive(Clone, Debug)]
enum Stage {
    InFlow,
    Waiting { queue: &'static str, since: u64, offered: BTreeSet<&'static str> },
    Talking(Conversation),
}

#[derive(Clone, Debug)]
struct Conversation {
    queue: &'static str,
    entered_at: u64,
    agent: &'static str,
    since: u64,
    held_us: u64,
    held_since: Option<u64>,
}

#[derive(Clone, Debug)]
struct Agent {
    idle: Value,
    doing: Doing,
}

#[derive(Clone, Debug, PartialEq)]
enum Doing {
    Nothing,
    Offered,
    Talking,
    WrapUp { of: InteractionId, since: u64, queue: &'static str, entered_at: u64, handled_us: u64 },
}

impl World {
    pub(crate) fn run(acts: &[Act]) -> World {
        let mut world = World::default();
        world.write(configured(&AGENTS));
        for agent in AGENTS {
            world.agents.insert(agent, Agent { idle: available(), doing: Doing::Nothing });
            world.write(chose(agent, available()));
        }
        for (millis, what, whom) in acts {
            world.now_us += u64::from(*millis) * 1_000;
            world.act(*what, usize::from(*whom));
        }
        world
    }

    /// The facts that belong to each interaction or agent come in their order; the others are shuffled.
    pub(crate) fn shuffled(&self, mut seed: u64) -> Vec<Fact> {
        let mut lanes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let keys: Vec<Vec<String>> = self.journal.facts.iter().map(lanes_of).collect();
        for (index, keys) in keys.iter().enumerate() {
            for key in keys {
                lanes.entry(key.clone()).or_default().push(index);
            }
        }
        lanes.values_mut().for_each(|lane| lane.reverse());
        let mut order = Vec::new();
        let mut left: BTreeSet<usize> = (0..keys.len()).collect();
        while !left.is_empty() {
            // Among the first forty that are left there is always one before which nothing has to come.
            let ready: Vec<usize> = left
                .iter()
                .take(40)
                .copied()
                .filter(|index| keys[*index].iter().all(|key| lanes[key].last() == Some(index)))
                .collect();
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let next = ready[(seed >> 33) as usize % ready.len()];
            for key in &keys[next] {
                lanes.get_mut(key).unwrap().pop();
            }
            left.remove(&next);
            order.push(self.journal.facts[next].clone());
        }
        order
    }

    fn act(&mut self, what: u8, whom: usize) {
        match what % 16 {
            0 | 1 => {
                let id = InteractionId(self.write(arrived()));
                let stage = Stage::InFlow;
                self.matters.insert(id, Matter { stage, wrapping_up: BTreeSet::new(), over: None });
            }
            2 | 3 => self.enter(whom),
            4..=6 => self.offer(whom),
            7 => self.refuse_offer(whom),
            8 | 9 => self.connect(whom),
            10 => self.leave_queue(whom),
            11 => self.hold_or_resume(whom),
            12 => self.stop_talking(whom),
            13 => self.end_wrap_up(whom),
            14 => self.choose(whom),
            _ => match whom % 8 {
                0 => self.restart(),
                1 => drop(self.write(rejected())),
                2 => self.give_up_in_flow(),
                _ => self.stop_talking(whom),
            },
        }
    }

    fn enter(&mut self, whom: usize) {
        let queue = QUEUES[whom % QUEUES.len()];
        let Some(id) = self.find(whom, |stage| matches!(stage, Stage::InFlow)) else { return };
        if whom.is_multiple_of(11) {
            self.write(refused(id, queue));
            return;
        }
        let mut fact = entered(id, queue);
        if whom.is_multiple_of(5) {
            fact["channel"] = "callback".into();
        }
        self.write(fact);
        let since = self.now_us;
        self.count(queue, since).entered += 1;
        self.count(queue, since).waiting += 1;
        self.set(id, Stage::Waiting { queue, since, offered: BTreeSet::new() });
    }

    fn offer(&mut self, whom: usize) {
        let Some(id) = self.find(whom, |stage| matches!(stage, Stage::Waiting { .. })) else { return };
        let free = |agent: &&str| {
            let agent = &self.agents[*agent];
            agent.doing == Doing::Nothing && agent.idle == available()
        };
        let Some(agent) = AGENTS.into_iter().cycle().skip(whom).take(AGENTS.len()).find(free) else { return };
        let Some(Matter { stage: Stage::Waiting { queue, since, offered: ringing }, .. }) =
            self.matters.get_mut(&id)
        else {
            return;
        };
        ringing.insert(agent);
        let (queue, since) = (*queue, *since);
        self.count(queue, since).offers += 1;
        self.write(offered(id, queue, agent));
        self.agents.get_mut(agent).unwrap().doing = Doing::Offered;
    }

    fn refuse_offer(&mut self, whom: usize) {
        let Some((id, queue, agent)) = self.an_offer(whom) else { return };
        let outcome = ["missed", "declined", "unreachable", "agent_left"][whom % 4];
        if outcome != "agent_left" {
            self.agents.get_mut(agent).unwrap().idle = resting();
        }
        self.take_back(id, queue, agent, outcome);
    }

    fn connect(&mut self, whom: usize) {
        let Some((id, queue, agent)) = self.an_offer(whom) else { return };
        let Stage::Waiting { since: entered_at, offered, .. } = self.matters[&id].stage.clone() else {
            return;
        };
        self.write(connected(id, queue, agent));
        let since = self.now_us;
        let counted = self.count(queue, entered_at);
        counted.waiting -= 1;
        counted.answered += 1;
        counted.answered_wait_us += since - entered_at;
        self.agents.get_mut(agent).unwrap().doing = Doing::Talking;
        for other in offered.into_iter().filter(|other| *other != agent) {
            self.take_back(id, queue, other, "agent_left");
        }
        let talk = Conversation { queue, entered_at, agent, since, held_us: 0, held_since: None };
        self.set(id, Stage::Talking(talk));
    }

    fn leave_queue(&mut self, whom: usize) {
        let Some(id) = self.find(whom, |stage| matches!(stage, Stage::Waiting { .. })) else { return };
        let reason = ["abandoned", "waited_too_long", "queue_gone", "lost"][whom % 4];
        self.leave(id, reason);
        match reason {
            "abandoned" => self.end(id, "abandoned_in_queue"),
            "lost" => self.end(id, "lost"),
            _ => self.set(id, Stage::InFlow),
        }
    }

    fn leave(&mut self, id: InteractionId, reason: &str) {
        let Stage::Waiting { queue, since, offered } = self.matters[&id].stage.clone() else { return };
        self.write(left(id, queue, reason));
        let counted = self.count(queue, since);
        counted.waiting -= 1;
        match reason {
            "abandoned" => counted.abandoned += 1,
            "lost" => counted.lost += 1,
            _ => counted.flowed_out += 1,
        }
        for agent in offered {
            self.take_back(id, queue, agent, "caller_gone");
        }
    }

    fn take_back(&mut self, id: InteractionId, queue: &'static str, agent: &'static str, outcome: &str) {
        let then = self.agents[agent].idle.clone();
        self.write(offer_ended(id, queue, agent, outcome, then));
        self.agents.get_mut(agent).unwrap().doing = Doing::Nothing;
        if let Stage::Waiting { offered, .. } = &mut self.matters.get_mut(&id).unwrap().stage {
            offered.remove(agent);
        }
    }

    fn hold_or_resume(&mut self, whom: usize) {
        let Some(id) = self.find(whom, |stage| matches!(stage, Stage::Talking(_))) else { return };
        let now = self.now_us;
        let Stage::Talking(talk) = &mut self.matters.get_mut(&id).unwrap().stage else { return };
        if let Some(since) = talk.held_since.take() {
            talk.held_us += now - since;
            self.write(resumed(id, now - since));
        } else {
            talk.held_since = Some(now);
            self.write(held(id));
        }
    }

    fn stop_talking(&mut self, whom: usize) {
        let Some(id) = self.find(whom, |stage| matches!(stage, Stage::Talking(_))) else { return };
        let hand_over = whom.is_multiple_of(3);
        self.end_conversation(id, if hand_over { "transfer" } else { "caller" }, whom.is_multiple_of(2));
        if hand_over {
            self.set(id, Stage::InFlow);
        } else {
            self.end(id, "handled");
        }
    }

    fn end_conversation(&mut self, id: InteractionId, by: &str, wraps_up: bool) {
        let Stage::Talking(talk) = self.matters[&id].stage.clone() else { return };
        let Conversation { queue, entered_at, agent, since, .. } = talk;
        let held_us = talk.held_us + talk.held_since.map_or(0, |since| self.now_us - since);
        let talked_us = self.now_us - since - held_us;
        if by == "transfer" {
            self.write(transferred(id, agent));
        }
        let then = if wraps_up { wrap_up(id) } else { self.agents[agent].idle.clone() };
        self.write(talked(id, &Talk { queue, agent, by, talked_us, held_us }, then));
        let handled_us = talked_us + held_us;
        let doing = if wraps_up {
            self.matters.get_mut(&id).unwrap().wrapping_up.insert(agent);
            Doing::WrapUp { of: id, since: self.now_us, queue, entered_at, handled_us }
        } else {
            let counted = self.count(queue, entered_at);
            counted.handled += 1;
            counted.handle_us += handled_us;
            Doing::Nothing
        };
        self.agents.get_mut(agent).unwrap().doing = doing;
    }

    fn end_wrap_up(&mut self, whom: usize) {
        let agent = AGENTS[whom % AGENTS.len()];
        let Doing::WrapUp { of, since, queue, entered_at, handled_us } = self.agents[agent].doing.clone()
        else {
            return;
        };
        let wrapped_us = self.now_us - since;
        let then = self.agents[agent].idle.clone();
        self.write(wrapped_up(of, agent, wrapped_us, then));
        let counted = self.count(queue, entered_at);
        counted.handled += 1;
        counted.handle_us += handled_us + wrapped_us;
        self.agents.get_mut(agent).unwrap().doing = Doing::Nothing;
        self.matters.get_mut(&of).unwrap().wrapping_up.remove(agent);
        self.close_if_done(of);
    }

    fn choose(&mut self, whom: usize) {
        let agent = AGENTS[whom % AGENTS.len()];
        let idle = match whom / AGENTS.len() % 5 {
            0 => on_break("lunch"),
            1 => offline(),
            _ => available(),
        };
        let chooser = self.agents.get_mut(agent).unwrap();
        if chooser.doing == Doing::Offered {
            return;
        }
        chooser.idle = idle.clone();
        let then = match &chooser.doing {
            Doing::Nothing => idle,
            Doing::WrapUp { of, .. } => wrap_up(*of),
            _ => serde_json::json!({ "state": "in_conversation", "interaction": 1 }),
        };
        self.write(chose(agent, then));
    }

    fn give_up_in_flow(&mut self) {
        if let Some(id) = self.find(0, |stage| matches!(stage, Stage::InFlow)) {
            self.end(id, "abandoned_in_flow");
        }
    }

    /// The program is killed and started again: every call is lost, agents and wrap-ups stay.
    fn restart(&mut self) {
        let open: Vec<InteractionId> =
            self.matters.iter().filter(|(_, matter)| matter.over.is_none()).map(|(id, _)| *id).collect();
        for id in open {
            match self.matters[&id].stage.clone() {
                Stage::InFlow => {}
                Stage::Waiting { .. } => self.leave(id, "lost"),
                Stage::Talking(_) => self.end_conversation(id, "lost", false),
            }
            self.end(id, "lost");
        }
    }

    fn end(&mut self, id: InteractionId, outcome: &'static str) {
        let matter = self.matters.get_mut(&id).unwrap();
        matter.stage = Stage::InFlow;
        matter.over = Some(outcome);
        self.close_if_done(id);
    }

    fn close_if_done(&mut self, id: InteractionId) {
        let matter = &self.matters[&id];
        if let Some(outcome) = matter.over
            && matter.wrapping_up.is_empty()
        {
            self.matters.remove(&id);
            self.write(closed(id, outcome));
        }
    }

    fn an_offer(&self, whom: usize) -> Option<(InteractionId, &'static str, &'static str)> {
        let id = self.find(whom, |stage| match stage {
            Stage::Waiting { offered, .. } => !offered.is_empty(),
            _ => false,
        })?;
        let Stage::Waiting { queue, offered, .. } = &self.matters[&id].stage else { return None };
        let agent = offered.iter().nth(whom % offered.len())?;
        Some((id, queue, agent))
    }

    fn find(&self, whom: usize, fits: impl Fn(&Stage) -> bool) -> Option<InteractionId> {
        let open = self.matters.iter().filter(|(_, matter)| matter.over.is_none() && fits(&matter.stage));
        let ids: Vec<InteractionId> = open.map(|(id, _)| *id).collect();
        ids.get(whom.checked_rem(ids.len())?).copied()
    }

    fn set(&mut self, id: InteractionId, stage: Stage) {
        self.matters.get_mut(&id).unwrap().stage = stage;
    }

    fn count(&mut self, queue: &'static str, entered_at: u64) -> &mut Counted {
        self.counted.entry((queue, entered_at / 900_000_000)).or_default()
    }

    fn write(&mut self, kind: Value) -> u64 {
        self.journal.write_us(self.now_us, kind)
    }
}

/// What a fact has to come in order with.
fn lanes_of(fact: &Fact) -> Vec<String> {
    let mut lanes: Vec<String> = fact.agent().iter().map(|agent| format!("agent {agent}")).collect();
    lanes.extend(fact.interaction().map(|id| format!("interaction {id}")));
    if fact.number == 1 {
        lanes.extend(AGENTS.map(|agent| format!("agent {agent}")));
    }
    lanes
}
