"""An Apache Kafka of one node, or of a quorum of three.

Owns which nodes exist, their shared configuration, and whether all are ready.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from streams.tools.devstack.kafka import KafkaServer, Quorum
from streams.tools.devstack.process import ServerFailed

RECORD = "quorum.json"
HEAPS = {1: "1g", 3: "640m"}


class KafkaCluster:
    """The nodes of one folder: `kafka` alone, or `kafka-1` to `kafka-3`, any one of which may be away.

    `brokers` 0: as many as the folder was made for, else one. Raises `ServerFailed` where it was made for others.
    """

    def __init__(
        self,
        folder: Path,
        *,
        brokers: int = 0,
        tied: bool = True,
        remove: bool = False,
        heap: str = "",
        brief: bool = False,
    ) -> None:
        made_for = _made_for(folder)
        brokers = brokers or made_for or 1
        if brokers not in HEAPS:
            raise ServerFailed(f"Kafka has {' or '.join(map(str, HEAPS))} brokers here, not {brokers}")
        if made_for not in (0, brokers):
            raise ServerFailed(f"the servers in {folder} have brokers: {made_for}; use another folder for {brokers}")
        self._quorum = _quorum(folder, brokers) if brokers > 1 else None
        self._record = folder / RECORD
        self.nodes = [
            KafkaServer(
                folder,
                tied=tied,
                remove=remove,
                heap=heap or HEAPS[brokers],
                brief=brief,
                quorum=self._quorum,
                node_id=node_id,
            )
            for node_id in range(1, brokers + 1)
        ]

    @property
    def address(self) -> str:
        """`HOST:PORT[,HOST:PORT…]`, of all nodes."""
        return ",".join(node.address for node in self.nodes)

    def start(self) -> None:
        """Start all nodes concurrently, as none gets ready alone, and wait until all have joined.

        Raises `ServerFailed`; no node goes on then.
        """
        if self._quorum:
            self._record.parent.mkdir(parents=True, exist_ok=True)
            self._record.write_text(json.dumps(self._quorum._asdict()))
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            starts = [pool.submit(node.start) for node in self.nodes]
            try:
                for start in starts:
                    start.result()
            except BaseException:
                self.kill()
                raise

    def stop(self) -> None:
        """End all nodes in good order, as far as there is one: the last of three has no quorum to leave, and gives
        up after five seconds.
        """
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(KafkaServer.stop, self.nodes))

    def kill(self) -> None:
        """End all nodes as a crash would. Their data stay."""
        for node in self.nodes:
            node.kill()

    def wait_until_in_sync(self, within_s: float = 60) -> None:
        """Wait until no partition lacks a replica: only then may the next node go away. Raises `ServerFailed`."""
        deadline = time.monotonic() + within_s
        while lagging := self._out_of_sync():
            if time.monotonic() > deadline:
                raise ServerFailed(f"Kafka's replicas are not in sync after {within_s:.0f} s: {', '.join(lagging)}")
            time.sleep(0.1)

    def _out_of_sync(self) -> list[str]:
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        try:
            with KafkaAdminClient(bootstrap_servers=self.address, request_timeout_ms=5000) as admin:
                topics = admin.describe_topics()
        except (KafkaError, OSError) as problem:
            return [str(problem)]
        return [
            f"{topic['name']}/{partition['partition_index']}"
            for topic in topics
            for partition in topic["partitions"]
            if len(partition["isr_nodes"]) < len(partition["replica_nodes"])
        ]


def _made_for(folder: Path) -> int:
    """The number of brokers that a folder was made for; 0: it is new."""
    if (folder / RECORD).exists():
        return len(_quorum(folder, 0).ports)
    return 1 if (folder / "kafka").exists() else 0


def _quorum(folder: Path, brokers: int) -> Quorum:
    try:
        recorded = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        return Quorum.fresh(brokers)
    return Quorum(recorded["cluster_id"], tuple(recorded["ports"]))
