"""What of an interval is credited, and what is refused."""

from __future__ import annotations

import pytest
from playing import Household, household

from models.session import rate_thousandths

# -- credited viewing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("advanced_s", "credited_s"), [(35.599, 35.599), (35.6, 35.6), (35.601, 0)])
def test_an_interval_is_credited_up_to_two_percent_and_five_seconds_more_than_its_time(
    advanced_s: float, credited_s: float
) -> None:
    assert household().tells("start", 0).waits(30).tells("heartbeat", advanced_s).watched_s == credited_s


@pytest.mark.parametrize(("silence_s", "credited_s"), [(1799.999, 600), (1800, 600), (1800.001, 0), (0, 0), (-1, 0)])
def test_what_was_not_played_all_the_while_is_credited_over_half_an_hour_at_most(
    silence_s: float, credited_s: float
) -> None:
    viewing = household().tells("start", 0, seq=1).waits(silence_s).tells("heartbeat", 600, seq=2)
    assert viewing.watched_s == credited_s


@pytest.mark.parametrize(("silence_s", "credited_s"), [(14_399.999, 14_399.999), (14_400, 14_400), (14_400.001, 0)])
def test_no_interval_longer_than_four_hours_is_credited(silence_s: float, credited_s: float) -> None:
    viewing = household().tells("start", 0).waits(silence_s).tells("heartbeat", silence_s)
    assert viewing.watched_s == credited_s


@pytest.mark.parametrize(("position_s", "credited_s"), [(99.999, 0), (100, 0), (100.001, 0.001)])
def test_going_back_or_staying_credits_nothing(position_s: float, credited_s: float) -> None:
    assert household().tells("start", 100).waits(30).tells("heartbeat", position_s).credited_s == credited_s


def test_the_allowance_is_a_bucket_that_playing_refills_and_that_never_holds_more_than_five_seconds() -> None:
    viewing = household().tells("start", 0)
    left = [viewing.allowance_s]
    for elapsed_s, advanced_s in ((10, 15), (10, 10), (10, 10.4), (100, 100), (1000, 0), (0, 5), (0, 0.001)):
        viewing.waits(elapsed_s).tells("heartbeat", viewing.position + advanced_s)
        left.append(round(viewing.allowance_s, 3))
    # The last one is more than is left: it credits nothing and takes nothing.
    assert left == [5, 0.2, 0.4, 0.2, 2.2, 5, 0, 0]
    assert viewing.credits_s[-2:] == [5, 0]


@pytest.mark.parametrize("silence_s", [14_400.001, -1])
def test_an_interval_that_is_too_long_or_runs_backwards_leaves_the_allowance(silence_s: float) -> None:
    viewing = household().tells("start", 0, seq=1).waits(10).tells("heartbeat", 14, seq=2)
    before = viewing.allowance_s
    viewing.waits(silence_s).tells("heartbeat", 20, seq=3)
    assert viewing.allowance_s == before == 1.2


def test_no_time_at_all_may_still_take_from_the_allowance() -> None:
    viewing = household().tells("start", 0).tells("heartbeat", 4).tells("heartbeat", 5).tells("heartbeat", 5.001)
    assert viewing.credits_s == [0, 4, 1, 0]


def test_products_are_computed_in_integers_and_rounded_down() -> None:
    # 49 ms at ordinary speed give 49.98 ms, so 49.
    for advanced_s, credited_s in ((0.049, 0.049), (0.05, 0)):
        viewing = household().tells("start", 0).tells("heartbeat", 5).waits(0.049)
        assert viewing.tells("heartbeat", 5 + advanced_s).credits_s[-1] == credited_s


def test_the_rate_that_counts_is_the_one_held_before_the_closing_event() -> None:
    viewing = household().tells("start", 0).waits(100).tells("rate", 100, playback_rate=2.0)
    viewing.waits(100).tells("heartbeat", 300)
    viewing.waits(100).tells("rate", 500, playback_rate=1.0)
    viewing.waits(100).tells("heartbeat", 700)
    assert viewing.credits_s == [0, 100, 200, 200, 0]


