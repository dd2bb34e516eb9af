"""Whether a worker is alive, started and ready; if not, the reason in one line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from typing import NoReturn, Protocol

from streams.observability.partition_metrics import CheckpointWait
from streams.observability.systemd import ALIVE, READY, tell_supervisor

_BEAT_S = 1.0
_DEAD_S = 15.0
_STALE_S = 60.0


class HasCheckpointWait(Protocol):
    """The part of a partition that is needed here."""

    @property
    def pulse(self) -> CheckpointWait:
        """Its measurements."""


class Vitals:
    """One worker's vitals. `partitions`, `openings` and `stopped` are the worker's own, and change. Called from other
    threads.

    A worker with a stopped partition is ready: it works on all others, and no rollout should wait for this one.
    """

    def __init__(
        self, partitions: Mapping[int, HasCheckpointWait], openings: Collection[int], stopped: Collection[int] = ()
    ) -> None:
        self.partitions = partitions
        self.openings = openings
        self.stopped = stopped
        self._beat_s = time.monotonic()
        self._is_assigned = False
        self._has_started = False

    async def keep_beating(self) -> NoReturn:
        """Note regularly that the event loop runs, and notify the supervisor; once, also that the worker started."""
        has_said_ready = False
        while True:
            self._beat_s = time.monotonic()
            is_ready = has_said_ready or not self.why_not_started()
            tell_supervisor(ALIVE, *([READY] if is_ready and not has_said_ready else []))
            has_said_ready = is_ready
            await asyncio.sleep(_BEAT_S)

    @property
    def whys(self) -> Mapping[str, Callable[[], str]]:
        """The probes by their paths: each says why not, or nothing."""
        return {"/livez": self.why_dead, "/readyz": self.why_not_ready, "/startupz": self.why_not_started}

    def note_assigned(self) -> None:
        """Note that the group has assigned partitions to this worker, perhaps none."""
        self._is_assigned = True

    def why_dead(self) -> str:
        """Why the worker is not alive; empty while its event loop runs."""
        silent_s = time.monotonic() - self._beat_s
        return f"the event loop has not moved for {silent_s:.0f} s" if silent_s > _DEAD_S else ""

    def why_not_started(self) -> str:
        """Why the worker has not started; empty once it was ready for the first time."""
        if not self._has_started:
            why = self._why_not_restored()
            self._has_started = not why
            return why
        return ""

    def why_not_ready(self) -> str:
        """Why the worker is not ready; empty while all partitions are restored and their checkpoints go on."""
        why = self._why_not_restored()
        if why:
            return why
        for number, partition in list(self.partitions.items()):
            age_s = partition.pulse.checkpoint_age_s
            if age_s > _STALE_S:
                return f"partition {number} has records that have waited for a checkpoint for {age_s:.0f} s"
        return ""

    def _why_not_restored(self) -> str:
        if not self._is_assigned:
            return "the group has not assigned partitions yet"
        opening = sorted(set(self.openings) - set(self.stopped))
        return f"partitions are being restored: {', '.join(map(str, opening))}" if opening else ""
