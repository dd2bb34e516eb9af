"""Rounds of publishing that cannot take everything: what goes first, and what is noted of the rest."""

from __future__ import annotations

import logging

import pytest
from fake_sink import FakeRedis
from publishing import BEGUN, committed, in_a_loop, plays, shown, worker

from models.counters import WINDOW_FIELDS
from models.tally import TITLE, TallyKey
from models.windows import WEEK
from streams.publishing.publisher import Publisher
from streams.publishing.sink import Unreachable
from streams.state.committed import Committed

TITLES = 60
A_ROUND = 16


def catalog_of(sequence: int, plays_of_each: int = 1) -> Committed:
    """A partition with many titles, each with a week, as a checkpoint left them."""
    state = committed(0, sequence)
    ids = [f"t{number}" for number in range(TITLES)]
    titles = {TallyKey(TITLE, 0, each): plays(plays_of_each, 1) for each in ids}
    weeks = {TallyKey(WEEK, 1, each): plays(plays_of_each, 1, WINDOW_FIELDS) for each in ids}
    return state._replace(tallies=titles | weeks)


async def opened(redis: FakeRedis, state: Committed) -> Publisher:
    """A publisher whose rounds are small."""
    publisher = worker(redis, partitions=1)
    await publisher.join()
    await publisher.open_partition(state)
    publisher._pace.round_keys = A_ROUND
    return publisher


async def all_rounds(publisher: Publisher) -> int:
    rounds = 0
    while publisher.waiting_keys or publisher._marking:
        await publisher.publish()
        rounds += 1
        assert rounds < 200
    return rounds


async def published(redis: FakeRedis) -> None:
    """The catalog was published by a worker before, and is complete."""
    former = await opened(redis, catalog_of(1))
    assert await former.drain(10)
    assert set(shown(redis, "complete").values()) == {"1"}
    assert redis.published == {0: (BEGUN, 1)}


@in_a_loop
async def test_what_changes_is_shown_by_the_next_round_while_a_catalog_is_published_again() -> None:
    redis = FakeRedis()
    await published(redis)
    publisher = await opened(redis, catalog_of(1))
    await publisher.publish()
    publisher.on_committed(committed(0, 2, newest=1))
    await publisher.publish()
    assert shown(redis)["newest"] == "1"
    assert publisher.waiting_keys > TITLES // 3
    await all_rounds(publisher)
    assert redis.published == {0: (BEGUN, 2)}


NEW = {f"new{number}": 1 for number in range(10 * A_ROUND)}
"""Titles that no round has written yet: many rounds' worth."""


async def idle(redis: FakeRedis) -> Publisher:
    """A publisher that has published all of its catalog."""
    publisher = await opened(redis, catalog_of(1))
    assert await publisher.drain(10)
    return publisher


@in_a_loop
async def test_a_known_title_is_shown_by_the_next_round_however_many_new_ones_changed_with_it() -> None:
    redis = FakeRedis()
    publisher = await idle(redis)
    for sequence in (2, 3):
        publisher.on_committed(committed(0, sequence, **NEW, t7=sequence))
        await publisher.publish()
        assert shown(redis)["t7"] == str(sequence)
    assert publisher.waiting_keys > 8 * A_ROUND
    await all_rounds(publisher)
    assert shown(redis).items() >= dict.fromkeys(NEW, "1").items()
    assert redis.published == {0: (BEGUN, 3)}


@in_a_loop
async def test_a_title_is_known_once_a_round_has_written_it() -> None:
    redis = FakeRedis()
    publisher = await idle(redis)
    publisher.on_committed(committed(0, 2, newest=1))
    await publisher.publish()
    publisher.on_committed(committed(0, 3, **NEW, newest=2))
    await publisher.publish()
    assert shown(redis)["newest"] == "2"


@in_a_loop
async def test_a_title_is_known_by_what_any_partition_of_the_worker_counted() -> None:
    redis = FakeRedis()
    publisher = await idle(redis)
    await publisher.open_partition(committed(1, 0))
    await publisher.drain(10)
    publisher.on_committed(committed(1, 1, **NEW, t7=4))
    await publisher.publish()
    assert shown(redis)["t7"] == "5"


@in_a_loop
async def test_a_hash_takes_in_what_is_pending_of_it_in_every_partition() -> None:
    redis = FakeRedis()
    publisher = await idle(redis)
    await publisher.open_partition(committed(1, 0))
    await publisher.drain(10)
    ids = [f"t{number}" for number in range(TITLES)]
    publisher.on_committed(committed(0, 2, **dict.fromkeys(ids, 10)))
    publisher.on_committed(committed(1, 1, **dict.fromkeys(reversed(ids), 100)))
    await publisher.publish()
    values = [shown(redis)[each] for each in ids]
    assert set(values) == {"1", "110"}
    assert A_ROUND // 2 <= values.count("110") <= A_ROUND


@in_a_loop
async def test_what_a_round_left_over_of_new_titles_goes_on_while_others_change() -> None:
    redis = FakeRedis()
    publisher = await idle(redis)
    publisher.on_committed(committed(0, 2, **NEW))
    for sequence in range(3, 400):
        publisher.on_committed(committed(0, sequence, **{f"t{number}": sequence for number in range(2 * A_ROUND)}))
        await publisher.publish()
    assert shown(redis).items() >= dict.fromkeys(NEW, "1").items()


