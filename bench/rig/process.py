"""Child processes: started, pinned to a core, measured from outside, and ended by their id."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass


class BenchError(Exception):
    """A measurement that could not be made, with the reason in words."""


def cores():
    """(core of the system under test, cores of everything that loads it). The same core for both on a one-core machine."""
    free = sorted(os.sched_getaffinity(0))
    return {free[0]}, set(free[1:]) or {free[0]}


class Child:
    """A running program. Use it as a context manager: it is ended at the end of the block, whatever happens."""

    STOP_SECONDS = 2  # after that it is killed: a server that lets its calls end in peace would wait for them

    def __init__(self, name, command, log, cpus=None, stdout=None, env=None):
        self.name, self.log = name, log
        self._file = open(log, "ab")
        try:
            self.popen = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=stdout or self._file,
                stderr=self._file,
                env=env,
                start_new_session=True,
                preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None,
            )
        except FileNotFoundError:
            raise BenchError(
                f"{command[0]} is not there; scripts/install-packages.sh bench installs the foreign programs"
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def stop(self):
        if self.running():
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(self.STOP_SECONDS)
            except subprocess.TimeoutExpired:
                for pid in tree(self.pid):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                self.popen.wait()
        self._file.close()

    def tail(self, lines=12):
        """The last lines of its log, for an error message."""
        with open(self.log, errors="replace") as f:
            return "".join(f.readlines()[-lines:])

    def need(self, condition, what, seconds=10.0):
        """Waits until `condition()` holds. Raises BenchError with the log's end when it does not, or the program ends."""
        end = time.monotonic() + seconds
        while not condition():
            if not self.running():
                raise BenchError(f"{self.name} ended with code {self.popen.returncode} before {what}:\n{self.tail()}")
            if time.monotonic() > end:
                raise BenchError(f"{self.name}: no {what} within {seconds:.0f} s:\n{self.tail()}")
            time.sleep(0.02)


def tree(pid):
    """A process and all its living descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as f:
                    parent = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, [])
    return found


def cpu_seconds(pid):
    """Processor time, user and system, of a process tree so far: all threads, ended ones too, in nanosecond steps.

    Read from each process's own processor-time clock (clock_getcpuclockid), which the scheduler counts exactly; the
    figures in /proc come in steps of 10 ms.
    """
    total = 0.0
    for one in tree(pid):
        try:
            total += time.clock_gettime((~one << 3) | 2)
        except OSError:
            pass  # it ended meanwhile
    return total


@dataclass
class Footprint:
    """What a process tree holds at one moment."""

    pss_kb: float  # proportional set size: shared pages counted by share
    threads: int
    descriptors: int


def footprint(pid):
    pss_kb, threads, descriptors = 0, 0, 0
    for one in tree(pid):
        try:
            with open(f"/proc/{one}/smaps_rollup") as f:
                pss_kb += next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
            threads += len(os.listdir(f"/proc/{one}/task"))
            descriptors += len(os.listdir(f"/proc/{one}/fd"))
        except (OSError, StopIteration):
            pass
    return Footprint(pss_kb, threads, descriptors)


def host_load():
    """(busy, total) processor ticks of the machine so far: the difference tells what others used meanwhile."""
    with open("/proc/stat") as f:
        ticks = [int(word) for word in f.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)
