//! Recordings of what parties say: when they begin, what ends them, and playing them back.
//!
//! The sound itself never comes here. The shell keeps it, and tells the end of a recording only when it can be played.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tandem_center::call::{
    CallEvent, CallId, Digit, PartyId, PlayId, PlayOutcome, PromptName, Record, RecordEnd, RecordingId,
};
use tandem_media::leg;
use tandem_media::leg::{LegCommand, LegId, RecordingEnd};
use tandem_media::prompt::Prompt;

use crate::b2bua::{B2bua, Output};
use crate::call::Call;

/// A recording whose end was not told yet.
#[derive(Debug)]
pub(crate) struct Recording {
    /// Which recording.
    pub id: RecordingId,
    /// Who speaks.
    pub party: PartyId,
    /// Over which leg.
    leg: LegId,
    /// The key that ends it.
    terminator: Option<Digit>,
    /// Why we ended it; `None` while it runs.
    stopped: Option<RecordEnd>,
}

/// A play that waits for recordings to be fetched.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Which play.
    pub play: PlayId,
    prompts: Arc<[PromptName]>,
    repeat: bool,
    /// The recordings in it, and what came; `None`: nothing yet.
    fetched: BTreeMap<RecordingId, Option<Arc<Prompt>>>,
}

impl Call {
    /// The party is gone: what was recorded of it ends with its leg.
    pub(crate) fn recording_left(&mut self, party: PartyId) {
        for running in self.recordings.iter_mut().filter(|recording| recording.party == party) {
            running.stopped.get_or_insert(RecordEnd::PartyLeft);
        }
    }
}

impl B2bua {
    pub(crate) fn record(&mut self, call: CallId, party: PartyId, id: RecordingId, spec: &Record) {
        self.stop_record(call, party, RecordEnd::Stopped);
        let room = self.recordings.len() < self.setup.limits.recordings && !self.recordings.contains_key(&id);
        let Some(record) = self.calls.get_mut(&call) else {
            return self.tell_recorded(call, party, id, RecordEnd::Failed, 0);
        };
        let open = record.party(party).filter(|party| party.media.open && room).map(|party| party.media.leg);
        let Some(leg) = open else {
            if !room {
                self.counters.recordings_refused += 1;
            }
            return self.tell_recorded(call, party, id, RecordEnd::Failed, 0);
        };
        let terminator = spec.terminator;
        record.recordings.push(Recording { id, party, leg, terminator, stopped: None });
        self.recordings.insert(id, call);
        let (recording, max) = (leg::RecordingId(id.0), spec.max.min(Record::MAX));
        let silence = spec.silence;
        self.push(Output::Media(LegCommand::Record { leg, recording, max, silence }));
    }

