"""The kinds of windows, by the second reading: each declared once.

Owns which facts a window takes, what it is called in keys, and how long it is kept. It shares no code with `models` but
units of time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from models.rules import DAY_MS, HOUR_MS
from streams.verify.audience import AUDIENCE, FIRST_WEEK_MS, named_week_ms, week_name
from streams.verify.facts import WEEK_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

HOURS, DAYS, AGES = "hour", "day", "age"
"""The kinds of windows that have a retention setting of their own."""


class WindowRule(NamedTuple):
    """A kind of window, or one window by age.

    `takes` is an SQL condition on facts: those that count. `number` is an SQL expression: the window's number. Keys
    have `word`, then what `name` makes of the number. `kept` names the retention setting. Retention counts from the
    window's start, which `start_ms` reads from its name; None: from the release.
    """

    word: str
    takes: str
    number: str
    name: Callable[[int], str]
    kept: str
    start_ms: Callable[[str], int] | None = None


_OF_AUDIENCE = f"kind IN {AUDIENCE}"
_OF_TITLES = f"kind NOT IN {AUDIENCE}"


def _name(pattern: str, unit_ms: int) -> Callable[[int], str]:
    return lambda number: (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number * unit_ms)).strftime(
        pattern
    )


def _start_ms(pattern: str) -> Callable[[str], int]:
    return lambda name: round(datetime.strptime(name, pattern).replace(tzinfo=UTC).timestamp()) * 1000


def _age(name: str, span_ms: int) -> WindowRule:
    return WindowRule("age", f"age < {span_ms} AND {_OF_TITLES}", "0", lambda _: name, AGES)


_HOUR_NAME, _DAY_NAME = "%Y%m%dT%H", "%Y%m%d"

WINDOWS = [
    WindowRule("hour", f"in_hour AND {_OF_TITLES}", "hour", _name(_HOUR_NAME, HOUR_MS), HOURS, _start_ms(_HOUR_NAME)),
    WindowRule("day", _OF_TITLES, "hour // 24", _name(_DAY_NAME, DAY_MS), DAYS, _start_ms(_DAY_NAME)),
    _age("opening", 72 * HOUR_MS),
    *(_age(f"{days}d", days * DAY_MS) for days in (7, 28, 91)),
    WindowRule("week", f"age IS NOT NULL AND {_OF_TITLES}", f"age // {WEEK_MS} + 1", str, AGES),
]
AUDIENCE_WINDOW = WindowRule(
    "audience",
    _OF_AUDIENCE,
    f"(hour - {FIRST_WEEK_MS // HOUR_MS}) // {WEEK_MS // HOUR_MS}",
    week_name,
    DAYS,
    named_week_ms,
)

BY_WORD = {window.word: window for window in (*WINDOWS, AUDIENCE_WINDOW)}
"""By word: how long windows are kept, and from when on. Windows by age share one word; any of them stands for all."""
