"""What is computed from several hashes' totals, on the fake sink: franchises, legs, boards, and when they are due."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from fake_sink import FakeRedis, FakeSink
from publishing import BEGUN, WHOLE_FIELDS, in_a_loop, opened, worker

from models.catalog import CatalogRow
from models.counters import WINDOW_FIELDS
from models.hash_fields import (
    COUNTER_FIELDS,
    STREAM_FIELDS,
    WATCHED,
    catalog_fields,
    franchise_fields,
    legs_fields,
    title_fields,
)
from models.legs import FOUR_WEEKS, OPENING, WEEK_MS, complete_weeks, legs
from models.rules import DAY_MS
from models.tally import DAYPARTS, FRANCHISE, TITLE, TallyKey
from models.windows import AGE, DAY, WEEK
from streams.publishing.publisher import Publisher
from streams.publishing.sink import Readable, Unreachable
from streams.redis.keys import Keys
from streams.state.committed import Committed

RELEASE_MS = 1_795_132_800_000
PLACES = {name: place for place, name in enumerate([*COUNTER_FIELDS, "watching_now"])}
WATCHED_MS = "watched_ms"


def tally(sequence: int, key: TallyKey, **counters: int) -> list[int]:
    """A tally of a title, a franchise or a window."""
    counts = [0] * (WHOLE_FIELDS if key.kind in (TITLE, FRANCHISE) else WINDOW_FIELDS)
    for name, count in counters.items():
        counts[PLACES[name]] = count
    return [sequence, *counts]


def title(title_id: str) -> TallyKey:
    return TallyKey(TITLE, 0, title_id)


def week(number: int, title_id: str = "film") -> TallyKey:
    return TallyKey(WEEK, number, title_id)


def changed(
    partition: int,
    sequence: int,
    tallies: Mapping[TallyKey, Mapping[str, int] | None],
    stream_time_ms: int = RELEASE_MS,
) -> Committed:
    """A checkpoint that changed these tallies; None: one left memory."""
    made = {key: None if counters is None else tally(sequence, key, **counters) for key, counters in tallies.items()}
    return Committed(partition, BEGUN, sequence, stream_time_ms, [sequence, *[0] * (len(STREAM_FIELDS) - 1)], made)


def written(redis: FakeRedis, since: int) -> Counter[str]:
    """How often each key was announced since then."""
    return Counter(key for key, _ in redis.changes[since:])


# -- windows ------------------------------------------------------------------------------------------------------


@in_a_loop
async def test_windows_by_age_and_dayparts_have_their_own_fields_and_lives() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    ages = [TallyKey(AGE, place, "film") for place in range(4)]
    parts = TallyKey(DAYPARTS, 0, "film")
    state = changed(0, 1, {key: {"plays": 1} for key in [title("film"), week(104), *ages]})
    publisher.on_committed(state._replace(tallies={**state.tallies, parts: [1, *range(20)]}))
    await publisher.publish()
    windows = [f"p:title:film:{name}" for name in ("age:opening", "age:7d", "age:28d", "age:91d", "week:104")]
    assert redis.hashes.keys() == {*windows, "p:title:film", "p:title:film:dayparts", "p:status"}
    assert redis.lives_ms == dict.fromkeys(windows, 1_100 * DAY_MS)
    assert redis.hashes["p:title:film:dayparts"].items() >= {
        "before_school_watched_s": "0.000", "before_school_completions": "1", "after_school_streak_3": "7",
        "evening_streak_5": "13", "other_watched_s": "0.015", "other_streak_10": "19", "complete": "1",
    }.items()  # fmt: skip


@in_a_loop
async def test_a_tally_that_left_memory_waits_no_more_and_is_never_written_again() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(changed(0, 1, {title("film"): {"plays": 1}, week(1): {"plays": 1}}))
    publisher.on_committed(changed(0, 2, {week(1): None, week(2): None}))
    await publisher.publish()
    redis.flush()
    for _ in range(2):
        await publisher.publish()
    assert redis.hashes.keys() == {"p:title:film", "p:status"}


@in_a_loop
async def test_what_left_memory_while_it_was_on_its_way_waits_no_more_after_an_outage() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(changed(0, 1, {title("film"): {"plays": 1}, week(1): {"plays": 1}}))
    sink = publisher._sink

    async def away(*_: Any) -> None:
        publisher.on_committed(changed(0, 2, {week(1): None}))
        raise Unreachable("away")

    sink.add_shares = away  # type: ignore[method-assign, assignment]
    with pytest.raises(Unreachable):
        await publisher.publish()
    del sink.add_shares  # type: ignore[method-assign]
    await publisher.publish()
    assert redis.hashes.keys() == {"p:title:film", "p:status"}


# -- boards -------------------------------------------------------------------------------------------------------


@in_a_loop
async def test_titles_have_places_on_boards_for_all_time_and_for_days() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    of_day = TallyKey(DAY, 20_255, "a b")
    counts = {"plays": 3, "starters": 20, "completers": 19, "repeaters": 1, "watched_ms": 1_500, "watching_now": 2}
    publisher.on_committed(changed(0, 1, {title("a b"): counts, of_day: {"plays": 2, "watched_ms": 500}}))
    await publisher.publish()
    assert redis.boards == {
        "p:board:plays": {"a b": 3}, "p:board:starters": {"a b": 20}, "p:board:completers": {"a b": 19},
        "p:board:repeaters": {"a b": 1}, "p:board:watched_s": {"a b": 1.5}, "p:board:watching_now": {"a b": 2},
        "p:board:completion_rate": {"a b": 0.95},
        "p:board:plays:day:20250616": {"a b": 2}, "p:board:watched_s:day:20250616": {"a b": 0.5},
        "p:titles": {"a b": 0},
    }  # fmt: skip
    assert {key: life for key, life in redis.lives_ms.items() if "board" in key} == dict.fromkeys(
        ["p:board:plays:day:20250616", "p:board:watched_s:day:20250616"], 400 * DAY_MS
    )


@in_a_loop
async def test_boards_come_back_after_a_loss() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(changed(0, 1, {title("film"): {"plays": 3}}))
    await publisher.publish()
    before = dict(redis.boards)
    redis.flush()
    for _ in range(2):
        await publisher.publish()
    assert redis.boards == before == {"p:board:plays": {"film": 3}, "p:titles": {"film": 0}}


@in_a_loop
async def test_a_title_that_the_catalog_names_anew_is_written_with_its_new_name() -> None:
    redis, catalogs = FakeRedis(), [{"film": CatalogRow("film", name="Film")}]
    publisher = await opened(redis, 0, 1, catalog=lambda: catalogs[-1])
    publisher.on_committed(changed(0, 1, {title("film"): {"plays": 3}}))
    await publisher.publish()
    assert redis.hashes["p:title:film"]["name"] == "Film"
    catalogs.append({"film": CatalogRow("film", name="Film 1", franchise_id="saga", runtime_ms=60_000)})
    await publisher.publish()
    named = [redis.hashes["p:title:film"][name] for name in ("name", "franchise_id", "runtime_s")]
    assert named == ["Film 1", "saga", "60.000"]
    catalogs.append({})
    await publisher.publish()
    assert [redis.hashes["p:title:film"][name] for name in ("name", "franchise_id", "runtime_s")] == ["", "", ""]


@in_a_loop
async def test_a_name_is_sent_again_only_if_the_one_before_may_not_be_there() -> None:
    redis, catalog = FakeRedis(), {"film": CatalogRow("film", name="Film")}
    publisher = await opened(redis, 0, 1, catalog=lambda: catalog)
    sink, sent, lost = publisher._sink, [], [False]

    async def write_hashes(hashes: Sequence[Readable], *, alone: bool = False) -> int:
        sent.extend("name" in each.fields for each in hashes if each.key == "p:title:film")
        return 0 if lost[0] else await FakeSink.write_hashes(sink, hashes, alone=alone)  # type: ignore[arg-type]

    sink.write_hashes = write_hashes  # type: ignore[method-assign]
    for sequence in range(1, 6):
        lost[0] = sequence < 3  # another worker writes it
        publisher.on_committed(changed(0, sequence, {title("film"): {"plays": sequence}}))
        await publisher.publish()
    assert sent == [True, True, True, False, False]
    redis.flush()
    for _ in range(2):
        await publisher.publish()
    assert sent[5] is True
    assert (redis.hashes["p:title:film"]["name"], redis.boards["p:titles"]) == ("Film", {"film": 0})


@in_a_loop
async def test_franchises_have_boards_and_a_list_of_their_own() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1, catalog=lambda: saga(film=None))
    publisher.on_committed(changed(0, 1, {TallyKey(FRANCHISE, 0, "saga"): {"plays": 3, "starters": 2}}))
    await publisher.publish()
    assert redis.boards == {
        "p:board:plays:franchises": {"saga": 3}, "p:board:starters:franchises": {"saga": 2},
        "p:franchises": {"saga": 0},
    }  # fmt: skip


# -- franchises ---------------------------------------------------------------------------------------------------


def saga(**runtimes_ms: int | None) -> dict[str, CatalogRow]:
    """A catalog in which these titles are one franchise."""
    return {name: CatalogRow(name, franchise_id="saga", runtime_ms=runtime) for name, runtime in runtimes_ms.items()}


SAGA = TallyKey(FRANCHISE, 0, "saga")


@in_a_loop
async def test_a_franchise_has_its_own_counters_and_its_titles_views() -> None:
    redis, catalog = FakeRedis(), saga(one=1_000, two=2_000, unknown=None, unseen=1)
    publisher, other = await opened(redis, 0, catalog=lambda: catalog), await opened(redis, 1, catalog=lambda: catalog)
    publisher.on_committed(
        changed(0, 1, {title("one"): {WATCHED_MS: 500}, SAGA: {"starters": 2, "completers": 1, "watching_now": 1}})
    )
    other.on_committed(
        changed(1, 1, {title("one"): {WATCHED_MS: 1_000}, title("two"): {WATCHED_MS: 2_000},
                       title("unknown"): {WATCHED_MS: 9}, SAGA: {"starters": 2}})
    )  # fmt: skip
    await publisher.publish()
    await other.publish()
    found = redis.hashes["p:franchise:saga"]
    assert {name: found[name] for name in ("starters", "views", "completion_rate", "watching_now")} == {
        "starters": "4", "views": "2.500000", "completion_rate": "0.250000", "watching_now": "1",
    }  # fmt: skip
    assert "p:franchise:saga" not in redis.lives_ms
    assert {key for key, places in redis.boards.items() if "saga" in places} == {
        f"p:board:{name}:franchises" for name in ("starters", "completers", "views", "watching_now")
    } | {"p:franchises"}


@in_a_loop
async def test_views_of_a_franchise_whose_runtimes_are_unknown_are_empty() -> None:
    redis, catalog = FakeRedis(), saga(one=None, unseen=1_000)
    publisher = await opened(redis, 0, 1, catalog=lambda: catalog)
    publisher.on_committed(changed(0, 1, {title("one"): {WATCHED_MS: 500}, SAGA: {WATCHED_MS: 500}}))
    await publisher.publish()
    assert redis.hashes["p:franchise:saga"]["views"] == ""


@in_a_loop
async def test_a_title_moves_its_franchise_although_the_fold_knows_nothing_of_that_yet() -> None:
    redis, catalog = FakeRedis(), saga(one=1_000, two=1_000)
    publisher = await opened(redis, 0, 1, catalog=lambda: catalog)
    publisher.on_committed(changed(0, 1, {title("one"): {WATCHED_MS: 500}, SAGA: {WATCHED_MS: 500}}))
    await publisher.publish()
    publisher.on_committed(changed(1, 1, {title("two"): {WATCHED_MS: 2_000}}))
    await publisher.publish()
    assert redis.hashes["p:franchise:saga"]["views"] == "2.500000"
    publisher.on_committed(changed(1, 2, {title("other"): {WATCHED_MS: 2_000}}))
    since = len(redis.changes)
    await publisher.publish()
    assert "p:franchise:saga" not in written(redis, since)


@in_a_loop
async def test_a_franchise_without_shares_is_not_there() -> None:
    redis, catalog = FakeRedis(), saga(one=1_000)
    publisher = await opened(redis, 0, 1, catalog=lambda: catalog)
    publisher.on_committed(changed(0, 1, {title("one"): {WATCHED_MS: 500}}))
    await publisher.publish()
    assert "p:franchise:saga" not in redis.hashes.keys() | redis.shares.keys()


@pytest.mark.parametrize(
    ("corrected", "views"),
    [
        (saga(one=500, two=2_000), {"saga": "2.000000", "other": "0.500000"}),
        (saga(two=2_000) | {"one": CatalogRow("one", franchise_id="other", runtime_ms=1_000)},
         {"saga": "1.000000", "other": "1.000000"}),
        (saga(two=2_000), {"saga": "1.000000", "other": "0.500000"}),
        ({}, {"saga": "", "other": ""}),
    ],
)  # fmt: skip
@in_a_loop
async def test_a_correction_of_the_catalog_is_shown_although_no_counter_has_moved(
    corrected: dict[str, CatalogRow], views: dict[str, str]
) -> None:
    redis = FakeRedis()
    kept = {"three": CatalogRow("three", franchise_id="other", runtime_ms=1_000)}
    catalog = saga(one=1_000, two=2_000) | kept
    publisher = await opened(redis, 0, 1, catalog=lambda: catalog)
    counted = {title("one"): {WATCHED_MS: 500}, title("two"): {WATCHED_MS: 2_000}, title("three"): {WATCHED_MS: 500}}
    both = {TallyKey(FRANCHISE, 0, name): {"plays": 1} for name in views}
    publisher.on_committed(changed(0, 1, {**counted, **both}))
    await publisher.publish()
    catalog = corrected | kept if corrected else {}
    await publisher.publish()
    assert {name: redis.hashes[f"p:franchise:{name}"]["views"] for name in views} == views


@in_a_loop
async def test_a_zombie_whose_shares_are_refused_writes_nothing_by_its_older_catalog() -> None:
    redis, corrected = FakeRedis(), saga(one=500)
    zombie = await opened(redis, 0, catalog=lambda: saga(one=1_000))
    first = changed(0, 1, {title("one"): {WATCHED_MS: 500}, SAGA: {"plays": 1}})
    zombie.on_committed(first)
    heir = worker(redis, catalog=lambda: corrected)
    await heir.join()
    await heir.open_partition(first)
    heir.on_committed(changed(0, 2, {title("one"): {WATCHED_MS: 500}, SAGA: {"plays": 1}}))
    await heir.publish()
    written_by_heir = {name: dict(fields) for name, fields in redis.hashes.items() if "status" not in name}
    await zombie.publish()
    assert {name: redis.hashes[name] for name in written_by_heir} == written_by_heir
    assert redis.hashes["p:franchise:saga"]["views"] == redis.hashes["p:title:one"]["views"] == "1.000000"


# -- legs ---------------------------------------------------------------------------------------------------------

FILM_CATALOG = {"film": CatalogRow("film", release_time_ms=RELEASE_MS)}
LEGS = "p:title:film:legs"


def at_week(weeks: float) -> int:
    return RELEASE_MS + int(weeks * WEEK_MS)


async def after_weeks(redis: FakeRedis, weeks: float, catalog: Mapping[str, CatalogRow] = FILM_CATALOG) -> Publisher:
    """A publisher that has published a film's first three weeks at that time."""
    publisher = await opened(redis, 0, 1, catalog=lambda: catalog)
    counted = {title("film"): {"plays": 9}, **{week(n): {WATCHED_MS: 1_000 * n} for n in (1, 2, 3)}}
    publisher.on_committed(changed(0, 1, counted, at_week(weeks)))
    publisher.on_committed(changed(1, 1, {week(1): {WATCHED_MS: 500}}, at_week(weeks)))
    await publisher.publish()
    return publisher


