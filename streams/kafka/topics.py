"""Every topic, declared once: name (from the settings), partitions, configuration. Creates the missing ones."""

from __future__ import annotations

from typing import Any, NamedTuple

from streams.config.kafka_security import KafkaAddress, refusal
from streams.config.settings import Settings

ADMIN_TIMEOUT_MS = 15_000
LARGEST_MESSAGE_BYTES = 12_000_000
REMEDY = "stop all workers and run `encore rebuild`"
"""The end of every message that refuses a state."""

_FOREVER = {"retention.ms": "-1"}
# Simulated and imported records have timestamps of their own, years ago or ahead, which must not be refused.
_SOURCE = {
    **_FOREVER,
    "message.timestamp.type": "CreateTime",
    "message.timestamp.after.max.ms": str((1 << 63) - 1),
}
_COMPACTED = {"cleanup.policy": "compact"}
_STATE = {
    **_COMPACTED,
    "segment.bytes": str(64 * 1024 * 1024),
    "segment.ms": str(3_600_000),
    "max.compaction.lag.ms": str(6 * 3_600_000),
    "delete.retention.ms": str(24 * 3_600_000),
}
# A dead letter holds what another topic accepted, and headers in addition.
_KEPT = {**_FOREVER, "max.message.bytes": str(LARGEST_MESSAGE_BYTES)}


class KafkaFailed(Exception):
    """Kafka cannot be reached, or refuses. The message names the servers."""


class TopicMismatch(Exception):
    """A topic is there, but not as it must be. The message names it and the remedy."""


class Topic(NamedTuple):
    """A topic's name, partitions and configuration. `partitions` 0: as many as the source topic has."""

    name: str
    partitions: int
    options: dict[str, str]


def inputs(settings: Settings) -> list[Topic]:
    """The topics of events and titles."""
    return [
        Topic(settings.source_topic, settings.topic_partitions, _SOURCE),
        Topic(settings.titles_topic, 1, _COMPACTED),
    ]


def controls(settings: Settings) -> list[Topic]:
    """The topics through which workers are controlled."""
    return [Topic(settings.erasures_topic, 1, _COMPACTED)]


def outputs(settings: Settings) -> list[Topic]:
    """The topics that a worker writes."""
    return [
        Topic(settings.state_topic, 0, _STATE),
        Topic(settings.milestones_topic, 0, _FOREVER),
        Topic(settings.dead_letters_topic, 0, _KEPT),
        Topic(settings.late_topic, 0, _KEPT),
    ]


def all_topics(settings: Settings) -> list[Topic]:
    """Every topic of an application."""
    return [*inputs(settings), *controls(settings), *outputs(settings)]


def make_topics(
    settings: Settings, kafka: KafkaAddress, *, all_of_them: bool = False, answers_within_ms: int = ADMIN_TIMEOUT_MS
) -> list[str]:
    """Create the input topics, or all topics, if they are missing. Returns the names of those created.

    Raises `KafkaFailed`, and `TopicMismatch` if the state topic does not fit the source topic.
    """
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    # This client would try until the time is over, without saying why it failed.
    if why := refusal(kafka):
        raise KafkaFailed(f"Kafka at {kafka}: {why}")
    try:
        admin = KafkaAdminClient(**kafka.for_python(), bootstrap_timeout_ms=answers_within_ms)
        try:
            made = _make_missing(admin, inputs(settings), settings)
            if all_of_them:
                made += _make_missing(admin, [*controls(settings), *outputs(settings)], settings)
                _check_state_topic(admin, settings)
            return made
        finally:
            admin.close()
    except KafkaError as problem:
        raise KafkaFailed(f"Kafka at {kafka}: {problem}") from None


def _make_missing(admin: Any, topics: list[Topic], settings: Settings) -> list[str]:
    from kafka.errors import TopicAlreadyExistsError

    present = set(admin.list_topics())
    missing = [topic for topic in topics if topic.name not in present]
    if not missing:
        return []
    like_source = 0
    if any(not topic.partitions for topic in missing):
        like_source = partition_count(admin, settings.source_topic)
    wanted = {
        topic.name: {
            "num_partitions": topic.partitions or like_source,
            "replication_factor": settings.topic_replication,
            "configs": topic.options | _in_sync(settings.topic_replication),
        }
        for topic in missing
    }
    try:
        admin.create_topics(wanted, timeout_ms=ADMIN_TIMEOUT_MS, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        admin.wait_for_topics(list(wanted))
    return list(wanted)


def _in_sync(replication: int) -> dict[str, str]:
    """The configuration with which, of three replicas, one may be away and no acknowledged record is on only one."""
    return {"min.insync.replicas": "2"} if replication >= 3 else {}


def partition_count(admin: Any, topic: str) -> int:
    """How many partitions a topic has."""
    (described,) = admin.describe_topics([topic])
    return len(described["partitions"])


def _check_state_topic(admin: Any, settings: Settings) -> None:
    source, state = (partition_count(admin, name) for name in (settings.source_topic, settings.state_topic))
    if source != state:
        raise TopicMismatch(
            f"topic {settings.state_topic} has {state} partitions, {settings.source_topic} has {source}: {REMEDY}"
        )
