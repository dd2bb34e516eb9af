"""Measures how long Redis took to be complete again, after a loss of data or a rebuild, and logs it."""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)


class WholeAgain:
    """Measures from `begin` until all hashes are marked as complete."""

    def __init__(self) -> None:
        self._begun: float | None = None
        self._written = 0

    def begin(self) -> None:
        """Start measuring: everything must be written again."""
        self._begun, self._written = time.monotonic(), 0

    def note(self, written: int, all_said: bool) -> None:
        """Note how many hashes were written. `all_said`: all of them are marked as complete by now."""
        if self._begun is None:
            return
        self._written += written
        if all_said and not self._written:
            # No partition of this worker had anything to write: others write the rest, and say so.
            self._begun = None
        elif all_said:
            log.info("Redis is whole again: %d hashes written in %.1f s", self._written, time.monotonic() - self._begun)
            self._begun = None
