"""When people are told that counters are not those of now."""

from __future__ import annotations

import pytest

from streams.display.freshness import not_current
from streams.reader import Status

NOW_MS = 1_795_400_000_000


def status(**fields: int) -> Status:
    return Status(as_of_ms=NOW_MS, version=1, complete=True, **{"checkpointed_ms": NOW_MS, "events": 10_000, **fields})


@pytest.mark.parametrize("lag", [0, 99, 100])
def test_a_hundredth_of_what_was_counted_may_wait(lag: int) -> None:
    assert not_current(status(lag=lag), NOW_MS) == ""


def test_where_more_waits_workers_are_catching_up() -> None:
    said = "workers are catching up: 101 records are not counted yet; `encore lag --wait` waits for them"
    assert not_current(status(lag=101), NOW_MS) == said


@pytest.mark.parametrize(
    ("silent_s", "said"), [(60, ""), (61, "1 min"), (7_199, "120 min"), (7_200, "2 h"), (172_800, "2 days")]
)
def test_workers_that_are_silent_for_more_than_a_minute_are_told_of(silent_s: int, said: str) -> None:
    told = not_current(status(checkpointed_ms=NOW_MS - silent_s * 1000), NOW_MS)

    assert told == (f"no worker has reported for {said}: what was sent since then is not counted" if said else "")


def test_a_recount_is_told_before_all_else() -> None:
    found = not_current(status(rebuilding=2, lag=10_000, checkpointed_ms=1), NOW_MS)

    assert found == "the counters are being recounted: these are the former ones"


def test_where_nothing_was_ever_published_nothing_is_told() -> None:
    assert not_current(None, NOW_MS) == not_current(status(checkpointed_ms=0), NOW_MS) == ""
