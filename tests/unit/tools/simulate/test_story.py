"""The story of a release, told in the numbers that the fold makes of it: one film opens big, the other one stays."""

from datetime import UTC, datetime
from itertools import islice, takewhile
from statistics import fmean
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest

from models.catalog import read_title
from models.counters import Counters
from models.dayparts import read_dayparts
from models.fold import Fold
from models.legs import FOUR_WEEKS, OPENING, Legs, complete_weeks, legs
from models.rules import DAY_MS, Rules
from models.streaks import PART, PART_FIELDS
from models.tally import DAYPARTS, FRANCHISE, TITLE, WATCHING, TallyKey
from models.windows import AGE, WEEK
from streams.kafka.producer import Outgoing
from streams.tools.simulate.plan import Plan
from streams.tools.simulate.story import PLAN, WEEK_MS, story_end_ms, story_origin_ms, story_titles, story_viewers
from streams.tools.simulate.stream import stream
from streams.tools.simulate.world import ZONES, catalog_rows

NOW_MS = 1_775_001_600_000
"""2026-04-01 00:00 UTC, a Wednesday; summer time began in Europe and America during the story."""

ORIGIN_MS = story_origin_ms(NOW_MS)
SHORT = Plan.model_validate(PLAN | {"households": 160, "heartbeat_s": 600.0, "titles": 8})
"""The story with fewer households and longer between two heartbeats: it tells the same."""


class _Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Told(NamedTuple):
    """What is known of a title when the story is over: windows of its first 72 hours, its dayparts by name."""

    totals: Counters
    opening: Counters
    dayparts: dict[str, dict[str, int]]
    legs: Legs


def _items(plan: Plan, until_ms: int = NOW_MS) -> list[Outgoing]:
    items = stream(plan, ORIGIN_MS, story_viewers(plan, ORIGIN_MS))
    return list(takewhile(lambda item: item.due_ms < until_ms, items))


@pytest.fixture(scope="module")
def fold() -> Fold:
    """All that the story makes, in one partition."""
    fold = Fold(Rules(), zones={zone: ZoneInfo(zone) for zone, _, _ in ZONES})
    for row in catalog_rows(story_titles(SHORT, ORIGIN_MS)):
        fold.apply_catalog_row(row["title_id"], read_title(row["title_id"].encode(), msgspec.json.encode(row)))
    items = iter(_items(SHORT))
    while batch := list(islice(items, 5_000)):
        fold.apply(_Record(n, item.timestamp_ms, item.key, item.value) for n, item in enumerate(batch))
        fold.drain(1)
    return fold


@pytest.fixture(scope="module")
def film(fold: Fold) -> Told:
    return _told(fold, "the-film-that-will-not-stop")


@pytest.fixture(scope="module")
def opening(fold: Fold) -> Told:
    return _told(fold, "the-big-opening")


def _told(fold: Fold, title_id: str) -> Told:
    ages, parts = _windows(fold, AGE, title_id), _windows(fold, DAYPARTS, title_id)[0]
    names = [daypart.name for daypart in read_dayparts(fold.rules.dayparts)]
    return Told(
        _counters(fold.tallies[TallyKey(TITLE, 0, title_id)]),
        Counters(*ages[OPENING]),
        {name: dict(zip(PART_FIELDS, parts[PART * n :], strict=False)) for n, name in enumerate(names)},
        _legs(fold, title_id, ORIGIN_MS),
    )


def _windows(fold: Fold, kind: str, title_id: str) -> dict[int, list[int]]:
    found = fold.tallies.items()
    return {key.number: tally[1:] for key, tally in found if (key.kind, key.title_id) == (kind, title_id)}


def _legs(fold: Fold, title_id: str, release_ms: int) -> Legs:
    ages, week = _windows(fold, AGE, title_id), complete_weeks(release_ms, fold.stream_time_ms)
    return legs(week, _windows(fold, WEEK, title_id), ages.get(OPENING, []), ages.get(FOUR_WEEKS, []))


def _counters(tally: list[int]) -> Counters:
    return Counters(*tally[1:WATCHING])


def test_the_big_opening_is_seen_by_most_in_its_first_three_days(film: Told, opening: Told) -> None:
    assert opening.opening.starters > SHORT.households / 2
    assert opening.opening.starters > 8 * film.opening.starters
    assert opening.opening.watched_ms > 5 * film.opening.watched_ms


def test_few_see_the_big_opening_to_its_end_and_hardly_anybody_twice(opening: Told) -> None:
    assert 0 < opening.totals.completers < 0.25 * opening.totals.starters
    assert opening.totals.rewatches < 0.2 * opening.totals.completions
    assert opening.totals.skimmers > 0


