"""The worker's HTTP port: paths, answers, and that it is opened where it was asked to be."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from streams.observability.http_server import Probes, probes
from streams.observability.listening import PortTaken


class Seen:
    """A port with one gauge, set when it is asked for, and two probes."""

    def __init__(self) -> None:
        self.asked, self.why = 0, ""
        registry = CollectorRegistry()
        gauge = Gauge("asked", "how often it was asked for", registry=registry)

        def measure() -> None:
            self.asked += 1
            gauge.set(self.asked)

        whys = {"/livez": lambda: "", "/readyz": lambda: self.why}
        self.probes = Probes("127.0.0.1", 0, registry, measure, whys)

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, str]:
        connection = HTTPConnection("127.0.0.1", self.probes.port, timeout=10)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        found = answer.status, answer.headers["Content-Type"], answer.read().decode()
        connection.close()
        return found


@pytest.fixture
def seen() -> Iterator[Seen]:
    seen = Seen()
    yield seen
    seen.probes.close()


def test_metrics_are_measured_when_they_are_asked_for(seen: Seen) -> None:
    status, kind, text = seen.ask("/metrics")
    assert (status, kind.split(";")[0]) == (200, "text/plain")
    assert "asked 1.0" in text
    assert "asked 2.0" in seen.ask("/metrics")[2]


def test_a_prometheus_that_asks_for_open_metrics_gets_them(seen: Seen) -> None:
    _, kind, text = seen.ask("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert kind.split(";")[0] == "application/openmetrics-text"
    assert [family.name for family in text_string_to_metric_families(text)] == ["asked"]


def test_a_probe_says_ok_or_why_not(seen: Seen) -> None:
    text = "text/plain; charset=utf-8"
    assert seen.ask("/readyz") == (200, text, "ok\n")
    seen.why = "partitions are being restored: 1"
    assert seen.ask("/readyz") == (503, text, "partitions are being restored: 1\n")
    assert seen.ask("/livez") == (200, text, "ok\n")


def test_other_paths_are_not_found_and_nothing_is_written(seen: Seen) -> None:
    assert seen.ask("/")[::2] == (404, "there are /metrics, /livez, /readyz\n")
    assert [seen.ask(path, "POST")[0] for path in ("/metrics", "/livez")] == [405, 405]
    assert seen.ask("/livez", "HEAD")[::2] == (200, "")


def test_a_port_that_is_taken_is_refused_in_one_line_that_names_the_settings(seen: Seen) -> None:
    with pytest.raises(PortTaken, match=r"^ENCORE_METRICS_HOST=127.0.0.1, ENCORE_METRICS_PORT=\d+: .+ in use; each"):
        Probes("127.0.0.1", seen.probes.port, CollectorRegistry(), lambda: None, {})


def test_a_port_answers_while_its_context_lasts_and_the_port_0_nowhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with probes("127.0.0.1", port, CollectorRegistry(), {"/livez": lambda: ""}):
        socket.create_connection(("127.0.0.1", port)).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with probes("nowhere.invalid", 0, CollectorRegistry(), {}):
        pass
