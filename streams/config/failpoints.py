"""Named moments at which a worker can be killed or frozen, so that a test hits exactly that moment.

Owns the moments' names and what happens there. Off unless `ENCORE_FAILPOINT` is set. A moment costs a call a few times
for each checkpoint, never for each event.
"""

from __future__ import annotations

import logging
import re
import signal
import threading
from collections.abc import Callable
from enum import StrEnum

log = logging.getLogger(__name__)


class Failpoint(StrEnum):
    """The moments, in the order in which a worker reaches them."""

    RESTORING = "restoring"
    """A partition's former owner is fenced, and part of the changelog is read."""
    ASSIGNED = "assigned"
    """A rebalance said which partitions are this worker's; none of them is open yet."""
    CUT = "cut"
    """A checkpoint's changes are taken; its transaction has not begun."""
    WRITTEN = "written"
    """The broker has half of a transaction's rows, and not its position; it is not committed."""
    COMMITTED = "committed"
    """The transaction is committed; neither Faust nor the publisher knows."""
    SHARES = "shares"
    """A round of publishing has its shares ready; Redis has none of them."""
    PUBLISHED = "published"
    """Redis has all of a round; that is not noted yet."""
    REVOKED = "revoked"
    """A rebalance took partitions away; they are not checkpointed yet."""


FORM = rf"^({'|'.join(Failpoint)})(:[1-9]\d*)?(:kill|:freeze)?$|^$"
"""The setting: the moment, which occurrence triggers it (default: the first), `kill` (the default) or `freeze`."""

_ACTIONS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}
_armed = ""
_left = 0
_action = "kill"


def arm(setting: str) -> None:
    """Arm the moment that a setting of the form `FORM` names; an empty one disarms."""
    global _armed, _left, _action
    _armed, *more = setting.split(":")
    _left = next((int(word) for word in more if re.fullmatch(r"\d+", word)), 1)
    _action = next((word for word in more if word in _ACTIONS), "kill")


def reached(moment: Failpoint, *, prepare: Callable[[], object] | None = None) -> None:
    """Note that the worker is at a moment. If that is the armed one, call `prepare`, then kill or freeze the worker."""
    global _left
    if moment != _armed or _left < 1:
        return
    _left -= 1
    if _left == 0:
        if prepare is not None:
            prepare()
        log.warning("failpoint %s: %s", moment, _action)
        # Sent to this thread: a signal to the process might let it run on for a moment.
        signal.pthread_kill(threading.get_ident(), _ACTIONS[_action])
