//! What a call is about: where it waited, what it asked for, who talked, and what the agent says it was.

use std::collections::{BTreeMap, BTreeSet};

use tandem_center::fact::{Fact, FactKind};
use tandem_center::id::{AgentId, CodeId, QueueId, SkillId};
use tandem_center::terms::Terms;
use tandem_people::directory::Topic;

/// What is known of one interaction, folded from its facts.
#[derive(Clone, Debug, Default)]
pub struct About {
    queues: BTreeSet<QueueId>,
    /// With the highest level that was asked for, before less would do.
    skills: BTreeMap<SkillId, u8>,
    code: Option<CodeId>,
    agent: Option<AgentId>,
    /// Who talked last, and for how long.
    talked: Option<(AgentId, u64)>,
}

impl About {
    /// Takes in the next fact of the interaction.
    pub fn apply(&mut self, fact: &Fact) {
        match &fact.kind {
            FactKind::QueueEntered { queue, terms, .. }
            | FactKind::CallbackScheduled { queue, terms, .. }
            | FactKind::CallbackPromised { queue, terms, .. } => {
                self.queues.insert(queue.clone());
                self.ask(terms);
            }
            FactKind::MessageBegun { queue, .. } => {
                self.queues.insert(queue.clone());
            }
            FactKind::TermsChanged { terms, .. } => self.ask(terms),
            FactKind::Connected { agent, .. } => self.agent = Some(agent.clone()),
            FactKind::ConversationEnded { agent, talked_us, .. } => {
                self.talked = Some((agent.clone(), *talked_us));
            }
            FactKind::WrapUpEnded { code: Some(code), .. } => self.code = Some(code.clone()),
            _ => {}
        }
    }

    /// The skills that it asked for, each with the least level from 1 to 10.
    pub fn skills(&self) -> impl Iterator<Item = (String, u8)> {
        self.skills.iter().map(|(skill, level)| (skill.as_str().to_owned(), *level))
    }

    /// What somebody may have solved before.
    pub fn topics(&self) -> Vec<Topic> {
        let queues = self.queues.iter().map(|queue| Topic::Queue(queue.as_str().into()));
        let skills = self.skills.keys().map(|skill| Topic::Skill(skill.as_str().into()));
        let codes = self.code.iter().map(|code| Topic::WrapUpCode(code.as_str().into()));
        queues.chain(skills).chain(codes).collect()
    }

    /// The agent who has it, or had it last.
    pub fn agent(&self) -> Option<&AgentId> {
        self.agent.as_ref()
    }

    /// Who talked last, if it was longer than a word.
    pub(super) fn solver(&self) -> Option<&AgentId> {
        self.talked.as_ref().filter(|(_, talked_us)| *talked_us >= TALKED_LEAST_US).map(|(agent, _)| agent)
    }

    fn ask(&mut self, terms: &Terms) {
        for step in terms.steps() {
            for (skill, level) in &step.requirement.skills {
                let known = self.skills.entry(skill.clone()).or_default();
                *known = (*known).max(*level);
            }
        }
    }
}

/// Who talked for less has solved nothing: a wrong number, a cough.
const TALKED_LEAST_US: u64 = 5_000_000;
