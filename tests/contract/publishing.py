"""A worker's publisher on the fake Redis, and made-up checkpoints for it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping

from fake_sink import FakeRedis, FakeSink

from models.catalog import CatalogRow
from models.hash_fields import COUNTER_FIELDS, STREAM_FIELDS
from models.tally import TITLE, TallyKey
from streams.config.settings import Settings
from streams.observability.metrics import Metrics
from streams.publishing.publisher import Publisher
from streams.state.committed import Committed

BEGUN = 1_750_000_000_000
"""The incarnation: the time at which this state was begun."""

FILM, OTHER = TallyKey(TITLE, 0, "film"), TallyKey(TITLE, 0, "other")
CATALOG = {"film": CatalogRow(title_id="film", runtime_ms=1_000_000)}


WHOLE_FIELDS = len(COUNTER_FIELDS) + 1
"""A title's or franchise's: the last is who is watching now."""


def plays(number: int, sequence: int, fields: int = WHOLE_FIELDS) -> list[int]:
    """A tally with so many plays, last changed by that checkpoint."""
    return [sequence, number, *([0] * (fields - 1))]


def committed(partition: int, sequence: int, stream_time_ms: int = 500, **films: int) -> Committed:
    """A checkpoint in which these titles have so many plays."""
    tallies = {TallyKey(TITLE, 0, title): plays(number, sequence) for title, number in films.items()}
    return Committed(partition, BEGUN, sequence, stream_time_ms, [sequence, *[0] * (len(STREAM_FIELDS) - 1)], tallies)


def empty(partition: int) -> Committed:
    """A partition that never had a checkpoint."""
    return committed(partition, 0, stream_time_ms=-1)._replace(incarnation=0)


Catalog = Mapping[str, CatalogRow]


def worker(
    redis: FakeRedis,
    application: str = "app",
    partitions: int = 2,
    catalog: Callable[[], Catalog] = lambda: CATALOG,
    sink: type[FakeSink] = FakeSink,
    metrics: Metrics | None = None,
    chart_publish_s: float = 0.0,
) -> Publisher:
    """A worker's publisher on that Redis."""
    settings = Settings(redis_prefix="p:", publish_keys_per_s=1_000_000, chart_publish_s=chart_publish_s)
    return Publisher(settings, sink(redis, "p:", application), catalog, partitions, metrics or Metrics())


async def opened(
    redis: FakeRedis,
    *partitions: int,
    catalog: Callable[[], Catalog] = lambda: CATALOG,
    metrics: Metrics | None = None,
) -> Publisher:
    """A publisher that joined and opened new, empty partitions, and published that there is nothing."""
    publisher = worker(redis, catalog=catalog, metrics=metrics)
    await publisher.join()
    for partition in partitions:
        await publisher.open_partition(empty(partition))
    await publisher.publish()
    await publisher.publish()
    return publisher


def in_a_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(**given: object) -> None:
        asyncio.run(test(**given))

    return run


def shown(redis: FakeRedis, name: str = "plays") -> dict[str, str]:
    """One field of every title's hash."""
    return {key.removeprefix("p:title:"): fields[name] for key, fields in redis.hashes.items() if "title:" in key}
