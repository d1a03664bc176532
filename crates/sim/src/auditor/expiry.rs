//! No state outlives its time.

use std::collections::BTreeMap;
use std::time::Duration;

use tandem_center::Timestamp;
use tandem_center::agent::ChosenState;
use tandem_center::channel::Channel;
use tandem_center::id::{AgentId, InteractionId};

use super::world::{Agent, Doing, Interaction, Stage};
use super::{Auditor, Owner, Wrong, same, seconds};

impl Auditor {
    pub(super) fn nothing_outlived(&self, now: Timestamp) -> Result<(), Wrong> {
        for (id, agent) in &self.agents {
            let until = agent_until(agent);
            same(until.is_none_or(|until| now < until), Wrong::Outlived(Owner::Agent(id.clone())))?;
        }
        for (id, interaction) in &self.interactions {
            let outlived = Wrong::Outlived(Owner::Interaction(*id));
            for ringing in &interaction.ringing_out {
                same(now < ringing.since + ENDING_MAX, outlived.clone())?;
            }
            let until = interaction_until(interaction).ok_or_else(|| outlived.clone())?;
            same(now < until, outlived)?;
        }
        Ok(())
    }

    /// Nobody is rung who chose something else than to be available.
    pub(super) fn nobody_is_rung_against_their_will(&self) -> Result<(), Wrong> {
        for interaction in self.interactions.values() {
            if let Stage::Offered(_, rings) = &interaction.stage {
                for ring in rings {
                    let willing = self.agent(&ring.agent)?.chosen == ChosenState::Available;
                    same(willing, Wrong::NotFree(ring.agent.clone()))?;
                }
            }
        }
        Ok(())
    }

    /// An agent does something in an interaction exactly if somebody does that with the agent there.
    pub(super) fn everybody_is_where_the_other_says(&self) -> Result<(), Wrong> {
        let mut done: BTreeMap<(&AgentId, InteractionId), &str> = BTreeMap::new();
        for (id, interaction) in &self.interactions {
            let mut does = |agent, what| {
                let again = done.insert((agent, *id), what).is_some();
                same(!again, Wrong::NotFree(agent.clone()))
            };
            match &interaction.stage {
                Stage::Offered(_, rings) => {
                    rings.iter().try_for_each(|ring| does(&ring.agent, "is rung"))?;
                }
                Stage::CallingBack(_, ring, _) => does(&ring.agent, "is rung")?,
                Stage::Connected(talk)
                | Stage::HandedOver { leaving: Some(talk), .. }
                | Stage::Ending { talk: Some(talk), .. } => does(&talk.agent, "talks")?,
                _ => {}
            }
            interaction.ringing_out.iter().try_for_each(|ringing| does(&ringing.ring.agent, "is rung"))?;
            interaction.wrapping_up.iter().try_for_each(|agent| does(agent, "wraps up"))?;
        }
        for (id, agent) in &self.agents {
            for work in &agent.work {
                let does = match work.doing {
                    Doing::Offered => "is rung",
                    Doing::Talking => "talks",
                    Doing::WrapUp { .. } => "wraps up",
                };
                same(done.remove(&(id, work.interaction)) == Some(does), Wrong::NotFree(id.clone()))?;
            }
            let rung = agent.work.iter().filter(|work| matches!(work.doing, Doing::Offered)).count();
            same(rung <= 1, Wrong::NotFree(id.clone()))?;
        }
        done.first_key_value().map_or(Ok(()), |((agent, _), _)| Err(Wrong::NotFree((*agent).clone())))
    }
}

fn agent_until(agent: &Agent) -> Option<Timestamp> {
    let rest = agent.rest.and_then(|(_, until)| until);
    let presence = agent.presence.as_ref().map(|told| told.until);
    let wrap_ups = agent.work.iter().filter_map(|work| match work.doing {
        Doing::WrapUp { until, .. } => Some(until),
        _ => None,
    });
    wrap_ups.chain(rest).chain(presence).min()
}

/// Until when an interaction may stay what it is; `None`: it should not be there any more.
fn interaction_until(interaction: &Interaction) -> Option<Timestamp> {
    let limit = interaction.call.map(|call| call.ends_at);
    let wait = |stay: &super::world::Stay| {
        let wait =
            if interaction.channel == Channel::Call { seconds(stay.rules.max_wait_s) } else { WORK_WAIT };
        let step = stay.terms.steps().get(stay.step + 1).map(|step| Duration::from_micros(step.after_us));
        [Some(stay.entered_at + wait), step.map(|after| stay.entered_at + after), limit]
            .into_iter()
            .flatten()
            .min()
    };
    let within = |until: Timestamp| Some(limit.map_or(until, |limit| limit.min(until)));
    match &interaction.stage {
        Stage::InFlow => within(interaction.touched_at + STEP_MAX),
        Stage::Waiting(stay) => wait(stay),
        Stage::Offered(stay, rings) => {
            let longer = |confirms| if confirms { CONFIRM_MAX } else { Duration::ZERO };
            rings.iter().map(|ring| ring.until + longer(ring.confirms)).chain(wait(stay)).min()
        }
        Stage::CallingBack(stay, _, since) => {
            let ring = stay.rules.callback.as_ref().map_or(40, |callback| callback.ring_s);
            within(*since + seconds(ring))
        }
        Stage::Parked => Some(interaction.touched_at + PARKED_MAX),
        Stage::Scheduled(at) => Some(*at),
        Stage::LeavingMessage(..) => within(interaction.touched_at + MESSAGE_MAX),
        Stage::Redirecting(since) => within(*since + REDIRECT_MAX),
        Stage::Connected(talk) => {
            let transfer = talk.transfer.map(|since| since + TRANSFER_MAX);
            transfer.into_iter().chain(limit).min()
        }
        Stage::HandedOver { leaving, pending, since } => {
            let until = if *pending {
                Some(*since + TRANSFER_MAX)
            } else {
                leaving.as_ref().map(|_| *since + LEAVE_MAX)
            };
            until.into_iter().chain(limit).min()
        }
        Stage::Ending { since, .. } => Some(*since + ENDING_MAX),
        // Lasts as long as somebody wraps it up or a telephone still rings.
        Stage::CallOver { .. } => {
            let busy = !interaction.wrapping_up.is_empty() || !interaction.ringing_out.is_empty();
            busy.then(|| interaction.touched_at + FOR_EVER)
        }
    }
}

/// No step of a flow lasts longer: 15 minutes of prompts, and the longest time for a key.
const STEP_MAX: Duration = Duration::from_secs(16 * 60 + 1);
/// No call takes longer to end, and no telephone to stop ringing.
const ENDING_MAX: Duration = Duration::from_secs(41);
/// The confirmation, and the end of the call.
const PARKED_MAX: Duration = Duration::from_secs(5 * 60 + 41);
/// The greeting, the longest message, and the door's time to say what came of it.
const MESSAGE_MAX: Duration = Duration::from_secs(5 * 60 + 600 + 61);
/// How long a telephone rings to which somebody is handed over.
const REDIRECT_MAX: Duration = Duration::from_secs(61);
/// How long a transfer may go on.
const TRANSFER_MAX: Duration = Duration::from_secs(181);
/// How long an agent who handed over may take to leave.
const LEAVE_MAX: Duration = Duration::from_secs(11);
/// How long an agent may take for the key, after the ringing.
const CONFIRM_MAX: Duration = Duration::from_secs(30);
/// How long a message or a callback may wait.
const WORK_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Longer than any wrap-up with all its extensions; those have limits of their own.
const FOR_EVER: Duration = Duration::from_secs(3 * 24 * 3600);
