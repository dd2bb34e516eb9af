"""What the metrics say, the page that documents them, and that no worker's are another's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from models.fold import Fold
from models.fold_changes import FoldChanges
from models.rules import Rules
from streams.observability import partition_metrics
from streams.observability.metrics import Checkpoint, Metrics
from streams.observability.metrics_page import page
from streams.observability.partition_metrics import Pulse

ROOT = Path(__file__).parents[3]


class Clock:
    """In place of `time`: seconds since 1970 and since any moment, the same here."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def time(self) -> float:
        return self.now_s

    monotonic = time


class Record(NamedTuple):
    timestamp: int


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(partition_metrics, "time", clock)
    return clock


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"encore_{name}", labels)


def test_the_metrics_page_is_the_one_made_from_the_metrics() -> None:
    assert (ROOT / "docs/metrics.md").read_text() == page(), (
        "python -m streams.observability.metrics_page > docs/metrics.md"
    )


def test_every_name_has_its_unit_and_counters_end_in_total() -> None:
    names = re.findall(r"^\| `(encore_\w+)` \| (\w+)", page(), re.MULTILINE)
    units = "records|events|seconds|letters|keys|rows|bytes|transactions|shares|intervals"
    units += "|files|sessions|rebuilds|rebalances|restores|restarts|renewals|partitions|requests|verdicts|clients|pages"
    odd = [
        name for name, kind in names
        if not re.fullmatch(rf"encore_\w*({units}){'_total' if kind == 'counter' else ''}", name)
    ]  # fmt: skip
    assert odd == [], "names end in a unit that is listed here, and those of counters in _total"
    assert len(names) == len(set(names)) > 15


def test_a_checkpoint_counts_what_it_took_in_by_partition() -> None:
    metrics = Metrics()
    metrics.note_checkpoint(Checkpoint(3, 0.2, 10, 7, 90_500, [5, 2, 1, 4, 0, 0]))
    metrics.note_checkpoint(Checkpoint(3, 0.2, 1, 1, 0, [1, 0, 0, 0, 0, 0]))
    metrics.note_checkpoint(Checkpoint(1, 0.2, 1, 1, 0, [1, 0, 0, 0, 0, 0]))
    found = {
        name: value(metrics, name, partition="3")
        for name in ("consumed_records_total", "events_total", "credited_seconds_total", "dead_letters_total")
    }
    assert found == {
        "consumed_records_total": 11, "events_total": 6, "credited_seconds_total": 90.5, "dead_letters_total": 2,
    }  # fmt: skip
    late = [value(metrics, "late_events_total", partition="3", reason=reason) for reason in ("grace", "hour")]
    assert (late, value(metrics, "changelog_records_total"), value(metrics, "checkpoint_seconds_count")) == (
        [1, 4],
        9,
        3,
    )


def test_a_checkpoint_counts_what_was_refused_by_partition_and_reason() -> None:
    metrics = Metrics()
    metrics.note_checkpoint(Checkpoint(3, 0.2, 9, 1, 0, [9, 0, 0, 0, 0, 0, 2, 1, 7_000, 5_500, 3_000, 4]))
    metrics.note_checkpoint(Checkpoint(3, 0.2, 1, 1, 0, [1, 0, 0, 0, 0, 0, 1, 0, 500, 0, 0, 1]))
    metrics.note_checkpoint(Checkpoint(1, 0.2, 1, 1, 0, [1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]))
    refused = {
        reason: value(metrics, "refused_seconds_total", partition="3", reason=reason)
        for reason in ("long", "fast", "gap")
    }
    assert refused == {"long": 7.5, "fast": 5.5, "gap": 3.0}
    assert value(metrics, "refused_intervals_total", partition="3", reason="back") == 5
    assert value(metrics, "stale_events_total", partition="3") == 3
    assert value(metrics, "player_restarts_total", partition="3") == 1


def test_a_partition_that_went_away_is_told_of_no_more_and_its_counts_stay() -> None:
    metrics = Metrics()
    metrics.lag_records.labels("3").set(5)
    metrics.consumed_records.labels("3").inc(5)
    metrics.forget(3)
    metrics.forget(4)
    assert value(metrics, "lag_records", partition="3") is None
    assert value(metrics, "consumed_records_total", partition="3") == 5


# -- a partition's pulse ------------------------------------------------------------------------------------------


def committed(pulse: Pulse, sizes: tuple[int, ...] = ()) -> None:
    rows = [("film", str(number), b"x" * size) for number, size in enumerate(sizes)]
    pulse.note_committed(pulse.cut(), FoldChanges(rows, {}, [], [], []), 1, 1)


def test_a_record_waits_from_its_reading_to_the_commit(clock: Clock) -> None:
    pulse = Pulse(0, Fold(Rules()), Metrics())
    assert pulse.checkpoint_age_s == 0
    pulse.note_read([Record(999_000)])
    clock.now_s += 2
    pulse.note_read([Record(1_001_000)])
    assert pulse.checkpoint_age_s == 2
    cut = pulse.cut()
    clock.now_s += 3
    pulse.note_read([Record(1_004_000)])
    assert (pulse.checkpoint_age_s, cut.oldest_ms) == (5, 999_000)
    pulse.note_committed(cut, FoldChanges([], {}, [], [], []), 2, 1)
    clock.now_s += 1
    assert pulse.checkpoint_age_s == 1
    committed(pulse)
    assert pulse.checkpoint_age_s == 0


def test_events_of_another_partition_are_told_of_and_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    fold, metrics = Fold(Rules()), Metrics()
    pulse = Pulse(3, fold, metrics)
    committed(pulse)
    pulse.measure(0)
    assert (value(metrics, "misrouted_events", partition="3"), caplog.messages) == (0, [])
    fold.stream.misrouted_events = 11
    for _ in range(2):
        committed(pulse)
    pulse.measure(0)
    assert value(metrics, "misrouted_events", partition="3") == 11
    assert [text[:36] for text in caplog.messages] == ["partition 3 has counted 11 events of"]


@pytest.mark.parametrize(("lag", "behind_s"), [(0, 0), (1, 7)])
def test_a_partition_is_behind_by_the_age_of_its_last_record_where_others_wait(
    lag: int, behind_s: float, clock: Clock
) -> None:
    metrics = Metrics()
    pulse = Pulse(2, Fold(Rules()), metrics)
    pulse.note_read([Record(990_000), Record(993_000)])
    pulse.measure(lag)
    assert value(metrics, "lag_seconds", partition="2") == behind_s
    assert value(metrics, "lag_records", partition="2") == lag


def test_rows_are_counted_and_their_bytes_are_those_of_the_last_written(clock: Clock) -> None:
    metrics, fold = Metrics(), Fold(Rules())
    fold.title("film").rows.update({"a": b"", "b": b""})
    fold.title("other").rows["a"] = b""
    pulse = Pulse(0, fold, metrics)
    pulse.measure(0)
    assert (value(metrics, "state_rows", partition="0"), value(metrics, "state_bytes", partition="0")) == (3, 0)
    committed(pulse, sizes=(10, 20))
    committed(pulse)
    pulse.measure(0)
    assert value(metrics, "state_bytes", partition="0") == 45


def test_what_was_counted_before_a_restore_is_not_counted_again(clock: Clock) -> None:
    metrics, fold = Metrics(), Fold(Rules())
    pulse = Pulse(0, fold, metrics)
    fold.stream.events = 1_000
    pulse.begin()
    fold.stream.events += 2
    committed(pulse)
    committed(pulse)
    assert value(metrics, "events_total", partition="0") == 2
