"""Readers are moved on a real Redis: only to an application that shows all that they have seen."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from streams.config.settings import Settings
from streams.operations import promote as operation
from streams.operations.promote import Promotion, PromotionRefused, promote
from streams.publishing.redis_sink import RedisSink
from streams.redis.keys import Keys
from streams.tools.devstack import Devstack


class Two:
    """Two applications on one Redis, of two partitions; a call of `note` says how far one of them is."""

    def __init__(self, url: str) -> None:
        name = secrets.token_hex(4)
        self.url, self.blue, self.green = url, f"blue-{name}:", f"green-{name}:"
        self.redis = Redis.from_url(url, decode_responses=True)

    def note(self, prefix: str, begun: list[int], done: list[int], topic_id: str = "source") -> None:
        async def noted(sink: RedisSink) -> None:
            await sink.join(2)
            assert not (await sink.begin_round({}, dict(enumerate(begun)), topic_id)).is_held
            await sink.note_published({0: (1, 1), 1: (1, 1)}, dict(enumerate(done)))

        self.run(prefix, noted)

    def run(self, prefix: str, call: Callable[[RedisSink], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            sink = RedisSink(self.url, prefix, prefix)
            try:
                return await call(sink)
            finally:
                await sink.close()

        return asyncio.run(run())

    def move(self, prefix: str, *, force: bool = False) -> Promotion:
        return asyncio.run(promote(Settings(redis=self.url, redis_prefix=self.blue), prefix, force=force))

    @property
    def shown(self) -> str | None:
        return self.redis.hget(Keys(self.blue).alias, "prefix")


@pytest.fixture
def two(redis_of_our_own: Devstack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    monkeypatch.setattr(operation, "HELD_S", 0.3)
    two = Two(redis_of_our_own.redis)
    yield two
    two.redis.close()


@pytest.mark.parametrize(("done", "moves"), [([5, 7], True), ([6, 9], True), ([4, 7], False), ([9, 6], False)])
def test_readers_are_moved_to_what_is_as_far_in_every_partition(two: Two, done: list[int], moves: bool) -> None:
    two.note(two.blue, [5, 7], [5, 7])
    two.note(two.green, done, done)
    if moves:
        assert two.move(two.green) == Promotion(two.blue, two.green)
    else:
        with pytest.raises(PromotionRefused, match="is 1 record behind what readers see"):
            two.move(two.green)
    assert two.shown == (two.green if moves else None)
    assert not two.redis.exists(Keys(two.blue).hold)


def test_the_way_back_is_judged_likewise(two: Two) -> None:
    two.note(two.blue, [5, 7], [5, 7])
    two.note(two.green, [6, 7], [6, 7])
    two.move(two.green)
    with pytest.raises(PromotionRefused, match="1 record behind"):
        two.move(two.blue)
    two.note(two.blue, [6, 7], [6, 7])
    assert two.move(two.blue) == Promotion(two.green, two.blue)
    assert two.move(two.blue) == Promotion(two.blue, two.blue)


def test_what_is_begun_counts_not_what_is_done(two: Two) -> None:
    two.note(two.blue, [50, 7], [5, 7])
    two.note(two.green, [5, 7], [5, 7])
    with pytest.raises(PromotionRefused, match="45 records behind"):
        two.move(two.green)


def test_what_is_shown_stands_still_until_the_other_one_has_passed_it(two: Two) -> None:
    two.note(two.blue, [5, 7], [5, 7])
    two.note(two.green, [4, 7], [4, 7])
    two.redis.set(Keys(two.blue).hold, "1")
    assert two.run(two.blue, _begins) is False
    assert two.redis.hget(Keys(two.blue).offsets, "begun:0") == "5"
    assert two.run(two.green, _begins) is True


async def _begins(sink: RedisSink) -> bool:
    await sink.join(2)
    return not (await sink.begin_round({}, {0: 6}, "source")).is_held


def test_nobody_is_moved_to_what_is_not_there_or_not_complete(two: Two) -> None:
    two.note(two.blue, [5, 7], [5, 7])
    with pytest.raises(PromotionRefused, match="nothing is published"):
        two.move(two.green)
    two.note(two.green, [5, 7], [5, 7])
    two.run(two.green, _not_complete)
    with pytest.raises(PromotionRefused, match="is not complete"):
        two.move(two.green, force=True)
    two.note(two.green, [5, 7], [5, 7])
    two.run(two.green, _rebuild)
    with pytest.raises(PromotionRefused, match="is still recounting 2 partitions"):
        two.move(two.green, force=True)
    assert two.shown is None


async def _not_complete(sink: RedisSink) -> None:
    await sink.join(2)
    await sink.note_published({0: (0, 0)}, {0: -1})


async def _rebuild(sink: RedisSink) -> None:
    await sink.join(2)
    await sink.begin_rebuild(2)


def test_who_insists_sees_older_numbers(two: Two) -> None:
    two.note(two.blue, [5_000_000, 7], [5, 7])
    two.note(two.green, [4, 7], [4, 7])
    with pytest.raises(PromotionRefused, match="4,999,996 records behind"):
        two.move(two.green)
    assert two.move(two.green, force=True) == Promotion(two.blue, two.green)


def test_applications_of_different_topics_cannot_be_compared(two: Two) -> None:
    two.note(two.blue, [5, 7], [5, 7])
    two.note(two.green, [5, 7], [5, 7], topic_id="another")
    with pytest.raises(PromotionRefused, match="different source topics"):
        two.move(two.green)


def test_of_two_who_move_readers_at_once_one_is_told(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    two.note(two.green, [5, 7], [5, 7])

    async def moved_meanwhile(client: Any, prefix: str) -> str:
        two.redis.hset(Keys(two.blue).alias, "prefix", "third:")
        return prefix

    monkeypatch.setattr(operation, "shown_prefix", moved_meanwhile)
    with pytest.raises(PromotionRefused, match="somebody else has just moved readers to third:"):
        two.move(two.green)
    assert two.shown == "third:"


def test_where_nothing_was_ever_shown_nothing_can_be_older(two: Two) -> None:
    two.note(two.green, [5, 7], [5, 7])
    assert two.move(two.green) == Promotion(two.blue, two.green)


def test_workers_of_an_earlier_version_do_not_say_how_far_they_are(two: Two) -> None:
    two.note(two.blue, [5, 7], [5, 7])
    two.redis.hdel(Keys(two.blue).offsets, "begun:1")
    two.note(two.green, [5, 7], [5, 7])
    with pytest.raises(PromotionRefused, match=r"earlier version.*--force"):
        two.move(two.green)
