"""call.udp, call.tls and call.rate: SIPp calls through the queue to SIPp agents."""

import csv
import os
import subprocess
import time

from . import systems
from .plan import OURS, Group, Job
from .process import BenchError, Child, cores, cpu_seconds

SCENARIOS = f"{systems.REPOSITORY}/tests/sipp"
AGENTS, HOLD_MS, RATE = 200, 5000, 30  # 150 of the 200 agents are busy at a time: nobody waits for one
WARM_UP_CALLS = 10
RATE_AGENTS, RATE_HOLD_MS = 1000, 1000
STATISTICS_SECONDS = 3  # SIPp writes its account once a second
FAILED_MAX = 0.001
# Answered after 2 s or more counts as failed in call.rate: a rate at which calls pile up is not kept up. The columns are
# those of SIPp's repartition in load-caller.xml; "<5000" begins where "<2000" ends.
LATE_COLUMNS = ("ResponseTimeRepartition1_<5000", "ResponseTimeRepartition1_>=5000")
SHORT_OF_RATE = 0.97  # SIPp that offers less than this share of the rate asked has run out of processor itself


def groups(bench):
    calls = 60 if bench.quick else 240
    jobs = []
    for row, tls in (("call.udp", False), ("call.tls", True)):
        ours = lambda directory, tls=tls, row=row: {row: through_tandem(bench.program, directory, tls, calls)}
        peer = lambda directory, tls=tls, row=row: {row: through_kamailio(directory, tls, calls)}
        jobs += [Job((row,), OURS, ours), Job((row,), "kamailio", peer)]

    def rate(directory):
        per_second, why = highest_rate(bench.program, directory, 5 if bench.quick else 8)
        bench.note(f"call.rate: not more because {why}.")
        return {"call.rate": per_second}

    return [Group(bench.rounds, jobs), Group(1, [Job(("call.rate",), OURS, rate)])]


def through_tandem(program, directory, tls, calls):
    """Processor milliseconds per call."""
    with agents(directory), maybe_edge(directory, tls):
        with systems.tandem(program, directory, AGENTS, tls=tls) as server:
            return cost(directory, server, tls, calls)


def through_kamailio(directory, tls, calls):
    with agents(directory), maybe_edge(directory, tls):
        with systems.kamailio_proxy(directory, tls) as proxy:
            return cost(directory, proxy, tls, calls)


def cost(directory, server, tls, calls):
    if tls:
        warm = callers(directory, RATE, WARM_UP_CALLS, 500, tls=tls)  # connections are there before the count begins
        if warm["failed"]:
            raise BenchError(f"calls over TLS fail: {warm}\n{server.tail()}")
    before = cpu_seconds(server.pid)
    done = callers(directory, RATE, calls, HOLD_MS, tls=tls)
    used = cpu_seconds(server.pid) - before
    if done["failed"] > calls * FAILED_MAX:
        raise BenchError(f"{done['failed']} of {calls} calls failed; SIPp's log is {done['errors']}\n{server.tail()}")
    return 1000 * used / calls


def highest_rate(program, directory, seconds, limit=1600):
    """Calls per second that one core serves with at most FAILED_MAX failed or answered late, and why not more.

    The rate is doubled until a run fails, then the gap is halved until it is below a tenth. Each run has a server of its
    own, so that a run that drowned leaves nothing behind.
    """
    good, bad, why = 0, None, "the highest rate tried"
    rate = 125
    while bad is None or bad - good > max(10, good / 10):
        with agents(directory), systems.tandem(program, directory, RATE_AGENTS) as server:
            calls = int(rate * seconds)
            before, started = cpu_seconds(server.pid), time.monotonic()
            done = callers(directory, rate, calls, RATE_HOLD_MS, patience_s=8)
            busy = (cpu_seconds(server.pid) - before) / (time.monotonic() - started)
        lost = done["failed"] + done["late"]
        if done["offered"] < rate * SHORT_OF_RATE:
            bad, why = rate, f"SIPp offered only {done['offered']:.0f} of {rate} a second"
        elif lost > calls * FAILED_MAX:
            bad, why = (
                rate,
                f"at {rate} a second {done['failed']} failed and {done['late']} were late; server busy {busy:.0%}",
            )
        else:
            good = rate
            if good >= limit:
                break
        rate = min(limit, good * 2) if bad is None else (good + bad) // 2
    return good, why


