"""Every topic, declared once: name (from the settings), partitions, configuration. Creates the missing ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, NamedTuple

from streams.config.kafka_security import KafkaAddress, refusal
from streams.config.settings import Settings

ADMIN_TIMEOUT_S = 15.0
LARGEST_MESSAGE_BYTES = 12_000_000
REMEDY = "stop all workers and run `encore rebuild`"
"""The end of every message that refuses a state."""

GROWN = "run `encore repartition`: `encore rebuild` would count households in two partitions (docs/growing.md)"
"""The end of a message that refuses a topic to which partitions were added."""

_TRIED_FOR_S, _ONE_TRY_S, _MAKING_S = 20.0, 5.0, 10.0
_PAUSE_S, _REST_S = 0.05, 0.5
_AGAIN = (
    *("_TIMED_OUT", "REQUEST_TIMED_OUT", "_TRANSPORT", "_ALL_BROKERS_DOWN", "NOT_CONTROLLER", "BROKER_NOT_AVAILABLE"),
    # Of another topic: a broker may not know yet what another one has just made.
    *("UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC"),
)
"""The names of the errors that pass within seconds, once the other brokers have taken over."""

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


def source(settings: Settings) -> Topic:
    """The topic of events."""
    return Topic(settings.source_topic, settings.topic_partitions, _SOURCE)


def inputs(settings: Settings) -> list[Topic]:
    """The topics of events and titles."""
    return [source(settings), Topic(settings.titles_topic, 1, _COMPACTED)]


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


def replays(settings: Settings) -> Topic:
    """The topic of the dead letters that were sent again. Only that command uses it, and makes it."""
    return Topic(f"{settings.app_id}-replayed", 1, _COMPACTED)


def bridge_outputs(bridge: Settings) -> list[Topic]:
    """The topics of a bridge's own, by its settings (`streams.config.bridges`)."""
    return [Topic(bridge.state_topic, 0, _STATE), Topic(bridge.dead_letters_topic, 0, _KEPT)]


def make_bridge_topics(
    settings: Settings, bridge: Settings, kafka: KafkaAddress, within_s: float = _TRIED_FOR_S
) -> list[str]:
    """Create the topic of events, and those of a bridge, if they are missing. As `make_topics`.

    Its state gets as many partitions as the foreign topic has by now.
    """

    def make(admin: Any, answers_within_s: float) -> list[str]:
        made = _make_missing(admin, [source(settings)], settings, answers_within_s)
        made += _make_missing(admin, bridge_outputs(bridge), bridge, answers_within_s)
        _grow(admin, bridge.state_topic, bridge.source_topic, answers_within_s)
        return made

    return _tried(kafka, within_s, make)


def _grow(admin: Any, name: str, as_topic: str, answers_within_s: float) -> None:
    """Give a topic as many partitions as another one has."""
    from confluent_kafka.admin import NewPartitions

    present = _partitions(admin, answers_within_s)
    if _count(present, name) < (wanted := _count(present, as_topic)):
        for answer in admin.create_partitions([NewPartitions(name, wanted)], request_timeout=_MAKING_S).values():
            answer.result()


def make_topics(
    settings: Settings,
    kafka: KafkaAddress,
    *,
    all_of_them: bool = False,
    only: Topic | None = None,
    within_s: float = _TRIED_FOR_S,
) -> list[str]:
    """Create the input topics, all topics, or `only` this one, if they are missing.

    Returns the names of those that the last try made. For `within_s` it tries again if a broker that has just died, or
    just come, may be the reason. Raises `KafkaFailed`, and `TopicMismatch` if the state topic does not fit the source
    topic.
    """

    def make(admin: Any, answers_within_s: float) -> list[str]:
        if only is not None:
            return _make_missing(admin, [only], settings, answers_within_s)
        return _make(admin, settings, all_of_them, answers_within_s)

    return _tried(kafka, within_s, make)


def _tried(kafka: KafkaAddress, within_s: float, make: Callable[[Any, float], list[str]]) -> list[str]:
    # Not kafka-python's client: its import takes as long as everything else that a worker does at its start.
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    # This client would try until the time is over, without saying why it failed.
    if why := refusal(kafka):
        raise KafkaFailed(f"Kafka at {kafka}: {why}")
    until = time.monotonic() + within_s
    while True:
        try:
            # Each time another client: one that takes a dead broker for the controller asks no other one for it.
            admin = AdminClient({**kafka.for_librdkafka(), "log_level": 0})
            return make(admin, min(within_s, _ONE_TRY_S))
        except KafkaException as problem:
            if problem.args[0].name() not in _AGAIN or time.monotonic() > until:
                raise KafkaFailed(f"Kafka at {kafka}: {_in_words(problem.args[0])}") from None
            time.sleep(_REST_S)


