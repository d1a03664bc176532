//! The path of a packet through one leg: from the wire into the call, and from the call to the wire.
//!
//! A [`Path`] is all that a leg's sockets need to know and owns none of them. The relay hands each packet in,
//! gives what comes of it to the path of the bridged leg, and sends what that one makes of it: everything in
//! one buffer, in place, without an allocation.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::codec::Law;
use crate::dtmf::{Digit, DigitReceiver, DigitSender, DigitStep};
use crate::g711;
use crate::leg::{
    DIGITS_MAX, LegEvent, LegId, PROMPTS_MAX, PlayId, PlayOutcome, QUALITY_INTERVAL, RecordingEnd,
    RecordingId, SILENCE,
};
use crate::negotiate::Negotiated;
use crate::outbound::{Bridged, Outbound};
use crate::player::Player;
use crate::prompt::Prompt;
use crate::quality::{self, QualityReport};
use crate::reception::Reception;
use crate::route::{Route, Routes};
use crate::rtcp::{self, NtpClock, Packet, Report, SenderInfo};
use crate::rtp::{HEADER_OCTETS, Header};
use crate::srtp::{SrtpError, SrtpReceiver};
use crate::tape::Tape;

/// One leg's media as a value.
pub struct Path {
    leg: LegId,
    clock: PathClock,
    state: Option<Configured>,
    srtp: Option<SrtpReceiver>,
    reception: Reception,
    outbound: Outbound,
    digits_in: DigitReceiver,
    digits_out: DigitSender,
    /// Whom this leg hears, and what becomes of each payload number from there.
    hearing: Option<(LegId, Box<Routes>)>,
    player: Option<Player>,
    tape: Option<Box<Tape>>,
    /// When the next frame of sound or digits is due, while there are any.
    next_frame: Option<Instant>,
    next_check: Instant,
    next_report: Instant,
    next_quality: Instant,
    attention: Attention,
    name: String,
    far: FarSide,
    strangers: Strangers,
    events: VecDeque<LegEvent>,
}

/// The clock that all paths of a relay share.
#[derive(Clone, Copy, Debug)]
pub struct PathClock {
    /// The moment from which beats are counted, so that many legs are due at the same moments.
    pub base: Instant,
    /// The time of day, for reports.
    pub ntp: NtpClock,
}

/// What a packet turned out to be.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// Not believed: not from our far end, or nothing we can read.
    Stranger,
    /// From our far end, and for nobody else to hear.
    Taken,
    /// To be heard by the bridged leg.
    Sound(Sound),
}

/// A packet that came and is to be heard by the bridged leg.
#[derive(Clone, Debug)]
pub struct Sound {
    from: LegId,
    header: Header,
    payload: Range<usize>,
}

/// A packet that is to leave: a part of the buffer that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where in the buffer it is.
    pub range: Range<usize>,
    /// Where it goes to.
    pub to: SocketAddr,
    /// From which of the leg's sockets.
    pub socket: Socket,
}

/// Which of a leg's two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// The even port.
    Rtp,
    /// The odd port above it.
    Rtcp,
}

impl Path {
    /// A leg that is not configured. `seed` is the randomness of its stream; no two legs may share one.
    pub fn new(leg: LegId, seed: u64, clock: PathClock, now: Instant) -> Self {
        let mut draw = Draw(seed);
        let outbound = Outbound::new(draw.next() as u32, draw.next() as u16, draw.next() as u32);
        let mut path = Self {
            leg,
            clock,
            state: None,
            srtp: None,
            reception: Reception::default(),
            outbound,
            digits_in: DigitReceiver::default(),
            digits_out: DigitSender::default(),
            hearing: None,
            player: None,
            tape: None,
            next_frame: None,
            next_check: now,
            next_report: now,
            next_quality: now,
            attention: Attention::NotExpected,
            name: format!("{:016x}", draw.next()),
            far: FarSide::default(),
            strangers: Strangers::default(),
            events: VecDeque::new(),
        };
        path.next_check = path.beat(now + FIRST_CHECK, CHECK_BEAT);
        path.next_report = path.next_check;
        path.next_quality = path.next_check + QUALITY_INTERVAL;
        path
    }