@pytest.mark.parametrize(
    ("weeks", "week_watched_s"), [(0.99, None), (1, "1.500"), (1.99, "1.500"), (2, "2.000"), (4, "0.000")]
)
@in_a_loop
async def test_legs_are_those_of_the_last_complete_week(weeks: float, week_watched_s: str | None) -> None:
    redis = FakeRedis()
    await after_weeks(redis, weeks)
    assert redis.hashes.get(LEGS, {}).get("week_watched_s") == week_watched_s
    if week_watched_s:
        assert redis.lives_ms[LEGS] == 1_100 * DAY_MS
        assert redis.hashes[LEGS].items() >= {"week": str(int(weeks)), "as_of_ms": str(at_week(weeks))}.items()


@in_a_loop
async def test_a_title_in_full_swing_leaves_its_legs_alone() -> None:
    redis = FakeRedis()
    publisher = await after_weeks(redis, 2.5)
    since = len(redis.changes)
    young = {key: {WATCHED_MS: 5_000} for key in (week(3), TallyKey(AGE, FOUR_WEEKS, "film"), title("film"))}
    publisher.on_committed(changed(0, 2, young, at_week(2.6)))
    await publisher.publish()
    assert written(redis, since)[LEGS] == 0


@pytest.mark.parametrize("late", [week(1), week(2), TallyKey(AGE, OPENING, "film")])
@in_a_loop
async def test_late_viewing_in_a_complete_window_restates_them(late: TallyKey) -> None:
    redis = FakeRedis()
    publisher = await after_weeks(redis, 2.5)
    since = len(redis.changes)
    publisher.on_committed(changed(1, 2, {late: {WATCHED_MS: 2_500}}, at_week(2.6)))
    await publisher.publish()
    assert written(redis, since)[LEGS] == 1
    publisher.on_committed(changed(1, 3, {}, at_week(2.7)))
    await publisher.publish()
    assert written(redis, since)[LEGS] == 1


