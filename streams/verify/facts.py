"""The facts that a recomputation collects from events, and where each of them counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from models.rules import DAY_MS
from streams.verify.kept import Milestone

WEEK_MS = 7 * DAY_MS
WEEKS = 104
"""How many weeks since the release have a window. No window by age goes further."""


class When(NamedTuple):
    """Decides where the facts of one event count. `age_ms` is None if no window by age contains them."""

    title_id: str
    time_ms: int
    in_hour: bool
    kids: bool
    age_ms: int | None
    daypart: int


class Fact(NamedTuple):
    """A fact: `amount` is added to the counter `kind`, and stays there."""

    kind: str
    amount: int
    when: When


@dataclass(slots=True)
class Made:
    """What events made: facts to sum up, milestones to publish, and counts of records by counter."""

    facts: list[Fact] = field(default_factory=list)
    milestones: list[Milestone] = field(default_factory=list)
    account: Counter[str] = field(default_factory=Counter)
    curves: dict[str, Counter[int]] = field(default_factory=dict)
    """By title, how many cells of each slice were played, since its length last changed."""


def histogram_field(completions: int) -> str:
    """The rewatch histogram's field for a household with this many completions, 1 or more."""
    for least, name in ((10, "10_plus"), (5, "5_9"), (3, "3_4"), (2, "2")):
        if completions >= least:
            return f"rewatch_hist_{name}"
    return "rewatch_hist_1"