    /// Ends what is recorded of a party.
    pub(crate) fn stop_record(&mut self, call: CallId, party: PartyId, end: RecordEnd) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        if let Some(running) = record.recordings.iter_mut().find(|r| r.party == party && r.stopped.is_none())
        {
            running.stopped = Some(end);
            let leg = running.leg;
            self.push(Output::Media(LegCommand::StopRecord { leg }));
        }
    }

    /// A key was pressed. Returns whether it ended a recording and is used up.
    pub(crate) fn ends_recording(&mut self, call: CallId, party: PartyId, digit: Digit) -> bool {
        let Some(record) = self.calls.get(&call) else { return false };
        let mut running = record.recordings.iter().filter(|r| r.party == party && r.stopped.is_none());
        let ends = running.any(|recording| recording.terminator == Some(digit));
        if ends {
            self.stop_record(call, party, RecordEnd::Complete);
        }
        ends
    }

    /// The shell keeps the recording, or could not.
    pub(crate) fn recorded(&mut self, id: leg::RecordingId, end: RecordingEnd, samples: u64) {
        let id = RecordingId(id.0);
        let Some(call) = self.recordings.remove(&id) else { return };
        let Some(record) = self.calls.get_mut(&call) else { return };
        let Some(place) = record.recordings.iter().position(|recording| recording.id == id) else { return };
        let recording = record.recordings.swap_remove(place);
        let end = match end {
            RecordingEnd::Silence => RecordEnd::Silence,
            RecordingEnd::Limit => RecordEnd::Limit,
            RecordingEnd::Stopped => recording.stopped.unwrap_or(RecordEnd::Stopped),
            RecordingEnd::Failed => RecordEnd::Failed,
        };
        self.tell_recorded(call, recording.party, id, end, samples);
        self.finish_if_over(call);
    }

    /// The relay does not have the leg: nothing of it is recorded.
    pub(crate) fn recordings_impossible(&mut self, call: CallId, leg: LegId) {
        let Some(record) = self.calls.get(&call) else { return };
        let of_leg = record.recordings.iter().filter(|recording| recording.leg == leg);
        for id in of_leg.map(|recording| recording.id).collect::<Vec<_>>() {
            self.recorded(leg::RecordingId(id.0), RecordingEnd::Failed, 0);
        }
    }

    /// The shell has said nothing for too long: there are no recordings.
    pub(crate) fn give_up_recordings(&mut self, call: CallId) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        for recording in std::mem::take(&mut record.recordings) {
            self.recordings.remove(&recording.id);
            tracing::warn!(call.id = %call, recording.id = %recording.id, "a recording was not written in time");
            self.tell_recorded(call, recording.party, recording.id, RecordEnd::Failed, 0);
        }
    }

    fn tell_recorded(
        &mut self,
        call: CallId,
        party: PartyId,
        recording: RecordingId,
        end: RecordEnd,
        samples: u64,
    ) {
        let samples = if end == RecordEnd::Failed { 0 } else { samples };
        let length = Duration::from_micros(samples.saturating_mul(MICROS_OF_A_SAMPLE));
        self.tell(CallEvent::Recorded { call, party, recording, end, length });
    }

    /// Asks for the recordings among the prompts; `None` if there are none, and nothing need be waited for.
    pub(crate) fn fetch(
        &mut self,
        call: CallId,
        play: PlayId,
        prompts: &Arc<[PromptName]>,
        repeat: bool,
    ) -> Option<Waiting> {
        let wanted = prompts.iter().filter_map(|name| RecordingId::of_prompt(name));
        let fetched: BTreeMap<_, _> = wanted.map(|recording| (recording, None)).collect();
        if fetched.is_empty() {
            return None;
        }
        for recording in fetched.keys() {
            self.fetching.entry(*recording).or_default().push(call);
            self.out.push_back(Output::Fetch(*recording));
        }
        Some(Waiting { play, prompts: prompts.clone(), repeat, fetched })
    }

    /// A recording came that a play waits for, or there is none of that name.
    pub(crate) fn fetched(&mut self, now: Instant, recording: RecordingId, prompt: Option<&Arc<Prompt>>) {
        for call in self.fetching.remove(&recording).unwrap_or_default() {
            let Some(record) = self.calls.get_mut(&call) else { continue };
            let mut ready = Vec::new();
            for party in &mut record.parties {
                let Some(waiting) = &mut party.waiting else { continue };
                let Some(place) = waiting.fetched.get_mut(&recording) else { continue };
                *place = prompt.cloned();
                if prompt.is_none() || waiting.fetched.values().all(Option::is_some) {
                    ready.extend(party.waiting.take().map(|waiting| (party.id, waiting)));
                }
            }
            for (party, waiting) in ready {
                self.play_fetched(now, call, party, &waiting);
            }
        }
    }

    fn play_fetched(&mut self, now: Instant, call: CallId, party: PartyId, waiting: &Waiting) {
        let prompt = |name: &PromptName| match RecordingId::of_prompt(name) {
            Some(recording) => waiting.fetched.get(&recording).cloned().flatten(),
            None => self.setup.prompts.get(name).cloned(),
        };
        match waiting.prompts.iter().map(prompt).collect::<Option<Vec<_>>>() {
            Some(prompts) => self.start_play(call, party, waiting.play, prompts, waiting.repeat),
            None => self.played(now, call, party, waiting.play, PlayOutcome::Failed),
        }
    }
}

/// A sample of 8,000 a second.
const MICROS_OF_A_SAMPLE: u64 = 125;