    /// The leg's number.
    pub fn leg(&self) -> LegId {
        self.leg
    }

    /// What was negotiated last.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.state.as_ref().map(|s| &*s.negotiated)
    }

    /// Sets what was negotiated; see `LegCommand::Configure`.
    pub fn configure(&mut self, now: Instant, negotiated: Arc<Negotiated>, latch: bool) {
        match (&negotiated.srtp, &mut self.srtp) {
            (Some(pair), Some(srtp)) => srtp.rekey(&pair.remote, pair.remote_mki_octets),
            (Some(pair), none) => *none = Some(SrtpReceiver::new(&pair.remote, pair.remote_mki_octets)),
            (None, srtp) => *srtp = None,
        }
        self.outbound.configure(negotiated.srtp.as_ref().map(|p| &p.local));
        if !negotiated.send {
            self.outbound.interrupt();
        }
        let expects = negotiated.direction.receives();
        self.attention = match self.attention {
            Attention::Missed if expects => Attention::Missed,
            _ if expects => Attention::Since(now),
            _ => Attention::NotExpected,
        };
        let moved = self.state.as_ref().is_none_or(|s| s.negotiated.remote != negotiated.remote);
        let moved_rtcp =
            self.state.as_ref().is_none_or(|s| s.negotiated.remote_rtcp != negotiated.remote_rtcp);
        match &mut self.state {
            Some(state) if !moved => {
                if moved_rtcp {
                    state.rtcp_target = negotiated.remote_rtcp;
                }
                state.negotiated = negotiated;
                state.latch = latch;
            }
            state => {
                let (target, rtcp_target) = (negotiated.remote, negotiated.remote_rtcp);
                *state = Some(Configured {
                    negotiated,
                    latch,
                    target,
                    rtcp_target,
                    heard_from: None,
                    heard_at: now,
                });
            }
        }
        self.refuse_unplayable();
        if self.negotiated().is_some_and(|n| n.telephone_event.is_none()) {
            self.digits_out = DigitSender::default();
        }
    }

    /// Lets this leg hear another, whose negotiated formats are given; `None` ends it.
    ///
    /// To be called again whenever either of the two is configured anew.
    pub fn hear(&mut self, other: Option<(LegId, &Negotiated)>) {
        self.hearing = match (other, &self.state) {
            (Some((from, theirs)), Some(state)) => {
                Some((from, Box::new(Routes::between(theirs, &state.negotiated))))
            }
            _ => None,
        };
    }

    /// Begins to play; what played before ends with `Stopped`.
    pub fn play(&mut self, now: Instant, play: PlayId, mut prompts: Vec<Arc<Prompt>>, repeat: bool) {
        self.stop_play();
        prompts.truncate(PROMPTS_MAX);
        let silent = prompts.iter().all(|p| p.sound(Law::Mu).is_empty());
        self.player = Some(Player::new(play, prompts, repeat));
        if silent {
            self.end_play(PlayOutcome::Finished);
        }
        self.refuse_unplayable();
        self.arm(now);
    }

    /// Ends what plays.
    pub fn stop_play(&mut self) {
        self.end_play(PlayOutcome::Stopped);
    }

    /// Begins to record; see `LegCommand::Record`.
    pub fn record(&mut self, now: Instant, recording: RecordingId, max: Duration, silence: Option<Duration>) {
        self.stop_record(now);
        self.tape = Some(Box::new(Tape::begin(now, recording, max, silence)));
        self.refuse_unplayable();
    }

    /// Ends what is recorded.
    pub fn stop_record(&mut self, now: Instant) {
        if let Some(tape) = &mut self.tape {
            tape.pass(now);
        }
        self.end_tape(RecordingEnd::Stopped);
    }

    /// Sends digits; see `LegCommand::SendDigits`.
    pub fn send_digits(&mut self, now: Instant, digits: &[Digit]) {
        if self.negotiated().is_some_and(|n| n.telephone_event.is_some()) {
            self.digits_out.push(digits, DIGITS_MAX);
            self.arm(now);
        }
    }

    /// A packet that came to the RTP port: `packet` is all of it, and is decrypted in place when it is believed.
    pub fn handle_rtp(&mut self, now: Instant, source: SocketAddr, packet: &mut [u8]) -> Arrival {
        let Some(state) = &mut self.state else { return Arrival::Stranger };
        let trusted = state.trusts(source);
        if !trusted && self.srtp.is_none() && !state.may_latch(now) {
            self.strangers.foreign += 1;
            return Arrival::Stranger;
        }
        let octets = match &mut self.srtp {
            None => packet.len(),
            Some(srtp) => match srtp.unprotect_rtp(packet) {
                Ok(octets) => octets,
                Err(error) => {
                    self.strangers.count(error);
                    return Arrival::Stranger;
                }
            },
        };
        let packet = packet.get(..octets).unwrap_or_default();
        let read = Header::parse(packet).and_then(|h| Some((h, h.payload(packet)?)));
        let Some((header, payload)) = read else {
            self.strangers.foreign += 1;
            return Arrival::Stranger;
        };
        let negotiated = &*state.negotiated;
        let clock_hz = negotiated.codec.clock_hz;
        let receive = negotiated.receive;
        let is_event = negotiated.telephone_event.is_some_and(|t| t.receive == header.payload_type);
        let since_base = now.saturating_duration_since(self.clock.base);
        let newest = self.reception.handle(since_base, &header, clock_hz, payload.len());
        if newest {
            state.heard_at = now;
            if state.heard_from != Some(source) {
                self.handle_source(source);
            }
            self.handle_presence(now);
        }
        if is_event {
            self.handle_event(now, &header, packet.get(payload.clone()).unwrap_or_default());
        } else {
            self.end_lost_press(now);
            if receive && self.tape.is_some() {
                self.tape(now, &header, packet.get(payload.clone()).unwrap_or_default());
            }
        }
        if receive { Arrival::Sound(Sound { from: self.leg, header, payload }) } else { Arrival::Taken }
    }

    /// Sends what another leg said, if this leg hears it. `buffer` is the one the packet came in.
    pub fn forward(&mut self, now: Instant, sound: &Sound, buffer: &mut [u8]) -> Option<Transmit> {
        let state = self.state.as_ref()?;
        let (from, routes) = self.hearing.as_ref()?;
        if *from != sound.from || !state.negotiated.send || self.is_speaking() {
            return None;
        }
        let packet = Bridged { from: *from, header: &sound.header, payload: sound.payload.clone() };
        let (payload_type, to_law) = match routes.of(sound.header.payload_type) {
            Route::Drop => {
                self.outbound.skip(&packet);
                return None;
            }
            Route::Pass(payload_type) => (payload_type, None),
            Route::Transcode(payload_type, law) => (payload_type, Some(law)),
        };
        if let Some(to) = to_law {
            let from = if to == Law::A { Law::Mu } else { Law::A };
            g711::transcode(from, to, buffer.get_mut(sound.payload.clone())?);
        }
        let to = state.target;
        let clock_hz = state.negotiated.codec.clock_hz;
        let range = self.outbound.relay(now, clock_hz, payload_type, &packet, buffer)?;
        Some(Transmit { range, to, socket: Socket::Rtp })
    }

    /// A packet that came to the RTCP port, or to the RTP port and is RTCP ([`crate::rtp::is_rtcp`]). Answers
    /// whether it was believed.
    pub fn handle_rtcp(&mut self, now: Instant, source: SocketAddr, packet: &mut [u8]) -> bool {
        let Some(state) = &mut self.state else { return false };
        let expected = [state.target.ip(), state.rtcp_target.ip(), state.negotiated.remote_rtcp.ip()];
        let octets = match &mut self.srtp {
            None if expected.contains(&source.ip()) => packet.len(),
            None => {
                self.strangers.foreign += 1;
                return false;
            }
            Some(srtp) => match srtp.unprotect_rtcp(packet) {
                Ok(octets) => octets,
                Err(error) => {
                    self.strangers.count(error);
                    return false;
                }
            },
        };
        if state.latch {
            state.rtcp_target = source;
        }
        let ntp = rtcp::middle(self.clock.ntp.at(now));
        for packet in rtcp::packets(packet.get(..octets).unwrap_or_default()) {
            let blocks = match packet {
                Packet::SenderReport { ssrc, sent, blocks } => {
                    self.reception.handle_sender_report(now, ssrc, sent.ntp);
                    blocks
                }
                Packet::ReceiverReport { blocks, .. } => blocks,
                Packet::Goodbye { .. } | Packet::Other => continue,
            };
            for block in blocks.filter(|b| b.ssrc == self.outbound.ssrc) {
                self.far.lost = u32::try_from(block.lost).unwrap_or(0);
                self.far.heard = true;
                self.far.round_trip = rtcp::round_trip(&block, ntp).or(self.far.round_trip);
            }
        }
        true
    }

    /// The one address from which packets come and to which they go at present: a socket may be connected to it,
    /// which spares the system work and keeps strangers out. `None` while others must be listened to: as long as
    /// the far end was not heard where we send to, and when it falls silent there.
    ///
    /// Asked after each configuration and each [`Path::poll_transmit`].
    pub fn settled(&self, now: Instant) -> Option<SocketAddr> {
        let state = self.state.as_ref()?;
        let silent = now.saturating_duration_since(state.heard_at);
        (state.heard_from == Some(state.target) && silent < LOOK_AROUND).then_some(state.target)
    }

    /// When [`Path::poll_transmit`] is due next.
    pub fn poll_timeout(&self) -> Instant {
        self.next_frame.map_or(self.next_check, |f| f.min(self.next_check))
    }

    /// What is to leave at this moment; to be called until `None`. Writes into `buffer`, of which 1,500 octets
    /// are enough.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut [u8]) -> Option<Transmit> {
        while self.next_frame.is_some_and(|due| due <= now) {
            if let Some(transmit) = self.frame(now, buffer) {
                return Some(transmit);
            }
        }
        if self.next_check > now {
            return None;
        }
        let due = self.next_check;
        let interval = if self.settled(now).is_some() { CHECK_BEAT } else { CHECK_INTERVAL };
        let next = due + interval;
        self.next_check = if next > now { next } else { self.beat(now + interval, CHECK_BEAT) };
        self.check(now);
        if self.next_quality <= due {
            self.next_quality = due + QUALITY_INTERVAL;
            self.tell(LegEvent::Quality { leg: self.leg, report: Box::new(self.quality()) });
        }
        if self.next_report > due {
            return None;
        }
        self.next_report = due + REPORT_INTERVAL;
        self.write_report(now, buffer, false)
    }

    /// What became of the leg since the last call.
    pub fn poll_event(&mut self) -> Option<LegEvent> {
        self.events.pop_front()
    }

    /// The leg's figures so far.
    pub fn quality(&self) -> QualityReport {
        let clock_hz = self.negotiated().map_or(8000, |n| n.codec.clock_hz);
        let (received, lost) = (self.reception.packets, self.reception.lost());
        let jitter_ms = self.reception.jitter(clock_hz);
        let loss_percent = 100.0 * lost as f32 / (received + lost).max(1) as f32;
        let sent = self.outbound.packets;
        QualityReport {
            packets_sent: sent,
            octets_sent: self.outbound.octets,
            packets_received: received,
            octets_received: self.reception.octets,
            packets_lost: lost,
            jitter_ms,
            remote_loss_percent: (self.far.heard && sent > 0)
                .then(|| (100.0 * self.far.lost as f32 / sent as f32).min(100.0)),
            rtt_ms: self.far.round_trip.map(|t| t.as_secs_f32() * 1000.0),
            mos: (received > 0).then(|| quality::mean_opinion(loss_percent, jitter_ms, self.far.round_trip)),
            srtp_failures: self.strangers.failures,
            replays: self.strangers.replays,
            foreign_packets: self.strangers.foreign,
        }
    }

    /// Ends the leg: what plays ends, and the far end is told that the stream is over.
    pub fn close(&mut self, now: Instant, buffer: &mut [u8]) -> Option<Transmit> {
        self.stop_play();
        self.stop_record(now);
        self.write_report(now, buffer, true)
    }

    /// Counts a packet that the relay threw away unread.
    pub fn count_foreign(&mut self) {
        self.strangers.foreign += 1;
    }

    /// Sound or digits of our own go out: nobody else is heard.
    fn is_speaking(&self) -> bool {
        self.player.is_some() || !self.digits_out.is_idle()
    }

    /// Sends one frame, and sets when the next is due; `None` if nothing leaves now.
    fn frame(&mut self, now: Instant, buffer: &mut [u8]) -> Option<Transmit> {
        let due = self.next_frame.take()?;
        let Some(negotiated) = self.state.as_ref().map(|s| s.negotiated.clone()) else {
            // Not configured yet: what plays waits.
            self.next_frame = Some(now + DIGIT_STEP);
            return None;
        };
        let frame_ms = if self.digits_out.is_idle() { u64::from(negotiated.ptime_ms) } else { 20 };
        let next = due + Duration::from_millis(frame_ms);
        let next = if next + LATE < now { self.beat(now, FRAME_BEAT) } else { next };
        let to = self.state.as_ref()?.target;
        let sends = negotiated.send;
        if let Some(events) = negotiated.telephone_event.filter(|_| !self.digits_out.is_idle()) {
            let step = self.digits_out.step(EVENT_CLOCK_HZ)?;
            self.next_frame = self.is_speaking().then_some(next);
            let DigitStep::Send { payload, first } = step else { return None };
            buffer.get_mut(HEADER_OCTETS..HEADER_OCTETS + payload.len())?.copy_from_slice(&payload);
            if !sends {
                return None;
            }
            let clock_hz = negotiated.codec.clock_hz;
            let range = self.outbound.event(now, clock_hz, events.send, first, payload.len(), buffer)?;
            return Some(Transmit { range, to, socket: Socket::Rtp });
        }
        let player = self.player.as_mut()?;
        let law = negotiated.codec.law()?;
        let octets = usize::from(negotiated.ptime_ms) * SAMPLES_PER_MS;
        let ended = player.fill(law, buffer.get_mut(HEADER_OCTETS..HEADER_OCTETS + octets)?);
        if ended {
            self.end_play(PlayOutcome::Finished);
        }
        self.next_frame = self.is_speaking().then_some(next);
        if !sends {
            return None;
        }
        let payload_type = negotiated.payload.send;
        let range = self.outbound.sound(now, 8000, payload_type, octets, octets as u32, buffer)?;
        Some(Transmit { range, to, socket: Socket::Rtp })
    }

    fn arm(&mut self, now: Instant) {
        if self.is_speaking() && self.next_frame.is_none() {
            self.next_frame = Some(self.beat(now, FRAME_BEAT));
        }
    }

    /// The next beat from `now` on, in one of four phases: legs are spread, and still many are due together.
    fn beat(&self, now: Instant, beat: Duration) -> Instant {
        let bar = beat.as_micros() as u64 * 4;
        let phase = (self.leg.0 % 4) * (bar / 4);
        let since = now.saturating_duration_since(self.clock.base).as_micros() as u64;
        let bars = (since.saturating_sub(phase)).div_ceil(bar);
        self.clock.base + Duration::from_micros(bars * bar + phase)
    }

    fn check(&mut self, now: Instant) {
        self.end_lost_press(now);
        if let Some(tape) = &mut self.tape {
            tape.pass(now);
            self.turn_tape();
        }
        if let (Attention::Since(expected), Some(state)) = (self.attention, &self.state) {
            let silent = now.saturating_duration_since(expected.max(state.heard_at));
            if silent >= SILENCE {
                self.attention = Attention::Missed;
                self.tell(LegEvent::Silent { leg: self.leg, for_ms: silent.as_millis() as u32 });
            }
        }
    }

    fn handle_event(&mut self, now: Instant, header: &Header, payload: &[u8]) {
        let told = self.digits_in.handle(now, header.timestamp, payload, EVENT_CLOCK_HZ);
        for (digit, duration_ms) in told.into_iter().flatten() {
            self.tell(LegEvent::Digit { leg: self.leg, digit, duration_ms });
        }
    }

    fn end_lost_press(&mut self, now: Instant) {
        if let Some((digit, duration_ms)) = self.digits_in.handle_timeout(now) {
            self.tell(LegEvent::Digit { leg: self.leg, digit, duration_ms });
        }
    }

    #[cold]
    fn handle_source(&mut self, source: SocketAddr) {
        let Some(state) = &mut self.state else { return };
        if state.heard_from.is_none() && self.reception.packets == 1 {
            self.events.push_back(LegEvent::FirstPacket { leg: self.leg, source });
        }
        state.heard_from = Some(source);
        if state.latch && state.target != source {
            state.target = source;
            self.tell(LegEvent::Latched { leg: self.leg, source });
        }
    }

    fn handle_presence(&mut self, now: Instant) {
        if matches!(self.attention, Attention::Missed) {
            self.attention = Attention::Since(now);
            self.tell(LegEvent::Heard { leg: self.leg });
        }
    }

    fn tell(&mut self, event: LegEvent) {
        if self.events.len() < EVENTS_MAX {
            self.events.push_back(event);
        }
    }

    fn refuse_unplayable(&mut self) {
        if self.negotiated().is_some_and(|n| n.codec.law().is_none()) {
            self.end_play(PlayOutcome::Unplayable);
            self.end_tape(RecordingEnd::Failed);
        }
    }

    fn end_play(&mut self, outcome: PlayOutcome) {
        if let Some(player) = self.player.take() {
            self.tell(LegEvent::Played { leg: self.leg, play: player.play, outcome });
        }
    }

    fn tape(&mut self, now: Instant, header: &Header, payload: &[u8]) {
        let law = self.negotiated().and_then(|negotiated| negotiated.law_of(header.payload_type));
        if let (Some(law), Some(tape)) = (law, &mut self.tape) {
            tape.take(now, header, law, payload, self.digits_in.is_pressed());
            self.turn_tape();
        }
    }

    /// Hands over what is recorded, and ends the recording if it is over.
    fn turn_tape(&mut self) {
        let Some(tape) = &mut self.tape else { return };
        let (recording, end) = (tape.recording, tape.end());
        while let Some(samples) = tape.piece(false) {
            self.events.push_back(LegEvent::Recorded { recording, samples });
        }
        if let Some(end) = end {
            self.end_tape(end);
        }
    }

    fn end_tape(&mut self, end: RecordingEnd) {
        let Some(mut tape) = self.tape.take() else { return };
        let (recording, kept) = (tape.recording, tape.kept(end));
        while let Some(samples) = tape.piece(true) {
            self.events.push_back(LegEvent::Recorded { recording, samples });
        }
        self.events.push_back(LegEvent::RecordingEnded { leg: self.leg, recording, end, samples: kept });
    }

    fn write_report(&mut self, now: Instant, buffer: &mut [u8], goodbye: bool) -> Option<Transmit> {
        let state = self.state.as_ref()?;
        let (to, socket) = if state.negotiated.rtcp_mux {
            (state.target, Socket::Rtp)
        } else {
            (state.rtcp_target, Socket::Rtcp)
        };
        if to.ip().is_unspecified() {
            return None;
        }
        let clock_hz = state.negotiated.codec.clock_hz;
        let sent = self.outbound.timestamp_at(now, clock_hz).map(|timestamp| SenderInfo {
            ntp: self.clock.ntp.at(now),
            timestamp,
            packets: self.outbound.packets as u32,
            octets: self.outbound.octets as u32,
        });
        let heard = self.reception.report(now);
        let report = Report { ssrc: self.outbound.ssrc, sent, heard, name: &self.name, goodbye };
        let octets = report.write(buffer)?;
        let octets = self.outbound.protect_rtcp(buffer, octets)?;
        Some(Transmit { range: 0..octets, to, socket })
    }
}

