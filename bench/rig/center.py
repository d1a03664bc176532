"""center.*: the decisions alone, without network and disk, measured by the crate's own program."""

import json
import subprocess

from . import systems
from .plan import OURS, Group, Job
from .process import BenchError

COMMAND = ["cargo", "run", "--quiet", "--release", "--package", "tandem-center", "--example", "bench"]
SECONDS_MAX = 300  # with the build
GROWTH = tuple(f"center.growth.agents.{n}" for n in (100, 1000, 10000)) + tuple(
    f"center.growth.waiting.{n}" for n in (1000, 10000, 100000)
)
FIGURES = (
    "center.100",
    "center.1000",
    "center.input.p50",
    "center.input.p99",
    "center.input.max",
    "center.waiting.memory",
    "center.restart",
)


def groups(bench):
    figures = {}

    def taken(system):
        # One run gives the figures of both: the second job reads what the first has measured.
        if not figures:
            figures.update(measured())
        return figures[system]

    return [
        Group(
            1,
            [
                Job(FIGURES + GROWTH, OURS, lambda directory: taken(OURS)),
                Job(GROWTH, "scan", lambda directory: taken("scan")),
            ],
        )
    ]


def measured():
    """{system: {row name: value}}, from one line of JSON a row: {"system", "name", "value", "unit"}."""
    try:
        done = subprocess.run(COMMAND, cwd=systems.REPOSITORY, capture_output=True, text=True, timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{' '.join(COMMAND)} took more than {SECONDS_MAX} s")
    if done.returncode:
        raise BenchError(f"{' '.join(COMMAND)} failed:\n{done.stderr[-2000:]}")
    found = {OURS: {}, "scan": {}}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            found[row["system"]][row["name"]] = row["value"]
    return found
