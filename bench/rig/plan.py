"""What is measured: jobs, in groups that take turns."""

from collections.abc import Callable
from dataclasses import dataclass

OURS = "tandem"


@dataclass
class Job:
    """One reading of one system: `take(directory)` returns {row name: value}."""

    rows: tuple
    system: str
    take: Callable

    @property
    def name(self):
        return f"{self.rows[0]} of {self.system}"


@dataclass
class Group:
    """Jobs that are run in turn, round after round, so that whatever else the machine does meets all of them alike."""

    rounds: int
    jobs: list


@dataclass
class Bench:
    """What every group is made from: the program under test, and whether to be quick at the cost of precision."""

    program: str
    quick: bool
    rounds: int
    notes: list

    def note(self, text):
        """A line below the table: what belongs to a row and is no number of its unit."""
        self.notes.append(text)
