"""Publishing on the fake sink: what waits, what an outage and a loss leave, what a new owner has to do."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from fake_sink import FakeRedis, FakeSink
from publishing import BEGUN, FILM, OTHER, committed, empty, in_a_loop, opened, plays, shown, worker

from models.catalog import CatalogRow
from models.counters import WINDOW_FIELDS
from models.hash_fields import COUNTER_FIELDS
from models.rules import DAY_MS
from models.tally import CURVE, TallyKey
from models.windows import AUDIENCE, DAY, HOUR
from streams.config.settings import Settings
from streams.observability.metrics import Metrics
from streams.publishing.publisher import Publisher
from streams.publishing.sink import ForeignPrefix, Readable, Unreachable
from streams.state.committed import Committed

# -- what is published --------------------------------------------------------------------------------------------


def counted(partition: int, sequence: int, next_offset: int, **films: int) -> Committed:
    """A checkpoint that counts the source's records below that offset."""
    return committed(partition, sequence, **films)._replace(next_offset=next_offset, topic_id="source")


@in_a_loop
async def test_how_far_it_is_is_noted_before_anything_is_written_and_after_everything_is() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(counted(0, 1, 10, film=3))
    redis.calls_until_away = 1  # what is begun
    with pytest.raises(Unreachable):
        await publisher.publish()
    assert (redis.begun[0], redis.done.get(0), shown(redis)) == (10, None, {})
    redis.away, redis.calls_until_away = False, None
    await publisher.publish()
    assert (redis.begun, redis.done, shown(redis)) == ({0: 10, 1: 0}, {0: 10, 1: 0}, {"film": "3"})


@in_a_loop
async def test_it_is_not_done_while_something_of_the_partition_is_pending_charts_too() -> None:
    redis = FakeRedis()
    publisher = await _with_curves_held_back(redis)
    state = counted(0, 1, 10, film=3)
    publisher.on_committed(state._replace(tallies={**state.tallies, CURVE_OF_FILM: [1, 4, 2]}))
    await publisher.publish()
    assert (redis.begun[0], redis.done.get(0), shown(redis)) == (10, None, {"film": "3"})
    publisher._charts_due_s = 0.0
    await publisher.publish()
    assert redis.done[0] == 10


@in_a_loop
async def test_what_is_held_still_writes_nothing_and_everything_once_it_goes_on() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(counted(0, 1, 10, film=3))
    redis.held, changed = True, len(redis.changes)
    for _ in range(3):
        await publisher.publish()
    assert (shown(redis), len(redis.changes), redis.begun.get(0)) == ({}, changed, 0)
    redis.held = False
    await publisher.publish()
    assert (shown(redis), redis.done[0]) == ({"film": "3"}, 10)


@in_a_loop
async def test_while_hashes_are_not_complete_nothing_is_done() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(counted(0, 1, 10, film=3))
    await publisher.publish()
    assert redis.done[0] == 10
    redis.restart()
    states = []
    for _ in range(4):
        await publisher.publish()
        states.append((shown(redis, "complete")["film"], redis.done.get(0)))
    assert states[-1] == ("1", 10)
    assert all(done is None for complete, done in states if complete == "0")


@in_a_loop
async def test_readers_find_the_sum_of_all_partitions() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(committed(0, 1, film=3))
    publisher.on_committed(committed(1, 1, film=4, other=1))
    await publisher.publish()
    assert shown(redis) == {"film": "7", "other": "1"}
    assert redis.hashes["p:status"]["events"] == "2"


@in_a_loop
async def test_only_the_newest_share_of_a_key_waits() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    written = len(redis.changes)
    for sequence in range(1, 6):
        publisher.on_committed(committed(0, sequence, film=sequence))
    await publisher.publish()
    assert shown(redis) == {"film": "5"}
    assert sorted(key for key, _ in redis.changes[written:]) == ["p:status", "p:title:film"]


