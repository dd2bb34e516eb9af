"""Where log lines go, how they look, and how often libraries may repeat theirs."""

from __future__ import annotations

import logging
import re
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import Processor

LIBRDKAFKA = "librdkafka"
_LIBRARIES = (
    "faust",
    "mode",
    "aiokafka",
    "kafka",
    "asyncio",
    "uvicorn",
    LIBRDKAFKA,
    "streams.source.transport",
    "streams.source.app",
)
_KAFKA_CLIENTS = ("aiokafka", "kafka")
"""Below INFO they log every byte that they fetch, household ids included."""

_AGAIN_S = 30.0
_OF_NO_USE = ("Missing sensor state for rebalance", "blocking the event loop", "is overlapping (interval=")
"""Messages of libraries that nobody can act on: Faust's about its unused monitor and about timers that it runs late,
kafka-python's about a busy start. The watchdog ends a worker that is late for too long (`ENCORE_STALL_S`)."""

_IN_OUR_WORDS = {
    "Thread keepalive is not responding": (
        "a client's thread gets no processor time, or waits for Kafka: nothing to do if it is said once; if it is said"
        " again and again, give the worker more CPU, and check that Kafka answers (`encore doctor`)"
    ),
    "is assigned to multiple consumers": (
        "a member came back to the group with partitions that another one has by now: the group gives each to one of"
        " them, nothing to do"
    ),
}
"""What takes the place of messages that only the libraries' authors understand, by words that are in them."""


AUTO, TEXT, JSON = "auto", "text", "json"


def log_to_stderr(level: str, form: str = AUTO) -> None:
    """Log to stderr, one line for each event; of libraries only warnings, and the same one at most twice a minute.

    `form`: text for people, JSON for machines; auto is text on a terminal and else JSON.
    """
    handler = logging.StreamHandler(sys.stderr)
    is_text = form == TEXT or (form == AUTO and sys.stderr.isatty())
    handler.setFormatter(_for_people() if is_text else _for_machines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _KAFKA_CLIENTS:
        logging.getLogger(name).setLevel(logging.INFO)
    if level != "debug":
        for name in _LIBRARIES:
            logging.getLogger(name).setLevel(logging.WARNING)
        handler.addFilter(Seldom())
        threading.excepthook = _tell_of_thread


def _for_people() -> logging.Formatter:
    return logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")


def _for_machines() -> logging.Formatter:
    """One object per line: `timestamp` (ISO 8601, UTC), `level`, `logger`, `event`, and `exception` if there is one."""
    import structlog  # it imports rich: nothing for every command

    noted: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    told: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=noted, processors=told)


def keep_libraries_quiet() -> None:
    """Without a handler, Python would print libraries' warnings; a command reports failures itself."""
    for name in _LIBRARIES:
        logging.getLogger(name).addHandler(logging.NullHandler())


def _tell_of_thread(ended: threading.ExceptHookArgs) -> None:
    """One line: the clients' threads die noisily when they are stopped while Kafka is away."""
    name = ended.thread.name if ended.thread is not None else "?"
    logging.getLogger("threading").warning("thread %s ended: %s", name, ended.exc_type.__name__)


class Seldom(logging.Filter):
    """Passes a library's line once in `_AGAIN_S`, and as a warning.

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
        _translate(record)
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        if record.exc_info and record.name.startswith(_KAFKA_CLIENTS):
            # If it matters, the worker ends because of it and says so; a traceback through the client adds nothing.
            record.msg, record.args = f"{record.getMessage()}: {record.exc_info[1]!r}", ()
            record.exc_info = record.exc_text = None
        what = (record.name, re.sub(r"\d+", "", record.getMessage()))
        last = self._said.get(what)
        if last is not None and record.created - last < _AGAIN_S:
            return False
        self._said[what] = record.created
        return True


def _translate(record: logging.LogRecord) -> None:
    """Put our words in the place of a message that says nothing to an operator."""
    said = record.getMessage()
    ours = next((ours for words, ours in _IN_OUR_WORDS.items() if words in said), None)
    if ours is not None:
        record.msg, record.args = ours, ()
