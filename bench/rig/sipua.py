"""SIP phones for the measurements that need more than SIPp: many calls over one UDP socket, media addresses and keys
learnt from SDP, arrival times stamped by the kernel. Not a SIP stack: just enough of RFC 3261 for loopback."""

import base64
import itertools
import os
import random
import re
import select
import socket
import struct
import time
from dataclasses import dataclass, field

CRLF = "\r\n"
SO_TIMESTAMPNS = 35
RETRY_SECONDS = (1.0, 2.0, 2.0, 2.0, 2.0)  # loopback loses nothing: a retry happens when someone's queue was full
_numbers = itertools.count(1)
_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}


@dataclass
class Media:
    """One end of an audio stream: where it is, and the SDES key that it sends with (None: plain RTP)."""

    ip: str
    port: int
    key: str = None
    tag: str = "1"  # of the crypto line; an answer repeats the one it chose


@dataclass(eq=False)
class Leg:
    """One call as one phone sees it. States: calling, proceeding, up, failed (caller); ringing, answered, up (agent);
    byeing, done (both)."""

    number: int
    user: str
    call_id: str
    local: str  # From of what we send
    remote: str  # To of what we send
    target: str  # Request-URI of what we send
    peer: tuple
    media: Media
    state: str
    invite: dict = None  # headers of the INVITE that came in
    message: str = ""  # INVITE or 200 OK as sent, for a retry
    branch: str = ""
    cseq: int = 1
    code: int = 0
    routes: list = field(default_factory=list)
    far: Media = None
    invite_at: float = 0.0  # when the INVITE came in: kernel stamp, seconds
    bye_at: float = 0.0  # just before our BYE left


