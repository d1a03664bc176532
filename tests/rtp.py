#!/usr/bin/env python3
"""One end of an audio stream over plain RTP: says a tone, sends and hears digits, records. SIPp's mouth and ears.

usage: tests/rtp.py --local IP:PORT --remote IP:PORT --seconds N [--say HERTZ] [--digits AT:DIGIT,...] [--record FILE]

SIPp can speak SIP but not listen to sound, and it needs root to send digits. The scenarios here run this program (their
key `run`) as soon as they know the far end's address. It ends by itself and writes its report, one JSON object, to
standard output or --report FILE:
  sent, received   packets of audio
  lost             gaps in the sequence numbers
  reports          RTCP packets, heard on the next port
  payload_types    of what came in
  ssrcs            how many sources were heard, one after the other
  silence_ms_max   the longest time without a packet, between the first and the end
  digits           what was heard as telephone-events (RFC 4733)
tests/tone.py finds tones in what --record wrote.
"""

import argparse
import array
import json
import math
import os
import random
import select
import socket
import struct
import sys
import time
import wave

RATE, PACKET_SAMPLES, PACKET_SECONDS = 8000, 160, 0.02
AMPLITUDE = 12000
DIGITS = "0123456789*#ABCD"  # index: event code, RFC 4733 section 3.2
DIGIT_PACKETS = 5  # a digit lasts 100 ms
DIGIT_END_PACKETS = 3  # the last packet is sent three times, RFC 4733 section 2.5.1.4
SECONDS_MAX = 300
CODECS = {"PCMU": 0, "PCMA": 8}


def main():
    options = arguments()
    os.closerange(3, 1024)  # SIPp's sockets come along, and would keep its address taken after its end
    end = End(options)
    end.run(options.seconds)
    report = json.dumps(end.report())
    if options.record:
        end.write_recording(options.record)
    if options.report:  # written last and at once: whoever waits for it finds all of it, and the recording
        with open(f"{options.report}.part", "w") as f:
            f.write(report + "\n")
        os.replace(f"{options.report}.part", options.report)
    else:
        print(report)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--local", required=True, type=address, metavar="IP:PORT")
    parser.add_argument("--remote", required=True, type=address, metavar="IP:PORT")
    parser.add_argument("--seconds", required=True, type=float, help=f"at most {SECONDS_MAX}")
    parser.add_argument("--say", type=float, default=0, metavar="HERTZ", help="silence without")
    parser.add_argument(
        "--digits", type=digits, default=[], metavar="AT:DIGIT,...", help="seconds from the start: 1.5:4,2:2"
    )
    parser.add_argument("--events", type=int, default=101, metavar="TYPE", help="payload type of digits (101)")
    parser.add_argument("--codec", choices=CODECS, default="PCMA")
    parser.add_argument("--record", metavar="FILE", help="WAV file of what was heard")
    parser.add_argument("--report", metavar="FILE")
    options = parser.parse_args()
    if not 0 < options.seconds <= SECONDS_MAX:
        parser.error(f"--seconds is more than 0 and at most {SECONDS_MAX}")
    return options


def address(text):
    ip, port = text.rsplit(":", 1)
    return ip, int(port)


def bound(ip, port):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((ip, port))
    one.setblocking(False)
    return one


def digits(text):
    return sorted((float(at), digit.upper()) for at, digit in (one.split(":") for one in text.split(",") if one))


