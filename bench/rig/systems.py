"""The systems under test and the foreign parts, and where each of them listens.

Every part has a loopback address of its own, so that ports need no negotiation and one part cannot answer for another.
"""

import functools
import os
import shutil
import socket
import subprocess
import time

from .process import BenchError, Child, cores

SUT = "127.20.0.1"  # Tandem, or the peer in its place
CALLERS = "127.20.0.2"
AGENTS = "127.20.0.3"
EDGE_CALLERS = "127.20.0.4"  # the TLS edge in front of the callers
EDGE_AGENTS = "127.20.0.5"  # the TLS edge in front of the agents
MICROSOFT = "127.20.0.6"  # the simulated Microsoft 365 tenant, as far as it needs an address of its own
SIP_PORT, TLS_PORT, NG_PORT, HTTP_PORT = 5060, 5061, 2223, 8080
NUMBER = "+15550123"  # what callers dial: it leads to the queue
MEDIA_PORTS = (20000, 39999)  # of the system under test
ROOT_KEY = "root-key-of-the-bench-0123456789abcdef"  # Tandem on loopback, for the time of a reading

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.path.join(REPOSITORY, "target", "bench")


def tandem(program, directory, agents, tls=False, srtp=False):
    """`tandem serve` with a queue of `agents` agents and nothing else running."""
    child = Child(
        "tandem", tandem_command(program, directory, agents, tls, srtp), f"{directory}/tandem.log", cores()[0]
    )
    return _ready(child, lambda: _accepts(SUT, TLS_PORT), "a TLS port") if tls else _started(child)


def tandem_command(program, directory, agents, tls=False, srtp=False):
    """Writes a configuration beside a fresh journal, and returns how to start the server with it."""
    shutil.rmtree(f"{directory}/data", ignore_errors=True)
    config = f"{directory}/tandem.toml"
    with open(config, "w") as f:
        f.write(tandem_config(agents, tls, srtp))
    with open(f"{directory}/root.key", "w") as f:
        os.fchmod(f.fileno(), 0o600)
        f.write(ROOT_KEY)
    return [program, "serve", "--config", config]


def tandem_config(agents, tls, srtp):
    """Callers dial NUMBER and wait without music in the one queue. Agents a0000, a0001, ... have no wrap-up.

    `tls`: callers and agents are behind the TLS edge, certificates are checked both ways. `srtp`: SRTP is required on the
    agents' side.
    """
    if tls:
        interface = f"""transport = "tls"
bind = "{SUT}:{TLS_PORT}"
certificates = [{{ certificate = "{certificates()}/sut.pem", key = "{certificates()}/sut.key" }}]
trust = "{certificates()}/ca.pem"
"""
        names, callers_at, agents_at = 'peer_names = ["edge.bench.example"]', EDGE_CALLERS, f"{EDGE_AGENTS}:{TLS_PORT}"
    else:
        interface = f"""transport = "udp"
bind = "{SUT}:{SIP_PORT}"
"""
        names, callers_at, agents_at = "", CALLERS, f"{AGENTS}:{SIP_PORT}"
    text = f"""
data = "data"
[http]
listen = "{SUT}:{HTTP_PORT}"
token_file = "root.key"
[log]
level = "warn"
[limits]
calls = 20000

[[interfaces]]
name = "sip"
{interface}
[[media]]
name = "sound"
bind = "{SUT}"
ports = [{MEDIA_PORTS[0]}, {MEDIA_PORTS[1]}]

[[trunks]]
name = "callers"
profile = "carrier"
interface = "sip"
media = "sound"
peers = ["{callers_at}"]
{names}
[[trunks]]
name = "agents"
profile = "carrier"
interface = "sip"
media = "sound"
peers = ["{agents_at.split(":")[0]}"]
{names}
srtp = "{"required" if srtp else "forbidden"}"

[[queues]]
id = "bench"
name = "Bench"
wrap_up_s = 0
ring_timeout_s = 30
max_waiting = 10000

[[numbers]]
dialled = "{NUMBER}"
flow = "bench"
[flows.bench]
start = "wait"
steps.wait = {{ enqueue = "bench" }}
"""
    for number in range(agents):
        text += f"""
[[agents]]
id = "a{number:04d}"
name = "Agent {number}"
ring = {{ line = "agents", sip = "sip:a{number:04d}@{agents_at}" }}
queues = ["bench"]
starts = "available"
"""
    return text


def kamailio_proxy(directory, tls=False):
    """Kamailio as a bare stateful proxy in the place of Tandem."""
    next_hop = f"sip:{EDGE_AGENTS}:{TLS_PORT};transport=tls" if tls else f"sip:{AGENTS}:{SIP_PORT}"
    words = {"PROXY": SUT, "NEXT_HOP": next_hop, "TLS_DIR": certificates()}
    return _kamailio("kamailio", f"{REPOSITORY}/bench/kamailio/proxy.cfg", directory, words, cores()[0])


