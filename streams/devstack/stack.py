"""A private Kafka and Redis for one program, gone when it ends.

Owns which servers belong together and their folder. It must not know what runs against them.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from streams.devstack.kafka import KafkaServer
from streams.devstack.redis import RedisServer
from streams.devstack.servers import Server


class Devstack:
    """The servers of one folder. Any number of them side by side; each has ports of its own.

    `with Devstack.start() as stack:` gives `stack.kafka` and `stack.redis`, the addresses, and
    `stack.kafka_server` and `stack.redis_server` to stop, kill, pause and start again.
    """

    def __init__(self, folder: Path, *, tied: bool = True, remove: bool = False, heap: str = "1g") -> None:
        self.folder = folder
        self._remove = remove
        self.kafka_server = KafkaServer(folder, tied=tied, remove=remove, heap=heap)
        self.redis_server = RedisServer(folder, tied=tied, remove=remove)
        self._wanted: list[Server] = []

    @classmethod
    def start(cls, folder: Path | None = None, *, kafka: bool = True, redis: bool = True, heap: str = "1g") -> Devstack:
        """Start the servers and wait until they answer. They end with this process, however that ends.

        `folder` None: a temporary one, removed at the end. Raises `ServerFailed`.
        """
        remove = folder is None
        stack = cls(folder or Path(tempfile.mkdtemp(prefix="encore-devstack-")), remove=remove, heap=heap)
        stack.up(kafka=kafka, redis=redis)
        return stack

    def up(self, *, kafka: bool = True, redis: bool = True) -> None:
        """Start those that do not run yet; none goes on where one fails."""
        chosen: dict[Server, bool] = {self.redis_server: redis, self.kafka_server: kafka}
        self._wanted = [server for server, wanted in chosen.items() if wanted]
        try:
            for server in self._wanted:
                server.start()
        except BaseException:
            self.stop()
            raise

    @property
    def kafka(self) -> str:
        """Kafka's `HOST:PORT`."""
        return self.kafka_server.address

    @property
    def redis(self) -> str:
        """Redis's URL."""
        return self.redis_server.address

    @property
    def ready(self) -> bool:
        """Whether both run and answer."""
        return self.redis_server.ready and self.kafka_server.ready

    def stop(self) -> None:
        """End the servers; a temporary folder goes with them."""
        try:
            self.kafka_server.stop()
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
