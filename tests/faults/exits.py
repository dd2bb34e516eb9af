"""Why workers ended. Each end has a cause that the run knows of, or it is a finding.

Owns the causes: a signal that was sent, a fence, a server that was away.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Set
from typing import NamedTuple

UNEXPLAINED = "unexplained"
_SIGNALS = {-signal.SIGKILL: (signal.SIGKILL, "kill -9"), 0: (signal.SIGTERM, "SIGTERM, in order")}
_NEEDS = {
    "CheckpointFailed": "Kafka",
    "KafkaConnectionError": "Kafka",
    "KafkaFailed": "Kafka",
    "CannotRead": "Kafka",
    "NotReachable": "Kafka or Redis",
}
"""The failures that a server's absence explains. Another one is a finding, whatever was away."""


class Exit(NamedTuple):
    """The end of one life of a worker, so many seconds after the run's beginning. `said`: its last error."""

    at_s: float
    worker: str
    code: int
    cause: str
    said: str


def cause_of(code: int, said: str, sent: Set[int], away: Set[str]) -> str:
    """Why a worker ended that was sent these signals, while these servers were away, or had just been."""
    number, words = _SIGNALS.get(code, (None, ""))
    if number in sent:
        return words
    failed = re.search(r"worker failed: (\w+): ", said)
    if code != 1 or failed is None:
        return UNEXPLAINED
    if failed[1] == "Fenced":
        return "a fence"
    missed = [server for server in sorted(away) if server in _NEEDS.get(failed[1], "")]
    return f"{failed[1]} while {missed[0]} was away" if missed else UNEXPLAINED


def last_error(log: str) -> str:
    """The last line of a log that says ERROR."""
    return next((line for line in reversed(log.splitlines()) if " ERROR " in line), "")
