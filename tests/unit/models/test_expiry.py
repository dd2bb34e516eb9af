"""What leaves when nothing can change it any more: windows, rows, sessions. No counter depends on it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from partition_log import FILM, SAGA, Log
from playing import DAY, HOUR, T0

from models.catalog import CatalogRow
from models.rows import unpack
from models.rules import DAY_MS, HOUR_MS
from models.tally import TallyKey
from models.viewing import Row
from models.windows import AGE, Retention, audience_week
from models.windows import DAY as DAYS
from models.windows import HOUR as HOURS

KEPT = Retention(hour_ms=4 * DAY_MS, day_ms=40 * DAY_MS, age_ms=800 * DAY_MS)
FORGET, GRACE = 730 * DAY, 30 * DAY
RELEASE_MS = T0 - 2 * HOUR_MS
THE_HOUR, THE_DAY = TallyKey(HOURS, T0 // HOUR_MS + 5, "film"), TallyKey(DAYS, T0 // DAY_MS, "film")
OPENING = TallyKey(AGE, 0, "film")


def released(release_ms: int | None) -> CatalogRow:
    return msgspec.structs.replace(FILM, release_time_ms=release_ms)


def watched() -> Log:
    """A log of one sitting at 05:00, two days after the release, all of whose windows are there."""
    log = Log(released(RELEASE_MS), retention=KEPT).watches(5 * HOUR, 150)
    assert list(log.windows("h", "d", "a", "w")) == ["20250616", "20250616T05", "opening", "7d", "28d", "91d", "1"]
    return log


def gone(log: Log) -> set[TallyKey]:
    return {key for key, tally in log.drained(2).tallies.items() if tally is None}


# -- windows ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("goes_on", [lambda log: log, Log.restarts])
@pytest.mark.parametrize(
    ("key", "leaves"),
    [
        (THE_HOUR, 5 * HOUR + 4 * DAY + DAY),
        (THE_DAY, 40 * DAY + DAY),
        (OPENING, -2 * HOUR + 800 * DAY + DAY),
    ],
)
def test_a_window_leaves_a_day_after_it_was_kept_for_long_enough_and_within_another_day(
    key: TallyKey, leaves: int, goes_on: Callable[[Log], Log]
) -> None:
    log = goes_on(watched())
    for at in (leaves - 0.001, leaves):
        assert key not in gone(log.waits(at))
        assert key in log.fold.tallies
    assert key in gone(log.waits(leaves + DAY))
    assert key not in log.fold.tallies
    assert key not in gone(log.waits(leaves + 2 * DAY))


@pytest.mark.parametrize(("published", "leaves"), [(0, False), (1, True), (2, True), (None, True)])
def test_a_window_stays_until_readers_know_all_of_it(published: int | None, leaves: bool) -> None:
    log = watched()
    log.fold.drain(1)
    log.waits(6 * DAY)
    for sequence in (2, 3):
        changes = log.fold.drain(sequence, published)
        assert (THE_HOUR in changes.tallies) is (leaves and sequence == 2)
        assert (THE_HOUR in log.fold.tallies) is not leaves
    assert (THE_HOUR in log.fold.drain(4, 1).tallies) is not leaves


def test_all_windows_by_age_leave_together_and_all_time_stays() -> None:
    log = watched()
    before = (log.title(), log.dayparts())
    left = gone(log.waits(802 * DAY))
    assert sorted(key[:2] for key in left) == [
        *(("a", number) for number in range(4)), ("d", THE_DAY.number), ("h", THE_HOUR.number),
        ("u", audience_week(THE_DAY.number)), ("w", 1),
    ]  # fmt: skip
    assert {key.kind for key in log.fold.tallies} == {"t", "l", "v"}
    assert (log.title(), log.dayparts()) == before


def test_time_that_passes_in_silence_lets_nothing_leave() -> None:
    assert gone(watched().passes(900 * DAY)) == set()


def test_as_long_as_an_event_can_restate_a_window_it_is_there() -> None:
    shortest = Retention(hour_ms=4 * DAY_MS, day_ms=31 * DAY_MS, age_ms=760 * DAY_MS)
    log = Log(released(T0 - 727 * DAY_MS), retention=shortest).watches(5 * HOUR, 100)  # in its last week
    log.waits(5 * HOUR + 72 * HOUR).drained()
    log.watches(5 * HOUR, 100, arrives=5 * HOUR + 72 * HOUR, household_id="late")
    assert log.windows("h")["20250616T05"]["plays"] == 2
    log.waits(5 * HOUR + GRACE).drained()
    log.watches(5 * HOUR, 100, arrives=5 * HOUR + GRACE, household_id="latest")
    assert {name: window["plays"] for name, window in log.windows("d", "w").items()} == {"20250616": 3, "104": 3}


@pytest.mark.parametrize("goes_on", [lambda log: log, Log.restarts])
def test_a_release_that_is_corrected_says_anew_when_ages_leave(goes_on: Callable[[Log], Log]) -> None:
    later, earlier = watched(), watched()
    later.takes_in(released(RELEASE_MS + 100 * DAY_MS))
    earlier.takes_in(released(RELEASE_MS - 100 * DAY_MS))
    assert OPENING not in gone(goes_on(later).waits(850 * DAY))
    assert OPENING in gone(later.waits(902 * DAY))
    assert OPENING not in gone(goes_on(earlier).waits(700 * DAY))
    assert OPENING in gone(earlier.waits(702 * DAY))
    assert gone(earlier.waits(1_000 * DAY)) == set()


@pytest.mark.parametrize("goes_on", [lambda log: log, Log.restarts])
def test_ages_stay_while_a_title_has_no_release_and_leave_by_the_one_it_gets(goes_on: Callable[[Log], Log]) -> None:
    log = watched().takes_in(released(None))
    assert OPENING not in gone(goes_on(log).waits(900 * DAY))
    assert OPENING in gone(log.takes_in(released(RELEASE_MS)).waits(901 * DAY))


def test_what_was_counted_stays_where_a_title_left_the_catalog_and_came_back() -> None:
    log = watched()
    log.fold.apply_catalog_row("film", None)
    log.restarts().waits(DAY).drained()
    log.takes_in(released(RELEASE_MS)).watches(DAY, 100)
    assert log.windows("a")["opening"] == {"plays": 2, "starters": 1, "watched_ms": 250_000}


# -- rows ---------------------------------------------------------------------------------------------------------


def at_rest(log: Log) -> Log:
    """All rows are packed."""
    for _ in range(3):
        log.drained()
        log.fold.evict(0)
    return log


def swept(log: Log, rows: int = 1_000) -> Log:
    """Swept once through."""
    for _ in range(20):
        log.fold.sweep(rows)
    return log


def rows(log: Log, title_id: str = "film") -> list[str]:
    return sorted(log.fold.titles[title_id].rows)


@pytest.mark.parametrize(("over", "stays"), [(-0.001, True), (0, True), (0.001, False)])
def test_a_row_leaves_once_it_is_forgotten(over: float, stays: bool) -> None:
    log = at_rest(Log(SAGA).watches(0, 150)).waits(150 + FORGET + over)
    log.drained()
    before = log.title()
    changes = swept(log).drained(2)
    assert rows(log) == (["household"] if stays else [])
    assert changes.rows == ([] if stays else [("film", "household", None)])
    assert log.title() == before
    assert log.drained(3).rows == []


def test_a_row_in_use_is_left_alone() -> None:
    log = Log(SAGA).watches(0, 150)
    assert isinstance(log.fold.titles["film"].rows["household"], Row)
    assert swept(log.waits(800 * DAY)).drained().rows != [("film", "household", None)]
    assert rows(log) == ["household"]


def test_whoever_comes_back_counts_anew_whether_the_row_was_swept_or_not() -> None:
    logs = [at_rest(Log(SAGA).watches(0, 150)).waits(800 * DAY) for _ in range(2)]
    swept(logs[0])
    for log in logs:
        log.watches(800 * DAY, 150)
    first, second = (log.drained(5) for log in logs)
    assert first.rows[-1] == second.rows[-1]
    assert (first.tallies, logs[0].title()) == (second.tallies, logs[1].title())
    assert logs[0].title()["starters"] == 2


def test_a_row_that_left_and_came_back_in_one_drain_is_there_for_whoever_restores_it() -> None:
    log = swept(at_rest(Log(SAGA).watches(0, 150)).waits(800 * DAY)).watches(800 * DAY, 150)
    ((_, _, before), (_, _, after)) = log.drained().rows
    assert before is None
    assert after is not None
    assert rows(log.restarts()) == ["household"]


def test_a_sweep_goes_through_so_many_rows_at_a_time_and_begins_once_a_day() -> None:
    log = Log(SAGA)
    for number in range(10):
        log.watches(0, 150, household_id=f"h{number}")
    at_rest(log).waits(800 * DAY)
    left = []
    for _ in range(5):
        log.fold.sweep(4)
        left.append(10 - len(rows(log)))
    # It begins, takes four, four, the last two, and ends.
    assert left == [0, 4, 8, 10, 10]
    log.watches(800 * DAY, 150)
    at_rest(log).waits(801 * DAY - 0.001)
    swept(log)
    assert rows(log) == ["household"]


def test_a_swept_row_of_one_title_says_nothing_of_another() -> None:
    log = Log(SAGA).watches(0, 150).watches(0, 150, title_id="other")
    log.watches(700 * DAY, 150, title_id="other")
    swept(at_rest(log).waits(735 * DAY))
    assert (rows(log), rows(log, "other")) == ([], ["household"])


# -- sessions -----------------------------------------------------------------------------------------------------


def sessions(log: Log) -> list[str]:
    kept = log.fold.titles["film"].rows["household"]
    return sorted((unpack(kept) if isinstance(kept, bytes) else kept).sessions)


@pytest.mark.parametrize(("over", "stays"), [(0, True), (300, True), (300.001, False), (DAY, False)])
def test_sessions_past_the_grace_leave_rows_at_rest(over: float, stays: bool) -> None:
    # An event may be five minutes ahead of its record, so a row's sessions may be so much younger than its last touch.
    log = at_rest(
        Log(SAGA).tells("start", 0, at=0, play_session_id="a").tells("stop", 150, at=150, play_session_id="a")
    )
    swept(log.waits(150 + GRACE + over))
    assert sessions(log) == (["a"] if stays else [])


def test_what_a_household_has_seen_outlives_its_sessions() -> None:
    logs = [at_rest(Log(FILM).watches(0, 850)).waits(40 * DAY) for _ in range(2)]
    small = len(swept(logs[0]).fold.titles["film"].rows["household"])  # type: ignore[arg-type]
    assert small < len(logs[1].fold.titles["film"].rows["household"])  # type: ignore[arg-type]
    for log in logs:
        log.tells("start", 850, at=40 * DAY, play_session_id="later")
        log.tells("stop", 910, at=40 * DAY + 60, play_session_id="later")
    first, second = (log.drained(5) for log in logs)
    assert first == second
    assert logs[0].title()["completions"] == 1


def test_an_event_that_finds_its_session_swept_begins_it_anew_as_it_would_have() -> None:
    logs = [Log(FILM).tells("start", 0, at=0, seq=9).tells("heartbeat", 905, at=905, seq=10) for _ in range(2)]
    for log in logs:
        at_rest(log).waits(905 + GRACE + 301)
    swept(logs[0])
    for log in logs:  # its number is smaller: the session is another one
        log.tells("start", 900, at=31 * DAY, seq=1).tells("stop", 1_000, at=31 * DAY + 100, seq=2)
    assert logs[0].drained(5) == logs[1].drained(5)


def test_a_sweep_changes_nothing_that_is_counted() -> None:
    def story(sweeps: bool) -> Log:
        log = Log(released(RELEASE_MS), retention=KEPT)
        for day in range(0, 1_600, 40):
            for household in "abc":
                if day % (40 * (1 + ord(household) - ord("a"))) == 0 or day > 1_500:
                    log.watches(day * DAY + 7 * HOUR, 930, household_id=household)
            if sweeps:
                swept(at_rest(log), 2)
            log.drained(day)
        return log

    swept_log, other = story(True), story(False)
    assert (swept_log.title(), swept_log.dayparts()) == (other.title(), other.dayparts())
    assert swept_log.windows("h", "d", "a", "w") == other.windows("h", "d", "a", "w")