@in_a_loop
async def test_windows_and_titles_have_their_own_fields_and_lives() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    windows = {
        TallyKey(HOUR, 486_120, "a/b"): plays(2, 1, WINDOW_FIELDS),
        TallyKey(DAY, 20_255, "a/b"): plays(2, 1, WINDOW_FIELDS),
        TallyKey(AUDIENCE, 2_894, "a/b"): [1, 3, 1, 1, 1],
    }
    state = committed(0, 1, **{"a/b": 2})
    publisher.on_committed(state._replace(tallies={**state.tallies, **windows}))
    await publisher.publish()
    hour, day, title = "p:title:a%2Fb:hour:20250616T00", "p:title:a%2Fb:day:20250616", "p:title:a%2Fb"
    audience = "p:title:a%2Fb:audience:2025W25"
    assert redis.hashes.keys() == {hour, day, audience, title, "p:status"}
    of_hashes = {key: life_ms for key, life_ms in redis.lives_ms.items() if key in redis.hashes}
    assert of_hashes == {hour: 8 * DAY_MS, day: 400 * DAY_MS, audience: 400 * DAY_MS}
    assert redis.hashes[hour].keys() < redis.hashes[day].keys() < redis.hashes[title].keys()
    kept = {name: redis.hashes[audience][name] for name in ("reached", "new", "returning", "resurrected")}
    assert kept == {"reached": "3", "new": "1", "returning": "1", "resurrected": "1"}


# -- curves -------------------------------------------------------------------------------------------------------

CURVE_OF_FILM = TallyKey(CURVE, 0, "film")


def _curve(redis: FakeRedis) -> dict[str, str] | None:
    """The slices that readers find; None: no curve."""
    found = redis.hashes.get("p:title:film:curve")
    return found and {name: text for name, text in found.items() if name == "slices" or name.isdigit()}


@in_a_loop
async def test_a_curve_is_shown_by_the_length_that_the_catalog_knows_now() -> None:
    redis = FakeRedis()
    catalog: dict[str, CatalogRow] = {}
    publisher = await opened(redis, 0, 1, catalog=lambda: dict(catalog))
    publisher.on_committed(committed(0, 1)._replace(tallies={CURVE_OF_FILM: [1, 4, 2]}))
    publisher.on_committed(committed(1, 1)._replace(tallies={CURVE_OF_FILM: [1, 1, 0]}))
    await publisher.publish()
    assert _curve(redis) is None

    catalog["film"] = CatalogRow("film", runtime_ms=10_000)
    await publisher.publish()
    assert _curve(redis) == {"slices": "2", "0": "5.000", "1": "2.000"}

    catalog["film"] = CatalogRow("film", runtime_ms=5_000)
    await publisher.publish()
    assert _curve(redis) == {"slices": "1", "0": "5.000"}


async def _with_curves_held_back(redis: FakeRedis) -> Publisher:
    """A publisher that has just published curves, and does so again in an hour."""
    publisher = worker(redis, catalog=lambda: {"film": CatalogRow("film", runtime_ms=10_000)}, chart_publish_s=3_600)
    await publisher.join()
    for partition in (0, 1):
        await publisher.open_partition(committed(partition, 0, stream_time_ms=-1))
    # The second round says that all is complete, the third says it of everything.
    for _ in range(3):
        await publisher.publish()
    return publisher


def _played(sequence: int) -> Committed:
    """A checkpoint in which the film has a curve, which changed last in the first one."""
    state = committed(0, sequence, film=sequence)
    return state._replace(tallies={**state.tallies, CURVE_OF_FILM: [1, 4, 2]})


@in_a_loop
async def test_a_curve_waits_for_its_turn_and_for_nothing_where_the_worker_ends() -> None:
    redis = FakeRedis()
    publisher = await _with_curves_held_back(redis)
    publisher.on_committed(_played(1))
    await publisher.publish()
    assert (shown(redis), _curve(redis)) == ({"film": "1"}, None)
    assert publisher.waiting_keys == 1

    assert await publisher.drain(5)
    assert _curve(redis) == {"slices": "2", "0": "4.000", "1": "2.000"}


