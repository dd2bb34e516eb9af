"""A number on a page: a short text, and the exact value behind it.

The short texts are those of the terminal (`streams.display.numbers`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from models.hash_fields import SECONDS
from streams.display import measures, numbers

State = Literal["shown", "rebuilding", "unknown"]
"""`unknown`: nothing of it was ever published. `rebuilding`: its numbers are too small yet, and not shown."""


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A number. `text` is shown, `exact` on hover; `share` (0 to 1) is the length of its bar or its cell's shade."""

    text: str
    exact: str = ""
    share: float = 0.0


class Named(msgspec.Struct, frozen=True):
    """A number and its name. `beside`: further text."""

    name: str
    value: Figure
    beside: str = ""


def count(value: float | None, of: float = 0) -> Figure:
    """A count. `of`: the whole that its share refers to."""
    return Figure(numbers.count(value), exact(value), share(value, of))


def viewing(seconds: float | None, of: float = 0) -> Figure:
    """Watched time."""
    return Figure(numbers.viewing(seconds), "" if seconds is None else f"{seconds:,.3f} s", share(seconds, of))


def rate(value: float | None) -> Figure:
    """A share in percent; it is its own share."""
    return Figure(numbers.rate(value), exact(value), share(value, 1))


def factor(value: float | None) -> Figure:
    """A multiple."""
    return Figure(numbers.factor(value), exact(value))


def days(value: float | None) -> Figure:
    """A length of time in days."""
    return Figure(numbers.days(value), exact(value))


def of_metric(metric: str, value: float | None, of: float = 0) -> Figure:
    """The value of a title's field."""
    if measures.KINDS[metric] == SECONDS:
        return viewing(value, of)
    return Figure(measures.shown(metric, value), exact(value), share(value, of))


def metric_words(metric: str) -> str:
    """A metric's name for people."""
    return {"watched_s": "watched time"}.get(metric, metric.replace("_", " "))


def exact(value: float | None) -> str:
    """Every digit that is published: six decimals at most."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6f}".rstrip("0").rstrip(".")


def share(value: float | None, of: float) -> float:
    """A part of a whole, 0 to 1, rounded to thousandths; 0 if the whole is 0."""
    return round(min(1.0, max(0.0, value / of)), 3) if value and of else 0.0


def moment(as_of_ms: int) -> str:
    """The stream time to the second, UTC; empty: no event was read yet."""
    return datetime.fromtimestamp(as_of_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if as_of_ms else ""


def age(seconds: float) -> str:
    """How long ago, in the unit that suits it."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} s"
