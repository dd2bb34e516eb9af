"""Checks an application, one thing after another, and advises what to do.

Owns the checks and the advice. It changes nothing: no topic, key or offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from redis.exceptions import RedisError

from models import FORM
from models.catalog import CatalogRow
from models.diagnosis import Complaint, Sampled, diagnose
from streams.config.redis_address import without_password
from streams.config.settings import Settings
from streams.config.zones import zones_version
from streams.display.numbers import many, rate
from streams.kafka.admin import KafkaView, TopicNow
from streams.kafka.topics import GROWN, REMEDY, KafkaFailed, Topic, all_topics, outputs, remedy_for
from streams.operations import retention
from streams.operations.findings import ODD, OK, WRONG, Finding
from streams.operations.lag import read_lag
from streams.operations.source_sample import read_sample
from streams.operations.state_check import refusals
from streams.operations.titles import stored_titles
from streams.redis.clients import sync_client
from streams.redis.keys import Keys
from streams.registry.client import RegistryAway
from streams.registry.decoder import SourceDecoder, decoder_of
from streams.registry.values import UndecodableValue

_FIVE_MINUTES_S = 300
_VERIFICATION, _VERSION = "transaction.partition.verification.enable", "transaction.version"
_LARGEST, _DEFAULT_LARGEST = "max.message.bytes", 1_048_588
_RETENTION = "retention.ms"
_TIMESTAMPS, _BROKERS = "message.timestamp.type", "LogAppendTime"


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield all findings. If a server does not answer, its contents are not checked."""
    try:
        view = KafkaView(settings.kafka_address)
        yield from _kafka(settings, view)
    except KafkaFailed as problem:
        yield Finding(WRONG, "Kafka", str(problem), "check ENCORE_KAFKA, and whether the brokers run")
    try:
        yield from _redis(settings)
    except (RedisError, OSError) as problem:
        advice = "check ENCORE_REDIS, its user and password, and whether Redis runs"
        yield Finding(WRONG, "Redis", f"{without_password(settings.redis)}: {problem}", advice)
    yield from installation()


def installation() -> Iterator[Finding]:
    """What is installed here, which needs no server."""
    yield Finding(OK, "time zones", f"tzdata {zones_version()}")
    yield Finding(OK, "rules", FORM)


# -- Kafka --------------------------------------------------------------------------------------------------------


def _kafka(settings: Settings, view: KafkaView) -> Iterator[Finding]:
    brokers = view.brokers()
    yield Finding(OK, "Kafka", f"{many(brokers, 'broker')} at {settings.kafka}")
    yield transactions(view)
    like_source = view.topic(settings.source_topic)
    for topic in all_topics(settings):
        yield _topic(settings, view, topic, like_source.partitions if like_source else 0, brokers)
    if like_source is not None:
        yield from retention.findings(settings, view)
        yield from _group(settings, view)
        yield from _state(settings, view, like_source)
        yield from _events(settings, view, like_source.partitions)


def transactions(view: KafkaView) -> Finding:
    """How Kafka guards transactions against requests that come late."""
    what = "Kafka: transactions"
    try:
        verifies, version = view.broker_options().get(_VERIFICATION, "unknown"), view.feature(_VERSION)
    except KafkaFailed as problem:
        return Finding(ODD, what, f"cannot be asked: {problem}", "ask whoever runs Kafka for " + _VERIFICATION)
    found = f"{_VERSION} {'unknown' if version is None else version}, {_VERIFICATION}={verifies}"
    if verifies == "false":
        advice = f"a record that comes after its transaction was aborted hangs a partition: set {_VERIFICATION}=true"
        return Finding(ODD, what, found, advice)
    # Versions above 1 give each transaction an epoch (KIP-890). librdkafka ends transactions by version 1 of EndTxn,
    # without it, so Encore's own guard stays: a new producer after a slow commit.
    return Finding(OK, what, f"{found}; after a slow commit a worker goes on with a new producer")