@in_a_loop
async def test_a_curve_that_was_held_back_is_published_by_whoever_takes_over() -> None:
    redis = FakeRedis()
    publisher = await _with_curves_held_back(redis)
    for sequence in (1, 2, 3):
        publisher.on_committed(_played(sequence))
        await publisher.publish()
    assert _curve(redis) is None

    successor = worker(redis, catalog=lambda: {"film": CatalogRow("film", runtime_ms=10_000)})
    await successor.join()
    await successor.open_partition(_played(3))
    await successor.publish()
    assert _curve(redis) == {"slices": "2", "0": "4.000", "1": "2.000"}


@pytest.mark.parametrize("lengths_ms", [(10_000, 5_000), (10_000, 15_000), (10_000, 5_000, 10_000)])
def test_a_curve_is_shown_by_the_length_that_was_corrected_while_nobody_had_its_partition(
    lengths_ms: tuple[int, ...],
) -> None:
    @in_a_loop
    async def scenario() -> None:
        redis, catalog = FakeRedis(), [{"film": CatalogRow(title_id="film", runtime_ms=lengths_ms[0])}]
        state = committed(0, 1)._replace(tallies={CURVE_OF_FILM: [1, 4, 2]}, catalog=catalog[0])
        former, heir = (worker(redis, partitions=1, catalog=lambda: catalog[0]) for _ in range(2))
        for publisher in (former, heir):
            await publisher.join()
        await former.open_partition(state)
        assert await former.drain(1)
        await heir.publish()
        for length_ms in lengths_ms[1:]:
            # The former owner shows a correction and dies before its state takes it in; the heir knows of it by then.
            await former.publish()
            catalog[0] = {"film": CatalogRow(title_id="film", runtime_ms=length_ms)}
            await heir.publish()

        await heir.open_partition(state)
        assert await heir.drain(1)

        assert (_curve(redis) or {})["slices"] == str(lengths_ms[-1] // 5_000)

    scenario()


@in_a_loop
async def test_a_curve_that_began_anew_in_all_partitions_is_gone_until_something_is_played() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1, catalog=lambda: {"film": CatalogRow("film", runtime_ms=10_000)})
    for partition in (0, 1):
        publisher.on_committed(committed(partition, 1)._replace(tallies={CURVE_OF_FILM: [1, 1, 2]}))
    await publisher.publish()
    publisher.on_committed(committed(0, 2)._replace(tallies={CURVE_OF_FILM: [2]}))
    await publisher.publish()
    assert _curve(redis) == {"slices": "2", "0": "1.000", "1": "2.000"}

    publisher.on_committed(committed(1, 2)._replace(tallies={CURVE_OF_FILM: [2]}))
    await publisher.publish()
    assert _curve(redis) is None

    publisher.on_committed(committed(1, 3)._replace(tallies={CURVE_OF_FILM: [3, 0, 1]}))
    await publisher.publish()
    assert _curve(redis) == {"slices": "2", "0": "0.000", "1": "1.000"}


@in_a_loop
async def test_views_follow_the_catalog_of_the_publishing_worker() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    watched = plays(0, 1)
    watched[1 + COUNTER_FIELDS.index("watched_ms")] = 2_500_000
    publisher.on_committed(committed(0, 1)._replace(tallies={FILM: watched, OTHER: watched}))
    await publisher.publish()
    assert shown(redis, "views") == {"film": "2.500000", "other": ""}


@in_a_loop
async def test_the_status_tells_the_least_time_and_the_lag_of_all_workers() -> None:
    redis = FakeRedis()
    one, other = await opened(redis, 0), await opened(redis, 1)
    one.on_committed(committed(0, 1, stream_time_ms=900))
    one.on_lag(0, 5)
    other.on_committed(committed(1, 1, stream_time_ms=700))
    other.on_lag(1, 2)
    other.on_lag(0, 99)  # not its partition
    await one.publish()
    await other.publish()
    status = redis.hashes["p:status"]
    assert {name: status[name] for name in ("lag", "as_of_ms", "partitions_ready", "incarnation")} == {
        "lag": "7", "as_of_ms": "700", "partitions_ready": "2", "incarnation": str(BEGUN),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lags", "is_far"), [((25_000, 24_999), False), ((25_000, 25_000), False), ((1, 50_000), True)]
)
@in_a_loop
async def test_more_than_fifty_thousand_records_in_all_partitions_together_are_far_behind(
    lags: tuple[int, int], is_far: bool
) -> None:
    publisher = await opened(FakeRedis(), 0, 1)
    for partition, lag in enumerate(lags):
        publisher.on_lag(partition, lag)
    assert publisher.is_far_behind is is_far


