"""Every Prometheus metric of `encore dashboard` and its API, declared once, with the sentence that documents it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from streams.observability.metrics import PREFIX

_ANSWER_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class DashboardMetrics:
    """One process's metrics, in a registry of their own. `path`: as OpenAPI has it, such as `/titles/{title_id}`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.api_requests = Counter(
            PREFIX + "api_requests",
            "requests to the HTTP API by the status of their answer; refused before a path is known, path is empty",
            ("path", "status"),
            registry=self.registry,
        )
        self.api_answer_seconds = Histogram(
            PREFIX + "api_answer_seconds",
            "time from a request to the beginning of its answer",
            ("path",),
            buckets=_ANSWER_S,
            registry=self.registry,
        )
        self.api_listening_clients = Gauge(
            PREFIX + "api_listening_clients", "clients that follow the changes", registry=self.registry
        )
        self.dashboard_open_pages = Gauge(
            PREFIX + "dashboard_open_pages", "pages of the dashboard that are open in browsers", registry=self.registry
        )
