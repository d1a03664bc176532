//! A flow as it runs for one caller: step by step until it must wait.

use std::sync::Arc;
use std::time::Duration;

use crate::agent::{ChosenState, Who};
use crate::call::{CallCommand, CauseKind, Collect, CollectId, Digits, PlayId, PromptName, Rejection};
use crate::center::Center;
use crate::condition::Attributes;
use crate::fact::{EndWhy, FactKind, MenuMiss, Missing, Outcome};
use crate::flow::compile::{Act, Flow, Menu, StepIndex};
use crate::flow::document::AgentStateStep;
use crate::interaction::{Doing, Interaction, Playing, Run, Stage};
use crate::waiting::Onward;

impl Center {
    /// Runs the flow from this step until it waits for something, or has handed the caller on. No step is the end:
    /// hang up.
    pub(crate) fn run_flow(
        &mut self,
        interaction: &mut Interaction,
        flow: Arc<Flow>,
        from: Option<StepIndex>,
    ) {
        let mut next = from;
        loop {
            let Some((index, step)) = next.and_then(|index| Some((index, flow.step(index)?))) else {
                return self.hang_up(interaction);
            };
            if !interaction.answered && !matches!(step.act, Act::HangUp | Act::Set { .. }) {
                let Some(call) = interaction.call else { return };
                self.journal.command(CallCommand::Answer { call });
                return self.wait_in_flow(interaction, &flow, index, Doing::Answering, ANSWER_WAIT);
            }
            if interaction.steps_left == 0 {
                return self.flow_goes_round(interaction);
            }
            interaction.steps_left -= 1;
            interaction.step = Some(step.id.clone());
            self.journal.record(FactKind::StepBegun {
                interaction: interaction.id,
                flow: flow.id.clone(),
                step: step.id.clone(),
            });
            match &step.act {
                Act::Play { prompts, .. } => {
                    let play = self.play(interaction, prompts.clone(), false);
                    return self.wait_in_flow(interaction, &flow, index, Doing::Playing { play }, PLAY_WAIT);
                }
                Act::Menu(menu) => {
                    return self.offer_menu(interaction, &flow, index, menu, &menu.prompts, menu.tries);
                }
                Act::Set { values, then } => {
                    self.set_attributes(interaction, values);
                    next = *then;
                }
                Act::AgentState { state, then, otherwise } => {
                    next = if self.agent_calls(interaction, *state) { *then } else { *otherwise };
                }
                Act::Enqueue(enqueue) => {
                    let asks = enqueue.cases.iter().fold(enqueue.asks.clone(), |asks, case| {
                        if case.when.holds(&interaction.caller, &interaction.attributes) {
                            asks.under(&case.asks)
                        } else {
                            asks
                        }
                    });
                    let onward = Onward { flow: Some(flow.clone()), otherwise: enqueue.otherwise };
                    return self.enqueue(interaction, &enqueue.queue, &asks, None, onward);
                }
                Act::HangUp => return self.hang_up(interaction),
            }
        }
    }

    /// A flow, or queues that send callers to each other, did not come to an end.
    pub(crate) fn flow_goes_round(&mut self, interaction: &mut Interaction) {
        interaction.stage = Stage::BetweenSteps;
        self.repaired(interaction, Missing::FlowEnd);
        match interaction.call {
            Some(_) => self.hang_up(interaction),
            None => self.close_unserved(interaction, Outcome::Expired),
        }
    }

    fn set_attributes(&mut self, interaction: &mut Interaction, values: &[(Arc<str>, Arc<str>)]) {
        let attributes: Attributes = values.iter().cloned().collect();
        interaction.attributes.extend(attributes.clone());
        self.journal.record(FactKind::AttributesSet { interaction: interaction.id, attributes });
    }

