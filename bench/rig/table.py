"""The rows of the bench: readings in, medians and ratios out, as a table for people and as JSON."""

import json
import os
import statistics
from collections import defaultdict
from dataclasses import dataclass

from .plan import OURS


@dataclass
class Row:
    """One line of what the bench must show."""

    name: str
    unit: str  # us, ms, KB, percent or per_second
    aim: str  # in words, for the table only
    against: tuple = ()  # rows of ours that this one is compared with, besides the peers


ROWS = [
    Row("relay.rtp_rtp", "us", "0.6 of rtpengine, 1.2 of floor"),
    Row("relay.rtp_rtp.delay.p50", "us", ""),
    Row("relay.rtp_rtp.delay.p99", "us", "1000"),
    Row("relay.srtp_rtp", "us", "0.6 of rtpengine, 1.2 of floor"),
    Row("relay.srtp_rtp.delay.p50", "us", ""),
    Row("relay.srtp_rtp.delay.p99", "us", "1000"),
    Row("relay.srtp_added", "us", "floor's + 0.5"),
    Row("call.udp", "ms", "2.0, 1.5 of kamailio"),
    Row("call.tls", "ms", "1.3 of call.udp", ("call.udp",)),
    Row("call.rate", "per_second", "250"),
    Row("acd.free_to_invite.100.p50", "ms", "2"),
    Row("acd.free_to_invite.100.p99", "ms", "10"),
    Row("acd.free_to_invite.1000.p50", "ms", "2, as for 100", ("acd.free_to_invite.100.p50",)),
    Row("acd.free_to_invite.1000.p99", "ms", "10, as for 100", ("acd.free_to_invite.100.p99",)),
    Row("call.memory", "KB", "40"),
    Row("call.memory.left", "KB", "0"),
    Row("idle.waiting", "percent", "1"),
    Row("start", "ms", "50"),
    Row("center.100", "per_second", "500000"),
    Row("center.1000", "per_second", "200000"),
    Row("center.input.p50", "us", ""),
    Row("center.input.p99", "us", "100"),
    Row("center.input.max", "us", ""),
    *(Row(f"center.growth.agents.{n}", "us", "better than linear") for n in (100, 1000, 10000)),
    *(Row(f"center.growth.waiting.{n}", "us", "better than linear") for n in (1000, 10000, 100000)),
    Row("center.waiting.memory", "KB", "2"),
    Row("center.restart", "ms", "3000"),
    Row("presence.change.p50", "ms", ""),
    Row("presence.change.p99", "ms", "200"),
    Row("presence.notification.p50", "us", ""),
    Row("presence.notification.p99", "us", ""),
    Row("presence.notifications", "per_second", ""),
    Row("search.p50", "ms", ""),
    Row("search.p99", "ms", "100"),
    Row("search.suggest.p99", "ms", "100"),
    Row("search.memory", "KB", ""),
    Row("tenants.start", "ms", ""),
    Row("tenants.memory.start", "KB", ""),
    Row("tenants.memory", "KB", "1048576"),
    Row("api.authorised", "per_second", "2000"),
    Row("api.authorised.p50", "ms", ""),
    Row("api.authorised.p99", "ms", ""),
]


class Results:
    """Readings by row and system, in the order they were taken."""

    def __init__(self, notes):
        self.readings = defaultdict(list)
        self.notes = notes

    def add(self, system, values):
        for row, value in values.items():
            self.readings[row, system].append(value)

    def median(self, row, system=OURS):
        values = self.readings.get((row, system))
        return statistics.median(values) if values else None

    def comparisons(self, row):
        """(what it is compared with, its value), peers first."""
        peers = [
            (system, self.median(row.name, system))
            for name, system in self.readings
            if name == row.name and system != OURS
        ]
        others = [(name, self.median(name)) for name in row.against if self.median(name) is not None]
        return peers + others

    def json_rows(self):
        """One object for each row and each thing it is compared with; "versus" is null where there is none."""
        out = []
        for row in ROWS:
            value = self.median(row.name)
            if value is None:
                continue
            base = {"name": row.name, "value": rounded(value), "unit": row.unit}
            compared = self.comparisons(row)
            for name, other in compared:
                out.append({**base, "versus": {"name": name, "value": rounded(other), "ratio": ratio(value, other)}})
            if not compared:
                out.append({**base, "versus": None})
        return out

    def write_json(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write("[\n" + ",\n".join(json.dumps(row) for row in self.json_rows()) + "\n]\n")

    def text(self):
        """The table: median, lowest and highest reading, aim, and the peers with their ratio."""
        lines = [("name", "median", "unit", "low - high", "aim", "compared with (ratio)")]
        for row in ROWS:
            ours, compared = self.readings.get((row.name, OURS)), self.comparisons(row)
            if not ours and not compared:
                continue
            value = self.median(row.name)
            beside = [
                f"{name} {shown(other)}" + (f" ({ratio(value, other):.2f})" if ours else "") for name, other in compared
            ]
            spread = f"{shown(min(ours))} - {shown(max(ours))}" if ours and len(ours) > 1 else ""
            lines.append((row.name, shown(value), row.unit, spread, row.aim, ", ".join(beside)))
        widths = [max(len(line[i]) for line in lines) for i in range(5)] + [0]
        table = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
        return "\n".join([table, "", *self.notes]) if self.notes else table


def ratio(value, other):
    return round(value / other, 3) if other else None


def rounded(value):
    """Four significant digits: more than the spread between runs."""
    return float(f"{value:.4g}")


def shown(value):
    return "-" if value is None else f"{rounded(value):g}" if abs(value) < 1e5 else f"{value:.0f}"
