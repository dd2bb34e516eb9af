"""What the record-batch transport relies on in Faust and aiokafka, checked against the versions that are pinned.

A test that fails here after an upgrade names the override to look at again, before any event is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable
from importlib.metadata import entry_points, requires, version
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchError, FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer as AnyConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.config.settings import Settings
from streams.kafka.record_batch import RecordBatch
from streams.source.app import Application, create_app
from streams.source.transport import Consumer, ConsumerThread, Transport, _batches

SOURCE = TopicPartition("events", 0)


class OpenGate:
    """An owner that lets the given partitions through."""

    def __init__(self, **epochs: int) -> None:
        self.epochs = {int(name.removeprefix("p")): epoch for name, epoch in epochs.items()}

    def epoch(self, partition: int) -> int | None:
        return self.epochs.get(partition)

    async def prepare(self, batch: RecordBatch) -> None: ...

    def apply(self, batch: RecordBatch, event: object) -> None: ...

    async def revoke(self, partitions: Iterable[int]) -> None: ...

    async def assign(self, partitions: Iterable[int]) -> None: ...


def with_app(test: Callable[[faust.App], Awaitable[None]], gate: OpenGate | None = None) -> None:
    """Runs a test with an application that is not started: it connects to nothing."""

    async def run() -> None:
        await test(create_app(Settings(kafka="127.0.0.1:1", source_topic="events"), gate or OpenGate(p0=1)))

    asyncio.run(run())


# -- what is overridden is there ----------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["faust-streaming", "aiokafka"])
def test_the_library_is_pinned_exactly_and_installed_so(library: str) -> None:
    wanted = [each.partition(";")[0].strip() for each in requires("encore-viewing") or []]
    assert f"{library}=={version(library)}" in wanted


def test_the_url_scheme_encore_is_this_transport() -> None:
    (found,) = entry_points(group="faust.transports", name="encore")
    assert found.load() is Transport

    async def of_the_app(app: faust.App) -> None:
        assert type(app.transport) is Transport
        assert type(app.consumer) is Consumer

    with_app(of_the_app)


def _overridden(ours: type) -> list[tuple[type, str]]:
    return [(ours, name) for name, value in vars(ours).items() if inspect.isfunction(value)]


NEW = {"_drain", "_check_membership"}  # of our own, no override


@pytest.mark.parametrize(
    ("ours", "name"), [*_overridden(Consumer), *_overridden(ConsumerThread), *_overridden(Application)]
)
def test_every_override_is_of_something_and_takes_what_that_takes(ours: type, name: str) -> None:
    stock = getattr(ours.__mro__[1], name, None)
    if name in NEW:
        assert stock is None
        return
    assert stock is not None, f"{name} overrides nothing in this version"
    taken, given = inspect.signature(getattr(ours, name)).parameters, inspect.signature(stock).parameters
    assert [(one.name if one.name != "batch" else "record", one.kind, one.default) for one in taken.values()] == [
        (one.name, one.kind, one.default) for one in given.values()
    ]
    assert inspect.iscoroutinefunction(getattr(ours, name)) == inspect.iscoroutinefunction(stock)


@pytest.mark.parametrize(
    ("caller", "called"),
    [
        (AnyConsumer._filter_committable_offsets, "self._new_offset("),
        (AnyConsumer._commit_offsets, "self._commit("),
        (GroupCoordinator._coordination_routine, "raise kafka_exc"),
        (GroupCoordinator.check_errors, "self._coordination_task.result()"),
        (Recovery, "consumer.perform_seek("),
        (driver.AIOKafkaConsumerThread.getmany, "self._fetch_records,"),
        (PartitionRecords._unpack_records, "self._consumer_record(tp, record)"),
    ],
)
def test_stock_calls_what_we_override_where_we_think(caller: Any, called: str) -> None:
    assert called in inspect.getsource(caller)


# -- membership ---------------------------------------------------------------------------------------------------


async def _ended(failure: BaseException | None) -> None:
    if failure is not None:
        raise failure


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(None, None), (KafkaError("Unexpected error during coordination"), KafkaError), (asyncio.CancelledError(), None)],
)
def test_a_client_that_lost_its_place_in_the_group_ends_the_worker_that_has_no_partition(
    failure: BaseException | None, raised: type[Exception] | None
) -> None:
    async def fetching(app: faust.App) -> None:
        coordination = asyncio.ensure_future(_ended(failure))
        await asyncio.wait([coordination])
        app.consumer._thread._consumer = SimpleNamespace(_coordinator=SimpleNamespace(_coordination_task=coordination))
        app.consumer.resume_flow()
        with pytest.raises(raised) if raised else contextlib.nullcontext():
            assert [message async for message in app.consumer.getmany(0.1)] == []

    with_app(fetching, OpenGate())


# -- acknowledging ------------------------------------------------------------------------------------------------


def in_a_loop(test: Callable[..., None]) -> Callable[..., None]:
    """What aiokafka keeps of an assignment holds futures, so it wants a running loop."""

    @functools.wraps(test)
    def run(**given: Any) -> None:
        async def once() -> None:
            test(**given)

        asyncio.run(once())

    return run


def _batch(start: int, end: int) -> RecordBatch:
    return RecordBatch(0, start, end, 1, [])


def test_acknowledging_a_batch_acknowledges_all_before_it_gap_or_none() -> None:
    async def acknowledging(app: faust.App) -> None:
        consumer, tp = app.consumer, TP("events", 0)
        app.topics._acking_topics.add("events")
        messages = [consumer._to_message(tp, _batch(*bounds)) for bounds in ((0, 10), (10, 25), (40, 41))]
        assert [message.offset for message in messages] == [9, 24, 40]
        assert consumer._new_offset(tp) is None
        for message in messages[:2]:
            assert consumer.ack(message)
        assert consumer._new_offset(tp) == 25
        assert consumer._new_offset(tp) is None
        assert consumer.ack(messages[2])
        assert consumer._new_offset(tp) == 41
        assert not consumer._acked_index[tp]

    with_app(acknowledging)


def test_acknowledging_out_of_order_is_an_error() -> None:
    async def acknowledging(app: faust.App) -> None:
        consumer, tp = app.consumer, TP("events", 0)
        app.topics._acking_topics.add("events")
        for bounds in ((10, 25), (0, 10)):
            consumer.ack(consumer._to_message(tp, _batch(*bounds)))
        with pytest.raises(AssertionError, match="out of order"):
            consumer._new_offset(tp)

    with_app(acknowledging)


def test_offsets_between_batches_are_no_gap_to_be_filled() -> None:
    async def adding(app: faust.App) -> None:
        tp = TP("events", 0)
        await app.consumer._add_gap(tp, 3, 1_000_000)
        assert not app.consumer._gap[tp]

    with_app(adding)


def test_recovery_seeks_nothing() -> None:
    async def seeking(app: faust.App) -> None:
        # Stock asks the broker for the committed offsets here; there is none to ask.
        await asyncio.wait_for(app.consumer.perform_seek(), 1)
        assert app.consumer._committed_offset == {}

    with_app(seeking)


# -- delivery -----------------------------------------------------------------------------------------------------


def test_a_message_carries_its_batch_and_the_offset_of_its_last_record() -> None:
    async def delivering(app: faust.App) -> None:
        batch = _batch(5, 12)
        message = app.consumer._to_message(TP("events", 0), batch)
        assert (message.value, message.offset, message.tp) == (batch, 11, TP("events", 0))
        assert message.generation_id == app.consumer_generation_id

    with_app(delivering)


@pytest.mark.parametrize(("gate", "asked"), [(OpenGate(p0=7), {0: 7}), (OpenGate(p0=7, p1=8), {0: 7, 1: 8})])
def test_only_partitions_that_the_gate_lets_through_are_fetched(gate: OpenGate, asked: dict[int, int]) -> None:
    async def delivering(app: faust.App) -> None:
        consumer, fetched = app.consumer, []

        async def getmany(active: dict[TP, int], timeout: float) -> dict[TP, list[RecordBatch]]:
            fetched.append({tp.partition: epoch for tp, epoch in active.items()})
            return {TP("events", 0): [_batch(0, 5), _batch(5, 9)]}

        consumer._getmany = getmany
        consumer._active_partitions = {TP("events", number) for number in range(3)}
        consumer.flow_active = True
        got = [message.value async for _, message in consumer.getmany(0.1)]
        assert (got, fetched) == ([_batch(0, 5), _batch(5, 9)], [asked])

    with_app(delivering, gate)


def test_nothing_is_fetched_while_no_partition_is_let_through() -> None:
    async def delivering(app: faust.App) -> None:
        consumer = app.consumer
        consumer._active_partitions = {TP("events", 0)}
        consumer.flow_active = True
        assert [message async for message in consumer.getmany(0.1)] == []

    with_app(delivering, OpenGate())


def test_a_rebalance_between_two_batches_holds_the_rest_back() -> None:
    async def delivering(app: faust.App) -> None:
        consumer = app.consumer

        async def getmany(active: dict[TP, int], timeout: float) -> dict[TP, list[RecordBatch]]:
            return {TP("events", 0): [_batch(0, 5), _batch(5, 9)]}

        consumer._getmany = getmany
        consumer._active_partitions = {TP("events", 0)}
        consumer.flow_active = True
        got = []
        async for _, message in consumer.getmany(0.1):
            got.append(message.value)
            app.consumer_generation_id += 1
        assert got == [_batch(0, 5)]

    with_app(delivering)


# -- batches of what aiokafka fetched -----------------------------------------------------------------------------


def _written(
    first_offset: int, values: list[bytes], producer_id: int = -1, transactional: bool = False, codec: int = 0
) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=int(transactional), producer_id=producer_id,
        producer_epoch=0, base_sequence=0, batch_size=1 << 20,
    )  # fmt: skip
    for place, value in enumerate(values):
        assert builder.append(place, 1_000 + place, b"key", value, [])
    data = builder.build()
    data[0:8] = first_offset.to_bytes(8, "big")  # not part of the checksum
    return bytes(data)


def _fetched(data: bytes, at: int = 0, aborted: list[tuple[int, int]] | None = None) -> tuple[FetchResult, Any]:
    subscriptions = SubscriptionState()
    subscriptions.assign_from_user([SOURCE])
    assignment = subscriptions.subscription.assignment
    assignment.state_value(SOURCE).seek(at)
    records = PartitionRecords(SOURCE, MemoryRecords(data), aborted, at, None, None, True, READ_COMMITTED)
    return FetchResult(SOURCE, assignment=assignment, partition_records=records, backoff=0), assignment


def _told(batches: Iterable[RecordBatch]) -> list[tuple[int, int, list[bytes]]]:
    return [(batch.start, batch.end, [record.value for record in batch.records]) for batch in batches]


@pytest.mark.parametrize("codec", range(5), ids=("none", "gzip", "snappy", "lz4", "zstd"))
@in_a_loop
def test_a_stored_batch_is_read_in_each_codec_that_kafka_knows(codec: int) -> None:
    fetched, _ = _fetched(_written(7, [b"a" * 1_000, b"b" * 1_000], codec=codec), at=7)
    assert _told(_batches(fetched, 0, 1, None))[0] == (7, 9, [b"a" * 1_000, b"b" * 1_000])


@pytest.mark.parametrize(
    ("most", "bounds"),
    [(2, [(7, 9), (9, 11), (11, 12)]), (4, [(7, 11), (11, 12)]), (5, [(7, 12)]), (6, [(7, 12)]), (None, [(7, 12)])],
)
@in_a_loop
def test_a_fetch_is_cut_into_batches_that_follow_each_other(most: int | None, bounds: list[tuple[int, int]]) -> None:
    values = [b"a", b"b", b"c", b"d", b"e"]
    fetched, assignment = _fetched(_written(7, values), at=7)
    told = [batch for batch in _told(_batches(fetched, 0, 1, most)) if batch[2]]
    assert [(start, end) for start, end, _ in told] == bounds
    assert [value for _, _, part in told for value in part] == values
    assert assignment.state_value(SOURCE).position == 12


@in_a_loop
def test_records_stay_as_the_parser_made_them_with_all_that_the_fold_reads() -> None:
    fetched, _ = _fetched(_written(3, [b"value"]), at=3)
    (batch,) = _batches(fetched, 0, 1, None)
    (record,) = batch.records
    assert type(record).__module__.startswith("aiokafka.record")
    assert (record.offset, record.timestamp, record.key, record.value) == (3, 1_000, b"key", b"value")
    assert isinstance(record.key, bytes)
    assert isinstance(record.value, bytes)


@in_a_loop
def test_a_fetch_that_begins_inside_a_stored_batch_delivers_from_its_position_on() -> None:
    fetched, _ = _fetched(_written(0, [b"a", b"b", b"c"]), at=2)
    assert _told(_batches(fetched, 0, 1, None)) == [(2, 3, [b"c"])]


@in_a_loop
def test_offsets_without_records_are_between_a_batchs_start_and_end() -> None:
    # Compaction or transactions leave holes: what counts is where the fetch began and goes on.
    fetched, _ = _fetched(_written(5, [b"a"]) + _written(90, [b"b"]), at=0)
    assert _told(_batches(fetched, 0, 1, None)) == [(0, 91, [b"a", b"b"])]


@in_a_loop
def test_aborted_records_are_passed_over_and_their_offsets_counted() -> None:
    data = _written(0, [b"a"]) + _written(1, [b"x", b"y"], producer_id=9, transactional=True) + _written(3, [b"b"])
    fetched, _ = _fetched(data, aborted=[(9, 1)])
    assert _told(_batches(fetched, 0, 1, None)) == [(0, 4, [b"a", b"b"])]
    only_aborted, _ = _fetched(_written(0, [b"x"], producer_id=9, transactional=True), aborted=[(9, 0)])
    assert _told(_batches(only_aborted, 0, 1, None)) == [(0, 1, [])]


@in_a_loop
def test_a_fetch_that_a_seek_made_stale_delivers_nothing() -> None:
    fetched, assignment = _fetched(_written(0, [b"a", b"b"]))
    assignment.state_value(SOURCE).seek(50)
    assert _told(_batches(fetched, 0, 1, None)) == []
    assert assignment.state_value(SOURCE).position == 50


@in_a_loop
def test_a_fetch_that_a_seek_makes_stale_half_way_delivers_no_more() -> None:
    fetched, assignment = _fetched(_written(0, [b"a", b"b", b"c"]))
    batches = _batches(fetched, 0, 1, 1)
    first = next(iter(batches))
    assignment.state_value(SOURCE).seek(50)
    assert (_told([first]), _told(batches)) == ([(0, 1, [b"a"])], [])


# -- taking what the fetcher holds --------------------------------------------------------------------------------


def with_fetcher(test: Callable[[Fetcher, ConsumerThread], Awaitable[None]], gate: OpenGate) -> None:
    """Runs a test with a real fetcher that is connected to nothing, and the thread that drains it."""

    async def run(app: faust.App) -> None:
        subscriptions = SubscriptionState()
        fetcher = Fetcher(AIOKafkaClient(bootstrap_servers="127.0.0.1:1"), subscriptions)
        subscriptions.assign_from_user([SOURCE])
        try:
            await test(fetcher, ConsumerThread(app.consumer))
        finally:
            await fetcher.close()

    with_app(run, gate)


def test_what_was_fetched_is_taken_and_the_fetcher_told_so() -> None:
    async def draining(fetcher: Fetcher, thread: ConsumerThread) -> None:
        fetcher._records[SOURCE], _ = _fetched(_written(0, [b"a", b"b"]))
        waiting = fetcher._wait_consume_future = asyncio.get_running_loop().create_future()
        drained = thread._drain(fetcher, {TP("events", 0): 4}, 1_000)
        assert [(tp, batch.epoch, batch.end) for tp, batches in drained.items() for batch in batches] == [
            (TP("events", 0), 4, 2)
        ]
        assert waiting.done()
        assert not fetcher._records

    with_fetcher(draining, OpenGate(p0=4))


def test_what_was_fetched_before_a_new_epoch_stays_for_a_call_that_knows_it() -> None:
    async def draining(fetcher: Fetcher, thread: ConsumerThread) -> None:
        fetcher._records[SOURCE], _ = _fetched(_written(0, [b"a", b"b"]))
        assert thread._drain(fetcher, {TP("events", 0): 3}, 1_000) == {}
        assert thread._drain(fetcher, {}, 1_000) == {}
        assert SOURCE in fetcher._records

    with_fetcher(draining, OpenGate(p0=4))


def test_an_error_of_the_fetch_is_raised() -> None:
    async def draining(fetcher: Fetcher, thread: ConsumerThread) -> None:
        fetcher._records[SOURCE] = FetchError(error=OffsetOutOfRangeError({SOURCE: 1}), backoff=0)
        with pytest.raises(OffsetOutOfRangeError):
            thread._drain(fetcher, {TP("events", 0): 4}, 1_000)

    with_fetcher(draining, OpenGate(p0=4))


def test_the_fetchers_waiter_ends_when_something_is_fetched() -> None:
    async def waiting(fetcher: Fetcher, thread: ConsumerThread) -> None:
        waiter = fetcher._create_fetch_waiter()
        assert not waiter.done()
        fetcher._notify(waiter)
        assert waiter.done()
        with fetcher._subscriptions.fetch_context():
            assert not fetcher._subscriptions.reassignment_in_progress

    with_fetcher(waiting, OpenGate(p0=4))


def test_the_consumer_reads_committed_records_and_commits_nothing_by_itself() -> None:
    async def creating(app: faust.App) -> None:
        consumer = ConsumerThread(app.consumer)._create_worker_consumer(app.transport)
        assert (consumer._isolation_level, consumer._enable_auto_commit) == ("read_committed", False)
        assert consumer._max_poll_records == Settings().batch_records
        consumer._closed = True  # never started

    with_app(creating)


# -- how it gets in -----------------------------------------------------------------------------------------------


def test_both_clients_that_faust_makes_get_in_by_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(driver.aiokafka, "AIOKafkaConsumer", lambda **options: given.append(options))
    settings = Settings(kafka="kafka.example:1", kafka_user="worker", kafka_password="sesame")

    async def make() -> None:
        app = create_app(settings, OpenGate(p0=1))
        ConsumerThread(app.consumer, loop=asyncio.get_running_loop())._create_worker_consumer(app.transport)
        given.append(dict(app.producer._settings_auth()))

    asyncio.run(make())
    for options in given:
        assert options["security_protocol"] == "SASL_SSL"
        assert options["sasl_mechanism"] == "SCRAM-SHA-512"
        assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("worker", "sesame")
        assert options["ssl_context"].check_hostname
    assert len(given) == 2