    /// If it is an agent who calls, over the line and from the telephone where the agent is rung, the agent's state
    /// becomes what the step says.
    fn agent_calls(&mut self, interaction: &Interaction, state: AgentStateStep) -> bool {
        let Some(from) = interaction.caller.from.reveal() else { return false };
        let caller = |profile: &&Arc<crate::config::AgentProfile>| {
            profile.endpoint.line == interaction.caller.line && profile.endpoint.address == *from
        };
        let config = self.config.clone();
        let Some(agent) = config.agents().iter().find(caller) else { return false };
        let now = self.agents.index(&agent.id).and_then(|index| self.agents.get(index));
        let available = now.is_some_and(|agent| agent.chosen == ChosenState::Available);
        let chosen = match state {
            AgentStateStep::Toggle if available => ChosenState::Offline,
            AgentStateStep::Available | AgentStateStep::Toggle => ChosenState::Available,
            AgentStateStep::Break => ChosenState::Break { reason: None },
            AgentStateStep::Offline => ChosenState::Offline,
        };
        self.choose(&agent.id, chosen, Who::Telephone, None).is_ok()
    }

    /// The caller hears and is heard: the step that needed it begins.
    pub(crate) fn answered(&mut self, interaction: &mut Interaction) {
        let Stage::InFlow(Run { flow, step, doing: Doing::Answering }) = &interaction.stage else { return };
        let (flow, step) = (flow.clone(), *step);
        interaction.answered = true;
        self.journal.record(FactKind::Answered { interaction: interaction.id });
        self.run_flow(interaction, flow, Some(step));
    }

    /// Plays to the caller.
    pub(crate) fn play(
        &mut self,
        interaction: &mut Interaction,
        prompts: Arc<[PromptName]>,
        repeat: bool,
    ) -> PlayId {
        let play = interaction.next_play();
        if let (Some(call), Some(party)) = (interaction.call, interaction.customer) {
            interaction.playing = Some(Playing { play, repeat });
            self.journal.command(CallCommand::Play { call, party, play, prompts, repeat });
        }
        play
    }

    /// Something that was played to the caller ended.
    pub(crate) fn played(&mut self, interaction: &mut Interaction, ended: PlayId) {
        let Some(playing) = interaction.playing.take_if(|playing| playing.play == ended) else { return };
        match &interaction.stage {
            Stage::InFlow(Run { flow, step, doing: Doing::Playing { play } }) if *play == ended => {
                let (flow, step) = (flow.clone(), *step);
                self.step_played(interaction, flow, step);
            }
            Stage::Waiting(visit) | Stage::Offered(visit, _) if !playing.repeat => {
                let music = visit.rules.music.clone();
                self.announcement_ended(interaction, music);
            }
            Stage::Parked(_) => self.end_parked_call(interaction),
            Stage::Parting(play) if *play == ended => self.hang_up(interaction),
            Stage::LeavingMessage(_) => self.greeting_played(interaction, ended),
            _ => {}
        }
    }

    /// A collection of digits ended.
    pub(crate) fn collected(&mut self, interaction: &mut Interaction, ended: CollectId, digits: &Digits) {
        let Stage::InFlow(Run { flow, step, doing: Doing::Choosing { collect, tries_left } }) =
            &interaction.stage
        else {
            return self.answered_whether_to_call_back(interaction, ended, digits);
        };
        if *collect == ended {
            let (flow, step, tries_left) = (flow.clone(), *step, *tries_left);
            self.chosen(interaction, flow, step, tries_left, digits);
        }
    }

    /// What the step waited for did not come.
    pub(crate) fn flow_expired(&mut self, interaction: &mut Interaction) {
        let Stage::InFlow(Run { flow, step, doing }) = &interaction.stage else { return };
        let (flow, step, doing) = (flow.clone(), *step, *doing);
        match doing {
            Doing::Answering => {
                self.repaired(interaction, Missing::Answer);
                self.end(interaction, EndWhy::Lost, Some(CauseKind::Lost.into()));
            }
            Doing::Playing { .. } => {
                self.repaired(interaction, Missing::PlayEnd);
                self.step_played(interaction, flow, step);
            }
            Doing::Choosing { tries_left, .. } => {
                self.repaired(interaction, Missing::CollectEnd);
                if let (Some(call), Some(party)) = (interaction.call, interaction.customer) {
                    self.journal.command(CallCommand::StopCollect { call, party });
                }
                self.chosen(interaction, flow, step, tries_left, &Digits::default());
            }
        }
    }