@in_a_loop
async def test_what_readers_know_is_told_once_it_is_published_complete_and_not_after_a_loss() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(committed(0, 3, film=1))
    assert publisher.published == {0: 0, 1: 0}
    await publisher.publish()
    assert publisher.published == {0: 3, 1: 0}
    redis.flush()
    publisher.on_committed(committed(0, 4, film=2))
    await publisher.publish()
    assert publisher.published == {0: 0, 1: 0}
    for _ in range(3):  # written, found to be all, and said complete
        await publisher.publish()
    assert publisher.published == {0: 4, 1: 0}


@in_a_loop
async def test_the_age_of_a_rounds_oldest_record_is_measured_once_readers_may_trust_the_round() -> None:
    redis, metrics = FakeRedis(), Metrics()
    publisher = await opened(redis, 0, 1, metrics=metrics)

    def rounds() -> float | None:
        return metrics.registry.get_sample_value("encore_event_to_redis_seconds_count")

    publisher.on_committed(committed(0, 1, film=1)._replace(oldest_ms=1))
    redis.flush()
    for _ in range(2):  # the loss is found, then all is written
        await publisher.publish()
    assert rounds() == 0
    for _ in range(3):  # found to be all, and said complete
        await publisher.publish()
    assert rounds() == 1


@in_a_loop
async def test_a_new_owner_knows_what_the_one_before_had_published() -> None:
    redis = FakeRedis()
    before, after = await opened(redis, 0, 1), await opened(redis)
    before.on_committed(committed(0, 3, film=1))
    await before.publish()
    await after.open_partition(committed(0, 4, film=2))
    assert after.published == {0: 3}


@in_a_loop
async def test_more_keys_than_one_call_takes_are_all_published() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(committed(0, 1, **{f"film-{number}": number for number in range(450)}))
    await publisher.publish()
    assert shown(redis) == {f"film-{number}": str(number) for number in range(450)}


# -- while Redis is away ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("calls", range(6))
@in_a_loop
async def test_an_outage_at_any_call_loses_nothing_and_newer_shares_win(calls: int) -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(committed(0, 1, film=1, other=1))
    redis.calls_until_away = calls
    with pytest.raises(Unreachable):
        await publisher.publish()
    publisher.on_committed(committed(0, 2, film=2))
    redis.away, redis.calls_until_away = False, None
    await publisher.publish()
    assert shown(redis) == {"film": "2", "other": "1"}
    assert redis.published[0] == (BEGUN, 2)


@in_a_loop
async def test_a_partition_that_was_given_up_during_an_outage_waits_no_more() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(committed(0, 1, film=1, other=1))
    publisher.on_committed(committed(1, 1, film=10))
    publisher.close_partition(0)
    await publisher.publish()
    assert shown(redis) == {"film": "10"}


@in_a_loop
async def test_a_worker_that_ends_publishes_what_waits_if_redis_answers() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(committed(0, 1, film=1))
    redis.away = True
    assert not await publisher.drain(1)
    redis.away = False
    assert await publisher.drain(1)
    assert shown(redis) == {"film": "1"}


@pytest.mark.parametrize("rounds", [0, 1, 2, 3])
@in_a_loop
async def test_a_worker_that_ends_says_complete_what_is_complete_however_short_it_lived(rounds: int) -> None:
    redis = FakeRedis()
    publisher = worker(redis, partitions=1)
    await publisher.join()
    await publisher.open_partition(committed(0, 1, film=1))
    for _ in range(rounds):
        await publisher.publish()

    assert await publisher.drain(1)

    assert (shown(redis, "complete"), redis.published) == ({"film": "1"}, {0: (BEGUN, 1)})