def kamailio_edge(directory):
    """The TLS edge between SIPp and the system under test. Its processor time is never measured."""
    words = {
        "FACE_C": EDGE_CALLERS,
        "FACE_A": EDGE_AGENTS,
        "PHONES_C": f"sip:{CALLERS}:{SIP_PORT}",
        "PHONES_A": f"sip:{AGENTS}:{SIP_PORT}",
        "TANDEM": f"sip:{SUT}:{TLS_PORT};transport=tls",
        "TLS_DIR": certificates(),
    }
    return _kamailio("edge", f"{REPOSITORY}/tests/kamailio/edge.cfg", directory, words, cores()[1], EDGE_CALLERS)


def rtpengine(directory):
    """rtpengine without its kernel module, everything else as Debian packages it."""
    command = ["rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--delete-delay=0"]
    command += [f"--interface={SUT}", f"--listen-ng={SUT}:{NG_PORT}"]
    command += [f"--port-min={MEDIA_PORTS[0]}", f"--port-max={MEDIA_PORTS[1]}"]
    child = Child("rtpengine", command, f"{directory}/rtpengine.log", cores()[0])
    return _ready(child, lambda: _udp_answers(SUT, NG_PORT, b"bench d7:command4:pinge"), "an answer to ping")


def floor_relay(directory, calls, seconds):
    """The floor: `calls` is the text of its input file, see tools/floor_relay.c."""
    path = f"{directory}/floor.calls"
    with open(path, "w") as f:
        f.write(calls)
    first = int(calls.split()[1])
    child = Child("floor", [f"{TARGET}/floor_relay", path, int(seconds)], f"{directory}/floor.log", cores()[0])
    return _ready(child, lambda: _bound(SUT, first), "its sockets")


def options_answered(ip, port=SIP_PORT, from_ip="127.0.0.1"):
    """Whether one OPTIONS to ip:port brings any final answer but 503 within 100 ms."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((from_ip, 0))
        s.settimeout(0.1)
        try:
            s.sendto(options_request(ip, port, s.getsockname()), (ip, port))
            status = s.recv(65535).split(b" ")[1]
        except (OSError, IndexError):
            return False
    return not status.startswith(b"1") and status != b"503"


def options_request(ip, port, own):
    n = time.monotonic_ns()
    return (
        f"OPTIONS sip:{ip}:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {own[0]}:{own[1]};rport;branch=z9hG4bK{n:x}\r\n"
        f"From: <sip:probe@{own[0]}>;tag={n:x}\r\nTo: <sip:{ip}>\r\nCall-ID: {n:x}@{own[0]}\r\nCSeq: 1 OPTIONS\r\n"
        f"Contact: <sip:probe@{own[0]}:{own[1]}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


@functools.cache
def certificates():
    """A folder with a fresh ca.pem, and sut and edge each as NAME.pem and NAME.key, valid for their addresses and names."""
    directory = f"{TARGET}/tls"
    sut = f"sut=DNS:sut.bench.example,IP:{SUT}"
    edge = f"edge=DNS:edge.bench.example,IP:{EDGE_CALLERS},IP:{EDGE_AGENTS}"
    done = subprocess.run(
        [f"{REPOSITORY}/scripts/certificates.sh", directory, sut, edge], capture_output=True, text=True
    )
    if done.returncode:
        raise BenchError(f"scripts/certificates.sh failed: {done.stderr}")
    return directory


def _kamailio(name, config, directory, words, cpus, ip=SUT):
    own = f"{directory}/{name}"
    os.makedirs(own, exist_ok=True)
    command = ["kamailio", "-DD", "-E", "-m", "256", "-M", "16", "-f", config, "-Y", own, "-w", own, "-P", f"{own}/pid"]
    command += [f"--substdef=!{word}!{value}!g" for word, value in words.items()]
    return _started(Child(name, command, f"{directory}/{name}.log", cpus), ip)


def _started(child, ip=SUT):
    return _ready(child, lambda: options_answered(ip, from_ip=CALLERS), "an answer to OPTIONS")


def _ready(child, condition, what):
    try:
        child.need(condition, what)
    except BaseException:
        child.stop()
        raise
    return child


def _udp_answers(ip, port, request):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.1)
        try:
            s.sendto(request, (ip, port))
            return bool(s.recv(65535))
        except OSError:
            return False


def _accepts(ip, port):
    try:
        socket.create_connection((ip, port), timeout=0.1).close()
    except OSError:
        return False
    return True


def _bound(ip, port):
    """Whether someone has ip:port already."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind((ip, port))
        except OSError:
            return True
    return False
