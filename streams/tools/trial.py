"""A run on real servers with names, topics and keys of its own, all removed afterwards.

Owns the servers (those of the settings, otherwise private ones), the names that keep runs apart, the topics, and the
worker's start.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from streams.config.settings import Settings
from streams.kafka.topics import make_topics
from streams.redis.clients import sync_client
from streams.tools.processes import Child, encore, wait_until

READY_S = 120.0


@dataclass(frozen=True)
class Run:
    """Settings that name the run's servers, topics and keys, and a folder for its logs."""

    settings: Settings
    folder: Path

    def worker(self, number: int = 1) -> Child:
        """Start a worker of this run."""
        return encore(f"worker {number}", self.settings, self.folder / f"worker-{number}.log", "worker")

    def wait_until_ready(self, worker: Child) -> None:
        """Wait until every partition is open. Raises TimeoutError, and `ChildEnded` if the worker ends."""
        redis, key = self.redis(), f"{self.settings.redis_prefix}status"
        count = str(self.settings.topic_partitions)
        wait_until(
            lambda: redis.hget(key, "partitions_ready") == count,
            "the worker opens its partitions",
            READY_S,
            worker,
        )

    def redis(self) -> Any:
        """A client of the run's Redis, with text answers."""
        return sync_client(self.settings.redis_url, decode_responses=True)

    def count_keys(self) -> int:
        """The keys of this run in Redis, internal ones included."""
        return sum(1 for _ in self.redis().scan_iter(match=f"{self.settings.redis_prefix}*", count=1000))


@contextmanager
def run_of_its_own(settings: Settings, purpose: str, partitions: int = 4) -> Iterator[Run]:
    """A run named `encore-<purpose>-<random>`. Servers that no setting names are private to the run.

    On the way out its servers, topics, keys and logs go.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix=f"encore-{purpose}-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        served = _served(settings, stack)
        named = _named(served, f"encore-{purpose}-{secrets.token_hex(4)}", partitions)
        make_topics(named, named.kafka_address)
        if settings.kafka:
            stack.callback(_remove_topics, named)
        if settings.redis:
            stack.callback(_remove_keys, named)
        yield Run(named, folder)


def _served(settings: Settings, stack: ExitStack) -> Settings:
    if settings.kafka and settings.redis:
        return settings
    from streams.tools.devstack import Devstack

    servers = stack.enter_context(Devstack.start(kafka=not settings.kafka, redis=not settings.redis))
    kafka = settings.kafka or servers.kafka
    return settings.model_copy(update={"kafka": kafka, "redis": settings.redis or servers.redis})


def _named(settings: Settings, name: str, partitions: int) -> Settings:
    own = {
        "app_id": name,
        "source_topic": f"{name}-events",
        "titles_topic": f"{name}-titles",
        "milestones_topic": f"{name}-milestones",
        "dead_letters_topic": f"{name}-dead-letters",
        "late_topic": f"{name}-late",
        "erasures_topic": f"{name}-erasures",
        "redis_prefix": f"{{{name}}}:",
        "topic_partitions": partitions,
    }
    return settings.model_copy(update=own)


def _remove_topics(settings: Settings) -> None:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    admin = AdminClient(settings.kafka_address.for_librdkafka())
    own = [topic for topic in admin.list_topics(timeout=10).topics if topic.startswith(settings.app_id)]
    for future in admin.delete_topics(own).values() if own else ():
        with suppress(KafkaException):
            future.result()


def _remove_keys(settings: Settings) -> None:
    client = sync_client(settings.redis_url)
    keys = client.scan_iter(match=f"{settings.redis_prefix}*", count=1000)
    while some := list(islice(keys, 1000)):
        client.unlink(*some)