@in_a_loop
async def test_they_follow_the_clock_alone_once_all_partitions_have_passed_the_weeks_end() -> None:
    redis = FakeRedis()
    publisher = await after_weeks(redis, 2.5)
    publisher.on_committed(changed(0, 2, {}, at_week(3)))
    await publisher.publish()
    assert redis.hashes[LEGS]["week"] == "2"
    publisher.on_committed(changed(1, 2, {}, at_week(3.1)))
    await publisher.publish()
    assert redis.hashes[LEGS].items() >= {"week": "3", "hold": "1.500000"}.items()


@pytest.mark.parametrize(
    ("release_ms", "week_shown"),
    [(RELEASE_MS - WEEK_MS, "3"), (RELEASE_MS + WEEK_MS, "1"), (RELEASE_MS + 2 * WEEK_MS, None), (None, None)],
)
@in_a_loop
async def test_a_corrected_release_corrects_them_or_takes_them_away(
    release_ms: int | None, week_shown: str | None
) -> None:
    redis, catalog = FakeRedis(), dict(FILM_CATALOG)
    publisher = await opened(redis, 0, 1, catalog=lambda: catalog)
    publisher.on_committed(changed(0, 1, {title("film"): {"plays": 1}}, at_week(2.5)))
    await publisher.publish()
    assert redis.hashes[LEGS]["week"] == "2"
    catalog = {"film": CatalogRow("film", release_time_ms=release_ms)}
    since = len(redis.changes)
    await publisher.publish()
    assert (redis.hashes.get(LEGS, {}).get("week"), written(redis, since)[LEGS]) == (week_shown, 1)
    assert (LEGS in redis.shares) == (week_shown is not None)
    catalog = FILM_CATALOG
    await publisher.publish()
    assert redis.hashes[LEGS]["week"] == "2"