def agents(directory):
    """SIPp as all the agents."""
    command = sipp("load-agent.xml", systems.AGENTS) + ["-aa", "-rtcheck", "loose"]
    command += ["-trace_stat", "-stf", _agents_statistics(directory), "-fd", "1"]
    child = Child("agents", command, f"{directory}/agents.log", cores()[1])
    time.sleep(0.3)
    if not child.running():
        child.stop()
        raise BenchError(f"SIPp as agents ended at once:\n{child.tail()}")
    return child


def maybe_edge(directory, tls):
    return systems.kamailio_edge(directory) if tls else _Nothing()


def callers(directory, rate, calls, hold_ms, tls=False, patience_s=35):
    """Runs SIPp as the callers. Calls that are not over `patience_s` after the last should be have failed, and so have
    calls that no agent answered before the caller hung up.

    Returns {"failed", "late", "offered" (calls a second), "errors" (path of SIPp's log)}.
    """
    served_before = _succeeded(_agents_statistics(directory))
    first_hop = systems.EDGE_CALLERS if tls else systems.SUT
    bound_s = calls / rate + hold_ms / 1000 + patience_s
    statistics, errors = f"{directory}/callers.csv", f"{directory}/callers.errors"
    for path in (statistics, errors):
        if os.path.exists(path):
            os.remove(path)
    command = sipp("load-caller.xml", systems.CALLERS)
    command += [
        "-s",
        systems.NUMBER,
        "-r",
        rate,
        "-m",
        calls,
        "-l",
        calls,
        "-d",
        hold_ms,
        "-timeout",
        f"{int(bound_s)}s",
    ]
    command += ["-trace_stat", "-stf", statistics, "-fd", "1", "-trace_err", "-error_file", errors]
    command += ["-default_behaviors", "all,-abortunexp", f"{first_hop}:{systems.SIP_PORT}"]
    with Child("callers", command, f"{directory}/callers.log", cores()[1]) as child:
        try:
            child.popen.wait(bound_s + 10)
        except subprocess.TimeoutExpired:
            raise BenchError(f"SIPp did not end within {bound_s + 10:.0f} s")
        if child.popen.returncode not in (0, 1) or not os.path.exists(statistics):
            raise BenchError(f"SIPp ended with code {child.popen.returncode}:\n{child.tail()}")
    end = time.monotonic() + STATISTICS_SECONDS
    while (served := _succeeded(_agents_statistics(directory)) - served_before) < calls and time.monotonic() < end:
        time.sleep(0.1)
    rows = _rows(statistics)
    return {
        "failed": calls - min(served, _succeeded(statistics)),
        "late": sum(int(rows[-1][column]) for column in LATE_COLUMNS),
        "offered": _offered(rows, calls),
        "errors": errors,
    }


def sipp(scenario, ip):
    command = ["sipp", "-sf", f"{SCENARIOS}/{scenario}", "-i", ip, "-p", systems.SIP_PORT, "-bind_local", "-t", "u1"]
    command += ["-mi", ip, "-mp", 6000, "-ci", ip, "-nostdin", "-timer_resol", "1", "-skip_rlimit"]
    return command


def _agents_statistics(directory):
    return f"{directory}/agents.csv"


def _succeeded(statistics):
    rows = _rows(statistics)
    return int(rows[-1]["SuccessfulCall(C)"]) if rows else 0


def _rows(statistics):
    """SIPp's statistics, a row a second; the last one may be half written yet."""
    try:
        with open(statistics) as f:
            return [row for row in csv.DictReader(f, delimiter=";") if row.get("CallLengthStDev(C)")]
    except FileNotFoundError:
        return []


def _offered(rows, calls):
    """Calls a second that SIPp began, up to the last of its rows (one a second) before it had begun all of them."""
    started = float(rows[0]["StartTime"].split()[-1])
    begun = [(float(row["CurrentTime"].split()[-1]) - started, int(row["TotalCallCreated"])) for row in rows]
    during = [(seconds, n) for seconds, n in begun if 0 < n < calls and seconds > 0.5]
    seconds, n = during[-1] if during else begun[-1]
    return n / seconds


class _Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass
