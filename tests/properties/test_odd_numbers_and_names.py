"""Both readings of a record that names a field twice, or states a rate that no player has."""

from __future__ import annotations

import pytest

from models.events import BadEvent
from models.reading import read_event
from streams.verify import records

BASE = (
    '{"event_id": "e", "event_type": "start", "event_time_ms": 1, "household_id": "h", "title_id": "t",'
    ' "play_session_id": "s", "position_ms": 0'
)


def both(more: str) -> tuple[object, object] | None:
    """The rate as each reading takes it; None: both refuse the record."""
    value = f"{BASE}, {more}}}".encode()
    try:
        ours: object = read_event(b"h", value).playback_rate
    except BadEvent:
        with pytest.raises(records.UnreadableRecord):
            records.read_event(b"h", value)
        return None
    return ours, records.read_event(b"h", value)["playback_rate"]


@pytest.mark.parametrize("rate", [2**64 - 1, 2**64, 2**64 + 1, -1, -(2**64)])
def test_a_rate_may_be_any_finite_number(rate: int) -> None:
    assert both(f'"playback_rate": {rate}') == (float(rate), rate)


@pytest.mark.parametrize(
    ("first", "last", "taken"),
    [("1.5", "2.5", (2.5, 2.5)), ('"x"', "2.5", None), ("1.5", '"x"', None), ("1e400", "1", None)],
)
def test_a_name_that_stands_twice_is_judged_at_each_place_and_the_last_value_holds(
    first: str, last: str, taken: tuple[float, float] | None
) -> None:
    assert both(f'"playback_rate": {first}, "playback_rate": {last}') == taken
