"""Titles by the UTC day, from one day to another, and a title's last hours.

Owns which days are asked for, and the charts' data; `static/chart.js` draws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from streams.api.bounds import MOST_DAYS
from streams.dashboard.chart import Chart, Form, series, unit_of
from streams.dashboard.figure import metric_words
from streams.reader import Day, Hour

DAYS = 91
"""How many days are shown where none are asked for."""

HOURS = 72
"""How many hours of completions are shown. The last one is still in progress."""

FIRST_DAY = date(1970, 1, 1)
"""No day before it is counted."""

_ONE_DAY = timedelta(days=1)


class ShownDays(msgspec.Struct, frozen=True):
    """From which UTC day to which. `chosen`: the first one was asked for, and is shown although nothing happened."""

    first: date
    last: date
    chosen: bool = False


def days_asked(as_of_ms: int, first: date | None, last: date | None) -> ShownDays:
    """The days to show: by default the last 91 until the counters' own time."""
    newest = datetime.fromtimestamp(as_of_ms / 1000, UTC).date()
    if first is None:
        end = last or newest
        return ShownDays(max(FIRST_DAY, end - (DAYS - 1) * _ONE_DAY), end)
    return ShownDays(first, last or min(max(newest, first), first + (MOST_DAYS - 1) * _ONE_DAY), chosen=True)


def days_chart(
    found: Mapping[str, Sequence[Day] | None],
    names: Mapping[str, str],
    measure: str,
    days: ShownDays,
    as_of_ms: int,
    form: Form = "lines",
) -> Chart | None:
    """A measure of each title (by id; None: its days are not known) on each day; None: there is nothing."""
    values = {id_: {day.date: getattr(day, measure) for day in of or ()} for id_, of in found.items()}
    some = [day for of in values.values() for day, value in of.items() if value]
    if not some:
        return None
    first = days.first if days.chosen else min(some)
    dates = [first + number * _ONE_DAY for number in range((days.last - first).days + 1)]
    unit = unit_of(measure, (value for of in values.values() for value in of.values()))
    so_far = days.last >= datetime.fromtimestamp(as_of_ms / 1000, UTC).date()
    left_out = "" if days.chosen or first == days.first else f"Nothing was counted from {days.first} until {first}."
    return Chart(
        title=f"{metric_words(measure).capitalize()} of each day",
        form=form,
        unit=unit.name,
        across="UTC days",
        places=tuple(f"{day:%a} {day}{', so far' if so_far and day == dates[-1] else ''}" for day in dates),
        ticks=_day_ticks(dates),
        series=tuple(
            series(names[id_], measure, [None if found[id_] is None else of.get(day, 0) for day in dates], unit)
            for id_, of in values.items()
        ),
        so_far=so_far,
        left_out=left_out,
    )


def _day_ticks(dates: Sequence[date]) -> tuple[tuple[float, str], ...]:
    """Mondays; of many days the firsts of months. The year is told with January, and at the beginning."""
    is_long = len(dates) > 2 * DAYS
    found = [(place, day) for place, day in enumerate(dates) if (day.day == 1 if is_long else day.weekday() == 0)]
    return tuple((place, _day_tick(day, is_long)) for place, day in found or list(enumerate(dates)))


def _day_tick(day: date, is_long: bool) -> str:
    if not is_long:
        return f"{day:%b} {day.day}"
    return f"{day:%b} {day.year}" if day.month == 1 else f"{day:%b}"


def hours_span(as_of_ms: int) -> tuple[datetime, datetime]:
    """The first and the last hour to show for a title whose counters are as of this time."""
    as_of = datetime.fromtimestamp(max(as_of_ms / 1000, HOURS * 3_600), UTC)
    last = as_of.replace(minute=0, second=0, microsecond=0)
    return last - timedelta(hours=HOURS - 1), last


def hours_chart(hours: Iterable[Hour], as_of_ms: int) -> Chart | None:
    """The completions of each of the last hours; None: there are none."""
    found = {hour.start: hour.completions for hour in hours}
    first, last = hours_span(as_of_ms)
    starts = [first + timedelta(hours=number) for number in range(HOURS)]
    values = [found.get(start, 0) for start in starts]
    if not any(values):
        return None
    return Chart(
        title="Completions of each hour",
        form="bars",
        unit="completions",
        across="UTC hours",
        places=tuple(f"{start:%a %Y-%m-%d %H}:00 UTC{', so far' if start == last else ''}" for start in starts),
        ticks=tuple((place, f"{start:%b} {start.day}") for place, start in enumerate(starts) if start.hour == 0),
        series=(series("completions", "completions", values, unit_of("completions", values)),),
        so_far=True,
    )