def test_the_audience_of_the_big_opening_halves_from_week_to_week(opening: Told) -> None:
    assert opening.legs.half_life_days is None or opening.legs.half_life_days < 14
    assert opening.legs.week_watched_ms < 0.1 * opening.legs.opening_watched_ms
    assert not opening.legs.unstoppable


def test_the_small_film_is_completed_by_nearly_all_who_start_it_and_watched_again_and_again(film: Told) -> None:
    assert film.totals.completers > 0.7 * film.totals.starters
    assert film.totals.repeaters > 0.8 * film.totals.completers
    assert film.totals.rewatches > 0.9 * film.totals.completions
    assert film.totals.rewatch_hist_10_plus > 0.5 * film.totals.completers
    assert film.totals.kids_completions > 0.9 * film.totals.completions


def test_it_is_watched_before_school_and_after_school_and_for_many_that_is_a_habit(film: Told) -> None:
    watched_ms = film.totals.watched_ms
    for name in ("before_school", "after_school"):
        daypart = film.dayparts[name]
        assert daypart["watched_ms"] > 0.3 * watched_ms
        assert daypart["streak_3"] > daypart["streak_5"] > daypart["streak_10"] > 0
    assert film.dayparts["evening"]["watched_ms"] < 0.1 * watched_ms


def test_the_big_opening_is_nobodys_habit(opening: Told) -> None:
    assert opening.dayparts["evening"]["watched_ms"] > 0.5 * opening.totals.watched_ms
    assert not any(daypart["streak_3"] for daypart in opening.dayparts.values())


def test_the_small_film_holds_its_audience_and_is_unstoppable(film: Told) -> None:
    assert film.legs.unstoppable
    assert 0.92 < film.legs.hold_4w < 1.1
    assert 0.8 < film.legs.hold < 1.2
    assert film.legs.multiple > 20
    assert min(film.legs.rewatch_share, film.legs.completion_rate) > 0.7


def test_the_film_before_it_is_found_by_its_households_too(fold: Fold) -> None:
    family, first, film = (
        _counters(fold.tallies[key])
        for key in (
            TallyKey(FRANCHISE, 0, "will-not-stop"),
            TallyKey(TITLE, 0, "the-film-that-started-it"),
            TallyKey(TITLE, 0, "the-film-that-will-not-stop"),
        )
    )
    assert family.completions == first.completions + film.completions
    assert max(first.completers, film.completers) < family.completers < first.completers + film.completers


def test_only_the_small_film_is_unstoppable_and_all_older_titles_lose_their_audience(fold: Fold) -> None:
    told = {
        title.title_id: _legs(fold, title.title_id, title.release_time_ms)
        for title in story_titles(SHORT, ORIGIN_MS)
        if title.catalogued
    }
    assert {title_id for title_id, legs in told.items() if legs.unstoppable} == {"the-film-that-will-not-stop"}
    older = set(told) - {"the-film-that-will-not-stop", "the-big-opening"}
    assert 0.6 < fmean(told[title_id].hold_4w for title_id in older) < 0.8


def test_a_familys_rewatches_are_not_all_by_the_same_profile(film: Told) -> None:
    assert 0.8 * film.totals.rewatches < film.totals.profile_rewatches < film.totals.rewatches


def test_the_cartoon_is_completed_again_and_again_often_by_autoplay(fold: Fold) -> None:
    cartoon = next(title for title in story_titles(SHORT, ORIGIN_MS) if title.theme_ms)
    totals = _counters(fold.tallies[TallyKey(TITLE, 0, cartoon.title_id)])
    assert totals.completers > 0.8 * totals.starters and totals.rewatches > totals.completers
    assert 0.2 * totals.completions < totals.autoplay_completions < totals.completions


def test_the_same_seed_tells_the_same_story_and_another_one_another() -> None:
    few, until_ms = SHORT.model_copy(update={"households": 20}), ORIGIN_MS + 3 * DAY_MS
    assert _items(few, until_ms) == _items(few, until_ms)
    assert _items(few, until_ms) != _items(few.model_copy(update={"seed": 2}), until_ms)


@pytest.mark.parametrize("after_ms", [0, 1, WEEK_MS - 1])
def test_a_story_begins_on_a_friday_and_has_eight_complete_weeks_until_now(after_ms: int) -> None:
    now_ms = ORIGIN_MS + 8 * WEEK_MS + after_ms
    assert story_origin_ms(now_ms) == ORIGIN_MS
    assert story_end_ms(ORIGIN_MS, now_ms) == now_ms
    assert datetime.fromtimestamp(ORIGIN_MS / 1000, UTC).strftime("%A %H:%M") == "Friday 08:00"


def test_a_story_that_began_long_ago_ended_before_its_tenth_week() -> None:
    assert story_end_ms(ORIGIN_MS, ORIGIN_MS + 20 * WEEK_MS) == ORIGIN_MS + 9 * WEEK_MS