def test_a_rate_stays_until_another_is_told() -> None:
    viewing = household().tells("start", 0, playback_rate=1.5)
    for position in (30, 60, 90):
        viewing.waits(20).tells("heartbeat", position)
    assert viewing.credits_s == [0, 30, 30, 30]


@pytest.mark.parametrize(
    ("rate", "thousandths"),
    [
        (1.0, 1000), (1.25, 1250), (0.0, 100), (-1.0, 100), (0.0999, 100), (0.1, 100), (0.101, 101),
        (3.999, 3999), (4.0, 4000), (4.001, 4000), (1e300, 4000), (5e-324, 100),
        (1.0005, 1000), (1.0015, 1002), (1.0025, 1002), (2.0005, 2000), (1.00050000001, 1001), (0.1005, 100),
    ],
)  # fmt: skip
def test_a_rate_is_the_thousandths_of_its_shortest_decimal_text_half_to_even(rate: float, thousandths: int) -> None:
    assert rate_thousandths(rate) == thousandths


def test_what_is_credited_is_not_clipped_to_the_titles_length() -> None:
    assert household(film_s=100).plays(0, 130).watched_s == 130


# -- intervals longer than half an hour -----------------------------------------------------------------------

KINDS = ("start", "play", "heartbeat", "pause", "seek", "rate", "buffer", "stop", "end")
LONG_FILM_S = 20_000


@pytest.mark.parametrize(
    ("rate", "advanced_s", "credited"),
    [
        (1.0, 3_234.999, False), (1.0, 3_235, True), (1.0, 3_235.001, True),
        (1.0, 3_676.999, True), (1.0, 3_677, True), (1.0, 3_677.001, False),
        (1.5, 4_854.999, False), (1.5, 4_855, True), (1.5, 4_855.001, True),
    ],
)  # fmt: skip
def test_an_hour_must_be_played_for_nine_tenths_of_it_but_for_five_seconds(
    rate: float, advanced_s: float, credited: bool
) -> None:
    viewing = household().tells("start", 0, playback_rate=rate).waits(3_600).tells("heartbeat", advanced_s)
    assert viewing.credited_s == advanced_s * credited


def test_the_nine_tenths_are_rounded_down() -> None:
    # 0.9 × 1,800,001 ms are 1,620,000.9.
    for advanced_s, credited_s in ((1_614.999, 0), (1_615, 1_615)):
        viewing = household().tells("start", 0).waits(1_800.001).tells("heartbeat", advanced_s)
        assert viewing.credited_s == credited_s


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("elapsed_s", [1_799.999, 1_800, 1_800.001])
def test_a_start_or_play_does_not_tell_that_more_than_half_an_hour_was_played(kind: str, elapsed_s: float) -> None:
    viewing = household().tells("start", 0).waits(elapsed_s)
    viewing.tells(kind, elapsed_s, seek_from_ms=round(elapsed_s * 1000))
    assert viewing.credited_s == (0 if kind in ("start", "play") and elapsed_s > 1_800 else elapsed_s)


def test_a_long_interval_that_is_refused_refills_the_allowance() -> None:
    viewing = household().tells("start", 0).waits(10).tells("heartbeat", 14)
    assert viewing.allowance_s == 1.2
    assert viewing.waits(3_600).tells("heartbeat", 20).allowance_s == 5


