"""relay.rtp_rtp and relay.srtp_rtp: processor time and delay per relayed G.711 packet.

The load is the same for all: rtpload plays both ends of 100 calls. What differs is how the relay learns of the calls:
Tandem through SIP calls into the queue, rtpengine through its ng protocol, the floor from a file.
"""

import itertools
import json
import os
import select
import subprocess

from . import sipua, systems
from .plan import OURS, Group, Job
from .process import BenchError, Child, cores, cpu_seconds
from .sipua import Media

CALLS = 100
SET_UP_PER_SECOND = 50
WARMUP_SECONDS = 1
LOSS_MAX = 0.001  # a relay that loses more did not do the work that is compared
DIRECT = "relay.direct.delay"


def groups(bench):
    seconds = 3 if bench.quick else 6
    jobs = [Job((DIRECT,), "nothing", lambda directory: {DIRECT: through_nothing(directory, seconds)})]
    for row, srtp in (("relay.rtp_rtp", False), ("relay.srtp_rtp", True)):
        ours = lambda directory, srtp, seconds: through_tandem(bench.program, directory, srtp, seconds)
        others = {"rtpengine": through_rtpengine, "floor": through_floor}
        for system, take in {OURS: ours, **others}.items():
            jobs.append(_job(row, system, take, srtp, seconds))
    return [Group(bench.rounds, jobs)]


def derive(results):
    """Delays become delays added, and what SRTP adds to each relay becomes a row."""
    direct_us = results.median(DIRECT, "nothing") or 0.0
    for (row, _), readings in results.readings.items():
        if ".delay.p" in row:
            readings[:] = [reading - direct_us for reading in readings]
    for system in (OURS, "rtpengine", "floor"):
        plain, srtp = (results.median(row, system) for row in ("relay.rtp_rtp", "relay.srtp_rtp"))
        if plain is not None and srtp is not None:
            results.add(system, {"relay.srtp_added": srtp - plain})


def _job(row, system, take, srtp, seconds):
    def reading(directory):
        measured = take(directory, srtp, seconds)
        return {
            row: measured["us_per_packet"],
            f"{row}.delay.p50": measured["delay_p50_us"],
            f"{row}.delay.p99": measured["delay_p99_us"],
        }

    return Job((row, f"{row}.delay.p50", f"{row}.delay.p99"), system, reading)


def through_tandem(program, directory, srtp, seconds):
    with systems.tandem(program, directory, CALLS, srtp=srtp) as server:
        ports = itertools.count(10000, 2)
        callers, agents = (sipua.Phone(ip, systems.SIP_PORT, ports) for ip in (systems.CALLERS, systems.AGENTS))
        with callers, agents:
            both = [callers, agents]
            dial = sipua.paced(
                SET_UP_PER_SECOND,
                CALLS,
                lambda i: callers.call((systems.SUT, systems.SIP_PORT), systems.NUMBER, f"+1555{i:07d}"),
            )
            up = lambda: callers.count("up") == CALLS and agents.count("up") == CALLS
            if not sipua.serve(both, CALLS / SET_UP_PER_SECOND + 10, up, dial):
                codes = sorted({leg.code for leg in callers.legs.values() if leg.state == "failed"})
                raise BenchError(
                    f"only {callers.count('up')} of {CALLS} calls came up (refused with {codes}):\n{server.tail()}"
                )
            sipua.serve(both, 0.5)
            ends = [leg for phone in both for leg in phone.legs.values()]
            if srtp and not all(leg.far.key for leg in agents.legs.values()):
                raise BenchError("the agents' side was not offered SRTP")
            result = load(
                directory, [(leg.media, leg.far) for leg in ends], server, seconds, lambda: sipua.serve(both, 0.02)
            )
            for leg in list(callers.legs.values()):
                callers.hang_up(leg)
            sipua.serve(both, 5, lambda: callers.count("done") == CALLS and agents.count("done") == CALLS)
            return result


def through_rtpengine(directory, srtp, seconds):
    with systems.rtpengine(directory) as engine:
        ports = itertools.count(10000, 2)
        with Ng(systems.SUT, systems.NG_PORT) as ng:
            legs = [leg for i in range(CALLS) for leg in ng.call(i, next(ports), next(ports), srtp)]
            return load(directory, legs, engine, seconds)


def through_floor(directory, srtp, seconds):
    ports, relay_ports = itertools.count(10000, 2), itertools.count(systems.MEDIA_PORTS[0], 2)
    legs, calls = [], []
    for _ in range(CALLS):
        a, b = Media(systems.CALLERS, next(ports)), Media(systems.AGENTS, next(ports))
        far_a, far_b = Media(systems.SUT, next(relay_ports)), Media(systems.SUT, next(relay_ports))
        if srtp:
            b.key, far_b.key = sipua.sdes_key(), sipua.sdes_key()
        legs += [(a, far_a), (b, far_b)]
        calls.append(
            f"{far_a.ip} {far_a.port} {far_b.port} {a.ip} {a.port} {b.ip} {b.port} {b.key or '-'} {far_b.key or '-'}\n"
        )
    with systems.floor_relay(directory, "".join(calls), seconds + WARMUP_SECONDS + 5) as floor:
        return load(directory, legs, floor, seconds)


