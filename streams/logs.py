"""Where log lines go, what they look like, and how often libraries may repeat theirs.

It must not know who writes them.
"""

from __future__ import annotations

import logging
import re
import sys
import threading

LIBRDKAFKA = "librdkafka"
_LIBRARIES = ("faust", "mode", "aiokafka", "kafka", "asyncio", LIBRDKAFKA, "streams.transport")
_AGAIN_S = 30.0
_OF_NO_USE = ("Missing sensor state for rebalance", "blocking the event loop")
"""What libraries say of themselves: Faust of its unused monitor, kafka-python of a busy machine at start."""


def log_to_stderr(level: str) -> None:
    """One line an event on stderr; of the libraries' own lines warnings only, and the same one twice a minute."""
    logging.basicConfig(
        stream=sys.stderr, level=level.upper(), format="%(asctime)s %(levelname)-7s %(message)s", force=True
    )
    if level != "debug":
        for name in _LIBRARIES:
            logging.getLogger(name).setLevel(logging.WARNING)
        for handler in logging.getLogger().handlers:
            handler.addFilter(Seldom())
        threading.excepthook = _tell_of_thread


def _tell_of_thread(ended: threading.ExceptHookArgs) -> None:
    """One line: the clients' threads die noisily when they are stopped while Kafka is away."""
    name = ended.thread.name if ended.thread is not None else "?"
    logging.getLogger("threading").warning("thread %s ended: %s", name, ended.exc_type.__name__)


class Seldom(logging.Filter):
    """Lets a library say the same thing once in `_AGAIN_S`, and as a warning.

    Clients repeat themselves fifty times a second while a server is away. What is an error, the process's end,
    is ours to say.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or not record.name.startswith(_LIBRARIES):
            return True
        if any(words in record.getMessage() for words in _OF_NO_USE):
            return False
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        what = (record.name, re.sub(r"\d+", "", record.getMessage()))
        last = self._said.get(what)
        if last is not None and record.created - last < _AGAIN_S:
            return False
        self._said[what] = record.created
        return True