# -- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("elapsed_s", "advanced_s", "kind", "counted"),
    [
        # More than four hours: whatever else there is to say.
        (14_400, 14_000, "heartbeat", {}), (14_400.001, 14_000, "heartbeat", {"refused_long_ms": 14_000_000}),
        (14_400.001, 0.001, "play", {"refused_long_ms": 1}),
        (14_400.001, 50_000, "start", {"refused_long_ms": 50_000_000}), (14_400.001, 0, "heartbeat", {}),
        # Too fast.
        (30, 35.6, "heartbeat", {}), (30, 35.601, "heartbeat", {"refused_fast_ms": 35_601}),
        (0, 5, "stop", {}), (0, 5.001, "stop", {"refused_fast_ms": 5_001}),
        (3_600, 3_677.001, "play", {"refused_fast_ms": 3_677_001}),
        # Not played throughout.
        (1_800, 0.001, "heartbeat", {}), (1_800.001, 0.001, "heartbeat", {"refused_gap_ms": 1}),
        (3_600, 3_234.999, "heartbeat", {"refused_gap_ms": 3_234_999}), (3_600, 3_235, "heartbeat", {}),
        (3_600, 3_600, "play", {"refused_gap_ms": 3_600_000}), (14_400, 1, "play", {"refused_gap_ms": 1_000}),
        # Back, and neither that nor on.
        (30, -0.001, "heartbeat", {"refused_back": 1}), (0, -1, "heartbeat", {"refused_back": 1}),
        (14_400.001, -1, "heartbeat", {"refused_back": 1}), (3_600, -1, "start", {"refused_back": 1}),
        (30, 0, "heartbeat", {}), (3_600, 0, "heartbeat", {}),
        # A clock that runs backwards.
        (-0.001, 1, "heartbeat", {}), (-0.001, -1, "heartbeat", {}),
    ],
)  # fmt: skip
def test_each_interval_that_is_refused_counts_once_by_its_reason(
    elapsed_s: float, advanced_s: float, kind: str, counted: dict[str, int]
) -> None:
    # No position is a beginning, and the film's end is far.
    viewing = household(LONG_FILM_S * 10).tells("start", 100, seq=1).waits(elapsed_s)
    assert viewing.tells(kind, 100 + advanced_s, seq=2).counted == counted


def test_a_seek_is_refused_by_where_it_came_from_and_not_at_all_where_it_does_not_say() -> None:
    viewing = household().tells("start", 100).waits(30).tells("seek", 0, seek_from_ms=130_000)
    assert viewing.counted == {}
    assert viewing.waits(30).tells("seek", 500).counted == {}
    assert viewing.waits(30).tells("seek", 500, seek_from_ms=499_999).counted == {"refused_back": 1}
    assert viewing.waits(30).tells("seek", 500, seek_from_ms=540_000).counted == {
        "refused_back": 1, "refused_fast_ms": 40_000,
    }  # fmt: skip


def test_nothing_is_refused_of_a_still_session_nor_by_an_event_that_is_not_applied() -> None:
    viewing = household().tells("pause", 100, event_id="a", seq=1).waits(30).tells("pause", 900, event_id="b", seq=2)
    viewing.tells("play", 0, event_id="c", seq=3).waits(30).tells("play", 500, event_id="c", seq=3)
    assert (viewing.credited_s, viewing.counted) == (0, {})


# -- a speed that nobody states -------------------------------------------------------------------------------


def at_speeds(*thousandths: int, viewing: Household | None = None, kind: str = "heartbeat") -> Household:
    """Intervals of a hundred seconds at these speeds, of which no event tells."""
    if viewing is None:
        viewing = household(LONG_FILM_S).tells("start", 0)
    for speed in thousandths:
        viewing.waits(100).tells(kind, viewing.position + speed / 10)
    return viewing


def rate_of(viewing: Household) -> int | None:
    return viewing.row.sessions["sitting-1"].rate_thousandths


def test_a_steady_speed_is_found_and_loses_two_intervals() -> None:
    viewing = at_speeds(1250, 1250, 1250, 1250)
    assert (viewing.credits_s, rate_of(viewing)) == ([0, 0, 0, 125, 125], 1250)
    assert viewing.counted == {"refused_fast_ms": 250_000}


