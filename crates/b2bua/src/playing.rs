//! What a party hears from us, and the keys it presses meanwhile.

use std::sync::Arc;
use std::time::Instant;

use tandem_center::call::{
    CallEvent, CallId, Collect, CollectEnd, CollectId, Digit, PartyId, PlayId, PlayOutcome, PromptName,
};
use tandem_media::leg;
use tandem_media::leg::LegCommand;
use tandem_media::prompt::Prompt;
use tandem_sip::ua::{Body, LegId};

use crate::b2bua::{B2bua, Output};
use crate::collect::Collection;
use crate::timer::Timer;

impl B2bua {
    pub(crate) fn play(
        &mut self,
        call: CallId,
        party: PartyId,
        play: PlayId,
        prompts: &Arc<[PromptName]>,
        repeat: bool,
    ) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let open = record.media.open;
        if let Some(replaced) = record.waiting.take() {
            let outcome = PlayOutcome::Stopped;
            self.tell(CallEvent::Played { call, party, play: replaced.play, outcome });
        }
        let waiting = if open { self.fetch(call, play, prompts, repeat) } else { None };
        if waiting.is_some() {
            // What sounds meanwhile is replaced already: silence is better than the end of another prompt.
            self.stop_sound(call, party);
            let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
            record.playing = Some(play);
            record.waiting = waiting;
            return;
        }
        let found: Option<Vec<Arc<Prompt>>> =
            prompts.iter().map(|name| self.setup.prompts.get(name).cloned()).collect();
        match found.filter(|_| open) {
            Some(prompts) => self.start_play(call, party, play, prompts, repeat),
            None => self.tell(CallEvent::Played { call, party, play, outcome: PlayOutcome::Failed }),
        }
    }

    pub(crate) fn start_play(
        &mut self,
        call: CallId,
        party: PartyId,
        play: PlayId,
        prompts: Vec<Arc<Prompt>>,
        repeat: bool,
    ) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        record.playing = Some(play);
        let leg = record.media.leg;
        let play = leg::PlayId(u64::from(play.0));
        self.out.push_back(Output::Media(LegCommand::Play { leg, play, prompts, repeat }));
    }

    pub(crate) fn stop_play(&mut self, now: Instant, call: CallId, party: PartyId) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        match record.waiting.take() {
            Some(waiting) => self.played(now, call, party, waiting.play, PlayOutcome::Stopped),
            None => self.stop_sound(call, party),
        }
    }

    fn stop_sound(&mut self, call: CallId, party: PartyId) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if record.playing.is_some() {
            let leg = record.media.leg;
            self.out.push_back(Output::Media(LegCommand::StopPlay { leg }));
        }
    }

    pub(crate) fn collect(
        &mut self,
        now: Instant,
        call: CallId,
        party: PartyId,
        id: CollectId,
        spec: Collect,
    ) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let collection = Collection::begin(now, id, spec, record.playing.is_some());
        let ahead: Vec<Digit> =
            if collection.takes_type_ahead() { record.ahead.take(now).collect() } else { Vec::new() };
        let deadline = collection.deadline();
        record.collecting = Some(collection);
        self.timers.set_or_clear(Timer::Collect(call, party), deadline);
        for digit in ahead {
            self.pressed(now, call, party, digit);
        }
    }

    pub(crate) fn pressed(&mut self, now: Instant, call: CallId, party: PartyId, digit: Digit) {
        if self.ends_recording(call, party, digit) {
            return;
        }
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let Some(collection) = &mut record.collecting else {
            record.ahead.push(now, digit);
            return;
        };
        let end = collection.press(now, digit);
        let deadline = collection.deadline();
        if collection.barges_in() && record.playing.is_some() {
            self.stop_play(now, call, party);
        }
        match end {
            Some(end) => self.collected(call, party, end),
            None => self.timers.set_or_clear(Timer::Collect(call, party), deadline),
        }
    }

    pub(crate) fn played(
        &mut self,
        now: Instant,
        call: CallId,
        party: PartyId,
        play: PlayId,
        outcome: PlayOutcome,
    ) {
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if record.playing == Some(play) {
            record.playing = None;
            if let Some(collection) = &mut record.collecting {
                collection.prompt_ended(now);
                let deadline = collection.deadline();
                self.timers.set_or_clear(Timer::Collect(call, party), deadline);
            }
        }
        self.tell(CallEvent::Played { call, party, play, outcome });
    }

    pub(crate) fn collected(&mut self, call: CallId, party: PartyId, end: CollectEnd) {
        self.timers.clear(Timer::Collect(call, party));
        let Some(record) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let Some(collection) = record.collecting.take() else { return };
        let collect = collection.id;
        let digits = collection.into_digits();
        self.tell(CallEvent::Collected { call, party, collect, digits, end });
    }

    pub(crate) fn on_info(&mut self, now: Instant, leg: LegId, body: Option<Body>) {
        let Some((call, party)) = self.find(leg) else { return };
        let Some(body) = body else { return };
        if !body.content_type.trim().eq_ignore_ascii_case("application/dtmf-relay") {
            return;
        }
        let text = String::from_utf8_lossy(&body.bytes);
        let digit = text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim().chars().next())?
        });
        if let Some(digit) = digit.and_then(Digit::new) {
            self.pressed(now, call, party, digit);
        }
    }
}
