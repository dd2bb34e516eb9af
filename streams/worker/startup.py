"""What a worker needs before it starts: servers that answer, topics that exist, the catalog.

Owns waiting for them, and what was found.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from models.catalog import CatalogRow
from streams.config.settings import Settings
from streams.config.zones import installed_zones, zones_version
from streams.kafka.admin import KafkaView, TopicNow
from streams.kafka.compacted_topic import FollowedTopic
from streams.kafka.topics import make_topics
from streams.registry.decoder import decoder_of
from streams.source.catalog import catalog_feed
from streams.source.erasures import Erasure, erasures_feed
from streams.worker.partition import SourceAtStart

log = logging.getLogger(__name__)

_RETRY_S = 1.0
_ONE_TRY_S = 3.0


class NotReachable(Exception):
    """Kafka or Redis did not answer within the start-up time. The message names the setting."""


class StoppedAtStartup(Exception):
    """The worker was stopped before it had started."""


class Ground(NamedTuple):
    """What Kafka had when the worker started. `rests_on`: the source and state topics, by name."""

    view: KafkaView
    rests_on: dict[str, TopicNow]
    source: SourceAtStart
    catalog: FollowedTopic[CatalogRow]
    erasures: FollowedTopic[Erasure]


async def reach(
    setting: str,
    address: str,
    call: Callable[[], Awaitable[object]],
    failure: type[Exception],
    within_s: float,
    stop: asyncio.Event,
) -> None:
    """Retry `call` while it raises `failure`. Raises `NotReachable` after `within_s`, and `StoppedAtStartup` after a
    signal."""
    end = time.monotonic() + within_s
    while True:
        try:
            await call()
            return
        except failure as problem:
            if stop.is_set():
                raise StoppedAtStartup from None
            if time.monotonic() > end:
                raise NotReachable(
                    f"{setting}={address}: not reachable for {within_s:g} s (ENCORE_STARTUP_TIMEOUT_S): {problem}"
                ) from None
            log.warning("%s=%s does not answer, tried again: %s", setting, address, problem)
            await asyncio.sleep(_RETRY_S)


def find_ground(settings: Settings) -> Ground:
    """Create missing topics, and read the catalog and the erasures. Blocks.

    Raises `KafkaFailed` and `TopicMismatch`.
    """
    made = make_topics(settings, settings.kafka_address, all_of_them=True, within_s=_ONE_TRY_S)
    if made:
        log.info("made the topics %s", ", ".join(made))
    view = KafkaView(settings.kafka_address)
    source, state = view.topic_there(settings.source_topic), view.topic_there(settings.state_topic)
    catalog = catalog_feed(settings.kafka_address, settings.titles_topic)
    erasures = erasures_feed(settings.kafka_address, settings.erasures_topic)
    for feed in (catalog, erasures):
        feed.load(settings.startup_timeout_s)
    return Ground(
        view,
        {settings.source_topic: source, settings.state_topic: state},
        SourceAtStart(
            source.topic_id, source.partitions, state.topic_id, installed_zones(), zones_version(), decoder_of(settings)
        ),
        catalog,
        erasures,
    )
