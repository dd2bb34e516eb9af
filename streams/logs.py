"""Where log lines go and what they look like. It must not know who writes them."""

from __future__ import annotations

import logging
import sys

_QUIET = ("faust", "mode", "aiokafka", "kafka", "asyncio", "streams.transport")


def log_to_stderr(level: str) -> None:
    """One line an event on stderr; the libraries' own lines only from warnings on."""
    logging.basicConfig(
        stream=sys.stderr, level=level.upper(), format="%(asctime)s %(levelname)-7s %(message)s", force=True
    )
    if level != "debug":
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.WARNING)