def _topic(settings: Settings, view: KafkaView, topic: Topic, source_partitions: int, brokers: int) -> Finding:
    what = f"topic {topic.name}"
    there = view.topic(topic.name)
    if there is None:
        return Finding(ODD, what, "is missing", "run `encore topics ensure`, or let the first worker make it")
    if topic.name == settings.state_topic and there.partitions != source_partitions:
        found = f"has {there.partitions} partitions, {settings.source_topic} has {source_partitions}"
        return Finding(WRONG, what, found, remedy_for(there.partitions, source_partitions))
    options = view.options(topic.name)
    for name, wanted in topic.options.items():
        if name == _RETENTION and topic.name == settings.source_topic:
            continue  # judged together with the archive
        if options.get(name) != wanted and not _is_as_good(name, options, wanted):
            level = WRONG if name in ("cleanup.policy", _RETENTION) else ODD
            found = f"has {name}={options.get(name)}, not {wanted}"
            return Finding(level, what, found, f"`{_set(topic.name, name, wanted)}`")
    if topic in outputs(settings) and int(options.get(_LARGEST, _DEFAULT_LARGEST)) < _DEFAULT_LARGEST:
        found = f"has {_LARGEST}={options[_LARGEST]}: a partition stops once a record of it is larger"
        return Finding(ODD, what, found, f"`{_set(topic.name, _LARGEST, str(_DEFAULT_LARGEST))}`")
    if _TIMESTAMPS in topic.options and options.get(_TIMESTAMPS) != _BROKERS:
        found = "has its producers' timestamps: one wrong clock moves the time of a partition"
        return Finding(
            ODD, what, found, f"right for simulated and imported records; for live ones: `{_set(topic.name)}`"
        )
    replicas = view.replication(topic.name)
    if replicas < min(3, brokers):
        found = f"{many(there.partitions, 'partition')}, each on {replicas} of {brokers} brokers"
        return Finding(ODD, what, found, "a broker that is lost takes records with it: give it 3 replicas")
    return Finding(OK, what, f"{many(there.partitions, 'partition')}, each on {many(replicas, 'broker')}")


def _set(topic: str, name: str = _TIMESTAMPS, value: str = _BROKERS) -> str:
    """The command that sets an option of a topic."""
    return f"kafka-configs --alter --entity-type topics --entity-name {topic} --add-config {name}={value}"


def _is_as_good(name: str, options: Mapping[str, str], wanted: str) -> bool:
    """Whether an option's value is good enough: a larger number also is, and so are the broker's timestamps."""
    if name.startswith("message.timestamp."):
        return options.get(_TIMESTAMPS) == _BROKERS
    return name == _LARGEST and name in options and int(options[name]) >= int(wanted)


def _group(settings: Settings, view: KafkaView) -> Iterator[Finding]:
    lag = read_lag(settings, view)
    found = f"{many(lag.workers, 'worker')}, {lag.records:,} records wait, the first for {lag.behind_s:.0f} s"
    if not lag.workers:
        yield Finding(ODD, f"group {settings.app_id}", "no worker runs", "start `encore worker`")
    elif lag.behind_s > _FIVE_MINUTES_S:
        advice = "`encore lag` says which partitions wait. All: start more workers. One: its worker's log says why"
        yield Finding(ODD, f"group {settings.app_id}", found, advice)
    else:
        yield Finding(OK, f"group {settings.app_id}", found)


def _state(settings: Settings, view: KafkaView, source: TopicNow) -> Iterator[Finding]:
    """Whether a worker with these settings would continue from the state."""
    what = f"state of {settings.app_id}"
    state = view.topic(settings.state_topic)
    if state is None or state.partitions != source.partitions:
        return  # which the finding of the topic says
    refused = refusals(settings, view, source, state)
    if refused:
        (_, first), *others = refused.items()
        more = f"; {many(len(others), 'more partition')} likewise" if others else ""
        yield Finding(WRONG, what, f"a worker would refuse it: {first}{more}", remedy_in(first))
    else:
        yield Finding(OK, what, f"fits these settings, in {many(source.partitions, 'partition')}")


def remedy_in(refusal: str) -> str:
    """What to do about a state that is refused with these words."""
    return GROWN if GROWN in refusal else REMEDY


# -- what is in the source topic ----------------------------------------------------------------------------------