@in_a_loop
async def test_a_partition_that_begins_in_the_past_takes_the_weeks_back() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1, catalog=lambda: FILM_CATALOG)
    publisher.on_committed(changed(0, 1, {title("film"): {"plays": 9}}, at_week(2.5)))
    await publisher.publish()
    told = [redis.hashes[LEGS]["week"]]
    for weeks in (0.5, 1.5, 3):
        publisher.on_committed(changed(1, int(weeks * 10), {}, at_week(weeks)))
        await publisher.publish()
        told.append(redis.hashes.get(LEGS, {}).get("week", ""))
    assert told == ["2", "", "1", "2"]


@in_a_loop
async def test_a_new_owner_computes_no_legs_that_are_right_already() -> None:
    redis = FakeRedis()
    first = await after_weeks(redis, 2.5)
    await first.publish()
    state = changed(0, 1, {title("film"): {"plays": 9}, **{week(n): {WATCHED_MS: 1_000 * n} for n in (1, 2, 3)}})
    new = worker(redis, catalog=lambda: FILM_CATALOG)
    await new.join()
    since = len(redis.changes)
    await new.open_partition(state._replace(stream_time_ms=at_week(2.6)))
    await new.publish()
    assert written(redis, since)[LEGS] == 0


@pytest.mark.parametrize("what", ["the week's end has passed", "a complete week waits", "they are gone"])
@in_a_loop
async def test_a_new_owner_computes_legs_that_its_former_one_had_no_time_for(what: str) -> None:
    redis = FakeRedis()
    first = await after_weeks(redis, 2.5)
    await first.publish()
    first.on_committed(changed(1, 2, {}, at_week(3.5)))
    await first.publish()
    weeks = {week(n): {WATCHED_MS: 1_000 * n} for n in (1, 2, 3)}
    state = changed(0, 1, {title("film"): {"plays": 9}, **weeks}, at_week(2.6))
    if what == "the week's end has passed":
        state = state._replace(stream_time_ms=at_week(3.2))
    elif what == "a complete week waits":
        state = changed(0, 2, {title("film"): {"plays": 9}, **weeks, week(1): {WATCHED_MS: 7}}, at_week(2.6))
    else:
        del redis.hashes[LEGS]
    new = worker(redis, catalog=lambda: FILM_CATALOG)
    await new.join()
    since = len(redis.changes)
    await new.open_partition(state)
    await new.publish()
    assert written(redis, since)[LEGS] == 1


