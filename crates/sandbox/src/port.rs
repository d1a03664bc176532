//! Media ports: one UDP socket each, on which a user or a caller speaks and hears.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tandem_media::codec::Law;
use tandem_media::dtmf::{Digit, DigitReceiver, DigitSender, DigitStep};
use tandem_media::rtcp::{NtpClock, REPORT_OCTETS_MAX, Report, SenderInfo};
use tandem_media::srtp::{RTCP_EXTRA_OCTETS, SrtpError, SrtpReceiver, SrtpSender, TAG_OCTETS};
use tandem_media::{g711, rtp};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::event::Sound;
use crate::hearing::{Hearing, PITCH_SPREAD_HZ};
use crate::media::{Counts, PortCommand, PortEvent, PortId, Sending, Stream};
use crate::sound::{FRAME_SAMPLES, Maker};

/// All open ports, each a task of its own.
#[derive(Debug)]
pub struct Ports {
    open: BTreeMap<PortId, Handle>,
    events: mpsc::Sender<PortEvent>,
    opened: u64,
}

#[derive(Debug)]
struct Handle {
    commands: mpsc::Sender<PortCommand>,
    counts: Arc<Mutex<Counts>>,
    closed: bool,
}

impl Ports {
    /// No ports; what they tell goes to `events`.
    pub fn new(events: mpsc::Sender<PortEvent>) -> Self {
        Self { open: BTreeMap::new(), events, opened: 0 }
    }

    /// Carries out a command. Commands to ports that are closed do nothing.
    pub fn handle(&mut self, command: PortCommand) {
        match command {
            PortCommand::Open { port, address } => self.open(port, address),
            PortCommand::Close { port } => {
                if let Some(handle) = self.open.get_mut(&port) {
                    handle.closed = true;
                    let _ = handle.commands.try_send(PortCommand::Close { port });
                }
            }
            PortCommand::Configure { port, .. } | PortCommand::Digits { port, .. } => {
                if let Some(handle) = self.open.get(&port) {
                    // A port that does not take its commands is gone.
                    let _ = handle.commands.try_send(command);
                }
            }
        }
    }

    /// What a port has counted, those closed lately included.
    pub fn counts(&self, port: PortId) -> Option<Counts> {
        let handle = self.open.get(&port)?;
        Some(handle.counts.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn open(&mut self, port: PortId, address: IpAddr) {
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let counts = Arc::new(Mutex::new(Counts::default()));
        let handle = Handle { commands, counts: counts.clone(), closed: false };
        if self.open.len() >= KEPT_MAX
            && let Some(oldest) = self.open.iter().find(|(_, handle)| handle.closed).map(|(port, _)| *port)
        {
            self.open.remove(&oldest);
        }
        self.open.insert(port, handle);
        self.opened += 1;
        let ssrc = (self.opened as u32).wrapping_mul(0x9e37_79b9);
        let events = self.events.clone();
        tokio::spawn(async move {
            match UdpSocket::bind(SocketAddr::new(address, 0)).await {
                Ok(socket) => run(port, socket, ssrc, inbox, events, counts).await,
                Err(error) => {
                    let _ = events.send(PortEvent::Failed { port, error: error.to_string() }).await;
                }
            }
        });
    }
}

/// Moves packets until the port is closed.
async fn run(
    port: PortId,
    socket: UdpSocket,
    ssrc: u32,
    mut inbox: mpsc::Receiver<PortCommand>,
    events: mpsc::Sender<PortEvent>,
    shared: Arc<Mutex<Counts>>,
) {
    let Ok(address) = socket.local_addr() else { return };
    let _ = events.send(PortEvent::Opened { port, address }).await;
    let mut media = Media::new(ssrc, Instant::now());
    let mut tick = tokio::time::interval(FRAME);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut buffer = vec![0; 2048];
    loop {
        tokio::select! {
            command = inbox.recv() => match command {
                None | Some(PortCommand::Close { .. }) => break,
                Some(PortCommand::Configure { stream, .. }) => media.configure(*stream),
                Some(PortCommand::Digits { digits, .. }) => media.send_digits(&digits),
                Some(PortCommand::Open { .. }) => {}
            },
            received = socket.recv_from(&mut buffer) => {
                // An error here is another end's "port unreachable": it will be told by signalling.
                if let Ok((length, from)) = received && let Some(packet) = buffer.get_mut(..length) {
                    media.handle(Instant::now(), from, packet);
                }
            }
            _ = tick.tick() => {
                for (to, packet) in media.tick(Instant::now()) {
                    let _ = socket.send_to(&packet, to).await;
                }
            }
        }
        let (digits, sounds) = media.news();
        for digit in digits {
            let _ = events.send(PortEvent::Digit { port, digit }).await;
        }
        for sound in sounds {
            let _ = events.send(PortEvent::Hears { port, sound }).await;
        }
        if media.changed {
            media.changed = false;
            shared.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&media.counts);
        }
    }
    if let Some((to, packet)) = media.goodbye(Instant::now()) {
        let _ = socket.send_to(&packet, to).await;
    }
    shared.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&media.counts);
    let _ = events.send(PortEvent::Closed { port, counts: Box::new(media.counts) }).await;
}

