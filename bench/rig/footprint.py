"""call.memory, idle.waiting and start: what Tandem holds, what it spends when nothing happens, how fast it is there."""

import itertools
import socket
import time

from . import sipua, systems
from .plan import OURS, Group, Job
from .process import BenchError, Child, cores, cpu_seconds, footprint

SERVER = (systems.SUT, systems.SIP_PORT)
SET_UP_PER_SECOND = 60
START_SECONDS_MAX = 20
TIMERS_SECONDS = 35  # ended transactions are kept for 32 s on UDP (RFC 3261 section 17, 64 times T1)


def groups(bench):
    program = bench.program

    def memory_job(directory):
        held = memory(program, directory, 100, 300)
        bench.note(
            f"call.memory: {held['threads_per_call']:.2f} threads and {held['descriptors_per_call']:.2f} descriptors a call; "
            f"{held['descriptors_left']} descriptors more than at the start stay afterwards."
        )
        return {"call.memory": held["kb_per_call"], "call.memory.left": held["kb_left_per_call"]}

    def idle_job(directory):
        return {"idle.waiting": idle_waiting(program, directory, 1000, 5 if bench.quick else 10)}

    def start_job(directory):
        return {"start": start(program, directory, 1000)}

    return [
        Group(1, [Job(("call.memory", "call.memory.left"), OURS, memory_job), Job(("idle.waiting",), OURS, idle_job)]),
        Group(5, [Job(("start",), OURS, start_job)]),
    ]


def memory(program, directory, first, second):
    """Kilobytes per connected call, from the slope between two numbers of calls in progress; and what stays afterwards.

    Returns {"kb_per_call", "kb_left_per_call", "threads_per_call", "descriptors_per_call", "descriptors_left"}.
    """
    with systems.tandem(program, directory, second + first) as server:
        ports = itertools.count(10000, 2)
        callers, phones = (sipua.Phone(ip, systems.SIP_PORT, ports) for ip in (systems.CALLERS, systems.AGENTS))
        with callers, phones:
            both = [callers, phones]

            def connect(calls):
                made = len(callers.legs)
                dial = sipua.paced(
                    SET_UP_PER_SECOND, calls, lambda i: callers.call(SERVER, systems.NUMBER, f"+1555{made + i:07d}")
                )
                up = lambda: callers.count("up") == made + calls
                if not sipua.serve(both, calls / SET_UP_PER_SECOND + 10, up, dial):
                    raise BenchError(f"only {callers.count('up')} of {made + calls} calls came up:\n{server.tail()}")
                sipua.serve(both, 2)
                return footprint(server.pid)

            at_start = footprint(server.pid)
            at_first, at_second = connect(first), connect(second)
            hang_up = sipua.paced(
                SET_UP_PER_SECOND * 2, len(callers.legs), lambda i: callers.hang_up(list(callers.legs.values())[i])
            )
            sipua.serve(
                both,
                len(callers.legs) / SET_UP_PER_SECOND + 10,
                lambda: callers.count("done") == len(callers.legs),
                hang_up,
            )
            sipua.serve(both, TIMERS_SECONDS)
            after = footprint(server.pid)
    return {
        "kb_per_call": (at_second.pss_kb - at_first.pss_kb) / second,
        "kb_left_per_call": (after.pss_kb - at_start.pss_kb) / (first + second),
        "threads_per_call": (at_second.threads - at_first.threads) / second,
        "descriptors_per_call": (at_second.descriptors - at_first.descriptors) / second,
        "descriptors_left": after.descriptors - at_start.descriptors,
    }


def idle_waiting(program, directory, waiting, seconds):
    """Processor share in percent of a core while so many callers wait without media and nothing else happens."""
    with systems.tandem(program, directory, 1) as server:
        with sipua.Phone(systems.CALLERS) as callers, sipua.Phone(systems.AGENTS) as phones:
            both = [callers, phones]  # the one agent takes the first caller and keeps it
            fill = sipua.paced(
                SET_UP_PER_SECOND * 2, waiting + 1, lambda i: callers.call(SERVER, systems.NUMBER, f"+1555{i:07d}")
            )
            there = lambda: (
                len(callers.legs) == waiting + 1 and phones.count("up") == 1 and not callers.count("calling")
            )
            if not sipua.serve(both, waiting / SET_UP_PER_SECOND + 10, there, fill):
                raise BenchError(
                    f"{callers.count('calling', 'failed')} of {waiting} callers do not wait:\n{server.tail()}"
                )
            sipua.serve(both, 3)
            before, started = cpu_seconds(server.pid), time.monotonic()
            sipua.serve(both, seconds)
            share = (cpu_seconds(server.pid) - before) / (time.monotonic() - started)
            if callers.count("failed", "done"):
                raise BenchError(f"{callers.count('failed', 'done')} callers were thrown out while waiting")
    return 100 * share


def start(program, directory, agents):
    """Milliseconds from the start of the process to the first final answer to OPTIONS, asked every 2 ms."""
    command = systems.tandem_command(program, directory, agents)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((systems.CALLERS, 0))
        probe.settimeout(0.002)
        started = time.monotonic()
        with Child("tandem", command, f"{directory}/tandem.log", cores()[0]) as server:
            while time.monotonic() - started < START_SECONDS_MAX and server.running():
                try:
                    probe.sendto(systems.options_request(*SERVER, probe.getsockname()), SERVER)
                    if probe.recv(65535)[8:11] in (b"200", b"404", b"405", b"403"):
                        return 1000 * (time.monotonic() - started)
                except TimeoutError:
                    pass
            raise BenchError(f"no answer to OPTIONS within {START_SECONDS_MAX} s:\n{server.tail()}")