@in_a_loop
async def test_late_viewing_counts_although_time_seemed_to_go_back_and_all_who_saw_it_died() -> None:
    redis = FakeRedis()
    one, other = await after_weeks(redis, 1.9), await opened(redis, 1, catalog=lambda: FILM_CATALOG)
    one.close_partition(1)
    other.on_committed(changed(1, 2, {title("film"): {"plays": 1}}, at_week(1.9)))
    await other.publish()
    one.on_committed(changed(0, 2, {}, at_week(2.5)))
    await one.publish()
    other.on_committed(changed(1, 3, {}, at_week(2.5)))
    await other.publish()
    assert redis.hashes[LEGS]["week"] == "2"
    # A third partition begins in the past: by that, week 2 is not complete, but legs were computed with it.
    third = await opened(redis, 2, catalog=lambda: FILM_CATALOG)
    third.on_committed(changed(2, 1, {}, at_week(1.5)))
    await third.publish()
    kept = {title("film"): {"plays": 9}, **{week(n): {WATCHED_MS: 1_000 * n} for n in (1, 3)}}
    late = changed(0, 3, {week(2): {WATCHED_MS: 7_000}}, at_week(2.5))
    one.on_committed(late)
    await one.publish()
    third.on_committed(changed(2, 2, {}, at_week(2.6)))
    await third.publish()
    new = worker(redis, catalog=lambda: FILM_CATALOG)
    await new.join()
    before = changed(0, 2, kept).tallies
    await new.open_partition(late._replace(tallies={**before, **late.tallies}))
    await new.publish()
    assert redis.hashes[LEGS].items() >= {"week": "2", "week_watched_s": "7.000"}.items()