def _events(settings: Settings, view: KafkaView, partitions: int) -> Iterator[Finding]:
    """What is wrong with the newest events: each finding with the share of events that have it, and the first one's
    partition and offset."""
    what = f"events in {settings.source_topic}"
    try:
        spans = view.spans(settings.source_topic, range(partitions))
        sample = read_sample(settings.kafka_address, settings.source_topic, spans)
        complaints = diagnose(_as_json(settings, sample), _catalog(settings, view))
    except KafkaFailed as problem:
        yield Finding(ODD, what, f"cannot be read: {problem}", "give this user the right to read the source and titles")
        return
    except RegistryAway as problem:
        yield Finding(WRONG, "schema registry", str(problem), "check ENCORE_SCHEMA_REGISTRY, and whether it runs")
        return
    yield from (_complaint(what, complaint) for complaint in complaints)
    if not complaints:
        yield Finding(OK, what, f"nothing odd in the newest {many(len(sample), 'record')}")


def _as_json(settings: Settings, sample: Sequence[Sampled]) -> list[Sampled]:
    """The sample with its values as JSON. What cannot be decoded stays as it is. Raises `RegistryAway`."""
    decode = decoder_of(settings)
    if decode is None:
        return list(sample)
    decode.check()
    return [each._replace(value=_decoded(decode, each.value)) for each in sample]


def _decoded(decode: SourceDecoder, value: bytes | None) -> bytes | None:
    try:
        return decode(value)
    except UndecodableValue:
        return value


def _catalog(settings: Settings, view: KafkaView) -> dict[str, CatalogRow]:
    if view.topic(settings.titles_topic) is None:
        return {}
    rows = stored_titles(settings, settings.kafka_address)
    return {title: msgspec.convert(row, CatalogRow) for title, row in rows.items()}


def _complaint(what: str, complaint: Complaint) -> Finding:
    first = f"for example partition {complaint.partition}, offset {complaint.offset}"
    found = f"{rate(complaint.events / complaint.of)} of the newest {many(complaint.of, 'event')}, {first}"
    return Finding(WRONG if complaint.is_grave else ODD, f"{what}: {complaint.what}", found, complaint.advice)


# -- Redis --------------------------------------------------------------------------------------------------------


def _redis(settings: Settings) -> Iterator[Finding]:
    client = sync_client(settings.redis_url, socket_timeout=5, socket_connect_timeout=5, decode_responses=True)
    try:
        client.ping()
        yield Finding(OK, "Redis", without_password(settings.redis))
        yield from _asked(lambda: _eviction(client), "eviction")
        yield from _status(client, settings)
    finally:
        client.close()


def _asked(ask: Callable[[], Finding], what: str) -> Iterator[Finding]:
    """A finding, or one that says that this user may not ask."""
    try:
        yield ask()
    except RedisError as problem:
        yield Finding(ODD, f"Redis: {what}", f"cannot be asked: {problem}", "ask whoever runs Redis")


def _eviction(client: Any) -> Finding:
    memory = client.info("memory")
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        return Finding(
            WRONG, "Redis: eviction", f"maxmemory-policy is {policy}", "set it to noeviction: keys would vanish"
        )
    return Finding(OK, "Redis: eviction", "none")


def _status(client: Any, settings: Settings) -> Iterator[Finding]:
    keys = Keys(settings.redis_prefix)
    what = f"keys under {settings.redis_prefix}"
    status = client.hgetall(keys.status)
    if not status:
        yield Finding(ODD, what, "there are none", "a worker writes them once events come")
    elif status.get("rebuilding", "0") != "0":
        yield Finding(ODD, what, f"{status['rebuilding']} partitions are being recounted", "wait, or add workers")
    elif status.get("complete") != "1":
        yield Finding(ODD, what, "are being written again: they say complete 0", "wait; all partitions need a worker")
    else:
        yield Finding(OK, what, f"complete, {status.get('partitions_ready')} partitions report")
    if status:
        yield misrouted(int(status.get("misrouted_events", 0)))


def misrouted(events: int) -> Finding:
    """Whether events lie where murmur2 of their key does not put them: a household in two partitions counts twice."""
    what = "households and partitions"
    if not events:
        return Finding(OK, what, "every event is in the partition of its key")
    advice = (
        "let every producer use the Java client's partitioner (librdkafka: partitioner=murmur2_random). What is"
        " there already, also after partitions were added: `encore repartition` moves it (docs/growing.md)"
    )
    return Finding(WRONG, what, f"{many(events, 'event')} not in the partition of its key: may count twice", advice)
