"""The page of the pipeline: how the workers are doing, and what became of the records.

Owns the page's plain values for JSON, and the rate at which records arrive. The time is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

from streams.dashboard.chart import Chart, ChartSeries
from streams.dashboard.figure import Figure, Named, State, age, count, moment, viewing
from streams.reader import Status

_LEAST_RATES = 2


class PipelinePage(msgspec.Struct, frozen=True):
    """The health of the pipeline. `refused`: what was not credited, by reason. `pace`: the records a second of
    late."""

    state: State
    as_of: str = ""
    behind: str = ""
    summary: str = ""
    health: tuple[Named, ...] = ()
    records: tuple[Named, ...] = ()
    refused: tuple[Named, ...] = ()
    pace: Chart | None = None


class RecordRate:
    """The rate of records over the last `over_s` seconds, from their number at several times."""

    def __init__(self, over_s: float = 10.0, kept: int = 60) -> None:
        self._over_s = over_s
        self._looks: deque[tuple[float, int]] = deque()
        self._rates: deque[tuple[float, float]] = deque(maxlen=kept)

    def note(self, now_s: float, records: int) -> None:
        """Note how many records had been judged at a time. Starts again if there are fewer, or after a long pause."""
        if self._looks and (records < self._looks[-1][1] or now_s - self._looks[-1][0] > self._over_s):
            self._looks.clear()
            self._rates.clear()
        if self._looks and now_s > self._looks[-1][0]:
            then_s, then = self._looks[-1]
            self._rates.append((now_s, round((records - then) / (now_s - then_s), 1)))
        self._looks.append((now_s, records))
        while now_s - self._looks[0][0] > self._over_s and len(self._looks) > 2:
            self._looks.popleft()

    @property
    def per_s(self) -> float | None:
        """The recent rate in records per second; None: there is only one observation yet."""
        if len(self._looks) < 2:
            return None
        (then_s, then), (now_s, now) = self._looks[0], self._looks[-1]
        return (now - then) / (now_s - then_s) if now_s > then_s else None

    @property
    def rates(self) -> tuple[tuple[float, float], ...]:
        """How many seconds before the last observation, and the rate between that one and the one before."""
        return tuple((self._rates[-1][0] - then_s, rate) for then_s, rate in self._rates)


def records_of(status: Status) -> int:
    """All records that were read and judged, whatever became of them."""
    return status.events + status.dead_letters + status.late_events


def pipeline_page(status: Status | None, pace: RecordRate, now_ms: int) -> PipelinePage:
    """The page of the pipeline at `now_ms` (Unix ms)."""
    if status is None:
        return PipelinePage("unknown")
    if not status.complete:
        return PipelinePage("rebuilding", moment(status.as_of_ms))
    per_s = count(pace.per_s)
    behind = age(max(0.0, (now_ms - status.as_of_ms) / 1000)) if status.as_of_ms else ""
    waits = f"{status.lag:,} waiting" if status.lag else "nothing waits"
    speed = f"{per_s.text} events/s" if pace.per_s is not None else ""
    return PipelinePage(
        state="shown",
        as_of=moment(status.as_of_ms),
        behind=behind,
        summary=" · ".join(filter(None, (speed, waits))),
        health=_health(status, per_s, behind, now_ms),
        records=_records(status),
        refused=_refused(status),
        pace=_pace_chart(pace.rates),
    )


def _pace_chart(rates: Sequence[tuple[float, float]]) -> Chart | None:
    if len(rates) < _LEAST_RATES:
        return None
    values = tuple(rate for _, rate in rates)
    return Chart(
        title="Records a second of late",
        form="bars",
        unit="records a second",
        across="until now",
        places=tuple(f"{seconds:.0f} s before" if seconds else "now" for seconds, _ in rates),
        ticks=((0, f"−{rates[0][0]:.0f} s"), (len(rates) - 1, "now")),
        series=(ChartSeries("records a second", values, tuple(f"{value:,.0f}" for value in values)),),
    )


def _health(status: Status, per_s: Figure, behind: str, now_ms: int) -> tuple[Named, ...]:
    since_s = max(0.0, (now_ms - status.checkpointed_ms) / 1000)
    return (
        Named("records waiting", count(status.lag), "behind the source's end"),
        Named("read up to", Figure(f"{behind} ago" if behind else "–"), "stream time of the partition furthest behind"),
        Named(
            "last checkpoint",
            Figure(f"{age(since_s)} ago" if status.checkpointed_ms else "–"),
            "of all that was read, in the partition where that is longest ago",
        ),
        Named("records a second", per_s, "of the last ten seconds"),
        Named("partitions ready", count(status.partitions_ready), "whose worker reported within 15 s"),
        Named("partitions recounted", count(status.rebuilding), "still, after a rebuild was asked for"),
    )


def _records(status: Status) -> tuple[Named, ...]:
    whole = records_of(status)
    return (
        Named("events", count(status.events, whole), "good records, of whatever kind"),
        Named("dead letters", count(status.dead_letters, whole), "records that could not be read"),
        Named("late events", count(status.late_events, whole), "too old to be counted; kept apart"),
        Named("late for their hour", count(status.late_hour_events, whole), "of the events: counted, but in no hour"),
        Named("unknown time zone", count(status.unknown_zone_events, whole), "of the events: UTC was taken"),
        Named("misrouted", count(status.misrouted_events, whole), "of the events: not where murmur2 of the key says"),
    )


def _refused(status: Status) -> tuple[Named, ...]:
    return (
        Named("too fast", viewing(status.refused_fast_s), "Positions moved further than the time allows."),
        Named("too long apart", viewing(status.refused_long_s), "Hours passed without an event."),
        Named("not played throughout", viewing(status.refused_gap_s), "Less was played than the time between events."),
        Named("backward", count(status.refused_back), "Intervals that ended before they began, and no loop."),
        Named("stale events", count(status.stale_events), "They were older than what their session had applied."),
        Named("player restarts", count(status.player_restarts), "Players began to number their events anew."),
    )
