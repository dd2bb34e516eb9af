"""Whether a service that answers by HTTP is alive, and reaches the server behind it; if not, the reason in one line."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn

from streams.observability.systemd import ALIVE, READY, STOPPING, tell_supervisor

_BEAT_S, _DEAD_S, _ASK_S = 1.0, 15.0, 5.0

log = logging.getLogger(__name__)


class ServiceHealth:
    """One process's health. `ask`: why the server, by its name, is away; empty if it answers. Asked from threads."""

    def __init__(self, server: str, ask: Callable[[], Awaitable[str]]) -> None:
        self._server, self._ask = server, ask
        self._beat_s = time.monotonic()
        self._why = f"{server} has not been asked yet"
        self._is_stopping = False

    @property
    def whys(self) -> Mapping[str, Callable[[], str]]:
        """The probes by their paths: each says why not, or nothing."""
        return {"/livez": self.why_dead, "/readyz": self.why_not_ready}

    async def keep_beating(self) -> NoReturn:
        """Note regularly that the event loop runs, and notify the supervisor."""
        tell_supervisor(READY)
        while True:
            self._beat_s = time.monotonic()
            tell_supervisor(ALIVE)
            await asyncio.sleep(_BEAT_S)

    async def keep_asking(self) -> NoReturn:
        """Ask the server regularly, and log when it goes and when it is back."""
        while True:
            why = await self._ask()
            if why and why != self._why:
                log.warning("%s; requests are answered 503 until it is back", why)
            elif self._why and not why:
                log.info("%s answers", self._server)
            self._why = why
            await asyncio.sleep(_ASK_S)

    def note_stopping(self) -> None:
        """Note that no request is accepted any more, and notify the supervisor."""
        self._is_stopping = True
        tell_supervisor(STOPPING)

    def why_dead(self) -> str:
        """Why it is not alive; empty while its event loop runs."""
        silent_s = time.monotonic() - self._beat_s
        return f"the event loop has not moved for {silent_s:.0f} s" if silent_s > _DEAD_S else ""

    def why_not_ready(self) -> str:
        """Why it can answer no request; empty while the server behind it answers."""
        return "it is being stopped" if self._is_stopping else self._why