impl std::fmt::Debug for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Path")
            .field("leg", &self.leg)
            .field("negotiated", &self.negotiated())
            .finish_non_exhaustive()
    }
}

/// What a leg is set to, and where its far end really is.
struct Configured {
    negotiated: Arc<Negotiated>,
    latch: bool,
    /// Where we send to: as signalled, or to where the far end was heard from.
    target: SocketAddr,
    rtcp_target: SocketAddr,
    heard_from: Option<SocketAddr>,
    heard_at: Instant,
}

impl Configured {
    fn trusts(&self, source: SocketAddr) -> bool {
        source == self.target || source == self.negotiated.remote
    }

    /// Whether a plain packet from elsewhere may show where the far end really is: as long as it was not heard,
    /// or again after it fell silent.
    fn may_latch(&self, now: Instant) -> bool {
        self.latch
            && (self.heard_from.is_none() || now.saturating_duration_since(self.heard_at) >= LATCH_AGAIN)
    }
}

/// Whether packets are expected, and since when.
#[derive(Clone, Copy)]
enum Attention {
    NotExpected,
    Since(Instant),
    /// `Silent` was told.
    Missed,
}

/// What the far end reports of our stream.
#[derive(Default)]
struct FarSide {
    heard: bool,
    lost: u32,
    round_trip: Option<Duration>,
}

