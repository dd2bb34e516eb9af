"""The newest values that a reader has shown, so that a version never goes backwards.

Owns the choice between Redis's value and the one shown before.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from streams.reader.replies import ServerState
from streams.reader.results import Read

KEPT = 20_000
"""How many results are kept: those read most recently. For a key beyond that, an older version might be shown."""


class Newest:
    """The newest complete result of each key, shared by the threads that share a reader.

    A server is *behind* if its status is older than one seen before: after a failover its new primary lacks what had
    not reached it. There, and while a rebuild is under way, a key that is missing proves nothing.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._results: OrderedDict[str, Read] = OrderedDict()
        self._status_version = 0
        self._lock = threading.Lock()

    def settle(self, name: str, found: Read | None, state: ServerState) -> Read | None:
        """The result to show: the one found if it is complete and no older than the one shown before, else that."""
        with self._lock:
            is_behind = state.version < self._status_version
            self._status_version = max(state.version, self._status_version)
            shown = self._results.get(name)
            if found is None:
                return shown if is_behind or not state.complete else None
            if not found.complete or (shown is not None and found.version < shown.version):
                return shown or found
            self._keep(name, found)
            return found

    def _keep(self, name: str, found: Read) -> None:
        self._results[name] = found
        self._results.move_to_end(name)
        if len(self._results) > self._kept:
            self._results.popitem(last=False)
