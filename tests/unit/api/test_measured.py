"""What is counted of the API's requests."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from streams.api.measured import MeasuredRequests
from streams.observability.dashboard_metrics import DashboardMetrics


async def title(request: Request) -> Response:
    return PlainTextResponse("", 404 if request.path_params["title_id"] == "nobody" else 200)


async def broken(_: Request) -> Response:
    raise ValueError


async def broken_off(_: Request) -> Response:
    async def parts() -> Any:
        yield b"x"
        raise ValueError

    return StreamingResponse(parts())


def asked(*paths: str) -> DashboardMetrics:
    metrics = DashboardMetrics()
    endpoints = {"/titles/{title_id}": title, "/broken": broken, "/titles.csv": broken_off}
    declared = {endpoint: path for path, endpoint in endpoints.items()}
    app = Starlette(
        routes=[Route(f"/v1{path}", endpoint) for path, endpoint in endpoints.items()],
        middleware=[Middleware(MeasuredRequests, metrics=metrics, paths=declared)],
    )

    async def receive() -> Any:
        return await asyncio.Future()

    async def send(_: Any) -> None:
        pass

    async def asking() -> None:
        for path in paths:
            scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "root_path": ""}
            with suppress(ValueError, ExceptionGroup):
                await app(scope, receive, send)

    asyncio.run(asking())
    return metrics


def counts(metrics: DashboardMetrics) -> dict[tuple[str, str], float]:
    samples = [sample for family in metrics.api_requests.collect() for sample in family.samples]
    found = [sample for sample in samples if sample.name.endswith("_total")]
    return {(sample.labels["path"], sample.labels["status"]): sample.value for sample in found}


def test_requests_are_counted_by_the_declared_path_and_the_status() -> None:
    metrics = asked("/v1/titles/dragon", "/v1/titles/zebra", "/v1/titles/nobody", "/v1/nowhere")
    assert counts(metrics) == {
        ("/titles/{title_id}", "200"): 2, ("/titles/{title_id}", "404"): 1, ("", "404"): 1,
    }  # fmt: skip
    labels = {"path": "/titles/{title_id}"}
    assert metrics.registry.get_sample_value("encore_api_answer_seconds_count", labels) == 3


def test_an_error_of_ours_is_counted_once_also_where_the_answer_had_begun() -> None:
    assert counts(asked("/v1/broken", "/v1/titles.csv")) == {("/broken", "500"): 1, ("/titles.csv", "200"): 1}