def test_single_skips_credit_nothing_and_steady_ones_look_like_a_speed() -> None:
    # A skip of ten seconds in every thirty that are played.
    viewing = household().tells("start", 0)
    for advanced_s in (30, 40, 30, 40, 30, 40, 40, 40):
        viewing.waits(30).tells("heartbeat", viewing.position + advanced_s)
    assert viewing.credits_s == [0, 30, 0, 30, 0, 30, 0, 0, 40]


@pytest.mark.parametrize(("speed", "found"), [(2_099, True), (2_100, True), (2_101, False), (5_000, False)])
def test_no_speed_above_two_and_a_tenth_is_found(speed: int, found: bool) -> None:
    assert rate_of(at_speeds(speed, speed, speed)) == (speed if found else None)


@pytest.mark.parametrize(
    ("speeds", "found"),
    [
        ((1500, 1500, 1469), False), ((1500, 1500, 1470), True), ((1500, 1500, 1471), True),
        ((1500, 1500, 1529), True), ((1500, 1500, 1530), True), ((1500, 1500, 1531), False),
        ((1470, 1500, 1500), False), ((1471, 1500, 1500), True), ((1500, 1470, 1500), False),
        ((1500, 1471, 1500), True), ((1530, 1500, 1500), True), ((1531, 1500, 1500), False),
        ((1500, 1531, 1500), False), ((1500, 1500), False), ((1000, 1500, 1500), False),
    ],
)  # fmt: skip
def test_a_speed_is_found_within_two_percent_of_both_before_it(speeds: tuple[int, ...], found: bool) -> None:
    assert rate_of(at_speeds(*speeds)) == (speeds[-1] if found else None)


@pytest.mark.parametrize(
    ("elapsed_s", "advanced_s", "found"),
    [
        (4.999, 0.5, True), (5, 0.5, False), (5.001, 0.5, False),
        (14_399.999, 1, False), (14_400, 1, False), (14_400.001, 1, True),
        (3_600, 1, False), (100, 0, True), (100, -1, True), (100, 0.001, False), (-1, 1, True),
    ],
)  # fmt: skip
def test_other_intervals_leave_the_speeds_that_are_remembered(elapsed_s: float, advanced_s: float, found: bool) -> None:
    viewing = household(LONG_FILM_S).tells("start", 0, seq=1).waits(100).tells("heartbeat", 150, seq=2)
    viewing.waits(100).tells("heartbeat", 300, seq=3)
    viewing.waits(elapsed_s).tells("heartbeat", 300 + advanced_s, seq=4)
    viewing.waits(100).tells("heartbeat", 450 + advanced_s, seq=5)
    assert rate_of(viewing) == (1500 if found else None)


def test_a_loop_leaves_them_whether_it_is_credited_or_not() -> None:
    for lands_at, back in ((50, 0), (90, 1)):
        viewing = at_speeds(1500, 1500, viewing=household(LONG_FILM_S).tells("start", 19_650))
        viewing.waits(100).tells("heartbeat", lands_at)
        assert viewing.counted.get("refused_back", 0) == back
        assert rate_of(at_speeds(1500, viewing=viewing)) == 1500


def test_what_a_still_session_passes_is_not_remembered() -> None:
    viewing = at_speeds(1500, 1500).tells("pause").waits(100).tells("play", 5_000)
    assert rate_of(at_speeds(1500, viewing=viewing)) == 1500


def test_an_interval_that_a_seek_closed_is_remembered_and_one_that_it_does_not_tell_of_is_not() -> None:
    viewing = at_speeds(1500).waits(100).tells("seek", 1_000, seek_from_ms=300_000)
    viewing.waits(100).tells("seek", 2_000).waits(100).tells("seek", 0, seek_from_ms=2_150_000)
    assert (rate_of(viewing), viewing.credits_s) == (1500, [0, 0, 0, 0, 150])


def test_hours_may_have_a_speed_too_and_must_be_played_through_by_it() -> None:
    viewing = household(10 * LONG_FILM_S).tells("start", 0)
    for _ in range(3):
        viewing.waits(3_600).tells("heartbeat", viewing.position + 5_400)
    assert viewing.credits_s == [0, 0, 0, 5_400]