@in_a_loop
async def test_who_dies_before_saying_that_legs_are_complete_leaves_that_to_the_next_owner() -> None:
    redis, state = FakeRedis(), changed(0, 1, {title("film"): {"plays": 9}}, at_week(2.5))
    told = []
    for _ in range(2):
        publisher = worker(redis, partitions=1, catalog=lambda: FILM_CATALOG)
        await publisher.join()
        await publisher.open_partition(state)
        await publisher.publish()
        told.append(redis.hashes[LEGS]["complete"])
    assert told == ["0", "1"]


@in_a_loop
async def test_legs_are_written_whole_after_a_loss_and_say_when_they_are_complete() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1, catalog=lambda: FILM_CATALOG)
    publisher.on_committed(changed(0, 1, {title("film"): {"plays": 9}}, at_week(2.5)))
    for _ in range(2):
        await publisher.publish()
    before = redis.hashes[LEGS]
    redis.flush()
    for _ in range(4):
        await publisher.publish()
    assert redis.hashes[LEGS] | {"version": ""} == before | {"version": ""}
    assert before["complete"] == "1"


@in_a_loop
async def test_legs_of_long_ago_are_left_as_they_are() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1, catalog=lambda: FILM_CATALOG)
    publisher.on_committed(changed(0, 1, {title("film"): {"plays": 9}}, RELEASE_MS + 1_100 * DAY_MS - 1))
    await publisher.publish()
    assert redis.hashes[LEGS]["week"] == "104"
    redis.flush()
    publisher.on_committed(changed(0, 2, {}, RELEASE_MS + 1_100 * DAY_MS))
    for _ in range(3):
        await publisher.publish()
    assert LEGS not in redis.hashes