/// One port as a value: packets and the time go in, packets come out.
struct Media {
    stream: Option<Stream>,
    sender: Option<SrtpSender>,
    receiver: Option<SrtpReceiver>,
    maker: Maker,
    digits: DigitSender,
    heard_digits: DigitReceiver,
    hearing: Hearing,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// The timestamp of the digit that is being sent.
    digit_timestamp: u32,
    sent_octets: u32,
    /// The first packet after a pause is marked.
    marked: bool,
    last_ssrc: Option<u32>,
    last_sequence: Option<u16>,
    first_heard: Option<Instant>,
    clock: NtpClock,
    report_due: Instant,
    counts: Counts,
    changed: bool,
    told_digits: Vec<Digit>,
    told_sounds: Vec<Sound>,
}

impl Media {
    fn new(ssrc: u32, now: Instant) -> Self {
        let since_unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            stream: None,
            sender: None,
            receiver: None,
            maker: Maker::new(Sending::Nothing),
            digits: DigitSender::default(),
            heard_digits: DigitReceiver::default(),
            hearing: Hearing::new(),
            ssrc,
            sequence: ssrc as u16,
            timestamp: ssrc.rotate_left(7),
            digit_timestamp: 0,
            sent_octets: 0,
            marked: true,
            last_ssrc: None,
            last_sequence: None,
            first_heard: None,
            clock: NtpClock::new(now, since_unix),
            report_due: now + REPORT_INTERVAL / 5,
            counts: Counts::default(),
            changed: false,
            told_digits: Vec::new(),
            told_sounds: Vec::new(),
        }
    }

    fn configure(&mut self, stream: Stream) {
        match (&stream.keys, &mut self.sender, &mut self.receiver) {
            (Some((ours, theirs)), Some(sender), Some(receiver)) => {
                sender.rekey(ours);
                receiver.rekey(theirs, stream.mki_octets);
            }
            (Some((ours, theirs)), sender, receiver) => {
                *sender = Some(SrtpSender::new(ours));
                *receiver = Some(SrtpReceiver::new(theirs, stream.mki_octets));
            }
            (None, sender, receiver) => (*sender, *receiver) = (None, None),
        }
        if self.maker.sending() != stream.sending {
            self.maker = Maker::new(stream.sending);
            self.marked = true;
        }
        self.stream = Some(stream);
    }

    fn send_digits(&mut self, digits: &[Digit]) {
        self.digits.push(digits, DIGITS_MAX);
    }

    fn news(&mut self) -> (Vec<Digit>, Vec<Sound>) {
        (std::mem::take(&mut self.told_digits), std::mem::take(&mut self.told_sounds))
    }

    fn handle(&mut self, now: Instant, from: SocketAddr, packet: &mut [u8]) {
        let Some(stream) = &self.stream else { return };
        self.changed = true;
        let is_report = rtp::is_rtcp(packet);
        if !is_report && from != stream.expected {
            self.counts.from_elsewhere += 1;
        }
        let clear = match (&mut self.receiver, is_report) {
            (None, _) => Ok(packet.len()),
            (Some(receiver), true) => receiver.unprotect_rtcp(packet),
            (Some(receiver), false) => receiver.unprotect_rtp(packet),
        };
        match clear {
            Ok(_) if is_report => self.counts.reports += 1,
            Ok(length) => {
                if let Some(clear) = packet.get(..length) {
                    self.hear(now, clear);
                }
            }
            Err(SrtpError::NotAuthentic) => self.counts.not_authentic += 1,
            Err(SrtpError::Replayed | SrtpError::Malformed) => self.counts.strange += 1,
        }
    }

    fn hear(&mut self, now: Instant, packet: &[u8]) {
        let Some(stream) = &self.stream else { return };
        let Some((header, payload)) =
            rtp::Header::parse(packet).and_then(|h| Some((h, packet.get(h.payload(packet)?)?)))
        else {
            self.counts.strange += 1;
            return;
        };
        self.counts.received += 1;
        let first = *self.first_heard.get_or_insert(now);
        self.counts.heard_ms = now.saturating_duration_since(first).as_millis() as u64;
        if self.last_ssrc.replace(header.ssrc) != Some(header.ssrc) {
            self.counts.streams += 1;
        } else if let Some(last) = self.last_sequence {
            let step = header.sequence.wrapping_sub(last);
            self.counts.lost += if step < 1000 { u64::from(step).saturating_sub(1) } else { 0 };
        }
        self.last_sequence = Some(header.sequence);
        let (number, law) = stream.sound;
        if header.payload_type == number {
            let samples: Vec<i16> = payload.iter().map(|byte| g711::decode(law, *byte)).collect();
            let sound = self.hearing.handle(now, &samples);
            self.tell_sound(sound);
        } else if Some(header.payload_type) == stream.telephone_event {
            for (digit, _) in
                self.heard_digits.handle(now, header.timestamp, payload, 8000).into_iter().flatten()
            {
                self.tell_digit(digit);
            }
        } else if header.payload_type != COMFORT_NOISE {
            self.counts.strange += 1;
        }
    }

    fn tell_sound(&mut self, sound: Option<Sound>) {
        self.counts.hears = self.hearing.now();
        self.counts.level_db = self.hearing.level_db();
        let Some(sound) = sound else { return };
        if let Sound::Tone(hz) = sound
            && self.counts.tones.len() < TONES_MAX
            && self.counts.tones.last().is_none_or(|last| last.abs_diff(hz) > PITCH_SPREAD_HZ)
        {
            self.counts.tones.push(hz);
        }
        self.told_sounds.push(sound);
    }

    fn tell_digit(&mut self, digit: Digit) {
        if self.counts.digits.len() < DIGITS_MAX {
            self.counts.digits.push(digit.as_char());
        }
        self.told_digits.push(digit);
    }

    /// What 20 ms bring: a packet of sound or of a digit, and a report now and then.
    fn tick(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        if let Some(digit) = self.heard_digits.handle_timeout(now).map(|(digit, _)| digit) {
            self.changed = true;
            self.tell_digit(digit);
        }
        if let Some(sound) = self.hearing.handle_timeout(now) {
            self.changed = true;
            self.tell_sound(Some(sound));
        }
        let Some(stream) = &self.stream else { return Vec::new() };
        let (target, reports) = (stream.target, stream.reports);
        let (sound, event) = (stream.sound, stream.telephone_event);
        self.timestamp = self.timestamp.wrapping_add(FRAME_SAMPLES as u32);
        let mut out = Vec::new();
        out.extend(self.next_packet(sound, event).map(|packet| (target, packet)));
        if now >= self.report_due {
            self.report_due = now + REPORT_INTERVAL;
            out.extend(self.report(now, false).map(|packet| (reports, packet)));
        }
        out
    }

    fn next_packet(&mut self, sound: (u8, Law), event: Option<u8>) -> Option<Vec<u8>> {
        let step = event.filter(|_| !self.digits.is_idle()).and_then(|_| self.digits.step(8000));
        // The sound goes on under a digit, unheard.
        let frame = self.maker.frame();
        let (header, payload) = match (step, event) {
            (Some(DigitStep::Send { payload, first }), Some(number)) => {
                if first {
                    self.digit_timestamp = self.timestamp;
                }
                let mut header = rtp::Header::plain(number, self.sequence, self.digit_timestamp, self.ssrc);
                header.marker = first;
                (header, payload.to_vec())
            }
            _ => {
                let (number, law) = sound;
                let Some(frame) = frame else {
                    self.marked = true;
                    return None;
                };
                let mut header = rtp::Header::plain(number, self.sequence, self.timestamp, self.ssrc);
                header.marker = std::mem::take(&mut self.marked);
                (header, frame.iter().map(|sample| g711::encode(law, *sample)).collect())
            }
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.counts.sent += 1;
        self.changed = true;
        self.sent_octets = self.sent_octets.wrapping_add(payload.len() as u32);
        let mut packet = vec![0; rtp::HEADER_OCTETS];
        header.write(&mut packet);
        packet.extend(payload);
        let clear = packet.len();
        if let Some(sender) = &mut self.sender {
            packet.resize(clear + TAG_OCTETS, 0);
            sender.protect_rtp(&mut packet, clear)?;
        }
        Some(packet)
    }

    fn report(&mut self, now: Instant, goodbye: bool) -> Option<Vec<u8>> {
        let sent = SenderInfo {
            ntp: self.clock.at(now),
            timestamp: self.timestamp,
            packets: self.counts.sent as u32,
            octets: self.sent_octets,
        };
        let report = Report { ssrc: self.ssrc, sent: Some(sent), heard: None, name: "sandbox", goodbye };
        let mut packet = vec![0; REPORT_OCTETS_MAX + RTCP_EXTRA_OCTETS];
        let clear = report.write(&mut packet)?;
        let length = match &mut self.sender {
            Some(sender) => sender.protect_rtcp(&mut packet, clear)?,
            None => clear,
        };
        packet.truncate(length);
        Some(packet)
    }

    fn goodbye(&mut self, now: Instant) -> Option<(SocketAddr, Vec<u8>)> {
        let reports = self.stream.as_ref()?.reports;
        Some((reports, self.report(now, true)?))
    }
}

