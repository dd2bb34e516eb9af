"""What a reader promises on a real Redis: one suite, for the reader with asyncio and the one without."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from published_by_hand import PublishedByHand
from redis import Redis

from streams.reader import AsyncReader, Change, Legs, Reader, ReaderError
from streams.tools.devstack import Devstack

HOUR = datetime(2026, 11, 23, 15, tzinfo=UTC)


class Plain:
    """A reader without asyncio."""

    def __init__(self, url: str, prefix: str, **options: Any) -> None:
        self.reader = Reader(url, prefix, **options)

    def ask(self, method: str, *arguments: Any, **named: Any) -> Any:
        return getattr(self.reader, method)(*arguments, **named)

    def follow(self, after: str | None = None) -> Callable[[], Change]:
        changes = self.reader.changes(after)
        return lambda: next(changes)

    def close(self) -> None:
        self.reader.close()


class WithAsyncio:
    """A reader with asyncio, on a loop of its own."""

    def __init__(self, url: str, prefix: str, **options: Any) -> None:
        self.runner = asyncio.Runner()
        self.reader = AsyncReader(url, prefix, **options)

    def ask(self, method: str, *arguments: Any, **named: Any) -> Any:
        return self.runner.run(getattr(self.reader, method)(*arguments, **named))

    def follow(self, after: str | None = None) -> Callable[[], Change]:
        changes = self.reader.changes(after)

        async def following() -> Change:
            return await anext(changes)

        return lambda: self.runner.run(following())

    def close(self) -> None:
        self.runner.run(self.reader.close())
        self.runner.close()


@pytest.fixture
def published(redis_of_our_own: Devstack) -> Iterator[PublishedByHand]:
    with Redis.from_url(redis_of_our_own.redis, decode_responses=True) as client:
        published = PublishedByHand(client, f"test-{secrets.token_hex(4)}:")
        published.status()
        yield published


@pytest.fixture(params=[Plain, WithAsyncio])
def make(request: Any, redis_of_our_own: Devstack, published: PublishedByHand) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(url: str = redis_of_our_own.redis, **options: Any) -> Any:
        made.append(request.param(url, published.prefix, **options))
        return made[-1]

    yield make
    for reader in made:
        reader.close()


@pytest.fixture
def reader(make: Callable[..., Any]) -> Any:
    return make()


def test_a_title_is_read_with_its_types(reader: Any, published: PublishedByHand) -> None:
    published.title("a/b c", plays=44_012_345, watched_s="12.345", completion_rate="0.500000", watching_now=3)
    title = reader.ask("title", "a/b c")
    assert (title.title_id, title.plays, title.watched_ms, title.watching_now) == ("a/b c", 44_012_345, 12_345, 3)
    assert (title.completion_rate, title.repeat_rate, title.complete) == (0.5, None, True)
    assert reader.ask("title", "nobody") is None


def test_many_titles_are_read_in_one_round_trip(reader: Any, published: PublishedByHand) -> None:
    for number in range(50):
        published.title(f"t{number}", plays=number)
    found = reader.ask("titles", [f"t{number}" for number in range(60)])
    assert [title.plays for title in found.values()] == list(range(50))


def test_windows_are_read_by_hour_day_week_and_age(reader: Any, published: PublishedByHand) -> None:
    published.window("dragon", "hour:20261123T15", plays=1)
    published.window("dragon", "day:20261123", plays=2)
    published.window("dragon", "week:3", plays=3)
    published.window("dragon", "age:28d", plays=4)
    assert [(hour.start, hour.plays) for hour in reader.ask("hours", "dragon", HOUR, HOUR)] == [(HOUR, 1)]
    day = date(2026, 11, 23)
    assert [(found.date, found.plays) for found in reader.ask("days", "dragon", day, day)] == [(day, 2)]
    assert [(week.number, week.plays) for week in reader.ask("weeks", "dragon")] == [(3, 3)]
    assert [(age.name, age.plays) for age in reader.ask("ages", "dragon")] == [("28d", 4)]


def test_a_year_of_hours_is_read(reader: Any, published: PublishedByHand) -> None:
    published.window("dragon", "hour:20260101T00", plays=1)
    published.window("dragon", "hour:20261231T23", plays=2)
    hours = reader.ask("hours", "dragon", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC))
    assert [hour.plays for hour in hours] == [1, 2]


def test_dayparts_legs_and_franchises_are_read(reader: Any, published: PublishedByHand) -> None:
    published.part(
        "dragon", "dayparts", before_school_watched_s="1.000", before_school_streak_5=7, other_watched_s="2.0"
    )
    published.part("dragon", "legs", week=5, hold="0.900000", multiple="", unstoppable=1)
    published.franchise("dragons", plays=9)
    assert reader.ask("dayparts", "dragon")["before_school"].streak_5 == 7
    legs = reader.ask("legs", "dragon")
    assert reader.ask("computed", "dragon", Legs) == legs
    assert (legs.week, legs.hold, legs.multiple, legs.unstoppable) == (5, 0.9, None, True)
    assert reader.ask("franchise", "dragons").plays == 9


def test_the_audience_by_week_and_the_curve_are_read(reader: Any, published: PublishedByHand) -> None:
    published.as_of_ms = 1_795_449_936_145
    published.title("dragon", plays=1)
    published.audience("dragon", "2026W47", new=4, returning=3, resurrected=2)
    published.audience("dragon", "2026W48", new=1)
    published.curve("dragon", 1.5, 0.25)
    weeks = reader.ask("audience", "dragon")
    assert [(week.monday, week.reached, week.new, week.returning, week.resurrected) for week in weeks] == [
        (date(2026, 11, 16), 9, 4, 3, 2),
        (date(2026, 11, 23), 1, 1, 0, 0),
    ]
    assert [week.name for week in reader.ask("audience", "dragon", weeks=1)] == ["2026W48"]
    assert reader.ask("curve", "dragon").values == (1.5, 0.25)
    (profile,) = reader.ask("compare", ["dragon"])
    assert (profile.audience, profile.curve) == (weeks, reader.ask("curve", "dragon"))
    assert (reader.ask("audience", "nobody"), reader.ask("curve", "nobody")) == ((), None)


def test_a_board_is_read_best_first_for_all_time_and_for_a_day(reader: Any, published: PublishedByHand) -> None:
    published.board("completions", a=1, b=3, c=2)
    published.board("watched_s", day="20261123", a=0.125)
    assert [(entry.title_id, entry.score) for entry in reader.ask("board", "completions", top=2).entries] == [
        ("b", 3),
        ("c", 2),
    ]
    assert reader.ask("board", "watched_s", date(2026, 11, 23)).entries[0].score == 0.125
    assert reader.ask("board", "plays").entries == ()


def test_titles_are_compared_with_all_that_is_known_of_them(reader: Any, published: PublishedByHand) -> None:
    published.title("dragon", plays=5)
    published.window("dragon", "age:opening", starters=4)
    nobody, dragon = reader.ask("compare", ["nobody", "dragon"])
    assert (nobody.title, dragon.title.plays, dragon.age("opening").starters) == (None, 5, 4)


def test_the_status_is_read(reader: Any, published: PublishedByHand) -> None:
    published.status(events=7, lag=2, checkpointed_ms=900)
    status = reader.ask("status")
    assert (status.events, status.lag, status.partitions_ready, status.checkpointed_ms) == (7, 2, 4, 900)


def test_while_counters_are_rebuilt_the_last_complete_ones_are_shown(reader: Any, published: PublishedByHand) -> None:
    published.title("dragon", plays=5)
    assert reader.ask("title", "dragon").plays == 5
    published.complete = 0
    published.title("dragon", plays=1)
    title = reader.ask("title", "dragon")
    assert (title.plays, title.complete) == (5, True)


def test_who_waits_gets_the_complete_value_as_soon_as_it_is_there(
    make: Callable[..., Any], published: PublishedByHand
) -> None:
    published.complete = 0
    published.title("dragon", plays=1)
    assert make().ask("title", "dragon").complete is False
    began = time.monotonic()
    assert make(wait_s=0.5).ask("title", "dragon").complete is False
    assert 0.5 <= time.monotonic() - began < 5
    published.complete = 1
    published.status()
    published.title("dragon", plays=9)
    assert make(wait_s=30).ask("title", "dragon").plays == 9


def test_another_service_s_key_is_an_error_that_names_the_key(reader: Any, published: PublishedByHand) -> None:
    published.client.set(f"{published.prefix}title:odd", "text")
    with pytest.raises(ReaderError, match="WRONGTYPE"):
        reader.ask("title", "odd")
    published.client.hset(f"{published.prefix}title:strange", "a", "b")
    with pytest.raises(ReaderError, match="title:strange is not as Encore writes it"):
        reader.ask("title", "strange")


def test_changes_are_followed_from_now_on_and_from_a_place_on(reader: Any, published: PublishedByHand) -> None:
    published.title("before")
    following = reader.follow(after=reader.ask("place"))
    versions = [published.title("a"), published.title("b")]
    seen = [following(), following()]
    assert [(change.title_id, change.version, change.missed) for change in seen] == [
        ("a", versions[0], False),
        ("b", versions[1], False),
    ]
    assert reader.follow(after=seen[0].place)() == seen[1]


def test_changes_that_were_cut_off_are_told_to_be_missed(reader: Any, published: PublishedByHand) -> None:
    published.changes_kept = 3
    following = reader.follow(after="1-1")
    for number in range(5):
        published.title(f"t{number}")
    seen = [following() for _ in range(3)]
    assert [(change.title_id, change.missed) for change in seen] == [("t2", True), ("t3", False), ("t4", False)]


@pytest.mark.parametrize("kind", [Plain, WithAsyncio])
def test_following_survives_a_server_that_is_killed_and_one_that_lost_its_data(
    private_redis: Devstack, kind: Any
) -> None:
    client = Redis.from_url(private_redis.redis, decode_responses=True)
    published = PublishedByHand(client, "encore:")
    published.title("a")
    reader = kind(private_redis.redis, "encore:")
    following = reader.follow(after=reader.ask("place"))
    published.title("b")
    assert following().title_id == "b"

    private_redis.redis_server.kill()
    with pytest.raises(ReaderError, match="does not answer"):
        reader.ask("title", "a")
    private_redis.redis_server.start()
    published.title("c")
    change = following()
    assert (change.title_id, change.missed) == ("c", False)

    private_redis.redis_server.kill()
    private_redis.redis_server.wipe()
    private_redis.redis_server.start()
    published.title("d")
    change = following()
    assert (change.title_id, change.missed) == ("d", True)
    reader.close()
    client.close()