# -- whatever happens ---------------------------------------------------------------------------------------------


class Interleaved(FakeSink):
    """A sink whose calls let others go first, as if they took their time."""

    chance = random.Random(0)

    def __getattribute__(self, name: str) -> Any:
        call = super().__getattribute__(name)
        if name.startswith("_") or not asyncio.iscoroutinefunction(call):
            return call

        async def later(*given: Any, **named: Any) -> Any:
            for _ in range(self.chance.choice((0, 1, 2, 3, 20))):
                await asyncio.sleep(0)
            return await call(*given, **named)

        return later


PARTITIONS, TITLES, FRANCHISES = 3, ("a", "b", "c"), ("f", "g")


class World:
    """Partitions with their newest committed tallies, and a catalog; workers come, die and are replaced."""

    def __init__(self, seed: int) -> None:
        self.chance = Interleaved.chance = random.Random(seed)
        self.redis = FakeRedis()
        self.catalog: dict[str, CatalogRow] = {}
        self.states = {p: Committed(p, BEGUN, 0, -1, [0] * len(STREAM_FIELDS), {}) for p in range(PARTITIONS)}
        self.workers: dict[int, Publisher] = {}

    async def take_over(self, partitions: list[int]) -> None:
        """A new worker of these partitions; whoever had them has died."""
        new = worker(self.redis, "app", PARTITIONS, lambda: self.catalog, Interleaved)
        await new.join()
        for partition in partitions:
            self.workers[partition] = new
            await new.open_partition(self.states[partition])

    def end_zombies(self) -> None:
        """Let those whose partitions others have by now know it."""
        for publisher in set(self.workers.values()):
            for partition in [p for p in range(PARTITIONS) if self.workers[p] is not publisher]:
                publisher.close_partition(partition)

    def commit(self) -> None:
        """A checkpoint of a random partition."""
        partition = self.chance.randrange(PARTITIONS)
        state = self.states[partition]
        sequence, changes = state.sequence + 1, {}
        for title_id in self.chance.sample(TITLES, self.chance.randrange(1, 3)):
            keys = [title(title_id), *(week(self.chance.randrange(1, 6), title_id) for _ in range(2))]
            keys += [TallyKey(AGE, self.chance.choice((OPENING, FOUR_WEEKS)), title_id)]
            franchise = (self.catalog.get(title_id) or CatalogRow("?")).franchise_id
            keys += [TallyKey(FRANCHISE, 0, franchise)] if franchise and self.chance.random() < 0.8 else []
            for key in keys:
                names = ("plays", "starters", "completers", WATCHED_MS)
                counts = {name: self.chance.randrange(1, 50) for name in names}
                changes[key] = tally(sequence, key, **counts)
        time_ms = max(state.stream_time_ms, RELEASE_MS) + self.chance.choice((0, WEEK_MS // 3))
        self.states[partition] = state._replace(
            sequence=sequence, stream_time_ms=time_ms, tallies={**state.tallies, **changes}
        )
        self.workers[partition].on_committed(self.states[partition]._replace(tallies=changes))

    def correct(self) -> None:
        """Another row of a random title."""
        title_id = self.chance.choice(TITLES)
        release_ms = self.chance.choice((None, RELEASE_MS, RELEASE_MS, RELEASE_MS + WEEK_MS // 2))
        runtime_ms, franchise = self.chance.choice((None, 70, 100)), self.chance.choice((None, *FRANCHISES))
        row = CatalogRow(title_id, franchise_id=franchise, runtime_ms=runtime_ms, release_time_ms=release_ms)
        self.catalog = {**self.catalog, title_id: row}

    async def go_on(self) -> None:
        """All workers publish at once, while checkpoints are written."""

        async def round_of(publisher: Publisher) -> None:
            with contextlib.suppress(Unreachable):
                await publisher.publish()

        async def commits() -> None:
            for _ in range(self.chance.randrange(4)):
                self.commit()
                await asyncio.sleep(0)

        await asyncio.gather(*map(round_of, set(self.workers.values())), commits())

    def total(self, key: TallyKey) -> list[int]:
        """The sum over partitions; empty where there is none."""
        tallies = [state.tallies[key] for state in self.states.values() if key in state.tallies]
        return [sum(counts) for counts in zip(*(each[1:] for each in tallies if each), strict=True)]

    def expected(self) -> Iterator[tuple[str, dict[str, str] | None]]:
        """The derived hashes, and the titles that boards are made of."""
        keys, as_of_ms = Keys("p:"), min(state.stream_time_ms for state in self.states.values())
        for title_id in TITLES:
            row, total = self.catalog.get(title_id, CatalogRow(title_id)), self.total(title(title_id))
            weeks = complete_weeks(row.release_time_ms, as_of_ms)
            if total:
                yield keys.title(title_id), _fields(title_fields(total, row.known_runtime_ms) + catalog_fields(row))
            inputs = [self.total(TallyKey(AGE, place, title_id)) for place in (OPENING, FOUR_WEEKS)]
            of_weeks = {n: self.total(week(n, title_id)) for n in range(1, weeks + 1)}
            found = legs_fields(legs(weeks, of_weeks, *inputs)) if total and weeks else None
            yield keys.legs(title_id), _fields(found) if found else None
        for name in FRANCHISES:
            members = [
                (self.total(title(title_id))[WATCHED], row.known_runtime_ms)
                for title_id, row in self.catalog.items()
                if row.franchise_id == name and row.known_runtime_ms and self.total(title(title_id))
            ]
            total = self.total(TallyKey(FRANCHISE, 0, name))
            yield keys.franchise(name), _fields(franchise_fields(total, members)) if total else None


def _fields(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True)) | {"complete": "1"}


@pytest.mark.parametrize("seed", range(60))
@in_a_loop
async def test_whatever_happens_readers_find_in_the_end_what_the_last_shares_amount_to(seed: int) -> None:
    world = World(seed)
    chance, redis = world.chance, world.redis
    await world.take_over([0])
    await world.take_over([1, 2])
    for _ in range(25):
        what = chance.random()
        if what < 0.25:
            world.correct()
        elif what < 0.35:
            redis.calls_until_away = chance.randrange(12)
        elif what < 0.4:
            chance.choice([redis.flush, redis.restart])()
        await world.go_on()
        if redis.calls_until_away is not None:
            redis.away, redis.calls_until_away = False, None
            # Who was cut off may be dead now, with whatever it had not noted.
            if chance.random() < 0.7:
                await world.take_over(chance.sample(range(PARTITIONS), chance.randrange(1, 3)))
    world.end_zombies()
    for _ in range(6):
        for publisher in set(world.workers.values()):
            await publisher.publish()
    for key, fields in world.expected():
        found = redis.hashes.get(key)
        shown = None if found is None else {name: found[name] for name in found if name not in ("as_of_ms", "version")}
        assert shown == fields, key
        assert (key in redis.shares) == (fields is not None)
