"""The HTTP port of a service: metrics for Prometheus, probes for the orchestrator.

Owns paths and answers. It only reads, and runs in a thread of its own, so that it answers while the event loop is
blocked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from streams.observability.listening import PortTaken

Why = Callable[[], str]
"""Why a probe fails; empty if it succeeds."""

_TEXT = "text/plain; charset=utf-8"


class _ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    timeout = 10

    def log_message(self, *_: Any) -> None:
        """Log nothing: probes come every few seconds."""


class Probes:
    """Answers until `close`. `measure` is called before metrics are served; `whys` are by path."""

    def __init__(
        self, host: str, port: int, registry: CollectorRegistry, measure: Callable[[], None], whys: Mapping[str, Why]
    ) -> None:
        self._metrics, self._measure, self._whys = make_wsgi_app(registry), measure, whys
        try:
            self._server = make_server(host, port, self._answer, _ThreadedServer, _Silent)
        except OSError as problem:
            raise PortTaken(
                f"ENCORE_METRICS_HOST={host}, ENCORE_METRICS_PORT={port}: {problem.strerror}; each process of a machine"
                " needs a port of its own"
            ) from None
        threading.Thread(target=self._server.serve_forever, name="probes", daemon=True).start()

    @property
    def port(self) -> int:
        """The port number."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            self._measure()
            answer: Iterable[bytes] = self._metrics(environ, start)
            return answer
        status, body = self._found(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        start(status, [("Content-Type", _TEXT), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    def _found(self, method: str, path: str) -> tuple[str, bytes]:
        if method not in ("GET", "HEAD"):
            return "405 Method Not Allowed", b"only GET\n"
        if path not in self._whys:
            return "404 Not Found", f"there are /metrics, {', '.join(self._whys)}\n".encode()
        why = self._whys[path]()
        return ("503 Service Unavailable", f"{why}\n".encode()) if why else ("200 OK", b"ok\n")


def _nothing() -> None:
    """Measure nothing: the metrics are what was counted."""


@contextmanager
def probes(
    host: str, port: int, registry: CollectorRegistry, whys: Mapping[str, Why], measure: Callable[[], None] = _nothing
) -> Iterator[None]:
    """Answers while the context lasts, as `Probes` does; with the port 0 nowhere. Raises `PortTaken`."""
    if not port:
        yield
        return
    answering = Probes(host, port, registry, measure, whys)
    try:
        yield
    finally:
        answering.close()
