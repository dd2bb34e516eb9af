"""Several Redis servers that work together: started, awaited and stopped as one."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from streams.tools.devstack.process import ServerFailed
from streams.tools.devstack.servers import Server

_AGREED_WITHIN_S = 90.0


class RedisGroup(ABC):
    """Use as a context manager."""

    @property
    @abstractmethod
    def everyone(self) -> Iterable[Server]:
        """All servers, in the order in which they are ended."""

    @abstractmethod
    def start(self) -> None:
        """Start all, and wait until they work as one. Raises `ServerFailed`."""

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Poll until it holds. Raises `ServerFailed`."""
        deadline = time.monotonic() + _AGREED_WITHIN_S
        while not condition():
            if time.monotonic() > deadline:
                raise ServerFailed(f"not within {_AGREED_WITHIN_S:g} s: {what}")
            time.sleep(0.05)

    def close(self) -> None:
        """End all."""
        for server in self.everyone:
            server.kill()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