const FRAME: Duration = Duration::from_millis(20);
/// Between two RTCP reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// Payload number 13 is comfort noise wherever it comes.
const COMFORT_NOISE: u8 = 13;
/// Commands that wait for a port; more are dropped.
const COMMANDS_MAX: usize = 64;
/// Digits that are kept or wait to be sent; more are dropped.
const DIGITS_MAX: usize = 64;
/// Tones that are remembered of one port; more are dropped.
const TONES_MAX: usize = 64;
/// Ports of which counts are kept; beyond it the oldest closed one is forgotten.
const KEPT_MAX: usize = 2000;

#[cfg(test)]
mod tests {
    use tandem_media::srtp::SrtpKey;

    use super::*;

    fn stream(sending: Sending, keys: Option<(u8, u8)>) -> Stream {
        let address = "127.0.0.1:4000".parse().unwrap();
        Stream {
            target: address,
            reports: address,
            expected: address,
            sound: (0, Law::Mu),
            telephone_event: Some(101),
            keys: keys.map(|(ours, theirs)| (SrtpKey::new([ours; 30]), SrtpKey::new([theirs; 30]))),
            mki_octets: 0,
            sending,
        }
    }

    /// Two ports that send to each other for so many frames.
    fn converse(one: &mut Media, two: &mut Media, start: Instant, frames: std::ops::Range<u32>) {
        let from = "127.0.0.1:4000".parse().unwrap();
        for frame in frames {
            let now = start + FRAME * frame;
            for (_, mut packet) in one.tick(now) {
                two.handle(now, from, &mut packet);
            }
            for (_, mut packet) in two.tick(now) {
                one.handle(now, from, &mut packet);
            }
        }
    }

