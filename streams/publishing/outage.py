"""Measures how long Redis took to be complete again, after a loss of data or a rebuild, and logs it."""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)


class WholeAgain:
    """Counts from `begin` until all hashes say that they are complete."""

    def __init__(self) -> None:
        self._begun: float | None = None
        self._written = 0

    def begin(self) -> None:
        """Everything is to be written from now on."""
        self._begun, self._written = time.monotonic(), 0

    def note(self, written: int, all_said: bool) -> None:
        """So many hashes were written; `all_said`: by now all say complete."""
        if self._begun is None:
            return
        self._written += written
        if all_said:
            log.info("Redis is whole again: %d hashes written in %.1f s", self._written, time.monotonic() - self._begun)
            self._begun = None