@in_a_loop
async def test_a_worker_that_ends_does_not_wait_for_the_partitions_of_others() -> None:
    redis = FakeRedis()
    publisher = worker(redis, partitions=2)
    await publisher.join()
    await publisher.open_partition(committed(0, 1, film=1))
    await publisher.publish()

    assert await publisher.drain(60)

    assert (shown(redis, "complete"), redis.published) == ({"film": "0"}, {0: (0, 0)})


@in_a_loop
async def test_a_partition_opened_while_redis_is_away_is_published_whole_afterwards() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 1)
    redis.away = True
    await publisher.open_partition(committed(0, 7, film=3))
    redis.away = False
    await publisher.publish()
    assert shown(redis) == {"film": "3"}


# -- a new owner --------------------------------------------------------------------------------------------------


@in_a_loop
async def test_who_opened_a_state_before_its_first_checkpoint_hides_nothing_of_what_another_worker_begins() -> None:
    redis, hour = FakeRedis(), TallyKey(HOUR, 486_120, "film")
    begins, late, heir = [await opened(redis, *partitions) for partitions in ((0, 1), (0,), ())]
    state = committed(0, 1, film=3)
    state = state._replace(tallies={**state.tallies, hour: plays(2, 1, WINDOW_FIELDS)})
    begins.on_committed(state)
    redis.calls_until_away = 5  # its shares are there, and it dies
    with pytest.raises(Unreachable):
        await begins.publish()
    redis.away, redis.calls_until_away = False, None
    late.on_committed(empty(0))
    await late.publish()
    await heir.open_partition(state)
    await heir.publish()
    assert shown(redis) == {"film": "3", "film:hour:20250616T00": "2"}
    assert (redis.hashes["p:status"]["events"], redis.published[0]) == ("1", (BEGUN, 1))


@in_a_loop
async def test_a_new_owner_publishes_what_is_missing_and_all_titles() -> None:
    redis = FakeRedis()
    former, new = await opened(redis, 0, 1), await opened(redis)
    former.on_committed(committed(0, 1, film=1, other=1))
    former.on_committed(committed(0, 2, film=2))
    await former.publish()
    written = len(redis.changes)
    # The former owner committed a third checkpoint and ended before it was published.
    an_hour = {
        TallyKey(HOUR, 1, "film"): plays(1, 1, WINDOW_FIELDS),
        TallyKey(HOUR, 2, "film"): plays(4, 3, WINDOW_FIELDS),
    }
    state = committed(0, 3)._replace(tallies={FILM: plays(5, 3), OTHER: plays(1, 1), **an_hour})
    await new.open_partition(state)
    await new.publish()
    assert shown(redis)["film"] == "5"
    # Of the titles all: the catalog may have corrected one while nobody looked.
    written_anew = sorted(key for key, _ in redis.changes[written:])
    assert written_anew == ["p:status", "p:title:film", "p:title:film:hour:19700101T02", "p:title:other"]


@in_a_loop
async def test_a_corrected_runtime_is_published_although_no_counter_has_moved() -> None:
    redis, catalog = FakeRedis(), {"film": CatalogRow("film", runtime_ms=1000)}
    publisher = Publisher(Settings(redis_prefix="p:"), FakeSink(redis, "p:", "app"), lambda: catalog, 1, Metrics())  # type: ignore[arg-type]
    await publisher.join()
    await publisher.open_partition(committed(0, 0))
    await publisher.publish()
    publisher.on_committed(committed(0, 1, film=1))
    await publisher.publish()
    await publisher.publish()
    written = len(redis.changes)
    catalog = {"film": CatalogRow("film", runtime_ms=2000), "unseen": CatalogRow("unseen", runtime_ms=1)}
    await publisher.publish()
    assert [key for key, _ in redis.changes[written:]] == ["p:title:film"]


@in_a_loop
async def test_a_former_owner_that_does_not_know_it_yet_moves_nothing() -> None:
    redis = FakeRedis()
    metrics = Metrics()
    zombie, new = await opened(redis, 0, 1, metrics=metrics), await opened(redis)
    zombie.on_committed(committed(0, 1, film=1))
    await new.open_partition(committed(0, 2, film=9))
    await new.publish()
    await zombie.publish()
    assert shown(redis) == {"film": "9"}
    # The film's and the status'.
    assert metrics.registry.get_sample_value("encore_refused_shares_total") == 2


