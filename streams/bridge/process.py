"""The bridge process: a foreign topic in, playback events out.

Owns what a bridge is made of: its topics, the households that are looked up, its port. The life of the process is
`streams.worker.group_process`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

from models.sources.identities import Identities
from models.sources.schemas import schemas
from streams.bridge.bridged_partitions import BridgedPartitions
from streams.bridge.households import households_feed
from streams.bridge.partition import Bridge
from streams.bridge.state import remedy
from streams.config.bridges import bridge_settings
from streams.config.settings import Settings
from streams.kafka.admin import KafkaView, TopicNow
from streams.kafka.compacted_topic import FollowedTopic
from streams.kafka.topics import KafkaFailed, make_bridge_topics
from streams.observability.bridge_metrics import BridgeMetrics
from streams.observability.http_server import probes
from streams.observability.liveness import Vitals
from streams.state.transactions import Fenced
from streams.worker.group_process import GroupProcess
from streams.worker.startup import reach
from streams.worker.watchdog import watch_progress, watch_topics

log = logging.getLogger(__name__)

_ONE_TRY_S = 3.0
_FAR_BEHIND_RECORDS, _TIMES_FAR_BEHIND = 20_000, 5
_IF_GROWN = (
    "start the bridge again, and it goes on; if it is the topic of playback events, `encore repartition` says how"
    " (docs/growing.md)"
)


class BridgeProcess(GroupProcess):
    """One process of the bridge that translates the records of a foreign topic by a schema."""

    name = "bridge"
    ownership: BridgedPartitions

    def __init__(self, settings: Settings, schema: str, topic: str, *, accept_gap: bool = False) -> None:
        super().__init__(bridge_settings(settings, schema, topic), Vitals({}, ()))
        self.metrics = BridgeMetrics()
        self._application, self._schema, self._accept_gap = settings, schema, accept_gap
        self._opened = ExitStack()
        self._households: FollowedTopic[str] | None = None

    def fail(self, problem: BaseException) -> None:
        """End the process with a failure."""
        if self.failure is None:
            self.metrics.bridge_refused_transactions.inc(isinstance(problem, Fenced))
        super().fail(problem)

    @property
    def _checkpoint_s(self) -> float:
        # Fewer and larger checkpoints in a backlog: a session that changes several times is written once.
        is_far_behind = sum(self.ownership.lags.values()) > _FAR_BEHIND_RECORDS
        return (_TIMES_FAR_BEHIND if is_far_behind else 1) * self.settings.checkpoint_s

    async def _start(self) -> None:
        settings, writes = self.settings, self._application.source_topic
        log.info(
            "bridge %s starts: Kafka %s, %s from %s to %s",
            settings.app_id,
            settings.kafka,
            self._schema,
            settings.source_topic,
            writes,
        )
        await reach(
            "ENCORE_KAFKA", settings.kafka, self._reach_kafka, KafkaFailed, settings.startup_timeout_s, self._stop
        )
        gc.freeze()
        gc.disable()
        self.ownership = BridgedPartitions(self._bridge, self._view, self.vitals, self.metrics, self._stop, self.fail)
        own = self.ownership
        self.vitals.partitions, self.vitals.openings, self.vitals.stopped = own.partitions, own.openings, own.stopped

    async def _reach_kafka(self) -> None:
        await asyncio.to_thread(self._find_ground)

    def _find_ground(self) -> None:
        """Create missing topics, and read the households. Blocks. Raises `KafkaFailed`."""
        settings, kafka = self.settings, self.settings.kafka_address
        view = self._view = KafkaView(kafka)
        source = view.topic_there(settings.source_topic)
        made = make_bridge_topics(self._application, settings, kafka, _ONE_TRY_S)
        if made:
            log.info("made the topics %s", ", ".join(made))
        state, writes = view.topic_there(settings.state_topic), self._application.source_topic
        self._rests_on: dict[str, TopicNow] = {
            settings.source_topic: source, settings.state_topic: state, writes: view.topic_there(writes)
        }  # fmt: skip
        if households := settings.bridge_households_topic:
            self._rests_on[households] = view.topic_there(households)
        self._bridge = Bridge(
            settings,
            schemas()[self._schema],
            self._identities(),
            writes,
            source.topic_id,
            state.topic_id,
            self._accept_gap,
        )

    def _identities(self) -> Identities:
        settings = self.settings
        return Identities(
            settings.bridge_household,
            settings.bridge_title,
            settings.bridge_profile,
            self._household_of(),
            frozenset(each.strip() for each in settings.bridge_kids.split(",") if each.strip()),
            settings.bridge_time_zone or None,
        )

    def _household_of(self) -> Callable[[str], str | None] | None:
        if not self.settings.bridge_households_topic:
            return None
        feed = self._households = households_feed(self.settings.kafka_address, self.settings.bridge_households_topic)
        feed.load(self.settings.startup_timeout_s)
        return lambda user: feed.rows.get(user)

    def _watching(self) -> list[Coroutine[Any, Any, Any]]:
        settings = self.settings
        return [
            watch_topics(self._view, self._rests_on, if_grown=_IF_GROWN, if_gone=remedy(settings)),
            watch_progress(self._view, settings.source_topic, self.ownership.positions, settings.stall_s),
        ]

    async def _drain(self) -> None:
        """Nothing is left to do."""

    async def _close(self) -> None:
        if self._households is not None:
            self._households.stop()

    def _open_port(self) -> None:
        settings, registry = self.settings, self.metrics.registry
        answering = probes(settings.metrics_host, settings.metrics_port, registry, self.vitals.whys, self._measure)
        self._opened.enter_context(answering)

    def _close_port(self) -> None:
        self._opened.close()

    def _measure(self) -> None:
        """Set all gauges. Called from the threads that answer."""
        if hasattr(self, "ownership"):
            for number, partition in list(self.ownership.partitions.items()):
                self.metrics.measure(
                    number, self.ownership.lags.get(number, 0), partition.pulse, partition.foreign.sessions
                )
            self.metrics.bridge_stopped_partitions.set(len(self.ownership.stopped))
