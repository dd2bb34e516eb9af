"""Counts the API's requests, and how long each waits for its answer to begin."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.observability.dashboard_metrics import DashboardMetrics


class MeasuredRequests:
    """Measures what goes through. `paths`: the paths as they are declared, by their endpoints."""

    def __init__(self, app: ASGIApp, metrics: DashboardMetrics, paths: Mapping[Any, str]) -> None:
        self._app, self._metrics, self._paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_s, has_begun = time.monotonic(), False

        def note(status: int) -> None:
            nonlocal has_begun
            has_begun = True
            # The router has noted by now whom it asks.
            path = self._paths.get(scope.get("endpoint"), "")
            self._metrics.api_requests.labels(path, str(status)).inc()
            self._metrics.api_answer_seconds.labels(path).observe(time.monotonic() - began_s)

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                note(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            # What is raised here is answered further out.
            if not has_begun:
                note(500)
            raise