class Freezing(FakeSink):
    """Its worker freezes before it writes a hash, once it is told to."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.freezes = False
        self.frozen, self.awake = asyncio.Event(), asyncio.Event()

    async def write_hashes(self, hashes: Sequence[Readable], *, alone: bool = False) -> int:
        if self.freezes:
            self.frozen.set()
            await self.awake.wait()
        return await super().write_hashes(hashes, alone=alone)


@in_a_loop
async def test_a_former_owner_that_wakes_in_a_round_after_a_loss_leaves_nothing_incomplete() -> None:
    redis, state = FakeRedis(), committed(0, 1, film=3, other=5)
    former = worker(redis, partitions=1, sink=Freezing)
    sink = cast(Freezing, former._sink)
    await former.join()
    await former.open_partition(state)
    assert await former.drain(10)
    redis.flush()
    await former.publish()
    sink.freezes = True
    round_of_former = asyncio.create_task(former.publish())
    await sink.frozen.wait()

    heir = worker(redis, partitions=1)
    await heir.join()
    await heir.open_partition(state)
    assert await heir.drain(10)
    former.close_partition(0)
    sink.freezes = False
    sink.awake.set()
    await round_of_former

    assert (shown(redis), set(shown(redis, "complete").values())) == ({"film": "3", "other": "5"}, {"1"})


@in_a_loop
async def test_what_is_committed_later_does_not_change_what_was_handed_over() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 1)
    state = committed(0, 1, film=1)
    await publisher.open_partition(state)
    publisher.on_committed(committed(0, 2, film=2))
    assert state.tallies == {FILM: plays(1, 1)}


@in_a_loop
async def test_another_applications_prefix_is_refused() -> None:
    redis = FakeRedis()
    await worker(redis, "mine").join()
    with pytest.raises(ForeignPrefix):
        await worker(redis, "theirs").join()


# -- after a loss -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [FakeRedis.flush, FakeRedis.restart])
@in_a_loop
async def test_a_rebuild_is_incomplete_until_every_partition_is_through(loss: Callable[[FakeRedis], None]) -> None:
    redis = FakeRedis()
    one, other = await opened(redis, 0), await opened(redis, 1)
    one.on_committed(committed(0, 1, film=3))
    other.on_committed(committed(1, 1, film=4))
    for publisher in (one, other, one, other):
        await publisher.publish()
    assert (shown(redis), shown(redis, "complete")) == ({"film": "7"}, {"film": "1"})
    loss(redis)
    await one.publish()  # notices
    await one.publish()  # publishes its share again
    assert set(shown(redis, "complete").values()) == {"0"}
    await other.publish()
    await other.publish()
    for publisher in (one, other, one):
        await publisher.publish()
    assert (shown(redis), shown(redis, "complete")) == ({"film": "7"}, {"film": "1"})
    assert redis.hashes["p:status"]["complete"] == "1"


@in_a_loop
async def test_who_dies_before_saying_complete_leaves_that_to_the_next_owner() -> None:
    redis, hour = FakeRedis(), TallyKey(HOUR, 486_120, "film")
    state = committed(0, 1)._replace(tallies={hour: plays(2, 1, WINDOW_FIELDS)})
    for _ in range(2):
        publisher = worker(redis, partitions=1)
        await publisher.join()
        await publisher.publish()
        await publisher.open_partition(state)
        await publisher.publish()
    assert shown(redis, "complete").popitem()[1] == "1"


@in_a_loop
async def test_a_loss_between_publishing_and_noting_it_forgets_nothing() -> None:
    redis = FakeRedis()
    one, other = await opened(redis, 0), await opened(redis, 1)
    one.on_committed(committed(0, 1, film=3))
    sink = one._sink

    async def lost_meanwhile(versions: dict[int, tuple[int, int]], ends: dict[int, int]) -> None:
        redis.flush()
        await other.join()
        await FakeSink.note_published(sink, versions)  # type: ignore[arg-type]

    sink.note_published = lost_meanwhile  # type: ignore[method-assign, assignment]
    await one.publish()
    assert redis.published == {}
    assert redis.pending == {0, 1}
    sink.note_published = functools.partial(FakeSink.note_published, sink)  # type: ignore[method-assign, arg-type]
    await one.publish()
    assert shown(redis) == {"film": "3"}


@in_a_loop
async def test_a_state_without_a_checkpoint_takes_out_what_a_state_before_it_had_published() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(committed(0, 1, film=3))
    publisher.on_committed(committed(1, 1, film=4))
    await publisher.publish()
    redis.restart()
    publisher = await opened(redis)
    await publisher.open_partition(empty(0))
    await publisher.open_partition(committed(1, 1, film=4))
    for _ in range(3):
        await publisher.publish()
    assert (shown(redis), shown(redis, "complete")) == ({"film": "4"}, {"film": "1"})
    assert redis.hashes["p:status"].items() >= {"events": "1", "complete": "1"}.items()


@in_a_loop
async def test_what_waits_in_a_rebuild_is_newer_than_what_was_published_before_the_loss() -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(committed(0, 1, film=1, other=1))
    await publisher.publish()
    publisher.on_committed(committed(0, 2, film=2))
    redis.flush()
    await publisher.publish()
    await publisher.publish()
    assert shown(redis) == {"film": "2", "other": "1"}
    for _ in range(2):  # one notices that all partitions are through, the next says so
        await publisher.publish()
    assert shown(redis, "complete") == {"film": "1", "other": "1"}


# -- a rebuild ----------------------------------------------------------------------------------------------------


def recounted(partition: int, sequence: int, *, recounts: bool, **films: int) -> Committed:
    """A checkpoint of the incarnation after the one that readers know."""
    state = committed(partition, sequence, **films)
    return state._replace(incarnation=BEGUN + 1, recounts=recounts)


async def rebuild_begun() -> FakeRedis:
    """Two partitions published, ended in order, and a rebuild begun."""
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(committed(0, 1, film=3, gone=1))
    publisher.on_committed(committed(1, 1, film=4, other=2))
    for _ in range(3):
        await publisher.publish()
    command = FakeSink(redis, "p:", "app")
    await command.join(2)
    assert await command.begin_rebuild(2) == BEGUN
    return redis


@in_a_loop
async def test_readers_keep_what_they_see_until_every_partition_is_recounted() -> None:
    redis = await rebuild_begun()
    before = shown(redis)
    one, other = worker(redis), worker(redis)
    await one.join()
    await other.join()
    await one.open_partition(recounted(0, 0, recounts=True))
    await one.publish()
    one.on_committed(recounted(0, 1, recounts=True, film=1))
    await one.publish()
    one.on_committed(recounted(0, 2, recounts=False, film=5))
    await one.publish()
    assert (shown(redis), set(shown(redis, "complete").values())) == (before, {"1"})
    assert redis.hashes["p:status"]["rebuilding"] == "1"  # nobody has the other partition yet

    await other.open_partition(recounted(1, 0, recounts=True))
    await other.publish()
    other.on_committed(recounted(1, 1, recounts=False, film=4, new=1))
    for publisher in (other, one, other, one, other, one):
        await publisher.publish()

    assert shown(redis) == {"film": "9", "new": "1"}
    assert shown(redis, "complete") == {"film": "1", "new": "1"}
    status = redis.hashes["p:status"]
    assert (status["rebuilding"], status["incarnation"], status["complete"]) == ("0", str(BEGUN + 1), "1")
    assert {"p:title:gone", "p:title:other"} <= {key for key, _ in redis.changes}


@pytest.mark.parametrize("calls", range(24))
@in_a_loop
async def test_a_worker_that_dies_anywhere_in_the_swap_leaves_nothing_of_before(calls: int) -> None:
    redis = await rebuild_begun()
    states = [recounted(0, 2, recounts=False, film=5), recounted(1, 1, recounts=False, film=4, new=1)]
    dying = worker(redis)
    await dying.join()
    for state in states:
        await dying.open_partition(state)
    redis.calls_until_away = calls
    with contextlib.suppress(Unreachable):
        for _ in range(3):
            await dying.publish()
    redis.away, redis.calls_until_away = False, None
    heir = worker(redis)
    await heir.join()
    for state in states:
        await heir.open_partition(state)
    for _ in range(4):
        await heir.publish()
    assert shown(redis) == {"film": "9", "new": "1"}
    assert shown(redis, "complete") == {"film": "1", "new": "1"}
    assert redis.boards["p:titles"] == {"film": 0, "new": 0}


def completed(state: Committed, completions: int) -> Committed:
    """The checkpoint with so many completions of the film."""
    tally = list(state.tallies[FILM] or ())
    tally[1 + COUNTER_FIELDS.index("completions")] = completions
    return state._replace(tallies={**state.tallies, FILM: tally})


@pytest.mark.parametrize("calls", range(24))
@in_a_loop
async def test_a_rebuild_tells_only_what_was_not_told_before_wherever_a_worker_dies(calls: int) -> None:
    redis = FakeRedis()
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(completed(committed(0, 1, film=1), 80))
    publisher.on_committed(completed(committed(1, 1, film=1), 70))
    for _ in range(3):
        await publisher.publish()
    told = [verdict["id"] for verdict in redis.verdicts]
    assert told == ["title:film:completions:10", "title:film:completions:100"]
    command = FakeSink(redis, "p:", "app")
    await command.join(2)
    await command.begin_rebuild(2)
    states = [
        completed(recounted(0, 2, recounts=False, film=1), 999), completed(recounted(1, 1, recounts=False, film=1), 1),
    ]  # fmt: skip
    dying, heir = worker(redis), worker(redis)
    for each, dies in ((dying, True), (heir, False)):
        redis.away, redis.calls_until_away = False, None
        await each.join()
        for state in states:
            await each.open_partition(state)
        redis.calls_until_away = calls if dies else None
        with contextlib.suppress(Unreachable):
            for _ in range(4):
                await each.publish()
    assert [verdict["id"] for verdict in redis.verdicts] == [*told, "title:film:completions:1000"]


@in_a_loop
async def test_a_partition_opened_while_redis_is_asked_waits_for_the_next_answer() -> None:
    redis = await rebuild_begun()
    publisher = worker(redis)
    await publisher.join()
    redis.rebuilding.clear()
    sink = publisher._sink

    async def opened_meanwhile(recounts: dict[int, bool]) -> int:
        sink.note_recounts = functools.partial(FakeSink.note_recounts, sink)  # type: ignore[method-assign, arg-type]
        await publisher.open_partition(recounted(0, 1, recounts=True, film=1))
        return 0

    before = shown(redis)
    sink.note_recounts = opened_meanwhile  # type: ignore[method-assign, assignment]
    for _ in range(3):
        await publisher.publish()
    assert (shown(redis), redis.rebuilding) == (before, {0})


@in_a_loop
async def test_a_loss_of_data_while_partitions_are_recounted_holds_them_back_still() -> None:
    redis = await rebuild_begun()
    publisher = worker(redis)
    await publisher.join()
    await publisher.open_partition(recounted(0, 1, recounts=True, film=1))
    await publisher.open_partition(recounted(1, 1, recounts=False, film=4))
    redis.flush()
    for _ in range(3):
        await publisher.publish()
    assert (shown(redis), redis.rebuilding) == ({}, {0})
    publisher.on_committed(recounted(0, 2, recounts=False, film=5))
    for _ in range(3):
        await publisher.publish()
    assert (shown(redis), shown(redis, "complete")) == ({"film": "9"}, {"film": "1"})


@in_a_loop
async def test_a_worker_that_ends_while_publishing_is_held_back_does_not_wait_for_it() -> None:
    redis = await rebuild_begun()
    publisher = worker(redis)
    await publisher.join()
    await publisher.open_partition(recounted(0, 1, recounts=True, film=1))
    assert not await publisher.drain(60)