    fn step_played(&mut self, interaction: &mut Interaction, flow: Arc<Flow>, step: StepIndex) {
        let next = match flow.step(step).map(|step| &step.act) {
            Some(Act::Play { then, .. }) => *then,
            _ => None,
        };
        self.run_flow(interaction, flow, next);
    }

    fn offer_menu(
        &mut self,
        interaction: &mut Interaction,
        flow: &Arc<Flow>,
        step: StepIndex,
        menu: &Menu,
        prompts: &Arc<[PromptName]>,
        tries: u32,
    ) {
        if prompts.is_empty() {
            self.hush(interaction);
        } else {
            self.play(interaction, prompts.clone(), false);
        }
        let collect = interaction.next_collection();
        let spec = Collect {
            max_digits: 1,
            terminator: None,
            first_timeout: menu.timeout,
            next_timeout: menu.timeout,
            barge_in: true,
            type_ahead: true,
        };
        if let (Some(call), Some(party)) = (interaction.call, interaction.customer) {
            self.journal.command(CallCommand::Collect { call, party, collect, spec });
        }
        let doing = Doing::Choosing { collect, tries_left: tries.saturating_sub(1) };
        self.wait_in_flow(interaction, flow, step, doing, PLAY_WAIT + menu.timeout);
    }

    fn chosen(
        &mut self,
        interaction: &mut Interaction,
        flow: Arc<Flow>,
        step: StepIndex,
        tries_left: u32,
        digits: &Digits,
    ) {
        let Some((id, menu)) = flow.step(step).and_then(|step| match &step.act {
            Act::Menu(menu) => Some((&step.id, menu)),
            _ => None,
        }) else {
            return;
        };
        let key = digits.as_str().chars().next().and_then(crate::call::Digit::new);
        if let Some((key, next)) = key.and_then(|key| Some((key, *menu.digits.get(&key)?))) {
            self.journal.record(FactKind::MenuChosen {
                interaction: interaction.id,
                flow: flow.id.clone(),
                step: id.clone(),
                key: key.as_char(),
            });
            return self.run_flow(interaction, flow, Some(next));
        }
        self.journal.record(FactKind::MenuMissed {
            interaction: interaction.id,
            flow: flow.id.clone(),
            step: id.clone(),
            reason: if key.is_some() { MenuMiss::WrongKey } else { MenuMiss::NoKey },
            tries_left,
        });
        if tries_left > 0 {
            self.offer_menu(interaction, &flow, step, menu, &menu.again, tries_left);
        } else {
            self.run_flow(interaction, flow.clone(), menu.otherwise);
        }
    }

    fn wait_in_flow(
        &mut self,
        interaction: &mut Interaction,
        flow: &Arc<Flow>,
        step: StepIndex,
        doing: Doing,
        limit: Duration,
    ) {
        interaction.deadline = Some(self.journal.now() + limit);
        interaction.stage = Stage::InFlow(Run { flow: flow.clone(), step, doing });
    }

    pub(crate) fn hang_up(&mut self, interaction: &mut Interaction) {
        let Some(call) = interaction.call else { return };
        if interaction.answered {
            self.end(interaction, EndWhy::FlowEnded, None);
        } else {
            let command = CallCommand::Reject { call, reason: Rejection::Declined };
            self.end_with(interaction, command, EndWhy::FlowEnded, None, Outcome::FlowEnded);
        }
    }
}

/// How long an answer may take to reach the caller; a SIP door gives up after 32 seconds (RFC 3261 timer H). At the
/// limit the call is ended as lost.
const ANSWER_WAIT: Duration = Duration::from_secs(40);

/// How long one list of prompts may play. At the limit the flow goes on as if they had ended.
const PLAY_WAIT: Duration = Duration::from_secs(15 * 60);