class End:
    """The socket, the clock of what is sent, and the account of what came in."""

    def __init__(self, options):
        self.remote, self.say, self.events = options.remote, options.say, options.events
        self.payload_type = CODECS[options.codec]
        self.encode = encode_table(self.payload_type)
        self.decode = {payload_type: decode_table(payload_type) for payload_type in CODECS.values()}
        self.to_send = list(options.digits)
        ip, port = options.local
        self.socket, self.rtcp = bound(ip, port), bound(ip, port + 1)
        self.ssrc, self.sequence, self.timestamp = (
            random.getrandbits(32),
            random.getrandbits(15),
            random.getrandbits(31),
        )
        self.phase, self.sent = 0, 0
        self.digit = None  # [event code, packets sent of it] while one is being sent
        self.heard = array.array("h")
        self.last_sequence, self.last_at, self.silence_s = None, None, 0.0
        self.received, self.lost, self.reports = 0, 0, 0
        self.heard_types, self.heard_sources, self.heard_digits, self.heard_events = set(), [], "", set()

    def run(self, seconds):
        start = time.monotonic()
        due = start
        while (now := time.monotonic()) < start + seconds:
            if now >= due:
                self.send(now - start)
                due += PACKET_SECONDS
            select.select([self.socket, self.rtcp], [], [], max(0.0, due - time.monotonic()))
            self.receive()
            self.receive_reports()
        self.note_silence(time.monotonic())

    def send(self, elapsed_s):
        if self.digit is None and self.to_send and self.to_send[0][0] <= elapsed_s:
            self.digit = [DIGITS.index(self.to_send.pop(0)[1]), 0]
        if self.digit is None:
            step = 2 * math.pi * self.say / RATE
            wave_form = (
                int(AMPLITUDE * math.sin(step * (self.phase + i))) if self.say else 0 for i in range(PACKET_SAMPLES)
            )
            self.packet(self.payload_type, False, bytes(self.encode[sample & 0xFFFF] for sample in wave_form))
            self.sent += 1
            self.phase += PACKET_SAMPLES
            self.timestamp += PACKET_SAMPLES
            return
        code, done = self.digit
        over = done + 1 >= DIGIT_PACKETS
        body = struct.pack("!BBH", code, (0x80 if over else 0) | 10, min(done + 1, DIGIT_PACKETS) * PACKET_SAMPLES)
        self.packet(self.events, done == 0, body)  # all with the timestamp of the digit's beginning
        self.digit[1] += 1
        if done + 1 >= DIGIT_PACKETS + DIGIT_END_PACKETS - 1:
            self.timestamp += PACKET_SAMPLES * self.digit[1]
            self.digit = None

    def packet(self, payload_type, marker, body):
        self.sequence = (self.sequence + 1) & 0xFFFF
        head = struct.pack(
            "!BBHII",
            0x80,
            payload_type | (0x80 if marker else 0),
            self.sequence,
            self.timestamp & 0xFFFFFFFF,
            self.ssrc,
        )
        try:
            self.socket.sendto(head + body, self.remote)
        except OSError:
            pass  # the far end's port is not open yet, or not any more

    def receive(self):
        while True:
            try:
                data = self.socket.recv(4096)
            except OSError:
                return
            if len(data) < 12 or data[0] & 0xC0 != 0x80:
                continue
            payload_type, sequence = data[1] & 0x7F, struct.unpack("!H", data[2:4])[0]
            timestamp, source = struct.unpack("!II", data[4:12])
            body = data[12 + 4 * (data[0] & 0x0F) :]
            self.heard_types.add(payload_type)
            if not self.heard_sources or self.heard_sources[-1] != source:
                self.heard_sources.append(source)
            elif self.last_sequence is not None and 1 < (sequence - self.last_sequence) & 0xFFFF < 0x8000:
                self.lost += ((sequence - self.last_sequence) & 0xFFFF) - 1
            self.last_sequence = sequence
            self.note_silence(time.monotonic())
            if payload_type in self.decode:
                self.received += 1
                self.heard.extend(self.decode[payload_type][byte] for byte in body)
            elif payload_type == self.events and len(body) >= 4 and (source, timestamp) not in self.heard_events:
                self.heard_events.add((source, timestamp))
                self.heard_digits += DIGITS[body[0] & 0x0F]

    def receive_reports(self):
        try:
            while self.rtcp.recv(4096):
                self.reports += 1
        except OSError:
            return

    def note_silence(self, now):
        if self.last_at is not None:
            self.silence_s = max(self.silence_s, now - self.last_at)
        self.last_at = now

    def report(self):
        return {
            "sent": self.sent,
            "received": self.received,
            "lost": self.lost,
            "reports": self.reports,
            "payload_types": sorted(self.heard_types),
            "ssrcs": len(self.heard_sources),
            "silence_ms_max": round(1000 * self.silence_s),
            "digits": self.heard_digits,
        }

    def write_recording(self, path):
        with wave.open(path, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes(self.heard.tobytes())


def decode_table(payload_type):
    """The 16-bit sample of each code, G.711."""
    return [alaw_sample(code) if payload_type == CODECS["PCMA"] else ulaw_sample(code) for code in range(256)]


def encode_table(payload_type):
    """The code nearest to each 16-bit sample, by the sample's low 16 bits."""
    by_sample = sorted((sample, code) for code, sample in enumerate(decode_table(payload_type)))
    encode, at = bytearray(65536), 0
    for sample in range(-32768, 32768):
        while at + 1 < 256 and abs(by_sample[at + 1][0] - sample) <= abs(by_sample[at][0] - sample):
            at += 1
        encode[sample & 0xFFFF] = by_sample[at][1]
    return encode


def alaw_sample(code):
    code ^= 0x55
    exponent, value = (code >> 4) & 7, ((code & 0x0F) << 4) + 8
    if exponent:
        value = (value + 0x100) << (exponent - 1)
    return value if code & 0x80 else -value


def ulaw_sample(code):
    code = ~code & 0xFF
    value = ((((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return -value if code & 0x80 else value


if __name__ == "__main__":
    sys.exit(main())
