//! Messages: a caller speaks, and what was said waits in a queue until an agent has heard it.

use std::sync::Arc;
use std::time::Duration;

use crate::call::{CallCommand, Cause, Digit, PartyId, PlayId, PlayOutcome, Record, RecordEnd, RecordingId};
use crate::center::{Center, mix};
use crate::channel::Channel;
use crate::config::{QueueDocument, QueueRules};
use crate::fact::{EndWhy, EndedBy, FactKind, Missing, Outcome};
use crate::interaction::{Conversation, Interaction, LeavingMessage, Message, Stage, Ticket};
use crate::waiting::Onward;

impl Center {
    /// Lets a caller leave a message: the greeting plays.
    pub(crate) fn take_message(
        &mut self,
        interaction: &mut Interaction,
        rules: &Arc<QueueRules>,
        ticket: Ticket,
        onward: Onward,
    ) {
        let Some(voicemail) = &rules.voicemail else { return self.go_on(interaction, onward) };
        let queue = voicemail.queue.clone();
        // The number of the fact is used once in the journal, and so is the recording's.
        let recording = RecordingId((self.journal.number() + 1) ^ mix(self.config.salt()));
        let ticket = Ticket { queue: queue.clone(), terms: crate::terms::Terms::default(), ..ticket };
        self.journal.record(FactKind::MessageBegun {
            interaction: interaction.id,
            queue,
            recording,
            waiting_since: ticket.waiting_since,
            priority: ticket.priority,
            vip: ticket.vip,
        });
        let greeting = Some(self.play(interaction, voicemail.greeting.clone(), false));
        interaction.deadline = Some(self.journal.now() + GREETING_WAIT);
        let rules = rules.clone();
        interaction.stage =
            Stage::LeavingMessage(LeavingMessage { ticket, rules, recording, greeting, gone: false });
    }

    /// The greeting is over: the caller speaks.
    pub(crate) fn greeting_played(&mut self, interaction: &mut Interaction, play: PlayId) {
        let Stage::LeavingMessage(leaving) = &mut interaction.stage else { return };
        if leaving.greeting != Some(play) || leaving.gone {
            return;
        }
        leaving.greeting = None;
        let (Some(call), Some(party)) = (interaction.call, interaction.customer) else { return };
        let (max, silence) = match &leaving.rules.voicemail {
            Some(voicemail) => (voicemail.max, voicemail.silence),
            None => (RECORD_MAX, None),
        };
        let spec = Record { max, silence, terminator: Digit::new('#') };
        let recording = leaving.recording;
        interaction.deadline = Some(self.journal.now() + max + RECORD_WAIT);
        self.journal.command(CallCommand::Record { call, party, recording, spec });
    }

    /// The caller hung up during the greeting or the message.
    pub(crate) fn speaker_left(&mut self, interaction: &mut Interaction) {
        let Stage::LeavingMessage(leaving) = &mut interaction.stage else { return };
        if leaving.greeting.is_some() {
            return self.message_missed(interaction);
        }
        // What was said is told in a moment.
        leaving.gone = true;
        interaction.deadline = Some(self.journal.now() + RECORD_WAIT);
    }

    /// A recording ended.
    pub(crate) fn recorded(
        &mut self,
        interaction: &mut Interaction,
        recording: RecordingId,
        end: RecordEnd,
        length: Duration,
    ) {
        let Stage::LeavingMessage(leaving) = &interaction.stage else { return };
        if leaving.recording != recording {
            return;
        }
        if end == RecordEnd::Failed || length < SHORTEST {
            return self.message_missed(interaction);
        }
        self.journal.record(FactKind::MessageLeft {
            interaction: interaction.id,
            recording,
            end,
            length_us: u64::try_from(length.as_micros()).unwrap_or(u64::MAX),
        });
        let stage = std::mem::replace(&mut interaction.stage, Stage::BetweenSteps);
        let Stage::LeavingMessage(leaving) = stage else { return };
        interaction.channel = Channel::Voicemail;
        let queue = leaving.ticket.queue.clone();
        interaction.message = Some(Message { queue, recording, length });
        interaction.stage = Stage::Parked(leaving.ticket);
        self.end_parked_call(interaction);
    }

