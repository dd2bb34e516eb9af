"""The Faust application: one agent on the record-batch transport, and its rebalance callbacks.

Owns the wiring between Faust and the worker. It must not know Redis.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import faust
from aiokafka.errors import IllegalStateError
from faust.types import TP

from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.kafka.record_batch import RecordBatch
from streams.source.agent import fold_batches
from streams.source.transport import Gate

SCHEME = "encore"
_FETCH_BYTES = 1_048_576
_BUFFERED_BATCHES = 16


class Owner(Gate, Protocol):
    """What the application calls in the worker that runs it."""

    async def prepare(self, batch: RecordBatch) -> None:
        """Fetch what the batch cannot be applied without."""

    def apply(self, batch: RecordBatch, event: object) -> None:
        """Fold a batch in; the event is acknowledged once it is checkpointed."""

    async def revoke(self, partitions: Iterable[int]) -> None:
        """Checkpoint these partitions now: another worker may own them next."""

    async def assign(self, partitions: Iterable[int]) -> None:
        """Own these partitions, and no others, from now on; returns at once."""


class Application(faust.App):
    """Faust's application, without the folders that it creates at start and leaves empty: a worker writes no files."""

    def _create_directories(self) -> None:
        pass


def create_app(settings: Settings, owner: Owner) -> faust.App:
    """The application of one worker. Connects to nothing until it is started."""
    app = Application(
        settings.app_id,
        broker=[f"{SCHEME}://{server}" for server in settings.kafka.split(",")],
        broker_credentials=_credentials(settings.kafka_address),
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        stream_buffer_maxsize=_BUFFERED_BATCHES,
        stream_wait_empty=False,
        consumer_max_fetch_size=_FETCH_BYTES,
        broker_max_poll_records=settings.batch_records,
        broker_max_poll_interval=3600.0,
        broker_commit_interval=1.0,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 10,
        broker_rebalance_timeout=60.0,
        broker_request_timeout=settings.session_timeout_s + 5,
    )
    app.gate = owner
    app.group_instance_id = settings.group_instance_id
    source = app.topic(
        settings.source_topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )
    app.agent(source, name="viewing")(fold_batches(owner.prepare, owner.apply))
    _listen_to_rebalances(app, owner, settings.source_topic)
    return app


def _credentials(kafka: KafkaAddress) -> faust.SASLCredentials | faust.SSLCredentials | None:
    options = kafka.for_python()
    if "sasl_mechanism" in options:
        return faust.SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            mechanism=options["sasl_mechanism"],
            ssl_context=options["ssl_context"],
        )
    return faust.SSLCredentials(options["ssl_context"]) if "ssl_context" in options else None


def _listen_to_rebalances(app: faust.App, owner: Owner, topic: str) -> None:
    @app.on_partitions_revoked.connect(weak=False)
    async def on_revoked(_: faust.App, revoked: set[TP], **__: object) -> None:
        await owner.revoke(tp.partition for tp in revoked if tp.topic == topic)

    @app.on_partitions_assigned.connect(weak=False)
    async def on_assigned(_: faust.App, assigned: set[TP], **__: object) -> None:
        await owner.assign(tp.partition for tp in assigned if tp.topic == topic)


class SourcePartitions:
    """The running application's source partitions, by number."""

    def __init__(self, app: faust.App, topic: str) -> None:
        self._app = app
        self._topic = topic

    async def seek(self, number: int, offset: int) -> bool:
        """Fetch from this offset next. Returns False if the partition was revoked in the meantime."""
        try:
            await self._app.consumer.seek_wait({TP(self._topic, number): offset})
        except (IllegalStateError, TimeoutError):
            return False
        return True

    async def offsets(self, number: int) -> tuple[int, int]:
        """The first offset of the partition, and the one after its last."""
        tp = TP(self._topic, number)
        return (await self._app.consumer.earliest_offsets(tp))[tp], (await self._app.consumer.highwaters(tp))[tp]

    def generation(self) -> int:
        """The group's generation in which partitions were assigned last. Each rebalance begins the next one."""
        return int(self._app.consumer_generation_id)

    def end(self, number: int) -> int:
        """The offset after the last one, as of the latest fetch; 0 before the first."""
        return self._app.consumer.highwater(TP(self._topic, number)) or 0
