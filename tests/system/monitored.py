"""The port of metrics and probes, as Prometheus and a supervisor ask it."""

from __future__ import annotations

import socket
from collections import Counter
from http.client import HTTPConnection, HTTPException

from prometheus_client.parser import text_string_to_metric_families


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str, timeout_s: float = 10) -> tuple[int, str]:
    """Status and body; 0 where nobody answers."""
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, HTTPException) as nobody:
        return 0, str(nobody)
    finally:
        connection.close()


def metrics(port: int) -> Counter[str]:
    """Samples by name; those of partitions and reasons added up."""
    sums: Counter[str] = Counter()
    for family in text_string_to_metric_families(ask(port, "/metrics")[1]):
        for sample in family.samples:
            sums[sample.name] += sample.value
    return sums