    /// No message came about.
    pub(crate) fn message_missed(&mut self, interaction: &mut Interaction) {
        let Stage::LeavingMessage(leaving) = &interaction.stage else { return };
        let recording = leaving.recording;
        self.journal.record(FactKind::MessageMissed { interaction: interaction.id, recording });
        let why = if leaving_by_caller(interaction) { EndWhy::CallerLeft } else { EndWhy::MessageTaken };
        self.end(interaction, why, None);
    }

    /// The door did not say that the greeting or the recording ended.
    pub(crate) fn message_expired(&mut self, interaction: &mut Interaction) {
        let Stage::LeavingMessage(leaving) = &interaction.stage else { return };
        if let Some(greeting) = leaving.greeting {
            self.repaired(interaction, Missing::PlayEnd);
            return self.greeting_played(interaction, greeting);
        }
        self.repaired(interaction, Missing::RecordEnd);
        self.message_missed(interaction);
    }

    /// Plays a message to the agent who has taken it.
    pub(crate) fn let_hear(&mut self, interaction: &mut Interaction) {
        let Some(recording) = interaction.message.as_ref().map(|message| message.recording) else { return };
        let Some(call) = interaction.call else { return };
        let play = interaction.next_play();
        let Stage::Connected(conversation) = &mut interaction.stage else { return };
        let intro = conversation.rules.voicemail.as_ref().map(|voicemail| voicemail.intro.clone());
        let mut prompts = intro.unwrap_or_default();
        prompts.push(recording.prompt());
        conversation.hearing = Some(play);
        let (party, prompts) = (PartyId::FIRST, prompts.into());
        self.journal.command(CallCommand::Play { call, party, play, prompts, repeat: false });
    }

    /// The line to the agent broke off while a message was being heard: it waits again, in its place.
    pub(crate) fn message_waits_again(
        &mut self,
        interaction: &mut Interaction,
        conversation: Conversation,
        cause: Cause,
    ) {
        let Some(message) = &interaction.message else { return };
        let ticket = Ticket {
            queue: message.queue.clone(),
            waiting_since: interaction.arrived_at,
            priority: QueueDocument::NORMAL_PRIORITY,
            vip: false,
            terms: crate::terms::Terms::default(),
        };
        interaction.stage = Stage::Parked(ticket);
        self.end_conversation(interaction, conversation, EndedBy::Lost, cause);
        self.end_parked_call(interaction);
    }

    /// Lets a message wait again that was being heard, although nobody ended that; `false` if none was.
    pub(crate) fn message_breaks_off(&mut self, interaction: &mut Interaction, cause: Cause) -> bool {
        let Stage::Connected(conversation) = &interaction.stage else { return false };
        if conversation.hearing.is_none() || interaction.message.is_none() {
            return false;
        }
        let conversation = conversation.clone();
        self.message_waits_again(interaction, conversation, cause);
        true
    }

    /// Something that was played to an agent ended: if it was a message, the agent has heard it.
    pub(crate) fn played_to_agent(
        &mut self,
        interaction: &mut Interaction,
        play: PlayId,
        outcome: PlayOutcome,
    ) {
        let Stage::Connected(conversation) = &mut interaction.stage else { return };
        if conversation.hearing.take_if(|hearing| *hearing == play).is_none() {
            return;
        }
        if let (PlayOutcome::Completed, Some(message)) = (outcome, &interaction.message) {
            let (interaction, recording) = (interaction.id, message.recording);
            self.journal.record(FactKind::Heard { interaction, recording });
        }
        match outcome {
            PlayOutcome::Completed => self.end(interaction, EndWhy::MessageHeard, None),
            PlayOutcome::Stopped => {}
            // What cannot be played is lost, and is not counted as if it had been heard.
            PlayOutcome::Failed => {
                let Some(call) = interaction.call else { return };
                self.end_with(interaction, CallCommand::End { call }, EndWhy::Lost, None, Outcome::Lost);
            }
        }
    }
}

fn leaving_by_caller(interaction: &Interaction) -> bool {
    match &interaction.stage {
        Stage::LeavingMessage(leaving) => leaving.gone || leaving.greeting.is_some(),
        _ => false,
    }
}

/// What is shorter is no message.
const SHORTEST: Duration = Duration::from_secs(1);
/// How long a greeting may play. At the limit the recording begins.
const GREETING_WAIT: Duration = Duration::from_secs(5 * 60);
/// How long the door may take to say what became of a recording. At the limit there is none.
const RECORD_WAIT: Duration = Duration::from_secs(30);
/// How long a message may be where the queue's rules say nothing any more.
const RECORD_MAX: Duration = Duration::from_secs(120);