def test_an_interval_whose_speed_is_found_may_be_refused_as_a_gap_and_the_speed_stays() -> None:
    viewing = household(10 * LONG_FILM_S).tells("start", 0)
    for kind in ("heartbeat", "heartbeat", "play"):
        viewing.waits(3_600).tells(kind, viewing.position + 5_400)
    assert (viewing.credited_s, rate_of(viewing)) == (0, 1500)
    assert viewing.counted == {"refused_fast_ms": 10_800_000, "refused_gap_ms": 5_400_000}
    assert viewing.waits(3_600).tells("heartbeat", viewing.position + 5_400).credited_s == 5_400


@pytest.mark.parametrize(("speed", "rate"), [(1349, None), (1350, 1500), (1351, 1500)])
def test_a_found_speed_is_lost_by_an_interval_below_nine_tenths_of_it(speed: int, rate: int | None) -> None:
    viewing = at_speeds(1500, 1500, 1500, speed)
    assert rate_of(viewing) == rate
    # That one is judged by the speed that was found; those after it by what is left.
    assert viewing.credits_s[-1] == speed / 10
    assert at_speeds(1500, viewing=viewing).credits_s[-1] == (150 if rate else 0)


def test_a_lost_speed_may_be_found_again() -> None:
    viewing = at_speeds(1500, 1500, 1500, 1000, 1500, 1500, 1500)
    assert (viewing.credits_s[4:], rate_of(viewing)) == ([100, 0, 0, 150], 1500)


def test_another_speed_may_be_found_above_the_one_that_was() -> None:
    viewing = at_speeds(1250, 1250, 1250, 2000, 2000, 2000)
    assert (viewing.credits_s[3:], rate_of(viewing)) == ([125, 0, 0, 200], 2000)


def test_no_speed_is_found_once_an_event_has_stated_one() -> None:
    first = household(LONG_FILM_S).tells("start", 0, playback_rate=1.0)
    assert at_speeds(1500, 1500, 1500, 1500, viewing=first).credited_s == 0
    found = at_speeds(1500, 1500, 1500).waits(100).tells("rate", 600, playback_rate=1.0)
    # The interval that it closes is still one of a speed that nobody stated.
    assert found.credits_s[-2:] == [150, 150]
    assert at_speeds(1500, 1500, 1500, viewing=found).credits_s[-3:] == [0, 0, 0]


def test_the_event_that_states_one_may_find_another_first() -> None:
    viewing = at_speeds(1500, 1500).waits(100).tells("rate", 450, playback_rate=2.0)
    assert (viewing.credits_s[-1], rate_of(viewing)) == (150, 2000)


# -- a title that loops ---------------------------------------------------------------------------------------


def loops(
    from_s: float, to_s: float, elapsed_s: float, kind: str = "heartbeat", film: Household | None = None, **fields: int
) -> Household:
    """A film of 1,000 s, played from a position, and told of from another one before that."""
    return (film or household()).tells("start", from_s).waits(elapsed_s).tells(kind, to_s, **fields)