/// Packets that were not believed.
#[derive(Default)]
struct Strangers {
    foreign: u64,
    failures: u64,
    replays: u64,
}

impl Strangers {
    fn count(&mut self, error: SrtpError) {
        match error {
            SrtpError::Malformed => self.foreign += 1,
            SrtpError::NotAuthentic => self.failures += 1,
            SrtpError::Replayed => self.replays += 1,
        }
    }
}

/// Numbers drawn from a seed (SplitMix64).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Frames of all legs leave on beats of 5 ms, so that few wake-ups serve many legs and no beat serves them all.
const FRAME_BEAT: Duration = Duration::from_millis(5);
/// Frames later than this are left out.
const LATE: Duration = Duration::from_millis(200);
/// How often a leg without packets looks for silence, lost ends of key presses and due reports.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Checks of all legs happen on these beats; one that hears its far end looks on every one.
const CHECK_BEAT: Duration = Duration::from_millis(250);
/// RTCP goes out this often, hold included: Microsoft measures calls by it.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// The first check and report come early, so that short calls are measured too.
const FIRST_CHECK: Duration = Duration::from_millis(500);
/// How long a far end must be silent until packets from anywhere are looked at again: it may have moved.
const LOOK_AROUND: Duration = Duration::from_millis(300);
/// How long a plain far end must be silent until another address may take its place.
const LATCH_AGAIN: Duration = Duration::from_secs(2);
/// The time between two packets of a key press.
const DIGIT_STEP: Duration = Duration::from_millis(20);
/// The clock of telephone events we agree on.
const EVENT_CLOCK_HZ: u32 = 8000;
/// Samples in a millisecond of G.711.
const SAMPLES_PER_MS: usize = 8;
/// Events of a leg that wait to be fetched; the relay fetches them after each packet. Above it they are lost.
const EVENTS_MAX: usize = 64;
