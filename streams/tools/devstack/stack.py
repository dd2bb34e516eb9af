"""A private Kafka and Redis for one program, gone when it ends.

Owns which servers belong together, and their folder.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from streams.tools.devstack.cluster import KafkaCluster
from streams.tools.devstack.kafka import KafkaServer
from streams.tools.devstack.redis import RedisServer


class Devstack:
    """The servers of one folder. Any number of them side by side; each has ports of its own.

    `with Devstack.start() as stack:` gives `stack.kafka` and `stack.redis`, the addresses, and
    `stack.brokers` and `stack.redis_server` to stop, kill, pause and start again.
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
        self.folder = folder
        self._remove = remove
        self.cluster = KafkaCluster(folder, brokers=brokers, tied=tied, remove=remove, heap=heap, brief=brief)
        self.redis_server = RedisServer(folder, tied=tied, remove=remove)

    @classmethod
    def start(
        cls,
        folder: Path | None = None,
        *,
        kafka: bool = True,
        redis: bool = True,
        brokers: int = 0,
        heap: str = "",
        brief: bool = False,
    ) -> Devstack:
        """Start the servers and wait until they answer. They end with this process, however that ends.

        `folder` None: a temporary one, removed at the end. `brokers`: 1 or 3; 0: those of the folder, else 1.
        `heap`: of each broker, as Java wants it; empty: 1g for one, 640m for each of three.
        `brief`: see `KafkaServer`. Raises `ServerFailed`.
        """
        remove = folder is None
        folder = folder or Path(tempfile.mkdtemp(prefix="encore-devstack-"))
        stack = cls(folder, brokers=brokers, remove=remove, heap=heap, brief=brief)
        stack.up(kafka=kafka, redis=redis)
        return stack

    def up(self, *, kafka: bool = True, redis: bool = True) -> None:
        """Start those that do not run yet. If one fails, stop all."""
        try:
            if redis:
                self.redis_server.start()
            if kafka:
                self.cluster.start()
        except BaseException:
            self.stop()
            raise

    @property
    def brokers(self) -> list[KafkaServer]:
        """The nodes of Kafka."""
        return self.cluster.nodes

    @property
    def kafka_server(self) -> KafkaServer:
        """Kafka's only node, or its first."""
        return self.brokers[0]

    @property
    def kafka(self) -> str:
        """Kafka's `HOST:PORT[,HOST:PORT…]`."""
        return self.cluster.address

    @property
    def redis(self) -> str:
        """Redis's URL."""
        return self.redis_server.address

    @property
    def ready(self) -> bool:
        """Whether all run and answer."""
        return self.redis_server.ready and all(node.ready for node in self.brokers)

    def stop(self) -> None:
        """End the servers; a temporary folder goes with them."""
        try:
            # Nobody reads what an orderly end would write into a folder that goes.
            self.cluster.kill() if self._remove else self.cluster.stop()
        finally:
            self.redis_server.stop()
        if self._remove:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Devstack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
