"""center.100 and center.1000: the decisions alone, without network and disk, measured by the crate's own program."""

import json
import subprocess

from . import systems
from .plan import OURS, Group, Job
from .process import BenchError

COMMAND = ["cargo", "run", "--quiet", "--release", "--package", "tandem-center", "--example", "bench"]
SECONDS_MAX = 300  # with the build


def groups(bench):
    return [Group(1, [Job(("center.100", "center.1000"), OURS, lambda directory: inputs_per_second())])]


def inputs_per_second():
    """{row name: inputs per second}, one line of JSON a row: {"name", "value", "unit"}."""
    try:
        done = subprocess.run(COMMAND, cwd=systems.REPOSITORY, capture_output=True, text=True, timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{' '.join(COMMAND)} took more than {SECONDS_MAX} s")
    if done.returncode:
        raise BenchError(f"{' '.join(COMMAND)} failed:\n{done.stderr[-2000:]}")
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if any(row["unit"] != "per_second" for row in rows):
        raise BenchError(f"rows in another unit than per_second: {rows}")
    return {row["name"]: row["value"] for row in rows}