@pytest.mark.parametrize("rounds", range(1, 12))
@in_a_loop
async def test_no_version_is_noted_that_holds_a_change_still_pending(rounds: int) -> None:
    redis = FakeRedis()
    publisher = await idle(redis)
    publisher.on_committed(committed(0, 2, **NEW))
    publisher.on_committed(committed(0, 3, t1=3))
    for _ in range(rounds):
        await publisher.publish()
    is_all = shown(redis).keys() >= NEW.keys()
    assert redis.published == {0: (BEGUN, 3 if is_all else 1)}


@in_a_loop
async def test_titles_go_before_their_windows_and_windows_do_not_wait_for_all_titles() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, catalog_of(1))
    await publisher.publish()
    weeks = [key for key in shown(redis) if ":week:" in key]
    assert 0 < len(weeks) < len(shown(redis)) - len(weeks)


@in_a_loop
async def test_within_a_round_titles_of_all_partitions_are_written_before_windows() -> None:
    redis = FakeRedis()
    publisher = worker(redis, partitions=2)
    await publisher.join()
    for partition in (0, 1):
        state = catalog_of(1)
        own = {key._replace(title_id=f"{partition}{key.title_id}"): tally for key, tally in state.tallies.items()}
        await publisher.open_partition(state._replace(partition=partition, tallies=own))
    await publisher.publish()
    written = [":week:" in key for key, _ in redis.changes if "title:" in key]
    assert written == [False] * 2 * TITLES + [True] * 2 * TITLES


@pytest.mark.parametrize("keys", [A_ROUND - 1, A_ROUND, A_ROUND + 1])
@in_a_loop
async def test_a_round_takes_everything_up_to_its_bound(keys: int) -> None:
    redis = FakeRedis()
    await published(redis)
    publisher = await opened(redis, catalog_of(1))
    await all_rounds(publisher)
    # The status hash is pending, too.
    publisher.on_committed(committed(0, 2, **{f"new{number}": 1 for number in range(keys - 1)}))
    await publisher.publish()
    assert bool(publisher.waiting_keys) == (keys > A_ROUND)


@in_a_loop
async def test_a_worker_that_starts_where_all_is_complete_writes_titles_once_and_no_window() -> None:
    redis = FakeRedis()
    await published(redis)
    written = len(redis.changes)
    await all_rounds(await opened(redis, catalog_of(1)))
    keys = [key for key, _ in redis.changes[written:] if key != "p:status"]
    assert sorted(keys) == sorted(f"p:title:t{number}" for number in range(TITLES))


@pytest.mark.parametrize("rounds", range(0, 40, 3))
@in_a_loop
async def test_a_worker_that_dies_between_two_rounds_leaves_the_rest_to_its_heir(rounds: int) -> None:
    redis = FakeRedis()
    await published(redis)
    dying = await opened(redis, catalog_of(1))
    changed = catalog_of(2, plays_of_each=7)
    changed = changed._replace(tallies={key: [2, *tally[1:]] for key, tally in changed.tallies.items() if tally})
    dying.on_committed(changed)
    for _ in range(rounds):
        await dying.publish()
    heir = await opened(redis, changed)
    await all_rounds(heir)
    assert set(shown(redis).values()) == {"7"}
    assert redis.published == {0: (BEGUN, 2)}


@pytest.mark.parametrize("rounds", range(0, 60, 4))
@in_a_loop
async def test_after_a_loss_nothing_is_said_complete_before_all_of_it_is_written(rounds: int) -> None:
    redis = FakeRedis()
    await published(redis)
    publisher = await opened(redis, catalog_of(1))
    redis.flush()
    for _ in range(rounds):
        await publisher.publish()
        if "1" in shown(redis, "complete").values():
            assert len(shown(redis)) == 2 * TITLES
    if rounds % 8:  # its heir goes on, or it does itself
        publisher = await opened(redis, catalog_of(1))
    await all_rounds(publisher)
    assert await publisher.drain(10)
    assert set(shown(redis, "complete").values()) == {"1"}
    assert redis.published == {0: (BEGUN, 1)}


@in_a_loop
async def test_who_ends_while_redis_is_away_says_what_is_left_and_why(caplog: pytest.LogCaptureFixture) -> None:
    redis = FakeRedis()
    publisher = await opened(redis, catalog_of(1))
    redis.away = True
    with caplog.at_level(logging.WARNING):
        assert not await publisher.drain(1)
    assert caplog.messages == [
        "left for the next owner to publish (60 titles, the windows of 0, 61 other keys; partitions 0):"
        " the fake is away"
    ]


@in_a_loop
async def test_who_has_no_time_left_says_so(caplog: pytest.LogCaptureFixture) -> None:
    publisher = await opened(FakeRedis(), catalog_of(1))
    with caplog.at_level(logging.WARNING):
        assert not await publisher.drain(0)
    assert caplog.messages[0].endswith("Redis did not take them within 0 s")


@in_a_loop
async def test_an_outage_in_the_middle_of_a_catalog_loses_nothing() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, catalog_of(1))
    await publisher.publish()
    redis.calls_until_away = 4
    with pytest.raises(Unreachable):
        await publisher.publish()
    redis.away, redis.calls_until_away = False, None
    await all_rounds(publisher)
    assert await publisher.drain(10)
    assert len(shown(redis)) == 2 * TITLES
    assert redis.published == {0: (BEGUN, 1)}