    #[test]
    fn two_ports_hear_each_other_through_srtp() {
        let start = Instant::now();
        let (mut one, mut two) = (Media::new(1, start), Media::new(2, start));
        one.configure(stream(Sending::Tone(440), Some((1, 2))));
        two.configure(stream(Sending::Tone(990), Some((2, 1))));
        converse(&mut one, &mut two, start, 0..100);
        assert_eq!(one.news().1, [Sound::Tone(990)]);
        assert_eq!(two.news().1, [Sound::Tone(440)]);
        assert_eq!((two.counts.received, two.counts.lost, two.counts.not_authentic), (100, 0, 0));
        assert!(two.counts.reports > 0);
    }

    #[test]
    fn digits_arrive_once_each() {
        let start = Instant::now();
        let (mut one, mut two) = (Media::new(1, start), Media::new(2, start));
        one.configure(stream(Sending::Tone(440), None));
        two.configure(stream(Sending::Nothing, None));
        one.send_digits(&["1", "1", "#"].map(|d| Digit::from_char(d.chars().next().unwrap()).unwrap()));
        converse(&mut one, &mut two, start, 0..100);
        assert_eq!(two.counts.digits, "11#");
        assert_eq!(two.counts.strange, 0);
    }

    #[test]
    fn a_wrong_key_or_address_is_counted() {
        let start = Instant::now();
        let (mut one, mut two) = (Media::new(1, start), Media::new(2, start));
        one.configure(stream(Sending::Tone(440), Some((1, 2))));
        two.configure(stream(Sending::Nothing, Some((2, 3))));
        two.stream.as_mut().unwrap().expected = "127.0.0.1:4002".parse().unwrap();
        converse(&mut one, &mut two, start, 0..10);
        assert_eq!((two.counts.not_authentic, two.counts.from_elsewhere, two.counts.received), (10, 10, 0));
    }

    #[test]
    fn a_hold_is_heard_as_nothing_or_as_other_sound() {
        let start = Instant::now();
        let (mut one, mut two) = (Media::new(1, start), Media::new(2, start));
        one.configure(stream(Sending::Tone(440), None));
        two.configure(stream(Sending::Nothing, None));
        converse(&mut one, &mut two, start, 0..50);
        one.configure(stream(Sending::Nothing, None));
        converse(&mut one, &mut two, start, 50..100);
        one.configure(stream(Sending::Tone(440), None));
        converse(&mut one, &mut two, start, 100..150);
        assert_eq!(two.news().1, [Sound::Tone(440), Sound::Nothing, Sound::Tone(440)]);
        assert_eq!(two.counts.lost, 0);
    }
}