def test_a_title_that_loops_is_credited_to_its_end_and_from_its_beginning() -> None:
    viewing = loops(990, 20, 30)
    assert (viewing.credited_s, viewing.row.once, viewing.counted) == (30, 0b1111 | 0b11 << 198, {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_play_or_seek_is_no_loop(kind: str) -> None:
    viewing = loops(990, 20, 30, kind, seek_from_ms=20_000)
    is_loop = kind not in ("start", "play", "seek")
    assert (viewing.credited_s, viewing.counted) == ((30, {}) if is_loop else (0, {"refused_back": 1}))


@pytest.mark.parametrize(
    ("to_s", "credited"),
    [(42.999, False), (43, True), (43.001, True), (56.999, True), (57, True), (57.001, False)],
)
def test_a_loop_is_played_for_all_of_the_time_but_two_percent_and_five_seconds(to_s: float, credited: bool) -> None:
    viewing = loops(950, to_s, 100)
    assert viewing.credited_s == (50 + to_s) * credited
    assert viewing.counted == ({} if credited else {"refused_back": 1})


@pytest.mark.parametrize(("from_s", "credited_s"), [(999.999, 10.001), (1_000, 10), (1_000.001, 0)])
def test_a_loop_comes_from_the_runtime_at_most(from_s: float, credited_s: float) -> None:
    assert loops(from_s, 10, 10).credited_s == credited_s


def test_a_loop_of_nothing_is_none() -> None:
    assert loops(1_000, 0, 3).counted == {"refused_back": 1}
    assert loops(1_000, 0.001, 3).counted == {}


@pytest.mark.parametrize(("runtime_s", "credited_s"), [(59.999, 0), (60, 20), (60.001, 20.001)])
def test_without_the_catalogs_runtime_the_events_own_is_taken_from_one_minute_on(
    runtime_s: float, credited_s: float
) -> None:
    for film in (household(0), household(0).learns(50, runtime_s=0)):
        assert loops(50, 10, 20, film=film, runtime_ms=round(runtime_s * 1000)).credited_s == credited_s


def test_the_catalogs_runtime_holds_over_the_events_and_over_where_credits_begin() -> None:
    assert loops(990, 10, 20, runtime_ms=995_000).credited_s == 20
    assert loops(990, 10, 20, film=household().learns(900, runtime_s=1_000)).credited_s == 20


def test_a_runtime_that_another_event_stated_makes_no_loop() -> None:
    film = household(0).tells("start", 50, runtime_ms=60_000)
    assert film.waits(20).tells("heartbeat", 10).counted == {"refused_back": 1}


@pytest.mark.parametrize(("elapsed_s", "credited_s"), [(14_399.999, 14_399.999), (14_400, 14_400), (14_400.001, 0)])
def test_no_loop_is_longer_than_four_hours(elapsed_s: float, credited_s: float) -> None:
    viewing = loops(10_000, elapsed_s - 10_000, elapsed_s, film=household(LONG_FILM_S))
    assert viewing.credited_s == credited_s
    assert viewing.counted == ({} if credited_s else {"refused_back": 1})


def test_a_loop_is_judged_by_the_rate_that_is_held() -> None:
    film = household().tells("start", 950, playback_rate=2.0)
    assert film.waits(50).tells("heartbeat", 50).credited_s == 100
    film = household().tells("start", 950, playback_rate=2.0)
    assert film.waits(100).tells("heartbeat", 50).counted == {"refused_back": 1}


def test_a_loop_takes_from_the_allowance_and_a_refused_one_refills_it() -> None:
    assert loops(990, 14, 20).allowance_s == 1.4
    viewing = loops(990, 14, 20).waits(10).tells("heartbeat", 5)
    assert (viewing.counted, viewing.allowance_s) == ({"refused_back": 1}, 5)


def test_each_round_of_a_loop_is_a_completion_and_a_play() -> None:
    viewing = household(600).tells("start", 0)
    for number in range(1, 61):
        viewing.waits(31).tells("heartbeat", number * 31 % 600)
    # 1,860 s: three rounds and a minute. What a round owes is paid by its end.
    assert (viewing.facts, viewing.credited_s, viewing.counted) == (
        ["played", "started", "viewed", "watched", "completed 1", "played", "completed 2", "played", "completed 3",
         "played"],
        1_860,
        {},
    )  # fmt: skip


def test_the_two_parts_of_a_loop_are_judged_one_after_the_other() -> None:
    # The first part completes; the second one is of the next viewing.
    viewing = household(600).tells("start", 0).waits(500).tells("heartbeat", 500).waits(400).tells("heartbeat", 300)
    assert (viewing.completions, viewing.row.once, viewing.row.owed) == (1, (1 << 60) - 1, 0)