def through_nothing(directory, seconds):
    """The ends' own delay: each end sends straight to the other. What a relay adds is counted above this."""
    ports = itertools.count(10000, 2)
    pairs = [(Media(systems.CALLERS, next(ports)), Media(systems.AGENTS, next(ports))) for _ in range(CALLS)]
    return load(directory, [leg for a, b in pairs for leg in ((a, b), (b, a))], None, seconds)["delay_p50_us"]


def load(directory, legs, relay, seconds, serve=lambda: None):
    """Sends audio over `legs`, pairs of (own end, far end), for so many seconds after a warm-up.

    Returns {"us_per_packet", "delay_p50_us", "delay_p99_us"}. `serve` is called now and then, to keep the calls alive.
    """
    path = f"{directory}/legs"
    with open(path, "w") as f:
        for own, far in legs:
            f.write(
                f"{own.ip} {own.port} {far.ip} {far.port} {own.key or '-'} {(far.key if own.key else None) or '-'}\n"
            )
    command = [f"{systems.TARGET}/rtpload", path, seconds, WARMUP_SECONDS]
    cpu, result = [], None
    with Child("rtpload", command, f"{directory}/rtpload.log", cores()[1], stdout=subprocess.PIPE) as generator:
        out = generator.popen.stdout
        while True:
            if not select.select([out], [], [], 0.05)[0]:
                serve()
                continue
            line = out.readline().decode()
            if line.startswith("MARK"):
                cpu.append(cpu_seconds(relay.pid) if relay else 0.0)
            elif line.startswith("{"):
                result = json.loads(line)
            elif not line:
                break
        out.close()
    if not result:
        raise BenchError(f"rtpload gave no result:\n{generator.tail()}")
    if result["silent_legs"] or result["sent"] - result["received"] > result["sent"] * LOSS_MAX:
        raise BenchError(f"packets were lost: {json.dumps(result)}")
    return {
        "us_per_packet": 1e6 * (cpu[1] - cpu[0]) / result["received"],
        "delay_p50_us": result["delay_us"]["p50"],
        "delay_p99_us": result["delay_us"]["p99"],
    }


class Ng:
    """rtpengine's control protocol: bencoded dictionaries over UDP, each behind a cookie."""

    def __init__(self, ip, port):
        self.socket = sipua.socket.socket(sipua.socket.AF_INET, sipua.socket.SOCK_DGRAM)
        self.socket.settimeout(3)
        self.socket.connect((ip, port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def call(self, number, port_a, port_b, srtp):
        """Sets up one call with plain RTP on side A. Returns its two legs."""
        a, b = Media(systems.CALLERS, port_a), Media(systems.AGENTS, port_b)
        profile = "RTP/SAVP" if srtp else "RTP/AVP"
        common = {
            "call-id": f"bench{number}",
            "from-tag": f"a{number}",
            "ICE": "remove",
            "rtcp-mux": ["demux"],
            "DTLS": "off",
        }
        common["replace"] = ["origin", "session-connection"]
        offer = {**common, "command": "offer", "sdp": sipua.sdp_of(a, 1), "transport-protocol": profile}
        far_b = sipua.media_of(self.ask(offer)["sdp"].decode())
        if srtp:
            b.key, b.tag = sipua.sdes_key(), far_b.tag
        answer = {**common, "command": "answer", "to-tag": f"b{number}", "sdp": sipua.sdp_of(b, 1)}
        far_a = sipua.media_of(self.ask(answer)["sdp"].decode())
        return [(a, far_a), (b, far_b)]

    def ask(self, command):
        cookie = os.urandom(6).hex().encode()
        self.socket.send(cookie + b" " + bencode(command))
        answer = bdecode(self.socket.recv(65535).split(b" ", 1)[1])[0]
        if answer["result"] != b"ok":
            raise BenchError(f"rtpengine refused {command['command']}: {answer}")
        return answer


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(k) + bencode(v) for k, v in sorted(value.items())) + b"e"


def bdecode(data, at=0):
    """(value, position after it)."""
    kind = data[at : at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1 : end]), end + 1
    if kind in (b"l", b"d"):
        items, at = [], at + 1
        while data[at : at + 1] != b"e":
            item, at = bdecode(data, at)
            items.append(item)
        if kind == b"l":
            return items, at + 1
        return {items[i].decode(): items[i + 1] for i in range(0, len(items), 2)}, at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1 : end], end