class Phone:
    """Any number of users behind one UDP address. Rings and answers every INVITE unless `on_invite` says otherwise.

    `srtp`: offers RTP/SAVP, and answers so when offered. Callbacks get the leg: on_invite, on_up, on_done.
    """

    def __init__(self, ip, port=5060, media_ports=None, srtp=False):
        self.ip, self.port, self.srtp = ip, port, srtp
        self.media_ports = media_ports or itertools.repeat(6000)
        self.legs = {}
        self.on_invite = self.on_up = self.on_done = lambda leg: None
        self.on_invite = self.answer
        self._retries = []  # (due, leg, state in which the retry is needed, how many so far)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((ip, port))
        self.socket.setblocking(False)
        # Where a signalling test sends its media to: bound and never read, so that nothing bounces.
        self.sinks = [] if media_ports else [_bound(ip, 6000), _bound(ip, 6001)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in [self.socket, *self.sinks]:
            s.close()

    def fileno(self):
        return self.socket.fileno()

    def count(self, *states):
        return sum(leg.state in states for leg in self.legs.values())

    # What a user does

    def call(self, server, number, user):
        """Dials `number` at `server` (ip, port)."""
        n = next(_numbers)
        leg = Leg(
            number=n,
            user=user,
            call_id=f"{n}-{random.getrandbits(48):x}@{self.ip}",
            local=f"<sip:{user}@{self.ip}:{self.port}>;tag=c{n}",
            remote=f"<sip:{number}@{server[0]}:{server[1]}>",
            target=f"sip:{number}@{server[0]}:{server[1]}",
            peer=server,
            media=Media(self.ip, next(self.media_ports), sdes_key() if self.srtp else None),
            state="calling",
        )
        self.legs[leg.call_id] = leg
        leg.branch = new_branch()
        leg.message = self._request(leg, "INVITE", leg.cseq, leg.branch, sdp_of(leg.media, leg.number))
        self._send(leg.message, leg.peer)
        self._retry(leg)
        return leg

    def answer(self, leg):
        """Rings and answers at once."""
        self._send(self._response(leg.invite, 180, "Ringing", leg), leg.peer)
        leg.message = self._response(leg.invite, 200, "OK", leg, sdp_of(leg.media, leg.number))
        leg.state = "answered"
        self._send(leg.message, leg.peer)
        self._retry(leg)

    def decline(self, leg):
        leg.state = "done"
        self._send(self._response(leg.invite, 486, "Busy Here", leg), leg.peer)

    def hang_up(self, leg):
        """BYE in a call that is up, CANCEL in one that is not answered yet."""
        if leg.state in ("calling", "proceeding"):
            self._send(self._request(leg, "CANCEL", leg.cseq, leg.branch), leg.peer)
        elif leg.state == "up":
            leg.cseq += 1
            leg.state = "byeing"
            leg.message = self._request(leg, "BYE", leg.cseq, new_branch())
            leg.bye_at = time.time()
            self._send(leg.message, leg.peer)
            self._retry(leg)

    # The wire

    def poll(self, most=400):
        """Reads what is there, at most so many messages, and repeats what was not answered."""
        for _ in range(most):
            try:
                data, ancillary, _, source = self.socket.recvmsg(65535, 128)
            except BlockingIOError:
                break
            stamp = time.time()
            for _, kind, value in ancillary:
                if kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", value[:16])
                    stamp = seconds + nanoseconds / 1e9
            self._handle(data.decode("utf-8", "replace"), source, stamp)
        now = time.monotonic()
        while self._retries and self._retries[0][0] <= now:
            _, leg, state, done = self._retries.pop(0)
            if leg.state == state:
                self._send(leg.message, leg.peer)
                if done + 1 < len(RETRY_SECONDS):
                    self._retries.append((now + RETRY_SECONDS[done + 1], leg, state, done + 1))
                    self._retries.sort(key=lambda retry: retry[0])

    def _handle(self, text, source, stamp):
        head, _, body = text.partition(CRLF * 2)
        first, *lines = head.split(CRLF)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            headers.setdefault(_COMPACT.get(name, name), []).append(value.strip())
        if "call-id" not in headers:
            return
        leg = self.legs.get(headers["call-id"][0])
        if first.startswith("SIP/2.0"):
            if leg:
                self._handle_response(leg, int(first.split()[1]), headers, body)
        else:
            self._handle_request(leg, first.split()[0], first, headers, body, source, stamp)

    def _handle_response(self, leg, code, headers, body):
        number, method = headers["cseq"][0].split()
        if method == "BYE" and code >= 200 and leg.state == "byeing":
            leg.state = "done"
            self.on_done(leg)
        if method != "INVITE":
            return
        if code < 200:
            if leg.state == "calling":
                leg.state = "proceeding"
            return
        leg.remote, leg.code = headers["to"][0], code
        if code >= 300:
            self._send(self._request(leg, "ACK", number, leg.branch), leg.peer)
            if leg.state in ("calling", "proceeding"):
                leg.state = "failed"
                self.on_done(leg)
            return
        leg.target = uri_of(headers["contact"][0])
        leg.routes = list(reversed(list_of(headers.get("record-route"))))
        if body:
            leg.far = media_of(body)
        self._send(self._request(leg, "ACK", number, new_branch()), leg.peer)
        if leg.state in ("calling", "proceeding"):
            leg.state = "up"
            self.on_up(leg)

    def _handle_request(self, leg, method, first, headers, body, source, stamp):
        if method == "INVITE" and leg is None:
            n = next(_numbers)
            user = re.match(r"INVITE sips?:([^@;]+)@", first)
            leg = Leg(
                number=n,
                user=user[1] if user else "agent",
                call_id=headers["call-id"][0],
                local=headers["to"][0] + f";tag=a{n}",
                remote=headers["from"][0],
                target=uri_of(headers["contact"][0]),
                peer=source,
                media=Media(self.ip, next(self.media_ports)),
                state="ringing",
                invite=headers,
                cseq=100,
                routes=list_of(headers.get("record-route")),
                invite_at=stamp,
            )
            if body:
                leg.far = media_of(body)
                if leg.far and leg.far.key:
                    leg.media.key, leg.media.tag = sdes_key(), leg.far.tag
            self.legs[leg.call_id] = leg
            self._send(self._response(headers, 100, "Trying"), source)
            self.on_invite(leg)
        elif method == "INVITE":
            if leg.state == "answered":
                self._send(leg.message, source)  # a repeated INVITE: the 200 is on its way or lost
            elif leg.state == "up":
                self._send(self._response(headers, 200, "OK", leg, sdp_of(leg.media, leg.number)), source)
        elif method == "ACK":
            if leg and leg.state == "answered":
                leg.state = "up"
                self.on_up(leg)
        elif method == "BYE":
            self._send(self._response(headers, 200, "OK", leg), source)
            if leg and leg.state not in ("done", "failed"):
                leg.state = "done"
                self.on_done(leg)
        elif method == "CANCEL":
            self._send(self._response(headers, 200, "OK", leg), source)
            if leg and leg.state == "ringing":
                self._send(self._response(leg.invite, 487, "Request Terminated", leg), source)
                leg.state = "done"
                self.on_done(leg)
        else:
            self._send(self._response(headers, 200, "OK", leg), source)

    def _request(self, leg, method, cseq, branch, body=""):
        lines = [f"{method} {leg.target} SIP/2.0", f"Via: SIP/2.0/UDP {self.ip}:{self.port};rport;branch={branch}"]
        lines += [f"Route: {route}" for route in leg.routes]
        lines += [
            f"From: {leg.local}",
            f"To: {leg.remote}",
            f"Call-ID: {leg.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{leg.user}@{self.ip}:{self.port}>",
            "Max-Forwards: 70",
            "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS",
        ]
        return _message(lines, body)

    def _response(self, headers, code, reason, leg=None, body=""):
        to = headers["to"][0]
        if "tag=" not in to and code > 100:
            to += f";tag=a{leg.number if leg else 0}"
        lines = [f"SIP/2.0 {code} {reason}"]
        lines += [f"Via: {value}" for value in headers["via"]]
        lines += [f"Record-Route: {value}" for value in headers.get("record-route", [])]
        lines += [f"From: {headers['from'][0]}", f"To: {to}"]
        lines += [f"Call-ID: {headers['call-id'][0]}", f"CSeq: {headers['cseq'][0]}"]
        if leg:
            lines.append(f"Contact: <sip:{leg.user}@{self.ip}:{self.port}>")
        return _message(lines, body)

    def _send(self, message, to):
        self.socket.sendto(message.encode(), to)

    def _retry(self, leg):
        self._retries.append((time.monotonic() + RETRY_SECONDS[0], leg, leg.state, 0))
        self._retries.sort(key=lambda retry: retry[0])


def serve(phones, seconds, until=lambda: False, tick=lambda: None):
    """Serves all phones until `until()` holds (True) or the time is over (False). `tick()` runs at least every 5 ms."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if until():
            return True
        select.select(phones, [], [], 0.005)
        for phone in phones:
            phone.poll()
        tick()
    return until()


def paced(per_second, total, act):
    """A tick for `serve` that calls `act(i)` for i in 0..total at a steady rate."""
    state = {"next": time.monotonic(), "done": 0}

    def tick():
        while state["done"] < total and time.monotonic() >= state["next"]:
            state["next"] += 1.0 / per_second
            state["done"] += 1
            act(state["done"] - 1)

    return tick


def sdes_key():
    """A fresh key of AES_CM_128_HMAC_SHA1_80 as it stands in a crypto line."""
    return base64.b64encode(os.urandom(30)).decode()


def sdp_of(media, number):
    """An offer or answer for one G.711 stream."""
    lines = ["v=0", f"o=- {number} 1 IN IP4 {media.ip}", "s=-", f"c=IN IP4 {media.ip}", "t=0 0"]
    lines += [f"m=audio {media.port} RTP/{'SAVP' if media.key else 'AVP'} 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20"]
    lines += ["a=sendrecv"]
    if media.key:
        lines.append(f"a=crypto:{media.tag} AES_CM_128_HMAC_SHA1_80 inline:{media.key}")
    return CRLF.join(lines) + CRLF


def media_of(sdp):
    """The audio stream that an SDP body describes, None when there is none."""
    audio = re.search(r"^m=audio (\d+) (\S+)", sdp, re.M)
    address = re.findall(r"^c=IN IP4 ([\d.]+)", sdp, re.M)
    crypto = re.search(r"^a=crypto:(\d+) AES_CM_128_HMAC_SHA1_80 inline:([A-Za-z0-9+/]{40})", sdp, re.M)
    if not audio or not address:
        return None
    media = Media(address[-1], int(audio[1]))
    if crypto and "SAVP" in audio[2]:
        media.tag, media.key = crypto[1], crypto[2]
    return media


def uri_of(contact):
    bracketed = re.search(r"<([^>]+)>", contact)
    return bracketed[1] if bracketed else contact.split(";")[0]


def list_of(values):
    return [one.strip() for value in values or [] for one in value.split(",")]


def new_branch():
    return f"z9hG4bK{random.getrandbits(60):x}"


def _message(lines, body):
    if body:
        lines.append("Content-Type: application/sdp")
    return CRLF.join([*lines, f"Content-Length: {len(body)}"]) + CRLF * 2 + body


def _bound(ip, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((ip, port))
    return s