def _make(admin: Any, settings: Settings, all_of_them: bool, answers_within_s: float) -> list[str]:
    made = _make_missing(admin, inputs(settings), settings, answers_within_s)
    if all_of_them:
        made += _make_missing(admin, [*controls(settings), *outputs(settings)], settings, answers_within_s)
        _check_state_topic(_partitions(admin, answers_within_s), settings)
    return made


def make_posted_topics(settings: Settings, kafka: KafkaAddress, names: Iterable[str], within_s: float) -> list[str]:
    """Create the topics that are posted to, if they are missing. As `make_topics`.

    Those that are not of events hold another player's messages, for a bridge; for how long, the broker says.
    """
    own = source(settings)
    wanted = [own if name == own.name else Topic(name, settings.topic_partitions, {}) for name in names]
    return _tried(kafka, within_s, lambda admin, answers_s: _make_missing(admin, wanted, settings, answers_s))


def _make_missing(admin: Any, topics: list[Topic], settings: Settings, answers_within_s: float) -> list[str]:
    from confluent_kafka.admin import NewTopic

    present = _partitions(admin, answers_within_s)
    wanted = [
        NewTopic(
            topic.name,
            topic.partitions or _count(present, settings.source_topic),
            settings.topic_replication,
            config=topic.options | _in_sync(settings.topic_replication),
        )
        for topic in topics
        if topic.name not in present
    ]
    if not wanted:
        return []
    answers = admin.create_topics(wanted, operation_timeout=_MAKING_S, request_timeout=_MAKING_S)
    made = [name for name, answer in answers.items() if _is_made(answer)]
    _wait_for_leaders(admin, answers.keys(), answers_within_s)
    return made


def _in_sync(replication: int) -> dict[str, str]:
    """The configuration with which, of three replicas, one may be away and no acknowledged record is on only one."""
    return {"min.insync.replicas": "2"} if replication >= 3 else {}


def _is_made(answer: Any) -> bool:
    """Whether the topic was made; not where another process was faster. Raises `KafkaException` where it cannot be."""
    from confluent_kafka import KafkaError, KafkaException

    try:
        answer.result()
    except KafkaException as problem:
        if problem.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        return False
    return True


def _wait_for_leaders(admin: Any, names: Set[str], answers_within_s: float) -> None:
    until = time.monotonic() + ADMIN_TIMEOUT_S
    while not names <= _led(admin, answers_within_s) and time.monotonic() < until:
        time.sleep(_PAUSE_S)


def _led(admin: Any, within_s: float) -> Set[str]:
    """The topics whose partitions all have leaders."""
    return {
        name
        for name, topic in admin.list_topics(timeout=within_s).topics.items()
        if topic.partitions and all(partition.leader >= 0 for partition in topic.partitions.values())
    }


def _partitions(admin: Any, within_s: float) -> dict[str, int]:
    """How many partitions each topic has that is there."""
    return {name: len(topic.partitions) for name, topic in admin.list_topics(timeout=within_s).topics.items()}


def _count(partitions: Mapping[str, int], name: str) -> int:
    from confluent_kafka import KafkaError, KafkaException

    if name not in partitions:
        raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, f"no topic {name}: try again"))
    return partitions[name]


def _check_state_topic(partitions: Mapping[str, int], settings: Settings) -> None:
    source, state = (_count(partitions, name) for name in (settings.source_topic, settings.state_topic))
    if source != state:
        raise TopicMismatch(
            f"topic {settings.state_topic} has {state} partitions, {settings.source_topic} has {source}:"
            f" {remedy_for(state, source)}"
        )


def remedy_for(before: int, now: int) -> str:
    """What to do about another partition count: a topic that has fewer was made anew, as Kafka never takes one away."""
    return GROWN if now > before else REMEDY


def _in_words(error: Any) -> str:
    if error.name() in ("_TRANSPORT", "_TIMED_OUT"):
        return "no answer in time"
    remedy = "; start the brokers that are missing, or set ENCORE_TOPIC_REPLICATION"
    return str(error.str()) + (remedy if error.name() == "INVALID_REPLICATION_FACTOR" else "")
