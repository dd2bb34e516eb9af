"""The facts that a recomputation collects from events, and where each of them counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from models.rules import DAY_MS
from streams.verify.kept import Milestone

WEEK_MS = 7 * DAY_MS
WEEKS = 104
"""Weeks since the release that have a window; no window by age is longer."""


class When(NamedTuple):
    """What decides where the facts of one event count; `age_ms` is None where no window by age holds them."""

    title_id: str
    time_ms: int
    in_hour: bool
    kids: bool
    age_ms: int | None
    daypart: int


class Fact(NamedTuple):
    """Something that counts, once and for good: `amount` of `kind`."""

    kind: str
    amount: int
    when: When


@dataclass(slots=True)
class Made:
    """What events made: facts to be summed up, milestones to be told, and the stream's own account by counter."""

    facts: list[Fact] = field(default_factory=list)
    milestones: list[Milestone] = field(default_factory=list)
    account: Counter[str] = field(default_factory=Counter)
    curves: dict[str, Counter[int]] = field(default_factory=dict)
    """How many cells were played of each slice of each title, since its length has been what it is."""


def histogram_field(completions: int) -> str:
    """The bucket of households with so many completions."""
    for least, name in ((10, "10_plus"), (5, "5_9"), (3, "3_4"), (2, "2")):
        if completions >= least:
            return f"rewatch_hist_{name}"
    return "rewatch_hist_1"
