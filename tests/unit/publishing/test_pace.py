"""Pauses between rounds: as set, longer while Redis is away, a rebuild is waited for, or a backlog is worked off."""

from __future__ import annotations

import pytest

from streams.config.settings import Settings
from streams.publishing.pace import Pace

FAR = 50_001


def paced(lag: int = 0) -> Pace:
    return Pace(Settings(publish_s=0.1, chart_publish_s=2.0), lambda: lag)


def test_a_pause_is_as_set_whatever_the_round_took() -> None:
    assert [paced().pause_s(took_s, False) for took_s in (0.0, 3.0)] == [0.1, 0.1]


def test_while_redis_is_away_each_pause_is_twice_the_one_before_up_to_five_seconds() -> None:
    pace, pauses = paced(), []
    for _ in range(7):
        pace.note_away()
        pauses.append(pace.pause_s(0.0, False))
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    pace.note_round()
    assert pace.pause_s(0.0, False) == 0.1


def test_who_is_held_back_asks_twice_a_second() -> None:
    pace = paced()
    assert pace.pause_s(0.0, True) == 0.5
    pace.note_round()
    assert pace.pause_s(0.0, False) == 0.1


@pytest.mark.parametrize(("took_s", "pause_s"), [(0.0, 1.0), (0.5, 2.0), (2.0, 5.0)])
def test_far_behind_a_pause_is_four_times_the_round_between_one_and_five_seconds(took_s: float, pause_s: float) -> None:
    assert paced(FAR).pause_s(took_s, False) == pause_s


@pytest.mark.parametrize(("lag", "pause_s"), [(FAR - 1, 2.0), (FAR, 10.0)])
def test_charts_wait_five_times_as_long_far_behind(lag: int, pause_s: float) -> None:
    assert paced(lag).charts_pause_s == pause_s


@pytest.mark.parametrize(("keys", "bound"), [(1_499, 3_000), (1_500, 3_750), (1_501, 3_752)])
def test_a_round_is_bounded_by_what_a_round_that_was_large_enough_wrote_in_a_quarter_of_a_second(
    keys: int, bound: int
) -> None:
    pace = paced()
    pace.note_written(keys, 0.1)
    assert pace.round_keys == bound


@pytest.mark.parametrize(("took_s", "bound"), [(0.2, 5_000), (0.25, 5_000), (0.4, 3_125), (0.5, 3_000), (5, 3_000)])
def test_a_round_takes_at_least_three_thousand_hashes_and_no_more_than_may_be_written(
    took_s: float, bound: int
) -> None:
    pace = paced()
    pace.note_written(5_000, took_s)
    assert pace.round_keys == bound


@pytest.mark.parametrize(("lag", "bound"), [(FAR - 1, 3_000), (FAR, 12_000)])
def test_far_behind_a_round_takes_four_times_as_many_hashes(lag: int, bound: int) -> None:
    pace = paced(lag)
    pace.note_written(6_000, 0.5)
    assert pace.round_keys == bound


@pytest.mark.parametrize(("took_s", "pause_s"), [(0.05, 0.1), (0.1, 0.1), (0.2, 0.2)])
def test_far_behind_a_round_that_left_something_is_followed_after_as_long_as_it_took(
    took_s: float, pause_s: float
) -> None:
    assert paced(FAR).pause_s(took_s, False, is_part=True) == pause_s


def test_a_bound_at_its_least_grows_again_although_rounds_write_a_little_less() -> None:
    pace = paced()
    pace.note_written(3_000, 4.0)
    assert pace.round_keys == 3_000
    pace.note_written(2_900, 0.1)
    assert pace.round_keys == 5_000
